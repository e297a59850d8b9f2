// SPDX-License-Identifier: Apache-2.0
/* The answer: header, then the content run by run. The next run is requested when nginx has sent
 * the one before. So an object of 10,000 parts needs one open file at a time, and no file run is
 * used after the next s3_call_run.
 *
 * sendfile(2) of bytes that are not in the page cache would make the event loop wait for the disk.
 * So each piece is probed first (RWF_NOWAIT), and cold ones are read in by a thread. */
#include <sys/uio.h>

#include "request.h"

enum {
	/* an unread body up to this is read and dropped to keep the connection */
	ANSWER_DISCARD_MAX = 1024 * 1024,
	ANSWER_PIECE_MAX = 2 * 1024 * 1024, /* passed to nginx at once */
	ANSWER_TURN = 2 * 1024 * 1024,	    /* then the event loop serves other connections */
	ANSWER_PROBE_STEP = 256 * 1024,
	/* whole answers up to this are copied: header and body leave in one segment */
	ANSWER_COPY_MAX = 32 * 1024,
	/* freed on a thread from this on: closing a deleted file frees its blocks */
	ANSWER_LARGE = 1024 * 1024,
	ANSWER_ZEROS = 128 * 1024,
};

static u_char answer_zeros[ANSWER_ZEROS];

static void answer_feed(struct gml_request *request);

/* ---- header ---------------------------------------------------------------- */

ngx_table_elt_t *gml_answer_header(ngx_http_request_t *r, struct gml_span name,
				   struct gml_span value)
{
	ngx_table_elt_t *h = ngx_list_push(&r->headers_out.headers);

	if (h == NULL)
		return NULL;
	h->hash = 1;
#if (nginx_version >= 1023000)
	h->next = NULL;
#endif
	h->key.data = (u_char *)name.ptr;
	h->key.len = name.len;
	h->value.data = (u_char *)value.ptr;
	h->value.len = value.len;
	h->lowcase_key = h->key.data;
	return h;
}

ngx_int_t gml_answer_server(ngx_http_request_t *r)
{
	static const struct gml_span name = {"Server", 6}, value = {"Gemel", 5};
	if (r->headers_out.server == NULL)
		r->headers_out.server = gml_answer_header(r, name, value);
	return r->headers_out.server == NULL ? NGX_ERROR : NGX_OK;
}

/* Compares the spelling of s3api/proto, letter case included. */
static inline bool answer_named(const struct gml_http_header *header, const char *name, size_t len)
{
	return header->name.len == len && memcmp(header->name.ptr, name, len) == 0;
}

static ngx_int_t answer_one_header(ngx_http_request_t *r, const struct gml_http_header *header)
{
	ngx_table_elt_t *h;

	if (answer_named(header, "Content-Type", 12)) { /* a field of its own for nginx */
		r->headers_out.content_type.data = (u_char *)header->value.ptr;
		r->headers_out.content_type.len = header->value.len;
		r->headers_out.content_type_len = header->value.len;
		return NGX_OK;
	}
	h = gml_answer_header(r, header->name, header->value);
	if (h == NULL)
		return NGX_ERROR;
	if (answer_named(header, "Server", 6))
		r->headers_out.server = h;
	else if (answer_named(header, "Content-Encoding", 16))
		r->headers_out.content_encoding = h;
	return NGX_OK;
}

static ngx_int_t answer_headers(struct gml_request *request, const struct s3_response *response)
{
	ngx_http_request_t *r = request->r;
	size_t i;

	r->headers_out.status = (ngx_uint_t)response->status;
	r->headers_out.content_length_n = response->content_length;
	r->disable_not_modified = 1; /* conditions and ranges were decided by the call */
	r->allow_ranges = 0;
	for (i = 0; i < response->nheaders; i++)
		if (answer_one_header(r, &response->headers[i]) != NGX_OK)
			return NGX_ERROR;
	if (!response->has_body || response->content_length <= 0)
		r->header_only = 1;
	return gml_answer_server(r);
}

