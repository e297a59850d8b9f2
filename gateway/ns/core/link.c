// SPDX-License-Identifier: Apache-2.0
/* Names and inodes: what adding and removing a dirent changes, for every operation of both
 * protocols.
 *
 * Spans of an inode that was read in this transaction become invalid at the next write
 * (meta/engine.h, invariant 3). So this file puts inodes through gml_inode_save, which reads the
 * variable parts anew from the stored record.
 *
 * Every change of a file or directory saves an inode of its bucket, so the durability of the bucket
 * is applied here. The namespace root is in no bucket: making and removing a bucket is durable. */
#include <string.h>
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/span.h"
#include "gateway/data/blob.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "backref.h"
#include "inode_acl.h"
#include "link.h"
#include "name.h"

int gml_inode_init(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		   enum gml_type type, const struct gml_new_mode *mode, struct gml_inode *out)
{
	int64_t now = gml_now();
	gml_assert(dir->type == GML_DIR && type >= GML_REG && type <= GML_SOCK);
	*out = (struct gml_inode){
		.ino = gml_ino_of(dir->ino.view, gml_txn_next_id(txn)),
		.bucket = dir->bucket,
		.type = (uint8_t)type,
		.mode = mode->mode & ~mode->umask & 07777,
		.uid = op->principal.cred.uid,
		.gid = op->principal.cred.gid,
		.nlink = type == GML_DIR ? 1 : 0, /* "."; its name adds one */
		.change = gml_change_next(0),
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
		.born = gml_line_none.epoch,
	};
	if (dir->mode & S_ISGID) {
		out->gid = dir->gid;
		if (type == GML_DIR)
			out->mode |= S_ISGID;
	}
	if (type != GML_DIR && (out->mode & S_ISGID) && !gml_keeps_setgid(&op->principal, out->gid))
		out->mode &= ~(uint32_t)S_ISGID;
	if (gml_ino_is_none(out->ino))
		return GML_ERR_CORRUPT;
	return dir->acl.len != 0 ? gml_inode_acl_inherit(txn, dir, mode, out) : 0;
}

/* Takes every non-empty variable part except the name from the stored record. */
static int link_refresh(struct gml_txn *txn, struct gml_inode *inode, struct gml_span *name_out)
{
	struct gml_inode stored;
	int rc = gml_rec_inode_get(txn, inode->ino, &stored);
	*name_out = inode->name;
	if (rc == GML_ERR_NOENT) /* new: its spans are the caller's own */
		return 0;
	if (rc != 0)
		return rc;
	*name_out = stored.name;
	if (inode->target.len > 0)
		inode->target = stored.target;
	if (inode->headers.len > 0)
		inode->headers = stored.headers;
	if (inode->parts.len > 0)
		inode->parts = stored.parts;
	if (inode->acl.len > 0 && !inode->acl_is_ours)
		inode->acl = stored.acl;
	return 0;
}

/* Invariants of each inode at the moment it is saved. */
static void link_assert_inode(const struct gml_inode *inode)
{
	const bool dirty = inode->flags & GML_INODE_DIRTY;
	const bool root = gml_ino_equal(inode->ino, GML_INO_ROOT);
	/* what it is */
	gml_assert(inode->type >= GML_REG && inode->type <= GML_SOCK);
	gml_assert((inode->flags & ~(uint32_t)GML_INODE_FLAGS) == 0);
	gml_assert((inode->mode & ~(uint32_t)07777) == 0 && inode->change > 0);
	/* where it is */
	gml_assert(root == gml_ino_is_none(inode->bucket));
	gml_assert(root || inode->bucket.view == inode->ino.view);
	/* its content */
	gml_assert(!dirty || (inode->type == GML_REG && inode->wblob != 0));
	gml_assert(!dirty || !(inode->flags & GML_INODE_MD5)); /* its bytes change */
	gml_assert(inode->type == GML_REG || (inode->wblob == 0 && inode->nextents == 0));
	gml_assert(inode->wblob == 0 || gml_blob_is_write(inode->wblob));
	gml_assert(inode->nextents <= GML_INLINE_EXTENTS);
	gml_assert(inode->nextents == 0 || !(inode->flags & GML_INODE_EXTENTS));
	gml_assert(inode->nparts == 0 || (inode->flags & GML_INODE_MD5));
	/* who may use it */
	gml_assert(gml_inode_acl_fits(inode));
	(void)dirty, (void)root;
}

