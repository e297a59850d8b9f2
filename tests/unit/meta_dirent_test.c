// SPDX-License-Identifier: Apache-2.0
/* Names of any length: exact bytewise order, continuation nodes, cookies; against a sorted array.
 * In the present, and in another view. */
#define TEST_VIEW test_view
#include "meta_support.h"
#include "gateway/base/assert.h"
#include "gateway/meta/record/dirent.h"

static uint64_t test_view;

#define PARENT_NUM ((uint64_t)1 << 40)
#define PARENT INO(PARENT_NUM) /* beyond the numbers that the store hands out here */
#define NAMES 4000
#define K GML_DIRENT_PLAIN

struct name {
	size_t len;
	uint8_t bytes[GML_REC_NAME_MAX];
	uint64_t cookie;
	bool stored;
};

struct names {
	struct name *v;
	size_t n;
};

static int name_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t len = a_len < b_len ? a_len : b_len;
	int diff = len ? memcmp(a, b, len) : 0;
	return diff != 0 ? diff : (a_len > b_len) - (a_len < b_len);
}

static int name_sort(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return name_compare(x->bytes, x->len, y->bytes, y->len);
}

/* Lengths around every edge, long shared prefixes, few and many different bytes. */
static void name_make(struct name *name, uint64_t *seed)
{
	static const size_t edge[] = {0,     1,		K - 1, K,    K + 1, 2 * K - 1,
				      2 * K, 2 * K + 1, 1024,  1025, 1057,  GML_REC_NAME_MAX,
				      255,   256,	K + 2, 600};
	uint64_t kind = meta_random(seed);
	size_t shared = 0;
	name->len =
		kind % 3 == 0 ? edge[kind / 3 % 16] : meta_random(seed) % (GML_REC_NAME_MAX + 1);
	if (kind >> 32 & 1)
		shared = edge[meta_random(seed) % 16];
	for (size_t i = 0; i < name->len; i++) {
		if (i < shared)
			name->bytes[i] = 'p';
		else if (kind >> 33 & 1)
			name->bytes[i] = (uint8_t)(meta_random(seed) % 3 == 0 ? 0xff : 1);
		else
			name->bytes[i] = (uint8_t)(1 + meta_random(seed) % 255);
	}
	/* Some are prefixes or near twins of long runs. */
	if (name->len > 2 && (kind >> 34 & 3) == 0)
		memset(name->bytes, 'p', name->len - 1);
	if (name->len > 40 && (kind >> 36 & 7) == 0)
		name->bytes[name->len - 33] = 0; /* upload lists hold a NUL */
}

static struct names names_make(uint64_t seed)
{
	struct names names = {calloc(NAMES, sizeof(struct name)), 0};
	size_t unique = 0;
	for (size_t i = 0; i < NAMES; i++)
		name_make(&names.v[i], &seed);
	qsort(names.v, NAMES, sizeof(struct name), name_sort);
	for (size_t i = 0; i < NAMES; i++) {
		if (unique > 0 && name_sort(&names.v[unique - 1], &names.v[i]) == 0)
			continue;
		names.v[unique++] = names.v[i];
	}
	names.n = unique;
	return names;
}

static struct gml_span name_span(const struct name *name)
{
	return SPAN(name->bytes, name->len);
}

/* By number, and by view. */
#define NEIGHBOURS 4
static gml_ino neighbour(unsigned i)
{
	const gml_ino parents[NEIGHBOURS] = {
		INO(PARENT_NUM - 1), INO(PARENT_NUM + 1),
		gml_ino_of(test_view == 0 ? 2 : test_view - 1, PARENT_NUM),
		gml_ino_of(test_view + 1, PARENT_NUM)};
	return parents[i];
}

