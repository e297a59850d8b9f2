// SPDX-License-Identifier: Apache-2.0
/* Regular files as POSIX and NFS use them.
 *
 * The labels of the contracts (Errors, Threads, Blocks, Durable, On failure) are explained in
 * README.md here. Offsets and lengths are bytes. Every operation on an open file checks the
 * caller's rights again. */
#ifndef GEMEL_FILE_H
#define GEMEL_FILE_H

#include <sys/uio.h>
#include <gemel/dir.h>
#include <gemel/visibility.h>

GML_API_BEGIN

struct gml_file; /* an open file: a counted reference to the in-process state of one inode */

/* Access modes of an open file. IO: for requests without an open state of their own (special
 * stateids, NFSv3); such an open does not count as an open of op->handle.client, and rights are
 * left to each READ and WRITE. RECLAIM: of an open that the caller had, or of an exclusive create
 * that is repeated by handle (by name, gml_file_create sees it itself); the owner passes, as in
 * READ and WRITE. */
enum { GML_OPEN_READ = 1, GML_OPEN_WRITE = 2, GML_OPEN_IO = 4, GML_OPEN_RECLAIM = 8 };

enum gml_create_disposition {
	GML_CREATE_UNCHECKED, /* existing file: opened; size 0 in `set` truncates it */
	GML_CREATE_GUARDED,   /* existing: EXIST */
	/* existing with the same verifier (not zero, which all other files have): success, else
	 * EXIST (RFC 8881 18.16.3) */
	GML_CREATE_EXCLUSIVE,
};

/* Open the regular file `ino` for GML_OPEN_* `access`; 0 opens it for its attributes only. The mode
 * bits bind everyone at OPEN, the owner included; for reading alone, `x` does as well as `r` (RFC
 * 8881 18.16.3: execution and reading look the same). READ and WRITE on the open file also admit
 * the owner. A file that loses its last name while it is open stays usable for op->handle.client
 * until its last close, and for no other client. The open of a file without a name is STALE, unless
 * op->handle.found is set or, with GML_OPEN_IO, op->handle.client has it open.
 * Ownership: *out belongs to the caller until gml_file_close.
 * Errors: ISDIR, INVAL (not a regular file), STALE, ACCESS, ROFS, NOMEM; AGAIN with GML_OPEN_IO
 * while op->handle.recovering.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is NULL. */
int gml_file_open(struct gml_op *op, struct gml_store *store, gml_ino ino, unsigned access,
		  struct gml_file **out);

/* How a file is opened or created, and what the caller wants to know of it. */
struct gml_create {
	unsigned access; /* GML_OPEN_* */
	enum gml_create_disposition disposition;
	const uint8_t *verifier; /* 8 bytes, for GML_CREATE_EXCLUSIVE; else NULL */
	/* Of a new file. NULL: mode 0644, the caller's uid, and the caller's gid or the parent's
	 * under setgid. */
	const struct gml_setattr *set;
	struct gml_attr *attr_out; /* attributes as they are then; NULL: not wanted */
	bool *created_out;	   /* was it created? NULL: not wanted */
};
/* Open the file `name` in `parent`, or create it, in one transaction (OPEN with CREATE, RFC 8881
 * 18.16). The open of a file just created succeeds whatever mode `set` gives it.
 * Ownership: *out belongs to the caller until gml_file_close.
 * Errors: EXIST, NOENT (no parent), NOTDIR, ISDIR, INVAL, NAMETOOLONG, ACCESS, PERM, ROFS, NOSPC,
 * DQUOT, STALE, NOMEM.
 * Threads: any. Blocks: commit. Durable: yes. On failure: *out is NULL and nothing was created. */
int gml_file_create(struct gml_op *op, struct gml_store *store, gml_ino parent,
		    struct gml_span name, const struct gml_create *create, struct gml_file **out);

/* Truncate an open file to 0, for an OPEN that says so of a file it finds (RFC 8881 18.16.3). As at
 * OPEN, the mode bits bind the owner too; gml_inode_setattr lets the owner pass.
 * Errors: ACCESS, ROFS, STALE, NOSPC, IO.
 * Threads: any. Blocks: disk and commit. Durable: yes. On failure: the content is unchanged. */
int gml_file_empty(struct gml_op *op, struct gml_file *file);

