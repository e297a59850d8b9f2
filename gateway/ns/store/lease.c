// SPDX-License-Identifier: Apache-2.0
/* Leases: which process may use which new blob ids and pack numbers.
 *
 * Life of a lease: taken in a transaction -> its ids are handed out from memory -> kept while the
 * process lives, because an id may be published at any time -> dropped at close, or by recovery
 * once its owner is dead and the unreferenced files are removed.
 *
 * Packs are leased one by one. The lease of a pack that was closed is dropped when it has been
 * closed for LEASE_PACK_KEEP: every append to it has been published or dropped by then, and
 * compaction may punch it. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
#include "gateway/data/blob.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "collect.h"
#include "lease.h"
#include "store.h"

#define LEASE_BLOBS 4096 /* one directory of the blob store */
#define LEASE_PACK_KEEP ((int64_t)600 * 1000000000)
#define LEASE_CLOSE_LIMIT ((int64_t)2 * 1000000000) /* time for sweeping at close */
#define LEASE_BATCH 256

struct lease_take {
	uint8_t kind;
	uint64_t count;
	const struct gml_owner *owner;
	struct gml_lease out;
	uint64_t drop[GML_HELD_PACKS];
	unsigned ndrop;
};

static int lease_take_fn(struct gml_txn *txn, void *arg)
{
	struct lease_take *take = arg;
	int rc = gml_rec_lease_take(txn, take->kind, take->count, take->owner, &take->out);
	for (unsigned i = 0; rc == 0 && i < take->ndrop; i++) {
		rc = gml_rec_lease_del(txn, 1, take->drop[i]);
		if (rc == GML_ERR_NOENT)
			rc = 0;
	}
	return rc;
}

/* Record that the current pack was closed, and move packs closed long ago to `take`. */
static void lease_age_packs(struct gml_store *store, struct lease_take *take)
{
	int64_t now = gml_monotonic();
	unsigned kept = 0;
	for (unsigned i = 0; i < store->nheld_packs; i++) {
		struct gml_held_pack held = store->held_packs[i];
		gml_assert(held.since != 0 || i + 1 == store->nheld_packs); /* the newest */
		if (held.since == 0)
			held.since = now;
		if (now - held.since >= LEASE_PACK_KEEP)
			take->drop[take->ndrop++] = held.pack;
		else
			store->held_packs[kept++] = held;
	}
	store->nheld_packs = kept;
}

static int lease_refill(struct gml_store *store, int kind)
{
	struct lease_take take = {
		.kind = (uint8_t)kind, .count = kind == 0 ? LEASE_BLOBS : 1, .owner = &store->self};
	int rc;
	if (kind == 1)
		lease_age_packs(store, &take);
	rc = gml_meta_update(store->meta, lease_take_fn, &take);
	if (rc != 0)
		return rc;
	gml_assert(take.out.kind == kind && take.out.first > 0 && take.out.count == take.count);
	store->lease[kind] = take.out;
	/* A pack that does not fit here is dropped at close. */
	if (kind == 1 && store->nheld_packs < GML_HELD_PACKS)
		store->held_packs[store->nheld_packs++] =
			(struct gml_held_pack){.pack = take.out.first};
	return 0;
}

int gml_lease_next_id(void *arg, int kind, uint64_t *id_out)
{
	struct gml_store *store = arg;
	int rc = 0;
	gml_assert_outside_closures();
	if (kind != 0 && kind != 1)
		return GML_ERR_INVAL;
	pthread_mutex_lock(&store->lease_lock);
	if (store->lease[kind].count == 0)
		rc = lease_refill(store, kind);
	if (rc == 0) {
		*id_out = store->lease[kind].first++;
		store->lease[kind].count--;
	}
	pthread_mutex_unlock(&store->lease_lock);
	return rc;
}

/* ---- dropping -------------------------------------------------------------------------------- */

struct lease_list;
typedef bool (*lease_wanted)(const struct lease_list *list, const struct gml_owner *owner);

struct lease_list {
	lease_wanted want;
	struct gml_presence *presence;
	struct gml_lease leases[LEASE_BATCH];
	unsigned count;
};

static bool lease_list_add(void *arg, const struct gml_lease *lease)
{
	struct lease_list *list = arg;
	gml_assert(list->count < LEASE_BATCH); /* the walk ended when it was full */
	if (list->want(list, &lease->owner))
		list->leases[list->count++] = *lease;
	return list->count < LEASE_BATCH;
}

static bool lease_is_own(const struct lease_list *list, const struct gml_owner *owner)
{
	return gml_owner_equal(owner, &list->presence->self);
}

static bool lease_is_dead(const struct lease_list *list, const struct gml_owner *owner)
{
	return !gml_presence_alive(list->presence, owner);
}

