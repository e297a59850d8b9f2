// SPDX-License-Identifier: Apache-2.0
/* An object's tags: extended attributes "user.s3.tag.NAME" of its inode, which NFS shows too. */
#include "call.h"

#define TAGS_XML_FACTOR 2 /* this many times the limit is read, for a precise error */

enum s3_error s3_get_object_tagging(struct s3_call *call)
{
	struct gml_meta_pair *tags;
	uint32_t ntags = 0;
	enum s3_error error = s3_object_find(call, GML_ACTION_GET_OBJECT_TAGGING);
	if (!error)
		error = s3_tags_load(call, gml_object_info(call->object)->ino, &tags, &ntags);
	if (error)
		return error;
	s3_tags_write_xml(&call->xml, tags, ntags);
	return s3_answer_xml(call, 200);
}

void s3_tags_write_document(struct s3_xml *out, const struct gml_meta_pair *tags, uint32_t ntags)
{
	for (uint32_t i = 0; i < ntags; i++) {
		s3_xml_raw(out, tags[i].name);
		s3_xml_raw(out, GML_LIT("\t"));
		s3_xml_raw(out, tags[i].value);
		s3_xml_raw(out, GML_LIT("\n"));
	}
}

void s3_tags_write_xml(struct s3_xml *xml, const struct gml_meta_pair *tags, uint32_t ntags)
{
	s3_xml_begin(xml, "Tagging", true);
	s3_xml_open(xml, "TagSet");
	for (uint32_t i = 0; i < ntags; i++) {
		s3_xml_open(xml, "Tag");
		s3_xml_text(xml, "Key", tags[i].name);
		s3_xml_text(xml, "Value", tags[i].value);
		s3_xml_close(xml, "Tag");
	}
	s3_xml_close(xml, "TagSet");
	s3_xml_close(xml, "Tagging");
}

static enum s3_error tags_read_one(struct s3_call *call, const struct s3_doc *doc, s3_node node,
				   struct gml_meta_pair *out)
{
	s3_node key, value;
	const struct s3_doc_field fields[] = {{"Key", &key}, {"Value", &value}};
	enum s3_error error = s3_doc_fields(doc, node, fields, 2);
	if (error || !key || !value)
		return S3_ERR_MALFORMED_XML;
	out->name = s3_arena_copy(&call->arena, s3_doc_text(doc, key));
	out->value = s3_arena_copy(&call->arena, s3_doc_text(doc, value));
	return S3_OK;
}

enum s3_error s3_tags_read_list(struct s3_call *call, const struct s3_doc *doc, s3_node list,
				uint32_t max, struct gml_meta_pair **tags_out, uint32_t *ntags_out)
{
	uint32_t cap = max * TAGS_XML_FACTOR, n = 0;
	struct gml_meta_pair *tags = s3_arena_array(&call->arena, cap, sizeof(*tags));
	enum s3_error error = tags ? s3_doc_list(doc, list, "Tag") : S3_ERR_SERVICE_UNAVAILABLE;
	for (s3_node node = s3_doc_child(doc, list, NULL); node && !error;
	     node = s3_doc_next(doc, node, NULL))
		error = n < cap ? tags_read_one(call, doc, node, &tags[n++]) : S3_ERR_MALFORMED_XML;
	*tags_out = tags;
	*ntags_out = n;
	call->tags = tags;
	call->ntags = error ? 0 : n;
	return error ? error : s3_tags_check(call, tags, n, max);
}

enum s3_error s3_tags_read_xml(struct s3_call *call, uint32_t max, struct gml_meta_pair **tags_out,
			       uint32_t *ntags_out)
{
	s3_node set;
	const struct s3_doc_field field = {"TagSet", &set};
	struct s3_doc *doc = NULL;
	enum s3_error error = s3_doc_parse(s3_body_text(call), 4 * max * TAGS_XML_FACTOR, &doc);
	if (!error)
		error = s3_doc_fields(doc, s3_doc_root(doc, "Tagging"), &field, 1);
	if (!error)
		error = set ? s3_tags_read_list(call, doc, set, max, tags_out, ntags_out)
			    : S3_ERR_MALFORMED_XML;
	s3_doc_free(doc);
	return error;
}

static enum s3_error tags_replace(struct s3_call *call, const struct gml_meta_pair *tags,
				  uint32_t ntags)
{
	gml_ino ino = gml_object_info(call->object)->ino;
	return s3_error_from(gml_tags_replace(&call->op, call->config->store, ino, tags, ntags));
}

enum s3_error s3_put_object_tagging(struct s3_call *call)
{
	struct gml_meta_pair *tags;
	uint32_t ntags;
	enum s3_error error = s3_tags_read_xml(call, S3_TAGS_MAX, &tags, &ntags);
	if (!error)
		error = s3_object_find(call, GML_ACTION_PUT_OBJECT_TAGGING);
	if (!error)
		error = tags_replace(call, tags, ntags);
	return error ? error : s3_answer_empty(call, 200);
}

enum s3_error s3_delete_object_tagging(struct s3_call *call)
{
	enum s3_error error = s3_object_find(call, GML_ACTION_DELETE_OBJECT_TAGGING);
	if (!error)
		error = tags_replace(call, NULL, 0);
	return error ? error : s3_answer_empty(call, 204);
}
