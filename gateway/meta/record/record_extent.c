// SPDX-License-Identifier: Apache-2.0
/* Table extent: ino (u64), file offset (u64) -> one extent. Only files with more than GML_INLINE_EXTENTS have entries.
 */
#include "record_internal.h"

enum { EXTENT_FORMAT = 1 };

static bool extent_decode(struct gml_span key, struct gml_span value, struct gml_extent *out)
{
	struct gml_dec dec;
	if (key.len != 16)
		return false;
	out->off = gml_key_read_u64((const uint8_t *)key.ptr + 8);
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, EXTENT_FORMAT);
	out->len = gml_dec_varint(&dec);
	out->blob = gml_dec_blob(&dec);
	out->blob_off = gml_dec_varint(&dec);
	return gml_dec_end(&dec) && gml_extent_ok(out);
}

static int extent_open(struct gml_txn *txn, struct gml_span key, struct gml_span value,
		       struct gml_extent *out)
{
	int rc = gml_rec_unseal(txn, GML_TABLE_EXTENT, key, &value);
	return rc != 0 || extent_decode(key, value, out)
		       ? rc
		       : gml_txn_corrupt(txn, GML_TABLE_EXTENT, key);
}

static bool extent_of(struct gml_span key, gml_ino ino)
{
	return key.len >= 8 && gml_key_read_u64(key.ptr) == ino;
}

int gml_rec_extent_find(struct gml_txn *txn, gml_ino ino, uint64_t off, struct gml_extent *out)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint8_t want[17];
	int rc = gml_cursor_open(txn, GML_TABLE_EXTENT, &cursor);
	if (rc != 0)
		return rc;
	gml_key_u64(want, ino);
	gml_key_u64(want + 8, off);
	want[16] = 0; /* right after `off`: the last one before it begins at or before off */
	rc = gml_cursor_before(cursor, GML_SPAN(want, 17), &key, &value);
	if (rc == 0 && extent_of(key, ino)) {
		rc = extent_open(txn, key, value, out);
		if (rc != 0)
			goto out;
		if (off - out->off < out->len)
			goto out;
	} else if (rc != 0 && rc != GML_ERR_NOENT) {
		goto out;
	}
	rc = gml_cursor_seek(cursor, GML_SPAN(want, 17), &key, &value);
	if (rc == 0 && !extent_of(key, ino))
		rc = GML_ERR_NOENT;
	if (rc == 0)
		rc = extent_open(txn, key, value, out);
out:
	gml_cursor_close(cursor);
	return rc;
}

int gml_rec_extent_put(struct gml_txn *txn, gml_ino ino, const struct gml_extent *extent)
{
	struct gml_enc enc;
	uint8_t key[16];
	if (!gml_extent_ok(extent))
		return GML_ERR_INVAL;
	gml_key_u64(key, ino);
	gml_key_u64(key + 8, extent->off);
	gml_enc_init(&enc, EXTENT_FORMAT);
	gml_enc_varint(&enc, extent->len);
	gml_enc_blob(&enc, extent->blob);
	gml_enc_varint(&enc, extent->blob_off);
	return gml_enc_put(&enc, txn, GML_TABLE_EXTENT, GML_SPAN(key, 16));
}

int gml_rec_extent_del(struct gml_txn *txn, gml_ino ino, uint64_t off)
{
	uint8_t key[16];
	gml_key_u64(key, ino);
	gml_key_u64(key + 8, off);
	return gml_txn_del(txn, GML_TABLE_EXTENT, GML_SPAN(key, 16));
}
