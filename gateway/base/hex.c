// SPDX-License-Identifier: Apache-2.0
#include "hex.h"

const uint8_t gml_hex_values[256] = {
	['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
	['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
	['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31, ['A'] = 26, ['B'] = 27,
	['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

void gml_hex_digits(const void *bytes, size_t len, char *out)
{
	const uint8_t *in = bytes;
	for (size_t i = 0; i < len; i++) { /* without a table it becomes vector instructions */
		out[2 * i] = gml_hex_digit(in[i] >> 4);
		out[2 * i + 1] = gml_hex_digit(in[i] & 15);
	}
}

void gml_hex(const void *bytes, size_t len, char *out)
{
	gml_hex_digits(bytes, len, out);
	out[2 * len] = '\0';
}

void gml_hex_u64(uint64_t value, unsigned count, char *out)
{
	while (count-- > 0) {
		out[count] = gml_hex_digit(value & 15);
		value >>= 4;
	}
}

bool gml_unhex_u64(const char *hex, unsigned count, uint64_t *out)
{
	uint64_t value = 0;
	gml_assert(count <= 16);
	if (!gml_hex_is_lower(hex, count))
		return false;
	for (unsigned i = 0; i < count; i++)
		value = value << 4 | (unsigned)gml_hex_value(hex[i]);
	*out = value;
	return true;
}

bool gml_unhex(const char *hex, size_t len, void *out)
{
	uint8_t *to = out, all = 16;
	for (size_t i = 0; i < len; i++) {
		uint8_t high = gml_hex_values[(unsigned char)hex[2 * i]];
		uint8_t low = gml_hex_values[(unsigned char)hex[2 * i + 1]];
		all &= high & low;
		to[i] = (uint8_t)(high << 4 | (low & 15));
	}
	return all != 0;
}

bool gml_hex_is_lower(const char *hex, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (gml_hex_value(hex[i]) < 0 || (hex[i] >= 'A' && hex[i] <= 'F'))
			return false;
	return true;
}
