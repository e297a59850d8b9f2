// SPDX-License-Identifier: Apache-2.0
/* rename(2) within a bucket. */
#include <string.h>
#include <gemel/dir.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/iam/epoch.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/store/store.h"
#include "dir.h"
#include "rename_tree.h"

struct rename_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino from_ino, to_ino;
	struct gml_span from, to;
	struct gml_access_change paths; /* begun where a directory moves */
	struct rename_changed {
		gml_ino ino;
		bool dirty; /* it is being written */
	} changed[2];	    /* what moved and what was replaced, in the closure's last run */
};

/* One end: the directory, and what the name denotes in it. */
struct rename_end {
	struct gml_inode *dir;
	bool barred;
	char stored[GML_KEY_MAX + 2];
	size_t len;
	struct gml_inode inode;
	bool found;
	bool directory; /* gets the name */
	gml_ino marker; /* of a directory that gives way */
};

struct rename_work {
	struct gml_inode dirs[2]; /* the second only when they differ */
	struct rename_end from, to;
};

static int rename_resolve(struct gml_txn *txn, struct rename_end *end, struct gml_span name)
{
	struct gml_dirent dirent;
	int rc = gml_name_resolve(txn, end->dir->ino, name, end->stored, &end->len, &dirent);
	end->found = rc == 0;
	return rc == 0 ? gml_rec_inode_named(txn, &dirent, &end->inode) : rc;
}

static int rename_dirs(struct gml_txn *txn, const struct rename_arg *arg, struct rename_work *work)
{
	int rc = gml_dir_get(txn, arg->op, arg->from_ino, GML_ACTION_LOOKUP, &work->dirs[0],
			     &work->from.barred);
	work->from.dir = work->to.dir = &work->dirs[0];
	if (rc == 0)
		work->to.barred = work->from.barred;
	if (rc == 0 && !gml_ino_equal(arg->to_ino, arg->from_ino)) {
		work->to.dir = &work->dirs[1];
		rc = gml_dir_get(txn, arg->op, arg->to_ino, GML_ACTION_LOOKUP, work->to.dir,
				 &work->to.barred);
	}
	if (rc != 0)
		return rc;
	if (gml_ino_equal(arg->from_ino, GML_INO_ROOT) ||
	    gml_ino_equal(arg->to_ino, GML_INO_ROOT) ||
	    !gml_ino_equal(work->from.dir->bucket, work->to.dir->bucket))
		return GML_ERR_XDEV;
	return work->to.dir->flags & GML_INODE_ORPHAN ? GML_ERR_STALE : 0;
}

/* Does the directory `ino` lie in `top`, or is it `top`? */
static int rename_inside(struct gml_txn *txn, gml_ino ino, gml_ino top)
{
	struct gml_inode inode;
	while (!gml_ino_equal(ino, GML_INO_ROOT) && !gml_ino_is_none(ino)) {
		int rc;
		if (gml_ino_equal(ino, top))
			return GML_ERR_INVAL;
		rc = gml_rec_inode_get(txn, ino, &inode);
		if (rc != 0)
			return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
		if (gml_ino_equal(inode.ino, inode.bucket))
			return 0;
		ino = inode.parent;
	}
	return 0;
}

static int rename_may(struct gml_txn *txn, const struct rename_arg *arg, enum gml_action action,
		      const struct rename_end *end, const struct gml_inode *inode)
{
	const struct gml_target target = {.name = gml_span_of(end->stored, end->len),
					  .directory = end->directory,
					  .dir = end->dir,
					  .inode = inode,
					  .barred = end->barred};
	return gml_may(txn, arg->op, action, &target);
}

/* An unused name, in stored form. A replaced name stays as it is stored (it may be an escaped
 * one). */
static void rename_target_name(const struct rename_arg *arg, struct rename_work *work)
{
	gml_assert(arg->to.len > 0 && arg->to.len <= GML_NFS_NAME_MAX); /* gml_name_check_new */
	memcpy(work->to.stored, arg->to.ptr, arg->to.len);
	work->to.len = arg->to.len;
	if (work->from.inode.type == GML_DIR)
		work->to.stored[work->to.len++] = '/';
}

/* May the caller bring the inode there (gml_may_carry)? A file with other names is at two places
 * then, as after LINK. */
static int rename_may_carry(struct gml_txn *txn, const struct rename_arg *arg,
			    const struct rename_work *work)
{
	const struct rename_end *from = &work->from, *to = &work->to;
	const struct gml_target target = {.name = gml_span_of(to->stored, to->len),
					  .directory = to->directory,
					  .dir = to->dir};
	bool barred = from->barred || gml_search_barred(&arg->op->principal, from->dir);
	int rc = gml_may_carry(txn, arg->op, &from->inode, barred, &target);
	if (rc == 0 && from->inode.type == GML_DIR)
		rc = gml_rename_tree_may(txn, arg->op, &from->inode, barred, &target);
	else if (rc == 0 && from->inode.nlink > 1)
		rc = gml_may_link(txn, arg->op, &from->inode, barred, &target);
	return rc;
}

