// SPDX-License-Identifier: Apache-2.0
/* One policy: its grammar and the places of errors, actions, operators, variables, principals. What
 * is expected is what AWS documents, with its examples. */
#include "tests/unit/policy_support.h"

#include <gemel/action.h>
#include "auth/policy/condition.h"
#include "auth/access/pattern.h"

#define ROW(table, i) ((i) < sizeof(table) / sizeof((table)[0]))

static void actions_have_every_name(void **state)
{
#define ACTION_NAMED(id, name, rule, bits) name,
	static const char *const ours[] = {GML_ACTIONS(ACTION_NAMED)};
#undef ACTION_NAMED
	for (size_t i = 0; ROW(ours, i); i++)
		if (auth_action_find(gml_span_text(ours[i])) == AUTH_ACTION_NONE)
			fail_msg("%s is not in the table of actions", ours[i]);
	for (int row = 0; row < auth_action_count(); row++) {
		struct gml_span name = gml_span_text(auth_action_name(row));
		assert_int_equal(auth_action_find(name), row);
		assert_int_not_equal(auth_action_kinds(row), 0);
		assert_true(auth_action_pattern_valid(name));
		if (row > 0)
			assert_true(gml_span_order_nocase(gml_span_text(auth_action_name(row - 1)),
							  name) < 0);
	}
	assert_int_equal(auth_action_find(GML_LIT("S3:getOBJECT")),
			 auth_action_find(GML_LIT("s3:GetObject")));
	assert_int_equal(auth_action_find(GML_LIT("s3:GetObjec")), AUTH_ACTION_NONE);
	assert_int_equal(auth_action_find(GML_LIT("s3:GetObject\0")), AUTH_ACTION_NONE);
}

static void actions_match_wildcards(void **state)
{
	static const struct {
		const char *pattern, *in, *out;
	} table[] = {
		{"s3:Get*", "s3:GetObject", "s3:PutObject"},
		{"S3:get*", "s3:GetBucketAcl", "iam:GetUser"},
		{"s3:*Object", "s3:PutObject", "s3:PutObjectAcl"},
		{"iam:*AccessKey*", "iam:GetAccessKeyLastUsed", "iam:GetUser"},
		{"s3:GetObject?cl", "s3:GetObjectAcl", "s3:GetObject"},
		{"sts:AssumeRole", "sts:AssumeRole", "sts:AssumeRoleWithSAML"},
		{"gemel:*", "gemel:Chown", "s3:GetObject"},
	};
	for (size_t i = 0; ROW(table, i); i++) {
		struct auth_action_set set = {0};
		assert_true(auth_action_set_add(&set, gml_span_text(table[i].pattern)) > 0);
		assert_true(
			auth_action_set_has(&set, auth_action_find(gml_span_text(table[i].in))));
		assert_false(
			auth_action_set_has(&set, auth_action_find(gml_span_text(table[i].out))));
		auth_action_set_invert(&set);
		assert_false(
			auth_action_set_has(&set, auth_action_find(gml_span_text(table[i].in))));
	}
	struct auth_action_set all = {0};
	assert_int_equal(auth_action_set_add(&all, GML_LIT("*")), auth_action_count());
	assert_int_equal(auth_action_set_add(&all, GML_LIT("ec2:*")), 0);
}

static void numbers_are_exact(void **state)
{
	static const char *const rising[] = {"-100000000000000000000",
					     "-2.5",
					     "-2.25",
					     "-1",
					     "0",
					     "0.1",
					     "0.10001",
					     "1",
					     "9",
					     "10",
					     "9007199254740992",
					     "9007199254740993"};
	static const char *const wrong[] = {"",	  "-",	"+",   ".5",  "1.",  "1e3",  "0x10",
					    " 1", "1 ", "1,5", "NaN", "--1", "1.2.3"};
	struct auth_number a, b;
	for (size_t i = 0; ROW(rising, i); i++)
		for (size_t j = 0; ROW(rising, j); j++) {
			assert_true(auth_number_parse(gml_span_text(rising[i]), &a));
			assert_true(auth_number_parse(gml_span_text(rising[j]), &b));
			int order = auth_number_order(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	for (size_t i = 0; ROW(wrong, i); i++)
		if (auth_number_parse(gml_span_text(wrong[i]), &a))
			fail_msg("'%s' is no number", wrong[i]);
	assert_true(auth_number_parse(GML_LIT("+007.500"), &a));
	assert_true(auth_number_parse(GML_LIT("7.5"), &b));
	assert_int_equal(auth_number_order(&a, &b), 0);
	assert_true(auth_number_parse(GML_LIT("-0.0"), &a));
	assert_true(auth_number_parse(GML_LIT("0"), &b));
	assert_int_equal(auth_number_order(&a, &b), 0);
}

static void dates_have_the_documented_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		uint32_t nanoseconds;
	} right[] = {
		{"1970", 0, 0},
		{"2020-01", 1577836800, 0},
		{"2020-01-01", 1577836800, 0},
		{"2020-01-01T00:00Z", 1577836800, 0},
		{"2020-01-01T00:00:01Z", 1577836801, 0},
		{"2020-01-01T00:00:01.5Z", 1577836801, 500000000},
		{"2020-01-01T02:00:00+02:00", 1577836800, 0},
		{"2019-12-31T19:30:00-04:30", 1577836800, 0},
		{"1577836800", 1577836800, 0},
		{"0", 0, 0},
	};
	static const char *const wrong[] = {"",
					    "2020-1-1",
					    "2020-13-01",
					    "2020-02-30",
					    "2020-01-01T00:00:00",
					    "2020-01-01T24:00:00Z",
					    "2020-01-01 00:00:00Z",
					    "2020-01-01T00:00:01.Z",
					    "2020-01-01T00:00:01.5",
					    "tomorrow",
					    "-5",
					    "20200101T000000Z",
					    "2020-01-01T00:00Zx",
					    "99999999999999999999"};
	struct auth_date date;
	for (size_t i = 0; ROW(right, i); i++) {
		if (!auth_date_parse(gml_span_text(right[i].text), &date))
			fail_msg("'%s' is a date", right[i].text);
		assert_int_equal(date.seconds, right[i].seconds);
		assert_int_equal(date.nanoseconds, right[i].nanoseconds);
	}
	for (size_t i = 0; ROW(wrong, i); i++)
		if (auth_date_parse(gml_span_text(wrong[i]), &date))
			fail_msg("'%s' is no date", wrong[i]);
}

