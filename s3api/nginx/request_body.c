// SPDX-License-Identifier: Apache-2.0
/* The request body: received unbuffered by nginx into one buffer, consumed by a thread from
 * another.
 *
 * nginx's reader (ngx_http_read_unbuffered_request_body) describes the bytes it received by
 * r->request_body->bufs, all inside header_in (bytes received with the header) or inside
 * r->request_body->buf. This file gathers them in `pending` as at most one span per memory, and
 * mark nginx's descriptors as consumed at once. The reader starts over at the beginning of a full
 * buffer whose descriptors are consumed, so it must not be called while the buffer is full: first
 * the buffer's memory is exchanged for the spare one, which needs the thread to be idle. Memory per
 * request: two buffers of client_body_buffer_size. */
#include "request.h"

/* A thread is woken for this much, or for the end of the body, or for a full buffer. */
enum { BODY_DISPATCH_MIN = 128 * 1024 };

static void body_pump(struct gml_request *request, bool readable);

static bool body_full(const ngx_http_request_t *r)
{
	const ngx_buf_t *buf = r->request_body->buf;
	return buf != NULL && buf->last == buf->end;
}

static const u_char *body_memory_end(const ngx_http_request_t *r, const u_char *p)
{
	const ngx_buf_t *buf = r->request_body->buf;
	if (buf != NULL && p >= buf->start && p < buf->end)
		return buf->end;
	return r->header_in->end;
}

/* Append to pending. Within one memory the bytes between two spans are chunk framing that nginx has
 * parsed, so they may be overwritten. */
static ngx_int_t body_append(struct gml_request *request, u_char *p, size_t len)
{
	struct gml_body *body = &request->body;
	const u_char *end = body_memory_end(request->r, p);
	struct gml_span *span = body->npending > 0 ? &body->pending[body->npending - 1] : NULL;
	if (span != NULL && body->pending_end[body->npending - 1] == end) {
		u_char *to = (u_char *)span->ptr + span->len;
		if (to != p)
			ngx_memmove(to, p, len);
		span->len += len;
	} else {
		if (body->npending == GML_ASYNC_TASK_SPANS)
			return NGX_ERROR;
		body->pending[body->npending] = (struct gml_span){p, len};
		body->pending_end[body->npending++] = end;
	}
	body->npending_bytes += len;
	return NGX_OK;
}

/* Move the received bytes from nginx's descriptors to `pending`. */
static ngx_int_t body_collect(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	ngx_chain_t *cl, *next;

	for (cl = r->request_body->bufs; cl != NULL; cl = next) {
		ngx_buf_t *b = cl->buf;
		size_t len = (size_t)(b->last - b->pos);

		next = cl->next;
		if (len > 0 && body_append(request, b->pos, len) != NGX_OK)
			return NGX_ERROR;
		b->pos = b->last;
		ngx_free_chain(r->pool, cl);
	}
	r->request_body->bufs = NULL;
	return NGX_OK;
}

/* Put the spare memory into nginx's buffer; the thread reads the memory that was there. */
static ngx_int_t body_exchange(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	struct gml_body *body = &request->body;
	ngx_buf_t *buf = r->request_body->buf;
	ngx_http_core_loc_conf_t *clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
	size_t size = clcf->client_body_buffer_size;

	if (!r->headers_in.chunked && r->request_body->rest < (off_t)size)
		size = (size_t)r->request_body->rest;
	if (body->spare == NULL || (size_t)(body->spare_end - body->spare) < size) {
		body->spare = ngx_palloc(r->pool, size);
		if (body->spare == NULL)
			return NGX_ERROR;
		body->spare_end = body->spare + size;
	}
	body->lent = buf->start;
	body->lent_end = buf->end;
	buf->start = buf->pos = buf->last = body->spare;
	buf->end = body->spare_end;
	body->spare = body->spare_end = NULL;
	return NGX_OK;
}

