// SPDX-License-Identifier: Apache-2.0
/* WRITE: in place in the write blob; over an extent, by copying the touched chunks first.
 * COMMIT. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/file.h>
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
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/may_change.h"
#include "gateway/ns/store/store.h"
#include "finalize.h"
#include "handle.h"
#include "open_inode.h"
#include "write.h"

#define WRITE_CHUNK ((uint64_t)1 << 20)
_Static_assert((WRITE_CHUNK & (WRITE_CHUNK - 1)) == 0, "offsets are rounded by a mask");
#define WRITE_BUFFER ((size_t)256 << 10)
#define WRITE_BACK ((uint64_t)8 << 20)
#define WRITE_EXTENTS 64 /* extents looked at in one snapshot */

/* Decisions made from one read of the record. */
struct write_look {
	struct gml_inode inode; /* scalars only */
	bool covered;		/* an extent covers a part of the range */
	bool strip;		/* suid or sgid must go */
};

/* May the caller write from `off` on? Behind the end of the file, the right to append is enough. */
static int write_may(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		     gml_ino ino, uint64_t off, struct gml_inode *inode)
{
	struct gml_attr attr;
	bool barred;
	int rc = gml_handle_look(txn, op, store, ino, inode, &barred), may;
	if (rc != 0)
		return rc;
	may = gml_may_inode(txn, op, GML_ACTION_WRITE, inode, barred);
	if (may != GML_ERR_ACCESS || gml_may_inode(txn, op, GML_ACTION_APPEND, inode, barred) != 0)
		return may;
	rc = gml_inode_attr_spaceless(store, inode, &attr);
	if (rc != 0)
		return rc;
	return off >= attr.size ? 0 : may;
}

