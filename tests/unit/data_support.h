// SPDX-License-Identifier: Apache-2.0
/* What the tests of gateway/data share: a blob store in a temporary directory, whose ids come from
 * two counters, and syncs that are counted and can be made to fail. */
#ifndef GML_TEST_DATA_SUPPORT_H
#define GML_TEST_DATA_SUPPORT_H

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
#include "gateway/data/sums.h"

/* Of the last segment that this thread appended. */
__attribute__((unused)) static _Thread_local uint32_t pack_sum;

/* ---- counted and failing syncs --------------------------------------------------------------- */

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

/* ---- fixture --------------------------------------------------------------------------------- */

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

__attribute__((unused)) static int world_setup(void **state)
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

__attribute__((unused)) static int world_teardown(void **state)
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

__attribute__((unused)) static int write_text(struct gml_blob *blob, uint64_t off, const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};

	return gml_blob_write(blob, off, &iov, 1);
}

__attribute__((unused)) static void expect_text(struct gml_blob *blob, uint64_t id, uint64_t off,
						const char *text)
{
	char buf[128];
	size_t n;

	assert_int_equal(gml_blob_read(blob, id, off, buf, strlen(text), &n), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
}

__attribute__((unused)) static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

#endif
