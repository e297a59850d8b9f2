// SPDX-License-Identifier: Apache-2.0
/* Engines against a model: keys of all lengths in order, long random runs of changes and cursors in
 * one thread, and many threads whose changes are replayed in the order in which they were
 * committed. */
#include "engine_support.h"
#include <pthread.h>

/* ---- order at all lengths ---- */
#define ORDER_KEYS 1200

struct order_key {
	size_t len;
	uint8_t bytes[511];
};

static struct gml_span order_span(const struct order_key *key)
{
	return SPAN(key->bytes, key->len);
}

static int order_compare(const void *a, const void *b)
{
	return engine_compare(order_span(a), order_span(b));
}

/* Few different bytes, so that many keys begin alike and some are prefixes of others. */
static void order_make(struct order_key *key, size_t len, uint64_t *seed)
{
	static const uint8_t alphabet[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	bool dull = meta_random(seed) % 2;
	key->len = len;
	for (size_t i = 0; i < len; i++)
		key->bytes[i] = dull ? 0x80 : alphabet[meta_random(seed) % 5];
}

static int order_put_fn(struct gml_txn *txn, void *arg)
{
	const struct order_key *keys = arg;
	int rc = 0;
	for (int i = 0; rc == 0 && i < ORDER_KEYS; i++)
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, order_span(&keys[i]),
				 order_span(&keys[i]));
	return rc;
}

/* Where `probe` would stand among the sorted keys; *equal_out: it is one of them. */
static size_t order_at(const struct order_key *keys, size_t n, struct gml_span probe,
		       bool *equal_out)
{
	size_t at = 0;
	while (at < n && engine_compare(order_span(&keys[at]), probe) < 0)
		at++;
	*equal_out = at < n && engine_compare(order_span(&keys[at]), probe) == 0;
	return at;
}

static void order_expect(int rc, struct gml_span key, const struct order_key *keys, size_t n,
			 size_t at)
{
	assert_int_equal(rc, at < n ? 0 : GML_ERR_NOENT);
	if (at < n)
		assert_int_equal(engine_compare(key, order_span(&keys[at])), 0);
}

static void order_probe(struct gml_txn *txn, const struct order_key *keys, size_t n, uint64_t *seed)
{
	struct gml_span key = {0}, value = {0};
	struct gml_cursor *cursor;
	struct order_key probe;
	bool equal;
	size_t at;
	int rc;
	if (meta_random(seed) % 2)
		probe = keys[meta_random(seed) % n];
	else
		order_make(&probe, 1 + meta_random(seed) % 511, seed);
	at = order_at(keys, n, order_span(&probe), &equal);
	rc = gml_txn_get(txn, GML_TABLE_JOURNAL, order_span(&probe), &value);
	assert_int_equal(rc, equal ? 0 : GML_ERR_NOENT);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor), 0);
	rc = gml_cursor_seek(cursor, order_span(&probe), &key, &value);
	order_expect(rc, key, keys, n, at);
	if (rc == 0)
		order_expect(gml_cursor_next(cursor, &key, &value), key, keys, n, at + 1);
	rc = gml_cursor_before(cursor, order_span(&probe), &key, &value);
	order_expect(rc, key, keys, n, at > 0 ? at - 1 : n);
	if (rc == 0)
		order_expect(gml_cursor_next(cursor, &key, &value), key, keys, n, at);
	gml_cursor_close(cursor);
}

static void case_order(void **state)
{
	struct meta_env *env = *state;
	struct order_key *keys = calloc(ORDER_KEYS, sizeof(*keys));
	struct gml_span key, value;
	struct gml_cursor *cursor;
	struct gml_txn *txn;
	uint64_t seed = 7;
	size_t n = 0;
	int rc;
	assert_non_null(keys);
	for (int i = 0; i < ORDER_KEYS; i++)
		order_make(&keys[i], i < 511 ? (size_t)i + 1 : 1 + meta_random(&seed) % 511, &seed);
	meta_env_update(env, order_put_fn, keys);
	qsort(keys, ORDER_KEYS, sizeof(*keys), order_compare);
	for (int i = 0; i < ORDER_KEYS; i++) /* each once */
		if (n == 0 || order_compare(&keys[n - 1], &keys[i]) != 0)
			keys[n++] = keys[i];
	txn = meta_env_read(env);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor), 0);
	rc = gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rc, 0);
		assert_int_equal(engine_compare(key, order_span(&keys[i])), 0);
		assert_int_equal(engine_compare(value, order_span(&keys[i])), 0);
		rc = gml_cursor_next(cursor, &key, &value);
	}
	assert_int_equal(rc, GML_ERR_NOENT);
	gml_cursor_close(cursor);
	for (int i = 0; i < 4000; i++)
		order_probe(txn, keys, n, &seed);
	gml_meta_read_end(txn);
	free(keys);
}

