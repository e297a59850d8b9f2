// SPDX-License-Identifier: Apache-2.0
/* See inject.h. */
#undef _FORTIFY_SOURCE /* its inline wrappers would be what is defined here */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include "inject.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INJECT_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define INJECT_SANITIZED
#endif
#endif

#define EXPORTED __attribute__((visibility("default")))
#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (real == NULL)                                                                          \
	real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* What a call can meet. */
enum {
	CAN_MEMORY = 1 << INJECT_MEMORY,
	CAN_IO = 1 << INJECT_IO,
	CAN_FULL = 1 << INJECT_FULL,
	CAN_FILES = 1 << INJECT_FILES,
	CAN_SIGNAL = 1 << INJECT_SIGNAL,
	CAN_SHORT = 1 << INJECT_SHORT,
	CAN_SYNC = CAN_IO | 1 << INJECT_THIN,
};

static __thread struct inject {
	volatile bool armed; /* read in calloc, of which compilers believe that it reads nothing */
	bool lasting;
	enum inject_kind kind;
	unsigned left, hits;
	const char *what;
} inject;

const char *inject_kind_name(enum inject_kind kind)
{
	static const char *const names[INJECT_KINDS] = {"memory", "io",	    "full", "files",
							"thin",	  "signal", "short"};
	return names[kind];
}

bool inject_can(enum inject_kind kind)
{
#ifdef INJECT_SANITIZED
	return kind != INJECT_MEMORY;
#else
	return kind < INJECT_KINDS;
#endif
}

void inject_arm(enum inject_kind kind, unsigned n, bool lasting)
{
	inject = (struct inject){.kind = kind, .left = n, .lasting = lasting, .what = "nothing"};
	inject.armed = true;
}

bool inject_disarm(void)
{
	inject.armed = false;
	return inject.hits > 0;
}

const char *inject_what(void)
{
	return inject.what;
}

/* Does this call fail? `can`: the kinds that it may meet; `error`: its answer to INJECT_IO. errno
 * is set. */
static bool inject_now(const char *what, unsigned can, int error)
{
	static const int errors[INJECT_KINDS] = {[INJECT_MEMORY] = ENOMEM,
						 [INJECT_FULL] = ENOSPC,
						 [INJECT_FILES] = EMFILE,
						 [INJECT_THIN] = ENOSPC,
						 [INJECT_SIGNAL] = EINTR};
	if (!inject.armed || !(can & 1u << inject.kind))
		return false;
	if (inject.left > 0) {
		inject.left--;
		return false;
	}
	if (inject.hits > 0 && !inject.lasting)
		return false;
	inject.hits++;
	inject.what = what;
	errno = inject.kind == INJECT_IO ? error : errors[inject.kind];
	return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static long inject_count;

long inject_live(void)
{
	return __atomic_load_n(&inject_count, __ATOMIC_SEQ_CST);
}

#ifndef INJECT_SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static void *inject_got(void *p)
{
	if (p != NULL)
		__atomic_add_fetch(&inject_count, 1, __ATOMIC_RELAXED);
	return p;
}

EXPORTED void *malloc(size_t size)
{
	return inject_now("malloc", CAN_MEMORY, 0) ? NULL : inject_got(__libc_malloc(size));
}

EXPORTED void *calloc(size_t n, size_t size)
{
	return inject_now("calloc", CAN_MEMORY, 0) ? NULL : inject_got(__libc_calloc(n, size));
}

EXPORTED void *realloc(void *old, size_t size)
{
	void *p;
	if (inject_now("realloc", CAN_MEMORY, 0))
		return NULL;
	p = __libc_realloc(old, size);
	return old == NULL ? inject_got(p) : p;
}

EXPORTED void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
	return inject_now("aligned_alloc", CAN_MEMORY, 0)
		       ? NULL
		       : inject_got(__libc_memalign(alignment, size));
}

EXPORTED int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = aligned_alloc(alignment, size);
	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

EXPORTED void free(void *p)
{
	if (p != NULL)
		__atomic_sub_fetch(&inject_count, 1, __ATOMIC_RELAXED);
	__libc_free(p);
}
#endif

