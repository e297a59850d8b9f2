// SPDX-License-Identifier: Apache-2.0
/* Power cuts under a relaxed bucket. One thread changes it, with some changes in between that must
 * last, and notes after each step a digest of the bucket's names, numbers and attributes, and one
 * of each file's bytes. After a cut the bucket must have been in the state that is found, none that
 * was promised for good is missing, the store passes its check, before and after the jobs ran, and
 * no inode number is given a second time. Each file must have the bytes that it had in that state,
 * or in a later one: what NFS writes in place does not wait for the log. No ETag tells of other
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
#include "tests/object_ref.h"
#include "tests/spans.h"

#define RELAXED_STEPS 260
#define RELAXED_STATES 1200
#define RELAXED_ENTRIES 64
#define RELAXED_FILE ((size_t)256 << 10)
#define RELAXED_PART ((size_t)90000)

/* What a view at the bucket found. */
struct relaxed_view {
	uint64_t digest;
	uint64_t last; /* largest inode number seen so far */
	unsigned nfiles;
	struct relaxed_file {
		gml_ino ino;
		uint64_t bytes, tag; /* digests of the content, and of the ETag */
	} files[RELAXED_ENTRIES];
};

struct relaxed_state {
	size_t asked, acked; /* events before the step was begun, and when it returned */
	const char *what;    /* the program's own text */
	struct relaxed_view view;
	unsigned kept; /* directories of the strict bucket */
	bool durable;  /* the step promised that all up to it is durable */
};

static struct relaxed {
	char home[64];
	struct disk_log *log;
	struct relaxed_history {
		size_t nstates;
		struct relaxed_state states[RELAXED_STATES];
	} * history; /* shared */
	unsigned cuts, lost;
} relaxed;

/* One who works, or looks. */
struct relaxed_worker {
	struct gml_store *store;
	struct gml_op op;
	gml_ino bucket, kept;
	struct relaxed_state now;
	uint64_t seed;
};

static void relaxed_must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, gml_err_name(rc));
	disk_die(what);
}
#define MUST(call) relaxed_must((call), #call)

static struct gml_store_options relaxed_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)256 << 20};
}

/* ---- the state of the bucket ----------------------------------------------------------------- */

#define DIGEST_NONE 0xcbf29ce484222325u

