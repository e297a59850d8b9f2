// SPDX-License-Identifier: Apache-2.0
/* Table blob: id (u64) -> references, length, checksum. */
#include "record_internal.h"

enum { BLOB_FORMAT = 2, BLOB_SUMMED = 1 /* all of len */, BLOB_SUMMED_TO = 2, BLOB_BITS = 3 };

/* Are the summed bytes several blocks? Table sum has their checksums then. */
static bool blob_is_blocks(const struct gml_blob_rec *rec)
{
	return rec->summed > GML_REC_SUM_BLOCK;
}

static bool blob_is_one_block(const struct gml_blob_rec *rec)
{
	return rec->summed > 0 && rec->summed <= GML_REC_SUM_BLOCK;
}

static bool blob_decode(struct gml_span value, struct gml_blob_rec *out)
{
	struct gml_dec dec;
	uint64_t bits;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, BLOB_FORMAT);
	out->refs = gml_dec_varint(&dec);
	out->len = gml_dec_varint(&dec);
	bits = gml_dec_max(&dec, BLOB_BITS);
	out->summed = bits & BLOB_SUMMED ? out->len : 0;
	if (bits & BLOB_SUMMED_TO)
		out->summed = gml_dec_varint(&dec);
	out->crc = blob_is_one_block(out) ? gml_dec_u32(&dec) : 0;
	out->rows =
		blob_is_blocks(out) ? (uint32_t)gml_dec_max(&dec, gml_sums_rows(out->summed)) : 0;
	return gml_dec_end(&dec) && bits != BLOB_BITS && (bits == 0 || out->summed > 0);
}

int gml_rec_blob_get(struct gml_txn *txn, uint64_t blob, struct gml_blob_rec *out)
{
	struct gml_span value;
	int rc = gml_rec_num_get(txn, GML_TABLE_BLOB, blob, &value);
	if (rc != 0)
		return rc;
	return blob_decode(value, out) ? 0 : gml_rec_num_corrupt(txn, GML_TABLE_BLOB, blob);
}

int gml_rec_blob_put(struct gml_txn *txn, uint64_t blob, const struct gml_blob_rec *rec)
{
	struct gml_enc enc;
	gml_assert(blob != 0);
	gml_enc_init(&enc, BLOB_FORMAT);
	gml_enc_varint(&enc, rec->refs);
	gml_enc_varint(&enc, rec->len);
	gml_enc_varint(&enc, rec->summed == 0	       ? 0
			     : rec->summed == rec->len ? BLOB_SUMMED
						       : BLOB_SUMMED_TO);
	if (rec->summed > 0 && rec->summed != rec->len)
		gml_enc_varint(&enc, rec->summed);
	if (blob_is_one_block(rec))
		gml_enc_u32(&enc, rec->crc);
	if (blob_is_blocks(rec))
		gml_enc_varint(&enc, rec->rows);
	return gml_rec_num_put(txn, GML_TABLE_BLOB, blob, &enc);
}

int gml_rec_blob_del(struct gml_txn *txn, uint64_t blob)
{
	return gml_rec_num_del(txn, GML_TABLE_BLOB, blob);
}

int gml_rec_blob_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
		      struct gml_blob_rec *out)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint8_t want[8];
	int rc = gml_cursor_open(txn, GML_TABLE_BLOB, &cursor);
	if (rc != 0)
		return rc;
	gml_key_u64(want, from);
	rc = gml_cursor_seek(cursor, gml_span_of(want, 8), &key, &value);
	if (rc == 0)
		rc = gml_rec_unseal(txn, GML_TABLE_BLOB, key, &value);
	if (rc == 0 && (key.len != 8 || !blob_decode(value, out)))
		rc = gml_txn_corrupt(txn, GML_TABLE_BLOB, key);
	if (rc == 0)
		*blob_out = gml_key_read_u64(key.ptr);
	gml_cursor_close(cursor);
	return rc;
}
