// SPDX-License-Identifier: Apache-2.0
/* Signatures: AWS's published examples, requests made by botocore, and everything that must
 * fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "auth/canonical.h"
#include "auth/sigv4.h"

#define HEADERS_MAX 32

struct pair {
	const char *name, *value;
};
struct vector {
	const char *name, *method, *path, *query;
	struct pair headers[HEADERS_MAX];
};
#include "gateway/base/hex.h"
#include "tests/unit/auth_vectors.h"
#include "tests/spans.h"

#define DOC_KEY "AKIAIOSFODNN7EXAMPLE"
#define DOC_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DOC_NOW 1369353600 /* 2013-05-24T00:00:00Z */
#define DOC_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DOC_HOST "examplebucket.s3.amazonaws.com"
#define DOC_SCOPE "Credential=" DOC_KEY "/20130524/us-east-1/s3/aws4_request"
#define DOC_AUTH(headers, signature)                                                               \
	"AWS4-HMAC-SHA256 " DOC_SCOPE ",SignedHeaders=" headers ",Signature=" signature

/* A request in memory of its own, so that bytes can be changed and reads beyond its ends are seen
 * by ASan. */
struct mutable_request {
	char *method, *path, *query, *names[HEADERS_MAX], *values[HEADERS_MAX];
	struct gml_http_header headers[HEADERS_MAX];
	struct auth_request request;
};

static char *copy(const char *text, struct gml_span *out)
{
	size_t len = strlen(text);
	char *bytes = malloc(len > 0 ? len : 1);
	assert_non_null(bytes);
	memcpy(bytes, text, len);
	*out = gml_span_of(bytes, len);
	return bytes;
}

static void load(struct mutable_request *m, const struct vector *v)
{
	struct auth_request *r = &m->request;
	memset(m, 0, sizeof(*m));
	m->method = copy(v->method, &r->method);
	m->path = copy(v->path, &r->path);
	m->query = copy(v->query, &r->query);
	for (size_t i = 0; i < HEADERS_MAX && v->headers[i].name != NULL; i++) {
		m->names[i] = copy(v->headers[i].name, &m->headers[i].name);
		m->values[i] = copy(v->headers[i].value, &m->headers[i].value);
		r->nheaders++;
		if (strcasecmp(v->headers[i].name, "host") == 0 &&
		    strncmp(v->headers[i].value, "photos.", 7) == 0)
			r->bucket = GML_LIT("photos");
	}
	r->headers = m->headers;
}

static void unload(struct mutable_request *m)
{
	free(m->method);
	free(m->path);
	free(m->query);
	for (size_t i = 0; i < HEADERS_MAX; i++) {
		free(m->names[i]);
		free(m->values[i]);
	}
}

/* One cache for all tests: what it remembers of one must not show in another. */
static struct auth_key_cache *test_keys(void)
{
	static struct auth_key_cache *keys;
	if (keys == NULL)
		keys = auth_key_cache_new();
	assert_non_null(keys);
	return keys;
}

/* Both steps; AUTH_OK only if the key that the credential names is `key`. Derived, remembered and
 * recalled signing keys must agree. */
static enum auth_result check(const struct auth_request *request, const char *key,
			      const char *secret, const char *region, int64_t now)
{
	struct auth_requirements requirements = {
		.secret = STR(secret), .region = STR(region), .now = now};
	struct auth_credential credential;
	enum auth_result rc = auth_parse(request, &credential);
	if (rc == AUTH_OK && !gml_span_equal(credential.access_key, STR(key)))
		return AUTH_MISMATCH;
	if (rc != AUTH_OK)
		return rc;
	rc = auth_verify(request, &credential, &requirements, NULL, (struct gml_buf){NULL, 0});
	requirements.keys = test_keys();
	for (int i = 0; i < 2; i++)
		assert_int_equal(auth_verify(request, &credential, &requirements, NULL,
					     (struct gml_buf){NULL, 0}),
				 rc);
	return rc;
}

static enum auth_result check_vector(const struct vector *v, const char *key, const char *secret,
				     const char *region, int64_t now)
{
	struct mutable_request m;
	enum auth_result rc;
	load(&m, v);
	rc = check(&m.request, key, secret, region, now);
	unload(&m);
	return rc;
}

/* ---- AWS's examples (S3 API reference, signature calculations) ---- */

static const struct vector doc_get = {
	"GET object",
	"GET",
	"/test.txt",
	"",
	{{"Host", DOC_HOST},
	 {"Range", "bytes=0-9"},
	 {"x-amz-content-sha256", DOC_EMPTY},
	 {"x-amz-date", "20130524T000000Z"},
	 {"Authorization",
	  DOC_AUTH("host;range;x-amz-content-sha256;x-amz-date",
		   "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")}}};