/* ---- a model of 300 keys, changed at random ---- */
#define MODEL_KEYS 300
#define MODEL_STEPS 40

struct model {
	uint32_t value[MODEL_KEYS]; /* 0: absent; else value[0] % MODEL_SIZES says how long */
	uint64_t last_id;
};

static const size_t model_sizes[] = {4, 40, 700, 1900, 2100, 9000};
#define MODEL_SIZES (sizeof(model_sizes) / sizeof(*model_sizes))

static struct gml_span model_key(uint32_t i, char buf[64])
{
	size_t len = 4 + i % 5 * 13;
	memset(buf, 'k', 64);
	snprintf(buf, 64, "%03u", i);
	buf[3] = 'k';
	return SPAN(buf, len);
}

static int model_put(struct gml_txn *txn, uint32_t i, uint32_t number)
{
	static _Thread_local uint8_t value[9000];
	char buf[64];
	memset(value, (int)number, sizeof(value));
	memcpy(value, &number, 4);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, model_key(i, buf),
			   SPAN(value, model_sizes[number % MODEL_SIZES]));
}

/* Whether the entry says what the model says. */
static bool model_is(const struct model *model, uint32_t i, struct gml_span value)
{
	uint32_t number = model->value[i];
	return number != 0 && value.len == model_sizes[number % MODEL_SIZES] &&
	       memcmp(value.ptr, &number, 4) == 0 &&
	       (value.len == 4 || ((const uint8_t *)value.ptr)[value.len - 1] == (uint8_t)number);
}

static bool model_get_ok(struct gml_txn *txn, const struct model *model, uint32_t i)
{
	struct gml_span value;
	char buf[64];
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, model_key(i, buf), &value);
	return model->value[i] == 0 ? rc == GML_ERR_NOENT : rc == 0 && model_is(model, i, value);
}

/* The first present entry at or behind `i`. */
static uint32_t model_from(const struct model *model, uint32_t i)
{
	while (i < MODEL_KEYS && model->value[i] == 0)
		i++;
	return i;
}

/* A cursor's answer is the model's entry `want`, or the end. */
static bool model_cursor_ok(const struct model *model, uint32_t want, int rc, struct gml_span key,
			    struct gml_span value)
{
	char buf[64];
	if (want >= MODEL_KEYS)
		return rc == GML_ERR_NOENT;
	return rc == 0 && engine_compare(key, model_key(want, buf)) == 0 &&
	       model_is(model, want, value);
}

static bool model_walk_ok(struct gml_txn *txn, const struct model *model)
{
	struct gml_span key, value;
	struct gml_cursor *cursor;
	uint32_t at = model_from(model, 0);
	bool ok;
	int rc = gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor);
	if (rc != 0)
		return false;
	rc = gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value);
	while ((ok = model_cursor_ok(model, at, rc, key, value)) && rc == 0) {
		at = model_from(model, at + 1);
		rc = gml_cursor_next(cursor, &key, &value);
	}
	gml_cursor_close(cursor);
	return ok;
}

/* One closure: random changes, and two cursors among them. */
struct session {
	const struct model *before;
	struct model after;
	uint64_t seed;
	bool fails, wrong;
	struct gml_cursor *cursor[2];
	uint32_t at[2]; /* entry where it stands; MODEL_KEYS: nowhere */
};

