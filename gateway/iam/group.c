// SPDX-License-Identifier: Apache-2.0
/* Groups and their members. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/iam.h>
#include <gemel/op.h>
#include "gateway/base/clock.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "epoch.h"
#include "identity.h"
#include "name.h"
#include "store.h"

static struct gml_span group_name(const char *name)
{
	return gml_iam_span(name, GML_GROUP_NAME_MAX + 1);
}

static struct gml_span group_user(const char *name)
{
	return gml_iam_span(name, GML_USER_NAME_MAX + 1);
}

int gml_group_name_check(const char *name)
{
	return gml_iam_name_ok(name, GML_GROUP_NAME_MAX, GML_IAM_NAME_MORE) ? 0 : GML_ERR_INVAL;
}

static int group_read(struct gml_txn *txn, struct gml_span name, struct gml_group *out)
{
	int rc = gml_rec_group_get(txn, name, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOGROUP : rc;
}

static int group_read_user(struct gml_txn *txn, struct gml_span name)
{
	struct gml_user user;
	int rc = gml_rec_user_get(txn, name, &user);
	return rc == GML_ERR_NOENT ? GML_ERR_NOUSER : rc;
}

/* ---- changes ---- */

struct group_change {
	struct gml_access_change access;
	struct gml_group group; /* create */
	struct gml_span name, user;
};

static int group_update(const struct gml_op *op, enum gml_action action, gml_meta_fn fn,
			struct group_change *change)
{
	int rc = gml_may_administer(op, action);
	return rc != 0 ? rc : gml_access_change_commit(&change->access, fn, change);
}

static int group_create_fn(struct gml_txn *txn, void *arg)
{
	struct group_change *change = arg;
	struct gml_group old;
	int rc = gml_rec_group_get(txn, change->name, &old);
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	gml_access_change_begin(&change->access);
	return gml_rec_group_put(txn, &change->group);
}

static int group_create(struct gml_op *op, const char *name, struct group_change *change)
{
	int rc = gml_may_administer(op, GML_ACTION_CREATE_GROUP);
	if (rc == 0)
		rc = gml_group_name_check(name);
	if (rc == 0)
		rc = gml_iam_id(change->group.id, "AGPA");
	if (rc != 0)
		return rc;
	memcpy(change->group.name, change->name.ptr, change->name.len);
	change->group.created = gml_now();
	return group_update(op, GML_ACTION_CREATE_GROUP, group_create_fn, change);
}

int gml_group_create(struct gml_op *op, struct gml_store *store, const char *name,
		     struct gml_group *out)
{
	struct group_change change = {.access.store = store, .name = group_name(name)};
	int rc = group_create(op, name, &change);
	if (rc == 0 && out != NULL)
		*out = change.group;
	return rc;
}

int gml_group_create_nss(struct gml_op *op, struct gml_store *store, const char *name, uint32_t gid)
{
	struct group_change change = {.access.store = store,
				      .group = {.nss = true, .gid = gid},
				      .name = group_name(name)};
	return group_create(op, name, &change);
}

static bool group_any(void *arg, struct gml_span name)
{
	(void)name;
	*(bool *)arg = true;
	return false;
}

static int group_delete_fn(struct gml_txn *txn, void *arg)
{
	struct group_change *change = arg;
	const struct gml_rec_identity identity = {GML_IDENTITY_GROUP, change->name};
	struct gml_group group;
	bool used = false;
	int rc = group_read(txn, change->name, &group);
	if (rc == 0)
		rc = gml_rec_member_each(txn, change->name, group_any, &used);
	if (rc == 0 && !used)
		rc = gml_identity_has_policies(txn, &identity, &used);
	if (rc == 0 && used)
		rc = GML_ERR_INUSE;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_group_del(txn, change->name);
}

int gml_group_delete(struct gml_op *op, struct gml_store *store, const char *name)
{
	struct group_change change = {.access.store = store, .name = group_name(name)};
	return group_update(op, GML_ACTION_DELETE_GROUP, group_delete_fn, &change);
}

static bool group_count(void *arg, struct gml_span name)
{
	(void)name;
	++*(unsigned *)arg;
	return true;
}

static int group_add_fn(struct gml_txn *txn, void *arg)
{
	struct group_change *change = arg;
	struct gml_group group;
	unsigned count = 0;
	int rc = group_read(txn, change->name, &group);
	if (rc == 0)
		rc = group_read_user(txn, change->user);
	if (rc == 0)
		rc = gml_rec_member_has(txn, change->name, change->user);
	if (rc != GML_ERR_NOENT)
		return rc;
	rc = gml_rec_member_each_of(txn, change->user, group_count, &count);
	if (rc == 0 && count >= GML_GROUPS_PER_USER)
		rc = GML_ERR_LIMIT;
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_member_put(txn, change->name, change->user);
}

int gml_group_add(struct gml_op *op, struct gml_store *store, const char *group, const char *user)
{
	struct group_change change = {
		.access.store = store, .name = group_name(group), .user = group_user(user)};
	return group_update(op, GML_ACTION_ADD_TO_GROUP, group_add_fn, &change);
}

static int group_remove_fn(struct gml_txn *txn, void *arg)
{
	struct group_change *change = arg;
	struct gml_group group;
	int rc = group_read(txn, change->name, &group);
	if (rc == 0)
		rc = group_read_user(txn, change->user);
	if (rc == 0)
		rc = gml_rec_member_has(txn, change->name, change->user);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_member_del(txn, change->name, change->user);
}

int gml_group_remove(struct gml_op *op, struct gml_store *store, const char *group,
		     const char *user)
{
	struct group_change change = {
		.access.store = store, .name = group_name(group), .user = group_user(user)};
	return group_update(op, GML_ACTION_REMOVE_FROM_GROUP, group_remove_fn, &change);
}

/* ---- reading ---- */

int gml_group_get(struct gml_store *store, const char *name, struct gml_group *out)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = group_read(txn, group_name(name), out);
	gml_meta_read_end(txn);
	return rc;
}

struct group_walk {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_group *group);
	void *arg;
	int rc;
};

static bool group_walk_one(void *arg, struct gml_span name)
{
	struct group_walk *walk = arg;
	struct gml_group group;
	walk->rc = gml_rec_group_get(walk->txn, name, &group);
	if (walk->rc == GML_ERR_NOENT)
		walk->rc = GML_ERR_CORRUPT; /* a membership of a group that is not there */
	return walk->rc == 0 && walk->each(walk->arg, &group);
}

int gml_group_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_group *group),
		   void *arg)
{
	struct group_walk walk = {.each = each, .arg = arg};
	int rc = gml_meta_read_begin(gml_store_meta(store), &walk.txn);
	if (rc == 0)
		rc = gml_rec_group_each(walk.txn, group_walk_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}

int gml_group_members(struct gml_store *store, const char *group,
		      bool (*each)(void *arg, struct gml_span user), void *arg)
{
	struct gml_txn *txn = NULL;
	struct gml_group found;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = group_read(txn, group_name(group), &found);
	if (rc == 0)
		rc = gml_rec_member_each(txn, group_name(group), each, arg);
	gml_meta_read_end(txn);
	return rc;
}

int gml_user_groups(struct gml_store *store, const char *user,
		    bool (*each)(void *arg, const struct gml_group *group), void *arg)
{
	struct group_walk walk = {.each = each, .arg = arg};
	int rc = gml_meta_read_begin(gml_store_meta(store), &walk.txn);
	if (rc == 0)
		rc = group_read_user(walk.txn, group_user(user));
	if (rc == 0)
		rc = gml_rec_member_each_of(walk.txn, group_user(user), group_walk_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}
