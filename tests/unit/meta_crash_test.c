/* Power cuts and failing disks. Every write and flush that LMDB makes to data.mdb passes through here: it is recorded,
 * so that any state that the disk may have had at any moment can be rebuilt and opened; or it is made to fail. */
#include "meta_support.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- the disk ---- */
enum disk_what { DISK_WRITE, DISK_FLUSHED, DISK_ACK };
struct disk_event {
	enum disk_what what;
	off_t off;  /* write */
	size_t len; /* write; flushed: every event before this index was covered */
	uint8_t *bytes;
	int writer;	 /* ack */
	uint64_t number; /* ack */
};

static struct disk {
	pthread_mutex_t lock;
	bool recording;
	dev_t dev;
	ino_t ino;
	struct disk_event *events;
	size_t n, cap;
	int fail_in; /* the n-th call from now fails; 0: none */
	int fail_errno;
	int failed;							/* calls that were made to fail */
	bool die;							/* SIGKILL once the meta page is written */
	enum disk_call { CALL_PAGES, CALL_META, CALL_FLUSH } fail_call; /* the kind that counts */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool disk_is(int fd)
{
	struct stat st;
	return disk.ino != 0 && fstat(fd, &st) == 0 && st.st_ino == disk.ino && st.st_dev == disk.dev;
}

static size_t disk_add(enum disk_what what, off_t off, const void *bytes, size_t len, int writer, uint64_t number)
{
	struct disk_event event = {what, off, len, NULL, writer, number};
	size_t index;
	if (bytes != NULL) {
		event.bytes = malloc(len + 1);
		memcpy(event.bytes, bytes, len);
	}
	pthread_mutex_lock(&disk.lock);
	if (disk.n == disk.cap) {
		disk.cap = disk.cap ? disk.cap * 2 : 1024;
		disk.events = realloc(disk.events, disk.cap * sizeof(*disk.events));
	}
	index = disk.n;
	disk.events[disk.n++] = event;
	pthread_mutex_unlock(&disk.lock);
	return index;
}

/* True: this call is the one that fails. */
static bool disk_fails(enum disk_call call)
{
	bool fails = false;
	pthread_mutex_lock(&disk.lock);
	if (disk.fail_in > 0 && disk.fail_call == call && --disk.fail_in == 0) {
		fails = true;
		disk.failed++;
		errno = disk.fail_errno;
	}
	pthread_mutex_unlock(&disk.lock);
	return fails;
}

#define REAL(name, type)                                                                                               \
	static __typeof__(type) *real;                                                                                 \
	if (real == NULL)                                                                                              \
	real = (__typeof__(type) *)dlsym(RTLD_NEXT, name)

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	REAL("pwrite", ssize_t(int, const void *, size_t, off_t));
	ssize_t n;
	if (!disk_is(fd))
		return real(fd, buf, len, off);
	if (disk_fails(off < 2 * 4096 ? CALL_META : CALL_PAGES)) /* meta pages are the first two */
		return -1;
	n = real(fd, buf, len, off);
	if (disk.die && off < 2 * 4096)
		raise(SIGKILL);
	if (disk.recording && n > 0)
		disk_add(DISK_WRITE, off, buf, (size_t)n, 0, 0);
	return n;
}

__attribute__((visibility("default"))) ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
{
	REAL("writev", ssize_t(int, const struct iovec *, int));
	off_t off;
	ssize_t n, left;
	if (!disk_is(fd))
		return real(fd, iov, iovcnt);
	if (disk_fails(CALL_PAGES))
		return -1;
	off = lseek(fd, 0, SEEK_CUR);
	n = left = real(fd, iov, iovcnt);
	for (int i = 0; disk.recording && left > 0; i++) {
		size_t len = (size_t)left < iov[i].iov_len ? (size_t)left : iov[i].iov_len;
		disk_add(DISK_WRITE, off, iov[i].iov_base, len, 0, 0);
		off += (off_t)len;
		left -= (ssize_t)len;
	}
	return n;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	REAL("fdatasync", int(int));
	size_t covered;
	if (!disk_is(fd))
		return real(fd);
	if (disk_fails(CALL_FLUSH))
		return -1;
	pthread_mutex_lock(&disk.lock);
	covered = disk.n;
	pthread_mutex_unlock(&disk.lock);
	/* The flush itself is left out: the record decides what is safe. */
	if (disk.recording)
		disk_add(DISK_FLUSHED, 0, NULL, covered, 0, 0);
	return 0;
}

