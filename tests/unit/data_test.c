/* Blob files, the descriptor cache and packs, on real directories. `data_test bench [threads]` measures packed writes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "gateway/data/blob.h"

/* ---- counted and failing syncs ------------------------------------------------------------------------------- */

static _Atomic unsigned sync_count;
static _Atomic int sync_errno;

int fdatasync(int fd)
{
	sync_count++;
	if (sync_errno != 0) {
		errno = sync_errno;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* ---- fixture ------------------------------------------------------------------------------------------------- */

struct world {
	char dir[64];
	struct gml_data *data;
	struct gml_data_options opt;
	_Atomic uint64_t ids[2];
	bool sync_in_next_id;
};

static int world_next_id(void *arg, int kind, uint64_t *id_out)
{
	struct world *w = arg;

	/* What the real one does: a commit, whose leader syncs the packs. */
	if (w->sync_in_next_id && gml_pack_sync(w->data) != 0)
		return GML_ERR_IO;
	*id_out = ++w->ids[kind];
	return 0;
}

static void world_open(struct world *w)
{
	w->opt.next_id = world_next_id;
	w->opt.next_id_arg = w;
	assert_int_equal(gml_data_open(w->dir, &w->opt, &w->data), 0);
}

static int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	sync_errno = 0;
	strcpy(w->dir, "/tmp/data-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(gml_data_create(w->dir), 0);
	world_open(w);
	*state = w;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;
	char cmd[16];
	pid_t pid;

	sync_errno = 0;
	gml_data_close(w->data);
	strcpy(cmd, "-rf");
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", cmd, w->dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	free(w);
	return 0;
}

static int write_text(struct gml_blob *blob, uint64_t off, const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};

	return gml_blob_write(blob, off, &iov, 1);
}

static void expect_text(struct gml_blob *blob, uint64_t id, uint64_t off, const char *text)
{
	char buf[128];
	size_t n;

	assert_int_equal(gml_blob_read(blob, id, off, buf, strlen(text), &n), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
}

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* ---- the directory ------------------------------------------------------------------------------------------- */

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

/* ---- blobs --------------------------------------------------------------------------------------------------- */

static void test_blob_round_trip(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	struct stat st;
	char path[96];
	uint64_t id, base;

	w->ids[0] = 0x123455f; /* the next one is 0x1234560 */
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(id, 0x1234560);
	assert_int_equal(gml_blob_id(blob), id);
	assert_int_equal(write_text(blob, 5, "hello"), 0);
	assert_int_equal(gml_blob_sync(blob), 0);
	assert_true(gml_blob_fd(blob, id, &base) >= 0);
	assert_int_equal(base, 0);
	gml_blob_unref(blob);
	gml_data_close(w->data);

	snprintf(path, sizeof(path), "%s/12/34/0000000001234560", w->dir);
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
	assert_int_equal(gml_blob_read(blob, id, UINT64_MAX - 1, buf, sizeof(buf), &n), GML_ERR_INVAL);
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
	w->ids[0] = first - 1;
	assert_int_equal(gml_blob_reserve(w->data, &id), 0);
	assert_int_equal(id, first + 1);
	w->ids[0] = first - 1;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	assert_int_equal(id, first + 1);
	gml_blob_unref(blob);
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

/* ---- cache --------------------------------------------------------------------------------------------------- */

static void test_hit_needs_no_file(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob, *again;
	char path[96];
	uint64_t id;

	w->ids[0] = 6;
	assert_int_equal(gml_blob_create(w->data, &id, &blob), 0);
	gml_blob_unref(blob);
	snprintf(path, sizeof(path), "%s/00/00/0000000000000007", w->dir);
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
		assert_int_equal(gml_blob_open(w->data, (uint64_t)i + 1, 0, &blobs[i]), 0);
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
		uint64_t id = 1 + (unsigned)rand_r(&seed) % 50;
		char back[8] = "";
		size_t n;

		if (gml_blob_open(w->data, id, 0, &blob) != 0)
			return (void *)"open";
		if (gml_blob_read(blob, id, 0, back, sizeof(back), &n) != 0 || n != 8 || memcmp(back, &id, 8) != 0)
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

/* ---- packs --------------------------------------------------------------------------------------------------- */

static void test_segments(void **state)
{
	static char big[GML_PACK_SEGMENT_MAX], back[GML_PACK_SEGMENT_MAX];
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t a, b, c, base;
	size_t n;

	memset(big, 'B', sizeof(big));
	assert_int_equal(gml_pack_append(w->data, "first", 5, &a), 0);
	assert_int_equal(gml_pack_append(w->data, "second", 6, &b), 0);
	assert_int_equal(gml_pack_append(w->data, big, sizeof(big), &c), 0);
	assert_true(a & GML_BLOB_PACKED);
	assert_int_equal(gml_pack_number(a), 1);
	assert_int_equal(gml_pack_offset(a), 0);
	assert_int_equal(gml_pack_offset(b), 64);
	assert_int_equal(gml_pack_offset(c), 4096);
	assert_true(gml_pack_is_current(w->data, a));
	assert_int_equal(gml_pack_sync(w->data), 0);

	assert_int_equal(gml_blob_open(w->data, c, 0, &blob), 0);
	assert_int_equal(gml_blob_read(blob, c, 0, back, sizeof(back), &n), 0);
	assert_int_equal(n, sizeof(back));
	assert_memory_equal(back, big, n);
	expect_text(blob, b, 0, "second"); /* one descriptor for all segments of a pack */
	assert_true(gml_blob_fd(blob, b, &base) >= 0);
	assert_int_equal(base, 64);
	assert_int_equal(write_text(blob, 0, "no"), GML_ERR_INVAL);
	assert_int_equal(gml_blob_truncate(blob, 0), GML_ERR_INVAL);
	assert_int_equal(gml_blob_punch(blob, 0, 1), GML_ERR_INVAL);
	gml_blob_unref(blob);
	assert_int_equal(gml_pack_append(w->data, big, sizeof(big) + 1, &a), GML_ERR_INVAL);
	assert_int_equal(gml_pack_append(w->data, big, 0, &a), GML_ERR_INVAL);
}

static void test_one_sync_for_all(void **state)
{
	struct world *w = *state;
	unsigned before;
	uint64_t id;

	for (int i = 0; i < 100; i++)
		assert_int_equal(gml_pack_append(w->data, "x", 1, &id), 0);
	before = sync_count;
	assert_int_equal(gml_pack_sync(w->data), 0);
	assert_int_equal(sync_count - before, 1);
	assert_int_equal(gml_pack_sync(w->data), 0);
	assert_int_equal(sync_count - before, 1);
}

static void test_failed_pack_sync_is_final(void **state)
{
	struct world *w = *state;
	uint64_t id;

	assert_int_equal(gml_pack_append(w->data, "x", 1, &id), 0);
	sync_errno = EIO;
	assert_int_equal(gml_pack_sync(w->data), GML_ERR_IO);
	sync_errno = 0;
	assert_int_equal(gml_pack_sync(w->data), GML_ERR_IO);
	assert_int_equal(gml_pack_append(w->data, "x", 1, &id), GML_ERR_IO);
}

static bool count_pack(void *arg, uint64_t pack)
{
	*(uint64_t *)arg += pack;
	return true;
}

static void test_roll_over(void **state)
{
	static char seg[65536];
	struct world *w = *state;
	uint64_t id = 0, first = 0, sum = 0, size, space, space_after;
	struct gml_blob *blob;
	unsigned before;

	gml_data_close(w->data);
	w->opt.pack_size = 1 << 20;
	w->sync_in_next_id = true;
	w->ids[1] = 0;
	world_open(w);
	for (int i = 0; i < 40; i++) {
		memset(seg, 'a' + i % 26, sizeof(seg));
		assert_int_equal(gml_pack_append(w->data, seg, sizeof(seg), &id), 0);
		if (i == 0)
			first = id;
	}
	assert_int_equal(gml_pack_number(id), 3);
	before = sync_count;
	assert_int_equal(gml_pack_sync(w->data), 0);
	assert_int_equal(sync_count - before, 1); /* the full ones were synced while rolling */
	assert_false(gml_pack_is_current(w->data, first));
	assert_int_equal(gml_pack_each(w->data, count_pack, &sum), 0);
	assert_int_equal(sum, 1 + 2 + 3);

	assert_int_equal(gml_pack_stat(w->data, 1, &size, &space), 0);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(gml_blob_remove(w->data, first, 65536), 0);
	gml_pack_flush_removed(w->data);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &space_after), 0);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(space_after, space - 65536);
	assert_int_equal(gml_pack_punch(w->data, 1, 65536, 65536), 0);
	assert_int_equal(gml_blob_open(w->data, gml_pack_id(1, 131072), 0, &blob), 0);
	expect_text(blob, gml_pack_id(1, 131072), 0, "cccc");
	gml_blob_unref(blob);
	assert_int_equal(gml_pack_remove(w->data, 1), 0);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &space), GML_ERR_NOENT);
	assert_int_equal(gml_blob_open(w->data, first, 0, &blob), GML_ERR_NOENT);
	assert_int_equal(gml_blob_remove(w->data, first, 65536), 0); /* missing: success */
}

