// SPDX-License-Identifier: Apache-2.0
/* The gate for inode numbers that came from a handle. */
#ifndef GML_NS_POSIX_HANDLE_H
#define GML_NS_POSIX_HANDLE_H

#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

/* The inode, when the caller may go on with it. STALE: it is gone, or it has no name any more and op's
 * client does not have it open. AGAIN: the same while op->recovering. ACCESS: no search permission on
 * its bucket's root. Any transaction; takes a shard's lock (open_inode.h) for an inode without a name. */
int gml_handle_get(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		   gml_ino ino, struct gml_inode *out);
/* The same for what needs a name whoever has it open, and whatever op->found says: directories, LINK.
 * STALE, ACCESS. */
int gml_handle_get_named(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			 struct gml_inode *out);
/* ACCESS unless the caller may search the root of the inode's bucket. The roots themselves pass, for
 * a refused caller as well: a client that is refused the attributes of what it has mounted takes
 * them for STALE, and tells that to its users. */
int gml_handle_search(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode);
/* gml_handle_get in a snapshot of its own: scalars only. No blocking. */
int gml_handle_read(const struct gml_op *op, struct gml_store *store, gml_ino ino,
		    struct gml_inode *out);

#endif
