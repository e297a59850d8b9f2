// SPDX-License-Identifier: Apache-2.0
/* What a policy would say to a request that nobody has made (SimulateCustomPolicy). */
#include <gemel/err.h>
#include <gemel/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include "auth/decision/explain.h"
#include "gateway/base/span.h"
#include "document.h"
#include "name.h"

#define SIMULATE_VALUES_MAX 64

struct simulate {
	const struct gml_policy_question *question;
	struct auth_principal who;
	char arn[64 + GML_USER_NAME_MAX];
	/* the values of one key stand together */
	struct gml_span keys[SIMULATE_VALUES_MAX], values[SIMULATE_VALUES_MAX];
	size_t count;
	void (*each)(void *arg, const struct gml_policy_reason *reason);
	void *arg;
};

static struct auth_values simulate_values(void *arg, enum auth_key key, struct gml_span name)
{
	const struct simulate *simulate = arg;
	size_t first = 0, end;
	(void)key;
	while (first < simulate->count && !gml_span_equal_nocase(simulate->keys[first], name))
		first++;
	for (end = first; end < simulate->count; end++)
		if (!gml_span_equal_nocase(simulate->keys[end], name))
			break;
	return (struct auth_values){&simulate->values[first], end - first};
}

static void simulate_add(struct simulate *simulate, struct gml_span key, struct gml_span value)
{
	size_t at = simulate->count++;
	while (at > 0 && !gml_span_equal_nocase(simulate->keys[at - 1], key))
		at--;
	if (at == 0)
		at = simulate->count - 1;
	for (size_t i = simulate->count - 1; i > at; i--) {
		simulate->keys[i] = simulate->keys[i - 1];
		simulate->values[i] = simulate->values[i - 1];
	}
	simulate->keys[at] = key;
	simulate->values[at] = value;
}

/* Does `user` say what the value is? */
static bool simulate_is_caller(struct gml_span name)
{
	return auth_key_source(auth_key_find(name)) == AUTH_KEY_PRINCIPAL;
}

static int simulate_read(struct simulate *simulate)
{
	const struct gml_policy_question *question = simulate->question;
	simulate->count = 0;
	if (question->nvalues > SIMULATE_VALUES_MAX)
		return GML_ERR_INVAL;
	for (size_t i = 0; i < question->nvalues; i++) {
		struct gml_span rest = gml_span_text(question->values[i]), key;
		if (gml_span_find(rest, '=') == rest.len)
			return GML_ERR_INVAL;
		key = gml_span_cut(&rest, '=');
		if (auth_key_find(key) == AUTH_KEY_OTHER)
			return GML_ERR_NOENT;
		if (simulate_is_caller(key))
			return GML_ERR_NOTSUP;
		simulate_add(simulate, key, rest);
	}
	simulate->who = (struct auth_principal){.type = AUTH_PRINCIPAL_ANONYMOUS};
	if (question->user == NULL)
		return 0;
	snprintf(simulate->arn, sizeof(simulate->arn), "arn:aws:iam::" GML_IAM_ACCOUNT ":user/%s",
		 question->user);
	simulate->who = (struct auth_principal){.type = AUTH_PRINCIPAL_USER,
						.arn = gml_span_text(simulate->arn),
						.username = gml_span_text(question->user),
						.account = GML_LIT(GML_IAM_ACCOUNT)};
	return 0;
}

static bool simulate_statement(void *arg, const struct auth_explanation *explanation)
{
	const struct simulate *simulate = arg;
	const struct gml_policy_reason reason = {
		.statement = explanation->statement,
		.sid = explanation->sid,
		.allow = explanation->allow,
		.matches = explanation->obstacle == AUTH_OBSTACLE_NONE,
		.place = explanation->place,
		.wanted = explanation->wanted,
	};
	simulate->each(simulate->arg, &reason);
	return true;
}

static int simulate_explain(struct simulate *simulate, struct auth_policy *policy,
			    const struct auth_access *access)
{
	const struct auth_policy_source source = {policy, ""};
	struct auth_policy_set *set = auth_policy_set_new(&source, 1);
	const struct auth_policy_set *const sets[] = {set};
	if (set == NULL)
		return GML_ERR_NOMEM;
	auth_policy_explain(sets, 1, access, simulate_statement, simulate);
	auth_policy_set_free(set);
	return 0;
}

static int simulate_ask(struct simulate *simulate, struct auth_policy *policy,
			enum gml_policy_answer *out)
{
	static const enum gml_policy_answer answers[] = {
		[AUTH_EFFECT_NONE] = GML_SIMULATED_NOTHING,
		[AUTH_EFFECT_ALLOW] = GML_SIMULATED_ALLOW,
		[AUTH_EFFECT_DENY] = GML_SIMULATED_DENY,
	};
	const struct gml_policy_question *question = simulate->question;
	char arn[AUTH_ARN_MAX];
	const struct auth_access access = {
		.principal = &simulate->who,
		.action = auth_action_find(gml_span_text(question->action)),
		.resource = auth_access_arn(arn, sizeof(arn), question->bucket,
					    question->key.ptr != NULL, question->key),
		.values = simulate_values,
		.arg = simulate,
	};
	int statement;
	if (access.action == AUTH_ACTION_NONE || access.resource.ptr == NULL)
		return GML_ERR_INVAL;
	*out = answers[auth_policy_decide(policy, &access, &statement)];
	return simulate->each != NULL ? simulate_explain(simulate, policy, &access) : 0;
}

int gml_policy_simulate(enum gml_policy_kind kind, struct gml_span document,
			const struct gml_policy_question *question, enum gml_policy_answer *out,
			void (*each)(void *arg, const struct gml_policy_reason *reason), void *arg)
{
	struct simulate *simulate = malloc(sizeof(*simulate));
	struct auth_policy_error error;
	struct auth_policy *policy;
	int rc;
	if (simulate == NULL)
		return GML_ERR_NOMEM;
	simulate->question = question;
	simulate->each = each;
	simulate->arg = arg;
	rc = simulate_read(simulate);
	if (rc == 0 && !auth_policy_parse(gml_document_kind(kind), document, question->bucket,
					  &policy, &error))
		rc = error.memory ? GML_ERR_NOMEM : GML_ERR_BADPOLICY;
	if (rc == 0) {
		rc = simulate_ask(simulate, policy, out);
		auth_policy_unref(policy);
	}
	free(simulate);
	return rc;
}
