// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads: create, parts, abort. */
#include "call.h"

#include "gateway/base/assert.h"
#include "range.h"

/* ---- what all of them need ---- */

static struct gml_span multipart_id(const struct s3_call *call)
{
	struct gml_span id;
	return s3_param(call, "uploadId", &id) && id.ptr ? id : GML_LIT("");
}

enum s3_error s3_upload_error(struct s3_call *call, int rc)
{
	/* The key need not exist while an upload of it does: what is missing is the upload. */
	if (rc == GML_ERR_NOENT)
		rc = GML_ERR_NOUPLOAD;
	if (rc == GML_ERR_NOUPLOAD)
		s3_detail(call, "UploadId", multipart_id(call));
	return s3_error_from(rc);
}

enum s3_error s3_upload_find(struct s3_call *call, enum gml_action action,
			     struct gml_upload_ref *ref_out, struct gml_upload *upload_out)
{
	ref_out->object = s3_object_ref(call);
	ref_out->id = multipart_id(call);
	if (ref_out->id.len != GML_UPLOAD_ID_LEN)
		return s3_upload_error(call, GML_ERR_NOUPLOAD);
	return s3_upload_error(
		call, gml_upload_get(&call->op, call->config->store, ref_out, action, upload_out));
}

/* ---- CreateMultipartUpload ---- */

/* The kinds that S3 knows: CRCs of whole objects, SHAs of parts; CRC32 and CRC32C of either, parts
 * by default. */
static enum s3_error multipart_checksum(struct s3_call *call, enum gml_checksum *algorithm,
					bool *composite, bool *asked)
{
	struct gml_span name = s3_header(call, "x-amz-checksum-algorithm"),
			type = s3_header(call, "x-amz-checksum-type");
	bool sha;
	*asked = name.ptr != NULL;
	*algorithm = name.ptr ? gml_checksum_by_name(name) : GML_CHECKSUM_CRC64NVME;
	if (*algorithm == GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Checksum algorithm provided is unsupported. Please try again "
				 "with any of the valid types: "
				 "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
	sha = *algorithm == GML_CHECKSUM_SHA1 || *algorithm == GML_CHECKSUM_SHA256;
	*composite = *algorithm != GML_CHECKSUM_CRC64NVME;
	if (!type.ptr)
		return S3_OK;
	if (!name.ptr)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The x-amz-checksum-type header can only be used with the "
				 "x-amz-checksum-algorithm header.");
	if (!gml_span_is_nocase(type, "COMPOSITE") && !gml_span_is_nocase(type, "FULL_OBJECT"))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Value for x-amz-checksum-type header is invalid.");
	*composite = gml_span_is_nocase(type, "COMPOSITE");
	if (*composite ? *algorithm == GML_CHECKSUM_CRC64NVME : sha)
		return s3_refuse(
			call, S3_ERR_INVALID_REQUEST,
			"The %s checksum type cannot be used with the %s checksum algorithm.",
			*composite ? "COMPOSITE" : "FULL_OBJECT", gml_checksum_name(*algorithm));
	return S3_OK;
}

enum s3_error s3_create_upload(struct s3_call *call)
{
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_object_new attrs;
	struct gml_upload_options options = {.attrs = &attrs};
	struct gml_grants *grants = NULL;
	enum gml_checksum algorithm;
	bool asked = false;
	char id[GML_UPLOAD_ID_LEN + 1];
	enum s3_error error = multipart_checksum(call, &algorithm, &options.composite, &asked);
	int rc;
	if (!error)
		error = s3_meta_read(call, &attrs);
	if (!error)
		error = s3_grants_read_headers(call, &grants);
	if (error)
		return error;
	gml_assert(asked || !options.composite); /* the core's default is of the whole */
	options.grants = grants;
	options.checksum = asked ? algorithm : GML_CHECKSUM_NONE;
	rc = gml_upload_create(&call->op, call->config->store, &ref, &options, id);
	if (rc != 0)
		return s3_error_from(rc);
	if (asked) {
		s3_answer_header(call, "x-amz-checksum-algorithm",
				 gml_span_text(gml_checksum_name(algorithm)));
		s3_answer_header(call, "x-amz-checksum-type",
				 gml_span_text(options.composite ? "COMPOSITE" : "FULL_OBJECT"));
	}
	s3_xml_begin(&call->xml, "InitiateMultipartUploadResult", true);
	s3_xml_text(&call->xml, "Bucket", call->bucket);
	s3_xml_text(&call->xml, "Key", call->key);
	s3_xml_string(&call->xml, "UploadId", id);
	s3_xml_close(&call->xml, "InitiateMultipartUploadResult");
	return s3_answer_xml(call, 200);
}

