// SPDX-License-Identifier: Apache-2.0
/* Typed records over the engine: what each table's keys and values are. docs/on-disk-format.md
 * describes the bytes.
 *
 * The contract of every function here, unless its own comment says otherwise:
 *   get     fills *out. NOENT: there is no such record.
 *   put     stores the record in place of an older one. INVAL: it is none that could be read again.
 *   del     removes the record. NOENT: there is none.
 *   each    calls `each` for one record after the other, in the order of keys, until it returns
 *           false. The result is 0 then as well, and when there is no record.
 * Errors: besides those, what the engine answers, and CORRUPT for a record that is damaged, which
 * has been logged.
 * Ownership: arguments are borrowed for the call. Spans in results, and the arguments of `each`,
 * are borrowed from the transaction until its next write, or until its end (engine.h, invariant 3).
 * Transactions: get and each take any; put and del take a write transaction. `each` must not write.
 * Threads: that of the transaction. Blocks: no. Durability: that of the transaction.
 * On failure: *out is undefined; a closure whose put or del failed returns the error. */
#ifndef GML_META_RECORD_H
#define GML_META_RECORD_H

#include <gemel/account.h>
#include <gemel/iam.h>
#include <gemel/object.h>
#include <gemel/policy.h>
#include <gemel/principal.h>
#include "gateway/base/owner.h"
#include "../engine.h"

/* The first bytes of keys in table SUPER. Those below GML_SUPER_RECORDS belong to the engine. */
enum {
	GML_SUPER_LEASE = GML_SUPER_RECORDS, /* + kind -> first number not leased yet */
	GML_SUPER_UID = 0x11,	  /* + uid + user name -> nothing: index of users by uid */
	GML_SUPER_RETIRED = 0x13, /* + uid that was a user's -> nothing */
	GML_SUPER_SECRET = 0x14,  /* -> secret of the store's file handles */
};

/* Reads every record of a table, and calls `damaged` for each whose seal is wrong. Errors: those of
 * the engine; CORRUPT is none. */
int gml_rec_verify(struct gml_txn *txn, enum gml_table table,
		   void (*damaged)(void *arg, enum gml_table table, struct gml_span key),
		   void *arg);

/* The exact number of records in a table: the engine's own count, or else that of a walk through
 * the whole table. */
int gml_rec_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out);
/* The inode with which a key of a table of inodes, names, extents or attributes begins. Returns the
 * length of that part of the key. 0: the key begins with no inode, and *ino_out is what was read of
 * one, for messages. */
size_t gml_rec_ino_of_key(struct gml_span key, gml_ino *ino_out);

/* The secret under which the store signs file handles. It is made with the store, and never changed
 * or logged. Whoever has a copy of the metadata has it. */
enum { GML_REC_SECRET = 16 };
int gml_rec_secret_get(struct gml_txn *txn, uint8_t out[GML_REC_SECRET]);
int gml_rec_secret_put(struct gml_txn *txn, const uint8_t secret[GML_REC_SECRET]);

/* ---- line and usage ------------------------------------------------------------------------- */
/* The timeline of a bucket: what a change of any row in the bucket has to know. Epochs count the
 * snapshots of the bucket. Each row that snapshots can show says in which epoch it was put: its
 * stamp. */
enum {
	GML_LINE_RELAXED = 1 << 0, /* what changes in it is acknowledged before it is durable */
	GML_LINE_FLAGS = GML_LINE_RELAXED, /* all */
};
/* Functions that put or delete rows that a snapshot may show (inode, dirent, extent, xattr, link)
 * take the line of their bucket. No other code writes those tables. */
struct gml_line {
	uint64_t id;	 /* gml_line_id; 0: of rows in no bucket */
	uint32_t flags;	 /* GML_LINE_* */
	uint32_t epoch;	 /* in which rows are put now; 1, until there are snapshots */
	uint32_t newest; /* epoch of the newest snapshot; 0: none */
	uint64_t quota_bytes, quota_objects; /* 0: none */
	uint64_t next; /* the next number of the line's own; 0: it takes the store's */
};
/* The number of a bucket's line: that of its root in the present view; 2^63 | view elsewhere, where
 * each view with rows of its own is one line. */
