// SPDX-License-Identifier: Apache-2.0
/* The store check: inodes, names, buckets and uploads. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/iam/acl.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/object/bucket_txn.h"
#include "gateway/ns/object/upload.h"
#include "check.h"

/* longer names have a continuation record per this many bytes (docs/on-disk-format.md) */
#define CHECK_DIRENT_PLAIN 492

/* ---- buckets --------------------------------------------------------------------------------- */

static bool check_add_bucket(void *arg, struct gml_span name, const struct gml_bucket_rec *rec)
{
	struct check *c = arg;
	struct check_bucket *bucket = gml_check_push(c, &c->buckets);
	if (bucket == NULL || name.len > GML_BUCKET_NAME_MAX)
		return false;
	memcpy(bucket->name, name.ptr, name.len);
	bucket->rec = *rec;
	c->report->buckets++;
	return true;
}

static int check_bucket_order(const void *a, const void *b)
{
	const struct check_bucket *x = a, *y = b;
	return gml_check_order(x->rec.root, y->rec.root);
}

static void check_bucket_record(struct check *c, const struct check_bucket *bucket)
{
	char found[GML_BUCKET_NAME_MAX + 1], dirname[GML_BUCKET_NAME_MAX + 2];
	size_t len = strlen(bucket->name);
	struct gml_bucket_rec rec;
	struct gml_dirent dirent;
	struct gml_inode root;
	memcpy(dirname, bucket->name, len);
	dirname[len] = '/';
	if (gml_rec_dirent_get(c->txn, GML_INO_ROOT, gml_span_of(dirname, len + 1), &dirent) != 0 ||
	    dirent.ino.num != bucket->rec.root.num)
		gml_check_problem(c, "bucket %s: the namespace root has no such entry",
				  bucket->name);
	if (gml_rec_bucket_by_root(c->txn, bucket->rec.root, found, &rec) != 0 ||
	    strcmp(found, bucket->name) != 0)
		gml_check_problem(c, "bucket %s: not found by its root", bucket->name);
	if (gml_rec_inode_get(c->txn, bucket->rec.root, &root) != 0 || root.type != GML_DIR ||
	    !gml_ino_equal(root.bucket, bucket->rec.root))
		gml_check_problem(c, "bucket %s: its root %s is no bucket's root directory",
				  bucket->name, gml_ino_text(bucket->rec.root));
	else if (root.uid != bucket->rec.uid)
		gml_check_problem(c, "bucket %s: belongs to uid %u, its root to %u", bucket->name,
				  bucket->rec.uid, root.uid);
}

int gml_check_load_buckets(struct check *c)
{
	int rc = gml_rec_bucket_each(c->txn, gml_span_of(NULL, 0), check_add_bucket, c);
	if (c->buckets.count > 1)
		qsort(c->buckets.items, c->buckets.count, c->buckets.size, check_bucket_order);
	for (size_t i = 0; i < c->buckets.count; i++)
		check_bucket_record(c, gml_check_at(&c->buckets, i));
	return rc != 0 ? rc : c->rc;
}

static bool check_line(void *arg, const struct gml_line *line)
{
	struct check *c = arg;
	if (gml_check_line(c, line->id) == NULL)
		gml_check_problem(c, "table line: %" PRIu64 " is no bucket's root", line->id);
	return true;
}

static bool check_usage_line(void *arg, uint64_t line, const struct gml_usage_rec *usage)
{
	struct check *c = arg;
	(void)usage;
	if (gml_check_line(c, line) == NULL)
		gml_check_problem(c, "table usage: %" PRIu64 " is no bucket's root", line);
	return true;
}

int gml_check_lines(struct check *c)
{
	int rc = gml_rec_line_each(c->txn, check_line, c);
	return rc == 0 ? gml_rec_usage_each(c->txn, check_usage_line, c) : rc;
}

void gml_check_usage(struct check *c)
{
	for (size_t i = 0; i < c->buckets.count; i++) {
		const struct check_bucket *b = gml_check_at(&c->buckets, i);
		struct gml_usage_rec usage = {0};
		if (gml_rec_usage_get(c->txn, gml_line_id(b->rec.root), &usage) != 0)
			gml_check_problem(c, "bucket %s: its usage is not recorded", b->name);
		else if (b->bytes != usage.bytes || b->objects != usage.objects)
			gml_check_problem(c,
					  "bucket %s: %" PRIu64 " bytes in %" PRIu64
					  " files recorded, %" PRIu64 " in %" PRIu64 " found",
					  b->name, usage.bytes, usage.objects, b->bytes,
					  b->objects);
	}
}

