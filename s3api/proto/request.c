// SPDX-License-Identifier: Apache-2.0
/* From wire to call: header copies, target, bucket and key. */
#include "call.h"
#include "auth/canonical.h"
#include "gateway/base/assert.h"
#include "gateway/base/percent.h"

#include <netinet/in.h>

#define REQUEST_HEADERS_MAX 512
/* bytes of names and values, S3's limit; those in the query count as well */
#define REQUEST_HEADERS_SIZE_MAX 8192
#define REQUEST_HOST_SHOWN 128 /* bytes of a name that is refused */
_Static_assert(REQUEST_HEADERS_MAX <= AUTH_HEADERS_MAX && S3_URI_PARAMS_MAX <= AUTH_PARAMS_MAX,
	       "what is read here can be signed");

/* RFC 9110 5.6.2 tokens, with the few more characters that clients are known to use in metadata
 * names. */
static bool request_name_valid(struct gml_span name)
{
	const unsigned char *p = name.ptr;
	for (size_t i = 0; i < name.len; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == ':')
			return false;
	return name.len > 0;
}

static bool request_value_valid(struct gml_span value)
{
	return gml_span_find(value, 0) == value.len && gml_span_find(value, '\r') == value.len &&
	       gml_span_find(value, '\n') == value.len;
}

static bool request_is_lower(struct gml_span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (gml_span_chars(name)[i] >= 'A' && gml_span_chars(name)[i] <= 'Z')
			return false;
	return true;
}

static struct gml_span request_lower(struct gml_span name, char *to)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = gml_span_chars(name)[i];
		to[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return gml_span_of(to, name.len);
}

/* Parameters that the query may have: as many headers may be hoisted from it. */
static size_t request_params_max(const struct s3_call *call)
{
	struct gml_span rest = call->query;
	size_t n = 0;
	for (; rest.len > 0 && n < S3_URI_PARAMS_MAX; n++)
		(void)gml_span_cut(&rest, '&');
	return n;
}

static enum s3_error request_copy_headers(struct s3_call *call, const struct s3_request *request)
{
	size_t text = 0;
	char *to, *begin;
	if (request->nheaders > REQUEST_HEADERS_MAX)
		return S3_ERR_REQUEST_HEADER_TOO_LARGE;
	call->headers_max = request->nheaders + request_params_max(call);
	for (size_t i = 0; i < request->nheaders; i++)
		text += request->headers[i].name.len + request->headers[i].value.len;
	call->headers = s3_arena_array(&call->arena, call->headers_max, sizeof(*call->headers));
	to = begin = s3_arena_alloc(&call->arena, text);
	if (!call->headers || !to)
		return S3_ERR_SERVICE_UNAVAILABLE;
	for (size_t i = 0; i < request->nheaders; i++) {
		const struct gml_http_header *from = &request->headers[i];
		if (!request_name_valid(from->name) || !request_value_valid(from->value))
			return s3_refuse(call, S3_ERR_BAD_REQUEST,
					 "A header of the request is malformed.");
		call->headers[i].name = request_lower(from->name, to);
		to += from->name.len;
		call->headers[i].value = gml_span_of(to, from->value.len);
		if (from->value.len > 0)
			memcpy(to, from->value.ptr, from->value.len);
		to += from->value.len;
	}
	gml_assert(to == begin + text);
	call->nheaders = call->nsent = request->nheaders;
	return S3_OK;
}

struct gml_span s3_header_of(const struct s3_call *call, struct gml_span name)
{
	gml_assert(request_is_lower(name)); /* no other is ever found */
	for (size_t i = 0; i < call->nheaders; i++)
		if (gml_span_equal(call->headers[i].name, name))
			return call->headers[i].value;
	return gml_span_of(NULL, 0);
}

bool s3_param_of(const struct s3_call *call, struct gml_span name, struct gml_span *value_out)
{
	for (size_t i = 0; i < call->nparams; i++) {
		if (!gml_span_equal(call->params[i].name, name))
			continue;
		if (value_out)
			*value_out = call->params[i].value;
		return true;
	}
	return false;
}

