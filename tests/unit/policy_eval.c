// SPDX-License-Identifier: Apache-2.0
/* Evaluates policies for another program: one JSON object a line, answers likewise.
 *
 * in   {"policies": [{"kind": "identity"|"bucket"|"boundary"|"session"|"key",
 *                     "document": OBJECT or a string with JSON,
 *                     "bucket": the bucket of a bucket policy (optional)}, …],
 *       "request": {"principal": {"type": "User"|"AssumedRole"|"Account"|"Anonymous",
 *                                 "arn", "userid", "username", "account", "canonical": optional},
 *                   "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
 *                   "context": {"aws:SourceIp": ["10.0.0.1"], …}}}
 * out  {"errors": [null | "PLACE: what is wrong", …], "decisions": ["allow"|"deny"|"none", …],
 *       "result": "allow"|"deny"|"none"|"capped"}
 *
 * With an error in any policy, decisions and result are null. With "action": null nothing is
 * decided either. Of an unknown action the answer is {"error": …}. Several policies of one kind
 * that caps are one cap: it is enough that one of them allows. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/decision/set.h"

#define EVAL_POLICIES 64
#define EVAL_VALUES 64

struct eval {
	json_t *context;
	struct auth_policy *policies[EVAL_POLICIES];
	size_t count;
	struct auth_principal principal;
	char role[256];
	/* The values that were given out: one array for each question. */
	struct gml_span *lists[1024];
	size_t nlists;
};

static const char *const eval_kinds[AUTH_POLICY_TRUST] = {
	[AUTH_POLICY_IDENTITY] = "identity", [AUTH_POLICY_BUCKET] = "bucket",
	[AUTH_POLICY_BOUNDARY] = "boundary", [AUTH_POLICY_SESSION] = "session",
	[AUTH_POLICY_KEY] = "key",
};
static const char *const eval_types[] = {
	[AUTH_PRINCIPAL_ANONYMOUS] = "Anonymous",
	[AUTH_PRINCIPAL_USER] = "User",
	[AUTH_PRINCIPAL_SESSION] = "AssumedRole",
	[AUTH_PRINCIPAL_ACCOUNT] = "Account",
};
static const char *const eval_effects[] = {
	[AUTH_EFFECT_NONE] = "none", [AUTH_EFFECT_ALLOW] = "allow", [AUTH_EFFECT_DENY] = "deny"};

static void eval_die(const char *what)
{
	fprintf(stderr, "policy_eval: %s\n", what);
	exit(2);
}

static struct gml_span eval_span(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return gml_span_of(json_string_value(value), json_string_length(value));
}

static struct auth_values eval_values(void *arg, enum auth_key key, struct gml_span name)
{
	struct eval *eval = arg;
	const char *other;
	json_t *list;
	(void)key;
	json_object_foreach(eval->context, other, list)
	{
		size_t count = json_array_size(list);
		struct gml_span *values;
		if (!gml_span_is_nocase(name, other))
			continue;
		values = calloc(count + 1, sizeof(*values));
		if (values == NULL || eval->nlists == sizeof(eval->lists) / sizeof(eval->lists[0]))
			eval_die("too many values");
		for (size_t i = 0; i < count; i++) {
			const json_t *value = json_array_get(list, i);
			values[i] =
				gml_span_of(json_string_value(value), json_string_length(value));
		}
		eval->lists[eval->nlists++] = values;
		return (struct auth_values){values, count};
	}
	return (struct auth_values){NULL, 0};
}

static int eval_word(const json_t *value, const char *const words[], int count)
{
	for (int i = 0; i < count; i++)
		if (json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0)
			return i;
	eval_die("unknown kind of policy or type of principal");
	return -1;
}

/* arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION → arn:aws:iam::ACCOUNT:role/ROLE */
static void eval_role(struct eval *eval)
{
	static const struct gml_span part = GML_LIT(":assumed-role/");
	struct gml_span arn = eval->principal.arn, rest;
	const char *at = memmem(arn.ptr, arn.len, part.ptr, part.len);
	if (at == NULL)
		return;
	rest = gml_span_from(arn, (size_t)(at - gml_span_chars(arn)) + part.len);
	rest = gml_span_cut(&rest, '/');
	snprintf(eval->role, sizeof(eval->role), "arn:aws:iam::%.*s:role/%.*s",
		 (int)eval->principal.account.len, gml_span_chars(eval->principal.account),
		 (int)rest.len, gml_span_chars(rest));
	eval->principal.role = gml_span_text(eval->role);
}

static void eval_principal(struct eval *eval, const json_t *json)
{
	struct auth_principal *who = &eval->principal;
	*who = (struct auth_principal){
		.type = (enum auth_principal_type)eval_word(json_object_get(json, "type"),
							    eval_types, 4),
		.arn = eval_span(json, "arn"),
		.userid = eval_span(json, "userid"),
		.username = eval_span(json, "username"),
		.account = eval_span(json, "account"),
		.canonical = eval_span(json, "canonical"),
	};
	if (who->type == AUTH_PRINCIPAL_ANONYMOUS)
		who->arn = who->account = gml_span_of(NULL, 0);
	if (who->type != AUTH_PRINCIPAL_USER)
		who->username = gml_span_of(NULL, 0);
	if (who->type == AUTH_PRINCIPAL_SESSION)
		eval_role(eval);
}

