// SPDX-License-Identifier: Apache-2.0
/* Names and ids of users, groups, roles and policies. */
#ifndef GML_IAM_NAME_H
#define GML_IAM_NAME_H

#include <stdbool.h>
#include <string.h>
#include <gemel/iam.h>
#include <gemel/types.h>
#include "gateway/base/span.h"

/* The only account that there is. */
#define GML_IAM_ACCOUNT "000000000000"

#define GML_IAM_BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/* The text before the first zero byte of at most `cap` bytes. */
static inline struct gml_span gml_iam_span(const char *text, size_t cap)
{
	return gml_span_of(text, strnlen(text, cap));
}

/* Has the name 1 to `max` letters (ASCII), digits and characters of `more`? At most max + 1 bytes
 * are read. Pure. */
bool gml_iam_name_ok(const char *name, size_t max, const char *more);
/* The characters besides letters and digits that IAM allows in names. */
#define GML_IAM_NAME_MORE "_+=,.@-"

/* Is it UTF-8 of at most `max` bytes without control characters? */
bool gml_iam_text_ok(struct gml_span text, size_t max);
/* The code point at the beginning of text->len > 0 bytes, which are taken off; UINT32_MAX: they are
 * no well-formed UTF-8 (RFC 3629). */
uint32_t gml_iam_rune(struct gml_span *text);

/* `len` characters of `alphabet`, all equally likely, and a zero. IO: no random bytes. */
int gml_iam_random(char *out, size_t len, const char *alphabet);
/* A new id; `prefix` has four characters. IO. */
int gml_iam_id(char out[GML_UNIQUE_ID + 1], const char *prefix);

#endif
