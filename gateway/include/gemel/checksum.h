// SPDX-License-Identifier: Apache-2.0
/* Streaming digests: MD5 (for ETags) and S3's checksums. SHA and MD5 come from OpenSSL; the CRCs
 * use the processor's instructions where it has them. The labels of the contracts are explained in
 * README.md here. */
#ifndef GEMEL_CHECKSUM_H
#define GEMEL_CHECKSUM_H

#include <gemel/object.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Bytes of a checksum value; 0 for NONE and unknown algorithms.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
size_t gml_checksum_size(enum gml_checksum algorithm);
/* S3's name of the algorithm: "CRC32", "CRC32C", "CRC64NVME", "SHA1" or "SHA256"; NULL for others.
 * Static storage.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_checksum_name(enum gml_checksum algorithm);
/* The algorithm of a name, letter case ignored; NONE when unknown.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
enum gml_checksum gml_checksum_by_name(struct gml_span name);

#define GML_DIGEST_MD5 0x100 /* in place of an enum gml_checksum */

struct gml_digest; /* one digest in progress */
/* Start a digest: an enum gml_checksum or GML_DIGEST_MD5.
 * Ownership: the caller's, until gml_digest_free.
 * Errors: NULL when out of memory or the algorithm is unknown. Threads: any. Blocks: no. Durable:
 * n/a. On failure: nothing was made. */
struct gml_digest *gml_digest_new(int algorithm);
/* Add bytes to the digest.
 * Errors: none here; gml_digest_final reports them. Threads: one at a time per digest. Blocks: no.
 * Durable: n/a. On failure: the digest stays failed. */
void gml_digest_update(struct gml_digest *digest, const void *buf, size_t len);
/* Write the result, big-endian, into `out` (room for GML_CHECKSUM_SIZE_MAX bytes) and return its
 * size in bytes. Afterwards only a CRC accepts more bytes.
 * Errors: 0 if OpenSSL failed: the content must not be trusted. Threads: one at a time per digest.
 * Blocks: no. Durable: n/a. On failure: `out` is undefined. */
size_t gml_digest_final(struct gml_digest *digest, uint8_t *out);
/* Free the digest; NULL is accepted.
 * Errors: none. Threads: any; no other call may use it. Blocks: no. Durable: n/a. On failure:
 * n/a. */
void gml_digest_free(struct gml_digest *digest);

/* SHA-256 of `buf`, without allocation: for places that must not fail, such as a transaction that
 * has begun to write.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_sha256(const void *buf, size_t len, uint8_t out[GML_CHECKSUM_SIZE_MAX]);

/* Make `a`, the CRC of A, the CRC of A followed by B, from B's CRC and its length in bytes. Takes
 * O(log b_len).
 * Errors: INVAL (not one of the three CRCs). Threads: any. Blocks: no. Durable: n/a. On failure:
 * `a` is unchanged. */
int gml_checksum_combine(enum gml_checksum algorithm, uint8_t *a, const uint8_t *b, uint64_t b_len);

GML_API_END

#endif
