// SPDX-License-Identifier: Apache-2.0
/* See tables.h. */
#include "tables.h"
#include <string.h>
#include "lmdb_internal.h"

#define TABLES_BIT(table) ((uint64_t)1 << (table))
_Static_assert(GML_TABLE_COUNT_ <= 64, "a table is a bit of 64");

int gml_tables_init(struct gml_tables *tables)
{
	return pthread_mutex_init(&tables->lock, NULL);
}

void gml_tables_release(struct gml_tables *tables)
{
	pthread_mutex_destroy(&tables->lock);
}

/* GML_TABLE_COUNT_: no table of ours. */
static enum gml_table tables_find(const MDB_val *name)
{
	enum gml_table table = 0;
	while (table < GML_TABLE_COUNT_ &&
	       (strlen(gml_table_name(table)) != name->mv_size ||
		memcmp(gml_table_name(table), name->mv_data, name->mv_size) != 0))
		table++;
	return table;
}

static int tables_open_one(struct gml_lmdb *meta, MDB_txn *txn, const MDB_val *name, uint64_t *open)
{
	enum gml_table table = tables_find(name);
	int rc;
	if (table == GML_TABLE_COUNT_) {
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "the metadata has a table '%.*s' that this program does not know",
			     (int)name->mv_size, (const char *)name->mv_data);
		return MDB_CORRUPTED;
	}
	if (*open & TABLES_BIT(table))
		return 0;
	rc = mdb_dbi_open(txn, gml_table_name(table), 0, &meta->tables.handle[table]);
	if (rc == 0)
		*open |= TABLES_BIT(table);
	return rc;
}

static int tables_open_all(struct gml_lmdb *meta, MDB_txn *txn, uint64_t *open)
{
	MDB_cursor *cursor = NULL;
	MDB_val name;
	int rc = 0;
	if (meta->tables.root == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &meta->tables.root);
	if (rc == 0)
		rc = mdb_cursor_open(txn, meta->tables.root, &cursor);
	while (rc == 0 && (rc = mdb_cursor_get(cursor, &name, NULL, MDB_NEXT)) == 0)
		rc = tables_open_one(meta, txn, &name, open);
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int gml_tables_open(struct gml_lmdb *meta)
{
	struct gml_tables *tables = &meta->tables;
	MDB_txn *txn = NULL;
	uint64_t open;
	int rc;
	pthread_mutex_lock(&tables->lock);
	open = atomic_load_explicit(&tables->open, memory_order_relaxed);
	rc = mdb_txn_begin(meta->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		rc = tables_open_all(meta, txn, &open);
	if (rc == 0)
		rc = mdb_txn_commit(txn); /* publishes the handles, though it only read */
	else if (txn != NULL)
		mdb_txn_abort(txn);
	if (rc == 0)
		atomic_store_explicit(&tables->open, open, memory_order_release);
	pthread_mutex_unlock(&tables->lock);
	return rc;
}

void gml_tables_see(const struct gml_lmdb *meta, struct gml_txn_tables *tables)
{
	*tables = (struct gml_txn_tables){
		.there = atomic_load_explicit(&meta->tables.open, memory_order_acquire)};
}

bool gml_tables_match(const struct gml_lmdb *meta, const struct gml_txn_tables *tables,
		      MDB_txn *txn)
{
	MDB_stat stat;
	return mdb_stat(txn, meta->tables.root, &stat) == 0 &&
	       stat.ms_entries == (size_t)__builtin_popcountll(tables->there);
}

int gml_tables_need(struct gml_lmdb *meta, struct gml_txn_tables *tables, MDB_txn *txn,
		    enum gml_table table)
{
	int rc;
	if (gml_tables_have(tables, table))
		return 0;
	if (!tables->made)
		pthread_mutex_lock(&meta->tables.lock);
	tables->made = true;
	rc = mdb_dbi_open(txn, gml_table_name(table), MDB_CREATE, &meta->tables.handle[table]);
	if (rc == 0)
		tables->there |= TABLES_BIT(table);
	return rc;
}

void gml_tables_end(struct gml_lmdb *meta, struct gml_txn_tables *tables, bool committed)
{
	if (!tables->made)
		return;
	if (committed)
		atomic_store_explicit(&meta->tables.open, tables->there, memory_order_release);
	tables->made = false;
	pthread_mutex_unlock(&meta->tables.lock);
}