static void session_move(struct session *session, int c, uint32_t i)
{
	struct gml_span key = {0}, value = {0};
	uint32_t want;
	char buf[64];
	int rc;
	switch (meta_random(&session->seed) % 4) {
	case 0:
		want = model_from(&session->after, i);
		rc = gml_cursor_seek(session->cursor[c], model_key(i, buf), &key, &value);
		break;
	case 1:
		for (want = i; want > 0 && session->after.value[want - 1] == 0; want--)
			;
		want = want > 0 ? want - 1 : MODEL_KEYS;
		rc = gml_cursor_before(session->cursor[c], model_key(i, buf), &key, &value);
		break;
	default:
		want = session->at[c] < MODEL_KEYS ? model_from(&session->after, session->at[c] + 1)
						   : MODEL_KEYS;
		rc = gml_cursor_next(session->cursor[c], &key, &value);
	}
	session->wrong = session->wrong || !model_cursor_ok(&session->after, want, rc, key, value);
	session->at[c] = rc == 0 ? want : MODEL_KEYS;
}

static int session_step(struct gml_txn *txn, struct session *session)
{
	uint32_t i = (uint32_t)(meta_random(&session->seed) % MODEL_KEYS), number;
	uint64_t id;
	char buf[64];
	int rc = 0;
	switch (meta_random(&session->seed) % 8) {
	case 0:
	case 1:
		number = (uint32_t)meta_random(&session->seed) | 1;
		rc = model_put(txn, i, number);
		session->after.value[i] = number;
		break;
	case 2:
	case 3:
		if (meta_random(&session->seed) % 2 && session->at[0] < MODEL_KEYS)
			i = session->at[0]; /* under the cursor */
		rc = gml_txn_del(txn, GML_TABLE_JOURNAL, model_key(i, buf));
		session->wrong =
			session->wrong || rc != (session->after.value[i] == 0 ? GML_ERR_NOENT : 0);
		session->after.value[i] = 0;
		return 0;
	case 4:
		id = gml_txn_next_id(txn);
		session->wrong = session->wrong || id <= session->after.last_id;
		session->after.last_id = id;
		break;
	case 5:
		session->wrong = session->wrong || !model_get_ok(txn, &session->after, i);
		break;
	default:
		session_move(session, (int)(meta_random(&session->seed) % 2), i);
	}
	return rc;
}

static int session_fn(struct gml_txn *txn, void *arg)
{
	struct session *session = arg;
	int rc = 0;
	session->after = *session->before;
	for (int c = 0; rc == 0 && c < 2; c++) {
		session->at[c] = MODEL_KEYS;
		rc = gml_cursor_open(txn, GML_TABLE_JOURNAL, &session->cursor[c]);
	}
	for (int i = 0; rc == 0 && i < MODEL_STEPS; i++)
		rc = session_step(txn, session);
	if (rc == 0)
		session->wrong = session->wrong || !model_walk_ok(txn, &session->after);
	gml_cursor_close(session->cursor[0]);
	gml_cursor_close(session->cursor[1]);
	return rc != 0 ? rc : session->fails ? GML_ERR_PRECONDITION : 0;
}

static void case_random(void **state)
{
	struct meta_env *env = *state;
	struct model *model = calloc(2, sizeof(*model)), *held = model + 1;
	struct session *session = calloc(1, sizeof(*session));
	struct gml_txn *txn = NULL;
	uint64_t seed = 99;
	assert_non_null(model);
	assert_non_null(session);
	gml_assert_hook = engine_count_assert; /* some fail after they wrote */
	for (int round = 0; round < 500; round++) {
		session->before = model;
		session->seed = meta_random(&seed);
		session->fails = meta_random(&seed) % 4 == 0;
		if (round % 10 == 0) {
			gml_meta_read_end(txn);
			txn = meta_env_read(env);
			*held = *model;
		}
		assert_int_equal(gml_meta_update_relaxed(env->meta, session_fn, session),
				 session->fails ? GML_ERR_PRECONDITION : 0);
		assert_false(session->wrong);
		if (!session->fails)
			*model = session->after;
		assert_true(model_walk_ok(txn, held)); /* an old snapshot stays as it was */
		if (round % 50 == 49) {
			gml_meta_read_end(txn);
			txn = NULL;
			meta_env_reopen(env);
		}
	}
	gml_assert_hook = NULL;
	txn = meta_env_read(env);
	assert_true(model_walk_ok(txn, model));
	gml_meta_read_end(txn);
	free(session);
	free(model);
}

