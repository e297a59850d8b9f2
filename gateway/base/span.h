// SPDX-License-Identifier: Apache-2.0
/* Borrowed runs of bytes: the one kit for struct gml_span.
 *
 * Pure; any thread; no blocking. A span with length 0 may have a NULL pointer everywhere. What is
 * returned borrows from what was given. */
#ifndef GML_BASE_SPAN_H
#define GML_BASE_SPAN_H

#include <string.h>
#include <strings.h>
#include <gemel/types.h>
#include "assert.h"

/* A string literal as a span, also in a static initializer. */
#define GML_LIT(text) ((struct gml_span){(text), sizeof(text) - 1})

static inline struct gml_span gml_span_of(const void *ptr, size_t len)
{
	return (struct gml_span){.ptr = ptr, .len = len};
}

/* A NUL-terminated string; NULL is the empty span with a NULL pointer. */
static inline struct gml_span gml_span_text(const char *text)
{
	return (struct gml_span){.ptr = text, .len = text != NULL ? strlen(text) : 0};
}

static inline const char *gml_span_chars(struct gml_span span)
{
	return span.ptr;
}

/* The byte at `at`, which is less than span.len. */
static inline char gml_span_at(struct gml_span span, size_t at)
{
	gml_assert(at < span.len);
	return gml_span_chars(span)[at];
}

/* Are the first `len` bytes the same? An empty span may have no address. */
static inline bool gml_span_same(const void *a, const void *b, size_t len)
{
	gml_assert(len == 0 || (a != NULL && b != NULL));
	return len == 0 || (a != NULL && b != NULL && memcmp(a, b, len) == 0);
}

static inline bool gml_span_equal(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && gml_span_same(a.ptr, b.ptr, a.len);
}

/* The same without regard to the case of ASCII letters. */
static inline bool gml_span_equal_nocase(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0 ||
				  strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool gml_span_is(struct gml_span span, const char *text)
{
	return gml_span_equal(span, gml_span_text(text));
}

static inline bool gml_span_is_nocase(struct gml_span span, const char *text)
{
	return gml_span_equal_nocase(span, gml_span_text(text));
}

static inline bool gml_span_starts(struct gml_span span, struct gml_span prefix)
{
	return span.len >= prefix.len && gml_span_same(span.ptr, prefix.ptr, prefix.len);
}

static inline bool gml_span_starts_nocase(struct gml_span span, struct gml_span prefix)
{
	return span.len >= prefix.len &&
	       (prefix.len == 0 || strncasecmp(span.ptr, prefix.ptr, prefix.len) == 0);
}

/* Bytewise order: < 0, 0, > 0. */
static inline int gml_span_order(struct gml_span a, struct gml_span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The same without regard to the case of ASCII letters. */
static inline int gml_span_order_nocase(struct gml_span a, struct gml_span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? strncasecmp(a.ptr, b.ptr, n) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* What follows the first `off` bytes; off is at most span.len. */
static inline struct gml_span gml_span_from(struct gml_span span, size_t off)
{
	gml_assert(off <= span.len);
	return gml_span_of(off > 0 ? gml_span_chars(span) + off : span.ptr, span.len - off);
}

/* Index of the first `c`, or span.len. */
static inline size_t gml_span_find(struct gml_span span, char c)
{
	const char *hit = span.len > 0 ? memchr(span.ptr, c, span.len) : NULL;
	return hit != NULL ? (size_t)(hit - gml_span_chars(span)) : span.len;
}

/* The part before the first `sep`; *rest becomes what follows it (empty, NULL ptr, when there is no
 * more). */
static inline struct gml_span gml_span_cut(struct gml_span *rest, char sep)
{
	size_t at = gml_span_find(*rest, sep);
	struct gml_span head = gml_span_of(rest->ptr, at);
	*rest = at < rest->len ? gml_span_from(*rest, at + 1) : gml_span_of(NULL, 0);
	return head;
}

/* Without spaces and tabs at both ends: the optional white space of a header's value (RFC 9110,
 * 5.6.3). */
static inline struct gml_span gml_span_trim(struct gml_span span)
{
	const char *p = span.ptr;
	while (span.len > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		span.len--;
	}
	while (span.len > 0 && (p[span.len - 1] == ' ' || p[span.len - 1] == '\t'))
		span.len--;
	return gml_span_of(p, span.len);
}

static inline bool gml_char_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without XML's white space at both ends: the same, and carriage returns and line feeds. */
static inline struct gml_span gml_span_trim_space(struct gml_span span)
{
	const char *p = span.ptr;
	while (span.len > 0 && gml_char_is_space(*p)) {
		p++;
		span.len--;
	}
	while (span.len > 0 && gml_char_is_space(p[span.len - 1]))
		span.len--;
	return gml_span_of(p, span.len);
}

/* Decimal digits only, at most `max`; false for anything else, also when empty, with *out
 * untouched. A number beyond `max` is stored and refused. */
static inline bool gml_span_u64(struct gml_span span, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	if (span.len == 0 || span.len > 20)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		unsigned digit = (unsigned)(unsigned char)gml_span_at(span, i) - '0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return value <= max;
}

#endif
