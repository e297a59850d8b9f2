// SPDX-License-Identifier: Apache-2.0
/* From a document to a compiled policy. Every refusal names its place. */
#include <stdlib.h>

#include "auth/policy/reader.h"
#include "auth/policy/resource.h"
#include "auth/policy/statement.h"

struct parse {
	struct auth_reader reader;
	struct auth_policy *policy;
	struct gml_span bucket;
	bool variables; /* Version 2012-10-17 */
};

static bool parse_is_bucket(const struct parse *parse)
{
	return parse->policy->kind == AUTH_POLICY_BUCKET;
}

/* An array for `count` items. */
static void *parse_array(struct parse *parse, size_t count, size_t size)
{
	void *items = auth_arena_new(&parse->policy->arena, count, size);
	if (items == NULL)
		auth_reader_memory(&parse->reader);
	return items;
}

/* What is wrong with a value, as the functions that compile one return it. */
static bool parse_verdict(struct parse *parse, struct gml_span value, const char *wrong)
{
	if (parse->policy->arena.failed)
		return auth_reader_memory(&parse->reader);
	if (wrong == NULL)
		return true;
	if (value.len > 128)
		value.len = 128;
	return auth_reader_fail(&parse->reader, "\"%.*s\" is not allowed: %s", (int)value.len,
				gml_span_chars(value), wrong);
}

/* How many values an element has: one at least where `least` says so. */
static bool parse_count(struct parse *parse, const json_t *value, size_t least, size_t *out)
{
	*out = auth_reader_count(value);
	if (*out < least)
		return auth_reader_fail(&parse->reader, "the list is empty: name one at least");
	if (*out > AUTH_POLICY_VALUES_MAX)
		return auth_reader_fail(&parse->reader, "a list has at most %d values",
					AUTH_POLICY_VALUES_MAX);
	return true;
}

/* One of two elements, of which exactly one must be there. Enters it; *negated_out: the second. */
static const json_t *parse_either(struct parse *parse, const json_t *statement, const char *name,
				  const char *negated, bool *negated_out)
{
	const json_t *plain = json_object_get(statement, name),
		     *other = json_object_get(statement, negated);
	if (plain != NULL && other != NULL) {
		auth_reader_fail(&parse->reader, "%s and %s exclude each other", name, negated);
		return NULL;
	}
	if (plain == NULL && other == NULL) {
		auth_reader_fail(&parse->reader, "there is neither %s nor %s", name, negated);
		return NULL;
	}
	*negated_out = other != NULL;
	auth_reader_enter(&parse->reader, other != NULL ? negated : name);
	return other != NULL ? other : plain;
}

/* S3 refuses what it does not know, and what has no resource; IAM takes the names of other
 * services' actions. `resources`: the kinds of the
 * statement's resources. */
static bool parse_action(struct parse *parse, struct gml_span name, unsigned resources,
			 struct auth_action_set *set)
{
	struct auth_action_set own = {0};
	unsigned kinds = 0;
	int matched;
	if (!auth_action_pattern_valid(name))
		return parse_verdict(
			parse, name,
			"an action is \"*\" or SERVICE:NAME, as s3:GetObject, s3:Get*");
	matched = auth_action_set_add(&own, name);
	for (int row = 0; row < auth_action_count(); row++)
		if (auth_action_set_has(&own, row)) {
			set->words[row / 64] |= (uint64_t)1 << (row % 64);
			kinds |= auth_action_kinds(row);
		}
	if (!parse_is_bucket(parse))
		return true;
	if (matched == 0)
		return parse_verdict(parse, name, "there is no such action");
	if ((kinds & (AUTH_RESOURCE_BUCKET | AUTH_RESOURCE_OBJECT)) == 0)
		return parse_verdict(parse, name, "it is not done to a bucket or an object");
	if ((kinds & resources) == 0)
		return parse_verdict(
			parse, name,
			kinds & AUTH_RESOURCE_BUCKET
				? "it is done to a bucket, and Resource has objects only"
				: "it is done to objects, and Resource has none "
				  "(arn:aws:s3:::BUCKET/*)");
	return true;
}

