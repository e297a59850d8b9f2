// SPDX-License-Identifier: Apache-2.0
/* Sets of policies: what they decide is what their policies decide one by one, and what they say
 * about everything below a prefix is true of each key. Prints what a decision costs. */
#include "tests/unit/policy_support.h"

#include <time.h>

#define POLICIES_MAX 6
#define ONE(set) ((const struct auth_policy_set *const[]){set}), 1

static struct auth_policy_set *set_of(struct auth_policy **policies, size_t count)
{
	struct auth_policy_source sources[POLICIES_MAX] = {{0}};
	char names[POLICIES_MAX][32];
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "policy %zu", i);
		sources[i] = (struct auth_policy_source){policies[i], names[i]};
	}
	struct auth_policy_set *set = auth_policy_set_new(sources, count);
	assert_non_null(set);
	for (size_t i = 0; i < count; i++)
		auth_policy_unref(policies[i]);
	return set;
}

static struct auth_policy_set *set_one(enum auth_policy_kind kind, const char *document)
{
	return set_of(&(struct auth_policy *){support_policy(kind, document)}, 1);
}

static const char set_statement[] = "{'Version':'2012-10-17','Statement':[{%s}]}";

static struct auth_policy_set *set_with(const char *statements)
{
	char document[8192];
	assert_true(strlen(statements) < sizeof(document) - 64);
	snprintf(document, sizeof(document), set_statement, statements);
	return set_one(AUTH_POLICY_IDENTITY, document);
}

/* AWS's own example (User Guide, "Example identity-based and resource-based policy evaluation"). */
static void sets_join_as_documented(void **state)
{
	struct auth_policy *policies[] = {
		support_policy(AUTH_POLICY_IDENTITY,
			       "{'Version':'2012-10-17','Statement':[{'Sid':'AllowS3ListRead',"
			       "'Effect':'Allow','Action':['s3:GetBucketLocation',"
			       "'s3:ListAllMyBuckets'],'Resource':'arn:aws:s3:::*'},"
			       "{'Sid':'AllowS3Self','Effect':'Allow','Action':'s3:*','Resource':"
			       "['arn:aws:s3:::ann/*','arn:aws:s3:::ann']},"
			       "{'Sid':'DenyS3Logs','Effect':'Deny','Action':'s3:*','Resource':"
			       "'arn:aws:s3:::*log*'}]}"),
		support_policy(AUTH_POLICY_BUCKET,
			       "{'Version':'2012-10-17','Statement':[{'Effect':'Allow','Principal':"
			       "{'AWS':'" ANN_ARN "'},'Action':'s3:*','Resource':"
			       "['arn:aws:s3:::shared/*','arn:aws:s3:::shared']}]}"),
	};
	struct auth_policy_set *set = set_of(policies, 2);
	static const struct {
		const char *action, *resource;
		enum auth_verdict verdict;
		const char *sid, *origin;
	} table[] = {
		{"s3:ListAllMyBuckets", "arn:aws:s3:::*", AUTH_VERDICT_ALLOW, "AllowS3ListRead",
		 "policy 0"},
		{"s3:PutObject", "arn:aws:s3:::ann/k", AUTH_VERDICT_ALLOW, "AllowS3Self",
		 "policy 0"},
		{"s3:PutObject", "arn:aws:s3:::ann-logs/k", AUTH_VERDICT_DENY, "DenyS3Logs",
		 "policy 0"},
		{"s3:PutObject", "arn:aws:s3:::ann/my.log", AUTH_VERDICT_DENY, "DenyS3Logs",
		 "policy 0"},
		{"s3:PutObject", "arn:aws:s3:::shared/k", AUTH_VERDICT_ALLOW, "", "policy 1"},
		{"s3:PutObject", "arn:aws:s3:::other/k", AUTH_VERDICT_NONE, "", NULL},
		{"iam:GetUser", "arn:aws:iam::000000000000:user/ann", AUTH_VERDICT_NONE, "", NULL},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct support_context context = {.lines = ""};
		struct auth_access access =
			support_access(&support_ann, table[i].action, table[i].resource, &context);
		struct auth_decision decision = auth_policy_evaluate(ONE(set), &access);
		assert_int_equal(decision.verdict, table[i].verdict);
		assert_true(gml_span_is(decision.sid, table[i].sid));
		assert_int_equal(decision.statement >= 0, decision.origin != NULL);
		if (table[i].origin != NULL)
			assert_string_equal(decision.origin, table[i].origin);
		else
			assert_null(decision.origin);
	}
	auth_policy_set_free(set);
}