/* Up to LEASE_BATCH leases that are wanted. */
static int lease_collect(struct gml_store *store, struct lease_list *list)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(store->meta, &txn);
	list->count = 0;
	if (rc == 0)
		rc = gml_rec_lease_each(txn, lease_list_add, list);
	gml_meta_read_end(txn);
	return rc;
}

static int lease_drop_fn(struct gml_txn *txn, void *arg)
{
	struct lease_list *list = arg;
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < list->count; i++) {
		rc = gml_rec_lease_del(txn, list->leases[i].kind, list->leases[i].first);
		if (rc == GML_ERR_NOENT) /* another process recovers as well */
			rc = 0;
	}
	return rc;
}

/* ---- sweeping -------------------------------------------------------------------------------- */

struct lease_sweep {
	struct gml_store *store;
	struct gml_txn *txn;
	uint64_t removed;
	bool waited; /* gml_collect_wait_durable, for `txn` */
	int rc;
};

static bool lease_sweep_file(void *arg, uint64_t id, uint64_t size)
{
	struct lease_sweep *sweep = arg;
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(sweep->txn, id, &rec);
	if (rc == 0)
		return true;
	if (rc == GML_ERR_NOENT)
		rc = gml_collect_wait_durable(sweep->store, &sweep->waited);
	if (rc == 0)
		rc = gml_blob_remove(sweep->store->data, id, 0);
	if (rc == 0)
		sweep->removed++;
	sweep->rc = rc;
	return rc == 0;
}

/* The owner is closing, or dead and its commits are visible (gml_meta_refresh): an id that is in no
 * snapshot now never will be. */
static int lease_sweep(struct gml_store *store, const struct gml_lease *lease, uint64_t *removed)
{
	struct lease_sweep sweep = {.store = store};
	int rc;
	if (lease->kind != 0)
		return 0;
	rc = gml_meta_read_begin(store->meta, &sweep.txn);
	if (rc != 0)
		return rc;
	rc = gml_blob_each_in(store->data, lease->first, lease->count, lease_sweep_file, &sweep);
	gml_meta_read_end(sweep.txn);
	*removed += sweep.removed;
	return rc != 0 ? rc : sweep.rc;
}

/* What became of leases that were finished. */
struct lease_finished {
	uint64_t dropped, removed; /* leases; unpublished files */
};

static int lease_finish_list(struct gml_store *store, struct lease_list *list, int64_t until,
			     struct lease_finished *out)
{
	unsigned swept;
	int rc;
	do {
		rc = lease_collect(store, list);
		/* Also for the own leases: a change that returned IO may become visible, and then
		 * this fails. */
		if (rc == 0 && list->count > 0)
			rc = gml_meta_refresh(store->meta);
		for (swept = 0; rc == 0 && swept < list->count && gml_monotonic() < until; swept++)
			rc = lease_sweep(store, &list->leases[swept], &out->removed);
		list->count = swept;
		if (rc == 0 && swept > 0)
			rc = gml_meta_update(store->meta, lease_drop_fn, list);
		if (rc == 0)
			out->dropped += swept;
	} while (rc == 0 && swept == LEASE_BATCH);
	return rc;
}

/* Sweeps and drops the wanted leases, until that time (monotonic) at the latest. */
static int lease_finish(struct gml_store *store, lease_wanted want, int64_t until,
			struct lease_finished *out)
{
	struct lease_list *list = calloc(1, sizeof(*list));
	int rc;
	*out = (struct lease_finished){0};
	if (list == NULL)
		return GML_ERR_NOMEM;
	list->want = want;
	list->presence = store->presence;
	rc = lease_finish_list(store, list, until, out);
	free(list);
	return rc;
}

int gml_lease_drop_all(struct gml_store *store)
{
	struct lease_finished done;
	/* What takes longer is left to recovery. */
	int rc = lease_finish(store, lease_is_own, gml_monotonic() + LEASE_CLOSE_LIMIT, &done);
	if (done.removed > 0)
		gml_store_log(store, GML_LOG_WARN, "%llu unpublished files removed at close",
			      (unsigned long long)done.removed);
	return rc;
}

int gml_lease_recover(struct gml_store *store)
{
	struct lease_finished done;
	int rc = lease_finish(store, lease_is_dead, INT64_MAX, &done);
	if (done.dropped > 0)
		gml_store_log(
			store, GML_LOG_INFO,
			"recovery: removed %llu lease%s of dead processes, %llu unpublished file%s",
			(unsigned long long)done.dropped, done.dropped == 1 ? "" : "s",
			(unsigned long long)done.removed, done.removed == 1 ? "" : "s");
	return rc;
}
