// SPDX-License-Identifier: Apache-2.0
#include "auth/access/value.h"

#include <arpa/inet.h>
#include "gateway/base/calendar.h"

static bool value_digit(struct gml_span text, size_t at)
{
	return at < text.len && gml_span_at(text, at) >= '0' && gml_span_at(text, at) <= '9';
}

/* The digits at the beginning of *rest, which is cut. */
static struct gml_span value_digits(struct gml_span *rest)
{
	size_t len = 0;
	while (value_digit(*rest, len))
		len++;
	struct gml_span digits = gml_span_of(rest->ptr, len);
	*rest = gml_span_from(*rest, len);
	return digits;
}

static bool value_take(struct gml_span *rest, char c)
{
	if (rest->len == 0 || gml_span_at(*rest, 0) != c)
		return false;
	*rest = gml_span_from(*rest, 1);
	return true;
}

bool auth_number_parse(struct gml_span text, struct auth_number *out)
{
	bool negative = value_take(&text, '-');
	if (!negative)
		value_take(&text, '+');
	*out = (struct auth_number){.whole = value_digits(&text)};
	if (out->whole.len == 0)
		return false;
	if (value_take(&text, '.')) {
		out->fraction = value_digits(&text);
		if (out->fraction.len == 0)
			return false;
	}
	while (out->whole.len > 0 && gml_span_at(out->whole, 0) == '0')
		out->whole = gml_span_from(out->whole, 1);
	while (out->fraction.len > 0 && gml_span_at(out->fraction, out->fraction.len - 1) == '0')
		out->fraction.len--;
	out->negative = negative && (out->whole.len > 0 || out->fraction.len > 0);
	return text.len == 0;
}

int auth_number_order(const struct auth_number *a, const struct auth_number *b)
{
	int order = (a->whole.len > b->whole.len) - (a->whole.len < b->whole.len);
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	if (order == 0)
		order = gml_span_order(a->whole, b->whole);
	if (order == 0)
		order = gml_span_order(a->fraction, b->fraction);
	return a->negative ? -order : order;
}

/* Exactly `count` digits, as a number. */
static bool value_field(struct gml_span *rest, size_t count, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (!value_digit(*rest, i))
			return false;
		*out = *out * 10 + (unsigned)(gml_span_at(*rest, i) - '0');
	}
	*rest = gml_span_from(*rest, count);
	return true;
}

/* Z or +HH:MM: seconds east of Greenwich. */
static bool value_zone(struct gml_span *rest, int64_t *east_out)
{
	unsigned hours, minutes;
	*east_out = 0;
	if (value_take(rest, 'Z'))
		return true;
	bool west = value_take(rest, '-');
	if (!west && !value_take(rest, '+'))
		return false;
	if (!value_field(rest, 2, &hours) || !value_take(rest, ':') ||
	    !value_field(rest, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*east_out = (int64_t)hours * 3600 + (int64_t)minutes * 60;
	if (west)
		*east_out = -*east_out;
	return true;
}

/* .FRACTION as nanoseconds; what is finer is cut off. */
static bool value_fraction(struct gml_span *rest, uint32_t *out)
{
	struct gml_span digits = value_digits(rest);
	*out = 0;
	for (size_t i = 0; i < 9; i++)
		*out = *out * 10 + (i < digits.len ? (uint32_t)(gml_span_at(digits, i) - '0') : 0);
	return digits.len > 0;
}

static bool value_time(struct gml_span *rest, struct gml_civil *civil, struct auth_date *out,
		       int64_t *east_out)
{
	if (!value_field(rest, 2, &civil->hour) || !value_take(rest, ':') ||
	    !value_field(rest, 2, &civil->minute))
		return false;
	if (value_take(rest, ':') &&
	    (!value_field(rest, 2, &civil->second) ||
	     (value_take(rest, '.') && !value_fraction(rest, &out->nanoseconds))))
		return false;
	return value_zone(rest, east_out);
}

static bool value_iso(struct gml_span rest, struct auth_date *out)
{
	struct gml_civil civil = {.month = 1, .day = 1};
	unsigned year;
	int64_t east = 0;
	if (!value_field(&rest, 4, &year))
		return false;
	civil.year = year;
	if (value_take(&rest, '-')) {
		if (!value_field(&rest, 2, &civil.month))
			return false;
		if (value_take(&rest, '-')) {
			if (!value_field(&rest, 2, &civil.day))
				return false;
			if (value_take(&rest, 'T') && !value_time(&rest, &civil, out, &east))
				return false;
		}
	}
	if (rest.len > 0 || !gml_civil_valid(&civil))
		return false;
	out->seconds = gml_civil_seconds(&civil) - east;
	return true;
}

bool auth_date_parse(struct gml_span text, struct auth_date *out)
{
	uint64_t seconds;
	*out = (struct auth_date){0};
	if (text.len != 4 && gml_span_u64(text, (uint64_t)INT64_MAX, &seconds)) {
		out->seconds = (int64_t)seconds;
		return true;
	}
	return value_iso(text, out);
}

int auth_date_order(const struct auth_date *a, const struct auth_date *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}

/* IPv4 in IPv6. */
#define VALUE_MAPPED_BITS 96
static const uint8_t value_mapped[VALUE_MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

bool auth_network_parse(struct gml_span text, struct auth_network *out)
{
	struct gml_span rest = text, address = gml_span_cut(&rest, '/');
	bool slash = address.len < text.len;
	char copy[INET6_ADDRSTRLEN];
	uint64_t bits;
	if (address.len == 0 || address.len >= sizeof(copy))
		return false;
	memcpy(copy, address.ptr, address.len);
	copy[address.len] = '\0';
	if (strlen(copy) != address.len)
		return false;
	*out = (struct auth_network){.bits = 128};
	if (inet_pton(AF_INET, copy, out->address + 12) == 1) {
		memcpy(out->address, value_mapped, sizeof(value_mapped));
		if (slash && !(rest.len <= 2 && gml_span_u64(rest, 32, &bits)))
			return false;
		out->bits = VALUE_MAPPED_BITS + (slash ? (unsigned)bits : 32);
		return true;
	}
	if (inet_pton(AF_INET6, copy, out->address) != 1)
		return false;
	if (slash && !(rest.len <= 3 && gml_span_u64(rest, 128, &bits)))
		return false;
	out->bits = slash ? (unsigned)bits : 128;
	return true;
}

bool auth_network_contains(const struct auth_network *outer, const struct auth_network *inner)
{
	unsigned whole = outer->bits / 8, part = outer->bits % 8;
	if (inner->bits < outer->bits || memcmp(outer->address, inner->address, whole) != 0)
		return false;
	if (outer->bits < VALUE_MAPPED_BITS &&
	    memcmp(inner->address, value_mapped, sizeof(value_mapped)) == 0)
		return false;
	return part == 0 || ((outer->address[whole] ^ inner->address[whole]) >> (8 - part)) == 0;
}
