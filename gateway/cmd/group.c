// SPDX-License-Identifier: Apache-2.0
/* gemel group …: groups of users, for policies. */
#include "cmd.h"

#include <gemel/iam.h>
#include <stdio.h>
#include <string.h>
#include "identity.h"
#include "nss.h"

static json_t *group_json(const struct gml_group *group)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "name", group->name, "id", group->id, "created",
			 cmd_json_time(group->created), "nss_gid",
			 group->nss ? json_integer(group->gid) : json_null());
}

static bool group_each(void *arg, const struct gml_group *group)
{
	return json_array_append_new(arg, group_json(group)) == 0;
}

static int group_list(struct cmd *cmd)
{
	json_t *rows = json_array();
	int rc = gml_group_list(cmd->store, group_each, rows);
	if (rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return cmd_fail_rc(rc, "groups");
}

static bool group_member(void *arg, struct gml_span user)
{
	return json_array_append_new(arg, json_stringn(user.ptr, user.len)) == 0;
}

static int group_show(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct gml_group group;
	json_t *members = json_array(), *object;
	int rc = gml_group_get(cmd->store, name, &group);
	if (rc == 0)
		rc = gml_group_members(cmd->store, name, group_member, members);
	if (rc != 0) {
		json_decref(members);
		return cmd_fail_rc(rc, name);
	}
	object = group_json(&group);
	json_object_set_new(object, "members", members);
	return cmd_print_object(cmd, object);
}

static int group_create(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	char why[NSS_WHY_MAX];
	struct gml_group group;
	int rc;
	if (gml_group_name_check(name) != 0)
		return cmd_wrong_name(name, "a group's", GML_GROUP_NAME_MAX);
	if (cmd_option(cmd, "nss") && !nss_follows(cmd))
		return cmd_fail(CMD_NSS_OFF);
	if (cmd_option(cmd, "nss")) {
		if (!nss_take_group(cmd, name, why))
			return cmd_fail("%s: %s", name, why);
		return group_show(cmd);
	}
	rc = gml_group_create(&cmd->op, cmd->store, name, &group);
	if (rc == GML_ERR_EXIST)
		return cmd_fail("%s: there is a group of this name already (upper and lower case "
				"are one name)",
				name);
	return rc ? cmd_fail_rc(rc, name) : cmd_print_object(cmd, group_json(&group));
}

static int group_delete(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	json_t *members = json_array();
	int rc = gml_group_delete(&cmd->op, cmd->store, name);
	if (rc == GML_ERR_INUSE) /* what cannot be read any more is not named */
		(void)gml_group_members(cmd->store, name, group_member, members);
	if (rc == GML_ERR_INUSE && json_array_size(members) > 0)
		rc = cmd_fail_members(name, "has members", members,
				      "'gemel group remove' ends a membership");
	else if (rc == GML_ERR_INUSE)
		rc = cmd_fail_policies(cmd, GML_IDENTITY_GROUP, name);
	else
		rc = rc ? cmd_fail_rc(rc, name) : cmd_print_nothing(cmd);
	json_decref(members);
	return rc;
}

/* The members of NSS's groups are NSS's. */
static int group_is_own(struct cmd *cmd, const char *name)
{
	struct gml_group group;
	if (gml_group_get(cmd->store, name, &group) == 0 && group.nss)
		return cmd_fail("%s is a group of NSS: its members are those that it has there",
				name);
	return CMD_OK;
}

static int group_add(struct cmd *cmd)
{
	const char *group = cmd->args[0], *user = cmd->args[1];
	const struct gml_identity who = {GML_IDENTITY_USER, user};
	int rc, status = group_is_own(cmd, group);
	if (status == CMD_OK)
		status = nss_take_named(cmd, &who);
	if (status != CMD_OK)
		return status;
	rc = gml_group_add(&cmd->op, cmd->store, group, user);
	if (rc == GML_ERR_LIMIT)
		return cmd_fail("%s is in %d groups already, and no user is in more; 'gemel user "
				"show %s' names them",
				user, GML_GROUPS_PER_USER, user);
	if (rc != 0)
		return cmd_fail_rc(rc, rc == GML_ERR_NOUSER ? user : group);
	return cmd_print_nothing(cmd);
}

static int group_remove(struct cmd *cmd)
{
	const char *group = cmd->args[0], *user = cmd->args[1];
	int rc, status = group_is_own(cmd, group);
	if (status != CMD_OK)
		return status;
	rc = gml_group_remove(&cmd->op, cmd->store, group, user);
	if (rc == GML_ERR_NOENT)
		return cmd_fail("%s is no member of %s; 'gemel group show %s' names the members",
				user, group, group);
	if (rc != 0)
		return cmd_fail_rc(rc, rc == GML_ERR_NOUSER ? user : group);
	return cmd_print_nothing(cmd);
}

const struct cmd_verb cmd_group_verbs[] = {
	{"group",
	 "create",
	 "NAME",
	 "Make a group without members.",
	 CMD_STORE,
	 group_create,
	 {{"nss", NULL, "the group of this name in the host's NSS, with its members"}}},
	{"group", "list", "", "List the groups.", CMD_STORE, group_list, {{0}}},
	{"group", "show", "NAME", "Show a group and its members.", CMD_STORE, group_show, {{0}}},
	{"group", "add", "NAME USER", "Make a user a member.", CMD_STORE, group_add, {{0}}},
	{"group",
	 "remove",
	 "NAME USER",
	 "End a user's membership.",
	 CMD_STORE,
	 group_remove,
	 {{0}}},
	{"group",
	 "delete",
	 "NAME",
	 "Delete a group that has neither members nor policies.",
	 CMD_STORE,
	 group_delete,
	 {{0}}},
	{0},
};
