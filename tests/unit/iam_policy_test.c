// SPDX-License-Identifier: Apache-2.0
/* Policies: who may have which, what is refused, what goes with whom; the documents of buckets that
 * decide about rights. */
#include <gemel/account.h>
#include <gemel/policy.h>
#include "gateway/iam/epoch.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;
static const struct gml_identity ann = {GML_IDENTITY_USER, "ann"},
				 team = {GML_IDENTITY_GROUP, "Team"},
				 reader = {GML_IDENTITY_ROLE, "Reader"},
				 nobody = {GML_IDENTITY_USER, "nobody"};

#define READ                                                                                       \
	"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": "       \
	"\"s3:GetObject\", \"Resource\": \"*\"}]}"
#define TRUST                                                                                      \
	"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": "    \
	"{\"AWS\": \"arn:aws:iam::000000000000:user/ann\"}, \"Action\": \"sts:AssumeRole\"}]}"
#define BUCKET_POLICY(principal)                                                                   \
	"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", "                   \
	"\"Principal\": " principal                                                                \
	", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::bucket/*\"}]}"
#define ANN "{\"AWS\": \"arn:aws:iam::000000000000:user/ann\"}"

static void setup_identities(struct ns *ns)
{
	struct gml_user user = {.name = "ann", .uid = 1000, .gid = 1000};
	struct gml_role role = {.name = "Reader"};
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_ok(gml_group_create(&admin, ns->store, "Team", NULL));
	assert_ok(gml_role_create(&admin, ns->store, &role, ns_span("")));
}

static int put(struct ns *ns, const char *name, const char *document)
{
	struct gml_policy policy = {.created = 0};
	memcpy(policy.name, name, strnlen(name, GML_POLICY_NAME_MAX));
	return gml_policy_put(&admin, ns->store, &policy, ns_span(document));
}

/* A valid document that has `size` bytes without white space. */
static const char *document_of(size_t size)
{
	static char text[20000];
	static const char head[] = "{\"Statement\": {\"Effect\": \"Allow\", \"Resource\": \"*\", "
				   "\"Action\": \"s3:",
			  tail[] = "\"}}";
	size_t fill = size - gml_policy_size(ns_span(head)) - strlen(tail);
	strcpy(text, head);
	memset(text + strlen(head), 'A', fill);
	strcpy(text + strlen(head) + fill, tail);
	assert_int_equal(gml_policy_size(ns_span(text)), size);
	return text;
}

/* ---- lists as text ---- */

struct list {
	char text[4096];
};

static bool list_add(void *arg, struct gml_span name)
{
	struct list *list = arg;
	size_t at = strlen(list->text);
	memcpy(list->text + at, name.ptr, name.len);
	strcpy(list->text + at + name.len, " ");
	return true;
}

static bool list_policy(void *arg, const struct gml_policy *policy)
{
	return list_add(arg, ns_span(policy->name));
}

static bool list_inline(void *arg, struct gml_span name, struct gml_span document)
{
	assert_true(document.len > 0);
	return list_add(arg, name);
}

static bool list_use(void *arg, enum gml_policy_use use, const struct gml_identity *identity)
{
	char text[200];
	snprintf(text, sizeof(text), "%d:%d:%s", (int)use, (int)identity->kind, identity->name);
	return list_add(arg, ns_span(text));
}

#define assert_list(call, want)                                                                    \
	do {                                                                                       \
		struct list list = {{0}};                                                          \
		assert_ok(call);                                                                   \
		assert_string_equal(list.text, want);                                              \
	} while (0)

static void assert_attached(struct ns *ns, const struct gml_identity *identity, const char *want)
{
	assert_list(gml_policy_attached(ns->store, identity, list_policy, &list), want);
}

static void assert_inline(struct ns *ns, const struct gml_identity *identity, const char *want)
{
	assert_list(gml_policy_inline_list(ns->store, identity, list_inline, &list), want);
}

static void assert_uses(struct ns *ns, const char *policy, const char *want)
{
	assert_list(gml_policy_uses(ns->store, policy, list_use, &list), want);
}

static void assert_boundary(struct ns *ns, const struct gml_identity *identity, const char *want)
{
	char name[GML_POLICY_NAME_MAX + 1];
	assert_ok(gml_policy_boundary_get(ns->store, identity, name));
	assert_string_equal(name, want);
}

/* ---- documents ---- */

/* The first finding. */
struct found {
	bool error;
	char place[64];
};

static void find(void *arg, const struct gml_policy_finding *finding)
{
	struct found *found = arg;
	if (found->place[0] != 0)
		return;
	found->error = finding->error;
	snprintf(found->place, sizeof(found->place), "%s", finding->place);
	assert_true(strlen(finding->text) > 0);
}

static int lint(enum gml_policy_kind kind, const char *document, const char *bucket,
		const char *place)
{
	struct found found = {.place = ""};
	int rc = gml_policy_lint(kind, ns_span(document), ns_span(bucket), find, &found);
	assert_int_equal(found.error, rc != 0);
	assert_string_equal(found.place, place);
	return rc;
}

static void test_check(void **state)
{
	(void)state;
	assert_ok(lint(GML_POLICY_IDENTITY, READ, "", ""));
	assert_ok(lint(GML_POLICY_SESSION, READ, "", ""));
	assert_ok(lint(GML_POLICY_TRUST, TRUST, "", ""));
	assert_ok(lint(GML_POLICY_BUCKET, BUCKET_POLICY(ANN), "bucket", ""));
	assert_rc(lint(GML_POLICY_BUCKET, BUCKET_POLICY(ANN), "other", "Statement[0].Resource"),
		  GML_ERR_BADPOLICY);
	assert_rc(lint(GML_POLICY_IDENTITY, TRUST, "", "Statement[0].Principal"),
		  GML_ERR_BADPOLICY);
	assert_int_equal(gml_policy_size(ns_span(" a\t{ }\r\n")), 3);
}

/* ---- managed policies ---- */

static void test_managed(void **state)
{
	struct ns *ns = *state;
	struct gml_policy policy = {.name = "Read",
				    .description = "r\xc3\xa9"
						   "ads"},
			  found;
	size_t len;
	void *buf;
	assert_ok(gml_policy_put(&admin, ns->store, &policy, ns_span(READ)));
	assert_int_equal(strlen(policy.id), 21);
	assert_memory_equal(policy.id, "ANPA", 4);
	assert_true(policy.created > 0 && policy.updated == policy.created);
	assert_ok(gml_policy_get(ns->store, "READ", &found, &buf, &len));
	assert_string_equal(found.name, "Read");
	assert_string_equal(found.description, policy.description);
	assert_int_equal(len, strlen(READ));
	assert_memory_equal(buf, READ, len);
	free(buf);
	/* Another document, under any spelling: the same policy. */
	strcpy(found.name, "read");
	strcpy(found.description, "");
	assert_ok(gml_policy_put(&admin, ns->store, &found, ns_span(document_of(100))));
	assert_string_equal(found.name, "Read");
	assert_string_equal(found.id, policy.id);
	assert_string_equal(found.description, policy.description);
	assert_true(found.updated >= policy.updated && found.created == policy.created);
	assert_ok(put(ns, "a+b=c,d.e@f_g-h", READ));
	assert_list(gml_policy_list(ns->store, list_policy, &list), "a+b=c,d.e@f_g-h Read ");
	assert_ok(gml_policy_delete(&admin, ns->store, "rEAD"));
	assert_rc(gml_policy_delete(&admin, ns->store, "Read"), GML_ERR_NOPOLICY);
	assert_rc(gml_policy_get(ns->store, "Read", &found, &buf, &len), GML_ERR_NOPOLICY);
	assert_null(buf);
	assert_rc(gml_policy_uses(ns->store, "Read", list_use, NULL), GML_ERR_NOPOLICY);
}

static void test_refused(void **state)
{
	struct ns *ns = *state;
	struct gml_policy policy = {.name = "p", .description = "a\nb"};
	struct gml_op someone = ns_user(0, 0);
	char longest[130];
	assert_rc(gml_policy_put(&admin, ns->store, &policy, ns_span(READ)), GML_ERR_INVAL);
	strcpy(policy.description, "");
	assert_rc(gml_policy_put(&someone, ns->store, &policy, ns_span(READ)), GML_ERR_PERM);
	assert_rc(gml_policy_put(&admin, ns->store, &policy, ns_span("[]")), GML_ERR_BADPOLICY);
	assert_rc(gml_policy_put(&admin, ns->store, &policy, ns_span(TRUST)), GML_ERR_BADPOLICY);
	assert_rc(put(ns, "a b", READ), GML_ERR_INVAL);
	memset(longest, 'n', sizeof(longest));
	longest[129] = '\0';
	assert_rc(gml_policy_name_check(longest), GML_ERR_INVAL);
	longest[128] = '\0';
	assert_ok(put(ns, longest, READ));
	assert_ok(put(ns, "most", document_of(GML_POLICY_MANAGED_MAX)));
	assert_rc(put(ns, "most", document_of(GML_POLICY_MANAGED_MAX + 1)), GML_ERR_LIMIT);
	assert_rc(gml_policy_inline_put(&admin, ns->store, &nobody, "p", ns_span(READ)),
		  GML_ERR_NOUSER);
	assert_rc(gml_policy_inline_put(&someone, ns->store, &nobody, "p", ns_span("[]")),
		  GML_ERR_PERM);
	assert_rc(gml_policy_attach(&someone, ns->store, &nobody, "p"), GML_ERR_PERM);
}

/* ---- attached ---- */

static void test_attached(void **state)
{
	struct ns *ns = *state;
	char name[16];
	setup_identities(ns);
	assert_rc(gml_policy_attach(&admin, ns->store, &ann, "p1"), GML_ERR_NOPOLICY);
	for (int i = 0; i <= GML_POLICIES_PER_IDENTITY; i++) {
		snprintf(name, sizeof(name), "P%d", i);
		assert_ok(put(ns, name, READ));
	}
	assert_rc(gml_policy_attach(&admin, ns->store, &nobody, "P1"), GML_ERR_NOUSER);
	assert_ok(gml_policy_attach(&admin, ns->store, &ann, "p1"));
	assert_ok(gml_policy_attach(&admin, ns->store, &ann, "P1")); /* it is */
	assert_ok(gml_policy_attach(&admin, ns->store, &team, "P1"));
	assert_ok(gml_policy_attach(&admin, ns->store, &reader, "P1"));
	assert_attached(ns, &ann, "P1 ");
	assert_uses(ns, "p1", "1:1:ann 1:2:Team 1:3:Reader ");
	assert_rc(gml_policy_delete(&admin, ns->store, "P1"), GML_ERR_INUSE);
	assert_rc(gml_group_delete(&admin, ns->store, "Team"), GML_ERR_INUSE);
	assert_rc(gml_role_delete(&admin, ns->store, "Reader"), GML_ERR_INUSE);
	assert_ok(gml_policy_detach(&admin, ns->store, &team, "P1"));
	assert_rc(gml_policy_detach(&admin, ns->store, &team, "P1"), GML_ERR_NOENT);
	assert_rc(gml_policy_detach(&admin, ns->store, &team, "none"), GML_ERR_NOPOLICY);
	assert_ok(gml_policy_detach(&admin, ns->store, &reader, "P1"));
	for (int i = 2; i <= GML_POLICIES_PER_IDENTITY; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_ok(gml_policy_attach(&admin, ns->store, &ann, name));
	}
	assert_rc(gml_policy_attach(&admin, ns->store, &ann, "P0"), GML_ERR_LIMIT);
	assert_attached(ns, &ann, "P1 P10 P2 P3 P4 P5 P6 P7 P8 P9 ");
	ns_check(ns);
	assert_ok(gml_role_delete(&admin, ns->store, "Reader"));
	assert_ok(gml_group_delete(&admin, ns->store, "Team"));
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	assert_uses(ns, "P1", "");
	assert_ok(gml_policy_delete(&admin, ns->store, "P1"));
}

/* ---- inline ---- */

static void test_inline(void **state)
{
	struct ns *ns = *state;
	setup_identities(ns);
	assert_ok(gml_policy_inline_put(&admin, ns->store, &ann, "Own", ns_span(READ)));
	assert_ok(gml_policy_inline_put(&admin, ns->store, &ann, "other", ns_span(READ)));
	assert_inline(ns, &ann, "other Own ");
	assert_inline(ns, &team, "");
	assert_rc(gml_policy_inline_list(ns->store, &nobody, list_inline, NULL), GML_ERR_NOUSER);
	assert_rc(gml_policy_inline_put(&admin, ns->store, &ann, "a/b", ns_span(READ)),
		  GML_ERR_INVAL);
	assert_rc(gml_policy_inline_put(&admin, ns->store, &ann, "own", ns_span("{}")),
		  GML_ERR_BADPOLICY);
	assert_rc(gml_policy_inline_delete(&admin, ns->store, &ann, "none"), GML_ERR_NOPOLICY);
	assert_ok(gml_policy_inline_delete(&admin, ns->store, &ann, "OTHER"));
	/* All together have a limit; one in place of itself counts once. */
	assert_ok(gml_policy_inline_put(&admin, ns->store, &ann, "own",
					ns_span(document_of(GML_POLICY_INLINE_USER_MAX - 100))));
	assert_inline(ns, &ann, "own ");
	assert_rc(gml_policy_inline_put(&admin, ns->store, &ann, "more", ns_span(document_of(101))),
		  GML_ERR_LIMIT);
	assert_ok(
		gml_policy_inline_put(&admin, ns->store, &ann, "more", ns_span(document_of(100))));
	assert_rc(gml_policy_inline_put(&admin, ns->store, &ann, "MORE", ns_span(document_of(101))),
		  GML_ERR_LIMIT);
	assert_ok(gml_policy_inline_put(&admin, ns->store, &team, "t",
					ns_span(document_of(GML_POLICY_INLINE_GROUP_MAX))));
	assert_rc(gml_policy_inline_put(&admin, ns->store, &team, "t",
					ns_span(document_of(GML_POLICY_INLINE_GROUP_MAX + 1))),
		  GML_ERR_LIMIT);
	assert_ok(gml_policy_inline_put(&admin, ns->store, &reader, "r",
					ns_span(document_of(GML_POLICY_INLINE_ROLE_MAX))));
	assert_rc(gml_group_delete(&admin, ns->store, "Team"), GML_ERR_INUSE);
	assert_rc(gml_role_delete(&admin, ns->store, "Reader"), GML_ERR_INUSE);
	ns_check(ns);
	assert_ok(gml_policy_inline_delete(&admin, ns->store, &team, "T"));
	assert_ok(gml_group_delete(&admin, ns->store, "Team"));
	assert_ok(gml_user_delete(&admin, ns->store, "ann")); /* with them */
}

/* ---- boundaries ---- */

static void test_boundaries(void **state)
{
	struct ns *ns = *state;
	setup_identities(ns);
	assert_boundary(ns, &ann, "");
	assert_rc(gml_policy_boundary_set(&admin, ns->store, &ann, "Limit"), GML_ERR_NOPOLICY);
	assert_ok(put(ns, "Limit", READ));
	assert_ok(put(ns, "Other", READ));
	assert_rc(gml_policy_boundary_set(&admin, ns->store, &team, "Limit"), GML_ERR_INVAL);
	assert_rc(gml_policy_boundary_set(&admin, ns->store, &nobody, "Limit"), GML_ERR_NOUSER);
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, "limit"));
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &reader, "Limit"));
	assert_boundary(ns, &ann, "Limit");
	assert_uses(ns, "Limit", "2:1:ann 2:3:Reader ");
	assert_rc(gml_policy_delete(&admin, ns->store, "Limit"), GML_ERR_INUSE);
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, "Other"));
	assert_uses(ns, "Limit", "2:3:Reader ");
	assert_ok(gml_policy_attach(&admin, ns->store, &ann, "Other"));
	assert_uses(ns, "Other", "1:1:ann 2:1:ann ");
	ns_check(ns);
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, NULL));
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, NULL));
	assert_boundary(ns, &ann, "");
	assert_ok(gml_role_delete(&admin, ns->store, "Reader"));
	assert_ok(gml_policy_delete(&admin, ns->store, "Limit"));
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, "Other"));
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	assert_ok(gml_policy_delete(&admin, ns->store, "Other"));
}