/* Decide whether the connection is kept when (part of) the request body was not read. This must
 * come before the header is sent, because nginx announces keep-alive in it. */
static void answer_connection(struct gml_request *request, const struct s3_response *response)
{
	ngx_http_request_t *r = request->r;
	bool chunked = r->headers_in.chunked;
	bool unread = r->reading_body ||
		      (!request->body.begun && (chunked || r->headers_in.content_length_n > 0));

	if (response->close)
		r->keepalive = 0;
	if (!unread)
		return;
	if (request->body.begun || chunked || response->close || gml_request_expects(request, r) ||
	    r->headers_in.content_length_n > ANSWER_DISCARD_MAX ||
	    ngx_http_discard_request_body(r) != NGX_OK) {
		r->keepalive = 0;
		r->lingering_close = 1;
	}
}

/* ---- content --------------------------------------------------------------- */

/* Is [off, off+len) of the file in the page cache, as far as a few probes tell? Yes when the file
 * system cannot say. */
static bool answer_is_warm(int fd, uint64_t off, uint64_t len)
{
	uint64_t at = len - 1;
	for (;;) {
		char byte;
		struct iovec iov = {&byte, 1};
		if (preadv2(fd, &iov, 1, (off_t)(off + at), RWF_NOWAIT) < 0 && errno == EAGAIN)
			return false;
		if (at < ANSWER_PROBE_STEP)
			return true;
		at -= ANSWER_PROBE_STEP;
	}
}

/* The chain link that all pieces share: nginx has sent its buffer before it is used again. */
static ngx_chain_t *answer_link(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	ngx_chain_t *cl = request->answer.chain;

	if (cl == NULL) {
		cl = ngx_alloc_chain_link(r->pool);
		if (cl == NULL)
			return NULL;
		cl->next = NULL;
		cl->buf = ngx_palloc(r->pool, sizeof(ngx_buf_t));
		if (cl->buf == NULL)
			return NULL;
		request->answer.chain = cl;
	}
	ngx_memzero(cl->buf, sizeof(ngx_buf_t));
	return cl;
}

static ngx_chain_t *answer_memory(struct gml_request *request, const u_char *data, size_t len)
{
	ngx_chain_t *cl = answer_link(request);

	if (cl == NULL)
		return NULL;
	cl->buf->memory = 1;
	cl->buf->start = cl->buf->pos = (u_char *)data;
	cl->buf->end = cl->buf->last = (u_char *)data + len;
	return cl;
}

static ngx_chain_t *answer_file(struct gml_request *request, const struct gml_run *run,
				uint64_t off, uint64_t len)
{
	ngx_http_request_t *r = request->r;
	ngx_chain_t *cl = answer_link(request);
	ngx_file_t *file = request->answer.file;

	if (cl == NULL)
		return NULL;
	if (file == NULL) {
		file = request->answer.file = ngx_pcalloc(r->pool, sizeof(*file));
		if (file == NULL)
			return NULL;
		file->log = r->connection->log;
		ngx_str_set(&file->name, "content");
	}
	file->fd = run->fd;
	cl->buf->in_file = 1;
	cl->buf->file = file;
	cl->buf->file_pos = (off_t)off;
	cl->buf->file_last = (off_t)(off + len);
	return cl;
}

/* Copy content that is small and in the page cache, so that it leaves together with the header.
 * NULL: it is not in the cache, or out of memory; the caller sends it from the file. */
static ngx_chain_t *answer_copy(struct gml_request *request, const struct gml_run *run,
				uint64_t off, uint64_t len)
{
	ngx_http_request_t *r = request->r;
	struct iovec iov;
	ssize_t n;

	iov.iov_len = (size_t)len;
	iov.iov_base = ngx_pnalloc(r->pool, (size_t)len);
	if (iov.iov_base == NULL)
		return NULL;
	n = preadv2(run->fd, &iov, 1, (off_t)off, RWF_NOWAIT);
	if (n != (ssize_t)len)
		return NULL;
	return answer_memory(request, iov.iov_base, (size_t)len);
}

