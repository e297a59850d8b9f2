// SPDX-License-Identifier: Apache-2.0
/* Blob files and the descriptor cache, on real directories. */
#include "data_support.h"

/* ---- the directory --------------------------------------------------------------------------- */

static void test_create_refuses_full_directory(void **state)
{
	struct world *w = *state;
	assert_int_equal(gml_data_create(w->dir), GML_ERR_EXIST);
	assert_int_equal(gml_data_create("/tmp/data-test-none/x"), GML_ERR_NOENT);
}

static void test_open_refuses_what_is_no_store(void **state)
{
	struct world *w = *state;
	struct gml_data *data = NULL;
	char path[96];
	assert_int_equal(gml_data_open("/tmp/data-test-none", &w->opt, &data), GML_ERR_NOENT);
	snprintf(path, sizeof(path), "%s/pack", w->dir);
	assert_int_equal(gml_data_open(path, &w->opt, &data), GML_ERR_NOENT);
	snprintf(path, sizeof(path), "%s/link", w->dir);
	assert_int_equal(symlink(w->dir, path), 0);
	assert_int_not_equal(gml_data_open(path, &w->opt, &data), 0);
	assert_null(data);
}

static void test_statfs(void **state)
{
	struct world *w = *state;
	uint64_t total, free_bytes, avail;
	assert_int_equal(gml_data_statfs(w->data, &total, &free_bytes, &avail), 0);
	assert_true(total >= free_bytes && free_bytes >= avail && avail > 0);
}

/* ---- blobs ----------------------------------------------------------------------------------- */

static void test_blob_round_trip(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	struct stat st;
	char path[96];
	uint64_t id, base;
	w->ids[0] = 0x123455f; /* the next one is 0x1234560 */
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_true(id == gml_blob_file_id(GML_BLOB_PLAIN, 0x1234560));
	assert_int_equal(gml_blob_id(blob), id);
	assert_int_equal(write_text(blob, 5, "hello"), 0);
	assert_int_equal(gml_blob_sync(blob), 0);
	assert_true(gml_blob_fd(blob, id, &base) >= 0);
	assert_int_equal(base, 0);
	gml_blob_unref(blob);
	gml_data_close(w->data);

	snprintf(path, sizeof(path), "%s/12/34/0100000001234560", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	world_open(w);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), 0);
	expect_text(blob, id, 5, "hello");
	expect_text(blob, id, 0, "\0\0"); /* strlen is 0: reads nothing */
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_open(w->data, id + 1, 0, &blob), GML_ERR_NOENT);
	assert_int_equal(gml_blob_open(w->data, 0, 0, &blob), GML_ERR_INVAL);
}

static void test_blob_short_read_only_at_end(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	char buf[16];
	uint64_t id;
	size_t n;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(write_text(blob, 0, "0123456789"), 0);
	assert_int_equal(gml_blob_read(blob, id, 6, buf, sizeof(buf), &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(gml_blob_read(blob, id, 10, buf, sizeof(buf), &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(gml_blob_read(blob, id, UINT64_MAX - 1, buf, sizeof(buf), &n),
			 GML_ERR_INVAL);
	gml_blob_unref(blob);
}

static void test_blob_write_many_pieces(void **state)
{
	struct world *w = *state;
	struct iovec iov[2000];
	static char bytes[2000], back[4000];
	struct gml_blob *blob;
	size_t total = 0, n;
	uint64_t id;
	for (int i = 0; i < 2000; i++) {
		bytes[i] = (char)('a' + i % 26);
		iov[i] = (struct iovec){&bytes[i], i % 3 == 0 ? 0 : 1};
		total += iov[i].iov_len;
	}
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(gml_blob_write(blob, 100, iov, 2000), 0);
	assert_int_equal(gml_blob_read(blob, id, 100, back, sizeof(back), &n), 0);
	assert_int_equal(n, total);
	for (size_t i = 0, at = 0; i < 2000; i++)
		if (iov[i].iov_len)
			assert_int_equal(back[at++], bytes[i]);
	assert_int_equal(gml_blob_write(blob, 0, iov, 0), 0);
	assert_int_equal(gml_blob_write(blob, UINT64_MAX, iov + 1, 1), GML_ERR_FBIG);
	gml_blob_unref(blob);
}

static void test_reserved_blob_appears_when_opened(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t id;
	assert_int_equal(gml_blob_reserve(w->data, &id), 0);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), GML_ERR_NOENT);
	assert_int_equal(gml_blob_open(w->data, id, GML_BLOB_CREATE, &blob), 0);
	assert_int_equal(write_text(blob, 0, "x"), 0);
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), 0);
	gml_blob_unref(blob);
}

