// SPDX-License-Identifier: Apache-2.0
/* Orphans: inodes without a name, freed when they are old enough and no process has them open.
 *
 * One transaction frees as many small orphans, or as large a slice of one, as REAP_BUDGET allows:
 * content, xattrs, the inode, its entry in the orphan table, in this order, so that a crash between
 * two slices leaves an orphan that is smaller, and nothing else. Bytes are removed after the
 * commit; if the process dies in between, they stay as unreferenced files, until gml_store_compact
 * collects them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/lock.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "reap.h"
#include "store.h"

#define REAP_BUDGET 1024 /* extents, xattrs and inodes per transaction */
#define REAP_BATCH 256	 /* orphans collected per snapshot */
#define REAP_XATTRS 32	 /* xattrs deleted per step */
#define REAP_XATTR_BYTES (REAP_XATTRS * GML_XATTR_NAME_MAX)
#define REAP_AHEAD 1000000000 /* ns: a time that is less far ahead is past in a moment */

struct reap_list {
	gml_ino inos[REAP_BATCH];
	unsigned count, max;	   /* at most REAP_BATCH */
	gml_ino ahead[REAP_BATCH]; /* orphans dated in the future */
	unsigned nahead;
	int64_t now;
	int64_t oldest_kept; /* younger ones stay */
	gml_ino last;
	bool more;
	bool (*is_open)(void *arg, gml_ino ino);
	void *arg;
	struct gml_store *store;
	struct gml_txn *txn;
};

static bool reap_is_open(const struct reap_list *list, gml_ino ino)
{
	return list->is_open != NULL && list->is_open(list->arg, ino);
}

/* S3 readers register for content with a long map: all other content they have open or in memory
 * (gateway/base/presence.h). */
static bool reap_is_read(const struct reap_list *list, gml_ino ino)
{
	struct gml_inode inode;
	return gml_rec_inode_get(list->txn, ino, &inode) == 0 &&
	       (inode.flags & GML_INODE_EXTENTS) &&
	       gml_presence_reader_any(list->store->presence, ino);
}

static bool reap_add(void *arg, gml_ino ino, int64_t since)
{
	struct reap_list *list = arg;
	gml_assert(list->count < list->max);
	list->last = ino;
	if (since > list->oldest_kept && since > list->now + REAP_AHEAD &&
	    list->nahead < REAP_BATCH)
		list->ahead[list->nahead++] = ino;
	if (since > list->oldest_kept || reap_is_open(list, ino) || reap_is_read(list, ino))
		return true;
	list->inos[list->count++] = ino;
	list->more = list->count == list->max;
	return !list->more;
}

struct reap_txn {
	const gml_ino *inos;
	unsigned count;
	unsigned done;	 /* orphans of `inos` that need no further slice */
	unsigned nfreed; /* those of them that were freed here */
	unsigned budget;
	struct gml_deferred_frees *freed;
};

/* Extents from the start, at most the budget. */
static int reap_extents(struct gml_txn *txn, struct reap_txn *reap, struct gml_inode *inode)
{
	struct gml_extent extent;
	uint64_t end = 0;
	int rc = 0;
	while (reap->budget > 0 && (rc = gml_extent_find(txn, inode, end, &extent)) == 0) {
		end = extent.off + extent.len;
		reap->budget--;
	}
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	return end > 0 ? gml_extent_cut(txn, inode, 0, end, reap->freed) : 0;
}

struct reap_xattrs {
	unsigned count;
	size_t used;
	uint16_t len[REAP_XATTRS];
	char names[REAP_XATTR_BYTES]; /* one after the other */
};
_Static_assert(REAP_XATTR_BYTES >= GML_REC_XATTR_NAME_MAX, "the longest name fits");

static bool reap_xattr_add(void *arg, struct gml_span name, struct gml_span value)
{
	struct reap_xattrs *x = arg;
	gml_assert(x->count < REAP_XATTRS);
	(void)value;
	if (name.len > sizeof(x->names) - x->used)
		return false;
	memcpy(x->names + x->used, name.ptr, name.len);
	x->used += name.len;
	x->len[x->count++] = (uint16_t)name.len;
	return x->count < REAP_XATTRS;
}

static int reap_xattrs(struct gml_txn *txn, struct reap_txn *reap, struct gml_inode *inode)
{
	struct reap_xattrs x;
	struct gml_line line;
	int rc = gml_rec_line_of(txn, inode->bucket, &line);
	while (rc == 0 && reap->budget > 0 && (inode->flags & GML_INODE_XATTRS)) {
		const char *name = x.names;
		x.count = 0;
		x.used = 0;
		rc = gml_rec_xattr_each(txn, inode->ino, gml_span_of(NULL, 0), reap_xattr_add, &x);
		for (unsigned i = 0; rc == 0 && i < x.count; name += x.len[i++])
			rc = gml_rec_xattr_del(txn, &line, inode->ino, gml_span_of(name, x.len[i]));
		if (x.count == 0)
			inode->flags &= ~(uint32_t)GML_INODE_XATTRS;
		reap->budget -= x.count < reap->budget ? x.count : reap->budget;
	}
	return rc;
}

