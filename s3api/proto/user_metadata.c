// SPDX-License-Identifier: Apache-2.0
/* The properties of an object besides its bytes: content headers, user metadata, tags. */
#include "call.h"
#include "gateway/base/assert.h"

#define META_PREFIX "x-amz-meta-"
#define META_SIZE_MAX 2048 /* bytes of names and values together */
#define META_REDIRECT_MAX 2048
/* Characters, as UTF-16 counts them ("Categorizing your objects using tags", S3 user guide). */
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256
#define TAGS_LOAD_MAX 64 /* NFS may have set more than S3 would */

static const struct {
	const char *request, *answer;
} meta_headers[GML_HDR_COUNT] = {
	[GML_HDR_CONTENT_TYPE] = {"content-type", "Content-Type"},
	[GML_HDR_CONTENT_ENCODING] = {"content-encoding", "Content-Encoding"},
	[GML_HDR_CONTENT_DISPOSITION] = {"content-disposition", "Content-Disposition"},
	[GML_HDR_CONTENT_LANGUAGE] = {"content-language", "Content-Language"},
	[GML_HDR_CACHE_CONTROL] = {"cache-control", "Cache-Control"},
	[GML_HDR_EXPIRES] = {"expires", "Expires"},
	[GML_HDR_REDIRECT] = {"x-amz-website-redirect-location", "x-amz-website-redirect-location"},
	[GML_HDR_STORAGE_CLASS] = {"x-amz-storage-class", "x-amz-storage-class"},
};

const char *s3_meta_header_name(enum gml_header header)
{
	gml_assert(header < GML_HDR_COUNT && meta_headers[header].answer != NULL);
	return meta_headers[header].answer;
}

/* ---- content headers and user metadata ---- */

/* A list that was sent in several lines is one list (RFC 9110 5.3). *value: its first line. */
static enum s3_error meta_join_lines(struct s3_call *call, const char *name, struct gml_span *value)
{
	size_t len = 0, n = 0;
	char *text;
	for (size_t i = 0; value->ptr && i < call->nheaders; i++)
		if (gml_span_is(call->headers[i].name, name)) {
			len += call->headers[i].value.len + 2;
			n++;
		}
	if (n < 2)
		return S3_OK;
	text = s3_arena_alloc(&call->arena, len);
	if (!text)
		return S3_ERR_SERVICE_UNAVAILABLE;
	*value = gml_span_of(text, len - 2);
	for (size_t i = 0; i < call->nheaders; i++)
		if (gml_span_is(call->headers[i].name, name)) {
			struct gml_span line = call->headers[i].value;
			memcpy(text, line.ptr, line.len);
			text += line.len;
			if (--n > 0)
				memcpy(text, ", ", 2);
			text += 2;
		}
	gml_assert(text == gml_span_chars(*value) + len);
	return S3_OK;
}

/* "aws-chunked" is framing, not an encoding of the object; all else stays as it was sent. */
static enum s3_error meta_strip_chunked(struct s3_call *call, struct gml_span *encoding)
{
	struct gml_span rest = *encoding, left;
	char *out = s3_arena_alloc(&call->arena, encoding->len + 1);
	size_t len = 0;
	if (!out)
		return S3_ERR_SERVICE_UNAVAILABLE;
	while (rest.len > 0) {
		struct gml_span token = gml_span_cut(&rest, ',');
		if (gml_span_is_nocase(gml_span_trim_space(token), "aws-chunked"))
			continue;
		if (len > 0)
			out[len++] = ',';
		memcpy(out + len, token.ptr, token.len);
		len += token.len;
	}
	gml_assert(len <= encoding->len);
	left = gml_span_trim_space(gml_span_of(out, len));
	*encoding = left.len > 0 ? left : gml_span_of(NULL, 0);
	return S3_OK;
}

/* Those of general purpose buckets. They are labels: a store cannot keep their promises of price
 * and time. */
enum s3_error s3_meta_read_class(struct s3_call *call, struct gml_span *out)
{
	static const char *const labels[] = {"REDUCED_REDUNDANCY",  "STANDARD_IA", "ONEZONE_IA",
					     "INTELLIGENT_TIERING", "GLACIER",	   "GLACIER_IR",
					     "DEEP_ARCHIVE"};
	*out = s3_header(call, meta_headers[GML_HDR_STORAGE_CLASS].request);
	if (!out->ptr)
		return S3_OK;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (gml_span_is(*out, labels[i]))
			return S3_OK;
	if (!gml_span_is(*out, "STANDARD")) {
		s3_detail(call, "StorageClassRequested", *out);
		return S3_ERR_INVALID_STORAGE_CLASS;
	}
	*out = gml_span_of(NULL, 0);
	return S3_OK;
}

