// SPDX-License-Identifier: Apache-2.0
/* A flight is one s3_call with the pool task that carries it. It is allocated outside the request's pool, because an
 * aborted call is freed on a thread after its request has gone.
 *
 *      gml_flight_new ── idle ──gml_flight_submit──► busy ──(loop)──► done(request)
 *                          └── gml_flight_release ──► freed at once, or on a thread when freeing may block */
#ifndef GML_NGINX_FLIGHT_H
#define GML_NGINX_FLIGHT_H

#include "door.h"

struct gml_request;

enum gml_flight_job {
	GML_JOB_WORK, /* s3_call_work until the call needs something else */
	GML_JOB_BODY, /* hand over `spans`; after the last one s3_call_body_end and the work it leads to */
	GML_JOB_RUN,   /* s3_call_run at run_pos, then bring its first bytes into the page cache */
	GML_JOB_WARM,  /* bring [warm_off, + warm_len) of the run's file into the page cache */
	GML_JOB_ABORT, /* undo what is unfinished; the call stays for the access log */
	GML_JOB_FREE,  /* abort what is unfinished, free the call */
};

enum { GML_FLIGHT_SPANS = 2 }; /* what came with the header, and one buffer */

struct gml_flight {
	ngx_queue_t link; /* live flights of this worker */
	ngx_thread_task_t task;
	struct gml_request *request; /* loop only; NULL once the request has gone */
	void (*done)(struct gml_request *request);
	struct s3_call *call;
	enum gml_flight_job job;

	/* operands and results: the thread's while busy, else the loop's */
	struct gml_span spans[GML_FLIGHT_SPANS];
	unsigned nspans;
	bool last; /* no more body after `spans` */
	bool stop; /* out: answer early */
	uint64_t run_pos;
	struct gml_run run;
	int run_rc;	   /* out */
	uint64_t warm_off; /* GML_JOB_WARM: offset in the file */
	uint64_t warm_len; /* GML_JOB_RUN: at most this many bytes of the run */

	bool busy;
	bool terminated; /* nginx gave the request up */
	bool finished;	 /* the answer is ready: freeing it does not undo anything */
	bool large;	 /* freeing may close the last reference to a large file */
};

/* NULL when out of memory. Owns `call`, also on failure. */
struct gml_flight *gml_flight_new(struct gml_request *request, struct s3_call *call);
/* Run `job` on a thread, then `done` on the loop (not if the request was terminated meanwhile). NGX_ERROR: the pool's
 * queue is full; nothing happened. */
ngx_int_t gml_flight_submit(struct gml_flight *flight, enum gml_flight_job job,
			    void (*done)(struct gml_request *request));
/* Frees flight and call; the flight must be idle. */
void gml_flight_release(struct gml_flight *flight);
/* Free every flight of this worker; no thread is left. */
void gml_flight_release_all(void);

#endif