static bool parse_actions(struct parse *parse, const json_t *json, struct auth_statement *statement)
{
	size_t at = parse->reader.at, count;
	bool negated;
	unsigned resources;
	const json_t *value = parse_either(parse, json, "Action", "NotAction", &negated);
	if (value == NULL || !parse_count(parse, value, 1, &count))
		return false;
	resources = negated ? AUTH_RESOURCE_ANY : auth_statement_kinds(statement);
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		struct gml_span name;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		if (!auth_reader_text(&parse->reader, item, &name) ||
		    !parse_action(parse, name, resources, &statement->actions))
			return false;
		auth_reader_leave(&parse->reader, list);
	}
	if (negated)
		auth_action_set_invert(&statement->actions);
	auth_reader_leave(&parse->reader, at);
	return true;
}

static bool parse_resource(struct parse *parse, const json_t *item, struct auth_pattern *out)
{
	struct auth_arena *arena = &parse->policy->arena;
	struct gml_span text;
	if (!auth_reader_text(&parse->reader, item, &text) ||
	    !parse_verdict(parse, text, auth_resource_compile(arena, text, parse->variables, out)))
		return false;
	if (!parse_is_bucket(parse) || parse->bucket.len == 0 ||
	    auth_resource_in_bucket(arena, out, parse->bucket))
		return true;
	return parse_verdict(parse, text,
			     "a bucket's policy speaks of this bucket and what is in it only");
}

static bool parse_resources(struct parse *parse, const json_t *json,
			    struct auth_statement *statement)
{
	size_t at = parse->reader.at, count;
	struct auth_pattern *resources;
	const json_t *value =
		parse_either(parse, json, "Resource", "NotResource", &statement->not_resource);
	if (value == NULL || !parse_count(parse, value, 1, &count) ||
	    (resources = parse_array(parse, count, sizeof(*resources))) == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		if (!parse_resource(parse, auth_reader_item(&parse->reader, value, i),
				    &resources[i]))
			return false;
		parse->policy->needs |= auth_pattern_needs(&resources[i]);
		auth_reader_leave(&parse->reader, list);
	}
	statement->resources = resources;
	statement->nresources = count;
	auth_reader_leave(&parse->reader, at);
	return true;
}

/* The values under one type of principals. */
static bool parse_parties(struct parse *parse, const char *type, const json_t *value,
			  struct auth_party *parties)
{
	size_t count = auth_reader_count(value);
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		struct gml_span name;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		if (!auth_reader_text(&parse->reader, item, &name) ||
		    !parse_verdict(parse, name,
				   auth_party_compile(gml_span_text(type), name, &parties[i])))
			return false;
		auth_reader_leave(&parse->reader, list);
	}
	return true;
}

static bool parse_party_types(struct parse *parse, const json_t *value,
			      struct auth_statement *statement)
{
	static const char *const types[] = {"AWS", "CanonicalUser", "Service", "Federated", NULL};
	size_t total = 0, done = 0;
	struct auth_party *parties;
	if (!auth_reader_members(&parse->reader, value, types))
		return false;
	for (size_t i = 0; types[i] != NULL; i++)
		if (json_object_get(value, types[i]) != NULL)
			total += auth_reader_count(json_object_get(value, types[i]));
	if (total == 0)
		return auth_reader_fail(&parse->reader, "the list is empty: name one at least");
	if (total > AUTH_POLICY_VALUES_MAX)
		return auth_reader_fail(&parse->reader, "there are more than %d principals",
					AUTH_POLICY_VALUES_MAX);
	if ((parties = parse_array(parse, total, sizeof(*parties))) == NULL)
		return false;
	for (size_t i = 0; types[i] != NULL; i++) {
		const json_t *list = json_object_get(value, types[i]);
		size_t at = parse->reader.at;
		if (list == NULL)
			continue;
		auth_reader_enter(&parse->reader, types[i]);
		if (!parse_parties(parse, types[i], list, parties + done))
			return false;
		done += auth_reader_count(list);
		auth_reader_leave(&parse->reader, at);
	}
	statement->parties = parties;
	statement->nparties = total;
	return true;
}

