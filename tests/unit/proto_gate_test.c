// SPDX-License-Identifier: Apache-2.0
/* What is decided before and beside the operations: by which names the server is known, its region,
 * its health; and GET and HEAD of next to nothing, or of less than there should be. */
#include <arpa/inet.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "s3_expect.h"

/* ---- host names ---- */

static void test_unknown_host_is_refused(void **state)
{
	static const char *const names[] = {"Host: demo.other.test",	  "Host: x",
					    "Host: demo.other.test:9000", "Host: s3.test.evil.org",
					    "Host: demo.127.0.0.1",	  "Host: 127.1"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		SEND("PUT", "/key",
		     {names[i]}); /* meant as a key of a bucket that the name bears */
		EXPECT(400, "InvalidRequest");
		assert_non_null(strstr(s3_host_element(&answer, "Message"), "s3.domains"));
		assert_non_null(strstr(answer.body, strchr(names[i], ' ') + 1));
		SEND("GET", "/bkt", {names[i]});
		EXPECT(400, "InvalidRequest");
		SEND("HEAD", "/bkt", {names[i]}, .access = "");
		EXPECT(400, "InvalidRequest");
	}
	SEND("GET", "/key");
	EXPECT(404, "NoSuchBucket");
}

static void test_long_host(void **state)
{
	static char header[4096] = "Host: ";
	(void)state;
	memset(header + 6, 'x', sizeof(header) - 7);
	SEND("GET", "/bkt", {header});
	EXPECT(400, "InvalidRequest");
	assert_true(answer.body_len < 1024);
	assert_non_null(strstr(s3_host_element(&answer, "Message"), "s3.domains"));
}

static void test_known_hosts(void **state)
{
	static char machine[HOST_NAME_MAX + 8] = "Host: ";
	static const char *const servers[] = {"Host: 127.0.0.1",
					      "Host: 10.0.0.1:9000",
					      "Host: [::1]",
					      "Host: [fe80::1%25eth0]:80",
					      "Host: localhost",
					      "Host: LocalHost:7480",
					      "Host: localhost.",
					      "Host: s3.test:1",
					      "Host: S3.TEST.:80",
					      "Host: ",
					      machine};
	static const char *const buckets[] = {"Host: bkt.s3.test", "Host: BKT.S3.Test.:80",
					      "Host: bkt.localhost:7480"};
	(void)state;
	assert_int_equal(gethostname(machine + 6, HOST_NAME_MAX), 0);
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		SEND("GET", "/bkt", {servers[i]});
		EXPECT(200, "");
		assert_string_equal(s3_host_element(&answer, "Name"), "bkt");
	}
	for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		SEND("GET", "/", {buckets[i]});
		EXPECT(200, "");
		assert_string_equal(s3_host_element(&answer, "Name"), "bkt");
	}
}

/* ---- region ---- */

static void test_refusals_tell_the_region(void **state)
{
	(void)state;
	SEND("HEAD", "/bkt", .access = "");
	EXPECT(403, "AccessDenied");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "us-east-1");
	SEND("GET", "/bkt/key", .access = "AKIANOBODY", .secret = "nothing");
	EXPECT(403, "InvalidAccessKeyId");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "us-east-1");
	SEND("HEAD", "/", {"Host: bkt.s3.test"}, .access = "");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "us-east-1");
	SEND("HEAD", "/none", .access = ""); /* as at AWS, everybody learns which buckets exist */
	EXPECT(404, "NoSuchBucket");
	assert_null(s3_host_header(&answer, "x-amz-bucket-region"));
	SEND("HEAD", "/none");
	EXPECT(404, "NoSuchBucket");
	assert_null(s3_host_header(&answer, "x-amz-bucket-region"));
	SEND("HEAD", "/", .access = "");
	assert_null(s3_host_header(&answer, "x-amz-bucket-region"));
}

