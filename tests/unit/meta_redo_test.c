// SPDX-License-Identifier: Apache-2.0
/* The redo log's own promises: room, order, what is left of an earlier life, stores that get their
 * first log, pins. */
#include "meta_disk.h"
#include <dirent.h>
#include <lmdb.h>
#include <sys/wait.h>
#include "gateway/base/crc.h"
#include "gateway/meta/lmdb/lmdb_internal.h"

#define RING (64 << 10)
#define MANY 1000000

struct put {
	const char *key;
	uint64_t number;
	size_t size;
};

static int put_fn(struct gml_txn *txn, void *arg)
{
	const struct put *put = arg;
	uint8_t *value = calloc(1, put->size + 8);
	int rc = value == NULL ? GML_ERR_NOMEM : 0;
	if (rc == 0) {
		memcpy(value, &put->number, 8);
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(put->key), SPAN(value, put->size + 8));
	}
	free(value);
	return rc;
}

static void put(struct meta_env *env, const char *key, uint64_t number, size_t size)
{
	struct put what = {key, number, size};
	meta_env_update(env, put_fn, &what);
}

/* 0: not there. */
static uint64_t got(struct meta_env *env, const char *key)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span value;
	uint64_t number = 0;
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR(key), &value);
	if (rc == 0)
		memcpy(&number, value.ptr, 8);
	gml_meta_read_end(txn);
	assert_true(rc == 0 || rc == GML_ERR_NOENT);
	return number;
}

static struct meta_env *control_open(const struct meta_env *env)
{
	struct meta_env *control = disk_control(env);
	assert_int_equal(gml_meta_open(control->dir, &control->opt, &control->meta), 0);
	return control;
}

static uint64_t control_got(const struct meta_env *env, const char *key)
{
	struct meta_env *control = control_open(env);
	uint64_t number = got(control, key);
	meta_env_free(control);
	return number;
}

/* ---- room ---- */
static void *put_until_stuck(void *arg)
{
	struct meta_env *env = arg;
	for (uint64_t i = 1; i <= 400; i++) {
		put(env, "n", i, 1000);
		disk_add(DISK_ACK, DISK_DATA, 0, NULL, 0, 0, i);
	}
	return NULL;
}

static uint64_t acked(void)
{
	uint64_t number = 0;
	for (size_t i = 0; i < disk->n; i++)
		if (disk->events[i].there && disk->events[i].what == DISK_ACK)
			number = disk->events[i].number;
	return number;
}

/* The ring fills while a checkpoint waits for the disk: nothing that is needed is written over, so
 * the writers wait, and everything goes on when the checkpoint is through. */
static void test_full_ring(void **state)
{
	struct meta_env *env = *state;
	pthread_t thread;
	uint64_t before = 0, now;
	gml_checkpoint_pages = MANY; /* only the log's half starts it */
	put(env, "first", 1, 10);
	disk_watch(env);
	disk->hang = true;
	assert_int_equal(pthread_create(&thread, NULL, put_until_stuck, env), 0);
	while ((now = acked()) == 0 || now != before) { /* until nothing moves */
		before = now;
		usleep(100000);
	}
	assert_in_range(now, RING / 2 / 1100, RING / 1000); /* about a ring full, and no more */
	assert_in_range(control_got(env, "n"), now, now + 1);
	disk->hang = false;
	pthread_join(thread, NULL);
	assert_int_equal(got(env, "n"), 400);
	assert_int_equal(control_got(env, "n"), 400);
	disk_forget();
}

/* Many records of 1500 bytes in one change. */
struct heap {
	int first, count;
};

static int heap_put(struct gml_txn *txn, void *arg)
{
	static const uint8_t value[1500];
	const struct heap *heap = arg;
	char key[16];
	int rc = 0;
	for (int i = 0; rc == 0 && i < heap->count; i++) {
		snprintf(key, sizeof(key), "heap%d", heap->first + i);
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(value, sizeof(value)));
	}
	return rc;
}

static int heap_del(struct gml_txn *txn, void *arg)
{
	const struct heap *heap = arg;
	char key[16];
	snprintf(key, sizeof(key), "heap%d", heap->first);
	return gml_txn_del(txn, GML_TABLE_JOURNAL, STR(key));
}

