// SPDX-License-Identifier: Apache-2.0
/* ListObjects: a walk of the dirents depth first, which is the order of keys (docs/architecture.md,
 * "Names").
 *
 * Invariants
 *  1. frames[0] is the bucket's root; the path of frame i, key[0 .. path_len), is a prefix of that
 *     of frame i + 1.
 *  2. Every unvisited entry sorts after everything that was returned. A common prefix is returned
 *     at its first entry, and the walk continues after it: entries under it are not read.
 *  3. Hidden entries cost steps. A page that is not empty ends when the steps are used up; an empty
 *     page continues, because it has no continuation point. So hidden entries are walked at most
 *     twice, and a page costs at most LIST_STEPS more than the entries before its first one. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memrchr */
#endif
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "list_start.h"

#define LIST_STEPS 20000

struct list_frame {
	struct gml_dirent_cursor *cursor;
	size_t path_len;
	bool knows_missing; /* the caller may know what is not in it */
	bool loaded;	    /* name and dirent are an entry not yet visited */
	struct gml_span name;
	struct gml_dirent dirent;
};

struct list {
	struct gml_op *op;
	struct gml_store *store;
	struct gml_txn *txn;
	const struct gml_list_query *query;
	bool (*each)(void *arg, const struct gml_list_entry *entry);
	void *arg;
	size_t prefix_dir; /* length of the prefix's directory part */
	struct gml_bucket_rec bucket;
	bool barred; /* a directory on the way to the prefix has no `x` for the caller */
	uint32_t count, steps;
	bool stop, truncated;
	struct list_frame *frames;
	size_t depth, cap;
	char key[GML_KEY_MAX];
};

static struct list_frame *list_top(struct list *list)
{
	gml_assert(list->depth > 0);
	return &list->frames[list->depth - 1];
}

static void list_pop(struct list *list)
{
	gml_dirent_cursor_close(list_top(list)->cursor);
	list->depth--;
}

/* ---- what is handed out ---------------------------------------------------------------------- */

static bool list_full(struct list *list)
{
	if (list->count < list->query->max)
		return false;
	list->truncated = list->stop = true;
	return true;
}

static void list_hand_out(struct list *list, const struct gml_list_entry *entry)
{
	gml_assert(!list->stop && list->count < list->query->max);
	gml_assert(gml_span_starts(entry->key, list->query->prefix));
	list->count++;
	if (!list->each(list->arg, entry))
		list->truncated = list->stop = true;
}

static int list_emit_inode(struct list *list, size_t len, const struct gml_inode *inode)
{
	struct gml_list_entry entry = {.key = gml_span_of(list->key, len), .uid = inode->uid};
	struct gml_object_info info;
	int rc;
	if (list_full(list))
		return 0;
	rc = gml_path_facts(list->store, inode, inode->type == GML_DIR, &info);
	if (rc != 0)
		return rc;
	entry.size = info.size;
	entry.mtime = info.mtime;
	entry.checksum = info.checksum;
	memcpy(entry.etag, info.etag, sizeof(entry.etag));
	rc = gml_rec_header_one(inode->headers, GML_HDR_STORAGE_CLASS, &entry.storage_class);
	if (rc == 0)
		list_hand_out(list, &entry);
	return rc;
}

static void list_emit_common(struct list *list, size_t len)
{
	struct gml_list_entry entry = {.key = gml_span_of(list->key, len), .common_prefix = true};
	if (!list_full(list))
		list_hand_out(list, &entry);
}

/* ---- down and along -------------------------------------------------------------------------- */

static int list_frame_add(struct list *list, gml_ino ino, size_t path_len, bool knows_missing)
{
	struct list_frame *frame;
	int rc;
	gml_assert(list->depth == 0 ? path_len == 0 : path_len > list_top(list)->path_len);
	gml_assert(path_len <= GML_KEY_MAX); /* invariant 1 */
	if (list->depth == list->cap) {
		size_t cap = list->cap != 0 ? list->cap * 2 : 16;
		struct list_frame *frames = reallocarray(list->frames, cap, sizeof(*frames));
		if (frames == NULL)
			return GML_ERR_NOMEM;
		list->frames = frames;
		list->cap = cap;
	}
	frame = &list->frames[list->depth];
	memset(frame, 0, sizeof(*frame));
	rc = gml_dirent_cursor_open(list->txn, ino, &frame->cursor);
	if (rc != 0)
		return rc;
	frame->path_len = path_len;
	frame->knows_missing = knows_missing;
	list->depth++;
	return 0;
}

