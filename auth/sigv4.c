// SPDX-License-Identifier: Apache-2.0
#include "auth/sigv4.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/credential.h"
#include "auth/signing.h"
#include "auth/sigv2.h"
#include "gateway/base/assert.h"
#include "gateway/base/hex.h"

#define V4_SKEW 900
#define V4_ALGORITHM "AWS4-HMAC-SHA256"
#define V4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* Longest of the three names, two lines of at most 128, three of 64, and their ends. */
#define V4_STRING_MAX 512
_Static_assert(sizeof(((struct auth_stream *)NULL)->scope) >
		       sizeof("YYYYMMDD//s3/aws4_request") + AUTH_REGION_MAX,
	       "the longest scope that auth_parse accepts fits");

struct v4_text {
	char buf[V4_STRING_MAX];
	size_t len;
};

/* Lines of a string to sign. What goes in is bounded by auth_parse and by the fields of struct
 * auth_stream; overflow is a bug, and would make a wrong signature, not a wrong write. */
static void v4_line(struct v4_text *text, const char *line, size_t len)
{
	gml_assert(len < sizeof(text->buf) - text->len);
	if (len >= sizeof(text->buf) - text->len)
		return;
	if (text->len > 0)
		text->buf[text->len++] = '\n';
	memcpy(text->buf + text->len, line, len);
	text->len += len;
}

static void v4_line_z(struct v4_text *text, const char *line, size_t cap)
{
	v4_line(text, line, strnlen(line, cap));
}

/* "date/region/s3/aws4_request" */
static bool v4_scope(const struct auth_credential *credential, char *out, size_t cap)
{
	const struct gml_span parts[] = {credential->date, credential->region, credential->service,
					 GML_LIT("aws4_request")};
	size_t len = 0;
	for (size_t i = 0; i < 4; i++) {
		if (parts[i].len + 2 > cap - len)
			return false;
		if (i > 0)
			out[len++] = '/';
		memcpy(out + len, parts[i].ptr, parts[i].len);
		len += parts[i].len;
	}
	out[len] = '\0';
	return true;
}

/* Hash of the canonical request, in hex. */
static bool v4_canonical(struct auth_digest *digest, const struct auth_request *request,
			 const struct auth_credential *credential, struct gml_buf canonical,
			 char hex[65])
{
	struct auth_param params[AUTH_PARAMS_MAX];
	struct gml_span list = credential->signed_headers, name;
	struct auth_sink sink;
	uint8_t hash[32];
	int nparams = auth_query_params(request, params);
	bool first = true;
	if (nparams < 0)
		return false;
	auth_digest_begin(digest, AUTH_SHA256);
	auth_sink_init(&sink, digest, canonical);
	auth_sink_span(&sink, request->method);
	auth_sink_char(&sink, '\n');
	auth_canonical_path(&sink, request->path);
	auth_sink_char(&sink, '\n');
	auth_canonical_query(&sink, params, (size_t)nparams,
			     credential->kind == AUTH_V4_QUERY ? GML_LIT("X-Amz-Signature")
							       : GML_LIT(""));
	auth_sink_char(&sink, '\n');
	while (auth_signed_next(&list, &name))
		auth_canonical_header(&sink, request, name);
	auth_sink_char(&sink, '\n');
	list = credential->signed_headers;
	while (auth_signed_next(&list, &name)) {
		if (!first)
			auth_sink_char(&sink, ';');
		first = false;
		auth_sink_span(&sink, name);
	}
	auth_sink_char(&sink, '\n');
	auth_sink_span(&sink, credential->content_sha256);
	auth_sink_flush(&sink);
	if (!auth_digest_final(digest, hash))
		return false;
	gml_hex(hash, sizeof(hash), hex);
	return true;
}

/* Signature of a request by its credential, and the stream that goes on from it. false: out of
 * memory or a limit, never a wrong signature. */