static int put_names(struct gml_txn *txn, void *arg)
{
	struct names *names = arg;
	/* In an order that is not the sorted one. */
	for (size_t i = 0; i < names->n; i++) {
		struct name *name = &names->v[i * 2654435761u % names->n];
		struct gml_dirent dirent = {.type = GML_REG}, got;
		if (name->stored)
			continue;
		dirent.cookie = name->cookie = gml_txn_next_id(txn);
		dirent.ino = INO(1000000 + (uint64_t)(name - names->v));
		CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, name_span(name), &got) ==
			      GML_ERR_NOENT);
		CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, name_span(name),
						 &dirent) == 0);
		name->stored = true;
	}
	for (size_t i = 0; i < names->n; i++) {
		struct gml_dirent dirent = {.type = GML_DIR, .ino = INO(5)}, got;
		if (!names->v[i].stored) {
			dirent.cookie = names->v[i].cookie = gml_txn_next_id(txn);
			dirent.ino = INO(1000000 + i);
			CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT,
							 name_span(&names->v[i]), &dirent) == 0);
			names->v[i].stored = true;
		}
		CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, name_span(&names->v[i]), &got) == 0);
	}
	/* Neighbours that must never show up in the walk. */
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		gml_ino parent = neighbour(i);
		struct gml_dirent dirent = {.type = GML_REG,
					    .ino = gml_ino_of(parent.view, 8),
					    .cookie = gml_txn_next_id(txn)};
		CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, parent, STR("neighbour"),
						 &dirent) == 0);
	}
	return 0;
}

/* Walk from the start; every stored name in order, none else. */
static void check_walk(struct meta_env *env, const struct names *names)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	size_t at = 0;
	int rc;
	assert_int_equal(gml_dirent_cursor_open(txn, PARENT, &cursor), 0);
	for (rc = gml_dirent_cursor_seek(cursor, SPAN(NULL, 0), true, &name, &dirent); rc == 0;
	     rc = gml_dirent_cursor_next(cursor, &name, &dirent)) {
		while (at < names->n && !names->v[at].stored)
			at++;
		assert_true(at < names->n);
		assert_int_equal(name.len, names->v[at].len);
		assert_memory_equal(name.ptr, names->v[at].bytes, name.len);
		assert_ino_equal(dirent.ino, INO(1000000 + at));
		assert_int_equal(dirent.cookie, names->v[at].cookie);
		at++;
	}
	assert_int_equal(rc, GML_ERR_NOENT);
	while (at < names->n && !names->v[at].stored)
		at++;
	assert_int_equal(at, names->n);
	assert_int_equal(gml_dirent_cursor_next(cursor, &name, &dirent), GML_ERR_NOENT);
	gml_dirent_cursor_close(cursor);
	gml_meta_read_end(txn);
}

/* Seek to present and absent names, inclusive and exclusive, and go on from there. */
static void check_seeks(struct meta_env *env, const struct names *names, uint64_t seed)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_dirent_cursor *cursor;
	struct name want;
	assert_int_equal(gml_dirent_cursor_open(txn, PARENT, &cursor), 0);
	for (int i = 0; i < 3000; i++) {
		bool inclusive = meta_random(&seed) & 1;
		struct gml_dirent dirent;
		struct gml_span name;
		size_t at = 0, end = names->n;
		int rc;
		if (meta_random(&seed) % 2)
			name_make(&want, &seed);
		else
			want = names->v[meta_random(&seed) % names->n];
		while (at < end) { /* first >= want, or > want */
			size_t middle = (at + end) / 2;
			int order = name_sort(&names->v[middle], &want);
			if (order < 0 || (order == 0 && !inclusive))
				at = middle + 1;
			else
				end = middle;
		}
		rc = gml_dirent_cursor_seek(cursor, name_span(&want), inclusive, &name, &dirent);
		for (int step = 0; step < 3; step++, at++) {
			while (at < names->n && !names->v[at].stored)
				at++;
			if (at == names->n) {
				assert_int_equal(rc, GML_ERR_NOENT);
				break;
			}
			assert_int_equal(rc, 0);
			assert_int_equal(name.len, names->v[at].len);
			assert_memory_equal(name.ptr, names->v[at].bytes, name.len);
			if (step == 1) /* seek from the cursor's own name */
				rc = gml_dirent_cursor_seek(cursor, name, false, &name, &dirent);
			else
				rc = gml_dirent_cursor_next(cursor, &name, &dirent);
		}
	}
	gml_dirent_cursor_close(cursor);
	gml_meta_read_end(txn);
}

