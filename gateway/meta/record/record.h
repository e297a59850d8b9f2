// SPDX-License-Identifier: Apache-2.0
/* Typed records over the engine: what each table's keys and values are. Every value starts with a
 * format byte; decoding is bounds-checked and answers CORRUPT. Integers in keys are big-endian
 * (order), in values little-endian. docs/on-disk-format.md is the byte-level truth.
 *
 * get: NOENT when absent. put replaces. All take any transaction; put and del need a write
 * transaction. */
#ifndef GML_META_RECORD_H
#define GML_META_RECORD_H

#include <gemel/iam.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include "gateway/base/owner.h"
#include "../engine.h"

/* Keys of table SUPER begin with one of these; what is below GML_SUPER_RECORDS belongs to the
 * engine. */
enum {
	GML_SUPER_LEASE = GML_SUPER_RECORDS, /* + kind -> first number not leased yet */
	GML_SUPER_UID = 0x11,	  /* + uid + user name -> nothing: index of users by uid */
	GML_SUPER_RETIRED = 0x13, /* + uid that was a user's -> nothing */
	GML_SUPER_SECRET = 0x14,  /* -> secret of the store's file handles */
};

/* Reads every record of a table; calls `damaged` for each whose checksum is not its own (it has
 * been logged). The key is borrowed for the call. Errors: the engine's, not CORRUPT. */
int gml_rec_verify(struct gml_txn *txn, enum gml_table table,
		   void (*damaged)(void *arg, enum gml_table table, struct gml_span key),
		   void *arg);

/* Number of entries of a table, exact: what the engine keeps, or else a walk of the whole table. */
int gml_rec_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out);
/* The inode that a key of a table of inodes, names, extents or attributes begins with. Returns the
 * length of that beginning; 0: the key begins with no inode, and *ino_out is what was read of
 * one. */
size_t gml_rec_ino_of_key(struct gml_span key, gml_ino *ino_out);

/* The secret under which the store signs file handles: made with the store, never changed, never
 * logged. Whoever has a copy of the metadata has it. get: NOENT, CORRUPT. */
enum { GML_REC_SECRET = 16 };
int gml_rec_secret_get(struct gml_txn *txn, uint8_t out[GML_REC_SECRET]);
int gml_rec_secret_put(struct gml_txn *txn, const uint8_t secret[GML_REC_SECRET]);

/* ---- line and usage ------------------------------------------------------------------------- */
/* A bucket's timeline: what a change of any row in the bucket has to know. Epochs count the
 * bucket's snapshots; each row that snapshots can show says in which epoch it was put (its
 * stamp). */
enum {
	GML_LINE_RELAXED = 1 << 0, /* what changes in it is acknowledged before it is durable */
	GML_LINE_FLAGS = GML_LINE_RELAXED, /* all */
};
/* Rows that a snapshot may show (inode, dirent, extent, xattr, link) are put and deleted with the
 * line that they belong to: the functions below are the only ones that write those tables. */
struct gml_line {
	uint64_t id;	 /* gml_line_id; 0: of rows in no bucket */
	uint32_t flags;	 /* GML_LINE_* */
	uint32_t epoch;	 /* in which rows are put now; 1, until there are snapshots */
	uint32_t newest; /* epoch of the newest snapshot; 0: none */
	uint64_t quota_bytes, quota_objects; /* 0: none */
	uint64_t next; /* the next number of the line's own; 0: it takes the store's */
};
/* The line of a bucket, by its root: the root's number in the present, and 2^63 | view elsewhere,
 * where each view with rows of its own is one line. */
static inline uint64_t gml_line_id(gml_ino root)
{
	return root.view == 0 ? root.num : root.view | (uint64_t)1 << 63;
}
/* That of the namespace root and of what is left of buckets that are gone. */
extern const struct gml_line gml_line_none;
/* id 0: gml_line_none. A write transaction reads each line once. NOENT, CORRUPT. */
int gml_rec_line_get(struct gml_txn *txn, uint64_t id, struct gml_line *out);
/* The line of an inode's rows, by its `bucket`: gml_line_none when the bucket is gone. CORRUPT. */
int gml_rec_line_of(struct gml_txn *txn, gml_ino bucket, struct gml_line *out);
/* The bucket's name, terminated. NOENT, CORRUPT. */
int gml_rec_line_name(struct gml_txn *txn, uint64_t id, char name_out[GML_BUCKET_NAME_MAX + 1]);
int gml_rec_line_put(struct gml_txn *txn, const struct gml_line *line, struct gml_span name);
int gml_rec_line_del(struct gml_txn *txn, uint64_t id);
int gml_rec_line_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_line *line),
		      void *arg);

