// SPDX-License-Identifier: Apache-2.0
/* Stores of the engine in memory: create, open, close (memory.h, invariant 4); the engine's tables.
 */
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "gateway/base/errmap.h"

static pthread_mutex_t memory_list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct gml_memory_store *memory_list;

/* ---- the token ---- */
/* 0: there is none. */
static uint64_t memory_token_read(const char *dir)
{
	char path[PATH_MAX];
	unsigned long long token = 0;
	FILE *file;
	if (snprintf(path, sizeof(path), "%s/memory", dir) >= (int)sizeof(path))
		return 0;
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%16llx", &token) != 1)
		token = 0;
	fclose(file);
	return token;
}

static int memory_token_write(const char *dir, uint64_t token)
{
	char path[PATH_MAX], text[32];
	int len = snprintf(text, sizeof(text), "%016llx\n", (unsigned long long)token), fd, rc = 0;
	if (snprintf(path, sizeof(path), "%s/memory", dir) >= (int)sizeof(path))
		return GML_ERR_NAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return gml_err_map(errno);
	if (write(fd, text, (size_t)len) != len)
		rc = GML_ERR_NOSPC;
	close(fd);
	return rc;
}

/* ---- stores ---- */
static void memory_store_free(struct gml_memory_store *store)
{
	gml_memory_version_unref(store->current);
	pthread_mutex_destroy(&store->write);
	pthread_mutex_destroy(&store->lock);
	free(store->dir);
	free(store);
}

static struct gml_memory_store *memory_store_new(const char *dir, const uint8_t uuid[16],
						 const struct gml_meta_options *opt)
{
	struct gml_memory_store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		return NULL;
	pthread_mutex_init(&store->write, NULL);
	pthread_mutex_init(&store->lock, NULL);
	memcpy(store->uuid, uuid, 16);
	store->pid = getpid();
	store->capacity = opt != NULL && opt->capacity != 0 ? opt->capacity : GML_MEMORY_CAPACITY;
	store->dir = realpath(dir, NULL);
	store->current = gml_memory_version_new();
	if (store->dir == NULL || store->current == NULL ||
	    getrandom(&store->token, sizeof(store->token), 0) != sizeof(store->token)) {
		memory_store_free(store);
		return NULL;
	}
	store->token |= 1;
	store->current->last_id = 1; /* the root */
	store->current->seq = 1;
	return store;
}

/* Frees stores whose directories are gone, or hold another one. */
static void memory_sweep(void)
{
	struct gml_memory_store **link = &memory_list;
	while (*link != NULL) {
		struct gml_memory_store *store = *link;
		if (store->open || memory_token_read(store->dir) == store->token) {
			link = &store->next;
			continue;
		}
		*link = store->next;
		memory_store_free(store);
	}
}

static struct gml_memory_store *memory_find(const char *dir)
{
	uint64_t token = memory_token_read(dir);
	struct gml_memory_store *store = memory_list;
	while (store != NULL && (token == 0 || store->token != token || store->pid != getpid()))
		store = store->next;
	return store;
}

static int memory_create(const char *dir, const uint8_t uuid[16],
			 const struct gml_meta_options *opt)
{
	struct gml_memory_store *store = NULL;
	int rc;
	pthread_mutex_lock(&memory_list_lock);
	memory_sweep();
	rc = memory_find(dir) != NULL ? GML_ERR_EXIST : 0;
	if (rc == 0) {
		store = memory_store_new(dir, uuid, opt);
		rc = store == NULL ? GML_ERR_NOMEM : memory_token_write(dir, store->token);
	}
	if (rc == 0) {
		store->next = memory_list;
		memory_list = store;
	} else if (store != NULL) {
		memory_store_free(store);
	}
	pthread_mutex_unlock(&memory_list_lock);
	return rc;
}

static int memory_open_as(const struct gml_engine *engine, const char *dir,
			  const struct gml_meta_options *opt, struct gml_meta **meta_out)
{
	struct gml_memory *memory = calloc(1, sizeof(*memory));
	struct gml_memory_store *store;
	int rc;
	*meta_out = NULL;
	if (memory == NULL)
		return GML_ERR_NOMEM;
	gml_meta_head_init(&memory->head, engine, opt);
	pthread_mutex_lock(&memory_list_lock);
	store = memory_find(dir);
	rc = store == NULL ? GML_ERR_NOENT : store->open ? GML_ERR_BUSY : 0;
	if (rc == 0) {
		store->open = true;
		if (opt != NULL && opt->capacity > store->capacity)
			store->capacity = opt->capacity;
	}
	pthread_mutex_unlock(&memory_list_lock);
	if (rc != 0) {
		free(memory);
		return rc;
	}
	memory->store = store;
	memory->presync = opt != NULL ? opt->presync : NULL;
	memory->presync_arg = opt != NULL ? opt->presync_arg : NULL;
	memcpy(memory->head.uuid, store->uuid, 16);
	*meta_out = &memory->head;
	return 0;
}