static inline uint64_t gml_line_id(gml_ino root)
{
	return root.view == 0 ? root.num : root.view | (uint64_t)1 << 63;
}
/* The line of the namespace root, and of what is left of deleted buckets. */
extern const struct gml_line gml_line_none;
/* A write transaction reads each line once, and remembers it. id 0: gml_line_none. */
int gml_rec_line_get(struct gml_txn *txn, uint64_t id, struct gml_line *out);
/* The line of the rows of an inode in `bucket` (struct gml_inode.bucket): gml_line_none when the
 * bucket is deleted, which is no error. */
int gml_rec_line_of(struct gml_txn *txn, gml_ino bucket, struct gml_line *out);
/* The name of the line's bucket, NUL-terminated. */
int gml_rec_line_name(struct gml_txn *txn, uint64_t id, char name_out[GML_BUCKET_NAME_MAX + 1]);
int gml_rec_line_put(struct gml_txn *txn, const struct gml_line *line, struct gml_span name);
int gml_rec_line_del(struct gml_txn *txn, uint64_t id);
int gml_rec_line_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_line *line),
		      void *arg);

struct gml_usage_rec {
	uint64_t bytes, objects;
};
/* What a bucket holds, by the number of its line: bytes of content, and regular files. A write
 * transaction reads each usage once, and remembers it. */
int gml_rec_usage_get(struct gml_txn *txn, uint64_t id, struct gml_usage_rec *out);
int gml_rec_usage_put(struct gml_txn *txn, uint64_t id, const struct gml_usage_rec *usage);
int gml_rec_usage_del(struct gml_txn *txn, uint64_t id);
int gml_rec_usage_each(struct gml_txn *txn,
		       bool (*each)(void *arg, uint64_t line, const struct gml_usage_rec *usage),
		       void *arg);

/* ---- inode ----------------------------------------------------------------------------------- */
enum {
	GML_INODE_EXPLICIT = 1 << 0, /* a directory that a client made */
	GML_INODE_DIRTY = 1 << 1,    /* size and times are those of the write blob's file */
	GML_INODE_XATTRS = 1 << 2,   /* table xattr has rows of the inode */
	GML_INODE_EXTENTS = 1 << 3,  /* the extents are in table extent, not in the record */
	/* The ETag is the MD5 of the content (nparts > 0: the MD5 of those of its parts). Without
	 * the flag it is opaque, made from number and change attribute. */
	GML_INODE_MD5 = 1 << 4,
	GML_INODE_PARTS = 1 << 5,  /* `parts` has the sizes and checksums of the parts */
	GML_INODE_ORPHAN = 1 << 6, /* it has no name; table orphan has it */
	/* The content may take less room than its size: st_blocks asks the write blob and the
	 * extents. Never wrong to have. */
	GML_INODE_SPARSE = 1 << 7,
	/* All of them. 0x100 to 0x800 are kept for shared, borrowed, noncurrent, tombstone. */
	GML_INODE_FLAGS = 0xff,
};
#define GML_INLINE_EXTENTS 4
#define GML_REC_ACL_MAX ((size_t)16 << 10) /* bytes of an encoded ACL */

struct gml_extent {
	uint64_t off;	   /* in the file, bytes */
	uint64_t blob;	   /* id (data/blob.h) */
	uint64_t blob_off; /* in the blob, bytes */
	uint64_t len;	   /* bytes, not 0 */
};

