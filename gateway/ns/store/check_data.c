// SPDX-License-Identifier: Apache-2.0
/* The store check: blobs, their references, and the files that hold them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"

#define CHECK_NO_FILE UINT64_MAX

/* ---- the directory --------------------------------------------------------------------------- */

static bool check_add_file(void *arg, uint64_t id, uint64_t size)
{
	struct check *c = arg;
	struct check_file *file = gml_check_push(c, &c->files);
	if (file == NULL)
		return false;
	*file = (struct check_file){id, size};
	return true;
}

static int check_file_order(const void *a, const void *b)
{
	const struct check_file *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

int gml_check_read_disk(struct check *c)
{
	int rc = gml_blob_each(c->store->data, check_add_file, c);
	if (rc == 0)
		rc = c->rc;
	if (rc == 0 && c->files.count > 1)
		qsort(c->files.items, c->files.count, c->files.size, check_file_order);
	return rc;
}

/* Bytes of a file now; CHECK_NO_FILE when there is none. */
static uint64_t check_stat(struct check *c, uint64_t id)
{
	uint64_t size = CHECK_NO_FILE, space;
	struct gml_blob *blob = NULL;
	int64_t mtime, ctime;
	int rc = gml_blob_open(c->store->data, id, 0, &blob);
	if (rc == 0)
		rc = gml_blob_stat(blob, &size, &space, &mtime, &ctime);
	if (rc != 0)
		size = CHECK_NO_FILE;
	(void)gml_check_failed(c, rc);
	gml_blob_unref(blob);
	return size;
}

static bool check_leased(struct check *c, uint8_t kind, uint64_t number)
{
	for (size_t i = 0; i < c->leases.count; i++) {
		const struct gml_lease *lease = gml_check_at(&c->leases, i);
		if (lease->kind == kind && number >= lease->first &&
		    number - lease->first < lease->count)
			return true;
	}
	return false;
}

/* ---- the blob table -------------------------------------------------------------------------- */

/* Files before `id` that no record names: checked again in the end. */
static bool check_skip_files(struct check *c, size_t *at, uint64_t id)
{
	for (; *at < c->files.count; ++*at) {
		const struct check_file *file = gml_check_at(&c->files, *at);
		struct check_file *stray;
		if (file->id >= id)
			break;
		if (!gml_blob_known(file->id)) {
			gml_check_problem(c,
					  "blob file %016" PRIx64
					  ": of a kind that this program does not know",
					  file->id);
			continue;
		}
		if (check_leased(c, 0, gml_blob_number(file->id)))
			continue;
		stray = gml_check_push(c, &c->strays);
		if (stray == NULL)
			return false;
		*stray = *file;
	}
	return true;
}

struct check_packs {
	uint64_t pack, size; /* the last checked one; CHECK_NO_FILE: missing */
	uint64_t end;	     /* of its last segment */
};

static uint64_t check_segment(struct check *c, struct check_packs *packs, uint64_t id,
			      const struct gml_blob_rec *rec)
{
	uint64_t pack = gml_pack_number(id), off = gml_pack_offset(id), space;
	int rc;
	if (pack != packs->pack) {
		*packs = (struct check_packs){.pack = pack};
		rc = gml_pack_stat(c->store->data, pack, &packs->size, &space);
		if (rc != 0)
			packs->size = CHECK_NO_FILE;
		(void)gml_check_failed(c, rc);
	}
	if (off < packs->end)
		gml_check_problem(c, "segment %016" PRIx64 ": overlaps the one before it", id);
	if (rec->len == 0 || rec->len > GML_PACK_SEGMENT_MAX)
		gml_check_problem(c, "segment %016" PRIx64 ": %" PRIu64 " bytes long", id,
				  rec->len);
	packs->end = off + rec->len;
	if (packs->size == CHECK_NO_FILE || packs->end > packs->size)
		return CHECK_NO_FILE;
	return rec->len;
}

static int check_blob_record(struct check *c, struct check_packs *packs, size_t *file_at,
			     uint64_t id, const struct gml_blob_rec *rec)
{
	struct check_blob *blob;
	/* gml_check_blob searches by halves. */
	gml_assert(c->blobs.count == 0 ||
		   ((struct check_blob *)gml_check_at(&c->blobs, c->blobs.count - 1))->id < id);
	gml_check_step(c);
	c->report->blobs++;
	if (!check_skip_files(c, file_at, id))
		return c->rc;
	blob = gml_check_push(c, &c->blobs);
	if (blob == NULL)
		return c->rc;
	blob->id = id;
	blob->size = CHECK_NO_FILE;
	blob->rows = rec->rows;
	if (!gml_blob_known(id)) {
		gml_check_problem(
			c, "blob %016" PRIx64 ": of a kind that this program does not know", id);
		return 0;
	}
	if (!gml_blob_is_write(id) && rec->summed != rec->len)
		gml_check_problem(c,
				  "blob %016" PRIx64 ": %" PRIu64 " of its %" PRIu64
				  " bytes have checksums",
				  id, rec->summed, rec->len);
	if (id & GML_BLOB_PACKED) {
		blob->size = check_segment(c, packs, id, rec);
	} else if (*file_at < c->files.count) {
		const struct check_file *file = gml_check_at(&c->files, *file_at);
		if (file->id == id) {
			blob->size = file->size;
			++*file_at;
		}
	}
	return 0;
}

int gml_check_blobs(struct check *c)
{
	struct check_packs packs = {0};
	size_t file_at = 0;
	struct gml_blob_rec rec;
	uint64_t id = 0, from = 0;
	int rc = 0;
	while (rc == 0 && (rc = gml_rec_blob_next(c->txn, from, &id, &rec)) == 0) {
		rc = check_blob_record(c, &packs, &file_at, id, &rec);
		if (id == UINT64_MAX)
			break;
		from = id + 1;
	}
	if (rc == GML_ERR_CORRUPT) {
		gml_check_problem(c, "table blob: a damaged record after %016" PRIx64, id);
		rc = 0;
	}
	if (rc == GML_ERR_NOENT)
		rc = 0;
	if (rc == 0 && !check_skip_files(c, &file_at, UINT64_MAX))
		rc = c->rc;
	free(c->files.items);
	c->files = (struct check_array){.size = c->files.size};
	return rc;
}

/* ---- checksums ------------------------------------------------------------------------------- */

/* One row of checksums. What is after the summed bytes means nothing. */
static void check_sum_row(struct check *c, uint64_t id, uint32_t chunk,
			  const struct gml_blob_rec *rec)
{
	struct check_blob *blob = gml_check_blob(c, id);
	if (blob == NULL || chunk >= gml_sums_rows(rec->summed))
		return;
	if (blob->rows > 0)
		blob->rows--;
	else
		gml_check_problem(c,
				  "blob %016" PRIx64
				  ": has more rows with checksums than its record says (%u)",
				  id, rec->rows);
}

static int check_sum_key(struct check *c, struct gml_span key)
{
	const uint8_t *p = key.ptr;
	uint64_t id = key.len == 9 || key.len == 13 ? gml_check_u64(p + 1) : 0;
	struct gml_blob_rec rec;
	if (id == 0 || p[0] != (key.len == 13)) {
		gml_check_problem(c, "table sum: a key of %zu bytes that is of no kind", key.len);
		return 0;
	}
	if (gml_rec_blob_get(c->txn, id, &rec) != 0)
		gml_check_problem(c, "checksums of blob %016" PRIx64 ", which has no record", id);
	else if (key.len == 13)
		check_sum_row(c, id, (uint32_t)gml_check_u64(p + 5), &rec);
	else if (rec.summed != 0 || !gml_blob_is_write(id))
		gml_check_problem(c, "blob %016" PRIx64 ": is to be summed, and has checksums", id);
	return 0;
}

int gml_check_sums(struct check *c)
{
	int rc = gml_check_keys(c, GML_TABLE_SUM, check_sum_key);
	for (size_t i = 0; rc == 0 && i < c->blobs.count; i++) {
		const struct check_blob *blob = gml_check_at(&c->blobs, i);
		if (blob->rows > 0)
			gml_check_problem(
				c, "blob %016" PRIx64 ": %u rows with its checksums are lost",
				blob->id, blob->rows);
	}
	return rc;
}

/* ---- references ------------------------------------------------------------------------------ */

/* The bytes of the blob; examines the file again when the list from before the snapshot is not
 * enough. */
static uint64_t check_size(struct check *c, struct check_blob *blob, uint64_t need)
{
	if (!(blob->id & GML_BLOB_PACKED) && (blob->size == CHECK_NO_FILE || blob->size < need))
		blob->size = check_stat(c, blob->id);
	return blob->size;
}

void gml_check_extent(struct check *c, const char *what, gml_ino number,
		      const struct gml_extent *extent)
{
	struct check_blob *blob = gml_check_blob(c, extent->blob);
	uint64_t end = extent->blob_off + extent->len, size;
	struct gml_blob_rec rec;
	c->report->extents++;
	if (blob == NULL || gml_rec_blob_get(c->txn, extent->blob, &rec) != 0) {
		gml_check_problem(c,
				  "%s %s: extent at %" PRIu64 " is in blob %016" PRIx64
				  ", which has no record",
				  what, gml_ino_text(number), extent->off, extent->blob);
		return;
	}
	blob->refs++;
	if (extent->len == 0 || end < extent->len || (rec.len != 0 && end > rec.len))
		gml_check_problem(c,
				  "%s %s: extent at %" PRIu64 " ends at byte %" PRIu64
				  " of blob %016" PRIx64 ", which has %" PRIu64,
				  what, gml_ino_text(number), extent->off, end, extent->blob,
				  rec.len);
	size = check_size(c, blob, end);
	if (size == CHECK_NO_FILE)
		gml_check_problem(c, "%s %s: the bytes of blob %016" PRIx64 " are missing", what,
				  gml_ino_text(number), extent->blob);
	else if (end > size)
		gml_check_problem(c,
				  "%s %s: blob %016" PRIx64 " has %" PRIu64
				  " bytes on disk, %" PRIu64 " are needed",
				  what, gml_ino_text(number), extent->blob, size, end);
}

/* Has the inode been written since the snapshot? Then its write blob proves nothing about the
 * record. */
static bool check_written_since(struct check *c, const struct gml_inode *then)
{
	struct gml_txn *txn = NULL;
	struct gml_inode now;
	bool changed = true;
	if (gml_meta_read_begin(c->store->meta, &txn) != 0)
		return true;
	if (gml_rec_inode_get(txn, then->ino, &now) == 0)
		changed = (now.flags & GML_INODE_DIRTY) || now.change != then->change ||
			  now.wblob != then->wblob;
	gml_meta_read_end(txn);
	return changed;
}

/* Invariants 2 and 3 of core/blob_sums.h. An orphan that was emptied has neither. */
static void check_wblob_sums(struct check *c, const struct gml_inode *inode)
{
	struct gml_sum_pending pending;
	struct gml_blob_rec rec;
	int rc = gml_rec_sum_pending_get(c->txn, inode->wblob, &pending);
	bool none = rc == GML_ERR_NOENT;
	if (gml_rec_blob_get(c->txn, inode->wblob, &rec) != 0)
		return;
	if (inode->flags & GML_INODE_DIRTY) {
		if (!none || rec.summed != 0)
			gml_check_problem(c, "inode %s: DIRTY, and its write blob has %s",
					  gml_ino_text(inode->ino),
					  none ? "checksums" : "some to come");
		return;
	}
	if (inode->flags & GML_INODE_ORPHAN)
		return;
	if (rec.summed != 0 ? !none || rec.summed != inode->size
			    : inode->size != 0 && (rc != 0 || pending.size != inode->size))
		gml_check_problem(c,
				  "inode %s: %" PRIu64 " of its write blob's %" PRIu64
				  " bytes have checksums, %" PRIu64 " are to be summed",
				  gml_ino_text(inode->ino), rec.summed, inode->size,
				  none ? 0 : pending.size);
}

void gml_check_wblob(struct check *c, const struct gml_inode *inode)
{
	struct check_blob *blob = gml_check_blob(c, inode->wblob);
	uint64_t size;
	if (inode->wblob & GML_BLOB_PACKED || blob == NULL) {
		gml_check_problem(c, "inode %s: write blob %016" PRIx64 " has no record",
				  gml_ino_text(inode->ino), inode->wblob);
		return;
	}
	blob->refs++;
	check_wblob_sums(c, inode);
	/* A DIRTY file's write blob appears with its first byte, and has the true size. */
	if ((inode->flags & GML_INODE_DIRTY) || inode->size == 0)
		return;
	size = check_size(c, blob, inode->size);
	if (size != CHECK_NO_FILE && size >= inode->size)
		return;
	if (!check_written_since(c, inode))
		gml_check_problem(
			c, "inode %s: write blob %016" PRIx64 " %s, the file has %" PRIu64 " bytes",
			gml_ino_text(inode->ino), inode->wblob,
			size == CHECK_NO_FILE ? "is missing" : "is too short", inode->size);
}

/* ---- extents in the table -------------------------------------------------------------------- */

static int check_extent_key(struct check *c, struct gml_span key)
{
	const uint8_t *p = key.ptr;
	struct check_inode *inode;
	struct gml_extent extent;
	struct gml_inode full;
	uint64_t off;
	gml_ino ino;
	if (!gml_check_ino(key, 8, &ino)) {
		gml_check_problem(c, "table extent: a key of %zu bytes", key.len);
		return 0;
	}
	off = gml_check_u64(p + key.len - 8);
	inode = gml_check_inode(c, ino);
	if (inode == NULL || !(inode->bits & CHECK_EXTENTS)) {
		gml_check_problem(
			c, "extent of inode %s at %" PRIu64 ": %s", gml_ino_text(ino), off,
			inode == NULL ? "no such inode" : "the inode is not marked EXTENTS");
		return 0;
	}
	if (!(inode->bits & CHECK_SEEN)) {
		gml_assert(c->extents_flags > 0); /* counted when its inode was read */
		inode->bits |= CHECK_SEEN;
		c->extents_flags--;
	}
	if (gml_rec_extent_find(c->txn, ino, off, &extent) != 0 || extent.off != off) {
		gml_check_problem(c, "inode %s: extent at %" PRIu64 " is damaged",
				  gml_ino_text(ino), off);
		return 0;
	}
	if (gml_ino_equal(ino, c->extent_ino) && off < c->extent_end)
		gml_check_problem(c, "inode %s: extent at %" PRIu64 " overlaps the one before it",
				  gml_ino_text(ino), off);
	c->extent_ino = ino;
	c->extent_end = off + extent.len;
	gml_check_extent(c, "inode", ino, &extent);
	if (!(inode->bits & CHECK_DIRTY) && gml_rec_inode_get(c->txn, ino, &full) == 0 &&
	    off + extent.len > full.size)
		gml_check_problem(c, "inode %s: extent at %" PRIu64 " passes the end of the file",
				  gml_ino_text(ino), off);
	return 0;
}

int gml_check_extents(struct check *c)
{
	int rc = gml_check_keys(c, GML_TABLE_EXTENT, check_extent_key);
	if (rc == 0 && c->extents_flags > 0)
		gml_check_problem(c, "%" PRIu64 " inodes are marked EXTENTS, but have none",
				  c->extents_flags);
	return rc;
}

void gml_check_refs(struct check *c)
{
	struct gml_blob_rec rec;
	for (size_t i = 0; i < c->blobs.count; i++) {
		const struct check_blob *blob = gml_check_at(&c->blobs, i);
		if (gml_rec_blob_get(c->txn, blob->id, &rec) != 0)
			continue;
		if (rec.refs != blob->refs)
			gml_check_problem(
				c, "blob %016" PRIx64 ": %" PRIu64 " references recorded, %u found",
				blob->id, rec.refs, blob->refs);
		else if (rec.refs == 0)
			gml_check_problem(
				c, "blob %016" PRIx64 ": recorded, but nothing references it",
				blob->id);
	}
}

/* ---- files without a record ------------------------------------------------------------------ */

struct check_held {
	uint64_t number;
	bool held;
};

static bool check_held_one(void *arg, const struct gml_lease *lease)
{
	struct check_held *held = arg;
	held->held = lease->kind == 0 && held->number >= lease->first &&
		     held->number - lease->first < lease->count;
	return !held->held;
}

/* The rest of the check takes seconds: files that were freed around the snapshot have been removed
 * by now. */
int gml_check_unreferenced(struct check *c)
{
	struct gml_txn *txn = NULL;
	int rc;
	if (c->strays.count == 0)
		return 0;
	rc = gml_meta_read_begin(c->store->meta, &txn);
	for (size_t i = 0; rc == 0 && i < c->strays.count; i++) {
		const struct check_file *file = gml_check_at(&c->strays, i);
		struct check_held held = {.number = gml_blob_number(file->id)};
		struct gml_blob_rec rec;
		rc = gml_rec_blob_get(txn, file->id, &rec);
		if (rc != GML_ERR_NOENT || check_stat(c, file->id) == CHECK_NO_FILE) {
			rc = rc == GML_ERR_NOENT || rc == GML_ERR_CORRUPT ? 0 : rc;
			continue;
		}
		rc = gml_rec_lease_each(txn, check_held_one, &held);
		gml_check_problem(
			c, "blob file %016" PRIx64 ": %" PRIu64 " bytes that nothing references%s",
			file->id, file->size,
			held.held ? " (left by a process that is gone; recovery removes it)" : "");
	}
	gml_meta_read_end(txn);
	return rc;
}
