// SPDX-License-Identifier: Apache-2.0
/* Open files: open, create, close, read. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/store/reap.h"
#include "gateway/ns/store/store.h"
#include "dir.h"
#include "finalize.h"
#include "handle.h"
#include "open_inode.h"
#include "setattr.h"

#define FILE_TRIES 8
#define FILE_SEGMENTS 64 /* parts of one READ that one snapshot describes */

/* All steps that can fail, before the inode is known. */
static struct gml_file *file_alloc(struct gml_op *op, struct gml_store *store, unsigned access)
{
	struct gml_file *file = calloc(1, sizeof(*file));
	if (file == NULL)
		return NULL;
	*file = (struct gml_file){.store = store,
				  .access = access,
				  .client = op->handle.client,
				  .open_inode = gml_open_inode_spare()};
	if (file->open_inode != NULL)
		return file;
	free(file);
	return NULL;
}

static void file_bind(struct gml_file *file, gml_ino ino)
{
	file->open_inode = gml_open_inode_get_spare(file->store, ino, file->open_inode);
	gml_open_inode_enter(file);
}

/* OPEN is strict for owners as well; who reclaims an open, or repeats an exclusive create, is asked
 * as READ and WRITE are (the mode may have changed since). What brings no open of its own
 * (GML_OPEN_IO) is asked by its READ or WRITE. */
static int file_open_check(struct gml_txn *txn, const struct gml_op *op,
			   const struct gml_inode *inode, unsigned access, bool barred)
{
	bool reclaim = access & GML_OPEN_RECLAIM;
	int rc = gml_may_inode(txn, op, GML_ACTION_GETATTR, inode, barred);
	if (rc == 0 && inode->type != GML_REG)
		rc = inode->type == GML_DIR ? GML_ERR_ISDIR : GML_ERR_INVAL;
	if (rc != 0 || (access & GML_OPEN_IO))
		return rc;
	if (access & GML_OPEN_WRITE)
		rc = gml_may_inode(txn, op, reclaim ? GML_ACTION_APPEND : GML_ACTION_OPEN_WRITE,
				   inode, barred);
	if (rc == 0 && (access & GML_OPEN_READ))
		rc = gml_may_inode(txn, op,
				   reclaim		     ? GML_ACTION_READ
				   : access & GML_OPEN_WRITE ? GML_ACTION_OPEN_UPDATE
							     : GML_ACTION_OPEN_READ,
				   inode, barred);
	return rc;
}

/* May it be opened? An open by handle of an inode that has lost its names is refused also to the
 * client that has it open: the client's open by path must find the inode that has the name now
 * (docs/adr/0002). I/O continues on the open inode. */
static int file_open_look(const struct gml_op *op, struct gml_store *store, gml_ino ino,
			  unsigned access)
{
	struct gml_inode inode;
	struct gml_txn *txn;
	bool barred;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	if (op->handle.found || (access & GML_OPEN_IO))
		rc = gml_handle_look(txn, op, store, ino, &inode, &barred);
	else
		rc = gml_handle_look_named(txn, op, ino, &inode, &barred);
	if (rc == 0)
		rc = file_open_check(txn, op, &inode, access, barred);
	gml_meta_read_end(txn);
	if (rc == 0 && (inode.flags & GML_INODE_ORPHAN) && gml_reap_is_freeing(store, ino))
		rc = GML_ERR_STALE;
	return rc;
}

int gml_file_open(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned access,
		  struct gml_file **out)
{
	struct gml_file *file;
	int rc;
	*out = NULL;
	if (access & ~(unsigned)(GML_OPEN_READ | GML_OPEN_WRITE | GML_OPEN_IO | GML_OPEN_RECLAIM))
		return GML_ERR_INVAL;
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return GML_ERR_NOMEM;
	*file = (struct gml_file){.store = store, .access = access, .client = op->handle.client};
	/* First the reference, then the check: the reaper does not free an open inode. One that it
	 * has marked before is treated as gone. */
	rc = gml_open_inode_get(store, ino, &file->open_inode);
	if (rc == 0)
		rc = file_open_look(op, store, ino, access);
	if (rc != 0) {
		gml_open_inode_put(store, file->open_inode);
		free(file);
		return rc;
	}
	gml_open_inode_enter(file);
	*out = file;
	return 0;
}

int gml_file_state_check(const struct gml_op *op, struct gml_store *store, gml_ino ino)
{
	return gml_open_inode_held_by_others(store, ino, op->handle.client) ? GML_ERR_ACCESS : 0;
}