/* Do link count, flag and parent agree (core/backref.h, invariants 1 and 2)? They come from the
 * disk, where they can be damaged: a change that would carry that on fails. */
static bool link_count_agrees(const struct gml_inode *inode)
{
	bool several = inode->type != GML_DIR && inode->nlink > 1;
	if ((inode->nlink == 0) != ((inode->flags & GML_INODE_ORPHAN) != 0))
		return false;
	return gml_ino_equal(inode->ino, GML_INO_ROOT) ||
	       gml_ino_is_none(inode->parent) == (inode->nlink == 0 || several);
}

/* The stored form: a directory's name, and no other, ends with a slash; it has no other one. */
static bool link_name_is_of(struct gml_span name, uint8_t type)
{
	size_t at = gml_span_find(name, '/');
	return type == GML_DIR ? at + 1 == name.len : at == name.len;
}

static bool link_name_is_free(struct gml_txn *txn, const struct gml_inode *dir,
			      struct gml_span name)
{
	struct gml_dirent dirent;
	return gml_rec_dirent_get(txn, dir->ino, name, &dirent) != 0;
}

static int link_save(struct gml_txn *txn, struct gml_inode *inode, const struct gml_span *name)
{
	struct gml_line line;
	struct gml_span stored;
	int rc = gml_rec_line_of(txn, inode->bucket, &line);
	if (rc == 0)
		rc = link_refresh(txn, inode, &stored);
	if (rc != 0)
		return rc;
	inode->name = name != NULL ? *name : stored;
	if (!link_count_agrees(inode))
		return GML_ERR_CORRUPT;
	link_assert_inode(inode);
	rc = gml_rec_inode_put(txn, &line, inode);
	if (rc == 0)
		gml_txn_durability(txn, line.flags & GML_LINE_RELAXED);
	return rc;
}

int gml_inode_save(struct gml_txn *txn, struct gml_inode *inode)
{
	return link_save(txn, inode, NULL);
}

int gml_inode_save_named(struct gml_txn *txn, struct gml_inode *inode, gml_ino parent,
			 struct gml_span name)
{
	inode->parent = parent;
	return link_save(txn, inode, &name);
}

void gml_dir_touch(struct gml_inode *dir)
{
	dir->mtime = dir->ctime = gml_now();
	dir->change = gml_change_next(dir->change);
}

/* After a change of its entries; `subdirs`: the number of directories added to them. */
static int link_dir_changed(struct gml_txn *txn, struct gml_inode *dir, int subdirs)
{
	gml_assert(dir->type == GML_DIR);
	if (dir->nlink == 0)
		return GML_ERR_CORRUPT;
	if (subdirs < 0 && dir->nlink > 2)
		dir->nlink--;
	else if (subdirs > 0)
		dir->nlink++;
	gml_dir_touch(dir);
	return gml_inode_save(txn, dir);
}

