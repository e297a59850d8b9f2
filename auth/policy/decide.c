// SPDX-License-Identifier: Apache-2.0
/* What one policy says to a request. */
#include "auth/policy/resource.h"
#include "auth/policy/statement.h"

bool auth_statement_names(const struct auth_policy *policy, const struct auth_statement *statement,
			  const struct auth_principal *who)
{
	if (policy->kind != AUTH_POLICY_BUCKET && policy->kind != AUTH_POLICY_TRUST)
		return true;
	for (size_t i = 0; i < statement->nparties; i++)
		if (statement->not_principal ? auth_party_names_exactly(&statement->parties[i], who)
					     : auth_party_names(&statement->parties[i], who))
			return !statement->not_principal;
	return statement->not_principal;
}

unsigned auth_statement_kinds(const struct auth_statement *statement)
{
	unsigned kinds = 0;
	if (statement->not_resource)
		return AUTH_RESOURCE_ANY;
	for (size_t i = 0; i < statement->nresources; i++)
		kinds |= auth_resource_kinds(&statement->resources[i]);
	return kinds;
}

enum auth_truth auth_statement_covers(const struct auth_statement *statement,
				      const struct auth_access *access)
{
	enum auth_truth any = AUTH_FALSE;
	for (size_t i = 0; i < statement->nresources && any != AUTH_TRUE; i++) {
		enum auth_truth one = auth_pattern_match(&statement->resources[i], AUTH_MATCH_ARN,
							 access->resource, access);
		any = one > any ? one : any;
	}
	return statement->not_resource ? auth_truth_not(any) : any;
}

enum auth_truth auth_statement_holds(const struct auth_statement *statement,
				     const struct auth_access *access)
{
	enum auth_truth all = AUTH_TRUE;
	for (size_t i = 0; i < statement->nconditions && all != AUTH_FALSE; i++) {
		enum auth_truth one = auth_condition_holds(&statement->conditions[i], access);
		all = one < all ? one : all;
	}
	return all;
}

enum auth_effect auth_policy_decide(const struct auth_policy *policy,
				    const struct auth_access *access, int *statement_out)
{
	enum auth_effect effect = AUTH_EFFECT_NONE;
	int decided = -1;
	for (size_t i = 0; i < policy->nstatements && effect != AUTH_EFFECT_DENY; i++) {
		const struct auth_statement *statement = &policy->statements[i];
		/* What is not known allows nothing and denies. */
		enum auth_truth least = statement->allow ? AUTH_TRUE : AUTH_MAYBE;
		if ((statement->allow && effect == AUTH_EFFECT_ALLOW) ||
		    !auth_action_set_has(&statement->actions, access->action) ||
		    !auth_statement_names(policy, statement, access->principal) ||
		    auth_statement_covers(statement, access) < least ||
		    auth_statement_holds(statement, access) < least)
			continue;
		effect = statement->allow ? AUTH_EFFECT_ALLOW : AUTH_EFFECT_DENY;
		decided = (int)i;
	}
	if (statement_out != NULL)
		*statement_out = decided;
	return effect;
}
