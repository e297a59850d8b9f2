// SPDX-License-Identifier: Apache-2.0
/* What is particular to policies of buckets and to trust policies: when one is public, and what may
 * stand in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "auth/policy/policy.h"

#define DOCUMENT(text) "{\"Version\":\"2012-10-17\",\"Statement\":[" text "]}"
#define ALLOW(principal, condition)                                                                \
	DOCUMENT("{\"Effect\":\"Allow\",\"Principal\":" principal                                  \
		 ",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/*\"" condition "}")
#define WHEN(operator, key, value) ",\"Condition\":{\"" operator"\":{\"" key "\":" value "}}"

static struct auth_policy *parse(enum auth_policy_kind kind, const char *document)
{
	struct auth_policy_error error;
	struct auth_policy *policy;
	if (!auth_policy_parse(kind, gml_span_text(document), gml_span_text(""), &policy, &error))
		fail_msg("%s\n%s: %s", document, error.place, error.text);
	return policy;
}

static void test_public(void **state)
{
	static const struct {
		bool is_public;
		const char *document;
	} cases[] = {
		{true, ALLOW("\"*\"", "")},
		{true, ALLOW("{\"AWS\":\"*\"}", "")},
		{true, ALLOW("{\"AWS\":[\"arn:aws:iam::000000000000:user/ann\",\"*\"]}", "")},
		{false, ALLOW("{\"AWS\":\"arn:aws:iam::000000000000:user/ann\"}", "")},
		{false, ALLOW("{\"AWS\":\"000000000000\"}", "")},
		{false, DOCUMENT("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\","
				 "\"Resource\":\"arn:aws:s3:::b/*\"}")},
		/* tied to networks */
		{false, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"203.0.113.0/24\""))},
		{false, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "[\"9.0.0.0/8\"]"))},
		{true, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"8.0.0.0/7\""))},
		{true, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"0.0.0.0/0\""))},
		{true, ALLOW("\"*\"",
			     WHEN("IpAddress", "aws:SourceIp", "[\"9.0.0.0/8\",\"0.0.0.0/1\"]"))},
		{false, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"10.0.0.0/8\""))},
		{false, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"2001:db8::/32\""))},
		{true, ALLOW("\"*\"", WHEN("IpAddress", "aws:SourceIp", "\"2001::/16\""))},
		{true, ALLOW("\"*\"", WHEN("NotIpAddress", "aws:SourceIp", "\"9.0.0.0/8\""))},
		{true, ALLOW("\"*\"", WHEN("IpAddressIfExists", "aws:SourceIp", "\"9.0.0.0/8\""))},
		/* tied to principals */
		{false, ALLOW("\"*\"", WHEN("StringEquals", "aws:username", "\"ann\""))},
		{false, ALLOW("\"*\"", WHEN("StringEquals", "aws:PrincipalOrgID", "\"o-1\""))},
		{false, ALLOW("\"*\"", WHEN("ArnLike", "aws:PrincipalArn",
					    "\"arn:aws:iam::000000000000:user/ann\""))},
		{true, ALLOW("\"*\"", WHEN("ArnLike", "aws:PrincipalArn",
					   "\"arn:aws:iam::000000000000:user/*\""))},
		{true, ALLOW("\"*\"", WHEN("StringLike", "aws:userid", "\"AROAX:*\""))},
		{true, ALLOW("\"*\"", WHEN("StringEquals", "aws:username", "\"${aws:username}\""))},
		{true, ALLOW("\"*\"", WHEN("StringNotEquals", "aws:username", "\"ann\""))},
		{true,
		 ALLOW("\"*\"", WHEN("ForAllValues:StringEquals", "aws:username", "\"ann\""))},
		{false,
		 ALLOW("\"*\"", WHEN("ForAnyValue:StringEquals", "aws:username", "\"ann\""))},
		{false,
		 ALLOW("\"*\"", WHEN("StringEquals", "aws:PrincipalAccount", "\"000000000000\""))},
		/* which are everybody */
		{true,
		 ALLOW("\"*\"", WHEN("StringEquals", "aws:PrincipalAccount", "\"anonymous\""))},
		{true, ALLOW("\"*\"", WHEN("StringEqualsIgnoreCase", "aws:userid",
					   "[\"AIDA\",\"Anonymous\"]"))},
		/* what anybody can say */
		{true, ALLOW("\"*\"", WHEN("StringEquals", "aws:Referer", "\"http://x/\""))},
		{true, ALLOW("\"*\"", WHEN("Bool", "aws:SecureTransport", "\"true\""))},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct auth_policy *policy = parse(AUTH_POLICY_BUCKET, cases[i].document);
		if (auth_policy_is_public(policy) != cases[i].is_public)
			fail_msg("%spublic: %s", cases[i].is_public ? "not " : "",
				 cases[i].document);
		auth_policy_unref(policy);
	}
}

#define TRUST(principal, action, more)                                                             \
	DOCUMENT("{\"Effect\":\"Allow\"" principal ",\"Action\":" action more "}")
#define TRUSTS ",\"Principal\":{\"AWS\":\"arn:aws:iam::000000000000:user/ann\"}"

static void test_trust(void **state)
{
	static const struct {
		const char *place, *document;
	} bad[] = {
		{"Statement[0].Resource",
		 TRUST(TRUSTS, "\"sts:AssumeRole\"", ",\"Resource\":\"*\"")},
		{"Statement[0].NotResource",
		 TRUST(TRUSTS, "\"sts:AssumeRole\"", ",\"NotResource\":\"*\"")},
		{"Statement[0]", TRUST("", "\"sts:AssumeRole\"", "")},
		{"Statement[0].Action", TRUST(TRUSTS, "\"s3:GetObject\"", "")},
		{"Statement[0].Action[1]", TRUST(TRUSTS, "[\"sts:AssumeRole\",\"*\"]", "")},
	};
	const struct auth_principal ann = {.type = AUTH_PRINCIPAL_USER,
					   .arn = GML_LIT("arn:aws:iam::000000000000:user/ann")},
				    bob = {.type = AUTH_PRINCIPAL_USER,
					   .arn = GML_LIT("arn:aws:iam::000000000000:user/bob")};
	struct auth_access access = {.principal = &ann,
				     .action = auth_action_find(GML_LIT("sts:AssumeRole")),
				     .resource = GML_LIT("arn:aws:iam::000000000000:role/reader")};
	struct auth_policy_error error;
	struct auth_policy *policy;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (auth_policy_parse(AUTH_POLICY_TRUST, gml_span_text(bad[i].document),
				      gml_span_text(""), &policy, &error))
			fail_msg("taken: %s", bad[i].document);
		assert_string_equal(error.place, bad[i].place);
	}
	policy = parse(AUTH_POLICY_TRUST, TRUST(TRUSTS, "\"STS:Assume*\"", ""));
	assert_int_equal(auth_policy_decide(policy, &access, NULL), AUTH_EFFECT_ALLOW);
	access.principal = &bob;
	assert_int_equal(auth_policy_decide(policy, &access, NULL), AUTH_EFFECT_NONE);
	access.principal = &ann;
	access.action = auth_action_find(GML_LIT("s3:GetObject"));
	assert_int_equal(auth_policy_decide(policy, &access, NULL), AUTH_EFFECT_NONE);
	auth_policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_public),
					   cmocka_unit_test(test_trust)};
	return cmocka_run_group_tests_name("policy_kinds", tests, NULL, NULL);
}
