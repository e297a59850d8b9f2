// SPDX-License-Identifier: Apache-2.0
/* GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl. */
#include "call.h"
#include "gateway/base/assert.h"

/* Whose the bucket or object is, if the caller may set its grants. */
static enum s3_error acl_owner(struct s3_call *call, uint32_t *uid_out)
{
	enum s3_error error;
	if (call->scope == S3_OBJECT) {
		error = s3_object_find(call, call->operation->action);
		if (!error)
			*uid_out = gml_object_info(call->object)->uid;
		return error;
	}
	gml_assert(call->target != NULL); /* s3_check_bucket: the operation has an action */
	*uid_out = call->target->uid;
	return S3_OK;
}

enum s3_error s3_get_acl(struct s3_call *call)
{
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_grants *grants = s3_arena_alloc(&call->arena, sizeof(*grants));
	enum s3_error error = call->scope == S3_OBJECT ? s3_check_version(call) : S3_OK;
	uint32_t uid;
	int rc;
	if (!grants)
		return S3_ERR_SERVICE_UNAVAILABLE;
	if (error)
		return error;
	rc = call->scope == S3_OBJECT
		     ? gml_object_grants_get(&call->op, call->config->store, &ref, grants, &uid)
		     : gml_bucket_grants_get(&call->op, call->config->store, call->bucket,
					     call->operation->action, grants, &uid);
	if (rc != 0)
		return s3_error_from(rc);
	s3_grants_write(call, grants, uid);
	return s3_answer_xml(call, 200);
}

static enum s3_error acl_read(struct s3_call *call, uint32_t uid, struct gml_grants **out)
{
	enum s3_error error = s3_grants_read_headers(call, out);
	if (error)
		return error;
	if (call->body.len == 0)
		return *out ? S3_OK : S3_ERR_MISSING_REQUEST_BODY;
	if (*out)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "An ACL is in the headers or in the body, not in both.");
	return s3_grants_read_body(call, uid, out);
}

enum s3_error s3_put_acl(struct s3_call *call)
{
	struct gml_object_ref ref = s3_object_ref(call);
	struct gml_grants *grants;
	uint32_t uid;
	enum s3_error error = acl_owner(call, &uid);
	int rc;
	if (!error)
		error = acl_read(call, uid, &grants);
	if (error)
		return error;
	rc = call->scope == S3_OBJECT
		     ? gml_object_grants_set(&call->op, call->config->store, &ref, grants)
		     : gml_bucket_grants_set(&call->op, call->config->store, call->bucket, grants);
	return rc != 0 ? s3_error_from(rc) : s3_answer_empty(call, 200);
}
