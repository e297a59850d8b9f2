// SPDX-License-Identifier: Apache-2.0
/* Keys and rows of table iam, for the codecs of its nouns (record_iam.c, record_policy.c). A key is
 * a kind (u8) and names; two names have a zero byte between them. Names of groups, roles and
 * policies stand in the keys in lower case, because they are not distinguished by case; the records
 * have them as they were spelled. */
#ifndef GML_META_RECORD_IAM_H
#define GML_META_RECORD_IAM_H

#include "record_internal.h"

enum {
	IAM_FORMAT = 1,
	/* kinds of keys, and what follows in them */
	IAM_GROUP = 0x01,     /* group */
	IAM_ROLE = 0x02,      /* role */
	IAM_POLICY = 0x03,    /* policy */
	IAM_NSS = 0x04,	      /* group that is one of NSS */
	IAM_MEMBER = 0x10,    /* group, user */
	IAM_MEMBER_OF = 0x11, /* user, group */
	IAM_ATTACHED = 0x20,  /* identity, policy */
	IAM_USED = 0x21,      /* policy, enum gml_policy_use, identity */
	IAM_INLINE = 0x22,    /* identity, policy */
	IAM_BOUNDARY = 0x23,  /* identity */
	IAM_BUCKET = 0x24,    /* line of a bucket that has a policy */
	/* line of a bucket that demands policies and modes both; the last kind that policies need
	 * to be asked for */
	IAM_BOTH = 0x25,
	IAM_TAGS = 0x30,    /* identity */
	IAM_ACCOUNT = 0x40, /* nothing */
};

struct iam_key {
	size_t len;
	bool bad; /* a name that none can have: nothing is there */
	uint8_t bytes[4 + GML_GROUP_NAME_MAX + GML_POLICY_NAME_MAX];
};

static inline void iam_key_begin(struct iam_key *key, uint8_t kind)
{
	key->bytes[0] = kind;
	key->len = 1;
	key->bad = false;
}
static inline void iam_key_zero(struct iam_key *key)
{
	key->bytes[key->len++] = 0;
}
/* Appends a name; `fold`: in lower case. An empty name, one with a zero byte or over `max` bytes
 * makes the key bad. */
void gml_iam_key_name(struct iam_key *key, struct gml_span name, size_t max, bool fold);
static inline void iam_key_group(struct iam_key *key, struct gml_span group)
{
	gml_iam_key_name(key, group, GML_GROUP_NAME_MAX, true);
}
static inline void iam_key_user(struct iam_key *key, struct gml_span user)
{
	gml_iam_key_name(key, user, GML_USER_NAME_MAX, false);
}
static inline void iam_key_role(struct iam_key *key, struct gml_span role)
{
	gml_iam_key_name(key, role, GML_ROLE_NAME_MAX, true);
}
static inline void iam_key_policy(struct iam_key *key, struct gml_span policy)
{
	gml_iam_key_name(key, policy, GML_POLICY_NAME_MAX, true);
}
void gml_iam_key_identity(struct iam_key *key, const struct gml_rec_identity *identity);
static inline struct gml_span iam_span(const struct iam_key *key)
{
	return gml_span_of(key->bytes, key->len);
}
/* The name of a key that is a kind and one name. */
static inline struct gml_span iam_key_rest(const struct iam_key *key)
{
	return gml_span_of(key->bytes + 1, key->len - 1);
}

/* ---- records ---- */
/* The reader of a record, behind its format byte. A bad key: NOENT. */
int gml_iam_get(struct gml_txn *txn, const struct iam_key *key, struct gml_dec *dec);
/* The end of a record, or damage. */
int gml_iam_end(struct gml_txn *txn, const struct iam_key *key, const struct gml_dec *dec);
/* A bad key: INVAL. Releases the writer. */
int gml_iam_put(struct gml_txn *txn, const struct iam_key *key, struct gml_enc *enc);
int gml_iam_del(struct gml_txn *txn, const struct iam_key *key);

/* ---- rows without a value ---- */
int gml_iam_row_has(struct gml_txn *txn, const struct iam_key *key);
int gml_iam_row_put(struct gml_txn *txn, const struct iam_key *key);
/* Of the second direction of a fact whose first was deleted: it cannot be missing. */
int gml_iam_row_del(struct gml_txn *txn, const struct iam_key *key);
/* Calls `each` with the rest of each key that begins with `key`. */
int gml_iam_walk(struct gml_txn *txn, const struct iam_key *key,
		 bool (*each)(void *arg, struct gml_span name), void *arg);

/* ---- buckets of which policies decide ---- */
/* Follow the documents POLICY and ACCESS of a bucket (record_config.c); of other kinds: 0. */
int gml_iam_bucket_put(struct gml_txn *txn, uint64_t line, uint8_t kind);
int gml_iam_bucket_del(struct gml_txn *txn, uint64_t line, uint8_t kind);

/* ---- fields ---- */
static inline struct gml_span iam_text(const char *text, size_t cap)
{
	return gml_span_of(text, strnlen(text, cap));
}
/* A name as it was spelled: the key's but for case. `out`: one byte more than folded.len. */
void gml_iam_dec_name(struct gml_dec *dec, struct gml_span folded, char *out);
/* `out`: max + 1 bytes. */
void gml_iam_dec_text(struct gml_dec *dec, char *out, size_t max);
static inline void iam_dec_id(struct gml_dec *dec, char out[GML_UNIQUE_ID + 1])
{
	gml_dec_copy(dec, out, GML_UNIQUE_ID);
	out[GML_UNIQUE_ID] = '\0';
}

#endif
