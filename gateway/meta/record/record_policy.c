// SPDX-License-Identifier: Apache-2.0
/* Table iam (record_iam.h): policies and whose they are, boundaries, the account. */
#include "record_iam.h"

/* ---- managed policies ------------------------------------------------------------------------ */

int gml_rec_policy_get(struct gml_txn *txn, struct gml_span name, struct gml_policy *out,
		       struct gml_span *document_out)
{
	struct gml_span document;
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_begin(&key, IAM_POLICY);
	iam_key_policy(&key, name);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	memset(out, 0, sizeof(*out));
	gml_iam_dec_name(&dec, iam_key_rest(&key), out->name);
	iam_dec_id(&dec, out->id);
	out->created = (int64_t)gml_dec_u64(&dec);
	out->updated = (int64_t)gml_dec_u64(&dec);
	gml_iam_dec_text(&dec, out->description, GML_DESCRIPTION_MAX);
	document = gml_dec_span(&dec, GML_POLICY_DOCUMENT_MAX);
	if (document_out != NULL)
		*document_out = document;
	return gml_iam_end(txn, &key, &dec);
}

int gml_rec_policy_put(struct gml_txn *txn, const struct gml_policy *policy,
		       struct gml_span document)
{
	struct gml_span name = iam_text(policy->name, sizeof(policy->name));
	struct iam_key key;
	struct gml_enc enc;
	if (document.len > GML_POLICY_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	iam_key_begin(&key, IAM_POLICY);
	iam_key_policy(&key, name);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, name);
	gml_enc_raw(&enc, policy->id, GML_UNIQUE_ID);
	gml_enc_u64(&enc, (uint64_t)policy->created);
	gml_enc_u64(&enc, (uint64_t)policy->updated);
	gml_enc_span(&enc, iam_text(policy->description, GML_DESCRIPTION_MAX));
	gml_enc_span(&enc, document);
	return gml_iam_put(txn, &key, &enc);
}

int gml_rec_policy_del(struct gml_txn *txn, struct gml_span name)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_POLICY);
	iam_key_policy(&key, name);
	return gml_iam_del(txn, &key);
}

int gml_rec_policy_each(struct gml_txn *txn, bool (*each)(void *arg, struct gml_span name),
			void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_POLICY);
	return gml_iam_walk(txn, &key, each, arg);
}

/* ---- whose they are -------------------------------------------------------------------------- */

static void iam_key_attached(struct iam_key *key, const struct gml_rec_identity *identity,
			     struct gml_span policy)
{
	iam_key_begin(key, IAM_ATTACHED);
	gml_iam_key_identity(key, identity);
	iam_key_zero(key);
	iam_key_policy(key, policy);
}

static void iam_key_used(struct iam_key *key, struct gml_span policy, enum gml_policy_use use,
			 const struct gml_rec_identity *identity)
{
	iam_key_begin(key, IAM_USED);
	iam_key_policy(key, policy);
	iam_key_zero(key);
	key->bytes[key->len++] = (uint8_t)use;
	gml_iam_key_identity(key, identity);
}

int gml_rec_attached_has(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy)
{
	struct iam_key key;
	iam_key_attached(&key, identity, policy);
	return gml_iam_row_has(txn, &key);
}

int gml_rec_attached_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy)
{
	struct iam_key key, other;
	int rc;
	iam_key_attached(&key, identity, policy);
	iam_key_used(&other, policy, GML_POLICY_USE_ATTACHED, identity);
	rc = gml_iam_row_put(txn, &key);
	return rc != 0 ? rc : gml_iam_row_put(txn, &other);
}

int gml_rec_attached_del(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy)
{
	struct iam_key key, other;
	int rc;
	iam_key_attached(&key, identity, policy);
	iam_key_used(&other, policy, GML_POLICY_USE_ATTACHED, identity);
	rc = gml_iam_del(txn, &key);
	return rc != 0 ? rc : gml_iam_row_del(txn, &other);
}

int gml_rec_attached_each(struct gml_txn *txn, const struct gml_rec_identity *identity,
			  bool (*each)(void *arg, struct gml_span policy), void *arg)
{
	struct iam_key key;
	iam_key_begin(&key, IAM_ATTACHED);
	gml_iam_key_identity(&key, identity);
	iam_key_zero(&key);
	return gml_iam_walk(txn, &key, each, arg);
}

struct iam_used {
	struct gml_txn *txn;
	bool (*each)(void *arg, enum gml_policy_use use, const struct gml_rec_identity *identity);
	void *arg;
	int rc;
};

