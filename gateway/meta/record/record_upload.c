// SPDX-License-Identifier: Apache-2.0
/* Tables upload: id (16 bytes) -> record; part: id + number (u32) -> record. */
#include "record_internal.h"

enum { UPLOAD_FORMAT = 2, PART_FORMAT = 1, PART_EXTENT_SIZE = 32 };

static bool upload_decode(struct gml_span value, struct gml_upload_rec *out)
{
	struct gml_dec dec;
	uint8_t checksum;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, UPLOAD_FORMAT);
	out->bucket = gml_dec_ino(&dec);
	out->uid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->gid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->initiated = (int64_t)gml_dec_u64(&dec);
	checksum = gml_dec_u8(&dec);
	out->checksum_algorithm = checksum & 0x7f;
	out->checksum_composite = checksum >> 7;
	out->key = gml_dec_span(&dec, GML_KEY_MAX);
	out->headers = gml_dec_span(&dec, GML_REC_HEADERS_MAX);
	out->meta = gml_dec_span(&dec, GML_REC_PAIRS_MAX);
	out->grants = gml_span_of(NULL, 0);
	if (!dec.bad && dec.p != dec.end) {
		out->grants = gml_dec_span(&dec, GML_REC_GRANTS_MAX);
		dec.bad |= out->grants.len == 0;
	}
	return gml_dec_end(&dec) && out->checksum_algorithm <= GML_CHECKSUM_SHA256;
}

int gml_rec_upload_get(struct gml_txn *txn, const uint8_t id[16], struct gml_upload_rec *out)
{
	struct gml_span value;
	int rc = gml_rec_get(txn, GML_TABLE_UPLOAD, gml_span_of(id, 16), &value);
	if (rc != 0)
		return rc;
	return upload_decode(value, out)
		       ? 0
		       : gml_txn_corrupt(txn, GML_TABLE_UPLOAD, gml_span_of(id, 16));
}

int gml_rec_upload_put(struct gml_txn *txn, const uint8_t id[16], const struct gml_upload_rec *rec)
{
	struct gml_enc enc;
	if (rec->key.len > GML_KEY_MAX || rec->headers.len > GML_REC_HEADERS_MAX ||
	    rec->meta.len > GML_REC_PAIRS_MAX || rec->grants.len > GML_REC_GRANTS_MAX ||
	    rec->checksum_algorithm > GML_CHECKSUM_SHA256)
		return GML_ERR_INVAL;
	gml_enc_init(&enc, UPLOAD_FORMAT);
	gml_enc_ino(&enc, rec->bucket);
	gml_enc_varint(&enc, rec->uid);
	gml_enc_varint(&enc, rec->gid);
	gml_enc_u64(&enc, (uint64_t)rec->initiated);
	gml_enc_u8(&enc, (uint8_t)(rec->checksum_algorithm | (rec->checksum_composite ? 0x80 : 0)));
	gml_enc_span(&enc, rec->key);
	gml_enc_span(&enc, rec->headers);
	gml_enc_span(&enc, rec->meta);
	if (rec->grants.len != 0)
		gml_enc_span(&enc, rec->grants);
	return gml_enc_put(&enc, txn, GML_TABLE_UPLOAD, gml_span_of(id, 16));
}

int gml_rec_upload_del(struct gml_txn *txn, const uint8_t id[16])
{
	return gml_txn_del(txn, GML_TABLE_UPLOAD, gml_span_of(id, 16));
}

struct upload_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, const uint8_t id[16], const struct gml_upload_rec *rec);
	void *arg;
};

static int upload_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct upload_each *walk = arg;
	struct gml_upload_rec rec;
	if (key.len != 16 || !upload_decode(value, &rec))
		return gml_txn_corrupt(walk->txn, GML_TABLE_UPLOAD, key);
	return walk->each(walk->arg, key.ptr, &rec) ? 0 : GML_REC_STOP;
}

int gml_rec_upload_each(struct gml_txn *txn,
			bool (*each)(void *arg, const uint8_t id[16],
				     const struct gml_upload_rec *rec),
			void *arg)
{
	struct upload_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_UPLOAD, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    upload_each_one, &walk);
}

/* ---- parts ---- */
static void part_key(uint8_t key[20], const uint8_t id[16], uint32_t number)
{
	memcpy(key, id, 16);
	gml_key_u32(key + 16, number);
}