struct gml_usage_rec {
	uint64_t bytes, objects;
};
/* By the line's id. A write transaction reads each once. NOENT, CORRUPT. */
int gml_rec_usage_get(struct gml_txn *txn, uint64_t id, struct gml_usage_rec *out);
int gml_rec_usage_put(struct gml_txn *txn, uint64_t id, const struct gml_usage_rec *usage);
int gml_rec_usage_del(struct gml_txn *txn, uint64_t id);
int gml_rec_usage_each(struct gml_txn *txn,
		       bool (*each)(void *arg, uint64_t line, const struct gml_usage_rec *usage),
		       void *arg);

/* ---- inode ----------------------------------------------------------------------------------- */
enum {
	GML_INODE_EXPLICIT = 1 << 0, /* directory made by a client */
	GML_INODE_DIRTY = 1 << 1,    /* size and times are the wblob's */
	GML_INODE_XATTRS = 1 << 2,   /* table xattr has entries */
	GML_INODE_EXTENTS = 1 << 3,  /* extents are in table extent; otherwise inline */
	/* etag is md5 (nparts > 0: md5 of md5s) of the content; otherwise opaque, from ino and
	 * change */
	GML_INODE_MD5 = 1 << 4,
	GML_INODE_PARTS = 1 << 5,  /* part sizes and checksums are in `parts` */
	GML_INODE_ORPHAN = 1 << 6, /* no name is left; in table orphan */
	/* The content may take less room than its size: st_blocks asks the write blob and the
	 * extents. Never wrong to have. */
	GML_INODE_SPARSE = 1 << 7,
	/* all; 0x100 to 0x800 are kept for shared, borrowed, noncurrent, tombstone */
	GML_INODE_FLAGS = 0xff,
};
#define GML_INLINE_EXTENTS 4

struct gml_extent {
	uint64_t off;	   /* in the file */
	uint64_t blob;	   /* id, see data/blob.h */
	uint64_t blob_off; /* within the blob */
	uint64_t len;
};

struct gml_inode {
	/* Of one view, but for GML_INO_ROOT, the parent of a bucket's root in every view. parent:
	 * NONE when unknown (several names, orphan). */
	gml_ino ino, bucket, parent;
	uint8_t type; /* enum gml_type */
	uint32_t flags, mode, uid, gid, nlink;
	uint64_t size, rdev, change, wblob;
	int64_t atime, mtime, ctime, btime;
	uint32_t born, stamp; /* the line's epoch when it was made, and when it was put last */
	uint8_t verifier[8];
	uint8_t md5[16];
	uint32_t nparts;
	struct gml_object_checksum checksum;
	uint32_t nextents; /* inline ones; ascending, not overlapping */
	struct gml_extent extents[GML_INLINE_EXTENTS];
	/* Variable parts; on decode borrowed from the transaction (engine.h, invariant 3): copy
	 * before the next write. */
	struct gml_span name;	 /* in `parent`; as stored (directories with '/') */
	struct gml_span target;	 /* symlink */
	struct gml_span headers; /* content headers, encoded by record_headers.c */
	/* nparts x { u64 end offset, checksum value of the upload's algorithm } */
	struct gml_span parts;
};

int gml_rec_inode_get(struct gml_txn *txn, gml_ino ino, struct gml_inode *out);
/* Sets the stamp. `line` is that of inode->bucket, or gml_line_none. The spans of `inode` may be
 * borrowed from the same record. */
int gml_rec_inode_put(struct gml_txn *txn, const struct gml_line *line,
		      const struct gml_inode *inode);
int gml_rec_inode_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino);

/* Content headers <-> one span. encode: into buf[cap], TOOBIG. decode: spans borrowed from
 * `headers`. */
int gml_rec_headers_encode(const struct gml_span in[GML_HDR_COUNT], void *buf, size_t cap,
			   size_t *len_out);
