// SPDX-License-Identifier: Apache-2.0
/* gemel grant, gemel revoke: ready roles on places. What is granted is a policy that can be
 * attached, one for each role and place, shared by all that have it. */
#include "cmd.h"

#include <gemel/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "identity.h"
#include "../base/near.h"
#include "nss.h"
#include "ready.h"

struct grant {
	const struct ready_role *role;
	struct ready_place place;
	struct gml_identity identity;
	char place_text[READY_PREFIX_MAX + 80];
	char policy[GML_POLICY_NAME_MAX + 1];
};

static int grant_role(const char *name, struct grant *grant)
{
	struct gml_near near = {.word = name};
	char question[128];
	grant->role = ready_role_find(name);
	if (grant->role != NULL)
		return CMD_OK;
	for (const struct ready_role *role = ready_roles; role->name; role++)
		gml_near_offer(&near, role->name);
	gml_near_question(&near, "", question, sizeof(question));
	return cmd_wrong("'%s': the roles to grant are reader, writer, trainer, curator, auditor "
			 "and admin%s",
			 name, question);
}

static int grant_place(const char *text, struct grant *grant)
{
	const char *problem;
	if (!ready_place_parse(text, &grant->place, &problem))
		return cmd_wrong("'%s': %s", text, problem);
	ready_place_format(&grant->place, grant->place_text);
	if (strlen(grant->place_text) + 16 > GML_DESCRIPTION_MAX)
		return cmd_wrong("'%s': it is too long for the description of a policy; grant a "
				 "directory above it, or write a policy ('gemel policy put')",
				 text);
	return CMD_OK;
}

/* "user:ann" of option --to or --from. */
static int grant_whom(const char *option, const char *text, struct grant *grant)
{
	if (text == NULL)
		return cmd_wrong("--%s is missing: user:NAME, group:NAME or role:NAME", option);
	for (int kind = GML_IDENTITY_USER; kind <= GML_IDENTITY_ROLE; kind++) {
		size_t len = strlen(cmd_identity_kinds[kind]);
		if (strncmp(text, cmd_identity_kinds[kind], len) != 0 || text[len] != ':' ||
		    text[len + 1] == 0)
			continue;
		grant->identity =
			(struct gml_identity){(enum gml_identity_kind)kind, text + len + 1};
		return CMD_OK;
	}
	return cmd_wrong("--%s %s: it is user:NAME, group:NAME or role:NAME", option, text);
}

static int grant_read(const struct cmd *cmd, const char *option, struct grant *grant)
{
	int status = grant_role(cmd->args[0], grant);
	if (status == CMD_OK)
		status = grant_place(cmd->args[1], grant);
	if (status == CMD_OK)
		status = grant_whom(option, cmd_option(cmd, option), grant);
	if (status == CMD_OK)
		ready_policy_name(grant->role, &grant->place, grant->policy);
	return status;
}

static int grant_print(const struct cmd *cmd, const char *option, const struct grant *grant)
{
	return cmd_print_object(cmd, json_pack("{s:s, s:s, s:s, s:s, s:s}", "role",
					       grant->role->name, "place", grant->place_text,
					       option, cmd_option(cmd, option), "policy",
					       grant->policy, "means", grant->role->help));
}

/* Puts the policy where it is not there yet. One of the same name that says something else stays:
 * somebody has it. */
