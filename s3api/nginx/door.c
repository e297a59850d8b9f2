// SPDX-License-Identifier: Apache-2.0
/* What one worker process has: the open store, and the count of tasks on threads. */
#include "flight.h"

enum { DOOR_RETRY_MS = 2000, DOOR_GUARD_MS = 60000 };

static struct {
	struct gml_store *store;
	struct s3_config *config;
	const struct gml_door_conf *conf;
	ngx_event_t retry;
	int last_error; /* enum gml_err of the last failed attempt, so that each reason is logged once */
	ngx_uint_t tasks;
	ngx_event_t guard; /* a timer that exists and counts while tasks run */
	ngx_connection_t
		timers; /* the timers' owner: nginx's debug log looks for a descriptor there */
} door;

static void door_log(void *arg, enum gml_log_level level, const char *line)
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

static int door_try(ngx_log_t *log)
{
	const struct gml_door_conf *conf = door.conf;
	struct gml_store_options store_options = {
		.meta_capacity = (uint64_t)conf->map_size, .log = door_log, .log_arg = log};
	struct s3_config_options options = {
		.region = (const char *)conf->region.data,
		.domains = conf->domains != NULL ? conf->domains->elts : NULL,
		.object_size_max = (uint64_t)conf->object_max,
		.nfs_address = conf->nfs_address,
		.nfs_port = (unsigned)conf->nfs_port,
		.log = door_log,
		.log_arg = log,
	};
	int rc = gml_store_open((const char *)conf->store.data, &store_options, &door.store);
	if (rc != 0)
		return rc;
	options.store = door.store;
	rc = s3_config_new(&options, &door.config);
	if (rc != 0) {
		gml_store_close(door.store);
		door.store = NULL;
		door.config = NULL;
	}
	return rc;
}

static void door_attempt(ngx_event_t *event)
{
	int rc = door_try(event->log);
	if (rc == 0) {
		if (door.last_error != 0)
			ngx_log_error(NGX_LOG_NOTICE, event->log, 0, "the store \"%V\" is open",
				      &door.conf->store);
		door.last_error = 0;
		return;
	}
	if (rc != door.last_error)
		ngx_log_error(
			NGX_LOG_CRIT, event->log, 0,
			"the store \"%V\" cannot be opened: %s; requests get 503 until it can",
			&door.conf->store, gml_err_text(rc));
	door.last_error = rc;
	ngx_add_timer(event, DOOR_RETRY_MS);
}

static void door_guard(ngx_event_t *event)
{
	ngx_add_timer(event, DOOR_GUARD_MS);
}

ngx_int_t gml_door_open(ngx_cycle_t *cycle, struct gml_door_conf *conf)
{
	door.conf = conf;
	door.timers.fd = (ngx_socket_t)-1;
	door.retry.handler = door_attempt;
	door.retry.log = cycle->log;
	door.retry.data = &door.timers;
	door.retry.cancelable = 1;
	door.guard.handler = door_guard;
	door.guard.log = cycle->log;
	door.guard.data = &door.timers;
	door.guard.cancelable = 1;
	ngx_add_timer(&door.guard, DOOR_GUARD_MS);
	door_attempt(&door.retry);
	return NGX_OK;
}

void gml_door_close(void)
{
	gml_flight_release_all();
	s3_config_free(door.config);
	door.config = NULL;
	gml_store_close(door.store);
	door.store = NULL;
}

const struct s3_config *gml_door_config(void)
{
	return door.config;
}

ngx_thread_pool_t *gml_door_pool(void)
{
	return door.conf->pool;
}

void gml_door_task_begin(void)
{
	door.tasks++;
	door.guard.cancelable = 0;
}

void gml_door_task_end(void)
{
	door.tasks--;
	door.guard.cancelable = door.tasks == 0;
}
