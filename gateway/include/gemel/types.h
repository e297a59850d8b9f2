// SPDX-License-Identifier: Apache-2.0
/* Attributes and small value types shared by the public API. Times are nanoseconds since the epoch,
 * sizes and offsets bytes. */
#ifndef GEMEL_TYPES_H
#define GEMEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t gml_ino;
#define GML_INO_ROOT ((gml_ino)1) /* the directory of buckets */

#define GML_KEY_MAX 1024     /* bytes of an S3 key, and of one stored name */
#define GML_NFS_NAME_MAX 255 /* bytes of a name over NFS */
#define GML_SYMLINK_MAX 4096 /* bytes of a link target */
#define GML_XATTR_NAME_MAX 255
#define GML_XATTR_VALUE_MAX 65536
#define GML_XATTR_COUNT_MAX 4096    /* attributes of an inode */
#define GML_XATTR_TOTAL_MAX 1048576 /* bytes of all their names and values */
#define GML_FILE_SIZE_MAX ((uint64_t)1 << 62)
#define GML_OBJECT_SIZE_MAX ((uint64_t)50 << 40) /* S3: 50 TiB */
#define GML_BUCKET_NAME_MAX 63
#define GML_ETAG_MAX 64 /* characters without quotes, excluding NUL */
#define GML_LINK_MAX 1000000

/* A borrowed run of bytes; not NUL-terminated. */
struct gml_span {
	const void *ptr;
	size_t len;
};

enum gml_type { GML_REG = 1, GML_DIR, GML_LNK, GML_CHR, GML_BLK, GML_FIFO, GML_SOCK };

struct gml_attr {
	gml_ino ino;
	gml_ino bucket; /* root ino of the bucket; 0 for the namespace root */
	gml_ino parent; /* directory holding it (0: orphan or several names) */
	enum gml_type type;
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid, nlink;
	uint64_t size, space; /* bytes; space = allocated */
	uint64_t rdev;
	int64_t atime, mtime, ctime, btime;
	uint64_t change;
	uint64_t cookie; /* set by gml_dir_read and gml_dir_lookup: the dirent's cookie */
	/* Exclusive-create verifier (RFC 8881 18.16.3), or the mark of the multipart upload that
	 * made the inode; zero: neither. */
	uint8_t verifier[8];
};

/* The attributes that a setattr or a create sets; `mask` says which members count. */
enum {
	GML_SET_MODE = 1 << 0,
	GML_SET_UID = 1 << 1,
	GML_SET_GID = 1 << 2,
	GML_SET_SIZE = 1 << 3,
	GML_SET_ATIME = 1 << 4,
	GML_SET_MTIME = 1 << 5,
	GML_SET_ATIME_NOW = 1 << 6,
	GML_SET_MTIME_NOW = 1 << 7,
};
struct gml_setattr {
	uint32_t mask;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t atime, mtime;
};

#endif
