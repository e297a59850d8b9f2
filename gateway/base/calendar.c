// SPDX-License-Identifier: Apache-2.0
#include "calendar.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "assert.h"
#include "span.h"

#define CALENDAR_DAY 86400
#define CALENDAR_EPOCH 719468 /* days from 0000-03-01 to 1970-01-01 */
#define CALENDAR_ERA 146097   /* days of 400 years */

static const char calendar_days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char calendar_months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* ---- days ---- */

/* Years are counted from March, so that the leap day is the last of its year. */
int64_t gml_civil_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
	return era * CALENDAR_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       CALENDAR_EPOCH;
}

static void calendar_set_days(struct gml_civil *civil, int64_t days)
{
	int64_t era, of_era, year, of_year, month;
	civil->weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
	days += CALENDAR_EPOCH;
	era = (days >= 0 ? days : days - (CALENDAR_ERA - 1)) / CALENDAR_ERA;
	of_era = days - era * CALENDAR_ERA;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	civil->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	civil->month = (unsigned)(month < 10 ? month + 3 : month - 9);
	civil->year = year + era * 400 + (civil->month <= 2);
	gml_assert(civil->day >= 1 && civil->day <= 31 && civil->month >= 1 && civil->month <= 12);
}

bool gml_civil_valid(const struct gml_civil *civil)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
	if (civil->month < 1 || civil->month > 12 || civil->day < 1 || civil->hour > 23 ||
	    civil->minute > 59 || civil->second > 60)
		return false;
	return civil->day <= days[civil->month - 1] + (civil->month == 2 && leap ? 1u : 0u);
}

int64_t gml_civil_seconds(const struct gml_civil *civil)
{
	return gml_civil_days(civil->year, civil->month, civil->day) * CALENDAR_DAY +
	       (int64_t)civil->hour * 3600 + (int64_t)civil->minute * 60 + civil->second;
}

struct gml_civil gml_civil_of(int64_t seconds)
{
	struct gml_civil civil;
	int64_t days, rest;
	seconds = seconds > GML_DATE_LAST    ? GML_DATE_LAST
		  : seconds < GML_DATE_FIRST ? GML_DATE_FIRST
					     : seconds;
	days = seconds / CALENDAR_DAY;
	rest = seconds % CALENDAR_DAY;
	if (rest < 0) {
		rest += CALENDAR_DAY;
		days--;
	}
	calendar_set_days(&civil, days);
	civil.hour = (unsigned)(rest / 3600);
	civil.minute = (unsigned)(rest / 60 % 60);
	civil.second = (unsigned)(rest % 60);
	return civil;
}

int64_t gml_seconds_of_ns(int64_t ns)
{
	return ns / GML_NS_PER_S - (ns % GML_NS_PER_S < 0);
}

