// SPDX-License-Identifier: Apache-2.0
/* Hexadecimal digits (RFC 4648, section 8). Pure; any thread; no blocking. */
#ifndef GML_BASE_HEX_H
#define GML_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "assert.h"

/* The digit of a value below 16. */
static inline char gml_hex_digit(unsigned value)
{
	gml_assert(value < 16);
	return (char)(value + (value > 9 ? 'a' - 10 : '0'));
}

static inline char gml_hex_digit_upper(unsigned value)
{
	gml_assert(value < 16);
	return (char)(value + (value > 9 ? 'A' - 10 : '0'));
}

/* 16 + value of a digit of either case; 0 for every other byte. */
extern const uint8_t gml_hex_values[256];

/* Value of a digit of either case, or -1. */
static inline int gml_hex_value(char c)
{
	int value = gml_hex_values[(unsigned char)c];
	return value > 0 ? value - 16 : -1;
}

/* 2 * len lower-case digits, without NUL. */
void gml_hex_digits(const void *bytes, size_t len, char *out);
/* The same and a NUL. */
void gml_hex(const void *bytes, size_t len, char *out);
/* `count` lower-case digits of the value's low bits, without NUL, the most significant first. */
void gml_hex_u64(uint64_t value, unsigned count, char *out);
/* The number that `count` such digits, at most 16, stand for. false: others occur. */
bool gml_unhex_u64(const char *hex, unsigned count, uint64_t *out);
/* Exactly 2 * len digits of either case to len bytes. false: others occur; `out` then holds nothing
 * of use. */
bool gml_unhex(const char *hex, size_t len, void *out);
/* Only digits as gml_hex writes them? True when len is 0. */
bool gml_hex_is_lower(const char *hex, size_t len);

#endif