static void test_ids_that_exist_are_stepped_over(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t first, id;
	assert_int_equal(gml_blob_create(w->data, &first, &blob), 0);
	assert_int_equal(write_text(blob, 0, "old"), 0);
	gml_blob_unref(blob);
	w->ids[0] = gml_blob_number(first) - 1;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_true(id == first + 1);
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_reserve(w->data, &first), 0);
	assert_int_equal(gml_blob_open(w->data, first, GML_BLOB_CREATE, &blob), 0);
	gml_blob_unref(blob);
	w->ids[0] = gml_blob_number(first) - 1;
	assert_int_equal(gml_blob_reserve(w->data, &id), 0);
	assert_true(id == first + 1);
}

/* An id says how to read what it names: whoever does not know its kind leaves it alone. */
static void test_unknown_kinds_are_refused(void **state)
{
	static const uint64_t unknown[] = {UINT64_C(2) << 56 | 5, UINT64_C(127) << 56 | 5,
					   UINT64_C(9) << 60 | UINT64_C(1) << 32,
					   UINT64_C(15) << 60 | UINT64_C(1) << 32};
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t id;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		assert_false(gml_blob_known(unknown[i]));
		assert_int_equal(gml_blob_open(w->data, unknown[i], 0, &blob), GML_ERR_CORRUPT);
		assert_int_equal(gml_blob_remove(w->data, unknown[i], 5), GML_ERR_CORRUPT);
	}
	assert_true(gml_blob_known(1) && gml_blob_known(UINT64_C(1) << 56 | 1));
	assert_true(gml_blob_known(gml_pack_id(GML_PACK_NUMBER_MAX, 64)));
	assert_true(gml_pack_number(gml_pack_id(GML_PACK_NUMBER_MAX, 64)) == GML_PACK_NUMBER_MAX);
	w->ids[0] = GML_BLOB_NUMBER_MAX - 1;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_true(gml_blob_number(id) == GML_BLOB_NUMBER_MAX && gml_blob_known(id));
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_create(w->data, &id, &blob), GML_ERR_CORRUPT);
	assert_int_equal(gml_blob_reserve(w->data, &id), GML_ERR_CORRUPT);
	w->ids[1] = GML_PACK_NUMBER_MAX;
	assert_int_equal(gml_pack_append(w->data, "x", 1, &id, &pack_sum), GML_ERR_NOSPC);
}

static void test_blob_shape(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t id, size, space, at;
	int64_t mtime, ctime_ns;
	char buf[4];
	size_t n;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(gml_blob_truncate(blob, 1 << 20), 0);
	assert_int_equal(write_text(blob, 65536, "data"), 0);
	assert_int_equal(gml_blob_seek(blob, false, 0, &at), 0);
	assert_int_equal(at, 65536);
	assert_int_equal(gml_blob_seek(blob, true, 65536, &at), 0);
	assert_int_equal(at, 65536 + 4096);
	assert_int_equal(gml_blob_seek(blob, false, 1 << 20, &at), GML_ERR_NXIO);
	assert_int_equal(gml_blob_seek(blob, false, UINT64_MAX, &at), GML_ERR_NXIO);
	assert_int_equal(gml_blob_allocate(blob, 1 << 20, 8192), 0);
	assert_int_equal(gml_blob_stat(blob, &size, &space, &mtime, &ctime_ns), 0);
	assert_int_equal(size, (1 << 20) + 8192);
	assert_true(space >= 8192 + 4096 && space < (1 << 20));
	assert_int_equal(gml_blob_punch(blob, 65536, 4096), 0);
	assert_int_equal(gml_blob_read(blob, id, 65536, buf, 4, &n), 0);
	assert_memory_equal(buf, "\0\0\0\0", 4);
	assert_int_equal(gml_blob_allocate(blob, UINT64_MAX, 1), GML_ERR_FBIG);
	assert_int_equal(gml_blob_truncate(blob, UINT64_MAX), GML_ERR_FBIG);
	assert_int_equal(gml_blob_set_mtime(blob, -1500000000), 0);
	assert_int_equal(gml_blob_stat(blob, &size, &space, &mtime, &ctime_ns), 0);
	assert_true(mtime == -1500000000);
	gml_blob_flush_hint(blob, 0, 65536);
	gml_blob_unref(blob);
}

