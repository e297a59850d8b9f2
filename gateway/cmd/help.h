// SPDX-License-Identifier: Apache-2.0
/* The help texts in the tables of verbs, for people. */
#ifndef GML_CMD_HELP_H
#define GML_CMD_HELP_H

#include <stdio.h>
#include "cmd.h"

/* Help for all nouns (`noun` NULL), for a noun and its verbs (`verb` NULL), or for one verb and its
 * options. */
void help_print(const struct cmd_noun *noun, const struct cmd_verb *verb, FILE *out);

#endif
