/* Variables for the access log, and error log lines that keep signatures out.
 *
 * All values are printable ASCII: other bytes, quotes and backslashes are percent-encoded, so log_format's escape=json
 * makes valid JSON of hostile names too (it passes bytes >= 0x80 as they are). A key is also encoded where it holds
 * '%', and is thus unambiguous. */
#include "request.h"

enum { LOGVAR_TARGET_MAX = 4096 };

enum logvar_what {
	LOGVAR_OPERATION,
	LOGVAR_BUCKET,
	LOGVAR_KEY,
	LOGVAR_ERROR,
	LOGVAR_REQUEST_ID,
	LOGVAR_USER,
	LOGVAR_TARGET,
	LOGVAR_AGENT,
	LOGVAR_STATUS
};

/* Query parameters whose values are secrets; compared without regard to case. */
static const ngx_str_t logvar_secrets[] = {
	ngx_string("x-amz-signature"),
	ngx_string("signature"),
	ngx_string("x-amz-security-token"),
};

/* Bytes that stay as they are, one bit each. In names '%' and space are encoded as well. */
static const uint32_t logvar_plain_text[8] = {0, 0xfffffffb, 0xefffffff, 0x7fffffff};
static const uint32_t logvar_plain_name[8] = {0, 0xffffffda, 0xefffffff, 0x7fffffff};

static bool logvar_plain(u_char c, bool percent)
{
	const uint32_t *set = percent ? logvar_plain_name : logvar_plain_text;

	return (set[c >> 5] >> (c & 31) & 1) != 0;
}

static u_char *logvar_put(u_char *out, u_char c, bool percent)
{
	static const char hex[] = "0123456789ABCDEF";

	if (logvar_plain(c, percent)) {
		*out++ = c;
		return out;
	}
	*out++ = '%';
	*out++ = (u_char)hex[c >> 4];
	*out++ = (u_char)hex[c & 15];
	return out;
}

/* Into r->pool. */
static ngx_int_t logvar_encode(ngx_http_request_t *r, struct gml_span raw, bool percent, ngx_str_t *out)
{
	const u_char *p = raw.ptr;
	size_t i;
	u_char *to;

	out->len = 0;
	out->data = (u_char *)"";
	if (raw.len == 0)
		return NGX_OK;
	out->data = to = ngx_pnalloc(r->pool, raw.len * 3);
	if (to == NULL)
		return NGX_ERROR;
	for (i = 0; i < raw.len; i++)
		to = logvar_put(to, p[i], percent);
	out->len = (size_t)(to - out->data);
	return NGX_OK;
}

