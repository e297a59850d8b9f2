// SPDX-License-Identifier: Apache-2.0
/* The ACLs of inodes, and the modes that go with them. */
#include <string.h>
#include <gemel/acl.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/iam/acl.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "inode_acl.h"

#define ACL_MODE ((uint32_t)0777)

_Static_assert(GML_ACL_BYTES_MAX <= GML_REC_ACL_MAX, "every ACL fits into a record");

/* The encoded ACL. What was read with the inode may have ended with a write (meta/engine.h,
 * invariant 3), so it is read anew. */
static int acl_bytes(struct gml_txn *txn, const struct gml_inode *inode, struct gml_span *out)
{
	struct gml_inode stored;
	int rc;
	*out = inode->acl;
	if (inode->acl.len == 0 || inode->acl_is_ours)
		return 0;
	rc = gml_rec_inode_get(txn, inode->ino, &stored);
	if (rc == 0)
		*out = stored.acl;
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

int gml_inode_acl_get(struct gml_txn *txn, const struct gml_inode *inode, struct gml_acl *out)
{
	struct gml_span bytes;
	int rc = acl_bytes(txn, inode, &bytes);
	if (rc == 0 && bytes.len != 0)
		return gml_acl_decode(bytes, out);
	if (rc == 0)
		gml_acl_of_mode(inode->mode, inode->type == GML_DIR, out);
	return rc;
}

static int acl_memory(struct gml_txn *txn, const void *bytes, size_t len, struct gml_span *out)
{
	void *copy = gml_txn_memory(txn, len);
	if (copy == NULL)
		return GML_ERR_NOMEM;
	memcpy(copy, bytes, len);
	*out = (struct gml_span){copy, len};
	return 0;
}

int gml_inode_acl_set(struct gml_txn *txn, struct gml_inode *inode, const struct gml_acl *acl)
{
	uint32_t mode = (inode->mode & ~ACL_MODE) | gml_acl_mode(acl);
	uint8_t bytes[GML_ACL_BYTES_MAX];
	struct gml_span kept = {NULL, 0};
	int rc = 0;
	if (!gml_acl_says_mode(acl, inode->type == GML_DIR))
		rc = acl_memory(txn, bytes, gml_acl_encode(acl, bytes), &kept);
	if (rc == 0)
		gml_inode_acl_keep(inode, kept, mode);
	return rc;
}

int gml_inode_acl_chmod(struct gml_txn *txn, struct gml_inode *inode, uint32_t mode)
{
	struct gml_acl acl, changed;
	int rc;
	if (inode->acl.len == 0) {
		inode->mode = (inode->mode & ~ACL_MODE) | (mode & ACL_MODE);
		return 0;
	}
	rc = gml_inode_acl_get(txn, inode, &acl);
	if (rc != 0)
		return rc;
	gml_acl_chmod(&acl, mode, inode->type == GML_DIR, &changed);
	return gml_inode_acl_set(txn, inode, &changed);
}

int gml_inode_acl_inherit(struct gml_txn *txn, const struct gml_inode *dir,
			  const struct gml_new_mode *mode, struct gml_inode *inode)
{
	struct gml_acl acl, heritage;
	int rc = gml_inode_acl_get(txn, dir, &acl);
	if (rc != 0 || !gml_acl_inherit(&acl, mode, inode->type == GML_DIR, &heritage))
		return rc;
	return gml_inode_acl_set(txn, inode, &heritage);
}

int gml_inode_acl_copy(struct gml_txn *txn, const struct gml_inode *inode, struct gml_span *out)
{
	struct gml_span bytes;
	int rc = acl_bytes(txn, inode, &bytes);
	*out = (struct gml_span){NULL, 0};
	return rc == 0 && bytes.len != 0 ? acl_memory(txn, bytes.ptr, bytes.len, out) : rc;
}

void gml_inode_acl_keep(struct gml_inode *inode, struct gml_span acl, uint32_t mode)
{
	inode->acl = acl;
	inode->acl_is_ours = true;
	inode->mode = mode;
}

bool gml_inode_acl_fits(const struct gml_inode *inode)
{
	struct gml_acl acl;
	if (inode->acl.len == 0)
		return true;
	return gml_acl_decode(inode->acl, &acl) == 0 &&
	       gml_acl_mode(&acl) == (inode->mode & ACL_MODE) &&
	       !gml_acl_says_mode(&acl, inode->type == GML_DIR);
}
