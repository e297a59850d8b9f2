// SPDX-License-Identifier: Apache-2.0
#include "body.h"

#include <stdlib.h>
#include "call.h"
#include "chunked.h"
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"
#include "gateway/base/hex.h"

/* ---- beginning ---- */

static bool body_names_chunked(const struct s3_call *call)
{
	struct gml_span rest = s3_header(call, "content-encoding");
	while (rest.len > 0)
		if (gml_span_is_nocase(gml_span_trim_space(gml_span_cut(&rest, ',')),
				       "aws-chunked"))
			return true;
	return false;
}

/* Is the body framed? Unsigned payloads say so by their encoding and the length that goes with
 * it. */
static bool body_is_chunked(const struct s3_call *call)
{
	switch (call->payload) {
	case AUTH_PAYLOAD_CHUNKED:
	case AUTH_PAYLOAD_CHUNKED_TRAILER:
	case AUTH_PAYLOAD_UNSIGNED_TRAILER:
		return true;
	case AUTH_PAYLOAD_UNSIGNED:
		return body_names_chunked(call) &&
		       s3_has_header(call, "x-amz-decoded-content-length");
	case AUTH_PAYLOAD_SIGNED:
		break;
	}
	return false;
}

static enum s3_error body_chunked_error(struct s3_call *call, enum s3_chunked_error error)
{
	uint64_t chunk, size;
	switch (error) {
	case S3_CHUNKED_OK:
		return S3_OK;
	case S3_CHUNKED_NOMEM:
		return S3_ERR_SERVICE_UNAVAILABLE;
	case S3_CHUNKED_ANNOUNCEMENT:
		return s3_refuse(
			call, S3_ERR_INVALID_REQUEST,
			"The value specified in the x-amz-trailer header is not supported");
	case S3_CHUNKED_FORMAT:
	case S3_CHUNKED_LONG:
	case S3_CHUNKED_SHORT:
	case S3_CHUNKED_TRUNCATED:
		return s3_refuse(call, S3_ERR_INCOMPLETE_BODY,
				 "The request body is not complete or not well framed: %s",
				 s3_chunked_text(error));
	case S3_CHUNKED_CHUNK_LARGE:
		return S3_ERR_ENTITY_TOO_LARGE;
	case S3_CHUNKED_CHUNK_SMALL:
		s3_chunked_small(call->body.chunked, &chunk, &size);
		s3_detail_number(call, "Chunk", chunk);
		s3_detail_number(call, "BadChunkSize", size);
		return S3_ERR_INVALID_CHUNK_SIZE;
	case S3_CHUNKED_SIGNATURE:
		return S3_ERR_SIGNATURE_DOES_NOT_MATCH;
	case S3_CHUNKED_TRAILER_FORMAT:
	case S3_CHUNKED_TRAILER_UNEXPECTED:
	case S3_CHUNKED_TRAILER_MISSING:
		return S3_ERR_MALFORMED_TRAILER;
	}
	return S3_ERR_INTERNAL_ERROR;
}

static enum s3_error body_begin_chunked(struct s3_call *call)
{
	struct gml_span decoded = s3_header(call, "x-amz-decoded-content-length"),
			trailer = s3_header(call, "x-amz-trailer");
	struct s3_chunked_options options = {
		.form = call->payload,
		.stream = call->stream,
		.trailer = {trailer.ptr, trailer.len},
	};
	if (!decoded.ptr || !gml_span_u64(decoded, INT64_MAX, &call->body.expected))
		return S3_ERR_MISSING_CONTENT_LENGTH;
	options.decoded_length = call->body.expected;
	return body_chunked_error(call, s3_chunked_new(&options, &call->body.chunked));
}

static enum s3_error body_check_size(struct s3_call *call)
{
	if (call->body.expected == UINT64_MAX || call->body.expected <= call->body.max)
		return S3_OK;
	if (call->body.collect)
		return S3_ERR_MAX_MESSAGE_LENGTH;
	s3_detail_number(call, "ProposedSize", call->body.expected);
	s3_detail_number(call, "MaxSizeAllowed", call->body.max);
	return S3_ERR_ENTITY_TOO_LARGE;
}

/* Compute the digests that the client expects. */
static enum s3_error body_want_digests(struct s3_call *call)
{
	enum s3_error error = S3_OK;
	if (call->body.integrity.has_md5)
		error = s3_body_want(call, GML_DIGEST_MD5);
	if (!error && call->body.verifies_body)
		error = s3_body_want(call, (int)call->body.integrity.algorithm);
	if (!error && call->payload == AUTH_PAYLOAD_SIGNED)
		error = s3_body_want(call, GML_CHECKSUM_SHA256);
	return error;
}

