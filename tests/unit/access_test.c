// SPDX-License-Identifier: Apache-2.0
/* What policies say to whom, at once after each change, in this and other processes; what is
 * remembered, and what a question costs then. */
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <gemel/account.h>
#include <gemel/policy.h>
#include "gateway/iam/access_cache.h"
#include "gateway/iam/epoch.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;
static const struct gml_identity ann = {GML_IDENTITY_USER, "ann"},
				 team = {GML_IDENTITY_GROUP, "Team"};

#define STATEMENT(effect, action, more)                                                            \
	"{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"" effect                      \
	"\", \"Action\": \"" action "\", \"Resource\": \"arn:aws:s3:::bucket/*\"" more "}}"
#define ALLOW STATEMENT("Allow", "s3:GetObject", "")
#define DENY STATEMENT("Deny", "s3:*", "")
#define WHEN(operator, key, value)                                                                 \
	STATEMENT("Allow", "s3:GetObject",                                                         \
		  ", \"Condition\": {\"" operator"\": {\"" key "\": " value "}}")
#define FOR(principal) STATEMENT("Allow", "s3:GetObject", ", \"Principal\": " principal)

/* ---- callers and questions ---- */

/* As S3 knows a user, by name, and NFS, by uid. */
static struct gml_principal user_named(const char *name)
{
	return (struct gml_principal){.user = name, .authn = GML_AUTHN_SIGV4};
}

static struct gml_principal user_numbered(uint32_t uid)
{
	return (struct gml_principal){.cred = {.uid = uid, .gid = uid}, .authn = GML_AUTHN_SYS};
}

static const struct gml_principal anonymous = {.authn = GML_AUTHN_ANONYMOUS};

struct asked {
	struct gml_principal who;
	enum gml_action action;
	const char *key;
	struct gml_context context;
	const struct gml_inode *inode;
	gml_ino root; /* NONE: ns->bucket */
};

static struct gml_access_question question_of(struct ns *ns, const struct asked *asked)
{
	return (struct gml_access_question){
		.principal = &asked->who,
		.action = asked->action != 0 ? asked->action : GML_ACTION_GET_OBJECT,
		.root = gml_ino_is_none(asked->root) ? ns->bucket : asked->root,
		.key = ns_span(asked->key != NULL ? asked->key : "key"),
		.inode = asked->inode,
		.context = &asked->context};
}

/* A verdict, and a copy of what made it. */
struct answer {
	enum auth_verdict verdict;
	enum auth_policy_kind kind;
	int statement;
	char origin[GML_ACCESS_ORIGIN_MAX];
};

static int decide(struct gml_store *store, struct gml_txn *txn,
		  const struct gml_access_question *question, struct answer *out)
{
	struct auth_decision decision = {.verdict = AUTH_VERDICT_NONE, .statement = -1};
	struct gml_access_held held;
	int rc = gml_access_hold(store, txn, question, &held);
	if (rc == 0)
		rc = gml_held_decide(&held, txn, question, &decision);
	out->verdict = decision.verdict;
	out->kind = decision.kind;
	out->statement = decision.statement;
	snprintf(out->origin, sizeof(out->origin), "%s",
		 decision.origin != NULL ? decision.origin : "");
	gml_access_release(&held);
	return rc;
}

static int ask(struct ns *ns, const struct asked *asked, struct answer *out)
{
	const struct gml_access_question question = question_of(ns, asked);
	struct gml_txn *txn;
	int rc;
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	rc = decide(ns->store, txn, &question, out);
	gml_meta_read_end(txn);
	return rc;
}

static enum auth_verdict verdict(struct ns *ns, struct gml_principal who)
{
	const struct asked asked = {.who = who};
	struct answer answer;
	assert_ok(ask(ns, &asked, &answer));
	return answer.verdict;
}

static void assert_decided(struct ns *ns, struct gml_principal who, enum auth_verdict want,
			   const char *origin)
{
	const struct asked asked = {.who = who};
	struct answer answer;
	assert_ok(ask(ns, &asked, &answer));
	assert_int_equal(answer.verdict, want);
	assert_string_equal(answer.origin, origin);
	assert_int_equal(answer.statement,
			 want == AUTH_VERDICT_ALLOW || want == AUTH_VERDICT_DENY ? 0 : -1);
}