/* use, kind, name */
static bool iam_used_one(void *arg, struct gml_span rest)
{
	struct iam_used *used = arg;
	const uint8_t *p = rest.ptr;
	struct gml_rec_identity identity;
	if (rest.len < 3 || (p[0] != GML_POLICY_USE_ATTACHED && p[0] != GML_POLICY_USE_BOUNDARY)) {
		used->rc = gml_txn_corrupt(used->txn, GML_TABLE_IAM, rest);
		return false;
	}
	identity = (struct gml_rec_identity){p[1], {p + 2, rest.len - 2}};
	return used->each(used->arg, (enum gml_policy_use)p[0], &identity);
}

int gml_rec_policy_each_use(struct gml_txn *txn, struct gml_span policy,
			    bool (*each)(void *arg, enum gml_policy_use use,
					 const struct gml_rec_identity *identity),
			    void *arg)
{
	struct iam_used used = {txn, each, arg, 0};
	struct iam_key key;
	int rc;
	iam_key_begin(&key, IAM_USED);
	iam_key_policy(&key, policy);
	iam_key_zero(&key);
	rc = gml_iam_walk(txn, &key, iam_used_one, &used);
	return rc != 0 ? rc : used.rc;
}

/* ---- boundaries ------------------------------------------------------------------------------ */

static void iam_key_boundary(struct iam_key *key, const struct gml_rec_identity *identity)
{
	iam_key_begin(key, IAM_BOUNDARY);
	gml_iam_key_identity(key, identity);
}

int gml_rec_boundary_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 char policy_out[GML_POLICY_NAME_MAX + 1])
{
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_boundary(&key, identity);
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	gml_iam_dec_text(&dec, policy_out, GML_POLICY_NAME_MAX);
	return gml_iam_end(txn, &key, &dec);
}

int gml_rec_boundary_del(struct gml_txn *txn, const struct gml_rec_identity *identity)
{
	char old[GML_POLICY_NAME_MAX + 1];
	struct iam_key key, used;
	int rc = gml_rec_boundary_get(txn, identity, old);
	if (rc != 0)
		return rc;
	iam_key_boundary(&key, identity);
	iam_key_used(&used, iam_text(old, sizeof(old)), GML_POLICY_USE_BOUNDARY, identity);
	rc = gml_iam_del(txn, &key);
	return rc != 0 ? rc : gml_iam_row_del(txn, &used);
}

int gml_rec_boundary_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
			 struct gml_span policy)
{
	struct iam_key key, used;
	struct gml_enc enc;
	int rc = gml_rec_boundary_del(txn, identity);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	iam_key_boundary(&key, identity);
	iam_key_used(&used, policy, GML_POLICY_USE_BOUNDARY, identity);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, policy);
	rc = gml_iam_put(txn, &key, &enc);
	return rc != 0 ? rc : gml_iam_row_put(txn, &used);
}

/* ---- inline policies ------------------------------------------------------------------------- */

static void iam_key_inline(struct iam_key *key, const struct gml_rec_identity *identity,
			   struct gml_span policy)
{
	iam_key_begin(key, IAM_INLINE);
	gml_iam_key_identity(key, identity);
	iam_key_zero(key);
	iam_key_policy(key, policy);
}

static int iam_inline_decode(struct gml_dec *dec, struct gml_span folded, char *name_out,
			     struct gml_span *document_out)
{
	gml_dec_format(dec, IAM_FORMAT);
	gml_iam_dec_name(dec, folded, name_out);
	*document_out = gml_dec_span(dec, GML_POLICY_DOCUMENT_MAX);
	return gml_dec_end(dec) ? 0 : GML_ERR_CORRUPT;
}

int gml_rec_inline_get(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy, struct gml_span *document_out)
{
	char name[GML_POLICY_NAME_MAX + 1];
	struct gml_span value;
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_inline(&key, identity, policy);
	rc = key.bad ? GML_ERR_NOENT : gml_rec_get(txn, GML_TABLE_IAM, iam_span(&key), &value);
	if (rc != 0)
		return rc;
	gml_dec_init(&dec, value);
	rc = iam_inline_decode(&dec, gml_span_of(key.bytes + key.len - policy.len, policy.len),
			       name, document_out);
	return rc == 0 ? 0 : gml_txn_corrupt(txn, GML_TABLE_IAM, iam_span(&key));
}

