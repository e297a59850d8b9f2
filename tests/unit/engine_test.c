// SPDX-License-Identifier: Apache-2.0
/* The contract of gateway/meta/engine.h, slot by slot, over every engine: the store, keys and
 * values, snapshots, cursors. Changes are in engine_change_test.c; what only many threads or long
 * random runs show, in engine_model_test.c. */
#include "engine_support.h"
#include <fcntl.h>

/* ---- the store ---- */
static void case_create(void **state)
{
	struct meta_env *env = *state;
	static const uint8_t other[16] = {9};
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
	gml_meta_close(NULL);
}

static void engine_name_write(const struct meta_env *env, const char *text)
{
	char path[96];
	int fd;
	snprintf(path, sizeof(path), "%s/engine", env->dir);
	fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The store names its engine, and no other opens it or is made over it. */
static void case_name(void **state)
{
	struct meta_env *env = *state;
	const struct gml_engine *engine = engine_of(env);
	const char *stranger = engine == &gml_engine_lmdb ? "memory" : "lmdb";
	static const uint8_t uuid[16] = {9};
	char own[40];
	gml_meta_close(env->meta);
	env->meta = NULL;
	env->opt.engine = stranger;
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_FORMAT);
	assert_null(env->meta);
	assert_int_equal(gml_meta_create(env->dir, uuid, &env->opt), GML_ERR_EXIST);
	env->opt.engine = "no such engine";
	assert_int_equal(gml_meta_create(env->dir, uuid, &env->opt), GML_ERR_FORMAT);
	assert_int_equal(env->log_errors, 3);
	env->opt.engine = NULL;
	engine_name_write(env, "future\n");
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_FORMAT);
	engine_name_write(env, "a name that is longer than any that an engine can have\n");
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_FORMAT);
	snprintf(own, sizeof(own), "%s\n", engine->name);
	engine_name_write(env, own);
	meta_env_reopen(env); /* found by its name */
	assert_ptr_equal(engine_of(env), engine);
}

/* A creation that was cut short while it wrote the name. */
static void case_name_cut(void **state)
{
	struct meta_env *env = *state;
	static const uint8_t uuid[16] = {7};
	gml_meta_close(env->meta);
	env->meta = NULL;
	meta_env_unlink(env);
	engine_name_write(env, "lm");
	assert_int_equal(gml_meta_open(env->dir, NULL, &env->meta), GML_ERR_NOENT);
	assert_int_equal(gml_meta_create(env->dir, uuid, &env->opt), 0);
	meta_env_reopen(env);
	assert_int_equal(gml_meta_uuid(env->meta)[0], 7);
}

static void case_caps(void **state)
{
	struct meta_env *env = *state;
	const struct gml_engine *engine = engine_of(env);
	const struct gml_engine_caps *caps = &engine->caps;
	struct gml_txn *txn = meta_env_read(env);
	uint64_t count = 7;
	assert_int_equal(engine->abi, GML_ENGINE_ABI);
	assert_ptr_equal(gml_engine_find(engine->name), engine);
	assert_null(gml_engine_find("none"));
	assert_true(caps->key_max >= GML_ENGINE_KEY_LEAST);
	assert_true(caps->value_max >= GML_ENGINE_VALUE_LEAST);
	assert_int_equal(caps->cheap_seq, gml_meta_seq(env->meta) != 0);
	assert_int_equal(caps->cheap_seq, gml_txn_seq(txn) != 0);
	assert_int_equal(gml_txn_count(txn, GML_TABLE_JOURNAL, &count),
			 caps->cheap_count ? 0 : GML_ERR_NOTSUP);
	assert_int_equal(count, 0);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_JOURNAL, &count), 0);
	assert_int_equal(count, 0);
	gml_meta_read_end(txn);
	gml_meta_read_end(NULL);
}

static void case_problem(void *arg, const char *text)
{
	fprintf(stderr, "%s\n", text);
	++*(int *)arg;
}

