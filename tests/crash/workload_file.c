// SPDX-License-Identifier: Apache-2.0
/* Steps with files as NFS uses them. */
#include <stdlib.h>
#include <string.h>
#include <gemel/inode.h>
#include <gemel/store.h>
#include "worker.h"

struct gml_file *workload_create(struct worker *w, struct model_item *item)
{
	const char *path = item->slots[0].path;
	struct gml_file *file;
	model_next(item)->values[0] = (struct model_value){.there = true};
	workload_request(w, item);
	MUST(gml_file_create(&w->op, w->store, workload_dir_of(w, path), STR(workload_name(path)),
			     &(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
						  .disposition = GML_CREATE_GUARDED},
			     &file));
	workload_acknowledge(w, item);
	return file;
}

struct gml_file *workload_open(struct worker *w, const struct model_item *item)
{
	struct gml_file *file;
	MUST(gml_file_open(&w->op, w->store, workload_attr(w, item->slots[0].path).ino,
			   GML_OPEN_READ | GML_OPEN_WRITE, &file));
	return file;
}

/* The next state: the last one's bytes up to `size`, zeros to fill, and new ones (or zeros) at
 * off. */
static const uint8_t *workload_change(struct worker *w, struct model_item *item, size_t size,
				      size_t off, size_t len, bool zeros)
{
	struct model_value *value = &model_next(item)->values[0];
	uint8_t *buf = calloc(1, size + 1);
	const uint8_t *bytes = workload_bytes(w, len);
	if (value->len > 0)
		memcpy(buf, value->bytes, value->len < size ? value->len : size);
	if (zeros)
		memset(buf + off, 0, len);
	else if (len > 0)
		memcpy(buf + off, bytes, len);
	*value = (struct model_value){
		.there = true, .bytes = model_copy(w->workload->model, buf, size), .len = size};
	free(buf);
	return bytes;
}

/* In place: any sector of it may be on disk before it is synced. */
void workload_write(struct worker *w, struct model_item *item, struct gml_file *file, size_t off,
		    size_t len, bool stable)
{
	size_t size = model_last(item)->values[0].len;
	const uint8_t *bytes =
		workload_change(w, item, off + len > size ? off + len : size, off, len, false);
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	item->states[item->nstates].mixed = true;
	workload_request(w, item);
	MUST(gml_file_write(&w->op, file, off, &iov, 1, stable));
	if (stable)
		workload_acknowledge(w, item);
}

void workload_commit(struct worker *w, struct model_item *item, struct gml_file *file)
{
	MUST(gml_file_commit(&w->op, file));
	if (model_last(item)->acked == SIZE_MAX)
		workload_acknowledge(w, item);
}

/* Nothing changes, but the content and mtime become final. */
void workload_close(struct worker *w, struct model_item *item, struct gml_file *file)
{
	struct model_state *state = model_next(item);
	struct gml_attr attr;
	gml_ino ino = gml_file_ino(file);
	workload_request(w, item);
	MUST(gml_file_close(&w->op, file));
	MUST(gml_inode_getattr(&w->op, w->store, ino, &attr));
	state->values[0].mtime = attr.mtime;
	workload_acknowledge(w, item);
}

static void workload_setattr(struct worker *w, struct model_item *item,
			     const struct gml_setattr *set)
{
	struct gml_attr attr = workload_attr(w, item->slots[0].path);
	struct model_state *state;
	if (set->mask & GML_SET_SIZE)
		workload_change(w, item, set->size, 0, 0, false);
	else
		model_next(item);
	state = &item->states[item->nstates];
	workload_request(w, item);
	MUST(gml_inode_setattr(&w->op, w->store, attr.ino, set, &attr));
	if (set->mask & GML_SET_MTIME)
		state->values[0].mtime = attr.mtime;
	workload_acknowledge(w, item);
}

static void workload_truncate(struct worker *w, struct model_item *item, uint64_t size)
{
	workload_setattr(w, item, &(struct gml_setattr){.mask = GML_SET_SIZE, .size = size});
}

static void workload_mtime(struct worker *w, struct model_item *item, int64_t mtime)
{
	workload_setattr(w, item, &(struct gml_setattr){.mask = GML_SET_MTIME, .mtime = mtime});
}

static void workload_hole(struct worker *w, struct model_item *item, struct gml_file *file,
			  size_t off, size_t len)
{
	workload_change(w, item, model_last(item)->values[0].len, off, len, true);
	item->states[item->nstates].mixed = true;
	workload_request(w, item);
	MUST(gml_file_deallocate(&w->op, file, off, len));
	workload_acknowledge(w, item);
}

