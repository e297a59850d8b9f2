// SPDX-License-Identifier: Apache-2.0
/* Files that were made for writing and closed without a write.
 *
 * They are made DIRTY, so that a first write needs no transaction. Without a write there is nothing
 * to make durable, and becoming clean changes no visible attribute. So the close only lists the
 * inode, and one relaxed transaction makes many clean. A crash before that leaves them DIRTY, and
 * recovery does the same; a power cut that also undoes their creation (in a relaxed bucket) leaves
 * nothing of them.
 *
 * Invariant: a thread that holds open_inodes' locks here takes the next one only if it is free, and
 * never waits for one. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/lock.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/store/store.h"
#include "finalize.h"
#include "open_inode.h"
#include "unwritten.h"

#define UNWRITTEN_MAX 256 /* maximum of listed inodes; also of one transaction */

struct gml_unwritten {
	pthread_mutex_t lock;
	unsigned count;
	gml_ino inos[UNWRITTEN_MAX];
};

/* A file of the batch, locked. */
struct unwritten_one {
	struct gml_open_inode *open_inode;
	struct gml_finalized final;
	bool done; /* by the last run of the closure */
};

struct unwritten_batch {
	struct gml_store *store;
	unsigned count;
	struct unwritten_one files[UNWRITTEN_MAX];
};

int gml_unwritten_new(struct gml_unwritten **out)
{
	struct gml_unwritten *unwritten = calloc(1, sizeof(*unwritten));
	*out = unwritten;
	if (unwritten == NULL)
		return GML_ERR_NOMEM;
	pthread_mutex_init(&unwritten->lock, NULL);
	return 0;
}

void gml_unwritten_free(struct gml_unwritten *unwritten)
{
	if (unwritten == NULL)
		return;
	pthread_mutex_destroy(&unwritten->lock);
	free(unwritten);
}

/* False: the list is full. *full_out: it is full now. */
static bool unwritten_note(struct gml_unwritten *unwritten, gml_ino ino, bool *full_out)
{
	bool noted;
	gml_leaf_lock(&unwritten->lock);
	noted = unwritten->count < UNWRITTEN_MAX;
	if (noted)
		unwritten->inos[unwritten->count++] = ino;
	*full_out = unwritten->count == UNWRITTEN_MAX;
	gml_leaf_unlock(&unwritten->lock);
	return noted;
}

bool gml_unwritten_add(struct gml_store *store, gml_ino ino)
{
	bool full, noted = unwritten_note(store->unwritten, ino, &full);
	if (full)
		gml_unwritten_finalize(store);
	return noted;
}

static unsigned unwritten_take(struct gml_unwritten *unwritten, gml_ino inos[UNWRITTEN_MAX])
{
	unsigned count;
	gml_leaf_lock(&unwritten->lock);
	count = unwritten->count;
	memcpy(inos, unwritten->inos, count * sizeof(inos[0]));
	unwritten->count = 0;
	gml_leaf_unlock(&unwritten->lock);
	return count;
}

/* Lock held. Is it still unwritten? A file that was written since is finalized by the close of its
 * writer. */
static bool unwritten_still(struct gml_store *store, struct gml_open_inode *open_inode,
			    struct gml_finalized *final)
{
	struct gml_inode inode;
	struct gml_owner owner;
	return !gml_open_inode_has_writers(store, open_inode) &&
	       gml_finalize_look(store, open_inode->ino, &inode, &owner) == 0 &&
	       gml_finalize_sample(store, open_inode, &inode, &owner, false, final) == 0 &&
	       final->missing;
}

/* Next in the batch, if it is still unwritten. False: another thread has its lock, or no memory;
 * the next round tries again. */
static bool unwritten_lock(struct unwritten_batch *batch, gml_ino ino)
{
	struct unwritten_one *one = &batch->files[batch->count];
	bool locked;
	gml_assert(batch->count < UNWRITTEN_MAX);
	if (gml_open_inode_get(batch->store, ino, &one->open_inode) != 0)
		return false;
	locked = gml_rwlock_try_exclusive(&one->open_inode->lock);
	if (locked && unwritten_still(batch->store, one->open_inode, &one->final)) {
		batch->count++;
		return true;
	}
	if (locked)
		gml_rwlock_unlock(&one->open_inode->lock);
	gml_open_inode_put(batch->store, one->open_inode);
	return locked;
}

static int unwritten_fn(struct gml_txn *txn, void *arg)
{
	struct unwritten_batch *batch = arg;
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < batch->count; i++) {
		struct unwritten_one *one = &batch->files[i];
		struct gml_inode inode;
		gml_assert(one->final.missing); /* nothing that a relaxed commit could lose */
		rc = gml_rec_inode_get(txn, one->open_inode->ino, &inode);
		if (rc == 0)
			rc = gml_finalize_apply(txn, batch->store, &inode, &one->final);
		one->done = rc == 0;
		if (rc == 0)
			rc = gml_inode_save(txn, &inode);
		/* freed, or changed: it is not in the batch any more */
		else if (rc == GML_ERR_NOENT || rc == GML_ERR_AGAIN)
			rc = 0;
	}
	return rc;
}

static void unwritten_commit(struct unwritten_batch *batch)
{
	int rc = gml_meta_update_relaxed(batch->store->meta, unwritten_fn, batch);
	if (rc != 0) {
		gml_store_log(batch->store, GML_LOG_ERROR,
			      "%u new files stay marked as being written: %s; recovery will clear "
			      "the marks",
			      batch->count, gml_err_text(rc));
		return;
	}
	for (unsigned i = 0; i < batch->count; i++)
		if (batch->files[i].done) {
			gml_assert_locked_exclusive(&batch->files[i].open_inode->lock);
			batch->files[i].open_inode->owned = false;
		}
}

void gml_unwritten_finalize(struct gml_store *store)
{
	struct unwritten_batch *batch = malloc(sizeof(*batch));
	gml_ino inos[UNWRITTEN_MAX];
	unsigned count;
	bool full;
	if (batch == NULL)
		return;
	batch->store = store;
	batch->count = 0;
	count = unwritten_take(store->unwritten, inos);
	for (unsigned i = 0; i < count; i++)
		if (!unwritten_lock(batch, inos[i]))
			(void)unwritten_note(store->unwritten, inos[i], &full);
	if (batch->count > 0)
		unwritten_commit(batch);
	for (unsigned i = 0; i < batch->count; i++) {
		gml_rwlock_unlock(&batch->files[i].open_inode->lock);
		gml_open_inode_put(store, batch->files[i].open_inode);
	}
	free(batch);
}

void gml_store_finalize(struct gml_op *op, struct gml_store *store)
{
	(void)op;
	gml_unwritten_finalize(store);
}
