// SPDX-License-Identifier: Apache-2.0
/* Actions of S3 by key know their key; of a file with several names they are about all of its
 * paths, unless they change the name itself. Over NFS the keys of an inode are its paths, which are
 * looked up only where a policy could speak.
 *
 * Most actions ask about their key. The others are about directories, which S3 does not have:
 *  - PASS: may the caller know of it and go through it? If it may list it (s3:ListBucket with that
 *    prefix), or if any action on something in it could be allowed. Of a file: if it may list the
 *    directory, or if any action on the file could be allowed. No, if both are refused.
 *  - LIST: s3:ListBucket; else the names are shown that PASS.
 *  - BELOW: could the action be allowed for something in the directory?
 *  - TREE: is the action allowed for all in the directory, and refused for none of it? What depends
 *    on single keys is refused.
 *  - SHOW: could any action be allowed on the bucket or in it?
 */
#include "authorize_policy.h"
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/meta/record/record.h"
#include "access.h"
#include "authorize_ask.h"
#include "store.h"

/* ---- what is asked ---- */

static enum ask_form ask_form(enum gml_action action, bool directory)
{
	switch (action) {
	case GML_ACTION_LOOKUP:
	case GML_ACTION_KNOW_NAME:
	case GML_ACTION_GETATTR:
	case GML_ACTION_READLINK:
	case GML_ACTION_FIND_OBJECT:
		return ASK_PASS;
	case GML_ACTION_ACCESS_EXECUTE:
		return directory ? ASK_PASS : ASK_KEY;
	case GML_ACTION_READDIR:
		return ASK_LIST;
	case GML_ACTION_ACCESS_READ:
		return directory ? ASK_LIST : ASK_KEY;
	case GML_ACTION_ACCESS_WRITE:
	case GML_ACTION_ACCESS_EXTEND:
	case GML_ACTION_ACCESS_DELETE:
		return directory ? ASK_BELOW : ASK_KEY;
	case GML_ACTION_RENAME_FROM:
	case GML_ACTION_RENAME_TO:
		return directory ? ASK_TREE : ASK_KEY;
	case GML_ACTION_MOVE_DIRECTORY:
		return ASK_TREE;
	case GML_ACTION_SHOW_BUCKET:
		return ASK_SHOW;
	default:
		return ASK_KEY;
	}
}

static gml_ino ask_root(const struct gml_target *target)
{
	if (target->bucket != NULL)
		return target->bucket->root;
	if (target->inode != NULL)
		return target->inode->bucket;
	return target->dir != NULL ? target->dir->bucket : GML_INO_NONE;
}

/* ---- answers ---- */

static void ask_say(struct ask *ask, enum gml_policy_word word, enum gml_reason reason)
{
	if (word <= ask->out->word)
		return;
	ask->out->word = word;
	ask->out->reason = reason;
}

static enum gml_reason ask_reason(const struct auth_decision *decision)
{
	return decision->verdict == AUTH_VERDICT_DENY ? GML_REASON_DENIED : GML_REASON_CAPPED;
}

static int ask_key(struct ask *ask)
{
	struct auth_decision decision;
	int rc = gml_held_decide(&ask->held, ask->txn, &ask->question, &decision);
	if (rc != 0)
		return rc;
	if (ask_refuses(&decision))
		ask_say(ask, GML_SAYS_NO, ask_reason(&decision));
	else if (decision.verdict == AUTH_VERDICT_ALLOW)
		ask_say(ask, GML_SAYS_YES, GML_REASON_POLICY);
	return 0;
}

/* s3:ListBucket with the directory as prefix: of a file, the one that it is in. */
static int ask_listing(struct ask *ask, struct auth_decision *out)
{
	struct gml_access_question list = ask->question;
	const char *slash;
	list.action = GML_ACTION_READDIR;
	list.inode = NULL;
	if (!list.directory) {
		slash = list.key.len > 0 ? memrchr(list.key.ptr, '/', list.key.len) : NULL;
		list.key = gml_span_of(
			list.key.ptr,
			slash != NULL ? (size_t)(slash + 1 - (const char *)list.key.ptr) : 0);
	}
	return gml_held_decide(&ask->held, ask->txn, &list, out);
}

