// SPDX-License-Identifier: Apache-2.0
/* The way to an inode by mode bits and ACLs. Over NFS a policy may lead into a directory that has
 * no `x` for the caller, and handles lead anywhere: what is below must not be open by its mode. */
#ifndef GML_IAM_WAY_H
#define GML_IAM_WAY_H

#include <gemel/op.h>
#include "gateway/meta/record/record.h"

/* Has each directory of one path of the inode `x` for the caller? Of the root of a bucket, of an
 * inode that has lost its names and of one that is not stored yet: yes. CORRUPT, IO: nothing is
 * known, and *open_out is false. Threads: any. Blocks: no. Durability: none. */
int gml_way_open(struct gml_txn *txn, const struct gml_principal *principal,
		 const struct gml_inode *inode, bool *open_out);

#endif
