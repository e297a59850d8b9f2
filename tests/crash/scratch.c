// SPDX-License-Identifier: Apache-2.0
/* Power cuts under a relaxed bucket. One thread changes it, with some changes in between that must last, and notes
 * after each step a digest of the bucket's names, numbers and attributes, and one of each file's bytes. After a cut the
 * bucket must have been in the state that is found, none that was promised for good is missing, the store passes its
 * check, before and after the jobs ran, and no inode number is given a second time. Each file must have the bytes that
 * it had in that state, or in a later one: what NFS writes in place does not wait for the log. No ETag tells of other
 * bytes than it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/object.h>
#include <gemel/upload.h>
#include "disk.h"
#include "gateway/meta/lmdb/checkpoint.h"

#define SCRATCH_STEPS 260
#define SCRATCH_STATES 1200
#define SCRATCH_ENTRIES 64
#define SCRATCH_FILE ((size_t)256 << 10)
#define SCRATCH_PART ((size_t)90000)

/* What a look at the bucket found. */
struct scratch_look {
	uint64_t digest;
	gml_ino last; /* largest inode number seen so far */
	unsigned nfiles;
	struct scratch_file {
		gml_ino ino;
		uint64_t bytes, tag; /* digests of the content, and of the ETag */
	} files[SCRATCH_ENTRIES];
};

struct scratch_state {
	size_t asked, acked; /* events before the step was begun, and when it returned */
	const char *what;    /* the program's own text */
	struct scratch_look look;
	unsigned kept; /* directories of the strict bucket */
	bool durable;  /* the step promised that all up to it is durable */
};

static struct scratch {
	char home[64];
	struct disk_log *log;
	struct scratch_told {
		size_t nstates;
		struct scratch_state states[SCRATCH_STATES];
	} * told; /* shared */
	unsigned cuts, lost;
} scratch;

/* One who works, or looks. */
struct scratch_user {
	struct gml_store *store;
	struct gml_op op;
	gml_ino bucket, kept;
	struct scratch_state now;
	uint64_t seed;
};

static void scratch_must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, gml_err_name(rc));
	disk_die(what);
}
#define MUST(call) scratch_must((call), #call)

static struct gml_span scratch_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

static struct gml_store_options scratch_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)256 << 20};
}

/* ---- the state of the bucket ------------------------------------------------------------------------------------- */

#define DIGEST_NONE 0xcbf29ce484222325u

