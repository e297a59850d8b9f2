// SPDX-License-Identifier: Apache-2.0
/* Checksums: known values, tables against the accelerated path, splits, combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gemel/checksum.h>
#include "gateway/base/crc.h"

#define BUF_LEN 100000u

static const struct {
	int algorithm;
	const char *name;
	size_t size;
	const char *empty, *check, *alphabet; /* of "", "123456789", and a-z */
} kinds[] = {
	{GML_CHECKSUM_CRC32, "CRC32", 4, "00000000", "cbf43926", "4c2750bd"},
	{GML_CHECKSUM_CRC32C, "CRC32C", 4, "00000000", "e3069283", "9ee6ef25"},
	{GML_CHECKSUM_CRC64NVME, "CRC64NVME", 8, "0000000000000000", "ae8b14860a799888", NULL},
	{GML_CHECKSUM_SHA1, "SHA1", 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	 "f7c3bc1d808e04732adf679965ccc34ca7ae3441", "32d10c7b8cf96570ca04ce37f2a19d84240d3a89"},
	{GML_CHECKSUM_SHA256, "SHA256", 32,
	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	 "71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73"},
	{GML_DIGEST_MD5, NULL, 16, "d41d8cd98f00b204e9800998ecf8427e",
	 "25f9e794323b453885f5181f1b624d0b", "c3fcd3d76192e4007dfb496cca67e13b"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void hex(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static size_t digest(int algorithm, const void *buf, size_t len, uint8_t out[32])
{
	struct gml_digest *d = gml_digest_new(algorithm);
	size_t size;
	assert_non_null(d);
	gml_digest_update(d, buf, len);
	size = gml_digest_final(d, out);
	gml_digest_free(d);
	return size;
}

static void test_known(void **state)
{
	const char *const inputs[] = {"", "123456789", "abcdefghijklmnopqrstuvwxyz"};
	for (size_t i = 0; i < KINDS; i++) {
		const char *const expected[] = {kinds[i].empty, kinds[i].check, kinds[i].alphabet};
		for (size_t j = 0; j < 3; j++) {
			uint8_t out[32];
			char text[65];
			assert_int_equal(
				digest(kinds[i].algorithm, inputs[j], strlen(inputs[j]), out),
				kinds[i].size);
			hex(out, kinds[i].size, text);
			if (expected[j] != NULL)
				assert_string_equal(text, expected[j]);
		}
	}
	assert_null(gml_digest_new(GML_CHECKSUM_NONE));
	assert_null(gml_digest_new(99));
	assert_null(gml_digest_new(-1));
	gml_digest_free(NULL);
}

static void test_names(void **state)
{
	for (size_t i = 0; i < KINDS; i++) {
		enum gml_checksum algorithm = (enum gml_checksum)kinds[i].algorithm;
		if (kinds[i].name == NULL)
			continue;
		assert_int_equal(gml_checksum_size(algorithm), kinds[i].size);
		assert_string_equal(gml_checksum_name(algorithm), kinds[i].name);
		assert_int_equal(gml_checksum_by_name(
					 (struct gml_span){kinds[i].name, strlen(kinds[i].name)}),
				 algorithm);
	}
	assert_int_equal(gml_checksum_by_name((struct gml_span){"crc64nvme", 9}),
			 GML_CHECKSUM_CRC64NVME);
	assert_int_equal(gml_checksum_by_name((struct gml_span){"crc64nvm", 8}), GML_CHECKSUM_NONE);
	assert_int_equal(gml_checksum_by_name((struct gml_span){NULL, 0}), GML_CHECKSUM_NONE);
	assert_int_equal(gml_checksum_size((enum gml_checksum)99), 0);
	assert_int_equal(gml_checksum_size(GML_CHECKSUM_NONE), 0);
	assert_null(gml_checksum_name(GML_CHECKSUM_NONE));
	assert_null(gml_checksum_name((enum gml_checksum)99));
}

static uint8_t *random_bytes(void)
{
	uint8_t *buf = malloc(BUF_LEN);
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < BUF_LEN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf[i] = (uint8_t)x;
	}
	return buf;
}

/* One bit at a time: the definition. */
static uint64_t slow_crc(uint64_t polynomial, uint64_t all, const uint8_t *buf, size_t len)
{
	uint64_t crc = all;
	for (size_t i = 0; i < len; i++) {
		crc ^= buf[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
	}
	return crc ^ all;
}

/* All lengths around the steps of the engines, at all alignments, from an odd starting value. */
static void test_engines(void **state)
{
	static const uint64_t polynomials[3] = {0xedb88320, 0x82f63b78, 0x9a6c9329ac4bc9b5},
			      all[3] = {UINT32_MAX, UINT32_MAX, UINT64_MAX};
	uint8_t *buf = random_bytes();
	for (int kind = 0; kind < 3; kind++) {
		for (size_t len = 0; len < 700; len++) {
			const uint8_t *at = buf + len % 19;
			uint64_t start = gml_crc_update((enum gml_crc)kind, 0, buf, 13 + len % 7);
			uint64_t slow = slow_crc(polynomials[kind], all[kind], at, len);
			assert_true(gml_crc_update((enum gml_crc)kind, 0, at, len) == slow);
			assert_true(gml_crc_update_table((enum gml_crc)kind, 0, at, len) == slow);
			assert_true(gml_crc_update((enum gml_crc)kind, start, at, len) ==
				    gml_crc_update_table((enum gml_crc)kind, start, at, len));
		}
		assert_true(gml_crc_update((enum gml_crc)kind, 0, buf, BUF_LEN) ==
			    gml_crc_update_table((enum gml_crc)kind, 0, buf, BUF_LEN));
		/* Exactly sized memory, so that ASan sees a read behind the end. */
		for (size_t len = 100; len < 300; len++) {
			uint8_t *exact = malloc(len);
			memcpy(exact, buf, len);
			assert_true(gml_crc_update((enum gml_crc)kind, 0, exact, len) ==
				    gml_crc_update_table((enum gml_crc)kind, 0, buf, len));
			free(exact);
		}
	}
	free(buf);
	printf("accelerated: %s\n", gml_crc_accelerated() ? "yes" : "no");
}

static void test_splits(void **state)
{
	uint8_t *buf = random_bytes();
	unsigned seed = 7;
	for (size_t i = 0; i < KINDS; i++) {
		uint8_t whole[32], parts[32];
		assert_int_equal(digest(kinds[i].algorithm, buf, BUF_LEN, whole), kinds[i].size);
		for (int round = 0; round < 30; round++) {
			struct gml_digest *d = gml_digest_new(kinds[i].algorithm);
			for (size_t at = 0; at < BUF_LEN;) {
				size_t len = (size_t)rand_r(&seed) % (round < 15 ? 300 : 20000);
				if (len > BUF_LEN - at)
					len = BUF_LEN - at;
				gml_digest_update(d, buf + at, len);
				at += len;
			}
			assert_int_equal(gml_digest_final(d, parts), kinds[i].size);
			assert_memory_equal(whole, parts, kinds[i].size);
			gml_digest_free(d);
		}
	}
	free(buf);
}

static void test_sha256(void **state)
{
	uint8_t *buf = random_bytes(), out[32], expected[32];
	for (size_t len = 0; len < 2400; len++) {
		gml_sha256(buf, len, out);
		assert_int_equal(digest(GML_CHECKSUM_SHA256, buf, len, expected), 32);
		assert_memory_equal(out, expected, 32);
	}
	free(buf);
}

/* A CRC goes on after its value was read; a hash does not and says so. */
static void test_final(void **state)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct gml_digest *d = gml_digest_new(kinds[i].algorithm);
		uint8_t out[32], expected[32];
		gml_digest_update(d, "1234", 4);
		assert_int_equal(gml_digest_final(d, out), kinds[i].size);
		gml_digest_update(d, "56789", 5);
		if (kinds[i].size <= 8) {
			digest(kinds[i].algorithm, "123456789", 9, expected);
			assert_int_equal(gml_digest_final(d, out), kinds[i].size);
			assert_memory_equal(out, expected, kinds[i].size);
		} else {
			assert_int_equal(gml_digest_final(d, out), 0);
		}
		gml_digest_free(d);
	}
}

static void test_combine(void **state)
{
	uint8_t *buf = random_bytes();
	unsigned seed = 3;
	for (size_t i = 0; i < 3; i++) {
		enum gml_checksum algorithm = (enum gml_checksum)kinds[i].algorithm;
		uint8_t whole[32], a[32], b[32];
		for (int round = 0; round < 200; round++) {
			size_t len = (size_t)rand_r(&seed) % BUF_LEN,
			       cut = round == 0	  ? 0
				     : round == 1 ? len
						  : (size_t)rand_r(&seed) % (len + 1);
			digest(algorithm, buf, len, whole);
			digest(algorithm, buf, cut, a);
			digest(algorithm, buf + cut, len - cut, b);
			assert_int_equal(gml_checksum_combine(algorithm, a, b, len - cut), 0);
			assert_memory_equal(a, whole, kinds[i].size);
		}
		/* Long ones, by the law that joining is associative: (a b) c = a (b c) with lengths
		 * near the ends of 64 bits. */
		for (int round = 0; round < 50; round++) {
			uint64_t b_len = (uint64_t)1 << (round % 63),
				 c_len = ((uint64_t)1 << 62) - (uint64_t)round;
			uint8_t left[8], right[8], c[8] = {9, 8, 7, 6, 5, 4, 3, (uint8_t)round};
			memset(left, round, sizeof(left));
			memset(right, 0x5a, sizeof(right));
			memcpy(a, left, 8);
			memcpy(b, right, 8);
			gml_checksum_combine(algorithm, a, b, b_len);
			gml_checksum_combine(algorithm, a, c, c_len);
			gml_checksum_combine(algorithm, b, c, c_len);
			gml_checksum_combine(algorithm, left, b, b_len + c_len);
			assert_memory_equal(a, left, kinds[i].size);
		}
	}
	for (size_t i = 3; i < KINDS; i++) {
		uint8_t a[32] = {0}, b[32] = {0};
		assert_int_equal(
			gml_checksum_combine((enum gml_checksum)kinds[i].algorithm, a, b, 1),
			GML_ERR_INVAL);
	}
	assert_int_equal(gml_checksum_combine(GML_CHECKSUM_NONE, buf, buf, 1), GML_ERR_INVAL);
	free(buf);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_engines), cmocka_unit_test(test_splits),
		cmocka_unit_test(test_sha256),	cmocka_unit_test(test_final),
		cmocka_unit_test(test_combine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
