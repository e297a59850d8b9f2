// SPDX-License-Identifier: Apache-2.0
/* Table iam: what each user, group and role has is found from it; together that is the table. */
#include <inttypes.h>
#include <string.h>
#include <gemel/err.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"

struct check_iam {
	struct check *c;
	struct gml_rec_identity identity; /* the one that is looked at */
	uint64_t rows;			  /* found so far */
	uint64_t members, member_of;	  /* memberships, found from groups and from users */
};

static const char *const check_iam_kinds[] = {"", "user", "group", "role"};

/* The identity, for messages. */
static const char *check_iam_kind(const struct check_iam *iam)
{
	return check_iam_kinds[iam->identity.kind];
}

static bool check_iam_pair(void *arg, struct gml_span name, struct gml_span value)
{
	(void)arg;
	(void)value;
	return name.len > 0;
}

static void check_iam_tags(struct check_iam *iam)
{
	struct gml_span pairs;
	char text[128];
	int rc = gml_rec_tags_get(iam->c->txn, &iam->identity, &pairs);
	if (rc == GML_ERR_NOENT)
		return;
	iam->rows++;
	if (rc == 0)
		rc = gml_rec_pairs_each(pairs, check_iam_pair, NULL);
	if (rc != 0)
		gml_check_problem(iam->c, "%s %s: damaged tags", check_iam_kind(iam),
				  gml_check_name(text, iam->identity.name));
}

/* ---- users ---- */

static bool check_iam_member_of(void *arg, struct gml_span group)
{
	struct check_iam *iam = arg;
	struct gml_group found;
	char text[128], user[128];
	iam->rows++;
	iam->member_of++;
	if (gml_rec_group_get(iam->c->txn, group, &found) != 0 ||
	    gml_rec_member_has(iam->c->txn, group, iam->identity.name) != 0)
		gml_check_problem(iam->c, "user %s: in group %s, which does not have it",
				  gml_check_name(user, iam->identity.name),
				  gml_check_name(text, group));
	return true;
}

static bool check_iam_user(void *arg, const struct gml_user *user)
{
	struct check_iam *iam = arg;
	int rc;
	iam->identity =
		(struct gml_rec_identity){GML_IDENTITY_USER, {user->name, strlen(user->name)}};
	check_iam_tags(iam);
	rc = gml_rec_member_each_of(iam->c->txn, iam->identity.name, check_iam_member_of, iam);
	if (rc != 0)
		iam->c->rc = rc;
	return rc == 0;
}

/* ---- groups and roles ---- */

static bool check_iam_member(void *arg, struct gml_span name)
{
	struct check_iam *iam = arg;
	struct gml_user user;
	char text[128], group[128];
	iam->rows++;
	iam->members++;
	if (gml_rec_user_get(iam->c->txn, name, &user) != 0)
		gml_check_problem(iam->c, "group %s: has member %s, which is no user",
				  gml_check_name(group, iam->identity.name),
				  gml_check_name(text, name));
	return true;
}

static bool check_iam_group(void *arg, struct gml_span name)
{
	struct check_iam *iam = arg;
	struct gml_group group;
	int rc = gml_rec_group_get(iam->c->txn, name, &group);
	iam->rows++;
	iam->identity = (struct gml_rec_identity){GML_IDENTITY_GROUP, name};
	if (rc == 0)
		rc = gml_rec_member_each(iam->c->txn, name, check_iam_member, iam);
	if (rc != 0)
		iam->c->rc = rc;
	return rc == 0;
}

static bool check_iam_role(void *arg, struct gml_span name)
{
	struct check_iam *iam = arg;
	struct gml_role role;
	int rc = gml_rec_role_get(iam->c->txn, name, &role, NULL);
	iam->rows++;
	iam->identity = (struct gml_rec_identity){GML_IDENTITY_ROLE, name};
	check_iam_tags(iam);
	if (rc != 0)
		iam->c->rc = rc;
	return rc == 0;
}

static int check_iam_walks(struct check_iam *iam)
{
	struct check *c = iam->c;
	int rc = gml_rec_user_each(c->txn, check_iam_user, iam);
	if (rc == 0 && c->rc == 0)
		rc = gml_rec_group_each(c->txn, check_iam_group, iam);
	if (rc == 0 && c->rc == 0)
		rc = gml_rec_role_each(c->txn, check_iam_role, iam);
	if (rc == 0) {
		rc = c->rc;
		c->rc = 0;
	}
	return rc;
}

int gml_check_iam(struct check *c)
{
	struct check_iam iam = {.c = c};
	uint64_t rows = 0;
	int rc = check_iam_walks(&iam);
	if (rc == 0)
		rc = gml_rec_count(c->txn, GML_TABLE_IAM, &rows);
	if (rc != 0)
		return rc;
	if (iam.members != iam.member_of)
		gml_check_problem(
			c, "groups have %" PRIu64 " members, users are in %" PRIu64 " groups",
			iam.members, iam.member_of);
	if (rows != iam.rows)
		gml_check_problem(c,
				  "table iam has %" PRIu64 " records, users, groups and roles "
				  "account for %" PRIu64,
				  rows, iam.rows);
	return 0;
}