/* Drop the headers of an answer that will not be sent. */
static void answer_clear_headers(ngx_http_request_t *r)
{
	ngx_list_part_t *part;
	ngx_uint_t i;

	for (part = &r->headers_out.headers.part; part != NULL; part = part->next)
		for (i = 0; i < part->nelts; i++)
			((ngx_table_elt_t *)part->elts)[i].hash = 0;
	r->headers_out.server = NULL;
	r->headers_out.content_encoding = NULL;
	r->headers_out.status = 0;
}

static void answer_cut(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;

	ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
		      "the content cannot be read at byte %uL; the answer is cut short. Run 'gemel "
		      "store check'",
		      request->answer.pos);
	if (!request->answer.header_sent) {
		answer_clear_headers(r);
		gml_request_fail(request, NGX_HTTP_INTERNAL_SERVER_ERROR);
		return;
	}
	ngx_http_finalize_request(r, NGX_ERROR); /* the client sees a short body */
}

static void answer_run_set(struct gml_request *request)
{
	request->answer.run_done = 0;
	request->answer.run_left =
		ngx_min(request->task->run.len, request->answer.len - request->answer.pos);
}

static void answer_run_ready(struct gml_request *request)
{
	struct gml_async_task *task = request->task;
	if (task->run_rc != 0 || task->run.len == 0) {
		answer_cut(request);
		return;
	}
	answer_run_set(request);
	request->answer.warmed = true;
	answer_feed(request);
}

static void answer_warmed(struct gml_request *request)
{
	request->answer.warmed = true;
	answer_feed(request);
}

/* Make task->run the run at answer.pos, with its first piece in memory. NGX_AGAIN: a thread was
 * started for it; NGX_DONE: the request was finalized. */
static ngx_int_t answer_next_run(struct gml_request *request)
{
	struct gml_answer *answer = &request->answer;
	struct gml_async_task *task = request->task;
	task->run_pos = answer->pos;
	task->warm_len = ANSWER_PIECE_MAX;
	answer->warmed = false;
	if (s3_call_run_blocks(task->call, answer->pos)) {
		if (gml_async_task_submit(task, GML_JOB_RUN, answer_run_ready) == NGX_OK)
			return NGX_AGAIN;
		answer_cut(request);
		return NGX_DONE;
	}
	task->run_rc = s3_call_run(task->call, answer->pos, &task->run);
	if (task->run_rc != 0 || task->run.len == 0) {
		answer_cut(request);
		return NGX_DONE;
	}
	answer_run_set(request);
	return NGX_OK;
}

/* The next piece of task->run as a chain, *len_out its length. NULL with *rc NGX_AGAIN: a thread
 * reads it into memory first; with NGX_ERROR: out of memory. */
static ngx_chain_t *answer_piece(struct gml_request *request, uint64_t *len_out, ngx_int_t *rc)
{
	struct gml_answer *answer = &request->answer;
	struct gml_async_task *task = request->task;
	const struct gml_run *run = &task->run;
	uint64_t len = ngx_min(answer->run_left, (uint64_t)ANSWER_PIECE_MAX),
		 off = run->file_off + answer->run_done;
	ngx_chain_t *cl;

	*rc = NGX_ERROR;
	if (run->fd < 0 && run->mem == NULL)
		len = ngx_min(len, (uint64_t)ANSWER_ZEROS);
	*len_out = len;
	if (run->fd < 0)
		return answer_memory(request,
				     run->mem != NULL ? (const u_char *)run->mem + answer->run_done
						      : answer_zeros,
				     (size_t)len);
	if (len == answer->len && len <= ANSWER_COPY_MAX) {
		cl = answer_copy(request, run, off, len);
		if (cl != NULL)
			return cl;
	}
	if (!answer->warmed && !answer_is_warm(run->fd, off, len)) {
		task->warm_off = off;
		task->warm_len = len;
		if (gml_async_task_submit(task, GML_JOB_WARM, answer_warmed) == NGX_OK) {
			*rc = NGX_AGAIN;
			return NULL;
		} /* the thread pool is full: sendfile waits for the disk */
	}
	answer->warmed = false;
	return answer_file(request, run, off, len);
}

