// SPDX-License-Identifier: Apache-2.0
/* Several processes on one store, killed at random moments, while another recovers, reaps, compacts
 * and checks. Afterwards every object is whole, and the store check finds nothing. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

#define CRASH_ROUNDS 6
#define CRASH_NAMES 24

struct crash_head {
	uint32_t magic, name, len, seed;
};

static void crash_pause(unsigned ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

/* Content that says what it must be: header, then a run that follows from the seed. */
static char *crash_fill(unsigned name, uint32_t len, uint32_t seed)
{
	struct crash_head head = {0x47454d4c, name, len, seed};
	char *buf = malloc(len);
	for (uint32_t i = 0; i < len; i++)
		buf[i] = (char)(seed + i * 7 + i / 251);
	memcpy(buf, &head, sizeof(head));
	return buf;
}

static uint32_t crash_len(unsigned *seed)
{
	static const uint32_t lens[] = {16, 700, 4096, 9000, 65536, 65537, 300000, 1100000};
	return lens[(unsigned)rand_r(seed) % 8];
}

static int crash_put(struct ns *ns, unsigned name, unsigned *seed)
{
	uint32_t len = crash_len(seed), pattern = (uint32_t)rand_r(seed);
	char *buf = crash_fill(name, len, pattern), key[32];
	const uint8_t md5[16] = {1};
	struct gml_put *put;
	int rc;
	snprintf(key, sizeof(key), "d%u/s3-%u", name % 3, name);
	rc = gml_put_begin(&ns->op, ns->store, OBJECT_REF(ns_span("bucket"), ns_span(key)), len,
			   &put);
	for (uint32_t off = 0; rc == 0 && off < len; off += 100000) {
		rc = gml_put_write(put, buf + off, len - off < 100000 ? len - off : 100000);
		if (rc != 0)
			gml_put_abort(put);
	}
	if (rc == 0)
		rc = gml_put_finish(
			&ns->op, put,
			&(struct gml_put_options){.md5 = md5,
						  .attrs = &(struct gml_object_new){.nmeta = 0}},
			NULL);
	free(buf);
	return rc;
}

static int crash_write(struct ns *ns, unsigned name, unsigned *seed)
{
	uint32_t len = crash_len(seed);
	char *buf = crash_fill(name, len, (uint32_t)rand_r(seed)), text[32];
	struct iovec iov = {buf, len};
	struct gml_file *file = NULL;
	bool created;
	int rc;
	snprintf(text, sizeof(text), "nfs-%u", name);
	rc = gml_file_create(&ns->op, ns->store, ns->bucket, ns_span(text),
			     &(struct gml_create){.access = GML_OPEN_WRITE,
						  .disposition = GML_CREATE_GUARDED,
						  .created_out = &created},
			     &file);
	if (rc == 0)
		rc = gml_file_write(&ns->op, file, 0, &iov, 1, false);
	if (file != NULL && gml_file_close(&ns->op, file) != 0)
		rc = GML_ERR_IO;
	if (rc == GML_ERR_EXIST)
		rc = gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(text), GML_REMOVE_FILE);
	free(buf);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int crash_delete(struct ns *ns, unsigned name)
{
	char key[32];
	snprintf(key, sizeof(key), "d%u/s3-%u", name % 3, name);
	return gml_object_delete(&ns->op, ns->store, OBJECT_REF(ns_span("bucket"), ns_span(key)),
				 NULL, NULL);
}

/* A child's life ends by SIGKILL; an exit means an error. */
static void crash_open(struct ns *ns)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30, .log = ns_log};
	struct gml_attr attr;
	int rc = gml_store_open(ns->path, &opt, &ns->store);
	if (rc == 0)
		rc = gml_dir_lookup(&ns->op, ns->store, GML_INO_ROOT, ns_span("bucket"), &attr);
	if (rc != 0) {
		fprintf(stderr, "child: open: %s\n", gml_err_name(rc));
		_exit(2);
	}
	ns->bucket = attr.ino;
}

static void crash_writer(struct ns *ns, unsigned seed)
{
	unsigned first = seed % 2 * CRASH_NAMES; /* files of its own; objects are everybody's */
	crash_open(ns);
	for (;;) {
		unsigned name = (unsigned)rand_r(&seed) % CRASH_NAMES,
			 what = (unsigned)rand_r(&seed) % 8;
		int rc = what < 5   ? crash_put(ns, name, &seed)
			 : what < 7 ? crash_write(ns, first + name, &seed)
				    : crash_delete(ns, name);
		if (rc != 0) {
			fprintf(stderr, "writer: %u: %s\n", what, gml_err_name(rc));
			_exit(3);
		}
	}
}

static void crash_janitor(struct ns *ns)
{
	uint64_t freed;
	unsigned reaped;
	int rc = 0;
	crash_open(ns);
	while (rc == 0) {
		rc = gml_store_recover(&ns->op, ns->store);
		if (rc == 0)
			rc = gml_store_reap(&ns->op, ns->store,
					    &(struct gml_reap){.min_age_ns = 200000000,
							       .max = 1000,
							       .is_open = gml_store_file_is_open,
							       .arg = ns->store},
					    &reaped);
		if (rc == 0)
			rc = gml_store_compact(&ns->op, ns->store, &freed);
		crash_pause(10);
	}
	fprintf(stderr, "janitor: %s\n", gml_err_name(rc));
	_exit(4);
}

static void crash_say(void *arg, const char *text)
{
	fprintf(stderr, "store check: %s\n", text);
}

