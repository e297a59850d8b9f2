// SPDX-License-Identifier: Apache-2.0
/* One table of cases, run over every engine. */
#ifndef TESTS_ENGINE_SUPPORT_H
#define TESTS_ENGINE_SUPPORT_H

#include "meta_support.h"
#include "gateway/base/assert.h"
#include "gateway/meta/engines.h"

#define ENGINE_CAPACITY ((uint64_t)64 << 20)

/* The test library has these (assert.h), also where nothing else has assertions. */
extern void (*gml_assert_hook)(const char *file, int line, const char *text);
extern _Thread_local bool gml_in_closure;

static const struct gml_engine *const engine_all[] = {&gml_engine_lmdb, &gml_engine_memory,
						      &gml_engine_memory_plain};
#define ENGINES (sizeof(engine_all) / sizeof(*engine_all))

static inline int engine_setup(void **state)
{
	const struct gml_engine *engine = *state;
	*state = meta_env_new_on(engine->name, ENGINE_CAPACITY);
	return 0;
}

static inline const struct gml_engine *engine_of(const struct meta_env *env)
{
	return gml_meta_engine(env->meta);
}

struct engine_case {
	const char *name;
	CMUnitTestFunction run;
};

static inline int engine_run(const char *group, const struct engine_case *cases, size_t n)
{
	struct CMUnitTest tests[96];
	static char names[96][64];
	size_t count = 0;
	for (size_t e = 0; e < ENGINES; e++)
		for (size_t i = 0; i < n; i++, count++) {
			snprintf(names[count], sizeof(names[count]), "%s: %s", engine_all[e]->name,
				 cases[i].name);
			tests[count] =
				(struct CMUnitTest){names[count], cases[i].run, engine_setup,
						    meta_env_teardown, (void *)engine_all[e]};
		}
	return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

/* ---- assertions that a case provokes ---- */
static int engine_asserted;

static inline void engine_count_assert(const char *file, int line, const char *text)
{
	(void)file, (void)line, (void)text;
	__atomic_add_fetch(&engine_asserted, 1, __ATOMIC_RELAXED);
}

/* ---- closures of one call ---- */
struct engine_put {
	struct gml_span key, value;
	bool relaxed, strict;
};

static inline int engine_put_fn(struct gml_txn *txn, void *arg)
{
	const struct engine_put *put = arg;
	if (put->relaxed)
		gml_txn_durability(txn, true);
	if (put->strict)
		gml_txn_durability(txn, false);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, put->key, put->value);
}

static inline int engine_del_fn(struct gml_txn *txn, void *arg)
{
	return gml_txn_del(txn, GML_TABLE_JOURNAL, *(struct gml_span *)arg);
}

static inline void engine_put(struct meta_env *env, struct gml_span key, struct gml_span value)
{
	struct engine_put put = {key, value, false, false};
	meta_env_update(env, engine_put_fn, &put);
}

static inline bool engine_is(struct gml_txn *txn, struct gml_span key, struct gml_span value)
{
	struct gml_span got;
	return gml_txn_get(txn, GML_TABLE_JOURNAL, key, &got) == 0 && got.len == value.len &&
	       (value.len == 0 || memcmp(got.ptr, value.ptr, value.len) == 0);
}

/* In a snapshot of its own. */
static inline bool engine_has(struct meta_env *env, struct gml_span key, struct gml_span value)
{
	struct gml_txn *txn = meta_env_read(env);
	bool is = engine_is(txn, key, value);
	gml_meta_read_end(txn);
	return is;
}

static inline bool engine_lacks(struct meta_env *env, struct gml_span key)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span got;
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, key, &got);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT;
}

static inline int engine_compare(struct gml_span a, struct gml_span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
