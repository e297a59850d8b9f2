// SPDX-License-Identifier: Apache-2.0
/* Scenes with files as NFS uses them. */
#include <stdlib.h>
#include <string.h>
#include <gemel/inode.h>
#include <gemel/store.h>
#include "teller.h"

struct gml_file *tale_create(struct teller *t, struct story_item *item)
{
	const char *path = item->slots[0].path;
	struct gml_file *file;
	story_next(item)->values[0] = (struct story_value){.there = true};
	tale_ask(t, item);
	MUST(gml_file_create(&t->op, t->store, tale_dir_of(t, path), tale_span(tale_name(path)),
			     GML_OPEN_READ | GML_OPEN_WRITE, GML_CREATE_GUARDED, NULL, NULL, &file,
			     NULL, NULL));
	tale_ack(t, item);
	return file;
}

struct gml_file *tale_open(struct teller *t, const struct story_item *item)
{
	struct gml_file *file;
	MUST(gml_file_open(&t->op, t->store, tale_attr(t, item->slots[0].path).ino,
			   GML_OPEN_READ | GML_OPEN_WRITE, &file));
	return file;
}

/* The next state: the last one's bytes up to `size`, zeros to fill, and new ones (or zeros) at off. */
static const uint8_t *tale_change(struct teller *t, struct story_item *item, size_t size,
				  size_t off, size_t len, bool zeros)
{
	struct story_value *value = &story_next(item)->values[0];
	uint8_t *buf = calloc(1, size + 1);
	const uint8_t *bytes = tale_bytes(t, len);
	if (value->len > 0)
		memcpy(buf, value->bytes, value->len < size ? value->len : size);
	if (zeros)
		memset(buf + off, 0, len);
	else if (len > 0)
		memcpy(buf + off, bytes, len);
	*value = (struct story_value){
		.there = true, .bytes = story_keep(t->tale->story, buf, size), .len = size};
	free(buf);
	return bytes;
}

/* In place: any sector of it may be on disk before it is synced. */
void tale_write(struct teller *t, struct story_item *item, struct gml_file *file, size_t off,
		size_t len, bool stable)
{
	size_t size = story_last(item)->values[0].len;
	const uint8_t *bytes =
		tale_change(t, item, off + len > size ? off + len : size, off, len, false);
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	item->states[item->nstates].mixed = true;
	tale_ask(t, item);
	MUST(gml_file_write(&t->op, file, off, &iov, 1, stable));
	if (stable)
		tale_ack(t, item);
}

void tale_commit(struct teller *t, struct story_item *item, struct gml_file *file)
{
	MUST(gml_file_commit(&t->op, file));
	if (story_last(item)->acked == SIZE_MAX)
		tale_ack(t, item);
}

/* Nothing changes but that content and mtime are settled. */
void tale_close(struct teller *t, struct story_item *item, struct gml_file *file)
{
	struct story_state *state = story_next(item);
	struct gml_attr attr;
	gml_ino ino = gml_file_ino(file);
	tale_ask(t, item);
	MUST(gml_file_close(&t->op, file));
	MUST(gml_inode_getattr(&t->op, t->store, ino, &attr));
	state->values[0].mtime = attr.mtime;
	tale_ack(t, item);
}

static void tale_setattr(struct teller *t, struct story_item *item, const struct gml_setattr *set)
{
	struct gml_attr attr = tale_attr(t, item->slots[0].path);
	struct story_state *state;
	if (set->mask & GML_SET_SIZE)
		tale_change(t, item, set->size, 0, 0, false);
	else
		story_next(item);
	state = &item->states[item->nstates];
	tale_ask(t, item);
	MUST(gml_inode_setattr(&t->op, t->store, attr.ino, set, &attr));
	if (set->mask & GML_SET_MTIME)
		state->values[0].mtime = attr.mtime;
	tale_ack(t, item);
}

static void tale_truncate(struct teller *t, struct story_item *item, uint64_t size)
{
	tale_setattr(t, item, &(struct gml_setattr){.mask = GML_SET_SIZE, .size = size});
}

static void tale_mtime(struct teller *t, struct story_item *item, int64_t mtime)
{
	tale_setattr(t, item, &(struct gml_setattr){.mask = GML_SET_MTIME, .mtime = mtime});
}

static void tale_hole(struct teller *t, struct story_item *item, struct gml_file *file, size_t off,
		      size_t len)
{
	tale_change(t, item, story_last(item)->values[0].len, off, len, true);
	item->states[item->nstates].mixed = true;
	tale_ask(t, item);
	MUST(gml_file_deallocate(&t->op, file, off, len));
	tale_ack(t, item);
}

