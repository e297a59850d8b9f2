// SPDX-License-Identifier: Apache-2.0
/* Numbers, dates and addresses as policies and requests write them.
 *
 * Pure; any thread; no blocking; no locale. */
#ifndef GML_AUTH_ACCESS_VALUE_H
#define GML_AUTH_ACCESS_VALUE_H

#include "gateway/base/span.h"

/* A decimal number of any length: borrows its digits, without needless zeros. */
struct auth_number {
	bool negative; /* not for zero */
	struct gml_span whole, fraction;
};
/* "-12.5": a sign, digits, and digits after a point; the sign and the point with its digits may be
 * absent. false for anything else. */
bool auth_number_parse(struct gml_span text, struct auth_number *out);
/* < 0, 0, > 0; exact. */
int auth_number_order(const struct auth_number *a, const struct auth_number *b);

/* A moment. */
struct auth_date {
	int64_t seconds; /* since the epoch */
	uint32_t nanoseconds;
};
/* A form of ISO 8601 of the W3C's note: YYYY, YYYY-MM, YYYY-MM-DD, and with THH:MM, THH:MM:SS or
 * THH:MM:SS.FRACTION and a zone, Z or +HH:MM or -HH:MM, behind it; or seconds since the epoch, of
 * which four digits are a year. What a shorter form leaves out is the first there is. false for
 * anything else. */
bool auth_date_parse(struct gml_span text, struct auth_date *out);
int auth_date_order(const struct auth_date *a, const struct auth_date *b);

/* A range of addresses. An IPv4 address in IPv6 (::ffff:0:0/96) is the IPv4 address. A range of
 * IPv6 holds none of those: AWS wants both kinds written. */
struct auth_network {
	uint8_t address[16]; /* in IPv6 */
	unsigned bits;	     /* of 128 that count */
};
/* "10.0.0.0/8", "2001:db8::/32", or a single address. false for anything else. */
bool auth_network_parse(struct gml_span text, struct auth_network *out);
/* Is `inner` within `outer`? */
bool auth_network_contains(const struct auth_network *outer, const struct auth_network *inner);

#endif
