// SPDX-License-Identifier: Apache-2.0
/* The store that every act begins with. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/upload.h>
#include "scene.h"

#define SCENE_ID_PLACE 1 /* slot of the upload's id */

static void make_must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "fault test: %s: %s\n", what, gml_err_name(rc));
	abort();
}
#define MUST(call) make_must((call), #call)

static struct gml_span make_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

static struct story_item *make_file(struct scene *scene, const char *path, size_t len,
				    uint64_t seed)
{
	struct story_item *item = story_item(scene->story, STORY_FILE, path, NULL);
	uint8_t *buf = calloc(1, len + 1);
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(disk_random(&seed) | 1);
	if (len > 0) {
		story_next(item)->values[0] = (struct story_value){
			.there = true, .bytes = story_keep(scene->story, buf, len), .len = len};
		story_ask(scene->story, item);
		story_ack(scene->story, item);
	}
	free(buf);
	return item;
}

static struct story_item *make_fact(struct scene *scene, enum story_type type, const char *path,
				    const char *arg, const char *text)
{
	struct story_item *item = story_item(scene->story, type, path, arg);
	if (text != NULL) {
		story_next(item)->values[0] =
			(struct story_value){.there = true,
					     .bytes = story_keep(scene->story, text, strlen(text)),
					     .len = strlen(text)};
		story_ask(scene->story, item);
		story_ack(scene->story, item);
	}
	return item;
}

void scene_items(struct scene *scene)
{
	scene->small = make_file(scene, "small", 4096, 1);
	scene->big = make_file(scene, "big", 150000, 2);
	scene->deep = make_file(scene, "deep/a/b", 300, 3);
	scene->plain = make_file(scene, "nfs/plain", 20000, 4);
	scene->other = make_file(scene, "nfs/other", 10, 5);
	scene->left = make_file(scene, "left", 6000, 6);
	scene->pair = make_file(scene, "pair-from", 70, 7);
	story_slot(scene->pair, STORY_FILE, "nfs/pair-to", NULL);
	scene->fresh = make_file(scene, "new/dir/key", 0, 0);
	scene->file = make_file(scene, "file", 0, 0);
	scene->follow = make_file(scene, "follow", 0, 0);
	scene->link = make_fact(scene, STORY_LINK, "link", NULL, NULL);
	scene->made = make_fact(scene, STORY_DIR, "made", NULL, NULL);
	scene->mode = make_fact(scene, STORY_MODE, "nfs/other", NULL, "644 0 0 1");
	scene->xattr = make_fact(scene, STORY_XATTR, "nfs/other", "user.color", "red");
	scene->second = make_fact(scene, STORY_BUCKET, "second", NULL, NULL);
	scene->user = make_fact(scene, STORY_USER, "bob", NULL, NULL);
	scene->up = make_file(scene, "up", 0, 0);
	story_slot(scene->up, STORY_UPLOAD, "up", "");
}

/* ---- in the child ------------------------------------------------------------------------------------------------ */

static void make_put(struct scene *scene, const struct story_item *item)
{
	static const struct gml_object_new what;
	const struct story_value *value = &story_last(item)->values[0];
	struct gml_put *put;
	MUST(gml_put_begin(&scene->op, scene->store, make_span(STORY_BUCKET_NAME),
			   make_span(item->slots[0].path), value->len, &put));
	MUST(gml_put_write(put, value->bytes, value->len));
	MUST(gml_put_finish(&scene->op, put, value->bytes, NULL, &what, NULL, NULL));
}

static struct gml_file *make_write(struct scene *scene, gml_ino dir, const char *name,
				   const struct story_item *item)
{
	const struct story_value *value = &story_last(item)->values[0];
	struct iovec iov = {(void *)(uintptr_t)value->bytes, value->len};
	struct gml_file *file;
	MUST(gml_file_create(&scene->op, scene->store, dir, make_span(name), GML_OPEN_WRITE,
			     GML_CREATE_GUARDED, NULL, NULL, &file, NULL, NULL));
	MUST(gml_file_write(&scene->op, file, 0, &iov, 1, true));
	return file;
}

static void make_upload(struct scene *scene)
{
	static const struct gml_object_new what;
	struct gml_span bucket = make_span(STORY_BUCKET_NAME), key = make_span("up");
	const struct story_value *bytes = &story_last(scene->small)->values[0];
	struct story_slot *slot = &scene->up->slots[SCENE_ID_PLACE];
	struct gml_put *put;
	struct gml_part part;
	struct story_value *value;
	char text[40];
	MUST(gml_upload_create(&scene->op, scene->store, bucket, key, &what, GML_CHECKSUM_NONE,
			       false, slot->arg));
	MUST(gml_part_begin(&scene->op, scene->store, bucket, key, make_span(slot->arg), 1,
			    bytes->len, &put));
	MUST(gml_put_write(put, bytes->bytes, bytes->len));
	MUST(gml_part_finish(&scene->op, put, bytes->bytes, NULL, &part));
	snprintf(text, sizeof(text), "1:%zu:%02x ", bytes->len, bytes->bytes[0]);
	value = &story_next(scene->up)->values[SCENE_ID_PLACE];
	*value = (struct story_value){.there = true,
				      .bytes = story_keep(scene->story, text, strlen(text)),
				      .len = strlen(text)};
	story_ask(scene->story, scene->up);
	story_ack(scene->story, scene->up);
}

/* Work for the reaper and for compaction. */
static void make_garbage(struct scene *scene)
{
	struct story_item gone = *scene->big;
	snprintf(gone.slots[0].path, sizeof(gone.slots[0].path), "gone");
	make_put(scene, &gone);
	MUST(gml_object_delete(&scene->op, scene->store, make_span(STORY_BUCKET_NAME),
			       make_span("gone"), NULL, NULL));
	gone = *scene->small;
	snprintf(gone.slots[0].path, sizeof(gone.slots[0].path), "gone");
	make_put(scene, &gone);
	MUST(gml_object_delete(&scene->op, scene->store, make_span(STORY_BUCKET_NAME),
			       make_span("gone"), NULL, NULL));
}

static void make_store(struct scene *scene, const char *path, bool neat)
{
	struct gml_store_options opt = scene_options();
	struct gml_file *left;
	struct gml_bucket bucket;
	struct gml_attr attr;
	MUST(gml_store_create(path, &opt));
	MUST(gml_store_open(path, &opt, &scene->store));
	MUST(gml_bucket_create(&scene->op, scene->store, make_span(STORY_BUCKET_NAME), NULL,
			       &bucket));
	MUST(gml_dir_mkdir(&scene->op, scene->store, bucket.root, make_span("nfs"), NULL, &attr));
	make_put(scene, scene->small);
	make_put(scene, scene->big);
	make_put(scene, scene->deep);
	make_put(scene, scene->pair);
	MUST(gml_file_close(&scene->op, make_write(scene, attr.ino, "plain", scene->plain)));
	MUST(gml_file_close(&scene->op, make_write(scene, attr.ino, "other", scene->other)));
	MUST(gml_dir_lookup(&scene->op, scene->store, attr.ino, make_span("other"), &attr));
	MUST(gml_xattr_set(&scene->op, scene->store, attr.ino, make_span("user.color"),
			   make_span("red"), GML_XATTR_CREATE));
	make_garbage(scene);
	make_upload(scene);
	left = make_write(scene, bucket.root, "left", scene->left);
	if (!neat)
		return;
	MUST(gml_file_close(&scene->op, left));
	gml_store_close(scene->store);
}

bool scene_make(struct scene *scene, const char *path, bool neat)
{
	pid_t pid;
	int status;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		make_store(scene, path, neat);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
