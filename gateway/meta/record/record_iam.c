// SPDX-License-Identifier: Apache-2.0
/* Table iam (record_iam.h): groups, roles, memberships, tags; and what all its codecs share. */
#include "record_iam.h"

void gml_iam_key_name(struct iam_key *key, struct gml_span name, size_t max, bool fold)
{
	const uint8_t *p = name.ptr;
	if (name.len == 0 || name.len > max || memchr(p, 0, name.len) != NULL) {
		key->bad = true;
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		key->bytes[key->len++] =
			fold && p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
}

void gml_iam_key_identity(struct iam_key *key, const struct gml_rec_identity *identity)
{
	key->bytes[key->len++] = identity->kind;
	switch ((enum gml_identity_kind)identity->kind) {
	case GML_IDENTITY_USER:
		iam_key_user(key, identity->name);
		return;
	case GML_IDENTITY_GROUP:
		iam_key_group(key, identity->name);
		return;
	case GML_IDENTITY_ROLE:
		iam_key_role(key, identity->name);
		return;
	}
	key->bad = true;
}

int gml_iam_get(struct gml_txn *txn, const struct iam_key *key, struct gml_dec *dec)
{
	struct gml_span value;
	int rc = key->bad ? GML_ERR_NOENT : gml_rec_get(txn, GML_TABLE_IAM, iam_span(key), &value);
	if (rc != 0)
		return rc;
	gml_dec_init(dec, value);
	gml_dec_format(dec, IAM_FORMAT);
	return 0;
}

int gml_iam_end(struct gml_txn *txn, const struct iam_key *key, const struct gml_dec *dec)
{
	return gml_dec_end(dec) ? 0 : gml_txn_corrupt(txn, GML_TABLE_IAM, iam_span(key));
}

int gml_iam_put(struct gml_txn *txn, const struct iam_key *key, struct gml_enc *enc)
{
	if (!key->bad)
		return gml_enc_put(enc, txn, GML_TABLE_IAM, iam_span(key));
	gml_enc_release(enc);
	return GML_ERR_INVAL;
}

int gml_iam_del(struct gml_txn *txn, const struct iam_key *key)
{
	return key->bad ? GML_ERR_NOENT : gml_txn_del(txn, GML_TABLE_IAM, iam_span(key));
}

/* ---- rows without a value -------------------------------------------------------------------- */

int gml_iam_row_has(struct gml_txn *txn, const struct iam_key *key)
{
	struct gml_dec dec;
	int rc = gml_iam_get(txn, key, &dec);
	return rc != 0 ? rc : gml_iam_end(txn, key, &dec);
}

int gml_iam_row_put(struct gml_txn *txn, const struct iam_key *key)
{
	struct gml_enc enc;
	gml_enc_init(&enc, IAM_FORMAT);
	return gml_iam_put(txn, key, &enc);
}

int gml_iam_row_del(struct gml_txn *txn, const struct iam_key *key)
{
	int rc = gml_iam_del(txn, key);
	return rc == GML_ERR_NOENT ? gml_txn_corrupt(txn, GML_TABLE_IAM, iam_span(key)) : rc;
}

struct iam_walk {
	struct gml_txn *txn;
	size_t prefix;
	bool (*each)(void *arg, struct gml_span name);
	void *arg;
};

static int iam_walk_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct iam_walk *walk = arg;
	(void)value;
	if (key.len == walk->prefix)
		return gml_txn_corrupt(walk->txn, GML_TABLE_IAM, key);
	return walk->each(walk->arg, gml_span_of((const uint8_t *)key.ptr + walk->prefix,
						 key.len - walk->prefix))
		       ? 0
		       : GML_REC_STOP;
}

int gml_iam_walk(struct gml_txn *txn, const struct iam_key *key,
		 bool (*each)(void *arg, struct gml_span name), void *arg)
{
	struct iam_walk walk = {txn, key->len, each, arg};
	return key->bad ? 0
			: gml_rec_scan(txn, GML_TABLE_IAM, iam_span(key), iam_span(key),
				       iam_walk_one, &walk);
}

/* ---- fields ---------------------------------------------------------------------------------- */