static int heap_grow(struct meta_env *env, int from)
{
	struct heap heap = {from, 50};
	int rc;
	while (gml_meta_update(env->meta, heap_put, &heap) == 0)
		heap.first += heap.count;
	heap.count = 1; /* pages come back behind checkpoints: there may be room for some yet */
	while ((rc = gml_meta_update_relaxed(env->meta, heap_put, &heap)) == 0)
		heap.first++;
	assert_int_equal(rc, GML_ERR_NOSPC);
	return heap.first;
}

/* A full disk, and a full map, can be emptied: each removal is a change that wants pages first.
 * Then there is room again. */
static void test_full_store_is_emptied(void **state)
{
	struct meta_env *env = *state;
	disk_watch(env);
	for (int full_at = 24 << 20; full_at >= 0; full_at -= 24 << 20) {
		int most, again;
		disk->full_at = full_at;
		most = heap_grow(env, 0);
		assert_true(most > 2000);
		meta_env_reopen(env);
		for (struct heap heap = {0, 1}; heap.first < most; heap.first++)
			assert_int_equal(gml_meta_update_relaxed(env->meta, heap_del, &heap), 0);
		again = heap_grow(env, 0);
		assert_in_range(again, most / 2, 2 * most);
		meta_env_reopen(env);
		for (struct heap heap = {again - 1, 1}; heap.first >= 0; heap.first--)
			assert_int_equal(gml_meta_update_relaxed(env->meta, heap_del, &heap), 0);
	}
	assert_int_equal(env->log_errors, 0);
	disk_forget();
}

/* What is larger than the log can take is durable by a checkpoint, also when nobody asked to
 * wait. */
static void test_large_transaction(void **state)
{
	struct meta_env *env = *state;
	struct put large = {"large", 2, 3 << 20};
	struct gml_meta_stats before, after;
	put(env, "small", 1, 10);
	gml_meta_stats_get(env->meta, &before);
	meta_env_update(env, put_fn, &large);
	gml_meta_stats_get(env->meta, &after);
	assert_true(after.checkpoints > before.checkpoints);
	assert_int_equal(after.log_bytes, before.log_bytes);
	put(env, "small", 3, 10);
	assert_int_equal(control_got(env, "large"), 2);
	assert_int_equal(control_got(env, "small"), 3);
	large.number = 4;
	assert_int_equal(gml_meta_update_relaxed(env->meta, put_fn, &large), 0);
	assert_int_equal(control_got(env, "large"), 4);
}

/* ---- what is left of earlier lives ---- */
/* A power cut lost the third of five records, which nobody had waited for; the others are on the
 * disk. What is written in its place is followed by the old fourth, byte for byte where a fourth
 * would stand. */
static void test_stale_records(void **state)
{
	struct meta_env *env = *state, *control;
	struct disk_image image = {0};
	uint64_t seed = 1;
	size_t record[8], n = 0;
	gml_checkpoint_pages = MANY;
	gml_meta_close(env->meta);
	env->meta = NULL;
	disk_watch(env);
	disk_image_init(&image, env->dir);
	disk->recording = true;
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct put what = {"n", i, 100};
		assert_int_equal(gml_meta_update_relaxed(env->meta, put_fn, &what), 0);
	}
	disk->recording = false;
	for (size_t i = 0; i < disk->n && n < 8; i++)
		if (disk->events[i].what == DISK_WRITE && disk->events[i].file == DISK_LOG &&
		    disk->events[i].off >= 16384)
			record[n++] = i;
	assert_int_equal(n, 5);
	disk->events[record[2]].there = false;
	disk_image_room(&image);
	while (seed % 4 != 1)
		seed++;
	disk_image_build(&image, disk->n, &seed);
	disk_forget();
	gml_meta_close(env->meta);
	env->meta = NULL;
	disk_image_install(&image, env->dir, false);
	disk_image_release(&image);
	meta_env_reopen(env);
	assert_int_equal(got(env, "n"), 2);
	put(env, "n", 3, 100); /* the same bytes but for the chain */
	control = control_open(env);
	assert_int_equal(got(control, "n"), 3);
	meta_env_free(control);
}

