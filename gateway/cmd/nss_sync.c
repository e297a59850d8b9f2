// SPDX-License-Identifier: Apache-2.0
/* How the store follows NSS: users and groups of it are records of the store that say so, and this
 * brings them up to date. A user is the same person for both if name and uid are. */
#include "nss.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_USER_ARN "arn:aws:iam::000000000000:user/"

struct sync {
	struct cmd *cmd;
	bool problems; /* are told */
	bool unsure;   /* NSS did not answer about a member of this group: none leaves it */
	json_t *rows;
	int rc;
};

static void sync_say(struct sync *sync, const char *kind, const char *name, const char *change)
{
	json_array_append_new(sync->rows, json_pack("{s:s, s:s, s:s}", "kind", kind, "name", name,
						    "change", change));
}

static void sync_problem(struct sync *sync, const char *kind, const char *name, const char *why)
{
	if (sync->problems)
		sync_say(sync, kind, name, why);
}

/* ---- users ----------------------------------------------------------------------------------- */

bool nss_take_user(struct cmd *cmd, const char *name, bool asked, char why[NSS_WHY_MAX])
{
	struct gml_user user = {.flags = GML_USER_NSS | GML_USER_NO_BUCKETS};
	struct nss_user found = {0};
	enum nss_answer answer = nss_user(name, &found);
	int rc;
	why[0] = 0;
	if (answer == NSS_FAILED)
		snprintf(why, NSS_WHY_MAX, "NSS does not answer: %s", strerror(errno));
	else if (answer == NSS_NONE)
		snprintf(why, NSS_WHY_MAX, "NSS knows no such user");
	else if (gml_user_name_check(name) != 0)
		snprintf(why, NSS_WHY_MAX,
			 "not taken over: users have names of up to %d of "
			 "[A-Za-z0-9_+=,.@-]",
			 GML_USER_NAME_MAX);
	else if (found.uid == 0)
		snprintf(why, NSS_WHY_MAX, "not taken over: its uid 0 is root's");
	else if (!asked && gml_uid_refused(cmd->store, found.uid))
		snprintf(why, NSS_WHY_MAX,
			 "not taken over: its uid %u was another user's ('gemel user create %s "
			 "--nss' takes it over)",
			 found.uid, name);
	if (why[0])
		return false;
	strcpy(user.name, name);
	user.uid = found.uid;
	user.gid = found.gid;
	user.ngroups = found.ngroups;
	memcpy(user.groups, found.groups, sizeof(user.groups));
	rc = gml_user_create(&cmd->op, cmd->store, &user);
	if (rc == GML_ERR_UIDTAKEN)
		snprintf(why, NSS_WHY_MAX, "not taken over: its uid %u is that of another user",
			 found.uid);
	else if (rc != 0)
		snprintf(why, NSS_WHY_MAX, "not taken over: %s", gml_err_text(rc));
	return rc == 0;
}

/* What the user's record becomes. Who is disabled already stays so, and is not marked: nobody
 * enables it again but who disabled it. */
static void sync_user_next(const struct nss_user *found, struct gml_user *user)
{
	if (found == NULL || found->uid != user->uid) {
		if (!(user->flags & GML_USER_DISABLED))
			user->flags |= GML_USER_GONE | GML_USER_DISABLED;
		return;
	}
	if (user->flags & GML_USER_GONE)
		user->flags &= ~(uint32_t)(GML_USER_GONE | GML_USER_DISABLED);
	user->gid = found->gid;
	user->ngroups = found->ngroups;
	memcpy(user->groups, found->groups, sizeof(user->groups));
}

/* Does what sync_user_next changes stay? */
static bool sync_user_stays(const struct gml_user *before, const struct gml_user *user)
{
	return before->flags == user->flags && before->gid == user->gid &&
	       before->ngroups == user->ngroups &&
	       memcmp(before->groups, user->groups, user->ngroups * sizeof(*user->groups)) == 0;
}

