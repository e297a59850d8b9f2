// SPDX-License-Identifier: Apache-2.0
/* Checksums of blobs: when they are made and dropped relative to the bytes. All inside a write
 * transaction.
 *
 * Invariants
 *  1. A blob's checksums are published by the transaction that publishes its bytes, or by a later
 *     one that finds the bytes unchanged. They are kept with the metadata: no order of writes to
 *     two files, and no crash, can separate them from their content.
 *  2. While an inode is DIRTY its write blob has none, and is not pending: the transaction that
 *     makes it DIRTY takes them away, and is durable before the first byte changes.
 *  3. A pending blob's bytes do not change as long as its record has the same mark. So summing it
 *     needs no lock: the transaction that puts the checksums compares the record with the one that
 *     was read before the first byte was.
 *  4. The rows of table SUM of a blob that is neither summed nor pending mean nothing. */
#ifndef GML_NS_CORE_BLOB_SUMS_H
#define GML_NS_CORE_BLOB_SUMS_H

#include "gateway/data/sums.h"
#include "gateway/meta/record/record.h"

/* What is published with the first reference of a blob that does not change any more. */
struct gml_fresh_blob {
	uint64_t len;
	uint32_t crc;		     /* of all of it, when it is one block */
	const struct gml_sums *sums; /* NULL: it is one block; borrowed */
};

/* One more reference of a blob; its record and checksums are made when there is none and `fresh` is
 * not NULL (NULL: CORRUPT then). Errors: those of the records. */
int gml_blob_take_ref(struct gml_txn *txn, uint64_t blob, const struct gml_fresh_blob *fresh);
/* The first `size` bytes of the inode's write blob are clean and durable: to be summed. It has no
 * checksums. The mark is the inode's change attribute, which the caller has advanced since the
 * bytes changed; the inode is saved with it or a later one. */
int gml_blob_sums_pend(struct gml_txn *txn, const struct gml_inode *inode, uint64_t size);
/* Bytes of the write blob are about to change, or other ones become its content. */
int gml_blob_sums_void(struct gml_txn *txn, uint64_t blob);
/* The blob's record goes: all that table SUM has of it. `rec`: the record. */
int gml_blob_sums_drop(struct gml_txn *txn, uint64_t blob, const struct gml_blob_rec *rec);

#endif
