// SPDX-License-Identifier: Apache-2.0
/* Durable metadata updates a second: each makes one name (dirent and cookie) and one inode. See
 * README.md here. commits DIR PROCESSES THREADS SECONDS [relaxed] makes a store in DIR (which must
 * not hold one), runs, prints one line, and leaves the store for a look at its size. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "gateway/meta/record/record.h"

#define COMMITS_LATENCIES 2000000

struct commits_shared {
	_Atomic unsigned ready, failed;
	_Atomic bool go, stop;
	_Atomic uint64_t count;
	uint32_t latency[COMMITS_LATENCIES]; /* ns */
};

static struct commits_shared *shared;
static struct gml_meta *meta;
static bool relaxed;

static uint64_t commits_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int commits_create(struct gml_txn *txn, void *arg)
{
	struct gml_dirent dirent = {.type = GML_REG};
	struct gml_inode inode = {
		.type = GML_REG, .mode = 0644, .nlink = 1, .size = 4096, .born = 1};
	struct timespec now;
	char name[48];
	int rc;
	(void)arg;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	inode.mtime = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	dirent.cookie = gml_txn_next_id(txn);
	dirent.ino = inode.ino = gml_ino_of(0, gml_txn_next_id(txn));
	snprintf(name, sizeof(name), "shard-%08llu.tar", (unsigned long long)dirent.ino.num);
	rc = gml_rec_dirent_put(txn, &gml_line_none, GML_INO_ROOT,
				(struct gml_span){name, strlen(name)}, &dirent);
	return rc != 0 ? rc : gml_rec_inode_put(txn, &gml_line_none, &inode);
}

static void *commits_thread(void *arg)
{
	(void)arg;
	atomic_fetch_add(&shared->ready, 1);
	while (!atomic_load(&shared->go))
		usleep(100);
	while (!atomic_load(&shared->stop)) {
		uint64_t begin = commits_now(), n;
		int rc = relaxed ? gml_meta_update_relaxed(meta, commits_create, NULL)
				 : gml_meta_update(meta, commits_create, NULL);
		if (rc != 0) {
			fprintf(stderr, "update: %s\n", gml_err_text(rc));
			atomic_fetch_add(&shared->failed, 1);
			return NULL;
		}
		n = atomic_fetch_add(&shared->count, 1);
		if (n < COMMITS_LATENCIES)
			shared->latency[n] = (uint32_t)(commits_now() - begin);
	}
	return NULL;
}

static int commits_process(const char *dir, unsigned threads)
{
	pthread_t thread[256];
	if (gml_meta_open(dir, NULL, &meta) != 0)
		return 1;
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, commits_thread, NULL) != 0)
			return 1;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	gml_meta_close(meta);
	return 0;
}

static int commits_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void commits_report(const char *dir, double seconds)
{
	uint64_t count = shared->count, n = count < COMMITS_LATENCIES ? count : COMMITS_LATENCIES;
	struct stat st = {0};
	char path[4096];
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	(void)stat(path, &st);
	qsort(shared->latency, n, sizeof(*shared->latency), commits_compare);
	printf("%.0f updates/s  p50 %.0f us  p99 %.0f us  p99.9 %.0f us  max %.1f ms  %llu updates "
	       " data.mdb %llu "
	       "MiB\n",
	       (double)count / seconds, shared->latency[n / 2] / 1e3,
	       shared->latency[n * 99 / 100] / 1e3, shared->latency[n * 999 / 1000] / 1e3,
	       n > 0 ? shared->latency[n - 1] / 1e6 : 0.0, (unsigned long long)count,
	       (unsigned long long)st.st_blocks * 512 >> 20);
}

int main(int argc, char **argv)
{
	static const uint8_t uuid[16] = {1};
	unsigned processes, threads;
	uint64_t begin, count_max;
	double seconds;
	if (argc < 5)
		return 2;
	processes = (unsigned)atoi(argv[2]);
	threads = (unsigned)atoi(argv[3]);
	seconds = atof(argv[4]);
	relaxed = argc > 5 && strcmp(argv[5], "relaxed") == 0;
	count_max = argc > 5 && !relaxed ? strtoull(argv[5], NULL, 10) : 0;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || threads > 256 || gml_meta_create(argv[1], uuid, NULL) != 0)
		return 1;
	for (unsigned i = 0; i < processes; i++)
		if (fork() == 0)
			_exit(commits_process(argv[1], threads));
	while (atomic_load(&shared->ready) < processes * threads)
		usleep(1000);
	begin = commits_now();
	atomic_store(&shared->go, true);
	if (count_max != 0)
		while (atomic_load(&shared->count) < count_max && shared->failed == 0)
			usleep(1000);
	else
		usleep((unsigned)(seconds * 1e6));
	atomic_store(&shared->stop, true);
	seconds = (double)(commits_now() - begin) / 1e9;
	while (wait(NULL) > 0)
		;
	commits_report(argv[1], seconds);
	return shared->failed != 0;
}