static void test_small_segments_share_blocks(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t a, b;

	assert_int_equal(gml_pack_append(w->data, "one", 3, &a), 0);
	assert_int_equal(gml_pack_append(w->data, "two", 3, &b), 0);
	assert_int_equal(gml_blob_remove(w->data, a, 3), 0);
	gml_pack_flush_removed(w->data);
	assert_int_equal(gml_blob_open(w->data, b, 0, &blob), 0);
	expect_text(blob, b, 0, "two");
	gml_blob_unref(blob);
}

/* Together they fill blocks that none of them fills alone; a living one in between keeps its own. */
static void test_removed_neighbours_free_their_blocks(void **state)
{
	struct world *w = *state;
	uint64_t ids[128], size, before, after;
	char text[700];
	struct gml_blob *blob;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 128; i++)
		assert_int_equal(gml_pack_append(w->data, text, sizeof(text), &ids[i]), 0);
	assert_int_equal(gml_pack_sync(w->data), 0);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &before), 0);
	for (int i = 127; i >= 0; i--)
		if (i != 64)
			assert_int_equal(gml_blob_remove(w->data, ids[i], sizeof(text)), 0);
	for (int i = 0; i < 50; i++) { /* the sweeper does it */
		assert_int_equal(gml_pack_stat(w->data, 1, &size, &after), 0);
		if (after != before)
			break;
		usleep(100000);
	}
	gml_pack_flush_removed(w->data);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &after), 0);
	assert_true(before - after >= 128 * 704 - 3 * 4096);
	assert_int_equal(gml_blob_open(w->data, ids[64], 0, &blob), 0);
	expect_text(blob, ids[64], 0, "xxxxxxx");
	expect_text(blob, ids[64], 693, "xxxxxxx");
	gml_blob_unref(blob);
}