static void sync_user(struct sync *sync, const char *name)
{
	struct nss_user found;
	struct gml_user before, user;
	enum nss_answer answer;
	int rc = gml_user_get(sync->cmd->store, name, &before);
	if (rc != 0 || !(before.flags & GML_USER_NSS))
		return; /* deleted meanwhile, or the store's own */
	answer = nss_user(name, &found);
	if (answer == NSS_FAILED) {
		sync_problem(sync, "user", name, "NSS does not answer: it stays as it was");
		return;
	}
	user = before;
	sync_user_next(answer == NSS_FOUND ? &found : NULL, &user);
	if (sync_user_stays(&before, &user))
		return;
	rc = gml_user_update(&sync->cmd->op, sync->cmd->store, &user);
	if (rc == GML_ERR_UIDTAKEN)
		sync_problem(sync, "user", name, "stays disabled: another user has its uid");
	else if (rc != 0)
		sync->rc = rc;
	else if (user.flags != before.flags)
		sync_say(sync, "user", name,
			 user.flags & GML_USER_GONE ? "gone: disabled" : "back: enabled");
	else
		sync_say(sync, "user", name, "other groups");
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* Is the store's user of that name NSS's? */
static bool sync_is_same(struct sync *sync, const char *name, struct nss_user *found)
{
	struct gml_user user;
	enum nss_answer answer;
	if (gml_user_get(sync->cmd->store, name, &user) != 0)
		return false;
	answer = nss_user(name, found);
	sync->unsure |= answer == NSS_FAILED;
	return answer == NSS_FOUND && found->uid == user.uid;
}

/* The users that are to be members, as keys of an object: those that the group names, and those
 * whose primary group it is. */
static json_t *sync_members(struct sync *sync, const struct nss_group *group, const json_t *users)
{
	json_t *members = json_object(), *name;
	char why[NSS_WHY_MAX];
	struct nss_user found;
	struct gml_user user;
	size_t i;
	json_array_foreach(group->members, i, name)
	{
		const char *text = json_string_value(name);
		bool taken = false;
		if (gml_user_get(sync->cmd->store, text, &user) == GML_ERR_NOUSER) {
			taken = nss_take_user(sync->cmd, text, false, why);
			if (taken)
				sync_say(sync, "user", text, "taken over");
			else
				sync_problem(sync, "user", text, why);
		}
		if (taken || sync_is_same(sync, text, &found))
			json_object_set_new(members, text, json_true());
	}
	json_array_foreach(users, i, name)
	{
		const char *text = json_string_value(name);
		if (sync_is_same(sync, text, &found) && found.gid == group->gid)
			json_object_set_new(members, text, json_true());
	}
	return members;
}

static bool sync_add_name(void *arg, struct gml_span name)
{
	return json_array_append_new(arg, json_stringn(name.ptr, name.len)) == 0;
}

static void sync_member_change(struct sync *sync, const char *group, const char *user, bool joins)
{
	struct cmd *cmd = sync->cmd;
	char text[GML_USER_NAME_MAX + 32];
	int rc = joins ? gml_group_add(&cmd->op, cmd->store, group, user)
		       : gml_group_remove(&cmd->op, cmd->store, group, user);
	if (rc == GML_ERR_LIMIT) {
		snprintf(text, sizeof(text), "%s is in too many groups", user);
		sync_problem(sync, "group", group, text);
	} else if (rc == 0) {
		snprintf(text, sizeof(text), joins ? "%s joins" : "%s leaves", user);
		sync_say(sync, "group", group, text);
	} else if (rc != GML_ERR_NOENT && rc != GML_ERR_NOUSER && rc != GML_ERR_NOGROUP) {
		sync->rc = rc;
	}
}

static void sync_members_set(struct sync *sync, const char *group, json_t *wanted)
{
	json_t *now = json_array(), *name, *value;
	const char *key;
	size_t i;
	int rc = gml_group_members(sync->cmd->store, group, sync_add_name, now);
	if (rc != 0 && rc != GML_ERR_NOGROUP)
		sync->rc = rc;
	json_array_foreach(now, i, name)
	{
		if (rc == 0 && json_object_del(wanted, json_string_value(name)) != 0 &&
		    !sync->unsure)
			sync_member_change(sync, group, json_string_value(name), false);
	}
	json_object_foreach(wanted, key, value)
	{
		if (rc == 0)
			sync_member_change(sync, group, key, true);
	}
	json_decref(now);
}

static void sync_group(struct sync *sync, const char *name, const json_t *users)
{
	struct nss_group found;
	struct gml_group group;
	json_t *wanted = NULL;
	enum nss_answer answer;
	if (gml_group_get(sync->cmd->store, name, &group) != 0 || !group.nss)
		return;
	sync->unsure = false;
	answer = nss_group(group.name, &found);
	if (answer == NSS_FAILED) {
		sync_problem(sync, "group", name, "NSS does not answer: it stays as it was");
		return;
	}
	if (answer == NSS_FOUND && found.gid == group.gid) {
		wanted = sync_members(sync, &found, users);
	} else {
		sync_problem(sync, "group", name, "gone, or it has another gid: it has no members");
		wanted = json_object();
	}
	sync_members_set(sync, group.name, wanted);
	json_decref(wanted);
	if (answer == NSS_FOUND)
		json_decref(found.members);
}

static bool sync_add_user(void *arg, const struct gml_user *user)
{
	return json_array_append_new(arg, json_string(user->name)) == 0;
}

static bool sync_add_group(void *arg, const struct gml_group *group)
{
	return !group->nss || json_array_append_new(arg, json_string(group->name)) == 0;
}

bool nss_take_group(struct cmd *cmd, const char *name, char why[NSS_WHY_MAX])
{
	json_t *users = json_array(), *rows = json_array();
	struct sync sync = {.cmd = cmd, .rows = rows};
	struct nss_group found;
	enum nss_answer answer = nss_group(name, &found);
	int rc = 0;
	why[0] = 0;
	if (answer == NSS_FOUND) {
		json_decref(found.members);
		rc = gml_group_create_nss(&cmd->op, cmd->store, name, found.gid);
	}
	if (rc == 0 && answer == NSS_FOUND)
		rc = gml_user_list(cmd->store, sync_add_user, users);
	if (rc == 0 && answer == NSS_FOUND) {
		sync_group(&sync, name, users);
		rc = sync.rc;
	}
	if (answer == NSS_FAILED)
		snprintf(why, NSS_WHY_MAX, "NSS does not answer: %s", strerror(errno));
	else if (answer == NSS_NONE)
		snprintf(why, NSS_WHY_MAX, "NSS knows no such group");
	else if (rc != 0)
		snprintf(why, NSS_WHY_MAX, "not taken over: %s", gml_err_text(rc));
	json_decref(users);
	json_decref(rows);
	return why[0] == 0;
}

int nss_take_named(struct cmd *cmd, const struct gml_identity *identity)
{
	char why[NSS_WHY_MAX];
	struct nss_user user;
	struct nss_group group;
	struct gml_user known;
	struct gml_group have;
	bool taken = true;
	if (!nss_follows(cmd))
		return CMD_OK;
	if (identity->kind == GML_IDENTITY_USER &&
	    gml_user_get(cmd->store, identity->name, &known) == GML_ERR_NOUSER &&
	    nss_user(identity->name, &user) != NSS_NONE)
		taken = nss_take_user(cmd, identity->name, true, why);
	if (identity->kind == GML_IDENTITY_GROUP &&
	    gml_group_get(cmd->store, identity->name, &have) == GML_ERR_NOGROUP) {
		enum nss_answer answer = nss_group(identity->name, &group);
		if (answer == NSS_FOUND)
			json_decref(group.members);
		if (answer != NSS_NONE)
			taken = nss_take_group(cmd, identity->name, why);
	}
	return taken ? CMD_OK : cmd_fail("%s: %s", identity->name, why);
}

/* ---- principals of buckets' policies --------------------------------------------------------- */

static bool sync_add_bucket(void *arg, const struct gml_bucket *bucket)
{
	return json_array_append_new(arg, json_string(bucket->name)) == 0;
}

static void sync_principal(struct sync *sync, struct gml_span name)
{
	char text[GML_USER_NAME_MAX + 1], why[NSS_WHY_MAX];
	struct gml_user user;
	struct nss_user found;
	if (name.len == 0 || name.len >= sizeof(text))
		return;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	if (gml_user_name_check(text) != 0 ||
	    gml_user_get(sync->cmd->store, text, &user) != GML_ERR_NOUSER ||
	    nss_user(text, &found) == NSS_NONE)
		return;
	if (nss_take_user(sync->cmd, text, false, why))
		sync_say(sync, "user", text, "taken over");
	else
		sync_problem(sync, "user", text, why);
}

/* ARNs of users, wherever the policy of a bucket names one. */
static void sync_policy(struct sync *sync, const char *bucket)
{
	const size_t arn = sizeof(SYNC_USER_ARN) - 1;
	const char *at, *end;
	void *buf;
	size_t len;
	int rc = gml_bucket_document_get(&sync->cmd->op, sync->cmd->store,
					 (struct gml_span){bucket, strlen(bucket)},
					 GML_BUCKET_POLICY, &buf, &len);
	if (rc != 0) {
		if (rc != GML_ERR_NOENT && rc != GML_ERR_NOBUCKET)
			sync->rc = rc;
		return;
	}
	end = (const char *)buf + len;
	at = len > 0 ? memmem(buf, len, SYNC_USER_ARN, arn) : NULL;
	while (at != NULL) {
		const char *name = at + arn, *quote = memchr(name, '"', (size_t)(end - name));
		if (quote == NULL)
			break;
		sync_principal(sync, (struct gml_span){name, (size_t)(quote - name)});
		at = memmem(quote, (size_t)(end - quote), SYNC_USER_ARN, arn);
	}
	free(buf);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int nss_sync(struct cmd *cmd, bool problems, json_t *rows)
{
	struct sync sync = {.cmd = cmd, .problems = problems, .rows = rows};
	json_t *users = json_array(), *groups = json_array(), *buckets = json_array(), *name;
	size_t i;
	sync.rc = gml_user_list(cmd->store, sync_add_user, users);
	if (sync.rc == 0)
		sync.rc = gml_group_list(cmd->store, sync_add_group, groups);
	if (sync.rc == 0)
		sync.rc = gml_bucket_list(&cmd->op, cmd->store, (struct gml_span){"", 0},
					  sync_add_bucket, buckets);
	json_array_foreach(users, i, name)
	{
		if (sync.rc == 0)
			sync_user(&sync, json_string_value(name));
	}
	json_array_foreach(groups, i, name)
	{
		if (sync.rc == 0)
			sync_group(&sync, json_string_value(name), users);
	}
	json_array_foreach(buckets, i, name)
	{
		if (sync.rc == 0)
			sync_policy(&sync, json_string_value(name));
	}
	json_decref(users);
	json_decref(groups);
	json_decref(buckets);
	return sync.rc != 0 ? cmd_fail_rc(sync.rc, "users and groups of NSS") : CMD_OK;
}
