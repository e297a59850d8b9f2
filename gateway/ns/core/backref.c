// SPDX-License-Identifier: Apache-2.0
/* All names of a file: table LINK. */
#include "backref.h"
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "link.h"

int gml_backref_add(struct gml_txn *txn, const struct gml_line *line, const struct gml_inode *inode,
		    gml_ino parent, uint64_t cookie)
{
	struct gml_inode stored;
	struct gml_dirent first;
	int rc = 0;
	gml_assert(inode->type != GML_DIR && inode->nlink > 0 && cookie != 0);
	if (inode->nlink == 1) {
		rc = gml_rec_inode_get(txn, inode->ino, &stored);
		if (rc == 0 &&
		    (gml_ino_is_none(stored.parent) || stored.parent.view != inode->ino.view))
			return GML_ERR_CORRUPT;
		if (rc == 0)
			rc = gml_rec_dirent_get(txn, stored.parent, stored.name, &first);
		if (rc == GML_ERR_NOENT || (rc == 0 && !gml_ino_equal(first.ino, inode->ino)))
			return GML_ERR_CORRUPT;
		if (rc == 0)
			rc = gml_rec_link_put(txn, line, inode->ino, stored.parent, first.cookie);
	}
	return rc == 0 ? gml_rec_link_put(txn, line, inode->ino, parent, cookie) : rc;
}

int gml_backref_remove(struct gml_txn *txn, const struct gml_line *line,
		       const struct gml_inode *inode, gml_ino parent, uint64_t cookie)
{
	int rc;
	if (inode->type == GML_DIR || inode->nlink < 2)
		return 0;
	rc = gml_rec_link_del(txn, line, inode->ino, parent, cookie);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

struct backref_only {
	gml_ino parent;
	uint64_t cookie;
	unsigned count;
};

static bool backref_only_one(void *arg, gml_ino parent, uint64_t cookie)
{
	struct backref_only *only = arg;
	only->parent = parent;
	only->cookie = cookie;
	return ++only->count < 2;
}

int gml_backref_single(struct gml_txn *txn, struct gml_inode *inode)
{
	char copy[GML_KEY_MAX + 2];
	struct backref_only only = {0};
	struct gml_span name;
	struct gml_line line;
	int rc = gml_rec_link_each(txn, inode->ino, backref_only_one, &only);
	gml_assert(inode->type != GML_DIR && inode->nlink == 1);
	if (rc == 0 && only.count != 1)
		rc = GML_ERR_CORRUPT;
	if (rc == 0)
		rc = gml_rec_cookie_get(txn, only.parent, only.cookie, &name);
	if (rc == GML_ERR_NOENT || (rc == 0 && name.len > sizeof(copy)))
		rc = GML_ERR_CORRUPT;
	if (rc != 0)
		return rc;
	if (name.len > 0)
		memcpy(copy, name.ptr, name.len);
	rc = gml_rec_line_of(txn, inode->bucket, &line);
	if (rc == 0)
		rc = gml_rec_link_del(txn, &line, inode->ino, only.parent, only.cookie);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	return gml_inode_save_named(txn, inode, only.parent, gml_span_of(copy, name.len));
}
