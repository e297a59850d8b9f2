// SPDX-License-Identifier: Apache-2.0
/* Condition. */
#include "auth/policy/near.h"
#include "auth/policy/parse_inside.h"

static bool conditions_values(struct parse *parse, const json_t *value,
			      struct auth_condition *condition)
{
	union auth_operand *operands;
	struct gml_span *values;
	bool all = true;
	if (!auth_parse_count(parse, value, 0, &condition->count) ||
	    (operands = auth_parse_array(parse, condition->count, sizeof(*operands))) == NULL ||
	    (values = auth_parse_array(parse, condition->count, sizeof(*values))) == NULL)
		return false;
	for (size_t i = 0; i < condition->count; i++) {
		size_t list = parse->reader.at;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		bool good = auth_reader_scalar(&parse->reader, item, &values[i]) &&
			    auth_parse_pattern(parse, values[i],
					       auth_operand_compile(&parse->policy->arena,
								    &condition->how, values[i],
								    parse->policy->variables,
								    &operands[i]));
		if (!auth_reader_next(&parse->reader, list, good, &all))
			return false;
	}
	condition->operands = operands;
	condition->values = values;
	return all;
}

static bool conditions_key(struct parse *parse, struct auth_condition *condition)
{
	struct gml_span name = condition->key_name;
	if (!auth_key_valid(name))
		return auth_parse_verdict(parse, name, "a key is PREFIX:NAME, as aws:SourceIp");
	condition->key = auth_key_find(name);
	if (auth_parse_is_bucket(parse) && condition->key == AUTH_KEY_OTHER &&
	    !auth_key_foreign(name))
		return auth_parse_unknown(parse, name, "there is no such key", auth_near_key(name));
	return true;
}

/* One key under an operator. */
static bool conditions_one(struct parse *parse, const char *key, const json_t *value,
			   struct auth_condition *condition)
{
	condition->key_name = auth_arena_copy(&parse->policy->arena, gml_span_text(key));
	if (parse->policy->arena.failed)
		return auth_reader_memory(&parse->reader);
	if (!conditions_key(parse, condition) || !conditions_values(parse, value, condition))
		return false;
	parse->policy->needs |= auth_condition_needs(condition);
	return true;
}

/* The keys under one operator. */
static bool conditions_keys(struct parse *parse, const char *name, const json_t *keys,
			    struct auth_condition *conditions)
{
	struct auth_condition condition = {0};
	char question[AUTH_NEAR_MAX];
	bool all = true;
	const char *key;
	json_t *value;
	if (!auth_operator_find(gml_span_text(name), &condition.how))
		return auth_reader_fail(
			&parse->reader, "there is no such operator%s",
			auth_near_question(auth_near_operator(gml_span_text(name)), question));
	condition.operator_name = auth_arena_copy(&parse->policy->arena, gml_span_text(name));
	json_object_foreach((json_t *)keys, key, value)
	{
		size_t at = auth_reader_enter(&parse->reader, key);
		bool good = conditions_one(parse, key, value, &condition);
		*conditions++ = condition;
		if (!auth_reader_next(&parse->reader, at, good, &all))
			return false;
	}
	return all;
}

/* How many keys all operators have together. */
static bool conditions_count(struct parse *parse, const json_t *value, size_t *out)
{
	const char *name;
	json_t *keys;
	*out = 0;
	if (!json_is_object(value))
		return auth_reader_fail(&parse->reader, "an object of operators is wanted here");
	json_object_foreach((json_t *)value, name, keys)
	{
		size_t at = auth_reader_enter(&parse->reader, name);
		if (!json_is_object(keys))
			return auth_reader_fail(&parse->reader, "an object of keys is wanted here");
		*out += json_object_size(keys);
		auth_reader_leave(&parse->reader, at);
	}
	return true;
}

bool auth_parse_conditions(struct parse *parse, const json_t *json,
			   struct auth_statement *statement)
{
	const json_t *value = json_object_get(json, "Condition");
	struct auth_condition *conditions;
	const char *name;
	json_t *keys;
	size_t done = 0;
	bool all = true;
	if (value == NULL)
		return true;
	auth_reader_enter(&parse->reader, "Condition");
	if (!conditions_count(parse, value, &statement->nconditions))
		return false;
	if (statement->nconditions > AUTH_POLICY_CONDITIONS_MAX)
		return auth_reader_fail(&parse->reader, "a statement has at most %d conditions",
					AUTH_POLICY_CONDITIONS_MAX);
	conditions = auth_parse_array(parse, statement->nconditions, sizeof(*conditions));
	if (conditions == NULL)
		return false;
	json_object_foreach((json_t *)value, name, keys)
	{
		size_t at = auth_reader_enter(&parse->reader, name);
		bool good = conditions_keys(parse, name, keys, conditions + done);
		if (!auth_reader_next(&parse->reader, at, good, &all))
			return false;
		done += json_object_size(keys);
	}
	statement->conditions = conditions;
	return all;
}
