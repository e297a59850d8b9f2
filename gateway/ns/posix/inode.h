// SPDX-License-Identifier: Apache-2.0
/* Inodes as the core itself reads them. */
#ifndef GML_NS_POSIX_INODE_H
#define GML_NS_POSIX_INODE_H

#include <gemel/types.h>
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

/* The inode as the store has it now, scalars only: its spans ended with the snapshot. For the core's
 * own use: asks no rights (gml_handle_read does). STALE. No blocking. */
int gml_inode_read(struct gml_store *store, gml_ino ino, struct gml_inode *out);
/* What a write by others than root and a change of owner take from the mode: setuid, and setgid
 * where it means more than mandatory locking. */
void gml_inode_strip(struct gml_inode *inode);

#endif