static int list_may(const struct list *list, enum gml_action action, const struct gml_inode *dir)
{
	const struct gml_target target = {.bucket_name = list->query->bucket,
					  .key = list->query->prefix,
					  .bucket = &list->bucket,
					  .inode = dir,
					  .barred = list->barred};
	return gml_may(list->txn, list->op, action, &target);
}

static int list_may_list(const struct list *list, const struct gml_inode *dir)
{
	return list_may(list,
			list->query->versions ? GML_ACTION_LIST_VERSIONS : GML_ACTION_LIST_OBJECTS,
			dir);
}

/* May the caller know that a name in the directory is missing? */
static bool list_knows_missing(const struct list *list, const struct gml_inode *dir)
{
	return list_may(list, GML_ACTION_KNOW_MISSING, dir) == 0 ||
	       (list->query->versions && list_may_list(list, dir) == 0);
}

/* Into the directory whose path is key[0 .. path_len). On the way to the prefix a directory that
 * may not be searched is recorded; the decision is made at the prefix's own directory (ACCESS);
 * below it, directories that may not be listed are left out. `self`: the directory's own key is
 * requested. */
static int list_push(struct list *list, gml_ino ino, size_t path_len, bool self)
{
	struct gml_inode inode;
	int rc = gml_rec_inode_get(list->txn, ino, &inode);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (path_len < list->prefix_dir)
		list->barred |= gml_search_barred(&list->op->principal, &inode);
	else
		rc = list_may_list(list, &inode);
	if (rc != 0)
		return path_len > list->prefix_dir && rc == GML_ERR_ACCESS ? 0 : rc;
	if (self && inode.flags & GML_INODE_EXPLICIT) {
		rc = gml_dir_empty(list->txn, ino, NULL);
		if (rc != GML_ERR_NOTEMPTY)
			return rc == 0 ? list_emit_inode(list, path_len, &inode) : rc;
	}
	return list_frame_add(list, ino, path_len, list_knows_missing(list, &inode));
}

/* Place the walk at a bound; keeps the frames that lead there. */
static int list_seek(struct list *list, const struct gml_list_start *bound)
{
	while (list->depth > 1 && (list_top(list)->path_len > bound->len ||
				   memcmp(list->key, bound->name, list_top(list)->path_len) != 0))
		list_pop(list);
	for (;;) {
		struct list_frame *frame = list_top(list);
		const char *rest = bound->name + frame->path_len;
		size_t rest_len = bound->len - frame->path_len, depth = list->depth, end;
		const char *slash = memchr(rest, '/', rest_len);
		size_t len = slash != NULL ? (size_t)(slash + 1 - rest) : rest_len;
		int rc = gml_dirent_cursor_seek(frame->cursor, gml_span_of(rest, len),
						slash != NULL || bound->inclusive, &frame->name,
						&frame->dirent);
		gml_assert(frame->path_len <= bound->len);
		frame->loaded = rc == 0;
		if (rc != 0 && rc != GML_ERR_NOENT)
			return rc;
		end = frame->path_len + len;
		if (slash == NULL || rc != 0 ||
		    !gml_span_equal(frame->name, gml_span_of(rest, len))) {
			/* No directory on the way to the prefix: only a caller that may read this
			 * one may know. */
			return slash != NULL && end <= list->prefix_dir && !frame->knows_missing
				       ? GML_ERR_ACCESS
				       : 0;
		}
		frame->loaded = false;
		if (end > GML_KEY_MAX)
			return 0;
		memcpy(list->key + frame->path_len, rest, len);
		rc = list_push(list, frame->dirent.ino, end, end == bound->len && bound->inclusive);
		if (rc != 0 || list->depth == depth)
			return rc;
	}
}

