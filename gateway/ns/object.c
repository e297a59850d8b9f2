/* Objects open for reading. docs/architecture.md, "Data"; ns/README.md says what keeps the bytes there.
 *
 * Invariants
 *  1. An object whose extents are in the inode is pinned when it is opened: blobs open, packed bytes in memory. What
 * was freed between the snapshot and the pinning makes the open start again.
 *  2. One whose extents are in the table is noted as read (reader.c), and its map is read window by window, each from a
 *     snapshot that still shows the etag that was promised. Content that changed in place ends the reading with IO: an
 *     answer never mixes two contents. A file that was DIRTY when it was opened promises nothing and is read as it is.
 *  3. A pack's segment is read, and then its record looked up again: freed segments are punched, ids never come back,
 * so a record that is still there vouches for the bytes. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "objects.h"

#define OBJECT_WINDOW 8
#define OBJECT_TRIES 16
#define OBJECT_CHUNK ((size_t)256 << 10)
#define OBJECT_META_MAX ((size_t)64 << 10) /* of metadata handed out; pairs beyond are left out */

struct object_piece {
	struct gml_extent extent;
	struct gml_blob *blob; /* open file */
	void *mem;	       /* or its bytes */
};

struct gml_object {
	struct gml_store *store;
	struct gml_object_info info;
	bool live, table, parts;
	int reader; /* slot of reader.c, -1: none */
	uint64_t wblob;
	struct gml_blob *write_blob; /* NULL: none, or no byte of it written yet */
	uint64_t window, window_end; /* what of the file the pieces describe */
	uint32_t npieces;
	struct object_piece piece[OBJECT_WINDOW];
	struct object_piece *kept; /* of former windows, and chunks: borrowed by runs until released */
	uint32_t nkept, kept_cap;
	char text[]; /* metadata pairs, headers, names and values */
};

/* ---- metadata -------------------------------------------------------------------------------------------------- */

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
	static const char prefix[] = GML_ATTACH_META;
	meta->prefix = gml_span_of(prefix, sizeof(prefix) - 1);
	meta->nmeta = 0;
	meta->bytes = 0;
	return gml_rec_xattr_each(txn, ino, gml_span_of(prefix, sizeof(prefix) - 2), object_meta_each, meta);
}

static int object_tags_count(struct gml_txn *txn, gml_ino ino, struct object_meta *meta)
{
	static const char prefix[] = GML_ATTACH_TAG;
	meta->prefix = gml_span_of(prefix, sizeof(prefix) - 1);
	return gml_rec_xattr_each(txn, ino, gml_span_of(prefix, sizeof(prefix) - 2), object_tags_each, meta);
}

/* ---- open ------------------------------------------------------------------------------------------------------ */

/* One allocation for all that the object knows of its inode. */
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
	object = malloc(sizeof(*object) + pairs + meta.bytes + inode->headers.len + _Alignof(struct gml_meta_pair));
	if (object == NULL)
		return GML_ERR_NOMEM;
	memset(object, 0, sizeof(*object));
	object->store = store;
	object->reader = -1;
	if (meta.nmeta > 0) {
		uintptr_t align = _Alignof(struct gml_meta_pair);
		meta.pairs = (struct gml_meta_pair *)(((uintptr_t)object->text + align - 1) & ~(align - 1));
		meta.p = (char *)meta.pairs + pairs;
		rc = object_meta_scan(txn, inode->ino, &meta);
	} else {
		meta.p = object->text;
	}
	object->info.meta = meta.pairs;
	if (inode->headers.len > 0) {
		memcpy(meta.p, inode->headers.ptr, inode->headers.len);
		if (rc == 0)
			rc = gml_rec_headers_decode(gml_span_of(meta.p, inode->headers.len), object->info.headers);
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

static int object_load(struct gml_txn *txn, struct gml_store *store, const struct gml_inode *inode, bool directory,
		       struct gml_object **out)
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
		object->info.headers[GML_HDR_CONTENT_TYPE] = gml_span_of("application/x-directory", 23);
	*out = object;
	if (directory)
		return 0;
	object->live = inode->flags & GML_INODE_DIRTY;
	object->table = inode->flags & GML_INODE_EXTENTS;
	object->parts = inode->flags & GML_INODE_PARTS && !object->live;
	object->wblob = inode->wblob;
	if (object->table)
		return 0;
	object->window_end = object->info.size;
	for (uint32_t i = 0; i < inode->nextents && inode->extents[i].off < object->info.size; i++)
		object->piece[object->npieces++].extent = inode->extents[i];
	return 0;
}

/* Invariant 3. AGAIN: freed. */
static int object_still_there(struct gml_store *store, uint64_t blob)
{
	struct gml_blob_rec rec;
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_blob_get(txn, blob, &rec);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
}

