// SPDX-License-Identifier: Apache-2.0
/* Decoder of aws-chunked bodies. Invariants:
 * 1. A piece of input is looked at byte by byte in order, and a decision is made only where a line,
 *    a chunk or the body ends: the result cannot depend on the cuts.
 * 2. `received` + `left` never exceeds decoded_length: a chunk that would is refused at its header.
 * 3. An error sticks. */
#include "s3api/proto/chunked.h"

#include <stdlib.h>
#include <string.h>

#include "auth/canonical.h"
#include "auth/digest.h"
#include "gateway/base/assert.h"
#include "gateway/base/hex.h"

#define CHUNKED_SIGNATURE_NAME "x-amz-trailer-signature"
#define CHUNKED_EXTENSION ";chunk-signature="
#define CHUNKED_NAMES_MAX 1024u /* bytes of x-amz-trailer */
#define CHUNKED_BLANK_MAX 3u /* empty lines in a tail; some clients send more than the final one */

enum chunked_state { CHUNKED_LINE, CHUNKED_DATA, CHUNKED_CR, CHUNKED_LF, CHUNKED_TAIL };

struct chunked_pair {
	struct gml_span name, value;
};

struct s3_chunked {
	enum s3_chunked_error error;
	enum chunked_state state;
	bool is_signed, has_trailers;
	uint64_t decoded_length, received;
	uint64_t left, size, number; /* of the chunk at hand; number counts from 1 */
	struct auth_stream stream;
	struct auth_digest digest;
	char signature[64];
	size_t line_len, tail_len, nnames, npairs;
	struct gml_span names[S3_CHUNKED_TRAILERS_MAX];	    /* announced; into names_buf */
	struct chunked_pair pairs[S3_CHUNKED_TRAILERS_MAX]; /* into tail */
	char line[S3_CHUNKED_LINE_MAX + 1];		    /* with its CR */
	char names_buf[CHUNKED_NAMES_MAX];
	char tail[S3_CHUNKED_TAIL_MAX];
};
_Static_assert(sizeof(((struct s3_chunked *)NULL)->signature) == 2 * AUTH_SHA256_SIZE,
	       "a signature is an HMAC in hex");

const char *s3_chunked_text(enum s3_chunked_error error)
{
	switch (error) {
	case S3_CHUNKED_OK:
		return "success";
	case S3_CHUNKED_NOMEM:
		return "out of memory";
	case S3_CHUNKED_ANNOUNCEMENT:
		return "The value specified in the x-amz-trailer header is not supported";
	case S3_CHUNKED_FORMAT:
		return "The request body is not well-formed aws-chunked content";
	case S3_CHUNKED_CHUNK_LARGE:
		return "A chunk of the request body exceeds the maximum allowed size";
	case S3_CHUNKED_CHUNK_SMALL:
		return "Only the last chunk is allowed to have a size less than 8192 bytes";
	case S3_CHUNKED_SIGNATURE:
		return "The request signature we calculated does not match the signature you "
		       "provided. Check your key "
		       "and signing method.";
	case S3_CHUNKED_LONG:
		return "The request body holds more bytes than the x-amz-decoded-content-length "
		       "header says";
	case S3_CHUNKED_SHORT:
		return "You did not provide the number of bytes specified by the "
		       "x-amz-decoded-content-length HTTP "
		       "header";
	case S3_CHUNKED_TRUNCATED:
		return "The request body terminated unexpectedly";
	case S3_CHUNKED_TRAILER_FORMAT:
	case S3_CHUNKED_TRAILER_UNEXPECTED:
		return "The request contained trailing data that was not well-formed or did not "
		       "conform to our "
		       "published schema.";
	case S3_CHUNKED_TRAILER_MISSING:
		return "The request body ended without the announced trailers";
	}
	return "unknown error";
}

static void chunked_lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
}

static bool chunked_is_name(struct gml_span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = gml_span_at(name, i);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == '.'))
			return false;
	}
	return name.len > 0;
}

