// SPDX-License-Identifier: Apache-2.0
/* The gate for inode numbers that came from a handle. */
#ifndef GML_NS_POSIX_HANDLE_H
#define GML_NS_POSIX_HANDLE_H

#include <gemel/action.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

/* The inode, if it is still the one of the handle, and whether it is barred: the caller may not
 * search its bucket's root (docs/adr/0008). Decides nothing: callers of this function call
 * gml_authorize. STALE: it is freed, or it has no name any more and op's client does not have it
 * open. AGAIN: the same while op->handle.recovering. Roots are never barred, also for a refused
 * caller: a client that is refused the attributes of its mount point reports STALE to its users.
 * Any transaction; takes a shard's lock (open_inode.h) for an inode without a name. */
int gml_handle_look(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		    gml_ino ino, struct gml_inode *out, bool *barred_out);
/* The same for operations that need a name in any case: directories, LINK. STALE. */
int gml_handle_look_named(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			  struct gml_inode *out, bool *barred_out);
/* gml_handle_look, and that the caller may do `action`: gml_authorize's answers. */
int gml_handle_get(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		   gml_ino ino, enum gml_action action, struct gml_inode *out);
/* gml_handle_get in a snapshot of its own: scalars only. No blocking. */
int gml_handle_read(const struct gml_op *op, struct gml_store *store, gml_ino ino,
		    enum gml_action action, struct gml_inode *out);

#endif
