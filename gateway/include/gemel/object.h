// SPDX-License-Identifier: Apache-2.0
/* Objects: the namespace as S3 sees it.
 *
 * A missing bucket answers NOBUCKET, a missing key NOENT, a missing right ACCESS (so does a
 * missing key whose directory the caller may not read, as in S3 without ListBucket). "Durable:
 * yes" means in a strict bucket (gml_bucket_set_relaxed). Options are borrowed for the call; a
 * struct of zeros asks for nothing. README.md here explains the labels of the contracts. */
#ifndef GEMEL_OBJECT_H
#define GEMEL_OBJECT_H

#include <gemel/action.h>
#include <gemel/bucket.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* One object, or one version of it. Whoever fills it keeps the spans for the call. */
struct gml_object_ref {
	struct gml_span bucket;
	struct gml_span key; /* raw bytes, 1 to GML_KEY_MAX without NUL: else INVAL, NAMETOOLONG */
	/* empty: the current one. "null": as well; all others: NOVERSION */
	struct gml_span version;
};

enum gml_checksum {
	GML_CHECKSUM_NONE,
	GML_CHECKSUM_CRC32,
	GML_CHECKSUM_CRC32C,
	GML_CHECKSUM_CRC64NVME,
	GML_CHECKSUM_SHA1,
	GML_CHECKSUM_SHA256
};
#define GML_CHECKSUM_SIZE_MAX 32

struct gml_object_checksum {
	uint8_t algorithm; /* enum gml_checksum */
	uint8_t composite; /* 1: checksum of the parts' checksums (COMPOSITE), 0: FULL_OBJECT */
	uint8_t value[GML_CHECKSUM_SIZE_MAX]; /* big-endian, as S3 base64-encodes it */
};

/* Content headers that S3 keeps with the object; a NULL ptr means absent. Together at most 8
 * KiB. */
enum gml_header {
	GML_HDR_CONTENT_TYPE,
	GML_HDR_CONTENT_ENCODING,
	GML_HDR_CONTENT_DISPOSITION,
	GML_HDR_CONTENT_LANGUAGE,
	GML_HDR_CACHE_CONTROL,
	GML_HDR_EXPIRES,
	GML_HDR_REDIRECT,
	GML_HDR_STORAGE_CLASS, /* a label, and nothing else; absent: STANDARD */
	GML_HDR_COUNT
};
#define GML_STORAGE_CLASS_MAX 31 /* bytes */

struct gml_meta_pair {
	struct gml_span name; /* lower case, without the x-amz-meta- prefix */
	struct gml_span value;
};

/* One open object version; spans in `info` are borrowed from it. */
struct gml_object;
struct gml_object_info {
	gml_ino ino;
	uint32_t uid; /* owner */
	uint64_t size;
	int64_t mtime;
	char etag[GML_ETAG_MAX + 1]; /* without quotes */
	uint32_t nparts;	     /* 0: not from a multipart upload */
	struct gml_object_checksum checksum;
	struct gml_span headers[GML_HDR_COUNT];
	const struct gml_meta_pair *meta;
	uint32_t nmeta, ntags;
	bool directory; /* a synthesised directory object (docs/architecture.md) */
};

/* What an object is opened for. */
enum gml_object_want {
	GML_OBJECT_FACTS,   /* gml_object_info and parts */
	GML_OBJECT_CONTENT, /* these, and runs of the content */
	/* Facts, and that the content is there: its files exist and are long enough now. Nothing is
	 * read of it. Bounded: the first 256 files, and the first 4096 extents, from the object's
	 * start. That is enough: what is beyond is found missing by the runs of a GET, as that of
	 * every object of many extents is, and neither answer ever says that the bytes themselves
	 * are right. */
	GML_OBJECT_PRESENT,
};
/* Resolve the object and open it for reading, in one snapshot (GetObject, HeadObject). What
 * CONTENT reads stays readable until gml_object_close, whatever happens to the key. Needs `x` on
 * the path and, but for FACTS, `r` on the inode. With op->nowait it suits an event loop: COLD
 * means that small content is not in the page cache, or that PRESENT has more than 8 files or 64
 * extents to look at; the same call without it, on a thread, does that.
 * Ownership: *out belongs to the caller until gml_object_close.
 * Errors: NOBUCKET, NOENT, NOVERSION, ACCESS, INVAL, NAMETOOLONG, COLD, NOMEM, IO (content is
 * missing or cut short; an object of many extents finds that out in its runs).
 * Threads: any. Blocks: disk; with op->nowait no. Durable: n/a. On failure: *out is unchanged. */
int gml_object_open(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		    enum gml_object_want want, struct gml_object **out);
/* The object's facts (GML_OBJECT_FACTS), in one snapshot with the answer whether the caller may do
 * `action` to it, a row of gemel/action.h about an object that is there.
 * Ownership: *out belongs to the caller until gml_object_close.
 * Errors: ACCESS, PERM, ROFS (it may not); NOBUCKET; NOVERSION; NOENT, or ACCESS for who may not
 * know; INVAL, NAMETOOLONG, NOMEM.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is NULL. */
