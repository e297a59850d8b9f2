// SPDX-License-Identifier: Apache-2.0
/* The content map of an inode: which bytes of the file are in which blob.
 *
 * Invariants
 *  1. Extents of one inode ascend and do not overlap; none is empty.
 *  2. Up to GML_INLINE_EXTENTS live in the inode record; with more, all of them are in table extent
 *     (flag EXTENTS). They return to the record only when none is left.
 *  3. Every extent holds one reference of its blob; so does an inode's wblob.
 *  4. The bytes of a blob that lost its last reference are removed when that is durable, never
 *     before: a change that frees bytes is never relaxed. Bytes that a reader in another process
 *     may still use are first moved to an orphan (gml_extent_retire), so that the reaper frees them
 *     later. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/data/blob.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "extent.h"

struct gml_deferred_frees {
	size_t count, cap;
	struct freed_blob {
		uint64_t blob, len;
	} * blobs;
};

struct gml_deferred_frees *gml_deferred_frees_new(void)
{
	return calloc(1, sizeof(struct gml_deferred_frees));
}

void gml_deferred_frees_reset(struct gml_deferred_frees *freed)
{
	if (freed != NULL)
		freed->count = 0;
}

void gml_deferred_frees_free(struct gml_deferred_frees *freed)
{
	if (freed == NULL)
		return;
	free(freed->blobs);
	free(freed);
}

void gml_deferred_frees_apply(struct gml_store *store, struct gml_deferred_frees *freed)
{
	gml_assert_outside_closures();
	if (freed == NULL)
		return;
	/* A failure leaves bytes that nothing references; the store check finds them. */
	for (size_t i = 0; i < freed->count; i++)
		(void)gml_blob_remove(store->data, freed->blobs[i].blob, freed->blobs[i].len);
	gml_deferred_frees_free(freed);
}

static int freed_add(struct gml_deferred_frees *freed, uint64_t blob, uint64_t len)
{
	gml_assert(len > 0 || gml_blob_is_write(blob)); /* what of a pack is to be punched */
	if (freed->count == freed->cap) {
		size_t cap = freed->cap ? freed->cap * 2 : 16;
		struct freed_blob *blobs = reallocarray(freed->blobs, cap, sizeof(*blobs));
		if (blobs == NULL)
			return GML_ERR_NOMEM;
		freed->blobs = blobs;
		freed->cap = cap;
	}
	freed->blobs[freed->count++] = (struct freed_blob){blob, len};
	return 0;
}

int gml_blob_put_ref(struct gml_txn *txn, uint64_t blob, struct gml_deferred_frees *freed)
{
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(txn, blob, &rec);
	if (rc == GML_ERR_NOENT || (rc == 0 && rec.refs == 0))
		return GML_ERR_CORRUPT;
	if (rc != 0)
		return rc;
	if (--rec.refs > 0)
		return gml_rec_blob_put(txn, blob, &rec);
	if (!gml_blob_is_write(blob) && rec.len == 0)
		return GML_ERR_CORRUPT;
	if ((blob & GML_BLOB_PACKED) && rec.len > GML_PACK_SEGMENT_MAX)
		return GML_ERR_CORRUPT;
	if (freed != NULL)
		gml_txn_durability(txn, false); /* invariant 4 */
	rc = freed == NULL ? 0 : freed_add(freed, blob, rec.len);
	if (rc == 0)
		rc = gml_blob_sums_drop(txn, blob, &rec);
	return rc == 0 ? gml_rec_blob_del(txn, blob) : rc;
}

static uint64_t extent_end(const struct gml_extent *extent)
{
	return extent->off + extent->len;
}

int gml_extent_find(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
		    struct gml_extent *out)
{
	gml_assert(inode->nextents == 0 || !(inode->flags & GML_INODE_EXTENTS)); /* invariant 2 */
	if (inode->flags & GML_INODE_EXTENTS)
		return gml_rec_extent_find(txn, inode->ino, off, out);
	for (uint32_t i = 0; i < inode->nextents; i++) {
		if (extent_end(&inode->extents[i]) > off) {
			*out = inode->extents[i];
			return 0;
		}
	}
	return GML_ERR_NOENT;
}

