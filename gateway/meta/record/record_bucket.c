// SPDX-License-Identifier: Apache-2.0
/* Table bucket: name -> record; table super, GML_SUPER_ROOT + root ino -> format byte + name. */
#include "record_internal.h"
#include "gateway/base/assert.h"

/* Without flags it is written in the plain format, which older programs read. */
enum { BUCKET_FORMAT = 2, BUCKET_FORMAT_PLAIN = 1, BUCKET_INDEX_FORMAT = 1 };

static bool bucket_decode(struct gml_span value, struct gml_bucket_rec *out)
{
	struct gml_dec dec;
	uint8_t format;
	gml_dec_init(&dec, value);
	format = gml_dec_u8(&dec);
	out->root = gml_dec_varint(&dec);
	out->uploads = gml_dec_varint(&dec);
	out->uid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->created = (int64_t)gml_dec_u64(&dec);
	out->bytes = gml_dec_varint(&dec);
	out->objects = gml_dec_varint(&dec);
	out->quota_bytes = gml_dec_varint(&dec);
	out->quota_objects = gml_dec_varint(&dec);
	out->flags = format == BUCKET_FORMAT ? (uint32_t)gml_dec_max(&dec, GML_BUCKET_RELAXED) : 0;
	return gml_dec_end(&dec) && (format == BUCKET_FORMAT || format == BUCKET_FORMAT_PLAIN);
}

/* ---- what a write transaction knows: buckets, by root modulo GML_REC_BUCKET_NOTES ---- */
struct bucket_note {
	gml_ino root; /* 0: free */
	bool relaxed;
};
_Static_assert(sizeof(struct bucket_note[GML_REC_BUCKET_NOTES]) <= GML_TXN_LOCAL,
	       "GML_TXN_LOCAL is too small");

static struct bucket_note *bucket_slot(struct gml_txn *txn, gml_ino root)
{
	struct bucket_note *notes = gml_txn_local(txn);
	return &notes[root % GML_REC_BUCKET_NOTES];
}

/* Only write transactions take notes. */
static void bucket_note(struct gml_txn *txn, gml_ino root, bool relaxed)
{
	if (gml_txn_local(txn) != NULL)
		*bucket_slot(txn, root) = (struct bucket_note){root, relaxed};
}

static bool bucket_look_relaxed(struct gml_txn *txn, gml_ino root)
{
	char name[GML_BUCKET_NAME_MAX + 1];
	struct gml_bucket_rec rec;
	return gml_rec_bucket_by_root(txn, root, name, &rec) == 0 &&
	       (rec.flags & GML_BUCKET_RELAXED);
}

bool gml_rec_bucket_relaxed(struct gml_txn *txn, gml_ino root)
{
	gml_assert(txn->writable);
	if (root == 0)
		return false;
	if (gml_txn_local(txn) == NULL)
		return bucket_look_relaxed(txn, root);
	if (bucket_slot(txn, root)->root != root)
		bucket_note(txn, root, bucket_look_relaxed(txn, root));
	return bucket_slot(txn, root)->relaxed;
}

static void bucket_root_key(uint8_t key[9], gml_ino root)
{
	key[0] = GML_SUPER_ROOT;
	gml_key_u64(key + 1, root);
}

int gml_rec_bucket_get(struct gml_txn *txn, struct gml_span name, struct gml_bucket_rec *out)
{
	struct gml_span value;
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOENT;
	rc = gml_txn_get(txn, GML_TABLE_BUCKET, name, &value);
	if (rc != 0)
		return rc;
	if (!bucket_decode(value, out))
		return gml_txn_corrupt(txn, GML_TABLE_BUCKET);
	/* Most that change a bucket have it in their hands before. */
	bucket_note(txn, out->root, out->flags & GML_BUCKET_RELAXED);
	return 0;
}

int gml_rec_bucket_by_root(struct gml_txn *txn, gml_ino root,
			   char name_out[GML_BUCKET_NAME_MAX + 1], struct gml_bucket_rec *out)
{
	struct gml_span value;
	const uint8_t *p;
	uint8_t key[9];
	int rc;
	bucket_root_key(key, root);
	rc = gml_txn_get(txn, GML_TABLE_SUPER, GML_SPAN(key, 9), &value);
	if (rc != 0)
		return rc;
	p = value.ptr;
	if (value.len < 2 || value.len > GML_BUCKET_NAME_MAX + 1 || p[0] != BUCKET_INDEX_FORMAT)
		return gml_txn_corrupt(txn, GML_TABLE_SUPER);
	memcpy(name_out, p + 1, value.len - 1);
	name_out[value.len - 1] = 0;
	rc = gml_rec_bucket_get(txn, GML_SPAN(p + 1, value.len - 1), out);
	if (rc == GML_ERR_NOENT || (rc == 0 && out->root != root))
		return gml_txn_corrupt(txn, GML_TABLE_BUCKET);
	return rc;
}

