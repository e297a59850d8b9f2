// SPDX-License-Identifier: Apache-2.0
/* Dates and times of the proleptic Gregorian calendar in UTC, and their forms on the wire. Seconds
 * and nanoseconds count from 1970-01-01T00:00:00Z. Pure; any thread; no blocking; the locale and
 * the time zone of the process are not consulted. */
#ifndef GML_BASE_CALENDAR_H
#define GML_BASE_CALENDAR_H

#include <gemel/types.h>
#include "clock.h"

#define GML_DATE_FIRST ((int64_t)-62167219200) /* 0000-01-01T00:00:00Z */
#define GML_DATE_LAST ((int64_t)253402300799)  /* 9999-12-31T23:59:59Z */

/* month 1-12, day 1-31, hour 0-23, minute 0-59, second 0-60 (a leap second counts as the next
 * one), weekday 0 (Sunday)-6 */
struct gml_civil {
	int64_t year;
	unsigned month, day, hour, minute, second, weekday;
};

/* Days since 1970-01-01 of a date that exists. */
int64_t gml_civil_days(int64_t year, unsigned month, unsigned day);
/* Is there such a moment? `weekday` is not looked at. */
bool gml_civil_valid(const struct gml_civil *civil);
/* Seconds of a valid moment, whose weekday is not looked at. */
int64_t gml_civil_seconds(const struct gml_civil *civil);
/* The moment, weekday included. Seconds outside the years 0 to 9999 become the nearest inside. */
struct gml_civil gml_civil_of(int64_t seconds);

/* Whole seconds, rounded down. */
int64_t gml_seconds_of_ns(int64_t ns);
/* Nanoseconds; what int64_t cannot hold (before 1677, after 2262) becomes INT64_MIN or INT64_MAX:
 * such dates mean "always" and "never". */
int64_t gml_ns_of_seconds(int64_t seconds);

/* "2006-02-03T16:45:09.000Z": ISO 8601, as S3 has it in XML. Years outside 0 to 9999 are shown as
 * the nearest. */
void gml_date_iso(int64_t seconds, char out[25]);
/* "20060203T164509Z": ISO 8601 basic, of signatures. false: outside the years 0 to 9999; `out` is
 * then untouched. */
bool gml_date_basic(int64_t seconds, char out[17]);
/* "Fri, 03 Feb 2006 16:45:09 GMT": IMF-fixdate (RFC 9110, 5.6.7). Years as for gml_date_iso. */
void gml_date_http(int64_t seconds, char out[30]);

/* ISO 8601 basic, exactly as gml_date_basic has it. false: another form, or no such moment. */
bool gml_date_basic_parse(struct gml_span text, int64_t *seconds_out);
/* What a Date header may hold: IMF-fixdate with or without the day's name, with one or two digits
 * for the day, and as zone GMT, UTC, UT, Z or +hhmm / -hhmm (RFC 5322, 3.3). false as above. */
bool gml_date_mail_parse(struct gml_span text, int64_t *seconds_out);
/* What a condition's header may hold: the three forms of RFC 9110, 5.6.7 (IMF-fixdate, which may
 * end in UTC or +0000 as well; RFC 850; asctime). false as above. */
bool gml_date_http_parse(struct gml_span text, int64_t *seconds_out);

#endif
