// SPDX-License-Identifier: Apache-2.0
/* Table iam: what each user, group and role has is found from it; together that is the table. */
#include <inttypes.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/policy.h>
#include "gateway/base/span.h"
#include "gateway/iam/document.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"

struct check_iam {
	struct check *c;
	struct gml_rec_identity identity; /* the one that is looked at */
	uint64_t rows;			  /* found so far */
	uint64_t members, member_of;	  /* memberships, found from groups and from users */
	uint64_t uses, used;		  /* of policies, found from identities and from policies */
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

/* ---- policies ---- */

static void check_iam_policy_of(struct check_iam *iam, struct gml_span policy)
{
	struct gml_policy found;
	char text[128], name[128];
	iam->uses++;
	if (gml_rec_policy_get(iam->c->txn, policy, &found, NULL) != 0)
		gml_check_problem(iam->c, "%s %s: has policy %s, which there is not",
				  check_iam_kind(iam), gml_check_name(name, iam->identity.name),
				  gml_check_name(text, policy));
}

static bool check_iam_attached(void *arg, struct gml_span policy)
{
	struct check_iam *iam = arg;
	iam->rows++;
	check_iam_policy_of(iam, policy);
	return true;
}

static bool check_iam_inline(void *arg, struct gml_span policy, struct gml_span document)
{
	struct check_iam *iam = arg;
	char text[128], name[128];
	iam->rows++;
	if (gml_document_check(GML_POLICY_IDENTITY, document) == GML_ERR_BADPOLICY)
		gml_check_problem(iam->c, "%s %s: its policy %s is not valid", check_iam_kind(iam),
				  gml_check_name(name, iam->identity.name),
				  gml_check_name(text, policy));
	return true;
}

/* What every identity may have. */
static int check_iam_belongings(struct check_iam *iam)
{
	char boundary[GML_POLICY_NAME_MAX + 1];
	int rc = gml_rec_boundary_get(iam->c->txn, &iam->identity, boundary);
	if (rc == 0) {
		iam->rows++;
		check_iam_policy_of(iam, gml_span_text(boundary));
	}
	check_iam_tags(iam);
	if (rc == 0 || rc == GML_ERR_NOENT)
		rc = gml_rec_attached_each(iam->c->txn, &iam->identity, check_iam_attached, iam);
	return rc != 0 ? rc
		       : gml_rec_inline_each(iam->c->txn, &iam->identity, check_iam_inline, iam);
}

static bool check_iam_use(void *arg, enum gml_policy_use use,
			  const struct gml_rec_identity *identity)
{
	(void)use;
	(void)identity;
	((struct check_iam *)arg)->used++;
	((struct check_iam *)arg)->rows++;
	return true;
}

static bool check_iam_policy(void *arg, struct gml_span name)
{
	struct check_iam *iam = arg;
	struct gml_policy policy;
	struct gml_span document;
	char text[128];
	int rc = gml_rec_policy_get(iam->c->txn, name, &policy, &document);
	iam->rows++;
	if (rc == 0 && gml_document_check(GML_POLICY_IDENTITY, document) == GML_ERR_BADPOLICY)
		gml_check_problem(iam->c, "policy %s is not valid", gml_check_name(text, name));
	if (rc == 0)
		rc = gml_rec_policy_each_use(iam->c->txn, name, check_iam_use, iam);
	if (rc != 0)
		iam->c->rc = rc;
	return rc == 0;
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
	rc = check_iam_belongings(iam);
	if (rc == 0)
		rc = gml_rec_member_each_of(iam->c->txn, iam->identity.name, check_iam_member_of,
					    iam);
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
	if (rc == 0 && group.nss)
		iam->rows++;
	if (rc == 0)
		rc = gml_rec_member_each(iam->c->txn, name, check_iam_member, iam);
	if (rc == 0)
		rc = check_iam_belongings(iam);
	if (rc != 0)
		iam->c->rc = rc;
	return rc == 0;
}

static bool check_iam_role(void *arg, struct gml_span name)
{
	struct check_iam *iam = arg;
	struct gml_span trust;
	struct gml_role role;
	char text[128];
	int rc = gml_rec_role_get(iam->c->txn, name, &role, &trust);
	iam->rows++;
	iam->identity = (struct gml_rec_identity){GML_IDENTITY_ROLE, name};
	if (rc == 0 && trust.len > 0 &&
	    gml_document_check(GML_POLICY_TRUST, trust) == GML_ERR_BADPOLICY)
		gml_check_problem(iam->c, "role %s: its trust policy is not valid",
				  gml_check_name(text, name));
	if (rc == 0)
		rc = check_iam_belongings(iam);
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
	if (rc == 0 && c->rc == 0)
		rc = gml_rec_policy_each(c->txn, check_iam_policy, iam);
	if (rc == 0) {
		rc = c->rc;
		c->rc = 0;
	}
	return rc;
}

void gml_check_document(struct check *c, const struct check_bucket *bucket, uint8_t kind,
			struct gml_span document)
{
	const struct gml_span name = {bucket->name, strlen(bucket->name)};
	struct gml_document_facts facts;
	gml_document_look((enum gml_bucket_document)kind, name, document, &facts);
	if (facts.rc == GML_ERR_BADPOLICY || facts.rc == GML_ERR_INVAL)
		gml_check_problem(c, "bucket %s: its document %u is not valid", bucket->name, kind);
	if (kind != GML_BUCKET_POLICY && kind != GML_BUCKET_ACCESS)
		return;
	c->bucket_rows++;
	if (gml_rec_policy_bucket_has(c->txn, bucket->rec.root, kind) != 0)
		gml_check_problem(c, "bucket %s: %s a policy, and is not among those that do",
				  bucket->name, kind == GML_BUCKET_POLICY ? "has" : "demands");
}

/* Behind the check of the buckets' documents. */
int gml_check_iam(struct check *c)
{
	struct check_iam iam = {.c = c, .rows = c->bucket_rows};
	struct gml_account account;
	uint64_t rows = 0;
	int rc = check_iam_walks(&iam);
	if (rc == 0)
		rc = gml_rec_account_get(c->txn, &account);
	if (rc == 0)
		iam.rows++;
	else if (rc == GML_ERR_NOENT)
		rc = 0;
	if (rc == 0)
		rc = gml_rec_count(c->txn, GML_TABLE_IAM, &rows);
	if (rc != 0)
		return rc;
	if (iam.members != iam.member_of)
		gml_check_problem(
			c, "groups have %" PRIu64 " members, users are in %" PRIu64 " groups",
			iam.members, iam.member_of);
	if (iam.uses != iam.used)
		gml_check_problem(c,
				  "identities have %" PRIu64 " policies, policies are used %" PRIu64
				  " times",
				  iam.uses, iam.used);
	if (rows != iam.rows)
		gml_check_problem(c,
				  "table iam has %" PRIu64 " records, users, groups, roles and "
				  "policies account for %" PRIu64,
				  rows, iam.rows);
	return 0;
}
