// SPDX-License-Identifier: Apache-2.0
/* Prefix, delimiter and marker of a listing, as bounds in the order of keys. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memrchr */
#endif
#include <string.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "list_start.h"

static bool list_start_set(struct gml_span name, bool inclusive, struct gml_list_start *out)
{
	if (name.len > GML_KEY_MAX) { /* keys are shorter: what follows it follows its beginning */
		name.len = GML_KEY_MAX;
		inclusive = false;
	}
	if (name.len > 0)
		memcpy(out->name, name.ptr, name.len);
	out->len = name.len;
	out->inclusive = inclusive;
	return true;
}

bool gml_list_start_after(struct gml_span prefix, struct gml_list_start *out)
{
	const uint8_t *p = prefix.ptr;
	gml_assert(prefix.len <= GML_KEY_MAX);
	while (prefix.len > 0 && p[prefix.len - 1] == 0xff)
		prefix.len--;
	if (prefix.len == 0)
		return false;
	list_start_set(prefix, true, out);
	out->name[out->len - 1]++;
	return true;
}

size_t gml_list_start_common(const struct gml_list_query *query, struct gml_span key)
{
	const char *p = key.ptr, *hit;
	if (query->delimiter.len == 0 || key.len <= query->prefix.len)
		return 0;
	hit = memmem(p + query->prefix.len, key.len - query->prefix.len, query->delimiter.ptr,
		     query->delimiter.len);
	return hit == NULL ? 0 : (size_t)(hit - p) + query->delimiter.len;
}

bool gml_list_start_init(const struct gml_list_query *query, struct gml_list_start *out)
{
	struct gml_span prefix = query->prefix, after = query->after;
	size_t common;
	if (prefix.len > GML_KEY_MAX)
		return false;
	if (after.len == 0 || gml_span_order(after, prefix) < 0)
		return list_start_set(prefix, true, out);
	if (!gml_span_starts(after, prefix))
		return false;
	/* A marker within a common prefix: that sorts before the marker, so all of it has been
	 * listed. */
	common = gml_list_start_common(query, after);
	if (common > GML_KEY_MAX || common == 0)
		return list_start_set(after, false, out);
	return gml_list_start_after(gml_span_of(after.ptr, common), out) &&
	       gml_span_starts(gml_span_of(out->name, out->len), prefix);
}