struct gml_inode {
	/* All of one view, except GML_INO_ROOT, the parent of a bucket's root in every view. The
	 * parent is NONE when the inode has several names, or none. */
	gml_ino ino, bucket, parent;
	uint8_t type; /* enum gml_type */
	uint32_t flags, mode, uid, gid, nlink;
	uint64_t size, rdev, change, wblob; /* size in bytes; wblob 0: there is none */
	int64_t atime, mtime, ctime, btime; /* ns since the epoch */
	uint32_t born, stamp; /* epochs of the line: when it was made, and when it was put last */
	uint8_t verifier[8];
	uint8_t md5[16];
	uint32_t nparts;
	struct gml_object_checksum checksum;
	uint32_t nextents; /* of those in the record: ascending, not overlapping */
	struct gml_extent extents[GML_INLINE_EXTENTS];
	/* Parts of variable length. After a get they are borrowed from the transaction, and have to
	 * be copied before its next write. */
	struct gml_span name;	/* in `parent`, in stored form: that of a directory ends with '/' */
	struct gml_span target; /* of a symbolic link */
	struct gml_span headers; /* content headers (gml_rec_headers_encode) */
	/* For each of the nparts parts: u64 end offset, checksum of the upload's algorithm. */
	struct gml_span parts;
	struct gml_span acl; /* encoded (iam/acl.h); empty: the mode alone governs */
	/* in memory: `acl` is not borrowed, and is what the inode is to have */
	bool acl_is_ours;
};

int gml_rec_inode_get(struct gml_txn *txn, gml_ino ino, struct gml_inode *out);
/* Stores the record with the epoch of `line` as its stamp. `line` is that of inode->bucket, or
 * gml_line_none. The spans of `inode` may be borrowed from the record that is replaced. */
int gml_rec_inode_put(struct gml_txn *txn, const struct gml_line *line,
		      const struct gml_inode *inode);
int gml_rec_inode_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino);

/* Content headers to one span, and back. encode writes to buf[cap]; TOOBIG: they do not fit. decode
 * borrows from `headers`; a header that is absent becomes the empty span with a NULL pointer. Its
 * CORRUPT is not logged. */
int gml_rec_headers_encode(const struct gml_span in[GML_HDR_COUNT], void *buf, size_t cap,
			   size_t *len_out);
int gml_rec_headers_decode(struct gml_span headers, struct gml_span out[GML_HDR_COUNT]);
/* One header of them; the others are not decoded when it is absent. */
int gml_rec_header_one(struct gml_span headers, enum gml_header header, struct gml_span *out);

/* ---- dirent and cookie ----------------------------------------------------------------------- */
struct gml_dirent {
	/* Of the parent's view. In an entry of the namespace root it is the number only, in view 0:
	 * the record of the bucket has the view. */
	gml_ino ino;
	uint64_t cookie; /* 0: none */
	uint8_t type;	 /* enum gml_type */
};
/* The inode that the entry names. CORRUPT: there is none, or it is of another type. */
int gml_rec_inode_named(struct gml_txn *txn, const struct gml_dirent *dirent,
			struct gml_inode *out);
/* The entry `name` of `parent`. `name` is in stored form and has at most GML_REC_NAME_MAX bytes
 * (NAMETOOLONG); the empty name is the marker. The entries of a parent are in bytewise order of
 * their names, whatever the length. A parent is any number that gml_txn_next_id gave, also one that
 * is no directory's: lists of uploads have such parents. Other numbers might be taken by the
 * continuations of long names.
 *
 * put keeps table cookie as well: dirent->cookie, unless it is 0, takes the place of the cookie
 * that the name had. INVAL: dirent->ino is of another view than the parent, and that is not the
 * namespace root. */
int gml_rec_dirent_get(struct gml_txn *txn, gml_ino parent, struct gml_span name,
		       struct gml_dirent *out);
int gml_rec_dirent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, const struct gml_dirent *dirent);
/* The name denotes dirent->ino from now on, and keeps its cookie, which dirent->cookie becomes.
 * *old_out: what the entry was. One put. NOENT: there is no such name. INVAL as put. */
int gml_rec_dirent_replace(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
			   struct gml_span name, struct gml_dirent *dirent,
			   struct gml_dirent *old_out);
/* Also removes the cookie. *old_out (may be NULL): what the entry was. */
int gml_rec_dirent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, struct gml_dirent *old_out);
/* The name of the parent's entry that has the cookie. */
int gml_rec_cookie_get(struct gml_txn *txn, gml_ino parent, uint64_t cookie,
		       struct gml_span *name_out);
/* Whether the parent has an entry: 0, else NOENT. */
int gml_rec_dirent_any(struct gml_txn *txn, gml_ino parent);

