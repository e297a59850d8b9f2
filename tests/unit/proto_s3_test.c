// SPDX-License-Identifier: Apache-2.0
/* S3 from request to answer, over a real store, through the host in memory. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "gateway/base/base64.h"
#include "s3_expect.h"

static int setup_on_disk(void **state)
{
	(void)state;
	s3_host_open_in(&host, ".", "us-east-1");
	SEND("PUT", "/bkt");
	return answer.status == 200 ? 0 : -1;
}

static void put_bytes(const char *target, const void *body, size_t len)
{
	SEND("PUT", target, .body = body, .body_len = len);
	EXPECT(200, "");
}

static void digest_text(int algorithm, const void *body, size_t len, char *out)
{
	struct gml_digest *digest = gml_digest_new(algorithm);
	uint8_t value[32];
	size_t size;
	gml_digest_update(digest, body, len);
	size = gml_digest_final(digest, value);
	gml_base64(value, size, out);
	gml_digest_free(digest);
}

static char *pattern(size_t len)
{
	char *data = malloc(len + 1);
	uint32_t x = 12345;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)((x = x * 1103515245 + 12345) >> 16);
	return data;
}

/* ---- content that only the disk has ---- */

static unsigned cold_files;

/* Takes a pack out of the page cache, where the file system lets that be done. mincore looks
 * without reading ahead. */
static int cold_evict(const char *path, const struct stat *st, int type, struct FTW *where)
{
	int fd = type == FTW_F && st->st_size > 0 && strstr(path, "/pack") != NULL
			 ? open(path, O_RDONLY)
			 : -1;
	unsigned char resident = 1;
	void *page;
	(void)where;
	if (fd < 0)
		return 0;
	assert_int_equal(fdatasync(fd), 0);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(mincore(page, 1, &resident), 0);
	munmap(page, 1);
	cold_files += !(resident & 1);
	close(fd);
	return 0;
}

/* s3.h: s3_call_new does not wait for the disk; what needs it is work for a thread. */
static void test_cold(void **state)
{
	(void)state;
	put_bytes("/bkt/small", "from the disk", 13);
	for (int i = 0; i < 10 && !answer.worked;
	     i++) { /* the disk may be faster than the look at what it was asked for */
		cold_files = 0;
		assert_int_equal(nftw(host.dir, cold_evict, 16, FTW_PHYS), 0);
		if (cold_files == 0) {
			print_message(
				"[  skip  ] this file system does not let go of cached pages\n");
			skip();
		}
		SEND("GET", "/bkt/small");
		EXPECT(200, "");
	}
	assert_true(answer.worked);
	assert_memory_equal(answer.body, "from the disk", 13);
	assert_non_null(s3_host_header(&answer, "ETag"));
	SEND("GET", "/bkt/small", .headers = {"range: bytes=5-7"});
	EXPECT(206, "");
	assert_false(answer.worked);
	assert_memory_equal(answer.body, "the", 3);
}

/* ---- buckets ---- */

static void test_buckets(void **state)
{
	char access[129], secret[129];
	(void)state;
	SEND("PUT", "/bkt");
	EXPECT(200, ""); /* us-east-1 lets the owner create again */
	SEND("HEAD", "/bkt");
	EXPECT(200, "");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "us-east-1");
	SEND("HEAD", "/nosuch");
	EXPECT(404, "NoSuchBucket");
	assert_int_equal(answer.body_len, 0);
	assert_true(answer.content_length > 100);
	SEND("GET", "/bkt?location");
	EXPECT(200, "");
	assert_non_null(
		strstr(answer.body,
		       "<LocationConstraint "
		       "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>"));
	SEND("GET", "/bkt?versioning");
	EXPECT(200, "");
	SEND("GET", "/bkt?policy");
	EXPECT(404, "NoSuchBucketPolicy");
	SEND("GET", "/nosuch?policy");
	EXPECT(404, "NoSuchBucket");
	SEND("PUT", "/bkt?policy", .body = "{}", .body_len = 2);
	EXPECT(400, "MalformedPolicy");
	SEND("GET", "/bkt?acl");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "ID"), "000000001000");
	assert_string_equal(s3_host_element(&answer, "DisplayName"), "alice");
	SEND("PUT", "/Bad_Name");
	EXPECT(400, "InvalidBucketName");
	SEND("PUT", "/other",
	     .body = "<CreateBucketConfiguration><LocationConstraint>mars</LocationConstraint></"
		     "CreateBucketConfiguration>",
	     .body_len = 99);
	EXPECT(400, "MalformedXML"); /* one byte short */
	SEND("PUT", "/other",
	     .body = "<CreateBucketConfiguration><LocationConstraint>mars</LocationConstraint></"
		     "CreateBucketConfiguration>",
	     .body_len = strlen(
		     "<CreateBucketConfiguration><LocationConstraint>mars</LocationConstraint></"
		     "CreateBucketConfiguration>"));
	EXPECT(400, "IllegalLocationConstraintException");
	s3_host_user(&host, "bob", 1001, 0, access, secret);
	SEND("PUT", "/bkt", .access = access, .secret = secret);
	EXPECT(409, "BucketAlreadyExists");
	SEND("GET", "/bkt", .access = access, .secret = secret);
	EXPECT(403, "AccessDenied");
	SEND("PUT", "/bkt/k", .access = access, .secret = secret, .body = "x", .body_len = 1);
	EXPECT(403, "AccessDenied");
	SEND("GET", "/", .access = access, .secret = secret);
	EXPECT(200, "");
	assert_null(strstr(answer.body, "<Bucket>"));
	SEND("GET", "/");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "Name"), "bkt");
	put_bytes("/bkt/k", "x", 1);
	SEND("DELETE", "/bkt");
	EXPECT(409, "BucketNotEmpty");
	SEND("DELETE", "/bkt/k");
	EXPECT(204, "");
	assert_int_equal(answer.content_length, -1);
	SEND("DELETE", "/bkt");
	EXPECT(204, "");
	SEND("DELETE", "/bkt");
	EXPECT(404, "NoSuchBucket");
}

