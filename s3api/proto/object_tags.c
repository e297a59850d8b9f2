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

static bool tags_contain(const struct gml_meta_pair *tags, uint32_t n, struct gml_span name)
{
	for (uint32_t i = 0; i < n; i++)
		if (s3_span_eq(tags[i].name, name))
			return true;
	return false;
}

static struct gml_span tags_xattr_name(struct s3_call *call, struct gml_span tag)
{
	return s3_span(s3_arena_printf(&call->arena, S3_TAG_XATTR "%.*s", (int)tag.len, s3_span_chars(tag)));
}

/* New values first, then what is no longer wanted: a cut leaves too many tags rather than too few. */
static enum s3_error tags_replace(struct s3_call *call, gml_ino ino, const struct gml_meta_pair *tags, uint32_t ntags)
{
	struct gml_meta_pair *old;
	uint32_t nold = 0;
	enum s3_error error = s3_tags_load(call, ino, &old, &nold);
	int rc = 0;
	if (error)
		return error;
	for (uint32_t i = 0; i < ntags && rc == 0; i++)
		rc = gml_xattr_set(&call->op, call->config->store, ino, tags_xattr_name(call, tags[i].name),
				   tags[i].value, GML_XATTR_EITHER);
	for (uint32_t i = 0; i < nold && rc == 0; i++) {
		if (tags_contain(tags, ntags, old[i].name))
			continue;
		rc = gml_xattr_remove(&call->op, call->config->store, ino, tags_xattr_name(call, old[i].name));
		if (rc == GML_ERR_NOXATTR)
			rc = 0;
	}
	return s3_error_from(rc);
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
		error = tags_replace(call, gml_object_info(call->object)->ino, tags, ntags);
	return error ? error : s3_answer_empty(call, 200);
}

enum s3_error s3_delete_object_tagging(struct s3_call *call)
{
	enum s3_error error = s3_object_find(call, false);
	if (!error)
		error = tags_replace(call, gml_object_info(call->object)->ino, NULL, 0);
	return error ? error : s3_answer_empty(call, 204);
}
