// SPDX-License-Identifier: Apache-2.0
/* One engine for the three CRCs. All are reflected: bit 0 of a word is its highest power of x, so
 * the first byte on the wire is the highest coefficient and a little-endian load puts everything
 * into its place. A CRC of W bits lives in the low W bits of a uint64_t.
 *
 * Tables: eight of them, eight bytes a step ("slicing"). A state narrower than 64 bits simply meets
 * the low bytes of the step. Folding: a 16-byte block that d bits follow may be replaced by its
 * product with x^d mod P, xored into the block d bits later. With l and h the block's first and
 * second half, the product is l * (x^(d+64) mod P) + h * (x^d mod P). The carry-less product of two
 * reflected words comes out one bit short of its place, that is multiplied by x; so the constants
 * are of x^(d+63) and x^(d-1). Four blocks are folded at a time to hide the multiplier's latency;
 * what remains in the end, one block, is congruent to all that went in and goes through the tables
 * like any other 16 bytes. */
#include "crc.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define CRC_HAVE_PCLMUL 1
#endif

#define CRC_SHORT_END 256 /* bytes from which on folding is faster than the processor's CRC32C */
#define CRC_FOLD_MIN 128  /* bytes from which folding is faster than tables */

struct crc_kind {
	uint64_t polynomial; /* reflected, without the term x^W */
	unsigned width;	     /* W */
	uint64_t all;	     /* W ones */
	uint64_t table[8][256];
	uint64_t power[64];	     /* x^(2^n) mod P */
	uint64_t by512[2], by128[2]; /* folding constants: for the first half, for the second */
};

static struct crc_kind crc_kinds[3] = {
	[GML_CRC_32] = {.polynomial = 0xedb88320, .width = 32, .all = 0xffffffff},
	[GML_CRC_32C] = {.polynomial = 0x82f63b78, .width = 32, .all = 0xffffffff},
	[GML_CRC_64NVME] = {.polynomial = 0x9a6c9329ac4bc9b5, .width = 64, .all = ~(uint64_t)0},
};
static bool crc_folding, crc_instruction;

/* a * b mod P. */
static uint64_t crc_multiply(const struct crc_kind *kind, uint64_t a, uint64_t b)
{
	uint64_t product = 0;
	for (uint64_t bit = (uint64_t)1 << (kind->width - 1); bit != 0; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ kind->polynomial : b >> 1;
	}
	return product;
}

/* x^(n * 2^shift) mod P for any n: bits that the shift moves beyond the table are reached by
 * squaring on. */
static uint64_t crc_power(const struct crc_kind *kind, uint64_t n, unsigned shift)
{
	uint64_t result = (uint64_t)1 << (kind->width - 1), square;
	for (unsigned i = shift; n != 0 && i < 64; i++, n >>= 1)
		if (n & 1)
			result = crc_multiply(kind, result, kind->power[i]);
	for (square = kind->power[63]; n != 0; n >>= 1) {
		square = crc_multiply(kind, square, square);
		if (n & 1)
			result = crc_multiply(kind, result, square);
	}
	return result;
}

static void crc_prepare(struct crc_kind *kind)
{
	/* a narrow constant as the low powers of a 64-bit word */
	const unsigned lift = 64 - kind->width;
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ kind->polynomial : crc >> 1;
		kind->table[0][i] = crc;
	}
	for (unsigned t = 1; t < 8; t++)
		for (unsigned i = 0; i < 256; i++)
			kind->table[t][i] = kind->table[t - 1][i] >> 8 ^
					    kind->table[0][kind->table[t - 1][i] & 0xff];
	kind->power[0] = (uint64_t)1 << (kind->width - 2);
	for (unsigned i = 1; i < 64; i++)
		kind->power[i] = crc_multiply(kind, kind->power[i - 1], kind->power[i - 1]);
	kind->by512[0] = crc_power(kind, 512 + 63, 0) << lift;
	kind->by512[1] = crc_power(kind, 512 - 1, 0) << lift;
	kind->by128[0] = crc_power(kind, 128 + 63, 0) << lift;
	kind->by128[1] = crc_power(kind, 128 - 1, 0) << lift;
}

/* When the library is loaded: no call asks whether the tables are made. */
__attribute__((constructor)) static void crc_init(void)
{
	for (size_t i = 0; i < sizeof(crc_kinds) / sizeof(crc_kinds[0]); i++)
		crc_prepare(&crc_kinds[i]);
#ifdef CRC_HAVE_PCLMUL
	__builtin_cpu_init();
	crc_folding = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2");
	crc_instruction = __builtin_cpu_supports("sse4.2");
#endif
}

bool gml_crc_accelerated(void)
{
	return crc_folding;
}

