// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/cover.h"

static bool cover_actions(const struct auth_statement *wide, const struct auth_statement *narrow)
{
	uint64_t any = 0;
	for (size_t i = 0; i < AUTH_ACTIONS_MAX / 64; i++) {
		any |= narrow->actions.words[i];
		if (narrow->actions.words[i] & ~wide->actions.words[i])
			return false;
	}
	return any != 0; /* what has no action is told otherwise */
}

static bool cover_same_party(const struct auth_party *a, const struct auth_party *b)
{
	return a->kind == b->kind && gml_span_equal(a->name, b->name);
}

static bool cover_party(const struct auth_statement *wide, const struct auth_party *party)
{
	for (size_t i = 0; i < wide->nparties; i++)
		if (wide->parties[i].kind == AUTH_PARTY_EVERYONE ||
		    cover_same_party(&wide->parties[i], party))
			return true;
	return false;
}

static bool cover_principals(const struct auth_statement *wide, const struct auth_statement *narrow)
{
	if (wide->not_principal || narrow->not_principal)
		return false;
	for (size_t i = 0; i < narrow->nparties; i++)
		if (!cover_party(wide, &narrow->parties[i]))
			return false;
	return true;
}

/* The text of the narrow pattern is matched as if it were a name: an asterisk of the wide one
 * stands for those in it. A question mark does not, nor does what a variable stands for. */
static bool cover_resource(const struct auth_pattern *wide, const struct auth_pattern *narrow)
{
	static const struct auth_principal nobody = {AUTH_PRINCIPAL_ANONYMOUS};
	const struct auth_access none = {.principal = &nobody};
	if (wide->everything || gml_span_equal(wide->text, narrow->text))
		return true;
	if (gml_span_find(wide->text, '?') < wide->text.len ||
	    gml_span_find(wide->text, '$') < wide->text.len)
		return false;
	return auth_pattern_match(wide, AUTH_MATCH_ARN, narrow->text, &none) == AUTH_TRUE;
}

static bool cover_resources(const struct auth_statement *wide, const struct auth_statement *narrow)
{
	bool all = !wide->not_resource;
	for (size_t i = 0; i < wide->nresources; i++)
		if (wide->resources[i].everything && all)
			return true;
	if (wide->not_resource || narrow->not_resource)
		return false;
	for (size_t i = 0; i < narrow->nresources && all; i++) {
		all = false;
		for (size_t j = 0; j < wide->nresources && !all; j++)
			all = cover_resource(&wide->resources[j], &narrow->resources[i]);
	}
	return all;
}

static bool cover_same_condition(const struct auth_condition *a, const struct auth_condition *b)
{
	if (!gml_span_equal(a->operator_name, b->operator_name) ||
	    !gml_span_equal_nocase(a->key_name, b->key_name) || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!gml_span_equal(a->values[i], b->values[i]))
			return false;
	return true;
}

static bool cover_conditions(const struct auth_statement *wide, const struct auth_statement *narrow)
{
	for (size_t i = 0; i < wide->nconditions; i++) {
		bool found = false;
		for (size_t j = 0; j < narrow->nconditions && !found; j++)
			found = cover_same_condition(&wide->conditions[i], &narrow->conditions[j]);
		if (!found)
			return false;
	}
	return true;
}

bool auth_statement_covers_all(const struct auth_statement *wide,
			       const struct auth_statement *narrow)
{
	return cover_actions(wide, narrow) && cover_conditions(wide, narrow) &&
	       cover_principals(wide, narrow) && cover_resources(wide, narrow);
}