/* ---- cache ----------------------------------------------------------------------------------- */

static void test_hit_needs_no_file(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob, *again;
	char path[96];
	uint64_t id;
	w->ids[0] = 6;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	gml_blob_unref(blob);
	snprintf(path, sizeof(path), "%s/00/00/0100000000000007", w->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(gml_blob_open(w->data, id, 0, &again), 0);
	assert_ptr_equal(again, blob);
	gml_blob_unref(again);
	/* The sweeper notices that somebody else removed it. */
	for (int i = 0; i < 40 && gml_blob_open(w->data, id, 0, &again) == 0; i++) {
		gml_blob_unref(again);
		again = NULL;
		usleep(100000);
	}
	assert_null(again);
}

static void test_removed_blob_leaves_the_cache_but_stays_readable(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob, *none;
	uint64_t id;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(write_text(blob, 0, "still here"), 0);
	assert_int_equal(gml_blob_remove(w->data, id, 0), 0);
	assert_int_equal(gml_blob_open(w->data, id, 0, &none), GML_ERR_NOENT);
	gml_blob_ref(blob);
	gml_blob_unref(blob);
	expect_text(blob, id, 0, "still here");
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_remove(w->data, id, 0), 0); /* missing: success */
}

static void test_idle_descriptors_are_bounded(void **state)
{
	struct world *w = *state;
	struct gml_blob *blobs[200];
	unsigned before;
	uint64_t id;
	gml_data_close(w->data);
	w->opt.open_max = 32;
	world_open(w);
	before = open_fds();
	for (int i = 0; i < 200; i++)
		assert_int_equal(gml_blob_create(w->data, &id, &blobs[i]), 0);
	assert_true(open_fds() >= before + 200);
	for (int i = 0; i < 200; i++)
		gml_blob_unref(blobs[i]);
	assert_true(open_fds() <= before + 32);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(gml_blob_open(w->data,
					       gml_blob_file_id(GML_BLOB_PLAIN, (uint64_t)i + 1), 0,
					       &blobs[i]),
				 0);
		gml_blob_unref(blobs[i]);
	}
	assert_true(open_fds() <= before + 32);
}

static void test_idle_descriptors_give_way(void **state)
{
	struct world *w = *state;
	struct rlimit old, tight;
	struct gml_blob *blob;
	uint64_t id;
	int fds[64], n = 0;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
		gml_blob_unref(blob);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = 128;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while (n < 64 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	assert_int_equal(errno, EMFILE);
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	gml_blob_unref(blob);
	while (n > 0)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &old);
}

static void test_sync_error_is_never_forgotten(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t id;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(write_text(blob, 0, "lost"), 0);
	sync_errno = EIO;
	assert_int_equal(gml_blob_sync(blob), GML_ERR_IO);
	sync_errno = 0;
	assert_int_equal(gml_blob_sync(blob), GML_ERR_IO);
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), 0);
	assert_int_equal(gml_blob_sync(blob), GML_ERR_IO);
	expect_text(blob, id, 0, "lost");
	gml_blob_ref(blob);
	gml_blob_unref(blob);
	gml_blob_unref(blob);
	assert_int_equal(gml_blob_remove(w->data, id, 0), 0);
	assert_int_equal(gml_blob_open(w->data, id, 0, &blob), GML_ERR_NOENT);
}