int gml_rec_headers_decode(struct gml_span headers, struct gml_span out[GML_HDR_COUNT]);
/* One of them; without it, the others are not looked at. */
int gml_rec_header_one(struct gml_span headers, enum gml_header header, struct gml_span *out);

/* ---- dirent and cookie ----------------------------------------------------------------------- */
struct gml_dirent {
	/* In the parent's view. An entry of the namespace root says the number only (view 0): the
	 * record of the bucket says the view. */
	gml_ino ino;
	uint64_t cookie;
	uint8_t type; /* enum gml_type */
};
/* name: stored form, 0..1024+1 bytes (empty = marker). Order over all entries of a parent is
 * exactly bytewise by name, at any length. Any number that gml_txn_next_id gave can be a parent
 * (upload lists use hidden ones); others might be taken by the continuations of long names. put
 * also maintains table cookie when dirent->cookie != 0 (replacing one drops the old cookie). INVAL:
 * dirent->ino is of another view than the parent, which is not the namespace root. */
int gml_rec_dirent_get(struct gml_txn *txn, gml_ino parent, struct gml_span name,
		       struct gml_dirent *out);
int gml_rec_dirent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, const struct gml_dirent *dirent);
/* The name denotes dirent's inode from now on and keeps its cookie, which dirent->cookie becomes:
 * one put. *old_out: what it was. NOENT: there is no such name. INVAL as put. */
int gml_rec_dirent_replace(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
			   struct gml_span name, struct gml_dirent *dirent,
			   struct gml_dirent *old_out);
/* *old_out (may be NULL): what went. */
int gml_rec_dirent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino parent,
		       struct gml_span name, struct gml_dirent *old_out);
/* The name of the entry with that cookie, borrowed. NOENT, CORRUPT. */
int gml_rec_cookie_get(struct gml_txn *txn, gml_ino parent, uint64_t cookie,
		       struct gml_span *name_out);
/* Any entry at all? 0 or NOENT. */
int gml_rec_dirent_any(struct gml_txn *txn, gml_ino parent);

/* Ordered walk of one parent. The name is copied to the cursor (stays valid until the next call on
 * it). */
struct gml_dirent_cursor;
int gml_dirent_cursor_open(struct gml_txn *txn, gml_ino parent, struct gml_dirent_cursor **out);
void gml_dirent_cursor_close(struct gml_dirent_cursor *cursor);
/* First entry with name >= `name` (inclusive) or > `name`; NOENT at the end. */
int gml_dirent_cursor_seek(struct gml_dirent_cursor *cursor, struct gml_span name, bool inclusive,
			   struct gml_span *name_out, struct gml_dirent *out);
int gml_dirent_cursor_next(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
			   struct gml_dirent *out);
/* Walk in cookie order: first entry with cookie > `after`. */
int gml_dirent_cursor_after_cookie(struct gml_dirent_cursor *cursor, uint64_t after,
				   struct gml_span *name_out, struct gml_dirent *out);
int gml_dirent_cursor_next_cookie(struct gml_dirent_cursor *cursor, struct gml_span *name_out,
				  struct gml_dirent *out);

/* ---- extent (files with more than GML_INLINE_EXTENTS) ---------------------------------------- */
/* First extent that ends after `off`; NOENT. */
int gml_rec_extent_find(struct gml_txn *txn, gml_ino ino, uint64_t off, struct gml_extent *out);
int gml_rec_extent_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		       const struct gml_extent *extent);
int gml_rec_extent_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, uint64_t off);

/* ---- xattr ----------------------------------------------------------------------------------- */
/* Names are without NUL, up to GML_REC_XATTR_NAME_MAX bytes (NAMETOOLONG): S3 metadata may have one
 * of 2 KiB. */
#define GML_REC_XATTR_NAME_MAX 2304
int gml_rec_xattr_get(struct gml_txn *txn, gml_ino ino, struct gml_span name,
		      struct gml_span *value_out);
int gml_rec_xattr_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name, struct gml_span value);
int gml_rec_xattr_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		      struct gml_span name);
/* In name order, from the first > `after` (empty span with NULL ptr: from the start). `each` may
 * not write. Names over GML_XATTR_NAME_MAX bytes are ordered by their first 200 bytes, and in no
 * particular order among those that share these. Resuming after one of them works all the same. */
