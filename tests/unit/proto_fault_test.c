// SPDX-License-Identifier: Apache-2.0
/* Out of memory: the n-th allocation of the protocol room fails, for n = 0, 1, 2, … until a request
 * meets no fault. Each time there is an answer (or no call at all), nothing of a failed write is
 * seen, and nothing leaks (sanitizers). The linker wraps the allocator for this program's static
 * parts only: the core and expat keep theirs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/checksum.h>
#include "gateway/base/base64.h"
#include "s3_host.h"

/* Visible, for the linker takes the core's references into account; at run time the core finds the
 * C library's. */
#pragma GCC visibility push(default)
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
#pragma GCC visibility pop
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static long fault_at = -1, fault_count;

static bool fault_now(void)
{
	return s3_host_inside && fault_count++ == fault_at;
}

void *__wrap_malloc(size_t size)
{
	return fault_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fault_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fault_now() ? NULL : __real_realloc(old, size);
}

static struct s3_host host;
static struct s3_host_answer answer;

static void send_faulty(const struct s3_host_request *request)
{
	long n = 0;
	do {
		fault_at = n++;
		fault_count = 0;
		s3_host_send(&host, request, &answer);
		if (fault_count > fault_at && answer.status != 0 && answer.status < 400)
			continue; /* it could do without */
		if (fault_count > fault_at && answer.status != 0)
			assert_in_range(answer.status, 500, 503);
	} while (fault_count > fault_at);
	assert_true(n > 1);
	assert_in_range(answer.status, 200, 399);
	fault_at = -1;
}

static void test_faults(void **state)
{
	static const char tags[] =
		"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
	static const char keys[] =
		"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
	char *big = calloc(1, 200000), md5[64] = "Content-MD5: ";
	struct gml_digest *digest = gml_digest_new(GML_DIGEST_MD5);
	uint8_t value[32];
	(void)state;
	gml_digest_update(digest, keys, sizeof(keys) - 1);
	gml_digest_final(digest, value);
	gml_base64(value, 16, md5 + strlen(md5));
	gml_digest_free(digest);
	s3_host_open(&host, "us-east-1");
	send_faulty(&(struct s3_host_request){"PUT", "/bkt"});
	send_faulty(&(struct s3_host_request){"PUT",
					      "/bkt/a%20b",
					      {"x-amz-meta-a: 1", "x-amz-tagging: k=v"},
					      .body = "hello",
					      .body_len = 5});
	send_faulty(&(struct s3_host_request){"PUT", "/bkt/big", .body = big, .body_len = 200000,
					      .split = 65536});
	send_faulty(
		&(struct s3_host_request){"GET", "/bkt/a%20b", {"x-amz-checksum-mode: ENABLED"}});
	send_faulty(&(struct s3_host_request){"GET", "/bkt?list-type=2&encoding-type=url"});
	send_faulty(&(struct s3_host_request){"GET", "/"});
	send_faulty(&(struct s3_host_request){
		"PUT",
		"/bkt/copy",
		{"x-amz-copy-source: bkt/a%20b", "x-amz-tagging-directive: REPLACE"}});
	send_faulty(&(struct s3_host_request){"PUT", "/bkt/copy?tagging", .body = tags,
					      .body_len = sizeof(tags) - 1});
	send_faulty(&(struct s3_host_request){"GET", "/bkt/copy?tagging"});
	send_faulty(&(struct s3_host_request){
		"GET", "/bkt/copy?attributes", {"x-amz-object-attributes: Checksum"}});
	send_faulty(&(struct s3_host_request){
		"POST", "/bkt?delete", {md5}, .body = keys, .body_len = sizeof(keys) - 1});
	send_faulty(&(struct s3_host_request){"POST", "/bkt/mp?uploads"});
	send_faulty(&(struct s3_host_request){"GET", "/bkt?uploads"});
	s3_host_answer_release(&answer);
	s3_host_close(&host);
	free(big);
}

/* A failed upload leaves what was there. */
static void test_fault_keeps(void **state)
{
	static const char framed[] = "3\r\nnew\r\n0\r\n\r\n";
	char meta[2048] = "x-amz-meta-m: ";
	struct s3_host_request put = {
		"PUT",
		"/bkt/k",
		{"If-Match: *", meta, "Content-Encoding: aws-chunked",
		 "x-amz-decoded-content-length: 3"},
		.body = framed,
		.body_len = sizeof(framed) - 1,
		.sha256 = "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
	};
	(void)state;
	memset(meta + strlen(meta), 'x',
	       sizeof(meta) - 1 - strlen(meta)); /* more than fits the call itself */
	s3_host_open(&host, "us-east-1");
	s3_host_send(&host, &(struct s3_host_request){"PUT", "/bkt"}, &answer);
	s3_host_send(&host,
		     &(struct s3_host_request){"PUT", "/bkt/k", .body = "old", .body_len = 3},
		     &answer);
	for (fault_at = 0; fault_at < 64; fault_at++) {
		bool failed;
		fault_count = 0;
		s3_host_send(&host, &put, &answer);
		failed = answer.status != 200;
		fault_count = 1000000;
		s3_host_send(&host, &(struct s3_host_request){"GET", "/bkt/k"}, &answer);
		assert_string_equal(answer.body, failed ? "old" : "new");
		if (!failed)
			break;
	}
	assert_in_range(fault_at, 3, 63);
	fault_at = -1;
	s3_host_answer_release(&answer);
	s3_host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults),
					   cmocka_unit_test(test_fault_keeps)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
