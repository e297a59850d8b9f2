// SPDX-License-Identifier: Apache-2.0
/* Table sum: the block checksums of blobs of more than one block, and what is to be summed.
 *   00, blob (u64)               a clean write blob whose checksums are still to be made
 *   01, blob (u64), chunk (u32)  those of GML_SUM_CHUNK blocks, in order
 */
#include "record_internal.h"

enum { SUM_FORMAT = 1, SUM_PENDING = 0, SUM_CHUNK = 1, SUM_PENDING_KEY = 9, SUM_CHUNK_KEY = 13 };

static void sum_key(uint8_t key[SUM_CHUNK_KEY], uint8_t what, uint64_t blob, uint32_t chunk)
{
	key[0] = what;
	gml_key_u64(key + 1, blob);
	gml_key_u32(key + 9, chunk);
}

/* ---- checksums ------------------------------------------------------------------------------- */

int gml_rec_sums_get(struct gml_txn *txn, uint64_t blob, uint32_t chunk,
		     uint32_t out[GML_SUM_CHUNK], unsigned *count_out)
{
	uint8_t key[SUM_CHUNK_KEY];
	struct gml_span value;
	struct gml_dec dec;
	int rc;
	sum_key(key, SUM_CHUNK, blob, chunk);
	rc = gml_rec_get(txn, GML_TABLE_SUM, gml_span_of(key, sizeof(key)), &value);
	if (rc != 0)
		return rc;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, SUM_FORMAT);
	*count_out = (unsigned)gml_dec_max(&dec, GML_SUM_CHUNK);
	for (unsigned i = 0; i < *count_out; i++)
		out[i] = gml_dec_u32(&dec);
	if (gml_dec_end(&dec) && *count_out > 0)
		return 0;
	return gml_txn_corrupt(txn, GML_TABLE_SUM, gml_span_of(key, sizeof(key)));
}

int gml_rec_sums_put(struct gml_txn *txn, uint64_t blob, uint32_t chunk, const uint32_t *sums,
		     unsigned count)
{
	uint8_t key[SUM_CHUNK_KEY];
	struct gml_enc enc;
	if (count == 0 || count > GML_SUM_CHUNK)
		return GML_ERR_INVAL;
	sum_key(key, SUM_CHUNK, blob, chunk);
	gml_enc_init(&enc, SUM_FORMAT);
	gml_enc_varint(&enc, count);
	for (unsigned i = 0; i < count; i++)
		gml_enc_u32(&enc, sums[i]);
	return gml_enc_put(&enc, txn, GML_TABLE_SUM, gml_span_of(key, sizeof(key)));
}

int gml_rec_sums_del(struct gml_txn *txn, uint64_t blob, uint32_t chunk)
{
	uint8_t key[SUM_CHUNK_KEY];
	sum_key(key, SUM_CHUNK, blob, chunk);
	return gml_txn_del(txn, GML_TABLE_SUM, gml_span_of(key, sizeof(key)));
}

int gml_rec_sums_next(struct gml_txn *txn, uint64_t blob, uint32_t from, uint64_t *blob_out,
		      uint32_t *chunk_out)
{
	uint8_t want[SUM_CHUNK_KEY];
	struct gml_span key, value;
	struct gml_cursor *cursor;
	int rc = gml_cursor_open(txn, GML_TABLE_SUM, &cursor);
	if (rc != 0)
		return rc;
	sum_key(want, SUM_CHUNK, blob, from);
	rc = gml_cursor_seek(cursor, gml_span_of(want, sizeof(want)), &key, &value);
	if (rc == 0 && key.len != SUM_CHUNK_KEY)
		rc = gml_txn_corrupt(txn, GML_TABLE_SUM, key);
	if (rc == 0) {
		const uint8_t *p = key.ptr;
		*blob_out = gml_key_read_u64(p + 1);
		*chunk_out = gml_key_read_u32(p + 9);
	}
	gml_cursor_close(cursor);
	return rc;
}

