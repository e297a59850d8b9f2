/* What the files of the engine share. commit.c and redo.c do not know LMDB; the others do. */
#ifndef GML_META_ENGINE_INTERNAL_H
#define GML_META_ENGINE_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include "checkpoint.h"
#include "../engine.h"
#include "room.h"

#define GML_META_KEY_MAX 511
#define GML_META_VALUE_MAX ((size_t)4 << 20)
#define GML_META_READ_SLOTS 128

/* Keys of table SUPER begin with one of these. */
enum {
	GML_SUPER_FORMAT = 0x01,  /* -> format byte, version, uuid */
	GML_SUPER_NEXT_ID = 0x02, /* -> last number handed out */
	GML_SUPER_LEASE = 0x03,	  /* + kind -> first number not leased yet */
	GML_SUPER_ROOT = 0x10,	  /* + root ino -> bucket name */
	GML_SUPER_UID = 0x11,	  /* + uid + user name -> nothing */
	GML_SUPER_DOCUMENT = 0x12, /* + root ino + kind -> document of a bucket's configuration */
	GML_SUPER_RETIRED = 0x13, /* + uid that was a user's -> nothing */
};

struct gml_cursor {
	struct gml_txn *txn;
	MDB_cursor *mdb;
	enum gml_table table;
	bool placed;	 /* stands on an entry */
	uint64_t writes; /* txn->writes when it was placed; key[] counts in write transactions only */
	size_t key_len;
	uint8_t key[GML_META_KEY_MAX];
};

/* What read transactions found lately: where in the map a key's value stands, in one snapshot. A later transaction on
 * the same snapshot (nothing was committed in between) finds it without a search; for any other it says nothing. Keys
 * that do not fit, and absent ones, are not noted. */
#define GML_MEMO_SLOTS 256 /* power of two; a key has the choice of two */
#define GML_MEMO_KEY_MAX 47
struct gml_memo {
	uint64_t seq; /* 0: free */
	struct gml_span value;
	uint8_t table, key_len;
	uint8_t key[GML_MEMO_KEY_MAX];
};

/* Buckets that a write transaction knows, by root modulo this. */
#define GML_TXN_BUCKETS 16

struct gml_txn {
	struct gml_meta *meta;
	MDB_txn *mdb;
	bool writable;
	bool id_changed;
	bool said_relaxed, said_strict; /* gml_txn_durability, by the closure that runs */
	int failed;		     /* first engine error of a write transaction: it can only be aborted */
	uint64_t writes;	     /* puts and deletes so far */
	uint64_t work;		     /* pages that it will write, roughly */
	struct gml_redo_place place; /* write_commit: where it left the log; of one that wrote nothing: what it saw */
	uint64_t last_id;
	struct gml_txn_bucket {
		gml_ino root; /* 0: free */
		bool relaxed;
	} buckets[GML_TXN_BUCKETS]; /* record_bucket.c */
	/* of a read transaction, for its next use: */
	struct gml_cursor *idle[GML_TABLE_COUNT_]; /* closed cursors */
	uint64_t seq;				   /* of the snapshot */
	struct gml_memo *memo;			   /* GML_MEMO_SLOTS */
};

/* A parked read transaction (reset: it holds a reader slot but no snapshot). */
struct gml_read_slot {
	_Alignas(64) _Atomic(struct gml_txn *) txn;
	_Atomic uint64_t reads;
};

struct gml_update; /* commit.c */

/* Group commit. */
struct gml_commit {
	pthread_mutex_t lock; /* queue, led */
	struct gml_update *head, **tail;
	bool led;
	_Atomic int broken; /* a sync failed: what the disk holds is unknown, no change is accepted any more */
};

struct gml_meta {
	MDB_env *env;
	struct gml_meta *next_open; /* engine_lmdb.c: every environment of this process */
	uint64_t dev, ino;	    /* of data.mdb */
	int data_fd;		    /* data.mdb: claims, meta pages, flushes; -1: none */
	MDB_dbi dbi[GML_TABLE_COUNT_];
	uint8_t uuid[16];
	struct gml_meta_options opt;
	struct gml_commit commit;
	struct gml_redo redo;
	struct gml_checkpoint checkpoint;
	struct gml_room room;
	_Atomic uint64_t commits, updates, syncs, log_bytes;
	_Atomic uint64_t log_window;	 /* engine_lmdb.c */
	_Atomic uint32_t corrupt_logged; /* bit per table */
	struct gml_read_slot slots[GML_META_READ_SLOTS];
};

void gml_meta_log(struct gml_meta *meta, enum gml_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* txn_lmdb.c. begin blocks on other processes' writers. commit and abort consume `txn`'s content but for `place`; the
 * storage is the caller's. commit flushes nothing: gml_checkpoint_settle(place) does. After a failure nothing of the
 * transaction will ever be seen. */
int gml_txn_write_begin(struct gml_meta *meta, struct gml_txn *txn);
int gml_txn_write_commit(struct gml_txn *txn);
void gml_txn_write_abort(struct gml_txn *txn);
/* The next `count` numbers are given to nobody. CORRUPT, and errors of put. */
int gml_txn_skip_ids(struct gml_txn *txn, uint64_t count);
void gml_txn_pool_drain(struct gml_meta *meta);
/* engine_lmdb.c. */
/* After a commit that failed: did more fail than a page that found no room? Then nobody knows what the disk holds. */
bool gml_meta_lost(struct gml_meta *meta);

int gml_commit_init(struct gml_commit *commit);
void gml_commit_release(struct gml_commit *commit);

/* For record codecs: logs once per table, returns CORRUPT. */
int gml_txn_corrupt(struct gml_txn *txn, enum gml_table table);

#endif
