// SPDX-License-Identifier: Apache-2.0
/* Tables orphan: ino -> time; dirty: ino -> owning process. */
#include "record_internal.h"

enum { ORPHAN_FORMAT = 2, DIRTY_FORMAT = 2 };

/* ---- what tables with one small record per inode share ---- */
static int orphan_put_enc(struct gml_txn *txn, enum gml_table table, gml_ino ino,
			  struct gml_enc *enc)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	return gml_enc_put(enc, txn, table, gml_span_of(key, len));
}

static int orphan_get_value(struct gml_txn *txn, enum gml_table table, gml_ino ino,
			    struct gml_span *value_out)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	return gml_rec_get(txn, table, gml_span_of(key, len), value_out);
}

static int orphan_corrupt(struct gml_txn *txn, enum gml_table table, gml_ino ino)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	return gml_txn_corrupt(txn, table, gml_span_of(key, len));
}

static int orphan_del_key(struct gml_txn *txn, enum gml_table table, gml_ino ino)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	return gml_txn_del(txn, table, gml_span_of(key, len));
}

static bool orphan_key_read(struct gml_span key, gml_ino *ino_out)
{
	size_t len = gml_ino_key_read(key, ino_out);
	return len > 0 && len == key.len;
}

static int orphan_scan(struct gml_txn *txn, enum gml_table table, gml_ino after,
		       gml_rec_scan_fn each, void *arg)
{
	uint8_t from[GML_INO_KEY_MAX + 1];
	size_t len = gml_ino_key(from, after);
	from[len++] = 0; /* the key right after it */
	return gml_rec_scan(txn, table, gml_span_of(from, len), gml_span_of(NULL, 0), each, arg);
}

/* ---- orphan ---- */
static bool orphan_decode(struct gml_span value, int64_t *since_out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, ORPHAN_FORMAT);
	*since_out = (int64_t)gml_dec_u64(&dec);
	gml_dec_epoch(&dec);
	return gml_dec_end(&dec);
}

int gml_rec_orphan_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, int64_t since)
{
	struct gml_enc enc;
	gml_enc_init(&enc, ORPHAN_FORMAT);
	gml_enc_u64(&enc, (uint64_t)since);
	gml_enc_varint(&enc, line->epoch);
	return orphan_put_enc(txn, GML_TABLE_ORPHAN, ino, &enc);
}

int gml_rec_orphan_get(struct gml_txn *txn, gml_ino ino, int64_t *since_out)
{
	struct gml_span value;
	int rc = orphan_get_value(txn, GML_TABLE_ORPHAN, ino, &value);
	if (rc != 0)
		return rc;
	return orphan_decode(value, since_out) ? 0 : orphan_corrupt(txn, GML_TABLE_ORPHAN, ino);
}

int gml_rec_orphan_date(struct gml_txn *txn, gml_ino ino, int64_t since)
{
	int64_t before;
	int rc = gml_rec_orphan_get(txn, ino, &before);
	if (rc != 0 || before <= since)
		return rc;
	return gml_rec_orphan_put(txn, &gml_line_none, ino, since); /* all are of one epoch */
}

int gml_rec_orphan_del(struct gml_txn *txn, gml_ino ino)
{
	return orphan_del_key(txn, GML_TABLE_ORPHAN, ino);
}

struct orphan_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, gml_ino ino, int64_t since);
	void *arg;
};

static int orphan_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct orphan_each *walk = arg;
	int64_t since;
	gml_ino ino;
	if (!orphan_key_read(key, &ino) || !orphan_decode(value, &since))
		return gml_txn_corrupt(walk->txn, GML_TABLE_ORPHAN, key);
	return walk->each(walk->arg, ino, since) ? 0 : GML_REC_STOP;
}

int gml_rec_orphan_each(struct gml_txn *txn, gml_ino after,
			bool (*each)(void *arg, gml_ino ino, int64_t since), void *arg)
{
	struct orphan_each walk = {txn, each, arg};
	return orphan_scan(txn, GML_TABLE_ORPHAN, after, orphan_each_one, &walk);
}

/* ---- dirty ---- */
static bool dirty_decode(struct gml_span value, struct gml_owner *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, DIRTY_FORMAT);
	gml_dec_owner(&dec, out);
	return gml_dec_end(&dec);
}

int gml_rec_dirty_put(struct gml_txn *txn, gml_ino ino, const struct gml_owner *owner)
{
	struct gml_enc enc;
	gml_enc_init(&enc, DIRTY_FORMAT);
	gml_enc_owner(&enc, owner);
	return orphan_put_enc(txn, GML_TABLE_DIRTY, ino, &enc);
}

int gml_rec_dirty_get(struct gml_txn *txn, gml_ino ino, struct gml_owner *owner_out)
{
	struct gml_span value;
	int rc = orphan_get_value(txn, GML_TABLE_DIRTY, ino, &value);
	if (rc != 0)
		return rc;
	return dirty_decode(value, owner_out) ? 0 : orphan_corrupt(txn, GML_TABLE_DIRTY, ino);
}

int gml_rec_dirty_del(struct gml_txn *txn, gml_ino ino)
{
	return orphan_del_key(txn, GML_TABLE_DIRTY, ino);
}

struct dirty_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, gml_ino ino, const struct gml_owner *owner);
	void *arg;
};

static int dirty_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct dirty_each *walk = arg;
	struct gml_owner owner;
	gml_ino ino;
	if (!orphan_key_read(key, &ino) || !dirty_decode(value, &owner))
		return gml_txn_corrupt(walk->txn, GML_TABLE_DIRTY, key);
	return walk->each(walk->arg, ino, &owner) ? 0 : GML_REC_STOP;
}

int gml_rec_dirty_each(struct gml_txn *txn, gml_ino after,
		       bool (*each)(void *arg, gml_ino ino, const struct gml_owner *owner),
		       void *arg)
{
	struct dirty_each walk = {txn, each, arg};
	return orphan_scan(txn, GML_TABLE_DIRTY, after, dirty_each_one, &walk);
}
