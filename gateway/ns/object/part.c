// SPDX-License-Identifier: Apache-2.0
/* Parts of an upload: extents with references of their own, until the upload is completed or
 * aborted. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <gemel/upload.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/etag.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/store/store.h"
#include "object_open.h"
#include "put.h"
#include "reflink.h"
#include "scan.h"
#include "upload.h"

struct part_publish {
	struct gml_op *op;
	struct gml_object_ref ref; /* of the upload */
	uint8_t id[16];
	uint32_t number;
	struct gml_part_rec rec;
	struct gml_extent *extents;
	const struct gml_fresh_blob *fresh; /* a new blob; NULL: a copy */
	struct gml_deferred_frees *freed;
	int refused; /* the closure's own answer */
	/* A copy: the extents are taken from here. */
	gml_ino src;
	const char *etag;
	uint64_t off;
};

int gml_part_drop(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		  struct gml_deferred_frees *freed)
{
	struct gml_part_rec rec;
	uint32_t n = 0;
	int rc = 0;
	/* A span ends with the next write: each extent is looked up anew. */
	do {
		struct gml_extent extent;
		rc = gml_rec_part_get(txn, id, number, &rec);
		if (rc == 0 && n < rec.nextents)
			rc = gml_rec_part_extent(&rec, n, &extent);
		if (rc == 0 && n < rec.nextents)
			rc = gml_blob_put_ref(txn, extent.blob, freed);
		if (rc != 0)
			return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	} while (++n < rec.nextents);
	return gml_rec_part_del(txn, id, number);
}

/* The new references come first: old and new part may share blobs. Durable, whatever the durability
 * of the source's bucket: the parts of an upload may take long, and only its end changes the
 * bucket. */
static int part_store(struct gml_txn *txn, struct part_publish *pub)
{
	struct gml_part_rec old;
	int rc = 0;
	gml_assert(pub->number >= 1 && pub->number <= GML_PART_MAX);
	gml_assert(pub->fresh == NULL ||
		   pub->rec.nextents <= 1); /* its checksums are of one blob */
	gml_txn_durability(txn, false);
	for (uint32_t i = 0; rc == 0 && i < pub->rec.nextents; i++)
		rc = gml_blob_take_ref(txn, pub->extents[i].blob, pub->fresh);
	if (rc == 0)
		rc = gml_rec_part_get(txn, pub->id, pub->number, &old);
	if (rc == 0)
		rc = gml_part_drop(txn, pub->id, pub->number, pub->freed);
	else if (rc == GML_ERR_NOENT)
		rc = 0;
	return rc != 0 ? rc : gml_rec_part_put(txn, pub->id, pub->number, &pub->rec, pub->extents);
}

static int part_check(struct gml_txn *txn, struct part_publish *pub)
{
	const struct gml_upload_want want = {&pub->ref, pub->id, GML_ACTION_UPLOAD_PART};
	struct gml_bucket_rec bucket;
	struct gml_upload_rec upload;
	int rc = gml_upload_find(txn, pub->op, &want, &bucket, &upload);
	if (rc == 0 && upload.checksum_algorithm != GML_CHECKSUM_NONE &&
	    pub->rec.checksum.algorithm != GML_CHECKSUM_NONE &&
	    pub->rec.checksum.algorithm != upload.checksum_algorithm)
		rc = GML_ERR_INVAL;
	return rc != 0 ? rc : gml_usage_check(txn, bucket.root, (int64_t)pub->rec.size, 0);
}

static int part_publish_fn(struct gml_txn *txn, void *arg)
{
	struct part_publish *pub = arg;
	int rc;
	gml_deferred_frees_reset(pub->freed);
	rc = part_check(txn, pub);
	if (rc == 0)
		rc = part_store(txn, pub);
	pub->refused = rc;
	return rc;
}

static int part_update(struct gml_store *store, struct part_publish *pub, gml_meta_fn fn,
		       struct gml_part *out)
{
	int rc;
	gml_assert(pub->freed == NULL && pub->rec.size <= GML_PART_SIZE_MAX);
	pub->rec.mtime = gml_now();
	pub->freed = gml_deferred_frees_new();
	if (pub->freed == NULL)
		return pub->refused = GML_ERR_NOMEM;
	rc = gml_meta_update(store->meta, fn, pub);
	if (rc != 0) {
		gml_deferred_frees_free(pub->freed);
		return rc;
	}
	gml_deferred_frees_apply(store, pub->freed);
	if (out != NULL) {
		*out = (struct gml_part){.number = pub->number,
					 .size = pub->rec.size,
					 .mtime = pub->rec.mtime,
					 .checksum = pub->rec.checksum};
		memcpy(out->md5, pub->rec.md5, sizeof(out->md5));
	}
	return 0;
}

