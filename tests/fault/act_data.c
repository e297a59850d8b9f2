// SPDX-License-Identifier: Apache-2.0
/* Operations on objects and files. */
#include <stdlib.h>
#include <string.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/store.h>
#include "act.h"
#include "inject.h"

#define SCENE_BIG 150000
#define SCENE_KEYS 6 /* in the bucket's root: big, deep/, left, nfs/, pair-from, small */
#define SCENE_NAMES 6

static int scene_put_as(struct scene *scene, struct story_item *item, size_t len, uint64_t seed,
			const struct gml_object_new *what)
{
	struct gml_span key = scene_span(item->slots[0].path);
	struct story_state *state = story_next(item);
	struct gml_put *put;
	int rc;
	state->values[0] = scene_content(scene, len, seed);
	state->values[0].md5 = scene_content(scene, 16, seed + 1).bytes;
	story_ask(scene->story, item);
	rc = gml_put_begin(&scene->op, scene->store, scene_bucket(), key, UINT64_MAX, &put);
	if (rc != 0)
		return scene_done(scene, item, rc);
	for (size_t off = 0; rc == 0 && off < len; off += 40000)
		rc = gml_put_write(put, state->values[0].bytes + off,
				   len - off < 40000 ? len - off : 40000);
	if (rc != 0)
		gml_put_abort(put);
	else
		rc = gml_put_finish(&scene->op, put, state->values[0].md5, NULL, what, NULL, NULL);
	return scene_done(scene, item, rc);
}

int scene_put(struct scene *scene, struct story_item *item, size_t len, uint64_t seed)
{
	return scene_put_as(scene, item, len, seed, &(struct gml_object_new){0});
}

int act_put_new(struct scene *scene)
{
	return scene_put(scene, scene->fresh, 5000, 100);
}

int act_put_headers(struct scene *scene)
{
	static char value[1500];
	struct gml_meta_pair meta[2] = {{scene_span("color"), scene_span("red")},
					{scene_span("long"), {value, 1500}}};
	struct gml_meta_pair tag = {scene_span("project"), scene_span("gemel")};
	struct gml_object_new what = {.meta = meta, .nmeta = 2, .tags = &tag, .ntags = 1};
	memset(value, 'v', sizeof(value));
	what.headers[GML_HDR_CONTENT_TYPE] = scene_span("text/plain");
	return scene_put_as(scene, scene->small, 70, 101, &what);
}

int act_put_big(struct scene *scene)
{
	return scene_put(scene, scene->big, SCENE_BIG + 50000, 102);
}

static int scene_delete(struct scene *scene, struct story_item *item)
{
	struct gml_span key = scene_span(item->slots[0].path);
	scene_gone(scene, item);
	return scene_done(
		scene, item,
		gml_object_delete(&scene->op, scene->store, scene_bucket(), key, NULL, NULL));
}

int act_delete(struct scene *scene)
{
	return scene_delete(scene, scene->deep);
}

static int scene_copy(struct scene *scene, struct story_item *from, struct story_item *to,
		      enum gml_checksum algorithm)
{
	story_next(to)->values[0] = story_last(from)->values[0];
	story_ask(scene->story, to);
	return scene_done(scene, to,
			  gml_object_copy(&scene->op, scene->store, scene_bucket(),
					  scene_span(from->slots[0].path), NULL, scene_bucket(),
					  scene_span(to->slots[0].path), NULL, NULL, algorithm,
					  NULL));
}

int act_copy(struct scene *scene)
{
	return scene_copy(scene, scene->big, scene->small, GML_CHECKSUM_NONE);
}

int act_copy_checksum(struct scene *scene)
{
	return scene_copy(scene, scene->plain, scene->fresh, GML_CHECKSUM_SHA256);
}

static bool scene_count(void *arg, const struct gml_list_entry *entry)
{
	unsigned *count = arg;
	(void)entry;
	++*count;
	return true;
}

static bool scene_count_name(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	unsigned *count = arg;
	(void)name, (void)attr;
	++*count;
	return true;
}

