// SPDX-License-Identifier: Apache-2.0
/* Power cuts. A workload runs once, recorded; then the power fails at every sync and at moments in
 * between, in several modes of the disk. Each time the store must open, recover, pass its check,
 * hold all that was acknowledged, and go on working. Some of the recoveries are recorded and cut
 * again. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <gemel/dir.h>
#include <gemel/object.h>
#include "gateway/meta/lmdb/checkpoint.h"
#include "workload.h"

/* Sanitizers make every cut several times as dear. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POWER_STEP 4
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POWER_STEP 4
#endif
#endif
#ifndef POWER_STEP
#define POWER_STEP 1
#endif

static struct power {
	char home[64], store[80], image[80], inner[80];
	struct disk_log *log, *again; /* of the workload; of a recovery */
	struct workload *workload;
	double until;
	unsigned cuts;
} power;

static double power_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct power_report {
	FILE *out;
	bool tidy; /* garbage counts */
	unsigned problems;
};

/* A file whose record went, and which was not removed yet, is garbage, not damage: compaction
 * collects it. */
static void power_problem(void *arg, const char *text)
{
	struct power_report *report = arg;
	if (!report->tidy && strncmp(text, "blob file ", 10) == 0 &&
	    strstr(text, "nothing references") != NULL)
		return;
	report->problems++;
	fprintf(report->out, "  store check: %s\n", text);
}

static void power_log(void *arg, enum gml_log_level level, const char *line)
{
	if (level == GML_LOG_ERROR)
		fprintf(arg, "  log: %s\n", line);
}

/* ---- one cut --------------------------------------------------------------------------------- */

static bool power_rc(int rc, const char *what, FILE *out)
{
	if (rc != 0)
		fprintf(out, "  %s: %s\n", what, gml_err_name(rc));
	return rc == 0;
}

static bool power_check(struct gml_store *store, size_t cut, bool tidy, FILE *out)
{
	struct gml_op op = GML_OP_LOCAL;
	struct power_report report = {.out = out, .tidy = tidy};
	struct gml_content_report content;
	struct gml_check_report sums;
	bool good = power_rc(gml_store_check(&op, store, power_problem, NULL, &report, &sums),
			     "check", out);
	good = good &&
	       power_rc(gml_store_check_content(&op, store, power_problem, NULL, &report, &content),
			"check of content", out);
	good = good && report.problems == 0;
	good = model_verify(power.workload->model, store, cut, out) == 0 && good;
	if (!good)
		fprintf(out, "  (%s)\n", tidy ? "cleaned up" : "recovered");
	return good;
}

/* What a server and its jobs do with a store after a crash. */
static int power_recover(struct gml_store *store)
{
	struct gml_op op = GML_OP_LOCAL;
	uint64_t bytes;
	unsigned freed;
	bool more;
	int rc = gml_store_recover(&op, store);
	if (rc == 0)
		rc = gml_store_sum(&op, store, 0, UINT64_MAX, &bytes, &more);
	if (rc == 0)
		rc = gml_store_reap(&op, store,
				    &(struct gml_reap){.max = 1000,
						       .is_open = gml_store_file_is_open,
						       .arg = store},
				    &freed);
	/* Strays: the first call looks through the directories of the first 16 million blobs. */
	return rc == 0 ? gml_store_compact(&op, store, &bytes) : rc;
}

/* New content goes in and comes out. */
static bool power_use(struct gml_store *store, FILE *out)
{
	static const struct gml_object_new what;
	struct gml_op op = GML_OP_LOCAL;
	struct gml_span bucket = {"after", 5}, key = {"dir/key", 7};
	struct gml_object *object = NULL;
	struct gml_put *put;
	struct gml_bucket got;
	int rc = gml_bucket_create(&op, store, bucket, NULL, &got);
	for (size_t len = 100; rc == 0 && len <= 100000; len *= 1000) {
		char *bytes = calloc(1, len);
		rc = gml_put_begin(&op, store, OBJECT_REF(bucket, key), len, &put);
		if (rc == 0)
			rc = gml_put_write(put, bytes, len);
		if (rc == 0)
			rc = gml_put_finish(&op, put, &(struct gml_put_options){.attrs = &what},
					    NULL);
		free(bytes);
	}
	if (rc == 0)
		rc = gml_object_open(&op, store, OBJECT_REF(bucket, key), true, &object);
	if (rc == 0 && gml_object_info(object)->size != 100000)
		rc = GML_ERR_CORRUPT;
	gml_object_close(object);
	return power_rc(rc, "use", out);
}