int gml_rec_xattr_each(struct gml_txn *txn, gml_ino ino, struct gml_span after,
		       bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		       void *arg);

/* ---- blob ------------------------------------------------------------------------------------ */
struct gml_blob_rec {
	uint64_t refs;	 /* extents (and one for being an inode's wblob) */
	uint64_t len;	 /* bytes; 0 for wblobs (unbounded) */
	uint64_t summed; /* so many bytes from its first on have checksums; 0: none */
	/* of these, when they are one block (1..GML_REC_SUM_BLOCK); more: table sum */
	uint32_t crc;
	uint32_t rows; /* that table sum has of more than one block */
};
#define GML_REC_SUM_BLOCK 65536 /* bytes (data/sums.h) */
int gml_rec_blob_get(struct gml_txn *txn, uint64_t blob, struct gml_blob_rec *out);
int gml_rec_blob_put(struct gml_txn *txn, uint64_t blob, const struct gml_blob_rec *rec);
int gml_rec_blob_del(struct gml_txn *txn, uint64_t blob);
/* First blob with id >= `from`; NOENT. */
int gml_rec_blob_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
		      struct gml_blob_rec *out);

/* ---- checksums of blobs ---------------------------------------------------------------------- */
/* Of blobs of more than one block: rows of GML_SUM_CHUNK blocks each. The record of the blob says
 * how many there are: a row of zeros may be left out, and one that was lost is noticed. */
#define GML_SUM_CHUNK 256 /* 16 MiB */
/* NOENT, CORRUPT. */
int gml_rec_sums_get(struct gml_txn *txn, uint64_t blob, uint32_t chunk,
		     uint32_t out[GML_SUM_CHUNK], unsigned *count_out);
int gml_rec_sums_put(struct gml_txn *txn, uint64_t blob, uint32_t chunk, const uint32_t *sums,
		     unsigned count);
int gml_rec_sums_del(struct gml_txn *txn, uint64_t blob, uint32_t chunk);
/* Number of rows of the blob's first `size` bytes. */
int gml_rec_sums_count(struct gml_txn *txn, uint64_t blob, uint64_t size, uint32_t *count_out);
/* Rows that `size` bytes have, when none is left out. Pure. */
static inline uint32_t gml_sums_rows(uint64_t size)
{
	const uint64_t row = (uint64_t)GML_SUM_CHUNK * GML_REC_SUM_BLOCK;
	return size <= GML_REC_SUM_BLOCK ? 0 : (uint32_t)(size / row + (size % row != 0));
}
/* All rows of the blob from chunk `from` on; 0 also when there is none. */
int gml_rec_sums_drop(struct gml_txn *txn, uint64_t blob, uint32_t from);
/* The first row of (blob, from) or after it, whatever blob it is of; NOENT. */
int gml_rec_sums_next(struct gml_txn *txn, uint64_t blob, uint32_t from, uint64_t *blob_out,
		      uint32_t *chunk_out);
/* A write blob whose bytes do not change, and whose checksums are not all there yet. */
struct gml_sum_pending {
	uint64_t size; /* bytes to be summed, not 0 */
	uint64_t next; /* first block that has not been */
	uint32_t rows; /* put so far */
	uint64_t mark; /* used once for this blob: another one means other bytes */
	int64_t since; /* when it was settled; ns since the epoch */
};
int gml_rec_sum_pending_get(struct gml_txn *txn, uint64_t blob, struct gml_sum_pending *out);
int gml_rec_sum_pending_put(struct gml_txn *txn, uint64_t blob, const struct gml_sum_pending *rec);
int gml_rec_sum_pending_del(struct gml_txn *txn, uint64_t blob);
/* First with id >= `from`; NOENT. */
int gml_rec_sum_pending_next(struct gml_txn *txn, uint64_t from, uint64_t *blob_out,
			     struct gml_sum_pending *out);

/* ---- link ----------------------------------------------------------------------------------- */
/* Back references: a file with several names has a row for each, so that all of them are found from
 * the inode. The cookie leads to the name (gml_rec_cookie_get). */
