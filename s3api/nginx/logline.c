/* The access log's line, and error log lines that keep signatures out.
 *
 * All values are printable ASCII: other bytes, quotes and backslashes are percent-encoded, so the line is valid JSON
 * whatever a client sends (nginx's own escape=json passes bytes >= 0x80 as they are). A key is also encoded where it
 * holds '%', and is thus unambiguous. */
#include "request.h"

enum {
	LINE_TARGET_MAX = 4096,
	LINE_AGENT_MAX = 512,
	LINE_FIXED = 768, /* names, numbers, and what the door itself chose: ids, operation, error code */
};

/* Query parameters whose values are secrets; compared without regard to case. */
static const ngx_str_t line_secrets[] = {
	ngx_string("x-amz-signature"),
	ngx_string("signature"),
	ngx_string("x-amz-security-token"),
};

/* Bytes that stay as they are: bit 0 in texts, bit 1 in names, where '%' and space are encoded as well. */
enum { LINE_TEXT = 1, LINE_NAME = 2 };
static const u_char line_plain[256] = {
	[' '] = LINE_TEXT, ['!'] = 3, ['#' ... '$'] = 3, ['%'] = LINE_TEXT, ['&' ... '['] = 3, [']' ... '~'] = 3,
};

static u_char *line_put(u_char *out, u_char c, unsigned kind)
{
	static const char hex[] = "0123456789ABCDEF";

	if (line_plain[c] & kind) {
		*out++ = c;
		return out;
	}
	*out++ = '%';
	*out++ = (u_char)hex[c >> 4];
	*out++ = (u_char)hex[c & 15];
	return out;
}

static int line_hex(u_char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool line_secret_name(const u_char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(line_secrets) / sizeof(line_secrets[0]); i++)
		if (len == line_secrets[i].len && ngx_strncasecmp((u_char *)name, line_secrets[i].data, len) == 0)
			return true;
	return false;
}

/* Is the parameter name [p, end), decoded, one of the secrets? */
static bool line_secret(const u_char *p, const u_char *end)
{
	u_char name[32];
	size_t n = 0;

	if (memchr(p, '%', (size_t)(end - p)) == NULL)
		return line_secret_name(p, (size_t)(end - p));
	while (p < end && n < sizeof(name)) {
		u_char c = *p++;

		if (c == '%' && end - p >= 2 && line_hex(p[0]) >= 0 && line_hex(p[1]) >= 0) {
			c = (u_char)(line_hex(p[0]) << 4 | line_hex(p[1]));
			p += 2;
		}
		name[n++] = c;
	}
	return p == end && line_secret_name(name, n);
}

/* As much of [p, end) as fits before limit. */
static u_char *line_put_all(u_char *out, const u_char *limit, const u_char *p, const u_char *end)
{
	while (p < end && limit - out >= 3) {
		const u_char *run = p, *stop = p + ngx_min(end - p, limit - out);

		while (run < stop && (line_plain[*run] & LINE_TEXT))
			run++;
		out = ngx_cpymem(out, p, (size_t)(run - p));
		p = run;
		if (p < end && limit - out >= 3)
			out = line_put(out, *p++, LINE_TEXT);
	}
	return out;
}

/* The raw target without secret values, at most cap bytes; returns the end. */
static u_char *line_redact(const ngx_str_t *target, u_char *out, size_t cap)
{
	const u_char *p = target->data, *end = p + target->len, *limit = out + cap, *next, *equals;
	const u_char *query = target->len > 0 ? memchr(p, '?', target->len) : NULL;

	if (query == NULL)
		return line_put_all(out, limit, p, end);
	out = line_put_all(out, limit, p, query + 1);
	for (p = query + 1; p < end; p = next) { /* one parameter with its '&' */
		next = memchr(p, '&', (size_t)(end - p));
		next = next != NULL ? next + 1 : end;
		equals = memchr(p, '=', (size_t)(next - p));
		if (equals == NULL || !line_secret(p, equals)) {
			out = line_put_all(out, limit, p, next);
			continue;
		}
		out = line_put_all(out, limit, p, equals + 1);
		if (next[-1] == '&')
			out = line_put_all(out, limit, next - 1, next);
	}
	return out;
}

/* ---- the access log's line ------------------------------------------------- */

/* What the call says about itself; all empty if there was none. */
static void line_info(ngx_http_request_t *r, struct s3_log_info *info)
{
	const struct gml_request *request = gml_request_get(r);

	ngx_memzero(info, sizeof(*info));
	if (request == NULL)
		return;
	if (request->flight != NULL && request->flight->call != NULL && !request->flight->busy)
		s3_call_log_info(request->flight->call, info);
	if (request->document.data != NULL)
		info->request_id = request->request_id;
}

static struct gml_span line_text(const char *text)
{
	return (struct gml_span){text, text != NULL ? ngx_strlen(text) : 0};
}

static struct gml_span line_agent(const ngx_http_request_t *r)
{
	const ngx_table_elt_t *agent = r->headers_in.user_agent;

	if (agent == NULL)
		return (struct gml_span){NULL, 0};
	return (struct gml_span){agent->value.data, ngx_min(agent->value.len, LINE_AGENT_MAX)};
}

static struct gml_span line_tls(const ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
	if (r->connection->ssl != NULL)
		return line_text((const char *)SSL_get_version(r->connection->ssl->connection));
#endif
	return (struct gml_span){NULL, 0};
}

/* ,"name":"value" */
static u_char *line_string(u_char *out, const char *name, struct gml_span value, unsigned kind)
{
	const u_char *p = value.ptr, *end = p + value.len;

	out = ngx_cpymem(out, ",\"", 2);
	out = ngx_cpymem(out, name, ngx_strlen(name));
	out = ngx_cpymem(out, "\":\"", 3);
	while (p < end)
		out = line_put(out, *p++, kind);
	*out++ = '"';
	return out;
}