static int logvar_hex(u_char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is the parameter name [p, end), decoded, one of the secrets? */
static bool logvar_secret(const u_char *p, const u_char *end)
{
	u_char name[32];
	size_t n = 0, i;

	while (p < end && n < sizeof(name)) {
		u_char c = *p++;

		if (c == '%' && end - p >= 2 && logvar_hex(p[0]) >= 0 && logvar_hex(p[1]) >= 0) {
			c = (u_char)(logvar_hex(p[0]) << 4 | logvar_hex(p[1]));
			p += 2;
		}
		name[n++] = c;
	}
	if (p < end)
		return false;
	for (i = 0; i < sizeof(logvar_secrets) / sizeof(logvar_secrets[0]); i++)
		if (n == logvar_secrets[i].len && ngx_strncasecmp(name, logvar_secrets[i].data, n) == 0)
			return true;
	return false;
}

static u_char *logvar_put_all(u_char *out, const u_char *limit, const u_char *p, const u_char *end)
{
	while (p < end && limit - out >= 3) {
		if (logvar_plain(*p, false))
			*out++ = *p++;
		else
			out = logvar_put(out, *p++, false);
	}
	return out;
}

/* The raw target without secret values, at most cap bytes; returns the end. */
static u_char *logvar_redact(const ngx_str_t *target, u_char *out, size_t cap)
{
	const u_char *p = target->data, *end = p + target->len, *limit = out + cap, *next, *equals;
	const u_char *query = target->len > 0 ? memchr(p, '?', target->len) : NULL;

	if (query == NULL)
		return logvar_put_all(out, limit, p, end);
	out = logvar_put_all(out, limit, p, query + 1);
	for (p = query + 1; p < end; p = next) { /* one parameter with its '&' */
		next = memchr(p, '&', (size_t)(end - p));
		next = next != NULL ? next + 1 : end;
		equals = memchr(p, '=', (size_t)(next - p));
		if (equals == NULL || !logvar_secret(p, equals)) {
			out = logvar_put_all(out, limit, p, next);
			continue;
		}
		out = logvar_put_all(out, limit, p, equals + 1);
		if (next[-1] == '&')
			out = logvar_put_all(out, limit, next - 1, next);
	}
	return out;
}

static ngx_int_t logvar_target(ngx_http_request_t *r, ngx_str_t *out)
{
	size_t cap = ngx_min(r->unparsed_uri.len * 3 + 3, LOGVAR_TARGET_MAX);

	out->data = ngx_pnalloc(r->pool, cap);
	if (out->data == NULL)
		return NGX_ERROR;
	out->len = (size_t)(logvar_redact(&r->unparsed_uri, out->data, cap) - out->data);
	return NGX_OK;
}

static struct gml_span logvar_text(const char *text)
{
	return (struct gml_span){text, text != NULL ? ngx_strlen(text) : 0};
}

/* What the call says about itself; false: there was none. */
static bool logvar_info(ngx_http_request_t *r, struct s3_log_info *info)
{
	const struct gml_request *request = gml_request_get(r);

	ngx_memzero(info, sizeof(*info));
	if (request == NULL)
		return false;
	if (request->flight != NULL && request->flight->call != NULL && !request->flight->busy)
		s3_call_log_info(request->flight->call, info);
	if (request->document.data != NULL)
		info->request_id = request->request_id;
	return true;
}

static ngx_int_t logvar_status(ngx_http_request_t *r, ngx_str_t *out)
{
	out->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
	if (out->data == NULL)
		return NGX_ERROR;
	out->len = (size_t)(ngx_sprintf(out->data, "%ui", r->headers_out.status) - out->data);
	return NGX_OK;
}

static ngx_int_t logvar_agent(ngx_http_request_t *r, ngx_str_t *out)
{
	struct gml_span agent = {NULL, 0};

	if (r->headers_in.user_agent != NULL) {
		agent.ptr = r->headers_in.user_agent->value.data;
		agent.len = ngx_min(r->headers_in.user_agent->value.len, 512);
	}
	return logvar_encode(r, agent, false, out);
}

static ngx_int_t logvar_value(ngx_http_request_t *r, enum logvar_what what, ngx_str_t *out)
{
	struct s3_log_info info;

	if (what == LOGVAR_TARGET)
		return logvar_target(r, out);
	if (what == LOGVAR_STATUS)
		return logvar_status(r, out);
	if (what == LOGVAR_AGENT)
		return logvar_agent(r, out);
	(void)logvar_info(r, &info);
	switch (what) {
	case LOGVAR_OPERATION:
		return logvar_encode(r, logvar_text(info.operation), false, out);
	case LOGVAR_BUCKET:
		return logvar_encode(r, info.bucket, true, out);
	case LOGVAR_KEY:
		return logvar_encode(r, info.key, true, out);
	case LOGVAR_ERROR:
		return logvar_encode(r, logvar_text(info.error_code), false, out);
	case LOGVAR_REQUEST_ID:
		return logvar_encode(r, logvar_text(info.request_id), false, out);
	case LOGVAR_USER:
		return logvar_encode(r, logvar_text(info.user), true, out);
	case LOGVAR_TARGET:
	case LOGVAR_AGENT:
	case LOGVAR_STATUS:
		break;
	}
	return NGX_ERROR;
}

static ngx_int_t logvar_get(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t what)
{
	ngx_str_t value;

	if (logvar_value(r, (enum logvar_what)what, &value) != NGX_OK)
		return NGX_ERROR;
	v->data = value.data;
	v->len = (unsigned)value.len;
	v->valid = 1;
	v->no_cacheable = 0;
	v->not_found = 0;
	return NGX_OK;
}

static ngx_http_variable_t logvar_table[] = {
	{ngx_string("gemel_operation"), NULL, logvar_get, LOGVAR_OPERATION, 0, 0},
	{ngx_string("gemel_bucket"), NULL, logvar_get, LOGVAR_BUCKET, 0, 0},
	{ngx_string("gemel_key_escaped"), NULL, logvar_get, LOGVAR_KEY, 0, 0},
	{ngx_string("gemel_error"), NULL, logvar_get, LOGVAR_ERROR, 0, 0},
	{ngx_string("gemel_request_id"), NULL, logvar_get, LOGVAR_REQUEST_ID, 0, 0},
	{ngx_string("gemel_user"), NULL, logvar_get, LOGVAR_USER, 0, 0},
	{ngx_string("gemel_target"), NULL, logvar_get, LOGVAR_TARGET, 0, 0},
	{ngx_string("gemel_user_agent"), NULL, logvar_get, LOGVAR_AGENT, 0, 0},
	{ngx_string("gemel_status"), NULL, logvar_get, LOGVAR_STATUS, 0, 0},
};

ngx_int_t gml_logvar_install(ngx_conf_t *cf)
{
	size_t i;

	for (i = 0; i < sizeof(logvar_table) / sizeof(logvar_table[0]); i++) {
		ngx_http_variable_t *v = ngx_http_add_variable(cf, &logvar_table[i].name, logvar_table[i].flags);

		if (v == NULL)
			return NGX_ERROR;
		v->get_handler = logvar_table[i].get_handler;
		v->data = logvar_table[i].data;
	}
	return NGX_OK;
}

/* Tail of an error log line; nginx's own prints the whole request line and the referrer. */
static u_char *logvar_error_line(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf, size_t len)
{
	static const char head[] = ", request: \"", middle[] = " ", tail[] = "\"";
	u_char *end = buf + len;

	(void)sr;
	if (r->unparsed_uri.len == 0 || len < sizeof(head) + r->method_name.len + sizeof(tail) + 64)
		return buf;
	buf = ngx_cpymem(buf, head, sizeof(head) - 1);
	buf = ngx_cpymem(buf, r->method_name.data, r->method_name.len);
	buf = ngx_cpymem(buf, middle, sizeof(middle) - 1);
	buf = logvar_redact(&r->unparsed_uri, buf, (size_t)(end - buf) - sizeof(tail));
	return ngx_cpymem(buf, tail, sizeof(tail) - 1);
}

ngx_int_t gml_logvar_post_read(ngx_http_request_t *r)
{
	r->log_handler = logvar_error_line;
	return NGX_DECLINED;
}
