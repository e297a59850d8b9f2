// SPDX-License-Identifier: Apache-2.0
/* Operations on an inode that need no name.
 *
 * The number comes from a handle. So each operation first passes a gate: ACCESS without search
 * permission on the root of the inode's bucket (the root itself answers everyone); STALE for an
 * inode that has lost its last name, unless op->handle.found, or op->handle.client has it open
 * (gemel/file.h); AGAIN in place of STALE while op->handle.recovering. These three are in the error
 * lists below as "gate". The labels of the contracts are explained in README.md here. */
#ifndef GEMEL_INODE_H
#define GEMEL_INODE_H

#include <gemel/acl.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* The attributes now; of a DIRTY file the present size, mtime and change attribute (GETATTR, RFC
 * 8881 18.7). Needs no permission on the inode.
 * Errors: gate.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_inode_getattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      struct gml_attr *out);

/* The same, and the ACL of the same moment; of an inode without one, the ACL that says its mode
 * (RFC 8881 6.4.2). A caller that may not read the ACL gets an empty one.
 * Errors: gate.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out and *acl_out are undefined. */
int gml_inode_getattr_acl(struct gml_op *op, struct gml_store *store, gml_ino ino,
			  struct gml_attr *out, struct gml_acl *acl_out);
/* The ACL alone (RFC 8881 6.2.1), for the owner and callers to whom it allows READ_ACL; every
 * caller may see the ACL of an inode that has only a mode.
 * Errors: gate.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_inode_acl(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_acl *out);

/* The attributes of an inode, named or not, without the gate: what it is, so that a caller can
 * refuse operations on it.
 * Errors: STALE (no such inode).
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_inode_find(struct gml_store *store, gml_ino ino, struct gml_attr *out);

/* Change attributes, all or none (SETATTR, RFC 8881 18.30). The rules of chmod, chown, utimes and
 * truncate apply: mode, ACL and explicit times need the owner or uid 0, times "now" and size need
 * `w`, a change of owner needs uid 0, a change of gid the owner within own groups. An ACL can allow
 * each of them to others, and a caller to become the owner. setuid and setgid are cleared as POSIX
 * says. A mode changes the ACL, and an ACL the mode (RFC 8881 6.4.1); when both are set, the mode
 * is first. `out` (may be NULL): the attributes afterwards.
 * Errors: gate, PERM, ROFS, ISDIR and INVAL (size of what is not a file), FBIG, NOSPC, DQUOT, IO;
 * NOTSUP (an entry of the ACL that cannot be enforced), INVAL (one that says nothing;
 * GML_SET_UMASK), TOOBIG (more than GML_ACL_ENTRIES_MAX entries).
 * Threads: any. Blocks: commit; disk when the size changes. Durable: yes. On failure: nothing
 * changed. */
int gml_inode_setattr(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      const struct gml_setattr *set, struct gml_attr *out);

/* Copy the target of a symbolic link into buf[cap], without NUL; *len_out is its length (READLINK,
 * RFC 8881 18.24).
 * Errors: gate, INVAL (no symbolic link), TOOBIG (longer than cap).
 * Threads: any. Blocks: no. Durable: n/a. On failure: *len_out is undefined. */
int gml_inode_readlink(struct gml_op *op, struct gml_store *store, gml_ino ino, char *buf,
		       size_t cap, size_t *len_out);

enum {
	GML_MAY_EXEC = 1, /* search, for a directory */
	GML_MAY_WRITE = 2,
	GML_MAY_READ = 4,
	/* What only ACLs tell apart from WRITE: */
	GML_MAY_EXTEND = 8,  /* write behind the end of a file, add a name to a directory */
	GML_MAY_DELETE = 16, /* remove a name from a directory */
	GML_MAY_READ_ACL = 32,
	GML_MAY_ALL = 63,
};
/* Which of `want` (GML_MAY_*) the caller has on the inode (ACCESS, RFC 8881 18.1).
 * Errors: gate.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *granted_out is undefined. */
int gml_inode_access(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned want,
		     unsigned *granted_out);

/* Extended attributes (RFC 8276). Names include their prefix "user."; other names are NOTSUP.
 * Reading needs `r`, changing needs `w`. "user.s3.meta.*" is the S3 user metadata of an object and
 * "user.s3.tag.*" its tags; S3's limits apply to them (2 KiB of metadata in total). */

/* Copy a value into buf; *len_out is its length. buf.len 0 asks for the length only.
 * Errors: gate, NOXATTR, NOTSUP, INVAL, NAMETOOLONG, TOOBIG (longer than buf).
 * Threads: any. Blocks: no. Durable: n/a. On failure: *len_out is undefined. */
int gml_xattr_get(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  struct gml_buf buf, size_t *len_out);
enum gml_xattr_disposition { GML_XATTR_EITHER, GML_XATTR_CREATE, GML_XATTR_REPLACE };
/* Set a value of up to GML_XATTR_VALUE_MAX bytes.
 * Errors: gate, EXIST (CREATE, and it exists), NOXATTR (REPLACE, and it does not), NOTSUP, INVAL,
 * NAMETOOLONG, TOOBIG, PERM, ROFS; NOSPC if the inode would have more than GML_XATTR_COUNT_MAX
 * attributes, GML_XATTR_TOTAL_MAX bytes of them, or 64 KiB of names (shortening a value never is).
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_xattr_set(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  struct gml_span value, enum gml_xattr_disposition disposition);
/* Remove an attribute.
 * Errors: gate, NOXATTR, NOTSUP, INVAL, NAMETOOLONG, PERM, ROFS.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_xattr_remove(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name);
/* Call `each` per name in bytewise order until it returns false. Names are borrowed for the call.
 * Names over GML_XATTR_NAME_MAX bytes (S3 metadata and tags) are left out: NFS cannot carry them.
 * Errors: gate.
 * Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On failure: `each` may
 * have been called. */
int gml_xattr_list(struct gml_op *op, struct gml_store *store, gml_ino ino,
		   bool (*each)(void *arg, struct gml_span name), void *arg);

struct gml_meta_pair; /* gemel/object.h */
/* Call `each` per tag of an object, in bytewise order of the names, until it returns false
 * (GetObjectTagging). Tags are the attributes "user.s3.tag.NAME"; names come without that prefix.
 * All come from one snapshot. Both spans are borrowed for the call. Needs `r`.
 * Errors: gate.
 * Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On failure: `each` may
 * have been called. */
int gml_tags_each(struct gml_op *op, struct gml_store *store, gml_ino ino,
		  bool (*each)(void *arg, struct gml_span name, struct gml_span value), void *arg);
/* Replace all tags of an object by these, in one transaction (PutObjectTagging); NULL removes them
 * (DeleteObjectTagging). Names must differ and have 1 to 512 bytes. Needs `w`.
 * Errors: gate, INVAL, NAMETOOLONG, TOOBIG (a value, or more than 10 tags), NOSPC, ROFS, NOMEM.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_tags_replace(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     const struct gml_meta_pair *tags, uint32_t ntags);

GML_API_END

#endif
