// SPDX-License-Identifier: Apache-2.0
/* What tests of single answers share: one host with the bucket "bkt", requests in a line, and what
 * must be in the answer. */
#ifndef GML_TEST_S3_EXPECT_H
#define GML_TEST_S3_EXPECT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/checksum.h>
#include <gemel/store.h>
#include <gemel/upload.h>
#include "gateway/base/base64.h"
#include "s3_host.h"
#include "gateway/base/span.h"

static struct s3_host host;
static struct s3_host_answer answer;

#define SEND(...) s3_host_send(&host, &(struct s3_host_request){__VA_ARGS__}, &answer)
#define EXPECT(want_status, want_code)                                                             \
	do {                                                                                       \
		if (answer.status != (want_status) || strcmp(answer.code, want_code) != 0)         \
			fail_msg("%d %s, expected %d %s\n%s", answer.status, answer.code,          \
				 want_status, want_code, answer.body);                             \
	} while (0)

__attribute__((unused)) static int s3_setup(void **state)
{
	(void)state;
	s3_host_open(&host, "us-east-1");
	SEND("PUT", "/bkt");
	return answer.status == 200 ? 0 : -1;
}

/* Of a store that the test damaged. */
__attribute__((unused)) static int s3_teardown_damaged(void **state)
{
	(void)state;
	s3_host_answer_release(&answer);
	s3_host_close(&host);
	return 0;
}

__attribute__((unused)) static int s3_teardown(void **state)
{
	struct gml_check_report report = {0};
	assert_int_equal(gml_store_check(&host.admin, host.store, NULL, NULL, NULL, &report), 0);
	assert_int_equal(report.problems, 0);
	return s3_teardown_damaged(state);
}

__attribute__((unused)) static void put(const char *target, const char *header, const char *body)
{
	SEND("PUT", target, {header}, .body = body, .body_len = strlen(body));
}

__attribute__((unused)) static void send_xml_with(const char *method, const char *target,
						  const char *extra, const char *body)
{
	struct gml_digest *digest = gml_digest_new(GML_DIGEST_MD5);
	char md5[64], header[128];
	uint8_t value[GML_CHECKSUM_SIZE_MAX];
	gml_digest_update(digest, body, strlen(body));
	gml_base64(value, gml_digest_final(digest, value), md5);
	gml_digest_free(digest);
	snprintf(header, sizeof(header), "Content-MD5: %s", md5);
	SEND(method, target, {header, extra}, .body = body, .body_len = strlen(body), .split = 13);
}

__attribute__((unused)) static void send_xml(const char *method, const char *target,
					     const char *body)
{
	send_xml_with(method, target, NULL, body);
}

__attribute__((unused)) static void expect_header(const char *name, const char *want)
{
	const char *got = s3_host_header(&answer, name);
	if (want == NULL ? got != NULL : got == NULL || strcmp(got, want) != 0)
		fail_msg("%s: %s, expected %s", name, got ? got : "absent", want ? want : "absent");
}

__attribute__((unused)) static void expect_body(const char *text)
{
	if (!strstr(answer.body, text))
		fail_msg("no %s in\n%s", text, answer.body);
}

__attribute__((unused)) static void expect_not(const char *text)
{
	if (strstr(answer.body, text))
		fail_msg("%s in\n%s", text, answer.body);
}

__attribute__((unused)) static void begin_upload(const char *key, const char *header, char id[64])
{
	char target[256];
	snprintf(target, sizeof(target), "%s?uploads", key);
	SEND("POST", target, {header});
	EXPECT(200, "");
	snprintf(id, 64, "%s", s3_host_element(&answer, "UploadId"));
	assert_int_equal(strlen(id), GML_UPLOAD_ID_LEN);
}

#define S3_TEST(test) cmocka_unit_test_setup_teardown(test, s3_setup, s3_teardown)

#endif
