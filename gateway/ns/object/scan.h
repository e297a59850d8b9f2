// SPDX-License-Identifier: Apache-2.0
/* Digests of content that is read once. */
#ifndef GML_NS_OBJECT_SCAN_H
#define GML_NS_OBJECT_SCAN_H

#include <gemel/object.h>
#include "object_open.h"
#include "put.h"

struct gml_scan {
	struct gml_put *put; /* also write it there; may be NULL */
	struct gml_digest *md5, *checksum;
	uint8_t md5_value[16];
	struct gml_object_checksum value;
};
/* Reads [off, off+len) of the object; md5_value and value (algorithm NONE: none) are the results.
 * Blocks on disk. */
int gml_scan_run(struct gml_object *object, uint64_t off, uint64_t len, enum gml_checksum algorithm,
		 struct gml_put *put, struct gml_scan *out);

#endif
