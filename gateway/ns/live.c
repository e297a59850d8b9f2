/* What changes while a file is being written: the shared change counters in run/live, and attributes as of now.
 *
 * run/live is a file of GML_LIVE_SLOTS 64-bit counters that every process maps. An inode uses slot (ino modulo slots).
 * Two inodes in one slot only make each other's change attribute grow, which is harmless. The file needs no durability:
 * recovery gives what was DIRTY a change attribute from the clock, and that is larger. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../meta/errmap.h"
#include "internal.h"

#define GML_LIVE_SLOTS 65536
#define GML_LIVE_BYTES (GML_LIVE_SLOTS * sizeof(uint64_t))
#define GML_SPACE_EXACT                                                                            \
	((uint64_t)1 << 20) /* sizes above this are worth an fstat for their true space */
#define LIVE_EXTENTS                                                                               \
	256 /* extents of a sparse file that a GETATTR adds up; with more, the size stands for the space */

struct gml_live {
	_Atomic uint64_t *slots;
};

int gml_live_open(int dirfd, struct gml_live **out)
{
	struct gml_live *live = calloc(1, sizeof(*live));
	void *map = MAP_FAILED;
	struct stat st;
	int rc = 0, fd;
	*out = NULL;
	if (live == NULL)
		return GML_ERR_NOMEM;
	fd = openat(dirfd, "run/live", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = gml_err_map(errno);
	/* Never shrink: another process may have it mapped. */
	else if ((uint64_t)st.st_size < GML_LIVE_BYTES && ftruncate(fd, GML_LIVE_BYTES) != 0)
		rc = gml_err_map(errno);
	if (rc == 0) {
		map = mmap(NULL, GML_LIVE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		rc = map == MAP_FAILED ? gml_err_map(errno) : 0;
	}
	if (fd >= 0)
		close(fd);
	if (rc != 0) {
		free(live);
		return rc;
	}
	live->slots = map;
	*out = live;
	return 0;
}

void gml_live_close(struct gml_live *live)
{
	if (live == NULL)
		return;
	munmap((void *)live->slots, GML_LIVE_BYTES);
	free(live);
}

uint64_t gml_live_change(struct gml_store *store, const struct gml_inode *inode)
{
	uint64_t slot;
	if (!(inode->flags & GML_INODE_DIRTY))
		return inode->change;
	slot = atomic_load(&store->live->slots[inode->ino % GML_LIVE_SLOTS]);
	return slot > inode->change ? slot : inode->change;
}

void gml_live_bump(struct gml_store *store, gml_ino ino)
{
	_Atomic uint64_t *slot = &store->live->slots[ino % GML_LIVE_SLOTS];
	uint64_t last = atomic_load(slot);
	while (!atomic_compare_exchange_weak(slot, &last, gml_change_next(last)))
		;
}

static uint64_t live_round(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? size : (size + 4095) & ~(uint64_t)4095;
}

/* Bytes that inline extents cover; UINT64_MAX when they are in the table. */
static uint64_t live_covered(const struct gml_inode *inode)
{
	uint64_t sum = 0;
	if (inode->flags & GML_INODE_EXTENTS)
		return UINT64_MAX;
	for (uint32_t i = 0; i < inode->nextents && i < GML_INLINE_EXTENTS; i++)
		sum += inode->extents[i].len;
	return sum;
}

bool gml_live_sparse(uint64_t size, uint64_t wblob_space, uint64_t covered)
{
	uint64_t whole = live_round(size);
	return covered < whole && wblob_space < whole - covered &&
	       whole - covered - wblob_space >= 4096;
}

/* The same of those in the table, for a file that has holes. `txn` NULL: in a snapshot of its own. */
static uint64_t live_covered_table(struct gml_store *store, struct gml_txn *txn,
				   const struct gml_inode *inode)
{
	struct gml_txn *own = NULL;
	uint64_t sum;
	if (!(inode->flags & GML_INODE_SPARSE) ||
	    (txn == NULL && gml_meta_read_begin(store->meta, &own) != 0))
		return UINT64_MAX;
	sum = gml_extent_covered(txn != NULL ? txn : own, inode, LIVE_EXTENTS);
	gml_meta_read_end(own);
	return sum;
}

static void live_attr_record(const struct gml_inode *inode, struct gml_attr *attr)
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

void gml_inode_attr_new(const struct gml_inode *inode, struct gml_attr *attr)
{
	live_attr_record(inode, attr);
	if (inode->type == GML_REG)
		attr->space = live_round(inode->size);
}

/* What the write blob knows better than the record. NOENT: it has no file; size and times are the record's then. */
static int live_wblob(struct gml_store *store, const struct gml_inode *inode, struct gml_attr *attr,
		      uint64_t *space_out)
{
	int64_t mtime, ctime;
	struct gml_blob *blob;
	uint64_t size;
	int rc = gml_blob_open(store->data, inode->wblob, 0, &blob);
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
static bool live_unwritten(struct gml_store *store, const struct gml_inode *inode)
{
	return (inode->flags & GML_INODE_DIRTY) && inode->size == 0 &&
	       gml_onode_unwritten(store, inode->ino);
}

/* The change attribute is read before what it vouches for: a reader that races with a write then sees it change
 * again. */
static void live_begin(struct gml_store *store, const struct gml_inode *inode,
		       struct gml_attr *attr)
{
	uint64_t change = gml_live_change(store, inode);
	live_attr_record(inode, attr);
	attr->change = change;
}

int gml_inode_attr_spaceless(struct gml_store *store, const struct gml_inode *inode,
			     struct gml_attr *attr)
{
	uint64_t space;
	int rc;
	live_begin(store, inode, attr);
	if (inode->type != GML_REG || inode->wblob == 0 || !(inode->flags & GML_INODE_DIRTY) ||
	    live_unwritten(store, inode))
		return 0;
	rc = live_wblob(store, inode, attr, &space);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_inode_attr(struct gml_store *store, struct gml_txn *txn, const struct gml_inode *inode,
		   struct gml_attr *attr)
{
	const uint32_t unsure = GML_INODE_DIRTY | GML_INODE_SPARSE;
	uint64_t space, covered;
	int rc;
	live_begin(store, inode, attr);
	if (inode->type != GML_REG)
		return 0;
	covered = live_covered(inode);
	if (covered == UINT64_MAX)
		covered = live_covered_table(store, txn, inode);
	attr->space =
		live_round(covered < inode->size && inode->wblob == 0 ? covered : inode->size);
	if (inode->wblob == 0 || (inode->size <= GML_SPACE_EXACT && !(inode->flags & unsure)) ||
	    live_unwritten(store, inode))
		return 0;
	rc = live_wblob(store, inode, attr, &space);
	if (rc == GML_ERR_NOENT) {
		/* The record says 0. (Or the inode was freed since it was read.) */
		if (attr->size == 0)
			attr->space = 0;
		return 0;
	}
	if (rc != 0)
		return rc;
	attr->space = covered == UINT64_MAX ? live_round(attr->size) : space + live_round(covered);
	return 0;
}
