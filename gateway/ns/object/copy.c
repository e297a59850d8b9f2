// SPDX-License-Identifier: Apache-2.0
/* CopyObject: the target shares the source's blobs; only a file that is being written over NFS is
 * copied by bytes.
 *
 * The ETag of a copy: the source's, part count included, because the content is the same (S3
 * computes a plain MD5, which requires reading all of it). Opaque ETags are made from the inode, so
 * the copy of a file that NFS wrote has its own. Content that must be read anyway, for a checksum,
 * gets its MD5. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "keep.h"
#include "object_grants.h"
#include "object_meta.h"
#include "object_open.h"
#include "publish.h"
#include "put.h"
#include "reflink.h"
#include "scan.h"

#define COPY_TRIES 4

struct object_copy {
	struct gml_publish pub; /* the target */
	struct gml_object_ref ref;
	const struct gml_copy_options *options;
	struct gml_object_meta attach; /* REPLACE: given; COPY: taken in the closure */
	const struct gml_scan *scan;   /* digests of the content `etag`; NULL: not read */
	char etag[GML_ETAG_MAX + 1];
	struct gml_inode src, inode;
	bool directory;
	void *parts;
	struct gml_extent *extents;
	uint32_t nextents;
	struct gml_deferred_frees *freed;
};

/* May the tags in copy->attach that come from the source be copied? */
static int copy_may_tag(const struct object_copy *copy, const struct gml_path *source)
{
	bool tags = false;
	int rc = copy->options->attrs == NULL ? gml_object_meta_tagged(&copy->attach, &tags) : 0;
	if (rc != 0 || !tags)
		return rc;
	return gml_path_may(copy->pub.op, GML_ACTION_GET_OBJECT_TAGGING, source, &copy->src);
}

static int copy_source(struct gml_txn *txn, struct object_copy *copy, struct gml_path *path)
{
	struct gml_publish *pub = &copy->pub;
	struct gml_object_info info;
	int rc = gml_path_walk(txn, pub->op, &copy->ref, path);
	if (rc == 0) {
		rc = gml_path_object(txn, path, &copy->src, &copy->directory);
		if (rc == GML_ERR_NOENT)
			rc = gml_path_missing(pub->op, path);
	}
	if (rc == 0)
		rc = gml_path_may(pub->op, GML_ACTION_GET_OBJECT, path, &copy->src);
	if (rc == 0 && (copy->src.flags & GML_INODE_DIRTY))
		rc = GML_ERR_AGAIN; /* it is opened again, and its bytes are copied */
	if (rc != 0)
		return rc;
	gml_path_facts_of(&copy->src, copy->directory, NULL, &info);
	rc = gml_conditions_check(copy->options->src_cond, &info, true);
	if (rc == 0 && copy->scan != NULL && strcmp(info.etag, copy->etag) != 0)
		rc = GML_ERR_AGAIN;
	pub->size = info.size;
	return rc;
}

/* Copies that outlive the first write of the closure. */
static int copy_hold(struct gml_txn *txn, struct object_copy *copy)
{
	const struct gml_inode *src = &copy->src;
	int rc = 0;
	free(copy->extents);
	copy->extents = NULL;
	copy->nextents = 0;
	if (!copy->directory)
		rc = gml_reflink_slice(txn, src, 0, src->size, &copy->extents, &copy->nextents);
	if (rc != 0)
		return rc;
	if (copy->options->attrs == NULL) {
		gml_object_meta_release(&copy->attach);
		rc = gml_object_meta_copy(txn, src, &copy->attach);
	}
	free(copy->parts);
	copy->parts = NULL;
	if (rc != 0 || !(src->flags & GML_INODE_PARTS) || src->parts.len == 0)
		return rc;
	copy->parts = malloc(src->parts.len);
	if (copy->parts == NULL)
		return GML_ERR_NOMEM;
	memcpy(copy->parts, src->parts.ptr, src->parts.len);
	return 0;
}

