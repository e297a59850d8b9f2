// SPDX-License-Identifier: Apache-2.0
/* Files that hold policies, and words for settings of access, for the verbs that set them. */
#ifndef GML_CMD_DOCUMENT_H
#define GML_CMD_DOCUMENT_H

#include <gemel/policy.h>
#include "cmd.h"

struct cmd_document {
	char *text; /* on the heap; NULL: none was read */
	struct gml_span span;
	const char *path;
};

/* Reads the file of option `name` ("-": standard input), at most GML_POLICY_DOCUMENT_MAX bytes.
 * Without the option: CMD_USAGE, after saying what is missing, unless `may` it be. Free out->text
 * in any case. Exit status. */
int cmd_document_read(const struct cmd *cmd, const char *name, bool may, struct cmd_document *out);
/* What is wrong with it, after BADPOLICY: "FILE: PLACE: TEXT". Returns CMD_FAILED. */
int cmd_document_fail(const struct cmd_document *document, enum gml_policy_kind kind,
		      const char *bucket);
/* Prints a document: as it is, or as JSON. Frees buf. Exit status. */
int cmd_document_print(const struct cmd *cmd, void *buf, size_t len);

/* Splits "s3://BUCKET" or "s3://BUCKET/KEY", borrowing it. key_out->ptr NULL: no slash ends the
 * bucket. false: it is neither. */
bool cmd_place_split(const char *text, struct gml_span *bucket_out, struct gml_span *key_out);

/* The verb `policy lint`. */
int cmd_policy_lint(struct cmd *cmd);
/* The verb `policy simulate`. */
int cmd_policy_simulate(struct cmd *cmd);
/* Settings of a public access block: "all", "none" or names. Exit status, after printing the error.
 * */
int cmd_public_access(const char *text, uint32_t *settings_out);
json_t *cmd_public_access_json(uint32_t settings);

#endif
