// SPDX-License-Identifier: Apache-2.0
/* Inodes whose content S3 readers open piece by piece (object.c).
 *
 * An object of a few extents is pinned when it is opened: its blobs are open, its packed bytes in
 * memory. One whose map is in table extent may have 10,000 blobs; they are opened when the reader
 * reaches them. Deleted meanwhile, it becomes an orphan, which stays as long as this table lists
 * it: the reaper checks. The table is run/readers, mapped by every process; it needs no durability,
 * because it protects requests that end with their process.
 *
 * Invariants
 *  1. A slot is taken by setting `busy` from 0 to 1; its owner and its view are written before
 *     `num`; num != 0 makes it count.
 *  2. A reader is registered within the reaper's 15 s after the snapshot that found the key: so no
 *     orphan is freed in between.
 *  3. Only the process that took a slot frees it, or one that found that process dead. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/errmap.h"
#include "gateway/meta/record/record.h"
#include "owner.h"
#include "reader.h"

#define READERS_SLOTS 8192
#define READERS_BYTES (READERS_SLOTS * sizeof(struct readers_slot))

struct readers_slot {
	_Atomic uint64_t num, view; /* of the inode */
	_Atomic uint32_t busy;
	uint32_t pid;
	uint64_t start, boot;
};
_Static_assert(sizeof(struct readers_slot) == 40, "the table is shared between builds");

struct gml_readers {
	struct readers_slot *slot;
	_Atomic uint32_t next; /* where to look for a free slot */
};

int gml_readers_open(int dirfd, struct gml_readers **out)
{
	struct gml_readers *readers = calloc(1, sizeof(*readers));
	void *map = MAP_FAILED;
	struct stat st;
	int rc = 0, fd;
	*out = NULL;
	if (readers == NULL)
		return GML_ERR_NOMEM;
	fd = openat(dirfd, "run/readers", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = gml_err_map(errno);
	else if ((uint64_t)st.st_size < READERS_BYTES && ftruncate(fd, READERS_BYTES) != 0)
		rc = gml_err_map(errno);
	if (rc == 0) {
		map = mmap(NULL, READERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		rc = map == MAP_FAILED ? gml_err_map(errno) : 0;
	}
	if (fd >= 0)
		close(fd);
	if (rc != 0) {
		free(readers);
		return rc;
	}
	readers->slot = map;
	atomic_init(&readers->next, (uint32_t)getpid() * 61);
	*out = readers;
	return 0;
}

void gml_readers_close(struct gml_readers *readers)
{
	if (readers == NULL)
		return;
	munmap(readers->slot, READERS_BYTES);
	free(readers);
}

int gml_readers_add(struct gml_readers *readers, const struct gml_owner *self, gml_ino ino)
{
	uint32_t at;
	if (readers == NULL)
		return -1;
	at = atomic_fetch_add(&readers->next, 1);
	for (uint32_t i = 0; i < READERS_SLOTS; i++) {
		struct readers_slot *slot = &readers->slot[(at + i) % READERS_SLOTS];
		uint32_t idle = 0;
		if (atomic_load_explicit(&slot->busy, memory_order_relaxed) != 0 ||
		    !atomic_compare_exchange_strong(&slot->busy, &idle, 1))
			continue;
		slot->pid = self->pid;
		slot->start = self->start;
		slot->boot = self->boot;
		atomic_store(&slot->view, ino.view);
		atomic_store(&slot->num, ino.num);
		return (int)((at + i) % READERS_SLOTS);
	}
	return -1;
}

static void readers_clear(struct readers_slot *slot)
{
	atomic_store(&slot->num, 0);
	atomic_store(&slot->busy, 0);
}

void gml_readers_remove(struct gml_readers *readers, int slot)
{
	if (readers != NULL && slot >= 0)
		readers_clear(&readers->slot[slot]);
}

static struct gml_owner readers_owner(const struct readers_slot *slot)
{
	return (struct gml_owner){.pid = slot->pid, .start = slot->start, .boot = slot->boot};
}

static bool readers_slot_is(struct readers_slot *slot, gml_ino ino)
{
	return atomic_load_explicit(&slot->num, memory_order_acquire) == ino.num &&
	       atomic_load_explicit(&slot->view, memory_order_relaxed) == ino.view;
}

/* Is the slot's reader of this inode alive? The slot of a dead process is cleared. Meanwhile the
 * slot may have passed to another reader, which must keep it: then the owner or the inode in the
 * slot has changed. */
static bool readers_slot_alive(struct readers_slot *slot, gml_ino ino)
{
	while (readers_slot_is(slot, ino)) {
		struct gml_owner owner = readers_owner(slot), again;
		uint64_t expected = ino.num;
		if (gml_owner_alive(&owner))
			return true;
		again = readers_owner(slot);
		if (owner.pid == again.pid && owner.start == again.start &&
		    owner.boot == again.boot && atomic_load(&slot->view) == ino.view &&
		    atomic_compare_exchange_strong(&slot->num, &expected, 0))
			atomic_store(&slot->busy, 0);
	}
	return false;
}

bool gml_readers_has(struct gml_readers *readers, gml_ino ino)
{
	bool found = false;
	if (readers == NULL)
		return false;
	for (uint32_t i = 0; i < READERS_SLOTS; i++) {
		if (readers_slot_alive(&readers->slot[i], ino))
			found = true;
	}
	return found;
}
