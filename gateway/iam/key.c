// SPDX-License-Identifier: Apache-2.0
/* Access keys. */
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
#include "name.h"
#include "store.h"

#define KEY_PREFIX "GK"
#define KEY_LEN 20
#define KEY_SECRET_LEN 40
_Static_assert(KEY_LEN <= GML_ACCESS_KEY_MAX && KEY_SECRET_LEN <= GML_SECRET_MAX,
	       "what is made here would be refused from a caller");

int gml_key_id_check(const char *id)
{
	return gml_iam_name_ok(id, GML_ACCESS_KEY_MAX, "._@-") ? 0 : GML_ERR_INVAL;
}

static bool key_settings_ok(uint32_t flags, int64_t expires)
{
	return (flags & ~(uint32_t)(GML_KEY_DISABLED | GML_KEY_SIGV2)) == 0 && expires >= 0;
}

static int key_user(struct gml_txn *txn, struct gml_span name, struct gml_user *out)
{
	int rc = gml_rec_user_get(txn, name, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOUSER : rc;
}

static int key_fill(struct gml_key *key)
{
	static const char alnum[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t prefix = strlen(KEY_PREFIX);
	int rc = 0;
	if (key->id[0] == '\0') {
		memcpy(key->id, KEY_PREFIX, prefix);
		rc = gml_iam_random(key->id + prefix, KEY_LEN - prefix, GML_IAM_BASE32);
	}
	if (rc == 0 && key->secret[0] == '\0')
		rc = gml_iam_random(key->secret, KEY_SECRET_LEN, alnum);
	if (key->created == 0)
		key->created = gml_now();
	return rc;
}

static bool key_ok(const struct gml_key *key)
{
	size_t len = strnlen(key->secret, sizeof(key->secret));
	if (len > GML_SECRET_MAX || !key_settings_ok(key->flags, key->expires))
		return false;
	for (size_t i = 0; i < len; i++)
		if (key->secret[i] < '!' || key->secret[i] > '~')
			return false;
	return key->id[0] == '\0' || gml_key_id_check(key->id) == 0;
}

/* A change of a key. */
struct key_change {
	struct gml_access_change access;
	struct gml_key *key; /* what is put */
	const char *id;	     /* of the key that is there */
	uint32_t flags;
	int64_t expires;
};

static int key_add(struct gml_txn *txn, const struct gml_key *key)
{
	struct gml_key old;
	int rc = gml_rec_key_get(txn, gml_iam_span(key->id, sizeof(key->id)), &old);
	gml_assert(key->id[0] != '\0' && key->secret[0] != '\0'); /* key_fill */
	explicit_bzero(&old, sizeof(old));
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_EXIST : rc;
	return gml_rec_key_put(txn, key);
}

static int key_create_fn(struct gml_txn *txn, void *arg)
{
	struct key_change *change = arg;
	struct gml_user user;
	int rc = key_user(txn, gml_iam_span(change->key->user, sizeof(change->key->user)), &user);
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return key_add(txn, change->key);
}

/* Runs `fn` with the rest of *key filled in; *key is complete when it succeeded. */
static int key_make(struct key_change *change, gml_meta_fn fn, struct gml_key *key)
{
	struct gml_key made = *key;
	int rc = key_fill(&made);
	change->key = &made;
	if (rc == 0)
		rc = gml_access_change_commit(&change->access, fn, change);
	if (rc == 0)
		*key = made;
	explicit_bzero(&made, sizeof(made));
	return rc;
}

int gml_key_create(struct gml_op *op, struct gml_store *store, struct gml_key *key)
{
	struct key_change change = {.access.store = store};
	if (gml_may_administer(op, GML_ACTION_CREATE_KEY) != 0)
		return GML_ERR_PERM;
	return key_ok(key) ? key_make(&change, key_create_fn, key) : GML_ERR_INVAL;
}

static int key_get(struct gml_txn *txn, struct gml_span id, struct gml_key *out)
{
	int rc = gml_rec_key_get(txn, id, out);
	return rc == GML_ERR_NOENT ? GML_ERR_NOKEY : rc;
}

static int key_update_fn(struct gml_txn *txn, void *arg)
{
	struct key_change *change = arg;
	struct gml_key key;
	int rc = key_get(txn, gml_iam_span(change->id, GML_ACCESS_KEY_MAX + 1), &key);
	if (rc != 0)
		return rc;
	key.flags = change->flags;
	key.expires = change->expires;
	gml_access_change_begin(&change->access);
	rc = gml_rec_key_put(txn, &key);
	explicit_bzero(&key, sizeof(key));
	return rc;
}

int gml_key_update(struct gml_op *op, struct gml_store *store, const char *id, uint32_t flags,
		   int64_t expires)
{
	struct key_change change = {
		.access.store = store, .id = id, .flags = flags, .expires = expires};
	if (gml_may_administer(op, GML_ACTION_UPDATE_KEY) != 0)
		return GML_ERR_PERM;
	if (!key_settings_ok(flags, expires))
		return GML_ERR_INVAL;
	return gml_access_change_commit(&change.access, key_update_fn, &change);
}

static int key_rotate_fn(struct gml_txn *txn, void *arg)
{
	struct key_change *change = arg;
	struct gml_key old, *key = change->key;
	int rc = key_get(txn, gml_iam_span(change->id, GML_ACCESS_KEY_MAX + 1), &old);
	if (rc != 0)
		return rc;
	memcpy(key->user, old.user, sizeof(key->user));
	key->flags = old.flags;
	if (old.expires == 0 || change->expires < old.expires)
		old.expires = change->expires;
	gml_access_change_begin(&change->access);
	rc = key_add(txn, key);
	if (rc == 0)
		rc = gml_rec_key_put(txn, &old);
	explicit_bzero(&old, sizeof(old));
	return rc;
}

int gml_key_rotate(struct gml_op *op, struct gml_store *store, const char *id, int64_t expires,
		   struct gml_key *key)
{
	struct key_change change = {.access.store = store, .id = id, .expires = expires};
	if (gml_may_administer(op, GML_ACTION_CREATE_KEY) != 0 ||
	    gml_may_administer(op, GML_ACTION_UPDATE_KEY) != 0)
		return GML_ERR_PERM;
	return expires > 0 && key_ok(key) ? key_make(&change, key_rotate_fn, key) : GML_ERR_INVAL;
}

static int key_delete_fn(struct gml_txn *txn, void *arg)
{
	struct key_change *change = arg;
	struct gml_span id = gml_iam_span(change->id, GML_ACCESS_KEY_MAX + 1);
	struct gml_key key;
	int rc = key_get(txn, id, &key);
	explicit_bzero(&key, sizeof(key));
	if (rc != 0)
		return rc;
	gml_access_change_begin(&change->access);
	return gml_rec_key_del(txn, id);
}

int gml_key_delete(struct gml_op *op, struct gml_store *store, const char *id)
{
	struct key_change change = {.access.store = store, .id = id};
	if (gml_may_administer(op, GML_ACTION_DELETE_KEY) != 0)
		return GML_ERR_PERM;
	return gml_access_change_commit(&change.access, key_delete_fn, &change);
}

struct key_walk {
	const char *user;
	bool (*each)(void *arg, const struct gml_key *key);
	void *arg;
};

static bool key_list_one(void *arg, const struct gml_key *key)
{
	struct key_walk *walk = arg;
	if (walk->user != NULL && strcmp(walk->user, key->user) != 0)
		return true;
	return walk->each(walk->arg, key);
}

int gml_key_list(struct gml_store *store, const char *user,
		 bool (*each)(void *arg, const struct gml_key *key), void *arg)
{
	struct key_walk walk = {user, each, arg};
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_rec_key_each(txn, key_list_one, &walk);
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
		rc = key_get(txn, id, key_out);
	if (rc == 0)
		rc = key_user(txn, gml_iam_span(key_out->user, sizeof(key_out->user)), user_out);
	gml_meta_read_end(txn);
	return rc;
}
