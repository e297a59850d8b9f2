// SPDX-License-Identifier: Apache-2.0
/* Names and inodes, inside a write transaction. */
#ifndef GML_NS_CORE_LINK_H
#define GML_NS_CORE_LINK_H

#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/iam/acl.h"
#include "supersede.h"

/* Any write ends the spans (name, target, headers, parts, acl) of inodes read in the same
 * transaction. gml_inode_save puts such an inode all the same: spans that are not empty are read
 * anew from the stored record (all but the name can be emptied; inode_acl.h can change an ACL). The
 * link functions below put through it; the spans of their `dir` and `inode` are stale afterwards. A
 * `name` argument must be the caller's own memory, not the transaction's. A new inode's spans are
 * the caller's. */
int gml_inode_save(struct gml_txn *txn, struct gml_inode *inode);
int gml_inode_save_named(struct gml_txn *txn, struct gml_inode *inode, gml_ino parent,
			 struct gml_span name); /* the same, with another name */
void gml_dir_touch(struct gml_inode *dir); /* mtime, ctime, change after a change of its entries */
/* Fresh inode in `dir`: number, owner, times, change, birth, mode and inherited ACL; not yet put,
 * no name (nlink 0; a directory 1). NOMEM, CORRUPT. */
int gml_inode_init(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		   enum gml_type type, const struct gml_new_mode *mode, struct gml_inode *out);
/* Add dirent `name` (stored form) -> inode in dir, with a new cookie; sets inode's parent and name,
 * bumps dir's mtime, ctime, change (and nlink for directories); puts both. The name must be free.
 * An inode's first name also adds its size and, for a file, one object to the bucket's usage (ask
 * gml_usage_check before). */
int gml_link_add(struct gml_txn *txn, struct gml_inode *dir, struct gml_span name,
		 struct gml_inode *inode);
/* A name that is removed or changed: `name` (stored form, the caller's own memory) in `dir`. */
struct gml_link {
	const struct gml_op *op; /* who asks */
	struct gml_inode *dir;
	struct gml_span name;
	enum gml_supersede why; /* what happens to the inode that has the name now (supersede.h) */
};
/* Removes the name. `inode`, which it denotes, loses it (gml_supersede). Bumps dir; puts both and
 * the bucket's usage. Does not prune. CORRUPT: there is no such name. */
int gml_link_remove(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode);
/* The name denotes `inode`, which is new and has no name yet, instead of `old`, which loses it. Its
 * row and its cookie stay: a reader of the directory by cookies neither misses nor repeats it.
 * Bumps dir; puts the name, both inodes, dir and the bucket's usage once each (ask gml_usage_check
 * before). CORRUPT: there is no such name, or it is not old's. */
int gml_link_replace(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *old,
		     struct gml_inode *inode);
/* rename(2): `inode` loses the name `from` and gets `to`, with a new cookie, or with that of the
 * name that `old` (NULL: there is none) loses. The two directories may be one, and one struct then.
 * An inode with one name gets its parent and name. Bumps both directories; puts each inode and the
 * usage once. The caller sets its ctime and change attribute. CORRUPT: a name is not there, or not
 * the inode's. */
int gml_link_move(struct gml_txn *txn, const struct gml_link *from, const struct gml_link *to,
		  struct gml_inode *inode, struct gml_inode *old);
/* Has the directory no entry? 0 or NOTEMPTY. With marker_out, the entry that NFS does not show does
 * not count: the directory's own marker without data; *marker_out: its ino, or 0. NULL: every entry
 * counts. Any transaction. The only definition of an empty directory. */
int gml_dir_empty(struct gml_txn *txn, gml_ino dir, gml_ino *marker_out);
/* While `dir` is implicit, empty and not a bucket root: remove it from its parent, and so on
 * upwards. */
int gml_dir_prune(struct gml_txn *txn, const struct gml_op *op, struct gml_inode *dir);
/* Bucket usage: DQUOT if it would exceed a quota (checked only for growth). */
int gml_usage_check(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects);
int gml_usage_add(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects);

#endif
