// SPDX-License-Identifier: Apache-2.0
/* SETATTR. Size and mtime of a DIRTY file are in its write blob: such a change first finalizes the
 * file, in the same transaction. */
#include <pthread.h>
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/presence.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/blob_sums.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/inode_acl.h"
#include "inode.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/may_change.h"
#include "gateway/ns/object/bucket_txn.h"
#include "gateway/ns/store/store.h"
#include "finalize.h"
#include "handle.h"
#include "open_inode.h"
#include "setattr.h"
#include "write.h"

#define SETATTR_TRIES 8
#define SETATTR_MTIMES (GML_SET_MTIME | GML_SET_MTIME_NOW)
#define SETATTR_ALL                                                                                \
	(GML_SET_MODE | GML_SET_UID | GML_SET_GID | GML_SET_SIZE | GML_SET_ATIME | GML_SET_MTIME | \
	 GML_SET_ATIME_NOW | GML_SET_MTIME_NOW | GML_SET_ACL)

/* May the caller set all that? */
static int setattr_may(struct gml_txn *txn, const struct gml_op *op, const struct gml_setattr *set,
		       const struct gml_inode *inode, bool barred)
{
	const struct gml_target target = {.inode = inode,
					  .uid = set->mask & GML_SET_UID ? set->uid : inode->uid,
					  .gid = set->mask & GML_SET_GID ? set->gid : inode->gid,
					  .barred = barred};
	int rc = 0;
	if (set->mask & GML_SET_MODE)
		rc = gml_may(txn, op, GML_ACTION_SET_MODE, &target);
	if (rc == 0 && (set->mask & GML_SET_ACL))
		rc = gml_may(txn, op, GML_ACTION_SET_ACL, &target);
	if (rc == 0 && (set->mask & (GML_SET_UID | GML_SET_GID)))
		rc = gml_may(txn, op, GML_ACTION_SET_OWNER, &target);
	if (rc == 0 && (set->mask & (GML_SET_ATIME | GML_SET_MTIME)))
		rc = gml_may(txn, op, GML_ACTION_SET_TIMES, &target);
	if (rc == 0 && (set->mask & (GML_SET_ATIME_NOW | GML_SET_MTIME_NOW)))
		rc = gml_may(txn, op, GML_ACTION_SET_TIMES_NOW, &target);
	if (rc == 0 && (set->mask & GML_SET_SIZE))
		rc = gml_may(txn, op, GML_ACTION_SET_SIZE, &target);
	return rc;
}

static int setattr_check(struct gml_txn *txn, const struct gml_op *op,
			 const struct gml_setattr *set, const struct gml_inode *inode, bool barred)
{
	int rc = gml_may_inode(txn, op, GML_ACTION_GETATTR, inode, barred);
	if (rc == 0 && (set->mask & GML_SET_SIZE))
		rc = gml_may_change(op, inode, GML_CHANGE_SIZE);
	if (rc == 0 && (set->mask & GML_SET_SIZE) && set->size > GML_FILE_SIZE_MAX)
		rc = GML_ERR_FBIG;
	if (rc == 0 && (set->mask & ~(uint32_t)GML_SET_SIZE))
		rc = gml_may_change(op, inode, GML_CHANGE_ATTRS);
	if (rc == 0 && (set->mask & GML_SET_ACL))
		rc = gml_acl_check(set->acl, inode->type == GML_DIR);
	return rc == 0 ? setattr_may(txn, op, set, inode, barred) : rc;
}

/* The mode, then the ACL (RFC 8881 6.4.1.3). */
static int setattr_apply_mode(struct gml_txn *txn, const struct gml_op *op,
			      const struct gml_setattr *set, struct gml_inode *inode)
{
	int rc = 0;
	if (set->mask & GML_SET_MODE) {
		inode->mode = set->mode & 07777;
		if (!gml_keeps_setgid(&op->principal, inode->gid))
			inode->mode &= ~(uint32_t)S_ISGID;
		/* whom an ACL or a policy lets change another user's file */
		if (!gml_owns(&op->principal, inode))
			inode->mode &= ~(uint32_t)(S_ISUID | S_ISGID);
		rc = gml_inode_acl_chmod(txn, inode, set->mode);
	}
	if (rc == 0 && (set->mask & GML_SET_ACL))
		rc = gml_inode_acl_set(txn, inode, set->acl);
	return rc;
}

