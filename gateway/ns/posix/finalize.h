// SPDX-License-Identifier: Apache-2.0
/* DIRTY inodes become clean, and clean ones DIRTY. */
#ifndef GML_NS_POSIX_FINALIZE_H
#define GML_NS_POSIX_FINALIZE_H

#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "open_inode.h"

/* The state of a DIRTY inode's write blob. */
struct gml_finalized {
	struct gml_owner owner; /* who wrote it */
	uint64_t wblob;
	bool missing; /* never written: no file */
	uint64_t size, space;
	int64_t mtime, ctime;
	uint64_t counter; /* gml_presence_change */
};
/* 0: the inode has a name and is DIRTY by this process. AGAIN: not so. STALE. */
int gml_finalize_look(struct gml_store *store, gml_ino ino, struct gml_inode *inode,
		      struct gml_owner *owner);
/* Read it (and make it durable first with its times, if `sync` and not yet done). Needs the
 * exclusive lock. */
int gml_finalize_sample(struct gml_store *store, struct gml_open_inode *open_inode,
			const struct gml_inode *inode, const struct gml_owner *owner, bool sync,
			struct gml_finalized *out);
/* Inside a transaction: fold it into *inode, which the caller saves. AGAIN when the inode is not as
 * it was sampled. Frees no bytes, so the commit may be a relaxed one. */
int gml_finalize_apply(struct gml_txn *txn, struct gml_store *store, struct gml_inode *inode,
		       const struct gml_finalized *final);
/* For the last close: finalize now, if the inode is DIRTY by this process and was ever written;
 * later, if it was not (unwritten.c). Takes the exclusive lock. Durable. */
int gml_open_inode_finalize(struct gml_store *store, struct gml_open_inode *open_inode);
/* Finalize an inode that a dead process (or this one) left DIRTY. BUSY: its writer lives. STALE.
 * Exclusive lock held. */
int gml_open_inode_takeover(struct gml_store *store, struct gml_open_inode *open_inode);
/* Make the inode DIRTY by this process (exclusive lock held), stripping suid and sgid if `strip`.
 * STALE, BUSY (another living process writes it), errors of disk and commit. */
int gml_open_inode_dirty(const struct gml_op *op, struct gml_store *store,
			 struct gml_open_inode *open_inode, bool strip);
/* Inside a transaction: *inode becomes DIRTY with write blob `id` (`fresh`: its record is made);
 * the identity of its content is removed. */
int gml_dirty_apply(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		    struct gml_inode *inode, uint64_t id, bool fresh);
void gml_inode_forget_content(struct gml_inode *inode); /* md5, parts, checksum */
/* Finalize one DIRTY inode: sync the write blob, then size, times, change and a cleared flag in one
 * transaction. */
int gml_inode_finalize(struct gml_op *op, struct gml_store *store, gml_ino ino);

#endif
