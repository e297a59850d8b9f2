// SPDX-License-Identifier: Apache-2.0
/* The three CRCs of S3: reflected, initial value and final xor all ones. Values are what the
 * algorithm's definition prints ("123456789": cbf43926, e3069283, ae8b14860a799888). Pure, any
 * thread, no blocking; tables are made at first use. */
#ifndef GML_BASE_CRC_H
#define GML_BASE_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gml_crc { GML_CRC_32, GML_CRC_32C, GML_CRC_64NVME };

/* CRC of what `crc` covers followed by buf; begin with 0. Uses carry-less multiplication where the
 * processor has it. */
uint64_t gml_crc_update(enum gml_crc kind, uint64_t crc, const void *buf, size_t len);
/* The same by tables alone: what other processors use, and what tests compare with. */
uint64_t gml_crc_update_table(enum gml_crc kind, uint64_t crc, const void *buf, size_t len);
/* crc(A || B) from crc(A), crc(B) and B's length in bytes. O(log b_len). */
uint64_t gml_crc_combine(enum gml_crc kind, uint64_t a, uint64_t b, uint64_t b_len);
/* Whether gml_crc_update has more than tables on this machine. */
bool gml_crc_accelerated(void);

#endif
