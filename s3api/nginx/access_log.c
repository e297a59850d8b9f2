// SPDX-License-Identifier: Apache-2.0
/* The line of the access log, and error log lines without signatures.
 *
 * The line is one JSON object: time, request_id, peer, user, access_key, auth ("header" or "query":
 * where the signature was), operation, bucket, key, method, target, status, error, problem (what
 * was received instead of a request), received, sent, body_sent, seconds, agent, tls. A field
 * without a value is left out.
 *
 * All values are printable ASCII: other bytes, quotes and backslashes are percent-encoded, so the
 * line is valid JSON whatever a client sends (nginx's own escape=json passes bytes >= 0x80 as they
 * are). A key is also encoded where it holds '%', and is thus unambiguous. */
#include "request.h"
#include "s3api/proto/log_text.h"

enum {
	LINE_TARGET_MAX = 4096,
	LINE_AGENT_MAX = 512,
	LINE_FIXED = 896, /* names, numbers, and values of our own: ids, operation, error code */
};

/* ---- the access log's line ------------------------------------------------- */

/* The fields of the call; all empty if there was none. */
static void line_info(ngx_http_request_t *r, struct s3_log_info *info)
{
	const struct gml_request *request = gml_request_get(r);
	ngx_memzero(info, sizeof(*info));
	if (request == NULL)
		return;
	if (request->task != NULL && request->task->call != NULL && !request->task->busy)
		s3_call_log_info(request->task->call, info);
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

#define LINE_LIT(text) text, sizeof(text) - 1
#define LINE_PUT(out, text) ngx_cpymem(out, text, sizeof(text) - 1)

/* head: ,"name":" */
static inline u_char *line_string(u_char *out, const char *head, size_t head_len,
				  struct gml_span value, enum s3_log_kind kind)
{
	if (value.len == 0)
		return out;
	out = ngx_cpymem(out, head, head_len);
	out = s3_log_text(out, out + 3 * value.len, value, kind);
	*out++ = '"';
	return out;
}

/* The same for a value that needs no encoding: one of our own, or a user's name. */
static inline u_char *line_own(u_char *out, const char *head, size_t head_len,
			       struct gml_span value)
{
	if (value.len == 0)
		return out;
	out = ngx_cpymem(out, head, head_len);
	out = ngx_cpymem(out, value.ptr, value.len);
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

/* head: ,"name": */
static inline u_char *line_number(u_char *out, const char *head, size_t head_len, uint64_t value)
{
	return line_digits(ngx_cpymem(out, head, head_len), value);
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
	ngx_msec_int_t ms =
		(ngx_msec_int_t)((now->sec - r->start_sec) * 1000 + (ngx_msec_int_t)now->msec -
				 (ngx_msec_int_t)r->start_msec);

	ms = ngx_max(ms, 0);
	out = line_number(out, LINE_LIT(",\"received\":"), (uint64_t)r->request_length);
	out = line_number(out, LINE_LIT(",\"sent\":"), (uint64_t)sent);
	out = line_number(out, LINE_LIT(",\"body_sent\":"), (uint64_t)ngx_max(body, 0));
	out = LINE_PUT(out, ",\"seconds\":");
	return line_seconds(out, (uint64_t)ms / 1000, (uint64_t)ms % 1000);
}

static size_t line_target_max(const ngx_str_t *target)
{
	return ngx_min(3 * target->len, LINE_TARGET_MAX);
}

static size_t line_room(const ngx_http_request_t *r, const struct s3_log_info *info,
			struct gml_span agent)
{
	return LINE_FIXED + line_target_max(&r->unparsed_uri) +
	       3 * (r->connection->addr_text.len + line_text(info->user).len +
		    info->access_key.len + info->bucket.len + info->key.len + r->method_name.len +
		    agent.len);
}

static u_char *line_write(ngx_http_request_t *r, const struct s3_log_info *info,
			  struct gml_span agent, u_char *out)
{
	const ngx_time_t *now = ngx_timeofday();
	out = LINE_PUT(out, "{\"time\":");
	out = line_seconds(out, (uint64_t)now->sec, now->msec);
	out = line_own(out, LINE_LIT(",\"request_id\":\""), line_text(info->request_id));
	out = line_own(out, LINE_LIT(",\"peer\":\""), gml_request_span(&r->connection->addr_text));
	out = line_own(out, LINE_LIT(",\"user\":\""), line_text(info->user));
	out = line_string(out, LINE_LIT(",\"access_key\":\""), info->access_key, S3_LOG_NAME);
	out = line_own(out, LINE_LIT(",\"auth\":\""), line_text(info->auth));
	out = line_own(out, LINE_LIT(",\"operation\":\""), line_text(info->operation));
	out = line_string(out, LINE_LIT(",\"bucket\":\""), info->bucket, S3_LOG_NAME);
	out = line_string(out, LINE_LIT(",\"key\":\""), info->key, S3_LOG_NAME);
	out = line_string(out, LINE_LIT(",\"method\":\""), gml_request_span(&r->method_name),
			  S3_LOG_TEXT);
	if (r->unparsed_uri.len > 0) {
		out = LINE_PUT(out, ",\"target\":\"");
		out = s3_log_target(out, line_target_max(&r->unparsed_uri),
				    gml_request_span(&r->unparsed_uri));
		*out++ = '"';
	}
	out = line_number(out, LINE_LIT(",\"status\":"), r->headers_out.status);
	out = line_own(out, LINE_LIT(",\"error\":\""), line_text(info->error_code));
	out = line_own(out, LINE_LIT(",\"problem\":\""), line_text(gml_request_problem(r)));
	out = line_traffic(r, out);
	out = line_string(out, LINE_LIT(",\"agent\":\""), agent, S3_LOG_TEXT);
	out = line_own(out, LINE_LIT(",\"tls\":\""), line_tls(r));
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

ngx_int_t gml_access_log_install(ngx_conf_t *cf)
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
	buf = s3_log_target(buf, (size_t)(end - buf) - sizeof(tail),
			    gml_request_span(&r->unparsed_uri));
	return ngx_cpymem(buf, tail, sizeof(tail) - 1);
}

ngx_int_t gml_access_log_post_read(ngx_http_request_t *r)
{
	r->log_handler = line_error;
	return NGX_DECLINED;
}
