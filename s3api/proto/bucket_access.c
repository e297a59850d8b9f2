// SPDX-License-Identifier: Apache-2.0
/* Object ownership and the public access block of a bucket (gemel/account.h). */
#include "call.h"

#include <stdlib.h>
#include <gemel/account.h>

#define ACCESS_ELEMENTS_MAX 64

static enum s3_error access_set(struct s3_call *call, enum gml_bucket_document kind,
				struct gml_span document)
{
	return s3_error_from(gml_bucket_document_set(&call->op, call->config->store, call->bucket,
						     kind, document));
}

/* The document, as text in the arena. `absent`: the bucket has none. */
static enum s3_error access_get(struct s3_call *call, enum gml_bucket_document kind,
				enum s3_error absent, struct gml_span *out)
{
	void *document;
	size_t len;
	int rc = gml_bucket_document_get(&call->op, call->config->store, call->bucket, kind,
					 &document, &len);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? absent : s3_error_from(rc);
	*out = s3_arena_copy(&call->arena, gml_span_of(document, len));
	free(document);
	return call->arena.failed ? S3_ERR_SERVICE_UNAVAILABLE : S3_OK;
}

/* ---- object ownership ------------------------------------------------------------------------ */

enum s3_error s3_get_bucket_ownership(struct s3_call *call)
{
	struct s3_xml *xml = &call->xml;
	struct gml_span name;
	enum s3_error error =
		access_get(call, GML_BUCKET_OWNERSHIP, S3_ERR_NO_SUCH_OWNERSHIP, &name);
	if (error)
		return error;
	s3_xml_begin(xml, "OwnershipControls", true);
	s3_xml_open(xml, "Rule");
	s3_xml_text(xml, "ObjectOwnership", name);
	s3_xml_close(xml, "Rule");
	s3_xml_close(xml, "OwnershipControls");
	return s3_answer_xml(call, 200);
}

static enum s3_error ownership_read(const struct s3_doc *doc, enum gml_ownership *out)
{
	s3_node rule, ownership;
	const struct s3_doc_field in_root[] = {{"Rule", &rule}};
	const struct s3_doc_field in_rule[] = {{"ObjectOwnership", &ownership}};
	enum s3_error error = s3_doc_fields(doc, s3_doc_root(doc, "OwnershipControls"), in_root, 1);
	if (!error)
		error = s3_doc_fields(doc, rule, in_rule, 1);
	if (error || !ownership ||
	    gml_ownership_parse(gml_span_trim_space(s3_doc_text(doc, ownership)), out) != 0)
		return S3_ERR_MALFORMED_XML;
	return S3_OK;
}

/* ACLs can be turned off where the bucket's gives nothing to others. */
static enum s3_error ownership_may_enforce(struct s3_call *call)
{
	struct gml_grants *grants = s3_arena_alloc(&call->arena, sizeof(*grants));
	uint32_t uid;
	int rc;
	if (!grants)
		return S3_ERR_SERVICE_UNAVAILABLE;
	rc = gml_bucket_grants_get(&call->op, call->config->store, call->bucket,
				   call->operation->action, grants, &uid);
	if (rc != 0)
		return s3_error_from(rc);
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].who != GML_GRANTEE_OWNER)
			return S3_ERR_ACL_WITH_OWNERSHIP;
	return S3_OK;
}

enum s3_error s3_put_bucket_ownership(struct s3_call *call)
{
	enum gml_ownership ownership = GML_BUCKET_OWNER_ENFORCED;
	struct s3_doc *doc = NULL;
	enum s3_error error = s3_doc_parse(s3_body_text(call), ACCESS_ELEMENTS_MAX, &doc);
	if (!error)
		error = ownership_read(doc, &ownership);
	s3_doc_free(doc);
	if (!error && ownership == GML_BUCKET_OWNER_ENFORCED)
		error = ownership_may_enforce(call);
	if (!error)
		error = access_set(call, GML_BUCKET_OWNERSHIP,
				   gml_span_text(gml_ownership_format(ownership)));
	return error ? error : s3_answer_empty(call, 200);
}

