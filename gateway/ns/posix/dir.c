// SPDX-License-Identifier: Apache-2.0
/* Operations on one name: LOOKUP, LOOKUPP, mkdir, symlink, mknod, link, remove. */
#include <string.h>
#include <gemel/dir.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/object/bucket_txn.h"
#include "gateway/ns/store/store.h"
#include "dir.h"
#include "handle.h"
#include "inode.h"
#include "setattr.h"

int gml_dir_get(struct gml_txn *txn, const struct gml_op *op, gml_ino ino, enum gml_action action,
		struct gml_inode *out, bool *barred_out)
{
	bool barred;
	/* Not NOENT for an entry of a removed directory: the path may lead to another one by now,
	 * and STALE makes the client look it up. */
	int rc = gml_handle_look_named(txn, op, ino, out, &barred);
	if (rc == 0 && out->type != GML_DIR) { /* only callers who reach it learn its type */
		rc = gml_may_inode(txn, op, GML_ACTION_GETATTR, out, barred);
		return rc == 0 ? GML_ERR_NOTDIR : rc;
	}
	if (barred_out != NULL && rc == 0)
		*barred_out = barred;
	return rc == 0 ? gml_may_inode(txn, op, action, out, barred) : rc;
}

bool gml_dir_shows_ways(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
			bool barred)
{
	const struct gml_target target = {.inode = dir, .barred = barred};
	struct gml_verdict verdict;
	return gml_authorize(txn, &op->principal, GML_ACTION_READDIR, &target, &op->context,
			     &verdict) == 0 &&
	       verdict.reason == GML_REASON_WAY;
}

bool gml_dir_shows_way(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode)
{
	const struct gml_target target = {.inode = inode};
	struct gml_verdict verdict;
	return gml_authorize(txn, &op->principal, GML_ACTION_GETATTR, &target, &op->context,
			     &verdict) == 0 &&
	       (verdict.reason == GML_REASON_POLICY || verdict.reason == GML_REASON_BOTH);
}

int gml_dir_get_for_new(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			struct gml_span name, enum gml_action action, struct gml_inode *out)
{
	char stored[GML_KEY_MAX + 2];
	struct gml_target target = {
		.name = name, .directory = action == GML_ACTION_MAKE_DIRECTORY, .dir = out};
	struct gml_dirent dirent;
	size_t len;
	int rc = gml_dir_get(txn, op, ino, GML_ACTION_LOOKUP, out, &target.barred);
	if (rc != 0)
		return rc;
	rc = gml_name_resolve(txn, ino, name, stored, &len, &dirent);
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	rc = gml_name_check_new(name);
	if (rc == 0)
		rc = gml_may(txn, op, action, &target);
	return rc == 0 && gml_ino_equal(ino, GML_INO_ROOT) ? GML_ERR_PERM : rc;
}

int gml_dir_drop_marker(struct gml_txn *txn, const struct gml_op *op, struct gml_inode *dir,
			gml_ino marker)
{
	const struct gml_link link = {
		.op = op, .dir = dir, .name = {"", 0}, .why = GML_SUPERSEDE_REMOVED};
	struct gml_inode inode;
	int rc;
	if (gml_ino_is_none(marker))
		return 0;
	rc = gml_rec_inode_get(txn, marker, &inode);
	return rc == 0		     ? gml_link_remove(txn, &link, &inode)
	       : rc == GML_ERR_NOENT ? GML_ERR_CORRUPT
				     : rc;
}

/* ---- lookup ---------------------------------------------------------------------------------- */

int gml_dir_may_find(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		     bool barred, struct gml_span name, const struct gml_inode *inode)
{
	struct gml_target target = {.inode = inode,
				    .barred = barred || gml_search_barred(&op->principal, dir)};
	int rc;
	if (inode != NULL)
		return gml_may(txn, op, GML_ACTION_GETATTR, &target);
	if (!target.barred)
		return GML_ERR_NOENT;
	target.dir = dir;
	target.name = name;
	rc = gml_may(txn, op, GML_ACTION_KNOW_NAME, &target);
	if (rc != 0) {
		target.directory = true;
		rc = gml_may(txn, op, GML_ACTION_KNOW_NAME, &target);
	}
	return rc == 0 ? GML_ERR_NOENT : rc;
}

/* What the name denotes. The record of a bucket takes the place of its entry in the namespace root,
 * which says the number of its root and not the view. */
