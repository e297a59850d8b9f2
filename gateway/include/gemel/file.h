// SPDX-License-Identifier: Apache-2.0
/* Regular files as POSIX and NFS use them. */
#ifndef GEMEL_FILE_H
#define GEMEL_FILE_H

#include <sys/uio.h>
#include <gemel/dir.h>
#include <gemel/visibility.h>

GML_API_BEGIN

struct gml_file; /* an open file; counted references on one in-process inode object */

/* IO: for requests that bring no open file of their own (special stateids, NFSv3); it does not count
 * as op->client's open. */
enum { GML_OPEN_READ = 1, GML_OPEN_WRITE = 2, GML_OPEN_IO = 4 };

enum gml_create_how {
	GML_CREATE_UNCHECKED, /* existing file: opened; size 0 in `set` truncates it */
	GML_CREATE_GUARDED,   /* existing: EXIST */
	GML_CREATE_EXCLUSIVE, /* existing with the same verifier (not zero, which all others have): success, else EXIST (RFC 8881 18.16.3) */
};

/* Opens an existing file for reading or writing, as `how` says; 0: for its attributes only. *out is
 * the caller's, until gml_file_close.
 * OPEN applies the mode bits to everyone, including the owner. READ and WRITE on an open file also
 * admit the owner.
 * A file that loses its last name while it is open goes on for op->client until its last close, and
 * for nobody else. An open of a file without a name is STALE, unless op->found is set or, with
 * GML_OPEN_IO, op->client has it open.
 * Errors: ISDIR, INVAL (not regular), STALE, ACCESS, ROFS, NOMEM, and AGAIN (with GML_OPEN_IO, while
 * op->recovering). Does not block. On failure *out is NULL. */
int gml_file_open(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned how,
		  struct gml_file **out);

/* Create or open by name in one transaction; *created_out says which. The creator's open succeeds whatever `set` makes of the mode. Durable. */
int gml_file_create(struct gml_op *op, struct gml_store *store, gml_ino parent,
		    struct gml_span name, unsigned open_how, enum gml_create_how how,
		    const uint8_t verifier[8], const struct gml_setattr *set, struct gml_file **out,
		    struct gml_attr *attr_out, bool *created_out);

/* Drops the reference; the last one of a file that was written syncs and settles it (durable), or frees it when it is an orphan past its time. Returns the error of that
 * settling (the file is closed in any case). A new file that was never written costs nothing here (gml_store_finalize). NULL is fine. */
int gml_file_close(struct gml_op *op, struct gml_file *file);

/* May op's client name the open states of the file in a request (LOCK, CLOSE …)? 0: it has the file
 * open, or nobody has. ACCESS: only other clients have it open, so the state is not its own. Any
 * thread; no blocking. */
int gml_file_state_check(const struct gml_op *op, struct gml_store *store, gml_ino ino);

gml_ino gml_file_ino(const struct gml_file *file);

/* Read up to len bytes at off into buf; holes read as zeros. *nread_out may be short only at the end of
 * the file; *eof_out: off + nread reaches it, as it does for any `off` behind the end, even one where no
 * file can be. Rights are checked again: `r`, or `x` (execution), or the owner. */
int gml_file_read(struct gml_op *op, struct gml_file *file, uint64_t off, void *buf, size_t len,
		  size_t *nread_out, bool *eof_out);

/* Write all of iov at off, in place in the write blob. stable: durable on return (FILE_SYNC), else after gml_file_commit or the last close. Other processes
 * see it at once. Clears suid/sgid for callers other than uid 0. Errors: ACCESS, NOSPC, FBIG, DQUOT, IO, ROFS, STALE. */
int gml_file_write(struct gml_op *op, struct gml_file *file, uint64_t off, const struct iovec *iov,
		   int iovcnt, bool stable);

/* COMMIT: everything written before is durable on return. Errors: STALE, ACCESS (nothing was done); IO. */
int gml_file_commit(struct gml_op *op, struct gml_file *file);

enum gml_seek { GML_SEEK_DATA, GML_SEEK_HOLE };
/* RFC 7862 15.11: next data or hole at or after off; NXIO past the end (a hole is implied at the end). */
int gml_file_seek(struct gml_op *op, struct gml_file *file, enum gml_seek what, uint64_t off,
		  uint64_t *off_out, bool *eof_out);
/* RFC 7862 15.1 ALLOCATE: reserves space, grows the size. 15.4 DEALLOCATE: the range reads as zeros, its space is freed, the size stays. Durable. */
int gml_file_allocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len);
int gml_file_deallocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len);

GML_API_END

#endif
