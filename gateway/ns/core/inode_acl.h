// SPDX-License-Identifier: Apache-2.0
/* The ACLs of inodes, and the modes that go with them, inside a transaction.
 *
 * An inode with an ACL has the low nine mode bits that the ACL gives. Only this file and
 * gml_inode_init set either of an inode that has one. Errors: NOMEM, CORRUPT (an ACL that cannot be
 * read). */
#ifndef GML_NS_CORE_INODE_ACL_H
#define GML_NS_CORE_INODE_ACL_H

#include <gemel/acl.h>
#include "gateway/iam/acl.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* The ACL; of an inode without one, the ACL that says its mode. Any transaction. */
int gml_inode_acl_get(struct gml_txn *txn, const struct gml_inode *inode, struct gml_acl *out);

/* Write transactions; the inode is the caller's to save. */
/* Sets ACL and mode (RFC 8881 6.4.1.2). gml_acl_check passed. One that says a mode is not kept. */
int gml_inode_acl_set(struct gml_txn *txn, struct gml_inode *inode, const struct gml_acl *acl);
/* Sets the low nine mode bits, and the ACL by them (6.4.1.1). */
int gml_inode_acl_chmod(struct gml_txn *txn, struct gml_inode *inode, uint32_t mode);
/* A new inode gets its heritage from `dir`, which has an ACL. */
int gml_inode_acl_inherit(struct gml_txn *txn, const struct gml_inode *dir,
			  const struct gml_new_mode *mode, struct gml_inode *inode);
/* The encoded ACL of `inode` in memory of the closure; empty: it has none. For another inode, in
 * which gml_inode_acl_keep puts it together with the mode. */
int gml_inode_acl_copy(struct gml_txn *txn, const struct gml_inode *inode, struct gml_span *out);
void gml_inode_acl_keep(struct gml_inode *inode, struct gml_span acl, uint32_t mode);

/* Can the ACL of an inode whose spans are valid be read, does it say more than a mode, and is the
 * inode's mode the one that it gives? Pure. */
bool gml_inode_acl_fits(const struct gml_inode *inode);

#endif