int gml_link_add(struct gml_txn *txn, struct gml_inode *dir, struct gml_span name,
		 struct gml_inode *inode)
{
	struct gml_dirent dirent = {
		.ino = inode->ino, .cookie = gml_txn_next_id(txn), .type = inode->type};
	bool first = inode->nlink == (inode->type == GML_DIR ? 1u : 0u);
	struct gml_line line;
	int rc = gml_rec_line_of(txn, dir->bucket, &line);
	gml_assert(link_name_is_of(name, inode->type) && link_name_is_free(txn, dir, name));
	gml_assert(gml_ino_equal(dir->ino, GML_INO_ROOT) ||
		   gml_ino_equal(dir->bucket, inode->bucket));
	if (dirent.cookie == 0)
		return GML_ERR_CORRUPT;
	if (rc == 0 && !first)
		rc = gml_backref_add(txn, &line, inode, dir->ino, dirent.cookie);
	inode->nlink++;
	if (!first) {
		inode->ctime = gml_now();
		inode->change = gml_change_next(inode->change);
	}
	if (rc == 0)
		rc = gml_rec_dirent_put(txn, &line, dir->ino, name, &dirent);
	if (rc == 0)
		rc = first ? gml_inode_save_named(txn, inode, dir->ino, name)
			   : gml_inode_save_named(txn, inode, GML_INO_NONE, gml_span_of(NULL, 0));
	if (rc != 0)
		return rc;
	rc = link_dir_changed(txn, dir, inode->type == GML_DIR ? 1 : 0);
	if (rc == 0 && first && inode->type == GML_REG)
		rc = gml_usage_add(txn, dir->bucket, (int64_t)inode->size, 1);
	return rc;
}

