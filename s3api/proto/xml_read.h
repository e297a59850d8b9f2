// SPDX-License-Identifier: Apache-2.0
/* XML documents, read: a small tree with hard limits. No DTD, no entities but the five predefined
 * ones; namespaces are checked for well-formedness and then ignored. Pure; any thread. */
#ifndef GML_S3_XML_READ_H
#define GML_S3_XML_READ_H

#include <gemel/types.h>
#include "error.h"

#define S3_XML_DEPTH_MAX 16

struct s3_doc;
typedef uint32_t s3_node; /* 0: none */

/* Errors: MALFORMED_XML (also when a limit is passed), SERVICE_UNAVAILABLE (memory). */
enum s3_error s3_doc_parse(struct gml_span xml, uint32_t elements_max, struct s3_doc **out);
void s3_doc_free(struct s3_doc *doc); /* NULL is fine */

/* The root, if its local name is `name`; else 0. */
s3_node s3_doc_root(const struct s3_doc *doc, const char *name);
/* First child, next sibling; with a name: the first such one. 0: none. */
s3_node s3_doc_child(const struct s3_doc *doc, s3_node node, const char *name);
s3_node s3_doc_next(const struct s3_doc *doc, s3_node node, const char *name);
const char *s3_doc_name(const struct s3_doc *doc, s3_node node);
/* The children of an element that may have these and no others, each at most once: *node is the
 * child, or 0. Every document of a client is read so: unknown elements are refused, never ignored.
 * MALFORMED_XML. */
struct s3_doc_field {
	const char *name;
	s3_node *node;
};
enum s3_error s3_doc_fields(const struct s3_doc *doc, s3_node parent,
			    const struct s3_doc_field *fields, size_t n);
/* The same for one that is a list: all children have that name. */
enum s3_error s3_doc_list(const struct s3_doc *doc, s3_node parent, const char *name);
/* Character data of an element without children (mixed content is dropped), unescaped; borrowed,
 * NUL-terminated. Empty for node 0. */
struct gml_span s3_doc_text(const struct s3_doc *doc, s3_node node);
/* Text of the child `name`; NULL ptr when there is no such child. */
struct gml_span s3_doc_child_text(const struct s3_doc *doc, s3_node node, const char *name);

#endif
