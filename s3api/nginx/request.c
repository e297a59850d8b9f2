// SPDX-License-Identifier: Apache-2.0
/* One request: make a call from nginx's parsed header, and perform its steps. */
#include "request.h"

struct gml_request *gml_request_get(ngx_http_request_t *r)
{
	return ngx_http_get_module_ctx(r, ngx_http_gemel_module);
}

struct gml_request *gml_request_make(ngx_http_request_t *r)
{
	struct gml_request *request = gml_request_get(r);
	if (request != NULL)
		return request;
	request = ngx_pcalloc(r->pool, sizeof(*request));
	if (request == NULL)
		return NULL;
	request->r = r;
	ngx_http_set_ctx(r, request, ngx_http_gemel_module);
	return request;
}

/* nginx strips spaces around values, but not tabs. */
static struct gml_span request_trim(const ngx_str_t *s)
{
	const u_char *p = s->data, *end = s->data + s->len;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct gml_span){p, (size_t)(end - p)};
}

/* The host and port of an absolute target, which count instead of the Host header (RFC 9112 3.2.2).
 * Empty: another form. */
static struct gml_span request_authority(const ngx_http_request_t *r)
{
	const u_char *end = r->port_end != NULL ? r->port_end : r->host_end;
	if (r->host_start == NULL || end == NULL)
		return (struct gml_span){NULL, 0};
	return (struct gml_span){r->host_start, (size_t)(end - r->host_start)};
}

/* All headers in the order sent, duplicates included. If the target names a host, the Host header
 * gets that value: then the signed host and the host that names a bucket are the same. */
static struct gml_http_header *request_headers(ngx_http_request_t *r, size_t *n_out)
{
	struct gml_span authority = request_authority(r);
	ngx_list_part_t *part;
	struct gml_http_header *headers;
	bool host = false;
	size_t n = 0;
	ngx_uint_t i;

	for (part = &r->headers_in.headers.part; part != NULL; part = part->next)
		n += part->nelts;
	headers = ngx_palloc(r->pool, (n + 2) * sizeof(*headers));
	if (headers == NULL)
		return NULL;
	n = 0;
	for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
		ngx_table_elt_t *elts = part->elts;

		for (i = 0; i < part->nelts; i++, n++) {
			headers[n].name = gml_request_span(&elts[i].key);
			headers[n].value = request_trim(&elts[i].value);
			if (authority.len == 0 || &elts[i] != r->headers_in.host)
				continue;
			headers[n].value = authority;
			host = true;
		}
	}
	if (authority.len > 0 && !host) /* HTTP/1.0 */
		headers[n++] = (struct gml_http_header){{"host", 4}, authority};
	*n_out = n;
	return headers;
}

static int64_t request_body_length(const ngx_http_request_t *r)
{
	if (r->headers_in.chunked)
		return -1;
	return r->headers_in.content_length_n > 0 ? r->headers_in.content_length_n : 0;
}

/* The client's address. Empty: it has none, as over a UNIX socket. */
static struct gml_span request_source(const struct sockaddr *from)
{
	if (from->sa_family == AF_INET)
		return (struct gml_span){&((const struct sockaddr_in *)from)->sin_addr,
					 sizeof(struct in_addr)};
	if (from->sa_family == AF_INET6)
		return (struct gml_span){&((const struct sockaddr_in6 *)from)->sin6_addr,
					 sizeof(struct in6_addr)};
	return (struct gml_span){NULL, 0};
}

/* As s3:TlsVersion has it. */
static struct gml_span request_tls(const ngx_connection_t *connection)
{
#if (NGX_HTTP_SSL)
	if (connection->ssl != NULL)
		switch (SSL_version(connection->ssl->connection)) {
		case TLS1_3_VERSION:
			return (struct gml_span){"1.3", 3};
		case TLS1_2_VERSION:
			return (struct gml_span){"1.2", 3};
		default:
			return (struct gml_span){"", 0};
		}
#endif
	return (struct gml_span){NULL, 0};
}

static struct s3_call *request_call(ngx_http_request_t *r)
{
	struct s3_request request;
	ngx_memzero(&request, sizeof(request));
	request.headers = request_headers(r, &request.nheaders);
	if (request.headers == NULL)
		return NULL;
	request.method = gml_request_span(&r->method_name);
	/* never r->uri: it is decoded and normalised */
	request.target = gml_request_span(&r->unparsed_uri);
	request.body_length = request_body_length(r);
	request.source = request_source(r->connection->sockaddr);
	request.tls_version = request_tls(r->connection);
	return s3_call_new(gml_frontend_config(), &request);
}

