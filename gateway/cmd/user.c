/* gemel user …: who may come in, and which uid and gids they are. */
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *user_json(const struct gml_user *user)
{
	json_t *groups = json_array();

	for (uint32_t i = 0; i < user->ngroups; i++)
		json_array_append_new(groups, json_integer(user->groups[i]));
	return json_pack("{s:s, s:I, s:I, s:o, s:b, s:b, s:o}", "name", user->name, "uid", (json_int_t)user->uid, "gid", (json_int_t)user->gid, "groups", groups, "disabled",
			 (user->flags & GML_USER_DISABLED) != 0, "may_create_buckets", (user->flags & GML_USER_NO_BUCKETS) == 0, "created",
			 cmd_json_time(user->created));
}

static int user_groups(const char *text, struct gml_user *user)
{
	char *end;

	user->ngroups = 0;
	while (*text) {
		unsigned long gid = strtoul(text, &end, 10);
		if (end == text || (*end && *end != ',') || gid > UINT32_MAX - 1 || user->ngroups == GML_USER_GROUPS_MAX) {
			cmd_fail("--groups wants up to %d group numbers with commas between", GML_USER_GROUPS_MAX);
			return -1;
		}
		user->groups[user->ngroups++] = (uint32_t)gid;
		text = *end ? end + 1 : end;
	}
	return 0;
}

/* Options shared by create and update. */
static int user_options(const struct cmd *cmd, struct gml_user *user)
{
	uint64_t number;
	const char *text;

	if ((text = cmd_option(cmd, "uid")) != NULL) {
		if (cmd_number("uid", text, UINT32_MAX - 1, &number) != 0)
			return -1;
		user->uid = (uint32_t)number;
	}
	if ((text = cmd_option(cmd, "gid")) != NULL) {
		if (cmd_number("gid", text, UINT32_MAX - 1, &number) != 0)
			return -1;
		user->gid = (uint32_t)number;
	}
	if ((text = cmd_option(cmd, "groups")) != NULL && user_groups(text, user) != 0)
		return -1;
	if (cmd_option(cmd, "no-buckets"))
		user->flags |= GML_USER_NO_BUCKETS;
	if (cmd_option(cmd, "buckets"))
		user->flags &= ~(uint32_t)GML_USER_NO_BUCKETS;
	if (cmd_option(cmd, "disable"))
		user->flags |= GML_USER_DISABLED;
	if (cmd_option(cmd, "enable"))
		user->flags &= ~(uint32_t)GML_USER_DISABLED;
	return 0;
}

static int user_name_wrong(const struct cmd *cmd)
{
	return cmd_wrong("'%s': a user's name has 1 to %d letters, digits, '.', '_', '@' and '-'", cmd->args[0], GML_USER_NAME_MAX);
}

static int user_name(const struct cmd *cmd, struct gml_user *user)
{
	if (strlen(cmd->args[0]) > GML_USER_NAME_MAX)
		return user_name_wrong(cmd);
	strcpy(user->name, cmd->args[0]);
	return CMD_OK;
}

static int user_uid_taken(const struct cmd *cmd, const struct gml_user *user)
{
	struct gml_user other;

	if (gml_user_by_uid(cmd->store, user->uid, &other) != 0)
		return cmd_fail_rc(GML_ERR_UIDTAKEN, user->name);
	return cmd_fail("%s: uid %u is the enabled user %s's, and over NFS a user is its uid and nothing else: choose another --uid, or give %s a second key with 'gemel key create %s'", user->name,
			user->uid, other.name, other.name, other.name);
}

static int user_create(struct cmd *cmd)
{
	struct gml_user user = {0};
	int status = user_name(cmd, &user), rc;

	if (status != CMD_OK)
		return status;
	if (cmd_option(cmd, "uid") == NULL)
		return cmd_wrong("--uid is needed: the user's number at the NFS door");
	if (user_options(cmd, &user) != 0)
		return CMD_USAGE;
	if (cmd_option(cmd, "gid") == NULL)
		user.gid = user.uid;
	if ((rc = gml_user_create(&cmd->op, cmd->store, &user)) == GML_ERR_INVAL)
		return user_name_wrong(cmd);
	if (rc == GML_ERR_UIDTAKEN)
		return user_uid_taken(cmd, &user);
	if (rc != 0 || (rc = gml_user_get(cmd->store, cmd->args[0], &user)) != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	return cmd_print_object(cmd, user_json(&user));
}

static int user_update(struct cmd *cmd)
{
	struct gml_user user;
	int rc = gml_user_get(cmd->store, cmd->args[0], &user);

	if (rc == 0 && user_options(cmd, &user) != 0)
		return CMD_USAGE;
	if (rc == 0)
		rc = gml_user_update(&cmd->op, cmd->store, &user);
	if (rc == GML_ERR_UIDTAKEN)
		return user_uid_taken(cmd, &user);
	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	return cmd_print_object(cmd, user_json(&user));
}

static int user_show(struct cmd *cmd)
{
	struct gml_user user;
	int rc = gml_user_get(cmd->store, cmd->args[0], &user);

	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_object(cmd, user_json(&user));
}

static int user_delete(struct cmd *cmd)
{
	int rc = gml_user_delete(&cmd->op, cmd->store, cmd->args[0]);

	if (rc == GML_ERR_NOTEMPTY)
		return cmd_fail("%s owns buckets: delete them or give them to somebody else first", cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

static bool user_each(void *arg, const struct gml_user *user)
{
	return json_array_append_new(arg, user_json(user)) == 0;
}

static int user_list(struct cmd *cmd)
{
	json_t *rows = json_array();
	int rc = gml_user_list(cmd->store, user_each, rows);

	if (rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return cmd_fail_rc(rc, "users");
}

#define USER_OPTIONS                                                                                                                         \
	{"uid", "N", "the user's number at the NFS door and owner of what it makes"}, {"gid", "N", "its primary group (default: as uid)"},   \
		{"groups", "N,N…", "further groups"}, {"no-buckets", NULL, "it may not create buckets"}, {"buckets", NULL, "it may again"},  \
		{"disable", NULL, "refuse all its keys, and its uid over NFS"},                                                                                    \
	{                                                                                                                                    \
		"enable", NULL, "accept them again"                                                                                          \
	}

const struct cmd_verb cmd_user_verbs[] = {
	{"user", "create", "NAME", "Make a user.", CMD_STORE, user_create, {USER_OPTIONS}},
	{"user", "list", "", "List the users.", CMD_STORE, user_list, {{0}}},
	{"user", "show", "NAME", "Show one user.", CMD_STORE, user_show, {{0}}},
	{"user", "update", "NAME", "Change a user.", CMD_STORE, user_update, {USER_OPTIONS}},
	{"user", "delete", "NAME", "Delete a user and its keys.", CMD_STORE, user_delete, {{0}}},
	{0},
};
