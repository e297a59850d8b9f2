// SPDX-License-Identifier: Apache-2.0
/* Forked children of tests. */
#ifndef GML_TESTS_CHILD_SUPPORT_H
#define GML_TESTS_CHILD_SUPPORT_H

#include <unistd.h>

/* Waits to be killed by the test. Ends by itself when the test has died: a child that stays holds
 * the store's locks and whatever the test inherited. */
__attribute__((noreturn)) static inline void child_until_killed(void)
{
	pid_t parent = getppid();
	while (getppid() == parent)
		sleep(1);
	_exit(1);
}

#endif
