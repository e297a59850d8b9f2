// SPDX-License-Identifier: Apache-2.0
#include "xml_write.h"

#include <stdio.h>
#include <stdlib.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/base/calendar.h"
#include "gateway/base/percent.h"
#include "uri.h"

#define XML_MAX ((size_t)256 << 20)

void s3_xml_release(struct s3_xml *xml)
{
	free(xml->buf);
	*xml = (struct s3_xml){0};
}

static bool xml_room(struct s3_xml *xml, size_t more)
{
	size_t cap = xml->cap ? xml->cap : 1024;
	char *buf;
	gml_assert(xml->len <= xml->cap && xml->len <= XML_MAX);
	if (xml->failed || more > XML_MAX - xml->len) {
		xml->failed = true;
		return false;
	}
	if (xml->cap - xml->len >= more)
		return true;
	while (cap - xml->len < more)
		cap *= 2;
	buf = realloc(xml->buf, cap);
	if (!buf) {
		xml->failed = true;
		return false;
	}
	xml->buf = buf;
	xml->cap = cap;
	return true;
}

static void xml_put(struct s3_xml *xml, const void *bytes, size_t len)
{
	if (len == 0 || !xml_room(xml, len))
		return;
	memcpy(xml->buf + xml->len, bytes, len);
	xml->len += len;
}

static void xml_puts(struct s3_xml *xml, const char *text)
{
	xml_put(xml, text, strlen(text));
}

/* Length of the well-formed UTF-8 sequence at p of a character that XML 1.0 allows, or 0 (Unicode
 * table 3-7; XML 1.0 2.2). */
static size_t xml_char(const unsigned char *p, size_t left)
{
	uint32_t c;
	if (p[0] < 0x80)
		return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' || p[0] == '\r' ? 1 : 0;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (left < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xf0) {
		c = (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
		return c < 0x800 || (c >= 0xd800 && c <= 0xdfff) || c >= 0xfffe ? 0 : 3;
	}
	if (left < 4 || (p[3] & 0xc0) != 0x80)
		return 0;
	c = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 |
	    (p[3] & 63);
	return c < 0x10000 || c > 0x10ffff ? 0 : 4;
}

bool s3_xml_carries(struct gml_span text)
{
	const unsigned char *p = text.ptr;
	size_t i = 0, len = 1;
	for (; i < text.len && len > 0; i += len)
		len = xml_char(p + i, text.len - i);
	return len > 0;
}

static const char *xml_escape(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#13;"; /* parsers fold a bare CR into LF */
	default:
		return NULL;
	}
}

static void xml_put_text(struct s3_xml *xml, struct gml_span text)
{
	const unsigned char *p = text.ptr;
	size_t run = 0, i = 0;
	if (text.len == 0)
		return; /* p may be NULL, which nothing may be added to */
	while (i < text.len) {
		size_t len = xml_char(p + i, text.len - i);
		const char *escape = len == 1 ? xml_escape(p[i]) : len == 0 ? "\xef\xbf\xbd" : NULL;
		gml_assert(len <= text.len - i && (len > 0 || escape != NULL)); /* it goes on */
		if (!escape) {
			i += len;
			continue;
		}
		xml_put(xml, p + run, i - run);
		xml_puts(xml, escape);
		i++;
		run = i;
	}
	xml_put(xml, p + run, text.len - run);
}

void s3_xml_begin(struct s3_xml *xml, const char *root, bool namespaced)
{
	gml_assert(xml->len == 0 && xml->open == 0);
	xml->open = 1;
	xml_puts(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
	xml_puts(xml, root);
	if (namespaced)
		xml_puts(xml, " xmlns=\"" S3_XML_NAMESPACE "\"");
	xml_puts(xml, ">");
}

void s3_xml_open(struct s3_xml *xml, const char *tag)
{
	xml->open++;
	xml_puts(xml, "<");
	xml_puts(xml, tag);
	xml_puts(xml, ">");
}

void s3_xml_close(struct s3_xml *xml, const char *tag)
{
	const char *space = strchr(tag, ' '); /* attributes belong to the opening tag only */
	gml_assert(xml->open > 0);
	xml->open--;
	xml_puts(xml, "</");
	xml_put(xml, tag, space ? (size_t)(space - tag) : strlen(tag));
	xml_puts(xml, ">");
}

void s3_xml_text(struct s3_xml *xml, const char *tag, struct gml_span text)
{
	s3_xml_open(xml, tag);
	xml_put_text(xml, text);
	s3_xml_close(xml, tag);
}

void s3_xml_string(struct s3_xml *xml, const char *tag, const char *text)
{
	s3_xml_text(xml, tag, gml_span_text(text));
}

void s3_xml_number(struct s3_xml *xml, const char *tag, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	s3_xml_string(xml, tag, text);
}

void s3_xml_bool(struct s3_xml *xml, const char *tag, bool value)
{
	s3_xml_string(xml, tag, value ? "true" : "false");
}

void s3_xml_date(struct s3_xml *xml, const char *tag, int64_t ns)
{
	char text[25];
	gml_date_iso(gml_seconds_of_ns(ns), text);
	s3_xml_string(xml, tag, text);
}

void s3_xml_etag(struct s3_xml *xml, const char *tag, const char *etag)
{
	s3_xml_open(xml, tag);
	xml_puts(xml, "&quot;");
	xml_put_text(xml, gml_span_text(etag));
	xml_puts(xml, "&quot;");
	s3_xml_close(xml, tag);
}

void s3_xml_key(struct s3_xml *xml, const char *tag, struct gml_span key, bool url)
{
	if (!url) {
		s3_xml_text(xml, tag, key);
		return;
	}
	s3_xml_open(xml, tag);
	if (key.len <= XML_MAX / 3 && xml_room(xml, 3 * key.len + 1))
		xml->len += gml_percent_encode(key, true, xml->buf + xml->len);
	gml_assert(xml->len <= xml->cap); /* three bytes for each were enough */
	s3_xml_close(xml, tag);
}

void s3_xml_raw(struct s3_xml *xml, struct gml_span bytes)
{
	xml_put(xml, bytes.ptr, bytes.len);
}
