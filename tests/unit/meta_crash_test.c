// SPDX-License-Identifier: Apache-2.0
/* Power cuts and failing disks (meta_disk.h). What the redo log promises in particular is
 * meta_redo_test.c. */
#include "child_support.h"
#include "meta_disk.h"
#include <sys/wait.h>
#include "gateway/base/log.h"
#include "gateway/meta/lmdb/checkpoint.h"

/* ---- the workload ---- */
#define WRITERS 9
#define ROUNDS 60
#define CHECKPOINT_PAGES 150

struct writer {
	struct meta_env *env;
	pthread_t thread;
	int number, rc;
	bool relaxed;
	uint64_t count;
};

static int writer_put(struct gml_txn *txn, void *arg)
{
	struct writer *writer = arg;
	uint8_t filler[300];
	char key[24];
	int rc;
	memset(filler, (int)writer->count, sizeof(filler));
	/* Keys come back soon: pages are freed and used again, which is what a lost meta page makes
	 * dangerous. */
	snprintf(key, sizeof(key), "f%d-%d", writer->number, (int)(writer->count * 7919 % 40));
	rc = gml_txn_put(txn, GML_TABLE_XATTR, STR(key),
			 SPAN(filler, writer->count % sizeof(filler)));
	if (rc == 0 && writer->count % 3 == 0) {
		snprintf(key, sizeof(key), "f%d-%d", writer->number,
			 (int)((writer->count + 5) * 7919 % 40));
		rc = gml_txn_del(txn, GML_TABLE_XATTR, STR(key));
		rc = rc == GML_ERR_NOENT ? 0 : rc;
	}
	snprintf(key, sizeof(key), "w%d", writer->number);
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(&writer->count, 8));
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_LEASE, STR(key), SPAN(&writer->count, 8));
	return rc;
}

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	for (writer->count = 1; writer->count <= ROUNDS; writer->count++) {
		int rc = writer->relaxed
				 ? gml_meta_update_relaxed(writer->env->meta, writer_put, writer)
				 : gml_meta_update(writer->env->meta, writer_put, writer);
		if (rc != 0)
			writer->rc = rc;
		else
			disk_add(DISK_ACK, DISK_DATA, 0, NULL, 0, writer->number, writer->count);
	}
	return NULL;
}

static void workload(struct meta_env *env, bool relaxed)
{
	struct writer writer[6];
	for (int i = 0; i < 6; i++) {
		writer[i] = (struct writer){env, 0, i, 0, relaxed, 0};
		assert_int_equal(pthread_create(&writer[i].thread, NULL, writer_run, &writer[i]),
				 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(writer[i].thread, NULL);
		assert_int_equal(writer[i].rc, 0);
	}
}

/* ---- power cuts ---- */
/* Opens the image: whole, and every writer at least where it was told to be. Returns how many
 * acknowledged updates are missing. */
static int image_check(const char *dir, const struct gml_meta_options *opt, size_t cut)
{
	uint64_t acked[WRITERS] = {0}, count, seen = 0;
	struct gml_span key, value, partner;
	struct gml_cursor *cursor;
	struct gml_meta *meta;
	struct gml_txn *txn;
	int missing = 0, rc;
	for (size_t i = 0; i < cut; i++) {
		if (disk->events[i].there && disk->events[i].what == DISK_ACK)
			acked[disk->events[i].writer] = disk->events[i].number;
	}
	assert_int_equal(gml_meta_open(dir, opt, &meta), 0);
	assert_int_equal(gml_meta_read_begin(meta, &txn), 0);
	for (int i = 0; i < WRITERS; i++) {
		uint64_t stored = 0;
		char name[24];
		snprintf(name, sizeof(name), "w%d", i);
		rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR(name), &value);
		if (rc == 0) {
			memcpy(&stored, value.ptr, 8);
			assert_int_equal(gml_txn_get(txn, GML_TABLE_LEASE, STR(name), &partner), 0);
			assert_memory_equal(value.ptr, partner.ptr, 8);
		}
		missing += stored < acked[i];
	}
	/* The tree of the busiest table is whole. */
	assert_int_equal(gml_rec_count(txn, GML_TABLE_XATTR, &count), 0);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_XATTR, &cursor), 0);
	for (rc = gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		const uint8_t *p = value.ptr;
		for (size_t i = 1; i < value.len; i++)
			assert_int_equal(p[i], p[0]);
		seen++;
	}
	assert_int_equal(rc, GML_ERR_NOENT);
	assert_int_equal(seen, count);
	gml_cursor_close(cursor);
	gml_meta_read_end(txn);
	gml_meta_close(meta);
	return missing;
}

