// SPDX-License-Identifier: Apache-2.0
/* The store that every operation begins with. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/upload.h>
#include "fixture.h"
#include "tests/spans.h"

#define FIXTURE_ID_PLACE 1 /* slot of the upload's id */

static void make_must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "fault test: %s: %s\n", what, gml_err_name(rc));
	abort();
}
#define MUST(call) make_must((call), #call)

static struct model_item *make_file(struct fixture *fixture, const char *path, size_t len,
				    uint64_t seed)
{
	struct model_item *item = model_item(fixture->model, MODEL_FILE, path, NULL);
	uint8_t *buf = calloc(1, len + 1);
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(disk_random(&seed) | 1);
	if (len > 0) {
		model_next(item)->values[0] = (struct model_value){
			.there = true, .bytes = model_copy(fixture->model, buf, len), .len = len};
		model_request(fixture->model, item);
		model_acknowledge(fixture->model, item);
	}
	free(buf);
	return item;
}

static struct model_item *make_fact(struct fixture *fixture, enum model_type type, const char *path,
				    const char *arg, const char *text)
{
	struct model_item *item = model_item(fixture->model, type, path, arg);
	if (text != NULL) {
		model_next(item)->values[0] = (struct model_value){
			.there = true,
			.bytes = model_copy(fixture->model, text, strlen(text)),
			.len = strlen(text)};
		model_request(fixture->model, item);
		model_acknowledge(fixture->model, item);
	}
	return item;
}

void fixture_items(struct fixture *fixture)
{
	fixture->small = make_file(fixture, "small", 4096, 1);
	fixture->big = make_file(fixture, "big", 150000, 2);
	fixture->deep = make_file(fixture, "deep/a/b", 300, 3);
	fixture->plain = make_file(fixture, "nfs/plain", 20000, 4);
	fixture->other = make_file(fixture, "nfs/other", 10, 5);
	fixture->left = make_file(fixture, "left", 6000, 6);
	fixture->pair = make_file(fixture, "pair-from", 70, 7);
	model_slot(fixture->pair, MODEL_FILE, "nfs/pair-to", NULL);
	fixture->fresh = make_file(fixture, "new/dir/key", 0, 0);
	fixture->file = make_file(fixture, "file", 0, 0);
	fixture->follow = make_file(fixture, "follow", 0, 0);
	fixture->link = make_fact(fixture, MODEL_LINK, "link", NULL, NULL);
	fixture->made = make_fact(fixture, MODEL_DIR, "made", NULL, NULL);
	fixture->mode = make_fact(fixture, MODEL_MODE, "nfs/other", NULL, "644 0 0 1");
	fixture->xattr = make_fact(fixture, MODEL_XATTR, "nfs/other", "user.color", "red");
	fixture->second = make_fact(fixture, MODEL_BUCKET, "second", NULL, NULL);
	fixture->user = make_fact(fixture, MODEL_USER, "bob", NULL, NULL);
	fixture->up = make_file(fixture, "up", 0, 0);
	model_slot(fixture->up, MODEL_UPLOAD, "up", "");
}

/* ---- in the child ---------------------------------------------------------------------------- */

static void make_put(struct fixture *fixture, const struct model_item *item)
{
	static const struct gml_object_new what;
	const struct model_value *value = &model_last(item)->values[0];
	struct gml_put *put;
	MUST(gml_put_begin(&fixture->op, fixture->store,
			   OBJECT_REF(STR(MODEL_BUCKET_NAME), STR(item->slots[0].path)), value->len,
			   &put));
	MUST(gml_put_write(put, value->bytes, value->len));
	MUST(gml_put_finish(&fixture->op, put,
			    &(struct gml_put_options){.md5 = value->bytes, .attrs = &what}, NULL));
}

static struct gml_file *make_write(struct fixture *fixture, gml_ino dir, const char *name,
				   const struct model_item *item)
{
	const struct model_value *value = &model_last(item)->values[0];
	struct iovec iov = {(void *)(uintptr_t)value->bytes, value->len};
	struct gml_file *file;
	MUST(gml_file_create(
		&fixture->op, fixture->store, dir, STR(name),
		&(struct gml_create){.access = GML_OPEN_WRITE, .disposition = GML_CREATE_GUARDED},
		&file));
	MUST(gml_file_write(&fixture->op, file, 0, &iov, 1, true));
	return file;
}

