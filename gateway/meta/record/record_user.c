// SPDX-License-Identifier: Apache-2.0
/* Tables user: name -> record; key: access key id -> record; super, GML_SUPER_UID + uid (u32) +
 * name -> format byte, and GML_SUPER_RETIRED + uid (u32) -> format byte. Several users may share a
 * uid, of whom one is enabled. */
#include "record_internal.h"

enum { USER_FORMAT = 2, USER_INDEX_FORMAT = 1, USER_RETIRED_FORMAT = 1, KEY_FORMAT = 2 };

static bool user_decode(struct gml_span name, struct gml_span value, struct gml_user *out)
{
	struct gml_dec dec;
	if (name.len == 0 || name.len > GML_USER_NAME_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->name, name.ptr, name.len);
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, USER_FORMAT);
	gml_dec_copy(&dec, out->id, GML_UNIQUE_ID);
	out->uid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->gid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->flags = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->created = (int64_t)gml_dec_u64(&dec);
	out->ngroups = (uint32_t)gml_dec_max(&dec, GML_USER_GROUPS_MAX);
	for (uint32_t i = 0; i < out->ngroups; i++)
		out->groups[i] = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	return gml_dec_end(&dec);
}

struct user_index_key {
	size_t len;
	uint8_t bytes[5 + GML_USER_NAME_MAX];
};

static struct gml_span user_index(struct user_index_key *key, uint32_t uid, struct gml_span name)
{
	gml_assert(name.len <= GML_USER_NAME_MAX);
	key->bytes[0] = GML_SUPER_UID;
	gml_key_u32(key->bytes + 1, uid);
	if (name.len > 0)
		memcpy(key->bytes + 5, name.ptr, name.len);
	key->len = 5 + name.len;
	return gml_span_of(key->bytes, key->len);
}

int gml_rec_user_get(struct gml_txn *txn, struct gml_span name, struct gml_user *out)
{
	struct gml_span value;
	int rc;
	if (name.len == 0 || name.len > GML_USER_NAME_MAX)
		return GML_ERR_NOENT;
	rc = gml_rec_get(txn, GML_TABLE_USER, name, &value);
	if (rc != 0)
		return rc;
	return user_decode(name, value, out) ? 0 : gml_txn_corrupt(txn, GML_TABLE_USER, name);
}

struct user_of_uid {
	struct gml_txn *txn;
	uint32_t uid;
	bool (*each)(void *arg, const struct gml_user *user);
	void *arg;
};

static int user_of_uid_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct user_of_uid *walk = arg;
	struct gml_user user;
	int rc = gml_rec_user_get(walk->txn, gml_span_of((const uint8_t *)key.ptr + 5, key.len - 5),
				  &user);
	(void)value;
	if (rc == GML_ERR_NOENT || (rc == 0 && user.uid != walk->uid))
		rc = gml_txn_corrupt(walk->txn, GML_TABLE_SUPER, key);
	if (rc != 0)
		return rc;
	return walk->each(walk->arg, &user) ? 0 : GML_REC_STOP;
}

int gml_rec_user_each_of(struct gml_txn *txn, uint32_t uid,
			 bool (*each)(void *arg, const struct gml_user *user), void *arg)
{
	struct user_of_uid walk = {txn, uid, each, arg};
	struct user_index_key want;
	struct gml_span prefix = user_index(&want, uid, gml_span_of(NULL, 0));
	return gml_rec_scan(txn, GML_TABLE_SUPER, prefix, prefix, user_of_uid_one, &walk);
}

struct user_first {
	struct gml_user *out;
	bool found;
};

static bool user_first_one(void *arg, const struct gml_user *user)
{
	struct user_first *first = arg;
	bool enabled = !(user->flags & GML_USER_DISABLED);
	if (!first->found || enabled)
		*first->out = *user;
	first->found = true;
	return !enabled;
}

int gml_rec_user_by_uid(struct gml_txn *txn, uint32_t uid, struct gml_user *out)
{
	struct user_first first = {out, false};
	int rc = gml_rec_user_each_of(txn, uid, user_first_one, &first);
	return rc == 0 && !first.found ? GML_ERR_NOENT : rc;
}

