// SPDX-License-Identifier: Apache-2.0
/* Preconditions: RFC 9110, 13.1 and 13.2.2, with S3's deviations. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"

struct conditions_tag {
	struct gml_span text;
	bool weak, quoted; /* "*" in quotes is a tag like any other (RFC 9110, 8.8.3) */
};

/* Next entity tag of a comma-separated list: quoted as in the RFC, or bare as clients of S3 send
 * it. False at the end. */
static bool conditions_next(struct gml_span *list, struct conditions_tag *out)
{
	const char *p = list->ptr, *end = p + list->len, *stop, *next;
	while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
		p++;
	if (p == end)
		return false;
	out->weak = end - p >= 2 && p[0] == 'W' && p[1] == '/';
	if (out->weak)
		p += 2;
	out->quoted = p < end && *p == '"';
	if (out->quoted) {
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
	out->text = gml_span_of(p, (size_t)(stop - p));
	*list = gml_span_of(next, (size_t)(end - next));
	return true;
}

/* Is the etag in the list? strong: weak members never match (RFC 9110, 8.8.3.2; our own tags are
 * strong). */
static bool conditions_match(struct gml_span list, const char *etag, bool strong)
{
	struct conditions_tag tag;
	while (conditions_next(&list, &tag)) {
		if (tag.weak && strong)
			continue;
		if (!tag.weak && !tag.quoted && gml_span_equal(tag.text, GML_LIT("*")))
			return true;
		if (gml_span_equal(tag.text, gml_span_text(etag)))
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
