// SPDX-License-Identifier: Apache-2.0
/* Values of the condition keys that an S3 request states ("Actions, resources, and condition keys
 * for Amazon S3", service authorization reference; "Request conditions", IAM user guide). The core
 * knows the others: gateway/iam/access_values.c. */
#include "call.h"

#include "auth/access/key.h"

static size_t condition_one(struct gml_span value, struct gml_span *values, size_t max)
{
	if (value.ptr == NULL)
		return 0;
	if (max > 0)
		values[0] = value;
	return 1;
}

static struct gml_span condition_param(const struct s3_call *call, const char *name)
{
	struct gml_span value;
	if (!s3_param(call, name, &value))
		return gml_span_of(NULL, 0);
	return value.ptr != NULL ? value : GML_LIT("");
}

/* "s3:x-amz-acl" is the header "x-amz-acl". */
static struct gml_span condition_header(const struct s3_call *call, enum auth_key key)
{
	return s3_header_of(call, gml_span_from(gml_span_text(auth_key_name(key)), 3));
}

/* A query that signs a request leaves its body unsigned, unless a header says otherwise. */
static struct gml_span condition_payload(const struct s3_call *call)
{
	struct gml_span header = s3_header(call, "x-amz-content-sha256");
	bool query = call->op.principal.authn == GML_AUTHN_SIGV4_PRESIGNED;
	return header.ptr == NULL && query ? GML_LIT("UNSIGNED-PAYLOAD") : header;
}

/* "bucket/key", decoded, without the slash that may stand before it: one spelling for all requests
 * that copy the same object. */
static struct gml_span condition_source(struct s3_call *call)
{
	struct gml_span raw = s3_header(call, "x-amz-copy-source"), name;
	if (raw.ptr == NULL || s3_copy_source_name(call, raw, &name) != S3_OK)
		return gml_span_of(NULL, 0);
	return name;
}

/* Milliseconds since the request was signed. */
static struct gml_span condition_age(struct s3_call *call)
{
	int64_t age = call->now - call->signed_at;
	const char *text;
	if (!call->authenticated || call->op.principal.authn == GML_AUTHN_ANONYMOUS)
		return gml_span_of(NULL, 0);
	text = s3_arena_printf(&call->arena, "%lld", (long long)(age > 0 ? age * 1000 : 0));
	return text != NULL ? gml_span_text(text) : gml_span_of(NULL, 0);
}

/* Does the request make an object whole, or begin or fill an upload ("Enforce conditional writes",
 * S3 user guide)? Others do not have the key. */
static struct gml_span condition_creation(const struct s3_call *call)
{
	s3_handler handler = call->operation->handler;
	if (handler == s3_put_object || handler == s3_copy_object || handler == s3_complete_upload)
		return GML_LIT("true");
	if (handler == s3_create_upload || handler == s3_upload_part ||
	    handler == s3_upload_part_copy)
		return GML_LIT("false");
	return gml_span_of(NULL, 0);
}

static struct gml_span condition_tag(const struct s3_call *call, struct gml_span key)
{
	for (uint32_t i = 0; i < call->ntags; i++)
		if (gml_span_equal_nocase(call->tags[i].name, key))
			return call->tags[i].value;
	return gml_span_of(NULL, 0);
}

static size_t condition_tag_keys(const struct s3_call *call, struct gml_span *values, size_t max)
{
	for (uint32_t i = 0; i < call->ntags && i < max; i++)
		values[i] = call->tags[i].name;
	return call->ntags;
}

static struct gml_span condition_span(struct s3_call *call, enum auth_key key)
{
	switch (key) {
	case AUTH_KEY_USER_AGENT:
		return s3_header(call, "user-agent");
	case AUTH_KEY_REFERER:
		return s3_header(call, "referer");
	case AUTH_KEY_REQUESTED_REGION:
		return gml_span_text(call->config->region);
	case AUTH_KEY_PREFIX:
		return condition_param(call, "prefix");
	case AUTH_KEY_DELIMITER:
		return condition_param(call, "delimiter");
	case AUTH_KEY_MAX_KEYS:
		return condition_param(call, "max-keys");
	case AUTH_KEY_VERSION_ID:
		return condition_param(call, "versionId");
	case AUTH_KEY_LOCATION_CONSTRAINT:
		return call->location;
	case AUTH_KEY_COPY_SOURCE:
		return condition_source(call);
	case AUTH_KEY_CONTENT_SHA256:
		return condition_payload(call);
	case AUTH_KEY_SIGNATURE_AGE:
		return condition_age(call);
	case AUTH_KEY_TLS_VERSION:
		return call->tls_version;
	case AUTH_KEY_OBJECT_CREATION:
		return condition_creation(call);
	case AUTH_KEY_LOCK_MODE:
		return s3_header(call, "x-amz-object-lock-mode");
	case AUTH_KEY_LOCK_UNTIL:
		return s3_header(call, "x-amz-object-lock-retain-until-date");
	case AUTH_KEY_LEGAL_HOLD:
		return s3_header(call, "x-amz-object-lock-legal-hold");
	case AUTH_KEY_IF_MATCH:
	case AUTH_KEY_IF_NONE_MATCH:
	case AUTH_KEY_ACL:
	case AUTH_KEY_GRANT_READ:
	case AUTH_KEY_GRANT_WRITE:
	case AUTH_KEY_GRANT_READ_ACP:
	case AUTH_KEY_GRANT_WRITE_ACP:
	case AUTH_KEY_GRANT_FULL_CONTROL:
	case AUTH_KEY_METADATA_DIRECTIVE:
	case AUTH_KEY_SSE:
	case AUTH_KEY_SSE_KEY:
	case AUTH_KEY_SSE_CUSTOMER:
	case AUTH_KEY_STORAGE_CLASS:
	case AUTH_KEY_OBJECT_OWNERSHIP:
	case AUTH_KEY_WEBSITE_REDIRECT:
		return condition_header(call, key);
	default: /* the core knows it, or no request of S3 has it */
		return gml_span_of(NULL, 0);
	}
}

size_t s3_condition(void *arg, struct gml_span name, struct gml_span *values, size_t max)
{
	struct s3_call *call = arg;
	enum auth_key key = auth_key_find(name);
	switch (key) {
	case AUTH_KEY_TAG_KEYS:
	case AUTH_KEY_REQUEST_OBJECT_TAG_KEYS:
		return condition_tag_keys(call, values, max);
	case AUTH_KEY_REQUEST_TAG:
	case AUTH_KEY_REQUEST_OBJECT_TAG:
		return condition_one(condition_tag(call, auth_key_tag(key, name)), values, max);
	default:
		return condition_one(condition_span(call, key), values, max);
	}
}
