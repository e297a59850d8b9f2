// SPDX-License-Identifier: Apache-2.0
/* The policies of users, groups and roles: managed ones that are attached, inline ones, and
 * boundaries. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/policy.h>
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "document.h"
#include "epoch.h"
#include "identity.h"
#include "name.h"
#include "store.h"

/* An action on a user, a group or a role; NONE: it has no such action. */
struct attach_actions {
	enum gml_action of[GML_IDENTITY_ROLE + 1];
};
#define ATTACH_ACTIONS(user, group, role)                                                          \
	{                                                                                          \
		{                                                                                  \
			GML_ACTION_NONE, GML_ACTION_##user, GML_ACTION_##group, GML_ACTION_##role  \
		}                                                                                  \
	}

static const struct attach_actions
	attach_attach = ATTACH_ACTIONS(ATTACH_USER_POLICY, ATTACH_GROUP_POLICY, ATTACH_ROLE_POLICY),
	attach_detach = ATTACH_ACTIONS(DETACH_USER_POLICY, DETACH_GROUP_POLICY, DETACH_ROLE_POLICY),
	attach_put = ATTACH_ACTIONS(PUT_USER_POLICY, PUT_GROUP_POLICY, PUT_ROLE_POLICY),
	attach_delete = ATTACH_ACTIONS(DELETE_USER_POLICY, DELETE_GROUP_POLICY, DELETE_ROLE_POLICY),
	attach_bound = ATTACH_ACTIONS(PUT_USER_BOUNDARY, NONE, PUT_ROLE_BOUNDARY),
	attach_unbound = ATTACH_ACTIONS(DELETE_USER_BOUNDARY, NONE, DELETE_ROLE_BOUNDARY);

struct attach_change {
	struct gml_access_change access;
	struct gml_rec_identity identity;
	struct gml_span policy, document;
};

static int attach_may(const struct gml_op *op, const struct attach_actions *actions,
		      const struct attach_change *change)
{
	uint8_t kind = change->identity.kind;
	enum gml_action action = kind <= GML_IDENTITY_ROLE ? actions->of[kind] : GML_ACTION_NONE;
	int rc = gml_may_administer(op, action);
	return rc == 0 && action == GML_ACTION_NONE ? GML_ERR_INVAL : rc;
}

static int attach_update(const struct gml_op *op, const struct attach_actions *actions,
			 gml_meta_fn fn, struct attach_change *change)
{
	int rc = attach_may(op, actions, change);
	return rc != 0 ? rc : gml_access_change_commit(&change->access, fn, change);
}

static struct attach_change
attach_change_of(struct gml_store *store, const struct gml_identity *identity, const char *policy)
{
	return (struct attach_change){
		.access.store = store,
		.identity = gml_identity_of(identity),
		.policy = gml_iam_span(policy != NULL ? policy : "", GML_POLICY_NAME_MAX + 1)};
}

/* The identity and the managed policy are there. */
static int attach_find(struct gml_txn *txn, const struct attach_change *change)
{
	struct gml_policy policy;
	int rc = gml_identity_find(txn, &change->identity);
	if (rc != 0)
		return rc;
	rc = gml_rec_policy_get(txn, change->policy, &policy, NULL);
	return rc == GML_ERR_NOENT ? GML_ERR_NOPOLICY : rc;
}

/* ---- managed policies ---- */

static bool attach_count(void *arg, struct gml_span policy)
{
	(void)policy;
	++*(unsigned *)arg;
	return true;
}

static int attach_fn(struct gml_txn *txn, void *arg)
{
	struct attach_change *change = arg;
	unsigned count = 0;
	int rc = attach_find(txn, change);
	if (rc == 0)
		rc = gml_rec_attached_has(txn, &change->identity, change->policy);
	if (rc != GML_ERR_NOENT)
		return rc;
	rc = gml_rec_attached_each(txn, &change->identity, attach_count, &count);
	if (rc == 0 && count >= GML_POLICIES_PER_IDENTITY)
		rc = GML_ERR_LIMIT;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_attached_put(txn, &change->identity, change->policy);
}

int gml_policy_attach(struct gml_op *op, struct gml_store *store,
		      const struct gml_identity *identity, const char *policy)
{
	struct attach_change change = attach_change_of(store, identity, policy);
	return attach_update(op, &attach_attach, attach_fn, &change);
}

static int attach_detach_fn(struct gml_txn *txn, void *arg)
{
	struct attach_change *change = arg;
	int rc = attach_find(txn, change);
	if (rc == 0)
		rc = gml_rec_attached_has(txn, &change->identity, change->policy);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_attached_del(txn, &change->identity, change->policy);
}

int gml_policy_detach(struct gml_op *op, struct gml_store *store,
		      const struct gml_identity *identity, const char *policy)
{
	struct attach_change change = attach_change_of(store, identity, policy);
	return attach_update(op, &attach_detach, attach_detach_fn, &change);
}

struct attach_walk {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_policy *policy);
	void *arg;
	int rc;
};

static bool attach_walk_one(void *arg, struct gml_span name)
{
	struct attach_walk *walk = arg;
	struct gml_policy policy;
	walk->rc = gml_rec_policy_get(walk->txn, name, &policy, NULL);
	if (walk->rc == GML_ERR_NOENT)
		walk->rc = GML_ERR_CORRUPT; /* attached, and not there */
	return walk->rc == 0 && walk->each(walk->arg, &policy);
}

