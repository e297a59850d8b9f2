// SPDX-License-Identifier: Apache-2.0
/* aws-chunked bodies: AWS's published examples, what clients send, every way to be wrong; each in
 * every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/digest.h"
#include "gateway/base/hex.h"
#include "s3api/proto/chunked.h"

/* ---- bodies under construction ---- */

struct body {
	char *bytes;
	size_t len;
};

static void body_put(struct body *body, const void *bytes, size_t len)
{
	body->bytes = realloc(body->bytes, body->len + len + 1);
	assert_non_null(body->bytes);
	memcpy(body->bytes + body->len, bytes, len);
	body->len += len;
}

static void body_text(struct body *body, const char *text)
{
	body_put(body, text, strlen(text));
}

static void body_fill(struct body *body, char c, size_t len)
{
	char *run = malloc(len + 1);
	memset(run, c, len);
	body_put(body, run, len);
	free(run);
}

/* A client's half of the signature chain, written from the documentation and independent of
 * auth_stream_*. */

static const struct auth_stream seed = {
	.signing_key = {1, 2, 3, 4, 5},
	.previous = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	.amz_date = "20130524T000000Z",
	.scope = "20130524/us-east-1/s3/aws4_request"};

static void sign(struct auth_stream *stream, const char *algorithm, const char *middle,
		 const void *data, size_t len, char hex[65])
{
	struct auth_digest digest;
	uint8_t hash[32];
	char text[512], content[65];
	auth_digest_init(&digest);
	auth_digest_begin(&digest, AUTH_SHA256);
	auth_digest_update(&digest, data, len);
	assert_true(auth_digest_final(&digest, hash));
	gml_hex(hash, 32, content);
	snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s%s", algorithm, stream->amz_date,
		 stream->scope, stream->previous, middle, content);
	assert_true(auth_hmac(&digest, AUTH_SHA256, gml_span_of(stream->signing_key, 32),
			      gml_span_text(text), hash));
	gml_hex(hash, 32, hex);
	memcpy(stream->previous, hex, 65);
	auth_digest_release(&digest);
}

