// SPDX-License-Identifier: Apache-2.0
/* ListObjects, ListObjectsV2 and ListObjectVersions: one page of the core's listing as XML. */
#include "call.h"

#include <stdlib.h>
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"

#define LIST_MAX 1000
#define LIST_TOKEN_MAGIC 'k' /* first byte of a token: what follows is the last key */

enum list_kind { LIST_V1, LIST_V2, LIST_VERSIONS };

struct list_page {
	struct s3_call *call;
	enum list_kind kind;
	struct gml_list_query query;
	bool url, owner, truncated;
	uint32_t count;
	struct s3_xml prefixes; /* <CommonPrefixes> go after the contents */
	char last[GML_KEY_MAX];
	size_t last_len;
};

/* ---- parameters ---- */

static struct gml_span list_param(const struct s3_call *call, const char *name)
{
	struct gml_span value;
	return s3_param(call, name, &value) && value.ptr ? value : GML_LIT("");
}

static enum s3_error list_decode_token(struct s3_call *call, struct gml_span token,
				       struct gml_span *after)
{
	char *text = s3_arena_alloc(&call->arena, GML_KEY_MAX + 1);
	size_t len;
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	if (!gml_base64url_decode(token, text, GML_KEY_MAX + 1, &len) || len < 2 ||
	    text[0] != LIST_TOKEN_MAGIC || memchr(text, 0, len))
		return s3_refuse_argument(call, "continuation-token", token,
					  "The continuation token provided is incorrect");
	*after = gml_span_of(text + 1, len - 1);
	return S3_OK;
}

static enum s3_error list_read_after(struct s3_call *call, struct list_page *page)
{
	struct gml_span token;
	switch (page->kind) {
	case LIST_V1:
		page->query.after = list_param(call, "marker");
		return S3_OK;
	case LIST_VERSIONS:
		page->query.after = list_param(call, "key-marker");
		token = list_param(call, "version-id-marker");
		if (token.len > 0 && page->query.after.len == 0)
			return s3_refuse_argument(
				call, "version-id-marker", token,
				"A version-id marker cannot be specified without a key marker.");
		if (token.len > 0 && !gml_span_is(token, "null"))
			return s3_refuse_argument(call, "version-id-marker", token,
						  "Invalid version id specified");
		return S3_OK;
	case LIST_V2:
		page->query.after = list_param(call, "start-after");
		if (!s3_param(call, "continuation-token", &token))
			return S3_OK;
		return list_decode_token(call, token, &page->query.after);
	}
	return S3_ERR_INTERNAL_ERROR;
}

static enum s3_error list_read(struct s3_call *call, struct list_page *page)
{
	enum s3_error error;
	struct gml_span type;
	if (page->kind == LIST_V2 && s3_param(call, "list-type", &type) && !gml_span_is(type, "2"))
		return s3_refuse_argument(call, "list-type", type,
					  "Invalid List Type specified in Request");
	page->query.bucket = call->bucket;
	page->query.prefix = list_param(call, "prefix");
	page->query.delimiter = list_param(call, "delimiter");
	page->query.max = LIST_MAX;
	page->owner = page->kind != LIST_V2 ||
		      gml_span_is_nocase(list_param(call, "fetch-owner"), "true");
	error = s3_param_number(call, "max-keys", LIST_MAX, &page->query.max);
	if (!error)
		error = s3_param_encoding(call, &page->url);
	return error ? error : list_read_after(call, page);
}

/* ---- entries ---- */

