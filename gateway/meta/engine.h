// SPDX-License-Identifier: Apache-2.0
/* The metadata engine: an ordered, transactional key-value store behind a table of functions.
 *
 * Callers use gml_meta_*, gml_txn_* and gml_cursor_*; each of these calls one slot of the table of
 * the engine that holds the store. `lmdb/` is the engine of real stores, `memory/` one for tests.
 * The contract of a call is at its slot in struct gml_engine.
 *
 * Invariants
 *  1. Keys are 1 to caps.key_max bytes, compared bytewise, a prefix before longer keys; values are
 *     0 to caps.value_max bytes.
 *  2. A read transaction sees one committed snapshot (caps.snapshot_reads). Readers never wait for
 *     writers.
 *  3. Spans that get and cursors return are borrowed: they stay valid until the transaction's next
 *     put or delete (write transactions), or until its end (read transactions).
 *  4. gml_meta_update returns 0 only when the change is durable, unless its closure declared it
 *     relaxed, or the engine is not durable at all (caps.durable).
 *  5. A power cut undoes only the last changes: if a change is left, all changes before it are left
 *     as well.
 *  6. The keys of table SUPER that begin with a byte below GML_SUPER_RECORDS belong to the
 *     engine. */
#ifndef GML_META_ENGINE_H
#define GML_META_ENGINE_H

#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <stdatomic.h>
#include "gateway/base/assert.h"

/* Version of everything that a store holds: the store's `format` file says it to people and to
 * openers, the engine's format record for a program that finds the metadata alone. It changes with
 * each format that older programs must not open. */
#define GML_STORE_VERSION 3

/* X(name): the stable on-disk name; numbered in this order. */
#define GML_TABLE_MAP(X)                                                                           \
	X(SUPER)                                                                                   \
	X(INODE)                                                                                   \
	X(DIRENT)                                                                                  \
	X(COOKIE)                                                                                  \
	X(EXTENT)                                                                                  \
	X(XATTR)                                                                                   \
	X(BLOB)                                                                                    \
	X(BUCKET)                                                                                  \
	X(VERSION)                                                                                 \
	X(UPLOAD)                                                                                  \
	X(PART)                                                                                    \
	X(USER)                                                                                    \
	X(KEY)                                                                                     \
	X(ORPHAN)                                                                                  \
	X(DIRTY)                                                                                   \
	X(LEASE)                                                                                   \
	X(JOURNAL)                                                                                 \
	X(LINE)                                                                                    \
	X(USAGE)                                                                                   \
	X(VIEW)                                                                                    \
	X(VIEWNAME)                                                                                \
	X(OLDNAME)                                                                                 \
	X(OLDCOOKIE)                                                                               \
	X(OLDINODE)                                                                                \
	X(OLDEXTENT)                                                                               \
	X(OLDXATTR)                                                                                \
	X(DEAD)                                                                                    \
	X(DEADSUM)                                                                                 \
	X(CURSOR)                                                                                  \
	X(KEYRING)                                                                                 \
	X(TIER)                                                                                    \
	X(RSTATE)                                                                                  \
	X(CONFIG)                                                                                  \
	X(LINK)                                                                                    \
	X(SUM)                                                                                     \
	X(IAM)
enum gml_table {
#define GML_TABLE_ENUM(name) GML_TABLE_##name,
	GML_TABLE_MAP(GML_TABLE_ENUM)
#undef GML_TABLE_ENUM
		GML_TABLE_COUNT_
};

/* First byte of a key of table SUPER from which on the keys belong to the records (record/). */
#define GML_SUPER_RECORDS 0x03

/* Static storage. */
const char *gml_table_name(enum gml_table table);

/* The least that every engine must offer; gml_meta_open and _create refuse one that offers less. */
#define GML_ENGINE_KEY_LEAST ((size_t)511)
#define GML_ENGINE_VALUE_LEAST ((size_t)4 << 20)

/* Numbers of the counter are smaller: the bits above mark other kinds of numbers in keys and
 * handles. */
#define GML_ENGINE_ID_END ((uint64_t)1 << 62)

/* Changes with every incompatible change of struct gml_engine or of the heads. */
#define GML_ENGINE_ABI 1

struct gml_engine;
struct gml_store;
struct gml_meta;
struct gml_txn;
struct gml_cursor;

/* A change: called with a write transaction. See gml_engine.update. */
typedef int (*gml_meta_fn)(struct gml_txn *txn, void *arg);

