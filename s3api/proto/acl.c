// SPDX-License-Identifier: Apache-2.0
/* ACLs as of buckets with "bucket owner enforced": the owner has full control, and there are no
 * other grants. Rights are mode bits, which S3's ACLs cannot express. Setting the present ACL
 * succeeds ("Controlling ownership of objects", S3 user guide); any other is refused. */
#include "call.h"
#include "gateway/base/assert.h"

#define ACL_ELEMENTS_MAX 256

/* Whose the bucket or object is, if the caller may do what the operation is about. */
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
	struct s3_xml *xml = &call->xml;
	uint32_t uid;
	enum s3_error error = acl_owner(call, &uid);
	if (error)
		return error;
	s3_xml_begin(xml, "AccessControlPolicy", true);
	s3_xml_owner(call, xml, "Owner", uid);
	s3_xml_open(xml, "AccessControlList");
	s3_xml_open(xml, "Grant");
	s3_xml_owner(call, xml,
		     "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		     "xsi:type=\"CanonicalUser\"",
		     uid);
	s3_xml_string(xml, "Permission", "FULL_CONTROL");
	s3_xml_close(xml, "Grant");
	s3_xml_close(xml, "AccessControlList");
	s3_xml_close(xml, "AccessControlPolicy");
	return s3_answer_xml(call, 200);
}

/* One grant, full control, to the owner. */
static enum s3_error acl_check_grant(const struct s3_doc *doc, s3_node grant, uint32_t uid)
{
	s3_node grantee, permission, id, name, email, uri;
	const struct s3_doc_field in_grant[] = {{"Grantee", &grantee}, {"Permission", &permission}};
	const struct s3_doc_field in_grantee[] = {
		{"ID", &id}, {"DisplayName", &name}, {"EmailAddress", &email}, {"URI", &uri}};
	enum s3_error error = s3_doc_fields(doc, grant, in_grant, 2);
	if (!error)
		error = s3_doc_fields(doc, grantee, in_grantee, 4);
	if (error || !grantee || !permission)
		return S3_ERR_MALFORMED_XML;
	if (!id || !s3_owner_matches(gml_span_trim_space(s3_doc_text(doc, id)), uid) ||
	    !gml_span_is(gml_span_trim_space(s3_doc_text(doc, permission)), "FULL_CONTROL"))
		return S3_ERR_ACL_NOT_SUPPORTED;
	return S3_OK;
}

static enum s3_error acl_check(const struct s3_doc *doc, uint32_t uid)
{
	s3_node owner, list, id, name, grant;
	const struct s3_doc_field in_root[] = {{"Owner", &owner}, {"AccessControlList", &list}};
	const struct s3_doc_field in_owner[] = {{"ID", &id}, {"DisplayName", &name}};
	enum s3_error error =
		s3_doc_fields(doc, s3_doc_root(doc, "AccessControlPolicy"), in_root, 2);
	if (!error)
		error = s3_doc_fields(doc, owner, in_owner, 2);
	if (!error)
		error = s3_doc_list(doc, list, "Grant");
	if (error || !list)
		return S3_ERR_MALFORMED_XML;
	grant = s3_doc_child(doc, list, NULL);
	if (!grant || (id && !s3_owner_matches(gml_span_trim_space(s3_doc_text(doc, id)), uid)))
		return S3_ERR_ACL_NOT_SUPPORTED;
	for (; grant && !error; grant = s3_doc_next(doc, grant, NULL))
		error = acl_check_grant(doc, grant, uid);
	return error;
}

enum s3_error s3_put_acl(struct s3_call *call)
{
	struct s3_doc *doc = NULL;
	uint32_t uid;
	enum s3_error error = acl_owner(call, &uid);
	if (error)
		return error;
	/* unsupported.c has refused every other canned ACL. */
	if (call->body.len == 0)
		return s3_has_header(call, "x-amz-acl") ? s3_answer_empty(call, 200)
							: S3_ERR_MISSING_REQUEST_BODY;
	error = s3_doc_parse(s3_body_text(call), ACL_ELEMENTS_MAX, &doc);
	if (!error)
		error = acl_check(doc, uid);
	s3_doc_free(doc);
	return error ? error : s3_answer_empty(call, 200);
}