/* ---- inodes ---------------------------------------------------------------------------------- */

static void check_inline_extents(struct check *c, const struct gml_inode *inode)
{
	uint64_t end = 0;
	for (uint32_t i = 0; i < inode->nextents && i < GML_INLINE_EXTENTS; i++) {
		const struct gml_extent *extent = &inode->extents[i];
		if (extent->off < end)
			gml_check_problem(
				c, "inode %s: extent at %" PRIu64 " overlaps the one before it",
				gml_ino_text(inode->ino), extent->off);
		end = extent->off + extent->len;
		gml_check_extent(c, "inode", inode->ino, extent);
	}
	if (end > inode->size && !(inode->flags & GML_INODE_DIRTY))
		gml_check_problem(c,
				  "inode %s: its extents end at %" PRIu64 ", the file at %" PRIu64,
				  gml_ino_text(inode->ino), end, inode->size);
	if (inode->nextents > 0 && (inode->flags & GML_INODE_EXTENTS))
		gml_check_problem(c, "inode %s: has inline extents and is marked EXTENTS",
				  gml_ino_text(inode->ino));
}

static void check_content(struct check *c, const struct gml_inode *inode)
{
	struct check_bucket *bucket;
	check_inline_extents(c, inode);
	c->extents_flags += (inode->flags & GML_INODE_EXTENTS) != 0;
	if (inode->wblob != 0)
		gml_check_wblob(c, inode);
	if (inode->type == GML_LNK && inode->target.len == 0)
		gml_check_problem(c, "inode %s: symbolic link without target",
				  gml_ino_text(inode->ino));
	if (inode->type != GML_REG || (inode->flags & GML_INODE_ORPHAN))
		return;
	c->report->bytes += inode->size;
	bucket = gml_check_bucket(c, inode->bucket);
	if (bucket != NULL) {
		bucket->bytes += inode->size;
		bucket->objects++;
	}
}

/* Completes the entry of a directory. One of the namespace root that is no bucket's stays as it is:
 * it denotes no inode then, or one in no bucket. */
static void check_entry_view(struct check *c, gml_ino dir, struct gml_span name,
			     struct gml_dirent *entry)
{
	if (gml_ino_equal(dir, GML_INO_ROOT))
		(void)gml_bucket_txn_entry(c->txn, name, entry);
}

/* Where the inode says it is. */
static void check_place(struct check *c, const struct gml_inode *inode)
{
	struct gml_dirent dirent;
	struct gml_inode parent;
	char text[128];
	int rc;
	if (gml_ino_equal(inode->ino, GML_INO_ROOT) || (inode->flags & GML_INODE_ORPHAN))
		return;
	if (gml_check_bucket(c, inode->bucket) == NULL)
		gml_check_problem(c, "inode %s: in bucket %s, which there is not",
				  gml_ino_text(inode->ino), gml_ino_text(inode->bucket));
	if (gml_ino_is_none(inode->parent)) {
		if (inode->type == GML_DIR)
			gml_check_problem(c, "directory %s: does not know its parent",
					  gml_ino_text(inode->ino));
		return;
	}
	rc = gml_rec_dirent_get(c->txn, inode->parent, inode->name, &dirent);
	if (rc == 0)
		check_entry_view(c, inode->parent, inode->name, &dirent);
	if (rc != 0 || !gml_ino_equal(dirent.ino, inode->ino))
		gml_check_problem(c, "inode %s: its parent %s has no entry %s for it",
				  gml_ino_text(inode->ino), gml_ino_text(inode->parent),
				  gml_check_name(text, inode->name));
	rc = gml_rec_inode_get(c->txn, inode->parent, &parent);
	if (rc != 0 || parent.type != GML_DIR)
		gml_check_problem(c, "inode %s: its parent %s is no directory",
				  gml_ino_text(inode->ino), gml_ino_text(inode->parent));
	else if (!gml_ino_equal(inode->bucket, gml_ino_equal(parent.ino, GML_INO_ROOT)
						       ? inode->ino
						       : parent.bucket))
		gml_check_problem(c, "inode %s: in bucket %s, its parent in %s",
				  gml_ino_text(inode->ino), gml_ino_text(inode->bucket),
				  gml_ino_text(parent.bucket));
}

