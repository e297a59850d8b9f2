// SPDX-License-Identifier: Apache-2.0
/* The workload of the power cuts. See workload.h.
 *
 * Steps: records, objects, copies, files, files over objects, names, uploads, orphans, and all at
 * once from threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <gemel/object.h>
#include "worker.h"

#define WORKLOAD_THREADS 5
#define WORKLOAD_ROUNDS 8

void workload_check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "crash test: %s: %s\n", what, gml_err_name(rc));
	abort();
}

struct workload *workload_new(const struct disk_log *log)
{
	struct workload *workload = mmap(NULL, sizeof(*workload), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workload == MAP_FAILED)
		disk_die("no memory");
	workload->model = model_new(log);
	workload->log = log;
	return workload;
}

struct gml_store_options workload_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)256 << 20};
}

struct gml_span workload_bucket(void)
{
	return STR(MODEL_BUCKET_NAME);
}

const uint8_t *workload_bytes(struct worker *w, size_t len)
{
	uint8_t *buf = malloc(len + 8);
	const uint8_t *kept;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = disk_random(&w->seed) | 1;
		memcpy(buf + i, &word, 8);
	}
	kept = model_copy(w->workload->model, buf, len);
	free(buf);
	return kept;
}

struct model_item *workload_item(struct worker *w, enum model_type type, const char *path,
				 const char *arg)
{
	return model_item(w->workload->model, type, path, arg);
}

struct model_item *workload_file(struct worker *w, const char *path)
{
	return workload_item(w, MODEL_FILE, path, NULL);
}

void workload_request(struct worker *w, struct model_item *item)
{
	model_request(w->workload->model, item);
}

void workload_acknowledge(struct worker *w, struct model_item *item)
{
	model_acknowledge(w->workload->model, item);
}

void workload_set_text(struct worker *w, struct model_value *value, const char *text)
{
	*value = (struct model_value){.there = true,
				      .bytes = model_copy(w->workload->model, text, strlen(text)),
				      .len = strlen(text)};
}

const char *workload_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

gml_ino workload_dir_of(struct worker *w, const char *path)
{
	struct gml_attr attr = {.ino = w->bucket};
	const char *slash;
	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		MUST(gml_dir_lookup(&w->op, w->store, attr.ino,
				    (struct gml_span){path, (size_t)(slash - path)}, &attr));
	return attr.ino;
}

struct gml_attr workload_attr(struct worker *w, const char *path)
{
	struct gml_attr attr;
	MUST(gml_dir_lookup(&w->op, w->store, workload_dir_of(w, path), STR(workload_name(path)),
			    &attr));
	return attr;
}

/* ---- objects --------------------------------------------------------------------------------- */

int workload_put(struct worker *w, struct model_item *item, size_t len)
{
	static const struct gml_object_new what;
	const char *key = item->slots[0].path;
	const uint8_t *bytes = workload_bytes(w, len), *md5 = workload_bytes(w, 16);
	struct model_state *state = model_next(item);
	struct gml_object_info info;
	struct gml_put *put;
	state->values[0] =
		(struct model_value){.there = true, .bytes = bytes, .len = len, .md5 = md5};
	workload_request(w, item);
	MUST(gml_put_begin(&w->op, w->store, OBJECT_REF(workload_bucket(), STR(key)), len, &put));
	for (size_t off = 0; off < len; off += 60000)
		MUST(gml_put_write(put, bytes + off, len - off < 60000 ? len - off : 60000));
	MUST(gml_put_finish(&w->op, put, &(struct gml_put_options){.md5 = md5, .attrs = &what},
			    &info));
	state->values[0].mtime = info.mtime;
	workload_acknowledge(w, item);
	return 0;
}

void workload_gone(struct model_item *item)
{
	model_next(item)->values[0] = (struct model_value){.there = false};
}

void workload_delete(struct worker *w, struct model_item *item)
{
	workload_gone(item);
	workload_request(w, item);
	MUST(gml_object_delete(&w->op, w->store,
			       OBJECT_REF(workload_bucket(), STR(item->slots[0].path)), NULL,
			       NULL));
	workload_acknowledge(w, item);
}

void workload_copy(struct worker *w, const struct model_item *from, struct model_item *to)
{
	struct gml_object_info info;
	struct model_state *state = model_next(to);
	state->values[0] = model_last(from)->values[0];
	workload_request(w, to);
	MUST(gml_object_copy(&w->op, w->store,
			     OBJECT_REF(workload_bucket(), STR(from->slots[0].path)),
			     OBJECT_REF(workload_bucket(), STR(to->slots[0].path)),
			     &(struct gml_copy_options){.src_cond = NULL}, &info));
	state->values[0].mtime = info.mtime;
	workload_acknowledge(w, to);
}