/* A walk through the entries of one parent. *out is the caller's until close, which comes before
 * the end of the transaction; close accepts NULL. The names that it returns belong to the cursor,
 * and hold until the next call on it. */
struct gml_dirent_cursor;
int gml_dirent_cursor_open(struct gml_txn *txn, gml_ino parent, struct gml_dirent_cursor **out);
void gml_dirent_cursor_close(struct gml_dirent_cursor *cursor);
/* In the order of names: the first entry from `name` on (`inclusive`) or after it; then the entries
 * that follow. NOENT: there is none. */
int gml_dirent_cursor_seek(struct gml_dirent_cursor *cursor, struct gml_span name, bool inclusive,
			   struct gml_span *name_out, struct gml_dirent *out);
int gml_dirent_cursor_next(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
			   struct gml_dirent *out);
/* In the order of cookies: the first entry whose cookie is greater than `after`; then those that
 * follow. NOENT: there is none. */
int gml_dirent_cursor_after_cookie(struct gml_dirent_cursor *cursor, uint64_t after,
				   struct gml_span *name_out, struct gml_dirent *out);
int gml_dirent_cursor_next_cookie(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
				  struct gml_dirent *out);

/* ---- extent ---------------------------------------------------------------------------------- */
/* Of files with more than GML_INLINE_EXTENTS extents. find: the first extent that ends after the
 * offset `off`; NOENT: there is none. */
int gml_rec_extent_find(struct gml_txn *txn, gml_ino ino, uint64_t off, struct gml_extent *out);
int gml_rec_extent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		       const struct gml_extent *extent);
int gml_rec_extent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, uint64_t off);

/* ---- xattr ----------------------------------------------------------------------------------- */
/* Names have no NUL and at most GML_REC_XATTR_NAME_MAX bytes (NAMETOOLONG); metadata of S3 may have
 * one of 2 KiB. */
#define GML_REC_XATTR_NAME_MAX 2304
#define GML_OBJECT_TAG_PREFIX "user.s3.tag." /* of the names of an object's tags */
int gml_rec_xattr_get(struct gml_txn *txn, gml_ino ino, struct gml_span name,
		      struct gml_span *value_out);
int gml_rec_xattr_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name, struct gml_span value);
int gml_rec_xattr_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name);
/* The attributes whose names come after `after` (a NULL pointer: all of them). Names of more than
 * GML_XATTR_NAME_MAX bytes are ordered by their first 200 bytes; those that share them have no
 * particular order. A walk can begin after any of them all the same. */
int gml_rec_xattr_each(struct gml_txn *txn, gml_ino ino, struct gml_span after,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		       void *arg);

/* ---- blob ------------------------------------------------------------------------------------ */
struct gml_blob_rec {
	uint64_t refs;	 /* extents that name it, and one if it is a write blob */
	uint64_t len;	 /* bytes; 0 for write blobs, whose file says it */
	uint64_t summed; /* so many bytes, from the first on, have checksums; 0: none */
	/* CRC32C of those bytes when they are one block (1..GML_REC_SUM_BLOCK). More are in table
	 * sum. */
	uint32_t crc;
	uint32_t rows; /* of more than one block: rows that table sum has */
};
#define GML_REC_SUM_BLOCK 65536 /* bytes (data/sums.h) */
int gml_rec_blob_get(struct gml_txn *txn, uint64_t blob, struct gml_blob_rec *out);
int gml_rec_blob_put(struct gml_txn *txn, uint64_t blob, const struct gml_blob_rec *rec);
int gml_rec_blob_del(struct gml_txn *txn, uint64_t blob);
/* The first blob whose id is `from` or greater; NOENT: there is none. */
int gml_rec_blob_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
		      struct gml_blob_rec *out);

/* ---- checksums of blobs ---------------------------------------------------------------------- */
/* Those of blobs of more than one block: row `chunk` has GML_SUM_CHUNK of them, the last row as
 * many as are left. A write blob has no row where all blocks are zeros. The record of the blob says
 * how many rows it has, so that a lost one is noticed. */
