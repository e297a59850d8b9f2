// SPDX-License-Identifier: Apache-2.0
/* Checkpoints: states of data.mdb that are whole on the disk, and the pinned snapshots that keep
 * their pages from being reused.
 *
 * Invariants
 *  1. A checkpoint is published only after the pages of its transaction, and then its slot in the
 *     log, were flushed.
 *  2. Every process that writes holds a read transaction (its pinned snapshot) at or before the
 *     last published checkpoint: LMDB does not reuse pages that a reader may see. It must be the
 *     writer's own, because any process may clear the reader slots of a dead one.
 *  3. A pinned snapshot advances in two steps: a newer read transaction is begun, and the older one
 *     ends when a checkpoint at or after the newer one has been published. In processes that write
 *     seldom, the thread does this.
 *  4. Changes that were acknowledged without a flush of the log are flushed within
 *     gml_checkpoint_flush_ms, by the thread of any process that writes, unless another flush comes
 *     first. The threads sleep while nothing is pending.
 *
 * Lock order: `lock`, the checkpoint lock (a record lock on data.mdb, byte
 * GML_FILE_LOCK_CHECKPOINT), LMDB's writer lock. */
#ifndef GML_META_CHECKPOINT_H
#define GML_META_CHECKPOINT_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include "redo.h"

struct gml_lmdb;

/* Bytes of data.mdb that record locks use; LMDB locks none there. All are locks of the open file
 * description: they end with its last descriptor. */
enum {
	GML_FILE_LOCK_GATE, /* exclusive while a process opens or closes the store */
	/* shared by all processes that have it open; exclusive while the first one recovers */
	GML_FILE_LOCK_ALIVE,
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
	/* the thread has seen, or was notified, that the log must be flushed */
	_Atomic bool watched;
	_Atomic uint64_t made;
};

/* 0, EAGAIN (another process has it, and wait is false), or an errno. type: F_RDLCK, F_WRLCK,
 * F_UNLCK. */
int gml_file_lock(int fd, int what, int type, bool wait);

int gml_checkpoint_init(struct gml_checkpoint *checkpoint);
void gml_checkpoint_release(struct gml_checkpoint *checkpoint);
/* Before a write transaction, without LMDB's lock: give this process a pinned snapshot in force.
 * The first call may make a checkpoint, and starts the thread. */
int gml_checkpoint_pin(struct gml_lmdb *meta);
/* Try to advance the pinned snapshots. */
int gml_checkpoint_pins_move(struct gml_lmdb *meta);
/* This process keeps no pages that transactions before this one freed. 0: it has no pinned snapshot
 * in force. */
uint64_t gml_checkpoint_pinned(struct gml_lmdb *meta);
void gml_checkpoint_pins_drop(struct gml_lmdb *meta);
/* A checkpoint at or after transaction `floor`; 0: of the present state. Waits for the writers'
 * lock and the disk. After a failure of the disk no process changes the store any more. IO. */
int gml_checkpoint_make(struct gml_lmdb *meta, uint64_t floor);
/* For the last process, at the end: a checkpoint whose slot records that no commit follows it.
 * IO. */
int gml_checkpoint_close(struct gml_lmdb *meta);
/* After gml_redo_relaxed, when no flush follows: the thread flushes the log in time. */
void gml_checkpoint_watch(struct gml_lmdb *meta);
/* After a commit: let the thread make one when it is time. */
void gml_checkpoint_nudge(struct gml_lmdb *meta, const struct gml_redo_place *place);
/* Blocks until what was committed at `place` is durable. */
int gml_checkpoint_wait_durable(struct gml_lmdb *meta, const struct gml_redo_place *place);
/* No process makes a checkpoint until unlock: the records after the last one stay. */
int gml_checkpoint_lock(struct gml_lmdb *meta);
void gml_checkpoint_unlock(struct gml_lmdb *meta);
/* The last committed transaction: its meta pages and the position of the log. */
int gml_checkpoint_capture(struct gml_lmdb *meta, struct gml_redo_slot *slot,
			   struct gml_redo_place *tail_out);
/* Ends the thread. */
void gml_checkpoint_stop(struct gml_lmdb *meta);

/* replay.c; called by a process that is alone with the store. restore: before LMDB opens data.mdb
 * (errno; EILSEQ: the log belongs to another file). replay: after it. */
int gml_recover_restore(struct gml_lmdb *meta, const struct gml_redo_slot *slot);
int gml_recover_replay(struct gml_lmdb *meta, const struct gml_redo_slot *slot);

#endif