static u_char *line_digits(u_char *out, uint64_t value)
{
	u_char text[20], *p = text + sizeof(text);

	do
		*--p = (u_char)('0' + value % 10);
	while ((value /= 10) != 0);
	return ngx_cpymem(out, p, (size_t)(text + sizeof(text) - p));
}

/* ,"name":number */
static u_char *line_number(u_char *out, const char *name, uint64_t value)
{
	out = ngx_cpymem(out, ",\"", 2);
	out = ngx_cpymem(out, name, ngx_strlen(name));
	out = ngx_cpymem(out, "\":", 2);
	return line_digits(out, value);
}

/* Seconds with three decimals. */
static u_char *line_seconds(u_char *out, uint64_t seconds, uint64_t ms)
{
	out = line_digits(out, seconds);
	*out++ = '.';
	*out++ = (u_char)('0' + ms / 100 % 10);
	*out++ = (u_char)('0' + ms / 10 % 10);
	*out++ = (u_char)('0' + ms % 10);
	return out;
}

static u_char *line_traffic(const ngx_http_request_t *r, u_char *out)
{
	off_t sent = r->connection->sent, body = sent - (off_t)r->header_size;
	const ngx_time_t *now = ngx_timeofday();
	ngx_msec_int_t ms = (ngx_msec_int_t)((now->sec - r->start_sec) * 1000 + (ngx_msec_int_t)now->msec -
					     (ngx_msec_int_t)r->start_msec);

	ms = ngx_max(ms, 0);
	out = line_number(out, "received", (uint64_t)r->request_length);
	out = line_number(out, "sent", (uint64_t)sent);
	out = line_number(out, "body_sent", (uint64_t)ngx_max(body, 0));
	out = ngx_cpymem(out, ",\"seconds\":", 11);
	return line_seconds(out, (uint64_t)ms / 1000, (uint64_t)ms % 1000);
}

static size_t line_room(const ngx_http_request_t *r, const struct s3_log_info *info, struct gml_span agent)
{
	return LINE_FIXED +
	       3 * (r->connection->addr_text.len + info->bucket.len + info->key.len + agent.len + r->method_name.len +
		    line_text(info->user).len) +
	       ngx_min(r->unparsed_uri.len * 3 + 3, LINE_TARGET_MAX);
}

static u_char *line_write(ngx_http_request_t *r, const struct s3_log_info *info, struct gml_span agent, u_char *out)
{
	const ngx_time_t *now = ngx_timeofday();

	out = ngx_cpymem(out, "{\"time\":", 8);
	out = line_seconds(out, (uint64_t)now->sec, now->msec);
	out = line_string(out, "request_id", line_text(info->request_id), LINE_TEXT);
	out = line_string(out, "peer", gml_request_span(&r->connection->addr_text), LINE_TEXT);
	out = line_string(out, "user", line_text(info->user), LINE_NAME);
	out = line_string(out, "operation", line_text(info->operation), LINE_TEXT);
	out = line_string(out, "bucket", info->bucket, LINE_NAME);
	out = line_string(out, "key", info->key, LINE_NAME);
	out = line_string(out, "method", gml_request_span(&r->method_name), LINE_TEXT);
	out = ngx_cpymem(out, ",\"target\":\"", 11);
	out = line_redact(&r->unparsed_uri, out, ngx_min(r->unparsed_uri.len * 3 + 3, LINE_TARGET_MAX));
	*out++ = '"';
	out = line_number(out, "status", r->headers_out.status);
	out = line_string(out, "error", line_text(info->error_code), LINE_TEXT);
	out = line_traffic(r, out);
	out = line_string(out, "agent", agent, LINE_TEXT);
	out = line_string(out, "tls", line_tls(r), LINE_TEXT);
	*out++ = '}';
	return out;
}

static ngx_int_t line_get(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
	struct gml_span agent = line_agent(r);
	struct s3_log_info info;

	(void)data;
	line_info(r, &info);
	v->data = ngx_pnalloc(r->pool, line_room(r, &info, agent));
	if (v->data == NULL)
		return NGX_ERROR;
	v->len = (unsigned)(line_write(r, &info, agent, v->data) - v->data);
	v->valid = 1;
	v->no_cacheable = 0;
	v->not_found = 0;
	return NGX_OK;
}

ngx_int_t gml_logline_install(ngx_conf_t *cf)
{
	static ngx_str_t name = ngx_string("gemel_line");
	ngx_http_variable_t *v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);

	if (v == NULL)
		return NGX_ERROR;
	v->get_handler = line_get;
	return NGX_OK;
}

/* ---- the error log's line -------------------------------------------------- */

/* Tail of an error log line; nginx's own prints the whole request line and the referrer. */
static u_char *line_error(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf, size_t len)
{
	static const char head[] = ", request: \"", middle[] = " ", tail[] = "\"";
	u_char *end = buf + len;

	(void)sr;
	if (r->unparsed_uri.len == 0 || len < sizeof(head) + r->method_name.len + sizeof(tail) + 64)
		return buf;
	buf = ngx_cpymem(buf, head, sizeof(head) - 1);
	buf = ngx_cpymem(buf, r->method_name.data, r->method_name.len);
	buf = ngx_cpymem(buf, middle, sizeof(middle) - 1);
	buf = line_redact(&r->unparsed_uri, buf, (size_t)(end - buf) - sizeof(tail));
	return ngx_cpymem(buf, tail, sizeof(tail) - 1);
}

ngx_int_t gml_logline_post_read(ngx_http_request_t *r)
{
	r->log_handler = line_error;
	return NGX_DECLINED;
}