int gml_policy_attached(struct gml_store *store, const struct gml_identity *identity,
			bool (*each)(void *arg, const struct gml_policy *policy), void *arg)
{
	const struct gml_rec_identity of = gml_identity_of(identity);
	struct attach_walk walk = {.each = each, .arg = arg};
	int rc = gml_meta_read_begin(gml_store_meta(store), &walk.txn);
	if (rc == 0)
		rc = gml_identity_find(walk.txn, &of);
	if (rc == 0)
		rc = gml_rec_attached_each(walk.txn, &of, attach_walk_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}

/* ---- inline policies ---- */

struct attach_total {
	struct gml_span but; /* not this one */
	size_t size;
};

static bool attach_total_one(void *arg, struct gml_span policy, struct gml_span document)
{
	struct attach_total *total = arg;
	if (!gml_span_equal_nocase(policy, total->but))
		total->size += gml_policy_size(document);
	return true;
}

static int attach_put_fn(struct gml_txn *txn, void *arg)
{
	static const size_t most[] = {0, GML_POLICY_INLINE_USER_MAX, GML_POLICY_INLINE_GROUP_MAX,
				      GML_POLICY_INLINE_ROLE_MAX};
	struct attach_change *change = arg;
	struct attach_total total = {change->policy, gml_policy_size(change->document)};
	int rc = gml_identity_find(txn, &change->identity);
	if (rc == 0)
		rc = gml_rec_inline_each(txn, &change->identity, attach_total_one, &total);
	if (rc == 0 && total.size > most[change->identity.kind])
		rc = GML_ERR_LIMIT;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_inline_put(txn, &change->identity, change->policy, change->document);
}

int gml_policy_inline_put(struct gml_op *op, struct gml_store *store,
			  const struct gml_identity *identity, const char *name,
			  struct gml_span document)
{
	struct attach_change change = attach_change_of(store, identity, name);
	int rc = attach_may(op, &attach_put, &change);
	if (rc == 0)
		rc = gml_policy_name_check(name);
	if (rc == 0)
		rc = gml_document_check(GML_POLICY_IDENTITY, document);
	if (rc != 0)
		return rc;
	change.document = document;
	return gml_access_change_commit(&change.access, attach_put_fn, &change);
}

static int attach_delete_fn(struct gml_txn *txn, void *arg)
{
	struct attach_change *change = arg;
	struct gml_span document;
	int rc = gml_identity_find(txn, &change->identity);
	if (rc != 0)
		return rc;
	rc = gml_rec_inline_get(txn, &change->identity, change->policy, &document);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOPOLICY : rc;
	gml_access_change_begin(&change->access);
	return gml_rec_inline_del(txn, &change->identity, change->policy);
}

int gml_policy_inline_delete(struct gml_op *op, struct gml_store *store,
			     const struct gml_identity *identity, const char *name)
{
	struct attach_change change = attach_change_of(store, identity, name);
	return attach_update(op, &attach_delete, attach_delete_fn, &change);
}

int gml_policy_inline_list(struct gml_store *store, const struct gml_identity *identity,
			   bool (*each)(void *arg, struct gml_span name, struct gml_span document),
			   void *arg)
{
	const struct gml_rec_identity of = gml_identity_of(identity);
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_identity_find(txn, &of);
	if (rc == 0)
		rc = gml_rec_inline_each(txn, &of, each, arg);
	gml_meta_read_end(txn);
	return rc;
}

/* ---- boundaries ---- */

static int attach_bound_fn(struct gml_txn *txn, void *arg)
{
	struct attach_change *change = arg;
	struct gml_policy policy;
	int rc = attach_find(txn, change);
	if (rc == 0) /* the name as it is spelled */
		rc = gml_rec_policy_get(txn, change->policy, &policy, NULL);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_boundary_put(txn, &change->identity,
				    gml_iam_span(policy.name, sizeof(policy.name)));
}

static int attach_unbound_fn(struct gml_txn *txn, void *arg)
{
	struct attach_change *change = arg;
	char old[GML_POLICY_NAME_MAX + 1];
	int rc = gml_identity_find(txn, &change->identity);
	if (rc != 0)
		return rc;
	rc = gml_rec_boundary_get(txn, &change->identity, old);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	gml_access_change_begin(&change->access);
	return gml_rec_boundary_del(txn, &change->identity);
}

int gml_policy_boundary_set(struct gml_op *op, struct gml_store *store,
			    const struct gml_identity *identity, const char *policy)
{
	struct attach_change change = attach_change_of(store, identity, policy);
	return policy != NULL ? attach_update(op, &attach_bound, attach_bound_fn, &change)
			      : attach_update(op, &attach_unbound, attach_unbound_fn, &change);
}

int gml_policy_boundary_get(struct gml_store *store, const struct gml_identity *identity,
			    char policy_out[GML_POLICY_NAME_MAX + 1])
{
	const struct gml_rec_identity of = gml_identity_of(identity);
	struct gml_txn *txn = NULL;
	int rc;
	if (of.kind == GML_IDENTITY_GROUP)
		return GML_ERR_INVAL;
	rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_identity_find(txn, &of);
	if (rc == 0)
		rc = gml_rec_boundary_get(txn, &of, policy_out);
	gml_meta_read_end(txn);
	if (rc == GML_ERR_NOENT) {
		policy_out[0] = '\0';
		rc = 0;
	}
	return rc;
}
