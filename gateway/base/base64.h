// SPDX-License-Identifier: Apache-2.0
/* Base64 (RFC 4648, sections 4 and 5). Pure; any thread; no blocking. */
#ifndef GML_BASE_BASE64_H
#define GML_BASE_BASE64_H

#include <gemel/types.h>

/* Characters that `len` bytes take, with padding, without NUL. */
#define GML_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* With padding and a NUL; returns the length without the NUL. */
size_t gml_base64(const void *bytes, size_t len, char *out);
/* The same with the alphabet for URLs and file names (section 5), without padding. */
size_t gml_base64url(const void *bytes, size_t len, char *out);
/* Exactly `len` bytes, with padding. Each value has one spelling: false for stray bits, white space
 * and other lengths; `out` then holds nothing of use. */
bool gml_base64_decode(struct gml_span text, void *out, size_t len);
/* At most `cap` bytes, without padding, with the alphabet of gml_base64url. false as above. */
bool gml_base64url_decode(struct gml_span text, void *out, size_t cap, size_t *len_out);

#endif
