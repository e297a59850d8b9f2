// SPDX-License-Identifier: Apache-2.0
/* Operations of the core that are made to fail, and the store that they are tried on. */
#ifndef TESTS_FAULT_SCENE_H
#define TESTS_FAULT_SCENE_H

#include "tests/crash/story.h"

struct scene {
	struct story *story;
	struct gml_store *store;
	const char *path; /* of the store; beside it there is room */
	gml_ino bucket;	  /* its root */
	gml_ino nfs;	  /* nfs/ in it */
	struct gml_op op;
	const char *wrong; /* an operation succeeded with a wrong result */
	struct story_item *small, *big, *deep, *plain, *other, *fresh, *file, *pair, *link, *xattr,
		*mode, *made, *second, *user, *up, *left, *follow;
};

struct scene_act {
	const char *name;
	/* 0, or the first error. The items that it changes tell what must hold then. */
	int (*run)(struct scene *scene);
	unsigned flags;
};
enum {
	SCENE_CLOSED = 1,    /* finds the store closed */
	SCENE_UNSETTLED = 2, /* finds it as a dead process left it */
	SCENE_PACKS = 4,     /* leaves the process with a pack: more goes there */
};
extern const struct scene_act scene_acts[];
extern const unsigned scene_acts_count;

/* Make the items, in this process, and the store at `path`, in a child; neat: closed, else left by a dying process with
 * a file DIRTY. The items are the same for both. False: the child failed. */
void scene_items(struct scene *scene);
bool scene_make(struct scene *scene, const char *path, bool neat);
struct gml_store_options scene_options(void);
/* Open it. */
int scene_open(struct scene *scene);
/* One object more must be possible after whatever happened; packed: with content, which goes to a pack. */
int scene_follow(struct scene *scene, bool packed);

#endif
