// SPDX-License-Identifier: Apache-2.0
/* Policies in AWS's language: parse, compile, decide (IAM User Guide: JSON policy element
 * reference). One policy alone; those that apply to a request are joined in set.h.
 *
 * A compiled policy never changes: any number of threads may use it. No blocking. */
#ifndef GML_AUTH_POLICY_POLICY_H
#define GML_AUTH_POLICY_POLICY_H

#include "auth/access/access.h"

/* What a policy is attached to, which decides what its grammar is and what it can do. */
enum auth_policy_kind {
	AUTH_POLICY_IDENTITY, /* of a user, a group or a role: grants */
	AUTH_POLICY_BUCKET,   /* of a bucket: grants to the principals that it names */
	AUTH_POLICY_BOUNDARY, /* of a user or a role: caps */
	AUTH_POLICY_SESSION,  /* of temporary credentials: caps */
	AUTH_POLICY_KEY,      /* of an access key: caps */
	AUTH_POLICY_TRUST,    /* of a role: names who may take it on */
	AUTH_POLICY_KINDS,
};

/* Limits. Sizes are those of AWS in bytes: white space does not count except in bucket policies. */
enum {
	AUTH_POLICY_BYTES_MAX = 65536, /* with white space */
	AUTH_POLICY_IDENTITY_MAX = 10240,
	AUTH_POLICY_BUCKET_MAX = 20480,
	AUTH_POLICY_BOUNDARY_MAX = 6144,
	AUTH_POLICY_TRUST_MAX = 2048,
	AUTH_POLICY_STATEMENTS_MAX = 400,
	AUTH_POLICY_CONDITIONS_MAX = 64, /* of a statement */
	AUTH_POLICY_VALUES_MAX = 1000,	 /* of an element or a condition */
	AUTH_POLICY_ONES_MAX = 200,	 /* `?` in a bucket's policy */
	AUTH_POLICY_ERRORS_MAX = 100,	 /* that auth_policy_check tells */
};

/* What is wrong with a document. */
struct auth_policy_error {
	/* "Statement[2].Condition.StringLike.s3:prefix[0]"; "" for what concerns the whole; "line 3
	 * column 7" where it is no JSON */
	char place[256];
	char text[384];	       /* a sentence: what is wrong, and what would be right */
	unsigned line, column; /* from 1, where it is no JSON; else 0 */
	bool memory;	       /* nothing is wrong: memory ran out */
};

struct auth_policy;

/* Parses and compiles a document. `bucket`: for AUTH_POLICY_BUCKET, the bucket that all resources
 * must lie in; empty: not checked. *out is the caller's, to be released by auth_policy_unref.
 * Returns false with *error filled, and *out NULL. */
bool auth_policy_parse(enum auth_policy_kind kind, struct gml_span document, struct gml_span bucket,
		       struct auth_policy **out, struct auth_policy_error *error);
/* Receives an error, borrowed during the call. */
typedef void (*auth_policy_wrong_fn)(void *arg, const struct auth_policy_error *error);
/* The same for people: after an error it goes on with the next value, element or statement, and
 * calls `wrong` for each error, for AUTH_POLICY_ERRORS_MAX at most. When memory runs out the call
 * for that is the last. */
bool auth_policy_check(enum auth_policy_kind kind, struct gml_span document, struct gml_span bucket,
		       struct auth_policy **out, auth_policy_wrong_fn wrong, void *arg);
struct auth_policy *auth_policy_ref(struct auth_policy *policy);
/* NULL is allowed. */
void auth_policy_unref(struct auth_policy *policy);

/* Bytes of memory that it takes. */
size_t auth_policy_size(const struct auth_policy *policy);

enum auth_policy_kind auth_policy_kind(const struct auth_policy *policy);
/* The keys that a decision may ask for. */
auth_key_set auth_policy_needs(const struct auth_policy *policy);

/* Does a bucket's policy allow something to everyone (S3 User Guide: The meaning of "public")? */
bool auth_policy_is_public(const struct auth_policy *policy);

enum auth_effect { AUTH_EFFECT_NONE, AUTH_EFFECT_ALLOW, AUTH_EFFECT_DENY };
/* What the policy alone says to a request: a Deny that matches, else an Allow that matches, else
 * nothing. *statement_out (may be NULL) becomes the number of the statement, from 0; -1 for
 * nothing. Looks at every statement: sets are faster. */
enum auth_effect auth_policy_decide(const struct auth_policy *policy,
				    const struct auth_access *access, int *statement_out);

#endif