uint64_t gml_extent_covered(struct gml_txn *txn, const struct gml_inode *inode, unsigned max)
{
	struct gml_extent extent;
	uint64_t sum = 0, off = 0;
	int rc;
	while ((rc = gml_extent_find(txn, inode, off, &extent)) == 0 && max-- > 0) {
		sum += extent.len;
		off = extent_end(&extent);
	}
	return rc == GML_ERR_NOENT ? sum : UINT64_MAX;
}

/* Move the inline extents to the table. */
static int extent_spill(struct gml_txn *txn, const struct gml_line *line, struct gml_inode *inode)
{
	for (uint32_t i = 0; i < inode->nextents; i++) {
		int rc = gml_rec_extent_put(txn, line, inode->ino, &inode->extents[i]);
		if (rc != 0)
			return rc;
	}
	inode->nextents = 0;
	inode->flags |= GML_INODE_EXTENTS;
	return 0;
}

static int extent_insert(struct gml_txn *txn, struct gml_inode *inode,
			 const struct gml_extent *extent)
{
	struct gml_line line;
	uint32_t at = 0;
	int rc = gml_rec_line_of(txn, inode->bucket, &line);
	gml_assert(inode->type == GML_REG && extent->len > 0 && extent->blob != 0);
	if (rc == 0 && !(inode->flags & GML_INODE_EXTENTS) && inode->nextents == GML_INLINE_EXTENTS)
		rc = extent_spill(txn, &line, inode);
	if (rc != 0)
		return rc;
	if (inode->flags & GML_INODE_EXTENTS)
		return gml_rec_extent_put(txn, &line, inode->ino, extent);
	while (at < inode->nextents && inode->extents[at].off < extent->off)
		at++;
	gml_assert(inode->nextents < GML_INLINE_EXTENTS);
	gml_assert(at == 0 || extent_end(&inode->extents[at - 1]) <= extent->off);
	gml_assert(at == inode->nextents || extent_end(extent) <= inode->extents[at].off);
	memmove(&inode->extents[at + 1], &inode->extents[at],
		(inode->nextents - at) * sizeof(*extent));
	inode->extents[at] = *extent;
	inode->nextents++;
	return 0;
}

static int extent_delete(struct gml_txn *txn, struct gml_inode *inode,
			 const struct gml_extent *extent)
{
	struct gml_line line;
	uint32_t at = 0;
	int rc = gml_rec_line_of(txn, inode->bucket, &line);
	if (rc != 0)
		return rc;
	if (inode->flags & GML_INODE_EXTENTS)
		return gml_rec_extent_del(txn, &line, inode->ino, extent->off);
	while (at < inode->nextents && inode->extents[at].off != extent->off)
		at++;
	if (at == inode->nextents)
		return GML_ERR_CORRUPT;
	inode->nextents--;
	memmove(&inode->extents[at], &inode->extents[at + 1],
		(inode->nextents - at) * sizeof(*extent));
	return 0;
}

/* Replace `extent` by its parts outside [off, end). */
static int extent_split(struct gml_txn *txn, struct gml_inode *inode,
			const struct gml_extent *extent, uint64_t off, uint64_t end,
			struct gml_deferred_frees *freed)
{
	struct gml_extent left = *extent, right = *extent;
	unsigned kept = 0;
	int rc = extent_delete(txn, inode, extent);
	gml_assert(extent->off < end && extent_end(extent) > off);
	if (rc == 0 && extent->off < off) {
		left.len = off - extent->off;
		rc = extent_insert(txn, inode, &left);
		kept++;
	}
	if (rc == 0 && extent_end(extent) > end) {
		right.off = end;
		right.blob_off += end - extent->off;
		right.len = extent_end(extent) - end;
		rc = extent_insert(txn, inode, &right);
		kept++;
	}
	if (rc == 0 && kept == 2)
		rc = gml_blob_take_ref(txn, extent->blob, NULL);
	if (rc == 0 && kept == 0)
		rc = gml_blob_put_ref(txn, extent->blob, freed);
	return rc;
}

