// SPDX-License-Identifier: Apache-2.0
/* Decoder of aws-chunked bodies: "Signature Calculations: Transferring Payload in Multiple Chunks"
 * and "Including Trailing Headers" of the S3 API reference.
 *
 *      body  = *chunk last tail
 *      chunk = hex-size [";chunk-signature=" 64hex] CRLF data CRLF
 *      last  = "0" [";chunk-signature=" 64hex] CRLF
 *      tail  = *(name ":" value line-end) [x-amz-trailer-signature ":" 64hex line-end] CRLF
 *
 * The extension is obligatory in the signed forms. Some clients end trailer lines with LF or with
 * LF CRLF in place of CRLF; all three are read. The result does not depend on how the body is cut
 * into pieces. Data is handed out as it comes, in place, before its chunk is verified: the consumer
 * keeps it invisible until s3_chunked_end has returned 0.
 *
 * One thread at a time per decoder. Nothing blocks. Nothing is durable. After an error every later
 * call returns the same error. */
#ifndef GML_S3_CHUNKED_H
#define GML_S3_CHUNKED_H

#include <stdbool.h>
#include <stdint.h>

#include <gemel/types.h>
#include "auth/sigv4.h"

#define S3_CHUNKED_SIZE_MIN 8192u /* every data chunk but the last holds at least this much */
#define S3_CHUNKED_SIZE_MAX ((uint64_t)5 << 30) /* bytes of one chunk */
#define S3_CHUNKED_LINE_MAX 256u		/* bytes of a chunk header without CRLF */
#define S3_CHUNKED_TAIL_MAX 8192u   /* bytes from after the last chunk's header to the end */
#define S3_CHUNKED_TRAILERS_MAX 16u /* announced names, and trailer lines */

/* What can be wrong, and S3's code for it. */
enum s3_chunked_error {
	S3_CHUNKED_OK = 0,
	S3_CHUNKED_NOMEM, /* InternalError */
	/* x-amz-trailer is malformed, too long, or sent with a form without trailers:
	 * InvalidRequest */
	S3_CHUNKED_ANNOUNCEMENT,
	S3_CHUNKED_FORMAT,	/* not chunk framing, or bytes beyond the end: IncompleteBody */
	S3_CHUNKED_CHUNK_LARGE, /* chunk over S3_CHUNKED_SIZE_MAX: EntityTooLarge */
	/* a chunk under S3_CHUNKED_SIZE_MIN is followed by more data: InvalidChunkSizeError (403),
	 * see s3_chunked_small */
	S3_CHUNKED_CHUNK_SMALL,
	/* a chunk's signature or the trailers' does not match: SignatureDoesNotMatch */
	S3_CHUNKED_SIGNATURE,
	S3_CHUNKED_LONG,      /* more data than x-amz-decoded-content-length: IncompleteBody */
	S3_CHUNKED_SHORT,     /* the last chunk came with less data than that: IncompleteBody */
	S3_CHUNKED_TRUNCATED, /* the body ended inside the framing: IncompleteBody */
	/* trailer block malformed or over S3_CHUNKED_TAIL_MAX: MalformedTrailerError */
	S3_CHUNKED_TRAILER_FORMAT,
	/* a trailer that x-amz-trailer does not announce, or twice: MalformedTrailerError */
	S3_CHUNKED_TRAILER_UNEXPECTED,
	/* an announced trailer, or a signed form's x-amz-trailer-signature, did not come:
	 * IncompleteBody */
	S3_CHUNKED_TRAILER_MISSING,
};
/* English text for logs and messages; static storage; any value. */
const char *s3_chunked_text(enum s3_chunked_error error);

struct s3_chunked_options {
	/* CHUNKED: signed chunks. CHUNKED_TRAILER: signed chunks and trailers. UNSIGNED_TRAILER:
	 * plain chunks and trailers. UNSIGNED: plain chunks (Content-Encoding: aws-chunked with
	 * UNSIGNED-PAYLOAD), with trailers if announced. AUTH_PAYLOAD_SIGNED is not a chunked form
	 * (ANNOUNCEMENT). */
	enum auth_payload form;
	const struct auth_stream
		*stream;	 /* from auth_verify, copied; needed by the two signed forms only */
	uint64_t decoded_length; /* x-amz-decoded-content-length, bytes */
	/* value of x-amz-trailer (comma-separated names, any case), copied; empty: none
	 * announced */
	struct gml_span trailer;
};

struct s3_chunked;
/* New decoder, heap. Errors: NOMEM, ANNOUNCEMENT; *out is then NULL. */
enum s3_chunked_error s3_chunked_new(const struct s3_chunked_options *options,
				     struct s3_chunked **out);
void s3_chunked_free(struct s3_chunked *chunked); /* NULL is fine */

/* Take bytes from *input, which is advanced, up to the end of the next run of data. *data_out: that
 * run, inside the input; empty when the input is used up.
 *
 *      while ((rc = s3_chunked_next(c, &input, &data)) == 0 && data.len > 0)
 *              store(data); */
enum s3_chunked_error s3_chunked_next(struct s3_chunked *chunked, struct gml_span *input,
				      struct gml_span *data_out);

/* The body is over: check that it is complete, that exactly decoded_length bytes came, the trailers
 * and their signature. Call it once. */
enum s3_chunked_error s3_chunked_end(struct s3_chunked *chunked);

/* Trailers, after s3_chunked_end returned 0: names in lower case, values without surrounding white
 * space, without x-amz-trailer-signature; borrowed until s3_chunked_free. In order of arrival. */
size_t s3_chunked_ntrailers(const struct s3_chunked *chunked);
void s3_chunked_trailer(const struct s3_chunked *chunked, size_t index, struct gml_span *name_out,
			struct gml_span *value_out);

/* For InvalidChunkSizeError's <Chunk> (1-based number of the chunk that should not have come) and
 * <BadChunkSize> (bytes of the small one before it). */
void s3_chunked_small(const struct s3_chunked *chunked, uint64_t *chunk_out, uint64_t *size_out);

#endif
