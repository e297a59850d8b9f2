// SPDX-License-Identifier: Apache-2.0
/* The one decision about rights: may this principal do that? No other code compares uids, reads
 * mode bits or ACLs, or defines administrators (docs/adr/0008-authorize.md). */
#ifndef GML_IAM_AUTHORIZE_H
#define GML_IAM_AUTHORIZE_H

#include <gemel/action.h>
#include <gemel/op.h>
#include "gateway/meta/record/record.h"

/* The target of a decision: the parts that the caller has read already, because nothing is read
 * again. All is borrowed for the call. */
struct gml_target {
	struct gml_span bucket_name, key; /* of a request by key; empty for others */
	struct gml_span name;		  /* in `dir`, as stored; may be empty */
	bool directory;			  /* what gets the name, which is new, is a directory */
	const struct gml_inode *dir;	  /* of the name (rule NAME) */
	/* The inode; of rule NAME the inode of the name (NULL: none, or not read), of SEEN the
	 * bucket's root. */
	const struct gml_inode *inode;
	const struct gml_bucket_rec *bucket; /* rules SEEN, MINE, BUCKET, UPLOAD; grants */
	const struct gml_upload_rec *upload; /* rule UPLOAD */
	uint32_t uid, gid;		     /* the requested owner (rules CHOWN, CREATE) */
	/* A directory on the path has no `x` for the caller. The walk continues and records it here
	 * for the decision: grants by mode bits are refused then; grants by policy need no `x` on
	 * the path. */
	bool barred;
};

/* The reason of a decision. */
enum gml_reason {
	GML_REASON_NONE,      /* refused: nothing grants it */
	GML_REASON_REFUSED,   /* refused: the caller's uid may do nothing */
	GML_REASON_READ_ONLY, /* refused: nothing may be changed here */
	GML_REASON_BARRED,    /* refused: the way to it */
	GML_REASON_STICKY,    /* refused: the directory's sticky bit */
	GML_REASON_DENIED,    /* refused: a policy denies it */
	GML_REASON_CAPPED,    /* refused: a boundary or another cap does not allow it */
	/* refused: the bucket demands that a policy allows it, and ACL, mode or ownership too */
	GML_REASON_NO_POLICY,	/* no policy does */
	GML_REASON_POLICY_ONLY, /* a policy does, and nothing else */
	GML_REASON_PRIVILEGE,	/* granted: root or administrator */
	GML_REASON_OWNER,	/* granted: of the inode, the bucket or the upload */
	GML_REASON_MODE,	/* granted: mode bits */
	GML_REASON_ACL,		/* granted: an ACL */
	GML_REASON_USER,	/* granted or refused: the user's record */
	GML_REASON_REACH,	/* granted: the way to it is enough */
	GML_REASON_POLICY,	/* granted: a policy allows it */
	GML_REASON_BOTH,	/* granted: a policy allows it, and ACL, mode or ownership */
	/* granted, of the listing of a directory: only those names may be shown whose GETATTR is
	 * granted by a policy */
	GML_REASON_WAY,
};

struct gml_verdict {
	enum gml_reason reason;
};

/* 0: it may. ACCESS, PERM, ROFS: it may not, as the action's row says (gemel/action.h). For all
 * rules but ADMIN and ROOT, other answers come before that of the row: ACCESS for a refused caller;
 * ROFS for a change where nothing may be changed (ACCESS if the path is barred); ACCESS for what
 * policies deny or cap, to owners and root as well; 0 for what they allow; ACCESS for a barred
 * path. In a bucket that demands both, ACCESS for what no policy allows, and the row's answer for
 * what one does. Other errors: the store could not be read, so it may not either. *verdict (may be
 * NULL) says what decided. txn: what the target was read in; NULL for rules ADMIN and ROOT.
 * CREATE_BUCKET reads the user there, the refusal of a request of S3 the settings of the bucket,
 * for grants (grant.h). Policies are read when they changed, and paths of inodes where a policy
 * could speak of them (authorize_policy.h). No blocking. Any thread. Durability: none. */
int gml_authorize(struct gml_txn *txn, const struct gml_principal *principal,
		  enum gml_action action, const struct gml_target *target,
		  const struct gml_context *context, struct gml_verdict *verdict);

/* The same for an operation. */
static inline int gml_may(struct gml_txn *txn, const struct gml_op *op, enum gml_action action,
			  const struct gml_target *target)
{
	return gml_authorize(txn, &op->principal, action, target, &op->context, NULL);
}

/* May the caller do this to an inode that was reached? */
static inline int gml_may_inode(struct gml_txn *txn, const struct gml_op *op,
				enum gml_action action, const struct gml_inode *inode, bool barred)
{
	const struct gml_target target = {.inode = inode, .barred = barred};
	return gml_may(txn, op, action, &target);
}

/* May the caller bring what it moves or links to a further path, as far as that could let it read
 * what it could not read before (CopyObject asks the same)? Policies that refuse s3:GetObject of it
 * refuse. Where they are silent, one that speaks of it at the new path asks for `r`, or ownership;
 * a directory is refused where one could allow it, because what is below is not looked at. `inode`
 * and `barred` are of what is brought, `to` is a target by name. The right to change the names is
 * asked apart. As gml_authorize. */
int gml_may_carry(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode,
		  bool barred, const struct gml_target *to);

/* May the caller give the file a further name, as far as that lets it do what it could not do
 * before? What policies allow about the file at `to`, a target by name, it must be allowed already:
 * write it, set its mode, ACL, owner and tags, read its ACL and tags. `inode` and `barred` are of
 * the file, which is no directory. Reading it is gml_may_carry's question. ACCESS: no. As
 * gml_authorize. */
int gml_may_link(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode,
		 bool barred, const struct gml_target *to);

/* Of a directory that moves to `to`: does gml_may_link have to be asked about files with several
 * names below it? False: no policy would let the caller do more to them. As gml_authorize. */
int gml_link_gains(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		   const struct gml_target *to, bool *out);

/* May the caller do what only administrators or root may (rules ADMIN, ROOT)? */
static inline int gml_may_administer(const struct gml_op *op, enum gml_action action)
{
	const struct gml_target target = {.barred = false};
	return gml_may(NULL, op, action, &target);
}

/* ---- helpers that decide nothing by themselves ---- */

/* Has the directory no `x` for the caller? For walks, which record it in their target. Pure. */
bool gml_search_barred(const struct gml_principal *principal, const struct gml_inode *dir);
/* True if mode bits never stop the caller, so that a walk need not read directories for them. */
bool gml_search_unlimited(const struct gml_principal *principal);
/* For a deleted bucket: its files are barred to all callers but their owner. */
bool gml_leftover_barred(const struct gml_principal *principal, const struct gml_inode *inode);
/* To lock a file that the caller's client has open: opening it was the question, so only a caller
 * who may do nothing any more is barred. */
bool gml_lock_barred(const struct gml_principal *principal);

/* Does the caller own the inode, or is it root? Who may set a mode without that, by an ACL or a
 * policy, sets neither setuid nor setgid. Pure. */
bool gml_owns(const struct gml_principal *principal, const struct gml_inode *inode);
/* POSIX: does the caller keep the setuid and setgid bits of a file that it writes or gives away
 * (root only), and the setgid bit of a file with that group (its members)? Pure. */
bool gml_keeps_setid(const struct gml_principal *principal);
bool gml_keeps_setgid(const struct gml_principal *principal, uint32_t gid);

#endif