static void networks_contain(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool contains;
	} table[] = {
		{"203.0.113.0/24", "203.0.113.255", true},
		{"203.0.113.0/24", "203.0.114.0", false},
		{"203.0.113.7/24", "203.0.113.1", true},
		{"203.0.113.5", "203.0.113.5", true},
		{"203.0.113.5", "203.0.113.4", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"10.0.0.0/9", "10.127.0.1", true},
		{"10.0.0.0/9", "10.128.0.1", false},
		{"2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", true},
		{"2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"::/0", "10.1.2.3", false},
		{"::/0", "::ffff:10.1.2.3", false},
		{"::/0", "::1", true},
		{"::ffff:0:0/96", "10.1.2.3", true},
		{"10.0.0.0/8", "10.0.0.0/16", true},
		{"10.0.0.0/16", "10.0.0.0/8", false},
	};
	static const char *const wrong[] = {
		"",	      "10.0.0",	    "10.0.0.0/33",    "10.0.0.0/",
		"10.0.0.0/a", "10.0.0.256", "2001:db8::/129", "::1/0008",
		"/8",	      "10.0.0.1 ",  "@unix",	      "10.0.0.0/-1"};
	struct auth_network outer, inner;
	for (size_t i = 0; ROW(table, i); i++) {
		assert_true(auth_network_parse(gml_span_text(table[i].outer), &outer));
		assert_true(auth_network_parse(gml_span_text(table[i].inner), &inner));
		if (auth_network_contains(&outer, &inner) != table[i].contains)
			fail_msg("%s in %s", table[i].inner, table[i].outer);
	}
	for (size_t i = 0; ROW(wrong, i); i++)
		if (auth_network_parse(gml_span_text(wrong[i]), &outer))
			fail_msg("'%s' is no address", wrong[i]);
}

/* What a pattern means, said as simply as possible; ARNs part by part, as AWS documents them. */
static bool plain_match(const char *pattern, const char *subject)
{
	if (*pattern == '\0')
		return *subject == '\0';
	if (*pattern == '*')
		return plain_match(pattern + 1, subject) ||
		       (*subject != '\0' && plain_match(pattern, subject + 1));
	return *subject != '\0' && (*pattern == '?' || *pattern == *subject) &&
	       plain_match(pattern + 1, subject + 1);
}

static bool plain_arn(const char *pattern, const char *subject)
{
	char parts[2][6][64];
	const char *texts[2] = {pattern, subject};
	for (int i = 0; i < 2; i++)
		for (int part = 0; part < 6; part++) {
			const char *colon = part < 5 ? strchr(texts[i], ':') : strchr(texts[i], 0);
			if (colon == NULL)
				return false;
			snprintf(parts[i][part], 64, "%.*s", (int)(colon - texts[i]), texts[i]);
			texts[i] = colon + (*colon == ':');
		}
	for (int part = 0; part < 6; part++)
		if (!plain_match(parts[0][part], parts[1][part]))
			return false;
	return true;
}

static void random_text(uint64_t *seed, const char *letters, unsigned most, char *out)
{
	unsigned len = support_random(seed, most + 1);
	for (unsigned i = 0; i < len; i++)
		*out++ = letters[support_random(seed, (uint32_t)strlen(letters))];
	*out = '\0';
}

static void patterns_match_as_plainly(void **state)
{
	uint64_t seed = 42;
	unsigned matched = 0, arns = 0;
	struct auth_access nobody = {.principal = &support_anonymous};
	for (unsigned i = 0; i < 200000; i++) {
		struct auth_arena arena = {0};
		struct auth_pattern pattern;
		char text[64], subject[64];
		bool want;
		random_text(&seed, "ab*?", 7, text);
		random_text(&seed, "ab", 9, subject);
		assert_null(auth_pattern_compile(&arena, gml_span_text(text), AUTH_PATTERN_WILD,
						 &pattern));
		want = plain_match(text, subject);
		matched += want;
		if ((auth_pattern_match(&pattern, AUTH_MATCH_TEXT, gml_span_text(subject),
					&nobody) == AUTH_TRUE) != want)
			fail_msg("'%s' and '%s'", text, subject);
		do {
			random_text(&seed, "a::*?", 12, text);
		} while (strcmp(text, "*") == 0); /* everything */
		random_text(&seed, "a::", 12, subject);
		assert_null(auth_pattern_compile(&arena, gml_span_text(text), AUTH_PATTERN_WILD,
						 &pattern));
		want = plain_arn(text, subject) || (pattern.literal && strcmp(text, subject) == 0);
		arns += want;
		if ((auth_pattern_match(&pattern, AUTH_MATCH_ARN, gml_span_text(subject),
					&nobody) == AUTH_TRUE) != want)
			fail_msg("ARNs '%s' and '%s'", text, subject);
		auth_arena_release(&arena);
	}
	assert_in_range(matched, 1000, 199000);
	assert_in_range(arns, 1000, 199000);
}

static void patterns_count_characters(void **state)
{
	static const struct {
		const char *pattern, *subject;
		bool matches;
	} table[] = {
		{"?", "\xc3\xa9", true},	/* é */
		{"??", "\xc3\xa9", false},	/* */
		{"*??", "\xe2\x82\xac", false}, /* € */
		{"a?b",
		 "a\xf0\x9f\x98\x80"
		 "b",
		 true}, /* an emoji */
		{"*b",
		 "\xc3"
		 "b",
		 true}, /* no UTF-8 */
		{"?", "\xff", true},
	};
	struct auth_access nobody = {.principal = &support_anonymous};
	for (size_t i = 0; ROW(table, i); i++) {
		struct auth_arena arena = {0};
		struct auth_pattern pattern;
		assert_null(auth_pattern_compile(&arena, gml_span_text(table[i].pattern),
						 AUTH_PATTERN_WILD, &pattern));
		if ((auth_pattern_match(&pattern, AUTH_MATCH_TEXT, gml_span_text(table[i].subject),
					&nobody) == AUTH_TRUE) != table[i].matches)
			fail_msg("row %zu", i);
		auth_arena_release(&arena);
	}
}

/* Documents with one statement, the usual one but for what a row says. */
#define USUAL "'Effect':'Allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::b/*'"
#define STATEMENT(rest) "{'Version':'2012-10-17','Statement':[{" rest "}]}"
#define CONDITION(rest) STATEMENT(USUAL ",'Condition':{" rest "}")
#define BUCKET(rest) STATEMENT("'Principal':'*'," rest)
#define ID AUTH_POLICY_IDENTITY
#define BK AUTH_POLICY_BUCKET

