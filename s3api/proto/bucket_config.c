// SPDX-License-Identifier: Apache-2.0
/* The configuration of a bucket: settings that are the same for all buckets, settings that none
 * has, and its tags. s3_check_bucket has asked whether the caller may do what the operation is
 * about. */
#include "call.h"

#include <stdlib.h>
#include "gateway/base/assert.h"
#include "gateway/base/tags.h"

#define CONFIG_ELEMENTS_MAX 64

/* ---- the same for every bucket: it can be read, and set to what it is ---- */

static const struct config_constant {
	const char *get, *put; /* operations; put NULL: cannot be set */
	const char *root, *content;
	/* of the settable value: path below the root and text; NULL: the document must be empty */
	const char *element[2], *value;
	const char *const *others; /* values that S3 knows besides */
} config_constants[] = {
	{"GetBucketAccelerateConfiguration",
	 NULL,
	 "AccelerateConfiguration",
	 "",
	 {NULL, NULL},
	 NULL,
	 NULL},
	{"GetBucketLogging",
	 "PutBucketLogging",
	 "BucketLoggingStatus",
	 "",
	 {NULL, NULL},
	 NULL,
	 NULL},
	{"GetBucketNotificationConfiguration",
	 "PutBucketNotificationConfiguration",
	 "NotificationConfiguration",
	 "",
	 {NULL, NULL},
	 NULL,
	 NULL},
	{"GetBucketRequestPayment",
	 "PutBucketRequestPayment",
	 "RequestPaymentConfiguration",
	 "<Payer>BucketOwner</Payer>",
	 {"Payer", NULL},
	 "BucketOwner",
	 (const char *const[]){"Requester", NULL}},
	{"GetBucketVersioning", NULL, "VersioningConfiguration", "", {NULL, NULL}, NULL, NULL},
};

static const struct config_constant *config_constant_of(const char *operation)
{
	for (size_t i = 0; i < sizeof(config_constants) / sizeof(config_constants[0]); i++) {
		const struct config_constant *constant = &config_constants[i];
		if (strcmp(constant->get, operation) == 0 ||
		    (constant->put && strcmp(constant->put, operation) == 0))
			return constant;
	}
	return NULL;
}

enum s3_error s3_get_bucket_constant(struct s3_call *call)
{
	const struct config_constant *constant = config_constant_of(call->operation->name);
	gml_assert(constant != NULL); /* every row of route.c with this handler has one */
	if (!constant)
		return S3_ERR_INTERNAL_ERROR;
	s3_xml_begin(&call->xml, constant->root, true);
	s3_xml_raw(&call->xml, gml_span_text(constant->content));
	s3_xml_close(&call->xml, constant->root);
	return s3_answer_xml(call, 200);
}

