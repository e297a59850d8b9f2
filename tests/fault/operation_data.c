// SPDX-License-Identifier: Apache-2.0
/* Operations on objects and files. */
#include <stdlib.h>
#include <string.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/store.h>
#include "operation.h"
#include "inject.h"

#define FIXTURE_BIG 150000
#define FIXTURE_KEYS 6 /* in the bucket's root: big, deep/, left, nfs/, pair-from, small */
#define FIXTURE_NAMES 6

static int fixture_put_as(struct fixture *fixture, struct model_item *item, size_t len,
			  uint64_t seed, const struct gml_object_new *what)
{
	struct gml_span key = STR(item->slots[0].path);
	struct model_state *state = model_next(item);
	struct gml_put *put;
	int rc;
	state->values[0] = fixture_content(fixture, len, seed);
	state->values[0].md5 = fixture_content(fixture, 16, seed + 1).bytes;
	model_request(fixture->model, item);
	rc = gml_put_begin(&fixture->op, fixture->store, OBJECT_REF(fixture_bucket(), key),
			   UINT64_MAX, &put);
	if (rc != 0)
		return fixture_result(fixture, item, rc);
	for (size_t off = 0; rc == 0 && off < len; off += 40000)
		rc = gml_put_write(put, state->values[0].bytes + off,
				   len - off < 40000 ? len - off : 40000);
	if (rc != 0)
		gml_put_abort(put);
	else
		rc = gml_put_finish(
			&fixture->op, put,
			&(struct gml_put_options){.md5 = state->values[0].md5, .attrs = what},
			NULL);
	return fixture_result(fixture, item, rc);
}

int fixture_put(struct fixture *fixture, struct model_item *item, size_t len, uint64_t seed)
{
	return fixture_put_as(fixture, item, len, seed, &(struct gml_object_new){0});
}

int operation_put_new(struct fixture *fixture)
{
	return fixture_put(fixture, fixture->fresh, 5000, 100);
}

int operation_put_headers(struct fixture *fixture)
{
	static char value[1500];
	struct gml_meta_pair meta[2] = {{STR("color"), STR("red")}, {STR("long"), {value, 1500}}};
	struct gml_meta_pair tag = {STR("project"), STR("gemel")};
	struct gml_object_new what = {.meta = meta, .nmeta = 2, .tags = &tag, .ntags = 1};
	memset(value, 'v', sizeof(value));
	what.headers[GML_HDR_CONTENT_TYPE] = STR("text/plain");
	return fixture_put_as(fixture, fixture->small, 70, 101, &what);
}

int operation_put_big(struct fixture *fixture)
{
	return fixture_put(fixture, fixture->big, FIXTURE_BIG + 50000, 102);
}

static int fixture_delete(struct fixture *fixture, struct model_item *item)
{
	struct gml_span key = STR(item->slots[0].path);
	fixture_gone(fixture, item);
	return fixture_result(fixture, item,
			      gml_object_delete(&fixture->op, fixture->store,
						OBJECT_REF(fixture_bucket(), key), NULL, NULL));
}

int operation_delete(struct fixture *fixture)
{
	return fixture_delete(fixture, fixture->deep);
}

static int fixture_copy(struct fixture *fixture, struct model_item *from, struct model_item *to,
			enum gml_checksum algorithm)
{
	model_next(to)->values[0] = model_last(from)->values[0];
	model_request(fixture->model, to);
	return fixture_result(
		fixture, to,
		gml_object_copy(&fixture->op, fixture->store,
				OBJECT_REF(fixture_bucket(), STR(from->slots[0].path)),
				OBJECT_REF(fixture_bucket(), STR(to->slots[0].path)),
				&(struct gml_copy_options){.checksum = algorithm}, NULL));
}

int operation_copy(struct fixture *fixture)
{
	return fixture_copy(fixture, fixture->big, fixture->small, GML_CHECKSUM_NONE);
}

int operation_copy_checksum(struct fixture *fixture)
{
	return fixture_copy(fixture, fixture->plain, fixture->fresh, GML_CHECKSUM_SHA256);
}

static bool fixture_count(void *arg, const struct gml_list_entry *entry)
{
	unsigned *count = arg;
	(void)entry;
	++*count;
	return true;
}