static void workload_allocate(struct worker *w, struct model_item *item, struct gml_file *file,
			      size_t size)
{
	workload_change(w, item, size, 0, 0, false);
	item->states[item->nstates].mixed = true;
	workload_request(w, item);
	MUST(gml_file_allocate(&w->op, file, 0, size));
	workload_acknowledge(w, item);
}

void workload_files(struct worker *w)
{
	struct model_item *plain = workload_file(w, "plain"), *sized = workload_file(w, "sized"),
			  *sparse = workload_file(w, "sparse"),
			  *copy = workload_file(w, "copy-of-plain"),
			  *empty = workload_file(w, "empty"), *late = workload_file(w, "late");
	struct gml_file *file = workload_create(w, plain);
	workload_write(w, plain, file, 0, 5000, false);
	workload_write(w, plain, file, 9000, 3000, false);
	workload_commit(w, plain, file);
	workload_write(w, plain, file, 700, 6000, false);
	workload_write(w, plain, file, 20000, 100, true);
	workload_write(w, plain, file, 0, 512, false);
	workload_close(w, plain, file);
	file = workload_open(w, plain);
	workload_write(w, plain, file, 4000, 4000, false); /* the size stays */
	workload_close(w, plain, file);
	workload_copy(w, plain, copy); /* the write blob becomes an extent of both */
	file = workload_open(w, plain);
	workload_write(w, plain, file, 100, 50, false);
	workload_close(w, plain, file);

	file = workload_create(w, sized);
	workload_write(w, sized, file, 0, 30000, false);
	workload_truncate(w, sized, 10000);
	workload_write(w, sized, file, 12000, 1000, false);
	workload_mtime(w, sized, 1234567890123456789);
	workload_write(w, sized, file, 0, 100, false);
	workload_close(w, sized, file);
	workload_truncate(w, sized, 5000);
	workload_truncate(w, sized, 9000);
	workload_mtime(w, sized, 987654321);
	file = workload_open(w, sized);
	workload_write(w, sized, file, 8000, 2000, true);
	workload_truncate(w, sized, 0);
	workload_write(w, sized, file, 10, 700, false);
	workload_close(w, sized, file);

	file = workload_create(w, sparse);
	workload_write(w, sparse, file, 50000, 5000, false);
	workload_hole(w, sparse, file, 51200, 1024);
	workload_allocate(w, sparse, file, 70000);
	workload_write(w, sparse, file, 60000, 4096, false);
	workload_commit(w, sparse, file);
	workload_close(w, sparse, file);

	workload_close(w, empty, workload_create(w, empty));
	workload_close(w, late, workload_create(w, late));
	file = workload_open(w, late); /* it is still marked as new */
	workload_write(w, late, file, 0, 300, false);
	workload_close(w, late, file);
	gml_store_finalize(&w->op, w->store);
	file = workload_open(w, empty);
	workload_write(w, empty, file, 10, 300, true);
	workload_close(w, empty, file);
}

/* NFS writes to content that came over S3; S3 replaces what NFS has open. */
void workload_overwrite(struct worker *w)
{
	struct model_item *small = workload_file(w, "over-small"),
			  *big = workload_file(w, "over-big"),
			  *kept = workload_file(w, "over-copy"),
			  *replaced = workload_file(w, "over-replaced");
	struct gml_file *file;
	workload_put(w, small, 10000);
	workload_put(w, big, WORKLOAD_BIG);
	workload_copy(w, big, kept);
	file = workload_open(w, small);
	workload_write(w, small, file, 3000, 2000, false);
	workload_write(w, small, file, 9990, 500, false);
	workload_close(w, small, file);
	file = workload_open(w, big);
	workload_write(w, big, file, 70000, 3000, true);
	workload_hole(w, big, file, 0, 4096);
	workload_close(w, big, file);
	workload_truncate(w, kept, 66000);
	workload_truncate(w, kept, 80000);

	file = workload_create(w, replaced);
	workload_write(w, replaced, file, 0, 8000, false);
	workload_put(w, replaced, 70000);
	{ /* the open file is an orphan now: in no item's state */
		struct iovec iov = {(void *)(uintptr_t)workload_bytes(w, 4000), 4000};

		MUST(gml_file_write(&w->op, file, 4000, &iov, 1, true));
		MUST(gml_file_close(&w->op, file));
	}
	workload_put(w, replaced, 100);
}