/* Elements of S3 that are missing here are not implemented; all others are malformed. */
static enum s3_error config_check_constant(struct s3_call *call,
					   const struct config_constant *constant,
					   const struct s3_doc *doc)
{
	s3_node node = s3_doc_root(doc, constant->root);
	struct gml_span text;
	if (!node)
		return S3_ERR_MALFORMED_XML;
	if (!constant->value) {
		s3_node child = s3_doc_child(doc, node, NULL);
		if (!child)
			return S3_OK;
		s3_detail(call, "Element", gml_span_text(s3_doc_name(doc, child)));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	gml_assert(constant->element[0] != NULL && constant->others != NULL);
	for (unsigned i = 0; i < 2 && constant->element[i]; i++) {
		const struct s3_doc_field field = {constant->element[i], &node};
		s3_node parent = node;
		if (s3_doc_fields(doc, parent, &field, 1) != S3_OK || !node)
			return S3_ERR_MALFORMED_XML;
	}
	text = gml_span_trim_space(s3_doc_text(doc, node));
	if (gml_span_is(text, constant->value))
		return S3_OK;
	for (const char *const *other = constant->others; *other; other++)
		if (gml_span_is(text, *other))
			return S3_ERR_NOT_IMPLEMENTED;
	return S3_ERR_MALFORMED_XML;
}

enum s3_error s3_put_bucket_constant(struct s3_call *call)
{
	const struct config_constant *constant = config_constant_of(call->operation->name);
	struct s3_doc *doc = NULL;
	enum s3_error error;
	gml_assert(constant != NULL && constant->put != NULL);
	if (!constant)
		return S3_ERR_INTERNAL_ERROR;
	error = s3_doc_parse(s3_body_text(call), CONFIG_ELEMENTS_MAX, &doc);
	if (!error)
		error = config_check_constant(call, constant, doc);
	s3_doc_free(doc);
	return error ? error : s3_answer_empty(call, 200);
}

/* ---- what no bucket has ---- */

enum s3_error s3_list_configurations(struct s3_call *call)
{
	static const struct {
		const char *operation, *root;
	} lists[] = {
		{"ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult"},
		{"ListBucketIntelligentTieringConfigurations",
		 "ListBucketIntelligentTieringConfigurationsOutput"},
		{"ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult"},
		{"ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult"},
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i].operation, call->operation->name) != 0)
			continue;
		s3_xml_begin(&call->xml, lists[i].root, true);
		s3_xml_bool(&call->xml, "IsTruncated", false);
		s3_xml_close(&call->xml, lists[i].root);
		return s3_answer_xml(call, 200);
	}
	return S3_ERR_INTERNAL_ERROR;
}

/* It is gone already. */
enum s3_error s3_delete_bucket_document(struct s3_call *call)
{
	return s3_answer_empty(call, 204);
}

/* ---- tags ---- */

static enum s3_error config_show_tags(struct s3_call *call, struct gml_span document)
{
	struct gml_meta_pair tags[S3_BUCKET_TAGS_MAX];
	uint32_t ntags = 0;
	while (ntags < S3_BUCKET_TAGS_MAX &&
	       gml_tags_next(&document, &tags[ntags].name, &tags[ntags].value))
		ntags++;
	if (document.len > 0)
		return S3_ERR_INTERNAL_ERROR;
	s3_tags_write_xml(&call->xml, tags, ntags);
	return S3_OK;
}

enum s3_error s3_get_bucket_tagging(struct s3_call *call)
{
	enum s3_error error;
	void *document;
	size_t len;
	int rc = gml_bucket_document_get(&call->op, call->config->store, call->bucket,
					 GML_BUCKET_TAGGING, &document, &len);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? S3_ERR_NO_SUCH_TAG_SET : s3_error_from(rc);
	error = config_show_tags(call, gml_span_of(document, len));
	free(document);
	return error ? error : s3_answer_xml(call, 200);
}

static enum s3_error config_set_tagging(struct s3_call *call, struct gml_span document)
{
	return s3_error_from(gml_bucket_document_set(&call->op, call->config->store, call->bucket,
						     GML_BUCKET_TAGGING, document));
}

enum s3_error s3_put_bucket_tagging(struct s3_call *call)
{
	struct s3_xml xml = {0};
	struct gml_meta_pair *tags;
	uint32_t ntags;
	enum s3_error error = s3_tags_read_xml(call, S3_BUCKET_TAGS_MAX, &tags, &ntags);
	if (error)
		return error;
	s3_tags_write_document(&xml, tags, ntags);
	/* No tags are a set of none, which is not the same as no set. */
	error = xml.failed
			? S3_ERR_SERVICE_UNAVAILABLE
			: config_set_tagging(call, gml_span_of(ntags > 0 ? xml.buf : "", xml.len));
	s3_xml_release(&xml);
	return error ? error : s3_answer_empty(call, 204);
}

enum s3_error s3_delete_bucket_tagging(struct s3_call *call)
{
	enum s3_error error = config_set_tagging(call, gml_span_of(NULL, 0));
	return error ? error : s3_answer_empty(call, 204);
}
