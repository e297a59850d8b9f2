// SPDX-License-Identifier: Apache-2.0
/* gateway/base: spans, hexadecimal digits, percent-encoding, base64, the calendar, clocks, small
 * files, shared memory, owners, log lines. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"
#include "gateway/base/calendar.h"
#include "gateway/base/clock.h"
#include "gateway/base/small_file.h"
#include "gateway/base/hex.h"
#include "gateway/base/lock.h"
#include "gateway/base/log.h"
#include "gateway/base/map.h"
#include "gateway/base/owner.h"
#include "gateway/base/percent.h"
#include "gateway/base/presence.h"
#include "gateway/base/siphash.h"
#include "gateway/base/span.h"

#define BASE_INO(n) gml_ino_of(3, (n))

/* ---- spans ---- */

static void test_span_compare(void **state)
{
	struct gml_span none = {NULL, 0};
	(void)state;
	assert_true(gml_span_equal(none, GML_LIT("")) && gml_span_is(none, ""));
	assert_true(gml_span_is(GML_LIT("aB"), "aB") && !gml_span_is(GML_LIT("aB"), "ab"));
	assert_false(gml_span_is(GML_LIT("ab"), "abc") || gml_span_is(GML_LIT("abc"), "ab"));
	assert_true(gml_span_is_nocase(GML_LIT("aB-1"), "Ab-1"));
	assert_false(gml_span_is_nocase(GML_LIT("a["), "a{")); /* letters only */
	assert_true(gml_span_starts(GML_LIT("abc"), GML_LIT("ab")) && gml_span_starts(none, none));
	assert_false(gml_span_starts(GML_LIT("a"), GML_LIT("ab")) ||
		     gml_span_starts(GML_LIT("Ab"), GML_LIT("a")));
	assert_true(gml_span_starts_nocase(GML_LIT("X-Amz-A"), GML_LIT("x-amz-")));
	assert_true(gml_span_order(none, GML_LIT("")) == 0);
	assert_true(gml_span_order(GML_LIT("a"), GML_LIT("ab")) < 0);
	assert_true(gml_span_order(GML_LIT("\xff"), GML_LIT("a")) > 0); /* bytes, not chars */
	assert_true(gml_span_order(GML_LIT("B"), GML_LIT("a")) < 0);
	assert_true(gml_span_order_nocase(GML_LIT("B"), GML_LIT("a")) > 0);
	assert_true(gml_span_text(NULL).ptr == NULL && gml_span_text(NULL).len == 0);
}

static void test_span_parts(void **state)
{
	struct gml_span rest = GML_LIT("a,,b"), none = {NULL, 0};
	(void)state;
	assert_true(gml_span_is(gml_span_cut(&rest, ','), "a"));
	assert_true(gml_span_is(gml_span_cut(&rest, ','), ""));
	assert_true(gml_span_is(gml_span_cut(&rest, ','), "b") && rest.ptr == NULL);
	assert_true(gml_span_cut(&rest, ',').len == 0 && rest.ptr == NULL);
	rest = GML_LIT("x=");
	assert_true(gml_span_is(gml_span_cut(&rest, '='), "x"));
	assert_true(rest.len == 0 && rest.ptr != NULL); /* empty, but there */
	assert_true(gml_span_is(gml_span_trim(GML_LIT(" \t a b\t ")), "a b"));
	assert_true(gml_span_is(gml_span_trim(GML_LIT("\ra\n")), "\ra\n"));
	assert_true(gml_span_is(gml_span_trim_space(GML_LIT("\r\n a\n\t")), "a"));
	assert_true(gml_span_trim_space(GML_LIT(" \r\n\t")).len == 0);
	assert_true(gml_span_is(gml_span_trim_space(gml_span_of("\0 ", 2)), "") == false);
	assert_true(gml_span_trim(none).len == 0 && gml_span_from(none, 0).len == 0);
	assert_int_equal(gml_span_find(none, 'a'), 0);
	assert_int_equal(gml_span_find(GML_LIT("ab"), 'c'), 2);
	assert_true(gml_span_is(gml_span_from(GML_LIT("abc"), 3), ""));
}

/* ---- hexadecimal digits ---- */

