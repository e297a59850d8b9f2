// SPDX-License-Identifier: Apache-2.0
/* S3 keys: the walk from a bucket to the directory entry of a key. */
#ifndef GML_NS_CORE_PATH_H
#define GML_NS_CORE_PATH_H

#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

struct gml_path {
	struct gml_txn *txn;	   /* in which it was walked */
	struct gml_object_ref ref; /* borrowed */
	struct gml_bucket_rec bucket;
	/* directory that holds (or would hold) the last component; valid when missing == 0 */
	struct gml_inode dir;
	unsigned missing; /* directories of the path that do not exist */
	/* last component, borrowed from the key; empty for a trailing slash */
	struct gml_span last;
	bool found; /* the key's dirent exists */
	/* a directory on the way has no `x` for the caller; the decision knows what that means */
	bool barred;
	struct gml_dirent dirent;
};
/* From the bucket's root to the key's name. Decides nothing: a directory without search permission
 * is recorded (barred), and callers call gml_path_may before they reveal anything that was found.
 * NOBUCKET, INVAL, NAMETOOLONG, NOVERSION; a missing directory is no error (missing > 0; dir = the
 * deepest existing one). */
int gml_path_walk(struct gml_txn *txn, const struct gml_op *op, const struct gml_object_ref *ref,
		  struct gml_path *out);
/* Make the missing directories (implicit), inside a write transaction; the caller was granted
 * GML_ACTION_PUT_OBJECT. out->dir is then the last. */
int gml_path_make(struct gml_txn *txn, const struct gml_op *op, struct gml_span key,
		  struct gml_path *path);

/* The target of a decision about the key: its directory, and `inode` (NULL: nothing, or not looked
 * at). Borrows from *path. */
void gml_path_target(const struct gml_path *path, const struct gml_inode *inode,
		     struct gml_target *out);
/* May the caller do this there? gml_authorize's answers. */
int gml_path_may(const struct gml_op *op, enum gml_action action, const struct gml_path *path,
		 const struct gml_inode *inode);
/* The answer for a missing key: NOENT, or ACCESS when the caller may not read the directory that
 * would hold it (the deepest existing one). */
int gml_path_missing(const struct gml_op *op, const struct gml_path *path);
/* The inode that the walked key denotes as an object: a regular file, or (*directory_out) the
 * explicit directory that stands for `dir/`. NOENT for all else. Spans of *out are borrowed from
 * the transaction. */
int gml_path_object(struct gml_txn *txn, const struct gml_path *path, struct gml_inode *out,
		    bool *directory_out);
/* Fills the present ino, size, mtime, etag, nparts, checksum, directory; leaves headers and
 * metadata empty. Not in closures: it asks about a file that is being written
 * (gml_inode_attr_spaceless). */
int gml_path_facts(struct gml_store *store, const struct gml_inode *inode, bool directory,
		   struct gml_object_info *info);
/* The same from attributes that were read before. `live`: those of a file that is being written;
 * not read otherwise. Pure. */
void gml_path_facts_of(const struct gml_inode *inode, bool directory, const struct gml_attr *live,
		       struct gml_object_info *info);

#endif