static void test_bucket_pages(void **state)
{
	char token[64], target[128], name[32];
	int seen = 0;
	(void)state;
	for (int i = 0; i < 7; i++) {
		snprintf(target, sizeof(target), "/page-%d", i);
		SEND("PUT", target);
	}
	snprintf(target, sizeof(target), "/?max-buckets=3&prefix=page");
	for (;;) {
		const char *next;
		SEND("GET", target);
		EXPECT(200, "");
		for (const char *p = answer.body; (p = strstr(p, "<Name>")) != NULL; p++) {
			snprintf(name, sizeof(name), "page-%d<", seen++);
			assert_memory_equal(p + 6, name, strlen(name));
		}
		next = s3_host_element(&answer, "ContinuationToken");
		if (!next)
			break;
		snprintf(token, sizeof(token), "%s", next);
		snprintf(target, sizeof(target),
			 "/?max-buckets=3&prefix=page&continuation-token=%s", token);
	}
	assert_int_equal(seen, 7);
	SEND("GET", "/?continuation-token=*");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/?max-buckets=0");
	EXPECT(400, "InvalidArgument");
}

/* ---- who asks ---- */

static void test_auth(void **state)
{
	char access[129], secret[129];
	(void)state;
	SEND("GET", "/bkt", .access = "");
	EXPECT(403, "AccessDenied");
	SEND("GET", "/", .access = "");
	EXPECT(403, "AccessDenied");
	SEND("PUT", "/bkt/k", .access = "", .body = "x", .body_len = 1);
	EXPECT(403, "AccessDenied");
	SEND("GET", "/bkt", .access = "NOSUCHKEY", .secret = "x");
	EXPECT(403, "InvalidAccessKeyId");
	SEND("GET", "/bkt", .access = host.access, .secret = "wrong");
	EXPECT(403, "SignatureDoesNotMatch");
	assert_non_null(s3_host_element(&answer, "SignatureProvided"));
	assert_null(strstr(answer.body, host.secret));
	SEND("GET", "/bkt", {"Authorization: AWS4-HMAC-SHA256 nonsense"});
	EXPECT(400, "AuthorizationHeaderMalformed");
	SEND("GET", "/bkt", {"x-amz-security-token: abc"});
	EXPECT(400, "InvalidToken");
	s3_host_user(&host, "carol", 1002, GML_KEY_DISABLED, access, secret);
	SEND("GET", "/bkt", .access = access, .secret = secret);
	EXPECT(403, "InvalidAccessKeyId");
	SEND("OPTIONS", "/bkt/k", .access = "");
	EXPECT(403, "AccessForbidden");
	SEND("PATCH", "/bkt/k");
	EXPECT(405, "MethodNotAllowed");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *header, *code;
		int status;
	} rows[] = {
		{"x-amz-server-side-encryption: AES256", "NotImplemented", 501},
		{"x-amz-server-side-encryption-customer-algorithm: AES256", "NotImplemented", 501},
		{"x-amz-object-lock-mode: COMPLIANCE", "InvalidRequest", 400},
		{"x-amz-acl: public-read", "AccessControlListNotSupported", 400},
		{"x-amz-grant-read: id=1", "AccessControlListNotSupported", 400},
		{"x-amz-storage-class: NOPE", "InvalidStorageClass", 400},
		{"x-amz-write-offset-bytes: 0", "NotImplemented", 501},
		{"x-amz-website-redirect-location: ftp://x", "InvalidRedirectLocation", 400},
		{"x-amz-expected-bucket-owner: 42", "AccessDenied", 403},
		{"If-None-Match: \"abc\"", "NotImplemented", 501},
		{"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "NotImplemented", 501},
		{"x-amz-checksum-md5: abc", "InvalidRequest", 400},
		{"x-amz-checksum-crc32: abc", "InvalidRequest", 400},
		{"x-amz-sdk-checksum-algorithm: CRC32", "InvalidRequest", 400},
		{"x-amz-trailer: x-amz-checksum-crc32", "InvalidRequest", 400},
		{"Content-MD5: abc", "InvalidDigest", 400},
		{"x-amz-tagging: a=1&a=2", "InvalidTag", 400},
		{"x-amz-tagging: a=%zz", "InvalidArgument", 400},
		{"x-amz-tagging: aws:x=1", "InvalidTag", 400},
		{"x-amz-meta-: x", "InvalidArgument", 400},
	};
	static const char *const harmless[] = {"x-amz-acl: private",
					       "x-amz-acl: bucket-owner-full-control",
					       "x-amz-storage-class: STANDARD",
					       "x-amz-expected-bucket-owner: 1000",
					       "x-amz-expected-bucket-owner: 000000001000",
					       "x-amz-request-payer: requester",
					       "x-amz-bypass-governance-retention: true",
					       "x-amz-mfa: 1 2"};
	/* subresources that S3 has got, or will get, and nobody here knows */
	static const char *const unknown[] = {"/bkt/k?annotation&annotationName=x",
					      "/bkt/k?brandNew",
					      "/bkt/k?brandNew=", "/bkt?brandNew"};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SEND("PUT", "/bkt/k", {rows[i].header}, .body = "x", .body_len = 1);
		EXPECT(rows[i].status, rows[i].code);
	}
	SEND("GET", "/bkt/k");
	EXPECT(404, "NoSuchKey");
	assert_string_equal(s3_host_element(&answer, "Key"), "k");
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		SEND("PUT", "/bkt/k", {harmless[i]}, .body = "x", .body_len = 1);
		EXPECT(200, "");
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		SEND("DELETE", unknown[i]);
		EXPECT(501, "NotImplemented");
		SEND("PUT", unknown[i], .body = "y", .body_len = 1);
		EXPECT(501, "NotImplemented");
	}
	SEND("PUT", "/bkt/k?x-custom=1&x-id=PutObject", .body = "x", .body_len = 1);
	EXPECT(200, "");
	SEND("GET", "/bkt/k?unknown");
	EXPECT(200, "");
	SEND("GET", "/bkt/k?versionId=abc");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt/k?versionId=null");
	EXPECT(200, "");
	SEND("GET", "/bkt", {"x-amz-expected-bucket-owner: 7"});
	EXPECT(403, "AccessDenied");
}

/* ---- objects ---- */

static void test_round_trips(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 300000, 3000000};
	static const size_t splits[] = {0, 1, 7, 4096, 65536, 100000};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *data = pattern(sizes[i]);
		for (size_t j = 0; j < sizeof(splits) / sizeof(splits[0]); j++) {
			if (splits[j] != 0 && sizes[i] / splits[j] > 100000)
				continue;
			SEND("PUT", "/bkt/a/b%20c", .body = data, .body_len = sizes[i],
			     .split = splits[j]);
			EXPECT(200, "");
			SEND("GET", "/bkt/a/b%20c");
			EXPECT(200, "");
			assert_int_equal(answer.body_len, sizes[i]);
			assert_memory_equal(answer.body, data, sizes[i]);
		}
		free(data);
	}
	SEND("GET", "/bkt/a%2Fb%20c"); /* the same key */
	EXPECT(200, "");
	SEND("GET", "/a/b%20c", {"Host: bkt.s3.test"});
	EXPECT(200, "");
}

