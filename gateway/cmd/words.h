// SPDX-License-Identifier: Apache-2.0
/* The words of a command line: which verb, with which arguments and options. */
#ifndef GML_CMD_WORDS_H
#define GML_CMD_WORDS_H

#include "cmd.h"

struct words {
	const char *config; /* of --config, borrowed from the command line; NULL: not given */
	const struct cmd_noun *noun; /* NULL: none was given */
	bool help;		     /* --help */
	bool version;		     /* --version */
};

/* Reads the command line into *words and the verb, arguments and options of *cmd (zeroed before).
 * Prints the first error, with a suggestion; CMD_OK or CMD_USAGE. */
int words_read(struct words *words, struct cmd *cmd, int argc, char **argv);
/* Checks the number of arguments and that the options do not exclude each other. As words_read. */
int words_check(const struct cmd *cmd);
/* NULL after printing that there is none. `next`: the word after it, or NULL. */
const struct cmd_noun *words_noun(const char *word, const char *next);
const struct cmd_verb *words_verb(const struct cmd_noun *noun, const char *word);

#endif
