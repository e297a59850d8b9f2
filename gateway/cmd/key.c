// SPDX-License-Identifier: Apache-2.0
/* gemel key …: access keys for S3. A secret is shown once, when the key is made. */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *key_json(const struct gml_key *key, bool with_secret)
{
	json_t *object = json_pack("{s:s, s:s, s:b, s:b, s:o}", "id", key->id, "user", key->user,
				   "disabled", (key->flags & GML_KEY_DISABLED) != 0, "sigv2",
				   (key->flags & GML_KEY_SIGV2) != 0, "created",
				   cmd_json_time(key->created));
	if (with_secret)
		json_object_set_new(object, "secret", json_string(key->secret));
	return object;
}

/* First line of a file, or of standard input for "-": secrets never appear on a command line or in
 * a message. */
static int key_read_secret(const char *path, char out[GML_SECRET_MAX + 1])
{
	char line[GML_SECRET_MAX + 3];
	FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int status = CMD_OK;
	if (stream == NULL)
		return cmd_fail("--secret-file %s: %s", path, strerror(errno));
	char *got = fgets(line, sizeof(line), stream);
	int error = ferror(stream) ? errno : 0;
	if (stream != stdin)
		fclose(stream);
	if (got == NULL)
		return cmd_fail("--secret-file %s: %s", path,
				error ? strerror(error) : "it is empty");
	line[strcspn(line, "\r\n")] = 0;
	size_t len = strlen(line);
	if (len > GML_SECRET_MAX || len < 16)
		status = cmd_wrong("--secret-file %s: a secret has 16 to %d characters", path,
				   GML_SECRET_MAX);
	for (size_t i = 0; status == CMD_OK && i < len; i++)
		if (line[i] <= ' ' || line[i] > '~')
			status = cmd_wrong("--secret-file %s: a secret has no blanks, and nothing "
					   "beyond ASCII",
					   path);
	if (status == CMD_OK)
		strcpy(out, line);
	explicit_bzero(line, sizeof(line));
	return status;
}

static int key_create(struct cmd *cmd)
{
	struct gml_key key = {0};
	struct gml_user user;
	const char *name = cmd->args[0], *id = cmd_option(cmd, "id"),
		   *file = cmd_option(cmd, "secret-file");
	int rc;
	if (id != NULL && gml_key_id_check(id) != 0)
		return cmd_wrong(
			"--id %s: a key's id has 1 to %d letters, digits, '.', '_', '@' and '-'",
			id, GML_ACCESS_KEY_MAX);
	if ((rc = gml_user_get(cmd->store, name, &user)) != 0) /* before a secret is asked for */
		return cmd_fail_rc(rc, name);
	strcpy(key.user, user.name);
	if (id != NULL)
		strcpy(key.id, id);
	if (file != NULL && (rc = key_read_secret(file, key.secret)) != CMD_OK)
		return rc;
	if (cmd_option(cmd, "sigv2"))
		key.flags |= GML_KEY_SIGV2;
	rc = gml_key_create(&cmd->op, cmd->store, &key);
	if (rc == GML_ERR_EXIST)
		rc = cmd_fail("%s: this key id exists already: choose another --id", key.id);
	else
		rc = rc ? cmd_fail_rc(rc, name)
			: cmd_print_object(cmd, key_json(&key, file == NULL));
	explicit_bzero(&key, sizeof(key));
	return rc;
}

struct key_rows {
	json_t *rows;
	const char *id; /* only this one */
	uint32_t flags;
};

static bool key_each(void *arg, const struct gml_key *key)
{
	struct key_rows *list = arg;
	if (list->id && strcmp(list->id, key->id) != 0)
		return true;
	list->flags = key->flags;
	return json_array_append_new(list->rows, key_json(key, false)) == 0 && list->id == NULL;
}

static int key_list(struct cmd *cmd)
{
	struct key_rows list = {0};
	struct gml_user user;
	int rc;
	if (cmd->args[0] && (rc = gml_user_get(cmd->store, cmd->args[0], &user)) != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	list.rows = json_array();
	if ((rc = gml_key_list(cmd->store, cmd->args[0], key_each, &list)) == 0)
		return cmd_print_rows(cmd, list.rows);
	json_decref(list.rows);
	return cmd_fail_rc(rc, "keys");
}

static int key_update(struct cmd *cmd)
{
	struct key_rows list = {.rows = json_array(), .id = cmd->args[0]};
	int rc = gml_key_list(cmd->store, NULL, key_each, &list);
	if (rc == 0 && json_array_size(list.rows) == 0)
		rc = GML_ERR_NOKEY;
	json_decref(list.rows);
	if (cmd_option(cmd, "disable"))
		list.flags |= GML_KEY_DISABLED;
	if (cmd_option(cmd, "enable"))
		list.flags &= ~(uint32_t)GML_KEY_DISABLED;
	if (cmd_option(cmd, "sigv2"))
		list.flags |= GML_KEY_SIGV2;
	if (cmd_option(cmd, "no-sigv2"))
		list.flags &= ~(uint32_t)GML_KEY_SIGV2;
	if (rc == 0)
		rc = gml_key_update(&cmd->op, cmd->store, cmd->args[0], list.flags);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

static int key_delete(struct cmd *cmd)
{
	int rc = gml_key_delete(&cmd->op, cmd->store, cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

const struct cmd_verb cmd_key_verbs[] = {
	{"key",
	 "create",
	 "USER",
	 "Make an access key; a generated secret is printed this once.",
	 CMD_STORE,
	 key_create,
	 {{"id", "ID", "use this id instead of a random one"},
	  {"secret-file", "FILE",
	   "read the secret from the first line of FILE (- for standard input)"},
	  {"sigv2", NULL, "allow the old Signature Version 2 with the key"}}},
	{"key", "list", "[USER]", "List the keys, without secrets.", CMD_STORE, key_list, {{0}}},
	{"key",
	 "update",
	 "ID",
	 "Disable or enable a key, or Signature Version 2 with it.",
	 CMD_STORE,
	 key_update,
	 {{"disable", NULL, "refuse it", "enable"},
	  {"enable", NULL, "accept it again"},
	  {"sigv2", NULL, "allow Signature Version 2", "no-sigv2"},
	  {"no-sigv2", NULL, "refuse it"}},
	 .changes = true},
	{"key", "delete", "ID", "Delete a key.", CMD_STORE, key_delete, {{0}}},
	{0},
};
