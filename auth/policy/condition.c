// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/condition.h"

#include "gateway/base/base64.h"

struct condition_name {
	const char *name;
	struct auth_operator how;
};

#define COMPARE(kind, how) .compare = AUTH_COMPARE_##kind, .relation = AUTH_##how
static const struct condition_name condition_names[] = {
	{"StringEquals", {COMPARE(STRING, EQUAL)}},
	{"StringNotEquals", {COMPARE(STRING, EQUAL), .negated = true}},
	{"StringEqualsIgnoreCase", {COMPARE(STRING_NOCASE, EQUAL)}},
	{"StringNotEqualsIgnoreCase", {COMPARE(STRING_NOCASE, EQUAL), .negated = true}},
	{"StringLike", {COMPARE(STRING_LIKE, EQUAL)}},
	{"StringNotLike", {COMPARE(STRING_LIKE, EQUAL), .negated = true}},
	{"NumericEquals", {COMPARE(NUMBER, EQUAL)}},
	{"NumericNotEquals", {COMPARE(NUMBER, EQUAL), .negated = true}},
	{"NumericLessThan", {COMPARE(NUMBER, LESS)}},
	{"NumericLessThanEquals", {COMPARE(NUMBER, LESS_EQUAL)}},
	{"NumericGreaterThan", {COMPARE(NUMBER, GREATER)}},
	{"NumericGreaterThanEquals", {COMPARE(NUMBER, GREATER_EQUAL)}},
	{"DateEquals", {COMPARE(DATE, EQUAL)}},
	{"DateNotEquals", {COMPARE(DATE, EQUAL), .negated = true}},
	{"DateLessThan", {COMPARE(DATE, LESS)}},
	{"DateLessThanEquals", {COMPARE(DATE, LESS_EQUAL)}},
	{"DateGreaterThan", {COMPARE(DATE, GREATER)}},
	{"DateGreaterThanEquals", {COMPARE(DATE, GREATER_EQUAL)}},
	{"Bool", {COMPARE(BOOL, EQUAL)}},
	{"BinaryEquals", {COMPARE(BINARY, EQUAL)}},
	{"IpAddress", {COMPARE(NETWORK, EQUAL)}},
	{"NotIpAddress", {COMPARE(NETWORK, EQUAL), .negated = true}},
	{"ArnEquals", {COMPARE(ARN, EQUAL)}},
	{"ArnLike", {COMPARE(ARN, EQUAL)}},
	{"ArnNotEquals", {COMPARE(ARN, EQUAL), .negated = true}},
	{"ArnNotLike", {COMPARE(ARN, EQUAL), .negated = true}},
	{"Null", {COMPARE(NULL, EQUAL)}},
};
#define CONDITION_NAMES (sizeof(condition_names) / sizeof(condition_names[0]))

/* Takes away ForAnyValue:, ForAllValues: and IfExists. */
static struct gml_span condition_bare(struct gml_span name, struct auth_operator *out,
				      bool (*equal)(struct gml_span, struct gml_span))
{
	static const struct gml_span any = GML_LIT("ForAnyValue:"), all = GML_LIT("ForAllValues:"),
				     suffix = GML_LIT("IfExists");
	if (name.len > any.len && equal(gml_span_of(name.ptr, any.len), any)) {
		name = gml_span_from(name, any.len);
		out->quantifier = AUTH_FOR_ANY;
	} else if (name.len > all.len && equal(gml_span_of(name.ptr, all.len), all)) {
		name = gml_span_from(name, all.len);
		out->quantifier = AUTH_FOR_ALL;
	}
	if (name.len > suffix.len && equal(gml_span_from(name, name.len - suffix.len), suffix)) {
		name.len -= suffix.len;
		out->if_exists = true;
	}
	return name;
}

bool auth_operator_find(struct gml_span name, struct auth_operator *out)
{
	struct auth_operator around = {0};
	struct gml_span bare = condition_bare(name, &around, gml_span_equal);
	for (size_t i = 0; i < CONDITION_NAMES; i++) {
		if (!gml_span_is(bare, condition_names[i].name))
			continue;
		*out = condition_names[i].how;
		out->quantifier = around.quantifier;
		out->if_exists = around.if_exists;
		return out->compare != AUTH_COMPARE_NULL || !out->if_exists;
	}
	return false;
}

const char *auth_operator_name(size_t index)
{
	return index < CONDITION_NAMES ? condition_names[index].name : NULL;
}

struct gml_span auth_operator_bare(struct gml_span name)
{
	struct auth_operator around = {0};
	return condition_bare(name, &around, gml_span_equal_nocase);
}

static const char *condition_pattern(struct auth_arena *arena, struct gml_span text, unsigned flags,
				     union auth_operand *out)
{
	return auth_pattern_compile(arena, text, flags, &out->pattern);
}

