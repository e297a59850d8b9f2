// SPDX-License-Identifier: Apache-2.0
/* The engine over LMDB: its files, what it refuses to open, its readers and its map. The contract
 * is engine_test.c, group commit meta_commit_test.c. */
#include "child_support.h"
#include "meta_support.h"
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "gateway/meta/lmdb/lmdb_internal.h"
#include "gateway/base/errmap.h"

static int put_format(struct gml_txn *txn, void *arg)
{
	uint8_t key = GML_SUPER_FORMAT; /* the engine's own */
	return txn->engine->put(txn, GML_TABLE_SUPER, SPAN(&key, 1), *(struct gml_span *)arg);
}

static void test_format_refused(void **state)
{
	struct meta_env *env = *state;
	struct gml_span newer = SPAN("\4\0\0\0new layout", 14);
	meta_env_update(env, put_format, &newer);
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_FORMAT);
	assert_null(env->meta);
}

static void test_format_cut(void **state)
{
	struct meta_env *env = *state;
	struct gml_span cut = SPAN("\1\0", 2);
	meta_env_update(env, put_format, &cut);
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_CORRUPT);
}

static void test_not_lmdb(void **state)
{
	struct meta_env *env = *state;
	char path[96];
	FILE *file;
	gml_meta_close(env->meta);
	env->meta = NULL;
	snprintf(path, sizeof(path), "%s/data.mdb", env->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 20000; i++)
		fputs("not a store ", file);
	fclose(file);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_CORRUPT);
}

static int put_number(struct gml_txn *txn, void *arg)
{
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR("number"), SPAN(arg, sizeof(int)));
}

static int get_number(struct gml_txn *txn)
{
	struct gml_span value;
	int number;
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("number"), &value), 0);
	assert_int_equal(value.len, sizeof(number));
	memcpy(&number, value.ptr, sizeof(number));
	return number;
}

/* More read transactions at once than parking slots, and again from the pool. */
static void test_many_readers(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn[GML_LMDB_READ_SLOTS + 50];
	struct gml_meta_stats stats;
	int one = 1;
	meta_env_update(env, put_number, &one);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < sizeof(txn) / sizeof(*txn); i++)
			txn[i] = meta_env_read(env);
		for (unsigned i = 0; i < sizeof(txn) / sizeof(*txn); i++) {
			assert_int_equal(get_number(txn[i]), 1);
			gml_meta_read_end(txn[i]);
		}
	}
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.reads, 3 * sizeof(txn) / sizeof(*txn));
	assert_true(stats.capacity >= 64 << 20);
	assert_true(stats.used > 0 && stats.used < stats.capacity);
}

static void *reader_thread(void *arg)
{
	struct meta_env *env = arg;
	for (int i = 0; i < 20000; i++) {
		struct gml_txn *txn;
		struct gml_span value;
		if (gml_meta_read_begin(env->meta, &txn) != 0)
			return arg;
		if (gml_txn_get(txn, GML_TABLE_JOURNAL, STR("number"), &value) != 0)
			return arg;
		gml_meta_read_end(txn);
	}
	return NULL;
}

static void test_reader_threads(void **state)
{
	struct meta_env *env = *state;
	pthread_t thread[8];
	int number = 0;
	meta_env_update(env, put_number, &number);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader_thread, env), 0);
	for (number = 1; number < 50; number++)
		meta_env_update(env, put_number, &number);
	for (int i = 0; i < 8; i++) {
		void *bad;
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
}

/* A process killed in the middle of a read leaves a slot; it can be cleared. */
static void test_stale_reader(void **state)
{
	struct meta_env *env = *state;
	int ready[2], status;
	char byte;
	pid_t pid;
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct gml_txn *txn;
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0 ||
		    gml_meta_read_begin(env->meta, &txn) != 0)
			_exit(1);
		byte = 'r';
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		child_until_killed();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(gml_meta_housekeep(env->meta), 0);
	close(ready[0]);
	close(ready[1]);
}

