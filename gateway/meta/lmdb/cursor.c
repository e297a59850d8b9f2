// SPDX-License-Identifier: Apache-2.0
/* Cursors. One of a write transaction remembers its key: the tree may change under it. Closed
 * cursors of read transactions are kept for the next use of the transaction. */
#include <stdlib.h>
#include <string.h>
#include "lmdb_internal.h"
#include "gateway/base/span.h"

static struct gml_lmdb_txn *cursor_txn(const struct gml_lmdb_cursor *cursor)
{
	return gml_lmdb_txn_of(cursor->head.txn);
}

void gml_lmdb_cursor_free(struct gml_lmdb_cursor *cursor)
{
	if (cursor != NULL && cursor->mdb != NULL)
		mdb_cursor_close(cursor->mdb);
	free(cursor);
}

/* NOENT: there is no such table yet, so it holds nothing. In a write transaction it may come while
 * the cursor is open. */
static int cursor_ready(struct gml_lmdb_cursor *cursor)
{
	struct gml_lmdb_txn *txn = cursor_txn(cursor);
	int rc;
	if (cursor->mdb != NULL)
		return 0;
	if (!gml_tables_have(&txn->tables, cursor->table))
		return GML_ERR_NOENT;
	rc = mdb_cursor_open(txn->mdb, txn->meta->tables.handle[cursor->table], &cursor->mdb);
	return rc == 0 ? 0 : gml_lmdb_error(txn, rc);
}

/* One that was kept, if there is one. */
static int cursor_take(struct gml_lmdb_txn *txn, enum gml_table table,
		       struct gml_lmdb_cursor **cursor_out)
{
	struct gml_lmdb_cursor *cursor = txn->idle[table];
	int rc = 0;
	txn->idle[table] = NULL;
	if (cursor == NULL)
		cursor = calloc(1, sizeof(*cursor));
	*cursor_out = cursor;
	if (cursor == NULL)
		return GML_ERR_NOMEM;
	cursor->head = (struct gml_cursor){txn->head.engine, &txn->head};
	cursor->table = table;
	cursor->placed = false;
	if (cursor->mdb != NULL)
		rc = mdb_cursor_renew(txn->mdb, cursor->mdb);
	return rc == 0 ? 0 : gml_lmdb_error(txn, rc);
}

int gml_lmdb_cursor_open(struct gml_txn *head, enum gml_table table, struct gml_cursor **cursor_out)
{
	struct gml_lmdb_cursor *cursor;
	int rc = cursor_take(gml_lmdb_txn_of(head), table, &cursor);
	if (rc == 0)
		rc = cursor_ready(cursor);
	if (rc != 0 && rc != GML_ERR_NOENT) {
		gml_lmdb_cursor_free(cursor);
		*cursor_out = NULL;
		return rc;
	}
	head->cursors++;
	*cursor_out = &cursor->head;
	return 0;
}

void gml_lmdb_cursor_close(struct gml_cursor *head)
{
	struct gml_lmdb_cursor *cursor = (struct gml_lmdb_cursor *)head;
	struct gml_lmdb_txn *txn = cursor_txn(cursor);
	head->txn->cursors--;
	if (!head->txn->writable && txn->idle[cursor->table] == NULL) {
		txn->idle[cursor->table] = cursor;
		return;
	}
	gml_lmdb_cursor_free(cursor);
}

static int cursor_result(struct gml_lmdb_cursor *cursor, int rc, const MDB_val *key,
			 const MDB_val *value, struct gml_span *key_out, struct gml_span *value_out)
{
	cursor->placed = rc == 0;
	if (rc != 0)
		return gml_lmdb_error(cursor_txn(cursor), rc);
	if (cursor->head.txn->writable) {
		cursor->writes = cursor_txn(cursor)->writes;
		cursor->key_len = key->mv_size;
		memcpy(cursor->key, key->mv_data, key->mv_size);
	}
	*key_out = gml_span_of(key->mv_data, key->mv_size);
	*value_out = gml_span_of(value->mv_data, value->mv_size);
	return 0;
}

int gml_lmdb_cursor_seek(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			 struct gml_span *value_out)
{
	struct gml_lmdb_cursor *cursor = (struct gml_lmdb_cursor *)head;
	MDB_val k = {key.len, (void *)key.ptr}, v;
	int rc;
	if (key.len > GML_LMDB_KEY_MAX)
		return GML_ERR_INVAL;
	rc = cursor_ready(cursor);
	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor->mdb, &k, &v, key.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
	return cursor_result(cursor, rc, &k, &v, key_out, value_out);
}

int gml_lmdb_cursor_next(struct gml_cursor *head, struct gml_span *key_out,
			 struct gml_span *value_out)
{
	struct gml_lmdb_cursor *cursor = (struct gml_lmdb_cursor *)head;
	MDB_val k, v;
	int rc;
	if (!cursor->placed)
		return GML_ERR_NOENT;
	if (!head->txn->writable || cursor->writes == cursor_txn(cursor)->writes) {
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_NEXT);
		return cursor_result(cursor, rc, &k, &v, key_out, value_out);
	}
	/* The tree changed under the cursor, perhaps its own entry went: find the place again by
	 * key. */
	k = (MDB_val){cursor->key_len, cursor->key};
	rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_SET_RANGE);
	if (rc == 0 && k.mv_size == cursor->key_len &&
	    memcmp(k.mv_data, cursor->key, k.mv_size) == 0)
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_NEXT);
	return cursor_result(cursor, rc, &k, &v, key_out, value_out);
}

int gml_lmdb_cursor_before(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			   struct gml_span *value_out)
{
	struct gml_lmdb_cursor *cursor = (struct gml_lmdb_cursor *)head;
	MDB_val k = {key.len, (void *)key.ptr}, v;
	int rc;
	if (key.len == 0 || key.len > GML_LMDB_KEY_MAX)
		return GML_ERR_INVAL;
	rc = cursor_ready(cursor);
	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_SET_RANGE);
	if (rc == 0)
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_PREV);
	else if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_LAST);
	return cursor_result(cursor, rc, &k, &v, key_out, value_out);
}
