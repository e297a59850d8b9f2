// SPDX-License-Identifier: Apache-2.0
/* What every engine promises of changes: closures that fail, a full store, durability, what is done
 * before a commit, and our own bugs. One table of cases over every engine. */
#include "engine_support.h"
#include <pthread.h>
#include <semaphore.h>

/* ---- closures that fail ---- */
struct attempt {
	uint64_t id;
	int rc;
	bool writes, noted;
};

static int attempt_fn(struct gml_txn *txn, void *arg)
{
	struct attempt *attempt = arg;
	uint64_t *local = gml_txn_local(txn);
	for (size_t i = 0; i < GML_TXN_LOCAL / 8; i++)
		attempt->noted = attempt->noted || local[i] != 0;
	memset(local, 0x55, GML_TXN_LOCAL);
	attempt->id = gml_txn_next_id(txn);
	if (attempt->writes)
		gml_txn_put(txn, GML_TABLE_JOURNAL, STR("attempt"), STR("half"));
	return attempt->rc;
}

static void case_closure_fails(void **state)
{
	struct meta_env *env = *state;
	struct attempt good = {0}, refused = {.rc = GML_ERR_EXIST},
		       spoilt = {.rc = GML_ERR_PRECONDITION, .writes = true};
	struct gml_meta_stats before, after;
	meta_env_update(env, attempt_fn, &good);
	assert_int_equal(good.id, 2); /* 1 is the root */
	gml_meta_stats_get(env->meta, &before);
	assert_int_equal(gml_meta_update(env->meta, attempt_fn, &refused), GML_ERR_EXIST);
	assert_int_equal(env->log_errors, 0);
	engine_asserted = 0;
	gml_assert_hook = engine_count_assert;
	assert_int_equal(gml_meta_update(env->meta, attempt_fn, &spoilt), GML_ERR_PRECONDITION);
	gml_assert_hook = NULL;
	assert_int_equal(engine_asserted, 1); /* checked after it had written: a bug */
	assert_int_equal(env->log_errors, 1);
	gml_meta_stats_get(env->meta, &after);
	assert_int_equal(after.commits, before.commits);
	assert_true(engine_lacks(env, STR("attempt")));
	meta_env_update(env, attempt_fn, &good);
	assert_int_equal(good.id, 3); /* what failed gave its numbers back */
	assert_false(good.noted || refused.noted || spoilt.noted); /* each began with zeros */
	meta_env_reopen(env);
	meta_env_update(env, attempt_fn, &good);
	assert_true(good.id > 3);
}

/* ---- the memory of a closure ---- */
static int memory_fn(struct gml_txn *txn, void *arg)
{
	unsigned char *block[3];
	for (size_t i = 0; i < 3; i++) {
		block[i] = gml_txn_memory(txn, 1000 * i);
		if (block[i] == NULL || (uintptr_t)block[i] % _Alignof(max_align_t) != 0)
			return GML_ERR_NOMEM;
		memset(block[i], (int)i, 1000 * i);
	}
	if (block[1][999] != 1 || block[2][0] != 2 || gml_txn_memory(txn, SIZE_MAX) != NULL)
		return GML_ERR_CORRUPT;
	return *(int *)arg;
}

/* It is there until the closure returns, whatever that returns; the sanitizers see that it ends. */
static void case_memory(void **state)
{
	struct meta_env *env = *state;
	int rc = 0;
	assert_int_equal(gml_meta_update(env->meta, memory_fn, &rc), 0);
	rc = GML_ERR_EXIST;
	assert_int_equal(gml_meta_update(env->meta, memory_fn, &rc), GML_ERR_EXIST);
	rc = 0;
	assert_int_equal(gml_meta_update(env->meta, memory_fn, &rc), 0);
}

/* ---- a full store ---- */
static int ignores_error_fn(struct gml_txn *txn, void *arg)
{
	char key[16];
	int rc = 0;
	for (int i = 0; rc == 0; i++) {
		snprintf(key, sizeof(key), "h%d", i);
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(arg, 3 << 20));
	}
	return 0;
}

