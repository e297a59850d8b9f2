// SPDX-License-Identifier: Apache-2.0
/* gemel policy simulate: what a policy in a file would say to a request. */
#include "cmd.h"

#include <gemel/policy.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"

#define SIMULATE_CONTEXT_MAX 32

static int simulate_resource(const char *text, struct gml_policy_question *question)
{
	if (!cmd_place_split(text, &question->bucket, &question->key))
		return cmd_wrong("'%s': a resource is s3://BUCKET or s3://BUCKET/KEY", text);
	return CMD_OK;
}

/* "KEY=VALUE,KEY=VALUE", cut up in place. */
static int simulate_context(char *text, const char **values, struct gml_policy_question *question)
{
	question->values = values;
	for (char *value; (value = strsep(&text, ",")) != NULL;) {
		if (question->nvalues == SIMULATE_CONTEXT_MAX)
			return cmd_wrong("--context: more than %d values", SIMULATE_CONTEXT_MAX);
		if (strchr(value, '=') == NULL)
			return cmd_wrong("--context %s: KEY=VALUE is wanted, as "
					 "aws:SourceIp=10.0.0.1",
					 value);
		values[question->nvalues++] = value;
	}
	return CMD_OK;
}

static void simulate_reason(void *arg, const struct gml_policy_reason *reason)
{
	json_t *row =
		json_pack("{s:i, s:s%, s:s, s:b, s:s, s:s}", "statement", reason->statement, "sid",
			  reason->sid.ptr ? (const char *)reason->sid.ptr : "", reason->sid.len,
			  "effect", reason->allow ? "Allow" : "Deny", "matches", reason->matches,
			  "obstacle", reason->matches ? "" : reason->place, "wanted",
			  reason->matches ? "" : reason->wanted);
	json_array_append_new(arg, row);
}

static int simulate_print(const struct cmd *cmd, enum gml_policy_answer answer, json_t *rows)
{
	static const char *const answers[] = {[GML_SIMULATED_NOTHING] = "nothing",
					      [GML_SIMULATED_ALLOW] = "allow",
					      [GML_SIMULATED_DENY] = "deny"};
	if (cmd->json)
		return cmd_print_object(cmd, json_pack("{s:s, s:o}", "answer", answers[answer],
						       "statements", rows));
	cmd_print_object(cmd, json_pack("{s:s}", "answer", answers[answer]));
	return cmd_print_rows(cmd, rows);
}

static int simulate_ask(struct cmd *cmd, const struct cmd_document *document,
			struct gml_policy_question *question)
{
	enum gml_policy_kind kind =
		cmd_option(cmd, "bucket-policy") ? GML_POLICY_BUCKET : GML_POLICY_IDENTITY;
	enum gml_policy_answer answer;
	json_t *rows = json_array();
	int rc =
		gml_policy_simulate(kind, document->span, question, &answer, simulate_reason, rows);
	if (rc == 0)
		return simulate_print(cmd, answer, rows);
	json_decref(rows);
	if (rc == GML_ERR_BADPOLICY)
		return cmd_document_fail(document, kind, NULL);
	if (rc == GML_ERR_NOENT)
		return cmd_wrong("--context %s: no request has such a condition key; "
				 "docs/access.md, \"Keys\", lists those that there are",
				 cmd_option(cmd, "context"));
	if (rc == GML_ERR_NOTSUP)
		return cmd_wrong("--context: aws:username, aws:PrincipalArn and what else is the "
				 "caller's own follow from --user");
	if (rc == GML_ERR_INVAL)
		return cmd_wrong("'%s': there is no such action; S3's are in \"Actions defined by "
				 "Amazon S3\", as s3:GetObject",
				 question->action);
	return cmd_fail_rc(rc, document->path);
}

int cmd_policy_simulate(struct cmd *cmd)
{
	const char *values[SIMULATE_CONTEXT_MAX], *context = cmd_option(cmd, "context");
	struct gml_policy_question question = {.action = cmd->args[0],
					       .user = cmd_option(cmd, "user")};
	struct cmd_document document = {0};
	char *text = context != NULL ? strdup(context) : NULL;
	int status = simulate_resource(cmd->args[1], &question);
	if (context != NULL && text == NULL)
		status = cmd_fail_rc(GML_ERR_NOMEM, "--context");
	if (status == CMD_OK && text != NULL)
		status = simulate_context(text, values, &question);
	if (status == CMD_OK)
		status = cmd_document_read(cmd, "file", false, &document);
	if (status == CMD_OK)
		status = simulate_ask(cmd, &document, &question);
	free(document.text);
	free(text);
	return status;
}