enum s3_error s3_param_number(struct s3_call *call, const char *name, uint32_t cap, uint32_t *value)
{
	struct gml_span text;
	uint64_t number;
	gml_assert(*value <= cap);
	if (!s3_param(call, name, &text))
		return S3_OK;
	if (!gml_span_u64(text, INT32_MAX, &number))
		return s3_refuse_argument(
			call, name, text,
			"The argument must be an integer between 0 and 2147483647.");
	*value = number < cap ? (uint32_t)number : cap;
	return S3_OK;
}

enum s3_error s3_param_ranged(struct s3_call *call, const char *name, uint32_t lo, uint32_t hi,
			      uint32_t *out)
{
	struct gml_span text = {NULL, 0};
	uint64_t number;
	if (!s3_param(call, name, &text) || !gml_span_u64(text, hi, &number) || number < lo)
		return s3_refuse_argument(
			call, name, text,
			s3_arena_printf(
				&call->arena, "%s must be an integer between %u and %u, inclusive",
				strcmp(name, "partNumber") == 0 ? "Part number" : name, lo, hi));
	*out = (uint32_t)number;
	return S3_OK;
}

enum s3_error s3_param_encoding(struct s3_call *call, bool *url_out)
{
	struct gml_span type;
	*url_out = false;
	if (!s3_param(call, "encoding-type", &type) || type.len == 0)
		return S3_OK;
	if (!gml_span_is(type, "url"))
		return s3_refuse_argument(call, "encoding-type", type,
					  "Invalid Encoding Method specified in Request");
	*url_out = true;
	return S3_OK;
}

static enum s3_method request_method(struct gml_span method)
{
	static const char *const names[] = {
		[S3_GET] = "GET",   [S3_HEAD] = "HEAD",	    [S3_PUT] = "PUT",
		[S3_POST] = "POST", [S3_DELETE] = "DELETE", [S3_OPTIONS] = "OPTIONS"};
	_Static_assert(sizeof(names) / sizeof(names[0]) == S3_METHOD_OTHER, "all have a name");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (gml_span_is(method, names[i]))
			return (enum s3_method)i;
	return S3_METHOD_OTHER;
}

static enum s3_error request_read_query(struct s3_call *call)
{
	struct s3_param params[S3_URI_PARAMS_MAX];
	struct auth_param raw[S3_URI_PARAMS_MAX];
	char *text;
	int n;
	if (call->query.len == 0)
		return S3_OK;
	text = s3_arena_alloc(&call->arena, call->query.len);
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	n = s3_uri_query(call->query, text, params, raw, S3_URI_PARAMS_MAX);
	if (n < 0)
		return S3_ERR_INVALID_URI;
	call->params = s3_arena_array(&call->arena, (size_t)n, sizeof(*params));
	call->raw_params = s3_arena_array(&call->arena, (size_t)n, sizeof(*raw));
	if (!call->params || !call->raw_params)
		return S3_ERR_SERVICE_UNAVAILABLE;
	if (n > 0) {
		memcpy(call->params, params, (size_t)n * sizeof(*params));
		memcpy(call->raw_params, raw, (size_t)n * sizeof(*raw));
	}
	call->nparams = (size_t)n;
	return S3_OK;
}

/* ---- headers in the query ---- */

/* The checksum of a body. Signers put the checksum of the body that they see, which is empty, into
 * a URL, and S3 ignores it there. */
static bool request_is_checksum(struct gml_span name)
{
	if (name.len > 15 && strncasecmp(name.ptr, "x-amz-checksum-", 15) == 0)
		return gml_checksum_by_name(gml_span_from(name, 15)) != GML_CHECKSUM_NONE;
	return gml_span_is_nocase(name, "x-amz-sdk-checksum-algorithm");
}

