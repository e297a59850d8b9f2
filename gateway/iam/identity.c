// SPDX-License-Identifier: Apache-2.0
#include "identity.h"
#include <string.h>
#include <gemel/err.h>
#include "name.h"
#include "gateway/base/span.h"

struct gml_rec_identity gml_identity_of(const struct gml_identity *identity)
{
	/* the longest name of all kinds, and one more */
	return (struct gml_rec_identity){(uint8_t)identity->kind,
					 gml_iam_span(identity->name, GML_GROUP_NAME_MAX + 1)};
}

int gml_identity_find(struct gml_txn *txn, const struct gml_rec_identity *identity)
{
	struct gml_group group;
	struct gml_user user;
	struct gml_role role;
	int rc;
	switch ((enum gml_identity_kind)identity->kind) {
	case GML_IDENTITY_USER:
		rc = gml_rec_user_get(txn, identity->name, &user);
		return rc == GML_ERR_NOENT ? GML_ERR_NOUSER : rc;
	case GML_IDENTITY_GROUP:
		rc = gml_rec_group_get(txn, identity->name, &group);
		return rc == GML_ERR_NOENT ? GML_ERR_NOGROUP : rc;
	case GML_IDENTITY_ROLE:
		rc = gml_rec_role_get(txn, identity->name, &role, NULL);
		return rc == GML_ERR_NOENT ? GML_ERR_NOROLE : rc;
	}
	return GML_ERR_INVAL;
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

static int identity_leave_groups(struct gml_txn *txn, struct gml_span user)
{
	struct identity_first first;
	int rc;
	do {
		first.len = 0;
		rc = gml_rec_member_each_of(txn, user, identity_first_one, &first);
		if (rc == 0 && first.len > 0)
			rc = gml_rec_member_del(txn, gml_span_of(first.name, first.len), user);
	} while (rc == 0 && first.len > 0);
	return rc;
}

int gml_identity_drop(struct gml_txn *txn, const struct gml_rec_identity *identity)
{
	int rc = gml_rec_tags_put(txn, identity, gml_span_of(NULL, 0));
	if (rc == 0 && identity->kind == GML_IDENTITY_USER)
		rc = identity_leave_groups(txn, identity->name);
	return rc;
}
