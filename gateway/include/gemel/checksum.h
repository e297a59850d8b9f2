// SPDX-License-Identifier: Apache-2.0
/* Streaming digests: MD5 (for ETags) and S3's checksums. SHA and MD5 come from OpenSSL, the CRCs use the processor's instructions where it has them. */
#ifndef GEMEL_CHECKSUM_H
#define GEMEL_CHECKSUM_H

#include <gemel/object.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Bytes of a value; 0 for NONE and unknown. */
size_t gml_checksum_size(enum gml_checksum algorithm);
/* "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", NULL for others; and back (case-insensitive; NONE when unknown). */
const char *gml_checksum_name(enum gml_checksum algorithm);
enum gml_checksum gml_checksum_by_name(struct gml_span name);

#define GML_DIGEST_MD5 0x100 /* in place of an enum gml_checksum */

/* One digest in progress; heap; NULL when out of memory or the algorithm is unknown. One thread at a time. */
struct gml_digest;
struct gml_digest *gml_digest_new(int algorithm);
void gml_digest_update(struct gml_digest *digest, const void *buf, size_t len);
/* Result so far, big-endian; the digest goes on being usable for CRCs only. out holds 32 bytes; returns the size, or 0 if OpenSSL failed (the content must not be trusted then). */
size_t gml_digest_final(struct gml_digest *digest, uint8_t *out);
void gml_digest_free(struct gml_digest *digest); /* NULL is fine */

/* SHA-256 of `buf`. Takes no memory and cannot fail: for places that can do neither, such as a
 * transaction that has begun to write. Any thread. No blocking. */
void gml_sha256(const void *buf, size_t len, uint8_t out[GML_CHECKSUM_SIZE_MAX]);

/* CRC of A||B from crc(A), crc(B) and B's length (the three CRCs only; else INVAL). a is updated in place. O(log len). */
int gml_checksum_combine(enum gml_checksum algorithm, uint8_t *a, const uint8_t *b, uint64_t b_len);

GML_API_END

#endif
