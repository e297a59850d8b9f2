// SPDX-License-Identifier: Apache-2.0
/* A fuzz target is one function over one input. libFuzzer calls it with --enable-fuzz; replay.c
 * calls it with the committed corpus in `make check`. A target aborts when a property does not
 * hold: FUZZ_CHECK. It must not print, and must be done in milliseconds. */
#ifndef GML_TESTS_FUZZ_H
#define GML_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
