// SPDX-License-Identifier: Apache-2.0
/* gemel role …: rights that users and programs take on for a while. */
#include "cmd.h"

#include <gemel/iam.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "identity.h"

static json_t *role_json(const struct gml_role *role)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:o}", "name", role->name, "id", role->id,
			 "description", role->description, "max_session",
			 (json_int_t)role->max_session, "created", cmd_json_time(role->created));
}

/* Options shared by create and update. Exit status. */
static int role_options(const struct cmd *cmd, struct gml_role *role)
{
	const char *text;
	uint64_t seconds;
	if ((text = cmd_option(cmd, "max-session")) != NULL) {
		if (cmd_number("max-session", text, UINT32_MAX, &seconds) != 0)
			return CMD_USAGE;
		if (seconds < GML_SESSION_LEAST || seconds > GML_SESSION_MOST)
			return cmd_wrong("--max-session %s: not %d to %d seconds", text,
					 GML_SESSION_LEAST, GML_SESSION_MOST);
		role->max_session = (uint32_t)seconds;
	}
	if ((text = cmd_option(cmd, "description")) != NULL) {
		if (strlen(text) > GML_DESCRIPTION_MAX)
			return cmd_wrong("--description: more than %d bytes", GML_DESCRIPTION_MAX);
		memset(role->description, 0, sizeof(role->description));
		strcpy(role->description, text);
	}
	return CMD_OK;
}

static int role_fail(int rc, const char *name, const struct cmd_document *trust)
{
	if (rc == GML_ERR_BADPOLICY)
		return cmd_document_fail(trust, GML_POLICY_TRUST, NULL);
	if (rc == GML_ERR_INVAL)
		return cmd_wrong("--description: it is UTF-8 without control characters");
	return cmd_fail_rc(rc, name);
}

static int role_create(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct cmd_document trust;
	struct gml_role role = {0};
	int rc;
	if (gml_role_name_check(name) != 0)
		return cmd_wrong_name(name, "a role's", GML_ROLE_NAME_MAX);
	strcpy(role.name, name);
	if (role_options(cmd, &role) != CMD_OK)
		return CMD_USAGE;
	rc = cmd_document_read(cmd, "trust", true, &trust);
	if (rc == CMD_OK) {
		rc = gml_role_create(&cmd->op, cmd->store, &role, trust.span);
		if (rc == GML_ERR_EXIST)
			rc = cmd_fail("%s: there is a role of this name already (upper and lower "
				      "case are one name)",
				      name);
		else
			rc = rc ? role_fail(rc, name, &trust)
				: cmd_print_object(cmd, role_json(&role));
	}
	free(trust.text);
	return rc;
}

static int role_update(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct cmd_document trust = {0};
	struct gml_role role;
	int status = CMD_OK, rc = gml_role_get(cmd->store, name, &role);
	if (rc == 0 && role_options(cmd, &role) != CMD_OK)
		return CMD_USAGE;
	if (rc == 0)
		status = cmd_document_read(cmd, "trust", true, &trust);
	if (rc == 0 && status == CMD_OK && trust.text != NULL)
		rc = gml_role_trust_set(&cmd->op, cmd->store, name, trust.span);
	if (rc == 0 && status == CMD_OK)
		rc = gml_role_update(&cmd->op, cmd->store, &role);
	if (status == CMD_OK)
		status = rc ? role_fail(rc, name, &trust) : cmd_print_object(cmd, role_json(&role));
	free(trust.text);
	return status;
}

static bool role_each(void *arg, const struct gml_role *role)
{
	return json_array_append_new(arg, role_json(role)) == 0;
}

static int role_list(struct cmd *cmd)
{
	json_t *rows = json_array();
	int rc = gml_role_list(cmd->store, role_each, rows);
	if (rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return cmd_fail_rc(rc, "roles");
}

static int role_show(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	struct gml_role role;
	json_t *tags, *object;
	int rc = gml_role_get(cmd->store, name, &role);
	if (rc != 0)
		return cmd_fail_rc(rc, name);
	if ((tags = cmd_tags_json(cmd, GML_IDENTITY_ROLE, name)) == NULL)
		return CMD_FAILED;
	object = role_json(&role);
	json_object_set_new(object, "tags", tags);
	return cmd_print_object(cmd, object);
}

static int role_trust(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	size_t len;
	void *buf;
	int rc = gml_role_trust_get(cmd->store, name, &buf, &len);
	if (rc != 0)
		return cmd_fail_rc(rc, name);
	if (len > 0)
		return cmd_document_print(cmd, buf, len);
	free(buf);
	return cmd_fail("%s: nobody may take the role on; 'gemel role update %s --trust FILE' says "
			"who may",
			name, name);
}

static int role_tag(struct cmd *cmd)
{
	return cmd_tag(cmd, GML_IDENTITY_ROLE);
}

static int role_delete(struct cmd *cmd)
{
	int rc = gml_role_delete(&cmd->op, cmd->store, cmd->args[0]);
	if (rc == GML_ERR_INUSE)
		return cmd_fail_policies(cmd, GML_IDENTITY_ROLE, cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

/* clang-format off */
#define ROLE_OPTIONS \
	{"trust", "FILE", "the policy that says who may take it on (- for standard input)"}, \
	{"description", "TEXT", "what it is for"}, \
	{"max-session", "SECONDS", \
	 "the longest time that credentials of it are good, 3600 to 43200 (default 3600)"}
/* clang-format on */

const struct cmd_verb cmd_role_verbs[] = {
	{"role", "create", "NAME", "Make a role.", CMD_STORE, role_create, {ROLE_OPTIONS}},
	{"role", "list", "", "List the roles.", CMD_STORE, role_list, {{0}}},
	{"role", "show", "NAME", "Show one role.", CMD_STORE, role_show, {{0}}},
	{"role",
	 "trust",
	 "NAME",
	 "Print the policy that says who may take a role on.",
	 CMD_STORE,
	 role_trust,
	 {{0}}},
	{"role",
	 "update",
	 "NAME",
	 "Change a role.",
	 CMD_STORE,
	 role_update,
	 {ROLE_OPTIONS},
	 .changes = true},
	{"role",
	 "tag",
	 "NAME",
	 "Change the tags of a role, which policies can ask for.",
	 CMD_STORE,
	 role_tag,
	 {CMD_TAG_OPTIONS},
	 .changes = true},
	{"role",
	 "delete",
	 "NAME",
	 "Delete a role that has no policies, and its tags.",
	 CMD_STORE,
	 role_delete,
	 {{0}}},
	{0},
};
