// SPDX-License-Identifier: Apache-2.0
#include "xml_read.h"

#include <expat.h>
#include <stdlib.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"

#define DOC_SEPARATOR '\x01' /* between namespace and local name */

struct doc_node {
	uint32_t name, text, text_len; /* offsets in doc->text */
	s3_node child, last, next;
};

struct s3_doc {
	struct doc_node *nodes; /* [0] stands for "above the root" */
	uint32_t nnodes, nodes_cap, elements_max;
	char *text;
	size_t text_len, text_cap;
	s3_node open[S3_XML_DEPTH_MAX + 1];
	unsigned depth;
	enum s3_error error;
	XML_Parser parser;
};

static void doc_fail(struct s3_doc *doc, enum s3_error error)
{
	if (!doc->error)
		doc->error = error;
	XML_StopParser(doc->parser, XML_FALSE);
}

static bool doc_put_text(struct s3_doc *doc, const char *bytes, size_t len)
{
	if (len > UINT32_MAX / 2 - doc->text_len)
		return false;
	if (doc->text_cap - doc->text_len < len) {
		size_t cap = doc->text_cap ? doc->text_cap : 512;
		char *text;
		while (cap - doc->text_len < len)
			cap *= 2;
		text = realloc(doc->text, cap);
		if (!text)
			return false;
		doc->text = text;
		doc->text_cap = cap;
	}
	memcpy(doc->text + doc->text_len, bytes, len);
	doc->text_len += len;
	return true;
}

static s3_node doc_add_node(struct s3_doc *doc)
{
	if (doc->nnodes == doc->nodes_cap) {
		uint32_t cap = doc->nodes_cap ? doc->nodes_cap * 2 : 32;
		struct doc_node *nodes = realloc(doc->nodes, cap * sizeof(*nodes));
		if (!nodes)
			return 0;
		doc->nodes = nodes;
		doc->nodes_cap = cap;
	}
	doc->nodes[doc->nnodes] = (struct doc_node){0};
	return doc->nnodes++;
}

static void XMLCALL doc_on_start(void *arg, const char *name, const char **attributes)
{
	struct s3_doc *doc = arg;
	const char *local = strrchr(name, DOC_SEPARATOR);
	struct doc_node *parent;
	s3_node node;
	(void)attributes;
	if (doc->depth == S3_XML_DEPTH_MAX || doc->nnodes > doc->elements_max) {
		doc_fail(doc, S3_ERR_MALFORMED_XML);
		return;
	}
	node = doc_add_node(doc);
	local = local ? local + 1 : name;
	if (node == 0 || doc->text_len > UINT32_MAX / 2) {
		doc_fail(doc, S3_ERR_SERVICE_UNAVAILABLE);
		return;
	}
	doc->nodes[node].name = (uint32_t)doc->text_len;
	if (!doc_put_text(doc, local, strlen(local) + 1)) {
		doc_fail(doc, S3_ERR_SERVICE_UNAVAILABLE);
		return;
	}
	doc->nodes[node].text = (uint32_t)doc->text_len;
	parent = &doc->nodes[doc->open[doc->depth]];
	gml_assert(parent->last < node); /* siblings follow each other: a walk ends */
	if (parent->last)
		doc->nodes[parent->last].next = node;
	else
		parent->child = node;
	parent->last = node;
	doc->open[++doc->depth] = node;
}

static void XMLCALL doc_on_end(void *arg, const char *name)
{
	struct s3_doc *doc = arg;
	struct doc_node *node;
	(void)name;
	if (doc->error)
		return; /* expat still ends an empty element whose beginning was refused */
	gml_assert(doc->depth > 0);
	node = &doc->nodes[doc->open[doc->depth--]];
	if (!node->child)
		node->text_len = (uint32_t)(doc->text_len - node->text);
	if (!doc_put_text(doc, "", 1))
		doc_fail(doc, S3_ERR_SERVICE_UNAVAILABLE);
}

static void XMLCALL doc_on_text(void *arg, const char *text, int len)
{
	struct s3_doc *doc = arg;
	/* White space between child elements is not worth keeping. */
	if (doc->nodes[doc->open[doc->depth]].child)
		return;
	if (!doc_put_text(doc, text, (size_t)len))
		doc_fail(doc, S3_ERR_SERVICE_UNAVAILABLE);
}