static void test_close_trims_zeros(void **state)
{
	struct world *w = *state;
	uint64_t id, size, space;

	assert_int_equal(gml_pack_append(w->data, "abc", 3, &id), 0);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &space), 0);
	assert_int_equal(size, 8 << 20);
	gml_data_close(w->data);
	world_open(w);
	assert_int_equal(gml_pack_stat(w->data, 1, &size, &space), 0);
	assert_int_equal(size, 64);
}

struct appender {
	struct world *w;
	unsigned number, count, len;
	uint64_t ids[400];
	int rc;
	pthread_t thread;
};

static void *append_some(void *arg)
{
	struct appender *a = arg;
	char *buf = malloc(a->len);

	for (unsigned i = 0; a->rc == 0 && i < a->count; i++) {
		memset(buf, (int)(a->number * 31 + i) & 0xff, a->len);
		a->rc = gml_pack_append(a->w->data, buf, a->len, &a->ids[i % 400]);
		if (a->rc == 0)
			a->rc = gml_pack_sync(a->w->data);
	}
	free(buf);
	return NULL;
}

static void test_packs_under_threads(void **state)
{
	static struct appender a[16];
	struct world *w = *state;
	unsigned before = sync_count;
	char back[6000];
	size_t n;

	gml_data_close(w->data);
	w->opt.pack_size = 4 << 20;
	w->sync_in_next_id = true;
	world_open(w);
	for (unsigned i = 0; i < 16; i++) {
		a[i] = (struct appender){.w = w, .number = i, .count = 100, .len = 300 + i * 350};
		pthread_create(&a[i].thread, NULL, append_some, &a[i]);
	}
	for (unsigned i = 0; i < 16; i++) {
		pthread_join(a[i].thread, NULL);
		assert_int_equal(a[i].rc, 0);
	}
	assert_true(sync_count - before < 1600); /* shared */
	for (unsigned i = 0; i < 16; i++)
		for (unsigned k = 0; k < a[i].count; k++) {
			struct gml_blob *blob;

			assert_int_equal(gml_blob_open(w->data, a[i].ids[k], 0, &blob), 0);
			assert_int_equal(gml_blob_read(blob, a[i].ids[k], 0, back, a[i].len, &n), 0);
			assert_int_equal(n, a[i].len);
			for (unsigned b = 0; b < a[i].len; b++)
				assert_int_equal((unsigned char)back[b], (i * 31 + k) & 0xff);
			gml_blob_unref(blob);
		}
}