static void test_keys(void **state)
{
	static const char *const keys[] = {"a",	    "a/",	 "a//",	       "a//b",	 ".",
					   "..a",   "a/./b",	 "a/%2E%2E/b", "%ff%fe", "%2B",
					   "%25",   "%0a%0d%01", "a/b/c/d/",   "%C3%A9", "a%3Fb",
					   "a%26b", "%20",	 ".gml~f~x"};
	char target[4096], long_key[1100];
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(target, sizeof(target), "/bkt/%s", keys[i]);
		put_bytes(target, keys[i], strlen(keys[i]));
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(target, sizeof(target), "/bkt/%s", keys[i]);
		SEND("GET", target);
		EXPECT(200, "");
		assert_string_equal(answer.body, keys[i]);
	}
	SEND("GET", "/bkt?list-type=2&encoding-type=url");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "KeyCount"), "18");
	assert_non_null(strstr(answer.body, "<Key>%FF%FE</Key>"));
	assert_non_null(strstr(answer.body, "<Key>a//b</Key>"));
	assert_non_null(strstr(answer.body, "<Key>%0A%0D%01</Key>"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(target, sizeof(target), "/bkt/%s", keys[i]);
		SEND("DELETE", target);
		EXPECT(204, "");
	}
	SEND("DELETE", "/bkt");
	EXPECT(204, "");
	SEND("PUT", "/bkt");
	memset(long_key, 'x', sizeof(long_key));
	snprintf(target, sizeof(target), "/bkt/%.1024s", long_key);
	put_bytes(target, "x", 1);
	snprintf(target, sizeof(target), "/bkt/%.1025s", long_key);
	SEND("PUT", target, .body = "x", .body_len = 1);
	EXPECT(400, "KeyTooLongError");
}

static void test_metadata(void **state)
{
	char big[2100], header[2200];
	(void)state;
	SEND("PUT", "/bkt/m",
	     {"Content-Type: text/plain", "Content-Encoding: aws-chunked,gzip",
	      "Cache-Control: no-cache", "Expires: never",
	      "Content-Disposition: attachment; filename=\"x\"", "Content-Language: en",
	      "x-amz-meta-One: 1", "x-amz-meta-two: \xc3\xa9", "x-amz-meta-one: 2",
	      "x-amz-website-redirect-location: /other", "x-amz-tagging: k=v&l"},
	     .body = "hello", .body_len = 5);
	EXPECT(200, "");
	assert_string_equal(s3_host_header(&answer, "ETag"),
			    "\"5d41402abc4b2a76b9719d911017c592\"");
	for (int i = 0; i < 2; i++) {
		SEND(i ? "GET" : "HEAD", "/bkt/m");
		EXPECT(200, "");
		assert_int_equal(answer.content_length, 5);
		assert_string_equal(answer.body, i ? "hello" : "");
		assert_string_equal(s3_host_header(&answer, "Content-Type"), "text/plain");
		assert_string_equal(s3_host_header(&answer, "Content-Encoding"), "gzip");
		assert_string_equal(s3_host_header(&answer, "Cache-Control"), "no-cache");
		assert_string_equal(s3_host_header(&answer, "Expires"), "never");
		assert_string_equal(s3_host_header(&answer, "x-amz-meta-one"), "1,2");
		assert_string_equal(s3_host_header(&answer, "x-amz-meta-two"),
				    "=?UTF-8?B?w6k=?="); /* RFC 2047 */
		assert_string_equal(s3_host_header(&answer, "x-amz-website-redirect-location"),
				    "/other");
		assert_string_equal(s3_host_header(&answer, "x-amz-tagging-count"), "2");
		assert_string_equal(s3_host_header(&answer, "Accept-Ranges"), "bytes");
		assert_non_null(s3_host_header(&answer, "Last-Modified"));
		assert_non_null(s3_host_header(&answer, "x-amz-request-id"));
		assert_null(s3_host_header(&answer, "x-amz-checksum-crc64nvme"));
	}
	SEND("GET", "/bkt/m?response-content-type=a/b&response-cache-control=x");
	assert_string_equal(s3_host_header(&answer, "Content-Type"), "a/b");
	assert_string_equal(s3_host_header(&answer, "Cache-Control"), "x");
	SEND("GET", "/bkt/m?response-content-type=a%0d%0aX:%20y");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt/m", {"x-amz-checksum-mode: ENABLED"});
	assert_non_null(s3_host_header(&answer, "x-amz-checksum-crc64nvme"));
	assert_string_equal(s3_host_header(&answer, "x-amz-checksum-type"), "FULL_OBJECT");
	memset(big, 'v', sizeof(big));
	snprintf(header, sizeof(header), "x-amz-meta-abc: %.2045s", big);
	SEND("PUT", "/bkt/m", {header}, .body = "x", .body_len = 1);
	EXPECT(200, "");
	snprintf(header, sizeof(header), "x-amz-meta-abc: %.2046s", big);
	SEND("PUT", "/bkt/m", {header}, .body = "x", .body_len = 1);
	EXPECT(400, "MetadataTooLarge");
}

static void test_ranges(void **state)
{
	(void)state;
	put_bytes("/bkt/r", "0123456789", 10);
	put_bytes("/bkt/empty", "", 0);
	SEND("GET", "/bkt/r", {"Range: bytes=2-4"});
	EXPECT(206, "");
	assert_string_equal(answer.body, "234");
	assert_string_equal(s3_host_header(&answer, "Content-Range"), "bytes 2-4/10");
	SEND("HEAD", "/bkt/r", {"Range: bytes=-4"});
	EXPECT(206, "");
	assert_int_equal(answer.content_length, 4);
	SEND("GET", "/bkt/r", {"Range: bytes=1-2,4-5"});
	EXPECT(200, "");
	assert_int_equal(answer.body_len, 10);
	SEND("GET", "/bkt/r", {"Range: bytes=10-"});
	EXPECT(416, "InvalidRange");
	assert_string_equal(s3_host_header(&answer, "Content-Range"), "bytes */10");
	assert_string_equal(s3_host_element(&answer, "ActualObjectSize"), "10");
	SEND("GET", "/bkt/empty", {"Range: bytes=0-"});
	EXPECT(416, "InvalidRange");
	SEND("GET", "/bkt/r?partNumber=1");
	EXPECT(206, "");
	assert_string_equal(s3_host_header(&answer, "Content-Range"), "bytes 0-9/10");
	SEND("GET", "/bkt/r?partNumber=2");
	EXPECT(416, "InvalidPartNumber");
	SEND("GET", "/bkt/r?partNumber=0");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt/r?partNumber=1", {"Range: bytes=0-1"});
	EXPECT(400, "InvalidRequest");
	SEND("GET", "/bkt/r", {"Range: bytes=0-1", "If-Range: \"other\""});
	EXPECT(200, "");
	SEND("GET", "/bkt/r",
	     {"Range: bytes=0-1", "If-Range: \"781e5e245d69b566979b86e28d23f2c7\""});
	EXPECT(206, "");
}

