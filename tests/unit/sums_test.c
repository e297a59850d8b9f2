// SPDX-License-Identifier: Apache-2.0
/* Block checksums of bytes that come in pieces, and of blobs. */
#include "data_support.h"
#include "gateway/base/crc.h"

/* Bit by bit, after the definition of CRC-32C (RFC 3720 B.4 has that of 32 zeros, bytes aa 36 91
 * 8a). */
static uint32_t slow_crc(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static uint8_t *noise(size_t len)
{
	uint8_t *bytes = malloc(len + 1);
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	return bytes;
}

static void test_the_algorithm(void **state)
{
	static const uint8_t zeros[32];
	uint8_t *bytes = noise(GML_SUM_BLOCK);
	(void)state;
	assert_int_equal(gml_sum_of(zeros, 32), 0x8a9136aa);
	assert_int_equal(gml_sum_of("123456789", 9), 0xe3069283);
	for (size_t len = 0; len < 300; len++)
		assert_int_equal(gml_sum_of(bytes, len), slow_crc(bytes, len));
	assert_int_equal(gml_sum_of(bytes, GML_SUM_BLOCK), slow_crc(bytes, GML_SUM_BLOCK));
	memset(bytes, 0, GML_SUM_BLOCK);
	for (size_t i = 0; i < 3; i++) {
		static const size_t lens[] = {0, 4097, GML_SUM_BLOCK};
		assert_int_equal(gml_sum_of_zeros(lens[i]), slow_crc(bytes, lens[i]));
	}
	free(bytes);
}

/* Whatever the pieces, each block has the checksum of its bytes; sizes around every boundary. */
static void test_sizes_and_pieces(void **state)
{
	static const size_t steps[] = {1000, 65535, 65536, 65537, 300000};
	uint8_t *bytes = noise(4 * GML_SUM_BLOCK);
	(void)state;
	for (size_t around = 0; around <= 3 * GML_SUM_BLOCK; around += GML_SUM_BLOCK) {
		for (size_t size = around == 0 ? 0 : around - 1; size <= around + 1; size++) {
			for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
				struct gml_sums sums = {0};
				for (size_t at = 0; at < size; at += steps[s])
					assert_int_equal(gml_sums_add(&sums, bytes + at,
								      size - at < steps[s]
									      ? size - at
									      : steps[s]),
							 0);
				assert_int_equal(gml_sums_end(&sums), 0);
				assert_int_equal(sums.count, gml_sums_blocks(size));
				for (size_t i = 0; i < sums.count; i++)
					assert_int_equal(sums.sums[i],
							 slow_crc(bytes + i * GML_SUM_BLOCK,
								  gml_sums_block_len(size, i)));
				gml_sums_release(&sums);
				assert_null(sums.sums);
			}
		}
	}
	free(bytes);
}

static void test_of_a_blob(void **state)
{
	struct world *w = *state;
	uint8_t *bytes = noise(GML_SUM_BLOCK), *back = malloc(GML_SUM_BLOCK);
	struct iovec iov = {bytes, GML_SUM_BLOCK};
	struct gml_blob *blob;
	uint64_t id;
	uint32_t sum;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(gml_blob_write(blob, 100, &iov, 1), 0);
	assert_int_equal(gml_blob_sum(blob, id, 100, GML_SUM_BLOCK, back, &sum), 0);
	assert_int_equal(sum, gml_sum_of(bytes, GML_SUM_BLOCK));
	assert_memory_equal(back, bytes, GML_SUM_BLOCK);
	assert_int_equal(gml_blob_sum(blob, id, 101, GML_SUM_BLOCK, back, &sum), GML_ERR_CORRUPT);
	gml_blob_unref(blob);
	assert_int_equal(gml_pack_append(w->data, bytes, 5000, &id, &pack_sum), 0);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), 0);
	assert_int_equal(gml_blob_sum(blob, id, 0, 5000, back, &sum), 0);
	assert_int_equal(sum, pack_sum);
	gml_blob_unref(blob);
	free(bytes);
	free(back);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_algorithm),
		cmocka_unit_test(test_sizes_and_pieces),
		T(test_of_a_blob),
	};

	return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
