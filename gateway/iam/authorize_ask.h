// SPDX-License-Identifier: Apache-2.0
/* A question to policies while it is asked: authorize_policy.c asks it, authorize_memo.c remembers
 * what was said. */
#ifndef GML_IAM_AUTHORIZE_ASK_H
#define GML_IAM_AUTHORIZE_ASK_H

#include "access.h"
#include "access_memo.h"
#include "authorize_policy.h"

/* Which question (authorize_policy.c). */
enum ask_form { ASK_KEY, ASK_PASS, ASK_LIST, ASK_BELOW, ASK_TREE, ASK_SHOW };

struct ask {
	struct gml_txn *txn;
	struct gml_access_question question;
	struct gml_access_held held;
	enum ask_form form;
	struct gml_span name; /* below the path that is walked: of a target by name */
	bool slash;	      /* behind it */
	struct gml_policy_saying *out;
	unsigned paths;
	int rc;
	struct gml_memo *memo; /* NULL: nothing is remembered */
	struct gml_memo_key about;
	bool varies; /* struct gml_access_question */
	/* What is said of all in the directory of a file, and whether that varies; wanted if it is
	 * not remembered. */
	bool below_wanted, below_varies;
	uint16_t below;
};

static inline bool ask_is_directory(const struct gml_inode *inode)
{
	return inode != NULL && inode->type == GML_DIR;
}

static inline bool ask_by_key(const struct gml_target *target)
{
	return target->bucket_name.len > 0 || target->key.len > 0;
}

/* Does a client ask about its mount point? */
static inline bool ask_is_mount(const struct ask *ask, const struct gml_target *target)
{
	return ask->question.action == GML_ACTION_GETATTR && target->inode != NULL &&
	       gml_ino_equal(target->inode->ino, ask->question.root);
}

static inline bool ask_refuses(const struct auth_decision *decision)
{
	return decision->verdict == AUTH_VERDICT_DENY || decision->verdict == AUTH_VERDICT_CAPPED;
}

/* ---- authorize_memo.c ---- */

/* Prepares it: may what is said to this caller be remembered? */
void gml_ask_remember(struct ask *ask, struct gml_store *store);
/* Was it said before? Then *ask->out has it. */
bool gml_ask_recall(struct ask *ask, const struct gml_target *target);
/* Keeps that no policy says anything to the caller in the bucket. */
void gml_ask_keep_silent(const struct ask *ask);
/* Keeps *ask->out, about target->inode. */
void gml_ask_keep(const struct ask *ask, const struct gml_target *target);
/* Asks about all files of the directory in which the file `key` is, for gml_ask_keep. Errors as
 * gml_policy_ask. */
int gml_ask_below(struct ask *ask, struct gml_span key);

#endif
