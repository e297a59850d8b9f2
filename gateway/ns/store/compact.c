// SPDX-License-Identifier: Apache-2.0
/* Pack space: blocks of a pack without live segments are punched out; a pack without any is
 * removed.
 *
 * Only packs without lease are touched (recovery drops the leases of dead processes), and leases
 * and segments are read from one snapshot: no process appends to such a pack any more, and every
 * append has been published or dropped (lease.c), so a block without a segment in the snapshot
 * stays without one. */
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include "gateway/base/assert.h"
#include "gateway/data/blob.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "collect.h"
#include "store.h"

#define COMPACT_BLOCK 4096
/* not worth the work; the file system counts its own blocks as well */
#define COMPACT_SLACK (16 * COMPACT_BLOCK)
#define COMPACT_SEGMENTS 200000 /* records read per call, about a second */
#define COMPACT_PACKS 4096	/* pack files considered per call */

struct compact_packs {
	uint64_t from;
	/* the smallest ones >= from, as a heap with the largest on top */
	uint64_t numbers[COMPACT_PACKS];
	unsigned count;
};

static void compact_sift(struct compact_packs *packs, unsigned at)
{
	for (;;) {
		unsigned big = at, l = 2 * at + 1, r = l + 1;
		uint64_t tmp = packs->numbers[at];
		gml_assert(at < packs->count);
		if (l < packs->count && packs->numbers[l] > packs->numbers[big])
			big = l;
		if (r < packs->count && packs->numbers[r] > packs->numbers[big])
			big = r;
		if (big == at)
			return;
		packs->numbers[at] = packs->numbers[big];
		packs->numbers[big] = tmp;
		at = big;
	}
}

static bool compact_add(void *arg, uint64_t pack)
{
	struct compact_packs *packs = arg;
	if (pack < packs->from)
		return true;
	if (packs->count < COMPACT_PACKS) {
		packs->numbers[packs->count++] = pack;
		if (packs->count == COMPACT_PACKS)
			for (unsigned i = COMPACT_PACKS / 2; i-- > 0;)
				compact_sift(packs, i);
	} else if (pack < packs->numbers[0]) {
		packs->numbers[0] = pack;
		compact_sift(packs, 0);
	}
	return true;
}

static int compact_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

struct compact_lease {
	uint64_t pack;
	bool held;
};

static bool compact_lease_one(void *arg, const struct gml_lease *lease)
{
	struct compact_lease *want = arg;
	want->held = lease->kind == 1 && want->pack >= lease->first &&
		     want->pack - lease->first < lease->count;
	return !want->held;
}

struct compact {
	struct gml_store *store;
	struct gml_txn *txn;
	unsigned budget; /* segments */
	uint64_t freed;
};

static uint64_t compact_up(uint64_t off)
{
	return (off + COMPACT_BLOCK - 1) / COMPACT_BLOCK * COMPACT_BLOCK;
}

/* Walk the pack's live segments. punch: free the blocks of the gaps. *live_out: bytes of blocks
 * that hold a live one. */
static int compact_walk(struct compact *c, uint64_t pack, uint64_t size, bool punch,
			uint64_t *live_out)
{
	uint64_t id = gml_pack_id(pack, 0), past = 0, blob = 0;
	struct gml_blob_rec rec;
	int rc = 0;
	*live_out = 0;
	while (rc == 0) {
		uint64_t start = size, end = size;
		rc = gml_rec_blob_next(c->txn, id, &blob, &rec);
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
		if (rc == 0 && blob & GML_BLOB_PACKED && gml_pack_number(blob) == pack) {
			start = gml_pack_offset(blob);
			end = start + rec.len;
			c->budget -= c->budget > 0;
		} else {
			rc = GML_ERR_NOENT;
		}
		/* `past`: the first block beyond the last live one */
		if (punch && start / COMPACT_BLOCK * COMPACT_BLOCK > past) {
			int one = gml_pack_punch(c->store->data, pack, past,
						 (rc == 0 ? start / COMPACT_BLOCK * COMPACT_BLOCK
							  : compact_up(start)) -
							 past);
			if (one != 0)
				return one;
		}
		if (rc == 0) {
			uint64_t first = start / COMPACT_BLOCK * COMPACT_BLOCK;
			gml_assert(blob >= id && past % COMPACT_BLOCK == 0);
			if (first < past)
				first = past;
			if (compact_up(end) > first) {
				*live_out += compact_up(end) - first;
				past = compact_up(end);
			}
			id = blob + 1;
		}
	}
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int compact_pack(struct compact *c, uint64_t pack)
{
	struct compact_lease lease = {.pack = pack};
	uint64_t size, space, after, live;
	int rc = gml_rec_lease_each(c->txn, compact_lease_one, &lease);
	if (rc != 0 || lease.held || gml_pack_is_current(c->store->data, gml_pack_id(pack, 0)))
		return rc;
	rc = gml_pack_stat(c->store->data, pack, &size, &space);
	if (rc == 0)
		rc = compact_walk(c, pack, size, false, &live);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	if (live != 0 && space <= live + live / 128 + COMPACT_SLACK)
		return 0;
	/* as gml_collect_wait_durable; the snapshot is this pack's */
	rc = gml_meta_refresh(c->store->meta);
	if (rc != 0)
		return rc;
	if (live == 0) {
		rc = gml_pack_remove(c->store->data, pack);
		c->freed += rc == 0 ? space : 0;
		return rc;
	}
	rc = compact_walk(c, pack, size, true, &live);
	if (rc == 0)
		rc = gml_pack_stat(c->store->data, pack, &size, &after);
	if (rc == 0)
		c->freed += space > after ? space - after : 0;
	return rc;
}

int gml_store_compact(struct gml_op *op, struct gml_store *store, uint64_t *freed_bytes_out)
{
	struct compact c = {.store = store, .budget = COMPACT_SEGMENTS};
	struct compact_packs *packs = malloc(sizeof(*packs));
	uint64_t next = 1; /* the round is over: start again */
	int rc;
	*freed_bytes_out = 0;
	if (packs == NULL)
		return GML_ERR_NOMEM;
	packs->count = 0;
	packs->from = atomic_load(&store->compact_next);
	gml_pack_flush_removed(store->data);
	/* Files first, leases after: a pack that appears in between is not on the list. */
	rc = gml_pack_each(store->data, compact_add, packs);
	qsort(packs->numbers, packs->count, sizeof(*packs->numbers), compact_order);
	for (unsigned i = 0; rc == 0 && i < packs->count; i++) {
		if (c.budget == 0 || (i + 1 == packs->count && packs->count == COMPACT_PACKS)) {
			next = packs->numbers[i];
			break;
		}
		rc = gml_meta_read_begin(store->meta, &c.txn);
		if (rc == 0)
			rc = compact_pack(&c, packs->numbers[i]);
		gml_meta_read_end(c.txn);
		c.txn = NULL;
	}
	atomic_store(&store->compact_next, next);
	free(packs);
	if (rc == 0)
		rc = gml_collect_unreferenced(store, &c.freed);
	*freed_bytes_out = c.freed;
	return rc;
}
