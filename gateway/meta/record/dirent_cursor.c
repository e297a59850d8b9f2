// SPDX-License-Identifier: Apache-2.0
/* Ordered walk of a parent's names, through continuation nodes (dirent.h), and the walk in cookie
 * order. */
#include "dirent.h"
#include <stdlib.h>

struct gml_dirent_cursor {
	struct gml_txn *txn;
	struct gml_cursor *names, *cookies; /* opened when first needed */
	/* node[0] = the parent; node[i] holds what follows i * GML_DIRENT_PLAIN bytes of name */
	gml_ino node[GML_DIRENT_LEVELS];
	unsigned level;
	bool placed;
	size_t name_len;
	uint8_t name[GML_REC_NAME_MAX + GML_DIRENT_PLAIN];
};

int gml_dirent_cursor_open(struct gml_txn *txn, gml_ino parent, struct gml_dirent_cursor **out)
{
	struct gml_dirent_cursor *cursor = malloc(sizeof(*cursor));
	*out = cursor;
	if (cursor == NULL)
		return GML_ERR_NOMEM;
	cursor->txn = txn;
	cursor->names = cursor->cookies = NULL;
	cursor->node[0] = parent;
	cursor->level = 0;
	cursor->placed = false;
	cursor->name_len = 0;
	return 0;
}

void gml_dirent_cursor_close(struct gml_dirent_cursor *cursor)
{
	if (cursor == NULL)
		return;
	gml_cursor_close(cursor->names);
	gml_cursor_close(cursor->cookies);
	free(cursor);
}

/* Leaves a node at its end: goes to what follows its continuation in the node above. */
static int dirent_cursor_leave(struct gml_dirent_cursor *cursor, struct gml_span *key,
			       struct gml_span *value)
{
	uint8_t after[GML_DIRENT_KEY_MAX];
	size_t len;
	gml_assert(cursor->level > 0);
	cursor->level--;
	len = gml_dirent_key_more(after, cursor->node[cursor->level],
				  cursor->name + cursor->level * GML_DIRENT_PLAIN);
	after[len++] = 0;
	return gml_cursor_seek(cursor->names, gml_span_of(after, len), key, value);
}

/* `rc`, `key`, `value`: what a move in table dirent found. Goes down continuations, and out of
 * nodes at their end, until an entry is reached. The spans are used where the engine has just
 * written them: to copy one is to wait for both halves, 7 ns an entry of a walk. */
static int dirent_cursor_normalize(struct gml_dirent_cursor *cursor, int rc, struct gml_span *key,
				   struct gml_span *value, struct gml_span *name_out,
				   struct gml_dirent *out)
{
	uint64_t view = cursor->node[0].view;
	size_t parent_len = gml_ino_key_len(cursor->node[0]);
	for (;;) {
		size_t base = cursor->level * GML_DIRENT_PLAIN, len;
		uint8_t first[GML_INO_KEY_MAX];
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
		if (rc == GML_ERR_NOENT || !gml_ino_key_is(*key, cursor->node[cursor->level])) {
			if (cursor->level == 0)
				return GML_ERR_NOENT;
			rc = dirent_cursor_leave(cursor, key, value);
			continue;
		}
		rc = gml_rec_unseal(cursor->txn, GML_TABLE_DIRENT, *key, value);
		if (rc != 0)
			return rc;
		len = key->len - parent_len;
		if (len <= GML_DIRENT_PLAIN) {
			if (!gml_dirent_decode(*value, view, out) || base + len > GML_REC_NAME_MAX)
				return gml_txn_corrupt(cursor->txn, GML_TABLE_DIRENT, *key);
			if (len > 0)
				memcpy(cursor->name + base, (const uint8_t *)key->ptr + parent_len,
				       len);
			cursor->name_len = base + len;
			cursor->placed = true;
			*name_out = gml_span_of(cursor->name, cursor->name_len);
			return 0;
		}
		if (len != GML_DIRENT_PLAIN + 1 || cursor->level + 1 >= GML_DIRENT_LEVELS ||
		    !gml_dirent_decode_node(*value, view, &cursor->node[cursor->level + 1]))
			return gml_txn_corrupt(cursor->txn, GML_TABLE_DIRENT, *key);
		memcpy(cursor->name + base, (const uint8_t *)key->ptr + parent_len,
		       GML_DIRENT_PLAIN);
		cursor->level++;
		len = gml_ino_key(first, cursor->node[cursor->level]);
		rc = gml_cursor_seek(cursor->names, gml_span_of(first, len), key, value);
	}
}

/* Goes down the continuations of the name. *whole_out false: one does not exist, and the place that
 * is sought comes directly after where it would be. */
static int dirent_cursor_descend(struct gml_dirent_cursor *cursor, struct gml_span name,
				 bool *whole_out)
{
	*whole_out = true;
	cursor->level = 0;
	for (size_t base = 0; name.len - base > GML_DIRENT_PLAIN; base += GML_DIRENT_PLAIN) {
		uint8_t key[GML_DIRENT_KEY_MAX];
		size_t len =
			gml_dirent_key_more(key, cursor->node[cursor->level], cursor->name + base);
		struct gml_span value;
		int rc = gml_rec_get(cursor->txn, GML_TABLE_DIRENT, gml_span_of(key, len), &value);
		if (rc == GML_ERR_NOENT) {
			*whole_out = false;
			return 0;
		}
		if (rc != 0)
			return rc;
		if (!gml_dirent_decode_node(value, cursor->node[0].view,
					    &cursor->node[cursor->level + 1]))
			return gml_txn_corrupt(cursor->txn, GML_TABLE_DIRENT,
					       gml_span_of(key, len));
		gml_assert(cursor->level + 1 < GML_DIRENT_LEVELS);
		cursor->level++;
	}
	return 0;
}

