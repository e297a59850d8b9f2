// SPDX-License-Identifier: Apache-2.0
/* Preloaded into the servers: while the file named by SLOW_DISK exists, each flush takes
 * SLOW_DISK_MS longer, as with a disk that has much to write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *slow_path;
static long slow_ms;

/* nginx's workers have no environment. */
__attribute__((constructor)) static void slow_init(void)
{
	const char *path = getenv("SLOW_DISK"), *text = getenv("SLOW_DISK_MS");
	slow_path = path ? strdup(path) : NULL;
	slow_ms = text ? atol(text) : 0;
}

static void slow_wait(void)
{
	struct timespec left = {slow_ms / 1000, slow_ms % 1000 * 1000000};
	if (!slow_path || access(slow_path, F_OK) != 0)
		return;
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

int fdatasync(int fd)
{
	static int (*real)(int);
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	slow_wait();
	return real(fd);
}

int fsync(int fd)
{
	static int (*real)(int);
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	slow_wait();
	return real(fd);
}

/* ganesha opens plugins so that they see their own libraries first: they would not see the
 * above. */
void *dlopen(const char *file, int mode)
{
	static void *(*real)(const char *, int);
	if (!real)
		real = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
	return real(file, mode & ~RTLD_DEEPBIND);
}
