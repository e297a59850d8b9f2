/* The engine: creation and refusal, values, cursors, snapshots. Group commit is meta_commit_test.c. */
#include "meta_support.h"
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "gateway/meta/lmdb/lmdb_internal.h"
#include "gateway/meta/errmap.h"

static void test_create(void **state)
{
	struct meta_env *env = *state;
	uint8_t other[16] = {9};
	struct gml_meta *second;
	assert_int_equal(gml_meta_uuid(env->meta)[15], 16);
	assert_int_equal(gml_meta_create(env->dir, other, &env->opt), GML_ERR_EXIST);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &second), GML_ERR_BUSY);
	assert_null(second);
	assert_int_equal(gml_meta_open("/tmp/gemel-meta-none", &env->opt, &second), GML_ERR_NOENT);
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(gml_meta_create(env->dir, other, &env->opt), GML_ERR_EXIST);
	meta_env_reopen(env);
	assert_int_equal(gml_meta_uuid(env->meta)[15], 16);
	assert_int_equal(env->log_errors, 0);
}

static int put_format(struct gml_txn *txn, void *arg)
{
	uint8_t key = GML_SUPER_FORMAT;
	return gml_txn_put(txn, GML_TABLE_SUPER, SPAN(&key, 1), *(struct gml_span *)arg);
}

static void test_format_refused(void **state)
{
	struct meta_env *env = *state;
	struct gml_span newer = SPAN("\3\0\0\0new layout", 14);
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

static int put_values(struct gml_txn *txn, void *arg)
{
	struct gml_span value;
	uint8_t big[511];
	(void)arg;
	memset(big, 0xff, sizeof(big));
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("a"), STR("1")) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("b"), SPAN("", 0)) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(big, 511), STR("last")) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(big, 512), STR("x")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(big, 0), STR("x")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("c"), SPAN(big, (4 << 20) + 1)) == GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, STR("zz")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &value) == 0 && value.len == 1);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("a"), STR("22")) == 0);
	return 0;
}

static void test_values(void **state)
{
	struct meta_env *env = *state;
	struct gml_span key, value;
	struct gml_cursor *cursor;
	struct gml_txn *txn;
	uint64_t count;
	meta_env_update(env, put_values, NULL);
	meta_env_reopen(env);
	txn = meta_env_read(env);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &value), 0);
	assert_int_equal(value.len, 2);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("b"), &value), 0);
	assert_int_equal(value.len, 0);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("c"), &value), GML_ERR_NOENT);
	assert_int_equal(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("c"), STR("x")), GML_ERR_INVAL);
	assert_int_equal(gml_txn_count(txn, GML_TABLE_JOURNAL, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor), 0);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_seek(cursor, STR("aa"), &key, &value), 0);
	assert_memory_equal(key.ptr, "b", 1);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), 0);
	assert_int_equal(key.len, 511);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_before(cursor, STR("b"), &key, &value), 0);
	assert_memory_equal(key.ptr, "a", 1);
	assert_int_equal(gml_cursor_before(cursor, STR("a"), &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_before(cursor, STR("c"), &key, &value), 0);
	assert_memory_equal(key.ptr, "b", 1);
	assert_int_equal(gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value), 0);
	assert_memory_equal(key.ptr, "a", 1);
	gml_cursor_close(cursor);
	/* A cursor of an earlier snapshot is reused: it must see the new one. */
	gml_meta_read_end(txn);
	txn = meta_env_read(env);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor), 0);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_before(cursor, STR("z"), &key, &value), 0);
	assert_memory_equal(key.ptr, "b", 1);
	gml_cursor_close(cursor);
	gml_meta_read_end(txn);
}

