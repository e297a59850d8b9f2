// SPDX-License-Identifier: Apache-2.0
/* Content of an object that is being written. */
#ifndef GML_NS_OBJECT_PUT_H
#define GML_NS_OBJECT_PUT_H

#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/data/data.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/blob_sums.h"
#include "gateway/ns/store/store.h"
#include "object_meta.h"

struct gml_put {
	struct gml_store *store;
	struct gml_object_ref ref; /* its spans are copies, after the struct */
	uint64_t size, limit;
	uint8_t *buf; /* small content, or the bytes gathered for the next write to the blob */
	size_t cap, used;
	struct gml_blob *blob;	     /* file; NULL while all fits the buffer */
	uint64_t blob_id;	     /* 0: none yet; set also for packed content once sealed */
	uint64_t hinted;	     /* bytes whose write-back was started */
	struct gml_sums sums;	     /* of what went to the blob file */
	struct gml_fresh_blob fresh; /* set by gml_put_seal; its sums are these */
	bool failed;
	uint32_t part; /* 0: an object */
	uint8_t upload[16];
};
int gml_put_new(struct gml_store *store, const struct gml_object_ref *ref, uint64_t limit,
		uint64_t size_hint, struct gml_put **out);
/* All bytes to the store, durable (packed ones with the commit that references them). *out: the
 * content as one extent, len 0 when empty; its blob, new, as put->fresh. */
int gml_put_seal(struct gml_put *put, struct gml_extent *out);
/* gml_put_finish with headers, metadata and tags in encoded form, `meta`, in place of
 * options->attrs. Consumes the put. */
int gml_put_publish(struct gml_op *op, struct gml_put *put, const struct gml_put_options *options,
		    const struct gml_object_meta *meta, struct gml_object_info *info_out);
/* Frees the put; `discard`: and its bytes. NULL is fine. */
void gml_put_free(struct gml_put *put, bool discard);

#endif