static bool parse_principal(struct parse *parse, const json_t *json,
			    struct auth_statement *statement)
{
	static const struct auth_party everyone = {.kind = AUTH_PARTY_EVERYONE};
	size_t at = parse->reader.at;
	const json_t *value;
	if (!parse_is_bucket(parse)) {
		const char *name = json_object_get(json, "Principal")	   ? "Principal"
				   : json_object_get(json, "NotPrincipal") ? "NotPrincipal"
									   : NULL;
		if (name == NULL)
			return true;
		auth_reader_enter(&parse->reader, name);
		return auth_reader_fail(&parse->reader,
					"only policies of buckets name principals: this one is "
					"for whoever it is attached to");
	}
	value = parse_either(parse, json, "Principal", "NotPrincipal", &statement->not_principal);
	if (value == NULL)
		return false;
	if (json_is_string(value) && strcmp(json_string_value(value), "*") == 0) {
		statement->parties = &everyone;
		statement->nparties = 1;
	} else if (!json_is_object(value)) {
		return auth_reader_fail(&parse->reader,
					"\"*\" or an object like {\"AWS\": \"…\"} is wanted here");
	} else if (!parse_party_types(parse, value, statement)) {
		return false;
	}
	auth_reader_leave(&parse->reader, at);
	return true;
}

static bool parse_operands(struct parse *parse, const json_t *value,
			   struct auth_condition *condition)
{
	union auth_operand *operands;
	if (!parse_count(parse, value, 0, &condition->count) ||
	    (operands = parse_array(parse, condition->count, sizeof(*operands))) == NULL)
		return false;
	for (size_t i = 0; i < condition->count; i++) {
		size_t list = parse->reader.at;
		struct gml_span text;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		if (!auth_reader_scalar(&parse->reader, item, &text) ||
		    !parse_verdict(parse, text,
				   auth_operand_compile(&parse->policy->arena, &condition->how,
							text, parse->variables, &operands[i])))
			return false;
		auth_reader_leave(&parse->reader, list);
	}
	condition->operands = operands;
	return true;
}

static bool parse_key(struct parse *parse, struct auth_condition *condition)
{
	struct gml_span name = condition->key_name;
	if (!auth_key_valid(name))
		return parse_verdict(parse, name, "a key is PREFIX:NAME, as aws:SourceIp");
	condition->key = auth_key_find(name);
	if (parse_is_bucket(parse) && condition->key == AUTH_KEY_OTHER && !auth_key_foreign(name))
		return parse_verdict(parse, name, "there is no such key");
	return true;
}

/* The keys under one operator. */
static bool parse_operator(struct parse *parse, const char *name, const json_t *keys,
			   struct auth_condition *conditions)
{
	struct auth_condition condition = {0};
	const char *key, *near;
	json_t *value;
	if (!auth_operator_find(gml_span_text(name), &condition.how)) {
		near = auth_operator_near(gml_span_text(name));
		return auth_reader_fail(&parse->reader, "there is no such operator%s%s%s",
					near ? "; did you mean \"" : "", near ? near : "",
					near ? "\"?" : "");
	}
	condition.operator_name = auth_arena_copy(&parse->policy->arena, gml_span_text(name));
	json_object_foreach((json_t *)keys, key, value)
	{
		size_t at = auth_reader_enter(&parse->reader, key);
		condition.key_name = auth_arena_copy(&parse->policy->arena, gml_span_text(key));
		if (parse->policy->arena.failed)
			return auth_reader_memory(&parse->reader);
		if (!parse_key(parse, &condition) || !parse_operands(parse, value, &condition))
			return false;
		parse->policy->needs |= auth_condition_needs(&condition);
		*conditions++ = condition;
		auth_reader_leave(&parse->reader, at);
	}
	return true;
}

/* How many keys all operators have together. */
static bool parse_condition_count(struct parse *parse, const json_t *value, size_t *out)
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

static bool parse_conditions(struct parse *parse, const json_t *json,
			     struct auth_statement *statement)
{
	const json_t *value = json_object_get(json, "Condition");
	struct auth_condition *conditions;
	const char *name;
	json_t *keys;
	size_t at, done = 0;
	if (value == NULL)
		return true;
	at = auth_reader_enter(&parse->reader, "Condition");
	if (!parse_condition_count(parse, value, &statement->nconditions))
		return false;
	if (statement->nconditions > AUTH_POLICY_CONDITIONS_MAX)
		return auth_reader_fail(&parse->reader, "a statement has at most %d conditions",
					AUTH_POLICY_CONDITIONS_MAX);
	conditions = parse_array(parse, statement->nconditions, sizeof(*conditions));
	if (conditions == NULL)
		return false;
	json_object_foreach((json_t *)value, name, keys)
	{
		size_t inside = auth_reader_enter(&parse->reader, name);
		if (!parse_operator(parse, name, keys, conditions + done))
			return false;
		done += json_object_size(keys);
		auth_reader_leave(&parse->reader, inside);
	}
	statement->conditions = conditions;
	auth_reader_leave(&parse->reader, at);
	return true;
}