int gml_object_find(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		    enum gml_action action, struct gml_object **out);
/* What is known of an open object; borrowed until gml_object_close.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const struct gml_object_info *gml_object_info(const struct gml_object *object);
/* Close it; NULL is accepted. Nothing that was borrowed from it is valid any more.
 * Errors: none. Threads: any; no other call may use the object. Blocks: no. Durable: n/a. On
 * failure: n/a. */
void gml_object_close(struct gml_object *object);

/* Content as one run of bytes. */
struct gml_run {
	int fd; /* bytes at file_off of fd, for sendfile or pread; < 0: `mem` */
	uint64_t file_off;
	const void *mem; /* small content that is in memory already; NULL: zeros */
	uint64_t len;	 /* at least 1 */
};
/* The first run of [off, off+len) of the content. Opens at most one file.
 * Ownership: fd and mem are borrowed until gml_object_close, or until gml_object_run_release of
 * bytes after them.
 * Errors: IO (lost, or changed in place by NFS since the open), CORRUPT, NOMEM.
 * Threads: one at a time per object. Blocks: disk. Durable: n/a. On failure: *out is undefined. */
int gml_object_run(struct gml_object *object, uint64_t off, uint64_t len, struct gml_run *out);
/* Close the files that were opened for bytes before `off`: this bounds the descriptors of an object
 * of 10,000 parts. Runs before off are no longer borrowed.
 * Errors: none. Threads: one at a time per object. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_object_run_release(struct gml_object *object, uint64_t off);

/* Range and checksum of part `number` (1-based). An object that is not of an upload has one part.
 * Errors: INVAL (past the last part), CORRUPT.
 * Threads: any. Blocks: no. Durable: n/a. On failure: the results are undefined. */
int gml_object_part(const struct gml_object *object, uint32_t number, uint64_t *off_out,
		    uint64_t *len_out, struct gml_object_checksum *checksum_out);

/* Conditions of a write or copy source, RFC 9110 13 and S3's conditional requests. ETags without
 * quotes; times in ns with second precision compare. */
struct gml_conditions {
	/* comma-separated list of ETags as sent, or "*"; NULL ptr: none */
	struct gml_span if_match;
	struct gml_span if_none_match;			/* the same */
	int64_t if_modified_since, if_unmodified_since; /* 0: none */
};
/* Do the conditions hold for an object (`info` NULL: there is none)? Precedence is that of RFC
 * 9110 13.2.2. Without an object If-Match answers NOENT, as in S3, and If-None-Match holds.
 * `write`: of a write, where nothing is "not modified".
 * Errors: PRECONDITION, NOTMODIFIED, NOENT.
 * Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_conditions_check(const struct gml_conditions *cond, const struct gml_object_info *info,
			 bool write);

/* What a new object gets besides its bytes. Spans are borrowed for the call. */
struct gml_object_new {
	struct gml_span headers[GML_HDR_COUNT];
	const struct gml_meta_pair *meta;
	uint32_t nmeta;
	const struct gml_meta_pair *tags;
	uint32_t ntags;
};

/* ---- writing --------------------------------------------------------------------------------- */
struct gml_grants;
struct gml_put; /* content on its way in; invisible until finished */

/* How content becomes an object. */
struct gml_put_options {
	const uint8_t *md5; /* 16 bytes: become the ETag; NULL: an opaque one is made */
	const struct gml_object_checksum *checksum; /* NULL: none */
	const struct gml_object_new *attrs;	    /* NULL: none */
	const struct gml_conditions *cond;	    /* on what has the key now; NULL: none */
	const struct gml_grants *grants;	    /* gemel/grant.h; NULL: it states none */
};

/* Check rights (`w+x` on the directory, or that it could be made) and open a sink. size_hint: bytes
 * expected, or UINT64_MAX. The spans of `ref` are copied.
 * Ownership: *out belongs to the caller until gml_put_finish or gml_put_abort.
 * Errors: NOBUCKET, NOVERSION, ACCESS, ROFS, INVAL, NAMETOOLONG, FBIG, NOMEM.
 * Threads: any; one at a time per put. Blocks: no. Durable: n/a. On failure: *out is unchanged. */
int gml_put_begin(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		  uint64_t size_hint, struct gml_put **out);
/* May a new object of the key state grants, may it state tags (s3:PutObjectAcl,
 * s3:PutObjectTagging)? A look before the content is sent; whoever publishes it asks again.
 * Errors: those of gml_put_begin, PERM. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_put_may(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		bool grants, bool tags);
/* Append.
 * Errors: FBIG, NOSPC, IO, NOMEM, INVAL (after an error).
 * Threads: one at a time per put. Blocks: disk. Durable: no. On failure: only gml_put_abort is
 * left. */
