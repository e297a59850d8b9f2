// SPDX-License-Identifier: Apache-2.0
/* Input: flags, then "METHOD TARGET\n", header lines, an empty line, the body. Flags: 1 sign, 2
 * break off in the middle of the body, 4..16 how the body is cut, 32 length unknown, 64 unsigned
 * payload. Properties: every request gets an answer of a sane status and exactly the promised bytes
 * (the host checks the runs); error documents are well-formed; how a body is cut does not matter;
 * nothing that broke off is seen. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/span.h"
#include "s3api/proto/xml_read.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/s3_host.h"

#define FUZZ_INPUT_MAX 65536

static struct s3_host fuzz_host;
static struct s3_host_answer fuzz_answer;

static void fuzz_close(void)
{
	s3_host_answer_release(&fuzz_answer);
	s3_host_close(&fuzz_host);
}

static void fuzz_open(void)
{
	static bool opened;
	if (opened)
		return;
	opened = true;
	s3_host_open(&fuzz_host, "us-east-1");
	atexit(fuzz_close);
	s3_host_send(&fuzz_host, &(struct s3_host_request){"PUT", "/bkt"}, &fuzz_answer);
	s3_host_send(
		&fuzz_host,
		&(struct s3_host_request){"PUT", "/bkt/key", .body = "0123456789", .body_len = 10},
		&fuzz_answer);
	FUZZ_CHECK(fuzz_answer.status == 200);
}

static void fuzz_check_answer(void)
{
	struct s3_doc *doc;
	FUZZ_CHECK(fuzz_answer.status >= 200 && fuzz_answer.status < 600);
	FUZZ_CHECK(fuzz_answer.content_length >= -1);
	FUZZ_CHECK(strchr(fuzz_answer.headers, '\r') == NULL);
	if (fuzz_answer.code[0] == 0 || !fuzz_answer.has_body)
		return;
	FUZZ_CHECK(s3_doc_parse(gml_span_of(fuzz_answer.body, fuzz_answer.body_len), 100, &doc) ==
		   S3_OK);
	FUZZ_CHECK(gml_span_is(s3_doc_child_text(doc, s3_doc_root(doc, "Error"), "Code"),
			       fuzz_answer.code));
	s3_doc_free(doc);
}

/* Take the input apart in place. False: not of the form. */
static bool fuzz_parse(char *text, size_t len, struct s3_host_request *out)
{
	char *end = text + len, *line, *space;
	unsigned n = 0;
	line = memchr(text, '\n', len);
	if (line == NULL)
		return false;
	*line++ = 0;
	space = strchr(text, ' ');
	if (space == NULL || space == text)
		return false;
	*space = 0;
	out->method = text;
	out->target = space + 1;
	while (line < end) {
		char *next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			return false;
		*next = 0;
		if (next == line) {
			out->body = next + 1;
			out->body_len = (size_t)(end - (next + 1));
			return true;
		}
		if (strchr(line, ':') != NULL && strchr(line, ':') != line &&
		    n + 1 < S3_HOST_HEADERS)
			out->headers[n++] = line;
		line = next + 1;
	}
	return true;
}

static bool fuzz_conditional(const struct s3_host_request *request)
{
	for (unsigned i = 0; request->headers[i] != NULL; i++)
		if (strncasecmp(request->headers[i], "if-", 3) == 0 ||
		    strncasecmp(request->headers[i], "x-amz-copy-source", 17) == 0)
			return true;
	return false;
}

static void fuzz_run(uint8_t flags, const struct s3_host_request *parsed)
{
	static const size_t splits[] = {0, 1, 2, 3, 7, 64, 1000, 4096};
	struct s3_host_request request = *parsed;
	char code[sizeof(fuzz_answer.code)];
	if ((flags & 1) == 0)
		request.access = "";
	if (flags & 64)
		request.sha256 = "UNSIGNED-PAYLOAD";
	request.length_unknown = (flags & 32) != 0;
	request.split = splits[flags >> 2 & 7];
	request.abort = (flags & 2) != 0;
	request.abort_after = request.body_len / 2;
	s3_host_send(&fuzz_host, &request, &fuzz_answer);
	fuzz_check_answer();
	if (request.abort || fuzz_conditional(&request) ||
	    (strcmp(request.method, "PUT") != 0 && strcmp(request.method, "POST") != 0))
		return;
	memcpy(code, fuzz_answer.code, sizeof(code));
	request.split = request.split == 0 ? 5 : 0;
	s3_host_send(&fuzz_host, &request, &fuzz_answer);
	fuzz_check_answer();
	FUZZ_CHECK(strcmp(code, fuzz_answer.code) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct s3_host_request request = {0};
	char *text;
	if (size < 2 || size > FUZZ_INPUT_MAX)
		return 0;
	fuzz_open();
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	if (fuzz_parse(text, size - 1, &request))
		fuzz_run(data[0], &request);
	free(text);
	return 0;
}
