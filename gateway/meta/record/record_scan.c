// SPDX-License-Identifier: Apache-2.0
/* Walks of whole tables, and the checksum that every record ends with. */
#include "gateway/base/crc.h"
#include "record_internal.h"

int gml_rec_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_txn_count(txn, table, count_out);
	if (rc != GML_ERR_NOTSUP)
		return rc;
	rc = gml_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return rc;
	*count_out = 0;
	for (rc = gml_cursor_seek(cursor, gml_span_of(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value))
		++*count_out;
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* ---- seals ---- */
uint32_t gml_rec_seal(enum gml_table table, struct gml_span key, struct gml_span value)
{
	uint64_t crc = gml_crc_update(GML_CRC_32C, (uint64_t)table, key.ptr, key.len);
	return (uint32_t)gml_crc_update(GML_CRC_32C, crc, value.ptr, value.len);
}

int gml_rec_unseal(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		   struct gml_span *value)
{
	uint32_t seal;
	if (value->len < sizeof(seal) + 1)
		return gml_txn_corrupt(txn, table, key);
	value->len -= sizeof(seal);
	memcpy(&seal, (const uint8_t *)value->ptr + value->len, sizeof(seal));
	return seal == gml_rec_seal(table, key, *value) ? 0 : gml_txn_corrupt(txn, table, key);
}

int gml_rec_verify(struct gml_txn *txn, enum gml_table table,
		   void (*damaged)(void *arg, enum gml_table table, struct gml_span key), void *arg)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return rc;
	for (rc = gml_cursor_seek(cursor, gml_span_of(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		if (table == GML_TABLE_SUPER && *(const uint8_t *)key.ptr < GML_SUPER_RECORDS)
			continue; /* the engine's own */
		if (gml_rec_unseal(txn, table, key, &value) != 0)
			damaged(arg, table, key);
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* ---- walks ---- */
int gml_rec_scan(struct gml_txn *txn, enum gml_table table, struct gml_span from,
		 struct gml_span prefix, gml_rec_scan_fn each, void *arg)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_cursor_open(txn, table, &cursor);
	gml_assert(prefix.len == 0 ||
		   (from.len >= prefix.len && memcmp(from.ptr, prefix.ptr, prefix.len) == 0));
	if (rc != 0)
		return rc;
	for (rc = gml_cursor_seek(cursor, from, &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		if (key.len < prefix.len ||
		    (prefix.len > 0 && memcmp(key.ptr, prefix.ptr, prefix.len) != 0))
			break;
		rc = gml_rec_unseal(txn, table, key, &value);
		if (rc == 0)
			rc = each(arg, key, value);
		if (rc != 0)
			break;
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT || rc == GML_REC_STOP ? 0 : rc;
}
