// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads and their parts, inside transactions. */
#ifndef GML_NS_OBJECT_UPLOAD_H
#define GML_NS_OBJECT_UPLOAD_H

#include <gemel/action.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <gemel/upload.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/store/store.h"

/* Which upload is looked up, and what the caller must be allowed to do with it. */
struct gml_upload_want {
	const struct gml_object_ref *ref;
	const uint8_t *id; /* 16 bytes */
	enum gml_action action;
};
/* Its record: NOBUCKET, NOUPLOAD (also when bucket or key differ); ACCESS, PERM and ROFS: the
 * caller may not. UPLOAD_PART wants the right to put the object as well. Spans are borrowed from
 * the transaction. */
int gml_upload_find(struct gml_txn *txn, const struct gml_op *op,
		    const struct gml_upload_want *want, struct gml_bucket_rec *bucket_out,
		    struct gml_upload_rec *out);
/* An upload as a reader sees it. */
struct gml_upload_look {
	struct gml_txn *txn;
	uint8_t id[16];
	struct gml_bucket_rec bucket;
	struct gml_upload_rec rec; /* spans are borrowed from txn */
};
/* gml_upload_find by the id's text, in a read transaction of its own, which the caller ends;
 * out->txn is NULL on failure. */
int gml_upload_read_begin(const struct gml_op *op, struct gml_store *store,
			  const struct gml_upload_ref *upload, enum gml_action action,
			  struct gml_upload_look *out);
/* 32 lower-case hex digits; NOUPLOAD for all else. */
int gml_upload_id_parse(struct gml_span id, uint8_t out[16]);
void gml_upload_id_format(const uint8_t id[16], char out[GML_UPLOAD_ID_LEN + 1]);
/* Write transaction: drops every part still there with its references, the list entry and the
 * record. `key`: the caller's memory. */
int gml_upload_drop(struct gml_txn *txn, const struct gml_bucket_rec *bucket, struct gml_span key,
		    const uint8_t id[16], struct gml_deferred_frees *freed);
/* The same for the first upload of a bucket. NOENT: it has none. */
int gml_upload_drop_first(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
			  struct gml_deferred_frees *freed);
/* Write transaction: drops a part, its extents' references and the record. */
int gml_part_drop(struct gml_txn *txn, const uint8_t id[16], uint32_t number,
		  struct gml_deferred_frees *freed);

#endif
