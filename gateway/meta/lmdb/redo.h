// SPDX-License-Identifier: Apache-2.0
/* The redo log: every committed write transaction, in order, in one preallocated file, so that one
 * small sequential flush makes it durable. LMDB itself is never flushed by a commit; a checkpoint
 * does that now and then. docs/adr/0004-redo-log.md has the argument, docs/on-disk-format.md the
 * bytes.
 *
 * Invariants
 *  1. A record is written under LMDB's writer lock before its transaction is committed. Its
 *     position follows that of the last committed transaction, its checksum covers that of the
 *     record before it: so a record of a dead writer, of an earlier lap or of an earlier opening is
 *     never taken for the successor of another.
 *  2. `next` in the shared tail describes the transaction being committed. The next holder of the
 *     writer lock compares it with LMDB's transaction number: if it was committed it becomes the
 *     tail, if not its record is erased before anything else happens. So a commit needs no step
 *     after it, and a writer may die anywhere.
 *  3. A transaction without a record (too large, no space) is a gap: it and all later ones are
 *     durable only once a checkpoint has passed it.
 *  4. A record says how far the log was durable when it was written. A record that is missing
 *     although a later one says that it was durable is damage; others a power cut may take.
 *  5. A checkpoint is published when both slots have it. So whichever slot is lost, the other has
 *     the last one that was published, or a newer one. */
#ifndef GML_META_REDO_H
#define GML_META_REDO_H

#include <pthread.h>
#include <stdatomic.h>
#include "../engine.h"

#define GML_REDO_LAYOUT 3
/* bytes of each of LMDB's two meta pages that are kept; more than it uses */
#define GML_REDO_META 512
#define GML_REDO_META_FIXED 40 /* the first of these never change */

/* Bytes of the ring of a new log. Tests make it smaller. */
extern uint64_t gml_redo_size;

/* Where a committed transaction left the log. */
struct gml_redo_place {
	/* LMDB's number of the transaction; 0 in `next`: nothing is being committed */
	_Atomic uint64_t txnid;
	/* bytes since the log was made; the next record stands at pos modulo the ring's size */
	uint64_t pos;
	uint64_t chain;
	uint64_t work; /* pages written, estimated */
	uint64_t gap;  /* the last transaction without a record */
};

/* Shared by all processes (meta/redo.tail), remade by the first opener. tail and next belong to the
 * holder of LMDB's writer lock, the checkpoint's fields to the holder of the checkpoint lock;
 * others read them. */
struct gml_redo_shared {
	uint64_t layout; /* GML_REDO_LAYOUT: all programs that map it have the same struct */
	struct gml_redo_place tail, next;
	_Alignas(64) _Atomic uint64_t committed; /* positions: a committed record ends here; */
	_Atomic uint64_t flushed;		 /* everything before it is on the disk; */
	/* the last record that was acknowledged without a flush ends here */
	_Atomic uint64_t relaxed;
	_Atomic uint64_t k_txnid, k_pos, k_chain, k_work, k_seq; /* the last durable checkpoint */
	/* the content of the disk is unknown: no change until all processes have closed the
	 * store */
	_Atomic uint32_t broken;
	_Alignas(64) _Atomic uint32_t wakeups; /* futex: changes with every checkpoint */
};

enum gml_redo_state { GML_REDO_MAKING = 1, GML_REDO_WHOLE = 2 };

/* A checkpoint as the log's file holds it. MAKING: the creation of the store has not finished. */
struct gml_redo_slot {
	uint64_t seq, txnid, pos, chain;
	enum gml_redo_state state;
	bool closed;	    /* no commit follows it: the last process closed the store */
	uint64_t data_size; /* bytes of data.mdb that it needs */
	unsigned at;	    /* as read: where it stands, */
	unsigned copies;    /* and how many slots have it */
	uint8_t meta[2][GML_REDO_META];
};

