// SPDX-License-Identifier: Apache-2.0
/* Operations of the core that are made to fail, and the store that they are tried on. */
#ifndef TESTS_FAULT_FIXTURE_H
#define TESTS_FAULT_FIXTURE_H

#include "tests/crash/model.h"

struct fixture {
	struct model *model;
	struct gml_store *store;
	const char *path; /* of the store; beside it there is room */
	gml_ino bucket;	  /* its root */
	gml_ino nfs;	  /* nfs/ in it */
	struct gml_op op;
	const char *wrong; /* an operation succeeded with a wrong result */
	struct model_item *small, *big, *deep, *plain, *other, *fresh, *file, *pair, *link, *xattr,
		*mode, *made, *second, *user, *up, *left, *follow;
};

struct operation {
	const char *name;
	/* 0, or the first error. The items that it changes say what must hold afterwards. */
	int (*run)(struct fixture *fixture);
	unsigned flags;
};
enum {
	FIXTURE_CLOSED = 1, /* finds the store closed */
	FIXTURE_DIRTY = 2,  /* finds it as a dead process left it */
	FIXTURE_PACKS = 4,  /* leaves the process with a pack: more goes there */
};
extern const struct operation operations[];
extern const unsigned operations_count;

/* Make the items, in this process, and the store at `path`, in a child; neat: closed, else left by
 * a dying process with a file DIRTY. The items are the same for both. False: the child failed. */
void fixture_items(struct fixture *fixture);
bool fixture_make(struct fixture *fixture, const char *path, bool neat);
struct gml_store_options fixture_options(void);
/* Open it. */
int fixture_open(struct fixture *fixture);
/* One object more must be possible after whatever happened; packed: with content, which goes to a
 * pack. */
int fixture_follow(struct fixture *fixture, bool packed);

#endif
