// SPDX-License-Identifier: Apache-2.0
/* The present attributes of an inode: while it is DIRTY, the write blob has newer ones than the
 * record. */
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/presence.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "attr.h"
#include "extent.h"
#define GML_SPACE_EXACT ((uint64_t)1 << 20) /* above this size an fstat finds the exact space */
/* extents of a sparse file that a GETATTR adds up; with more, the space is taken to be the size */
#define ATTR_EXTENTS 256

static uint64_t attr_round(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? size : (size + 4095) & ~(uint64_t)4095;
}

/* Bytes that inline extents cover; UINT64_MAX when they are in the table. */
static uint64_t attr_covered(const struct gml_inode *inode)
{
	uint64_t sum = 0;
	if (inode->flags & GML_INODE_EXTENTS)
		return UINT64_MAX;
	for (uint32_t i = 0; i < inode->nextents && i < GML_INLINE_EXTENTS; i++)
		sum += inode->extents[i].len;
	return sum;
}

bool gml_attr_sparse(uint64_t size, uint64_t wblob_space, uint64_t covered)
{
	uint64_t whole = attr_round(size);
	return covered < whole && wblob_space < whole - covered &&
	       whole - covered - wblob_space >= 4096;
}

/* The same for extents in the table, of a file that has holes. `txn` NULL: in a snapshot of its
 * own. */
static uint64_t attr_covered_table(struct gml_store *store, struct gml_txn *txn,
				   const struct gml_inode *inode)
{
	struct gml_txn *own = NULL;
	uint64_t sum;
	if (!(inode->flags & GML_INODE_SPARSE) ||
	    (txn == NULL && gml_meta_read_begin(store->meta, &own) != 0))
		return UINT64_MAX;
	sum = gml_extent_covered(txn != NULL ? txn : own, inode, ATTR_EXTENTS);
	gml_meta_read_end(own);
	return sum;
}

void gml_inode_attr_new(const struct gml_inode *inode, struct gml_attr *attr)
{
	*attr = (struct gml_attr){
		.ino = inode->ino,
		.bucket = inode->bucket,
		.parent = inode->parent,
		.type = inode->type,
		.mode = inode->mode & 07777,
		.uid = inode->uid,
		.gid = inode->gid,
		.nlink = inode->nlink,
		.size = inode->size,
		.rdev = inode->rdev,
		.atime = inode->atime,
		.mtime = inode->mtime,
		.ctime = inode->ctime,
		.btime = inode->btime,
		.change = inode->change,
	};
	for (size_t i = 0; i < sizeof(attr->verifier); i++)
		attr->verifier[i] = inode->verifier[i];
	if (inode->type == GML_LNK)
		attr->size = inode->target.len;
	if (inode->type == GML_DIR)
		attr->size = attr->space = 4096;
}

/* The attributes that the write blob has. NOENT: it has no file; the size and times of the record
 * count then. */
static int attr_wblob(struct gml_store *store, const struct gml_inode *inode, struct gml_attr *attr,
		      uint64_t *space_out)
{
	int64_t mtime, ctime;
	struct gml_blob *blob;
	uint64_t size;
	int rc = gml_blob_open(store->data, inode->wblob, 0, &blob);
	gml_assert(inode->type == GML_REG && gml_blob_is_write(inode->wblob));
	if (rc != 0)
		return rc;
	rc = gml_blob_stat(blob, &size, space_out, &mtime, &ctime);
	gml_blob_unref(blob);
	if (rc == 0 && (inode->flags & GML_INODE_DIRTY)) {
		attr->size = size;
		attr->mtime = mtime;
		attr->ctime = ctime > attr->ctime ? ctime : attr->ctime;
	}
	return rc;
}

/* Reserved, and nothing written yet. */
static bool attr_unwritten(struct gml_store *store, const struct gml_inode *inode)
{
	return (inode->flags & GML_INODE_DIRTY) && inode->size == 0 &&
	       gml_open_inode_unwritten(store, inode->ino);
}

uint64_t gml_change_current(struct gml_store *store, const struct gml_inode *inode)
{
	gml_assert_outside_closures(); /* also for a file that is clean in this run */
	if (!(inode->flags & GML_INODE_DIRTY))
		return inode->change;
	return gml_change_seen(inode, gml_presence_change(store->presence, inode->ino));
}

/* The change attribute is read before the attributes that it stands for: a reader that races with a
 * write then sees it change again. */
static void attr_begin(struct gml_store *store, const struct gml_inode *inode,
		       struct gml_attr *attr)
{
	uint64_t change = gml_change_current(store, inode);
	gml_inode_attr_new(inode, attr);
	attr->change = change;
}

int gml_inode_attr_spaceless(struct gml_store *store, const struct gml_inode *inode,
			     struct gml_attr *attr)
{
	uint64_t space;
	int rc;
	attr_begin(store, inode, attr);
	if (inode->type != GML_REG || inode->wblob == 0 || !(inode->flags & GML_INODE_DIRTY) ||
	    attr_unwritten(store, inode))
		return 0;
	rc = attr_wblob(store, inode, attr, &space);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_inode_attr(struct gml_store *store, struct gml_txn *txn, const struct gml_inode *inode,
		   struct gml_attr *attr)
{
	const uint32_t unsure = GML_INODE_DIRTY | GML_INODE_SPARSE;
	uint64_t space, covered;
	int rc;
	attr_begin(store, inode, attr);
	if (inode->type != GML_REG)
		return 0;
	covered = attr_covered(inode);
	if (covered == UINT64_MAX)
		covered = attr_covered_table(store, txn, inode);
	attr->space =
		attr_round(covered < inode->size && inode->wblob == 0 ? covered : inode->size);
	if (inode->wblob == 0 || (inode->size <= GML_SPACE_EXACT && !(inode->flags & unsure)) ||
	    attr_unwritten(store, inode))
		return 0;
	rc = attr_wblob(store, inode, attr, &space);
	if (rc == GML_ERR_NOENT) {
		/* The record has 0. (Or the inode was freed since it was read.) */
		if (attr->size == 0)
			attr->space = 0;
		return 0;
	}
	if (rc != 0)
		return rc;
	attr->space = covered == UINT64_MAX ? attr_round(attr->size) : space + attr_round(covered);
	return 0;
}
