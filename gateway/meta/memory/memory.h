// SPDX-License-Identifier: Apache-2.0
/* Declarations shared by the files of the engine in memory.
 *
 * Invariants
 *  1. A version that was published never changes. A write transaction works on a version of its
 *     own; it is published when its closure succeeded, or dropped. So a closure that fails leaves
 *     nothing.
 *  2. Closures run one at a time, under `write`. `lock` guards `current` only, for the moment that
 *     it takes to copy or replace a pointer: readers do not wait for writers.
 *  3. Spans that a write transaction lends (get, cursors) are copies, overwritten and freed at its
 *     next put or delete: this exposes a caller that keeps a span too long, or stores a borrowed
 *     one.
 *  4. A store lives in its process, found by a token in the file `memory` of its directory, until
 *     its directory is gone (checked when a store is made). */
#ifndef GML_META_MEMORY_H
#define GML_META_MEMORY_H

#include <pthread.h>
#include <sys/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/lock.h"
#include "../engine.h"
#include "../engines.h"
#include "tree.h"

#define GML_MEMORY_KEY_MAX 1024
#define GML_MEMORY_VALUE_MAX ((size_t)8 << 20)
#define GML_MEMORY_CAPACITY ((uint64_t)1 << 30)
#define GML_MEMORY_RESERVE ((uint64_t)8 << 20) /* for removals; an eighth of a small capacity */

struct gml_memory_version {
	_Atomic uint32_t refs;
	uint64_t seq, last_id, bytes;
	uint64_t count[GML_TABLE_COUNT_];
	struct gml_tree_node *root[GML_TABLE_COUNT_];
};

/* One per directory. */
struct gml_memory_store {
	struct gml_memory_store *next;
	uint64_t token;
	pid_t pid;
	char *dir; /* absolute */
	bool open;
	uint8_t uuid[16];
	uint64_t capacity;
	_Atomic bool is_short; /* as the last change found it */
	pthread_mutex_t write, lock;
	struct gml_memory_version *current;
};

struct gml_memory {
	struct gml_meta head;
	struct gml_memory_store *store;
	int (*presync)(void *arg);
	void *presync_arg;
	_Atomic uint64_t commits, updates, reads;
};

/* A copy that a write transaction lent. */
struct gml_memory_lent {
	struct gml_memory_lent *next;
	size_t len;
	uint8_t bytes[];
};

struct gml_memory_txn {
	struct gml_txn head;
	struct gml_memory_version *version;
	int failed;	 /* write transactions: the first error after which it must fail */
	uint64_t writes; /* puts and deletes */
	struct gml_memory_lent *lent;
	uint64_t local[GML_TXN_LOCAL / 8]; /* write transactions */
};

static inline struct gml_memory *gml_memory_of(struct gml_meta *head)
{
	return (struct gml_memory *)head;
}
static inline struct gml_memory_txn *gml_memory_txn_of(struct gml_txn *head)
{
	return (struct gml_memory_txn *)head;
}

/* ---- memory_update.c: versions ---- */
/* One reference; NULL: no memory. clone: the same content. */
struct gml_memory_version *gml_memory_version_new(void);
struct gml_memory_version *gml_memory_version_clone(struct gml_memory_version *from);
void gml_memory_version_unref(struct gml_memory_version *version); /* NULL is fine */
/* The newest published version of the store, one reference. */
struct gml_memory_version *gml_memory_current(struct gml_memory_store *store);

/* ---- memory_txn.c ---- */
int gml_memory_read_begin(struct gml_meta *head, struct gml_txn **txn_out);
void gml_memory_read_end(struct gml_txn *head);
uint64_t gml_memory_txn_seq(const struct gml_txn *head);
int gml_memory_get(struct gml_txn *head, enum gml_table table, struct gml_span key,
		   struct gml_span *value_out);
int gml_memory_put(struct gml_txn *head, enum gml_table table, struct gml_span key,
		   struct gml_span value);
int gml_memory_del(struct gml_txn *head, enum gml_table table, struct gml_span key);
uint64_t gml_memory_next_id(struct gml_txn *head);
int gml_memory_count(struct gml_txn *head, enum gml_table table, uint64_t *count_out);
int gml_memory_cursor_open(struct gml_txn *head, enum gml_table table,
			   struct gml_cursor **cursor_out);
void gml_memory_cursor_close(struct gml_cursor *head);
int gml_memory_cursor_seek(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			   struct gml_span *value_out);
int gml_memory_cursor_next(struct gml_cursor *head, struct gml_span *key_out,
			   struct gml_span *value_out);
int gml_memory_cursor_before(struct gml_cursor *head, struct gml_span key, struct gml_span *key_out,
			     struct gml_span *value_out);
/* Invalidates all spans that the transaction lent (invariant 3). */
void gml_memory_lent_end(struct gml_memory_txn *txn);

/* ---- memory_update.c: changes ---- */
int gml_memory_update(struct gml_meta *head, gml_meta_fn fn, void *arg, bool relaxed);
int gml_memory_flush(struct gml_meta *head);
int gml_memory_refresh(struct gml_meta *head);

#endif