static bool v4_signature(const struct auth_request *request,
			 const struct auth_credential *credential,
			 const struct auth_requirements *requirements, struct auth_stream *stream,
			 struct gml_buf canonical)
{
	struct auth_digest digest;
	struct v4_text text;
	uint8_t mac[32];
	char hex[65];
	bool ok = false;
	text.len = 0;
	auth_digest_init(&digest);
	memcpy(stream->amz_date, credential->amz_date, sizeof(stream->amz_date));
	if (!v4_canonical(&digest, request, credential, canonical, hex) ||
	    !v4_scope(credential, stream->scope, sizeof(stream->scope)))
		goto out;
	v4_line(&text, V4_ALGORITHM, sizeof(V4_ALGORITHM) - 1);
	v4_line_z(&text, stream->amz_date, sizeof(stream->amz_date));
	v4_line_z(&text, stream->scope, sizeof(stream->scope));
	v4_line(&text, hex, 64);
	ok = auth_signing_mac(&digest, credential, requirements, gml_span_of(text.buf, text.len),
			      mac, stream->signing_key);
	if (ok)
		gml_hex(mac, sizeof(mac), stream->previous);
out:
	auth_digest_release(&digest);
	return ok;
}

static enum auth_result v4_check_time(const struct auth_credential *credential, int64_t now)
{
	gml_assert(credential->kind != AUTH_V4_QUERY || credential->expires > 0); /* auth_parse */
	if (credential->time > now + V4_SKEW)
		return AUTH_SKEW;
	if (credential->kind == AUTH_V4_QUERY)
		return now > credential->time + credential->expires ? AUTH_EXPIRED : AUTH_OK;
	return credential->time < now - V4_SKEW ? AUTH_SKEW : AUTH_OK;
}

enum auth_result auth_verify(const struct auth_request *request,
			     const struct auth_credential *credential,
			     const struct auth_requirements *requirements,
			     struct auth_stream *stream_out, struct gml_buf canonical)
{
	struct auth_stream stream;
	enum auth_result rc;
	gml_assert(credential->kind >= AUTH_V4_HEADER && credential->kind <= AUTH_V2_QUERY);
	if (canonical.ptr != NULL && canonical.len > 0)
		*(char *)canonical.ptr = '\0';
	if (credential->kind == AUTH_V2_HEADER || credential->kind == AUTH_V2_QUERY)
		return auth_v2_verify(request, credential, requirements, canonical);
	if (credential->kind != AUTH_V4_HEADER && credential->kind != AUTH_V4_QUERY)
		return AUTH_MISMATCH;
	if (requirements->region.len > 0 &&
	    !gml_span_equal(requirements->region, credential->region))
		return AUTH_REGION;
	rc = v4_check_time(credential, requirements->now);
	if (rc != AUTH_OK)
		return rc;
	if (!v4_signature(request, credential, requirements, &stream, canonical) ||
	    credential->signature.len != 64 ||
	    CRYPTO_memcmp(stream.previous, credential->signature.ptr, 64) != 0)
		rc = AUTH_MISMATCH;
	if (rc == AUTH_OK && stream_out != NULL)
		*stream_out = stream;
	OPENSSL_cleanse(&stream, sizeof(stream));
	return rc;
}

/* ---- chunks ---- */

/* Both kinds of link of the chain: the extra line of data chunks is the hash of no bytes. */
static bool v4_stream_link(struct auth_stream *stream, const char *algorithm, bool empty_line,
			   const uint8_t sha256[32], const char signature[64])
{
	struct auth_digest digest;
	struct v4_text text;
	uint8_t mac[32];
	char hex[65];
	bool ok;
	/* The chain begins at the request's signature: auth_verify has filled the stream. */
	gml_assert(strnlen(stream->previous, sizeof(stream->previous)) == 64);
	gml_assert(strnlen(stream->amz_date, sizeof(stream->amz_date)) == 16);
	text.len = 0;
	gml_hex(sha256, 32, hex);
	v4_line_z(&text, algorithm, 32);
	v4_line_z(&text, stream->amz_date, sizeof(stream->amz_date));
	v4_line_z(&text, stream->scope, sizeof(stream->scope));
	v4_line(&text, stream->previous, 64);
	if (empty_line)
		v4_line(&text, V4_EMPTY_SHA256, 64);
	v4_line(&text, hex, 64);
	auth_digest_init(&digest);
	ok = auth_hmac(&digest, AUTH_SHA256, gml_span_of(stream->signing_key, 32),
		       gml_span_of(text.buf, text.len), mac);
	auth_digest_release(&digest);
	gml_hex(mac, sizeof(mac), hex);
	if (!ok || CRYPTO_memcmp(hex, signature, 64) != 0)
		return false;
	memcpy(stream->previous, hex, sizeof(stream->previous));
	return true;
}

