// SPDX-License-Identifier: Apache-2.0
/* CompleteMultipartUpload: the parts' references move to a new inode in one transaction; no data
 * moves.
 *
 * A client whose answer got lost repeats the request. The upload is gone then, but its object has
 * its mark: the random half of the id as verifier, the field by which NFS recognises a repeated
 * exclusive create.
 *
 * The checksum of the whole: FULL_OBJECT combines the CRCs of the parts; COMPOSITE is the digest of
 * their digests, as in S3. SHA digests cannot be combined, so for them only COMPOSITE exists. */
#include <stdlib.h>
#include <string.h>
#include <gemel/checksum.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <gemel/upload.h>
#include "gateway/base/assert.h"
#include "gateway/base/hex.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/iam/grant.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "keep.h"
#include "object_grants.h"
#include "object_meta.h"
#include "publish.h"
#include "upload.h"

#define COMPLETE_EXTENTS_MAX 1000000u /* bounds the transaction */
_Static_assert((size_t)GML_PART_MAX *(8 + GML_CHECKSUM_SIZE_MAX) < GML_ENGINE_VALUE_LEAST / 2,
	       "the parts of an object fit its record");

struct complete_part {
	uint64_t size;
	uint8_t md5[16];
	struct gml_object_checksum checksum;
};

struct complete {
	struct gml_publish pub;
	uint8_t id[16];
	const struct gml_complete_options *options;
	const struct gml_part_ref *refs; /* of the options */
	uint32_t n;

	struct gml_bucket_rec bucket;
	uint32_t uid, gid;
	uint8_t algorithm, composite;
	struct gml_grants grants; /* when pub.grants */
	struct gml_object_meta attach;
	struct complete_part *part;
	uint64_t extents;     /* of all parts */
	uint32_t extents_max; /* of one */
	struct gml_extent *list;
	uint8_t md5[16];
	struct gml_object_checksum checksum;
	uint8_t *spans; /* inode's `parts` */
	size_t spans_len;
	struct gml_deferred_frees *freed;
	struct gml_inode inode;
};

/* ---- check ----------------------------------------------------------------------------------- */

/* Hex digits of either case. */
static bool complete_etag_parse(const char *etag, uint8_t md5[16])
{
	return strlen(etag) == 32 && gml_unhex(etag, 16, md5);
}

static bool complete_etag_is(const char *etag, const uint8_t md5[16])
{
	uint8_t have[16];
	return complete_etag_parse(etag, have) && memcmp(have, md5, sizeof(have)) == 0;
}

static bool complete_checksum_is(const struct gml_object_checksum *expected,
				 const struct gml_object_checksum *have)
{
	return expected->algorithm == have->algorithm &&
	       memcmp(expected->value, have->value, gml_checksum_size(expected->algorithm)) == 0;
}

/* Is the client's checksum of a part right, as far as is known? If no algorithm was chosen, or the
 * default one, UploadPart accepts, verifies and repeats a checksum of any algorithm, and the part
 * keeps ours. So the client may send back one of another algorithm; the ETag already identifies the
 * bytes. */
static bool complete_part_expected_holds(const struct complete *c,
					 const struct gml_object_checksum *expected,
					 const struct gml_object_checksum *have)
{
	if (expected->algorithm == GML_CHECKSUM_NONE || complete_checksum_is(expected, have))
		return true;
	return expected->algorithm != have->algorithm &&
	       (c->algorithm == GML_CHECKSUM_NONE || c->algorithm == GML_CHECKSUM_CRC64NVME);
}

static bool complete_size_is(const struct complete *c, uint64_t size)
{
	return !c->options->has_size || c->options->size == size;
}

static int complete_part_check(struct gml_txn *txn, struct complete *c, uint32_t i)
{
	const struct gml_part_ref *ref = &c->refs[i];
	struct complete_part *part = &c->part[i];
	struct gml_part_rec rec;
	int rc;
	gml_assert(i == 0 || ref->number > c->refs[i - 1].number); /* none counts twice */
	rc = gml_rec_part_get(txn, c->id, ref->number, &rec);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_BADPART : rc;
	if (!complete_etag_is(ref->etag, rec.md5) ||
	    !complete_part_expected_holds(c, &ref->checksum, &rec.checksum))
		return GML_ERR_BADPART;
	if (i + 1 < c->n && rec.size < GML_PART_SIZE_MIN)
		return GML_ERR_PARTSMALL;
	part->size = rec.size;
	memcpy(part->md5, rec.md5, sizeof(part->md5));
	part->checksum = rec.checksum;
	c->extents += rec.nextents;
	if (rec.nextents > c->extents_max)
		c->extents_max = rec.nextents;
	c->pub.size += rec.size; /* at most 10,000 x 5 GiB */
	return 0;
}

