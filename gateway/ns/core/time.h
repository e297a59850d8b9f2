// SPDX-License-Identifier: Apache-2.0
/* The clock, and change attributes made from it. */
#ifndef GML_NS_CORE_TIME_H
#define GML_NS_CORE_TIME_H

#include <stdint.h>

int64_t gml_now(void);			 /* ns since the epoch */
uint64_t gml_change_next(uint64_t last); /* max(last + 1, now) */

#endif
