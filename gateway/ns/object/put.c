// SPDX-License-Identifier: Apache-2.0
/* Content being written: small content in memory and then packed, large content to a blob file as
 * it arrives. docs/architecture.md, "Data". */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/data/blob.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/collect.h"
#include "gateway/ns/store/store.h"
#include "keep.h"
#include "object_grants.h"
#include "object_meta.h"
#include "publish.h"
#include "put.h"

#define PUT_HINT ((uint64_t)8 << 20) /* write-back is started in steps of this */

int gml_put_new(struct gml_store *store, const struct gml_object_ref *ref, uint64_t limit,
		uint64_t size_hint, struct gml_put **out)
{
	struct gml_put *put;
	char *names;
	if (size_hint != UINT64_MAX && size_hint > limit)
		return GML_ERR_FBIG;
	put = calloc(1, sizeof(*put) + ref->bucket.len + ref->key.len);
	if (put == NULL)
		return GML_ERR_NOMEM;
	names = (char *)(put + 1);
	memcpy(names, ref->bucket.ptr, ref->bucket.len);
	memcpy(names + ref->bucket.len, ref->key.ptr, ref->key.len);
	put->store = store;
	put->ref.bucket = gml_span_of(names, ref->bucket.len);
	put->ref.key = gml_span_of(names + ref->bucket.len, ref->key.len);
	put->limit = limit;
	put->cap = size_hint < GML_PACK_SEGMENT_MAX ? (size_t)size_hint : GML_PACK_SEGMENT_MAX;
	if (put->cap > 0) {
		put->buf = malloc(put->cap);
		if (put->buf == NULL) {
			free(put);
			return GML_ERR_NOMEM;
		}
	}
	*out = put;
	return 0;
}

void gml_put_free(struct gml_put *put, bool discard)
{
	if (put == NULL)
		return;
	gml_blob_unref(put->blob);
	if (discard && put->blob_id != 0 &&
	    gml_blob_discard(put->store, put->blob_id, put->size) != 0 && put->store->log != NULL)
		put->store->log(put->store->log_arg, GML_LOG_WARN,
				"put: an unpublished blob could not be removed; the next start "
				"collects it");
	gml_sums_release(&put->sums);
	free(put->buf);
	free(put);
}

void gml_put_abort(struct gml_put *put)
{
	gml_put_free(put, true);
}

int gml_put_begin(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		  uint64_t size_hint, struct gml_put **out)
{
	struct gml_txn *txn = NULL;
	struct gml_path path;
	struct gml_inode old;
	bool replaces;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_path_walk(txn, op, ref, &path);
	if (rc == 0)
		rc = gml_path_may_put(txn, op, &path, &old, &replaces);
	gml_meta_read_end(txn);
	return rc != 0 ? rc : gml_put_new(store, ref, GML_OBJECT_SIZE_MAX, size_hint, out);
}

int gml_put_may(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		bool grants, bool tags)
{
	struct gml_txn *txn = NULL;
	struct gml_path path;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_path_walk(txn, op, ref, &path);
	if (rc == 0)
		rc = gml_path_may_state(op, &path, NULL, grants, tags);
	gml_meta_read_end(txn);
	return rc;
}

/* The gathered bytes and `len` more go to the blob file, which is made when there is none. */
static int put_spill(struct gml_put *put, const void *buf, size_t len)
{
	struct iovec iov[2] = {{put->buf, put->used}, {(void *)(uintptr_t)buf, len}};
	uint64_t end = put->size + len;
	int rc = 0;
	gml_assert(put->used <= put->size && (put->blob != NULL || put->used == put->size));
	if (put->blob == NULL)
		rc = gml_blob_create(put->store->data, &put->blob_id, &put->blob);
	if (rc == 0)
		rc = gml_blob_write(put->blob, put->size - put->used, iov + (put->used == 0),
				    (put->used > 0) + (len > 0));
	if (rc == 0)
		rc = gml_sums_add(&put->sums, put->buf, put->used);
	if (rc == 0)
		rc = gml_sums_add(&put->sums, buf, len);
	if (rc != 0)
		return rc;
	put->used = 0;
	if (end - put->hinted >= PUT_HINT) {
		gml_blob_flush_hint(put->blob, put->hinted, end - put->hinted);
		put->hinted = end;
	}
	return 0;
}

static int put_gather(struct gml_put *put, const void *buf, size_t len)
{
	gml_assert(put->used <= put->cap && put->used + len <= GML_PACK_SEGMENT_MAX);
	if (put->cap - put->used < len) {
		size_t cap = put->cap * 2 > put->used + len ? put->cap * 2 : put->used + len;
		uint8_t *grown =
			realloc(put->buf, cap < GML_PACK_SEGMENT_MAX ? cap : GML_PACK_SEGMENT_MAX);
		if (grown == NULL)
			return GML_ERR_NOMEM;
		put->buf = grown;
		put->cap = cap < GML_PACK_SEGMENT_MAX ? cap : GML_PACK_SEGMENT_MAX;
	}
	memcpy(put->buf + put->used, buf, len);
	put->used += len;
	return 0;
}

