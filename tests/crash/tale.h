// SPDX-License-Identifier: Apache-2.0
/* The workload: a life of a store from its creation on, told to a story as it goes. */
#ifndef TESTS_CRASH_TALE_H
#define TESTS_CRASH_TALE_H

#include "story.h"

struct tale {
	struct story *story;
	const struct disk_log *log;
	size_t created; /* when gml_store_create returned; set by tale_run */
};

/* Shared with forked children. */
struct tale *tale_new(const struct disk_log *log);
/* Make a store at `path` and use it, without closing it in the end. Ends the program when an operation fails. */
void tale_run(struct tale *tale, const char *path);
/* Small, since every cut writes the store anew. */
struct gml_store_options tale_options(void);

#endif