/* ---- the store ---- */

static void user_new(struct ns *ns, const char *name, uint32_t uid)
{
	struct gml_user user = {.uid = uid, .gid = uid};
	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(gml_user_create(&admin, ns->store, &user));
}

static void policy_put(struct ns *ns, const char *name, const char *document)
{
	struct gml_policy policy = {.created = 0};
	snprintf(policy.name, sizeof(policy.name), "%s", name);
	assert_ok(gml_policy_put(&admin, ns->store, &policy, ns_span(document)));
}

static void own_put(struct ns *ns, const struct gml_identity *identity, const char *document)
{
	assert_ok(gml_policy_inline_put(&admin, ns->store, identity, "own", ns_span(document)));
}

static void own_delete(struct ns *ns, const struct gml_identity *identity)
{
	assert_ok(gml_policy_inline_delete(&admin, ns->store, identity, "own"));
}

static void bucket_put(struct ns *ns, enum gml_bucket_document kind, const char *text)
{
	assert_ok(
		gml_bucket_document_set(&admin, ns->store, ns_span("bucket"), kind,
					text != NULL ? ns_span(text) : (struct gml_span){NULL, 0}));
}

static uint64_t snapshots(struct ns *ns)
{
	struct gml_meta_stats stats;
	gml_meta_stats_get(ns->store->meta, &stats);
	return stats.reads;
}

/* Asks again: nothing is read but by the asker, who opens one snapshot. */
static void assert_remembered(struct ns *ns, struct gml_principal who)
{
	enum auth_verdict before = verdict(ns, who);
	uint64_t reads = snapshots(ns);
	assert_int_equal(verdict(ns, who), before);
	assert_int_equal(snapshots(ns), reads + 1);
}

/* ---- callers ---- */

static void test_nobody(void **state)
{
	struct ns *ns = *state;
	user_new(ns, "ann", 1000);
	policy_put(ns, "Read", ALLOW); /* and nobody has it */
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_NONE, "");
	assert_remembered(ns, user_named("ann"));
	assert_int_equal(gml_access_size(ns->store->access), 0);
}