/* Records what `run` does to the store; nobody has it open before and after. */
static void power_record(struct meta_env *env, struct disk_image *image,
			 void (*run)(struct meta_env *env))
{
	gml_meta_close(env->meta);
	env->meta = NULL;
	disk_watch(env);
	disk_image_init(image, env->dir);
	disk->recording = true;
	run(env);
	disk->recording = false;
	disk_unwatch();
	disk_image_room(image);
}

/* Cuts the power at many moments of what was recorded; returns how many acknowledged updates were
 * lost. */
static int power_cuts(struct meta_env *env, struct disk_image *image, int cuts,
		      int (*check)(const char *dir, const struct gml_meta_options *opt, size_t cut))
{
	uint64_t seed = 0x2545f4914f6cdd1du;
	size_t n = disk->n;
	int missing = 0;
	for (int i = 0; i < cuts; i++) {
		size_t cut = meta_random(&seed) % (n + 1);
		/* Just before a flush of data.mdb most is at stake. */
		while (i % 2 == 0 && cut < n &&
		       !(disk->events[cut].what == DISK_FLUSHED &&
			 disk->events[cut].file == DISK_DATA))
			cut++;
		disk_image_build(image, cut, &seed);
		disk_image_install(image, env->dir, i % 3 == 0);
		missing += check(env->dir, &env->opt, cut);
	}
	disk_image_release(image);
	disk_forget();
	return missing;
}

static void power_workload(struct meta_env *env)
{
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	workload(env, false);
	gml_meta_close(env->meta);
	env->meta = NULL;
}

static void power_workload_relaxed(struct meta_env *env)
{
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	workload(env, true);
	gml_meta_close(env->meta);
	env->meta = NULL;
}

static void test_power_cut(void **state)
{
	struct disk_image image = {0};
	power_record(*state, &image, power_workload);
	assert_int_equal(power_cuts(*state, &image, 400, image_check), 0);
}

/* The same with updates that do not wait: the store stays whole, but some are lost, and the test
 * sees it. */
static void test_power_cut_relaxed(void **state)
{
	struct disk_image image = {0};
	power_record(*state, &image, power_workload_relaxed);
	assert_true(power_cuts(*state, &image, 200, image_check) > 0);
}

/* ---- closures that say what may get lost ---- */
struct voter {
	struct meta_env *env;
	pthread_t thread;
	bool relaxed;
	int rc;
	uint64_t seq, id; /* place among all changes; a number that was given */
};

static int voter_put(struct gml_txn *txn, void *arg)
{
	struct voter *voter = arg;
	struct gml_span value;
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR("seq"), &value);
	voter->seq = 0;
	if (rc == 0)
		memcpy(&voter->seq, value.ptr, 8);
	voter->seq++;
	voter->id = gml_txn_next_id(txn);
	rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR("seq"), SPAN(&voter->seq, 8));
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_LEASE, SPAN(&voter->id, 8), SPAN(&voter->seq, 8));
	gml_txn_durability(txn, voter->relaxed);
	return rc;
}

/* An acknowledgement's length is the number that was given. */
static void *voter_run(void *arg)
{
	struct voter *voter = arg;
	for (int i = 0; i < 2 * ROUNDS; i++) {
		int rc = gml_meta_update(voter->env->meta, voter_put, voter);
		if (rc != 0)
			voter->rc = rc;
		else
			disk_add(DISK_ACK, DISK_DATA, 0, NULL, voter->id, voter->relaxed,
				 voter->seq);
		if (!voter->relaxed)
			usleep(1000); /* or the flushes of these leave nothing to lose */
	}
	return NULL;
}

