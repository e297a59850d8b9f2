// SPDX-License-Identifier: Apache-2.0
/* Declarations shared by the files of the engine over LMDB. commit.c and redo.c do not know LMDB;
 * the others do. */
#ifndef GML_META_LMDB_INTERNAL_H
#define GML_META_LMDB_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include "gateway/base/assert.h"
#include "../engine.h"
#include "../engines.h"
#include "checkpoint.h"
#include "reserve.h"
#include "tables.h"

#define GML_LMDB_KEY_MAX 511 /* LMDB's own, as it is built everywhere; gml_lmdb_open checks it */
#define GML_LMDB_VALUE_MAX ((size_t)4 << 20)
#define GML_LMDB_READ_SLOTS 128
_Static_assert(GML_LMDB_KEY_MAX >= GML_ENGINE_KEY_LEAST &&
		       GML_LMDB_VALUE_MAX >= GML_ENGINE_VALUE_LEAST,
	       "every engine offers as much");

/* The engine's keys of table SUPER; all below GML_SUPER_RECORDS. */
enum {
	GML_SUPER_FORMAT = 0x01,  /* -> version, uuid */
	GML_SUPER_NEXT_ID = 0x02, /* -> format byte, last number handed out */
};

struct gml_lmdb_cursor {
	struct gml_cursor head;
	MDB_cursor *mdb; /* NULL: the table was not there yet */
	enum gml_table table;
	bool placed; /* stands on an entry */
	/* txn->writes when it was placed; key[] counts in write transactions only */
	uint64_t writes;
	size_t key_len;
	uint8_t key[GML_LMDB_KEY_MAX];
};

/* Lookup hints of read transactions: where in the map the value of a key is, in one snapshot. A
 * later transaction on the same snapshot (no commit in between) finds it without a search; for any
 * other snapshot the hint does not count. Absent keys, and keys that do not fit, get no hint. */
#define GML_HINT_SLOTS 256 /* a key uses one of two */
#define GML_HINT_KEY_MAX 47
_Static_assert((GML_HINT_SLOTS & (GML_HINT_SLOTS - 1)) == 0, "a hash is cut by a mask");
struct gml_hint {
	uint64_t seq; /* 0: free */
	struct gml_span value;
	uint8_t table, key_len;
	uint8_t key[GML_HINT_KEY_MAX];
};

struct gml_lmdb_txn {
	struct gml_txn head;
	struct gml_lmdb *meta;
	MDB_txn *mdb;
	struct gml_txn_tables tables;
	/* of a read transaction: */
	uint64_t seq;					/* of the snapshot */
	struct gml_hint *hints;				/* GML_HINT_SLOTS; kept for its next use */
	struct gml_lmdb_cursor *idle[GML_TABLE_COUNT_]; /* closed cursors, as well */
	/* of a write transaction: */
	bool id_changed;
	int failed;	 /* first engine error: it can only be aborted */
	uint64_t writes; /* puts and deletes so far */
	uint64_t work;	 /* pages that it will write, roughly */
	/* write_commit: the position of the log after it; of one that wrote nothing: the position
	 * that it saw */
	struct gml_redo_place place;
	uint64_t last_id;
};

/* A parked read transaction (reset: it holds a reader slot but no snapshot). */
struct gml_read_slot {
	_Alignas(64) _Atomic(struct gml_lmdb_txn *) txn;
	_Atomic uint64_t reads;
};

struct gml_update; /* commit.c */

/* Group commit. */
struct gml_commit {
	pthread_mutex_t lock; /* queue, led */
	struct gml_update *head, **tail;
	bool led;
	/* a sync failed: the content of the disk is unknown, no change is accepted any more */
	_Atomic int broken;
};

struct gml_lmdb {
	struct gml_meta head;
	MDB_env *env;
	struct gml_lmdb *next_open; /* env.c: every environment of this process */
	uint64_t dev, ino;	    /* of data.mdb */
	int data_fd;		    /* data.mdb: claims, meta pages, flushes; -1: none */
	struct gml_meta_options opt;
	struct gml_commit commit;
	struct gml_redo redo;
	struct gml_checkpoint checkpoint;
	struct gml_reserve reserve;
	struct gml_tables tables;
	_Atomic uint64_t commits, updates, syncs, log_bytes;
	struct gml_read_slot slots[GML_LMDB_READ_SLOTS];
};