static void tale_allocate(struct teller *t, struct story_item *item, struct gml_file *file,
			  size_t size)
{
	tale_change(t, item, size, 0, 0, false);
	item->states[item->nstates].mixed = true;
	tale_ask(t, item);
	MUST(gml_file_allocate(&t->op, file, 0, size));
	tale_ack(t, item);
}

void tale_files(struct teller *t)
{
	struct story_item *plain = tale_file(t, "plain"), *sized = tale_file(t, "sized"),
			  *sparse = tale_file(t, "sparse"), *copy = tale_file(t, "copy-of-plain"),
			  *empty = tale_file(t, "empty"), *late = tale_file(t, "late");
	struct gml_file *file = tale_create(t, plain);
	tale_write(t, plain, file, 0, 5000, false);
	tale_write(t, plain, file, 9000, 3000, false);
	tale_commit(t, plain, file);
	tale_write(t, plain, file, 700, 6000, false);
	tale_write(t, plain, file, 20000, 100, true);
	tale_write(t, plain, file, 0, 512, false);
	tale_close(t, plain, file);
	file = tale_open(t, plain);
	tale_write(t, plain, file, 4000, 4000, false); /* the size stays */
	tale_close(t, plain, file);
	tale_copy(t, plain, copy); /* the write blob becomes an extent of both */
	file = tale_open(t, plain);
	tale_write(t, plain, file, 100, 50, false);
	tale_close(t, plain, file);

	file = tale_create(t, sized);
	tale_write(t, sized, file, 0, 30000, false);
	tale_truncate(t, sized, 10000);
	tale_write(t, sized, file, 12000, 1000, false);
	tale_mtime(t, sized, 1234567890123456789);
	tale_write(t, sized, file, 0, 100, false);
	tale_close(t, sized, file);
	tale_truncate(t, sized, 5000);
	tale_truncate(t, sized, 9000);
	tale_mtime(t, sized, 987654321);
	file = tale_open(t, sized);
	tale_write(t, sized, file, 8000, 2000, true);
	tale_truncate(t, sized, 0);
	tale_write(t, sized, file, 10, 700, false);
	tale_close(t, sized, file);

	file = tale_create(t, sparse);
	tale_write(t, sparse, file, 50000, 5000, false);
	tale_hole(t, sparse, file, 51200, 1024);
	tale_allocate(t, sparse, file, 70000);
	tale_write(t, sparse, file, 60000, 4096, false);
	tale_commit(t, sparse, file);
	tale_close(t, sparse, file);

	tale_close(t, empty, tale_create(t, empty));
	tale_close(t, late, tale_create(t, late));
	file = tale_open(t, late); /* it is still marked as new */
	tale_write(t, late, file, 0, 300, false);
	tale_close(t, late, file);
	gml_store_finalize(&t->op, t->store);
	file = tale_open(t, empty);
	tale_write(t, empty, file, 10, 300, true);
	tale_close(t, empty, file);
}

/* NFS writes to content that came over S3; S3 replaces what NFS has open. */
void tale_over(struct teller *t)
{
	struct story_item *small = tale_file(t, "over-small"), *big = tale_file(t, "over-big"),
			  *kept = tale_file(t, "over-copy"),
			  *replaced = tale_file(t, "over-replaced");
	struct gml_file *file;
	tale_put(t, small, 10000);
	tale_put(t, big, TALE_BIG);
	tale_copy(t, big, kept);
	file = tale_open(t, small);
	tale_write(t, small, file, 3000, 2000, false);
	tale_write(t, small, file, 9990, 500, false);
	tale_close(t, small, file);
	file = tale_open(t, big);
	tale_write(t, big, file, 70000, 3000, true);
	tale_hole(t, big, file, 0, 4096);
	tale_close(t, big, file);
	tale_truncate(t, kept, 66000);
	tale_truncate(t, kept, 80000);

	file = tale_create(t, replaced);
	tale_write(t, replaced, file, 0, 8000, false);
	tale_put(t, replaced, 70000);
	{ /* the open file is an orphan now: nobody's state */
		struct iovec iov = {(void *)(uintptr_t)tale_bytes(t, 4000), 4000};

		MUST(gml_file_write(&t->op, file, 4000, &iov, 1, true));
		MUST(gml_file_close(&t->op, file));
	}
	tale_put(t, replaced, 100);
}