static void test_conditions(void **state)
{
	static const char etag[] = "\"781e5e245d69b566979b86e28d23f2c7\"";
	char if_match[80], if_none[80];
	(void)state;
	snprintf(if_match, sizeof(if_match), "If-Match: %s", etag);
	snprintf(if_none, sizeof(if_none), "If-None-Match: %s", etag);
	SEND("PUT", "/bkt/c", {"If-Match: *"}, .body = "x", .body_len = 1);
	EXPECT(404, "NoSuchKey");
	SEND("PUT", "/bkt/c", {"If-None-Match: *"}, .body = "0123456789", .body_len = 10);
	EXPECT(200, "");
	SEND("PUT", "/bkt/c", {"If-None-Match: *"}, .body = "x", .body_len = 1);
	EXPECT(412, "PreconditionFailed");
	assert_string_equal(s3_host_element(&answer, "Condition"), "If-None-Match");
	SEND("PUT", "/bkt/c", {"If-Match: \"nope\""}, .body = "x", .body_len = 1);
	EXPECT(412, "PreconditionFailed");
	SEND("GET", "/bkt/c", {if_match});
	EXPECT(200, "");
	SEND("GET", "/bkt/c", {"If-Match: \"x\""});
	EXPECT(412, "PreconditionFailed");
	SEND("GET", "/bkt/c", {if_none});
	assert_int_equal(answer.status, 304);
	assert_int_equal(answer.content_length, -1);
	assert_string_equal(s3_host_header(&answer, "ETag"), etag);
	SEND("HEAD", "/bkt/c", {"If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"});
	assert_int_equal(answer.status, 304);
	SEND("HEAD", "/bkt/c", {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"});
	EXPECT(412, "PreconditionFailed");
	SEND("HEAD", "/bkt/c", {"If-Modified-Since: garbage"});
	EXPECT(200, "");
	SEND("DELETE", "/bkt/c", {"If-Match: \"x\""});
	EXPECT(412, "PreconditionFailed");
	SEND("PUT", "/bkt/c", {if_match}, .body = "y", .body_len = 1);
	EXPECT(200, "");
	SEND("DELETE", "/bkt/c", {"If-Match: *"});
	EXPECT(204, "");
	SEND("DELETE", "/bkt/c");
	EXPECT(204, "");
}

/* ---- integrity ---- */

static void test_checksums(void **state)
{
	static const char *const names[] = {"crc32", "crc32c", "crc64nvme", "sha1", "sha256"};
	char header[128], value[64], wrong[64];
	(void)state;
	for (int i = 0; i < 5; i++) {
		digest_text(i + 1, "hello", 5, value);
		digest_text(i + 1, "hellp", 5, wrong);
		snprintf(header, sizeof(header), "x-amz-checksum-%s: %s", names[i], wrong);
		SEND("PUT", "/bkt/sum", {header}, .body = "hello", .body_len = 5);
		EXPECT(400, "BadDigest");
		SEND("HEAD", "/bkt/sum");
		EXPECT(404, "NoSuchKey");
		snprintf(header, sizeof(header), "x-amz-checksum-%s: %s", names[i], value);
		SEND("PUT", "/bkt/sum", {header}, .body = "hello", .body_len = 5, .split = 2);
		EXPECT(200, "");
		SEND("HEAD", "/bkt/sum", {"x-amz-checksum-mode: ENABLED"});
		snprintf(header, sizeof(header), "x-amz-checksum-%s", names[i]);
		assert_string_equal(s3_host_header(&answer, header), value);
		SEND("DELETE", "/bkt/sum");
	}
	digest_text(GML_DIGEST_MD5, "hellp", 5, wrong);
	snprintf(header, sizeof(header), "Content-MD5: %s", wrong);
	SEND("PUT", "/bkt/sum", {header}, .body = "hello", .body_len = 5);
	EXPECT(400, "BadDigest");
	SEND("PUT", "/bkt/sum", .body = "hello", .body_len = 5,
	     .sha256 = "0000000000000000000000000000000000000000000000000000000000000000");
	EXPECT(400, "XAmzContentSHA256Mismatch");
	SEND("PUT", "/bkt/sum", .body = "hello", .body_len = 5, .length_unknown = true);
	EXPECT(411, "MissingContentLength");
	SEND("PUT", "/bkt/sum",
	     {"x-amz-checksum-crc32: AAAAAA==", "x-amz-checksum-crc32c: AAAAAA=="}, .body = "hello",
	     .body_len = 5);
	EXPECT(400, "InvalidRequest");
	SEND("HEAD", "/bkt/sum");
	EXPECT(404, "NoSuchKey");
}

static void test_trailers(void **state)
{
	static const char bad[] = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
	char value[64], body[256];
	const char *const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
	(void)state;
	digest_text(GML_CHECKSUM_CRC32, "hello", 5, value);
	snprintf(body, sizeof(body), "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n", value);
	for (size_t split = 0; split < strlen(body) + 1; split++) {
		SEND("PUT", "/bkt/t",
		     {"Content-Encoding: aws-chunked", "x-amz-decoded-content-length: 5",
		      "x-amz-trailer: x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm: CRC32"},
		     .body = body, .body_len = strlen(body), .split = split, .sha256 = form,
		     .length_unknown = split % 2);
		EXPECT(200, "");
		SEND("GET", "/bkt/t");
		assert_string_equal(answer.body, "hello");
		assert_null(s3_host_header(&answer, "Content-Encoding"));
		SEND("DELETE", "/bkt/t");
		SEND("PUT", "/bkt/t",
		     {"Content-Encoding: aws-chunked", "x-amz-decoded-content-length: 5",
		      "x-amz-trailer: x-amz-checksum-crc32"},
		     .body = bad, .body_len = strlen(bad), .split = split, .sha256 = form);
		EXPECT(400, "BadDigest");
	}
	for (size_t cut = 0; cut < strlen(body) - 2;
	     cut++) { /* the last empty line may be missing */
		SEND("PUT", "/bkt/t",
		     {"Content-Encoding: aws-chunked", "x-amz-decoded-content-length: 5",
		      "x-amz-trailer: x-amz-checksum-crc32"},
		     .body = body, .body_len = cut, .sha256 = form);
		if (answer.status != 400)
			fail_msg("cut at %zu of %zu: %d", cut, strlen(body), answer.status);
	}
	SEND("PUT", "/bkt/t",
	     {"Content-Encoding: aws-chunked", "x-amz-trailer: x-amz-checksum-crc32"}, .body = body,
	     .body_len = strlen(body), .sha256 = form);
	EXPECT(411, "MissingContentLength");
	SEND("PUT", "/bkt/t",
	     {"Content-Encoding: aws-chunked", "x-amz-decoded-content-length: 99999999999",
	      "x-amz-trailer: x-amz-checksum-crc32"},
	     .body = body, .body_len = strlen(body), .sha256 = form);
	EXPECT(400, "EntityTooLarge");
	SEND("HEAD", "/bkt/t");
	EXPECT(404, "NoSuchKey");
}

static void test_aborts(void **state)
{
	char *data = pattern(200000);
	(void)state;
	put_bytes("/bkt/keep", "old", 3);
	for (size_t after = 0; after <= 200000; after += 9973) {
		SEND("PUT", "/bkt/keep", .body = data, .body_len = 200000, .split = 5000,
		     .abort = true, .abort_after = after);
		EXPECT(400, "RequestTimeout");
		assert_true(answer.close);
		SEND("PUT", "/bkt/new/deep/key", .body = data, .body_len = 200000, .split = 5000,
		     .abort = true, .abort_after = after);
	}
	SEND("GET", "/bkt/keep");
	assert_string_equal(answer.body, "old");
	SEND("GET", "/bkt?list-type=2");
	assert_string_equal(s3_host_element(&answer, "KeyCount"), "1");
	free(data);
}

/* ---- copy ---- */

static void test_copy(void **state)
{
	char *data = pattern(100000);
	(void)state;
	SEND("PUT", "/bkt/src%20a%2Bb",
	     {"Content-Type: text/x", "x-amz-meta-m: 1", "x-amz-tagging: t=1"}, .body = data,
	     .body_len = 100000);
	EXPECT(200, "");
	SEND("PUT", "/bkt/dst", {"x-amz-copy-source: /bkt/src%20a%2Bb"});
	EXPECT(200, "");
	assert_non_null(s3_host_element(&answer, "ETag"));
	SEND("GET", "/bkt/dst");
	assert_int_equal(answer.body_len, 100000);
	assert_memory_equal(answer.body, data, 100000);
	assert_string_equal(s3_host_header(&answer, "x-amz-meta-m"), "1");
	assert_string_equal(s3_host_header(&answer, "x-amz-tagging-count"), "1");
	SEND("PUT", "/bkt/dst2",
	     {"x-amz-copy-source: bkt%2Fsrc%20a%2Bb?versionId=null",
	      "x-amz-metadata-directive: REPLACE", "x-amz-meta-n: 2"});
	EXPECT(200, "");
	SEND("HEAD", "/bkt/dst2");
	assert_null(s3_host_header(&answer, "x-amz-meta-m"));
	assert_string_equal(s3_host_header(&answer, "x-amz-meta-n"), "2");
	assert_string_equal(s3_host_header(&answer, "x-amz-tagging-count"), "1");
	SEND("PUT", "/bkt/dst3",
	     {"x-amz-copy-source: bkt/src%20a%2Bb", "x-amz-tagging-directive: REPLACE"});
	EXPECT(200, "");
	SEND("HEAD", "/bkt/dst3");
	assert_string_equal(s3_host_header(&answer, "x-amz-meta-m"), "1");
	assert_string_equal(s3_host_header(&answer, "Content-Type"), "text/x");
	assert_null(s3_host_header(&answer, "x-amz-tagging-count"));
	SEND("PUT", "/bkt/dst", {"x-amz-copy-source: bkt/dst"});
	EXPECT(400, "InvalidRequest");
	SEND("PUT", "/bkt/dst",
	     {"x-amz-copy-source: bkt/dst", "x-amz-metadata-directive: REPLACE"});
	EXPECT(200, "");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/nosuch"});
	EXPECT(404, "NoSuchKey");
	assert_string_equal(s3_host_element(&answer, "Key"), "nosuch");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: nosuch/k"});
	EXPECT(404, "NoSuchBucket");
	assert_string_equal(s3_host_element(&answer, "BucketName"), "nosuch");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt"});
	EXPECT(400, "InvalidArgument");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/dst?versionId=7"});
	EXPECT(400, "InvalidArgument");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/dst", "x-amz-copy-source-if-match: \"x\""});
	EXPECT(412, "PreconditionFailed");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/dst", "x-amz-copy-source-if-none-match: *"});
	EXPECT(412, "PreconditionFailed");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/dst", "x-amz-metadata-directive: MAYBE"});
	EXPECT(400, "InvalidArgument");
	SEND("PUT", "/bkt/dst", {"x-amz-copy-source: bkt/dst2", "If-None-Match: *"});
	EXPECT(412, "PreconditionFailed");
	SEND("PUT", "/bkt/d", {"x-amz-copy-source: bkt/dst", "x-amz-checksum-algorithm: SHA256"});
	EXPECT(200, "");
	assert_non_null(s3_host_element(&answer, "ChecksumSHA256"));
	free(data);
}

