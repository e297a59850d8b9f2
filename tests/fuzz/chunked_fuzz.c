// SPDX-License-Identifier: Apache-2.0
/* Input: form, split seed, two bytes of decoded length, length of x-amz-trailer and its text, then
 * the body. Properties: the result does not depend on how the body is cut; accepted bodies have the
 * announced length and trailers; data lies in the input. */
#include <string.h>

#include "s3api/proto/chunked.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_DATA_MAX 65536

struct fuzz_result {
	enum s3_chunked_error error;
	size_t len, ntrailers;
	uint8_t data[FUZZ_DATA_MAX];
};

/* The signing key of the corpus' signed bodies is all zeros. */
static const struct auth_stream fuzz_seed = {
	.previous = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	.amz_date = "20130524T000000Z",
	.scope = "20130524/us-east-1/s3/aws4_request"};

/* split 0: in one piece; else pieces of pseudo-random lengths. */
static void fuzz_decode(const struct s3_chunked_options *options, const uint8_t *body, size_t size,
			uint32_t split, struct fuzz_result *out)
{
	struct s3_chunked *chunked;
	struct gml_span input, data;
	size_t at = 0;
	out->len = 0;
	out->ntrailers = 0;
	out->error = s3_chunked_new(options, &chunked);
	FUZZ_CHECK((out->error == S3_CHUNKED_OK) == (chunked != NULL));
	while (out->error == S3_CHUNKED_OK && at < size) {
		size_t len = size - at;
		if (split != 0) {
			split = split * 1664525 + 1013904223;
			len = (split >> 24) % 23 < len ? (split >> 24) % 23 : len;
		}
		input = (struct gml_span){body + at, len};
		while ((out->error = s3_chunked_next(chunked, &input, &data)) == S3_CHUNKED_OK &&
		       data.len > 0) {
			const uint8_t *p = data.ptr;
			FUZZ_CHECK(p >= body + at && p + data.len <= body + at + len &&
				   out->len + data.len <= sizeof(out->data));
			memcpy(out->data + out->len, p, data.len);
			out->len += data.len;
		}
		FUZZ_CHECK(out->error != S3_CHUNKED_OK || input.len == 0);
		at += len;
	}
	if (chunked == NULL)
		return;
	if (out->error == S3_CHUNKED_OK)
		out->error = s3_chunked_end(chunked);
	else
		FUZZ_CHECK(s3_chunked_end(chunked) == out->error);
	if (out->error == S3_CHUNKED_OK) {
		FUZZ_CHECK(out->len == options->decoded_length);
		out->ntrailers = s3_chunked_ntrailers(chunked);
		for (size_t i = 0; i < out->ntrailers; i++) {
			struct gml_span name, value;
			s3_chunked_trailer(chunked, i, &name, &value);
			FUZZ_CHECK(name.len > 0 && memchr(name.ptr, ':', name.len) == NULL);
			FUZZ_CHECK(value.len == 0 || memchr(value.ptr, '\n', value.len) == NULL);
		}
	}
	s3_chunked_free(chunked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum auth_payload forms[] = {
		AUTH_PAYLOAD_UNSIGNED_TRAILER, AUTH_PAYLOAD_UNSIGNED, AUTH_PAYLOAD_CHUNKED,
		AUTH_PAYLOAD_CHUNKED_TRAILER, AUTH_PAYLOAD_SIGNED};
	static struct fuzz_result whole, split;
	struct s3_chunked_options options = {.stream = &fuzz_seed};
	size_t names;
	if (size < 5 || size > FUZZ_DATA_MAX)
		return 0;
	options.form = forms[data[0] % 5];
	options.decoded_length = (uint64_t)data[2] << 8 | data[3];
	names = data[4] < size - 5 ? data[4] : size - 5;
	options.trailer = (struct gml_span){(const char *)data + 5, names};
	fuzz_decode(&options, data + 5 + names, size - 5 - names, 0, &whole);
	fuzz_decode(&options, data + 5 + names, size - 5 - names, 1 + (uint32_t)data[1], &split);
	FUZZ_CHECK(whole.error == split.error);
	if (whole.error == S3_CHUNKED_OK) {
		FUZZ_CHECK(whole.ntrailers == split.ntrailers && whole.len == split.len);
		FUZZ_CHECK(memcmp(whole.data, split.data, whole.len) == 0);
	}
	return 0;
}
