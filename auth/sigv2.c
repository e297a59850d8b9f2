// SPDX-License-Identifier: Apache-2.0
#include "auth/sigv2.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"

#define V2_SKEW 900
#define V2_SIGNATURE_LEN 28 /* base64 of 20 bytes */
_Static_assert(V2_SIGNATURE_LEN == GML_BASE64_LEN(AUTH_SHA1_SIZE), "of an HMAC-SHA1");

/* Query parameters that are part of the resource; the response-* ones and these values are signed
 * decoded. */
static const char *const v2_subresources[] = {
	"accelerate",
	"acl",
	"analytics",
	"cors",
	"defaultObjectAcl",
	"delete",
	"inventory",
	"lifecycle",
	"location",
	"logging",
	"metrics",
	"notification",
	"object-lock",
	"partNumber",
	"policy",
	"replication",
	"requestPayment",
	"response-cache-control",
	"response-content-disposition",
	"response-content-encoding",
	"response-content-language",
	"response-content-type",
	"response-expires",
	"restore",
	"select",
	"select-type",
	"storageClass",
	"tagging",
	"torrent",
	"uploadId",
	"uploads",
	"versionId",
	"versioning",
	"versions",
	"website",
};

bool auth_v2_signs(struct gml_span name)
{
	for (size_t i = 0; i < sizeof(v2_subresources) / sizeof(v2_subresources[0]); i++)
		if (strlen(v2_subresources[i]) == name.len &&
		    memcmp(v2_subresources[i], name.ptr, name.len) == 0)
			return true;
	return false;
}

static int v2_compare_names(const void *a, const void *b)
{
	const struct gml_span *left = a, *right = b;
	return gml_span_order_nocase(*left, *right);
}

static int v2_compare_params(const void *a, const void *b)
{
	const struct auth_param *left = a, *right = b;
	return gml_span_order(left->name, right->name);
}

static void v2_decoded(struct auth_sink *sink, struct gml_span raw)
{
	char piece[96];
	/* Cut between escapes: a piece of 96 raw bytes that ends inside one is shortened by up to
	 * two. */
	while (raw.len > 0) {
		size_t take = raw.len < sizeof(piece) ? raw.len : sizeof(piece);
		int len;
		for (size_t back = 1; take < raw.len && back <= 2; back++)
			if (gml_span_at(raw, take - back) == '%') {
				take -= back;
				break;
			}
		len = auth_decode(gml_span_of(raw.ptr, take), true, piece, sizeof(piece));
		gml_assert(take > 0 && len >= 0); /* decoding lengthens nothing */
		auth_sink_put(sink, piece, (size_t)len);
		raw = gml_span_from(raw, take);
	}
}

static bool v2_is_amz(struct gml_span name)
{
	return name.len > 6 && strncasecmp(name.ptr, "x-amz-", 6) == 0;
}

/* Those of the header, and those that a signed URL carries in its query. */
static bool v2_amz_names(const struct auth_request *request, const struct auth_param *params,
			 size_t nparams, struct gml_span names[AUTH_SIGNED_MAX], size_t *n_out)
{
	size_t n = 0;
	for (size_t i = 0; i < request->nheaders + nparams; i++) {
		struct gml_span name = i < request->nheaders ? request->headers[i].name
							     : params[i - request->nheaders].name;
		if (!v2_is_amz(name))
			continue;
		if (n == AUTH_SIGNED_MAX)
			return false;
		names[n++] = name;
	}
	if (n > 1)
		qsort(names, n, sizeof(names[0]), v2_compare_names);
	*n_out = n;
	return true;
}

static void v2_amz_values(struct auth_sink *sink, const struct auth_request *request,
			  const struct auth_param *params, size_t nparams, struct gml_span name)
{
	bool first = true;
	for (size_t i = 0; i < request->nheaders + nparams; i++) {
		bool sent = i < request->nheaders;
		if (!gml_span_equal_nocase(sent ? request->headers[i].name
						: params[i - request->nheaders].name,
					   name))
			continue;
		if (!first)
			auth_sink_char(sink, ',');
		first = false;
		if (sent)
			auth_sink_span(sink, gml_span_trim(request->headers[i].value));
		else
			v2_decoded(sink, params[i - request->nheaders].value);
	}
}

