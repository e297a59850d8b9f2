// SPDX-License-Identifier: Apache-2.0
/* The module: directives, and the life of its processes.
 *
 *      http {
 *          gemel_store PATH;  gemel_metadata_max BYTES;  gemel_region NAME;  gemel_domain NAME …;
 *          gemel_object_ownership NAME;
 *          gemel_threads N;  gemel_object_max BYTES;  gemel_nfs ADDRESS PORT;
 *          server { location / { gemel; } }
 *      } */
#include "frontend.h"

#include <sys/prctl.h>

extern ngx_module_t ngx_thread_pool_module;

enum { MODULE_THREADS = 64, MODULE_THREADS_MAX = 1024 };

static ngx_str_t module_pool_name = ngx_string("gemel");

/* ---- configuration --------------------------------------------------------- */

static void *module_create_conf(ngx_conf_t *cf)
{
	struct gml_frontend_conf *conf = ngx_pcalloc(cf->pool, sizeof(*conf));
	if (conf == NULL)
		return NULL;
	conf->object_max = NGX_CONF_UNSET;
	conf->metadata_max = NGX_CONF_UNSET;
	conf->object_ownership = NGX_CONF_UNSET_UINT;
	conf->threads = NGX_CONF_UNSET;
	return conf;
}

/* The pool is made by nginx's own directive: struct ngx_thread_pool_s is private to its file. */
static char *module_make_pool(ngx_conf_t *cf, struct gml_frontend_conf *conf)
{
	static ngx_str_t words[4] = {ngx_string("thread_pool"), ngx_string("gemel"),
				     ngx_null_string, ngx_string("max_queue=65536")};
	ngx_command_t *command = ngx_thread_pool_module.commands;
	ngx_array_t args = {words, 4, sizeof(ngx_str_t), 4, cf->pool}, *before = cf->args;
	u_char *threads;
	char *rc;

	conf->pool = ngx_thread_pool_get(cf->cycle, &module_pool_name);
	if (conf->pool != NULL)
		return NGX_CONF_OK; /* a thread_pool directive made it */
	threads = ngx_pnalloc(cf->pool, sizeof("threads=") + NGX_INT_T_LEN);
	if (threads == NULL)
		return NGX_CONF_ERROR;
	words[2].data = threads;
	words[2].len = (size_t)(ngx_sprintf(threads, "threads=%i", conf->threads) - threads);
	cf->args = &args;
	rc = command->set(cf, command, NULL);
	cf->args = before;
	if (rc == NGX_CONF_OK)
		conf->pool = ngx_thread_pool_get(cf->cycle, &module_pool_name);
	return rc;
}

static char *module_init_conf(ngx_conf_t *cf, void *arg)
{
	struct gml_frontend_conf *conf = arg;
	ngx_conf_init_value(conf->object_max, 0);
	ngx_conf_init_value(conf->metadata_max, 0);
	ngx_conf_init_uint_value(conf->object_ownership, GML_BUCKET_OWNER_ENFORCED);
	ngx_conf_init_value(conf->threads, MODULE_THREADS);
	if (conf->region.data == NULL) {
		ngx_str_set(&conf->region, "us-east-1"); /* two statements */
	}
	if (conf->domains != NULL) {
		const char **end = ngx_array_push(conf->domains);
		if (end == NULL)
			return NGX_CONF_ERROR;
		*end = NULL;
	}
	if (conf->threads < 1 || conf->threads > MODULE_THREADS_MAX) {
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "gemel_threads must be 1 to %d",
				   MODULE_THREADS_MAX);
		return NGX_CONF_ERROR;
	}
	if (!conf->used)
		return NGX_CONF_OK;
	if (conf->store.len == 0 || conf->store.data[0] != '/') {
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
				   "\"gemel\" needs \"gemel_store\" with an absolute path");
		return NGX_CONF_ERROR;
	}
	return module_make_pool(cf, conf);
}

static char *module_domain(ngx_conf_t *cf, ngx_command_t *cmd, void *arg)
{
	struct gml_frontend_conf *conf = arg;
	ngx_str_t *words = cf->args->elts;
	ngx_uint_t i;

	(void)cmd;
	if (conf->domains == NULL) {
		conf->domains = ngx_array_create(cf->pool, 4, sizeof(const char *));
		if (conf->domains == NULL)
			return NGX_CONF_ERROR;
	}
	for (i = 1; i < cf->args->nelts; i++) {
		const char **domain = ngx_array_push(conf->domains);
		if (domain == NULL)
			return NGX_CONF_ERROR;
		*domain = (const char *)words[i]
				  .data; /* nginx ends the words of its configuration with NUL */
	}
	return NGX_CONF_OK;
}