static bool fixture_count_name(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	unsigned *count = arg;
	(void)name, (void)attr;
	++*count;
	return true;
}

int operation_list(struct fixture *fixture)
{
	struct gml_list_query query = {
		.bucket = fixture_bucket(), .delimiter = STR("/"), .max = 1000};
	unsigned keys = 0, names = 0;
	bool more, eof;
	int rc = gml_object_list(&fixture->op, fixture->store, &query, fixture_count, &keys, &more);
	if (rc == 0 && (keys != FIXTURE_KEYS || more))
		fixture_wrong(fixture, "list");
	if (rc == 0)
		rc = gml_dir_read(
			&fixture->op, fixture->store, fixture->bucket,
			&(struct gml_dir_query){.each = fixture_count_name, .arg = &names}, &eof);
	if (rc == 0 && (names != FIXTURE_NAMES || !eof))
		fixture_wrong(fixture, "readdir");
	return rc;
}

static int fixture_read_one(struct fixture *fixture, const struct model_item *item)
{
	const struct model_value *want = &model_last(item)->values[0];
	struct gml_object *object = NULL;
	struct gml_run run = {0};
	int rc = gml_object_open(&fixture->op, fixture->store,
				 OBJECT_REF(fixture_bucket(), STR(item->slots[0].path)), true,
				 &object);
	if (rc == 0)
		rc = gml_object_run(object, 0, want->len, &run);
	if (rc == 0 && (run.len != want->len || gml_object_info(object)->size != want->len))
		fixture_wrong(fixture, "size");
	if (rc == 0 && run.mem != NULL && memcmp(run.mem, want->bytes, want->len) != 0)
		fixture_wrong(fixture, "content");
	gml_object_close(object);
	return rc;
}

int operation_read(struct fixture *fixture)
{
	int rc = fixture_read_one(fixture, fixture->small);
	return rc == 0 ? fixture_read_one(fixture, fixture->big) : rc;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Patch the item's next state and write it. */
static int fixture_write(struct fixture *fixture, struct model_item *item, struct gml_file *file,
			 size_t off, size_t len, bool stable)
{
	struct model_value *value = &model_next(item)->values[0];
	struct model_value patch = fixture_content(fixture, len, 200 + off);
	size_t size = value->len > off + len ? value->len : off + len;
	uint8_t *buf = inject_spare(size);
	struct iovec iov[2] = {{(void *)(uintptr_t)patch.bytes, len / 3},
			       {(void *)(uintptr_t)(patch.bytes + len / 3), len - len / 3}};
	int rc;
	if (value->len > 0)
		memcpy(buf, value->bytes, value->len);
	memcpy(buf + off, patch.bytes, len);
	*value = (struct model_value){
		.there = true, .bytes = model_copy(fixture->model, buf, size), .len = size};
	free(buf);
	item->states[item->nstates].mixed = true;
	model_request(fixture->model, item);
	rc = gml_file_write(&fixture->op, file, off, iov, 2, stable);
	return rc != 0 || stable ? fixture_result(fixture, item, rc) : 0;
}

int operation_file(struct fixture *fixture)
{
	struct model_item *item = fixture->file;
	struct gml_file *file;
	int rc, closed;
	model_next(item)->values[0] = (struct model_value){.there = true};
	model_request(fixture->model, item);
	rc = fixture_result(
		fixture, item,
		gml_file_create(&fixture->op, fixture->store, fixture->bucket, STR("file"),
				&(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
						     .disposition = GML_CREATE_GUARDED},
				&file));
	if (rc != 0)
		return rc;
	rc = fixture_write(fixture, item, file, 0, 9000, false);
	if (rc == 0)
		rc = fixture_write(fixture, item, file, 4000, 3000, true);
	if (rc == 0)
		rc = fixture_write(fixture, item, file, 12000, 100, false);
	if (rc == 0)
		rc = fixture_result(fixture, item, gml_file_commit(&fixture->op, file));
	closed = gml_file_close(&fixture->op, file);
	return rc != 0 ? rc : closed;
}

/* Nobody writes to it; it becomes clean later. */
int operation_file_empty(struct fixture *fixture)
{
	struct model_item *item = fixture->file;
	struct gml_file *file;
	int rc;
	model_next(item)->values[0] = (struct model_value){.there = true};
	model_request(fixture->model, item);
	rc = fixture_result(fixture, item,
			    gml_file_create(&fixture->op, fixture->store, fixture->bucket,
					    STR("file"),
					    &(struct gml_create){.access = GML_OPEN_WRITE,
								 .disposition = GML_CREATE_GUARDED},
					    &file));
	if (rc != 0)
		return rc;
	rc = gml_file_close(&fixture->op, file);
	gml_store_finalize(&fixture->op, fixture->store);
	return rc;
}

/* Writes over what came over S3; then a hole. */
int operation_overwrite(struct fixture *fixture)
{
	struct gml_file *file;
	gml_ino ino;
	int rc = fixture_ino(fixture, fixture->big, &ino), closed;
	if (rc == 0)
		rc = gml_file_open(&fixture->op, fixture->store, ino, GML_OPEN_WRITE, &file);
	if (rc != 0)
		return rc;
	rc = fixture_write(fixture, fixture->big, file, 70000, 5000, false);
	if (rc == 0)
		rc = fixture_result(fixture, fixture->big, gml_file_commit(&fixture->op, file));
	if (rc == 0)
		rc = fixture_write(fixture, fixture->big, file, FIXTURE_BIG - 100, 3000, true);
	closed = gml_file_close(&fixture->op, file);
	return rc != 0 ? rc : closed;
}

static int fixture_resize(struct fixture *fixture, struct model_item *item, size_t size)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = size};
	struct model_value *value;
	uint8_t *buf;
	gml_ino ino;
	int rc = fixture_ino(fixture, item, &ino);
	if (rc != 0)
		return rc;
	value = &model_next(item)->values[0];
	buf = inject_spare(size + 1);
	memcpy(buf, value->bytes, value->len < size ? value->len : size);
	*value = (struct model_value){
		.there = true, .bytes = model_copy(fixture->model, buf, size), .len = size};
	free(buf);
	model_request(fixture->model, item);
	return fixture_result(fixture, item,
			      gml_inode_setattr(&fixture->op, fixture->store, ino, &set, NULL));
}

