// SPDX-License-Identifier: Apache-2.0
/* Reading an open object: runs of bytes, and parts. Invariants: object.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gemel/checksum.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/etag.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/store/store.h"
#include "object_open.h"

#define OBJECT_CHUNK ((size_t)256 << 10)

/* ---- runs ------------------------------------------------------------------------------------ */

static int object_keep(struct gml_object *object, const struct gml_piece *piece)
{
	gml_assert((piece->blob != NULL) != (piece->mem != NULL));
	if (object->nkept == object->kept_cap) {
		uint32_t cap = object->kept_cap != 0 ? object->kept_cap * 2 : 16;
		struct gml_piece *kept = reallocarray(object->kept, cap, sizeof(*kept));
		if (kept == NULL)
			return GML_ERR_NOMEM;
		object->kept = kept;
		object->kept_cap = cap;
	}
	object->kept[object->nkept++] = *piece;
	return 0;
}

static int object_window_retire(struct gml_object *object)
{
	for (uint32_t i = 0; i < object->npieces; i++) {
		struct gml_piece *piece = &object->piece[i];
		int rc = piece->blob != NULL || piece->mem != NULL ? object_keep(object, piece) : 0;
		if (rc != 0)
			return rc;
		memset(piece, 0, sizeof(*piece));
	}
	object->npieces = 0;
	object->window_end = object->window;
	return 0;
}

