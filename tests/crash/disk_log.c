// SPDX-License-Identifier: Apache-2.0
/* The record itself, and what all these tests need. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "disk_log.h"

void disk_die(const char *what)
{
	fprintf(stderr, "crash test: %s: %s\n", what, strerror(errno));
	abort();
}

uint64_t disk_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

struct disk_log *disk_log_new(void)
{
	struct disk_log *log = mmap(NULL, sizeof(*log) + DISK_BYTES, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_mutexattr_t attr;
	if (log == MAP_FAILED)
		disk_die("no memory");
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&log->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return log;
}

size_t disk_now(const struct disk_log *log)
{
	return __atomic_load_n(&log->nevents, __ATOMIC_SEQ_CST);
}

size_t disk_first(const struct disk_log *log)
{
	return log->first;
}

bool disk_is_sync(const struct disk_log *log, size_t at)
{
	return at < log->nevents && log->events[at].what == DISK_SYNC;
}

static int disk_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void disk_remove_tree(const char *root)
{
	nftw(root, disk_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
