// SPDX-License-Identifier: Apache-2.0
/* Clocks. Times are nanoseconds. Pure but for the clock; any thread; no blocking. */
#ifndef GML_BASE_CLOCK_H
#define GML_BASE_CLOCK_H

#include <stdint.h>

#define GML_NS_PER_S ((int64_t)1000000000)

/* Since the epoch, from the kernel's coarse clock, because the kernel stamps the write blobs with
 * it: a file's record and its write blob then agree, and a write never seems older than the create
 * before it. */
int64_t gml_now(void);
/* Since some moment that stays the same until the machine starts again; never goes back. For
 * intervals and time limits. */
int64_t gml_monotonic(void);
/* The change attribute that follows `last`: max(last + 1, now), from the fine clock, so that a
 * change after the last step of a change counter, within the same tick, still exceeds it. */
uint64_t gml_change_next(uint64_t last);

#endif
