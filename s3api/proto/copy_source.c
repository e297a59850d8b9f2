// SPDX-License-Identifier: Apache-2.0
/* x-amz-copy-source: "bucket/key" or "/bucket/key", percent-encoded, with ?versionId=. */
#include "call.h"
#include "gateway/base/percent.h"

static enum s3_error copy_source_invalid(struct s3_call *call, struct gml_span raw,
					 const char *message)
{
	return s3_refuse_argument(call, "x-amz-copy-source", raw, message);
}

static enum s3_error copy_source_version(struct s3_call *call, struct gml_span query)
{
	if (query.len == 0 || gml_span_is(query, "versionId=null"))
		return S3_OK;
	return s3_refuse_argument(call, "x-amz-copy-source", query, "Invalid version id specified");
}

enum s3_error s3_copy_source_name(struct s3_call *call, struct gml_span raw, struct gml_span *out)
{
	struct gml_span rest = raw, path = gml_span_cut(&rest, '?');
	char *text = s3_arena_alloc(&call->arena, path.len);
	long len;
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	len = gml_percent_decode(path, AUTH_PATH_PLUS, text);
	if (len < 0 || memchr(text, 0, (size_t)len))
		return copy_source_invalid(call, raw, "Invalid copy source encoding.");
	*out = gml_span_of(text, (size_t)len);
	if (gml_span_starts(*out, GML_LIT("/")))
		*out = gml_span_from(*out, 1);
	return S3_OK;
}

static enum s3_error copy_source_split(struct s3_call *call, struct gml_span raw,
				       struct s3_copy_source *out)
{
	struct gml_span query = raw;
	enum s3_error error;
	gml_span_cut(&query, '?');
	error = copy_source_version(call, query);
	if (!error)
		error = s3_copy_source_name(call, raw, &out->object.key);
	if (error)
		return error;
	if (gml_span_starts(out->object.key, GML_LIT("arn:")))
		return S3_ERR_NOT_IMPLEMENTED; /* access points */
	out->object.bucket = gml_span_cut(&out->object.key, '/');
	if (out->object.bucket.len == 0 || out->object.key.len == 0)
		return copy_source_invalid(call, raw,
					   "Copy Source must mention the source bucket and key: "
					   "sourcebucket/sourcekey");
	if (gml_bucket_name_check(out->object.bucket) != 0) {
		s3_detail(call, "BucketName", out->object.bucket);
		return S3_ERR_INVALID_BUCKET_NAME;
	}
	return out->object.key.len > GML_KEY_MAX ? S3_ERR_KEY_TOO_LONG : S3_OK;
}

static enum s3_error copy_source_owner(struct s3_call *call, const struct s3_copy_source *source)
{
	struct gml_span expected = s3_header(call, "x-amz-source-expected-bucket-owner");
	uint32_t uid;
	int rc;
	if (!expected.ptr)
		return S3_OK;
	rc = gml_bucket_owner(call->config->store, source->object.bucket, &uid);
	if (rc != 0)
		return s3_copy_error(call, source, rc);
	return s3_owner_matches(expected, uid) ? S3_OK : S3_ERR_ACCESS_DENIED;
}

enum s3_error s3_copy_source_read(struct s3_call *call, struct s3_copy_source *out)
{
	enum s3_error error;
	*out = (struct s3_copy_source){0};
	error = copy_source_split(call, s3_header(call, "x-amz-copy-source"), out);
	if (error)
		return error;
	s3_conditions_read_source(call, &out->cond);
	return copy_source_owner(call, out);
}

enum s3_error s3_copy_error(struct s3_call *call, const struct s3_copy_source *source, int rc)
{
	switch (rc) {
	case GML_ERR_NOTMODIFIED: /* a copy has no 304 */
		return S3_ERR_PRECONDITION_FAILED;
	case GML_ERR_NOENT:
		s3_detail(call, "Key", source->object.key);
		return S3_ERR_NO_SUCH_KEY;
	case GML_ERR_NOBUCKET: {
		/* Which of the two? */
		uint32_t uid;
		bool target = gml_bucket_owner(call->config->store, call->bucket, &uid) ==
			      GML_ERR_NOBUCKET;
		s3_detail(call, "BucketName", target ? call->bucket : source->object.bucket);
		return S3_ERR_NO_SUCH_BUCKET;
	}
	default:
		return s3_error_from(rc);
	}
}