static void disk_watch(struct meta_env *env)
{
	char path[96];
	struct stat st;
	snprintf(path, sizeof(path), "%s/data.mdb", env->dir);
	assert_int_equal(stat(path, &st), 0);
	disk.dev = st.st_dev;
	disk.ino = st.st_ino;
	disk.fail_in = disk.failed = 0;
}

static void disk_forget(void)
{
	for (size_t i = 0; i < disk.n; i++)
		free(disk.events[i].bytes);
	free(disk.events);
	disk.events = NULL;
	disk.n = disk.cap = 0;
	disk.recording = false;
	disk.ino = 0;
}

/* ---- the workload ---- */
#define WRITERS 6
#define ROUNDS 60

struct writer {
	struct meta_env *env;
	pthread_t thread;
	int number, rc;
	bool relaxed;
	uint64_t count;
};

static int writer_put(struct gml_txn *txn, void *arg)
{
	struct writer *writer = arg;
	uint8_t filler[300];
	char key[24];
	int rc;
	memset(filler, (int)writer->count, sizeof(filler));
	/* Keys come back soon: pages are freed and used again, which is what a lost meta page makes dangerous. */
	snprintf(key, sizeof(key), "f%d-%d", writer->number, (int)(writer->count * 7919 % 40));
	rc = gml_txn_put(txn, GML_TABLE_XATTR, STR(key), SPAN(filler, writer->count % sizeof(filler)));
	if (rc == 0 && writer->count % 3 == 0) {
		snprintf(key, sizeof(key), "f%d-%d", writer->number, (int)((writer->count + 5) * 7919 % 40));
		rc = gml_txn_del(txn, GML_TABLE_XATTR, STR(key));
		rc = rc == GML_ERR_NOENT ? 0 : rc;
	}
	snprintf(key, sizeof(key), "w%d", writer->number);
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(&writer->count, 8));
	if (rc == 0)
		rc = gml_txn_put(txn, GML_TABLE_LEASE, STR(key), SPAN(&writer->count, 8));
	return rc;
}

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	for (writer->count = 1; writer->count <= ROUNDS; writer->count++) {
		int rc = writer->relaxed ? gml_meta_update_relaxed(writer->env->meta, writer_put, writer)
					 : gml_meta_update(writer->env->meta, writer_put, writer);
		if (rc != 0)
			writer->rc = rc;
		else
			disk_add(DISK_ACK, 0, NULL, 0, writer->number, writer->count);
	}
	return NULL;
}

