// SPDX-License-Identifier: Apache-2.0
/* Facts that the processes of a store share without durability: the change counters of files that
 * are being written, the inodes that have readers, the processes that run.
 *
 * A table of functions, so that several gateways can have another implementation. The only one so
 * far (gml_presence_open) keeps shared memory in the store's run/ and asks the kernel, for the
 * processes of one machine.
 *
 * Invariants
 *  1. Closures of gml_meta_update ask nothing here (docs/locking.md, "Closures"). A caller that
 *     changes an inode that is being written reads its counter before and passes it in, or steps it
 *     afterwards. Test builds assert it.
 *  2. A power cut loses nothing that is needed: no writer and no reader outlives it. Recovery gives
 *     a DIRTY inode a change attribute from the clock, which is larger.
 *  3. An unknown owner counts as alive. */
#ifndef GML_BASE_PRESENCE_H
#define GML_BASE_PRESENCE_H

#include <gemel/types.h>
#include "assert.h"
#include "owner.h"

struct gml_presence;

struct gml_presence_ops {
	const char *name;
	void (*close)(struct gml_presence *presence);
	uint64_t (*change)(struct gml_presence *presence, gml_ino ino);
	void (*step)(struct gml_presence *presence, gml_ino ino);
	int (*reader_add)(struct gml_presence *presence, gml_ino ino);
	void (*reader_remove)(struct gml_presence *presence, int place);
	bool (*reader_any)(struct gml_presence *presence, gml_ino ino);
	bool (*alive)(struct gml_presence *presence, const struct gml_owner *owner);
};

/* The head of each implementation. */
struct gml_presence {
	const struct gml_presence_ops *ops;
	struct gml_owner self;
};

/* The implementation for the processes of one machine, over run/changes and run/readers below the
 * store's directory, which are made when missing. `self` is copied. NOMEM, errors of the file
 * system. Lives as long as the open store. */
int gml_presence_open(int dirfd, const struct gml_owner *self, struct gml_presence **out);
static inline void gml_presence_close(struct gml_presence *presence) /* NULL is fine */
{
	if (presence != NULL)
		presence->ops->close(presence);
}

/* The change attribute of an inode that is being written is the larger of its record's and this
 * counter. Grows only, but for a power cut: what was being written then gets its change attribute
 * from the clock. Any thread. Blocks: no. */
static inline uint64_t gml_presence_change(struct gml_presence *presence, gml_ino ino)
{
	gml_assert_outside_closures();
	return presence->ops->change(presence, ino);
}

/* Its content changed: the counter becomes gml_change_next of itself. To be called after the
 * change. Any thread. Blocks: no. */
static inline void gml_presence_step(struct gml_presence *presence, gml_ino ino)
{
	gml_assert_outside_closures();
	presence->ops->step(presence, ino);
}

/* Registers a reader of this process, whose inode is then not freed. Returns its place, for
 * gml_presence_reader_remove, or -1: the table is full (the reader then has only the reaper's 15
 * s). Any thread. Blocks: no. */
static inline int gml_presence_reader_add(struct gml_presence *presence, gml_ino ino)
{
	gml_assert_outside_closures();
	return presence->ops->reader_add(presence, ino);
}

static inline void gml_presence_reader_remove(struct gml_presence *presence, int place)
{
	if (place >= 0)
		presence->ops->reader_remove(presence, place);
}

/* Has a living process a reader of this inode? The reaper calls it before it frees an orphan.
 * Places of ended processes are cleared. Any thread. Reads /proc when there is one. */
static inline bool gml_presence_reader_any(struct gml_presence *presence, gml_ino ino)
{
	gml_assert_outside_closures();
	return presence->ops->reader_any(presence, ino);
}

/* May that process still run? True also when it is unknown. Any thread. Reads /proc. */
static inline bool gml_presence_alive(struct gml_presence *presence, const struct gml_owner *owner)
{
	gml_assert_outside_closures();
	return presence->ops->alive(presence, owner);
}

#endif