static void power_voters(struct meta_env *env)
{
	struct voter voter[6];
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	for (int i = 0; i < 6; i++) {
		voter[i] = (struct voter){.env = env, .relaxed = i != 0};
		assert_int_equal(pthread_create(&voter[i].thread, NULL, voter_run, &voter[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(voter[i].thread, NULL);
		assert_int_equal(voter[i].rc, 0);
	}
	gml_meta_close(env->meta);
	env->meta = NULL;
}

/* What was acknowledged as durable is there, with all before it, and no number comes again. Returns
 * what is missing of the rest. */
static int voters_check(const char *dir, const struct gml_meta_options *opt, size_t cut)
{
	uint64_t floor = 0, most = 0, given = 0, stored = 0, count;
	struct voter again = {.relaxed = false};
	struct gml_meta *meta;
	struct gml_span value;
	struct gml_txn *txn;
	for (size_t i = 0; i < cut; i++) {
		const struct disk_event *event = &disk->events[i];
		if (!event->there || event->what != DISK_ACK)
			continue;
		most = event->number > most ? event->number : most;
		given = event->len > given ? event->len : given;
		if (event->writer == 0 && event->number > floor)
			floor = event->number;
	}
	assert_int_equal(gml_meta_open(dir, opt, &meta), 0);
	assert_int_equal(gml_meta_read_begin(meta, &txn), 0);
	if (gml_txn_get(txn, GML_TABLE_JOURNAL, STR("seq"), &value) == 0)
		memcpy(&stored, value.ptr, 8);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_LEASE, &count), 0);
	gml_meta_read_end(txn);
	assert_int_equal(count, stored);
	assert_true(stored >= floor);
	assert_int_equal(gml_meta_update(meta, voter_put, &again), 0);
	assert_true(again.id > given);
	gml_meta_close(meta);
	return most > stored ? (int)(most - stored) : 0;
}

static void test_power_cut_voters(void **state)
{
	struct disk_image image = {0};
	power_record(*state, &image, power_voters);
	assert_true(power_cuts(*state, &image, 400, voters_check) > 0);
}

/* ---- several processes, killed at random, before the power goes ---- */
#define PROCESSES 3
static _Atomic uint64_t *process_count; /* of each writer, shared */

/* Writes until it is killed. A slow machine gives it so much time that the record would be full:
 * an update is about ten events. */
static void *process_writer(void *arg)
{
	struct writer *writer = arg;
	while (process_count[writer->number] < DISK_EVENTS / WRITERS / 16) {
		writer->count = atomic_fetch_add(&process_count[writer->number], 1) + 1;
		if (gml_meta_update(writer->env->meta, writer_put, writer) != 0)
			_exit(1);
		disk_add(DISK_ACK, DISK_DATA, 0, NULL, 0, writer->number, writer->count);
	}
	return NULL;
}

static pid_t process_start(struct meta_env *env, int process)
{
	struct writer writer[WRITERS / PROCESSES];
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
		_exit(1);
	for (int i = 0; i < WRITERS / PROCESSES; i++) {
		writer[i] =
			(struct writer){.env = env, .number = process * (WRITERS / PROCESSES) + i};
		if (pthread_create(&writer[i].thread, NULL, process_writer, &writer[i]) != 0)
			_exit(1);
	}
	child_until_killed();
}

static void power_processes(struct meta_env *env)
{
	pid_t pid[PROCESSES];
	uint64_t seed = 88172645463325252u;
	int status;
	for (int i = 0; i < PROCESSES; i++)
		pid[i] = process_start(env, i);
	for (int round = 0; round < 20; round++) {
		int i = (int)(meta_random(&seed) % PROCESSES);
		usleep(2000 + meta_random(&seed) % 8000);
		kill(pid[i], SIGKILL);
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		/* And not by itself: the others' deaths do not disturb it. */
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		pid[i] = process_start(env, i);
	}
	for (int i = 0; i < PROCESSES; i++) {
		kill(pid[i], SIGKILL);
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

static void test_power_cut_processes(void **state)
{
	struct disk_image image = {0};
	process_count = mmap(NULL, sizeof(*process_count) * WRITERS, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(process_count != MAP_FAILED);
	power_record(*state, &image, power_processes);
	for (int i = 0; i < WRITERS; i++)
		assert_true(process_count[i] > 10);
	assert_int_equal(power_cuts(*state, &image, 400, image_check), 0);
	munmap((void *)process_count, sizeof(*process_count) * WRITERS);
}

/* ---- failing calls ---- */
static void check_count_between(struct meta_env *env, uint64_t least, uint64_t most)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span value;
	uint64_t got = 0;
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("w0"), &value), 0);
	memcpy(&got, value.ptr, 8);
	gml_meta_read_end(txn);
	assert_in_range(got, least, most);
}

static void check_count(struct meta_env *env, uint64_t want)
{
	check_count_between(env, want, want);
}

/* The same if everybody died now: the record of what failed must not come back. */
static void check_twin(struct meta_env *env, uint64_t want)
{
	struct meta_env *control = disk_control(env);
	assert_int_equal(gml_meta_open(control->dir, &control->opt, &control->meta), 0);
	check_count(control, want);
	meta_env_free(control);
}

/* Each write in turn finds the disk full, or fills it half-way: the update fails with that, and the
 * next one finds the store in order. */
static void test_disk_full(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	int failures = 0;
	meta_env_update(env, writer_put, &writer);
	disk_watch(env);
	disk->fail_call = CALL_PAGES;
	for (int n = 2; n < 20; n++) {
		int rc;
		disk->fail_errno = n % 2 == 0 ? ENOSPC : 0;
		disk->fail_in = n / 2;
		disk->failed = 0;
		writer.count++;
		rc = gml_meta_update(env->meta, writer_put, &writer);
		disk->fail_in = 0;
		assert_int_equal(rc, disk->failed ? GML_ERR_NOSPC : 0);
		failures += disk->failed;
		check_count(env, disk->failed ? writer.count - 1 : writer.count);
		check_twin(env, disk->failed ? writer.count - 1 : writer.count);
		meta_env_update(env, writer_put, &writer);
		check_count(env, writer.count);
	}
	assert_true(failures > 0);
	meta_env_reopen(env);
	check_count(env, writer.count);
	disk_forget();
}

/* After a meta page that could not be written LMDB gives the environment up: every call fails until
 * the store is opened anew. */
static void test_meta_page_fails(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	disk_watch(env);
	meta_env_update(env, writer_put, &writer);
	disk->fail_errno = EIO;
	disk->fail_call = CALL_META;
	disk->fail_in = 1;
	writer.count = 2;
	assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
	assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
	disk_unwatch();
	meta_env_reopen(env); /* what an IO error left behind nobody promised */
	check_count_between(env, 1, 2);
	meta_env_update(env, writer_put, &writer);
	check_count(env, 2);
	disk_forget();
}

/* The log's flush in a commit; data.mdb's in a checkpoint. The kernel reports a lost page once;
 * another try would succeed and prove nothing. */
static void test_flush_fails(void **state)
{
	struct meta_env *env = *state;
	static const enum disk_call calls[] = {CALL_LOG_FLUSH, CALL_FLUSH, CALL_TRICKLE};
	struct writer writer = {.env = env};
	gml_checkpoint_pages = 1;
	for (int n = 0; n < 3; n++) {
		int rc = 0;
		disk_watch(env);
		writer.count = 1;
		meta_env_update(env, writer_put, &writer);
		disk->fail_errno = n == 1 ? ENOSPC : EIO;
		disk->fail_call = calls[n];
		disk->fail_in = 1;
		writer.count = 2;
		for (int i = 0; rc == 0 && i < 10000; i++) /* the checkpoint comes when it comes */
			rc = gml_meta_update(env->meta, writer_put, &writer);
		assert_int_equal(rc, GML_ERR_IO);
		assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
		assert_int_equal(gml_meta_update_relaxed(env->meta, writer_put, &writer),
				 GML_ERR_IO);
		check_count_between(env, 1, 2); /* reading goes on */
		disk_unwatch();
		meta_env_reopen(env);
		meta_env_update(env, writer_put, &writer);
		check_count(env, 2);
	}
	gml_checkpoint_pages = CHECKPOINT_PAGES;
	disk_forget();
}

/* ---- whose change failed ---- */
#define NAMED 4

struct named {
	struct meta_env *env;
	pthread_t thread;
	struct gml_op op;
	char line[GML_LOG_LINE];
	int lines, rc;
};

static void named_log(void *arg, enum gml_log_level level, const char *line)
{
	struct named *named = arg;
	assert_int_equal(level, GML_LOG_ERROR);
	snprintf(named->line, sizeof(named->line), "%s", line);
	named->lines++;
}

static int named_put(struct gml_txn *txn, void *arg)
{
	struct named *named = arg;
	gml_txn_serve(txn, &named->op);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR(named->op.request_id), STR("put"));
}

