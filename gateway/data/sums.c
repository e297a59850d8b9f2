// SPDX-License-Identifier: Apache-2.0
/* Block checksums of content. */
#include <pthread.h>
#include <stdlib.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/crc.h"
#include "sums.h"

uint32_t gml_sum_of(const void *buf, size_t len)
{
	return (uint32_t)gml_crc_update(GML_CRC_32C, 0, buf, len);
}

static pthread_once_t sums_once = PTHREAD_ONCE_INIT;
static uint32_t sums_zero_block;

static const uint8_t sums_zeros[4096];

static uint32_t sums_add_zeros(uint32_t crc, size_t len)
{
	for (; len > sizeof(sums_zeros); len -= sizeof(sums_zeros))
		crc = (uint32_t)gml_crc_update(GML_CRC_32C, crc, sums_zeros, sizeof(sums_zeros));
	return (uint32_t)gml_crc_update(GML_CRC_32C, crc, sums_zeros, len);
}

static void sums_zero_init(void)
{
	sums_zero_block = sums_add_zeros(0, GML_SUM_BLOCK);
}

uint32_t gml_sum_of_zeros(size_t len)
{
	gml_assert(len <= GML_SUM_BLOCK);
	pthread_once(&sums_once, sums_zero_init);
	return len == GML_SUM_BLOCK ? sums_zero_block : sums_add_zeros(0, len);
}

static int sums_push(struct gml_sums *sums)
{
	gml_assert(sums->fill > 0 && sums->fill <= GML_SUM_BLOCK);
	if (sums->count == sums->cap) {
		size_t cap = sums->cap != 0 ? sums->cap * 2 : 16;
		uint32_t *grown = reallocarray(sums->sums, cap, sizeof(*grown));
		if (grown == NULL)
			return GML_ERR_NOMEM;
		sums->sums = grown;
		sums->cap = cap;
	}
	sums->sums[sums->count++] = sums->crc;
	sums->crc = 0;
	sums->fill = 0;
	return 0;
}

int gml_sums_add(struct gml_sums *sums, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	int rc = 0;
	while (rc == 0 && len > 0) {
		size_t step = GML_SUM_BLOCK - sums->fill;
		if (step > len)
			step = len;
		sums->crc = (uint32_t)gml_crc_update(GML_CRC_32C, sums->crc, p, step);
		sums->fill += (uint32_t)step;
		p += step;
		len -= step;
		if (sums->fill == GML_SUM_BLOCK)
			rc = sums_push(sums);
	}
	return rc;
}

int gml_sums_end(struct gml_sums *sums)
{
	return sums->fill > 0 ? sums_push(sums) : 0;
}

void gml_sums_release(struct gml_sums *sums)
{
	free(sums->sums);
	*sums = (struct gml_sums){0};
}

bool gml_blob_in_hole(struct gml_blob *blob, uint64_t off, size_t len, uint64_t *data)
{
	bool reaches = false;
	if (*data < off + len) {
		int rc = gml_blob_seek(blob, false, off, data);
		if (rc == GML_ERR_NXIO) /* none up to the end */
			*data = UINT64_MAX;
		else if (rc != 0)
			*data = 0;
	}
	return *data >= off + len && gml_blob_reaches(blob, off + len, &reaches) == 0 && reaches;
}

int gml_blob_sum(struct gml_blob *blob, uint64_t id, uint64_t off, size_t len, void *buf,
		 uint32_t *sum_out)
{
	size_t got;
	int rc = gml_blob_read(blob, id, off, buf, len, &got);
	gml_assert(len > 0 && len <= GML_SUM_BLOCK); /* of one block */
	if (rc == 0 && got != len)
		rc = GML_ERR_CORRUPT;
	if (rc == 0)
		*sum_out = gml_sum_of(buf, len);
	return rc;
}