/* next goes on at the right place whatever was put or deleted meanwhile, its own entry included. */
static int walk_and_delete(struct gml_txn *txn, void *arg)
{
	struct gml_span key, value;
	struct gml_cursor *cursor;
	int seen = 0, rc;
	char name[16];
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "k%06d", i);
		CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR(name), STR("some value to fill pages")) == 0);
	}
	CLOSURE_CHECK(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor) == 0);
	for (rc = gml_cursor_seek(cursor, STR("k"), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		char current[16] = {0};
		memcpy(current, key.ptr, key.len);
		snprintf(name, sizeof(name), "k%06d", seen);
		CLOSURE_CHECK(strcmp(current, name) == 0);
		if (seen % 3 != 0)
			CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, STR(current)) == 0);
		if (seen % 7 == 0)
			CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("a-before"), STR(current)) == 0);
		seen++;
	}
	gml_cursor_close(cursor);
	*(int *)arg = seen;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static void test_cursor_while_writing(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn;
	uint64_t count;
	int seen = 0;
	meta_env_update(env, walk_and_delete, &seen);
	assert_int_equal(seen, 5000);
	txn = meta_env_read(env);
	assert_int_equal(gml_txn_count(txn, GML_TABLE_JOURNAL, &count), 0);
	assert_int_equal(count, 1667 + 1);
	gml_meta_read_end(txn);
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

static void test_snapshot(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *old, *young;
	int one = 1, two = 2;
	meta_env_update(env, put_number, &one);
	old = meta_env_read(env);
	meta_env_update(env, put_number, &two);
	young = meta_env_read(env);
	assert_int_equal(get_number(old), 1);
	assert_int_equal(get_number(young), 2);
	assert_int_equal(gml_txn_seq(young), gml_txn_seq(old) + 1);
	gml_meta_read_end(old);
	gml_meta_read_end(young);
	gml_meta_read_end(NULL);
}

struct ids {
	uint64_t first, second;
	int rc;
};

static int take_ids(struct gml_txn *txn, void *arg)
{
	struct ids *ids = arg;
	ids->first = gml_txn_next_id(txn);
	ids->second = gml_txn_next_id(txn);
	return ids->rc;
}

static void test_ids(void **state)
{
	struct meta_env *env = *state;
	struct ids a = {0}, b = {0};
	meta_env_update(env, take_ids, &a);
	assert_int_equal(a.first, 2); /* 1 is the root */
	assert_int_equal(a.second, 3);
	meta_env_reopen(env);
	meta_env_update(env, take_ids, &b);
	assert_int_equal(b.first, 4);
	b.rc = GML_ERR_EXIST;
	assert_int_equal(gml_meta_update(env->meta, take_ids, &b), GML_ERR_EXIST);
	b.rc = 0;
	meta_env_update(env, take_ids, &b);
	assert_true(b.first >= 6);
}

/* More read transactions at once than parking slots, and again from the pool. */
static void test_many_readers(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn[GML_META_READ_SLOTS + 50];
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
	assert_true(stats.map_size >= 64 << 20);
	assert_true(stats.map_used > 0 && stats.map_used < stats.map_size);
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
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0 || gml_meta_read_begin(env->meta, &txn) != 0)
			_exit(1);
		byte = 'r';
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(gml_meta_clear_readers(env->meta), 0);
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
	env->opt.map_size = 256 << 20;
	meta_env_reopen(env);
	meta_env_update(env, put_number, &number);
	env->opt.map_size = 0;
	meta_env_reopen(env);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.map_size, 256 << 20);
	env->opt.map_size = 1 << 20; /* smaller than recorded: the record wins */
	meta_env_reopen(env);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.map_size, 256 << 20);
}

static void test_default_map(void **state)
{
	struct meta_env *env = meta_env_new(0);
	struct gml_meta_stats stats;
	(void)state;
	gml_meta_stats_get(env->meta, &stats);
	assert_true(stats.map_size >= (uint64_t)1 << 30);
	meta_env_free(env);
}

/* Where a terabyte of addresses is refused, the store is made with what can be had, and opens with it. */
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
		_exit(rc != 0 || stats.map_size > limit.rlim_cur || stats.map_size < 1 << 30);
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
		assert_true(gml_err_map(code) > 0 && gml_err_map(code) < GML_ERR_COUNT_);
	for (int code = MDB_KEYEXIST; code <= MDB_LAST_ERRCODE; code++)
		assert_true(gml_err_map(code) > 0 && gml_err_map(code) < GML_ERR_COUNT_);
	assert_int_equal(gml_err_map(ENOSPC), GML_ERR_NOSPC);
	assert_int_equal(gml_err_map(MDB_MAP_FULL), GML_ERR_NOSPC);
	assert_int_equal(gml_err_map(MDB_NOTFOUND), GML_ERR_NOENT);
	assert_int_equal(gml_err_map(-1), GML_ERR_IO);
	for (int rc = 0; rc < GML_ERR_COUNT_; rc++)
		assert_true(strlen(gml_err_name(rc)) > 0 && strcmp(gml_err_text(rc), "unknown error") != 0);
	assert_string_equal(gml_err_name(-5), "UNKNOWN");
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_create),
		WITH_STORE(test_format_refused),
		WITH_STORE(test_format_cut),
		WITH_STORE(test_not_lmdb),
		WITH_STORE(test_values),
		WITH_STORE(test_cursor_while_writing),
		WITH_STORE(test_snapshot),
		WITH_STORE(test_ids),
		WITH_STORE(test_many_readers),
		WITH_STORE(test_reader_threads),
		WITH_STORE(test_stale_reader),
		WITH_STORE(test_map_grows),
		WITH_STORE(test_log_limit),
		cmocka_unit_test(test_default_map),
		cmocka_unit_test(test_small_address_space),
		cmocka_unit_test(test_errmap),
	};
	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