int act_list(struct scene *scene)
{
	struct gml_list_query query = {.delimiter = scene_span("/"), .max = 1000};
	unsigned keys = 0, names = 0;
	bool more, eof;
	int rc = gml_object_list(&scene->op, scene->store, scene_bucket(), &query, scene_count,
				 &keys, &more);
	if (rc == 0 && (keys != SCENE_KEYS || more))
		scene_wrong(scene, "list");
	if (rc == 0)
		rc = gml_dir_read(&scene->op, scene->store, scene->bucket, 0, scene_count_name,
				  &names, &eof);
	if (rc == 0 && (names != SCENE_NAMES || !eof))
		scene_wrong(scene, "readdir");
	return rc;
}

static int scene_read_one(struct scene *scene, const struct story_item *item)
{
	const struct story_value *want = &story_last(item)->values[0];
	struct gml_object *object = NULL;
	struct gml_run run = {0};
	int rc = gml_object_open(&scene->op, scene->store, scene_bucket(),
				 scene_span(item->slots[0].path), true, &object);
	if (rc == 0)
		rc = gml_object_run(object, 0, want->len, &run);
	if (rc == 0 && (run.len != want->len || gml_object_info(object)->size != want->len))
		scene_wrong(scene, "size");
	if (rc == 0 && run.mem != NULL && memcmp(run.mem, want->bytes, want->len) != 0)
		scene_wrong(scene, "content");
	gml_object_close(object);
	return rc;
}

int act_read(struct scene *scene)
{
	int rc = scene_read_one(scene, scene->small);
	return rc == 0 ? scene_read_one(scene, scene->big) : rc;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Patch the item's next state and write it. */
static int scene_write(struct scene *scene, struct story_item *item, struct gml_file *file,
		       size_t off, size_t len, bool stable)
{
	struct story_value *value = &story_next(item)->values[0];
	struct story_value patch = scene_content(scene, len, 200 + off);
	size_t size = value->len > off + len ? value->len : off + len;
	uint8_t *buf = inject_spare(size);
	struct iovec iov[2] = {{(void *)(uintptr_t)patch.bytes, len / 3},
			       {(void *)(uintptr_t)(patch.bytes + len / 3), len - len / 3}};
	int rc;
	if (value->len > 0)
		memcpy(buf, value->bytes, value->len);
	memcpy(buf + off, patch.bytes, len);
	*value = (struct story_value){
		.there = true, .bytes = story_keep(scene->story, buf, size), .len = size};
	free(buf);
	item->states[item->nstates].mixed = true;
	story_ask(scene->story, item);
	rc = gml_file_write(&scene->op, file, off, iov, 2, stable);
	return rc != 0 || stable ? scene_done(scene, item, rc) : 0;
}

int act_file(struct scene *scene)
{
	struct story_item *item = scene->file;
	struct gml_file *file;
	int rc, closed;
	story_next(item)->values[0] = (struct story_value){.there = true};
	story_ask(scene->story, item);
	rc = scene_done(scene, item,
			gml_file_create(&scene->op, scene->store, scene->bucket, scene_span("file"),
					GML_OPEN_READ | GML_OPEN_WRITE, GML_CREATE_GUARDED, NULL,
					NULL, &file, NULL, NULL));
	if (rc != 0)
		return rc;
	rc = scene_write(scene, item, file, 0, 9000, false);
	if (rc == 0)
		rc = scene_write(scene, item, file, 4000, 3000, true);
	if (rc == 0)
		rc = scene_write(scene, item, file, 12000, 100, false);
	if (rc == 0)
		rc = scene_done(scene, item, gml_file_commit(&scene->op, file));
	closed = gml_file_close(&scene->op, file);
	return rc != 0 ? rc : closed;
}

/* Nobody writes to it; it becomes clean later. */
int act_file_empty(struct scene *scene)
{
	struct story_item *item = scene->file;
	struct gml_file *file;
	int rc;
	story_next(item)->values[0] = (struct story_value){.there = true};
	story_ask(scene->story, item);
	rc = scene_done(scene, item,
			gml_file_create(&scene->op, scene->store, scene->bucket, scene_span("file"),
					GML_OPEN_WRITE, GML_CREATE_GUARDED, NULL, NULL, &file, NULL,
					NULL));
	if (rc != 0)
		return rc;
	rc = gml_file_close(&scene->op, file);
	gml_store_finalize(&scene->op, scene->store);
	return rc;
}

/* Writes over what came over S3; then a hole. */
int act_overwrite(struct scene *scene)
{
	struct gml_file *file;
	gml_ino ino;
	int rc = scene_ino(scene, scene->big, &ino), closed;
	if (rc == 0)
		rc = gml_file_open(&scene->op, scene->store, ino, GML_OPEN_WRITE, &file);
	if (rc != 0)
		return rc;
	rc = scene_write(scene, scene->big, file, 70000, 5000, false);
	if (rc == 0)
		rc = scene_done(scene, scene->big, gml_file_commit(&scene->op, file));
	if (rc == 0)
		rc = scene_write(scene, scene->big, file, SCENE_BIG - 100, 3000, true);
	closed = gml_file_close(&scene->op, file);
	return rc != 0 ? rc : closed;
}

static int scene_resize(struct scene *scene, struct story_item *item, size_t size)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = size};
	struct story_value *value;
	uint8_t *buf;
	gml_ino ino;
	int rc = scene_ino(scene, item, &ino);
	if (rc != 0)
		return rc;
	value = &story_next(item)->values[0];
	buf = inject_spare(size + 1);
	memcpy(buf, value->bytes, value->len < size ? value->len : size);
	*value = (struct story_value){
		.there = true, .bytes = story_keep(scene->story, buf, size), .len = size};
	free(buf);
	story_ask(scene->story, item);
	return scene_done(scene, item,
			  gml_inode_setattr(&scene->op, scene->store, ino, &set, NULL));
}

