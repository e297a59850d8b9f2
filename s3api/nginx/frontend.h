// SPDX-License-Identifier: Apache-2.0
/* The S3 frontend inside an nginx worker: an adapter between nginx and s3api/proto, and nothing
 * else.
 *
 * Invariants
 *  1. The store is opened in workers only (init_process), never in the master or in helper
 *     processes.
 *  2. Threads of the pool never touch an nginx request, connection or pool: they use only the call
 *     of an async task and its operands (async_task.h).
 *  3. While a task is busy, its call belongs to the thread, and r->main->blocked keeps the request
 *     alive.
 *  4. A request is finalized only while its task is idle. A failure that happens meanwhile is
 *     handled when the task completes.
 *  5. The call, and with it all borrowed content, lives until the request's pool is destroyed: the
 *     access log reads it.
 *
 * Functions run on the event loop and do not block, unless their comments say otherwise. */
#ifndef GML_NGINX_FRONTEND_H
#define GML_NGINX_FRONTEND_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "s3api/proto/s3.h"

#if !(NGX_THREADS)
#error "the S3 module needs an nginx built --with-threads"
#endif

extern ngx_module_t ngx_http_gemel_module;

/* http{} level configuration: one store per nginx. */
struct gml_frontend_conf {
	ngx_str_t store, region;
	ngx_uint_t object_ownership; /* enum gml_ownership */
	/* of const char *, NULL-terminated once the configuration is read; NULL: none */
	ngx_array_t *domains;
	const char *nfs_address; /* where NFS is served; NULL: nowhere */
	ngx_uint_t nfs_port;
	off_t object_max;   /* bytes per PUT; 0: S3's limit */
	off_t metadata_max; /* bytes of address space for metadata; 0: the default */
	ngx_int_t threads;
	ngx_uint_t used; /* a location has the directive `gemel` */
	ngx_thread_pool_t *pool;
};

/* Open the store of this worker. On failure it is tried again every 2 s; requests get 503
 * meanwhile. */
ngx_int_t gml_frontend_open(ngx_cycle_t *cycle, struct gml_frontend_conf *conf);
/* The pool's threads are gone: free what is in task, close the store. */
void gml_frontend_close(void);
/* The worker's S3 configuration; NULL while the store is not open. */
const struct s3_config *gml_frontend_config(void);
ngx_thread_pool_t *gml_frontend_pool(void);
/* Count the tasks on threads, so that a worker that is to quit waits for them (nginx < 1.25.4 ends
 * as soon as no timer is left). */
void gml_frontend_task_begin(void);
void gml_frontend_task_end(void);

/* Content handler of a location with `gemel;`. */
ngx_int_t gml_request_handler(ngx_http_request_t *r);

/* Replace every error page of nginx by an S3 XML document with a request id. */
ngx_int_t gml_error_page_install(ngx_conf_t *cf);

/* Define $gemel_line, the line of the access log, and keep signatures out of error log lines. */
ngx_int_t gml_access_log_install(ngx_conf_t *cf);
ngx_int_t gml_access_log_post_read(ngx_http_request_t *r);

#endif
