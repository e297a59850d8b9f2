// SPDX-License-Identifier: Apache-2.0
/* ETags of objects. */
#ifndef GML_NS_CORE_ETAG_H
#define GML_NS_CORE_ETAG_H

#include <gemel/types.h>
#include "gateway/meta/record/record.h"

#define GML_ETAG_EMPTY "d41d8cd98f00b204e9800998ecf8427e" /* md5 of nothing */

void gml_etag_format(const struct gml_inode *inode, uint64_t change, char out[GML_ETAG_MAX + 1]);

#endif
