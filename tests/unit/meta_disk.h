// SPDX-License-Identifier: Apache-2.0
/* A disk below one metadata store, for tests of power cuts and failing calls. Every write and flush
 * of data.mdb and of the redo log passes through here, from all processes that were forked since:
 * it is recorded, so that any state that the disk may have had at any moment can be rebuilt and
 * opened; or it is made to fail, or to kill its process. */
#ifndef TESTS_META_DISK_H
#define TESTS_META_DISK_H

#include "meta_support.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define DISK_EVENTS 60000
#define DISK_BYTES ((size_t)1 << 30) /* address space; memory as it is used */
#define DISK_SECTOR 512

enum disk_file { DISK_DATA, DISK_LOG, DISK_FILES };
enum disk_what { DISK_WRITE, DISK_FLUSHED, DISK_ACK };
/* Kinds of calls: data.mdb's pages, its meta pages, its flush, what precedes that; records and
 * slots of the log, its flush. */
enum disk_call {
	CALL_PAGES,
	CALL_META,
	CALL_FLUSH,
	CALL_TRICKLE,
	CALL_RECORD,
	CALL_SLOT,
	CALL_LOG_FLUSH
};

struct disk_event {
	_Atomic bool there; /* the process lived long enough to fill it in */
	enum disk_what what;
	enum disk_file file;
	off_t off;	 /* write */
	size_t len;	 /* write; flushed: every event of the file before this index was covered */
	size_t bytes;	 /* write: in disk->bytes */
	int writer;	 /* ack */
	uint64_t number; /* ack */
};

struct disk {
	_Atomic bool recording;
	_Atomic dev_t dev;
	_Atomic ino_t ino[DISK_FILES]; /* the first: 0 when nothing is watched */
	_Atomic size_t n, used;
	_Atomic int fail_in;	/* the n-th call from now fails; 0: none */
	_Atomic int fail_errno; /* 0: it does not fail, but writes only a part */
	_Atomic int failed;	/* calls that were made to fail */
	_Atomic enum disk_call fail_call;
	_Atomic int die_in;	/* the n-th call from now ends its process */
	_Atomic bool die_after; /* ... once it is done, not before */
	_Atomic enum disk_call die_call;
	_Atomic bool hang;     /* flushes of data.mdb wait */
	_Atomic off_t full_at; /* data.mdb gets no more of the disk than this; 0: what it wants */
	struct disk_event events[DISK_EVENTS];
	uint8_t bytes[];
};

static struct disk *_Atomic disk; /* never unmapped: threads of a store that is open look at it */

static const char *const disk_name[DISK_FILES] = {"data.mdb", "redo"};

static int disk_file_of(int fd)
{
	struct stat st;
	if (disk == NULL || disk->ino[0] == 0 || fstat(fd, &st) != 0 || st.st_dev != disk->dev)
		return -1;
	for (int i = 0; i < DISK_FILES; i++)
		if (st.st_ino == disk->ino[i])
			return i;
	return -1;
}

static inline void disk_add(enum disk_what what, enum disk_file file, off_t off, const void *bytes,
			    size_t len, int writer, uint64_t number)
{
	size_t index = atomic_fetch_add(&disk->n, 1);
	struct disk_event *event;
	if (index >= DISK_EVENTS)
		abort();
	event = &disk->events[index];
	event->what = what;
	event->file = file;
	event->off = off;
	event->len = len;
	event->writer = writer;
	event->number = number;
	if (bytes != NULL) {
		event->bytes = atomic_fetch_add(&disk->used, len);
		if (event->bytes + len > DISK_BYTES)
			abort();
		memcpy(disk->bytes + event->bytes, bytes, len);
	}
	atomic_store(&event->there, true);
}

static bool disk_counts_down(_Atomic int *counter)
{
	int left = atomic_load(counter);
	while (left > 0 && !atomic_compare_exchange_weak(counter, &left, left - 1))
		;
	return left == 1;
}

/* True: this call is the one that fails. */
static bool disk_before(enum disk_call call)
{
	if (disk->die_call == call && !disk->die_after && disk_counts_down(&disk->die_in))
		raise(SIGKILL);
	if (disk->fail_call != call || !disk_counts_down(&disk->fail_in))
		return false;
	disk->failed++;
	errno = disk->fail_errno;
	return true;
}

static void disk_after(enum disk_call call)
{
	if (disk->die_call == call && disk->die_after && disk_counts_down(&disk->die_in))
		raise(SIGKILL);
}

#define DISK_REAL(name, type)                                                                      \
	static __typeof__(type) *real;                                                             \
	if (real == NULL)                                                                          \
	real = (__typeof__(type) *)dlsym(RTLD_NEXT, name)
