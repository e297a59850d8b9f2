// SPDX-License-Identifier: Apache-2.0
#include "uri.h"

#include <arpa/inet.h>
#include "gateway/base/assert.h"
#include "gateway/base/percent.h"
#include "gateway/base/span.h"

/* `raw` decoded into text, which moves on. plus: there may be one. False: malformed escape. */
static bool uri_param_text(struct gml_span raw, bool plus, char **text, struct gml_span *out)
{
	long len = gml_percent_decode(raw, plus, *text);
	if (len < 0)
		return false;
	gml_assert((size_t)len <= raw.len); /* all of them together fit where the query does */
	*out = gml_span_of(*text, (size_t)len);
	*text += len;
	return true;
}

/* Most parameters stand for themselves, name and value. */
static bool uri_param_decode(const struct auth_param *raw, bool plus, char **text,
			     struct s3_param *out)
{
	const char *p = raw->name.ptr;
	size_t len = (size_t)(gml_span_chars(raw->value) + raw->value.len - p);
	if (gml_percent_plain(p, len, plus) < len)
		return uri_param_text(raw->name, plus, text, &out->name) &&
		       uri_param_text(raw->value, plus, text, &out->value);
	out->name = raw->name;
	out->value = raw->value;
	return true;
}

int s3_uri_query(struct gml_span query, char *text, struct s3_param *params, struct auth_param *raw,
		 int max)
{
	struct auth_param split[AUTH_PARAMS_MAX];
	int n = auth_query_split(query, split);
	bool plus = gml_span_find(query, '+') < query.len;
	if (n > max)
		return -1;
	for (int i = 0; i < n; i++) {
		if (!uri_param_decode(&split[i], plus, &text, &params[i]))
			return -1;
		if (split[i].value.ptr == gml_span_chars(split[i].name) + split[i].name.len)
			params[i].value.ptr = NULL; /* no '=' */
	}
	if (raw && n > 0)
		memcpy(raw, split, (size_t)n * sizeof(*raw));
	return n;
}

/* Without the port; an IPv6 literal keeps its brackets. */
static struct gml_span uri_host_name(struct gml_span host)
{
	const char *p = host.ptr;
	size_t len = host.len;
	while (len > 0 && p[len - 1] >= '0' && p[len - 1] <= '9')
		len--;
	if (len > 0 && p[len - 1] == ':')
		host.len = len - 1;
	if (host.len > 0 && p[host.len - 1] == '.') /* the root's dot */
		host.len--;
	return host;
}

/* Dotted IPv4, or IPv6 in brackets. */
static bool uri_is_address(struct gml_span name)
{
	const char *p = name.ptr;
	bool v6 = name.len > 2 && p[0] == '[' && p[name.len - 1] == ']';
	char text[INET6_ADDRSTRLEN];
	uint8_t raw[16];
	if (v6) {
		name = gml_span_of(p + 1, name.len - 2);
		name.len = gml_span_find(name, '%'); /* a zone has a meaning for its sender only */
	}
	if (name.len >= sizeof(text) || gml_span_find(name, 0) < name.len)
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, raw) == 1;
}

enum s3_host s3_uri_host(struct gml_span host, const char *const *domains,
			 struct gml_span *bucket_out)
{
	struct gml_span name = uri_host_name(host);
	enum s3_host found = S3_HOST_UNKNOWN;
	size_t best = 0;
	if (name.len == 0)
		return host.len == 0 ? S3_HOST_SERVER : S3_HOST_UNKNOWN;
	if (uri_is_address(name))
		return S3_HOST_SERVER;
	for (; domains && *domains; domains++) {
		size_t len = strlen(*domains);
		const char *tail;
		if (len == 0 || len < best || name.len < len)
			continue;
		tail = (const char *)name.ptr + (name.len - len);
		if (strncasecmp(tail, *domains, len) != 0)
			continue;
		if (name.len == len) {
			found = S3_HOST_SERVER;
			best = len;
		} else if (name.len > len + 1 && tail[-1] == '.') {
			found = S3_HOST_BUCKET;
			*bucket_out = gml_span_of(name.ptr, name.len - len - 1);
			best = len;
		}
	}
	return found;
}
