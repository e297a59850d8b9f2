// SPDX-License-Identifier: Apache-2.0
/* Input: a line of letters and a number, "KWA N": K the kind of policy (i b o s k), W who asks (u s
 * r n), A the first letter of the action, N how many bytes of the key are the prefix of questions
 * about all below; a line with the key; "KEY=VALUE" lines; an empty line; the document.
 * Properties: an error has a place in UTF-8 and a text, and so has a warning, and a line if the
 * text is JSON; who wants all errors gets the same first one; a set decides what its policy
 * decides; what is said of all keys below a prefix is true of the key. */
#include <string.h>

#include "auth/decision/set.h"
#include "auth/policy/lint.h"
#include "auth/policy/position.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_VALUES 16
#define FUZZ_QUESTIONS 16

struct fuzz_context {
	struct gml_span lines;
	struct gml_span values[FUZZ_QUESTIONS][FUZZ_VALUES];
	unsigned asked;
};

static const struct auth_principal fuzz_who[] = {
	{AUTH_PRINCIPAL_USER,
	 GML_LIT("arn:aws:iam::000000000000:user/ann"),
	 {NULL, 0},
	 GML_LIT("AIDAANN"),
	 GML_LIT("ann"),
	 GML_LIT("000000000000"),
	 {NULL, 0}},
	{AUTH_PRINCIPAL_SESSION,
	 GML_LIT("arn:aws:sts::000000000000:assumed-role/lab/run"),
	 GML_LIT("arn:aws:iam::000000000000:role/lab"),
	 GML_LIT("AROALAB:run"),
	 {NULL, 0},
	 GML_LIT("000000000000"),
	 {NULL, 0}},
	{AUTH_PRINCIPAL_ACCOUNT,
	 GML_LIT("arn:aws:iam::000000000000:root"),
	 {NULL, 0},
	 GML_LIT("000000000000"),
	 {NULL, 0},
	 GML_LIT("000000000000"),
	 {NULL, 0}},
	{.type = AUTH_PRINCIPAL_ANONYMOUS},
};

/* Which of `letters` stands at a place; the first for any other. */
static unsigned fuzz_letter(struct gml_span line, size_t at, const char *letters)
{
	const char *found =
		at < line.len ? memchr(letters, gml_span_at(line, at), strlen(letters)) : NULL;
	return found != NULL ? (unsigned)(found - letters) : 0;
}

static struct auth_values fuzz_values(void *arg, enum auth_key key, struct gml_span name)
{
	struct fuzz_context *context = arg;
	struct gml_span rest = context->lines,
			*list = context->values[context->asked++ % FUZZ_QUESTIONS];
	size_t count = 0;
	(void)key;
	while (rest.len > 0 && count < FUZZ_VALUES) {
		struct gml_span value = gml_span_cut(&rest, '\n');
		if (gml_span_equal_nocase(gml_span_cut(&value, '='), name))
			list[count++] = value;
	}
	return (struct auth_values){list, count};
}