/* further: also clean up, and use it. */
static bool power_examine(const char *image, size_t cut, bool created, bool further, FILE *out)
{
	struct gml_store_options opt = workload_options();
	struct gml_op op = GML_OP_LOCAL;
	struct gml_store *store;
	char path[100];
	int rc;
	bool good;
	snprintf(path, sizeof(path), "%s/store", image);
	opt.log = power_log;
	opt.log_arg = out;
	rc = gml_store_open(path, &opt, &store);
	if (rc != 0 && !created)
		return true; /* refused; nothing was promised */
	if (!power_rc(rc, "open", out))
		return false;
	good = power_rc(gml_store_recover(&op, store), "recover", out) &&
	       power_check(store, cut, false, out);
	if (good && further)
		good = power_rc(power_recover(store), "clean up", out) && power_use(store, out) &&
		       power_check(store, cut, true, out);
	gml_store_close(store);
	return good;
}

/* In a child: it may crash. Its words go to `out`. */
static bool power_examine_apart(const char *image, size_t cut, bool created, FILE *out)
{
	pid_t pid;
	int status;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		bool good;
		alarm(120);
		good = power_examine(image, cut, created, power.cuts % 2 == 0, out);
		fflush(out);
		_exit(good ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	if (WIFSIGNALED(status))
		fprintf(out, "  ended by signal %d\n", WTERMSIG(status));
	power.cuts++;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Old shared memory and lock file: after a cut they may be there, whatever they hold. */
static void power_stale(const char *image)
{
	static const char *const names[] = {"run/changes", "run/readers", "meta/lock.mdb",
					    "meta/redo.tail"};
	char from[120], to[120];
	snprintf(to, sizeof(to), "%s/store/run", image);
	(void)mkdir(to, 0700);
	for (int i = 0; i < 4; i++) {
		char buf[65536];
		int in, out;
		ssize_t n;
		snprintf(from, sizeof(from), "%s/%s", power.store, names[i]);
		snprintf(to, sizeof(to), "%s/store/%s", image, names[i]);
		in = open(from, O_RDONLY);
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
			if (write(out, buf, (size_t)n) != n)
				disk_die(to);
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
	}
}

static void power_cut(size_t cut, enum disk_cut_mode mode, uint64_t seed)
{
	disk_build(power.log, cut, mode, seed, power.image);
	if (mode == DISK_SOME || mode == DISK_ALL)
		power_stale(power.image);
	if (!power_examine_apart(power.image, cut, cut >= power.workload->created, stderr))
		fail_msg("cut %zu of %zu, mode %s, seed %llu (GEMEL_CRASH_CUT, _MODE, _SEED; image "
			 "in %s)",
			 cut, disk_now(power.log), disk_cut_mode_name(mode),
			 (unsigned long long)seed, power.image);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static uint64_t power_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* Just before each sync everything since the last one is at stake. */
static void test_cut_at_every_sync(void **state)
{
	size_t end = disk_now(power.log);
	(void)state;
	for (size_t cut = disk_first(power.log); cut <= end; cut++) {
		if (cut < end && (!disk_is_sync(power.log, cut) || cut % POWER_STEP != 0))
			continue;
		power_cut(cut, DISK_NONE, 0);
	}
	for (size_t cut = disk_first(power.log); cut <= end; cut++)
		if (cut == end || (disk_is_sync(power.log, cut) && cut % (3 * POWER_STEP) == 0))
			power_cut(cut, DISK_HARM, 0);
}

static void test_cut_at_random(void **state)
{
	uint64_t seed = power_env("GEMEL_CRASH_SEED", 0x9e3779b97f4a7c15u) | 1;
	size_t end = disk_now(power.log);
	(void)state;
	for (int i = 0; i < 150 || power_now() < power.until; i++) {
		size_t cut = disk_random(&seed) % (end + 1);
		power_cut(cut,
			  i % 5 == 4   ? DISK_ALL
			  : i % 5 == 3 ? DISK_HARM
				       : DISK_SOME,
			  disk_random(&seed));
	}
}

/* A recovery of one image, recorded. */
static void power_record_recovery(size_t cut, enum disk_cut_mode mode, uint64_t seed)
{
	struct gml_store_options opt = workload_options();
	struct gml_store *store;
	char path[100];
	pid_t pid;
	int status;
	disk_build(power.log, cut, mode, seed, power.inner);
	snprintf(path, sizeof(path), "%s/store", power.inner);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int rc;
		disk_record(power.again, power.inner);
		rc = gml_store_open(path, &opt, &store);
		if (rc == 0)
			rc = power_recover(store);
		if (rc == 0)
			gml_store_close(store);
		_exit(rc == 0 ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	assert_int_equal(status, 0);
}

static void test_cut_during_recovery(void **state)
{
	uint64_t seed = power_env("GEMEL_CRASH_SEED", 0x2545f4914f6cdd1du) | 1;
	size_t from = power.workload->created, end = disk_now(power.log);
	(void)state;
	for (int i = 0; i < 8; i++) {
		size_t cut = i == 0 ? end : from + disk_random(&seed) % (end - from), last;
		enum disk_cut_mode mode = i % 2 == 0 ? DISK_ALL : DISK_SOME;
		uint64_t outer = disk_random(&seed);
		power_record_recovery(cut, mode, outer);
		last = disk_now(power.again);
		for (size_t at = disk_first(power.again); at <= last; at++) {
			enum disk_cut_mode inner =
				disk_random(&seed) % 2 == 0 ? DISK_NONE : DISK_SOME;
			if (at < last && !disk_is_sync(power.again, at) &&
			    disk_random(&seed) % 8 != 0)
				continue;
			disk_build(power.again, at, inner, seed, power.image);
			if (!power_examine_apart(power.image, cut, true, stderr))
				fail_msg("cut %zu, mode %s, seed %llu; its recovery cut at %zu of "
					 "%zu, mode %s",
					 cut, disk_cut_mode_name(mode), (unsigned long long)outer,
					 at, last, disk_cut_mode_name(inner));
		}
	}
}

/* Does this test see a loss? An image that lacks the last third of what was promised must not
 * pass. */
static void test_loss_is_seen(void **state)
{
	FILE *quiet = fopen("/dev/null", "w");
	size_t end = disk_now(power.log);
	(void)state;
	assert_non_null(quiet);
	disk_build(power.log, end * 2 / 3, DISK_ALL, 0, power.image);
	assert_false(power_examine_apart(power.image, end, true, quiet));
	disk_build(power.log, end, DISK_NONE, 0, power.image);
	assert_true(power_examine_apart(power.image, end, true, quiet));
	fclose(quiet);
}

/* GEMEL_CRASH_CUT: one cut again, after a failure. The workload has threads: the record differs a
 * little each time. */
static void test_one_cut(void **state)
{
	(void)state;
	if (getenv("GEMEL_CRASH_CUT") == NULL)
		skip();
	power_cut(power_env("GEMEL_CRASH_CUT", 0),
		  (enum disk_cut_mode)power_env("GEMEL_CRASH_MODE", 0),
		  power_env("GEMEL_CRASH_SEED", 1));
}

static int power_setup(void **state)
{
	pid_t pid;
	int status;
	(void)state;
	/* Some thousand small stores: in memory if possible. */
	strcpy(power.home, "/dev/shm/gemel-power-XXXXXX");
	if (mkdtemp(power.home) == NULL)
		strcpy(power.home, "/tmp/gemel-power-XXXXXX");
	if (access(power.home, W_OK) != 0 && mkdtemp(power.home) == NULL)
		disk_die(power.home);
	snprintf(power.store, sizeof(power.store), "%s/live/store", power.home);
	snprintf(power.image, sizeof(power.image), "%s/image", power.home);
	snprintf(power.inner, sizeof(power.inner), "%s/inner", power.home);
	power.until = power_now() + (double)power_env("GEMEL_CRASH_SECONDS", 0);
	/* A small ring and many checkpoints: each image holds the log, and the model is short. */
	gml_redo_size = 256 << 10;
	gml_checkpoint_pages = 500;
	power.log = disk_log_new();
	power.again = disk_log_new();
	power.workload = workload_new(power.log);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		char live[80];
		snprintf(live, sizeof(live), "%s/live", power.home);
		if (mkdir(live, 0700) != 0)
			disk_die(live);
		disk_record(power.log, live);
		workload_run(power.workload, power.store);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	return status == 0 ? 0 : -1;
}

static int power_teardown(void **state)
{
	(void)state;
	printf("power: %u cuts of %zu events\n", power.cuts, disk_now(power.log));
	disk_remove_tree(power.home);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_cut),
		cmocka_unit_test(test_loss_is_seen),
		cmocka_unit_test(test_cut_at_every_sync),
		cmocka_unit_test(test_cut_at_random),
		cmocka_unit_test(test_cut_during_recovery),
	};
	return cmocka_run_group_tests_name("power", tests, power_setup, power_teardown);
}
