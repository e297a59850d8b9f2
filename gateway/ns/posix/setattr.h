// SPDX-License-Identifier: Apache-2.0
/* Changes of attributes, as creates and opens use them. */
#ifndef GML_NS_POSIX_SETATTR_H
#define GML_NS_POSIX_SETATTR_H

#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/iam/acl.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "open_inode.h"

/* The mode that a create asks for; `set` may be NULL. Pure. */
struct gml_new_mode gml_setattr_new_mode(const struct gml_setattr *set, bool directory);
/* The other attributes that a create sets on a fresh inode, which belongs to the caller; `set` may
 * be NULL. PERM, FBIG, INVAL, and of an ACL NOTSUP, TOOBIG. */
int gml_setattr_new(struct gml_txn *txn, const struct gml_op *op, const struct gml_setattr *set,
		    struct gml_inode *inode);

/* Truncate to 0 for an open that says so: needs `w`. */
int gml_inode_empty(struct gml_op *op, struct gml_store *store, struct gml_open_inode *open_inode);

#endif
