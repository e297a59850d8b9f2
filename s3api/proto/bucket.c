// SPDX-License-Identifier: Apache-2.0
/* Operations on buckets. */
#include "call.h"
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"

/* ---- ListBuckets ---- */

struct bucket_page {
	struct s3_call *call;
	struct gml_span prefix;
	uint32_t max, count;
	bool truncated;
	char last[GML_BUCKET_NAME_MAX + 1];
};

static bool bucket_list_one(void *arg, const struct gml_bucket *bucket)
{
	struct bucket_page *page = arg;
	struct s3_xml *xml = &page->call->xml;
	size_t len = strlen(bucket->name);
	int order = memcmp(bucket->name, page->prefix.ptr,
			   len < page->prefix.len ? len : page->prefix.len);
	gml_assert(page->count == 0 || strcmp(page->last, bucket->name) < 0);
	if (order > 0)
		return false; /* after every name with the prefix */
	if (order < 0 || len < page->prefix.len)
		return true;
	if (page->count == page->max) {
		page->truncated = true;
		return false;
	}
	s3_xml_open(xml, "Bucket");
	s3_xml_string(xml, "Name", bucket->name);
	s3_xml_date(xml, "CreationDate", bucket->created);
	s3_xml_string(xml, "BucketRegion", page->call->config->region);
	s3_xml_close(xml, "Bucket");
	memcpy(page->last, bucket->name, len + 1);
	page->count++;
	return true;
}

static enum s3_error bucket_list_after(struct s3_call *call, char after[GML_BUCKET_NAME_MAX + 1],
				       size_t *len)
{
	struct gml_span token;
	*len = 0;
	if (!s3_param(call, "continuation-token", &token))
		return S3_OK;
	if (token.len == 0 || !gml_base64url_decode(token, after, GML_BUCKET_NAME_MAX, len) ||
	    *len == 0)
		return s3_refuse_argument(call, "continuation-token", token,
					  "The continuation token provided is incorrect");
	return S3_OK;
}

enum s3_error s3_list_buckets(struct s3_call *call)
{
	struct bucket_page page = {.call = call, .prefix = GML_LIT(""), .max = 10000};
	char after[GML_BUCKET_NAME_MAX + 1], token[GML_BASE64_LEN(GML_BUCKET_NAME_MAX) + 1];
	struct gml_span region;
	size_t after_len;
	enum s3_error error = bucket_list_after(call, after, &after_len);
	int rc = 0;
	if (!error && s3_param(call, "max-buckets", NULL))
		error = s3_param_ranged(call, "max-buckets", 1, 10000, &page.max);
	if (error)
		return error;
	if (s3_param(call, "prefix", &page.prefix) && !page.prefix.ptr)
		page.prefix = GML_LIT("");
	s3_xml_begin(&call->xml, "ListAllMyBucketsResult", true);
	s3_xml_owner(call, &call->xml, "Owner", call->user.uid);
	s3_xml_open(&call->xml, "Buckets");
	if (!s3_param(call, "bucket-region", &region) || gml_span_is(region, call->config->region))
		rc = gml_bucket_list(&call->op, call->config->store, gml_span_of(after, after_len),
				     bucket_list_one, &page);
	if (rc != 0)
		return s3_error_from(rc);
	s3_xml_close(&call->xml, "Buckets");
	if (page.prefix.len > 0)
		s3_xml_text(&call->xml, "Prefix", page.prefix);
	if (page.truncated) {
		gml_base64url(page.last, strlen(page.last), token);
		s3_xml_string(&call->xml, "ContinuationToken", token);
	}
	s3_xml_close(&call->xml, "ListAllMyBucketsResult");
	return s3_answer_xml(call, 200);
}

/* ---- CreateBucket ---- */

static bool bucket_region_fits(const struct s3_call *call, struct gml_span constraint)
{
	if (gml_span_is(constraint, call->config->region))
		return true;
	return gml_span_is(constraint, "EU") && strcmp(call->config->region, "eu-west-1") == 0;
}

static enum s3_error bucket_read_tags(struct s3_call *call, const struct s3_doc *doc, s3_node list,
				      struct s3_xml *out)
{
	struct gml_meta_pair *tags;
	uint32_t ntags;
	enum s3_error error = s3_tags_read_list(call, doc, list, S3_BUCKET_TAGS_MAX, &tags, &ntags);
	if (error)
		return error;
	s3_tags_write_document(out, tags, ntags);
	return out->failed ? S3_ERR_SERVICE_UNAVAILABLE : S3_OK;
}