static void body_signed_chunk(struct body *body, struct auth_stream *stream, const void *data,
			      size_t len, bool last)
{
	char hex[65], head[128];
	sign(stream, "AWS4-HMAC-SHA256-PAYLOAD",
	     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n", data, len, hex);
	snprintf(head, sizeof(head), "%zx;chunk-signature=%s\r\n", len, hex);
	body_text(body, head);
	body_put(body, data, len);
	if (!last)
		body_text(body, "\r\n");
}

static void body_trailer_signature(struct body *body, struct auth_stream *stream,
				   const char *canonical)
{
	char hex[65];
	sign(stream, "AWS4-HMAC-SHA256-TRAILER", "", canonical, strlen(canonical), hex);
	body_text(body, "x-amz-trailer-signature:");
	body_text(body, hex);
}

/* ---- decoding ---- */

struct result {
	enum s3_chunked_error error;
	struct body data;
	char trailers[256];
	uint64_t small_chunk, small_size;
};

/* cuts: next piece's length by position; pieces live in memory of their own, so that ASan sees
 * reads behind them. */
static void decode(const struct s3_chunked_options *options, const struct body *body,
		   size_t (*cut)(void *, size_t), void *arg, struct result *out)
{
	struct s3_chunked *chunked;
	struct gml_span data;
	size_t at = 0;
	memset(out, 0, sizeof(*out));
	out->error = s3_chunked_new(options, &chunked);
	if (out->error != S3_CHUNKED_OK) {
		assert_null(chunked);
		return;
	}
	while (at < body->len && out->error == S3_CHUNKED_OK) {
		size_t len = cut(arg, at);
		char *piece;
		struct gml_span input;
		if (len > body->len - at)
			len = body->len - at;
		piece = malloc(len > 0 ? len : 1);
		memcpy(piece, body->bytes + at, len);
		input = (struct gml_span){piece, len};
		while ((out->error = s3_chunked_next(chunked, &input, &data)) == S3_CHUNKED_OK &&
		       data.len > 0) {
			assert_true((const char *)data.ptr >= piece &&
				    (const char *)data.ptr + data.len <= piece + len);
			body_put(&out->data, data.ptr, data.len);
		}
		if (out->error == S3_CHUNKED_OK)
			assert_int_equal(input.len, 0);
		free(piece);
		at += len;
	}
	if (out->error == S3_CHUNKED_OK)
		out->error = s3_chunked_end(chunked);
	else
		assert_int_equal(s3_chunked_end(chunked), out->error);
	if (out->error == S3_CHUNKED_OK)
		for (size_t i = 0; i < s3_chunked_ntrailers(chunked); i++) {
			struct gml_span name, value;
			s3_chunked_trailer(chunked, i, &name, &value);
			snprintf(out->trailers + strlen(out->trailers),
				 sizeof(out->trailers) - strlen(out->trailers), "%.*s=%.*s;",
				 (int)name.len, (const char *)name.ptr, (int)value.len,
				 (const char *)value.ptr);
		}
	if (out->error == S3_CHUNKED_CHUNK_SMALL)
		s3_chunked_small(chunked, &out->small_chunk, &out->small_size);
	s3_chunked_free(chunked);
}

static size_t cut_whole(void *arg, size_t at)
{
	return SIZE_MAX;
}

/* Two cuts at fixed places. */
static size_t cut_at(void *arg, size_t at)
{
	const size_t *cuts = arg;
	return at < cuts[0] ? cuts[0] - at : at < cuts[1] ? cuts[1] - at : SIZE_MAX;
}

static size_t cut_step(void *arg, size_t at)
{
	return *(const size_t *)arg;
}

static size_t cut_random(void *arg, size_t at)
{
	return (size_t)(rand_r(arg) % 3 == 0 ? rand_r(arg) % 3 : rand_r(arg) % 5000);
}

static void same(const struct result *a, const struct result *b)
{
	assert_int_equal(a->error, b->error);
	assert_string_equal(a->trailers, b->trailers);
	if (a->error == S3_CHUNKED_OK) {
		assert_int_equal(a->data.len, b->data.len);
		if (a->data.len > 0)
			assert_memory_equal(a->data.bytes, b->data.bytes, a->data.len);
	}
	if (a->error == S3_CHUNKED_CHUNK_SMALL) {
		assert_int_equal(a->small_chunk, b->small_chunk);
		assert_int_equal(a->small_size, b->small_size);
	}
}

/* Decode whole, then in all other ways that are affordable; all must agree. */
static void decode_all(const struct s3_chunked_options *options, const struct body *body,
		       struct result *out)
{
	struct result other;
	unsigned random = 42;
	size_t step = body->len > 20000 ? 29 : 1;
	decode(options, body, cut_whole, NULL, out);
	decode(options, body, cut_step, &step, &other);
	same(out, &other);
	free(other.data.bytes);
	for (int i = 0; i < 20; i++) {
		decode(options, body, cut_random, &random, &other);
		same(out, &other);
		free(other.data.bytes);
	}
	if (body->len > 300)
		return;
	for (size_t first = 0; first <= body->len; first++)
		for (size_t second = first; second <= body->len;
		     second += body->len > 100 ? 7 : 1) {
			size_t cuts[2] = {first, second};
			decode(options, body, cut_at, cuts, &other);
			same(out, &other);
			free(other.data.bytes);
		}
}

/* ---- what is right ---- */

static void test_published(void **state)
{
	static const char *const signatures[2][3] = {
		{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		 "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		 "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
		{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		 "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		 "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}};
	static const char *const seeds[2] = {
		"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
		"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"};
	struct auth_digest digest;
	struct auth_stream stream = seed;
	uint8_t *key = stream.signing_key;
	const struct gml_span step = gml_span_of(key, 32);
	auth_digest_init(&digest);
	auth_hmac(&digest, AUTH_SHA256, GML_LIT("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
		  GML_LIT("20130524"), key);
	auth_hmac(&digest, AUTH_SHA256, step, GML_LIT("us-east-1"), key);
	auth_hmac(&digest, AUTH_SHA256, step, GML_LIT("s3"), key);
	assert_true(auth_hmac(&digest, AUTH_SHA256, step, GML_LIT("aws4_request"), key));
	auth_digest_release(&digest);
	for (int i = 0; i < 2; i++) {
		struct s3_chunked_options options = {.form = i == 0 ? AUTH_PAYLOAD_CHUNKED
								    : AUTH_PAYLOAD_CHUNKED_TRAILER,
						     .stream = &stream,
						     .decoded_length = 66560};
		struct body body = {NULL, 0};
		struct result result;
		memcpy(stream.previous, seeds[i], 65);
		body_text(&body, "10000;chunk-signature=");
		body_text(&body, signatures[i][0]);
		body_text(&body, "\r\n");
		body_fill(&body, 'a', 65536);
		body_text(&body, "\r\n400;chunk-signature=");
		body_text(&body, signatures[i][1]);
		body_text(&body, "\r\n");
		body_fill(&body, 'a', 1024);
		body_text(&body, "\r\n0;chunk-signature=");
		body_text(&body, signatures[i][2]);
		body_text(&body, "\r\n");
		if (i == 1) {
			options.trailer = (struct gml_span){"x-amz-checksum-crc32c", 21};
			body_text(&body, "x-amz-checksum-crc32c:sOO8/"
					 "Q==\r\nx-amz-trailer-signature:"
					 "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17"
					 "fe2e435\r\n");
		}
		body_text(&body, "\r\n");
		if (i == 0)
			assert_int_equal(body.len, 66824); /* as documented */
		decode_all(&options, &body, &result);
		assert_int_equal(result.error, S3_CHUNKED_OK);
		assert_int_equal(result.data.len, 66560);
		assert_string_equal(result.trailers,
				    i == 1 ? "x-amz-checksum-crc32c=sOO8/Q==;" : "");
		free(result.data.bytes);
		free(body.bytes);
	}
}

/* Small bodies as clients write them, and small wrong ones. Unsigned forms. */
static void test_unsigned(void **state)
{
#define ONE "x-amz-checksum-crc32"
	static const struct {
		const char *body, *announced;
		uint64_t length;
		enum s3_chunked_error error;
		const char *trailers;
	} cases[] = {
		{"5\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_OK, ""},
		{"0\r\n\r\n", "", 0, S3_CHUNKED_OK, ""},
		{"000005\r\nhello\r\n00\r\n\r\n", "", 5, S3_CHUNKED_OK, ""},
		{"5;ext=1\r\nhello\r\n0;ext\r\n\r\n", "", 5, S3_CHUNKED_OK, ""},
		{"5\r\nhello\r\n0\r\n" ONE ":AAAAAA==\r\n\r\n", ONE, 5, S3_CHUNKED_OK,
		 ONE "=AAAAAA==;"},
		{"5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32 : AAAAAA== \r\n\r\n",
		 " X-AMZ-CHECKSUM-crc32 ", 5, S3_CHUNKED_OK, ONE "=AAAAAA==;"},
		{"5\r\nhello\r\n0\r\n" ONE ":AAAAAA==\n\r\n\r\n", ONE, 5, S3_CHUNKED_OK,
		 ONE "=AAAAAA==;"},
		{"5\r\nhello\r\n0\r\n" ONE ":AAAAAA==\n\r\n", ONE, 5, S3_CHUNKED_OK,
		 ONE "=AAAAAA==;"},
		{"5\r\nhello\r\n0\r\n" ONE ":AAAAAA==\r\n", ONE, 5, S3_CHUNKED_OK,
		 ONE "=AAAAAA==;"},
		{"5\r\nhello\r\n0\r\nb:2\r\na:1\r\n\r\n", "a,b,", 5, S3_CHUNKED_OK, "b=2;a=1;"},
		{"5\r\nhello\r\n0\r\na:\r\n\r\n", "a", 5, S3_CHUNKED_OK, "a=;"},
		/* framing */
		{"", "", 0, S3_CHUNKED_TRUNCATED, NULL},
		{"5", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\r\nhel", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\r\nhello", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\r\nhello\r\n", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\r\nhello\r\n0\r\n", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\r\nhello\r\n0\r\n\r", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		{"5\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"g\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"+5\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"-5\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"0x5\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"5 \r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"5;\x01\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"00000000000000005\r\nhello\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"5\r\nhelloX\r\n0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"5\r\nhello\rX0\r\n\r\n", "", 5, S3_CHUNKED_FORMAT, NULL},
		{"hello", "", 5, S3_CHUNKED_TRUNCATED, NULL},
		/* lengths */
		{"5\r\nhello\r\n0\r\n\r\n", "", 4, S3_CHUNKED_LONG, NULL},
		{"5\r\nhello\r\n0\r\n\r\n", "", 6, S3_CHUNKED_SHORT, NULL},
		{"0\r\n\r\n", "", 1, S3_CHUNKED_SHORT, NULL},
		{"140000001\r\n", "", UINT64_MAX, S3_CHUNKED_CHUNK_LARGE, NULL},
		{"ffffffffffffffff\r\n", "", UINT64_MAX, S3_CHUNKED_CHUNK_LARGE, NULL},
		{"ffffffffffffffff\r\n", "", 0, S3_CHUNKED_CHUNK_LARGE, NULL},
		{"140000000\r\n", "", 5, S3_CHUNKED_LONG, NULL},
		{"5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n", "", 6, S3_CHUNKED_CHUNK_SMALL, NULL},
		/* trailers */
		{"0\r\n\r\n", ONE, 0, S3_CHUNKED_TRAILER_MISSING, NULL},
		{"0\r\na:1\r\n\r\n", "a,b", 0, S3_CHUNKED_TRAILER_MISSING, NULL},
		{"0\r\nb:1\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_UNEXPECTED, NULL},
		{"0\r\na:1\r\n\r\n", "", 0, S3_CHUNKED_TRAILER_UNEXPECTED, NULL},
		{"0\r\na:1\r\na:1\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_UNEXPECTED, NULL},
		{"0\r\na:1\r\nx-amz-trailer-signature:0\r\n\r\n", "a", 0,
		 S3_CHUNKED_TRAILER_UNEXPECTED, NULL},
		{"0\r\na\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\n:1\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\na b:1\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\na:1\x01\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\na:1\r\n\r\ngarbage\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\na:1\r\n\r\n\r\n\r\n\r\n", "a", 0, S3_CHUNKED_TRAILER_FORMAT, NULL},
		{"0\r\na:1\r\n\r\ngarbage", "a", 0, S3_CHUNKED_TRUNCATED, NULL},
		{"0\r\na:1", "a", 0, S3_CHUNKED_TRUNCATED, NULL},
		{"0\r\n", "a", 0, S3_CHUNKED_TRUNCATED, NULL},
		/* announcements */
		{"0\r\n\r\n", "a b", 0, S3_CHUNKED_ANNOUNCEMENT, NULL},
		{"0\r\n\r\n", "a,A", 0, S3_CHUNKED_ANNOUNCEMENT, NULL},
		{"0\r\n\r\n", "x-amz-trailer-signature", 0, S3_CHUNKED_ANNOUNCEMENT, NULL},
		{"0\r\n\r\n", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", 0, S3_CHUNKED_ANNOUNCEMENT,
		 NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct s3_chunked_options options = {
			.form = AUTH_PAYLOAD_UNSIGNED_TRAILER,
			.decoded_length = cases[i].length,
			.trailer = {cases[i].announced, strlen(cases[i].announced)}};
		struct body body = {NULL, 0};
		struct result result;
		body_text(&body, cases[i].body);
		for (int form = 0; form < 2; form++) {
			decode_all(&options, &body, &result);
			if (result.error != cases[i].error)
				fail_msg("%s: %s, not %s", cases[i].body,
					 s3_chunked_text(result.error),
					 s3_chunked_text(cases[i].error));
			if (result.error == S3_CHUNKED_OK) {
				assert_int_equal(result.data.len, cases[i].length);
				assert_string_equal(result.trailers, cases[i].trailers);
			}
			if (result.error == S3_CHUNKED_CHUNK_SMALL) {
				assert_int_equal(result.small_chunk, 2);
				assert_int_equal(result.small_size, 5);
			}
			free(result.data.bytes);
			options.form = AUTH_PAYLOAD_UNSIGNED;
		}
		free(body.bytes);
	}
}

static void test_limits(void **state)
{
	struct s3_chunked_options options = {.form = AUTH_PAYLOAD_UNSIGNED_TRAILER,
					     .trailer = {"a", 1}};
	struct body body = {NULL, 0};
	struct result result;
	/* A chunk header of 256 bytes is read, one more is not. */
	for (int over = 0; over < 2; over++) {
		body.len = 0;
		body_text(&body, "0;");
		body_fill(&body, 'x', S3_CHUNKED_LINE_MAX - 2 + (size_t)over);
		body_text(&body, "\r\na:1\r\n\r\n");
		decode_all(&options, &body, &result);
		assert_int_equal(result.error, over ? S3_CHUNKED_FORMAT : S3_CHUNKED_OK);
		free(result.data.bytes);
	}
	/* A line that never ends is refused as soon as it is too long. */
	body.len = 0;
	body_fill(&body, '0', S3_CHUNKED_LINE_MAX + 2);
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_FORMAT);
	free(result.data.bytes);
	/* The tail. */
	for (int over = 0; over < 2; over++) {
		body.len = 0;
		body_text(&body, "0\r\na:");
		body_fill(&body, 'x', S3_CHUNKED_TAIL_MAX - 6 + (size_t)over);
		body_text(&body, "\r\n\r\n");
		decode_all(&options, &body, &result);
		assert_int_equal(result.error, over ? S3_CHUNKED_TRAILER_FORMAT : S3_CHUNKED_OK);
		free(result.data.bytes);
	}
	free(body.bytes);
}

/* Chunks of 8 KiB and more in any order, the last one smaller; also as the first of several. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {8192, 65536, 10000, 8192, 1};
	static const size_t bad[] = {8192, 8191, 1};
	char *data = malloc(65536);
	struct result result;
	for (size_t i = 0; i < 65536; i++)
		data[i] = (char)(i * 7 + i / 251);
	for (int wrong = 0; wrong < 2; wrong++) {
		const size_t *list = wrong ? bad : sizes, n = wrong ? 3 : 5;
		struct body plain = {NULL, 0}, chain = {NULL, 0}, expected = {NULL, 0};
		struct auth_stream stream = seed;
		struct s3_chunked_options options = {.form = AUTH_PAYLOAD_UNSIGNED_TRAILER,
						     .stream = &seed};
		char head[32];
		for (size_t i = 0; i < n; i++) {
			snprintf(head, sizeof(head), "%zX\r\n", list[i]);
			body_text(&plain, head);
			body_put(&plain, data, list[i]);
			body_text(&plain, "\r\n");
			body_signed_chunk(&chain, &stream, data, list[i], false);
			body_put(&expected, data, list[i]);
		}
		body_text(&plain, "0\r\n\r\n");
		body_signed_chunk(&chain, &stream, "", 0, true);
		body_text(&chain, "\r\n");
		options.decoded_length = expected.len;
		for (int form = 0; form < 2; form++) {
			decode_all(&options, form == 0 ? &plain : &chain, &result);
			assert_int_equal(result.error,
					 wrong ? S3_CHUNKED_CHUNK_SMALL : S3_CHUNKED_OK);
			if (wrong) {
				assert_int_equal(result.small_chunk, 3);
				assert_int_equal(result.small_size, 8191);
			} else {
				assert_int_equal(result.data.len, expected.len);
				assert_memory_equal(result.data.bytes, expected.bytes,
						    expected.len);
			}
			free(result.data.bytes);
			options.form = AUTH_PAYLOAD_CHUNKED;
		}
		free(plain.bytes);
		free(chain.bytes);
		free(expected.bytes);
	}
	free(data);
}

/* Every byte of a signed body changed in turn: never accepted, unless the change is in what the
 * format leaves free (hex digits' case). */
static void test_signed_mutations(void **state)
{
	struct auth_stream stream = seed;
	struct s3_chunked_options options = {.form = AUTH_PAYLOAD_CHUNKED_TRAILER,
					     .stream = &seed,
					     .decoded_length = 26,
					     .trailer = {"b,a", 3}};
	struct body body = {NULL, 0};
	size_t survived = 0;
	struct result result;
	body_signed_chunk(&body, &stream, "abcdefghijklmnopqrstuvwxyz", 26, false);
	body_signed_chunk(&body, &stream, "", 0, true);
	body_text(&body, "b:2\r\na:1\r\n");
	body_trailer_signature(&body, &stream, "a:1\nb:2\n");
	body_text(&body, "\r\n\r\n");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_OK);
	assert_string_equal(result.trailers, "b=2;a=1;");
	free(result.data.bytes);
	for (size_t i = 0; i < body.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			body.bytes[i] ^= (char)(1 << bit);
			decode(&options, &body, cut_whole, NULL, &result);
			if (result.error == S3_CHUNKED_OK) {
				survived++;
				assert_memory_equal(result.data.bytes, "abcdefghijklmnopqrstuvwxyz",
						    26);
				assert_string_equal(result.trailers, "b=2;a=1;");
			}
			free(result.data.bytes);
			body.bytes[i] ^= (char)(1 << bit);
		}
	assert_in_range(survived, 1, 60);
	/* Cut anywhere: incomplete. The final CRLF, and the LF of the one before it, may be
	 * missing. */
	for (size_t len = 0; len < body.len - 2; len++) {
		struct body shorter = {body.bytes, len};
		decode(&options, &shorter, cut_whole, NULL, &result);
		if (result.error != S3_CHUNKED_TRUNCATED &&
		    result.error != S3_CHUNKED_TRAILER_MISSING)
			fail_msg("cut at %zu: %s", len, s3_chunked_text(result.error));
		free(result.data.bytes);
	}
	free(body.bytes);
}

static void test_signed_errors(void **state)
{
	static const char zeros[8192];
	struct auth_stream stream = seed;
	struct s3_chunked_options options = {
		.form = AUTH_PAYLOAD_CHUNKED, .stream = &seed, .decoded_length = 5};
	struct body body = {NULL, 0};
	struct result result;
	/* No signature where one is due. */
	body_text(&body, "5\r\nhello\r\n0\r\n\r\n");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_FORMAT);
	free(result.data.bytes);
	/* Bytes behind the end. */
	body.len = 0;
	body_signed_chunk(&body, &stream, "hello", 5, false);
	body_signed_chunk(&body, &stream, "", 0, true);
	body_text(&body, "\r\nx");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_FORMAT);
	free(result.data.bytes);
	/* The last chunk has to be signed too: an attacker who cuts the body cannot make an end. */
	body.len = 0;
	stream = seed;
	options.decoded_length = 8192;
	body_signed_chunk(&body, &stream, zeros, sizeof(zeros), false);
	body_text(&body,
		  "0;chunk-signature="
		  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_SIGNATURE);
	free(result.data.bytes);
	/* Trailers, announced or sent, with a form that has none. */
	options.trailer = (struct gml_span){"a", 1};
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_ANNOUNCEMENT);
	/* No signature of the trailers. */
	body.len = 0;
	stream = seed;
	options = (struct s3_chunked_options){
		.form = AUTH_PAYLOAD_CHUNKED_TRAILER, .stream = &seed, .trailer = {"a", 1}};
	body_signed_chunk(&body, &stream, "", 0, true);
	body_text(&body, "a:1\r\n\r\n");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_TRAILER_MISSING);
	free(result.data.bytes);
	/* LF CRLF, as one client family writes it; and no stream at all. */
	body.len = 0;
	stream = seed;
	body_signed_chunk(&body, &stream, "", 0, true);
	body_text(&body, "a:1\n\r\n");
	body_trailer_signature(&body, &stream, "a:1\n");
	body_text(&body, "\r\n\r\n");
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_OK);
	free(result.data.bytes);
	options.stream = NULL;
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_ANNOUNCEMENT);
	options.form = AUTH_PAYLOAD_SIGNED;
	decode_all(&options, &body, &result);
	assert_int_equal(result.error, S3_CHUNKED_ANNOUNCEMENT);
	free(body.bytes);
}

static void test_texts(void **state)
{
	for (int error = S3_CHUNKED_OK; error <= S3_CHUNKED_TRAILER_MISSING; error++)
		assert_string_not_equal(s3_chunked_text((enum s3_chunked_error)error),
					"unknown error");
	assert_string_equal(s3_chunked_text((enum s3_chunked_error)99), "unknown error");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_signed_mutations),
		cmocka_unit_test(test_signed_errors),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
