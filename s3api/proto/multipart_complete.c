// SPDX-License-Identifier: Apache-2.0
/* CompleteMultipartUpload: the list of parts, checked and handed to the core. */
#include "call.h"

#include <stdlib.h>
#include "gateway/base/assert.h"
#include "gateway/base/percent.h"

/* Per part: itself, number, ETag, and checksums. */
#define COMPLETE_ELEMENTS_MAX (GML_PART_MAX * 9 + 16)

struct complete_list {
	struct gml_part_ref *parts;
	uint32_t n;
};

static struct gml_span complete_unquote(struct gml_span etag)
{
	etag = gml_span_trim_space(etag);
	if (etag.len >= 2 && gml_span_starts(etag, GML_LIT("\"")) &&
	    gml_span_chars(etag)[etag.len - 1] == '"') {
		etag = gml_span_from(etag, 1);
		etag.len--;
	}
	return etag;
}

static enum s3_error complete_part_checksum(struct s3_call *call, const struct s3_doc *doc,
					    s3_node node, struct gml_part_ref *out)
{
	enum gml_checksum algorithm =
		gml_checksum_by_name(gml_span_text(s3_doc_name(doc, node) + strlen("Checksum")));
	if (algorithm == GML_CHECKSUM_NONE)
		return S3_ERR_MALFORMED_XML;
	if (out->checksum.algorithm != GML_CHECKSUM_NONE ||
	    !s3_integrity_decode(gml_span_trim_space(s3_doc_text(doc, node)), algorithm,
				 out->checksum.value, NULL))
		return s3_refuse(call, S3_ERR_INVALID_ARGUMENT,
				 "Invalid Base64 or multiple checksums present in request");
	out->checksum.algorithm = (uint8_t)algorithm;
	return S3_OK;
}

static enum s3_error complete_read_part(struct s3_call *call, const struct s3_doc *doc,
					s3_node part, struct gml_part_ref *out)
{
	struct gml_span number = {NULL, 0}, etag = {NULL, 0};
	uint64_t value;
	for (s3_node node = s3_doc_child(doc, part, NULL); node;
	     node = s3_doc_next(doc, node, NULL)) {
		enum s3_error error = S3_OK;
		if (strcmp(s3_doc_name(doc, node), "PartNumber") == 0 && !number.ptr)
			number = gml_span_trim_space(s3_doc_text(doc, node));
		else if (strcmp(s3_doc_name(doc, node), "ETag") == 0 && !etag.ptr)
			etag = complete_unquote(s3_doc_text(doc, node));
		else if (strncmp(s3_doc_name(doc, node), "Checksum", 8) == 0)
			error = complete_part_checksum(call, doc, node, out);
		else
			error = S3_ERR_MALFORMED_XML;
		if (error)
			return error;
	}
	if (number.ptr && gml_span_starts(number, GML_LIT("-")) &&
	    gml_span_u64(gml_span_from(number, 1), INT32_MAX, &value))
		value = 0; /* as wrong as that */
	else if (!number.ptr || !gml_span_u64(number, INT32_MAX, &value))
		return S3_ERR_MALFORMED_XML;
	if (!etag.ptr)
		return S3_ERR_MALFORMED_XML;
	if (value < 1 || value > GML_PART_MAX)
		return s3_refuse_argument(call, "partNumber", number,
					  "PartNumber must be between 1 and 10000, inclusive");
	out->number = (uint32_t)value;
	_Static_assert(sizeof(out->etag) == GML_ETAG_MAX + 1, "with its NUL");
	if (etag.len > GML_ETAG_MAX)
		return S3_ERR_INVALID_PART;
	memcpy(out->etag, etag.ptr, etag.len);
	out->etag[etag.len] = 0;
	return S3_OK;
}

static enum s3_error complete_read(struct s3_call *call, struct complete_list *list)
{
	struct s3_doc *doc = NULL;
	enum s3_error error = s3_doc_parse(s3_body_text(call), COMPLETE_ELEMENTS_MAX, &doc);
	s3_node root, node;
	uint32_t count = 0;

	if (error)
		return error;
	error = S3_ERR_MALFORMED_XML;
	root = s3_doc_root(doc, "CompleteMultipartUpload");
	for (node = s3_doc_child(doc, root, NULL); node; node = s3_doc_next(doc, node, NULL))
		if (strcmp(s3_doc_name(doc, node), "Part") != 0 || ++count > GML_PART_MAX)
			goto out;
	if (count == 0)
		goto out;
	list->parts = calloc(count, sizeof(*list->parts));
	error = list->parts ? S3_OK : S3_ERR_SERVICE_UNAVAILABLE;
	for (node = s3_doc_child(doc, root, NULL); node && !error;
	     node = s3_doc_next(doc, node, NULL))
		error = complete_read_part(call, doc, node, &list->parts[list->n++]);
	gml_assert(error || list->n == count);
	for (uint32_t i = 1; i < list->n && !error; i++)
		if (list->parts[i].number <= list->parts[i - 1].number)
			error = S3_ERR_INVALID_PART_ORDER;
out:
	s3_doc_free(doc);
	return error;
}

/* The object's checksum, size and type that the client states in headers. upload NULL: the upload
 * is gone; only its object is known. */