static void test_hex(void **state)
{
	char text[2 * 256 + 1], digits[17];
	uint8_t all[256], back[256];
	uint64_t number = 5;
	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	gml_hex(all, 256, text);
	for (int i = 0; i < 256; i++) {
		char expected[3];
		snprintf(expected, sizeof(expected), "%02x", (unsigned)i);
		assert_memory_equal(text + 2 * i, expected, 2);
		assert_int_equal(gml_hex_value((char)i), i >= '0' && i <= '9'	? i - '0'
							 : i >= 'a' && i <= 'f' ? i - 'a' + 10
							 : i >= 'A' && i <= 'F' ? i - 'A' + 10
										: -1);
	}
	assert_int_equal(text[512], 0);
	assert_true(gml_unhex(text, 256, back) && memcmp(all, back, 256) == 0);
	assert_true(gml_hex_is_lower(text, 512) && gml_hex_is_lower("", 0));
	assert_true(gml_unhex("aAfF", 2, back) && back[0] == 0xaa && back[1] == 0xff);
	assert_false(gml_hex_is_lower("aA", 2) || gml_hex_is_lower("g", 1));
	assert_true(gml_unhex("", 0, back));
	assert_false(gml_unhex("0g", 1, back) || gml_unhex("g0", 1, back));
	for (unsigned i = 0; i < 16; i++)
		assert_true(gml_hex_digit(i) == "0123456789abcdef"[i] &&
			    gml_hex_digit_upper(i) == "0123456789ABCDEF"[i]);
	memset(digits, 'x', sizeof(digits));
	gml_hex_u64(UINT64_C(0xfedcba9876543210), 16, digits);
	assert_memory_equal(digits, "fedcba9876543210x", 17);
	gml_hex_u64(0x1ff, 2, digits);
	assert_memory_equal(digits, "ffdc", 4);
	assert_true(gml_unhex_u64("fedcba9876543210", 16, &number) &&
		    number == UINT64_C(0xfedcba9876543210));
	assert_true(gml_unhex_u64("0ffx", 3, &number) && number == 0xff);
	assert_false(gml_unhex_u64("0fF", 3, &number) || gml_unhex_u64("0g", 2, &number) ||
		     gml_unhex_u64("0", 2, &number));
	assert_true(number == 0xff && gml_unhex_u64("", 0, &number) && number == 0);
}

/* ---- percent-encoding ---- */

/* RFC 3986, 2.3: all bytes. */
static void test_percent_class(void **state)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char out[3];
	(void)state;
	for (int i = 0; i < 256; i++) {
		char c = (char)i, expected[4];
		bool same = i != 0 && strchr(unreserved, i) != NULL;
		struct gml_span in = gml_span_of(&c, 1);
		snprintf(expected, sizeof(expected), "%%%02X", (unsigned)i);
		if (same)
			memcpy(expected, &c, 1);
		assert_int_equal(gml_percent_encode(in, false, out), same ? 1 : 3);
		assert_memory_equal(out, expected, same ? 1 : 3);
		assert_int_equal(gml_percent_encode(in, true, out), same || i == '/' ? 1 : 3);
		in = gml_span_of(expected, 3);
		assert_int_equal(same ? i : gml_percent_take(&in, false), i);
	}
}

static void test_percent_take(void **state)
{
	struct gml_span in = GML_LIT("a+%2b%4%zz%");
	char out[12];
	size_t n = 0;
	(void)state;
	while (in.len > 0)
		out[n++] = (char)gml_percent_take(&in, true);
	assert_int_equal(n, 9);
	assert_memory_equal(out, "a +%4%zz%", 9);
	in = GML_LIT("+");
	assert_int_equal(gml_percent_take(&in, false), '+');
}

static void test_percent_decode(void **state)
{
	static const struct {
		const char *in, *out;
		bool plus;
		long len;
	} rows[] = {
		{"abc", "abc", false, 3},
		{"a%2Fb", "a/b", false, 3},
		{"a+b", "a+b", false, 3},
		{"a+b", "a b", true, 3},
		{"%c3%A9", "\xc3\xa9", false, 2},
		{"%", NULL, false, -1},
		{"%4", NULL, false, -1},
		{"%4g", NULL, false, -1},
		{"", "", false, 0},
		{"%00", "\0", false, 1},
		{"%25%32%35", "%25", false, 3},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *in = strdup(rows[i].in), *out = malloc(strlen(in) + 1);
		assert_int_equal(gml_percent_decode(gml_span_text(in), rows[i].plus, out),
				 rows[i].len);
		if (rows[i].len > 0)
			assert_memory_equal(out, rows[i].out, (size_t)rows[i].len);
		free(in);
		free(out);
	}
}

static void test_percent_encode_inverts(void **state)
{
	char all[256], *encoded = malloc(3 * 256), back[256];
	size_t len;
	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	len = gml_percent_encode(gml_span_of(all, 256), true, encoded);
	assert_int_equal(gml_percent_decode(gml_span_of(encoded, len), true, back), 256);
	assert_memory_equal(all, back, 256);
	assert_non_null(memchr(encoded, '/', len));
	len = gml_percent_encode(gml_span_of(all, 256), false, encoded);
	assert_null(memchr(encoded, '/', len));
	free(encoded);
}

