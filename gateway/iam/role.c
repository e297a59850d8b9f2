// SPDX-License-Identifier: Apache-2.0
/* Roles. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/iam.h>
#include <gemel/op.h>
#include "gateway/base/clock.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "document.h"
#include "epoch.h"
#include "name.h"
#include "identity.h"
#include "store.h"

int gml_role_name_check(const char *name)
{
	return gml_iam_name_ok(name, GML_ROLE_NAME_MAX, GML_IAM_NAME_MORE) ? 0 : GML_ERR_INVAL;
}

static int role_read(struct gml_txn *txn, struct gml_span name, struct gml_role *out,
		     struct gml_span *trust_out)
{
	int rc = gml_rec_role_get(txn, name, out, trust_out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOROLE : rc;
}

static bool role_settings_ok(const struct gml_role *role)
{
	return gml_iam_text_ok(gml_iam_span(role->description, sizeof(role->description)),
			       GML_DESCRIPTION_MAX) &&
	       role->max_session >= GML_SESSION_LEAST && role->max_session <= GML_SESSION_MOST;
}

struct role_change {
	struct gml_access_change access;
	const struct gml_role *role;
	struct gml_span name, trust;
};

static int role_trust_check(struct gml_span trust)
{
	return trust.len == 0 ? 0 : gml_document_check(GML_POLICY_TRUST, trust);
}

static int role_create_fn(struct gml_txn *txn, void *arg)
{
	struct role_change *change = arg;
	struct gml_role old;
	int rc = gml_rec_role_get(txn, change->name, &old, NULL);
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	gml_access_change_begin(&change->access);
	return gml_rec_role_put(txn, change->role, change->trust);
}

int gml_role_create(struct gml_op *op, struct gml_store *store, struct gml_role *role,
		    struct gml_span trust)
{
	struct gml_role made = *role;
	struct role_change change = {.access.store = store, .role = &made, .trust = trust};
	int rc = gml_may_administer(op, GML_ACTION_CREATE_ROLE);
	if (made.max_session == 0)
		made.max_session = GML_SESSION_LEAST;
	if (rc == 0)
		rc = gml_role_name_check(made.name);
	if (rc == 0 && !role_settings_ok(&made))
		rc = GML_ERR_INVAL;
	if (rc == 0)
		rc = role_trust_check(trust);
	if (rc == 0)
		rc = gml_iam_id(made.id, "AROA");
	if (rc != 0)
		return rc;
	made.created = gml_now();
	change.name = gml_iam_span(made.name, sizeof(made.name));
	rc = gml_access_change_commit(&change.access, role_create_fn, &change);
	if (rc == 0)
		*role = made;
	return rc;
}

static int role_update_fn(struct gml_txn *txn, void *arg)
{
	struct role_change *change = arg;
	struct gml_span trust;
	struct gml_role role;
	int rc = role_read(txn, change->name, &role, &trust);
	if (rc != 0)
		return rc;
	memcpy(role.description, change->role->description, sizeof(role.description));
	role.max_session = change->role->max_session;
	gml_access_change_begin(&change->access);
	return gml_rec_role_put(txn, &role, trust);
}

int gml_role_update(struct gml_op *op, struct gml_store *store, const struct gml_role *role)
{
	struct role_change change = {.access.store = store,
				     .role = role,
				     .name = gml_iam_span(role->name, sizeof(role->name))};
	int rc = gml_may_administer(op, GML_ACTION_UPDATE_ROLE);
	if (rc == 0 && !role_settings_ok(role))
		rc = GML_ERR_INVAL;
	return rc != 0 ? rc : gml_access_change_commit(&change.access, role_update_fn, &change);
}

static int role_trust_fn(struct gml_txn *txn, void *arg)
{
	struct role_change *change = arg;
	struct gml_role role;
	int rc = role_read(txn, change->name, &role, NULL);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_role_put(txn, &role, change->trust);
}

int gml_role_trust_set(struct gml_op *op, struct gml_store *store, const char *name,
		       struct gml_span trust)
{
	struct role_change change = {.access.store = store,
				     .name = gml_iam_span(name, GML_ROLE_NAME_MAX + 1),
				     .trust = trust};
	int rc = gml_may_administer(op, GML_ACTION_PUT_ROLE_TRUST);
	if (rc == 0)
		rc = role_trust_check(trust);
	return rc != 0 ? rc : gml_access_change_commit(&change.access, role_trust_fn, &change);
}

int gml_role_trust_get(struct gml_store *store, const char *name, void **buf_out, size_t *len_out)
{
	struct gml_txn *txn = NULL;
	struct gml_span trust;
	struct gml_role role;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	*buf_out = NULL;
	if (rc == 0)
		rc = role_read(txn, gml_iam_span(name, GML_ROLE_NAME_MAX + 1), &role, &trust);
	if (rc == 0)
		rc = gml_document_copy(trust, buf_out, len_out);
	gml_meta_read_end(txn);
	return rc;
}

static int role_delete_fn(struct gml_txn *txn, void *arg)
{
	struct role_change *change = arg;
	const struct gml_rec_identity identity = {GML_IDENTITY_ROLE, change->name};
	struct gml_role role;
	bool used = false;
	int rc = role_read(txn, change->name, &role, NULL);
	if (rc == 0)
		rc = gml_identity_has_policies(txn, &identity, &used);
	if (rc == 0 && used)
		rc = GML_ERR_INUSE;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	rc = gml_identity_drop(txn, &identity);
	return rc != 0 ? rc : gml_rec_role_del(txn, change->name);
}

int gml_role_delete(struct gml_op *op, struct gml_store *store, const char *name)
{
	struct role_change change = {.access.store = store,
				     .name = gml_iam_span(name, GML_ROLE_NAME_MAX + 1)};
	int rc = gml_may_administer(op, GML_ACTION_DELETE_ROLE);
	return rc != 0 ? rc : gml_access_change_commit(&change.access, role_delete_fn, &change);
}

int gml_role_get(struct gml_store *store, const char *name, struct gml_role *out)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = role_read(txn, gml_iam_span(name, GML_ROLE_NAME_MAX + 1), out, NULL);
	gml_meta_read_end(txn);
	return rc;
}

struct role_walk {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_role *role);
	void *arg;
	int rc;
};

static bool role_walk_one(void *arg, struct gml_span name)
{
	struct role_walk *walk = arg;
	struct gml_role role;
	walk->rc = gml_rec_role_get(walk->txn, name, &role, NULL);
	return walk->rc == 0 && walk->each(walk->arg, &role);
}

int gml_role_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_role *role),
		  void *arg)
{
	struct role_walk walk = {.each = each, .arg = arg};
	int rc = gml_meta_read_begin(gml_store_meta(store), &walk.txn);
	if (rc == 0)
		rc = gml_rec_role_each(walk.txn, role_walk_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}
