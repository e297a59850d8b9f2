// SPDX-License-Identifier: Apache-2.0
/* gemel user …: users, with their uid and gids. */
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "identity.h"
#include "nss.h"

static json_t *user_json(const struct gml_user *user)
{
	json_t *groups = json_array();
	for (uint32_t i = 0; i < user->ngroups; i++)
		json_array_append_new(groups, json_integer(user->groups[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:b, s:b, s:b, s:o}", "name", user->name, "id",
			 user->id, "uid", (json_int_t)user->uid, "gid", (json_int_t)user->gid,
			 "groups", groups, "disabled", (user->flags & GML_USER_DISABLED) != 0,
			 "may_create_buckets", (user->flags & GML_USER_NO_BUCKETS) == 0, "nss",
			 (user->flags & GML_USER_NSS) != 0, "created",
			 cmd_json_time(user->created));
}

static int user_groups(const char *text, struct gml_user *user)
{
	user->ngroups = 0;
	for (const char *at = text; *at;) {
		size_t len = strspn(at, "0123456789");
		unsigned long gid = len > 0 && len <= 10 ? strtoul(at, NULL, 10) : UINT32_MAX;
		bool last = at[len] == 0;
		if (gid > UINT32_MAX - 1 || user->ngroups == GML_USER_GROUPS_MAX ||
		    (!last && (at[len] != ',' || at[len + 1] == 0))) {
			cmd_fail("--groups %s: not up to %d group numbers with commas between",
				 text, GML_USER_GROUPS_MAX);
			return -1;
		}
		user->groups[user->ngroups++] = (uint32_t)gid;
		at += last ? len : len + 1;
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

static int user_uid_taken(const struct cmd *cmd, const struct gml_user *user)
{
	struct gml_user other;
	if (gml_user_by_uid(cmd->store, user->uid, &other) != 0)
		return cmd_fail_rc(GML_ERR_UIDTAKEN, user->name);
	return cmd_fail("%s: uid %u belongs to the enabled user %s, and NFS identifies a user by "
			"its uid alone: choose another --uid, or give %s a second key with "
			"'gemel key create %s'",
			user->name, user->uid, other.name, other.name, other.name);
}

/* With the numbers that NSS has. */
static int user_create_nss(struct cmd *cmd, const char *name)
{
	static const char *const theirs[] = {"uid", "gid", "groups", NULL};
	struct gml_user user;
	char why[NSS_WHY_MAX];
	int rc;
	if (!nss_follows(cmd))
		return cmd_fail(CMD_NSS_OFF);
	for (const char *const *option = theirs; *option; option++)
		if (cmd_option(cmd, *option))
			return cmd_wrong("--%s and --nss: NSS says it", *option);
	if (gml_user_get(cmd->store, name, &user) == 0)
		return cmd_fail("%s: this user exists already", name);
	if (!nss_take_user(cmd, name, true, why))
		return cmd_fail("%s: %s", name, why);
	rc = gml_user_get(cmd->store, name, &user);
	if (rc == 0 && (cmd_option(cmd, "buckets") || cmd_option(cmd, "disable"))) {
		if (user_options(cmd, &user) != 0)
			return CMD_USAGE;
		rc = gml_user_update(&cmd->op, cmd->store, &user);
	}
	return rc ? cmd_fail_rc(rc, name) : cmd_print_object(cmd, user_json(&user));
}

static int user_sync(struct cmd *cmd)
{
	json_t *rows;
	int status;
	if (!nss_follows(cmd))
		return cmd_fail(CMD_NSS_OFF);
	rows = json_array();
	status = nss_sync(cmd, cmd_option(cmd, "changes") == NULL, rows);
	if (status == CMD_OK)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return status;
}

static int user_create(struct cmd *cmd)
{
	struct gml_user user = {0};
	const char *name = cmd->args[0];
	int rc;
	if (gml_user_name_check(name) != 0)
		return cmd_wrong_name(name, "a user's", GML_USER_NAME_MAX);
	strcpy(user.name, name);
	if (cmd_option(cmd, "nss"))
		return user_create_nss(cmd, name);
	if (cmd_option(cmd, "uid") == NULL)
		return cmd_wrong("--uid N is missing: the number by which NFS identifies the user");
	if (user_options(cmd, &user) != 0)
		return CMD_USAGE;
	if (cmd_option(cmd, "gid") == NULL)
		user.gid = user.uid;
	rc = gml_user_create(&cmd->op, cmd->store, &user);
	if (rc == GML_ERR_EXIST)
		return cmd_fail("%s: this user exists already: 'gemel user update %s' "
				"changes it",
				name, name);
	if (rc == GML_ERR_UIDTAKEN)
		return user_uid_taken(cmd, &user);
	if (rc != 0 || (rc = gml_user_get(cmd->store, name, &user)) != 0)
		return cmd_fail_rc(rc, name);
	return cmd_print_object(cmd, user_json(&user));
}

/* Buckets belong to a uid. */
struct user_owns {
	uint32_t uid;
	json_t *names;
};

static bool user_owns_one(void *arg, const struct gml_bucket *bucket)
{
	struct user_owns *owns = arg;
	return bucket->uid != owns->uid ||
	       json_array_append_new(owns->names, json_string(bucket->name)) == 0;
}

/* Appends the names of the user's buckets. */
static int user_owns(struct cmd *cmd, const struct gml_user *user, json_t *names)
{
	struct user_owns owns = {.uid = user->uid, .names = names};
	return gml_bucket_list(&cmd->op, cmd->store, (struct gml_span){"", 0}, user_owns_one,
			       &owns);
}

/* Their number. */
static int user_owns_count(struct cmd *cmd, const struct gml_user *user, unsigned *count_out)
{
	json_t *names = json_array();
	int rc = user_owns(cmd, user, names);
	*count_out = (unsigned)json_array_size(names);
	json_decref(names);
	return rc;
}

static int user_fail_owner(struct cmd *cmd, const struct gml_user *user)
{
	json_t *names = json_array();
	int rc = user_owns(cmd, user, names);
	int status = rc ? cmd_fail_rc(rc, user->name)
			: cmd_fail_members(user->name, "owns buckets", names,
					   "delete them, or give them to another user with 'gemel "
					   "bucket update BUCKET --owner USER' first");
	json_decref(names);
	return status;
}

static int user_update(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct gml_user before, user;
	unsigned buckets = 0;
	char what[256];
	int status, rc = gml_user_get(cmd->store, name, &before);
	user = before;
	if (rc == 0 && user_options(cmd, &user) != 0)
		return CMD_USAGE;
	if (rc == 0 && user.uid != before.uid)
		rc = user_owns_count(cmd, &before, &buckets);
	if (rc == 0 && buckets > 0) {
		snprintf(what, sizeof(what),
			 "%s owns %u bucket%s, which keep the uid %u with all their contents", name,
			 buckets, buckets == 1 ? "" : "s", before.uid);
		if ((status = cmd_confirm(cmd, what, "Change the uid?")) != CMD_OK)
			return status;
	}
	if (rc == 0)
		rc = gml_user_update(&cmd->op, cmd->store, &user);
	if (rc == GML_ERR_UIDTAKEN)
		return user_uid_taken(cmd, &user);
	if (rc != 0)
		return cmd_fail_rc(rc, name);
	return cmd_print_object(cmd, user_json(&user));
}

static bool user_group(void *arg, const struct gml_group *group)
{
	return json_array_append_new(arg, json_string(group->name)) == 0;
}

static int user_show(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	json_t *object, *tags, *groups = json_array();
	struct gml_user user;
	int rc = gml_user_get(cmd->store, name, &user);
	if (rc == 0)
		rc = gml_user_groups(cmd->store, name, user_group, groups);
	tags = rc == 0 ? cmd_tags_json(cmd, GML_IDENTITY_USER, name) : NULL;
	if (tags == NULL) {
		json_decref(groups);
		return rc ? cmd_fail_rc(rc, name) : CMD_FAILED;
	}
	object = user_json(&user);
	json_object_set_new(object, "member_of", groups);
	json_object_set_new(object, "tags", tags);
	return cmd_print_object(cmd, object);
}

static int user_tag(struct cmd *cmd)
{
	return cmd_tag(cmd, GML_IDENTITY_USER);
}

static bool user_key(void *arg, const struct gml_key *key)
{
	(void)key;
	*(unsigned *)arg += 1;
	return true;
}

static bool user_policy(void *arg, struct gml_span policy, struct gml_span document)
{
	(void)policy;
	(void)document;
	*(unsigned *)arg += 1;
	return true;
}

static void user_belongings(char *out, size_t cap, const char *name, unsigned keys,
			    unsigned policies)
{
	char count[64] = "", more[64] = "";
	if (keys > 0)
		snprintf(count, sizeof(count), "%u access key%s", keys, keys == 1 ? "" : "s");
	if (policies > 0)
		snprintf(more, sizeof(more), "%s%u polic%s of its own", keys > 0 ? " and " : "",
			 policies, policies == 1 ? "y" : "ies");
	snprintf(out, cap, "%s has %s%s, which would be deleted with the user", name, count, more);
}

static int user_delete(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct gml_user user;
	unsigned keys = 0, buckets = 0, policies = 0;
	char what[256];
	int status, rc = gml_user_get(cmd->store, name, &user);
	if (rc == 0)
		rc = user_owns_count(cmd, &user, &buckets);
	if (rc == 0 && buckets > 0)
		rc = GML_ERR_NOTEMPTY;
	if (rc == 0)
		rc = gml_key_list(cmd->store, name, user_key, &keys);
	if (rc == 0)
		rc = gml_policy_inline_list(cmd->store,
					    &(struct gml_identity){GML_IDENTITY_USER, name},
					    user_policy, &policies);
	if (rc == 0 && keys + policies > 0) {
		user_belongings(what, sizeof(what), name, keys, policies);
		if ((status = cmd_confirm(cmd, what, "Delete the user?")) != CMD_OK)
			return status;
	}
	if (rc == 0)
		rc = gml_user_delete(&cmd->op, cmd->store, name);
	if (rc == GML_ERR_NOTEMPTY)
		return user_fail_owner(cmd, &user);
	return rc ? cmd_fail_rc(rc, name) : cmd_print_nothing(cmd);
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

/* clang-format off */
#define USER_OPTIONS \
	{"uid", "N", "the number by which NFS identifies the user, and the owner of its files"}, \
	{"gid", "N", "its primary group (default: the uid)"}, \
	{"groups", "N,N…", "further groups"}, \
	{"no-buckets", NULL, "forbid it to create buckets", "buckets"}, \
	{"buckets", NULL, "allow it to create buckets"}, \
	{"disable", NULL, "refuse all its keys, and its uid over NFS", "enable"}, \
	{"enable", NULL, "accept its keys and uid again"}
/* clang-format on */

const struct cmd_verb cmd_user_verbs[] = {
	{"user",
	 "create",
	 "NAME",
	 "Make a user with the number --uid.",
	 CMD_STORE,
	 user_create,
	 {USER_OPTIONS,
	  {"nss", NULL, "the user of this name in the host's NSS, with its uid and groups"}},
	 .needs = "--uid N"},
	{"user",
	 "sync",
	 "",
	 "Bring users and groups of NSS up to date (gemel serve does it every "
	 "identity.nss_seconds).",
	 CMD_STORE,
	 user_sync,
	 {{"changes", NULL, "tell what changed, and not what could not be taken over"}}},
	{"user", "list", "", "List the users.", CMD_STORE, user_list, {{0}}},
	{"user", "show", "NAME", "Show one user.", CMD_STORE, user_show, {{0}}},
	{"user",
	 "update",
	 "NAME",
	 "Change a user.",
	 CMD_STORE,
	 user_update,
	 {USER_OPTIONS,
	  {"yes", NULL,
	   "change the uid although buckets keep the old one, without a confirmation"}},
	 .changes = true},
	{"user",
	 "tag",
	 "NAME",
	 "Change the tags of a user, which policies can ask for.",
	 CMD_STORE,
	 user_tag,
	 {CMD_TAG_OPTIONS},
	 .changes = true},
	{"user",
	 "delete",
	 "NAME",
	 "Delete a user, its keys and its own policies.",
	 CMD_STORE,
	 user_delete,
	 {{"yes", NULL, "delete its keys and policies as well, without a confirmation"}}},
	{0},
};
