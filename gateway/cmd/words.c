// SPDX-License-Identifier: Apache-2.0
#include "words.h"

#include <stdio.h>
#include <string.h>
#include "../base/near.h"

const struct cmd_noun cmd_nouns[] = {
	{"serve", NULL, cmd_serve_verbs},
	{"status", NULL, cmd_status_verbs},
	{"bucket", "Buckets, their owners and limits.", cmd_bucket_verbs},
	{"user", "Users, with their uid and gids.", cmd_user_verbs},
	{"group", "Groups of users, for policies.", cmd_group_verbs},
	{"role", "Roles: rights that are taken on for a while.", cmd_role_verbs},
	{"policy", "Policies: who may do what.", cmd_policy_verbs},
	{"access", "Who may do what, and why.", cmd_access_verbs},
	{"grant", NULL, cmd_grant_verbs},
	{"revoke", NULL, cmd_revoke_verbs},
	{"account", "What holds for all buckets.", cmd_account_verbs},
	{"key", "Access keys, with which users sign S3 requests.", cmd_key_verbs},
	{"store", "The store as a whole: creation, verification, recovery.", cmd_store_verbs},
	{"config", "The configuration file.", cmd_config_verbs},
	{"nfs", "Reading over NFS without a mount.", cmd_nfs_verbs},
	{"help", NULL, cmd_help_verbs},
	{"version", NULL, cmd_version_verbs},
	{0},
};

/* What other programs call it. */
static const char *const words_synonyms[][2] = {
	{"add", "create"},    {"new", "create"},     {"make", "create"},   {"init", "create"},
	{"remove", "delete"}, {"rm", "delete"},	     {"del", "delete"},	   {"drop", "delete"},
	{"ls", "list"},	      {"get", "show"},	     {"info", "show"},	   {"describe", "show"},
	{"set", "update"},    {"change", "update"},  {"modify", "update"}, {"edit", "update"},
	{"chown", "update"},  {"chmod", "update"},   {"verify", "check"},  {"test", "check"},
	{"fsck", "check"},    {"repair", "recover"}, {"start", "serve"},   {"run", "serve"},
	{"cat", "read"},
};

static const char *words_synonym(const char *word)
{
	for (size_t i = 0; i < sizeof(words_synonyms) / sizeof(words_synonyms[0]); i++)
		if (strcmp(words_synonyms[i][0], word) == 0)
			return words_synonyms[i][1];
	return word;
}

static const struct cmd_noun *words_find_noun(const char *word)
{
	for (const struct cmd_noun *noun = cmd_nouns; noun->name; noun++)
		if (strcmp(noun->name, word) == 0)
			return noun;
	return NULL;
}

static const struct cmd_verb *words_find_verb(const struct cmd_noun *noun, const char *word)
{
	for (const struct cmd_verb *verb = noun->verbs; verb->noun; verb++)
		if (verb->name && strcmp(verb->name, word) == 0)
			return verb;
	return NULL;
}

/* "create bucket": the noun named after the verb, if it has such a verb. */
static const struct cmd_noun *words_exchanged(const char *verb, const char *next)
{
	const struct cmd_noun *noun = next ? words_find_noun(next) : NULL;
	return noun && words_find_verb(noun, verb) ? noun : NULL;
}

/* "create": the first noun that has such a verb. */
static const struct cmd_noun *words_with_verb(const char *verb)
{
	for (const struct cmd_noun *noun = cmd_nouns; noun->name; noun++)
		if (words_find_verb(noun, verb))
			return noun;
	return NULL;
}

const struct cmd_noun *words_noun(const char *word, const char *next)
{
	const struct cmd_noun *noun = words_find_noun(word);
	struct gml_near near = {.word = word};
	const char *synonym = words_synonym(word);
	char question[128];
	if (noun)
		return noun;
	const struct cmd_noun *meant = words_exchanged(synonym, next);
	if ((noun = words_find_noun(synonym)) != NULL)
		near.best = noun->name; /* nothing is nearer */
	for (noun = cmd_nouns; noun->name && meant == NULL; noun++)
		gml_near_offer(&near, noun->name);
	if (near.best == NULL && meant == NULL)
		meant = words_with_verb(synonym);
	if (meant != NULL)
		snprintf(question, sizeof(question), "; did you mean '%s %s'?", meant->name,
			 synonym);
	else
		gml_near_question(&near, "", question, sizeof(question));
	cmd_wrong("no noun is called '%s'%s See 'gemel help'", word, *question ? question : ".");
	return NULL;
}