/* ---- trust ---- */

static void assert_trust(struct ns *ns, const char *want)
{
	size_t len;
	void *buf;
	assert_ok(gml_role_trust_get(ns->store, "Reader", &buf, &len));
	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf, want, len);
	free(buf);
}

static void test_trust(void **state)
{
	struct ns *ns = *state;
	struct gml_role role = {.name = "Reader"};
	size_t len;
	void *buf;
	assert_rc(gml_role_create(&admin, ns->store, &role, ns_span(READ)), GML_ERR_BADPOLICY);
	assert_ok(gml_role_create(&admin, ns->store, &role, ns_span(TRUST)));
	assert_trust(ns, TRUST);
	strcpy(role.description, "kept");
	assert_ok(gml_role_update(&admin, ns->store, &role));
	assert_trust(ns, TRUST);
	assert_rc(gml_role_trust_set(&admin, ns->store, "Reader", ns_span("{}")),
		  GML_ERR_BADPOLICY);
	assert_ok(gml_role_trust_set(&admin, ns->store, "reader", ns_span("")));
	assert_trust(ns, "");
	assert_ok(gml_role_get(ns->store, "Reader", &role));
	assert_string_equal(role.description, "kept");
	assert_rc(gml_role_trust_set(&admin, ns->store, "none", ns_span(TRUST)), GML_ERR_NOROLE);
	assert_rc(gml_role_trust_get(ns->store, "none", &buf, &len), GML_ERR_NOROLE);
	assert_null(buf);
}