static void copy_identity(const struct object_copy *copy, struct gml_inode *inode)
{
	const struct gml_inode *src = &copy->src;
	gml_assert(!(src->flags & GML_INODE_DIRTY) && !(inode->flags & GML_INODE_MD5));
	inode->size = copy->directory ? 0 : src->size;
	if (copy->directory) {
		static const uint8_t empty[16] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04,
						  0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e};
		memcpy(inode->md5, empty, sizeof(empty));
		inode->flags |= GML_INODE_MD5;
	} else if (src->flags & GML_INODE_MD5) {
		memcpy(inode->md5, src->md5, sizeof(inode->md5));
		inode->nparts = src->nparts;
		inode->flags |= GML_INODE_MD5;
	} else if (copy->scan != NULL) {
		memcpy(inode->md5, copy->scan->md5_value, sizeof(inode->md5));
		inode->flags |= GML_INODE_MD5;
	}
	if (copy->scan != NULL && copy->scan->value.algorithm != GML_CHECKSUM_NONE) {
		inode->checksum = copy->scan->value;
		return; /* the parts' checksums are of another kind: the copy is one part */
	}
	inode->checksum = src->checksum;
	if (copy->parts != NULL) {
		inode->parts = gml_span_of(copy->parts, src->parts.len);
		inode->flags |= GML_INODE_PARTS;
	}
}

static int copy_share_fn(struct gml_txn *txn, void *arg)
{
	struct object_copy *copy = arg;
	struct gml_path source;
	int rc;
	gml_deferred_frees_reset(copy->freed);
	rc = copy_source(txn, copy, &source);
	if (rc == 0)
		rc = gml_publish_check(txn, &copy->pub);
	if (rc == 0)
		rc = copy_hold(txn, copy);
	if (rc == 0)
		rc = copy_may_tag(copy, &source);
	if (rc == 0)
		rc = gml_publish_may_state(&copy->pub, &copy->attach);
	if (rc == 0)
		rc = gml_keep_prepare(txn, &copy->pub, &copy->attach);
	if (rc == 0 && !copy->directory)
		rc = gml_reflink_extents(txn, &copy->src, copy->freed);
	if (rc != 0)
		return rc;
	gml_assert(copy->directory || copy->src.wblob == 0); /* what is shared does not change */
	if (copy->pub.replaces && gml_ino_equal(copy->pub.old.ino, copy->src.ino))
		/* onto itself: the unlinked inode is the one that was just finalized */
		copy->pub.old = copy->src;
	rc = gml_publish_inode(txn, &copy->pub, &copy->inode);
	if (rc == 0)
		rc = gml_publish_grant(txn, &copy->pub, &copy->inode);
	if (rc != 0)
		return rc;
	copy_identity(copy, &copy->inode);
	for (uint32_t i = 0; rc == 0 && i < copy->nextents; i++)
		rc = gml_extent_add(txn, &copy->inode, &copy->extents[i], NULL);
	if (rc == 0)
		rc = gml_object_meta_apply(txn, &copy->attach, &copy->inode);
	return rc != 0 ? rc : gml_publish_link(txn, &copy->pub, &copy->inode);
}

static int copy_shared(struct object_copy *copy, struct gml_object_info *info_out)
{
	struct gml_store *store = copy->pub.store;
	int rc;
	gml_assert(copy->freed == NULL);
	copy->freed = gml_deferred_frees_new();
	if (copy->freed == NULL)
		return GML_ERR_NOMEM;
	rc = gml_publish_update(&copy->pub, copy_share_fn, copy);
	gml_keep_release(&copy->pub);
	if (rc == 0) {
		gml_deferred_frees_apply(store, copy->freed);
		if (info_out != NULL)
			gml_publish_info(&copy->inode, info_out);
	} else {
		gml_deferred_frees_free(copy->freed);
	}
	copy->freed = NULL;
	return rc;
}

static int copy_meta_now(struct object_copy *copy)
{
	struct gml_txn *txn = NULL;
	struct gml_inode inode;
	int rc = gml_meta_read_begin(copy->pub.store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, copy->src.ino, &inode);
	gml_object_meta_release(&copy->attach);
	if (rc == 0)
		rc = gml_object_meta_copy(txn, &inode, &copy->attach);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_CONFLICT : rc;
}

