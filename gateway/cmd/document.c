// SPDX-License-Identifier: Apache-2.0
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_document_read(const struct cmd *cmd, const char *name, bool may, struct cmd_document *out)
{
	const char *path = cmd_option(cmd, name);
	FILE *stream;
	int error;
	*out = (struct cmd_document){.path = path};
	if (path == NULL)
		return may ? CMD_OK
			   : cmd_wrong("--%s FILE is missing: the document, or - for standard "
				       "input",
				       name);
	stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (stream == NULL)
		return cmd_fail("--%s %s: %s", name, path, strerror(errno));
	out->text = malloc(GML_POLICY_DOCUMENT_MAX + 2);
	if (out->text == NULL)
		return cmd_fail_rc(GML_ERR_NOMEM, path);
	out->span = (struct gml_span){out->text,
				      fread(out->text, 1, GML_POLICY_DOCUMENT_MAX + 1, stream)};
	error = ferror(stream) ? errno : 0;
	if (stream != stdin)
		fclose(stream);
	out->text[out->span.len] = '\0';
	if (error != 0)
		return cmd_fail("--%s %s: %s", name, path, strerror(error));
	return out->span.len > 0 ? CMD_OK : cmd_fail("--%s %s: it is empty", name, path);
}

static void document_finding(void *arg, const struct gml_policy_finding *finding)
{
	const struct cmd_document *document = arg;
	char line[40] = "";
	if (finding->line > 0)
		snprintf(line, sizeof(line), ":%u:%u", finding->line, finding->column);
	if (finding->error)
		cmd_fail("%s%s: %s%s%s", document->path, line, finding->place,
			 finding->place[0] ? ": " : "", finding->text);
}

int cmd_document_fail(const struct cmd_document *document, enum gml_policy_kind kind,
		      const char *bucket)
{
	struct gml_span of = {bucket, bucket != NULL ? strlen(bucket) : 0};
	int rc = gml_policy_lint(kind, document->span, of, document_finding, (void *)document);
	return rc == GML_ERR_BADPOLICY ? CMD_FAILED : cmd_fail_rc(rc, document->path);
}

int cmd_document_print(const struct cmd *cmd, void *buf, size_t len)
{
	bool line = len > 0 && ((const char *)buf)[len - 1] == '\n';
	int status = CMD_OK;
	if (cmd->json) {
		json_t *json = json_loadb(buf, len, 0, NULL);
		status = json != NULL ? cmd_print_object(cmd, json)
				      : cmd_fail("the document is no JSON; 'gemel store check' "
						 "looks for damage");
	} else if (fwrite(buf, 1, len, stdout) != len || (!line && putchar('\n') == EOF)) {
		status = cmd_fail("cannot write the output");
	}
	free(buf);
	return status;
}

bool cmd_place_split(const char *text, struct gml_span *bucket_out, struct gml_span *key_out)
{
	const char *bucket = text + 5, *slash;
	if (strncmp(text, "s3://", 5) != 0 || *bucket == '/' || *bucket == 0)
		return false;
	slash = strchrnul(bucket, '/');
	*bucket_out = (struct gml_span){bucket, (size_t)(slash - bucket)};
	*key_out = (struct gml_span){NULL, 0};
	if (*slash == '/')
		*key_out = (struct gml_span){slash + 1, strlen(slash + 1)};
	return true;
}
