// SPDX-License-Identifier: Apache-2.0
/* Grants of S3 that new objects and buckets get, inside a transaction. */
#ifndef GML_NS_OBJECT_GRANTS_H
#define GML_NS_OBJECT_GRANTS_H

#include <gemel/grant.h>
#include "gateway/meta/engine.h"
#include "publish.h"

/* In gml_publish_check: may the new object get pub->grants? NOACL, ACCESS. Nothing is read where
 * the request has none and nothing with an ACL is replaced. */
int gml_publish_may_grant(struct gml_txn *txn, struct gml_publish *pub);
/* In the same closure, when the new inode has its owner: the grants of the request; else, in place
 * of a file with an ACL, those of the canned ACL `private`. What S3 does not show of the latter
 * stays. Where the bucket's owner is preferred, a new object may become its own. */
int gml_publish_grant(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *inode);

/* The ACL of a new inode with that mode and these grants, in a bucket of `bucket_uid`. TOOBIG. */
int gml_grants_of_new(const struct gml_grants *grants, uint32_t mode, bool directory,
		      uint32_t bucket_uid, uint32_t owner, struct gml_acl *out);

#endif
