// SPDX-License-Identifier: Apache-2.0
#include "auth/canonical.h"

#include <string.h>
#include <strings.h>
#include "gateway/base/assert.h"
#include "gateway/base/percent.h"

/* ---- sink ---- */

void auth_sink_init(struct auth_sink *sink, struct auth_digest *digest, struct gml_buf out)
{
	sink->digest = digest;
	sink->out = out.len > 0 ? out.ptr : NULL;
	sink->cap = out.len;
	sink->len = 0;
	sink->staged = 0;
	if (sink->out != NULL)
		sink->out[0] = '\0';
}

void auth_sink_flush(struct auth_sink *sink)
{
	size_t fits;
	gml_assert(sink->out == NULL || sink->len < sink->cap); /* the last byte is NUL */
	auth_digest_update(sink->digest, sink->stage, sink->staged);
	if (sink->out != NULL) {
		fits = sink->cap - 1 - sink->len;
		if (fits > sink->staged)
			fits = sink->staged;
		memcpy(sink->out + sink->len, sink->stage, fits);
		sink->len += fits;
		sink->out[sink->len] = '\0';
	}
	sink->staged = 0;
}

void auth_sink_put(struct auth_sink *sink, const void *buf, size_t len)
{
	const char *from = buf;
	gml_assert(sink->staged < sizeof(sink->stage)); /* a full stage has been flushed */
	/* Of nothing, buf may be NULL. */
	if (len == 0)
		return;
	if (len < sizeof(sink->stage) - sink->staged) {
		memcpy(sink->stage + sink->staged, from, len);
		sink->staged += len;
		return;
	}
	do {
		size_t run = sizeof(sink->stage) - sink->staged;
		if (run > len)
			run = len;
		memcpy(sink->stage + sink->staged, from, run);
		sink->staged += run;
		from += run;
		len -= run;
		if (sink->staged == sizeof(sink->stage))
			auth_sink_flush(sink);
	} while (len > 0);
}

void auth_sink_span(struct auth_sink *sink, struct gml_span span)
{
	auth_sink_put(sink, span.ptr, span.len);
}

void auth_sink_char(struct auth_sink *sink, char c)
{
	gml_assert(sink->staged < sizeof(sink->stage));
	sink->stage[sink->staged++] = c;
	if (sink->staged == sizeof(sink->stage))
		auth_sink_flush(sink);
}

/* ---- percent coding ---- */

static bool canonical_unreserved(unsigned char c)
{
	return gml_percent_class[c] & GML_PERCENT_UNRESERVED;
}

/* Is "%XX" how the canonical form writes that byte? */
static bool canonical_escape(const char *text, uint8_t same)
{
	unsigned char c;
	return gml_unhex(text + 1, 1, &c) && text[1] == gml_hex_digit_upper(c >> 4) &&
	       text[2] == gml_hex_digit_upper(c & 15) && !(gml_percent_class[c] & same);
}

int auth_decode(struct gml_span raw, bool plus, char *out, size_t cap)
{
	size_t len = 0;
	while (raw.len > 0) {
		if (len == cap || len == INT32_MAX)
			return -1;
		out[len++] = (char)gml_percent_take(&raw, plus);
	}
	return (int)len;
}

/* Length of the run at the start of `raw` that is in its canonical form already. */
static size_t canonical_run(struct gml_span raw, uint8_t same)
{
	const unsigned char *p = (const unsigned char *)raw.ptr, *end = p + raw.len;
	for (;;) {
		while (end - p >= 4 && (gml_percent_class[p[0]] & gml_percent_class[p[1]] &
					gml_percent_class[p[2]] & gml_percent_class[p[3]] & same))
			p += 4;
		while (p < end && (gml_percent_class[*p] & same))
			p++;
		if (end - p < 3 || *p != '%' || !canonical_escape((const char *)p, same))
			return raw.len - (size_t)(end - p);
		p += 3;
	}
}

static void canonical_encode(struct auth_sink *sink, struct gml_span raw, bool plus, bool slash)
{
	const uint8_t same = GML_PERCENT_UNRESERVED | (slash ? GML_PERCENT_SLASH : 0);
	while (raw.len > 0) {
		size_t plain = canonical_run(raw, same);
		auth_sink_put(sink, raw.ptr, plain);
		raw = gml_span_from(raw, plain);
		if (raw.len > 0) {
			unsigned char c = gml_percent_take(&raw, plus);
			char escape[3];
			gml_percent_escape(c, escape);
			if (gml_percent_class[c] & same)
				auth_sink_char(sink, (char)c);
			else
				auth_sink_put(sink, escape, 3);
		}
	}
}

void auth_canonical_path(struct auth_sink *sink, struct gml_span path)
{
	if (path.len == 0)
		auth_sink_char(sink, '/');
	else
		canonical_encode(sink, path, AUTH_PATH_PLUS, true);
}

/* ---- query ---- */

int auth_query_split(struct gml_span query, struct auth_param params[AUTH_PARAMS_MAX])
{
	const char *p = query.ptr, *end;
	size_t n = 0;
	if (query.len == 0)
		return 0;
	end = p + query.len;
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp != NULL ? amp : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p));
		if (stop > p) {
			if (n == AUTH_PARAMS_MAX)
				return -1;
			params[n].name = gml_span_of(p, (size_t)((eq != NULL ? eq : stop) - p));
			params[n].value = eq != NULL ? gml_span_of(eq + 1, (size_t)(stop - eq - 1))
						     : gml_span_of(stop, 0);
			n++;
		}
		p = amp != NULL ? amp + 1 : end;
	}
	return (int)n;
}