/* ---- uids that were a user's ---- */
static struct gml_span uid_retired(uint8_t key[5], uint32_t uid)
{
	key[0] = GML_SUPER_RETIRED;
	gml_key_u32(key + 1, uid);
	return gml_span_of(key, 5);
}

int gml_rec_uid_retire(struct gml_txn *txn, uint32_t uid)
{
	struct gml_enc enc;
	uint8_t key[5];
	gml_enc_init(&enc, USER_RETIRED_FORMAT);
	return gml_enc_put(&enc, txn, GML_TABLE_SUPER, uid_retired(key, uid));
}

int gml_rec_uid_refused(struct gml_txn *txn, uint32_t uid, bool *refused_out)
{
	struct gml_span value;
	struct gml_user user;
	uint8_t key[5];
	int rc = gml_rec_user_by_uid(txn, uid, &user);
	*refused_out = true;
	if (rc == 0) {
		*refused_out = user.flags & GML_USER_DISABLED;
		return 0;
	}
	if (rc == GML_ERR_NOENT)
		rc = gml_rec_get(txn, GML_TABLE_SUPER, uid_retired(key, uid), &value);
	*refused_out = rc != GML_ERR_NOENT;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

struct uid_each {
	bool (*each)(void *arg, uint32_t uid);
	void *arg;
	struct gml_txn *txn;
};

static int uid_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct uid_each *walk = arg;
	const uint8_t *p = key.ptr;
	(void)value;
	if (key.len != 5)
		return gml_txn_corrupt(walk->txn, GML_TABLE_SUPER, key);
	return walk->each(walk->arg,
			  (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4])
		       ? 0
		       : GML_REC_STOP;
}

int gml_rec_uid_each_retired(struct gml_txn *txn, bool (*each)(void *arg, uint32_t uid), void *arg)
{
	struct uid_each walk = {each, arg, txn};
	uint8_t key[1] = {GML_SUPER_RETIRED};
	return gml_rec_scan(txn, GML_TABLE_SUPER, gml_span_of(key, 1), gml_span_of(key, 1),
			    uid_each_one, &walk);
}

static int user_index_put(struct gml_txn *txn, uint32_t uid, struct gml_span name)
{
	struct user_index_key key;
	struct gml_enc enc;
	gml_enc_init(&enc, USER_INDEX_FORMAT);
	return gml_enc_put(&enc, txn, GML_TABLE_SUPER, user_index(&key, uid, name));
}

static int user_index_del(struct gml_txn *txn, uint32_t uid, struct gml_span name)
{
	struct user_index_key key;
	struct gml_span index = user_index(&key, uid, name);
	int rc = gml_txn_del(txn, GML_TABLE_SUPER, index);
	return rc == GML_ERR_NOENT ? gml_txn_corrupt(txn, GML_TABLE_SUPER, index) : rc;
}

int gml_rec_user_put(struct gml_txn *txn, const struct gml_user *user)
{
	struct gml_span name = gml_span_of(user->name, strnlen(user->name, sizeof(user->name)));
	struct gml_user old;
	struct gml_enc enc;
	int rc;
	if (name.len == 0 || name.len > GML_USER_NAME_MAX || user->ngroups > GML_USER_GROUPS_MAX ||
	    strnlen(user->id, sizeof(user->id)) != GML_UNIQUE_ID)
		return GML_ERR_INVAL;
	rc = gml_rec_user_get(txn, name, &old);
	if (rc == 0 && old.uid != user->uid)
		rc = user_index_del(txn, old.uid, name);
	if (rc == 0 || rc == GML_ERR_NOENT)
		rc = user_index_put(txn, user->uid, name);
	if (rc != 0)
		return rc;
	gml_enc_init(&enc, USER_FORMAT);
	gml_enc_raw(&enc, user->id, GML_UNIQUE_ID);
	gml_enc_varint(&enc, user->uid);
	gml_enc_varint(&enc, user->gid);
	gml_enc_varint(&enc, user->flags);
	gml_enc_u64(&enc, (uint64_t)user->created);
	gml_enc_varint(&enc, user->ngroups);
	for (uint32_t i = 0; i < user->ngroups; i++)
		gml_enc_varint(&enc, user->groups[i]);
	return gml_enc_put(&enc, txn, GML_TABLE_USER, name);
}

