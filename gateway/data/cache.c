// SPDX-License-Identifier: Apache-2.0
/* Open descriptors by blob.
 *
 * Invariants
 *  1. At most one listed entry per key; entries in use are always listed unless their file was
 *     removed (or lost a race).
 *  2. Idle entries (no references) are on their shard's list, oldest first, at most idle_max of
 *     them. One whose sync failed keeps its place in the table without a descriptor, so that the
 *     error is never forgotten.
 *  3. The sweeper closes idle descriptors of files that another process unlinked, so that their
 *     space is freed. It also punches freed segments (punch.c).
 *  4. `reach` only saves system calls: bytes that an extent or a clean file's inode refers to exist
 *     from before their record until after it. The next gml_blob_stat, or the sweeper, finds a file
 *     that was truncated without the store. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "data.h"

#ifdef GML_TESTING
#define CACHE_SWEEP_SECONDS 1
#else
#define CACHE_SWEEP_SECONDS 5
#endif

static uint64_t cache_hash(uint64_t key)
{
	key ^= key >> 32; /* packs differ in their upper half only */
	return key * 0x9e3779b97f4a7c15u;
}

_Static_assert(GML_CACHE_SHARDS == 1 << 4, "four bits of the hash choose one");

static struct gml_cache_shard *cache_shard(struct gml_cache *cache, uint64_t key)
{
	return &cache->shards[cache_hash(key) >> 60];
}

static struct gml_blob **cache_slot(struct gml_cache_shard *shard, uint64_t key)
{
	struct gml_blob **slot = &shard->table[cache_hash(key) >> 32 & (GML_CACHE_BUCKETS - 1)];
	gml_assert_locked(&shard->lock);
	while (*slot != NULL && (*slot)->key != key)
		slot = &(*slot)->chain;
	return slot;
}

static void cache_unlist(struct gml_cache_shard *shard, struct gml_blob *blob)
{
	struct gml_blob **slot = cache_slot(shard, blob->key);
	gml_assert(*slot == blob && blob->listed); /* invariant 1 */
	*slot = blob->chain;
	blob->chain = NULL;
	blob->listed = false;
}

static void cache_idle_push(struct gml_cache_shard *shard, struct gml_blob *blob)
{
	gml_assert_locked(&shard->lock);
	gml_assert(blob->refs == 0 && blob->listed && blob->fd >= 0); /* invariant 2 */
	blob->newer = NULL;
	blob->older = shard->newest;
	if (shard->newest != NULL)
		shard->newest->newer = blob;
	else
		shard->oldest = blob;
	shard->newest = blob;
	shard->idle++;
}

static void cache_idle_take(struct gml_cache_shard *shard, struct gml_blob *blob)
{
	gml_assert_locked(&shard->lock);
	gml_assert(shard->idle > 0 && blob->refs == 0);
	if (blob->older != NULL)
		blob->older->newer = blob->newer;
	else
		shard->oldest = blob->newer;
	if (blob->newer != NULL)
		blob->newer->older = blob->older;
	else
		shard->newest = blob->older;
	blob->older = blob->newer = NULL;
	shard->idle--;
}

static void cache_free(struct gml_blob *blob)
{
	if (blob->fd >= 0)
		close(blob->fd);
	free(blob);
}

/* Frees a chain linked by `chain`. */
static void cache_free_all(struct gml_blob *blob)
{
	while (blob != NULL) {
		struct gml_blob *next = blob->chain;
		gml_assert(blob->refs == 0); /* at close as well: all references were returned */
		cache_free(blob);
		blob = next;
	}
}

/* One more reference to a listed entry. false: its descriptor is gone and cannot be had again. */
static bool cache_revive(struct gml_cache_shard *shard, struct gml_blob *blob)
{
	if (blob->refs == 0 && blob->fd >= 0 && atomic_load(&blob->sync_rc) == 0) {
		cache_idle_take(shard, blob);
	} else if (blob->fd < 0) {
		char path[GML_BLOB_PATH];
		/* Only after a failed sync, so rare that the lock may be held. */
		gml_blob_path(blob->key, path);
		blob->fd = openat(blob->data->dirfd, path,
				  (blob->key & GML_BLOB_PACKED ? O_RDONLY : O_RDWR) | O_CLOEXEC |
					  O_NOFOLLOW);
		if (blob->fd < 0)
			return false;
	}
	blob->refs++;
	return true;
}

