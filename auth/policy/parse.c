// SPDX-License-Identifier: Apache-2.0
/* From a document to a compiled policy. Every refusal names its place. */
#include "auth/policy/parse_inside.h"

#include <stdlib.h>
#include "auth/policy/near.h"
#include "auth/policy/resource.h"

void *auth_parse_array(struct parse *parse, size_t count, size_t size)
{
	void *items = auth_arena_new(&parse->policy->arena, count, size);
	if (items == NULL)
		auth_reader_memory(&parse->reader);
	return items;
}

bool auth_parse_verdict(struct parse *parse, struct gml_span value, const char *wrong)
{
	if (parse->policy->arena.failed)
		return auth_reader_memory(&parse->reader);
	return wrong == NULL || auth_parse_unknown(parse, value, wrong, NULL);
}

bool auth_parse_pattern(struct parse *parse, struct gml_span text, const char *wrong)
{
	if (!auth_parse_verdict(parse, text, wrong))
		return false;
	for (size_t i = 0; i < text.len; i++)
		parse->ones += gml_span_at(text, i) == '?';
	return !auth_parse_is_bucket(parse) || parse->ones <= AUTH_POLICY_ONES_MAX ||
	       auth_parse_verdict(parse, text,
				  "all strings of a bucket's policy together have at most 200 "
				  "question marks");
}

bool auth_parse_unknown(struct parse *parse, struct gml_span value, const char *wrong,
			const char *near)
{
	char question[AUTH_NEAR_MAX];
	size_t len = value.len;
	if (len > 128) /* cut before a character */
		for (len = 128; len > 0 && (gml_span_at(value, len) & 0xc0) == 0x80;)
			len--;
	return auth_reader_fail(&parse->reader, "\"%.*s\" is not allowed: %s%s", (int)len,
				gml_span_chars(value), wrong, auth_near_question(near, question));
}

bool auth_parse_count(struct parse *parse, const json_t *value, size_t least, size_t *out)
{
	*out = auth_reader_count(value);
	if (*out < least)
		return auth_reader_fail(&parse->reader, "the list is empty: name one at least");
	if (*out > AUTH_POLICY_VALUES_MAX)
		return auth_reader_fail(&parse->reader, "a list has at most %d values",
					AUTH_POLICY_VALUES_MAX);
	return true;
}

const json_t *auth_parse_either(struct parse *parse, const json_t *statement, const char *name,
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

static bool parse_is_sts(struct gml_span name)
{
	return gml_span_starts_nocase(name, GML_LIT("sts:"));
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
		return auth_parse_unknown(
			parse, name, "an action is \"*\" or SERVICE:NAME, as s3:GetObject, s3:Get*",
			auth_near_action(name));
	if (parse->policy->kind == AUTH_POLICY_TRUST && !parse_is_sts(name))
		return auth_parse_verdict(parse, name,
					  "what a role's trust policy allows is sts:AssumeRole and "
					  "other actions of sts");
	matched = auth_action_set_add(&own, name);
	for (int row = 0; row < auth_action_count(); row++)
		if (auth_action_set_has(&own, row)) {
			set->words[row / 64] |= (uint64_t)1 << (row % 64);
			kinds |= auth_action_kinds(row);
		}
	if (!auth_parse_is_bucket(parse))
		return true;
	if (matched == 0)
		return auth_parse_unknown(parse, name, "there is no such action",
					  auth_near_action(name));
	if ((kinds & (AUTH_RESOURCE_BUCKET | AUTH_RESOURCE_OBJECT)) == 0)
		return auth_parse_verdict(parse, name, "it is not done to a bucket or an object");
	if ((kinds & resources) == 0)
		return auth_parse_verdict(
			parse, name,
			kinds & AUTH_RESOURCE_BUCKET
				? "it is done to a bucket, and Resource has objects only"
				: "it is done to objects, and Resource has none "
				  "(arn:aws:s3:::BUCKET/*)");
	return true;
}

static bool parse_actions(struct parse *parse, const json_t *json, struct auth_statement *statement)
{
	size_t count;
	unsigned resources;
	bool all = true;
	struct gml_span *names;
	const json_t *value =
		auth_parse_either(parse, json, "Action", "NotAction", &statement->not_action);
	if (value == NULL || !auth_parse_count(parse, value, 1, &count) ||
	    (names = auth_parse_array(parse, count, sizeof(*names))) == NULL)
		return false;
	/* No resources were read: they are wrong, and that was said. */
	resources = statement->not_action || statement->nresources == 0
			    ? AUTH_RESOURCE_ANY
			    : auth_statement_kinds(statement);
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		bool good = auth_reader_text(&parse->reader, item, &names[i]) &&
			    parse_action(parse, names[i], resources, &statement->actions);
		if (!auth_reader_next(&parse->reader, list, good, &all))
			return false;
	}
	if (statement->not_action)
		auth_action_set_invert(&statement->actions);
	statement->action_names = names;
	statement->nactions = count;
	return all;
}