static int ask_pass(struct ask *ask)
{
	struct auth_decision list;
	struct auth_reach reach;
	int rc = ask_listing(ask, &list);
	if (rc == 0)
		rc = gml_held_reach(&ask->held, ask->txn, &ask->question, &reach);
	if (rc != 0)
		return rc;
	if (list.verdict == AUTH_VERDICT_ALLOW || reach.could)
		ask_say(ask, GML_SAYS_YES, GML_REASON_POLICY);
	/* The root of a bucket never refuses: it is a client's mount point. */
	else if (ask_refuses(&list) && reach.shut && ask->question.key.len > 0)
		ask_say(ask, GML_SAYS_NO, ask_reason(&list));
	return 0;
}

static int ask_list(struct ask *ask)
{
	struct auth_reach reach;
	int rc = ask_key(ask);
	if (rc != 0 || ask->out->word != GML_SAYS_NOTHING)
		return rc;
	rc = gml_held_reach(&ask->held, ask->txn, &ask->question, &reach);
	ask->out->way = rc == 0 && reach.could;
	return rc;
}

static int ask_spread(struct ask *ask)
{
	struct auth_spread spread;
	bool tree = ask->form == ASK_TREE;
	int rc = gml_held_spread(&ask->held, ask->txn, &ask->question, &spread);
	if (rc != 0)
		return rc;
	if (tree ? spread.refused != AUTH_FALSE : spread.refused == AUTH_TRUE)
		ask_say(ask, GML_SAYS_NO, GML_REASON_DENIED);
	else if (tree ? spread.allowed == AUTH_TRUE : spread.allowed != AUTH_FALSE)
		ask_say(ask, GML_SAYS_YES, GML_REASON_POLICY);
	return 0;
}

static int ask_show(struct ask *ask)
{
	struct auth_decision list;
	struct auth_reach reach;
	bool could;
	int rc = gml_held_could(&ask->held, ask->txn, &ask->question, &could);
	if (rc == 0)
		rc = ask_listing(ask, &list);
	if (rc == 0)
		rc = gml_held_reach(&ask->held, ask->txn, &ask->question, &reach);
	if (rc != 0)
		return rc;
	if (could)
		ask_say(ask, GML_SAYS_YES, GML_REASON_POLICY);
	else if (ask_refuses(&list) && reach.shut)
		ask_say(ask, GML_SAYS_NO, ask_reason(&list));
	return 0;
}

static int ask_one(struct ask *ask, struct gml_span key)
{
	ask->question.key = key;
	switch (ask->form) {
	case ASK_KEY:
		return ask_key(ask);
	case ASK_PASS:
		return ask_pass(ask);
	case ASK_LIST:
		return ask_list(ask);
	case ASK_BELOW:
	case ASK_TREE:
		return ask_spread(ask);
	case ASK_SHOW:
		break;
	}
	return ask_show(ask);
}

/* ---- paths ---- */

static bool ask_path(void *arg, gml_ino bucket, struct gml_span path)
{
	char key[GML_PATH_LEN_MAX];
	struct ask *ask = arg;
	size_t len = path.len + ask->name.len + ask->slash;
	(void)bucket;
	ask->paths++;
	if (len > sizeof(key)) {
		ask->rc = GML_ERR_NAMETOOLONG;
		return false;
	}
	if (path.len > 0)
		memcpy(key, path.ptr, path.len);
	if (ask->name.len > 0)
		memcpy(key + path.len, ask->name.ptr, ask->name.len);
	if (ask->slash)
		key[len - 1] = '/';
	ask->rc = ask_one(ask, gml_span_of(key, len));
	if (ask->rc == 0 && ask->below_wanted)
		ask->rc = gml_ask_below(ask, gml_span_of(key, len));
	return ask->rc == 0 && ask->out->word != GML_SAYS_NO;
}

