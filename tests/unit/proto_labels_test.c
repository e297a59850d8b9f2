// SPDX-License-Identifier: Apache-2.0
/* What a client says of an object, up to its limits, and how it comes back: metadata, tags, content
 * headers, checksums, storage classes. */
#include "s3_expect.h"

/* ---- limits ---- */

static void test_header_size(void **state)
{
	char header[9000], value[8300];
	size_t content = 0;
	(void)state;
	put("/bkt/k", NULL, "x");
	memset(value, 'v', sizeof(value));
	/* The sum is what counts, not a line: many short ones are as wrong as one long one. */
	snprintf(header, sizeof(header), "Cache-Control: %.*s", 4000, value);
	put("/bkt/large", header, "x");
	EXPECT(200, "");
	SEND("HEAD", "/bkt/large");
	EXPECT(200, "");
	content = strlen(s3_host_header(&answer, "Cache-Control"));
	assert_int_equal(content, 4000);
	snprintf(header, sizeof(header), "Cache-Control: %.*s", 4000, value);
	SEND("PUT", "/bkt/k", {header, header}, .body = "x", .body_len = 1);
	EXPECT(400, "RequestHeaderSectionTooLarge");
	assert_string_equal(s3_host_element(&answer, "MaxSizeAllowed"), "8192");
	snprintf(header, sizeof(header), "Cache-Control: %.*s", 8192, value);
	put("/bkt/k", header, "x");
	EXPECT(400, "RequestHeaderSectionTooLarge");
	SEND("GET", "/bkt/k", {header});
	EXPECT(400, "RequestHeaderSectionTooLarge");
}

static void test_metadata_size(void **state)
{
	char name[2100], header[2200], lower[64];
	(void)state;
	memset(name, 'n', sizeof(name));
	/* One name may have nearly all of it: 2047 bytes, and one of value. */
	snprintf(header, sizeof(header), "x-amz-meta-%.2047s: v", name);
	put("/bkt/k", header, "x");
	EXPECT(200, "");
	SEND("HEAD", "/bkt/k");
	EXPECT(200, "");
	snprintf(header, sizeof(header), "x-amz-meta-%.2047s", name);
	expect_header(header, "v");
	snprintf(header, sizeof(header), "x-amz-meta-%.2048s: v", name);
	put("/bkt/k2", header, "x");
	EXPECT(400, "MetadataTooLarge");
	SEND("HEAD", "/bkt/k2");
	EXPECT(404, "NoSuchKey");
	/* A copy carries it, an upload keeps it. */
	SEND("PUT", "/bkt/copy", {"x-amz-copy-source: bkt/k"});
	EXPECT(200, "");
	SEND("HEAD", "/bkt/copy");
	snprintf(header, sizeof(header), "x-amz-meta-%.2047s", name);
	expect_header(header, "v");
	/* A name that is sent twice counts once. */
	snprintf(lower, sizeof(lower), "x-amz-meta-%.40s: 1", name);
	snprintf(header, sizeof(header), "x-amz-meta-a: %.1964s", name);
	SEND("PUT", "/bkt/twice", {lower, lower, header}, .body = "x", .body_len = 1);
	EXPECT(200, "");
	/* Bytes of UTF-8, not characters. */
	for (size_t i = 0; i < 1024; i++)
		memcpy(name + 2 * i, "\xc3\xa9", 2);
	snprintf(header, sizeof(header), "x-amz-meta-ab: %.2046s", name);
	put("/bkt/utf8", header, "x");
	EXPECT(200, "");
	snprintf(header, sizeof(header), "x-amz-meta-abc: %.2046s", name);
	put("/bkt/utf8", header, "x");
	EXPECT(400, "MetadataTooLarge");
}

/* One tag of `nkey` and `nvalue` times a character, as a document and as a header. */
static void send_tag(const char *target, const char *escaped, const char *text, unsigned nkey,
		     unsigned nvalue, bool document)
{
	char *request = calloc(1, 16000);
	if (document) {
		strcat(request, "<Tagging><TagSet><Tag><Key>");
		for (unsigned i = 0; i < nkey; i++)
			strcat(request, text);
		strcat(request, "</Key><Value>");
		for (unsigned i = 0; i < nvalue; i++)
			strcat(request, text);
		strcat(request, "</Value></Tag></TagSet></Tagging>");
		send_xml("PUT", target, request);
	} else {
		strcat(request, "x-amz-tagging: ");
		for (unsigned i = 0; i < nkey; i++)
			strcat(request, escaped);
		strcat(request, "=");
		for (unsigned i = 0; i < nvalue; i++)
			strcat(request, escaped);
		put(target, request, "x");
	}
	free(request);
}