bool auth_stream_chunk(struct auth_stream *stream, const uint8_t sha256[32],
		       const char signature[64])
{
	return v4_stream_link(stream, "AWS4-HMAC-SHA256-PAYLOAD", true, sha256, signature);
}

bool auth_stream_trailer(struct auth_stream *stream, const uint8_t sha256[32],
			 const char signature[64])
{
	return v4_stream_link(stream, "AWS4-HMAC-SHA256-TRAILER", false, sha256, signature);
}

/* ---- signing ---- */

#define V4_LIST_MAX 4096

static int v4_compare_spans(const void *a, const void *b)
{
	const struct gml_span *left = a, *right = b;
	return gml_span_order_nocase(*left, *right);
}

static bool v4_wants_signed(struct gml_span name)
{
	return gml_span_equal_nocase(name, GML_LIT("host")) ||
	       gml_span_equal_nocase(name, GML_LIT("content-md5")) ||
	       gml_span_equal_nocase(name, GML_LIT("content-type")) ||
	       (name.len > 6 && strncasecmp(name.ptr, "x-amz-", 6) == 0);
}

/* SignedHeaders of a request to be signed: host, content-md5, content-type and x-amz-*, in lower
 * case, sorted, each once. */
static bool v4_signed_list(const struct auth_request *request, char list[V4_LIST_MAX],
			   size_t *len_out)
{
	struct gml_span names[AUTH_SIGNED_MAX];
	size_t n = 0, len = 0;
	for (size_t i = 0; i < request->nheaders; i++) {
		if (!v4_wants_signed(request->headers[i].name))
			continue;
		if (n == AUTH_SIGNED_MAX)
			return false;
		names[n++] = request->headers[i].name;
	}
	if (n == 0)
		return false;
	qsort(names, n, sizeof(names[0]), v4_compare_spans);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && gml_span_equal_nocase(names[i], names[i - 1]))
			continue;
		if (names[i].len + 1 > V4_LIST_MAX - len)
			return false;
		if (len > 0)
			list[len++] = ';';
		for (size_t j = 0; j < names[i].len; j++) {
			char c = gml_span_at(names[i], j);
			list[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		}
	}
	*len_out = len;
	return true;
}

static bool v4_append(char *out, size_t cap, size_t *len, struct gml_span piece)
{
	gml_assert(*len < cap); /* the NUL of the last piece */
	if (piece.len >= cap - *len)
		return false;
	memcpy(out + *len, piece.ptr, piece.len);
	*len += piece.len;
	out[*len] = '\0';
	return true;
}

int auth_sign(const struct auth_request *request, const struct auth_signer *signer, char *out,
	      size_t cap)
{
	const struct auth_requirements with = {.secret = signer->secret};
	struct auth_credential credential = {.kind = AUTH_V4_HEADER,
					     .access_key = signer->access_key,
					     .region = signer->region,
					     .service = GML_LIT("s3")};
	const struct gml_http_header *sha256 =
		auth_header_find(request, GML_LIT("x-amz-content-sha256"), NULL);
	struct auth_stream stream;
	char list[V4_LIST_MAX];
	size_t len = 0, list_len;
	int rc = -1;
	if (sha256 == NULL || cap == 0 || signer->region.len == 0 ||
	    signer->region.len > AUTH_REGION_MAX || !v4_signed_list(request, list, &list_len))
		return -1;
	memcpy(credential.amz_date, signer->amz_date, sizeof(credential.amz_date));
	credential.date = gml_span_of(credential.amz_date, 8);
	credential.signed_headers = gml_span_of(list, list_len);
	credential.content_sha256 = gml_span_trim(sha256->value);
	if (!v4_signature(request, &credential, &with, &stream, (struct gml_buf){NULL, 0}))
		goto out;
	if (v4_append(out, cap, &len, GML_LIT(V4_ALGORITHM " Credential=")) &&
	    v4_append(out, cap, &len, signer->access_key) &&
	    v4_append(out, cap, &len, GML_LIT("/")) &&
	    v4_append(out, cap, &len, gml_span_text(stream.scope)) &&
	    v4_append(out, cap, &len, GML_LIT(", SignedHeaders=")) &&
	    v4_append(out, cap, &len, credential.signed_headers) &&
	    v4_append(out, cap, &len, GML_LIT(", Signature=")) &&
	    v4_append(out, cap, &len, gml_span_of(stream.previous, 64)))
		rc = 0;
out:
	OPENSSL_cleanse(&stream, sizeof(stream));
	return rc;
}
