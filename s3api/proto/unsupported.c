// SPDX-License-Identifier: Apache-2.0
/* Refuses requests for features that are not implemented. No header or parameter that changes the
 * meaning of a request is ignored. Two headers change nothing here:
 * x-amz-bypass-governance-retention and x-amz-mfa open locks, and there are no locks. */
#include "call.h"

#include <stdio.h>

/* Operations that make something, or set its grants. */
static bool unsupported_takes_grants(const struct s3_call *call)
{
	static const s3_handler handlers[] = {s3_create_bucket, s3_put_acl, s3_put_object,
					      s3_copy_object, s3_create_upload};
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (call->operation->handler == handlers[i])
			return true;
	return false;
}

static const struct {
	const char *name;
	bool prefix;
	const char *harmless; /* the one value without effect, in any case; NULL: none */
	enum s3_error error;
} unsupported_headers[] = {
	{"x-amz-bucket-object-lock-enabled", false, "false", S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-bucket-namespace", false, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-copy-source-server-side-encryption-", true, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-if-match-", true, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-object-lock-", true, NULL, S3_ERR_INVALID_REQUEST},
	{"x-amz-acl", false, "private", S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-grant-", true, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-object-ownership", false, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-rename-source", true, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-server-side-encryption", true, NULL, S3_ERR_NOT_IMPLEMENTED},
	{"x-amz-write-offset-bytes", false, NULL, S3_ERR_NOT_IMPLEMENTED},
};

enum s3_error s3_unsupported_lock(struct s3_call *call)
{
	return s3_refuse(call, S3_ERR_INVALID_REQUEST,
			 "Bucket is missing Object Lock Configuration");
}

static enum s3_error unsupported_header(struct s3_call *call, const struct gml_http_header *header)
{
	if (unsupported_takes_grants(call) &&
	    (gml_span_is(header->name, "x-amz-acl") ||
	     gml_span_starts(header->name, GML_LIT("x-amz-grant-"))))
		return S3_OK;
	if (call->operation->handler == s3_create_bucket &&
	    gml_span_is(header->name, "x-amz-object-ownership"))
		return S3_OK;
	for (size_t i = 0; i < sizeof(unsupported_headers) / sizeof(unsupported_headers[0]); i++) {
		const char *name = unsupported_headers[i].name;
		if (unsupported_headers[i].prefix
			    ? !gml_span_starts(header->name, gml_span_text(name))
			    : !gml_span_is(header->name, name))
			continue;
		if (unsupported_headers[i].harmless &&
		    gml_span_is_nocase(header->value, unsupported_headers[i].harmless))
			continue;
		if (unsupported_headers[i].error == S3_ERR_NOT_IMPLEMENTED)
			s3_detail(call, "Header", header->name);
		return unsupported_headers[i].error == S3_ERR_INVALID_REQUEST
			       ? s3_unsupported_lock(call)
			       : unsupported_headers[i].error;
	}
	return S3_OK;
}

/* Parameters that the operation handles, or refuses itself. */
static bool unsupported_param_known(const struct s3_call *call, struct gml_span name)
{
	const char *const *query = call->operation->query;
	/* signatures, and what is meant for logs only */
	if (gml_span_starts(name, GML_LIT("x-")) || gml_span_starts(name, GML_LIT("X-")))
		return true;
	for (unsigned i = 0; i < 2 && query[i]; i++)
		if (gml_span_is(name, query[i]))
			return true;
	if (call->method == S3_PUT && gml_span_is(name, "partNumber"))
		return true;
	return gml_span_is(name, "versionId") || gml_span_starts(name, GML_LIT("response-"));
}

/* Unknown parameters are ignored, as AWS does; a subresource that the operation does not have is
 * refused in requests that change something. S3 adds new ones, whose names come without a value,
 * and "DELETE /bucket/key?new-one" must not delete the key: an unknown parameter without a value is
 * taken for one. */
static enum s3_error unsupported_params(struct s3_call *call)
{
	if (call->method == S3_GET || call->method == S3_HEAD)
		return S3_OK;
	for (size_t i = 0; i < call->nparams; i++) {
		struct gml_span name = call->params[i].name;
		if (unsupported_param_known(call, name) ||
		    (call->params[i].value.len > 0 && !s3_route_is_subresource(name)))
			continue;
		s3_detail(call, "ArgumentName", name);
		return S3_ERR_NOT_IMPLEMENTED;
	}
	return S3_OK;
}

enum s3_error s3_check_supported(struct s3_call *call)
{
	for (size_t i = 0; i < call->nheaders; i++) {
		enum s3_error error;
		if (!gml_span_starts(call->headers[i].name, GML_LIT("x-amz-")))
			continue;
		error = unsupported_header(call, &call->headers[i]);
		if (error)
			return error;
	}
	return unsupported_params(call);
}

enum s3_error s3_check_version(struct s3_call *call)
{
	struct gml_span version;
	if (!s3_param(call, "versionId", &version) || gml_span_is(version, "null"))
		return S3_OK;
	/* No bucket here has ever had versioning, so no other id can have been given out. */
	return s3_refuse_argument(call, "versionId", version,
				  version.len == 0 ? "Version id cannot be the empty string"
						   : "Invalid version id specified");
}

bool s3_owner_matches(struct gml_span value, uint32_t uid)
{
	char padded[13], plain[13];
	s3_owner_id(uid, padded);
	snprintf(plain, sizeof(plain), "%u", uid);
	return gml_span_is(value, padded) || gml_span_is(value, plain);
}

/* Operations about objects that would otherwise touch the bucket only after a body, or never. */
static bool unsupported_wants_owner(const struct s3_call *call)
{
	if (call->scope == S3_SERVICE || call->operation->handler == s3_create_bucket)
		return false;
	switch (call->operation->mode) {
	case S3_MODE_XML:
	case S3_MODE_BODY:
		return true;
	case S3_MODE_ABSENT:
	case S3_MODE_NONE:
	case S3_MODE_NOW:
	case S3_MODE_WORK:
		break;
	}
	return s3_has_header(call, "x-amz-expected-bucket-owner") ||
	       call->operation->handler == s3_unsupported_lock;
}

static enum s3_error unsupported_owner(const struct s3_call *call, uint32_t uid)
{
	struct gml_span expected = s3_header(call, "x-amz-expected-bucket-owner");
	return !expected.ptr || s3_owner_matches(expected, uid) ? S3_OK : S3_ERR_ACCESS_DENIED;
}

enum s3_error s3_check_bucket(struct s3_call *call)
{
	uint32_t uid;
	int rc;
	if (call->scope == S3_BUCKET && call->operation->action != GML_ACTION_NONE) {
		call->target = s3_arena_alloc(&call->arena, sizeof(*call->target));
		if (!call->target)
			return S3_ERR_SERVICE_UNAVAILABLE;
		rc = gml_bucket_may(&call->op, call->config->store, call->bucket,
				    call->operation->action, call->target);
		return rc != 0 ? s3_error_from(rc) : unsupported_owner(call, call->target->uid);
	}
	if (!unsupported_wants_owner(call))
		return S3_OK;
	rc = gml_bucket_owner(call->config->store, call->bucket, &uid);
	return rc != 0 ? s3_error_from(rc) : unsupported_owner(call, uid);
}
