// SPDX-License-Identifier: Apache-2.0
/* The digests that a client sends with content: Content-MD5 and S3's checksums. */
#include "body.h"

#include "call.h"
#include "gateway/base/base64.h"

#define INTEGRITY_PREFIX "x-amz-checksum-"

bool s3_integrity_decode(struct gml_span text, enum gml_checksum algorithm, uint8_t *value,
			 uint32_t *nparts_out)
{
	size_t dash = gml_span_find(text, '-');
	if (nparts_out)
		*nparts_out = 0;
	if (dash < text.len) {
		uint64_t nparts;
		if (!nparts_out ||
		    !gml_span_u64(gml_span_from(text, dash + 1), GML_PART_MAX, &nparts) ||
		    nparts == 0)
			return false;
		*nparts_out = (uint32_t)nparts;
		text.len = dash;
	}
	return gml_checksum_size(algorithm) > 0 &&
	       gml_base64_decode(text, value, gml_checksum_size(algorithm));
}

static enum s3_error integrity_unsupported(struct s3_call *call)
{
	return s3_refuse(call, S3_ERR_INVALID_REQUEST,
			 "Checksum algorithm provided is unsupported. Please try again with any of "
			 "the valid types: "
			 "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

/* Not values: they describe one. */
static bool integrity_is_option(struct gml_span name)
{
	return gml_span_is(name, "x-amz-checksum-algorithm") ||
	       gml_span_is(name, "x-amz-checksum-type") || gml_span_is(name, "x-amz-checksum-mode");
}

static enum s3_error integrity_read_header(struct s3_call *call,
					   const struct gml_http_header *header,
					   struct s3_integrity *out)
{
	enum gml_checksum algorithm =
		gml_checksum_by_name(gml_span_from(header->name, sizeof(INTEGRITY_PREFIX) - 1));
	bool whole_upload = call->operation->handler == s3_complete_upload;
	if (algorithm == GML_CHECKSUM_NONE)
		return integrity_unsupported(call);
	if (out->algorithm != GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Expecting a single x-amz-checksum- header. Multiple checksum "
				 "Types are not allowed.");
	if (!s3_integrity_decode(header->value, algorithm, out->value,
				 whole_upload ? &out->nparts : NULL))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST, "Value for %.*s header is invalid.",
				 (int)header->name.len, gml_span_chars(header->name));
	out->algorithm = algorithm;
	out->composite = out->nparts > 0;
	return S3_OK;
}

static enum s3_error integrity_read_trailer(struct s3_call *call, struct s3_integrity *out)
{
	struct gml_span rest = s3_header(call, "x-amz-trailer");
	while (rest.len > 0) {
		struct gml_span name = gml_span_trim_space(gml_span_cut(&rest, ','));
		enum gml_checksum algorithm = GML_CHECKSUM_NONE;
		if (name.len == 0)
			continue;
		if (name.len > sizeof(INTEGRITY_PREFIX) - 1 &&
		    strncasecmp(name.ptr, INTEGRITY_PREFIX, sizeof(INTEGRITY_PREFIX) - 1) == 0)
			algorithm = gml_checksum_by_name(
				gml_span_from(name, sizeof(INTEGRITY_PREFIX) - 1));
		if (algorithm == GML_CHECKSUM_NONE)
			return s3_refuse(
				call, S3_ERR_INVALID_REQUEST,
				"The value specified in the x-amz-trailer header is not supported");
		if (out->algorithm != GML_CHECKSUM_NONE)
			return s3_refuse(call, S3_ERR_INVALID_REQUEST,
					 "Expecting a single x-amz-checksum- header. Multiple "
					 "checksum Types are not allowed.");
		out->algorithm = algorithm;
		out->trailer = true;
	}
	return S3_OK;
}

static enum s3_error integrity_check_sdk(struct s3_call *call, const struct s3_integrity *expected)
{
	struct gml_span sdk = s3_header(call, "x-amz-sdk-checksum-algorithm");
	enum gml_checksum algorithm;
	if (!sdk.ptr)
		return S3_OK;
	algorithm = gml_checksum_by_name(sdk);
	if (algorithm == GML_CHECKSUM_NONE)
		return integrity_unsupported(call);
	if (expected->algorithm == GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "x-amz-sdk-checksum-algorithm specified, but no corresponding "
				 "x-amz-checksum-* or "
				 "x-amz-trailer "
				 "headers were found.");
	if (algorithm != expected->algorithm)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Value for x-amz-sdk-checksum-algorithm header is invalid.");
	return S3_OK;
}

enum s3_error s3_integrity_read(struct s3_call *call, struct s3_integrity *out)
{
	struct gml_span md5 = s3_header(call, "content-md5");
	enum s3_error error;
	*out = (struct s3_integrity){0};
	if (md5.ptr) {
		if (!gml_base64_decode(md5, out->md5, sizeof(out->md5))) {
			s3_detail(call, "Content-MD5", md5);
			return S3_ERR_INVALID_DIGEST;
		}
		out->has_md5 = true;
	}
	for (size_t i = 0; i < call->nheaders; i++) {
		const struct gml_http_header *header = &call->headers[i];
		if (!gml_span_starts(header->name, GML_LIT(INTEGRITY_PREFIX)) ||
		    integrity_is_option(header->name))
			continue;
		error = integrity_read_header(call, header, out);
		if (error)
			return error;
	}
	error = integrity_read_trailer(call, out);
	return error ? error : integrity_check_sdk(call, out);
}
