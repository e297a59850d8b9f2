// SPDX-License-Identifier: Apache-2.0
/* Cursors. One of a write transaction remembers its key: the tree may change under it. Closed
 * cursors of read transactions are kept for the next use of the transaction. */
#include <stdlib.h>
#include <string.h>
#include "lmdb_internal.h"

static struct gml_lmdb_txn *cursor_txn(const struct gml_lmdb_cursor *cursor)
{
	return gml_lmdb_txn_of(cursor->head.txn);
}

int gml_lmdb_cursor_open(struct gml_txn *head, enum gml_table table, struct gml_cursor **cursor_out)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	struct gml_lmdb_cursor *cursor = txn->idle[table];
	int rc;
	*cursor_out = NULL;
	if (cursor != NULL) {
		txn->idle[table] = NULL;
		rc = mdb_cursor_renew(txn->mdb, cursor->mdb);
	} else {
		cursor = malloc(sizeof(*cursor));
		if (cursor == NULL)
			return GML_ERR_NOMEM;
		cursor->mdb = NULL;
		rc = mdb_cursor_open(txn->mdb, txn->meta->dbi[table], &cursor->mdb);
	}
	if (rc != 0) {
		if (cursor->mdb != NULL)
			mdb_cursor_close(cursor->mdb);
		free(cursor);
		return gml_lmdb_error(txn, rc);
	}
	cursor->head = (struct gml_cursor){head->engine, head};
	cursor->table = table;
	cursor->placed = false;
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
	mdb_cursor_close(cursor->mdb);
	free(cursor);
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
	*key_out = (struct gml_span){key->mv_data, key->mv_size};
	*value_out = (struct gml_span){value->mv_data, value->mv_size};
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
	rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_SET_RANGE);
	if (rc == 0)
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_PREV);
	else if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_LAST);
	return cursor_result(cursor, rc, &k, &v, key_out, value_out);
}