static int object_piece_load(struct gml_store *store, struct object_piece *piece, struct gml_blob *blob)
{
	const struct gml_extent *extent = &piece->extent;
	size_t nread = 0;
	void *mem;
	int rc;
	if (extent->len > GML_PACK_SEGMENT_MAX)
		return GML_ERR_CORRUPT;
	mem = malloc((size_t)extent->len);
	if (mem == NULL)
		return GML_ERR_NOMEM;
	rc = gml_blob_read(blob, extent->blob, extent->blob_off, mem, (size_t)extent->len, &nread);
	if (rc == 0)
		rc = object_still_there(store, extent->blob);
	if (rc == 0 && nread != extent->len)
		rc = GML_ERR_CORRUPT;
	if (rc != 0) {
		free(mem);
		return rc;
	}
	piece->mem = mem;
	return 0;
}

/* Makes the piece readable. AGAIN: its bytes were freed. */
static int object_piece_open(struct gml_store *store, struct object_piece *piece)
{
	struct gml_blob *blob = NULL;
	int rc;
	if (piece->blob != NULL || piece->mem != NULL)
		return 0;
	rc = gml_blob_open(store->data, piece->extent.blob, 0, &blob);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_AGAIN : rc;
	if (!(piece->extent.blob & GML_BLOB_PACKED)) {
		piece->blob = blob;
		return 0;
	}
	rc = object_piece_load(store, piece, blob);
	gml_blob_unref(blob);
	return rc;
}

