// SPDX-License-Identifier: Apache-2.0
/* Operations on an inode that need no name. All take the caller's rights from `op` and answer ACCESS,
 * PERM, ROFS and STALE accordingly: ACCESS without search permission on the root of the inode's bucket
 * (the root itself answers everybody), STALE for an inode that has lost its last name, unless
 * op->found, or op->client has it open (gemel/file.h); AGAIN instead while op->recovering. */
#ifndef GEMEL_INODE_H
#define GEMEL_INODE_H

#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Attributes now (live size, mtime and change while DIRTY). No permission on the inode is needed (RFC 8881 GETATTR). Errors: STALE, ACCESS. No blocking. */
int gml_inode_getattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      struct gml_attr *out);

/* The inode of a handle that comes back, named or not, whoever asks: what it is, so that operations
 * on it can be refused. Errors: STALE. No blocking. */
int gml_inode_find(struct gml_store *store, gml_ino ino, struct gml_attr *out);

/* SETATTR (RFC 8881 18.30, POSIX chmod/chown/utimes/truncate rules: owner or uid 0 for mode and explicit times, `w` for times "now" and size,
 * uid 0 for a change of owner, owner within own groups for gid; suid/sgid cleared as POSIX says). All or nothing. Durable.
 * `out` (may be NULL) = attributes after. Errors also: ISDIR and INVAL (size of a non-file), FBIG, NOSPC. */
int gml_inode_setattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      const struct gml_setattr *set, struct gml_attr *out);

/* Link target into buf[cap]; *len_out its length, TOOBIG if it does not fit, INVAL if not a symlink. Not NUL-terminated. */
int gml_inode_readlink(struct gml_op *op, struct gml_store *store, gml_ino ino, char *buf,
		       size_t cap, size_t *len_out);

enum {
	GML_MAY_EXEC = 1, /* search, for a directory */
	GML_MAY_WRITE = 2,
	GML_MAY_READ = 4,
};
/* Which of `want` (GML_MAY_*) the caller has on the inode, mode bits only; the NFS ACCESS operation is built on it. Errors: STALE, ACCESS. */
int gml_inode_access(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned want,
		     unsigned *granted_out);

/* Extended attributes, RFC 8276. Names include their "user." prefix; only "user." names are accepted (else NOTSUP). Reads need `r`, changes `w`.
 * A value over GML_XATTR_VALUE_MAX is TOOBIG. A set that would leave an inode with more than
 * GML_XATTR_COUNT_MAX attributes, GML_XATTR_TOTAL_MAX bytes of them, or 64 KiB of names is NOSPC; one
 * that only shortens a value is not.
 * "user.s3.meta.*" is the object's S3 user metadata, "user.s3.tag.*" its tags; their limits are S3's (2 KiB of metadata in total). */
int gml_xattr_get(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  void *buf, size_t cap, size_t *len_out); /* cap 0: size only; TOOBIG */
enum gml_xattr_how { GML_XATTR_EITHER, GML_XATTR_CREATE, GML_XATTR_REPLACE };
int gml_xattr_set(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  struct gml_span value, enum gml_xattr_how how);
int gml_xattr_remove(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name);
/* Calls `each` per name in bytewise order until it returns false. Names are borrowed for the call.
 * Those over GML_XATTR_NAME_MAX bytes (S3 metadata and tags) are left out: NFS cannot say them. */
int gml_xattr_list(struct gml_op *op, struct gml_store *store, gml_ino ino,
		   bool (*each)(void *arg, struct gml_span name), void *arg);

/* An object's tags: its attributes "user.s3.tag.NAME", as one set. Names are without that prefix, values bytes; both borrowed for the call. */
struct gml_meta_pair; /* gemel/object.h */
/* Calls `each` per tag in bytewise order of the names until it returns false, all from one snapshot: never a set that is half replaced. Needs `r`. STALE, ACCESS. No blocking. */
int gml_tags_each(struct gml_op *op, struct gml_store *store, gml_ino ino,
		  bool (*each)(void *arg, struct gml_span name, struct gml_span value), void *arg);
/* Replace all tags by these (0: none) in one transaction; a crash leaves the old set or the new one. Needs `w`. Names must differ (INVAL) and have 1 to 512 bytes (NAMETOOLONG), values an attribute's limits
 * (INVAL, TOOBIG); at most 10 tags (TOOBIG). STALE, ACCESS, ROFS. Any thread; blocks on commit; durable once it returns 0; on failure nothing changed. */
int gml_tags_replace(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     const struct gml_meta_pair *tags, uint32_t ntags);

GML_API_END

#endif
