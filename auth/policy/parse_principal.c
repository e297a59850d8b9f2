// SPDX-License-Identifier: Apache-2.0
/* Principal and NotPrincipal. */
#include "auth/policy/parse_inside.h"

/* The values under one type of principals. */
static bool principals_of(struct parse *parse, const char *type, const json_t *value,
			  struct auth_party *parties)
{
	size_t count = auth_reader_count(value);
	bool all = true;
	for (size_t i = 0; i < count; i++) {
		size_t list = parse->reader.at;
		struct gml_span name;
		const json_t *item = auth_reader_item(&parse->reader, value, i);
		bool good = auth_reader_text(&parse->reader, item, &name) &&
			    auth_parse_verdict(
				    parse, name,
				    auth_party_compile(gml_span_text(type), name, &parties[i]));
		if (!auth_reader_next(&parse->reader, list, good, &all))
			return false;
	}
	return all;
}

static bool principals_read(struct parse *parse, const json_t *value,
			    struct auth_statement *statement)
{
	static const char *const types[] = {"AWS", "CanonicalUser", "Service", "Federated", NULL};
	size_t total = 0, done = 0;
	struct auth_party *parties;
	bool all = true;
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
	if ((parties = auth_parse_array(parse, total, sizeof(*parties))) == NULL)
		return false;
	for (size_t i = 0; types[i] != NULL; i++) {
		const json_t *list = json_object_get(value, types[i]);
		size_t at = parse->reader.at;
		if (list == NULL)
			continue;
		auth_reader_enter(&parse->reader, types[i]);
		if (!auth_reader_next(&parse->reader, at,
				      principals_of(parse, types[i], list, parties + done), &all))
			return false;
		done += auth_reader_count(list);
	}
	statement->parties = parties;
	statement->nparties = total;
	return all;
}

bool auth_parse_principal(struct parse *parse, const json_t *json, struct auth_statement *statement)
{
	static const struct auth_party everyone = {.kind = AUTH_PARTY_EVERYONE};
	const json_t *value;
	if (!auth_parse_is_for(parse)) {
		const char *name = json_object_get(json, "Principal")	   ? "Principal"
				   : json_object_get(json, "NotPrincipal") ? "NotPrincipal"
									   : NULL;
		if (name == NULL)
			return true;
		auth_reader_enter(&parse->reader, name);
		return auth_reader_fail(&parse->reader,
					"only policies of buckets and trust policies name "
					"principals: this one is for whoever it is attached to");
	}
	value = auth_parse_either(parse, json, "Principal", "NotPrincipal",
				  &statement->not_principal);
	if (value == NULL)
		return false;
	if (statement->not_principal && statement->allow)
		return auth_reader_fail(&parse->reader,
					"it may deny only: allowing everyone but a few would allow "
					"anonymous callers");
	if (json_is_object(value))
		return principals_read(parse, value, statement);
	if (!json_is_string(value) || strcmp(json_string_value(value), "*") != 0)
		return auth_reader_fail(&parse->reader,
					"\"*\" or an object like {\"AWS\": \"…\"} is wanted here");
	statement->parties = &everyone;
	statement->nparties = 1;
	return true;
}
