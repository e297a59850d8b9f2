// SPDX-License-Identifier: Apache-2.0
/* The expected content of a store. For each name (or other fact) the model lists the states that it
 * went through, the moment at which each was requested, and the moment at which it was
 * acknowledged. After a cut, a fact must be in the last acknowledged state or in one requested
 * since.
 *
 * A model lives in shared memory: one child process fills it, other children of the same parent
 * verify a store against it. One thread per item. */
#ifndef TESTS_CRASH_MODEL_H
#define TESTS_CRASH_MODEL_H

#include <stdio.h>
#include <gemel/store.h>
#include "tests/object_ref.h"
#include "disk.h"

#define MODEL_BUCKET_NAME "bucket"
#define MODEL_STATES 24
#define MODEL_SLOTS 2
#define MODEL_ITEMS 256

enum model_type {
	MODEL_UNUSED,
	MODEL_FILE,   /* path: content, read over both protocols */
	MODEL_LINK,   /* path: target */
	MODEL_DIR,    /* path: is there */
	MODEL_MODE,   /* path: mode, owner, links */
	MODEL_XATTR,  /* path, arg: value */
	MODEL_BUCKET, /* path: quota */
	MODEL_USER,   /* path: uid */
	MODEL_KEY,    /* path: secret */
	MODEL_UPLOAD, /* path, arg = id: parts */
};

/* The value of a fact. The model owns the bytes. */
struct model_value {
	bool there;
	const uint8_t *bytes;
	size_t len;
	int64_t mtime;	    /* of an acknowledged state; 0: not compared */
	const uint8_t *md5; /* NULL: the ETag is not compared */
};

struct model_slot {
	enum model_type type;
	char path[80], arg[80];
};

struct model_state {
	size_t asked, acked; /* moments; acked SIZE_MAX: not */
	bool mixed;	     /* on the way here any sector may be old or new */
	struct model_value values[MODEL_SLOTS];
};

/* Slots change together or not at all. */
struct model_item {
	struct model_slot slots[MODEL_SLOTS];
	unsigned nslots, nstates;
	struct model_state states[MODEL_STATES];
};

struct model;
/* Moments are events of `log`. NULL: there is no disk, and the moments are a plain counter. */
struct model *model_new(const struct disk_log *log);
/* A fact that does not hold yet (state 0). */
struct model_item *model_item(struct model *model, enum model_type type, const char *path,
			      const char *arg);
/* One more slot for an item that is in state 0. */
void model_slot(struct model_item *item, enum model_type type, const char *path, const char *arg);
/* Copy bytes into the model's memory. */
const uint8_t *model_copy(struct model *model, const void *bytes, size_t len);
/* The next state, a copy of the last one, to be filled by the caller. It counts from model_request
 * on, which is called before the operation. Ends the program if there were too many. */
struct model_state *model_next(struct model_item *item);
void model_request(struct model *model, struct model_item *item);
void model_acknowledge(struct model *model, struct model_item *item);
const struct model_state *model_last(const struct model_item *item);

/* model_rewind drops what was added since model_mark. */
void model_mark(struct model *model);
void model_rewind(struct model *model);
/* The requested state was refused with a definite error: it must not have happened. */
void model_refuse(struct model_item *item);

/* Compare the store with the model as of `cut` events (SIZE_MAX: now). Prints one line for each
 * fact that does not hold; returns their number. */
unsigned model_verify(struct model *model, struct gml_store *store, size_t cut, FILE *out);

#endif