/* ---- lists ---- */

static int count_of(const char *what)
{
	int n = 0;
	for (const char *p = answer.body; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void test_lists(void **state)
{
	char target[512], last[128] = "";
	int keys = 0, pages = 0;
	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(target, sizeof(target), "/bkt/d%d/k%02d", i % 3, i);
		put_bytes(target, "x", 1);
	}
	put_bytes("/bkt/a&b", "x", 1);
	SEND("GET", "/bkt?delimiter=/");
	EXPECT(200, "");
	assert_int_equal(count_of("<Contents>"), 1);
	assert_int_equal(count_of("<CommonPrefixes>"), 3);
	assert_non_null(strstr(answer.body, "<Key>a&amp;b</Key>"));
	assert_non_null(strstr(answer.body, "<IsTruncated>false"));
	snprintf(target, sizeof(target), "/bkt?list-type=2&max-keys=4&prefix=d");
	for (;;) {
		const char *token;
		SEND("GET", target);
		EXPECT(200, "");
		keys += count_of("<Key>");
		for (const char *p = answer.body; (p = strstr(p, "<Key>")) != NULL; p++) {
			char key[128];
			snprintf(key, sizeof(key), "%.*s", (int)strcspn(p + 5, "<"), p + 5);
			assert_true(strcmp(key, last) > 0);
			strcpy(last, key);
		}
		pages++;
		token = s3_host_element(&answer, "NextContinuationToken");
		if (!token)
			break;
		snprintf(target, sizeof(target),
			 "/bkt?list-type=2&max-keys=4&prefix=d&continuation-token=%s", token);
	}
	assert_int_equal(keys, 30);
	assert_int_equal(pages, 8);
	SEND("GET", "/bkt?list-type=2&max-keys=0");
	EXPECT(200, "");
	assert_int_equal(count_of("<Contents>"), 0);
	assert_string_equal(s3_host_element(&answer, "IsTruncated"), "false");
	SEND("GET", "/bkt?max-keys=1&delimiter=/&marker=a%26b");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "NextMarker"), "d0/");
	SEND("GET", "/bkt?list-type=2&start-after=d2/k26&fetch-owner=true");
	assert_string_equal(s3_host_element(&answer, "Key"), "d2/k29");
	assert_string_equal(s3_host_element(&answer, "DisplayName"), "alice");
	SEND("GET", "/bkt?versions&prefix=a");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "VersionId"), "null");
	SEND("GET", "/bkt?list-type=2&continuation-token=%21");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt?list-type=2&continuation-token=");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt?list-type=3");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt?max-keys=-1");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt?max-keys=a");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/bkt?encoding-type=base64");
	EXPECT(400, "InvalidArgument");
	SEND("GET", "/nosuch?list-type=2");
	EXPECT(404, "NoSuchBucket");
}

