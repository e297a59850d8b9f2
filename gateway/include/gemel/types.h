// SPDX-License-Identifier: Apache-2.0
/* Attributes and small value types shared by the public API. Times are nanoseconds since the epoch,
 * sizes and offsets bytes. */
#ifndef GEMEL_TYPES_H
#define GEMEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gemel/visibility.h>

/* An inode's identity: a number within a view. View 0 is the present; every other view is a
 * snapshot or a clone, and neither its number nor an inode's is used again. Numbers are below 2^62.
 * A number alone names nothing: what is stored beside an inode (a parent, a child) has that inode's
 * view. The directory of buckets is one for all views. */
typedef struct gml_ino {
	uint64_t view, num;
} gml_ino;
#define GML_INO_NONE ((gml_ino){0, 0}) /* no inode */
#define GML_INO_ROOT ((gml_ino){0, 1}) /* the directory of buckets */
#define GML_INO_NUM_END ((uint64_t)1 << 62)

static inline bool gml_ino_equal(gml_ino a, gml_ino b)
{
	return a.num == b.num && a.view == b.view;
}

static inline bool gml_ino_is_none(gml_ino ino)
{
	return ino.num == 0;
}

/* The inode `num` of a view; NONE for 0. */
static inline gml_ino gml_ino_of(uint64_t view, uint64_t num)
{
	return num == 0 ? GML_INO_NONE : (gml_ino){view, num};
}

/* The one hash of inodes. The numbers of a view follow each other in it, so that those that were
 * made one after the other never meet in a table of 2^n places. The factor is 2^63 divided by the
 * golden ratio, made odd: two inodes whose views differ by v < 2^33 and whose numbers differ by n
 * have one hash, modulo 2^63, only when v * n is 2^61 or more. */
static inline uint64_t gml_ino_hash(gml_ino ino)
{
	return ino.num + ino.view * 0x4f1bbcdcbfa53e0b;
}

/* What clients know it by (fileid, st_ino): the number; outside the present, 2^63 and the hash, so
 * that a file and its image in a snapshot are two files to a client that compares these numbers. */
static inline uint64_t gml_ino_fileid(gml_ino ino)
{
	return ino.view == 0 ? ino.num : gml_ino_hash(ino) | (uint64_t)1 << 63;
}

enum { GML_INO_TEXT = 42 };
GML_API_BEGIN
/* Text for people: "NUMBER", or "VIEW:NUMBER" outside the present view. Written to buf, which is
 * returned.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_ino_format(gml_ino ino, char buf[GML_INO_TEXT]);
GML_API_END
/* The same in a buffer of its own, which lives as long as the block that the call is in. */
#define gml_ino_text(ino) gml_ino_format((ino), (char[GML_INO_TEXT]){0})

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
#define GML_ETAG_MAX 64	   /* characters without quotes, excluding NUL */
#define GML_LINK_MAX 65000 /* as ext4: policies are asked about each name of a file */

/* A borrowed run of bytes; not NUL-terminated. */
struct gml_span {
	const void *ptr;
	size_t len;
};

/* Memory of the caller's to fill. */
struct gml_buf {
	void *ptr;
	size_t len;
};

enum gml_type { GML_REG = 1, GML_DIR, GML_LNK, GML_CHR, GML_BLK, GML_FIFO, GML_SOCK };

struct gml_attr {
	gml_ino ino;
	gml_ino bucket; /* root of the bucket; NONE for the namespace root */
	gml_ino parent; /* directory holding it (NONE: orphan or several names) */
	enum gml_type type;
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid, nlink;
	uint64_t size, space; /* bytes; space = allocated */
	uint64_t rdev;
	int64_t atime, mtime, ctime, btime;
	uint64_t change;
	/* Of the entry; set by gml_dir_read and gml_dir_lookup, which sets 0 for a bucket. */
	uint64_t cookie;
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
	GML_SET_ACL = 1 << 8,
	/* With MODE, in creates: the client's umask, which is not applied to `mode` yet, and counts
	 * only where the directory hands down no ACL (RFC 8275). */
	GML_SET_UMASK = 1 << 9,
};
struct gml_acl;
struct gml_setattr {
	uint32_t mask;
	uint32_t mode, umask, uid, gid;
	uint64_t size;
	int64_t atime, mtime;
	const struct gml_acl *acl; /* gemel/acl.h; borrowed */
};

#endif