/* Full is full, also for a closure that does not look; the store goes on. */
static void case_full(void **state)
{
	struct meta_env *env = *state;
	void *value = calloc(1, 3 << 20);
	assert_non_null(value);
	assert_int_equal(gml_meta_update(env->meta, ignores_error_fn, value), GML_ERR_NOSPC);
	assert_true(engine_lacks(env, STR("h0")));
	engine_put(env, STR("after"), STR("1"));
	meta_env_reopen(env);
	assert_true(engine_has(env, STR("after"), STR("1")));
	free(value);
}

static int grow_until_full(struct meta_env *env)
{
	static const uint8_t value[30000];
	int n = 0, rc;
	for (;; n++) {
		char name[16];
		struct engine_put put = {.value = SPAN(value, sizeof(value))};
		snprintf(name, sizeof(name), "n%06d", n);
		put.key = STR(name);
		rc = gml_meta_update_relaxed(env->meta, engine_put_fn, &put);
		if (rc != 0)
			break;
		assert_true(n < 1000000);
	}
	assert_int_equal(rc, GML_ERR_NOSPC);
	return n;
}

/* A full store can be emptied, entry by entry, and filled again. */
static void case_full_is_emptied(void **state)
{
	struct meta_env *env = *state;
	static const uint8_t larger[50000];
	int most;
	engine_put(env, STR("first"), STR("1"));
	assert_false(gml_meta_is_short(env->meta));
	most = grow_until_full(env);
	assert_true(most > 500);
	assert_true(gml_meta_is_short(env->meta));
	for (int i = 0; i < 20; i++) { /* what leaves no more entries than before may still grow */
		char name[16];
		snprintf(name, sizeof(name), "n%06d", i);
		engine_put(env, STR(name), SPAN(larger, sizeof(larger)));
	}
	for (int i = 0; i < most; i++) {
		char name[16];
		struct gml_span key;
		snprintf(name, sizeof(name), "n%06d", i);
		key = STR(name);
		assert_int_equal(gml_meta_update_relaxed(env->meta, engine_del_fn, &key), 0);
	}
	assert_in_range(grow_until_full(env), most / 2, 2 * most);
}

/* ---- durability, presync ---- */
static void case_votes(void **state)
{
	struct meta_env *env = *state;
	char name[2] = "a";
	for (int i = 0; i < 8; i++, name[0]++) {
		struct engine_put put = {STR(name), STR("v"), i & 1, i & 2};
		assert_int_equal(i & 4 ? gml_meta_update_relaxed(env->meta, engine_put_fn, &put)
				       : gml_meta_update(env->meta, engine_put_fn, &put),
				 0);
		assert_true(engine_has(env, STR(name),
				       STR("v"))); /* visible at once, however durable */
	}
	assert_int_equal(gml_meta_flush(env->meta), 0);
	meta_env_reopen(env);
	for (name[0] = 'a'; name[0] < 'a' + 8; name[0]++)
		assert_true(engine_has(env, STR(name), STR("v")));
}

struct presync {
	int calls, rc;
};

static int presync_call(void *arg)
{
	struct presync *presync = arg;
	presync->calls++;
	return presync->rc;
}

static void case_presync(void **state)
{
	struct meta_env *env = *state;
	struct presync presync = {0};
	struct engine_put put = {STR("n"), STR("2"), false, false};
	env->opt.presync = presync_call;
	env->opt.presync_arg = &presync;
	meta_env_reopen(env);
	engine_put(env, STR("n"), STR("1"));
	assert_int_equal(presync.calls, 1);
	presync.rc = GML_ERR_NOSPC; /* what the closure would refer to is not safe: nothing may be
				       stored */
	assert_int_equal(gml_meta_update(env->meta, engine_put_fn, &put), GML_ERR_NOSPC);
	assert_true(engine_has(env, STR("n"), STR("1")));
	presync.rc = 0;
	meta_env_update(env, engine_put_fn, &put);
	assert_true(engine_has(env, STR("n"), STR("2")));
}

