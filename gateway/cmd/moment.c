// SPDX-License-Identifier: Apache-2.0
/* Moments as people write them. */
#include "moment.h"

#include <string.h>
#include <time.h>
#include "cmd.h"

#define MOMENT_NS INT64_C(1000000000)
#define MOMENT_LAST (INT64_MAX / MOMENT_NS) /* in the year 2262 */

int64_t moment_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * MOMENT_NS + now.tv_nsec;
}

/* "90d", "12h", "30m", "45s" from now on. */
static bool moment_after(const char *text, int64_t *seconds_out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t digits = strspn(text, "0123456789");
	int64_t count = 0;
	if (digits == 0 || digits > 9 || text[digits] == 0 || text[digits + 1] != 0)
		return false;
	for (size_t i = 0; i < digits; i++)
		count = count * 10 + (text[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[digits] == units[i].unit) {
			*seconds_out = moment_now() / MOMENT_NS + count * units[i].seconds;
			return true;
		}
	return false;
}

/* "2027-01-31" or "2027-01-31T12:00:00Z". */
static bool moment_date(const char *text, int64_t *seconds_out)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0}, given;
		const char *end = strptime(text, forms[i], &tm);
		given = tm;
		if (end == NULL || *end != 0)
			continue;
		*seconds_out = timegm(&tm); /* makes the 3rd of March of the 31st of February */
		return tm.tm_mday == given.tm_mday && tm.tm_mon == given.tm_mon;
	}
	return false;
}

int moment_parse(const char *option, const char *text, int64_t *ns_out)
{
	int64_t seconds;
	if ((!moment_after(text, &seconds) && !moment_date(text, &seconds)) || seconds < 0 ||
	    seconds > MOMENT_LAST)
		return cmd_wrong("%s %s: not a moment: 2027-01-31, 2027-01-31T12:00:00Z (UTC), or "
				 "90d, 12h, 30m from now",
				 option, text);
	*ns_out = seconds * MOMENT_NS;
	return CMD_OK;
}
