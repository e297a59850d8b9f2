// SPDX-License-Identifier: Apache-2.0
/* The state of one worker process: the open store, and the count of tasks on threads. */
#include "async_task.h"

enum { FRONTEND_RETRY_MS = 2000, FRONTEND_GUARD_MS = 60000 };

static struct {
	struct gml_store *store;
	struct s3_config *config;
	const struct gml_frontend_conf *conf;
	ngx_event_t retry;
	/* enum gml_err of the last failed attempt, so that each reason is logged once */
	int last_error;
	ngx_uint_t tasks;
	ngx_event_t guard;	 /* a timer that keeps the worker alive while tasks run */
	ngx_connection_t timers; /* owner of the timers: nginx's debug log reads its descriptor */
} frontend;

static void frontend_log(void *arg, enum gml_log_level level, const char *line)
{
	static const ngx_uint_t levels[] = {
		[GML_LOG_ERROR] = NGX_LOG_ERR,
		[GML_LOG_WARN] = NGX_LOG_WARN,
		[GML_LOG_INFO] = NGX_LOG_INFO,
		[GML_LOG_DEBUG] = NGX_LOG_DEBUG,
	};
	ngx_log_t *log = arg;

	ngx_log_error(levels[level], log, 0, "gemel: %s", line);
}

static int frontend_try(ngx_log_t *log)
{
	const struct gml_frontend_conf *conf = frontend.conf;
	struct gml_store_options store_options = {
		.meta_capacity = (uint64_t)conf->metadata_max, .log = frontend_log, .log_arg = log};
	struct s3_config_options options = {
		.region = (const char *)conf->region.data,
		.object_ownership = (enum gml_ownership)conf->object_ownership,
		.domains = conf->domains != NULL ? conf->domains->elts : NULL,
		.object_size_max = (uint64_t)conf->object_max,
		.nfs_address = conf->nfs_address,
		.nfs_port = (unsigned)conf->nfs_port,
		.log = frontend_log,
		.log_arg = log,
	};
	int rc = gml_store_open((const char *)conf->store.data, &store_options, &frontend.store);
	if (rc != 0)
		return rc;
	options.store = frontend.store;
	rc = s3_config_new(&options, &frontend.config);
	if (rc != 0) {
		gml_store_close(frontend.store);
		frontend.store = NULL;
		frontend.config = NULL;
	}
	return rc;
}

static void frontend_attempt(ngx_event_t *event)
{
	int rc = frontend_try(event->log);
	if (rc == 0) {
		if (frontend.last_error != 0)
			ngx_log_error(NGX_LOG_NOTICE, event->log, 0, "the store \"%V\" is open",
				      &frontend.conf->store);
		frontend.last_error = 0;
		return;
	}
	if (rc != frontend.last_error)
		ngx_log_error(
			NGX_LOG_CRIT, event->log, 0,
			"the store \"%V\" cannot be opened: %s; requests get 503 until it can",
			&frontend.conf->store, gml_err_text(rc));
	frontend.last_error = rc;
	ngx_add_timer(event, FRONTEND_RETRY_MS);
}

static void frontend_guard(ngx_event_t *event)
{
	ngx_add_timer(event, FRONTEND_GUARD_MS);
}

ngx_int_t gml_frontend_open(ngx_cycle_t *cycle, struct gml_frontend_conf *conf)
{
	frontend.conf = conf;
	frontend.timers.fd = (ngx_socket_t)-1;
	frontend.retry.handler = frontend_attempt;
	frontend.retry.log = cycle->log;
	frontend.retry.data = &frontend.timers;
	frontend.retry.cancelable = 1;
	frontend.guard.handler = frontend_guard;
	frontend.guard.log = cycle->log;
	frontend.guard.data = &frontend.timers;
	frontend.guard.cancelable = 1;
	ngx_add_timer(&frontend.guard, FRONTEND_GUARD_MS);
	frontend_attempt(&frontend.retry);
	return NGX_OK;
}

void gml_frontend_close(void)
{
	gml_async_task_release_all();
	s3_config_free(frontend.config);
	frontend.config = NULL;
	gml_store_close(frontend.store);
	frontend.store = NULL;
}

const struct s3_config *gml_frontend_config(void)
{
	return frontend.config;
}

ngx_thread_pool_t *gml_frontend_pool(void)
{
	return frontend.conf->pool;
}

void gml_frontend_task_begin(void)
{
	frontend.tasks++;
	frontend.guard.cancelable = 0;
}

void gml_frontend_task_end(void)
{
	frontend.tasks--;
	frontend.guard.cancelable = frontend.tasks == 0;
}
