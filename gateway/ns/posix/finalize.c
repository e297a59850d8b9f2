// SPDX-License-Identifier: Apache-2.0
/* From clean to DIRTY and back. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/blob_sums.h"
#include "gateway/ns/core/extent.h"
#include "inode.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/may_change.h"
#include "gateway/ns/store/store.h"
#include "finalize.h"
#include "open_inode.h"
#include "unwritten.h"
#include "write.h"

#define FINALIZE_TRIES 8
/* extents that are looked at for holes; a file of more counts as without */
#define FINALIZE_EXTENTS 4096

void gml_inode_forget_content(struct gml_inode *inode)
{
	inode->flags &= ~(uint32_t)(GML_INODE_MD5 | GML_INODE_PARTS);
	inode->nparts = 0;
	memset(inode->md5, 0, sizeof(inode->md5));
	inode->checksum = (struct gml_object_checksum){0};
	inode->parts = gml_span_of(NULL, 0);
}

static int finalize_read(struct gml_store *store, gml_ino ino, struct gml_inode *inode,
			 struct gml_owner *owner)
{
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, ino, inode);
	if (rc == 0 && (inode->flags & GML_INODE_DIRTY)) {
		rc = gml_rec_dirty_get(txn, ino, owner);
		if (rc == GML_ERR_NOENT)
			rc = GML_ERR_CORRUPT;
	} else if (rc == GML_ERR_NOENT) {
		rc = GML_ERR_STALE;
	}
	gml_meta_read_end(txn);
	return rc;
}

static bool finalize_is_self(const struct gml_store *store, const struct gml_owner *owner)
{
	return gml_owner_equal(owner, &store->self);
}

int gml_finalize_look(struct gml_store *store, gml_ino ino, struct gml_inode *inode,
		      struct gml_owner *owner)
{
	int rc = finalize_read(store, ino, inode, owner);
	if (rc != 0)
		return rc;
	/* The size of an orphan is read from its write blob as long as it exists. */
	if (!(inode->flags & GML_INODE_DIRTY) || (inode->flags & GML_INODE_ORPHAN) ||
	    !finalize_is_self(store, owner))
		return GML_ERR_AGAIN;
	return 0;
}

int gml_finalize_sample(struct gml_store *store, struct gml_open_inode *open_inode,
			const struct gml_inode *inode, const struct gml_owner *owner, bool sync,
			struct gml_finalized *out)
{
	struct gml_blob *blob;
	uint64_t written = atomic_load(&open_inode->written);
	int rc;
	gml_assert_locked_exclusive(&open_inode->lock);
	rc = gml_open_inode_wblob(store, open_inode, inode->wblob, false, &blob);
	*out = (struct gml_finalized){.owner = *owner,
				      .wblob = inode->wblob,
				      .counter = gml_presence_change(store->presence, inode->ino)};
	if (rc == GML_ERR_NOENT) {
		out->missing = true;
		return inode->size == 0 ? 0 : GML_ERR_CORRUPT;
	}
	if (rc == 0 && sync && atomic_load(&open_inode->timed) < written) {
		/* With the mtime, the only change of a file that is overwritten in place. */
		rc = gml_blob_sync_times(blob);
		if (rc == 0) {
			atomic_store(&open_inode->synced, written);
			atomic_store(&open_inode->timed, written);
		}
	}
	if (rc == 0)
		rc = gml_blob_stat(blob, &out->size, &out->space, &out->mtime, &out->ctime);
	return rc;
}

int gml_finalize_apply(struct gml_txn *txn, struct gml_store *store, struct gml_inode *inode,
		       const struct gml_finalized *final)
{
	int64_t delta = (int64_t) final->size - (int64_t)inode->size;
	struct gml_owner owner;
	int rc;
	gml_assert(!final->missing || final->size == 0);
	if (!(inode->flags & GML_INODE_DIRTY) || inode->wblob != final->wblob)
		return GML_ERR_AGAIN;
	/* Two processes may finalize for a dead one. The second must not finalize a file that the
	 * first is writing by now. */
	rc = gml_rec_dirty_get(txn, inode->ino, &owner);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (!gml_owner_equal(&owner, &final->owner))
		return GML_ERR_AGAIN;
	/* A file of this process that was never written has no new attributes. */
	inode->change = gml_change_seen(inode, final->counter);
	if (!final->missing || !finalize_is_self(store, &owner))
		inode->change = gml_change_next(inode->change);
	inode->flags &= ~(uint32_t)GML_INODE_DIRTY;
	rc = gml_rec_dirty_del(txn, inode->ino);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (final->missing) {
		rc = gml_blob_put_ref(txn, inode->wblob, NULL); /* there is no file to remove */
		inode->wblob = 0;
	} else {
		inode->mtime = final->mtime;
		if (final->ctime > inode->ctime)
			inode->ctime = final->ctime;
		rc = gml_blob_sums_pend(txn, inode, final->size);
	}
	inode->size = final->size;
	inode->flags &= ~(uint32_t)GML_INODE_SPARSE;
	/* Without holes in the write blob, as most are: the extents are not read while others wait
	 * to write. */
	if (rc == 0 && gml_attr_sparse(final->size, final->space, 0) &&
	    gml_attr_sparse(final->size, final->space,
			    gml_extent_covered(txn, inode, FINALIZE_EXTENTS)))
		inode->flags |= GML_INODE_SPARSE;
	if (rc == 0 && !(inode->flags & GML_INODE_ORPHAN))
		rc = gml_usage_add(txn, inode->bucket, delta, 0);
	return rc;
}