static bool parse_resource(struct parse *parse, const json_t *item, struct auth_pattern *out)
{
	struct auth_arena *arena = &parse->policy->arena;
	struct gml_span text;
	if (!auth_reader_text(&parse->reader, item, &text) ||
	    !auth_parse_pattern(parse, text,
				auth_resource_compile(arena, text, parse->policy->variables, out)))
		return false;
	if (!auth_parse_is_bucket(parse) || parse->bucket.len == 0 ||
	    auth_resource_in_bucket(arena, out, parse->bucket))
		return true;
	return auth_parse_verdict(parse, text,
				  "a bucket's policy speaks of this bucket and what is in it only");
}

/* The resource of a trust policy is its role. */
static bool parse_no_resource(struct parse *parse, const json_t *json,
			      struct auth_statement *statement)
{
	const char *name = json_object_get(json, "Resource")	  ? "Resource"
			   : json_object_get(json, "NotResource") ? "NotResource"
								  : NULL;
	statement->not_resource = true;
	if (name == NULL)
		return true;
	auth_reader_enter(&parse->reader, name);
	return auth_reader_fail(&parse->reader, "a trust policy speaks of its role only");
}

static bool parse_resources(struct parse *parse, const json_t *json,
			    struct auth_statement *statement)
{
	size_t count;
	bool all = true;
	struct auth_pattern *resources;
	const json_t *value;
	if (parse->policy->kind == AUTH_POLICY_TRUST)
		return parse_no_resource(parse, json, statement);
	value = auth_parse_either(parse, json, "Resource", "NotResource", &statement->not_resource);
	if (value == NULL || !auth_parse_count(parse, value, 1, &count) ||
	    (resources = auth_parse_array(parse, count, sizeof(*resources))) == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		bool good = parse_resource(parse, auth_reader_item(&parse->reader, value, i),
					   &resources[i]);
		if (!auth_reader_next(&parse->reader, list, good, &all))
			return false;
		parse->policy->needs |= auth_pattern_needs(&resources[i]);
	}
	if (!all)
		return false;
	statement->resources = resources;
	statement->nresources = count;
	return true;
}

static bool parse_effect(struct parse *parse, const json_t *json, struct auth_statement *statement)
{
	const json_t *value = json_object_get(json, "Effect");
	struct gml_span text;
	if (value == NULL)
		return auth_reader_fail(&parse->reader,
					"there is no Effect: it is \"Allow\" or \"Deny\"");
	auth_reader_enter(&parse->reader, "Effect");
	if (!auth_reader_text(&parse->reader, value, &text))
		return false;
	statement->allow = gml_span_is(text, "Allow");
	if (!statement->allow && !gml_span_is(text, "Deny"))
		return auth_parse_verdict(parse, text, "it is \"Allow\" or \"Deny\"");
	return true;
}

/* IAM allows letters and digits, each Sid once; S3 takes other characters, too, and does not say
 * that a Sid is unique. */
static bool parse_sid_valid(const struct parse *parse, struct gml_span sid)
{
	for (size_t i = 0; i < sid.len; i++) {
		unsigned char c = (unsigned char)gml_span_at(sid, i);
		bool letter =
			(c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && (!auth_parse_is_bucket(parse) || c < ' ' || c == 0x7f))
			return false;
	}
	return true;
}

static bool parse_sid(struct parse *parse, const json_t *json, struct auth_statement *statements,
		      size_t index)
{
	const json_t *value = json_object_get(json, "Sid");
	struct gml_span *sid = &statements[index].sid;
	if (value == NULL)
		return true;
	auth_reader_enter(&parse->reader, "Sid");
	if (!auth_reader_text(&parse->reader, value, sid))
		return false;
	if (!parse_sid_valid(parse, *sid))
		return auth_parse_verdict(parse, *sid,
					  auth_parse_is_bucket(parse)
						  ? "it has no control characters"
						  : "it has letters and digits only");
	for (size_t i = 0; i < index && !auth_parse_is_bucket(parse); i++)
		if (sid->len > 0 && gml_span_equal(statements[i].sid, *sid))
			return auth_parse_verdict(parse, *sid,
						  "another statement has the same Sid");
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
	struct auth_reader *reader = &parse->reader;
	size_t at = reader->at;
	bool all = true;
	if (!json_is_object(json))
		return auth_reader_fail(reader, "a statement is an object");
	return auth_reader_next(reader, at, auth_reader_members(reader, json, names), &all) &&
	       auth_reader_next(reader, at, parse_sid(parse, json, statements, index), &all) &&
	       auth_reader_next(reader, at, parse_effect(parse, json, statement), &all) &&
	       auth_reader_next(reader, at, auth_parse_principal(parse, json, statement), &all) &&
	       auth_reader_next(reader, at, parse_resources(parse, json, statement), &all) &&
	       auth_reader_next(reader, at, parse_actions(parse, json, statement), &all) &&
	       auth_reader_next(reader, at, auth_parse_conditions(parse, json, statement), &all) &&
	       all;
}