static const struct wrong {
	enum auth_policy_kind kind;
	const char *document, *place, *text;
} grammar_wrong[] = {
	{ID, "", "line 1 column 1", "no JSON"},
	{ID, "{\n 'Statement' [] }", "line 2 column", "no JSON"},
	{ID, "{'Statement':[]} x", "line 1 column", "no JSON"},
	{ID, "{'Version':'2012-10-17','Version':'2012-10-17'}", "line 1 column", "twice"},
	{ID, STATEMENT(USUAL ",'Effect':'Deny'"), "line 1 column", "twice"},
	{ID, "[]", "", "a policy is a JSON object"},
	{ID, "{}", "", "no Statement"},
	{ID, "{'Statement':[]}", "Statement", "empty"},
	{ID, "{'Statement':[1]}", "Statement[0]", "a statement is an object"},
	{ID, "{'Statement':'x'}", "Statement", "a statement is an object"},
	{ID, "{'Statement':{" USUAL "},'Foo':1}", "Foo", "no such element"},
	{ID, "{'statement':{" USUAL "}}", "statement", "did you mean 'Statement'"},
	{ID, "{'Version':'2012-10-18','Statement':{" USUAL "}}", "Version", "2012-10-17"},
	{ID, "{'Version':2012,'Statement':{" USUAL "}}", "Version", "a string"},
	{ID, "{'Id':'x','Statement':{" USUAL "}}", "Id", "only policies of buckets"},
	{BK, "{'Id':1,'Statement':{'Principal':'*'," USUAL "}}", "Id", "a string"},
	{ID, STATEMENT("'Action':'s3:*','Resource':'*'"), "Statement[0]", "no Effect"},
	{ID, STATEMENT("'Effect':'allow','Action':'s3:*','Resource':'*'"), "Statement[0].Effect",
	 "\"Allow\" or \"Deny\""},
	{ID, STATEMENT("'effect':'Allow'"), "Statement[0].effect", "did you mean 'Effect'"},
	{ID, STATEMENT(USUAL ",'NotAction':'s3:*'"), "Statement[0]", "exclude each other"},
	{ID, STATEMENT(USUAL ",'NotResource':'*'"), "Statement[0]", "exclude each other"},
	{ID, STATEMENT("'Effect':'Allow','Resource':'*'"), "Statement[0]",
	 "neither Action nor NotAction"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*'"), "Statement[0]",
	 "neither Resource nor NotResource"},
	{ID, STATEMENT("'Effect':'Allow','Action':[],'Resource':'*'"), "Statement[0].Action",
	 "empty"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':[]"), "Statement[0].Resource",
	 "empty"},
	{ID, STATEMENT("'Effect':'Allow','Action':['s3:*',1],'Resource':'*'"),
	 "Statement[0].Action[1]", "a string"},
	{ID, STATEMENT("'Effect':'Allow','Action':'GetObject','Resource':'*'"),
	 "Statement[0].Action", "SERVICE:NAME"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:Get Object','Resource':'*'"),
	 "Statement[0].Action", "SERVICE:NAME"},
	{ID, STATEMENT("'Effect':'Allow','Action':'*:*','Resource':'*'"), "Statement[0].Action",
	 "SERVICE:NAME"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:','Resource':'*'"), "Statement[0].Action",
	 "SERVICE:NAME"},
	{ID, STATEMENT("'Sid':'a b'," USUAL), "Statement[0].Sid", "letters and digits"},
	{ID, STATEMENT("'Sid':'a'," USUAL "},{'Sid':'a'," USUAL), "Statement[1].Sid", "same Sid"},
	{BK, BUCKET("'Sid':'a\\u0001'," USUAL), "Statement[0].Sid", "control characters"},
	{ID, STATEMENT("'Principal':'*'," USUAL), "Statement[0].Principal",
	 "only policies of buckets"},
	{AUTH_POLICY_BOUNDARY, STATEMENT("'NotPrincipal':'*'," USUAL), "Statement[0].NotPrincipal",
	 "only policies of buckets"},
	{BK, STATEMENT(USUAL), "Statement[0]", "neither Principal nor NotPrincipal"},
	{BK, STATEMENT("'Principal':'*','NotPrincipal':'*'," USUAL), "Statement[0]",
	 "exclude each other"},
	{BK, STATEMENT("'NotPrincipal':{'AWS':'000000000000'}," USUAL), "Statement[0].NotPrincipal",
	 "deny only"},
	{BK, STATEMENT("'Principal':'ann'," USUAL), "Statement[0].Principal", "\"*\" or an object"},
	{BK, STATEMENT("'Principal':{}," USUAL), "Statement[0].Principal", "empty"},
	{BK, STATEMENT("'Principal':{'AWS':[]}," USUAL), "Statement[0].Principal", "empty"},
	{BK, STATEMENT("'Principal':{'aws':'*'}," USUAL), "Statement[0].Principal.aws",
	 "did you mean 'AWS'"},
	{BK, STATEMENT("'Principal':{'AWS':'ann'}," USUAL), "Statement[0].Principal.AWS",
	 "twelve digits"},
	{BK, STATEMENT("'Principal':{'AWS':['*','arn:aws:iam::000000000000:user/*']}," USUAL),
	 "Statement[0].Principal.AWS[1]", "named in full"},
	{BK, STATEMENT("'Principal':{'AWS':'arn:aws:iam::0:user/ann'}," USUAL),
	 "Statement[0].Principal.AWS", "twelve digits"},
	{BK, STATEMENT("'Principal':{'AWS':'arn:aws:iam::000000000000:group/g'}," USUAL),
	 "Statement[0].Principal.AWS", "twelve digits"},
	{BK, STATEMENT("'Principal':{'AWS':'arn:aws:sts::000000000000:assumed-role/r'}," USUAL),
	 "Statement[0].Principal.AWS", "assumed-role/ROLE/SESSION"},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:Frobnicate','Resource':'*'"),
	 "Statement[0].Action", "no such action"},
	{BK, BUCKET("'Effect':'Allow','Action':'ec2:*','Resource':'*'"), "Statement[0].Action",
	 "no such action"},
	{BK, BUCKET("'Effect':'Allow','Action':'iam:CreateUser','Resource':'*'"),
	 "Statement[0].Action", "not done to a bucket"},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b/*'"),
	 "Statement[0].Action", "done to a bucket"},
	{BK,
	 BUCKET("'Effect':'Allow','Action':['s3:ListBucket','s3:GetObject'],'Resource':"
		"'arn:aws:s3:::b'"),
	 "Statement[0].Action[1]", "done to objects"},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::c/*'"),
	 "Statement[0].Resource", "this bucket"},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:*','Resource':['*','arn:aws:s3:::bb']"),
	 "Statement[0].Resource[1]", "this bucket"},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::?b*'"),
	 "Statement[0].Resource", "this bucket"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'b/k'"),
	 "Statement[0].Resource", "an ARN"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:b'"),
	 "Statement[0].Resource", "an ARN"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws-cn:s3:::b'"),
	 "Statement[0].Resource", "partition"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:*:::b'"),
	 "Statement[0].Resource", "service"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:${aws:userid}:::b'"),
	 "Statement[0].Resource", "service"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3::${aws:userid}:b'"),
	 "Statement[0].Resource", "fifth colon"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::${aws:userid'"),
	 "Statement[0].Resource", "${$}"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::${name}'"),
	 "Statement[0].Resource", "PREFIX:KEY"},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':"
		   "'arn:aws:s3:::${aws:userid, x}'"),
	 "Statement[0].Resource", "single quotes"},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':"
		   "'arn:aws:s3:::${aws:userid,^x^}'"),
	 "Statement[0].Resource", "a comma and a space"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::${aws: userid}'"),
	 "Statement[0].Resource", "without spaces"},
	{ID, STATEMENT(USUAL ",'Condition':[]"), "Statement[0].Condition", "operators"},
	{ID, CONDITION("'StringEquals':1"), "Statement[0].Condition.StringEquals", "keys"},
	{ID, CONDITION("'StringMatches':{'aws:username':'a'}"),
	 "Statement[0].Condition.StringMatches", "no such operator"},
	{ID, CONDITION("'stringequals':{'aws:username':'a'}"),
	 "Statement[0].Condition.stringequals", "did you mean 'StringEquals'"},
	{ID, CONDITION("'forAnyValue:StringLike':{'aws:username':'a'}"),
	 "Statement[0].Condition.forAnyValue:StringLike", "did you mean"},
	{ID, CONDITION("'NullIfExists':{'aws:username':'true'}"),
	 "Statement[0].Condition.NullIfExists", "no such operator"},
	{ID, CONDITION("'ForAllValues:NullIfExists':{'aws:username':'true'}"),
	 "Statement[0].Condition.ForAllValues:NullIfExists", "no such operator"},
	{ID, CONDITION("'StringEquals':{'username':'a'}"),
	 "Statement[0].Condition.StringEquals.username", "PREFIX:NAME"},
	{BK, BUCKET(USUAL ",'Condition':{'StringEquals':{'s3:colour':'a'}}"),
	 "Statement[0].Condition.StringEquals.s3:colour", "no such key"},
	{ID, CONDITION("'StringEquals':{'aws:username':['a',null]}"),
	 "Statement[0].Condition.StringEquals.aws:username[1]", "a string, a number"},
	{ID, CONDITION("'StringEquals':{'aws:username':{'a':'b'}}"),
	 "Statement[0].Condition.StringEquals.aws:username", "a string, a number"},
	{ID, CONDITION("'NumericLessThan':{'s3:max-keys':'ten'}"),
	 "Statement[0].Condition.NumericLessThan.s3:max-keys", "a number is"},
	{ID, CONDITION("'NumericLessThan':{'s3:max-keys':'${s3:max-keys}'}"),
	 "Statement[0].Condition.NumericLessThan.s3:max-keys", "a number is"},
	{ID, CONDITION("'DateLessThan':{'aws:CurrentTime':'soon'}"),
	 "Statement[0].Condition.DateLessThan.aws:CurrentTime", "a date is"},
	{ID, CONDITION("'IpAddress':{'aws:SourceIp':['10.0.0.0/8','10.0.0.0/99']}"),
	 "Statement[0].Condition.IpAddress.aws:SourceIp[1]", "an address is"},
	{ID, CONDITION("'Bool':{'aws:SecureTransport':'yes'}"),
	 "Statement[0].Condition.Bool.aws:SecureTransport", "true and false"},
	{ID, CONDITION("'Null':{'aws:username':'maybe'}"),
	 "Statement[0].Condition.Null.aws:username", "true and false"},
	{ID, CONDITION("'BinaryEquals':{'aws:username':'###'}"),
	 "Statement[0].Condition.BinaryEquals.aws:username", "base64"},
	{ID, CONDITION("'ArnLike':{'aws:PrincipalArn':'ann'}"),
	 "Statement[0].Condition.ArnLike.aws:PrincipalArn", "six parts"},
	{ID, CONDITION("'StringLike':{'aws:username':'${aws:userid'}"),
	 "Statement[0].Condition.StringLike.aws:username", "${$}"},
};

/* ' stands for " and ^ for '. */
static char *grammar_text(const char *document)
{
	char *text = strdup(document);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at == '^' ? '\'' : *at;
	return text;
}

