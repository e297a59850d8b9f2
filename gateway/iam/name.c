// SPDX-License-Identifier: Apache-2.0
#include "name.h"
#include <sys/random.h>
#include <gemel/err.h>
#include "gateway/base/span.h"

bool gml_iam_name_ok(const char *name, size_t max, const char *more)
{
	size_t len = strnlen(name, max + 1);
	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool alnum =
			(c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alnum && strchr(more, c) == NULL)
			return false;
	}
	return true;
}

uint32_t gml_iam_rune(struct gml_span *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = text->ptr;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t rune = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	if (len == 0 || p[0] > 0xf4 || len > text->len)
		return UINT32_MAX;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return UINT32_MAX;
		rune = rune << 6 | (p[i] & 0x3f);
	}
	if (rune < least[len] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return UINT32_MAX;
	*text = gml_span_of(p + len, text->len - len);
	return rune;
}

bool gml_iam_text_ok(struct gml_span text, size_t max)
{
	if (text.len > max)
		return false;
	while (text.len > 0) {
		uint32_t rune = gml_iam_rune(&text);
		if (rune < ' ' || (rune >= 0x7f && rune < 0xa0) || rune == UINT32_MAX)
			return false;
	}
	return true;
}

int gml_iam_random(char *out, size_t len, const char *alphabet)
{
	size_t n = strlen(alphabet), done = 0, limit = 256 - 256 % n;
	uint8_t bytes[64];
	while (done < len) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			return GML_ERR_IO;
		for (size_t i = 0; i < sizeof(bytes) && done < len; i++)
			if (bytes[i] < limit)
				out[done++] = alphabet[bytes[i] % n];
	}
	explicit_bzero(bytes, sizeof(bytes));
	out[len] = '\0';
	return 0;
}

int gml_iam_id(char out[GML_UNIQUE_ID + 1], const char *prefix)
{
	memcpy(out, prefix, 4);
	return gml_iam_random(out + 4, GML_UNIQUE_ID - 4, GML_IAM_BASE32);
}
