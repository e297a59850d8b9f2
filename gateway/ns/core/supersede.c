// SPDX-License-Identifier: Apache-2.0
/* The fate of an inode that a name no longer denotes. */
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "backref.h"
#include "link.h"
#include "supersede.h"

/* The last name went. */
static int supersede_orphan(struct gml_txn *txn, struct gml_inode *inode, struct gml_usage *usage)
{
	struct gml_line line;
	int rc;
	inode->nlink = 0;
	inode->flags |= GML_INODE_ORPHAN;
	rc = gml_rec_line_of(txn, inode->bucket, &line);
	if (rc == 0)
		rc = gml_inode_save_named(txn, inode, GML_INO_NONE, gml_span_of(NULL, 0));
	if (rc == 0)
		rc = gml_rec_orphan_put(txn, &line, inode->ino, inode->ctime);
	if (inode->type == GML_REG) {
		usage->bytes -= (int64_t)inode->size;
		usage->objects--;
	}
	return rc;
}

/* Is the combination possible? Directories are not overwritten, and only implicit directories are
 * removed by themselves. */
static bool supersede_plausible(const struct gml_link *link, const struct gml_inode *inode)
{
	bool dir = inode->type == GML_DIR;
	switch (link->why) {
	case GML_SUPERSEDE_REPLACED:
		return !dir;
	case GML_SUPERSEDE_REMOVED:
	case GML_SUPERSEDE_RENAMED_OVER:
		return !gml_ino_equal(inode->ino, inode->bucket);
	case GML_SUPERSEDE_PRUNED:
		return dir && !(inode->flags & GML_INODE_EXPLICIT) &&
		       !gml_ino_equal(inode->ino, inode->bucket);
	case GML_SUPERSEDE_BUCKET:
		return dir && gml_ino_equal(inode->ino, inode->bucket);
	}
	return false;
}

int gml_supersede(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode,
		  struct gml_usage *usage)
{
	gml_assert(!link->op->context.read_only && supersede_plausible(link, inode));
	if (inode->nlink == 0)
		return GML_ERR_CORRUPT;
	inode->ctime = gml_now();
	inode->change = gml_change_next(inode->change);
	if (inode->type == GML_DIR || inode->nlink == 1)
		return supersede_orphan(txn, inode, usage);
	inode->nlink--;
	return inode->nlink == 1 ? gml_backref_single(txn, inode) : gml_inode_save(txn, inode);
}
