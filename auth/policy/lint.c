// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include "auth/policy/cover.h"
#include "auth/policy/near.h"
#include "auth/policy/place.h"
#include "auth/policy/resource.h"

struct lint {
	const struct auth_policy *policy;
	struct gml_span account;
	auth_policy_warn_fn warn;
	void *arg;
	/* The statement that is looked at. */
	const struct auth_statement *statement;
	size_t index;
	char place[AUTH_PLACE_MAX];
};

__attribute__((format(printf, 2, 3))) static void lint_warn(struct lint *lint, const char *format,
							    ...)
{
	char text[384];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	auth_place_clean(text);
	auth_place_clean(lint->place);
	lint->warn(lint->arg, lint->place, text);
}

/* Goes to an element of the statement, and to one of its values. */
static void lint_at(struct lint *lint, const char *name, size_t index, size_t count)
{
	auth_place_statement(lint->policy, lint->index, lint->place);
	auth_place_add(lint->place, name);
	auth_place_add_value(lint->place, index, count);
}

static bool lint_is_service(struct gml_span service)
{
	return gml_span_is_nocase(service, "s3") || gml_span_is_nocase(service, "iam") ||
	       gml_span_is_nocase(service, "sts") || gml_span_is_nocase(service, "gemel");
}

/* `kinds`: of the statement's resources. */
static void lint_action(struct lint *lint, struct gml_span name, unsigned kinds)
{
	struct auth_action_set set = {0};
	struct gml_span rest = name, service = gml_span_cut(&rest, ':');
	unsigned own = 0;
	char question[AUTH_NEAR_MAX];
	if (auth_action_set_add(&set, name) == 0) {
		if (lint_is_service(service) || rest.len == 0)
			lint_warn(lint, "there is no action %.*s%s", (int)name.len,
				  gml_span_chars(name),
				  auth_near_question(auth_near_action(name), question));
		else
			lint_warn(lint, "Gemel has no service %.*s: nothing asks for this action",
				  (int)service.len, gml_span_chars(service));
		return;
	}
	for (int row = 0; row < auth_action_count(); row++)
		if (auth_action_set_has(&set, row))
			own |= auth_action_kinds(row);
	if ((own & kinds) == 0)
		lint_warn(lint, "%.*s is not done to anything that Resource names%s", (int)name.len,
			  gml_span_chars(name),
			  own == AUTH_RESOURCE_ACCOUNT ? ": it needs \"*\""
			  : own & AUTH_RESOURCE_BUCKET ? ": buckets are arn:aws:s3:::BUCKET"
			  : own & AUTH_RESOURCE_OBJECT ? ": objects are arn:aws:s3:::BUCKET/KEY"
						       : "");
}

static void lint_actions(struct lint *lint)
{
	const struct auth_statement *statement = lint->statement;
	unsigned kinds =
		statement->not_action ? AUTH_RESOURCE_ANY : auth_statement_kinds(statement);
	for (size_t i = 0; i < statement->nactions; i++) {
		lint_at(lint, statement->not_action ? "NotAction" : "Action", i,
			statement->nactions);
		lint_action(lint, statement->action_names[i], kinds);
	}
	if (statement->not_action && statement->allow) {
		lint_at(lint, "NotAction", 0, 1);
		lint_warn(lint, "this allows everything but the actions named, also what later "
				"versions add: Action says what is meant");
	}
}

static void lint_resource(struct lint *lint, const struct auth_pattern *resource)
{
	struct gml_span rest = resource->text, service, region, account;
	if (resource->everything)
		return;
	gml_span_cut(&rest, ':');
	gml_span_cut(&rest, ':');
	service = gml_span_cut(&rest, ':');
	region = gml_span_cut(&rest, ':');
	account = gml_span_cut(&rest, ':');
	if (!gml_span_is(service, "s3") && !gml_span_is(service, "iam") &&
	    !gml_span_is(service, "sts"))
		lint_warn(lint, "Gemel has no resources of the service %.*s: this matches nothing",
			  (int)service.len, gml_span_chars(service));
	else if (gml_span_is(service, "s3") &&
		 ((region.len > 0 && !auth_glob(region, gml_span_of("", 0))) ||
		  (account.len > 0 && !auth_glob(account, gml_span_of("", 0)))))
		lint_warn(lint, "buckets have neither region nor account, as arn:aws:s3:::BUCKET: "
				"this matches nothing");
	else if (!gml_span_is(service, "s3") && !auth_glob(account, lint->account))
		lint_warn(lint, "the only account is %.*s: this matches nothing",
			  (int)lint->account.len, gml_span_chars(lint->account));
}