/* Caps: of each kind that is there, one policy must allow; a bucket's grant is capped as well. */
static void caps_hold_for_every_grant(void **state)
{
	static const char all[] = "{'Statement':{'Effect':'Allow','Action':'s3:*','Resource':'*'}}",
			  get[] = "{'Statement':{'Effect':'Allow','Action':'s3:Get*',"
				  "'Resource':'*'}}",
			  put[] = "{'Statement':{'Effect':'Allow','Action':'s3:Put*',"
				  "'Resource':'*'}}",
			  no[] = "{'Statement':{'Effect':'Deny','Action':'s3:*','Resource':'*'}}",
			  bucket[] = "{'Statement':{'Effect':'Allow','Principal':'*','Action':"
				     "'s3:*','Resource':'*'}}";
	static const struct {
		struct {
			enum auth_policy_kind kind;
			const char *document;
		} policies[4];
		enum auth_verdict verdict; /* of s3:GetObject */
		enum auth_policy_kind decided;
	} table[] = {
		{{{AUTH_POLICY_IDENTITY, all}}, AUTH_VERDICT_ALLOW, AUTH_POLICY_IDENTITY},
		{{{AUTH_POLICY_IDENTITY, all}, {AUTH_POLICY_BOUNDARY, get}},
		 AUTH_VERDICT_ALLOW,
		 AUTH_POLICY_IDENTITY},
		{{{AUTH_POLICY_IDENTITY, all}, {AUTH_POLICY_BOUNDARY, put}},
		 AUTH_VERDICT_CAPPED,
		 AUTH_POLICY_BOUNDARY},
		{{{AUTH_POLICY_BUCKET, bucket}, {AUTH_POLICY_SESSION, put}},
		 AUTH_VERDICT_CAPPED,
		 AUTH_POLICY_SESSION},
		{{{AUTH_POLICY_BUCKET, bucket}, {AUTH_POLICY_KEY, put}},
		 AUTH_VERDICT_CAPPED,
		 AUTH_POLICY_KEY},
		{{{AUTH_POLICY_BUCKET, bucket},
		  {AUTH_POLICY_SESSION, put},
		  {AUTH_POLICY_SESSION, get}},
		 AUTH_VERDICT_ALLOW,
		 AUTH_POLICY_BUCKET},
		{{{AUTH_POLICY_BUCKET, bucket}, {AUTH_POLICY_SESSION, get}, {AUTH_POLICY_KEY, put}},
		 AUTH_VERDICT_CAPPED,
		 AUTH_POLICY_KEY},
		{{{AUTH_POLICY_BOUNDARY, all}, {AUTH_POLICY_SESSION, all}},
		 AUTH_VERDICT_NONE,
		 AUTH_POLICY_IDENTITY},
		{{{AUTH_POLICY_BUCKET, bucket}, {AUTH_POLICY_BOUNDARY, no}},
		 AUTH_VERDICT_DENY,
		 AUTH_POLICY_BOUNDARY},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct auth_policy *policies[4];
		const struct auth_policy_set *sets[4];
		struct support_context context = {.lines = ""};
		struct auth_access access =
			support_access(&support_ann, "s3:GetObject", "arn:aws:s3:::b/k", &context);
		size_t count = 0;
		for (; count < 4 && table[i].policies[count].document != NULL; count++) {
			policies[count] = support_policy(table[i].policies[count].kind,
							 table[i].policies[count].document);
			sets[count] = set_one(table[i].policies[count].kind,
					      table[i].policies[count].document);
		}
		struct auth_policy_set *set = set_of(policies, count);
		struct auth_decision together = auth_policy_evaluate(ONE(set), &access),
				     apart = auth_policy_evaluate(sets, count, &access);
		assert_int_equal(together.verdict, table[i].verdict);
		assert_int_equal(apart.verdict, table[i].verdict);
		if (table[i].verdict != AUTH_VERDICT_NONE) {
			assert_int_equal(together.kind, table[i].decided);
			assert_int_equal(apart.kind, table[i].decided);
		}
		auth_policy_set_free(set);
		for (size_t j = 0; j < count; j++)
			auth_policy_set_free((struct auth_policy_set *)sets[j]);
	}
}

static void nothing_decides_nothing(void **state)
{
	struct auth_policy_set *set = set_of(NULL, 0);
	struct auth_access access =
		support_access(&support_ann, "s3:GetObject", "arn:aws:s3:::b/k", NULL);
	assert_true(auth_policy_set_is_empty(set));
	assert_int_equal(auth_policy_set_needs(set), 0);
	assert_int_equal(auth_policy_evaluate(ONE(set), &access).verdict, AUTH_VERDICT_NONE);
	assert_int_equal(auth_policy_evaluate(NULL, 0, &access).verdict, AUTH_VERDICT_NONE);
	assert_int_equal(auth_policy_below(ONE(set), &access, GML_LIT("b"), GML_LIT("")),
			 AUTH_BELOW_NONE);
	assert_false(auth_policy_could(ONE(set), &access, GML_LIT("b"), GML_LIT("")));
	auth_policy_set_free(set);
	auth_policy_set_free(NULL);
}

