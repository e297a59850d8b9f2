// SPDX-License-Identifier: Apache-2.0
/* Error codes of the core: one table, used by every layer.
 *
 * Functions return int: 0 on success, or one of enum gml_err. docs/errors.md says what each code
 * means and what NFS and S3 clients get for it. Each mapping to other codes is in one file: errno
 * (gateway/base/errmap.c), LMDB (gateway/meta/lmdb/errmap.c), FSAL status (fsal/errmap.c), S3 code
 * and HTTP status (s3api/proto/error.c). */
#ifndef GEMEL_ERR_H
#define GEMEL_ERR_H
#include <gemel/visibility.h>

GML_API_BEGIN

/* X(name, text, retryable) */
#define GML_ERR_MAP(X)                                                                             \
	X(OK, "success", 0)                                                                        \
	X(NOENT, "no such file, directory or key", 0)                                              \
	X(EXIST, "the name exists already", 0)                                                     \
	X(NOTDIR, "not a directory", 0)                                                            \
	X(ISDIR, "is a directory", 0)                                                              \
	X(NOTEMPTY, "directory or bucket not empty", 0)                                            \
	X(ACCESS, "permission denied", 0)                                                          \
	X(PERM, "operation not permitted", 0)                                                      \
	X(INVAL, "invalid argument", 0)                                                            \
	X(NAMETOOLONG, "name too long", 0)                                                         \
	X(NOSPC, "no space left in the store", 0)                                                  \
	X(DQUOT, "quota exceeded", 0)                                                              \
	X(ROFS, "read-only export", 0)                                                             \
	X(XDEV, "source and target are in different buckets", 0)                                   \
	X(STALE, "the inode no longer exists", 0)                                                  \
	X(BADHANDLE, "malformed file handle", 0)                                                   \
	X(FBIG, "file too large", 0)                                                               \
	X(MLINK, "too many links", 0)                                                              \
	X(IO, "input/output error", 0)                                                             \
	X(NOMEM, "out of memory", 1)                                                               \
	X(NOXATTR, "no such extended attribute", 0)                                                \
	X(TOOBIG, "value or result too large", 0)                                                  \
	X(XATTRFULL, "the file's extended attributes leave no room", 0)                            \
	X(NXIO, "no data or hole beyond this offset", 0)                                           \
	X(BUSY, "resource busy", 1)                                                                \
	X(AGAIN, "try again", 1)                                                                   \
	X(COLD, "not in memory", 1)                                                                \
	X(NOTSUP, "not supported", 0)                                                              \
	X(NOBUCKET, "no such bucket", 0)                                                           \
	X(BUCKETNAME, "invalid bucket name", 0)                                                    \
	X(BUCKETEXISTS, "the bucket name is taken by another owner", 0)                            \
	X(BUCKETOWNED, "the caller owns this bucket already", 0)                                   \
	X(NOVERSION, "no such version of the object", 0)                                           \
	X(NOUPLOAD, "no such multipart upload", 0)                                                 \
	X(BADPART, "a listed part is missing or its ETag differs", 0)                              \
	X(PARTORDER, "parts are not in ascending order", 0)                                        \
	X(PARTSMALL, "a part other than the last is smaller than 5 MiB", 0)                        \
	X(PRECONDITION, "a condition of the request does not hold", 0)                             \
	X(CONFLICT, "a concurrent operation won", 1)                                               \
	X(NOTMODIFIED, "not modified", 0)                                                          \
	X(BADDIGEST, "content does not match its digest", 0)                                       \
	X(NOUSER, "no such user", 0)                                                               \
	X(NOKEY, "no such access key", 0)                                                          \
	X(UIDTAKEN, "another enabled user has this uid", 0)                                        \
	X(NOGROUP, "no such group", 0)                                                             \
	X(NOROLE, "no such role", 0)                                                               \
	X(NOPOLICY, "no such policy", 0)                                                           \
	X(BADPOLICY, "the policy is not valid", 0)                                                 \
	X(NOACL, "the bucket has no ACLs", 0)                                                      \
	X(INUSE, "something still belongs to it", 0)                                               \
	X(LIMIT, "it has as many as it may have", 0)                                               \
	X(CORRUPT, "the store is damaged", 0)                                                      \
	X(FORMAT, "the store has another format version", 0)                                       \
	X(LOCKED, "the store is in use", 1)                                                        \
	X(CANCELED, "canceled", 0)

enum gml_err {
#define GML_ERR_ENUM(name, text, retryable) GML_ERR_##name,
	GML_ERR_MAP(GML_ERR_ENUM)
#undef GML_ERR_ENUM
		GML_ERR_COUNT_
};

/* The English text of a code; "unknown error" outside the table. Never NULL; static storage.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_err_text(int rc);
/* The upper-case name of a code without prefix, such as "NOENT"; "UNKNOWN" outside the table. Never
 * NULL; static storage.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_err_name(int rc);
/* 1 if the same call may succeed when repeated, else 0.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_err_retryable(int rc);

GML_API_END

#endif