/* Owner and times, after their checks. */
static void setattr_apply(const struct gml_op *op, const struct gml_setattr *set, int64_t now,
			  struct gml_inode *inode)
{
	bool keeps = gml_keeps_setid(&op->principal);
	if (set->mask & GML_SET_UID)
		inode->uid = set->uid;
	if (set->mask & GML_SET_GID)
		inode->gid = set->gid;
	if (inode->type != GML_DIR &&
	    ((set->mask & (GML_SET_UID | GML_SET_GID)) || (!keeps && (set->mask & GML_SET_SIZE))))
		gml_inode_strip(inode);
	if (set->mask & GML_SET_ATIME)
		inode->atime = set->atime;
	if (set->mask & GML_SET_ATIME_NOW)
		inode->atime = now;
	if (set->mask & (GML_SET_MTIME_NOW | GML_SET_SIZE))
		inode->mtime = now;
	if (set->mask & GML_SET_MTIME)
		inode->mtime = set->mtime;
	inode->ctime = now;
	if (inode->type == GML_DIR)
		inode->flags |= GML_INODE_EXPLICIT;
}

struct gml_new_mode gml_setattr_new_mode(const struct gml_setattr *set, bool directory)
{
	if (set == NULL || !(set->mask & GML_SET_MODE))
		return directory ? GML_NEW_DIRECTORY_MODE : GML_NEW_FILE_MODE;
	if (!(set->mask & GML_SET_UMASK))
		return (struct gml_new_mode){.mode = set->mode};
	return (struct gml_new_mode){set->mode, set->umask & 0777, true};
}

int gml_setattr_new(struct gml_txn *txn, const struct gml_op *op, const struct gml_setattr *set,
		    struct gml_inode *inode)
{
	struct gml_setattr rest;
	uint32_t mode = inode->mode;
	int rc;
	if (set == NULL)
		return 0;
	rest = *set;
	/* The mode is already set, with the directory's setgid; an owner given at creation clears
	 * no bits of it. */
	rest.mask &= SETATTR_ALL & ~(uint32_t)GML_SET_MODE;
	if (inode->type != GML_REG)
		rest.mask &= ~(uint32_t)GML_SET_SIZE;
	/* Setting the present owner is no change of owner. */
	if ((rest.mask & GML_SET_UID) && rest.uid == inode->uid)
		rest.mask &= ~(uint32_t)GML_SET_UID;
	if ((rest.mask & GML_SET_GID) && rest.gid == inode->gid)
		rest.mask &= ~(uint32_t)GML_SET_GID;
	rc = rest.mask == 0 ? 0 : setattr_check(txn, op, &rest, inode, false);
	if (rc != 0)
		return rc;
	if (rest.mask & GML_SET_SIZE)
		inode->size = rest.size;
	rest.mask &= ~(uint32_t)GML_SET_SIZE;
	setattr_apply(op, &rest, inode->ctime, inode);
	inode->mode = mode;
	return setattr_apply_mode(txn, op, &rest, inode);
}

struct setattr_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino ino;
	const struct gml_setattr *set;
	/* the size or mtime of a file changes: `seen` and `final` count */
	bool content;
	struct gml_inode seen;	    /* scalars only */
	struct gml_finalized final; /* while DIRTY */
	uint64_t counter;	    /* gml_presence_change */
	bool keep_dirty;	    /* nothing was ever written, and the size stays 0 */
	uint64_t wblob; /* the emptied file is DIRTY at once, with this write blob; 0: not */
	struct gml_inode after; /* scalars and target's length */
};

