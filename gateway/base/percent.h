// SPDX-License-Identifier: Apache-2.0
/* Percent-encoding of URIs (RFC 3986, sections 2.1 and 2.3). Pure; any thread; no blocking. */
#ifndef GML_BASE_PERCENT_H
#define GML_BASE_PERCENT_H

#include <gemel/types.h>
#include "hex.h"

enum { GML_PERCENT_UNRESERVED = 1, GML_PERCENT_SLASH = 2 };
/* What a byte is: GML_PERCENT_UNRESERVED for unreserved characters, GML_PERCENT_SLASH for '/', or
 * 0. A mask of both says what stands for itself. */
extern const uint8_t gml_percent_class[256];

/* "%XX" of a byte, with upper-case digits, without NUL. */
static inline void gml_percent_escape(unsigned char c, char out[3])
{
	out[0] = '%';
	out[1] = gml_hex_digit_upper(c >> 4);
	out[2] = gml_hex_digit_upper(c & 15);
}

/* All but unreserved characters (and '/', if keep_slash) are escaped, into out[3 * in.len], without
 * NUL. Returns the length. */
size_t gml_percent_encode(struct gml_span in, bool keep_slash, char *out);
/* Into out[in.len], without NUL; out may be where `in` is. plus: '+' stands for a space, as in
 * query values. Returns the length, or -1: a '%' without two hexadecimal digits after it. */
long gml_percent_decode(struct gml_span in, bool plus, char *out);
/* Length of the run at p, of at most `len` bytes, that holds nothing to decode. */
size_t gml_percent_plain(const char *p, size_t len, bool plus);
/* Take one decoded byte from *in, which is not empty. A '%' without two digits after it stands for
 * itself. */
unsigned char gml_percent_take(struct gml_span *in, bool plus);

#endif