/* The structure that a head begins. */
static inline struct gml_lmdb *gml_lmdb_of(struct gml_meta *head)
{
	return (struct gml_lmdb *)head;
}
static inline struct gml_lmdb_txn *gml_lmdb_txn_of(struct gml_txn *head)
{
	return (struct gml_lmdb_txn *)head;
}

/* errmap.c: LMDB's codes and errno to enum gml_err; 0 for 0. */
int gml_lmdb_err(int code);

/* ---- env.c ---- */
int gml_lmdb_create(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt);
int gml_lmdb_open(const char *dir, const struct gml_meta_options *opt, struct gml_meta **meta_out);
void gml_lmdb_close(struct gml_meta *head);
int gml_lmdb_housekeep(struct gml_meta *head);
/* After a failed commit: did more fail than the allocation of a page? Then the content of the disk
 * is unknown. */
bool gml_lmdb_lost(struct gml_lmdb *meta);

/* ---- txn.c ---- */
int gml_lmdb_read_begin(struct gml_meta *head, struct gml_txn **txn_out);
void gml_lmdb_read_end(struct gml_txn *head);
uint64_t gml_lmdb_txn_seq(const struct gml_txn *head);
int gml_lmdb_get(struct gml_txn *head, enum gml_table table, struct gml_span key,
		 struct gml_span *value_out);
int gml_lmdb_put(struct gml_txn *head, enum gml_table table, struct gml_span key,
		 struct gml_span value);
int gml_lmdb_del(struct gml_txn *head, enum gml_table table, struct gml_span key);
uint64_t gml_lmdb_next_id(struct gml_txn *head);
int gml_lmdb_count(struct gml_txn *head, enum gml_table table, uint64_t *count_out);
/* begin blocks on other processes' writers. commit and abort consume `txn`'s content but for
 * `place`; the storage is the caller's: `local` is GML_TXN_LOCAL bytes for the records, or NULL
 * when no closure runs in it. commit flushes nothing: gml_checkpoint_wait_durable(place) does.
 * After a failure the transaction never becomes visible. */
int gml_lmdb_write_begin(struct gml_lmdb *meta, struct gml_lmdb_txn *txn, void *local);
int gml_lmdb_write_commit(struct gml_lmdb_txn *txn);
void gml_lmdb_write_abort(struct gml_lmdb_txn *txn);
/* Skip the next `count` numbers, or all that are left. CORRUPT, and errors of put. */
int gml_lmdb_skip_ids(struct gml_lmdb_txn *txn, uint64_t count);
void gml_lmdb_pool_drain(struct gml_lmdb *meta);
/* An error of LMDB within a transaction: unless it is NOTFOUND, it is logged and ends a write
 * transaction. */
int gml_lmdb_error(struct gml_lmdb_txn *txn, int code);

/* ---- cursor.c ---- */
/* A closed one that was kept; NULL is fine. */
void gml_lmdb_cursor_free(struct gml_lmdb_cursor *cursor);
int gml_lmdb_cursor_open(struct gml_txn *head, enum gml_table table,
			 struct gml_cursor **cursor_out);
void gml_lmdb_cursor_close(struct gml_cursor *head);
int gml_lmdb_cursor_seek(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			 struct gml_span *value_out);
int gml_lmdb_cursor_next(struct gml_cursor *head, struct gml_span *key_out,
			 struct gml_span *value_out);
int gml_lmdb_cursor_before(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			   struct gml_span *value_out);

/* ---- commit.c ---- */
int gml_commit_init(struct gml_commit *commit);
void gml_commit_release(struct gml_commit *commit);
int gml_lmdb_update(struct gml_meta *head, gml_meta_fn fn, void *arg, bool relaxed);
int gml_lmdb_flush(struct gml_meta *head);
int gml_lmdb_refresh(struct gml_meta *head);

/* ---- redo_check.c ---- */
int gml_lmdb_check(struct gml_meta *head, void (*problem)(void *arg, const char *text), void *arg);

#endif
