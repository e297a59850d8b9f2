// SPDX-License-Identifier: Apache-2.0
/* The module's context of one nginx request, allocated from its pool. */
#ifndef GML_NGINX_REQUEST_H
#define GML_NGINX_REQUEST_H

#include "flight.h"

/* Reading of the request body: nginx receives into one buffer while a thread hashes the other. */
struct gml_body {
	bool begun; /* 100 Continue was sent if it was asked for */
	struct gml_span pending
		[GML_FLIGHT_SPANS]; /* received, not yet handed over; inside header_in or nginx's body buffer */
	const u_char *pending_end[GML_FLIGHT_SPANS]; /* end of the memory that holds the span */
	unsigned npending;
	size_t npending_bytes;
	u_char *lent, *lent_end;   /* buffer that the thread reads */
	u_char *spare, *spare_end; /* buffer for the next exchange */
	ngx_int_t failed;	   /* HTTP status why reading stopped, 0 while it goes well */
};

/* Sending of the answer. */
struct gml_answer {
	uint64_t pos, len;	     /* of the body */
	uint64_t run_done, run_left; /* bytes of flight->run handed to nginx, and still to be */
	uint64_t turn;		     /* bytes handed over since other connections had their turn */
	bool header_sent, warmed;
	ngx_chain_t *chain; /* used again for each piece: the previous one is out by then */
	ngx_file_t *file;
};

struct gml_request {
	ngx_http_request_t *r;
	struct gml_flight *flight;
	struct gml_body body;
	struct gml_answer answer;
	ngx_int_t failure; /* HTTP status of gml_request_fail */
	/* an error of nginx, told in XML */
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

/* Look at the call's step and do what it wants. Ends with work in flight or with the request finalized. */
void gml_request_advance(struct gml_request *request);
/* Undo the call, and answer with nginx's error `status` (told in XML); the connection closes. The flight must be idle.
 */
void gml_request_fail(struct gml_request *request, ngx_int_t status);
/* A client waits for 100 Continue and will not get it any more. */
bool gml_request_expects(const struct gml_request *request, ngx_http_request_t *r);

/* What came instead of a request that this port serves, as static text; NULL: it was one, or a malformed one. */
const char *gml_request_problem(const ngx_http_request_t *r);

void gml_body_begin(struct gml_request *request);
void gml_answer_begin(struct gml_request *request);

/* Add a response header; value and name are borrowed until the header is sent. NULL when out of memory. */
ngx_table_elt_t *gml_answer_header(ngx_http_request_t *r, struct gml_span name,
				   struct gml_span value);
/* The Server header, when the answer has none: else it would be nginx's. */
ngx_int_t gml_answer_server(ngx_http_request_t *r);

#endif
