// SPDX-License-Identifier: Apache-2.0
#include "gateway/base/assert.h"
#include "dirent.h"

enum { DIRENT_FORMAT = 3, DIRENT_FORMAT_NODE = 2, COOKIE_FORMAT = 1 };

/* Older versions of a name, which snapshots show: there are none yet. */
enum { DIRENT_VERSIONS = 0 };

size_t gml_dirent_key(uint8_t key[GML_DIRENT_KEY_MAX], gml_ino parent, const uint8_t *name,
		      size_t len)
{
	size_t parent_len = gml_ino_key(key, parent);
	gml_assert(!gml_ino_is_none(parent) && len <= GML_DIRENT_PLAIN);
	if (len > 0)
		memcpy(key + parent_len, name, len);
	return parent_len + len;
}

size_t gml_dirent_key_more(uint8_t key[GML_DIRENT_KEY_MAX], gml_ino parent, const uint8_t *name)
{
	size_t len = gml_dirent_key(key, parent, name, GML_DIRENT_PLAIN);
	key[len] = 0;
	return len + 1;
}

bool gml_dirent_decode(struct gml_span value, uint64_t view, struct gml_dirent *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, DIRENT_FORMAT);
	out->type = gml_dec_u8(&dec);
	out->ino = gml_dec_ino_of(&dec, view);
	out->cookie = gml_dec_varint(&dec);
	gml_dec_epoch(&dec);
	(void)gml_dec_max(&dec, DIRENT_VERSIONS);
	return gml_dec_end(&dec) && out->type >= GML_REG && out->type <= GML_SOCK;
}

bool gml_dirent_decode_node(struct gml_span value, uint64_t view, gml_ino *node_out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, DIRENT_FORMAT_NODE);
	*node_out = gml_dec_ino_of(&dec, view);
	return gml_dec_end(&dec) && !gml_ino_is_none(*node_out);
}

size_t gml_cookie_key(uint8_t key[GML_COOKIE_KEY_MAX], gml_ino parent, uint64_t cookie)
{
	size_t len = gml_ino_key(key, parent);
	gml_key_u64(key + len, cookie);
	return len + 8;
}

bool gml_cookie_decode(struct gml_span value, struct gml_span *name_out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, COOKIE_FORMAT);
	*name_out = gml_span_of(dec.p, dec.bad ? 0 : (size_t)(dec.end - dec.p));
	return !dec.bad && name_out->len <= GML_REC_NAME_MAX;
}

/* Where a name is stored: the nodes on the way, and the rest of the name under the last one. */
struct dirent_place {
	gml_ino node[GML_DIRENT_LEVELS]; /* node[0] = the parent itself */
	unsigned level;
	const uint8_t *rest;
	size_t rest_len;
};

/* NOENT: a continuation on the way does not exist, and *place has the deepest node that does. */
static int dirent_walk(struct gml_txn *txn, gml_ino parent, struct gml_span name,
		       struct dirent_place *place)
{
	if (name.len > GML_REC_NAME_MAX)
		return GML_ERR_NAMETOOLONG;
	place->node[0] = parent;
	place->level = 0;
	place->rest = name.ptr;
	place->rest_len = name.len;
	while (place->rest_len > GML_DIRENT_PLAIN) {
		uint8_t key[GML_DIRENT_KEY_MAX];
		size_t len = gml_dirent_key_more(key, place->node[place->level], place->rest);
		struct gml_span value;
		int rc = gml_rec_get(txn, GML_TABLE_DIRENT, gml_span_of(key, len), &value);
		if (rc != 0)
			return rc;
		if (!gml_dirent_decode_node(value, parent.view, &place->node[place->level + 1]))
			return gml_txn_corrupt(txn, GML_TABLE_DIRENT, gml_span_of(key, len));
		gml_assert(place->level + 1 < GML_DIRENT_LEVELS);
		place->level++;
		place->rest += GML_DIRENT_PLAIN;
		place->rest_len -= GML_DIRENT_PLAIN;
	}
	return 0;
}

