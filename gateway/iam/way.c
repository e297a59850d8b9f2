// SPDX-License-Identifier: Apache-2.0
/* The way to an inode by mode bits and ACLs. */
#include <gemel/err.h>
#include "authorize.h"
#include "way.h"

struct way {
	struct gml_txn *txn;
	const struct gml_principal *who;
	bool open;
	int rc;
};

/* A path is finite: each directory but the root has a name in another one. */
static void way_climb(struct way *way, gml_ino ino)
{
	struct gml_inode dir;
	do {
		way->rc = gml_rec_inode_get(way->txn, ino, &dir);
		if (way->rc == 0 && dir.type != GML_DIR)
			way->rc = GML_ERR_CORRUPT;
		if (way->rc != 0 || gml_search_barred(way->who, &dir))
			return;
		ino = dir.parent;
	} while (!gml_ino_equal(dir.ino, dir.bucket));
	way->open = true;
}

static bool way_link(void *arg, gml_ino parent, uint64_t cookie)
{
	struct way *way = arg;
	(void)cookie;
	way_climb(way, parent);
	return way->rc == 0 && !way->open;
}

int gml_way_open(struct gml_txn *txn, const struct gml_principal *principal,
		 const struct gml_inode *inode, bool *open_out)
{
	struct way way = {.txn = txn, .who = principal};
	int rc = 0;
	*open_out = true;
	if (gml_search_unlimited(principal) || gml_ino_equal(inode->ino, inode->bucket) ||
	    (inode->flags & GML_INODE_ORPHAN))
		return 0;
	if (inode->type != GML_DIR && inode->nlink > 1)
		rc = gml_rec_link_each(txn, inode->ino, way_link, &way);
	else if (gml_ino_is_none(inode->parent))
		return 0;
	else
		way_climb(&way, inode->parent);
	*open_out = way.open;
	return rc != 0 ? rc : way.rc;
}
