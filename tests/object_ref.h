// SPDX-License-Identifier: Apache-2.0
/* References to objects and uploads, spelled shortly for tests. The compound literals live as long
 * as the block. */
#ifndef GML_TEST_OBJECT_REF_H
#define GML_TEST_OBJECT_REF_H

#include <gemel/upload.h>

#define OBJECT_REF(bucket_name, object_key)                                                        \
	(&(const struct gml_object_ref){.bucket = (bucket_name), .key = (object_key)})
#define UPLOAD_REF(bucket_name, object_key, upload_id)                                             \
	(&(const struct gml_upload_ref){.object = {.bucket = (bucket_name), .key = (object_key)},  \
					.id = (upload_id)})

#endif