static void test_tag_size(void **state)
{
	static const struct {
		const char *escaped, *text;
		unsigned units; /* of UTF-16 */
	} characters[] = {{"a", "a", 1},
			  {"%C3%A9", "\xc3\xa9", 1},
			  {"%E2%82%AC", "\xe2\x82\xac", 1},
			  {"%F0%9F%8D%8B", "\xf0\x9f\x8d\x8b", 2}};
	(void)state;
	put("/bkt/k", NULL, "x");
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		unsigned key = 128 / characters[i].units, value = 256 / characters[i].units;
		const char *escaped = characters[i].escaped, *text = characters[i].text;
		for (int document = 1; document < 3;
		     document++) { /* of the object, of the bucket */
			const char *target = document == 1 ? "/bkt/k?tagging" : "/bkt?tagging";
			send_tag(target, escaped, text, key, value, true);
			EXPECT(document == 1 ? 200 : 204, "");
			SEND("GET", target);
			assert_int_equal(strlen(strstr(answer.body, "<Key>")) -
						 strlen(strstr(answer.body, "</Key>")),
					 5 + key * strlen(text));
			send_tag(target, escaped, text, key + 1, value, true);
			EXPECT(400, "InvalidTag");
			send_tag(target, escaped, text, key, value + 1, true);
			EXPECT(400, "InvalidTag");
		}
		if (strlen(escaped) * (key + value) > 7000)
			continue; /* no header has that much */
		send_tag("/bkt/h", escaped, text, key, value, false);
		EXPECT(200, "");
		send_tag("/bkt/h", escaped, text, key + 1, value, false);
		EXPECT(400, "InvalidTag");
	}
	put("/bkt/h", "x-amz-tagging: a=%ff", "x"); /* no text in UTF-8 */
	EXPECT(400, "InvalidTag");
	put("/bkt/h", "x-amz-tagging: %c3=b", "x");
	EXPECT(400, "InvalidTag");
}

/* ---- what is said of an object comes back ---- */

