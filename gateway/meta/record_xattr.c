/* Table xattr: ino (u64) + name -> format byte + value. */
#include "record_internal.h"

enum { XATTR_FORMAT = 1 };

struct xattr_key {
	size_t len;
	uint8_t bytes[8 + GML_XATTR_NAME_MAX + 1];
};

static bool xattr_key_make(struct xattr_key *key, gml_ino ino, struct gml_span name)
{
	if (name.len > GML_XATTR_NAME_MAX)
		return false;
	gml_key_u64(key->bytes, ino);
	if (name.len > 0)
		memcpy(key->bytes + 8, name.ptr, name.len);
	key->len = 8 + name.len;
	return true;
}

static bool xattr_decode(struct gml_span value, struct gml_span *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, XATTR_FORMAT);
	if (dec.bad)
		return false;
	*out = GML_SPAN(dec.p, (size_t)(dec.end - dec.p));
	return true;
}

int gml_rec_xattr_get(struct gml_txn *txn, gml_ino ino, struct gml_span name, struct gml_span *value_out)
{
	struct xattr_key key;
	struct gml_span value;
	int rc;
	if (!xattr_key_make(&key, ino, name))
		return GML_ERR_NOENT;
	rc = gml_txn_get(txn, GML_TABLE_XATTR, GML_SPAN(key.bytes, key.len), &value);
	if (rc != 0)
		return rc;
	return xattr_decode(value, value_out) ? 0 : gml_txn_corrupt(txn, GML_TABLE_XATTR);
}

int gml_rec_xattr_put(struct gml_txn *txn, gml_ino ino, struct gml_span name, struct gml_span value)
{
	struct xattr_key key;
	struct gml_enc enc;
	if (name.len == 0)
		return GML_ERR_INVAL;
	if (!xattr_key_make(&key, ino, name))
		return GML_ERR_NAMETOOLONG;
	if (value.len > GML_XATTR_VALUE_MAX)
		return GML_ERR_TOOBIG;
	gml_enc_init(&enc, XATTR_FORMAT);
	gml_enc_raw(&enc, value.ptr, value.len);
	return gml_enc_put(&enc, txn, GML_TABLE_XATTR, GML_SPAN(key.bytes, key.len));
}

int gml_rec_xattr_del(struct gml_txn *txn, gml_ino ino, struct gml_span name)
{
	struct xattr_key key;
	if (!xattr_key_make(&key, ino, name))
		return GML_ERR_NOENT;
	return gml_txn_del(txn, GML_TABLE_XATTR, GML_SPAN(key.bytes, key.len));
}

struct xattr_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, struct gml_span name, struct gml_span value);
	void *arg;
};

static int xattr_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct xattr_each *walk = arg;
	struct gml_span content;
	if (key.len < 9 || !xattr_decode(value, &content))
		return gml_txn_corrupt(walk->txn, GML_TABLE_XATTR);
	return walk->each(walk->arg, GML_SPAN((const uint8_t *)key.ptr + 8, key.len - 8), content) ? 0 : GML_REC_STOP;
}

int gml_rec_xattr_each(struct gml_txn *txn, gml_ino ino, struct gml_span after,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value), void *arg)
{
	struct xattr_each walk = {txn, each, arg};
	struct xattr_key from;
	if (!xattr_key_make(&from, ino, after))
		return GML_ERR_NAMETOOLONG;
	if (after.ptr != NULL)
		from.bytes[from.len++] = 0; /* the key right after it */
	return gml_rec_scan(txn, GML_TABLE_XATTR, GML_SPAN(from.bytes, from.len), GML_SPAN(from.bytes, 8),
			    xattr_each_one, &walk);
}
