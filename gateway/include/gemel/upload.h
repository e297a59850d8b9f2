// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads.
 *
 * An id has 32 lower-case hex digits. An upload belongs to the uid that began it: that uid, the
 * bucket's owner and uid 0 may use it, and whom a policy allows that; others get ACCESS. An upload
 * that is unknown, completed or aborted, or belongs to another bucket or key, is NOUPLOAD.
 * README.md here explains the labels of the contracts. */
#ifndef GEMEL_UPLOAD_H
#define GEMEL_UPLOAD_H

#include <gemel/action.h>
#include <gemel/object.h>
#include <gemel/visibility.h>

GML_API_BEGIN

#define GML_UPLOAD_ID_LEN 32
#define GML_PART_MAX 10000
#define GML_PART_SIZE_MIN ((uint64_t)5 << 20)
#define GML_PART_SIZE_MAX ((uint64_t)5 << 30)

/* One upload. Whoever fills it keeps the spans for the call. */
struct gml_upload_ref {
	struct gml_object_ref object; /* what it is to become */
	struct gml_span id;
};
struct gml_upload {
	char id[GML_UPLOAD_ID_LEN + 1];
	struct gml_span key; /* borrowed */
	uint32_t uid;	     /* who began it */
	uint32_t owner;	     /* whose the object is to be: that uid, or the bucket's owner */
	int64_t initiated;
	uint8_t checksum_algorithm; /* enum gml_checksum; NONE: nobody chose one */
	uint8_t checksum_composite; /* COMPOSITE (1) or FULL_OBJECT (0) */
	char storage_class[GML_STORAGE_CLASS_MAX + 1]; /* "": STANDARD */
	/* gml_upload_list only: `key` is a common prefix, `id` that of the first upload under it,
	 * nothing else is set. */
	bool common_prefix;
};
struct gml_part {
	uint32_t number;
	uint64_t size;
	int64_t mtime;
	uint8_t md5[16];
	struct gml_object_checksum checksum;
};

/* What an upload's object is to be. */
struct gml_upload_options {
	const struct gml_object_new *attrs; /* NULL: none */
	/* NONE: nobody chose one. The object then gets the checksum that all of its parts have, if
	 * they are of one algorithm that can be combined (CRCs). */
	enum gml_checksum checksum;
	bool composite;			 /* COMPOSITE, else FULL_OBJECT */
	const struct gml_grants *grants; /* gemel/grant.h; NULL: it states none */
};
/* Begin an upload (CreateMultipartUpload). Needs `w+x` on the directory, as a PUT does.
 * Errors: NOBUCKET, NOVERSION, ACCESS, ROFS, INVAL, NAMETOOLONG, TOOBIG, NOSPC, NOMEM.
 * Threads: any. Blocks: commit. Durable: yes, in relaxed buckets as well. On failure: nothing
 * changed. */
int gml_upload_create(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		      const struct gml_upload_options *options, char id_out[GML_UPLOAD_ID_LEN + 1]);
/* Look an upload up, for who may do `action` with it: UPLOAD_PART, COMPLETE_UPLOAD, ABORT_UPLOAD,
 * LIST_PARTS or SEE_UPLOAD (gemel/action.h). out->key is upload->object.key.
 * Errors: NOBUCKET, NOUPLOAD, ACCESS, ROFS.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_upload_get(struct gml_op *op, struct gml_store *store, const struct gml_upload_ref *upload,
		   enum gml_action action, struct gml_upload *out);

/* Open a sink for the content of part `number` (UploadPart): gml_put_write and gml_put_abort work
 * on it, gml_part_finish ends it. size_hint: bytes expected, or UINT64_MAX.
 * Ownership: *out belongs to the caller until gml_part_finish or gml_put_abort.
 * Errors: NOBUCKET, NOUPLOAD, ACCESS, ROFS, INVAL (number), FBIG, NOMEM.
 * Threads: any; one at a time per put. Blocks: no. Durable: n/a. On failure: *out is unchanged. */
int gml_part_begin(struct gml_op *op, struct gml_store *store, const struct gml_upload_ref *upload,
		   uint32_t number, uint64_t size_hint, struct gml_put **out);
/* Keep the part. One that has the number already is replaced, and its bytes are freed. `md5` has 16
 * bytes; `checksum` and `out` may be NULL.
 * Ownership: consumes the put in any case.
 * Errors: NOUPLOAD, NOBUCKET, ACCESS, INVAL (a checksum of another algorithm than the upload's),
 * DQUOT, NOSPC, IO, NOMEM.
 * Threads: any. Blocks: disk, commit. Durable: yes, in relaxed buckets as well. On failure: nothing
 * changed. */
