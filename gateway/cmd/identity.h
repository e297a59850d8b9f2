// SPDX-License-Identifier: Apache-2.0
/* What the nouns of identities (user, group, role) share: names, tags. */
#ifndef GML_CMD_IDENTITY_H
#define GML_CMD_IDENTITY_H

#include <gemel/policy.h>
#include "cmd.h"

/* "user", "group", "role", by enum gml_identity_kind. */
extern const char *const cmd_identity_kinds[];

/* Says that `name` cannot be a name; `whose`: "a group's". CMD_USAGE. */
int cmd_wrong_name(const char *name, const char *whose, int max);
/* "NAME HAS: A, B and C; ADVICE" with the strings of an array; returns CMD_FAILED. */
int cmd_fail_members(const char *name, const char *has, const json_t *array, const char *advice);

/* The names of an identity's policies, added to two arrays (which may be one). */
int cmd_policies_of(const struct cmd *cmd, const struct gml_identity *identity, json_t *attached,
		    json_t *inlined);
/* Says which policies an identity has, for INUSE. Returns CMD_FAILED. */
int cmd_fail_policies(const struct cmd *cmd, enum gml_identity_kind kind, const char *name);

/* The tags of a user or role as an object; NULL after printing the error. */
json_t *cmd_tags_json(const struct cmd *cmd, enum gml_identity_kind kind, const char *name);
/* The verb `tag`: --set or --remove of a user or role. Exit status. */
int cmd_tag(struct cmd *cmd, enum gml_identity_kind kind);
/* clang-format off */
#define CMD_TAG_OPTIONS \
	{"set", "KEY=VALUE,…", "set these tags, in place of those with the same keys", "remove"}, \
	{"remove", "KEY,…", "remove the tags with these keys"}
/* clang-format on */

#endif
