// SPDX-License-Identifier: Apache-2.0
/* See checkpoint.h. */
#include "checkpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "lmdb_internal.h"

/* Enough that a checkpoint's own flushes do not count; little enough that those who flush the log
 * meanwhile wait only some milliseconds, and that the pages that may not be used again, and the
 * time a recovery takes, stay small. */
unsigned gml_checkpoint_pages = 2048;
unsigned gml_checkpoint_flush_ms = 1000;

#define CHECKPOINT_STEP (256 << 10) /* bytes of data.mdb; at most CHECKPOINT_STEPS of them */
#define CHECKPOINT_STEPS 1024

int gml_file_lock(int fd, int what, int type, bool wait)
{
	struct flock lock = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = what, .l_len = 1};
	int rc;
	while ((rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock)) != 0 && errno == EINTR)
		;
	if (rc == 0)
		return 0;
	return errno == EACCES ? EAGAIN : errno;
}

int gml_checkpoint_init(struct gml_checkpoint *checkpoint)
{
	return pthread_mutex_init(&checkpoint->lock, NULL);
}

void gml_checkpoint_release(struct gml_checkpoint *checkpoint)
{
	pthread_mutex_destroy(&checkpoint->lock);
}

static void checkpoint_ring(struct gml_lmdb *meta)
{
	_Atomic uint32_t *wakeups = &meta->redo.shared->wakeups;
	atomic_fetch_add(wakeups, 1);
	syscall(SYS_futex, wakeups, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- pins ---- */
static int pin_begin(struct gml_lmdb *meta)
{
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	int dead, rc = checkpoint->pin[1] != NULL
			       ? mdb_txn_renew(checkpoint->pin[1])
			       : mdb_txn_begin(meta->env, NULL, MDB_RDONLY, &checkpoint->pin[1]);
	if (rc == MDB_READERS_FULL && mdb_reader_check(meta->env, &dead) == 0 && dead > 0)
		rc = mdb_txn_begin(meta->env, NULL, MDB_RDONLY, &checkpoint->pin[1]);
	if (rc != 0) {
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "cannot begin the read transaction that keeps the last checkpoint: %s",
			     mdb_strerror(rc));
		if (checkpoint->pin[1] != NULL)
			mdb_txn_abort(checkpoint->pin[1]);
		checkpoint->pin[1] = NULL;
		return gml_lmdb_err(rc);
	}
	checkpoint->pin_txnid[1] = mdb_txn_id(checkpoint->pin[1]);
	/* Invariant 3: pins only advance. */
	gml_assert(checkpoint->pin[0] == NULL ||
		   checkpoint->pin_txnid[0] <= checkpoint->pin_txnid[1]);
	return 0;
}

static int pins_move_locked(struct gml_lmdb *meta)
{
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	MDB_txn *old = checkpoint->pin[0];
	int rc = checkpoint->pin[1] == NULL ? pin_begin(meta) : 0;
	if (rc != 0 || checkpoint->pin_txnid[1] > meta->redo.shared->k_txnid)
		return rc;
	checkpoint->pin[0] = checkpoint->pin[1];
	checkpoint->pin_txnid[0] = checkpoint->pin_txnid[1];
	atomic_store(&checkpoint->pinned, true);
	checkpoint->pin[1] = old;
	if (old != NULL)
		mdb_txn_reset(old);
	return pin_begin(meta);
}

int gml_checkpoint_pins_move(struct gml_lmdb *meta)
{
	int rc;
	pthread_mutex_lock(&meta->checkpoint.lock);
	rc = pins_move_locked(meta);
	pthread_mutex_unlock(&meta->checkpoint.lock);
	return rc;
}

uint64_t gml_checkpoint_pinned(struct gml_lmdb *meta)
{
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	uint64_t txnid;
	pthread_mutex_lock(&checkpoint->lock);
	txnid = checkpoint->pin[0] != NULL ? checkpoint->pin_txnid[0] : 0;
	pthread_mutex_unlock(&checkpoint->lock);
	return txnid;
}

void gml_checkpoint_pins_drop(struct gml_lmdb *meta)
{
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	atomic_store(&checkpoint->pinned, false);
	for (int i = 0; i < 2; i++) {
		if (checkpoint->pin[i] != NULL)
			mdb_txn_abort(checkpoint->pin[i]);
		checkpoint->pin[i] = NULL;
	}
}

/* ---- making one ---- */
static int checkpoint_read_meta(struct gml_lmdb *meta, struct gml_redo_slot *slot)
{
	struct stat st;
	if (fstat(meta->data_fd, &st) != 0)
		return errno;
	slot->data_size = (uint64_t)st.st_size;
	for (unsigned i = 0; i < 2; i++) {
		ssize_t n;
		do
			n = pread(meta->data_fd, slot->meta[i], GML_REDO_META,
				  (off_t)i * meta->redo.page_size);
		while (n < 0 && errno == EINTR);
		if (n != GML_REDO_META)
			return n < 0 ? errno : EIO;
	}
	return 0;
}

/* Writers wait for this only. */
int gml_checkpoint_capture(struct gml_lmdb *meta, struct gml_redo_slot *slot,
			   struct gml_redo_place *tail_out)
{
	struct gml_redo_shared *shared = meta->redo.shared;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(meta->env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	rc = gml_redo_resolve(&meta->redo, mdb_txn_id(txn));
	slot->txnid = shared->tail.txnid;
	slot->pos = shared->tail.pos;
	slot->chain = shared->tail.chain;
	*tail_out = shared->tail;
	if (rc == 0)
		rc = checkpoint_read_meta(meta, slot);
	mdb_txn_abort(txn);
	return rc;
}

/* Write the dirty pages back step by step. One flush would write all at once, and every flush of
 * the log meanwhile would wait behind it. An error counts: the kernel reports it once for this
 * descriptor, so the flush would not report it. */
static int checkpoint_trickle(int fd)
{
	const unsigned how =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	struct stat st;
	off_t step;
	if (fstat(fd, &st) != 0)
		return errno;
	step = st.st_size / CHECKPOINT_STEPS > CHECKPOINT_STEP ? st.st_size / CHECKPOINT_STEPS
							       : CHECKPOINT_STEP;
	for (off_t off = 0; off < st.st_size; off += step)
		if (sync_file_range(fd, off, step, how) != 0)
			return errno == ENOSYS || errno == EINVAL
				       ? 0
				       : errno; /* a file system without it */
	return 0;
}

/* All its pages are written, and none is reused before this checkpoint is published, so the flush
 * needs no lock. */
static int checkpoint_write(struct gml_lmdb *meta, const struct gml_redo_slot *slot,
			    const struct gml_redo_place *tail)
{
	struct gml_redo_shared *shared = meta->redo.shared;
	int rc = checkpoint_trickle(meta->data_fd);
	gml_assert(slot->txnid >= shared->k_txnid && slot->pos >= shared->k_pos);
	if (rc == 0)
		rc = fdatasync(meta->data_fd) == 0 ? 0 : errno;
	if (rc == 0)
		rc = gml_redo_slot_write(&meta->redo, slot);
	atomic_fetch_add_explicit(&meta->syncs, 3, memory_order_relaxed);
	if (rc != 0)
		return rc;
	atomic_store(&shared->k_seq, slot->seq);
	atomic_store(&shared->k_chain, slot->chain);
	atomic_store(&shared->k_pos, slot->pos);
	atomic_store(&shared->k_work, tail->work);
	atomic_store(&shared->k_txnid, slot->txnid);
	atomic_fetch_add_explicit(&meta->checkpoint.made, 1, memory_order_relaxed);
	return 0;
}

static int checkpoint_make_locked(struct gml_lmdb *meta, uint64_t floor, bool closed)
{
	struct gml_redo_shared *shared = meta->redo.shared;
	struct gml_redo_slot slot = {.state = GML_REDO_WHOLE, .closed = closed};
	struct gml_redo_place tail;
	int rc;
	if (atomic_load(&shared->broken) != 0)
		return EIO;
	if (floor != 0 && floor <= shared->k_txnid)
		return 0;
	slot.seq = shared->k_seq + 1;
	rc = gml_checkpoint_capture(meta, &slot, &tail);
	if (rc == 0 && !closed && slot.txnid == shared->k_txnid && slot.chain == shared->k_chain)
		return 0; /* the last one says it all */
	if (rc == 0) {
		rc = checkpoint_write(meta, &slot, &tail);
		if (rc != 0) /* pages may be lost, for all processes */
			atomic_store(&shared->broken, 1);
	}
	if (rc != 0)
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "checkpoint of the metadata store failed: %s", mdb_strerror(rc));
	return rc;
}

int gml_checkpoint_lock(struct gml_lmdb *meta)
{
	int rc;
	pthread_mutex_lock(&meta->checkpoint.lock);
	rc = gml_file_lock(meta->data_fd, GML_FILE_LOCK_CHECKPOINT, F_WRLCK, true);
	if (rc != 0)
		pthread_mutex_unlock(&meta->checkpoint.lock);
	return rc;
}

void gml_checkpoint_unlock(struct gml_lmdb *meta)
{
	(void)gml_file_lock(meta->data_fd, GML_FILE_LOCK_CHECKPOINT, F_UNLCK, false);
	pthread_mutex_unlock(&meta->checkpoint.lock);
}

static int checkpoint_make(struct gml_lmdb *meta, uint64_t floor, bool closed)
{
	int rc = gml_checkpoint_lock(meta);
	if (rc != 0)
		return GML_ERR_IO;
	rc = checkpoint_make_locked(meta, floor, closed);
	if (rc == 0 && meta->checkpoint.pin[1] != NULL)
		(void)pins_move_locked(meta); /* a pin that cannot move is safe */
	gml_checkpoint_unlock(meta);
	if (rc != 0)
		return GML_ERR_IO;
	checkpoint_ring(meta);
	return 0;
}

int gml_checkpoint_make(struct gml_lmdb *meta, uint64_t floor)
{
	return checkpoint_make(meta, floor, false);
}

int gml_checkpoint_close(struct gml_lmdb *meta)
{
	return checkpoint_make(meta, 0, true);
}

int gml_checkpoint_wait_durable(struct gml_lmdb *meta, const struct gml_redo_place *place)
{
	int rc = 0;
	if (gml_redo_durable(&meta->redo, place))
		return 0;
	if (atomic_load(&meta->redo.shared->broken) != 0)
		return GML_ERR_IO;
	if (place->gap > meta->redo.shared->k_txnid)
		rc = gml_checkpoint_make(meta, place->gap);
	if (rc != 0 || gml_redo_durable(&meta->redo, place))
		return rc;
	rc = gml_redo_flush(&meta->redo);
	atomic_fetch_add_explicit(&meta->syncs, 1, memory_order_relaxed);
	if (rc == 0)
		return 0;
	gml_meta_log(&meta->head, GML_LOG_ERROR, "flush of the metadata log failed: %s",
		     strerror(rc));
	atomic_store(&meta->redo.shared->broken, 1);
	return GML_ERR_IO;
}

/* ---- the thread ---- */
static bool checkpoint_due(const struct gml_lmdb *meta, uint64_t pos, uint64_t work)
{
	const struct gml_redo_shared *shared = meta->redo.shared;
	return pos - shared->k_pos > meta->redo.size / 2 ||
	       work - shared->k_work > gml_checkpoint_pages;
}

void gml_checkpoint_nudge(struct gml_lmdb *meta, const struct gml_redo_place *place)
{
	if (checkpoint_due(meta, place->pos, place->work) &&
	    !atomic_exchange(&meta->checkpoint.wanted, true))
		checkpoint_ring(meta);
}

void gml_checkpoint_watch(struct gml_lmdb *meta)
{
	if (!atomic_exchange(&meta->checkpoint.watched, true))
		checkpoint_ring(meta);
}

/* When the log is to be flushed; CLOCK_MONOTONIC. */
struct checkpoint_alarm {
	bool set;
	struct timespec at;
};

static bool alarm_is_due(const struct checkpoint_alarm *alarm)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > alarm->at.tv_sec ||
	       (now.tv_sec == alarm->at.tv_sec && now.tv_nsec >= alarm->at.tv_nsec);
}

