// SPDX-License-Identifier: Apache-2.0
/* Assertions for our own bugs, never for input, disks or other processes.
 *
 * On in the test library (GML_TESTING: unit tests, crash, fault and fuzz programs): a failed one is
 * printed and the program aborts, unless a test has set the hook. Off in the installed library: the
 * condition is compiled and not evaluated, so it must have no side effects; the code behind an
 * assertion refuses what it can (INVAL) and is safe without it. */
#ifndef GML_BASE_ASSERT_H
#define GML_BASE_ASSERT_H

#include <stdbool.h>

#ifdef GML_TESTING
/* Called instead of the abort, when set; for tests that make a bug on purpose. `text` is the
 * condition; static storage. Returns to the code behind the assertion. Any thread. */
extern void (*gml_assert_hook)(const char *file, int line, const char *text);
void gml_assert_failed(const char *file, int line, const char *text);
#define gml_assert(cond) ((cond) ? (void)0 : gml_assert_failed(__FILE__, __LINE__, #cond))
/* Whether this thread runs a closure of gml_meta_update; the engines' common code sets it. */
extern _Thread_local bool gml_in_closure;
#define gml_assert_outside_closures() gml_assert(!gml_in_closure)
#else
#define gml_assert(cond) ((void)sizeof((cond) ? 1 : 0))
#define gml_assert_outside_closures() ((void)0)
#endif

#endif