static void test_percent_decode_in_place(void **state)
{
	char text[] = "a%20b%2Fc+d";
	(void)state;
	assert_int_equal(gml_percent_decode(gml_span_text(text), true, text), 7);
	assert_memory_equal(text, "a b/c d", 7);
	assert_int_equal(gml_percent_plain("ab+%", 4, true), 2);
	assert_int_equal(gml_percent_plain("ab+%", 4, false), 3);
	assert_int_equal(gml_percent_plain(NULL, 0, true), 0);
}

/* ---- base64 ---- */

/* RFC 4648, section 10. */
static void test_base64_vectors(void **state)
{
	static const struct {
		const char *plain, *coded;
	} rows[] = {{"", ""},
		    {"f", "Zg=="},
		    {"fo", "Zm8="},
		    {"foo", "Zm9v"},
		    {"foob", "Zm9vYg=="},
		    {"fooba", "Zm9vYmE="},
		    {"foobar", "Zm9vYmFy"}};
	char text[16];
	uint8_t back[8];
	size_t len;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].plain);
		assert_int_equal(gml_base64(rows[i].plain, n, text), strlen(rows[i].coded));
		assert_string_equal(text, rows[i].coded);
		assert_true(gml_base64_decode(gml_span_text(rows[i].coded), back, n));
		assert_memory_equal(back, rows[i].plain, n);
		gml_base64url(rows[i].plain, n, text);
		assert_null(strchr(text, '='));
		assert_true(gml_base64url_decode(gml_span_text(text), back, n, &len) && len == n);
	}
	gml_base64("\xfb\xff", 2, text);
	assert_string_equal(text, "+/8=");
	gml_base64url("\xfb\xff", 2, text);
	assert_string_equal(text, "-_8");
	assert_false(gml_base64url_decode(GML_LIT("+/8"), back, 8, &len));
	assert_false(gml_base64_decode(GML_LIT("-_8="), back, 2));
}

static void test_base64(void **state)
{
	uint8_t bytes[64], back[64];
	char text[GML_BASE64_LEN(64) + 1];
	size_t len;
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 251);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		assert_int_equal(gml_base64(bytes, n, text), GML_BASE64_LEN(n));
		assert_true(gml_base64_decode(gml_span_text(text), back, n));
		assert_memory_equal(bytes, back, n);
		if (n > 0)
			assert_false(gml_base64_decode(gml_span_text(text), back, n - 1));
		gml_base64url(bytes, n, text);
		assert_true(gml_base64url_decode(gml_span_text(text), back, n, &len));
		assert_int_equal(len, n);
		assert_memory_equal(bytes, back, n);
	}
	assert_false(gml_base64_decode(GML_LIT("AAAA"), back, 2));
	assert_false(gml_base64_decode(GML_LIT("AAB="), back, 2)); /* stray bits */
	assert_true(gml_base64_decode(GML_LIT("AAA="), back, 2));
	assert_false(gml_base64_decode(GML_LIT("AA A"), back, 3));
	assert_false(gml_base64url_decode(GML_LIT("A"), back, 8, &len));
	assert_false(gml_base64url_decode(GML_LIT("AA=="), back, 8, &len));
}

static void test_numbers(void **state)
{
	uint64_t value;
	(void)state;
	assert_true(gml_span_u64(GML_LIT("18446744073709551615"), UINT64_MAX, &value) &&
		    value == UINT64_MAX);
	assert_false(gml_span_u64(GML_LIT("18446744073709551616"), UINT64_MAX, &value));
	assert_false(gml_span_u64(GML_LIT("99999999999999999999"), UINT64_MAX, &value));
	assert_false(gml_span_u64(GML_LIT("-1"), 10, &value));
	assert_false(gml_span_u64(GML_LIT("+1"), 10, &value));
	assert_false(gml_span_u64(GML_LIT(""), 10, &value));
	assert_false(gml_span_u64(GML_LIT("11"), 10, &value));
	assert_true(gml_span_u64(GML_LIT("0010"), 10, &value) && value == 10);
}

/* ---- the calendar ---- */

