// SPDX-License-Identifier: Apache-2.0
/* The Range header (RFC 9110 14.2) as S3 takes it: one byte range; anything else is ignored. Pure;
 * any thread. */
#ifndef GML_S3_RANGE_H
#define GML_S3_RANGE_H

#include <gemel/types.h>

enum s3_range {
	S3_RANGE_IGNORE, /* malformed, another unit, or several ranges: the whole object is meant */
	S3_RANGE_OK,	 /* *off_out, *len_out (at least 1) */
	S3_RANGE_UNSATISFIABLE, /* 416 */
};
/* `size`: bytes of the object. */
enum s3_range s3_range_parse(struct gml_span header, uint64_t size, uint64_t *off_out,
			     uint64_t *len_out);

#endif