/* ---- buckets ---- */

static int bucket_put(struct ns *ns, struct gml_op *op, enum gml_bucket_document kind,
		      const char *text)
{
	return gml_bucket_document_set(op, ns->store, ns_span("bucket"), kind,
				       text != NULL ? ns_span(text) : (struct gml_span){NULL, 0});
}

static void test_bucket_policies(void **state)
{
	struct ns *ns = *state;
	struct gml_op owner = ns_user(1001, 1001), other = ns_user(1002, 1002);
	struct gml_setattr set = {.mask = GML_SET_UID, .uid = 1001};
	bool is_public = true;
	size_t len;
	void *buf;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set, NULL));
	assert_rc(gml_bucket_policy_status(&owner, ns->store, ns_span("bucket"), &is_public),
		  GML_ERR_NOENT);
	assert_rc(bucket_put(ns, &other, GML_BUCKET_POLICY, "{}"), GML_ERR_ACCESS);
	assert_rc(bucket_put(ns, &owner, GML_BUCKET_POLICY, "{}"), GML_ERR_BADPOLICY);
	assert_rc(bucket_put(ns, &owner, GML_BUCKET_POLICY, READ), GML_ERR_BADPOLICY);
	assert_ok(bucket_put(ns, &owner, GML_BUCKET_POLICY, BUCKET_POLICY(ANN)));
	assert_ok(gml_bucket_policy_status(&owner, ns->store, ns_span("bucket"), &is_public));
	assert_false(is_public);
	assert_rc(gml_bucket_policy_status(&other, ns->store, ns_span("bucket"), &is_public),
		  GML_ERR_ACCESS);
	assert_rc(gml_bucket_document_get(&other, ns->store, ns_span("bucket"), GML_BUCKET_POLICY,
					  &buf, &len),
		  GML_ERR_ACCESS);
	assert_ok(bucket_put(ns, &owner, GML_BUCKET_POLICY, BUCKET_POLICY("\"*\"")));
	assert_ok(gml_bucket_policy_status(&owner, ns->store, ns_span("bucket"), &is_public));
	assert_true(is_public);
	assert_ok(bucket_put(ns, &owner, GML_BUCKET_POLICY, NULL));
	assert_rc(gml_bucket_document_get(&owner, ns->store, ns_span("bucket"), GML_BUCKET_POLICY,
					  &buf, &len),
		  GML_ERR_NOENT);
	assert_rc(bucket_put(ns, &owner, GML_BUCKET_CORS, "x"), GML_ERR_INVAL);
}