static int dir_child(struct gml_txn *txn, gml_ino parent, struct gml_span name,
		     struct gml_dirent *out)
{
	char stored[GML_KEY_MAX + 2];
	struct gml_bucket_rec rec;
	size_t len;
	int rc;
	if (!gml_ino_equal(parent, GML_INO_ROOT))
		return gml_name_resolve(txn, parent, name, stored, &len, out);
	rc = gml_name_check(name);
	if (rc == 0)
		rc = gml_rec_bucket_get(txn, name, &rec);
	if (rc == 0)
		*out = (struct gml_dirent){.ino = rec.root, .type = GML_DIR};
	return rc;
}

static int dir_lookup_txn(struct gml_txn *txn, const struct gml_op *op, gml_ino parent,
			  struct gml_span name, struct gml_inode *out, uint64_t *cookie_out)
{
	struct gml_dirent dirent;
	struct gml_inode dir;
	bool barred;
	int rc = gml_dir_get(txn, op, parent, GML_ACTION_LOOKUP, &dir, &barred);
	if (rc != 0)
		return rc;
	rc = dir_child(txn, parent, name, &dirent);
	if (rc == GML_ERR_NOENT)
		return gml_dir_may_find(txn, op, &dir, barred, name, NULL);
	if (rc == 0)
		rc = gml_rec_inode_named(txn, &dirent, out);
	if (rc != 0)
		return rc;
	*cookie_out = dirent.cookie;
	/* Every caller finds a bucket by its name, also when READDIR does not show it to the
	 * caller, as HeadBucket distinguishes 403 from 404: clients mount as root, who is squashed
	 * to a user that may not look into the bucket. */
	return gml_dir_may_find(txn, op, &dir, barred, name, out);
}

int gml_dir_lookup(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   struct gml_attr *out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	uint64_t cookie = 0;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = dir_lookup_txn(txn, op, parent, name, &inode, &cookie);
	if (rc == 0)
		rc = gml_inode_attr(store, txn, &inode, out);
	gml_meta_read_end(txn);
	if (rc == 0)
		out->cookie = cookie;
	return rc;
}

int gml_dir_parent(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_attr *out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_dir_get(txn, op, ino, GML_ACTION_LOOKUP, &inode, NULL);
	if (rc == 0 && (gml_ino_equal(ino, GML_INO_ROOT) || gml_ino_is_none(inode.parent)))
		rc = gml_ino_equal(ino, GML_INO_ROOT) ? GML_ERR_NOENT : GML_ERR_STALE;
	if (rc == 0) {
		rc = gml_rec_inode_get(txn, inode.parent, &inode);
		rc = rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	}
	if (rc == 0)
		rc = gml_inode_attr(store, txn, &inode, out);
	gml_meta_read_end(txn);
	if (rc == 0)
		gml_inode_attr_for(op, store, out);
	return rc;
}

/* ---- new names ------------------------------------------------------------------------------- */

struct dir_new_arg {
	struct gml_op *op;
	gml_ino parent;
	struct gml_span name;
	enum gml_type type;
	uint64_t rdev;
	struct gml_span target;
	const struct gml_setattr *set;
	struct gml_inode inode;
};

static struct gml_new_mode dir_new_mode(const struct dir_new_arg *arg)
{
	if (arg->type == GML_LNK)
		return (struct gml_new_mode){.mode = 0777};
	return gml_setattr_new_mode(arg->set, arg->type == GML_DIR);
}

/* mkdir in the namespace root. */
static int dir_new_bucket(struct gml_txn *txn, struct dir_new_arg *arg)
{
	const struct gml_setattr *set = arg->set;
	uint32_t mask = set != NULL ? set->mask : 0;
	const struct gml_bucket_root want = {
		.mode = mask & GML_SET_MODE ? gml_setattr_new_mode(set, true)
					    : (struct gml_new_mode){.mode = GML_BUCKET_MODE},
		.acl = mask & GML_SET_ACL ? set->acl : NULL,
		.uid = mask & GML_SET_UID ? set->uid : arg->op->principal.cred.uid,
		.gid = mask & GML_SET_GID ? set->gid : arg->op->principal.cred.gid};
	struct gml_inode root;
	int rc = gml_bucket_txn_create(txn, arg->op, arg->name, &want, &root);
	if (rc == GML_ERR_BUCKETOWNED || rc == GML_ERR_BUCKETEXISTS)
		rc = GML_ERR_EXIST;
	if (rc == 0)
		arg->inode = root;
	return rc;
}