void *inject_spare(size_t size)
{
	bool armed = inject.armed;
	void *p;
	inject.armed = false;
	p = calloc(1, size);
	inject.armed = armed;
	if (p == NULL)
		abort();
	return p;
}

/* ---- names and descriptors ------------------------------------------------------------------- */

static mode_t inject_mode(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

static unsigned inject_open_can(int flags)
{
	return CAN_IO | CAN_FILES | CAN_SIGNAL | (flags & O_CREAT ? CAN_FULL : 0);
}

EXPORTED int openat(int dirfd, const char *path, int flags, ...)
{
	REAL(openat);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = inject_mode(flags, ap);
	va_end(ap);
	return inject_now("openat", inject_open_can(flags), EIO) ? -1
								 : real(dirfd, path, flags, mode);
}

EXPORTED int open(const char *path, int flags, ...)
{
	REAL(open);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = inject_mode(flags, ap);
	va_end(ap);
	return inject_now("open", inject_open_can(flags), EIO) ? -1 : real(path, flags, mode);
}

int __openat_2(int dirfd, const char *path, int flags);
EXPORTED int __openat_2(int dirfd, const char *path, int flags)
{
	return openat(dirfd, path, flags, 0);
}

int __open_2(const char *path, int flags);
EXPORTED int __open_2(const char *path, int flags)
{
	return open(path, flags, 0);
}

EXPORTED int mkdirat(int dirfd, const char *path, mode_t mode)
{
	REAL(mkdirat);
	return inject_now("mkdirat", CAN_IO | CAN_FULL, EIO) ? -1 : real(dirfd, path, mode);
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);
	return inject_now("mkdir", CAN_IO | CAN_FULL, EIO) ? -1 : real(path, mode);
}

EXPORTED int unlinkat(int dirfd, const char *path, int flags)
{
	REAL(unlinkat);
	return inject_now("unlinkat", CAN_IO, EIO) ? -1 : real(dirfd, path, flags);
}

EXPORTED int faccessat(int dirfd, const char *path, int mode, int flags)
{
	REAL(faccessat);
	return inject_now("faccessat", CAN_IO, EIO) ? -1 : real(dirfd, path, mode, flags);
}

EXPORTED int fstat(int fd, struct stat *st)
{
	REAL(fstat);
	return inject_now("fstat", CAN_IO, EIO) ? -1 : real(fd, st);
}

/* fstat as LMDB was built to call it. */
int __fxstat(int version, int fd, struct stat *st);
EXPORTED int __fxstat(int version, int fd, struct stat *st)
{
	REAL(__fxstat);
	return inject_now("fstat", CAN_IO, EIO) ? -1 : real(version, fd, st);
}

EXPORTED int stat(const char *path, struct stat *st)
{
	REAL(stat);
	return inject_now("stat", CAN_IO, EIO) ? -1 : real(path, st);
}

EXPORTED int fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	REAL(fstatat);
	return inject_now("fstatat", CAN_IO, EIO) ? -1 : real(dirfd, path, st, flags);
}

EXPORTED int fstatvfs(int fd, struct statvfs *st)
{
	REAL(fstatvfs);
	return inject_now("fstatvfs", CAN_IO, EIO) ? -1 : real(fd, st);
}

EXPORTED int fchmod(int fd, mode_t mode)
{
	REAL(fchmod);
	return inject_now("fchmod", CAN_IO, EIO) ? -1 : real(fd, mode);
}

EXPORTED DIR *fdopendir(int fd)
{
	REAL(fdopendir);
	return inject_now("fdopendir", CAN_IO, ENOMEM) ? NULL : real(fd);
}

EXPORTED struct dirent *readdir(DIR *dir)
{
	REAL(readdir);
	return inject_now("readdir", CAN_IO, EIO) ? NULL : real(dir);
}

EXPORTED int fcntl(int fd, int cmd, ...)
{
	REAL(fcntl);
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return inject_now("fcntl", CAN_IO, ENOLCK) ? -1 : real(fd, cmd, arg);
}

