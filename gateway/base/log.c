// SPDX-License-Identifier: Apache-2.0
#include "log.h"
#include <stdio.h>

void gml_log_va(gml_log_fn log, void *log_arg, enum gml_log_level level, const char *format,
		va_list args)
{
	char line[GML_LOG_LINE];
	if (log == NULL)
		return;
	vsnprintf(line, sizeof(line), format, args);
	log(log_arg, level, line);
}

void gml_log_line(gml_log_fn log, void *log_arg, enum gml_log_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	gml_log_va(log, log_arg, level, format, args);
	va_end(args);
}
