// SPDX-License-Identifier: Apache-2.0
/* The properties of an object besides its bytes: content headers (in the inode), metadata and tags
 * (xattrs user.s3.*). */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "object_meta.h"

#define ATTACH_PAIRS 4096 /* more than 64 KiB could hold */
_Static_assert(sizeof(GML_OBJECT_TAG_PREFIX) - 1 + GML_TAG_NAME_MAX <= GML_REC_XATTR_NAME_MAX,
	       "a tag is an extended attribute");

static int object_meta_encode(const struct gml_span headers[GML_HDR_COUNT],
			      const struct gml_meta_pair *pairs, uint32_t n,
			      struct gml_object_meta *out)
{
	size_t headers_len, pairs_len = 0, cap = GML_OBJECT_HEADERS_MAX, sum = 0;
	void *buf;
	int rc;
	for (uint32_t i = 0; i < n; i++) {
		sum += pairs[i].name.len + pairs[i].value.len + 20;
		if (sum > GML_OBJECT_PAIRS_MAX + 20 * (size_t)ATTACH_PAIRS)
			return GML_ERR_TOOBIG;
	}
	cap += sum;
	buf = malloc(cap);
	if (buf == NULL)
		return GML_ERR_NOMEM;
	rc = gml_rec_headers_encode(headers, buf, GML_OBJECT_HEADERS_MAX, &headers_len);
	if (rc == 0)
		rc = gml_rec_pairs_encode(pairs, n, (char *)buf + headers_len, cap - headers_len,
					  &pairs_len);
	if (rc != 0) {
		free(buf);
		return rc;
	}
	out->buf = buf;
	out->headers = gml_span_of(buf, headers_len);
	out->pairs = gml_span_of((char *)buf + headers_len, pairs_len);
	return 0;
}

/* Prefixed names go one after the other to *names. */
static int object_meta_prefix(const char *prefix, const struct gml_meta_pair *in, uint32_t n,
			      struct gml_meta_pair *out, char **names)
{
	size_t len = strlen(prefix);
	for (uint32_t i = 0; i < n; i++) {
		if (in[i].name.len == 0 || memchr(in[i].name.ptr, 0, in[i].name.len) != NULL)
			return GML_ERR_INVAL;
		memcpy(*names, prefix, len);
		memcpy(*names + len, in[i].name.ptr, in[i].name.len);
		out[i].name = gml_span_of(*names, len + in[i].name.len);
		out[i].value = in[i].value;
		*names += len + in[i].name.len;
	}
	return 0;
}

/* Limits of one kind of pairs. */
struct object_meta_kind {
	const char *prefix;
	size_t name_max, value_max; /* bytes; the name without the prefix */
};

static const struct object_meta_kind object_meta_user = {
	GML_OBJECT_META_PREFIX, GML_REC_XATTR_NAME_MAX - (sizeof(GML_OBJECT_META_PREFIX) - 1),
	GML_XATTR_VALUE_MAX};
static const struct object_meta_kind object_meta_tag = {GML_OBJECT_TAG_PREFIX, GML_TAG_NAME_MAX,
							GML_TAG_VALUE_MAX};

static int object_meta_size(const struct object_meta_kind *kind, const struct gml_meta_pair *in,
			    uint32_t n, size_t *size)
{
	for (uint32_t i = 0; i < n; i++) {
		if (in[i].name.len > kind->name_max || in[i].value.len > kind->value_max)
			return GML_ERR_TOOBIG;
		*size += strlen(kind->prefix) + in[i].name.len;
	}
	return 0;
}

int gml_object_meta_build(const struct gml_object_new *attrs, struct gml_object_meta *out)
{
	struct gml_meta_pair *pairs = NULL;
	size_t names_len = 0;
	char *names;
	uint32_t n;
	int rc;
	memset(out, 0, sizeof(*out));
	if (attrs == NULL)
		return 0;
	if (attrs->nmeta > ATTACH_PAIRS || attrs->ntags > GML_TAGS_MAX)
		return GML_ERR_TOOBIG;
	n = attrs->nmeta + attrs->ntags;
	rc = object_meta_size(&object_meta_user, attrs->meta, attrs->nmeta, &names_len);
	if (rc == 0)
		rc = object_meta_size(&object_meta_tag, attrs->tags, attrs->ntags, &names_len);
	if (rc != 0)
		return rc;
	pairs = malloc(n * sizeof(*pairs) + names_len + 1);
	if (pairs == NULL)
		return GML_ERR_NOMEM;
	names = (char *)(pairs + n);
	rc = object_meta_prefix(GML_OBJECT_META_PREFIX, attrs->meta, attrs->nmeta, pairs, &names);
	if (rc == 0)
		rc = object_meta_prefix(GML_OBJECT_TAG_PREFIX, attrs->tags, attrs->ntags,
					pairs + attrs->nmeta, &names);
	gml_assert(rc != 0 || names == (char *)(pairs + n) + names_len);
	if (rc == 0)
		rc = object_meta_encode(attrs->headers, pairs, n, out);
	free(pairs);
	return rc;
}