/* ---- DeleteObjects, tags, attributes ---- */

static void test_delete_objects(void **state)
{
	static const char body[] =
		"<Delete "
		"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key></Object>"
		"<Object><Key>b/c</Key><VersionId>null</VersionId></Object><Object><Key>no</Key></"
		"Object>"
		"<Object><Key>keep</Key><ETag>\"zzz\"</ETag></Object><Object><Key>keep</"
		"Key><VersionId>7</VersionId></"
		"Object></Delete>";
	char *many = malloc(100000), *at;
	(void)state;
	put_bytes("/bkt/a", "x", 1);
	put_bytes("/bkt/b/c", "x", 1);
	put_bytes("/bkt/keep", "x", 1);
	SEND("POST", "/bkt?delete", .body = body, .body_len = sizeof(body) - 1);
	EXPECT(400, "InvalidRequest");
	send_xml("POST", "/bkt?delete",
		 "<Delete><Object><Key>a</Key></Object><Nonsense/></Delete>");
	EXPECT(400, "MalformedXML");
	SEND("HEAD", "/bkt/a");
	EXPECT(200, "");
	send_xml("POST", "/bkt?delete", body);
	EXPECT(200, "");
	assert_int_equal(count_of("<Deleted>"), 3);
	assert_int_equal(count_of("<Error>"), 2);
	assert_non_null(strstr(answer.body, "<Code>PreconditionFailed"));
	assert_non_null(strstr(answer.body, "<Code>NoSuchVersion"));
	send_xml("POST", "/bkt?delete",
		 "<Delete><Quiet>true</Quiet><Object><Key>keep</Key></Object></Delete>");
	EXPECT(200, "");
	assert_int_equal(count_of("<Deleted>"), 0);
	SEND("GET", "/bkt?list-type=2");
	assert_string_equal(s3_host_element(&answer, "KeyCount"), "0");
	at = many + sprintf(many, "<Delete>"); /* enough for several threads */
	for (int i = 0; i < 200; i++) {
		char target[64];
		snprintf(target, sizeof(target), "/bkt/dir%d/%d", i % 7, i);
		if (i % 3 != 0)
			put_bytes(target, "x", 1);
		at += sprintf(at, "<Object><Key>dir%d/%d</Key></Object>", i % 7, i);
	}
	sprintf(at, "</Delete>");
	send_xml("POST", "/bkt?delete", many);
	EXPECT(200, "");
	assert_int_equal(count_of("<Deleted>"), 200);
	for (int i = 0; i < 200; i++) {
		char element[64];
		snprintf(element, sizeof(element), "<Key>dir%d/%d</Key>", i % 7, i);
		assert_non_null(strstr(answer.body, element));
	}
	SEND("GET", "/bkt?list-type=2");
	assert_string_equal(s3_host_element(&answer, "KeyCount"), "0");
	at = many + sprintf(many, "<Delete>");
	for (int i = 0; i < 1001; i++)
		at += sprintf(at, "<Object><Key>%d</Key></Object>", i);
	sprintf(at, "</Delete>");
	send_xml("POST", "/bkt?delete", many);
	EXPECT(400, "MalformedXML");
	send_xml("POST", "/bkt?delete",
		 "<!DOCTYPE Delete [<!ENTITY a "
		 "'b'>]><Delete><Object><Key>&a;</Key></Object></Delete>");
	EXPECT(400, "MalformedXML");
	send_xml("POST", "/bkt?delete", "");
	EXPECT(400, "MalformedXML");
	free(many);
}

static void test_tags(void **state)
{
	(void)state;
	put_bytes("/bkt/t", "x", 1);
	SEND("GET", "/bkt/t?tagging");
	EXPECT(200, "");
	assert_int_equal(count_of("<Tag>"), 0);
	send_xml("PUT", "/bkt/t?tagging",
		 "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value/"
		 "></Tag></TagSet></"
		 "Tagging>");
	EXPECT(200, "");
	SEND("GET", "/bkt/t?tagging");
	assert_non_null(strstr(
		answer.body,
		"<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag>"));
	send_xml("PUT", "/bkt/t?tagging",
		 "<Tagging><TagSet><Tag><Key>c</Key><Value>2</Value></Tag></TagSet></Tagging>");
	SEND("GET", "/bkt/t?tagging");
	assert_non_null(
		strstr(answer.body, "<TagSet><Tag><Key>c</Key><Value>2</Value></Tag></TagSet>"));
	send_xml("PUT", "/bkt/t?tagging",
		 "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>");
	EXPECT(400, "MalformedXML");
	send_xml("PUT", "/bkt/t?tagging",
		 "<Tagging><TagSet><Tag><Key>a*</Key><Value>1</Value></Tag></TagSet></Tagging>");
	EXPECT(400, "InvalidTag");
	SEND("DELETE", "/bkt/t?tagging");
	EXPECT(204, "");
	SEND("GET", "/bkt/t?tagging");
	assert_int_equal(count_of("<Tag>"), 0);
	SEND("GET", "/bkt/no?tagging");
	EXPECT(404, "NoSuchKey");
	SEND("GET", "/bkt/t?acl");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "Permission"), "FULL_CONTROL");
}

