// SPDX-License-Identifier: Apache-2.0
/* Which uids may do nothing over NFS: uids that only disabled users have, and uids that a user had
 * and no user has now. An S3 request names its key, and the key its user; an NFS request carries
 * only a uid, with every operation, so the check must cost almost nothing.
 *
 * The metadata has the users. Each process keeps a copy of the refused uids as of an access epoch
 * (epoch.h). A uid that is not refused costs four loads for an operation, and no lock.
 *
 * The filter is good as of `filtered`, read before and after it, and equal both times. Each epoch
 * is installed once, and while the words change, `filtered` is no epoch. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include <gemel/principal.h>
#include "gateway/base/assert.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "epoch.h"
#include "roster.h"
#include "store.h"

/* 65536 bits, 8 KiB: of 1000 refused uids every 65th other one has to take the lock */
#define ROSTER_BITS 16
#define ROSTER_WORDS ((1u << ROSTER_BITS) / 64)

struct gml_roster {
	_Atomic uint64_t filtered; /* what `filter` is as of; UINT64_MAX: nothing */
	/* a uid whose bit is clear is not refused; written under `lock` */
	_Atomic uint64_t filter[ROSTER_WORDS];
	pthread_rwlock_t lock; /* a leaf; guards the rest */
	bool loaded;
	uint64_t asof;	/* the epoch of `uids` */
	uint32_t *uids; /* refused, ascending */
	size_t count;
};

/* ---- life ---- */

int gml_roster_new(struct gml_roster **out)
{
	struct gml_roster *roster = calloc(1, sizeof(*roster));
	*out = roster;
	if (roster == NULL)
		return GML_ERR_NOMEM;
	atomic_init(&roster->filtered, UINT64_MAX);
	pthread_rwlock_init(&roster->lock, NULL);
	return 0;
}

void gml_roster_free(struct gml_roster *roster)
{
	if (roster == NULL)
		return;
	pthread_rwlock_destroy(&roster->lock);
	free(roster->uids);
	free(roster);
}

/* ---- the filter ---- */

static uint32_t roster_bit(uint32_t uid)
{
	return (uid * UINT32_C(0x9e3779b1)) >> (32 - ROSTER_BITS);
}

static void roster_filter_set(struct gml_roster *roster, uint64_t asof, const uint32_t *uids,
			      size_t count)
{
	gml_assert(asof != UINT64_MAX);
	atomic_store(&roster->filtered, UINT64_MAX);
	for (size_t i = 0; i < ROSTER_WORDS; i++)
		atomic_store(&roster->filter[i], 0);
	for (size_t i = 0; i < count; i++) {
		uint32_t bit = roster_bit(uids[i]);
		atomic_fetch_or(&roster->filter[bit / 64], UINT64_C(1) << bit % 64);
	}
	atomic_store(&roster->filtered, asof);
}

/* true: as of the epoch `now` the uid is not refused. */
static bool roster_filter_passes(struct gml_roster *roster, uint64_t now, uint32_t uid)
{
	uint32_t bit = roster_bit(uid);
	uint64_t word;
	if (atomic_load(&roster->filtered) != now)
		return false;
	word = atomic_load(&roster->filter[bit / 64]);
	return !(word >> bit % 64 & 1) && atomic_load(&roster->filtered) == now;
}

/* ---- questions ---- */

struct roster_list {
	struct roster_entry {
		uint32_t uid;
		bool enabled;
	} * entries;
	size_t count, cap;
	int rc;
};

static bool roster_add(struct roster_list *list, uint32_t uid, bool enabled)
{
	if (list->count == list->cap) {
		size_t cap = list->cap != 0 ? list->cap * 2 : 64;
		struct roster_entry *entries = reallocarray(list->entries, cap, sizeof(*entries));
		if (entries == NULL) {
			list->rc = GML_ERR_NOMEM;
			return false;
		}
		list->entries = entries;
		list->cap = cap;
	}
	list->entries[list->count++] = (struct roster_entry){uid, enabled};
	return true;
}