/* Compiles the policies: their errors as an array; *good: there are none. */
static json_t *eval_compile(struct eval *eval, const json_t *policies, bool *good)
{
	json_t *errors = json_array(), *json;
	size_t index;
	*good = true;
	json_array_foreach(policies, index, json)
	{
		struct auth_policy_error error;
		char text[sizeof(error.place) + sizeof(error.text) + 3];
		const json_t *document = json_object_get(json, "document");
		char *dumped = json_is_string(document)
				       ? NULL
				       : json_dumps(document, JSON_ENCODE_ANY | JSON_COMPACT);
		if (index == EVAL_POLICIES)
			eval_die("too many policies");
		bool parsed = auth_policy_parse(
			(enum auth_policy_kind)eval_word(json_object_get(json, "kind"), eval_kinds,
							 AUTH_POLICY_TRUST),
			dumped != NULL ? gml_span_text(dumped)
				       : gml_span_of(json_string_value(document),
						     json_string_length(document)),
			eval_span(json, "bucket"), &eval->policies[index], &error);
		snprintf(text, sizeof(text), "%s%s%s", error.place, *error.place ? ": " : "",
			 error.text);
		json_array_append_new(errors, parsed ? json_null() : json_string(text));
		*good = *good && parsed;
		eval->count = index + 1;
		free(dumped);
	}
	return errors;
}

/* What the policies say together, from what each says alone. */
static const char *eval_joined(const struct eval *eval, const enum auth_effect *effects)
{
	bool granted = false, present[AUTH_POLICY_TRUST] = {false},
	     allows[AUTH_POLICY_TRUST] = {false};
	for (size_t i = 0; i < eval->count; i++) {
		enum auth_policy_kind kind = auth_policy_kind(eval->policies[i]);
		if (effects[i] == AUTH_EFFECT_DENY)
			return "deny";
		present[kind] = true;
		allows[kind] |= effects[i] == AUTH_EFFECT_ALLOW;
	}
	for (int kind = AUTH_POLICY_BOUNDARY; kind < AUTH_POLICY_TRUST; kind++)
		if (present[kind] && !allows[kind])
			return "capped";
	granted = allows[AUTH_POLICY_IDENTITY] || allows[AUTH_POLICY_BUCKET];
	return granted ? "allow" : "none";
}

/* The same from a set, whose answer must not differ. */
static const char *eval_result(const struct eval *eval, const enum auth_effect *effects,
			       const struct auth_access *access)
{
	static const char *const verdicts[] = {
		[AUTH_VERDICT_NONE] = "none",
		[AUTH_VERDICT_ALLOW] = "allow",
		[AUTH_VERDICT_DENY] = "deny",
		[AUTH_VERDICT_CAPPED] = "capped",
	};
	struct auth_policy_source sources[EVAL_POLICIES];
	struct auth_policy_set *set;
	struct auth_decision decision;
	for (size_t i = 0; i < eval->count; i++)
		sources[i] = (struct auth_policy_source){eval->policies[i], "policy"};
	set = auth_policy_set_new(sources, eval->count);
	if (set == NULL)
		eval_die("out of memory");
	decision = auth_policy_evaluate((const struct auth_policy_set *const[]){set}, 1, access);
	auth_policy_set_free(set);
	if (strcmp(verdicts[decision.verdict], eval_joined(eval, effects)) != 0)
		eval_die("a set and its policies disagree");
	return verdicts[decision.verdict];
}

static void eval_decide(struct eval *eval, const json_t *request, json_t *answer)
{
	struct auth_access access = {
		.principal = &eval->principal,
		.action = auth_action_find(eval_span(request, "action")),
		.resource = eval_span(request, "resource"),
		.values = eval_values,
		.arg = eval,
	};
	enum auth_effect effects[EVAL_POLICIES];
	json_t *decisions;
	if (access.action == AUTH_ACTION_NONE) {
		json_object_set_new(answer, "error", json_string("there is no such action"));
		return;
	}
	eval->context = json_object_get(request, "context");
	eval_principal(eval, json_object_get(request, "principal"));
	decisions = json_array();
	for (size_t i = 0; i < eval->count; i++) {
		effects[i] = auth_policy_decide(eval->policies[i], &access, NULL);
		json_array_append_new(decisions, json_string(eval_effects[effects[i]]));
	}
	json_object_set_new(answer, "decisions", decisions);
	json_object_set_new(answer, "result", json_string(eval_result(eval, effects, &access)));
}

static json_t *eval_line(const json_t *line)
{
	static struct eval eval;
	bool good;
	json_t *answer = json_object(), *request = json_object_get(line, "request");
	eval = (struct eval){0};
	json_object_set_new(answer, "errors",
			    eval_compile(&eval, json_object_get(line, "policies"), &good));
	json_object_set_new(answer, "decisions", json_null());
	json_object_set_new(answer, "result", json_null());
	if (good && json_is_string(json_object_get(request, "action")))
		eval_decide(&eval, request, answer);
	for (size_t i = 0; i < eval.count; i++)
		auth_policy_unref(eval.policies[i]);
	for (size_t i = 0; i < eval.nlists; i++)
		free(eval.lists[i]);
	return answer;
}

int main(void)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&text, &size, stdin)) > 0) {
		json_error_t wrong;
		json_t *line = json_loadb(text, (size_t)len, 0, &wrong), *answer;
		if (line == NULL)
			eval_die(wrong.text);
		answer = eval_line(line);
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(answer);
		json_decref(line);
	}
	free(text);
	return 0;
}
