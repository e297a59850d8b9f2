// SPDX-License-Identifier: Apache-2.0
/* Room for removing: on a full disk, or in a full map, names must still be removable, and a change writes pages anew
 * before it frees the old ones.
 *
 * Invariants
 *  1. Beyond its last page data.mdb has GML_ROOM bytes of the disk and of the map set aside (an eighth of a small map).
 *     On the disk it does not show in the file's size.
 *  2. When that much is not to be had there, nor in free pages, the room is short: a change that leaves more records
 *     than it found gets NOSPC. One that removes as many as it makes goes on, in what was set aside.
 *  3. While the room is short, checkpoints come early, for pages are used again only behind them. */
#ifndef GML_META_ROOM_H
#define GML_META_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct gml_lmdb;
struct gml_lmdb_txn;

#define GML_ROOM ((uint64_t)8 << 20)
#define GML_ROOM_PAGES                                                                             \
	256 /* written since the last checkpoint: the next one, when the room is short */

struct gml_reserve {
	uint64_t
		end; /* up to here the file has its space, as far as this process knows; the leader's */
	_Atomic bool is_short; /* as last seen */
};

/* Sees to it that there is room. *short_out: it is short, as is noted for the checkpoints. For the leader, before its
 * write transaction: may make a checkpoint. A system call once in a while, each time while it is short. IO, NOMEM, AGAIN.
 */
int gml_reserve_keep(struct gml_lmdb *meta, bool *short_out);
/* Records in all tables. */
int gml_reserve_records(struct gml_lmdb_txn *txn, uint64_t *count_out);

#endif
