// SPDX-License-Identifier: Apache-2.0
/* Change attributes of files that are being written: shared counters in run/changes.
 *
 * run/changes is a file of CHANGE_SLOTS 64-bit counters that every process maps. An inode uses the
 * slot of its hash. Two inodes in one slot advance each other's change attribute, which is
 * harmless. The file needs no durability: recovery gives a DIRTY inode a change attribute from the
 * clock, which is larger. */
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
#include "gateway/ns/store/store.h"
#include "change_counters.h"
#include "time.h"

#define CHANGE_SLOTS 65536
#define CHANGE_BYTES (CHANGE_SLOTS * sizeof(uint64_t))

struct gml_change_counters {
	_Atomic uint64_t *slots;
};

int gml_change_counters_open(int dirfd, struct gml_change_counters **out)
{
	struct gml_change_counters *counters = calloc(1, sizeof(*counters));
	void *map = MAP_FAILED;
	struct stat st;
	int rc = 0, fd;
	*out = NULL;
	if (counters == NULL)
		return GML_ERR_NOMEM;
	fd = openat(dirfd, "run/changes", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = gml_err_map(errno);
	/* Never shrink: another process may have it mapped. */
	else if ((uint64_t)st.st_size < CHANGE_BYTES && ftruncate(fd, CHANGE_BYTES) != 0)
		rc = gml_err_map(errno);
	if (rc == 0) {
		map = mmap(NULL, CHANGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		rc = map == MAP_FAILED ? gml_err_map(errno) : 0;
	}
	if (fd >= 0)
		close(fd);
	if (rc != 0) {
		free(counters);
		return rc;
	}
	counters->slots = map;
	*out = counters;
	return 0;
}

void gml_change_counters_close(struct gml_change_counters *counters)
{
	if (counters == NULL)
		return;
	munmap((void *)counters->slots, CHANGE_BYTES);
	free(counters);
}

uint64_t gml_change_current(struct gml_store *store, const struct gml_inode *inode)
{
	uint64_t slot;
	if (!(inode->flags & GML_INODE_DIRTY))
		return inode->change;
	slot = atomic_load(&store->change_counters->slots[gml_ino_hash(inode->ino) % CHANGE_SLOTS]);
	return slot > inode->change ? slot : inode->change;
}

void gml_change_bump(struct gml_store *store, gml_ino ino)
{
	_Atomic uint64_t *slot = &store->change_counters->slots[gml_ino_hash(ino) % CHANGE_SLOTS];
	uint64_t last = atomic_load(slot);
	while (!atomic_compare_exchange_weak(slot, &last, gml_change_next(last)))
		;
}
