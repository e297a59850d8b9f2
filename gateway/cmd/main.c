/* gemel: one program for the administrator. Finds the verb, reads options, opens the store. */
#include "cmd.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"

static const struct cmd_verb *const main_nouns[] = {
	cmd_serve_verbs, cmd_status_verbs, cmd_bucket_verbs, cmd_user_verbs, cmd_key_verbs, cmd_store_verbs, cmd_config_verbs,
};
#define MAIN_NOUNS (sizeof(main_nouns) / sizeof(main_nouns[0]))

static void main_say(const char *format, va_list args)
{
	fputs("gemel: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int cmd_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	main_say(format, args);
	va_end(args);
	return CMD_FAILED;
}

int cmd_wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	main_say(format, args);
	va_end(args);
	return CMD_USAGE;
}

int cmd_fail_rc(int rc, const char *what)
{
	return cmd_fail("%s: %s", what, gml_err_text(rc));
}

const char *cmd_option(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; i < CMD_OPTIONS_MAX && cmd->verb->options[i].name; i++)
		if (strcmp(cmd->verb->options[i].name, name) == 0)
			return cmd->options[i];
	return NULL;
}

int cmd_number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	const char *units = "KMGT", *unit;
	unsigned shift = 0;

	unsigned long long number = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
	if (!isdigit((unsigned char)text[0]))
		goto bad;
	if (*end && (unit = strchr(units, toupper((unsigned char)*end))) && end[1] == 0) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (*end || number > max >> shift)
		goto bad;
	*out = (uint64_t)number << shift;
	return 0;
bad:
	cmd_fail("--%s %s: not a number from 0 to %llu", option, text, (unsigned long long)max);
	return -1;
}

static void main_help(FILE *out)
{
	fputs("Usage: gemel [--config FILE] [--json] NOUN VERB …\n\n", out);
	for (size_t n = 0; n < MAIN_NOUNS; n++)
		for (const struct cmd_verb *verb = main_nouns[n]; verb->noun; verb++) {
			char words[96];
			snprintf(words, sizeof(words), "%s%s%s%s%s", verb->noun, verb->name ? " " : "", verb->name ? verb->name : "", *verb->args ? " " : "",
				 verb->args);
			fprintf(out, "  %-34s %s\n", words, verb->help);
		}
	fputs("\n  gemel NOUN VERB --help tells the options of a verb. The configuration is --config, or $GEMEL_CONF, or " GEMEL_SYSCONFDIR "/gemel/gemel.conf.\n", out);
}

static void main_verb_help(const struct cmd_verb *verb, FILE *out)
{
	fprintf(out, "Usage: gemel %s%s%s%s%s [options]\n\n%s\n\n", verb->noun, verb->name ? " " : "", verb->name ? verb->name : "", *verb->args ? " " : "", verb->args,
		verb->help);
	for (size_t i = 0; i < CMD_OPTIONS_MAX && verb->options[i].name; i++) {
		char words[64];
		snprintf(words, sizeof(words), "--%s%s%s", verb->options[i].name, verb->options[i].value ? " " : "", verb->options[i].value ? verb->options[i].value : "");
		fprintf(out, "  %-24s %s\n", words, verb->options[i].help);
	}
	fputs("  --json                   print JSON\n  --config FILE            the configuration\n  --help                   this text\n", out);
}

static const struct cmd_verb *main_find(const char *noun, const char *name, bool *noun_known)
{
	*noun_known = false;
	for (size_t n = 0; n < MAIN_NOUNS; n++)
		for (const struct cmd_verb *verb = main_nouns[n]; verb->noun; verb++) {
			if (strcmp(verb->noun, noun) != 0)
				continue;
			*noun_known = true;
			if (verb->name == NULL || (name && strcmp(verb->name, name) == 0))
				return verb;
		}
	return NULL;
}

/* Options that every verb has. 1: taken (and *skip more words), 0: not one of them, -1: wrong. */
static int main_global(struct cmd *cmd, char **argv, int i, int argc, const char **config, int *skip)
{
	*skip = 0;
	if (strcmp(argv[i], "--json") == 0) {
		cmd->json = true;
		return 1;
	}
	if (strcmp(argv[i], "--config") != 0 && strcmp(argv[i], "-c") != 0)
		return 0;
	if (i + 1 >= argc) {
		cmd_fail("--config wants a file");
		return -1;
	}
	*config = argv[i + 1];
	*skip = 1;
	return 1;
}

static int main_verb_option(struct cmd *cmd, char **argv, int i, int argc, int *skip)
{
	const char *word = argv[i] + 2, *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	*skip = 0;
	for (size_t k = 0; k < CMD_OPTIONS_MAX && cmd->verb->options[k].name; k++) {
		const struct cmd_option *option = &cmd->verb->options[k];
		if (strlen(option->name) != len || memcmp(option->name, word, len) != 0)
			continue;
		if (option->value == NULL) {
			cmd->options[k] = "";
			return equals ? -1 : 0;
		}
		if (equals) {
			cmd->options[k] = equals + 1;
			return 0;
		}
		if (i + 1 >= argc)
			return -1;
		cmd->options[k] = argv[i + 1];
		*skip = 1;
		return 0;
	}
	return -1;
}