/* ---- by bytes -------------------------------------------------------------------------------- */

int gml_part_begin(struct gml_op *op, struct gml_store *store, const struct gml_upload_ref *upload,
		   uint32_t number, uint64_t size_hint, struct gml_put **out)
{
	struct gml_upload_look look;
	struct gml_put *put = NULL;
	int rc;
	if (number < 1 || number > GML_PART_MAX)
		return GML_ERR_INVAL;
	rc = gml_upload_read_begin(op, store, upload, GML_ACTION_UPLOAD_PART, &look);
	gml_meta_read_end(look.txn);
	if (rc == 0)
		rc = gml_put_new(store, &upload->object, GML_PART_SIZE_MAX, size_hint, &put);
	if (rc != 0)
		return rc;
	put->part = number;
	memcpy(put->upload, look.id, sizeof(put->upload));
	*out = put;
	return 0;
}

int gml_part_finish(struct gml_op *op, struct gml_put *put, const uint8_t md5[16],
		    const struct gml_object_checksum *checksum, struct gml_part *out)
{
	struct part_publish pub = {.op = op, .ref = put->ref, .number = put->part};
	struct gml_extent extent;
	bool discard = true;
	int rc = put->part == 0 || md5 == NULL ? GML_ERR_INVAL : gml_put_seal(put, &extent);
	if (rc != 0)
		goto out;
	memcpy(pub.id, put->upload, sizeof(pub.id));
	memcpy(pub.rec.md5, md5, sizeof(pub.rec.md5));
	if (checksum != NULL)
		pub.rec.checksum = *checksum;
	pub.rec.size = put->size;
	pub.rec.nextents = put->size > 0;
	pub.extents = &extent;
	pub.fresh = &put->fresh;
	rc = part_update(put->store, &pub, part_publish_fn, out);
	discard = rc != 0 && (pub.refused != 0 || rc != GML_ERR_IO);
out:
	gml_put_free(put, discard);
	return rc;
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* AGAIN when the source has changed since it was read. */
static int part_copy_fn(struct gml_txn *txn, void *arg)
{
	struct part_publish *pub = arg;
	char etag[GML_ETAG_MAX + 1];
	struct gml_inode src;
	int rc;
	gml_deferred_frees_reset(pub->freed);
	free(pub->extents);
	pub->extents = NULL;
	pub->rec.nextents = 0;
	rc = part_check(txn, pub);
	if (rc != 0 || pub->rec.size == 0)
		return rc != 0 ? rc : part_store(txn, pub);
	rc = gml_rec_inode_get(txn, pub->src, &src);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
	gml_etag_format(&src, src.change, etag);
	if (src.flags & GML_INODE_DIRTY || strcmp(etag, pub->etag) != 0)
		return GML_ERR_AGAIN;
	rc = gml_reflink_slice(txn, &src, pub->off, pub->rec.size, &pub->extents,
			       &pub->rec.nextents);
	if (rc == 0)
		rc = gml_reflink_extents(txn, &src, pub->freed);
	return rc != 0 ? rc : part_store(txn, pub);
}

/* What of the source becomes the part. */
struct part_source {
	struct gml_store *store;
	struct gml_object *object;
	uint64_t off, len;
	enum gml_checksum algorithm;
};

/* Digests without reading: the part is the whole of an object whose digests are known. */
static bool part_copy_known(const struct gml_object_info *info, const struct part_source *from,
			    struct gml_part_rec *rec)
{
	enum gml_checksum algorithm = from->algorithm;
	if (from->off != 0 || from->len != info->size || info->nparts != 0 ||
	    strlen(info->etag) != 2 * sizeof(rec->md5) ||
	    (algorithm != GML_CHECKSUM_NONE &&
	     (info->checksum.algorithm != algorithm || info->checksum.composite)))
		return false;
	if (!gml_unhex(info->etag, sizeof(rec->md5), rec->md5))
		return false; /* an opaque one */
	if (algorithm != GML_CHECKSUM_NONE)
		rec->checksum = info->checksum;
	return true;
}

static int part_copy_shared(const struct part_source *from, struct part_publish *pub,
			    struct gml_part *out)
{
	const struct gml_object_info *info = gml_object_info(from->object);
	struct gml_scan scan;
	int rc = 0;
	if (!part_copy_known(info, from, &pub->rec)) {
		rc = gml_scan_run(from->object, from->off, from->len, from->algorithm, NULL, &scan);
		if (rc != 0)
			return rc == GML_ERR_IO ? GML_ERR_AGAIN : rc;
		memcpy(pub->rec.md5, scan.md5_value, sizeof(pub->rec.md5));
		pub->rec.checksum = scan.value;
	}
	pub->rec.size = from->len;
	pub->src = info->ino;
	pub->etag = info->etag;
	pub->off = from->off;
	rc = part_update(from->store, pub, part_copy_fn, out);
	free(pub->extents);
	pub->extents = NULL;
	return rc;
}

static int part_copy_bytes(const struct part_source *from, const struct gml_upload_ref *upload,
			   struct part_publish *pub, struct gml_part *out)
{
	struct gml_put *put = NULL;
	struct gml_scan scan;
	int rc = gml_part_begin(pub->op, from->store, upload, pub->number, from->len, &put);
	if (rc == 0)
		rc = gml_scan_run(from->object, from->off, from->len, from->algorithm, put, &scan);
	if (rc != 0) {
		gml_put_abort(put);
		return rc;
	}
	return gml_part_finish(pub->op, put, scan.md5_value, &scan.value, out);
}

/* The range asked for, clipped; INVAL when it does not lie in the source. */
static int part_copy_range(struct part_source *from)
{
	uint64_t size = gml_object_info(from->object)->size;
	if (from->off > size || (from->off == size && size > 0))
		return GML_ERR_INVAL;
	if (from->len == UINT64_MAX)
		from->len = size - from->off;
	if (from->len > size - from->off)
		return GML_ERR_INVAL;
	return from->len > GML_PART_SIZE_MAX ? GML_ERR_FBIG : 0;
}

int gml_part_copy(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *src,
		  const struct gml_upload_ref *upload, const struct gml_part_copy_options *options,
		  struct gml_part *out)
{
	struct part_publish pub = {.op = op, .ref = upload->object, .number = options->number};
	struct part_source from = {.store = store, .off = options->off, .len = options->len};
	struct gml_upload facts;
	int rc;
	if (options->number < 1 || options->number > GML_PART_MAX)
		return GML_ERR_INVAL;
	rc = gml_upload_get(op, store, upload, GML_ACTION_UPLOAD_PART, &facts);
	if (rc == 0)
		rc = gml_upload_id_parse(upload->id, pub.id);
	if (rc == 0)
		rc = gml_object_open(op, store, src, GML_OBJECT_CONTENT, &from.object);
	if (rc != 0)
		return rc;
	rc = gml_conditions_check(options->src_cond, gml_object_info(from.object), true);
	if (rc == 0)
		rc = part_copy_range(&from);
	if (rc == 0) {
		from.algorithm = facts.checksum_algorithm ? facts.checksum_algorithm
							  : GML_CHECKSUM_CRC64NVME;
		rc = gml_object_dirty(from.object) ? GML_ERR_AGAIN
						   : part_copy_shared(&from, &pub, out);
		if (rc == GML_ERR_AGAIN) /* the source changes faster than it can be shared */
			rc = part_copy_bytes(&from, upload, &pub, out);
	}
	gml_object_close(from.object);
	return rc;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct part_list {
	bool (*each)(void *arg, const struct gml_part *part);
	void *arg;
	uint32_t count, max;
	bool truncated;
};

static bool part_list_each(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	struct part_list *list = arg;
	struct gml_part part = {.number = number,
				.size = rec->size,
				.mtime = rec->mtime,
				.checksum = rec->checksum};
	gml_assert(!list->truncated); /* the walk ended there */
	if (list->count == list->max) {
		list->truncated = true;
		return false;
	}
	list->count++;
	memcpy(part.md5, rec->md5, sizeof(part.md5));
	if (!list->each(list->arg, &part)) {
		list->truncated = true;
		return false;
	}
	return true;
}

int gml_part_list(struct gml_op *op, struct gml_store *store, const struct gml_part_query *query,
		  bool (*each)(void *arg, const struct gml_part *part), void *arg,
		  bool *truncated_out)
{
	struct part_list list = {.each = each, .arg = arg, .max = query->max};
	struct gml_upload_look look;
	int rc = gml_upload_read_begin(op, store, &query->upload, GML_ACTION_LIST_PARTS, &look);
	if (rc == 0 && query->max > 0)
		rc = gml_rec_part_each(look.txn, look.id, query->after, part_list_each, &list);
	gml_meta_read_end(look.txn);
	*truncated_out = rc == 0 && list.truncated;
	return rc;
}