#define GML_SUM_CHUNK 256 /* 16 MiB */
int gml_rec_sums_get(struct gml_txn *txn, uint64_t blob, uint32_t chunk,
		     uint32_t out[GML_SUM_CHUNK], unsigned *count_out);
int gml_rec_sums_put(struct gml_txn *txn, uint64_t blob, uint32_t chunk, const uint32_t *sums,
		     unsigned count);
int gml_rec_sums_del(struct gml_txn *txn, uint64_t blob, uint32_t chunk);
/* How many rows there are of the blob's first `size` bytes. */
int gml_rec_sums_count(struct gml_txn *txn, uint64_t blob, uint64_t size, uint32_t *count_out);
/* How many rows `size` bytes have when none is left out. Pure. */
static inline uint32_t gml_sums_rows(uint64_t size)
{
	const uint64_t row = (uint64_t)GML_SUM_CHUNK * GML_REC_SUM_BLOCK;
	return size <= GML_REC_SUM_BLOCK ? 0 : (uint32_t)(size / row + (size % row != 0));
}
/* Removes all rows of the blob from row `from` on. That there is none is no error. */
int gml_rec_sums_drop(struct gml_txn *txn, uint64_t blob, uint32_t from);
/* The first row at (blob, from) or after it, perhaps of another blob; NOENT: there is none. */
int gml_rec_sums_next(struct gml_txn *txn, uint64_t blob, uint32_t from, uint64_t *blob_out,
		      uint32_t *chunk_out);
/* A write blob whose bytes do not change, and whose checksums are not all there yet. */
struct gml_sum_pending {
	uint64_t size; /* bytes to be summed, not 0 */
	uint64_t next; /* the first block that is not summed yet */
	uint32_t rows; /* that were put so far */
	uint64_t mark; /* used once for this blob: another mark means other bytes */
	int64_t since; /* when the content became clean, ns since 1970 */
};
int gml_rec_sum_pending_get(struct gml_txn *txn, uint64_t blob, struct gml_sum_pending *out);
int gml_rec_sum_pending_put(struct gml_txn *txn, uint64_t blob, const struct gml_sum_pending *rec);
int gml_rec_sum_pending_del(struct gml_txn *txn, uint64_t blob);
/* The first one whose blob is `from` or greater; NOENT: there is none. */
int gml_rec_sum_pending_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
			     struct gml_sum_pending *out);

/* ---- link ----------------------------------------------------------------------------------- */
/* Back references: a file with several names has a row for each of them, so that the inode leads to
 * all of its names. The cookie leads to the name (gml_rec_cookie_get). */
int gml_rec_link_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie);
int gml_rec_link_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie);
/* All rows of an inode, in the order of parent and cookie. */
int gml_rec_link_each(struct gml_txn *txn, gml_ino ino,
		      bool (*each)(void *arg, gml_ino parent, uint64_t cookie), void *arg);

/* ---- bucket --------------------------------------------------------------------------------- */
/* By name. The line and the usage of a bucket are put and deleted with it
 * (ns/object/bucket.c). */
struct gml_bucket_rec {
	gml_ino root; /* its root directory, in the bucket's view */
	/* The parent of the names of its uploads, which is no directory. Such a name is the key,
	 * NUL, and the 32 hexadecimal digits of the upload's id. */
	gml_ino uploads;
	uint32_t uid;	 /* owner */
	int64_t created; /* ns since the epoch */
};
int gml_rec_bucket_get(struct gml_txn *txn, struct gml_span name, struct gml_bucket_rec *out);
/* The bucket that has the root. NOENT: none has. CORRUPT also when the line of the root names a
 * bucket that has another root. */
int gml_rec_bucket_by_root(struct gml_txn *txn, gml_ino root,
			   char name_out[GML_BUCKET_NAME_MAX + 1], struct gml_bucket_rec *out);