/* ---- transfers and syncs --------------------------------------------------------------------- */

#define CAN_READ (CAN_IO | CAN_SIGNAL)
#define CAN_WRITE (CAN_IO | CAN_SIGNAL | CAN_FULL)

/* How much of `len` a transfer moves that is cut short; at least one byte. */
static size_t inject_len(const char *what, size_t len)
{
	return len > 1 && inject_now(what, CAN_SHORT, 0) ? (len + 1) / 2 : len;
}

EXPORTED ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
	REAL(pread);
	return inject_now("pread", CAN_READ, EIO) ? -1
						  : real(fd, buf, inject_len("pread", len), off);
}

EXPORTED ssize_t read(int fd, void *buf, size_t len)
{
	REAL(read);
	return inject_now("read", CAN_READ, EIO) ? -1 : real(fd, buf, len);
}

EXPORTED ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	REAL(pwrite);
	return inject_now("pwrite", CAN_WRITE, EIO) ? -1
						    : real(fd, buf, inject_len("pwrite", len), off);
}

EXPORTED ssize_t write(int fd, const void *buf, size_t len)
{
	REAL(write);
	return inject_now("write", CAN_WRITE, EIO) ? -1 : real(fd, buf, inject_len("write", len));
}

/* True: the first piece alone is moved, or half of the only one. */
static bool inject_iov(const char *what, const struct iovec *iov, int iovcnt, struct iovec *first)
{
	*first = iov[0];
	if (iovcnt == 1)
		first->iov_len /= 2;
	return first->iov_len > 0 && inject_now(what, CAN_SHORT, 0);
}

EXPORTED ssize_t pwritev(int fd, const struct iovec *iov, int iovcnt, off_t off)
{
	REAL(pwritev);
	struct iovec first;

	if (inject_now("pwritev", CAN_WRITE, EIO))
		return -1;
	if (iovcnt > 0 && inject_iov("pwritev", iov, iovcnt, &first))
		return real(fd, &first, 1, off);
	return real(fd, iov, iovcnt, off);
}

EXPORTED ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
{
	REAL(writev);
	struct iovec first;

	if (inject_now("writev", CAN_WRITE, EIO))
		return -1;
	if (iovcnt > 0 && inject_iov("writev", iov, iovcnt, &first))
		return real(fd, &first, 1);
	return real(fd, iov, iovcnt);
}

EXPORTED off_t lseek(int fd, off_t off, int whence)
{
	REAL(lseek);
	return inject_now("lseek", CAN_IO, EIO) ? -1 : real(fd, off, whence);
}

EXPORTED int ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	return inject_now("ftruncate", CAN_WRITE, EIO) ? -1 : real(fd, size);
}

EXPORTED int fallocate(int fd, int mode, off_t off, off_t len)
{
	REAL(fallocate);
	return inject_now("fallocate", CAN_WRITE, EIO) ? -1 : real(fd, mode, off, len);
}

EXPORTED int futimens(int fd, const struct timespec times[2])
{
	REAL(futimens);
	return inject_now("futimens", CAN_IO, EIO) ? -1 : real(fd, times);
}

/* The disk is not waited for. */
EXPORTED int fsync(int fd)
{
	(void)fd;
	return inject_now("fsync", CAN_SYNC, EIO) ? -1 : 0;
}

EXPORTED int fdatasync(int fd)
{
	(void)fd;
	return inject_now("fdatasync", CAN_SYNC, EIO) ? -1 : 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

EXPORTED void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	REAL(mmap);
	return inject_now("mmap", CAN_IO | CAN_MEMORY, ENOMEM)
		       ? MAP_FAILED
		       : real(addr, len, prot, flags, fd, off);
}

EXPORTED ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	REAL(getrandom);
	return inject_now("getrandom", CAN_IO | CAN_SIGNAL, EIO) ? -1 : real(buf, len, flags);
}

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			    void *arg)
{
	REAL(pthread_create);
	return inject_now("pthread_create", CAN_IO | CAN_MEMORY, EAGAIN)
		       ? EAGAIN
		       : real(thread, attr, run, arg);
}