static void workload_objects(struct worker *w)
{
	static const size_t lens[] = {0, 1, 4096, 5000, 65536, 65537, WORKLOAD_BIG};
	struct model_item *items[7], *copy = workload_file(w, "s3/copy"),
				     *deep = workload_file(w, "a/b/c/deep");
	struct model_item *leaf = workload_file(w, "a/b/leaf");
	char path[40];
	for (int i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), "s3/object%d", i);
		items[i] = workload_file(w, path);
		workload_put(w, items[i], lens[i]);
	}
	for (int i = 0; i < 7; i++) {
		workload_put(w, items[i], lens[(i + 3) % 7]);
		if (i % 2 == 0)
			workload_copy(w, items[i], copy);
		if (i % 3 == 0)
			workload_delete(w, items[i]);
	}
	workload_put(w, deep, 300);
	workload_put(w, leaf, 20000);
	workload_delete(w, deep); /* takes a/b/c along */
	workload_delete(w, leaf);
	workload_put(w, leaf, 10);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void workload_clean_up(struct worker *w)
{
	uint64_t bytes;
	unsigned freed;
	bool more;
	MUST(gml_store_sum(&w->op, w->store, 0, UINT64_MAX, &bytes, &more));
	MUST(gml_store_reap(
		&w->op, w->store,
		&(struct gml_reap){.max = 1000, .is_open = gml_store_file_is_open, .arg = w->store},
		&freed));
	MUST(gml_store_compact(&w->op, w->store, &bytes));
}

static void *workload_thread(void *arg)
{
	struct worker *w = arg;
	struct model_item *object, *file, *cycle;
	char path[40];
	uint64_t summed;
	bool more;
	snprintf(path, sizeof(path), "mt/%d/object", w->number);
	object = workload_file(w, path);
	snprintf(path, sizeof(path), "file%d", w->number);
	file = workload_file(w, path);
	snprintf(path, sizeof(path), "mt/%d/dir/cycle", w->number);
	cycle = workload_file(w, path);
	for (int i = 0; i < WORKLOAD_ROUNDS; i++) {
		struct gml_file *open = i == 0 ? workload_create(w, file) : workload_open(w, file);
		workload_put(w, object, disk_random(&w->seed) % 9000);
		workload_write(w, file, open, disk_random(&w->seed) % 3000,
			       disk_random(&w->seed) % 5000 + 1, false);
		if (i % 3 == 2)
			workload_commit(w, file, open);
		if (i % 2 == 0)
			workload_put(w, cycle, i == 4 ? 70000 : 500);
		else
			workload_delete(w, cycle);
		workload_close(w, file, open);
		if (i % 2 == 0) /* what others write to meanwhile, too */
			MUST(gml_store_sum(&w->op, w->store, 0, UINT64_MAX, &summed, &more));
	}
	return NULL;
}

static void workload_threads(struct worker *w)
{
	struct worker workers[WORKLOAD_THREADS];
	pthread_t threads[WORKLOAD_THREADS];
	for (int i = 0; i < WORKLOAD_THREADS; i++) {
		workers[i] = *w;
		workers[i].number = i;
		workers[i].seed = disk_random(&w->seed);
		if (pthread_create(&threads[i], NULL, workload_thread, &workers[i]) != 0)
			disk_die("pthread_create");
	}
	for (int i = 0; i < WORKLOAD_THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Files that stay DIRTY, with and without COMMIT: recovery's work. */
static void workload_leave_dirty(struct worker *w)
{
	struct model_item *half = workload_file(w, "left-half"),
			  *all = workload_file(w, "left-committed"),
			  *unwritten = workload_file(w, "left-empty"),
			  *over = workload_file(w, "left-over");
	struct gml_file *file = workload_create(w, half);
	workload_write(w, half, file, 0, 6000, false);
	workload_commit(w, half, file);
	workload_write(w, half, file, 3000, 9000, false);
	file = workload_create(w, all);
	workload_write(w, all, file, 0, 20000, true);
	workload_create(w, unwritten);
	workload_put(w, over, 70000);
	file = workload_open(w, over);
	workload_write(w, over, file, 100, 1000, false);
	workload_write(w, over, file, 60000, 20000, false);
}

void workload_run(struct workload *workload, const char *path)
{
	struct gml_store_options opt = workload_options();
	struct worker w = {.workload = workload, .op = GML_OP_LOCAL, .seed = 0x2545f4914f6cdd1du};
	struct model_item *bucket;
	struct gml_bucket got;
	MUST(gml_store_create(path, &opt));
	workload->created = disk_now(workload->log);
	MUST(gml_store_open(path, &opt, &w.store));
	bucket = workload_item(&w, MODEL_BUCKET, MODEL_BUCKET_NAME, NULL);
	WORKLOAD_FACT(&w, bucket, "0",
		      gml_bucket_create(&w.op, w.store, workload_bucket(), NULL, &got));
	w.bucket = got.root;
	workload_records(&w);
	workload_objects(&w);
	workload_files(&w);
	workload_overwrite(&w);
	workload_clean_up(&w);
	gml_store_close(w.store);
	MUST(gml_store_open(path, &opt, &w.store));
	workload_names(&w);
	workload_uploads(&w);
	workload_clean_up(&w);
	workload_threads(&w);
	workload_clean_up(&w);
	workload_leave_dirty(&w);
}
