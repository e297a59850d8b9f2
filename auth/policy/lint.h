// SPDX-License-Identifier: Apache-2.0
/* What is allowed in a policy and yet hardly meant: names that match nothing, operators that do not
 * fit their keys, grants to everyone. AWS's Access Analyzer calls these warnings.
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_LINT_H
#define GML_AUTH_POLICY_LINT_H

#include "auth/policy/policy.h"

/* Receives a warning: a place as in struct auth_policy_error, and a sentence. Both are borrowed
 * during the call. */
typedef void (*auth_policy_warn_fn)(void *arg, const char *place, const char *text);

/* Calls `warn` for each warning, in the order of the document. `account`: the only account that
 * there is. */
void auth_policy_lint(const struct auth_policy *policy, struct gml_span account,
		      auth_policy_warn_fn warn, void *arg);

#endif
