// SPDX-License-Identifier: Apache-2.0
/* Changes of the engine in memory: one closure, one version. */
#include <stdlib.h>
#include <string.h>
#include "memory.h"

/* ---- versions ---- */
struct gml_memory_version *gml_memory_version_new(void)
{
	struct gml_memory_version *version = calloc(1, sizeof(*version));
	if (version != NULL)
		atomic_init(&version->refs, 1);
	return version;
}

struct gml_memory_version *gml_memory_version_clone(struct gml_memory_version *from)
{
	struct gml_memory_version *version = gml_memory_version_new();
	if (version == NULL)
		return NULL;
	version->seq = from->seq;
	version->last_id = from->last_id;
	version->bytes = from->bytes;
	memcpy(version->count, from->count, sizeof(version->count));
	for (int i = 0; i < GML_TABLE_COUNT_; i++)
		version->root[i] = gml_tree_ref(from->root[i]);
	return version;
}

void gml_memory_version_unref(struct gml_memory_version *version)
{
	gml_assert(version == NULL || atomic_load(&version->refs) > 0);
	if (version == NULL || atomic_fetch_sub(&version->refs, 1) != 1)
		return;
	for (int i = 0; i < GML_TABLE_COUNT_; i++)
		gml_tree_unref(version->root[i]);
	free(version);
}

struct gml_memory_version *gml_memory_current(struct gml_memory_store *store)
{
	struct gml_memory_version *version;
	gml_leaf_lock(&store->lock);
	version = store->current;
	atomic_fetch_add(&version->refs, 1);
	gml_leaf_unlock(&store->lock);
	return version;
}

static void memory_publish(struct gml_memory_store *store, struct gml_memory_version *version)
{
	struct gml_memory_version *old;
	gml_leaf_lock(&store->lock);
	old = store->current;
	gml_assert(version->seq == old->seq + 1); /* one writer at a time */
	store->current = version;
	gml_leaf_unlock(&store->lock);
	gml_memory_version_unref(old);
}

/* ---- one closure ---- */
static uint64_t memory_records(const struct gml_memory_version *version)
{
	uint64_t count = 0;
	for (int i = 0; i < GML_TABLE_COUNT_; i++)
		count += version->count[i];
	return count;
}

/* Only the reserve, for changes that leave no more records, has space for the version. */
static bool memory_is_over(const struct gml_memory_store *store,
			   const struct gml_memory_version *version)
{
	uint64_t reserve =
		store->capacity / 8 < GML_MEMORY_RESERVE ? store->capacity / 8 : GML_MEMORY_RESERVE;
	return version->bytes > store->capacity - reserve;
}

/* What a closure that succeeded gets. */
static int memory_space(struct gml_memory_store *store, const struct gml_memory_version *version)
{
	bool over = memory_is_over(store, version);
	atomic_store(&store->is_short, over);
	return over && memory_records(version) > memory_records(store->current) ? GML_ERR_NOSPC : 0;
}

static int memory_call(struct gml_memory_txn *txn, gml_meta_fn fn, void *arg)
{
	struct gml_memory_store *store = gml_memory_of(txn->head.meta)->store;
	int rc = gml_txn_call(&txn->head, fn, arg);
	gml_memory_lent_end(txn);
	if (txn->failed != 0)
		return txn->failed;
	if (rc == 0)
		return memory_space(store, txn->version);
	if (txn->writes > 0) {
		gml_assert(rc == GML_ERR_NOMEM || rc == GML_ERR_CORRUPT);
		gml_txn_log(&txn->head, GML_LOG_ERROR,
			    "a metadata change failed after it had written: %s", gml_err_text(rc));
	}
	return rc;
}

static int memory_run(struct gml_memory *memory, gml_meta_fn fn, void *arg)
{
	struct gml_memory_store *store = memory->store;
	struct gml_memory_txn txn = {
		.head = {.engine = memory->head.engine, .meta = &memory->head, .writable = true}};
	int rc;
	txn.head.local = txn.local;
	txn.version = gml_memory_version_clone(store->current);
	if (txn.version == NULL)
		return GML_ERR_NOMEM;
	txn.version->seq++;
	rc = memory_call(&txn, fn, arg);
	if (rc != 0 || (txn.writes == 0 && txn.version->last_id == store->current->last_id)) {
		gml_memory_version_unref(txn.version);
		return rc;
	}
	memory_publish(store, txn.version);
	atomic_fetch_add_explicit(&memory->commits, 1, memory_order_relaxed);
	return 0;
}

int gml_memory_update(struct gml_meta *head, gml_meta_fn fn, void *arg, bool relaxed)
{
	struct gml_memory *memory = gml_memory_of(head);
	int rc = 0;
	(void)relaxed; /* nothing is durable */
	atomic_fetch_add_explicit(&memory->updates, 1, memory_order_relaxed);
	pthread_mutex_lock(&memory->store->write);
	if (memory->presync != NULL)
		rc = memory->presync(memory->presync_arg);
	if (rc == 0)
		rc = memory_run(memory, fn, arg);
	pthread_mutex_unlock(&memory->store->write);
	return rc;
}

int gml_memory_flush(struct gml_meta *head)
{
	(void)head;
	return 0;
}

/* Dead processes have committed nothing here. */
int gml_memory_refresh(struct gml_meta *head)
{
	(void)head;
	return 0;
}
