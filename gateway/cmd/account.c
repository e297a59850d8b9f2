// SPDX-License-Identifier: Apache-2.0
/* gemel account …: the settings of all buckets. */
#include "cmd.h"

#include <gemel/account.h>
#include <string.h>
#include "document.h"

int cmd_public_access(const char *text, uint32_t *settings_out)
{
	struct gml_span span = {text, strlen(text)};
	*settings_out = strcmp(text, "all") == 0 ? GML_PUBLIC_ACCESS_ALL : 0;
	if (*settings_out != 0 || strcmp(text, "none") == 0 ||
	    (span.len > 0 && gml_public_access_parse(span, settings_out) == 0))
		return CMD_OK;
	return cmd_wrong("'%s': not all, none, or some of BlockPublicAcls, IgnorePublicAcls, "
			 "BlockPublicPolicy and RestrictPublicBuckets with commas between",
			 text);
}

json_t *cmd_public_access_json(uint32_t settings)
{
	char text[GML_PUBLIC_ACCESS_TEXT];
	gml_public_access_format(settings, text);
	return json_string(settings == 0 ? "none" : text);
}

static int account_show(struct cmd *cmd)
{
	struct gml_account account;
	int rc = gml_account_get(cmd->store, &account);
	if (rc != 0)
		return cmd_fail_rc(rc, "account");
	return cmd_print_object(cmd, json_pack("{s:o}", "public_access_block",
					       cmd_public_access_json(account.public_access)));
}

static int account_public_access(struct cmd *cmd)
{
	struct gml_account account;
	int rc = gml_account_get(cmd->store, &account);
	if (rc == 0 && cmd_public_access(cmd->args[0], &account.public_access) != CMD_OK)
		return CMD_USAGE;
	if (rc == 0)
		rc = gml_account_set(&cmd->op, cmd->store, &account);
	return rc ? cmd_fail_rc(rc, "account") : account_show(cmd);
}

const struct cmd_verb cmd_account_verbs[] = {
	{"account", "show", "", "Show the settings.", CMD_STORE, account_show, {{0}}},
	{"account",
	 "public-access",
	 "SETTINGS",
	 "Block public access to all buckets: all, none, or some of BlockPublicAcls, "
	 "IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets, with commas between.",
	 CMD_STORE,
	 account_public_access,
	 {{0}}},
	{0},
};
