// SPDX-License-Identifier: Apache-2.0
/* Policies: documents in AWS's language (docs/access.md) that say who may do what. A *managed*
 * policy has a name of its own and is attached to users, groups and roles. An *inline* policy
 * belongs to one of them. A *boundary* is the managed policy beyond which a user or a role may do
 * nothing. Policies of buckets are documents of theirs (gemel/bucket.h).
 * Names are 1 to 128 of [A-Za-z0-9_+=,.@-] and not distinguished by case. Documents are valid when
 * they are set (gml_policy_lint), else BADPOLICY. Only administrators may change policies; others
 * get PERM. The labels of the contracts are explained in README.md here. */
#ifndef GEMEL_POLICY_H
#define GEMEL_POLICY_H

#include <gemel/iam.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Limits of IAM, in bytes of the document without white space. */
#define GML_POLICY_MANAGED_MAX 6144
#define GML_POLICY_TRUST_MAX 2048
/* of all inline policies of one */
#define GML_POLICY_INLINE_USER_MAX 2048
#define GML_POLICY_INLINE_GROUP_MAX 5120
#define GML_POLICY_INLINE_ROLE_MAX 10240
#define GML_POLICIES_PER_IDENTITY 10 /* managed ones */

/* ---- documents ---- */

/* What a policy is attached to, which decides what its grammar is. */
enum gml_policy_kind {
	GML_POLICY_IDENTITY, /* a user, a group or a role */
	GML_POLICY_BUCKET,
	GML_POLICY_BOUNDARY, /* what a user or a role can have at most */
	GML_POLICY_SESSION,  /* temporary credentials */
	GML_POLICY_KEY,	     /* an access key */
	GML_POLICY_TRUST,    /* a role: who may take it on */
	GML_POLICY_KINDS,
};

/* Something that is wrong with a document, or hardly meant. */
struct gml_policy_finding {
	bool error;	   /* the document is refused; else a warning */
	const char *place; /* "Statement[2].Action[0]"; "" for the whole */
	const char *text;  /* a sentence */
	/* from 1, in characters: of an element its name, of a list the value; 0: nowhere */
	unsigned line, column;
};

/* Check a document: all errors are found that do not hide each other, and warnings where there is
 * none; 100 of each at most, and then one that says that there are more.
 *
 * `bucket`: for BUCKET, the bucket whose policy it is to be; empty: any. `each` is called for each
 * finding, which is borrowed during the call.
 * Errors: BADPOLICY: an error was found; NOMEM. Threads: any. Blocks: no. Durable: n/a. On failure:
 * n/a. */
int gml_policy_lint(enum gml_policy_kind kind, struct gml_span document, struct gml_span bucket,
		    void (*each)(void *arg, const struct gml_policy_finding *finding), void *arg);
/* Bytes of the document without white space, as the limits count.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
size_t gml_policy_size(struct gml_span document);

/* What a policy is asked, before anybody has it. All is borrowed for the call. */
struct gml_policy_question {
	const char *action; /* "s3:GetObject" */
	struct gml_span bucket;
	struct gml_span key; /* NULL ptr: the bucket itself */
	const char *user;    /* who asks; need not exist; NULL: an anonymous caller */
	/* "aws:SourceIp=10.0.0.1"; several of one key are its values. Not aws:username and the
	 * like: `user` says them. */
	const char *const *values;
	size_t nvalues;
};
enum gml_policy_answer { GML_SIMULATED_NOTHING, GML_SIMULATED_ALLOW, GML_SIMULATED_DENY };
/* What a statement says to the question. */
struct gml_policy_reason {
	int statement; /* from 0 */
	struct gml_span sid;
	bool allow;	    /* its Effect */
	bool matches;	    /* it speaks of the question */
	const char *place;  /* else the first thing that does not fit: "Statement[0].Action" */
	const char *wanted; /* and what stands there */
};
/* What a policy by itself says to a question (SimulateCustomPolicy). `each` (may be NULL) is called
 * for each statement, which is borrowed during the call.
 * Errors: BADPOLICY, INVAL (there is no such action, or a value has no '='), NOENT (a value of a
 * key that no request has), NOTSUP (a value of a key that `user` says), NOMEM. Threads: any.
 * Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_policy_simulate(enum gml_policy_kind kind, struct gml_span document,
			const struct gml_policy_question *question, enum gml_policy_answer *out,
			void (*each)(void *arg, const struct gml_policy_reason *reason), void *arg);

/* ---- managed policies ---- */

struct gml_policy {
	char name[GML_POLICY_NAME_MAX + 1];
	char id[GML_UNIQUE_ID + 1];
	char description[GML_DESCRIPTION_MAX + 1]; /* UTF-8 without control characters */
	int64_t created, updated;
};

/* May a policy have this name?
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_policy_name_check(const char *name);
/* Make a managed policy, or replace the document of the one that is there (CreatePolicy,
 * CreatePolicyVersion). Name and description are those of *policy; an existing one keeps its id
 * and, when the new description is empty, its description. *policy is complete afterwards.
 * Errors: INVAL, BADPOLICY, LIMIT (over GML_POLICY_MANAGED_MAX), PERM, IO (no random bytes), NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_policy_put(struct gml_op *op, struct gml_store *store, struct gml_policy *policy,
		   struct gml_span document);
/* Delete a managed policy (DeletePolicy).
 * Errors: NOPOLICY, INUSE (it is attached, or a boundary), PERM. Threads: any. Blocks: commit.
 * Durable: yes. On failure: nothing changed. */