/* Has an older document what a newer one would take for a variable? */
static void lint_version(struct lint *lint, struct gml_span text)
{
	if (!lint->policy->variables && memmem(text.ptr, text.len, "${", 2) != NULL)
		lint_warn(lint, "${ is text in this version of the language: variables need "
				"\"Version\": \"2012-10-17\"");
}

/* Variables that never have a value. */
static void lint_variables(struct lint *lint, const struct auth_pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		const struct auth_token *token = &pattern->tokens[i];
		char question[AUTH_NEAR_MAX];
		if (token->kind != AUTH_TOKEN_VARIABLE || token->key != AUTH_KEY_OTHER)
			continue;
		lint_warn(lint, "no request has a key %.*s: %s%s", (int)token->text.len,
			  gml_span_chars(token->text),
			  token->has_fallback ? "the default stands for it always"
					      : "this matches nothing",
			  auth_near_question(
				  auth_key_foreign(token->text) ? NULL : auth_near_key(token->text),
				  question));
	}
}

static void lint_resources(struct lint *lint)
{
	const struct auth_statement *statement = lint->statement;
	for (size_t i = 0; i < statement->nresources; i++) {
		lint_at(lint, statement->not_resource ? "NotResource" : "Resource", i,
			statement->nresources);
		lint_resource(lint, &statement->resources[i]);
		lint_version(lint, statement->resources[i].text);
		lint_variables(lint, &statement->resources[i]);
	}
}

static void lint_account(struct lint *lint, struct gml_span account, struct gml_span name)
{
	if (!gml_span_equal(account, lint->account))
		lint_warn(lint, "%.*s is nobody: the only account is %.*s", (int)name.len,
			  gml_span_chars(name), (int)lint->account.len,
			  gml_span_chars(lint->account));
}

static void lint_party(struct lint *lint, const struct auth_party *party)
{
	struct gml_span rest = party->name;
	switch (party->kind) {
	case AUTH_PARTY_EVERYONE:
		if (lint->statement->not_principal)
			lint_warn(lint, "\"*\" leaves nobody: the statement never applies");
		else if (lint->policy->kind == AUTH_POLICY_BUCKET &&
			 auth_statement_is_public(lint->statement))
			lint_warn(lint,
				  "\"*\" is everyone, anonymous callers included: this makes "
				  "the policy public%s",
				  lint->statement->nconditions > 0
					  ? ", for no condition ties it to fixed principals or "
					    "networks"
					  : "");
		break;
	case AUTH_PARTY_ARN:
		for (int part = 0; part < 4; part++)
			gml_span_cut(&rest, ':');
		lint_account(lint, gml_span_cut(&rest, ':'), party->name);
		break;
	case AUTH_PARTY_ACCOUNT:
		lint_account(lint, party->name, party->name);
		break;
	case AUTH_PARTY_NOBODY:
		lint_warn(lint, "%.*s is nobody: neither services nor foreign providers ask Gemel",
			  (int)party->name.len, gml_span_chars(party->name));
		break;
	case AUTH_PARTY_CANONICAL:
		break;
	}
}

static void lint_principals(struct lint *lint)
{
	const struct auth_statement *statement = lint->statement;
	lint_at(lint, statement->not_principal ? "NotPrincipal" : "Principal", 0, 1);
	for (size_t i = 0; i < statement->nparties; i++)
		lint_party(lint, &statement->parties[i]);
}

/* The operators that AWS documents for a type of key; NULL: those of the condition are. */
static const char *lint_operators(enum auth_compare compare, enum auth_key key)
{
	enum auth_key_type type = auth_key_type(key);
	switch (compare) {
	case AUTH_COMPARE_NULL:
		return NULL;
	case AUTH_COMPARE_STRING:
	case AUTH_COMPARE_STRING_NOCASE:
	case AUTH_COMPARE_STRING_LIKE:
		return type == AUTH_KEY_NUMBER ? "Numeric…"
		       : type == AUTH_KEY_DATE ? "Date…"
		       : type == AUTH_KEY_IP   ? "IpAddress and NotIpAddress"
					       : NULL;
	case AUTH_COMPARE_NUMBER:
		if (type == AUTH_KEY_NUMBER || key == AUTH_KEY_EPOCH_TIME)
			return NULL;
		break;
	case AUTH_COMPARE_DATE:
		if (type == AUTH_KEY_DATE)
			return NULL;
		break;
	case AUTH_COMPARE_BOOL:
		if (type == AUTH_KEY_BOOL)
			return NULL;
		break;
	case AUTH_COMPARE_NETWORK:
		if (type == AUTH_KEY_IP)
			return NULL;
		break;
	case AUTH_COMPARE_ARN:
		if (type == AUTH_KEY_ARN)
			return NULL;
		break;
	case AUTH_COMPARE_BINARY:
		break;
	}
	static const char *const operators[] = {
		[AUTH_KEY_STRING] = "String…",
		[AUTH_KEY_NUMBER] = "Numeric…",
		[AUTH_KEY_DATE] = "Date…",
		[AUTH_KEY_BOOL] = "Bool",
		[AUTH_KEY_IP] = "IpAddress and NotIpAddress",
		[AUTH_KEY_ARN] = "Arn… and String…",
	};
	return operators[type];
}

