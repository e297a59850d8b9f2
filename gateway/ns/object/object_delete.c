// SPDX-License-Identifier: Apache-2.0
/* DeleteObject. */
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "publish.h"

struct object_delete {
	struct gml_publish at; /* the place of the key; size and quota do not matter */
	struct gml_inode child;
	bool existed;
	bool file;     /* a name goes */
	bool unmarked; /* the directory's EXPLICIT flag goes */
};

/* The rights to remove the directory itself, as for rmdir(2). */
static int delete_may_remove(struct gml_txn *txn, const struct gml_op *op,
			     const struct gml_path *path)
{
	struct gml_target target;
	struct gml_inode parent;
	int rc = gml_rec_inode_get(txn, path->dir.parent, &parent);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	gml_path_target(path, &path->dir, &target);
	target.dir = &parent;
	return gml_may(txn, op, GML_ACTION_DELETE_OBJECT, &target);
}

/* What the key denotes, after the decision. The right to delete may be the inode's own, so it is
 * asked about what is there. */
static int delete_look(struct gml_txn *txn, struct object_delete *del)
{
	struct gml_path *path = &del->at.path;
	bool directory = false;
	int may, rc = gml_path_walk(txn, del->at.op, &del->at.ref, path);
	if (rc != 0)
		return rc;
	rc = gml_path_object(txn, path, &del->child, &directory);
	del->existed = rc == 0;
	del->file = rc == 0 && !directory;
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	may = gml_path_may(del->at.op, GML_ACTION_DELETE_OBJECT, path,
			   del->file ? &del->child : NULL);
	return may != 0 ? may : rc;
}

static int delete_check(struct gml_txn *txn, struct object_delete *del)
{
	struct gml_publish *at = &del->at;
	struct gml_path *path = &at->path;
	struct gml_object_info info;
	int rc = delete_look(txn, del);
	if (rc == GML_ERR_NOENT)
		return gml_conditions_check(at->cond, NULL, true);
	if (rc == 0 && at->cond != NULL) {
		rc = gml_publish_facts(txn, at, &del->child, !del->file, &info);
		if (rc == 0)
			rc = gml_conditions_check(at->cond, &info, true);
	}
	del->unmarked = path->last.len == 0 && path->dir.flags & GML_INODE_EXPLICIT;
	if (rc == 0 && del->unmarked)
		rc = delete_may_remove(txn, at->op, path);
	return rc;
}

static int delete_fn(struct gml_txn *txn, void *arg)
{
	struct object_delete *del = arg;
	struct gml_inode *dir = &del->at.path.dir;
	int rc = delete_check(txn, del);
	if (rc != 0 || !del->existed)
		return rc;
	gml_assert(del->file || del->unmarked); /* what exists is a name, or a directory's flag */
	if (del->unmarked)
		dir->flags &= ~(uint32_t)GML_INODE_EXPLICIT;
	if (del->file) {
		rc = gml_link_remove(txn,
				     &(struct gml_link){.op = del->at.op,
							.dir = dir,
							.name = del->at.path.last,
							.why = GML_SUPERSEDE_REMOVED},
				     &del->child);
	} else {
		gml_dir_touch(dir);
		rc = gml_inode_save(txn, dir);
	}
	return rc != 0 ? rc : gml_dir_prune(txn, del->at.op, dir);
}

int gml_object_delete(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		      const struct gml_conditions *cond, bool *existed_out)
{
	struct object_delete del = {
		.at = {.op = op, .store = store, .ref = *ref, .cond = cond},
	};
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	/* Most refusals and missing keys need no write transaction. */
	rc = delete_check(txn, &del);
	gml_meta_read_end(txn);
	if (rc == 0 && del.existed)
		rc = gml_publish_update(&del.at, delete_fn, &del);
	if (rc == 0 && existed_out != NULL)
		*existed_out = del.existed;
	return rc;
}