static void test_user(void **state)
{
	struct ns *ns = *state;
	user_new(ns, "ann", 1000);
	user_new(ns, "bob", 1001);
	assert_ok(gml_group_create(&admin, ns->store, "Team", NULL));
	policy_put(ns, "Read", ALLOW);
	assert_ok(gml_policy_attach(&admin, ns->store, &ann, "Read"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy read of user ann");
	assert_decided(ns, user_numbered(1000), AUTH_VERDICT_ALLOW, "policy read of user ann");
	assert_decided(ns, user_named("bob"), AUTH_VERDICT_NONE, "");
	assert_remembered(ns, user_named("ann"));
	assert_remembered(ns, user_numbered(1000));
	assert_remembered(ns, user_named("bob"));
	/* At once. */
	assert_ok(gml_policy_detach(&admin, ns->store, &ann, "Read"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_NONE, "");
	assert_decided(ns, user_numbered(1000), AUTH_VERDICT_NONE, "");
	own_put(ns, &ann, ALLOW);
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "own policy own of user ann");
	own_delete(ns, &ann);
	assert_ok(gml_policy_attach(&admin, ns->store, &team, "Read"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_NONE, "");
	assert_ok(gml_group_add(&admin, ns->store, "Team", "ann"));
	assert_ok(gml_group_add(&admin, ns->store, "Team", "bob"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy read of group team");
	assert_decided(ns, user_numbered(1001), AUTH_VERDICT_ALLOW, "policy read of group team");
	own_put(ns, &ann, DENY);
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_DENY, "own policy own of user ann");
	assert_decided(ns, user_named("bob"), AUTH_VERDICT_ALLOW, "policy read of group team");
	own_delete(ns, &ann);
	policy_put(ns, "Read", DENY);
	assert_decided(ns, user_named("bob"), AUTH_VERDICT_DENY, "policy read of group team");
	assert_ok(gml_group_remove(&admin, ns->store, "Team", "bob"));
	assert_decided(ns, user_named("bob"), AUTH_VERDICT_NONE, "");
	/* Another user with the uid. */
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	assert_decided(ns, user_numbered(1000), AUTH_VERDICT_NONE, "");
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_NONE, "");
}

static void test_boundary(void **state)
{
	struct ns *ns = *state;
	user_new(ns, "ann", 1000);
	policy_put(ns, "Limit", STATEMENT("Allow", "s3:PutObject", ""));
	own_put(ns, &ann, ALLOW);
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, "Limit"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_CAPPED, "boundary Limit of user ann");
	policy_put(ns, "Limit", STATEMENT("Allow", "s3:*", ""));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "own policy own of user ann");
	assert_ok(gml_policy_attach(&admin, ns->store, &ann, "Limit"));
	own_delete(ns, &ann);
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy limit of user ann");
	assert_ok(gml_policy_boundary_set(&admin, ns->store, &ann, NULL));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy limit of user ann");
}

static void test_bucket(void **state)
{
	struct ns *ns = *state;
	struct gml_access_bucket facts;
	struct gml_txn *txn;
	user_new(ns, "ann", 1000);
	bucket_put(ns, GML_BUCKET_POLICY, FOR("{\"AWS\": \"arn:aws:iam::000000000000:user/ann\"}"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	assert_decided(ns, user_numbered(1000), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	assert_decided(ns, user_numbered(1001), AUTH_VERDICT_NONE, "");
	assert_decided(ns, user_numbered(0), AUTH_VERDICT_NONE, "");
	assert_decided(ns, anonymous, AUTH_VERDICT_NONE, "");
	assert_remembered(ns, anonymous);
	/* The account: who is known in it; root as well. */
	bucket_put(ns, GML_BUCKET_POLICY, FOR("{\"AWS\": \"000000000000\"}"));
	assert_decided(ns, user_numbered(1000), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	assert_decided(ns, user_numbered(0), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	assert_decided(ns, user_numbered(1001), AUTH_VERDICT_NONE, "");
	assert_decided(ns, anonymous, AUTH_VERDICT_NONE, "");
	/* S3's id of a user. */
	bucket_put(ns, GML_BUCKET_POLICY, FOR("{\"CanonicalUser\": \"000000001000\"}"));
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	/* Everyone, until a public access block restricts it; whoever is known keeps it. */
	bucket_put(ns, GML_BUCKET_POLICY, FOR("\"*\""));
	assert_decided(ns, anonymous, AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	assert_decided(ns, user_numbered(1001), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	bucket_put(ns, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "RestrictPublicBuckets");
	assert_decided(ns, anonymous, AUTH_VERDICT_NONE, "");
	assert_decided(ns, user_numbered(1001), AUTH_VERDICT_NONE, "");
	assert_decided(ns, user_named("ann"), AUTH_VERDICT_ALLOW, "policy of bucket bucket");
	bucket_put(ns, GML_BUCKET_OWNERSHIP, "ObjectWriter");
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_access_bucket(ns->store, txn, ns->bucket, &facts));
	assert_true(facts.has_policy && facts.is_public);
	assert_int_equal(facts.public_access, GML_RESTRICT_PUBLIC_BUCKETS);
	assert_int_equal(facts.ownership, GML_OBJECT_WRITER);
	assert_rc(gml_access_bucket(ns->store, txn, INO(4711), &facts), GML_ERR_NOENT);
	gml_meta_read_end(txn);
	bucket_put(ns, GML_BUCKET_PUBLIC_ACCESS_BLOCK, NULL);
	assert_ok(gml_account_set(&admin, ns->store,
				  &(struct gml_account){GML_RESTRICT_PUBLIC_BUCKETS}));
	assert_decided(ns, anonymous, AUTH_VERDICT_NONE, "");
	/* Who opened the store's files is bound by nothing. */
	bucket_put(ns, GML_BUCKET_POLICY,
		   "{\"Statement\": {\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": "
		   "\"s3:*\", \"Resource\": \"arn:aws:s3:::bucket/*\"}}");
	assert_decided(ns, anonymous, AUTH_VERDICT_DENY, "policy of bucket bucket");
	assert_decided(ns, admin.principal, AUTH_VERDICT_NONE, "");
	/* Another bucket has none. */
	assert_ok(gml_bucket_create(&admin, ns->store, ns_span("second"), NULL,
				    &(struct gml_bucket){0}));
	assert_int_equal(verdict(ns, anonymous), AUTH_VERDICT_DENY);
	bucket_put(ns, GML_BUCKET_POLICY, NULL);
	assert_decided(ns, anonymous, AUTH_VERDICT_NONE, "");
}

/* ---- actions and resources ---- */

static void test_actions_are_known(void **state)
{
	(void)state;
	for (int i = 1; i < GML_ACTION_COUNT; i++)
		for (int directory = 0; directory < 2; directory++) {
			const char *name = gml_action_name((enum gml_action)i, directory);
			if (auth_action_find(ns_span(name)) == AUTH_ACTION_NONE)
				fail_msg("policies do not know %s", name);
		}
}

static enum auth_verdict verdict_of(struct ns *ns, enum gml_action action, const char *key)
{
	const struct asked asked = {.who = user_named("ann"), .action = action, .key = key};
	struct answer answer;
	assert_ok(ask(ns, &asked, &answer));
	return answer.verdict;
}

static void test_resources(void **state)
{
	static const char buckets[] = "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": "
				      "\"s3:ListAllMyBuckets\", \"Resource\": \"*\"}}";
	static const char prefix[] =
		"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", "
		"\"Action\": \"s3:ListBucket\", \"Resource\": \"arn:aws:s3:::bucket\", "
		"\"Condition\": {\"StringLike\": {\"s3:prefix\": \"home/*\"}}}, {\"Effect\": "
		"\"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": "
		"\"arn:aws:s3:::bucket/home/*\"}]}";
	struct ns *ns = *state;
	struct asked asked = {.who = user_named("ann"), .key = "home/"};
	struct gml_access_question question;
	struct gml_access_held held;
	struct auth_spread spread;
	struct auth_reach reach;
	struct gml_txn *txn;
	bool could;
	user_new(ns, "ann", 1000);
	own_put(ns, &ann, prefix);
	assert_int_equal(verdict_of(ns, GML_ACTION_GET_OBJECT, "home/f"), AUTH_VERDICT_ALLOW);
	assert_int_equal(verdict_of(ns, GML_ACTION_GET_OBJECT, "f"), AUTH_VERDICT_NONE);
	assert_int_equal(verdict_of(ns, GML_ACTION_LIST_OBJECTS, "home/f"), AUTH_VERDICT_ALLOW);
	assert_int_equal(verdict_of(ns, GML_ACTION_READDIR, "home"), AUTH_VERDICT_NONE);
	assert_int_equal(verdict_of(ns, GML_ACTION_LIST_BUCKETS, ""), AUTH_VERDICT_NONE);
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	question = question_of(ns, &asked);
	assert_ok(gml_access_hold(ns->store, txn, &question, &held));
	assert_ok(gml_held_spread(&held, txn, &question, &spread));
	assert_int_equal(spread.allowed, AUTH_TRUE);
	question.key = ns_span("h");
	assert_ok(gml_held_spread(&held, txn, &question, &spread));
	assert_int_equal(spread.allowed, AUTH_MAYBE);
	assert_ok(gml_held_reach(&held, txn, &question, &reach)); /* that key */
	assert_true(!reach.could && !reach.shut);
	question.directory = true;
	assert_ok(gml_held_reach(&held, txn, &question, &reach));
	assert_true(reach.could && !reach.shut);
	question.key = ns_span("x");
	assert_ok(gml_held_spread(&held, txn, &question, &spread));
	assert_int_equal(spread.allowed, AUTH_FALSE);
	assert_ok(gml_held_could(&held, txn, &question, &could));
	assert_false(could);
	question.key = ns_span("");
	assert_ok(gml_held_could(&held, txn, &question, &could));
	assert_true(could);
	gml_access_release(&held);
	asked.who = user_named("bob");
	assert_ok(gml_access_hold(ns->store, txn, &question, &held));
	assert_ok(gml_held_could(&held, txn, &question, &could));
	assert_false(could);
	gml_access_release(&held);
	gml_meta_read_end(txn);
	own_put(ns, &ann, buckets);
	assert_int_equal(verdict_of(ns, GML_ACTION_LIST_BUCKETS, ""), AUTH_VERDICT_ALLOW);
}

/* ---- conditions ---- */

static size_t stated(void *arg, struct gml_span key, struct gml_span *values, size_t max)
{
	static const char *const tags[] = {"a", "b"};
	(void)arg;
	assert_true(max > 2);
	if (key.len == strlen("s3:x-amz-acl") && memcmp(key.ptr, "s3:x-amz-acl", key.len) == 0)
		values[0] = ns_span("private");
	else if (key.len == strlen("s3:RequestObjectTagKeys"))
		for (size_t i = 0; i < 2; i++)
			values[i] = ns_span(tags[i]);
	else if (key.len == strlen("aws:UserAgent"))
		return 1000; /* more than there is room for */
	else
		return 0;
	return key.len == strlen("s3:RequestObjectTagKeys") ? 2 : 1;
}

static void test_conditions(void **state)
{
	static const struct {
		const char *document;
		bool s3, nfs; /* allowed over S3, over NFS */
	} cases[] = {
		{WHEN("IpAddress", "aws:SourceIp", "\"10.1.0.0/16\""), true, false},
		{WHEN("IpAddress", "aws:SourceIp", "\"2001:db8::/32\""), false, true},
		{WHEN("Bool", "aws:SecureTransport", "\"true\""), true, false},
		{WHEN("DateGreaterThan", "aws:CurrentTime", "\"2020-01-01T00:00:00Z\""), true,
		 true},
		{WHEN("DateLessThan", "aws:CurrentTime", "\"2020-01-01T00:00:00Z\""), false, false},
		{WHEN("NumericGreaterThan", "aws:EpochTime", "\"1600000000\""), true, true},
		/* temporary credentials have it only */
		{WHEN("Bool", "aws:MultiFactorAuthPresent", "\"false\""), false, false},
		{WHEN("BoolIfExists", "aws:MultiFactorAuthPresent", "\"false\""), true, true},
		{WHEN("Null", "aws:MultiFactorAuthPresent", "\"true\""), true, true},
		{WHEN("StringEquals", "aws:PrincipalTag/STAGE", "\"one\""), true, true},
		{WHEN("StringEquals", "aws:PrincipalTag/none", "\"one\""), false, false},
		{WHEN("StringEquals", "aws:username", "\"ann\""), true, true},
		{WHEN("StringLike", "aws:userid", "\"AIDA*\""), true, true},
		{WHEN("StringEquals", "s3:authType", "\"REST-HEADER\""), true, false},
		{WHEN("StringEquals", "s3:signatureversion", "\"AWS4-HMAC-SHA256\""), true, false},
		{WHEN("StringEquals", "gemel:Door", "\"s3\""), true, false},
		{WHEN("StringEquals", "gemel:Door", "\"nfs\""), false, true},
		{WHEN("StringEquals", "gemel:NfsSecurity", "\"sys\""), false, true},
		{WHEN("StringEquals", "s3:ExistingObjectTag/colour", "\"blue\""), true, true},
		{WHEN("StringEquals", "s3:ExistingObjectTag/Colour", "\"red\""), false, false},
		{WHEN("StringEquals", "s3:ResourceAccount", "\"000000000000\""), true, true},
		{WHEN("StringEquals", "s3:x-amz-acl", "\"private\""), true, false},
		{WHEN("ForAllValues:StringEquals", "s3:RequestObjectTagKeys", "[\"a\", \"b\"]"),
		 true, true},
		{WHEN("ForAllValues:StringEquals", "s3:RequestObjectTagKeys", "\"a\""), false,
		 true},
		{WHEN("StringLike", "aws:UserAgent", "\"*\""), false, false},
	};
	struct gml_meta_pair tag = {ns_span("Stage"), ns_span("one")};
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "content");
	struct gml_inode inode;
	struct asked s3 = {.who = user_named("ann"),
			   .context = {.protocol = GML_PROTOCOL_S3,
				       .secure = true,
				       .source_len = 4,
				       .source = {10, 1, 2, 3},
				       .condition = stated},
			   .inode = &inode};
	struct asked nfs = {.who = user_numbered(1000),
			    .context = {.protocol = GML_PROTOCOL_NFS,
					.source_len = 16,
					.source = {0x20, 0x01, 0x0d, 0xb8}},
			    .inode = &inode};
	user_new(ns, "ann", 1000);
	assert_ok(gml_tags_set(&admin, ns->store, &ann, &tag, 1));
	assert_ok(gml_xattr_set(&ns->op, ns->store, f, ns_span("user.s3.tag.Colour"),
				ns_span("blue"), GML_XATTR_EITHER));
	inode = ns_record(ns, f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct answer a, b;
		own_put(ns, &ann, cases[i].document);
		assert_ok(ask(ns, &s3, &a));
		assert_ok(ask(ns, &nfs, &b));
		if ((a.verdict == AUTH_VERDICT_ALLOW) != cases[i].s3 ||
		    (b.verdict == AUTH_VERDICT_ALLOW) != cases[i].nfs)
			fail_msg("%s: S3 %d, NFS %d", cases[i].document, a.verdict, b.verdict);
	}
}

/* ---- transactions ---- */

struct in_closure {
	struct ns *ns;
	struct gml_access_change access;
	struct answer before, after;
	int rc;
};

/* A decision, a change, and a decision after it, in one write transaction. */
static int closure_fn(struct gml_txn *txn, void *arg)
{
	struct in_closure *in = arg;
	const struct asked asked = {.who = user_named("ann")};
	const struct gml_access_question question = question_of(in->ns, &asked);
	const struct gml_rec_identity who = {GML_IDENTITY_USER, ns_span("ann")};
	in->rc = decide(in->ns->store, txn, &question, &in->before);
	gml_access_change_begin(&in->access);
	if (in->rc == 0)
		in->rc = gml_rec_inline_put(txn, &who, ns_span("own"), ns_span(DENY));
	if (in->rc == 0)
		in->rc = decide(in->ns->store, txn, &question, &in->after);
	return in->rc != 0 ? in->rc : GML_ERR_CORRUPT; /* as if a record were damaged */
}

static void test_in_a_closure(void **state)
{
	struct in_closure in = {.ns = *state, .access.store = ((struct ns *)*state)->store};
	user_new(in.ns, "ann", 1000);
	own_put(in.ns, &ann, ALLOW);
	assert_rc(gml_access_change_commit(&in.access, closure_fn, &in), GML_ERR_CORRUPT);
	assert_int_equal(in.before.verdict, AUTH_VERDICT_ALLOW);
	assert_int_equal(in.after.verdict, AUTH_VERDICT_DENY);
	/* It did not happen, and nothing of it is remembered. */
	assert_decided(in.ns, user_named("ann"), AUTH_VERDICT_ALLOW, "own policy own of user ann");
}

/* A snapshot that is older than the last change does not bring back what was. */
static void test_old_snapshot(void **state)
{
	const struct asked asked = {.who = user_named("ann")};
	struct ns *ns = *state;
	const struct gml_access_question question = question_of(ns, &asked);
	struct answer answer;
	struct gml_txn *old;
	user_new(ns, "ann", 1000);
	own_put(ns, &ann, ALLOW);
	assert_ok(gml_meta_read_begin(ns->store->meta, &old));
	own_put(ns, &ann, DENY);
	assert_ok(decide(ns->store, old, &question, &answer));
	assert_int_equal(answer.verdict, AUTH_VERDICT_DENY);
	gml_meta_read_end(old);
	assert_int_equal(verdict(ns, user_named("ann")), AUTH_VERDICT_DENY);
}

/* While a change is on its way, or its process died, each question reads. */
static void test_not_settled(void **state)
{
	struct ns *ns = *state;
	struct in_closure in = {.ns = ns, .access.store = ns->store};
	uint64_t reads;
	user_new(ns, "ann", 1000);
	own_put(ns, &ann, ALLOW);
	assert_remembered(ns, user_named("ann"));
	assert_rc(gml_meta_update(ns->store->meta, closure_fn, &in), GML_ERR_CORRUPT);
	reads = snapshots(ns);
	assert_int_equal(verdict(ns, user_named("ann")), AUTH_VERDICT_ALLOW);
	assert_int_equal(verdict(ns, user_named("ann")), AUTH_VERDICT_ALLOW);
	assert_true(snapshots(ns) > reads + 2);
	assert_ok(gml_access_epoch_resolve(ns->store));
	assert_remembered(ns, user_named("ann"));
}

static int damage_fn(struct gml_txn *txn, void *arg)
{
	const struct gml_rec_identity who = {GML_IDENTITY_USER, ns_span("ann")};
	return gml_rec_inline_put(txn, &who, ns_span("own"), ns_span(arg));
}

/* What cannot be read allows nothing, and is said. */
static void test_damage(void **state)
{
	const struct asked asked = {.who = user_named("ann")};
	struct answer answer;
	struct ns *ns = *state;
	user_new(ns, "ann", 1000);
	user_new(ns, "bob", 1001);
	assert_ok(gml_meta_update(ns->store->meta, damage_fn, "{}"));
	assert_rc(ask(ns, &asked, &answer), GML_ERR_CORRUPT);
	assert_int_equal(answer.verdict, AUTH_VERDICT_NONE);
	assert_int_equal(verdict(ns, user_named("bob")), AUTH_VERDICT_NONE);
	assert_ok(gml_meta_update(ns->store->meta, damage_fn, ALLOW));
	assert_int_equal(verdict(ns, user_named("ann")), AUTH_VERDICT_ALLOW);
}

/* ---- another process ---- */

/* Sets ann's policy as it is told, and says when it has. */
static void other_process(const char *path, int in, int out)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	struct gml_store *store;
	char deny;
	if (gml_store_open(path, &opt, &store) != 0)
		_exit(1);
	while (read(in, &deny, 1) == 1) {
		deny = (char)gml_policy_inline_put(&admin, store, &ann, "own",
						   ns_span(deny ? DENY : ALLOW));
		if (write(out, &deny, 1) != 1)
			_exit(2);
	}
	gml_store_close(store);
	_exit(0);
}

static void test_other_process(void **state)
{
	struct ns *ns = *state;
	int in[2], out[2], status;
	pid_t pid;
	user_new(ns, "ann", 1000);
	ns_close(ns);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(in[1]);
		close(out[0]);
		other_process(ns->path, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	ns_open(ns);
	assert_int_equal(verdict(ns, user_named("ann")), AUTH_VERDICT_NONE);
	for (int i = 0; i < 50; i++) {
		char deny = (char)(i % 2), rc = 1;
		assert_int_equal(write(in[1], &deny, 1), 1);
		assert_int_equal(read(out[0], &rc, 1), 1);
		assert_int_equal(rc, 0);
		assert_int_equal(verdict(ns, user_named("ann")),
				 i % 2 ? AUTH_VERDICT_DENY : AUTH_VERDICT_ALLOW);
	}
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out[0]);
}

/* ---- threads ---- */

struct watch {
	struct ns *ns;
	/* Twice the number of the last change, and 1 if it denies; -1: one is on its way. A thread
	 * that slept through two changes sees another number. */
	_Atomic int denied;
	_Atomic bool stop, wrong;
	_Atomic unsigned looks;
};

static void *watch_run(void *arg)
{
	struct watch *watch = arg;
	while (!atomic_load(&watch->stop)) {
		int before = atomic_load(&watch->denied);
		const struct asked asked = {.who = user_named("ann")};
		const struct gml_access_question question = question_of(watch->ns, &asked);
		struct answer answer = {.verdict = AUTH_VERDICT_NONE};
		struct gml_txn *txn;
		enum auth_verdict want = before & 1 ? AUTH_VERDICT_DENY : AUTH_VERDICT_ALLOW;
		int rc = gml_meta_read_begin(watch->ns->store->meta, &txn);
		if (rc == 0)
			rc = decide(watch->ns->store, txn, &question, &answer);
		gml_meta_read_end(txn);
		if (rc != 0 || (before >= 0 && atomic_load(&watch->denied) == before &&
				answer.verdict != want))
			atomic_store(&watch->wrong, true);
		atomic_fetch_add(&watch->looks, 1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	static struct watch watch; /* outlives a failed test, as its threads may */
	struct ns *ns = *state;
	pthread_t threads[3];
	watch.ns = ns;
	user_new(ns, "ann", 1000);
	own_put(ns, &ann, ALLOW);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, watch_run, &watch), 0);
	for (int i = 0; i < 200; i++) {
		unsigned seen = atomic_load(&watch.looks);
		atomic_store(&watch.denied, -1);
		own_put(ns, &ann, i % 2 == 0 ? DENY : ALLOW);
		atomic_store(&watch.denied, 2 * i + 2 + (i % 2 == 0));
		while (atomic_load(&watch.looks) < seen + 6)
			sched_yield();
	}
	atomic_store(&watch.stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_false(atomic_load(&watch.wrong));
}

/* ---- what is remembered ---- */

static struct access_key key_of(unsigned number)
{
	struct access_key key = {.len = 1 + sizeof(number)};
	key.bytes[0] = ACCESS_USER;
	memcpy(key.bytes + 1, &number, sizeof(number));
	return key;
}

static bool known(struct gml_access *access, unsigned number, uint64_t now)
{
	struct access_key key = key_of(number);
	struct access_entry *entry = gml_access_find(access, &key, now);
	gml_access_entry_unref(entry);
	return entry != NULL;
}

static void install(struct gml_access *access, unsigned number, uint64_t asof, size_t bytes)
{
	struct access_key key = key_of(number);
	struct access_entry *entry = gml_access_entry_new(&key);
	assert_non_null(entry);
	entry->asof = asof;
	entry->bytes = bytes;
	gml_access_install(access, entry);
	gml_access_entry_unref(entry);
}

static void test_room(void **state)
{
	const size_t mib = (size_t)1 << 20, most = GML_ACCESS_BYTES / ((size_t)1 << 20);
	struct gml_access *access;
	unsigned left = 0;
	(void)state;
	assert_ok(gml_access_new(&access));
	install(access, 0, 1, mib);
	for (unsigned i = 1; i < 20 * most; i++) {
		install(access, i, 1, mib);
		assert_true(known(access, i, 1));
		if (i % (most / 8) == 0) /* asked for now and then */
			(void)known(access, 0, 1);
	}
	assert_true(gml_access_size(access) <= GML_ACCESS_BYTES);
	for (unsigned i = 0; i < 20 * most; i++)
		left += known(access, i, 1);
	assert_int_equal(left, gml_access_size(access) / mib);
	assert_int_equal(left, most);
	/* Of another epoch: not known, and replaced; never by an older one. */
	assert_false(known(access, 20 * (unsigned)most - 1, 2));
	install(access, 7, 3, 100);
	install(access, 7, 2, 100);
	assert_true(known(access, 7, 3));
	assert_false(known(access, 7, 2));
	/* Larger than what may be remembered of one. */
	install(access, 8, 3, GML_ACCESS_BYTES / 4 + 1);
	assert_false(known(access, 8, 3));
	gml_access_free(access);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_nobody),
		T(test_user),
		T(test_boundary),
		T(test_bucket),
		cmocka_unit_test(test_actions_are_known),
		T(test_resources),
		T(test_conditions),
		T(test_in_a_closure),
		T(test_old_snapshot),
		T(test_not_settled),
		T(test_damage),
		T(test_other_process),
		T(test_threads),
		cmocka_unit_test(test_room),
	};
	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
