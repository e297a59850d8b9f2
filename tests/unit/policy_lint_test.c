// SPDX-License-Identifier: Apache-2.0
/* Warnings about policies, and explanations of decisions. */
#include "tests/unit/policy_support.h"

#include "auth/decision/explain.h"
#include "auth/policy/lint.h"
#include "auth/policy/near.h"
#include "auth/policy/position.h"

#define STATEMENT(rest) "{'Version':'2012-10-17','Statement':[{" rest "}]}"
#define USUAL "'Effect':'Allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::b/*'"
#define CONDITION(rest) STATEMENT(USUAL ",'Condition':{" rest "}")
#define ID AUTH_POLICY_IDENTITY
#define BK AUTH_POLICY_BUCKET

/* The first warning; an empty place: there is none. */
static const struct {
	enum auth_policy_kind kind;
	const char *document, *place, *text;
} lint_rows[] = {
	{ID, STATEMENT(USUAL), "", ""},
	{ID, STATEMENT("'Effect':'Allow','Action':'*','Resource':'*'"), "", ""},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:ListAllMyBuckets','Resource':'arn:aws:s3:::*'"),
	 "", ""},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':['iam:GetUser','sts:AssumeRole'],'Resource':"
		   "['arn:aws:iam::000000000000:user/ann','arn:aws:iam::*:role/*']"),
	 "", ""},
	{ID, STATEMENT("'Effect':'Allow','Action':['s3:Get*','s3:GetObjct'],'Resource':'*'"),
	 "Statement[0].Action[1]", "there is no action s3:GetObjct; did you mean 's3:GetObject'?"},
	{ID, "{'Statement':{'Effect':'Allow','Action':'s3:Foo','Resource':'*'}}",
	 "Statement.Action", "there is no action s3:Foo"},
	{ID, STATEMENT("'Effect':'Allow','Action':'ec2:*','Resource':'*'"), "Statement[0].Action",
	 "no service ec2"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b/*'"),
	 "Statement[0].Action", "buckets are arn:aws:s3:::BUCKET"},
	{ID, STATEMENT("'Effect':'Allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::b'"),
	 "Statement[0].Action", "objects are"},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'iam:ListUsers','Resource':"
		   "'arn:aws:iam::000000000000:user/ann'"),
	 "Statement[0].Action", "it needs \"*\""},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'iam:GetUser','Resource':"
		   "'arn:aws:iam::000000000000:group/g'"),
	 "Statement[0].Action", "not done to anything"},
	{ID, STATEMENT("'Effect':'Allow','NotAction':'iam:*','Resource':'*'"),
	 "Statement[0].NotAction", "everything but"},
	{ID, STATEMENT("'Effect':'Deny','NotAction':'iam:*','Resource':'*'"), "", ""},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:::b',"
		   "'arn:aws:sqs:us-east-1:000000000000:q']"),
	 "Statement[0].Resource[1]", "service sqs"},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:us-east-1::b',"
		   "'arn:aws:s3:::b']"),
	 "Statement[0].Resource[0]", "neither region nor account"},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'iam:GetUser','Resource':"
		   "'arn:aws:iam::111111111111:user/ann'"),
	 "Statement[0].Resource", "the only account is 000000000000"},
	{ID,
	 "{'Statement':{'Effect':'Allow','Action':'s3:GetObject','Resource':"
	 "'arn:aws:s3:::b/${aws:username}'}}",
	 "Statement.Resource", "2012-10-17"},
	{ID,
	 "{'Statement':{" USUAL ",'Condition':{'StringLike':{'s3:prefix':['a','${aws:userid}']}}}}",
	 "Statement.Condition.StringLike.s3:prefix", "2012-10-17"},
	{ID, CONDITION("'StringEquals':{'acme:colour':'red'}"),
	 "Statement[0].Condition.StringEquals.acme:colour", "no such key"},
	{ID, CONDITION("'StringEquals':{'aws:SourceVpce':'v'}"),
	 "Statement[0].Condition.StringEquals.aws:SourceVpce", "no request to Gemel"},
	{ID, CONDITION("'StringLike':{'aws:SourceIp':'10.*'}"),
	 "Statement[0].Condition.StringLike.aws:SourceIp", "IpAddress and NotIpAddress"},
	{ID, CONDITION("'NumericEquals':{'s3:prefix':'1'}"),
	 "Statement[0].Condition.NumericEquals.s3:prefix", "String…"},
	{ID, CONDITION("'IpAddress':{'aws:username':'10.0.0.1'}"),
	 "Statement[0].Condition.IpAddress.aws:username", "String…"},
	{ID, CONDITION("'Bool':{'aws:CurrentTime':'true'}"),
	 "Statement[0].Condition.Bool.aws:CurrentTime", "Date…"},
	{ID, CONDITION("'StringEquals':{'s3:max-keys':'10'}"),
	 "Statement[0].Condition.StringEquals.s3:max-keys", "Numeric…"},
	{ID,
	 CONDITION("'NumericLessThan':{'aws:EpochTime':'1'},'ArnLike':{'aws:PrincipalArn':'*'},"
		   "'StringLike':{'aws:PrincipalArn':'*'},'Null':{'aws:TokenIssueTime':'true'}"),
	 "", ""},
	{ID, CONDITION("'StringEquals':{'aws:username':[]}"),
	 "Statement[0].Condition.StringEquals.aws:username", "no value"},
	{ID, CONDITION("'StringEquals':{'aws:TagKeys':'a'}"),
	 "Statement[0].Condition.StringEquals.aws:TagKeys", "several values"},
	{ID, CONDITION("'ForAnyValue:StringEquals':{'aws:username':'a'}"),
	 "Statement[0].Condition.ForAnyValue:StringEquals.aws:username", "one value at most"},
	{ID, CONDITION("'ForAllValues:Null':{'aws:TagKeys':'false'}"),
	 "Statement[0].Condition.ForAllValues:Null.aws:TagKeys", "always true"},
	{ID, CONDITION("'ForAllValues:StringEquals':{'aws:TagKeys':'a'}"),
	 "Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys", "a Null condition"},
	{ID,
	 CONDITION(
		 "'ForAllValues:StringEquals':{'aws:TagKeys':'a'},'Null':{'aws:tagkeys':'false'}"),
	 "", ""},
	{BK,
	 STATEMENT("'Principal':{'AWS':['" ANN_ARN "','000000000000'],'CanonicalUser':'c'}," USUAL),
	 "", ""},
	{BK, STATEMENT("'Principal':'*'," USUAL), "Statement[0].Principal",
	 "anonymous callers included: this makes the policy public"},
	{BK,
	 STATEMENT("'Principal':'*'," USUAL ",'Condition':{'StringLike':{'aws:UserAgent':'x*'}}"),
	 "Statement[0].Principal", "no condition ties it to"},
	{BK,
	 STATEMENT("'Principal':'*','Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::b'"),
	 "", ""},
	{ID,
	 STATEMENT("'Effect':'Allow','Action':'s3:GetObject','Resource':"
		   "'arn:aws:s3:::b/${aws:usernme}/*'"),
	 "Statement[0].Resource",
	 "no request has a key aws:usernme: this matches nothing; did you mean 'aws:username'?"},
	{ID, CONDITION("'StringLike':{'s3:prefix':['a','${aws:sourcevpc, ^x^}/']}"),
	 "Statement[0].Condition.StringLike.s3:prefix", "the default stands for it always"},
	{ID, CONDITION("'StringLike':{'s3:prefx':'a'}"),
	 "Statement[0].Condition.StringLike.s3:prefx", "did you mean 's3:prefix'?"},
	{ID, STATEMENT(USUAL "},{" USUAL), "Statement[1]", "Statement[0] says all that this says"},
	{ID, STATEMENT(USUAL "},{'Effect':'Allow','Action':'s3:Get*','Resource':'*'"),
	 "Statement[0]", "Statement[1] says all that this says"},
	{ID, STATEMENT(USUAL "},{'Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::b*'"),
	 "Statement[0]", "Statement[1] denies all that this allows"},
	{BK,
	 STATEMENT("'Principal':'*'," USUAL
		   ",'Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}"),
	 "", ""},
	{BK, STATEMENT("'Principal':{'AWS':'111111111111'}," USUAL), "Statement[0].Principal",
	 "111111111111 is nobody"},
	{BK, STATEMENT("'Principal':{'AWS':'arn:aws:iam::111111111111:role/r'}," USUAL),
	 "Statement[0].Principal", "is nobody"},
	{BK, STATEMENT("'Principal':{'Service':'s3.amazonaws.com'}," USUAL),
	 "Statement[0].Principal", "s3.amazonaws.com is nobody"},
	{BK, STATEMENT("'NotPrincipal':'*','Effect':'Deny','Action':'s3:*','Resource':'*'"),
	 "Statement[0].NotPrincipal", "never applies"},
};

/* Pairs of statements of which none makes the other superfluous. */
static const char *const both_needed[] = {
	USUAL "},{'Effect':'Deny','Action':'s3:PutObject','Resource':'*'",
	USUAL "},{'Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::b/?'",
	USUAL "},{'Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::b/${*}'",
	USUAL "},{'Effect':'Deny','Action':'s3:*','NotResource':'arn:aws:s3:::c/*'",
	USUAL "},{'Effect':'Deny','Action':'s3:*','Resource':'*','Condition':{'Bool':"
	      "{'aws:SecureTransport':'false'}}",
	USUAL ",'Condition':{'Bool':{'aws:SecureTransport':'true'}}},{" USUAL
	      ",'Condition':{'Bool':{'aws:SecureTransport':'false'}}",
	"'Effect':'Allow','Action':'s3:*','Resource':'*'},{'Effect':'Deny','Action':"
	"'s3:DeleteObject','Resource':'*'",
};

struct first_warning {
	unsigned count;
	char place[256], text[512];
};

static void lint_first(void *arg, const char *place, const char *text)
{
	struct first_warning *first = arg;
	if (first->count++ > 0)
		return;
	snprintf(first->place, sizeof(first->place), "%s", place);
	snprintf(first->text, sizeof(first->text), "%s", text);
}

static void lint_warns(void **state)
{
	for (size_t i = 0; i < sizeof(lint_rows) / sizeof(lint_rows[0]); i++) {
		struct auth_policy *policy =
			support_policy(lint_rows[i].kind, lint_rows[i].document);
		struct first_warning first = {0};
		auth_policy_lint(policy, GML_LIT("000000000000"), lint_first, &first);
		if (strcmp(first.place, lint_rows[i].place) != 0 ||
		    strstr(first.text, lint_rows[i].text) == NULL ||
		    (first.count > 0) != (lint_rows[i].place[0] != '\0'))
			fail_msg("%s: %s: %s", lint_rows[i].document, first.place, first.text);
		auth_policy_unref(policy);
	}
}

static void needed_statements_are_left_alone(void **state)
{
	for (size_t i = 0; i < sizeof(both_needed) / sizeof(both_needed[0]); i++) {
		char document[1024];
		struct first_warning first = {0};
		snprintf(document, sizeof(document), STATEMENT("%s"), both_needed[i]);
		struct auth_policy *policy = support_policy(ID, document);
		auth_policy_lint(policy, GML_LIT("000000000000"), lint_first, &first);
		if (first.count > 0)
			fail_msg("%s: %s: %s", document, first.place, first.text);
		auth_policy_unref(policy);
	}
}

/* Errors that do not hide each other, with what they say and where they are. */
static const char mistakes[] = "{'Version': '2012-10-17', 'Statment': [],\n"
			       " 'Statement': [\n"
			       "  {'Effect': 'allow', 'Action': ['s3:GetObjct', 's3:PutObject',\n"
			       "    'HeadObject'], 'Resource': ['b', 'arn:aws:s3:::b/*'],\n"
			       "   'Principal': {'AWS': 'ann'}},\n"
			       "  {'Effect': 'Deny', 'Principal': '*', 'Action': 's3:*',\n"
			       "   'Resource': '*', 'Condition': {'StringEqual': {'é': 1},\n"
			       "    'NumericEquals': {'s3:max-keys': [1, 'x', 'y'],\n"
			       "\t'aws:SourceIpp': 1}}}, 7]}";
static const struct mistake {
	const char *place, *text;
	unsigned line, column;
} mistake_rows[] = {
	{"Statment", "did you mean 'Statement'?", 1, 27},
	{"Statement[0].Effect", "\"allow\" is not allowed", 3, 4},
	{"Statement[0].Principal.AWS", "\"ann\" is not allowed", 5, 18},
	{"Statement[0].Resource[0]", "\"b\" is not allowed", 4, 33},
	{"Statement[0].Action[0]", "did you mean 's3:GetObject'?", 3, 34},
	{"Statement[0].Action[2]", "did you mean 's3:GetObject'?", 4, 5},
	{"Statement[1].Condition.StringEqual", "did you mean 'StringEquals'?", 7, 35},
	{"Statement[1].Condition.NumericEquals.s3:max-keys[1]", "a number", 8, 42},
	{"Statement[1].Condition.NumericEquals.s3:max-keys[2]", "a number", 8, 47},
	{"Statement[1].Condition.NumericEquals.aws:SourceIpp", "did you mean 'aws:SourceIp'?", 9,
	 2},
	{"Statement[2]", "a statement is an object", 9, 25},
};
#define MISTAKES (sizeof(mistake_rows) / sizeof(mistake_rows[0]))

struct mistakes_seen {
	struct gml_span document;
	unsigned count;
};

static void mistake_seen(void *arg, const struct auth_policy_error *error)
{
	struct mistakes_seen *seen = arg;
	const struct mistake *row = &mistake_rows[seen->count++ % MISTAKES];
	unsigned line, column;
	bool found = auth_position_find(seen->document, error->place, &line, &column);
	if (strcmp(error->place, row->place) != 0 || strstr(error->text, row->text) == NULL ||
	    !found || line != row->line || column != row->column)
		fail_msg("%u:%u: %s: %s", line, column, error->place, error->text);
}

/* ' stands for a double quote. */
static char *quoted(const char *document)
{
	char *text = strdup(document);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	return text;
}

static void all_errors_are_told(void **state)
{
	char *text = quoted(mistakes);
	struct mistakes_seen seen = {.document = gml_span_text(text)};
	struct auth_policy *policy;
	assert_false(
		auth_policy_check(BK, seen.document, GML_LIT("b"), &policy, mistake_seen, &seen));
	assert_null(policy);
	assert_int_equal(seen.count, MISTAKES);
	free(text);
}

static void mistake_counted(void *arg, const struct auth_policy_error *error)
{
	(*(unsigned *)arg)++;
	assert_string_equal(error->text, "a statement is an object");
}

static void errors_are_bounded(void **state)
{
	char document[2048], *at = document;
	struct auth_policy *policy;
	unsigned count = 0;
	at += sprintf(at, "{\"Statement\":[0");
	for (int i = 1; i < AUTH_POLICY_STATEMENTS_MAX; i++)
		at += sprintf(at, ",%d", i);
	strcpy(at, "]}");
	assert_false(auth_policy_check(ID, gml_span_text(document), gml_span_of(NULL, 0), &policy,
				       mistake_counted, &count));
	assert_int_equal(count, AUTH_POLICY_ERRORS_MAX);
}

static void positions(void **state)
{
	static const struct {
		const char *document, *place;
		unsigned line, column; /* 0: there is no such place */
	} rows[] = {
		{"  {}", "", 1, 3},
		{"{'a':{'b':[1,{'c':2}]}}", "a", 1, 2},
		{"{'a':{'b':[1,{'c':2}]}}", "a.b[1].c", 1, 15},
		{"{'x':{'a':1},\n'a':{'b':[ 1 ,\n2]}}", "a.b[1]", 3, 1},
		{"{'x':['}',']','\\\\','\\''],'a':1}", "a", 1, 26},
		{"{'é€':1,'a':2}", "a", 1, 9},
		{"{'\\u0061':1}", "a", 1, 2},
		{"{'\\n':1}", "?", 1, 2},
		{"{'a.b':1,'a':{'b':2}}", "a.b", 1, 2},
		{"{'a':{}}", "a.b", 0, 0},
		{"{'a':[]}", "a[0]", 0, 0},
		{"[]", "a", 0, 0},
		{"7", "a", 0, 0},
		{"", "a", 0, 0},
		{"{'a':[[[[[[[[[[1]]]]]]]]]]}", "a[0][0][0][0][0][0][0][0][0][0]", 0, 0},
		{"{'a", "b", 0, 0},
		{"{'a':{'b", "a.c", 0, 0},
		{"{'a':", "b", 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = quoted(rows[i].document);
		unsigned line = 9, column = 9;
		bool found = auth_position_find(gml_span_text(text), rows[i].place, &line, &column);
		if (found != (rows[i].line > 0) || line != rows[i].line || column != rows[i].column)
			fail_msg("%s: %s: %u:%u", text, rows[i].place, line, column);
		free(text);
	}
}

static void names_are_guessed(void **state)
{
	static const struct {
		const char *(*near)(struct gml_span name);
		const char *word, *meant;
	} rows[] = {
		{auth_near_action, "s3:GetObjects", "s3:GetObject"},
		{auth_near_action, "s3:getobjct", "s3:GetObject"},
		{auth_near_action, "PutObject", "s3:PutObject"},
		{auth_near_action, "s3:ListObjectsV2", "s3:ListBucket"},
		{auth_near_action, "HeadBucket", "s3:ListBucket"},
		{auth_near_action, "s3:ListBuckets", "s3:ListAllMyBuckets"},
		{auth_near_action, "gemel:Chwon", "gemel:Chown"},
		{auth_near_action, "s3:Frobnicate", ""},
		{auth_near_action, "", ""},
		{auth_near_key, "aws:SourceIP2", "aws:SourceIp"},
		{auth_near_key, "s3:ExistingObjectTags/team", "s3:ExistingObjectTag/"},
		{auth_near_key, "acme:colour", ""},
		{auth_near_operator, "StringLikes", "StringLike"},
		{auth_near_operator, "forAnyValue:stringequal", "StringEquals"},
		{auth_near_operator, "NumericGreaterIfExists", "NumericGreaterThan"},
		{auth_near_operator, "Matches", ""},
	};
	char question[AUTH_NEAR_MAX];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(rows[i].near(gml_span_text(rows[i].word)) ?: "", rows[i].meant);
	assert_string_equal(auth_near_question("Null", question), "; did you mean 'Null'?");
	assert_string_equal(auth_near_question(NULL, question), "");
}

/* What is suggested for calls that are no actions is one. */
static void suggestions_exist(void **state)
{
	static const char *const calls[] = {"CompleteMultipartUpload",
					    "CopyObject",
					    "CreateMultipartUpload",
					    "DeleteBucketCors",
					    "DeleteBucketEncryption",
					    "DeleteBucketLifecycle",
					    "DeleteBucketOwnershipControls",
					    "DeleteBucketReplication",
					    "DeleteBucketTagging",
					    "DeleteObjects",
					    "DeletePublicAccessBlock",
					    "GetBucketEncryption",
					    "GetBucketLifecycle",
					    "GetBucketLifecycleConfiguration",
					    "GetBucketReplication",
					    "GetObjectLockConfiguration",
					    "GetPublicAccessBlock",
					    "HeadBucket",
					    "HeadObject",
					    "ListBuckets",
					    "ListMultipartUploads",
					    "ListObjects",
					    "ListObjectsV2",
					    "ListObjectVersions",
					    "ListParts",
					    "PutBucketEncryption",
					    "PutBucketLifecycle",
					    "PutBucketLifecycleConfiguration",
					    "PutBucketReplication",
					    "PutObjectLockConfiguration",
					    "PutPublicAccessBlock",
					    "UploadPart",
					    "UploadPartCopy"};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const char *action = auth_near_action(gml_span_text(calls[i]));
		if (action == NULL || auth_action_find(gml_span_text(action)) == AUTH_ACTION_NONE ||
		    strcmp(action + 3, calls[i]) == 0)
			fail_msg("%s: %s", calls[i], action);
	}
}

/* One statement for each obstacle. */
static const char explained[] =
	"{'Version':'2012-10-17','Statement':["
	"{'Sid':'A','Principal':'*','Effect':'Allow','NotAction':['s3:GetObject','s3:Put*'],"
	"'Resource':'*'},"
	"{'Sid':'P','Principal':{'AWS':['" LAB_ARN "','000000000001']},'Effect':'Allow','Action':"
	"'s3:*','Resource':'*'},"
	"{'Sid':'R','Principal':'*','Effect':'Deny','Action':'s3:*','Resource':['arn:aws:s3:::b/x',"
	"'arn:aws:s3:::b/${aws:username}']},"
	"{'Sid':'C','Principal':'*','Effect':'Allow','Action':'s3:*','Resource':'*','Condition':{"
	"'Bool':{'aws:SecureTransport':'true'},'NumericLessThan':{'s3:max-keys':[10,20]}}},"
	"{'Sid':'M','Principal':'*','Effect':'Allow','Action':'s3:*','Resource':'*'}]}";

struct explained_all {
	int count, stop;
};

static bool explain_each(void *arg, const struct auth_explanation *told)
{
	static const struct {
		const char *sid, *place, *wanted;
		enum auth_obstacle obstacle;
	} want[] = {
		{"A", "Statement[0].NotAction", "s3:GetObject, s3:Put*", AUTH_OBSTACLE_ACTION},
		{"P", "Statement[1].Principal", LAB_ARN ", 000000000001", AUTH_OBSTACLE_PRINCIPAL},
		{"R", "Statement[2].Resource", "arn:aws:s3:::b/x, arn:aws:s3:::b/${aws:username}",
		 AUTH_OBSTACLE_RESOURCE},
		{"C", "Statement[3].Condition.NumericLessThan.s3:max-keys", "10, 20",
		 AUTH_OBSTACLE_CONDITION},
		{"M", "Statement[4]", "", AUTH_OBSTACLE_NONE},
	};
	struct explained_all *all = arg;
	int i = all->count++;
	assert_in_range(i, 0, 4);
	assert_int_equal(told->statement, i);
	assert_true(gml_span_is(told->sid, want[i].sid));
	assert_string_equal(told->place, want[i].place);
	assert_string_equal(told->wanted, want[i].wanted);
	assert_int_equal(told->obstacle, want[i].obstacle);
	assert_int_equal(told->allow, i != 2);
	assert_int_equal(told->kind, BK);
	assert_string_equal(told->origin, "bucket b");
	assert_int_equal(told->values.count, i == 3);
	if (i == 3)
		assert_true(gml_span_is(told->values.list[0], "100"));
	return all->count != all->stop;
}

static void decisions_are_explained(void **state)
{
	struct auth_policy *policy = support_policy(BK, explained);
	struct auth_policy_set *set =
		auth_policy_set_new(&(struct auth_policy_source){policy, "bucket b"}, 1);
	struct support_context context = {.lines = "aws:SecureTransport=true\ns3:max-keys=100"};
	struct auth_access access =
		support_access(&support_ann, "s3:GetObject", "arn:aws:s3:::b/k", &context);
	struct explained_all all = {0};
	auth_policy_unref(policy);
	auth_policy_explain((const struct auth_policy_set *const[]){set}, 1, &access, explain_each,
			    &all);
	assert_int_equal(all.count, 5);
	all = (struct explained_all){.stop = 2};
	auth_policy_explain((const struct auth_policy_set *const[]){set}, 1, &access, explain_each,
			    &all);
	assert_int_equal(all.count, 2);
	auth_policy_set_free(set);
}

static bool explain_long(void *arg, const struct auth_explanation *told)
{
	(void)arg;
	assert_int_equal(told->obstacle, AUTH_OBSTACLE_RESOURCE);
	assert_true(strlen(told->wanted) < 512);
	assert_string_equal(told->wanted + strlen(told->wanted) - strlen(", …"), ", …");
	return true;
}

/* What does not fit is left out, and that is said. */
static void long_lists_are_cut(void **state)
{
	char document[4096], *at = document;
	at += sprintf(at, "{'Statement':{'Effect':'Allow','Action':'s3:*','Resource':[");
	for (int i = 0; i < 60; i++)
		at += sprintf(at, "%s'arn:aws:s3:::bucket-%d/*'", i > 0 ? "," : "", i);
	strcpy(at, "]}}");
	struct auth_policy *policy = support_policy(ID, document);
	struct auth_policy_set *set =
		auth_policy_set_new(&(struct auth_policy_source){policy, "x"}, 1);
	struct support_context context = {.lines = ""};
	struct auth_access access =
		support_access(&support_ann, "s3:GetObject", "arn:aws:s3:::b/k", &context);
	auth_policy_unref(policy);
	auth_policy_explain((const struct auth_policy_set *const[]){set}, 1, &access, explain_long,
			    NULL);
	auth_policy_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_warns),
		cmocka_unit_test(needed_statements_are_left_alone),
		cmocka_unit_test(all_errors_are_told),
		cmocka_unit_test(errors_are_bounded),
		cmocka_unit_test(positions),
		cmocka_unit_test(names_are_guessed),
		cmocka_unit_test(suggestions_exist),
		cmocka_unit_test(decisions_are_explained),
		cmocka_unit_test(long_lists_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
