// SPDX-License-Identifier: Apache-2.0
/* What the steps of the workload share. */
#ifndef TESTS_CRASH_WORKER_H
#define TESTS_CRASH_WORKER_H

#include <gemel/dir.h>
#include <gemel/file.h>
#include "workload.h"
#include "tests/spans.h"

#define WORKLOAD_BIG 150000 /* bytes: a blob file of its own */

/* A thread that works on a store and records in the model what it does. */
struct worker {
	struct workload *workload;
	struct gml_store *store;
	gml_ino bucket;
	struct gml_op op;
	uint64_t seed;
	int number;
};

void workload_check(int rc, const char *what);
#define MUST(call) workload_check((call), #call)

struct gml_span workload_bucket(void);
/* Random bytes in the model's memory. */
const uint8_t *workload_bytes(struct worker *w, size_t len);
/* Facts that do not hold yet; a file by its path. */
struct model_item *workload_item(struct worker *w, enum model_type type, const char *path,
				 const char *arg);
struct model_item *workload_file(struct worker *w, const char *path);
void workload_request(struct worker *w, struct model_item *item);
void workload_acknowledge(struct worker *w, struct model_item *item);
void workload_set_text(struct worker *w, struct model_value *value, const char *text);

/* A fact of text that `call` makes true. */
#define WORKLOAD_FACT(w, item, text, call)                                                         \
	do {                                                                                       \
		workload_set_text(w, &model_next(item)->values[0], text);                          \
		workload_request(w, item);                                                         \
		MUST(call);                                                                        \
		workload_acknowledge(w, item);                                                     \
	} while (0)

/* Last component of a path; the directory that holds it; what it denotes. */
const char *workload_name(const char *path);
gml_ino workload_dir_of(struct worker *w, const char *path);
struct gml_attr workload_attr(struct worker *w, const char *path);

/* ---- workload.c: objects; 0 ---- */
int workload_put(struct worker *w, struct model_item *item, size_t len);
void workload_delete(struct worker *w, struct model_item *item);
void workload_copy(struct worker *w, const struct model_item *from, struct model_item *to);
/* The next state: not there. */
void workload_gone(struct model_item *item);

/* ---- workload_file.c ---- */
struct gml_file *workload_create(struct worker *w, struct model_item *item);
struct gml_file *workload_open(struct worker *w, const struct model_item *item);
void workload_write(struct worker *w, struct model_item *item, struct gml_file *file, size_t off,
		    size_t len, bool stable);
void workload_commit(struct worker *w, struct model_item *item, struct gml_file *file);
void workload_close(struct worker *w, struct model_item *item, struct gml_file *file);
void workload_files(struct worker *w);
void workload_overwrite(struct worker *w);

/* ---- workload_name.c ---- */
void workload_names(struct worker *w);
void workload_records(struct worker *w);
void workload_uploads(struct worker *w);

#endif
