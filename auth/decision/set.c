// SPDX-License-Identifier: Apache-2.0
#include "auth/decision/set_inside.h"

#include <stdlib.h>
#include "gateway/base/assert.h"

static enum set_role set_role(enum auth_policy_kind kind, bool allow)
{
	static const enum set_role roles[AUTH_POLICY_TRUST] = {
		[AUTH_POLICY_IDENTITY] = SET_GRANT,    [AUTH_POLICY_BUCKET] = SET_GRANT,
		[AUTH_POLICY_BOUNDARY] = SET_BOUNDARY, [AUTH_POLICY_SESSION] = SET_SESSION,
		[AUTH_POLICY_KEY] = SET_KEY,
	};
	gml_assert(kind < AUTH_POLICY_TRUST); /* which says nothing about requests */
	return allow ? roles[kind] : SET_DENY;
}

/* Splits the classes of actions by a set: those in it get classes of their own. */
static void set_split(struct auth_policy_set *set, const struct auth_action_set *actions)
{
	uint16_t inside[AUTH_ACTIONS_MAX]; /* the class of those of a class that are in the set */
	bool used[AUTH_ACTIONS_MAX] = {false}, outside[AUTH_ACTIONS_MAX] = {false};
	size_t before = set->nclasses;
	int rows = auth_action_count();
	for (int row = 0; row < rows; row++)
		if (!auth_action_set_has(actions, row))
			outside[set->classes[row]] = true;
	for (int row = 0; row < rows; row++) {
		uint16_t class = set->classes[row];
		if (class >= before || !auth_action_set_has(actions, row) || !outside[class])
			continue;
		if (!used[class]) {
			inside[class] = (uint16_t)set->nclasses++;
			used[class] = true;
		}
		set->classes[row] = inside[class];
	}
}

/* All entries of all policies, in their order. */
static struct auth_index_entry *set_entries(struct auth_policy_set *set, size_t *count_out)
{
	struct auth_index_entry *entries;
	size_t count = 0, done = 0;
	for (size_t i = 0; i < set->nsources; i++) {
		const struct auth_policy *policy = set->sources[i].policy;
		for (size_t j = 0; j < policy->nstatements; j++)
			count += policy->statements[j].not_resource
					 ? 1
					 : policy->statements[j].nresources;
	}
	entries = auth_arena_new(&set->arena, count, sizeof(*entries));
	for (size_t i = 0; i < set->nsources && entries != NULL; i++) {
		const struct auth_policy *policy = set->sources[i].policy;
		for (size_t j = 0; j < policy->nstatements; j++) {
			const struct auth_statement *statement = &policy->statements[j];
			size_t n = statement->not_resource ? 1 : statement->nresources;
			for (size_t k = 0; k < n; k++)
				entries[done++] = (struct auth_index_entry){
					policy, statement,
					statement->not_resource ? NULL : &statement->resources[k],
					i};
		}
	}
	*count_out = count;
	return entries;
}

/* An action of a class. */
static int set_action(const struct auth_policy_set *set, size_t class)
{
	int row = 0;
	while (set->classes[row] != class)
		row++;
	return row;
}

/* The index of one role for one class: counts its entries, then arranges them. */
static bool set_index(struct auth_policy_set *set, const struct auth_index_entry *entries,
		      size_t count, size_t class, enum set_role role)
{
	const struct auth_index_entry **chosen = NULL;
	int action = set_action(set, class);
	size_t found = 0;
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1 && found == 0)
			return true;
		if (pass == 1 &&
		    (chosen = auth_arena_new(&set->arena, found, sizeof(*chosen))) == NULL)
			return false;
		found = 0;
		for (size_t i = 0; i < count; i++)
			if (set_role(entries[i].policy->kind, entries[i].statement->allow) ==
				    role &&
			    auth_action_set_has(&entries[i].statement->actions, action)) {
				if (pass == 1)
					chosen[found] = &entries[i];
				found++;
			}
	}
	return auth_index_build(&set->arena, chosen, found, &set->class[class].roles[role]);
}

static bool set_arrange(struct auth_policy_set *set)
{
	size_t count;
	const struct auth_index_entry *entries = set_entries(set, &count);
	if (entries == NULL)
		return false;
	set->nclasses = 1;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || entries[i].statement != entries[i - 1].statement)
			set_split(set, &entries[i].statement->actions);
	set->class = auth_arena_new(&set->arena, set->nclasses, sizeof(*set->class));
	if (set->class == NULL)
		return false;
	for (size_t class = 0; class < set->nclasses; class ++)
		for (int role = 0; role < SET_ROLES; role++)
			if (!set_index(set, entries, count, class, (enum set_role)role))
				return false;
	return true;
}

struct auth_policy_set *auth_policy_set_new(const struct auth_policy_source *sources, size_t count)
{
	struct auth_policy_set *set = calloc(1, sizeof(*set));
	if (set == NULL)
		return NULL;
	set->sources = auth_arena_new(&set->arena, count, sizeof(*set->sources));
	if (set->sources == NULL) {
		auth_arena_release(&set->arena);
		free(set);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		struct gml_span origin =
			auth_arena_copy(&set->arena, gml_span_text(sources[i].origin));
		set->sources[i] =
			(struct auth_policy_source){auth_policy_ref(sources[i].policy), origin.ptr};
		set->nsources = i + 1;
		set->needs |= sources[i].policy->needs;
		set->caps[set_role(sources[i].policy->kind, true)] = true;
	}
	if (set->arena.failed || !set_arrange(set)) {
		auth_policy_set_free(set);
		return NULL;
	}
	return set;
}

void auth_policy_set_free(struct auth_policy_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->nsources; i++)
		auth_policy_unref(set->sources[i].policy);
	auth_arena_release(&set->arena);
	free(set);
}

size_t auth_policy_set_size(const struct auth_policy_set *set)
{
	size_t size = sizeof(*set) + set->arena.bytes;
	for (size_t i = 0; i < set->nsources; i++)
		size += auth_policy_size(set->sources[i].policy);
	return size;
}

auth_key_set auth_policy_set_needs(const struct auth_policy_set *set)
{
	return set->needs;
}

bool auth_policy_set_is_empty(const struct auth_policy_set *set)
{
	return set->nsources == 0;
}