static int write_look_txn(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
			  gml_ino ino, uint64_t off, uint64_t end, struct write_look *look)
{
	struct gml_inode *inode = &look->inode;
	struct gml_extent extent;
	int rc = write_may(txn, op, store, ino, off, inode);
	if (rc == 0)
		rc = gml_may_change(op, inode, GML_CHANGE_BYTES);
	if (rc == 0 && end > inode->size && !(inode->flags & GML_INODE_ORPHAN))
		rc = gml_usage_check(txn, inode->bucket, (int64_t)(end - inode->size), 0);
	if (rc != 0)
		return rc;
	rc = gml_extent_find(txn, inode, off, &extent);
	look->covered = rc == 0 && extent.off < end;
	look->strip = !gml_keeps_setid(&op->principal) &&
		      ((inode->mode & S_ISUID) ||
		       (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP));
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int write_look(const struct gml_op *op, struct gml_store *store, gml_ino ino, uint64_t off,
		      uint64_t end, struct write_look *look)
{
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = write_look_txn(txn, op, store, ino, off, end, look);
	gml_meta_read_end(txn);
	return rc;
}

int gml_write_ready(struct gml_op *op, struct gml_file *file, uint64_t end, struct gml_inode *inode)
{
	struct write_look look;
	int rc = write_look(op, file->store, file->open_inode->ino, end, end, &look);
	gml_assert_locked_exclusive(&file->open_inode->lock);
	if (rc == 0)
		rc = gml_open_inode_dirty(op, file->store, file->open_inode, look.strip);
	if (rc == 0)
		rc = write_look(op, file->store, file->open_inode->ino, end, end, &look);
	*inode = look.inode;
	return rc;
}

/* A stream is written back while it arrives, so that COMMIT has little left to do. Scattered writes
 * are not: they may be overwritten before they must be on the disk. */
static void write_back(struct gml_open_inode *open_inode, struct gml_blob *blob, uint64_t off,
		       uint64_t end)
{
	struct gml_writeback *writeback = &open_inode->writeback, due = {0};
	gml_leaf_lock(&open_inode->wb_lock);
	writeback->from = writeback->bytes == 0 || off < writeback->from ? off : writeback->from;
	writeback->to = writeback->bytes == 0 || end > writeback->to ? end : writeback->to;
	writeback->bytes += end - off;
	if (writeback->bytes >= WRITE_BACK) {
		due = *writeback;
		*writeback = (struct gml_writeback){0};
	}
	gml_leaf_unlock(&open_inode->wb_lock);
	if (due.bytes > 0 && due.to - due.from <= 2 * due.bytes)
		gml_blob_flush_hint(blob, due.from, due.to - due.from);
}

/* DIRTY by this process; lock held, shared or exclusive. */
static int write_in_place(struct gml_file *file, const struct gml_inode *inode, uint64_t off,
			  uint64_t end, const struct iovec *iov, int iovcnt)
{
	struct gml_blob *blob;
	int rc;
	gml_assert(inode->flags & GML_INODE_DIRTY && file->open_inode->owned);
	/* Only a file that had no content may have no write blob file yet. */
	rc = gml_open_inode_wblob(file->store, file->open_inode, inode->wblob, inode->size == 0,
				  &blob);
	if (rc != 0)
		return rc == GML_ERR_NOENT
			       ? gml_open_inode_lost(file->store, inode->ino, inode->wblob)
			       : rc;
	rc = gml_blob_write(blob, off, iov, iovcnt);
	/* Also after a failure: a part may have been written. */
	atomic_fetch_add(&file->open_inode->written, 1);
	gml_presence_step(file->store->presence, file->open_inode->ino);
	if (rc == 0)
		write_back(file->open_inode, blob, off, end);
	return rc;
}

/* ---- copy on write --------------------------------------------------------------------------- */

/* Copy [from, to) of the file, which `extent` covers, to the same place of the write blob. NOENT:
 * the extent's blob has no file. */
static int write_copy(struct gml_store *store, struct gml_blob *wb, const struct gml_extent *extent,
		      uint64_t from, uint64_t to, void *buf)
{
	struct gml_blob *blob;
	int rc = gml_blob_open(store->data, extent->blob, 0, &blob);
	gml_assert(from >= extent->off && to <= extent->off + extent->len);
	if (rc != 0)
		return rc;
	while (rc == 0 && from < to) {
		size_t want = to - from < WRITE_BUFFER ? (size_t)(to - from) : WRITE_BUFFER, got;
		struct iovec iov = {buf, want};
		rc = gml_blob_read(blob, extent->blob, extent->blob_off + (from - extent->off), buf,
				   want, &got);
		if (rc == 0 && got < want)
			rc = GML_ERR_CORRUPT;
		if (rc == 0)
			rc = gml_blob_write(wb, from, &iov, 1);
		from += want;
	}
	gml_blob_unref(blob);
	return rc;
}

/* Extents that overlap [*from, to), at most WRITE_EXTENTS; *from = where to continue. */
static int write_extents(struct gml_store *store, gml_ino ino, uint64_t *from, uint64_t to,
			 struct gml_extent *out, unsigned *count_out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	unsigned n = 0;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, ino, &inode);
	while (rc == 0 && n < WRITE_EXTENTS && *from < to) {
		rc = gml_extent_find(txn, &inode, *from, &out[n]);
		if (rc == GML_ERR_NOENT || (rc == 0 && out[n].off >= to)) {
			*from = to;
			rc = 0;
			break;
		}
		if (rc == 0)
			*from = out[n].off + out[n].len;
		n++;
	}
	gml_meta_read_end(txn);
	*count_out = n;
	return rc;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Copy what extents cover of [start, stop), except [off, end), to the write blob. */
static int write_copy_around(struct gml_store *store, gml_ino ino, struct gml_blob *wb,
			     uint64_t start, uint64_t stop, uint64_t off, uint64_t end)
{
	struct gml_extent *extents = calloc(WRITE_EXTENTS, sizeof(*extents));
	void *buf = malloc(WRITE_BUFFER);
	uint64_t from = start;
	unsigned n;
	int rc = extents == NULL || buf == NULL ? GML_ERR_NOMEM : 0;
	while (rc == 0 && from < stop) {
		rc = write_extents(store, ino, &from, stop, extents, &n);
		for (unsigned i = 0; rc == 0 && i < n; i++) {
			uint64_t first = max_u64(extents[i].off, start);
			uint64_t last = min_u64(extents[i].off + extents[i].len, stop);
			if (first < off)
				rc = write_copy(store, wb, &extents[i], first, min_u64(last, off),
						buf);
			if (rc == 0 && last > end)
				rc = write_copy(store, wb, &extents[i], max_u64(first, end), last,
						buf);
		}
	}
	free(buf);
	free(extents);
	return rc;
}

struct splice_arg {
	gml_ino ino;
	uint64_t wblob, off, len;
	uint64_t counter; /* gml_presence_change */
	bool hole;
};

static int splice_fn(struct gml_txn *txn, void *argp)
{
	struct splice_arg *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	if (!(inode.flags & GML_INODE_DIRTY) || inode.wblob != arg->wblob)
		return GML_ERR_AGAIN;
	rc = gml_extent_retire(txn, &inode, arg->off, arg->len, false);
	/* Bytes written in place from now on must not be visible without the bytes written before,
	 * under the extents. */
	gml_txn_durability(txn, false);
	if (arg->hole)
		inode.flags |= GML_INODE_SPARSE;
	inode.change = gml_change_next(gml_change_seen(&inode, arg->counter));
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

int gml_open_inode_splice(struct gml_store *store, struct gml_open_inode *open_inode,
			  uint64_t wblob, uint64_t off, uint64_t len, bool hole)
{
	struct splice_arg arg = {.ino = open_inode->ino,
				 .wblob = wblob,
				 .off = off,
				 .len = len,
				 .counter = gml_presence_change(store->presence, open_inode->ino),
				 .hole = hole};
	gml_assert_locked_exclusive(&open_inode->lock);
	return gml_meta_update(store->meta, splice_fn, &arg);
}

/* DIRTY by this process; exclusive lock held. The chunks' old bytes and the new ones are on disk
 * before the map changes; until then the extents hide them. */
static int write_over_extents(struct gml_file *file, const struct gml_inode *inode, uint64_t off,
			      uint64_t end, const struct iovec *iov, int iovcnt)
{
	uint64_t start = off & ~(WRITE_CHUNK - 1),
		 stop = (end + WRITE_CHUNK - 1) & ~(WRITE_CHUNK - 1);
	struct gml_blob *wb;
	int rc = gml_open_inode_wblob(file->store, file->open_inode, inode->wblob, false, &wb);
	gml_assert_locked_exclusive(&file->open_inode->lock);
	if (rc == 0)
		rc = write_copy_around(file->store, inode->ino, wb, start, stop, off, end);
	if (rc == GML_ERR_NOENT)
		return gml_open_inode_lost(file->store, inode->ino, inode->wblob);
	if (rc == 0)
		rc = write_in_place(file, inode, off, end, iov, iovcnt);
	if (rc == 0)
		rc = gml_blob_sync(wb);
	return rc == 0 ? gml_open_inode_splice(file->store, file->open_inode, inode->wblob, start,
					       stop - start, false)
		       : rc;
}

/* ---- WRITE and COMMIT ------------------------------------------------------------------------ */

static int write_exclusive(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t end,
			   const struct iovec *iov, int iovcnt)
{
	struct write_look look;
	int rc;
	gml_rwlock_exclusive(&file->open_inode->lock);
	rc = write_look(op, file->store, file->open_inode->ino, off, end, &look);
	if (rc == 0)
		rc = gml_open_inode_dirty(op, file->store, file->open_inode, look.strip);
	if (rc == 0) /* the state may be new, and with it the map */
		rc = write_look(op, file->store, file->open_inode->ino, off, end, &look);
	if (rc == 0)
		rc = look.covered ? write_over_extents(file, &look.inode, off, end, iov, iovcnt)
				  : write_in_place(file, &look.inode, off, end, iov, iovcnt);
	gml_rwlock_unlock(&file->open_inode->lock);
	return rc;
}

/* The usual case. *done_out false: the exclusive lock is needed. */
static int write_shared(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t end,
			const struct iovec *iov, int iovcnt, bool *done_out)
{
	struct write_look look;
	int rc;
	*done_out = true;
	gml_rwlock_shared(&file->open_inode->lock);
	rc = write_look(op, file->store, file->open_inode->ino, off, end, &look);
	if (rc == 0 && (look.covered || look.strip || !file->open_inode->owned ||
			!(look.inode.flags & GML_INODE_DIRTY)))
		*done_out = false;
	else if (rc == 0)
		rc = write_in_place(file, &look.inode, off, end, iov, iovcnt);
	gml_rwlock_unlock(&file->open_inode->lock);
	return rc;
}

static int write_range(uint64_t off, const struct iovec *iov, int iovcnt, uint64_t *end_out)
{
	uint64_t end = off;
	if (iovcnt < 0)
		return GML_ERR_INVAL;
	for (int i = 0; i < iovcnt; i++)
		if (__builtin_add_overflow(end, iov[i].iov_len, &end))
			return GML_ERR_FBIG;
	*end_out = end;
	return end > GML_FILE_SIZE_MAX ? GML_ERR_FBIG : 0;
}

int gml_file_write(struct gml_op *op, struct gml_file *file, uint64_t off, const struct iovec *iov,
		   int iovcnt, bool stable)
{
	struct write_look look;
	bool done;
	uint64_t end;
	int rc;
	if (!(file->access & GML_OPEN_WRITE))
		return GML_ERR_ACCESS;
	rc = write_range(off, iov, iovcnt, &end);
	if (rc != 0)
		return rc;
	if (end == off)
		return write_look(op, file->store, file->open_inode->ino, off, 0, &look);
	rc = write_shared(op, file, off, end, iov, iovcnt, &done);
	if (rc == 0 && !done)
		rc = write_exclusive(op, file, off, end, iov, iovcnt);
	return rc == 0 && stable ? gml_open_inode_commit(file->store, file->open_inode) : rc;
}

static int write_sync_blob(struct gml_store *store, struct gml_open_inode *open_inode,
			   struct gml_blob **out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	*out = NULL;
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, open_inode->ino, &inode);
	gml_meta_read_end(txn);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	/* A clean file was synced before it became clean. */
	if (!(inode.flags & GML_INODE_DIRTY))
		return 0;
	rc = gml_open_inode_wblob(store, open_inode, inode.wblob, false, out);
	if (rc == 0)
		gml_blob_ref(*out);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static void write_raise(_Atomic uint64_t *count, uint64_t to)
{
	uint64_t seen = atomic_load(count);
	while (seen < to && !atomic_compare_exchange_weak(count, &seen, to))
		;
}

/* A size that changed must reach the disk with the inode, so the times may as well: then the last
 * close has nothing to sync. For a file that is overwritten in place, the inode is not synced. */
static int write_sync(struct gml_open_inode *open_inode, struct gml_blob *blob, uint64_t written)
{
	uint64_t size, space;
	int64_t mtime, ctime;
	int rc = gml_blob_stat(blob, &size, &space, &mtime, &ctime);
	if (rc != 0)
		return rc;
	if (size == atomic_load(&open_inode->timed_size))
		return gml_blob_sync(blob);
	rc = gml_blob_sync_times(blob);
	if (rc == 0) {
		atomic_store(&open_inode->timed_size, size);
		write_raise(&open_inode->timed, written);
	}
	return rc;
}

int gml_open_inode_sync(struct gml_store *store, struct gml_open_inode *open_inode)
{
	struct gml_blob *blob;
	uint64_t written, synced;
	int rc;
	gml_rwlock_shared(&open_inode->lock);
	written = atomic_load(&open_inode->written);
	synced = atomic_load(&open_inode->synced);
	rc = synced >= written ? 0 : write_sync_blob(store, open_inode, &blob);
	gml_rwlock_unlock(&open_inode->lock);
	if (rc != 0 || synced >= written)
		return rc;
	if (blob != NULL)
		rc = write_sync(open_inode, blob, written);
	gml_blob_unref(blob);
	if (rc == 0)
		write_raise(&open_inode->synced, written);
	return rc;
}

int gml_open_inode_commit(struct gml_store *store, struct gml_open_inode *open_inode)
{
	int rc = gml_open_inode_sync(store, open_inode);
	return rc == 0 ? gml_meta_flush(store->meta) : rc;
}

int gml_file_commit(struct gml_op *op, struct gml_file *file)
{
	struct gml_inode inode;
	int rc = gml_handle_read(op, file->store, file->open_inode->ino, GML_ACTION_COMMIT, &inode);
	return rc == 0 ? gml_open_inode_commit(file->store, file->open_inode) : rc;
}