static bool body_pending_in_buffer(const struct gml_request *request)
{
	const ngx_buf_t *buf = request->r->request_body->buf;
	return buf != NULL && request->body.npending > 0 &&
	       request->body.pending_end[request->body.npending - 1] == buf->end;
}

/* The connection can no longer be read, or its framing is broken; the thread is idle. */
static void body_give_up(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;

	if (r->connection->error) {
		ngx_http_finalize_request(r, request->body.failed);
		return;
	}
	r->connection->timedout = 0; /* a time-out is answered, too */
	r->connection->read->timedout = 0;
	gml_request_fail(request, request->body.failed);
}

static void body_fail(struct gml_request *request, ngx_int_t status)
{
	ngx_http_request_t *r = request->r;

	request->body.failed = status;
	r->read_event_handler = ngx_http_block_reading;
	if (r->connection->read->timer_set)
		ngx_del_timer(r->connection->read);
	if (!request->task->busy)
		body_give_up(request);
}

static void body_consumed(struct gml_request *request)
{
	struct gml_body *body = &request->body;
	struct gml_async_task *task = request->task;
	if (body->lent != NULL) {
		body->spare = body->lent;
		body->spare_end = body->lent_end;
		body->lent = body->lent_end = NULL;
	}
	if (task->stop || task->last)
		gml_request_advance(request);
	else if (body->failed)
		body_give_up(request);
	else
		body_pump(request, body_full(request->r));
}

static ngx_int_t body_dispatch(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	struct gml_body *body = &request->body;
	struct gml_async_task *task = request->task;

	if (r->reading_body && body_pending_in_buffer(request) && body_exchange(request) != NGX_OK)
		return NGX_ERROR;
	ngx_memcpy(task->spans, body->pending, sizeof(task->spans));
	task->nspans = body->npending;
	task->last = !r->reading_body;
	task->stop = false;
	body->npending = 0;
	body->npending_bytes = 0;
	return gml_async_task_submit(task, GML_JOB_BODY, body_consumed);
}

static bool body_worth_a_thread(const struct gml_request *request)
{
	const ngx_http_request_t *r = request->r;
	return !r->reading_body || request->body.npending_bytes >= BODY_DISPATCH_MIN ||
	       (body_full(r) && request->body.npending > 0);
}

static void body_on_read(ngx_http_request_t *r)
{
	struct gml_request *request = gml_request_get(r);
	if (!request->task->terminated)
		body_pump(request, true);
}

/* Submit received bytes to the thread, and read on while `readable` and the buffer is not full. */
static void body_pump(struct gml_request *request, bool readable)
{
	ngx_http_request_t *r = request->r;
	ngx_int_t rc;

	r->read_event_handler = body_on_read;
	for (;;) {
		if (body_collect(request) != NGX_OK) {
			body_fail(request, NGX_HTTP_INTERNAL_SERVER_ERROR);
			return;
		}
		if (!request->task->busy && body_worth_a_thread(request) &&
		    body_dispatch(request) != NGX_OK) {
			body_fail(request, NGX_HTTP_SERVICE_UNAVAILABLE);
			return;
		}
		if (!r->reading_body || body_full(r)) {
			r->read_event_handler = ngx_http_block_reading;
			return;
		}
		if (!readable)
			return;
		rc = ngx_http_read_unbuffered_request_body(r);
		if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
			body_fail(request, rc);
			return;
		}
		readable = body_full(r); /* else the socket is empty: the next event comes */
	}
}

/* nginx has parsed the body bytes that came with the header. */
static void body_ready(ngx_http_request_t *r)
{
	body_pump(gml_request_get(r), r->reading_body && body_full(r));
}

void gml_body_begin(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	ngx_int_t rc;

	request->body.begun = true;
	r->request_body_no_buffering = 1;
	rc = ngx_http_read_client_request_body(r, body_ready);
	if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
		r->keepalive = 0;
		ngx_http_finalize_request(r, rc);
		return;
	}
	/* drop the reader's reference; the handler's own one stays */
	ngx_http_finalize_request(r, NGX_DONE);
}
