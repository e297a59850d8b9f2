// SPDX-License-Identifier: Apache-2.0
/* Operations on names, as POSIX and NFS see them.
 *
 * Every `name` is an NFS name (docs/architecture.md, "Names", describes the escapes): 1 to 255
 * bytes without '/' and NUL, else INVAL or NAMETOOLONG. Entries of the root are buckets: mkdir
 * there is CreateBucket and remove is DeleteBucket (BUCKETNAME on illegal names). A change also
 * updates the mtime, ctime and change attribute of its directories. "Durable: yes" means in a
 * strict bucket (gml_bucket_set_relaxed). The labels of the contracts are explained in README.md
 * here. */
#ifndef GEMEL_DIR_H
#define GEMEL_DIR_H

#include <gemel/inode.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Find `name` in `parent` (LOOKUP, RFC 8881 18.13). Needs `x` on the parent.
 * Errors: NOENT, NOTDIR, STALE, ACCESS, INVAL, NAMETOOLONG.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_dir_lookup(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   struct gml_attr *out);
/* The parent of a directory (LOOKUPP, RFC 8881 18.14).
 * Errors: NOENT (`ino` is the root), NOTDIR, STALE, ACCESS.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_dir_parent(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_attr *out);

/* Make a directory, or a bucket in the root (mkdir; CREATE, RFC 8881 18.4). Needs `w+x` on the
 * parent. `set` may be NULL: mode 0755, the caller's uid, and the caller's gid or the parent's
 * under setgid. *out: the new inode.
 * Errors: EXIST (the name is shown there, or a bucket has it), NOTDIR, STALE, ACCESS, PERM, ROFS,
 * INVAL, NAMETOOLONG, BUCKETNAME, NOSPC, DQUOT.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_dir_mkdir(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  const struct gml_setattr *set, struct gml_attr *out);
/* What is neither file nor directory. */
struct gml_node {
	enum gml_type type;	/* GML_LNK, GML_CHR, GML_BLK, GML_FIFO, GML_SOCK */
	uint64_t rdev;		/* of a device */
	struct gml_span target; /* of a symbolic link: 1 to GML_SYMLINK_MAX bytes without NUL */
	const struct gml_setattr *set; /* NULL: mode 0644 (a link: 0777), else as gml_dir_mkdir */
};
/* Make a symbolic link, device, socket or FIFO (symlink, mknod). Needs `w+x` on the parent, and
 * uid 0 for devices; *out as gml_dir_mkdir.
 * Errors: EXIST, NOENT, NOTDIR, STALE, ACCESS, PERM (in the root; a device), ROFS, INVAL (other
 * types; a target that is empty or has a NUL), NAMETOOLONG, NOSPC, DQUOT.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_dir_mknod(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  const struct gml_node *node, struct gml_attr *out);

/* Give the inode another name (link; LINK, RFC 8881 18.9). Needs `w+x` on the parent. `out` may be
 * NULL.
 * Errors: PERM (a directory), XDEV (another bucket), MLINK (more than GML_LINK_MAX names), EXIST,
 * NOTDIR, STALE, ACCESS, ROFS, INVAL, NAMETOOLONG, NOSPC, DQUOT.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_dir_link(struct gml_op *op, struct gml_store *store, gml_ino ino, gml_ino parent,
		 struct gml_span name, struct gml_attr *out);

/* Rename (rename; RENAME, RFC 8881 18.26), with POSIX's rules for replacing and for the sticky bit.
 * If both names are of one inode, the call succeeds and changes nothing. A replaced file becomes an
 * orphan. The cost does not depend on the size of a renamed directory.
 * Errors: NOENT, EXIST, NOTDIR, ISDIR, NOTEMPTY, INVAL (a directory into itself), XDEV (another
 * bucket), STALE, ACCESS, PERM, ROFS, NAMETOOLONG, NOSPC, DQUOT.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_dir_rename(struct gml_op *op, struct gml_store *store, gml_ino from_dir,
		   struct gml_span from, gml_ino to_dir, struct gml_span to);

/* Which kinds of entry gml_dir_remove accepts. */
enum gml_remove_kind { GML_REMOVE_ANY, GML_REMOVE_FILE, GML_REMOVE_DIR };
/* Remove a name (REMOVE, RFC 8881 18.25), with POSIX's rules for the sticky bit. An inode that
 * loses its last name becomes an orphan.
 * Errors: NOENT, ISDIR (FILE, and it is a directory), NOTDIR (DIR, and it is not), NOTEMPTY (a
 * directory that shows an entry), STALE, ACCESS, PERM, ROFS, INVAL, NAMETOOLONG, BUCKETNAME.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_dir_remove(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   enum gml_remove_kind kind);

/* Gets the NFS name and the attributes; attr->cookie is where to resume after this entry. False
 * ends the walk. Must not call the core; both arguments are borrowed for the call. */
typedef bool (*gml_dir_each)(void *arg, struct gml_span name, const struct gml_attr *attr);
/* Where a walk starts, and who gets the entries. */
struct gml_dir_query {
	uint64_t cookie; /* from after this one; 0: from the start */
	gml_dir_each each;
	void *arg;
};
/* Call `each` for entries in cookie order, without "." and ".." (READDIR, RFC 8881 18.23).
 * *eof_out: no entry is left. Needs `r` on the directory. In the root, buckets that the caller may
 * not see are left out.
 * Errors: NOTDIR, STALE, ACCESS.
 * Threads: any. Blocks: no. Durable: n/a. On failure: `each` may have been called for some
 * entries. */
int gml_dir_read(struct gml_op *op, struct gml_store *store, gml_ino dir,
		 const struct gml_dir_query *query, bool *eof_out);

GML_API_END

#endif
