// SPDX-License-Identifier: Apache-2.0
/* Small helpers over struct gml_span. Pure; any thread. */
#ifndef GML_S3_SPAN_H
#define GML_S3_SPAN_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <gemel/types.h>

static inline struct gml_span s3_span(const char *text)
{
	return (struct gml_span){text, text ? strlen(text) : 0};
}

static inline struct gml_span s3_span_of(const void *ptr, size_t len)
{
	return (struct gml_span){ptr, len};
}

static inline const char *s3_span_chars(struct gml_span span)
{
	return span.ptr;
}

static inline bool s3_span_is(struct gml_span span, const char *text)
{
	size_t len = strlen(text);
	return span.len == len && (len == 0 || memcmp(span.ptr, text, len) == 0);
}

/* The same without regard to the case of ASCII letters. */
static inline bool s3_span_is_nocase(struct gml_span span, const char *text)
{
	size_t len = strlen(text);
	return span.len == len && (len == 0 || strncasecmp(span.ptr, text, len) == 0);
}

static inline bool s3_span_eq(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool s3_span_starts(struct gml_span span, const char *prefix)
{
	size_t len = strlen(prefix);
	return span.len >= len && memcmp(span.ptr, prefix, len) == 0;
}

/* The rest from `off`, which is at most span.len. */
static inline struct gml_span s3_span_from(struct gml_span span, size_t off)
{
	return (struct gml_span){(const char *)span.ptr + off, span.len - off};
}

/* Index of the first `c`, or span.len. */
static inline size_t s3_span_find(struct gml_span span, char c)
{
	const char *hit = span.len > 0 ? memchr(span.ptr, c, span.len) : NULL;
	return hit ? (size_t)(hit - (const char *)span.ptr) : span.len;
}

static inline struct gml_span s3_span_trim(struct gml_span span)
{
	const char *p = span.ptr;
	while (span.len > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
		p++;
		span.len--;
	}
	while (span.len > 0 && strchr(" \t\r\n", p[span.len - 1]) && p[span.len - 1] != 0)
		span.len--;
	span.ptr = p;
	return span;
}

/* The part before the first `sep`; *rest becomes what follows it (empty, NULL ptr, when there is no more). */
static inline struct gml_span s3_span_cut(struct gml_span *rest, char sep)
{
	size_t at = s3_span_find(*rest, sep);
	struct gml_span head = {rest->ptr, at};
	*rest = at < rest->len ? s3_span_from(*rest, at + 1) : (struct gml_span){NULL, 0};
	return head;
}

/* Decimal digits only, at most `max`; false for anything else, also when empty. */
static inline bool s3_span_u64(struct gml_span span, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	if (span.len == 0 || span.len > 20)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s3_span_chars(span)[i] - '0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return value <= max;
}

#endif
