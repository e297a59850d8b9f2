// SPDX-License-Identifier: Apache-2.0
#include "percent.h"
#include <string.h>
#include "span.h"

const uint8_t gml_percent_class[256] = {
	['A' ... 'Z'] = GML_PERCENT_UNRESERVED, ['a' ... 'z'] = GML_PERCENT_UNRESERVED,
	['0' ... '9'] = GML_PERCENT_UNRESERVED, ['-'] = GML_PERCENT_UNRESERVED,
	['.'] = GML_PERCENT_UNRESERVED,		['_'] = GML_PERCENT_UNRESERVED,
	['~'] = GML_PERCENT_UNRESERVED,		['/'] = GML_PERCENT_SLASH,
};

size_t gml_percent_encode(struct gml_span in, bool keep_slash, char *out)
{
	const unsigned char *p = in.ptr;
	const uint8_t same = GML_PERCENT_UNRESERVED | (keep_slash ? GML_PERCENT_SLASH : 0);
	char *start = out;
	for (size_t i = 0; i < in.len; i++) {
		if (gml_percent_class[p[i]] & same) {
			*out++ = (char)p[i];
		} else {
			gml_percent_escape(p[i], out);
			out += 3;
		}
	}
	return (size_t)(out - start);
}

size_t gml_percent_plain(const char *p, size_t len, bool plus)
{
	const char *stop = len > 0 ? memchr(p, '%', len) : NULL;
	if (stop != NULL)
		len = (size_t)(stop - p);
	stop = plus && len > 0 ? memchr(p, '+', len) : NULL;
	return stop != NULL ? (size_t)(stop - p) : len;
}

long gml_percent_decode(struct gml_span in, bool plus, char *out)
{
	const char *p = in.ptr, *end = in.len > 0 ? p + in.len : p;
	char *start = out;
	while (p < end) {
		size_t plain = gml_percent_plain(p, (size_t)(end - p), plus);
		memmove(out, p, plain);
		out += plain;
		p += plain;
		if (p == end)
			break;
		if (*p == '+') {
			*out++ = ' ';
			p++;
			continue;
		}
		if (end - p < 3 || !gml_unhex(p + 1, 1, out))
			return -1;
		out++;
		p += 3;
	}
	return (long)(out - start);
}

unsigned char gml_percent_take(struct gml_span *in, bool plus)
{
	const char *p = in->ptr;
	unsigned char c = (unsigned char)*p, escaped;
	size_t used = 1;
	gml_assert(in->len > 0);
	if (c == '%' && in->len >= 3 && gml_unhex(p + 1, 1, &escaped)) {
		c = escaped;
		used = 3;
	} else if (c == '+' && plus) {
		c = ' ';
	}
	*in = gml_span_of(p + used, in->len - used);
	return c;
}
