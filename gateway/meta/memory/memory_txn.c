// SPDX-License-Identifier: Apache-2.0
/* Transactions and cursors of the engine in memory. A cursor is a key: each step searches for it
 * anew, so changes under a cursor need no care. */
#include <stdlib.h>
#include <string.h>
#include "memory.h"
#include "gateway/base/span.h"

struct memory_cursor {
	struct gml_cursor head;
	enum gml_table table;
	bool placed;
	size_t key_len;
	uint8_t key[GML_MEMORY_KEY_MAX];
};

int gml_memory_read_begin(struct gml_meta *head, struct gml_txn **txn_out)
{
	struct gml_memory *memory = gml_memory_of(head);
	struct gml_memory_txn *txn = malloc(sizeof(*txn));
	*txn_out = NULL;
	if (txn == NULL)
		return GML_ERR_NOMEM;
	memset(txn, 0, offsetof(struct gml_memory_txn, local));
	txn->head = (struct gml_txn){.engine = head->engine, .meta = head};
	txn->version = gml_memory_current(memory->store);
	atomic_fetch_add_explicit(&memory->reads, 1, memory_order_relaxed);
	*txn_out = &txn->head;
	return 0;
}

void gml_memory_read_end(struct gml_txn *head)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(head);
	gml_assert(head->cursors == 0);
	gml_memory_version_unref(txn->version);
	free(txn);
}

uint64_t gml_memory_txn_seq(const struct gml_txn *head)
{
	return ((const struct gml_memory_txn *)head)->version->seq;
}

/* ---- what is lent (memory.h, invariant 3) ---- */
void gml_memory_lent_end(struct gml_memory_txn *txn)
{
	while (txn->lent != NULL) {
		struct gml_memory_lent *lent = txn->lent;
		txn->lent = lent->next;
		memset(lent->bytes, 0xdb, lent->len);
		free(lent);
	}
}

static bool memory_is_lent(const struct gml_memory_txn *txn, struct gml_span span)
{
	uintptr_t at = (uintptr_t)span.ptr;
	for (const struct gml_memory_lent *lent = txn->lent; lent != NULL; lent = lent->next) {
		uintptr_t from = (uintptr_t)lent->bytes;
		if (span.len > 0 && at < from + lent->len && from < at + span.len)
			return true;
	}
	return false;
}

static int memory_fail(struct gml_memory_txn *txn, int rc)
{
	if (txn->head.writable && txn->failed == 0)
		txn->failed = rc;
	return rc;
}

static int memory_lend(struct gml_memory_txn *txn, struct gml_span span, struct gml_span *out)
{
	struct gml_memory_lent *lent;
	if (!txn->head.writable) {
		*out = span;
		return 0;
	}
	lent = malloc(sizeof(*lent) + span.len + 1);
	if (lent == NULL)
		return memory_fail(txn, GML_ERR_NOMEM);
	lent->len = span.len;
	memcpy(lent->bytes, span.ptr, span.len);
	lent->next = txn->lent;
	txn->lent = lent;
	*out = gml_span_of(lent->bytes, span.len);
	return 0;
}

/* ---- keys and values ---- */
static bool memory_key_ok(struct gml_span key)
{
	return key.len > 0 && key.len <= GML_MEMORY_KEY_MAX;
}

int gml_memory_get(struct gml_txn *head, enum gml_table table, struct gml_span key,
		   struct gml_span *value_out)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(head);
	const struct gml_tree_entry *entry;
	if (!memory_key_ok(key))
		return GML_ERR_INVAL;
	entry = gml_tree_find(txn->version->root[table], key);
	return entry == NULL ? GML_ERR_NOENT : memory_lend(txn, gml_tree_value(entry), value_out);
}

static uint64_t memory_capacity(const struct gml_memory_txn *txn)
{
	return gml_memory_of(txn->head.meta)->store->capacity;
}

int gml_memory_put(struct gml_txn *head, enum gml_table table, struct gml_span key,
		   struct gml_span value)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(head);
	struct gml_memory_version *version = txn->version;
	const struct gml_tree_entry *old;
	struct gml_tree_entry *entry;
	uint64_t bytes;
	int rc;
	if (!memory_key_ok(key))
		return GML_ERR_INVAL;
	if (value.len > GML_MEMORY_VALUE_MAX)
		return GML_ERR_TOOBIG;
	gml_assert(!memory_is_lent(txn, value));
	entry = gml_tree_entry_new(key, value);
	if (entry == NULL)
		return memory_fail(txn, GML_ERR_NOMEM);
	txn->writes++;
	old = gml_tree_find(version->root[table], key);
	bytes = version->bytes + gml_tree_entry_size(entry) -
		(old == NULL ? 0 : gml_tree_entry_size(old));
	if (bytes > memory_capacity(txn)) {
		gml_tree_entry_unref(entry);
		return memory_fail(txn, GML_ERR_NOSPC);
	}
	version->bytes = bytes;
	version->count[table] += old == NULL;
	rc = gml_tree_put(&version->root[table], entry);
	gml_memory_lent_end(txn);
	return rc == 0 ? 0 : memory_fail(txn, rc);
}

