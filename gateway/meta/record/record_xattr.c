// SPDX-License-Identifier: Apache-2.0
/* Table xattr: ino + name -> format byte + value. A name over XATTR_PLAIN_MAX bytes does not fit a
 * key: its key has the beginning and a hash instead, and its record the whole name. */
#include <gemel/checksum.h>
#include "gateway/base/assert.h"
#include "record_internal.h"

enum { XATTR_FORMAT = 2, XATTR_FORMAT_LONG = 3 };

#define XATTR_PLAIN_MAX GML_XATTR_NAME_MAX
#define XATTR_LONG_PREFIX 200 /* bytes of a long name in its key */
#define XATTR_HASH GML_CHECKSUM_SIZE_MAX

_Static_assert(XATTR_LONG_PREFIX + 1 + XATTR_HASH <= GML_XATTR_NAME_MAX, "a long name's key fits");

struct xattr_key {
	size_t len, ino_len;
	uint8_t bytes[GML_INO_KEY_MAX + GML_XATTR_NAME_MAX + 1];
};

/* Names hold no NUL, so the one before the hash tells such a key from that of a plain name. */
static int xattr_key_make(struct xattr_key *key, gml_ino ino, struct gml_span name)
{
	uint8_t *rest;
	if (name.len > GML_REC_XATTR_NAME_MAX)
		return GML_ERR_NAMETOOLONG;
	key->ino_len = gml_ino_key(key->bytes, ino);
	rest = key->bytes + key->ino_len;
	if (name.len > XATTR_PLAIN_MAX) {
		memcpy(rest, name.ptr, XATTR_LONG_PREFIX);
		rest[XATTR_LONG_PREFIX] = 0;
		key->len = key->ino_len + XATTR_LONG_PREFIX + 1 + XATTR_HASH;
		gml_sha256(name.ptr, name.len, rest + XATTR_LONG_PREFIX + 1);
		return 0;
	}
	if (name.len > 0)
		memcpy(rest, name.ptr, name.len);
	key->len = key->ino_len + name.len;
	return 0;
}

/* name_out: as the record has it, if it does; else unchanged. */
static bool xattr_decode(struct gml_span value, struct gml_span *name_out, struct gml_span *out)
{
	struct gml_dec dec;
	uint8_t format;
	gml_dec_init(&dec, value);
	format = gml_dec_u8(&dec);
	gml_dec_epoch(&dec);
	if (format == XATTR_FORMAT_LONG) {
		*name_out = gml_dec_span(&dec, GML_REC_XATTR_NAME_MAX);
		dec.bad |= name_out->len <= XATTR_PLAIN_MAX;
	}
	if (dec.bad || (format != XATTR_FORMAT && format != XATTR_FORMAT_LONG))
		return false;
	*out = gml_span_of(dec.p, (size_t)(dec.end - dec.p));
	return out->len <= GML_XATTR_VALUE_MAX &&
	       (format == XATTR_FORMAT_LONG || name_out->len <= XATTR_PLAIN_MAX);
}

int gml_rec_xattr_get(struct gml_txn *txn, gml_ino ino, struct gml_span name,
		      struct gml_span *value_out)
{
	struct gml_span value, found = name;
	struct xattr_key key;
	int rc = xattr_key_make(&key, ino, name);
	if (rc == 0)
		rc = gml_rec_get(txn, GML_TABLE_XATTR, gml_span_of(key.bytes, key.len), &value);
	if (rc != 0)
		return rc == GML_ERR_NAMETOOLONG ? GML_ERR_NOENT : rc;
	if (!xattr_decode(value, &found, value_out) || found.len != name.len ||
	    (found.len > 0 && memcmp(found.ptr, name.ptr, name.len) != 0))
		return gml_txn_corrupt(txn, GML_TABLE_XATTR, gml_span_of(key.bytes, key.len));
	return 0;
}

int gml_rec_xattr_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name, struct gml_span value)
{
	bool is_long = name.len > XATTR_PLAIN_MAX;
	struct xattr_key key;
	struct gml_enc enc;
	int rc;
	/* A NUL tells the key of a long name from that of a plain one. */
	gml_assert(name.len == 0 || memchr(name.ptr, 0, name.len) == NULL);
	if (name.len == 0)
		return GML_ERR_INVAL;
	rc = xattr_key_make(&key, ino, name);
	if (rc != 0)
		return rc;
	if (value.len > GML_XATTR_VALUE_MAX)
		return GML_ERR_TOOBIG;
	gml_enc_init(&enc, is_long ? XATTR_FORMAT_LONG : XATTR_FORMAT);
	gml_enc_varint(&enc, line->epoch);
	if (is_long)
		gml_enc_span(&enc, name);
	gml_enc_raw(&enc, value.ptr, value.len);
	return gml_enc_put(&enc, txn, GML_TABLE_XATTR, gml_span_of(key.bytes, key.len));
}

int gml_rec_xattr_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name)
{
	struct xattr_key key;
	int rc = xattr_key_make(&key, ino, name);
	gml_assert(line->newest < line->epoch);
	if (rc != 0)
		return rc == GML_ERR_NAMETOOLONG ? GML_ERR_NOENT : rc;
	return gml_txn_del(txn, GML_TABLE_XATTR, gml_span_of(key.bytes, key.len));
}

struct xattr_each {
	struct gml_txn *txn;
	size_t ino_len; /* of the keys' beginning */
	bool (*each)(void *arg, struct gml_span name, struct gml_span value);
	void *arg;
};

static int xattr_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct xattr_each *walk = arg;
	struct gml_span content, name;
	if (key.len <= walk->ino_len)
		return gml_txn_corrupt(walk->txn, GML_TABLE_XATTR, key);
	name = gml_span_of((const uint8_t *)key.ptr + walk->ino_len, key.len - walk->ino_len);
	if (!xattr_decode(value, &name, &content))
		return gml_txn_corrupt(walk->txn, GML_TABLE_XATTR, key);
	return walk->each(walk->arg, name, content) ? 0 : GML_REC_STOP;
}

int gml_rec_xattr_each(struct gml_txn *txn, gml_ino ino, struct gml_span after,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		       void *arg)
{
	struct xattr_each walk = {txn, gml_ino_key_len(ino), each, arg};
	struct xattr_key from;
	int rc = xattr_key_make(&from, ino, after);
	if (rc != 0)
		return rc;
	if (after.ptr != NULL)
		from.bytes[from.len++] = 0; /* the key right after it */
	return gml_rec_scan(txn, GML_TABLE_XATTR, gml_span_of(from.bytes, from.len),
			    gml_span_of(from.bytes, from.ino_len), xattr_each_one, &walk);
}
