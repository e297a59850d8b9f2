// SPDX-License-Identifier: Apache-2.0
/* Answers: headers, documents, errors. */
#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <stdatomic.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "gateway/base/base64.h"
#include "gateway/base/calendar.h"
#include "gateway/base/hex.h"

static const char response_no_memory[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>ServiceUnavailable</Code>"
	"<Message>Service is unable to handle request.</Message></Error>";

/* ---- request ids ---- */

/* First used after the last fork (as the store is), so no two processes share a seed. */
static pthread_once_t response_seed_once = PTHREAD_ONCE_INIT;
static uint64_t response_seed;
static atomic_uint_fast64_t response_count;

static void response_seed_init(void)
{
	if (getrandom(&response_seed, sizeof(response_seed), 0) != sizeof(response_seed))
		response_seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
}

/* A counter through a bijection of 64 bits (splitmix64's finish): ids of one process never repeat,
 * and look random. */
void s3_request_id(char out[17])
{
	uint64_t x;
	pthread_once(&response_seed_once, response_seed_init);
	x = response_seed + atomic_fetch_add_explicit(&response_count, 1, memory_order_relaxed) *
				    0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	for (int i = 15; i >= 0; i--, x >>= 4)
		out[i] = gml_hex_digit_upper(x & 15);
	out[16] = 0;
}

/* ---- errors ---- */

enum s3_error s3_refuse(struct s3_call *call, enum s3_error error, const char *format, ...)
{
	char text[512];
	va_list args;
	gml_assert(error != S3_OK); /* else the request would go on */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	call->message = s3_arena_printf(&call->arena, "%s", text);
	return error;
}

enum s3_error s3_refuse_argument(struct s3_call *call, const char *name, struct gml_span value,
				 const char *message)
{
	s3_detail(call, "ArgumentName", gml_span_text(name));
	s3_detail(call, "ArgumentValue", value);
	return s3_refuse(call, S3_ERR_INVALID_ARGUMENT, "%s", message);
}

void s3_detail(struct s3_call *call, const char *name, struct gml_span value)
{
	struct gml_span copy = s3_arena_copy(&call->arena, value);
	gml_assert(call->ndetails < S3_DETAILS_MAX);
	if (call->ndetails == S3_DETAILS_MAX || !copy.ptr)
		return;
	call->details[call->ndetails++] = (struct s3_detail){name, copy};
}

void s3_detail_number(struct s3_call *call, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	s3_detail(call, name, gml_span_text(text));
}

static bool response_has_detail(const struct s3_call *call, const char *name)
{
	for (unsigned i = 0; i < call->ndetails; i++)
		if (strcmp(call->details[i].name, name) == 0)
			return true;
	return false;
}

/* Elements that S3 adds to some codes, unless the handler added others. */
static void response_name_culprit(struct s3_call *call, enum s3_error error)
{
	if (error == S3_ERR_NO_SUCH_BUCKET && !response_has_detail(call, "BucketName"))
		s3_detail(call, "BucketName", call->bucket);
	else if (error == S3_ERR_NO_SUCH_KEY && !response_has_detail(call, "Key"))
		s3_detail(call, "Key", call->key);
	else if (error == S3_ERR_METHOD_NOT_ALLOWED)
		s3_detail(call, "Method", call->method_text);
	else if (error == S3_ERR_BUCKET_ALREADY_EXISTS ||
		 error == S3_ERR_BUCKET_ALREADY_OWNED_BY_YOU || error == S3_ERR_BUCKET_NOT_EMPTY)
		s3_detail(call, "BucketName", call->bucket);
}

bool s3_for_other_service(const struct s3_call *call)
{
	return call->method == S3_POST && call->scope == S3_SERVICE;
}

static void response_write_error(struct s3_call *call, enum s3_error error)
{
	struct s3_xml *xml = &call->xml;
	/* The protocol of those services has the error in another element. */
	bool wrapped = s3_for_other_service(call);
	if (wrapped)
		s3_xml_begin(xml, "ErrorResponse", false);
	if (wrapped)
		s3_xml_open(xml, "Error");
	else
		s3_xml_begin(xml, "Error", false);
	s3_xml_string(xml, "Code", s3_error_code(error));
	s3_xml_string(xml, "Message", call->message ? call->message : s3_error_message(error));
	for (unsigned i = 0; i < call->ndetails; i++)
		s3_xml_text(xml, call->details[i].name, call->details[i].value);
	s3_xml_text(xml, "Resource", call->path);
	s3_xml_string(xml, "RequestId", call->request_id);
	s3_xml_string(xml, "HostId", call->config->server_id);
	s3_xml_close(xml, "Error");
	if (wrapped)
		s3_xml_close(xml, "ErrorResponse");
}

/* A client that signed for another region gets the right one, also from a HEAD, whose refusal has
 * no text (HeadBucket in the S3 API reference). All buckets are in one region, so this does not
 * reveal which ones exist. */
static bool response_tells_region(const struct s3_call *call, enum s3_error error)
{
	return call->bucket.len > 0 && error != S3_ERR_NO_SUCH_BUCKET &&
	       error != S3_ERR_INVALID_BUCKET_NAME;
}

void s3_answer_error(struct s3_call *call, enum s3_error error)
{
	bool range = error == S3_ERR_INVALID_RANGE && call->object;
	int status = s3_error_status(error);
	gml_assert(error != S3_OK);
	call->error = error;
	response_name_culprit(call, error);
	s3_answer_begin(call);
	if (range)
		s3_answer_header(call, "Content-Range",
				 gml_span_text(s3_arena_printf(
					 &call->arena, "bytes */%llu",
					 (unsigned long long)gml_object_info(call->object)->size)));
	if (call->allow)
		s3_answer_header(call, "Allow", gml_span_text(call->allow));
	if (response_tells_region(call, error))
		s3_answer_own_header(call, "x-amz-bucket-region",
				     gml_span_text(call->config->region));
	if (call->message == NULL && call->arena.failed)
		error = S3_ERR_SERVICE_UNAVAILABLE;
	response_write_error(call, error);
	s3_answer_xml(call, status);
}

/* ---- headers ---- */

static bool response_value_valid(struct gml_span value)
{
	const unsigned char *p = value.ptr;
	for (size_t i = 0; i < value.len; i++)
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return true;
}

bool s3_answer_header(struct s3_call *call, const char *name, struct gml_span value)
{
	return response_value_valid(value) && s3_answer_own_header(call, name, value);
}

bool s3_answer_put(struct s3_call *call, struct gml_span name, struct gml_span value)
{
	/* Ours, or looked at by s3_answer_header: no value begins a line of its own. */
	gml_assert(name.len > 0 && response_value_valid(value));
	if (call->response.nheaders == call->answer_cap) {
		size_t cap = call->answer_cap * 2;
		struct gml_http_header *grown = s3_arena_array(&call->arena, cap, sizeof(*grown));
		if (!grown)
			return false;
		memcpy(grown, call->answer_headers, call->response.nheaders * sizeof(*grown));
		call->answer_headers = grown;
		call->answer_cap = cap;
		call->response.headers = grown;
	}
	call->answer_headers[call->response.nheaders++] = (struct gml_http_header){name, value};
	return true;
}

void s3_answer_etag(struct s3_call *call, const char *etag)
{
	size_t len = strlen(etag);
	char *text = s3_arena_alloc(&call->arena, len + 2);
	if (!text)
		return;
	text[0] = text[len + 1] = '"';
	memcpy(text + 1, etag, len);
	s3_answer_own_header(call, "ETag", gml_span_of(text, len + 2));
}

void s3_answer_date(struct s3_call *call, const char *name, int64_t ns)
{
	char text[30];
	gml_date_http(gml_seconds_of_ns(ns), text);
	s3_answer_own_header(call, name, s3_arena_copy(&call->arena, gml_span_text(text)));
}

/* ---- checksums and owners ---- */

static const struct {
	const char *header, *element;
} response_checksums[] = {
	[GML_CHECKSUM_CRC32] = {"x-amz-checksum-crc32", "ChecksumCRC32"},
	[GML_CHECKSUM_CRC32C] = {"x-amz-checksum-crc32c", "ChecksumCRC32C"},
	[GML_CHECKSUM_CRC64NVME] = {"x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"},
	[GML_CHECKSUM_SHA1] = {"x-amz-checksum-sha1", "ChecksumSHA1"},
	[GML_CHECKSUM_SHA256] = {"x-amz-checksum-sha256", "ChecksumSHA256"},
};

_Static_assert(GML_BASE64_LEN(GML_CHECKSUM_SIZE_MAX) + sizeof("-4294967295") <= 64,
	       "the text of the longest checksum fits");

bool s3_checksum_text(const struct gml_object_checksum *checksum, uint32_t nparts, char out[64])
{
	size_t size = gml_checksum_size((enum gml_checksum)checksum->algorithm), len;
	if (size == 0 ||
	    checksum->algorithm >= sizeof(response_checksums) / sizeof(response_checksums[0]))
		return false;
	gml_assert(response_checksums[checksum->algorithm].header != NULL);
	len = gml_base64(checksum->value, size, out);
	if (checksum->composite && nparts > 0)
		snprintf(out + len, 64 - len, "-%u", nparts);
	return true;
}

void s3_answer_checksum(struct s3_call *call, const struct gml_object_checksum *checksum,
			uint32_t nparts, bool type)
{
	char text[64];
	if (!s3_checksum_text(checksum, nparts, text))
		return;
	s3_answer_header(call, response_checksums[checksum->algorithm].header,
			 s3_arena_copy(&call->arena, gml_span_text(text)));
	if (type)
		s3_answer_header(call, "x-amz-checksum-type",
				 gml_span_text(checksum->composite ? "COMPOSITE" : "FULL_OBJECT"));
}

void s3_xml_checksum(struct s3_xml *xml, const struct gml_object_checksum *checksum,
		     uint32_t nparts, bool type)
{
	char text[64];
	if (!s3_checksum_text(checksum, nparts, text))
		return;
	s3_xml_string(xml, response_checksums[checksum->algorithm].element, text);
	if (type)
		s3_xml_string(xml, "ChecksumType",
			      checksum->composite ? "COMPOSITE" : "FULL_OBJECT");
}

void s3_owner_id(uint32_t uid, char out[13])
{
	snprintf(out, 13, "%012u", uid);
}

/* Listings look the same few owners up again and again. */
static const char *response_owner_name(struct s3_call *call, uint32_t uid, const char *id)
{
	struct gml_user user;
	if (call->authenticated && uid == call->user.uid)
		return call->user.name;
	if (!call->owner_name || call->owner_uid != uid) {
		bool known = gml_user_by_uid(call->config->store, uid, &user) == 0;
		call->owner_uid = uid;
		call->owner_name = s3_arena_printf(&call->arena, "%s", known ? user.name : id);
	}
	return call->owner_name;
}

void s3_xml_owner(struct s3_call *call, struct s3_xml *xml, const char *tag, uint32_t uid)
{
	char id[13];
	const char *name;
	s3_owner_id(uid, id);
	name = response_owner_name(call, uid, id);
	s3_xml_open(xml, tag);
	s3_xml_string(xml, "ID", id);
	s3_xml_string(xml, "DisplayName", name);
	s3_xml_close(xml, tag);
}

/* ---- answers ---- */

void s3_answer_begin(struct s3_call *call)
{
	s3_xml_release(&call->xml);
	call->content = S3_CONTENT_NONE;
	call->answer_headers = call->first_headers;
	call->answer_cap = sizeof(call->first_headers) / sizeof(call->first_headers[0]);
	call->response = (struct s3_response){
		.status = 200, .headers = call->first_headers, .content_length = 0};
	s3_answer_own_header(call, "x-amz-request-id", gml_span_text(call->request_id));
	s3_answer_own_header(call, "x-amz-id-2", gml_span_text(call->config->server_id));
	s3_answer_own_header(call, "Server", GML_LIT("Gemel"));
}

enum s3_error s3_answer_empty(struct s3_call *call, int status)
{
	call->step = S3_RESPOND;
	call->content = S3_CONTENT_NONE;
	call->response.status = status;
	call->response.has_body = false;
	call->response.content_length = status == 204 || status == 304 ? -1 : 0;
	return S3_OK;
}

enum s3_error s3_answer_xml(struct s3_call *call, int status)
{
	if (status == 304)
		return s3_answer_empty(call, status);
	gml_assert(call->xml.failed || (call->xml.len > 0 && call->xml.open == 0));
	call->step = S3_RESPOND;
	call->content = S3_CONTENT_XML;
	call->response.status = status;
	if (call->xml.failed) {
		call->content = S3_CONTENT_TEXT;
		call->text = gml_span_of(response_no_memory, sizeof(response_no_memory) - 1);
		call->response.status = 503;
		call->error = S3_ERR_SERVICE_UNAVAILABLE;
	}
	call->response.content_length =
		(int64_t)(call->content == S3_CONTENT_TEXT ? call->text.len : call->xml.len);
	call->response.has_body = call->method != S3_HEAD;
	s3_answer_own_header(call, "Content-Type", GML_LIT("application/xml"));
	return S3_OK;
}

enum s3_error s3_answer_text(struct s3_call *call, int status, const char *type)
{
	call->step = S3_RESPOND;
	call->content = S3_CONTENT_TEXT;
	call->response.status = status;
	call->response.content_length = (int64_t)call->text.len;
	call->response.has_body = call->method != S3_HEAD;
	s3_answer_own_header(call, "Content-Type", gml_span_text(type));
	return S3_OK;
}

size_t s3_error_document(const struct s3_host_error *host, struct gml_buf buf, int *status_out,
			 char request_id_out[17])
{
	enum s3_error error = s3_error_from_http(host->http_status);
	struct s3_xml xml = {0};
	size_t len = 0;
	s3_request_id(request_id_out);
	*status_out = s3_error_status(error);
	s3_xml_begin(&xml, "Error", false);
	s3_xml_string(&xml, "Code", s3_error_code(error));
	s3_xml_string(&xml, "Message", host->message ? host->message : s3_error_message(error));
	if (host->resource.len <= 2048)
		s3_xml_text(&xml, "Resource", host->resource);
	s3_xml_string(&xml, "RequestId", request_id_out);
	s3_xml_close(&xml, "Error");
	if (!xml.failed && xml.len <= buf.len) {
		memcpy(buf.ptr, xml.buf, xml.len);
		len = xml.len;
	} else if (buf.len >= sizeof(response_no_memory) - 1) {
		len = sizeof(response_no_memory) - 1;
		memcpy(buf.ptr, response_no_memory, len);
		*status_out = 503;
	}
	s3_xml_release(&xml);
	return len;
}
