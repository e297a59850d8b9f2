// SPDX-License-Identifier: Apache-2.0
#include "log_text.h"
#include "auth/sigv4.h"
#include "gateway/base/percent.h"
#include "gateway/base/span.h"

#define LOG_PARAM_MAX 32 /* bytes of a name; those that sign are shorter */

/* Bytes that stay as they are: masks of enum s3_log_kind. */
static const uint8_t log_plain[256] = {
	[' '] = S3_LOG_TEXT, ['!'] = 3,		['#' ... '$'] = 3,
	['%'] = S3_LOG_TEXT, ['&' ... '['] = 3, [']' ... '~'] = 3,
};

unsigned char *s3_log_text(unsigned char *out, const unsigned char *limit, struct gml_span text,
			   enum s3_log_kind kind)
{
	const unsigned char *p = text.ptr, *end = p + text.len;
	while (p < end) {
		const unsigned char *run = p,
				    *stop = p + (end - p < limit - out ? end - p : limit - out);
		while (stop - run >= 4 && (log_plain[run[0]] & log_plain[run[1]] &
					   log_plain[run[2]] & log_plain[run[3]] & kind))
			run += 4;
		while (run < stop && (log_plain[*run] & kind))
			run++;
		memcpy(out, p, (size_t)(run - p));
		out += run - p;
		p = run;
		if (p == end || limit - out < 3)
			break;
		gml_percent_escape(*p++, (char *)out);
		out += 3;
	}
	return out;
}

/* Is the parameter name, decoded, one that signs? (auth_parse takes no escaped one for it.) */
static bool log_param_signs(struct gml_span raw)
{
	char name[LOG_PARAM_MAX];
	size_t n = 0;
	if (auth_param_signs(raw))
		return true;
	if (gml_span_find(raw, '%') == raw.len)
		return false;
	while (raw.len > 0 && n < sizeof(name))
		name[n++] = (char)gml_percent_take(&raw, false);
	return raw.len == 0 && auth_param_signs(gml_span_of(name, n));
}

unsigned char *s3_log_target(unsigned char *out, size_t cap, struct gml_span target)
{
	const unsigned char *limit = out + cap;
	size_t path = gml_span_find(target, '?');
	struct gml_span query = gml_span_from(target, path);
	char separator = '?';
	out = s3_log_text(out, limit, gml_span_of(target.ptr, path), S3_LOG_TEXT);
	/* One parameter at a time, with what separates it from the one before, while anything
	 * fits. */
	while (query.len > 0 && limit - out >= 3) {
		struct gml_span rest = gml_span_from(query, 1);
		struct gml_span param = gml_span_of(rest.ptr, gml_span_find(rest, '&'));
		query = gml_span_from(rest, param.len);
		if (log_param_signs(gml_span_of(param.ptr, gml_span_find(param, '='))))
			continue;
		*out++ = (unsigned char)separator;
		separator = '&';
		out = s3_log_text(out, limit, param, S3_LOG_TEXT);
	}
	return out;
}
