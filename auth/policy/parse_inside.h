// SPDX-License-Identifier: Apache-2.0
/* A document on its way to a compiled policy: what the files of the parser share. Functions that
 * return bool or a pointer return false or NULL after they have filled the error. */
#ifndef GML_AUTH_POLICY_PARSE_INSIDE_H
#define GML_AUTH_POLICY_PARSE_INSIDE_H

#include "auth/policy/reader.h"
#include "auth/policy/statement.h"

struct parse {
	struct auth_reader reader;
	struct auth_policy *policy;
	struct gml_span bucket; /* that resources must lie in; empty: any */
	size_t ones;		/* `?` in the strings so far */
};

static inline bool auth_parse_is_bucket(const struct parse *parse)
{
	return parse->policy->kind == AUTH_POLICY_BUCKET;
}

/* Policies of buckets and roles name principals; others are for whoever has them. */
static inline bool auth_parse_is_for(const struct parse *parse)
{
	return auth_parse_is_bucket(parse) || parse->policy->kind == AUTH_POLICY_TRUST;
}

/* An array for `count` items, in the policy's memory. */
void *auth_parse_array(struct parse *parse, size_t count, size_t size);
/* Says that a value is wrong, in the words of a function that compiles one; true for NULL, unless
 * memory ran out. */
bool auth_parse_verdict(struct parse *parse, struct gml_span value, const char *wrong);
/* The same of a string that a request is compared with. In policies of buckets, which are not only
 * an administrator's, `?` is counted: the time to compare grows with it. */
bool auth_parse_pattern(struct parse *parse, struct gml_span text, const char *wrong);
/* The same of a word that does not exist; `near` (may be NULL) was probably meant. */
bool auth_parse_unknown(struct parse *parse, struct gml_span value, const char *wrong,
			const char *near);
/* How many values an element has: `least` at least. */
bool auth_parse_count(struct parse *parse, const json_t *value, size_t least, size_t *out);
/* One of two elements, of which exactly one must be there. Enters it; *negated_out: the second. */
const json_t *auth_parse_either(struct parse *parse, const json_t *statement, const char *name,
				const char *negated, bool *negated_out);

/* Elements of a statement. */
bool auth_parse_principal(struct parse *parse, const json_t *json,
			  struct auth_statement *statement);
bool auth_parse_conditions(struct parse *parse, const json_t *json,
			   struct auth_statement *statement);

#endif
