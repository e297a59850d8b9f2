// SPDX-License-Identifier: Apache-2.0
/* Table bucket: name -> record. A bucket's line (record_line.c) leads from its root to its name. */
#include "record_internal.h"

enum { BUCKET_FORMAT = 3 };

static bool bucket_decode(struct gml_span value, struct gml_bucket_rec *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, BUCKET_FORMAT);
	out->root = gml_dec_ino(&dec);
	out->uploads = gml_dec_ino_of(&dec, out->root.view);
	out->uid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->created = (int64_t)gml_dec_u64(&dec);
	return gml_dec_end(&dec) && !gml_ino_is_none(out->root);
}

int gml_rec_bucket_get(struct gml_txn *txn, struct gml_span name, struct gml_bucket_rec *out)
{
	struct gml_span value;
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOENT;
	rc = gml_rec_get(txn, GML_TABLE_BUCKET, name, &value);
	if (rc != 0)
		return rc;
	return bucket_decode(value, out) ? 0 : gml_txn_corrupt(txn, GML_TABLE_BUCKET, name);
}

int gml_rec_bucket_by_root(struct gml_txn *txn, gml_ino root,
			   char name_out[GML_BUCKET_NAME_MAX + 1], struct gml_bucket_rec *out)
{
	struct gml_span name;
	int rc = gml_rec_line_name(txn, gml_line_id(root), name_out);
	if (rc != 0)
		return rc;
	name = gml_span_text(name_out);
	rc = gml_rec_bucket_get(txn, name, out);
	if (rc == GML_ERR_NOENT || (rc == 0 && !gml_ino_equal(out->root, root)))
		return gml_txn_corrupt(txn, GML_TABLE_BUCKET, name);
	return rc;
}

int gml_rec_bucket_put(struct gml_txn *txn, struct gml_span name, const struct gml_bucket_rec *rec)
{
	struct gml_enc enc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX || gml_ino_is_none(rec->root))
		return GML_ERR_INVAL;
	gml_enc_init(&enc, BUCKET_FORMAT);
	gml_enc_ino(&enc, rec->root);
	gml_enc_varint(&enc, rec->uploads.num);
	gml_enc_varint(&enc, rec->uid);
	gml_enc_u64(&enc, (uint64_t)rec->created);
	return gml_enc_put(&enc, txn, GML_TABLE_BUCKET, name);
}

int gml_rec_bucket_del(struct gml_txn *txn, struct gml_span name)
{
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOENT;
	return gml_txn_del(txn, GML_TABLE_BUCKET, name);
}

struct bucket_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, struct gml_span name, const struct gml_bucket_rec *rec);
	void *arg;
};

static int bucket_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct bucket_each *walk = arg;
	struct gml_bucket_rec rec;
	if (!bucket_decode(value, &rec))
		return gml_txn_corrupt(walk->txn, GML_TABLE_BUCKET, key);
	return walk->each(walk->arg, key, &rec) ? 0 : GML_REC_STOP;
}

int gml_rec_bucket_each(struct gml_txn *txn, struct gml_span after,
			bool (*each)(void *arg, struct gml_span name,
				     const struct gml_bucket_rec *rec),
			void *arg)
{
	struct bucket_each walk = {txn, each, arg};
	uint8_t from[GML_REC_KEY_MAX];
	/* `after` comes from clients: of one that is longer than any key, the beginning decides. */
	size_t len = after.len < sizeof(from) ? after.len : sizeof(from) - 1;
	if (len > 0) {
		memcpy(from, after.ptr, len);
		from[len++] = 0;
	}
	return gml_rec_scan(txn, GML_TABLE_BUCKET, gml_span_of(from, len), gml_span_of(NULL, 0),
			    bucket_each_one, &walk);
}
