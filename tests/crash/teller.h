// SPDX-License-Identifier: Apache-2.0
/* What the scenes of the workload share. */
#ifndef TESTS_CRASH_TELLER_H
#define TESTS_CRASH_TELLER_H

#include <gemel/dir.h>
#include <gemel/file.h>
#include "tale.h"

#define TALE_BIG 150000 /* bytes: a blob file of its own */

/* One who tells: a thread with a store. */
struct teller {
	struct tale *tale;
	struct gml_store *store;
	gml_ino bucket;
	struct gml_op op;
	uint64_t seed;
	int number;
};

void tale_check(int rc, const char *what);
#define MUST(call) tale_check((call), #call)

struct gml_span tale_span(const char *text);
struct gml_span tale_bucket(void);
/* Random bytes, the story's. */
const uint8_t *tale_bytes(struct teller *t, size_t len);
/* Facts that do not hold yet; a file by its path. */
struct story_item *tale_item(struct teller *t, enum story_type type, const char *path,
			     const char *arg);
struct story_item *tale_file(struct teller *t, const char *path);
void tale_ask(struct teller *t, struct story_item *item);
void tale_ack(struct teller *t, struct story_item *item);
void tale_set_text(struct teller *t, struct story_value *value, const char *text);

/* A fact of text that `call` makes true. */
#define TALE_FACT(t, item, text, call)                                                             \
	do {                                                                                       \
		tale_set_text(t, &story_next(item)->values[0], text);                              \
		tale_ask(t, item);                                                                 \
		MUST(call);                                                                        \
		tale_ack(t, item);                                                                 \
	} while (0)

/* Last component of a path; the directory that holds it; what it denotes. */
const char *tale_name(const char *path);
gml_ino tale_dir_of(struct teller *t, const char *path);
struct gml_attr tale_attr(struct teller *t, const char *path);

/* ---- tale.c: objects; 0 ---- */
int tale_put(struct teller *t, struct story_item *item, size_t len);
void tale_delete(struct teller *t, struct story_item *item);
void tale_copy(struct teller *t, const struct story_item *from, struct story_item *to);
/* The next state: not there. */
void tale_gone(struct story_item *item);

/* ---- tale_file.c ---- */
struct gml_file *tale_create(struct teller *t, struct story_item *item);
struct gml_file *tale_open(struct teller *t, const struct story_item *item);
void tale_write(struct teller *t, struct story_item *item, struct gml_file *file, size_t off,
		size_t len, bool stable);
void tale_commit(struct teller *t, struct story_item *item, struct gml_file *file);
void tale_close(struct teller *t, struct story_item *item, struct gml_file *file);
void tale_files(struct teller *t);
void tale_over(struct teller *t);

/* ---- tale_name.c ---- */
void tale_names(struct teller *t);
void tale_records(struct teller *t);
void tale_uploads(struct teller *t);

#endif
