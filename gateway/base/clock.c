// SPDX-License-Identifier: Apache-2.0
#include "clock.h"
#include <time.h>
#include "assert.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec at;
	clock_gettime(id, &at);
	return (int64_t)at.tv_sec * GML_NS_PER_S + at.tv_nsec;
}

int64_t gml_now(void)
{
	return clock_ns(CLOCK_REALTIME_COARSE);
}

int64_t gml_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t gml_change_next(uint64_t last)
{
	int64_t now = clock_ns(CLOCK_REALTIME);
	gml_assert(last < UINT64_MAX); /* a change attribute only grows */
	return now > 0 && (uint64_t)now > last ? (uint64_t)now : last + 1;
}
