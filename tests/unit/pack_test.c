// SPDX-License-Identifier: Apache-2.0
/* Packs, on real directories. `pack_test bench [threads]` measures durable appends. */
#include "data_support.h"

/* ---- packs ----------------------------------------------------------------------------------- */

static void test_segments(void **state)
{
	static char big[GML_PACK_SEGMENT_MAX], back[GML_PACK_SEGMENT_MAX];
	struct world *w = *state;
	struct gml_blob *blob;
	uint64_t a, b, c, base;
	size_t n;
	memset(big, 'B', sizeof(big));
	assert_int_equal(gml_pack_append(w->data, "first", 5, &a, &pack_sum), 0);
	assert_int_equal(gml_pack_append(w->data, "second", 6, &b, &pack_sum), 0);
	assert_int_equal(gml_pack_append(w->data, big, sizeof(big), &c, &pack_sum), 0);
	assert_int_equal(pack_sum, gml_sum_of(big, sizeof(big)));
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
	assert_int_equal(gml_pack_append(w->data, big, sizeof(big) + 1, &a, &pack_sum),
			 GML_ERR_INVAL);
	assert_int_equal(gml_pack_append(w->data, big, 0, &a, &pack_sum), GML_ERR_INVAL);
}

static void test_one_sync_for_all(void **state)
{
	struct world *w = *state;
	unsigned before;
	uint64_t id;
	for (int i = 0; i < 100; i++)
		assert_int_equal(gml_pack_append(w->data, "x", 1, &id, &pack_sum), 0);
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
	assert_int_equal(gml_pack_append(w->data, "x", 1, &id, &pack_sum), 0);
	sync_errno = EIO;
	assert_int_equal(gml_pack_sync(w->data), GML_ERR_IO);
	sync_errno = 0;
	assert_int_equal(gml_pack_sync(w->data), GML_ERR_IO);
	assert_int_equal(gml_pack_append(w->data, "x", 1, &id, &pack_sum), GML_ERR_IO);
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
		assert_int_equal(gml_pack_append(w->data, seg, sizeof(seg), &id, &pack_sum), 0);
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
	assert_int_equal(gml_pack_append(w->data, "one", 3, &a, &pack_sum), 0);
	assert_int_equal(gml_pack_append(w->data, "two", 3, &b, &pack_sum), 0);
	assert_int_equal(gml_blob_remove(w->data, a, 3), 0);
	gml_pack_flush_removed(w->data);
	assert_int_equal(gml_blob_open(w->data, b, 0, &blob), 0);
	expect_text(blob, b, 0, "two");
	gml_blob_unref(blob);
}

/* Together they fill blocks that none of them fills alone; a living one in between keeps its
 * own. */
static void test_removed_neighbours_free_their_blocks(void **state)
{
	struct world *w = *state;
	uint64_t ids[128], size, before, after;
	char text[700];
	struct gml_blob *blob;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 128; i++)
		assert_int_equal(gml_pack_append(w->data, text, sizeof(text), &ids[i], &pack_sum),
				 0);
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
	assert_int_equal(gml_pack_append(w->data, "abc", 3, &id, &pack_sum), 0);
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
		a->rc = gml_pack_append(a->w->data, buf, a->len, &a->ids[i % 400], &pack_sum);
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
			assert_int_equal(gml_blob_read(blob, a[i].ids[k], 0, back, a[i].len, &n),
					 0);
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
			if (gml_pack_append(w->data, text, sizeof(text), &id, &pack_sum) != 0 ||
			    gml_pack_sync(w->data) != 0)
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

/* ---- bench ----------------------------------------------------------------------------------- */

static int bench(unsigned nthreads)
{
	static struct appender a[256];
	struct world w = {.dir = "/tmp/data-bench-XXXXXX", .opt = {.next_id = world_next_id}};
	struct timespec start, end;
	double seconds;
	w.opt.next_id_arg = &w;
	if (nthreads == 0 || mkdtemp(w.dir) == NULL || gml_data_create(w.dir) != 0 ||
	    gml_data_open(w.dir, &w.opt, &w.data) != 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < nthreads; i++) {
		a[i] = (struct appender){
			.w = &w, .number = i, .count = 60000 / nthreads, .len = 4096};
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
		T(test_segments),
		T(test_one_sync_for_all),
		T(test_failed_pack_sync_is_final),
		T(test_roll_over),
		T(test_small_segments_share_blocks),
		T(test_removed_neighbours_free_their_blocks),
		T(test_close_trims_zeros),
		T(test_packs_under_threads),
		T(test_killed_process_keeps_synced_segments),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0)
		return bench(argc > 2 ? 1 + (unsigned)atoi(argv[2]) % 256 : 64);
	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