/* ---- UploadPart ---- */

struct part_state {
	enum gml_checksum algorithm; /* what the upload keeps */
};

static enum s3_error part_finish(struct s3_call *call)
{
	struct part_state *state = call->state;
	struct gml_object_checksum checksum = {.algorithm = (uint8_t)state->algorithm};
	struct gml_put *put = call->body.put;
	struct gml_part part;
	int rc;
	gml_assert(put != NULL && call->body.received == call->body.expected);
	memcpy(checksum.value, s3_body_digest(call, checksum.algorithm),
	       gml_checksum_size(state->algorithm));
	call->body.put = NULL; /* consumed in any case */
	rc = gml_part_finish(&call->op, put, s3_body_digest(call, GML_DIGEST_MD5), &checksum,
			     &part);
	if (rc != 0)
		return s3_upload_error(call, rc);
	s3_answer_part_etag(call, part.md5);
	if (call->body.integrity.algorithm != GML_CHECKSUM_NONE &&
	    call->body.integrity.algorithm != state->algorithm) {
		checksum.algorithm = (uint8_t)call->body.integrity.algorithm;
		memcpy(checksum.value, call->body.integrity.value, sizeof(checksum.value));
	}
	s3_answer_checksum(call, &checksum, 0, false);
	return s3_answer_empty(call, 200);
}

/* A part's checksum must be of the upload's kind. The default kind was not chosen by anyone: then
 * any is verified, and ours is stored. A composite one is made of what the client says of its
 * parts: it must say it. */
static enum s3_error part_check_algorithm(struct s3_call *call, const struct gml_upload *upload)
{
	enum gml_checksum requested = call->body.integrity.algorithm,
			  kept = (enum gml_checksum)upload->checksum_algorithm;
	bool fits =
		requested == kept || kept == GML_CHECKSUM_CRC64NVME || kept == GML_CHECKSUM_NONE;
	if (requested == GML_CHECKSUM_NONE)
		fits = !upload->checksum_composite;
	if (fits)
		return S3_OK;
	return s3_refuse(call, S3_ERR_INVALID_REQUEST,
			 "Checksum Type mismatch occurred, expected checksum Type: %s, actual "
			 "checksum Type: %s",
			 gml_checksum_name(kept),
			 requested != GML_CHECKSUM_NONE ? gml_checksum_name(requested) : "null");
}

enum s3_error s3_upload_part(struct s3_call *call)
{
	struct part_state *state = s3_arena_alloc(&call->arena, sizeof(*state));
	uint64_t max = call->config->object_size_max < GML_PART_SIZE_MAX
			       ? call->config->object_size_max
			       : GML_PART_SIZE_MAX;
	struct gml_upload_ref ref;
	struct gml_upload upload;
	uint32_t number = 0;
	enum s3_error error = s3_param_ranged(call, "partNumber", 1, GML_PART_MAX, &number);
	if (!state)
		return S3_ERR_SERVICE_UNAVAILABLE;
	if (!error)
		error = s3_upload_find(call, GML_ACTION_UPLOAD_PART, &ref, &upload);
	if (!error)
		error = s3_body_begin(call, false, max);
	if (!error)
		error = part_check_algorithm(call, &upload);
	if (error)
		return error;
	state->algorithm = upload.checksum_algorithm ? (enum gml_checksum)upload.checksum_algorithm
						     : GML_CHECKSUM_CRC64NVME;
	call->state = state;
	call->work = part_finish;
	error = s3_body_want(call, GML_DIGEST_MD5);
	if (!error)
		error = s3_body_want(call, (int)state->algorithm);
	if (!error)
		error = s3_upload_error(call,
					gml_part_begin(&call->op, call->config->store, &ref, number,
						       call->body.expected, &call->body.put));
	return error;
}