static int dir_new_txn(struct gml_txn *txn, void *argp)
{
	struct dir_new_arg *arg = argp;
	char stored[GML_NFS_NAME_MAX + 1];
	size_t len = arg->name.len;
	const struct gml_new_mode mode = dir_new_mode(arg);
	struct gml_inode dir;
	int rc;
	if (gml_ino_equal(arg->parent, GML_INO_ROOT) && arg->type == GML_DIR)
		return dir_new_bucket(txn, arg);
	rc = gml_dir_get_for_new(
		txn, arg->op, arg->parent, arg->name,
		arg->type == GML_DIR ? GML_ACTION_MAKE_DIRECTORY : GML_ACTION_CREATE, &dir);
	if (rc == 0)
		rc = gml_inode_init(txn, arg->op, &dir, arg->type, &mode, &arg->inode);
	if (rc == 0)
		rc = gml_setattr_new(txn, arg->op, arg->set, &arg->inode);
	if (rc != 0)
		return rc;
	gml_assert(len > 0 && len <= GML_NFS_NAME_MAX); /* gml_name_check_new */
	arg->inode.rdev = arg->rdev;
	arg->inode.target = arg->target;
	memcpy(stored, arg->name.ptr, len);
	if (arg->type == GML_DIR) {
		stored[len++] = '/';
		arg->inode.flags |= GML_INODE_EXPLICIT;
	}
	dir.flags |= GML_INODE_EXPLICIT; /* a client uses it */
	return gml_link_add(txn, &dir, gml_span_of(stored, len), &arg->inode);
}

static int dir_new(struct gml_store *store, struct dir_new_arg *arg, struct gml_attr *out)
{
	int rc = gml_meta_update(store->meta, dir_new_txn, arg);
	return rc == 0 && out != NULL ? gml_inode_attr(store, NULL, &arg->inode, out) : rc;
}

int gml_dir_mkdir(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  const struct gml_setattr *set, struct gml_attr *out)
{
	struct dir_new_arg arg = {
		.op = op, .parent = parent, .name = name, .type = GML_DIR, .set = set};
	return dir_new(store, &arg, out);
}

static int dir_node_check(const struct gml_op *op, const struct gml_node *node)
{
	switch (node->type) {
	case GML_LNK:
		if (node->target.len > GML_SYMLINK_MAX)
			return GML_ERR_NAMETOOLONG;
		return node->target.len > 0 &&
				       memchr(node->target.ptr, '\0', node->target.len) == NULL
			       ? 0
			       : GML_ERR_INVAL;
	case GML_CHR:
	case GML_BLK:
		return gml_may_administer(op, GML_ACTION_MAKE_DEVICE);
	case GML_FIFO:
	case GML_SOCK:
		return 0;
	case GML_REG:
	case GML_DIR:
		break;
	}
	return GML_ERR_INVAL;
}

int gml_dir_mknod(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  const struct gml_node *node, struct gml_attr *out)
{
	struct dir_new_arg arg = {
		.op = op, .parent = parent, .name = name, .type = node->type, .set = node->set};
	int rc = dir_node_check(op, node);
	if (rc != 0)
		return rc;
	if (node->type == GML_LNK)
		arg.target = node->target;
	if (node->type == GML_CHR || node->type == GML_BLK)
		arg.rdev = node->rdev;
	return dir_new(store, &arg, out);
}

/* ---- link ------------------------------------------------------------------------------------ */

struct dir_link_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino ino, parent;
	struct gml_span name;
	uint64_t counter; /* gml_presence_change of ino */
	struct gml_inode inode;
};

