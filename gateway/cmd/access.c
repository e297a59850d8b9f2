// SPDX-License-Identifier: Apache-2.0
/* gemel access …: who may do what, and why. */
#include "cmd.h"

#include <arpa/inet.h>
#include <gemel/explain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"

/* Who asks. Principals borrow from it. */
struct access_who {
	struct gml_user user;
	struct gml_cred cred;
};

static int access_place(const char *text, struct gml_object_ref *out)
{
	*out = (struct gml_object_ref){.bucket = {NULL, 0}};
	if (!cmd_place_split(text, &out->bucket, &out->key))
		return cmd_wrong("'%s': a place is s3://BUCKET or s3://BUCKET/KEY", text);
	return CMD_OK;
}

/* The protocol, the address and the encryption that the options name. */
static int access_context(const struct cmd *cmd, struct gml_context *context)
{
	const char *door = cmd_option(cmd, "door"), *from = cmd_option(cmd, "from");
	*context = (struct gml_context){.protocol = GML_PROTOCOL_S3,
					.secure = cmd_option(cmd, "tls") != NULL};
	if (door != NULL && strcmp(door, "nfs") == 0)
		context->protocol = GML_PROTOCOL_NFS;
	else if (door != NULL && strcmp(door, "s3") != 0)
		return cmd_wrong("--door %s: it is s3 or nfs", door);
	if (from == NULL)
		return CMD_OK;
	if (inet_pton(AF_INET, from, context->source) == 1)
		context->source_len = 4;
	else if (inet_pton(AF_INET6, from, context->source) == 1)
		context->source_len = 16;
	else
		return cmd_wrong("--from %s: an address is like 192.0.2.1 or 2001:db8::1", from);
	return CMD_OK;
}

/* "ann", "user:ann", "uid:1000", "anonymous". */
static int access_who(const struct cmd *cmd, const char *text, const struct gml_context *context,
		      struct access_who *who, struct gml_principal *out)
{
	const struct gml_span no_key = {NULL, 0};
	uint64_t uid;
	int rc;
	if (strcmp(text, "anonymous") == 0) {
		gml_principal_anonymous(out);
		return CMD_OK;
	}
	if (strncmp(text, "uid:", 4) == 0) {
		if (cmd_number("WHO", text + 4, UINT32_MAX - 1, &uid) != 0)
			return CMD_USAGE;
		who->cred = (struct gml_cred){.uid = (uint32_t)uid, .gid = (uint32_t)uid};
		gml_principal_of_uid(cmd->store, &who->cred, GML_AUTHN_SYS, out);
		return CMD_OK;
	}
	if (strncmp(text, "group:", 6) == 0 || strncmp(text, "role:", 5) == 0)
		return cmd_wrong("'%s': WHO is a user, uid:N or anonymous; 'gemel group show' "
				 "shows the users of a group",
				 text);
	if (strncmp(text, "user:", 5) == 0)
		text += 5;
	rc = gml_user_get(cmd->store, text, &who->user);
	if (rc != 0)
		return cmd_fail_rc(rc, text);
	if (context->protocol == GML_PROTOCOL_S3) {
		gml_principal_of_user(&who->user, no_key, GML_AUTHN_SIGV4, out);
		return CMD_OK;
	}
	who->cred = (struct gml_cred){.uid = who->user.uid,
				      .gid = who->user.gid,
				      .groups = who->user.groups,
				      .ngroups = who->user.ngroups};
	gml_principal_of_uid(cmd->store, &who->cred, GML_AUTHN_SYS, out);
	return CMD_OK;
}

/* ---- explain --------------------------------------------------------------------------------- */

static json_t *access_json(const struct gml_explanation *why)
{
	char mode[8];
	json_t *object = json_pack("{s:s, s:s}", "answer", why->rc == 0 ? "granted" : "refused",
				   "because", why->reason);
	if (why->origin[0]) {
		json_object_set_new(object, "policy", json_string(why->origin));
		json_object_set_new(object, "statement", json_integer(why->statement));
	}
	if (why->would_help[0])
		json_object_set_new(object, "would_help", json_string(why->would_help));
	if (why->exists) {
		if (why->of_directory)
			json_object_set_new(object, "modes_of",
					    json_string("the directory that holds the name"));
		snprintf(mode, sizeof(mode), "%04o", why->mode & 07777);
		json_object_set_new(object, "mode", json_string(mode));
		json_object_set_new(object, "uid", json_integer(why->uid));
		json_object_set_new(object, "gid", json_integer(why->gid));
		json_object_set_new(object, "acl", json_boolean(why->acl));
	}
	return object;
}

