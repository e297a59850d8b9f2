// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "auth/access/pattern.h"
#include <string.h>

/* A string on its way to tokens: read twice, first to count them. */
struct pattern_reader {
	struct auth_arena *arena;
	struct gml_span rest;
	unsigned flags;
	unsigned variables;
	struct auth_token *tokens; /* NULL: they are only counted */
	size_t count;
	const char *wrong;
};

static void pattern_add(struct pattern_reader *reader, struct auth_token token)
{
	if (reader->tokens != NULL)
		reader->tokens[reader->count] = token;
	reader->count++;
}

/* ${*}, ${?} and ${$} are the characters themselves. */
static bool pattern_special(struct gml_span inner)
{
	return inner.len == 1 && memchr("*?$", gml_span_at(inner, 0), 3) != NULL;
}

/* 'DEFAULT', behind the comma and one space. */
static bool pattern_default(struct gml_span text, struct gml_span *out)
{
	if (text.len < 3 || !gml_span_starts(text, GML_LIT(" '")) ||
	    gml_span_at(text, text.len - 1) != '\'')
		return false;
	*out = gml_span_of(gml_span_chars(text) + 2, text.len - 3);
	return true;
}

/* "KEY" or "KEY, 'DEFAULT'", without the braces. */
static void pattern_variable(struct pattern_reader *reader, struct gml_span inner)
{
	struct auth_token token = {.kind = AUTH_TOKEN_VARIABLE};
	struct gml_span rest = inner;
	if (pattern_special(inner)) {
		pattern_add(reader, (struct auth_token){.kind = AUTH_TOKEN_TEXT, .text = inner});
		return;
	}
	token.text = gml_span_cut(&rest, ',');
	if (!auth_key_valid(token.text) || gml_span_find(token.text, ' ') < token.text.len) {
		reader->wrong = "a variable is ${PREFIX:KEY} or ${PREFIX:KEY, 'DEFAULT'}, "
				"without spaces in KEY";
		return;
	}
	token.key = auth_key_find(token.text);
	token.has_fallback = token.text.len < inner.len;
	if (token.has_fallback && !pattern_default(rest, &token.fallback)) {
		reader->wrong = "the default of a variable stands between single quotes, after a "
				"comma and a space";
		return;
	}
	token.index = reader->variables;
	if (++reader->variables > AUTH_VARIABLES_MAX)
		reader->wrong = "a string has at most 8 variables";
	pattern_add(reader, token);
}

/* Bytes before the next wildcard or variable. */
static size_t pattern_plain(const struct pattern_reader *reader)
{
	size_t at = 0;
	for (; at < reader->rest.len; at++) {
		char c = gml_span_at(reader->rest, at);
		if ((reader->flags & AUTH_PATTERN_WILD) && (c == '*' || c == '?'))
			break;
		if ((reader->flags & AUTH_PATTERN_VARIABLES) && c == '$' &&
		    at + 1 < reader->rest.len && gml_span_at(reader->rest, at + 1) == '{')
			break;
	}
	return at;
}

/* One token of what is left, which begins with a wildcard or a variable. */
static void pattern_token(struct pattern_reader *reader)
{
	char c = gml_span_at(reader->rest, 0);
	if (c == '$') {
		struct gml_span inner = gml_span_from(reader->rest, 2);
		size_t end = gml_span_find(inner, '}');
		if (end == inner.len) {
			reader->wrong = "${ has no }: write ${$} for a dollar sign";
			return;
		}
		pattern_variable(reader, gml_span_of(inner.ptr, end));
		reader->rest = gml_span_from(inner, end + 1);
		return;
	}
	pattern_add(reader,
		    (struct auth_token){.kind = c == '*' ? AUTH_TOKEN_ANY : AUTH_TOKEN_ONE});
	reader->rest = gml_span_from(reader->rest, 1);
}

static void pattern_read(struct pattern_reader *reader, struct gml_span text)
{
	reader->rest = text;
	reader->count = 0;
	reader->variables = 0;
	while (reader->rest.len > 0 && reader->wrong == NULL) {
		size_t plain = pattern_plain(reader);
		if (plain > 0)
			pattern_add(reader, (struct auth_token){.kind = AUTH_TOKEN_TEXT,
								.text = {reader->rest.ptr, plain}});
		reader->rest = gml_span_from(reader->rest, plain);
		if (reader->rest.len > 0)
			pattern_token(reader);
	}
}

const char *auth_pattern_compile(struct auth_arena *arena, struct gml_span text, unsigned flags,
				 struct auth_pattern *out)
{
	struct pattern_reader reader = {.arena = arena, .flags = flags};
	*out = (struct auth_pattern){.text = text};
	pattern_read(&reader, text);
	if (reader.wrong != NULL)
		return reader.wrong;
	out->literal =
		pattern_plain(&(struct pattern_reader){.rest = text, .flags = flags}) == text.len;
	out->everything = (flags & AUTH_PATTERN_WILD) && gml_span_is(text, "*");
	reader.tokens = auth_arena_new(arena, reader.count, sizeof(*reader.tokens));
	if (reader.tokens == NULL)
		return NULL;
	pattern_read(&reader, text);
	out->tokens = reader.tokens;
	out->count = reader.count;
	return NULL;
}

