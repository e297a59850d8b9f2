// SPDX-License-Identifier: Apache-2.0
/* The actions that policies name, as rows of one table (action_table.h).
 *
 * Pure; any thread; no blocking. Names compare without regard to the case of ASCII letters (IAM
 * JSON policy elements: Action). */
#ifndef GML_AUTH_ACCESS_ACTION_H
#define GML_AUTH_ACCESS_ACTION_H

#include "gateway/base/span.h"

/* What an action applies to; several bits where AWS names several. */
enum {
	AUTH_RESOURCE_ACCOUNT = 1 << 0, /* nothing smaller than the account: Resource is "*" */
	AUTH_RESOURCE_BUCKET = 1 << 1,
	AUTH_RESOURCE_OBJECT = 1 << 2,
	AUTH_RESOURCE_USER = 1 << 3,
	AUTH_RESOURCE_GROUP = 1 << 4,
	AUTH_RESOURCE_ROLE = 1 << 5,
	AUTH_RESOURCE_POLICY = 1 << 6,
	AUTH_RESOURCE_OTHER = 1 << 7, /* one that Gemel does not have */
	AUTH_RESOURCE_ANY = (1 << 8) - 1,
};

#define AUTH_ACTIONS_MAX 384 /* rows of the table at most */
#define AUTH_ACTION_NONE (-1)

/* Rows are numbered from 0 to auth_action_count() - 1. A number is good for this process only. */
int auth_action_count(void);
/* "s3:GetObject", with AWS's capitals. Static. */
const char *auth_action_name(int action);
/* AUTH_RESOURCE_… */
unsigned auth_action_kinds(int action);
/* Which row has the name; AUTH_ACTION_NONE if none has. */
int auth_action_find(struct gml_span name);

/* A set of rows. {0} is the empty one. */
struct auth_action_set {
	uint64_t words[AUTH_ACTIONS_MAX / 64];
};

static inline bool auth_action_set_has(const struct auth_action_set *set, int action)
{
	return set->words[(unsigned)action / 64] >> ((unsigned)action % 64) & 1;
}
/* Adds the rows that a policy's name matches, in which `*` and `?` may stand for letters; returns
 * how many match. */
int auth_action_set_add(struct auth_action_set *set, struct gml_span pattern);
/* The rows that were not in the set. */
void auth_action_set_invert(struct auth_action_set *set);
/* Does a name of a policy have the form that IAM wants: "*", or SERVICE:NAME, in which NAME has
 * letters, digits, `*` and `?`, and SERVICE letters, digits and hyphens? */
bool auth_action_pattern_valid(struct gml_span pattern);

#endif
