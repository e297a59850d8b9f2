// SPDX-License-Identifier: Apache-2.0
/* Sparse files: SEEK, ALLOCATE, DEALLOCATE (RFC 7862). */
#include <pthread.h>
#include <stdatomic.h>
#include <gemel/err.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/presence.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/store/store.h"
#include "handle.h"
#include "open_inode.h"
#include "write.h"

/* ---- SEEK: extents are data; elsewhere the write blob's own map counts ----------------------- */

struct seek_view {
	struct gml_txn *txn;
	struct gml_inode inode;
	struct gml_blob *wb; /* NULL: nothing but holes beside the extents */
	uint64_t size;
};

/* Next data (or hole) of the write blob at or after off; size at most. */
static int seek_wblob(const struct seek_view *view, bool hole, uint64_t off, uint64_t *out)
{
	int rc;
	*out = hole ? off : view->size;
	if (view->wb == NULL || off >= view->size)
		return 0;
	rc = gml_blob_seek(view->wb, hole, off, out);
	if (rc == GML_ERR_NXIO) { /* past the end of its file: a hole, no data */
		*out = hole ? off : view->size;
		rc = 0;
	}
	if (*out > view->size)
		*out = view->size;
	return rc;
}

static int seek_data(const struct seek_view *view, uint64_t off, uint64_t *out)
{
	struct gml_extent extent;
	int rc = seek_wblob(view, false, off, out);
	if (rc != 0)
		return rc;
	rc = gml_extent_find(view->txn, &view->inode, off, &extent);
	if (rc == GML_ERR_NOENT)
		return 0;
	if (rc != 0)
		return rc;
	if (extent.off <= off)
		*out = off;
	else if (extent.off < *out)
		*out = extent.off;
	return 0;
}

static int seek_hole(const struct seek_view *view, uint64_t off, uint64_t *out)
{
	while (off < view->size) {
		struct gml_extent extent;
		uint64_t hole;
		int rc = gml_extent_find(view->txn, &view->inode, off, &extent), found = rc;
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
		if (found == 0 && extent.off <= off) {
			off = extent.off + extent.len;
			continue;
		}
		rc = seek_wblob(view, true, off, &hole);
		if (rc != 0)
			return rc;
		if (found != 0 || hole < extent.off) {
			off = hole;
			break;
		}
		off = extent.off;
	}
	*out = off < view->size ? off : view->size;
	return 0;
}

static int seek_open(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     struct seek_view *view)
{
	struct gml_attr attr;
	int rc = gml_handle_get(view->txn, op, store, ino, GML_ACTION_SEEK, &view->inode);
	if (rc == 0)
		rc = gml_inode_attr_spaceless(store, &view->inode, &attr);
	if (rc != 0)
		return rc;
	view->size = attr.size;
	if (view->inode.wblob != 0) {
		rc = gml_blob_open(store->data, view->inode.wblob, 0, &view->wb);
		if (rc != 0)
			view->wb = NULL;
		if (rc == GML_ERR_NOENT)
			rc = 0;
	}
	return rc;
}

int gml_file_seek(struct gml_op *op, struct gml_file *file, enum gml_seek kind, uint64_t off,
		  uint64_t *off_out, bool *eof_out)
{
	struct seek_view view = {0};
	int rc = gml_meta_read_begin(file->store->meta, &view.txn);
	if (rc != 0)
		return rc;
	rc = seek_open(op, file->store, file->open_inode->ino, &view);
	if (rc == 0 && off >= view.size)
		rc = GML_ERR_NXIO;
	if (rc == 0)
		rc = kind == GML_SEEK_DATA ? seek_data(&view, off, off_out)
					   : seek_hole(&view, off, off_out);
	gml_assert(rc != 0 || (*off_out >= off && *off_out <= view.size));
	/* No data up to the end: the answer is "end of file", not an error (RFC 7862 15.11.3). */
	if (rc == 0)
		*eof_out = *off_out >= view.size;
	gml_blob_unref(view.wb);
	gml_meta_read_end(view.txn);
	return rc;
}

/* ---- ALLOCATE and DEALLOCATE ----------------------------------------------------------------- */

static int seek_range(const struct gml_file *file, uint64_t off, uint64_t len, uint64_t *end_out)
{
	if (!(file->access & GML_OPEN_WRITE))
		return GML_ERR_ACCESS;
	if (len == 0)
		return GML_ERR_INVAL;
	if (__builtin_add_overflow(off, len, end_out) || *end_out > GML_FILE_SIZE_MAX)
		return GML_ERR_FBIG;
	return 0;
}

static int seek_allocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t end)
{
	struct gml_inode inode;
	struct gml_blob *wb;
	int rc = gml_write_ready(op, file, end, &inode);
	if (rc == 0)
		rc = gml_open_inode_wblob(file->store, file->open_inode, inode.wblob,
					  inode.size == 0, &wb);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? gml_open_inode_lost(file->store, file->open_inode->ino,
								 inode.wblob)
					   : rc;
	rc = gml_blob_allocate(wb, off, end - off);
	atomic_fetch_add(&file->open_inode->written, 1);
	gml_presence_step(file->store->presence, file->open_inode->ino);
	return rc;
}

int gml_file_allocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len)
{
	uint64_t end;
	int rc = seek_range(file, off, len, &end);
	if (rc != 0)
		return rc;
	gml_rwlock_exclusive(&file->open_inode->lock);
	rc = seek_allocate(op, file, off, end);
	gml_rwlock_unlock(&file->open_inode->lock);
	return rc == 0 ? gml_open_inode_commit(file->store, file->open_inode) : rc;
}

/* The write blob first, also below extents: the bytes that they uncover must be zeros by then
 * (open_inode.h, invariant 3). */
static int seek_deallocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t end)
{
	struct gml_extent extent;
	struct gml_inode inode;
	struct gml_blob *wb;
	struct gml_txn *txn;
	bool covered = false;
	int rc = gml_write_ready(op, file, 0, &inode);
	if (rc != 0)
		return rc;
	rc = gml_open_inode_wblob(file->store, file->open_inode, inode.wblob, false, &wb);
	if (rc == GML_ERR_NOENT) /* no file yet: nothing but a hole */
		return inode.size == 0 ? 0
				       : gml_open_inode_lost(file->store, file->open_inode->ino,
							     inode.wblob);
	if (rc == 0)
		rc = gml_blob_punch(wb, off, end - off);
	atomic_fetch_add(&file->open_inode->written, 1);
	gml_presence_step(file->store->presence, file->open_inode->ino);
	if (rc == 0)
		rc = gml_blob_sync(wb);
	if (rc == 0)
		rc = gml_meta_read_begin(file->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, inode.ino, &inode);
	if (rc == 0)
		rc = gml_extent_find(txn, &inode, off, &extent);
	covered = rc == 0 && extent.off < end;
	gml_meta_read_end(txn);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	return covered ? gml_open_inode_splice(file->store, file->open_inode, inode.wblob, off,
					       end - off, true)
		       : 0;
}

int gml_file_deallocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len)
{
	uint64_t end;
	int rc = seek_range(file, off, len, &end);
	if (rc != 0)
		return rc;
	gml_rwlock_exclusive(&file->open_inode->lock);
	rc = seek_deallocate(op, file, off, end);
	gml_rwlock_unlock(&file->open_inode->lock);
	return rc == 0 ? gml_meta_flush(file->store->meta) : rc;
}
