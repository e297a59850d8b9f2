// SPDX-License-Identifier: Apache-2.0
/* Why statements speak of a request, or do not: for people who ask what would have to change.
 *
 * Pure; any thread; no blocking. Looks at every statement, and is slow. */
#ifndef GML_AUTH_DECISION_EXPLAIN_H
#define GML_AUTH_DECISION_EXPLAIN_H

#include "auth/decision/set.h"

/* The first thing of a statement that does not fit the request. */
enum auth_obstacle {
	AUTH_OBSTACLE_NONE, /* it speaks of the request */
	AUTH_OBSTACLE_ACTION,
	AUTH_OBSTACLE_PRINCIPAL,
	AUTH_OBSTACLE_RESOURCE,
	AUTH_OBSTACLE_CONDITION, /* all else fits */
};

/* Everything is borrowed during the call. */
struct auth_explanation {
	const char *origin;
	enum auth_policy_kind kind;
	int statement;
	struct gml_span sid;
	bool allow;
	enum auth_obstacle obstacle;
	const char *place;  /* of the obstacle: "Statement[2].Condition.StringLike.s3:prefix" */
	const char *wanted; /* what the policy names there: "a, b"; "" when nothing stands there */
	/* Of a condition: what the request has. */
	struct auth_values values;
};

/* Calls `each` for every statement of the sets, until it returns false. */
void auth_policy_explain(const struct auth_policy_set *const *sets, size_t count,
			 const struct auth_access *access,
			 bool (*each)(void *arg, const struct auth_explanation *explanation),
			 void *arg);

#endif
