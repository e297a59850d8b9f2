// SPDX-License-Identifier: Apache-2.0
/* Borrowed runs of bytes. */
#ifndef GML_BASE_SPAN_H
#define GML_BASE_SPAN_H

#include <string.h>
#include <gemel/types.h>

static inline struct gml_span gml_span_of(const void *ptr, size_t len)
{
	return (struct gml_span){.ptr = ptr, .len = len};
}

static inline bool gml_span_equal(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool gml_span_starts(struct gml_span s, struct gml_span prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Bytewise order: < 0, 0, > 0. */
static inline int gml_span_order(struct gml_span a, struct gml_span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
