// SPDX-License-Identifier: Apache-2.0
/* Group commit: one thread leads, the others wait for their own result.
 *
 *   queue ──► batch: presync, write transaction, every closure, record, commit, flush of the log
 *   ──► acknowledged
 *
 * Invariants
 *  1. At most one thread of the process leads, until its batch is flushed. All closures that arrive
 *     meanwhile form the next batch.
 *  2. The result of a batch is reported only when all that the batch saw is durable: its own
 *     record, and earlier ones of other processes. docs/adr/0001-group-commit.md and
 *     0004-redo-log.md have the argument and the figures. Relaxed updates are reported after the
 *     commit; the leader does not flush a batch that has no others.
 *  3. A waiter's storage is on its stack and may vanish as soon as its semaphore was posted. */
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include "lmdb_internal.h"

#define COMMIT_TRIES 200 /* about a second */

struct gml_update {
	struct gml_update *next;
	gml_meta_fn fn;
	void *arg;
	int rc;
	const struct gml_op *op; /* whose request its closure worked for, in the last run */
	bool agreed;		 /* its closure succeeded, in the last run */
	bool relaxed;		 /* whatever its closure says */
	bool declared_relaxed;	 /* its closure said so, in the last run */
	bool done; /* has its result for good; closures of later runs of the batch leave it out */
	bool lead; /* woken to lead, not with a result */
	sem_t wake;
};

int gml_commit_init(struct gml_commit *commit)
{
	commit->tail = &commit->head;
	return pthread_mutex_init(&commit->lock, NULL) == 0 ? 0 : -1;
}

void gml_commit_release(struct gml_commit *commit)
{
	pthread_mutex_destroy(&commit->lock);
}

static void update_wait(struct gml_update *update)
{
	while (sem_wait(&update->wake) != 0)
		; /* EINTR */
}

/* Give everyone on the list its result. `rc` overrides successes (a sync that failed). */
static void update_ack(struct gml_update *list, int rc)
{
	while (list != NULL) {
		struct gml_update *next = list->next;
		if (list->rc == 0)
			list->rc = rc;
		sem_post(&list->wake);
		list = next;
	}
}

static void update_fail(struct gml_update *list, int rc)
{
	for (; list != NULL; list = list->next) {
		if (!list->done)
			list->rc = rc;
		list->done = true;
	}
}

/* Space is short: NOSPC for a closure that leaves more records than it found (*grown_out). */
static int commit_refuses_growth(struct gml_lmdb_txn *txn, struct gml_update *update,
				 bool *grown_out)
{
	uint64_t before, after;
	int rc = gml_reserve_records(txn, &before);
	if (rc == 0)
		rc = gml_txn_call(&txn->head, update->fn, update->arg);
	if (rc == 0)
		rc = gml_reserve_records(txn, &after);
	*grown_out = rc == 0 && after > before;
	return *grown_out ? GML_ERR_NOSPC : rc;
}

/* One that fails leaves nothing behind, the numbers that it took included: what a power cut can
 * take back of them is counted by the records that they stand in (replay.c). */
static void commit_call(struct gml_lmdb_txn *txn, struct gml_update *update, bool no_space,
			bool *grown_out)
{
	uint64_t last_id = txn->last_id;
	bool id_changed = txn->id_changed;
	*grown_out = false;
	txn->head.declared_relaxed = txn->head.declared_strict = false;
	txn->head.op = NULL;
	update->rc = no_space ? commit_refuses_growth(txn, update, grown_out)
			      : gml_txn_call(&txn->head, update->fn, update->arg);
	update->op = txn->head.op;
	update->agreed = update->rc == 0;
	update->declared_relaxed =
		update->agreed && txn->head.declared_relaxed && !txn->head.declared_strict;
	if (update->rc != 0) {
		txn->last_id = last_id;
		txn->id_changed = id_changed;
	}
}

/* Run every closure that has no result yet in one transaction. GML_ERR_CANCELED: one failed after
 * it had written; it has its result now, run the others again. Another error is the engine's:
 * nothing of this run is stored. */