/* An ARN has six parts; a variable may hold colons, so that nothing can be said about it. */
static const char *condition_arn(struct auth_arena *arena, struct gml_span text, unsigned flags,
				 union auth_operand *out)
{
	unsigned colons = 0;
	const char *wrong = condition_pattern(arena, text, flags | AUTH_PATTERN_WILD, out);
	if (wrong != NULL || out->pattern.everything || auth_pattern_needs(&out->pattern) != 0)
		return wrong;
	for (size_t i = 0; i < text.len; i++)
		colons += gml_span_at(text, i) == ':';
	return colons >= 5 ? NULL : "an ARN has six parts: arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE";
}

static const char *condition_bool(struct auth_arena *arena, struct gml_span text, unsigned flags,
				  union auth_operand *out)
{
	const char *wrong = condition_pattern(arena, text, flags, out);
	if (wrong == NULL && auth_pattern_needs(&out->pattern) == 0 &&
	    !gml_span_is_nocase(text, "true") && !gml_span_is_nocase(text, "false"))
		return "the values of Bool are true and false";
	return wrong;
}

static const char *condition_bytes(struct auth_arena *arena, struct gml_span text,
				   union auth_operand *out)
{
	size_t len = text.len / 4 * 3;
	void *bytes;
	for (size_t i = text.len; i > 0 && i + 2 > text.len && gml_span_at(text, i - 1) == '='; i--)
		len -= len > 0;
	bytes = auth_arena_new(arena, len, 1);
	if (bytes == NULL)
		return NULL;
	out->bytes = gml_span_of(bytes, len);
	return gml_base64_decode(text, bytes, len) ? NULL : "the values of BinaryEquals are base64";
}

const char *auth_operand_compile(struct auth_arena *arena, const struct auth_operator *how,
				 struct gml_span text, bool variables, union auth_operand *out)
{
	unsigned flags = variables ? AUTH_PATTERN_VARIABLES : 0;
	switch (how->compare) {
	case AUTH_COMPARE_STRING:
	case AUTH_COMPARE_STRING_NOCASE:
		return condition_pattern(arena, text, flags, out);
	case AUTH_COMPARE_STRING_LIKE:
		return condition_pattern(arena, text, flags | AUTH_PATTERN_WILD, out);
	case AUTH_COMPARE_ARN:
		return condition_arn(arena, text, flags, out);
	case AUTH_COMPARE_BOOL:
		return condition_bool(arena, text, flags, out);
	case AUTH_COMPARE_BINARY:
		return condition_bytes(arena, text, out);
	case AUTH_COMPARE_NUMBER:
		return auth_number_parse(text, &out->number) ? NULL
							     : "a number is like 10, -1 or 0.5";
	case AUTH_COMPARE_DATE:
		return auth_date_parse(text, &out->date)
			       ? NULL
			       : "a date is like 2026-01-31T23:59:59Z, or seconds since 1970";
	case AUTH_COMPARE_NETWORK:
		return auth_network_parse(text, &out->network)
			       ? NULL
			       : "an address is like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32";
	case AUTH_COMPARE_NULL:
		out->null = gml_span_is_nocase(text, "true");
		return out->null || gml_span_is_nocase(text, "false")
			       ? NULL
			       : "the values of Null are true and false";
	}
	return NULL;
}

bool auth_condition_has_patterns(const struct auth_condition *condition)
{
	switch (condition->how.compare) {
	case AUTH_COMPARE_STRING:
	case AUTH_COMPARE_STRING_NOCASE:
	case AUTH_COMPARE_STRING_LIKE:
	case AUTH_COMPARE_ARN:
	case AUTH_COMPARE_BOOL:
		return true;
	case AUTH_COMPARE_NUMBER:
	case AUTH_COMPARE_DATE:
	case AUTH_COMPARE_BINARY:
	case AUTH_COMPARE_NETWORK:
	case AUTH_COMPARE_NULL:
		break;
	}
	return false;
}

auth_key_set auth_condition_needs(const struct auth_condition *condition)
{
	auth_key_set needs = AUTH_KEY_BIT(condition->key);
	for (size_t i = 0; auth_condition_has_patterns(condition) && i < condition->count; i++)
		needs |= auth_pattern_needs(&condition->operands[i].pattern);
	return needs;
}

static enum auth_truth condition_truth(bool holds)
{
	return holds ? AUTH_TRUE : AUTH_FALSE;
}

/* `order`: of the request's value to the policy's. */
static enum auth_truth condition_relation(enum auth_relation relation, int order)
{
	switch (relation) {
	case AUTH_EQUAL:
		return condition_truth(order == 0);
	case AUTH_LESS:
		return condition_truth(order < 0);
	case AUTH_LESS_EQUAL:
		return condition_truth(order <= 0);
	case AUTH_GREATER:
		return condition_truth(order > 0);
	case AUTH_GREATER_EQUAL:
		return condition_truth(order >= 0);
	}
	return AUTH_FALSE;
}

static enum auth_truth condition_number(enum auth_relation relation,
					const union auth_operand *operand, struct gml_span value)
{
	struct auth_number number;
	if (!auth_number_parse(value, &number))
		return AUTH_FALSE;
	return condition_relation(relation, auth_number_order(&number, &operand->number));
}

