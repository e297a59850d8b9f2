// SPDX-License-Identifier: Apache-2.0
/* Whether one statement of a policy says all that another says.
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_COVER_H
#define GML_AUTH_POLICY_COVER_H

#include "auth/policy/statement.h"

/* Does `wide` match every request that `narrow` matches, whatever their effects are? True only
 * where that is plain: by wildcards, and by conditions that are the same in both. */
bool auth_statement_covers_all(const struct auth_statement *wide,
			       const struct auth_statement *narrow);

#endif
