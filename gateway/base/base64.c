// SPDX-License-Identifier: Apache-2.0
#include "base64.h"

static const char base64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
_Static_assert(sizeof(base64_std) == 65 && sizeof(base64_url) == 65, "a digit for each six bits");

static size_t base64_encode(const uint8_t *in, size_t len, char *out, const char *alphabet,
			    bool pad)
{
	char *start = out;
	while (len >= 3) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = alphabet[bits >> 6 & 63];
		*out++ = alphabet[bits & 63];
		in += 3;
		len -= 3;
	}
	if (len > 0) {
		uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0);
		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		if (len > 1)
			*out++ = alphabet[bits >> 6 & 63];
		else if (pad)
			*out++ = '=';
		if (pad)
			*out++ = '=';
	}
	*out = 0;
	return (size_t)(out - start);
}

size_t gml_base64(const void *bytes, size_t len, char *out)
{
	return base64_encode(bytes, len, out, base64_std, true);
}

size_t gml_base64url(const void *bytes, size_t len, char *out)
{
	return base64_encode(bytes, len, out, base64_url, false);
}

static int base64_value(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Digits without padding. Refuses stray bits after the last byte, so that each value has one
 * spelling. */
static bool base64_decode(const char *in, size_t len, char c62, char c63, uint8_t *out, size_t cap,
			  size_t *len_out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(in[i], c62, c63);
		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return false;
		out[n++] = (uint8_t)(bits >> have);
	}
	if (have > 0 && (bits & ((1u << have) - 1)) != 0)
		return false;
	*len_out = n;
	return true;
}

bool gml_base64_decode(struct gml_span text, void *out, size_t len)
{
	size_t pad = (3 - len % 3) % 3, got;
	const char *in = text.ptr;
	if (text.len != GML_BASE64_LEN(len))
		return false;
	for (size_t i = 0; i < pad; i++)
		if (in[text.len - 1 - i] != '=')
			return false;
	return base64_decode(in, text.len - pad, '+', '/', out, len, &got) && got == len;
}

bool gml_base64url_decode(struct gml_span text, void *out, size_t cap, size_t *len_out)
{
	return base64_decode(text.ptr, text.len, '-', '_', out, cap, len_out);
}