static int commit_attempt(struct gml_lmdb *meta, struct gml_update *batch,
			  struct gml_redo_place *place_out)
{
	struct gml_lmdb_txn txn;
	uint64_t local[GML_TXN_LOCAL / 8] = {0};
	bool no_space;
	int rc = gml_reserve_keep(meta, &no_space);
	if (rc == 0)
		rc = gml_lmdb_write_begin(meta, &txn, local);
	if (rc != 0)
		return rc;
	for (struct gml_update *u = batch; u != NULL; u = u->next) {
		uint64_t writes = txn.writes;
		bool grown;
		if (u->done)
			continue;
		commit_call(&txn, u, no_space, &grown);
		if (txn.failed != 0) {
			rc = txn.failed;
			goto abort;
		}
		if (u->rc != 0 && txn.writes != writes) {
			gml_assert(grown || u->rc == GML_ERR_NOMEM || u->rc == GML_ERR_CORRUPT);
			if (!grown)
				gml_txn_log(&txn.head, GML_LOG_ERROR,
					    "a metadata change failed after it had written: %s",
					    gml_err_text(u->rc));
			u->done = true;
			rc = GML_ERR_CANCELED;
			goto abort;
		}
	}
	*place_out = txn.place;
	if (txn.writes == 0 && !txn.id_changed)
		goto abort;
	rc = gml_lmdb_write_commit(&txn);
	if (rc == 0) {
		*place_out = txn.place;
		atomic_fetch_add_explicit(&meta->commits, 1, memory_order_relaxed);
	}
	return rc;
abort:
	gml_lmdb_write_abort(&txn);
	return rc;
}

/* What was set aside is used up: pages that were freed lately come back after checkpoints, and
 * when the other processes' threads have moved their pins. */
static bool commit_wait_for_space(struct gml_lmdb *meta)
{
	const struct timespec moment = {.tv_nsec = 5000000};
	if (!atomic_load(&meta->reserve.is_short) || gml_checkpoint_make(meta, 0) != 0)
		return false;
	nanosleep(&moment, NULL);
	return true;
}

static int commit_run(struct gml_lmdb *meta, struct gml_update *batch,
		      struct gml_redo_place *place_out)
{
	int rc, tries = 0;
	do
		rc = commit_attempt(meta, batch, place_out);
	while (rc == GML_ERR_CANCELED ||
	       (rc == GML_ERR_NOSPC && tries++ < COMMIT_TRIES && commit_wait_for_space(meta)));
	return rc;
}

/* The batch as a whole met an engine error such as a full map: each change gets its own
 * transaction, so that those that fit succeed and none fails because of another's size. */
static void commit_each_alone(struct gml_lmdb *meta, struct gml_update *batch,
			      struct gml_redo_place *place_out)
{
	for (struct gml_update *u = batch; u != NULL; u = u->next) {
		struct gml_update *next = u->next;
		int rc;
		if (u->done)
			continue;
		u->next = NULL;
		rc = atomic_load(&meta->commit.broken);
		if (rc == 0)
			rc = commit_run(meta, u, place_out);
		u->next = next;
		if (rc != 0)
			u->rc = rc;
		u->done = true;
		if (rc == GML_ERR_IO)
			atomic_store(&meta->commit.broken, rc);
	}
}

/* Every update of the batch has its rc afterwards; *place_out: where the log must be flushed to. */
static void commit_batch(struct gml_lmdb *meta, struct gml_update *batch,
			 struct gml_redo_place *place_out)
{
	int rc = atomic_load(&meta->commit.broken);
	if (rc == 0 && meta->opt.presync != NULL)
		rc = meta->opt.presync(meta->opt.presync_arg);
	if (rc != 0) {
		update_fail(batch, rc);
		return;
	}
	rc = commit_run(meta, batch, place_out);
	if (rc == 0)
		return;
	if (rc == GML_ERR_IO) {
		/* After a failed flush it is unknown which pages the disk holds, and the kernel
		 * reports it only once: stop changing. */
		atomic_store(&meta->commit.broken, rc);
		update_fail(batch, rc);
		return;
	}
	if (batch->next == NULL)
		update_fail(batch, rc);
	else
		commit_each_alone(meta, batch, place_out);
}

/* Move what may be acknowledged without a flush to *ack, the rest to *wait. */
static void commit_sort(struct gml_update *batch, struct gml_update **ack, struct gml_update **wait)
{
	while (batch != NULL) {
		struct gml_update *next = batch->next,
				  **list = batch->relaxed || batch->declared_relaxed ? ack : wait;
		batch->next = *list;
		*list = batch;
		batch = next;
	}
}

static bool commit_has_relaxed(const struct gml_update *batch)
{
	while (batch != NULL && !(batch->declared_relaxed && batch->rc == 0))
		batch = batch->next;
	return batch != NULL;
}