/* ---- damage ---- */
static uint64_t file_sum(const struct meta_env *env, const char *name)
{
	uint8_t buf[65536];
	uint64_t crc = 0;
	char path[96];
	ssize_t n;
	int fd;
	snprintf(path, sizeof(path), "%s/%s", env->dir, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		crc = gml_crc_update(GML_CRC_64NVME, crc, buf, (size_t)n);
	close(fd);
	return crc;
}

static void flip(const struct meta_env *env, const char *name, off_t at)
{
	char path[96];
	uint8_t byte;
	int fd;
	snprintf(path, sizeof(path), "%s/%s", env->dir, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static uint32_t log_u32(const struct meta_env *env, off_t at)
{
	uint8_t bytes[4];
	char path[96];
	int fd;
	snprintf(path, sizeof(path), "%s/redo", env->dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, 4, at), 4);
	close(fd);
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void assert_refused(struct meta_env *env)
{
	uint64_t data = file_sum(env, "data.mdb"), redo = file_sum(env, "redo");
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_CORRUPT);
	assert_null(env->meta);
	assert_true(file_sum(env, "data.mdb") == data && file_sum(env, "redo") == redo);
}

/* All processes died. A bit of any record but the last, wherever it is: what was acknowledged is
 * not dropped in silence, and nothing is changed. */
static void test_damaged_record(void **state)
{
	struct meta_env *env = *state, *control;
	off_t end = 16384;
	gml_checkpoint_pages = MANY;
	for (uint64_t i = 1; i <= 5; i++)
		put(env, "n", i, 100);
	control = disk_control(env);
	for (int i = 0; i < 4; i++)
		end += log_u32(control, end + 4);
	assert_in_range(end, 16384 + 4 * 150, 16384 + 4 * 200);
	for (off_t at = 16384; at < end; at += 3) {
		flip(control, "redo", at);
		assert_refused(control);
		flip(control, "redo", at);
	}
	assert_int_equal(gml_meta_open(control->dir, &control->opt, &control->meta), 0);
	assert_int_equal(got(control, "n"), 5);
	meta_env_free(control);
}

/* What was dropped by a power cut stands in the log still, and is not taken for damage later. */
static void test_dropped_records(void **state)
{
	struct meta_env *env = *state, *control;
	gml_checkpoint_pages = MANY;
	gml_checkpoint_flush_ms = 3600 * 1000;
	for (uint64_t i = 1; i <= 5; i++) {
		struct put what = {"n", i, 100};
		assert_int_equal(gml_meta_update_relaxed(env->meta, put_fn, &what), 0);
	}
	control = disk_control(env);
	flip(control, "redo", 16384 + log_u32(control, 16384 + 4) + 60); /* the second */
	assert_int_equal(gml_meta_open(control->dir, &control->opt, &control->meta), 0);
	assert_int_equal(got(control, "n"), 1);
	put(control, "m", 1, 0);
	assert_int_equal(control_got(control, "m"), 1);
	meta_env_free(control);
}

/* Of the two copies of the last checkpoint one is enough. */
static void test_damaged_slot(void **state)
{
	struct meta_env *env = *state, *control;
	struct put large = {"large", 7, 3 << 20}; /* has no record */
	put(env, "n", 1, 10);
	meta_env_update(env, put_fn, &large);
	put(env, "n", 2, 10);
	for (int orderly = 0; orderly < 2; orderly++) {
		for (off_t at = 4096; at <= 8192; at += 4096) {
			control = disk_control(env);
			flip(control, "redo", at + 9);
			assert_int_equal(gml_meta_open(control->dir, &control->opt, &control->meta),
					 0);
			assert_int_equal(got(control, "large"), 7);
			assert_int_equal(got(control, "n"), 2);
			meta_env_free(control);
		}
		control = disk_control(env);
		flip(control, "redo", 4096 + 9);
		flip(control, "redo", 8192 + 9);
		assert_refused(control);
		meta_env_free(control);
		gml_meta_close(env->meta);
		env->meta = NULL;
	}
	meta_env_reopen(env);
}

static void test_cut_data(void **state)
{
	struct meta_env *env = *state;
	struct put large = {"large", 7, 3 << 20};
	char path[96];
	meta_env_update(env, put_fn, &large);
	gml_meta_close(env->meta);
	env->meta = NULL;
	snprintf(path, sizeof(path), "%s/data.mdb", env->dir);
	assert_int_equal(truncate(path, 100 * 4096), 0);
	assert_refused(env);
}

/* Numbers of transactions stand in records: a recovery must not give them out again. */
static int seq_fn(struct gml_txn *txn, void *arg)
{
	*(uint64_t *)arg = gml_txn_seq(txn);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR("seq"), STR("x"));
}

static void test_numbers_go_on(void **state)
{
	struct meta_env *env = *state, *control;
	uint64_t last, next;
	for (int i = 0; i < 20; i++)
		meta_env_update(env, seq_fn, &last);
	control = control_open(env);
	meta_env_update(control, seq_fn, &next);
	assert_int_equal(next,
			 last + 2); /* one skipped the numbers that may have been given and lost */
	meta_env_free(control);
}

/* Numbers that were given stand in clients' handles: after a crash they begin beyond any that may
 * be lost, after an orderly end where they were. */
static int id_fn(struct gml_txn *txn, void *arg)
{
	uint64_t *id = arg;
	*id = gml_txn_next_id(txn);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR("id"), SPAN(id, 8));
}

