// SPDX-License-Identifier: Apache-2.0
/* What the core was told and what it promised: for each name (or other fact) the states that it went through, when each
 * was asked for and when it was acknowledged. After a cut, a fact must be in the last acknowledged state or in one that
 * had been asked for since.
 *
 * A story lives in shared memory: a child tells it, the parent's other children verify it. One thread per item. */
#ifndef TESTS_CRASH_STORY_H
#define TESTS_CRASH_STORY_H

#include <stdio.h>
#include <gemel/store.h>
#include "disk.h"

#define STORY_BUCKET_NAME "bucket"
#define STORY_STATES 24
#define STORY_SLOTS 2
#define STORY_ITEMS 256

enum story_type {
	STORY_NOTHING,
	STORY_FILE,   /* path: content, read at both doors */
	STORY_LINK,   /* path: target */
	STORY_DIR,    /* path: is there */
	STORY_MODE,   /* path: mode, owner, links */
	STORY_XATTR,  /* path, arg: value */
	STORY_BUCKET, /* path: quota */
	STORY_USER,   /* path: uid */
	STORY_KEY,    /* path: secret */
	STORY_UPLOAD, /* path, arg = id: parts */
};

/* An answer of the store. Bytes are the story's. */
struct story_value {
	bool there;
	const uint8_t *bytes;
	size_t len;
	int64_t mtime;	    /* of an acknowledged state; 0: not looked at */
	const uint8_t *md5; /* NULL: the ETag is not looked at */
};

struct story_slot {
	enum story_type type;
	char path[80], arg[80];
};

struct story_state {
	size_t asked, acked; /* moments; acked SIZE_MAX: not */
	bool mixed;	     /* on the way here any sector may be old or new */
	struct story_value values[STORY_SLOTS];
};

/* Slots change together or not at all. */
struct story_item {
	struct story_slot slots[STORY_SLOTS];
	unsigned nslots, nstates;
	struct story_state states[STORY_STATES];
};

struct story;
/* Moments are events of `log`; NULL: the story has no disk, and its moments are just one after another. */
struct story *story_new(const struct disk_log *log);
/* A fact that does not hold yet (state 0). */
struct story_item *story_item(struct story *story, enum story_type type, const char *path,
			      const char *arg);
/* One more slot for an item that is in state 0. */
void story_slot(struct story_item *item, enum story_type type, const char *path, const char *arg);
/* A copy in the story's memory. */
const uint8_t *story_keep(struct story *story, const void *bytes, size_t len);
/* The next state, to be filled by the caller: a copy of the last one. It counts from story_ask on, which comes before
 * the operation. Ends the program if there were too many. */
struct story_state *story_next(struct story_item *item);
void story_ask(struct story *story, struct story_item *item);
void story_ack(struct story *story, struct story_item *item);
const struct story_state *story_last(const struct story_item *item);

/* Forget, at each rewind, what was told since the mark. */
void story_mark(struct story *story);
void story_rewind(struct story *story);
/* It was asked for, and refused with a clear error: it must not have happened. */
void story_refuse(struct story_item *item);

/* Say what does not hold `cut` events into the log (SIZE_MAX: now), one line each; their number. */
unsigned story_verify(struct story *story, struct gml_store *store, size_t cut, FILE *out);

#endif