static void grammar_names_the_place(void **state)
{
	for (size_t i = 0; ROW(grammar_wrong, i); i++) {
		const struct wrong *row = &grammar_wrong[i];
		struct auth_policy *policy;
		struct auth_policy_error error;
		char *text = grammar_text(row->document);
		if (auth_policy_parse(row->kind, gml_span_text(text), GML_LIT("b"), &policy,
				      &error))
			fail_msg("%s: was accepted", text);
		assert_null(policy);
		assert_false(error.memory);
		if (strncmp(error.place, row->place, strlen(row->place)) != 0 ||
		    (error.line == 0 && strcmp(error.place, row->place) != 0) ||
		    strstr(error.text, row->text) == NULL)
			fail_msg("%s: %s: %s", text, error.place, error.text);
		free(text);
	}
}

static const struct {
	enum auth_policy_kind kind;
	const char *document;
} grammar_right[] = {
	{ID, "{'Statement':{" USUAL "}}"},
	{ID, "{'Version':'2008-10-17','Statement':[{" USUAL "},{" USUAL "}]}"},
	{ID, STATEMENT("'Sid':''," USUAL "},{'Sid':''," USUAL)},
	{ID, STATEMENT("'Sid':'AllowIt1'," USUAL)},
	{ID, STATEMENT("'Effect':'Deny','NotAction':['iam:*','sts:AssumeRole'],'NotResource':'*'")},
	{ID, STATEMENT("'Effect':'Allow','Action':'dynamodb:GetItem','Resource':"
		       "'arn:aws:dynamodb:us-east-2:123456789012:table/t'")},
	{ID, STATEMENT("'Effect':'Allow','Action':'iam:*','Resource':"
		       "'arn:aws:iam::*:user/${aws:username}'")},
	{ID, STATEMENT(USUAL ",'Condition':{}")},
	{ID, CONDITION("'StringEquals':{}")},
	{ID, CONDITION("'StringEquals':{'aws:username':[]}")},
	{ID, CONDITION("'StringEquals':{'acme:colour':'red'}")},
	{ID, CONDITION("'NumericLessThan':{'s3:max-keys':10},'Bool':{'aws:SecureTransport':true}")},
	{ID, CONDITION("'NumericLessThan':{'s3:TlsVersion':1.2}")},
	{ID, CONDITION("'ArnLike':{'aws:PrincipalArn':['*','${aws:PrincipalArn}']}")},
	{ID, CONDITION("'StringLike':{'s3:prefix':['${*}','${?}','${$}','$','a$b']}")},
	{ID, CONDITION("'BinaryEquals':{'acme:b':'QmluYXJ5VmFsdWVJbkJhc2U2NA=='}")},
	{BK, "{'Id':'P1','Statement':{'Principal':'*'," USUAL "}}"},
	{BK,
	 BUCKET("'Sid':'Statement 1-a'," USUAL "},{'Principal':'*','Sid':'Statement 1-a'," USUAL)},
	{BK, STATEMENT("'Principal':{'AWS':['*','000000000000','arn:aws:iam::000000000000:root'],"
		       "'CanonicalUser':'c0ffee','Service':'s3.amazonaws.com',"
		       "'Federated':'accounts.google.com'}," USUAL)},
	{BK, STATEMENT("'NotPrincipal':{'AWS':'arn:aws:sts::000000000000:assumed-role/r/s'},"
		       "'Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::b/*'")},
	{BK, BUCKET("'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:::b','*',"
		    "'arn:aws:s3:::*','arn:aws:s3:::b*','arn:aws:s3:::?/x','arn:aws:s3::*:b',"
		    "'arn:aws:s3:::${aws:username}/*']")},
	{BK, BUCKET("'Effect':'Allow','Action':['s3:ListBucket','s3:GetObject'],'Resource':"
		    "'arn:aws:s3:::b*'")},
	{BK, BUCKET("'Effect':'Allow','NotAction':'s3:GetObject','Resource':'arn:aws:s3:::b'")},
	{BK, BUCKET(USUAL ",'Condition':{'StringNotEquals':{'aws:SourceVpce':'vpce-1'}}")},
	{AUTH_POLICY_SESSION, STATEMENT(USUAL)},
	{AUTH_POLICY_BOUNDARY, STATEMENT(USUAL)},
	{AUTH_POLICY_KEY, STATEMENT(USUAL)},
};