static void check_cookies(struct meta_env *env, const struct names *names)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	uint64_t last = 0, seen = 0, stored = 0, count;
	int rc;
	for (size_t i = 0; i < names->n; i++)
		stored += names->v[i].stored;
	assert_int_equal(gml_dirent_cursor_open(txn, PARENT, &cursor), 0);
	for (rc = gml_dirent_cursor_after_cookie(cursor, 0, &name, &dirent); rc == 0;
	     rc = seen % 5 ? gml_dirent_cursor_next_cookie(cursor, &name, &dirent)
			   : gml_dirent_cursor_after_cookie(cursor, last, &name, &dirent)) {
		const struct name *is = &names->v[dirent.ino.num - 1000000];
		assert_true(dirent.cookie > last);
		assert_true(is->stored && is->cookie == dirent.cookie && is->len == name.len);
		assert_memory_equal(is->bytes, name.ptr, name.len);
		last = dirent.cookie;
		seen++;
	}
	assert_int_equal(rc, GML_ERR_NOENT);
	assert_int_equal(seen, stored);
	gml_dirent_cursor_close(cursor);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_COOKIE, &count), 0);
	assert_int_equal(count, stored + NEIGHBOURS); /* and the neighbours' */
	gml_meta_read_end(txn);
}

struct deletion {
	struct names *names;
	unsigned keep_every;
};

static int delete_names(struct gml_txn *txn, void *arg)
{
	struct deletion *deletion = arg;
	struct gml_dirent got;
	for (size_t i = 0; i < deletion->names->n; i++) {
		struct name *name = &deletion->names->v[i];
		if (!name->stored || (deletion->keep_every && i % deletion->keep_every == 0))
			continue;
		CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, name_span(name),
						 NULL) == 0);
		CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, name_span(name), &got) ==
			      GML_ERR_NOENT);
		name->stored = false;
	}
	return 0;
}

static void test_order(void **state)
{
	struct meta_env *env = *state;
	struct names names = names_make(0x9e3779b97f4a7c15u);
	struct deletion deletion = {&names, 7};
	struct gml_txn *txn;
	uint64_t count;
	assert_true(names.n > NAMES / 2);
	meta_env_update(env, put_names, &names);
	check_walk(env, &names);
	check_seeks(env, &names, 42);
	check_cookies(env, &names);
	meta_env_update(env, delete_names, &deletion);
	check_walk(env, &names);
	check_seeks(env, &names, 43);
	check_cookies(env, &names);
	deletion.keep_every = 0;
	meta_env_update(env, delete_names, &deletion);
	check_walk(env, &names);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_dirent_any(txn, PARENT), GML_ERR_NOENT);
	assert_int_equal(gml_rec_dirent_any(txn, neighbour(0)), 0);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_DIRENT, &count), 0);
	assert_int_equal(count, NEIGHBOURS); /* the neighbours: no continuation node is left */
	gml_meta_read_end(txn);
	assert_int_equal(env->log_errors, 0);
	free(names.v);
}

/* Deleting behind, at and before a cursor within a write transaction. */
static int walk_deleting(struct gml_txn *txn, void *arg)
{
	struct names *names = arg;
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	size_t at = 0;
	int rc;
	CLOSURE_CHECK(gml_dirent_cursor_open(txn, PARENT, &cursor) == 0);
	for (rc = gml_dirent_cursor_seek(cursor, SPAN(NULL, 0), true, &name, &dirent); rc == 0;
	     rc = gml_dirent_cursor_next(cursor, &name, &dirent)) {
		CLOSURE_CHECK(at < names->n && gml_ino_equal(dirent.ino, INO(1000000 + at)));
		CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, name, NULL) == 0);
		names->v[at].stored = false;
		at++;
	}
	gml_dirent_cursor_close(cursor);
	CLOSURE_CHECK(rc == GML_ERR_NOENT && at == names->n);
	return 0;
}

static void test_walk_deleting(void **state)
{
	struct meta_env *env = *state;
	struct names names = names_make(77);
	struct gml_txn *txn;
	uint64_t count;
	meta_env_update(env, put_names, &names);
	meta_env_update(env, walk_deleting, &names);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_count(txn, GML_TABLE_DIRENT, &count), 0);
	assert_int_equal(count, NEIGHBOURS);
	gml_meta_read_end(txn);
	free(names.v);
}

