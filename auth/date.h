// SPDX-License-Identifier: Apache-2.0
/* The date formats of signed requests. Pure; any thread; locale is not consulted. */
#ifndef GML_AUTH_DATE_H
#define GML_AUTH_DATE_H

#include <stdbool.h>
#include "auth/sigv4.h"

/* ISO 8601 basic, "YYYYMMDDTHHMMSSZ". false: another format, or no such moment. Seconds since the epoch. */
bool auth_date_iso(struct gml_span text, int64_t *time_out);
/* RFC 7231 IMF-fixdate, or RFC 2822 with a numeric zone: "[Tue, ]27 Mar 2007 19:36:42 (GMT|UTC|UT|Z|±hhmm)". */
bool auth_date_http(struct gml_span text, int64_t *time_out);
/* Back to ISO 8601 basic; false outside the years 0 to 9999. */
bool auth_date_format(int64_t time, char out[17]);

#endif