static void answer_on_write(ngx_http_request_t *r);

static void answer_wait(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	ngx_event_t *wev = r->connection->write;
	ngx_http_core_loc_conf_t *clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

	r->write_event_handler = answer_on_write;
	if (!wev->delayed)
		ngx_add_timer(wev, clcf->send_timeout);
	if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK)
		ngx_http_finalize_request(r, NGX_ERROR);
}

static void answer_on_write(ngx_http_request_t *r)
{
	struct gml_request *request = gml_request_get(r);
	ngx_event_t *wev = r->connection->write;

	if (wev->timedout) {
		ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT, "client timed out");
		r->connection->timedout = 1;
		ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
		return;
	}
	if (!wev->delayed && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
		ngx_http_finalize_request(r, NGX_ERROR);
		return;
	}
	if (wev->delayed || r->buffered || r->connection->buffered) {
		answer_wait(request);
		return;
	}
	if (wev->timer_set)
		ngx_del_timer(wev);
	r->write_event_handler = ngx_http_request_empty_handler;
	answer_feed(request);
}

static ngx_int_t answer_send_header(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	ngx_int_t rc;

	if (request->answer.header_sent)
		return NGX_OK;
	answer_connection(request, s3_call_response(request->task->call));
	rc = ngx_http_send_header(r);
	request->answer.header_sent = true;
	if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
		ngx_http_finalize_request(r, rc);
		return NGX_DONE;
	}
	return NGX_OK;
}

static void answer_feed(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	struct gml_answer *answer = &request->answer;

	answer->turn = 0;
	for (;;) {
		ngx_chain_t *cl;
		uint64_t len;
		ngx_int_t rc;

		if (answer->run_left == 0 && answer_next_run(request) != NGX_OK)
			return;
		cl = answer_piece(request, &len, &rc);
		if (cl == NULL) {
			if (rc != NGX_AGAIN)
				answer_cut(request);
			return;
		}
		if (answer_send_header(request) != NGX_OK)
			return;
		answer->pos += len;
		answer->run_done += len;
		answer->run_left -= len;
		answer->turn += len;
		if (answer->pos == answer->len) {
			cl->buf->last_buf = 1;
			cl->buf->last_in_chain = 1;
			ngx_http_finalize_request(r, ngx_http_output_filter(r, cl));
			return;
		}
		/* Without flush, nginx and TLS keep a small rest, and its buffer, until more
		 * arrives. */
		cl->buf->flush = 1;
		if (ngx_http_output_filter(r, cl) == NGX_ERROR) {
			ngx_http_finalize_request(r, NGX_ERROR);
			return;
		}
		if (r->buffered || r->connection->buffered) {
			answer_wait(request);
			return;
		}
		/* a client that reads this fast would occupy the event loop */
		if (answer->turn >= ANSWER_TURN) {
			answer_wait(request);
			ngx_post_event(r->connection->write, &ngx_posted_next_events);
			return;
		}
	}
}

void gml_answer_begin(struct gml_request *request)
{
	ngx_http_request_t *r = request->r;
	struct gml_async_task *task = request->task;
	const struct s3_response *response = s3_call_response(task->call);

	task->finished = true;
	r->read_event_handler = ngx_http_block_reading;
	if (r->connection->read->timer_set)
		ngx_del_timer(r->connection->read);
	if (answer_headers(request, response) != NGX_OK) {
		ngx_http_finalize_request(r, NGX_ERROR);
		return;
	}
	if (r->header_only) {
		(void)answer_send_header(request);
		return;
	}
	request->answer.len = (uint64_t)response->content_length;
	task->large = request->answer.len >= ANSWER_LARGE;
	answer_feed(request);
}
