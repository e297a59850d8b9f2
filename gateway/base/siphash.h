// SPDX-License-Identifier: Apache-2.0
/* SipHash-2-4: a keyed hash of short messages that nobody can make without the key. */
#ifndef GML_BASE_SIPHASH_H
#define GML_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { GML_SIPHASH_KEY = 16 };

/* 64 bits. Allocates nothing; about 20 ns for 24 bytes. Any thread. */
uint64_t gml_siphash(const uint8_t key[GML_SIPHASH_KEY], const void *data, size_t len);

#endif