static void *hammer_cache(void *arg)
{
	struct world *w = arg;
	struct gml_blob *blob;
	unsigned seed = (unsigned)(uintptr_t)pthread_self();
	for (int i = 0; i < 3000; i++) {
		uint64_t id = gml_blob_file_id(GML_BLOB_PLAIN, 1 + (unsigned)rand_r(&seed) % 50);
		char back[8] = "";
		size_t n;
		if (gml_blob_open(w->data, id, 0, &blob) != 0)
			return (void *)"open";
		if (gml_blob_read(blob, id, 0, back, sizeof(back), &n) != 0 || n != 8 ||
		    memcmp(back, &id, 8) != 0)
			return (void *)"read";
		if (i % 7 == 0)
			gml_blob_remove(w->data, 1000 + id, 0);
		gml_blob_unref(blob);
	}
	return NULL;
}

static void test_cache_under_threads(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	pthread_t threads[8];
	void *bad;
	uint64_t id;
	gml_data_close(w->data);
	w->opt.open_max = 16;
	world_open(w);
	for (int i = 0; i < 50; i++) {
		struct iovec iov = {&id, 8};
		assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
		assert_int_equal(gml_blob_write(blob, 0, &iov, 1), 0);
		gml_blob_unref(blob);
	}
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, hammer_cache, w);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

/* ---- walks ----------------------------------------------------------------------------------- */

struct seen {
	uint64_t count, sum, bytes;
};

static bool see(void *arg, uint64_t id, uint64_t size)
{
	struct seen *s = arg;
	s->count++;
	s->sum += gml_blob_number(id);
	s->bytes += size;
	return true;
}

static void test_walks(void **state)
{
	static const uint64_t ids[] = {1, 4095, 4096, 8191, 8192, 0x10000001, 0x7fffffffffff00};
	struct world *w = *state;
	struct seen s = {0};
	struct gml_blob *blob;
	uint64_t id, sum = 0;
	char path[96];
	int fd;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		w->ids[0] = ids[i] - 1;
		assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
		assert_int_equal(write_text(blob, 0, "four"), 0);
		gml_blob_unref(blob);
		sum += gml_blob_number(id);
	}
	snprintf(path, sizeof(path), "%s/00/00/README", w->dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gml_blob_each(w->data, see, &s), 0);
	assert_int_equal(s.count, 7);
	assert_true(s.sum == sum);
	assert_int_equal(s.bytes, 28);
	s = (struct seen){0};
	assert_int_equal(gml_blob_each_in(w->data, 4095, 4097, see, &s), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.sum, 4095 + 4096 + 8191);
	/* 0x10000001 shares the directory of 1 */
	s = (struct seen){0};
	assert_int_equal(gml_blob_each_in(w->data, 1, 4095, see, &s), 0);
	assert_int_equal(s.count, 2);
	/* One of an unknown kind is shown to the check alone. */
	snprintf(path, sizeof(path), "%s/00/00/7f00000000000002", w->dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	s = (struct seen){0};
	assert_int_equal(gml_blob_each_in(w->data, 1, 4095, see, &s), 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(gml_blob_each_leaf(w->data, 0, see, &s), 0);
	assert_int_equal(s.count, 2 + 3);
	assert_int_equal(gml_blob_each(w->data, see, &s), 0);
	assert_int_equal(s.count, 2 + 3 + 8);
	assert_int_equal(gml_blob_each_in(w->data, 1, 0, see, &s), GML_ERR_INVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_create_refuses_full_directory),
		T(test_open_refuses_what_is_no_store),
		T(test_statfs),
		T(test_blob_round_trip),
		T(test_blob_short_read_only_at_end),
		T(test_blob_write_many_pieces),
		T(test_reserved_blob_appears_when_opened),
		T(test_ids_that_exist_are_stepped_over),
		T(test_unknown_kinds_are_refused),
		T(test_blob_shape),
		T(test_hit_needs_no_file),
		T(test_removed_blob_leaves_the_cache_but_stays_readable),
		T(test_idle_descriptors_are_bounded),
		T(test_idle_descriptors_give_way),
		T(test_sync_error_is_never_forgotten),
		T(test_cache_under_threads),
		T(test_walks),
	};

	return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