static int ask_paths(struct ask *ask, const struct gml_target *target, gml_ino ino)
{
	int rc = gml_inode_paths(ask->txn, ino, ask_path, ask);
	if (rc == 0)
		rc = ask->rc;
	if (rc == 0 && ask->paths == 0)
		rc = ask_one(ask, GML_LIT(""));
	if (rc == 0)
		gml_ask_keep(ask, target);
	if (rc != GML_ERR_NOENT)
		return rc;
	/* The inode is not stored yet: a file that is being made. Its name was asked about. */
	ask->out->both = false;
	return 0;
}

/* Is the question about a file that has several names, and not about the one by which it is asked?
 */
static bool ask_is_linked(const struct ask *ask, const struct gml_target *target)
{
	switch (ask->question.action) {
	case GML_ACTION_PUT_OBJECT: /* makes another file of the name */
	case GML_ACTION_STATE_ACL:
	case GML_ACTION_STATE_TAGGING:
	case GML_ACTION_DELETE_OBJECT:
		return false;
	default:
		return target->inode != NULL && target->inode->type == GML_REG &&
		       target->inode->nlink > 1;
	}
}

static int ask_target(struct ask *ask, const struct gml_target *target)
{
	if (ask_by_key(target))
		return ask_is_linked(ask, target) ? ask_paths(ask, target, target->inode->ino)
						  : ask_one(ask, target->key);
	if (target->dir != NULL) {
		ask->name = target->name;
		ask->slash = (target->directory || ask_is_directory(target->inode)) &&
			     (target->name.len == 0 ||
			      gml_span_at(target->name, target->name.len - 1) != '/');
		return ask_paths(ask, target, target->dir->ino);
	}
	if (target->bucket != NULL || ask->form == ASK_SHOW || target->inode == NULL)
		return ask_one(ask, gml_span_of(NULL, 0));
	return ask_paths(ask, target, target->inode->ino);
}

/* A bucket that demands an Allow of policies: not for a client's mount point, nor for the list of
 * the caller's buckets. */
static bool ask_demands(const struct ask *ask, const struct gml_target *target)
{
	const struct gml_access_question *question = &ask->question;
	return ask->held.both && !ask_is_mount(ask, target) &&
	       question->action != GML_ACTION_LIST_BUCKETS;
}

static struct gml_store *ask_store(const struct gml_txn *txn)
{
	return txn != NULL ? txn->meta->store : NULL;
}

