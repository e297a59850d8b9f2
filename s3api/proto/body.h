// SPDX-License-Identifier: Apache-2.0
/* The body of a request: framing (aws-chunked), length, digests, and the sink of the bytes.
 * "Checking object integrity" of the S3 user guide. */
#ifndef GML_S3_BODY_H
#define GML_S3_BODY_H

#include <gemel/checksum.h>
#include <gemel/object.h>
#include "error.h"

struct s3_call;

/* The digests that the client expects of the content. */
struct s3_integrity {
	bool has_md5;
	uint8_t md5[16];
	enum gml_checksum algorithm; /* x-amz-checksum-*, as header or trailer; NONE: none */
	bool trailer;		     /* its value comes after the content */
	bool composite;		     /* the value ends in -N: of a whole multipart upload */
	uint32_t nparts;	     /* that N */
	uint8_t value[GML_CHECKSUM_SIZE_MAX];
};
/* Content-MD5, x-amz-checksum-*, x-amz-trailer, x-amz-sdk-checksum-algorithm. INVALID_DIGEST,
 * INVALID_REQUEST. */
enum s3_error s3_integrity_read(struct s3_call *call, struct s3_integrity *out);
/* Base64 of one value of `algorithm`; "-N" is allowed when nparts_out is not NULL. */
bool s3_integrity_decode(struct gml_span text, enum gml_checksum algorithm, uint8_t *value,
			 uint32_t *nparts_out);

#define S3_BODY_DIGESTS 4
struct s3_body {
	uint64_t expected, received; /* bytes of content; expected UINT64_MAX: unknown */
	uint64_t wire;		     /* bytes that came, with framing */
	struct s3_chunked *chunked;
	struct s3_integrity integrity;
	/* the expected checksum is of this body (not of a multipart upload to be completed) */
	bool verifies_body;
	struct {
		int algorithm; /* enum gml_checksum or GML_DIGEST_MD5 */
		struct gml_digest *digest;
		uint8_t value[GML_CHECKSUM_SIZE_MAX];
	} digests[S3_BODY_DIGESTS];
	unsigned ndigests;
	/* Sink: `put`, which the operation opens after s3_body_begin, or (collect) buf. */
	bool collect;
	struct gml_put *put;
	char *buf;
	size_t len, cap, max;
};

/* Read the expected digests, fix the length and the framing; the call's step becomes S3_BODY.
 * `max`: most bytes of content. MISSING_CONTENT_LENGTH, ENTITY_TOO_LARGE, MAX_MESSAGE_LENGTH, and
 * those of s3_integrity_read. */
enum s3_error s3_body_begin(struct s3_call *call, bool collect, uint64_t max);
/* Also compute this digest (once, for any number of calls). Before the first byte.
 * SERVICE_UNAVAILABLE. */
enum s3_error s3_body_want(struct s3_call *call, int algorithm);
/* One piece as it came from the wire. */
enum s3_error s3_body_feed(struct s3_call *call, const void *buf, size_t len);
/* All pieces came: check length, framing, every digest. */
enum s3_error s3_body_end(struct s3_call *call);
/* A digest that was wanted; after s3_body_end. */
const uint8_t *s3_body_digest(const struct s3_call *call, int algorithm);
/* What was collected. */
struct gml_span s3_body_text(const struct s3_call *call);
/* Drops unpublished content. May block. */
void s3_body_release(struct s3_call *call);

#endif