static void make_upload(struct fixture *fixture)
{
	static const struct gml_object_new what;
	struct gml_span bucket = STR(MODEL_BUCKET_NAME), key = STR("up");
	const struct model_value *bytes = &model_last(fixture->small)->values[0];
	struct model_slot *slot = &fixture->up->slots[FIXTURE_ID_PLACE];
	struct gml_put *put;
	struct gml_part part;
	struct model_value *value;
	char text[40];
	MUST(gml_upload_create(&fixture->op, fixture->store, OBJECT_REF(bucket, key),
			       &(struct gml_upload_options){.attrs = &what}, slot->arg));
	MUST(gml_part_begin(&fixture->op, fixture->store, UPLOAD_REF(bucket, key, STR(slot->arg)),
			    1, bytes->len, &put));
	MUST(gml_put_write(put, bytes->bytes, bytes->len));
	MUST(gml_part_finish(&fixture->op, put, bytes->bytes, NULL, &part));
	snprintf(text, sizeof(text), "1:%zu:%02x ", bytes->len, bytes->bytes[0]);
	value = &model_next(fixture->up)->values[FIXTURE_ID_PLACE];
	*value = (struct model_value){.there = true,
				      .bytes = model_copy(fixture->model, text, strlen(text)),
				      .len = strlen(text)};
	model_request(fixture->model, fixture->up);
	model_acknowledge(fixture->model, fixture->up);
}

/* Work for the reaper and for compaction. */
static void make_garbage(struct fixture *fixture)
{
	struct model_item gone = *fixture->big;
	snprintf(gone.slots[0].path, sizeof(gone.slots[0].path), "gone");
	make_put(fixture, &gone);
	MUST(gml_object_delete(&fixture->op, fixture->store,
			       OBJECT_REF(STR(MODEL_BUCKET_NAME), STR("gone")), NULL, NULL));
	gone = *fixture->small;
	snprintf(gone.slots[0].path, sizeof(gone.slots[0].path), "gone");
	make_put(fixture, &gone);
	MUST(gml_object_delete(&fixture->op, fixture->store,
			       OBJECT_REF(STR(MODEL_BUCKET_NAME), STR("gone")), NULL, NULL));
}

static void make_store(struct fixture *fixture, const char *path, bool neat)
{
	struct gml_store_options opt = fixture_options();
	struct gml_file *left;
	struct gml_bucket bucket;
	struct gml_attr attr;
	MUST(gml_store_create(path, &opt));
	MUST(gml_store_open(path, &opt, &fixture->store));
	MUST(gml_bucket_create(&fixture->op, fixture->store, STR(MODEL_BUCKET_NAME), NULL,
			       &bucket));
	MUST(gml_dir_mkdir(&fixture->op, fixture->store, bucket.root, STR("nfs"), NULL, &attr));
	make_put(fixture, fixture->small);
	make_put(fixture, fixture->big);
	make_put(fixture, fixture->deep);
	make_put(fixture, fixture->pair);
	MUST(gml_file_close(&fixture->op, make_write(fixture, attr.ino, "plain", fixture->plain)));
	MUST(gml_file_close(&fixture->op, make_write(fixture, attr.ino, "other", fixture->other)));
	MUST(gml_dir_lookup(&fixture->op, fixture->store, attr.ino, STR("other"), &attr));
	MUST(gml_xattr_set(&fixture->op, fixture->store, attr.ino, STR("user.color"), STR("red"),
			   GML_XATTR_CREATE));
	make_garbage(fixture);
	make_upload(fixture);
	left = make_write(fixture, bucket.root, "left", fixture->left);
	if (!neat)
		return;
	MUST(gml_file_close(&fixture->op, left));
	gml_store_close(fixture->store);
}

bool fixture_make(struct fixture *fixture, const char *path, bool neat)
{
	pid_t pid;
	int status;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		make_store(fixture, path, neat);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