static int complete_check(struct gml_txn *txn, struct complete *c)
{
	const struct gml_upload_want want = {&c->pub.ref, c->id, GML_ACTION_COMPLETE_UPLOAD};
	struct gml_upload_rec upload;
	int rc = gml_upload_find(txn, c->pub.op, &want, &c->bucket, &upload);
	if (rc != 0)
		return rc;
	c->uid = upload.uid;
	c->gid = upload.gid;
	c->algorithm = upload.checksum_algorithm;
	c->composite = upload.checksum_composite;
	c->pub.grants = upload.grants.len != 0 ? &c->grants : NULL;
	if (upload.grants.len != 0 && gml_grants_decode(upload.grants, &c->grants) != 0)
		return GML_ERR_CORRUPT;
	gml_object_meta_release(&c->attach);
	rc = gml_object_meta_dup(upload.headers, upload.meta, &c->attach);
	c->pub.size = 0;
	c->extents = 0;
	c->extents_max = 0;
	for (uint32_t i = 1; rc == 0 && i < c->n; i++)
		rc = c->refs[i].number <= c->refs[i - 1].number ? GML_ERR_PARTORDER : 0;
	for (uint32_t i = 0; rc == 0 && i < c->n; i++)
		rc = complete_part_check(txn, c, i);
	if (rc != 0)
		return rc;
	if (c->extents > COMPLETE_EXTENTS_MAX)
		return GML_ERR_TOOBIG;
	if (c->pub.size > GML_OBJECT_SIZE_MAX)
		return GML_ERR_FBIG;
	return complete_size_is(c, c->pub.size) ? 0 : GML_ERR_INVAL;
}

/* ---- digests --------------------------------------------------------------------------------- */

static int complete_etag(struct complete *c)
{
	struct gml_digest *digest = gml_digest_new(GML_DIGEST_MD5);
	uint8_t value[GML_CHECKSUM_SIZE_MAX];
	bool made;
	if (digest == NULL)
		return GML_ERR_NOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		gml_digest_update(digest, c->part[i].md5, sizeof(c->part[i].md5));
	made = gml_digest_final(digest, value) != 0;
	gml_digest_free(digest);
	memcpy(c->md5, value, sizeof(c->md5));
	return made ? 0 : GML_ERR_NOMEM;
}

/* The one algorithm that every part has a checksum of; NONE when there is no such. */
static uint8_t complete_algorithm(const struct complete *c)
{
	uint8_t algorithm =
		c->algorithm != GML_CHECKSUM_NONE ? c->algorithm : c->part[0].checksum.algorithm;
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->part[i].checksum.algorithm != algorithm)
			return GML_CHECKSUM_NONE;
	}
	return algorithm;
}

static int complete_composite(struct complete *c)
{
	struct gml_digest *digest = gml_digest_new(c->checksum.algorithm);
	size_t size = gml_checksum_size(c->checksum.algorithm);
	bool made;
	if (digest == NULL)
		return GML_ERR_NOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		gml_digest_update(digest, c->part[i].checksum.value, size);
	made = gml_digest_final(digest, c->checksum.value) == size;
	gml_digest_free(digest);
	c->checksum.composite = 1;
	return made ? 0 : GML_ERR_NOMEM;
}

static int complete_checksum(struct complete *c)
{
	const struct gml_object_checksum *expected = c->options->checksum;
	uint8_t algorithm = complete_algorithm(c);
	bool crc = algorithm == GML_CHECKSUM_CRC32 || algorithm == GML_CHECKSUM_CRC32C ||
		   algorithm == GML_CHECKSUM_CRC64NVME;
	int rc = 0;
	c->checksum = (struct gml_object_checksum){.algorithm = algorithm};
	if (algorithm == GML_CHECKSUM_NONE) {
		/* the object gets no checksum */
	} else if (c->algorithm != GML_CHECKSUM_NONE && (c->composite || !crc)) {
		rc = complete_composite(c);
	} else if (!crc) {
		c->checksum.algorithm = GML_CHECKSUM_NONE;
	} else {
		memcpy(c->checksum.value, c->part[0].checksum.value, sizeof(c->checksum.value));
		for (uint32_t i = 1; rc == 0 && i < c->n; i++)
			rc = gml_checksum_combine(algorithm, c->checksum.value,
						  c->part[i].checksum.value, c->part[i].size);
	}
	if (rc == 0 && expected != NULL && expected->algorithm != GML_CHECKSUM_NONE &&
	    !complete_checksum_is(expected, &c->checksum))
		rc = GML_ERR_BADDIGEST;
	return rc;
}

