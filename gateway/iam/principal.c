// SPDX-License-Identifier: Apache-2.0
/* Users and access keys. */
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

#define PRINCIPAL_KEY_PREFIX "GK"
#define PRINCIPAL_KEY_LEN 20
#define PRINCIPAL_SECRET_LEN 40
_Static_assert(PRINCIPAL_KEY_LEN <= GML_ACCESS_KEY_MAX && PRINCIPAL_SECRET_LEN <= GML_SECRET_MAX,
	       "what is made here would be refused from a caller");

int gml_user_name_check(const char *name)
{
	return gml_iam_name_ok(name, GML_USER_NAME_MAX, GML_IAM_NAME_MORE) ? 0 : GML_ERR_INVAL;
}

int gml_key_id_check(const char *id)
{
	return gml_iam_name_ok(id, GML_ACCESS_KEY_MAX, "._@-") ? 0 : GML_ERR_INVAL;
}

/* ---- users ----------------------------------------------------------------------------------- */

static bool principal_user_ok(const struct gml_user *user)
{
	/* (uid_t)-1 means "leave alone" to every POSIX call */
	if (user->uid == UINT32_MAX || user->gid == UINT32_MAX ||
	    user->ngroups > GML_USER_GROUPS_MAX)
		return false;
	for (uint32_t i = 0; i < user->ngroups; i++)
		if (user->groups[i] == UINT32_MAX)
			return false;
	return (user->flags & ~(uint32_t)(GML_USER_DISABLED | GML_USER_NO_BUCKETS)) == 0 &&
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

/* A change of users or keys. */
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

/* ---- keys ------------------------------------------------------------------------------------ */

static int principal_key_fill(struct gml_key *key)
{
	static const char alnum[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t prefix = strlen(PRINCIPAL_KEY_PREFIX);
	int rc = 0;
	if (key->id[0] == '\0') {
		memcpy(key->id, PRINCIPAL_KEY_PREFIX, prefix);
		rc = gml_iam_random(key->id + prefix, PRINCIPAL_KEY_LEN - prefix, GML_IAM_BASE32);
	}
	if (rc == 0 && key->secret[0] == '\0')
		rc = gml_iam_random(key->secret, PRINCIPAL_SECRET_LEN, alnum);
	if (key->created == 0)
		key->created = gml_now();
	return rc;
}

static bool principal_key_ok(const struct gml_key *key)
{
	size_t len = strnlen(key->secret, sizeof(key->secret));
	if (len > GML_SECRET_MAX ||
	    (key->flags & ~(uint32_t)(GML_KEY_DISABLED | GML_KEY_SIGV2)) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (key->secret[i] < '!' || key->secret[i] > '~')
			return false;
	return key->id[0] == '\0' || gml_key_id_check(key->id) == 0;
}

/* A change of a key. */
struct principal_key_change {
	struct gml_access_change access;
	struct gml_key *key; /* create */
	const char *id;
	uint32_t flags;
};

static int principal_key_create_fn(struct gml_txn *txn, void *arg)
{
	struct principal_key_change *change = arg;
	const struct gml_key *key = change->key;
	struct gml_user user;
	struct gml_key old;
	int rc = principal_user_get(txn, gml_iam_span(key->user, sizeof(key->user)), &user);
	gml_assert(key->id[0] != '\0' && key->secret[0] != '\0'); /* principal_key_fill */
	if (rc != 0)
		return rc;
	rc = gml_rec_key_get(txn, gml_iam_span(key->id, sizeof(key->id)), &old);
	explicit_bzero(&old, sizeof(old));
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	gml_access_change_begin(&change->access);
	return gml_rec_key_put(txn, key);
}

int gml_key_create(struct gml_op *op, struct gml_store *store, struct gml_key *key)
{
	struct gml_key made = *key;
	struct principal_key_change change = {.access.store = store, .key = &made};
	int rc;
	if (gml_may_administer(op, GML_ACTION_CREATE_KEY) != 0)
		return GML_ERR_PERM;
	if (!principal_key_ok(key))
		return GML_ERR_INVAL;
	rc = principal_key_fill(&made);
	if (rc == 0)
		rc = gml_access_change_commit(&change.access, principal_key_create_fn, &change);
	if (rc == 0)
		*key = made;
	explicit_bzero(&made, sizeof(made));
	return rc;
}

static int principal_key_get(struct gml_txn *txn, struct gml_span id, struct gml_key *out)
{
	int rc = gml_rec_key_get(txn, id, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOKEY : rc;
}

static int principal_key_update_fn(struct gml_txn *txn, void *arg)
{
	struct principal_key_change *change = arg;
	struct gml_key key;
	int rc = principal_key_get(txn, gml_iam_span(change->id, GML_ACCESS_KEY_MAX + 1), &key);
	if (rc != 0)
		return rc;
	key.flags = change->flags;
	gml_access_change_begin(&change->access);
	rc = gml_rec_key_put(txn, &key);
	explicit_bzero(&key, sizeof(key));
	return rc;
}

int gml_key_update(struct gml_op *op, struct gml_store *store, const char *id, uint32_t flags)
{
	struct principal_key_change change = {.access.store = store, .id = id, .flags = flags};
	if (gml_may_administer(op, GML_ACTION_UPDATE_KEY) != 0)
		return GML_ERR_PERM;
	if ((flags & ~(uint32_t)(GML_KEY_DISABLED | GML_KEY_SIGV2)) != 0)
		return GML_ERR_INVAL;
	return gml_access_change_commit(&change.access, principal_key_update_fn, &change);
}

static int principal_key_delete_fn(struct gml_txn *txn, void *arg)
{
	struct principal_key_change *change = arg;
	struct gml_span id = gml_iam_span(change->id, GML_ACCESS_KEY_MAX + 1);
	struct gml_key key;
	int rc = principal_key_get(txn, id, &key);
	explicit_bzero(&key, sizeof(key));
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_key_del(txn, id);
}

int gml_key_delete(struct gml_op *op, struct gml_store *store, const char *id)
{
	struct principal_key_change change = {.access.store = store, .id = id};
	if (gml_may_administer(op, GML_ACTION_DELETE_KEY) != 0)
		return GML_ERR_PERM;
	return gml_access_change_commit(&change.access, principal_key_delete_fn, &change);
}

struct principal_key_walk {
	const char *user;
	bool (*each)(void *arg, const struct gml_key *key);
	void *arg;
};

static bool principal_key_list_one(void *arg, const struct gml_key *key)
{
	struct principal_key_walk *walk = arg;
	if (walk->user != NULL && strcmp(walk->user, key->user) != 0)
		return true;
	return walk->each(walk->arg, key);
}

int gml_key_list(struct gml_store *store, const char *user,
		 bool (*each)(void *arg, const struct gml_key *key), void *arg)
{
	struct principal_key_walk walk = {user, each, arg};
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_rec_key_each(txn, principal_key_list_one, &walk);
	gml_meta_read_end(txn);
	return rc;
}

int gml_key_lookup(struct gml_store *store, struct gml_span id, struct gml_key *key_out,
		   struct gml_user *user_out)
{
	struct gml_txn *txn = NULL;
	int rc;
	if (id.len == 0 || id.len > GML_ACCESS_KEY_MAX)
		return GML_ERR_NOKEY;
	rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = principal_key_get(txn, id, key_out);
	if (rc == 0)
		rc = principal_user_get(txn, gml_iam_span(key_out->user, sizeof(key_out->user)),
					user_out);
	gml_meta_read_end(txn);
	return rc;
}
