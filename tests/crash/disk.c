// SPDX-License-Identifier: Apache-2.0
/* Recording: the system calls by which the core changes files. See disk.h. */
#undef _FORTIFY_SOURCE /* its inline wrappers would be what is defined here */
#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "disk_log.h"

static struct disk_log *disk_log; /* recording, when not NULL */

#define EXPORTED __attribute__((visibility("default")))
#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (real == NULL)                                                                          \
	real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* ---- the record ------------------------------------------------------------------------------ */

#define DISK_NOBODY UINT32_MAX

static uint32_t disk_find(dev_t dev, ino_t ino)
{
	/* Backwards: the file system uses inode numbers again. Without the lock: nodes are only
	 * added, and one is whole before it is counted. */
	for (size_t i = __atomic_load_n(&disk_log->nnodes, __ATOMIC_ACQUIRE); i-- > 0;)
		if (disk_log->nodes[i].ino == ino && disk_log->nodes[i].dev == dev)
			return (uint32_t)i;
	return DISK_NOBODY;
}

/* The node of a descriptor; DISK_NOBODY when its changes are not recorded. */
static uint32_t disk_of(int fd, struct stat *st)
{
	return disk_log != NULL && fstat(fd, st) == 0 ? disk_find(st->st_dev, st->st_ino)
						      : DISK_NOBODY;
}

static int64_t disk_mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static size_t disk_keep(const void *bytes, size_t len)
{
	size_t at = disk_log->nbytes;
	if (at + len > DISK_BYTES)
		disk_die("the record is full");
	memcpy(disk_log->bytes + at, bytes, len);
	disk_log->nbytes += (len + 7) & ~(size_t)7;
	return at;
}

/* Under the lock. */
static struct disk_event *disk_add(enum disk_what what, uint32_t node)
{
	struct disk_event *event = &disk_log->events[disk_log->nevents];
	if (disk_log->nevents == DISK_EVENTS)
		disk_die("too many events");
	*event = (struct disk_event){.what = (uint8_t)what, .node = node};
	return event;
}

static void disk_added(void)
{
	__atomic_add_fetch(&disk_log->nevents, 1, __ATOMIC_SEQ_CST);
}

static bool disk_is_zero(const uint8_t *bytes, size_t len)
{
	return len > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static void disk_add_write(int fd, uint32_t node, const void *bytes, size_t len, uint64_t off)
{
	struct disk_node *n = &disk_log->nodes[node];
	struct disk_event *event;
	struct stat st;
	if (fstat(fd, &st) != 0)
		disk_die("fstat");
	pthread_mutex_lock(&disk_log->lock);
	event = disk_add(DISK_WRITE, node);
	event->off = off;
	event->len = len;
	event->dsync = fcntl(fd, F_GETFL) & O_DSYNC;
	event->grew = off + len > n->size;
	event->mtime = disk_mtime(&st);
	event->zeros = disk_is_zero(bytes, len);
	if (!event->zeros)
		event->bytes = disk_keep(bytes, len);
	if (event->grew)
		n->size = off + len;
	disk_added();
	pthread_mutex_unlock(&disk_log->lock);
}

static void disk_add_change(int fd, enum disk_what what, uint32_t node, uint64_t off, uint64_t len)
{
	struct disk_event *event;
	struct stat st;
	if (fstat(fd, &st) != 0)
		disk_die("fstat");
	pthread_mutex_lock(&disk_log->lock);
	event = disk_add(what, node);
	event->off = off;
	event->len = len;
	event->grew = what != DISK_MTIME;
	event->mtime = disk_mtime(&st);
	disk_log->nodes[node].size = (uint64_t)st.st_size;
	disk_added();
	pthread_mutex_unlock(&disk_log->lock);
}

static void disk_add_name(enum disk_what what, uint32_t parent, const char *name, uint32_t node,
			  const struct stat *st)
{
	struct disk_event *event;
	assert(disk_log != NULL); /* `parent` was found in it */
	pthread_mutex_lock(&disk_log->lock);
	if (node == DISK_NOBODY) {
		node = (uint32_t)disk_log->nnodes;
		if (node == DISK_NODES)
			disk_die("too many files");
		disk_log->nodes[node] =
			(struct disk_node){st->st_dev, st->st_ino, 0, S_ISDIR(st->st_mode)};
		__atomic_store_n(&disk_log->nnodes, (size_t)node + 1, __ATOMIC_RELEASE);
	}
	event = disk_add(what, node);
	event->parent = parent;
	event->mtime = disk_mtime(st);
	event->bytes = disk_keep(name, strlen(name) + 1);
	disk_added();
	pthread_mutex_unlock(&disk_log->lock);
}

/* The directory's node and the last component of a path; DISK_NOBODY when it is not recorded. */
static uint32_t disk_parent(int dirfd, const char *path, const char **name_out)
{
	const char *slash = strrchr(path, '/');
	char dir[4096] = ".";
	struct stat st;
	if (disk_log == NULL)
		return DISK_NOBODY;
	*name_out = slash == NULL ? path : slash + 1;
	if (slash != NULL)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + (slash == path), path);
	if (strcmp(*name_out, "lock.mdb") == 0 || strcmp(*name_out, "redo.tail") == 0 ||
	    strcmp(*name_out, "run") == 0)
		return DISK_NOBODY;
	return fstatat(dirfd, dir, &st, 0) == 0 ? disk_find(st.st_dev, st.st_ino) : DISK_NOBODY;
}