/* *tags_out: the document of the requested tags, if any; the caller releases it. */
static enum s3_error bucket_check_configuration(struct s3_call *call, const struct s3_doc *doc,
						struct s3_xml *tags_out)
{
	s3_node root = s3_doc_root(doc, "CreateBucketConfiguration"), constraint, location, type,
		tags;
	const struct s3_doc_field fields[] = {{"LocationConstraint", &constraint},
					      {"Location", &location},
					      {"Bucket", &type},
					      {"Tags", &tags}};
	struct gml_span text;
	enum s3_error error = s3_doc_fields(doc, root, fields, 4);
	if (error || !root)
		return S3_ERR_MALFORMED_XML;
	if (location || type) {
		s3_detail(call, "Element", gml_span_text(location ? "Location" : "Bucket"));
		return S3_ERR_NOT_IMPLEMENTED; /* directory buckets */
	}
	text = s3_doc_text(doc, constraint);
	if (text.len > 0)
		call->location = s3_arena_copy(&call->arena, text);
	if (text.len > 0 && !bucket_region_fits(call, text))
		return s3_refuse(call, S3_ERR_ILLEGAL_LOCATION,
				 "The %.*s location constraint is incompatible for the region "
				 "specific endpoint this "
				 "request was sent to.",
				 (int)(text.len < 64 ? text.len : 64), gml_span_chars(text));
	return s3_doc_child(doc, tags, NULL) ? bucket_read_tags(call, doc, tags, tags_out) : S3_OK;
}

static enum s3_error bucket_read_configuration(struct s3_call *call, struct s3_xml *tags_out)
{
	struct s3_doc *doc = NULL;
	enum s3_error error;
	if (call->body.len == 0)
		return S3_OK;
	error = s3_doc_parse(s3_body_text(call), 64, &doc);
	if (!error)
		error = bucket_check_configuration(call, doc, tags_out);
	s3_doc_free(doc);
	return error;
}

static enum s3_error bucket_read_ownership(struct s3_call *call, struct gml_bucket_new *settings)
{
	struct gml_span name = s3_header(call, "x-amz-object-ownership");
	settings->has_ownership = true;
	settings->ownership = call->config->object_ownership;
	if (!name.ptr || gml_ownership_parse(name, &settings->ownership) == 0)
		return S3_OK;
	return s3_refuse_argument(call, "x-amz-object-ownership", name,
				  "Invalid x-amz-object-ownership header");
}

/* S3's oldest region answers success to the owner of the bucket, and resets its grants; all others
 * a conflict. */
static enum s3_error bucket_create_again(struct s3_call *call, const struct gml_grants *grants)
{
	const struct gml_grants private = {
		.count = 1, .grants = {{GML_GRANTEE_OWNER, 0, GML_GRANT_FULL_CONTROL}}};
	int rc = gml_bucket_grants_set(&call->op, call->config->store, call->bucket,
				       grants ? grants : &private);
	return rc == GML_ERR_NOACL ? S3_ERR_ACL_WITH_OWNERSHIP : s3_error_from(rc);
}

static enum s3_error bucket_create(struct s3_call *call, const struct gml_bucket_new *settings)
{
	int rc = gml_bucket_create(&call->op, call->config->store, call->bucket, settings, NULL);
	if (rc == GML_ERR_BUCKETOWNED && strcmp(call->config->region, "us-east-1") == 0)
		return bucket_create_again(call, settings->grants);
	return rc == GML_ERR_NOACL ? S3_ERR_ACL_WITH_OWNERSHIP : s3_error_from(rc);
}

enum s3_error s3_create_bucket(struct s3_call *call)
{
	struct s3_xml tags = {0};
	struct gml_grants *grants = NULL;
	struct gml_bucket_new settings = {.kind = GML_BUCKET_TAGGING};
	enum s3_error error = bucket_read_configuration(call, &tags);
	if (!error)
		error = bucket_read_ownership(call, &settings);
	if (!error)
		error = s3_grants_read_headers(call, &grants);
	if (tags.len > 0)
		settings.document = gml_span_of(tags.buf, tags.len);
	settings.grants = grants;
	if (!error)
		error = bucket_create(call, &settings);
	s3_xml_release(&tags);
	if (error)
		return error;
	s3_answer_header(call, "Location",
			 gml_span_text(s3_arena_printf(&call->arena, "/%.*s", (int)call->bucket.len,
						       gml_span_chars(call->bucket))));
	return s3_answer_empty(call, 200);
}

/* ---- the others ---- */

enum s3_error s3_head_bucket(struct s3_call *call)
{
	s3_answer_header(call, "x-amz-bucket-region", gml_span_text(call->config->region));
	s3_answer_header(call, "x-amz-access-point-alias", GML_LIT("false"));
	return s3_answer_empty(call, 200);
}

enum s3_error s3_delete_bucket(struct s3_call *call)
{
	int rc = gml_bucket_delete(&call->op, call->config->store, call->bucket);
	return rc != 0 ? s3_error_from(rc) : s3_answer_empty(call, 204);
}

enum s3_error s3_get_bucket_location(struct s3_call *call)
{
	const char *region = call->config->region;
	s3_xml_begin(&call->xml, "LocationConstraint", true);
	if (strcmp(region, "us-east-1") != 0) {
		/* The root element itself holds the name. */
		s3_xml_raw(&call->xml, gml_span_text(region));
	}
	s3_xml_close(&call->xml, "LocationConstraint");
	return s3_answer_xml(call, 200);
}
