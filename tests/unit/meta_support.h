// SPDX-License-Identifier: Apache-2.0
/* A metadata store in a directory of its own for one test, and a closure that runs a plain
 * function. */
#ifndef TESTS_META_SUPPORT_H
#define TESTS_META_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "gateway/meta/record/record.h"
#include "ino_support.h"
#include "tests/spans.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define META_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define META_SANITIZED
#endif
#endif

struct meta_env {
	char dir[64];
	struct gml_meta_options opt;
	struct gml_meta *meta;
	int log_errors;
};

static inline void meta_env_log(void *arg, enum gml_log_level level, const char *line)
{
	struct meta_env *env = arg;
	if (getenv("META_TEST_LOG") != NULL)
		fprintf(stderr, "%s\n", line);
	if (level == GML_LOG_ERROR)
		__atomic_add_fetch(&env->log_errors, 1, __ATOMIC_RELAXED);
}

static inline void meta_env_reopen(struct meta_env *env)
{
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
}

/* engine: NULL = what the environment names (GML_TEST_ENGINE), or the default. */
static inline struct meta_env *meta_env_new_on(const char *engine, uint64_t capacity)
{
	static const uint8_t uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct meta_env *env = calloc(1, sizeof(*env));
	assert_non_null(env);
	strcpy(env->dir, "/tmp/gemel-meta-XXXXXX");
	assert_non_null(mkdtemp(env->dir));
	env->opt = (struct gml_meta_options){.engine = engine != NULL ? engine
								      : getenv("GML_TEST_ENGINE"),
					     .capacity = capacity,
					     .log = meta_env_log,
					     .log_arg = env};
	assert_int_equal(gml_meta_create(env->dir, uuid, &env->opt), 0);
	meta_env_reopen(env);
	return env;
}

static inline struct meta_env *meta_env_new(uint64_t capacity)
{
	return meta_env_new_on(NULL, capacity);
}

static inline void meta_env_unlink(const struct meta_env *env)
{
	static const char *const names[] = {"data.mdb",	 "lock.mdb", "redo",
					    "redo.tail", "engine",   "memory"};
	char path[96];
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", env->dir, names[i]);
		unlink(path);
	}
}

static inline void meta_env_free(struct meta_env *env)
{
	gml_meta_close(env->meta);
	meta_env_unlink(env);
	rmdir(env->dir);
	free(env);
}

/* For cmocka_unit_test_setup_teardown. */
static inline int meta_env_setup(void **state)
{
	*state = meta_env_new(64 << 20);
	return 0;
}
static inline int meta_env_teardown(void **state)
{
	meta_env_free(*state);
	return 0;
}

static inline void meta_env_update(struct meta_env *env, gml_meta_fn fn, void *arg)
{
	assert_int_equal(gml_meta_update(env->meta, fn, arg), 0);
}

static inline struct gml_txn *meta_env_read(struct meta_env *env)
{
	struct gml_txn *txn;
	assert_int_equal(gml_meta_read_begin(env->meta, &txn), 0);
	return txn;
}

/* Assertions may not leave a closure by longjmp (the write transaction would stay open): count
 * failures instead. */
#define CLOSURE_CHECK(cond)                                                                        \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                 \
			return GML_ERR_INVAL;                                                      \
		}                                                                                  \
	} while (0)

static inline uint64_t meta_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
