// SPDX-License-Identifier: Apache-2.0
#include "s3_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <ftw.h>
#include <gemel/checksum.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include "auth/sigv4.h"
#include "gateway/base/hex.h"
#include "gateway/base/span.h"

#define HOST_CHECK(expr)                                                                           \
	do {                                                                                       \
		if (!(expr)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

_Thread_local bool s3_host_inside;

void s3_host_user(struct s3_host *host, const char *name, uint32_t uid, uint32_t flags,
		  char access[129], char secret[129])
{
	struct gml_user user = {.uid = uid, .gid = uid};
	struct gml_key key = {.flags = flags};
	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(key.user, sizeof(key.user), "%s", name);
	HOST_CHECK(gml_user_create(&host->admin, host->store, &user) == 0);
	HOST_CHECK(gml_key_create(&host->admin, host->store, &key) == 0);
	memcpy(access, key.id, 129);
	memcpy(secret, key.secret, 129);
}

static void host_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_WARN)
		fprintf(stderr, "log: %s\n", line);
}

void s3_host_open(struct s3_host *host, const char *region)
{
	s3_host_open_in(host, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", region);
}

void s3_host_open_in(struct s3_host *host, const char *parent, const char *region)
{
	static const char *const domains[] = {"s3.test", NULL};
	struct gml_store_options store_options = {.engine = getenv("GML_TEST_ENGINE"),
						  .meta_capacity = (uint64_t)1 << 30,
						  .log = host_log};
	struct s3_config_options options = {.region = region, .domains = domains, .log = host_log};
	memset(host, 0, sizeof(*host));
	HOST_CHECK(snprintf(host->dir, sizeof(host->dir), "%s/proto-XXXXXX", parent) <
		   (int)sizeof(host->dir));
	HOST_CHECK(mkdtemp(host->dir));
	host->admin = (struct gml_op)GML_OP_LOCAL;
	HOST_CHECK(gml_store_create(host->dir, &store_options) == 0);
	HOST_CHECK(gml_store_open(host->dir, &store_options, &host->store) == 0);
	options.store = host->store;
	HOST_CHECK(s3_config_new(&options, &host->config) == 0);
	s3_host_user(host, "alice", 1000, GML_KEY_SIGV2, host->access, host->secret);
}

static int host_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void s3_host_close(struct s3_host *host)
{
	s3_config_free(host->config);
	gml_store_close(host->store);
	nftw(host->dir, host_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- signing ---- */

struct host_wire {
	struct gml_http_header headers[S3_HOST_HEADERS + 8];
	size_t n;
	char amz_date[17], sha256[128], authorization[4096], length[24];
};

static void host_add(struct host_wire *wire, const char *name, size_t name_len, const char *value)
{
	HOST_CHECK(wire->n < S3_HOST_HEADERS + 8);
	wire->headers[wire->n].name = gml_span_of(name, name_len);
	wire->headers[wire->n++].value = gml_span_text(value);
}

static bool host_has(const struct host_wire *wire, const char *name)
{
	for (size_t i = 0; i < wire->n; i++)
		if (gml_span_is_nocase(wire->headers[i].name, name))
			return true;
	return false;
}

static void host_hash(const struct s3_host_request *request, char out[128])
{
	struct gml_digest *digest = gml_digest_new(GML_CHECKSUM_SHA256);
	uint8_t hash[32];
	if (request->sha256) {
		snprintf(out, 128, "%s", request->sha256);
	} else {
		gml_digest_update(digest, request->body ? request->body : "", request->body_len);
		gml_digest_final(digest, hash);
		gml_hex(hash, 32, out);
	}
	gml_digest_free(digest);
}

static void host_sign(struct s3_host *host, const struct s3_host_request *request,
		      struct host_wire *wire)
{
	const char *access = request->access ? request->access : host->access;
	const char *secret = request->access ? request->secret : host->secret;
	const char *query = strchr(request->target, '?');
	struct auth_request signing = {
		.method = {request->method, strlen(request->method)},
		.path = {request->target,
			 query ? (size_t)(query - request->target) : strlen(request->target)},
		.query = {query ? query + 1 : "", query ? strlen(query + 1) : 0},
		.headers = wire->headers,
	};
	time_t now = time(NULL);
	struct tm tm;
	strftime(wire->amz_date, sizeof(wire->amz_date), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	host_hash(request, wire->sha256);
	host_add(wire, "x-amz-date", 10, wire->amz_date);
	host_add(wire, "x-amz-content-sha256", 20, wire->sha256);
	signing.nheaders = wire->n;
	if (auth_sign(&signing,
		      &(struct auth_signer){.access_key = gml_span_text(access),
					    .secret = gml_span_text(secret),
					    .region = GML_LIT("us-east-1"),
					    .amz_date = wire->amz_date},
		      wire->authorization, sizeof(wire->authorization)) == 0)
		host_add(wire, "Authorization", 13, wire->authorization);
}

static void host_build(struct s3_host *host, const struct s3_host_request *request,
		       struct host_wire *wire)
{
	memset(wire, 0, sizeof(*wire));
	for (size_t i = 0; i < S3_HOST_HEADERS && request->headers[i]; i++) {
		const char *colon = strchr(request->headers[i], ':');
		HOST_CHECK(colon);
		host_add(wire, request->headers[i], (size_t)(colon - request->headers[i]),
			 colon + 1 + strspn(colon + 1, " "));
	}
	if (!host_has(wire, "host"))
		host_add(wire, "Host", 4, "127.0.0.1:9000");
	snprintf(wire->length, sizeof(wire->length), "%zu", request->body_len);
	if (!request->length_unknown && !host_has(wire, "content-length"))
		host_add(wire, "Content-Length", 14, wire->length);
	if (request->access && !request->access[0])
		return;
	if (!host_has(wire, "authorization"))
		host_sign(host, request, wire);
}

/* ---- the answer ---- */

void s3_host_answer_release(struct s3_host_answer *answer)
{
	free(answer->headers);
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

static void host_read_run(const struct gml_run *run, char *to, size_t len)
{
	if (run->fd >= 0)
		HOST_CHECK(pread(run->fd, to, len, (off_t)run->file_off) == (ssize_t)len);
	else if (run->mem)
		memcpy(to, run->mem, len);
	else
		memset(to, 0, len);
}

static void host_read_body(struct s3_call *call, const struct s3_response *response,
			   struct s3_host_answer *out)
{
	size_t total = response->has_body ? (size_t)response->content_length : 0;
	out->body = malloc(total + 1);
	HOST_CHECK(out->body);
	while (out->body_len < total) {
		struct gml_run run;
		HOST_CHECK(s3_call_run(call, out->body_len, &run) == 0);
		HOST_CHECK(run.len >= 1 && run.len <= total - out->body_len);
		host_read_run(&run, out->body + out->body_len, (size_t)run.len);
		out->body_len += (size_t)run.len;
	}
	out->body[total] = 0;
}

static void host_read(struct s3_call *call, struct s3_host_answer *out)
{
	const struct s3_response *response = s3_call_response(call);
	struct s3_log_info log;
	size_t len = 0;
	FILE *stream;
	s3_call_log_info(call, &log);
	snprintf(out->code, sizeof(out->code), "%s", log.error_code ? log.error_code : "");
	out->status = response->status;
	out->close = response->close;
	out->has_body = response->has_body;
	out->content_length = response->content_length;
	stream = open_memstream(&out->headers, &len);
	for (size_t i = 0; i < response->nheaders; i++)
		fprintf(stream, "%.*s: %.*s\n", (int)response->headers[i].name.len,
			(const char *)response->headers[i].name.ptr,
			(int)response->headers[i].value.len,
			(const char *)response->headers[i].value.ptr);
	fclose(stream);
	host_read_body(call, response, out);
}

/* Pieces are copied to memory of exactly their size, so that a sanitizer sees any step beyond.
 * False: the answer came early, or the body broke off. */
static bool host_send_body(struct s3_call *call, const struct s3_host_request *request)
{
	size_t end = request->abort ? request->abort_after : request->body_len;
	size_t step = request->split ? request->split : request->body_len;
	for (size_t at = 0; at < end;) {
		size_t len = end - at < step ? end - at : step;
		char *piece = malloc(len);
		int early;
		memcpy(piece, (const char *)request->body + at, len);
		s3_host_inside = true;
		early = s3_call_body(call, piece, len);
		s3_host_inside = false;
		free(piece);
		if (early)
			return false;
		at += len;
	}
	return !request->abort;
}

static void host_drive(struct s3_call *call, const struct s3_host_request *request,
		       struct s3_host_answer *out)
{
	bool whole = s3_call_step(call) == S3_BODY && host_send_body(call, request);
	out->worked = s3_call_step(call) == S3_WORK;
	s3_host_inside = true;
	if (whole)
		s3_call_body_end(call);
	else if (s3_call_step(call) == S3_WORK)
		s3_call_work(call);
	else if (s3_call_step(call) == S3_BODY)
		s3_call_abort(call);
	s3_host_inside = false;
}

void s3_host_send(struct s3_host *host, const struct s3_host_request *request,
		  struct s3_host_answer *out)
{
	struct host_wire wire;
	struct s3_request s3 = {.method = gml_span_text(request->method),
				.target = gml_span_text(request->target),
				.source = GML_LIT("\x7f\0\0\1")};
	struct s3_call *call;
	s3_host_answer_release(out);
	host_build(host, request, &wire);
	s3.headers = wire.headers;
	s3.nheaders = wire.n;
	s3.body_length = request->length_unknown ? -1 : (int64_t)request->body_len;
	s3_host_inside = true;
	call = s3_call_new(host->config, &s3);
	s3_host_inside = false;
	memset(&wire, 0xa5, sizeof(wire)); /* the call keeps nothing of the request */
	if (!call)
		return;
	host_drive(call, request, out);
	HOST_CHECK(s3_call_step(call) == S3_RESPOND);
	host_read(call, out);
	s3_call_free(call);
}

const char *s3_host_header(const struct s3_host_answer *answer, const char *name)
{
	static char value[4][4096];
	static unsigned next;
	size_t len = strlen(name);
	for (const char *line = answer->headers; line && *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		next = (next + 1) % 4;
		snprintf(value[next], sizeof(value[next]), "%.*s", (int)(end - (line + len + 2)),
			 line + len + 2);
		return value[next];
	}
	return NULL;
}

const char *s3_host_element(const struct s3_host_answer *answer, const char *tag)
{
	static char value[4][4096];
	static unsigned next;
	char open[80], close[80];
	const char *at, *end;
	snprintf(open, sizeof(open), "<%s>", tag);
	snprintf(close, sizeof(close), "</%s>", tag);
	at = answer->body ? strstr(answer->body, open) : NULL;
	end = at ? strstr(at, close) : NULL;
	if (!end)
		return NULL;
	at += strlen(open);
	next = (next + 1) % 4;
	snprintf(value[next], sizeof(value[next]), "%.*s", (int)(end - at), at);
	return value[next];
}