/* Pass leadership to the first waiter of the queue; if it is empty, no thread leads. */
static void commit_hand_over(struct gml_commit *commit)
{
	struct gml_update *next_leader;
	pthread_mutex_lock(&commit->lock);
	gml_assert(commit->led); /* by this thread */
	next_leader = commit->head;
	if (next_leader != NULL)
		next_leader->lead = true;
	else
		commit->led = false;
	pthread_mutex_unlock(&commit->lock);
	if (next_leader != NULL)
		sem_post(&next_leader->wake);
}

/* A failure is final, as a failed commit is. Whatever the disk says (a thin volume that is full
 * answers ENOSPC), the kernel may have dropped the pages. */
static int commit_wait_durable(struct gml_lmdb *meta, const struct gml_redo_place *place)
{
	if (atomic_load(&meta->commit.broken) == 0 && gml_checkpoint_wait_durable(meta, place) != 0)
		atomic_store(&meta->commit.broken, GML_ERR_IO);
	return atomic_load(&meta->commit.broken);
}

static struct gml_update *commit_take(struct gml_commit *commit)
{
	struct gml_update *batch;
	pthread_mutex_lock(&commit->lock);
	batch = commit->head;
	gml_assert(commit->led && batch != NULL); /* its own is in it */
	commit->head = NULL;
	commit->tail = &commit->head;
	pthread_mutex_unlock(&commit->lock);
	return batch;
}

static void commit_lead(struct gml_lmdb *meta)
{
	struct gml_commit *commit = &meta->commit;
	struct gml_update *batch = commit_take(commit), *ready = NULL, *wait = NULL;
	struct gml_redo_place place = {0};
	bool declared_relaxed;
	int rc;
	commit_batch(meta, batch, &place);
	declared_relaxed = commit_has_relaxed(batch);
	if (declared_relaxed)
		gml_redo_relaxed(&meta->redo, &place);
	if (atomic_load(&meta->reserve.is_short) &&
	    place.work > meta->redo.shared->k_work + GML_RESERVE_PAGES)
		(void)gml_checkpoint_make(meta, 0); /* its failure is noted in the shared tail */
	/* What has no record is not even safe from the death of all processes: no relaxed update
	 * either. */
	if (gml_redo_logged(&meta->redo, &place))
		commit_sort(batch, &ready, &wait);
	else
		wait = batch;
	if (declared_relaxed && wait == NULL)
		gml_checkpoint_watch(meta);
	update_ack(ready, 0);
	rc = wait != NULL ? commit_wait_durable(meta, &place) : 0;
	commit_hand_over(commit);
	update_ack(wait, rc);
}

int gml_lmdb_update(struct gml_meta *head, gml_meta_fn fn, void *arg, bool relaxed)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	struct gml_commit *commit = &meta->commit;
	struct gml_update update = {.fn = fn, .arg = arg, .relaxed = relaxed};
	bool lead;
	int rc = atomic_load_explicit(&commit->broken, memory_order_relaxed);
	if (rc != 0)
		return rc;
	if (sem_init(&update.wake, 0, 0) != 0)
		return GML_ERR_NOMEM;

	pthread_mutex_lock(&commit->lock);
	*commit->tail = &update;
	commit->tail = &update.next;
	atomic_fetch_add_explicit(&meta->updates, 1, memory_order_relaxed);
	lead = !commit->led;
	commit->led = true;
	pthread_mutex_unlock(&commit->lock);

	if (!lead) {
		update_wait(&update);
		lead = update.lead;
	}
	if (lead) {
		commit_lead(meta);
		update_wait(&update);
	}
	sem_destroy(&update.wake);
	/* What failed is logged where it failed, once for all of the batch. */
	if (update.rc != 0 && update.agreed)
		gml_meta_log_of(&meta->head, update.op, GML_LOG_ERROR,
				"a change was not committed: %s", gml_err_text(update.rc));
	return update.rc;
}

static int commit_nothing_fn(struct gml_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

/* A writer that is killed between writing its commit and announcing it leaves a commit that readers
 * do not see until the next writer takes the lock. */
int gml_lmdb_refresh(struct gml_meta *head)
{
	return gml_lmdb_update(head, commit_nothing_fn, NULL, false);
}

int gml_lmdb_flush(struct gml_meta *head)
{
	return gml_redo_lags(&gml_lmdb_of(head)->redo) ? gml_lmdb_refresh(head) : 0;
}