static void workload(struct meta_env *env, bool relaxed)
{
	struct writer writer[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		writer[i] = (struct writer){env, 0, i, 0, relaxed, 0};
		assert_int_equal(pthread_create(&writer[i].thread, NULL, writer_run, &writer[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writer[i].thread, NULL);
		assert_int_equal(writer[i].rc, 0);
	}
}

/* ---- power cuts ---- */
static uint8_t *file_read(const char *dir, size_t *len_out)
{
	char path[96];
	struct stat st;
	uint8_t *bytes;
	int fd;
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*len_out = (size_t)st.st_size;
	return bytes;
}

static void file_write(const char *dir, const uint8_t *bytes, size_t len)
{
	char path[96];
	int fd;
	snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* What the disk holds when the power goes before event `cut`: all that was flushed, and any part of the rest. */
static void image_build(uint8_t *image, size_t cut, uint64_t *seed)
{
	size_t safe = 0;
	unsigned mood = meta_random(seed) % 4; /* none, all or some of the unflushed pages made it */
	for (size_t i = 0; i < cut; i++)
		safe = disk.events[i].what == DISK_FLUSHED && disk.events[i].len > safe ? disk.events[i].len : safe;
	for (size_t i = 0; i < cut; i++) {
		const struct disk_event *event = &disk.events[i];
		if (event->what != DISK_WRITE)
			continue;
		for (size_t at = 0; at < event->len; at += 4096) {
			size_t len = event->len - at < 4096 ? event->len - at : 4096;
			bool lands = i < safe || mood == 1 || (mood > 1 && (meta_random(seed) & 1));
			if (lands)
				memcpy(image + (size_t)event->off + at, event->bytes + at, len);
		}
	}
}

/* Opens the image: whole, and every writer at least where it was told to be. Returns how many acknowledged updates are
 * missing. */
static int image_check(const char *dir, const struct gml_meta_options *opt, size_t cut)
{
	uint64_t acked[WRITERS] = {0}, count, seen = 0;
	struct gml_span key, value, twin;
	struct gml_cursor *cursor;
	struct gml_meta *meta;
	struct gml_txn *txn;
	int missing = 0, rc;
	for (size_t i = 0; i < cut; i++) {
		if (disk.events[i].what == DISK_ACK)
			acked[disk.events[i].writer] = disk.events[i].number;
	}
	assert_int_equal(gml_meta_open(dir, opt, &meta), 0);
	assert_int_equal(gml_meta_read_begin(meta, &txn), 0);
	for (int i = 0; i < WRITERS; i++) {
		uint64_t stored = 0;
		char name[24];
		snprintf(name, sizeof(name), "w%d", i);
		rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR(name), &value);
		if (rc == 0) {
			memcpy(&stored, value.ptr, 8);
			assert_int_equal(gml_txn_get(txn, GML_TABLE_LEASE, STR(name), &twin), 0);
			assert_memory_equal(value.ptr, twin.ptr, 8);
		}
		missing += stored < acked[i];
	}
	/* The tree of the busiest table is whole. */
	assert_int_equal(gml_txn_count(txn, GML_TABLE_XATTR, &count), 0);
	assert_int_equal(gml_cursor_open(txn, GML_TABLE_XATTR, &cursor), 0);
	for (rc = gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		const uint8_t *p = value.ptr;
		for (size_t i = 1; i < value.len; i++)
			assert_int_equal(p[i], p[0]);
		seen++;
	}
	assert_int_equal(rc, GML_ERR_NOENT);
	assert_int_equal(seen, count);
	gml_cursor_close(cursor);
	gml_meta_read_end(txn);
	gml_meta_close(meta);
	return missing;
}

/* Cuts the power at many moments of one recorded workload; returns how many acknowledged updates were lost. */
static int power_cuts(struct meta_env *env, bool relaxed, int cuts)
{
	uint8_t *base, *image;
	size_t base_len, len, n;
	uint64_t seed = 0x2545f4914f6cdd1du;
	int missing = 0;
	disk_watch(env);
	gml_meta_close(env->meta);
	env->meta = NULL;
	base = file_read(env->dir, &base_len);
	assert_int_equal(gml_meta_open(env->dir, &env->opt, &env->meta), 0);
	disk.recording = true;
	workload(env, relaxed);
	disk.recording = false;
	gml_meta_close(env->meta);
	env->meta = NULL;
	n = disk.n;
	len = base_len;
	for (size_t i = 0; i < n; i++) {
		size_t end = (size_t)disk.events[i].off + disk.events[i].len;
		if (disk.events[i].what == DISK_WRITE && end > len)
			len = end;
	}
	image = malloc(len);
	for (int i = 0; i < cuts; i++) {
		size_t cut = meta_random(&seed) % (n + 1);
		memset(image, 0, len);
		memcpy(image, base, base_len);
		image_build(image, cut, &seed);
		file_write(env->dir, image, len);
		disk.ino = 0;
		missing += image_check(env->dir, &env->opt, cut);
	}
	free(image);
	free(base);
	disk_forget();
	return missing;
}

static void test_power_cut(void **state)
{
	assert_int_equal(power_cuts(*state, false, 400), 0);
}

/* The same with updates that do not wait: the store stays whole, but some are lost, and the test sees it. */
static void test_power_cut_relaxed(void **state)
{
	assert_true(power_cuts(*state, true, 200) > 0);
}

/* ---- failing calls ---- */
static void check_count(struct meta_env *env, uint64_t want)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span value;
	uint64_t got = 0;
	assert_int_equal(gml_txn_get(txn, GML_TABLE_JOURNAL, STR("w0"), &value), 0);
	memcpy(&got, value.ptr, 8);
	gml_meta_read_end(txn);
	assert_true(got == want);
}

/* Each write in turn finds the disk full: the update fails with that, and the next one finds the store in order. */
static void test_disk_full(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	int failures = 0;
	disk_watch(env);
	meta_env_update(env, writer_put, &writer);
	disk.fail_errno = ENOSPC;
	disk.fail_call = CALL_PAGES;
	for (int n = 1; n < 10; n++) {
		int rc;
		disk.fail_in = n;
		disk.failed = 0;
		writer.count++;
		rc = gml_meta_update(env->meta, writer_put, &writer);
		disk.fail_in = 0;
		assert_int_equal(rc, disk.failed ? GML_ERR_NOSPC : 0);
		failures += disk.failed;
		check_count(env, disk.failed ? writer.count - 1 : writer.count);
		meta_env_update(env, writer_put, &writer);
		check_count(env, writer.count);
	}
	assert_true(failures > 0);
	meta_env_reopen(env);
	check_count(env, writer.count);
	disk_forget();
}

/* After a meta page that could not be written LMDB gives the environment up: every call fails until the store is opened
 * anew. */
static void test_meta_page_fails(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	disk_watch(env);
	meta_env_update(env, writer_put, &writer);
	disk.fail_errno = EIO;
	disk.fail_call = CALL_META;
	disk.fail_in = 1;
	writer.count = 2;
	assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
	assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
	meta_env_reopen(env);
	check_count(env, 1);
	meta_env_update(env, writer_put, &writer);
	check_count(env, 2);
	disk_forget();
}

static void test_flush_fails(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	disk_watch(env);
	for (int n = 1; n <= 2; n++) { /* of the pages; of the meta page */
		writer.count = 1;
		meta_env_update(env, writer_put, &writer);
		disk.fail_errno = EIO;
		disk.fail_call = CALL_FLUSH;
		disk.fail_in = n;
		writer.count = 2;
		assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
		disk.fail_in = 0;
		/* The kernel reports a lost page once; another try would succeed and prove nothing. */
		assert_int_equal(gml_meta_update(env->meta, writer_put, &writer), GML_ERR_IO);
		assert_int_equal(gml_meta_update_relaxed(env->meta, writer_put, &writer), GML_ERR_IO);
		check_count(env, n == 1 ? 1 : 2); /* reading goes on */
		meta_env_reopen(env);
		meta_env_update(env, writer_put, &writer);
		check_count(env, 2);
	}
	disk_forget();
}

/* A writer is killed after its commit is written and before it is announced to the others. */
static void test_killed_before_announcing(void **state)
{
	struct meta_env *env = *state;
	struct writer writer = {.env = env, .count = 1};
	int status;
	pid_t pid;

	meta_env_update(env, writer_put, &writer);
	gml_meta_close(env->meta);
	env->meta = NULL;
	pid = fork();
	if (pid == 0) {
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
			_exit(1);
		disk_watch(env);
		disk.die = true;
		writer.count = 2;
		gml_meta_update(env->meta, writer_put, &writer);
		_exit(1);
	}
	meta_env_reopen(env); /* while the other is alive or dead: its lock file lives on */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(gml_meta_barrier(env->meta), 0);
	check_count(env, 2); /* without the barrier: 1, until somebody writes */
	disk_forget();
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_power_cut),	  WITH_STORE(test_power_cut_relaxed), WITH_STORE(test_disk_full),
		WITH_STORE(test_meta_page_fails), WITH_STORE(test_flush_fails),
		WITH_STORE(test_killed_before_announcing),
	};
	alarm(120);
	return cmocka_run_group_tests_name("meta_crash", tests, NULL, NULL);
}
