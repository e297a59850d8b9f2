// SPDX-License-Identifier: Apache-2.0
/* Checks of policies as documents (auth/policy). */
#include <gemel/err.h>
#include <gemel/policy.h>
#include "auth/policy/lint.h"
#include "gateway/base/span.h"
#include "document.h"

/* The only account. */
static const struct gml_span lint_account = GML_LIT("000000000000");

struct lint_each {
	void (*each)(void *arg, const struct gml_policy_finding *finding);
	void *arg;
};

static void lint_warning(void *arg, const char *place, const char *text)
{
	const struct lint_each *each = arg;
	each->each(each->arg, &(struct gml_policy_finding){.place = place, .text = text});
}

int gml_policy_lint(enum gml_policy_kind kind, struct gml_span document, struct gml_span bucket,
		    void (*each)(void *arg, const struct gml_policy_finding *finding), void *arg)
{
	struct lint_each to = {each, arg};
	struct auth_policy *policy;
	struct auth_policy_error error;
	if (!auth_policy_parse(gml_document_kind(kind), document, bucket, &policy, &error)) {
		if (error.memory)
			return GML_ERR_NOMEM;
		each(arg, &(struct gml_policy_finding){true, error.place, error.text, error.line,
						       error.column});
		return GML_ERR_BADPOLICY;
	}
	auth_policy_lint(policy, lint_account, lint_warning, &to);
	auth_policy_unref(policy);
	return 0;
}