struct object_meta_scan {
	struct gml_span prefix;
	struct gml_meta_pair *pairs; /* NULL: only count */
	uint32_t n, max;
};

static bool object_meta_scan_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct object_meta_scan *scan = arg;
	if (!gml_span_starts(name, scan->prefix))
		return false;
	if (scan->pairs != NULL && scan->n < scan->max)
		scan->pairs[scan->n] = (struct gml_meta_pair){name, value};
	scan->n++;
	return true;
}

/* Spans are borrowed from the transaction. */
static int object_meta_scan(struct gml_txn *txn, gml_ino ino, struct object_meta_scan *scan)
{
	static const char *const prefix[] = {GML_OBJECT_META_PREFIX, GML_OBJECT_TAG_PREFIX};
	int rc = 0;
	for (int i = 0; rc == 0 && i < 2; i++) {
		size_t len = strlen(prefix[i]);
		scan->prefix = gml_span_of(prefix[i], len);
		rc = gml_rec_xattr_each(txn, ino, gml_span_of(prefix[i], len - 1),
					object_meta_scan_each, scan);
	}
	return rc;
}

int gml_object_meta_copy(struct gml_txn *txn, const struct gml_inode *inode,
			 struct gml_object_meta *out)
{
	struct gml_span headers[GML_HDR_COUNT];
	struct object_meta_scan scan = {0};
	int rc;
	memset(out, 0, sizeof(*out));
	rc = gml_rec_headers_decode(inode->headers, headers);
	headers[GML_HDR_REDIRECT] = gml_span_of(NULL, 0);      /* it belongs to the name */
	headers[GML_HDR_STORAGE_CLASS] = gml_span_of(NULL, 0); /* each copy is asked for its own */
	if (rc == 0 && inode->flags & GML_INODE_XATTRS)
		rc = object_meta_scan(txn, inode->ino, &scan);
	if (rc != 0)
		return rc;
	if (scan.n > ATTACH_PAIRS)
		return GML_ERR_TOOBIG;
	if (scan.n > 0) {
		scan.max = scan.n;
		scan.n = 0;
		scan.pairs = calloc(scan.max, sizeof(*scan.pairs));
		if (scan.pairs == NULL)
			return GML_ERR_NOMEM;
		rc = object_meta_scan(txn, inode->ino, &scan);
	}
	gml_assert(rc != 0 || scan.n == scan.max); /* as it was counted */
	if (rc == 0)
		rc = object_meta_encode(headers, scan.pairs, scan.n, out);
	free(scan.pairs);
	return rc;
}

int gml_object_meta_dup(struct gml_span headers, struct gml_span pairs, struct gml_object_meta *out)
{
	char *buf = malloc(headers.len + pairs.len + 1);
	memset(out, 0, sizeof(*out));
	if (buf == NULL)
		return GML_ERR_NOMEM;
	if (headers.len > 0)
		memcpy(buf, headers.ptr, headers.len);
	if (pairs.len > 0)
		memcpy(buf + headers.len, pairs.ptr, pairs.len);
	out->buf = buf;
	out->headers = gml_span_of(buf, headers.len);
	out->pairs = gml_span_of(buf + headers.len, pairs.len);
	return 0;
}

struct object_meta_put {
	struct gml_txn *txn;
	struct gml_line line;
	gml_ino ino;
	int rc;
};

static bool object_meta_put_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct object_meta_put *put = arg;
	put->rc = gml_rec_xattr_put(put->txn, &put->line, put->ino, name, value);
	return put->rc == 0;
}

int gml_object_meta_apply(struct gml_txn *txn, const struct gml_object_meta *attach,
			  struct gml_inode *inode)
{
	struct object_meta_put put = {.txn = txn, .ino = inode->ino};
	int rc;
	gml_assert(inode->nlink == 0); /* new: it has no S3 attributes that would be left */
	inode->headers = attach->headers;
	if (attach->pairs.len == 0)
		return 0;
	inode->flags |= GML_INODE_XATTRS;
	rc = gml_rec_line_of(txn, inode->bucket, &put.line);
	if (rc == 0)
		rc = gml_rec_pairs_each(attach->pairs, object_meta_put_each, &put);
	return rc != 0 ? rc : put.rc;
}

static bool object_meta_is_tag(void *arg, struct gml_span name, struct gml_span value)
{
	(void)value;
	*(bool *)arg = gml_span_starts(name, GML_LIT(GML_OBJECT_TAG_PREFIX));
	return !*(bool *)arg;
}

int gml_object_meta_tagged(const struct gml_object_meta *attach, bool *out)
{
	*out = false;
	return attach->pairs.len > 0 ? gml_rec_pairs_each(attach->pairs, object_meta_is_tag, out)
				     : 0;
}

void gml_object_meta_release(struct gml_object_meta *attach)
{
	free(attach->buf);
	memset(attach, 0, sizeof(*attach));
}
