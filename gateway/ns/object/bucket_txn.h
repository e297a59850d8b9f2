// SPDX-License-Identifier: Apache-2.0
/* Buckets inside a write transaction: shared by CreateBucket, DeleteBucket, and mkdir and remove in
 * the namespace root. All check everything before they write. */
#ifndef GML_NS_BUCKET_TXN_H
#define GML_NS_BUCKET_TXN_H

#include <gemel/action.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/iam/acl.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

#define GML_BUCKET_MODE 0700 /* default mode of a root directory */

/* Of a new bucket's root directory. */
struct gml_bucket_root {
	struct gml_new_mode mode;
	uint32_t uid, gid;
	const struct gml_acl *acl; /* NULL: none is asked for */
};
/* Create bucket `name` (without slash), whose owner is the root's. The rights are those of
 * bucket.h. BUCKETNAME, BUCKETOWNED, BUCKETEXISTS, ACCESS, ROFS; NOTSUP, INVAL, TOOBIG of the ACL.
 * *root_out: its root directory as stored (spans borrowed until the next write). */
int gml_bucket_txn_create(struct gml_txn *txn, const struct gml_op *op, struct gml_span name,
			  const struct gml_bucket_root *root, struct gml_inode *root_out);
/* Remove it. NOBUCKET, NOTEMPTY (also while an upload is unfinished), ACCESS, ROFS. Its root
 * becomes an orphan. */
int gml_bucket_txn_remove(struct gml_txn *txn, const struct gml_op *op, struct gml_span name);
/* `entry`, which the namespace root has under the stored name `name`, gets the view that the record
 * of the bucket says. Any transaction. CORRUPT: there is no such bucket, or it has another root. */
int gml_bucket_txn_entry(struct gml_txn *txn, struct gml_span name, struct gml_dirent *entry);
/* The root directory of a bucket got another owner: the bucket as well. NOENT when `root` is no
 * bucket's root. */
int gml_bucket_txn_chown(struct gml_txn *txn, gml_ino root, uint32_t uid);
/* May the caller do this to the bucket? `root`: its root directory, of rule SEEN (gemel/action.h);
 * else NULL. gml_authorize's answers. */
int gml_bucket_txn_may(struct gml_txn *txn, const struct gml_op *op, enum gml_action action,
		       const struct gml_bucket_rec *rec, const struct gml_inode *root);

#endif
