// SPDX-License-Identifier: Apache-2.0
/* gemel help …, gemel version */
#include "help.h"

#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "words.h"

#define HELP_COLUMN 36

/* Width of UTF-8 text in columns, one per character. */
static size_t help_columns(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

/* "  WORDS   TEXT" with the text in its column, or on the next line if the words reach it. */
static void help_line(const char *words, const char *text, FILE *out)
{
	size_t columns = help_columns(words);
	if (columns + 3 > HELP_COLUMN)
		fprintf(out, "  %s\n%*s%s\n", words, HELP_COLUMN, "", text);
	else
		fprintf(out, "  %s%*s%s\n", words, (int)(HELP_COLUMN - 2 - columns), "", text);
}

static void help_call(const struct cmd_verb *verb, char *out, size_t cap)
{
	snprintf(out, cap, "%s%s%s%s%s%s%s", verb->noun, verb->name ? " " : "",
		 verb->name ? verb->name : "", *verb->args ? " " : "", verb->args,
		 verb->needs ? " " : "", verb->needs ? verb->needs : "");
}

static void help_verbs(const struct cmd_noun *noun, FILE *out)
{
	char words[96];
	for (const struct cmd_verb *verb = noun->verbs; verb->noun; verb++) {
		help_call(verb, words, sizeof(words));
		help_line(words, verb->help, out);
	}
}

static void help_all(FILE *out)
{
	fputs("Usage: gemel [--config FILE] [--json] NOUN VERB [ARGUMENTS] [OPTIONS]\n", out);
	for (const struct cmd_noun *noun = cmd_nouns; noun->name; noun++) {
		if (noun->help)
			fprintf(out, "\n%s\n", noun->help);
		else if (noun == cmd_nouns || noun[-1].help)
			fputc('\n', out);
		help_verbs(noun, out);
	}
	fprintf(out,
		"\nSee 'gemel help NOUN VERB' for the options of a verb.\n"
		"The configuration is --config FILE (or -c FILE), or $GEMEL_CONF (now %s), or "
		"%s/gemel/gemel.conf.\n",
		getenv("GEMEL_CONF") ?: "not set", GEMEL_SYSCONFDIR);
}

static void help_noun(const struct cmd_noun *noun, FILE *out)
{
	fprintf(out, "Usage: gemel %s VERB [ARGUMENTS] [OPTIONS]\n\n%s\n\n", noun->name,
		noun->help);
	help_verbs(noun, out);
	fprintf(out, "\nSee 'gemel help %s VERB' for the options of a verb.\n", noun->name);
}

static void help_verb(const struct cmd_verb *verb, FILE *out)
{
	char words[96];
	help_call(verb, words, sizeof(words));
	fprintf(out, "Usage: gemel %s [OPTIONS]\n\n%s\n\n", words, verb->help);
	for (size_t i = 0; i < CMD_OPTIONS_MAX && verb->options[i].name; i++) {
		const struct cmd_option *option = &verb->options[i];
		snprintf(words, sizeof(words), "--%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
		help_line(words, option->help, out);
	}
	help_line("--json", "print JSON", out);
	help_line("--config FILE, -c FILE", "the configuration", out);
	help_line("--help", "this text", out);
}

void help_print(const struct cmd_noun *noun, const struct cmd_verb *verb, FILE *out)
{
	if (noun == NULL)
		help_all(out);
	else if (verb == NULL && noun->verbs[0].name != NULL)
		help_noun(noun, out);
	else
		help_verb(verb ? verb : noun->verbs, out);
}

static json_t *help_json_verb(const struct cmd_verb *verb)
{
	json_t *options = json_array();
	for (size_t i = 0; i < CMD_OPTIONS_MAX && verb->options[i].name; i++)
		json_array_append_new(options,
				      json_pack("{s:s, s:s?, s:s}", "name", verb->options[i].name,
						"value", verb->options[i].value, "help",
						verb->options[i].help));
	return json_pack("{s:s, s:s?, s:s, s:s?, s:s, s:o}", "noun", verb->noun, "verb", verb->name,
			 "arguments", verb->args, "needs", verb->needs, "help", verb->help,
			 "options", options);
}

/* The verbs asked for, as rows. */
static int help_json(const struct cmd *cmd, const struct cmd_noun *only,
		     const struct cmd_verb *verb_only)
{
	json_t *rows = json_array();
	for (const struct cmd_noun *noun = cmd_nouns; noun->name; noun++)
		for (const struct cmd_verb *verb = noun->verbs; verb->noun; verb++)
			if ((only == NULL || only == noun) &&
			    (verb_only == NULL || verb_only == verb))
				json_array_append_new(rows, help_json_verb(verb));
	return cmd_print_rows(cmd, rows);
}

static int help_run(struct cmd *cmd)
{
	const struct cmd_noun *noun = NULL;
	const struct cmd_verb *verb = NULL;
	if (cmd->args[0] && (noun = words_noun(cmd->args[0], cmd->args[1])) == NULL)
		return CMD_USAGE;
	if (cmd->args[1] && (verb = words_verb(noun, cmd->args[1])) == NULL)
		return CMD_USAGE;
	if (cmd->json)
		return help_json(cmd, noun, verb);
	help_print(noun, verb, stdout);
	return CMD_OK;
}

static int version_run(struct cmd *cmd)
{
	if (cmd->json)
		return cmd_print_object(cmd, json_pack("{s:s, s:s}", "gemel", PACKAGE_VERSION,
						       "nfs_ganesha", GEMEL_GANESHA_VERSION));
	puts(PACKAGE_STRING);
	return CMD_OK;
}

const struct cmd_verb cmd_help_verbs[] = {
	{"help",
	 NULL,
	 "[NOUN] [VERB]",
	 "Describe all commands, a noun and its verbs, or a verb and its options.",
	 CMD_NO_CONF,
	 help_run,
	 {{0}},
	 NULL,
	 false},
	{0},
};
const struct cmd_verb cmd_version_verbs[] = {
	{"version",
	 NULL,
	 "",
	 "Print the version of Gemel.",
	 CMD_NO_CONF,
	 version_run,
	 {{0}},
	 NULL,
	 false},
	{0},
};