static void test_numbers_are_skipped(void **state)
{
	struct meta_env *env = *state, *control;
	uint64_t last, next;
	meta_env_update(env, id_fn, &last);
	assert_int_equal(last, 2); /* a new store was not left in disorder */
	control = control_open(env);
	meta_env_update(control, id_fn, &next);
	assert_int_equal(next, last + RING / 4 + 1);
	meta_env_reopen(control);
	meta_env_update(control, id_fn, &last);
	assert_int_equal(last, next + 1);
	meta_env_free(control);
}

/* ---- what was acknowledged early is flushed by a thread ---- */
static int relaxed_fn(struct gml_txn *txn, void *arg)
{
	gml_txn_durability(txn, true);
	return put_fn(txn, arg);
}

static void relaxed(struct meta_env *env, uint64_t number)
{
	struct put what = {"n", number, 10};
	meta_env_update(env, relaxed_fn, &what);
}

static void await_flush(struct meta_env *env)
{
	while (gml_redo_lags(&gml_lmdb_of(env->meta)->redo)) /* alarm() ends it */
		usleep(1000);
}

static void test_flushed_in_time(void **state)
{
	struct meta_env *env = *state;
	gml_checkpoint_flush_ms = 1;
	for (uint64_t n = 1; n <= 50; n++) {
		relaxed(env, n);
		if (n % 10 == 0)
			await_flush(env);
	}
	await_flush(env);
	gml_meta_close(env->meta);
	env->meta = NULL;
	gml_checkpoint_flush_ms = 3600 * 1000;
	meta_env_reopen(env);
	relaxed(env, 51);
	assert_true(gml_redo_lags(&gml_lmdb_of(env->meta)->redo));
	meta_env_reopen(env);
	assert_false(gml_redo_lags(&gml_lmdb_of(env->meta)->redo));
	assert_int_equal(got(env, "n"), 51);
}