static void test_another_region(void **state)
{
	(void)state;
	s3_host_close(&host);
	s3_host_open(&host, "eu-west-1"); /* requests are signed for us-east-1 */
	SEND("HEAD", "/bkt");
	EXPECT(400, "AuthorizationHeaderMalformed");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "eu-west-1");
	SEND("HEAD", "/bkt/key");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "eu-west-1");
	SEND("PUT", "/bkt/key", .body = "x", .body_len = 1);
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "eu-west-1");
	assert_string_equal(s3_host_element(&answer, "Region"), "eu-west-1");
}

/* ---- health ---- */

static void expect_health(int status, const char *text)
{
	if (answer.status != status || strcmp(answer.body, text) != 0)
		fail_msg("%d %s, expected %d %s", answer.status, answer.body, status, text);
	assert_string_equal(s3_host_header(&answer, "Content-Type"), "application/json");
	assert_string_equal(s3_host_header(&answer, "Cache-Control"), "no-store");
}

#define HEALTHY "{\"status\":\"ok\",\"s3\":\"ok\",\"nfs\":\"off\",\"store\":\"ok\"}\n"

static void test_health(void **state)
{
	static const char *const names[] = {"Host: ", "Host: any.name.at.all", "Host: bkt.s3.test",
					    "Host: 127.0.0.1:80"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		SEND("GET", "/healthz", {names[i]}, .access = "");
		expect_health(200, HEALTHY);
		if (i > 0)
			assert_false(answer.worked); /* within a second: nobody looked again */
	}
	SEND("HEAD", "/healthz", .access = "");
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.content_length, sizeof(HEALTHY) - 1);
	assert_false(answer.has_body);
}

static void test_health_and_a_bucket_of_that_name(void **state)
{
	(void)state;
	SEND("GET", "/healthz");
	EXPECT(404, "NoSuchBucket");
	SEND("PUT", "/healthz");
	EXPECT(200, "");
	SEND("PUT", "/healthz/healthz", .body = "x", .body_len = 1);
	EXPECT(200, "");
	SEND("GET", "/healthz");
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "Name"), "healthz");
	SEND("HEAD", "/healthz");
	EXPECT(200, "");
	assert_string_equal(s3_host_header(&answer, "x-amz-bucket-region"), "us-east-1");
	SEND("GET", "/healthz", {"Host: healthz.s3.test"});
	EXPECT(200, "");
	assert_string_equal(answer.body, "x");
	SEND("GET", "/healthz?list-type=2", .access = "");
	EXPECT(403, "AccessDenied");
	SEND("GET", "/healthz/", .access = "");
	EXPECT(403, "AccessDenied");
	SEND("PUT", "/healthz", .access = "");
	EXPECT(403, "AccessDenied");
	SEND("GET", "/healthz", .access = "");
	expect_health(200, HEALTHY);
}

/* The probe's file cannot be written. */
static void test_health_of_a_store_that_takes_nothing(void **state)
{
	char path[128];
	(void)state;
	snprintf(path, sizeof(path), "%s/run/ready", host.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	SEND("GET", "/healthz", .access = "");
	expect_health(503, "{\"status\":\"unavailable\",\"s3\":\"ok\",\"nfs\":\"off\",\"store\":"
			   "\"failed\"}\n");
	assert_true(answer.worked);
	SEND("HEAD", "/healthz", .access = "");
	assert_int_equal(answer.status, 503);
}

/* The NFS server: nobody listens, somebody listens and says nothing, or gives NFS's answer. */
struct peer {
	int fd;
	unsigned port;
	bool answers;
	pthread_t thread;
};

static void *peer_run(void *arg)
{
	struct peer *peer = arg;
	uint32_t call[11], reply[7] = {htonl(0x80000000u | 24), 0, htonl(1)};
	int fd = accept(peer->fd, NULL, NULL);
	assert_int_equal(recv(fd, call, sizeof(call), MSG_WAITALL), sizeof(call));
	reply[1] = call[1];
	if (peer->answers)
		assert_int_equal(send(fd, reply, sizeof(reply), 0), sizeof(reply));
	assert_int_equal(recv(fd, call, 1, 0),
			 0); /* who asked ends the connection, and does not reset it */
	close(fd);
	return NULL;
}

static void peer_open(struct peer *peer, bool answers)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	peer->fd = socket(AF_INET, SOCK_STREAM, 0);
	peer->answers = answers;
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(peer->fd, 4), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &len), 0);
	peer->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

