/* Several inodes, or parts of uploads, over the same blobs. */
#include <stdlib.h>
#include "objects.h"

int gml_share_ref(struct gml_txn *txn, uint64_t blob, uint64_t blob_len)
{
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(txn, blob, &rec);
	if (rc == GML_ERR_NOENT)
		rec = (struct gml_blob_rec){.len = blob_len};
	else if (rc != 0)
		return rc;
	rec.refs++;
	return gml_rec_blob_put(txn, blob, &rec);
}

/* What no extent covers becomes extents of the write blob: clean, so its file is at least as long as the content. */
static int share_fill(struct gml_txn *txn, struct gml_inode *inode)
{
	uint64_t pos = 0;
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
		rc = gap.len > 0 ? gml_extent_add(txn, inode, &gap, inode->size) : 0;
		if (rc != 0)
			return rc;
		pos = next.off + next.len;
	}
	return 0;
}

int gml_share_settle(struct gml_txn *txn, struct gml_inode *inode, struct gml_freed *freed)
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
		rc = share_fill(txn, inode);
	if (rc == 0)
		rc = gml_blob_put_ref(txn, blob, freed);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	inode->wblob = 0;
	return gml_inode_save(txn, inode);
}

int gml_share_slice(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off, uint64_t len,
		    struct gml_extent **extents_out, uint32_t *n_out)
{
	struct gml_extent *list = NULL, extent;
	uint64_t pos = off, end = off + len;
	uint32_t n = 0, cap = 0;
	int rc;
	while (pos < end && (rc = gml_extent_find(txn, inode, pos, &extent)) != GML_ERR_NOENT) {
		uint64_t stop = rc == 0 ? extent.off + extent.len : 0;
		if (rc == 0 && n == cap) {
			struct gml_extent *grown;
			cap = cap != 0 ? cap * 2 : 4;
			grown = reallocarray(list, cap, sizeof(*list));
			if (grown == NULL)
				rc = GML_ERR_NOMEM;
			else
				list = grown;
		}
		if (rc != 0) {
			free(list);
			return rc;
		}
		if (extent.off >= end)
			break;
		if (extent.off < pos) {
			extent.blob_off += pos - extent.off;
			extent.off = pos;
		}
		extent.len = (stop < end ? stop : end) - extent.off;
		extent.off -= off;
		list[n++] = extent;
		pos = stop;
	}
	*extents_out = list;
	*n_out = n;
	return 0;
}
