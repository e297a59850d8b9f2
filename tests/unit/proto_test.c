// SPDX-License-Identifier: Apache-2.0
/* The pure parts of s3api/proto: URIs, ranges, XML, the error table, the routing table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "s3api/proto/call.h"
#include "s3api/proto/log_text.h"
#include "s3api/proto/range.h"

/* ---- uri ---- */

static void test_uri_query(void **state)
{
	struct s3_param params[4];
	char text[64];
	(void)state;
	assert_int_equal(s3_uri_query(GML_LIT("a=1&b&&c=x%20y+z%2B&d="), text, params, NULL, 4), 4);
	assert_true(gml_span_is(params[0].name, "a") && gml_span_is(params[0].value, "1"));
	assert_true(gml_span_is(params[1].name, "b") && params[1].value.ptr == NULL);
	assert_true(gml_span_is(params[2].value, "x y z+"));
	assert_true(params[3].value.ptr != NULL && params[3].value.len == 0);
	assert_int_equal(s3_uri_query(GML_LIT("a&b&c&d&e"), text, params, NULL, 4), -1);
	assert_int_equal(s3_uri_query(GML_LIT("a=%zz"), text, params, NULL, 4), -1);
	assert_int_equal(s3_uri_query(GML_LIT(""), text, params, NULL, 4), 0);
}

static void test_uri_host(void **state)
{
	static const char *const domains[] = {"s3.example.com", "example.com", NULL};
	static const struct {
		const char *host;
		enum s3_host kind;
		const char *bucket;
	} rows[] = {
		{"data.s3.example.com", S3_HOST_BUCKET, "data"},
		{"data.s3.example.com:9000", S3_HOST_BUCKET, "data"},
		{"DATA.S3.Example.COM", S3_HOST_BUCKET, "DATA"},
		{"s3.example.com", S3_HOST_SERVER, ""},
		{"S3.EXAMPLE.com.:443", S3_HOST_SERVER, ""},
		{"a.b.s3.example.com", S3_HOST_BUCKET, "a.b"},
		{"x.example.com", S3_HOST_BUCKET, "x"},
		{"example.com:80", S3_HOST_SERVER, ""},
		{"example.com:", S3_HOST_SERVER, ""},
		{"127.0.0.1", S3_HOST_SERVER, ""},
		{"127.0.0.1:9000", S3_HOST_SERVER, ""},
		{"[::1]", S3_HOST_SERVER, ""},
		{"[::1]:9000", S3_HOST_SERVER, ""},
		{"[FE80::1%25eth0]:9000", S3_HOST_SERVER, ""},
		{"[::ffff:10.0.0.1]", S3_HOST_SERVER, ""},
		{"", S3_HOST_SERVER, ""},
		{"..s3.example.com", S3_HOST_BUCKET, "."},
		{"xs3.example.com", S3_HOST_BUCKET, "xs3"},
		{"data.s3.example.com.", S3_HOST_BUCKET, "data"},
		{"notexample.com", S3_HOST_UNKNOWN, ""},
		{"demo.s3.test", S3_HOST_UNKNOWN, ""},
		{"com", S3_HOST_UNKNOWN, ""},
		{".example.com", S3_HOST_UNKNOWN, ""},
		{"s3.example.com.evil.org", S3_HOST_UNKNOWN, ""},
		{"127.1", S3_HOST_UNKNOWN, ""},
		{"1.2.3.4.5", S3_HOST_UNKNOWN, ""},
		{"demo.127.0.0.1", S3_HOST_UNKNOWN, ""},
		{"[::1", S3_HOST_UNKNOWN, ""},
		{"[]", S3_HOST_UNKNOWN, ""},
		{"[demo]", S3_HOST_UNKNOWN, ""},
		{"::1", S3_HOST_UNKNOWN, ""},
		{":80", S3_HOST_UNKNOWN, ""},
		{".", S3_HOST_UNKNOWN, ""},
	};
	struct gml_span bucket = {NULL, 0};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bucket = GML_LIT("");
		if (s3_uri_host(gml_span_text(rows[i].host), domains, &bucket) != rows[i].kind)
			fail_msg("%s: not of kind %d", rows[i].host, rows[i].kind);
		if (rows[i].kind == S3_HOST_BUCKET)
			assert_true(gml_span_is(bucket, rows[i].bucket));
	}
	assert_int_equal(s3_uri_host(GML_LIT("a.b"), NULL, &bucket), S3_HOST_UNKNOWN);
	assert_int_equal(s3_uri_host(GML_LIT("10.1.2.3"), NULL, &bucket), S3_HOST_SERVER);
}