int gml_dirent_cursor_seek(struct gml_dirent_cursor *cursor, struct gml_span name, bool inclusive,
			   struct gml_span *name_out, struct gml_dirent *out)
{
	uint8_t want[GML_DIRENT_KEY_MAX];
	struct gml_span key = {0}, value = {0};
	const uint8_t *rest;
	size_t len;
	bool whole;
	int rc = cursor->names == NULL
			 ? gml_cursor_open(cursor->txn, GML_TABLE_DIRENT, &cursor->names)
			 : 0;
	cursor->placed = false;
	if (rc != 0)
		return rc;
	if (name.len >
	    /* stored names are shorter: what follows its beginning follows it */
	    GML_REC_NAME_MAX) {
		name.len = GML_REC_NAME_MAX;
		inclusive = false;
	}
	if (name.len > 0)
		memmove(cursor->name, name.ptr,
			name.len); /* it may be the name this cursor returned */
	rc = dirent_cursor_descend(cursor, name, &whole);
	if (rc != 0)
		return rc;
	rest = cursor->name + cursor->level * GML_DIRENT_PLAIN;
	if (whole)
		len = gml_dirent_key(want, cursor->node[cursor->level], rest,
				     name.len - cursor->level * GML_DIRENT_PLAIN);
	else
		len = gml_dirent_key_more(want, cursor->node[cursor->level], rest);
	rc = gml_cursor_seek(cursor->names, gml_span_of(want, len), &key, &value);
	if (rc == 0 && !inclusive && key.len == len && memcmp(key.ptr, want, len) == 0)
		rc = gml_cursor_next(cursor->names, &key, &value);
	return dirent_cursor_normalize(cursor, rc, &key, &value, name_out, out);
}

int gml_dirent_cursor_next(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
			   struct gml_dirent *out)
{
	struct gml_span key = {0}, value = {0};
	int rc;
	if (!cursor->placed)
		return GML_ERR_NOENT;
	cursor->placed = false;
	rc = gml_cursor_next(cursor->names, &key, &value);
	return dirent_cursor_normalize(cursor, rc, &key, &value, name_out, out);
}

/* The entry at the position of the cookie cursor. */
static int dirent_cursor_cookie(struct gml_dirent_cursor *cursor, int rc, struct gml_span key,
				struct gml_span value, struct gml_span *name_out,
				struct gml_dirent *out)
{
	size_t parent_len = gml_ino_key_len(cursor->node[0]);
	struct gml_span name;
	if (rc != 0)
		return rc;
	if (!gml_ino_key_is(key, cursor->node[0]))
		return GML_ERR_NOENT;
	rc = gml_rec_unseal(cursor->txn, GML_TABLE_COOKIE, key, &value);
	if (rc != 0)
		return rc;
	if (key.len != parent_len + 8 || !gml_cookie_decode(value, &name))
		return gml_txn_corrupt(cursor->txn, GML_TABLE_COOKIE, key);
	if (name.len > 0)
		memcpy(cursor->name, name.ptr, name.len);
	cursor->name_len = name.len;
	*name_out = gml_span_of(cursor->name, name.len);
	rc = gml_rec_dirent_get(cursor->txn, cursor->node[0], *name_out, out);
	if (rc == GML_ERR_NOENT ||
	    (rc == 0 && out->cookie != gml_key_read_u64((const uint8_t *)key.ptr + parent_len)))
		return gml_txn_corrupt(cursor->txn, GML_TABLE_COOKIE, key);
	return rc;
}

int gml_dirent_cursor_after_cookie(struct gml_dirent_cursor *cursor, uint64_t after,
				   struct gml_span *name_out, struct gml_dirent *out)
{
	uint8_t want[GML_COOKIE_KEY_MAX];
	size_t len;
	struct gml_span key = {0}, value = {0};
	int rc = cursor->cookies == NULL
			 ? gml_cursor_open(cursor->txn, GML_TABLE_COOKIE, &cursor->cookies)
			 : 0;
	cursor->placed = false;
	if (rc != 0)
		return rc;
	if (after == UINT64_MAX)
		return GML_ERR_NOENT;
	len = gml_cookie_key(want, cursor->node[0], after + 1);
	rc = gml_cursor_seek(cursor->cookies, gml_span_of(want, len), &key, &value);
	return dirent_cursor_cookie(cursor, rc, key, value, name_out, out);
}

int gml_dirent_cursor_next_cookie(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
				  struct gml_dirent *out)
{
	struct gml_span key = {0}, value = {0};
	int rc;
	cursor->placed = false;
	if (cursor->cookies == NULL)
		return GML_ERR_NOENT;
	rc = gml_cursor_next(cursor->cookies, &key, &value);
	return dirent_cursor_cookie(cursor, rc, key, value, name_out, out);
}