int gml_rec_link_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie);
int gml_rec_link_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino, gml_ino parent,
		     uint64_t cookie);
/* All of an inode, by parent and cookie. 0 also when there is none. `each` may not write. */
int gml_rec_link_each(struct gml_txn *txn, gml_ino ino,
		      bool (*each)(void *arg, gml_ino parent, uint64_t cookie), void *arg);

/* ---- bucket --------------------------------------------------------------------------------- */
/* Keyed by name. Its line and usage are put and deleted with it (ns/object/bucket.c). */
struct gml_bucket_rec {
	gml_ino root;
	/* Hidden parent of this bucket's uploads: dirent name = key, NUL, 32 hex digits of the
	 * id. */
	gml_ino uploads;
	uint32_t uid;
	int64_t created;
};
int gml_rec_bucket_get(struct gml_txn *txn, struct gml_span name, struct gml_bucket_rec *out);
/* NOENT: the root is no bucket's. CORRUPT also: its line names a bucket that has another root. */
int gml_rec_bucket_by_root(struct gml_txn *txn, gml_ino root,
			   char name_out[GML_BUCKET_NAME_MAX + 1], struct gml_bucket_rec *out);
/* The name may be borrowed. */
int gml_rec_bucket_put(struct gml_txn *txn, struct gml_span name, const struct gml_bucket_rec *rec);
int gml_rec_bucket_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_bucket_each(struct gml_txn *txn, struct gml_span after,
			bool (*each)(void *arg, struct gml_span name,
				     const struct gml_bucket_rec *rec),
			void *arg);

/* ---- documents of a bucket's configuration -------------------------------------------------- */
/* Keyed by the bucket's root and an enum gml_bucket_document. At most GML_BUCKET_DOCUMENT_MAX bytes
 * (TOOBIG). */
int gml_rec_config_get(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span *out);
int gml_rec_config_put(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span document);
int gml_rec_config_del(struct gml_txn *txn, gml_ino root, uint8_t kind);
/* All of a bucket; 0 also when it has none. */
int gml_rec_config_drop(struct gml_txn *txn, gml_ino root);

/* ---- upload and part ------------------------------------------------------------------------- */
struct gml_upload_rec {
	gml_ino bucket;
	uint32_t uid, gid;
	int64_t initiated;
	uint8_t checksum_algorithm, checksum_composite;
	struct gml_span key, headers,
		meta; /* borrowed on decode; meta: encoded xattrs to be (see gml_rec_pairs_*) */
};
int gml_rec_upload_get(struct gml_txn *txn, const uint8_t id[16], struct gml_upload_rec *out);
int gml_rec_upload_put(struct gml_txn *txn, const uint8_t id[16], const struct gml_upload_rec *rec);
int gml_rec_upload_del(struct gml_txn *txn, const uint8_t id[16]);
int gml_rec_upload_each(struct gml_txn *txn,
			bool (*each)(void *arg, const uint8_t id[16],
				     const struct gml_upload_rec *rec),
			void *arg);
/* Lists of (name, value) as one span; at most 64 KiB. */
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
	/* nextents x 4 u64 little-endian (off, blob, blob_off, len); borrowed; gml_rec_part_extent
	 * reads one */
	struct gml_span extents;
};
int gml_rec_part_get(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     struct gml_part_rec *out);
int gml_rec_part_put(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		     const struct gml_part_rec *rec, const struct gml_extent *extents);
int gml_rec_part_del(struct gml_txn *txn, const uint8_t id[16], uint32_t number);
int gml_rec_part_extent(const struct gml_part_rec *rec, uint32_t i, struct gml_extent *out);
int gml_rec_part_each(struct gml_txn *txn, const uint8_t id[16], uint32_t after,
		      bool (*each)(void *arg, uint32_t number, const struct gml_part_rec *rec),
		      void *arg);

/* ---- users and keys -------------------------------------------------------------------------- */
/* put and del also keep the index uid -> name. */
int gml_rec_user_get(struct gml_txn *txn, struct gml_span name, struct gml_user *out);
/* The first enabled one by name; without one, the first. */
int gml_rec_user_by_uid(struct gml_txn *txn, uint32_t uid, struct gml_user *out);
/* All with this uid, by name. */
int gml_rec_user_each_of(struct gml_txn *txn, uint32_t uid,
			 bool (*each)(void *arg, const struct gml_user *user), void *arg);
