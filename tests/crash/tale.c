// SPDX-License-Identifier: Apache-2.0
/* The workload of the power cuts. See tale.h.
 *
 * Scenes: records, objects, copies, files, files over objects, names, uploads, orphans, and all at once from threads.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <gemel/object.h>
#include "teller.h"

#define TALE_THREADS 5
#define TALE_ROUNDS 8

void tale_check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "crash test: %s: %s\n", what, gml_err_name(rc));
	abort();
}

struct tale *tale_new(const struct disk_log *log)
{
	struct tale *tale = mmap(NULL, sizeof(*tale), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tale == MAP_FAILED)
		disk_die("no memory");
	tale->story = story_new(log);
	tale->log = log;
	return tale;
}

struct gml_store_options tale_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)256 << 20};
}

struct gml_span tale_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

struct gml_span tale_bucket(void)
{
	return tale_span(STORY_BUCKET_NAME);
}

const uint8_t *tale_bytes(struct teller *t, size_t len)
{
	uint8_t *buf = malloc(len + 8);
	const uint8_t *kept;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = disk_random(&t->seed) | 1;
		memcpy(buf + i, &word, 8);
	}
	kept = story_keep(t->tale->story, buf, len);
	free(buf);
	return kept;
}

struct story_item *tale_item(struct teller *t, enum story_type type, const char *path,
			     const char *arg)
{
	return story_item(t->tale->story, type, path, arg);
}

struct story_item *tale_file(struct teller *t, const char *path)
{
	return tale_item(t, STORY_FILE, path, NULL);
}

void tale_ask(struct teller *t, struct story_item *item)
{
	story_ask(t->tale->story, item);
}

void tale_ack(struct teller *t, struct story_item *item)
{
	story_ack(t->tale->story, item);
}

void tale_set_text(struct teller *t, struct story_value *value, const char *text)
{
	*value = (struct story_value){.there = true,
				      .bytes = story_keep(t->tale->story, text, strlen(text)),
				      .len = strlen(text)};
}

const char *tale_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

gml_ino tale_dir_of(struct teller *t, const char *path)
{
	struct gml_attr attr = {.ino = t->bucket};
	const char *slash;
	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		MUST(gml_dir_lookup(&t->op, t->store, attr.ino,
				    (struct gml_span){path, (size_t)(slash - path)}, &attr));
	return attr.ino;
}

struct gml_attr tale_attr(struct teller *t, const char *path)
{
	struct gml_attr attr;
	MUST(gml_dir_lookup(&t->op, t->store, tale_dir_of(t, path), tale_span(tale_name(path)),
			    &attr));
	return attr;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

int tale_put(struct teller *t, struct story_item *item, size_t len)
{
	static const struct gml_object_new what;
	const char *key = item->slots[0].path;
	const uint8_t *bytes = tale_bytes(t, len), *md5 = tale_bytes(t, 16);
	struct story_state *state = story_next(item);
	struct gml_object_info info;
	struct gml_put *put;
	state->values[0] =
		(struct story_value){.there = true, .bytes = bytes, .len = len, .md5 = md5};
	tale_ask(t, item);
	MUST(gml_put_begin(&t->op, t->store, tale_bucket(), tale_span(key), len, &put));
	for (size_t off = 0; off < len; off += 60000)
		MUST(gml_put_write(put, bytes + off, len - off < 60000 ? len - off : 60000));
	MUST(gml_put_finish(&t->op, put, md5, NULL, &what, NULL, &info));
	state->values[0].mtime = info.mtime;
	tale_ack(t, item);
	return 0;
}

void tale_gone(struct story_item *item)
{
	story_next(item)->values[0] = (struct story_value){.there = false};
}

void tale_delete(struct teller *t, struct story_item *item)
{
	tale_gone(item);
	tale_ask(t, item);
	MUST(gml_object_delete(&t->op, t->store, tale_bucket(), tale_span(item->slots[0].path),
			       NULL, NULL));
	tale_ack(t, item);
}

void tale_copy(struct teller *t, const struct story_item *from, struct story_item *to)
{
	struct gml_object_info info;
	struct story_state *state = story_next(to);
	state->values[0] = story_last(from)->values[0];
	tale_ask(t, to);
	MUST(gml_object_copy(&t->op, t->store, tale_bucket(), tale_span(from->slots[0].path), NULL,
			     tale_bucket(), tale_span(to->slots[0].path), NULL, NULL,
			     GML_CHECKSUM_NONE, &info));
	state->values[0].mtime = info.mtime;
	tale_ack(t, to);
}

static void tale_objects(struct teller *t)
{
	static const size_t lens[] = {0, 1, 4096, 5000, 65536, 65537, TALE_BIG};
	struct story_item *items[7], *copy = tale_file(t, "s3/copy"),
				     *deep = tale_file(t, "a/b/c/deep");
	struct story_item *leaf = tale_file(t, "a/b/leaf");
	char path[40];
	for (int i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), "s3/object%d", i);
		items[i] = tale_file(t, path);
		tale_put(t, items[i], lens[i]);
	}
	for (int i = 0; i < 7; i++) {
		tale_put(t, items[i], lens[(i + 3) % 7]);
		if (i % 2 == 0)
			tale_copy(t, items[i], copy);
		if (i % 3 == 0)
			tale_delete(t, items[i]);
	}
	tale_put(t, deep, 300);
	tale_put(t, leaf, 20000);
	tale_delete(t, deep); /* takes a/b/c along */
	tale_delete(t, leaf);
	tale_put(t, leaf, 10);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void tale_clean_up(struct teller *t)
{
	uint64_t bytes;
	unsigned freed;
	MUST(gml_store_reap(&t->op, t->store, 0, 1000, gml_store_file_is_open, t->store, &freed));
	MUST(gml_store_compact(&t->op, t->store, &bytes));
}