static bool roster_add_user(void *arg, const struct gml_user *user)
{
	return roster_add(arg, user->uid, !(user->flags & GML_USER_DISABLED));
}

static bool roster_add_retired(void *arg, uint32_t uid)
{
	return roster_add(arg, uid, false);
}

static int roster_order(const void *a, const void *b)
{
	const struct roster_entry *x = a, *y = b;
	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (int)y->enabled - (int)x->enabled; /* an enabled one first */
}

static int roster_read(struct gml_store *store, struct roster_list *list)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_rec_user_each(txn, roster_add_user, list);
	if (rc == 0)
		rc = gml_rec_uid_each_retired(txn, roster_add_retired, list);
	gml_meta_read_end(txn);
	return rc != 0 ? rc : list->rc;
}

/* The uids that no enabled user has. NULL with *count_out 0 when there are none. */
static int roster_load(struct gml_store *store, uint32_t **uids_out, size_t *count_out)
{
	struct roster_list list = {0};
	uint32_t *uids = NULL;
	size_t n = 0;
	int rc = roster_read(store, &list);
	if (rc == 0 && list.count > 0) {
		qsort(list.entries, list.count, sizeof(*list.entries), roster_order);
		uids = calloc(list.count, sizeof(*uids));
		rc = uids == NULL ? GML_ERR_NOMEM : 0;
	}
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		if ((i == 0 || list.entries[i].uid != list.entries[i - 1].uid) &&
		    !list.entries[i].enabled) {
			gml_assert(n == 0 || uids[n - 1] < list.entries[i].uid);
			uids[n++] = list.entries[i].uid;
		}
	free(list.entries);
	*uids_out = uids;
	*count_out = n;
	return rc;
}

static void roster_install(struct gml_roster *roster, uint64_t asof, uint32_t *uids, size_t count)
{
	uint32_t *old = uids;
	pthread_rwlock_wrlock(&roster->lock);
	if (!roster->loaded || roster->asof < asof) {
		old = roster->uids;
		roster->uids = uids;
		roster->count = count;
		roster->asof = asof;
		roster->loaded = true;
		roster_filter_set(roster, asof, uids, count);
	}
	pthread_rwlock_unlock(&roster->lock);
	free(old);
}

static int roster_find(const void *key, const void *element)
{
	uint32_t uid = *(const uint32_t *)key, other = *(const uint32_t *)element;
	return uid < other ? -1 : uid > other;
}

/* false: what is kept is not as of the epoch `now`. */
static bool roster_kept(struct gml_roster *roster, uint64_t now, uint32_t uid, bool *refused_out)
{
	bool known;
	pthread_rwlock_rdlock(&roster->lock);
	known = roster->loaded && roster->asof == now;
	if (known)
		*refused_out =
			roster->count > 0 && bsearch(&uid, roster->uids, roster->count,
						     sizeof(*roster->uids), roster_find) != NULL;
	pthread_rwlock_unlock(&roster->lock);
	return known;
}

/* From the store itself. */
static bool roster_ask(struct gml_store *store, uint32_t uid)
{
	struct gml_txn *txn = NULL;
	bool refused = true; /* nothing can be done with a store that cannot be read */
	if (gml_meta_read_begin(gml_store_meta(store), &txn) == 0)
		(void)gml_rec_uid_refused(txn, uid, &refused);
	gml_meta_read_end(txn);
	return refused;
}

bool gml_uid_refused(struct gml_store *store, uint32_t uid)
{
	const struct gml_access_epoch *epoch = gml_store_access_epoch(store);
	struct gml_roster *roster = gml_store_roster(store);
	uint64_t now = gml_access_epoch_now(epoch);
	uint32_t *uids;
	size_t count;
	bool refused;
	gml_assert_outside_closures(); /* other processes change the number */
	if (roster_filter_passes(roster, now, uid))
		return false;
	if (roster_kept(roster, now, uid, &refused))
		return refused;
	if (gml_access_epoch_settled(epoch, now) && roster_load(store, &uids, &count) == 0)
		roster_install(roster, now, uids, count);
	return roster_ask(store, uid);
}
