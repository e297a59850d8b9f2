// SPDX-License-Identifier: Apache-2.0
/* Checks of policies as documents (auth/policy). */
#include <stdio.h>
#include <gemel/err.h>
#include <gemel/policy.h>
#include "auth/policy/lint.h"
#include "auth/policy/position.h"
#include "gateway/base/span.h"
#include "document.h"
#include "name.h"

#define LINT_WARNINGS_MAX 100

static const struct gml_span lint_account = GML_LIT(GML_IAM_ACCOUNT);

struct lint_each {
	void (*each)(void *arg, const struct gml_policy_finding *finding);
	void *arg;
	struct gml_span document;
	unsigned errors, warnings;
	bool memory;
};

static void lint_tell(const struct lint_each *each, struct gml_policy_finding finding)
{
	if (finding.line == 0)
		auth_position_find(each->document, finding.place, &finding.line, &finding.column);
	each->each(each->arg, &finding);
}

static void lint_error(void *arg, const struct auth_policy_error *error)
{
	struct lint_each *each = arg;
	if (error->memory) {
		each->memory = true;
		return;
	}
	each->errors++;
	lint_tell(each, (struct gml_policy_finding){true, error->place, error->text, error->line,
						    error->column});
}

static void lint_warning(void *arg, const char *place, const char *text)
{
	struct lint_each *each = arg;
	if (++each->warnings <= LINT_WARNINGS_MAX)
		lint_tell(each, (struct gml_policy_finding){.place = place, .text = text});
}

/* Nothing is left out silently. */
static void lint_end(const struct lint_each *each)
{
	char text[64];
	if (each->errors == AUTH_POLICY_ERRORS_MAX)
		each->each(each->arg, &(struct gml_policy_finding){
					      .error = true,
					      .place = "",
					      .text = "there may be more errors: these are as many "
						      "as are looked for"});
	if (each->warnings <= LINT_WARNINGS_MAX)
		return;
	snprintf(text, sizeof(text), "there are %u warnings more",
		 each->warnings - LINT_WARNINGS_MAX);
	each->each(each->arg, &(struct gml_policy_finding){.place = "", .text = text});
}

int gml_policy_lint(enum gml_policy_kind kind, struct gml_span document, struct gml_span bucket,
		    void (*each)(void *arg, const struct gml_policy_finding *finding), void *arg)
{
	struct lint_each to = {.each = each, .arg = arg, .document = document};
	struct auth_policy *policy;
	bool good = auth_policy_check(gml_document_kind(kind), document, bucket, &policy,
				      lint_error, &to);
	if (good)
		auth_policy_lint(policy, lint_account, lint_warning, &to);
	auth_policy_unref(policy);
	if (to.memory)
		return GML_ERR_NOMEM;
	lint_end(&to);
	return good ? 0 : GML_ERR_BADPOLICY;
}
