// SPDX-License-Identifier: Apache-2.0
/* Life of a call: configuration, steps, errors into answers, content runs. */
#include "call.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "gateway/base/assert.h"

#define CALL_OBJECT_SIZE_MAX ((uint64_t)5 << 30)
#define CALL_XML_BODY_MAX (2u << 20)
/* unread body that is still worth reading to keep the connection */
#define CALL_DRAIN_MAX (1 << 20)

_Static_assert(sizeof(((struct s3_call *)NULL)->request_id) == 17, "what s3_request_id writes");
_Static_assert(sizeof(((struct s3_call *)NULL)->request_id) ==
		       sizeof(((struct s3_call *)NULL)->op.request_id),
	       "the core logs the same id");

/* ---- configuration ---- */

static int config_copy_names(const char *const *names, char ***out)
{
	size_t n = 0;
	char **copy;
	while (names && names[n])
		n++;
	copy = *out = calloc(n + 1, sizeof(char *));
	if (!copy)
		return GML_ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = strdup(names[i]);
		if (!copy[i])
			return GML_ERR_NOMEM;
	}
	return 0;
}

static void config_free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

/* Names by which a client on the machine, or one that uses the machine's name, reaches the server
 * without configuration. */
static int config_own_names(char ***out)
{
	char name[HOST_NAME_MAX + 1] = "";
	const char *const names[] = {"localhost", name, NULL};
	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = 0; /* matches nothing */
	return config_copy_names(names, out);
}

static int config_fill(struct s3_config *config, const struct s3_config_options *options)
{
	int rc = config_copy_names(options->domains, &config->domains);
	if (rc == 0)
		rc = config_own_names(&config->own_names);
	config->region = strdup(options->region);
	config->server_id = strdup(options->server_id ? options->server_id : "Gemel");
	config->hasher = s3_hasher_new(0);
	config->signing_keys = auth_key_cache_new();
	config->health = s3_health_new(options->store, options->nfs_address, options->nfs_port);
	if (!config->region || !config->server_id || !config->hasher || !config->signing_keys ||
	    !config->health)
		rc = GML_ERR_NOMEM;
	return rc;
}

int s3_config_new(const struct s3_config_options *options, struct s3_config **out)
{
	struct s3_config *config;
	*out = NULL;
	if (!options->store || !options->region || !options->region[0])
		return GML_ERR_INVAL;
	config = calloc(1, sizeof(*config));
	if (!config)
		return GML_ERR_NOMEM;
	config->store = options->store;
	config->object_size_max =
		options->object_size_max ? options->object_size_max : CALL_OBJECT_SIZE_MAX;
	config->xml_body_max = options->xml_body_max ? options->xml_body_max : CALL_XML_BODY_MAX;
	config->object_ownership = options->object_ownership;
	config->log = options->log;
	config->log_arg = options->log_arg;
	if (config_fill(config, options) != 0) {
		s3_config_free(config);
		return GML_ERR_NOMEM;
	}
	*out = config;
	return 0;
}

void s3_config_free(struct s3_config *config)
{
	if (!config)
		return;
	s3_health_free(config->health);
	config_free_names(config->domains);
	config_free_names(config->own_names);
	s3_hasher_free(config->hasher);
	auth_key_cache_free(config->signing_keys);
	free(config->region);
	free(config->server_id);
	free(config);
}

/* ---- steps ---- */

/* Answer with an error in place of any prepared answer. A body that is not read completely ends the
 * connection, unless it is short. */
static void call_fail(struct s3_call *call, enum s3_error error)
{
	bool unread = call->body_length != 0 && call->body_length != (int64_t)call->body.wire;
	s3_body_release(call);
	call->step = S3_RESPOND;
	s3_answer_error(call, error);
	call->response.close =
		unread && (call->body_length < 0 || call->body_length > CALL_DRAIN_MAX);
}

/* What a handler of that mode leaves behind with S3_OK: the answer, or the next step and its
 * work. */
static bool call_is_begun(const struct s3_call *call, enum s3_mode mode)
{
	switch (mode) {
	case S3_MODE_NOW:
		return call->step == S3_RESPOND || (call->step == S3_WORK && call->work);
	case S3_MODE_WORK:
		return call->step == S3_WORK && call->work;
	case S3_MODE_XML:
		return call->step == S3_BODY && call->work && call->body.collect;
	case S3_MODE_BODY:
		return call->step == S3_BODY && call->work && call->body.put;
	case S3_MODE_NONE:
	case S3_MODE_ABSENT:
		break;
	}
	return false;
}

static enum s3_error call_start_operation(struct s3_call *call)
{
	const struct s3_operation *operation = call->operation;
	switch (operation->mode) {
	case S3_MODE_NONE:
		return S3_ERR_NOT_IMPLEMENTED;
	case S3_MODE_ABSENT:
		return operation->absent;
	case S3_MODE_NOW:
	case S3_MODE_BODY:
		return operation->handler(call);
	case S3_MODE_WORK:
		call->work = operation->handler;
		call->step = S3_WORK;
		return S3_OK;
	case S3_MODE_XML:
		call->work = operation->handler;
		return s3_body_begin(call, true, call->config->xml_body_max);
	}
	return S3_ERR_INTERNAL_ERROR;
}

