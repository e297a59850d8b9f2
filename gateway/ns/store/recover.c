// SPDX-License-Identifier: Apache-2.0
/* Recovery: before a server serves, and again when another process of the store died. */
#include <stdlib.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
#include "gateway/iam/epoch.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/posix/finalize.h"
#include "lease.h"
#include "store.h"

#define RECOVER_BATCH 512

/* DIRTY inodes whose writer is dead, in inode order. */
struct recover_list {
	struct gml_presence *presence;
	gml_ino inos[RECOVER_BATCH], last;
	unsigned count, seen;
};

static bool recover_add(void *arg, gml_ino ino, const struct gml_owner *owner)
{
	struct recover_list *list = arg;
	gml_assert(list->count < RECOVER_BATCH); /* the walk ended when it was full */
	list->last = ino;
	list->seen++;
	if (!gml_presence_alive(list->presence, owner))
		list->inos[list->count++] = ino;
	/* Bounded also where all are alive: a snapshot is not held for long. */
	return list->count < RECOVER_BATCH && list->seen < 64 * RECOVER_BATCH;
}

/* An entry whose inode is freed or clean has no meaning. */
static int recover_drop_stale_fn(struct gml_txn *txn, void *arg)
{
	const gml_ino *ino = arg;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, *ino, &inode);
	if (rc == 0 && (inode.flags & GML_INODE_DIRTY))
		return GML_ERR_BUSY;
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	rc = gml_rec_dirty_del(txn, *ino);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int recover_finalize(struct gml_op *op, struct gml_store *store, gml_ino ino)
{
	int rc = gml_inode_finalize(op, store, ino);
	if (rc == GML_ERR_STALE || rc == GML_ERR_NOENT)
		rc = gml_meta_update(store->meta, recover_drop_stale_fn, &ino);
	if (rc != 0)
		gml_store_log(store, GML_LOG_ERROR,
			      "recovery: inode %s cannot be made clean: %s; it is tried again at "
			      "the next recovery",
			      gml_ino_text(ino), gml_err_text(rc));
	return rc;
}

/* One file that cannot be made clean must not prevent the others: the first error is the result,
 * after all were tried. */
static int recover_dirty(struct gml_op *op, struct gml_store *store)
{
	struct recover_list *list = malloc(sizeof(*list));
	uint64_t cleaned = 0;
	gml_ino after = GML_INO_NONE;
	int rc = 0, first_rc = 0;
	if (list == NULL)
		return GML_ERR_NOMEM;
	list->presence = store->presence;
	do {
		struct gml_txn *txn = NULL;
		list->count = list->seen = 0;
		rc = gml_meta_read_begin(store->meta, &txn);
		if (rc == 0)
			rc = gml_rec_dirty_each(txn, after, recover_add, list);
		gml_meta_read_end(txn);
		after = list->last;
		for (unsigned i = 0; rc == 0 && i < list->count; i++) {
			int one = recover_finalize(op, store, list->inos[i]);
			first_rc = first_rc != 0 ? first_rc : one;
			cleaned += one == 0;
		}
	} while (rc == 0 && list->seen > 0);
	if (cleaned > 0)
		gml_store_log(store, GML_LOG_INFO,
			      "recovery: %llu files of dead writers made clean",
			      (unsigned long long)cleaned);
	free(list);
	return rc != 0 ? rc : first_rc;
}

int gml_store_recover(struct gml_op *op, struct gml_store *store)
{
	int rc = gml_meta_housekeep(store->meta);
	int access_rc, dirty_rc, lease_rc;
	if (rc != 0)
		gml_store_log(store, GML_LOG_WARN,
			      "recovery: metadata readers of dead processes cannot be removed: %s; "
			      "the metadata may grow",
			      gml_err_text(rc));
	rc = gml_meta_refresh(store->meta);
	if (rc != 0)
		return rc;
	access_rc = gml_access_epoch_resolve(store);
	dirty_rc = recover_dirty(op, store);
	lease_rc = gml_lease_recover(store);
	if (access_rc != 0)
		return access_rc;
	return dirty_rc != 0 ? dirty_rc : lease_rc;
}
