// SPDX-License-Identifier: Apache-2.0
/* From an inode back to its paths: its record has its name and parent, or table LINK has them. */
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/span.h"
#include "record.h"

struct paths {
	struct gml_txn *txn;
	bool (*each)(void *arg, gml_ino bucket, struct gml_span path);
	void *arg;
	int rc;
	size_t at; /* the path so far is buf[at] and what follows */
	char buf[GML_PATH_LEN_MAX];
};

static bool paths_prepend(struct paths *paths, struct gml_span name)
{
	if (name.len > paths->at) {
		paths->rc = GML_ERR_NAMETOOLONG;
		return false;
	}
	paths->at -= name.len;
	if (name.len > 0)
		memcpy(paths->buf + paths->at, name.ptr, name.len);
	return true;
}

/* From the name `name` in directory `dir` up to the bucket's root; false: enough, or an error. A
 * path is finite: each component but the last has at least two bytes. */
static bool paths_climb(struct paths *paths, gml_ino dir, struct gml_span name)
{
	struct gml_inode inode;
	paths->at = sizeof(paths->buf);
	for (;;) {
		if (!paths_prepend(paths, name))
			return false;
		paths->rc = gml_rec_inode_get(paths->txn, dir, &inode);
		if (paths->rc == GML_ERR_NOENT || (paths->rc == 0 && inode.type != GML_DIR))
			paths->rc = GML_ERR_CORRUPT;
		if (paths->rc != 0)
			return false;
		if (gml_ino_equal(inode.ino, inode.bucket))
			return paths->each(paths->arg, inode.bucket,
					   gml_span_of(paths->buf + paths->at,
						       sizeof(paths->buf) - paths->at));
		if (inode.name.len == 0) {
			paths->rc = GML_ERR_CORRUPT;
			return false;
		}
		dir = inode.parent;
		name = inode.name;
	}
}

static bool paths_link(void *arg, gml_ino parent, uint64_t cookie)
{
	struct paths *paths = arg;
	struct gml_span name;
	paths->rc = gml_rec_cookie_get(paths->txn, parent, cookie, &name);
	if (paths->rc == GML_ERR_NOENT)
		paths->rc = GML_ERR_CORRUPT;
	return paths->rc == 0 && paths_climb(paths, parent, name);
}

int gml_inode_paths(struct gml_txn *txn, gml_ino ino,
		    bool (*each)(void *arg, gml_ino bucket, struct gml_span path), void *arg)
{
	struct paths paths;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, ino, &inode);
	if (rc != 0 || gml_ino_equal(ino, GML_INO_ROOT) || (inode.flags & GML_INODE_ORPHAN))
		return rc;
	paths.txn = txn;
	paths.each = each;
	paths.arg = arg;
	paths.rc = 0;
	if (gml_ino_equal(ino, inode.bucket))
		(void)each(arg, ino, GML_LIT(""));
	else if (inode.type == GML_DIR || inode.nlink == 1)
		(void)paths_climb(&paths, inode.parent, inode.name);
	else
		rc = gml_rec_link_each(txn, ino, paths_link, &paths);
	return rc != 0 ? rc : paths.rc;
}