/* The part sizes that GetObject's partNumber and GetObjectAttributes need later. */
static int complete_spans(struct complete *c)
{
	size_t size = gml_checksum_size(c->checksum.algorithm), width = 8 + size;
	uint64_t end = 0;
	free(c->spans);
	c->spans_len = width * c->n;
	c->spans = malloc(c->spans_len);
	if (c->spans == NULL)
		return GML_ERR_NOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		uint8_t *entry = c->spans + i * width;
		end += c->part[i].size;
		for (int b = 0; b < 8; b++)
			entry[b] = (uint8_t)(end >> 8 * b);
		memcpy(entry + 8, c->part[i].checksum.value, size);
	}
	gml_assert(end == c->pub.size);
	return 0;
}

/* ---- again ----------------------------------------------------------------------------------- */

#define COMPLETE_MARK 8 /* offset of the random half of an id */
_Static_assert(sizeof(((struct gml_inode *)NULL)->verifier) ==
		       sizeof(((struct complete *)NULL)->id) - COMPLETE_MARK,
	       "the mark is the rest of the id");

/* If the object that was made of this upload and these parts still exists, it is the answer, as it
 * was the first time; the conditions held then. NOUPLOAD otherwise. */
static int complete_again(struct gml_txn *txn, struct complete *c)
{
	const uint32_t made = GML_INODE_MD5 | GML_INODE_PARTS;
	struct gml_path path;
	bool directory;
	int rc = gml_path_walk(txn, c->pub.op, &c->pub.ref, &path);
	if (rc == 0)
		rc = gml_path_may(c->pub.op, GML_ACTION_PUT_OBJECT, &path, NULL);
	if (rc == 0)
		rc = gml_path_object(txn, &path, &c->inode, &directory);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOUPLOAD : rc;
	if ((c->inode.flags & made) != made || c->inode.nparts != c->n ||
	    memcmp(c->inode.verifier, c->id + COMPLETE_MARK, sizeof(c->inode.verifier)) != 0)
		return GML_ERR_NOUPLOAD;
	for (uint32_t i = 0; i < c->n; i++)
		if (!complete_etag_parse(c->refs[i].etag, c->part[i].md5))
			return GML_ERR_NOUPLOAD;
	rc = complete_etag(c);
	if (rc != 0)
		return rc;
	if (memcmp(c->md5, c->inode.md5, sizeof(c->md5)) != 0)
		return GML_ERR_NOUPLOAD;
	if (c->options->checksum != NULL &&
	    !complete_checksum_is(c->options->checksum, &c->inode.checksum))
		return GML_ERR_BADDIGEST;
	return complete_size_is(c, c->inode.size) ? 0 : GML_ERR_INVAL;
}

/* ---- publish --------------------------------------------------------------------------------- */

/* A part's extents, copied: spans end with the next write. */
static int complete_part_extents(struct gml_txn *txn, struct complete *c, uint32_t i, uint32_t *n)
{
	struct gml_part_rec rec;
	int rc = gml_rec_part_get(txn, c->id, c->refs[i].number, &rec);
	if (rc != 0)
		return rc;
	gml_assert(rec.nextents <= c->extents_max); /* as complete_check found it */
	*n = rec.nextents;
	for (uint32_t k = 0; rc == 0 && k < rec.nextents; k++)
		rc = gml_rec_part_extent(&rec, k, &c->list[k]);
	return rc;
}

static int complete_extent_put(struct gml_txn *txn, const struct complete *c,
			       struct gml_inode *inode, const struct gml_extent *extent)
{
	if (c->extents > GML_INLINE_EXTENTS) {
		struct gml_line line;
		int rc = gml_rec_line_of(txn, inode->bucket, &line);
		inode->flags |= GML_INODE_EXTENTS;
		return rc != 0 ? rc : gml_rec_extent_put(txn, &line, inode->ino, extent);
	}
	gml_assert(inode->nextents < GML_INLINE_EXTENTS);
	inode->extents[inode->nextents++] = *extent;
	return 0;
}

