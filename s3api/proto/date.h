// SPDX-License-Identifier: Apache-2.0
/* Dates on the wire. Times are nanoseconds since the epoch; S3 shows whole seconds. Pure; any thread. */
#ifndef GML_S3_DATE_H
#define GML_S3_DATE_H

#include <stdbool.h>
#include <gemel/types.h>

#define S3_DATE_NS ((int64_t)1000000000)

/* "2006-02-03T16:45:09.000Z" (ISO 8601, S3's form in XML). Years outside 0..9999 are shown as the nearest. */
void s3_date_iso(int64_t ns, char out[25]);
/* "Fri, 03 Feb 2006 16:45:09 GMT" (IMF-fixdate, RFC 9110 5.6.7). */
void s3_date_http(int64_t ns, char out[30]);
/* Any of the three forms of RFC 9110 5.6.7, and RFC 1123 with "+0000". false: not a date. */
bool s3_date_parse(struct gml_span text, int64_t *ns_out);

#endif
