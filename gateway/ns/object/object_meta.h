// SPDX-License-Identifier: Apache-2.0
/* Headers, metadata and tags of an object, in encoded form. */
#ifndef GML_NS_OBJECT_OBJECT_META_H
#define GML_NS_OBJECT_OBJECT_META_H

#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

#define GML_OBJECT_HEADERS_MAX 8192
#define GML_OBJECT_PAIRS_MAX 65536
#define GML_OBJECT_META_PREFIX "user.s3.meta."
#define GML_TAGS_MAX 10	       /* tags of an object */
#define GML_TAG_NAME_MAX 512   /* bytes: 128 characters of up to 4 */
#define GML_TAG_VALUE_MAX 1024 /* bytes: 256 characters of up to 4 */

/* In encoded form, on the heap: for a closure that attaches them to an inode, and for the record of
 * an upload. */
struct gml_object_meta {
	void *buf;
	struct gml_span headers, pairs; /* into buf; pairs: whole xattr names and values */
};
/* From a request; `attrs` NULL: nothing. TOOBIG (metadata, tags or headers over their limits),
 * INVAL (an empty name, or one with a NUL), NOMEM. On failure *out is empty. */
int gml_object_meta_build(const struct gml_object_new *attrs, struct gml_object_meta *out);
/* From an inode (COPY): its headers but for the redirection and the storage class, S3 metadata and
 * tags. Errors also: TOOBIG for more than 64 KiB of pairs. */
int gml_object_meta_copy(struct gml_txn *txn, const struct gml_inode *inode,
			 struct gml_object_meta *out);
/* From an upload's record: copies the spans. */
int gml_object_meta_dup(struct gml_span headers, struct gml_span pairs,
			struct gml_object_meta *out);
/* Write transaction: the xattrs are put, inode->headers and flags set (borrowed from the attach;
 * the caller puts). */
int gml_object_meta_apply(struct gml_txn *txn, const struct gml_object_meta *attach,
			  struct gml_inode *inode);
/* Are there tags among the pairs? CORRUPT. */
int gml_object_meta_tagged(const struct gml_object_meta *attach, bool *out);
void gml_object_meta_release(struct gml_object_meta *attach); /* zeroed is fine */

#endif
