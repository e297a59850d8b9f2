// SPDX-License-Identifier: Apache-2.0
/* Clocks.
 *
 * Times come from the kernel's coarse clock, because the kernel stamps the write blobs with it: a
 * file's record and its write blob then agree, and a write never seems older than the create before
 * it. */
#include <time.h>
#include "time.h"

int64_t gml_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The fine clock: a change after the last advance of a change counter, within the same tick, must
 * still exceed it. */
uint64_t gml_change_next(uint64_t last)
{
	struct timespec fine;
	int64_t now;
	clock_gettime(CLOCK_REALTIME, &fine);
	now = (int64_t)fine.tv_sec * 1000000000 + fine.tv_nsec;
	return now > 0 && (uint64_t)now > last ? (uint64_t)now : last + 1;
}
