// SPDX-License-Identifier: Apache-2.0
/* What policies say to a request: the policies of the caller (its own, attached ones, those of its
 * groups, its boundary) and of the bucket, compiled and remembered.
 *
 * Each process remembers compiled policies as of an access epoch (epoch.h), those of at most
 * GML_ACCESS_BYTES. A question costs two loads while nobody in the store has a policy. Else it
 * costs a read lock of a shard for the caller and for the bucket, and the evaluation
 * (auth/decision/set.h). What is not remembered, or as of another epoch, is read from the store.
 *
 * Invariants
 *  1. What is remembered as of an epoch was read after that epoch was seen settled, from a snapshot
 *     that was taken after that; or inside a write transaction, which sees every change that has a
 *     number.
 *  2. An entry does not change once others can find it. It is freed with its last reference.
 *  3. What cannot be read or compiled refuses: the question answers an error. */
#ifndef GML_IAM_ACCESS_H
#define GML_IAM_ACCESS_H

#include <gemel/account.h>
#include <gemel/action.h>
#include <gemel/op.h>
#include "auth/decision/set.h"
#include "gateway/meta/record/record.h"

#define GML_ACCESS_BYTES ((size_t)32 << 20)
#define GML_ACCESS_PATH_MAX ((size_t)4096) /* bytes of a key, or of a path over NFS */
#define GML_ACCESS_ORIGIN_MAX 320

struct gml_access;

/* Nothing remembered; lives as long as the open store. */
int gml_access_new(struct gml_access **out);
void gml_access_free(struct gml_access *access); /* NULL is fine */

/* What is asked. All is borrowed for the call. */
struct gml_access_question {
	const struct gml_principal *principal;
	enum gml_action action;
	bool directory; /* gml_action_name */
	/* The bucket, by its root; GML_INO_NONE: one that is not there (`bucket`), or none. */
	gml_ino root;
	struct gml_span bucket;
	/* The key of an object, at most GML_ACCESS_PATH_MAX bytes. Of an action on a bucket: what
	 * s3:prefix is when the request states none; NULL ptr: nothing. */
	struct gml_span key;
	const struct gml_inode *inode; /* of the object, for its tags; NULL: it has none */
	const struct gml_context *context;
};

struct gml_access_answer {
	enum auth_verdict verdict;
	/* Of DENY, ALLOW and CAPPED: what decided. */
	enum auth_policy_kind kind;
	int statement; /* from 0; -1: none */
	char origin[GML_ACCESS_ORIGIN_MAX];
};

/* The verdict of the policies alone. A caller that opened the store's files (GML_AUTHN_LOCAL) is
 * bound by none: NONE. Policies of a bucket that are public grant nothing to guests and anonymous
 * callers where a public access block restricts them: NONE.
 * txn: a transaction of the store; what is not remembered is read in it if it is a write
 * transaction, else in a snapshot of its own. Errors: CORRUPT (a record or a policy is damaged),
 * NOMEM, IO, AGAIN: nothing is known, so nothing is allowed. Threads: any. Blocks: no; takes leaf
 * locks, allocates. Durability: none. */
int gml_access_decide(struct gml_store *store, struct gml_txn *txn,
		      const struct gml_access_question *question, struct gml_access_answer *out);

/* What the policies say to all keys of the bucket that begin with question->key: ALL, NONE or
 * DEPENDS (auth/decision/set.h). As gml_access_decide. */
int gml_access_below(struct gml_store *store, struct gml_txn *txn,
		     const struct gml_access_question *question, enum auth_below *out);
/* Could the policies allow any action on a key that begins with question->key; with the empty one,
 * on the bucket or in it? false is certain. question->action is not looked at. As
 * gml_access_decide. */
int gml_access_could(struct gml_store *store, struct gml_txn *txn,
		     const struct gml_access_question *question, bool *out);

/* What is remembered of a bucket besides its policy. */
struct gml_access_bucket {
	uint32_t public_access; /* of the account and the bucket together */
	enum gml_ownership ownership;
	bool has_policy, is_public;
};
/* NOENT: no bucket has that root. Else as gml_access_decide. */
int gml_access_bucket(struct gml_store *store, struct gml_txn *txn, gml_ino root,
		      struct gml_access_bucket *out);

#endif
