// SPDX-License-Identifier: Apache-2.0
/* Inodes that S3 readers use, in all processes (run/readers). */
#ifndef GML_NS_STORE_READER_H
#define GML_NS_STORE_READER_H

#include <gemel/types.h>
#include "gateway/meta/record/record.h"

struct gml_readers;

/* run/readers below the store's directory: made when missing, mapped shared. Lives as long as the
 * open store. */
int gml_readers_open(int dirfd, struct gml_readers **out);
void gml_readers_close(struct gml_readers *readers); /* NULL is fine */
/* Register a reader; returns its slot, or -1 when the table is full or NULL (the reader then has
 * only the reaper's 15 s). No lock. */
int gml_readers_add(struct gml_readers *readers, const struct gml_owner *self, gml_ino ino);
void gml_readers_remove(struct gml_readers *readers, int slot); /* -1 is fine */
/* Has a living process a reader of this inode? The reaper calls it before it frees an orphan. Slots
 * of dead processes are cleared. NULL: false. */
bool gml_readers_has(struct gml_readers *readers, gml_ino ino);

#endif
