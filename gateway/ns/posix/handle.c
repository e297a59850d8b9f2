// SPDX-License-Identifier: Apache-2.0
/* The gate that every operation passes whose inode number came from a handle, not from a name.
 *
 * A handle outlives the name that it was given for, and the rights of the client that received it,
 * and it can be passed on. So
 *  1. an inode that has lost its last name answers STALE, and the client looks the name up again.
 *     Otherwise a change by path would end in the file that a PUT replaced. Two kinds of request
 *     may continue with such an inode: one that itself found it by name (op->handle.found), and one
 *     of the client that has it open.
 *  2. inodes of a bucket are barred to callers that may not search the bucket's root, whatever the
 *     modes below. The root itself is never barred: a client that mounts the bucket asks for its
 *     attributes before anything else. The gate reports the bar; gml_authorize decides with it.
 *
 * The answers of rule 1 for an inode without a name; the first column that applies counts:
 *
 *                          named      found      client has it open  recovering  else
 *   gml_handle_look        continues  continues  continues           AGAIN       STALE
 *   gml_handle_look_named  continues  STALE      STALE               STALE       STALE
 *   gml_file_open          continues  continues  STALE               STALE       STALE
 *     with GML_OPEN_IO     continues  continues  continues           AGAIN       STALE
 *
 * (struct gml_handle_context). An inode that continues is then checked by rule 2. To a refused
 * caller everything is barred but the roots of buckets and of the namespace. gml_handle_look_named
 * is for directories and LINK. */
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "handle.h"
#include "open_inode.h"

/* 2. of the above. */
static int handle_bar(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode,
		      bool *barred_out)
{
	const struct gml_principal *who = &op->principal;
	struct gml_inode root;
	int rc;
	*barred_out = op->handle.barred;
	if (*barred_out || gml_ino_is_none(inode->bucket) ||
	    gml_ino_equal(inode->ino, inode->bucket) || gml_search_unlimited(who))
		return 0;
	rc = gml_rec_inode_get(txn, inode->bucket, &root);
	if (rc == GML_ERR_NOENT) { /* the bucket is deleted; only open files of it are left */
		*barred_out = gml_leftover_barred(who, inode);
		return 0;
	}
	*barred_out = rc != 0 || gml_search_barred(who, &root);
	return rc;
}

/* 1. of the above. */
static int handle_alive(const struct gml_op *op, struct gml_store *store,
			const struct gml_inode *inode)
{
	if (!(inode->flags & GML_INODE_ORPHAN) || op->handle.found ||
	    gml_open_inode_held(store, inode->ino, op->handle.client))
		return 0;
	return op->handle.recovering ? GML_ERR_AGAIN : GML_ERR_STALE;
}

int gml_handle_look(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		    gml_ino ino, struct gml_inode *out, bool *barred_out)
{
	int rc;
	gml_txn_serve(txn, op);
	rc = gml_rec_inode_get(txn, ino, out);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	rc = handle_alive(op, store, out);
	return rc == 0 ? handle_bar(txn, op, out, barred_out) : rc;
}

int gml_handle_look_named(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			  struct gml_inode *out, bool *barred_out)
{
	int rc;
	gml_txn_serve(txn, op);
	rc = gml_rec_inode_get(txn, ino, out);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_STALE : rc;
	if (out->flags & GML_INODE_ORPHAN)
		return GML_ERR_STALE;
	return handle_bar(txn, op, out, barred_out);
}

int gml_handle_get(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		   gml_ino ino, enum gml_action action, struct gml_inode *out)
{
	bool barred;
	int rc = gml_handle_look(txn, op, store, ino, out, &barred);
	return rc == 0 ? gml_may_inode(txn, op, action, out, barred) : rc;
}

int gml_handle_read(const struct gml_op *op, struct gml_store *store, gml_ino ino,
		    enum gml_action action, struct gml_inode *out)
{
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_handle_get(txn, op, store, ino, action, out);
	gml_meta_read_end(txn);
	return rc;
}
