// SPDX-License-Identifier: Apache-2.0
/* What policies said to callers of NFS about inodes, in a table of fixed size.
 *
 * Invariants
 *  1. An answer is kept only if it follows from the policies as of key.access, from the paths of
 *     directories as of key.paths, from the caller's uid, and from the record of the inode that
 *     `state` stands for. So it is right for as long as all of these are what they were: nothing is
 *     forgotten, or kept, by time.
 *  2. An answer that the time, the transport or the tags of an object took part in is not kept.
 *  3. A place has one answer at most. A new one takes the place of another: then that is made anew,
 *     which costs time only. */
#ifndef GML_IAM_ACCESS_MEMO_H
#define GML_IAM_ACCESS_MEMO_H

#include <stdbool.h>
#include <stdint.h>
#include <gemel/types.h>

struct gml_memo;

enum gml_memo_kind {
	GML_MEMO_SILENT = 1, /* about all of a bucket, by its root: no policy says anything */
	GML_MEMO_INODE,	     /* about an inode */
	GML_MEMO_BELOW,	     /* about each file in a directory that has one name */
};

struct gml_memo_key {
	uint64_t access, paths; /* epochs (epoch.h) */
	gml_ino ino;
	uint32_t uid;
	uint16_t question;
	uint8_t kind; /* enum gml_memo_kind */
};

/* An empty table; its pages take memory when answers come to them. NULL: no memory. */
struct gml_memo *gml_memo_new(void);
void gml_memo_free(struct gml_memo *memo); /* NULL is fine */

/* The answer that was kept under the key, and its state. Any thread. Blocks: no; takes no lock. */
bool gml_memo_find(struct gml_memo *memo, const struct gml_memo_key *key, uint64_t *state_out,
		   uint16_t *answer_out);
/* Keeps an answer, unless another thread writes to its place now. As gml_memo_find. */
void gml_memo_put(struct gml_memo *memo, const struct gml_memo_key *key, uint64_t state,
		  uint16_t answer);

#endif