void s3_xml_class(struct s3_xml *xml, struct gml_span storage_class)
{
	s3_xml_text(xml, "StorageClass",
		    storage_class.len > 0 ? storage_class : GML_LIT("STANDARD"));
}

static enum s3_error meta_check_redirect(struct s3_call *call, struct gml_span redirect)
{
	(void)call;
	if (!redirect.ptr)
		return S3_OK;
	if (redirect.len > META_REDIRECT_MAX || !(gml_span_starts(redirect, GML_LIT("/")) ||
						  gml_span_starts(redirect, GML_LIT("http://")) ||
						  gml_span_starts(redirect, GML_LIT("https://"))))
		return S3_ERR_INVALID_REDIRECT;
	return S3_OK;
}

/* Repeated headers of one name are one value, joined with commas (RFC 9110 5.3). */
static enum s3_error meta_add_pair(struct s3_call *call, struct gml_meta_pair *pairs, uint32_t *n,
				   struct gml_span name, struct gml_span value)
{
	for (uint32_t i = 0; i < *n; i++) {
		char *joined;
		size_t first = pairs[i].value.len;
		if (!gml_span_equal(pairs[i].name, name))
			continue;
		joined = s3_arena_alloc(&call->arena, first + 1 + value.len);
		if (!joined)
			return S3_ERR_SERVICE_UNAVAILABLE;
		memcpy(joined, pairs[i].value.ptr, first);
		joined[first] = ',';
		memcpy(joined + first + 1, value.ptr, value.len);
		pairs[i].value = gml_span_of(joined, first + 1 + value.len);
		return S3_OK;
	}
	pairs[(*n)++] = (struct gml_meta_pair){name, value};
	return S3_OK;
}

static enum s3_error meta_too_large(struct s3_call *call, size_t size)
{
	s3_detail_number(call, "Size", size);
	s3_detail_number(call, "MaxSizeAllowed", META_SIZE_MAX);
	return S3_ERR_METADATA_TOO_LARGE;
}

static enum s3_error meta_read_pairs(struct s3_call *call, struct gml_object_new *out)
{
	struct gml_meta_pair *pairs = NULL;
	uint32_t n = 0;
	size_t size = 0;
	for (size_t i = 0; i < call->nheaders; i++) {
		struct gml_span name = call->headers[i].name;
		enum s3_error error;
		if (!gml_span_starts(name, GML_LIT(META_PREFIX)))
			continue;
		name = gml_span_from(name, sizeof(META_PREFIX) - 1);
		if (name.len == 0)
			return s3_refuse_argument(call, META_PREFIX, call->headers[i].value,
						  "The name of a metadata header is empty.");
		if (!pairs &&
		    !(pairs = s3_arena_array(&call->arena, call->nheaders - i, sizeof(*pairs))))
			return S3_ERR_SERVICE_UNAVAILABLE;
		error = meta_add_pair(call, pairs, &n, name, call->headers[i].value);
		if (error)
			return error;
	}
	for (uint32_t i = 0; i < n; i++)
		size += pairs[i].name.len + pairs[i].value.len;
	if (size > META_SIZE_MAX)
		return meta_too_large(call, size);
	out->meta = pairs;
	out->nmeta = n;
	return S3_OK;
}

enum s3_error s3_meta_read_headers(struct s3_call *call, struct gml_object_new *out)
{
	static const enum gml_header lists[] = {GML_HDR_CONTENT_ENCODING, GML_HDR_CONTENT_LANGUAGE,
						GML_HDR_CACHE_CONTROL};
	enum s3_error error;
	for (unsigned i = 0; i < GML_HDR_COUNT; i++)
		out->headers[i] = s3_header(call, meta_headers[i].request);
	error = meta_check_redirect(call, out->headers[GML_HDR_REDIRECT]);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !error; i++)
		error = meta_join_lines(call, meta_headers[lists[i]].request,
					&out->headers[lists[i]]);
	if (!error && out->headers[GML_HDR_CONTENT_ENCODING].ptr)
		error = meta_strip_chunked(call, &out->headers[GML_HDR_CONTENT_ENCODING]);
	if (!error)
		error = s3_meta_read_class(call, &out->headers[GML_HDR_STORAGE_CLASS]);
	return error ? error : meta_read_pairs(call, out);
}

/* ---- tags ---- */