static void alarm_set(struct checkpoint_alarm *alarm)
{
	clock_gettime(CLOCK_MONOTONIC, &alarm->at);
	alarm->at.tv_sec += gml_checkpoint_flush_ms / 1000;
	alarm->at.tv_nsec += (long)(gml_checkpoint_flush_ms % 1000) * 1000000;
	if (alarm->at.tv_nsec >= 1000000000) {
		alarm->at.tv_nsec -= 1000000000;
		alarm->at.tv_sec++;
	}
	alarm->set = true;
}

/* An alarm covers all changes acknowledged until it expires. A thread that finds `watched` false
 * afterwards wakes the others, so a change that arrives during this check is checked again. */
static void checkpoint_flush_late(struct gml_lmdb *meta, struct checkpoint_alarm *alarm)
{
	struct gml_redo_shared *shared = meta->redo.shared;
	if (alarm->set && !alarm_is_due(alarm))
		return;
	if (alarm->set) { /* its failure is recorded in the shared tail */
		struct gml_redo_place late = {.pos = atomic_load(&shared->relaxed)};
		(void)gml_checkpoint_wait_durable(meta, &late);
	}
	alarm->set = false;
	atomic_store(&meta->checkpoint.watched, false);
	if (!gml_redo_lags(&meta->redo) || atomic_load(&shared->broken) != 0)
		return;
	atomic_store(&meta->checkpoint.watched, true);
	alarm_set(alarm);
}

