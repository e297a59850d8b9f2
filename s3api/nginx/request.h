// SPDX-License-Identifier: Apache-2.0
/* The module's context of one nginx request, allocated from its pool. */
#ifndef GML_NGINX_REQUEST_H
#define GML_NGINX_REQUEST_H

#include "async_task.h"

/* Reading of the request body: nginx receives into one buffer while a thread hashes the other. */
struct gml_body {
	bool begun; /* 100 Continue was sent, if the client asked for it */
	/* received, not yet passed on; inside header_in or nginx's body buffer */
	struct gml_span pending[GML_ASYNC_TASK_SPANS];
	const u_char *pending_end[GML_ASYNC_TASK_SPANS]; /* end of the memory that holds the span */
	unsigned npending;
	size_t npending_bytes;
	u_char *lent, *lent_end;   /* buffer that the thread reads */
	u_char *spare, *spare_end; /* buffer for the next exchange */
	ngx_int_t failed;	   /* HTTP status with which reading failed; 0: it did not */
};

/* Sending of the answer. */
struct gml_answer {
	uint64_t pos, len; /* of the body */
	uint64_t run_done,
		run_left; /* bytes of task->run passed to nginx, and still to be passed */
	uint64_t turn;	  /* bytes passed to nginx since the event loop served others */
	bool header_sent, warmed;
	ngx_chain_t *chain; /* reused for each piece: nginx has sent the previous one */
	ngx_file_t *file;
};

struct gml_request {
	ngx_http_request_t *r;
	struct gml_async_task *task;
	struct gml_body body;
	struct gml_answer answer;
	ngx_int_t failure; /* HTTP status of gml_request_fail */
	/* an error of nginx as XML */
	ngx_str_t document;
	bool document_sent;
	char request_id[17];
};

static inline struct gml_span gml_request_span(const ngx_str_t *s)
{
	return (struct gml_span){s->data, s->len};
}

/* The request's context, or NULL. */
struct gml_request *gml_request_get(ngx_http_request_t *r);
/* The same, made when missing; NULL when out of memory. */
struct gml_request *gml_request_make(ngx_http_request_t *r);

/* Perform the next step of the call. Returns with a task submitted or with the request
 * finalized. */
void gml_request_advance(struct gml_request *request);
/* Abort the call and answer with nginx's error `status` as XML; the connection closes. The task
 * must be idle. */
void gml_request_fail(struct gml_request *request, ngx_int_t status);
/* True if the client waits for 100 Continue and will not get it any more. */
bool gml_request_expects(const struct gml_request *request, ngx_http_request_t *r);

/* A static text that names what was received instead of a request for this port (TLS, plain HTTP,
 * no HTTP at all). NULL: a request, well-formed or not. */
const char *gml_request_problem(const ngx_http_request_t *r);

void gml_body_begin(struct gml_request *request);
void gml_answer_begin(struct gml_request *request);

/* Add a response header; value and name are borrowed until the header is sent. NULL when out of
 * memory. */
ngx_table_elt_t *gml_answer_header(ngx_http_request_t *r, struct gml_span name,
				   struct gml_span value);
/* The Server header, when the answer has none: else it would be nginx's. */
ngx_int_t gml_answer_server(ngx_http_request_t *r);

#endif