int gml_link_remove(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode)
{
	struct gml_usage usage = {0};
	bool subdir = inode->type == GML_DIR;
	struct gml_dirent gone;
	struct gml_line line;
	int rc = gml_rec_line_of(txn, link->dir->bucket, &line);
	if (rc == 0)
		rc = gml_rec_dirent_del(txn, &line, link->dir->ino, link->name, &gone);
	if (rc == 0)
		rc = gml_backref_remove(txn, &line, inode, link->dir->ino, gone.cookie);
	if (rc == 0)
		rc = gml_supersede(txn, link, inode, &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	rc = link_dir_changed(txn, link->dir, subdir ? -1 : 0);
	return rc == 0 ? gml_usage_add(txn, inode->bucket, usage.bytes, usage.objects) : rc;
}

/* The name's row: from `old` to `inode`. */
static int link_swing(struct gml_txn *txn, const struct gml_link *link, const struct gml_inode *old,
		      const struct gml_inode *inode, uint64_t *cookie_out)
{
	struct gml_dirent was, dirent = {.ino = inode->ino, .type = inode->type};
	struct gml_line line;
	int rc = gml_rec_line_of(txn, link->dir->bucket, &line);
	if (rc == 0)
		rc = gml_rec_dirent_replace(txn, &line, link->dir->ino, link->name, &dirent, &was);
	if (rc == GML_ERR_NOENT || (rc == 0 && !gml_ino_equal(was.ino, old->ino)))
		return GML_ERR_CORRUPT;
	*cookie_out = dirent.cookie;
	return rc == 0 ? gml_backref_remove(txn, &line, old, link->dir->ino, was.cookie) : rc;
}

int gml_link_replace(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *old,
		     struct gml_inode *inode)
{
	struct gml_usage usage = {0};
	uint64_t cookie;
	int rc = link_swing(txn, link, old, inode, &cookie);
	gml_assert(inode->nlink == 0 && inode->type != GML_DIR);
	inode->nlink = 1;
	if (rc == 0)
		rc = gml_inode_save_named(txn, inode, link->dir->ino, link->name);
	if (rc == 0)
		rc = gml_supersede(txn, link, old, &usage);
	if (rc == 0)
		rc = link_dir_changed(txn, link->dir, 0);
	if (rc != 0)
		return rc;
	if (inode->type == GML_REG) {
		usage.bytes += (int64_t)inode->size;
		usage.objects++;
	}
	return gml_usage_add(txn, link->dir->bucket, usage.bytes, usage.objects);
}

/* The row of the new name: a new one, or `old`'s. */
static int link_move_name(struct gml_txn *txn, const struct gml_link *to,
			  const struct gml_inode *inode, const struct gml_inode *old,
			  uint64_t *cookie_out)
{
	struct gml_dirent dirent = {.ino = inode->ino, .type = inode->type};
	struct gml_line line;
	int rc;
	gml_assert(link_name_is_of(to->name, inode->type));
	if (old != NULL)
		return link_swing(txn, to, old, inode, cookie_out);
	gml_assert(link_name_is_free(txn, to->dir, to->name));
	dirent.cookie = *cookie_out = gml_txn_next_id(txn);
	if (dirent.cookie == 0)
		return GML_ERR_CORRUPT;
	rc = gml_rec_line_of(txn, to->dir->bucket, &line);
	return rc == 0 ? gml_rec_dirent_put(txn, &line, to->dir->ino, to->name, &dirent) : rc;
}

/* The names of `inode`, which has several or is a directory, stay as many. */
static int link_move_backref(struct gml_txn *txn, const struct gml_link *from,
			     const struct gml_dirent *gone, const struct gml_link *to,
			     const struct gml_inode *inode, uint64_t cookie)
{
	struct gml_line line;
	int rc;
	if (inode->type == GML_DIR || inode->nlink == 1)
		return 0;
	rc = gml_rec_line_of(txn, to->dir->bucket, &line);
	if (rc == 0)
		rc = gml_backref_remove(txn, &line, inode, from->dir->ino, gone->cookie);
	return rc == 0 ? gml_rec_link_put(txn, &line, inode->ino, to->dir->ino, cookie) : rc;
}

int gml_link_move(struct gml_txn *txn, const struct gml_link *from, const struct gml_link *to,
		  struct gml_inode *inode, struct gml_inode *old)
{
	bool subdir = inode->type == GML_DIR, apart = from->dir != to->dir;
	struct gml_usage usage = {0};
	int subdirs = (subdir && apart) - (old != NULL && old->type == GML_DIR);
	struct gml_dirent gone;
	struct gml_line line;
	uint64_t cookie;
	int rc = gml_rec_line_of(txn, from->dir->bucket, &line);
	gml_assert(gml_ino_equal(from->dir->bucket, to->dir->bucket)); /* rows of one line */
	gml_assert(old == NULL || (old->type == GML_DIR) == subdir);
	gml_assert(apart == !gml_ino_equal(from->dir->ino, to->dir->ino)); /* one struct for one */
	if (rc == 0)
		rc = gml_rec_dirent_del(txn, &line, from->dir->ino, from->name, &gone);
	if (rc == 0)
		rc = link_move_name(txn, to, inode, old, &cookie);
	if (rc == 0)
		rc = link_move_backref(txn, from, &gone, to, inode, cookie);
	if (rc == 0 && old != NULL)
		rc = gml_supersede(txn, to, old, &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	/* With several names the parent is ambiguous. */
	if (subdir || inode->nlink == 1)
		rc = gml_inode_save_named(txn, inode, to->dir->ino, to->name);
	else
		rc = gml_inode_save_named(txn, inode, GML_INO_NONE, gml_span_of(NULL, 0));
	if (rc == 0)
		rc = link_dir_changed(txn, to->dir, subdirs);
	if (rc == 0 && apart)
		rc = link_dir_changed(txn, from->dir, subdir ? -1 : 0);
	return rc == 0 ? gml_usage_add(txn, to->dir->bucket, usage.bytes, usage.objects) : rc;
}

/* The first entry that shows; NOENT. The marker, whose name is empty, comes before all others. */
static int link_first_shown(struct gml_txn *txn, gml_ino dir, gml_ino *marker_out)
{
	struct gml_dirent_cursor *cursor;
	char shown[GML_NFS_NAME_MAX + 1];
	struct gml_dirent dirent;
	struct gml_span name;
	size_t len;
	int rc = gml_dirent_cursor_open(txn, dir, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_seek(cursor, GML_LIT(""), true, &name, &dirent);
	if (rc == 0 && name.len == 0 && !gml_name_show(txn, dir, name, &dirent, shown, &len)) {
		*marker_out = dirent.ino;
		rc = gml_dirent_cursor_next(cursor, &name, &dirent);
	}
	gml_dirent_cursor_close(cursor);
	return rc;
}

int gml_dir_empty(struct gml_txn *txn, gml_ino dir, gml_ino *marker_out)
{
	int rc;
	if (marker_out != NULL)
		*marker_out = GML_INO_NONE;
	rc = marker_out != NULL ? link_first_shown(txn, dir, marker_out)
				: gml_rec_dirent_any(txn, dir);
	if (rc == 0)
		return GML_ERR_NOTEMPTY;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_dir_prune(struct gml_txn *txn, const struct gml_op *op, struct gml_inode *dir)
{
	char name[GML_KEY_MAX + 2];
	struct gml_inode cur = *dir, parent;
	int rc;
	while (cur.type == GML_DIR && !(cur.flags & (GML_INODE_EXPLICIT | GML_INODE_ORPHAN)) &&
	       !gml_ino_equal(cur.ino, cur.bucket) && !gml_ino_equal(cur.ino, GML_INO_ROOT)) {
		rc = gml_dir_empty(txn, cur.ino, NULL);
		if (rc != 0)
			return rc == GML_ERR_NOTEMPTY ? 0 : rc;
		rc = gml_rec_inode_get(txn, cur.ino, &cur);
		if (rc == 0 && (cur.name.len == 0 || cur.name.len > sizeof(name)))
			rc = GML_ERR_CORRUPT;
		if (rc == 0)
			rc = gml_rec_inode_get(txn, cur.parent, &parent);
		if (rc != 0)
			return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
		memcpy(name, cur.name.ptr, cur.name.len);
		rc = gml_link_remove(txn,
				     &(struct gml_link){.op = op,
							.dir = &parent,
							.name = {name, cur.name.len},
							.why = GML_SUPERSEDE_PRUNED},
				     &cur);
		if (rc != 0)
			return rc;
		if (gml_ino_equal(cur.ino, dir->ino))
			*dir = cur;
		cur = parent;
	}
	return 0;
}

/* ---- usage ----------------------------------------------------------------------------------- */

/* Without a quota, the limit is what can be counted: a sum that was cut off could not be reduced
 * again. */
static bool usage_exceeds(uint64_t used, int64_t more, uint64_t quota)
{
	if (quota == 0)
		quota = INT64_MAX;
	return more > 0 && (used > quota || (uint64_t)more > quota - used);
}

int gml_usage_check(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects)
{
	struct gml_usage_rec usage;
	struct gml_line line;
	int rc;
	if ((bytes <= 0 && objects <= 0) || gml_ino_is_none(bucket) ||
	    gml_ino_equal(bucket, GML_INO_ROOT))
		return 0;
	rc = gml_rec_line_get(txn, gml_line_id(bucket), &line);
	if (rc == 0)
		rc = gml_rec_usage_get(txn, gml_line_id(bucket), &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (usage_exceeds(usage.bytes, bytes, line.quota_bytes) ||
	    usage_exceeds(usage.objects, objects, line.quota_objects))
		return GML_ERR_DQUOT;
	return 0;
}

static uint64_t usage_sum(uint64_t used, int64_t delta)
{
	uint64_t less = delta < 0 ? (uint64_t)0 - (uint64_t)delta : 0, sum;
	gml_assert(delta >= 0 || used >= less); /* what is taken was added before */
	if (delta < 0)
		return used > less ? used - less : 0;
	return __builtin_add_overflow(used, (uint64_t)delta, &sum) ? UINT64_MAX : sum;
}

int gml_usage_add(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects)
{
	struct gml_usage_rec usage;
	int rc;
	if ((bytes == 0 && objects == 0) || gml_ino_is_none(bucket) ||
	    gml_ino_equal(bucket, GML_INO_ROOT))
		return 0;
	rc = gml_rec_usage_get(txn, gml_line_id(bucket), &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	usage.bytes = usage_sum(usage.bytes, bytes);
	usage.objects = usage_sum(usage.objects, objects);
	return gml_rec_usage_put(txn, gml_line_id(bucket), &usage);
}
