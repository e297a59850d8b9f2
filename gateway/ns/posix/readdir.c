// SPDX-License-Identifier: Apache-2.0
/* READDIR, in the order of the cookies. */
#include <gemel/dir.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/name.h"
#include "gateway/ns/object/bucket_txn.h"
#include "gateway/ns/store/store.h"
#include "dir.h"

/* One entry's attributes. false: it is not shown. */
static int readdir_entry(struct gml_op *op, struct gml_store *store, struct gml_txn *txn,
			 bool bucket, const struct gml_dirent *dirent, struct gml_attr *attr,
			 bool *shown_out)
{
	struct gml_inode inode;
	int rc = gml_rec_inode_named(txn, dirent, &inode);
	if (rc != 0)
		return rc;
	*shown_out =
		!bucket || gml_bucket_txn_may(txn, op, GML_ACTION_SHOW_BUCKET, NULL, &inode) == 0;
	if (!*shown_out)
		return 0;
	rc = gml_inode_attr(store, txn, &inode, attr);
	attr->cookie = dirent->cookie;
	return rc;
}

static int readdir_walk(struct gml_op *op, struct gml_store *store, struct gml_txn *txn,
			gml_ino dir, const struct gml_dir_query *query)
{
	const bool buckets = gml_ino_equal(dir, GML_INO_ROOT);
	char shown[GML_NFS_NAME_MAX + 1];
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	int rc = gml_dirent_cursor_open(txn, dir, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_after_cookie(cursor, query->cookie, &name, &dirent);
	for (; rc == 0; rc = gml_dirent_cursor_next_cookie(cursor, &name, &dirent)) {
		struct gml_attr attr;
		bool show;
		size_t len;
		gml_assert(dirent.cookie > query->cookie); /* or the client would never end */
		if (!gml_name_show(txn, dir, name, &dirent, shown, &len))
			continue;
		rc = buckets ? gml_bucket_txn_entry(txn, name, &dirent) : 0;
		if (rc == 0)
			rc = readdir_entry(op, store, txn, buckets, &dirent, &attr, &show);
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
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	*eof_out = false;
	if (rc != 0)
		return rc;
	rc = gml_dir_get(txn, op, dir, GML_ACTION_READDIR, &inode, NULL);
	if (rc == 0)
		rc = readdir_walk(op, store, txn, dir, query);
	gml_meta_read_end(txn);
	if (rc == GML_ERR_NOENT) {
		*eof_out = true;
		return 0;
	}
	return rc == GML_ERR_CANCELED ? 0 : rc; /* the callback had enough */
}