static void XMLCALL doc_on_doctype(void *arg, const char *name, const char *system,
				   const char *public, int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	doc_fail(arg, S3_ERR_MALFORMED_XML);
}

enum s3_error s3_doc_parse(struct gml_span xml, uint32_t elements_max, struct s3_doc **out)
{
	struct s3_doc *doc = calloc(1, sizeof(*doc));
	enum s3_error error = S3_ERR_SERVICE_UNAVAILABLE;
	*out = NULL;
	if (!doc)
		return error;
	doc->elements_max = elements_max;
	doc->parser = XML_ParserCreateNS(NULL, DOC_SEPARATOR);
	doc_add_node(doc);
	if (!doc->parser || !doc->nodes || xml.len > INT32_MAX)
		goto out;
	XML_SetUserData(doc->parser, doc);
	XML_SetElementHandler(doc->parser, doc_on_start, doc_on_end);
	XML_SetCharacterDataHandler(doc->parser, doc_on_text);
	XML_SetStartDoctypeDeclHandler(doc->parser, doc_on_doctype);
	error = S3_OK;
	if (XML_Parse(doc->parser, xml.len ? xml.ptr : "", (int)xml.len, 1) != XML_STATUS_OK) {
		error = doc->error ? doc->error : S3_ERR_MALFORMED_XML;
		if (XML_GetErrorCode(doc->parser) == XML_ERROR_NO_MEMORY)
			error = S3_ERR_SERVICE_UNAVAILABLE;
	}
	gml_assert(error || (doc->depth == 0 && doc->nodes[0].child == doc->nodes[0].last));
out:
	if (doc->parser)
		XML_ParserFree(doc->parser);
	doc->parser = NULL;
	if (error)
		s3_doc_free(doc);
	else
		*out = doc;
	return error;
}

void s3_doc_free(struct s3_doc *doc)
{
	if (!doc)
		return;
	free(doc->nodes);
	free(doc->text);
	free(doc);
}

const char *s3_doc_name(const struct s3_doc *doc, s3_node node)
{
	gml_assert(node < doc->nnodes);
	return node ? doc->text + doc->nodes[node].name : "";
}

static s3_node doc_find(const struct s3_doc *doc, s3_node node, const char *name)
{
	while (node && name && strcmp(s3_doc_name(doc, node), name) != 0)
		node = doc->nodes[node].next;
	return node;
}

s3_node s3_doc_root(const struct s3_doc *doc, const char *name)
{
	return doc_find(doc, doc->nodes[0].child, name);
}

s3_node s3_doc_child(const struct s3_doc *doc, s3_node node, const char *name)
{
	return node ? doc_find(doc, doc->nodes[node].child, name) : 0;
}

s3_node s3_doc_next(const struct s3_doc *doc, s3_node node, const char *name)
{
	return node ? doc_find(doc, doc->nodes[node].next, name) : 0;
}

enum s3_error s3_doc_fields(const struct s3_doc *doc, s3_node parent,
			    const struct s3_doc_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*fields[i].node = 0;
	for (s3_node node = s3_doc_child(doc, parent, NULL); node;
	     node = s3_doc_next(doc, node, NULL)) {
		size_t i = 0;
		while (i < n && strcmp(s3_doc_name(doc, node), fields[i].name) != 0)
			i++;
		if (i == n || *fields[i].node)
			return S3_ERR_MALFORMED_XML;
		*fields[i].node = node;
	}
	return S3_OK;
}

enum s3_error s3_doc_list(const struct s3_doc *doc, s3_node parent, const char *name)
{
	for (s3_node node = s3_doc_child(doc, parent, NULL); node;
	     node = s3_doc_next(doc, node, NULL))
		if (strcmp(s3_doc_name(doc, node), name) != 0)
			return S3_ERR_MALFORMED_XML;
	return S3_OK;
}

struct gml_span s3_doc_text(const struct s3_doc *doc, s3_node node)
{
	if (!node)
		return GML_LIT("");
	gml_assert(node < doc->nnodes);
	return gml_span_of(doc->text + doc->nodes[node].text, doc->nodes[node].text_len);
}

struct gml_span s3_doc_child_text(const struct s3_doc *doc, s3_node node, const char *name)
{
	s3_node child = s3_doc_child(doc, node, name);
	return child ? s3_doc_text(doc, child) : gml_span_of(NULL, 0);
}