enum s3_error s3_body_begin(struct s3_call *call, bool collect, uint64_t max)
{
	struct s3_body *body = &call->body;
	enum s3_error error = s3_integrity_read(call, &body->integrity);
	gml_assert(call->step != S3_BODY && body->wire == 0 && body->ndigests == 0); /* once */
	if (error)
		return error;
	body->collect = collect;
	body->max = max;
	body->verifies_body = body->integrity.algorithm != GML_CHECKSUM_NONE &&
			      call->operation->handler != s3_complete_upload;
	if (body_is_chunked(call)) {
		error = body_begin_chunked(call);
	} else {
		if (body->integrity.trailer)
			return s3_refuse(call, S3_ERR_INVALID_REQUEST,
					 "Trailers need a body in aws-chunked encoding.");
		/* Content of 0 bytes needs an explicit length: without one the content may have
		 * been lost. */
		if (!collect && (call->body_length < 0 || !s3_has_header(call, "content-length")))
			return S3_ERR_MISSING_CONTENT_LENGTH;
		body->expected = call->body_length < 0 ? UINT64_MAX : (uint64_t)call->body_length;
	}
	if (!error)
		error = body_check_size(call);
	if (!error)
		error = body_want_digests(call);
	if (!error)
		call->step = S3_BODY;
	return error;
}

enum s3_error s3_body_want(struct s3_call *call, int algorithm)
{
	struct s3_body *body = &call->body;
	struct gml_digest *digest;
	gml_assert(body->wire == 0); /* bytes that came before would be missing from it */
	for (unsigned i = 0; i < body->ndigests; i++)
		if (body->digests[i].algorithm == algorithm)
			return S3_OK;
	gml_assert(body->ndigests < S3_BODY_DIGESTS);
	if (body->ndigests == S3_BODY_DIGESTS)
		return S3_ERR_INTERNAL_ERROR;
	digest = gml_digest_new(algorithm);
	if (!digest)
		return S3_ERR_SERVICE_UNAVAILABLE;
	body->digests[body->ndigests].algorithm = algorithm;
	body->digests[body->ndigests++].digest = digest;
	return S3_OK;
}

/* ---- bytes ---- */

static enum s3_error body_collect(struct s3_body *body, const void *buf, size_t len)
{
	gml_assert(body->len <= body->max && body->len <= body->cap);
	if (len > body->max - body->len)
		return S3_ERR_MAX_MESSAGE_LENGTH;
	if (body->cap - body->len < len) {
		size_t cap = body->cap ? body->cap : 4096;
		char *grown;
		while (cap - body->len < len)
			cap *= 2;
		grown = realloc(body->buf, cap);
		if (!grown)
			return S3_ERR_SERVICE_UNAVAILABLE;
		body->buf = grown;
		body->cap = cap;
	}
	memcpy(body->buf + body->len, buf, len);
	body->len += len;
	return S3_OK;
}

/* MD5, the slowest, goes to another thread when one is free. */
static enum s3_error body_store(struct s3_call *call, struct gml_span data)
{
	struct s3_body *body = &call->body;
	struct s3_hash_job job;
	bool beside = false;
	enum s3_error error;
	gml_assert(body->put != NULL); /* opened between s3_body_begin and the first byte */
	for (unsigned i = 0; i < body->ndigests && data.len >= S3_HASHER_PIECE_MIN && !beside; i++)
		beside = body->digests[i].algorithm == GML_DIGEST_MD5 &&
			 s3_hasher_start(call->config->hasher, &job, body->digests[i].digest,
					 data.ptr, data.len);
	for (unsigned i = 0; i < body->ndigests; i++)
		if (!beside || body->digests[i].algorithm != GML_DIGEST_MD5)
			gml_digest_update(body->digests[i].digest, data.ptr, data.len);
	error = s3_error_from(gml_put_write(body->put, data.ptr, data.len));
	if (beside)
		s3_hasher_wait(&job);
	return error;
}

static enum s3_error body_take(struct s3_call *call, struct gml_span data)
{
	struct s3_body *body = &call->body;
	gml_assert(body->received <= body->expected);
	if (data.len == 0)
		return S3_OK;
	if (body->expected != UINT64_MAX && data.len > body->expected - body->received)
		return S3_ERR_INCOMPLETE_BODY;
	body->received += data.len;
	if (!body->collect)
		return body_store(call, data);
	for (unsigned i = 0; i < body->ndigests; i++)
		gml_digest_update(body->digests[i].digest, data.ptr, data.len);
	return body_collect(body, data.ptr, data.len);
}

enum s3_error s3_body_feed(struct s3_call *call, const void *buf, size_t len)
{
	struct gml_span input = gml_span_of(buf, len), data;
	enum s3_chunked_error rc;
	call->body.wire += len;
	if (!call->body.chunked)
		return body_take(call, input);
	while ((rc = s3_chunked_next(call->body.chunked, &input, &data)) == S3_CHUNKED_OK &&
	       data.len > 0) {
		enum s3_error error = body_take(call, data);
		if (error)
			return error;
	}
	return body_chunked_error(call, rc);
}

/* ---- the end ---- */

