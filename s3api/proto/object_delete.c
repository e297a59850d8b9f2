// SPDX-License-Identifier: Apache-2.0
/* DeleteObject and DeleteObjects. */
#include "call.h"

#include <pthread.h>
#include <stdatomic.h>
#include "gateway/base/assert.h"

#define DELETE_KEYS_MAX 1000
#define DELETE_ELEMENTS_MAX (DELETE_KEYS_MAX * 8 + 16)
#define DELETE_THREADS 15   /* besides the caller's */
#define DELETE_PER_THREAD 8 /* keys that are worth a thread */
#define DELETE_STACK ((size_t)256 << 10)

enum s3_error s3_delete_object(struct s3_call *call)
{
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_conditions cond;
	enum s3_error error = s3_check_version(call);
	if (!error)
		error = s3_conditions_write(call, &cond);
	if (error)
		return error;
	if (cond.if_none_match.ptr) {
		s3_detail(call, "Header", GML_LIT("If-None-Match"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	error = s3_put_error(call, &cond,
			     gml_object_delete(&call->op, call->config->store, &ref, &cond, NULL));
	return error ? error : s3_answer_empty(call, 204);
}

struct delete_item {
	struct gml_span key, version, etag;
	bool unsupported; /* asks for a condition that only directory buckets know */
	enum s3_error error;
};

struct delete_batch {
	struct s3_call *call;
	struct delete_item *items;
	unsigned n;
	bool quiet;
	atomic_uint next; /* first item that no thread works on */
};

static enum s3_error delete_item_read(const struct s3_doc *doc, s3_node node,
				      struct delete_item *out)
{
	s3_node key, version, etag, time, size;
	const struct s3_doc_field fields[] = {{"Key", &key},
					      {"VersionId", &version},
					      {"ETag", &etag},
					      {"LastModifiedTime", &time},
					      {"Size", &size}};
	enum s3_error error = s3_doc_fields(doc, node, fields, sizeof(fields) / sizeof(fields[0]));
	if (error)
		return error;
	out->key = s3_doc_text(doc, key);
	out->version = s3_doc_text(doc, version);
	if (etag)
		out->etag = s3_doc_text(doc, etag);
	out->unsupported = time || size;
	return out->key.len > 0 ? S3_OK : S3_ERR_MALFORMED_XML;
}

/* The whole document, before anything is deleted. */
static enum s3_error delete_read(const struct s3_doc *doc, struct delete_batch *batch)
{
	s3_node root = s3_doc_root(doc, "Delete"), node, quiet = 0;
	for (node = s3_doc_child(doc, root, NULL); node; node = s3_doc_next(doc, node, NULL)) {
		enum s3_error error = S3_OK;
		if (strcmp(s3_doc_name(doc, node), "Quiet") == 0 && !quiet)
			quiet = node;
		else if (strcmp(s3_doc_name(doc, node), "Object") != 0 ||
			 batch->n == DELETE_KEYS_MAX)
			return S3_ERR_MALFORMED_XML;
		else
			error = delete_item_read(doc, node, &batch->items[batch->n++]);
		if (error)
			return error;
	}
	batch->quiet = gml_span_is_nocase(gml_span_trim_space(s3_doc_text(doc, quiet)), "true");
	return batch->n > 0 ? S3_OK : S3_ERR_MALFORMED_XML;
}

static enum s3_error delete_item_do(struct s3_call *call, const struct delete_item *item)
{
	const struct gml_object_ref ref = {
		.bucket = call->bucket, .key = item->key, .version = item->version};
	struct gml_conditions cond = {.if_match = item->etag};
	struct gml_op op = call->op;
	if (item->unsupported)
		return S3_ERR_NOT_IMPLEMENTED;
	if (item->key.len > GML_KEY_MAX)
		return S3_ERR_KEY_TOO_LONG;
	return s3_error_from(gml_object_delete(&op, call->config->store, &ref, &cond, NULL));
}

static void *delete_batch_run(void *arg)
{
	struct delete_batch *batch = arg;
	unsigned i;
	while ((i = atomic_fetch_add(&batch->next, 1)) < batch->n)
		batch->items[i].error = delete_item_do(batch->call, &batch->items[i]);
	return NULL;
}

/* Each deletion waits for a commit, and waiting threads share commits: a few threads are several
 * times faster. Without them (limits) it is slower, not wrong. */
static void delete_batch_do(struct delete_batch *batch)
{
	pthread_t threads[DELETE_THREADS];
	unsigned want = (batch->n - 1) / DELETE_PER_THREAD, n = 0;
	pthread_attr_t attr;
	gml_assert(batch->n > 0 && batch->n <= DELETE_KEYS_MAX); /* delete_read */
	if (pthread_attr_init(&attr) != 0) {
		delete_batch_run(batch);
		return;
	}
	pthread_attr_setstacksize(&attr, DELETE_STACK);
	while (n < want && n < DELETE_THREADS &&
	       pthread_create(&threads[n], &attr, delete_batch_run, batch) == 0)
		n++;
	pthread_attr_destroy(&attr);
	delete_batch_run(batch);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	gml_assert(batch->next >= batch->n); /* every item has its result */
}

static void delete_item_answer(struct s3_call *call, const struct delete_item *item, bool quiet)
{
	struct s3_xml *xml = &call->xml;
	if (!item->error && quiet)
		return;
	s3_xml_open(xml, item->error ? "Error" : "Deleted");
	s3_xml_text(xml, "Key", item->key);
	if (item->version.len > 0)
		s3_xml_text(xml, "VersionId", item->version);
	if (item->error) {
		s3_xml_string(xml, "Code", s3_error_code(item->error));
		s3_xml_string(xml, "Message", s3_error_message(item->error));
	}
	s3_xml_close(xml, item->error ? "Error" : "Deleted");
}

enum s3_error s3_delete_objects(struct s3_call *call)
{
	struct delete_batch batch = {.call = call};
	struct s3_doc *doc = NULL;
	enum s3_error error;
	if (!call->body.integrity.has_md5 && call->body.integrity.algorithm == GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Missing required header for this request: Content-MD5 OR "
				 "x-amz-checksum-*");
	batch.items = s3_arena_array(&call->arena, DELETE_KEYS_MAX, sizeof(*batch.items));
	if (!batch.items)
		return S3_ERR_SERVICE_UNAVAILABLE;
	error = s3_doc_parse(s3_body_text(call), DELETE_ELEMENTS_MAX, &doc);
	if (!error)
		error = delete_read(doc, &batch);
	if (error)
		goto out;
	delete_batch_do(&batch);
	s3_xml_begin(&call->xml, "DeleteResult", true);
	for (unsigned i = 0; i < batch.n; i++)
		delete_item_answer(call, &batch.items[i], batch.quiet);
	s3_xml_close(&call->xml, "DeleteResult");
	error = s3_answer_xml(call, 200);
out:
	s3_doc_free(doc);
	return error;
}