enum s3_error s3_delete_bucket_ownership(struct s3_call *call)
{
	enum s3_error error = access_set(call, GML_BUCKET_OWNERSHIP, gml_span_of(NULL, 0));
	return error ? error : s3_answer_empty(call, 204);
}

/* ---- public access block --------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t setting;
} access_settings[] = {{"BlockPublicAcls", GML_BLOCK_PUBLIC_ACLS},
		       {"IgnorePublicAcls", GML_IGNORE_PUBLIC_ACLS},
		       {"BlockPublicPolicy", GML_BLOCK_PUBLIC_POLICY},
		       {"RestrictPublicBuckets", GML_RESTRICT_PUBLIC_BUCKETS}};
#define ACCESS_SETTINGS (sizeof(access_settings) / sizeof(access_settings[0]))

enum s3_error s3_get_public_access_block(struct s3_call *call)
{
	struct s3_xml *xml = &call->xml;
	struct gml_span document;
	uint32_t settings;
	enum s3_error error = access_get(call, GML_BUCKET_PUBLIC_ACCESS_BLOCK,
					 S3_ERR_NO_SUCH_PUBLIC_ACCESS_BLOCK, &document);
	if (!error)
		error = s3_error_from(gml_public_access_parse(document, &settings));
	if (error)
		return error;
	s3_xml_begin(xml, "PublicAccessBlockConfiguration", true);
	for (size_t i = 0; i < ACCESS_SETTINGS; i++)
		s3_xml_string(xml, access_settings[i].name,
			      settings & access_settings[i].setting ? "true" : "false");
	s3_xml_close(xml, "PublicAccessBlockConfiguration");
	return s3_answer_xml(call, 200);
}

/* xs:boolean; absent: false. */
static enum s3_error access_read_one(const struct s3_doc *doc, s3_node node, uint32_t setting,
				     uint32_t *settings)
{
	struct gml_span text = gml_span_trim_space(s3_doc_text(doc, node));
	bool on = gml_span_is_nocase(text, "true") || gml_span_is(text, "1");
	if (node && !on && !gml_span_is_nocase(text, "false") && !gml_span_is(text, "0"))
		return S3_ERR_MALFORMED_XML;
	*settings |= on ? setting : 0;
	return S3_OK;
}

static enum s3_error access_read(const struct s3_doc *doc, uint32_t *settings)
{
	s3_node nodes[ACCESS_SETTINGS], root = s3_doc_root(doc, "PublicAccessBlockConfiguration");
	struct s3_doc_field fields[ACCESS_SETTINGS];
	enum s3_error error;
	for (size_t i = 0; i < ACCESS_SETTINGS; i++)
		fields[i] = (struct s3_doc_field){access_settings[i].name, &nodes[i]};
	error = s3_doc_fields(doc, root, fields, ACCESS_SETTINGS);
	if (error || !root)
		return S3_ERR_MALFORMED_XML;
	for (size_t i = 0; !error && i < ACCESS_SETTINGS; i++)
		error = access_read_one(doc, nodes[i], access_settings[i].setting, settings);
	return error;
}

enum s3_error s3_put_public_access_block(struct s3_call *call)
{
	char text[GML_PUBLIC_ACCESS_TEXT];
	uint32_t settings = 0;
	struct s3_doc *doc = NULL;
	enum s3_error error = s3_doc_parse(s3_body_text(call), ACCESS_ELEMENTS_MAX, &doc);
	if (!error)
		error = access_read(doc, &settings);
	s3_doc_free(doc);
	if (error)
		return error;
	gml_public_access_format(settings, text);
	error = access_set(call, GML_BUCKET_PUBLIC_ACCESS_BLOCK, gml_span_text(text));
	return error ? error : s3_answer_empty(call, 200);
}

enum s3_error s3_delete_public_access_block(struct s3_call *call)
{
	enum s3_error error =
		access_set(call, GML_BUCKET_PUBLIC_ACCESS_BLOCK, gml_span_of(NULL, 0));
	return error ? error : s3_answer_empty(call, 204);
}
