// SPDX-License-Identifier: Apache-2.0
/* Objects open for reading. docs/architecture.md, "Data"; ns/README.md says how the bytes are kept.
 *
 * Invariants
 *  1. An object whose extents are in the inode is pinned when it is opened: blobs open, packed
 *     bytes in memory. If a blob was freed between the snapshot and the pinning, the open starts
 *     again.
 *  2. An object whose extents are in the table is registered as read (presence.h). Its map is read
 *     window by window, each from a snapshot that still shows the promised ETag. Content that
 *     changed in place ends the read with IO: an answer never mixes two contents. A file that was
 *     DIRTY when it was opened promises nothing and is read as it is.
 *  3. A pack's segment is read, and then its record looked up again, unless nothing was committed
 *     since the snapshot that named it: freed segments are punched and ids never return, so an
 *     existing record proves that the bytes are right. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "object_meta.h"
#include "object_open.h"

#define OBJECT_META_MAX ((size_t)64 << 10) /* of metadata handed out; pairs beyond are left out */
_Static_assert(GML_INLINE_EXTENTS <= GML_OBJECT_WINDOW, "the extents of an inode are one window");

/* ---- metadata -------------------------------------------------------------------------------- */

struct object_meta {
	struct gml_span prefix;
	struct gml_meta_pair *pairs; /* NULL: measure */
	char *p;
	uint32_t nmeta, ntags;
	size_t bytes;
};

static bool object_meta_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct object_meta *meta = arg;
	size_t skip = meta->prefix.len, len = name.len + value.len;
	if (!gml_span_starts(name, meta->prefix))
		return false;
	if (name.len == skip || meta->bytes + len > OBJECT_META_MAX)
		return true;
	meta->bytes += len;
	if (meta->pairs != NULL) {
		memcpy(meta->p, (const char *)name.ptr + skip, name.len - skip);
		if (value.len > 0)
			memcpy(meta->p + name.len - skip, value.ptr, value.len);
		meta->pairs[meta->nmeta].name = gml_span_of(meta->p, name.len - skip);
		meta->pairs[meta->nmeta].value = gml_span_of(meta->p + name.len - skip, value.len);
		meta->p += len - skip;
	}
	meta->nmeta++;
	return true;
}

static bool object_tags_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct object_meta *meta = arg;
	(void)value;
	if (!gml_span_starts(name, meta->prefix))
		return false;
	meta->ntags++;
	return true;
}

static int object_meta_scan(struct gml_txn *txn, gml_ino ino, struct object_meta *meta)
{
	static const char prefix[] = GML_OBJECT_META_PREFIX;
	meta->prefix = gml_span_of(prefix, sizeof(prefix) - 1);
	meta->nmeta = 0;
	meta->bytes = 0;
	return gml_rec_xattr_each(txn, ino, gml_span_of(prefix, sizeof(prefix) - 2),
				  object_meta_each, meta);
}

static int object_tags_count(struct gml_txn *txn, gml_ino ino, struct object_meta *meta)
{
	static const char prefix[] = GML_OBJECT_TAG_PREFIX;
	meta->prefix = gml_span_of(prefix, sizeof(prefix) - 1);
	return gml_rec_xattr_each(txn, ino, gml_span_of(prefix, sizeof(prefix) - 2),
				  object_tags_each, meta);
}

/* ---- open ------------------------------------------------------------------------------------ */

/* One allocation for all facts of the inode. */
static int object_new(struct gml_txn *txn, struct gml_store *store, const struct gml_inode *inode,
		      struct gml_object **out)
{
	struct object_meta meta = {0};
	struct gml_object *object;
	size_t pairs;
	int rc = 0;
	if (inode->flags & GML_INODE_XATTRS) {
		rc = object_meta_scan(txn, inode->ino, &meta);
		if (rc == 0)
			rc = object_tags_count(txn, inode->ino, &meta);
	}
	if (rc != 0)
		return rc;
	pairs = meta.nmeta * sizeof(*meta.pairs);
	object = malloc(sizeof(*object) + pairs + meta.bytes + inode->headers.len +
			_Alignof(struct gml_meta_pair));
	if (object == NULL)
		return GML_ERR_NOMEM;
	memset(object, 0, sizeof(*object));
	object->store = store;
	object->reader = -1;
	if (meta.nmeta > 0) {
		uintptr_t align = _Alignof(struct gml_meta_pair);
		meta.pairs = (struct gml_meta_pair *)(((uintptr_t)object->text + align - 1) &
						      ~(align - 1));
		meta.p = (char *)meta.pairs + pairs;
		rc = object_meta_scan(txn, inode->ino, &meta);
	} else {
		meta.p = object->text;
	}
	/* The second scan saw what the first one measured. */
	gml_assert(meta.p + inode->headers.len <= object->text + pairs + meta.bytes +
							  inode->headers.len +
							  _Alignof(struct gml_meta_pair));
	object->seq = gml_txn_seq(txn);
	object->info.meta = meta.pairs;
	if (inode->headers.len > 0) {
		memcpy(meta.p, inode->headers.ptr, inode->headers.len);
		if (rc == 0)
			rc = gml_rec_headers_decode(gml_span_of(meta.p, inode->headers.len),
						    object->info.headers);
	}
	object->info.nmeta = meta.nmeta;
	object->info.ntags = meta.ntags;
	if (rc != 0) {
		free(object);
		return rc;
	}
	*out = object;
	return 0;
}