/* How often the threads of this process, but for this one, went to sleep. */
static unsigned long sleeps(void)
{
	unsigned long sum = 0, one;
	struct dirent *e;
	DIR *dir = opendir("/proc/self/task");
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		char path[300], line[100];
		FILE *file;
		if (e->d_name[0] == '.' || atoi(e->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		file = fopen(path, "r");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			if (sscanf(line, "voluntary_ctxt_switches: %lu", &one) == 1)
				sum += one;
		if (file != NULL)
			fclose(file);
	}
	closedir(dir);
	return sum;
}

/* When all is flushed, the thread sleeps without an alarm: it would ring a hundred times. */
static void test_rest_is_not_disturbed(void **state)
{
	struct meta_env *env = *state;
	unsigned long before;
#ifdef META_SANITIZED
	skip(); /* its runtime has threads of its own */
#endif
	gml_checkpoint_flush_ms = 1;
	relaxed(env, 1);
	await_flush(env);
	do { /* it may be on its way to bed */
		before = sleeps();
		usleep(100000);
	} while (sleeps() != before);
	assert_true(before > 0);
}

/* The process dies before its thread has done it: another's does. */
static void test_flushed_for_the_dead(void **state)
{
	struct meta_env *env = *state;
	int status;
	pid_t pid;
	gml_meta_close(env->meta);
	env->meta = NULL;
	gml_checkpoint_flush_ms = 100;
	pid = fork();
	if (pid == 0) { /* its own thread would be too late */
		gml_checkpoint_flush_ms = 3600 * 1000;
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
			_exit(1);
		alarm(100);
		while (got(env, "go") == 0)
			usleep(1000);
		relaxed(env, 7);
		raise(SIGKILL);
	}
	meta_env_reopen(env);
	put(env, "go", 1, 10);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(got(env, "n"), 7);
	await_flush(env);
}

/* The flush that comes late fails: as any other that does. */
static void test_late_flush_fails(void **state)
{
	struct meta_env *env = *state;
	struct put what = {"n", 2, 10};
	int rc = 0;
	gml_checkpoint_flush_ms = 1;
	put(env, "n", 1, 10);
	disk_watch(env);
	disk->fail_errno = EIO;
	disk->fail_call = CALL_LOG_FLUSH;
	disk->fail_in = 1;
	relaxed(env, 1);
	while (disk->failed == 0)
		usleep(1000);
	while (rc == 0) /* it is told to all by the shared tail, a moment later */
		rc = gml_meta_update(env->meta, relaxed_fn, &what);
	assert_int_equal(rc, GML_ERR_IO);
	assert_int_equal(gml_meta_flush(env->meta), GML_ERR_IO);
	disk_unwatch();
	meta_env_reopen(env);
	put(env, "n", 3, 10);
	disk_forget();
}

static void test_orderly_close(void **state)
{
	struct meta_env *env = *state;
	struct gml_redo redo;
	struct gml_redo_slot slot;
	struct gml_redo_record record;
	put(env, "n", 7, 10);
	gml_meta_close(env->meta);
	env->meta = NULL;
	gml_redo_init(&redo);
	assert_int_equal(gml_redo_open(&redo, env->dir), 0);
	assert_int_equal(gml_redo_slot_read(&redo, &slot), 0);
	assert_int_equal(gml_redo_read(&redo, slot.pos, slot.chain, slot.txnid + 1, &record),
			 GML_ERR_NOENT);
	gml_redo_release(&redo);
	meta_env_reopen(env);
	assert_int_equal(got(env, "n"), 7);
}

/* ---- stores of other versions ---- */
/* What version 1 left: LMDB alone, fewer tables, no log. */
static void make_version_1(struct meta_env *env)
{
	uint8_t format[20] = {1}, format_key = 1;
	MDB_dbi dbi;
	MDB_env *mdb;
	MDB_txn *txn;
	MDB_val k = {1, &format_key}, v = {20, format};
	meta_env_unlink(env);
	assert_int_equal(mdb_env_create(&mdb), 0);
	assert_int_equal(mdb_env_set_maxdbs(mdb, 32), 0);
	assert_int_equal(mdb_env_set_mapsize(mdb, 64 << 20), 0);
	assert_int_equal(mdb_env_open(mdb, env->dir, MDB_NOTLS | MDB_NOMETASYNC, 0600), 0);
	assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "SUPER", MDB_CREATE, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(mdb);
}

/* It is refused, neither adopted nor made anew, and stays as it was. */
static void test_version_1(void **state)
{
	static const uint8_t uuid[16] = {7};
	struct meta_env *env = *state;
	uint64_t before;
	char path[96];
	gml_meta_close(env->meta);
	env->meta = NULL;
	make_version_1(env);
	before = file_sum(env, "data.mdb");
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_FORMAT);
	assert_null(env->meta);
	assert_int_equal(file_sum(env, "data.mdb"), before);
	snprintf(path, sizeof(path), "%s/redo", env->dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(gml_meta_create(env->dir, uuid, &env->opt), GML_ERR_EXIST);
}

/* Creates the store in a process that dies at the n-th call of a kind; false: it did not come to
 * that. */
static bool create_and_die(struct meta_env *env, enum disk_call call, int n)
{
	static const uint8_t uuid[16] = {9};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		char path[96];
		int fd;
		snprintf(path, sizeof(path), "%s/redo", env->dir);
		fd = open(path, O_RDWR | O_CREAT, 0600); /* a log without a header is none */
		if (fd < 0 || close(fd) != 0)
			_exit(1);
		snprintf(path, sizeof(path), "%s/data.mdb", env->dir);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || close(fd) != 0)
			_exit(1);
		disk_watch(env);
		disk->die_call = call;
		disk->die_in = n;
		_exit(gml_meta_create(env->dir, uuid, &env->opt) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	disk_forget();
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_creation_cut(void **state)
{
	struct meta_env *env = *state;
	static const uint8_t uuid[16] = {8};
	for (int call = CALL_PAGES; call <= CALL_LOG_FLUSH; call++) {
		bool died = true;
		for (int n = 1; died; n++) {
			int rc;
			gml_meta_close(env->meta);
			env->meta = NULL;
			meta_env_unlink(env);
			died = create_and_die(env, (enum disk_call)call, n);
			rc = gml_meta_create(env->dir, uuid, &env->opt);
			assert_true(rc == 0 || rc == GML_ERR_EXIST);
			meta_env_reopen(env);
			assert_int_equal(gml_meta_uuid(env->meta)[0], rc == 0 ? 8 : 9);
			put(env, "new", 6, 10);
			assert_int_equal(control_got(env, "new"), 6);
		}
	}
}

static void test_log_missing(void **state)
{
	struct meta_env *env = *state;
	char path[96];
	put(env, "n", 1, 10);
	gml_meta_close(env->meta);
	env->meta = NULL;
	snprintf(path, sizeof(path), "%s/redo", env->dir);
	assert_int_equal(truncate(path, 4096), 0); /* cut off: both slots are gone */
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_CORRUPT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), GML_ERR_CORRUPT);
}