static void peer_close(struct peer *peer)
{
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

static void host_with_nfs(unsigned port)
{
	struct s3_config_options options = {.store = host.store,
					    .region = "us-east-1",
					    .nfs_address = "127.0.0.1",
					    .nfs_port = port};
	s3_config_free(host.config);
	assert_int_equal(s3_config_new(&options, &host.config), 0);
}

static void test_health_of_the_other_door(void **state)
{
	struct peer peer;
	(void)state;
	peer_open(&peer, true);
	host_with_nfs(peer.port);
	SEND("GET", "/healthz", .access = "");
	expect_health(200, "{\"status\":\"ok\",\"s3\":\"ok\",\"nfs\":\"ok\",\"store\":\"ok\"}\n");
	peer_close(&peer);
	host_with_nfs(peer.port); /* nobody is there now */
	SEND("GET", "/healthz", .access = "");
	expect_health(503, "{\"status\":\"unavailable\",\"s3\":\"ok\",\"nfs\":\"no "
			   "answer\",\"store\":\"ok\"}\n");
	peer_open(&peer, false);
	host_with_nfs(peer.port);
	SEND("GET", "/healthz", .access = "");
	expect_health(503, "{\"status\":\"unavailable\",\"s3\":\"ok\",\"nfs\":\"no "
			   "answer\",\"store\":\"ok\"}\n");
	peer_close(&peer);
}

#define UNKNOWN                                                                                    \
	"{\"status\":\"unavailable\",\"s3\":\"ok\",\"nfs\":\"unknown\",\"store\":\"unknown\"}\n"

static void *ask_run(void *got)
{
	s3_host_send(&host, &(struct s3_host_request){"GET", "/healthz", .access = ""}, got);
	return NULL;
}

/* During the first look, too, no more than 4 wait for it: who else asks learns that nothing is
 * known. The look takes 1.5 seconds, as the NFS server says nothing. */
static void test_health_asked_by_many(void **state)
{
	enum { ASK = 8, WAITING_MAX = 4 };
	struct s3_host_answer answers[ASK] = {0};
	pthread_t threads[ASK];
	struct peer peer;
	int unknown = 0;
	(void)state;
	peer_open(&peer, false);
	host_with_nfs(peer.port);
	for (int i = 0; i < ASK; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_run, &answers[i]), 0);
	for (int i = 0; i < ASK; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(answers[i].status, 503);
		unknown += strcmp(answers[i].body, UNKNOWN) == 0;
		s3_host_answer_release(&answers[i]);
	}
	assert_int_equal(unknown, ASK - WAITING_MAX);
	SEND("GET", "/healthz", .access = "");
	expect_health(503, "{\"status\":\"unavailable\",\"s3\":\"ok\",\"nfs\":\"no "
			   "answer\",\"store\":\"ok\"}\n");
	peer_close(&peer);
}

/* ---- next to nothing ---- */

static void test_ranges_of_nothing(void **state)
{
	static const char *const targets[] = {"/bkt/empty", "/bkt/marker/"}, *const methods[] = {
										     "GET", "HEAD"};
	(void)state;
	for (size_t t = 0; t < 2; t++) {
		SEND("PUT", targets[t]);
		EXPECT(200, "");
		for (size_t m = 0; m < 2; m++) {
			SEND(methods[m], targets[t], {"Range: bytes=-5"});
			EXPECT(200, "");
			assert_int_equal(answer.content_length, 0);
			assert_null(s3_host_header(&answer, "Content-Range"));
			SEND(methods[m], targets[t], {"Range: bytes=-0"});
			EXPECT(416, "InvalidRange");
			SEND(methods[m], targets[t], {"Range: bytes=0-"});
			EXPECT(416, "InvalidRange");
			assert_string_equal(s3_host_header(&answer, "Content-Range"), "bytes */0");
			SEND(methods[m],
			     t == 0 ? "/bkt/empty?partNumber=1" : "/bkt/marker/?partNumber=1");
			EXPECT(200, "");
			assert_null(s3_host_header(&answer, "Content-Range"));
		}
	}
}

