// SPDX-License-Identifier: Apache-2.0
/* Reading inodes for the core itself. */
#ifndef GML_NS_POSIX_INODE_H
#define GML_NS_POSIX_INODE_H

#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

/* The inode as the store has it now, scalars only: its spans ended with the snapshot. For the
 * core's own use: checks no rights (gml_handle_read does). STALE. No blocking. */
int gml_inode_read(struct gml_store *store, gml_ino ino, struct gml_inode *out);
/* The listing of the root depends on the caller and on policies, and users of one client must not
 * share a cached listing: so does its change attribute. For every answer that may be about the
 * root. No blocking. */
void gml_inode_attr_for(const struct gml_op *op, const struct gml_store *store,
			struct gml_attr *out);
/* The mode bits that a write by others than root, or a change of owner, clears: setuid, and setgid
 * where it means more than mandatory locking. */
void gml_inode_strip(struct gml_inode *inode);

#endif