static void *tale_thread(void *arg)
{
	struct teller *t = arg;
	struct story_item *object, *file, *cycle;
	char path[40];
	snprintf(path, sizeof(path), "mt/%d/object", t->number);
	object = tale_file(t, path);
	snprintf(path, sizeof(path), "file%d", t->number);
	file = tale_file(t, path);
	snprintf(path, sizeof(path), "mt/%d/dir/cycle", t->number);
	cycle = tale_file(t, path);
	for (int i = 0; i < TALE_ROUNDS; i++) {
		struct gml_file *open = i == 0 ? tale_create(t, file) : tale_open(t, file);
		tale_put(t, object, disk_random(&t->seed) % 9000);
		tale_write(t, file, open, disk_random(&t->seed) % 3000,
			   disk_random(&t->seed) % 5000 + 1, false);
		if (i % 3 == 2)
			tale_commit(t, file, open);
		if (i % 2 == 0)
			tale_put(t, cycle, i == 4 ? 70000 : 500);
		else
			tale_delete(t, cycle);
		tale_close(t, file, open);
	}
	return NULL;
}

static void tale_crowd(struct teller *t)
{
	struct teller tellers[TALE_THREADS];
	pthread_t threads[TALE_THREADS];
	for (int i = 0; i < TALE_THREADS; i++) {
		tellers[i] = *t;
		tellers[i].number = i;
		tellers[i].seed = disk_random(&t->seed);
		if (pthread_create(&threads[i], NULL, tale_thread, &tellers[i]) != 0)
			disk_die("pthread_create");
	}
	for (int i = 0; i < TALE_THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Files that stay DIRTY, with and without COMMIT: recovery's work. */
static void tale_leave(struct teller *t)
{
	struct story_item *half = tale_file(t, "left-half"), *all = tale_file(t, "left-committed"),
			  *unwritten = tale_file(t, "left-empty"),
			  *over = tale_file(t, "left-over");
	struct gml_file *file = tale_create(t, half);
	tale_write(t, half, file, 0, 6000, false);
	tale_commit(t, half, file);
	tale_write(t, half, file, 3000, 9000, false);
	file = tale_create(t, all);
	tale_write(t, all, file, 0, 20000, true);
	tale_create(t, unwritten);
	tale_put(t, over, 70000);
	file = tale_open(t, over);
	tale_write(t, over, file, 100, 1000, false);
	tale_write(t, over, file, 60000, 20000, false);
}

void tale_run(struct tale *tale, const char *path)
{
	struct gml_store_options opt = tale_options();
	struct teller t = {
		.tale = tale, .op = {.door = GML_PROTOCOL_ADMIN}, .seed = 0x2545f4914f6cdd1du};
	struct story_item *bucket;
	struct gml_bucket got;
	MUST(gml_store_create(path, &opt));
	tale->created = disk_now(tale->log);
	MUST(gml_store_open(path, &opt, &t.store));
	bucket = tale_item(&t, STORY_BUCKET, STORY_BUCKET_NAME, NULL);
	TALE_FACT(&t, bucket, "0", gml_bucket_create(&t.op, t.store, tale_bucket(), NULL, &got));
	t.bucket = got.root;
	tale_records(&t);
	tale_objects(&t);
	tale_files(&t);
	tale_over(&t);
	tale_clean_up(&t);
	gml_store_close(t.store);
	MUST(gml_store_open(path, &opt, &t.store));
	tale_names(&t);
	tale_uploads(&t);
	tale_clean_up(&t);
	tale_crowd(&t);
	tale_clean_up(&t);
	tale_leave(&t);
}