static int grant_put(struct cmd *cmd, const struct grant *grant)
{
	struct gml_policy policy = {0};
	char *document = ready_policy(grant->role, &grant->place);
	void *old = NULL;
	size_t len = 0;
	int rc, status = CMD_OK;
	if (document == NULL)
		return cmd_fail_rc(GML_ERR_NOMEM, grant->policy);
	rc = gml_policy_get(cmd->store, grant->policy, &policy, &old, &len);
	if (rc == GML_ERR_NOPOLICY) {
		strcpy(policy.name, grant->policy);
		snprintf(policy.description, sizeof(policy.description), "%s of %.*s",
			 grant->role->name, GML_DESCRIPTION_MAX - 16, grant->place_text);
		rc = gml_policy_put(&cmd->op, cmd->store, &policy,
				    (struct gml_span){document, strlen(document)});
	} else if (rc == 0 && (len != strlen(document) || memcmp(old, document, len) != 0)) {
		status = cmd_fail("the policy %s is there and was changed; 'gemel policy attach' "
				  "gives it to somebody as it is, 'gemel policy delete' deletes it",
				  grant->policy);
	}
	free(old);
	free(document);
	return rc != 0 ? cmd_fail_rc(rc, grant->policy) : status;
}

static int grant_bucket(struct cmd *cmd, const struct grant *grant)
{
	struct gml_span name = {grant->place.bucket, strlen(grant->place.bucket)};
	struct gml_bucket bucket;
	int rc = strcmp(grant->place.bucket, "*") == 0
			 ? 0
			 : gml_bucket_head(&cmd->op, cmd->store, name, &bucket);
	return rc != 0 ? cmd_fail_rc(rc, grant->place.bucket) : CMD_OK;
}

static int grant_run(struct cmd *cmd)
{
	struct grant grant = {0};
	int rc, status = grant_read(cmd, "to", &grant);
	if (status == CMD_OK)
		status = grant_bucket(cmd, &grant);
	if (status == CMD_OK)
		status = nss_take_named(cmd, &grant.identity);
	if (status == CMD_OK)
		status = grant_put(cmd, &grant);
	if (status != CMD_OK)
		return status;
	rc = gml_policy_attach(&cmd->op, cmd->store, &grant.identity, grant.policy);
	if (rc == GML_ERR_LIMIT)
		return cmd_fail("%s has %d policies attached already: grant to a group that it is "
				"in, or a place above those that it has",
				grant.identity.name, GML_POLICIES_PER_IDENTITY);
	return rc != 0 ? cmd_fail_rc(rc, grant.identity.name) : grant_print(cmd, "to", &grant);
}

static int revoke_run(struct cmd *cmd)
{
	struct grant grant = {0};
	int rc, status = grant_read(cmd, "from", &grant);
	if (status != CMD_OK)
		return status;
	rc = gml_policy_detach(&cmd->op, cmd->store, &grant.identity, grant.policy);
	if (rc == GML_ERR_NOPOLICY || rc == GML_ERR_NOENT)
		return cmd_fail("%s is no %s of %s by a grant; 'gemel access list %s' shows who "
				"may what",
				grant.identity.name, grant.role->name, grant.place_text,
				grant.place_text);
	if (rc != 0)
		return cmd_fail_rc(rc, grant.identity.name);
	/* The last one that had it. */
	rc = gml_policy_delete(&cmd->op, cmd->store, grant.policy);
	if (rc != 0 && rc != GML_ERR_INUSE && rc != GML_ERR_NOPOLICY)
		return cmd_fail_rc(rc, grant.policy);
	return grant_print(cmd, "from", &grant);
}

const struct cmd_verb cmd_grant_verbs[] = {
	{"grant",
	 NULL,
	 "ROLE PLACE",
	 "Grant a ready role (reader, writer, trainer, curator, auditor, admin) on s3://BUCKET/….",
	 CMD_STORE,
	 grant_run,
	 {{"to", "WHOM", "user:NAME, group:NAME or role:NAME"}},
	 .needs = "--to WHOM"},
	{0},
};
const struct cmd_verb cmd_revoke_verbs[] = {
	{"revoke",
	 NULL,
	 "ROLE PLACE",
	 "End a grant. Other grants and policies stay.",
	 CMD_STORE,
	 revoke_run,
	 {{"from", "WHOM", "user:NAME, group:NAME or role:NAME"}},
	 .needs = "--from WHOM"},
	{0},
};
