// SPDX-License-Identifier: Apache-2.0
/* Preconditions: RFC 9110, 13.1 and 13.2.2, with S3's deviations. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"

/* Next entity tag of a comma-separated list: quoted as in the RFC, or bare as clients of S3 send
 * it. False at the end. */
static bool conditions_next(struct gml_span *list, struct gml_span *tag_out, bool *weak_out)
{
	const char *p = list->ptr, *end = p + list->len, *stop, *next;
	while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
		p++;
	if (p == end)
		return false;
	*weak_out = end - p >= 2 && p[0] == 'W' && p[1] == '/';
	if (*weak_out)
		p += 2;
	if (p < end && *p == '"') {
		for (stop = ++p; stop < end && *stop != '"'; stop++)
			;
		next = stop < end ? stop + 1 : end;
	} else {
		for (next = p; next < end && *next != ','; next++)
			;
		for (stop = next; stop > p && (stop[-1] == ' ' || stop[-1] == '\t'); stop--)
			;
	}
	gml_assert(p <= stop && stop <= next && next > gml_span_chars(*list) && next <= end);
	*tag_out = gml_span_of(p, (size_t)(stop - p));
	*list = gml_span_of(next, (size_t)(end - next));
	return true;
}

/* Is the etag in the list? strong: weak members never match (RFC 9110, 8.8.3.2; our own tags are
 * strong). */
static bool conditions_match(struct gml_span list, const char *etag, bool strong)
{
	struct gml_span tag;
	bool weak;
	while (conditions_next(&list, &tag, &weak)) {
		if (weak && strong)
			continue;
		if (tag.len == 1 && *(const char *)tag.ptr == '*' && !weak)
			return true;
		if (gml_span_equal(tag, gml_span_text(etag)))
			return true;
	}
	return false;
}

static int64_t conditions_seconds(int64_t ns)
{
	int64_t s = ns / 1000000000;
	return ns % 1000000000 < 0 ? s - 1 : s;
}

int gml_conditions_check(const struct gml_conditions *cond, const struct gml_object_info *info,
			 bool write)
{
	if (cond == NULL)
		return 0;
	if (info == NULL)
		return cond->if_match.ptr != NULL ? GML_ERR_NOENT : 0;
	if (cond->if_match.ptr != NULL) {
		if (!conditions_match(cond->if_match, info->etag, true))
			return GML_ERR_PRECONDITION;
	} else if (cond->if_unmodified_since != 0) {
		if (conditions_seconds(info->mtime) > conditions_seconds(cond->if_unmodified_since))
			return GML_ERR_PRECONDITION;
	}
	if (cond->if_none_match.ptr != NULL) {
		if (conditions_match(cond->if_none_match, info->etag, false))
			return write ? GML_ERR_PRECONDITION : GML_ERR_NOTMODIFIED;
	} else if (cond->if_modified_since != 0) {
		if (conditions_seconds(info->mtime) <= conditions_seconds(cond->if_modified_since))
			return write ? GML_ERR_PRECONDITION : GML_ERR_NOTMODIFIED;
	}
	return 0;
}