static void grammar_accepts(void **state)
{
	for (size_t i = 0; ROW(grammar_right, i); i++) {
		struct auth_policy *policy;
		struct auth_policy_error error;
		char *text = grammar_text(grammar_right[i].document);
		if (!auth_policy_parse(grammar_right[i].kind, gml_span_text(text), GML_LIT("b"),
				       &policy, &error))
			fail_msg("%s: %s: %s", text, error.place, error.text);
		assert_int_equal(auth_policy_kind(policy), grammar_right[i].kind);
		auth_policy_unref(policy);
		free(text);
	}
}

/* `head`, then `item` so often, with commas between, then `tail`. */
static char *repeated(const char *head, const char *item, size_t count, const char *tail)
{
	char *text = malloc(strlen(head) + count * (strlen(item) + 1) + strlen(tail) + 1), *at;
	at = stpcpy(text, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(stpcpy(at, i > 0 ? "," : ""), item);
	strcpy(at, tail);
	for (at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	return text;
}

static void expect_limit(char *text, enum auth_policy_kind kind, const char *place,
			 const char *what)
{
	struct auth_policy *policy;
	struct auth_policy_error error;
	bool good =
		auth_policy_parse(kind, gml_span_text(text), gml_span_of(NULL, 0), &policy, &error);
	if (good != (what == NULL))
		fail_msg("%zu bytes: %s: %s", strlen(text), error.place, error.text);
	if (what != NULL && (strcmp(error.place, place) != 0 || strstr(error.text, what) == NULL))
		fail_msg("%s: %s", error.place, error.text);
	auth_policy_unref(policy);
	free(text);
}

static void limits_hold(void **state)
{
	static const char head[] = "{'Statement':{'Effect':'Allow','Action':'s3:*','Resource':[";
	static const char marks[] = "{'Statement':{'Principal':'*','Effect':'Deny','Action':"
				    "'s3:GetObject','Resource':[";
	char big[300];
	/* Names: 250 bytes with quotes; 40 of them fit in 10240, 25 of them do not in 6144. */
	snprintf(big, sizeof(big), "'arn:aws:s3:::%0235d'", 0);
	assert_int_equal(strlen(big), 250);
	expect_limit(repeated(head, big, 40, "]}}"), ID, "", NULL);
	expect_limit(repeated(head, big, 41, "]}}"), ID, "", "10240");
	expect_limit(repeated(head, big, 24, "]}}"), AUTH_POLICY_BOUNDARY, "", NULL);
	expect_limit(repeated(head, big, 25, "]}}"), AUTH_POLICY_BOUNDARY, "", "6144");
	/* White space counts for buckets only, up to a point. */
	expect_limit(
		repeated(head, "'*'                                                  ", 400, "]}}"),
		ID, "", NULL);
	expect_limit(
		repeated(head, "'*'                                                  ", 400, "]}}"),
		BK, "", "20480");
	expect_limit(repeated(head, "'*'                                                  ", 1300,
			      "]}}"),
		     ID, "", "65536");
	/* Depth, before anything is looked at. */
	expect_limit(repeated("", "[", 9000, ""), BK, "line 1 column 2", "no JSON");
	expect_limit(repeated(head, "'*'", 1000, "]}}"), ID, "", NULL);
	expect_limit(repeated(head, "'*'", 1001, "]}}"), ID, "Statement.Resource", "1000 values");
	expect_limit(repeated("{'Statement':[", "{}", 401, "]}"), ID, "Statement", "400");
	/* A long string that is wrong is shown in part. */
	expect_limit(
		repeated("{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'s3:*',"
			 "'Resource':'arn:aws:s3:::b/${aws:username}${aws:username}"
			 "${aws:username}${aws:username}${aws:username}${aws:username}"
			 "${aws:username}${aws:username}${aws:username}'",
			 "", 0, "}}"),
		ID, "Statement.Resource", "8 variables");
	expect_limit(repeated(marks, "'arn:aws:s3:::b/*????????????????????a'", 10, "]}}"), BK, "",
		     NULL);
	expect_limit(repeated(marks, "'arn:aws:s3:::b/*????????????????????a'", 11, "]}}"), BK,
		     "Statement.Resource[10]", "200 question marks");
	expect_limit(repeated(head, "'arn:aws:s3:::b/*????????????????????a'", 11, "]}}"), ID, "",
		     NULL);
	expect_limit(repeated("{'Statement':{'Effect':'Allow','Action':'s3:*','Resource':'*',"
			      "'Condition':{'StringLike':{'a:0':'x'",
			      "", 0, "}}}}"),
		     ID, "", NULL);
}

static void limits_of_conditions(void **state)
{
	char text[8192], *at;
	for (int most = 64; most <= 65; most++) {
		at = text + sprintf(text, "{'Statement':{'Effect':'Allow','Action':'s3:*',"
					  "'Resource':'*','Condition':{'StringLike':{");
		for (int i = 0; i < most; i++)
			at += sprintf(at, "%s'acme:k%d':'x'", i > 0 ? "," : "", i);
		strcpy(at, "}}}}");
		for (at = text; *at != '\0'; at++)
			*at = *at == '\'' ? '"' : *at;
		expect_limit(strdup(text), ID, "Statement.Condition",
			     most == 64 ? NULL : "64 conditions");
	}
}

/* Conditions: one operator, one key, values as JSON; the request's context; does it hold? */
static const struct {
	const char *operator, * key, *values, *context;
	bool holds;
} operator_rows[] = {
	{"StringEquals", "aws:UserAgent", "'a'", "aws:UserAgent=a", true},
	{"StringEquals", "aws:UserAgent", "'a'", "AWS:USERAGENT=a", true},
	{"StringEquals", "aws:UserAgent", "'a'", "aws:UserAgent=A", false},
	{"StringEquals", "aws:UserAgent", "'a'", "", false},
	{"StringEquals", "aws:UserAgent", "['b','a']", "aws:UserAgent=a", true},
	{"StringEquals", "aws:UserAgent", "'a*'", "aws:UserAgent=ab", false},
	{"StringEquals", "aws:UserAgent", "'a*'", "aws:UserAgent=a*", true},
	{"StringEquals", "aws:UserAgent", "[]", "aws:UserAgent=a", false},
	{"StringEquals", "s3:prefix", "''", "s3:prefix=", true},
	{"StringEquals", "s3:max-keys", "10", "s3:max-keys=10", true},
	{"StringEquals", "aws:SecureTransport", "true", "aws:SecureTransport=true", true},
	{"StringEqualsIfExists", "aws:UserAgent", "'a'", "", true},
	{"StringEqualsIfExists", "aws:UserAgent", "'a'", "aws:UserAgent=b", false},
	{"StringNotEquals", "aws:UserAgent", "'a'", "aws:UserAgent=b", true},
	{"StringNotEquals", "aws:UserAgent", "['a','b']", "aws:UserAgent=b", false},
	{"StringNotEquals", "aws:UserAgent", "'a'", "", true},
	{"StringNotEquals", "aws:UserAgent", "[]", "aws:UserAgent=a", true},
	{"StringNotEqualsIfExists", "aws:UserAgent", "'a'", "", true},
	{"StringEqualsIgnoreCase", "aws:UserAgent", "'aB'", "aws:UserAgent=Ab", true},
	{"StringNotEqualsIgnoreCase", "aws:UserAgent", "'aB'", "aws:UserAgent=Ab", false},
	{"StringEqualsIgnoreCase", "aws:UserAgent", "'GRÜN Øß'", "aws:UserAgent=grün øß", true},
	{"StringEqualsIgnoreCase", "aws:UserAgent", "'×'", "aws:UserAgent=÷", false},
	{"StringLike", "s3:prefix", "['','home/','home/?/*']", "s3:prefix=", true},
	{"StringLike", "s3:prefix", "['','home/','home/?/*']", "s3:prefix=home/a/x/y", true},
	{"StringLike", "s3:prefix", "['','home/','home/?/*']", "s3:prefix=home/ab/", false},
	{"StringLike", "s3:prefix", "'A*'", "s3:prefix=ab", false},
	{"StringNotLike", "s3:prefix", "'a*'", "s3:prefix=ab", false},
	{"StringNotLike", "s3:prefix", "'a*'", "", true},
	{"NumericEquals", "s3:max-keys", "'10'", "s3:max-keys=10.0", true},
	{"NumericNotEquals", "s3:max-keys", "'10'", "s3:max-keys=10", false},
	{"NumericNotEquals", "s3:max-keys", "'10'", "", true},
	{"NumericNotEquals", "s3:max-keys", "'10'", "s3:max-keys=x", true},
	{"NumericLessThan", "s3:max-keys", "'10'", "s3:max-keys=9", true},
	{"NumericLessThan", "s3:max-keys", "'10'", "s3:max-keys=10", false},
	{"NumericLessThanEquals", "s3:max-keys", "10", "s3:max-keys=10", true},
	{"NumericLessThanEquals", "s3:max-keys", "10", "s3:max-keys=x", false},
	{"NumericLessThanEquals", "s3:max-keys", "10", "", false},
	{"NumericLessThanEqualsIfExists", "s3:max-keys", "10", "", true},
	{"NumericGreaterThan", "s3:TlsVersion", "1.2", "s3:TlsVersion=1.3", true},
	{"NumericGreaterThanEquals", "s3:TlsVersion", "'1.2'", "s3:TlsVersion=1.2", true},
	{"DateEquals", "aws:CurrentTime", "'2020-01-01T00:00:00Z'",
	 "aws:CurrentTime=2020-01-01T01:00:00+01:00", true},
	{"DateNotEquals", "aws:CurrentTime", "'2020-01-01'", "aws:CurrentTime=2020-01-01T00:00:00Z",
	 false},
	{"DateLessThan", "aws:EpochTime", "'2020-01-01'", "aws:EpochTime=1577836799", true},
	{"DateLessThanEquals", "aws:EpochTime", "1577836800", "aws:EpochTime=1577836800", true},
	{"NumericLessThanEquals", "aws:EpochTime", "1577836800", "aws:EpochTime=1577836800", true},
	{"DateGreaterThan", "aws:TokenIssueTime", "'2020-01-01T00:00:01Z'", "", false},
	{"DateGreaterThan", "aws:TokenIssueTime", "'2020-01-01T00:00:01Z'",
	 "aws:TokenIssueTime=2020-01-01T00:00:01.001Z", true},
	{"DateGreaterThanEquals", "aws:CurrentTime", "'2020'", "aws:CurrentTime=2019-12-31", false},
	{"Bool", "aws:SecureTransport", "'false'", "aws:SecureTransport=false", true},
	{"Bool", "aws:SecureTransport", "false", "aws:SecureTransport=true", false},
	{"Bool", "aws:SecureTransport", "true", "aws:SecureTransport=TRUE", true},
	{"Bool", "aws:MultiFactorAuthPresent", "'false'", "", false},
	{"BoolIfExists", "aws:MultiFactorAuthPresent", "'false'", "", true},
	{"BinaryEquals", "acme:b", "'QmluYXJ5VmFsdWVJbkJhc2U2NA=='", "acme:b=BinaryValueInBase64",
	 true},
	{"BinaryEquals", "acme:b", "'QQ=='", "acme:b=B", false},
	{"BinaryEquals", "acme:b", "'QQ=='", "", false},
	{"IpAddress", "aws:SourceIp", "['203.0.113.0/24','2001:DB8:1234:5678::/64']",
	 "aws:SourceIp=203.0.113.9", true},
	{"IpAddress", "aws:SourceIp", "['203.0.113.0/24','2001:DB8:1234:5678::/64']",
	 "aws:SourceIp=2001:db8:1234:5678::9", true},
	{"IpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:SourceIp=198.51.100.1", false},
	{"IpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:SourceIp=@unix", false},
	{"NotIpAddress", "aws:SourceIp", "['10.0.0.0/8','203.0.113.0/24']",
	 "aws:SourceIp=203.0.113.9", false},
	{"NotIpAddress", "aws:SourceIp", "'203.0.113.0/24'", "", true},
	{"ArnEquals", "aws:PrincipalArn", "'arn:aws:iam::*:user/a*'", "", true},
	{"ArnLike", "aws:SourceArn", "'arn:aws:someservice:*:111122223333:finance/*'",
	 "aws:SourceArn=arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/"
	 "d",
	 false},
	{"StringLike", "aws:SourceArn", "'arn:aws:someservice:*:111122223333:finance/*'",
	 "aws:SourceArn=arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/"
	 "d",
	 true},
	{"ArnLike", "aws:SourceArn", "'arn:aws:s3:::b*'", "aws:SourceArn=arn:aws:s3:::b:c/d", true},
	{"ArnLike", "aws:SourceArn", "'arn:aws:s3:::b*'", "aws:SourceArn=b", false},
	{"ArnNotLike", "aws:SourceArn", "'arn:aws:s3:::b*'", "aws:SourceArn=b", true},
	{"ArnNotEquals", "aws:PrincipalArn", "'" ANN_ARN "'", "", false},
	{"ArnLike", "aws:SourceArn", "'*'", "aws:SourceArn=" ANN_ARN, true},
	{"ArnLike", "aws:SourceArn", "'*'", "aws:SourceArn=anything", false},
	{"ArnNotLike", "aws:SourceArn", "'*'", "aws:SourceArn=anything", true},
	{"IpAddress", "aws:SourceIp", "'0.0.0.0/0'", "aws:SourceIp=10.0.0.0/8", false},
	{"Null", "aws:TokenIssueTime", "'true'", "", true},
	{"Null", "aws:TokenIssueTime", "true", "aws:TokenIssueTime=2020", false},
	{"Null", "aws:TokenIssueTime", "'false'", "aws:TokenIssueTime=2020", true},
	{"Null", "aws:TokenIssueTime", "'false'", "", false},
	{"Null", "aws:Referer", "'true'", "aws:Referer=", true},
	{"Null", "aws:username", "'false'", "", true},
	{"ForAllValues:Null", "aws:TagKeys", "'false'", "", true},
	{"ForAnyValue:Null", "aws:TagKeys", "'true'", "", false},
	/* several values: ForAllValues is true of none, ForAnyValue false */
	{"ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=a\naws:TagKeys=b",
	 true},
	{"ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=a\naws:TagKeys=c",
	 false},
	{"ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "", true},
	{"ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=", true},
	{"ForAllValues:StringNotLike", "aws:TagKeys", "'key1*'", "aws:TagKeys=key1:legal", false},
	{"ForAllValues:StringNotLike", "aws:TagKeys", "'key1*'",
	 "aws:TagKeys=key1:hr\naws:TagKeys=key1:personnel", false},
	{"ForAllValues:StringNotLike", "aws:TagKeys", "'key1*'", "aws:TagKeys=key2:audit", true},
	{"ForAllValues:StringNotLike", "aws:TagKeys", "'key1*'", "", true},
	{"ForAllValues:StringNotEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=a\naws:TagKeys=c",
	 false},
	{"ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=c\naws:TagKeys=b",
	 true},
	{"ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=c", false},
	{"ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "", false},
	{"ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "['a','b']", "", true},
	{"ForAnyValue:StringNotEquals", "aws:TagKeys", "['a','b']", "aws:TagKeys=a\naws:TagKeys=c",
	 true},
	{"ForAnyValue:StringNotEquals", "aws:TagKeys", "['a','b']", "", false},
	/* without a set operator: one that matches is enough, and forbidden when negated */
	{"StringEquals", "aws:TagKeys", "'a'", "aws:TagKeys=a\naws:TagKeys=c", true},
	{"StringNotEquals", "aws:TagKeys", "'a'", "aws:TagKeys=a\naws:TagKeys=c", false},
	/* variables */
	{"StringEquals", "s3:prefix", "'${aws:username}'", "s3:prefix=ann", true},
	{"StringLike", "s3:prefix", "'${AWS:USERNAME}/*'", "s3:prefix=ann/x", true},
	{"StringLike", "s3:prefix", "'${aws:PrincipalTag/t}*'", "s3:prefix=x", false},
	{"StringNotLike", "s3:prefix", "'${aws:PrincipalTag/t}*'", "s3:prefix=x", true},
	{"StringLike", "s3:prefix", "'${aws:PrincipalTag/t, ^none^}/*'", "s3:prefix=none/x", true},
	{"StringLike", "s3:prefix", "'${aws:PrincipalTag/t, ^none^}/*'",
	 "s3:prefix=red/x\naws:PrincipalTag/t=red", true},
	{"StringLike", "s3:prefix", "'${aws:PrincipalTag/t, ^none^}/*'",
	 "s3:prefix=none/x\naws:PrincipalTag/t=red", false},
	{"StringLike", "s3:prefix", "'${aws:UserAgent}'", "s3:prefix=ab\naws:UserAgent=*", false},
	{"StringLike", "s3:prefix", "'${aws:UserAgent}'", "s3:prefix=*\naws:UserAgent=*", true},
	{"StringLike", "s3:prefix", "'${aws:TagKeys}'", "s3:prefix=a\naws:TagKeys=a\naws:TagKeys=b",
	 false},
	{"StringLike", "s3:prefix", "'a${*}b'", "s3:prefix=axb", false},
	{"StringLike", "s3:prefix", "'a${*}${?}${$}b'", "s3:prefix=a*?$b", true},
	{"StringEquals", "s3:prefix", "'${$}{aws:username}'", "s3:prefix=${aws:username}", true},
	{"ArnLike", "aws:SourceArn", "'${aws:PrincipalArn}'", "aws:SourceArn=" ANN_ARN, true},
	{"ArnLike", "aws:SourceArn", "'arn:aws:iam::*:user/${aws:username}'",
	 "aws:SourceArn=" ANN_ARN, true},
	{"Bool", "aws:SecureTransport", "'${aws:MultiFactorAuthPresent}'",
	 "aws:SecureTransport=false\naws:MultiFactorAuthPresent=false", true},
	{"StringEquals", "s3:ExistingObjectTag/Team", "'${aws:PrincipalTag/Team}'",
	 "s3:existingobjecttag/team=red\naws:PrincipalTag/TEAM=red", true},
};

static void operators_hold(void **state)
{
	for (size_t i = 0; ROW(operator_rows, i); i++) {
		char document[1024];
		struct support_context context = {.lines = operator_rows[i].context};
		struct auth_access access =
			support_access(&support_ann, "s3:GetObject", "arn:aws:s3:::b/k", &context);
		snprintf(document, sizeof(document), CONDITION("'%s':{'%s':%s}"),
			 operator_rows[i].operator, operator_rows[i].key, operator_rows[i].values);
		struct auth_policy *policy = support_policy(ID, document);
		int statement;
		bool holds = auth_policy_decide(policy, &access, &statement) == AUTH_EFFECT_ALLOW;
		if (holds != operator_rows[i].holds || statement != (holds ? 0 : -1))
			fail_msg("%s, context %s", document, operator_rows[i].context);
		auth_policy_unref(policy);
	}
}

/* The old version has no variables. */
static void variables_came_with_2012(void **state)
{
	static const char *const documents[] = {
		"{'Statement':{'Effect':'Allow','Action':'s3:GetObject','Resource':"
		"'arn:aws:s3:::b/${aws:username}'}}",
		"{'Version':'2008-10-17','Statement':{'Effect':'Allow','Action':'s3:GetObject',"
		"'Resource':'arn:aws:s3:::b/${aws:username}'}}",
	};
	for (size_t i = 0; ROW(documents, i); i++) {
		struct auth_policy *policy = support_policy(ID, documents[i]);
		struct support_context context = {.lines = ""};
		struct auth_access access = support_access(&support_ann, "s3:GetObject",
							   "arn:aws:s3:::b/ann", &context);
		assert_int_equal(auth_policy_decide(policy, &access, NULL), AUTH_EFFECT_NONE);
		access.resource = GML_LIT("arn:aws:s3:::b/${aws:username}");
		assert_int_equal(auth_policy_decide(policy, &access, NULL), AUTH_EFFECT_ALLOW);
		auth_policy_unref(policy);
	}
}

/* Bucket policies: which of ann, the session, the root user and an anonymous caller are meant. */
static const struct {
	const char *principal, *who; /* letters of those who are meant */
} principal_rows[] = {
	{"'Principal':'*'", "asr-"},
	{"'Principal':{'AWS':'*'}", "asr-"},
	{"'Principal':{'AWS':'000000000000'}", "asr"},
	{"'Principal':{'AWS':'arn:aws:iam::000000000000:root'}", "asr"},
	{"'Principal':{'AWS':'111111111111'}", ""},
	{"'Principal':{'AWS':'" ANN_ARN "'}", "a"},
	{"'Principal':{'AWS':'arn:aws:iam::000000000000:user/Ann'}", ""},
	{"'Principal':{'AWS':['" ANN_ARN "','" LAB_ARN "']}", "as"},
	{"'Principal':{'AWS':'arn:aws:sts::000000000000:assumed-role/lab/run1'}", "s"},
	{"'Principal':{'AWS':'arn:aws:sts::000000000000:assumed-role/lab/run2'}", ""},
	{"'Principal':{'CanonicalUser':'c0ffee'}", "a"},
	{"'Principal':{'Service':'s3.amazonaws.com'}", ""},
	{"'NotPrincipal':{'AWS':'" ANN_ARN "'}", "sr-"},
	/* AWS's examples: the account beside the user, the role beside the session */
	{"'NotPrincipal':{'AWS':['" ANN_ARN "','arn:aws:iam::000000000000:root']}", "s-"},
	{"'NotPrincipal':{'AWS':['arn:aws:sts::000000000000:assumed-role/lab/run1','" LAB_ARN
	 "','arn:aws:iam::000000000000:root']}",
	 "a-"},
	{"'NotPrincipal':{'AWS':'" LAB_ARN "'}", "asr-"},
	{"'NotPrincipal':'*'", ""},
};

static void principals_are_named(void **state)
{
	static const struct auth_principal *const all[] = {&support_ann, &support_session,
							   &support_root, &support_anonymous};
	for (size_t i = 0; ROW(principal_rows, i); i++) {
		char document[1024], who[5] = "", *end = who;
		struct support_context context = {.lines = ""};
		/* NotPrincipal can deny only. */
		snprintf(document, sizeof(document),
			 STATEMENT("%s,'Effect':'%s','Action':'s3:GetObject','Resource':'*'"),
			 principal_rows[i].principal,
			 principal_rows[i].principal[1] == 'N' ? "Deny" : "Allow");
		struct auth_policy *policy = support_policy(BK, document);
		for (size_t j = 0; j < 4; j++) {
			struct auth_access access = support_access(all[j], "s3:GetObject",
								   "arn:aws:s3:::b/k", &context);
			if (auth_policy_decide(policy, &access, NULL) != AUTH_EFFECT_NONE)
				*end++ = "asr-"[j];
		}
		if (strcmp(who, principal_rows[i].who) != 0)
			fail_msg("%s: %s", principal_rows[i].principal, who);
		auth_policy_unref(policy);
	}
}

/* The principal's keys, for each type. */
static void principals_have_keys(void **state)
{
	static const struct {
		const struct auth_principal *who;
		const char *key, *value; /* NULL: absent */
	} table[] = {
		{&support_ann, "aws:username", "ann"},
		{&support_session, "aws:username", NULL},
		{&support_root, "aws:username", NULL},
		{&support_anonymous, "aws:username", NULL},
		{&support_ann, "aws:userid", "AIDAANN"},
		{&support_session, "aws:userid", "AROALAB:run1"},
		{&support_anonymous, "aws:userid", "anonymous"},
		{&support_ann, "aws:PrincipalArn", ANN_ARN},
		{&support_session, "aws:PrincipalArn", LAB_ARN},
		{&support_anonymous, "aws:PrincipalArn", NULL},
		{&support_ann, "aws:PrincipalType", "User"},
		{&support_session, "aws:PrincipalType", "AssumedRole"},
		{&support_root, "aws:PrincipalType", "Account"},
		{&support_anonymous, "aws:PrincipalType", "Anonymous"},
		{&support_root, "aws:PrincipalAccount", "000000000000"},
		{&support_anonymous, "aws:PrincipalAccount", "anonymous"},
	};
	for (size_t i = 0; ROW(table, i); i++) {
		struct gml_span name = gml_span_text(table[i].key);
		struct auth_access access = {.principal = table[i].who};
		struct auth_values values = auth_access_values(&access, auth_key_find(name), name);
		if (values.count != (table[i].value != NULL) ||
		    (values.count == 1 && !gml_span_is(values.list[0], table[i].value)))
			fail_msg("row %zu: %s", i, table[i].key);
	}
}

static void needs_name_the_keys(void **state)
{
	struct auth_policy *policy = support_policy(
		ID, STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':"
			      "'arn:aws:s3:::b/${aws:username}/*','Condition':{'StringEquals':"
			      "{'s3:ExistingObjectTag/a':'${aws:PrincipalTag/a}','x:y':'z'}}"));
	assert_int_equal(
		auth_policy_needs(policy),
		AUTH_KEY_BIT(AUTH_KEY_USERNAME) | AUTH_KEY_BIT(AUTH_KEY_EXISTING_OBJECT_TAG) |
			AUTH_KEY_BIT(AUTH_KEY_PRINCIPAL_TAG) | AUTH_KEY_BIT(AUTH_KEY_OTHER));
	auth_policy_unref(policy);
}

static void keys_are_found(void **state)
{
	for (int key = 0; key < AUTH_KEY_OTHER; key++) {
		char name[128];
		snprintf(name, sizeof(name), "%s", auth_key_name((enum auth_key)key));
		if (name[strlen(name) - 1] == '/') {
			assert_int_equal(auth_key_find(gml_span_text(name)), AUTH_KEY_OTHER);
			strcat(name, "x/y");
		}
		struct gml_span span = gml_span_text(name);
		assert_int_equal(auth_key_find(span), key);
		assert_true(auth_key_valid(span));
		assert_false(auth_key_foreign(span));
	}
	assert_true(gml_span_is(auth_key_tag(AUTH_KEY_RESOURCE_TAG, GML_LIT("AWS:ResourceTag/x/y")),
				"x/y"));
	assert_int_equal(auth_key_tag(AUTH_KEY_PREFIX, GML_LIT("s3:prefix")).len, 0);
	assert_true(auth_key_foreign(GML_LIT("aws:sourcevpce")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_have_every_name),
		cmocka_unit_test(actions_match_wildcards),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(dates_have_the_documented_forms),
		cmocka_unit_test(networks_contain),
		cmocka_unit_test(patterns_match_as_plainly),
		cmocka_unit_test(patterns_count_characters),
		cmocka_unit_test(grammar_names_the_place),
		cmocka_unit_test(grammar_accepts),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(limits_of_conditions),
		cmocka_unit_test(operators_hold),
		cmocka_unit_test(variables_came_with_2012),
		cmocka_unit_test(principals_are_named),
		cmocka_unit_test(principals_have_keys),
		cmocka_unit_test(needs_name_the_keys),
		cmocka_unit_test(keys_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