/* ---- what is there at the start -------------------------------------------------------------- */

static void disk_scan_file(int fd, uint32_t node, const struct stat *st)
{
	static uint8_t buf[1 << 20];
	uint64_t off = 0;
	ssize_t n;
	while ((n = pread(fd, buf, sizeof(buf), (off_t)off)) > 0) {
		disk_add_write(fd, node, buf, (size_t)n, off);
		off += (uint64_t)n;
	}
	disk_add_change(fd, DISK_TRUNCATE, node, (uint64_t)st->st_size, 0);
}

static void disk_scan(int dirfd, uint32_t parent)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	if (dir == NULL)
		disk_die("scan");
	while ((e = readdir(dir)) != NULL) {
		struct stat st;
		uint32_t node;
		int fd;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, "run") == 0 || strcmp(e->d_name, "lock.mdb") == 0 ||
		    strcmp(e->d_name, "redo.tail") == 0)
			continue;
		fd = openat(dirfd, e->d_name, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) != 0)
			disk_die(e->d_name);
		disk_add_name(DISK_LINK, parent, e->d_name, DISK_NOBODY, &st);
		node = (uint32_t)disk_log->nnodes - 1;
		if (S_ISDIR(st.st_mode))
			disk_scan(fd, node);
		else
			disk_scan_file(fd, node, &st);
		close(fd);
	}
	closedir(dir);
}

void disk_record(struct disk_log *log, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		disk_die(root);
	log->nevents = log->nbytes = 0;
	log->nodes[0] = (struct disk_node){st.st_dev, st.st_ino, 0, true};
	log->nnodes = 1;
	disk_log = log;
	disk_scan(fd, 0);
	log->first = log->nevents;
	close(fd);
}

