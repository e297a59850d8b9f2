// SPDX-License-Identifier: Apache-2.0
/* Declarations shared by the operations on names. */
#ifndef GML_NS_POSIX_DIR_H
#define GML_NS_POSIX_DIR_H

#include <gemel/action.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* The directory `ino`, when the caller may do `action` to it. *barred_out (may be NULL): for
 * further decisions about what is in it. STALE, NOTDIR, and gml_authorize's answers. */
int gml_dir_get(struct gml_txn *txn, const struct gml_op *op, gml_ino ino, enum gml_action action,
		struct gml_inode *out, bool *barred_out);
/* May the caller know what the name denotes: *inode, or nothing (NULL)? `dir`, `barred`: of
 * gml_dir_get for LOOKUP. A directory that the caller may not search, and passes because a policy
 * speaks of something in it, shows no more than that. 0; NOENT: it may know that there is nothing;
 * ACCESS. */
int gml_dir_may_find(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		     bool barred, struct gml_span name, const struct gml_inode *inode);
/* Does the caller list the directory only because a policy speaks of something in it? Then the
 * listing shows what a policy grants GETATTR of: gml_dir_shows_way. */
bool gml_dir_shows_ways(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
			bool barred);
bool gml_dir_shows_way(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode);
/* The directory for a new `name`: not the root (PERM), not a removed one (STALE); the name is free
 * (EXIST) and allowed (INVAL); the caller may do `action` there (ACCESS, ROFS). An existing name is
 * reported before a missing right, as in POSIX. */
int gml_dir_get_for_new(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			struct gml_span name, enum gml_action action, struct gml_inode *out);
/* Remove the hidden marker (gml_dir_empty) of a directory before the directory itself; 0: it has
 * none. Puts `dir`. */
int gml_dir_drop_marker(struct gml_txn *txn, const struct gml_op *op, struct gml_inode *dir,
			gml_ino marker);

#endif
