// SPDX-License-Identifier: Apache-2.0
/* Run calls on pool threads and return to the event loop. */
#include "request.h"

static ngx_queue_t task_live = {&task_live, &task_live};

enum { TASK_WARM_STEP = 128 * 1024 };

/* Thread. Only reading is sure to fill the page cache: readahead(2) and posix_fadvise(2) are
 * hints. */
static void task_warm(int fd, uint64_t off, uint64_t len)
{
	char *scratch;
	if (fd < 0)
		return;
	scratch = malloc(TASK_WARM_STEP);
	if (scratch == NULL)
		return; /* the event loop will wait for the disk instead */
	while (len > 0) {
		ssize_t got = pread(fd, scratch, ngx_min(len, TASK_WARM_STEP), (off_t)off);
		if (got <= 0)
			break; /* sendfile reports the same error */
		off += (uint64_t)got;
		len -= (uint64_t)got;
	}
	free(scratch);
}

/* Thread. */
static void task_body(struct gml_async_task *task)
{
	unsigned i;
	for (i = 0; i < task->nspans && !task->stop; i++)
		task->stop = s3_call_body(task->call, task->spans[i].ptr, task->spans[i].len) != 0;
	if (task->stop || !task->last)
		return;
	s3_call_body_end(task->call);
	while (s3_call_step(task->call) == S3_WORK)
		s3_call_work(task->call);
}

/* Thread. */
static void task_run(struct gml_async_task *task)
{
	task->run_rc = s3_call_run(task->call, task->run_pos, &task->run);
	if (task->run_rc == 0)
		task_warm(task->run.fd, task->run.file_off, ngx_min(task->warm_len, task->run.len));
}

static void task_abort(struct gml_async_task *task)
{
	if (task->call != NULL && !task->finished)
		s3_call_abort(task->call);
	task->finished = true;
}

static void task_destroy_call(struct gml_async_task *task)
{
	task_abort(task);
	s3_call_free(task->call);
	task->call = NULL;
}

/* Thread: entry of every task. */
static void task_perform(void *arg, ngx_log_t *log)
{
	struct gml_async_task *task = arg;
	(void)log;
	switch (task->job) {
	case GML_JOB_WORK:
		while (s3_call_step(task->call) == S3_WORK)
			s3_call_work(task->call);
		break;
	case GML_JOB_BODY:
		task_body(task);
		break;
	case GML_JOB_RUN:
		task_run(task);
		break;
	case GML_JOB_WARM:
		task_warm(task->run.fd, task->warm_off, task->warm_len);
		break;
	case GML_JOB_ABORT:
		task_abort(task);
		break;
	case GML_JOB_FREE:
		task_destroy_call(task);
		break;
	}
}

static void task_forget(struct gml_async_task *task)
{
	ngx_queue_remove(&task->link);
	free(task);
}

/* Event loop: the pool reports that the task has ended. */
static void task_completed(ngx_event_t *event)
{
	struct gml_async_task *task = event->data;
	ngx_http_request_t *r;
	ngx_connection_t *c;

	gml_frontend_task_end();
	task->busy = false;
	if (task->request == NULL) {
		task_forget(task);
		return;
	}
	r = task->request->r;
	c = r->connection;
	ngx_http_set_log_request(c->log, r);
	r->main->blocked--;
	r->aio = 0;
	if (task->terminated)
		/* nginx left its finalizer there when it found the request blocked */
		r->write_event_handler(r);
	else
		task->done(task->request);
	ngx_http_run_posted_requests(c);
}

struct gml_async_task *gml_async_task_new(struct gml_request *request, struct s3_call *call)
{
	struct gml_async_task *task = calloc(1, sizeof(*task));
	if (task == NULL) {
		s3_call_free(call);
		return NULL;
	}
	task->request = request;
	task->call = call;
	task->pool_task.ctx = task;
	task->pool_task.handler = task_perform;
	task->pool_task.event.data = task;
	task->pool_task.event.handler = task_completed;
	task->pool_task.event.log = ngx_cycle->log;
	ngx_queue_insert_tail(&task_live, &task->link);
	return task;
}

static ngx_int_t task_post(struct gml_async_task *task, enum gml_async_job job)
{
	task->job = job;
	task->busy = true;
	task->pool_task.event.complete = 0;
	if (ngx_thread_task_post(gml_frontend_pool(), &task->pool_task) != NGX_OK) {
		task->busy = false;
		task->pool_task.event.active = 0;
		return NGX_ERROR;
	}
	gml_frontend_task_begin();
	return NGX_OK;
}

ngx_int_t gml_async_task_submit(struct gml_async_task *task, enum gml_async_job job,
				void (*done)(struct gml_request *request))
{
	ngx_http_request_t *r = task->request->r;

	task->done = done;
	if (task_post(task, job) != NGX_OK)
		return NGX_ERROR;
	r->main->blocked++;
	r->aio = 1;
	return NGX_OK;
}

void gml_async_task_release(struct gml_async_task *task)
{
	task->request = NULL;
	if ((!task->finished || task->large) && task_post(task, GML_JOB_FREE) == NGX_OK)
		return;
	task_destroy_call(task);
	task_forget(task);
}

void gml_async_task_release_all(void)
{
	while (!ngx_queue_empty(&task_live)) {
		struct gml_async_task *task =
			ngx_queue_data(ngx_queue_head(&task_live), struct gml_async_task, link);
		task_destroy_call(task);
		task_forget(task);
	}
}