int gml_rec_sums_count(struct gml_txn *txn, uint64_t blob, uint64_t size, uint32_t *count_out)
{
	uint32_t end = gml_sums_rows(size), chunk = 0;
	uint64_t found = blob;
	int rc = 0;
	for (*count_out = 0; chunk < end; chunk++) {
		rc = gml_rec_sums_next(txn, blob, chunk, &found, &chunk);
		if (rc != 0 || found != blob || chunk >= end)
			break;
		++*count_out;
	}
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_rec_sums_drop(struct gml_txn *txn, uint64_t blob, uint32_t from)
{
	uint64_t found;
	uint32_t chunk;
	int rc;
	while ((rc = gml_rec_sums_next(txn, blob, from, &found, &chunk)) == 0 && found == blob) {
		rc = gml_rec_sums_del(txn, blob, chunk);
		if (rc != 0)
			return rc;
		if (chunk == UINT32_MAX)
			break;
		from = chunk + 1;
	}
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* ---- what is to be summed -------------------------------------------------------------------- */

static bool pending_decode(struct gml_span value, struct gml_sum_pending *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, SUM_FORMAT);
	out->size = gml_dec_varint(&dec);
	out->next = gml_dec_varint(&dec);
	out->rows = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->mark = gml_dec_u64(&dec);
	out->since = (int64_t)gml_dec_u64(&dec);
	/* Steps begin at rows, and the last one takes the record away. */
	return gml_dec_end(&dec) && out->size > 0 && out->next % GML_SUM_CHUNK == 0 &&
	       out->next <= (out->size - 1) / GML_REC_SUM_BLOCK;
}

int gml_rec_sum_pending_get(struct gml_txn *txn, uint64_t blob, struct gml_sum_pending *out)
{
	uint8_t key[SUM_CHUNK_KEY];
	struct gml_span value;
	int rc;
	sum_key(key, SUM_PENDING, blob, 0);
	rc = gml_rec_get(txn, GML_TABLE_SUM, gml_span_of(key, SUM_PENDING_KEY), &value);
	if (rc != 0)
		return rc;
	if (pending_decode(value, out))
		return 0;
	return gml_txn_corrupt(txn, GML_TABLE_SUM, gml_span_of(key, SUM_PENDING_KEY));
}

int gml_rec_sum_pending_put(struct gml_txn *txn, uint64_t blob, const struct gml_sum_pending *rec)
{
	uint8_t key[SUM_CHUNK_KEY];
	struct gml_enc enc;
	gml_assert(rec->size == 0 || rec->next <= (rec->size - 1) / GML_REC_SUM_BLOCK);
	if (rec->size == 0)
		return GML_ERR_INVAL;
	sum_key(key, SUM_PENDING, blob, 0);
	gml_enc_init(&enc, SUM_FORMAT);
	gml_enc_varint(&enc, rec->size);
	gml_enc_varint(&enc, rec->next);
	gml_enc_varint(&enc, rec->rows);
	gml_enc_u64(&enc, rec->mark);
	gml_enc_u64(&enc, (uint64_t)rec->since);
	return gml_enc_put(&enc, txn, GML_TABLE_SUM, gml_span_of(key, SUM_PENDING_KEY));
}

int gml_rec_sum_pending_del(struct gml_txn *txn, uint64_t blob)
{
	uint8_t key[SUM_CHUNK_KEY];
	sum_key(key, SUM_PENDING, blob, 0);
	return gml_txn_del(txn, GML_TABLE_SUM, gml_span_of(key, SUM_PENDING_KEY));
}

int gml_rec_sum_pending_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
			     struct gml_sum_pending *out)
{
	uint8_t want[SUM_CHUNK_KEY];
	struct gml_span key, value;
	struct gml_cursor *cursor;
	int rc = gml_cursor_open(txn, GML_TABLE_SUM, &cursor);
	if (rc != 0)
		return rc;
	sum_key(want, SUM_PENDING, from, 0);
	rc = gml_cursor_seek(cursor, gml_span_of(want, SUM_PENDING_KEY), &key, &value);
	if (rc == 0 && ((const uint8_t *)key.ptr)[0] != SUM_PENDING)
		rc = GML_ERR_NOENT;
	if (rc == 0)
		rc = gml_rec_unseal(txn, GML_TABLE_SUM, key, &value);
	if (rc == 0 && (key.len != SUM_PENDING_KEY || !pending_decode(value, out)))
		rc = gml_txn_corrupt(txn, GML_TABLE_SUM, key);
	if (rc == 0)
		*blob_out = gml_key_read_u64((const uint8_t *)key.ptr + 1);
	gml_cursor_close(cursor);
	return rc;
}
