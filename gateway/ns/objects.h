/* What the files of the object noun share: publishing new content under a key, what is attached to it, and content on its way in. */
#ifndef GML_NS_OBJECTS_H
#define GML_NS_OBJECTS_H

#include <string.h>
#include <gemel/checksum.h>
#include <gemel/upload.h>
#include "internal.h"

#define GML_ATTACH_HEADERS_MAX 8192
#define GML_ATTACH_PAIRS_MAX 65536
#define GML_ATTACH_META "user.s3.meta."
#define GML_ATTACH_TAG "user.s3.tag."
#define GML_TAGS_MAX 10					  /* tags of an object */
#define GML_TAG_NAME_MAX 512				  /* bytes: 128 characters of up to 4 */
#define GML_TAG_VALUE_MAX 1024				  /* bytes: 256 characters of up to 4 */
#define GML_ETAG_EMPTY "d41d8cd98f00b204e9800998ecf8427e" /* md5 of nothing */

static inline struct gml_span gml_span_of(const void *ptr, size_t len)
{
	return (struct gml_span){.ptr = ptr, .len = len};
}

static inline bool gml_span_equal(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool gml_span_starts(struct gml_span s, struct gml_span prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Bytewise order: < 0, 0, > 0. */
static inline int gml_span_order(struct gml_span a, struct gml_span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- path.c ---------------------------------------------------------------------------------------------------- */
/* What to answer for a key that is not there: NOENT, or ACCESS when the caller may not read the directory that would
 * hold it (the deepest existing one). */
int gml_path_missing(const struct gml_op *op, const struct gml_path *path);
/* The inode that the walked key denotes as an object: a regular file, or (*directory_out) the explicit directory that
 * stands for `dir/`. NOENT for all else. Spans of *out are borrowed from the transaction. */
int gml_path_object(struct gml_txn *txn, const struct gml_path *path, struct gml_inode *out,
		    bool *directory_out);
/* Fills ino, size, mtime, etag, nparts, checksum, directory as of now; leaves headers and metadata empty. */
int gml_path_facts(struct gml_store *store, const struct gml_inode *inode, bool directory,
		   struct gml_object_info *info);

/* ---- attach.c: headers, metadata and tags -------------------------------------------------------------------- */
/* In encoded form, on the heap: what a closure needs to attach them to an inode, and what an upload's record keeps. */
struct gml_attach {
	void *buf;
	struct gml_span headers, pairs; /* into buf; pairs: whole xattr names and values */
};
/* From a request; `what` NULL: nothing. TOOBIG (metadata, tags or headers over their limits), INVAL (an empty name, or
 * one with a NUL), NOMEM. On failure *out is empty. */
int gml_attach_build(const struct gml_object_new *what, struct gml_attach *out);
/* From an inode (COPY): its headers but for the redirection and the storage class, S3 metadata and
 * tags. Errors also: TOOBIG for more than 64 KiB of pairs. */
int gml_attach_copy(struct gml_txn *txn, const struct gml_inode *inode, struct gml_attach *out);
/* From an upload's record: copies the spans. */
int gml_attach_dup(struct gml_span headers, struct gml_span pairs, struct gml_attach *out);
/* Write transaction: the xattrs are put, inode->headers and flags set (borrowed from the attach; the caller puts). */
int gml_attach_apply(struct gml_txn *txn, const struct gml_attach *attach, struct gml_inode *inode);
void gml_attach_release(struct gml_attach *attach); /* zeroed is fine */

/* ---- publish.c: a new inode under a key, inside a write transaction ------------------------------------------- */
/* Order within a closure: check, gml_keep_prepare (reads only), inode (first writes), [content and attachments], link.
 * The caller's storage; fill the first part, zero the rest. */
struct gml_publish {
	struct gml_op *op;
	struct gml_store *store;
	struct gml_span bucket, key;
	const struct gml_conditions *cond; /* may be NULL */
	uint64_t size;			   /* of the new content: quota */

	struct gml_path path;
	bool replaces;
	struct gml_inode old;  /* when `replaces` */
	bool keeps;	       /* the new inode is the old one's owner's (keep.c) */
	struct gml_kept *kept; /* on the heap: gml_keep_release */
};
/* Walks the path; conditions, rights, quota. Writes nothing. NOBUCKET, ACCESS, PERM, ROFS, PRECONDITION, NOENT, DQUOT,
 * INVAL, NAMETOOLONG. */
int gml_publish_check(struct gml_txn *txn, struct gml_publish *pub);
/* Makes missing directories, unlinks the replaced inode, initialises the new one: regular, the caller's, 0644, or as
 * keep.c has it. */
int gml_publish_inode(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *out);
/* Links the finished inode under the key; that accounts it. */
int gml_publish_link(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *inode);
/* What the caller learns of a published inode: ino, etag, size, mtime, nparts, checksum. */
void gml_publish_info(const struct gml_inode *inode, struct gml_object_info *info);

/* ---- keep.c: what the new inode keeps of the replaced one ------------------------------------------------------- */
/* May the caller write the replaced inode? Then the new one has its owner, group, mode, and xattrs other than S3's. */
bool gml_keep_wanted(const struct gml_op *op, const struct gml_inode *old);
/* Before the closure's first write, in every run of it: copies the xattrs that are kept to pub->kept, which the caller
 * releases when the update is over, whatever its result. XATTRFULL: with what is attached they are more than an inode
 * may have (GML_XATTR_COUNT_MAX, GML_XATTR_TOTAL_MAX, names as listxattr(2) can return them). CORRUPT: one is longer
 * than it can be. NOMEM. */
int gml_keep_prepare(struct gml_txn *txn, struct gml_publish *pub, const struct gml_attach *attach);
/* Write transaction: gives the new inode what is kept (setuid and setgid go as write(2) takes them); its xattrs are put,
 * the inode is the caller's to put. NOMEM as any put of a record. */
int gml_keep_apply(struct gml_txn *txn, const struct gml_publish *pub, struct gml_inode *inode);
void gml_keep_release(struct gml_publish *pub); /* zeroed is fine */

/* ---- put.c --------------------------------------------------------------------------------------------------------- */
struct gml_put {
	struct gml_store *store;
	struct gml_span bucket, key; /* copies, behind the struct */
	uint64_t size, limit;
	uint8_t *buf; /* small content, or what is gathered for the next write to the blob */
	size_t cap, used;
	struct gml_blob *blob; /* file; NULL while all fits the buffer */
	uint64_t blob_id;      /* 0: none yet; set also for packed content once sealed */
	uint64_t hinted;       /* bytes whose write-back was started */
	bool failed;
	uint32_t part; /* 0: an object */
	uint8_t upload[16];
};
int gml_put_new(struct gml_store *store, struct gml_span bucket, struct gml_span key,
		uint64_t limit, uint64_t size_hint, struct gml_put **out);
/* All bytes to the store, durable (packed ones with the commit that references them). *out: the content as one extent,
 * len 0 when empty. */
int gml_put_seal(struct gml_put *put, struct gml_extent *out);
/* gml_put_finish with what is attached in encoded form (borrowed). Consumes the put. */
int gml_put_publish(struct gml_op *op, struct gml_put *put, const uint8_t md5[16],
		    const struct gml_object_checksum *checksum, const struct gml_attach *attach,
		    const struct gml_conditions *cond, struct gml_object_info *info_out);
/* Frees the put; `discard`: and its bytes. NULL is fine. */
void gml_put_free(struct gml_put *put, bool discard);

/* ---- object.c ------------------------------------------------------------------------------------------------------ */
/* Feeds [off, off+len) to `sink` in pieces of at most 256 KiB; stops at its first error. Blocks on disk. IO, NOMEM. */
int gml_object_each(struct gml_object *object, uint64_t off, uint64_t len,
		    int (*sink)(void *arg, const void *buf, size_t len), void *arg);
/* Was the file DIRTY when it was opened? */
bool gml_object_live(const struct gml_object *object);

/* ---- part.c and upload.c --------------------------------------------------------------------------------------- */
/* Record of an upload that the caller may use: NOBUCKET, NOUPLOAD (also when bucket or key differ), ACCESS. Spans are
 * borrowed from the transaction. */
int gml_upload_find(struct gml_txn *txn, const struct gml_op *op, struct gml_span bucket,
		    struct gml_span key, const uint8_t id[16], struct gml_bucket_rec *bucket_out,
		    struct gml_upload_rec *out);
/* The same by the id's text, in a read transaction of its own, which the caller ends; NULL on failure. */
int gml_upload_read_begin(const struct gml_op *op, struct gml_store *store, struct gml_span bucket,
			  struct gml_span key, struct gml_span id, uint8_t id_out[16],
			  struct gml_upload_rec *out, struct gml_txn **txn_out);
/* 32 lower-case hex digits; NOUPLOAD for all else. */
int gml_upload_id_parse(struct gml_span id, uint8_t out[16]);
void gml_upload_id_format(const uint8_t id[16], char out[GML_UPLOAD_ID_LEN + 1]);
/* Write transaction: drops every part still there with its references, the list entry and the record. `key`: the
 * caller's memory. */
int gml_upload_drop(struct gml_txn *txn, const struct gml_bucket_rec *bucket, struct gml_span key,
		    const uint8_t id[16], struct gml_freed *freed);
/* The same for the first upload of a bucket. NOENT: it has none. */
int gml_upload_drop_first(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
			  struct gml_freed *freed);
/* Write transaction: drops a part, its extents' references and the record. */
int gml_part_drop(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		  struct gml_freed *freed);

/* ---- share.c: several inodes (or parts) over the same blobs ---------------------------------------------------- */
/* Write transaction: turns the write blob of a clean inode into extents (wblob = 0) and saves the inode, whose spans are
 * stale then; nothing to do without one. DIRTY: AGAIN, nothing written. */
int gml_share_settle(struct gml_txn *txn, struct gml_inode *inode, struct gml_freed *freed);
/* One more reference of a blob, whose record is made when missing. */
int gml_share_ref(struct gml_txn *txn, uint64_t blob, uint64_t blob_len);
/* What a clean inode has in [off, off+len) once its write blob is settled: extents with offsets relative to off, on the
 * heap. Writes nothing: closures ask before their first write. */
int gml_share_slice(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off, uint64_t len,
		    struct gml_extent **extents_out, uint32_t *n_out);

/* ---- scan.c: digests of content that is read once ---------------------------------------------------------------- */
struct gml_scan {
	struct gml_put *put; /* also write it there; may be NULL */
	struct gml_digest *md5, *checksum;
	uint8_t md5_value[16];
	struct gml_object_checksum value;
};
/* Reads [off, off+len) of the object; md5_value and value (algorithm NONE: none) are the results. Blocks on disk. */
int gml_scan_run(struct gml_object *object, uint64_t off, uint64_t len, enum gml_checksum algorithm,
		 struct gml_put *put, struct gml_scan *out);

/* ---- list.c ---------------------------------------------------------------------------------------------------------- */
#define GML_BOUND_MAX (GML_KEY_MAX + 64)
/* Where a listing begins: the first name to look at, inclusive or not. */
struct gml_bound {
	char name[GML_BOUND_MAX];
	size_t len;
	bool inclusive;
};
/* From prefix, delimiter and after; false: nothing can follow. */
bool gml_bound_init(const struct gml_list_query *query, struct gml_bound *out);
/* Behind everything that begins with `prefix` (at most GML_KEY_MAX bytes); false: nothing is. */
bool gml_bound_behind(struct gml_span prefix, struct gml_bound *out);
/* Length of the key's common prefix, 0: it has none. */
size_t gml_bound_common(const struct gml_list_query *query, struct gml_span key);

#endif
