/* DeleteObject and DeleteObjects. */
#include "call.h"

#define DELETE_KEYS_MAX 1000
#define DELETE_ELEMENTS_MAX (DELETE_KEYS_MAX * 8 + 16)

enum s3_error s3_delete_object(struct s3_call *call)
{
	struct gml_conditions cond;
	enum s3_error error = s3_check_version(call);
	if (!error)
		error = s3_conditions_write(call, &cond);
	if (error)
		return error;
	if (cond.if_none_match.ptr) {
		s3_detail(call, "Header", s3_span("If-None-Match"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	error = s3_put_error(call, &cond,
			     gml_object_delete(&call->op, call->config->store, call->bucket, call->key, &cond, NULL));
	return error ? error : s3_answer_empty(call, 204);
}

struct delete_item {
	struct gml_span key, version, etag;
	bool unsupported; /* asks for a condition that only directory buckets know */
};

static enum s3_error delete_item_read(const struct s3_doc *doc, s3_node node, struct delete_item *out)
{
	*out = (struct delete_item){0};
	for (s3_node child = s3_doc_child(doc, node, NULL); child; child = s3_doc_next(doc, child, NULL)) {
		const char *name = s3_doc_name(doc, child);
		if (strcmp(name, "Key") == 0)
			out->key = s3_doc_text(doc, child);
		else if (strcmp(name, "VersionId") == 0)
			out->version = s3_doc_text(doc, child);
		else if (strcmp(name, "ETag") == 0)
			out->etag = s3_doc_text(doc, child);
		else if (strcmp(name, "LastModifiedTime") == 0 || strcmp(name, "Size") == 0)
			out->unsupported = true;
		else
			return S3_ERR_MALFORMED_XML;
	}
	return out->key.len > 0 ? S3_OK : S3_ERR_MALFORMED_XML;
}

static enum s3_error delete_item_do(struct s3_call *call, const struct delete_item *item)
{
	struct gml_conditions cond = {.if_match = item->etag};
	if (item->unsupported)
		return S3_ERR_NOT_IMPLEMENTED;
	if (item->version.ptr && item->version.len > 0 && !s3_span_is(item->version, "null"))
		return S3_ERR_NO_SUCH_VERSION;
	if (item->key.len > GML_KEY_MAX)
		return S3_ERR_KEY_TOO_LONG;
	return s3_error_from(gml_object_delete(&call->op, call->config->store, call->bucket, item->key, &cond, NULL));
}

static void delete_item_answer(struct s3_call *call, const struct delete_item *item, enum s3_error error, bool quiet)
{
	struct s3_xml *xml = &call->xml;
	if (!error && quiet)
		return;
	s3_xml_open(xml, error ? "Error" : "Deleted");
	s3_xml_text(xml, "Key", item->key);
	if (item->version.len > 0)
		s3_xml_text(xml, "VersionId", item->version);
	if (error) {
		s3_xml_string(xml, "Code", s3_error_code(error));
		s3_xml_string(xml, "Message", s3_error_message(error));
	}
	s3_xml_close(xml, error ? "Error" : "Deleted");
}

/* First pass: nothing is deleted when the document is not what it should be. */
static enum s3_error delete_check(const struct s3_doc *doc, s3_node root, bool *quiet_out)
{
	struct delete_item item;
	unsigned count = 0;
	*quiet_out = false;
	for (s3_node node = s3_doc_child(doc, root, NULL); node; node = s3_doc_next(doc, node, NULL)) {
		enum s3_error error = S3_OK;
		if (strcmp(s3_doc_name(doc, node), "Quiet") == 0)
			*quiet_out = s3_span_is_nocase(s3_span_trim(s3_doc_text(doc, node)), "true");
		else if (strcmp(s3_doc_name(doc, node), "Object") != 0 || ++count > DELETE_KEYS_MAX)
			return S3_ERR_MALFORMED_XML;
		else
			error = delete_item_read(doc, node, &item);
		if (error)
			return error;
	}
	return count > 0 ? S3_OK : S3_ERR_MALFORMED_XML;
}

enum s3_error s3_delete_objects(struct s3_call *call)
{
	struct s3_doc *doc = NULL;
	struct delete_item item;
	enum s3_error error;
	s3_node root, node;
	bool quiet;

	if (!call->body.claim.has_md5 && call->body.claim.algorithm == GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
	error = s3_doc_parse(s3_body_text(call), DELETE_ELEMENTS_MAX, &doc);
	if (error)
		return error;
	root = s3_doc_root(doc, "Delete");
	error = root ? delete_check(doc, root, &quiet) : S3_ERR_MALFORMED_XML;
	if (error)
		goto out;
	s3_xml_begin(&call->xml, "DeleteResult", true);
	for (node = s3_doc_child(doc, root, "Object"); node; node = s3_doc_next(doc, node, "Object")) {
		delete_item_read(doc, node, &item);
		delete_item_answer(call, &item, delete_item_do(call, &item), quiet);
	}
	s3_xml_close(&call->xml, "DeleteResult");
	error = s3_answer_xml(call, 200);
out:
	s3_doc_free(doc);
	return error;
}
