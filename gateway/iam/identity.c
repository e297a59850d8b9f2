// SPDX-License-Identifier: Apache-2.0
#include "identity.h"
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/span.h"
#include "name.h"

struct gml_rec_identity gml_identity_of(const struct gml_identity *identity)
{
	/* the longest name of all kinds, and one more */
	return (struct gml_rec_identity){(uint8_t)identity->kind,
					 gml_iam_span(identity->name, GML_GROUP_NAME_MAX + 1)};
}

int gml_identity_name(struct gml_txn *txn, const struct gml_rec_identity *identity,
		      char out[GML_GROUP_NAME_MAX + 1])
{
	struct gml_group group;
	struct gml_user user;
	struct gml_role role;
	int rc;
	switch ((enum gml_identity_kind)identity->kind) {
	case GML_IDENTITY_USER:
		rc = gml_rec_user_get(txn, identity->name, &user);
		memcpy(out, rc == 0 ? user.name : "", rc == 0 ? sizeof(user.name) : 1);
		return rc == GML_ERR_NOENT ? GML_ERR_NOUSER : rc;
	case GML_IDENTITY_GROUP:
		rc = gml_rec_group_get(txn, identity->name, &group);
		memcpy(out, rc == 0 ? group.name : "", rc == 0 ? sizeof(group.name) : 1);
		return rc == GML_ERR_NOENT ? GML_ERR_NOGROUP : rc;
	case GML_IDENTITY_ROLE:
		rc = gml_rec_role_get(txn, identity->name, &role, NULL);
		memcpy(out, rc == 0 ? role.name : "", rc == 0 ? sizeof(role.name) : 1);
		return rc == GML_ERR_NOENT ? GML_ERR_NOROLE : rc;
	}
	return GML_ERR_INVAL;
}

int gml_identity_find(struct gml_txn *txn, const struct gml_rec_identity *identity)
{
	char name[GML_GROUP_NAME_MAX + 1];
	return gml_identity_name(txn, identity, name);
}

static bool identity_any(void *arg, struct gml_span policy)
{
	(void)policy;
	*(bool *)arg = true;
	return false;
}

static bool identity_any_inline(void *arg, struct gml_span policy, struct gml_span document)
{
	(void)document;
	return identity_any(arg, policy);
}

int gml_identity_has_policies(struct gml_txn *txn, const struct gml_rec_identity *identity,
			      bool *out)
{
	int rc;
	*out = false;
	rc = gml_rec_attached_each(txn, identity, identity_any, out);
	return rc == 0 && !*out ? gml_rec_inline_each(txn, identity, identity_any_inline, out) : rc;
}

/* The first name of a walk. */
struct identity_first {
	char name[GML_POLICY_NAME_MAX + 1];
	size_t len; /* 0: there is none */
};

static bool identity_first_one(void *arg, struct gml_span name)
{
	struct identity_first *first = arg;
	first->len = name.len <= GML_POLICY_NAME_MAX ? name.len : 0;
	memcpy(first->name, name.ptr, first->len);
	return false;
}

static bool identity_first_inline(void *arg, struct gml_span policy, struct gml_span document)
{
	(void)document;
	return identity_first_one(arg, policy);
}

/* What a walk over rows of an identity finds, and how one is removed. */
struct identity_rows {
	int (*first)(struct gml_txn *txn, const struct gml_rec_identity *identity,
		     struct identity_first *first);
	int (*del)(struct gml_txn *txn, const struct gml_rec_identity *identity,
		   struct gml_span name);
};

static int identity_first_group(struct gml_txn *txn, const struct gml_rec_identity *identity,
				struct identity_first *first)
{
	return gml_rec_member_each_of(txn, identity->name, identity_first_one, first);
}

static int identity_leave(struct gml_txn *txn, const struct gml_rec_identity *identity,
			  struct gml_span group)
{
	return gml_rec_member_del(txn, group, identity->name);
}

static int identity_first_attached(struct gml_txn *txn, const struct gml_rec_identity *identity,
				   struct identity_first *first)
{
	return gml_rec_attached_each(txn, identity, identity_first_one, first);
}

static int identity_first_inlined(struct gml_txn *txn, const struct gml_rec_identity *identity,
				  struct identity_first *first)
{
	return gml_rec_inline_each(txn, identity, identity_first_inline, first);
}

/* One row after the other, because a walk may not write. */
static int identity_drop_rows(struct gml_txn *txn, const struct gml_rec_identity *identity,
			      const struct identity_rows *rows)
{
	struct identity_first first;
	int rc;
	do {
		first.len = 0;
		rc = rows->first(txn, identity, &first);
		if (rc == 0 && first.len > 0)
			rc = rows->del(txn, identity, gml_span_of(first.name, first.len));
	} while (rc == 0 && first.len > 0);
	return rc;
}

int gml_identity_drop(struct gml_txn *txn, const struct gml_rec_identity *identity)
{
	static const struct identity_rows groups = {identity_first_group, identity_leave},
					  attached = {identity_first_attached,
						      gml_rec_attached_del},
					  inlined = {identity_first_inlined, gml_rec_inline_del};
	int rc = gml_rec_tags_put(txn, identity, gml_span_of(NULL, 0));
	if (rc == 0)
		rc = gml_rec_boundary_del(txn, identity);
	if (rc == 0 || rc == GML_ERR_NOENT)
		rc = identity_drop_rows(txn, identity, &attached);
	if (rc == 0)
		rc = identity_drop_rows(txn, identity, &inlined);
	if (rc == 0 && identity->kind == GML_IDENTITY_USER)
		rc = identity_drop_rows(txn, identity, &groups);
	return rc;
}