struct gml_meta_options {
	/* create: the engine of the new store, NULL = "lmdb". open: NULL = whichever the store
	 * names; another name than the store's is refused. */
	const char *engine;
	/* Bytes that the store may grow to. create: 0 = the engine's default. open: 0 = as
	 * recorded; more than recorded raises it (other processes must open the store anew); less
	 * is ignored. */
	uint64_t capacity;
	/* Snapshots that may be open at once, over all processes. 0 = the engine's default. */
	uint32_t snapshots;
	/* Called before each commit of this process, outside the write transaction and never twice
	 * at once: makes durable the data that the closures will refer to (packs). An error is the
	 * result of every update of the batch. NULL: nothing to do. */
	int (*presync)(void *arg);
	void *presync_arg;
	gml_log_fn log; /* NULL: no log lines. Any thread. */
	void *log_arg;
};

/* Counters since open, for metrics and tests. What an engine does not count is 0. */
struct gml_meta_stats {
	uint64_t commits, updates, syncs, reads;
	uint64_t log_bytes,
		checkpoints;	 /* records written; checkpoints made, both by this process */
	uint64_t capacity, used; /* bytes */
};

/* The capabilities of an engine; constant. Callers may use them, and must be right without any of
 * them. Several gateways on one store, and replicas, will need `local`, `one_process` and
 * `durable`; until then the suite of all engines is what reads most of them
 * (tests/unit/engine_test.c). */
struct gml_engine_caps {
	bool snapshot_reads; /* a read transaction shows one commit; without, each get the newest */
	bool cheap_seq;	     /* seq and txn_seq are known, and cost next to nothing */
	bool cheap_count;    /* count costs next to nothing, whatever the table holds */
	bool local;	     /* all processes that share a store run on one host */
	bool one_process;    /* no second process can open a store */
	bool durable;	     /* acknowledged changes survive a power cut (invariants 4 and 5) */
	size_t key_max;	     /* longest key, bytes */
	size_t value_max;    /* largest value, bytes */
};

/* An engine. All slots are set but those that say "may be NULL". Functions return 0 or an enum
 * gml_err; any slot may return NOMEM and IO besides its listed errors. Results (`*_out`) are
 * undefined after an error unless a slot says otherwise. "Any thread": concurrent calls are fine; a
 * transaction and its cursors belong to one thread at a time. */
struct gml_engine {
	uint32_t abi;	  /* GML_ENGINE_ABI */
	const char *name; /* lower case; recorded in the store, so it must not change */
	struct gml_engine_caps caps;

	/* ---- the store ---- */
	/* Makes an empty store in the directory `dir`, which exists. The counter of next_id is at
	 * 1. Ownership: borrows all arguments. Errors: EXIST (a store is there), NOSPC, ACCESS.
	 * Threads: any. Blocks: disk. Durability: durable once it returns 0. On failure: the
	 * directory holds no store, and the call can be repeated. */
	int (*create)(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt);
	/* Opens the store in `dir`, recovered: every acknowledged change is there. Once per process
	 * and store, after the last fork. Ownership: *meta_out is the caller's until close; *opt is
	 * copied. Errors: NOENT (no store), FORMAT (another version, or in use by a program of
	 * another version), CORRUPT, BUSY (open in this process already), ACCESS, NOSPC.
	 * Threads: any. Blocks: disk; while another process opens or closes the store. Durability:
	 * none. On failure: *meta_out is NULL. */
	int (*open)(const char *dir, const struct gml_meta_options *opt,
		    struct gml_meta **meta_out);
	/* Closes it and frees `meta`. No transaction is open, no other call runs. Errors: none are
	 * reported. Blocks: disk. Durability: relaxed updates of this process are durable
	 * afterwards. */
	void (*close)(struct gml_meta *meta);
	/* Frees what dead processes still occupy in the engine. May be NULL: nothing to free.
	 * Threads: any. Blocks: no. Durability: none. */
	int (*housekeep)(struct gml_meta *meta);
	/* Verifies the engine's own structures that the records do not show; calls `problem` once
	 * for each damage, with a text that is borrowed for the call. May be NULL: nothing to
	 * verify. Errors: only if the verification itself fails. Threads: any; writers continue.
	 * Blocks: disk. Durability: none. */
	int (*check)(struct gml_meta *meta, void (*problem)(void *arg, const char *text),
		     void *arg);
	/* Fills *out. Threads: any. Blocks: no. */
	void (*stats)(struct gml_meta *meta, struct gml_meta_stats *out);
	/* A hint: the number of the last commit of any process, for comparison with txn_seq: when
	 * both are equal and not 0, that snapshot is still the newest. Takes no snapshot. 0:
	 * unknown. May be NULL: always unknown. Threads: any. Blocks: no. */
	uint64_t (*seq)(struct gml_meta *meta);