int gml_policy_delete(struct gml_op *op, struct gml_store *store, const char *name);
/* A managed policy and a copy of its document (buf_out may be NULL).
 * Ownership: *buf_out is on the heap and freed by the caller; not NUL-terminated.
 * Errors: NOPOLICY, NOMEM. Threads: any. Blocks: no. Durable: n/a. On failure: the results are
 * undefined, *buf_out is NULL. */
int gml_policy_get(struct gml_store *store, const char *name, struct gml_policy *out,
		   void **buf_out, size_t *len_out);
/* Call `each` for the managed policies by name, until it returns false. They are borrowed for the
 * call.
 * Errors: CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On
 * failure: `each` may have been called. */
int gml_policy_list(struct gml_store *store,
		    bool (*each)(void *arg, const struct gml_policy *policy), void *arg);

/* What a managed policy is to those that have it; the numbers are on disk. */
enum gml_policy_use { GML_POLICY_USE_ATTACHED = 1, GML_POLICY_USE_BOUNDARY = 2 };
/* Call `each` for those that have a managed policy, until it returns false (ListEntitiesForPolicy).
 * Names are borrowed for the call.
 * Errors: NOPOLICY, CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a.
 * On failure: `each` may have been called. */
int gml_policy_uses(struct gml_store *store, const char *name,
		    bool (*each)(void *arg, enum gml_policy_use use,
				 const struct gml_identity *identity),
		    void *arg);

/* ---- policies of users, groups and roles ---- */

/* Attach a managed policy (AttachUserPolicy, …); one that is attached already stays so.
 * Errors: NOPOLICY, NOUSER, NOGROUP, NOROLE, LIMIT (GML_POLICIES_PER_IDENTITY), PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_policy_attach(struct gml_op *op, struct gml_store *store,
		      const struct gml_identity *identity, const char *policy);
/* Detach a managed policy (DetachUserPolicy, …).
 * Errors: NOPOLICY, NOUSER, NOGROUP, NOROLE, NOENT (it is not attached), PERM. Threads: any.
 * Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_policy_detach(struct gml_op *op, struct gml_store *store,
		      const struct gml_identity *identity, const char *policy);
/* Call `each` for the names of the managed policies that are attached, in order, until it returns
 * false. They are borrowed for the call.
 * Errors: NOUSER, NOGROUP, NOROLE, CORRUPT. Threads: any; `each` must not call the core. Blocks:
 * no.
 * Durable: n/a. On failure: `each` may have been called. */
int gml_policy_attached(struct gml_store *store, const struct gml_identity *identity,
			bool (*each)(void *arg, const struct gml_policy *policy), void *arg);

/* Set an inline policy (PutUserPolicy, …), in place of one of the same name.
 * Errors: INVAL (the name), BADPOLICY, NOUSER, NOGROUP, NOROLE, LIMIT (all of them together, see
 * GML_POLICY_INLINE_…), PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_policy_inline_put(struct gml_op *op, struct gml_store *store,
			  const struct gml_identity *identity, const char *name,
			  struct gml_span document);
/* Delete an inline policy (DeleteUserPolicy, …).
 * Errors: NOPOLICY, NOUSER, NOGROUP, NOROLE, PERM. Threads: any. Blocks: commit. Durable: yes. On
 * failure: nothing changed. */
int gml_policy_inline_delete(struct gml_op *op, struct gml_store *store,
			     const struct gml_identity *identity, const char *name);
/* Call `each` for the inline policies by name, until it returns false. Names and documents are
 * borrowed for the call.
 * Errors: NOUSER, NOGROUP, NOROLE, CORRUPT. Threads: any; `each` must not call the core. Blocks:
 * no.
 * Durable: n/a. On failure: `each` may have been called. */
int gml_policy_inline_list(struct gml_store *store, const struct gml_identity *identity,
			   bool (*each)(void *arg, struct gml_span name, struct gml_span document),
			   void *arg);

/* Make a managed policy the boundary of a user or a role, in place of another one
 * (PutUserPermissionsBoundary, …); NULL: it has none then.
 * Errors: NOPOLICY, NOUSER, NOROLE, INVAL (a group), PERM, NOSPC. Threads: any. Blocks: commit.
 * Durable: yes. On failure: nothing changed. */
int gml_policy_boundary_set(struct gml_op *op, struct gml_store *store,
			    const struct gml_identity *identity, const char *policy);
/* The name of the boundary; "": it has none.
 * Errors: NOUSER, NOROLE, INVAL (a group). Threads: any. Blocks: no. Durable: n/a. On failure:
 * policy_out is undefined. */
int gml_policy_boundary_get(struct gml_store *store, const struct gml_identity *identity,
			    char policy_out[GML_POLICY_NAME_MAX + 1]);

GML_API_END

#endif