int operation_truncate(struct fixture *fixture)
{
	int rc = fixture_resize(fixture, fixture->plain, 7000);
	if (rc == 0)
		rc = fixture_resize(fixture, fixture->plain, 9000);
	return rc == 0 ? fixture_resize(fixture, fixture->big, 1000) : rc;
}

int operation_sparse(struct fixture *fixture)
{
	struct model_item *item = fixture->plain;
	struct gml_file *file;
	struct model_value *value;
	uint64_t at;
	gml_ino ino;
	uint8_t *buf;
	bool eof;
	int rc = fixture_ino(fixture, item, &ino), closed;
	if (rc == 0)
		rc = gml_file_open(&fixture->op, fixture->store, ino,
				   GML_OPEN_WRITE | GML_OPEN_READ, &file);
	if (rc != 0)
		return rc;
	value = &model_next(item)->values[0];
	buf = inject_spare(value->len);
	memcpy(buf, value->bytes, value->len);
	memset(buf + 4096, 0, 8192);
	value->bytes = model_copy(fixture->model, buf, value->len);
	free(buf);
	item->states[item->nstates].mixed = true;
	model_request(fixture->model, item);
	rc = fixture_result(fixture, item, gml_file_deallocate(&fixture->op, file, 4096, 8192));
	if (rc == 0)
		rc = gml_file_seek(&fixture->op, file, GML_SEEK_HOLE, 0, &at, &eof);
	if (rc == 0)
		rc = gml_file_allocate(&fixture->op, file, 0, 8000);
	closed = gml_file_close(&fixture->op, file);
	return rc != 0 ? rc : closed;
}

int operation_attributes(struct fixture *fixture)
{
	struct gml_setattr set = {
		.mask = GML_SET_MODE | GML_SET_MTIME, .mode = 0600, .mtime = 1234567890};
	gml_ino ino;
	int rc = fixture_ino(fixture, fixture->other, &ino);
	if (rc != 0)
		return rc;
	fixture_text(fixture, fixture->mode, "600 0 0 1");
	return fixture_result(fixture, fixture->mode,
			      gml_inode_setattr(&fixture->op, fixture->store, ino, &set, NULL));
}