static void upload_part(const char *id, int number, const void *body, size_t len, char etag[64])
{
	char target[128];
	snprintf(target, sizeof(target), "/bkt/mp?partNumber=%d&uploadId=%s", number, id);
	SEND("PUT", target, .body = body, .body_len = len);
	EXPECT(200, "");
	snprintf(etag, 64, "%s", s3_host_header(&answer, "ETag"));
}

/* The last part of an object may be empty. */
static void test_empty_part(void **state)
{
	enum { FIVE = 5 << 20 };
	char *five = calloc(1, FIVE), id[64], etags[2][64], target[128], xml[512];
	(void)state;
	SEND("POST", "/bkt/mp?uploads");
	EXPECT(200, "");
	snprintf(id, sizeof(id), "%s", s3_host_element(&answer, "UploadId"));
	upload_part(id, 1, five, FIVE, etags[0]);
	upload_part(id, 2, "", 0, etags[1]);
	free(five);
	snprintf(xml, sizeof(xml),
		 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part>"
		 "<Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>",
		 etags[0], etags[1]);
	snprintf(target, sizeof(target), "/bkt/mp?uploadId=%s", id);
	SEND("POST", target, .body = xml, .body_len = strlen(xml));
	EXPECT(200, "");
	SEND("HEAD", "/bkt/mp?partNumber=1");
	EXPECT(206, "");
	assert_string_equal(s3_host_header(&answer, "Content-Range"), "bytes 0-5242879/5242880");
	for (int i = 0; i < 2; i++) {
		SEND(i == 0 ? "GET" : "HEAD", "/bkt/mp?partNumber=2");
		EXPECT(200, "");
		assert_int_equal(answer.content_length, 0);
		assert_null(s3_host_header(&answer, "Content-Range"));
		assert_string_equal(s3_host_header(&answer, "x-amz-mp-parts-count"), "2");
	}
}

/* ---- less than there should be ---- */

static int cut_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type == FTW_F && st->st_size >= 200000 && strstr(path, "/data/"))
		assert_int_equal(truncate(path, st->st_size / 2), 0);
	return 0;
}

static void test_damaged(void **state)
{
	char *body = calloc(1, 200000);
	(void)state;
	SEND("PUT", "/bkt/k", .body = body, .body_len = 200000);
	EXPECT(200, "");
	free(body);
	SEND("HEAD", "/bkt/k");
	EXPECT(200, "");
	assert_int_equal(nftw(host.dir, cut_one, 16, FTW_PHYS), 0);
	SEND("HEAD", "/bkt/k");
	EXPECT(500, "InternalError");
	SEND("HEAD", "/bkt/k", {"Range: bytes=0-1"});
	EXPECT(500, "InternalError");
	SEND("GET", "/bkt/k");
	EXPECT(500, "InternalError");
	SEND("PUT", "/bkt/copy", {"x-amz-copy-source: /bkt/k"});
	EXPECT(500, "InternalError");
	SEND("DELETE", "/bkt/k");
	EXPECT(204, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S3_TEST(test_unknown_host_is_refused),
		S3_TEST(test_long_host),
		S3_TEST(test_known_hosts),
		S3_TEST(test_refusals_tell_the_region),
		S3_TEST(test_another_region),
		S3_TEST(test_health),
		S3_TEST(test_health_and_a_bucket_of_that_name),
		S3_TEST(test_health_of_a_store_that_takes_nothing),
		S3_TEST(test_health_of_the_other_door),
		S3_TEST(test_health_asked_by_many),
		S3_TEST(test_ranges_of_nothing),
		S3_TEST(test_empty_part),
		cmocka_unit_test_setup_teardown(test_damaged, s3_setup, s3_teardown_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
