// SPDX-License-Identifier: Apache-2.0
/* CopyObject. Metadata and tags each come from the source (COPY) or from the request (REPLACE). */
#include "call.h"
#include "gateway/base/assert.h"

struct copy_plan {
	struct s3_copy_source source;
	struct gml_conditions cond;
	struct gml_object_new attrs;
	struct gml_grants *grants; /* NULL: none are stated */
	bool replace_meta, replace_tags;
	bool own; /* the request sets a property of the copy itself: redirection, storage class */
	enum gml_checksum checksum;
};

static enum s3_error copy_directive(struct s3_call *call, const char *name, bool *replace_out)
{
	struct gml_span value = s3_header(call, name);
	*replace_out = gml_span_is(value, "REPLACE");
	if (!value.ptr || *replace_out || gml_span_is(value, "COPY"))
		return S3_OK;
	return s3_refuse_argument(call, name, value, "Unknown directive.");
}

static enum s3_error copy_checksum(struct s3_call *call, enum gml_checksum *out)
{
	struct gml_span name = s3_header(call, "x-amz-checksum-algorithm");
	*out = GML_CHECKSUM_NONE;
	if (!name.ptr)
		return S3_OK;
	*out = gml_checksum_by_name(name);
	if (*out == GML_CHECKSUM_NONE)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Checksum algorithm provided is unsupported. Please try again "
				 "with any of the valid types: "
				 "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
	return S3_OK;
}

static enum s3_error copy_read(struct s3_call *call, struct copy_plan *plan)
{
	enum s3_error error;
	bool self;
	if (s3_has_header(call,
			  /* a part's; the whole instead would be a surprise */
			  "x-amz-copy-source-range")) {
		s3_detail(call, "Header", GML_LIT("x-amz-copy-source-range"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	error = s3_copy_source_read(call, &plan->source);
	if (!error)
		error = copy_directive(call, "x-amz-metadata-directive", &plan->replace_meta);
	if (!error)
		error = copy_directive(call, "x-amz-tagging-directive", &plan->replace_tags);
	if (!error)
		error = s3_conditions_write(call, &plan->cond);
	if (!error)
		error = copy_checksum(call, &plan->checksum);
	if (!error)
		error = s3_meta_read(call, &plan->attrs);
	if (!error)
		error = s3_grants_read_headers(call, &plan->grants);
	if (error)
		return error;
	self = gml_span_equal(plan->source.object.bucket, call->bucket) &&
	       gml_span_equal(plan->source.object.key, call->key);
	plan->own = plan->attrs.headers[GML_HDR_REDIRECT].ptr ||
		    plan->attrs.headers[GML_HDR_STORAGE_CLASS].ptr ||
		    (self && s3_has_header(call, "x-amz-storage-class"));
	if (self && !plan->replace_meta && !plan->replace_tags && !plan->own)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "This copy request is illegal because it is trying to copy an "
				 "object to itself without "
				 "changing the "
				 "object's metadata, storage class, website redirect location or "
				 "encryption attributes.");
	return S3_OK;
}

static void copy_take_meta(struct s3_call *call, struct copy_plan *plan,
			   const struct gml_object_info *info)
{
	struct gml_span redirect = plan->attrs.headers[GML_HDR_REDIRECT];
	struct gml_span class = plan->attrs.headers[GML_HDR_STORAGE_CLASS];
	struct gml_meta_pair *meta = s3_arena_array(&call->arena, info->nmeta, sizeof(*meta));
	for (unsigned i = 0; i < GML_HDR_COUNT; i++)
		plan->attrs.headers[i] = info->headers[i].ptr
						 ? s3_arena_copy(&call->arena, info->headers[i])
						 : gml_span_of(NULL, 0);
	/* Never copied: one belongs to the name, the other is asked for. */
	plan->attrs.headers[GML_HDR_REDIRECT] = redirect;
	plan->attrs.headers[GML_HDR_STORAGE_CLASS] = class;
	for (uint32_t i = 0; meta && i < info->nmeta; i++) {
		meta[i].name = s3_arena_copy(&call->arena, info->meta[i].name);
		meta[i].value = s3_arena_copy(&call->arena, info->meta[i].value);
	}
	plan->attrs.meta = meta;
	plan->attrs.nmeta = meta ? info->nmeta : 0;
}

/* The source's tags, for who may read them. */
static enum s3_error copy_take_tags(struct s3_call *call, struct copy_plan *plan,
				    const struct gml_object_info *info)
{
	struct gml_object *tagged = NULL;
	struct gml_meta_pair *tags;
	enum s3_error error;
	int rc;
	plan->attrs.tags = NULL;
	plan->attrs.ntags = 0;
	if (info->ntags == 0)
		return S3_OK;
	rc = gml_object_find(&call->op, call->config->store, &plan->source.object,
			     GML_ACTION_GET_OBJECT_TAGGING, &tagged);
	gml_object_close(tagged);
	if (rc != 0)
		return s3_copy_error(call, &plan->source, rc);
	error = s3_tags_load(call, info->ino, &tags, &plan->attrs.ntags);
	if (!error && plan->attrs.ntags > 0)
		plan->attrs.tags = tags;
	return error;
}

/* One half comes from the source, the other from the request: read the source's half, and make the
 * copy conditional on the content that was read. */
static enum s3_error copy_mix(struct s3_call *call, struct copy_plan *plan)
{
	const struct gml_object_info *info;
	enum s3_error error = S3_OK;
	int rc;
	gml_assert(call->object == NULL && !(plan->replace_meta && plan->replace_tags));
	rc = gml_object_open(&call->op, call->config->store, &plan->source.object, GML_OBJECT_FACTS,
			     &call->object);
	if (rc != 0)
		return s3_copy_error(call, &plan->source, rc);
	info = gml_object_info(call->object);
	if (!plan->replace_meta)
		copy_take_meta(call, plan, info);
	if (!plan->replace_tags)
		error = copy_take_tags(call, plan, info);
	if (!plan->source.cond.if_match.ptr)
		plan->source.cond.if_match =
			gml_span_text(s3_arena_printf(&call->arena, "\"%s\"", info->etag));
	return error;
}

static enum s3_error copy_answer(struct s3_call *call, const struct gml_object_info *info)
{
	s3_xml_begin(&call->xml, "CopyObjectResult", true);
	s3_xml_date(&call->xml, "LastModified", info->mtime);
	s3_xml_etag(&call->xml, "ETag", info->etag);
	s3_xml_checksum(&call->xml, &info->checksum, info->nparts, true);
	s3_xml_close(&call->xml, "CopyObjectResult");
	return s3_answer_xml(call, 200);
}

enum s3_error s3_copy_object(struct s3_call *call)
{
	struct copy_plan plan = {0};
	struct gml_object_ref dst = s3_object_ref(call);
	struct gml_copy_options options;
	struct gml_object_info info = {0};
	enum s3_error error = copy_read(call, &plan);
	bool keep;
	int rc;
	if (error)
		return error;
	keep = !plan.replace_meta && !plan.replace_tags && !plan.own;
	if (!keep && !(plan.replace_meta && plan.replace_tags)) {
		error = copy_mix(call, &plan);
		if (error)
			return error;
	}
	options = (struct gml_copy_options){.src_cond = &plan.source.cond,
					    .cond = &plan.cond,
					    .attrs = keep ? NULL : &plan.attrs,
					    .checksum = plan.checksum,
					    .grants = plan.grants};
	rc = gml_object_copy(&call->op, call->config->store, &plan.source.object, &dst, &options,
			     &info);
	return rc != 0 ? s3_copy_error(call, &plan.source, rc) : copy_answer(call, &info);
}