static void case_housekeeping(void **state)
{
	struct meta_env *env = *state;
	struct gml_meta_stats stats;
	int problems = 0;
	engine_put(env, STR("a"), STR("1"));
	assert_int_equal(gml_meta_housekeep(env->meta), 0);
	assert_int_equal(gml_meta_refresh(env->meta), 0);
	assert_int_equal(gml_meta_flush(env->meta), 0);
	assert_int_equal(gml_meta_check(env->meta, case_problem, &problems), 0);
	assert_int_equal(problems, 0);
	gml_meta_stats_get(env->meta, &stats);
	assert_true(stats.updates >= 1 && stats.commits == 1);
	assert_true(stats.used > 0 && stats.used < stats.capacity);
	assert_true(stats.capacity >= ENGINE_CAPACITY);
	assert_true(engine_has(env, STR("a"), STR("1")));
}

/* Less capacity than recorded is ignored, more is kept. */
static void case_capacity_grows(void **state)
{
	struct meta_env *env = *state;
	static const uint64_t asked[] = {(uint64_t)256 << 20, 0, (uint64_t)1 << 20};
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct gml_meta_stats stats;
		env->opt.capacity = asked[i];
		meta_env_reopen(env);
		engine_put(env, STR("n"), STR("7"));
		gml_meta_stats_get(env->meta, &stats);
		assert_int_equal(stats.capacity, (uint64_t)256 << 20);
	}
}

/* ---- keys and values ---- */
static int limits_fn(struct gml_txn *txn, void *arg)
{
	const struct gml_engine_caps *caps = &txn->engine->caps;
	uint8_t *bytes = arg, byte = 0xff;
	struct gml_span value;
	memset(bytes, 0xff, caps->value_max + 1);
	CLOSURE_CHECK(
		gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(bytes, caps->key_max), STR("long")) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(&byte, 1), STR("short")) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(bytes, 511), STR("511")) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(bytes, caps->key_max + 1),
				  STR("x")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, SPAN(bytes, 0), STR("x")) ==
		      GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_JOURNAL, SPAN(bytes, 0), &value) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, SPAN(bytes, 0)) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("v"),
				  SPAN(bytes, caps->value_max + 1)) == GML_ERR_TOOBIG);
	CLOSURE_CHECK(
		gml_txn_put(txn, GML_TABLE_JOURNAL, STR("big"), SPAN(bytes, caps->value_max)) == 0);
	CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, STR("zz")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("zz"), &value) == GML_ERR_NOENT);
	return 0;
}

static void case_limits(void **state)
{
	struct meta_env *env = *state;
	const struct gml_engine_caps *caps = &engine_of(env)->caps;
	uint8_t *bytes = malloc(caps->value_max + 1);
	assert_non_null(bytes);
	meta_env_update(env, limits_fn, bytes);
	meta_env_reopen(env);
	assert_true(engine_has(env, SPAN(bytes, caps->key_max),
			       caps->key_max == 511 ? STR("511") : STR("long")));
	assert_true(engine_has(env, SPAN(bytes, 511), STR("511")));
	assert_true(engine_has(env, SPAN(bytes, 1), STR("short")));
	assert_true(engine_has(env, STR("big"), SPAN(bytes, caps->value_max)));
	assert_true(engine_lacks(env, STR("v")));
	free(bytes);
}

/* Sizes on both sides of what pages hold, each put over the one before. */
static void case_value_sizes(void **state)
{
	struct meta_env *env = *state;
	static const size_t sizes[] = {0, 1, 511, 2000, 2048, 4096, 70000, 3, 4 << 20, 0, 65536};
	uint8_t *bytes = calloc(1, 4 << 20);
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(bytes, (int)('a' + i), sizes[i]);
		engine_put(env, STR("one"), SPAN(bytes, sizes[i]));
		assert_true(engine_has(env, STR("one"), SPAN(bytes, sizes[i])));
	}
	free(bytes);
}