void disk_stop(void)
{
	disk_log = NULL;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int disk_open(int dirfd, const char *path, int flags, mode_t mode)
{
	REAL(openat);
	const char *name = NULL;
	uint32_t parent = DISK_NOBODY;
	struct stat st;
	int fd;

	if (flags & O_CREAT)
		parent = disk_parent(dirfd, path, &name);
	if (parent != DISK_NOBODY &&
	    (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT))
		parent = DISK_NOBODY; /* it is there */
	fd = real(dirfd, path, flags, mode);
	if (disk_log != NULL && fd >= 0 && (flags & O_TRUNC) && disk_of(fd, &st) != DISK_NOBODY)
		disk_die("O_TRUNC is not recorded");
	if (fd >= 0 && parent != DISK_NOBODY && fstat(fd, &st) == 0)
		disk_add_name(DISK_LINK, parent, name, DISK_NOBODY, &st);
	return fd;
}

static mode_t disk_mode(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

EXPORTED int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;
	va_start(ap, flags);
	mode = disk_mode(flags, ap);
	va_end(ap);
	return disk_open(AT_FDCWD, path, flags, mode);
}

EXPORTED int openat(int dirfd, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;
	va_start(ap, flags);
	mode = disk_mode(flags, ap);
	va_end(ap);
	return disk_open(dirfd, path, flags, mode);
}

EXPORTED int mkdirat(int dirfd, const char *path, mode_t mode)
{
	REAL(mkdirat);
	const char *name;
	uint32_t parent = disk_parent(dirfd, path, &name);
	struct stat st;
	int rc = real(dirfd, path, mode);

	if (rc == 0 && parent != DISK_NOBODY && fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		disk_add_name(DISK_LINK, parent, name, DISK_NOBODY, &st);
	return rc;
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

EXPORTED int unlinkat(int dirfd, const char *path, int flags)
{
	REAL(unlinkat);
	const char *name;
	uint32_t parent = disk_parent(dirfd, path, &name), node = DISK_NOBODY;
	struct stat st;
	int rc;

	if (parent != DISK_NOBODY && fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		node = disk_find(st.st_dev, st.st_ino);
	rc = real(dirfd, path, flags);
	if (rc == 0 && node != DISK_NOBODY)
		disk_add_name(DISK_UNLINK, parent, name, node, &st);
	return rc;
}

EXPORTED ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	REAL(pwrite);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	ssize_t n = real(fd, buf, len, off);

	if (n > 0 && node != DISK_NOBODY)
		disk_add_write(fd, node, buf, (size_t)n, (uint64_t)off);
	return n;
}

static void disk_add_iov(int fd, uint32_t node, const struct iovec *iov, ssize_t n, uint64_t off)
{
	for (; n > 0; iov++) {
		size_t len = (size_t)n < iov->iov_len ? (size_t)n : iov->iov_len;
		if (len > 0)
			disk_add_write(fd, node, iov->iov_base, len, off);
		off += len;
		n -= (ssize_t)len;
	}
}

EXPORTED ssize_t pwritev(int fd, const struct iovec *iov, int iovcnt, off_t off)
{
	REAL(pwritev);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	ssize_t n = real(fd, iov, iovcnt, off);

	if (node != DISK_NOBODY)
		disk_add_iov(fd, node, iov, n, (uint64_t)off);
	return n;
}

EXPORTED ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
{
	REAL(writev);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	off_t off = node == DISK_NOBODY ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t n = real(fd, iov, iovcnt);

	if (node != DISK_NOBODY)
		disk_add_iov(fd, node, iov, n, (uint64_t)off);
	return n;
}

EXPORTED ssize_t write(int fd, const void *buf, size_t len)
{
	REAL(write);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	off_t off = node == DISK_NOBODY ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t n = real(fd, buf, len);

	if (n > 0 && node != DISK_NOBODY)
		disk_add_write(fd, node, buf, (size_t)n, (uint64_t)off);
	return n;
}

EXPORTED int ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	int rc = real(fd, size);

	if (rc == 0 && node != DISK_NOBODY)
		disk_add_change(fd, DISK_TRUNCATE, node, (uint64_t)size, 0);
	return rc;
}

EXPORTED int fallocate(int fd, int mode, off_t off, off_t len)
{
	REAL(fallocate);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	int rc = real(fd, mode, off, len);

	if (rc == 0 && node != DISK_NOBODY)
		disk_add_change(fd, mode & FALLOC_FL_PUNCH_HOLE ? DISK_PUNCH : DISK_ALLOCATE, node,
				(uint64_t)off, (uint64_t)len);
	return rc;
}

EXPORTED int futimens(int fd, const struct timespec times[2])
{
	REAL(futimens);
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	int rc = real(fd, times);

	if (rc == 0 && node != DISK_NOBODY)
		disk_add_change(fd, DISK_MTIME, node, 0, 0);
	return rc;
}

static int disk_sync(int fd, bool datasync)
{
	struct stat st;
	uint32_t node = disk_of(fd, &st);
	struct disk_event *event;
	size_t covers;
	if (node == DISK_NOBODY)
		return 0;
	covers = disk_now(disk_log);
	pthread_mutex_lock(&disk_log->lock);
	event = disk_add(DISK_SYNC, node);
	event->covers = (uint32_t)covers;
	event->datasync = datasync;
	disk_added();
	pthread_mutex_unlock(&disk_log->lock);
	return 0;
}

EXPORTED int fsync(int fd)
{
	return disk_sync(fd, false);
}

EXPORTED int fdatasync(int fd)
{
	return disk_sync(fd, true);
}

EXPORTED int sync_file_range(int fd, off_t off, off_t len, unsigned flags)
{
	(void)fd, (void)off, (void)len, (void)flags;
	return 0;
}
