// SPDX-License-Identifier: Apache-2.0
#include "auth/decision/explain.h"

#include <stdio.h>
#include "auth/decision/set_inside.h"
#include "auth/policy/place.h"

struct explain {
	struct auth_explanation explanation;
	char place[AUTH_PLACE_MAX];
	char wanted[512];
};

/* Adds a value to the list of what is wanted; "…" when there is no room for it. */
static void explain_want(struct explain *explain, struct gml_span value)
{
	static const char more[] = ", …";
	size_t at = strlen(explain->wanted), room = sizeof(explain->wanted) - sizeof(more) - at;
	if (value.len + 2 < room)
		snprintf(explain->wanted + at, room, "%s%.*s", at > 0 ? ", " : "", (int)value.len,
			 gml_span_chars(value));
	else if (at < strlen(more) || strcmp(explain->wanted + at - strlen(more), more) != 0)
		strcpy(explain->wanted + at, at > 0 ? more : more + 2);
}

static void explain_action(struct explain *explain, const struct auth_statement *statement)
{
	explain->explanation.obstacle = AUTH_OBSTACLE_ACTION;
	auth_place_add(explain->place, statement->not_action ? "NotAction" : "Action");
	for (size_t i = 0; i < statement->nactions; i++)
		explain_want(explain, statement->action_names[i]);
}

static void explain_principal(struct explain *explain, const struct auth_statement *statement)
{
	explain->explanation.obstacle = AUTH_OBSTACLE_PRINCIPAL;
	auth_place_add(explain->place, statement->not_principal ? "NotPrincipal" : "Principal");
	for (size_t i = 0; i < statement->nparties; i++)
		explain_want(explain, statement->parties[i].kind == AUTH_PARTY_EVERYONE
					      ? gml_span_of("*", 1)
					      : statement->parties[i].name);
}

static void explain_resource(struct explain *explain, const struct auth_statement *statement)
{
	explain->explanation.obstacle = AUTH_OBSTACLE_RESOURCE;
	auth_place_add(explain->place, statement->not_resource ? "NotResource" : "Resource");
	for (size_t i = 0; i < statement->nresources; i++)
		explain_want(explain, statement->resources[i].text);
}

static void explain_condition(struct explain *explain, const struct auth_policy *policy,
			      const struct auth_condition *condition,
			      const struct auth_access *access)
{
	explain->explanation.obstacle = AUTH_OBSTACLE_CONDITION;
	explain->explanation.values =
		auth_access_values(access, condition->key, condition->key_name);
	auth_place_condition(policy, (size_t)explain->explanation.statement, condition,
			     explain->place);
	for (size_t i = 0; i < condition->count; i++)
		explain_want(explain, condition->values[i]);
}

/* Finds the first obstacle. */
static void explain_statement(struct explain *explain, const struct auth_policy *policy,
			      const struct auth_statement *statement,
			      const struct auth_access *access)
{
	if (!auth_action_set_has(&statement->actions, access->action)) {
		explain_action(explain, statement);
		return;
	}
	if (!auth_statement_names(policy, statement, access->principal)) {
		explain_principal(explain, statement);
		return;
	}
	if (auth_statement_covers(statement, access) != AUTH_TRUE) {
		explain_resource(explain, statement);
		return;
	}
	for (size_t i = 0; i < statement->nconditions; i++)
		if (auth_condition_holds(&statement->conditions[i], access) != AUTH_TRUE) {
			explain_condition(explain, policy, &statement->conditions[i], access);
			return;
		}
}

static bool explain_source(const struct auth_policy_source *source,
			   const struct auth_access *access,
			   bool (*each)(void *arg, const struct auth_explanation *explanation),
			   void *arg)
{
	const struct auth_policy *policy = source->policy;
	for (size_t i = 0; i < policy->nstatements; i++) {
		struct explain explain = {.explanation = {.origin = source->origin,
							  .kind = policy->kind,
							  .statement = (int)i,
							  .sid = policy->statements[i].sid,
							  .allow = policy->statements[i].allow}};
		auth_place_statement(policy, i, explain.place);
		explain_statement(&explain, policy, &policy->statements[i], access);
		explain.explanation.place = explain.place;
		explain.explanation.wanted = explain.wanted;
		if (!each(arg, &explain.explanation))
			return false;
	}
	return true;
}

void auth_policy_explain(const struct auth_policy_set *const *sets, size_t count,
			 const struct auth_access *access,
			 bool (*each)(void *arg, const struct auth_explanation *explanation),
			 void *arg)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sets[i]->nsources; j++)
			if (!explain_source(&sets[i]->sources[j], access, each, arg))
				return;
}