const struct cmd_verb *words_verb(const struct cmd_noun *noun, const char *word)
{
	const struct cmd_verb *verb = words_find_verb(noun, word);
	struct gml_near near = {.word = word};
	char question[128], before[64];
	if (verb)
		return verb;
	if (noun->verbs[0].name == NULL) {
		cmd_wrong("'gemel %s' has no verbs, but '%s' was given", noun->name, word);
		return NULL;
	}
	if ((verb = words_find_verb(noun, words_synonym(word))) != NULL)
		near.best = verb->name; /* nothing is nearer */
	for (verb = noun->verbs; verb->noun; verb++)
		gml_near_offer(&near, verb->name);
	snprintf(before, sizeof(before), "%s ", noun->name);
	gml_near_question(&near, before, question, sizeof(question));
	cmd_wrong("'%s' has no verb '%s'%s See 'gemel help %s'", noun->name, word,
		  *question ? question : ".", noun->name);
	return NULL;
}

/* ---- options --------------------------------------------------------------------------------- */

/* The rest of the command line, and the current word. */
struct words_line {
	int argc, at;
	char **argv;
};

/* The value of the current option: after '=', or the next word. NULL after printing
 * that there is none. */
static const char *words_value(struct words_line *line, const char *equals, const char *name,
			       const char *placeholder)
{
	if (equals)
		return equals + 1;
	if (line->at + 1 < line->argc && strncmp(line->argv[line->at + 1], "--", 2) != 0)
		return line->argv[++line->at];
	cmd_wrong("--%s needs a value: %s", name, placeholder);
	return NULL;
}

static bool words_is(const char *word, const char *equals, const char *name)
{
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	return strlen(name) == len && memcmp(word, name, len) == 0;
}

/* Options that every verb has. 1: it was one; 0: not; -1: wrong, and printed. */
static int words_global(struct words *words, struct cmd *cmd, struct words_line *line)
{
	static const char *const flags[] = {"--json", "--help", "--version"};
	const char *word = line->argv[line->at], *equals = strchr(word, '=');
	if (strcmp(word, "-h") == 0)
		return words->help = true;
	if (strcmp(word, "-V") == 0)
		return words->version = true;
	if (strcmp(word, "-c") == 0 || words_is(word, equals, "--config")) {
		words->config = words_value(line, equals, "config", "FILE");
		return words->config ? 1 : -1;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool *const out[] = {&cmd->json, &words->help, &words->version};
		if (!words_is(word, equals, flags[i]))
			continue;
		*out[i] = true;
		if (equals)
			cmd_wrong("%s takes no value", flags[i]);
		return equals ? -1 : 1;
	}
	return 0;
}

static int words_no_option(const struct cmd_verb *verb, const char *word, const char *equals)
{
	static const char *const globals[] = {"json", "help", "config", "version"};
	char typed[GML_NEAR_WORD_MAX + 2], question[128];
	struct gml_near near = {.word = typed};
	snprintf(typed, sizeof(typed), "%.*s",
		 equals ? (int)(equals - word - 2) : GML_NEAR_WORD_MAX + 1, word + 2);
	for (size_t i = 0; i < CMD_OPTIONS_MAX && verb && verb->options[i].name; i++)
		gml_near_offer(&near, verb->options[i].name);
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
		gml_near_offer(&near, globals[i]);
	gml_near_question(&near, "--", question, sizeof(question));
	if (verb == NULL)
		return cmd_wrong("no option before the verb is called %s%s The options of a verb "
				 "follow it. See 'gemel help'",
				 word, *question ? question : ".");
	return cmd_wrong("'%s%s%s' has no option %s%s See 'gemel help %s%s%s'", verb->noun,
			 verb->name ? " " : "", verb->name ? verb->name : "", word,
			 *question ? question : ".", verb->noun, verb->name ? " " : "",
			 verb->name ? verb->name : "");
}

