/* What new content keeps of the file whose name it takes.
 *
 * `aws s3 cp new s3://b/f` over a file that NFS made is meant as `cp new f`: the bytes change, and the file stays whose
 * it was. So who may write the old file leaves its owner, group, mode and user xattrs as they are; S3's own headers,
 * metadata and tags come with the new content. Who may only take the name away (w+x on the directory) does what
 * `mv new f` does: the file becomes the caller's. The inode is a new one in either case: readers of the old content and its
 * other names keep it. */
#include <stdlib.h>
#include "objects.h"

#define KEEP_S3 "user.s3." /* belongs to the content */

bool gml_keep_wanted(const struct gml_op *op, const struct gml_inode *old)
{
	return old->type == GML_REG &&
	       (gml_access_owner(op, old) || gml_access_check(op, old, GML_MAY_WRITE) == 0);
}

static bool keep_is_s3(struct gml_span name)
{
	return gml_span_starts(name, gml_span_of(KEEP_S3, sizeof(KEEP_S3) - 1));
}

/* Of the names, each with the NUL that listxattr(2) puts behind it. */
struct keep_sum {
	size_t bytes;
	bool kept; /* only what is kept counts */
};

static bool keep_sum_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct keep_sum *sum = arg;
	(void)value;
	if (name.len <= GML_XATTR_NAME_MAX && !(sum->kept && keep_is_s3(name)))
		sum->bytes += name.len + 1;
	return true;
}

int gml_keep_check(struct gml_txn *txn, const struct gml_publish *pub, const struct gml_attach *attach)
{
	struct keep_sum sum = {.kept = true};
	int rc;
	if (!pub->keeps || !(pub->old.flags & GML_INODE_XATTRS))
		return 0;
	rc = gml_rec_xattr_each(txn, pub->old.ino, gml_span_of(NULL, 0), keep_sum_each, &sum);
	sum.kept = false;
	if (rc == 0 && attach->pairs.len > 0)
		rc = gml_rec_pairs_each(attach->pairs, keep_sum_each, &sum);
	if (rc != 0)
		return rc;
	return sum.bytes > GML_XATTR_NAMES_MAX ? GML_ERR_TOOBIG : 0;
}

/* One attribute, copied: the transaction's spans end with the next put. */
struct keep_one {
	bool found;
	size_t name_len, value_len;
	char name[GML_XATTR_NAME_MAX];
	char value[GML_XATTR_VALUE_MAX];
};

static bool keep_next_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct keep_one *one = arg;
	if (keep_is_s3(name))
		return true;
	one->found = name.len <= sizeof(one->name) && value.len <= sizeof(one->value);
	if (!one->found)
		return false;
	one->name_len = name.len;
	one->value_len = value.len;
	memcpy(one->name, name.ptr, name.len);
	if (value.len > 0)
		memcpy(one->value, value.ptr, value.len);
	return false;
}

static int keep_xattrs(struct gml_txn *txn, const struct gml_inode *old, struct gml_inode *inode)
{
	struct keep_one *one = malloc(sizeof(*one));
	struct gml_span after = gml_span_of(NULL, 0);
	int rc = one == NULL ? GML_ERR_NOMEM : 0;
	while (rc == 0) {
		one->found = false;
		rc = gml_rec_xattr_each(txn, old->ino, after, keep_next_each, one);
		if (rc != 0 || !one->found)
			break;
		after = gml_span_of(one->name, one->name_len);
		rc = gml_rec_xattr_put(txn, inode->ino, after, gml_span_of(one->value, one->value_len));
		inode->flags |= GML_INODE_XATTRS;
	}
	free(one);
	return rc;
}

int gml_keep_apply(struct gml_txn *txn, const struct gml_publish *pub, struct gml_inode *inode)
{
	const struct gml_inode *old = &pub->old;
	if (!pub->keeps)
		return 0;
	inode->uid = old->uid;
	inode->gid = old->gid;
	inode->mode = old->mode;
	if (pub->op->cred.uid != 0)
		gml_inode_strip(inode);
	return old->flags & GML_INODE_XATTRS ? keep_xattrs(txn, old, inode) : 0;
}