static uint64_t crc_load(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* `state`: the CRC without its final xor. */
static uint64_t crc_table(const struct crc_kind *kind, uint64_t state, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word = state ^ crc_load(p);
		state = kind->table[7][word & 0xff] ^ kind->table[6][word >> 8 & 0xff] ^
			kind->table[5][word >> 16 & 0xff] ^ kind->table[4][word >> 24 & 0xff] ^
			kind->table[3][word >> 32 & 0xff] ^ kind->table[2][word >> 40 & 0xff] ^
			kind->table[1][word >> 48 & 0xff] ^ kind->table[0][word >> 56];
	}
	for (; len > 0; p++, len--)
		state = state >> 8 ^ kind->table[0][(state ^ *p) & 0xff];
	return state;
}

#ifdef CRC_HAVE_PCLMUL
__attribute__((target("pclmul,sse2"))) static inline __m128i crc_fold(__m128i block, __m128i by,
								      __m128i into)
{
	__m128i first = _mm_clmulepi64_si128(block, by, 0x00),
		second = _mm_clmulepi64_si128(block, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(first, second), into);
}

/* The processor's own CRC32C, 8 bytes in 3 cycles: for what is too short to be folded. */
__attribute__((target("sse4.2"))) static uint64_t crc_short(uint64_t state, const uint8_t *p,
							    size_t len)
{
	uint32_t four;
	uint16_t two;
	for (; len >= 8; p += 8, len -= 8)
		state = _mm_crc32_u64(state, crc_load(p));
	if (len & 4) {
		memcpy(&four, p, sizeof(four));
		state = _mm_crc32_u32((uint32_t)state, four);
		p += sizeof(four);
	}
	if (len & 2) {
		memcpy(&two, p, sizeof(two));
		state = _mm_crc32_u16((uint32_t)state, two);
		p += sizeof(two);
	}
	return len & 1 ? _mm_crc32_u8((uint32_t)state, *p) : state;
}

/* len is at least 64. */
__attribute__((target("pclmul,sse2"))) static uint64_t
crc_fold_all(const struct crc_kind *kind, uint64_t state, const uint8_t *p, size_t len)
{
	const __m128i by512 = _mm_loadu_si128((const __m128i *)kind->by512),
		      by128 = _mm_loadu_si128((const __m128i *)kind->by128);
	const __m128i *in = (const __m128i *)p;
	__m128i a = _mm_xor_si128(_mm_loadu_si128(in), _mm_cvtsi64_si128((long long)state));
	__m128i b = _mm_loadu_si128(in + 1), c = _mm_loadu_si128(in + 2),
		d = _mm_loadu_si128(in + 3);
	uint8_t rest[16];

	for (in += 4, len -= 64; len >= 64; in += 4, len -= 64) {
		a = crc_fold(a, by512, _mm_loadu_si128(in));
		b = crc_fold(b, by512, _mm_loadu_si128(in + 1));
		c = crc_fold(c, by512, _mm_loadu_si128(in + 2));
		d = crc_fold(d, by512, _mm_loadu_si128(in + 3));
	}
	a = crc_fold(crc_fold(crc_fold(a, by128, b), by128, c), by128, d);
	for (; len >= 16; in++, len -= 16)
		a = crc_fold(a, by128, _mm_loadu_si128(in));
	_mm_storeu_si128((__m128i *)rest, a);
	return crc_table(kind, crc_table(kind, 0, rest, sizeof(rest)), (const uint8_t *)in, len);
}
#endif

uint64_t gml_crc_update_table(enum gml_crc which, uint64_t crc, const void *buf, size_t len)
{
	const struct crc_kind *kind = &crc_kinds[which];
	return crc_table(kind, crc ^ kind->all, buf, len) ^ kind->all;
}

uint64_t gml_crc_update(enum gml_crc which, uint64_t crc, const void *buf, size_t len)
{
#ifdef CRC_HAVE_PCLMUL
	const struct crc_kind *kind = &crc_kinds[which];

	if (which == GML_CRC_32C && len < CRC_SHORT_END && crc_instruction)
		return crc_short(crc ^ kind->all, buf, len) ^ kind->all;
	if (len >= CRC_FOLD_MIN && crc_folding)
		return crc_fold_all(kind, crc ^ kind->all, buf, len) ^ kind->all;
#endif
	return gml_crc_update_table(which, crc, buf, len);
}

uint64_t gml_crc_combine(enum gml_crc which, uint64_t a, uint64_t b, uint64_t b_len)
{
	const struct crc_kind *kind = &crc_kinds[which];
	/* The initial value and the final xor cancel out: only a's remainder moves up, by 8 * b_len
	 * powers. */
	return crc_multiply(kind, crc_power(kind, b_len, 3), a) ^ b;
}