int gml_put_write(struct gml_put *put, const void *buf, size_t len);
/* Publish: sync, then one transaction that checks the conditions against what is there, makes
 * implicit directories and takes the key, which keeps its cookie (PutObject). A file that has the
 * key and that the caller may write hands down to the new inode: owner, group, mode (setuid and
 * setgid as write(2) leaves them) and all xattrs but user.s3.*. At most 10 tags, names of 512
 * bytes, values of 1024; metadata and tags together 64 KiB. *info_out (may be NULL): etag, size,
 * mtime, nparts, checksum.
 * Ownership: consumes the put in any case.
 * Errors: PRECONDITION, NOENT (If-Match without object), CONFLICT, NOBUCKET, ACCESS, PERM, ROFS,
 * DQUOT, NOSPC, TOOBIG, XATTRFULL (attributes and what is handed down are more than an inode may
 * have), INVAL.
 * Threads: any. Blocks: disk, commit. Durable: yes. On failure: nothing changed. */
int gml_put_finish(struct gml_op *op, struct gml_put *put, const struct gml_put_options *options,
		   struct gml_object_info *info_out);
/* Drop the content; NULL is accepted.
 * Errors: none. Threads: any; no other call may use the put. Blocks: disk. Durable: n/a. On
 * failure: n/a; a file that cannot be removed is collected at the next start. */
void gml_put_abort(struct gml_put *put);

/* Remove the key, with implicit directories that become empty (DeleteObject). Needs `w+x` on the
 * directory. A missing key succeeds, unless `cond` (may be NULL) demands one. *existed_out may be
 * NULL.
 * Errors: PRECONDITION, NOENT (If-Match without object), NOBUCKET, NOVERSION, ACCESS, PERM, ROFS,
 * INVAL, NAMETOOLONG.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_object_delete(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		      const struct gml_conditions *cond, bool *existed_out);

/* How an object is copied. */
struct gml_copy_options {
	const struct gml_conditions *src_cond, *cond; /* on source and target; NULL: none */
	/* NULL: metadata and headers come from the source (COPY), but for the redirection and the
	 * storage class, which belong to the name and to the copy. Else these (REPLACE). */
	const struct gml_object_new *attrs;
	/* NONE: the source's checksum is kept. Another kind than it has: computed by reading. */
	enum gml_checksum checksum;
	const struct gml_grants *grants; /* of the copy; NULL: it states none */
};
/* Copy an object, which shares the source's blobs (CopyObject); the bytes of a file that NFS is
 * writing are copied. Needs `r` on the source. The target is published as by gml_put_finish, with
 * what a file under the key hands down; *info_out (may be NULL) as there. Tags that come from the
 * source need s3:GetObjectTagging of it.
 * Errors: those of gml_put_finish and, for the source, of gml_object_open; INVAL (source and target
 * are one, and options->attrs is NULL); CONFLICT (the source changes faster than it can be read).
 * Threads: any. Blocks: disk, commit. Durable: yes. On failure: nothing changed. */
int gml_object_copy(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *src,
		    const struct gml_object_ref *dst, const struct gml_copy_options *options,
		    struct gml_object_info *info_out);

/* ---- listing --------------------------------------------------------------------------------- */
/* What to list: keys (gml_object_list), or uploads (gml_upload_list). */
struct gml_list_query {
	struct gml_span bucket;
	struct gml_span prefix, delimiter; /* empty = none; the delimiter may be any string */
	/* Keys and common prefixes bytewise greater than this: S3's marker, or start-after. */
	struct gml_span after;
	/* gml_upload_list only: of the uploads for the key `after`, those after this id. Empty:
	 * none of them. */
	struct gml_span after_id;
	uint32_t max; /* entries and common prefixes, at most 1000 */
	/* gml_object_list only: s3:ListBucketVersions is asked for (ListObjectVersions) */
	bool versions;
};
struct gml_list_entry {
	struct gml_span key; /* key, or common prefix */
	bool common_prefix;
	uint64_t size;
	int64_t mtime;
	uint32_t uid;
	char etag[GML_ETAG_MAX + 1];
	struct gml_object_checksum checksum;
	struct gml_span storage_class; /* empty: STANDARD; borrowed for the call */
};
/* Call `each` for one page in key order, until it returns false (ListObjects). Its cost is that of
 * the page, not of the bucket: what lies under a common prefix is not walked. *truncated_out: more
 * is left; resume with after = the last key or common prefix. Needs `r+x` on the directory of the
 * prefix; subdirectories that the caller may not read are left out. Entries are borrowed for the
 * call of `each`.
 * Errors: NOBUCKET, ACCESS, INVAL, NOMEM.
 * Threads: any. Blocks: no. Durable: n/a. On failure: `each` may have been called for some
 * entries. */
int gml_object_list(struct gml_op *op, struct gml_store *store, const struct gml_list_query *query,
		    bool (*each)(void *arg, const struct gml_list_entry *entry), void *arg,
		    bool *truncated_out);

GML_API_END

#endif