static void check_directory(struct check *c, const struct gml_inode *inode)
{
	int rc = gml_dir_empty(c->txn, inode->ino, NULL);
	c->report->directories++;
	if (rc == GML_ERR_NOTEMPTY && (inode->flags & GML_INODE_ORPHAN))
		gml_check_problem(c, "directory %s: an orphan with entries",
				  gml_ino_text(inode->ino));
	if (rc == 0 && !(inode->flags & (GML_INODE_EXPLICIT | GML_INODE_ORPHAN)))
		gml_check_problem(c, "directory %s: implicit and empty", gml_ino_text(inode->ino));
	if (inode->wblob != 0 || inode->nextents != 0 ||
	    (inode->flags & (GML_INODE_EXTENTS | GML_INODE_DIRTY)))
		gml_check_problem(c, "directory %s: has content", gml_ino_text(inode->ino));
}

static void check_acl(struct check *c, const struct gml_inode *inode)
{
	struct gml_acl acl;
	if (inode->acl.len == 0)
		return;
	if (gml_acl_decode(inode->acl, &acl) != 0)
		gml_check_problem(c, "inode %s: its ACL cannot be read", gml_ino_text(inode->ino));
	else if (gml_acl_mode(&acl) != (inode->mode & 0777))
		gml_check_problem(c, "inode %s: mode %04o, but its ACL gives %04o",
				  gml_ino_text(inode->ino), inode->mode, gml_acl_mode(&acl));
	else if (gml_acl_says_mode(&acl, inode->type == GML_DIR))
		gml_check_problem(c, "inode %s: has an ACL that says no more than its mode",
				  gml_ino_text(inode->ino));
}

static int check_inode_key(struct check *c, struct gml_span key)
{
	struct check_inode *item;
	struct gml_inode inode;
	gml_ino ino;
	int rc;
	c->report->inodes++;
	if (!gml_check_ino(key, 0, &ino)) {
		gml_check_problem(c, "table inode: a key of %zu bytes", key.len);
		return 0;
	}
	rc = gml_rec_inode_get(c->txn, ino, &inode);
	if (rc != 0) {
		gml_check_problem(c, "inode %s: damaged record", gml_ino_text(ino));
		return 0;
	}
	/* gml_check_inode searches by halves. */
	gml_assert(
		c->inodes.count == 0 ||
		gml_check_order(
			((struct check_inode *)gml_check_at(&c->inodes, c->inodes.count - 1))->ino,
			ino) < 0);
	item = gml_check_push(c, &c->inodes);
	if (item == NULL)
		return c->rc;
	*item = (struct check_inode){
		.ino = ino,
		.nlink = inode.nlink,
		.type = inode.type,
		.bits = (uint8_t)((inode.flags & GML_INODE_DIRTY ? CHECK_DIRTY : 0) |
				  (inode.flags & GML_INODE_ORPHAN ? CHECK_ORPHAN : 0) |
				  (inode.flags & GML_INODE_EXTENTS ? CHECK_EXTENTS : 0) |
				  (inode.flags & GML_INODE_XATTRS ? CHECK_XATTRS : 0)),
	};
	check_content(c, &inode);
	check_place(c, &inode);
	check_acl(c, &inode);
	if (inode.type == GML_DIR)
		check_directory(c, &inode);
	return 0;
}

int gml_check_inodes(struct check *c)
{
	int rc = gml_check_keys(c, GML_TABLE_INODE, check_inode_key);
	if (rc == 0 && gml_check_inode(c, GML_INO_ROOT) == NULL)
		gml_check_problem(c, "the namespace root is missing");
	return rc;
}

/* ---- dirents --------------------------------------------------------------------------------- */

/* Continuation records that this name needs and the one before it did not. */
static unsigned check_continuations(struct gml_span name, struct gml_span before)
{
	unsigned n = 0;
	for (size_t cut = CHECK_DIRENT_PLAIN; name.len > cut; cut += CHECK_DIRENT_PLAIN)
		if (before.len <= cut || memcmp(name.ptr, before.ptr, cut) != 0)
			n++;
	return n;
}