/* The name may be borrowed from the transaction. */
int gml_rec_bucket_put(struct gml_txn *txn, struct gml_span name, const struct gml_bucket_rec *rec);
int gml_rec_bucket_del(struct gml_txn *txn, struct gml_span name);
/* Those whose names come after `after`. */
int gml_rec_bucket_each(struct gml_txn *txn, struct gml_span after,
			bool (*each)(void *arg, struct gml_span name,
				     const struct gml_bucket_rec *rec),
			void *arg);

/* ---- documents of a bucket's configuration -------------------------------------------------- */
/* By the root of the bucket and the kind, an enum gml_bucket_document. TOOBIG: more than
 * GML_BUCKET_DOCUMENT_MAX bytes. */
int gml_rec_config_get(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span *out);
int gml_rec_config_put(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span document);
int gml_rec_config_del(struct gml_txn *txn, gml_ino root, uint8_t kind);
/* Removes all documents of a bucket. That it has none is no error. */
int gml_rec_config_drop(struct gml_txn *txn, gml_ino root);

/* ---- upload and part ------------------------------------------------------------------------- */
struct gml_upload_rec {
	gml_ino bucket;
	uint32_t uid, gid;
	int64_t initiated;
	uint8_t checksum_algorithm, checksum_composite;
	/* Borrowed after a get. meta: the attributes that the object will have, as
	 * gml_rec_pairs_encode makes them. grants: encoded (iam/grant.h); empty: the request stated
	 * none. */
	struct gml_span key, headers, meta, grants;
};
#define GML_REC_GRANTS_MAX ((size_t)1024)
int gml_rec_upload_get(struct gml_txn *txn, const uint8_t id[16], struct gml_upload_rec *out);
int gml_rec_upload_put(struct gml_txn *txn, const uint8_t id[16], const struct gml_upload_rec *rec);
int gml_rec_upload_del(struct gml_txn *txn, const uint8_t id[16]);
int gml_rec_upload_each(struct gml_txn *txn,
			bool (*each)(void *arg, const uint8_t id[16],
				     const struct gml_upload_rec *rec),
			void *arg);
/* Pairs of name and value to one span of at most GML_REC_PAIRS_MAX bytes, and back. encode writes
 * to buf[cap]; TOOBIG: they do not fit. */
int gml_rec_pairs_encode(const struct gml_meta_pair *pairs, uint32_t n, void *buf, size_t cap,
			 size_t *len_out);
int gml_rec_pairs_each(struct gml_span pairs,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		       void *arg);

struct gml_part_rec {
	uint64_t size;
	int64_t mtime;
	uint8_t md5[16];
	struct gml_object_checksum checksum;
	uint32_t nextents;
	struct gml_span extents; /* encoded, borrowed after a get: gml_rec_part_extent reads one */
};
int gml_rec_part_get(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     struct gml_part_rec *out);
int gml_rec_part_put(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     const struct gml_part_rec *rec, const struct gml_extent *extents);
int gml_rec_part_del(struct gml_txn *txn, const uint8_t id[16], uint32_t number);
int gml_rec_part_extent(const struct gml_part_rec *rec, uint32_t i, struct gml_extent *out);
/* The parts whose numbers are greater than `after`. */
int gml_rec_part_each(struct gml_txn *txn, const uint8_t id[16], uint32_t after,
		      bool (*each)(void *arg, uint32_t number, const struct gml_part_rec *rec),
		      void *arg);

/* ---- users and keys -------------------------------------------------------------------------- */
/* By name. put and del keep the index by uid as well. */
int gml_rec_user_get(struct gml_txn *txn, struct gml_span name, struct gml_user *out);
/* The first enabled user with the uid, in the order of names; when all are disabled, the first. */
int gml_rec_user_by_uid(struct gml_txn *txn, uint32_t uid, struct gml_user *out);
/* All users with the uid, in the order of names. */
int gml_rec_user_each_of(struct gml_txn *txn, uint32_t uid,
			 bool (*each)(void *arg, const struct gml_user *user), void *arg);
int gml_rec_user_put(struct gml_txn *txn, const struct gml_user *user);
int gml_rec_user_del(struct gml_txn *txn, struct gml_span name);
/* Notes, for ever, that the uid was a user's: NFS refuses it then while no enabled user has it, as
 * it refuses the uids of disabled users. */