int gml_rec_user_del(struct gml_txn *txn, struct gml_span name)
{
	struct gml_user old;
	int rc = gml_rec_user_get(txn, name, &old);
	if (rc == 0)
		rc = user_index_del(txn, old.uid, gml_span_of(old.name, name.len));
	return rc != 0 ? rc : gml_txn_del(txn, GML_TABLE_USER, gml_span_of(old.name, name.len));
}

struct user_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_user *user);
	void *arg;
};

static int user_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct user_each *walk = arg;
	struct gml_user user;
	if (!user_decode(key, value, &user))
		return gml_txn_corrupt(walk->txn, GML_TABLE_USER, key);
	return walk->each(walk->arg, &user) ? 0 : GML_REC_STOP;
}

int gml_rec_user_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_user *user),
		      void *arg)
{
	struct user_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_USER, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    user_each_one, &walk);
}

/* ---- access keys ---- */
static void key_text(struct gml_dec *dec, char *out, size_t max)
{
	struct gml_span text = gml_dec_span(dec, max);
	if (text.len > 0)
		memcpy(out, text.ptr, text.len);
}

static bool key_decode(struct gml_span id, struct gml_span value, struct gml_key *out)
{
	struct gml_dec dec;
	if (id.len == 0 || id.len > GML_ACCESS_KEY_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->id, id.ptr, id.len);
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, KEY_FORMAT);
	out->flags = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->created = (int64_t)gml_dec_u64(&dec);
	out->expires = (int64_t)gml_dec_max(&dec, INT64_MAX);
	key_text(&dec, out->user, GML_USER_NAME_MAX);
	key_text(&dec, out->secret, GML_SECRET_MAX);
	return gml_dec_end(&dec);
}

int gml_rec_key_get(struct gml_txn *txn, struct gml_span id, struct gml_key *out)
{
	struct gml_span value;
	int rc;
	if (id.len == 0 || id.len > GML_ACCESS_KEY_MAX)
		return GML_ERR_NOENT;
	rc = gml_rec_get(txn, GML_TABLE_KEY, id, &value);
	if (rc != 0)
		return rc;
	return key_decode(id, value, out) ? 0 : gml_txn_corrupt(txn, GML_TABLE_KEY, id);
}

int gml_rec_key_put(struct gml_txn *txn, const struct gml_key *key)
{
	struct gml_span id = gml_span_of(key->id, strnlen(key->id, sizeof(key->id)));
	struct gml_span user = gml_span_of(key->user, strnlen(key->user, sizeof(key->user)));
	struct gml_span secret =
		gml_span_of(key->secret, strnlen(key->secret, sizeof(key->secret)));
	struct gml_enc enc;
	int rc;
	if (id.len == 0 || id.len > GML_ACCESS_KEY_MAX || user.len > GML_USER_NAME_MAX ||
	    secret.len > GML_SECRET_MAX)
		return GML_ERR_INVAL;
	gml_enc_init(&enc, KEY_FORMAT);
	gml_enc_varint(&enc, key->flags);
	gml_enc_u64(&enc, (uint64_t)key->created);
	gml_enc_varint(&enc, (uint64_t)key->expires);
	gml_enc_span(&enc, user);
	gml_enc_span(&enc, secret);
	rc = gml_enc_put(&enc, txn, GML_TABLE_KEY, id);
	explicit_bzero(enc.local, sizeof(enc.local));
	return rc;
}

int gml_rec_key_del(struct gml_txn *txn, struct gml_span id)
{
	if (id.len == 0 || id.len > GML_ACCESS_KEY_MAX)
		return GML_ERR_NOENT;
	return gml_txn_del(txn, GML_TABLE_KEY, id);
}

struct key_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_key *key);
	void *arg;
};

static int key_each_one(void *arg, struct gml_span id, struct gml_span value)
{
	struct key_each *walk = arg;
	struct gml_key key;
	bool more;
	if (!key_decode(id, value, &key))
		return gml_txn_corrupt(walk->txn, GML_TABLE_KEY, id);
	more = walk->each(walk->arg, &key);
	explicit_bzero(&key, sizeof(key));
	return more ? 0 : GML_REC_STOP;
}

int gml_rec_key_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_key *key),
		     void *arg)
{
	struct key_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_KEY, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    key_each_one, &walk);
}