/* The same, for callers that may read the tags, if there are some. */
static int copy_meta_of(struct object_copy *copy)
{
	struct gml_publish *pub = &copy->pub;
	struct gml_object *object = NULL;
	bool tags;
	int rc = copy_meta_now(copy);
	if (rc == 0)
		rc = gml_object_meta_tagged(&copy->attach, &tags);
	if (rc == 0 && tags)
		rc = gml_object_find(pub->op, pub->store, &copy->ref, GML_ACTION_GET_OBJECT_TAGGING,
				     &object);
	gml_object_close(object);
	return rc;
}

static int copy_bytes(struct object_copy *copy, struct gml_object *object,
		      struct gml_object_info *info_out)
{
	const struct gml_object_info *info = gml_object_info(object);
	struct gml_publish *pub = &copy->pub;
	struct gml_put *put = NULL;
	struct gml_scan scan;
	struct gml_put_options options = {.md5 = scan.md5_value,
					  .checksum = &scan.value,
					  .cond = pub->cond,
					  .grants = pub->grants};
	int rc = 0;
	if (copy->options->attrs == NULL) {
		copy->src.ino = info->ino;
		rc = copy_meta_of(copy);
	}
	if (rc == 0)
		rc = gml_put_begin(pub->op, pub->store, &pub->ref, info->size, &put);
	if (rc == 0)
		rc = gml_scan_run(object, 0, info->size, copy->options->checksum, put, &scan);
	if (rc != 0) {
		gml_put_abort(put);
		return rc;
	}
	return gml_put_publish(pub->op, put, &options, &copy->attach, info_out);
}

static int copy_try(struct object_copy *copy, struct gml_object_info *info_out)
{
	enum gml_checksum algorithm = copy->options->checksum;
	struct gml_publish *pub = &copy->pub;
	struct gml_object *object = NULL;
	const struct gml_object_info *info;
	struct gml_scan scan;
	int rc = gml_object_open(pub->op, pub->store, &copy->ref, GML_OBJECT_CONTENT, &object);
	if (rc != 0)
		return rc;
	info = gml_object_info(object);
	rc = gml_conditions_check(copy->options->src_cond, info, true);
	copy->scan = NULL;
	if (rc == 0 && gml_object_dirty(object)) {
		rc = copy_bytes(copy, object, info_out);
	} else if (rc == 0) {
		if (algorithm != GML_CHECKSUM_NONE && info->checksum.algorithm != algorithm) {
			rc = gml_scan_run(object, 0, info->size, algorithm, NULL, &scan);
			memcpy(copy->etag, info->etag, sizeof(copy->etag));
			copy->scan = &scan;
			if (rc == GML_ERR_IO) /* changed while it was read? */
				rc = GML_ERR_AGAIN;
		}
		if (rc == 0)
			rc = copy_shared(copy, info_out);
		copy->scan = NULL;
	}
	gml_object_close(object);
	return rc;
}

int gml_object_copy(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *src,
		    const struct gml_object_ref *dst, const struct gml_copy_options *options,
		    struct gml_object_info *info_out)
{
	struct object_copy copy = {
		.pub = {.op = op,
			.store = store,
			.ref = *dst,
			.cond = options->cond,
			.grants = options->grants},
		.ref = *src,
		.options = options,
	};
	int rc;
	if (options->attrs == NULL && gml_span_equal(src->bucket, dst->bucket) &&
	    gml_span_equal(src->key, dst->key))
		return GML_ERR_INVAL;
	rc = gml_object_meta_build(options->attrs, &copy.attach);
	if (rc != 0)
		return rc;
	rc = GML_ERR_AGAIN;
	for (int i = 0; i < COPY_TRIES && rc == GML_ERR_AGAIN; i++)
		rc = copy_try(&copy, info_out);
	gml_object_meta_release(&copy.attach);
	free(copy.parts);
	free(copy.extents);
	return rc == GML_ERR_AGAIN ? GML_ERR_CONFLICT : rc;
}
