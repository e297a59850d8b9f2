// SPDX-License-Identifier: Apache-2.0
/* What read transactions remember of earlier ones must never show: a model against random changes,
 * with snapshots of several ages open at once, and more keys than are remembered. */
#include "meta_support.h"
#include <pthread.h>

#define HINT_KEYS 600
#define HINT_ROUNDS 4000

struct hint_model {
	int value[HINT_KEYS]; /* 0: absent */
};

struct hint_change {
	unsigned key;
	int value;
};

/* Lengths on both sides of every limit, tables that share keys. */
static struct gml_span hint_key(unsigned i, char buf[64])
{
	static const size_t lengths[] = {4, 8, 9, 16, 46, 47, 48, 60};
	size_t len = lengths[i / 2 % 8];
	memset(buf, 'k', 64);
	snprintf(buf, 64, "%03u", i / 2);
	buf[3] = 'k';
	return SPAN(buf, len);
}

static enum gml_table hint_table(unsigned i)
{
	return i % 2 ? GML_TABLE_JOURNAL : GML_TABLE_VERSION;
}

static int hint_change_fn(struct gml_txn *txn, void *arg)
{
	const struct hint_change *change = arg;
	char buf[64];
	struct gml_span key = hint_key(change->key, buf);
	if (change->value == 0)
		return gml_txn_del(txn, hint_table(change->key), key);
	return gml_txn_put(txn, hint_table(change->key), key,
			   SPAN(&change->value, sizeof(change->value)));
}

static void hint_check(struct gml_txn *txn, const struct hint_model *model, unsigned i)
{
	struct gml_span value = {0};
	char buf[64];
	int got = 0, rc = gml_txn_get(txn, hint_table(i), hint_key(i, buf), &value);
	assert_int_equal(rc, model->value[i] == 0 ? GML_ERR_NOENT : 0);
	if (rc != 0)
		return;
	assert_int_equal(value.len, sizeof(got));
	memcpy(&got, value.ptr, sizeof(got));
	assert_int_equal(got, model->value[i]);
}

static void test_hint(void **state)
{
	struct meta_env *env = *state;
	struct hint_model now = {0}, then[3];
	struct gml_txn *held[3] = {NULL};
	uint64_t random = 0x2545f4914f6cdd1d;
	for (int round = 1; round <= HINT_ROUNDS; round++) {
		struct hint_change change = {(unsigned)(meta_random(&random) % HINT_KEYS), round};
		unsigned old = (unsigned)(meta_random(&random) % 3);
		struct gml_txn *txn;
		if (now.value[change.key] != 0 && meta_random(&random) % 3 == 0)
			change.value = 0;
		if (meta_random(&random) % 4 == 0) { /* else several reads on one snapshot */
			assert_int_equal(
				gml_meta_update_relaxed(env->meta, hint_change_fn, &change), 0);
			now.value[change.key] = change.value;
		}
		txn = meta_env_read(env);
		for (int i = 0; i < 8; i++)
			hint_check(txn, &now, (unsigned)(meta_random(&random) % HINT_KEYS));
		hint_check(txn, &now, change.key);
		hint_check(txn, &now, change.key);
		if (held[old] != NULL)
			hint_check(held[old], &then[old], change.key);
		if (meta_random(&random) % 16 == 0) { /* this one stays open, and grows old */
			gml_meta_read_end(held[old]);
			held[old] = txn;
			then[old] = now;
		} else {
			gml_meta_read_end(txn);
		}
	}
	for (int i = 0; i < 3; i++)
		gml_meta_read_end(held[i]);
}

/* Another process's commit is one, too: its number decides. */
static void test_seq(void **state)
{
	struct meta_env *env = *state;
	struct hint_change change = {7, 1};
	struct gml_txn *txn = meta_env_read(env);
	uint64_t before = gml_txn_seq(txn);
	assert_int_equal(gml_meta_seq(env->meta), before);
	meta_env_update(env, hint_change_fn, &change);
	assert_true(gml_meta_seq(env->meta) > before);
	assert_int_equal(gml_txn_seq(txn), before);
	gml_meta_read_end(txn);
}

/* ---- a reader that sleeps while its snapshot is taken ---- */
#define RACE_READERS 8
#define RACE_COMMITS 8000

struct race {
	struct meta_env *env;
	_Atomic bool stop;
	_Atomic unsigned torn;
};

/* Two entries that are always equal. */
static int race_fn(struct gml_txn *txn, void *arg)
{
	int rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR("a"), SPAN(arg, sizeof(int)));
	return rc != 0 ? rc : gml_txn_put(txn, GML_TABLE_JOURNAL, STR("b"), SPAN(arg, sizeof(int)));
}

static void *race_read(void *arg)
{
	struct race *race = arg;
	while (!race->stop) {
		struct gml_span a, b, key;
		struct gml_cursor *cursor;
		struct gml_txn *txn;
		if (gml_meta_read_begin(race->env->meta, &txn) != 0)
			return arg;
		/* perhaps remembered */
		if (gml_txn_get(txn, GML_TABLE_JOURNAL, STR("a"), &a) != 0 ||
		    gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor) != 0)
			return arg;
		if (gml_cursor_seek(cursor, STR("b"), &key, &b) != 0 ||
		    memcmp(a.ptr, b.ptr, sizeof(int)) != 0)
			race->torn++;
		gml_cursor_close(cursor);
		gml_meta_read_end(txn);
	}
	return NULL;
}

static void test_sleeping_reader(void **state)
{
	struct race race = {.env = *state};
	pthread_t thread[RACE_READERS];
	int number = 0;
	meta_env_update(race.env, race_fn, &number);
	for (int i = 0; i < RACE_READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, race_read, &race), 0);
	for (number = 1; number < RACE_COMMITS; number++)
		assert_int_equal(gml_meta_update_relaxed(race.env->meta, race_fn, &number), 0);
	race.stop = true;
	for (int i = 0; i < RACE_READERS; i++) {
		void *bad;
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(race.torn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hint, meta_env_setup, meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_seq, meta_env_setup, meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_sleeping_reader, meta_env_setup,
						meta_env_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