struct gml_redo {
	int fd; /* meta/redo; -1: not open */
	uint64_t size;
	uint64_t salt;	    /* every checksum of a record begins with it */
	uint32_t page_size; /* of data.mdb */
	struct gml_redo_shared *shared;
	/* The record being made, of the holder of the writer lock. */
	uint8_t *buf;
	size_t len, cap;
	bool skip; /* it became too large, or there was no memory: no record */
};

struct gml_redo_record {
	uint64_t txnid, pos, chain; /* after it */
	uint64_t before;	    /* the chain that it continues */
	uint8_t *payload;	    /* heap */
	size_t len;
};

/* Where the log is damaged. */
struct gml_redo_damage {
	uint64_t txnid; /* whose record is missing */
	uint64_t off;	/* where in the file it should stand */
	uint64_t later; /* whole records behind it that prove it */
};

/* Called for each change of a record in turn; non-zero ends the walk. op: put or delete. */
typedef int (*gml_redo_apply_fn)(void *arg, bool put, enum gml_table table, struct gml_span key,
				 struct gml_span value);

void gml_redo_init(struct gml_redo *redo);
void gml_redo_release(struct gml_redo *redo);
/* All return 0, an errno, or what their comments list. Blocks on disk. make: a new file with one
 * MAKING slot, durable but for its name. open: ENOENT when there is none, or an unfinished one;
 * EILSEQ when it is damaged. */
int gml_redo_make(struct gml_redo *redo, const char *dir, uint32_t page_size);
int gml_redo_open(struct gml_redo *redo, const char *dir);
/* Map the shared tail; `fresh`: make it anew from `slot`. */
int gml_redo_share(struct gml_redo *redo, const char *dir, const struct gml_redo_slot *slot);
/* The newest whole slot; EILSEQ when none is. */
int gml_redo_slot_read(struct gml_redo *redo, struct gml_redo_slot *out);
/* Puts it into both slots, one after the other, and flushes the log twice. */
int gml_redo_slot_write(struct gml_redo *redo, const struct gml_redo_slot *slot);
/* A number that no earlier chain began with. */
int gml_redo_seed(uint64_t *seed_out);

/* ---- under LMDB's writer lock. txnid: of the transaction that holds it. ---- */
/* Resolves the pending record of the last writer (invariant 2). After a failure the store is
 * broken. */
int gml_redo_resolve(struct gml_redo *redo, uint64_t txnid);
void gml_redo_begin(struct gml_redo *redo);
void gml_redo_add(struct gml_redo *redo, bool put, enum gml_table table, struct gml_span key,
		  struct gml_span value);
/* Writes the record; *out is the position of the log once the transaction is committed. */
int gml_redo_append(struct gml_redo *redo, uint64_t txnid, uint64_t work,
		    struct gml_redo_place *out);

/* ---- any thread ---- */
void gml_redo_committed(struct gml_redo *redo, const struct gml_redo_place *place);
/* The death of all processes does not undo it: it and all before it have records, or a checkpoint
 * has passed them. */
bool gml_redo_logged(const struct gml_redo *redo, const struct gml_redo_place *place);
bool gml_redo_durable(struct gml_redo *redo, const struct gml_redo_place *place);
/* An update at `place`, or before it in the same batch, is going to be acknowledged without a
 * flush. */
void gml_redo_relaxed(struct gml_redo *redo, const struct gml_redo_place *place);
/* True if a change that any process acknowledged this way is not durable yet. */
bool gml_redo_lags(const struct gml_redo *redo);
/* Flushes the log, and with it all commits before. */
int gml_redo_flush(struct gml_redo *redo);

/* ---- recovery and verification. NOENT: no record follows. CORRUPT, NOMEM, IO. ---- */
int gml_redo_read(struct gml_redo *redo, uint64_t pos, uint64_t chain, uint64_t txnid,
		  struct gml_redo_record *out);
/* CORRUPT, and *out: a record behind the slot is missing that was durable (invariant 4). NOMEM, IO.
 * Reads all of the log. */
int gml_redo_verify(struct gml_redo *redo, const struct gml_redo_slot *slot,
		    struct gml_redo_damage *out);
int gml_redo_walk(const struct gml_redo_record *record, gml_redo_apply_fn apply, void *arg);

#endif
