// SPDX-License-Identifier: Apache-2.0
/* Table link: ino, parent (of the same view: its number, u64), cookie (u64) -> since when, until
 * when. */
#include "gateway/base/assert.h"
#include "record_internal.h"

enum { LINK_FORMAT = 1, LINK_KEY_MAX = GML_INO_KEY_MAX + 16 };

/* Until when, of a name that is there. */
enum { LINK_UNTIL = 0 };

static struct gml_span link_key(uint8_t key[LINK_KEY_MAX], gml_ino ino, gml_ino parent,
				uint64_t cookie)
{
	size_t len = gml_ino_key(key, ino);
	gml_key_u64(key + len, parent.num);
	gml_key_u64(key + len + 8, cookie);
	return gml_span_of(key, len + 16);
}

int gml_rec_link_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie)
{
	uint8_t key[LINK_KEY_MAX];
	struct gml_enc enc;
	gml_assert(parent.view == ino.view && !gml_ino_is_none(parent) && cookie != 0);
	gml_enc_init(&enc, LINK_FORMAT);
	gml_enc_varint(&enc, line->epoch);
	gml_enc_varint(&enc, LINK_UNTIL);
	return gml_enc_put(&enc, txn, GML_TABLE_LINK, link_key(key, ino, parent, cookie));
}

int gml_rec_link_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie)
{
	uint8_t key[LINK_KEY_MAX];
	gml_assert(line->newest < line->epoch);
	return gml_txn_del(txn, GML_TABLE_LINK, link_key(key, ino, parent, cookie));
}

struct link_each {
	struct gml_txn *txn;
	gml_ino ino;
	bool (*each)(void *arg, gml_ino parent, uint64_t cookie);
	void *arg;
};

static int link_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct link_each *walk = arg;
	size_t len = gml_ino_key_len(walk->ino);
	const uint8_t *p = (const uint8_t *)key.ptr + len;
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, LINK_FORMAT);
	gml_dec_epoch(&dec);
	(void)gml_dec_max(&dec, LINK_UNTIL);
	if (key.len != len + 16 || !gml_dec_end(&dec))
		return gml_txn_corrupt(walk->txn, GML_TABLE_LINK, key);
	return walk->each(walk->arg, gml_ino_of(walk->ino.view, gml_key_read_u64(p)),
			  gml_key_read_u64(p + 8))
		       ? 0
		       : GML_REC_STOP;
}

int gml_rec_link_each(struct gml_txn *txn, gml_ino ino,
		      bool (*each)(void *arg, gml_ino parent, uint64_t cookie), void *arg)
{
	struct link_each walk = {txn, ino, each, arg};
	uint8_t prefix[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(prefix, ino);
	return gml_rec_scan(txn, GML_TABLE_LINK, gml_span_of(prefix, len), gml_span_of(prefix, len),
			    link_each_one, &walk);
}