static bool chunked_announced(const struct s3_chunked *chunked, struct gml_span name)
{
	for (size_t i = 0; i < chunked->nnames; i++)
		if (gml_span_equal(chunked->names[i], name))
			return true;
	return false;
}

/* x-amz-trailer into names[]. */
static bool chunked_announce(struct s3_chunked *chunked, struct gml_span list)
{
	if (list.len > sizeof(chunked->names_buf))
		return false;
	if (list.len > 0)
		memcpy(chunked->names_buf, list.ptr, list.len);
	chunked_lower(chunked->names_buf, list.len);
	list.ptr = chunked->names_buf;
	while (list.len > 0) {
		struct gml_span name = gml_span_trim(gml_span_cut(&list, ','));
		if (name.len == 0)
			continue;
		if (!chunked_is_name(name) ||
		    gml_span_equal(name, GML_LIT(CHUNKED_SIGNATURE_NAME)) ||
		    chunked_announced(chunked, name) || chunked->nnames == S3_CHUNKED_TRAILERS_MAX)
			return false;
		chunked->names[chunked->nnames++] = name;
	}
	return true;
}

enum s3_chunked_error s3_chunked_new(const struct s3_chunked_options *options,
				     struct s3_chunked **out)
{
	struct s3_chunked *chunked;
	bool is_signed = options->form == AUTH_PAYLOAD_CHUNKED ||
			 options->form == AUTH_PAYLOAD_CHUNKED_TRAILER;
	*out = NULL;
	if (options->form == AUTH_PAYLOAD_SIGNED || (is_signed && options->stream == NULL))
		return S3_CHUNKED_ANNOUNCEMENT;
	/* The buffers at the end are written before they are read: only what stands before them
	 * needs a value. */
	chunked = malloc(sizeof(*chunked));
	if (chunked == NULL)
		return S3_CHUNKED_NOMEM;
	memset(chunked, 0, offsetof(struct s3_chunked, line));
	auth_digest_init(&chunked->digest);
	chunked->is_signed = is_signed;
	chunked->has_trailers = options->form != AUTH_PAYLOAD_CHUNKED;
	chunked->decoded_length = options->decoded_length;
	if (is_signed)
		chunked->stream = *options->stream;
	if (!chunked_announce(chunked, options->trailer) ||
	    (chunked->nnames > 0 && !chunked->has_trailers)) {
		s3_chunked_free(chunked);
		return S3_CHUNKED_ANNOUNCEMENT;
	}
	*out = chunked;
	return S3_CHUNKED_OK;
}

void s3_chunked_free(struct s3_chunked *chunked)
{
	if (chunked == NULL)
		return;
	auth_digest_release(&chunked->digest);
	explicit_bzero(&chunked->stream, sizeof(chunked->stream));
	free(chunked);
}

/* ---- chunks ---- */

/* The chunk's data is complete and hashed. */
static enum s3_chunked_error chunked_verify(struct s3_chunked *chunked)
{
	uint8_t sha256[AUTH_SHA256_SIZE];
	if (!chunked->is_signed)
		return S3_CHUNKED_OK;
	if (!auth_digest_final(&chunked->digest, sha256))
		return S3_CHUNKED_NOMEM;
	return auth_stream_chunk(&chunked->stream, sha256, chunked->signature)
		       ? S3_CHUNKED_OK
		       : S3_CHUNKED_SIGNATURE;
}

/* Extension of a chunk header, from its ";" on. Signed forms need the signature and nothing else;
 * the others ignore what is printable. */
static bool chunked_extension(struct s3_chunked *chunked, const char *text, size_t len)
{
	const size_t prefix = sizeof(CHUNKED_EXTENSION) - 1;
	if (chunked->is_signed) {
		if (len != prefix + sizeof(chunked->signature) ||
		    memcmp(text, CHUNKED_EXTENSION, prefix) != 0)
			return false;
		memcpy(chunked->signature, text + prefix, sizeof(chunked->signature));
		return true;
	}
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return len == 0 || text[0] == ';';
}

