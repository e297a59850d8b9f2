// SPDX-License-Identifier: Apache-2.0
/* GetObject and HeadObject: one lookup, conditions, range or part, headers; the content follows in
 * runs. */
#include "call.h"

#include "gateway/base/assert.h"
#include "gateway/base/base64.h"
#include "range.h"

enum s3_error s3_object_find(struct s3_call *call, enum gml_action action)
{
	const struct gml_object_ref ref = s3_object_ref(call);
	enum s3_error error = s3_check_version(call);
	gml_assert(call->object == NULL); /* s3_call_free closes one */
	return error ? error
		     : s3_error_from(gml_object_find(&call->op, call->config->store, &ref, action,
						     &call->object));
}

/* Content stays readable whatever happens to the key. A HEAD reads none of it, but needs the same
 * right, and fails where a GET would fail. Where the disk is needed, step is S3_WORK afterwards:
 * the handler is run again, on a thread. */
static enum s3_error get_open(struct s3_call *call)
{
	enum gml_object_want want =
		call->method == S3_HEAD ? GML_OBJECT_PRESENT : GML_OBJECT_CONTENT;
	struct gml_object_ref ref = s3_object_ref(call);
	enum s3_error error = s3_check_version(call);
	int rc;
	gml_assert(call->object == NULL);
	if (error)
		return error;
	call->op.nowait = call->step != S3_WORK;
	rc = gml_object_open(&call->op, call->config->store, &ref, want, &call->object);
	if (rc != GML_ERR_COLD)
		return s3_error_from(rc);
	gml_assert(call->op.nowait); /* a thread waits for the disk: no second round */
	call->work = s3_get_object;
	call->step = S3_WORK;
	return S3_OK;
}

/* ---- headers ---- */

static const struct {
	const char *param;
	enum gml_header header;
} get_overrides[] = {
	{"response-content-type", GML_HDR_CONTENT_TYPE},
	{"response-content-encoding", GML_HDR_CONTENT_ENCODING},
	{"response-content-disposition", GML_HDR_CONTENT_DISPOSITION},
	{"response-content-language", GML_HDR_CONTENT_LANGUAGE},
	{"response-cache-control", GML_HDR_CACHE_CONTROL},
	{"response-expires", GML_HDR_EXPIRES},
};

static bool get_overrides_some(const struct s3_call *call)
{
	for (size_t i = 0; i < call->nparams; i++)
		if (gml_span_starts(call->params[i].name, GML_LIT("response-")))
			return true;
	return false;
}

static enum s3_error get_put_content_headers(struct s3_call *call,
					     const struct gml_object_info *info)
{
	bool some = get_overrides_some(call);
	struct gml_span values[GML_HDR_COUNT];
	_Static_assert(sizeof(values) == sizeof(info->headers), "the same headers");
	memcpy(values, info->headers, sizeof(values));
	if (!values[GML_HDR_CONTENT_TYPE].ptr || values[GML_HDR_CONTENT_TYPE].len == 0)
		values[GML_HDR_CONTENT_TYPE] = gml_span_text(
			info->directory ? "application/x-directory" : "binary/octet-stream");
	for (size_t i = 0; some && i < sizeof(get_overrides) / sizeof(get_overrides[0]); i++) {
		struct gml_span value;
		if (!s3_param(call, get_overrides[i].param, &value) || value.len == 0)
			continue;
		values[get_overrides[i].header] = value;
		if (!s3_answer_header(call, s3_meta_header_name(get_overrides[i].header), value))
			return s3_refuse_argument(call, get_overrides[i].param, value,
						  "The value is not valid in a header.");
		values[get_overrides[i].header].ptr = NULL;
	}
	for (unsigned i = 0; i < GML_HDR_COUNT; i++)
		if (values[i].ptr && values[i].len > 0)
			s3_answer_header(call, s3_meta_header_name((enum gml_header)i), values[i]);
	return S3_OK;
}

