// SPDX-License-Identifier: Apache-2.0
/* What Resource and NotResource name (IAM JSON policy elements: Resource): ARNs in which wildcards
 * stand for parts of a name.
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_RESOURCE_H
#define GML_AUTH_POLICY_RESOURCE_H

#include "auth/access/pattern.h"

/* Compiles one value, which `arena` must outlive. `variables`: ${…} is one. Returns NULL, or what
 * is wrong as the end of a sentence (static). */
const char *auth_resource_compile(struct auth_arena *arena, struct gml_span text, bool variables,
				  struct auth_pattern *out);
/* Could it match the bucket, or something in it? Variables may stand for anything. `arena` is for
 * work; when it is full the answer is false. */
bool auth_resource_in_bucket(struct auth_arena *arena, const struct auth_pattern *resource,
			     struct gml_span bucket);
/* Which kinds it could match (AUTH_RESOURCE_BUCKET, AUTH_RESOURCE_OBJECT, or all the others). */
unsigned auth_resource_kinds(const struct auth_pattern *resource);

#endif