/* Size as of now. */
static uint64_t setattr_size(const struct setattr_arg *arg)
{
	return arg->seen.flags & GML_INODE_DIRTY ? arg->final.size : arg->seen.size;
}

/* The write blob stays as long as the new size, and is summed again: its last block is another one.
 * With size 0 it goes to an orphan, and need not be on disk. */
static int setattr_resum(struct gml_txn *txn, struct gml_inode *inode, uint64_t size)
{
	int rc = gml_blob_sums_void(txn, inode->wblob);
	inode->change = gml_change_next(inode->change);
	return rc == 0 ? gml_blob_sums_pend(txn, inode, size) : rc;
}

/* The content map and the size, inside the transaction. */
static int setattr_resize(struct gml_txn *txn, struct setattr_arg *arg, struct gml_inode *inode)
{
	uint64_t size = arg->set->size;
	int64_t delta = (int64_t)size - (int64_t)inode->size;
	int rc = 0;
	gml_assert(!(inode->flags & GML_INODE_DIRTY)); /* finalized before */
	gml_inode_forget_content(inode);
	if (inode->wblob != 0)
		rc = setattr_resum(txn, inode, size);
	if (rc == 0 && (size < inode->size || size == 0))
		rc = gml_extent_retire(txn, inode, size, UINT64_MAX, size == 0);
	/* the write blob is cut right after the commit */
	if (size < inode->size && inode->wblob != 0)
		gml_txn_durability(txn, false);
	if (delta > 0) /* a hole */
		inode->flags |= GML_INODE_SPARSE;
	inode->size = size;
	if (rc == 0 && !(inode->flags & GML_INODE_ORPHAN))
		rc = gml_usage_add(txn, inode->bucket, delta, 0);
	if (rc == 0 && arg->wblob != 0)
		rc = gml_dirty_apply(txn, arg->op, arg->store, inode, arg->wblob, true);
	return rc;
}

static int setattr_content(struct gml_txn *txn, struct setattr_arg *arg, struct gml_inode *inode)
{
	int rc = 0;
	if (((inode->flags ^ arg->seen.flags) & GML_INODE_DIRTY) ||
	    inode->wblob != arg->seen.wblob || inode->size != arg->seen.size)
		return GML_ERR_AGAIN;
	if ((arg->set->mask & GML_SET_SIZE) && arg->set->size > setattr_size(arg) &&
	    !(inode->flags & GML_INODE_ORPHAN))
		rc = gml_usage_check(txn, inode->bucket, (int64_t)(arg->set->size - inode->size),
				     0);
	if (rc != 0 || arg->keep_dirty)
		return rc;
	if (inode->flags & GML_INODE_DIRTY)
		rc = gml_finalize_apply(txn, arg->store, inode, &arg->final);
	if (rc == 0 && (arg->set->mask & GML_SET_SIZE))
		rc = setattr_resize(txn, arg, inode);
	return rc;
}

static int setattr_txn(struct gml_txn *txn, void *argp)
{
	struct setattr_arg *arg = argp;
	struct gml_inode inode;
	bool barred;
	int rc = gml_handle_look(txn, arg->op, arg->store, arg->ino, &inode, &barred);
	if (rc == 0)
		rc = setattr_check(txn, arg->op, arg->set, &inode, barred);
	if (rc == 0 && arg->content)
		rc = setattr_content(txn, arg, &inode);
	if (rc != 0)
		return rc;
	gml_assert(arg->content || inode.type != GML_REG ||
		   !(arg->set->mask & (GML_SET_SIZE | SETATTR_MTIMES)));
	setattr_apply(arg->op, arg->set, gml_now(), &inode);
	rc = setattr_apply_mode(txn, arg->op, arg->set, &inode);
	inode.change = gml_change_next(gml_change_seen(&inode, arg->counter));
	if (rc == 0)
		rc = gml_inode_save(txn, &inode);
	if (rc == 0 && (arg->set->mask & GML_SET_UID) && gml_ino_equal(inode.ino, inode.bucket))
		rc = gml_bucket_txn_chown(txn, inode.ino, inode.uid);
	arg->after = inode;
	return rc;
}

