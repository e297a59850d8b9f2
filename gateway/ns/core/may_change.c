// SPDX-License-Identifier: Apache-2.0
/* What keeps an inode from being changed in place. */
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/record/record.h"
#include "may_change.h"

int gml_may_change(const struct gml_op *op, const struct gml_inode *inode, enum gml_change change)
{
	(void)op; /* so far it binds everybody */
	switch (change) {
	case GML_CHANGE_BYTES:
	case GML_CHANGE_SIZE:
		if (inode->type == GML_REG)
			return 0;
		return inode->type == GML_DIR ? GML_ERR_ISDIR : GML_ERR_INVAL;
	case GML_CHANGE_XATTRS:
	case GML_CHANGE_TAGS:
		return inode->type == GML_REG || inode->type == GML_DIR ? 0 : GML_ERR_PERM;
	case GML_CHANGE_ATTRS:
		return 0;
	}
	return GML_ERR_INVAL;
}