/* ---- range ---- */

static void test_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		enum s3_range result;
		uint64_t off, len;
	} rows[] = {
		{"bytes=0-0", 10, S3_RANGE_OK, 0, 1},
		{"bytes=0-", 10, S3_RANGE_OK, 0, 10},
		{"bytes=9-", 10, S3_RANGE_OK, 9, 1},
		{"bytes=10-", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=3-99", 10, S3_RANGE_OK, 3, 7},
		{"Bytes=3-4", 10, S3_RANGE_OK, 3, 2},
		{"bytes=-3", 10, S3_RANGE_OK, 7, 3},
		{"bytes=-99", 10, S3_RANGE_OK, 0, 10},
		{"bytes=-0", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-1", 0, S3_RANGE_IGNORE, 0, 0},
		{"bytes=-99999999999999999999999", 0, S3_RANGE_IGNORE, 0, 0},
		{"bytes=-0", 0, S3_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=0-", 0, S3_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=0-18446744073709551615", 10, S3_RANGE_OK, 0, 10},
		{"bytes=0-99999999999999999999999", 10, S3_RANGE_OK, 0, 10},
		{"bytes=99999999999999999999999-", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-99999999999999999999999", 10, S3_RANGE_OK, 0, 10},
		{"bytes=5-3", 10, S3_RANGE_IGNORE, 0, 0},
		{"bytes=", 10, S3_RANGE_IGNORE, 0, 0},
		{"bytes=-", 10, S3_RANGE_IGNORE, 0, 0},
		{"bytes=a-b", 10, S3_RANGE_IGNORE, 0, 0},
		{"bytes=0-1,3-4", 10, S3_RANGE_IGNORE, 0, 0},
		{"lines=0-1", 10, S3_RANGE_IGNORE, 0, 0},
		{"bytes=0 - 1", 10, S3_RANGE_IGNORE, 0, 0},
		{"", 10, S3_RANGE_IGNORE, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t off = 77, len = 77;
		assert_int_equal(
			s3_range_parse(gml_span_text(rows[i].text), rows[i].size, &off, &len),
			rows[i].result);
		if (rows[i].result != S3_RANGE_OK)
			continue;
		assert_int_equal(off, rows[i].off);
		assert_int_equal(len, rows[i].len);
	}
}

/* ---- XML ---- */

static void test_xml_write(void **state)
{
	static const char text[] =
		"a<b>&\"c\"\r\n\x01\xc3\xa9\xff\xed\xa0\x80\xef\xbf\xbf\xf0\x9f\x98\x80\xc0\x80";
	struct s3_xml xml = {0};
	struct s3_doc *doc;
	(void)state;
	s3_xml_begin(&xml, "Root", true);
	s3_xml_text(&xml, "T", gml_span_text(text));
	s3_xml_text(&xml, "Nothing", (struct gml_span){NULL, 0});
	s3_xml_key(&xml, "NoKey", (struct gml_span){NULL, 0}, true);
	s3_xml_raw(&xml, (struct gml_span){NULL, 0});
	s3_xml_number(&xml, "N", UINT64_MAX);
	s3_xml_etag(&xml, "E", "abc-1");
	s3_xml_key(&xml, "K", GML_LIT("a b/\xff+"), true);
	s3_xml_close(&xml, "Root");
	assert_false(xml.failed);
	assert_int_equal(s3_doc_parse(gml_span_of(xml.buf, xml.len), 10, &doc), S3_OK);
	assert_true(gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Root"), "T"),
				"a<b>&"
				"\"c\"\r\n\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				"\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd"));
	assert_true(gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Root"), "N"),
				"18446744073709551615"));
	assert_true(
		gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Root"), "E"), "\"abc-1\""));
	assert_true(
		gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Root"), "K"), "a%20b/%FF%2B"));
	s3_doc_free(doc);
	s3_xml_release(&xml);
}

static enum s3_error parse(const char *text, uint32_t max)
{
	struct s3_doc *doc;
	enum s3_error error = s3_doc_parse(gml_span_text(text), max, &doc);
	s3_doc_free(doc);
	return error;
}

static void test_xml_read(void **state)
{
	struct s3_doc *doc;
	s3_node root, node;
	(void)state;
	assert_int_equal(
		s3_doc_parse(gml_span_text("<?xml version='1.0'?><x:D xmlns:x='u'> <x:O><Key> "
					   "a&amp;b<![CDATA[<]]> </Key></x:O>"
					   "<O/><P>q</P></x:D>"),
			     5, &doc),
		S3_OK);
	root = s3_doc_root(doc, "D");
	assert_int_not_equal(root, 0);
	assert_int_equal(s3_doc_root(doc, "E"), 0);
	node = s3_doc_child(doc, root, "O");
	assert_true(gml_span_is(s3_doc_child_text(doc, node, "Key"), " a&b< "));
	assert_null(s3_doc_child_text(doc, node, "Nope").ptr);
	node = s3_doc_next(doc, node, "O");
	assert_int_equal(s3_doc_text(doc, node).len, 0);
	assert_int_equal(s3_doc_next(doc, node, "O"), 0);
	assert_string_equal(s3_doc_name(doc, s3_doc_next(doc, node, NULL)), "P");
	s3_doc_free(doc);
}

static void test_xml_limits(void **state)
{
	char deep[256] = "";
	static const char *const bad[] = {
		"",
		" ",
		"<a>",
		"<a></b>",
		"<a/><b/>",
		"<a>&x;</a>",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
		"<p:a/>",
		"<a b='1' b='2'/>",
		"<a>\x01</a>",
		"<a>\xff</a>",
		"not xml",
		"<a/>trailing",
		"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], 100), S3_ERR_MALFORMED_XML);
	assert_int_equal(parse("<a><b/><b/></a>", 3), S3_OK);
	assert_int_equal(parse("<a><b/><b/><b/></a>", 3), S3_ERR_MALFORMED_XML);
	for (int i = 0; i < S3_XML_DEPTH_MAX; i++)
		strcat(deep, "<a>");
	for (int i = 0; i < S3_XML_DEPTH_MAX; i++)
		strcat(deep, "</a>");
	assert_int_equal(parse(deep, 100), S3_OK);
	memmove(deep + 3, deep, strlen(deep) + 1);
	memcpy(deep, "<a>", 3);
	strcat(deep, "</a>");
	assert_int_equal(parse(deep, 100), S3_ERR_MALFORMED_XML);
}

/* ---- hasher ---- */

static void test_hasher(void **state)
{
	struct s3_hasher *hasher = s3_hasher_new(2);
	struct s3_hash_job jobs[64];
	struct gml_digest *beside[64];
	bool taken[64];
	uint8_t value[32], expected[32];
	char *data = calloc(64, 10007);
	(void)state;
	for (int i = 0; i < 64 * 10007; i++)
		data[i] = (char)(i * 31 >> 3);
	for (int round = 0; round < 20; round++) {
		int ntaken = 0;
		for (int i = 0; i < 64; i++) {
			beside[i] = gml_digest_new(GML_DIGEST_MD5);
			taken[i] = s3_hasher_start(hasher, &jobs[i], beside[i],
						   data + (size_t)i * 10007, 10007);
			ntaken += taken[i];
		}
		assert_true(ntaken >= 2); /* both threads were idle */
		for (int i = 0; i < 64; i++) {
			struct gml_digest *here = gml_digest_new(GML_DIGEST_MD5);
			gml_digest_update(here, data + (size_t)i * 10007, 10007);
			gml_digest_final(here, expected);
			gml_digest_free(here);
			if (taken[i]) {
				s3_hasher_wait(&jobs[i]);
				gml_digest_final(beside[i], value);
				assert_memory_equal(value, expected, 16);
			}
			gml_digest_free(beside[i]);
		}
	}
	assert_false(s3_hasher_start(NULL, &jobs[0], NULL, data, 1));
	s3_hasher_free(hasher);
	free(data);
}

/* ---- errors ---- */

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(s3_error_from(0), S3_OK);
	for (int rc = 1; rc < GML_ERR_COUNT_; rc++) {
		enum s3_error error = s3_error_from(rc);
		assert_int_not_equal(error, S3_OK);
		assert_in_range(error, 1, S3_ERROR_COUNT_ - 1);
	}
	assert_int_equal(s3_error_from(GML_ERR_NOENT), S3_ERR_NO_SUCH_KEY);
	assert_int_equal(s3_error_from(GML_ERR_TOOBIG), S3_ERR_METADATA_TOO_LARGE);
	assert_int_equal(s3_error_from(GML_ERR_XATTRFULL), S3_ERR_ATTRIBUTES_TOO_LARGE);
	assert_int_equal(s3_error_from(GML_ERR_COUNT_), S3_ERR_INTERNAL_ERROR);
	assert_int_equal(s3_error_from(-1), S3_ERR_INTERNAL_ERROR);
	for (int i = 1; i < S3_ERROR_COUNT_; i++) {
		assert_in_range(s3_error_status((enum s3_error)i), 304, 599);
		assert_true(strlen(s3_error_code((enum s3_error)i)) > 4);
		assert_true(strlen(s3_error_message((enum s3_error)i)) > 4);
		for (int j = 1; j < i; j++)
			assert_string_not_equal(s3_error_code((enum s3_error)i),
						s3_error_code((enum s3_error)j));
	}
	for (int status = 100; status < 600; status++)
		assert_in_range(s3_error_from_http(status), 1, S3_ERROR_COUNT_ - 1);
}

static void test_error_document(void **state)
{
	char buf[8192], id[17], other[17];
	struct s3_doc *doc;
	int status;
	const struct gml_buf all = {buf, sizeof(buf)};
	size_t len = s3_error_document(
		&(struct s3_host_error){.http_status = 414, .resource = GML_LIT("/a&b\xff")}, all,
		&status, id);
	(void)state;
	assert_int_equal(status, 400);
	assert_int_equal(s3_doc_parse(gml_span_of(buf, len), 10, &doc), S3_OK);
	assert_true(
		gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Error"), "RequestId"), id));
	s3_doc_free(doc);
	assert_int_equal(strspn(id, "0123456789ABCDEF"), 16);
	s3_error_document(
		&(struct s3_host_error){.http_status = 500, .message = "What happened & why."}, all,
		&status, other);
	assert_non_null(strstr(buf, "<Message>What happened &amp; why.</Message>"));
	assert_string_not_equal(id, other);
	assert_int_equal(s3_error_document(&(struct s3_host_error){.http_status = 500},
					   (struct gml_buf){buf, 10}, &status, other),
			 0);
}

/* ---- routes ---- */

static const struct s3_operation *route(const char *method, const char *target, const char *header)
{
	static struct s3_config config = {.region = (char *)"us-east-1", .server_id = (char *)"t"};
	static struct s3_call call;
	struct gml_http_header headers[1] = {{gml_span_text(header ? header : "x"), GML_LIT("v")}};
	struct s3_request request = {.method = gml_span_text(method),
				     .target = gml_span_text(target),
				     .headers = headers,
				     .nheaders = 1};
	s3_arena_release(&call.arena);
	memset(&call, 0, sizeof(call));
	call.config = &config;
	s3_arena_init(&call.arena, NULL, 0);
	s3_answer_begin(&call);
	if (s3_request_read(&call, &request) != S3_OK)
		return NULL;
	return s3_route(&call) == S3_OK ? call.operation : NULL;
}

/* The operations of the API reference, with a request of each. */
static const struct {
	const char *name, *method, *target, *header;
} api[] = {
	{"AbortMultipartUpload", "DELETE", "/bkt/k?uploadId=1", NULL},
	{"CompleteMultipartUpload", "POST", "/bkt/k?uploadId=1", NULL},
	{"CopyObject", "PUT", "/bkt/k?x-id=CopyObject", "x-amz-copy-source"},
	{"CreateBucket", "PUT", "/bkt", NULL},
	{"CreateBucketMetadataConfiguration", "POST", "/bkt?metadataConfiguration", NULL},
	{"CreateBucketMetadataTableConfiguration", "POST", "/bkt?metadataTable", NULL},
	{"CreateMultipartUpload", "POST", "/bkt/k?uploads", NULL},
	{"CreateSession", "GET", "/bkt?session", NULL},
	{"DeleteBucket", "DELETE", "/bkt/", NULL},
	{"DeleteBucketAnalyticsConfiguration", "DELETE", "/bkt?analytics&id=1", NULL},
	{"DeleteBucketCors", "DELETE", "/bkt?cors", NULL},
	{"DeleteBucketEncryption", "DELETE", "/bkt?encryption", NULL},
	{"DeleteBucketIntelligentTieringConfiguration", "DELETE", "/bkt?intelligent-tiering", NULL},
	{"DeleteBucketInventoryConfiguration", "DELETE", "/bkt?inventory", NULL},
	{"DeleteBucketLifecycle", "DELETE", "/bkt?lifecycle", NULL},
	{"DeleteBucketMetadataConfiguration", "DELETE", "/bkt?metadataConfiguration", NULL},
	{"DeleteBucketMetadataTableConfiguration", "DELETE", "/bkt?metadataTable", NULL},
	{"DeleteBucketMetricsConfiguration", "DELETE", "/bkt?metrics", NULL},
	{"DeleteBucketOwnershipControls", "DELETE", "/bkt?ownershipControls", NULL},
	{"DeleteBucketPolicy", "DELETE", "/bkt?policy", NULL},
	{"DeleteBucketReplication", "DELETE", "/bkt?replication", NULL},
	{"DeleteBucketTagging", "DELETE", "/bkt?tagging", NULL},
	{"DeleteBucketWebsite", "DELETE", "/bkt?website", NULL},
	{"DeleteObject", "DELETE", "/bkt/k", NULL},
	{"DeleteObjects", "POST", "/bkt?delete", NULL},
	{"DeleteObjectTagging", "DELETE", "/bkt/k?tagging", NULL},
	{"DeletePublicAccessBlock", "DELETE", "/bkt?publicAccessBlock", NULL},
	{"GetBucketAbac", "GET", "/bkt?abac", NULL},
	{"GetBucketAccelerateConfiguration", "GET", "/bkt?accelerate", NULL},
	{"GetBucketAcl", "GET", "/bkt?acl", NULL},
	{"GetBucketAnalyticsConfiguration", "GET", "/bkt?analytics&id=1", NULL},
	{"GetBucketCors", "GET", "/bkt?cors", NULL},
	{"GetBucketEncryption", "GET", "/bkt?encryption", NULL},
	{"GetBucketIntelligentTieringConfiguration", "GET", "/bkt?intelligent-tiering&id=1", NULL},
	{"GetBucketInventoryConfiguration", "GET", "/bkt?inventory&id=1", NULL},
	{"GetBucketLifecycleConfiguration", "GET", "/bkt?lifecycle", NULL},
	{"GetBucketLocation", "GET", "/bkt?location", NULL},
	{"GetBucketLogging", "GET", "/bkt?logging", NULL},
	{"GetBucketMetadataConfiguration", "GET", "/bkt?metadataConfiguration", NULL},
	{"GetBucketMetadataTableConfiguration", "GET", "/bkt?metadataTable", NULL},
	{"GetBucketMetricsConfiguration", "GET", "/bkt?metrics&id=1", NULL},
	{"GetBucketNotificationConfiguration", "GET", "/bkt?notification", NULL},
	{"GetBucketOwnershipControls", "GET", "/bkt?ownershipControls", NULL},
	{"GetBucketPolicy", "GET", "/bkt?policy", NULL},
	{"GetBucketPolicyStatus", "GET", "/bkt?policyStatus", NULL},
	{"GetBucketReplication", "GET", "/bkt?replication", NULL},
	{"GetBucketRequestPayment", "GET", "/bkt?requestPayment", NULL},
	{"GetBucketTagging", "GET", "/bkt?tagging", NULL},
	{"GetBucketVersioning", "GET", "/bkt?versioning", NULL},
	{"GetBucketWebsite", "GET", "/bkt?website", NULL},
	{"GetObject", "GET", "/bkt/k?x-id=GetObject&partNumber=1&versionId=null&response-expires=x",
	 NULL},
	{"GetObjectAcl", "GET", "/bkt/k?acl", NULL},
	{"GetObjectAttributes", "GET", "/bkt/k?attributes", NULL},
	{"GetObjectLegalHold", "GET", "/bkt/k?legal-hold", NULL},
	{"GetObjectLockConfiguration", "GET", "/bkt?object-lock", NULL},
	{"GetObjectRetention", "GET", "/bkt/k?retention", NULL},
	{"GetObjectTagging", "GET", "/bkt/k?tagging", NULL},
	{"GetObjectTorrent", "GET", "/bkt/k?torrent", NULL},
	{"GetPublicAccessBlock", "GET", "/bkt?publicAccessBlock", NULL},
	{"HeadBucket", "HEAD", "/bkt", NULL},
	{"HeadObject", "HEAD", "/bkt/k?partNumber=1", NULL},
	{"ListBucketAnalyticsConfigurations", "GET", "/bkt?analytics", NULL},
	{"ListBucketIntelligentTieringConfigurations", "GET", "/bkt?intelligent-tiering", NULL},
	{"ListBucketInventoryConfigurations", "GET", "/bkt?inventory", NULL},
	{"ListBucketMetricsConfigurations", "GET", "/bkt?metrics", NULL},
	{"ListBuckets", "GET", "/?x-id=ListBuckets", NULL},
	{"ListDirectoryBuckets", "GET", "/?max-directory-buckets=3", NULL},
	{"ListMultipartUploads", "GET", "/bkt?uploads", NULL},
	{"ListObjects", "GET", "/bkt?prefix=a", NULL},
	{"ListObjectsV2", "GET", "/bkt/?list-type=2&prefix=a", NULL},
	{"ListObjectVersions", "GET", "/bkt?versions", NULL},
	{"ListParts", "GET", "/bkt/k?uploadId=1", NULL},
	{"PostObject", "POST", "/bkt", NULL},
	{"PutBucketAbac", "PUT", "/bkt?abac", NULL},
	{"PutBucketAccelerateConfiguration", "PUT", "/bkt?accelerate", NULL},
	{"PutBucketAcl", "PUT", "/bkt?acl", NULL},
	{"PutBucketAnalyticsConfiguration", "PUT", "/bkt?analytics", NULL},
	{"PutBucketCors", "PUT", "/bkt?cors", NULL},
	{"PutBucketEncryption", "PUT", "/bkt?encryption", NULL},
	{"PutBucketIntelligentTieringConfiguration", "PUT", "/bkt?intelligent-tiering", NULL},
	{"PutBucketInventoryConfiguration", "PUT", "/bkt?inventory", NULL},
	{"PutBucketLifecycleConfiguration", "PUT", "/bkt?lifecycle", NULL},
	{"PutBucketLogging", "PUT", "/bkt?logging", NULL},
	{"PutBucketMetricsConfiguration", "PUT", "/bkt?metrics", NULL},
	{"PutBucketNotificationConfiguration", "PUT", "/bkt?notification", NULL},
	{"PutBucketOwnershipControls", "PUT", "/bkt?ownershipControls", NULL},
	{"PutBucketPolicy", "PUT", "/bkt?policy", NULL},
	{"PutBucketReplication", "PUT", "/bkt?replication", NULL},
	{"PutBucketRequestPayment", "PUT", "/bkt?requestPayment", NULL},
	{"PutBucketTagging", "PUT", "/bkt?tagging", NULL},
	{"PutBucketVersioning", "PUT", "/bkt?versioning", NULL},
	{"PutBucketWebsite", "PUT", "/bkt?website", NULL},
	{"PutObject", "PUT", "/bkt/k?x-id=PutObject", NULL},
	{"PutObjectAcl", "PUT", "/bkt/k?acl", NULL},
	{"PutObjectLegalHold", "PUT", "/bkt/k?legal-hold", NULL},
	{"PutObjectLockConfiguration", "PUT", "/bkt?object-lock", NULL},
	{"PutObjectRetention", "PUT", "/bkt/k?retention", NULL},
	{"PutObjectTagging", "PUT", "/bkt/k?tagging", NULL},
	{"PutPublicAccessBlock", "PUT", "/bkt?publicAccessBlock", NULL},
	{"DeleteObjectAnnotation", "DELETE", "/bkt/k?annotation&annotationName=a", NULL},
	{"GetObjectAnnotation", "GET", "/bkt/k?annotation&annotationName=a", NULL},
	{"ListObjectAnnotations", "GET", "/bkt/k?annotation", NULL},
	{"PutObjectAnnotation", "PUT", "/bkt/k?annotation&annotationName=a", NULL},
	{"RenameObject", "PUT", "/bkt/k?renameObject", NULL},
	{"RestoreObject", "POST", "/bkt/k?restore", NULL},
	{"SelectObjectContent", "POST", "/bkt/k?select&select-type=2", NULL},
	{"UpdateBucketMetadataAnnotationTableConfiguration", "PUT", "/bkt?metadataAnnotationTable",
	 NULL},
	{"UpdateBucketMetadataInventoryTableConfiguration", "PUT", "/bkt?metadataInventoryTable",
	 NULL},
	{"UpdateBucketMetadataJournalTableConfiguration", "PUT", "/bkt?metadataJournalTable", NULL},
	{"UpdateObjectEncryption", "PUT", "/bkt/k?encryption", NULL},
	{"UploadPart", "PUT", "/bkt/k?partNumber=1&uploadId=1", NULL},
	{"UploadPartCopy", "PUT", "/bkt/k?partNumber=1&uploadId=1", "x-amz-copy-source"},
	{"WriteGetObjectResponse", "POST", "/bkt/WriteGetObjectResponse", "x-amz-request-route"},
};

static void test_routes(void **state)
{
	size_t count;
	const struct s3_operation *rows = s3_operations(&count);
	(void)state;
	for (size_t i = 0; i < sizeof(api) / sizeof(api[0]); i++) {
		const struct s3_operation *found =
			route(api[i].method, api[i].target, api[i].header);
		if (found == NULL) {
			fail_msg("%s: no route", api[i].name);
			return;
		}
		assert_string_equal(found->name, api[i].name);
		assert_int_equal(found->handler == NULL,
				 found->mode == S3_MODE_NONE || found->mode == S3_MODE_ABSENT);
		assert_int_equal(found->absent != S3_OK, found->mode == S3_MODE_ABSENT);
	}
	/* And nothing in the table that is not in the list. */
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		for (size_t j = 0; j < sizeof(api) / sizeof(api[0]); j++)
			known |= strcmp(api[j].name, rows[i].name) == 0;
		assert_true(known);
	}
}

static void test_routes_refused(void **state)
{
	static const char *const rows[][2] = {
		{"PUT", "/bkt/k?uploads"},
		{"POST", "/bkt/k?acl"},
		{"DELETE", "/bkt/k?acl"},
		{"POST", "/bkt/k"},
		{"DELETE", "/"},
		{"PUT", "/"},
		{"HEAD", "/bkt?acl"},
		{"PUT",
		 /* a bucket's subresource is none of an object's, nor the other way round */
		 "/bkt/k?policy"},
		{"DELETE", "/bkt/k?versioning"},
		{"GET", "/bkt/k?cors"},
		{"PUT", "/bkt?retention"},
		{"DELETE", "/bkt?annotation"},
		{"GET", "/?policy"},
		{"PATCH", "/bkt/k"},
		{"GET ", "/bkt"},
		{"PUT", "/bkt?uploads"},
		{"HEAD", "/"},
		{"get", "/bkt"},
		{"GET", "bkt"},
		{"GET", ""},
		{"GET", "*"},
		{"GET", "/bkt/%zz"},
		{"GET", "/bkt/%00"},
		{"GET", "/B_d/k"},
		{"GET", "//k"},
		{"GET", "/bkt/k?a=%"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(route(rows[i][0], rows[i][1], NULL));
}

/* Every byte of the path behind the bucket is the key's: nothing is normalised. */
static void test_keys(void **state)
{
	static struct s3_config config = {.region = (char *)"us-east-1", .server_id = (char *)"t"};
	static const char *const rows[][2] = {
		{"/bkt/a//b", "a//b"},	   {"/bkt//", "/"},
		{"/bkt/a/../b", "a/../b"}, {"/bkt/./a", "./a"},
		{"/bkt/a%2Fb", "a/b"},	   {"/bkt/a+b", AUTH_PATH_PLUS ? "a b" : "a+b"},
		{"/bkt/a%20b", "a b"},	   {"/bkt/a%3Fb?x=1", "a?b"},
		{"/bkt/%ff", "\xff"},	   {"/bkt/a/?prefix=1", "a/"},
		{"/b%6bt/k", "k"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct s3_call *call = calloc(1, sizeof(*call));
		struct s3_request request = {.method = GML_LIT("GET"),
					     .target = gml_span_text(rows[i][0])};
		call->config = &config;
		s3_arena_init(&call->arena, call->first, sizeof(call->first));
		s3_answer_begin(call);
		assert_int_equal(s3_request_read(call, &request), S3_OK);
		assert_true(gml_span_is(call->bucket, "bkt"));
		assert_true(gml_span_is(call->key, rows[i][1]));
		s3_call_free(call);
	}
}

/* Names and values of all headers, to the byte. */
static enum s3_error header_sum(size_t sum, const char *query)
{
	static struct s3_config config = {.region = (char *)"us-east-1", .server_id = (char *)"t"};
	struct s3_call *call = calloc(1, sizeof(*call));
	char *text = calloc(1, sum), target[64];
	struct gml_http_header headers[3] = {{GML_LIT("x-a"), GML_LIT("1")},
					     {GML_LIT("x-b"), GML_LIT("")}};
	struct s3_request request = {.method = GML_LIT("GET"), .headers = headers, .nheaders = 3};
	enum s3_error error;
	snprintf(target, sizeof(target), "/bkt/k%s", query);
	request.target = gml_span_text(target);
	memset(text, 'v', sum);
	headers[2] = (struct gml_http_header){GML_LIT("x-c"), gml_span_of(text, sum - 10)};
	call->config = &config;
	s3_arena_init(&call->arena, call->first, sizeof(call->first));
	s3_answer_begin(call);
	error = s3_request_read(call, &request);
	s3_call_free(call);
	free(text);
	return error;
}

static void test_header_sum(void **state)
{
	/* 12 and 5: a header in the query */
	static const char hoisted[] = "?X-Amz-Algorithm=x&x-amz-meta-a=12345";
	(void)state;
	assert_int_equal(header_sum(8192, ""), S3_OK);
	assert_int_equal(header_sum(8193, ""), S3_ERR_REQUEST_HEADER_TOO_LARGE);
	assert_int_equal(header_sum(8192, "?a=1234567"), S3_OK);
	assert_int_equal(header_sum(8192 - 17, hoisted), S3_OK);
	assert_int_equal(header_sum(8193 - 17, hoisted), S3_ERR_REQUEST_HEADER_TOO_LARGE);
}

/* ---- text for logs ---- */

static void expect_log(const char *want, size_t cap, struct gml_span text, enum s3_log_kind kind)
{
	unsigned char out[256] = {0};
	unsigned char *end = s3_log_text(out, out + cap, text, kind);
	assert_true(end <= out + cap);
	*end = 0;
	assert_string_equal((const char *)out, want);
}

static void expect_target(const char *want, size_t cap, const char *target)
{
	unsigned char out[256] = {0};
	unsigned char *end = s3_log_target(out, cap, gml_span_text(target));
	assert_true(end <= out + cap);
	*end = 0;
	assert_string_equal((const char *)out, want);
}

static void test_log_text(void **state)
{
	(void)state;
	expect_log("plain text 100%", 200, GML_LIT("plain text 100%"), S3_LOG_TEXT);
	expect_log("plain%20text%20100%25", 200, GML_LIT("plain text 100%"), S3_LOG_NAME);
	expect_log("%22%5C%00%0A%7F%C3%A9~", 200, GML_LIT("\"\\\0\n\x7f\xc3\xa9~"), S3_LOG_NAME);
	expect_log("", 200, gml_span_of(NULL, 0), S3_LOG_TEXT);
	/* Cut where it does not fit, and never within an escape. */
	expect_log("12345", 5, GML_LIT("12345678"), S3_LOG_TEXT);
	expect_log("123", 5, GML_LIT("123\n"), S3_LOG_TEXT);
	expect_log("12%0A", 5, GML_LIT("12\n45"), S3_LOG_TEXT);
}

static void test_log_target(void **state)
{
	(void)state;
	expect_target("/b/k%22%20", 200, "/b/k%22%20");
	expect_target("/b/k?list-type=2&prefix=a", 200, "/b/k?list-type=2&prefix=a");
	expect_target("/b/k?a=1&z", 200, "/b/k?a=1&X-Amz-Signature=secret&z");
	expect_target("/b/k?a=1", 200, "/b/k?x-amz-signature=s&AWSACCESSKEYID=i&a=1&Signature=s");
	expect_target("/b/k", 200,
		      "/b/k?X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=1&"
		      "X-Amz-SignedHeaders=h&X-Amz-Algorithm=a&Expires=1");
	/* As escapes as well. */
	expect_target("/b/k?a", 200, "/b/k?X-Amz-Security%2dToken=secret&a");
	expect_target("/b/k?a", 200, "/b/k?%58-Amz-Signature=secret&a");
	expect_target("/b/k?X-Amz-Signatur%zz=1", 200, "/b/k?X-Amz-Signatur%zz=1");
	expect_target("/b/k?&a&", 200, "/b/k?&a&");
	expect_target("/b/k?", 200, "/b/k?");
	expect_target("", 200, "");
	expect_target("/b/k?ab", 7, "/b/k?abcdef");
	expect_target("/b/k", 6, "/b/k?a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri_query),      cmocka_unit_test(test_uri_host),
		cmocka_unit_test(test_range),	       cmocka_unit_test(test_xml_write),
		cmocka_unit_test(test_xml_read),       cmocka_unit_test(test_xml_limits),
		cmocka_unit_test(test_hasher),	       cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_document), cmocka_unit_test(test_routes),
		cmocka_unit_test(test_routes_refused), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_header_sum),     cmocka_unit_test(test_log_text),
		cmocka_unit_test(test_log_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
