// SPDX-License-Identifier: Apache-2.0
/* Operations on names, as POSIX and NFS see them: every `name` here is an NFS name (docs/architecture.md, "Names": escapes), 1 to 255 bytes, without
 * '/' and NUL, else INVAL or NAMETOOLONG. Entries of the root are buckets: mkdir there is CreateBucket, remove is DeleteBucket (BUCKETNAME on illegal names). All changes are
 * atomic, durable on return (but see gml_bucket_set_relaxed), update parents' mtime, ctime and change, and leave the store untouched on failure. Threads: any. */
#ifndef GEMEL_DIR_H
#define GEMEL_DIR_H

#include <gemel/inode.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* LOOKUP. Needs `x` on the parent. Errors: NOENT, NOTDIR, STALE, ACCESS. No blocking. */
int gml_dir_lookup(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   struct gml_attr *out);
/* LOOKUPP: the directory's parent; NOENT at the root. */
int gml_dir_parent(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_attr *out);

/* mkdir, symlink, mknod: need `w+x` on the parent; EXIST if the name is shown there. `set` may be NULL (mode default 0755, 0644); uid/gid default to the
 * caller's, gid to the parent's under setgid. `out` = the new inode. */
int gml_dir_mkdir(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  const struct gml_setattr *set, struct gml_attr *out);
int gml_dir_symlink(struct gml_op *op, struct gml_store *store, gml_ino parent,
		    struct gml_span name, struct gml_span target, const struct gml_setattr *set,
		    struct gml_attr *out);
int gml_dir_mknod(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		  enum gml_type type, uint64_t rdev, const struct gml_setattr *set,
		  struct gml_attr *out);

/* link(2). Directories: PERM. Other bucket: XDEV. MLINK past GML_LINK_MAX. `out` may be NULL. */
int gml_dir_link(struct gml_op *op, struct gml_store *store, gml_ino ino, gml_ino parent,
		 struct gml_span name, struct gml_attr *out);

/* rename(2) with POSIX replacement rules, sticky bit, no directory into itself (INVAL), same file: success and nothing done. A replaced file becomes an orphan.
 * Cost is independent of the size of a renamed directory. */
int gml_dir_rename(struct gml_op *op, struct gml_store *store, gml_ino from_dir,
		   struct gml_span from, gml_ino to_dir, struct gml_span to);

enum gml_remove_what { GML_REMOVE_ANY, GML_REMOVE_FILE, GML_REMOVE_DIR };
/* REMOVE (RFC 8881 18.25). FILE on a directory: ISDIR; DIR on a file: NOTDIR. A directory must show no entry (NOTEMPTY). Sticky bit honoured. */
int gml_dir_remove(struct gml_op *op, struct gml_store *store, gml_ino parent, struct gml_span name,
		   enum gml_remove_what what);

/* READDIR from after `cookie` (0 = start), in cookie order, no "." and "..". `each` gets the NFS name and the attributes (attr->cookie = resume here) until it returns false; it
 * may not call the core. *eof_out = no entry is left. Needs `r` on the directory. Buckets that the caller may not see are left out at the root. */
typedef bool (*gml_dir_each)(void *arg, struct gml_span name, const struct gml_attr *attr);
int gml_dir_read(struct gml_op *op, struct gml_store *store, gml_ino dir, uint64_t cookie,
		 gml_dir_each each, void *arg, bool *eof_out);

GML_API_END

#endif
