/* An object's tags: extended attributes "user.s3.tag.NAME" of its inode, which the NFS door shows too. */
#include "call.h"

#define TAGS_XML_MAX 20 /* tags read from one document before the limit of ten is looked at */

enum s3_error s3_get_object_tagging(struct s3_call *call)
{
	struct gml_meta_pair *tags;
	uint32_t ntags = 0;
	enum s3_error error = s3_object_find(call, true);
	if (!error)
		error = s3_tags_load(call, gml_object_info(call->object)->ino, &tags, &ntags);
	if (error)
		return error;
	s3_xml_begin(&call->xml, "Tagging", true);
	s3_xml_open(&call->xml, "TagSet");
	for (uint32_t i = 0; i < ntags; i++) {
		s3_xml_open(&call->xml, "Tag");
		s3_xml_text(&call->xml, "Key", tags[i].name);
		s3_xml_text(&call->xml, "Value", tags[i].value);
		s3_xml_close(&call->xml, "Tag");
	}
	s3_xml_close(&call->xml, "TagSet");
	s3_xml_close(&call->xml, "Tagging");
	return s3_answer_xml(call, 200);
}

static enum s3_error tags_read_xml(struct s3_call *call, const struct s3_doc *doc, struct gml_meta_pair *tags,
				   uint32_t *n)
{
	s3_node root = s3_doc_root(doc, "Tagging"), set = s3_doc_child(doc, root, "TagSet"), node;
	*n = 0;
	if (!set || s3_doc_next(doc, set, NULL))
		return S3_ERR_MALFORMED_XML;
	for (node = s3_doc_child(doc, set, NULL); node; node = s3_doc_next(doc, node, NULL)) {
		struct gml_span key = s3_doc_child_text(doc, node, "Key"),
				value = s3_doc_child_text(doc, node, "Value");
		if (strcmp(s3_doc_name(doc, node), "Tag") != 0 || !key.ptr || !value.ptr || *n == TAGS_XML_MAX)
			return S3_ERR_MALFORMED_XML;
		tags[(*n)++] =
			(struct gml_meta_pair){s3_arena_copy(&call->arena, key), s3_arena_copy(&call->arena, value)};
	}
	return s3_tags_check(call, tags, *n);
}

static enum s3_error tags_replace(struct s3_call *call, const struct gml_meta_pair *tags, uint32_t ntags)
{
	gml_ino ino = gml_object_info(call->object)->ino;
	return s3_error_from(gml_tags_replace(&call->op, call->config->store, ino, tags, ntags));
}

enum s3_error s3_put_object_tagging(struct s3_call *call)
{
	struct gml_meta_pair tags[TAGS_XML_MAX];
	struct s3_doc *doc = NULL;
	uint32_t ntags = 0;
	enum s3_error error = s3_doc_parse(s3_body_text(call), 4 * TAGS_XML_MAX, &doc);
	if (!error)
		error = tags_read_xml(call, doc, tags, &ntags);
	s3_doc_free(doc);
	if (!error)
		error = s3_object_find(call, false);
	if (!error)
		error = tags_replace(call, tags, ntags);
	return error ? error : s3_answer_empty(call, 200);
}

enum s3_error s3_delete_object_tagging(struct s3_call *call)
{
	enum s3_error error = s3_object_find(call, false);
	if (!error)
		error = tags_replace(call, NULL, 0);
	return error ? error : s3_answer_empty(call, 204);
}