static int access_explain(struct cmd *cmd)
{
	struct gml_explain_question question = {.action = cmd->args[1]};
	struct gml_explanation why;
	struct access_who who;
	int rc, status = access_place(cmd->args[2], &question.place);
	if (status == CMD_OK)
		status = access_context(cmd, &question.context);
	if (status == CMD_OK)
		status =
			access_who(cmd, cmd->args[0], &question.context, &who, &question.principal);
	if (status != CMD_OK)
		return status;
	rc = gml_explain(cmd->store, &question, &why);
	if (rc == GML_ERR_INVAL)
		return cmd_wrong("'%s': it can be s3:GetObject, s3:PutObject, s3:DeleteObject, "
				 "s3:ListBucket, s3:GetObjectAttributes, and Get and Put with "
				 "ObjectAcl or ObjectTagging; 'gemel policy simulate' knows every "
				 "action",
				 question.action);
	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[2]);
	return cmd_print_object(cmd, access_json(&why));
}

/* ---- list ------------------------------------------------------------------------------------ */

struct access_list {
	struct cmd *cmd;
	struct gml_explain_question question;
	json_t *rows;
	int rc;
};

static const struct access_column {
	const char *name, *action;
} access_columns[] = {
	{"read", "s3:GetObject"},
	{"write", "s3:PutObject"},
	{"delete", "s3:DeleteObject"},
	{"list", "s3:ListBucket"},
};

/* What allows it: the policy, or what else it is. */
static json_t *access_cell(const struct gml_explanation *why)
{
	if (why->rc != 0)
		return json_string("-");
	return json_string(why->origin[0] ? why->origin : why->reason);
}

static bool access_row(struct access_list *list, const char *name)
{
	json_t *row = json_pack("{s:s}", "who", name);
	struct gml_explanation why;
	bool any = false;
	for (size_t i = 0; i < sizeof(access_columns) / sizeof(*access_columns); i++) {
		list->question.action = access_columns[i].action;
		list->rc = gml_explain(list->cmd->store, &list->question, &why);
		if (list->rc != 0) {
			json_decref(row);
			return false;
		}
		any |= why.rc == 0;
		json_object_set_new(row, access_columns[i].name, access_cell(&why));
	}
	if (any)
		json_array_append_new(list->rows, row);
	else
		json_decref(row);
	return true;
}

static bool access_name(void *arg, const struct gml_user *user)
{
	return json_array_append_new(arg, json_string(user->name)) == 0;
}

static int access_rows(struct access_list *list, const json_t *names)
{
	struct access_who who;
	size_t index;
	json_t *name;
	json_array_foreach(names, index, name)
	{
		int status = access_who(list->cmd, json_string_value(name), &list->question.context,
					&who, &list->question.principal);
		if (status != CMD_OK)
			return status;
		if (!access_row(list, json_string_value(name)))
			return cmd_fail_rc(list->rc, list->cmd->args[0]);
	}
	return CMD_OK;
}

static int access_list(struct cmd *cmd)
{
	struct access_list list = {.cmd = cmd, .rows = json_array()};
	json_t *names = json_array();
	int rc, status = access_place(cmd->args[0], &list.question.place);
	if (status == CMD_OK)
		status = access_context(cmd, &list.question.context);
	if (status == CMD_OK) {
		rc = gml_user_list(cmd->store, access_name, names);
		status = rc != 0 ? cmd_fail_rc(rc, "users") : CMD_OK;
	}
	json_array_append_new(names, json_string("anonymous"));
	if (status == CMD_OK)
		status = access_rows(&list, names);
	json_decref(names);
	if (status == CMD_OK)
		return cmd_print_rows(cmd, list.rows);
	json_decref(list.rows);
	return status;
}

/* clang-format off */
#define ACCESS_CONTEXT \
	{"door", "s3|nfs", "the protocol (s3)"}, \
	{"from", "ADDRESS", "the client's address"}, \
	{"tls", NULL, "the connection is encrypted"}
/* clang-format on */

const struct cmd_verb cmd_access_verbs[] = {
	{"access",
	 "explain",
	 "WHO ACTION PLACE",
	 "Say whether a user, uid:N or anonymous may do s3:GetObject, … to s3://BUCKET/KEY, what "
	 "decided that, and what would change it.",
	 CMD_STORE,
	 access_explain,
	 {ACCESS_CONTEXT}},
	{"access",
	 "list",
	 "PLACE",
	 "List the users that may read, write, delete or list a place, and what allows it.",
	 CMD_STORE,
	 access_list,
	 {ACCESS_CONTEXT}},
	{0},
};
