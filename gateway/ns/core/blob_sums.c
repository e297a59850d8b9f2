// SPDX-License-Identifier: Apache-2.0
/* Checksums of blobs. */
#include <gemel/err.h>
#include "blob_sums.h"
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"

_Static_assert(GML_REC_SUM_BLOCK == GML_SUM_BLOCK, "one size of blocks");

static int sums_publish(struct gml_txn *txn, uint64_t blob, const struct gml_sums *sums)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < sums->count; at += GML_SUM_CHUNK) {
		size_t left = sums->count - at;
		rc = gml_rec_sums_put(txn, blob, (uint32_t)(at / GML_SUM_CHUNK), sums->sums + at,
				      left < GML_SUM_CHUNK ? (unsigned)left : GML_SUM_CHUNK);
	}
	return rc;
}

/* As many checksums as blocks; those of one block are in the record itself. */
static bool sums_whole(const struct gml_fresh_blob *fresh)
{
	return fresh->len > 0 &&
	       (fresh->sums == NULL ? fresh->len <= GML_SUM_BLOCK
				    : fresh->sums->count == gml_sums_blocks(fresh->len));
}

int gml_blob_take_ref(struct gml_txn *txn, uint64_t blob, const struct gml_fresh_blob *fresh)
{
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(txn, blob, &rec);
	gml_assert(rc != 0 || fresh == NULL); /* a new number has no record */
	if (rc == 0) {
		rec.refs++;
		return gml_rec_blob_put(txn, blob, &rec);
	}
	if (rc != GML_ERR_NOENT)
		return rc;
	if (fresh == NULL)
		return GML_ERR_CORRUPT;
	gml_assert(sums_whole(fresh) && !gml_blob_is_write(blob));
	rec = (struct gml_blob_rec){
		.refs = 1, .len = fresh->len, .summed = fresh->len, .crc = fresh->crc};
	rec.rows = gml_sums_rows(rec.summed);
	rc = gml_rec_blob_put(txn, blob, &rec);
	return rc == 0 && fresh->sums != NULL ? sums_publish(txn, blob, fresh->sums) : rc;
}

int gml_blob_sums_pend(struct gml_txn *txn, const struct gml_inode *inode, uint64_t size)
{
	const struct gml_sum_pending pending = {
		.size = size, .mark = inode->change, .since = gml_now()};
	gml_assert(
		gml_blob_is_write(inode->wblob)); /* others never change: summed from the first */
	return size == 0 ? 0 : gml_rec_sum_pending_put(txn, inode->wblob, &pending);
}

int gml_blob_sums_void(struct gml_txn *txn, uint64_t blob)
{
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(txn, blob, &rec);
	gml_assert(gml_blob_is_write(blob));
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (rec.summed != 0) {
		rec.summed = 0;
		return gml_rec_blob_put(txn, blob, &rec);
	}
	rc = gml_rec_sum_pending_del(txn, blob);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_blob_sums_drop(struct gml_txn *txn, uint64_t blob, const struct gml_blob_rec *rec)
{
	int rc;
	if (blob & GML_BLOB_PACKED)
		return 0;
	if (gml_blob_is_write(blob)) {
		rc = gml_rec_sum_pending_del(txn, blob);
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
	} else if (rec->summed <= GML_SUM_BLOCK) {
		return 0;
	}
	return gml_rec_sums_drop(txn, blob, 0); /* of a write blob, also what is left from before */
}