static void test_acls(void **state)
{
	static const char *const paths[] = {"/bkt?acl", "/bkt/t?acl"};
	char own[2048], *at;
	(void)state;
	put_bytes("/bkt/t", "x", 1);
	for (int i = 0; i < 2; i++) {
		SEND("GET", paths[i]);
		EXPECT(200, "");
		snprintf(own, sizeof(own), "%s", answer.body);
		send_xml("PUT", paths[i], own); /* what is there may be set */
		EXPECT(200, "");
		at = strstr(own, "FULL_CONTROL");
		memcpy(at, "READ_ACP    ", 12);
		send_xml("PUT", paths[i], own);
		EXPECT(400, "AccessControlListNotSupported");
		send_xml("PUT", paths[i],
			 "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>");
		EXPECT(400, "AccessControlListNotSupported");
		send_xml("PUT", paths[i], "<AccessControlPolicy/>");
		EXPECT(400, "MalformedXML");
		SEND("PUT", paths[i]);
		EXPECT(400, "MissingRequestBodyError");
		SEND("PUT", paths[i], {"x-amz-acl: private"});
		EXPECT(200, "");
		SEND("PUT", paths[i], {"x-amz-acl: public-read"});
		EXPECT(400, "AccessControlListNotSupported");
	}
	SEND("PUT", "/bkt/none?acl", {"x-amz-acl: private"});
	EXPECT(404, "NoSuchKey");
	SEND("PUT", "/new", {"x-amz-acl: public-read"});
	EXPECT(400, "InvalidBucketAclWithObjectOwnership");
}

/* ---- multipart ---- */

static void test_multipart(void **state)
{
	size_t part = 5 << 20, last = 12345;
	char *data = pattern(2 * part + last), id[64], target[256], etags[3][64], body[1024];
	(void)state;
	begin_upload("/bkt/mp", "x-amz-meta-m: 1", id);
	for (int i = 0; i < 3; i++) {
		snprintf(target, sizeof(target), "/bkt/mp?partNumber=%d&uploadId=%s", i + 1, id);
		SEND("PUT", target, .body = data + (size_t)i * part,
		     .body_len = i < 2 ? part : last, .split = 1 << 20);
		EXPECT(200, "");
		snprintf(etags[i], sizeof(etags[i]), "%s", s3_host_header(&answer, "ETag"));
	}
	SEND("GET", "/bkt?uploads");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "UploadId"), id);
	snprintf(target, sizeof(target), "/bkt/mp?uploadId=%s&max-parts=2", id);
	SEND("GET", target);
	EXPECT(200, "");
	assert_int_equal(count_of("<Part>"), 2);
	assert_string_equal(s3_host_element(&answer, "NextPartNumberMarker"), "2");
	assert_string_equal(s3_host_element(&answer, "IsTruncated"), "true");
	snprintf(target, sizeof(target), "/bkt/mp?uploadId=%s", id);
	snprintf(body, sizeof(body),
		 "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part>"
		 "<Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>",
		 etags[1], etags[0]);
	send_xml("POST", target, body);
	EXPECT(400, "InvalidPartOrder");
	snprintf(body, sizeof(body),
		 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></"
		 "CompleteMultipartUpload>",
		 etags[1]);
	send_xml("POST", target, body);
	EXPECT(400, "InvalidPart");
	send_xml("POST", target, "<CompleteMultipartUpload></CompleteMultipartUpload>");
	EXPECT(400, "MalformedXML");
	snprintf(body, sizeof(body),
		 "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		 "<Part><ETag>%s</ETag><PartNumber>1</PartNumber></Part><Part><ETag>%s</"
		 "ETag><PartNumber>2</"
		 "PartNumber></Part>"
		 "<Part><ETag>%s</ETag><PartNumber>3</PartNumber></Part></CompleteMultipartUpload>",
		 etags[0], etags[1], etags[2]);
	send_xml("POST", target, body);
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "Location"), "http://127.0.0.1:9000/bkt/mp");
	assert_non_null(strstr(s3_host_element(&answer, "ETag"), "-3&quot;"));
	SEND("GET", "/bkt/mp", {"x-amz-checksum-mode: ENABLED"});
	assert_int_equal(answer.body_len, 2 * part + last);
	assert_memory_equal(answer.body, data, 2 * part + last);
	assert_string_equal(s3_host_header(&answer, "x-amz-meta-m"), "1");
	digest_text(GML_CHECKSUM_CRC64NVME, data, 2 * part + last, body);
	assert_string_equal(s3_host_header(&answer, "x-amz-checksum-crc64nvme"), body);
	SEND("GET", "/bkt/mp?partNumber=3");
	EXPECT(206, "");
	assert_int_equal(answer.body_len, last);
	assert_string_equal(s3_host_header(&answer, "x-amz-mp-parts-count"), "3");
	SEND("GET", "/bkt/mp?attributes",
	     {"x-amz-object-attributes: ETag,ObjectParts,ObjectSize,Checksum,StorageClass"});
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "PartsCount"), "3");
	assert_int_equal(count_of("<Part>"), 3);
	SEND("GET", target);
	EXPECT(404, "NoSuchUpload");
	free(data);
}