/* A text that was cut off ends with a whole character. */
static void fuzz_error(const struct auth_policy_error *error)
{
	size_t len = strlen(error->place), back = 0;
	FUZZ_CHECK(error->text[0] != '\0' && !error->memory);
	while (back < len && back < 3 && (error->place[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < len) {
		unsigned char lead = (unsigned char)error->place[len - 1 - back];
		FUZZ_CHECK(lead < 0xc0 || back == (lead >= 0xf0 ? 3u : lead >= 0xe0 ? 2u : 1u));
	}
}

/* A document, and what is said about it. */
struct fuzz_check {
	struct gml_span document;
	struct auth_policy_error first;
	unsigned errors;
};

static void fuzz_place(const struct fuzz_check *check, const char *place)
{
	unsigned line = 0, column = 0;
	FUZZ_CHECK(auth_position_find(check->document, place, &line, &column));
	FUZZ_CHECK(line > 0 && column > 0);
}

static void fuzz_wrong(void *arg, const struct auth_policy_error *error)
{
	struct fuzz_check *check = arg;
	fuzz_error(error);
	if (error->line == 0)
		fuzz_place(check, error->place);
	if (check->errors++ == 0)
		check->first = *error;
}

static void fuzz_warn(void *arg, const char *place, const char *text)
{
	FUZZ_CHECK(text[0] != '\0');
	fuzz_place(arg, place);
}

/* The same document for people: `error` is what auth_policy_parse said, NULL that it is good. */
static void fuzz_lint(enum auth_policy_kind kind, struct gml_span document,
		      const struct auth_policy_error *error)
{
	struct fuzz_check check = {.document = document};
	struct auth_policy *policy;
	bool good = auth_policy_check(kind, document, GML_LIT("b"), &policy, fuzz_wrong, &check);
	FUZZ_CHECK(good == (error == NULL) && good == (policy != NULL));
	FUZZ_CHECK(good == (check.errors == 0) && check.errors <= AUTH_POLICY_ERRORS_MAX);
	if (!good) {
		FUZZ_CHECK(strcmp(error->place, check.first.place) == 0);
		FUZZ_CHECK(strcmp(error->text, check.first.text) == 0);
		return;
	}
	auth_policy_lint(policy, GML_LIT("000000000000"), fuzz_warn, &check);
	auth_policy_unref(policy);
}

static void fuzz_decide(struct auth_policy *policy, struct auth_access *access, struct gml_span key,
			size_t prefix)
{
	static const enum auth_verdict grants[] = {AUTH_VERDICT_NONE, AUTH_VERDICT_ALLOW,
						   AUTH_VERDICT_DENY},
				       caps[] = {AUTH_VERDICT_CAPPED, AUTH_VERDICT_NONE,
						 AUTH_VERDICT_DENY};
	struct auth_policy_set *set =
		auth_policy_set_new(&(struct auth_policy_source){policy, "fuzz"}, 1);
	const struct auth_policy_set *const sets[] = {set};
	char arn[AUTH_ARN_MAX];
	enum auth_effect effect;
	struct auth_decision decision;
	int statement;
	FUZZ_CHECK(set != NULL);
	access->resource = auth_access_arn(arn, sizeof(arn), GML_LIT("b"), true, key);
	effect = auth_policy_decide(policy, access, &statement);
	FUZZ_CHECK((statement >= 0) == (effect != AUTH_EFFECT_NONE));
	decision = auth_policy_evaluate(sets, 1, access);
	FUZZ_CHECK(decision.verdict ==
		   (auth_policy_kind(policy) <= AUTH_POLICY_BUCKET ? grants : caps)[effect]);
	enum auth_below below =
		auth_policy_below(sets, 1, access, GML_LIT("b"), gml_span_of(key.ptr, prefix));
	FUZZ_CHECK(below != AUTH_BELOW_NONE || decision.verdict != AUTH_VERDICT_ALLOW);
	FUZZ_CHECK(below != AUTH_BELOW_ALL || decision.verdict == AUTH_VERDICT_ALLOW);
	FUZZ_CHECK(auth_policy_could(sets, 1, access, GML_LIT("b"), gml_span_of(key.ptr, prefix)) ||
		   decision.verdict != AUTH_VERDICT_ALLOW);
	auth_policy_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum auth_policy_kind kinds[] = {AUTH_POLICY_IDENTITY, AUTH_POLICY_BUCKET,
						      AUTH_POLICY_BOUNDARY, AUTH_POLICY_SESSION,
						      AUTH_POLICY_KEY};
	static const char *const actions[] = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"};
	struct gml_span rest = gml_span_of(data, size), first = gml_span_cut(&rest, '\n'),
			key = gml_span_cut(&rest, '\n');
	struct fuzz_context context = {.lines = rest};
	struct auth_policy_error error;
	struct auth_policy *policy;
	enum auth_policy_kind kind;
	uint64_t prefix = 0;
	while (rest.len > 0 && gml_span_cut(&rest, '\n').len > 0)
		;
	context.lines.len -= rest.len;
	if (key.len > GML_KEY_MAX)
		key.len = GML_KEY_MAX;
	if (first.len > 4)
		gml_span_u64(gml_span_from(first, 4), key.len, &prefix);
	kind = kinds[fuzz_letter(first, 0, "ibosk")];
	if (!auth_policy_parse(kind, rest, GML_LIT("b"), &policy, &error)) {
		FUZZ_CHECK(policy == NULL);
		fuzz_error(&error);
		fuzz_lint(kind, rest, &error);
		return 0;
	}
	fuzz_lint(kind, rest, NULL);
	struct auth_access access = {
		.principal = &fuzz_who[fuzz_letter(first, 1, "usrn")],
		.action = auth_action_find(gml_span_text(actions[fuzz_letter(first, 2, "gpd")])),
		.values = fuzz_values,
		.arg = &context,
	};
	fuzz_decide(policy, &access, key, prefix <= key.len ? (size_t)prefix : 0);
	auth_policy_unref(policy);
	return 0;
}
