// SPDX-License-Identifier: Apache-2.0
/* Hex and base64 (RFC 4648). Pure; any thread. */
#ifndef GML_S3_CODEC_H
#define GML_S3_CODEC_H

#include <stdbool.h>
#include <gemel/types.h>

/* Bytes that `len` bytes take in base64, with padding, without NUL. */
#define S3_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Lower-case hex of len bytes into out[2 * len + 1]. */
void s3_hex(const void *bytes, size_t len, char *out);
/* Standard alphabet with padding into out[S3_BASE64_LEN(len) + 1]; returns its length. */
size_t s3_base64(const void *bytes, size_t len, char *out);
/* URL alphabet without padding into out[S3_BASE64_LEN(len) + 1]; returns its length. */
size_t s3_base64url(const void *bytes, size_t len, char *out);
/* Strict: standard alphabet, padded, no white space, exactly `len` bytes. */
bool s3_base64_decode(struct gml_span text, void *out, size_t len);
/* Strict: URL alphabet, no padding, at most cap bytes. */
bool s3_base64url_decode(struct gml_span text, void *out, size_t cap, size_t *len_out);

#endif
