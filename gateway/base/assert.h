// SPDX-License-Identifier: Apache-2.0
/* Assertions for our own bugs, never for input, disks or other processes.
 *
 * On (GML_ASSERT) in the test library, which the programs of tests/ link, and, with configure
 * --enable-tests, in all that is installed: the servers of the integration tests run with them. A
 * failed one is printed and the process aborts, unless a test has set the hook.
 *
 * Off in production, which is configured without --enable-tests: the condition is compiled and not
 * evaluated, so it costs nothing and must have no side effects. The code after an assertion
 * refuses what it can (INVAL) and is safe without it. */
#ifndef GML_BASE_ASSERT_H
#define GML_BASE_ASSERT_H

#include <stdbool.h>

#ifdef GML_ASSERT
#pragma GCC visibility push(default) /* of libgemel, for the plugin of ganesha */
/* Called instead of the abort, when set; for tests that make a bug on purpose. `text` is the
 * condition; static storage. Returns to the code after the assertion. Any thread. */
extern void (*gml_assert_hook)(const char *file, int line, const char *text);
#ifdef __clang_analyzer__ /* it need not follow what no production build refuses */
#define GML_ASSERT_ENDS __attribute__((analyzer_noreturn))
#else
#define GML_ASSERT_ENDS
#endif
void gml_assert_failed(const char *file, int line, const char *text)
	__attribute__((cold)) GML_ASSERT_ENDS;
#pragma GCC visibility pop
#define gml_assert(cond) ((cond) ? (void)0 : gml_assert_failed(__FILE__, __LINE__, #cond))
/* Whether this thread runs a closure of gml_meta_update; the engines' common code sets it. */
extern _Thread_local bool gml_in_closure;
#define gml_assert_outside_closures() gml_assert(!gml_in_closure)
#define gml_assert_inside_closure() gml_assert(gml_in_closure)
#else
#define gml_assert(cond) ((void)sizeof((cond) ? 1 : 0))
#define gml_assert_outside_closures() ((void)0)
#define gml_assert_inside_closure() ((void)0)
#endif

#endif