static int words_option(struct cmd *cmd, struct words_line *line)
{
	const char *word = line->argv[line->at], *equals = strchr(word, '=');
	if (strncmp(word, "--", 2) != 0)
		return cmd_wrong("%s: options have two dashes and their full name; write a name "
				 "that begins with a dash after '--'",
				 word);
	for (size_t k = 0; cmd->verb && k < CMD_OPTIONS_MAX && cmd->verb->options[k].name; k++) {
		const struct cmd_option *option = &cmd->verb->options[k];
		if (!words_is(word + 2, equals, option->name))
			continue;
		if (option->value == NULL && equals)
			return cmd_wrong("--%s takes no value", option->name);
		cmd->options[k] =
			option->value ? words_value(line, equals, option->name, option->value) : "";
		return cmd->options[k] ? CMD_OK : CMD_USAGE;
	}
	return words_no_option(cmd->verb, word, equals);
}

/* ---- the line -------------------------------------------------------------------------------- */

/* A word that is no option: the noun, then the verb, then its arguments. */
static int words_plain(struct words *words, struct cmd *cmd, struct words_line *line,
		       unsigned *nargs)
{
	const char *word = line->argv[line->at];
	if (words->noun == NULL) {
		words->noun = words_noun(word, line->at + 1 < line->argc ? line->argv[line->at + 1]
									 : NULL);
		if (words->noun && words->noun->verbs[0].name == NULL)
			cmd->verb = words->noun->verbs;
		return words->noun ? CMD_OK : CMD_USAGE;
	}
	if (cmd->verb == NULL && strcmp(word, "help") == 0) {
		words->help = true;
		return CMD_OK;
	}
	if (cmd->verb == NULL) {
		cmd->verb = words_verb(words->noun, word);
		return cmd->verb ? CMD_OK : CMD_USAGE;
	}
	if (*nargs == CMD_ARGS_MAX)
		return cmd_wrong("'%s' is one argument too many", word);
	cmd->args[(*nargs)++] = word;
	return CMD_OK;
}

int words_read(struct words *words, struct cmd *cmd, int argc, char **argv)
{
	unsigned nargs = 0;
	bool plain = false; /* after "--" no word is an option */
	int status = CMD_OK;
	for (struct words_line line = {argc, 1, argv}; line.at < argc && status == CMD_OK;
	     line.at++) {
		const char *word = argv[line.at];
		int global = plain ? 0 : words_global(words, cmd, &line);
		if (global != 0)
			status = global < 0 ? CMD_USAGE : CMD_OK;
		else if (!plain && strcmp(word, "--") == 0)
			plain = true;
		else if (!plain && word[0] == '-' && word[1] != 0)
			status = words_option(cmd, &line);
		else
			status = words_plain(words, cmd, &line, &nargs);
	}
	return status;
}

/* Minimum and maximum of the verb's arguments. */
static void words_arity(const char *args, unsigned *least, unsigned *most)
{
	*least = *most = 0;
	for (const char *at = args; *at;) {
		size_t word = strcspn(at, " ");
		*most += 1;
		*least += at[0] != '[';
		at += word + (at[word] == ' ');
	}
}

int words_check(const struct cmd *cmd)
{
	const struct cmd_verb *verb = cmd->verb;
	unsigned least, most, given = 0, options = 0;
	char call[64];
	snprintf(call, sizeof(call), "%s%s%s", verb->noun, verb->name ? " " : "",
		 verb->name ? verb->name : "");
	words_arity(verb->args, &least, &most);
	while (given < CMD_ARGS_MAX && cmd->args[given])
		given++;
	if (given < least)
		return cmd_wrong("'gemel %s' needs %s, but got %u of %u. See 'gemel help %s'", call,
				 verb->args, given, least, call);
	if (given > most)
		return cmd_wrong("'%s' is one argument too many: it is 'gemel %s%s%s%s%s'",
				 cmd->args[most], call, *verb->args ? " " : "", verb->args,
				 verb->needs ? " " : "", verb->needs ? verb->needs : "");
	for (size_t i = 0; i < CMD_OPTIONS_MAX && verb->options[i].name; i++) {
		const struct cmd_option *option = &verb->options[i];
		options += cmd->options[i] != NULL && strcmp(option->name, "yes") != 0;
		if (cmd->options[i] && option->against && cmd_option(cmd, option->against))
			return cmd_wrong("--%s and --%s exclude each other", option->name,
					 option->against);
	}
	if (verb->changes && options == 0)
		return cmd_wrong("'gemel %s' changes the settings that its options name, and no "
				 "option is given. See "
				 "'gemel help %s'",
				 call, call);
	return CMD_OK;
}