#define ALLOW(resource) "'Effect':'Allow','Action':'s3:GetObject','Resource':" resource
#define DENY(resource) "'Effect':'Deny','Action':'s3:GetObject','Resource':" resource
#define AND "},{"

/* What should be known without looking at keys. */
static void below_knows_what_it_should(void **state)
{
	static const struct {
		const char *statements, *bucket, *prefix;
		enum auth_below below;
	} table[] = {
		{ALLOW("'arn:aws:s3:::b/*'"), "b", "", AUTH_BELOW_ALL},
		{ALLOW("'*'"), "b", "a/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b*'"), "b", "a/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b/a/*'"), "b", "a/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b/a/*'"), "b", "a/b/c/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b/a/*'"), "b", "", AUTH_BELOW_DEPENDS},
		{ALLOW("'arn:aws:s3:::b/a/*'"), "b", "b/", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/a/*'"), "c", "a/", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/a/x'"), "b", "a/", AUTH_BELOW_DEPENDS},
		{ALLOW("'arn:aws:s3:*:*:b/*'"), "b", "a/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:*:*:c/*'"), "b", "a/", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/a/x'"), "b", "a/x/", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/*/x'"), "b", "a/", AUTH_BELOW_DEPENDS},
		{ALLOW("'arn:aws:s3:::b/?/*'"), "b", "a/", AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b/?/*'"), "b", "aa/", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b'"), "b", "", AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/home/${aws:username}/*'"), "b", "home/ann/",
		 AUTH_BELOW_ALL},
		{ALLOW("'arn:aws:s3:::b/home/${aws:username}/*'"), "b", "home/bob/",
		 AUTH_BELOW_NONE},
		{ALLOW("'arn:aws:s3:::b/home/${aws:username}/*'"), "b", "home/",
		 AUTH_BELOW_DEPENDS},
		{ALLOW("'*'") AND DENY("'arn:aws:s3:::b/a/*'"), "b", "a/", AUTH_BELOW_NONE},
		{ALLOW("'*'") AND DENY("'arn:aws:s3:::b/a/*'"), "b", "", AUTH_BELOW_DEPENDS},
		{ALLOW("'*'") AND DENY("'arn:aws:s3:::b/a/*'"), "b", "b/", AUTH_BELOW_ALL},
		{ALLOW("'*'") AND DENY("'arn:aws:s3:::b/*.tmp'"), "b", "b/", AUTH_BELOW_DEPENDS},
		{"'Effect':'Allow','Action':'s3:GetObject','NotResource':'arn:aws:s3:::b/a/*'", "b",
		 "b/", AUTH_BELOW_ALL},
		{"'Effect':'Allow','Action':'s3:GetObject','NotResource':'arn:aws:s3:::b/a/*'", "b",
		 "a/", AUTH_BELOW_NONE},
		{"'Effect':'Allow','Action':'s3:GetObject','NotResource':'arn:aws:s3:::b/a/*'", "b",
		 "", AUTH_BELOW_DEPENDS},
		{"'Effect':'Allow','NotAction':'s3:PutObject','Resource':'*'", "b", "",
		 AUTH_BELOW_ALL},
		{"'Effect':'Allow','Action':'s3:PutObject','Resource':'*'", "b", "",
		 AUTH_BELOW_NONE},
		/* what the request says is known, what objects have is not */
		{ALLOW("'*','Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}"), "b", "",
		 AUTH_BELOW_ALL},
		{ALLOW("'*','Condition':{'IpAddress':{'aws:SourceIp':'11.0.0.0/8'}}"), "b", "",
		 AUTH_BELOW_NONE},
		{ALLOW("'*','Condition':{'StringEquals':{'s3:ExistingObjectTag/t':'x'}}"), "b", "",
		 AUTH_BELOW_DEPENDS},
		{ALLOW("'*'") AND DENY(
			 "'*','Condition':{'StringEquals':{'s3:ExistingObjectTag/t':'x'}}"),
		 "b", "", AUTH_BELOW_DEPENDS},
		{ALLOW("'arn:aws:s3:::b/${s3:ExistingObjectTag/t}/*'"), "b", "a/",
		 AUTH_BELOW_DEPENDS},
		{ALLOW("'*','Condition':{'StringEquals':{'s3:ExistingObjectTag/t':'x'},"
		       "'Bool':{'aws:SecureTransport':'true'}}"),
		 "b", "", AUTH_BELOW_NONE},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct auth_policy_set *set = set_with(table[i].statements);
		struct support_context context = {
			.lines = "aws:SourceIp=10.1.2.3\naws:SecureTransport=false"};
		struct auth_access access =
			support_access(&support_ann, "s3:GetObject", "", &context);
		enum auth_below below =
			auth_policy_below(ONE(set), &access, gml_span_text(table[i].bucket),
					  gml_span_text(table[i].prefix));
		if (below != table[i].below)
			fail_msg("%s: below '%s/%s': %d", table[i].statements, table[i].bucket,
				 table[i].prefix, (int)below);
		/* Without values nothing about the request is known. */
		access.values = NULL;
		enum auth_below unknown =
			auth_policy_below(ONE(set), &access, gml_span_text(table[i].bucket),
					  gml_span_text(table[i].prefix));
		if (unknown != below && unknown != AUTH_BELOW_DEPENDS)
			fail_msg("%s: without values: %d", table[i].statements, (int)unknown);
		auth_policy_set_free(set);
	}
}