static int object_window_read(struct gml_txn *txn, struct gml_object *object, uint64_t off)
{
	char etag[GML_ETAG_MAX + 1];
	struct gml_inode inode;
	uint64_t pos = off;
	int rc = gml_rec_inode_get(txn, object->info.ino, &inode);
	object->seq = gml_txn_seq(txn);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_IO : rc;
	if (!object->dirty) { /* invariant 2 */
		gml_etag_format(&inode, inode.change, etag);
		/* The loss of a name changes the inode, so the old content gets a new opaque
		 * ETag. */
		if (inode.flags & GML_INODE_DIRTY ||
		    (strcmp(etag, object->info.etag) != 0 &&
		     (inode.flags & GML_INODE_MD5 || !(inode.flags & GML_INODE_ORPHAN) ||
		      inode.mtime != object->info.mtime || inode.size != object->info.size)))
			return GML_ERR_IO;
	}
	while (object->npieces < GML_OBJECT_WINDOW && pos < object->info.size) {
		struct gml_extent *extent = &object->piece[object->npieces].extent;
		rc = gml_extent_find(txn, &inode, pos, extent);
		if (rc != 0 || extent->off >= object->info.size)
			break;
		pos = extent->off + extent->len;
		object->npieces++;
	}
	gml_assert(object->npieces < GML_OBJECT_WINDOW || pos > off);
	object->window = off;
	object->window_end = object->npieces == GML_OBJECT_WINDOW ? pos : object->info.size;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int object_window(struct gml_object *object, uint64_t off)
{
	struct gml_txn *txn = NULL;
	int rc = object_window_retire(object);
	gml_assert(object->table && (off < object->info.size || off == 0));
	if (rc == 0)
		rc = gml_meta_read_begin(object->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = object_window_read(txn, object, off);
	gml_meta_read_end(txn);
	return rc;
}

/* ---- a look at the files, but not at what is in them ----------------------------------------- */

/* files remembered: an object that was changed in place has a few, which take turns */
#define LOOK_SEEN 8

static const struct look_bound {
	uint32_t files, extents;
} look_bounds[2] = {{256, 4096}, {8, 64}}; /* [nowait] */

struct object_look {
	struct look_bound left;
	uint32_t next;
	struct {
		uint64_t file, size;
	} seen[LOOK_SEEN];
};

static bool look_within(const struct gml_extent *extent, uint64_t base, uint64_t size)
{
	return extent->blob_off <= size && base <= size - extent->blob_off &&
	       extent->len <= size - extent->blob_off - base;
}

static int look_stat(struct gml_store *store, uint64_t id, uint64_t *size_out)
{
	struct gml_blob *blob = NULL;
	uint64_t space;
	int64_t mtime, ctime;
	int rc = gml_blob_open(store->data, id, 0, &blob);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
	rc = gml_blob_stat(blob, size_out, &space, &mtime, &ctime);
	gml_blob_unref(blob);
	return rc;
}

/* *full_out: the extent is beyond what may be looked at. */
static int look_extent(struct object_look *look, struct gml_store *store,
		       const struct gml_extent *extent, bool *full_out)
{
	bool packed = extent->blob & GML_BLOB_PACKED;
	uint64_t file = packed ? gml_pack_id(gml_pack_number(extent->blob), 0) : extent->blob;
	uint64_t base = packed ? gml_pack_offset(extent->blob) : 0, size = 0;
	int rc;
	*full_out = look->left.extents == 0;
	if (*full_out)
		return 0;
	look->left.extents--;
	for (uint32_t i = 0; i < LOOK_SEEN; i++)
		if (look->seen[i].file == file && look_within(extent, base, look->seen[i].size))
			return 0;
	*full_out = look->left.files == 0;
	if (*full_out)
		return 0;
	look->left.files--;
	rc = look_stat(store, extent->blob, &size);
	if (rc != 0)
		return rc;
	look->seen[look->next].file = file;
	look->seen[look->next].size = size;
	look->next = (look->next + 1) % LOOK_SEEN;
	return look_within(extent, base, size) ? 0 : GML_ERR_AGAIN;
}

int gml_object_look(struct gml_object *object, bool nowait)
{
	struct object_look look = {.left = look_bounds[nowait]};
	uint64_t off = 0, size = object->info.size, reach;
	bool full = false;
	int rc = 0;
	if (object->wblob != 0 && !object->dirty && size > 0)
		rc = look_stat(object->store, object->wblob,
			       &reach); /* how far: asked when it is pinned */
	do {
		if (rc == 0 && object->table)
			rc = object_window(object, off);
		for (uint32_t i = 0; rc == 0 && !full && i < object->npieces; i++)
			rc = look_extent(&look, object->store, &object->piece[i].extent, &full);
		off = object->window_end;
	} while (rc == 0 && !full && object->table && off < size);
	return rc == 0 && full && nowait ? GML_ERR_COLD : rc;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* A backend without descriptors: a chunk in memory, kept until released. */
static int object_run_chunk(struct gml_object *object, const struct gml_piece *piece, uint64_t skip,
			    uint64_t len, struct gml_run *out)
{
	struct gml_piece chunk = {.extent = {.off = piece->extent.off + skip,
					     .len = len < OBJECT_CHUNK ? len : OBJECT_CHUNK}};
	size_t nread = 0;
	int rc;
	chunk.mem = malloc((size_t)chunk.extent.len);
	if (chunk.mem == NULL)
		return GML_ERR_NOMEM;
	rc = gml_blob_read(piece->blob, piece->extent.blob, piece->extent.blob_off + skip,
			   chunk.mem, (size_t)chunk.extent.len, &nread);
	if (rc == 0 && nread == 0)
		rc = GML_ERR_IO;
	if (rc == 0)
		rc = object_keep(object, &chunk);
	if (rc != 0) {
		free(chunk.mem);
		return rc;
	}
	*out = (struct gml_run){.fd = -1, .mem = chunk.mem, .len = nread};
	return 0;
}

static int object_run_piece(struct gml_object *object, const struct gml_piece *piece, uint64_t off,
			    uint64_t len, struct gml_run *out)
{
	uint64_t skip = off - piece->extent.off, left = piece->extent.len - skip, base = 0;
	int fd;
	gml_assert(off >= piece->extent.off && skip < piece->extent.len && len > 0);
	if (left < len)
		len = left;
	if (piece->mem != NULL) {
		*out = (struct gml_run){
			.fd = -1, .mem = (const char *)piece->mem + skip, .len = len};
		return 0;
	}
	fd = gml_blob_fd(piece->blob, piece->extent.blob, &base);
	if (fd < 0)
		return object_run_chunk(object, piece, skip, len, out);
	*out = (struct gml_run){
		.fd = fd, .file_off = base + piece->extent.blob_off + skip, .len = len};
	return 0;
}

/* No extent covers [off, off+len): the write blob as far as it reaches, else zeros. */
static int object_run_gap(struct gml_object *object, uint64_t off, uint64_t len,
			  struct gml_run *out)
{
	struct gml_piece piece = {.extent = {.off = 0, .blob = object->wblob},
				  .blob = object->write_blob};
	uint64_t size = 0, space;
	int64_t mtime, ctime;
	gml_assert(len > 0 && off + len <= object->info.size);
	*out = (struct gml_run){.fd = -1, .len = len};
	if (object->write_blob != NULL) {
		int rc = gml_blob_stat(object->write_blob, &size, &space, &mtime, &ctime);
		if (rc != 0)
			return rc;
	}
	if (size <= off)
		return 0;
	piece.extent.len = size;
	return object_run_piece(object, &piece, off, len, out);
}

int gml_object_run(struct gml_object *object, uint64_t off, uint64_t len, struct gml_run *out)
{
	uint64_t size = object->info.size, end;
	for (int i = 0; i < GML_OBJECT_TRIES; i++) {
		struct gml_piece *piece = object->piece;
		int rc = 0;
		if (off >= size || len == 0)
			return GML_ERR_INVAL;
		if (object->table && (off < object->window || off >= object->window_end))
			rc = object_window(object, off);
		if (rc != 0)
			return rc;
		end = object->window_end < size ? object->window_end : size;
		if (len < end - off)
			end = off + len;
		while (piece < object->piece + object->npieces &&
		       piece->extent.off + piece->extent.len <= off)
			piece++;
		if (piece == object->piece + object->npieces)
			return object_run_gap(object, off, end - off, out);
		if (piece->extent.off > off)
			return object_run_gap(
				object, off,
				(piece->extent.off < end ? piece->extent.off : end) - off, out);
		rc = gml_piece_open(object->store, piece, object->seq, false);
		if (rc == 0)
			return object_run_piece(object, piece, off, end - off, out);
		if (rc != GML_ERR_AGAIN)
			return rc;
		object->window_end = object->window; /* the map changed: read it anew */
	}
	return GML_ERR_IO;
}

void gml_object_run_release(struct gml_object *object, uint64_t off)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < object->nkept; i++) {
		struct gml_piece *piece = &object->kept[i];
		if (piece->extent.off + piece->extent.len <= off)
			gml_piece_release(piece);
		else
			object->kept[n++] = *piece;
	}
	object->nkept = n;
	for (uint32_t i = 0; object->table && i < object->npieces; i++) {
		struct gml_piece *piece = &object->piece[i];
		if (piece->extent.off + piece->extent.len <= off)
			gml_piece_release(piece);
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

static int object_run_pread(const struct gml_run *run, void *buf, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = pread(run->fd, (char *)buf + done, len - done,
				  (off_t)(run->file_off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return GML_ERR_IO;
		done += (size_t)n;
	}
	return 0;
}

int gml_object_each(struct gml_object *object, uint64_t off, uint64_t len,
		    int (*sink)(void *arg, const void *buf, size_t len), void *arg)
{
	char *buf = malloc(OBJECT_CHUNK);
	int rc = buf == NULL ? GML_ERR_NOMEM : 0;
	while (rc == 0 && len > 0) {
		struct gml_run run;
		size_t n;
		rc = gml_object_run(object, off, len < OBJECT_CHUNK ? len : OBJECT_CHUNK, &run);
		if (rc != 0)
			break;
		gml_assert(run.len > 0 && run.len <= OBJECT_CHUNK && run.len <= len);
		n = (size_t)run.len;
		if (run.fd >= 0)
			rc = object_run_pread(&run, buf, n);
		else if (run.mem != NULL)
			memcpy(buf, run.mem, n);
		else
			memset(buf, 0, n);
		if (rc == 0)
			rc = sink(arg, buf, n);
		off += n;
		len -= n;
		gml_object_run_release(object, off);
	}
	free(buf);
	return rc;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static uint64_t object_part_end(const uint8_t *entry)
{
	uint64_t end = 0;
	for (int i = 7; i >= 0; i--)
		end = end << 8 | entry[i];
	return end;
}

static int object_part_read(const struct gml_object *object, struct gml_span parts, uint32_t number,
			    uint64_t *off_out, uint64_t *len_out,
			    struct gml_object_checksum *checksum_out)
{
	size_t width = 8 + gml_checksum_size(object->info.checksum.algorithm);
	const uint8_t *entry;
	uint64_t start, end;
	gml_assert(number >= 1 && number <= object->info.nparts);
	if (parts.len < width * object->info.nparts)
		return GML_ERR_CORRUPT;
	entry = (const uint8_t *)parts.ptr + (number - 1) * width;
	start = number > 1 ? object_part_end(entry - width) : 0;
	end = object_part_end(entry);
	if (end < start || end > object->info.size)
		return GML_ERR_CORRUPT;
	*off_out = start;
	*len_out = end - start;
	*checksum_out = (struct gml_object_checksum){.algorithm = object->info.checksum.algorithm};
	memcpy(checksum_out->value, entry + 8, width - 8);
	return 0;
}

int gml_object_part(const struct gml_object *object, uint32_t number, uint64_t *off_out,
		    uint64_t *len_out, struct gml_object_checksum *checksum_out)
{
	struct gml_inode inode;
	struct gml_txn *txn = NULL;
	int rc;
	if (!object->parts) {
		*off_out = 0;
		*len_out = object->info.size;
		*checksum_out = object->info.checksum;
		return number == 1 ? 0 : GML_ERR_INVAL;
	}
	if (number < 1 || number > object->info.nparts)
		return GML_ERR_INVAL;
	/* Up to 400 KB that only such requests need: read in place, not copied by every open. */
	rc = gml_meta_read_begin(object->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, object->info.ino, &inode);
	if (rc == GML_ERR_NOENT || (rc == 0 && !(inode.flags & GML_INODE_PARTS)))
		rc = GML_ERR_STALE;
	if (rc == 0)
		rc = object_part_read(object, inode.parts, number, off_out, len_out, checksum_out);
	gml_meta_read_end(txn);
	return rc;
}