/* Does the parameter stand for a header? */
static bool request_is_hoisted(struct gml_span name)
{
	return name.len > 6 && strncasecmp(name.ptr, "x-amz-", 6) == 0 && !auth_param_signs(name) &&
	       !request_is_checksum(name);
}

static bool request_was_sent(const struct s3_call *call, struct gml_span name)
{
	for (size_t i = 0; i < call->nsent; i++)
		if (gml_span_equal(call->headers[i].name, name))
			return true;
	return false;
}

/* An escaped name is refused: version 2 does not see it, and would not have it signed. */
static enum s3_error request_hoist_one(struct s3_call *call, size_t index)
{
	const struct s3_param *param = &call->params[index];
	struct gml_span value = param->value.ptr ? param->value : GML_LIT(""), name;
	char *text = s3_arena_alloc(&call->arena, param->name.len);
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	name = request_lower(param->name, text);
	if (request_was_sent(call, name))
		return S3_OK;
	if (call->raw_params[index].name.len != name.len || !request_name_valid(name) ||
	    !request_value_valid(value))
		return s3_refuse(call, S3_ERR_BAD_REQUEST,
				 "A header in the query of the request is malformed.");
	gml_assert(call->nheaders < call->headers_max);
	call->headers[call->nheaders++] = (struct gml_http_header){name, value};
	return S3_OK;
}

/* Are the parameters of the query signed? Version 4 signs all of them, version 2 the x-amz-*
 * parameters if the signature is in the query. As auth_parse sees it, in the raw query: an escaped
 * name signs nothing. */
static bool request_signs_query(const struct s3_call *call)
{
	for (size_t i = 0; i < call->nparams; i++) {
		struct gml_span name =
			gml_span_of(call->raw_params[i].name.ptr, call->raw_params[i].name.len);
		if (gml_span_is(name, "X-Amz-Algorithm") || gml_span_is(name, "AWSAccessKeyId"))
			return true;
	}
	return gml_span_starts(s3_header(call, "authorization"), GML_LIT("AWS4-HMAC-SHA256"));
}

static enum s3_error request_check_size(struct s3_call *call)
{
	size_t size = 0;
	for (size_t i = 0; i < call->nheaders; i++)
		size += call->headers[i].name.len + call->headers[i].value.len;
	if (size <= REQUEST_HEADERS_SIZE_MAX)
		return S3_OK;
	s3_detail_number(call, "MaxSizeAllowed", REQUEST_HEADERS_SIZE_MAX);
	return S3_ERR_REQUEST_HEADER_TOO_LARGE;
}

/* Signers of URLs put x-amz-* headers into the query, where S3 reads them too: they must be obeyed
 * or refused. */
static enum s3_error request_hoist(struct s3_call *call)
{
	enum s3_error error = S3_OK;
	size_t first = 0;
	while (first < call->nparams && !request_is_hoisted(call->params[first].name))
		first++;
	if (first == call->nparams || !request_signs_query(call))
		return S3_OK;
	for (size_t i = first; i < call->nparams && !error; i++)
		if (request_is_hoisted(call->params[i].name))
			error = request_hoist_one(call, i);
	return error;
}

static enum s3_error request_decode(struct s3_call *call, struct gml_span raw, struct gml_span *out)
{
	char *text = s3_arena_alloc(&call->arena, raw.len);
	long len;
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	len = gml_percent_decode(raw, AUTH_PATH_PLUS, text);
	if (len < 0 || memchr(text, 0, (size_t)len))
		return S3_ERR_INVALID_URI;
	*out = gml_span_of(text, (size_t)len);
	return S3_OK;
}

/* A name that is not the server's may name a bucket in a domain that is not configured: taken as
 * path style, a request for a key would reach the bucket called as the key. */