static int object_load(struct gml_txn *txn, struct gml_store *store, const struct gml_inode *inode,
		       bool directory, struct gml_object **out)
{
	struct gml_object_info facts;
	struct gml_object *object = NULL;
	int rc = gml_path_facts(store, inode, directory, &facts);
	if (rc == 0)
		rc = object_new(txn, store, inode, &object);
	if (rc != 0)
		return rc;
	memcpy(facts.headers, object->info.headers, sizeof(facts.headers));
	facts.meta = object->info.meta;
	facts.nmeta = object->info.nmeta;
	facts.ntags = object->info.ntags;
	object->info = facts;
	if (directory && facts.headers[GML_HDR_CONTENT_TYPE].ptr == NULL)
		object->info.headers[GML_HDR_CONTENT_TYPE] =
			gml_span_of("application/x-directory", 23);
	*out = object;
	if (directory)
		return 0;
	object->dirty = inode->flags & GML_INODE_DIRTY;
	object->table = inode->flags & GML_INODE_EXTENTS;
	object->parts = inode->flags & GML_INODE_PARTS && !object->dirty;
	object->wblob = inode->wblob;
	if (object->table)
		return 0;
	object->window_end = object->info.size;
	for (uint32_t i = 0; i < inode->nextents && inode->extents[i].off < object->info.size; i++)
		object->piece[object->npieces++].extent = inode->extents[i];
	return 0;
}

/* Invariant 3. AGAIN: freed. seq: of the snapshot that named the blob; 0: not known. */
static int object_still_there(struct gml_store *store, uint64_t blob, uint64_t seq)
{
	struct gml_blob_rec rec;
	struct gml_txn *txn = NULL;
	int rc;
	if (seq != 0 && gml_meta_seq(store->meta) == seq)
		return 0;
	rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_blob_get(txn, blob, &rec);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
}

static int object_piece_load(struct gml_store *store, struct gml_piece *piece,
			     struct gml_blob *blob, uint64_t seq, bool nowait)
{
	const struct gml_extent *extent = &piece->extent;
	size_t nread = extent->len;
	void *mem;
	int rc;
	gml_assert((extent->blob & GML_BLOB_PACKED) && piece->mem == NULL);
	if (extent->len > GML_PACK_SEGMENT_MAX)
		return GML_ERR_CORRUPT;
	mem = malloc((size_t)extent->len);
	if (mem == NULL)
		return GML_ERR_NOMEM;
	rc = nowait ? gml_blob_read_cached(blob, extent->blob, extent->blob_off, mem, nread)
		    : gml_blob_read(blob, extent->blob, extent->blob_off, mem, nread, &nread);
	if (rc == 0)
		rc = object_still_there(store, extent->blob, seq);
	if (rc == 0 && nread != extent->len)
		rc = GML_ERR_CORRUPT;
	if (rc != 0) {
		free(mem);
		return rc;
	}
	piece->mem = mem;
	return 0;
}

/* 0 when the file of `blob`, which is none of a pack, has the extent's last byte; else AGAIN. */
static int object_reached(struct gml_blob *blob, const struct gml_extent *extent)
{
	uint64_t end;
	bool yes;
	int rc;
	if (__builtin_add_overflow(extent->blob_off, extent->len, &end))
		return GML_ERR_CORRUPT;
	rc = gml_blob_reaches(blob, end, &yes);
	return rc == 0 && !yes ? GML_ERR_AGAIN : rc;
}

int gml_piece_open(struct gml_store *store, struct gml_piece *piece, uint64_t seq, bool nowait)
{
	struct gml_blob *blob = NULL;
	int rc;
	gml_assert(piece->extent.len > 0 && (piece->blob == NULL || piece->mem == NULL));
	if (piece->blob != NULL || piece->mem != NULL)
		return 0;
	rc = gml_blob_open(store->data, piece->extent.blob, 0, &blob);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
	if (!(piece->extent.blob & GML_BLOB_PACKED)) {
		rc = object_reached(blob, &piece->extent);
		if (rc == 0)
			piece->blob = blob;
		else
			gml_blob_unref(blob);
		return rc;
	}
	rc = object_piece_load(store, piece, blob, seq, nowait);
	gml_blob_unref(blob);
	return rc;
}

