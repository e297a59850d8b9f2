// SPDX-License-Identifier: Apache-2.0
/* What the tests of objects and uploads share. */
#ifndef GML_TEST_OBJECT_SUPPORT_H
#define GML_TEST_OBJECT_SUPPORT_H

#include <gemel/checksum.h>
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/object/put.h"
#include "ns_support.h"

#define B ns_span("bucket")

__attribute__((unused)) static void object_md5(const void *buf, size_t len, uint8_t md5[16])
{
	struct gml_digest *digest = gml_digest_new(GML_DIGEST_MD5);
	uint8_t value[GML_CHECKSUM_SIZE_MAX];

	gml_digest_update(digest, buf, len);
	gml_digest_final(digest, value);
	gml_digest_free(digest);
	memcpy(md5, value, 16);
}

__attribute__((unused)) static struct gml_object_checksum object_sum(int algorithm, const void *buf,
								     size_t len)
{
	struct gml_object_checksum sum = {.algorithm = (uint8_t)algorithm};
	struct gml_digest *digest = gml_digest_new(algorithm);

	gml_digest_update(digest, buf, len);
	gml_digest_final(digest, sum.value);
	gml_digest_free(digest);
	return sum;
}

/* Put with everything; written in pieces of `step`. */
__attribute__((unused)) static int
object_put_full(struct ns *ns, struct gml_op *op, struct gml_span key, const void *buf, size_t len,
		size_t step, uint64_t hint, const struct gml_object_new *attrs,
		const struct gml_conditions *cond, struct gml_object_info *info)
{
	struct gml_put *put = NULL;
	uint8_t md5[16];
	int rc = gml_put_begin(op, ns->store, OBJECT_REF(B, key), hint, &put);

	if (rc != 0)
		return rc;
	for (size_t done = 0; done < len; done += step) {
		rc = gml_put_write(put, (const char *)buf + done,
				   len - done < step ? len - done : step);
		if (rc != 0) {
			gml_put_abort(put);
			return rc;
		}
	}
	object_md5(buf, len, md5);
	return gml_put_finish(
		op, put, &(struct gml_put_options){.md5 = md5, .attrs = attrs, .cond = cond}, info);
}

__attribute__((unused)) static int object_put(struct ns *ns, struct gml_span key, const char *text)
{
	return object_put_full(ns, &ns->op, key, text, strlen(text), 65536, strlen(text), NULL,
			       NULL, NULL);
}

struct object_buf {
	char *p;
	size_t len;
};

static int object_sink(void *arg, const void *buf, size_t len)
{
	struct object_buf *out = arg;

	memcpy(out->p + out->len, buf, len);
	out->len += len;
	return 0;
}

/* Content of an open object, compared. */
__attribute__((unused)) static void object_assert_bytes(struct gml_object *object, uint64_t off,
							const void *want, size_t len)
{
	struct object_buf got = {.p = malloc(len + 1)};

	assert_ok(gml_object_each(object, off, len, object_sink, &got));
	assert_int_equal(got.len, len);
	if (len > 0)
		assert_memory_equal(got.p, want, len);
	free(got.p);
}

__attribute__((unused)) static void object_assert(struct ns *ns, struct gml_span key,
						  const void *want, size_t len)
{
	struct gml_object *object = NULL;

	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, key), true, &object));
	assert_int_equal(gml_object_info(object)->size, len);
	object_assert_bytes(object, 0, want, len);
	gml_object_close(object);
}

__attribute__((unused)) static int object_head(struct ns *ns, struct gml_span key,
					       struct gml_object_info *info)
{
	struct gml_object *object = NULL;
	int rc = gml_object_open(&ns->op, ns->store, OBJECT_REF(B, key), false, &object);

	if (rc == 0 && info != NULL)
		*info = *gml_object_info(object);
	gml_object_close(object);
	return rc;
}

__attribute__((unused)) static int object_del(struct ns *ns, struct gml_span key)
{
	return gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, key), NULL, NULL);
}