/* ---- UploadPartCopy ---- */

/* "bytes=first-last", both given and inside the source. */
static enum s3_error part_copy_range(struct s3_call *call, const struct s3_copy_source *source,
				     uint64_t *off, uint64_t *len)
{
	struct gml_span range = s3_header(call, "x-amz-copy-source-range"), last, first;
	uint64_t a, b, size;
	unsigned granted = 0;
	int rc;
	*off = 0;
	*len = UINT64_MAX;
	if (!range.ptr)
		return S3_OK;
	last = gml_span_starts(range, GML_LIT("bytes=")) ? gml_span_from(range, 6) : GML_LIT("");
	first = gml_span_cut(&last, '-');
	if (!gml_span_u64(first, INT64_MAX, &a) || !gml_span_u64(last, INT64_MAX, &b) || a > b)
		return s3_refuse_argument(
			call, "x-amz-copy-source-range", range,
			"The x-amz-copy-source-range value must be of the form bytes=first-last "
			"where first and last are the "
			"zero-based offsets of the first and last bytes to copy");
	gml_assert(call->object == NULL);
	rc = gml_object_open(&call->op, call->config->store, &source->object, GML_OBJECT_FACTS,
			     &call->object);
	if (rc == 0)
		rc = gml_inode_access(&call->op, call->config->store,
				      gml_object_info(call->object)->ino, GML_MAY_READ, &granted);
	if (rc != 0)
		return s3_copy_error(call, source, rc);
	if (!(granted & GML_MAY_READ))
		return S3_ERR_ACCESS_DENIED; /* its size is told only to who may read it */
	size = gml_object_info(call->object)->size;
	if (b >= size)
		return s3_refuse_argument(
			call, "x-amz-copy-source-range", range,
			s3_arena_printf(
				&call->arena,
				"Range specified is not valid for source object of size: %llu",
				(unsigned long long)size));
	*off = a;
	*len = b - a + 1;
	return S3_OK;
}

enum s3_error s3_upload_part_copy(struct s3_call *call)
{
	struct s3_copy_source source;
	struct gml_upload upload;
	struct gml_part_copy_options options = {.src_cond = &source.cond};
	struct gml_upload_ref ref;
	struct gml_part part;
	char etag[33];
	enum s3_error error = s3_param_ranged(call, "partNumber", 1, GML_PART_MAX, &options.number);
	int rc;
	if (!error)
		error = s3_copy_source_read(call, &source);
	if (!error)
		error = s3_upload_find(call, GML_ACTION_UPLOAD_PART, &ref, &upload);
	if (!error)
		error = part_copy_range(call, &source, &options.off, &options.len);
	if (error)
		return error;
	rc = gml_part_copy(&call->op, call->config->store, &source.object, &ref, &options, &part);
	if (rc == GML_ERR_NOUPLOAD)
		return s3_upload_error(call, rc);
	if (rc != 0)
		return s3_copy_error(call, &source, rc);
	s3_part_etag(part.md5, etag);
	s3_xml_begin(&call->xml, "CopyPartResult", true);
	s3_xml_date(&call->xml, "LastModified", part.mtime);
	s3_xml_etag(&call->xml, "ETag", etag);
	s3_xml_checksum(&call->xml, &part.checksum, 0, false);
	s3_xml_close(&call->xml, "CopyPartResult");
	return s3_answer_xml(call, 200);
}

enum s3_error s3_abort_upload(struct s3_call *call)
{
	const struct gml_upload_ref ref = {.object = s3_object_ref(call), .id = multipart_id(call)};
	int rc = ref.id.len == GML_UPLOAD_ID_LEN
			 ? gml_upload_abort(&call->op, call->config->store, &ref)
			 : GML_ERR_NOUPLOAD;
	return rc != 0 ? s3_upload_error(call, rc) : s3_answer_empty(call, 204);
}
