// SPDX-License-Identifier: Apache-2.0
/* Files with several names in a directory that is renamed. */
#ifndef GML_NS_POSIX_RENAME_TREE_H
#define GML_NS_POSIX_RENAME_TREE_H

#include "gateway/iam/authorize.h"

/* May the caller bring the directory `dir` to `to`, a target by name, as far as that lets it do
 * more to files below that have other names elsewhere (gml_may_link)? Each of them gets a further
 * path in place of one that it had. ACCESS: no. XDEV: there are more names below than are looked
 * at; a client copies then. `barred` is of `dir`. In a transaction, before anything is written. As
 * gml_authorize otherwise. */
int gml_rename_tree_may(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
			bool barred, const struct gml_target *to);

#endif