static enum s3_error request_unknown_host(struct s3_call *call, struct gml_span host)
{
	return s3_refuse(call, S3_ERR_INVALID_REQUEST,
			 "The host name '%.*s' is neither an address nor known as a name of this "
			 "server, so it cannot "
			 "tell whether it names a bucket. Use the server's address, or have the "
			 "names by which clients "
			 "reach it listed under s3.domains in gemel.conf.",
			 (int)(host.len < REQUEST_HOST_SHOWN ? host.len : REQUEST_HOST_SHOWN),
			 host.ptr ? (const char *)host.ptr : "");
}

/* The configuration comes first: a name of the server may lie in a domain of buckets. */
static enum s3_error request_read_host(struct s3_call *call)
{
	struct gml_span host = s3_header(call, "host"), found = {NULL, 0};
	enum s3_host kind = s3_uri_host(host, (const char *const *)call->config->domains, &found);
	char *text;
	if (kind == S3_HOST_UNKNOWN)
		kind = s3_uri_host(host, (const char *const *)call->config->own_names, &found);
	if (kind == S3_HOST_UNKNOWN)
		return request_unknown_host(call, host);
	if (kind == S3_HOST_SERVER)
		return S3_OK;
	text = s3_arena_alloc(&call->arena, found.len);
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	call->virtual_host = true;
	call->bucket = request_lower(found, text);
	return S3_OK;
}

/* Bucket and key of the raw path, without any normalisation: every byte of a key counts. */
static enum s3_error request_read_path(struct s3_call *call)
{
	struct gml_span rest = gml_span_from(call->path, 1);
	enum s3_error error = request_read_host(call);
	gml_assert(gml_span_chars(call->path)[0] == '/');
	if (error)
		return error;
	if (!call->virtual_host) {
		struct gml_span bucket;
		if (rest.len == 0) {
			call->scope = S3_SERVICE;
			return S3_OK;
		}
		bucket = gml_span_cut(&rest, '/');
		error = request_decode(call, bucket, &call->bucket);
		if (error)
			return error;
	}
	call->scope = rest.len > 0 ? S3_OBJECT : S3_BUCKET;
	if (rest.len > 0 && (error = request_decode(call, rest, &call->key)) != S3_OK)
		return error;
	gml_assert((call->key.len > 0) == (call->scope == S3_OBJECT)); /* decoding keeps some */
	if (gml_bucket_name_check(call->bucket) != 0) {
		s3_detail(call, "BucketName", call->bucket);
		return S3_ERR_INVALID_BUCKET_NAME;
	}
	if (call->key.len > GML_KEY_MAX) {
		s3_detail_number(call, "Size", call->key.len);
		s3_detail_number(call, "MaxSizeAllowed", GML_KEY_MAX);
		return S3_ERR_KEY_TOO_LONG;
	}
	return S3_OK;
}

enum s3_error s3_request_read(struct s3_call *call, const struct s3_request *request)
{
	struct gml_span target = s3_arena_copy(&call->arena, request->target);
	enum s3_error error;
	call->method = request_method(request->method);
	call->method_text = s3_arena_copy(&call->arena, request->method);
	call->body_length = request->body_length;
	call->tls = call->op.context.secure = request->tls_version.ptr != NULL;
	call->tls_version = request->tls_version;
	if (request->source.len > 0 && request->source.len <= sizeof(call->op.context.source)) {
		memcpy(call->op.context.source, request->source.ptr, request->source.len);
		call->op.context.source_len = (uint8_t)request->source.len;
	}
	if (!target.ptr || !call->method_text.ptr)
		return S3_ERR_SERVICE_UNAVAILABLE;
	call->query = target;
	call->path = gml_span_cut(&call->query, '?');
	error = request_copy_headers(call, request);
	if (error)
		return error;
	if (call->path.len == 0 || gml_span_chars(call->path)[0] != '/')
		return S3_ERR_INVALID_URI;
	if (s3_health_asked(call))
		return S3_OK; /* under any name: monitoring often knows only addresses */
	error = request_read_query(call);
	if (!error)
		error = request_hoist(call);
	if (!error)
		error = request_check_size(call);
	return error ? error : request_read_path(call);
}