static void *named_run(void *arg)
{
	struct named *named = arg;
	named->rc = gml_meta_update(named->env->meta, named_put, named);
	return NULL;
}

/* Requests whose closures share a failed commit are named, each in its own log. */
static void named_all(struct meta_env *env, enum gml_err want)
{
	struct named named[NAMED];
	char line[GML_LOG_LINE];
	int lines = 0;
	memset(named, 0, sizeof(named));
	for (int i = 0; i < NAMED; i++) {
		named[i].env = env;
		named[i].op.log = named_log;
		named[i].op.log_arg = &named[i];
		snprintf(named[i].op.request_id, sizeof(named[i].op.request_id), "REQUEST%d", i);
		assert_int_equal(pthread_create(&named[i].thread, NULL, named_run, &named[i]), 0);
	}
	for (int i = 0; i < NAMED; i++) {
		pthread_join(named[i].thread, NULL);
		snprintf(line, sizeof(line), "request REQUEST%d: a change was not committed: %s", i,
			 gml_err_text(want));
		if (named[i].lines > 0) /* else it came when nothing was accepted any more */
			assert_string_equal(named[i].line, line);
		assert_int_equal(named[i].rc, want);
		lines += named[i].lines;
	}
	assert_in_range(lines, 1, NAMED);
}

