// SPDX-License-Identifier: Apache-2.0
/* Lines for the host's log. */
#ifndef GML_BASE_LOG_H
#define GML_BASE_LOG_H

#include <stdarg.h>
#include <gemel/op.h>

#define GML_LOG_LINE 512 /* bytes of a line, with NUL; what is longer is cut */

/* Hands one line to `log`; NULL: nothing happens. Any thread. Blocking: as the host's function. */
void gml_log_line(gml_log_fn log, void *log_arg, enum gml_log_level level, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void gml_log_va(gml_log_fn log, void *log_arg, enum gml_log_level level, const char *format,
		va_list args) __attribute__((format(printf, 4, 0)));

#endif
