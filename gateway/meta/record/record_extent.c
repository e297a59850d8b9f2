// SPDX-License-Identifier: Apache-2.0
/* Table extent: ino, file offset (u64) -> one extent. Only files with more than GML_INLINE_EXTENTS
 * have entries. */
#include "gateway/base/assert.h"
#include "record_internal.h"

enum { EXTENT_FORMAT = 2, EXTENT_KEY_MAX = GML_INO_KEY_MAX + 8 };

static size_t extent_key(uint8_t key[EXTENT_KEY_MAX], gml_ino ino, uint64_t off)
{
	size_t len = gml_ino_key(key, ino);
	gml_key_u64(key + len, off);
	return len + 8;
}

static bool extent_decode(gml_ino ino, struct gml_span key, struct gml_span value,
			  struct gml_extent *out)
{
	struct gml_dec dec;
	size_t ino_len = gml_ino_key_len(ino);
	if (key.len != ino_len + 8)
		return false;
	out->off = gml_key_read_u64((const uint8_t *)key.ptr + ino_len);
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, EXTENT_FORMAT);
	out->len = gml_dec_varint(&dec);
	out->blob = gml_dec_blob(&dec);
	out->blob_off = gml_dec_varint(&dec);
	gml_dec_epoch(&dec);
	return gml_dec_end(&dec) && gml_extent_ok(out);
}

static int extent_open(struct gml_txn *txn, gml_ino ino, struct gml_span key, struct gml_span value,
		       struct gml_extent *out)
{
	int rc = gml_rec_unseal(txn, GML_TABLE_EXTENT, key, &value);
	return rc != 0 || extent_decode(ino, key, value, out)
		       ? rc
		       : gml_txn_corrupt(txn, GML_TABLE_EXTENT, key);
}

int gml_rec_extent_find(struct gml_txn *txn, gml_ino ino, uint64_t off, struct gml_extent *out)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint8_t want[EXTENT_KEY_MAX + 1];
	size_t len;
	int rc = gml_cursor_open(txn, GML_TABLE_EXTENT, &cursor);
	if (rc != 0)
		return rc;
	len = extent_key(want, ino, off);
	want[len++] = 0; /* right after `off`: the last one before it begins at or before off */
	rc = gml_cursor_before(cursor, gml_span_of(want, len), &key, &value);
	if (rc == 0 && gml_ino_key_is(key, ino)) {
		rc = extent_open(txn, ino, key, value, out);
		if (rc != 0)
			goto out;
		if (off - out->off < out->len)
			goto out;
	} else if (rc != 0 && rc != GML_ERR_NOENT) {
		goto out;
	}
	rc = gml_cursor_seek(cursor, gml_span_of(want, len), &key, &value);
	if (rc == 0 && !gml_ino_key_is(key, ino))
		rc = GML_ERR_NOENT;
	if (rc == 0)
		rc = extent_open(txn, ino, key, value, out);
out:
	gml_cursor_close(cursor);
	return rc;
}

int gml_rec_extent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		       const struct gml_extent *extent)
{
	struct gml_enc enc;
	uint8_t key[EXTENT_KEY_MAX];
	size_t len;
	if (!gml_extent_ok(extent))
		return GML_ERR_INVAL;
	len = extent_key(key, ino, extent->off);
	gml_enc_init(&enc, EXTENT_FORMAT);
	gml_enc_varint(&enc, extent->len);
	gml_enc_blob(&enc, extent->blob);
	gml_enc_varint(&enc, extent->blob_off);
	gml_enc_varint(&enc, line->epoch);
	return gml_enc_put(&enc, txn, GML_TABLE_EXTENT, gml_span_of(key, len));
}

int gml_rec_extent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, uint64_t off)
{
	uint8_t key[EXTENT_KEY_MAX];
	size_t len = extent_key(key, ino, off);
	gml_assert(line->newest < line->epoch);
	return gml_txn_del(txn, GML_TABLE_EXTENT, gml_span_of(key, len));
}
