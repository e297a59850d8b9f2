// SPDX-License-Identifier: Apache-2.0
/* gemel policy lint: policies as documents. */
#include "cmd.h"

#include <errno.h>
#include <gemel/policy.h>
#include <stdio.h>
#include <string.h>
#include "document.h"
#include "../base/near.h"

#define LINT_FILE_MAX 131072u /* more than any policy may have */

static const char *const lint_kinds[] = {
	[GML_POLICY_IDENTITY] = "identity", [GML_POLICY_BUCKET] = "bucket",
	[GML_POLICY_BOUNDARY] = "boundary", [GML_POLICY_SESSION] = "session",
	[GML_POLICY_KEY] = "key",	    [GML_POLICY_TRUST] = "trust",
};

/* The kind that --kind names; -1 after printing that there is none. */
static int lint_kind(const char *name)
{
	struct gml_near near = {.word = name};
	char question[128];
	for (int kind = 0; kind < GML_POLICY_KINDS; kind++) {
		if (strcmp(name, lint_kinds[kind]) == 0)
			return kind;
		gml_near_offer(&near, lint_kinds[kind]);
	}
	gml_near_question(&near, "", question, sizeof(question));
	cmd_wrong("--kind %s: the kinds are identity, bucket, boundary, session, key and trust%s",
		  name, question);
	return -1;
}

/* The whole file, or standard input for "-", in a static buffer. */
static int lint_read(const char *path, struct gml_span *out)
{
	static char text[LINT_FILE_MAX];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int error;
	if (file == NULL)
		return cmd_fail("%s: %s", path, strerror(errno));
	*out = (struct gml_span){text, fread(text, 1, sizeof(text), file)};
	error = ferror(file) ? errno : 0;
	if (file != stdin)
		fclose(file);
	if (error != 0)
		return cmd_fail("%s: %s", path, strerror(error));
	if (out->len == sizeof(text))
		return cmd_fail("%s: it is too large for a policy", path);
	return CMD_OK;
}

static json_t *lint_number(unsigned number)
{
	return number > 0 ? json_integer(number) : json_null();
}

static void lint_finding(void *arg, const struct gml_policy_finding *finding)
{
	json_t *rows = arg,
	       *row = json_pack("{s:s, s:o, s:o, s:s, s:s}", "severity",
				finding->error ? "error" : "warning", "line",
				lint_number(finding->line), "column", lint_number(finding->column),
				"place", finding->place, "problem", finding->text);
	json_array_append_new(rows, row);
}

int cmd_policy_lint(struct cmd *cmd)
{
	const char *path = cmd->args[0], *bucket = cmd_option(cmd, "bucket");
	int kind = lint_kind(cmd_option(cmd, "kind") ?: "identity"), rc, status;
	struct gml_span text;
	json_t *rows;
	if (kind < 0)
		return CMD_USAGE;
	if (bucket != NULL && kind != GML_POLICY_BUCKET)
		return cmd_wrong("--bucket %s: only policies of buckets speak of one bucket: "
				 "--kind bucket",
				 bucket);
	if ((status = lint_read(path, &text)) != CMD_OK)
		return status;
	rows = json_array();
	rc = gml_policy_lint((enum gml_policy_kind)kind, text,
			     (struct gml_span){bucket, bucket != NULL ? strlen(bucket) : 0},
			     lint_finding, rows);
	if (rc != 0 && rc != GML_ERR_BADPOLICY) {
		json_decref(rows);
		return cmd_fail_rc(rc, path);
	}
	if (!cmd->json && json_array_size(rows) == 0)
		printf("%s: nothing is wrong with it\n", path);
	status = cmd_print_rows(cmd, rows);
	return rc != 0 ? CMD_FAILED : status;
}