/* The write blob's file appears with its first byte: missing is fine as long as the inode still has it. */
static int object_pin_wblob(struct gml_object *object)
{
	struct gml_inode inode;
	struct gml_txn *txn = NULL;
	int rc = gml_blob_open(object->store->data, object->wblob, 0, &object->write_blob);
	if (rc != GML_ERR_NOENT)
		return rc;
	object->write_blob = NULL;
	rc = gml_meta_read_begin(object->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_inode_get(txn, object->info.ino, &inode);
	if (rc == GML_ERR_NOENT || (rc == 0 && inode.wblob != object->wblob))
		rc = GML_ERR_AGAIN;
	gml_meta_read_end(txn);
	return rc;
}

static int object_pin(struct gml_object *object)
{
	int rc = 0;
	if (object->table)
		object->reader = gml_readers_add(object->store->readers, &object->store->self, object->info.ino);
	for (uint32_t i = 0; rc == 0 && i < object->npieces; i++)
		rc = object_piece_open(object->store, &object->piece[i]);
	if (rc == 0 && object->wblob != 0)
		rc = object_pin_wblob(object);
	return rc;
}

static int object_try(struct gml_op *op, struct gml_store *store, struct gml_span bucket, struct gml_span key,
		      bool with_data, struct gml_object **out)
{
	struct gml_object *object = NULL;
	struct gml_txn *txn = NULL;
	struct gml_inode inode;
	struct gml_path path;
	bool directory;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_path_walk(txn, op, bucket, key, &path);
	if (rc == 0) {
		rc = gml_path_object(txn, &path, &inode, &directory);
		if (rc == GML_ERR_NOENT)
			rc = gml_path_missing(op, &path);
	}
	if (rc == 0 && with_data)
		rc = gml_access_check(op, &inode, GML_MAY_READ);
	if (rc == 0)
		rc = object_load(txn, store, &inode, directory, &object);
	gml_meta_read_end(txn);
	if (rc == 0 && with_data)
		rc = object_pin(object);
	if (rc != 0) {
		gml_object_close(object);
		return rc;
	}
	*out = object;
	return 0;
}

int gml_object_open(struct gml_op *op, struct gml_store *store, struct gml_span bucket, struct gml_span key,
		    bool with_data, struct gml_object **out)
{
	for (int i = 0; i < OBJECT_TRIES; i++) {
		int rc = object_try(op, store, bucket, key, with_data, out);
		if (rc != GML_ERR_AGAIN)
			return rc;
	}
	return GML_ERR_IO; /* the blob is not freed, it is lost */
}

const struct gml_object_info *gml_object_info(const struct gml_object *object)
{
	return &object->info;
}

gml_ino gml_object_ino(const struct gml_object *object)
{
	return object->info.ino;
}

bool gml_object_live(const struct gml_object *object)
{
	return object->live;
}

static void object_piece_release(struct object_piece *piece)
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
		object_piece_release(&object->piece[i]);
	for (uint32_t i = 0; i < object->nkept; i++)
		object_piece_release(&object->kept[i]);
	gml_blob_unref(object->write_blob);
	gml_readers_remove(object->store->readers, object->reader);
	free(object->kept);
	free(object);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static int object_keep(struct gml_object *object, const struct object_piece *piece)
{
	if (object->nkept == object->kept_cap) {
		uint32_t cap = object->kept_cap != 0 ? object->kept_cap * 2 : 16;
		struct object_piece *kept = reallocarray(object->kept, cap, sizeof(*kept));
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
		struct object_piece *piece = &object->piece[i];
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
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_IO : rc;
	if (!object->live) { /* invariant 2 */
		gml_etag_format(&inode, inode.change, etag);
		/* Losing the name counts as a change of the inode, and makes a new opaque tag of the old content. */
		if (inode.flags & GML_INODE_DIRTY ||
		    (strcmp(etag, object->info.etag) != 0 &&
		     (inode.flags & GML_INODE_MD5 || !(inode.flags & GML_INODE_ORPHAN) ||
		      inode.mtime != object->info.mtime || inode.size != object->info.size)))
			return GML_ERR_IO;
	}
	while (object->npieces < OBJECT_WINDOW && pos < object->info.size) {
		struct gml_extent *extent = &object->piece[object->npieces].extent;
		rc = gml_extent_find(txn, &inode, pos, extent);
		if (rc != 0 || extent->off >= object->info.size)
			break;
		pos = extent->off + extent->len;
		object->npieces++;
	}
	object->window = off;
	object->window_end = object->npieces == OBJECT_WINDOW ? pos : object->info.size;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int object_window(struct gml_object *object, uint64_t off)
{
	struct gml_txn *txn = NULL;
	int rc = object_window_retire(object);
	if (rc == 0)
		rc = gml_meta_read_begin(object->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = object_window_read(txn, object, off);
	gml_meta_read_end(txn);
	return rc;
}

/* A backend without descriptors: a chunk in memory, kept until released. */
static int object_run_chunk(struct gml_object *object, const struct object_piece *piece, uint64_t skip, uint64_t len,
			    struct gml_run *out)
{
	struct object_piece chunk = {
		.extent = {.off = piece->extent.off + skip, .len = len < OBJECT_CHUNK ? len : OBJECT_CHUNK}};
	size_t nread = 0;
	int rc;
	chunk.mem = malloc((size_t)chunk.extent.len);
	if (chunk.mem == NULL)
		return GML_ERR_NOMEM;
	rc = gml_blob_read(piece->blob, piece->extent.blob, piece->extent.blob_off + skip, chunk.mem,
			   (size_t)chunk.extent.len, &nread);
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

static int object_run_piece(struct gml_object *object, const struct object_piece *piece, uint64_t off, uint64_t len,
			    struct gml_run *out)
{
	uint64_t skip = off - piece->extent.off, left = piece->extent.len - skip, base = 0;
	int fd;
	if (left < len)
		len = left;
	if (piece->mem != NULL) {
		*out = (struct gml_run){.fd = -1, .mem = (const char *)piece->mem + skip, .len = len};
		return 0;
	}
	fd = gml_blob_fd(piece->blob, piece->extent.blob, &base);
	if (fd < 0)
		return object_run_chunk(object, piece, skip, len, out);
	*out = (struct gml_run){.fd = fd, .file_off = base + piece->extent.blob_off + skip, .len = len};
	return 0;
}

/* No extent covers [off, off+len): the write blob as far as it reaches, else zeros. */
static int object_run_gap(struct gml_object *object, uint64_t off, uint64_t len, struct gml_run *out)
{
	struct object_piece piece = {.extent = {.off = 0, .blob = object->wblob}, .blob = object->write_blob};
	uint64_t size = 0, space;
	int64_t mtime, ctime;
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
	for (int i = 0; i < OBJECT_TRIES; i++) {
		struct object_piece *piece = object->piece;
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
		while (piece < object->piece + object->npieces && piece->extent.off + piece->extent.len <= off)
			piece++;
		if (piece == object->piece + object->npieces)
			return object_run_gap(object, off, end - off, out);
		if (piece->extent.off > off)
			return object_run_gap(object, off, (piece->extent.off < end ? piece->extent.off : end) - off,
					      out);
		rc = object_piece_open(object->store, piece);
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
		struct object_piece *piece = &object->kept[i];
		if (piece->extent.off + piece->extent.len <= off)
			object_piece_release(piece);
		else
			object->kept[n++] = *piece;
	}
	object->nkept = n;
	for (uint32_t i = 0; object->table && i < object->npieces; i++) {
		struct object_piece *piece = &object->piece[i];
		if (piece->extent.off + piece->extent.len <= off)
			object_piece_release(piece);
	}
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int object_run_pread(const struct gml_run *run, void *buf, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = pread(run->fd, (char *)buf + done, len - done, (off_t)(run->file_off + done));
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

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static uint64_t object_part_end(const uint8_t *entry)
{
	uint64_t end = 0;
	for (int i = 7; i >= 0; i--)
		end = end << 8 | entry[i];
	return end;
}

static int object_part_read(const struct gml_object *object, struct gml_span parts, uint32_t number, uint64_t *off_out,
			    uint64_t *len_out, struct gml_object_checksum *checksum_out)
{
	size_t width = 8 + gml_checksum_size(object->info.checksum.algorithm);
	const uint8_t *entry;
	uint64_t start, end;
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

int gml_object_part(const struct gml_object *object, uint32_t number, uint64_t *off_out, uint64_t *len_out,
		    struct gml_object_checksum *checksum_out)
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
	/* Up to 400 KB that only such requests want: read where they lie, not copied by every open. */
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
