// SPDX-License-Identifier: Apache-2.0
#include "range.h"

#include "gateway/base/assert.h"
#include "gateway/base/span.h"

/* Digits whose value may exceed 64 bits: then UINT64_MAX, which lies beyond any object. */
static bool range_number(struct gml_span digits, uint64_t *out)
{
	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++)
		if (gml_span_chars(digits)[i] < '0' || gml_span_chars(digits)[i] > '9')
			return false;
	if (!gml_span_u64(digits, UINT64_MAX, out)) {
		while (digits.len > 1 && gml_span_chars(digits)[0] == '0')
			digits = gml_span_from(digits, 1);
		if (!gml_span_u64(digits, UINT64_MAX, out))
			*out = UINT64_MAX;
	}
	return true;
}

static enum s3_range range_suffix(struct gml_span digits, uint64_t size, uint64_t *off_out,
				  uint64_t *len_out)
{
	uint64_t count;
	if (!range_number(digits, &count))
		return S3_RANGE_IGNORE;
	if (count == 0)
		return S3_RANGE_UNSATISFIABLE;
	if (size == 0)
		/* satisfiable, with nothing, which no Content-Range can say */
		return S3_RANGE_IGNORE;
	*len_out = count < size ? count : size;
	*off_out = size - *len_out;
	return S3_RANGE_OK;
}

enum s3_range s3_range_parse(struct gml_span header, uint64_t size, uint64_t *off_out,
			     uint64_t *len_out)
{
	uint64_t first, last = UINT64_MAX;
	struct gml_span rest, head;
	if (header.len < 6 || strncasecmp(header.ptr, "bytes=", 6) != 0)
		return S3_RANGE_IGNORE;
	rest = gml_span_from(header, 6);
	if (gml_span_find(rest, '-') == rest.len)
		return S3_RANGE_IGNORE;
	head = gml_span_cut(&rest, '-');
	if (head.len == 0)
		return range_suffix(rest, size, off_out, len_out);
	if (!range_number(head, &first) || (rest.len > 0 && !range_number(rest, &last)) ||
	    first > last)
		return S3_RANGE_IGNORE;
	if (first >= size)
		return S3_RANGE_UNSATISFIABLE;
	*off_out = first;
	*len_out = (last < size ? last : size - 1) - first + 1;
	gml_assert(*len_out > 0 && *len_out <= size - first);
	return S3_RANGE_OK;
}
