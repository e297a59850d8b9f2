// SPDX-License-Identifier: Apache-2.0
/* Several inodes, or parts of uploads, over the same blobs. */
#include <stdlib.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "reflink.h"

/* Ranges without extent become extents of the write blob: clean, so its file is at least as long as
 * the content. */
static int reflink_fill(struct gml_txn *txn, struct gml_inode *inode)
{
	uint64_t pos = 0;
	gml_assert(inode->wblob != 0 && !(inode->flags & GML_INODE_DIRTY));
	while (pos < inode->size) {
		struct gml_extent next, gap = {.off = pos, .blob = inode->wblob, .blob_off = pos};
		int rc = gml_extent_find(txn, inode, pos, &next);
		if (rc == GML_ERR_NOENT)
			next = (struct gml_extent){.off = inode->size};
		else if (rc != 0)
			return rc;
		if (next.off > inode->size)
			next.off = inode->size;
		gap.len = next.off > pos ? next.off - pos : 0;
		rc = gap.len > 0 ? gml_extent_add(txn, inode, &gap, NULL) : 0;
		if (rc != 0)
			return rc;
		pos = next.off + next.len;
	}
	return 0;
}

int gml_reflink_extents(struct gml_txn *txn, struct gml_inode *inode,
			struct gml_deferred_frees *freed)
{
	struct gml_blob_rec rec;
	uint64_t blob = inode->wblob;
	int rc;
	if (inode->flags & GML_INODE_DIRTY)
		return GML_ERR_AGAIN;
	if (blob == 0)
		return 0;
	rc = gml_rec_blob_get(txn, blob, &rec);
	if (rc == 0) {
		rec.len = inode->size; /* no longer unbounded */
		rc = gml_rec_blob_put(txn, blob, &rec);
	}
	if (rc == 0)
		rc = reflink_fill(txn, inode);
	if (rc == 0)
		rc = gml_blob_put_ref(txn, blob, freed);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	inode->wblob = 0;
	return gml_inode_save(txn, inode);
}

struct reflink_list {
	struct gml_extent *extents;
	uint32_t n, cap;
};

static int reflink_append(struct reflink_list *list, const struct gml_extent *extent)
{
	const struct gml_extent *last = list->n > 0 ? &list->extents[list->n - 1] : NULL;
	gml_assert(last == NULL || last->off + last->len <= extent->off);
	if (extent->len == 0)
		return 0;
	if (list->n == list->cap) {
		uint32_t cap = list->cap != 0 ? list->cap * 2 : 4;
		struct gml_extent *grown = reallocarray(list->extents, cap, sizeof(*grown));
		if (grown == NULL)
			return GML_ERR_NOMEM;
		list->extents = grown;
		list->cap = cap;
	}
	list->extents[list->n++] = *extent;
	return 0;
}

int gml_reflink_slice(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
		      uint64_t len, struct gml_extent **extents_out, uint32_t *n_out)
{
	struct reflink_list list = {0};
	uint64_t pos = off, end = off + len;
	int rc = 0;
	gml_assert(!(inode->flags & GML_INODE_DIRTY) && end <= inode->size);
	while (rc == 0 && pos < end) {
		struct gml_extent extent,
			gap = {.off = pos - off, .blob = inode->wblob, .blob_off = pos};
		rc = gml_extent_find(txn, inode, pos, &extent);
		if (rc == GML_ERR_NOENT || (rc == 0 && extent.off >= end)) {
			extent = (struct gml_extent){.off = end};
			rc = 0;
		}
		if (rc == 0 && extent.off > pos && inode->wblob != 0) {
			gap.len = extent.off - pos;
			rc = reflink_append(&list, &gap);
		}
		if (rc != 0)
			break;
		if (extent.off < pos) { /* begins before the slice */
			extent.blob_off += pos - extent.off;
			extent.len -= pos - extent.off;
			extent.off = pos;
		}
		if (extent.len > end - extent.off)
			extent.len = end - extent.off;
		pos = extent.off + extent.len;
		extent.off -= off;
		rc = reflink_append(&list, &extent);
	}
	if (rc != 0) {
		free(list.extents);
		return rc;
	}
	*extents_out = list.extents;
	*n_out = list.n;
	return 0;
}