static bool v2_amz_headers(struct auth_sink *sink, const struct auth_request *request,
			   const struct auth_param *params, size_t nparams)
{
	struct gml_span names[AUTH_SIGNED_MAX];
	size_t n;
	if (!v2_amz_names(request, params, nparams, names, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && gml_span_equal_nocase(names[i], names[i - 1]))
			continue;
		for (size_t j = 0; j < names[i].len; j++) {
			char c = gml_span_at(names[i], j);
			auth_sink_char(sink, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
		auth_sink_char(sink, ':');
		v2_amz_values(sink, request, params, nparams, names[i]);
		auth_sink_char(sink, '\n');
	}
	return true;
}

static void v2_resource(struct auth_sink *sink, const struct auth_request *request, bool slash,
			struct auth_param *params, size_t nparams)
{
	char separator = '?';
	if (request->bucket.len > 0) {
		auth_sink_char(sink, '/');
		auth_sink_span(sink, request->bucket);
	}
	auth_sink_span(sink, request->path.len > 0 ? request->path : GML_LIT("/"));
	if (slash)
		auth_sink_char(sink, '/');
	if (nparams > 1)
		qsort(params, nparams, sizeof(*params), v2_compare_params);
	for (size_t i = 0; i < nparams; i++) {
		if (!auth_v2_signs(params[i].name))
			continue;
		auth_sink_char(sink, separator);
		separator = '&';
		auth_sink_span(sink, params[i].name);
		if (params[i].value.len > 0) {
			auth_sink_char(sink, '=');
			v2_decoded(sink, params[i].value);
		}
	}
}

static void v2_header_line(struct auth_sink *sink, const struct auth_request *request,
			   struct gml_span name)
{
	const struct gml_http_header *header = auth_header_find(request, name, NULL);
	if (header != NULL)
		auth_sink_span(sink, gml_span_trim(header->value));
	auth_sink_char(sink, '\n');
}

/* verb, Content-MD5, Content-Type, date or Expires, x-amz-* headers, resource. params are sorted in
 * place. */
static bool v2_string(struct auth_sink *sink, const struct auth_request *request,
		      const struct auth_credential *credential, bool slash,
		      struct auth_param *params, size_t nparams)
{
	auth_sink_span(sink, request->method);
	auth_sink_char(sink, '\n');
	v2_header_line(sink, request, GML_LIT("content-md5"));
	v2_header_line(sink, request, GML_LIT("content-type"));
	if (credential->kind == AUTH_V2_QUERY) {
		auth_sink_span(sink, credential->date); /* Expires, as sent */
		auth_sink_char(sink, '\n');
	} else if (auth_header_find(request, GML_LIT("x-amz-date"), NULL) != NULL) {
		auth_sink_char(sink, '\n');
	} else {
		v2_header_line(sink, request, GML_LIT("date"));
	}
	if (!v2_amz_headers(sink, request, params, credential->kind == AUTH_V2_QUERY ? nparams : 0))
		return false;
	v2_resource(sink, request, slash, params, nparams);
	auth_sink_flush(sink);
	return true;
}

/* Is `given` the signature of the request? slash: with a "/" behind the path. */
static bool v2_matches(const struct auth_request *request, const struct auth_credential *credential,
		       struct gml_span secret, bool slash, const char given[V2_SIGNATURE_LEN],
		       struct gml_buf canonical)
{
	struct auth_param params[AUTH_PARAMS_MAX];
	struct auth_digest digest;
	struct auth_sink sink;
	uint8_t mac[AUTH_SHA256_SIZE];
	char expected[V2_SIGNATURE_LEN + 1];
	int nparams = auth_query_params(request, params);
	bool ok = false;
	if (nparams < 0 || secret.len > AUTH_SECRET_MAX)
		return false;
	auth_digest_init(&digest);
	auth_hmac_begin(&digest, AUTH_SHA1, secret.ptr, secret.len);
	auth_sink_init(&sink, &digest, canonical);
	if (v2_string(&sink, request, credential, slash, params, (size_t)nparams) &&
	    auth_hmac_final(&digest, mac)) {
		gml_base64(mac, AUTH_SHA1_SIZE, expected);
		ok = CRYPTO_memcmp(expected, given, V2_SIGNATURE_LEN) == 0;
	}
	auth_digest_release(&digest);
	return ok;
}

/* "/bucket", which some clients sign as "/bucket/" while they send it without. */
static bool v2_is_bucket(const struct auth_request *request)
{
	return request->bucket.len == 0 && request->path.len > 1 &&
	       gml_span_find(gml_span_from(request->path, 1), '/') == request->path.len - 1;
}

enum auth_result auth_v2_verify(const struct auth_request *request,
				const struct auth_credential *credential,
				const struct auth_requirements *requirements,
				struct gml_buf canonical)
{
	const struct gml_span secret = requirements->secret;
	const int64_t now = requirements->now;
	char given[V2_SIGNATURE_LEN];
	gml_assert(credential->kind == AUTH_V2_HEADER || credential->kind == AUTH_V2_QUERY);
	if (credential->kind == AUTH_V2_QUERY && now > credential->expires)
		return AUTH_EXPIRED;
	if (credential->kind == AUTH_V2_HEADER &&
	    (now - credential->time > V2_SKEW || credential->time - now > V2_SKEW))
		return AUTH_SKEW;
	if (auth_decode(credential->signature, false, given, sizeof(given)) != V2_SIGNATURE_LEN)
		return AUTH_MISMATCH;
	if (v2_matches(request, credential, secret, false, given, canonical) ||
	    (v2_is_bucket(request) &&
	     v2_matches(request, credential, secret, true, given, (struct gml_buf){NULL, 0})))
		return AUTH_OK;
	return AUTH_MISMATCH;
}
