// SPDX-License-Identifier: Apache-2.0
/* Attributes that a new inode keeps of the file that it replaces.
 *
 * `aws s3 cp new s3://b/f` over a file that NFS made is meant as `cp new f`: the bytes change, and
 * the file keeps its owner. So if the caller may write the replaced inode, its owner, group, mode,
 * ACL and user xattrs stay; S3's own headers, metadata and tags come with the new content. For a
 * caller with only w+x on the directory it acts as `mv new f`: the new inode is the caller's. The
 * inode is a new one in either case: readers of the old content and its other names keep the old
 * one. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/span.h"
#include "gateway/base/assert.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/inode_acl.h"
#include "gateway/ns/posix/inode.h"
#include "gateway/ns/posix/xattr.h"
#include "keep.h"
#include "object_meta.h"
#include "publish.h"

#define KEEP_S3 "user.s3." /* belongs to the content */

bool gml_keep_wanted(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *old)
{
	/* The name may be replaced: this asks about the inode alone. */
	return old->type == GML_REG && gml_may_inode(txn, op, GML_ACTION_WRITE, old, false) == 0;
}

static bool keep_is_s3(struct gml_span name)
{
	return gml_span_starts(name, gml_span_of(KEEP_S3, sizeof(KEEP_S3) - 1));
}

/* ---- the replaced inode's xattrs, copied before the first write: spans of the transaction end
 * with it */

/* `data` has, one after the other: this, the name, the value. */
struct keep_head {
	uint32_t name_len, value_len;
};

struct gml_kept {
	size_t cap, used;
	char data[];
};

/* The attributes of the new inode. */
struct keep_sum {
	size_t count, total, names; /* names: what listxattr(2) returns, each with a NUL */
	size_t kept;		    /* bytes of `data` */
	bool is_kept;		    /* what is counted is kept, not attached */
	struct gml_span damaged;    /* a name that no client can have set */
};

static bool keep_sum_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct keep_sum *sum = arg;
	if (sum->is_kept && keep_is_s3(name))
		return true;
	if (sum->is_kept && name.len > GML_XATTR_NAME_MAX) {
		sum->damaged = name;
		return false;
	}
	if (sum->is_kept)
		sum->kept += sizeof(struct keep_head) + name.len + value.len;
	sum->count++;
	sum->total += name.len + value.len;
	if (name.len <= GML_XATTR_NAME_MAX)
		sum->names += name.len + 1;
	return true;
}

static bool keep_copy_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct gml_kept *kept = arg;
	struct keep_head head = {(uint32_t)name.len, (uint32_t)value.len};
	char *at = kept->data + kept->used;
	if (keep_is_s3(name))
		return true;
	if (sizeof(head) + name.len + value.len > kept->cap - kept->used)
		return false;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), name.ptr, name.len);
	if (value.len > 0)
		memcpy(at + sizeof(head) + name.len, value.ptr, value.len);
	kept->used += sizeof(head) + name.len + value.len;
	return true;
}

static int keep_copy(struct gml_txn *txn, struct gml_publish *pub, size_t size)
{
	int rc;
	pub->kept = malloc(sizeof(*pub->kept) + size);
	if (pub->kept == NULL)
		return GML_ERR_NOMEM;
	pub->kept->cap = size;
	pub->kept->used = 0;
	rc = gml_rec_xattr_each(txn, pub->old.ino, gml_span_of(NULL, 0), keep_copy_each, pub->kept);
	/* The transaction sees the same records as when they were counted. */
	gml_assert(rc != 0 || pub->kept->used == size);
	return rc;
}

int gml_keep_prepare(struct gml_txn *txn, struct gml_publish *pub,
		     const struct gml_object_meta *attach)
{
	struct keep_sum sum = {.is_kept = true};
	int rc;
	gml_assert(txn == pub->path.txn &&
		   (pub->replaces || !pub->keeps)); /* checked in this run */
	gml_keep_release(pub);			    /* the closure's run before this one */
	if (!pub->keeps)
		return 0;
	rc = gml_inode_acl_copy(txn, &pub->old, &pub->kept_acl);
	if (rc != 0 || !(pub->old.flags & GML_INODE_XATTRS))
		return rc;
	rc = gml_rec_xattr_each(txn, pub->old.ino, gml_span_of(NULL, 0), keep_sum_each, &sum);
	if (rc == 0 && sum.damaged.len > 0)
		rc = gml_txn_corrupt(txn, GML_TABLE_XATTR, sum.damaged);
	sum.is_kept = false;
	if (rc == 0 && attach->pairs.len > 0)
		rc = gml_rec_pairs_each(attach->pairs, keep_sum_each, &sum);
	if (rc != 0 || sum.kept == 0)
		return rc;
	if (sum.count > GML_XATTR_COUNT_MAX || sum.total > GML_XATTR_TOTAL_MAX ||
	    sum.names > GML_XATTR_NAMES_MAX)
		return GML_ERR_XATTRFULL;
	return keep_copy(txn, pub, sum.kept);
}

void gml_keep_release(struct gml_publish *pub)
{
	free(pub->kept);
	pub->kept = NULL;
}

static int keep_put(struct gml_txn *txn, const struct gml_kept *kept, struct gml_inode *inode)
{
	struct gml_line line;
	int rc = gml_rec_line_of(txn, inode->bucket, &line);
	for (size_t at = 0; rc == 0 && at < kept->used;) {
		const char *name = kept->data + at + sizeof(struct keep_head);
		struct keep_head head;
		memcpy(&head, kept->data + at, sizeof(head));
		gml_assert(at + sizeof(head) + head.name_len + head.value_len <= kept->used);
		rc = gml_rec_xattr_put(txn, &line, inode->ino, gml_span_of(name, head.name_len),
				       gml_span_of(name + head.name_len, head.value_len));
		at += sizeof(head) + head.name_len + head.value_len;
	}
	inode->flags |= GML_INODE_XATTRS;
	return rc;
}

int gml_keep_apply(struct gml_txn *txn, const struct gml_publish *pub, struct gml_inode *inode)
{
	const struct gml_inode *old = &pub->old;
	gml_assert(inode->nlink == 0 && !gml_ino_equal(inode->ino, old->ino));
	if (!pub->keeps)
		return 0;
	inode->uid = old->uid;
	inode->gid = old->gid;
	gml_inode_acl_keep(inode, pub->kept_acl, old->mode);
	if (!gml_keeps_setid(&pub->op->principal))
		gml_inode_strip(inode);
	return pub->kept != NULL ? keep_put(txn, pub->kept, inode) : 0;
}