auth_key_set auth_pattern_needs(const struct auth_pattern *pattern)
{
	auth_key_set needs = 0;
	for (size_t i = 0; i < pattern->count; i++)
		if (pattern->tokens[i].kind == AUTH_TOKEN_VARIABLE)
			needs |= AUTH_KEY_BIT(pattern->tokens[i].key);
	return needs;
}

struct gml_span auth_pattern_prefix(const struct auth_pattern *pattern)
{
	if (pattern->count == 0 || pattern->tokens[0].kind != AUTH_TOKEN_TEXT)
		return gml_span_of(NULL, 0);
	return pattern->tokens[0].text;
}

/* A match on its way: the place in both strings, and in both of the last wildcard `*`. */
struct pattern_walk {
	const struct auth_token *tokens;
	size_t count, token;
	struct gml_span subject;
	size_t at;
	size_t star; /* token after the last `*`; 0: none was met */
	size_t star_at;
	size_t body; /* wildcards do not match a colon before this place */
	bool nocase;
	bool below; /* the subject is the beginning of many: running out of it is a match */
	struct gml_span variables[AUTH_VARIABLES_MAX]; /* their values */
};

/* Bytes of the character at `at`. */
static size_t pattern_character(struct gml_span text, size_t at)
{
	size_t len = 1;
	if ((unsigned char)gml_span_at(text, at) >= 0xc0)
		while (len < 4 && at + len < text.len &&
		       ((unsigned char)gml_span_at(text, at + len) & 0xc0) == 0x80)
			len++;
	return len;
}

/* A byte of UTF-8 after `before`, of letters up to U+00FF the small one: policies may hold them. */
static unsigned char pattern_small(unsigned char before, unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c + 0x20;
	return before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97 ? c + 0x20 : c;
}

static bool pattern_starts_nocase(struct gml_span text, struct gml_span prefix)
{
	unsigned char before = 0;
	if (text.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		unsigned char c = (unsigned char)gml_span_at(prefix, i);
		if (pattern_small(before, c) !=
		    pattern_small(before, (unsigned char)gml_span_at(text, i)))
			return false;
		before = c;
	}
	return true;
}

/* May a wildcard match the character at `at`? */
static bool pattern_may_skip(const struct pattern_walk *walk, size_t at)
{
	return at < walk->subject.len &&
	       (at >= walk->body || gml_span_at(walk->subject, at) != ':');
}

/* Where a text stands behind a `*`, it is searched for: subjects may be long, and policies have
 * many patterns. A text begins with a character, so it is found at the beginning of one. */
static bool pattern_search(struct pattern_walk *walk)
{
	const struct auth_token *next = &walk->tokens[walk->star];
	struct gml_span rest = gml_span_from(walk->subject, walk->star_at);
	const char *found;
	if (walk->star == walk->count || next->kind != AUTH_TOKEN_TEXT || walk->nocase ||
	    walk->below || walk->star_at < walk->body)
		return true;
	found = rest.len > 0 ? memmem(rest.ptr, rest.len, next->text.ptr, next->text.len) : NULL;
	if (found != NULL)
		walk->star_at += (size_t)(found - gml_span_chars(rest));
	return found != NULL;
}

/* Goes on behind the last `*` with one more character in it. */
static bool pattern_retry(struct pattern_walk *walk)
{
	if (walk->star == 0 || !pattern_may_skip(walk, walk->star_at))
		return false;
	walk->star_at += pattern_character(walk->subject, walk->star_at);
	if (!pattern_search(walk))
		return false;
	walk->at = walk->star_at;
	walk->token = walk->star;
	return true;
}

static bool pattern_text(struct pattern_walk *walk, struct gml_span text)
{
	struct gml_span rest = gml_span_from(walk->subject, walk->at);
	if (walk->below && rest.len < text.len)
		text.len = rest.len;
	if (!(walk->nocase ? pattern_starts_nocase(rest, text) : gml_span_starts(rest, text)))
		return false;
	walk->at += text.len;
	walk->token++;
	return true;
}

/* One token on; false: it does not match here. */
static bool pattern_step(struct pattern_walk *walk)
{
	const struct auth_token *token = &walk->tokens[walk->token];
	switch (token->kind) {
	case AUTH_TOKEN_ANY:
		walk->star = ++walk->token;
		walk->star_at = walk->at;
		return true;
	case AUTH_TOKEN_ONE:
		if (!pattern_may_skip(walk, walk->at))
			return false;
		walk->at += pattern_character(walk->subject, walk->at);
		walk->token++;
		return true;
	case AUTH_TOKEN_TEXT:
		return pattern_text(walk, token->text);
	case AUTH_TOKEN_VARIABLE:
		return pattern_text(walk, walk->variables[token->index]);
	}
	return false;
}