static bool parse_effect(struct parse *parse, const json_t *json, struct auth_statement *statement)
{
	const json_t *value = json_object_get(json, "Effect");
	struct gml_span text;
	size_t at;
	if (value == NULL)
		return auth_reader_fail(&parse->reader,
					"there is no Effect: it is \"Allow\" or \"Deny\"");
	at = auth_reader_enter(&parse->reader, "Effect");
	if (!auth_reader_text(&parse->reader, value, &text))
		return false;
	statement->allow = gml_span_is(text, "Allow");
	if (!statement->allow && !gml_span_is(text, "Deny"))
		return parse_verdict(parse, text, "it is \"Allow\" or \"Deny\"");
	auth_reader_leave(&parse->reader, at);
	return true;
}

/* IAM allows letters and digits; S3 does not say, and takes other characters, too. */
static bool parse_sid_valid(const struct parse *parse, struct gml_span sid)
{
	for (size_t i = 0; i < sid.len; i++) {
		unsigned char c = (unsigned char)gml_span_at(sid, i);
		bool letter =
			(c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && (!parse_is_bucket(parse) || c < ' ' || c == 0x7f))
			return false;
	}
	return true;
}

static bool parse_sid(struct parse *parse, const json_t *json, struct auth_statement *statements,
		      size_t index)
{
	const json_t *value = json_object_get(json, "Sid");
	struct gml_span *sid = &statements[index].sid;
	size_t at;
	if (value == NULL)
		return true;
	at = auth_reader_enter(&parse->reader, "Sid");
	if (!auth_reader_text(&parse->reader, value, sid))
		return false;
	if (!parse_sid_valid(parse, *sid))
		return parse_verdict(parse, *sid,
				     parse_is_bucket(parse) ? "it has no control characters"
							    : "it has letters and digits only");
	for (size_t i = 0; i < index; i++)
		if (sid->len > 0 && gml_span_equal(statements[i].sid, *sid))
			return parse_verdict(parse, *sid, "another statement has the same Sid");
	auth_reader_leave(&parse->reader, at);
	return true;
}

/* One statement. Resources come before actions, which may have to fit them. */
static bool parse_statement(struct parse *parse, const json_t *json,
			    struct auth_statement *statements, size_t index)
{
	static const char *const names[] = {"Sid",	 "Effect",    "Principal", "NotPrincipal",
					    "Action",	 "NotAction", "Resource",  "NotResource",
					    "Condition", NULL};
	struct auth_statement *statement = &statements[index];
	if (!json_is_object(json))
		return auth_reader_fail(&parse->reader, "a statement is an object");
	return auth_reader_members(&parse->reader, json, names) &&
	       parse_sid(parse, json, statements, index) && parse_effect(parse, json, statement) &&
	       parse_principal(parse, json, statement) && parse_resources(parse, json, statement) &&
	       parse_actions(parse, json, statement) && parse_conditions(parse, json, statement);
}

static bool parse_statements(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Statement");
	struct auth_statement *statements;
	size_t count;
	if (value == NULL)
		return auth_reader_fail(&parse->reader, "there is no Statement");
	auth_reader_enter(&parse->reader, "Statement");
	count = auth_reader_count(value);
	if (count == 0)
		return auth_reader_fail(&parse->reader, "the list is empty: name one at least");
	if (count > AUTH_POLICY_STATEMENTS_MAX)
		return auth_reader_fail(&parse->reader, "a policy has at most %d statements",
					AUTH_POLICY_STATEMENTS_MAX);
	if ((statements = parse_array(parse, count, sizeof(*statements))) == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t at = parse->reader.at;
		if (!parse_statement(parse, auth_reader_item(&parse->reader, value, i), statements,
				     i))
			return false;
		auth_reader_leave(&parse->reader, at);
	}
	parse->policy->statements = statements;
	parse->policy->nstatements = count;
	return true;
}

