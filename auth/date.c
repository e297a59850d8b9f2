// SPDX-License-Identifier: Apache-2.0
#include "auth/date.h"

#include <string.h>
#include <strings.h>

struct date_parts {
	unsigned year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years are counted from March so that the leap
 * day is the last. */
static int64_t date_days(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned date_month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

static bool date_compose(const struct date_parts *parts, int64_t *time_out)
{
	if (parts->month < 1 || parts->month > 12 || parts->day < 1 ||
	    parts->day > date_month_days(parts->year, parts->month))
		return false;
	if (parts->hour > 23 || parts->minute > 59 ||
	    parts->second > 60) /* 60: a leap second, counted as the next one */
		return false;
	*time_out = date_days(parts->year, parts->month, parts->day) * 86400 +
		    (int64_t)parts->hour * 3600 + (int64_t)parts->minute * 60 + parts->second;
	return true;
}

static bool date_digits(const char *text, size_t len, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

bool auth_date_iso(struct gml_span text, int64_t *time_out)
{
	struct date_parts parts;
	const char *p = text.ptr;
	if (text.len != 16 || p[8] != 'T' || p[15] != 'Z')
		return false;
	if (!date_digits(p, 4, &parts.year) || !date_digits(p + 4, 2, &parts.month) ||
	    !date_digits(p + 6, 2, &parts.day))
		return false;
	if (!date_digits(p + 9, 2, &parts.hour) || !date_digits(p + 11, 2, &parts.minute) ||
	    !date_digits(p + 13, 2, &parts.second))
		return false;
	return date_compose(&parts, time_out);
}

/* Zone of an RFC 2822 date as seconds east of UTC. */
static bool date_zone(const char *p, size_t len, int64_t *offset_out)
{
	unsigned hours, minutes;
	*offset_out = 0;
	if ((len == 3 && (strncasecmp(p, "GMT", 3) == 0 || strncasecmp(p, "UTC", 3) == 0)) ||
	    (len == 2 && strncasecmp(p, "UT", 2) == 0) || (len == 1 && (*p == 'Z' || *p == 'z')))
		return true;
	if (len != 5 || (*p != '+' && *p != '-') || !date_digits(p + 1, 2, &hours) ||
	    !date_digits(p + 3, 2, &minutes) || minutes > 59)
		return false;
	*offset_out = (int64_t)(hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
	return true;
}

bool auth_date_http(struct gml_span text, int64_t *time_out)
{
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const char *p = text.ptr, *end = p + text.len;
	struct date_parts parts = {0};
	size_t day_len;
	int64_t offset;
	if (text.len > 5 && p[3] == ',' && p[4] == ' ') /* the day of the week says nothing new */
		p += 5;
	/* "D Mon YYYY HH:MM:SS Z" at the least, with one or two digits for the day. */
	if (end - p < 21)
		return false;
	day_len = p[1] == ' ' ? 1 : 2;
	if (!date_digits(p, day_len, &parts.day) || p[day_len] != ' ')
		return false;
	p += day_len + 1;
	for (unsigned i = 0; i < 12; i++)
		if (strncasecmp(p, months[i], 3) == 0)
			parts.month = i + 1;
	p += 3;
	if (end - p < 16 || p[0] != ' ' || p[5] != ' ' || p[8] != ':' || p[11] != ':' ||
	    p[14] != ' ')
		return false;
	if (!date_digits(p + 1, 4, &parts.year) || !date_digits(p + 6, 2, &parts.hour) ||
	    !date_digits(p + 9, 2, &parts.minute) || !date_digits(p + 12, 2, &parts.second))
		return false;
	p += 15;
	if (!date_zone(p, (size_t)(end - p), &offset) || !date_compose(&parts, time_out))
		return false;
	*time_out -= offset;
	return true;
}

static void date_put(char *out, unsigned width, int64_t value)
{
	while (width-- > 0) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

bool auth_date_format(int64_t time, char out[17])
{
	int64_t days = time / 86400, second = time % 86400, era, of_era, year, of_year, month;
	if (second < 0) {
		second += 86400;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	days -= era * 146097;
	of_era = (days - days / 1460 + days / 36524 - days / 146096) / 365;
	of_year = days - (365 * of_era + of_era / 4 - of_era / 100);
	month = (5 * of_year + 2) / 153;
	year = of_era + era * 400 + (month >= 10);
	if (year < 0 || year > 9999)
		return false;
	date_put(out, 4, year);
	date_put(out + 4, 2, month < 10 ? month + 3 : month - 9);
	date_put(out + 6, 2, of_year - (153 * month + 2) / 5 + 1);
	out[8] = 'T';
	date_put(out + 9, 2, second / 3600);
	date_put(out + 11, 2, second / 60 % 60);
	date_put(out + 13, 2, second % 60);
	out[15] = 'Z';
	out[16] = '\0';
	return true;
}