static enum auth_truth condition_date(enum auth_relation relation,
				      const union auth_operand *operand, struct gml_span value)
{
	struct auth_date date;
	if (!auth_date_parse(value, &date))
		return AUTH_FALSE;
	return condition_relation(relation, auth_date_order(&date, &operand->date));
}

static enum auth_truth condition_network(const union auth_operand *operand, struct gml_span value)
{
	struct auth_network network;
	/* A request comes from an address, not from a network. */
	return condition_truth(gml_span_find(value, '/') == value.len &&
			       auth_network_parse(value, &network) &&
			       auth_network_contains(&operand->network, &network));
}

/* Does one value of the request match one of the policy, negation aside? */
static enum auth_truth condition_match(const struct auth_condition *condition,
				       const union auth_operand *operand, struct gml_span value,
				       const struct auth_access *access)
{
	switch (condition->how.compare) {
	case AUTH_COMPARE_STRING:
	case AUTH_COMPARE_STRING_LIKE:
		return auth_pattern_match(&operand->pattern, AUTH_MATCH_TEXT, value, access);
	case AUTH_COMPARE_STRING_NOCASE:
	case AUTH_COMPARE_BOOL:
		return auth_pattern_match(&operand->pattern, AUTH_MATCH_NOCASE, value, access);
	case AUTH_COMPARE_ARN:
		if (!auth_is_arn(value)) /* "*" does not match it either */
			return AUTH_FALSE;
		return auth_pattern_match(&operand->pattern, AUTH_MATCH_ARN, value, access);
	case AUTH_COMPARE_NUMBER:
		return condition_number(condition->how.relation, operand, value);
	case AUTH_COMPARE_DATE:
		return condition_date(condition->how.relation, operand, value);
	case AUTH_COMPARE_BINARY:
		return condition_truth(gml_span_equal(operand->bytes, value));
	case AUTH_COMPARE_NETWORK:
		return condition_network(operand, value);
	case AUTH_COMPARE_NULL: /* asks about no value */
		return AUTH_FALSE;
	}
	return AUTH_FALSE;
}

/* Does one value of the request match any of the policy? */
static enum auth_truth condition_any(const struct auth_condition *condition, struct gml_span value,
				     const struct auth_access *access)
{
	enum auth_truth any = AUTH_FALSE;
	for (size_t i = 0; i < condition->count && any != AUTH_TRUE; i++) {
		enum auth_truth one =
			condition_match(condition, &condition->operands[i], value, access);
		any = one > any ? one : any;
	}
	return any;
}

/* AWS's "null data set": no value, or nothing but empty strings. */
static bool condition_is_null(struct auth_values values)
{
	for (size_t i = 0; i < values.count; i++)
		if (values.list[i].len > 0)
			return false;
	return true;
}

/* Access Analyzer, "Null with qualifier": with ForAllValues always true, with ForAnyValue false. */
static enum auth_truth condition_null(const struct auth_condition *condition,
				      struct auth_values values)
{
	bool null = condition_is_null(values);
	if (condition->how.quantifier != AUTH_PLAIN)
		return condition_truth(condition->how.quantifier == AUTH_FOR_ALL);
	for (size_t i = 0; i < condition->count; i++)
		if (condition->operands[i].null == null)
			return AUTH_TRUE;
	return AUTH_FALSE;
}

/* ForAnyValue or ForAllValues, of values that are not null. */
static enum auth_truth condition_each(const struct auth_condition *condition,
				      struct auth_values values, const struct auth_access *access)
{
	bool any = condition->how.quantifier == AUTH_FOR_ANY;
	enum auth_truth all = any ? AUTH_FALSE : AUTH_TRUE;
	for (size_t i = 0; i < values.count; i++) {
		enum auth_truth one = condition_any(condition, values.list[i], access);
		if (condition->how.negated)
			one = auth_truth_not(one);
		if (any ? one > all : one < all)
			all = one;
	}
	return all;
}

enum auth_truth auth_condition_holds(const struct auth_condition *condition,
				     const struct auth_access *access)
{
	const struct auth_operator *how = &condition->how;
	struct auth_values values = auth_access_values(access, condition->key, condition->key_name);
	enum auth_truth any = AUTH_FALSE;
	if (values.count == AUTH_VALUES_VARY)
		return AUTH_MAYBE;
	if (how->compare == AUTH_COMPARE_NULL)
		return condition_null(condition, values);
	if (values.count == 0 && how->if_exists)
		return AUTH_TRUE;
	if (how->quantifier != AUTH_PLAIN) {
		if (condition_is_null(values))
			return condition_truth(how->quantifier == AUTH_FOR_ALL);
		return condition_each(condition, values, access);
	}
	for (size_t i = 0; i < values.count && any != AUTH_TRUE; i++) {
		enum auth_truth one = condition_any(condition, values.list[i], access);
		any = one > any ? one : any;
	}
	return how->negated ? auth_truth_not(any) : any;
}
