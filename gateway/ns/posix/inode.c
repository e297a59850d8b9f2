// SPDX-License-Identifier: Apache-2.0
/* Operations on an inode that change nothing in the store. */
#include <string.h>
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/iam/authorize.h"
#include "gateway/iam/epoch.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "dir.h"
#include "handle.h"
#include "gateway/ns/store/store.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/inode_acl.h"
#include "inode.h"

int gml_inode_read(struct gml_store *store, gml_ino ino, struct gml_inode *out)
{
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, ino, out);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
}

int gml_inode_find(struct gml_store *store, gml_ino ino, struct gml_attr *out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, ino, &inode);
	if (rc == 0)
		rc = gml_inode_attr(store, txn, &inode, out);
	else if (rc == GML_ERR_NOENT)
		rc = GML_ERR_STALE;
	gml_meta_read_end(txn);
	return rc;
}

void gml_inode_strip(struct gml_inode *inode)
{
	inode->mode &= ~(uint32_t)(S_ISUID | (inode->mode & S_IXGRP ? S_ISGID : 0));
}

static void inode_attr_own(const struct gml_op *op, const struct gml_store *store,
			   struct gml_attr *out)
{
	out->change ^= op->principal.cred.uid * UINT64_C(0x9e3779b97f4a7c15) ^
		       gml_access_epoch_now(store->access_epoch) * UINT64_C(0xd1342543de82ef95);
}

void gml_inode_attr_for(const struct gml_op *op, const struct gml_store *store,
			struct gml_attr *out)
{
	if (gml_ino_equal(out->ino, GML_INO_ROOT))
		inode_attr_own(op, store, out);
}

/* The ACL, if the caller may see it: else an empty one. */
static int inode_acl_shown(struct gml_txn *txn, const struct gml_op *op,
			   const struct gml_inode *inode, bool barred, struct gml_acl *out)
{
	int rc = gml_may_inode(txn, op, GML_ACTION_GET_ACL, inode, barred);
	if (rc == 0)
		return gml_inode_acl_get(txn, inode, out);
	out->count = 0;
	return rc == GML_ERR_ACCESS ? 0 : rc;
}

/* acl_out NULL: not asked for. */
static int inode_getattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
			 struct gml_attr *out, struct gml_acl *acl_out)
{
	bool barred, ways = false;
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_handle_look(txn, op, store, ino, &inode, &barred);
	if (rc == 0)
		rc = gml_may_inode(txn, op, GML_ACTION_GETATTR, &inode, barred);
	if (rc == 0)
		rc = gml_inode_attr(store, txn, &inode, out);
	if (rc == 0 && acl_out != NULL)
		rc = inode_acl_shown(txn, op, &inode, barred, acl_out);
	if (rc == 0 && inode.type == GML_DIR)
		ways = gml_dir_shows_ways(txn, op, &inode, barred);
	gml_meta_read_end(txn);
	if (rc == 0)
		gml_inode_attr_for(op, store, out);
	if (rc == 0 && ways)
		inode_attr_own(op, store, out);
	return rc;
}

int gml_inode_getattr(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_attr *out)
{
	return inode_getattr(op, store, ino, out, NULL);
}

int gml_inode_getattr_acl(struct gml_op *op, struct gml_store *store, gml_ino ino,
			  struct gml_attr *out, struct gml_acl *acl_out)
{
	return inode_getattr(op, store, ino, out, acl_out);
}

int gml_inode_acl(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_acl *out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_handle_get(txn, op, store, ino, GML_ACTION_GET_ACL, &inode);
	if (rc == 0)
		rc = gml_inode_acl_get(txn, &inode, out);
	gml_meta_read_end(txn);
	return rc;
}

int gml_inode_readlink(struct gml_op *op, struct gml_store *store, gml_ino ino, char *buf,
		       size_t cap, size_t *len_out)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_handle_get(txn, op, store, ino, GML_ACTION_READLINK, &inode);
	if (rc == 0 && inode.type != GML_LNK)
		rc = GML_ERR_INVAL;
	if (rc == 0 && inode.target.len > cap)
		rc = GML_ERR_TOOBIG;
	if (rc == 0) {
		memcpy(buf, inode.target.ptr, inode.target.len);
		*len_out = inode.target.len;
	}
	gml_meta_read_end(txn);
	return rc;
}

int gml_inode_access(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned want,
		     unsigned *granted_out)
{
	static const struct {
		unsigned bit;
		enum gml_action action;
	} rights[] = {{GML_MAY_READ, GML_ACTION_ACCESS_READ},
		      {GML_MAY_WRITE, GML_ACTION_ACCESS_WRITE},
		      {GML_MAY_EXEC, GML_ACTION_ACCESS_EXECUTE},
		      {GML_MAY_EXTEND, GML_ACTION_ACCESS_EXTEND},
		      {GML_MAY_DELETE, GML_ACTION_ACCESS_DELETE},
		      {GML_MAY_READ_ACL, GML_ACTION_GET_ACL}};
	struct gml_inode inode;
	struct gml_txn *txn;
	unsigned granted = 0;
	bool barred;
	int rc = gml_meta_read_begin(store->meta, &txn);
	gml_assert((want & ~(unsigned)GML_MAY_ALL) == 0);
	if (rc != 0)
		return rc;
	rc = gml_handle_look(txn, op, store, ino, &inode, &barred);
	if (rc == 0)
		rc = gml_may_inode(txn, op, GML_ACTION_GETATTR, &inode, barred);
	for (size_t i = 0; rc == 0 && i < sizeof(rights) / sizeof(rights[0]); i++)
		if ((want & rights[i].bit) &&
		    gml_may_inode(txn, op, rights[i].action, &inode, barred) == 0)
			granted |= rights[i].bit;
	gml_meta_read_end(txn);
	if (rc == 0)
		*granted_out = granted;
	return rc;
}
