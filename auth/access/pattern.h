// SPDX-License-Identifier: Apache-2.0
/* Strings of a policy that are compared with strings of a request: `*` stands for any characters,
 * `?` for one, and ${…} for a value of the request (IAM policy elements: Variables and tags).
 *
 * Pure; any thread; no blocking. A character is one of UTF-8; a byte that is none counts as one.
 * What a variable stands for is taken as it is: a `*` in it is an asterisk. */
#ifndef GML_AUTH_ACCESS_PATTERN_H
#define GML_AUTH_ACCESS_PATTERN_H

#include "auth/access/access.h"
#include "auth/access/arena.h"

#define AUTH_VARIABLES_MAX 8 /* of one string */

enum auth_token_kind { AUTH_TOKEN_TEXT, AUTH_TOKEN_ANY, AUTH_TOKEN_ONE, AUTH_TOKEN_VARIABLE };

struct auth_token {
	enum auth_token_kind kind;
	enum auth_key key;    /* of a variable */
	unsigned index;	      /* of a variable: how many precede it */
	struct gml_span text; /* literal bytes; of a variable: the key's name */
	struct gml_span fallback;
	bool has_fallback;
};

struct auth_pattern {
	struct gml_span text; /* as the policy has it */
	const struct auth_token *tokens;
	size_t count;
	bool literal;	 /* neither wildcards nor variables: `text` is what it matches */
	bool everything; /* "*" */
};

enum {
	AUTH_PATTERN_WILD = 1 << 0,	 /* `*` and `?` are wildcards */
	AUTH_PATTERN_VARIABLES = 1 << 1, /* ${…} is a variable: Version 2012-10-17 */
};

/* Compiles `text`, which `arena` must outlive. Returns NULL, or what is wrong with it as the end of
 * a sentence (static); a full arena is told by arena->failed. */
const char *auth_pattern_compile(struct auth_arena *arena, struct gml_span text, unsigned flags,
				 struct auth_pattern *out);
/* The keys of its variables. */
auth_key_set auth_pattern_needs(const struct auth_pattern *pattern);
/* The bytes that everything it matches begins with. */
struct gml_span auth_pattern_prefix(const struct auth_pattern *pattern);

/* Does it begin with "arn:" and have six parts? */
bool auth_is_arn(struct gml_span text);

/* How the strings compare. */
enum auth_match {
	AUTH_MATCH_TEXT,
	AUTH_MATCH_NOCASE, /* letters up to U+00FF in any case */
	/* An ARN: wildcards do not match a colon of the first five, which divide its parts */
	AUTH_MATCH_ARN,
};
/* Does the subject match? A variable without a value and without a default matches nothing. MAYBE:
 * a variable's value is not known. */
enum auth_truth auth_pattern_match(const struct auth_pattern *pattern, enum auth_match how,
				   struct gml_span subject, const struct auth_access *access);
/* The same of ARNs that begin with `subject`, which has all five colons: TRUE if all of them match,
 * FALSE if none does, else MAYBE. */
enum auth_truth auth_pattern_match_below(const struct auth_pattern *pattern,
					 struct gml_span subject, const struct auth_access *access);

/* A plain wildcard match without regard to the case of ASCII letters. */
bool auth_glob(struct gml_span pattern, struct gml_span subject);

#endif