static void test_content_encoding(void **state)
{
	static const char *const rows[][2] = {
		{"deflate, gzip", "deflate, gzip"},
		{"deflate,gzip", "deflate,gzip"},
		{"gzip", "gzip"},
		{"aws-chunked, deflate, gzip", "deflate, gzip"},
		{"deflate, aws-chunked, gzip", "deflate, gzip"},
		{"deflate, gzip, aws-chunked", "deflate, gzip"},
		{"deflate ,  gzip,aws-chunked", "deflate ,  gzip"},
		{"AWS-Chunked,br", "br"},
		{"aws-chunked", NULL},
		{"aws-chunked,aws-chunked", NULL},
		{"x-aws-chunked", "x-aws-chunked"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char header[128];
		snprintf(header, sizeof(header), "Content-Encoding: %s", rows[i][0]);
		put("/bkt/k", header, "x");
		EXPECT(200, "");
		SEND("HEAD", "/bkt/k");
		expect_header("Content-Encoding", rows[i][1]);
	}
	/* Several lines are one list. */
	SEND("PUT", "/bkt/k",
	     {"Content-Encoding: aws-chunked", "Cache-Control: no-cache",
	      "Content-Encoding: deflate", "Content-Language: de", "Content-Encoding: gzip",
	      "Content-Language: en, fr", "Cache-Control: no-store"},
	     .body = "x", .body_len = 1);
	EXPECT(200, "");
	SEND("HEAD", "/bkt/k");
	expect_header("Content-Encoding", "deflate, gzip");
	expect_header("Content-Language", "de, en, fr");
	expect_header("Cache-Control", "no-cache, no-store");
}

static void part_etag(const char *key, const char *id, const char *header, const char *body,
		      char etag[64])
{
	char target[256];
	snprintf(target, sizeof(target), "%s?partNumber=1&uploadId=%s", key, id);
	put(target, header, body);
	EXPECT(200, "");
	snprintf(etag, 64, "%s", s3_host_header(&answer, "ETag"));
}

static void complete(const char *key, const char *id, const char *etag, const char *sum)
{
	char target[256], body[512];
	snprintf(target, sizeof(target), "%s?uploadId=%s", key, id);
	snprintf(body, sizeof(body),
		 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag>%s</"
		 "Part></"
		 "CompleteMultipartUpload>",
		 etag, sum);
	send_xml("POST", target, body);
	EXPECT(200, "");
}

/* Uploads that nobody chose an algorithm for list none; their object has S3's default all the
 * same. */
static void test_upload_checksums(void **state)
{
	char id[64], etag[64], target[256];
	(void)state;
	begin_upload("/bkt/m", NULL, id);
	expect_header("x-amz-checksum-algorithm", NULL);
	part_etag("/bkt/m", id, NULL, "hello", etag);
	SEND("GET", "/bkt?uploads");
	expect_body("<UploadId>");
	expect_not("Checksum");
	snprintf(target, sizeof(target), "/bkt/m?uploadId=%s", id);
	SEND("GET", target);
	expect_body("<PartNumber>");
	expect_not("Checksum");
	complete("/bkt/m", id, etag, "");
	expect_body("<ChecksumCRC64NVME>");
	expect_body("<ChecksumType>FULL_OBJECT");
	SEND("GET", "/bkt/m", {"x-amz-checksum-mode: ENABLED"});
	assert_non_null(s3_host_header(&answer, "x-amz-checksum-crc64nvme"));
	/* A part that is copied has it too: the whole's is made of all. */
	begin_upload("/bkt/c", NULL, id);
	snprintf(target, sizeof(target), "/bkt/c?partNumber=1&uploadId=%s", id);
	SEND("PUT", target, {"x-amz-copy-source: bkt/m"});
	EXPECT(200, "");
	expect_body("<ChecksumCRC64NVME>");
	snprintf(etag, sizeof(etag), "%s", s3_host_element(&answer, "ETag"));
	complete("/bkt/c", id, etag, "");
	expect_body("<ChecksumCRC64NVME>");
	/* One that was asked for is listed. */
	begin_upload("/bkt/a", "x-amz-checksum-algorithm: SHA1", id);
	SEND("GET", "/bkt?uploads");
	expect_body("<ChecksumAlgorithm>SHA1</ChecksumAlgorithm><ChecksumType>COMPOSITE</"
		    "ChecksumType>");
	snprintf(target, sizeof(target), "/bkt/a?uploadId=%s", id);
	SEND("GET", target);
	expect_body("<ChecksumAlgorithm>SHA1</ChecksumAlgorithm><ChecksumType>COMPOSITE</"
		    "ChecksumType>");
}

/* The type is the object's, also where the value is one part's. */
static void test_composite_part(void **state)
{
	static const char sum[] = "x-amz-checksum-crc32: NhCmhg==",
			  element[] = "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>";
	char id[64], etag[64];
	(void)state;
	begin_upload("/bkt/m", "x-amz-checksum-algorithm: CRC32", id);
	part_etag("/bkt/m", id, sum, "hello", etag);
	complete("/bkt/m", id, etag, element);
	for (int i = 0; i < 2; i++) {
		SEND(i ? "GET" : "HEAD", "/bkt/m?partNumber=1", {"x-amz-checksum-mode: ENABLED"});
		EXPECT(206, "");
		expect_header("x-amz-checksum-crc32", "NhCmhg==");
		expect_header("x-amz-checksum-type", "COMPOSITE");
	}
	put("/bkt/p", NULL, "hello");
	SEND("GET", "/bkt/p?partNumber=1", {"x-amz-checksum-mode: ENABLED"});
	expect_header("x-amz-checksum-type", "FULL_OBJECT");
}

/* ---- storage classes ---- */

static void expect_class(const char *key, const char *want)
{
	char target[64], element[64];
	snprintf(target, sizeof(target), "/bkt/%s", key);
	snprintf(element, sizeof(element), "<StorageClass>%s</StorageClass>", want);
	for (int i = 0; i < 2; i++) {
		SEND(i ? "GET" : "HEAD", target);
		EXPECT(200, "");
		expect_header("x-amz-storage-class", strcmp(want, "STANDARD") == 0 ? NULL : want);
	}
	snprintf(target, sizeof(target), "/bkt/%s?attributes", key);
	SEND("GET", target, {"x-amz-object-attributes: StorageClass"});
	expect_body(element);
	for (int i = 0; i < 3; i++) {
		static const char *const kinds[] = {"", "&list-type=2", "&versions"};
		snprintf(target, sizeof(target), "/bkt?prefix=%s%s", key, kinds[i]);
		SEND("GET", target);
		EXPECT(200, "");
		expect_body(element);
	}
}

static void test_storage_classes(void **state)
{
	static const char *const known[] = {
		"STANDARD",   "REDUCED_REDUNDANCY",  "STANDARD_IA", "ONEZONE_IA",
		"GLACIER_IR", "INTELLIGENT_TIERING", "GLACIER",	    "DEEP_ARCHIVE"};
	static const char *const unknown[] = {"NOPE", "standard", "", "OUTPOSTS", "STANDARD_IA "};
	char header[64], id[64], etag[64], target[256];
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(header, sizeof(header), "x-amz-storage-class: %s", known[i]);
		put("/bkt/k", header, "x");
		EXPECT(200, "");
		expect_class("k", known[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		snprintf(header, sizeof(header), "x-amz-storage-class: %s", unknown[i]);
		put("/bkt/k", header, "x");
		EXPECT(400, "InvalidStorageClass");
		SEND("POST", "/bkt/k?uploads", {header});
		EXPECT(400, "InvalidStorageClass");
		SEND("PUT", "/bkt/c", {header, "x-amz-copy-source: bkt/k"});
		EXPECT(400, "InvalidStorageClass");
	}
	/* A copy has the class that is asked of it, and else none; nothing else of it changes. */
	SEND("PUT", "/bkt/k",
	     {"x-amz-storage-class: GLACIER", "x-amz-meta-a: 1", "x-amz-tagging: t=1"}, .body = "x",
	     .body_len = 1);
	SEND("PUT", "/bkt/c", {"x-amz-copy-source: bkt/k"});
	EXPECT(200, "");
	expect_class("c", "STANDARD");
	expect_header("x-amz-storage-class", NULL);
	SEND("PUT", "/bkt/c", {"x-amz-copy-source: bkt/k", "x-amz-storage-class: STANDARD_IA"});
	EXPECT(200, "");
	expect_class("c", "STANDARD_IA");
	SEND("PUT", "/bkt/c",
	     {"x-amz-copy-source: bkt/k", "x-amz-storage-class: ONEZONE_IA",
	      "x-amz-metadata-directive: REPLACE"});
	EXPECT(200, "");
	expect_class("c", "ONEZONE_IA");
	SEND("PUT", "/bkt/k", {"x-amz-copy-source: bkt/k"});
	EXPECT(400, "InvalidRequest");
	SEND("PUT", "/bkt/k",
	     {"x-amz-copy-source: bkt/k", "x-amz-storage-class: STANDARD"}); /* a change of class */
	EXPECT(200, "");
	expect_class("k", "STANDARD");
	SEND("HEAD", "/bkt/k");
	expect_header("x-amz-meta-a", "1");
	expect_header("x-amz-tagging-count", "1");
	/* Uploads: from the first request on. */
	begin_upload("/bkt/m", "x-amz-storage-class: DEEP_ARCHIVE", id);
	SEND("GET", "/bkt?uploads");
	expect_body("<StorageClass>DEEP_ARCHIVE</StorageClass>");
	part_etag("/bkt/m", id, NULL, "hello", etag);
	snprintf(target, sizeof(target), "/bkt/m?uploadId=%s", id);
	SEND("GET", target);
	expect_body("<StorageClass>DEEP_ARCHIVE</StorageClass>");
	complete("/bkt/m", id, etag, "");
	expect_class("m", "DEEP_ARCHIVE");
	begin_upload("/bkt/n", NULL, id);
	SEND("GET", "/bkt?uploads");
	expect_body("<StorageClass>STANDARD</StorageClass>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S3_TEST(test_header_size),	S3_TEST(test_metadata_size),
		S3_TEST(test_tag_size),		S3_TEST(test_content_encoding),
		S3_TEST(test_upload_checksums), S3_TEST(test_composite_part),
		S3_TEST(test_storage_classes),
	};
	return cmocka_run_group_tests_name("proto_labels", tests, NULL, NULL);
}
