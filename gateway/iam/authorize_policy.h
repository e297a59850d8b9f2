// SPDX-License-Identifier: Apache-2.0
/* What policies say to a decision of gml_authorize: which keys it is about, and which question is
 * asked about each. */
#ifndef GML_IAM_AUTHORIZE_POLICY_H
#define GML_IAM_AUTHORIZE_POLICY_H

#include "authorize.h"

enum gml_policy_word { GML_SAYS_NOTHING, GML_SAYS_YES, GML_SAYS_NO };

struct gml_policy_saying {
	enum gml_policy_word word;
	enum gml_reason reason; /* of YES and NO */
	/* Of the listing of a directory, with NOTHING: something below it could be allowed, so the
	 * names that lead there are shown. */
	bool way;
	/* The bucket demands an Allow: without a YES the action is refused, with it the action's
	 * row is asked as well. */
	bool both;
	bool asked; /* false: no policy applies */
};

struct gml_policy_actions {
	const enum gml_action *list;
	size_t count;
};

/* Asks the policies of the caller and of the target's bucket. A Deny about one path of the target
 * binds, an Allow about one suffices. An inode that has lost its names has the empty key. NOTHING
 * costs two loads while nobody in the store has a policy, and if txn is NULL or of no store.
 * Errors: CORRUPT, NOMEM, IO, AGAIN, NAMETOOLONG (a path over GML_PATH_LEN_MAX): nothing is known.
 * Threads: any. Blocks: no; takes leaf locks. Durability: none. */
int gml_policy_ask(struct gml_txn *txn, const struct gml_principal *principal,
		   enum gml_action action, const struct gml_target *target,
		   const struct gml_context *context, struct gml_policy_saying *out);

/* Of a directory that moves to `to`, a target by name: could policies allow one of the actions on
 * something below the new path that they do not allow on all below the old one? Errors, threads,
 * blocking and durability as gml_policy_ask. */
int gml_policy_gains(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		     const struct gml_target *to, struct gml_policy_actions actions, bool *out);

#endif