/* What was synced is there after kill -9, and what was not does no harm. */
static void test_killed_process_keeps_synced_segments(void **state)
{
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t ids[64];
	int pipefd[2], got = 0;
	pid_t pid;

	gml_data_close(w->data);
	w->data = NULL;
	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (pid == 0) {
		world_open(w);
		for (int i = 0; i < 1000000; i++) {
			char text[5000];
			uint64_t id;

			memset(text, 'a' + i % 26, sizeof(text));
			if (gml_pack_append(w->data, text, sizeof(text), &id) != 0 || gml_pack_sync(w->data) != 0)
				_exit(1);
			if (write(pipefd[1], &id, 8) != 8)
				_exit(0);
		}
		_exit(0);
	}
	close(pipefd[1]);
	while (got < 64 && read(pipefd[0], &ids[got], 8) == 8)
		got++;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipefd[0]);
	assert_int_equal(got, 64);
	world_open(w);
	for (int i = 0; i < got; i++) {
		char back[5000];
		size_t n;

		assert_int_equal(gml_blob_open(w->data, ids[i], 0, &blob), 0);
		assert_int_equal(gml_blob_read(blob, ids[i], 0, back, sizeof(back), &n), 0);
		assert_int_equal(n, sizeof(back));
		assert_int_equal(back[0], 'a' + i % 26);
		assert_int_equal(back[4999], 'a' + i % 26);
		gml_blob_unref(blob);
	}
}

/* ---- walks --------------------------------------------------------------------------------------------------- */

struct seen {
	uint64_t count, sum, bytes;
};

static bool see(void *arg, uint64_t id, uint64_t size)
{
	struct seen *s = arg;

	s->count++;
	s->sum += id;
	s->bytes += size;
	return true;
}

static void test_walks(void **state)
{
	static const uint64_t ids[] = {1, 4095, 4096, 8191, 8192, 0x10000001, 0x7fffffffffffff00};
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
		sum += id;
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
	assert_int_equal(gml_blob_each_in(w->data, 1, 0, see, &s), GML_ERR_INVAL);
}

/* ---- bench --------------------------------------------------------------------------------------------------- */

static int bench(unsigned nthreads)
{
	static struct appender a[256];
	struct world w = {.dir = "/tmp/data-bench-XXXXXX", .opt = {.next_id = world_next_id}};
	struct timespec start, end;
	double seconds;

	w.opt.next_id_arg = &w;
	if (mkdtemp(w.dir) == NULL || gml_data_create(w.dir) != 0 || gml_data_open(w.dir, &w.opt, &w.data) != 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < nthreads; i++) {
		a[i] = (struct appender){.w = &w, .number = i, .count = 60000 / nthreads, .len = 4096};
		pthread_create(&a[i].thread, NULL, append_some, &a[i]);
	}
	for (unsigned i = 0; i < nthreads; i++)
		pthread_join(a[i].thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	printf("%u threads: %.0f durable 4 KiB appends/s, %u syncs\n", nthreads,
	       (double)(60000 / nthreads * nthreads) / seconds, (unsigned)sync_count);
	gml_data_close(w.data);
	printf("left in %s\n", w.dir);
	return 0;
}

int main(int argc, char **argv)
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
		T(test_blob_shape),
		T(test_hit_needs_no_file),
		T(test_removed_blob_leaves_the_cache_but_stays_readable),
		T(test_idle_descriptors_are_bounded),
		T(test_idle_descriptors_give_way),
		T(test_sync_error_is_never_forgotten),
		T(test_cache_under_threads),
		T(test_segments),
		T(test_one_sync_for_all),
		T(test_failed_pack_sync_is_final),
		T(test_roll_over),
		T(test_small_segments_share_blocks),
		T(test_removed_neighbours_free_their_blocks),
		T(test_close_trims_zeros),
		T(test_packs_under_threads),
		T(test_killed_process_keeps_synced_segments),
		T(test_walks),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0)
		return bench(argc > 2 ? (unsigned)atoi(argv[2]) % 257 : 64);
	return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