/* ---- many threads ---- */
#define CROWD_WRITERS 8
#define CROWD_READERS 4
#define CROWD_CHANGES 150

/* Each change says in the store which number it has, and keeps a sum over all entries: so a reader
 * can tell whether its snapshot is whole, and the changes can be replayed in their order. */
struct crowd_head {
	uint64_t number, sum;
};

struct crowd_change {
	uint64_t number, id;
	uint32_t key[3], value[3]; /* value 0: delete */
	bool refused;		   /* fails after it took a number */
};

struct crowd {
	struct meta_env *env;
	_Atomic bool stop;
	_Atomic unsigned failures, reads;
	struct crowd_change log[CROWD_WRITERS * CROWD_CHANGES + 1]; /* by number */
};

struct crowd_thread {
	struct crowd *crowd;
	pthread_t thread;
	uint64_t seed;
	struct crowd_change change;
};

static uint64_t crowd_hash(uint32_t key, uint32_t value)
{
	uint64_t hash = ((uint64_t)key << 32 | value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static int crowd_value(struct gml_txn *txn, uint32_t key, uint32_t *value_out)
{
	struct gml_span value;
	char buf[64];
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, model_key(key, buf), &value);
	*value_out = 0;
	if (rc == 0)
		memcpy(value_out, value.ptr, 4);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int crowd_head_get(struct gml_txn *txn, struct crowd_head *head)
{
	struct gml_span value;
	int rc = gml_txn_get(txn, GML_TABLE_VERSION, STR("head"), &value);
	memset(head, 0, sizeof(*head));
	if (rc == 0)
		memcpy(head, value.ptr, sizeof(*head));
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int crowd_fn(struct gml_txn *txn, void *arg)
{
	struct crowd_change *change = arg;
	struct crowd_head head;
	char buf[64];
	int rc = crowd_head_get(txn, &head);
	change->id = gml_txn_next_id(txn);
	if (change->refused)
		return GML_ERR_EXIST;
	for (int i = 0; rc == 0 && i < 3; i++) {
		uint32_t old;
		rc = crowd_value(txn, change->key[i], &old);
		if (rc != 0)
			break;
		if (old != 0)
			head.sum -= crowd_hash(change->key[i], old);
		if (change->value[i] != 0) {
			head.sum += crowd_hash(change->key[i], change->value[i]);
			rc = model_put(txn, change->key[i], change->value[i]);
		} else if (old != 0) {
			rc = gml_txn_del(txn, GML_TABLE_JOURNAL, model_key(change->key[i], buf));
		}
	}
	change->number = ++head.number;
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_LEASE, SPAN(&change->id, 8),
				 SPAN(&change->number, 8));
	return rc != 0 ? rc
		       : gml_txn_put(txn, GML_TABLE_VERSION, STR("head"),
				     SPAN(&head, sizeof(head)));
}

static int crowd_update(struct crowd_thread *self, bool relaxed)
{
	struct gml_meta *meta = self->crowd->env->meta;
	return relaxed ? gml_meta_update_relaxed(meta, crowd_fn, &self->change)
		       : gml_meta_update(meta, crowd_fn, &self->change);
}

static void *crowd_write(void *arg)
{
	struct crowd_thread *self = arg;
	struct crowd *crowd = self->crowd;
	struct crowd_change *change = &self->change;
	for (int n = 0; n < CROWD_CHANGES; n++) {
		for (int i = 0; i < 3; i++) {
			change->key[i] = (uint32_t)(meta_random(&self->seed) % MODEL_KEYS);
			change->value[i] = meta_random(&self->seed) % 3
						   ? (uint32_t)meta_random(&self->seed) | 1
						   : 0;
		}
		change->refused = true;
		if (n % 4 == 1 && crowd_update(self, false) != GML_ERR_EXIST)
			crowd->failures++;
		change->refused = false;
		if (crowd_update(self, n % 3 != 0) != 0 || change->number == 0 ||
		    change->number > CROWD_WRITERS * CROWD_CHANGES ||
		    crowd->log[change->number].number != 0)
			crowd->failures++;
		else
			crowd->log[change->number] = *change;
	}
	return NULL;
}

static bool crowd_snapshot_ok(struct gml_txn *txn)
{
	struct gml_span key, value;
	struct gml_cursor *cursor;
	struct crowd_head head;
	uint64_t sum = 0;
	int rc = crowd_head_get(txn, &head);
	if (rc == 0)
		rc = gml_cursor_open(txn, GML_TABLE_JOURNAL, &cursor);
	if (rc != 0)
		return false;
	for (rc = gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		char digits[4] = {0};
		uint32_t number;
		memcpy(digits, key.ptr, 3);
		memcpy(&number, value.ptr, 4);
		sum += crowd_hash((uint32_t)atoi(digits), number);
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT && sum == head.sum;
}

static void *crowd_read(void *arg)
{
	struct crowd_thread *self = arg;
	while (!self->crowd->stop) {
		struct gml_txn *txn;
		if (gml_meta_read_begin(self->crowd->env->meta, &txn) != 0 ||
		    !crowd_snapshot_ok(txn) || !crowd_snapshot_ok(txn)) {
			self->crowd->failures++;
			return NULL;
		}
		gml_meta_read_end(txn);
		self->crowd->reads++;
	}
	return NULL;
}

/* The store holds what the changes make, one after the other; no number of the counter was given
 * twice. */
static void crowd_replay(struct crowd *crowd)
{
	struct model *model = calloc(1, sizeof(*model));
	struct gml_txn *txn = meta_env_read(crowd->env);
	uint64_t count, last = 0;
	assert_non_null(model);
	for (int n = 1; n <= CROWD_WRITERS * CROWD_CHANGES; n++) {
		assert_int_equal(crowd->log[n].number, n);
		last = crowd->log[n].id > last ? crowd->log[n].id : last;
		for (int i = 0; i < 3; i++)
			model->value[crowd->log[n].key[i]] = crowd->log[n].value[i];
	}
	assert_true(model_walk_ok(txn, model));
	assert_int_equal(gml_rec_count(txn, GML_TABLE_LEASE, &count), 0);
	assert_int_equal(count, CROWD_WRITERS * CROWD_CHANGES); /* none twice */
	assert_int_equal(last, 1 + count); /* what was refused gave its number back */
	gml_meta_read_end(txn);
	free(model);
}

static void case_threads(void **state)
{
	struct meta_env *env = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	struct crowd_thread thread[CROWD_WRITERS + CROWD_READERS];
	struct gml_meta_stats stats;
	assert_non_null(crowd);
	crowd->env = env;
	for (int i = 0; i < CROWD_WRITERS + CROWD_READERS; i++) {
		thread[i] = (struct crowd_thread){.crowd = crowd, .seed = 1000 + (uint64_t)i};
		assert_int_equal(pthread_create(&thread[i].thread, NULL,
						i < CROWD_WRITERS ? crowd_write : crowd_read,
						&thread[i]),
				 0);
	}
	for (int i = 0; i < CROWD_WRITERS; i++)
		pthread_join(thread[i].thread, NULL);
	while (crowd->reads == 0 && crowd->failures == 0) /* alarm() ends it */
		usleep(1000);
	crowd->stop = true;
	for (int i = CROWD_WRITERS; i < CROWD_WRITERS + CROWD_READERS; i++)
		pthread_join(thread[i].thread, NULL);
	assert_int_equal(crowd->failures, 0);
	gml_meta_stats_get(env->meta, &stats);
	assert_true(stats.updates > CROWD_WRITERS * CROWD_CHANGES);
	assert_true(stats.commits > 0 && stats.commits <= stats.updates);
	crowd_replay(crowd);
	meta_env_reopen(env);
	crowd_replay(crowd);
	assert_int_equal(env->log_errors, 0);
	free(crowd);
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"order", case_order}, {"random", case_random}, {"threads", case_threads}};
	alarm(300); /* a lost wake-up shows as a failure, not as a hang */
	return engine_run("engine_model", cases, sizeof(cases) / sizeof(*cases));
}
