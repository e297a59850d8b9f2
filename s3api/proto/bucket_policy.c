// SPDX-License-Identifier: Apache-2.0
/* The policy of a bucket (PutBucketPolicy and the like). The store keeps the document as it came.
 * s3_check_bucket has asked whether the caller may do what the operation is about. */
#include "call.h"

#include <gemel/policy.h>
#include <stdlib.h>

enum s3_error s3_get_bucket_policy(struct s3_call *call)
{
	void *document;
	size_t len;
	int rc = gml_bucket_document_get(&call->op, call->config->store, call->bucket,
					 GML_BUCKET_POLICY, &document, &len);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? S3_ERR_NO_SUCH_BUCKET_POLICY : s3_error_from(rc);
	call->text = s3_arena_copy(&call->arena, gml_span_of(document, len));
	free(document);
	if (call->text.ptr == NULL)
		return S3_ERR_SERVICE_UNAVAILABLE;
	return s3_answer_text(call, 200, "application/json");
}

enum s3_error s3_get_bucket_policy_status(struct s3_call *call)
{
	bool is_public;
	int rc = gml_bucket_policy_status(&call->op, call->config->store, call->bucket, &is_public);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? S3_ERR_NO_SUCH_BUCKET_POLICY : s3_error_from(rc);
	s3_xml_begin(&call->xml, "PolicyStatus", true);
	s3_xml_bool(&call->xml, "IsPublic", is_public);
	s3_xml_close(&call->xml, "PolicyStatus");
	return s3_answer_xml(call, 200);
}

/* The first error becomes the message: it names the place. */
static void policy_fault(void *arg, const struct gml_policy_finding *finding)
{
	struct s3_call *call = arg;
	if (!finding->error || call->message)
		return;
	s3_refuse(call, S3_ERR_MALFORMED_POLICY, "%s%s%s", finding->place,
		  finding->place[0] ? ": " : "", finding->text);
}

enum s3_error s3_put_bucket_policy(struct s3_call *call)
{
	struct gml_span document = s3_body_text(call);
	int rc;
	if (document.len == 0)
		return S3_ERR_MISSING_REQUEST_BODY;
	rc = gml_policy_lint(GML_POLICY_BUCKET, document, call->bucket, policy_fault, call);
	if (rc == 0)
		rc = gml_bucket_document_set(&call->op, call->config->store, call->bucket,
					     GML_BUCKET_POLICY, document);
	return rc != 0 ? s3_error_from(rc) : s3_answer_empty(call, 204);
}

enum s3_error s3_delete_bucket_policy(struct s3_call *call)
{
	int rc = gml_bucket_document_set(&call->op, call->config->store, call->bucket,
					 GML_BUCKET_POLICY, gml_span_of(NULL, 0));
	return rc != 0 ? s3_error_from(rc) : s3_answer_empty(call, 204);
}
