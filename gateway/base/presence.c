// SPDX-License-Identifier: Apache-2.0
/* Presence within one machine.
 *
 * run/changes is a file of CHANGE_SLOTS 64-bit counters that every process maps. An inode uses the
 * slot of its hash. Two inodes in one slot advance each other's change attribute, which is
 * harmless.
 *
 * run/readers lists the inodes whose content S3 readers open piece by piece (object.c). An object
 * of a few extents is pinned when it is opened: its blobs are open, its packed bytes in memory. One
 * whose map is in table extent may have 10,000 blobs; they are opened when the reader reaches them.
 * Deleted meanwhile, it becomes an orphan, which stays as long as this table lists it.
 *
 * Invariants of run/readers
 *  1. A place is taken by setting `busy` from 0 to 1; its owner and its view are written before
 *     `num`; num != 0 makes it count.
 *  2. A reader is registered within the reaper's 15 s after the snapshot that found the key: so no
 *     orphan is freed in between.
 *  3. Only the process that took a place frees it, or one that found that process ended. */
#include "presence.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include "clock.h"
#include "errmap.h"
#include "map.h"

#define CHANGE_SLOTS 65536
#define CHANGE_BYTES (CHANGE_SLOTS * sizeof(uint64_t))
#define READER_PLACES 8192
#define READER_BYTES (READER_PLACES * sizeof(struct reader_place))

struct reader_place {
	_Atomic uint64_t num, view; /* of the inode */
	_Atomic uint32_t busy;
	uint32_t pid;
	uint64_t start, boot;
};
_Static_assert(sizeof(struct reader_place) == 40, "the table is shared between builds");

struct presence_local {
	struct gml_presence head;
	_Atomic uint64_t *changes;
	struct reader_place *readers;
	_Atomic uint32_t next; /* where to look for a free place */
};

static struct presence_local *presence_local_of(struct gml_presence *presence)
{
	return (struct presence_local *)presence;
}

/* ---- changes ---- */

static _Atomic uint64_t *change_slot(struct gml_presence *presence, gml_ino ino)
{
	return &presence_local_of(presence)->changes[gml_ino_hash(ino) % CHANGE_SLOTS];
}

static uint64_t local_change(struct gml_presence *presence, gml_ino ino)
{
	return atomic_load(change_slot(presence, ino));
}

static void local_step(struct gml_presence *presence, gml_ino ino)
{
	_Atomic uint64_t *slot = change_slot(presence, ino);
	uint64_t last = atomic_load(slot);
	while (!atomic_compare_exchange_weak(slot, &last, gml_change_next(last)))
		;
}

/* ---- readers ---- */

static int local_reader_add(struct gml_presence *presence, gml_ino ino)
{
	struct presence_local *local = presence_local_of(presence);
	uint32_t at = atomic_fetch_add(&local->next, 1);
	for (uint32_t i = 0; i < READER_PLACES; i++) {
		struct reader_place *place = &local->readers[(at + i) % READER_PLACES];
		uint32_t idle = 0;
		if (atomic_load_explicit(&place->busy, memory_order_relaxed) != 0 ||
		    !atomic_compare_exchange_strong(&place->busy, &idle, 1))
			continue;
		place->pid = presence->self.pid;
		place->start = presence->self.start;
		place->boot = presence->self.boot;
		atomic_store(&place->view, ino.view);
		atomic_store(&place->num, ino.num);
		return (int)((at + i) % READER_PLACES);
	}
	return -1;
}

static void local_reader_remove(struct gml_presence *presence, int place)
{
	struct reader_place *at = &presence_local_of(presence)->readers[place];
	gml_assert(place < READER_PLACES && atomic_load(&at->busy) == 1);
	atomic_store(&at->num, 0);
	atomic_store(&at->busy, 0);
}

static struct gml_owner reader_owner(const struct gml_presence *presence,
				     const struct reader_place *place)
{
	return (struct gml_owner){.gateway = presence->self.gateway,
				  .pid = place->pid,
				  .start = place->start,
				  .boot = place->boot};
}

static bool reader_is(struct reader_place *place, gml_ino ino)
{
	return atomic_load_explicit(&place->num, memory_order_acquire) == ino.num &&
	       atomic_load_explicit(&place->view, memory_order_relaxed) == ino.view;
}

/* Is the place's reader of this inode alive? The place of an ended process is cleared. Meanwhile
 * the place may have passed to another reader, which must keep it: then the owner or the inode in
 * the place has changed. */
static bool reader_alive(struct gml_presence *presence, struct reader_place *place, gml_ino ino)
{
	while (reader_is(place, ino)) {
		struct gml_owner owner = reader_owner(presence, place), again;
		uint64_t expected = ino.num;
		if (presence->ops->alive(presence, &owner))
			return true;
		again = reader_owner(presence, place);
		if (gml_owner_equal(&owner, &again) && atomic_load(&place->view) == ino.view &&
		    atomic_compare_exchange_strong(&place->num, &expected, 0))
			atomic_store(&place->busy, 0);
	}
	return false;
}

static bool local_reader_any(struct gml_presence *presence, gml_ino ino)
{
	struct reader_place *readers = presence_local_of(presence)->readers;
	bool found = false;
	for (uint32_t i = 0; i < READER_PLACES; i++)
		if (reader_alive(presence, &readers[i], ino))
			found = true;
	return found;
}

/* ---- life ---- */

static bool local_alive(struct gml_presence *presence, const struct gml_owner *owner)
{
	return owner->gateway != presence->self.gateway || gml_owner_alive(owner);
}

static void local_close(struct gml_presence *presence)
{
	struct presence_local *local = presence_local_of(presence);
	gml_shared_unmap((void *)local->changes, CHANGE_BYTES);
	gml_shared_unmap(local->readers, READER_BYTES);
	free(local);
}

static const struct gml_presence_ops presence_local_ops = {
	.name = "local",
	.close = local_close,
	.change = local_change,
	.step = local_step,
	.reader_add = local_reader_add,
	.reader_remove = local_reader_remove,
	.reader_any = local_reader_any,
	.alive = local_alive,
};

int gml_presence_open(int dirfd, const struct gml_owner *self, struct gml_presence **out)
{
	struct presence_local *local = calloc(1, sizeof(*local));
	void *changes = NULL, *readers = NULL;
	int code;
	*out = NULL;
	if (local == NULL)
		return GML_ERR_NOMEM;
	local->head = (struct gml_presence){.ops = &presence_local_ops, .self = *self};
	atomic_init(&local->next, self->pid * 61);
	code = gml_shared_map(dirfd, "run/changes", CHANGE_BYTES, GML_MAP_MAKE, &changes);
	if (code == 0)
		code = gml_shared_map(dirfd, "run/readers", READER_BYTES, GML_MAP_MAKE, &readers);
	local->changes = changes;
	local->readers = readers;
	if (code != 0) {
		local_close(&local->head);
		return gml_err_map(code);
	}
	*out = &local->head;
	return 0;
}