static void test_public_access(void **state)
{
	static const char *const bad[] = {"x", "BlockPublicAcls,", ",BlockPublicAcls",
					  "blockpublicacls", "BlockPublicAcls IgnorePublicAcls"};
	struct gml_account account;
	struct gml_op someone = ns_user(0, 0);
	struct ns *ns = *state;
	char text[GML_PUBLIC_ACCESS_TEXT];
	uint32_t settings;
	for (uint32_t i = 0; i <= GML_PUBLIC_ACCESS_ALL; i++) {
		gml_public_access_format(i, text);
		assert_ok(gml_public_access_parse(ns_span(text), &settings));
		assert_int_equal(settings, i);
		assert_ok(bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, text));
	}
	assert_string_equal(text, "BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,"
				  "RestrictPublicBuckets");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_rc(bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, bad[i]),
			  GML_ERR_INVAL);
	/* What is there stays; what is new is refused. */
	assert_ok(bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, ""));
	assert_ok(bucket_put(ns, &admin, GML_BUCKET_POLICY, BUCKET_POLICY("\"*\"")));
	assert_ok(bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "BlockPublicPolicy"));
	assert_rc(bucket_put(ns, &admin, GML_BUCKET_POLICY, BUCKET_POLICY("\"*\"")),
		  GML_ERR_ACCESS);
	assert_ok(bucket_put(ns, &admin, GML_BUCKET_POLICY, BUCKET_POLICY(ANN)));
	assert_ok(bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, NULL));
	assert_ok(gml_account_get(ns->store, &account));
	assert_int_equal(account.public_access, 0);
	account.public_access = GML_BLOCK_PUBLIC_POLICY | GML_IGNORE_PUBLIC_ACLS;
	assert_rc(gml_account_set(&someone, ns->store, &account), GML_ERR_PERM);
	assert_ok(gml_account_set(&admin, ns->store, &account));
	account.public_access = 0;
	assert_ok(gml_account_get(ns->store, &account));
	assert_int_equal(account.public_access, GML_BLOCK_PUBLIC_POLICY | GML_IGNORE_PUBLIC_ACLS);
	assert_rc(bucket_put(ns, &admin, GML_BUCKET_POLICY, BUCKET_POLICY("\"*\"")),
		  GML_ERR_ACCESS);
	account.public_access = 16;
	assert_rc(gml_account_set(&admin, ns->store, &account), GML_ERR_INVAL);
}