	/* ---- changes ---- */
	/* Runs `fn` in a write transaction, perhaps together with other closures and on another
	 * thread. fn checks everything before its first put or delete; if it returns non-zero it
	 * should have written nothing. It may be run several times; what it may read and wait for
	 * is in docs/locking.md, "Closures". It calls no other update. fn returns 0: its
	 * changes are committed. Else: none of its changes is ever visible, the numbers that it
	 * took are returned, the other closures are not affected, and update returns fn's error.
	 * Ownership: borrows `arg`. Errors: fn's, and those of the commit: NOSPC (full; before it
	 * is, changes that leave more records than they found get NOSPC, so that removals still
	 * work), IO (a disk failed: the change may become visible all the same, and every further
	 * update gets IO until the store is opened again). Threads: any. Blocks: on other writers,
	 * and for the commit. Durability: durable once it returns 0. If `relaxed` is true or the
	 * closure declared it (gml_txn_durability): visible, and durable with the next durable
	 * commit. */
	int (*update)(struct gml_meta *meta, gml_meta_fn fn, void *arg, bool relaxed);
	/* Makes the relaxed updates durable that were acknowledged before. Errors: IO. Threads:
	 * any. Blocks: at most for one commit; not at all when none is pending. */
	int (*flush)(struct gml_meta *meta);
	/* After it returned 0, every new snapshot shows all commits of processes that were dead
	 * before the call. Garbage collectors call this after establishing that a process is dead
	 * and before taking the snapshot that they scan. Changes nothing.
	 * Errors: those of a commit. Threads: any. Blocks: on other writers, and until the visible
	 * state is durable. */
	int (*refresh)(struct gml_meta *meta);
	/* Whether space was short at the last change or refresh of this process: changes that
	 * leave more records than they found get NOSPC. May be NULL: never known. Threads:
	 * any. Blocks: no. */
	bool (*is_short)(struct gml_meta *meta);

	/* ---- transactions ---- */
	/* A snapshot of the last commit. While it is open, all records that were replaced since
	 * stay on the disk.
	 * Ownership: *txn_out is the caller's until read_end; NULL after an error. Errors: AGAIN
	 * (too many snapshots). Threads: any. Blocks: no; when a table got its first row, perhaps
	 * for that commit. */
	int (*read_begin)(struct gml_meta *meta, struct gml_txn **txn_out);
	/* Ends it; `txn` is no longer valid. All its cursors are closed. Blocks: no. */
	void (*read_end)(struct gml_txn *txn);
	/* Sequence number of the snapshot; in a write transaction that of its commit. 0: unknown.
	 * May be NULL: always unknown. See seq. */
	uint64_t (*txn_seq)(const struct gml_txn *txn);
	/* The value of `key`, borrowed (invariant 3). Errors: NOENT, INVAL (length of the key). */
	int (*get)(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		   struct gml_span *value_out);
	/* Stores a copy of key and value, in place of an older value. The key may be borrowed from
	 * the same transaction, the value may not. Write transactions only. Errors: INVAL (length
	 * of the key), TOOBIG, NOSPC. On failure: after NOSPC, NOMEM and IO the transaction fails,
	 * whatever the closure returns. */
	int (*put)(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		   struct gml_span value);
	/* Removes the entry. Write transactions only. The key may be borrowed from the same
	 * transaction. Errors: NOENT (nothing is changed), INVAL. On failure: as put. */
	int (*del)(struct gml_txn *txn, enum gml_table table, struct gml_span key);
	/* The next number of the store's one counter: greater than every committed one before it;
	 * not even a power cut lets a number return. A closure that fails returns its numbers; one
	 * that succeeds puts each into a key or value of a record. Write transactions only. 0: the
	 * transaction fails, whatever the closure returns: with NOSPC if the next number would be
	 * GML_ENGINE_ID_END (gml_txn_ids_end), else because the counter is damaged or cannot be
	 * read. */
	uint64_t (*next_id)(struct gml_txn *txn);
	/* Number of entries of the table. May be NULL unless caps.cheap_count. */
	int (*count)(struct gml_txn *txn, enum gml_table table, uint64_t *count_out);

