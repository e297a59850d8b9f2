// SPDX-License-Identifier: Apache-2.0
/* Block checksums of content: the CRC32C of each GML_SUM_BLOCK bytes of a blob as its file has
 * them, of the last block as long as it is. docs/adr/0009-checksums-of-content.md says where they
 * are kept. */
#ifndef GML_DATA_SUMS_H
#define GML_DATA_SUMS_H

#include "blob.h"

#define GML_SUM_BLOCK 65536 /* bytes */
_Static_assert(GML_PACK_SEGMENT_MAX <= GML_SUM_BLOCK, "a segment is one block");

/* Checksums of bytes that come one after the other. Zeros: of none yet. One thread at a time. */
struct gml_sums {
	uint32_t *sums; /* of the blocks that are whole, and of the last one after gml_sums_end */
	size_t count, cap;
	uint32_t crc, fill; /* of the block that is being filled, and how many bytes it has */
};

/* Number of blocks of `size` bytes. Pure. */
static inline uint64_t gml_sums_blocks(uint64_t size)
{
	return size / GML_SUM_BLOCK + (size % GML_SUM_BLOCK != 0);
}
/* Bytes of block `block` of `size` bytes. Pure. */
static inline size_t gml_sums_block_len(uint64_t size, uint64_t block)
{
	uint64_t rest = size - block * GML_SUM_BLOCK;
	gml_assert(block < gml_sums_blocks(size));
	return rest < GML_SUM_BLOCK ? (size_t)rest : GML_SUM_BLOCK;
}
/* The next `len` bytes. NOMEM: the checksums are lost, release them. Does not block. */
int gml_sums_add(struct gml_sums *sums, const void *buf, size_t len);
/* No more bytes come: takes the last block in. NOMEM. */
int gml_sums_end(struct gml_sums *sums);
/* Frees what it holds; zeros. */
void gml_sums_release(struct gml_sums *sums);
/* CRC32C of `len` bytes, as blocks have it. Pure. */
uint32_t gml_sum_of(const void *buf, size_t len);
/* That of `len` zeros (0..GML_SUM_BLOCK). Pure; any thread. */
uint32_t gml_sum_of_zeros(size_t len);

/* Are the bytes `off`.. `off + len` of the file in a hole, before the file's end? *data is where
 * the next data begins as far as is known; 0 at first. False is always right. Any thread. May block
 * on disk. */
bool gml_blob_in_hole(struct gml_blob *blob, uint64_t off, size_t len, uint64_t *data);
/* Checksum of bytes `off`.. `off + len` of a blob, as they are now. `buf` holds `len` bytes, at
 * most GML_SUM_BLOCK, and holds them afterwards. Errors: CORRUPT, the file ends before; those of
 * gml_blob_read. Any thread. Blocks on disk. */
int gml_blob_sum(struct gml_blob *blob, uint64_t id, uint64_t off, size_t len, void *buf,
		 uint32_t *sum_out);

#endif
