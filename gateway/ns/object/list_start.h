// SPDX-License-Identifier: Apache-2.0
/* Where a listing begins. */
#ifndef GML_NS_OBJECT_LIST_START_H
#define GML_NS_OBJECT_LIST_START_H

#include <gemel/object.h>
#include <gemel/types.h>

#define GML_LIST_START_MAX (GML_KEY_MAX + 64)
/* The start of a listing: the first name to read, inclusive or not. */
struct gml_list_start {
	char name[GML_LIST_START_MAX];
	size_t len;
	bool inclusive;
};
/* From prefix, delimiter and after; false: nothing can follow. */
bool gml_list_start_init(const struct gml_list_query *query, struct gml_list_start *out);
/* After everything that begins with `prefix` (at most GML_KEY_MAX bytes); false: nothing is. */
bool gml_list_start_after(struct gml_span prefix, struct gml_list_start *out);
/* Length of the key's common prefix, 0: it has none. */
size_t gml_list_start_common(const struct gml_list_query *query, struct gml_span key);

#endif
