// SPDX-License-Identifier: Apache-2.0
/* Helpers that several record codecs share. */
#ifndef GML_META_RECORD_INTERNAL_H
#define GML_META_RECORD_INTERNAL_H

#include "codec.h"
#include "record.h"

/* Every value ends with its seal: the CRC32C of key and value, begun with the table's number as the
 * CRC of what is before. So a damaged value is found, and one that stands under another key or in
 * another table. */
uint32_t gml_rec_seal(enum gml_table table, struct gml_span key, struct gml_span value);
/* Takes the seal off *value. CORRUPT (logged) when it is not the record's; *value may be cut
 * then. */
int gml_rec_unseal(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		   struct gml_span *value);
/* gml_txn_get, without the seal. NOENT, CORRUPT. */
static inline int gml_rec_get(struct gml_txn *txn, enum gml_table table, struct gml_span key,
			      struct gml_span *value_out)
{
	int rc = gml_txn_get(txn, table, key, value_out);
	return rc != 0 ? rc : gml_rec_unseal(txn, table, key, value_out);
}

/* Rows under one number, as in tables line, usage and blob. get: NOENT, CORRUPT. corrupt: as
 * gml_txn_corrupt. */
static inline int gml_rec_num_get(struct gml_txn *txn, enum gml_table table, uint64_t num,
				  struct gml_span *value_out)
{
	uint8_t key[8];
	gml_key_u64(key, num);
	return gml_rec_get(txn, table, gml_span_of(key, 8), value_out);
}
static inline int gml_rec_num_put(struct gml_txn *txn, enum gml_table table, uint64_t num,
				  struct gml_enc *enc)
{
	uint8_t key[8];
	gml_key_u64(key, num);
	return gml_enc_put(enc, txn, table, gml_span_of(key, 8));
}
static inline int gml_rec_num_del(struct gml_txn *txn, enum gml_table table, uint64_t num)
{
	uint8_t key[8];
	gml_key_u64(key, num);
	return gml_txn_del(txn, table, gml_span_of(key, 8));
}
static inline int gml_rec_num_corrupt(struct gml_txn *txn, enum gml_table table, uint64_t num)
{
	uint8_t key[8];
	gml_key_u64(key, num);
	return gml_txn_corrupt(txn, table, gml_span_of(key, 8));
}

/* The stamp of a versioned row: the epoch in which it was put. Until there are snapshots, all of
 * them are of the first epoch, and other ones are refused. */
#define GML_EPOCH_FIRST 1
static inline void gml_dec_epoch(struct gml_dec *dec)
{
	if (gml_dec_varint(dec) != GML_EPOCH_FIRST)
		dec->bad = true;
}

/* Calls `each` for the entries whose key begins with `prefix`, ascending from the first key >=
 * `from`. each: 0 = go on, GML_REC_STOP = enough, else an error that scan returns. */
#define GML_REC_STOP (-1)
typedef int (*gml_rec_scan_fn)(void *arg, struct gml_span key, struct gml_span value);
int gml_rec_scan(struct gml_txn *txn, enum gml_table table, struct gml_span from,
		 struct gml_span prefix, gml_rec_scan_fn each, void *arg);

/* Blob ids as varints. What says how to read it goes to the bottom, so that small numbers stay
 * short: of a segment bit 63, of a file the 7 bits of its kind, above a clear bit. */
static inline void gml_enc_blob(struct gml_enc *enc, uint64_t blob)
{
	gml_enc_varint(enc, blob >> 63 ? blob << 1 | 1 : blob << 8 | blob >> 56 << 1);
}
static inline uint64_t gml_dec_blob(struct gml_dec *dec)
{
	uint64_t value = gml_dec_varint(dec);
	return value & 1 ? value >> 1 | UINT64_C(1) << 63 : value >> 8 | (value & 0xff) << 55;
}

/* A range that an extent may cover: not empty, of a blob, no overflow in the file or the blob. */
static inline bool gml_extent_ok(const struct gml_extent *extent)
{
	return extent->len > 0 && extent->blob != 0 && extent->off <= UINT64_MAX - extent->len &&
	       extent->blob_off <= UINT64_MAX - extent->len;
}

#endif