static int memory_open(const char *dir, const struct gml_meta_options *opt,
		       struct gml_meta **meta_out)
{
	return memory_open_as(&gml_engine_memory, dir, opt, meta_out);
}

static int memory_open_plain(const char *dir, const struct gml_meta_options *opt,
			     struct gml_meta **meta_out)
{
	return memory_open_as(&gml_engine_memory_plain, dir, opt, meta_out);
}

static void memory_close(struct gml_meta *head)
{
	struct gml_memory *memory = gml_memory_of(head);
	pthread_mutex_lock(&memory_list_lock);
	memory->store->open = false;
	pthread_mutex_unlock(&memory_list_lock);
	free(memory);
}

/* ---- the rest of the table ---- */
static uint64_t memory_seq(struct gml_meta *head)
{
	struct gml_memory_version *version = gml_memory_current(gml_memory_of(head)->store);
	uint64_t seq = version->seq;
	gml_memory_version_unref(version);
	return seq;
}

static void memory_stats(struct gml_meta *head, struct gml_meta_stats *out)
{
	struct gml_memory *memory = gml_memory_of(head);
	struct gml_memory_version *version = gml_memory_current(memory->store);
	out->commits = atomic_load(&memory->commits);
	out->updates = atomic_load(&memory->updates);
	out->reads = atomic_load(&memory->reads);
	out->capacity = memory->store->capacity;
	out->used = version->bytes;
	gml_memory_version_unref(version);
}

static bool memory_is_short(struct gml_meta *head)
{
	return atomic_load(&gml_memory_of(head)->store->is_short);
}

static int memory_check(struct gml_meta *head, void (*problem)(void *arg, const char *text),
			void *arg)
{
	struct gml_memory_version *version = gml_memory_current(gml_memory_of(head)->store);
	uint64_t bytes = 0;
	for (int i = 0; i < GML_TABLE_COUNT_; i++) {
		uint64_t count = 0;
		if (!gml_tree_check(version->root[i], &count, &bytes))
			problem(arg, "metadata in memory: a tree is out of order");
		else if (count != version->count[i])
			problem(arg, "metadata in memory: a count is wrong");
	}
	if (bytes != version->bytes)
		problem(arg, "metadata in memory: the sum of the sizes is wrong");
	gml_memory_version_unref(version);
	return 0;
}

#define MEMORY_CAPS                                                                                \
	.snapshot_reads = true, .local = true, .one_process = true, .key_max = GML_MEMORY_KEY_MAX, \
	.value_max = GML_MEMORY_VALUE_MAX
#define MEMORY_SLOTS                                                                               \
	.abi = GML_ENGINE_ABI, .create = memory_create, .close = memory_close,                     \
	.stats = memory_stats, .update = gml_memory_update, .flush = gml_memory_flush,             \
	.refresh = gml_memory_refresh, .is_short = memory_is_short,                                \
	.read_begin = gml_memory_read_begin, .read_end = gml_memory_read_end,                      \
	.get = gml_memory_get, .put = gml_memory_put, .del = gml_memory_del,                       \
	.next_id = gml_memory_next_id, .cursor_open = gml_memory_cursor_open,                      \
	.cursor_close = gml_memory_cursor_close, .cursor_seek = gml_memory_cursor_seek,            \
	.cursor_next = gml_memory_cursor_next, .cursor_before = gml_memory_cursor_before

const struct gml_engine gml_engine_memory = {
	MEMORY_SLOTS,
	.name = "memory",
	.caps = {MEMORY_CAPS, .cheap_seq = true, .cheap_count = true},
	.open = memory_open,
	.check = memory_check,
	.seq = memory_seq,
	.txn_seq = gml_memory_txn_seq,
	.count = gml_memory_count,
};

const struct gml_engine gml_engine_memory_plain = {
	MEMORY_SLOTS,
	.name = "memory-plain",
	.caps = {MEMORY_CAPS},
	.open = memory_open_plain,
};