static int reap_noent_ok(int rc)
{
	return rc == GML_ERR_NOENT ? 0 : rc;
}

enum reap_result {
	REAP_PART,  /* the budget ended before it */
	REAP_FREED, /* all of it */
	REAP_LEFT,  /* nothing to free: gone already, or not an orphan */
};

/* One orphan, as far as the budget goes. */
static int reap_one(struct gml_txn *txn, struct reap_txn *reap, gml_ino ino,
		    enum reap_result *result_out)
{
	struct gml_extent rest;
	struct gml_inode inode;
	struct gml_line line;
	int64_t since;
	bool rest_left;
	int rc = gml_rec_orphan_get(txn, ino, &since);
	*result_out = REAP_LEFT;
	if (rc != 0) /* another process was first */
		return reap_noent_ok(rc);
	rc = gml_rec_inode_get(txn, ino, &inode);
	if (rc == GML_ERR_NOENT)
		return reap_noent_ok(gml_rec_orphan_del(txn, ino));
	/* a name again: it must not be freed; the check reports it */
	if (rc != 0 || inode.nlink > 0)
		return rc;
	rc = reap_extents(txn, reap, &inode);
	if (rc == 0)
		rc = gml_extent_find(txn, &inode, 0, &rest);
	rest_left = rc != GML_ERR_NOENT;
	rc = reap_noent_ok(rc);
	if (rc == 0 && inode.wblob != 0) {
		rc = gml_blob_put_ref(txn, inode.wblob, reap->freed);
		inode.wblob = 0;
	}
	if (rc == 0)
		rc = reap_xattrs(txn, reap, &inode);
	if (rc == 0 && (inode.flags & GML_INODE_DIRTY)) {
		rc = reap_noent_ok(gml_rec_dirty_del(txn, ino));
		inode.flags &= ~(uint32_t)GML_INODE_DIRTY;
	}
	if (rc != 0)
		return rc;
	*result_out = rest_left || (inode.flags & GML_INODE_XATTRS) ? REAP_PART : REAP_FREED;
	if (*result_out == REAP_PART)
		return gml_inode_save(txn, &inode);
	/* Nothing is left that only the inode would lead to. */
	gml_assert(inode.nextents == 0 && inode.wblob == 0);
	gml_assert(!(inode.flags & (GML_INODE_EXTENTS | GML_INODE_XATTRS | GML_INODE_DIRTY)));
	rc = gml_rec_line_of(txn, inode.bucket, &line);
	if (rc == 0)
		rc = gml_rec_inode_del(txn, &line, ino);
	return rc == 0 ? gml_rec_orphan_del(txn, ino) : rc;
}

static int reap_fn(struct gml_txn *txn, void *arg)
{
	struct reap_txn *reap = arg;
	int rc = 0;
	gml_deferred_frees_reset(reap->freed);
	reap->done = reap->nfreed = 0;
	reap->budget = REAP_BUDGET;
	while (rc == 0 && reap->budget > 0 && reap->done < reap->count) {
		enum reap_result result;
		rc = reap_one(txn, reap, reap->inos[reap->done], &result);
		if (rc != 0 || result == REAP_PART)
			break;
		reap->done++;
		reap->nfreed += result == REAP_FREED;
		if (reap->budget > 0)
			reap->budget--;
	}
	return rc;
}

/* ---- which orphans are being freed ---- */

struct gml_reaping {
	struct gml_reaping *next;
	const gml_ino *inos;
	unsigned count;
};

bool gml_reap_is_freeing(struct gml_store *store, gml_ino ino)
{
	bool found = false;
	gml_leaf_lock(&store->reap_lock);
	for (const struct gml_reaping *reaping = store->reaping; reaping != NULL && !found;
	     reaping = reaping->next)
		for (unsigned i = 0; i < reaping->count && !found; i++)
			found = gml_ino_equal(reaping->inos[i], ino);
	gml_leaf_unlock(&store->reap_lock);
	return found;
}

static void reap_freeing_begin(struct gml_store *store, struct gml_reaping *reaping)
{
	gml_leaf_lock(&store->reap_lock);
	reaping->next = store->reaping;
	store->reaping = reaping;
	gml_leaf_unlock(&store->reap_lock);
}

static void reap_freeing_set(struct gml_store *store, struct gml_reaping *reaping,
			     const gml_ino *inos, unsigned count)
{
	gml_leaf_lock(&store->reap_lock);
	gml_assert(store->reaping != NULL); /* the reaping is listed: openers see what it says */
	reaping->inos = inos;
	reaping->count = count;
	gml_leaf_unlock(&store->reap_lock);
}

