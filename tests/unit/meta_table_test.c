// SPDX-License-Identifier: Apache-2.0
/* Tables are made with their first row: by other processes, under open snapshots and cursors, in
 * batches that fail, by the replay of the log, and by many at once. */
#include "meta_support.h"
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "gateway/meta/lmdb/lmdb_internal.h"

struct row {
	enum gml_table table;
	int rc; /* what the closure returns behind the put */
};

static int put_row(struct gml_txn *txn, void *arg)
{
	const struct row *row = arg;
	int rc = gml_txn_put(txn, row->table, STR("first"), STR("row"));
	return rc != 0 ? rc : row->rc;
}

static int del_row(struct gml_txn *txn, void *arg)
{
	return gml_txn_del(txn, ((const struct row *)arg)->table, STR("first"));
}

static void put(struct meta_env *env, enum gml_table table)
{
	meta_env_update(env, put_row, &(struct row){.table = table});
}

/* As a reader meets it: all calls must agree. */
static bool has(struct gml_txn *txn, enum gml_table table)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint64_t count;
	int rc = gml_txn_get(txn, table, STR("first"), &value);
	assert_true(rc == 0 || rc == GML_ERR_NOENT);
	assert_int_equal(gml_txn_count(txn, table, &count), 0);
	assert_int_equal(count, rc == 0);
	assert_int_equal(gml_cursor_open(txn, table, &cursor), 0);
	assert_int_equal(gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value), rc);
	assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
	assert_int_equal(gml_cursor_before(cursor, STR("last"), &key, &value), rc);
	gml_cursor_close(cursor);
	return rc == 0;
}

static bool env_has(struct meta_env *env, enum gml_table table)
{
	struct gml_txn *txn = meta_env_read(env);
	bool is = has(txn, table);
	gml_meta_read_end(txn);
	return is;
}

static int tables(struct meta_env *env)
{
	return __builtin_popcountll(atomic_load(&gml_lmdb_of(env->meta)->tables.open));
}

static void test_made_with_the_first_row(void **state)
{
	struct meta_env *env = *state;
	assert_int_equal(tables(env), 1); /* SUPER */
	for (int i = GML_TABLE_SUPER + 1; i < GML_TABLE_COUNT_; i++) {
		struct row row = {.table = i};
		assert_false(env_has(env, i));
		assert_int_equal(gml_meta_update(env->meta, del_row, &row), GML_ERR_NOENT);
		assert_int_equal(tables(env), i);
		put(env, i);
		assert_int_equal(tables(env), i + 1);
		assert_true(env_has(env, i));
	}
	meta_env_reopen(env);
	for (int i = GML_TABLE_SUPER + 1; i < GML_TABLE_COUNT_; i++)
		assert_true(env_has(env, i));
}

/* A snapshot that is older than a table goes on without it; so does a transaction of the pool that
 * has cursors from before. */
static void test_older_snapshots(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *before = meta_env_read(env), *after;
	assert_false(has(before, GML_TABLE_LINK));
	put(env, GML_TABLE_LINK);
	put(env, GML_TABLE_VIEW);
	after = meta_env_read(env);
	assert_false(has(before, GML_TABLE_LINK));
	assert_false(has(before, GML_TABLE_VIEW));
	assert_true(has(after, GML_TABLE_LINK));
	assert_false(has(after, GML_TABLE_SUM));
	gml_meta_read_end(before);
	gml_meta_read_end(after);
	assert_true(env_has(env, GML_TABLE_LINK));
	assert_true(env_has(env, GML_TABLE_VIEW));
}

/* ---- cursors in the closure that makes the table ---- */
static int cursor_before_table(struct gml_txn *txn, void *arg)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	(void)arg;
	CLOSURE_CHECK(gml_cursor_open(txn, GML_TABLE_SUM, &cursor) == 0);
	CLOSURE_CHECK(gml_cursor_seek(cursor, STR("a"), &key, &value) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_cursor_next(cursor, &key, &value) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_cursor_before(cursor, STR("z"), &key, &value) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_SUM, STR("b"), STR("1")) == 0);
	CLOSURE_CHECK(gml_cursor_next(cursor, &key, &value) == GML_ERR_NOENT); /* no position */
	CLOSURE_CHECK(gml_cursor_seek(cursor, STR("a"), &key, &value) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_SUM, STR("c"), STR("2")) == 0);
	CLOSURE_CHECK(gml_cursor_next(cursor, &key, &value) == 0 && memcmp(key.ptr, "c", 1) == 0);
	CLOSURE_CHECK(gml_cursor_before(cursor, STR("c"), &key, &value) == 0 &&
		      memcmp(key.ptr, "b", 1) == 0);
	gml_cursor_close(cursor);
	return 0;
}

