// SPDX-License-Identifier: Apache-2.0
/* A new inode under a key, inside a write transaction. */
#ifndef GML_NS_OBJECT_PUBLISH_H
#define GML_NS_OBJECT_PUBLISH_H

#include <gemel/account.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "object_meta.h"

/* Order within a closure: check, gml_keep_prepare (reads only), inode (first writes),
 * gml_publish_grant, [content and attachments], link. The caller's storage; fill the first part,
 * zero the rest. */
struct gml_publish {
	struct gml_op *op;
	struct gml_store *store;
	struct gml_object_ref ref;
	const struct gml_conditions *cond; /* may be NULL */
	const struct gml_grants *grants;   /* that the request states; may be NULL */
	uint64_t size;			   /* of the new content: quota */

	struct gml_path path;
	bool replaces;
	struct gml_inode old;	      /* when `replaces` */
	bool keeps;		      /* the new inode keeps the owner of the old one (keep.c) */
	struct gml_kept *kept;	      /* on the heap: gml_keep_release */
	struct gml_span kept_acl;     /* the closure's */
	enum gml_ownership ownership; /* when `sets_grants` */
	bool sets_grants;	      /* gml_publish_grant gives the new inode some */

	bool asks;	      /* the closure needs `live` of this inode: AGAIN */
	struct gml_attr live; /* of a file that is being written, asked between two runs */
};
/* gml_meta_update of a closure that works on *pub. Between two runs of it, the present attributes
 * of a file that is being written are read, if conditions need them. CONFLICT: the name denotes
 * another such file each time. */
int gml_publish_update(struct gml_publish *pub, gml_meta_fn fn, void *arg);
/* The facts that conditions check, in a transaction. AGAIN in a closure: gml_publish_update reads
 * the attributes and runs it again. */
int gml_publish_facts(struct gml_txn *txn, struct gml_publish *pub, const struct gml_inode *inode,
		      bool directory, struct gml_object_info *info);
/* Walks the path; conditions, rights, quota. Writes nothing. NOBUCKET, ACCESS, PERM, ROFS,
 * PRECONDITION, NOENT, DQUOT, INVAL, NAMETOOLONG, NOVERSION. */
int gml_publish_check(struct gml_txn *txn, struct gml_publish *pub);
/* May an object be put at a walked path? Where one is, which goes to *old, it is replaced. ACCESS,
 * PERM, ROFS, CORRUPT. */
int gml_path_may_put(struct gml_txn *txn, const struct gml_op *op, struct gml_path *path,
		     struct gml_inode *old, bool *replaces_out);
/* Behind the check: may what the request states about the new object be stated, its grants and its
 * tags in `attach`? ACCESS, PERM, CORRUPT. */
int gml_publish_may_state(struct gml_publish *pub, const struct gml_object_meta *attach);
/* The same for a walked path, before `old` (NULL: nothing, or not looked at) is replaced. */
int gml_path_may_state(const struct gml_op *op, const struct gml_path *path,
		       const struct gml_inode *old, bool grants, bool tags);
/* Makes missing directories, initialises the new inode: regular, the caller's, 0644, or as keep.c
 * has it. */
int gml_publish_inode(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *out);
/* Links the finished inode under the key, in place of the replaced one; this updates the usage. */
int gml_publish_link(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *inode);
/* The facts of a published inode for the caller: ino, etag, size, mtime, nparts, checksum. */
void gml_publish_info(const struct gml_inode *inode, struct gml_object_info *info);

#endif
