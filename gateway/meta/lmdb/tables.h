// SPDX-License-Identifier: Apache-2.0
/* The tables in LMDB: one named database each, made when it gets its first row. LMDB walks all
 * handles that a process has open at the begin and at the end of each transaction, so every
 * snapshot would pay for tables that nobody uses.
 *
 * Invariants
 *  1. Tables are added, never removed. LMDB's root has one entry for each, and nothing else.
 *  2. LMDB gives a transaction the handles that were open when it began. So it uses a table if the
 *     handle was noted here before it began (gml_tables_see), or if it made the table itself.
 *  3. A transaction is used only if it has the handles of all tables of its snapshot
 *     (gml_tables_match). Else gml_tables_open opens those that other processes made, and the
 *     transaction begins anew. So a table that it does not have is empty in its snapshot.
 *  4. LMDB allows one transaction of a process at a time to open handles: `lock` is held until that
 *     transaction has ended. A new handle gets the first number that is free in its transaction,
 *     so that transaction must have begun after the end of the last one that opened any. For a
 *     writer that makes a table, 3 sees to it: it has all tables that are committed, so others find
 *     none to open while it runs. */
#ifndef GML_META_TABLES_H
#define GML_META_TABLES_H

#include <lmdb.h>
#include <pthread.h>
#include "../engine.h"

struct gml_lmdb;

struct gml_tables {
	pthread_mutex_t lock;
	MDB_dbi root;	       /* LMDB's database of the named ones */
	_Atomic uint64_t open; /* bit t: handle[t] is open, for all transactions that begin later */
	MDB_dbi handle[GML_TABLE_COUNT_];
};

/* The tables that one transaction has. */
struct gml_txn_tables {
	uint64_t there; /* bit t: table t */
	bool made;	/* it made some: the lock is held */
};

static inline bool gml_tables_have(const struct gml_txn_tables *tables, enum gml_table table)
{
	return tables->there >> table & 1;
}

/* errno. */
int gml_tables_init(struct gml_tables *tables);
void gml_tables_release(struct gml_tables *tables);

/* Opens the handles of all tables that are committed now. For a thread without a transaction.
 * Threads: any. Blocks: until a writer of this process that makes a table has committed. Returns a
 * code of LMDB; MDB_CORRUPTED: a table that this program does not know (logged). */
int gml_tables_open(struct gml_lmdb *meta);
/* Right before a transaction begins. */
void gml_tables_see(const struct gml_lmdb *meta, struct gml_txn_tables *tables);
/* Right after: does it have all tables of its snapshot? */
bool gml_tables_match(const struct gml_lmdb *meta, const struct gml_txn_tables *tables,
		      MDB_txn *txn);
/* In a write transaction: makes the table, unless it is there. Returns a code of LMDB; then the
 * transaction can only be aborted. */
int gml_tables_need(struct gml_lmdb *meta, struct gml_txn_tables *tables, MDB_txn *txn,
		    enum gml_table table);
/* Behind the end of a write transaction: the tables that it made are there for all, or for none. */
void gml_tables_end(struct gml_lmdb *meta, struct gml_txn_tables *tables, bool committed);

#endif