/* May `from` replace the inode that `to` denotes? */
static int rename_check_target(struct gml_txn *txn, const struct rename_arg *arg,
			       struct rename_work *work)
{
	bool dir = work->from.inode.type == GML_DIR;
	int rc;
	work->to.marker = GML_INO_NONE;
	work->to.directory = dir;
	if (!work->to.found) {
		rc = gml_name_check_new(arg->to);
		if (rc != 0)
			return rc;
		rename_target_name(arg, work);
		return rename_may(txn, arg, GML_ACTION_RENAME_TO, &work->to, NULL);
	}
	if (dir != (work->to.inode.type == GML_DIR))
		return dir ? GML_ERR_NOTDIR : GML_ERR_ISDIR;
	rc = rename_may(txn, arg, GML_ACTION_RENAME_OVER, &work->to, &work->to.inode);
	if (rc == 0)
		rc = rename_may(txn, arg, GML_ACTION_RENAME_TO, &work->to, NULL);
	return rc == 0 && dir ? gml_dir_empty(txn, work->to.inode.ino, &work->to.marker) : rc;
}

static int rename_check(struct gml_txn *txn, const struct rename_arg *arg, struct rename_work *work,
			bool *same_out)
{
	int rc = rename_dirs(txn, arg, work);
	*same_out = work->from.directory = false;
	if (rc == 0)
		rc = rename_resolve(txn, &work->from, arg->from);
	if (rc == 0)
		rc = rename_may(txn, arg, GML_ACTION_RENAME_FROM, &work->from, &work->from.inode);
	if (rc != 0)
		return rc;
	rc = rename_resolve(txn, &work->to, arg->to);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	if (work->to.found && gml_ino_equal(work->to.inode.ino, work->from.inode.ino)) {
		*same_out = true;
		return 0;
	}
	if (work->from.inode.type == GML_DIR) {
		rc = rename_inside(txn, work->to.dir->ino, work->from.inode.ino);
		/* Its ".." changes. */
		if (rc == 0 && work->to.dir != work->from.dir)
			rc = gml_may_inode(txn, arg->op, GML_ACTION_MOVE_DIRECTORY,
					   &work->from.inode, work->from.barred);
		if (rc != 0)
			return rc;
	}
	rc = rename_check_target(txn, arg, work);
	return rc == 0 ? rename_may_carry(txn, arg, work) : rc;
}

static int rename_move(struct gml_txn *txn, const struct rename_arg *arg, struct rename_work *work)
{
	const struct gml_link from = {
		.op = arg->op, .dir = work->from.dir, .name = {work->from.stored, work->from.len}};
	const struct gml_link to = {.op = arg->op,
				    .dir = work->to.dir,
				    .name = {work->to.stored, work->to.len},
				    .why = GML_SUPERSEDE_RENAMED_OVER};
	struct gml_inode *inode = &work->from.inode;
	gml_assert(!work->to.found || !gml_ino_equal(inode->ino, work->to.inode.ino));
	inode->ctime = gml_now();
	inode->change = gml_change_next(inode->change);
	if (inode->type == GML_DIR)
		inode->flags |= GML_INODE_EXPLICIT;
	return gml_link_move(txn, &from, &to, inode, work->to.found ? &work->to.inode : NULL);
}

/* All below a directory that moves gets other paths, of which policies may speak. */
static int rename_paths(struct gml_txn *txn, struct rename_arg *arg, const struct gml_inode *inode)
{
	bool any = false;
	int rc = inode->type == GML_DIR ? gml_rec_policy_any(txn, &any) : 0;
	if (rc == 0 && any)
		gml_access_change_begin(&arg->paths);
	return rc;
}

static struct rename_changed rename_changed_of(const struct gml_inode *inode)
{
	return (struct rename_changed){inode->ino, inode->flags & GML_INODE_DIRTY};
}

static int rename_fn(struct gml_txn *txn, void *argp)
{
	struct rename_arg *arg = argp;
	struct rename_work work;
	bool same;
	int rc = rename_check(txn, arg, &work, &same);
	memset(arg->changed, 0, sizeof(arg->changed));
	if (rc == 0 && !same)
		rc = rename_paths(txn, arg, &work.from.inode);
	if (rc != 0 || same)
		return rc;
	work.to.dir->flags |= GML_INODE_EXPLICIT; /* a client uses them */
	work.from.dir->flags |= GML_INODE_EXPLICIT;
	arg->changed[0] = rename_changed_of(&work.from.inode);
	if (work.to.found) {
		arg->changed[1] = rename_changed_of(&work.to.inode);
		rc = gml_dir_drop_marker(txn, arg->op, &work.to.inode, work.to.marker);
	}
	return rc == 0 ? rename_move(txn, arg, &work) : rc;
}

int gml_dir_rename(struct gml_op *op, struct gml_store *store, gml_ino from_dir,
		   struct gml_span from, gml_ino to_dir, struct gml_span to)
{
	struct rename_arg arg = {.op = op,
				 .store = store,
				 .from_ino = from_dir,
				 .to_ino = to_dir,
				 .from = from,
				 .to = to,
				 .paths = {.store = store, .paths = true}};
	int rc = gml_access_change_commit(&arg.paths, rename_fn, &arg);
	for (int i = 0; rc == 0 && i < 2; i++)
		if (arg.changed[i].dirty)
			gml_presence_step(store->presence, arg.changed[i].ino);
	return rc;
}