/* Nobody dies here: whatever the check says is wrong. */
static void crash_checker(struct ns *ns)
{
	struct gml_check_report report;
	crash_open(ns);
	for (;;) {
		if (gml_store_check(&ns->op, ns->store, crash_say, NULL, NULL, &report) != 0 ||
		    report.problems != 0)
			_exit(12);
	}
}

/* ---- verification ---------------------------------------------------------------------------- */

struct crash_names {
	struct ns *ns;
	unsigned count;
	gml_ino inos[4 * CRASH_NAMES];
	bool s3[4 * CRASH_NAMES];
};

static bool crash_note(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct crash_names *names = arg;
	if (attr->type == GML_REG && names->count < 4 * CRASH_NAMES) {
		names->s3[names->count] = memcmp(name.ptr, "s3-", 3) == 0;
		names->inos[names->count++] = attr->ino;
	}
	return true;
}

static bool crash_whole(struct ns *ns, gml_ino ino, bool s3)
{
	struct gml_file *file = NULL;
	struct crash_head head;
	char *buf = malloc(1200000), *want;
	bool eof, ok;
	size_t len = 0;
	ok = gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file) == 0 &&
	     gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, 1200000}, &len, &eof) == 0 &&
	     eof;
	gml_file_close(&ns->op, file);
	/* A file that was being written may be of any length. */
	if (ok && s3) {
		ok = len >= sizeof(head);
		memcpy(&head, buf, sizeof(head));
		ok = ok && head.magic == 0x47454d4c && head.len == len;
		want = ok ? crash_fill(head.name, head.len, head.seed) : NULL;
		ok = ok && memcmp(buf, want, len) == 0;
		free(want);
	}
	free(buf);
	return ok;
}

static void crash_verifier(struct ns *ns)
{
	struct crash_names names = {.ns = ns};
	struct gml_check_report report;
	uint64_t freed;
	unsigned reaped, bad = 0;
	struct gml_attr attr;
	bool eof;
	crash_open(ns);
	if (gml_store_recover(&ns->op, ns->store) != 0 ||
	    gml_store_reap(&ns->op, ns->store,
			   &(struct gml_reap){.min_age_ns = -1000000000, .max = 100000},
			   &reaped) != 0)
		_exit(5);
	do
		if (gml_store_compact(&ns->op, ns->store, &freed) != 0)
			_exit(6);
	while (ns->store->collect_next != 0);
	if (gml_store_check(&ns->op, ns->store, crash_say, NULL, NULL, &report) != 0 ||
	    report.problems != 0)
		_exit(7);
	if (gml_dir_read(&ns->op, ns->store, ns->bucket,
			 &(struct gml_dir_query){.each = crash_note, .arg = &names}, &eof) != 0)
		_exit(8);
	for (unsigned d = 0; d < 3; d++) {
		char dir[8];
		snprintf(dir, sizeof(dir), "d%u", d);
		if (gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span(dir), &attr) == 0 &&
		    gml_dir_read(&ns->op, ns->store, attr.ino,
				 &(struct gml_dir_query){.each = crash_note, .arg = &names},
				 &eof) != 0)
			_exit(9);
	}
	if (names.count == 0)
		_exit(11); /* a test that saw nothing */
	for (unsigned i = 0; i < names.count; i++)
		bad += !crash_whole(ns, names.inos[i], names.s3[i]);
	if (bad != 0)
		fprintf(stderr, "%u of %u files are damaged\n", bad, names.count);
	gml_store_close(ns->store);
	_exit(bad != 0 ? 10 : 0);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static pid_t crash_spawn(struct ns *ns, int what, unsigned seed)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	if (what == 0)
		crash_writer(ns, seed);
	else if (what == 1)
		crash_janitor(ns);
	else if (what == 2)
		crash_checker(ns);
	else
		crash_verifier(ns);
	_exit(1);
}

static void crash_kill(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		fail_msg("a child left with %d", WEXITSTATUS(status));
}

/* The parent never opens the store. */
static void crash_create(struct ns *ns)
{
	pid_t pid;
	ns_create(ns);
	pid = fork();
	if (pid == 0) {
		ns_open(ns);
		ns_mkbucket(ns);
		ns_close(ns);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void test_check_while_serving(void **state)
{
	pid_t pids[5];
	struct ns ns;
	crash_create(&ns);
	for (int i = 0; i < 5; i++)
		pids[i] = crash_spawn(&ns, i < 2 ? 0 : i == 2 ? 1 : 2, (unsigned)i);
	crash_pause(1500);
	/* The checkers first: a writer that was killed is a problem. */
	for (int i = 4; i >= 0; i--)
		crash_kill(pids[i]);
	ns_rm(ns.path);
}

static void test_crashes(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	struct ns ns;
	pid_t pid;
	print_message("seed %u\n", seed);
	crash_create(&ns);
	for (int round = 0; round < CRASH_ROUNDS; round++) {
		pid_t janitor = crash_spawn(&ns, 1, 0), a = crash_spawn(&ns, 0, seed & ~1u),
		      b = crash_spawn(&ns, 0, seed | 1u);
		int status;

		crash_pause(100 + (unsigned)rand_r(&seed) % 300);
		crash_kill(a);
		crash_pause((unsigned)rand_r(&seed) % 300);
		crash_kill(round % 2 ? b : janitor);
		crash_pause((unsigned)rand_r(&seed) % 50);
		crash_kill(round % 2 ? janitor : b);
		pid = crash_spawn(&ns, 3, 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		seed += 2;
	}
	ns_rm(ns.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_check_while_serving),
					   cmocka_unit_test(test_crashes)};
	return cmocka_run_group_tests_name("store crash", tests, NULL, NULL);
}