static int list_enter(struct list *list, gml_ino ino, size_t path_len)
{
	size_t depth = list->depth;
	int rc = list_push(list, ino, path_len, true);
	struct list_frame *frame;
	if (rc != 0 || list->depth == depth)
		return rc;
	frame = list_top(list);
	rc = gml_dirent_cursor_seek(frame->cursor, gml_span_of("", 0), true, &frame->name,
				    &frame->dirent);
	frame->loaded = rc == 0;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* May the caller see that the directory has keys? */
static int list_visible(struct list *list, gml_ino ino, bool *visible_out)
{
	struct gml_inode inode;
	int rc;
	*visible_out = true;
	if (gml_search_unlimited(&list->op->principal))
		return 0;
	rc = gml_rec_inode_get(list->txn, ino, &inode);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	*visible_out = list_may_list(list, &inode) == 0;
	return 0;
}

static int list_common(struct list *list, const struct gml_dirent *dirent, size_t key_len,
		       size_t common)
{
	struct gml_list_start next;
	bool visible = true;
	int rc = dirent->type == GML_DIR ? list_visible(list, dirent->ino, &visible) : 0;
	gml_assert(common > list->query->prefix.len && common <= key_len);
	if (rc != 0 || !visible)
		return rc;
	list_emit_common(list, common);
	/* the walk's own next entry comes after it */
	if (list->stop || (dirent->type == GML_DIR && common == key_len))
		return 0;
	if (!gml_list_start_after(gml_span_of(list->key, common), &next) ||
	    !gml_span_starts(gml_span_of(next.name, next.len), list->query->prefix)) {
		list->stop = true; /* nothing after it begins with the prefix */
		return 0;
	}
	return list_seek(list, &next);
}

static int list_visit(struct list *list, const struct list_frame *frame)
{
	struct gml_dirent dirent = frame->dirent;
	size_t len = frame->path_len + frame->name.len, common;
	struct gml_inode inode;
	int rc;
	if (list->count > 0 && ++list->steps > LIST_STEPS) { /* invariant 3 */
		list->truncated = list->stop = true;
		return 0;
	}
	if (len > GML_KEY_MAX || len == 0) /* made over NFS: no key reaches it */
		return 0;
	if (frame->name.len > 0)
		memcpy(list->key + frame->path_len, frame->name.ptr, frame->name.len);
	if (!gml_span_starts(gml_span_of(list->key, len), list->query->prefix)) {
		list->stop = true; /* past the last key with the prefix */
		return 0;
	}
	if (dirent.type != GML_REG && dirent.type != GML_DIR)
		return 0;
	/* removed, as far as its users know */
	if (dirent.type == GML_REG && gml_name_silly(frame->name, dirent.ino))
		return 0;
	common = gml_list_start_common(list->query, gml_span_of(list->key, len));
	if (common > 0)
		return list_common(list, &dirent, len, common);
	if (dirent.type == GML_DIR)
		return list_enter(list, dirent.ino, len);
	rc = gml_rec_inode_named(list->txn, &dirent, &inode);
	return rc == 0 ? list_emit_inode(list, len, &inode) : rc;
}

static int list_walk(struct list *list)
{
	int rc = 0;
	while (rc == 0 && !list->stop && list->depth > 0) {
		struct list_frame *frame = list_top(list);
		if (!frame->loaded) {
			rc = gml_dirent_cursor_next(frame->cursor, &frame->name, &frame->dirent);
			if (rc == GML_ERR_NOENT) {
				list_pop(list);
				rc = 0;
				continue;
			}
			if (rc != 0)
				break;
		}
		frame->loaded = false;
		rc = list_visit(list, frame);
	}
	return rc;
}

static int list_start(struct list *list)
{
	struct gml_span bucket = list->query->bucket;
	struct gml_list_start bound;
	const char *slash;
	int rc;
	if (bucket.len == 0 || bucket.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_rec_bucket_get(list->txn, bucket, &list->bucket);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	slash = list->query->prefix.len > 0
			? memrchr(list->query->prefix.ptr, '/', list->query->prefix.len)
			: NULL;
	if (slash != NULL)
		list->prefix_dir = (size_t)(slash + 1 - (const char *)list->query->prefix.ptr);
	rc = list_push(list, list->bucket.root, 0, false);
	if (rc != 0)
		return rc;
	if (!gml_list_start_init(list->query, &bound) || list->query->max == 0) {
		list->stop = true;
		return list_may(list, GML_ACTION_FIND_OBJECT, NULL);
	}
	return list_seek(list, &bound);
}

int gml_object_list(struct gml_op *op, struct gml_store *store, const struct gml_list_query *query,
		    bool (*each)(void *arg, const struct gml_list_entry *entry), void *arg,
		    bool *truncated_out)
{
	struct list list = {.op = op, .store = store, .query = query, .each = each, .arg = arg};
	int rc = gml_meta_read_begin(store->meta, &list.txn);
	if (rc != 0)
		return rc;
	rc = list_start(&list);
	if (rc == 0)
		rc = list_walk(&list);
	while (list.depth > 0)
		list_pop(&list);
	free(list.frames);
	gml_meta_read_end(list.txn);
	*truncated_out = rc == 0 && list.truncated;
	return rc;
}