int gml_rec_user_put(struct gml_txn *txn, const struct gml_user *user);
int gml_rec_user_del(struct gml_txn *txn, struct gml_span name);
/* Note, for ever, that the uid was a user's: it is then refused at the NFS door while no enabled
 * user has it, as the uid of disabled users is. */
int gml_rec_uid_retire(struct gml_txn *txn, uint32_t uid);
/* Ascending. */
int gml_rec_uid_each_retired(struct gml_txn *txn, bool (*each)(void *arg, uint32_t uid), void *arg);
/* On failure *refused_out is true. */
int gml_rec_uid_refused(struct gml_txn *txn, uint32_t uid, bool *refused_out);
int gml_rec_user_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_user *user),
		      void *arg);
int gml_rec_key_get(struct gml_txn *txn, struct gml_span id, struct gml_key *out);
int gml_rec_key_put(struct gml_txn *txn, const struct gml_key *key);
int gml_rec_key_del(struct gml_txn *txn, struct gml_span id);
int gml_rec_key_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_key *key),
		     void *arg);

/* ---- groups, roles, policies ------------------------------------------------------------------ */
/* Names of groups and roles are found in any case, and their records have them as spelled. `each`
 * gets names in the case of the keys, in order, until it returns false; it may not write. What is
 * no name at all: NOENT. */
int gml_rec_group_get(struct gml_txn *txn, struct gml_span name, struct gml_group *out);
int gml_rec_group_put(struct gml_txn *txn, const struct gml_group *group);
int gml_rec_group_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_group_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
		       void *arg);
/* trust: the document that says who may assume it; empty: nobody. *trust_out (may be NULL) is
 * borrowed. */
int gml_rec_role_get(struct gml_txn *txn, struct gml_span name, struct gml_role *out,
		     struct gml_span *trust_out);
int gml_rec_role_put(struct gml_txn *txn, const struct gml_role *role, struct gml_span trust);
int gml_rec_role_del(struct gml_txn *txn, struct gml_span name);
int gml_rec_role_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
		      void *arg);
/* Which users are in which groups, found from both. has: 0 or NOENT. */
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
/* As gml_rec_pairs_encode made them; borrowed on get. Empty ones are not kept. */
int gml_rec_tags_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span *pairs_out);
int gml_rec_tags_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span pairs);

/* ---- orphan, dirty, lease -------------------------------------------------------------------- */
int gml_rec_orphan_put(struct gml_txn *txn, const struct gml_line *line, gml_ino ino,
		       int64_t since);
/* Puts an earlier time into the record; a later one is left out. NOENT. */
int gml_rec_orphan_date(struct gml_txn *txn, gml_ino ino, int64_t since);
int gml_rec_orphan_get(struct gml_txn *txn, gml_ino ino, int64_t *since_out);
int gml_rec_orphan_del(struct gml_txn *txn, gml_ino ino);
int gml_rec_orphan_each(struct gml_txn *txn, gml_ino after,
			bool (*each)(void *arg, gml_ino ino, int64_t since), void *arg);

int gml_rec_dirty_put(struct gml_txn *txn, gml_ino ino, const struct gml_owner *owner);
int gml_rec_dirty_get(struct gml_txn *txn, gml_ino ino, struct gml_owner *owner_out);
int gml_rec_dirty_del(struct gml_txn *txn, gml_ino ino);
int gml_rec_dirty_each(struct gml_txn *txn, gml_ino after,
		       bool (*each)(void *arg, gml_ino ino, const struct gml_owner *owner),
		       void *arg);

/* Blob-id leases; kind 0: ids of blob files, 1: pack numbers. take: next unleased range of `count`
 * (monotonic counter in SUPER). */
struct gml_lease {
	uint8_t kind;
	uint64_t first, count;
	struct gml_owner owner;
};
int gml_rec_lease_take(struct gml_txn *txn, uint8_t kind, uint64_t count,
		       const struct gml_owner *owner, struct gml_lease *out);
int gml_rec_lease_del(struct gml_txn *txn, uint8_t kind, uint64_t first);
int gml_rec_lease_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_lease *lease),
		       void *arg);

#endif
