// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/place.h"

#include <stdio.h>

char *auth_place_statement(const struct auth_policy *policy, size_t statement,
			   char out[AUTH_PLACE_MAX])
{
	if (policy->single)
		snprintf(out, AUTH_PLACE_MAX, "Statement");
	else
		snprintf(out, AUTH_PLACE_MAX, "Statement[%zu]", statement);
	return out;
}

void auth_place_add(char place[AUTH_PLACE_MAX], const char *name)
{
	size_t at = strlen(place);
	snprintf(place + at, AUTH_PLACE_MAX - at, ".%s", name);
}

void auth_place_add_value(char place[AUTH_PLACE_MAX], size_t index, size_t count)
{
	size_t at = strlen(place);
	if (count > 1)
		snprintf(place + at, AUTH_PLACE_MAX - at, "[%zu]", index);
}

void auth_place_condition(const struct auth_policy *policy, size_t statement,
			  const struct auth_condition *condition, char out[AUTH_PLACE_MAX])
{
	auth_place_statement(policy, statement, out);
	auth_place_add(out, "Condition");
	/* Copies in the arena end with a NUL. */
	auth_place_add(out, condition->operator_name.ptr);
	auth_place_add(out, condition->key_name.ptr);
}

void auth_place_clean(char *text)
{
	size_t len = strlen(text), begin = len;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	while (begin > 0 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
		begin--;
	if (begin == 0 || (unsigned char)text[begin - 1] < 0xc0)
		return;
	unsigned char lead = (unsigned char)text[begin - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (len - (begin - 1) < want)
		text[begin - 1] = '\0';
}