static void test_cursor_before_table(void **state)
{
	struct meta_env *env = *state;
	meta_env_update(env, cursor_before_table, NULL);
}

/* ---- batches that fail ---- */
static void test_failed_closure(void **state)
{
	struct meta_env *env = *state;
	struct row spoilt = {GML_TABLE_TIER, GML_ERR_CORRUPT};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gml_meta_update(env->meta, put_row, &spoilt), GML_ERR_CORRUPT);
		assert_int_equal(tables(env), 1 + i);
		assert_false(env_has(env, GML_TABLE_TIER));
		put(env, GML_TABLE_VIEW + i); /* takes the handle that was given back */
		assert_true(env_has(env, GML_TABLE_VIEW + i));
	}
	put(env, GML_TABLE_TIER);
	assert_true(env_has(env, GML_TABLE_TIER));
	assert_true(env_has(env, GML_TABLE_VIEW));
}

static int fill_up(struct gml_txn *txn, void *arg)
{
	static uint8_t value[3 << 20];
	int rc = gml_txn_put(txn, GML_TABLE_DEAD, STR("first"), STR("row"));
	(void)arg;
	for (int i = 0; rc == 0; i++)
		rc = gml_txn_put(txn, GML_TABLE_DEAD, SPAN(&i, sizeof(i)),
				 SPAN(value, sizeof(value)));
	return rc;
}

static void test_full(void **state)
{
	struct meta_env *env = *state;
	assert_int_equal(gml_meta_update(env->meta, fill_up, NULL), GML_ERR_NOSPC);
	assert_int_equal(tables(env), 1);
	put(env, GML_TABLE_CURSOR);
	assert_false(env_has(env, GML_TABLE_DEAD));
	assert_true(env_has(env, GML_TABLE_CURSOR));
}

/* ---- other processes ---- */
struct peer {
	pid_t pid;
	int to, from; /* pipes: the number of a table; its answer */
};

static void peer_serve(struct meta_env *env, int in, int out)
{
	struct row row = {0};
	char table;
	if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
		_exit(2);
	while (read(in, &table, 1) == 1) {
		char answer;
		row.table = table & 0x7f;
		if (table & 0x80)
			answer = gml_meta_update(env->meta, put_row, &row) == 0;
		else
			answer = env_has(env, row.table);
		if (write(out, &answer, 1) != 1)
			_exit(3);
	}
	_exit(0); /* as if it were killed: nothing is closed */
}

