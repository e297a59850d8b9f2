// SPDX-License-Identifier: Apache-2.0
/* READDIR, in the order of the cookies. */
#include <gemel/dir.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/object/bucket_txn.h"
#include "gateway/ns/store/store.h"
#include "dir.h"

/* Which entries are shown. */
enum readdir_shown {
	READDIR_ALL,
	READDIR_BUCKETS, /* those of the root, for the caller */
	READDIR_WAYS,	 /* those that lead to something that a policy allows */
};

struct readdir {
	struct gml_op *op;
	struct gml_store *store;
	struct gml_txn *txn;
	struct gml_inode dir;
	enum readdir_shown shown;
};

static bool readdir_shows(const struct readdir *readdir, const struct gml_inode *inode)
{
	switch (readdir->shown) {
	case READDIR_ALL:
		break;
	case READDIR_BUCKETS:
		return gml_bucket_txn_may(readdir->txn, readdir->op, GML_ACTION_SHOW_BUCKET, NULL,
					  inode) == 0;
	case READDIR_WAYS:
		return gml_dir_shows_way(readdir->txn, readdir->op, inode);
	}
	return true;
}

/* One entry's attributes. *shown_out false: it is not shown. */
static int readdir_entry(const struct readdir *readdir, const struct gml_dirent *dirent,
			 struct gml_attr *attr, bool *shown_out)
{
	struct gml_inode inode;
	int rc = gml_rec_inode_named(readdir->txn, dirent, &inode);
	if (rc != 0)
		return rc;
	*shown_out = readdir_shows(readdir, &inode);
	if (!*shown_out)
		return 0;
	rc = gml_inode_attr(readdir->store, readdir->txn, &inode, attr);
	attr->cookie = dirent->cookie;
	return rc;
}

static int readdir_walk(const struct readdir *readdir, const struct gml_dir_query *query)
{
	const bool buckets = readdir->shown == READDIR_BUCKETS;
	gml_ino dir = readdir->dir.ino;
	char shown[GML_NFS_NAME_MAX + 1];
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	int rc = gml_dirent_cursor_open(readdir->txn, dir, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_after_cookie(cursor, query->cookie, &name, &dirent);
	for (; rc == 0; rc = gml_dirent_cursor_next_cookie(cursor, &name, &dirent)) {
		struct gml_attr attr;
		bool show;
		size_t len;
		gml_assert(dirent.cookie > query->cookie); /* or the client would never end */
		if (!gml_name_show(readdir->txn, dir, name, &dirent, shown, &len))
			continue;
		rc = buckets ? gml_bucket_txn_entry(readdir->txn, name, &dirent) : 0;
		if (rc == 0)
			rc = readdir_entry(readdir, &dirent, &attr, &show);
		if (rc != 0)
			break;
		if (show && !query->each(query->arg, gml_span_of(shown, len), &attr)) {
			rc = GML_ERR_CANCELED;
			break;
		}
	}
	gml_dirent_cursor_close(cursor);
	return rc;
}

int gml_dir_read(struct gml_op *op, struct gml_store *store, gml_ino dir,
		 const struct gml_dir_query *query, bool *eof_out)
{
	struct readdir readdir = {.op = op, .store = store};
	bool barred;
	int rc = gml_meta_read_begin(store->meta, &readdir.txn);
	*eof_out = false;
	if (rc != 0)
		return rc;
	rc = gml_dir_get(readdir.txn, op, dir, GML_ACTION_READDIR, &readdir.dir, &barred);
	if (gml_ino_equal(dir, GML_INO_ROOT))
		readdir.shown = READDIR_BUCKETS;
	else if (rc == 0 && gml_dir_shows_ways(readdir.txn, op, &readdir.dir, barred))
		readdir.shown = READDIR_WAYS;
	if (rc == 0)
		rc = readdir_walk(&readdir, query);
	gml_meta_read_end(readdir.txn);
	if (rc == GML_ERR_NOENT) {
		*eof_out = true;
		return 0;
	}
	return rc == GML_ERR_CANCELED ? 0 : rc; /* the callback had enough */
}