int gml_put_write(struct gml_put *put, const void *buf, size_t len)
{
	int rc;
	gml_assert(put->size <= put->limit && put->fresh.len == 0); /* not sealed */
	if (put->failed)
		return GML_ERR_INVAL;
	if (len == 0)
		return 0;
	if (len > put->limit - put->size)
		rc = GML_ERR_FBIG;
	else if (len <= GML_PACK_SEGMENT_MAX - put->used)
		rc = put_gather(put, buf, len);
	else
		rc = put_spill(put, buf, len);
	if (rc != 0)
		put->failed = true;
	else
		put->size += len;
	return rc;
}

int gml_put_seal(struct gml_put *put, struct gml_extent *out)
{
	int rc = 0;
	gml_assert((put->blob_id != 0) == (put->blob != NULL)); /* not sealed */
	if (put->failed)
		return GML_ERR_INVAL;
	memset(out, 0, sizeof(*out));
	if (put->size == 0)
		return 0;
	if (put->blob == NULL) {
		gml_assert(put->used == put->size);
		rc = gml_pack_append(put->store->data, put->buf, put->used, &put->blob_id,
				     &put->fresh.crc);
	} else {
		if (put->used > 0)
			rc = put_spill(put, NULL, 0);
		if (rc == 0)
			rc = gml_sums_end(&put->sums);
		if (rc == 0)
			rc = gml_blob_sync(put->blob);
		put->fresh.sums = &put->sums; /* more than one block: less is packed */
	}
	if (rc != 0)
		return rc;
	put->fresh.len = put->size;
	out->blob = put->blob_id;
	out->len = put->size;
	return 0;
}

struct put_finish {
	struct gml_publish pub;
	const struct gml_put_options *options;
	const struct gml_object_meta *meta;
	struct gml_extent extent;
	const struct gml_fresh_blob *fresh;
	struct gml_inode inode;
	int refused; /* the closure's own answer */
};

static int put_publish_fn(struct gml_txn *txn, void *arg)
{
	struct put_finish *fin = arg;
	struct gml_inode *inode = &fin->inode;
	int rc = gml_publish_check(txn, &fin->pub);
	gml_assert(fin->extent.off == 0 && fin->extent.len == fin->pub.size);
	if (rc == 0)
		rc = gml_publish_may_state(&fin->pub, fin->meta);
	if (rc == 0)
		rc = gml_keep_prepare(txn, &fin->pub, fin->meta);
	if (rc == 0)
		rc = gml_publish_inode(txn, &fin->pub, inode);
	if (rc == 0)
		rc = gml_publish_grant(txn, &fin->pub, inode);
	if (rc != 0)
		goto out;
	inode->size = fin->pub.size;
	if (fin->options->md5 != NULL) {
		memcpy(inode->md5, fin->options->md5, sizeof(inode->md5));
		inode->flags |= GML_INODE_MD5;
	}
	if (fin->options->checksum != NULL)
		inode->checksum = *fin->options->checksum;
	if (fin->extent.len > 0)
		rc = gml_extent_add(txn, inode, &fin->extent, fin->fresh);
	if (rc == 0)
		rc = gml_object_meta_apply(txn, fin->meta, inode);
	if (rc == 0)
		rc = gml_publish_link(txn, &fin->pub, inode);
out:
	fin->refused = rc;
	return rc;
}

int gml_put_publish(struct gml_op *op, struct gml_put *put, const struct gml_put_options *options,
		    const struct gml_object_meta *meta, struct gml_object_info *info_out)
{
	struct put_finish fin = {.options = options, .meta = meta, .fresh = &put->fresh};
	bool discard = true;
	int rc = put->part != 0 ? GML_ERR_INVAL : gml_put_seal(put, &fin.extent);
	if (rc != 0)
		goto out;
	fin.pub = (struct gml_publish){.op = op,
				       .store = put->store,
				       .ref = put->ref,
				       .cond = options->cond,
				       .grants = options->grants,
				       .size = put->size};
	rc = gml_publish_update(&fin.pub, put_publish_fn, &fin);
	gml_keep_release(&fin.pub);
	/* A commit that failed with IO may still reach the disk: then the blob stays, and the next
	 * start decides. */
	discard = rc != 0 && (fin.refused != 0 || rc != GML_ERR_IO);
	if (rc == 0 && info_out != NULL)
		gml_publish_info(&fin.inode, info_out);
out:
	gml_put_free(put, discard);
	return rc;
}

int gml_put_finish(struct gml_op *op, struct gml_put *put, const struct gml_put_options *options,
		   struct gml_object_info *info_out)
{
	struct gml_object_meta meta;
	int rc = gml_object_meta_build(options->attrs, &meta);
	if (rc != 0) {
		gml_put_free(put, true);
		return rc;
	}
	rc = gml_put_publish(op, put, options, &meta, info_out);
	gml_object_meta_release(&meta);
	return rc;
}