static bool pattern_walk(struct pattern_walk *walk)
{
	for (;;) {
		/* The rest of the subject is free, or the last `*` takes it: something matches. */
		if (walk->below &&
		    (walk->at == walk->subject.len ||
		     (walk->star == walk->token && walk->star > 0 && walk->at >= walk->body)))
			return true;
		if (walk->token == walk->count && walk->at == walk->subject.len)
			return true;
		if (walk->token < walk->count && pattern_step(walk))
			continue;
		if (!pattern_retry(walk))
			return false;
	}
}

/* The values of the variables, in their order. */
static enum auth_truth pattern_resolve(const struct auth_pattern *pattern,
				       const struct auth_access *access,
				       struct gml_span out[AUTH_VARIABLES_MAX])
{
	size_t count = 0;
	bool vary = false;
	for (size_t i = 0; i < pattern->count; i++) {
		const struct auth_token *token = &pattern->tokens[i];
		struct auth_values values;
		if (token->kind != AUTH_TOKEN_VARIABLE)
			continue;
		values = auth_access_values(access, token->key, token->text);
		if (values.count == AUTH_VALUES_VARY)
			vary = true;
		else if (values.count == 1)
			out[count] = values.list[0];
		else if (values.count == 0 && token->has_fallback)
			out[count] = token->fallback;
		else
			return AUTH_FALSE; /* a list of values is no value */
		count++;
	}
	return vary ? AUTH_MAYBE : AUTH_TRUE;
}

/* Where the last part of an ARN begins; false: it has fewer than six. */
static bool pattern_arn_body(struct gml_span arn, size_t *body_out)
{
	unsigned colons = 0;
	for (size_t i = 0; i < arn.len; i++)
		if (gml_span_at(arn, i) == ':' && ++colons == 5) {
			*body_out = i + 1;
			return true;
		}
	return false;
}

static enum auth_truth pattern_compare(const struct auth_pattern *pattern,
				       struct pattern_walk *walk, const struct auth_access *access)
{
	enum auth_truth known = pattern_resolve(pattern, access, walk->variables);
	if (known != AUTH_TRUE)
		return known;
	walk->tokens = pattern->tokens;
	walk->count = pattern->count;
	return pattern_walk(walk) ? AUTH_TRUE : AUTH_FALSE;
}

bool auth_is_arn(struct gml_span text)
{
	size_t body;
	return gml_span_starts(text, GML_LIT("arn:")) && pattern_arn_body(text, &body);
}

enum auth_truth auth_pattern_match(const struct auth_pattern *pattern, enum auth_match how,
				   struct gml_span subject, const struct auth_access *access)
{
	struct pattern_walk walk = {.subject = subject, .nocase = how == AUTH_MATCH_NOCASE};
	if (pattern->everything)
		return AUTH_TRUE;
	if (pattern->literal)
		return subject.len == pattern->text.len &&
				       (how == AUTH_MATCH_NOCASE
						? pattern_starts_nocase(subject, pattern->text)
						: gml_span_equal(subject, pattern->text))
			       ? AUTH_TRUE
			       : AUTH_FALSE;
	if (how == AUTH_MATCH_ARN && !pattern_arn_body(subject, &walk.body))
		return AUTH_FALSE;
	return pattern_compare(pattern, &walk, access);
}

enum auth_truth auth_pattern_match_below(const struct auth_pattern *pattern,
					 struct gml_span subject, const struct auth_access *access)
{
	struct pattern_walk walk = {.subject = subject, .below = true};
	enum auth_truth some;
	if (pattern->everything)
		return AUTH_TRUE;
	if (!pattern_arn_body(subject, &walk.body))
		return AUTH_FALSE;
	some = pattern_compare(pattern, &walk, access);
	if (some != AUTH_TRUE)
		return some;
	/* What ends in `*` and matches the beginning matches whatever follows it. */
	if (pattern->count > 0 && pattern->tokens[pattern->count - 1].kind == AUTH_TOKEN_ANY)
		return auth_pattern_match(pattern, AUTH_MATCH_ARN, subject, access) == AUTH_TRUE
			       ? AUTH_TRUE
			       : AUTH_MAYBE;
	return AUTH_MAYBE;
}

bool auth_glob(struct gml_span pattern, struct gml_span subject)
{
	size_t p = 0, s = 0, star = SIZE_MAX, star_s = 0;
	while (s < subject.len) {
		char c = p < pattern.len ? gml_span_at(pattern, p) : '\0';
		if (p < pattern.len && c == '*') {
			star = ++p;
			star_s = s;
		} else if (p < pattern.len &&
			   (c == '?' ||
			    gml_span_equal_nocase(gml_span_of(gml_span_chars(pattern) + p, 1),
						  gml_span_of(gml_span_chars(subject) + s, 1)))) {
			p++;
			s++;
		} else if (star != SIZE_MAX) {
			p = star;
			s = ++star_s;
		} else {
			return false;
		}
	}
	while (p < pattern.len && gml_span_at(pattern, p) == '*')
		p++;
	return p == pattern.len;
}
