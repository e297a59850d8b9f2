// SPDX-License-Identifier: Apache-2.0
/* Shared by the files of gateway/data: the open blob store, its descriptor cache and its packs.
 *
 * Lock order: a shard's lock and the packs' lock are never held together, and neither is held
 * across next_id, open(2), close(2), a sync or a transfer. */
#ifndef GML_DATA_DATA_H
#define GML_DATA_DATA_H

#include <pthread.h>
#include <stdatomic.h>
#include "gateway/base/lock.h"
#include "blob.h"

#define GML_CACHE_SHARDS 16
#define GML_CACHE_BUCKETS 1024 /* per shard */
_Static_assert((GML_CACHE_BUCKETS & (GML_CACHE_BUCKETS - 1)) == 0, "a hash is cut by a mask");
#define GML_BLOCK 4096	 /* unit of punching and of the alignment of segments */
#define GML_BLOB_PATH 32 /* "pack/xxxxxxxx", "xx/yy/xxxxxxxxxxxxxxxx" */

struct gml_blob {
	struct gml_data *data;
	uint64_t key;		/* id of a file, or of a pack's byte 0 */
	int fd;			/* -1 only while idle after a failed sync */
	unsigned refs;		/* shard lock */
	bool listed;		/* in the shard's table; else it goes with its last reference */
	_Atomic int sync_rc;	/* first error of a sync; stays */
	_Atomic uint64_t reach; /* length of the file when last asked for (cache.c, invariant 4) */
	struct gml_blob *chain; /* shard's table */
	struct gml_blob *older, *newer; /* idle list */
};

struct gml_cache_shard {
	pthread_mutex_t lock;
	struct gml_blob *table[GML_CACHE_BUCKETS];
	struct gml_blob *oldest, *newest; /* idle: refs == 0, fd >= 0, sync_rc == 0 */
	unsigned idle;
};

struct gml_cache {
	struct gml_cache_shard shards[GML_CACHE_SHARDS];
	unsigned idle_max; /* per shard */
	pthread_t sweeper;
	bool sweeping;
	pthread_mutex_t sweep_lock;
	pthread_cond_t sweep_cond;
	bool stop;
};

/* A pack that this process appends to, or has appended to and not synced to its end. */
struct gml_pack {
	struct gml_blob *blob; /* opened for writing */
	uint64_t number;
	uint64_t size;		    /* reserved */
	uint64_t ahead;		    /* zeros are written up to here */
	bool extending, plain;	    /* a thread writes zeros; no space for zeros: plain appends */
	unsigned inflight;	    /* reserved and not yet returned */
	uint64_t completed, synced; /* appends */
	struct gml_pack *next;
};

struct gml_packs {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* rolling, extending or syncing ended */
	struct gml_pack *list;	/* newest first; only the leader of a sync takes elements out */
	struct gml_pack *current;
	bool rolling, syncing;
	int failed; /* first error of a sync; every later sync fails with it */
	_Atomic uint64_t done,
		durable; /* appends that returned; of those, how many a sync covered */
};

/* Freed segments, not punched yet. */
struct gml_punches {
	pthread_mutex_t lock;
	struct gml_punch {
		uint64_t pack, start, end;
	} * list;
	size_t count, cap;
};

struct gml_data {
	int dirfd, packfd;
	struct gml_data_options opt;
	struct gml_cache cache;
	struct gml_packs packs;
	struct gml_punches punches;
};

/* ---- data.c ---------------------------------------------------------------------------------- */
void gml_data_log(const struct gml_data *data, enum gml_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void gml_blob_path(uint64_t key, char out[GML_BLOB_PATH]);
/* openat below the data directory (O_CLOEXEC | O_NOFOLLOW are added); makes missing fan-out
 * directories durable under O_CREAT. Closes idle descriptors and tries again when the process has
 * none left. */
int gml_data_openat(struct gml_data *data, uint64_t key, int flags, int *fd_out);
static inline uint64_t gml_blob_key(uint64_t id)
{
	return id & GML_BLOB_PACKED ? id & ~(uint64_t)0xffffffffu : id;
}
static inline uint64_t gml_blob_base(uint64_t id)
{
	return id & GML_BLOB_PACKED ? gml_pack_offset(id) : 0;
}

/* ---- cache.c --------------------------------------------------------------------------------- */
/* Also starts the sweeper. */
int gml_cache_init(struct gml_data *data, unsigned open_max);
void gml_cache_stop(struct gml_cache *cache); /* the sweeper */
void gml_cache_release(struct gml_cache *cache);
/* A new reference, or NULL when it is not cached. */
struct gml_blob *gml_cache_get(struct gml_data *data, uint64_t key);
/* Takes `fd` over (closes it on failure, or when another thread was first and its entry is the
 * result). */
int gml_cache_add(struct gml_data *data, uint64_t key, int fd, struct gml_blob **blob_out);
/* Forget a removed file: no later get finds it. */
void gml_cache_drop(struct gml_data *data, uint64_t key);
/* Close up to a quarter of the idle descriptors; false when there was none. */
bool gml_cache_shrink(struct gml_data *data);

/* ---- pack.c ---------------------------------------------------------------------------------- */
void gml_packs_init(struct gml_packs *packs);
void gml_packs_release(struct gml_data *data);

/* ---- punch.c --------------------------------------------------------------------------------- */
void gml_punches_init(struct gml_punches *punches);
void gml_punches_release(struct gml_punches *punches);
void gml_punch_add(struct gml_data *data, uint64_t id, uint64_t len);

#endif