struct gml_blob *gml_cache_get(struct gml_data *data, uint64_t key)
{
	struct gml_cache_shard *shard = cache_shard(&data->cache, key);
	struct gml_blob *blob;
	gml_leaf_lock(&shard->lock);
	blob = *cache_slot(shard, key);
	if (blob != NULL && !cache_revive(shard, blob))
		blob = NULL;
	gml_leaf_unlock(&shard->lock);
	return blob;
}

int gml_cache_add(struct gml_data *data, uint64_t key, int fd, struct gml_blob **blob_out)
{
	struct gml_cache_shard *shard = cache_shard(&data->cache, key);
	struct gml_blob *blob = calloc(1, sizeof(*blob)), **slot, *found;
	gml_assert(fd >= 0);
	if (blob == NULL) {
		close(fd);
		return GML_ERR_NOMEM;
	}
	*blob = (struct gml_blob){.data = data, .key = key, .fd = fd, .refs = 1};
	gml_leaf_lock(&shard->lock);
	slot = cache_slot(shard, key);
	found = *slot;
	if (found == NULL) {
		*slot = blob;
		blob->listed = true;
	} else if (!cache_revive(shard, found)) {
		found = NULL; /* stays unlisted: the failed one keeps its place */
		atomic_store(&blob->sync_rc, atomic_load(&(*slot)->sync_rc));
	}
	gml_leaf_unlock(&shard->lock);
	if (found != NULL) {
		cache_free(blob);
		blob = found;
	}
	*blob_out = blob;
	return 0;
}

void gml_cache_drop(struct gml_data *data, uint64_t key)
{
	struct gml_cache_shard *shard = cache_shard(&data->cache, key);
	struct gml_blob *blob;
	gml_leaf_lock(&shard->lock);
	blob = *cache_slot(shard, key);
	if (blob != NULL) {
		cache_unlist(shard, blob);
		if (blob->refs > 0)
			blob = NULL;
		else if (blob->fd >= 0 && atomic_load(&blob->sync_rc) == 0)
			cache_idle_take(shard, blob);
	}
	gml_leaf_unlock(&shard->lock);
	if (blob != NULL)
		cache_free(blob);
}

void gml_blob_ref(struct gml_blob *blob)
{
	struct gml_cache_shard *shard = cache_shard(&blob->data->cache, blob->key);
	gml_leaf_lock(&shard->lock);
	gml_assert(blob->refs > 0); /* from a reference of the caller's */
	blob->refs++;
	gml_leaf_unlock(&shard->lock);
}

void gml_blob_unref(struct gml_blob *blob)
{
	struct gml_cache_shard *shard;
	struct gml_blob *victim = NULL;
	unsigned idle_max;
	int failed_fd = -1;
	if (blob == NULL)
		return;
	idle_max = blob->data->cache.idle_max;
	shard = cache_shard(&blob->data->cache, blob->key);
	gml_leaf_lock(&shard->lock);
	gml_assert(blob->refs > 0);
	if (--blob->refs > 0) {
		/* in use */
	} else if (!blob->listed) {
		victim = blob;
	} else if (atomic_load(&blob->sync_rc) != 0) {
		failed_fd = blob->fd;
		blob->fd = -1;
	} else {
		cache_idle_push(shard, blob);
		if (shard->idle > idle_max) {
			victim = shard->oldest;
			cache_idle_take(shard, victim);
			cache_unlist(shard, victim);
		}
		gml_assert(shard->idle <= idle_max);
	}
	gml_leaf_unlock(&shard->lock);
	if (victim != NULL)
		cache_free(victim);
	if (failed_fd >= 0)
		close(failed_fd);
}

