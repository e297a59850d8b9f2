// SPDX-License-Identifier: Apache-2.0
/* Content headers and lists of pairs: byte strings inside other records. */
#include "record_internal.h"

struct headers_out {
	uint8_t *p;
	size_t len, cap;
	bool full;
};

static void headers_put(struct headers_out *out, const void *buf, size_t len)
{
	if (out->full || out->cap - out->len < len) {
		out->full = true;
		return;
	}
	if (len > 0)
		memcpy(out->p + out->len, buf, len);
	out->len += len;
}

static void headers_put_span(struct headers_out *out, struct gml_span span)
{
	uint8_t bytes[10];
	size_t n = 0, value = span.len;
	while (value >= 0x80) {
		bytes[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (uint8_t)value;
	headers_put(out, bytes, n);
	headers_put(out, span.ptr, span.len);
}

/* One byte with a bit per header, then the present ones in order; nothing at all when none is
 * there. */
int gml_rec_headers_encode(const struct gml_span in[GML_HDR_COUNT], void *buf, size_t cap,
			   size_t *len_out)
{
	struct headers_out out = {.p = buf,
				  .cap = cap < GML_REC_HEADERS_MAX ? cap : GML_REC_HEADERS_MAX};
	uint8_t has = 0;
	*len_out = 0;
	for (int i = 0; i < GML_HDR_COUNT; i++)
		has |= in[i].ptr != NULL ? (uint8_t)(1 << i) : 0;
	if (has == 0)
		return 0;
	headers_put(&out, &has, 1);
	for (int i = 0; i < GML_HDR_COUNT; i++) {
		if (in[i].ptr != NULL)
			headers_put_span(&out, in[i]);
	}
	if (out.full)
		return GML_ERR_TOOBIG;
	*len_out = out.len;
	return 0;
}

int gml_rec_headers_decode(struct gml_span headers, struct gml_span out[GML_HDR_COUNT])
{
	struct gml_dec dec;
	uint8_t has;
	memset(out, 0, GML_HDR_COUNT * sizeof(*out));
	if (headers.len == 0)
		return 0;
	gml_dec_init(&dec, headers);
	has = gml_dec_u8(&dec);
	_Static_assert(GML_HDR_COUNT == 8, "every bit of the byte is a header");
	for (int i = 0; i < GML_HDR_COUNT; i++) {
		if (has & 1 << i)
			out[i] = gml_dec_span(&dec, GML_REC_HEADERS_MAX);
	}
	return gml_dec_end(&dec) ? 0 : GML_ERR_CORRUPT;
}

int gml_rec_header_one(struct gml_span headers, enum gml_header header, struct gml_span *out)
{
	struct gml_span all[GML_HDR_COUNT];
	int rc;
	gml_assert(header < GML_HDR_COUNT);
	*out = gml_span_of(NULL, 0);
	if (headers.len == 0 || !(*(const uint8_t *)headers.ptr & 1u << header))
		return 0;
	rc = gml_rec_headers_decode(headers, all);
	if (rc == 0)
		*out = all[header];
	return rc;
}

int gml_rec_pairs_encode(const struct gml_meta_pair *pairs, uint32_t n, void *buf, size_t cap,
			 size_t *len_out)
{
	struct headers_out out = {.p = buf,
				  .cap = cap < GML_REC_PAIRS_MAX ? cap : GML_REC_PAIRS_MAX};
	*len_out = 0;
	for (uint32_t i = 0; i < n; i++) {
		headers_put_span(&out, pairs[i].name);
		headers_put_span(&out, pairs[i].value);
	}
	if (out.full)
		return GML_ERR_TOOBIG;
	*len_out = out.len;
	return 0;
}

int gml_rec_pairs_each(struct gml_span pairs,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		       void *arg)
{
	struct gml_dec dec;
	gml_dec_init(&dec, pairs);
	while (!dec.bad && dec.p != dec.end) {
		struct gml_span name = gml_dec_span(&dec, GML_REC_PAIRS_MAX);
		struct gml_span value = gml_dec_span(&dec, GML_REC_PAIRS_MAX);
		if (dec.bad)
			return GML_ERR_CORRUPT;
		if (!each(arg, name, value))
			return 0;
	}
	return dec.bad ? GML_ERR_CORRUPT : 0;
}
