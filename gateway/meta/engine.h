/* The metadata engine: an ordered, transactional key-value store. Nothing above gateway/meta knows which one it is.
 *
 * Invariants
 *  1. Keys are 1..511 bytes, compared bytewise; values at most 4 MiB.
 *  2. A read transaction sees one committed snapshot; readers never wait for writers.
 *  3. Spans that get and cursors return stay valid until the transaction's next write (write transactions) or its end
 * (read transactions).
 *  4. gml_meta_update returns 0 only when the change is durable, unless its closure said that it need not be.
 *  5. What a power cut takes back is always the last changes: everything before a change that is left is left as well.
 */
#ifndef GML_META_ENGINE_H
#define GML_META_ENGINE_H

#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>

/* X(name, stable on-disk name) */
#define GML_TABLE_MAP(X)                                                                                               \
	X(SUPER)                                                                                                       \
	X(INODE)                                                                                                       \
	X(DIRENT) X(COOKIE) X(EXTENT) X(XATTR) X(BLOB) X(BUCKET) X(VERSION) X(UPLOAD) X(PART) X(USER) X(KEY) X(ORPHAN) \
		X(DIRTY) X(LEASE) X(JOURNAL)
enum gml_table {
#define GML_TABLE_ENUM(name) GML_TABLE_##name,
	GML_TABLE_MAP(GML_TABLE_ENUM)
#undef GML_TABLE_ENUM
		GML_TABLE_COUNT_
};

struct gml_meta;
struct gml_txn;

struct gml_meta_options {
	uint64_t map_size; /* create: 0 = 1 TiB, halved until the address space allows it. open: 0 = as recorded; more
			      grows it (then reopen in every process) */
	uint32_t readers_max; /* 0: 4096 */
	/* Called by the leader before each durable commit, outside the write transaction: makes data durable that the
	 * batch's closures are about to reference (packs). */
	int (*presync)(void *arg);
	void *presync_arg;
	gml_log_fn log;
	void *log_arg;
};

/* `dir` exists. create: EXIST if a store is there. open: NOENT, FORMAT, CORRUPT; once per process (BUSY), after the
 * last fork. Disk: when nobody else has the store open it is recovered (the redo log is replayed), and waits while
 * another process opens or closes it. The first change of a process starts a thread; it has all signals blocked. */
int gml_meta_create(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt);
int gml_meta_open(const char *dir, const struct gml_meta_options *opt, struct gml_meta **meta_out);
void gml_meta_close(struct gml_meta *meta);
const uint8_t *gml_meta_uuid(const struct gml_meta *meta);
/* Sequence number of the last commit of any process. What a snapshot with that number said is still so. Cheap: no
 * snapshot is taken. */
uint64_t gml_meta_seq(struct gml_meta *meta);
/* Free reader slots of dead processes. */
int gml_meta_clear_readers(struct gml_meta *meta);

/* A read snapshot; cheap (pooled). End it soon: a long one keeps old pages alive. Any thread, one thread at a time. */
int gml_meta_read_begin(struct gml_meta *meta, struct gml_txn **txn_out);
void gml_meta_read_end(struct gml_txn *txn); /* NULL is fine */

/* A change. `fn` runs once, on whichever thread leads the batch, in a write transaction shared with other closures: it
 * must check everything before its first put or delete and, if it returns non-zero, must have written nothing
 * (otherwise an error is logged and the whole batch is run again without it). No I/O, no waiting inside, no other
 * update. It may run on another thread and, when the batch is run again, several times: it must depend on `txn` and
 * `arg` only. Blocks until durable, or until committed if the closure wants no more (gml_txn_durability); returns fn's
 * or the commit's error. After an I/O error of the disk nothing is known of what it holds: a change that was answered
 * with IO may yet come to light, and every further update answers IO until the store is opened anew (after a failed
 * flush: by all processes). NOSPC: the disk or the map is full; before it is, changes that leave more records than they
 * found get it (room.h). Any thread. */
