// SPDX-License-Identifier: Apache-2.0
/* A set from inside: what set.c makes and evaluate.c reads. */
#ifndef GML_AUTH_DECISION_SET_INSIDE_H
#define GML_AUTH_DECISION_SET_INSIDE_H

#include "auth/decision/index.h"
#include "auth/decision/set.h"

/* What the statements of an index do. */
enum set_role { SET_DENY, SET_GRANT, SET_BOUNDARY, SET_SESSION, SET_KEY, SET_ROLES };

/* Actions that no statement tells apart have one class. */
struct set_class {
	struct auth_index roles[SET_ROLES];
};

struct auth_policy_set {
	struct auth_arena arena; /* holds all the rest but the policies */
	struct auth_policy_source *sources;
	size_t nsources;
	auth_key_set needs;
	bool caps[SET_ROLES];		    /* is there a policy of this kind? */
	uint16_t classes[AUTH_ACTIONS_MAX]; /* of each action */
	struct set_class *class;
	size_t nclasses;
};

#endif