/* The references go from the parts to the inode; so the blob table is not touched. */
static int complete_move(struct gml_txn *txn, struct complete *c)
{
	uint64_t base = 0;
	uint32_t n = 0;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < c->n; i++) {
		rc = complete_part_extents(txn, c, i, &n);
		for (uint32_t k = 0; rc == 0 && k < n; k++) {
			c->list[k].off += base;
			rc = complete_extent_put(txn, c, &c->inode, &c->list[k]);
		}
		if (rc == 0)
			rc = gml_rec_part_del(txn, c->id, c->refs[i].number);
		base += c->part[i].size;
	}
	gml_assert(rc != 0 || base == c->inode.size);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

static int complete_publish(struct gml_txn *txn, struct complete *c)
{
	struct gml_inode *inode = &c->inode;
	bool group = c->pub.path.dir.mode & 02000;
	gml_assert(c->spans != NULL && c->list != NULL); /* nothing may fail for memory from here */
	int rc = gml_publish_inode(txn, &c->pub, inode);
	if (rc != 0)
		return rc;
	if (!c->pub.keeps) {
		inode->uid = c->uid; /* the bucket's owner may complete another's upload */
		if (!group)
			inode->gid = c->gid;
	}
	rc = gml_publish_grant(txn, &c->pub, inode);
	if (rc != 0)
		return rc;
	inode->size = c->pub.size;
	inode->flags |= GML_INODE_MD5 | GML_INODE_PARTS;
	inode->nparts = c->n;
	memcpy(inode->md5, c->md5, sizeof(inode->md5));
	memcpy(inode->verifier, c->id + COMPLETE_MARK, sizeof(inode->verifier));
	inode->checksum = c->checksum;
	inode->parts = gml_span_of(c->spans, c->spans_len);
	rc = complete_move(txn, c);
	if (rc == 0)
		rc = gml_upload_drop(txn, &c->bucket, c->pub.ref.key, c->id, c->freed);
	if (rc == 0)
		rc = gml_object_meta_apply(txn, &c->attach, inode);
	return rc != 0 ? rc : gml_publish_link(txn, &c->pub, inode);
}

static int complete_fn(struct gml_txn *txn, void *arg)
{
	struct complete *c = arg;
	int rc;
	gml_deferred_frees_reset(c->freed);
	rc = complete_check(txn, c);
	if (rc == GML_ERR_NOUPLOAD)
		return complete_again(txn, c);
	if (rc == 0)
		rc = complete_etag(c);
	if (rc == 0)
		rc = complete_checksum(c);
	if (rc == 0)
		rc = complete_spans(c);
	if (rc == 0)
		rc = gml_publish_check(txn, &c->pub);
	if (rc == 0)
		rc = gml_keep_prepare(txn, &c->pub, &c->attach);
	if (rc != 0)
		return rc;
	free(c->list);
	c->list = calloc((size_t)c->extents_max + 1, sizeof(*c->list));
	return c->list == NULL ? GML_ERR_NOMEM : complete_publish(txn, c);
}

int gml_upload_complete(struct gml_op *op, struct gml_store *store,
			const struct gml_upload_ref *upload,
			const struct gml_complete_options *options,
			struct gml_object_info *info_out)
{
	struct complete c = {
		.pub = {.op = op, .store = store, .ref = upload->object, .cond = options->cond},
		.options = options,
		.refs = options->parts,
		.n = options->nparts,
	};
	int rc = gml_upload_id_parse(upload->id, c.id);
	if (rc != 0)
		return rc;
	if (c.n < 1 || c.n > GML_PART_MAX)
		return GML_ERR_INVAL;
	c.part = calloc(c.n, sizeof(*c.part));
	c.freed = gml_deferred_frees_new();
	rc = c.part == NULL || c.freed == NULL ? GML_ERR_NOMEM
					       : gml_publish_update(&c.pub, complete_fn, &c);
	if (rc == 0) {
		gml_deferred_frees_apply(store, c.freed);
		if (info_out != NULL)
			gml_publish_info(&c.inode, info_out);
	} else {
		gml_deferred_frees_free(c.freed);
	}
	gml_keep_release(&c.pub);
	gml_object_meta_release(&c.attach);
	free(c.part);
	free(c.spans);
	free(c.list);
	return rc;
}