static int ask_anew(struct ask *ask, struct gml_store *store, const struct gml_target *target)
{
	int rc = gml_access_hold(store, ask->txn, &ask->question, &ask->held);
	ask->about.access = ask->held.asof;
	ask->out->both = rc == 0 && ask_demands(ask, target);
	ask->out->asked = rc == 0 && (ask->held.count > 0 || ask->out->both);
	if (rc == 0 && ask->held.count == 0 && !ask->held.both)
		gml_ask_keep_silent(ask);
	else if (ask->out->asked)
		rc = ask_target(ask, target);
	gml_access_release(&ask->held);
	/* The bucket is deleted, and open files are left: nothing speaks of them any more. */
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_policy_ask(struct gml_txn *txn, const struct gml_principal *principal,
		   enum gml_action action, const struct gml_target *target,
		   const struct gml_context *context, struct gml_policy_saying *out)
{
	struct gml_store *store = ask_store(txn);
	gml_ino root = ask_root(target);
	bool directory;
	struct ask ask;
	*out = (struct gml_policy_saying){.word = GML_SAYS_NOTHING};
	/* No policy speaks of the root of the namespace, but for the list of buckets. */
	if (store == NULL || gml_access_is_silent(store, principal) ||
	    (gml_ino_is_none(root) && target->bucket_name.len == 0 &&
	     action != GML_ACTION_ASK_BUCKETS))
		return 0;
	directory = !ask_by_key(target) && (target->directory || ask_is_directory(target->inode));
	ask = (struct ask){.txn = txn,
			   .question = {.principal = principal,
					.action = action,
					.directory = directory,
					.root = root,
					.bucket = target->bucket_name,
					.inode = target->inode,
					.context = context},
			   .form = ask_form(action, directory),
			   .out = out};
	ask.question.varies = &ask.varies;
	gml_ask_remember(&ask, store);
	return gml_ask_recall(&ask, target) ? 0 : ask_anew(&ask, store, target);
}

/* ---- carrying a file to another path ---- */

/* What policies say to s3:GetObject of what `target` names. */
static int carry_ask(struct ask *ask, const struct gml_target *target, enum ask_form form,
		     enum gml_policy_word *out)
{
	struct gml_policy_saying saying = {.word = GML_SAYS_NOTHING};
	int rc;
	ask->form = form;
	ask->out = &saying;
	ask->name = gml_span_of(NULL, 0);
	ask->slash = false;
	ask->paths = 0;
	rc = ask_target(ask, target);
	*out = saying.word;
	return rc;
}

static struct ask carry_of(struct gml_txn *txn, const struct gml_op *op,
			   const struct gml_inode *inode)
{
	return (struct ask){.txn = txn,
			    .question = {.principal = &op->principal,
					 .action = GML_ACTION_GET_OBJECT,
					 .root = inode->bucket,
					 .inode = inode,
					 .context = &op->context}};
}

int gml_may_carry(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode,
		  bool barred, const struct gml_target *to)
{
	const struct gml_target from = {.inode = inode, .barred = barred};
	bool tree = inode->type == GML_DIR;
	struct gml_store *store = ask_store(txn);
	enum gml_policy_word here = GML_SAYS_YES, there = GML_SAYS_NOTHING;
	struct ask ask = carry_of(txn, op, inode);
	int rc;
	if (store == NULL)
		return 0;
	rc = gml_access_hold(store, txn, &ask.question, &ask.held);
	if (rc == 0 && ask.held.count > 0)
		rc = carry_ask(&ask, &from, tree ? ASK_TREE : ASK_KEY, &here);
	/* root reads all that is not refused: it gains nothing. */
	if (rc == 0 && here == GML_SAYS_NOTHING && !(tree && gml_search_unlimited(&op->principal)))
		rc = carry_ask(&ask, to, tree ? ASK_BELOW : ASK_KEY, &there);
	gml_access_release(&ask.held);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (here == GML_SAYS_NO || (there == GML_SAYS_YES && tree))
		return GML_ERR_ACCESS;
	/* Policies would speak of the file from now on: it may be what the caller may read. */
	return there != GML_SAYS_NOTHING && !tree
		       ? gml_may_inode(txn, op, GML_ACTION_SEEK, inode, barred)
		       : 0;
}

/* Could policies allow the action below `to` that they do not allow for all in `dir`? */
static int carry_gains(struct ask *ask, const struct gml_inode *dir, const struct gml_target *to,
		       bool *out)
{
	const struct gml_target from = {.inode = dir};
	enum gml_policy_word here = GML_SAYS_NOTHING, there;
	int rc = carry_ask(ask, to, ASK_BELOW, &there);
	if (rc == 0 && there == GML_SAYS_YES)
		rc = carry_ask(ask, &from, ASK_TREE, &here);
	*out = rc == 0 && there == GML_SAYS_YES && here != GML_SAYS_YES;
	return rc;
}

int gml_policy_gains(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		     const struct gml_target *to, struct gml_policy_actions actions, bool *out)
{
	struct gml_store *store = ask_store(txn);
	struct ask ask = carry_of(txn, op, dir);
	int rc;
	*out = false;
	if (store == NULL || gml_access_is_silent(store, &op->principal))
		return 0;
	rc = gml_access_hold(store, txn, &ask.question, &ask.held);
	for (size_t i = 0; rc == 0 && !*out && i < actions.count && ask.held.count > 0; i++) {
		ask.question.action = actions.list[i];
		rc = carry_gains(&ask, dir, to, out);
	}
	gml_access_release(&ask.held);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}
