// SPDX-License-Identifier: Apache-2.0
/* Several inodes (or parts) over the same blobs. */
#ifndef GML_NS_OBJECT_REFLINK_H
#define GML_NS_OBJECT_REFLINK_H

#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* Write transaction: turns the write blob of a clean inode into extents (wblob = 0) and saves the
 * inode, whose spans are stale then; nothing to do without one. DIRTY: AGAIN, nothing written. */
int gml_reflink_extents(struct gml_txn *txn, struct gml_inode *inode,
			struct gml_deferred_frees *freed);
/* The extents of a clean inode in [off, off+len) once its write blob is turned into extents:
 * offsets relative to off, on the heap. Writes nothing: closures call it before their first
 * write. */
int gml_reflink_slice(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
		      uint64_t len, struct gml_extent **extents_out, uint32_t *n_out);

#endif
