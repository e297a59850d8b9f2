// SPDX-License-Identifier: Apache-2.0
/* The reserve for removals: on a full disk, or in a full map, names must still be removable, and a
 * change writes new pages before it frees the old ones.
 *
 * Invariants
 *  1. GML_RESERVE bytes of the disk and of the map beyond the last page of data.mdb are reserved
 *     (an eighth of a small map). On the disk it does not show in the file's size.
 *  2. When neither that much space nor free pages are available, space is short: a change that
 *     leaves more records than it found gets NOSPC. A change that removes as many as it makes
 *     continues and uses the reserve.
 *  3. While space is short, checkpoints come early, because pages are reused only after them. */
#ifndef GML_META_RESERVE_H
#define GML_META_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

struct gml_lmdb;
struct gml_lmdb_txn;

#define GML_RESERVE ((uint64_t)8 << 20) /* bytes */
/* Pages written since the last checkpoint after which the next one is made, when space is short. */
#define GML_RESERVE_PAGES 256

struct gml_reserve {
	/* Up to here the file has its space, as far as this process knows. The leader's. */
	uint64_t end;
	_Atomic bool is_short; /* as last seen */
};

/* Keeps the reserve. *short_out: space is short; the checkpoints use this, too. For the leader,
 * before its write transaction: may make a checkpoint. Makes a system call now and then, and each
 * time while space is short. IO, NOMEM, AGAIN. */
int gml_reserve_keep(struct gml_lmdb *meta, bool *short_out);
/* Records in all tables. */
int gml_reserve_records(struct gml_lmdb_txn *txn, uint64_t *count_out);

#endif
