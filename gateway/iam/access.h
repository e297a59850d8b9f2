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
	/* The key of an object, at most GML_PATH_LEN_MAX bytes. Of an action on a bucket: what
	 * s3:prefix is when the request states none; NULL ptr: nothing. */
	struct gml_span key;
	const struct gml_inode *inode; /* of the object, for its tags; NULL: it has none */
	const struct gml_context *context;
	/* It is about all keys that begin with `key`: what s3:prefix is, where the request states
	 * none, is not known. */
	bool below;
	/* Set to true if the answer used the time, the transport, a tag of the object or what the
	 * request states: another request of this caller about the same, over this protocol, could
	 * get another one. NULL: not wanted. */
	bool *varies;
};

/* The policies of a caller and a bucket, for one or more questions about them. */
struct gml_access_held {
	struct access_entry *caller, *bucket; /* references; NULL: none */
	const struct auth_policy_set *sets[2];
	size_t count; /* of sets; 0: no policy says anything */
	bool both;    /* struct gml_access_bucket */
	struct auth_principal who;
	uint64_t asof; /* the access epoch */
	bool firm;     /* they are good for as long as the epoch is that */
};
/* Is it certain that no policy says anything to the caller, because nobody has one? Two loads,
 * after a first question as of the epoch. Any thread. Blocks: no. */
bool gml_access_is_silent(struct gml_store *store, const struct gml_principal *principal);
/* Finds what applies to question->principal and question->root; the rest of the question is not
 * looked at. To a caller that opened the store's files (GML_AUTHN_LOCAL) nothing does.
 * txn: a transaction of the store; what is not remembered is read in it if it is a write
 * transaction, else in a snapshot of its own. Release *held in any case. Errors: CORRUPT (a record
 * or a policy is damaged), NOENT (no bucket has that root), NOMEM, IO, AGAIN: nothing is known, so
 * nothing is allowed. Threads: any. Blocks: no; takes leaf locks, allocates. Durability: none. */
int gml_access_hold(struct gml_store *store, struct gml_txn *txn,
		    const struct gml_access_question *question, struct gml_access_held *held);
void gml_access_release(struct gml_access_held *held);

/* The answers of what is held; questions are about the same principal and root. Policies of a
 * bucket that are public grant nothing to guests and anonymous callers where a public access block
 * restricts them. Tags of the object are read in txn. CORRUPT, IO: as above. Any thread. Blocks:
 * no. */

/* The verdict of the policies, and what made it: borrowed until the release. */
int gml_held_decide(const struct gml_access_held *held, struct gml_txn *txn,
		    const struct gml_access_question *question, struct auth_decision *out);
/* For explanations: what would allow it, if no public access block kept it from that; else the
 * verdict NONE. */
int gml_held_withheld(const struct gml_access_held *held, struct gml_txn *txn,
		      const struct gml_access_question *question, struct auth_decision *out);
/* What they say of the action and all keys that begin with question->key (auth/decision/set.h). */
int gml_held_spread(const struct gml_access_held *held, struct gml_txn *txn,
		    const struct gml_access_question *question, struct auth_spread *out);
/* What they say of all actions: on the key, or with question->directory on all keys that begin with
 * it. question->action is not looked at. */
int gml_held_reach(const struct gml_access_held *held, struct gml_txn *txn,
		   const struct gml_access_question *question, struct auth_reach *out);
/* Could they allow any action on the bucket or in it, for keys that begin with question->key? false
 * is certain. question->action is not looked at. */
int gml_held_could(const struct gml_access_held *held, struct gml_txn *txn,
		   const struct gml_access_question *question, bool *out);

/* The row of auth/access/action.h that question->action is for policies; AUTH_ACTION_NONE: they
 * know no such action. */
int gml_access_action(const struct gml_access_question *question);

/* What is remembered of a bucket besides its policy. */
struct gml_access_bucket {
	bool both;		/* it demands an Allow, and what the action's row asks as well */
	uint32_t public_access; /* of the account and the bucket together */
	enum gml_ownership ownership;
	bool has_policy, is_public;
};
/* NOENT: no bucket has that root. Else as gml_access_hold. */
int gml_access_bucket(struct gml_store *store, struct gml_txn *txn, gml_ino root,
		      struct gml_access_bucket *out);

#endif