int gml_part_finish(struct gml_op *op, struct gml_put *put, const uint8_t md5[16],
		    const struct gml_object_checksum *checksum, struct gml_part *out);
/* Which part is made of what. */
struct gml_part_copy_options {
	uint32_t number;
	uint64_t off, len;		       /* of the source; len UINT64_MAX: to its end */
	const struct gml_conditions *src_cond; /* NULL: none */
};
/* Make a part of a range of an object, which shares its blobs (UploadPartCopy). MD5 and checksum
 * (CRC64NVME where nobody chose one for the upload) are computed by reading. `out` may be NULL.
 * Errors: those of gml_part_begin and gml_part_finish and, for the source, of gml_object_open;
 * PRECONDITION; INVAL (the range is not in the source).
 * Threads: any. Blocks: disk, commit. Durable: yes, in relaxed buckets as well. On failure: nothing
 * changed. */
int gml_part_copy(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *src,
		  const struct gml_upload_ref *upload, const struct gml_part_copy_options *options,
		  struct gml_part *out);
/* Which parts to list. */
struct gml_part_query {
	struct gml_upload_ref upload;
	uint32_t after, max; /* numbers greater than `after`, at most `max` parts */
};
/* Call `each` for parts, ascending, until it returns false (ListParts). *truncated_out: more are
 * left. Parts are borrowed for the call of `each`.
 * Errors: NOBUCKET, NOUPLOAD, ACCESS.
 * Threads: any. Blocks: no. Durable: n/a. On failure: `each` may have been called for some
 * parts. */
int gml_part_list(struct gml_op *op, struct gml_store *store, const struct gml_part_query *query,
		  bool (*each)(void *arg, const struct gml_part *part), void *arg,
		  bool *truncated_out);

struct gml_part_ref {
	uint32_t number;
	char etag[GML_ETAG_MAX + 1]; /* as the client sent it, without quotes */
	/* NONE, or must equal the part's. One of another kind than the part's is not looked at
	 * where nobody chose a kind for the upload, or CRC64NVME was chosen. */
	struct gml_object_checksum checksum;
};
/* What an upload is completed with. */
struct gml_complete_options {
	const struct gml_part_ref *parts; /* 1 to GML_PART_MAX, ascending */
	uint32_t nparts;
	const struct gml_object_checksum *checksum; /* expected of the whole; NULL: none */
	bool has_size;				    /* `size` is expected of the whole */
	uint64_t size;
	const struct gml_conditions *cond; /* on what has the key now; NULL: none */
};
/* Make the object of the listed parts (CompleteMultipartUpload): its ETag is the MD5 of the parts'
 * MD5s, with "-N"; no data moves; the upload and unlisted parts go. Repeated with the same parts
 * while the object is there, it succeeds again and changes nothing, whatever the conditions are. A
 * file that has the key hands down what gml_put_finish says (its owner is then not the uploader).
 * *info_out (may be NULL) as there.
 * Errors: PARTORDER, BADPART, PARTSMALL, BADDIGEST (FULL_OBJECT CRCs are combined from the parts'),
 * INVAL (the size differs, or nparts), NOUPLOAD, TOOBIG (more than a million extents), FBIG, and
 * those of gml_put_finish.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_upload_complete(struct gml_op *op, struct gml_store *store,
			const struct gml_upload_ref *upload,
			const struct gml_complete_options *options,
			struct gml_object_info *info_out);
/* Drop an upload with its parts (AbortMultipartUpload).
 * Errors: NOBUCKET, NOUPLOAD, ACCESS, ROFS.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_upload_abort(struct gml_op *op, struct gml_store *store,
		     const struct gml_upload_ref *upload);
/* Call `each` for one page of a bucket's uploads until it returns false, by key, then by
 * initiation (ListMultipartUploads). Needs `r+x` on the bucket's root; uploads that the caller may
 * not use are left out. *truncated_out: more are left; resume with after and after_id. An after_id
 * that names no upload (any more) is good. Uploads are borrowed for the call of `each`.
 * Errors: NOBUCKET, NOUPLOAD (after_id is no id), ACCESS, NOMEM.
 * Threads: any. Blocks: no. Durable: n/a. On failure: `each` may have been called for some
 * uploads. */
int gml_upload_list(struct gml_op *op, struct gml_store *store, const struct gml_list_query *query,
		    bool (*each)(void *arg, const struct gml_upload *upload), void *arg,
		    bool *truncated_out);

GML_API_END

#endif