/* A client that can provoke errors cannot fill the log. */
static void test_log_limit(void **state)
{
	struct meta_env *env = *state;
	for (int i = 0; i < 100000; i++)
		gml_meta_log(env->meta, GML_LOG_ERROR, "error %d", i);
	assert_true(env->log_errors >= 30 && env->log_errors < 1000);
}

static void test_map_grows(void **state)
{
	struct meta_env *env = *state;
	struct gml_meta_stats stats;
	int number = 7;
	env->opt.capacity = 256 << 20;
	meta_env_reopen(env);
	meta_env_update(env, put_number, &number);
	env->opt.capacity = 0;
	meta_env_reopen(env);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.capacity, 256 << 20);
	env->opt.capacity = 1 << 20; /* smaller than recorded: the record wins */
	meta_env_reopen(env);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.capacity, 256 << 20);
}

static void test_default_map(void **state)
{
	struct meta_env *env = meta_env_new(0);
	struct gml_meta_stats stats;
	(void)state;
	gml_meta_stats_get(env->meta, &stats);
	assert_true(stats.capacity >= (uint64_t)1 << 30);
	meta_env_free(env);
}

/* Where a terabyte of addresses is refused, the store is made with what can be had, and opens with
 * it. */
static void test_small_address_space(void **state)
{
#ifdef META_SANITIZED
	(void)state;
	skip(); /* sanitizers have taken more addresses than the limit leaves */
#else
	struct rlimit limit = {(rlim_t)64 << 30, (rlim_t)64 << 30};
	int status;
	pid_t pid;
	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct meta_env env = {.dir = "/tmp/gemel-meta-XXXXXX"};
		static const uint8_t uuid[16] = {1};
		struct gml_meta_stats stats = {0};
		int rc;
		if (setrlimit(RLIMIT_AS, &limit) != 0 || mkdtemp(env.dir) == NULL)
			_exit(1);
		rc = gml_meta_create(env.dir, uuid, &env.opt);
		if (rc == 0)
			rc = gml_meta_open(env.dir, &env.opt, &env.meta);
		if (rc == 0)
			gml_meta_stats_get(env.meta, &stats);
		meta_env_unlink(&env);
		rmdir(env.dir);
		_exit(rc != 0 || stats.capacity > limit.rlim_cur || stats.capacity < 1 << 30);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
#endif
}

static void test_errmap(void **state)
{
	(void)state;
	assert_int_equal(gml_err_map(0), 0);
	for (int code = 1; code < 140; code++)
		assert_true(gml_lmdb_err(code) > 0 && gml_lmdb_err(code) < GML_ERR_COUNT_);
	for (int code = MDB_KEYEXIST; code <= MDB_LAST_ERRCODE; code++)
		assert_true(gml_lmdb_err(code) > 0 && gml_lmdb_err(code) < GML_ERR_COUNT_);
	assert_int_equal(gml_err_map(ENOSPC), GML_ERR_NOSPC);
	assert_int_equal(gml_lmdb_err(MDB_MAP_FULL), GML_ERR_NOSPC);
	assert_int_equal(gml_lmdb_err(MDB_NOTFOUND), GML_ERR_NOENT);
	assert_int_equal(gml_lmdb_err(-1), GML_ERR_IO);
	for (int rc = 0; rc < GML_ERR_COUNT_; rc++)
		assert_true(strlen(gml_err_name(rc)) > 0 &&
			    strcmp(gml_err_text(rc), "unknown error") != 0);
	assert_string_equal(gml_err_name(-5), "UNKNOWN");
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_format_refused),    WITH_STORE(test_format_cut),
		WITH_STORE(test_not_lmdb),	    WITH_STORE(test_many_readers),
		WITH_STORE(test_reader_threads),    WITH_STORE(test_stale_reader),
		WITH_STORE(test_map_grows),	    WITH_STORE(test_log_limit),
		cmocka_unit_test(test_default_map), cmocka_unit_test(test_small_address_space),
		cmocka_unit_test(test_errmap),
	};
	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