/* ---- readers and a writer that takes its time ---- */
struct slow {
	struct meta_env *env;
	sem_t entered, go;
	int rc;
};

static int slow_fn(struct gml_txn *txn, void *arg)
{
	struct slow *slow = arg;
	int rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR("n"), STR("2"));
	sem_post(&slow->entered);
	while (sem_wait(&slow->go) != 0)
		;
	return rc;
}

static void *slow_run(void *arg)
{
	struct slow *slow = arg;
	slow->rc = gml_meta_update(slow->env->meta, slow_fn, slow);
	return NULL;
}

static void case_readers_do_not_wait(void **state)
{
	struct meta_env *env = *state;
	struct slow slow = {.env = env};
	pthread_t thread;
	sem_init(&slow.entered, 0, 0);
	sem_init(&slow.go, 0, 0);
	engine_put(env, STR("n"), STR("1"));
	assert_int_equal(pthread_create(&thread, NULL, slow_run, &slow), 0);
	while (sem_wait(&slow.entered) != 0)
		;
	for (int i = 0; i < 1000; i++) /* the writer has written, and stays until these are done */
		assert_true(engine_has(env, STR("n"), STR("1")));
	sem_post(&slow.go);
	pthread_join(thread, NULL);
	assert_int_equal(slow.rc, 0);
	assert_true(engine_has(env, STR("n"), STR("2")));
	sem_destroy(&slow.entered);
	sem_destroy(&slow.go);
}

/* ---- our own bugs ---- */
static int leave_cursor_fn(struct gml_txn *txn, void *arg)
{
	return gml_cursor_open(txn, GML_TABLE_JOURNAL, arg);
}

static int borrowed_value_fn(struct gml_txn *txn, void *arg)
{
	struct gml_span value;
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &value);
	(void)arg;
	return rc != 0 ? rc : gml_txn_put(txn, GML_TABLE_JOURNAL, STR("b"), value);
}

static int note_closure_fn(struct gml_txn *txn, void *arg)
{
	(void)txn;
	*(bool *)arg = gml_in_closure;
	return 0;
}

static void case_assertions(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn = meta_env_read(env);
	struct gml_cursor *cursor;
	bool inside = false;
	assert_int_equal(gml_meta_update(env->meta, note_closure_fn, &inside), 0);
	assert_true(inside && !gml_in_closure);
	engine_asserted = 0;
	gml_assert_hook = engine_count_assert;
	assert_int_equal(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("c"), STR("x")), GML_ERR_INVAL);
	assert_int_equal(gml_txn_del(txn, GML_TABLE_JOURNAL, STR("c")), GML_ERR_INVAL);
	assert_int_equal(gml_txn_next_id(txn), 0);
	assert_int_equal(engine_asserted, 3);
	assert_null(gml_txn_local(txn));
	gml_meta_read_end(txn);
	if (engine_of(env) != &gml_engine_lmdb) { /* LMDB frees what is left with the transaction */
		assert_int_equal(gml_meta_update(env->meta, leave_cursor_fn, &cursor), 0);
		assert_int_equal(engine_asserted, 4);
		free(cursor);
		engine_put(env, STR("a"), STR("1"));
		assert_int_equal(gml_meta_update(env->meta, borrowed_value_fn, NULL), 0);
		assert_int_equal(engine_asserted, 5);
	}
	gml_assert_hook = NULL;
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"closure fails", case_closure_fails},
		{"memory", case_memory},
		{"full", case_full},
		{"full is emptied", case_full_is_emptied},
		{"votes", case_votes},
		{"presync", case_presync},
		{"readers do not wait", case_readers_do_not_wait},
		{"assertions", case_assertions},
	};
	alarm(300); /* a lost wake-up shows as a failure, not as a hang */
	return engine_run("engine_change", cases, sizeof(cases) / sizeof(*cases));
}