static enum s3_chunked_error chunked_header(struct s3_chunked *chunked)
{
	size_t len = chunked->line_len, digits = 0;
	uint64_t size = 0;
	bool small = chunked->number > 0 && chunked->size < S3_CHUNKED_SIZE_MIN;
	gml_assert(chunked->left == 0 && chunked->received <= chunked->decoded_length);
	chunked->line_len = 0;
	if (len == 0 || chunked->line[--len] != '\r')
		return S3_CHUNKED_FORMAT;
	for (; digits < len && digits < 17 && chunked->line[digits] != ';'; digits++) {
		int value = gml_hex_value(chunked->line[digits]);
		if (value < 0)
			return S3_CHUNKED_FORMAT;
		size = size << 4 | (unsigned)value;
	}
	if (digits == 0 || digits > 16 ||
	    !chunked_extension(chunked, chunked->line + digits, len - digits))
		return S3_CHUNKED_FORMAT;
	chunked->number++;
	if (size > S3_CHUNKED_SIZE_MAX)
		return S3_CHUNKED_CHUNK_LARGE;
	if (size > 0 && small)
		return S3_CHUNKED_CHUNK_SMALL;
	if (size > chunked->decoded_length - chunked->received)
		return S3_CHUNKED_LONG;
	chunked->size = size;
	chunked->left = size;
	if (chunked->is_signed)
		auth_digest_begin(&chunked->digest, AUTH_SHA256);
	if (size > 0) {
		chunked->state = CHUNKED_DATA;
		return S3_CHUNKED_OK;
	}
	chunked->state = CHUNKED_TAIL;
	return chunked_verify(chunked);
}

/* Bytes of a chunk header, to the end of its line. */
static enum s3_chunked_error chunked_line(struct s3_chunked *chunked, const char **at,
					  const char *end)
{
	const char *lf = memchr(*at, '\n', (size_t)(end - *at));
	size_t len = (size_t)((lf != NULL ? lf : end) - *at);
	gml_assert(chunked->line_len <= sizeof(chunked->line));
	if (len > sizeof(chunked->line) - chunked->line_len)
		return S3_CHUNKED_FORMAT;
	memcpy(chunked->line + chunked->line_len, *at, len);
	chunked->line_len += len;
	*at += len + (lf != NULL);
	return lf != NULL ? chunked_header(chunked) : S3_CHUNKED_OK;
}

static enum s3_chunked_error chunked_data(struct s3_chunked *chunked, const char **at,
					  const char *end, struct gml_span *data_out)
{
	size_t len = (size_t)(end - *at);
	gml_assert(chunked->left > 0 &&
		   chunked->left <= chunked->decoded_length - chunked->received); /* 2 */
	if (len > chunked->left)
		len = (size_t)chunked->left;
	if (chunked->is_signed)
		auth_digest_update(&chunked->digest, *at, len);
	*data_out = gml_span_of(*at, len);
	*at += len;
	chunked->left -= len;
	chunked->received += len;
	if (chunked->left > 0)
		return S3_CHUNKED_OK;
	chunked->state = CHUNKED_CR;
	return chunked_verify(chunked);
}

static enum s3_chunked_error chunked_tail(struct s3_chunked *chunked, const char **at,
					  const char *end)
{
	size_t len = (size_t)(end - *at), cap = chunked->has_trailers ? sizeof(chunked->tail) : 2;
	gml_assert(chunked->left == 0 && chunked->tail_len <= cap);
	if (len > cap - chunked->tail_len)
		return chunked->has_trailers ? S3_CHUNKED_TRAILER_FORMAT : S3_CHUNKED_FORMAT;
	memcpy(chunked->tail + chunked->tail_len, *at, len);
	chunked->tail_len += len;
	*at = end;
	return S3_CHUNKED_OK;
}

