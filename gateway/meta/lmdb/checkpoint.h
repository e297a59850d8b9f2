// SPDX-License-Identifier: Apache-2.0
/* Checkpoints: states of data.mdb that are whole on the disk, and the pins that keep their pages from being used again.
 *
 * Invariants
 *  1. A checkpoint is published only after the pages of its transaction, and then its slot in the log, were flushed.
 *  2. Every process that writes holds a read transaction (its pin) at or before the last published checkpoint: LMDB
 * does not give pages away that a reader may see. It must be the writer's own, because anybody may clear the reader
 * slots of a process that died.
 *  3. A pin moves in two steps: a newer read transaction is begun, and the older is given up when a checkpoint at or
 * after the newer one has been published. A thread does that in processes that write seldom, too.
 *  4. What was acknowledged without a flush of the log gets one within gml_checkpoint_flush_ms, by the thread of any
 * process that writes, should no other flush come before. The threads sleep while there is nothing of the kind.
 *
 * Lock order: `lock`, the checkpoint lock (a record lock on data.mdb, byte GML_FILE_LOCK_CHECKPOINT), LMDB's writer lock.
 */
#ifndef GML_META_CHECKPOINT_H
#define GML_META_CHECKPOINT_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include "redo.h"

struct gml_lmdb;

/* Bytes of data.mdb that record locks stand for; LMDB locks none there. All are locks of the open file: they end with
 * the last descriptor, whoever has it. */
enum {
	GML_FILE_LOCK_GATE, /* exclusive while a process opens or closes the store */
	GML_FILE_LOCK_ALIVE, /* shared by all that have it open; exclusive while the first one recovers */
	GML_FILE_LOCK_CHECKPOINT, /* exclusive while a checkpoint is made */
};

/* Pages written, estimated, after which the thread makes a checkpoint. Tests make it smaller. */
extern unsigned gml_checkpoint_pages;
/* Invariant 4. Tests change it. */
extern unsigned gml_checkpoint_flush_ms;

struct gml_checkpoint {
	pthread_mutex_t lock; /* checkpoints of this process; pins */
	MDB_txn *pin[2];      /* in force; the next */
	uint64_t pin_txnid[2];
	pthread_t thread;
	bool running;
	_Atomic bool pinned, stop, wanted;
	_Atomic bool watched; /* the thread knows, or was told, that the log is to be flushed */
	_Atomic uint64_t made;
};

/* 0, EAGAIN (somebody has it, and wait is false), or an errno. type: F_RDLCK, F_WRLCK, F_UNLCK. */
int gml_file_lock(int fd, int what, int type, bool wait);

int gml_checkpoint_init(struct gml_checkpoint *checkpoint);
void gml_checkpoint_release(struct gml_checkpoint *checkpoint);
/* Before a write transaction, without LMDB's lock: this process has a pin in force. The first call may make a
 * checkpoint, and starts the thread. */
int gml_checkpoint_pin(struct gml_lmdb *meta);
/* Try to move the pins. */
int gml_checkpoint_pins_move(struct gml_lmdb *meta);
/* Pages that a transaction before this one freed are not kept by this process. 0: it has no pin in force. */
uint64_t gml_checkpoint_pinned(struct gml_lmdb *meta);
void gml_checkpoint_pins_drop(struct gml_lmdb *meta);
/* A checkpoint at or after transaction `floor`; 0: of whatever is there now. Waits for the writers' lock, and the disk.
 * After a failure of the disk nobody changes the store any more. IO. */
int gml_checkpoint_make(struct gml_lmdb *meta, uint64_t floor);
/* Alone with the store, at the end: one whose slot says that nothing was committed after it. IO. */
int gml_checkpoint_close(struct gml_lmdb *meta);
/* After gml_redo_relaxed, when no flush follows: the thread flushes the log in time. */
void gml_checkpoint_watch(struct gml_lmdb *meta);
/* After a commit: let the thread make one when it is time. */
void gml_checkpoint_nudge(struct gml_lmdb *meta, const struct gml_redo_place *place);
/* Blocks until what was committed at `place` is durable. */
int gml_checkpoint_wait_durable(struct gml_lmdb *meta, const struct gml_redo_place *place);
/* No checkpoint is made by anybody until unlock: the records behind the last one stay. */
int gml_checkpoint_lock(struct gml_lmdb *meta);
void gml_checkpoint_unlock(struct gml_lmdb *meta);
/* The last committed transaction: its meta pages, and where the log stands. */
int gml_checkpoint_capture(struct gml_lmdb *meta, struct gml_redo_slot *slot,
			   struct gml_redo_place *tail_out);
/* Ends the thread. */
void gml_checkpoint_stop(struct gml_lmdb *meta);

/* replay.c; alone with the store. restore: before LMDB opens data.mdb (errno; EILSEQ: not the file that the log
 * belongs to). replay: after it. */
int gml_recover_restore(struct gml_lmdb *meta, const struct gml_redo_slot *slot);
int gml_recover_replay(struct gml_lmdb *meta, const struct gml_redo_slot *slot);

#endif