__attribute__((unused)) static uint64_t object_count(struct ns *ns, enum gml_table table)
{
	struct gml_txn *txn = NULL;
	uint64_t count = 0;

	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_count(txn, table, &count));
	gml_meta_read_end(txn);
	return count;
}

__attribute__((unused)) static bool object_blob_seen(void *arg, uint64_t id, uint64_t size)
{
	(void)id, (void)size;
	++*(unsigned *)arg;
	return true;
}

__attribute__((unused)) static unsigned object_blob_files(struct ns *ns)
{
	unsigned n = 0;

	assert_ok(gml_blob_each(ns->store->data, object_blob_seen, &n));
	return n;
}

__attribute__((unused)) static void object_reap(struct ns *ns)
{
	unsigned freed;

	do
		assert_ok(gml_store_reap(&ns->op, ns->store,
					 &(struct gml_reap){.max = 100000,
							    .is_open = gml_store_file_is_open,
							    .arg = ns->store},
					 &freed));
	while (freed > 0);
}

/* After all names went: nothing is left but the root and the bucket. */
__attribute__((unused)) static void object_assert_empty(struct ns *ns)
{
	struct gml_bucket bucket;

	object_reap(ns);
	assert_int_equal(object_count(ns, GML_TABLE_INODE), 2);
	assert_int_equal(object_count(ns, GML_TABLE_DIRENT), 1);
	assert_int_equal(object_count(ns, GML_TABLE_COOKIE), 1);
	assert_int_equal(object_count(ns, GML_TABLE_EXTENT), 0);
	assert_int_equal(object_count(ns, GML_TABLE_XATTR), 0);
	assert_int_equal(object_count(ns, GML_TABLE_BLOB), 0);
	assert_int_equal(object_count(ns, GML_TABLE_SUM), 0);
	assert_int_equal(object_count(ns, GML_TABLE_UPLOAD), 0);
	assert_int_equal(object_count(ns, GML_TABLE_PART), 0);
	assert_int_equal(object_count(ns, GML_TABLE_ORPHAN), 0);
	assert_int_equal(object_blob_files(ns), 0);
	assert_ok(gml_bucket_head(&ns->op, ns->store, B, &bucket));
	assert_int_equal(bucket.bytes, 0);
	assert_int_equal(bucket.objects, 0);
}

/* One listed page or more, as text: keys one per line, common prefixes marked with '>'. */
struct object_listing {
	char *keys[4096];
	size_t len[4096];
	bool common[4096];
	unsigned n;
};

static bool object_listing_each(void *arg, const struct gml_list_entry *entry)
{
	struct object_listing *out = arg;

	assert_true(out->n < 4096);
	out->keys[out->n] = malloc(entry->key.len + 1);
	memcpy(out->keys[out->n], entry->key.ptr, entry->key.len);
	out->keys[out->n][entry->key.len] = '\0';
	out->len[out->n] = entry->key.len;
	out->common[out->n++] = entry->common_prefix;
	return true;
}

__attribute__((unused)) static void object_listing_free(struct object_listing *out)
{
	for (unsigned i = 0; i < out->n; i++)
		free(out->keys[i]);
	out->n = 0;
}

/* All pages. */
__attribute__((unused)) static int object_list_all(struct ns *ns, struct gml_op *op,
						   struct gml_span prefix,
						   struct gml_span delimiter, struct gml_span after,
						   uint32_t max, struct object_listing *out)
{
	struct gml_list_query query = {
		.bucket = B, .prefix = prefix, .delimiter = delimiter, .after = after, .max = max};
	bool truncated = true;

	out->n = 0;
	while (truncated) {
		unsigned before = out->n;
		int rc = gml_object_list(op, ns->store, &query, object_listing_each, out,
					 &truncated);

		if (rc != 0)
			return rc;
		assert_true(out->n - before <= max);
		assert_true(!truncated || out->n > before);
		if (out->n > 0)
			query.after =
				(struct gml_span){out->keys[out->n - 1], out->len[out->n - 1]};
	}
	return 0;
}

#endif
