// SPDX-License-Identifier: Apache-2.0
#include "rename_tree.h"
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/span.h"
#include "gateway/meta/record/record.h"

/* The writers' lock is held meanwhile. */
#define TREE_NAMES 10000
#define TREE_DEPTH 64

struct tree {
	struct gml_txn *txn;
	const struct gml_op *op;
	const struct gml_inode *to; /* the directory that gets `dir` */
	bool barred;
	unsigned names, depth; /* that may still be looked at, and entered */
	size_t len;
	char path[GML_PATH_LEN_MAX]; /* below `to` */
};

static int tree_add(struct tree *tree, struct gml_span name)
{
	if (name.len > sizeof(tree->path) - tree->len)
		return GML_ERR_NAMETOOLONG;
	if (name.len > 0)
		memcpy(tree->path + tree->len, name.ptr, name.len);
	tree->len += name.len;
	return 0;
}

static int tree_file(struct tree *tree, const struct gml_dirent *dirent)
{
	const struct gml_target to = {.name = gml_span_of(tree->path, tree->len), .dir = tree->to};
	struct gml_inode inode;
	int rc = gml_rec_inode_named(tree->txn, dirent, &inode);
	if (rc != 0 || inode.nlink < 2)
		return rc;
	return gml_may_link(tree->txn, tree->op, &inode, tree->barred, &to);
}

static int tree_walk(struct tree *tree, gml_ino dir) // NOLINT(misc-no-recursion): TREE_DEPTH
{
	const size_t len = tree->len;
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	int rc = gml_dirent_cursor_open(tree->txn, dir, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_seek(cursor, GML_LIT(""), true, &name, &dirent);
	while (rc == 0) {
		rc = tree->names == 0 || tree->depth == 0 ? GML_ERR_XDEV : tree_add(tree, name);
		if (rc == 0) {
			tree->names--;
			tree->depth--;
			rc = dirent.type == GML_DIR ? tree_walk(tree, dirent.ino)
						    : tree_file(tree, &dirent);
			tree->depth++;
		}
		tree->len = len;
		if (rc == 0)
			rc = gml_dirent_cursor_next(cursor, &name, &dirent);
	}
	gml_dirent_cursor_close(cursor);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_rename_tree_may(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
			bool barred, const struct gml_target *to)
{
	struct tree tree = {.txn = txn,
			    .op = op,
			    .to = to->dir,
			    .barred = barred,
			    .names = TREE_NAMES,
			    .depth = TREE_DEPTH};
	bool gains;
	int rc = gml_link_gains(txn, op, dir, to, &gains);
	if (rc != 0 || !gains)
		return rc;
	rc = tree_add(&tree, to->name);
	return rc == 0 ? tree_walk(&tree, dir->ino) : rc;
}
