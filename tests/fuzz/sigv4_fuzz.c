// SPDX-License-Identifier: Apache-2.0
/* Input: "METHOD TARGET\n", then "name: value\n" lines. Properties: what a credential borrows lies
 * in the request; a signature never verifies by chance; what auth_sign signs verifies. */
#include <string.h>

#include "auth/canonical.h"
#include "auth/sigv4.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_HEADERS 64
#define FUZZ_NOW 1767323045 /* 2026-01-02T03:04:05Z */
#define FUZZ_DATE "20260102T030405Z"

static struct gml_span fuzz_line(const char **at, const char *end)
{
	const char *lf = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
	struct gml_span line = {*at, (size_t)((lf != NULL ? lf : end) - *at)};
	*at = lf != NULL ? lf + 1 : end;
	return line;
}

static void fuzz_request(const uint8_t *data, size_t size, struct auth_request *request,
			 struct gml_http_header headers[FUZZ_HEADERS + 4])
{
	const char *at = (const char *)data, *end = at + size;
	struct gml_span line = fuzz_line(&at, end);
	memset(request, 0, sizeof(*request));
	request->headers = headers;
	request->method = gml_span_cut(&line, ' ');
	request->query = line;
	request->path = gml_span_cut(&request->query, '?');
	while (at < end && request->nheaders < FUZZ_HEADERS) {
		struct gml_http_header *header = &headers[request->nheaders++];
		line = fuzz_line(&at, end);
		header->name = gml_span_cut(&line, ':');
		header->value = gml_span_trim(line);
	}
}

static void fuzz_span(struct gml_span span, const uint8_t *data, size_t size)
{
	FUZZ_CHECK(span.len == 0 || ((const uint8_t *)span.ptr >= data &&
				     (const uint8_t *)span.ptr + span.len <= data + size));
}

static struct auth_key_cache *fuzz_keys(void)
{
	static struct auth_key_cache *keys;
	if (keys == NULL)
		keys = auth_key_cache_new();
	return keys;
}

static void fuzz_signed(struct auth_request *request, struct gml_http_header *headers)
{
	struct gml_span key = GML_LIT("AKID"), region = GML_LIT("us-east-1");
	struct auth_requirements requirements = {
		.secret = GML_LIT("secret"), .now = FUZZ_NOW, .keys = fuzz_keys()};
	struct auth_credential credential;
	char value[8192];
	headers[request->nheaders++] = (struct gml_http_header){GML_LIT("host"), GML_LIT("h")};
	headers[request->nheaders++] =
		(struct gml_http_header){GML_LIT("x-amz-date"), GML_LIT(FUZZ_DATE)};
	headers[request->nheaders++] = (struct gml_http_header){GML_LIT("x-amz-content-sha256"),
								GML_LIT("UNSIGNED-PAYLOAD")};
	if (auth_sign(request,
		      &(struct auth_signer){.access_key = key,
					    .secret = GML_LIT("secret"),
					    .region = region,
					    .amz_date = FUZZ_DATE},
		      value, sizeof(value)) != 0)
		return;
	headers[request->nheaders++] =
		(struct gml_http_header){GML_LIT("authorization"), {value, strlen(value)}};
	if (auth_parse(request, &credential) != AUTH_OK)
		return;
	FUZZ_CHECK(credential.kind == AUTH_V4_HEADER && gml_span_equal(credential.access_key, key));
	requirements.region = region;
	FUZZ_CHECK(auth_verify(request, &credential, &requirements, NULL,
			       (struct gml_buf){NULL, 0}) == AUTH_OK);
	requirements.secret = GML_LIT("secre");
	FUZZ_CHECK(auth_verify(request, &credential, &requirements, NULL,
			       (struct gml_buf){NULL, 0}) == AUTH_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gml_http_header headers[FUZZ_HEADERS + 4];
	struct auth_request request;
	struct auth_credential credential;
	struct auth_stream stream;
	char text[300];
	enum auth_result rc;
	fuzz_request(data, size, &request, headers);
	rc = auth_parse(&request, &credential);
	FUZZ_CHECK(rc == AUTH_OK || rc == AUTH_NONE || credential.detail != NULL);
	FUZZ_CHECK(rc == AUTH_OK || rc == AUTH_NONE || rc == AUTH_MALFORMED ||
		   rc == AUTH_INCOMPLETE || rc == AUTH_UNSIGNED_HEADER);
	if (rc == AUTH_OK) {
		if (credential.access_key.ptr != credential.key_buf)
			fuzz_span(credential.access_key, data, size);
		FUZZ_CHECK(credential.access_key.len > 0 &&
			   credential.access_key.len <= AUTH_KEY_MAX);
		fuzz_span(credential.date, data, size);
		fuzz_span(credential.region, data, size);
		fuzz_span(credential.signed_headers, data, size);
		fuzz_span(credential.signature, data, size);
		fuzz_span(credential.token, data, size);
		memset(text, 'x', sizeof(text));
		rc = auth_verify(&request, &credential,
				 &(struct auth_requirements){
					 .secret = GML_LIT("a secret that signed nothing"),
					 .now = FUZZ_NOW,
					 .keys = fuzz_keys()},
				 &stream, (struct gml_buf){text, sizeof(text)});
		FUZZ_CHECK(rc == AUTH_MISMATCH || rc == AUTH_EXPIRED || rc == AUTH_SKEW);
		FUZZ_CHECK(memchr(text, '\0', sizeof(text)) != NULL);
	}
	fuzz_signed(&request, headers);
	return 0;
}