const uint8_t *s3_body_digest(const struct s3_call *call, int algorithm)
{
	unsigned i = 0;
	while (i < call->body.ndigests && call->body.digests[i].algorithm != algorithm)
		i++;
	gml_assert(i < call->body.ndigests); /* s3_body_want */
	return i < call->body.ndigests ? call->body.digests[i].value : NULL;
}

static enum s3_error body_check_sha256(struct s3_call *call)
{
	const uint8_t *is;
	char hex[65];
	if (call->payload != AUTH_PAYLOAD_SIGNED)
		return S3_OK;
	is = s3_body_digest(call, GML_CHECKSUM_SHA256);
	if (memcmp(is, call->payload_sha256, 32) == 0)
		return S3_OK;
	gml_hex(call->payload_sha256, 32, hex);
	s3_detail(call, "ClientComputedContentSHA256", gml_span_text(hex));
	gml_hex(is, 32, hex);
	s3_detail(call, "S3ComputedContentSHA256", gml_span_text(hex));
	return S3_ERR_SHA256_MISMATCH;
}

static enum s3_error body_check_md5(struct s3_call *call)
{
	const uint8_t *is;
	char text[GML_BASE64_LEN(16) + 1];
	if (!call->body.integrity.has_md5)
		return S3_OK;
	is = s3_body_digest(call, GML_DIGEST_MD5);
	if (memcmp(is, call->body.integrity.md5, 16) == 0)
		return S3_OK;
	gml_base64(call->body.integrity.md5, 16, text);
	s3_detail(call, "ExpectedDigest", gml_span_text(text));
	gml_base64(is, 16, text);
	s3_detail(call, "CalculatedDigest", gml_span_text(text));
	return S3_ERR_BAD_DIGEST;
}

/* The value of a trailer becomes the expected checksum. */
static enum s3_error body_read_trailer(struct s3_call *call)
{
	struct s3_integrity *expected = &call->body.integrity;
	const char *algorithm = gml_checksum_name(expected->algorithm);
	size_t n;
	gml_assert(call->body.chunked != NULL); /* s3_body_begin refuses trailers without it */
	n = s3_chunked_ntrailers(call->body.chunked);
	for (size_t i = 0; i < n; i++) {
		struct gml_span name, value;
		s3_chunked_trailer(call->body.chunked, i, &name, &value);
		if (!gml_span_starts(name, GML_LIT("x-amz-checksum-")) ||
		    !gml_span_is_nocase(gml_span_from(name, 15), algorithm))
			continue;
		if (!s3_integrity_decode(value, expected->algorithm, expected->value, NULL))
			return s3_refuse(call, S3_ERR_INVALID_REQUEST,
					 "Value for %.*s trailing header is invalid.",
					 (int)name.len, gml_span_chars(name));
		return S3_OK;
	}
	return S3_ERR_MALFORMED_TRAILER;
}

static enum s3_error body_check_checksum(struct s3_call *call)
{
	const struct s3_integrity *expected = &call->body.integrity;
	enum s3_error error;
	if (!call->body.verifies_body)
		return S3_OK;
	if (expected->trailer && (error = body_read_trailer(call)) != S3_OK)
		return error;
	if (memcmp(s3_body_digest(call, (int)expected->algorithm), expected->value,
		   gml_checksum_size(expected->algorithm)) == 0)
		return S3_OK;
	return s3_refuse(call, S3_ERR_BAD_DIGEST,
			 "The %s you specified did not match the calculated checksum.",
			 gml_checksum_name(expected->algorithm));
}

enum s3_error s3_body_end(struct s3_call *call)
{
	struct s3_body *body = &call->body;
	enum s3_error error = S3_OK;
	if (body->chunked)
		error = body_chunked_error(call, s3_chunked_end(body->chunked));
	if (!error && body->expected != UINT64_MAX && body->received != body->expected)
		error = S3_ERR_INCOMPLETE_BODY;
	if (error)
		return error;
	for (unsigned i = 0; i < body->ndigests; i++)
		if (gml_digest_final(body->digests[i].digest, body->digests[i].value) == 0)
			return S3_ERR_SERVICE_UNAVAILABLE;
	error = body_check_sha256(call);
	if (!error)
		error = body_check_md5(call);
	return error ? error : body_check_checksum(call);
}

struct gml_span s3_body_text(const struct s3_call *call)
{
	gml_assert(call->body.collect); /* else it is in the store */
	return gml_span_of(call->body.buf ? call->body.buf : "", call->body.len);
}

void s3_body_release(struct s3_call *call)
{
	struct s3_body *body = &call->body;
	gml_put_abort(body->put);
	body->put = NULL;
	s3_chunked_free(body->chunked);
	body->chunked = NULL;
	for (unsigned i = 0; i < body->ndigests; i++)
		gml_digest_free(body->digests[i].digest);
	body->ndigests = 0;
	free(body->buf);
	body->buf = NULL;
	body->len = body->cap = 0;
}