static enum s3_error call_start(struct s3_call *call, const struct s3_request *request)
{
	enum s3_error error = s3_request_read(call, request);
	if (!error && call->operation)
		return call_start_operation(call); /* s3_health_asked found it */
	gml_assert(error || (call->bucket.len > 0) == (call->scope != S3_SERVICE));
	if (!error)
		error = s3_route(call);
	if (!error)
		error = s3_authenticate(call);
	gml_assert(error || call->authenticated != call->anonymous);
	if (!error)
		error = s3_check_supported(call);
	if (!error)
		error = s3_check_bucket(call);
	if (!error)
		error = call_start_operation(call);
	gml_assert(error || call_is_begun(call, call->operation->mode));
	return !error && call->arena.failed ? S3_ERR_SERVICE_UNAVAILABLE : error;
}

struct s3_call *s3_call_new(const struct s3_config *config, const struct s3_request *request)
{
	struct s3_call *call = malloc(sizeof(*call));
	enum s3_error error;
	if (!call)
		return NULL;
	memset(call, 0, offsetof(struct s3_call, first_headers));
	s3_arena_init(&call->arena, call->first, sizeof(call->first));
	call->config = config;
	call->step = S3_RESPOND;
	call->now = time(NULL);
	s3_request_id(call->request_id);
	call->op = (struct gml_op){.context = {.protocol = GML_PROTOCOL_S3,
					       .condition = s3_condition,
					       .condition_arg = call},
				   .handle = {.found = true},
				   .log = config->log,
				   .log_arg = config->log_arg};
	memcpy(call->op.request_id, call->request_id, sizeof(call->request_id));
	s3_answer_begin(call);
	error = call_start(call, request);
	if (error)
		call_fail(call, error);
	return call;
}

enum s3_step s3_call_step(const struct s3_call *call)
{
	return call->step;
}

static void call_run_work(struct s3_call *call)
{
	enum s3_error error = call->work(call);
	gml_assert(error || call->step == S3_RESPOND); /* call.h, invariant 1 */
	gml_assert(error || call->body.put == NULL);   /* no success without what was sent */
	if (!error && call->arena.failed)
		error = S3_ERR_SERVICE_UNAVAILABLE;
	if (error)
		call_fail(call, error);
	else
		s3_body_release(call);
	call->step = S3_RESPOND;
}

void s3_call_work(struct s3_call *call)
{
	gml_assert(call->step == S3_WORK);
	if (call->step == S3_WORK)
		call_run_work(call);
}

int s3_call_body(struct s3_call *call, const void *buf, size_t len)
{
	enum s3_error error;
	if (call->step != S3_BODY)
		return 1;
	error = s3_body_feed(call, buf, len);
	if (!error)
		return 0;
	call_fail(call, error);
	return 1;
}

void s3_call_body_end(struct s3_call *call)
{
	enum s3_error error;
	if (call->step != S3_BODY)
		return;
	call->body_length = (int64_t)call->body.wire; /* all of it was read */
	error = s3_body_end(call);
	if (!error)
		error = s3_authenticate_again(call);
	if (error)
		call_fail(call, error);
	else
		call_run_work(call);
}

void s3_call_abort(struct s3_call *call)
{
	if (call->step == S3_RESPOND)
		return;
	call->message = NULL;
	call->ndetails = 0;
	call_fail(call, S3_ERR_REQUEST_TIMEOUT);
	call->response.close = true;
}

void s3_call_free(struct s3_call *call)
{
	if (!call)
		return;
	s3_body_release(call);
	gml_object_close(call->object);
	s3_xml_release(&call->xml);
	if (call->stream)
		explicit_bzero(call->stream, sizeof(*call->stream));
	s3_arena_release(&call->arena);
	free(call);
}

/* ---- the answer ---- */

const struct s3_response *s3_call_response(const struct s3_call *call)
{
	return &call->response;
}

static int call_object_run(struct s3_call *call, uint64_t pos, struct gml_run *out)
{
	int rc;
	if (pos >= call->range_len)
		return GML_ERR_INVAL;
	/* Bounds the descriptors of an object of many parts. */
	gml_object_run_release(call->object, call->range_off + pos);
	rc = gml_object_run(call->object, call->range_off + pos, call->range_len - pos, out);
	gml_assert(rc != 0 || (out->len > 0 && out->len <= call->range_len - pos));
	return rc;
}

int s3_call_run(struct s3_call *call, uint64_t pos, struct gml_run *out)
{
	struct gml_span text;
	gml_assert(call->step == S3_RESPOND && call->response.has_body);
	switch (call->content) {
	case S3_CONTENT_NONE:
		return GML_ERR_INVAL;
	case S3_CONTENT_OBJECT:
		return call_object_run(call, pos, out);
	case S3_CONTENT_XML:
	case S3_CONTENT_TEXT:
		text = call->content == S3_CONTENT_XML ? gml_span_of(call->xml.buf, call->xml.len)
						       : call->text;
		if (pos >= text.len)
			return GML_ERR_INVAL;
		*out = (struct gml_run){
			.fd = -1, .mem = gml_span_chars(text) + pos, .len = text.len - pos};
		return 0;
	}
	return GML_ERR_INVAL;
}

bool s3_call_run_blocks(const struct s3_call *call, uint64_t pos)
{
	return call->content == S3_CONTENT_OBJECT && pos > 0 &&
	       gml_object_info(call->object)->nparts > 1;
}

void s3_call_log_info(const struct s3_call *call, struct s3_log_info *out)
{
	*out = (struct s3_log_info){
		.operation = call->operation ? call->operation->name : "Unknown",
		.error_code = call->error ? s3_error_code(call->error) : NULL,
		.request_id = call->request_id,
		.user = call->authenticated ? call->user.name : NULL,
		.auth = call->auth,
		.access_key = call->access_key,
		.bucket = call->bucket,
		.key = call->key,
	};
}
