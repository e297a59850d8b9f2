// SPDX-License-Identifier: Apache-2.0
/* PutObject: every possible refusal comes before the first byte; the object appears when its last
 * byte is verified and durable. */
#include "call.h"
#include "gateway/base/assert.h"

struct put_state {
	struct gml_object_new attrs;
	struct gml_conditions cond;
	struct gml_grants *grants; /* NULL: none are stated */
};

enum s3_error s3_put_error(struct s3_call *call, const struct gml_conditions *cond, int rc)
{
	if (rc == GML_ERR_PRECONDITION)
		s3_detail(call, "Condition",
			  gml_span_text(cond->if_none_match.ptr ? "If-None-Match" : "If-Match"));
	return s3_error_from(rc);
}

/* An early check of the conditions saves the upload; the publishing transaction decides. */
static enum s3_error put_check_conditions(struct s3_call *call, const struct gml_conditions *cond)
{
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_object *object = NULL;
	int rc;
	if (!cond->if_match.ptr && !cond->if_none_match.ptr)
		return S3_OK;
	rc = gml_object_open(&call->op, call->config->store, &ref, GML_OBJECT_FACTS, &object);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return S3_OK; /* the write itself reports it more precisely */
	rc = gml_conditions_check(cond, rc == 0 ? gml_object_info(object) : NULL, true);
	gml_object_close(object);
	return s3_put_error(call, cond, rc);
}

static enum s3_error put_finish(struct s3_call *call)
{
	struct put_state *state = call->state;
	struct gml_object_checksum checksum = {0};
	struct gml_object_info info;
	struct gml_put *put = call->body.put;
	struct gml_put_options options = {.md5 = s3_body_digest(call, GML_DIGEST_MD5),
					  .checksum = &checksum,
					  .attrs = &state->attrs,
					  .cond = &state->cond,
					  .grants = state->grants};
	int rc;
	gml_assert(put != NULL && call->body.received == call->body.expected);
	checksum.algorithm = (uint8_t)(call->body.integrity.algorithm != GML_CHECKSUM_NONE
					       ? call->body.integrity.algorithm
					       : GML_CHECKSUM_CRC64NVME);
	memcpy(checksum.value, s3_body_digest(call, checksum.algorithm),
	       gml_checksum_size(checksum.algorithm));
	call->body.put = NULL; /* gml_put_finish consumes it in any case */
	rc = gml_put_finish(&call->op, put, &options, &info);
	if (rc != 0)
		return s3_put_error(call, &state->cond, rc);
	s3_answer_etag(call, info.etag);
	s3_answer_checksum(call, &checksum, 0, true);
	return s3_answer_empty(call, 200);
}

/* Grants and tags that the request states take rights of their own. */
static enum s3_error put_check_stated(struct s3_call *call, const struct put_state *state)
{
	const struct gml_object_ref ref = s3_object_ref(call);
	bool tags = state->attrs.ntags > 0;
	if (!state->grants && !tags)
		return S3_OK;
	return s3_error_from(
		gml_put_may(&call->op, call->config->store, &ref, state->grants != NULL, tags));
}

enum s3_error s3_put_object(struct s3_call *call)
{
	struct put_state *state = s3_arena_alloc(&call->arena, sizeof(*state));
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_span value;
	enum s3_error error;
	if (!state)
		return S3_ERR_SERVICE_UNAVAILABLE;
	if (s3_param(call, "versionId", &value))
		return s3_refuse_argument(call, "versionId", value,
					  "This operation does not accept a version-id.");
	if (s3_param(call, "partNumber", &value))
		return s3_refuse_argument(call, "partNumber", value,
					  "A part number needs an uploadId.");
	call->state = state;
	call->work = put_finish;
	error = s3_meta_read(call, &state->attrs);
	if (!error)
		error = s3_conditions_write(call, &state->cond);
	if (!error)
		error = s3_grants_check(call, &state->grants);
	if (!error)
		error = s3_body_begin(call, false, call->config->object_size_max);
	if (!error)
		error = s3_body_want(call, GML_DIGEST_MD5);
	if (!error && call->body.integrity.algorithm == GML_CHECKSUM_NONE)
		error = s3_body_want(call, GML_CHECKSUM_CRC64NVME); /* S3's default */
	if (!error)
		error = s3_error_from(gml_put_begin(&call->op, call->config->store, &ref,
						    call->body.expected, &call->body.put));
	if (!error)
		error = put_check_stated(call, state);
	/* Only a caller that may write here learns whether the key exists. */
	if (!error)
		error = put_check_conditions(call, &state->cond);
	return error;
}