static int dir_link_txn(struct gml_txn *txn, void *argp)
{
	struct dir_link_arg *arg = argp;
	struct gml_inode dir, *inode = &arg->inode;
	struct gml_target to;
	/* STALE for an inode without a name, not the NOENT of linkat(2): the client had a name for
	 * it, and looks it up. */
	bool barred;
	int rc = gml_handle_look_named(txn, arg->op, arg->ino, inode, &barred);
	if (rc == 0)
		rc = gml_may_inode(txn, arg->op, GML_ACTION_GETATTR, inode, barred);
	if (rc != 0)
		return rc;
	if (inode->type == GML_DIR)
		return GML_ERR_PERM;
	if (gml_ino_equal(arg->parent, GML_INO_ROOT))
		return GML_ERR_XDEV;
	rc = gml_dir_get_for_new(txn, arg->op, arg->parent, arg->name, GML_ACTION_LINK, &dir);
	if (rc != 0)
		return rc;
	if (!gml_ino_equal(inode->bucket, dir.bucket))
		return GML_ERR_XDEV;
	if (inode->nlink >= GML_LINK_MAX)
		return GML_ERR_MLINK;
	to = (struct gml_target){.name = arg->name, .dir = &dir};
	rc = gml_may_carry(txn, arg->op, inode, barred, &to);
	if (rc == 0)
		rc = gml_may_link(txn, arg->op, inode, barred, &to);
	if (rc != 0)
		return rc;
	dir.flags |= GML_INODE_EXPLICIT;
	inode->change = gml_change_seen(inode, arg->counter);
	return gml_link_add(txn, &dir, arg->name, inode);
}

int gml_dir_link(struct gml_op *op, struct gml_store *store, gml_ino ino, gml_ino parent,
		 struct gml_span name, struct gml_attr *out)
{
	struct dir_link_arg arg = {.op = op,
				   .store = store,
				   .ino = ino,
				   .parent = parent,
				   .name = name,
				   .counter = gml_presence_change(store->presence, ino)};
	int rc = gml_meta_update(store->meta, dir_link_txn, &arg);
	return rc == 0 && out != NULL ? gml_inode_attr(store, NULL, &arg.inode, out) : rc;
}

/* ---- remove ---------------------------------------------------------------------------------- */

struct dir_remove_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino parent;
	struct gml_span name;
	enum gml_remove_kind kind;
	gml_ino child; /* whose name goes, in the closure's last run */
	bool dirty;    /* it is being written */
};

static int dir_remove_bucket(struct gml_txn *txn, struct dir_remove_arg *arg)
{
	int rc;
	if (arg->kind == GML_REMOVE_FILE)
		return GML_ERR_ISDIR;
	rc = gml_bucket_txn_remove(txn, arg->op, arg->name);
	return rc == GML_ERR_NOBUCKET ? GML_ERR_NOENT : rc;
}

static int dir_remove_txn(struct gml_txn *txn, void *argp)
{
	struct dir_remove_arg *arg = argp;
	char stored[GML_KEY_MAX + 2];
	struct gml_inode dir, child;
	struct gml_target target = {.dir = &dir, .inode = &child};
	struct gml_dirent dirent;
	gml_ino marker = GML_INO_NONE;
	size_t len;
	int rc;
	if (gml_ino_equal(arg->parent, GML_INO_ROOT))
		return dir_remove_bucket(txn, arg);
	rc = gml_dir_get(txn, arg->op, arg->parent, GML_ACTION_LOOKUP, &dir, &target.barred);
	if (rc == 0)
		rc = gml_name_resolve(txn, arg->parent, arg->name, stored, &len, &dirent);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_named(txn, &dirent, &child);
	target.name = gml_span_of(stored, len);
	if (rc == 0)
		rc = gml_may(txn, arg->op, GML_ACTION_REMOVE, &target);
	if (rc != 0)
		return rc;
	if (arg->kind == GML_REMOVE_DIR && child.type != GML_DIR)
		return GML_ERR_NOTDIR;
	if (arg->kind == GML_REMOVE_FILE && child.type == GML_DIR)
		return GML_ERR_ISDIR;
	if (child.type == GML_DIR)
		rc = gml_dir_empty(txn, child.ino, &marker);
	arg->child = child.ino;
	arg->dirty = child.flags & GML_INODE_DIRTY;
	/* a client uses it: rm -r removes the emptied directory next */
	dir.flags |= GML_INODE_EXPLICIT;
	if (rc == 0)
		rc = gml_dir_drop_marker(txn, arg->op, &child, marker);
	if (rc != 0)
		return rc;
	return gml_link_remove(txn,
			       &(struct gml_link){.op = arg->op,
						  .dir = &dir,
						  .name = {stored, len},
						  .why = GML_SUPERSEDE_REMOVED},
			       &child);
}

int gml_dir_remove(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   enum gml_remove_kind kind)
{
	struct dir_remove_arg arg = {
		.op = op, .store = store, .parent = parent, .name = name, .kind = kind};
	int rc = gml_meta_update(store->meta, dir_remove_txn, &arg);
	if (rc == 0 && arg.dirty)
		gml_presence_step(store->presence, arg.child);
	return rc;
}