static int setattr_commit(struct setattr_arg *arg)
{
	arg->counter = gml_presence_change(arg->store->presence, arg->ino);
	return gml_meta_update(arg->store->meta, setattr_txn, arg);
}

/* AGAIN: an inode that a dead process had left DIRTY is clean now. */
static int setattr_look(struct setattr_arg *arg, struct gml_open_inode *open_inode)
{
	const struct gml_owner *self = &arg->store->self;
	struct gml_owner owner = *self;
	struct gml_txn *txn;
	bool barred;
	int rc = gml_meta_read_begin(arg->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_handle_look(txn, arg->op, arg->store, arg->ino, &arg->seen, &barred);
	if (rc == 0)
		rc = setattr_check(txn, arg->op, arg->set, &arg->seen, barred);
	if (rc == 0 && (arg->seen.flags & GML_INODE_DIRTY)) {
		rc = gml_rec_dirty_get(txn, arg->ino, &owner);
		rc = rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	}
	gml_meta_read_end(txn);
	if (rc != 0 || gml_owner_equal(&owner, self))
		return rc;
	rc = gml_open_inode_takeover(arg->store, open_inode);
	return rc == 0 ? GML_ERR_AGAIN : rc;
}

/* Checked before the write blob grows, which every process sees while DIRTY; the transaction checks
 * again. */
static int setattr_quota(const struct setattr_arg *arg)
{
	struct gml_txn *txn;
	int rc;
	if (arg->seen.flags & GML_INODE_ORPHAN)
		return 0;
	rc = gml_meta_read_begin(arg->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_usage_check(txn, arg->seen.bucket, (int64_t)(arg->set->size - arg->seen.size), 0);
	gml_meta_read_end(txn);
	return rc;
}

/* Growth: the write blob must hold zeros up to the new size, durably, before the size is changed
 * (open_inode.h, invariant 1). */
static int setattr_grow(struct setattr_arg *arg, struct gml_open_inode *open_inode)
{
	uint64_t size = setattr_size(arg);
	struct gml_blob *blob;
	int rc = setattr_quota(arg);
	if (rc != 0 || arg->seen.wblob == 0 ||
	    ((arg->seen.flags & GML_INODE_DIRTY) && arg->final.missing))
		return rc;
	rc = gml_open_inode_wblob(arg->store, open_inode, arg->seen.wblob, false, &blob);
	if (rc == 0)
		rc = gml_blob_truncate(blob, size);
	if (rc == 0)
		rc = gml_blob_truncate(blob, arg->set->size);
	if (rc == 0)
		rc = gml_blob_sync(blob);
	return rc == GML_ERR_NOENT ? gml_open_inode_lost(arg->store, arg->ino, arg->seen.wblob)
				   : rc;
}

static int setattr_prepare(struct setattr_arg *arg, struct gml_open_inode *open_inode)
{
	bool sized = arg->set->mask & GML_SET_SIZE, empty = sized && arg->set->size == 0;
	int rc = setattr_look(arg, open_inode);
	arg->final = (struct gml_finalized){.missing = true};
	arg->keep_dirty = false;
	if (rc == 0 && (arg->seen.flags & GML_INODE_DIRTY)) {
		rc = gml_finalize_sample(arg->store, open_inode, &arg->seen, &arg->store->self,
					 !empty, &arg->final);
		arg->keep_dirty = arg->final.missing && (!sized || empty);
	}
	if (rc == 0 && sized && arg->set->size > setattr_size(arg))
		rc = setattr_grow(arg, open_inode);
	/* A truncation of an open file is usually followed by a write. */
	if (rc == 0 && empty && !arg->keep_dirty && arg->wblob == 0 &&
	    gml_open_inode_has_writers(arg->store, open_inode))
		rc = gml_blob_reserve(arg->store->data, &arg->wblob);
	return rc;
}

static int setattr_locked(struct setattr_arg *arg, struct gml_open_inode *open_inode)
{
	struct gml_blob *blob;
	int rc = GML_ERR_AGAIN;
	gml_assert_locked_exclusive(&open_inode->lock);
	for (int i = 0; i < SETATTR_TRIES && rc == GML_ERR_AGAIN; i++) {
		rc = setattr_prepare(arg, open_inode);
		if (rc == 0)
			rc = setattr_commit(arg);
	}
	if (rc != 0)
		return rc;
	open_inode->owned = (arg->after.flags & GML_INODE_DIRTY) != 0;
	/* Free the bytes that a truncation cut off; after a failure they are undefined bytes past
	 * the end. */
	if ((arg->set->mask & GML_SET_SIZE) && arg->set->size < setattr_size(arg) &&
	    arg->set->size > 0 && arg->after.wblob != 0 &&
	    gml_open_inode_wblob(arg->store, open_inode, arg->after.wblob, false, &blob) == 0)
		(void)gml_blob_truncate(blob, arg->set->size);
	return 0;
}

/* Size or mtime of a file. */
static int setattr_file(struct setattr_arg *arg, struct gml_open_inode *open_inode)
{
	int rc = 0;
	arg->content = true;
	if (!(arg->set->mask & GML_SET_SIZE) || arg->set->size > 0)
		rc = gml_open_inode_sync(arg->store,
					 /* most bytes, before the lock keeps others waiting */
					 open_inode);
	if (rc == 0) {
		gml_rwlock_exclusive(&open_inode->lock);
		rc = setattr_locked(arg, open_inode);
		gml_rwlock_unlock(&open_inode->lock);
	}
	return rc;
}

int gml_inode_empty(struct gml_op *op, struct gml_store *store, struct gml_open_inode *open_inode)
{
	static const struct gml_setattr set = {.mask = GML_SET_SIZE};
	struct setattr_arg arg = {.op = op, .store = store, .ino = open_inode->ino, .set = &set};
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, open_inode->ino, &inode);
	if (rc == GML_ERR_NOENT)
		rc = GML_ERR_STALE;
	if (rc == 0) /* it is open: the way to it was asked for */
		rc = gml_may_inode(txn, op, GML_ACTION_OPEN_EMPTY, &inode, false);
	gml_meta_read_end(txn);
	return rc == 0 ? setattr_file(&arg, open_inode) : rc;
}

static int setattr_is_file(const struct gml_op *op, struct gml_store *store, gml_ino ino,
			   bool *file_out)
{
	struct gml_inode inode;
	int rc = gml_handle_read(op, store, ino, GML_ACTION_GETATTR, &inode);
	*file_out = rc == 0 && inode.type == GML_REG;
	return rc;
}

int gml_inode_setattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      const struct gml_setattr *set, struct gml_attr *out)
{
	struct setattr_arg arg = {.op = op, .store = store, .ino = ino, .set = set};
	struct gml_open_inode *open_inode = NULL;
	bool file = false;
	int rc;
	if (set->mask & GML_SET_UMASK)
		return GML_ERR_INVAL;
	if ((set->mask & SETATTR_ALL) == 0)
		return gml_inode_getattr(op, store, ino, out != NULL ? out : &(struct gml_attr){0});
	rc = set->mask & (GML_SET_SIZE | SETATTR_MTIMES) ? setattr_is_file(op, store, ino, &file)
							 : 0;
	if (rc != 0)
		return rc;
	if (file) {
		rc = gml_open_inode_get(store, ino, &open_inode);
		if (rc == 0)
			rc = setattr_file(&arg, open_inode);
		gml_open_inode_put(store, open_inode);
	} else {
		rc = setattr_commit(&arg);
	}
	if (rc != 0 || out == NULL)
		return rc;
	rc = gml_inode_attr(store, NULL, &arg.after, out);
	if (rc == 0)
		gml_inode_attr_for(op, store, out);
	return rc;
}