bool gml_cache_shrink(struct gml_data *data)
{
	bool any = false;
	for (int i = 0; i < GML_CACHE_SHARDS; i++) {
		struct gml_cache_shard *shard = &data->cache.shards[i];
		struct gml_blob *gone = NULL;
		gml_leaf_lock(&shard->lock);
		for (unsigned n = (shard->idle + 3) / 4; n > 0; n--) {
			struct gml_blob *blob = shard->oldest;
			cache_idle_take(shard, blob);
			cache_unlist(shard, blob);
			blob->chain = gone;
			gone = blob;
		}
		gml_leaf_unlock(&shard->lock);
		any = any || gone != NULL;
		cache_free_all(gone);
	}
	return any;
}

/* ---- sweeper --------------------------------------------------------------------------------- */

static void cache_sweep_shard(struct gml_cache_shard *shard)
{
	struct gml_blob *gone = NULL, *next;
	struct stat st;
	gml_leaf_lock(&shard->lock);
	for (struct gml_blob *blob = shard->oldest; blob != NULL; blob = next) {
		next = blob->newer;
		if (fstat(blob->fd, &st) == 0 && st.st_nlink > 0) {
			atomic_store(&blob->reach, (uint64_t)st.st_size);
			continue;
		}
		cache_idle_take(shard, blob);
		cache_unlist(shard, blob);
		blob->chain = gone;
		gone = blob;
	}
	gml_leaf_unlock(&shard->lock);
	cache_free_all(gone);
}

static void *cache_sweeper(void *arg)
{
	struct gml_data *data = arg;
	struct gml_cache *cache = &data->cache;
	struct timespec until;
	gml_leaf_lock(&cache->sweep_lock);
	while (!cache->stop) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += CACHE_SWEEP_SECONDS;
		if (pthread_cond_timedwait(&cache->sweep_cond, &cache->sweep_lock, &until) == 0)
			continue;
		gml_leaf_unlock(&cache->sweep_lock);
		for (int i = 0; i < GML_CACHE_SHARDS; i++)
			cache_sweep_shard(&cache->shards[i]);
		gml_pack_flush_removed(data);
		gml_leaf_lock(&cache->sweep_lock);
	}
	gml_leaf_unlock(&cache->sweep_lock);
	return NULL;
}

/* Signals are left to the threads of the host. */
static int cache_start_sweeper(struct gml_data *data)
{
	struct gml_cache *cache = &data->cache;
	sigset_t all, old;
	int rc;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&cache->sweeper, NULL, cache_sweeper, data);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	cache->sweeping = rc == 0;
	return rc == 0 ? 0 : gml_err_map(rc);
}

int gml_cache_init(struct gml_data *data, unsigned open_max)
{
	struct gml_cache *cache = &data->cache;
	pthread_condattr_t attr;
	for (int i = 0; i < GML_CACHE_SHARDS; i++)
		pthread_mutex_init(&cache->shards[i].lock, NULL);
	cache->idle_max = (open_max + GML_CACHE_SHARDS - 1) / GML_CACHE_SHARDS;
	pthread_mutex_init(&cache->sweep_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cache->sweep_cond, &attr);
	pthread_condattr_destroy(&attr);
	return cache_start_sweeper(data);
}

void gml_cache_stop(struct gml_cache *cache)
{
	if (!cache->sweeping)
		return;
	gml_leaf_lock(&cache->sweep_lock);
	cache->stop = true;
	pthread_cond_signal(&cache->sweep_cond);
	gml_leaf_unlock(&cache->sweep_lock);
	pthread_join(cache->sweeper, NULL);
	cache->sweeping = false;
}

void gml_cache_release(struct gml_cache *cache)
{
	for (int i = 0; i < GML_CACHE_SHARDS; i++) {
		for (int b = 0; b < GML_CACHE_BUCKETS; b++)
			cache_free_all(cache->shards[i].table[b]);
		pthread_mutex_destroy(&cache->shards[i].lock);
	}
	pthread_cond_destroy(&cache->sweep_cond);
	pthread_mutex_destroy(&cache->sweep_lock);
}
