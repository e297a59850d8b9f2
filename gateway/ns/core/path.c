// SPDX-License-Identifier: Apache-2.0
/* S3 keys to inodes (docs/architecture.md, "Names"): every component but the last is a directory,
 * stored with its slash. */
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
#include "gateway/ns/store/store.h"
#include "attr.h"
#include "etag.h"
#include "link.h"
#include "path.h"

static int path_check(const struct gml_object_ref *ref)
{
	if (ref->bucket.len == 0 || ref->bucket.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	if (ref->key.len == 0 || memchr(ref->key.ptr, 0, ref->key.len) != NULL)
		return GML_ERR_INVAL;
	if (ref->key.len > GML_KEY_MAX)
		return GML_ERR_NAMETOOLONG;
	/* No bucket has versions: the current one is all there is, and S3 calls it "null". */
	return ref->version.len == 0 || gml_span_is(ref->version, "null") ? 0 : GML_ERR_NOVERSION;
}

/* Enters the directory `name` of path->dir, or counts it as missing. */
static int path_enter(struct gml_txn *txn, const struct gml_op *op, struct gml_span name,
		      struct gml_path *path)
{
	struct gml_dirent dirent;
	int rc;
	gml_assert(name.len > 0 && gml_span_at(name, name.len - 1) == '/');
	if (path->missing > 0) {
		path->missing++;
		return 0;
	}
	path->barred |= gml_search_barred(&op->principal, &path->dir);
	rc = gml_rec_dirent_get(txn, path->dir.ino, name, &dirent);
	if (rc == GML_ERR_NOENT) {
		path->missing = 1;
		return 0;
	}
	return rc == 0 ? gml_rec_inode_named(txn, &dirent, &path->dir) : rc;
}

int gml_path_walk(struct gml_txn *txn, const struct gml_op *op, const struct gml_object_ref *ref,
		  struct gml_path *out)
{
	const char *p = ref->key.ptr, *end = p + ref->key.len, *slash;
	int rc = path_check(ref);
	if (rc != 0)
		return rc;
	gml_txn_serve(txn, op);
	out->txn = txn;
	out->ref = *ref;
	out->missing = 0;
	out->found = out->barred = false;
	rc = gml_rec_bucket_get(txn, ref->bucket, &out->bucket);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	rc = gml_rec_inode_get(txn, out->bucket.root, &out->dir);
	if (rc == GML_ERR_NOENT || (rc == 0 && out->dir.type != GML_DIR))
		return GML_ERR_CORRUPT;
	while (rc == 0 && (slash = memchr(p, '/', (size_t)(end - p))) != NULL) {
		rc = path_enter(txn, op, gml_span_of(p, (size_t)(slash + 1 - p)), out);
		p = slash + 1;
	}
	out->last = gml_span_of(p, (size_t)(end - p));
	if (rc != 0 || out->missing > 0)
		return rc;
	out->barred |= gml_search_barred(&op->principal, &out->dir);
	rc = gml_rec_dirent_get(txn, out->dir.ino, out->last, &out->dirent);
	out->found = rc == 0;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_path_make(struct gml_txn *txn, const struct gml_op *op, struct gml_span key,
		  struct gml_path *path)
{
	const char *p = key.ptr, *end = p + key.len;
	unsigned existing = 0;
	if (path->missing == 0)
		return 0;
	for (const char *q = p; (q = memchr(q, '/', (size_t)(end - q))) != NULL; q++)
		existing++;
	gml_assert(path->txn == txn && existing >= path->missing); /* `key` was walked here */
	existing -= path->missing;
	while (existing-- > 0)
		p = (const char *)memchr(p, '/', (size_t)(end - p)) + 1;
	while (path->missing > 0) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		struct gml_inode made;
		int rc = gml_inode_init(txn, op, &path->dir, GML_DIR, &GML_NEW_DIRECTORY_MODE,
					&made);
		if (rc == 0)
			rc = gml_link_add(txn, &path->dir, gml_span_of(p, (size_t)(slash + 1 - p)),
					  &made);
		if (rc != 0)
			return rc;
		path->dir = made;
		path->missing--;
		p = slash + 1;
	}
	path->found = false;
	return 0;
}

void gml_path_target(const struct gml_path *path, const struct gml_inode *inode,
		     struct gml_target *out)
{
	*out = (struct gml_target){.bucket_name = path->ref.bucket,
				   .key = path->ref.key,
				   .name = path->last,
				   .directory = path->missing > 0,
				   .dir = &path->dir,
				   .inode = inode,
				   .bucket = &path->bucket,
				   .barred = path->barred};
}

int gml_path_may(const struct gml_op *op, enum gml_action action, const struct gml_path *path,
		 const struct gml_inode *inode)
{
	struct gml_target target;
	gml_assert(path->dir.type == GML_DIR);
	gml_path_target(path, inode, &target);
	return gml_may(path->txn, op, action, &target);
}

int gml_path_missing(const struct gml_op *op, const struct gml_path *path)
{
	int rc = gml_path_may(op, GML_ACTION_KNOW_MISSING, path, &path->dir);
	return rc == 0 ? GML_ERR_NOENT : rc;
}

int gml_path_object(struct gml_txn *txn, const struct gml_path *path, struct gml_inode *out,
		    bool *directory_out)
{
	gml_assert(path->txn == txn);
	*directory_out = false;
	if (path->missing > 0)
		return GML_ERR_NOENT;
	if (path->found) {
		if (path->dirent.type != GML_REG)
			return GML_ERR_NOENT;
		return gml_rec_inode_named(txn, &path->dirent, out);
	}
	if (path->last.len > 0 || !(path->dir.flags & GML_INODE_EXPLICIT))
		return GML_ERR_NOENT;
	*out = path->dir;
	*directory_out = true;
	return 0;
}

void gml_path_facts_of(const struct gml_inode *inode, bool directory, const struct gml_attr *live,
		       struct gml_object_info *info)
{
	bool dirty = !directory && (inode->flags & GML_INODE_DIRTY);
	gml_assert(directory == (inode->type == GML_DIR));
	gml_assert(!dirty || gml_ino_equal(live->ino, inode->ino));
	memset(info, 0, sizeof(*info));
	info->ino = inode->ino;
	info->uid = inode->uid;
	info->mtime = dirty ? live->mtime : inode->mtime;
	info->directory = directory;
	if (directory) {
		memcpy(info->etag, GML_ETAG_EMPTY, sizeof(GML_ETAG_EMPTY));
		return;
	}
	info->size = dirty ? live->size : inode->size;
	if (!dirty) {
		info->nparts = inode->nparts;
		info->checksum = inode->checksum;
	}
	gml_etag_format(inode, dirty ? live->change : inode->change, info->etag);
}

int gml_path_facts(struct gml_store *store, const struct gml_inode *inode, bool directory,
		   struct gml_object_info *info)
{
	struct gml_attr live;
	int rc = 0;
	gml_assert_outside_closures();
	if (!directory && (inode->flags & GML_INODE_DIRTY))
		rc = gml_inode_attr_spaceless(store, inode, &live);
	if (rc == 0)
		gml_path_facts_of(inode, directory, &live, info);
	return rc;
}
