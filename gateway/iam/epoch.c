// SPDX-License-Identifier: Apache-2.0
#include "epoch.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "gateway/base/map.h"
#include "store.h"

struct epoch_shared {
	_Atomic uint64_t begun, done;
};
_Static_assert(sizeof(struct epoch_shared) == 16, "the file is shared between builds");

struct gml_access_epoch {
	struct epoch_shared *shared;
};

int gml_access_epoch_open(int dirfd, struct gml_access_epoch **out)
{
	struct gml_access_epoch *epoch = calloc(1, sizeof(*epoch));
	void *map;
	int code;
	*out = NULL;
	if (epoch == NULL)
		return GML_ERR_NOMEM;
	code = gml_shared_map(dirfd, "run/access", sizeof(struct epoch_shared), GML_MAP_MAKE, &map);
	if (code != 0) {
		free(epoch);
		return gml_err_map(code);
	}
	epoch->shared = map;
	*out = epoch;
	return 0;
}

void gml_access_epoch_close(struct gml_access_epoch *epoch)
{
	if (epoch == NULL)
		return;
	gml_shared_unmap(epoch->shared, sizeof(*epoch->shared));
	free(epoch);
}

uint64_t gml_access_epoch_now(const struct gml_access_epoch *epoch)
{
	return atomic_load(&epoch->shared->begun);
}

bool gml_access_epoch_settled(const struct gml_access_epoch *epoch, uint64_t now)
{
	return atomic_load(&epoch->shared->done) == now;
}

/* ---- changes ---- */

void gml_access_change_begin(struct gml_access_change *change)
{
	struct epoch_shared *shared = gml_store_access_epoch(change->store)->shared;
	gml_assert_inside_closure(); /* invariant 1 */
	change->number = atomic_fetch_add(&shared->begun, 1) + 1;
}

static void epoch_done(struct epoch_shared *shared, uint64_t number)
{
	uint64_t seen = atomic_load(&shared->done);
	gml_assert_outside_closures(); /* what is inside is not visible */
	gml_assert(number <= atomic_load(&shared->begun));
	while (seen < number && !atomic_compare_exchange_weak(&shared->done, &seen, number))
		;
}

int gml_access_change_commit(struct gml_access_change *change, gml_meta_fn fn, void *arg)
{
	int rc = gml_meta_update(gml_store_meta(change->store), fn, arg);
	if (rc != GML_ERR_IO)
		epoch_done(gml_store_access_epoch(change->store)->shared, change->number);
	return rc;
}

static int epoch_nothing_fn(struct gml_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

int gml_access_epoch_resolve(struct gml_store *store)
{
	struct epoch_shared *shared = gml_store_access_epoch(store)->shared;
	uint64_t begun = atomic_load(&shared->begun);
	int rc;
	if (atomic_load(&shared->done) >= begun)
		return 0;
	rc = gml_meta_update(gml_store_meta(store), epoch_nothing_fn, NULL);
	if (rc == 0)
		epoch_done(shared, begun);
	return rc;
}
