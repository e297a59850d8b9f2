// SPDX-License-Identifier: Apache-2.0
/* Documents of a bucket's configuration. */
#include <stdlib.h>
#include <gemel/bucket.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/span.h"
#include "gateway/iam/document.h"
#include "gateway/iam/epoch.h"
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

/* What a caller must be allowed, by kind. Other kinds are not in use yet. */
static const struct document_actions {
	enum gml_bucket_document kind;
	enum gml_action get, put, del;
} document_kinds[] = {
	{GML_BUCKET_TAGGING, GML_ACTION_GET_BUCKET_TAGGING, GML_ACTION_PUT_BUCKET_TAGGING,
	 GML_ACTION_PUT_BUCKET_TAGGING},
	{GML_BUCKET_POLICY, GML_ACTION_GET_BUCKET_POLICY, GML_ACTION_PUT_BUCKET_POLICY,
	 GML_ACTION_DELETE_BUCKET_POLICY},
	{GML_BUCKET_OWNERSHIP, GML_ACTION_GET_BUCKET_OWNERSHIP, GML_ACTION_PUT_BUCKET_OWNERSHIP,
	 GML_ACTION_PUT_BUCKET_OWNERSHIP},
	{GML_BUCKET_PUBLIC_ACCESS_BLOCK, GML_ACTION_GET_BUCKET_PUBLIC_ACCESS,
	 GML_ACTION_PUT_BUCKET_PUBLIC_ACCESS, GML_ACTION_PUT_BUCKET_PUBLIC_ACCESS},
	{GML_BUCKET_ACCESS, GML_ACTION_GET_BUCKET_POLICY, GML_ACTION_SET_ACCESS,
	 GML_ACTION_SET_ACCESS},
};

static const struct document_actions *document_actions_of(enum gml_bucket_document kind)
{
	for (size_t i = 0; i < sizeof(document_kinds) / sizeof(*document_kinds); i++)
		if (document_kinds[i].kind == kind)
			return &document_kinds[i];
	return NULL;
}

/* The document, on the heap, for who may do `action`. */
static int document_load(struct gml_op *op, struct gml_store *store, struct gml_span name,
			 const struct document_actions *actions, void **buf_out, size_t *len_out)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	struct gml_span document;
	struct gml_inode root;
	int rc = gml_meta_read_begin(store->meta, &txn);
	*buf_out = NULL;
	if (rc != 0)
		return rc;
	rc = document_bucket(txn, name, &rec);
	if (rc == 0) {
		rc = gml_rec_inode_get(txn, rec.root, &root);
		if (rc == GML_ERR_NOENT)
			rc = GML_ERR_CORRUPT;
	}
	if (rc == 0)
		rc = gml_bucket_txn_may(txn, op, actions->get, &rec, &root);
	if (rc == 0)
		rc = gml_rec_config_get(txn, rec.root, (uint8_t)actions->kind, &document);
	if (rc == 0)
		rc = gml_document_copy(document, buf_out, len_out);
	gml_meta_read_end(txn);
	return rc;
}

int gml_bucket_document_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, void **buf_out, size_t *len_out)
{
	const struct document_actions *actions = document_actions_of(kind);
	*buf_out = NULL;
	return actions != NULL ? document_load(op, store, name, actions, buf_out, len_out)
			       : GML_ERR_INVAL;
}

int gml_bucket_policy_status(struct gml_op *op, struct gml_store *store, struct gml_span name,
			     bool *public_out)
{
	static const struct document_actions status = {.kind = GML_BUCKET_POLICY,
						       .get = GML_ACTION_GET_BUCKET_POLICY_STATUS};
	struct gml_document_facts facts;
	size_t len;
	void *buf;
	int rc = document_load(op, store, name, &status, &buf, &len);
	if (rc != 0)
		return rc;
	gml_document_look(GML_BUCKET_POLICY, name, gml_span_of(buf, len), &facts);
	free(buf);
	*public_out = facts.is_public;
	return facts.rc == GML_ERR_BADPOLICY ? GML_ERR_CORRUPT : facts.rc;
}

struct document_set {
	struct gml_access_change access;
	const struct gml_op *op;
	const struct document_actions *actions;
	struct gml_span name, document;
	struct gml_document_facts facts;
};

static int document_set_fn(struct gml_txn *txn, void *arg)
{
	struct document_set *set = arg;
	uint8_t kind = (uint8_t)set->actions->kind;
	bool put = set->document.ptr != NULL;
	struct gml_bucket_rec rec;
	int rc = document_bucket(txn, set->name, &rec);
	if (rc == 0)
		rc = gml_bucket_txn_may(txn, set->op, put ? set->actions->put : set->actions->del,
					&rec, NULL);
	if (rc == 0)
		rc = gml_document_may(txn, rec.root, &set->facts);
	if (rc != 0)
		return rc;
	if (set->facts.decides)
		gml_access_change_begin(&set->access);
	if (put)
		return gml_rec_config_put(txn, rec.root, kind, set->document);
	rc = gml_rec_config_del(txn, rec.root, kind);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_bucket_document_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, struct gml_span document)
{
	struct document_set set = {.access.store = store,
				   .op = op,
				   .actions = document_actions_of(kind),
				   .name = name,
				   .document = document};
	if (set.actions == NULL)
		return GML_ERR_INVAL;
	if (document.len > GML_BUCKET_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	gml_document_look(kind, name, document, &set.facts);
	return gml_access_change_commit(&set.access, document_set_fn, &set);
}