/* RFC 9110 5.6.2: metadata written over NFS may have names that no header can have. */
static bool get_name_is_token(struct gml_span name)
{
	const unsigned char *p = name.ptr;
	for (size_t i = 0; i < name.len; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", p[i]))
			return false;
	return name.len > 0;
}

/* A value that is not US-ASCII goes out as one encoded word (RFC 2047), as in S3. Bytes that are no
 * text in UTF-8 are what HTTP took for text before it. */
static struct gml_span get_meta_value(struct s3_call *call, struct gml_span value)
{
	const unsigned char *p = value.ptr;
	size_t plain = 0;
	char *text;
	while (plain < value.len && p[plain] < 0x80)
		plain++;
	if (plain == value.len)
		return value;
	text = s3_arena_alloc(&call->arena, GML_BASE64_LEN(value.len) + 1);
	if (!text)
		return value; /* the arena remembers */
	gml_base64(value.ptr, value.len, text);
	return gml_span_text(s3_arena_printf(
		&call->arena, "=?%s?B?%s?=", s3_xml_carries(value) ? "UTF-8" : "ISO-8859-1", text));
}

static void get_put_meta(struct s3_call *call, const struct gml_object_info *info)
{
	unsigned missing = 0;
	for (uint32_t i = 0; i < info->nmeta; i++) {
		const struct gml_meta_pair *pair = &info->meta[i];
		const char *name;
		if (!get_name_is_token(pair->name)) {
			missing++;
			continue;
		}
		name = s3_arena_printf(&call->arena, "x-amz-meta-%.*s", (int)pair->name.len,
				       gml_span_chars(pair->name));
		if (!s3_answer_header(call, name, get_meta_value(call, pair->value)))
			missing++;
	}
	if (missing > 0)
		s3_answer_header(call, "x-amz-missing-meta",
				 gml_span_text(s3_arena_printf(&call->arena, "%u", missing)));
	if (info->ntags > 0)
		s3_answer_header(call, "x-amz-tagging-count",
				 gml_span_text(s3_arena_printf(&call->arena, "%u", info->ntags)));
}

static void get_put_validators(struct s3_call *call, const struct gml_object_info *info)
{
	s3_answer_date(call, "Last-Modified", info->mtime);
	s3_answer_etag(call, info->etag);
}

/* ---- which bytes ---- */

struct get_choice {
	bool partial; /* 206 */
	bool part;
	struct gml_object_checksum checksum; /* of what is sent; NONE when unknown */
};

static enum s3_error get_choose_part(struct s3_call *call, const struct gml_object_info *info,
				     struct get_choice *choice)
{
	uint32_t number = 0;
	enum s3_error error = s3_param_ranged(call, "partNumber", 1, GML_PART_MAX, &number);
	int rc;
	if (error)
		return error;
	if (s3_has_header(call, "range"))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "Cannot specify both Range header and partNumber query parameter");
	rc = gml_object_part(call->object, number, &call->range_off, &call->range_len,
			     &choice->checksum);
	if (rc == GML_ERR_INVAL) {
		s3_detail_number(call, "ActualPartCount", info->nparts ? info->nparts : 1);
		s3_detail_number(call, "PartNumberRequested", number);
		return S3_ERR_INVALID_PART_NUMBER;
	}
	choice->checksum.composite = info->checksum.composite; /* the type is the object's */
	choice->part = true;
	choice->partial = call->range_len > 0; /* no Content-Range can say that a part is empty */
	return s3_error_from(rc);
}

/* If-Range (RFC 9110 13.1.5): the range counts only for the representation that the client already
 * has part of. */
static bool get_if_range_holds(struct s3_call *call, const struct gml_object_info *info)
{
	struct gml_span value = s3_header(call, "if-range");
	struct gml_conditions cond = {0};
	if (!value.ptr)
		return true;
	if (gml_span_starts(value, GML_LIT("\""))) {
		cond.if_match = value;
	} else {
		cond.if_unmodified_since = 0;
		if (!s3_conditions_date(value, &cond.if_unmodified_since))
			return false; /* weak tags and nonsense never match */
	}
	return gml_conditions_check(&cond, info, false) == 0;
}