/* Each day of the years 0 to 9999, counted by hand. */
static void test_calendar_days(void **state)
{
	static const unsigned lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = GML_DATE_FIRST / 86400;
	unsigned weekday = 6; /* 0000-01-01 is a Saturday */
	(void)state;
	for (int64_t year = 0; year <= 9999; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		for (unsigned month = 1; month <= 12; month++) {
			unsigned last = lengths[month - 1] + (month == 2 && leap);
			for (unsigned day = 1; day <= last; day++) {
				struct gml_civil c = gml_civil_of(days * 86400 + 86399);
				if (c.year != year || c.month != month || c.day != day ||
				    c.weekday != weekday || c.hour != 23 || c.second != 59 ||
				    gml_civil_days(year, month, day) != days)
					fail_msg("%04d-%02u-%02u", (int)year, month, day);
				weekday = (weekday + 1) % 7;
				days++;
			}
			assert_false(gml_civil_valid(&(struct gml_civil){
				.year = year, .month = month, .day = last + 1}));
		}
	}
	assert_true(days == GML_DATE_LAST / 86400 + 1);
}

static void test_calendar_ends(void **state)
{
	struct gml_civil c = gml_civil_of(INT64_MAX);
	char iso[25], basic[17] = "x";
	(void)state;
	assert_true(c.year == 9999 && c.month == 12 && c.day == 31 && c.second == 59);
	c = gml_civil_of(INT64_MIN);
	assert_true(c.year == 0 && c.month == 1 && c.day == 1 && c.hour == 0);
	gml_date_iso(INT64_MAX, iso);
	assert_string_equal(iso, "9999-12-31T23:59:59.000Z");
	gml_date_iso(INT64_MIN, iso);
	assert_string_equal(iso, "0000-01-01T00:00:00.000Z");
	assert_true(gml_date_basic(GML_DATE_LAST, basic));
	assert_string_equal(basic, "99991231T235959Z");
	assert_false(gml_date_basic(GML_DATE_LAST + 1, basic) ||
		     gml_date_basic(GML_DATE_FIRST - 1, basic));
	assert_true(gml_seconds_of_ns(-1) == -1 && gml_seconds_of_ns(0) == 0);
	assert_true(gml_seconds_of_ns(-GML_NS_PER_S) == -1);
	assert_true(gml_ns_of_seconds(INT64_MAX) == INT64_MAX);
	assert_true(gml_ns_of_seconds(INT64_MIN) == INT64_MIN);
	assert_true(gml_ns_of_seconds(9223372036) == 9223372036 * GML_NS_PER_S);
	assert_true(gml_ns_of_seconds(9223372037) == INT64_MAX);
	c = (struct gml_civil){
		.year = 2016, .month = 12, .day = 31, .hour = 23, .minute = 59, .second = 60};
	assert_true(gml_civil_valid(&c)); /* a leap second */
	assert_int_equal(gml_civil_seconds(&c), 1483228800);
	c.second = 61;
	assert_false(gml_civil_valid(&c));
}

static bool date_parse(struct gml_span text, int64_t *ns_out)
{
	int64_t seconds;
	if (!gml_date_http_parse(text, &seconds))
		return false;
	*ns_out = gml_ns_of_seconds(seconds);
	return true;
}

static void test_date_shown(void **state)
{
	char iso[25], http[30];
	int64_t ns;
	(void)state;
	gml_date_iso(gml_seconds_of_ns(1138985109 * GML_NS_PER_S + 999999999), iso);
	assert_string_equal(iso, "2006-02-03T16:45:09.000Z");
	gml_date_http(gml_seconds_of_ns(1138985109 * GML_NS_PER_S), http);
	assert_string_equal(http, "Fri, 03 Feb 2006 16:45:09 GMT");
	gml_date_http(gml_seconds_of_ns(0), http);
	assert_string_equal(http, "Thu, 01 Jan 1970 00:00:00 GMT");
	gml_date_iso(gml_seconds_of_ns(-1), iso);
	assert_string_equal(iso, "1969-12-31T23:59:59.000Z");
	gml_date_iso(gml_seconds_of_ns(951782400 * GML_NS_PER_S), iso);
	assert_string_equal(iso, "2000-02-29T00:00:00.000Z");
	gml_date_iso(gml_seconds_of_ns(INT64_MAX), iso);
	assert_string_equal(iso, "2262-04-11T23:47:16.000Z");
	gml_date_iso(gml_seconds_of_ns(INT64_MIN), iso);
	assert_memory_equal(iso, "1677-", 5);
	for (int64_t s = -86400 * 366; s < (int64_t)86400 * 36600; s += 86400 * 5 + 3607) {
		gml_date_http(gml_seconds_of_ns(s * GML_NS_PER_S), http);
		assert_true(date_parse(gml_span_text(http), &ns));
		assert_int_equal(ns, s * GML_NS_PER_S);
	}
}

