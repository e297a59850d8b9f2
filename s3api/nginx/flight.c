// SPDX-License-Identifier: Apache-2.0
/* Calls on threads, and back. */
#include "request.h"

static ngx_queue_t flight_live = {&flight_live, &flight_live};

enum { FLIGHT_WARM_STEP = 128 * 1024 };

/* Thread. Reading is what fills the page cache for sure: readahead(2) and posix_fadvise(2) only ask. */
static void flight_warm(int fd, uint64_t off, uint64_t len)
{
	char *scratch;
	if (fd < 0)
		return;
	scratch = malloc(FLIGHT_WARM_STEP);
	if (scratch == NULL)
		return; /* the event loop will wait for the disk instead */
	while (len > 0) {
		ssize_t got = pread(fd, scratch, ngx_min(len, FLIGHT_WARM_STEP), (off_t)off);
		if (got <= 0)
			break; /* sendfile will meet the same error and report it */
		off += (uint64_t)got;
		len -= (uint64_t)got;
	}
	free(scratch);
}

/* Thread. */
static void flight_body(struct gml_flight *flight)
{
	unsigned i;
	for (i = 0; i < flight->nspans && !flight->stop; i++)
		flight->stop =
			s3_call_body(flight->call, flight->spans[i].ptr, flight->spans[i].len) != 0;
	if (flight->stop || !flight->last)
		return;
	s3_call_body_end(flight->call);
	while (s3_call_step(flight->call) == S3_WORK)
		s3_call_work(flight->call);
}

/* Thread. */
static void flight_run(struct gml_flight *flight)
{
	flight->run_rc = s3_call_run(flight->call, flight->run_pos, &flight->run);
	if (flight->run_rc == 0)
		flight_warm(flight->run.fd, flight->run.file_off,
			    ngx_min(flight->warm_len, flight->run.len));
}

static void flight_abort(struct gml_flight *flight)
{
	if (flight->call != NULL && !flight->finished)
		s3_call_abort(flight->call);
	flight->finished = true;
}

static void flight_destroy_call(struct gml_flight *flight)
{
	flight_abort(flight);
	s3_call_free(flight->call);
	flight->call = NULL;
}

/* Thread: entry of every task. */
static void flight_perform(void *arg, ngx_log_t *log)
{
	struct gml_flight *flight = arg;
	(void)log;
	switch (flight->job) {
	case GML_JOB_WORK:
		while (s3_call_step(flight->call) == S3_WORK)
			s3_call_work(flight->call);
		break;
	case GML_JOB_BODY:
		flight_body(flight);
		break;
	case GML_JOB_RUN:
		flight_run(flight);
		break;
	case GML_JOB_WARM:
		flight_warm(flight->run.fd, flight->warm_off, flight->warm_len);
		break;
	case GML_JOB_ABORT:
		flight_abort(flight);
		break;
	case GML_JOB_FREE:
		flight_destroy_call(flight);
		break;
	}
}

static void flight_forget(struct gml_flight *flight)
{
	ngx_queue_remove(&flight->link);
	free(flight);
}

/* Loop: a task came back. */
static void flight_landed(ngx_event_t *event)
{
	struct gml_flight *flight = event->data;
	ngx_http_request_t *r;
	ngx_connection_t *c;

	gml_door_task_end();
	flight->busy = false;
	if (flight->request == NULL) {
		flight_forget(flight);
		return;
	}
	r = flight->request->r;
	c = r->connection;
	ngx_http_set_log_request(c->log, r);
	r->main->blocked--;
	r->aio = 0;
	if (flight->terminated)
		r->write_event_handler(
			r); /* nginx left its finalizer there when it found the request blocked */
	else
		flight->done(flight->request);
	ngx_http_run_posted_requests(c);
}

struct gml_flight *gml_flight_new(struct gml_request *request, struct s3_call *call)
{
	struct gml_flight *flight = calloc(1, sizeof(*flight));
	if (flight == NULL) {
		s3_call_free(call);
		return NULL;
	}
	flight->request = request;
	flight->call = call;
	flight->task.ctx = flight;
	flight->task.handler = flight_perform;
	flight->task.event.data = flight;
	flight->task.event.handler = flight_landed;
	flight->task.event.log = ngx_cycle->log;
	ngx_queue_insert_tail(&flight_live, &flight->link);
	return flight;
}

static ngx_int_t flight_post(struct gml_flight *flight, enum gml_flight_job job)
{
	flight->job = job;
	flight->busy = true;
	flight->task.event.complete = 0;
	if (ngx_thread_task_post(gml_door_pool(), &flight->task) != NGX_OK) {
		flight->busy = false;
		flight->task.event.active = 0;
		return NGX_ERROR;
	}
	gml_door_task_begin();
	return NGX_OK;
}

ngx_int_t gml_flight_submit(struct gml_flight *flight, enum gml_flight_job job,
			    void (*done)(struct gml_request *request))
{
	ngx_http_request_t *r = flight->request->r;

	flight->done = done;
	if (flight_post(flight, job) != NGX_OK)
		return NGX_ERROR;
	r->main->blocked++;
	r->aio = 1;
	return NGX_OK;
}

void gml_flight_release(struct gml_flight *flight)
{
	flight->request = NULL;
	if ((!flight->finished || flight->large) && flight_post(flight, GML_JOB_FREE) == NGX_OK)
		return;
	flight_destroy_call(flight);
	flight_forget(flight);
}

void gml_flight_release_all(void)
{
	while (!ngx_queue_empty(&flight_live)) {
		struct gml_flight *flight =
			ngx_queue_data(ngx_queue_head(&flight_live), struct gml_flight, link);
		flight_destroy_call(flight);
		flight_forget(flight);
	}
}