int gml_file_lock_check(const struct gml_op *op, struct gml_store *store, gml_ino ino)
{
	return gml_lock_barred(&op->principal) ? GML_ERR_ACCESS
					       : gml_file_state_check(op, store, ino);
}

int gml_file_empty(struct gml_op *op, struct gml_file *file)
{
	return gml_inode_empty(op, file->store, file->open_inode);
}

int gml_file_close(struct gml_op *op, struct gml_file *file)
{
	int rc = 0;
	(void)op;
	if (file == NULL)
		return 0;
	if (gml_open_inode_leave(file))
		rc = gml_open_inode_finalize(file->store, file->open_inode);
	gml_open_inode_put(file->store, file->open_inode);
	free(file);
	return rc == GML_ERR_STALE ? 0 : rc; /* freed while open: nothing is left to finalize */
}

gml_ino gml_file_ino(const struct gml_file *file)
{
	return file->open_inode->ino;
}

/* ---- create ---------------------------------------------------------------------------------- */

struct create_arg {
	struct gml_store *store;
	struct gml_op *op;
	gml_ino parent;
	struct gml_span name;
	const struct gml_setattr *set;
	bool barred;		 /* the name is in a directory that the caller may not search */
	const uint8_t *verifier; /* NULL: none */
	uint64_t wblob;		 /* reserved for the first write; 0: none */
	struct gml_inode inode;
};

static int create_fn(struct gml_txn *txn, void *argp)
{
	struct create_arg *arg = argp;
	struct gml_inode dir, *inode = &arg->inode;
	const struct gml_new_mode mode = gml_setattr_new_mode(arg->set, false);
	int rc = gml_dir_get_for_new(txn, arg->op, arg->parent, arg->name, GML_ACTION_CREATE, &dir);
	if (rc == 0)
		rc = gml_inode_init(txn, arg->op, &dir, GML_REG, &mode, inode);
	if (rc == 0)
		rc = gml_setattr_new(txn, arg->op, arg->set, inode);
	if (rc == 0)
		rc = gml_usage_check(txn, dir.bucket, (int64_t)inode->size, 1);
	if (rc != 0)
		return rc;
	if (arg->verifier != NULL)
		memcpy(inode->verifier, arg->verifier, sizeof(inode->verifier));
	/* Born DIRTY: the first write needs no transaction, and a close without one costs no
	 * sync. */
	if (arg->wblob != 0 && inode->size == 0)
		rc = gml_dirty_apply(txn, arg->op, arg->store, inode, arg->wblob, true);
	dir.flags |= GML_INODE_EXPLICIT;
	return rc == 0 ? gml_link_add(txn, &dir, arg->name, inode) : rc;
}

static int create_new(struct create_arg *arg, unsigned access, struct gml_file **out)
{
	struct gml_file *file = file_alloc(arg->op, arg->store, access);
	int rc = 0;
	if (file == NULL)
		return GML_ERR_NOMEM;
	arg->wblob = 0;
	if (access & GML_OPEN_WRITE)
		rc = gml_blob_reserve(arg->store->data, &arg->wblob);
	if (rc == 0)
		rc = gml_meta_update(arg->store->meta, create_fn, arg);
	if (rc != 0) {
		gml_open_inode_spare_free(file->open_inode);
		free(file);
		return rc;
	}
	atomic_store(&file->open_inode->written, 0);
	file->open_inode->owned = (arg->inode.flags & GML_INODE_DIRTY) != 0;
	/* It cannot have been unlinked and reaped yet: an orphan lives for seconds. */
	file_bind(file, arg->inode.ino);
	*out = file;
	return 0;
}

/* Did the same request make it before? Files that were made in another way have a verifier of
 * zeros. */
static bool create_repeated(const struct gml_inode *inode, const uint8_t *verifier)
{
	static const uint8_t none[sizeof(inode->verifier)];
	return inode->type == GML_REG && memcmp(verifier, none, sizeof(none)) != 0 &&
	       memcmp(inode->verifier, verifier, sizeof(none)) == 0;
}