/* ---- snapshots ---- */
static void case_snapshot(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *old, *young;
	struct gml_span key = STR("b");
	uint64_t count;
	engine_put(env, STR("a"), STR("1"));
	engine_put(env, STR("b"), STR("1"));
	old = meta_env_read(env);
	engine_put(env, STR("a"), STR("22"));
	engine_put(env, STR("c"), STR("1"));
	meta_env_update(env, engine_del_fn, &key);
	young = meta_env_read(env);
	assert_true(engine_is(old, STR("a"), STR("1")));
	assert_true(engine_is(old, STR("b"), STR("1")));
	assert_false(engine_is(old, STR("c"), STR("1")));
	assert_true(engine_is(young, STR("a"), STR("22")));
	assert_false(engine_is(young, STR("b"), STR("1")));
	assert_true(engine_is(young, STR("c"), STR("1")));
	assert_int_equal(gml_rec_count(old, GML_TABLE_JOURNAL, &count), 0);
	assert_int_equal(count, 2);
	gml_meta_read_end(old);
	gml_meta_read_end(young);
}

/* When both numbers are equal and known, nothing was committed in between. */
static void case_seq(void **state)
{
	struct meta_env *env = *state;
	bool known = engine_of(env)->caps.cheap_seq;
	struct gml_txn *old, *young;
	engine_put(env, STR("a"), STR("1"));
	old = meta_env_read(env);
	assert_int_equal(gml_meta_seq(env->meta), gml_txn_seq(old));
	engine_put(env, STR("a"), STR("2"));
	young = meta_env_read(env);
	assert_int_equal(gml_txn_seq(young) > gml_txn_seq(old), known);
	assert_int_equal(gml_meta_seq(env->meta) != gml_txn_seq(old), known);
	assert_int_equal(gml_meta_seq(env->meta), gml_txn_seq(young));
	gml_meta_read_end(old);
	gml_meta_read_end(young);
}

/* What a read transaction returned stays as it is until its end, whatever is committed meanwhile.
 */
static void case_borrowed_read(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn;
	struct gml_span a, b, key = STR("a");
	engine_put(env, STR("a"), STR("first value"));
	engine_put(env, STR("b"), STR("second value"));
	txn = meta_env_read(env);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &a), 0);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("b"), &b), 0);
	engine_put(env, STR("b"), STR("overwritten!"));
	meta_env_update(env, engine_del_fn, &key);
	for (int i = 0; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof(name), "fill%d", i);
		engine_put(env, STR(name), STR("pages that may be taken"));
	}
	assert_int_equal(a.len, 11);
	assert_memory_equal(a.ptr, "first value", 11);
	assert_memory_equal(b.ptr, "second value", 12);
	gml_meta_read_end(txn);
}

/* In a write transaction until the next put or delete; a borrowed key may be put and deleted. */
static int borrowed_fn(struct gml_txn *txn, void *arg)
{
	struct gml_span a, b, key, value;
	struct gml_cursor *cursor;
	(void)arg;
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &a) == 0);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("b"), &b) == 0);
	CLOSURE_CHECK(gml_txn_next_id(txn) != 0);
	CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, STR("not there")) == GML_ERR_NOENT);
	CLOSURE_CHECK(a.len == 1 && memcmp(a.ptr, "b", 1) == 0); /* a's value is a key */
	CLOSURE_CHECK(b.len == 1 && memcmp(b.ptr, "c", 1) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, a, STR("by a borrowed key")) == 0);
	CLOSURE_CHECK(engine_is(txn, STR("b"), STR("by a borrowed key")));
	CLOSURE_CHECK(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor) == 0);
	CLOSURE_CHECK(gml_cursor_seek(cursor, STR("b"), &key, &value) == 0);
	CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_VERSION, key, STR("x")) == 0);
	CLOSURE_CHECK(gml_cursor_seek(cursor, STR("b"), &key, &value) == 0);
	CLOSURE_CHECK(gml_txn_del(txn, GML_TABLE_JOURNAL, key) == 0);
	gml_cursor_close(cursor);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_VERSION, STR("b"), &value) == 0);
	return 0;
}

