// SPDX-License-Identifier: Apache-2.0
/* Documents of a bucket's configuration. */
#include <stdlib.h>
#include <string.h>
#include <gemel/bucket.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"
#include "bucket_txn.h"

_Static_assert(GML_BUCKET_DOCUMENT_MAX < GML_ENGINE_VALUE_LEAST, "a document is one record");

static int document_bucket(struct gml_txn *txn, struct gml_span name, struct gml_bucket_rec *out)
{
	int rc = gml_rec_bucket_get(txn, name, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
}

static int document_copy(struct gml_span document, void **buf_out, size_t *len_out)
{
	void *buf = malloc(document.len + 1);
	if (buf == NULL)
		return GML_ERR_NOMEM;
	if (document.len > 0)
		memcpy(buf, document.ptr, document.len);
	*buf_out = buf;
	*len_out = document.len;
	return 0;
}

int gml_bucket_document_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, void **buf_out, size_t *len_out)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	struct gml_span document;
	struct gml_inode root;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = document_bucket(txn, name, &rec);
	if (rc == 0) {
		rc = gml_rec_inode_get(txn, rec.root, &root);
		if (rc == GML_ERR_NOENT)
			rc = GML_ERR_CORRUPT;
	}
	if (rc == 0)
		rc = gml_bucket_txn_may(txn, op, GML_ACTION_GET_BUCKET_TAGGING, &rec, &root);
	if (rc == 0)
		rc = gml_rec_config_get(txn, rec.root, (uint8_t)kind, &document);
	if (rc == 0)
		rc = document_copy(document, buf_out, len_out);
	gml_meta_read_end(txn);
	return rc;
}

struct document_set {
	const struct gml_op *op;
	struct gml_span name, document;
	uint8_t kind;
};

static int document_set_fn(struct gml_txn *txn, void *arg)
{
	const struct document_set *set = arg;
	struct gml_bucket_rec rec;
	int rc = document_bucket(txn, set->name, &rec);
	if (rc != 0)
		return rc;
	rc = gml_bucket_txn_may(txn, set->op, GML_ACTION_PUT_BUCKET_TAGGING, &rec, NULL);
	if (rc != 0)
		return rc;
	if (set->document.ptr != NULL)
		return gml_rec_config_put(txn, rec.root, set->kind, set->document);
	rc = gml_rec_config_del(txn, rec.root, set->kind);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_bucket_document_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, struct gml_span document)
{
	struct document_set set = {
		.op = op, .name = name, .document = document, .kind = (uint8_t)kind};
	if (document.len > GML_BUCKET_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	return gml_meta_update(store->meta, document_set_fn, &set);
}
