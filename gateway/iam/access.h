// SPDX-License-Identifier: Apache-2.0
/* May these credentials do this to that inode? */
#ifndef GML_IAM_ACCESS_H
#define GML_IAM_ACCESS_H

#include <gemel/op.h>
#include "gateway/meta/record/record.h"

/* 0 if op's credentials have all of `want` (GML_MAY_*) on the inode, ROFS for writes under op->read_only, else ACCESS. */
int gml_access_check(const struct gml_op *op, const struct gml_inode *inode, unsigned want);
unsigned gml_access_mask(const struct gml_op *op,
			 const struct gml_inode *inode); /* all GML_MAY_* the caller has */
bool gml_access_owner(const struct gml_op *op, const struct gml_inode *inode); /* owner or uid 0 */
bool gml_cred_in_group(const struct gml_cred *cred, uint32_t gid);
/* Removing or replacing `child` in `dir`: w+x on dir, sticky bit (ACCESS, PERM). */
int gml_access_remove(const struct gml_op *op, const struct gml_inode *dir,
		      const struct gml_inode *child);

#endif
