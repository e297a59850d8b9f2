// SPDX-License-Identifier: Apache-2.0
/* The workload: it creates a store, uses every kind of operation, and records all in a model. */
#ifndef TESTS_CRASH_WORKLOAD_H
#define TESTS_CRASH_WORKLOAD_H

#include "model.h"

struct workload {
	struct model *model;
	const struct disk_log *log;
	size_t created; /* when gml_store_create returned; set by workload_run */
};

/* Shared with forked children. */
struct workload *workload_new(const struct disk_log *log);
/* Make a store at `path` and use it, without closing it in the end. Ends the program when an
 * operation fails. */
void workload_run(struct workload *workload, const char *path);
/* Small, since every cut writes the store anew. */
struct gml_store_options workload_options(void);

#endif
