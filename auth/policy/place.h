// SPDX-License-Identifier: Apache-2.0
/* Places in a compiled policy, in the words of the document. */
#ifndef GML_AUTH_POLICY_PLACE_H
#define GML_AUTH_POLICY_PLACE_H

#include "auth/policy/statement.h"

#define AUTH_PLACE_MAX 256

/* "Statement[2]", or "Statement" when it is the only one and in no array. Returns `out`. */
char *auth_place_statement(const struct auth_policy *policy, size_t statement,
			   char out[AUTH_PLACE_MAX]);
/* Adds ".NAME", and "[3]" for one of several values. What does not fit is left out. */
void auth_place_add(char place[AUTH_PLACE_MAX], const char *name);
void auth_place_add_value(char place[AUTH_PLACE_MAX], size_t index, size_t count);
/* "Statement.Condition.OPERATOR.KEY" */
void auth_place_condition(const struct auth_policy *policy, size_t statement,
			  const struct auth_condition *condition, char out[AUTH_PLACE_MAX]);
/* Replaces control characters, which could command a terminal, and takes away a character of UTF-8
 * that was cut off at the end. */
void auth_place_clean(char *text);

#endif