static void test_multipart_small(void **state)
{
	char id[64], target[256], etag[64], body[512], value[64], header[128];
	(void)state;
	begin_upload("/bkt/mp", "x-amz-checksum-algorithm: CRC32", id);
	assert_string_equal(s3_host_header(&answer, "x-amz-checksum-type"), "COMPOSITE");
	snprintf(target, sizeof(target), "/bkt/mp?partNumber=1&uploadId=%s", id);
	digest_text(GML_CHECKSUM_CRC32C, "hello", 5, value);
	snprintf(header, sizeof(header), "x-amz-checksum-crc32c: %s", value);
	SEND("PUT", target, {header}, .body = "hello", .body_len = 5);
	EXPECT(400, "InvalidRequest");
	digest_text(GML_CHECKSUM_CRC32, "hello", 5, value);
	snprintf(header, sizeof(header), "x-amz-checksum-crc32: %s", value);
	SEND("PUT", target, {header}, .body = "hello", .body_len = 5);
	EXPECT(200, "");
	assert_string_equal(s3_host_header(&answer, "x-amz-checksum-crc32"), value);
	snprintf(etag, sizeof(etag), "%s", s3_host_header(&answer, "ETag"));
	put_bytes("/bkt/source", "0123456789", 10);
	snprintf(target, sizeof(target), "/bkt/mp?partNumber=2&uploadId=%s", id);
	SEND("PUT", target,
	     {"x-amz-copy-source: bkt/source", "x-amz-copy-source-range: bytes=2-4"});
	EXPECT(200, "");
	assert_non_null(s3_host_element(&answer, "ChecksumCRC32"));
	SEND("PUT", target,
	     {"x-amz-copy-source: bkt/source", "x-amz-copy-source-range: bytes=2-10"});
	EXPECT(400, "InvalidArgument");
	SEND("PUT", target, {"x-amz-copy-source: bkt/source", "x-amz-copy-source-range: bytes=2-"});
	EXPECT(400, "InvalidArgument");
	snprintf(target, sizeof(target), "/bkt/mp?uploadId=%s", id);
	SEND("GET", target);
	assert_int_equal(count_of("<Part>"), 2);
	snprintf(body, sizeof(body),
		 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</"
		 "ETag><ChecksumCRC32>%s</"
		 "ChecksumCRC32>"
		 "</Part></CompleteMultipartUpload>",
		 etag, value);
	send_xml("POST", target, body);
	EXPECT(200, "");
	assert_non_null(strstr(answer.body, "-1</ChecksumCRC32><ChecksumType>COMPOSITE"));
	begin_upload("/bkt/mp2", "x-amz-checksum-algorithm: SHA256", id);
	snprintf(target, sizeof(target), "/bkt/mp2?uploadId=%s", id);
	SEND("DELETE", target);
	EXPECT(204, "");
	SEND("DELETE", target);
	EXPECT(404, "NoSuchUpload");
	SEND("PUT", "/bkt/mp2?partNumber=1&uploadId=x", .body = "x", .body_len = 1);
	EXPECT(404, "NoSuchUpload");
	snprintf(target, sizeof(target), "/bkt/mp2?partNumber=10001&uploadId=%s", id);
	SEND("PUT", target, .body = "x", .body_len = 1);
	EXPECT(400, "InvalidArgument");
	SEND("POST", "/bkt/k?uploads",
	     {"x-amz-checksum-algorithm: SHA256", "x-amz-checksum-type: FULL_OBJECT"});
	EXPECT(400, "InvalidRequest");
	SEND("POST", "/bkt/k?uploads", {"x-amz-checksum-algorithm: FOO"});
	EXPECT(400, "InvalidRequest");
}

/* ---- threads ---- */

#define THREADS_SIZE 200000

/* Each writes its own byte over the same key, reads whole contents of one writer, lists and
 * deletes. */
static void *thread_run(void *arg)
{
	struct s3_host_answer mine = {0};
	char *data = malloc(THREADS_SIZE);
	intptr_t id = (intptr_t)arg, wrong = 0;
	memset(data, (int)('a' + id), THREADS_SIZE);
	for (int i = 0; i < 12; i++) {
		s3_host_send(&host,
			     &(struct s3_host_request){"PUT", "/bkt/deep/shared", .body = data,
						       .body_len = THREADS_SIZE, .split = 70000},
			     &mine);
		wrong += mine.status != 200;
		s3_host_send(&host, &(struct s3_host_request){"GET", "/bkt/deep/shared"}, &mine);
		wrong += mine.status != 200 && mine.status != 404;
		for (size_t j = 0; mine.status == 200 && j < mine.body_len; j++)
			wrong += mine.body_len != THREADS_SIZE || mine.body[j] != mine.body[0];
		s3_host_send(&host, &(struct s3_host_request){"GET", "/bkt?list-type=2"}, &mine);
		wrong += mine.status != 200;
		if (i % 4 == 3) {
			s3_host_send(&host, &(struct s3_host_request){"DELETE", "/bkt/deep/shared"},
				     &mine);
			wrong += mine.status != 204;
		}
	}
	s3_host_answer_release(&mine);
	free(data);
	return (void *)wrong;
}

static void test_threads(void **state)
{
	pthread_t threads[6];
	(void)state;
	for (intptr_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run, (void *)i), 0);
	for (int i = 0; i < 6; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

/* ---- limits ---- */

static void test_limits(void **state)
{
	char *big = calloc(1, (3 << 20) + 1);
	(void)state;
	memset(big, ' ', 3 << 20);
	send_xml("POST", "/bkt?delete", big);
	EXPECT(400, "MaxMessageLengthExceeded");
	assert_true(answer.close);
	SEND("POST", "/bkt?delete", .body = big, .body_len = 3 << 20, .length_unknown = true,
	     .split = 65536, .sha256 = "UNSIGNED-PAYLOAD");
	EXPECT(400, "MaxMessageLengthExceeded");
	SEND("GET", "/bkt/k", {"bad name: x"});
	EXPECT(400, "BadRequest");
	free(big);
}

static void test_other_region(void **state)
{
	(void)state;
	s3_host_close(&host);
	s3_host_open(&host, "eu-west-1");
	SEND("PUT", "/bkt");
	EXPECT(400, "AuthorizationHeaderMalformed");
	assert_string_equal(s3_host_element(&answer, "Region"), "eu-west-1");
}

#define TEST(f) S3_TEST(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_buckets),
		TEST(test_bucket_pages),
		TEST(test_auth),
		TEST(test_refusals),
		TEST(test_round_trips),
		TEST(test_keys),
		TEST(test_metadata),
		TEST(test_ranges),
		cmocka_unit_test_setup_teardown(test_cold, setup_on_disk, s3_teardown),
		TEST(test_conditions),
		TEST(test_checksums),
		TEST(test_trailers),
		TEST(test_aborts),
		TEST(test_copy),
		TEST(test_lists),
		TEST(test_delete_objects),
		TEST(test_tags),
		TEST(test_acls),
		TEST(test_multipart),
		TEST(test_multipart_small),
		TEST(test_threads),
		TEST(test_limits),
		TEST(test_other_region),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
