// SPDX-License-Identifier: Apache-2.0
/* The one decision: may these credentials do this to that inode? */
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/record/record.h"
#include "access.h"

bool gml_cred_in_group(const struct gml_cred *cred, uint32_t gid)
{
	if (cred->gid == gid)
		return true;
	for (uint32_t i = 0; i < cred->ngroups && i < GML_GROUPS_MAX; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

bool gml_access_owner(const struct gml_op *op, const struct gml_inode *inode)
{
	return !op->refused && (op->cred.uid == 0 || op->cred.uid == inode->uid);
}

unsigned gml_access_mask(const struct gml_op *op, const struct gml_inode *inode)
{
	if (op->refused)
		return 0;
	if (op->cred.uid == 0) {
		bool exec = inode->type != GML_REG || (inode->mode & 0111) != 0;
		return GML_MAY_READ | GML_MAY_WRITE | (exec ? GML_MAY_EXEC : 0);
	}
	if (op->cred.uid == inode->uid)
		return inode->mode >> 6 & 7;
	if (gml_cred_in_group(&op->cred, inode->gid))
		return inode->mode >> 3 & 7;
	return inode->mode & 7;
}

int gml_access_check(const struct gml_op *op, const struct gml_inode *inode, unsigned want)
{
	if (op->refused)
		return GML_ERR_ACCESS;
	if ((want & GML_MAY_WRITE) && op->read_only)
		return GML_ERR_ROFS;
	return (gml_access_mask(op, inode) & want) == want ? 0 : GML_ERR_ACCESS;
}

int gml_access_remove(const struct gml_op *op, const struct gml_inode *dir,
		      const struct gml_inode *child)
{
	int rc = gml_access_check(op, dir, GML_MAY_WRITE | GML_MAY_EXEC);
	if (rc != 0)
		return rc;
	if ((dir->mode & S_ISVTX) && !gml_access_owner(op, dir) && !gml_access_owner(op, child))
		return GML_ERR_PERM;
	return 0;
}