static void test_date_forms(void **state)
{
	static const char *const good[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 +0000"};
	static const char *const bad[] = {"",
					  "Sun, 06 Nov 1994 08:49:37",
					  "Sun, 31 Feb 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 25:49:37 GMT",
					  "Sun, 06 Foo 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 08:49:37 GMTx",
					  "1994-11-06T08:49:37Z",
					  "Sun, 06 Nov 1994 08:49:37 PST",
					  "99999999999999999999999999999999999999999999999999999"};
	int64_t ns;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(date_parse(gml_span_text(good[i]), &ns));
		assert_int_equal(ns, 784111777 * GML_NS_PER_S);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(date_parse(gml_span_text(bad[i]), &ns));
	assert_true(date_parse(GML_LIT("Fri, 31 Dec 9999 23:59:59 GMT"), &ns));
	assert_true(ns == INT64_MAX);
	assert_true(date_parse(GML_LIT("Mon, 01 Jan 0001 00:00:00 GMT"), &ns));
	assert_true(ns == INT64_MIN);
	/* The first and the last second that a file's time can have: what was shown of them is
	 * understood again. */
	assert_true(date_parse(GML_LIT("Fri, 11 Apr 2262 23:47:16 GMT"), &ns));
	assert_true(ns == 9223372036 * GML_NS_PER_S);
	assert_true(date_parse(GML_LIT("Tue, 21 Sep 1677 00:12:44 GMT"), &ns));
	assert_true(ns == -9223372036 * GML_NS_PER_S);
	assert_true(date_parse(GML_LIT("Fri, 11 Apr 2262 23:47:17 GMT"), &ns));
	assert_true(ns == INT64_MAX);
}

static void test_date_basic_and_mail(void **state)
{
	static const struct {
		const char *text;
		int64_t time; /* -1: refused */
	} cases[] = {
		{"20130524T000000Z", INT64_C(1369353600)},
		{"19700101T000000Z", 0},
		{"20240229T235959Z", 1709251199},
		{"20230229T000000Z", -1},
		{"20131301T000000Z", -1},
		{"20130524T240000Z", -1},
		{"20130524T000000", -1},
		{"2013052400000000", -1},
		{"", -1},
		{"Fri, 24 May 2013 00:00:00 GMT", INT64_C(1369353600)},
		{"Tue, 27 Mar 2007 19:36:42 +0000", 1175024202},
		{"Tue, 27 Mar 2007 21:36:42 +0200", 1175024202},
		{"27 Mar 2007 12:36:42 -0700", 1175024202},
		{"Fri, 1 Jan 2100 00:00:00 UTC", 4102444800},
		{"Fri, 24 Mai 2013 00:00:00 GMT", -1},
		{"Fri, 24 May 2013 00:00:00 XYZ", -1},
		{"Fri, 24 May 2013", -1},
		{"Fri, 31 Apr 2013 00:00:00 GMT", -1},
		{"Fri, 24 May 2013 00:00:00", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t time = -1;
		bool ok = gml_date_basic_parse(gml_span_text(cases[i].text), &time) ||
			  gml_date_mail_parse(gml_span_text(cases[i].text), &time);
		if (ok != (cases[i].time >= 0) || (ok && time != cases[i].time))
			fail_msg("%s", cases[i].text);
	}
	/* There and back, against libc, over four centuries. */
	for (int64_t t = -2000000000; t < 11000000000; t += 86400 * 3 + 12347) {
		char text[17], expected[40];
		struct tm tm;
		time_t clock = (time_t)t;
		int64_t back;
		assert_true(gml_date_basic(t, text));
		gmtime_r(&clock, &tm);
		strftime(expected, sizeof(expected), "%Y%m%dT%H%M%SZ", &tm);
		assert_string_equal(text, expected);
		assert_true(gml_date_basic_parse(gml_span_text(text), &back));
		assert_int_equal(back, t);
	}
}

/* The vectors of the authors: the key is 00 01 … 0f, the message 00 01 … of that length. */
static void test_siphash(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}, {24, 0xb8ad50c6f649af94},
	};
	uint8_t key[GML_SIPHASH_KEY], message[24];
	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	memcpy(key, message, sizeof(key));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		assert_true(gml_siphash(key, message, vectors[i].len) == vectors[i].hash);
	key[15] ^= 1;
	assert_true(gml_siphash(key, message, 24) != vectors[5].hash);
}

/* ---- inodes ---- */

static void test_ino_text(void **state)
{
	gml_ino last = gml_ino_of(GML_INO_NUM_END - 1, GML_INO_NUM_END - 1);
	(void)state;
	assert_string_equal(gml_ino_text(GML_INO_NONE), "0");
	assert_string_equal(gml_ino_text(gml_ino_of(0, 42)), "42");
	assert_string_equal(gml_ino_text(gml_ino_of(7, 42)), "7:42");
	assert_string_equal(gml_ino_text(last), "4611686018427387903:4611686018427387903");
	assert_true(gml_ino_is_none(gml_ino_of(7, 0)) && gml_ino_of(7, 0).view == 0);
	assert_false(gml_ino_equal(gml_ino_of(7, 42), gml_ino_of(0, 42)));
	assert_false(gml_ino_equal(gml_ino_of(7, 42), gml_ino_of(7, 43)));
}