int gml_rec_uid_retire(struct gml_txn *txn, uint32_t uid);
/* The uids that were noted, ascending. */
int gml_rec_uid_each_retired(struct gml_txn *txn, bool (*each)(void *arg, uint32_t uid), void *arg);
/* Whether NFS refuses the uid. On failure *refused_out is true. */
int gml_rec_uid_refused(struct gml_txn *txn, uint32_t uid, bool *refused_out);
int gml_rec_user_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_user *user),
		      void *arg);
/* Access keys, by their ids. */
int gml_rec_key_get(struct gml_txn *txn, struct gml_span id, struct gml_key *out);
int gml_rec_key_put(struct gml_txn *txn, const struct gml_key *key);
int gml_rec_key_del(struct gml_txn *txn, struct gml_span id);
int gml_rec_key_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_key *key),
		     void *arg);

/* ---- groups, roles, policies ----------------------------------------------------------------- */
/* Groups and roles are found by their names in any case; their records have the names as they were
 * spelled. `each` gets the names in the case of the keys. What can be no name is NOENT. */
int gml_rec_group_get(struct gml_txn *txn, struct gml_span name, struct gml_group *out);
int gml_rec_group_put(struct gml_txn *txn, const struct gml_group *group);
int gml_rec_group_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_group_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
		       void *arg);
/* trust: the document that says who may assume the role; empty: nobody. trust_out may be NULL. */
int gml_rec_role_get(struct gml_txn *txn, struct gml_span name, struct gml_role *out,
		     struct gml_span *trust_out);
int gml_rec_role_put(struct gml_txn *txn, const struct gml_role *role, struct gml_span trust);
int gml_rec_role_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_role_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
		      void *arg);
/* Which users are in which groups, found from either side. has: 0, or NOENT. */
int gml_rec_member_has(struct gml_txn *txn, struct gml_span group, struct gml_span user);
int gml_rec_member_put(struct gml_txn *txn, struct gml_span group, struct gml_span user);
int gml_rec_member_del(struct gml_txn *txn, struct gml_span group, struct gml_span user);
int gml_rec_member_each(struct gml_txn *txn, struct gml_span group,
			bool (*each)(void *arg, struct gml_span user), void *arg);
int gml_rec_member_each_of(struct gml_txn *txn, struct gml_span user,
			   bool (*each)(void *arg, struct gml_span group), void *arg);
/* A user, a group or a role. */
struct gml_rec_identity {
	uint8_t kind; /* enum gml_identity_kind */
	struct gml_span name;
};
/* Tags, as gml_rec_pairs_encode makes them; borrowed on get. An empty list is not kept. */
int gml_rec_tags_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span *pairs_out);
int gml_rec_tags_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span pairs);
/* Managed policies, found in any case. *document_out (may be NULL) is borrowed. Documents: TOOBIG.
 * */
int gml_rec_policy_get(struct gml_txn *txn, struct gml_span name, struct gml_policy *out,
		       struct gml_span *document_out);
int gml_rec_policy_put(struct gml_txn *txn, const struct gml_policy *policy,
		       struct gml_span document);
int gml_rec_policy_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_policy_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
			void *arg);
/* Which managed policies an identity has. has: 0 or NOENT. */
int gml_rec_attached_has(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy);
int gml_rec_attached_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy);
int gml_rec_attached_del(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy);
int gml_rec_attached_each(struct gml_txn *txn, const struct gml_rec_identity *identity,
			  bool (*each)(void *arg, struct gml_span policy), void *arg);
/* The one managed policy that is an identity's boundary, as it was spelled. put replaces it. */
int gml_rec_boundary_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 char policy_out[GML_POLICY_NAME_MAX + 1]);
int gml_rec_boundary_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy);
int gml_rec_boundary_del(struct gml_txn *txn, const struct gml_rec_identity *identity);
/* Who has a managed policy, both ways, by use and identity. */
int gml_rec_policy_each_use(struct gml_txn *txn, struct gml_span policy,
			    bool (*each)(void *arg, enum gml_policy_use use,
					 const struct gml_rec_identity *identity),
			    void *arg);
