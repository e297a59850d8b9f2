// SPDX-License-Identifier: Apache-2.0
#include "assert.h"

#ifdef GML_ASSERT
#include <stdio.h>
#include <stdlib.h>

void (*gml_assert_hook)(const char *file, int line, const char *text);
_Thread_local bool gml_in_closure;

void gml_assert_failed(const char *file, int line, const char *text)
{
	if (gml_assert_hook != NULL) {
		gml_assert_hook(file, line, text);
		return;
	}
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
	abort();
}
#else
typedef int gml_assert_is_off; /* a translation unit is not empty */
#endif