static int dirent_get_at(struct gml_txn *txn, const struct dirent_place *place,
			 struct gml_dirent *out)
{
	uint8_t key[GML_DIRENT_KEY_MAX];
	size_t len = gml_dirent_key(key, place->node[place->level], place->rest, place->rest_len);
	struct gml_span value;
	int rc = gml_rec_get(txn, GML_TABLE_DIRENT, gml_span_of(key, len), &value);
	if (rc != 0)
		return rc;
	return gml_dirent_decode(value, place->node[0].view, out)
		       ? 0
		       : gml_txn_corrupt(txn, GML_TABLE_DIRENT, gml_span_of(key, len));
}

int gml_rec_dirent_get(struct gml_txn *txn, gml_ino parent, struct gml_span name,
		       struct gml_dirent *out)
{
	struct dirent_place place;
	int rc = dirent_walk(txn, parent, name, &place);
	return rc != 0 ? rc : dirent_get_at(txn, &place, out);
}

/* Makes the continuations that dirent_walk did not find. */
static int dirent_extend(struct gml_txn *txn, struct dirent_place *place)
{
	while (place->rest_len > GML_DIRENT_PLAIN) {
		uint8_t key[GML_DIRENT_KEY_MAX];
		size_t len = gml_dirent_key_more(key, place->node[place->level], place->rest);
		gml_ino node = gml_ino_of(place->node[0].view, gml_txn_next_id(txn));
		struct gml_enc enc;
		int rc;
		if (gml_ino_is_none(node))
			return GML_ERR_CORRUPT;
		gml_enc_init(&enc, DIRENT_FORMAT_NODE);
		gml_enc_varint(&enc, node.num);
		rc = gml_enc_put(&enc, txn, GML_TABLE_DIRENT, gml_span_of(key, len));
		if (rc != 0)
			return rc;
		gml_assert(place->level + 1 < GML_DIRENT_LEVELS);
		place->node[++place->level] = node;
		place->rest += GML_DIRENT_PLAIN;
		place->rest_len -= GML_DIRENT_PLAIN;
	}
	return 0;
}

static int cookie_put(struct gml_txn *txn, gml_ino parent, uint64_t cookie, struct gml_span name)
{
	struct gml_enc enc;
	uint8_t key[GML_COOKIE_KEY_MAX];
	size_t len = gml_cookie_key(key, parent, cookie);
	gml_assert(cookie != 0); /* READDIR begins after it */
	gml_enc_init(&enc, COOKIE_FORMAT);
	gml_enc_raw(&enc, name.ptr, name.len);
	return gml_enc_put(&enc, txn, GML_TABLE_COOKIE, gml_span_of(key, len));
}

static int cookie_del(struct gml_txn *txn, gml_ino parent, uint64_t cookie)
{
	uint8_t key[GML_COOKIE_KEY_MAX];
	size_t len = gml_cookie_key(key, parent, cookie);
	int rc = gml_txn_del(txn, GML_TABLE_COOKIE, gml_span_of(key, len));
	return rc == GML_ERR_NOENT ? gml_txn_corrupt(txn, GML_TABLE_COOKIE, gml_span_of(key, len))
				   : rc;
}

/* The row says the child's number only. */
static bool dirent_child_ok(gml_ino parent, gml_ino child)
{
	bool ok = gml_ino_beside(parent, child) || gml_ino_equal(parent, GML_INO_ROOT);
	gml_assert(ok);
	return ok;
}

static int dirent_put_at(struct gml_txn *txn, const struct gml_line *line,
			 const struct dirent_place *place, const struct gml_dirent *dirent)
{
	uint8_t key[GML_DIRENT_KEY_MAX];
	size_t len = gml_dirent_key(key, place->node[place->level], place->rest, place->rest_len);
	struct gml_enc enc;
	gml_assert(dirent->type >= GML_REG && dirent->type <= GML_SOCK);
	gml_enc_init(&enc, DIRENT_FORMAT);
	gml_enc_u8(&enc, dirent->type);
	gml_enc_varint(&enc, dirent->ino.num);
	gml_enc_varint(&enc, dirent->cookie);
	gml_enc_varint(&enc, line->epoch);
	gml_enc_varint(&enc, DIRENT_VERSIONS);
	return gml_enc_put(&enc, txn, GML_TABLE_DIRENT, gml_span_of(key, len));
}

