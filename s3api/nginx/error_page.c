// SPDX-License-Identifier: Apache-2.0
/* Errors that nginx itself produces (malformed requests, limits, time-outs) as S3 XML documents. A
 * header filter makes the document; a body filter puts it in place of the HTML page. The header
 * filter also closes the connection of a client that still waits for 100 Continue: nginx would
 * announce keep-alive and then take the next request for the body. */
#include "request.h"

static ngx_http_output_header_filter_pt error_page_next_header;
static ngx_http_output_body_filter_pt error_page_next_body;

/* An XML escape is at most six bytes for one. */
enum { ERROR_PAGE_RESOURCE_MAX = 1024, ERROR_PAGE_CAP = 2048 + 6 * ERROR_PAGE_RESOURCE_MAX };

static struct gml_span error_page_resource(const ngx_http_request_t *r)
{
	const u_char *query = r->unparsed_uri.len > 0
				      ? memchr(r->unparsed_uri.data, '?', r->unparsed_uri.len)
				      : NULL;
	size_t len = query != NULL ? (size_t)(query - r->unparsed_uri.data) : r->unparsed_uri.len;
	return (struct gml_span){r->unparsed_uri.data, ngx_min(len, ERROR_PAGE_RESOURCE_MAX)};
}

static ngx_int_t error_page_id_header(ngx_http_request_t *r, const struct gml_request *request)
{
	static const struct gml_span name = {"x-amz-request-id", 16};
	if (gml_answer_header(r, name, (struct gml_span){request->request_id, 16}) == NULL)
		return NGX_ERROR;
	return gml_answer_server(r);
}

static ngx_int_t error_page_make(ngx_http_request_t *r)
{
	struct gml_request *request = gml_request_make(r);
	struct s3_host_error error = {.http_status = (int)r->err_status};
	int status;
	if (request == NULL)
		return NGX_ERROR;
	request->document.data = ngx_pnalloc(r->pool, ERROR_PAGE_CAP);
	if (request->document.data == NULL)
		return NGX_ERROR;
	error.message = gml_request_problem(r);
	error.resource = error_page_resource(r);
	request->document.len =
		s3_error_document(&error, (struct gml_buf){request->document.data, ERROR_PAGE_CAP},
				  &status, request->request_id);
	r->headers_out.status = (ngx_uint_t)status;
	r->headers_out.status_line.len = 0;
	r->headers_out.content_length_n = (off_t)request->document.len;
	ngx_str_set(&r->headers_out.content_type, "application/xml");
	r->headers_out.content_type_len = r->headers_out.content_type.len;
	r->headers_out.content_type_lowcase = NULL;
	return error_page_id_header(r, request);
}

static ngx_int_t error_page_header(ngx_http_request_t *r)
{
	if (r != r->main || r->err_status < NGX_HTTP_SPECIAL_RESPONSE || r->header_sent)
		return error_page_next_header(r);
	if (gml_request_expects(gml_request_get(r), r))
		r->keepalive = 0;
	if (error_page_make(r) != NGX_OK)
		return NGX_ERROR;
	return error_page_next_header(r);
}

static ngx_int_t error_page_body(ngx_http_request_t *r, ngx_chain_t *in)
{
	struct gml_request *request = gml_request_get(r);
	ngx_chain_t out;
	ngx_buf_t *b;

	if (in == NULL || request == NULL || request->document.data == NULL || r != r->main)
		return error_page_next_body(r, in);
	if (request->document_sent)
		return NGX_OK; /* the rest of the page that was replaced */
	request->document_sent = true;
	b = ngx_calloc_buf(r->pool);
	if (b == NULL)
		return NGX_ERROR;
	b->memory = 1;
	b->start = b->pos = request->document.data;
	b->end = b->last = request->document.data + request->document.len;
	b->last_buf = 1;
	b->last_in_chain = 1;
	out.buf = b;
	out.next = NULL;
	return error_page_next_body(r, &out);
}

ngx_int_t gml_error_page_install(ngx_conf_t *cf)
{
	(void)cf;
	error_page_next_header = ngx_http_top_header_filter;
	ngx_http_top_header_filter = error_page_header;
	error_page_next_body = ngx_http_top_body_filter;
	ngx_http_top_body_filter = error_page_body;
	return NGX_OK;
}
