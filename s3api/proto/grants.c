// SPDX-License-Identifier: Apache-2.0
/* Grants in requests and answers: x-amz-acl, x-amz-grant-…, <AccessControlPolicy> (S3 User Guide,
 * "Access control list (ACL) overview"). */
#include "call.h"

#define GRANTS_ELEMENTS_MAX (16 + GML_GRANTS_MAX * 8)
#define GRANTS_URI "http://acs.amazonaws.com/groups/"

static const struct {
	const char *name;
	uint32_t permits;
	const char *header;
} grants_permissions[] = {
	{"READ", GML_GRANT_READ, "x-amz-grant-read"},
	{"WRITE", GML_GRANT_WRITE, "x-amz-grant-write"},
	{"READ_ACP", GML_GRANT_READ_ACP, "x-amz-grant-read-acp"},
	{"WRITE_ACP", GML_GRANT_WRITE_ACP, "x-amz-grant-write-acp"},
	{"FULL_CONTROL", GML_GRANT_FULL_CONTROL, "x-amz-grant-full-control"},
};
#define GRANTS_PERMISSIONS (sizeof(grants_permissions) / sizeof(grants_permissions[0]))

static const struct {
	enum gml_grantee who;
	const char *uri;
} grants_groups[] = {{GML_GRANTEE_EVERYONE, GRANTS_URI "global/AllUsers"},
		     {GML_GRANTEE_AUTHENTICATED, GRANTS_URI "global/AuthenticatedUsers"}};
#define GRANTS_GROUPS (sizeof(grants_groups) / sizeof(grants_groups[0]))

/* Besides full control for the owner. The canned ACLs for Amazon EC2 and for the delivery of logs
 * name callers that do not exist here. */
static const struct {
	const char *name;
	struct gml_grant more[2];
	bool objects; /* of a bucket it is `private` */
} grants_canned[] = {
	{"private", {{.permits = 0}}, false},
	{"public-read", {{GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ}}, false},
	{"public-read-write",
	 {{GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ}, {GML_GRANTEE_EVERYONE, 0, GML_GRANT_WRITE}},
	 false},
	{"authenticated-read", {{GML_GRANTEE_AUTHENTICATED, 0, GML_GRANT_READ}}, false},
	{"bucket-owner-read", {{GML_GRANTEE_BUCKET_OWNER, 0, GML_GRANT_READ}}, true},
	{"bucket-owner-full-control",
	 {{GML_GRANTEE_BUCKET_OWNER, 0, GML_GRANT_FULL_CONTROL}},
	 true},
};
#define GRANTS_CANNED (sizeof(grants_canned) / sizeof(grants_canned[0]))

static enum s3_error grants_add(struct s3_call *call, struct gml_grants *grants,
				struct gml_grant grant)
{
	if (grants->count == GML_GRANTS_MAX)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST, "An ACL has at most 100 grants.");
	grants->grants[grants->count++] = grant;
	return S3_OK;
}

/* ---- grantees -------------------------------------------------------------------------------- */

static enum s3_error grants_id(struct s3_call *call, struct gml_span id, struct gml_grant *out)
{
	uint64_t uid = 0;
	bool ok = id.len > 0 && id.len <= 12;
	for (size_t i = 0; ok && i < id.len; i++) {
		char c = gml_span_at(id, i);
		ok = c >= '0' && c <= '9';
		uid = uid * 10 + (uint64_t)(c - '0');
	}
	if (!ok || uid >= UINT32_MAX)
		return s3_refuse_argument(call, "CanonicalUser/ID", id,
					  "Invalid id: that of a canonical user is its uid, "
					  "as 12 digits");
	out->who = GML_GRANTEE_UID;
	out->uid = (uint32_t)uid;
	return S3_OK;
}

static enum s3_error grants_uri(struct s3_call *call, struct gml_span uri, struct gml_grant *out)
{
	for (size_t i = 0; i < GRANTS_GROUPS; i++)
		if (gml_span_is(uri, grants_groups[i].uri)) {
			out->who = grants_groups[i].who;
			return S3_OK;
		}
	if (gml_span_is(uri, GRANTS_URI "s3/LogDelivery"))
		return S3_ERR_NOT_IMPLEMENTED;
	return s3_refuse_argument(call, "Group/URI", uri, "Invalid group uri");
}

/* As AWS answers since October 2025. */
static enum s3_error grants_email(struct s3_call *call)
{
	return s3_refuse(call, S3_ERR_METHOD_NOT_ALLOWED,
			 "Grantees cannot be named by their e-mail address.");
}

/* ---- headers --------------------------------------------------------------------------------- */