static void case_borrowed_write(void **state)
{
	struct meta_env *env = *state;
	engine_put(env, STR("a"), STR("b"));
	engine_put(env, STR("b"), STR("c"));
	meta_env_update(env, borrowed_fn, NULL);
	assert_true(engine_lacks(env, STR("b")));
}

/* ---- cursors ---- */
static void case_cursor(void **state)
{
	struct meta_env *env = *state;
	struct gml_span key, value;
	struct gml_cursor *cursor;
	struct gml_txn *txn;
	uint8_t last[511];
	memset(last, 0xff, sizeof(last));
	engine_put(env, STR("a"), STR("1"));
	engine_put(env, STR("b"), SPAN("", 0));
	engine_put(env, SPAN(last, 511), STR("3"));
	for (int round = 0; round < 2;
	     round++) { /* the second time perhaps a cursor that was kept */
		txn = meta_env_read(env);
		assert_int_equal(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor), 0);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
		assert_int_equal(gml_cursor_seek(cursor, STR("aa"), &key, &value), 0);
		assert_memory_equal(key.ptr, "b", 1);
		assert_int_equal(value.len, 0);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), 0);
		assert_int_equal(key.len, 511);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
		assert_int_equal(gml_cursor_before(cursor, STR("b"), &key, &value), 0);
		assert_memory_equal(key.ptr, "a", 1);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), 0);
		assert_memory_equal(key.ptr, "b", 1);
		assert_int_equal(gml_cursor_before(cursor, STR("a"), &key, &value), GML_ERR_NOENT);
		assert_int_equal(gml_cursor_next(cursor, &key, &value), GML_ERR_NOENT);
		assert_int_equal(gml_cursor_before(cursor, STR("c"), &key, &value), 0);
		assert_memory_equal(key.ptr, "b", 1);
		assert_int_equal(gml_cursor_before(cursor, SPAN(last, 0), &key, &value),
				 GML_ERR_INVAL);
		assert_int_equal(gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value), 0);
		assert_memory_equal(key.ptr, "a", 1);
		gml_cursor_close(cursor);
		gml_cursor_close(NULL);
		gml_meta_read_end(txn);
	}
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
		CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR(name),
					  STR("some value to fill pages")) == 0);
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
			CLOSURE_CHECK(gml_txn_put(txn, GML_TABLE_JOURNAL, STR("a-before"),
						  STR(current)) == 0);
		seen++;
	}
	gml_cursor_close(cursor);
	*(int *)arg = seen;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static void case_cursor_while_writing(void **state)
{
	struct meta_env *env = *state;
	struct gml_txn *txn;
	uint64_t count;
	int seen = 0;
	meta_env_update(env, walk_and_delete, &seen);
	assert_int_equal(seen, 5000);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_JOURNAL, &count), 0);
	assert_int_equal(count, 1667 + 1);
	gml_meta_read_end(txn);
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"create", case_create},
		{"name", case_name},
		{"name cut short", case_name_cut},
		{"capabilities", case_caps},
		{"housekeeping", case_housekeeping},
		{"capacity grows", case_capacity_grows},
		{"limits", case_limits},
		{"value sizes", case_value_sizes},
		{"snapshot", case_snapshot},
		{"seq", case_seq},
		{"borrowed, reading", case_borrowed_read},
		{"borrowed, writing", case_borrowed_write},
		{"cursor", case_cursor},
		{"cursor while writing", case_cursor_while_writing},
	};
	return engine_run("engine", cases, sizeof(cases) / sizeof(*cases));
}
