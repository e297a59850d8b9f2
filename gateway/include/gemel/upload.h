// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads. Ids are 32 lower-case hex digits. An upload belongs to who began it: that uid,
 * the bucket's owner and uid 0 may use it (ACCESS). NOUPLOAD when unknown, completed or aborted, or
 * bucket and key differ. */
#ifndef GEMEL_UPLOAD_H
#define GEMEL_UPLOAD_H

#include <gemel/object.h>
#include <gemel/visibility.h>

GML_API_BEGIN

#define GML_UPLOAD_ID_LEN 32
#define GML_PART_MAX 10000
#define GML_PART_SIZE_MIN ((uint64_t)5 << 20)
#define GML_PART_SIZE_MAX ((uint64_t)5 << 30)

struct gml_upload {
	char id[GML_UPLOAD_ID_LEN + 1];
	struct gml_span key; /* borrowed */
	uint32_t uid;
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

/* algorithm NONE: nobody chose one; the whole object then gets the checksum that all of its parts
 * have, if they are of one algorithm that can be combined (CRCs). */
int gml_upload_create(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		      struct gml_span key, const struct gml_object_new *what,
		      enum gml_checksum algorithm, bool composite,
		      char id_out[GML_UPLOAD_ID_LEN + 1]);
int gml_upload_get(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		   struct gml_span key, struct gml_span id,
		   struct gml_upload *out); /* out->key = `key` */

/* A part's content: gml_put_write and gml_put_abort work on it; finish with gml_part_finish. A part
 * of the same number is replaced; its old bytes are freed. */
int gml_part_begin(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		   struct gml_span key, struct gml_span id, uint32_t number, uint64_t size_hint,
		   struct gml_put **out);
int gml_part_finish(struct gml_op *op, struct gml_put *put, const uint8_t md5[16],
		    const struct gml_object_checksum *checksum, struct gml_part *out);
/* UploadPartCopy: [off, off+len) of the source, len UINT64_MAX = to its end. Shares extents; md5
 * and checksum (CRC64NVME where the upload has no algorithm) are computed by reading. */
int gml_part_copy(struct gml_op *op, struct gml_store *store, struct gml_span src_bucket,
		  struct gml_span src_key, const struct gml_conditions *src_cond, uint64_t off,
		  uint64_t len, struct gml_span bucket, struct gml_span key, struct gml_span id,
		  uint32_t number, struct gml_part *out);
/* Parts after number `after`, ascending, at most max. */
int gml_part_list(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		  struct gml_span key, struct gml_span id, uint32_t after, uint32_t max,
		  bool (*each)(void *arg, const struct gml_part *part), void *arg,
		  bool *truncated_out);

struct gml_part_ref {
	uint32_t number;
	char etag[GML_ETAG_MAX + 1]; /* as the client sent it, without quotes */
	/* NONE, or must equal the part's. One of another kind than the part's is not looked at
	 * where nobody chose a kind for the upload, or CRC64NVME was chosen. */
	struct gml_object_checksum checksum;
};
/* Complete: ETag = md5 of the parts' md5s "-N"; no data moves; the upload and unlisted parts go.
 * `checksum`: what the client claims for the whole, or NULL (BADDIGEST when it differs; FULL_OBJECT
 * CRCs are combined from the parts'). `size` UINT64_MAX or the object size the client expects
 * (INVAL). Repeated with the same parts while its object is there, it succeeds again and changes
 * nothing, whatever `cond` says; else NOUPLOAD. PARTORDER, BADPART, PARTSMALL, PRECONDITION. A file
 * that has the key already hands down what gml_put_finish says (the owner, then, is not the
 * uploader): XATTRFULL as there. TOOBIG: the parts have more than a million extents. */
int gml_upload_complete(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
			struct gml_span key, struct gml_span id, const struct gml_part_ref *parts,
			uint32_t nparts, const struct gml_object_checksum *checksum, uint64_t size,
			const struct gml_conditions *cond, struct gml_object_info *info_out);
int gml_upload_abort(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		     struct gml_span key, struct gml_span id);
/* Order: key, then initiation. Resume after (key_marker, id_marker). Delimiter and prefix as in
 * gml_object_list. An id_marker that is no id (32 lower-case hex digits), and not empty: NOUPLOAD;
 * one that names no upload (any more) is good. */
int gml_upload_list(struct gml_op *op, struct gml_store *store, struct gml_span bucket,
		    const struct gml_list_query *query, struct gml_span id_marker,
		    bool (*each)(void *arg, const struct gml_upload *upload), void *arg,
		    bool *truncated_out);

GML_API_END

#endif
