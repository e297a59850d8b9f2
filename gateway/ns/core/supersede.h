// SPDX-License-Identifier: Apache-2.0
/* The one place where a name loses its content.
 *
 * Every operation that takes an inode from a name comes here, through link.c: overwriting by PUT,
 * CopyObject and CompleteMultipartUpload, S3 DELETE, unlink and rmdir, rename over a name, the
 * removal of implicit directories that became empty and of buckets. The fate of the inode is
 * decided here and nowhere else. */
#ifndef GML_NS_CORE_SUPERSEDE_H
#define GML_NS_CORE_SUPERSEDE_H

#include <stdint.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* Why. */
enum gml_supersede {
	GML_SUPERSEDE_REPLACED = 1, /* a new inode takes the key: PUT, copy, completed upload */
	GML_SUPERSEDE_REMOVED,	    /* S3 DELETE, unlink, rmdir */
	GML_SUPERSEDE_RENAMED_OVER, /* an inode that had another name takes this one */
	GML_SUPERSEDE_PRUNED,	    /* an implicit directory is removed with its last entry */
	GML_SUPERSEDE_BUCKET,	    /* a bucket's root directory */
};

/* What a change adds to a bucket's usage. */
struct gml_usage {
	int64_t bytes, objects;
};

struct gml_link; /* link.h */
/* `inode` is no longer what `link` names: its row is gone, or denotes another inode by now. It
 * loses one link; an inode that has no other name becomes an orphan, which the reaper frees. Puts
 * the inode, whose spans are stale then; adds the loss of its bucket to *usage. `link->op` may do
 * this (checked before). CORRUPT: the inode had no name. Write transactions. Only link.c calls
 * it. */
int gml_supersede(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode,
		  struct gml_usage *usage);

#endif