void gml_iam_dec_name(struct gml_dec *dec, struct gml_span folded, char *out)
{
	struct gml_span name = gml_dec_span(dec, folded.len);
	const uint8_t *a = name.ptr, *b = folded.ptr;
	if (name.len != folded.len)
		dec->bad = true;
	for (size_t i = 0; !dec->bad && i < name.len; i++) {
		if ((a[i] >= 'A' && a[i] <= 'Z' ? a[i] | 0x20 : a[i]) != b[i])
			dec->bad = true;
		out[i] = (char)a[i];
	}
	out[dec->bad ? 0 : name.len] = '\0';
}

void gml_iam_dec_text(struct gml_dec *dec, char *out, size_t max)
{
	struct gml_span text = gml_dec_span(dec, max);
	if (text.len > 0)
		memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
}

/* ---- groups and roles ------------------------------------------------------------------------ */

static void group_nss_key(struct iam_key *key, struct gml_span name)
{
	iam_key_begin(key, IAM_NSS);
	iam_key_group(key, name);
}

static int group_nss_get(struct gml_txn *txn, struct gml_span name, struct gml_group *out)
{
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	group_nss_key(&key, name);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	out->nss = true;
	out->gid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	return gml_iam_end(txn, &key, &dec);
}

static int group_nss_put(struct gml_txn *txn, const struct gml_group *group)
{
	struct iam_key key;
	struct gml_enc enc;
	int rc;
	group_nss_key(&key, iam_text(group->name, sizeof(group->name)));
	if (!group->nss) {
		rc = gml_iam_del(txn, &key);
		return rc == GML_ERR_NOENT ? 0 : rc;
	}
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_varint(&enc, group->gid);
	return gml_iam_put(txn, &key, &enc);
}

int gml_rec_group_get(struct gml_txn *txn, struct gml_span name, struct gml_group *out)
{
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_begin(&key, IAM_GROUP);
	iam_key_group(&key, name);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	memset(out, 0, sizeof(*out));
	gml_iam_dec_name(&dec, iam_key_rest(&key), out->name);
	iam_dec_id(&dec, out->id);
	out->created = (int64_t)gml_dec_u64(&dec);
	rc = gml_iam_end(txn, &key, &dec);
	return rc == 0 ? group_nss_get(txn, name, out) : rc;
}

int gml_rec_group_put(struct gml_txn *txn, const struct gml_group *group)
{
	struct gml_span name = iam_text(group->name, sizeof(group->name));
	struct iam_key key;
	struct gml_enc enc;
	int rc;
	iam_key_begin(&key, IAM_GROUP);
	iam_key_group(&key, name);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, name);
	gml_enc_raw(&enc, group->id, GML_UNIQUE_ID);
	gml_enc_u64(&enc, (uint64_t)group->created);
	rc = gml_iam_put(txn, &key, &enc);
	return rc == 0 ? group_nss_put(txn, group) : rc;
}

int gml_rec_group_del(struct gml_txn *txn, struct gml_span name)
{
	struct iam_key key;
	int rc;
	iam_key_begin(&key, IAM_GROUP);
	iam_key_group(&key, name);
	rc = gml_iam_del(txn, &key);
	if (rc != 0)
		return rc;
	group_nss_key(&key, name);
	rc = gml_iam_del(txn, &key);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_rec_group_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
		       void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_GROUP);
	return gml_iam_walk(txn, &key, each, arg);
}

int gml_rec_role_get(struct gml_txn *txn, struct gml_span name, struct gml_role *out,
		     struct gml_span *trust_out)
{
	struct gml_span trust;
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_begin(&key, IAM_ROLE);
	iam_key_role(&key, name);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	memset(out, 0, sizeof(*out));
	gml_iam_dec_name(&dec, iam_key_rest(&key), out->name);
	iam_dec_id(&dec, out->id);
	out->created = (int64_t)gml_dec_u64(&dec);
	out->max_session = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	gml_iam_dec_text(&dec, out->description, GML_DESCRIPTION_MAX);
	trust = gml_dec_span(&dec, GML_POLICY_DOCUMENT_MAX);
	if (trust_out != NULL)
		*trust_out = trust;
	return gml_iam_end(txn, &key, &dec);
}