static const struct vector doc_put = {
	"PUT object",
	"PUT",
	"/test$file.text",
	"",
	{{"Host", DOC_HOST},
	 {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
	 {"x-amz-date", "20130524T000000Z"},
	 {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
	 {"x-amz-content-sha256",
	  "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
	 {"Authorization",
	  DOC_AUTH("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
		   "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")}}};
static const struct vector doc_lifecycle = {
	"GET lifecycle",
	"GET",
	"/",
	"lifecycle",
	{{"Host", DOC_HOST},
	 {"x-amz-date", "20130524T000000Z"},
	 {"x-amz-content-sha256", DOC_EMPTY},
	 {"Authorization",
	  DOC_AUTH("host;x-amz-content-sha256;x-amz-date",
		   "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")}}};
static const struct vector doc_list = {
	"list objects",
	"GET",
	"/",
	"max-keys=2&prefix=J",
	{{"Host", DOC_HOST},
	 {"x-amz-date", "20130524T000000Z"},
	 {"x-amz-content-sha256", DOC_EMPTY},
	 {"Authorization",
	  DOC_AUTH("host;x-amz-content-sha256;x-amz-date",
		   "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")}}};
#define DOC_PRESIGNED                                                                              \
	"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" DOC_KEY                               \
	"%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="   \
	"86400&"                                                                                   \
	"X-Amz-SignedHeaders=host&X-Amz-Signature="
static const struct vector doc_presigned = {
	"presigned",
	"GET",
	"/test.txt",
	DOC_PRESIGNED "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
	{{"Host", DOC_HOST}}};
static const struct vector doc_chunked = {
	"chunked",
	"PUT",
	"/examplebucket/chunkObject.txt",
	"",
	{{"Host", "s3.amazonaws.com"},
	 {"x-amz-date", "20130524T000000Z"},
	 {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
	 {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
	 {"Content-Encoding", "aws-chunked"},
	 {"x-amz-decoded-content-length", "66560"},
	 {"Content-Length", "66824"},
	 {"Authorization",
	  DOC_AUTH("content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-"
		   "decoded-content-length;x-amz-storage-class",
		   "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")}}};
static const struct vector doc_trailer = {
	"chunked with trailer",
	"PUT",
	"/examplebucket/chunkObject.txt",
	"",
	{{"Host", "s3.amazonaws.com"},
	 {"x-amz-date", "20130524T000000Z"},
	 {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
	 {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
	 {"Content-Encoding", "aws-chunked"},
	 {"x-amz-decoded-content-length", "66560"},
	 {"x-amz-trailer", "x-amz-checksum-crc32c"},
	 {"Content-Length", "66946"},
	 {"Authorization",
	  DOC_AUTH("content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-"
		   "length;x-amz-storage-class;x-amz-trailer",
		   "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")}}};
/* "Signing and Authenticating REST Requests" (version 2). */
#define V2_KEY "AKIAIOSFODNN7EXAMPLE"
static const struct vector v2_get = {
	"v2 GET",
	"GET",
	"/photos/puppy.jpg",
	"",
	{{"Host", "awsexamplebucket1.us-west-1.s3.amazonaws.com"},
	 {"Date", "Tue, 27 Mar 2007 19:36:42 +0000"},
	 {"Authorization", "AWS " V2_KEY ":qgk2+6Sv9/oM7G3qLEjTH1a1l1g="}}};

/* What libs3 2.0 (Debian's `s3`) sends, with VECTOR_KEY, at LIBS3_NOW. */
#define LIBS3_NOW 1795419407 /* 2026-11-23T07:36:47Z */
#define LIBS3_DATE                                                                                 \
	{                                                                                          \
		"x-amz-date", "Mon, 23 Nov 2026 07:36:47 GMT"                                      \
	}
#define LIBS3_AUTH(signature)                                                                      \
	{                                                                                          \
		"Authorization", "AWS " VECTOR_KEY ":" signature                                   \
	}
static const struct vector libs3_vectors[] = {
	{"libs3 list", "GET", "/", "", {LIBS3_AUTH("znXd9BymXWpghPj4M6Abshah+lg="), LIBS3_DATE}},
	{"libs3 list bucket",
	 "GET",
	 "/photos/",
	 "prefix=a/b%2Bc&marker=(null)",
	 {LIBS3_AUTH("9yXcW6bEIGi8F+L8BwIoKSYNip4="), LIBS3_DATE}},
	{"libs3 location",
	 "GET",
	 "/photos/",
	 "location",
	 {LIBS3_AUTH("K+0EWCdOGUd6vwIVsd/khOZq/eg="), LIBS3_DATE}},
	{"libs3 head",
	 "HEAD",
	 "/photos/k(1)",
	 "",
	 {LIBS3_AUTH("3FTzg0oJ4hbVP4CqG2P8UpwtWbU="), LIBS3_DATE}},
	{"libs3 getacl",
	 "GET",
	 "/photos/k",
	 "acl",
	 {LIBS3_AUTH("9ema1bmVg0vd2MPyeCGsS5MCH8s="), LIBS3_DATE}},
	{"libs3 get",
	 "GET",
	 "/photos/sp+ace%2B%C3%BC(1)",
	 "",
	 {LIBS3_AUTH("xWLWsmOWbfpPnJLx9uzkC5NqnrA="), LIBS3_DATE}},
	{"libs3 put",
	 "PUT",
	 "/photos/a+b",
	 "",
	 {{"Content-Length", "6"},
	  {"Content-Type", "text/plain"},
	  LIBS3_AUTH("FoG1XtXMPfJldtNtDYSR9xiMei8="),
	  {"x-amz-meta-foo", "a  b"},
	  LIBS3_DATE}},
	{"libs3 delete",
	 "DELETE",
	 "/photos/a+b",
	 "",
	 {LIBS3_AUTH("ujrzB/laQZEcuTFn/L1p90t4Tnw="), LIBS3_DATE}},
};

static const struct vector *const doc_vectors[] = {
	&doc_get, &doc_put, &doc_lifecycle, &doc_list, &doc_presigned, &doc_chunked, &doc_trailer};

static void test_published(void **state)
{
	for (size_t i = 0; i < sizeof(doc_vectors) / sizeof(doc_vectors[0]); i++) {
		if (check_vector(doc_vectors[i], DOC_KEY, DOC_SECRET, "us-east-1", DOC_NOW) !=
		    AUTH_OK)
			fail_msg("%s", doc_vectors[i]->name);
		assert_int_equal(check_vector(doc_vectors[i], DOC_KEY, DOC_SECRET, "", DOC_NOW),
				 AUTH_OK);
		assert_int_equal(
			check_vector(doc_vectors[i], DOC_KEY, DOC_SECRET, "eu-west-1", DOC_NOW),
			AUTH_REGION);
		assert_int_equal(
			check_vector(doc_vectors[i], DOC_KEY, DOC_SECRET "x", "us-east-1", DOC_NOW),
			AUTH_MISMATCH);
		assert_int_equal(check_vector(doc_vectors[i], DOC_KEY, "", "us-east-1", DOC_NOW),
				 AUTH_MISMATCH);
	}
}

static void test_published_v2(void **state)
{
	struct mutable_request m;
	load(&m, &v2_get);
	m.request.bucket = GML_LIT("awsexamplebucket1");
	assert_int_equal(check(&m.request, V2_KEY, DOC_SECRET, "us-west-1", 1175024202), AUTH_OK);
	assert_int_equal(check(&m.request, V2_KEY, DOC_SECRET, "", 1175024202 + 901), AUTH_SKEW);
	m.request.bucket = GML_LIT("another");
	assert_int_equal(check(&m.request, V2_KEY, DOC_SECRET, "us-west-1", 1175024202),
			 AUTH_MISMATCH);
	unload(&m);
}

static void test_published_chunks(void **state)
{
	static const struct {
		const struct vector *vector;
		const char *signatures[3], *trailer, *trailer_signature;
	} cases[] = {
		{&doc_chunked,
		 {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
		 NULL,
		 NULL},
		{&doc_trailer,
		 {"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		  "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		  "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
		 "x-amz-checksum-crc32c:sOO8/Q==\n",
		 "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"},
	};
	static const size_t sizes[3] = {65536, 1024, 0};
	char *data = malloc(65536);
	memset(data, 'a', 65536);
	for (size_t i = 0; i < 2; i++) {
		struct mutable_request m;
		struct auth_credential credential;
		struct auth_stream stream;
		struct auth_digest digest;
		uint8_t sha256[32];
		load(&m, cases[i].vector);
		assert_int_equal(auth_parse(&m.request, &credential), AUTH_OK);
		assert_int_equal(credential.payload,
				 i == 0 ? AUTH_PAYLOAD_CHUNKED : AUTH_PAYLOAD_CHUNKED_TRAILER);
		assert_int_equal(auth_verify(&m.request, &credential,
					     &(struct auth_requirements){.secret = STR(DOC_SECRET),
									 .region = STR("us-east-1"),
									 .now = DOC_NOW},
					     &stream, (struct gml_buf){NULL, 0}),
				 AUTH_OK);
		assert_string_equal(stream.scope, "20130524/us-east-1/s3/aws4_request");
		auth_digest_init(&digest);
		for (size_t j = 0; j < 3; j++) {
			struct auth_stream before = stream;
			auth_digest_begin(&digest, AUTH_SHA256);
			auth_digest_update(&digest, data, sizes[j]);
			assert_true(auth_digest_final(&digest, sha256));
			sha256[j] ^= 1;
			assert_false(auth_stream_chunk(&stream, sha256, cases[i].signatures[j]));
			sha256[j] ^= 1;
			assert_memory_equal(&before, &stream,
					    sizeof(stream)); /* a mismatch does not advance it */
			assert_true(auth_stream_chunk(&stream, sha256, cases[i].signatures[j]));
			assert_false(auth_stream_chunk(&stream, sha256, cases[i].signatures[j]));
		}
		if (cases[i].trailer != NULL) {
			auth_digest_begin(&digest, AUTH_SHA256);
			auth_digest_update(&digest, cases[i].trailer, strlen(cases[i].trailer));
			assert_true(auth_digest_final(&digest, sha256));
			assert_false(
				auth_stream_chunk(&stream, sha256, cases[i].trailer_signature));
			assert_true(
				auth_stream_trailer(&stream, sha256, cases[i].trailer_signature));
		}
		auth_digest_release(&digest);
		unload(&m);
	}
	free(data);
}

/* ---- botocore ---- */

static void test_vectors(void **state)
{
	size_t n = sizeof(vectors) / sizeof(vectors[0]);
	assert_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		if (check_vector(&vectors[i], VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
				 VECTOR_NOW) != AUTH_OK)
			fail_msg("%s", vectors[i].name);
		assert_int_equal(check_vector(&vectors[i], VECTOR_KEY, VECTOR_SECRET "x",
					      VECTOR_REGION, VECTOR_NOW),
				 AUTH_MISMATCH);
	}
}

static void test_token(void **state)
{
	size_t seen = 0;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct mutable_request m;
		struct auth_credential credential;
		load(&m, &vectors[i]);
		assert_int_equal(auth_parse(&m.request, &credential), AUTH_OK);
		assert_int_equal(credential.token.len > 0,
				 strncmp(vectors[i].name, "v4 token", 8) == 0);
		seen += credential.token.len > 0;
		unload(&m);
	}
	assert_true(seen > 10);
}

/* Every byte of `bytes` changed in turn: the request must not verify. flips: values to xor. */
static size_t mutate(struct mutable_request *m, const char *name, const char *what, char *bytes,
		     size_t len, const char *key, const char *secret, const char *region,
		     int64_t now)
{
	static const unsigned char flips[] = {0x01, 0x40, 0x80};
	size_t tried = 0;
	for (size_t i = 0; i < len; i++)
		for (size_t f = 0; f < sizeof(flips); f++, tried++) {
			bytes[i] ^= (char)flips[f];
			if (check(&m->request, key, secret, region, now) == AUTH_OK)
				fail_msg("%s: %s survives a change of byte %zu (%c to %c)", name,
					 what, i, bytes[i] ^ flips[f], bytes[i]);
			bytes[i] ^= (char)flips[f];
		}
	return tried;
}

static bool is_signed(const struct auth_credential *credential, struct gml_span name)
{
	struct gml_span list = credential->signed_headers, one;
	while (auth_signed_next(&list, &one))
		if (gml_span_equal_nocase(one, name))
			return true;
	return credential->kind == AUTH_V2_HEADER &&
	       (gml_span_equal_nocase(name, GML_LIT("content-md5")) ||
		gml_span_equal_nocase(name, GML_LIT("content-type")) ||
		gml_span_starts_nocase(name, GML_LIT("x-amz-")));
}

static size_t mutate_vector(const struct vector *v, const char *key, const char *secret,
			    const char *region, int64_t now)
{
	struct mutable_request m;
	struct auth_credential credential;
	const char *signature;
	size_t tried = 0;
	load(&m, v);
	assert_int_equal(check(&m.request, key, secret, region, now), AUTH_OK);
	assert_int_equal(auth_parse(&m.request, &credential), AUTH_OK);
	signature = credential.signature.ptr;
	tried += mutate(&m, v->name, "signature", (char *)(uintptr_t)signature,
			credential.signature.len, key, secret, region, now);
	tried += mutate(&m, v->name, "method", m.method, m.request.method.len, key, secret, region,
			now);
	tried += mutate(&m, v->name, "path", m.path, m.request.path.len, key, secret, region, now);
	if (credential.kind == AUTH_V4_HEADER || credential.kind == AUTH_V4_QUERY)
		tried += mutate(&m, v->name, "query", m.query, m.request.query.len, key, secret,
				region, now);
	for (size_t i = 0; i < m.request.nheaders; i++) {
		if (gml_span_equal_nocase(m.headers[i].name, GML_LIT("authorization")) &&
		    credential.kind == AUTH_V4_HEADER)
			tried += mutate(&m, v->name, "authorization", m.values[i],
					m.headers[i].value.len, key, secret, region, now);
		else if (is_signed(&credential, m.headers[i].name))
			tried += mutate(&m, v->name, v->headers[i].name, m.values[i],
					m.headers[i].value.len, key, secret, region, now);
	}
	unload(&m);
	return tried;
}

static void test_libs3(void **state)
{
	for (size_t i = 0; i < sizeof(libs3_vectors) / sizeof(libs3_vectors[0]); i++) {
		if (check_vector(&libs3_vectors[i], VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
				 LIBS3_NOW) != AUTH_OK)
			fail_msg("%s", libs3_vectors[i].name);
		mutate_vector(&libs3_vectors[i], VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
			      LIBS3_NOW);
	}
}

static void test_mutations(void **state)
{
	size_t tried = 0;
	for (size_t i = 0; i < sizeof(doc_vectors) / sizeof(doc_vectors[0]); i++)
		tried += mutate_vector(doc_vectors[i], DOC_KEY, DOC_SECRET, "us-east-1", DOC_NOW);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i += 5)
		tried += mutate_vector(&vectors[i], VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
				       VECTOR_NOW);
	assert_true(tried > 30000);
}

/* A signed header that is gone, doubled or new must be seen. */
static void test_header_set(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i += 3) {
		struct mutable_request m;
		struct auth_credential credential;
		load(&m, &vectors[i]);
		assert_int_equal(auth_parse(&m.request, &credential), AUTH_OK);
		for (size_t h = 0; h < m.request.nheaders; h++) {
			struct gml_http_header saved = m.headers[h],
					       last = m.headers[m.request.nheaders - 1];
			if (!is_signed(&credential, saved.name) || saved.value.len == 0)
				continue;
			m.headers[h] = last;
			m.request.nheaders--;
			if (check(&m.request, VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
				  VECTOR_NOW) == AUTH_OK)
				fail_msg("%s without %s", vectors[i].name,
					 vectors[i].headers[h].name);
			m.request.nheaders++;
			m.headers[h] = saved;
			if (m.request.nheaders == HEADERS_MAX)
				continue;
			m.headers[m.request.nheaders++] = saved;
			if (check(&m.request, VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
				  VECTOR_NOW) == AUTH_OK)
				fail_msg("%s with %s twice", vectors[i].name,
					 vectors[i].headers[h].name);
			m.request.nheaders--;
		}
		m.headers[m.request.nheaders++] =
			(struct gml_http_header){GML_LIT("x-amz-acl"), GML_LIT("public-read")};
		if (credential.kind == AUTH_V4_HEADER || credential.kind == AUTH_V4_QUERY) {
			enum auth_result rc = auth_parse(&m.request, &credential);
			if (rc == AUTH_UNSIGNED_HEADER)
				assert_true(gml_span_equal(credential.unsigned_header,
							   GML_LIT("x-amz-acl")));
			assert_true(rc == AUTH_UNSIGNED_HEADER ||
				    check(&m.request, VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
					  VECTOR_NOW) != AUTH_OK);
		} else {
			assert_int_equal(check(&m.request, VECTOR_KEY, VECTOR_SECRET, VECTOR_REGION,
					       VECTOR_NOW),
					 AUTH_MISMATCH);
		}
		unload(&m);
	}
}

/* ---- time ---- */

static void test_time(void **state)
{
	assert_int_equal(check_vector(&doc_get, DOC_KEY, DOC_SECRET, "", DOC_NOW + 900), AUTH_OK);
	assert_int_equal(check_vector(&doc_get, DOC_KEY, DOC_SECRET, "", DOC_NOW + 901), AUTH_SKEW);
	assert_int_equal(check_vector(&doc_get, DOC_KEY, DOC_SECRET, "", DOC_NOW - 900), AUTH_OK);
	assert_int_equal(check_vector(&doc_get, DOC_KEY, DOC_SECRET, "", DOC_NOW - 901), AUTH_SKEW);
	assert_int_equal(check_vector(&doc_presigned, DOC_KEY, DOC_SECRET, "", DOC_NOW + 86400),
			 AUTH_OK);
	assert_int_equal(check_vector(&doc_presigned, DOC_KEY, DOC_SECRET, "", DOC_NOW + 86401),
			 AUTH_EXPIRED);
	assert_int_equal(check_vector(&doc_presigned, DOC_KEY, DOC_SECRET, "", DOC_NOW - 901),
			 AUTH_SKEW);
}

/* ---- refusals ---- */

#define AMZ                                                                                        \
	{"Host", DOC_HOST}, {"x-amz-date", "20130524T000000Z"},                                    \
	{                                                                                          \
		"x-amz-content-sha256", DOC_EMPTY                                                  \
	}
#define SIG "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
#define NAMES "SignedHeaders=host;x-amz-content-sha256;x-amz-date"

static void test_refusals(void **state)
{
	static const struct {
		struct vector vector;
		enum auth_result result;
		const char *detail; /* begins with this */
	} cases[] = {
		{{"anonymous", "GET", "/b/k", "x=y", {{"Host", "h"}}}, AUTH_NONE, NULL},
		{{"both", "GET", "/", DOC_PRESIGNED SIG, {AMZ, {"Authorization", "AWS a:b"}}},
		 AUTH_INCOMPLETE,
		 "Only one auth mechanism"},
		{{"v2 and v4 query",
		  "GET",
		  "/",
		  DOC_PRESIGNED SIG "&Signature=x&AWSAccessKeyId=a",
		  {AMZ}},
		 AUTH_INCOMPLETE,
		 "Only one auth mechanism"},
		{{"two headers",
		  "GET",
		  "/",
		  "",
		  {AMZ, {"Authorization", "AWS a:b"}, {"authorization", "AWS a:b"}}},
		 AUTH_INCOMPLETE,
		 "Only one auth mechanism"},
		{{"basic", "GET", "/", "", {AMZ, {"Authorization", "Basic abc"}}},
		 AUTH_INCOMPLETE,
		 "Unsupported Authorization Type"},
		{{"empty", "GET", "/", "", {AMZ, {"Authorization", ""}}},
		 AUTH_INCOMPLETE,
		 "Unsupported Authorization Type"},
		{{"sigv4a", "GET", "/", "", {AMZ, {"Authorization", "AWS4-ECDSA-P256-SHA256 x"}}},
		 AUTH_INCOMPLETE,
		 "The authorization mechanism"},
		{{"no parts", "GET", "/", "", {AMZ, {"Authorization", "AWS4-HMAC-SHA256 "}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed"},
		{{"no equals", "GET", "/", "", {AMZ, {"Authorization", "AWS4-HMAC-SHA256 foo"}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed"},
		{{"twice",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE "," DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed"},
		{{"no signature",
		  "GET",
		  "/",
		  "",
		  {AMZ, {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed"},
		{{"short scope",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization", "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3," NAMES
				     ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed; the Credential"},
		{{"no key",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/aws4_request," NAMES
		    ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed; the Credential"},
		{{"terminator",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws5_request," NAMES
		    ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "The authorization header is malformed; the Credential"},
		{{"service",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/ec2/aws4_request," NAMES
		    ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "The credential scope"},
		{{"scope date",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 Credential=AK/20130525/us-east-1/s3/aws4_request," NAMES
		    ",Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "Invalid credential date"},
		{{"signature length",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=abcd"}}},
		 AUTH_MALFORMED,
		 "The signature"},
		{{"signature digits",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature="
		    "x4b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}}},
		 AUTH_MALFORMED,
		 "The signature"},
		{{"upper names",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE ",SignedHeaders=Host,Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "SignedHeaders"},
		{{"empty name",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE ",SignedHeaders=host;;date,Signature=" SIG}}},
		 AUTH_MALFORMED,
		 "SignedHeaders"},
		{{"no host",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE ",SignedHeaders=x-amz-date,Signature=" SIG}}},
		 AUTH_UNSIGNED_HEADER,
		 "There were headers"},
		{{"date unsigned",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"Authorization",
		    "AWS4-HMAC-SHA256 " DOC_SCOPE ",SignedHeaders=host,Signature=" SIG}}},
		 AUTH_UNSIGNED_HEADER,
		 "There were headers"},
		{{"no date",
		  "GET",
		  "/",
		  "",
		  {{"Host", "h"},
		   {"x-amz-content-sha256", DOC_EMPTY},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_UNSIGNED_HEADER,
		 "AWS authentication requires a valid Date"},
		{{"bad date",
		  "GET",
		  "/",
		  "",
		  {{"Host", "h"},
		   {"x-amz-date", "yesterday"},
		   {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
		   {"x-amz-content-sha256", DOC_EMPTY},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_UNSIGNED_HEADER,
		 "AWS authentication requires a valid Date"},
		{{"no sha256",
		  "GET",
		  "/",
		  "",
		  {{"Host", "h"},
		   {"x-amz-date", "20130524T000000Z"},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_INCOMPLETE,
		 "Missing required header for this request: x-amz-content-sha256"},
		{{"bad sha256",
		  "GET",
		  "/",
		  "",
		  {{"Host", "h"},
		   {"x-amz-date", "20130524T000000Z"},
		   {"x-amz-content-sha256", "abc"},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_INCOMPLETE,
		 "x-amz-content-sha256 must be"},
		{{"ecdsa chunks",
		  "PUT",
		  "/",
		  "",
		  {{"Host", "h"},
		   {"x-amz-date", "20130524T000000Z"},
		   {"x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_INCOMPLETE,
		 "x-amz-content-sha256 must be"},
		{{"two sha256",
		  "GET",
		  "/",
		  "",
		  {AMZ,
		   {"x-amz-content-sha256", DOC_EMPTY},
		   {"Authorization", "AWS4-HMAC-SHA256 " DOC_SCOPE "," NAMES ",Signature=" SIG}}},
		 AUTH_INCOMPLETE,
		 "x-amz-content-sha256 must be"},
		{{"anonymous signed chunks",
		  "PUT",
		  "/b/k",
		  "",
		  {{"Host", "h"}, {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}},
		 AUTH_INCOMPLETE,
		 "x-amz-content-sha256 must be"},
		{{"query parts", "GET", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256", {AMZ}},
		 AUTH_MALFORMED,
		 "Query-string authentication version 4 requires"},
		{{"query twice",
		  "GET",
		  "/",
		  DOC_PRESIGNED SIG "&X-Amz-Signature=" SIG,
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "Query-string authentication version 4 requires"},
		{{"query algorithm",
		  "GET",
		  "/",
		  "X-Amz-Algorithm=AWS4&X-Amz-Credential=a&X-Amz-Date=b&X-Amz-Expires=1&X-Amz-"
		  "SignedHeaders=host&X-Amz-"
		  "Signature=c",
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Algorithm only"},
		{{"query credential",
		  "GET",
		  "/",
		  "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Date=b&X-Amz-"
		  "Expires=1&X-Amz-"
		  "SignedHeaders=host&X-Amz-Signature=c",
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "Error parsing the X-Amz-Credential"},
#define QUERY(date, expires, names)                                                                \
	"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20130524%2fus-east-1/"              \
	"s3%2Faws4_request&X-Amz-Date=" date "&X-Amz-Expires=" expires                             \
	"&X-Amz-SignedHeaders=" names "&X-Amz-Signature=" SIG
		{{"query date", "GET", "/", QUERY("2013", "1", "host"), {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Date must"},
		{{"expires text",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "abc", "host"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Expires should be a number"},
		{{"expires negative",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "-1", "host"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Expires must be non-negative"},
		{{"expires zero",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "0", "host"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Expires must be at least"},
		{{"expires week",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "604801", "host"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Expires must be less"},
		{{"expires huge",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "99999999999999999999999999", "host"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "X-Amz-Expires must be less"},
		{{"query host",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "604800", "date"),
		  {{"Host", "h"}}},
		 AUTH_UNSIGNED_HEADER,
		 "There were headers"},
		{{"query chunks unsigned",
		  "PUT",
		  "/",
		  QUERY("20130524T000000Z", "1", "host%3bdate"),
		  {{"Host", "h"}, {"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}}},
		 AUTH_UNSIGNED_HEADER,
		 "There were headers"},
		{{"query names",
		  "GET",
		  "/",
		  QUERY("20130524T000000Z", "1", "host%3B%41"),
		  {{"Host", "h"}}},
		 AUTH_MALFORMED,
		 "SignedHeaders"},
		{{"v2 no colon", "GET", "/", "", {AMZ, {"Authorization", "AWS abc"}}},
		 AUTH_INCOMPLETE,
		 "AWS authorization header is invalid"},
		{{"v2 no date", "GET", "/", "", {{"Host", "h"}, {"Authorization", "AWS abc:def"}}},
		 AUTH_UNSIGNED_HEADER,
		 "AWS authentication requires a valid Date"},
		{{"v2 query parts", "GET", "/", "AWSAccessKeyId=a&Expires=1", {{"Host", "h"}}},
		 AUTH_UNSIGNED_HEADER,
		 "Query-string authentication requires"},
		{{"v2 query expires",
		  "GET",
		  "/",
		  "AWSAccessKeyId=a&Expires=x&Signature=y",
		  {{"Host", "h"}}},
		 AUTH_UNSIGNED_HEADER,
		 "Invalid date"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mutable_request m;
		struct auth_credential credential;
		enum auth_result rc;
		load(&m, &cases[i].vector);
		rc = auth_parse(&m.request, &credential);
		if (rc != cases[i].result ||
		    (cases[i].detail != NULL &&
		     (credential.detail == NULL ||
		      strncmp(credential.detail, cases[i].detail, strlen(cases[i].detail)) != 0)))
			fail_msg("%s: %d, %s", cases[i].vector.name, rc,
				 credential.detail != NULL ? credential.detail : "(none)");
		unload(&m);
	}
}

static void test_v2_expires(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (strstr(vectors[i].query, "AWSAccessKeyId=") == NULL)
			continue;
		assert_int_equal(
			check_vector(&vectors[i], VECTOR_KEY, VECTOR_SECRET, "", VECTOR_NOW + 3600),
			AUTH_OK);
		assert_int_equal(
			check_vector(&vectors[i], VECTOR_KEY, VECTOR_SECRET, "", VECTOR_NOW + 3601),
			AUTH_EXPIRED);
		return;
	}
	fail();
}

/* ---- limits ---- */

static void test_limits(void **state)
{
	struct gml_http_header *headers = calloc(AUTH_HEADERS_MAX + 1, sizeof(*headers));
	char *target = malloc(AUTH_TARGET_MAX + 1);
	struct auth_request request = {
		.method = GML_LIT("GET"), .path = GML_LIT("/"), .headers = headers};
	struct auth_credential credential;
	for (size_t i = 0; i <= AUTH_HEADERS_MAX; i++)
		headers[i] = (struct gml_http_header){GML_LIT("n"), GML_LIT("v")};
	request.nheaders = AUTH_HEADERS_MAX + 1;
	assert_int_equal(auth_parse(&request, &credential), AUTH_INCOMPLETE);
	request.nheaders = AUTH_HEADERS_MAX;
	assert_int_equal(auth_parse(&request, &credential), AUTH_NONE);
	memset(target, 'a', AUTH_TARGET_MAX + 1);
	request.query = gml_span_of(target, AUTH_TARGET_MAX);
	assert_int_equal(auth_parse(&request, &credential), AUTH_INCOMPLETE);
	request.query.len--;
	assert_int_equal(auth_parse(&request, &credential), AUTH_NONE);
	for (size_t i = 0; i < AUTH_TARGET_MAX; i++)
		target[i] = i % 2 ? '&' : 'a';
	request.query.len = 2 * AUTH_PARAMS_MAX;
	assert_int_equal(auth_parse(&request, &credential), AUTH_NONE);
	request.query.len = 2 * AUTH_PARAMS_MAX + 1;
	assert_int_equal(auth_parse(&request, &credential), AUTH_INCOMPLETE);
	free(target);
	free(headers);
}

/* ---- signing, and the text for the error document ---- */

static void test_sign(void **state)
{
	struct gml_http_header headers[] = {
		{GML_LIT("X-Amz-Meta-B"), GML_LIT("two  spaces")},
		{GML_LIT("Host"), GML_LIT("h:1")},
		{GML_LIT("x-amz-date"), GML_LIT("20130524T000000Z")},
		{GML_LIT("x-amz-content-sha256"), GML_LIT("UNSIGNED-PAYLOAD")},
		{GML_LIT("X-Amz-Meta-B"), GML_LIT("again")},
		{GML_LIT("User-Agent"), GML_LIT("t")},
		{GML_LIT("Authorization"), {NULL, 0}},
	};
	struct auth_request request = {.method = GML_LIT("PUT"),
				       .path = GML_LIT("/b/sp%20ace"),
				       .query = GML_LIT("uploads"),
				       .headers = headers,
				       .nheaders = 6};
	const struct auth_signer signer = {.access_key = STR(DOC_KEY),
					   .secret = STR(DOC_SECRET),
					   .region = STR("us-east-1"),
					   .amz_date = "20130524T000000Z"};
	const struct auth_requirements wrong = {.secret = STR("wrong"), .now = DOC_NOW};
	struct auth_credential credential;
	char value[512], text[1024];
	assert_int_equal(auth_sign(&request, &signer, value, sizeof(value)), 0);
	headers[6].value = STR(value);
	request.nheaders = 7;
	assert_int_equal(check(&request, DOC_KEY, DOC_SECRET, "us-east-1", DOC_NOW), AUTH_OK);
	request.nheaders = 6;
	for (size_t cap = 0; cap <= strlen(value); cap++)
		assert_int_equal(auth_sign(&request, &signer, text, cap), -1);
	request.nheaders = 7;

	assert_int_equal(auth_parse(&request, &credential), AUTH_OK);
	assert_int_equal(auth_verify(&request, &credential, &wrong, NULL,
				     (struct gml_buf){text, sizeof(text)}),
			 AUTH_MISMATCH);
	assert_string_equal(
		text,
		"PUT\n/b/"
		"sp%20ace\nuploads=\nhost:h:1\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:"
		"20130524T000000Z\nx-amz-meta-b:two spaces,again\n\n"
		"host;x-amz-content-sha256;x-amz-date;x-amz-meta-b\nUNSIGNED-PAYLOAD");
	assert_int_equal(
		auth_verify(&request, &credential, &wrong, NULL, (struct gml_buf){text, 8}),
		AUTH_MISMATCH);
	assert_string_equal(text, "PUT\n/b/");
	assert_int_equal(
		auth_verify(&request, &credential, &wrong, NULL, (struct gml_buf){text, 1}),
		AUTH_MISMATCH);
	assert_string_equal(text, "");
}

static void test_hmac(void **state)
{
	/* RFC 4231 test cases 2 and 6 (a key longer than a block), RFC 2202 test case 2. */
	struct auth_digest digest;
	uint8_t out[32];
	char hex[65], key[131];
	auth_digest_init(&digest);
	assert_true(auth_hmac(&digest, AUTH_SHA256, STR("Jefe"),
			      STR("what do ya want for nothing?"), out));
	gml_hex(out, 32, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	assert_true(auth_hmac(&digest, AUTH_SHA256, gml_span_of(key, sizeof(key)),
			      STR("Test Using Larger Than Block-Size Key - Hash Key First"), out));
	gml_hex(out, 32, hex);
	assert_string_equal(hex,
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_true(auth_hmac(&digest, AUTH_SHA1, STR("Jefe"), STR("what do ya want for nothing?"),
			      out));
	gml_hex(out, 20, hex);
	assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	auth_digest_release(&digest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmac),	     cmocka_unit_test(test_published),
		cmocka_unit_test(test_published_v2), cmocka_unit_test(test_published_chunks),
		cmocka_unit_test(test_vectors),	     cmocka_unit_test(test_token),
		cmocka_unit_test(test_libs3),	     cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_header_set),   cmocka_unit_test(test_time),
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_v2_expires),
		cmocka_unit_test(test_limits),	     cmocka_unit_test(test_sign),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