static void test_failures_are_named(void **state)
{
	struct meta_env *env = *state;
	struct named one = {.env = env, .op = {.request_id = "ONE", .log = named_log}};
	one.op.log_arg = &one;
	disk_watch(env);
	meta_env_update(env, named_put, &one);
	assert_int_equal(one.lines, 0);
	disk->fail_call = CALL_PAGES;
	disk->fail_errno = ENOSPC;
	disk->fail_in = 1;
	assert_int_equal(gml_meta_update(env->meta, named_put, &one), GML_ERR_NOSPC);
	assert_string_equal(one.line,
			    "request ONE: a change was not committed: no space left in the store");
	disk->fail_in = 0;
	disk->fail_call = CALL_LOG_FLUSH;
	disk->fail_errno = EIO;
	disk->fail_in = 1;
	named_all(env, GML_ERR_IO);
	disk_unwatch();
	disk_forget();
}

/* A writer is killed after its commit is written and before it is announced to the others: by the
 * barrier at the latest they see it, and the log goes on behind it. */
static void kill_writer_at(struct meta_env *env, enum disk_call call, bool after)
{
	struct writer writer = {.env = env, .count = 1};
	int ready[2], status;
	char byte = 'r';
	pid_t pid;
	meta_env_update(env, writer_put, &writer);
	gml_meta_close(env->meta);
	env->meta = NULL;
	disk_watch(env);
	disk->die_call = call;
	disk->die_after = after;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0 ||
		    read(ready[0], &byte, 1) != 1)
			_exit(1);
		disk->die_in = 1;
		writer.count = 2;
		gml_meta_update(env->meta, writer_put, &writer);
		_exit(1);
	}
	meta_env_reopen(env); /* this one lives on */
	assert_int_equal(write(ready[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(ready[0]);
	close(ready[1]);
}

static void test_killed_before_announcing(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .number = 1, .count = 1};
	kill_writer_at(env, CALL_META, true);
	assert_int_equal(gml_meta_refresh(env->meta), 0);
	check_count(env, 2); /* without the barrier: 1, until somebody writes */
	check_twin(env, 2);
	meta_env_update(env, writer_put, &writer);
	check_twin(env, 2);
	disk_forget();
}

/* A writer is killed when its record is written and nothing is committed. Once the barrier has said
 * that it is not there, nothing may bring it back: what it refers to may have been removed
 * meanwhile. */
static void test_killed_before_commit(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .number = 1, .count = 1};
	kill_writer_at(env, CALL_RECORD, true);
	assert_int_equal(gml_meta_refresh(env->meta), 0);
	check_count(env, 1);
	check_twin(env, 1);
	meta_env_update(env, writer_put, &writer);
	check_twin(env, 1);
	disk_forget();
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_power_cut),
		WITH_STORE(test_power_cut_relaxed),
		WITH_STORE(test_power_cut_voters),
		WITH_STORE(test_disk_full),
		WITH_STORE(test_meta_page_fails),
		WITH_STORE(test_flush_fails),
		WITH_STORE(test_failures_are_named),
		WITH_STORE(test_killed_before_announcing),
		WITH_STORE(test_killed_before_commit),
		WITH_STORE(test_power_cut_processes),
	};
	alarm(120);
	gml_redo_size = 64 << 10; /* the ring comes round, and checkpoints are many */
	gml_checkpoint_pages = CHECKPOINT_PAGES;
	return cmocka_run_group_tests_name("meta_crash", tests, NULL, NULL);
}