static void *checkpoint_run(void *arg)
{
	struct gml_lmdb *meta = arg;
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	_Atomic uint32_t *wakeups = &meta->redo.shared->wakeups;
	struct checkpoint_alarm alarm = {0};
	for (;;) {
		uint32_t seen = atomic_load(wakeups);
		if (atomic_load(&checkpoint->stop))
			return NULL;
		if (atomic_exchange(&checkpoint->wanted, false))
			(void)gml_checkpoint_make(meta, meta->redo.shared->k_txnid + 1);
		/* A snapshot that cannot advance now is tried again after the next checkpoint. */
		(void)gml_checkpoint_pins_move(meta);
		checkpoint_flush_late(meta, &alarm);
		syscall(SYS_futex, wakeups, FUTEX_WAIT_BITSET, seen, alarm.set ? &alarm.at : NULL,
			NULL, FUTEX_BITSET_MATCH_ANY);
	}
}

static int checkpoint_start(struct gml_lmdb *meta)
{
	sigset_t all, old;
	int rc;
	sigfillset(&all);
	rc = pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the host's business */
	if (rc == 0) {
		rc = pthread_create(&meta->checkpoint.thread, NULL, checkpoint_run, meta);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	meta->checkpoint.running = rc == 0;
	return gml_lmdb_err(rc);
}

void gml_checkpoint_stop(struct gml_lmdb *meta)
{
	if (!meta->checkpoint.running)
		return;
	atomic_store(&meta->checkpoint.stop, true);
	checkpoint_ring(meta);
	pthread_join(meta->checkpoint.thread, NULL);
	meta->checkpoint.running = false;
}

int gml_checkpoint_pin(struct gml_lmdb *meta)
{
	struct gml_checkpoint *checkpoint = &meta->checkpoint;
	int rc = 0;
	if (!atomic_load_explicit(&checkpoint->pinned, memory_order_acquire)) {
		rc = gml_checkpoint_pins_move(meta);
		/* the store has changed since the last one */
		if (rc == 0 && !atomic_load(&checkpoint->pinned))
			rc = gml_checkpoint_make(meta, checkpoint->pin_txnid[1]);
		if (rc == 0 && !atomic_load(&checkpoint->pinned))
			rc = GML_ERR_AGAIN; /* no reader slot, no memory: logged */
	}
	if (rc == 0 && !checkpoint->running)
		rc = checkpoint_start(meta);
	return rc;
}