static enum s3_error get_choose_range(struct s3_call *call, const struct gml_object_info *info,
				      struct get_choice *choice)
{
	struct gml_span range = s3_header(call, "range");
	call->range_off = 0;
	call->range_len = info->size;
	choice->checksum = info->checksum;
	if (!range.ptr || !get_if_range_holds(call, info))
		return S3_OK;
	switch (s3_range_parse(range, info->size, &call->range_off, &call->range_len)) {
	case S3_RANGE_IGNORE:
		break;
	case S3_RANGE_OK:
		choice->partial = true;
		choice->checksum.algorithm = GML_CHECKSUM_NONE;
		break;
	case S3_RANGE_UNSATISFIABLE:
		s3_detail(call, "RangeRequested", range);
		s3_detail_number(call, "ActualObjectSize", info->size);
		return S3_ERR_INVALID_RANGE;
	}
	return S3_OK;
}

/* ---- the answer ---- */

static enum s3_error get_check_conditions(struct s3_call *call, const struct gml_object_info *info,
					  bool *not_modified)
{
	struct gml_conditions cond;
	int rc;
	s3_conditions_read(call, &cond);
	rc = gml_conditions_check(&cond, info, false);
	*not_modified = rc == GML_ERR_NOTMODIFIED;
	if (rc == GML_ERR_PRECONDITION)
		s3_detail(call, "Condition",
			  gml_span_text(cond.if_match.ptr ? "If-Match" : "If-Unmodified-Since"));
	return *not_modified ? S3_OK : s3_error_from(rc);
}

static void get_put_partial(struct s3_call *call, const struct gml_object_info *info,
			    const struct get_choice *choice)
{
	gml_assert(call->range_len > 0 || !choice->partial); /* a Content-Range names a last byte */
	s3_answer_own_header(call, "Accept-Ranges", GML_LIT("bytes"));
	if (choice->partial)
		s3_answer_header(
			call, "Content-Range",
			gml_span_text(s3_arena_printf(
				&call->arena, "bytes %llu-%llu/%llu",
				(unsigned long long)call->range_off,
				(unsigned long long)(call->range_off + call->range_len - 1),
				(unsigned long long)info->size)));
	if (choice->part && info->nparts > 0)
		s3_answer_header(call, "x-amz-mp-parts-count",
				 gml_span_text(s3_arena_printf(&call->arena, "%u", info->nparts)));
	if (gml_span_is_nocase(s3_header(call, "x-amz-checksum-mode"), "ENABLED"))
		s3_answer_checksum(call, &choice->checksum, choice->part ? 0 : info->nparts, true);
}

static enum s3_error get_not_modified(struct s3_call *call, const struct gml_object_info *info)
{
	_Static_assert(GML_HDR_EXPIRES == GML_HDR_CACHE_CONTROL + 1, "these two (RFC 9110 15.4.5)");
	get_put_validators(call, info);
	for (unsigned i = GML_HDR_CACHE_CONTROL; i <= GML_HDR_EXPIRES; i++)
		if (info->headers[i].ptr)
			s3_answer_header(call, s3_meta_header_name((enum gml_header)i),
					 info->headers[i]);
	return s3_answer_empty(call, 304);
}

enum s3_error s3_get_object(struct s3_call *call)
{
	const struct gml_object_info *info;
	struct get_choice choice = {0};
	enum s3_error error = get_open(call);
	bool not_modified;
	if (error || !call->object)
		return error;
	info = gml_object_info(call->object);
	error = get_check_conditions(call, info, &not_modified);
	if (error)
		return error;
	if (not_modified)
		return get_not_modified(call, info);
	error = s3_param(call, "partNumber", NULL) ? get_choose_part(call, info, &choice)
						   : get_choose_range(call, info, &choice);
	if (error)
		return error;
	gml_assert(call->range_off <= info->size &&
		   call->range_len <= info->size - call->range_off);
	get_put_validators(call, info);
	error = get_put_content_headers(call, info);
	if (error)
		return error;
	get_put_partial(call, info, &choice);
	get_put_meta(call, info);
	s3_answer_empty(call, choice.partial ? 206 : 200);
	call->content = S3_CONTENT_OBJECT;
	call->response.content_length = (int64_t)call->range_len;
	call->response.has_body = call->method == S3_GET && call->range_len > 0;
	return S3_OK;
}
