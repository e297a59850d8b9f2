// SPDX-License-Identifier: Apache-2.0
/* Users. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/principal.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "epoch.h"
#include "identity.h"
#include "name.h"
#include "store.h"

int gml_user_name_check(const char *name)
{
	return gml_iam_name_ok(name, GML_USER_NAME_MAX, GML_IAM_NAME_MORE) ? 0 : GML_ERR_INVAL;
}

static bool principal_user_ok(const struct gml_user *user)
{
	/* (uid_t)-1 means "leave alone" to every POSIX call */
	if (user->uid == UINT32_MAX || user->gid == UINT32_MAX ||
	    user->ngroups > GML_USER_GROUPS_MAX)
		return false;
	for (uint32_t i = 0; i < user->ngroups; i++)
		if (user->groups[i] == UINT32_MAX)
			return false;
	return (user->flags & ~(uint32_t)(GML_USER_DISABLED | GML_USER_NO_BUCKETS | GML_USER_NSS |
					  GML_USER_GONE)) == 0 &&
	       gml_user_name_check(user->name) == 0;
}

static int principal_user_get(struct gml_txn *txn, struct gml_span name, struct gml_user *out)
{
	int rc = gml_rec_user_get(txn, name, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOUSER : rc;
}

/* Over NFS a user is identified by its uid alone: only one of the users that share it may be
 * enabled. */
static int principal_uid_check(struct gml_txn *txn, const struct gml_user *user)
{
	struct gml_user other;
	int rc = gml_rec_user_by_uid(txn, user->uid, &other);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	return (other.flags & GML_USER_DISABLED) || strcmp(other.name, user->name) == 0
		       ? 0
		       : GML_ERR_UIDTAKEN;
}

/* A change of users. */
struct principal_change {
	struct gml_access_change access;
	const struct gml_user *user;
	const char *name;
};

static int principal_update(struct principal_change *change, gml_meta_fn fn)
{
	return gml_access_change_commit(&change->access, fn, change);
}

static int principal_user_create_fn(struct gml_txn *txn, void *arg)
{
	struct principal_change *change = arg;
	const struct gml_user *user = change->user;
	struct gml_user old;
	int rc = gml_rec_user_get(txn, gml_iam_span(user->name, sizeof(user->name)), &old);
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	rc = user->flags & GML_USER_DISABLED ? 0 : principal_uid_check(txn, user);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_user_put(txn, user);
}

int gml_user_create(struct gml_op *op, struct gml_store *store, const struct gml_user *user)
{
	struct gml_user copy = *user;
	struct principal_change change = {.access.store = store, .user = &copy};
	int rc;
	if (gml_may_administer(op, GML_ACTION_CREATE_USER) != 0)
		return GML_ERR_PERM;
	if (!principal_user_ok(user))
		return GML_ERR_INVAL;
	if (copy.created == 0)
		copy.created = gml_now();
	rc = gml_iam_id(copy.id, "AIDA");
	return rc != 0 ? rc : principal_update(&change, principal_user_create_fn);
}

static int principal_user_update_fn(struct gml_txn *txn, void *arg)
{
	struct principal_change *change = arg;
	struct gml_user user = *change->user, old;
	int rc = principal_user_get(txn, gml_iam_span(user.name, sizeof(user.name)), &old);
	if (rc != 0)
		return rc;
	/* Two that share a uid since before that was refused can still be changed otherwise. */
	if (!(user.flags & GML_USER_DISABLED) &&
	    ((old.flags & GML_USER_DISABLED) || user.uid != old.uid))
		rc = principal_uid_check(txn, &user);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	user.created = old.created;
	memcpy(user.id, old.id, sizeof(user.id));
	rc = gml_rec_user_put(txn, &user);
	return rc == 0 && user.uid != old.uid ? gml_rec_uid_retire(txn, old.uid) : rc;
}

int gml_user_update(struct gml_op *op, struct gml_store *store, const struct gml_user *user)
{
	struct principal_change change = {.access.store = store, .user = user};
	if (gml_may_administer(op, GML_ACTION_UPDATE_USER) != 0)
		return GML_ERR_PERM;
	if (!principal_user_ok(user))
		return GML_ERR_INVAL;
	return principal_update(&change, principal_user_update_fn);
}

/* Ids of one user's keys. */
struct principal_keys {
	const char *user;
	char (*ids)[GML_ACCESS_KEY_MAX + 1];
	size_t count, cap;
	int rc;
};

static bool principal_keys_add(void *arg, const struct gml_key *key)
{
	struct principal_keys *keys = arg;
	if (strcmp(key->user, keys->user) != 0)
		return true;
	if (keys->count == keys->cap) {
		size_t cap = keys->cap != 0 ? keys->cap * 2 : 8;
		void *ids = reallocarray(keys->ids, cap, sizeof(*keys->ids));
		if (ids == NULL) {
			keys->rc = GML_ERR_NOMEM;
			return false;
		}
		keys->ids = ids;
		keys->cap = cap;
	}
	memcpy(keys->ids[keys->count++], key->id, sizeof(key->id));
	return true;
}

struct principal_owns {
	uint32_t uid;
	bool found;
};

static bool principal_owns_one(void *arg, struct gml_span name, const struct gml_bucket_rec *rec)
{
	struct principal_owns *owns = arg;
	owns->found = rec->uid == owns->uid;
	return !owns->found;
}

static int principal_user_delete_fn(struct gml_txn *txn, void *arg)
{
	struct principal_change *change = arg;
	const struct gml_rec_identity identity = {
		GML_IDENTITY_USER, gml_iam_span(change->name, GML_USER_NAME_MAX + 1)};
	struct principal_keys keys = {.user = change->name};
	struct principal_owns owns = {0};
	struct gml_user user, owner;
	int rc = principal_user_get(txn, identity.name, &user);
	if (rc == 0)
		rc = gml_rec_user_by_uid(txn, user.uid, &owner);
	if (rc != 0)
		return rc;
	owns.uid = user.uid;
	/* Users may share a uid while they are disabled: its buckets belong to the one it means. */
	if (strcmp(owner.name, user.name) == 0)
		rc = gml_rec_bucket_each(txn, gml_span_of(NULL, 0), principal_owns_one, &owns);
	if (rc == 0 && owns.found)
		rc = GML_ERR_NOTEMPTY;
	if (rc == 0)
		rc = gml_rec_key_each(txn, principal_keys_add, &keys);
	if (rc == 0)
		rc = keys.rc;
	if (rc == 0)
		gml_access_change_begin(&change->access);
	for (size_t i = 0; rc == 0 && i < keys.count; i++)
		rc = gml_rec_key_del(txn, gml_iam_span(keys.ids[i], sizeof(keys.ids[i])));
	if (rc == 0)
		rc = gml_identity_drop(txn, &identity);
	if (rc == 0)
		rc = gml_rec_user_del(txn, gml_iam_span(user.name, sizeof(user.name)));
	if (rc == 0)
		rc = gml_rec_uid_retire(txn, user.uid);
	free(keys.ids);
	return rc;
}

int gml_user_delete(struct gml_op *op, struct gml_store *store, const char *name)
{
	struct principal_change change = {.access.store = store, .name = name};
	if (gml_may_administer(op, GML_ACTION_DELETE_USER) != 0)
		return GML_ERR_PERM;
	return principal_update(&change, principal_user_delete_fn);
}

int gml_user_get(struct gml_store *store, const char *name, struct gml_user *out)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = principal_user_get(txn, gml_iam_span(name, GML_USER_NAME_MAX + 1), out);
	gml_meta_read_end(txn);
	return rc;
}

int gml_user_by_uid(struct gml_store *store, uint32_t uid, struct gml_user *out)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0) {
		rc = gml_rec_user_by_uid(txn, uid, out);
		if (rc == GML_ERR_NOENT)
			rc = GML_ERR_NOUSER;
	}
	gml_meta_read_end(txn);
	return rc;
}

int gml_user_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_user *user),
		  void *arg)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_rec_user_each(txn, each, arg);
	gml_meta_read_end(txn);
	return rc;
}
