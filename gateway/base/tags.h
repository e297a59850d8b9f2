// SPDX-License-Identifier: Apache-2.0
/* Tags of a bucket as its document has them: a line "KEY TAB VALUE LF" for each. S3 allows neither
 * character in a key or value. Pure; any thread. */
#ifndef GML_BASE_TAGS_H
#define GML_BASE_TAGS_H

#include "span.h"

/* Takes the first tag off *rest. false: there is none, or it has not that form; *rest is then as it
 * was. */
static inline bool gml_tags_next(struct gml_span *rest, struct gml_span *key_out,
				 struct gml_span *value_out)
{
	size_t end = gml_span_find(*rest, '\n');
	struct gml_span line = gml_span_of(rest->ptr, end);
	size_t tab = gml_span_find(line, '\t');
	if (end == rest->len || tab == line.len || tab == 0)
		return false;
	*key_out = gml_span_of(line.ptr, tab);
	*value_out = gml_span_from(line, tab + 1);
	*rest = gml_span_from(*rest, end + 1);
	return true;
}

/* Is the document nothing but tags? */
static inline bool gml_tags_valid(struct gml_span document)
{
	struct gml_span key, value;
	while (gml_tags_next(&document, &key, &value))
		;
	return document.len == 0;
}

#endif