typedef int (*gml_meta_fn)(struct gml_txn *txn, void *arg);
int gml_meta_update(struct gml_meta *meta, gml_meta_fn fn, void *arg);
/* Same without waiting for durability, whatever the closure says of it: visible to all on return, durable with the next
 * durable commit. For settled facts that recovery can redo only; it may free no bytes. */
int gml_meta_update_relaxed(struct gml_meta *meta, gml_meta_fn fn, void *arg);
/* Makes durable what gml_meta_update answered early because of gml_txn_durability. At once when there is nothing of the
 * kind; else it blocks for a commit. IO. */
int gml_meta_flush(struct gml_meta *meta);
/* After it returned 0, every new snapshot shows whatever processes that were dead before the call had committed. A
 * writer that is killed between writing its commit and announcing it leaves a commit that readers do not see until the
 * next writer takes the lock. Whoever takes things away because nothing refers to them calls it after he knows that
 * their owner is dead, and before he looks. Blocks on the writers' lock, and until what it shows is durable (at most
 * one flush). Changes nothing. */
int gml_meta_barrier(struct gml_meta *meta);
/* As the last change found it, gml_meta_barrier included: only changes that free space are accepted. Any thread; no waiting. */
bool gml_meta_is_short(struct gml_meta *meta);

/* Verify the redo log: its last checkpoint, and the unbroken row of records from there to the last commit. Each problem
 * is one call. Waits for the writers' lock and for a checkpoint being made; writers go on. NOMEM, IO. */
int gml_meta_check(struct gml_meta *meta, void (*problem)(void *arg, const char *text), void *arg);

/* NOENT when absent. */
int gml_txn_get(struct gml_txn *txn, enum gml_table table, struct gml_span key, struct gml_span *value_out);
/* The key may be borrowed from the same transaction, the value may not. INVAL, TOOBIG, NOSPC, IO. */
int gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key, struct gml_span value);
int gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key); /* NOENT when absent */
/* Next number of the store-wide counter (inodes, cookies, uploads' hidden directories): > 0, never repeats once
 * committed, not even when a power cut takes the commit back. A closure that fails gives it back; one that succeeds
 * puts it into a record. Write transactions only. */
uint64_t gml_txn_next_id(struct gml_txn *txn);
/* In a closure: what it changes may get lost (relaxed), or must not. It is relaxed when somebody said so and nobody said
 * otherwise; nobody said anything: it is not. The caller of a relaxed one is answered after the commit: the death of all
 * processes does not lose it, a power cut may within about a second, with all that came after. */
void gml_txn_durability(struct gml_txn *txn, bool relaxed);
/* Number of entries (statistics; O(1)). */
int gml_txn_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out);
/* Sequence number of the snapshot / of the transaction being written. */
uint64_t gml_txn_seq(const struct gml_txn *txn);

struct gml_cursor;
int gml_cursor_open(struct gml_txn *txn, enum gml_table table, struct gml_cursor **cursor_out);
void gml_cursor_close(struct gml_cursor *cursor); /* before the transaction's end; NULL is fine */
/* Position at the first key >= `key` / the next / the previous / the last key < `key`. NOENT at the end. Spans are
 * borrowed (invariant 3). */
int gml_cursor_seek(struct gml_cursor *cursor, struct gml_span key, struct gml_span *key_out,
		    struct gml_span *value_out);
int gml_cursor_next(struct gml_cursor *cursor, struct gml_span *key_out, struct gml_span *value_out);
int gml_cursor_before(struct gml_cursor *cursor, struct gml_span key, struct gml_span *key_out,
		      struct gml_span *value_out);

/* Counters since open, for metrics and tests. */
struct gml_meta_stats {
	uint64_t commits, updates, syncs, reads;
	uint64_t log_bytes, checkpoints; /* records written; checkpoints made, both by this process */
	uint64_t map_size, map_used;
};
void gml_meta_stats_get(struct gml_meta *meta, struct gml_meta_stats *out);

#endif