int gml_extent_cut(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		   struct gml_deferred_frees *freed)
{
	uint64_t end = len > UINT64_MAX - off ? UINT64_MAX : off + len;
	struct gml_extent extent;
	int rc;
	while ((rc = gml_extent_find(txn, inode, off, &extent)) == 0 && extent.off < end) {
		rc = extent_split(txn, inode, &extent, off, end, freed);
		if (rc != 0)
			return rc;
	}
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	if (inode->flags & GML_INODE_EXTENTS) {
		rc = gml_extent_find(txn, inode, 0, &extent);
		if (rc == GML_ERR_NOENT)
			inode->flags &= ~(uint32_t)GML_INODE_EXTENTS;
		else if (rc != 0)
			return rc;
	}
	return 0;
}

int gml_extent_add(struct gml_txn *txn, struct gml_inode *inode, const struct gml_extent *extent,
		   const struct gml_fresh_blob *fresh)
{
	struct gml_extent next;
	int rc;
	if (extent->len == 0 || extent->off > GML_FILE_SIZE_MAX || extent->len > GML_FILE_SIZE_MAX)
		return GML_ERR_INVAL;
	rc = gml_extent_find(txn, inode, extent->off, &next);
	if (rc == 0 && next.off < extent_end(extent)) /* the map that it was copied from overlaps */
		return GML_ERR_CORRUPT;
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	rc = gml_blob_take_ref(txn, extent->blob, fresh);
	return rc == 0 ? extent_insert(txn, inode, extent) : rc;
}

/* A file without a name, dated now: the reaper frees it and its content when no reader can use it
 * any more. */
static int extent_placeholder_init(struct gml_txn *txn, const struct gml_inode *inode,
				   struct gml_inode *placeholder)
{
	int64_t now = gml_now();
	*placeholder = (struct gml_inode){
		.ino = gml_ino_of(inode->ino.view, gml_txn_next_id(txn)),
		.bucket = inode->bucket,
		.type = GML_REG,
		.flags = GML_INODE_ORPHAN,
		.uid = inode->uid,
		.gid = inode->gid,
		.size = inode->size,
		.change = gml_change_next(0),
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
		.born = gml_line_none.epoch,
	};
	return gml_ino_is_none(placeholder->ino) ? GML_ERR_CORRUPT : 0;
}

static int extent_placeholder_copy(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
				   uint64_t end, struct gml_inode *placeholder)
{
	struct gml_extent extent;
	int rc;
	while ((rc = gml_extent_find(txn, inode, off, &extent)) == 0 && extent.off < end) {
		off = extent_end(&extent);
		rc = gml_extent_add(txn, placeholder, &extent, NULL);
		if (rc != 0)
			return rc;
	}
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_extent_retire(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		      bool wblob)
{
	uint64_t end = len > UINT64_MAX - off ? UINT64_MAX : off + len;
	struct gml_inode placeholder;
	struct gml_line line;
	struct gml_extent first;
	bool covered;
	int rc = gml_extent_find(txn, inode, off, &first);
	gml_assert(inode->type == GML_REG);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	covered = rc == 0 && first.off < end;
	wblob = wblob && inode->wblob != 0;
	if (!covered && !wblob)
		return 0;
	rc = extent_placeholder_init(txn, inode, &placeholder);
	if (rc == 0 && covered)
		rc = extent_placeholder_copy(txn, inode, off, end, &placeholder);
	if (rc == 0 && covered)
		rc = gml_extent_cut(txn, inode, off, len, NULL);
	if (rc != 0)
		return rc;
	if (wblob) { /* the reference moves along */
		placeholder.wblob = inode->wblob;
		inode->wblob = 0;
	}
	rc = gml_rec_line_of(txn, inode->bucket, &line);
	if (rc == 0)
		rc = gml_rec_inode_put(txn, &line, &placeholder);
	return rc == 0 ? gml_rec_orphan_put(txn, &line, placeholder.ino, placeholder.ctime) : rc;
}