static enum s3_error complete_expected(struct s3_call *call, const struct gml_upload *upload,
				       struct gml_object_checksum *checksum, uint64_t *size)
{
	const struct s3_integrity *expected = &call->body.integrity;
	struct gml_span type = s3_header(call, "x-amz-checksum-type"),
			text = s3_header(call, "x-amz-mp-object-size");
	*size = UINT64_MAX;
	if (text.ptr && !gml_span_u64(text, INT64_MAX, size))
		return s3_refuse_argument(call, "x-amz-mp-object-size", text,
					  "The object size is not a number.");
	if (upload && type.ptr &&
	    !gml_span_is_nocase(type, upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT"))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The upload was created using the %s checksum mode. The complete "
				 "request must use the "
				 "same checksum mode.",
				 upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
	if (expected->algorithm == GML_CHECKSUM_NONE)
		return S3_OK;
	/* Without a choice, the whole has S3's default. */
	if (upload &&
	    expected->algorithm != (upload->checksum_algorithm
					    ? (enum gml_checksum)upload->checksum_algorithm
					    : GML_CHECKSUM_CRC64NVME))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The upload was created using another checksum algorithm than %s.",
				 gml_checksum_name(expected->algorithm));
	checksum->algorithm = (uint8_t)expected->algorithm;
	checksum->composite = upload && upload->checksum_composite;
	memcpy(checksum->value, expected->value, sizeof(checksum->value));
	return S3_OK;
}

/* A composite checksum is made of those of the parts, so the client must send all of them. */
static enum s3_error complete_check_parts(struct s3_call *call, const struct gml_upload *upload,
					  const struct complete_list *list)
{
	for (uint32_t i = 0; upload->checksum_composite && i < list->n; i++)
		if (list->parts[i].checksum.algorithm == GML_CHECKSUM_NONE)
			return s3_refuse(
				call, S3_ERR_INVALID_REQUEST,
				"The upload was created using a %s checksum. The complete request "
				"must "
				"include the checksum for each part. It was missing for part %u in "
				"the "
				"request.",
				gml_checksum_name((enum gml_checksum)upload->checksum_algorithm),
				list->parts[i].number);
	return S3_OK;
}

static const char *complete_location(struct s3_call *call)
{
	struct gml_span host = s3_header(call, "host");
	char *key = s3_arena_alloc(&call->arena, call->key.len * 3 + 1);
	size_t len = key ? gml_percent_encode(call->key, true, key) : 0;
	return s3_arena_printf(&call->arena, "%s://%.*s/%.*s%s%.*s", call->tls ? "https" : "http",
			       (int)host.len, host.ptr ? gml_span_chars(host) : "",
			       (int)(call->virtual_host ? 0 : call->bucket.len),
			       gml_span_chars(call->bucket), call->virtual_host ? "" : "/",
			       (int)len, key ? key : "");
}

static enum s3_error complete_answer(struct s3_call *call, const struct gml_object_info *info)
{
	struct s3_xml *xml = &call->xml;
	s3_xml_begin(xml, "CompleteMultipartUploadResult", true);
	s3_xml_string(xml, "Location", complete_location(call));
	s3_xml_text(xml, "Bucket", call->bucket);
	s3_xml_text(xml, "Key", call->key);
	s3_xml_etag(xml, "ETag", info->etag);
	s3_xml_checksum(xml, &info->checksum, info->nparts, true);
	s3_xml_close(xml, "CompleteMultipartUploadResult");
	return s3_answer_xml(call, 200);
}

static enum s3_error complete_do(struct s3_call *call, const struct complete_list *list)
{
	struct gml_object_checksum checksum = {0};
	struct gml_object_info info = {0};
	struct gml_conditions cond;
	struct gml_upload upload;
	struct gml_upload_ref ref;
	struct gml_complete_options options = {.parts = list->parts, .nparts = list->n};
	uint64_t size = UINT64_MAX;
	enum s3_error error = s3_conditions_write(call, &cond);
	bool gone;
	int rc;
	if (!error)
		error = s3_upload_find(call, GML_ACTION_COMPLETE_UPLOAD, &ref, &upload);
	/* or completed before, and the answer got lost: the core finds out */
	gone = error == S3_ERR_NO_SUCH_UPLOAD;
	if (!error || gone)
		error = complete_expected(call, gone ? NULL : &upload, &checksum, &size);
	if (!error && !gone)
		error = complete_check_parts(call, &upload, list);
	if (error)
		return error;
	options.checksum = checksum.algorithm ? &checksum : NULL;
	options.has_size = size != UINT64_MAX;
	options.size = size;
	options.cond = &cond;
	rc = gml_upload_complete(&call->op, call->config->store, &ref, &options, &info);
	switch (rc) {
	case 0:
		return complete_answer(call, &info);
	case GML_ERR_NOUPLOAD:
		return gone ? S3_ERR_NO_SUCH_UPLOAD
			    : s3_upload_error(call, rc); /* UploadId is said already */
	case GML_ERR_INVAL:
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The parts do not make the object that the request describes.");
	case GML_ERR_BADDIGEST:
		return s3_refuse(
			call, S3_ERR_BAD_DIGEST,
			"The checksum you specified did not match the calculated checksum.");
	default:
		return s3_put_error(call, &cond, rc);
	}
}

enum s3_error s3_complete_upload(struct s3_call *call)
{
	struct complete_list list = {0};
	enum s3_error error = complete_read(call, &list);
	if (!error)
		error = complete_do(call, &list);
	free(list.parts);
	return error;
}
