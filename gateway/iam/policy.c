// SPDX-License-Identifier: Apache-2.0
/* Managed policies. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/policy.h>
#include "gateway/base/clock.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "document.h"
#include "epoch.h"
#include "identity.h"
#include "name.h"
#include "store.h"

int gml_policy_name_check(const char *name)
{
	return gml_iam_name_ok(name, GML_POLICY_NAME_MAX, GML_IAM_NAME_MORE) ? 0 : GML_ERR_INVAL;
}

static struct gml_span policy_name(const char *name)
{
	return gml_iam_span(name, GML_POLICY_NAME_MAX + 1);
}

static int policy_read(struct gml_txn *txn, struct gml_span name, struct gml_policy *out,
		       struct gml_span *document_out)
{
	int rc = gml_rec_policy_get(txn, name, out, document_out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOPOLICY : rc;
}

struct policy_change {
	struct gml_access_change access;
	struct gml_policy policy; /* put: as it will be */
	bool described;		  /* with its description */
	struct gml_span name, document;
};

static int policy_put_fn(struct gml_txn *txn, void *arg)
{
	struct policy_change *change = arg;
	struct gml_policy old, *policy = &change->policy;
	int rc = gml_rec_policy_get(txn, change->name, &old, NULL);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	if (rc == 0) {
		memcpy(policy->name, old.name, sizeof(old.name));
		memcpy(policy->id, old.id, sizeof(old.id));
		policy->created = old.created;
		if (!change->described)
			memcpy(policy->description, old.description, sizeof(old.description));
	}
	gml_access_change_begin(&change->access);
	return gml_rec_policy_put(txn, policy, change->document);
}

static int policy_put_check(const struct gml_policy *policy, struct gml_span document)
{
	if (gml_policy_name_check(policy->name) != 0 ||
	    !gml_iam_text_ok(gml_iam_span(policy->description, sizeof(policy->description)),
			     GML_DESCRIPTION_MAX))
		return GML_ERR_INVAL;
	if (gml_policy_size(document) > GML_POLICY_MANAGED_MAX)
		return GML_ERR_LIMIT;
	return gml_document_check(GML_POLICY_IDENTITY, document);
}

int gml_policy_put(struct gml_op *op, struct gml_store *store, struct gml_policy *policy,
		   struct gml_span document)
{
	struct policy_change change = {.access.store = store,
				       .policy = *policy,
				       .described = policy->description[0] != '\0',
				       .document = document};
	int rc = gml_may_administer(op, GML_ACTION_PUT_POLICY);
	if (rc == 0)
		rc = policy_put_check(policy, document);
	if (rc == 0)
		rc = gml_iam_id(change.policy.id, "ANPA");
	if (rc != 0)
		return rc;
	change.name = policy_name(policy->name);
	change.policy.created = change.policy.updated = gml_now();
	rc = gml_access_change_commit(&change.access, policy_put_fn, &change);
	if (rc == 0)
		*policy = change.policy;
	return rc;
}

static bool policy_any(void *arg, enum gml_policy_use use, const struct gml_rec_identity *identity)
{
	(void)use;
	(void)identity;
	*(bool *)arg = true;
	return false;
}

static int policy_delete_fn(struct gml_txn *txn, void *arg)
{
	struct policy_change *change = arg;
	bool used = false;
	int rc = policy_read(txn, change->name, &change->policy, NULL);
	if (rc == 0)
		rc = gml_rec_policy_each_use(txn, change->name, policy_any, &used);
	if (rc == 0 && used)
		rc = GML_ERR_INUSE;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_policy_del(txn, change->name);
}

int gml_policy_delete(struct gml_op *op, struct gml_store *store, const char *name)
{
	struct policy_change change = {.access.store = store, .name = policy_name(name)};
	int rc = gml_may_administer(op, GML_ACTION_DELETE_POLICY);
	return rc != 0 ? rc : gml_access_change_commit(&change.access, policy_delete_fn, &change);
}

/* ---- reading ---- */

int gml_policy_get(struct gml_store *store, const char *name, struct gml_policy *out,
		   void **buf_out, size_t *len_out)
{
	struct gml_txn *txn = NULL;
	struct gml_span document;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (buf_out != NULL)
		*buf_out = NULL;
	if (rc == 0)
		rc = policy_read(txn, policy_name(name), out, &document);
	if (rc == 0 && buf_out != NULL)
		rc = gml_document_copy(document, buf_out, len_out);
	gml_meta_read_end(txn);
	return rc;
}

struct policy_walk {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_policy *policy);
	void *arg;
	int rc;
};

static bool policy_walk_one(void *arg, struct gml_span name)
{
	struct policy_walk *walk = arg;
	struct gml_policy policy;
	walk->rc = gml_rec_policy_get(walk->txn, name, &policy, NULL);
	return walk->rc == 0 && walk->each(walk->arg, &policy);
}

int gml_policy_list(struct gml_store *store,
		    bool (*each)(void *arg, const struct gml_policy *policy), void *arg)
{
	struct policy_walk walk = {.each = each, .arg = arg};
	int rc = gml_meta_read_begin(gml_store_meta(store), &walk.txn);
	if (rc == 0)
		rc = gml_rec_policy_each(walk.txn, policy_walk_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}

struct policy_uses {
	struct gml_txn *txn;
	bool (*each)(void *arg, enum gml_policy_use use, const struct gml_identity *identity);
	void *arg;
	int rc;
};

/* Names as they were spelled. */
static bool policy_uses_one(void *arg, enum gml_policy_use use,
			    const struct gml_rec_identity *identity)
{
	struct policy_uses *uses = arg;
	char name[GML_GROUP_NAME_MAX + 1];
	const struct gml_identity found = {(enum gml_identity_kind)identity->kind, name};
	uses->rc = gml_identity_name(uses->txn, identity, name);
	return uses->rc == 0 && uses->each(uses->arg, use, &found);
}

int gml_policy_uses(struct gml_store *store, const char *name,
		    bool (*each)(void *arg, enum gml_policy_use use,
				 const struct gml_identity *identity),
		    void *arg)
{
	struct policy_uses uses = {.each = each, .arg = arg};
	struct gml_policy policy;
	int rc = gml_meta_read_begin(gml_store_meta(store), &uses.txn);
	if (rc == 0)
		rc = policy_read(uses.txn, policy_name(name), &policy, NULL);
	if (rc == 0)
		rc = gml_rec_policy_each_use(uses.txn, policy_name(name), policy_uses_one, &uses);
	gml_meta_read_end(uses.txn);
	return rc != 0 ? rc : uses.rc;
}