#define DISK_EXPORTED __attribute__((visibility("default")))

static bool disk_is_full(int file, off_t end)
{
	if (file != 0 || disk->full_at == 0 || end <= disk->full_at)
		return false;
	errno = ENOSPC;
	return true;
}

DISK_EXPORTED int fallocate(int fd, int mode, off_t off, off_t len)
{
	DISK_REAL("fallocate", int(int, int, off_t, off_t));
	return disk_is_full(disk_file_of(fd), off + len) ? -1 : real(fd, mode, off, len);
}

DISK_EXPORTED ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	DISK_REAL("pwrite", ssize_t(int, const void *, size_t, off_t));
	int file = disk_file_of(fd);
	enum disk_call call =
		file == DISK_LOG
			? (off < 16384 ? CALL_SLOT : CALL_RECORD)
			: (off < 2 * 4096 ? CALL_META : CALL_PAGES); /* the first two pages */
	ssize_t n;
	if (file < 0)
		return real(fd, buf, len, off);
	if (disk_is_full(file, off + (off_t)len))
		return -1;
	if (disk_before(call)) {
		if (disk->fail_errno != 0)
			return -1;
		len /= 2;
	}
	n = real(fd, buf, len, off);
	if (disk->recording && n > 0)
		disk_add(DISK_WRITE, (enum disk_file)file, off, buf, (size_t)n, 0, 0);
	disk_after(call);
	return n;
}

DISK_EXPORTED ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
{
	DISK_REAL("writev", ssize_t(int, const struct iovec *, int));
	int file = disk_file_of(fd);
	off_t off;
	ssize_t n, left;
	if (file < 0)
		return real(fd, iov, iovcnt);
	off = lseek(fd, 0, SEEK_CUR);
	if (disk_is_full(file, off + 4096 * (off_t)iovcnt))
		return -1;
	if (disk_before(CALL_PAGES)) {
		if (disk->fail_errno != 0)
			return -1;
		iovcnt--;
	}
	n = left = real(fd, iov, iovcnt);
	for (int i = 0; disk->recording && left > 0; i++) {
		size_t len = (size_t)left < iov[i].iov_len ? (size_t)left : iov[i].iov_len;
		disk_add(DISK_WRITE, (enum disk_file)file, off, iov[i].iov_base, len, 0, 0);
		off += (off_t)len;
		left -= (ssize_t)len;
	}
	disk_after(CALL_PAGES);
	return n;
}

DISK_EXPORTED int fdatasync(int fd)
{
	DISK_REAL("fdatasync", int(int));
	int file = disk_file_of(fd);
	enum disk_call call = file == DISK_LOG ? CALL_LOG_FLUSH : CALL_FLUSH;
	size_t covered;
	if (file < 0)
		return real(fd);
	if (disk_before(call))
		return -1;
	covered = atomic_load(&disk->n);
	while (file == DISK_DATA && atomic_load(&disk->hang))
		usleep(1000);
	/* The flush itself is left out: the record decides what is safe. */
	if (disk->recording)
		disk_add(DISK_FLUSHED, (enum disk_file)file, 0, NULL, covered, 0, 0);
	disk_after(call);
	return 0;
}

DISK_EXPORTED int sync_file_range(int fd, off_t off, off_t len, unsigned flags)
{
	DISK_REAL("sync_file_range", int(int, off_t, off_t, unsigned));
	if (disk_file_of(fd) < 0)
		return real(fd, off, len, flags);
	return disk_before(CALL_TRICKLE) ? -1 : 0; /* keeps nothing */
}

