// SPDX-License-Identifier: Apache-2.0
/* An open object, shared by its two halves: object.c opens it, object_run.c reads it. */
#ifndef GML_NS_OBJECT_OPEN_H
#define GML_NS_OBJECT_OPEN_H

#include <gemel/err.h>
#include <gemel/object.h>
#include "gateway/data/data.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

#define GML_OBJECT_WINDOW 8
#define GML_OBJECT_TRIES 16

struct gml_piece {
	struct gml_extent extent;
	struct gml_blob *blob; /* open file */
	void *mem;	       /* or its bytes */
};

struct gml_object {
	struct gml_store *store;
	struct gml_object_info info;
	bool dirty, table, parts;
	int reader; /* its place in run/readers, -1: none */
	uint64_t wblob;
	struct gml_blob *write_blob; /* NULL: none, or no byte of it written yet */
	uint64_t seq;		     /* of the snapshot that the pieces are from */
	uint64_t window, window_end; /* what of the file the pieces describe */
	uint32_t npieces;
	struct gml_piece piece[GML_OBJECT_WINDOW];
	struct gml_piece *kept; /* of former windows, and chunks: borrowed by runs until released */
	uint32_t nkept, kept_cap;
	char text[]; /* metadata pairs, headers, names and values */
};

/* Makes the piece, which the snapshot `seq` named, readable. AGAIN: its bytes were freed since, or
 * are lost. COLD: nowait, and the piece must be read now and is not in the page cache. */
int gml_piece_open(struct gml_store *store, struct gml_piece *piece, uint64_t seq, bool nowait);
/* Do the files of the object's content exist, and are they long enough? Bounded as
 * GML_OBJECT_PRESENT says. AGAIN: they are not. COLD: nowait, and there are more than an event loop
 * examines. */
int gml_object_look(struct gml_object *object, bool nowait);
void gml_piece_release(struct gml_piece *piece);

/* Feeds [off, off+len) to `sink` in pieces of at most 256 KiB; stops at its first error. Blocks on
 * disk. IO, NOMEM. */
int gml_object_each(struct gml_object *object, uint64_t off, uint64_t len,
		    int (*sink)(void *arg, const void *buf, size_t len), void *arg);
/* True if the file was DIRTY when it was opened. */
bool gml_object_dirty(const struct gml_object *object);

#endif
