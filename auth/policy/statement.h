// SPDX-License-Identifier: Apache-2.0
/* A compiled policy from inside: what parse.c makes, and what set.c and lint.c look at. */
#ifndef GML_AUTH_POLICY_STATEMENT_H
#define GML_AUTH_POLICY_STATEMENT_H

#include <stdatomic.h>
#include "auth/policy/condition.h"
#include "auth/policy/policy.h"
#include "auth/policy/principal.h"

struct auth_statement {
	struct gml_span sid; /* empty: none */
	bool allow;
	struct auth_action_set actions; /* NotAction is turned round already */
	/* The names of actions, as the policy has them. */
	const struct gml_span *action_names;
	size_t nactions;
	bool not_action, not_principal, not_resource;
	const struct auth_party *parties;
	size_t nparties;
	const struct auth_pattern *resources;
	size_t nresources;
	const struct auth_condition *conditions;
	size_t nconditions;
};

struct auth_policy {
	atomic_uint references;
	enum auth_policy_kind kind;
	struct auth_arena arena; /* holds all the rest */
	const struct auth_statement *statements;
	size_t nstatements;
	bool single;	/* Statement is an object, not an array of one */
	bool variables; /* Version 2012-10-17 */
	auth_key_set needs;
};

/* Does the statement speak of the caller? Policies without Principal speak of whoever has them. */
bool auth_statement_names(const struct auth_policy *policy, const struct auth_statement *statement,
			  const struct auth_principal *who);
/* The kinds of resources that it speaks of (AUTH_RESOURCE_…). */
unsigned auth_statement_kinds(const struct auth_statement *statement);
/* Do all its conditions hold? */
enum auth_truth auth_statement_holds(const struct auth_statement *statement,
				     const struct auth_access *access);
/* Does it speak of the resource? */
enum auth_truth auth_statement_covers(const struct auth_statement *statement,
				      const struct auth_access *access);
/* Does it, of a bucket's policy, allow something to everyone (S3 User Guide: The meaning of
 * "public")? */
bool auth_statement_is_public(const struct auth_statement *statement);

#endif
