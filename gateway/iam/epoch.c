// SPDX-License-Identifier: Apache-2.0
#include "epoch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "gateway/base/map.h"
#include "store.h"

struct epoch {
	_Atomic uint64_t begun, done;
};
struct epoch_shared {
	struct epoch access, paths;
};
_Static_assert(sizeof(struct epoch_shared) == 32, "the file is shared between builds");

struct gml_access_epoch {
	struct epoch_shared *shared;
};

static int epoch_flock(int fd, int how)
{
	while (flock(fd, how) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* Nobody else has the store open, so no change is on its way: what was begun is visible or never
 * will be. It also ends what a damaged file says, where `done` is ahead: nothing would be
 * remembered until as many changes have been made. */
static void epoch_settle(struct epoch_shared *shared)
{
	atomic_store(&shared->access.done, atomic_load(&shared->access.begun));
	atomic_store(&shared->paths.done, atomic_load(&shared->paths.begun));
}

/* The file is made by a process that is alone: if another has mapped it, and it is missing, that
 * one has a file without a name, and would see no change of this one. Whoever has the store open
 * holds a shared lock of its directory; one of `run` is held meanwhile. */
static int epoch_map(int dirfd, void **map_out)
{
	int gate = openat(dirfd, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), code;
	bool alone;
	if (gate < 0)
		return errno;
	code = epoch_flock(gate, LOCK_EX);
	if (code == 0)
		code = epoch_flock(dirfd, LOCK_EX | LOCK_NB);
	alone = code == 0;
	if (code == 0 || code == EWOULDBLOCK)
		code = gml_shared_map(dirfd, "run/access", sizeof(struct epoch_shared),
				      alone ? GML_MAP_MAKE : GML_MAP_EXISTING, map_out);
	if (code == 0 && alone)
		epoch_settle(*map_out);
	if (code == 0)
		code = epoch_flock(dirfd, LOCK_SH);
	close(gate);
	return code;
}

int gml_access_epoch_open(int dirfd, struct gml_access_epoch **out)
{
	struct gml_access_epoch *epoch = calloc(1, sizeof(*epoch));
	void *map = NULL;
	int code;
	*out = NULL;
	if (epoch == NULL)
		return GML_ERR_NOMEM;
	code = epoch_map(dirfd, &map);
	if (code != 0) {
		gml_shared_unmap(map, sizeof(struct epoch_shared));
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
	return atomic_load(&epoch->shared->access.begun);
}

bool gml_access_epoch_settled(const struct gml_access_epoch *epoch, uint64_t now)
{
	return atomic_load(&epoch->shared->access.done) == now;
}

uint64_t gml_path_epoch_now(const struct gml_access_epoch *epoch)
{
	return atomic_load(&epoch->shared->paths.begun);
}

bool gml_path_epoch_settled(const struct gml_access_epoch *epoch, uint64_t now)
{
	return atomic_load(&epoch->shared->paths.done) == now;
}

/* ---- changes ---- */

static struct epoch *epoch_of(const struct gml_access_change *change)
{
	struct epoch_shared *shared = gml_store_access_epoch(change->store)->shared;
	return change->paths ? &shared->paths : &shared->access;
}

void gml_access_change_begin(struct gml_access_change *change)
{
	gml_assert_inside_closure(); /* invariant 1 */
	change->number = atomic_fetch_add(&epoch_of(change)->begun, 1) + 1;
}

static void epoch_done(struct epoch *epoch, uint64_t number)
{
	uint64_t seen = atomic_load(&epoch->done);
	gml_assert_outside_closures(); /* what is inside is not visible */
	gml_assert(number <= atomic_load(&epoch->begun));
	while (seen < number && !atomic_compare_exchange_weak(&epoch->done, &seen, number))
		;
}

int gml_access_change_commit(struct gml_access_change *change, gml_meta_fn fn, void *arg)
{
	int rc = gml_meta_update(gml_store_meta(change->store), fn, arg);
	if (rc != GML_ERR_IO)
		epoch_done(epoch_of(change), change->number);
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
	uint64_t access = atomic_load(&shared->access.begun),
		 paths = atomic_load(&shared->paths.begun);
	int rc;
	if (atomic_load(&shared->access.done) >= access &&
	    atomic_load(&shared->paths.done) >= paths)
		return 0;
	rc = gml_meta_update(gml_store_meta(store), epoch_nothing_fn, NULL);
	if (rc != 0)
		return rc;
	epoch_done(&shared->access, access);
	epoch_done(&shared->paths, paths);
	return 0;
}