static struct peer peer_new(struct meta_env *env)
{
	int to[2], from[2];
	struct peer peer;
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	peer.pid = fork();
	assert_true(peer.pid >= 0);
	if (peer.pid == 0) {
		close(to[1]);
		close(from[0]);
		peer_serve(env, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	peer.to = to[1];
	peer.from = from[0];
	return peer;
}

static char peer_ask(const struct peer *peer, int table, bool make)
{
	char ask = (char)(table | (make ? 0x80 : 0)), answer;
	assert_int_equal(write(peer->to, &ask, 1), 1);
	assert_int_equal(read(peer->from, &answer, 1), 1);
	return answer;
}

static void peer_end(const struct peer *peer)
{
	int status;
	close(peer->to);
	close(peer->from);
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	assert_int_equal(status, 0);
}

/* Each makes tables in turn, and sees at once what the other made; then both are gone without
 * closing, and a third finds all of them by replaying the log. */
static void test_processes(void **state)
{
	struct meta_env *env = *state;
	struct peer a, b;
	gml_meta_close(env->meta);
	env->meta = NULL;
	a = peer_new(env);
	b = peer_new(env); /* it has the pipes of a as well, so it ends first */
	for (int i = GML_TABLE_SUPER + 1; i < GML_TABLE_COUNT_; i++) {
		const struct peer *maker = i % 3 == 0 ? &a : &b, *other = i % 3 == 0 ? &b : &a;
		assert_int_equal(peer_ask(other, i, false), 0);
		assert_int_equal(peer_ask(maker, i, true), 1);
		assert_int_equal(peer_ask(other, i, false), 1);
		assert_int_equal(peer_ask(maker, i, false), 1);
	}
	peer_end(&b);
	peer_end(&a);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	for (int i = GML_TABLE_SUPER + 1; i < GML_TABLE_COUNT_; i++)
		assert_true(env_has(env, i));
	assert_int_equal(env->log_errors, 0);
}

/* ---- many at once ---- */
/* Each change notes its table in table SUPER, in the same transaction: a snapshot that has the note
 * has the row. */
static int put_and_note(struct gml_txn *txn, void *arg)
{
	const struct row *row = arg;
	uint8_t key[2] = {0x77, (uint8_t)row->table};
	int rc = gml_txn_put(txn, GML_TABLE_SUPER, SPAN(key, 2), STR(""));
	return rc != 0 ? rc : gml_txn_put(txn, row->table, STR("first"), STR("row"));
}

/* -1: a snapshot is not one; else the tables in it. */
static int noted(struct meta_env *env)
{
	struct gml_txn *txn;
	struct gml_span value;
	int n = 0;
	if (gml_meta_read_begin(env->meta, &txn) != 0)
		return -1;
	for (int i = GML_TABLE_SUPER + 1; n >= 0 && i < GML_TABLE_COUNT_; i++) {
		uint8_t key[2] = {0x77, (uint8_t)i};
		int note = gml_txn_get(txn, GML_TABLE_SUPER, SPAN(key, 2), &value);
		int rc = gml_txn_get(txn, i, STR("first"), &value);
		n = rc != note ? -1 : n + (rc == 0);
	}
	gml_meta_read_end(txn);
	return n;
}

struct racer {
	struct meta_env *env;
	pthread_t thread;
	uint64_t seed;
	bool writes, failed;
};

static void *race_run(void *arg)
{
	struct racer *racer = arg;
	int last = 0;
	while (!racer->failed && last < GML_TABLE_COUNT_ - 1) {
		int n;
		struct row row = {.table = 1 + meta_random(&racer->seed) % (GML_TABLE_COUNT_ - 1)};
		if (racer->writes &&
		    gml_meta_update_relaxed(racer->env->meta, put_and_note, &row) != 0)
			racer->failed = true;
		n = noted(racer->env);
		racer->failed = racer->failed || n < last;
		last = n;
	}
	return NULL;
}

static bool race(struct meta_env *env, uint64_t seed)
{
	struct racer racer[6];
	bool failed = false;
	for (int i = 0; i < 6; i++) {
		racer[i] = (struct racer){env, 0, seed * 6 + i + 1, i < 2, false};
		if (pthread_create(&racer[i].thread, NULL, race_run, &racer[i]) != 0)
			return false;
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(racer[i].thread, NULL);
		failed = failed || racer[i].failed;
	}
	return !failed;
}

static void race_round(int round)
{
	struct meta_env *env = meta_env_new(64 << 20);
	pid_t pid[2];
	gml_meta_close(env->meta);
	env->meta = NULL;
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
				_exit(2);
			if (!race(env, 3 * round + i))
				_exit(1);
			gml_meta_close(env->meta);
			_exit(env->log_errors);
		}
	}
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	assert_true(race(env, 3 * round + 2));
	for (int i = 0; i < 2; i++) {
		int status;
		waitpid(pid[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(env->log_errors, 0);
	meta_env_free(env);
}

static void test_race(void **state)
{
	(void)state;
#ifdef META_SANITIZED
	enum { ROUNDS = 3 };
#else
	enum { ROUNDS = 20 };
#endif
	for (int round = 0; round < ROUNDS; round++)
		race_round(round);
}

/* ---- a table that is none of ours ---- */
static void test_unknown_table(void **state)
{
	struct meta_env *env = *state;
	MDB_env *mdb = gml_lmdb_of(env->meta)->env;
	struct gml_txn *txn;
	struct row row = {.table = GML_TABLE_LINK};
	MDB_dbi dbi;
	MDB_txn *raw;
	assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &raw), 0);
	assert_int_equal(mdb_dbi_open(raw, "STRANGER", MDB_CREATE, &dbi), 0);
	assert_int_equal(mdb_txn_commit(raw), 0);
	assert_int_equal(gml_meta_read_begin(env->meta, &txn), GML_ERR_CORRUPT);
	assert_int_equal(gml_meta_update(env->meta, put_row, &row), GML_ERR_CORRUPT);
	assert_true(env->log_errors > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_with_the_first_row, meta_env_setup,
						meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_older_snapshots, meta_env_setup,
						meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_cursor_before_table, meta_env_setup,
						meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_failed_closure, meta_env_setup,
						meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_full, meta_env_setup, meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_processes, meta_env_setup, meta_env_teardown),
		cmocka_unit_test(test_race),
		cmocka_unit_test_setup_teardown(test_unknown_table, meta_env_setup,
						meta_env_teardown),
	};
	alarm(300); /* a lost wake-up shows as a failure, not as a hang */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
