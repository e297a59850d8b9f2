// SPDX-License-Identifier: Apache-2.0
/* gemel key …: access keys for S3. A secret is shown once, when the key is made. */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "moment.h"

static json_t *key_json(const struct gml_key *key, bool with_secret)
{
	json_t *object =
		json_pack("{s:s, s:s, s:b, s:b, s:o, s:o}", "id", key->id, "user", key->user,
			  "disabled", (key->flags & GML_KEY_DISABLED) != 0, "sigv2",
			  (key->flags & GML_KEY_SIGV2) != 0, "created", cmd_json_time(key->created),
			  "expires", key->expires != 0 ? cmd_json_time(key->expires) : json_null());
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

/* A moment to come; *out is left alone without the option. */
static int key_expires(struct cmd *cmd, int64_t *out)
{
	const char *text = cmd_option(cmd, "expires");
	if (text == NULL)
		return CMD_OK;
	if (strcmp(text, "never") == 0) {
		*out = 0;
		return CMD_OK;
	}
	int status = moment_parse("--expires", text, out);
	if (status == CMD_OK && *out <= moment_now())
		status = cmd_wrong("--expires %s: this moment is past", text);
	return status;
}

/* The id of a new key. */
static int key_id(struct cmd *cmd, struct gml_key *key)
{
	const char *id = cmd_option(cmd, "id");
	if (id != NULL && gml_key_id_check(id) != 0)
		return cmd_wrong(
			"--id %s: a key's id has 1 to %d letters, digits, '.', '_', '@' and '-'",
			id, GML_ACCESS_KEY_MAX);
	if (id != NULL)
		strcpy(key->id, id);
	return CMD_OK;
}

static int key_secret(struct cmd *cmd, struct gml_key *key)
{
	const char *file = cmd_option(cmd, "secret-file");
	return file != NULL ? key_read_secret(file, key->secret) : CMD_OK;
}

/* The last step of what makes a key. */
static int key_made(struct cmd *cmd, const char *what, int rc, struct gml_key *key)
{
	int status;
	if (rc == GML_ERR_EXIST)
		status = cmd_fail("%s: this key id exists already: choose another --id", key->id);
	else
		status = rc ? cmd_fail_rc(rc, what)
			    : cmd_print_object(
				      cmd, key_json(key, cmd_option(cmd, "secret-file") == NULL));
	explicit_bzero(key, sizeof(*key));
	return status;
}

static int key_create(struct cmd *cmd)
{
	struct gml_key key = {0};
	struct gml_user user;
	const char *name = cmd->args[0];
	int rc = key_id(cmd, &key);
	if (rc == CMD_OK)
		rc = key_expires(cmd, &key.expires);
	if (rc != CMD_OK)
		return rc;
	if ((rc = gml_user_get(cmd->store, name, &user)) != 0) /* before a secret is asked for */
		return cmd_fail_rc(rc, name);
	strcpy(key.user, user.name);
	if ((rc = key_secret(cmd, &key)) != CMD_OK)
		return rc;
	if (cmd_option(cmd, "sigv2"))
		key.flags |= GML_KEY_SIGV2;
	return key_made(cmd, name, gml_key_create(&cmd->op, cmd->store, &key), &key);
}

/* How long the old key goes on where nothing is said. */
#define KEY_ROTATE_NS (INT64_C(86400) * 1000000000)

static int key_rotate(struct cmd *cmd)
{
	struct gml_key key = {0};
	int64_t expires = moment_now() + KEY_ROTATE_NS;
	int rc = key_id(cmd, &key);
	if (rc == CMD_OK)
		rc = key_expires(cmd, &expires);
	if (rc == CMD_OK && expires == 0)
		rc = cmd_wrong("--expires never: the old key must end; make a second one with "
			       "'gemel key create' instead");
	if (rc == CMD_OK)
		rc = key_secret(cmd, &key);
	if (rc != CMD_OK)
		return rc;
	rc = gml_key_rotate(&cmd->op, cmd->store, cmd->args[0], expires, &key);
	return key_made(cmd, cmd->args[0], rc, &key);
}

struct key_rows {
	json_t *rows;
	const char *id; /* only this one */
	uint32_t flags;
	int64_t expires;
};

static bool key_each(void *arg, const struct gml_key *key)
{
	struct key_rows *list = arg;
	if (list->id && strcmp(list->id, key->id) != 0)
		return true;
	list->flags = key->flags;
	list->expires = key->expires;
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
	if (rc == 0 && key_expires(cmd, &list.expires) != CMD_OK)
		return CMD_USAGE;
	if (cmd_option(cmd, "disable"))
		list.flags |= GML_KEY_DISABLED;
	if (cmd_option(cmd, "enable"))
		list.flags &= ~(uint32_t)GML_KEY_DISABLED;
	if (cmd_option(cmd, "sigv2"))
		list.flags |= GML_KEY_SIGV2;
	if (cmd_option(cmd, "no-sigv2"))
		list.flags &= ~(uint32_t)GML_KEY_SIGV2;
	if (rc == 0)
		rc = gml_key_update(&cmd->op, cmd->store, cmd->args[0], list.flags, list.expires);
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
	  {"sigv2", NULL, "allow the old Signature Version 2 with the key"},
	  {"expires", "WHEN",
	   "refuse it from then on: 2027-01-31, 2027-01-31T12:00:00Z, or 90d, 12h, 30m from now"}}},
	{"key", "list", "[USER]", "List the keys, without secrets.", CMD_STORE, key_list, {{0}}},
	{"key",
	 "update",
	 "ID",
	 "Change when a key expires; disable or enable it, or Signature Version 2 with it.",
	 CMD_STORE,
	 key_update,
	 {{"disable", NULL, "refuse it", "enable"},
	  {"enable", NULL, "accept it again"},
	  {"sigv2", NULL, "allow Signature Version 2", "no-sigv2"},
	  {"no-sigv2", NULL, "refuse it"},
	  {"expires", "WHEN", "refuse it from then on (see 'key create'); never"}},
	 .changes = true},
	{"key",
	 "rotate",
	 "ID",
	 "Make a second key for the user of a key; the first one expires a day later.",
	 CMD_STORE,
	 key_rotate,
	 {{"expires", "WHEN", "when the old key expires (see 'key create'); 1d"},
	  {"id", "ID", "use this id for the new key instead of a random one"},
	  {"secret-file", "FILE",
	   "read the new secret from the first line of FILE (- for standard input)"}}},
	{"key", "delete", "ID", "Delete a key.", CMD_STORE, key_delete, {{0}}},
	{0},
};