int gml_memory_del(struct gml_txn *head, enum gml_table table, struct gml_span key)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(head);
	struct gml_memory_version *version = txn->version;
	const struct gml_tree_entry *old;
	int rc;
	if (!memory_key_ok(key))
		return GML_ERR_INVAL;
	old = gml_tree_find(version->root[table], key);
	if (old == NULL)
		return GML_ERR_NOENT;
	gml_assert(version->count[table] > 0 && version->bytes >= gml_tree_entry_size(old));
	txn->writes++;
	version->bytes -= gml_tree_entry_size(old);
	version->count[table]--;
	rc = gml_tree_del(&version->root[table], key);
	gml_memory_lent_end(txn); /* the key may be one of them */
	return rc == 0 ? 0 : memory_fail(txn, rc);
}

uint64_t gml_memory_next_id(struct gml_txn *head)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(head);
	if (txn->version->last_id + 1 >= GML_ENGINE_ID_END) {
		memory_fail(txn, gml_txn_ids_end(head));
		return 0;
	}
	return ++txn->version->last_id;
}

int gml_memory_count(struct gml_txn *head, enum gml_table table, uint64_t *count_out)
{
	*count_out = gml_memory_txn_of(head)->version->count[table];
	return 0;
}

/* ---- cursors ---- */
int gml_memory_cursor_open(struct gml_txn *head, enum gml_table table,
			   struct gml_cursor **cursor_out)
{
	struct memory_cursor *cursor = malloc(sizeof(*cursor));
	*cursor_out = NULL;
	if (cursor == NULL)
		return memory_fail(gml_memory_txn_of(head), GML_ERR_NOMEM);
	cursor->head = (struct gml_cursor){head->engine, head};
	cursor->table = table;
	cursor->placed = false;
	head->cursors++;
	*cursor_out = &cursor->head;
	return 0;
}

void gml_memory_cursor_close(struct gml_cursor *head)
{
	head->txn->cursors--;
	free(head);
}

static int memory_cursor_place(struct memory_cursor *cursor, const struct gml_tree_entry *entry,
			       struct gml_span *key_out, struct gml_span *value_out)
{
	struct gml_memory_txn *txn = gml_memory_txn_of(cursor->head.txn);
	int rc;
	cursor->placed = entry != NULL;
	if (entry == NULL)
		return GML_ERR_NOENT;
	cursor->key_len = entry->key_len;
	memcpy(cursor->key, entry->bytes, entry->key_len);
	rc = memory_lend(txn, gml_tree_key(entry), key_out);
	return rc == 0 ? memory_lend(txn, gml_tree_value(entry), value_out) : rc;
}

static const struct gml_tree_node *memory_cursor_root(const struct memory_cursor *cursor)
{
	return gml_memory_txn_of(cursor->head.txn)->version->root[cursor->table];
}

int gml_memory_cursor_seek(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			   struct gml_span *value_out)
{
	struct memory_cursor *cursor = (struct memory_cursor *)head;
	if (key.len > GML_MEMORY_KEY_MAX)
		return GML_ERR_INVAL;
	return memory_cursor_place(cursor, gml_tree_seek(memory_cursor_root(cursor), key, false),
				   key_out, value_out);
}

int gml_memory_cursor_next(struct gml_cursor *head, struct gml_span *key_out,
			   struct gml_span *value_out)
{
	struct memory_cursor *cursor = (struct memory_cursor *)head;
	struct gml_span key = {cursor->key, cursor->key_len};
	if (!cursor->placed)
		return GML_ERR_NOENT;
	return memory_cursor_place(cursor, gml_tree_seek(memory_cursor_root(cursor), key, true),
				   key_out, value_out);
}

int gml_memory_cursor_before(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			     struct gml_span *value_out)
{
	struct memory_cursor *cursor = (struct memory_cursor *)head;
	if (!memory_key_ok(key))
		return GML_ERR_INVAL;
	return memory_cursor_place(cursor, gml_tree_before(memory_cursor_root(cursor), key),
				   key_out, value_out);
}
