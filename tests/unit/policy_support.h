// SPDX-License-Identifier: Apache-2.0
/* Policies and requests for tests. */
#ifndef GML_TESTS_POLICY_SUPPORT_H
#define GML_TESTS_POLICY_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/decision/set.h"

#define ANN_ARN "arn:aws:iam::000000000000:user/ann"
#define LAB_ARN "arn:aws:iam::000000000000:role/lab"

static const struct auth_principal support_ann = {
	.type = AUTH_PRINCIPAL_USER,
	.arn = GML_LIT(ANN_ARN),
	.userid = GML_LIT("AIDAANN"),
	.username = GML_LIT("ann"),
	.account = GML_LIT("000000000000"),
	.canonical = GML_LIT("c0ffee"),
};
static const struct auth_principal support_session = {
	.type = AUTH_PRINCIPAL_SESSION,
	.arn = GML_LIT("arn:aws:sts::000000000000:assumed-role/lab/run1"),
	.role = GML_LIT(LAB_ARN),
	.userid = GML_LIT("AROALAB:run1"),
	.account = GML_LIT("000000000000"),
};
static const struct auth_principal support_root = {
	.type = AUTH_PRINCIPAL_ACCOUNT,
	.arn = GML_LIT("arn:aws:iam::000000000000:root"),
	.userid = GML_LIT("000000000000"),
	.account = GML_LIT("000000000000"),
};
static const struct auth_principal support_anonymous = {.type = AUTH_PRINCIPAL_ANONYMOUS};

/* The keys of a request, as "KEY=VALUE" lines: a key that stands twice has two values; "KEY" alone
 * is a key with an empty list. Compares names without regard to case. */
struct support_context {
	const char *lines;
	struct gml_span values[8][8]; /* one row a question; they live as long as the request */
	unsigned asked;
};

static struct auth_values support_values(void *arg, enum auth_key key, struct gml_span name)
{
	struct support_context *context = arg;
	struct gml_span rest = gml_span_text(context->lines);
	struct gml_span *list = context->values[context->asked++ % 8];
	size_t count = 0;
	(void)key;
	while (rest.len > 0) {
		struct gml_span value = gml_span_cut(&rest, '\n'),
				found = gml_span_cut(&value, '=');
		if (gml_span_equal_nocase(found, name) && value.ptr != NULL && count < 8)
			list[count++] = value;
	}
	return (struct auth_values){list, count};
}

/* A document that must be right; ' stands for a double quote and ^ for a single one. */
static inline struct auth_policy *support_policy(enum auth_policy_kind kind, const char *document)
{
	struct auth_policy_error error;
	struct auth_policy *policy;
	char *text = strdup(document);
	for (char *at = text; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
		else if (*at == '^')
			*at = '\'';
	if (!auth_policy_parse(kind, gml_span_text(text), gml_span_of(NULL, 0), &policy, &error))
		fail_msg("%s: %s\n%s", error.place, error.text, text);
	free(text);
	return policy;
}

static inline struct auth_access support_access(const struct auth_principal *who,
						const char *action, const char *resource,
						struct support_context *context)
{
	struct auth_access access = {
		.principal = who,
		.action = auth_action_find(gml_span_text(action)),
		.resource = gml_span_text(resource),
		.values = support_values,
		.arg = context,
	};
	if (access.action == AUTH_ACTION_NONE)
		fail_msg("no action %s", action);
	return access;
}

/* Numbers that look random and are the same in every run. */
static inline uint32_t support_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 32) % below);
}

#endif