static void what_could_be_used(void **state)
{
	/* the bucket b, what is below x/ in it, the bucket log */
	static const struct {
		const char *statements;
		bool b, x, log;
	} table[] = {
		{ALLOW("'*'"), true, true, true},
		{ALLOW("'arn:aws:s3:::b/x/y'"), true, true, false},
		{ALLOW("'arn:aws:s3:::b/y/x'"), true, false, false},
		{ALLOW("'arn:aws:s3:::b'"), false, false,
		 false}, /* neither an object nor an action on it */
		{"'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b'", true,
		 false, false},
		{"'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b/*'", false,
		 false, false},
		{"'Effect':'Allow','Action':'iam:*','Resource':'*'", false, false, false},
		{"'Effect':'Allow','Action':'s3:*','Resource':'*'" AND
		 "'Effect':'Deny','Action':'s3:*','Resource':['arn:aws:s3:::*log*','arn:aws:s3:::b/"
		 "x/*']",
		 true, false, false},
		{"'Effect':'Allow','Action':'s3:*','Resource':'*'" AND
		 "'Effect':'Deny','NotAction':'s3:GetBucketTagging','Resource':'arn:aws:s3:::*'",
		 true, false, true},
		{"'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::${aws:PrincipalTag/"
		 "t}*'",
		 true, true, true},
		{"'Effect':'Allow','Action':'s3:*','Resource':'*','Condition':{'IpAddress':"
		 "{'aws:SourceIp':'10.0.0.0/8'}}",
		 true, true, true},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct auth_policy_set *set = set_with(table[i].statements);
		struct auth_access access = {.principal = &support_ann};
		if (auth_policy_could(ONE(set), &access, GML_LIT("b"), GML_LIT("")) != table[i].b ||
		    auth_policy_could(ONE(set), &access, GML_LIT("b"), GML_LIT("x/")) !=
			    table[i].x ||
		    auth_policy_could(ONE(set), &access, GML_LIT("log"), GML_LIT("")) !=
			    table[i].log)
			fail_msg("%s", table[i].statements);
		auth_policy_set_free(set);
	}
}

/* Paths over NFS may be longer than keys of S3: nothing is said of them that could be wrong. */
static void names_have_limits(void **state)
{
	struct auth_policy_set *set = set_with(ALLOW("'*'") AND DENY("'arn:aws:s3:::b/secret/*'"));
	struct auth_access access = {.principal = &support_ann,
				     .action = auth_action_find(GML_LIT("s3:GetObject"))};
	char longer[2 * GML_KEY_MAX], arn[3 * GML_KEY_MAX];
	size_t fits = 13 + GML_BUCKET_NAME_MAX + 1 + GML_KEY_MAX;
	memset(longer, 'a', sizeof(longer));
	struct gml_span key = gml_span_of(longer, sizeof(longer)),
			most = gml_span_of(longer, GML_KEY_MAX),
			bucket = gml_span_of(longer, GML_BUCKET_NAME_MAX);
	assert_int_equal(auth_policy_below(ONE(set), &access, GML_LIT("b"), most), AUTH_BELOW_ALL);
	assert_int_equal(auth_policy_below(ONE(set), &access, GML_LIT("b"), key),
			 AUTH_BELOW_DEPENDS);
	assert_true(auth_policy_could(ONE(set), &access, GML_LIT("b"), key));
	assert_int_equal(fits, AUTH_ARN_MAX);
	assert_int_equal(auth_access_arn(arn, fits, bucket, true, most).len, fits);
	assert_int_equal(auth_access_arn(arn, fits - 1, bucket, true, most).len, 0);
	assert_int_equal(auth_access_arn(arn, 13, bucket, false, most).len, 0);
	assert_true(
		gml_span_is(auth_access_arn(arn, 14, GML_LIT("b"), false, key), "arn:aws:s3:::b"));
	memcpy(longer, "secret/", 7);
	access.resource = auth_access_arn(arn, sizeof(arn), GML_LIT("b"), true, key);
	assert_int_equal(auth_policy_evaluate(ONE(set), &access).verdict, AUTH_VERDICT_DENY);
	access.resource = auth_access_arn(arn, 100, GML_LIT("b"), true, key);
	struct auth_decision decision = auth_policy_evaluate(ONE(set), &access);
	assert_int_equal(decision.verdict, AUTH_VERDICT_DENY);
	assert_null(decision.origin);
	auth_policy_set_free(set);
}