/* The write blob of a file being written appears with its first byte: it may be missing as long as
 * the inode refers to it. The write blob of a clean file is at least as long as the file
 * (open_inode.h, invariant 1), or bytes are lost: gaps in it are zeros, not its end. */
static int object_pin_wblob(struct gml_object *object)
{
	struct gml_extent whole = {.blob = object->wblob, .len = object->info.size};
	struct gml_inode inode;
	struct gml_txn *txn = NULL;
	int rc = gml_blob_open(object->store->data, object->wblob, 0, &object->write_blob);
	gml_assert(gml_blob_is_write(object->wblob));
	if (rc == 0 && !object->dirty)
		return object_reached(object->write_blob, &whole);
	if (rc != GML_ERR_NOENT)
		return rc;
	object->write_blob = NULL;
	if (!object->dirty && object->info.size > 0)
		return GML_ERR_AGAIN;
	rc = gml_meta_read_begin(object->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, object->info.ino, &inode);
	if (rc == GML_ERR_NOENT || (rc == 0 && inode.wblob != object->wblob))
		rc = GML_ERR_AGAIN;
	gml_meta_read_end(txn);
	return rc;
}

static int object_pin(struct gml_object *object, enum gml_object_want want, bool nowait)
{
	int rc = 0;
	gml_assert(object->reader == -1 && object->write_blob == NULL); /* pinned once */
	if (want == GML_OBJECT_FACTS)
		return 0;
	if (object->table)
		object->reader = gml_presence_reader_add(object->store->presence, object->info.ino);
	if (want == GML_OBJECT_PRESENT)
		rc = gml_object_look(object, nowait);
	for (uint32_t i = 0; rc == 0 && want == GML_OBJECT_CONTENT && i < object->npieces; i++)
		rc = gml_piece_open(object->store, &object->piece[i], object->seq, nowait);
	if (rc == 0 && object->wblob != 0)
		rc = object_pin_wblob(object);
	return rc;
}

/* What the key denotes, if the caller may do `action` to it, in one snapshot. */
static int object_find(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		       enum gml_action action, struct gml_object **out)
{
	struct gml_txn *txn = NULL;
	struct gml_inode inode;
	struct gml_path path;
	bool directory;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_path_walk(txn, op, ref, &path);
	if (rc == 0) {
		rc = gml_path_object(txn, &path, &inode, &directory);
		if (rc == GML_ERR_NOENT)
			rc = gml_path_missing(op, &path);
	}
	if (rc == 0)
		rc = gml_path_may(op, action, &path, &inode);
	if (rc == 0)
		rc = object_load(txn, store, &inode, directory, out);
	gml_meta_read_end(txn);
	return rc;
}

static int object_try(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		      enum gml_object_want want, struct gml_object **out)
{
	enum gml_action action =
		want == GML_OBJECT_FACTS ? GML_ACTION_FIND_OBJECT : GML_ACTION_GET_OBJECT;
	struct gml_object *object = NULL;
	int rc = object_find(op, store, ref, action, &object);
	if (rc == 0)
		rc = object_pin(object, want, op->nowait);
	if (rc != 0) {
		gml_object_close(object);
		return rc;
	}
	*out = object;
	return 0;
}

int gml_object_find(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		    enum gml_action action, struct gml_object **out)
{
	*out = NULL;
	return object_find(op, store, ref, action, out);
}

int gml_object_open(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		    enum gml_object_want want, struct gml_object **out)
{
	for (int i = 0; i < GML_OBJECT_TRIES; i++) {
		int rc = object_try(op, store, ref, want, out);
		if (rc != GML_ERR_AGAIN)
			return rc;
	}
	return GML_ERR_IO; /* the blob is not freed, it is lost */
}

const struct gml_object_info *gml_object_info(const struct gml_object *object)
{
	return &object->info;
}

bool gml_object_dirty(const struct gml_object *object)
{
	return object->dirty;
}

void gml_piece_release(struct gml_piece *piece)
{
	gml_blob_unref(piece->blob);
	free(piece->mem);
	piece->blob = NULL;
	piece->mem = NULL;
}

void gml_object_close(struct gml_object *object)
{
	if (object == NULL)
		return;
	for (uint32_t i = 0; i < object->npieces; i++)
		gml_piece_release(&object->piece[i]);
	for (uint32_t i = 0; i < object->nkept; i++)
		gml_piece_release(&object->kept[i]);
	gml_blob_unref(object->write_blob);
	gml_presence_reader_remove(object->store->presence, object->reader);
	free(object->kept);
	free(object);
}