static int ino_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Images of the same files in many views: no two of one fileid, and none of one in the present. */
static void test_ino_hash(void **state)
{
	enum { VIEWS = 500, NUMS = 200, FIRST = 1000000 };
	uint64_t *ids = calloc((size_t)VIEWS * NUMS, sizeof(*ids));
	size_t n = 0;
	(void)state;
	assert_non_null(ids);
	for (uint64_t view = 0; view < VIEWS; view++)
		for (uint64_t num = 0; num < NUMS; num++)
			ids[n++] = gml_ino_fileid(
				gml_ino_of(view == 0 ? 0 : FIRST + view, FIRST + num));
	qsort(ids, n, sizeof(*ids), ino_order);
	for (size_t i = 1; i < n; i++)
		assert_true(ids[i - 1] < ids[i]);
	assert_true(ids[NUMS - 1] < (uint64_t)1 << 63 && ids[NUMS] >= (uint64_t)1 << 63);
	for (uint64_t num = 1; num < 65536;
	     num++) /* one after the other: one place after the other */
		assert_true((gml_ino_hash(gml_ino_of(9, num)) + 1) % 65536 ==
			    gml_ino_hash(gml_ino_of(9, num + 1)) % 65536);
	free(ids);
}

/* ---- clocks ---- */

static void test_change_next(void **state)
{
	uint64_t a = gml_change_next(0), b = gml_change_next(a);
	int64_t mono = gml_monotonic();
	(void)state;
	assert_true(b > a);
	assert_true(gml_change_next(UINT64_MAX - 1) == UINT64_MAX); /* the clock was set back */
	assert_true(gml_change_next((uint64_t)INT64_MAX) == (uint64_t)INT64_MAX + 1);
	assert_true(gml_now() > 1600000000 * GML_NS_PER_S);
	assert_true(gml_monotonic() >= mono);
}

/* ---- files and shared memory ---- */