static void digest_add(uint64_t *digest, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*digest = (*digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

struct scratch_list {
	struct gml_attr attrs[SCRATCH_ENTRIES];
	char names[SCRATCH_ENTRIES][32];
	unsigned n;
};

static bool scratch_list_add(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct scratch_list *list = arg;
	if (list->n == SCRATCH_ENTRIES || name.len >= sizeof(list->names[0]))
		disk_die("too many names");
	memcpy(list->names[list->n], name.ptr, name.len);
	list->names[list->n][name.len] = '\0';
	list->attrs[list->n++] = *attr;
	return true;
}

static int look_tag(struct scratch_user *u, const char *key, uint64_t *tag)
{
	struct gml_object *object;
	int rc = gml_object_open(&u->op, u->store, scratch_span("scratch"), scratch_span(key),
				 false, &object);
	*tag = DIGEST_NONE;
	if (rc != 0)
		return rc;
	digest_add(tag, gml_object_info(object)->etag, strlen(gml_object_info(object)->etag));
	gml_object_close(object);
	return 0;
}

static int look_file(struct scratch_user *u, gml_ino ino, const char *key,
		     struct scratch_look *look)
{
	static char buf[SCRATCH_FILE];
	struct scratch_file *out = &look->files[look->nfiles++];
	struct gml_file *file;
	size_t got;
	bool eof;
	int rc = gml_file_open(&u->op, u->store, ino, GML_OPEN_READ, &file);
	if (rc != 0)
		return rc;
	*out = (struct scratch_file){ino, DIGEST_NONE, 0};
	rc = gml_file_read(&u->op, file, 0, buf, sizeof(buf), &got, &eof);
	if (rc == 0)
		digest_add(&out->bytes, buf, got);
	(void)gml_file_close(&u->op, file);
	return rc == 0 ? look_tag(u, key, &out->tag) : rc;
}

/* path: of the directory, empty or with a slash at the end. */
static int look_dir(struct scratch_user *u, gml_ino dir, const char *path,
		    struct scratch_look *look)
{
	struct scratch_list *list = calloc(1, sizeof(*list));
	bool eof;
	int rc = gml_dir_read(&u->op, u->store, dir, 0, scratch_list_add, list, &eof);
	for (unsigned i = 0; rc == 0 && i < list->n; i++) {
		const struct gml_attr *attr = &list->attrs[i];
		uint64_t facts[] = {attr->ino, attr->type, attr->mode, attr->nlink, attr->cookie};
		char value[16], key[80];
		size_t len = 0;
		digest_add(&look->digest, list->names[i], strlen(list->names[i]) + 1);
		digest_add(&look->digest, facts, sizeof(facts));
		look->last = attr->ino > look->last ? attr->ino : look->last;
		if (gml_xattr_get(&u->op, u->store, attr->ino, scratch_span("user.x"), value,
				  sizeof(value), &len) == 0)
			digest_add(&look->digest, value, len);
		if (look->nfiles == SCRATCH_ENTRIES)
			disk_die("too many files");
		snprintf(key, sizeof(key), "%s%s%s", path, list->names[i],
			 attr->type == GML_DIR ? "/" : "");
		rc = attr->type == GML_DIR ? look_dir(u, attr->ino, key, look)
					   : look_file(u, attr->ino, key, look);
	}
	free(list);
	return rc;
}

static int scratch_look(struct scratch_user *u, struct scratch_look *look)
{
	look->digest = DIGEST_NONE;
	look->nfiles = 0;
	return look_dir(u, u->bucket, "", look);
}

static bool scratch_count(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	(void)name, (void)attr;
	++*(unsigned *)arg;
	return true;
}

/* ---- the workload ------------------------------------------------------------------------------------------------ */

/* A step is what stands between these two. */
static void scratch_begin(struct scratch_user *u, const char *what)
{
	u->now.what = what;
	u->now.asked = disk_now(scratch.log);
	u->now.durable = false;
}

static void scratch_end(struct scratch_user *u)
{
	u->now.acked = disk_now(scratch.log);
	MUST(scratch_look(u, &u->now.look));
	if (scratch.told->nstates == SCRATCH_STATES)
		disk_die("too many states");
	scratch.told->states[scratch.told->nstates++] = u->now;
}

#define STEP(call)                                                                                 \
	do {                                                                                       \
		scratch_begin(u, #call);                                                           \
		MUST(call);                                                                        \
		scratch_end(u);                                                                    \
	} while (0)
/* One that promises durability. */
#define STEP_DURABLE(call)                                                                         \
	do {                                                                                       \
		scratch_begin(u, #call);                                                           \
		MUST(call);                                                                        \
		u->now.durable = true;                                                             \
		scratch_end(u);                                                                    \
	} while (0)

static unsigned scratch_roll(struct scratch_user *u, unsigned below)
{
	return (unsigned)(disk_random(&u->seed) >> 20) % below;
}

static void scratch_fill(struct scratch_user *u, char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(disk_random(&u->seed) >> 20);
}

static int scratch_put(struct scratch_user *u, const char *key, size_t len)
{
	char *bytes = malloc(len + 1);
	struct gml_put *put;
	int rc = gml_put_begin(&u->op, u->store, scratch_span("scratch"), scratch_span(key), len,
			       &put);
	scratch_fill(u, bytes, len);
	if (rc == 0)
		rc = gml_put_write(put, bytes, len);
	if (rc == 0)
		rc = gml_put_finish(&u->op, put, NULL, NULL, NULL, NULL, NULL);
	free(bytes);
	return rc;
}

/* Within one sector: on the disk it is there or not. */
static int scratch_write_at(struct scratch_user *u, struct gml_file *file, uint64_t off)
{
	char bytes[100];
	struct iovec iov = {bytes, sizeof(bytes)};
	scratch_fill(u, bytes, sizeof(bytes));
	return gml_file_write(&u->op, file, off, &iov, 1, false);
}

static int scratch_write(struct scratch_user *u, struct gml_file *file)
{
	return scratch_write_at(u, file, 0);
}

static int scratch_open_write(struct scratch_user *u, gml_ino ino, struct gml_file **out)
{
	int rc = gml_file_open(&u->op, u->store, ino, GML_OPEN_WRITE, out);
	return rc == 0 ? scratch_write(u, *out) : rc;
}

static int scratch_create(struct scratch_user *u, gml_ino dir, const char *name,
			  struct gml_file **out)
{
	return gml_file_create(&u->op, u->store, dir, scratch_span(name), GML_OPEN_WRITE,
			       GML_CREATE_GUARDED, NULL, NULL, out, NULL, NULL);
}

static void scratch_new_file(struct scratch_user *u, gml_ino dir, const char *name)
{
	struct gml_file *file;
	STEP(scratch_create(u, dir, name, &file));
	if (scratch_roll(u, 4) != 0)
		STEP(scratch_write(u, file));
	if (scratch_roll(u, 4) == 0)
		STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(gml_file_close(&u->op, file));
}

static void scratch_rewrite(struct scratch_user *u, gml_ino ino)
{
	struct gml_file *file;
	STEP(scratch_open_write(u, ino, &file));
	if (scratch_roll(u, 4) == 0)
		STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(gml_file_close(&u->op, file));
}

/* Bytes in place, when the file is durably being written; then some over an extent, and in place once more. */
static void scratch_over(struct scratch_user *u, const char *name)
{
	struct gml_file *file;
	struct gml_attr attr;
	STEP(scratch_put(u, name, 600));
	MUST(gml_dir_lookup(&u->op, u->store, u->bucket, scratch_span(name), &attr));
	MUST(gml_file_open(&u->op, u->store, attr.ino, GML_OPEN_WRITE, &file));
	STEP(scratch_write_at(u, file, 600));
	STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(scratch_write_at(u, file, 10));
	STEP(scratch_write_at(u, file, 700));
	STEP(gml_file_close(&u->op, file));
}

static int scratch_upload(struct scratch_user *u, const char *key, char id[GML_UPLOAD_ID_LEN + 1],
			  struct gml_part_ref refs[1])
{
	struct gml_span bucket = scratch_span("scratch"), name = scratch_span(key);
	char *bytes = calloc(1, SCRATCH_PART);
	uint8_t md5[16] = {1};
	struct gml_put *put;
	int rc = gml_upload_create(&u->op, u->store, bucket, name, NULL, GML_CHECKSUM_NONE, false,
				   id);
	for (uint32_t number = 1; rc == 0 && number <= 2; number++) { /* one will be left over */
		rc = gml_part_begin(&u->op, u->store, bucket, name, scratch_span(id), number,
				    SCRATCH_PART, &put);
		if (rc == 0)
			rc = gml_put_write(put, bytes, SCRATCH_PART);
		if (rc == 0)
			rc = gml_part_finish(&u->op, put, md5, NULL, NULL);
	}
	free(bytes);
	memset(refs, 0, sizeof(*refs));
	refs[0].number = 1;
	snprintf(refs[0].etag, sizeof(refs[0].etag), "01%030d", 0);
	return rc;
}

static int scratch_jobs(struct scratch_user *u)
{
	uint64_t bytes;
	unsigned freed;
	int rc =
		gml_store_reap(&u->op, u->store, 0, 1000, gml_store_file_is_open, u->store, &freed);
	return rc == 0 ? gml_store_compact(&u->op, u->store, &bytes) : rc;
}

static int scratch_keep(struct scratch_user *u)
{
	struct gml_attr attr;
	char name[16];
	snprintf(name, sizeof(name), "k%u", u->now.kept++);
	return gml_dir_mkdir(&u->op, u->store, u->kept, scratch_span(name), NULL, &attr);
}

/* Something that changes what is there. */
static void scratch_change(struct scratch_user *u, gml_ino dir, const char *name,
			   const struct gml_attr *attr)
{
	static const uint64_t sizes[] = {0, 10, 50, 700};
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0600 + scratch_roll(u, 64)};
	char key[80], to[16], id[GML_UPLOAD_ID_LEN + 1];
	struct gml_part_ref refs[1];
	gml_ino other;
	snprintf(key, sizeof(key), "dir%u/%s", scratch_roll(u, 4), name);
	snprintf(to, sizeof(to), "f%u", scratch_roll(u, 8));
	other = u->bucket;
	switch (scratch_roll(u, 9)) {
	case 0:
		STEP(gml_inode_setattr(&u->op, u->store, attr->ino, &set, NULL));
		break;
	case 1:
		set = (struct gml_setattr){.mask = GML_SET_SIZE, .size = sizes[scratch_roll(u, 4)]};
		STEP(gml_inode_setattr(&u->op, u->store, attr->ino, &set, NULL));
		break;
	case 2:
	case 3:
		scratch_rewrite(u, attr->ino);
		break;
	case 4:
		STEP(gml_dir_rename(&u->op, u->store, dir, scratch_span(name), other,
				    scratch_span(to)));
		break;
	case 5:
		STEP(gml_dir_remove(&u->op, u->store, dir, scratch_span(name), GML_REMOVE_FILE));
		break;
	case 6:
		STEP(gml_xattr_set(&u->op, u->store, attr->ino, scratch_span("user.x"),
				   scratch_span(to), GML_XATTR_EITHER));
		break;
	case 7:
		if (dir == u->bucket)
			STEP(gml_object_copy(&u->op, u->store, scratch_span("scratch"),
					     scratch_span(name), NULL, scratch_span("scratch"),
					     scratch_span(key), NULL, NULL, GML_CHECKSUM_NONE,
					     NULL));
		break;
	case 8:
		STEP_DURABLE(scratch_upload(u, key, id, refs));
		STEP(gml_upload_complete(&u->op, u->store, scratch_span("scratch"),
					 scratch_span(key), scratch_span(id), refs, 1, NULL,
					 UINT64_MAX, NULL, NULL));
		break;
	}
}

static void scratch_step(struct scratch_user *u)
{
	char name[16], dirname[16], key[80];
	struct gml_attr attr;
	gml_ino dir = u->bucket;
	unsigned what = scratch_roll(u, 20), at = scratch_roll(u, 5);
	snprintf(name, sizeof(name), "f%u", scratch_roll(u, 8));
	snprintf(dirname, sizeof(dirname), "dir%u", at);
	snprintf(key, sizeof(key), "%s%s%s", at < 4 ? dirname : "", at < 4 ? "/" : "", name);
	if (what < 5) {
		STEP(scratch_put(u, key, what == 0 ? 80000 : 1 + scratch_roll(u, 3000)));
	} else if (what == 5) {
		STEP_DURABLE(scratch_keep(u));
	} else if (what == 6) {
		STEP(scratch_jobs(u));
	} else if (what == 7) {
		scratch_over(u, name);
	} else {
		if (at < 4 &&
		    gml_dir_lookup(&u->op, u->store, u->bucket, scratch_span(dirname), &attr) == 0)
			dir = attr.ino;
		else if (at < 4)
			STEP(gml_dir_mkdir(&u->op, u->store, u->bucket, scratch_span(dirname), NULL,
					   &attr));
		if (gml_dir_lookup(&u->op, u->store, dir, scratch_span(name), &attr) == 0)
			scratch_change(u, dir, name, &attr);
		else
			scratch_new_file(u, dir, name);
	}
}

static void scratch_work(const char *path)
{
	struct gml_store_options opt = scratch_options();
	struct scratch_user user = {.op = {.door = GML_PROTOCOL_ADMIN},
				    .seed = 0x2545f4914f6cdd1du},
			    *u = &user;
	struct gml_bucket got;
	MUST(gml_store_create(path, &opt));
	MUST(gml_store_open(path, &opt, &u->store));
	MUST(gml_bucket_create(&u->op, u->store, scratch_span("scratch"), NULL, &got));
	u->bucket = got.root;
	MUST(gml_bucket_create(&u->op, u->store, scratch_span("kept"), NULL, &got));
	u->kept = got.root;
	STEP_DURABLE(gml_bucket_set_relaxed(&u->op, u->store, scratch_span("scratch"), true));
	for (int i = 0; i < SCRATCH_STEPS; i++)
		scratch_step(u);
}

/* ---- one cut ----------------------------------------------------------------------------------------------------- */

static void scratch_problem(void *arg, const char *text)
{
	/* A file whose record went, or never came, is garbage: compaction collects it. */
	if (strncmp(text, "blob file ", 10) == 0 && strstr(text, "nothing references") != NULL)
		return;
	++*(unsigned *)arg;
	fprintf(stderr, "  store check: %s\n", text);
}

static bool scratch_checks(struct scratch_user *u)
{
	struct gml_check_report report;
	unsigned problems = 0;
	return gml_store_check(&u->op, u->store, scratch_problem, NULL, &problems, &report) == 0 &&
	       problems == 0;
}

/* Where the bucket may be: from the last state that was promised for good to the last that was asked for. */
static void scratch_range(size_t cut, bool killed, size_t *from, size_t *to, size_t *acked)
{
	const struct scratch_told *told = scratch.told;
	*from = *to = *acked = 0;
	for (size_t i = 0; i < told->nstates; i++) {
		if (told->states[i].asked <= cut)
			*to = i;
		if (told->states[i].acked <= cut)
			*acked = i;
		if (told->states[i].acked <= cut && (told->states[i].durable || killed))
			*from = i;
	}
}

/* Do the files have the bytes of one of the states? */
static bool scratch_bytes(const struct scratch_look *look, size_t from, size_t to)
{
	for (unsigned i = 0; i < look->nfiles; i++) {
		const struct scratch_file *file = &look->files[i];
		bool found = false;
		for (size_t at = from; at <= to && !found; at++) {
			const struct scratch_look *then = &scratch.told->states[at].look;
			for (unsigned k = 0; k < then->nfiles; k++)
				found = found || (then->files[k].ino == file->ino &&
						  then->files[k].bytes == file->bytes);
		}
		if (!found) {
			fprintf(stderr, "  inode %llu has other bytes\n",
				(unsigned long long)file->ino);
			return false;
		}
	}
	return true;
}

/* An ETag that was seen before: with the same bytes? */
static bool scratch_tags(const struct scratch_look *look)
{
	for (size_t at = 0; at < scratch.told->nstates; at++) {
		const struct scratch_look *then = &scratch.told->states[at].look;
		for (unsigned i = 0; i < look->nfiles; i++)
			for (unsigned k = 0; k < then->nfiles; k++)
				if (then->files[k].tag == look->files[i].tag &&
				    then->files[k].bytes != look->files[i].bytes) {
					fprintf(stderr,
						"  the ETag of inode %llu was that of other "
						"bytes\n",
						(unsigned long long)look->files[i].ino);
					return false;
				}
	}
	return true;
}

/* Exit status of the child: 0, or how many answered steps were lost, at most 100, plus 1; 255: wrong. */
static int scratch_examine(const char *path, size_t cut, bool killed)
{
	struct gml_store_options opt = scratch_options();
	struct scratch_user user = {.op = {.door = GML_PROTOCOL_ADMIN}}, *u = &user;
	size_t from, to, acked, at;
	struct gml_attr attr;
	struct gml_bucket got;
	struct scratch_look look = {0}, again = {0};
	unsigned kept = 0;
	bool eof;
	scratch_range(cut, killed, &from, &to, &acked);
	MUST(gml_store_open(path, &opt, &u->store));
	MUST(gml_store_recover(&u->op, u->store));
	MUST(gml_bucket_head(&u->op, u->store, scratch_span("scratch"), &got));
	u->bucket = got.root;
	if (!scratch_checks(u) || !got.relaxed)
		return 255;
	MUST(scratch_look(u, &look));
	for (at = from; at <= to; at++) /* the first: steps that only write change no digest */
		if (scratch.told->states[at].look.digest == look.digest)
			break;
	if (at > to) {
		fprintf(stderr,
			"  the bucket was never in this state; allowed are %zu, %s, to %zu, %s\n",
			from, scratch.told->states[from].what, to, scratch.told->states[to].what);
		return 255;
	}
	/* What was written last may not have been synced yet. */
	if (!scratch_bytes(&look, at > from ? at - 1 : at, to) || !scratch_tags(&look))
		return 255;
	MUST(gml_bucket_head(&u->op, u->store, scratch_span("kept"), &got));
	MUST(gml_dir_read(&u->op, u->store, got.root, 0, scratch_count, &kept, &eof));
	if (kept < scratch.told->states[acked].kept) {
		fprintf(stderr, "  the strict bucket lost names\n");
		return 255;
	}
	MUST(scratch_jobs(u)); /* what they remove, nobody misses */
	MUST(scratch_look(u, &again));
	MUST(gml_dir_mkdir(&u->op, u->store, u->bucket, scratch_span("after"), NULL, &attr));
	if (memcmp(&again, &look, sizeof(look)) != 0 ||
	    attr.ino <= scratch.told->states[acked].look.last || !scratch_checks(u)) {
		fprintf(stderr, "  after the jobs; inode %llu after %llu\n",
			(unsigned long long)attr.ino,
			(unsigned long long)scratch.told->states[acked].look.last);
		return 255;
	}
	gml_store_close(u->store);
	return acked > at ? (int)(acked - at < 100 ? acked - at : 100) : 0;
}

static void scratch_cut(size_t cut, enum disk_mood mood, uint64_t seed)
{
	char image[80], path[100];
	pid_t pid;
	int status;
	snprintf(image, sizeof(image), "%s/image", scratch.home);
	snprintf(path, sizeof(path), "%s/store", image);
	disk_build(scratch.log, cut, mood, seed, image);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(120);
		_exit(scratch_examine(path, cut, mood == DISK_ALL));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 100)
		fail_msg("cut %zu of %zu, mood %s, seed %llu", cut, disk_now(scratch.log),
			 disk_mood_name(mood), (unsigned long long)seed);
	scratch.cuts++;
	scratch.lost += WEXITSTATUS(status) > 0;
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static size_t scratch_first(void)
{
	return scratch.told->states[0].acked;
}

static void test_cut_at_every_sync(void **state)
{
	(void)state;
	for (size_t cut = scratch_first(); cut <= disk_now(scratch.log); cut++)
		if (cut == disk_now(scratch.log) || disk_is_sync(scratch.log, cut))
			scratch_cut(cut, scratch.cuts % 3 == 2 ? DISK_HARM : DISK_NONE, 0);
	assert_true(scratch.lost > 10); /* there was something to lose */
}

static void test_cut_at_random(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t first = scratch_first();
	(void)state;
	for (int i = 0; i < 150; i++)
		scratch_cut(first + disk_random(&seed) % (disk_now(scratch.log) - first + 1),
			    i % 5 == 4	 ? DISK_ALL
			    : i % 5 == 3 ? DISK_HARM
					 : DISK_SOME,
			    disk_random(&seed));
}

static int scratch_setup(void **state)
{
	char live[80], path[100];
	pid_t pid;
	int status;
	(void)state;
	strcpy(scratch.home, "/dev/shm/gemel-scratch-XXXXXX");
	if (mkdtemp(scratch.home) == NULL)
		strcpy(scratch.home, "/tmp/gemel-scratch-XXXXXX");
	if (access(scratch.home, W_OK) != 0 && mkdtemp(scratch.home) == NULL)
		disk_die(scratch.home);
	gml_redo_size = 256 << 10;
	gml_checkpoint_pages = 500;
	scratch.log = disk_log_new();
	scratch.told = mmap(NULL, sizeof(*scratch.told), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (scratch.told == MAP_FAILED)
		disk_die("no memory");
	snprintf(live, sizeof(live), "%s/live", scratch.home);
	snprintf(path, sizeof(path), "%s/store", live);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (mkdir(live, 0700) != 0)
			disk_die(live);
		disk_record(scratch.log, live);
		scratch_work(path);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	return status == 0 ? 0 : -1;
}

static int scratch_teardown(void **state)
{
	(void)state;
	printf("scratch: %u cuts of %zu events and %zu states; %u lost something\n", scratch.cuts,
	       disk_now(scratch.log), scratch.told->nstates, scratch.lost);
	disk_remove_tree(scratch.home);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_sync),
		cmocka_unit_test(test_cut_at_random),
	};
	return cmocka_run_group_tests_name("scratch", tests, scratch_setup, scratch_teardown);
}
