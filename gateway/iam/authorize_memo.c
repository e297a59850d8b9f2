// SPDX-License-Identifier: Apache-2.0
/* What policies said to a caller of NFS about an inode is remembered (access_memo.h), so that
 * requests about an open file, or about a directory, neither walk its paths nor ask the policies
 * again:
 *  - The state of a file is the change attribute in its record: each change of its names moves it.
 *    A directory has one path, which changes with the path epoch alone, until it is removed.
 *  - Where policies speak of all files in a directory alike, and refuse none, that is remembered
 *    once, for those that have one name. It counts for snapshots that are as new as the one that it
 *    was made of: in them the path of the directory is the same.
 *  - A snapshot that is older than a change of paths says what was: an answer is kept only of the
 *    newest snapshot, when all such changes are visible.
 *  - Write transactions remember nothing and ask anew: their answers may be about what is never
 *    committed. */
#include <string.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "access_cache.h"
#include "authorize_ask.h"
#include "epoch.h"
#include "store.h"

/* In place of an answer about all in a directory: ask for each. */
#define MEMO_DEPENDS 16

static uint16_t memo_pack(const struct gml_policy_saying *saying)
{
	return (uint16_t)((unsigned)saying->word | saying->way << 2 | saying->both << 3 |
			  (unsigned)saying->reason << 8);
}

static void memo_unpack(uint16_t answer, struct gml_policy_saying *saying)
{
	saying->word = (enum gml_policy_word)(answer & 3);
	saying->way = answer >> 2 & 1;
	saying->both = answer >> 3 & 1;
	saying->asked = true; /* else it is remembered that nothing speaks */
	saying->reason = (enum gml_reason)(answer >> 8);
}

/* Whose answers are remembered: a caller whom the uid alone names, and who states nothing. */
void gml_ask_remember(struct ask *ask, struct gml_store *store)
{
	const struct gml_principal *who = ask->question.principal;
	const struct gml_context *context = ask->question.context;
	const struct gml_access_epoch *epoch = gml_store_access_epoch(store);
	if (ask->txn->writable || gml_ino_is_none(ask->question.root) ||
	    context->protocol != GML_PROTOCOL_NFS || context->condition != NULL ||
	    who->user != NULL || who->authn < GML_AUTHN_SYS)
		return;
	ask->memo = gml_access_memo(gml_store_access(store));
	ask->about = (struct gml_memo_key){.access = gml_access_epoch_now(epoch),
					   .paths = gml_path_epoch_now(epoch),
					   .uid = who->cred.uid};
}

/* About all of the bucket: whether any policy speaks. */
static struct gml_memo_key memo_silent(const struct ask *ask)
{
	struct gml_memo_key key = ask->about;
	key.paths = 0; /* it does not depend on them */
	key.ino = ask->question.root;
	key.kind = GML_MEMO_SILENT;
	return key;
}

/* About an inode that is known by itself, not by a name. */
static bool memo_inode(const struct ask *ask, const struct gml_target *target,
		       struct gml_memo_key *key, uint64_t *state)
{
	const struct gml_inode *inode = target->inode;
	bool directory = ask_is_directory(inode);
	int action = gml_access_action(&ask->question);
	if (ask_by_key(target) || target->dir != NULL || target->bucket != NULL ||
	    ask->form == ASK_SHOW)
		return false;
	gml_assert(action < 1 << 11);
	if (ask->form == ASK_PASS) /* which asks about all actions */
		action = 0;
	*key = ask->about;
	key->ino = inode->ino;
	key->kind = GML_MEMO_INODE;
	key->question =
		(uint16_t)((unsigned)ask->form << 13 | (unsigned)directory << 12 |
			   (unsigned)ask_is_mount(ask, target) << 11 | ((unsigned)action & 0x7ff));
	*state = directory ? inode->flags & GML_INODE_ORPHAN : inode->change;
	return true;
}

/* About all in the directory of a file with one name: others have no parent. `key` is that of the
 * file. */
static bool memo_below(const struct ask *ask, const struct gml_target *target,
		       struct gml_memo_key *key)
{
	const struct gml_inode *inode = target->inode;
	if (inode->type == GML_DIR || gml_ino_is_none(inode->parent) ||
	    (ask->form != ASK_KEY && ask->form != ASK_PASS))
		return false;
	key->ino = inode->parent;
	key->kind = GML_MEMO_BELOW;
	return true;
}

static bool memo_recall_below(struct ask *ask, const struct gml_target *target,
			      struct gml_memo_key key)
{
	uint64_t seq;
	uint16_t answer;
	if (!memo_below(ask, target, &key))
		return false;
	ask->below_wanted =
		!gml_memo_find(ask->memo, &key, &seq, &answer) || gml_txn_seq(ask->txn) < seq;
	if (ask->below_wanted || (answer & MEMO_DEPENDS))
		return false;
	memo_unpack(answer, ask->out);
	return true;
}