/* How many arguments the verb wants, at least and at most. */
static void main_arity(const char *args, unsigned *least, unsigned *most)
{
	*least = *most = 0;
	for (const char *at = args; *at;) {
		size_t word = strcspn(at, " ");
		*most += 1;
		*least += at[0] != '[';
		at += word + (at[word] == ' ');
	}
}

static void main_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_WARN)
		cmd_fail("%s", line);
}

static int main_open(struct cmd *cmd)
{
	char path[CONF_VALUE_MAX + 16];
	struct gml_store_options options = {.map_size = conf_number(&cmd->conf, CONF_store_map_size), .log = cmd->op.log};

	if (conf_string(&cmd->conf, CONF_store_home)[0] == 0)
		return cmd_fail("store.home is not set: name a configuration with --config FILE or GEMEL_CONF");
	if (!conf_home_path(&cmd->conf, "store", path, sizeof(path)))
		return cmd_fail("store.home is too long");
	int rc = gml_store_open(path, &options, &cmd->store);
	if (rc == GML_ERR_NOENT)
		return cmd_fail("%s: there is no store; make one with 'gemel store create'", path);
	return rc ? cmd_fail_rc(rc, path) : CMD_OK;
}

/* Root becomes run.user before anything of the store is touched, so that all its files belong to one user. For who works with a store the home itself is made his. */
static int main_become(const struct conf *conf, enum cmd_store store)
{
	const char *name = conf_string(conf, CONF_run_user), *home = conf_string(conf, CONF_store_home);

	if (name[0] == 0 || geteuid() != 0)
		return CMD_OK;
	const struct passwd *user = getpwnam(name);
	if (user == NULL)
		return cmd_fail("run.user = %s: there is no such user", name);
	if (store != CMD_NO_STORE && home[0] && ((mkdir(home, 0700) != 0 && errno != EEXIST) || chown(home, user->pw_uid, user->pw_gid) != 0))
		return cmd_fail("%s: %s", home, strerror(errno));
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		return cmd_fail("cannot become %s: %s", name, strerror(errno));
	return CMD_OK;
}

static int main_run(struct cmd *cmd, const char *config)
{
	char err[1200];
	unsigned least, most, given = 0;
	int status;

	main_arity(cmd->verb->args, &least, &most);
	while (given < CMD_ARGS_MAX && cmd->args[given])
		given++;
	if (given < least || given > most) {
		main_verb_help(cmd->verb, stderr);
		return CMD_USAGE;
	}
	conf_defaults(&cmd->conf);
	if (config == NULL)
		config = getenv("GEMEL_CONF");
	if (config == NULL)
		config = GEMEL_SYSCONFDIR "/gemel/gemel.conf";
	if (access(config, F_OK) != 0 && errno == ENOENT)
		return cmd_fail("%s is not there; %s/gemel.conf is one with every option, to copy and change", config, getenv("GEMEL_DATADIR") ?: GEMEL_PKGDATADIR);
	if (conf_read(&cmd->conf, config, err, sizeof(err)) != 0)
		return cmd_fail("%s", err);
	if ((status = main_become(&cmd->conf, cmd->verb->store)) != CMD_OK)
		return status;
	cmd->op.door = GML_DOOR_ADMIN;
	cmd->op.principal = "admin";
	cmd->op.log = cmd->verb->log ? cmd->verb->log : main_log;
	if (cmd->verb->store == CMD_STORE && (status = main_open(cmd)) != CMD_OK)
		return status;
	status = cmd->verb->run(cmd);
	gml_store_close(cmd->store);
	if (fflush(stdout) != 0)
		return cmd_fail("cannot write the output");
	return status;
}

int main(int argc, char **argv)
{
	struct cmd cmd = {0};
	const char *config = NULL, *noun = NULL;
	unsigned nargs = 0;
	bool noun_known = false, help = false;
	int skip, rc;

	for (int i = 1; i < argc; i += 1 + skip) {
		skip = 0;
		if ((rc = main_global(&cmd, argv, i, argc, &config, &skip)) != 0) {
			if (rc < 0)
				return CMD_USAGE;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help = true;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return CMD_OK;
		} else if (cmd.verb && strncmp(argv[i], "--", 2) == 0) {
			if (main_verb_option(&cmd, argv, i, argc, &skip) != 0)
				return cmd_wrong("%s: no such option, or its value is missing; see --help", argv[i]);
		} else if (noun == NULL) {
			noun = argv[i];
			cmd.verb = main_find(noun, NULL, &noun_known);
		} else if (cmd.verb == NULL) {
			cmd.verb = main_find(noun, argv[i], &noun_known);
			if (cmd.verb == NULL)
				break;
		} else if (nargs < CMD_ARGS_MAX) {
			cmd.args[nargs++] = argv[i];
		} else {
			return cmd_wrong("too many arguments: %s", argv[i]);
		}
	}
	if (help) {
		if (cmd.verb)
			main_verb_help(cmd.verb, stdout);
		else
			main_help(stdout);
		return CMD_OK;
	}
	if (cmd.verb == NULL) {
		if (noun)
			cmd_fail(noun_known ? "'%s' has no such verb" : "there is no noun '%s'", noun);
		main_help(stderr);
		return CMD_USAGE;
	}
	return main_run(&cmd, config);
}
