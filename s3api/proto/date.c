// SPDX-License-Identifier: Apache-2.0
#include "date.h"

#include <stdio.h>
#include "gateway/base/span.h"

static const char date_days[] = "SunMonTueWedThuFriSat";
static const char date_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date_civil {
	int64_t year;
	unsigned month, day, hour, minute, second, weekday; /* month 1..12; weekday 0 = Sunday */
};

/* Days since the epoch of a date in the proleptic Gregorian calendar: years of 400 from March on make leap days the
 * last of their year. */
static int64_t date_days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date_civil date_civil_of(int64_t seconds)
{
	const int64_t last = 253402300799;  /* 9999-12-31T23:59:59 */
	const int64_t first = -62167219200; /* 0000-01-01 */
	struct date_civil c;
	int64_t days, rest, era, of_era, year_of_era, of_year, mp;
	seconds = seconds > last ? last : seconds < first ? first : seconds;
	days = seconds / 86400;
	rest = seconds % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	c.hour = (unsigned)(rest / 3600);
	c.minute = (unsigned)(rest / 60 % 60);
	c.second = (unsigned)(rest % 60);
	c.weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	mp = (5 * of_year + 2) / 153;
	c.day = (unsigned)(of_year - (153 * mp + 2) / 5 + 1);
	c.month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	c.year = year_of_era + era * 400 + (c.month <= 2);
	return c;
}

static int64_t date_floor(int64_t ns)
{
	int64_t seconds = ns / S3_DATE_NS;
	return ns % S3_DATE_NS < 0 ? seconds - 1 : seconds;
}

static void date_digits(char *out, unsigned value, int width)
{
	while (width-- > 0) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

void s3_date_iso(int64_t ns, char out[25])
{
	struct date_civil c = date_civil_of(date_floor(ns));
	memcpy(out, "0000-00-00T00:00:00.000Z", 25);
	date_digits(out, (unsigned)c.year, 4);
	date_digits(out + 5, c.month, 2);
	date_digits(out + 8, c.day, 2);
	date_digits(out + 11, c.hour, 2);
	date_digits(out + 14, c.minute, 2);
	date_digits(out + 17, c.second, 2);
}

void s3_date_http(int64_t ns, char out[30])
{
	struct date_civil c = date_civil_of(date_floor(ns));
	memcpy(out, "Xxx, 00 Xxx 0000 00:00:00 GMT", 30);
	memcpy(out, date_days + 3 * c.weekday, 3);
	date_digits(out + 5, c.day, 2);
	memcpy(out + 8, date_months + 3 * (c.month - 1), 3);
	date_digits(out + 12, (unsigned)c.year, 4);
	date_digits(out + 17, c.hour, 2);
	date_digits(out + 20, c.minute, 2);
	date_digits(out + 23, c.second, 2);
}

static unsigned date_month(const char *name)
{
	for (unsigned i = 0; i < 12; i++)
		if (strncasecmp(name, date_months + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

static bool date_valid(const struct date_civil *c)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
	if (c->month < 1 || c->month > 12 || c->day < 1 || c->hour > 23 || c->minute > 59 ||
	    c->second > 60)
		return false;
	return c->day <= days[c->month - 1] + (c->month == 2 && leap ? 1u : 0u);
}

bool s3_date_parse(struct gml_span text, int64_t *ns_out)
{
	char copy[48], month[4], zone[8];
	unsigned year, tail = 0;
	struct date_civil c = {0};
	int64_t seconds;
	bool ok = false;
	if (text.len < 20 || text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len))
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
	c.month = date_month(month);
	if (!date_valid(&c))
		return false;
	seconds = date_days_of(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
		  c.second;
	/* int64 nanoseconds reach from 1677 to 2262; dates outside mean "always" and "never". */
	if (__builtin_mul_overflow(seconds, S3_DATE_NS, ns_out))
		*ns_out = seconds < 0 ? INT64_MIN : INT64_MAX;
	return true;
}