bool gml_ask_recall(struct ask *ask, const struct gml_target *target)
{
	struct gml_memo_key key = memo_silent(ask);
	uint64_t state, found;
	uint16_t answer;
	if (ask->memo == NULL)
		return false;
	if (gml_memo_find(ask->memo, &key, &found, &answer))
		return true;
	if (!memo_inode(ask, target, &key, &state))
		return false;
	if (memo_recall_below(ask, target, key))
		return true;
	if (!gml_memo_find(ask->memo, &key, &found, &answer) || found != state)
		return false;
	memo_unpack(answer, ask->out);
	return true;
}

/* Are the policies that were asked good for as long as the access epoch stays? */
static bool memo_is_firm(const struct ask *ask)
{
	return ask->memo != NULL && ask->held.firm;
}

/* Does the snapshot have all paths as of the path epoch? */
static bool memo_has_paths(const struct ask *ask)
{
	struct gml_meta *meta = ask->txn->meta;
	uint64_t newest;
	if (!gml_path_epoch_settled(gml_store_access_epoch(meta->store), ask->about.paths))
		return false;
	newest = gml_meta_seq(meta);
	return newest != 0 && gml_txn_seq(ask->txn) == newest;
}

void gml_ask_keep_silent(const struct ask *ask)
{
	const struct gml_memo_key key = memo_silent(ask);
	if (memo_is_firm(ask))
		gml_memo_put(ask->memo, &key, 0, 0);
}

void gml_ask_keep(const struct ask *ask, const struct gml_target *target)
{
	struct gml_memo_key key, below;
	uint64_t state;
	if (!memo_is_firm(ask) || !memo_inode(ask, target, &key, &state) || !memo_has_paths(ask))
		return;
	below = key;
	if (ask->below_wanted && !ask->below_varies && memo_below(ask, target, &below)) {
		gml_memo_put(ask->memo, &below, gml_txn_seq(ask->txn), ask->below);
		if (!(ask->below & MEMO_DEPENDS))
			return;
	}
	if (!ask->varies)
		gml_memo_put(ask->memo, &key, state, memo_pack(ask->out));
}

/* What the policies say of all in a directory, for the question `all` about one file in it: its
 * answer, where it is the same for each and no refusal. */
static int below_key(struct ask *ask, const struct gml_access_question *all,
		     enum gml_policy_word *word, bool *certain)
{
	int action = gml_access_action(all);
	struct auth_spread spread;
	int rc;
	if (action == AUTH_ACTION_NONE || !(auth_action_kinds(action) & AUTH_RESOURCE_OBJECT))
		return 0;
	rc = gml_held_spread(&ask->held, ask->txn, all, &spread);
	*word = spread.allowed == AUTH_TRUE ? GML_SAYS_YES : GML_SAYS_NOTHING;
	*certain = rc == 0 && spread.refused == AUTH_FALSE && spread.allowed != AUTH_MAYBE;
	return rc;
}

static int below_pass(struct ask *ask, const struct gml_access_question *all,
		      enum gml_policy_word *word, bool *certain)
{
	struct gml_access_question list = *all;
	struct auth_decision listing;
	struct auth_reach reach;
	int rc;
	list.action = GML_ACTION_READDIR;
	list.below = false;
	rc = gml_held_decide(&ask->held, ask->txn, &list, &listing);
	if (rc == 0)
		rc = gml_held_reach(&ask->held, ask->txn, all, &reach);
	if (rc != 0)
		return rc;
	*word = listing.verdict == AUTH_VERDICT_ALLOW || reach.sure ? GML_SAYS_YES
								    : GML_SAYS_NOTHING;
	*certain = *word == GML_SAYS_YES || (!reach.could && !ask_refuses(&listing));
	return 0;
}

/* `key` is a file's. */
int gml_ask_below(struct ask *ask, struct gml_span key)
{
	const char *slash = key.len > 0 ? memrchr(key.ptr, '/', key.len) : NULL;
	struct gml_access_question all = ask->question;
	struct gml_policy_saying saying = {.both = ask->out->both};
	bool certain = false;
	int rc;
	all.key = gml_span_of(key.ptr,
			      slash != NULL ? (size_t)(slash + 1 - (const char *)key.ptr) : 0);
	all.inode = NULL;
	all.below = true;
	all.varies = &ask->below_varies;
	if (ask->form == ASK_PASS) {
		all.directory = true;
		rc = below_pass(ask, &all, &saying.word, &certain);
	} else {
		rc = below_key(ask, &all, &saying.word, &certain);
	}
	saying.reason = saying.word == GML_SAYS_YES ? GML_REASON_POLICY : GML_REASON_NONE;
	ask->below = certain ? memo_pack(&saying) : MEMO_DEPENDS;
	return rc;
}