enum s3_chunked_error s3_chunked_next(struct s3_chunked *chunked, struct gml_span *input,
				      struct gml_span *data_out)
{
	const char *at = input->len > 0 ? input->ptr : "", *end = at + input->len;
	enum s3_chunked_error rc = chunked->error;
	*data_out = gml_span_of(NULL, 0);
	while (rc == S3_CHUNKED_OK && at < end && data_out->len == 0) {
		switch (chunked->state) {
		case CHUNKED_LINE:
			rc = chunked_line(chunked, &at, end);
			break;
		case CHUNKED_DATA:
			rc = chunked_data(chunked, &at, end, data_out);
			break;
		case CHUNKED_CR:
			rc = *at++ == '\r' ? S3_CHUNKED_OK : S3_CHUNKED_FORMAT;
			chunked->state = CHUNKED_LF;
			break;
		case CHUNKED_LF:
			rc = *at++ == '\n' ? S3_CHUNKED_OK : S3_CHUNKED_FORMAT;
			chunked->state = CHUNKED_LINE;
			break;
		case CHUNKED_TAIL:
			rc = chunked_tail(chunked, &at, end);
			break;
		}
	}
	/* A consumer that gets no data comes back with the next input. */
	gml_assert(rc != S3_CHUNKED_OK || data_out->len > 0 || at == end);
	*input = gml_span_of(at, (size_t)(end - at));
	chunked->error = rc;
	return rc;
}

/* ---- tail ---- */

/* "name:value" into pairs[], or into signature if it is the one after all others. */
static enum s3_chunked_error chunked_trailer(struct s3_chunked *chunked, char *line, size_t len,
					     bool *signature_seen)
{
	char *colon = memchr(line, ':', len);
	struct gml_span name, value;
	if (colon == NULL || *signature_seen)
		return S3_CHUNKED_TRAILER_FORMAT;
	chunked_lower(line, (size_t)(colon - line));
	name = gml_span_trim(gml_span_of(line, (size_t)(colon - line)));
	value = gml_span_trim(gml_span_of(colon + 1, len - (size_t)(colon - line) - 1));
	if (!chunked_is_name(name))
		return S3_CHUNKED_TRAILER_FORMAT;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)gml_span_at(value, i) < 0x20 || gml_span_at(value, i) == 0x7f)
			return S3_CHUNKED_TRAILER_FORMAT;
	if (chunked->is_signed && gml_span_equal(name, GML_LIT(CHUNKED_SIGNATURE_NAME))) {
		if (value.len != sizeof(chunked->signature))
			return S3_CHUNKED_TRAILER_FORMAT;
		memcpy(chunked->signature, value.ptr, value.len);
		*signature_seen = true;
		return S3_CHUNKED_OK;
	}
	if (!chunked_announced(chunked, name))
		return S3_CHUNKED_TRAILER_UNEXPECTED;
	for (size_t i = 0; i < chunked->npairs; i++)
		if (gml_span_equal(chunked->pairs[i].name, name))
			return S3_CHUNKED_TRAILER_UNEXPECTED;
	/* Announced names are at most TRAILERS_MAX, and each comes once: there is room. */
	gml_assert(chunked->npairs < chunked->nnames);
	chunked->pairs[chunked->npairs++] = (struct chunked_pair){name, value};
	return S3_CHUNKED_OK;
}

static int chunked_pair_compare(const void *a, const void *b)
{
	const struct chunked_pair *left = a, *right = b;
	size_t len = left->name.len < right->name.len ? left->name.len : right->name.len;
	int order = memcmp(left->name.ptr, right->name.ptr, len);
	return order != 0 ? order
			  : (left->name.len > right->name.len) - (left->name.len < right->name.len);
}