static inline void disk_watch(struct meta_env *env)
{
	char path[96];
	struct stat st[DISK_FILES];
	if (disk == NULL)
		disk = mmap(NULL, sizeof(*disk) + DISK_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(disk != MAP_FAILED);
	for (int i = 0; i < DISK_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%s", env->dir, disk_name[i]);
		assert_int_equal(stat(path, &st[i]), 0);
	}
	disk->fail_in = disk->failed = disk->die_in = 0;
	disk->hang = false;
	disk->full_at = 0;
	disk->dev = st[0].st_dev;
	for (int i = DISK_FILES; i-- > 0;)
		disk->ino[i] = st[i].st_ino;
}

/* Calls pass as if nothing had been. */
static inline void disk_unwatch(void)
{
	if (disk == NULL)
		return;
	disk->ino[0] = 0;
	disk->die_in = disk->fail_in = 0;
}

/* And the record is empty. */
static inline void disk_forget(void)
{
	if (disk == NULL)
		return;
	disk->recording = false;
	disk->hang = false;
	disk_unwatch();
	for (size_t i = 0; i < disk->n; i++)
		disk->events[i].there = false;
	disk->n = disk->used = 0;
}

/* ---- images ---- */
struct disk_image {
	uint8_t *base[DISK_FILES], *bytes[DISK_FILES];
	size_t base_len[DISK_FILES], len[DISK_FILES];
};

static inline uint8_t *disk_read(const char *dir, int file, size_t *len_out)
{
	char path[96];
	struct stat st;
	uint8_t *bytes;
	int fd;
	snprintf(path, sizeof(path), "%s/%s", dir, disk_name[file]);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*len_out = (size_t)st.st_size;
	return bytes;
}

static inline void disk_write(const char *dir, const char *name, const uint8_t *bytes, size_t len)
{
	char path[96];
	int fd;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* Nobody has the store open. */
static inline void disk_image_init(struct disk_image *image, const char *dir)
{
	for (int i = 0; i < DISK_FILES; i++)
		image->base[i] = disk_read(dir, i, &image->base_len[i]);
}

static inline void disk_image_release(struct disk_image *image)
{
	for (int i = 0; i < DISK_FILES; i++) {
		free(image->base[i]);
		free(image->bytes[i]);
	}
}

static inline void disk_image_room(struct disk_image *image)
{
	for (int i = 0; i < DISK_FILES; i++)
		image->len[i] = image->base_len[i];
	for (size_t i = 0; i < disk->n; i++) {
		const struct disk_event *event = &disk->events[i];
		size_t end = (size_t)event->off + event->len;
		if (event->there && event->what == DISK_WRITE && end > image->len[event->file])
			image->len[event->file] = end;
	}
	for (int i = 0; i < DISK_FILES; i++)
		image->bytes[i] = malloc(image->len[i]);
}

static inline void disk_image_event(struct disk_image *image, size_t at, bool safe, unsigned luck,
				    uint64_t *seed)
{
	const struct disk_event *event = &disk->events[at];
	for (size_t off = 0; off < event->len;) {
		/* Sectors are whole or not at all, wherever in them the write began. */
		size_t len = DISK_SECTOR - (size_t)(event->off + (off_t)off) % DISK_SECTOR;
		len = event->len - off < len ? event->len - off : len;
		if (safe || luck == 1 || (luck > 1 && (meta_random(seed) & 1)))
			memcpy(image->bytes[event->file] + event->off + off,
			       disk->bytes + event->bytes + off, len);
		off += len;
	}
}

/* What the disk holds when the power goes before event `cut`: all that was flushed, and any part of
 * the rest. */
static inline void disk_image_build(struct disk_image *image, size_t cut, uint64_t *seed)
{
	size_t safe[DISK_FILES] = {0};
	/* none, all or some of what was not flushed made it */
	unsigned luck = meta_random(seed) % 4;
	for (int i = 0; i < DISK_FILES; i++) {
		memset(image->bytes[i], 0, image->len[i]);
		memcpy(image->bytes[i], image->base[i], image->base_len[i]);
	}
	for (size_t i = 0; i < cut; i++) {
		const struct disk_event *event = &disk->events[i];
		if (event->there && event->what == DISK_FLUSHED && event->len > safe[event->file])
			safe[event->file] = event->len;
	}
	for (size_t i = 0; i < cut; i++) {
		const struct disk_event *event = &disk->events[i];
		if (event->there && event->what == DISK_WRITE)
			disk_image_event(image, i, i < safe[event->file], luck, seed);
	}
}

/* Put the image in the place of the store. What is shared memory, no power cut keeps: it is gone,
 * or old. */
static inline void disk_image_install(const struct disk_image *image, const char *dir, bool keep)
{
	char path[96];
	if (!keep) {
		snprintf(path, sizeof(path), "%s/lock.mdb", dir);
		unlink(path);
		snprintf(path, sizeof(path), "%s/redo.tail", dir);
		unlink(path);
	}
	for (int i = 0; i < DISK_FILES; i++)
		disk_write(dir, disk_name[i], image->bytes[i], image->len[i]);
}

/* A store of its own that is what this one would be if all its processes died now. */
static inline struct meta_env *disk_control(const struct meta_env *env)
{
	struct meta_env *control = calloc(1, sizeof(*control));
	assert_non_null(control);
	strcpy(control->dir, "/tmp/gemel-control-XXXXXX");
	assert_non_null(mkdtemp(control->dir));
	control->opt = env->opt;
	control->opt.log_arg = control;
	for (int i = 0; i < DISK_FILES; i++) {
		size_t len;
		uint8_t *bytes = disk_read(env->dir, i, &len);
		disk_write(control->dir, disk_name[i], bytes, len);
		free(bytes);
	}
	return control;
}

#endif
