// SPDX-License-Identifier: Apache-2.0
/* A bounded NFSv4 load over one connection, by libnfs's asynchronous calls: nfs_load URL OPERATION
 * COUNT DEPTH [SIZE].
 *
 * Operations: create, exclusive, stat, delete (COUNT files fN in the URL's directory, DEPTH at a
 * time); read:NAME (COUNT bytes of file NAME in SIZE-byte calls); getattr:NAME (GETATTR of file
 * NAME, which is open) and lookup:NAME (its path by LOOKUP, and GETATTR), COUNT times. create is
 * one OPEN that carries the mode, as kernel clients send it; exclusive is O_EXCL over NFSv4.0: an
 * OPEN, and a SETATTR that brings the mode. The first component of the URL's path is mounted, as a
 * client mounts a bucket. Prints one number: operations per second, or MB/s (10^6 bytes). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <nfsc/libnfs.h>

#define LOAD_SECONDS_MAX 300

struct load {
	struct nfs_context *nfs;
	const char *path, *operation;
	uint64_t count, next, done, size;
	unsigned depth, flying;
	int failed;
	struct nfsfh *file;
	const char *name; /* of what is asked about */
};

static int load_issue(struct load *load);

static void load_fail(struct load *load, int err)
{
	if (!load->failed)
		fprintf(stderr, "nfs_load: %s: %s\n", load->operation,
			err < 0 ? strerror(-err) : nfs_get_error(load->nfs));
	load->failed = 1;
}

static void load_done(int err, struct nfs_context *nfs, void *data, void *private_data)
{
	struct load *load = private_data;
	(void)nfs;
	(void)data;
	load->flying--;
	load->done++;
	if (err < 0)
		load_fail(load, err);
	else if (!load->failed && load->next < load->count && load_issue(load) != 0)
		load_fail(load, 0);
}

static void load_closed(int err, struct nfs_context *nfs, void *data, void *private_data)
{
	load_done(err, nfs, data, private_data);
}

/* A file that was created is closed before it counts. */
static void load_created(int err, struct nfs_context *nfs, void *data, void *private_data)
{
	if (err < 0 || nfs_close_async(nfs, data, load_closed, private_data) != 0)
		load_done(err < 0 ? err : -EIO, nfs, data, private_data);
}

static int load_issue(struct load *load)
{
	char name[512];
	uint64_t i = load->next++;
	load->flying++;
	snprintf(name, sizeof(name), "%s/f%" PRIu64, load->path, i);
	switch (load->operation[0]) {
	case 'c':
		return nfs_create_async(load->nfs, name, O_WRONLY, 0644, load_created, load);
	case 'e':
		return nfs_create_async(load->nfs, name, O_WRONLY | O_EXCL, 0644, load_created,
					load);
	case 's':
		return nfs_stat64_async(load->nfs, name, load_done, load);
	case 'd':
		return nfs_unlink_async(load->nfs, name, load_done, load);
	case 'g':
		return nfs_fstat64_async(load->nfs, load->file, load_done, load);
	case 'l':
		snprintf(name, sizeof(name), "%s/%s", load->path, load->name);
		return nfs_stat64_async(load->nfs, name, load_done, load);
	default:
		return nfs_pread_async(load->nfs, load->file, i * load->size, load->size, load_done,
				       load);
	}
}

static double load_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int load_run(struct load *load)
{
	double deadline = load_clock() + LOAD_SECONDS_MAX;
	while (load->flying < load->depth && load->next < load->count)
		if (load_issue(load) != 0)
			return -1;
	while (load->flying > 0) {
		struct pollfd fd = {.fd = nfs_get_fd(load->nfs),
				    .events = (short)nfs_which_events(load->nfs)};
		if (load_clock() > deadline || poll(&fd, 1, 10000) <= 0 ||
		    nfs_service(load->nfs, fd.revents) < 0) {
			fprintf(stderr, "nfs_load: %s: no progress: %s\n", load->operation,
				nfs_get_error(load->nfs));
			return -1;
		}
	}
	return load->failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct load load = {.operation = argc > 2 ? argv[2] : ""};
	bool reads = strncmp(load.operation, "read:", 5) == 0;
	load.name = reads || strncmp(load.operation, "getattr:", 8) == 0 ||
				    strncmp(load.operation, "lookup:", 7) == 0
			    ? strchr(load.operation, ':') + 1
			    : NULL;
	if (argc < 5 ||
	    (load.name == NULL && strcmp(load.operation, "create") != 0 &&
	     strcmp(load.operation, "exclusive") != 0 && strcmp(load.operation, "stat") != 0 &&
	     strcmp(load.operation, "delete") != 0)) {
		fprintf(stderr, "usage: nfs_load URL create|exclusive|stat|delete|read:NAME|"
				"getattr:NAME|lookup:NAME COUNT DEPTH [SIZE]\n");
		return 2;
	}
	load.nfs = nfs_init_context();
	struct nfs_url *url = nfs_parse_url_dir(load.nfs, argv[1]);
	char *inside = url ? strchr(url->path + 1, '/') : NULL;
	char *mount =
		url ? strndup(url->path, inside ? (size_t)(inside - url->path) : strlen(url->path))
		    : NULL;
	if (mount == NULL || nfs_mount(load.nfs, url->server, mount) != 0) {
		fprintf(stderr, "nfs_load: %s\n", nfs_get_error(load.nfs));
		free(mount);
		return 1;
	}
	free(mount);
	load.path = inside ? inside : "";
	load.depth = (unsigned)atoi(argv[4]);
	load.size = argc > 5 ? strtoull(argv[5], NULL, 10) : 1;
	load.count = strtoull(argv[3], NULL, 10) / load.size;
	if (load.name != NULL) {
		char name[512];
		snprintf(name, sizeof(name), "%s/%s", load.path, load.name);
		if (nfs_open(load.nfs, name, O_RDONLY, &load.file) != 0) {
			fprintf(stderr, "nfs_load: %s: %s\n", name, nfs_get_error(load.nfs));
			return 1;
		}
	}
	double start = load_clock();
	if (load_run(&load) != 0)
		return 1;
	double seconds = load_clock() - start;
	if (load.name != NULL && nfs_close(load.nfs, load.file) != 0)
		return 1;
	printf("%.1f\n", reads ? (double)(load.count * load.size) / 1e6 / seconds
			       : (double)load.count / seconds);
	return 0;
}
