// SPDX-License-Identifier: Apache-2.0
/* Memory runs out: the n-th allocation of a life of the store fails, for n = 1, 2, 3 … until a
 * whole run meets no failure. Each run ends with an error or with everything done, leaks nothing,
 * and leaves a store that opens and holds what was acknowledged. */
#include "meta_support.h"

#ifdef META_SANITIZED
static void test_no_memory(void **state)
{
	(void)state;
	skip(); /* the sanitizer brings its own allocator */
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static _Atomic long fault_in; /* the n-th allocation from now fails; 0: none */
static _Atomic long fault_hits, fault_live;

static bool fault_now(void)
{
	if (fault_in == 0 || --fault_in != 0)
		return false;
	fault_hits++;
	return true;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
	void *p = fault_now() ? NULL : __libc_malloc(size);
	fault_live += p != NULL;
	return p;
}

EXPORTED void *calloc(size_t n, size_t size)
{
	void *p = fault_now() ? NULL : __libc_calloc(n, size);
	fault_live += p != NULL;
	return p;
}

EXPORTED void *realloc(void *old, size_t size)
{
	void *p = fault_now() ? NULL : __libc_realloc(old, size);
	fault_live += old == NULL && p != NULL;
	return p;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
	void *p = fault_now() ? NULL : __libc_memalign(alignment, size);
	fault_live += p != NULL;
	return p;
}

EXPORTED void free(void *p)
{
	fault_live -= p != NULL;
	__libc_free(p);
}

static int fault_put(struct gml_txn *txn, void *arg)
{
	static const char longer[900] = {'n'};
	struct gml_dirent dirent = {.type = GML_REG};
	struct gml_dirent_cursor *cursor = NULL;
	struct gml_inode inode = {.type = GML_REG, .nlink = 1, .born = 1, .change = 1};
	struct gml_dirent got;
	struct gml_span name;
	int rc;
	dirent.cookie = gml_txn_next_id(txn);
	dirent.ino = inode.ino = *(gml_ino *)arg = INO(gml_txn_next_id(txn));
	inode.bucket = inode.ino;
	inode.target = SPAN(longer, sizeof(longer)); /* more than the writer holds on the stack */
	rc = gml_rec_dirent_put(txn, &gml_line_none, INO(1), SPAN(longer, sizeof(longer)), &dirent);
	if (rc == 0)
		rc = gml_rec_inode_put(txn, &gml_line_none, &inode);
	if (rc == 0)
		rc = gml_dirent_cursor_open(txn, INO(1), &cursor);
	if (rc == 0)
		rc = gml_dirent_cursor_seek(cursor, SPAN(NULL, 0), true, &name, &got);
	gml_dirent_cursor_close(cursor);
	return rc;
}

static int fault_read(struct gml_meta *meta, gml_ino ino)
{
	struct gml_dirent_cursor *cursor = NULL;
	struct gml_txn *txn;
	struct gml_dirent dirent;
	struct gml_inode inode;
	struct gml_span name;
	int rc = gml_meta_read_begin(meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_open(txn, INO(1), &cursor);
	if (rc == 0)
		rc = gml_dirent_cursor_seek(cursor, SPAN(NULL, 0), true, &name, &dirent);
	if (rc == 0)
		rc = gml_dirent_cursor_after_cookie(cursor, 0, &name, &dirent);
	if (rc == 0)
		rc = gml_rec_inode_get(txn, dirent.ino, &inode);
	if (rc == 0 && !gml_ino_equal(dirent.ino, ino))
		rc = GML_ERR_CORRUPT;
	gml_dirent_cursor_close(cursor);
	gml_meta_read_end(txn);
	return rc;
}

static int fault_life(const char *dir, const struct gml_meta_options *opt, gml_ino *ino_out)
{
	struct gml_meta *meta;
	int rc = gml_meta_open(dir, opt, &meta);
	if (rc != 0)
		return rc;
	rc = gml_meta_update(meta, fault_put, ino_out);
	if (rc != 0)
		*ino_out = GML_INO_NONE;
	else
		rc = fault_read(meta, *ino_out);
	gml_meta_close(meta);
	return rc;
}

static void test_no_memory(void **state)
{
	struct meta_env *env = *state;
	gml_ino acked = GML_INO_NONE;
	int rc;
	gml_meta_close(env->meta);
	env->meta = NULL;
	env->opt.log = NULL;
	/* Once in silence: libc keeps the stack of a thread that ended, and what belongs to it. */
	assert_int_equal(fault_life(env->dir, &env->opt, &acked), 0);
	for (long n = 1;; n++) {
		gml_ino ino = GML_INO_NONE;
		long live = fault_live;
		fault_hits = 0;
		fault_in = n;
		rc = fault_life(env->dir, &env->opt, &ino);
		fault_in = 0;
		assert_int_equal(fault_live, live);
		acked = !gml_ino_is_none(ino) ? ino : acked;
		if (fault_hits == 0)
			break;
		assert_true(n < 10000);
		/* The store is whole, and what was acknowledged is there. */
		assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
		if (!gml_ino_is_none(acked))
			assert_int_equal(fault_read(env->meta, acked), 0);
		gml_meta_close(env->meta);
		env->meta = NULL;
	}
	assert_int_equal(rc, 0);
	assert_false(gml_ino_is_none(acked));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_memory, meta_env_setup, meta_env_teardown),
	};
	return cmocka_run_group_tests_name("meta_fault", tests, NULL, NULL);
}
