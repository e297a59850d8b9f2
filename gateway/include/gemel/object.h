// SPDX-License-Identifier: Apache-2.0
/* Objects: the namespace as S3 sees it. `key` is raw bytes, 1 to 1024, without NUL (else INVAL,
 * NAMETOOLONG). Bucket missing: NOBUCKET; key missing: NOENT; rights missing: ACCESS (also for a
 * missing key whose directory the caller may not read, as S3 does without ListBucket). */
#ifndef GEMEL_OBJECT_H
#define GEMEL_OBJECT_H

#include <gemel/action.h>
#include <gemel/bucket.h>
#include <gemel/visibility.h>

GML_API_BEGIN

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
/* Resolve and open for reading in one snapshot; what CONTENT reads stays readable until
 * gml_object_close, whatever happens to the key. Needs `x` on the path and, but for FACTS, `r` on
 * the inode. IO: content is missing or cut short; CONTENT of an object of many extents finds that
 * out in its runs. No blocking on writers or commits; may fault metadata pages in. Suitable for an
 * event loop with op->nowait: COLD then means that small content is not in the page cache, or that
 * PRESENT has more than 8 files or 64 extents to look at, and the same call without it, on a
 * thread, will do that. */
int gml_object_open(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		    struct gml_span key, enum gml_object_want want, struct gml_object **out);
/* The object's facts (GML_OBJECT_FACTS), in one snapshot with the answer whether the caller may do
 * `action` to it, a row of gemel/action.h about an object that is there.
 * Ownership: *out belongs to the caller until gml_object_close.
 * Errors: ACCESS, PERM, ROFS (it may not); NOBUCKET; NOENT, or ACCESS for who may not know; INVAL,
 * NAMETOOLONG, NOMEM.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is NULL. */
int gml_object_find(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		    struct gml_span key, enum gml_action action, struct gml_object **out);
const struct gml_object_info *gml_object_info(const struct gml_object *object);
void gml_object_close(struct gml_object *object); /* NULL is fine; any thread */

/* Content at [off, off+len) as runs: fd >= 0: bytes at file_off of fd (borrowed until
 * gml_object_close; sendfile or pread); fd < 0: zeros, or `mem` when not NULL (small content
 * already in memory). run->len >= 1. Opens at most one file per call (may block on open(2)).
 * Errors: IO, CORRUPT. */
struct gml_run {
	int fd;
	uint64_t file_off;
	const void *mem;
	uint64_t len;
};
int gml_object_run(struct gml_object *object, uint64_t off, uint64_t len, struct gml_run *out);
/* Forget fds opened for bytes before `off`: bounds the fds of an object of 10,000 parts. Runs
 * before off are no longer borrowed. */
void gml_object_run_release(struct gml_object *object, uint64_t off);

/* Part `number` (1-based): its range, and its checksum. Single-part objects have one part. INVAL
 * past the last. */
int gml_object_part(const struct gml_object *object, uint32_t number, uint64_t *off_out,
		    uint64_t *len_out, struct gml_object_checksum *checksum_out);

/* Conditions of a write or copy source, RFC 9110 13 and S3's conditional requests. ETags without
 * quotes; times in ns with second precision compare. */
struct gml_conditions {
	struct gml_span
		if_match; /* comma-separated list of ETags as sent, or "*"; NULL ptr: none */
	struct gml_span if_none_match;			/* the same */
	int64_t if_modified_since, if_unmodified_since; /* 0: none */
};
/* PRECONDITION, NOTMODIFIED or 0; precedence as RFC 9110 13.2.2 says. `info` NULL: no object
 * (If-Match then answers NOENT as S3 does; If-None-Match holds). Pure. */
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
struct gml_put; /* content on its way in; invisible until finished */

/* Check rights (directory `w+x`, or that it could be made) and open a sink. size_hint: bytes
 * expected, or UINT64_MAX. No blocking on commits. One thread at a time per put. */
int gml_put_begin(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		  struct gml_span key, uint64_t size_hint, struct gml_put **out);
/* Append. Blocks on disk writes. On error only gml_put_abort is left. */
int gml_put_write(struct gml_put *put, const void *buf, size_t len);
/* Publish: sync, then one transaction that checks `cond` against what is there now, makes implicit
 * directories, replaces the key. Durable. `md5` (16 bytes) becomes the ETag. A file that the caller
 * may write and that has the key already hands down to the new inode: owner, group, mode (setuid
 * and setgid as write(2) leaves them) and all xattrs but user.s3.*. XATTRFULL: with `what` they are
 * more than an inode may have, and nothing changed. At most 10 tags, names of 512 bytes, values of
 * 1024; metadata and tags together 64 KiB: else TOOBIG. Consumes the put in any case. PRECONDITION,
 * NOENT (If-Match without object), CONFLICT, NOBUCKET, ACCESS, DQUOT, NOSPC. info_out (may be
 * NULL): etag, size, mtime only. */
int gml_put_finish(struct gml_op *op, struct gml_put *put, const uint8_t md5[16],
		   const struct gml_object_checksum *checksum, const struct gml_object_new *what,
		   const struct gml_conditions *cond, struct gml_object_info *info_out);
void gml_put_abort(struct gml_put *put); /* leaves nothing; NULL is fine; any thread */

/* DELETE. Missing keys succeed (S3), unless cond demands one. Needs `w+x` on the directory. Removes
 * implicit directories that became empty. *existed_out may be NULL. */
int gml_object_delete(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		      struct gml_span key, const struct gml_conditions *cond, bool *existed_out);

/* CopyObject without moving data (DIRTY sources are copied by bytes). `what` NULL: copy metadata
 * and headers (COPY), but not the redirection and the storage class, which belong to the name and
 * the copy; else REPLACE. Checksum: kept from the source, unless it has none or another
 * `checksum_algorithm` is wanted: then it is computed by reading. Source = target with what ==
 * NULL: INVAL. A file that has the target's key already hands down what gml_put_finish says;
 * XATTRFULL and TOOBIG as there. */
int gml_object_copy(struct gml_op *op, struct gml_store *store, struct gml_span src_bucket,
		    struct gml_span src_key, const struct gml_conditions *src_cond,
		    struct gml_span bucket, struct gml_span key, const struct gml_conditions *cond,
		    const struct gml_object_new *what, enum gml_checksum checksum_algorithm,
		    struct gml_object_info *info_out);

/* ---- listing --------------------------------------------------------------------------------- */
struct gml_list_query {
	struct gml_span prefix, delimiter; /* empty = none; the delimiter may be any string */
	struct gml_span
		after; /* keys (and common prefixes) bytewise greater than this; S3's marker, start-after */
	uint32_t max; /* keys plus common prefixes, at most 1000 */
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
/* One page in key order. Cost is proportional to the page, not to the bucket. *truncated_out: more
 * is left; resume with after = the last key or common prefix of the page. Needs `r+x` on the
 * directory of the prefix; subdirectories the caller may not read are left out. Subtrees under one
 * common prefix are not walked. */
int gml_object_list(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		    const struct gml_list_query *query,
		    bool (*each)(void *arg, const struct gml_list_entry *entry), void *arg,
		    bool *truncated_out);

GML_API_END

#endif
