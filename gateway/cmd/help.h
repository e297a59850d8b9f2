// SPDX-License-Identifier: Apache-2.0
/* What the tables of verbs say of themselves, for people. */
#ifndef GML_CMD_HELP_H
#define GML_CMD_HELP_H

#include <stdio.h>
#include "cmd.h"

/* Of everything (`noun` NULL), of a noun and its verbs (`verb` NULL), or of one verb and its options. */
void help_print(const struct cmd_noun *noun, const struct cmd_verb *verb, FILE *out);

#endif