struct finalize_arg {
	struct gml_store *store;
	gml_ino ino;
	struct gml_finalized final;
};

static int finalize_fn(struct gml_txn *txn, void *argp)
{
	struct finalize_arg *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	if (rc == 0)
		rc = gml_finalize_apply(txn, arg->store, &inode, &arg->final);
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

/* Exclusive lock held; *inode is DIRTY, and its writer is this process or dead. */
static int finalize_inode(struct gml_store *store, struct gml_open_inode *open_inode,
			  const struct gml_inode *inode, const struct gml_owner *owner)
{
	struct finalize_arg arg = {.store = store, .ino = open_inode->ino};
	int rc = gml_finalize_sample(store, open_inode, inode, owner, true, &arg.final);
	gml_assert(inode->flags & GML_INODE_DIRTY);
	if (rc != 0)
		return rc;
	/* Data, size and mtime are durable, and the record that says DIRTY comes before this commit
	 * in the log: should this one get lost, recovery reads the same from the write blob; should
	 * both, there is no such file yet. */
	rc = gml_meta_update_relaxed(store->meta, finalize_fn, &arg);
	if (rc != 0)
		return rc == GML_ERR_AGAIN || rc == GML_ERR_NOENT ? 0 : rc;
	open_inode->owned = false;
	return 0;
}

int gml_open_inode_finalize(struct gml_store *store, struct gml_open_inode *open_inode)
{
	struct gml_inode inode;
	struct gml_owner owner;
	int rc;
	if (atomic_load(&open_inode->written) == 0 && gml_unwritten_add(store, open_inode->ino))
		return 0;
	/* Most bytes are written back before the lock keeps others waiting. */
	rc = gml_open_inode_sync(store, open_inode);
	if (rc != 0)
		return rc;
	gml_rwlock_exclusive(&open_inode->lock);
	rc = gml_finalize_look(store, open_inode->ino, &inode, &owner);
	if (rc == 0)
		rc = finalize_inode(store, open_inode, &inode, &owner);
	gml_rwlock_unlock(&open_inode->lock);
	return rc == GML_ERR_AGAIN ? 0 : rc;
}

int gml_open_inode_takeover(struct gml_store *store, struct gml_open_inode *open_inode)
{
	struct gml_inode inode;
	struct gml_owner owner;
	int rc = finalize_read(store, open_inode->ino, &inode, &owner);
	gml_assert_locked_exclusive(&open_inode->lock);
	if (rc != 0 || !(inode.flags & GML_INODE_DIRTY))
		return rc;
	if (!finalize_is_self(store, &owner) && gml_presence_alive(store->presence, &owner))
		return GML_ERR_BUSY;
	return finalize_inode(store, open_inode, &inode, &owner);
}

int gml_inode_finalize(struct gml_op *op, struct gml_store *store, gml_ino ino)
{
	struct gml_open_inode *open_inode;
	int rc = gml_open_inode_get(store, ino, &open_inode);
	(void)op;
	if (rc != 0)
		return rc;
	gml_rwlock_exclusive(&open_inode->lock);
	rc = gml_open_inode_takeover(store, open_inode);
	gml_rwlock_unlock(&open_inode->lock);
	gml_open_inode_put(store, open_inode);
	return rc;
}

/* ---- clean to DIRTY -------------------------------------------------------------------------- */

int gml_dirty_apply(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		    struct gml_inode *inode, uint64_t id, bool fresh)
{
	int rc = gml_may_change(op, inode, GML_CHANGE_BYTES);
	if (rc != 0)
		return rc;
	gml_assert(inode->type == GML_REG && !(inode->flags & GML_INODE_DIRTY));
	gml_assert(id != 0 && (fresh ? inode->wblob == 0 : inode->wblob == id));
	gml_inode_forget_content(inode);
	inode->flags |= GML_INODE_DIRTY;
	inode->wblob = id;
	/* The ETag of the old content is removed before the first byte changes. */
	inode->change = gml_change_next(inode->change);
	if (fresh) {
		rc = gml_rec_blob_put(txn, id, &(struct gml_blob_rec){.refs = 1});
	} else {
		/* From now on the bytes change in place, those that the record promises while it
		 * says clean. */
		gml_txn_durability(txn, false);
		rc = gml_blob_sums_void(txn, id);
	}
	return rc == 0 ? gml_rec_dirty_put(txn, inode->ino, &store->self) : rc;
}

struct dirty_arg {
	const struct gml_op *op;
	struct gml_store *store;
	struct gml_inode seen; /* scalars only */
	uint64_t id;
	uint64_t counter; /* gml_presence_change */
	bool fresh, strip;
};

static int dirty_fn(struct gml_txn *txn, void *argp)
{
	struct dirty_arg *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->seen.ino, &inode);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	if (((inode.flags ^ arg->seen.flags) & GML_INODE_DIRTY) || inode.wblob != arg->seen.wblob ||
	    inode.size != arg->seen.size)
		return GML_ERR_AGAIN;
	if (arg->strip) {
		gml_inode_strip(&inode);
		inode.ctime = gml_now();
		inode.change = gml_change_next(gml_change_seen(&inode, arg->counter));
	}
	if (!(inode.flags & GML_INODE_DIRTY))
		rc = gml_dirty_apply(txn, arg->op, arg->store, &inode, arg->id, arg->fresh);
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

/* Invariant 2: the file's length and mtime become the inode's, on disk. An unsynced truncation may
 * be under way even if the length is right, hence the sync in any case; with nothing to write it is
 * cheap. */
static int dirty_prepare(struct gml_store *store, struct gml_open_inode *open_inode,
			 const struct dirty_arg *arg)
{
	uint64_t size, space;
	struct gml_blob *blob;
	int64_t mtime, ctime;
	int rc;
	gml_assert(!(arg->seen.flags & GML_INODE_DIRTY)); /* its size is in the record */
	if (arg->fresh && arg->seen.size == 0)
		return 0;
	rc = gml_open_inode_wblob(store, open_inode, arg->id, arg->fresh, &blob);
	/* the file was clean when it was read: a copy needs no lock to take the write blob */
	if (rc == GML_ERR_NOENT)
		return gml_open_inode_lost(store, open_inode->ino, arg->seen.wblob);
	if (rc == 0)
		rc = gml_blob_stat(blob, &size, &space, &mtime, &ctime);
	if (rc == 0 && size != arg->seen.size)
		rc = gml_blob_truncate(blob, arg->seen.size);
	if (rc == 0 && (size != arg->seen.size || mtime != arg->seen.mtime))
		rc = gml_blob_set_mtime(blob, arg->seen.mtime);
	return rc == 0 ? gml_blob_sync_times(blob) : rc;
}

static int dirty_try(struct gml_store *store, struct gml_open_inode *open_inode,
		     struct dirty_arg *arg, uint64_t *reserved)
{
	struct gml_owner owner;
	int rc = finalize_read(store, open_inode->ino, &arg->seen, &owner);
	if (rc != 0)
		return rc;
	arg->counter = gml_presence_change(store->presence, open_inode->ino);
	if (arg->seen.flags & GML_INODE_DIRTY) {
		if (!finalize_is_self(store, &owner)) {
			rc = gml_open_inode_takeover(store, open_inode);
			return rc == 0 ? GML_ERR_AGAIN : rc;
		}
		open_inode->owned = true;
		return arg->strip ? gml_meta_update(store->meta, dirty_fn, arg) : 0;
	}
	arg->fresh = arg->seen.wblob == 0;
	if (arg->fresh && *reserved == 0) {
		rc = gml_blob_reserve(store->data, reserved);
		if (rc != 0)
			return rc;
	}
	arg->id = arg->fresh ? *reserved : arg->seen.wblob;
	rc = dirty_prepare(store, open_inode, arg);
	if (rc == 0)
		rc = gml_meta_update(store->meta, dirty_fn, arg);
	if (rc != 0)
		return rc;
	if (arg->fresh)
		*reserved = 0;
	open_inode->owned = true;
	return 0;
}

int gml_open_inode_dirty(const struct gml_op *op, struct gml_store *store,
			 struct gml_open_inode *open_inode, bool strip)
{
	struct dirty_arg arg = {.op = op, .store = store, .strip = strip};
	uint64_t reserved = 0;
	int rc = GML_ERR_AGAIN;
	gml_assert_locked_exclusive(&open_inode->lock);
	for (int i = 0; i < FINALIZE_TRIES && rc == GML_ERR_AGAIN; i++)
		rc = dirty_try(store, open_inode, &arg, &reserved);
	gml_assert(rc != 0 || open_inode->owned);
	/* The file may exist. After a failed commit the content of the disk is unknown: it stays
	 * for recovery. */
	if (reserved != 0 &&
	    (rc == 0 || rc == GML_ERR_AGAIN || rc == GML_ERR_STALE || rc == GML_ERR_BUSY))
		(void)gml_blob_remove(store->data, reserved, 0);
	return rc;
}
