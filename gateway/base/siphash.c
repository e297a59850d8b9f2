// SPDX-License-Identifier: Apache-2.0
/* SipHash-2-4 (Aumasson and Bernstein, 2012): two rounds for each eight bytes, four at the end. All
 * words are little-endian. */
#include "siphash.h"
#include <endian.h>
#include <string.h>

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline uint64_t siphash_word(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static inline void siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = siphash_rotate(s->v2, 32);
}

static inline void siphash_take(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_round(s);
	siphash_round(s);
	s->v0 ^= word;
}

uint64_t gml_siphash(const uint8_t key[GML_SIPHASH_KEY], const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t k0 = siphash_word(key), k1 = siphash_word(key + 8), last = (uint64_t)len << 56;
	struct siphash s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
			    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
	size_t left = len;
	for (; left >= 8; left -= 8, p += 8)
		siphash_take(&s, siphash_word(p));
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << 8 * i;
	siphash_take(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
