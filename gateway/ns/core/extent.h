// SPDX-License-Identifier: Apache-2.0
/* An inode's content map, inline or in table EXTENT. All inside a write transaction unless
 * said otherwise. */
#ifndef GML_NS_CORE_EXTENT_H
#define GML_NS_CORE_EXTENT_H

#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "blob_sums.h"

/* First extent that ends after off (any transaction); NOENT. */
int gml_extent_find(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
		    struct gml_extent *out);
/* Bytes that extents cover (any transaction); UINT64_MAX when there are more than `max`, or they
 * cannot be read. */
uint64_t gml_extent_covered(struct gml_txn *txn, const struct gml_inode *inode, unsigned max);
/* Remove the coverage of [off, off+len): trims and splits; references are adjusted; ids that lost
 * their last reference are appended to `freed`. Updates *inode (caller puts it). */
struct gml_deferred_frees; /* list of (blob id, len) to remove after the commit */
int gml_extent_cut(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		   struct gml_deferred_frees *freed);
/* Add one extent over an uncovered range; takes a reference (gml_blob_take_ref with `fresh`). */
int gml_extent_add(struct gml_txn *txn, struct gml_inode *inode, const struct gml_extent *extent,
		   const struct gml_fresh_blob *fresh);
/* A cut whose bytes a reader in another process may still use: the coverage of the range (and, with
 * `wblob`, the write blob; inode->wblob becomes 0) moves to a fresh orphan, which the reaper
 * frees. */
int gml_extent_retire(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		      bool wblob);
/* Drop one reference of a blob. With `freed`, the loss of the last one must be durable before it is
 * acknowledged (gml_txn_durability). */
int gml_blob_put_ref(struct gml_txn *txn, uint64_t blob, struct gml_deferred_frees *freed);
struct gml_deferred_frees *gml_deferred_frees_new(void);
/* Drop the ids of a former run of the closure: call it first in a closure. */
void gml_deferred_frees_reset(struct gml_deferred_frees *freed);
/* After the commit returned 0: remove the blobs' bytes. Then free the list. */
void gml_deferred_frees_apply(struct gml_store *store, struct gml_deferred_frees *freed);
void gml_deferred_frees_free(struct gml_deferred_frees *freed); /* without applying */

#endif