struct check_walk {
	struct check *c;
	gml_ino parent;
	struct check_inode *dir; /* NULL: a list of uploads */
	struct gml_dirent_cursor *cookies;
	char before[GML_KEY_MAX + 64];
	size_t before_len;
};

static void check_cookie(struct check_walk *walk, struct gml_span name,
			 const struct gml_dirent *dirent)
{
	struct gml_dirent found;
	struct gml_span found_name;
	char text[128];
	int rc;
	if (dirent->cookie == 0) {
		if (walk->dir != NULL)
			gml_check_problem(walk->c, "directory %s: entry %s has no cookie",
					  gml_ino_text(walk->parent), gml_check_name(text, name));
		return;
	}
	walk->c->cookies++;
	rc = gml_dirent_cursor_after_cookie(walk->cookies, dirent->cookie - 1, &found_name, &found);
	if (gml_check_failed(walk->c, rc))
		return;
	if (rc != 0 || found.cookie != dirent->cookie || !gml_ino_equal(found.ino, dirent->ino) ||
	    found_name.len != name.len || memcmp(found_name.ptr, name.ptr, name.len) != 0)
		gml_check_problem(walk->c, "directory %s: entry %s is not found by its cookie",
				  gml_ino_text(walk->parent), gml_check_name(text, name));
}

static void check_child(struct check_walk *walk, struct gml_span name,
			const struct gml_dirent *dirent)
{
	struct check *c = walk->c;
	struct check_inode *child = gml_check_inode(c, dirent->ino);
	const char *p = name.ptr;
	bool slash = name.len > 0 && p[name.len - 1] == '/';
	char text[128];
	c->report->dirents++;
	if (slash != (dirent->type == GML_DIR) ||
	    (name.len > 1 && memchr(p, '/', name.len - 1) != NULL) ||
	    memchr(p, '\0', name.len) != NULL)
		gml_check_problem(c, "directory %s: entry %s has a name that its type cannot have",
				  gml_ino_text(walk->parent), gml_check_name(text, name));
	if (child == NULL) {
		gml_check_problem(c, "directory %s: entry %s names inode %s, which there is not",
				  gml_ino_text(walk->parent), gml_check_name(text, name),
				  gml_ino_text(dirent->ino));
		return;
	}
	if (child->type != dirent->type)
		gml_check_problem(c, "directory %s: entry %s says type %u, inode %s is %u",
				  gml_ino_text(walk->parent), gml_check_name(text, name),
				  dirent->type, gml_ino_text(child->ino), child->type);
	child->names++;
	if (child->type == GML_DIR)
		walk->dir->subdirs++;
}

/* An entry of an upload list: key, NUL, id. */
static void check_upload_entry(struct check_walk *walk, struct gml_span name)
{
	const char *p = name.ptr;
	struct gml_upload_rec rec;
	uint8_t id[16] = {0};
	char text[128];
	if (name.len < 34 || p[name.len - 33] != '\0' ||
	    gml_upload_id_parse(gml_span_from(name, name.len - 32), id) != 0 ||
	    gml_rec_upload_get(walk->c->txn, id, &rec) != 0 || rec.key.len != name.len - 33 ||
	    memcmp(rec.key.ptr, p, rec.key.len) != 0)
		gml_check_problem(walk->c, "upload list %s: entry %s names no upload",
				  gml_ino_text(walk->parent), gml_check_name(text, name));
}

