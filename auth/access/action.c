// SPDX-License-Identifier: Apache-2.0
#include "auth/access/action.h"

#include "auth/access/action_table.h"
#include "auth/access/pattern.h"

struct action_row {
	struct gml_span name;
	unsigned kinds;
};

#define ACCOUNT AUTH_RESOURCE_ACCOUNT
#define BUCKET AUTH_RESOURCE_BUCKET
#define OBJECT AUTH_RESOURCE_OBJECT
#define USER AUTH_RESOURCE_USER
#define GROUP AUTH_RESOURCE_GROUP
#define ROLE AUTH_RESOURCE_ROLE
#define POLICY AUTH_RESOURCE_POLICY
#define OTHER AUTH_RESOURCE_OTHER
#define ACTION_ROW(name, kinds) {GML_LIT(name), kinds},
static const struct action_row action_rows[] = {AUTH_ACTIONS(ACTION_ROW)};
#undef ACTION_ROW

#define ACTION_COUNT ((int)(sizeof(action_rows) / sizeof(action_rows[0])))
_Static_assert(sizeof(action_rows) / sizeof(action_rows[0]) <= AUTH_ACTIONS_MAX,
	       "raise AUTH_ACTIONS_MAX");

int auth_action_count(void)
{
	return ACTION_COUNT;
}

const char *auth_action_name(int action)
{
	return action_rows[action].name.ptr;
}

unsigned auth_action_kinds(int action)
{
	return action_rows[action].kinds;
}

int auth_action_find(struct gml_span name)
{
	int low = 0, high = ACTION_COUNT;
	while (low < high) {
		int middle = low + (high - low) / 2,
		    order = gml_span_order_nocase(action_rows[middle].name, name);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return AUTH_ACTION_NONE;
}

int auth_action_set_add(struct auth_action_set *set, struct gml_span pattern)
{
	int matched = 0;
	for (int row = 0; row < ACTION_COUNT; row++)
		if (auth_glob(pattern, action_rows[row].name)) {
			set->words[row / 64] |= (uint64_t)1 << (row % 64);
			matched++;
		}
	return matched;
}

void auth_action_set_invert(struct auth_action_set *set)
{
	for (int row = 0; row < ACTION_COUNT; row++)
		set->words[row / 64] ^= (uint64_t)1 << (row % 64);
}

static bool action_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool auth_action_pattern_valid(struct gml_span pattern)
{
	struct gml_span name = pattern, service;
	if (gml_span_is(pattern, "*"))
		return true;
	service = gml_span_cut(&name, ':');
	if (service.len == 0 || name.len == 0)
		return false;
	for (size_t i = 0; i < service.len; i++)
		if (!action_letter(gml_span_at(service, i)) && gml_span_at(service, i) != '-')
			return false;
	for (size_t i = 0; i < name.len; i++)
		if (!action_letter(gml_span_at(name, i)) && gml_span_at(name, i) != '*' &&
		    gml_span_at(name, i) != '?')
			return false;
	return true;
}