static void reap_freeing_end(struct gml_store *store, struct gml_reaping *reaping)
{
	struct gml_reaping **link = &store->reaping;
	gml_leaf_lock(&store->reap_lock);
	while (*link != reaping)
		link = &(*link)->next;
	*link = reaping->next;
	gml_leaf_unlock(&store->reap_lock);
}

/* Mark up to `most` orphans from `at` on, and keep those before the first that is open: one may
 * have been opened by handle since the snapshot. The returned ones can no longer be opened. */
static unsigned reap_freeing_run(const struct reap_list *list, struct gml_reaping *reaping,
				 unsigned at, unsigned most)
{
	unsigned want = list->count - at < most ? list->count - at : most, n = 0;
	gml_assert(at < list->count);
	reap_freeing_set(list->store, reaping, list->inos + at, want);
	while (n < want && !reap_is_open(list, list->inos[at + n]))
		n++;
	reap_freeing_set(list->store, reaping, list->inos + at, n);
	return n;
}

static int reap_commit(struct gml_store *store, struct reap_txn *reap)
{
	int rc;
	gml_assert(reap->count > 0);
	reap->freed = gml_deferred_frees_new();
	if (reap->freed == NULL)
		return GML_ERR_NOMEM;
	rc = gml_meta_update(store->meta, reap_fn, reap);
	if (rc == 0)
		gml_deferred_frees_apply(store, reap->freed);
	else
		gml_deferred_frees_free(reap->freed);
	return rc;
}

/* A damaged orphan makes every transaction fail that contains it: then orphans are freed one by
 * one, and it is left out. */
static int reap_free(struct gml_store *store, const struct reap_list *list, unsigned *freed_out)
{
	struct gml_reaping reaping = {0};
	unsigned at = 0, most = REAP_BATCH;
	int rc = 0;
	reap_freeing_begin(store, &reaping);
	while (rc == 0 && at < list->count) {
		struct reap_txn reap = {.inos = list->inos + at,
					.count = reap_freeing_run(list, &reaping, at, most)};
		if (reap.count == 0) {
			at++;
			continue;
		}
		rc = reap_commit(store, &reap);
		if (rc == 0) {
			at += reap.done;
			*freed_out += reap.nfreed;
		} else if (rc == GML_ERR_CORRUPT && reap.count > 1) {
			most = 1;
			rc = 0;
		} else if (rc == GML_ERR_CORRUPT) {
			gml_store_log(store, GML_LOG_ERROR,
				      "orphan %s is damaged and cannot be freed; run 'gemel "
				      "store check'",
				      gml_ino_text(list->inos[at]));
			at++;
			rc = 0;
		}
	}
	reap_freeing_end(store, &reaping);
	return rc;
}

/* ---- a clock that was set back ---- */

static int reap_date_fn(struct gml_txn *txn, void *arg)
{
	const struct reap_list *list = arg;
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < list->nahead; i++) /* NOENT: another process freed it */
		rc = reap_noent_ok(gml_rec_orphan_date(txn, list->ahead[i], gml_now()));
	return rc;
}

/* Their age is unknown: their time begins now, or they would stay until the clock reaches it. If
 * this is lost, it is repeated. */
static int reap_date(struct gml_store *store, struct reap_list *list)
{
	return list->nahead == 0 ? 0 : gml_meta_update_relaxed(store->meta, reap_date_fn, list);
}

int gml_store_reap(struct gml_op *op, struct gml_store *store, const struct gml_reap *reap,
		   unsigned *freed_out)
{
	struct reap_list *list = malloc(sizeof(*list));
	gml_ino after = GML_INO_NONE;
	int rc = 0;
	*freed_out = 0;
	if (list == NULL)
		return GML_ERR_NOMEM;
	*list = (struct reap_list){
		.store = store, .is_open = reap->is_open, .arg = reap->arg, .now = gml_now()};
	list->oldest_kept = list->now - reap->min_age_ns;
	while (rc == 0 && *freed_out < reap->max) {
		list->txn = NULL;
		list->count = 0;
		list->nahead = 0;
		list->more = false;
		list->max = reap->max - *freed_out;
		if (list->max > REAP_BATCH)
			list->max = REAP_BATCH;
		rc = gml_meta_read_begin(store->meta, &list->txn);
		if (rc == 0)
			rc = gml_rec_orphan_each(list->txn, after, reap_add, list);
		gml_meta_read_end(list->txn);
		if (rc == 0)
			rc = reap_date(store, list);
		if (rc == 0)
			rc = reap_free(store, list, freed_out);
		if (!list->more)
			break;
		after = list->last;
	}
	free(list);
	return rc;
}