static int check_walk(struct check_walk *walk)
{
	struct gml_dirent_cursor *cursor = NULL;
	struct gml_span name, start = {"", 0};
	struct gml_dirent dirent;
	int rc = gml_dirent_cursor_open(walk->c->txn, walk->parent, &cursor);
	if (rc == 0)
		rc = gml_dirent_cursor_open(walk->c->txn, walk->parent, &walk->cookies);
	if (rc == 0)
		rc = gml_dirent_cursor_seek(cursor, start, true, &name, &dirent);
	walk->before_len = 0;
	while (rc == 0) {
		gml_check_step(walk->c);
		walk->c->dirent_records +=
			1 + check_continuations(name, gml_span_of(walk->before, walk->before_len));
		check_cookie(walk, name, &dirent);
		check_entry_view(walk->c, walk->parent, name, &dirent);
		if (walk->dir != NULL)
			check_child(walk, name, &dirent);
		else
			check_upload_entry(walk, name);
		walk->before_len =
			name.len < sizeof(walk->before) ? name.len : sizeof(walk->before);
		memcpy(walk->before, name.ptr, walk->before_len);
		rc = gml_dirent_cursor_next(cursor, &name, &dirent);
	}
	gml_dirent_cursor_close(walk->cookies);
	gml_dirent_cursor_close(cursor);
	walk->cookies = NULL;
	if (rc == GML_ERR_CORRUPT) {
		gml_check_problem(walk->c, "directory %s: a damaged entry",
				  gml_ino_text(walk->parent));
		rc = 0;
	}
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_check_dirents(struct check *c)
{
	struct check_walk walk = {.c = c};
	uint64_t records = 0, cookies = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->inodes.count; i++) {
		struct check_inode *dir = gml_check_at(&c->inodes, i);
		if (dir->type != GML_DIR)
			continue;
		walk.parent = dir->ino;
		walk.dir = dir;
		rc = check_walk(&walk);
	}
	walk.dir = NULL;
	for (size_t i = 0; rc == 0 && i < c->buckets.count; i++) {
		walk.parent = ((struct check_bucket *)gml_check_at(&c->buckets, i))->rec.uploads;
		rc = check_walk(&walk);
	}
	if (rc == 0)
		rc = gml_rec_count(c->txn, GML_TABLE_DIRENT, &records);
	if (rc == 0)
		rc = gml_rec_count(c->txn, GML_TABLE_COOKIE, &cookies);
	if (rc == 0 && records != c->dirent_records)
		gml_check_problem(c,
				  "table dirent has %" PRIu64
				  " records, directories and uploads account for %" PRIu64,
				  records, c->dirent_records);
	if (rc == 0 && cookies != c->cookies)
		gml_check_problem(c,
				  "table cookie has %" PRIu64 " records, %" PRIu64
				  " entries have a cookie",
				  cookies, c->cookies);
	return rc;
}

static int check_backref(struct check *c, struct gml_span key)
{
	struct gml_dirent dirent;
	struct check_inode *inode;
	struct gml_span name;
	gml_ino ino, parent;
	size_t len = gml_rec_ino_of_key(key, &ino);
	const uint8_t *p = (const uint8_t *)key.ptr + len;
	if (len == 0 || key.len != len + 16) {
		gml_check_problem(c, "table link: a key of %zu bytes", key.len);
		return 0;
	}
	parent = gml_ino_of(ino.view, gml_check_u64(p));
	inode = gml_check_inode(c, ino);
	if (inode == NULL || gml_rec_cookie_get(c->txn, parent, gml_check_u64(p + 8), &name) != 0 ||
	    gml_rec_dirent_get(c->txn, parent, name, &dirent) != 0 ||
	    !gml_ino_equal(dirent.ino, ino))
		gml_check_problem(c,
				  "inode %" PRIu64 ": a back reference to directory %" PRIu64
				  " leads to no name of it",
				  ino.num, parent.num);
	else
		inode->links++;
	return 0;
}

static bool check_backref_read(void *arg, gml_ino parent, uint64_t cookie)
{
	(void)parent;
	(void)cookie;
	++*(uint32_t *)arg;
	return true;
}

/* Files with several names have a row for each, others none. */
int gml_check_backrefs(struct check *c)
{
	int rc = gml_check_keys(c, GML_TABLE_LINK, check_backref);
	for (size_t i = 0; rc == 0 && i < c->inodes.count; i++) {
		const struct check_inode *inode = gml_check_at(&c->inodes, i);
		uint32_t want = inode->type != GML_DIR && inode->names > 1 ? inode->names : 0;
		uint32_t read = 0;
		if (inode->links != want)
			gml_check_problem(c,
					  "inode %" PRIu64
					  ": %u names found, %u back references, %u wanted",
					  inode->ino.num, inode->names, inode->links, want);
		if (inode->links > 0 &&
		    (gml_rec_link_each(c->txn, inode->ino, check_backref_read, &read) != 0 ||
		     read != inode->links))
			gml_check_problem(c, "inode %" PRIu64 ": damaged back references",
					  inode->ino.num);
	}
	return rc;
}