/* ---- the check ---- */
static void count_problem(void *arg, const char *text)
{
	(void)text;
	++*(int *)arg;
}

/* Every record counts: a byte that changes in one of them is found, in whichever part of it. */
static void test_check(void **state)
{
	struct meta_env *env = *state;
	int problems = 0, fd;
	char path[96];
	gml_checkpoint_pages = MANY;
	for (uint64_t i = 1; i <= 20; i++)
		put(env, "n", i, 100);
	assert_int_equal(gml_meta_check(env->meta, count_problem, &problems), 0);
	assert_int_equal(problems, 0);
	snprintf(path, sizeof(path), "%s/redo", env->dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	for (off_t at = 16384; at < 16384 + 20 * 100; at += 77) { /* inside the records */
		uint8_t byte, other;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		other = byte ^ 0x20;
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		problems = 0;
		assert_int_equal(gml_meta_check(env->meta, count_problem, &problems), 0);
		assert_int_equal(problems, 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	put(env, "n", 21, 100);
	problems = 0;
	assert_int_equal(gml_meta_check(env->meta, count_problem, &problems), 0);
	assert_int_equal(problems, 0);
}

/* ---- pins ---- */
/* A process that has written once and sleeps does not keep the pages of another that goes on: its
 * pin moves along. */
static void test_idle_process(void **state)
{
	struct meta_env *env = *state;
	struct gml_meta_stats stats;
	int ready[2], done[2], status;
	char byte = 'b';
	pid_t pid;
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
			_exit(1);
		put(env, "idle", 1, 10);
		if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
			_exit(1);
		put(env, "idle", 2, 10);
		gml_meta_close(env->meta);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	meta_env_reopen(env);
	for (uint64_t i = 1; i <= 3000; i++)
		put(env, "n", i, 10);
	gml_meta_stats_get(env->meta, &stats);
	assert_true(stats.checkpoints > 20);
	assert_in_range(stats.used, 1, 16 << 20); /* without: about 3000 times six pages */
	assert_int_equal(write(done[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(got(env, "idle"), 2);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

static int redo_setup(void **state)
{
	gml_redo_size = RING;
	gml_checkpoint_pages = 150;
	gml_checkpoint_flush_ms = 1000;
	return meta_env_setup(state);
}

static int redo_teardown(void **state)
{
	if (disk != NULL)
		disk->hang = false; /* or the thread never ends */
	meta_env_teardown(state);
	disk_forget();
	return 0;
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, redo_setup, redo_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_full_ring),
		WITH_STORE(test_large_transaction),
		WITH_STORE(test_stale_records),
		WITH_STORE(test_numbers_go_on),
		WITH_STORE(test_orderly_close),
		WITH_STORE(test_version_1),
		WITH_STORE(test_creation_cut),
		WITH_STORE(test_log_missing),
		WITH_STORE(test_damaged_record),
		WITH_STORE(test_dropped_records),
		WITH_STORE(test_damaged_slot),
		WITH_STORE(test_cut_data),
		WITH_STORE(test_check),
		WITH_STORE(test_idle_process),
		WITH_STORE(test_full_store_is_emptied),
		WITH_STORE(test_numbers_are_skipped),
		WITH_STORE(test_flushed_in_time),
		WITH_STORE(test_flushed_for_the_dead),
		WITH_STORE(test_late_flush_fails),
		WITH_STORE(test_rest_is_not_disturbed),
	};
	alarm(120);
	return cmocka_run_group_tests_name("meta_redo", tests, NULL, NULL);
}
