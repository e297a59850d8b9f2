// SPDX-License-Identifier: Apache-2.0
/* What the disk itself does: disk_load DIR THREADS COUNT SIZE: COUNT files of SIZE bytes in all,
 * each created, written and fsync'ed, by THREADS threads. Prints files per second and MB/s. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long disk_next;
static long disk_count;
static size_t disk_size;
static const char *disk_dir;
static char *disk_buffer;
static atomic_int disk_failed;

static void *disk_work(void *arg)
{
	char name[4096];
	long i;
	(void)arg;
	while ((i = atomic_fetch_add(&disk_next, 1)) < disk_count) {
		snprintf(name, sizeof(name), "%s/d%ld", disk_dir, i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		size_t done = 0;
		while (fd >= 0 && done < disk_size) {
			size_t piece = disk_size - done < 1 << 20 ? disk_size - done : 1 << 20;
			ssize_t n = write(fd, disk_buffer, piece);
			if (n <= 0)
				break;
			done += (size_t)n;
		}
		if (fd < 0 || done < disk_size || fsync(fd) != 0 || close(fd) != 0)
			disk_failed = 1;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	pthread_t threads[256];
	if (argc != 5) {
		fprintf(stderr, "usage: disk_load DIR THREADS COUNT SIZE\n");
		return 2;
	}
	int n = atoi(argv[2]);
	disk_dir = argv[1];
	disk_count = atol(argv[3]);
	disk_size = strtoull(argv[4], NULL, 10);
	disk_buffer = malloc(1 << 20);
	if (n < 1 || n > 256 || disk_buffer == NULL)
		return 2;
	memset(disk_buffer, 0x5a, 1 << 20);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, disk_work, NULL) != 0)
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (disk_failed) {
		fprintf(stderr, "disk_load: a write failed\n");
		return 1;
	}
	double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("%.1f %.1f\n", (double)disk_count / seconds,
	       (double)disk_count * (double)disk_size / 1e6 / seconds);
	return 0;
}