static void list_write_key(struct list_page *page, const struct gml_list_entry *entry)
{
	struct s3_xml *xml = &page->call->xml;
	bool versions = page->kind == LIST_VERSIONS;
	s3_xml_open(xml, versions ? "Version" : "Contents");
	s3_xml_key(xml, "Key", entry->key, page->url);
	if (versions) {
		s3_xml_string(xml, "VersionId", "null");
		s3_xml_bool(xml, "IsLatest", true);
	}
	s3_xml_date(xml, "LastModified", entry->mtime);
	s3_xml_etag(xml, "ETag", entry->etag);
	if (gml_checksum_name((enum gml_checksum)entry->checksum.algorithm)) {
		s3_xml_string(xml, "ChecksumAlgorithm",
			      gml_checksum_name((enum gml_checksum)entry->checksum.algorithm));
		s3_xml_string(xml, "ChecksumType",
			      entry->checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
	}
	s3_xml_number(xml, "Size", entry->size);
	if (page->owner)
		s3_xml_owner(page->call, xml, "Owner", entry->uid);
	s3_xml_class(xml, entry->storage_class);
	s3_xml_close(xml, versions ? "Version" : "Contents");
}

static bool list_one(void *arg, const struct gml_list_entry *entry)
{
	struct list_page *page = arg;
	gml_assert(page->count < page->query.max);
	gml_assert(entry->key.len > 0 && entry->key.len <= sizeof(page->last));
	if (entry->common_prefix) {
		s3_xml_open(&page->prefixes, "CommonPrefixes");
		s3_xml_key(&page->prefixes, "Prefix", entry->key, page->url);
		s3_xml_close(&page->prefixes, "CommonPrefixes");
	} else {
		list_write_key(page, entry);
	}
	page->last_len = entry->key.len < sizeof(page->last) ? entry->key.len : sizeof(page->last);
	memcpy(page->last, entry->key.ptr, page->last_len);
	page->count++;
	return true;
}

/* ---- the document ---- */

static void list_write_next(struct list_page *page)
{
	struct s3_xml *xml = &page->call->xml;
	struct gml_span last = gml_span_of(page->last, page->last_len);
	char raw[GML_KEY_MAX + 1], token[GML_BASE64_LEN(GML_KEY_MAX + 1) + 1];
	if (!page->truncated)
		return;
	gml_assert(last.len > 0); /* the next page begins after it */
	switch (page->kind) {
	case LIST_V1:
		if (page->query.delimiter.len >
		    0) /* S3's rule; without a delimiter the last key is the marker */
			s3_xml_key(xml, "NextMarker", last, page->url);
		break;
	case LIST_VERSIONS:
		s3_xml_key(xml, "NextKeyMarker", last, page->url);
		s3_xml_string(xml, "NextVersionIdMarker", "null");
		break;
	case LIST_V2:
		raw[0] = LIST_TOKEN_MAGIC;
		memcpy(raw + 1, last.ptr, last.len);
		gml_base64url(raw, last.len + 1, token);
		s3_xml_string(xml, "NextContinuationToken", token);
		break;
	}
}

static void list_write_head(struct list_page *page)
{
	struct s3_call *call = page->call;
	struct s3_xml *xml = &call->xml;
	struct gml_span value;
	s3_xml_text(xml, "Name", call->bucket);
	s3_xml_key(xml, "Prefix", page->query.prefix, page->url);
	if (page->kind == LIST_V1)
		s3_xml_key(xml, "Marker", page->query.after, page->url);
	if (page->kind == LIST_VERSIONS) {
		s3_xml_key(xml, "KeyMarker", page->query.after, page->url);
		s3_xml_text(xml, "VersionIdMarker", list_param(call, "version-id-marker"));
	}
	if (page->kind == LIST_V2 && s3_param(call, "start-after", &value))
		s3_xml_key(xml, "StartAfter", value, page->url);
	if (page->kind == LIST_V2 && s3_param(call, "continuation-token", &value))
		s3_xml_text(xml, "ContinuationToken", value);
	s3_xml_number(xml, "MaxKeys", page->query.max);
	if (page->query.delimiter.len > 0)
		s3_xml_key(xml, "Delimiter", page->query.delimiter, page->url);
	if (page->url)
		s3_xml_string(xml, "EncodingType", "url");
}

static enum s3_error list_fill(struct list_page *page)
{
	int rc;
	/* The core is asked even for an empty page: bucket and rights are checked there. */
	rc = gml_object_list(&page->call->op, page->call->config->store, &page->query, list_one,
			     page, &page->truncated);
	if (page->query.max == 0)
		page->truncated = false;
	return s3_error_from(rc);
}

static enum s3_error list_answer(struct s3_call *call, enum list_kind kind)
{
	static const char *const roots[] = {"ListBucketResult", "ListBucketResult",
					    "ListVersionsResult"};
	struct list_page *page = s3_arena_alloc(&call->arena, sizeof(*page));
	enum s3_error error;
	if (!page)
		return S3_ERR_SERVICE_UNAVAILABLE;
	page->call = call;
	page->kind = kind;
	error = list_read(call, page);
	if (error)
		return error;
	page->query.versions = kind == LIST_VERSIONS;
	s3_xml_begin(&call->xml, roots[kind], true);
	list_write_head(page);
	error = list_fill(page);
	if (error)
		goto out;
	s3_xml_raw(&call->xml, gml_span_of(page->prefixes.buf, page->prefixes.len));
	call->xml.failed |= page->prefixes.failed;
	if (kind == LIST_V2)
		s3_xml_number(&call->xml, "KeyCount", page->count);
	s3_xml_bool(&call->xml, "IsTruncated", page->truncated);
	list_write_next(page);
	s3_xml_close(&call->xml, roots[kind]);
	error = s3_answer_xml(call, 200);
out:
	s3_xml_release(&page->prefixes);
	return error;
}

enum s3_error s3_list_objects(struct s3_call *call)
{
	return list_answer(call, LIST_V1);
}

enum s3_error s3_list_objects_v2(struct s3_call *call)
{
	return list_answer(call, LIST_V2);
}

enum s3_error s3_list_versions(struct s3_call *call)
{
	return list_answer(call, LIST_VERSIONS);
}
