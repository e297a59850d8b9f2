// SPDX-License-Identifier: Apache-2.0
/* The S3 door inside an nginx worker: an adapter between nginx and s3api/proto, and nothing else.
 *
 * Invariants
 *  1. The store is opened in workers only (init_process), never in the master or in helper processes.
 *  2. Threads of the pool never touch an nginx request, connection or pool: they see a flight's call and its operands
 * (flight.h).
 *  3. While a flight is busy its call belongs to the thread, and the request is held by r->main->blocked.
 *  4. A request is finalized only while its flight is idle; failures that happen meanwhile wait for the thread.
 *  5. The call, and with it all borrowed content, lives until the request's pool goes: access logs read it.
 *
 * Everything here runs on the event loop and does not block, unless it says otherwise. */
#ifndef GML_NGINX_DOOR_H
#define GML_NGINX_DOOR_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "s3api/proto/s3.h"

#if !(NGX_THREADS)
#error "the S3 door needs an nginx built --with-threads"
#endif

extern ngx_module_t ngx_http_gemel_module;

/* http{} level configuration: one store per nginx. */
struct gml_door_conf {
	ngx_str_t store, region;
	ngx_array_t *
		domains; /* of const char *, NULL-terminated once the configuration is read; NULL: none */
	const char *nfs_address; /* of the NFS door, NULL: none */
	ngx_uint_t nfs_port;
	off_t object_max; /* bytes per PUT; 0: S3's limit */
	off_t map_size;	  /* bytes of address space for metadata; 0: the default */
	ngx_int_t threads;
	ngx_uint_t used; /* some location serves S3 */
	ngx_thread_pool_t *pool;
};

/* Open the store of this worker; while that fails, try again every few seconds (requests get 503 meanwhile). */
ngx_int_t gml_door_open(ngx_cycle_t *cycle, struct gml_door_conf *conf);
/* The pool's threads are gone: free what is in flight, close the store. */
void gml_door_close(void);
/* The worker's S3 configuration; NULL while the store is not open. */
const struct s3_config *gml_door_config(void);
ngx_thread_pool_t *gml_door_pool(void);
/* Count of tasks on threads, kept so that a worker that is told to quit waits for them (nginx < 1.25.4 leaves when no
 * timer is left). */
void gml_door_task_begin(void);
void gml_door_task_end(void);

/* Content handler of a location with `gemel;`. */
ngx_int_t gml_request_handler(ngx_http_request_t *r);

/* Turns every error page of nginx into an S3 XML document with a request id. */
ngx_int_t gml_errdoc_install(ngx_conf_t *cf);

/* $gemel_line, the access log's line; and error log lines without signatures. */
ngx_int_t gml_logline_install(ngx_conf_t *cf);
ngx_int_t gml_logline_post_read(ngx_http_request_t *r);

#endif