/* Random policies over few names, so that much matches. */
static const char *const random_actions[] = {
	"'s3:GetObject'", "'s3:Get*'",	    "'s3:*'", "['s3:PutObject','s3:GetObject']", "'*'",
	"'s3:?utObject'", "'s3:ListBucket'"};
static const char *const random_conditions[] = {
	"",
	"",
	"",
	"",
	",'Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}",
	",'Condition':{'Bool':{'aws:SecureTransport':'true'}}",
	",'Condition':{'StringEquals':{'s3:ExistingObjectTag/t':'x'}}",
	",'Condition':{'StringNotEquals':{'s3:ExistingObjectTag/t':'x'}}",
	",'Condition':{'StringEqualsIfExists':{'s3:ExistingObjectTag/t':'${aws:username}'}}",
	",'Condition':{'Null':{'s3:ExistingObjectTag/t':'true'}}",
	",'Condition':{'ForAnyValue:StringLike':{'s3:ExistingObjectTag/t':['a*','x']}}",
};
static const char *const random_principals[] = {
	"'Principal':'*'", "'Principal':{'AWS':'" ANN_ARN "'}", "'Principal':{'AWS':'" LAB_ARN "'}",
	"'NotPrincipal':{'AWS':'" ANN_ARN "'}", "'Principal':{'AWS':'000000000000'}"};
#define PICK(seed, table) table[support_random(seed, sizeof(table) / sizeof((table)[0]))]

static char *random_resource(uint64_t *seed, char *at)
{
	static const char *const pieces[] = {
		"a", "b", "/", "a/", "*", "?", "${aws:username}", "${s3:ExistingObjectTag/t}"};
	if (support_random(seed, 8) == 0)
		return stpcpy(at, "'*'");
	at = stpcpy(at, support_random(seed, 8) == 0 ? "'arn:aws:s3:*:*:" : "'arn:aws:s3:::");
	at = stpcpy(at, support_random(seed, 3) > 0 ? "b/" : "");
	for (uint32_t n = support_random(seed, 4); n > 0; n--)
		at = stpcpy(at, PICK(seed, pieces));
	return stpcpy(at, support_random(seed, 2) ? "*'" : "'");
}