static char *module_nfs(ngx_conf_t *cf, ngx_command_t *cmd, void *arg)
{
	struct gml_frontend_conf *conf = arg;
	ngx_str_t *words = cf->args->elts;
	ngx_int_t port = ngx_atoi(words[2].data, words[2].len);

	(void)cmd;
	if (conf->nfs_address != NULL)
		return "is duplicate";
	if (port < 1 || port > 65535)
		return "needs a port from 1 to 65535";
	conf->nfs_address = (const char *)words[1].data; /* ends with NUL, as above */
	conf->nfs_port = (ngx_uint_t)port;
	return NGX_CONF_OK;
}

static char *module_location(ngx_conf_t *cf, ngx_command_t *cmd, void *arg)
{
	struct gml_frontend_conf *conf =
		ngx_http_conf_get_module_main_conf(cf, ngx_http_gemel_module);
	ngx_http_core_loc_conf_t *clcf =
		ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

	(void)cmd;
	(void)arg;
	conf->used = 1;
	clcf->handler = gml_request_handler;
	return NGX_CONF_OK;
}

static ngx_int_t module_postconfiguration(ngx_conf_t *cf)
{
	ngx_http_core_main_conf_t *cmcf =
		ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
	const struct gml_frontend_conf *conf =
		ngx_http_conf_get_module_main_conf(cf, ngx_http_gemel_module);
	ngx_http_handler_pt *handler;

	if (!conf->used)
		return NGX_OK;
	handler = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
	if (handler == NULL)
		return NGX_ERROR;
	*handler = gml_access_log_post_read;
	return gml_error_page_install(cf);
}

/* ---- processes ------------------------------------------------------------- */

static bool module_serves(void)
{
	return ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
}

/* A worker ends when its master is killed: else it would keep the port from the next master and
 * serve on, with nothing left to reload or stop it. */
static ngx_int_t module_follow_master(ngx_cycle_t *cycle)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
		ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
			      "prctl(PR_SET_PDEATHSIG) failed");
		return NGX_ERROR;
	}
	return getppid() == ngx_parent ? NGX_OK : NGX_ERROR; /* killed before that */
}

static ngx_int_t module_init_process(ngx_cycle_t *cycle)
{
	struct gml_frontend_conf *conf =
		ngx_http_cycle_get_module_main_conf(cycle, ngx_http_gemel_module);
	if (!module_serves() || conf == NULL || !conf->used)
		return NGX_OK;
	if (ngx_process == NGX_PROCESS_WORKER && module_follow_master(cycle) != NGX_OK)
		return NGX_ERROR;
	return gml_frontend_open(cycle, conf);
}

/* nginx has joined the pool's threads before: its thread-pool module comes before ours. */
static void module_exit_process(ngx_cycle_t *cycle)
{
	(void)cycle;
	if (!module_serves())
		return;
	gml_frontend_close();
	if (ngx_terminate)
		/* the time to finish is up: connections that are left are intended, no alert */
		ngx_exiting = 0;
}

static ngx_conf_enum_t module_ownerships[] = {
	{ngx_string("BucketOwnerEnforced"), GML_BUCKET_OWNER_ENFORCED},
	{ngx_string("BucketOwnerPreferred"), GML_BUCKET_OWNER_PREFERRED},
	{ngx_string("ObjectWriter"), GML_OBJECT_WRITER},
	{ngx_null_string, 0},
};

static ngx_command_t module_commands[] = {
	{ngx_string("gemel_store"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gml_frontend_conf, store), NULL},
	{ngx_string("gemel_metadata_max"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
	 ngx_conf_set_off_slot, NGX_HTTP_MAIN_CONF_OFFSET,
	 offsetof(struct gml_frontend_conf, metadata_max), NULL},
	{ngx_string("gemel_region"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gml_frontend_conf, region), NULL},
	{ngx_string("gemel_object_ownership"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
	 ngx_conf_set_enum_slot, NGX_HTTP_MAIN_CONF_OFFSET,
	 offsetof(struct gml_frontend_conf, object_ownership), module_ownerships},
	{ngx_string("gemel_domain"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, module_domain,
	 NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
	{ngx_string("gemel_threads"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_num_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gml_frontend_conf, threads), NULL},
	{ngx_string("gemel_object_max"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_off_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gml_frontend_conf, object_max), NULL},
	{ngx_string("gemel_nfs"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, module_nfs,
	 NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
	{ngx_string("gemel"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, module_location,
	 NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
	ngx_null_command,
};

static ngx_http_module_t module_http = {
	.preconfiguration = gml_access_log_install,
	.postconfiguration = module_postconfiguration,
	.create_main_conf = module_create_conf,
	.init_main_conf = module_init_conf,
};

ngx_module_t ngx_http_gemel_module = {
	NGX_MODULE_V1,
	&module_http,
	module_commands,
	NGX_HTTP_MODULE,
	NULL, /* init master */
	NULL, /* init module */
	module_init_process,
	NULL, /* init thread */
	NULL, /* exit thread */
	module_exit_process,
	NULL, /* exit master */
	NGX_MODULE_V1_PADDING,
};
