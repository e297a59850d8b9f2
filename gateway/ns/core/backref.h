// SPDX-License-Identifier: Apache-2.0
/* All names of a file.
 *
 * Invariants
 *  1. An inode with one name, and each directory, has the name and its parent in its own record,
 *     and no row in table LINK.
 *  2. A file with several names has a row in table LINK for each, and none in its own record. */
#ifndef GML_NS_CORE_BACKREF_H
#define GML_NS_CORE_BACKREF_H

#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* The file gets one name more, with that cookie in that directory; nlink is still what it was, at
 * least 1. The second name brings a row for the first, too. Write transactions. CORRUPT: the first
 * name is not where the inode says. */
int gml_backref_add(struct gml_txn *txn, const struct gml_line *line, const struct gml_inode *inode,
		    gml_ino parent, uint64_t cookie);
/* The name with that cookie went from the file; nothing to do when it was the only one, or for a
 * directory. Write transactions. CORRUPT: it was not one of its names. */
int gml_backref_remove(struct gml_txn *txn, const struct gml_line *line,
		       const struct gml_inode *inode, gml_ino parent, uint64_t cookie);
/* One name is left, nlink is 1: takes it from table LINK into the inode's record, and puts that
 * (see gml_inode_save). Write transactions. CORRUPT: not one row is left. */
int gml_backref_single(struct gml_txn *txn, struct gml_inode *inode);

#endif