static int base_dir(void **state)
{
	char path[] = "/tmp/base_test.XXXXXX";
	int fd;
	if (mkdtemp(path) == NULL || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	*state = (void *)(intptr_t)fd;
	return 0;
}

static int base_dir_end(void **state)
{
	int fd = (int)(intptr_t)*state;
	char link[64], path[256];
	ssize_t n;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	unlinkat(fd, "f", 0);
	unlinkat(fd, "l", 0);
	close(fd);
	if (n < 0)
		return -1;
	path[n] = '\0';
	return rmdir(path);
}

static void test_file(void **state)
{
	int dir = (int)(intptr_t)*state;
	char buf[8];
	struct stat st;
	size_t len;
	assert_int_equal(gml_small_file_read(dir, "f", buf, sizeof(buf), &len), ENOENT);
	assert_int_equal(gml_small_file_write(dir, "f", "hello", 5, true), 0);
	assert_int_equal(gml_small_file_write(dir, "f", "again", 5, true), EEXIST);
	assert_int_equal(gml_small_file_read(dir, "f", buf, sizeof(buf), &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(gml_small_file_write(dir, "f", "abc", 3, false),
			 0); /* what was longer goes */
	assert_int_equal(gml_small_file_read(dir, "f", buf, 2, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(gml_small_file_read(dir, "f", buf, 4, &len), 0);
	assert_int_equal(len, 3);
	assert_true(fstatat(dir, "f", &st, 0) == 0 && (st.st_mode & 0777) == 0600);
	assert_int_equal(gml_small_file_sync_dir(dir, "."), 0);
	assert_int_equal(gml_small_file_sync_dir(dir, "none"), ENOENT);
	assert_int_equal(symlinkat("f", dir, "l"), 0);
	assert_int_equal(gml_small_file_read(dir, "l", buf, 4, &len), ELOOP);
	assert_int_equal(gml_small_file_write(dir, "l", "x", 1, false), ELOOP);
}

static void test_shared_map(void **state)
{
	int dir = (int)(intptr_t)*state, status;
	char *a, *b;
	void *map = "";
	struct stat st;
	assert_int_equal(gml_shared_map(dir, "f", 4096, GML_MAP_EXISTING, &map), ENOENT);
	assert_null(map);
	assert_int_equal(gml_shared_map(dir, "f", 4096, GML_MAP_MAKE, (void **)&a), 0);
	assert_true(a[0] == 0 && a[4095] == 0);
	assert_true(fstatat(dir, "f", &st, 0) == 0 && st.st_blocks > 0); /* no signal later */
	a[0] = 'a';
	/* Longer: what it holds stays, and so does the first mapping. */
	assert_int_equal(gml_shared_map(dir, "f", 8192, GML_MAP_MAKE, (void **)&b), 0);
	assert_true(b[0] == 'a' && b[8191] == 0);
	if (fork() == 0) {
		b[8191] = 'c';
		_exit(0);
	}
	assert_true(wait(&status) > 0 && b[8191] == 'c');
	b[1] = 'b';
	assert_true(a[1] == 'b');
	gml_shared_unmap(b, 8192);
	/* Shorter: the file never shrinks. */
	assert_int_equal(gml_shared_map(dir, "f", 4096, GML_MAP_EXISTING, (void **)&b), 0);
	assert_true(b[1] == 'b' && fstatat(dir, "f", &st, 0) == 0 && st.st_size == 8192);
	gml_shared_unmap(b, 4096);
	assert_int_equal(gml_shared_map(dir, "f", 4096, GML_MAP_FRESH, (void **)&b), 0);
	assert_true(b[1] == 0 && a[0] == 0);
	gml_shared_unmap(b, 4096);
	gml_shared_unmap(a, 4096);
	gml_shared_unmap(NULL, 4096);
}

/* ---- owners ---- */

static void test_owner(void **state)
{
	struct gml_owner self, other;
	(void)state;
	assert_int_equal(gml_owner_self(&self), 0);
	assert_true(self.gateway == 0 && self.pid == (uint32_t)getpid());
	other = self;
	assert_true(gml_owner_equal(&self, &other) && gml_owner_alive(&self));
	other.start++; /* the pid came back */
	assert_false(gml_owner_equal(&self, &other) || gml_owner_alive(&other));
	other = self;
	other.boot++;
	assert_false(gml_owner_equal(&self, &other) || gml_owner_alive(&other));
	other = self;
	other.gateway = 1;
	assert_false(gml_owner_equal(&self, &other));
}

/* ---- presence ---- */

static unsigned base_asserts;

static void base_count_assert(const char *file, int line, const char *text)
{
	base_asserts++;
}

static int base_run_dir(void **state)
{
	return base_dir(state) == 0 ? mkdirat((int)(intptr_t)*state, "run", 0700) : -1;
}

static int base_run_dir_end(void **state)
{
	int dir = (int)(intptr_t)*state;
	unlinkat(dir, "run/changes", 0);
	unlinkat(dir, "run/readers", 0);
	unlinkat(dir, "run", AT_REMOVEDIR);
	return base_dir_end(state);
}

static void test_presence(void **state)
{
	int dir = (int)(intptr_t)*state, place;
	struct gml_presence *a, *b;
	struct gml_owner self, other;
	const gml_ino ino = BASE_INO(7), next = BASE_INO(8);
	assert_int_equal(gml_owner_self(&self), 0);
	assert_int_equal(gml_presence_open(dir, &self, &a), 0);
	assert_int_equal(gml_presence_open(dir, &self, &b), 0);
	assert_true(gml_presence_change(a, ino) == 0);
	gml_presence_step(a, ino);
	assert_true(gml_presence_change(b, ino) > 0 && gml_presence_change(b, next) == 0);
	/* A place of one process is seen by the other; that of an ended one is not, and is free. */
	place = gml_presence_reader_add(a, ino);
	assert_true(place >= 0 && gml_presence_reader_any(b, ino));
	assert_false(gml_presence_reader_any(b, next));
	gml_presence_reader_remove(a, place);
	gml_presence_reader_remove(a, -1);
	assert_false(gml_presence_reader_any(b, ino));
	b->self.start ^= 1;
	assert_true(gml_presence_reader_add(b, ino) >= 0);
	assert_false(gml_presence_reader_any(a, ino));
	/* Of another gateway's processes nobody here knows. */
	other = self;
	other.start ^= 1;
	assert_true(gml_presence_alive(a, &self) && !gml_presence_alive(a, &other));
	other.gateway = 1;
	assert_true(gml_presence_alive(a, &other));
	/* Full. */
	for (place = 0; gml_presence_reader_add(a, ino) >= 0;)
		place++;
	assert_int_equal(place, 8192);
	gml_presence_close(a);
	gml_presence_close(b);
	gml_presence_close(NULL);
}

/* ---- locks ---- */

/* Each bug is seen once, and what is right is not. */
static void test_locks(void **state)
{
	struct gml_rwlock a, b;
	pthread_mutex_t leaf = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
	(void)state;
	gml_rwlock_init(&a);
	gml_rwlock_init(&b);
	base_asserts = 0;
	gml_assert_hook = base_count_assert;
	gml_rwlock_shared(&a);
	assert_true(gml_lock_held(&a, false) && !gml_lock_held(&a, true));
	assert_false(gml_lock_held(&b, false));
	gml_assert_locked(&a);
	gml_leaf_lock(&leaf);
	gml_leaf_unlock(&leaf);
	assert_true(gml_rwlock_try_exclusive(&b)); /* who tries does not wait */
	assert_false(gml_rwlock_try_exclusive(&b));
	gml_rwlock_unlock(&a);
	gml_assert_locked_exclusive(&b);
	gml_rwlock_unlock(&b);
	assert_int_equal(base_asserts, 0);
	gml_assert_locked(&a); /* 1: not held */
	gml_rwlock_shared(&a);
	gml_assert_locked_exclusive(&a); /* 2: not so */
	gml_rwlock_shared(&b);		 /* 3: waits while it holds another */
	gml_rwlock_unlock(&b);
	gml_rwlock_unlock(&a);
	gml_leaf_lock(&leaf);
	gml_rwlock_exclusive(&a); /* 4: under a leaf */
	gml_rwlock_unlock(&a);
	gml_leaf_lock(&other); /* 5: the same */
	gml_leaf_unlock(&other);
	gml_leaf_unlock(&leaf);
	gml_in_closure = true;
	gml_leaf_lock(&leaf);
	gml_leaf_unlock(&leaf);
	gml_rwlock_exclusive(&a); /* 6: in a closure */
	gml_rwlock_unlock(&a);
	gml_in_closure = false;
	gml_lock_dropped(&a); /* 7: not held */
	gml_assert_hook = NULL;
	assert_int_equal(base_asserts, 7);
	gml_rwlock_destroy(&a);
	gml_rwlock_destroy(&b);
}

/* Closures ask nothing of other processes. */
static void test_presence_in_closure(void **state)
{
	int dir = (int)(intptr_t)*state;
	struct gml_presence *presence;
	struct gml_owner self;
	assert_int_equal(gml_owner_self(&self), 0);
	assert_int_equal(gml_presence_open(dir, &self, &presence), 0);
	gml_assert_hook = base_count_assert;
	gml_in_closure = true;
	base_asserts = 0;
	(void)gml_presence_change(presence, BASE_INO(1));
	gml_presence_step(presence, BASE_INO(1));
	gml_presence_reader_remove(presence, gml_presence_reader_add(presence, BASE_INO(1)));
	(void)gml_presence_reader_any(presence, BASE_INO(1));
	(void)gml_presence_alive(presence, &self);
	gml_in_closure = false;
	(void)gml_presence_change(presence, BASE_INO(1));
	gml_assert_hook = NULL;
	assert_int_equal(base_asserts, 5);
	gml_presence_close(presence);
}

/* ---- log lines ---- */

static void base_log(void *arg, enum gml_log_level level, const char *line)
{
	snprintf(arg, 2 * GML_LOG_LINE, "%d %s", (int)level, line);
}

static void test_log(void **state)
{
	char long_text[2 * GML_LOG_LINE], got[2 * GML_LOG_LINE] = "";
	(void)state;
	gml_log_line(NULL, NULL, GML_LOG_ERROR, "%s", "nobody listens");
	gml_log_line(base_log, got, GML_LOG_WARN, "%s %d", "a", 7);
	assert_string_equal(got, "1 a 7");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	gml_log_line(base_log, got, GML_LOG_INFO, "%s", long_text);
	assert_int_equal(strlen(got), 2 + GML_LOG_LINE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_compare),
		cmocka_unit_test(test_span_parts),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_ino_text),
		cmocka_unit_test(test_ino_hash),
		cmocka_unit_test(test_percent_class),
		cmocka_unit_test(test_percent_take),
		cmocka_unit_test(test_percent_decode),
		cmocka_unit_test(test_percent_encode_inverts),
		cmocka_unit_test(test_percent_decode_in_place),
		cmocka_unit_test(test_base64_vectors),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_calendar_days),
		cmocka_unit_test(test_calendar_ends),
		cmocka_unit_test(test_date_shown),
		cmocka_unit_test(test_date_forms),
		cmocka_unit_test(test_date_basic_and_mail),
		cmocka_unit_test(test_change_next),
		cmocka_unit_test_setup_teardown(test_file, base_dir, base_dir_end),
		cmocka_unit_test_setup_teardown(test_shared_map, base_dir, base_dir_end),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_locks),
		cmocka_unit_test_setup_teardown(test_presence, base_run_dir, base_run_dir_end),
		cmocka_unit_test_setup_teardown(test_presence_in_closure, base_run_dir,
						base_run_dir_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