static int replace_cookie(struct gml_txn *txn, void *arg)
{
	struct gml_dirent dirent = {.ino = INO(9), .cookie = 100, .type = GML_REG}, got;
	uint8_t name[GML_REC_NAME_MAX + 1];
	uint64_t count;
	(void)arg;
	memset(name, 'x', sizeof(name));
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, SPAN(name, 700), &dirent) ==
		      0);
	dirent.ino = INO(10);
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, SPAN(name, 700), &dirent) ==
		      0);
	CLOSURE_CHECK(gml_rec_count(txn, GML_TABLE_COOKIE, &count) == 0 && count == 1);
	dirent.cookie = 200;
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, SPAN(name, 700), &dirent) ==
		      0);
	CLOSURE_CHECK(gml_rec_count(txn, GML_TABLE_COOKIE, &count) == 0 && count == 1);
	CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, SPAN(name, 700), &got) == 0 &&
		      got.cookie == 200 && gml_ino_equal(got.ino, INO(10)));
	dirent.cookie = 0;
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, SPAN(name, 700), &dirent) ==
		      0);
	CLOSURE_CHECK(gml_rec_count(txn, GML_TABLE_COOKIE, &count) == 0 && count == 0);
	CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, SPAN(name, 701), NULL) ==
		      GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, SPAN(name, K), NULL) ==
		      GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, SPAN(name, sizeof(name)),
					 &dirent) == GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, SPAN(name, sizeof(name)), &got) ==
		      GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, SPAN(name, sizeof(name)),
					 NULL) == GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_dirent_del(txn, &gml_line_none, PARENT, SPAN(name, 700), NULL) == 0);
	CLOSURE_CHECK(gml_rec_count(txn, GML_TABLE_DIRENT, &count) == 0 && count == 0);
	return 0;
}

static void test_replace(void **state)
{
	meta_env_update(*state, replace_cookie, NULL);
}

static unsigned asserted;

static void count_assert(const char *file, int line, const char *text)
{
	(void)file, (void)line, (void)text;
	asserted++;
}

/* A row says its child's number only: the child is of the parent's view. The namespace root is of
 * every view, as a child and as a parent. */
static int put_strangers(struct gml_txn *txn, void *arg)
{
	gml_ino stranger = gml_ino_of(test_view + 1, 9);
	struct gml_dirent dirent = {.ino = INO(9), .cookie = 100, .type = GML_DIR}, got, old;
	(void)arg;
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, STR("d/"), &dirent) == 0);
	asserted = 0;
	gml_assert_hook = count_assert;
	dirent.ino = stranger;
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, STR("d/"), &dirent) ==
		      GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_dirent_replace(txn, &gml_line_none, PARENT, STR("d/"), &dirent,
					     &old) == GML_ERR_INVAL);
	dirent.ino = gml_ino_of(7, GML_INO_ROOT.num); /* there is no such inode */
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, STR("d/"), &dirent) ==
		      GML_ERR_INVAL);
	gml_assert_hook = NULL;
	CLOSURE_CHECK(asserted == 3);
	CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, STR("d/"), &got) == 0 &&
		      gml_ino_equal(got.ino, INO(9)));
	dirent.ino = GML_INO_ROOT;
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, PARENT, STR("d/"), &dirent) == 0);
	CLOSURE_CHECK(gml_rec_dirent_get(txn, PARENT, STR("d/"), &got) == 0 &&
		      gml_ino_equal(got.ino, GML_INO_ROOT));
	dirent = (struct gml_dirent){.ino = stranger, .cookie = 200, .type = GML_DIR};
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, GML_INO_ROOT, STR("bucket/"),
					 &dirent) == 0);
	CLOSURE_CHECK(gml_rec_dirent_get(txn, GML_INO_ROOT, STR("bucket/"), &got) == 0 &&
		      gml_ino_equal(got.ino, gml_ino_of(0, stranger.num)));
	return 0;
}

static void test_views(void **state)
{
	meta_env_update(*state, put_strangers, NULL);
}

/* Where one name ends and its continuation begins, keys have one length in any view, and the
 * longest fits. */
static void test_longest_key(void **state)
{
	const uint8_t name[K] = {1};
	uint8_t key[GML_DIRENT_KEY_MAX];
	gml_ino far = gml_ino_of(test_view == 0 ? 0 : GML_INO_NUM_END - 1, GML_INO_NUM_END - 1),
		got;
	size_t len = gml_dirent_key_more(key, far, name);
	(void)state;
	assert_int_equal(len, gml_ino_key_len(far) + K + 1);
	assert_true(len + 1 <= GML_REC_KEY_MAX);
	assert_int_equal(gml_ino_key_read(SPAN(key, len), &got), gml_ino_key_len(far));
	assert_ino_equal(got, far);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_order), WITH_STORE(test_walk_deleting), WITH_STORE(test_replace),
		WITH_STORE(test_views), WITH_STORE(test_longest_key),
	};
	int failed = cmocka_run_group_tests_name("meta_dirent", tests, NULL, NULL);
	test_view = 900;
	return failed + cmocka_run_group_tests_name("meta_dirent in a view", tests, NULL, NULL);
}