int gml_rec_dirent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, const struct gml_dirent *dirent)
{
	uint8_t copy[GML_REC_NAME_MAX];
	struct dirent_place place;
	struct gml_dirent old = {0};
	int rc;
	if (!dirent_child_ok(parent, dirent->ino))
		return GML_ERR_INVAL;
	if (name.len > sizeof(copy))
		return GML_ERR_NAMETOOLONG;
	if (name.len >
	    0) /* it may be borrowed from a record, and there are several writes to come */
		memcpy(copy, name.ptr, name.len);
	name.ptr = copy;
	rc = dirent_walk(txn, parent, name, &place);
	if (rc == 0)
		rc = dirent_get_at(txn, &place, &old);
	if (rc == GML_ERR_NOENT)
		rc = dirent_extend(txn, &place);
	if (rc == 0 && old.cookie != 0 && old.cookie != dirent->cookie)
		rc = cookie_del(txn, parent, old.cookie);
	if (rc != 0)
		return rc;
	rc = dirent_put_at(txn, line, &place, dirent);
	if (rc == 0 && dirent->cookie != 0 && old.cookie != dirent->cookie)
		rc = cookie_put(txn, parent, dirent->cookie, name);
	return rc;
}

int gml_rec_dirent_replace(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
			   struct gml_span name, struct gml_dirent *dirent,
			   struct gml_dirent *old_out)
{
	struct dirent_place place;
	int rc;
	if (!dirent_child_ok(parent, dirent->ino))
		return GML_ERR_INVAL;
	rc = dirent_walk(txn, parent, name, &place);
	if (rc == 0)
		rc = dirent_get_at(txn, &place, old_out);
	if (rc != 0)
		return rc;
	dirent->cookie = old_out->cookie;
	return dirent_put_at(txn, line, &place, dirent);
}

int gml_rec_dirent_any(struct gml_txn *txn, gml_ino parent)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint8_t prefix[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(prefix, parent);
	int rc = gml_cursor_open(txn, GML_TABLE_DIRENT, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_cursor_seek(cursor, gml_span_of(prefix, len), &key, &value);
	if (rc == 0 && !gml_ino_key_is(key, parent))
		rc = GML_ERR_NOENT;
	gml_cursor_close(cursor);
	return rc;
}

int gml_rec_dirent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, struct gml_dirent *old_out)
{
	uint8_t copy[GML_REC_NAME_MAX], key[GML_DIRENT_KEY_MAX];
	struct dirent_place place;
	struct gml_dirent old;
	size_t len;
	int rc;
	gml_assert(line->newest < line->epoch);
	if (name.len > sizeof(copy))
		return GML_ERR_NAMETOOLONG;
	if (name.len > 0)
		memcpy(copy, name.ptr, name.len);
	name.ptr = copy;
	rc = dirent_walk(txn, parent, name, &place);
	if (rc == 0)
		rc = dirent_get_at(txn, &place, &old);
	if (rc != 0)
		return rc;
	len = gml_dirent_key(key, place.node[place.level], place.rest, place.rest_len);
	rc = gml_txn_del(txn, GML_TABLE_DIRENT, gml_span_of(key, len));
	/* Nodes that became empty go with their last name, innermost first. */
	for (unsigned level = place.level; rc == 0 && level > 0; level--) {
		rc = gml_rec_dirent_any(txn, place.node[level]);
		if (rc == 0)
			break;
		if (rc != GML_ERR_NOENT)
			return rc;
		len = gml_dirent_key_more(key, place.node[level - 1],
					  copy + (level - 1) * GML_DIRENT_PLAIN);
		rc = gml_txn_del(txn, GML_TABLE_DIRENT, gml_span_of(key, len));
	}
	if (rc == 0 && old.cookie != 0)
		rc = cookie_del(txn, parent, old.cookie);
	if (rc == 0 && old_out != NULL)
		*old_out = old;
	return rc;
}

int gml_rec_cookie_get(struct gml_txn *txn, gml_ino parent, uint64_t cookie,
		       struct gml_span *name_out)
{
	struct gml_span value;
	uint8_t key[GML_COOKIE_KEY_MAX];
	size_t len = gml_cookie_key(key, parent, cookie);
	int rc;
	rc = gml_rec_get(txn, GML_TABLE_COOKIE, gml_span_of(key, len), &value);
	if (rc != 0)
		return rc;
	return gml_cookie_decode(value, name_out)
		       ? 0
		       : gml_txn_corrupt(txn, GML_TABLE_COOKIE, gml_span_of(key, len));
}