/* nginx finished or terminated the request. In the second case it destroys the pool as soon as no
 * thread works on it. */
static void request_terminated(void *data)
{
	struct gml_request *request = data;
	if (request->task != NULL)
		request->task->terminated = true;
}

/* The pool is being destroyed, after the access log was written. */
static void request_release(void *data)
{
	struct gml_request *request = data;
	if (request->task != NULL)
		gml_async_task_release(request->task);
	request->task = NULL;
}

static struct gml_request *request_start(ngx_http_request_t *r)
{
	struct gml_request *request = gml_request_make(r);
	ngx_http_cleanup_t *cleanup;
	ngx_pool_cleanup_t *pool_cleanup;
	struct s3_call *call;

	if (request == NULL)
		return NULL;
	cleanup = ngx_http_cleanup_add(r, 0);
	pool_cleanup = ngx_pool_cleanup_add(r->pool, 0);
	if (cleanup == NULL || pool_cleanup == NULL)
		return NULL;
	cleanup->handler = request_terminated;
	cleanup->data = request;
	pool_cleanup->handler = request_release;
	pool_cleanup->data = request;
	call = request_call(r);
	if (call == NULL)
		return NULL;
	request->task = gml_async_task_new(request, call);
	return request->task == NULL ? NULL : request;
}

bool gml_request_expects(const struct gml_request *request, ngx_http_request_t *r)
{
	if (r->headers_in.expect == NULL || r->http_version < NGX_HTTP_VERSION_11)
		return false;
	return request == NULL || !request->body.begun;
}

/* Does it begin like a request line? If so, nginx answers it or waits for the rest. */
static bool request_has_method(const u_char *p, const u_char *end)
{
	const u_char *start = p;
	while (p < end && ((*p >= 'A' && *p <= 'Z') || *p == '_' || *p == '-'))
		p++;
	return p > start && (p == end || *p == ' ');
}

const char *gml_request_problem(const ngx_http_request_t *r)
{
	const u_char *p = r->request_start;
#if (NGX_HTTP_SSL)
	if (r->http_connection->ssl && r->connection->ssl == NULL)
		return "Plain HTTP was spoken to a port that serves HTTPS.";
#endif
	if (r->method_name.len > 0 || p == NULL)
		return NULL;
	/* the record of a handshake (RFC 8446 5.1) */
	if (r->header_in->last - p >= 2 && p[0] == 22 && p[1] == 3)
		return "TLS was spoken to a port that serves plain HTTP.";
	return request_has_method(p, r->header_in->last) ? NULL : "What was sent is not HTTP.";
}

static void request_failed(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;

	/* 408 passed to ngx_http_finalize_request would cut the connection without an answer. */
	ngx_http_finalize_request(r, ngx_http_special_response_handler(r, request->failure));
}

void gml_request_fail(struct gml_request *request, ngx_int_t status)
{
	ngx_http_request_t *r = request->r;

	request->failure = status;
	r->keepalive = 0;
	r->read_event_handler = ngx_http_block_reading;
	/* Now, and not after the lingering close: the content received so far takes space. */
	if (request->task->finished ||
	    gml_async_task_submit(request->task, GML_JOB_ABORT, request_failed) != NGX_OK)
		request_failed(request);
}

void gml_request_advance(struct gml_request *request)
{
	struct gml_async_task *task = request->task;
	switch (s3_call_step(task->call)) {
	case S3_RESPOND:
		gml_answer_begin(request);
		return;
	case S3_BODY:
		gml_body_begin(request);
		return;
	case S3_WORK:
		if (gml_async_task_submit(task, GML_JOB_WORK, gml_request_advance) != NGX_OK)
			gml_request_fail(request, NGX_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
}

ngx_int_t gml_request_handler(ngx_http_request_t *r)
{
	struct gml_request *request;
	if (gml_frontend_config() == NULL)
		return NGX_HTTP_SERVICE_UNAVAILABLE;
	if (r->http_version > NGX_HTTP_VERSION_11)
		/* HTTP/2 reuses the body buffer while a thread may still read it */
		return NGX_HTTP_VERSION_NOT_SUPPORTED;
	request = request_start(r);
	if (request == NULL)
		return NGX_HTTP_INTERNAL_SERVER_ERROR;
	r->main->count++;
	gml_request_advance(request);
	return NGX_DONE;
}