static void test_ownership(void **state)
{
	struct gml_bucket_new what = {.kind = GML_BUCKET_OWNERSHIP};
	enum gml_ownership ownership;
	struct ns *ns = *state;
	for (int i = GML_BUCKET_OWNER_ENFORCED; i <= GML_OBJECT_WRITER; i++) {
		const char *name = gml_ownership_format((enum gml_ownership)i);
		assert_ok(gml_ownership_parse(ns_span(name), &ownership));
		assert_int_equal(ownership, i);
		assert_ok(bucket_put(ns, &admin, GML_BUCKET_OWNERSHIP, name));
	}
	assert_rc(bucket_put(ns, &admin, GML_BUCKET_OWNERSHIP, "Nobody"), GML_ERR_INVAL);
	what.document = ns_span("Nobody");
	assert_rc(gml_bucket_create(&admin, ns->store, ns_span("second"), &what, NULL),
		  GML_ERR_INVAL);
	what.document = ns_span("ObjectWriter");
	assert_ok(gml_bucket_create(&admin, ns->store, ns_span("second"), &what, NULL));
}

/* ---- the access epoch ---- */

static void assert_moves(struct ns *ns, bool moves, int rc)
{
	static uint64_t before;
	uint64_t now = gml_access_epoch_now(ns->store->access_epoch);
	assert_int_equal(rc, 0);
	assert_true(moves == (now != before));
	assert_true(gml_access_epoch_settled(ns->store->access_epoch, now));
	before = now;
}