void gml_check_links(struct check *c)
{
	struct check_inode *root = gml_check_inode(c, GML_INO_ROOT);
	if (root != NULL && root->subdirs != c->buckets.count)
		gml_check_problem(c, "the namespace root has %u directories, there are %zu buckets",
				  root->subdirs, c->buckets.count);
	for (size_t i = 0; i < c->inodes.count; i++) {
		const struct check_inode *inode = gml_check_at(&c->inodes, i);
		uint32_t names = gml_ino_equal(inode->ino, GML_INO_ROOT) ? 1 : inode->names;
		uint32_t nlink = names;
		if (inode->type == GML_DIR && names == 1)
			nlink = 2 + inode->subdirs;
		if (inode->bits & CHECK_ORPHAN ? names != 0 || inode->nlink != 0
					       : names == 0 || inode->nlink != nlink)
			gml_check_problem(
				c,
				"inode %s: %slink count %u, %u names and %u subdirectories found",
				gml_ino_text(inode->ino),
				inode->bits & CHECK_ORPHAN ? "orphan, " : "", inode->nlink,
				inode->names, inode->subdirs);
		if (inode->type == GML_DIR && names > 1)
			gml_check_problem(c, "directory %s: has %u names", gml_ino_text(inode->ino),
					  names);
	}
}

/* ---- uploads --------------------------------------------------------------------------------- */

struct check_part {
	struct check *c;
	const uint8_t *id;
};

static bool check_part(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	struct check *c = ((struct check_part *)arg)->c;
	uint64_t end = 0;
	gml_check_step(c);
	c->report->parts++;
	for (uint32_t i = 0; i < rec->nextents; i++) {
		struct gml_extent extent;
		if (gml_rec_part_extent(rec, i, &extent) != 0 || extent.off < end) {
			gml_check_problem(
				c, "part %u of upload %016" PRIx64 "...: extent %u is damaged",
				number, gml_check_u64(((struct check_part *)arg)->id), i);
			continue;
		}
		end = extent.off + extent.len;
		gml_check_extent(c, "part", gml_ino_of(0, number), &extent);
	}
	if (end > rec->size)
		gml_check_problem(c,
				  "part %u of upload %016" PRIx64 "...: its extents pass its size",
				  number, gml_check_u64(((struct check_part *)arg)->id));
	return true;
}

static bool check_upload(void *arg, const uint8_t id[16], const struct gml_upload_rec *rec)
{
	struct check *c = arg;
	struct check_bucket *bucket = gml_check_bucket(c, rec->bucket);
	struct check_part part = {c, id};
	char name[GML_KEY_MAX + 34];
	struct gml_dirent dirent;
	size_t len = rec->key.len;
	gml_check_step(c);
	c->report->uploads++;
	if (bucket == NULL || len > GML_KEY_MAX) {
		gml_check_problem(c, "upload %016" PRIx64 "...: of bucket %s, which there is not",
				  gml_check_u64(id), gml_ino_text(rec->bucket));
	} else {
		memcpy(name, rec->key.ptr, len);
		name[len] = '\0';
		gml_upload_id_format(id, name + len + 1);
		if (gml_rec_dirent_get(c->txn, bucket->rec.uploads, gml_span_of(name, len + 33),
				       &dirent) != 0)
			gml_check_problem(c, "upload %016" PRIx64 "...: not in its bucket's list",
					  gml_check_u64(id));
	}
	c->rc = gml_rec_part_each(c->txn, id, 0, check_part, &part);
	return c->rc == 0;
}

int gml_check_uploads(struct check *c)
{
	uint64_t parts = 0;
	int rc = gml_rec_upload_each(c->txn, check_upload, c);
	if (rc == 0) {
		rc = c->rc;
		c->rc = 0;
	}
	if (rc == 0)
		rc = gml_rec_count(c->txn, GML_TABLE_PART, &parts);
	if (rc == 0 && parts != c->report->parts)
		gml_check_problem(
			c, "table part has %" PRIu64 " records, uploads account for %" PRIu64,
			parts, c->report->parts);
	return rc;
}