int act_truncate(struct scene *scene)
{
	int rc = scene_resize(scene, scene->plain, 7000);
	if (rc == 0)
		rc = scene_resize(scene, scene->plain, 9000);
	return rc == 0 ? scene_resize(scene, scene->big, 1000) : rc;
}

int act_sparse(struct scene *scene)
{
	struct story_item *item = scene->plain;
	struct gml_file *file;
	struct story_value *value;
	uint64_t at;
	gml_ino ino;
	uint8_t *buf;
	bool eof;
	int rc = scene_ino(scene, item, &ino), closed;
	if (rc == 0)
		rc = gml_file_open(&scene->op, scene->store, ino, GML_OPEN_WRITE | GML_OPEN_READ,
				   &file);
	if (rc != 0)
		return rc;
	value = &story_next(item)->values[0];
	buf = inject_spare(value->len);
	memcpy(buf, value->bytes, value->len);
	memset(buf + 4096, 0, 8192);
	value->bytes = story_keep(scene->story, buf, value->len);
	free(buf);
	item->states[item->nstates].mixed = true;
	story_ask(scene->story, item);
	rc = scene_done(scene, item, gml_file_deallocate(&scene->op, file, 4096, 8192));
	if (rc == 0)
		rc = gml_file_seek(&scene->op, file, GML_SEEK_HOLE, 0, &at, &eof);
	if (rc == 0)
		rc = gml_file_allocate(&scene->op, file, 0, 8000);
	closed = gml_file_close(&scene->op, file);
	return rc != 0 ? rc : closed;
}

int act_attributes(struct scene *scene)
{
	struct gml_setattr set = {
		.mask = GML_SET_MODE | GML_SET_MTIME, .mode = 0600, .mtime = 1234567890};
	gml_ino ino;
	int rc = scene_ino(scene, scene->other, &ino);
	if (rc != 0)
		return rc;
	scene_text(scene, scene->mode, "600 0 0 1");
	return scene_done(scene, scene->mode,
			  gml_inode_setattr(&scene->op, scene->store, ino, &set, NULL));
}