static void digest_add(uint64_t *digest, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*digest = (*digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

struct relaxed_list {
	struct gml_attr attrs[RELAXED_ENTRIES];
	char names[RELAXED_ENTRIES][32];
	unsigned n;
};

static bool relaxed_list_add(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct relaxed_list *list = arg;
	if (list->n == RELAXED_ENTRIES || name.len >= sizeof(list->names[0]))
		disk_die("too many names");
	memcpy(list->names[list->n], name.ptr, name.len);
	list->names[list->n][name.len] = '\0';
	list->attrs[list->n++] = *attr;
	return true;
}

static int observe_tag(struct relaxed_worker *u, const char *key, uint64_t *tag)
{
	struct gml_object *object;
	int rc = gml_object_open(&u->op, u->store, OBJECT_REF(STR("relaxed"), STR(key)), false,
				 &object);
	*tag = DIGEST_NONE;
	if (rc != 0)
		return rc;
	digest_add(tag, gml_object_info(object)->etag, strlen(gml_object_info(object)->etag));
	gml_object_close(object);
	return 0;
}

static int observe_file(struct relaxed_worker *u, gml_ino ino, const char *key,
			struct relaxed_view *view)
{
	static char buf[RELAXED_FILE];
	struct relaxed_file *out = &view->files[view->nfiles++];
	struct gml_file *file;
	size_t got;
	bool eof;
	int rc = gml_file_open(&u->op, u->store, ino, GML_OPEN_READ, &file);
	if (rc != 0)
		return rc;
	*out = (struct relaxed_file){ino, DIGEST_NONE, 0};
	rc = gml_file_read(&u->op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &got, &eof);
	if (rc == 0)
		digest_add(&out->bytes, buf, got);
	(void)gml_file_close(&u->op, file);
	return rc == 0 ? observe_tag(u, key, &out->tag) : rc;
}

/* path: of the directory, empty or with a slash at the end. */
static int observe_dir(struct relaxed_worker *u, gml_ino dir, const char *path,
		       struct relaxed_view *view)
{
	struct relaxed_list *list = calloc(1, sizeof(*list));
	bool eof;
	int rc = gml_dir_read(&u->op, u->store, dir,
			      &(struct gml_dir_query){.each = relaxed_list_add, .arg = list}, &eof);
	for (unsigned i = 0; rc == 0 && i < list->n; i++) {
		const struct gml_attr *attr = &list->attrs[i];
		uint64_t facts[] = {attr->ino.num, attr->type, attr->mode, attr->nlink,
				    attr->cookie};
		char value[16], key[80];
		size_t len = 0;
		digest_add(&view->digest, list->names[i], strlen(list->names[i]) + 1);
		digest_add(&view->digest, facts, sizeof(facts));
		view->last = attr->ino.num > view->last ? attr->ino.num : view->last;
		if (gml_xattr_get(&u->op, u->store, attr->ino, STR("user.x"),
				  (struct gml_buf){value, sizeof(value)}, &len) == 0)
			digest_add(&view->digest, value, len);
		if (view->nfiles == RELAXED_ENTRIES)
			disk_die("too many files");
		snprintf(key, sizeof(key), "%s%s%s", path, list->names[i],
			 attr->type == GML_DIR ? "/" : "");
		rc = attr->type == GML_DIR ? observe_dir(u, attr->ino, key, view)
					   : observe_file(u, attr->ino, key, view);
	}
	free(list);
	return rc;
}

static int relaxed_observe(struct relaxed_worker *u, struct relaxed_view *view)
{
	view->digest = DIGEST_NONE;
	view->nfiles = 0;
	return observe_dir(u, u->bucket, "", view);
}

static bool relaxed_count(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	(void)name, (void)attr;
	++*(unsigned *)arg;
	return true;
}

/* ---- the workload ---------------------------------------------------------------------------- */

/* A step is what stands between these two. */
static void relaxed_begin(struct relaxed_worker *u, const char *what)
{
	u->now.what = what;
	u->now.asked = disk_now(relaxed.log);
	u->now.durable = false;
}

static void relaxed_end(struct relaxed_worker *u)
{
	u->now.acked = disk_now(relaxed.log);
	MUST(relaxed_observe(u, &u->now.view));
	if (relaxed.history->nstates == RELAXED_STATES)
		disk_die("too many states");
	relaxed.history->states[relaxed.history->nstates++] = u->now;
}

#define STEP(call)                                                                                 \
	do {                                                                                       \
		relaxed_begin(u, #call);                                                           \
		MUST(call);                                                                        \
		relaxed_end(u);                                                                    \
	} while (0)
/* One that promises durability. */
#define STEP_DURABLE(call)                                                                         \
	do {                                                                                       \
		relaxed_begin(u, #call);                                                           \
		MUST(call);                                                                        \
		u->now.durable = true;                                                             \
		relaxed_end(u);                                                                    \
	} while (0)

static unsigned relaxed_random(struct relaxed_worker *u, unsigned below)
{
	return (unsigned)(disk_random(&u->seed) >> 20) % below;
}

static void relaxed_fill(struct relaxed_worker *u, char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(disk_random(&u->seed) >> 20);
}

static int relaxed_put(struct relaxed_worker *u, const char *key, size_t len)
{
	char *bytes = malloc(len + 1);
	struct gml_put *put;
	int rc = gml_put_begin(&u->op, u->store, OBJECT_REF(STR("relaxed"), STR(key)), len, &put);
	relaxed_fill(u, bytes, len);
	if (rc == 0)
		rc = gml_put_write(put, bytes, len);
	if (rc == 0)
		rc = gml_put_finish(&u->op, put, &(struct gml_put_options){.md5 = NULL}, NULL);
	free(bytes);
	return rc;
}

/* Within one sector: on the disk it is there or not. */
static int relaxed_write_at(struct relaxed_worker *u, struct gml_file *file, uint64_t off)
{
	char bytes[100];
	struct iovec iov = {bytes, sizeof(bytes)};
	relaxed_fill(u, bytes, sizeof(bytes));
	return gml_file_write(&u->op, file, off, &iov, 1, false);
}

static int relaxed_write(struct relaxed_worker *u, struct gml_file *file)
{
	return relaxed_write_at(u, file, 0);
}

static int relaxed_open_write(struct relaxed_worker *u, gml_ino ino, struct gml_file **out)
{
	int rc = gml_file_open(&u->op, u->store, ino, GML_OPEN_WRITE, out);
	return rc == 0 ? relaxed_write(u, *out) : rc;
}

static int relaxed_create(struct relaxed_worker *u, gml_ino dir, const char *name,
			  struct gml_file **out)
{
	return gml_file_create(
		&u->op, u->store, dir, STR(name),
		&(struct gml_create){.access = GML_OPEN_WRITE, .disposition = GML_CREATE_GUARDED},
		out);
}

static void relaxed_new_file(struct relaxed_worker *u, gml_ino dir, const char *name)
{
	struct gml_file *file;
	STEP(relaxed_create(u, dir, name, &file));
	if (relaxed_random(u, 4) != 0)
		STEP(relaxed_write(u, file));
	if (relaxed_random(u, 4) == 0)
		STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(gml_file_close(&u->op, file));
}

static void relaxed_rewrite(struct relaxed_worker *u, gml_ino ino)
{
	struct gml_file *file;
	STEP(relaxed_open_write(u, ino, &file));
	if (relaxed_random(u, 4) == 0)
		STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(gml_file_close(&u->op, file));
}

/* Bytes in place, when the file is durably being written; then some over an extent, and in place
 * once more. */
static void relaxed_overwrite(struct relaxed_worker *u, const char *name)
{
	struct gml_file *file;
	struct gml_attr attr;
	STEP(relaxed_put(u, name, 600));
	MUST(gml_dir_lookup(&u->op, u->store, u->bucket, STR(name), &attr));
	MUST(gml_file_open(&u->op, u->store, attr.ino, GML_OPEN_WRITE, &file));
	STEP(relaxed_write_at(u, file, 600));
	STEP_DURABLE(gml_file_commit(&u->op, file));
	STEP(relaxed_write_at(u, file, 10));
	STEP(relaxed_write_at(u, file, 700));
	STEP(gml_file_close(&u->op, file));
}

static int relaxed_upload(struct relaxed_worker *u, const char *key, char id[GML_UPLOAD_ID_LEN + 1],
			  struct gml_part_ref refs[1])
{
	struct gml_span bucket = STR("relaxed"), name = STR(key);
	char *bytes = calloc(1, RELAXED_PART);
	uint8_t md5[16] = {1};
	struct gml_put *put;
	int rc = gml_upload_create(&u->op, u->store, OBJECT_REF(bucket, name),
				   &(struct gml_upload_options){.attrs = NULL}, id);
	for (uint32_t number = 1; rc == 0 && number <= 2; number++) { /* one will be left over */
		rc = gml_part_begin(&u->op, u->store, UPLOAD_REF(bucket, name, STR(id)), number,
				    RELAXED_PART, &put);
		if (rc == 0)
			rc = gml_put_write(put, bytes, RELAXED_PART);
		if (rc == 0)
			rc = gml_part_finish(&u->op, put, md5, NULL, NULL);
	}
	free(bytes);
	memset(refs, 0, sizeof(*refs));
	refs[0].number = 1;
	snprintf(refs[0].etag, sizeof(refs[0].etag), "01%030d", 0);
	return rc;
}

static int relaxed_jobs(struct relaxed_worker *u)
{
	uint64_t bytes;
	unsigned freed;
	int rc = gml_store_reap(
		&u->op, u->store,
		&(struct gml_reap){.max = 1000, .is_open = gml_store_file_is_open, .arg = u->store},
		&freed);
	return rc == 0 ? gml_store_compact(&u->op, u->store, &bytes) : rc;
}

static int relaxed_make_durable(struct relaxed_worker *u)
{
	struct gml_attr attr;
	char name[16];
	snprintf(name, sizeof(name), "k%u", u->now.kept++);
	return gml_dir_mkdir(&u->op, u->store, u->kept, STR(name), NULL, &attr);
}

/* Something that changes what is there. */
static void relaxed_change(struct relaxed_worker *u, gml_ino dir, const char *name,
			   const struct gml_attr *attr)
{
	static const uint64_t sizes[] = {0, 10, 50, 700};
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0600 + relaxed_random(u, 64)};
	char key[80], to[16], id[GML_UPLOAD_ID_LEN + 1];
	struct gml_part_ref refs[1];
	gml_ino other;
	snprintf(key, sizeof(key), "dir%u/%s", relaxed_random(u, 4), name);
	snprintf(to, sizeof(to), "f%u", relaxed_random(u, 8));
	other = u->bucket;
	switch (relaxed_random(u, 9)) {
	case 0:
		STEP(gml_inode_setattr(&u->op, u->store, attr->ino, &set, NULL));
		break;
	case 1:
		set = (struct gml_setattr){.mask = GML_SET_SIZE,
					   .size = sizes[relaxed_random(u, 4)]};
		STEP(gml_inode_setattr(&u->op, u->store, attr->ino, &set, NULL));
		break;
	case 2:
	case 3:
		relaxed_rewrite(u, attr->ino);
		break;
	case 4:
		STEP(gml_dir_rename(&u->op, u->store, dir, STR(name), other, STR(to)));
		break;
	case 5:
		STEP(gml_dir_remove(&u->op, u->store, dir, STR(name), GML_REMOVE_FILE));
		break;
	case 6:
		STEP(gml_xattr_set(&u->op, u->store, attr->ino, STR("user.x"), STR(to),
				   GML_XATTR_EITHER));
		break;
	case 7:
		if (gml_ino_equal(dir, u->bucket))
			STEP(gml_object_copy(&u->op, u->store,
					     OBJECT_REF(STR("relaxed"), STR(name)),
					     OBJECT_REF(STR("relaxed"), STR(key)),
					     &(struct gml_copy_options){.src_cond = NULL}, NULL));
		break;
	case 8:
		STEP_DURABLE(relaxed_upload(u, key, id, refs));
		STEP(gml_upload_complete(
			&u->op, u->store, UPLOAD_REF(STR("relaxed"), STR(key), STR(id)),
			&(struct gml_complete_options){.parts = refs, .nparts = 1}, NULL));
		break;
	}
}

static void relaxed_step(struct relaxed_worker *u)
{
	char name[16], dirname[16], key[80];
	struct gml_attr attr;
	gml_ino dir = u->bucket;
	unsigned what = relaxed_random(u, 20), at = relaxed_random(u, 5);
	snprintf(name, sizeof(name), "f%u", relaxed_random(u, 8));
	snprintf(dirname, sizeof(dirname), "dir%u", at);
	snprintf(key, sizeof(key), "%s%s%s", at < 4 ? dirname : "", at < 4 ? "/" : "", name);
	if (what < 5) {
		STEP(relaxed_put(u, key, what == 0 ? 80000 : 1 + relaxed_random(u, 3000)));
	} else if (what == 5) {
		STEP_DURABLE(relaxed_make_durable(u));
	} else if (what == 6) {
		STEP(relaxed_jobs(u));
	} else if (what == 7) {
		relaxed_overwrite(u, name);
	} else {
		if (at < 4 && gml_dir_lookup(&u->op, u->store, u->bucket, STR(dirname), &attr) == 0)
			dir = attr.ino;
		else if (at < 4)
			STEP(gml_dir_mkdir(&u->op, u->store, u->bucket, STR(dirname), NULL, &attr));
		if (gml_dir_lookup(&u->op, u->store, dir, STR(name), &attr) == 0)
			relaxed_change(u, dir, name, &attr);
		else
			relaxed_new_file(u, dir, name);
	}
}

static void relaxed_work(const char *path)
{
	struct gml_store_options opt = relaxed_options();
	struct relaxed_worker user = {.op = GML_OP_LOCAL, .seed = 0x2545f4914f6cdd1du}, *u = &user;
	struct gml_bucket got;
	MUST(gml_store_create(path, &opt));
	MUST(gml_store_open(path, &opt, &u->store));
	MUST(gml_bucket_create(&u->op, u->store, STR("relaxed"), NULL, &got));
	u->bucket = got.root;
	MUST(gml_bucket_create(&u->op, u->store, STR("kept"), NULL, &got));
	u->kept = got.root;
	STEP_DURABLE(gml_bucket_set_relaxed(&u->op, u->store, STR("relaxed"), true));
	for (int i = 0; i < RELAXED_STEPS; i++)
		relaxed_step(u);
}

/* ---- one cut --------------------------------------------------------------------------------- */

static void relaxed_problem(void *arg, const char *text)
{
	/* A file whose record went, or never came, is garbage: compaction collects it. */
	if (strncmp(text, "blob file ", 10) == 0 && strstr(text, "nothing references") != NULL)
		return;
	++*(unsigned *)arg;
	fprintf(stderr, "  store check: %s\n", text);
}

static bool relaxed_checks(struct relaxed_worker *u)
{
	struct gml_content_report content;
	struct gml_check_report report;
	unsigned problems = 0;
	return gml_store_check(&u->op, u->store, relaxed_problem, NULL, &problems, &report) == 0 &&
	       gml_store_check_content(&u->op, u->store, relaxed_problem, NULL, &problems,
				       &content) == 0 &&
	       problems == 0;
}

/* Where the bucket may be: from the last state that was promised for good to the last that was
 * asked for. */
static void relaxed_range(size_t cut, bool killed, size_t *from, size_t *to, size_t *acked)
{
	const struct relaxed_history *history = relaxed.history;
	*from = *to = *acked = 0;
	for (size_t i = 0; i < history->nstates; i++) {
		if (history->states[i].asked <= cut)
			*to = i;
		if (history->states[i].acked <= cut)
			*acked = i;
		if (history->states[i].acked <= cut && (history->states[i].durable || killed))
			*from = i;
	}
}

/* Do the files have the bytes of one of the states? */
static bool relaxed_view_equal(const struct relaxed_view *a, const struct relaxed_view *b)
{
	return a->digest == b->digest && a->last == b->last && a->nfiles == b->nfiles &&
	       memcmp(a->files, b->files, a->nfiles * sizeof(*a->files)) == 0;
}

static bool relaxed_bytes(const struct relaxed_view *view, size_t from, size_t to)
{
	for (unsigned i = 0; i < view->nfiles; i++) {
		const struct relaxed_file *file = &view->files[i];
		bool found = false;
		for (size_t at = from; at <= to && !found; at++) {
			const struct relaxed_view *then = &relaxed.history->states[at].view;
			for (unsigned k = 0; k < then->nfiles; k++)
				found = found || (gml_ino_equal(then->files[k].ino, file->ino) &&
						  then->files[k].bytes == file->bytes);
		}
		if (!found) {
			fprintf(stderr, "  inode %s has other bytes\n", gml_ino_text(file->ino));
			return false;
		}
	}
	return true;
}

/* An ETag that was seen before: with the same bytes? */
static bool relaxed_tags(const struct relaxed_view *view)
{
	for (size_t at = 0; at < relaxed.history->nstates; at++) {
		const struct relaxed_view *then = &relaxed.history->states[at].view;
		for (unsigned i = 0; i < view->nfiles; i++)
			for (unsigned k = 0; k < then->nfiles; k++)
				if (then->files[k].tag == view->files[i].tag &&
				    then->files[k].bytes != view->files[i].bytes) {
					fprintf(stderr,
						"  the ETag of inode %s was that of other "
						"bytes\n",
						gml_ino_text(view->files[i].ino));
					return false;
				}
	}
	return true;
}

/* Exit status of the child: 0, or how many answered steps were lost, at most 100, plus 1; 255:
 * wrong. */
static int relaxed_examine(const char *path, size_t cut, bool killed)
{
	struct gml_store_options opt = relaxed_options();
	struct relaxed_worker user = {.op = GML_OP_LOCAL}, *u = &user;
	size_t from, to, acked, at;
	struct gml_attr attr;
	struct gml_bucket got;
	struct relaxed_view view = {0}, again = {0};
	unsigned kept = 0;
	bool eof;
	relaxed_range(cut, killed, &from, &to, &acked);
	MUST(gml_store_open(path, &opt, &u->store));
	MUST(gml_store_recover(&u->op, u->store));
	MUST(gml_bucket_head(&u->op, u->store, STR("relaxed"), &got));
	u->bucket = got.root;
	if (!relaxed_checks(u) || !got.relaxed)
		return 255;
	MUST(relaxed_observe(u, &view));
	for (at = from; at <= to; at++) /* the first: steps that only write change no digest */
		if (relaxed.history->states[at].view.digest == view.digest)
			break;
	if (at > to) {
		fprintf(stderr,
			"  the bucket was never in this state; allowed are %zu, %s, to %zu, %s\n",
			from, relaxed.history->states[from].what, to,
			relaxed.history->states[to].what);
		return 255;
	}
	/* What was written last may not have been synced yet. */
	if (!relaxed_bytes(&view, at > from ? at - 1 : at, to) || !relaxed_tags(&view))
		return 255;
	MUST(gml_bucket_head(&u->op, u->store, STR("kept"), &got));
	MUST(gml_dir_read(&u->op, u->store, got.root,
			  &(struct gml_dir_query){.each = relaxed_count, .arg = &kept}, &eof));
	if (kept < relaxed.history->states[acked].kept) {
		fprintf(stderr, "  the strict bucket lost names\n");
		return 255;
	}
	MUST(relaxed_jobs(u)); /* what they remove, nobody misses */
	MUST(relaxed_observe(u, &again));
	MUST(gml_dir_mkdir(&u->op, u->store, u->bucket, STR("after"), NULL, &attr));
	if (!relaxed_view_equal(&again, &view) ||
	    attr.ino.num <= relaxed.history->states[acked].view.last || !relaxed_checks(u)) {
		fprintf(stderr, "  after the jobs; inode %s after %llu\n", gml_ino_text(attr.ino),
			(unsigned long long)relaxed.history->states[acked].view.last);
		return 255;
	}
	gml_store_close(u->store);
	return acked > at ? (int)(acked - at < 100 ? acked - at : 100) : 0;
}

static void relaxed_cut(size_t cut, enum disk_cut_mode mode, uint64_t seed)
{
	char image[80], path[100];
	pid_t pid;
	int status;
	snprintf(image, sizeof(image), "%s/image", relaxed.home);
	snprintf(path, sizeof(path), "%s/store", image);
	disk_build(relaxed.log, cut, mode, seed, image);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(120);
		_exit(relaxed_examine(path, cut, mode == DISK_ALL));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 100)
		fail_msg("cut %zu of %zu, mode %s, seed %llu", cut, disk_now(relaxed.log),
			 disk_cut_mode_name(mode), (unsigned long long)seed);
	relaxed.cuts++;
	relaxed.lost += WEXITSTATUS(status) > 0;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static size_t relaxed_first(void)
{
	return relaxed.history->states[0].acked;
}

static void test_cut_at_every_sync(void **state)
{
	(void)state;
	for (size_t cut = relaxed_first(); cut <= disk_now(relaxed.log); cut++)
		if (cut == disk_now(relaxed.log) || disk_is_sync(relaxed.log, cut))
			relaxed_cut(cut, relaxed.cuts % 3 == 2 ? DISK_HARM : DISK_NONE, 0);
	assert_true(relaxed.lost > 10); /* there was something to lose */
}

static void test_cut_at_random(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t first = relaxed_first();
	(void)state;
	for (int i = 0; i < 150; i++)
		relaxed_cut(first + disk_random(&seed) % (disk_now(relaxed.log) - first + 1),
			    i % 5 == 4	 ? DISK_ALL
			    : i % 5 == 3 ? DISK_HARM
					 : DISK_SOME,
			    disk_random(&seed));
}

static int relaxed_setup(void **state)
{
	char live[80], path[100];
	pid_t pid;
	int status;
	(void)state;
	strcpy(relaxed.home, "/dev/shm/gemel-relaxed-XXXXXX");
	if (mkdtemp(relaxed.home) == NULL)
		strcpy(relaxed.home, "/tmp/gemel-relaxed-XXXXXX");
	if (access(relaxed.home, W_OK) != 0 && mkdtemp(relaxed.home) == NULL)
		disk_die(relaxed.home);
	gml_redo_size = 256 << 10;
	gml_checkpoint_pages = 500;
	relaxed.log = disk_log_new();
	relaxed.history = mmap(NULL, sizeof(*relaxed.history), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (relaxed.history == MAP_FAILED)
		disk_die("no memory");
	snprintf(live, sizeof(live), "%s/live", relaxed.home);
	snprintf(path, sizeof(path), "%s/store", live);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (mkdir(live, 0700) != 0)
			disk_die(live);
		disk_record(relaxed.log, live);
		relaxed_work(path);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		disk_die("fork");
	return status == 0 ? 0 : -1;
}

static int relaxed_teardown(void **state)
{
	(void)state;
	printf("relaxed: %u cuts of %zu events and %zu states; %u lost something\n", relaxed.cuts,
	       disk_now(relaxed.log), relaxed.history->nstates, relaxed.lost);
	disk_remove_tree(relaxed.home);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_sync),
		cmocka_unit_test(test_cut_at_random),
	};
	return cmocka_run_group_tests_name("relaxed", tests, relaxed_setup, relaxed_teardown);
}