int64_t gml_ns_of_seconds(int64_t seconds)
{
	int64_t ns;
	if (__builtin_mul_overflow(seconds, GML_NS_PER_S, &ns))
		return seconds < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

/* ---- shown ---- */

static void calendar_put(char *out, unsigned width, unsigned value)
{
	while (width-- > 0) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
	gml_assert(value == 0); /* the width was enough */
}

/* Places of month, day, hour, minute and second in the two forms of ISO 8601; the year is first. */
static const uint8_t calendar_extended[5] = {5, 8, 11, 14, 17},
		     calendar_basic[5] = {4, 6, 9, 11, 13};

static void calendar_put_iso(int64_t seconds, const uint8_t at[5], char *out)
{
	struct gml_civil c = gml_civil_of(seconds);
	calendar_put(out, 4, (unsigned)c.year);
	calendar_put(out + at[0], 2, c.month);
	calendar_put(out + at[1], 2, c.day);
	calendar_put(out + at[2], 2, c.hour);
	calendar_put(out + at[3], 2, c.minute);
	calendar_put(out + at[4], 2, c.second);
}

void gml_date_iso(int64_t seconds, char out[25])
{
	memcpy(out, "0000-00-00T00:00:00.000Z", 25);
	calendar_put_iso(seconds, calendar_extended, out);
}

bool gml_date_basic(int64_t seconds, char out[17])
{
	if (seconds < GML_DATE_FIRST || seconds > GML_DATE_LAST)
		return false;
	memcpy(out, "00000000T000000Z", 17);
	calendar_put_iso(seconds, calendar_basic, out);
	return true;
}

void gml_date_http(int64_t seconds, char out[30])
{
	struct gml_civil c = gml_civil_of(seconds);
	memcpy(out, "Xxx, 00 Xxx 0000 00:00:00 GMT", 30);
	memcpy(out, calendar_days[c.weekday], 3);
	calendar_put(out + 5, 2, c.day);
	memcpy(out + 8, calendar_months[c.month - 1], 3);
	calendar_put(out + 12, 4, (unsigned)c.year);
	calendar_put(out + 17, 2, c.hour);
	calendar_put(out + 20, 2, c.minute);
	calendar_put(out + 23, 2, c.second);
}

/* ---- understood ---- */

static bool calendar_digits(const char *text, size_t len, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

static bool calendar_compose(const struct gml_civil *civil, int64_t *seconds_out)
{
	if (!gml_civil_valid(civil))
		return false;
	*seconds_out = gml_civil_seconds(civil);
	return true;
}

/* 0: no month's name. */
static unsigned calendar_month(const char *name)
{
	for (unsigned i = 0; i < 12; i++)
		if (strncasecmp(name, calendar_months[i], 3) == 0)
			return i + 1;
	return 0;
}

bool gml_date_basic_parse(struct gml_span text, int64_t *seconds_out)
{
	struct gml_civil civil = {0};
	const char *p = text.ptr;
	unsigned year;
	if (text.len != 16 || p[8] != 'T' || p[15] != 'Z')
		return false;
	if (!calendar_digits(p, 4, &year) || !calendar_digits(p + 4, 2, &civil.month) ||
	    !calendar_digits(p + 6, 2, &civil.day))
		return false;
	if (!calendar_digits(p + 9, 2, &civil.hour) || !calendar_digits(p + 11, 2, &civil.minute) ||
	    !calendar_digits(p + 13, 2, &civil.second))
		return false;
	civil.year = year;
	return calendar_compose(&civil, seconds_out);
}

/* Zone of an RFC 5322 date as seconds east of UTC. */
static bool calendar_zone(struct gml_span zone, int64_t *offset_out)
{
	const char *p = zone.ptr;
	unsigned hours, minutes;
	*offset_out = 0;
	if (gml_span_is_nocase(zone, "GMT") || gml_span_is_nocase(zone, "UTC") ||
	    gml_span_is_nocase(zone, "UT") || gml_span_is_nocase(zone, "Z"))
		return true;
	if (zone.len != 5 || (*p != '+' && *p != '-') || !calendar_digits(p + 1, 2, &hours) ||
	    !calendar_digits(p + 3, 2, &minutes) || minutes > 59)
		return false;
	*offset_out = (int64_t)(hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
	return true;
}

bool gml_date_mail_parse(struct gml_span text, int64_t *seconds_out)
{
	const char *p = text.ptr, *end;
	struct gml_civil civil = {0};
	size_t day_len;
	unsigned year;
	int64_t offset;
	if (text.len < 21)
		return false;
	end = p + text.len;
	if (p[3] == ',' && p[4] == ' ') /* the day of the week says nothing new */
		p += 5;
	/* "D Mon YYYY HH:MM:SS Z" at the least, with one or two digits for the day. */
	if (end - p < 21)
		return false;
	day_len = p[1] == ' ' ? 1 : 2;
	if (!calendar_digits(p, day_len, &civil.day) || p[day_len] != ' ')
		return false;
	p += day_len + 1;
	civil.month = calendar_month(p);
	p += 3;
	if (end - p < 16 || p[0] != ' ' || p[5] != ' ' || p[8] != ':' || p[11] != ':' ||
	    p[14] != ' ')
		return false;
	if (!calendar_digits(p + 1, 4, &year) || !calendar_digits(p + 6, 2, &civil.hour) ||
	    !calendar_digits(p + 9, 2, &civil.minute) || !calendar_digits(p + 12, 2, &civil.second))
		return false;
	p += 15;
	civil.year = year;
	if (!calendar_zone(gml_span_of(p, (size_t)(end - p)), &offset) ||
	    !calendar_compose(&civil, seconds_out))
		return false;
	*seconds_out -= offset;
	return true;
}

bool gml_date_http_parse(struct gml_span text, int64_t *seconds_out)
{
	char copy[48], month[4], zone[8];
	unsigned year, tail = 0;
	struct gml_civil c = {0};
	bool ok = false;
	if (text.len < 20 || text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	if (sscanf(copy, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u %7s%n", &c.day, month, &year,
		   &c.hour, &c.minute, &c.second, zone, &tail) == 7 &&
	    tail == text.len) {
		ok = strcmp(zone, "GMT") == 0 || strcmp(zone, "UTC") == 0 ||
		     strcmp(zone, "+0000") == 0;
	} else if (sscanf(copy, "%*9[A-Za-z], %2u-%3[A-Za-z]-%2u %2u:%2u:%2u GMT%n", &c.day, month,
			  &year, &c.hour, &c.minute, &c.second, &tail) == 6 &&
		   tail == text.len) {
		year += year < 70 ? 2000 : 1900;
		ok = true;
	} else if (sscanf(copy, "%*3[A-Za-z] %3[A-Za-z] %2u %2u:%2u:%2u %4u%n", month, &c.day,
			  &c.hour, &c.minute, &c.second, &year, &tail) == 6 &&
		   tail == text.len) {
		ok = true;
	}
	if (!ok)
		return false;
	c.year = year;
	c.month = calendar_month(month);
	return calendar_compose(&c, seconds_out);
}