static bool tags_characters(struct gml_span text, size_t *count_out)
{
	const unsigned char *p = text.ptr;
	size_t count = 0;
	if (!s3_xml_carries(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool word = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
			    (p[i] >= '0' && p[i] <= '9');
		if (!word && p[i] < 0x80 && (p[i] == 0 || !strchr(" +-=._:/@", p[i])))
			return false;
		count += (p[i] & 0xc0) != 0x80;
		count += p[i] >= 0xf0; /* a surrogate pair */
	}
	*count_out = count;
	return true;
}

static enum s3_error tags_check_one(struct s3_call *call, const struct gml_meta_pair *tag)
{
	size_t count;
	if (tag->name.len == 0 || !tags_characters(tag->name, &count) || count > TAG_KEY_MAX ||
	    gml_span_starts(tag->name, GML_LIT("aws:"))) {
		s3_detail(call, "TagKey", tag->name);
		return s3_refuse(call, S3_ERR_INVALID_TAG,
				 "The TagKey you have provided is invalid");
	}
	if (!tags_characters(tag->value, &count) || count > TAG_VALUE_MAX) {
		s3_detail(call, "TagKey", tag->name);
		s3_detail(call, "TagValue", tag->value);
		return s3_refuse(call, S3_ERR_INVALID_TAG,
				 "The TagValue you have provided is invalid");
	}
	return S3_OK;
}

enum s3_error s3_tags_check(struct s3_call *call, const struct gml_meta_pair *tags, uint32_t ntags,
			    uint32_t max)
{
	if (ntags > max)
		return s3_refuse(call, S3_ERR_BAD_REQUEST, "%s tags cannot be greater than %u",
				 max == S3_TAGS_MAX ? "Object" : "Bucket", max);
	for (uint32_t i = 0; i < ntags; i++) {
		enum s3_error error = tags_check_one(call, &tags[i]);
		if (error)
			return error;
		for (uint32_t j = 0; j < i; j++)
			if (gml_span_equal(tags[i].name, tags[j].name)) {
				s3_detail(call, "TagKey", tags[i].name);
				return s3_refuse(call, S3_ERR_INVALID_TAG,
						 "Cannot provide multiple Tags with the same key");
			}
	}
	return S3_OK;
}

enum s3_error s3_meta_read_tags(struct s3_call *call, struct gml_object_new *out)
{
	struct gml_span header = s3_header(call, "x-amz-tagging");
	struct s3_param params[S3_TAGS_MAX * 2];
	struct gml_meta_pair *tags;
	char *text;
	int n;
	if (header.len == 0)
		return S3_OK;
	text = s3_arena_alloc(&call->arena, header.len);
	tags = s3_arena_array(&call->arena, S3_TAGS_MAX * 2, sizeof(*tags));
	if (!text || !tags)
		return S3_ERR_SERVICE_UNAVAILABLE;
	n = s3_uri_query(header, text, params, NULL, S3_TAGS_MAX * 2);
	if (n < 0)
		return s3_refuse_argument(call, "x-amz-tagging", header,
					  "The header 'x-amz-tagging' shall be encoded as UTF-8 "
					  "then URLEncoded URL query parameters "
					  "without tag name duplicates.");
	for (int i = 0; i < n; i++)
		tags[i] = (struct gml_meta_pair){
			params[i].name, params[i].value.ptr ? params[i].value : GML_LIT("")};
	out->tags = tags;
	call->tags = tags;
	out->ntags = call->ntags = (uint32_t)n;
	return s3_tags_check(call, tags, out->ntags, S3_TAGS_MAX);
}

enum s3_error s3_meta_read(struct s3_call *call, struct gml_object_new *out)
{
	enum s3_error error;
	*out = (struct gml_object_new){0};
	error = s3_meta_read_headers(call, out);
	return error ? error : s3_meta_read_tags(call, out);
}

struct tags_load {
	struct s3_call *call;
	struct gml_meta_pair *tags;
	uint32_t n;
};

static bool tags_load_one(void *arg, struct gml_span name, struct gml_span value)
{
	struct tags_load *load = arg;
	struct s3_arena *arena = &load->call->arena;
	if (load->n == TAGS_LOAD_MAX)
		return false;
	if (value.len <= TAG_VALUE_MAX * 4) /* no value that S3 could have set */
		load->tags[load->n++] = (struct gml_meta_pair){s3_arena_copy(arena, name),
							       s3_arena_copy(arena, value)};
	return true;
}

enum s3_error s3_tags_load(struct s3_call *call, gml_ino ino, struct gml_meta_pair **tags_out,
			   uint32_t *ntags_out)
{
	struct tags_load load = {
		.call = call,
		.tags = s3_arena_array(&call->arena, TAGS_LOAD_MAX, sizeof(*load.tags))};
	int rc;
	if (!load.tags)
		return S3_ERR_SERVICE_UNAVAILABLE;
	rc = gml_tags_each(&call->op, call->config->store, ino, tags_load_one, &load);
	*tags_out = load.tags;
	*ntags_out = load.n;
	return s3_error_from(rc);
}