static struct auth_policy *random_policy(uint64_t *seed, enum auth_policy_kind kind)
{
	char document[8192];
	char *at = stpcpy(document, "{'Version':'2012-10-17','Statement':[");
	uint32_t count = 1 + support_random(seed, 3);
	for (uint32_t i = 0; i < count; i++) {
		bool array = support_random(seed, 3) == 0, deny = support_random(seed, 4) == 0;
		at = stpcpy(at, i > 0 ? ",{" : "{");
		if (kind == AUTH_POLICY_BUCKET) {
			const char *principal = PICK(seed, random_principals);
			at += sprintf(at, "%s,", principal);
			deny = deny || principal[1] == 'N'; /* it cannot allow */
		}
		at += sprintf(at, "'Effect':'%s',", deny ? "Deny" : "Allow");
		at += sprintf(
			at, "'%s':%s,'%s':%s", support_random(seed, 6) ? "Action" : "NotAction",
			PICK(seed, random_actions),
			support_random(seed, 5) ? "Resource" : "NotResource", array ? "[" : "");
		at = random_resource(seed, at);
		if (array)
			at = stpcpy(random_resource(seed, stpcpy(at, ",")), "]");
		at = stpcpy(stpcpy(at, PICK(seed, random_conditions)), "}");
	}
	strcpy(at, "]}");
	struct auth_policy_error error;
	struct auth_policy *policy;
	for (at = document; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	/* Actions that do not fit the resources are refused in a bucket's policy. */
	if (!auth_policy_parse(kind, gml_span_text(document), gml_span_of(NULL, 0), &policy,
			       &error))
		return support_policy(kind, kind == AUTH_POLICY_BUCKET
						    ? "{'Statement':{'Effect':'Allow','Principal':"
						      "'*','Action':'s3:*','Resource':'*'}}"
						    : "");
	return policy;
}

/* What the policies say, joined as set.h has it. */
static enum auth_verdict joined(struct auth_policy **policies, size_t count,
				const struct auth_access *access)
{
	bool present[AUTH_POLICY_TRUST] = {false}, allows[AUTH_POLICY_TRUST] = {false};
	for (size_t i = 0; i < count; i++) {
		enum auth_policy_kind kind = auth_policy_kind(policies[i]);
		enum auth_effect effect = auth_policy_decide(policies[i], access, NULL);
		if (effect == AUTH_EFFECT_DENY)
			return AUTH_VERDICT_DENY;
		present[kind] = true;
		allows[kind] |= effect == AUTH_EFFECT_ALLOW;
	}
	for (int kind = AUTH_POLICY_BOUNDARY; kind < AUTH_POLICY_TRUST; kind++)
		if (present[kind] && !allows[kind])
			return AUTH_VERDICT_CAPPED;
	return allows[AUTH_POLICY_IDENTITY] || allows[AUTH_POLICY_BUCKET] ? AUTH_VERDICT_ALLOW
									  : AUTH_VERDICT_NONE;
}

/* All keys of up to four letters of "ab/". */
static size_t random_keys(char keys[121][5])
{
	size_t count = 0, begin = 0;
	strcpy(keys[count++], "");
	for (int len = 1; len <= 4; len++) {
		size_t end = count;
		for (size_t i = begin; i < end; i++)
			for (const char *c = "ab/"; *c != '\0'; c++)
				sprintf(keys[count++], "%s%c", keys[i], *c);
		begin = end;
	}
	return count;
}

struct random_world {
	struct auth_policy *policies[POLICIES_MAX];
	size_t count;
	struct auth_policy_set *whole, *halves[2];
	const struct auth_principal *who;
	const char *lines; /* what is the same for all objects */
	const char *tag;   /* of an object; NULL: none */
	unsigned answers[3], coulds[2], verdicts[4];
	unsigned spreads[3][3], reaches[2][2], sures;
};

/* The policies apart, as one set, and as two. */
static void random_make(struct random_world *world, uint64_t *seed)
{
	struct auth_policy_source sources[POLICIES_MAX];
	static const struct auth_principal *const all[] = {&support_ann, &support_session,
							   &support_anonymous};
	static const char *const lines[] = {"aws:SourceIp=10.0.0.1\naws:SecureTransport=true",
					    "aws:SourceIp=11.0.0.1\naws:SecureTransport=true",
					    "aws:SourceIp=10.0.0.1"};
	world->count = 1 + support_random(seed, POLICIES_MAX - 1);
	world->who = PICK(seed, all);
	world->lines = PICK(seed, lines);
	for (size_t i = 0; i < world->count; i++) {
		uint32_t kind = support_random(seed, AUTH_POLICY_TRUST + 3);
		world->policies[i] = random_policy(seed, kind >= AUTH_POLICY_TRUST
								 ? AUTH_POLICY_IDENTITY
								 : (enum auth_policy_kind)kind);
		sources[i] = (struct auth_policy_source){world->policies[i], "x"};
	}
	size_t half = support_random(seed, (uint32_t)world->count + 1);
	world->whole = auth_policy_set_new(sources, world->count);
	world->halves[0] = auth_policy_set_new(sources, half);
	world->halves[1] = auth_policy_set_new(sources + half, world->count - half);
	assert_true(world->whole && world->halves[0] && world->halves[1]);
}

static void random_release(struct random_world *world)
{
	for (size_t i = 0; i < world->count; i++)
		auth_policy_unref(world->policies[i]);
	auth_policy_set_free(world->whole);
	auth_policy_set_free(world->halves[0]);
	auth_policy_set_free(world->halves[1]);
}

static const char *const random_tags[] = {NULL, "x", "a", "ann", "ab"};

/* Is the key allowed with a tag? Sets must agree with their policies. */
static bool random_allowed(struct random_world *world, int action, const char *arn, const char *tag)
{
	char lines[256];
	struct support_context context = {.lines = lines};
	struct auth_access access = {world->who, action, gml_span_text(arn), support_values,
				     &context};
	enum auth_verdict verdict;
	snprintf(lines, sizeof(lines), "%s%s%s", world->lines,
		 tag ? "\ns3:ExistingObjectTag/t=" : "", tag ? tag : "");
	verdict = joined(world->policies, world->count, &access);
	world->verdicts[verdict]++;
	assert_int_equal(auth_policy_evaluate(ONE(world->whole), &access).verdict, verdict);
	assert_int_equal(auth_policy_evaluate((const struct auth_policy_set *const *)world->halves,
					      2, &access)
				 .verdict,
			 verdict);
	return verdict == AUTH_VERDICT_ALLOW;
}

static void random_check_below(struct random_world *world, int action, const char *prefix,
			       char keys[121][5], size_t nkeys)
{
	struct support_context context = {.lines = world->lines};
	struct auth_access access = {world->who, action, {NULL, 0}, support_values, &context};
	enum auth_below below =
		auth_policy_below(ONE(world->whole), &access, GML_LIT("b"), gml_span_text(prefix));
	world->answers[below]++;
	assert_int_equal(auth_policy_below((const struct auth_policy_set *const *)world->halves, 2,
					   &access, GML_LIT("b"), gml_span_text(prefix)),
			 below);
	for (size_t i = 0; i < nkeys; i++) {
		char arn[64];
		const char *tag = random_tags[i % 5];
		if (strncmp(keys[i], prefix, strlen(prefix)) != 0)
			continue;
		snprintf(arn, sizeof(arn), "arn:aws:s3:::b/%s", keys[i]);
		bool allowed = random_allowed(world, action, arn, tag);
		if (below != AUTH_BELOW_DEPENDS && allowed != (below == AUTH_BELOW_ALL))
			fail_msg("below '%s' %d, but '%s' %d", prefix, (int)below, keys[i],
				 allowed);
	}
}

static void random_check_could(struct random_world *world, const char *prefix, char keys[121][5],
			       size_t nkeys)
{
	struct support_context context = {.lines = world->lines};
	struct auth_access access = {world->who, 0, {NULL, 0}, support_values, &context};
	struct gml_span below = gml_span_text(prefix);
	bool could = auth_policy_could(ONE(world->whole), &access, GML_LIT("b"), below);
	world->coulds[could]++;
	assert_int_equal(auth_policy_could((const struct auth_policy_set *const *)world->halves, 2,
					   &access, GML_LIT("b"), below),
			 could);
	for (int action = 0; action < auth_action_count() && !could; action += 7) {
		char arn[64];
		unsigned kinds = auth_action_kinds(action);
		snprintf(arn, sizeof(arn), "arn:aws:s3:::b/%s%s", prefix,
			 keys[(size_t)action % nkeys]);
		if (kinds & AUTH_RESOURCE_OBJECT)
			assert_false(random_allowed(world, action, arn, random_tags[action % 5]));
		if ((kinds & AUTH_RESOURCE_BUCKET) && *prefix == '\0')
			assert_false(random_allowed(world, action, "arn:aws:s3:::b", NULL));
	}
}

/* The verdict of one key, as the sets' own evaluation has it (random_allowed compares that). */
static enum auth_verdict random_verdict(const struct random_world *world, int action,
					const char *key, const char *tag)
{
	char lines[256], arn[64];
	struct support_context context = {.lines = lines};
	struct auth_access access = {world->who, action, {NULL, 0}, support_values, &context};
	snprintf(lines, sizeof(lines), "%s%s%s", world->lines,
		 tag ? "\ns3:ExistingObjectTag/t=" : "", tag ? tag : "");
	snprintf(arn, sizeof(arn), "arn:aws:s3:::b/%s", key);
	access.resource = gml_span_text(arn);
	return auth_policy_evaluate(ONE(world->whole), &access).verdict;
}

static bool random_refuses(enum auth_verdict verdict)
{
	return verdict == AUTH_VERDICT_DENY || verdict == AUTH_VERDICT_CAPPED;
}

/* Is some action on the object allowed? */
static bool random_allows_some(struct random_world *world, const char *key, const char *tag)
{
	for (int action = 0; action < auth_action_count(); action++)
		if ((auth_action_kinds(action) & AUTH_RESOURCE_OBJECT) &&
		    random_verdict(world, action, key, tag) == AUTH_VERDICT_ALLOW)
			return true;
	return false;
}

/* A range: all keys that begin with the prefix, or it alone. */
static void random_check_range(struct random_world *world, int action,
			       const struct auth_range *range, char keys[121][5], size_t nkeys)
{
	struct support_context context = {.lines = world->lines};
	struct auth_access access = {world->who, action, {NULL, 0}, support_values, &context};
	struct auth_spread spread = auth_policy_spread(ONE(world->whole), &access, range);
	struct auth_reach reach = auth_policy_reach(ONE(world->whole), &access, range);
	world->spreads[spread.allowed][spread.refused]++;
	world->reaches[reach.could][reach.shut]++;
	world->sures += reach.sure;
	for (size_t i = 0; i < nkeys; i++) {
		const char *tag = random_tags[i % 5];
		enum auth_verdict verdict;
		if (range->below ? !gml_span_starts(gml_span_text(keys[i]), range->key)
				 : !gml_span_equal(gml_span_text(keys[i]), range->key))
			continue;
		verdict = random_verdict(world, action, keys[i], tag);
		if (spread.allowed != AUTH_MAYBE)
			assert_int_equal(verdict == AUTH_VERDICT_ALLOW,
					 spread.allowed == AUTH_TRUE);
		if (spread.refused != AUTH_MAYBE)
			assert_int_equal(random_refuses(verdict), spread.refused == AUTH_TRUE);
		if (!reach.could)
			assert_int_not_equal(verdict, AUTH_VERDICT_ALLOW);
		if (reach.shut)
			assert_true(random_refuses(verdict));
		if (reach.sure)
			assert_true(random_allows_some(world, keys[i], tag));
	}
}

static void sets_agree_with_their_policies(void **state)
{
	char keys[121][5];
	size_t nkeys = random_keys(keys);
	struct random_world world = {.count = 0};
	uint64_t seed = 20261201;
	static const char *const actions[] = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"};
	static const char *const objects[] = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"};
	static const char *const prefixes[] = {"", "a", "a/", "b/a", "/", "ab/"};
	for (int round = 0; round < 3000; round++) {
		random_make(&world, &seed);
		for (int i = 0; i < 3; i++)
			random_check_below(&world,
					   auth_action_find(gml_span_text(PICK(&seed, actions))),
					   PICK(&seed, prefixes), keys, nkeys);
		random_check_could(&world, "", keys, nkeys);
		random_check_could(&world, PICK(&seed, prefixes), keys, nkeys);
		for (int i = 0; i < 4; i++)
			random_check_range(
				&world, auth_action_find(gml_span_text(PICK(&seed, objects))),
				&(struct auth_range){GML_LIT("b"),
						     gml_span_text(PICK(&seed, prefixes)), i % 2},
				keys, nkeys);
		random_release(&world);
	}
	/* The comparison means something only if every answer was frequent. */
	for (int i = 0; i < 3; i++)
		assert_in_range(world.answers[i], 300, 8000);
	for (int i = 0; i < 4; i++)
		assert_in_range(world.verdicts[i], 10000, 400000);
	assert_in_range(world.coulds[0], 300, 5700);
	for (int i = 0; i < 3; i++) {
		assert_in_range(world.spreads[AUTH_FALSE][i], 100, 11000);
		assert_in_range(world.spreads[AUTH_MAYBE][i % 2], 100, 11000);
	}
	assert_in_range(world.spreads[AUTH_TRUE][AUTH_FALSE], 100, 11000);
	assert_in_range(world.reaches[false][false], 100, 11000);
	assert_in_range(world.reaches[false][true], 30, 11000);
	assert_in_range(world.reaches[true][false], 100, 11000);
	assert_in_range(world.sures, 100, world.reaches[true][false]);
}

static double cost_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* `count` statements of one prefix each, over policies of 100. */
static struct auth_policy_set *cost_set(size_t count)
{
	struct auth_policy_source sources[16] = {{0}};
	struct auth_policy_set *set;
	size_t nsources = 0;
	for (size_t i = 0; i < count; nsources++) {
		char document[16384], *at = document;
		at += sprintf(at, "{'Version':'2012-10-17','Statement':[");
		for (size_t end = i + 100 < count ? i + 100 : count; i < end; i++)
			at += sprintf(at,
				      "%s{'Effect':'%s','Action':'s3:GetObject','Resource':"
				      "'arn:aws:s3:::b/d%03zu/*'}",
				      at[-1] == '[' ? "" : ",", i % 4 ? "Allow" : "Deny", i);
		strcpy(at, "]}");
		sources[nsources] = (struct auth_policy_source){
			support_policy(AUTH_POLICY_IDENTITY, document), "x"};
	}
	set = auth_policy_set_new(sources, nsources);
	assert_non_null(set);
	for (size_t i = 0; i < nsources; i++)
		auth_policy_unref(sources[i].policy);
	return set;
}

#define COST_ROUNDS 20000u

/* Nanoseconds a call: the best of a few tries, for others use the machine, too. */
static double cost_of(const struct auth_policy_set *set, bool directory, unsigned *allowed)
{
	struct auth_access access = {.principal = &support_ann,
				     .action = auth_action_find(GML_LIT("s3:GetObject"))};
	double best = 1e9;
	for (int try = 0; try < 10; try++) {
		double begin = cost_now(), each;
		for (unsigned i = 0; i < COST_ROUNDS; i++) {
			char arn[AUTH_ARN_MAX], key[] = "d000/file";
			for (unsigned digit = 3, rest = i % 1000; digit > 0; digit--, rest /= 10)
				key[digit] = (char)('0' + rest % 10);
			if (directory) {
				*allowed +=
					auth_policy_below(ONE(set), &access, GML_LIT("b"),
							  gml_span_of(key, 5)) == AUTH_BELOW_ALL;
				continue;
			}
			access.resource = auth_access_arn(arn, sizeof(arn), GML_LIT("b"), true,
							  gml_span_text(key));
			*allowed += auth_policy_evaluate(ONE(set), &access).verdict ==
				    AUTH_VERDICT_ALLOW;
		}
		each = (cost_now() - begin) / COST_ROUNDS;
		best = each < best ? each : best;
	}
	return best;
}

static void cost_is_printed(void **state)
{
	static const size_t counts[] = {0, 1, 10, 100, 1000};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct auth_policy_set *set = cost_set(counts[i]);
		unsigned allowed = 0;
		double decide = cost_of(set, false, &allowed), below;
		assert_int_equal(allowed > 0, counts[i] > 1);
		below = cost_of(set, true, &allowed);
		print_message("%4zu statements: %.0f ns to decide, %.0f ns for a directory\n",
			      counts[i], decide, below);
		auth_policy_set_free(set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_join_as_documented),
		cmocka_unit_test(caps_hold_for_every_grant),
		cmocka_unit_test(nothing_decides_nothing),
		cmocka_unit_test(below_knows_what_it_should),
		cmocka_unit_test(what_could_be_used),
		cmocka_unit_test(names_have_limits),
		cmocka_unit_test(sets_agree_with_their_policies),
		cmocka_unit_test(cost_is_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