static bool parse_version(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Version");
	struct gml_span text = GML_LIT("2008-10-17");
	size_t at = auth_reader_enter(&parse->reader, "Version");
	if (value != NULL && !auth_reader_text(&parse->reader, value, &text))
		return false;
	parse->variables = gml_span_is(text, "2012-10-17");
	if (!parse->variables && !gml_span_is(text, "2008-10-17"))
		return parse_verdict(parse, text,
				     "it is \"2012-10-17\", or the older \"2008-10-17\"");
	auth_reader_leave(&parse->reader, at);
	return true;
}

static bool parse_id(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Id");
	struct gml_span text;
	size_t at;
	if (value == NULL)
		return true;
	at = auth_reader_enter(&parse->reader, "Id");
	if (!parse_is_bucket(parse))
		return auth_reader_fail(&parse->reader, "only policies of buckets have an Id");
	if (!auth_reader_text(&parse->reader, value, &text))
		return false;
	auth_reader_leave(&parse->reader, at);
	return true;
}

static bool parse_document(struct parse *parse, const json_t *json)
{
	static const char *const names[] = {"Version", "Id", "Statement", NULL};
	if (!json_is_object(json))
		return auth_reader_fail(&parse->reader, "a policy is a JSON object");
	return auth_reader_members(&parse->reader, json, names) && parse_version(parse, json) &&
	       parse_id(parse, json) && parse_statements(parse, json);
}

/* IAM does not count white space; S3 does. */
static bool parse_size(struct parse *parse, struct gml_span document)
{
	static const size_t most[AUTH_POLICY_KINDS] = {
		[AUTH_POLICY_IDENTITY] = AUTH_POLICY_IDENTITY_MAX,
		[AUTH_POLICY_BUCKET] = AUTH_POLICY_BUCKET_MAX,
		[AUTH_POLICY_BOUNDARY] = AUTH_POLICY_BOUNDARY_MAX,
		[AUTH_POLICY_SESSION] = AUTH_POLICY_IDENTITY_MAX,
		[AUTH_POLICY_KEY] = AUTH_POLICY_IDENTITY_MAX,
	};
	size_t size = 0;
	for (size_t i = 0; i < document.len && document.len <= AUTH_POLICY_BYTES_MAX; i++)
		size += parse_is_bucket(parse) || !gml_char_is_space(gml_span_at(document, i));
	if (document.len > AUTH_POLICY_BYTES_MAX)
		return auth_reader_fail(&parse->reader, "it has more than %d bytes",
					AUTH_POLICY_BYTES_MAX);
	if (size > most[parse->policy->kind])
		return auth_reader_fail(&parse->reader, "it has %zu bytes%s, and may have %zu",
					size, parse_is_bucket(parse) ? "" : " without white space",
					most[parse->policy->kind]);
	return true;
}

bool auth_policy_parse(enum auth_policy_kind kind, struct gml_span document, struct gml_span bucket,
		       struct auth_policy **out, struct auth_policy_error *error)
{
	struct auth_policy *policy = calloc(1, sizeof(*policy));
	struct parse parse = {.reader = {.error = error}, .policy = policy, .bucket = bucket};
	json_t *json = NULL;
	bool good;
	*error = (struct auth_policy_error){0};
	*out = NULL;
	if (policy == NULL)
		return auth_reader_memory(&parse.reader);
	atomic_init(&policy->references, 1);
	policy->kind = kind;
	parse.reader.arena = &policy->arena;
	good = parse_size(&parse, document) && auth_reader_load(&parse.reader, document, &json) &&
	       parse_document(&parse, json);
	json_decref(json);
	if (good)
		*out = policy;
	else
		auth_policy_unref(policy);
	return good;
}

struct auth_policy *auth_policy_ref(struct auth_policy *policy)
{
	atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
	return policy;
}

void auth_policy_unref(struct auth_policy *policy)
{
	if (policy == NULL ||
	    atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) > 1)
		return;
	auth_arena_release(&policy->arena);
	free(policy);
}

enum auth_policy_kind auth_policy_kind(const struct auth_policy *policy)
{
	return policy->kind;
}

auth_key_set auth_policy_needs(const struct auth_policy *policy)
{
	return policy->needs;
}