/* The signature is over "name:value\n" of all trailers, sorted by name. */
static enum s3_chunked_error chunked_verify_trailers(struct s3_chunked *chunked)
{
	struct chunked_pair sorted[S3_CHUNKED_TRAILERS_MAX];
	uint8_t sha256[AUTH_SHA256_SIZE];
	gml_assert(chunked->is_signed && chunked->npairs == chunked->nnames);
	memcpy(sorted, chunked->pairs, chunked->npairs * sizeof(sorted[0]));
	qsort(sorted, chunked->npairs, sizeof(sorted[0]), chunked_pair_compare);
	auth_digest_begin(&chunked->digest, AUTH_SHA256);
	for (size_t i = 0; i < chunked->npairs; i++) {
		auth_digest_update(&chunked->digest, sorted[i].name.ptr, sorted[i].name.len);
		auth_digest_update(&chunked->digest, ":", 1);
		auth_digest_update(&chunked->digest, sorted[i].value.ptr, sorted[i].value.len);
		auth_digest_update(&chunked->digest, "\n", 1);
	}
	if (!auth_digest_final(&chunked->digest, sha256))
		return S3_CHUNKED_NOMEM;
	return auth_stream_trailer(&chunked->stream, sha256, chunked->signature)
		       ? S3_CHUNKED_OK
		       : S3_CHUNKED_SIGNATURE;
}

/* A tail with trailers. The final empty line may be missing (some clients leave it out): the
 * signature, or the presence of all that was announced, shows that nothing else is. */
static enum s3_chunked_error chunked_trailers(struct s3_chunked *chunked)
{
	char *at = chunked->tail, *end = at + chunked->tail_len;
	bool signature_seen = false;
	unsigned blank = 0;
	enum s3_chunked_error rc;
	if (at == end)
		return S3_CHUNKED_TRUNCATED;
	while (at < end) {
		char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t len;
		if (lf == NULL)
			return S3_CHUNKED_TRUNCATED;
		len = (size_t)(lf - at);
		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (len == 0 && ++blank > CHUNKED_BLANK_MAX)
			return S3_CHUNKED_TRAILER_FORMAT;
		if (len > 0) {
			rc = chunked_trailer(chunked, at, len, &signature_seen);
			if (rc != S3_CHUNKED_OK)
				return rc;
		}
		at = lf + 1;
	}
	if (chunked->npairs < chunked->nnames || signature_seen != chunked->is_signed)
		return S3_CHUNKED_TRAILER_MISSING;
	return chunked->is_signed ? chunked_verify_trailers(chunked) : S3_CHUNKED_OK;
}

enum s3_chunked_error s3_chunked_end(struct s3_chunked *chunked)
{
	if (chunked->error != S3_CHUNKED_OK)
		return chunked->error;
	if (chunked->state != CHUNKED_TAIL)
		chunked->error = S3_CHUNKED_TRUNCATED;
	else if (chunked->received != chunked->decoded_length)
		chunked->error = S3_CHUNKED_SHORT;
	else if (chunked->has_trailers)
		chunked->error = chunked_trailers(chunked);
	else if (chunked->tail_len < 2)
		chunked->error = S3_CHUNKED_TRUNCATED;
	else if (memcmp(chunked->tail, "\r\n", 2) != 0)
		chunked->error = S3_CHUNKED_FORMAT;
	return chunked->error;
}

size_t s3_chunked_ntrailers(const struct s3_chunked *chunked)
{
	return chunked->npairs;
}

void s3_chunked_trailer(const struct s3_chunked *chunked, size_t index, struct gml_span *name_out,
			struct gml_span *value_out)
{
	gml_assert(chunked->error == S3_CHUNKED_OK && index < chunked->npairs);
	*name_out = gml_span_of(chunked->pairs[index].name.ptr, chunked->pairs[index].name.len);
	*value_out = gml_span_of(chunked->pairs[index].value.ptr, chunked->pairs[index].value.len);
}

void s3_chunked_small(const struct s3_chunked *chunked, uint64_t *chunk_out, uint64_t *size_out)
{
	gml_assert(chunked->error == S3_CHUNKED_CHUNK_SMALL && chunked->number > 1);
	*chunk_out = chunked->number;
	*size_out = chunked->size;
}