int auth_query_params(const struct auth_request *request, struct auth_param params[AUTH_PARAMS_MAX])
{
	if (request->params == NULL)
		return auth_query_split(request->query, params);
	if (request->nparams > AUTH_PARAMS_MAX)
		return -1;
	memcpy(params, request->params, request->nparams * sizeof(*params));
	return (int)request->nparams;
}

/* Rank of a decoded byte in the order of encoded text: all that is escaped begins with '%', which
 * sorts before every unreserved character; escapes sort by value. */
static int canonical_rank(unsigned char c)
{
	return canonical_unreserved(c) ? 256 + c : c;
}

static int canonical_compare(struct gml_span a, struct gml_span b)
{
	const char *p = a.ptr, *q = b.ptr;
	size_t same = 0, len = a.len < b.len ? a.len : b.len;
	while (same < len && p[same] == q[same] && p[same] != '%')
		same++;
	a = gml_span_from(a, same);
	b = gml_span_from(b, same);
	while (a.len > 0 && b.len > 0) {
		int rank_a = canonical_rank(gml_percent_take(&a, true)),
		    rank_b = canonical_rank(gml_percent_take(&b, true));

		if (rank_a != rank_b)
			return rank_a < rank_b ? -1 : 1;
	}
	return (a.len > 0) - (b.len > 0);
}

static int canonical_param_compare(const struct auth_param *left, const struct auth_param *right)
{
	int order = canonical_compare(left->name, right->name);
	return order != 0 ? order : canonical_compare(left->value, right->value);
}

/* By binary insertion: clients send them in order, or nearly so. Few are out of place. */
static void canonical_sort(struct auth_param *params, size_t nparams)
{
	for (size_t i = 1; i < nparams; i++) {
		struct auth_param param = params[i];
		size_t low = 0, high = i - 1;
		if (canonical_param_compare(&params[i - 1], &param) <= 0)
			continue;
		while (low < high) {
			size_t middle = (low + high) / 2;
			if (canonical_param_compare(&params[middle], &param) <= 0)
				low = middle + 1;
			else
				high = middle;
		}
		memmove(params + low + 1, params + low, (i - low) * sizeof(*params));
		params[low] = param;
	}
}

void auth_canonical_query(struct auth_sink *sink, struct auth_param *params, size_t nparams,
			  struct gml_span skip)
{
	size_t kept = 0;
	for (size_t i = 0; i < nparams; i++)
		if (skip.len == 0 || !gml_span_equal(params[i].name, skip))
			params[kept++] = params[i];
	canonical_sort(params, kept);
	for (size_t i = 0; i < kept; i++) {
		gml_assert(i == 0 || canonical_param_compare(&params[i - 1], &params[i]) <= 0);
		if (i > 0)
			auth_sink_char(sink, '&');
		canonical_encode(sink, params[i].name, true, false);
		auth_sink_char(sink, '=');
		canonical_encode(sink, params[i].value, true, false);
	}
}

/* ---- headers ---- */

/* A value without outer white space, runs of spaces inside made one. */
static void canonical_value(struct auth_sink *sink, struct gml_span value)
{
	value = gml_span_trim(value);
	while (value.len > 0) {
		size_t space = gml_span_find(value, ' ');
		size_t run = space < value.len ? space + 1 : space;
		gml_assert(run > 0); /* else this never ends */
		auth_sink_put(sink, value.ptr, run);
		while (run < value.len && gml_span_at(value, run) == ' ')
			run++;
		value = gml_span_from(value, run);
	}
}

void auth_canonical_header(struct auth_sink *sink, const struct auth_request *request,
			   struct gml_span name)
{
	bool first = true;
	auth_sink_span(sink, name);
	auth_sink_char(sink, ':');
	for (size_t i = 0; i < request->nheaders; i++) {
		if (!gml_span_equal_nocase(request->headers[i].name, name))
			continue;
		if (!first)
			auth_sink_char(sink, ',');
		first = false;
		canonical_value(sink, request->headers[i].value);
	}
	auth_sink_char(sink, '\n');
}

bool auth_signed_next(struct gml_span *list, struct gml_span *name_out)
{
	const char *p = list->ptr, *end = p + list->len, *stop, *escape;
	size_t skip = 1;
	if (list->len == 0)
		return false;
	stop = memchr(p, ';', list->len);
	if (stop == NULL) {
		stop = end;
		skip = 0;
	}
	for (escape = p; (escape = memchr(escape, '%', (size_t)(stop - escape))) != NULL; escape++)
		if (end - escape >= 3 && escape[1] == '3' &&
		    (escape[2] == 'B' || escape[2] == 'b')) {
			stop = escape;
			skip = 3;
			break;
		}
	gml_assert((size_t)(end - stop) >= skip);
	*name_out = gml_span_of(p, (size_t)(stop - p));
	*list = gml_span_of(stop + skip, (size_t)(end - stop) - skip);
	return true;
}

const struct gml_http_header *auth_header_find(const struct auth_request *request,
					       struct gml_span name, size_t *count_out)
{
	const struct gml_http_header *found = NULL;
	size_t count = 0;
	for (size_t i = 0; i < request->nheaders; i++) {
		if (!gml_span_equal_nocase(request->headers[i].name, name))
			continue;
		if (found == NULL)
			found = &request->headers[i];
		count++;
	}
	if (count_out != NULL)
		*count_out = count;
	return found;
}
