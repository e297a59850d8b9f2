// SPDX-License-Identifier: Apache-2.0
/* Entries in shards, each with a read-write lock (a leaf). Those that were asked for least recently
 * are forgotten first. */
#include "access_cache.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <gemel/err.h>
#include "gateway/base/siphash.h"
#include "access_memo.h"

#define ACCESS_SHARDS 16
#define ACCESS_SLOTS 256 /* of a shard */

struct access_shard {
	pthread_rwlock_t lock;
	struct access_entry *slots[ACCESS_SLOTS];
};

struct gml_access {
	_Atomic uint64_t none, some; /* epochs as of which nobody, or somebody, has a policy */
	_Atomic uint64_t tick;	     /* installations */
	_Atomic size_t bytes;	     /* of all entries */
	struct gml_memo *memo;
	uint8_t hash_key[GML_SIPHASH_KEY];
	struct access_shard shards[ACCESS_SHARDS];
};

int gml_access_new(struct gml_access **out)
{
	struct gml_access *access = calloc(1, sizeof(*access));
	*out = NULL;
	if (access == NULL)
		return GML_ERR_NOMEM;
	access->memo = gml_memo_new();
	if (access->memo == NULL) {
		free(access);
		return GML_ERR_NOMEM;
	}
	if (getrandom(access->hash_key, sizeof(access->hash_key), 0) !=
	    (ssize_t)sizeof(access->hash_key)) {
		gml_memo_free(access->memo);
		free(access);
		return GML_ERR_IO;
	}
	atomic_init(&access->none, UINT64_MAX);
	atomic_init(&access->some, UINT64_MAX);
	for (size_t i = 0; i < ACCESS_SHARDS; i++)
		pthread_rwlock_init(&access->shards[i].lock, NULL);
	*out = access;
	return 0;
}

void gml_access_free(struct gml_access *access)
{
	if (access == NULL)
		return;
	for (size_t i = 0; i < ACCESS_SHARDS; i++) {
		struct access_shard *shard = &access->shards[i];
		for (size_t j = 0; j < ACCESS_SLOTS; j++)
			for (struct access_entry *entry = shard->slots[j], *next; entry != NULL;
			     entry = next) {
				next = entry->next;
				gml_access_entry_unref(entry);
			}
		pthread_rwlock_destroy(&shard->lock);
	}
	gml_memo_free(access->memo);
	free(access);
}

struct gml_memo *gml_access_memo(struct gml_access *access)
{
	return access->memo;
}

size_t gml_access_size(const struct gml_access *access)
{
	return atomic_load(&access->bytes);
}

/* ---- whether anybody has a policy ---- */

enum access_any gml_access_any(const struct gml_access *access, uint64_t now)
{
	if (atomic_load(&access->none) == now)
		return ACCESS_ANY_NONE;
	return atomic_load(&access->some) == now ? ACCESS_ANY_SOME : ACCESS_ANY_UNKNOWN;
}

void gml_access_any_set(struct gml_access *access, uint64_t now, bool some)
{
	atomic_store(some ? &access->some : &access->none, now);
}

/* ---- entries ---- */

struct access_entry *gml_access_entry_new(const struct access_key *key)
{
	struct access_entry *entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->key = *key;
	entry->bytes = sizeof(*entry);
	atomic_init(&entry->references, 1);
	return entry;
}

void gml_access_entry_unref(struct access_entry *entry)
{
	if (entry == NULL ||
	    atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) > 1)
		return;
	auth_policy_set_free(entry->set);
	auth_policy_unref(entry->policy);
	free(entry->tags);
	free(entry);
}

static struct access_entry **access_slot(struct gml_access *access, const struct access_key *key,
					 struct access_shard **shard_out)
{
	uint64_t hash = gml_siphash(access->hash_key, key->bytes, key->len);
	*shard_out = &access->shards[hash % ACCESS_SHARDS];
	return &(*shard_out)->slots[hash / ACCESS_SHARDS % ACCESS_SLOTS];
}

static bool access_is(const struct access_entry *entry, const struct access_key *key)
{
	return entry->key.len == key->len && memcmp(entry->key.bytes, key->bytes, key->len) == 0;
}

struct access_entry *gml_access_find(struct gml_access *access, const struct access_key *key,
				     uint64_t now)
{
	struct access_shard *shard;
	struct access_entry *entry, **slot = access_slot(access, key, &shard);
	uint64_t tick = atomic_load_explicit(&access->tick, memory_order_relaxed);
	pthread_rwlock_rdlock(&shard->lock);
	entry = *slot;
	while (entry != NULL && !access_is(entry, key))
		entry = entry->next;
	if (entry != NULL && entry->asof != now)
		entry = NULL;
	if (entry != NULL)
		atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
	pthread_rwlock_unlock(&shard->lock);
	if (entry != NULL && atomic_load_explicit(&entry->used, memory_order_relaxed) != tick)
		atomic_store_explicit(&entry->used, tick, memory_order_relaxed);
	return entry;
}

/* Takes the entry that *slot leads to out of its chain; the shard is locked. Its reference is the
 * caller's. */
static struct access_entry *access_take(struct gml_access *access, struct access_entry **slot)
{
	struct access_entry *entry = *slot;
	*slot = entry->next;
	atomic_fetch_sub(&access->bytes, entry->bytes);
	return entry;
}

/* The entry of a shard that was asked for least recently; NULL: it has none but `but`. */
static struct access_entry *access_take_oldest(struct gml_access *access,
					       struct access_shard *shard,
					       const struct access_entry *but)
{
	struct access_entry **oldest = NULL, *taken = NULL;
	pthread_rwlock_wrlock(&shard->lock);
	for (size_t i = 0; i < ACCESS_SLOTS; i++)
		for (struct access_entry **at = &shard->slots[i]; *at != NULL; at = &(*at)->next)
			if (*at != but && (oldest == NULL || atomic_load(&(*at)->used) <
								     atomic_load(&(*oldest)->used)))
				oldest = at;
	if (oldest != NULL)
		taken = access_take(access, oldest);
	pthread_rwlock_unlock(&shard->lock);
	return taken;
}

/* Makes room, from shard after shard. */
static void access_shrink(struct gml_access *access, const struct access_entry *but)
{
	uint64_t first = atomic_load(&access->tick);
	size_t idle = 0;
	for (uint64_t i = first;
	     atomic_load(&access->bytes) > GML_ACCESS_BYTES && idle < ACCESS_SHARDS; i++) {
		struct access_entry *oldest =
			access_take_oldest(access, &access->shards[i % ACCESS_SHARDS], but);
		idle = oldest == NULL ? idle + 1 : 0;
		gml_access_entry_unref(oldest);
	}
}

void gml_access_install(struct gml_access *access, struct access_entry *entry)
{
	struct access_shard *shard;
	struct access_entry *old = NULL, **slot = access_slot(access, &entry->key, &shard), **at;
	if (entry->bytes > GML_ACCESS_BYTES / 4)
		return;
	atomic_store(&entry->used, atomic_fetch_add(&access->tick, 1) + 1);
	pthread_rwlock_wrlock(&shard->lock);
	for (at = slot; *at != NULL && !access_is(*at, &entry->key); at = &(*at)->next)
		;
	if (*at == NULL || (*at)->asof < entry->asof) {
		if (*at != NULL)
			old = access_take(access, at);
		entry->next = *slot;
		*slot = entry;
		atomic_fetch_add(&entry->references, 1);
		atomic_fetch_add(&access->bytes, entry->bytes);
	}
	pthread_rwlock_unlock(&shard->lock);
	gml_access_entry_unref(old);
	access_shrink(access, entry);
}