static enum s3_error grants_read_canned(struct s3_call *call, struct gml_span name,
					struct gml_grants *out)
{
	const struct gml_grant owner = {GML_GRANTEE_OWNER, 0, GML_GRANT_FULL_CONTROL};
	for (size_t i = 0; i < GRANTS_CANNED; i++) {
		if (!gml_span_is(name, grants_canned[i].name))
			continue;
		out->grants[out->count++] = owner;
		if (grants_canned[i].objects && call->scope == S3_BUCKET)
			return S3_OK;
		out->for_bucket_owner = gml_span_is(name, "bucket-owner-full-control");
		for (size_t k = 0; k < 2 && grants_canned[i].more[k].permits != 0; k++)
			out->grants[out->count++] = grants_canned[i].more[k];
		return S3_OK;
	}
	if (gml_span_is(name, "aws-exec-read") || gml_span_is(name, "log-delivery-write")) {
		s3_detail(call, "Header", GML_LIT("x-amz-acl"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	return s3_refuse_argument(call, "x-amz-acl", name, "Invalid canned ACL");
}

/* One `type="value"` of a list. */
static enum s3_error grants_read_item(struct s3_call *call, struct gml_span item,
				      const char *header, struct gml_grant *grant)
{
	struct gml_span value = item, type = gml_span_trim_space(gml_span_cut(&value, '='));
	value = gml_span_trim_space(value);
	if (value.len >= 2 && gml_span_at(value, 0) == '"' &&
	    gml_span_at(value, value.len - 1) == '"')
		value = gml_span_of(gml_span_chars(value) + 1, value.len - 2);
	if (gml_span_is_nocase(type, "id"))
		return grants_id(call, value, grant);
	if (gml_span_is_nocase(type, "uri"))
		return grants_uri(call, value, grant);
	if (gml_span_is_nocase(type, "emailAddress"))
		return grants_email(call);
	return s3_refuse_argument(call, header, item,
				  "A grantee is id=…, uri=… or emailAddress=….");
}

static enum s3_error grants_read_header(struct s3_call *call, size_t permission,
					struct gml_span list, struct gml_grants *out)
{
	const char *header = grants_permissions[permission].header;
	enum s3_error error = S3_OK;
	while (!error && list.len > 0) {
		struct gml_span item = gml_span_trim_space(gml_span_cut(&list, ','));
		struct gml_grant grant = {.permits = grants_permissions[permission].permits};
		error = grants_read_item(call, item, header, &grant);
		if (!error)
			error = grants_add(call, out, grant);
	}
	return error;
}

bool s3_grants_stated(const struct s3_call *call)
{
	bool stated = s3_has_header(call, "x-amz-acl");
	for (size_t i = 0; i < GRANTS_PERMISSIONS; i++)
		stated |= s3_has_header(call, grants_permissions[i].header);
	return stated;
}

enum s3_error s3_grants_read_headers(struct s3_call *call, struct gml_grants **out)
{
	struct gml_span canned = s3_header(call, "x-amz-acl");
	struct gml_grants *grants;
	enum s3_error error = S3_OK;
	*out = NULL;
	if (!s3_grants_stated(call))
		return S3_OK;
	grants = s3_arena_alloc(&call->arena, sizeof(*grants));
	if (!grants)
		return S3_ERR_SERVICE_UNAVAILABLE;
	grants->count = 0;
	grants->for_bucket_owner = false;
	for (size_t i = 0; !error && i < GRANTS_PERMISSIONS; i++) {
		struct gml_span list = s3_header(call, grants_permissions[i].header);
		if (list.ptr && canned.ptr)
			return s3_refuse(call, S3_ERR_INVALID_REQUEST,
					 "Specifying both Canned ACLs and Header Grants is not "
					 "allowed");
		if (list.ptr)
			error = grants_read_header(call, i, list, grants);
	}
	if (!error && canned.ptr)
		error = grants_read_canned(call, canned, grants);
	*out = grants;
	return error;
}

enum s3_error s3_grants_check(struct s3_call *call, struct gml_grants **out)
{
	enum s3_error error = s3_grants_read_headers(call, out);
	if (error || !*out)
		return error;
	return s3_error_from(gml_grants_check(call->config->store, call->bucket, *out));
}

/* ---- documents ------------------------------------------------------------------------------- */

static enum s3_error grants_read_grantee(struct s3_call *call, const struct s3_doc *doc,
					 s3_node grantee, struct gml_grant *out)
{
	s3_node id, name, email, uri;
	const struct s3_doc_field fields[] = {
		{"ID", &id}, {"DisplayName", &name}, {"EmailAddress", &email}, {"URI", &uri}};
	enum s3_error error = s3_doc_fields(doc, grantee, fields, 4);
	if (error || !grantee)
		return S3_ERR_MALFORMED_XML;
	if (email)
		return grants_email(call);
	if ((id != 0) == (uri != 0))
		return S3_ERR_MALFORMED_XML;
	return id ? grants_id(call, gml_span_trim_space(s3_doc_text(doc, id)), out)
		  : grants_uri(call, gml_span_trim_space(s3_doc_text(doc, uri)), out);
}

static enum s3_error grants_read_grant(struct s3_call *call, const struct s3_doc *doc, s3_node node,
				       struct gml_grants *out)
{
	s3_node grantee, permission;
	const struct s3_doc_field fields[] = {{"Grantee", &grantee}, {"Permission", &permission}};
	struct gml_grant grant = {.permits = 0};
	struct gml_span text;
	enum s3_error error = s3_doc_fields(doc, node, fields, 2);
	if (!error)
		error = grants_read_grantee(call, doc, grantee, &grant);
	if (error)
		return error;
	text = gml_span_trim_space(s3_doc_text(doc, permission));
	for (size_t i = 0; i < GRANTS_PERMISSIONS; i++)
		if (gml_span_is(text, grants_permissions[i].name))
			grant.permits = grants_permissions[i].permits;
	return grant.permits != 0 ? grants_add(call, out, grant) : S3_ERR_MALFORMED_XML;
}

static enum s3_error grants_read_policy(struct s3_call *call, const struct s3_doc *doc,
					uint32_t uid, struct gml_grants *out)
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
	if (id && !s3_owner_matches(gml_span_trim_space(s3_doc_text(doc, id)), uid))
		return S3_ERR_ACCESS_DENIED;
	grant = s3_doc_child(doc, list, NULL);
	for (; grant && !error; grant = s3_doc_next(doc, grant, NULL))
		error = grants_read_grant(call, doc, grant, out);
	return error;
}

enum s3_error s3_grants_read_body(struct s3_call *call, uint32_t uid, struct gml_grants **out)
{
	struct gml_grants *grants = s3_arena_alloc(&call->arena, sizeof(*grants));
	struct s3_doc *doc = NULL;
	enum s3_error error;
	if (!grants)
		return S3_ERR_SERVICE_UNAVAILABLE;
	grants->count = 0;
	grants->for_bucket_owner = false;
	error = s3_doc_parse(s3_body_text(call), GRANTS_ELEMENTS_MAX, &doc);
	if (!error)
		error = grants_read_policy(call, doc, uid, grants);
	s3_doc_free(doc);
	*out = grants;
	return error;
}

#define GRANTS_GRANTEE "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type="

static bool grants_is_group(const struct gml_grant *grant)
{
	return grant->who == GML_GRANTEE_AUTHENTICATED || grant->who == GML_GRANTEE_EVERYONE;
}

static void grants_write_grantee(struct s3_call *call, struct s3_xml *xml,
				 const struct gml_grant *grant, uint32_t uid)
{
	const char *tag = GRANTS_GRANTEE "\"Group\"";
	if (!grants_is_group(grant)) {
		s3_xml_owner(call, xml, GRANTS_GRANTEE "\"CanonicalUser\"",
			     grant->who == GML_GRANTEE_OWNER ? uid : grant->uid);
		return;
	}
	s3_xml_open(xml, tag);
	for (size_t i = 0; i < GRANTS_GROUPS; i++)
		if (grants_groups[i].who == grant->who)
			s3_xml_string(xml, "URI", grants_groups[i].uri);
	s3_xml_close(xml, tag);
}

/* One <Grant> for each permission; all of them are FULL_CONTROL. */
static void grants_write_grant(struct s3_call *call, struct s3_xml *xml,
			       const struct gml_grant *grant, uint32_t uid)
{
	bool full = grant->permits == GML_GRANT_FULL_CONTROL;
	for (size_t i = 0; i < GRANTS_PERMISSIONS; i++) {
		uint32_t permits = grants_permissions[i].permits;
		if (full ? permits != GML_GRANT_FULL_CONTROL
			 : (permits & grant->permits) != permits)
			continue;
		s3_xml_open(xml, "Grant");
		grants_write_grantee(call, xml, grant, uid);
		s3_xml_string(xml, "Permission", grants_permissions[i].name);
		s3_xml_close(xml, "Grant");
	}
}

/* S3 defines no order. Groups come first, which suits clients that look for public grants. */
void s3_grants_write(struct s3_call *call, const struct gml_grants *grants, uint32_t uid)
{
	struct s3_xml *xml = &call->xml;
	s3_xml_begin(xml, "AccessControlPolicy", true);
	s3_xml_owner(call, xml, "Owner", uid);
	s3_xml_open(xml, "AccessControlList");
	for (int groups = 1; groups >= 0; groups--)
		for (uint32_t i = 0; i < grants->count; i++)
			if (grants_is_group(&grants->grants[i]) == groups)
				grants_write_grant(call, xml, &grants->grants[i], uid);
	s3_xml_close(xml, "AccessControlList");
	s3_xml_close(xml, "AccessControlPolicy");
}