	/* ---- cursors ---- */
	/* Ownership: *cursor_out is the caller's until cursor_close, which comes before the end of
	 * the transaction; NULL after an error. It has no position yet. */
	int (*cursor_open)(struct gml_txn *txn, enum gml_table table,
			   struct gml_cursor **cursor_out);
	void (*cursor_close)(struct gml_cursor *cursor);
	/* Goes to the first entry with a key >= `key` (empty: to the first). NOENT: there is none,
	 * and the cursor has no position. INVAL: the key is too long. Spans are borrowed (invariant
	 * 3). */
	int (*cursor_seek)(struct gml_cursor *cursor, struct gml_span key, struct gml_span *key_out,
			   struct gml_span *value_out);
	/* Goes to the first entry after its position, whatever its own transaction put or deleted
	 * meanwhile, that entry included. NOENT: there is none, or it had no position; it has none
	 * then. */
	int (*cursor_next)(struct gml_cursor *cursor, struct gml_span *key_out,
			   struct gml_span *value_out);
	/* Goes to the last entry with a key < `key`. NOENT as seek; INVAL also for an empty key. */
	int (*cursor_before)(struct gml_cursor *cursor, struct gml_span key,
			     struct gml_span *key_out, struct gml_span *value_out);
};

/* ---- heads: the first member of an engine's own structures ---- */
/* Filled by gml_meta_head_init; the engine sets uuid. */
struct gml_meta {
	const struct gml_engine *engine;
	uint8_t uuid[16];
	gml_log_fn log;
	void *log_arg;
	_Atomic uint64_t log_window;	 /* engine.c */
	_Atomic uint64_t corrupt_logged; /* hash of the damaged record named last */
	/* Whose metadata it is: set by who opened it before others use it, so that decisions about
	 * rights find what is remembered for them; NULL: of no store. */
	struct gml_store *store;
};

/* Bytes of a write transaction that belong to the record layer. */
#define GML_TXN_LOCAL ((size_t)512)

struct gml_txn {
	const struct gml_engine *engine;
	struct gml_meta *meta;
	bool writable;
	/* gml_txn_durability. The engine clears both before each closure. */
	bool declared_relaxed, declared_strict;
	unsigned cursors; /* open now */
	/* gml_txn_serve: whose request the reader or the closure works on, for log lines; NULL:
	 * none's. The engine clears it before each closure and when a reader ends. */
	const struct gml_op *op;
	struct gml_txn_block *memory; /* gml_txn_memory, of the closure that runs */
	/* Write transactions: GML_TXN_LOCAL bytes, aligned to 8, zero when the transaction begins,
	 * kept from one closure of it to the next. Read transactions: NULL. */
	void *local;
};

struct gml_cursor {
	const struct gml_engine *engine;
	struct gml_txn *txn;
};

/* ---- what callers use ---- */
/* The engine of that name; NULL: this program has none. Static storage. */
const struct gml_engine *gml_engine_find(const char *name);

/* See gml_engine.create and .open. create notes the engine's name in `dir` (file `engine`), durably
 * and first; open finds it there. A directory that names another engine than asked for: create
 * answers EXIST, open FORMAT. FORMAT also: an engine that this program does not have, or one that
 * offers less than GML_ENGINE_*_LEAST. Both log why they fail. */
int gml_meta_create(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt);
int gml_meta_open(const char *dir, const struct gml_meta_options *opt, struct gml_meta **meta_out);
void gml_meta_close(struct gml_meta *meta); /* NULL is fine */
/* 16 bytes, of create; borrowed, as long as the store is open. */
const uint8_t *gml_meta_uuid(const struct gml_meta *meta);
const struct gml_engine *gml_meta_engine(const struct gml_meta *meta);
uint64_t gml_meta_seq(struct gml_meta *meta);
int gml_meta_housekeep(struct gml_meta *meta);
int gml_meta_check(struct gml_meta *meta, void (*problem)(void *arg, const char *text), void *arg);
void gml_meta_stats_get(struct gml_meta *meta, struct gml_meta_stats *out);
int gml_meta_update(struct gml_meta *meta, gml_meta_fn fn, void *arg);
/* The same without waiting for durability, whatever the closure declares. Only for facts that
 * recovery finds again; it may free no bytes. */
int gml_meta_update_relaxed(struct gml_meta *meta, gml_meta_fn fn, void *arg);
int gml_meta_flush(struct gml_meta *meta);
int gml_meta_refresh(struct gml_meta *meta);
bool gml_meta_is_short(struct gml_meta *meta);

int gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		struct gml_span value);
int gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key);
uint64_t gml_txn_next_id(struct gml_txn *txn);
uint64_t gml_txn_seq(const struct gml_txn *txn);
/* In a closure: declares that its changes may be lost in a power cut (relaxed), or must not be. A
 * closure is relaxed if a part of it declared relaxed and none declared strict; without a
 * declaration it is strict. A relaxed change is acknowledged after the commit: the death of all
 * processes does not lose it; a power cut within about a second may, with all changes after it. */
void gml_txn_durability(struct gml_txn *txn, bool relaxed);
/* The transaction works for `op` from now on: lines about what it finds, and about a commit that
 * fails, go to op->log (if it has one) and name op->request_id. Borrowed until gml_meta_update
 * returns or the reader ends. No blocking. */
void gml_txn_serve(struct gml_txn *txn, const struct gml_op *op);
/* gml_meta_log for a transaction: a line of the request that it works for. */
void gml_txn_log(struct gml_txn *txn, enum gml_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* In a closure: memory that lives until it returns, aligned for every type; NULL: there is none.
 * For parts of records that are made in one function and put in another. No blocking. */
void *gml_txn_memory(struct gml_txn *txn, size_t len);
/* Statistics. NOTSUP: the engine keeps no count (gml_rec_count walks the table then). */
int gml_txn_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out);
/* The record layer's bytes of a write transaction; NULL: a read transaction. */
static inline void *gml_txn_local(struct gml_txn *txn)
{
	return txn->local;
}

/* The paths of reads cost one indirect call. */
static inline int gml_meta_read_begin(struct gml_meta *meta, struct gml_txn **txn_out)
{
	gml_assert_outside_closures(); /* a closure depends on its own transaction only */
	return meta->engine->read_begin(meta, txn_out);
}
static inline void gml_meta_read_end(struct gml_txn *txn) /* NULL is fine */
{
	if (txn != NULL)
		txn->engine->read_end(txn);
}
static inline int gml_txn_get(struct gml_txn *txn, enum gml_table table, struct gml_span key,
			      struct gml_span *value_out)
{
	gml_assert(table < GML_TABLE_COUNT_);
	return txn->engine->get(txn, table, key, value_out);
}
static inline int gml_cursor_open(struct gml_txn *txn, enum gml_table table,
				  struct gml_cursor **cursor_out)
{
	return txn->engine->cursor_open(txn, table, cursor_out);
}
static inline void gml_cursor_close(struct gml_cursor *cursor) /* NULL is fine */
{
	gml_assert(cursor == NULL || cursor->txn->cursors > 0);
	if (cursor != NULL)
		cursor->engine->cursor_close(cursor);
}
static inline int gml_cursor_seek(struct gml_cursor *cursor, struct gml_span key,
				  struct gml_span *key_out, struct gml_span *value_out)
{
	return cursor->engine->cursor_seek(cursor, key, key_out, value_out);
}
static inline int gml_cursor_next(struct gml_cursor *cursor, struct gml_span *key_out,
				  struct gml_span *value_out)
{
	return cursor->engine->cursor_next(cursor, key_out, value_out);
}
static inline int gml_cursor_before(struct gml_cursor *cursor, struct gml_span key,
				    struct gml_span *key_out, struct gml_span *value_out)
{
	return cursor->engine->cursor_before(cursor, key, key_out, value_out);
}

/* ---- what engines and records share ---- */
/* Fills a head that is all zeros. `opt` may be NULL. */
void gml_meta_head_init(struct gml_meta *meta, const struct gml_engine *engine,
			const struct gml_meta_options *opt);
/* A log line of the store, at most 512 bytes; more than 30 lines a second are counted and dropped.
 * Any thread. */
void gml_meta_log(struct gml_meta *meta, enum gml_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same about what failed for a request; NULL: for none. */
void gml_meta_log_of(struct gml_meta *meta, const struct gml_op *op, enum gml_log_level level,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Engines run each closure by this: it asserts what closures must keep to. Returns what fn
 * returned. */
int gml_txn_call(struct gml_txn *txn, gml_meta_fn fn, void *arg);
/* The record of `table` at `key` is damaged: logs its table and key, unless it was the last one
 * logged, and returns CORRUPT. The key may be borrowed. Any thread. */
int gml_txn_corrupt(struct gml_txn *txn, enum gml_table table, struct gml_span key);
/* All numbers of the counter are used: logs it, and returns NOSPC. Any thread. */
int gml_txn_ids_end(struct gml_txn *txn);

#endif