static void test_epoch(void **state)
{
	struct gml_account account = {.public_access = 1};
	struct ns *ns = *state;
	setup_identities(ns);
	assert_moves(ns, true, 0);
	assert_moves(ns, true, put(ns, "p", READ));
	assert_moves(ns, true, put(ns, "p", READ));
	assert_rc(put(ns, "p", "{}"), GML_ERR_BADPOLICY);
	assert_moves(ns, false, 0);
	assert_moves(ns, true, gml_policy_attach(&admin, ns->store, &ann, "p"));
	assert_moves(ns, false, gml_policy_attach(&admin, ns->store, &ann, "p"));
	assert_moves(ns, true, gml_policy_detach(&admin, ns->store, &ann, "p"));
	assert_moves(ns, true, gml_policy_boundary_set(&admin, ns->store, &ann, "p"));
	assert_moves(ns, true, gml_policy_boundary_set(&admin, ns->store, &ann, NULL));
	assert_moves(ns, false, gml_policy_boundary_set(&admin, ns->store, &ann, NULL));
	assert_moves(ns, true, gml_policy_inline_put(&admin, ns->store, &team, "q", ns_span(READ)));
	assert_moves(ns, true, gml_policy_inline_delete(&admin, ns->store, &team, "q"));
	assert_moves(ns, true, gml_policy_delete(&admin, ns->store, "p"));
	assert_moves(ns, true, gml_role_trust_set(&admin, ns->store, "reader", ns_span(TRUST)));
	assert_moves(ns, true, gml_account_set(&admin, ns->store, &account));
	assert_moves(ns, true, bucket_put(ns, &admin, GML_BUCKET_POLICY, BUCKET_POLICY(ANN)));
	assert_moves(ns, true, bucket_put(ns, &admin, GML_BUCKET_POLICY, NULL));
	assert_moves(ns, true, bucket_put(ns, &admin, GML_BUCKET_PUBLIC_ACCESS_BLOCK, ""));
	assert_moves(ns, true, bucket_put(ns, &admin, GML_BUCKET_OWNERSHIP, "ObjectWriter"));
	assert_moves(ns, true, bucket_put(ns, &admin, GML_BUCKET_TAGGING, "k\tv\n"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		T(test_managed),
		T(test_refused),
		T(test_attached),
		T(test_inline),
		T(test_boundaries),
		T(test_trust),
		T(test_bucket_policies),
		T(test_public_access),
		T(test_ownership),
		T(test_epoch),
	};
	return cmocka_run_group_tests_name("iam_policy", tests, NULL, NULL);
}
