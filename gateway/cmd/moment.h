// SPDX-License-Identifier: Apache-2.0
/* Moments as people write them, in ns since the epoch. */
#ifndef GEMEL_CMD_MOMENT_H
#define GEMEL_CMD_MOMENT_H

#include <stdint.h>

int64_t moment_now(void);
/* "2027-01-31" and "2027-01-31T12:00:00Z", in UTC; "90d", "12h", "30m" and "45s" from now on.
 * CMD_OK, or CMD_USAGE after printing what is wrong with the value of `option`. */
int moment_parse(const char *option, const char *text, int64_t *ns_out);

#endif