int gml_rec_role_put(struct gml_txn *txn, const struct gml_role *role, struct gml_span trust)
{
	struct gml_span name = iam_text(role->name, sizeof(role->name));
	struct iam_key key;
	struct gml_enc enc;
	if (trust.len > GML_POLICY_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	iam_key_begin(&key, IAM_ROLE);
	iam_key_role(&key, name);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, name);
	gml_enc_raw(&enc, role->id, GML_UNIQUE_ID);
	gml_enc_u64(&enc, (uint64_t)role->created);
	gml_enc_varint(&enc, role->max_session);
	gml_enc_span(&enc, iam_text(role->description, GML_DESCRIPTION_MAX));
	gml_enc_span(&enc, trust);
	return gml_iam_put(txn, &key, &enc);
}

int gml_rec_role_del(struct gml_txn *txn, struct gml_span name)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_ROLE);
	iam_key_role(&key, name);
	return gml_iam_del(txn, &key);
}

int gml_rec_role_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name), void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_ROLE);
	return gml_iam_walk(txn, &key, each, arg);
}

/* ---- membership ------------------------------------------------------------------------------ */

static void iam_key_member(struct iam_key *key, struct gml_span group, struct gml_span user)
{
	iam_key_begin(key, IAM_MEMBER);
	iam_key_group(key, group);
	iam_key_zero(key);
	iam_key_user(key, user);
}

static void iam_key_member_of(struct iam_key *key, struct gml_span user, struct gml_span group)
{
	iam_key_begin(key, IAM_MEMBER_OF);
	iam_key_user(key, user);
	iam_key_zero(key);
	iam_key_group(key, group);
}

int gml_rec_member_has(struct gml_txn *txn, struct gml_span group, struct gml_span user)
{
	struct iam_key key;
	iam_key_member(&key, group, user);
	return gml_iam_row_has(txn, &key);
}

int gml_rec_member_put(struct gml_txn *txn, struct gml_span group, struct gml_span user)
{
	struct iam_key key, other;
	int rc;
	iam_key_member(&key, group, user);
	iam_key_member_of(&other, user, group);
	rc = gml_iam_row_put(txn, &key);
	return rc != 0 ? rc : gml_iam_row_put(txn, &other);
}

int gml_rec_member_del(struct gml_txn *txn, struct gml_span group, struct gml_span user)
{
	struct iam_key key, other;
	int rc;
	iam_key_member(&key, group, user);
	iam_key_member_of(&other, user, group);
	rc = gml_iam_del(txn, &key);
	return rc != 0 ? rc : gml_iam_row_del(txn, &other);
}

int gml_rec_member_each(struct gml_txn *txn, struct gml_span group,
			bool (*each)(void *arg, struct gml_span user), void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_MEMBER);
	iam_key_group(&key, group);
	iam_key_zero(&key);
	return gml_iam_walk(txn, &key, each, arg);
}

int gml_rec_member_each_of(struct gml_txn *txn, struct gml_span user,
			   bool (*each)(void *arg, struct gml_span group), void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_MEMBER_OF);
	iam_key_user(&key, user);
	iam_key_zero(&key);
	return gml_iam_walk(txn, &key, each, arg);
}

/* ---- tags ------------------------------------------------------------------------------------ */

static void iam_key_tags(struct iam_key *key, const struct gml_rec_identity *identity)
{
	iam_key_begin(key, IAM_TAGS);
	gml_iam_key_identity(key, identity);
}

int gml_rec_tags_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span *pairs_out)
{
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_tags(&key, identity);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	*pairs_out = gml_dec_span(&dec, GML_REC_PAIRS_MAX);
	return gml_iam_end(txn, &key, &dec);
}

int gml_rec_tags_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct gml_span pairs)
{
	struct iam_key key;
	struct gml_enc enc;
	int rc;
	iam_key_tags(&key, identity);
	if (pairs.len == 0) {
		rc = gml_iam_del(txn, &key);
		return rc == GML_ERR_NOENT ? 0 : rc;
	}
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, pairs);
	return gml_iam_put(txn, &key, &enc);
}
