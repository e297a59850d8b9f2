// SPDX-License-Identifier: Apache-2.0
/* Attributes that a new inode keeps of the one that it replaces. */
#ifndef GML_NS_OBJECT_KEEP_H
#define GML_NS_OBJECT_KEEP_H

#include <gemel/op.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "object_meta.h"
#include "publish.h"

/* May the caller write the replaced inode? Then the new one has its owner, group, mode, ACL, and
 * xattrs other than S3's. */
bool gml_keep_wanted(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *old);
/* Before the closure's first write, in every run of it: copies the ACL that is kept to
 * pub->kept_acl, and the xattrs to pub->kept, which the caller releases when the update is over,
 * whatever its result. XATTRFULL: together with the attached ones the xattrs exceed the limits of
 * an inode (GML_XATTR_COUNT_MAX, GML_XATTR_TOTAL_MAX, names as listxattr(2) can return them).
 * CORRUPT: one is longer than it can be. NOMEM. */
int gml_keep_prepare(struct gml_txn *txn, struct gml_publish *pub,
		     const struct gml_object_meta *attach);
/* Write transaction: gives the new inode the kept attributes (setuid and setgid are cleared as by
 * write(2)); its xattrs are put, the inode is the caller's to put. NOMEM as any put of a record. */
int gml_keep_apply(struct gml_txn *txn, const struct gml_publish *pub, struct gml_inode *inode);
void gml_keep_release(struct gml_publish *pub); /* zeroed is fine */

#endif