/* The name exists. */
static int create_existing(struct create_arg *arg, const struct gml_create *create,
			   const struct gml_inode *inode, struct gml_file **out)
{
	enum gml_create_disposition disposition = create->disposition;
	bool empty = arg->set != NULL && (arg->set->mask & GML_SET_SIZE) && arg->set->size == 0;
	struct gml_op named = *arg->op;
	int rc;
	if (disposition == GML_CREATE_GUARDED)
		return GML_ERR_EXIST;
	if (disposition == GML_CREATE_EXCLUSIVE && !create_repeated(inode, create->verifier))
		return GML_ERR_EXIST;
	/* the name may denote another file since the look: STALE, and it is looked up again */
	named.handle.found = false;
	named.handle.barred = arg->barred;
	rc = gml_file_open(
		&named, arg->store, inode->ino,
		create->access | (disposition == GML_CREATE_EXCLUSIVE ? GML_OPEN_RECLAIM : 0), out);
	if (rc == 0 && disposition == GML_CREATE_UNCHECKED && empty)
		rc = gml_file_empty(arg->op, *out);
	if (rc != 0) {
		(void)gml_file_close(arg->op, *out);
		*out = NULL;
	}
	return rc;
}

/* 0: *inode is what the name denotes; NOENT: nothing, and it could be made. */
static int create_look(struct create_arg *arg, struct gml_inode *inode)
{
	char stored[GML_KEY_MAX + 2];
	struct gml_dirent dirent;
	struct gml_txn *txn;
	bool barred;
	size_t len;
	int rc = gml_meta_read_begin(arg->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_dir_get(txn, arg->op, arg->parent, GML_ACTION_LOOKUP, inode, &barred);
	if (rc == 0 && gml_ino_equal(inode->ino, GML_INO_ROOT))
		rc = GML_ERR_PERM;
	arg->barred = rc == 0 && (barred || gml_search_barred(&arg->op->principal, inode));
	if (rc == 0)
		rc = gml_name_resolve(txn, arg->parent, arg->name, stored, &len, &dirent);
	if (rc == 0)
		rc = gml_rec_inode_named(txn, &dirent, inode);
	gml_meta_read_end(txn);
	return rc;
}

static int create_try(struct create_arg *arg, const struct gml_create *create,
		      struct gml_file **out, bool *created_out)
{
	struct gml_inode inode;
	int rc = create_look(arg, &inode);
	*created_out = rc == GML_ERR_NOENT;
	if (rc == GML_ERR_NOENT) {
		rc = create_new(arg, create->access, out);
		/* Another request was faster: look again, unless the answer is definite. */
		return rc == GML_ERR_EXIST && create->disposition != GML_CREATE_GUARDED
			       ? GML_ERR_AGAIN
			       : rc;
	}
	if (rc == 0) {
		rc = create_existing(arg, create, &inode, out);
		if (rc == GML_ERR_STALE) /* removed since the look */
			rc = GML_ERR_AGAIN;
	}
	return rc;
}

int gml_file_create(struct gml_op *op, struct gml_store *store, gml_ino parent,
		    struct gml_span name, const struct gml_create *create, struct gml_file **out)
{
	struct create_arg arg = {
		.store = store, .op = op, .parent = parent, .name = name, .set = create->set};
	bool exclusive = create->disposition == GML_CREATE_EXCLUSIVE;
	struct gml_attr *attr_out = create->attr_out;
	bool created;
	int rc = GML_ERR_AGAIN;
	*out = NULL;
	if ((create->access & ~(unsigned)(GML_OPEN_READ | GML_OPEN_WRITE)) ||
	    (exclusive && create->verifier == NULL))
		return GML_ERR_INVAL;
	arg.verifier = exclusive ? create->verifier : NULL;
	for (int i = 0; i < FILE_TRIES && rc == GML_ERR_AGAIN; i++)
		rc = create_try(&arg, create, out, &created);
	if (rc == 0 && attr_out != NULL && created) {
		gml_inode_attr_new(&arg.inode, attr_out);
	} else if (rc == 0 && attr_out != NULL) {
		rc = gml_inode_getattr(op, store, (*out)->open_inode->ino, attr_out);
		if (rc != 0) {
			(void)gml_file_close(op, *out);
			*out = NULL;
		}
	}
	if (rc == 0 && create->created_out != NULL)
		*create->created_out = created;
	return rc;
}

/* ---- read ------------------------------------------------------------------------------------ */

/* A part of the range and where its bytes are. */
struct read_segment {
	uint64_t len;
	uint64_t blob; /* 0: zeros */
	uint64_t blob_off;
	/* a blob being written: bytes past its end, and all while there is none, are zeros */
	bool growing;
};

struct read_plan {
	struct read_segment segments[FILE_SEGMENTS];
	unsigned count;
	uint64_t len; /* of all segments */
};

static void read_add(struct read_plan *plan, struct read_segment segment)
{
	gml_assert(plan->count < FILE_SEGMENTS && segment.len > 0);
	plan->segments[plan->count++] = segment;
	plan->len += segment.len;
}

/* The places of [off, off+len), as far as the plan has them. */
static int read_map(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off, uint64_t len,
		    struct read_plan *plan)
{
	plan->count = 0;
	plan->len = 0;
	while (plan->len < len && plan->count + 2 <= FILE_SEGMENTS) {
		uint64_t at = off + plan->len, left = len - plan->len, skip, gap;
		struct gml_extent extent;
		int rc = gml_extent_find(txn, inode, at, &extent);
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
		gap = rc == GML_ERR_NOENT || extent.off - at >= left ? left : extent.off - at;
		if (rc == 0 && extent.off <= at)
			gap = 0;
		if (gap > 0)
			read_add(plan, (struct read_segment){gap, inode->wblob, at,
							     inode->flags & GML_INODE_DIRTY});
		left -= gap;
		if (left == 0)
			break;
		skip = at + gap - extent.off;
		if (extent.len - skip < left)
			left = extent.len - skip;
		read_add(plan,
			 (struct read_segment){left, extent.blob, extent.blob_off + skip, false});
	}
	return 0;
}

static int read_segment(struct gml_store *store, const struct read_segment *segment, void *buf)
{
	struct gml_blob *blob;
	size_t got = 0;
	int rc;
	if (segment->blob == 0) {
		memset(buf, 0, segment->len);
		return 0;
	}
	rc = gml_blob_open(store->data, segment->blob, 0, &blob);
	if (rc == 0) {
		rc = gml_blob_read(blob, segment->blob, segment->blob_off, buf, segment->len, &got);
		gml_blob_unref(blob);
	} else if (rc == GML_ERR_NOENT && segment->growing) {
		rc = 0; /* nothing was written yet */
	}
	if (rc == 0 && got < segment->len && !segment->growing)
		return GML_ERR_CORRUPT;
	if (rc == 0)
		memset((char *)buf + got, 0, segment->len - got);
	return rc;
}

/* Rights, the present size, and the map of the range. */
static int read_plan(struct gml_op *op, struct gml_store *store, gml_ino ino, uint64_t off,
		     uint64_t len, uint64_t *size_out, struct read_plan *plan)
{
	struct gml_inode inode;
	struct gml_attr attr;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	plan->count = 0;
	plan->len = 0;
	if (rc != 0)
		return rc;
	rc = gml_handle_get(txn, op, store, ino, GML_ACTION_READ, &inode);
	if (rc == 0 && inode.type != GML_REG)
		rc = inode.type == GML_DIR ? GML_ERR_ISDIR : GML_ERR_INVAL;
	attr.size = inode.size;
	if (rc == 0 && (inode.flags & GML_INODE_DIRTY))
		rc = gml_inode_attr_spaceless(store, &inode, &attr);
	if (rc == 0 && off < attr.size)
		rc = read_map(txn, &inode, off, len < attr.size - off ? len : attr.size - off,
			      plan);
	gml_meta_read_end(txn);
	*size_out = attr.size;
	return rc;
}

int gml_file_read(struct gml_op *op, struct gml_file *file, uint64_t off, struct gml_buf buf,
		  size_t *nread_out, bool *eof_out)
{
	struct read_plan plan;
	uint64_t size = 0;
	size_t done = 0;
	int rc = 0, tries = 0;
	*nread_out = 0;
	*eof_out = false;
	do {
		rc = read_plan(op, file->store, file->open_inode->ino, off + done, buf.len - done,
			       &size, &plan);
		for (unsigned i = 0; rc == 0 && i < plan.count; i++) {
			rc = read_segment(file->store, &plan.segments[i], (char *)buf.ptr + done);
			if (rc == 0)
				done += plan.segments[i].len;
		}
		/* Compaction has moved the blob since the map was read: read it again. */
		if ((rc == GML_ERR_NOENT || rc == GML_ERR_CORRUPT) && tries++ < FILE_TRIES) {
			rc = 0;
			continue;
		}
	} while (rc == 0 && plan.len > 0 && done < buf.len && off + done < size);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	gml_assert(done <= buf.len); /* but the file may be shorter than off + done by now */
	*nread_out = done;
	*eof_out = off + done >= size;
	return 0;
}