static int bucket_index_put(struct gml_txn *txn, struct gml_span name, gml_ino root)
{
	struct gml_enc enc;
	uint8_t key[9];
	bucket_root_key(key, root);
	gml_enc_init(&enc, BUCKET_INDEX_FORMAT);
	gml_enc_raw(&enc, name.ptr, name.len);
	return gml_enc_put(&enc, txn, GML_TABLE_SUPER, GML_SPAN(key, 9));
}

static int bucket_index_del(struct gml_txn *txn, gml_ino root)
{
	uint8_t key[9];
	int rc;
	bucket_root_key(key, root);
	rc = gml_txn_del(txn, GML_TABLE_SUPER, GML_SPAN(key, 9));
	return rc == GML_ERR_NOENT ? gml_txn_corrupt(txn, GML_TABLE_SUPER) : rc;
}

int gml_rec_bucket_put(struct gml_txn *txn, struct gml_span name, const struct gml_bucket_rec *rec)
{
	struct gml_bucket_rec old = {0};
	char copy[GML_BUCKET_NAME_MAX];
	struct gml_enc enc;
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX || rec->root == 0)
		return GML_ERR_INVAL;
	memcpy(copy, name.ptr, name.len); /* it may be borrowed from the index */
	name.ptr = copy;
	rc = gml_rec_bucket_get(txn, name, &old);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	rc = 0;
	if (old.root != rec->root) {
		rc = old.root == 0 ? 0 : bucket_index_del(txn, old.root);
		if (rc == 0)
			rc = bucket_index_put(txn, name, rec->root);
	}
	if (rc != 0)
		return rc;
	gml_enc_init(&enc, rec->flags != 0 ? BUCKET_FORMAT : BUCKET_FORMAT_PLAIN);
	gml_enc_varint(&enc, rec->root);
	gml_enc_varint(&enc, rec->uploads);
	gml_enc_varint(&enc, rec->uid);
	gml_enc_u64(&enc, (uint64_t)rec->created);
	gml_enc_varint(&enc, rec->bytes);
	gml_enc_varint(&enc, rec->objects);
	gml_enc_varint(&enc, rec->quota_bytes);
	gml_enc_varint(&enc, rec->quota_objects);
	if (rec->flags != 0)
		gml_enc_varint(&enc, rec->flags);
	bucket_note(txn, rec->root, rec->flags & GML_BUCKET_RELAXED);
	return gml_enc_put(&enc, txn, GML_TABLE_BUCKET, name);
}

int gml_rec_bucket_del(struct gml_txn *txn, struct gml_span name)
{
	struct gml_bucket_rec old;
	char copy[GML_BUCKET_NAME_MAX];
	int rc = gml_rec_bucket_get(txn, name, &old);
	if (rc != 0)
		return rc;
	memcpy(copy, name.ptr, name.len);
	bucket_note(txn, old.root, false);
	rc = bucket_index_del(txn, old.root);
	return rc != 0 ? rc : gml_txn_del(txn, GML_TABLE_BUCKET, GML_SPAN(copy, name.len));
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
		return gml_txn_corrupt(walk->txn, GML_TABLE_BUCKET);
	return walk->each(walk->arg, key, &rec) ? 0 : GML_REC_STOP;
}

int gml_rec_bucket_each(struct gml_txn *txn, struct gml_span after,
			bool (*each)(void *arg, struct gml_span name,
				     const struct gml_bucket_rec *rec),
			void *arg)
{
	struct bucket_each walk = {txn, each, arg};
	uint8_t from[GML_REC_KEY_MAX];
	/* Clients name `after`: beyond the longest key its beginning decides. */
	size_t len = after.len < sizeof(from) ? after.len : sizeof(from) - 1;
	if (len > 0) {
		memcpy(from, after.ptr, len);
		from[len++] = 0;
	}
	return gml_rec_scan(txn, GML_TABLE_BUCKET, GML_SPAN(from, len), GML_SPAN(NULL, 0),
			    bucket_each_one, &walk);
}