static bool part_decode(struct gml_span value, struct gml_part_rec *out)
{
	struct gml_dec dec;
	size_t len;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, PART_FORMAT);
	out->size = gml_dec_varint(&dec);
	out->mtime = (int64_t)gml_dec_u64(&dec);
	gml_dec_copy(&dec, out->md5, sizeof(out->md5));
	gml_dec_checksum(&dec, &out->checksum);
	out->nextents = (uint32_t)gml_dec_max(&dec, GML_REC_VALUE_MAX / PART_EXTENT_SIZE);
	len = (size_t)out->nextents * PART_EXTENT_SIZE;
	out->extents = gml_span_of(gml_dec_bytes(&dec, len), len);
	return gml_dec_end(&dec);
}

int gml_rec_part_get(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     struct gml_part_rec *out)
{
	struct gml_span value;
	uint8_t key[20];
	int rc;
	part_key(key, id, number);
	rc = gml_rec_get(txn, GML_TABLE_PART, gml_span_of(key, 20), &value);
	if (rc != 0)
		return rc;
	return part_decode(value, out) ? 0
				       : gml_txn_corrupt(txn, GML_TABLE_PART, gml_span_of(key, 20));
}

int gml_rec_part_put(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     const struct gml_part_rec *rec, const struct gml_extent *extents)
{
	struct gml_enc enc;
	uint8_t key[20];
	if (rec->checksum.algorithm > GML_CHECKSUM_SHA256)
		return GML_ERR_INVAL;
	if (rec->nextents > GML_REC_VALUE_MAX / PART_EXTENT_SIZE - 4)
		return GML_ERR_TOOBIG;
	for (uint32_t i = 0; i < rec->nextents; i++) {
		if (!gml_extent_ok(&extents[i]))
			return GML_ERR_INVAL;
		gml_assert(i == 0 || extents[i - 1].off + extents[i - 1].len <= extents[i].off);
	}
	part_key(key, id, number);
	gml_enc_init(&enc, PART_FORMAT);
	gml_enc_varint(&enc, rec->size);
	gml_enc_u64(&enc, (uint64_t)rec->mtime);
	gml_enc_raw(&enc, rec->md5, sizeof(rec->md5));
	gml_enc_checksum(&enc, &rec->checksum);
	gml_enc_varint(&enc, rec->nextents);
	for (uint32_t i = 0; i < rec->nextents; i++) {
		gml_enc_u64(&enc, extents[i].off);
		gml_enc_u64(&enc, extents[i].blob);
		gml_enc_u64(&enc, extents[i].blob_off);
		gml_enc_u64(&enc, extents[i].len);
	}
	return gml_enc_put(&enc, txn, GML_TABLE_PART, gml_span_of(key, 20));
}

int gml_rec_part_del(struct gml_txn *txn, const uint8_t id[16], uint32_t number)
{
	uint8_t key[20];
	part_key(key, id, number);
	return gml_txn_del(txn, GML_TABLE_PART, gml_span_of(key, 20));
}

int gml_rec_part_extent(const struct gml_part_rec *rec, uint32_t i, struct gml_extent *out)
{
	struct gml_dec dec;
	if (i >= rec->nextents || rec->extents.len < ((size_t)i + 1) * PART_EXTENT_SIZE)
		return GML_ERR_INVAL;
	gml_dec_init(&dec,
		     gml_span_of((const uint8_t *)rec->extents.ptr + (size_t)i * PART_EXTENT_SIZE,
				 PART_EXTENT_SIZE));
	out->off = gml_dec_u64(&dec);
	out->blob = gml_dec_u64(&dec);
	out->blob_off = gml_dec_u64(&dec);
	out->len = gml_dec_u64(&dec);
	return gml_extent_ok(out) ? 0 : GML_ERR_CORRUPT;
}

struct part_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, uint32_t number, const struct gml_part_rec *rec);
	void *arg;
};

static int part_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct part_each *walk = arg;
	struct gml_part_rec rec;
	if (key.len != 20 || !part_decode(value, &rec))
		return gml_txn_corrupt(walk->txn, GML_TABLE_PART, key);
	return walk->each(walk->arg, gml_key_read_u32((const uint8_t *)key.ptr + 16), &rec)
		       ? 0
		       : GML_REC_STOP;
}

int gml_rec_part_each(struct gml_txn *txn, const uint8_t id[16], uint32_t after,
		      bool (*each)(void *arg, uint32_t number, const struct gml_part_rec *rec),
		      void *arg)
{
	struct part_each walk = {txn, each, arg};
	uint8_t from[20];
	if (after == UINT32_MAX)
		return 0;
	part_key(from, id, after + 1);
	return gml_rec_scan(txn, GML_TABLE_PART, gml_span_of(from, 20), gml_span_of(from, 16),
			    part_each_one, &walk);
}