/* The policies that are an identity's alone. `each` gets their names as they were spelled, in the
 * order of the keys. */
int gml_rec_inline_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy, struct gml_span *document_out);
int gml_rec_inline_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy, struct gml_span document);
int gml_rec_inline_del(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy);
int gml_rec_inline_each(struct gml_txn *txn, const struct gml_rec_identity *identity,
			bool (*each)(void *arg, struct gml_span policy, struct gml_span document),
			void *arg);
/* Has the bucket a policy (kind GML_BUCKET_POLICY), does it demand one (GML_BUCKET_ACCESS)? 0 or
 * NOENT, also for other kinds. The row follows gml_rec_config_put and _del. */
int gml_rec_policy_bucket_has(struct gml_txn *txn, gml_ino root, uint8_t kind);
/* Has any identity or bucket a policy, or does any bucket demand one? */
int gml_rec_policy_any(struct gml_txn *txn, bool *out);
/* The settings of all buckets. get: also with NOENT *out is set, to zeros. */
int gml_rec_account_get(struct gml_txn *txn, struct gml_account *out);
int gml_rec_account_put(struct gml_txn *txn, const struct gml_account *account);

/* ---- orphan, dirty, lease -------------------------------------------------------------------- */
/* Inodes without a name. since: when it lost its last name, ns since the epoch. */
int gml_rec_orphan_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		       int64_t since);
/* Moves the time of the record to `since`, unless that is later. */
int gml_rec_orphan_date(struct gml_txn *txn, gml_ino ino, int64_t since);
int gml_rec_orphan_get(struct gml_txn *txn, gml_ino ino, int64_t *since_out);
int gml_rec_orphan_del(struct gml_txn *txn, gml_ino ino);
/* The orphans after the inode `after`, in the order of inodes; so are those of
 * gml_rec_dirty_each. */
int gml_rec_orphan_each(struct gml_txn *txn, gml_ino after,
			bool (*each)(void *arg, gml_ino ino, int64_t since), void *arg);

/* DIRTY inodes, and the process that writes to each. */
int gml_rec_dirty_put(struct gml_txn *txn, gml_ino ino, const struct gml_owner *owner);
int gml_rec_dirty_get(struct gml_txn *txn, gml_ino ino, struct gml_owner *owner_out);
int gml_rec_dirty_del(struct gml_txn *txn, gml_ino ino);
int gml_rec_dirty_each(struct gml_txn *txn, gml_ino after,
		       bool (*each)(void *arg, gml_ino ino, const struct gml_owner *owner),
		       void *arg);

/* Ranges of numbers for blobs that a process may use. */
struct gml_lease {
	uint8_t kind; /* 0: of blob files; 1: of packs */
	uint64_t first, count;
	struct gml_owner owner;
};
/* Leases the next `count` numbers of the kind that nobody had. NOSPC: there are none left. */
int gml_rec_lease_take(struct gml_txn *txn, uint8_t kind, uint64_t count,
		       const struct gml_owner *owner, struct gml_lease *out);
int gml_rec_lease_del(struct gml_txn *txn, uint8_t kind, uint64_t first);
int gml_rec_lease_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_lease *lease),
		       void *arg);

/* ---- paths ----------------------------------------------------------------------------------- */
/* Bytes of the longest path that gml_inode_paths finds. */
#define GML_PATH_LEN_MAX 4096

/* Calls `each` with every path of an inode: the number of the bucket's root, and the path below it
 * as stored (components end with '/' but for a file's own name), without a terminating NUL; both
 * are borrowed for the call. An orphan and the namespace root have none, a bucket's root the empty
 * one. Stops when `each` answers false: so callers bound the number of paths. Costs a get or two
 * for each component. Any transaction. Errors: NOENT (no such inode), CORRUPT, NAMETOOLONG (a path
 * over GML_PATH_LEN_MAX). */
int gml_inode_paths(struct gml_txn *txn, gml_ino ino,
		    bool (*each)(void *arg, gml_ino bucket, struct gml_span path), void *arg);

#endif