/* Close the file; NULL is accepted. The last close of a written file syncs and finalizes it. The
 * last close of an orphan whose time is over frees it. A new file that was never written costs
 * nothing here (gml_store_finalize).
 * Errors: those of the sync and of the commit: IO, NOSPC, STALE.
 * Threads: any; no other call may use this reference. Blocks: disk and commit, for the last close
 * after a write. Durable: yes. On failure: the file is closed all the same; what was written and
 * not committed may be lost. */
int gml_file_close(struct gml_op *op, struct gml_file *file);

/* May op's client name the open states of the file in a request (LOCKU, CLOSE,
 * OPEN_DOWNGRADE)? 0: the client has the file open, or no client has.
 * Errors: ACCESS (only other clients have it open, so the state is not this client's).
 * Threads: any. Blocks: no. Durable: n/a. On failure: nothing changed. */
int gml_file_state_check(const struct gml_op *op, struct gml_store *store, gml_ino ino);

/* The same for LOCK, which makes a state.
 * Errors: ACCESS (also of a caller who may do nothing any more).
 * Threads: any. Blocks: no. Durable: n/a. On failure: nothing changed. */
int gml_file_lock_check(const struct gml_op *op, struct gml_store *store, gml_ino ino);

/* The inode number of an open file.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
gml_ino gml_file_ino(const struct gml_file *file);

/* Read up to buf.len bytes at off into buf (READ, RFC 8881 18.22). Holes read as zeros. *nread_out
 * is less than that only at the end of the file. *eof_out: off + *nread_out reaches the end; true
 * for every `off` beyond the end, also where no file can reach. Needs `r`, or `x` (execution), or
 * the owner.
 * Errors: ACCESS, ISDIR, STALE, IO, CORRUPT.
 * Threads: any. Blocks: disk. Durable: n/a. On failure: the content of buf is undefined. */
int gml_file_read(struct gml_op *op, struct gml_file *file, uint64_t off, struct gml_buf buf,
		  size_t *nread_out, bool *eof_out);

/* Write all of iov at off, in place in the write blob (WRITE, RFC 8881 18.32). Every process sees
 * the bytes at once. Clears setuid and setgid for callers other than uid 0. Needs `w`, or the
 * owner.
 * Errors: ACCESS, ROFS, STALE, INVAL, FBIG, NOSPC, DQUOT, IO.
 * Threads: any. Blocks: disk; commit for the first write to a clean file and for a range that an
 * extent covers. Durable: if `stable` (FILE_SYNC), else after gml_file_commit or the last close. On
 * failure: any part of the range may hold the new bytes. */
int gml_file_write(struct gml_op *op, struct gml_file *file, uint64_t off, const struct iovec *iov,
		   int iovcnt, bool stable);

/* Make every write that returned before this call durable (COMMIT, RFC 8881 18.3).
 * Errors: STALE, ACCESS (nothing was done); IO (unstable data may be lost).
 * Threads: any. Blocks: disk. Durable: yes. On failure: with IO, clients must send their unstable
 * data again. */
int gml_file_commit(struct gml_op *op, struct gml_file *file);

enum gml_seek { GML_SEEK_DATA, GML_SEEK_HOLE };
/* Find the next data or hole at or after off (SEEK, RFC 7862 15.11). A hole is implied at the end
 * of the file; *eof_out says that *off_out is the end.
 * Errors: NXIO (off is at the end or past it), ACCESS, STALE, IO.
 * Threads: any. Blocks: disk. Durable: n/a. On failure: nothing changed. */
int gml_file_seek(struct gml_op *op, struct gml_file *file, enum gml_seek kind, uint64_t off,
		  uint64_t *off_out, bool *eof_out);
/* Reserve space for [off, off+len) and grow the size to off+len (ALLOCATE, RFC 7862 15.1).
 * Errors: ACCESS, ROFS, STALE, INVAL, FBIG, NOSPC, DQUOT, IO.
 * Threads: any. Blocks: disk and commit. Durable: yes. On failure: some of the space may be
 * reserved; the content is unchanged. */
int gml_file_allocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len);
/* Make [off, off+len) read as zeros and free its space; the size stays (DEALLOCATE, RFC 7862 15.4).
 * Errors: ACCESS, ROFS, STALE, INVAL, FBIG, NOSPC, IO.
 * Threads: any. Blocks: disk and commit. Durable: yes. On failure: any part of the range may read
 * as zeros. */
int gml_file_deallocate(struct gml_op *op, struct gml_file *file, uint64_t off, uint64_t len);

GML_API_END

#endif
