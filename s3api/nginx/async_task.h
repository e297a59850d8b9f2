// SPDX-License-Identifier: Apache-2.0
/* An async task is one s3_call and the thread-pool task that runs it. It is allocated outside the
 * request's pool, because an aborted call is freed on a thread after the request is gone.
 *
 *      gml_async_task_new ── idle ──gml_async_task_submit──► busy ──(event loop)──► done(request)
 *                             └── gml_async_task_release ──► freed at once, or on a thread when
 *                                                            freeing may block */
#ifndef GML_NGINX_ASYNC_TASK_H
#define GML_NGINX_ASYNC_TASK_H

#include "frontend.h"

struct gml_request;

enum gml_async_job {
	GML_JOB_WORK, /* s3_call_work until the next step is another one */
	/* pass `spans` to the call; after the last one s3_call_body_end and the work that
	 * follows */
	GML_JOB_BODY,
	GML_JOB_RUN,   /* s3_call_run at run_pos, then read its first bytes into the page cache */
	GML_JOB_WARM,  /* read [warm_off, + warm_len) of the run's file into the page cache */
	GML_JOB_ABORT, /* abort the unfinished operation; the call stays for the access log */
	GML_JOB_FREE,  /* abort the unfinished operation, free the call */
};

enum { GML_ASYNC_TASK_SPANS = 2 }; /* bytes received with the header, and one buffer */

struct gml_async_task {
	ngx_queue_t link; /* list of this worker's tasks */
	ngx_thread_task_t pool_task;
	struct gml_request *request; /* event loop only; NULL once the request is gone */
	void (*done)(struct gml_request *request);
	struct s3_call *call;
	enum gml_async_job job;

	/* Operands and results. They belong to the thread while `busy`, else to the event loop. */
	struct gml_span spans[GML_ASYNC_TASK_SPANS];
	unsigned nspans;
	bool last; /* no more body after `spans` */
	bool stop; /* out: the call answers before the body ends */
	uint64_t run_pos;
	struct gml_run run;
	int run_rc;	   /* out */
	uint64_t warm_off; /* GML_JOB_WARM: offset in the file */
	uint64_t warm_len; /* GML_JOB_RUN: at most this many bytes of the run */

	bool busy;
	bool terminated; /* nginx terminated the request */
	bool finished;	 /* the answer is ready: freeing aborts nothing */
	bool large;	 /* freeing may close the last reference to a large file */
};

/* Make a task for `call`, which it owns from now on, also on failure. NULL when out of memory. */
struct gml_async_task *gml_async_task_new(struct gml_request *request, struct s3_call *call);
/* Run `job` on a thread, then `done` on the event loop, unless the request was terminated
 * meanwhile. NGX_ERROR: the queue of the pool is full and nothing happened. */
ngx_int_t gml_async_task_submit(struct gml_async_task *task, enum gml_async_job job,
				void (*done)(struct gml_request *request));
/* Free the task and its call. The task must be idle. */
void gml_async_task_release(struct gml_async_task *task);
/* Free all tasks of this worker. The threads of the pool must have ended. */
void gml_async_task_release_all(void);

#endif
