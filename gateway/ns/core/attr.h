// SPDX-License-Identifier: Apache-2.0
/* The present attributes of an inode, also while its content is being written. */
#ifndef GML_NS_CORE_ATTR_H
#define GML_NS_CORE_ATTR_H

#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

/* The change attribute of an inode whose gml_presence_change is `counter`. Pure. */
static inline uint64_t gml_change_seen(const struct gml_inode *inode, uint64_t counter)
{
	return (inode->flags & GML_INODE_DIRTY) && counter > inode->change ? counter
									   : inode->change;
}
/* The present change attribute. Not in closures: their argument carries the counter, read before
 * (gml_presence_change), or it is stepped after the commit. */
uint64_t gml_change_current(struct gml_store *store, const struct gml_inode *inode);
/* Made and open in this process, and not written yet. Any thread. Blocks: no. Implemented by the
 * table of open files (ns/posix/open_inode.c), a layer above this folder. */
bool gml_open_inode_unwritten(struct gml_store *store, gml_ino ino);
/* True if content of this size has a hole of at least a block, given the bytes that its write blob
 * and extents occupy. */
bool gml_attr_sparse(uint64_t size, uint64_t wblob_space, uint64_t covered);
/* The present size, mtime, ctime, space and change attribute of an inode (from the write blob while
 * DIRTY) into *attr; for all types and states. `txn`: any transaction that the caller has open, for
 * the extents of a file with holes; NULL: none, then these take a snapshot. NOMEM, IO. Any thread.
 * May open a file. */
int gml_inode_attr(struct gml_store *store, struct gml_txn *txn, const struct gml_inode *inode,
		   struct gml_attr *attr);
/* The same without the space, which is undefined in *attr: the extents are not read. For callers
 * that need the size only. */
int gml_inode_attr_spaceless(struct gml_store *store, const struct gml_inode *inode,
			     struct gml_attr *attr);
/* As it was made: DIRTY or not, no write blob has a file yet, and a size is a hole. Pure. */
void gml_inode_attr_new(const struct gml_inode *inode, struct gml_attr *attr);

#endif