static bool parse_statements(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Statement");
	struct auth_statement *statements;
	bool all = true;
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
	if ((statements = auth_parse_array(parse, count, sizeof(*statements))) == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t at = parse->reader.at;
		bool good = parse_statement(parse, auth_reader_item(&parse->reader, value, i),
					    statements, i);
		if (!auth_reader_next(&parse->reader, at, good, &all))
			return false;
	}
	parse->policy->single = !json_is_array(value);
	parse->policy->statements = statements;
	parse->policy->nstatements = count;
	return all;
}

static bool parse_version(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Version");
	struct gml_span text = GML_LIT("2008-10-17");
	auth_reader_enter(&parse->reader, "Version");
	if (value != NULL && !auth_reader_text(&parse->reader, value, &text))
		return false;
	parse->policy->variables = gml_span_is(text, "2012-10-17");
	if (!parse->policy->variables && !gml_span_is(text, "2008-10-17"))
		return auth_parse_verdict(parse, text,
					  "it is \"2012-10-17\", or the older \"2008-10-17\"");
	return true;
}

static bool parse_id(struct parse *parse, const json_t *json)
{
	const json_t *value = json_object_get(json, "Id");
	struct gml_span text;
	if (value == NULL)
		return true;
	auth_reader_enter(&parse->reader, "Id");
	if (!auth_parse_is_bucket(parse))
		return auth_reader_fail(&parse->reader, "only policies of buckets have an Id");
	return auth_reader_text(&parse->reader, value, &text);
}

static bool parse_document(struct parse *parse, const json_t *json)
{
	static const char *const names[] = {"Version", "Id", "Statement", NULL};
	struct auth_reader *reader = &parse->reader;
	size_t at = reader->at;
	bool all = true;
	if (!json_is_object(json))
		return auth_reader_fail(reader, "a policy is a JSON object");
	return auth_reader_next(reader, at, auth_reader_members(reader, json, names), &all) &&
	       auth_reader_next(reader, at, parse_version(parse, json), &all) &&
	       auth_reader_next(reader, at, parse_id(parse, json), &all) &&
	       auth_reader_next(reader, at, parse_statements(parse, json), &all) && all;
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
		[AUTH_POLICY_TRUST] = AUTH_POLICY_TRUST_MAX,
	};
	size_t size = 0;
	for (size_t i = 0; i < document.len && document.len <= AUTH_POLICY_BYTES_MAX; i++)
		size += auth_parse_is_bucket(parse) || !gml_char_is_space(gml_span_at(document, i));
	if (document.len > AUTH_POLICY_BYTES_MAX)
		return auth_reader_fail(&parse->reader, "it has more than %d bytes",
					AUTH_POLICY_BYTES_MAX);
	if (size > most[parse->policy->kind])
		return auth_reader_fail(&parse->reader, "it has %zu bytes%s, and may have %zu",
					size,
					auth_parse_is_bucket(parse) ? "" : " without white space",
					most[parse->policy->kind]);
	return true;
}

/* Into a policy of the kind, for a reader with somebody to tell errors. */
static bool parse_policy(struct parse *parse, enum auth_policy_kind kind, struct gml_span document,
			 struct auth_policy **out)
{
	struct auth_policy *policy = calloc(1, sizeof(*policy));
	json_t *json = NULL;
	bool good;
	*parse->reader.error = (struct auth_policy_error){0};
	*out = NULL;
	if (policy == NULL)
		return auth_reader_memory(&parse->reader);
	atomic_init(&policy->references, 1);
	policy->kind = kind;
	parse->policy = policy;
	parse->reader.arena = &policy->arena;
	good = parse_size(parse, document) && auth_reader_load(&parse->reader, document, &json) &&
	       parse_document(parse, json);
	json_decref(json);
	if (good)
		*out = policy;
	else
		auth_policy_unref(policy);
	return good;
}

bool auth_policy_parse(enum auth_policy_kind kind, struct gml_span document, struct gml_span bucket,
		       struct auth_policy **out, struct auth_policy_error *error)
{
	struct parse parse = {.reader = {.error = error}, .bucket = bucket};
	return parse_policy(&parse, kind, document, out);
}

bool auth_policy_check(enum auth_policy_kind kind, struct gml_span document, struct gml_span bucket,
		       struct auth_policy **out, auth_policy_wrong_fn wrong, void *arg)
{
	struct auth_policy_error error;
	struct parse parse = {.reader = {.error = &error, .wrong = wrong, .arg = arg},
			      .bucket = bucket};
	return parse_policy(&parse, kind, document, out);
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

size_t auth_policy_size(const struct auth_policy *policy)
{
	return sizeof(*policy) + policy->arena.bytes;
}

enum auth_policy_kind auth_policy_kind(const struct auth_policy *policy)
{
	return policy->kind;
}

auth_key_set auth_policy_needs(const struct auth_policy *policy)
{
	return policy->needs;
}