/* Is there a Null that asks for the same key? */
static bool lint_has_null(const struct auth_statement *statement, struct gml_span key)
{
	for (size_t i = 0; i < statement->nconditions; i++)
		if (statement->conditions[i].how.compare == AUTH_COMPARE_NULL &&
		    statement->conditions[i].how.quantifier == AUTH_PLAIN &&
		    gml_span_equal_nocase(statement->conditions[i].key_name, key))
			return true;
	return false;
}

static void lint_quantifier(struct lint *lint, const struct auth_condition *condition)
{
	enum auth_quantifier quantifier = condition->how.quantifier;
	bool many = condition->key != AUTH_KEY_OTHER && auth_key_many(condition->key);
	if (condition->how.compare == AUTH_COMPARE_NULL) {
		if (quantifier != AUTH_PLAIN)
			lint_warn(lint,
				  "this is always %s, whatever the request has: Null alone "
				  "asks whether there is a value",
				  quantifier == AUTH_FOR_ALL ? "true" : "false");
		return;
	}
	if (many && quantifier == AUTH_PLAIN)
		lint_warn(lint, "a request may have several values: ForAllValues: or ForAnyValue: "
				"before the operator says how many must match");
	if (condition->key != AUTH_KEY_OTHER && !many && quantifier != AUTH_PLAIN)
		lint_warn(lint, "a request has one value at most: neither ForAllValues: nor "
				"ForAnyValue: is for such a key");
	if (quantifier == AUTH_FOR_ALL && lint->statement->allow &&
	    !lint_has_null(lint->statement, condition->key_name))
		lint_warn(lint, "ForAllValues holds for a request without any value, too: a Null "
				"condition that is false demands one");
}

static void lint_values(struct lint *lint, const struct auth_condition *condition)
{
	for (size_t i = 0; i < condition->count; i++) {
		lint_version(lint, condition->values[i]);
		if (auth_condition_has_patterns(condition))
			lint_variables(lint, &condition->operands[i].pattern);
	}
}

static void lint_condition(struct lint *lint, const struct auth_condition *condition)
{
	const char *operators = NULL;
	char question[AUTH_NEAR_MAX];
	auth_place_condition(lint->policy, lint->index, condition, lint->place);
	if (condition->key != AUTH_KEY_OTHER)
		operators = lint_operators(condition->how.compare, condition->key);
	else if (auth_key_foreign(condition->key_name))
		lint_warn(lint, "no request to Gemel has this key");
	else
		lint_warn(lint, "there is no such key: no request has it%s",
			  auth_near_question(auth_near_key(condition->key_name), question));
	if (operators != NULL)
		lint_warn(lint, "the operators for this key are %s", operators);
	if (condition->count == 0)
		lint_warn(lint, "there is no value: nothing matches");
	lint_quantifier(lint, condition);
	lint_values(lint, condition);
}

/* What another statement makes superfluous: all that this one allows is denied, or what it says is
 * said already. Of two that say the same, the second one is. */
static void lint_reach(struct lint *lint)
{
	char other[AUTH_PLACE_MAX];
	for (size_t i = 0; i < lint->policy->nstatements; i++) {
		const struct auth_statement *wide = &lint->policy->statements[i];
		bool denies = !wide->allow && lint->statement->allow,
		     same = wide->allow == lint->statement->allow;
		if (i == lint->index || (!denies && !same) ||
		    !auth_statement_covers_all(wide, lint->statement) ||
		    (same && i > lint->index && auth_statement_covers_all(lint->statement, wide)))
			continue;
		auth_place_statement(lint->policy, lint->index, lint->place);
		lint_warn(lint,
			  denies ? "%s denies all that this allows: it never has an effect"
				 : "%s says all that this says: it changes nothing",
			  auth_place_statement(lint->policy, i, other));
		return;
	}
}

void auth_policy_lint(const struct auth_policy *policy, struct gml_span account,
		      auth_policy_warn_fn warn, void *arg)
{
	struct lint lint = {.policy = policy, .account = account, .warn = warn, .arg = arg};
	for (lint.index = 0; lint.index < policy->nstatements; lint.index++) {
		lint.statement = &policy->statements[lint.index];
		lint_principals(&lint);
		lint_actions(&lint);
		lint_resources(&lint);
		for (size_t i = 0; i < lint.statement->nconditions; i++)
			lint_condition(&lint, &lint.statement->conditions[i]);
		lint_reach(&lint);
	}
}