int gml_rec_inline_put(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy, struct gml_span document)
{
	struct iam_key key;
	struct gml_enc enc;
	if (document.len > GML_POLICY_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	iam_key_inline(&key, identity, policy);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_span(&enc, policy);
	gml_enc_span(&enc, document);
	return gml_iam_put(txn, &key, &enc);
}

int gml_rec_inline_del(struct gml_txn *txn, const struct gml_rec_identity *identity,
		       struct gml_span policy)
{
	struct iam_key key;
	iam_key_inline(&key, identity, policy);
	return gml_iam_del(txn, &key);
}

struct iam_inline {
	struct gml_txn *txn;
	size_t prefix;
	bool (*each)(void *arg, struct gml_span policy, struct gml_span document);
	void *arg;
};

static int iam_inline_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct iam_inline *walk = arg;
	struct gml_span folded =
		gml_span_of((const uint8_t *)key.ptr + walk->prefix, key.len - walk->prefix);
	char name[GML_POLICY_NAME_MAX + 1];
	struct gml_span document;
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	if (folded.len > GML_POLICY_NAME_MAX ||
	    iam_inline_decode(&dec, folded, name, &document) != 0)
		return gml_txn_corrupt(walk->txn, GML_TABLE_IAM, key);
	return walk->each(walk->arg, gml_span_of(name, folded.len), document) ? 0 : GML_REC_STOP;
}

int gml_rec_inline_each(struct gml_txn *txn, const struct gml_rec_identity *identity,
			bool (*each)(void *arg, struct gml_span policy, struct gml_span document),
			void *arg)
{
	struct iam_inline walk = {txn, 0, each, arg};
	struct iam_key key;
	iam_key_begin(&key, IAM_INLINE);
	gml_iam_key_identity(&key, identity);
	iam_key_zero(&key);
	walk.prefix = key.len;
	return key.bad ? 0
		       : gml_rec_scan(txn, GML_TABLE_IAM, iam_span(&key), iam_span(&key),
				      iam_inline_one, &walk);
}

/* ---- buckets of which policies decide, and whether any policy does --------------------------- */

/* false: documents of this kind have no row. */
static bool iam_key_bucket(struct iam_key *key, uint64_t line, uint8_t kind)
{
	iam_key_begin(key, kind == GML_BUCKET_ACCESS ? IAM_BOTH : IAM_BUCKET);
	gml_key_u64(key->bytes + 1, line);
	key->len += 8;
	return kind == GML_BUCKET_ACCESS || kind == GML_BUCKET_POLICY;
}

int gml_iam_bucket_put(struct gml_txn *txn, uint64_t line, uint8_t kind)
{
	struct iam_key key;
	return iam_key_bucket(&key, line, kind) ? gml_iam_row_put(txn, &key) : 0;
}

int gml_iam_bucket_del(struct gml_txn *txn, uint64_t line, uint8_t kind)
{
	struct iam_key key;
	return iam_key_bucket(&key, line, kind) ? gml_iam_row_del(txn, &key) : 0;
}

int gml_rec_policy_bucket_has(struct gml_txn *txn, gml_ino root, uint8_t kind)
{
	struct iam_key key;
	return iam_key_bucket(&key, gml_line_id(root), kind) ? gml_iam_row_has(txn, &key)
							     : GML_ERR_NOENT;
}

static int iam_any_one(void *arg, struct gml_span key, struct gml_span value)
{
	(void)value;
	*(bool *)arg = *(const uint8_t *)key.ptr <= IAM_BOTH;
	return GML_REC_STOP;
}

int gml_rec_policy_any(struct gml_txn *txn, bool *out)
{
	static const uint8_t first[1] = {IAM_ATTACHED};
	*out = false;
	return gml_rec_scan(txn, GML_TABLE_IAM, gml_span_of(first, 1), gml_span_of(NULL, 0),
			    iam_any_one, out);
}

/* ---- the account ----------------------------------------------------------------------------- */

int gml_rec_account_get(struct gml_txn *txn, struct gml_account *out)
{
	struct iam_key key;
	struct gml_dec dec;
	int rc;
	iam_key_begin(&key, IAM_ACCOUNT);
	memset(out, 0, sizeof(*out));
	rc = gml_iam_get(txn, &key, &dec);
	if (rc != 0)
		return rc;
	out->public_access = (uint32_t)gml_dec_max(&dec, GML_PUBLIC_ACCESS_ALL);
	return gml_iam_end(txn, &key, &dec);
}

int gml_rec_account_put(struct gml_txn *txn, const struct gml_account *account)
{
	struct iam_key key;
	struct gml_enc enc;
	iam_key_begin(&key, IAM_ACCOUNT);
	gml_enc_init(&enc, IAM_FORMAT);
	gml_enc_varint(&enc, account->public_access);
	return gml_iam_put(txn, &key, &enc);
}
