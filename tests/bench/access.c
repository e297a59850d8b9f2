// SPDX-License-Identifier: Apache-2.0
/* What an access decision costs in the core: access STORE UID OPERATION COUNT, in the store STORE,
 * which has the file p005/a/b/f0 in bucket demo. Prints ns of one operation. Under callgrind with
 * --toggle-collect=bench_run the instructions of COUNT operations are counted.
 *
 * Operations: getattr, lookup and read of the file over NFS (read: 4 KiB of it, open), directory
 * (getattr of its directory), each (getattr of f0 to f99 in turn), get (its object over S3, with
 * the key of user ann; what nginx asks before it sends). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/store.h>

#define BENCH_FILES 100

struct bench {
	struct gml_store *store;
	struct gml_op nfs, s3;
	struct gml_user user;
	gml_ino directory, files[BENCH_FILES];
	struct gml_file *file;
	const char *operation;
};

static struct gml_span bench_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

static void bench_check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "access: %s: %s\n", what, gml_err_text(rc));
	exit(1);
}

static gml_ino bench_find(struct bench *bench, gml_ino in, const char *name)
{
	struct gml_attr attr;
	bench_check(gml_dir_lookup(&bench->nfs, bench->store, in, bench_span(name), &attr), name);
	return attr.ino;
}

static void bench_open(struct bench *bench, uint32_t uid)
{
	static const char *const way[] = {"demo", "p005", "a", "b"};
	const struct gml_cred cred = {.uid = uid, .gid = uid};
	gml_principal_of_uid(bench->store, &cred, GML_AUTHN_SYS, &bench->nfs.principal);
	bench->nfs.context.protocol = GML_PROTOCOL_NFS;
	bench_check(gml_user_by_uid(bench->store, uid, &bench->user), "user");
	gml_principal_of_user(&bench->user, bench_span("KEY"), GML_AUTHN_SIGV4,
			      &bench->s3.principal);
	bench->s3.context.protocol = GML_PROTOCOL_S3;
	bench->directory = GML_INO_ROOT;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		bench->directory = bench_find(bench, bench->directory, way[i]);
	for (int i = 0; i < BENCH_FILES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%d", i);
		bench->files[i] = bench_find(bench, bench->directory, name);
	}
	bench_check(gml_file_open(&bench->nfs, bench->store, bench->files[0], GML_OPEN_READ,
				  &bench->file),
		    "open");
}

static int bench_get(struct bench *bench)
{
	const struct gml_object_ref ref = {bench_span("demo"), bench_span("p005/a/b/f0")};
	struct gml_object *object = NULL;
	int rc = gml_object_open(&bench->s3, bench->store, &ref, GML_OBJECT_CONTENT, &object);
	gml_object_close(object);
	return rc;
}

static int bench_one(struct bench *bench, long i)
{
	static char bytes[4096];
	struct gml_attr attr;
	size_t got;
	bool eof;
	switch (bench->operation[0]) {
	case 'g':
		if (strcmp(bench->operation, "get") == 0)
			return bench_get(bench);
		return gml_inode_getattr(&bench->nfs, bench->store, bench->files[0], &attr);
	case 'd':
		return gml_inode_getattr(&bench->nfs, bench->store, bench->directory, &attr);
	case 'e':
		return gml_inode_getattr(&bench->nfs, bench->store, bench->files[i % BENCH_FILES],
					 &attr);
	case 'l':
		return gml_dir_lookup(&bench->nfs, bench->store, bench->directory, bench_span("f0"),
				      &attr);
	default:
		return gml_file_read(&bench->nfs, bench->file, 0,
				     (struct gml_buf){bytes, sizeof(bytes)}, &got, &eof);
	}
}

__attribute__((noinline)) void bench_run(struct bench *bench, long count)
{
	for (long i = 0; i < count; i++)
		bench_check(bench_one(bench, i), bench->operation);
}

/* What is asked for the first time is not counted. */
__attribute__((noinline)) static void bench_warm(struct bench *bench)
{
	for (long i = 0; i < 2L * BENCH_FILES; i++)
		bench_check(bench_one(bench, i), bench->operation);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct timespec from, to;
	long count;
	if (argc != 5) {
		fprintf(stderr, "usage: access STORE UID OPERATION COUNT\n");
		return 2;
	}
	bench.operation = argv[3];
	count = strtol(argv[4], NULL, 10);
	bench_check(gml_store_open(argv[1], &(struct gml_store_options){0}, &bench.store), argv[1]);
	bench_open(&bench, (uint32_t)strtoul(argv[2], NULL, 10));
	bench_warm(&bench);
	clock_gettime(CLOCK_MONOTONIC, &from);
	bench_run(&bench, count);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.1f\n",
	       ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
		       (double)count);
	bench_check(gml_file_close(&bench.nfs, bench.file), "close");
	gml_store_close(bench.store);
	return 0;
}
