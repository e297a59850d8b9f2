// SPDX-License-Identifier: Apache-2.0
/* Writes to an open file. */
#ifndef GML_NS_POSIX_WRITE_H
#define GML_NS_POSIX_WRITE_H

#include <gemel/op.h>
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "open_inode.h"

/* Make everything written durable; no lock held. */
int gml_open_inode_sync(struct gml_store *store, struct gml_open_inode *open_inode);
/* Also the file with its name, if its bucket is relaxed: the promise of COMMIT. */
int gml_open_inode_commit(struct gml_store *store, struct gml_open_inode *open_inode);
/* DIRTY by this process, and *inode as it is then; `w`, quota for `end` bytes. Exclusive lock
 * held. */
int gml_write_ready(struct gml_op *op, struct gml_file *file, uint64_t end,
		    struct gml_inode *inode);
/* Remove the extents of the range, so that the write blob's bytes are visible there (`hole`:
 * zeros). They are durable already. DIRTY, exclusive lock held. */
int gml_open_inode_splice(struct gml_store *store, struct gml_open_inode *open_inode,
			  uint64_t wblob, uint64_t off, uint64_t len, bool hole);

#endif
