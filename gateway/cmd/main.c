// SPDX-License-Identifier: Apache-2.0
/* gemel: one program for the administrator. Reads the configuration and opens the store for the
 * verb that words.c finds. */
#include "cmd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "help.h"
#include "words.h"

__attribute__((format(printf, 1, 0))) static void main_say(const char *format, va_list args)
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

int cmd_fail_lines(char *text)
{
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		cmd_fail("%s", line);
	return CMD_FAILED;
}

/* The next step, or NULL where the text of the error says it. */
static const char *main_advice(int rc)
{
	switch (rc) {
	case GML_ERR_NOUSER:
		return "'gemel user list' shows the users";
	case GML_ERR_NOGROUP:
		return "'gemel group list' shows the groups";
	case GML_ERR_NOPOLICY:
		return "'gemel policy list' shows the policies";
	case GML_ERR_NOROLE:
		return "'gemel role list' shows the roles";
	case GML_ERR_NOKEY:
		return "'gemel key list' shows the keys";
	case GML_ERR_NOBUCKET:
		return "'gemel bucket list' shows the buckets";
	case GML_ERR_NOSPC:
		return "free space on its disk, or raise store.metadata_max, and try again";
	case GML_ERR_CORRUPT:
		return "'gemel store check' shows the damage";
	case GML_ERR_FORMAT:
		return "use the version of Gemel that made it";
	case GML_ERR_LOCKED:
		return "another process uses it; try again when that process has ended";
	default: /* advice is extra: most codes need none */
		return NULL;
	}
}

int cmd_fail_rc(int rc, const char *what)
{
	const char *advice = main_advice(rc);
	return cmd_fail("%s: %s%s%s", what, gml_err_text(rc), advice ? "; " : "",
			advice ? advice : "");
}

int cmd_confirm(const struct cmd *cmd, const char *what, const char *question)
{
	char answer[16];
	if (cmd_option(cmd, "yes"))
		return CMD_OK;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return cmd_wrong("%s; --yes confirms it", what);
	fprintf(stderr, "%s. %s [y/N] ", what, question);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0))
		return CMD_OK;
	return cmd_fail("nothing was changed");
}

const char *cmd_option(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; i < CMD_OPTIONS_MAX && cmd->verb->options[i].name; i++)
		if (strcmp(cmd->verb->options[i].name, name) == 0)
			return cmd->options[i];
	return NULL;
}

/* Digits up to *end_out. False without any, or above `max`. */
static bool main_digits(const char *text, uint64_t max, char **end_out, uint64_t *out)
{
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*out = strtoull(text, end_out, 10);
	return errno == 0 && *out <= max;
}

int cmd_number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	if (main_digits(text, max, &end, out) && *end == 0)
		return 0;
	cmd_fail("--%s %s: not a number from 0 to %llu", option, text, (unsigned long long)max);
	return -1;
}

int cmd_amount(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	const char *units = "KMGT", *unit;
	unsigned shift = 0;
	bool good = main_digits(text, max, &end, out);
	if (good && *end && (unit = strchr(units, toupper((unsigned char)*end))) && end[1] == 0) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (!good || *end || *out > max >> shift) {
		cmd_fail("--%s %s: not a number from 0 to %llu; K, M, G or T after it stand for "
			 "1024, 1024^2, 1024^3 and 1024^4",
			 option, text, (unsigned long long)max);
		return -1;
	}
	*out <<= shift;
	return 0;
}

int cmd_mode(const char *option, const char *text, uint32_t *out)
{
	size_t len = strlen(text);
	*out = 0;
	for (size_t i = 0; i < len; i++)
		*out = *out << 3 | (uint32_t)(text[i] - '0');
	if (len > 0 && len <= 5 && strspn(text, "01234567") == len && *out <= 07777)
		return 0;
	cmd_fail("--%s %s: not an octal mode from 0 to 7777", option, text);
	return -1;
}

static void main_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_WARN)
		cmd_fail("%s", line);
}

/* The store is another user's. */
static int main_denied(const struct cmd *cmd, const char *path)
{
	const char *home = conf_string(&cmd->conf, CONF_store_home), *shown = path;
	struct stat st;
	if (stat(path, &st) != 0 && stat(shown = home, &st) != 0)
		return cmd_fail_rc(GML_ERR_ACCESS, path);
	const struct passwd *owner = getpwuid(st.st_uid);
	const char *user = conf_string(&cmd->conf, CONF_run_user);
	if (st.st_uid == geteuid())
		return cmd_fail("%s: permission denied: some of its files have another owner or "
				"other modes; give all of them to the owner of the directory",
				shown);
	char name[64];
	if (owner)
		snprintf(name, sizeof(name), "%s", owner->pw_name);
	else
		snprintf(name, sizeof(name), "uid %u", st.st_uid);
	if (user[0])
		return cmd_fail("%s belongs to %s, and run.user is %s: give all of it to that user "
				"(chown -R), or set run.user to its owner",
				shown, name, user);
	return cmd_fail("%s belongs to %s: run gemel as that user", shown, name);
}

/* There is no store at `path`: nothing, or something else. */
static int main_no_store(const char *path)
{
	char making[CONF_VALUE_MAX + 32];
	const struct dirent *entry;
	const char *other = NULL;
	snprintf(making, sizeof(making), "%s/making", path);
	if (access(making, F_OK) == 0)
		return cmd_fail(
			"%s: making this store was cut short: run 'gemel store create' again",
			path);
	DIR *dir = opendir(path);
	while (dir && other == NULL && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lost+found") != 0)
			other = entry->d_name;
	if (other)
		cmd_fail("%s: this directory holds other files (%s), and no store: move them away, "
			 "or set store.home to another directory",
			 path, other);
	else
		cmd_fail("%s: there is no store: make one with 'gemel store create'", path);
	if (dir)
		closedir(dir);
	return CMD_FAILED;
}

static int main_open(struct cmd *cmd)
{
	char path[CONF_VALUE_MAX + 16];
	struct gml_store_options options = {
		.meta_capacity = conf_number(&cmd->conf, CONF_store_metadata_max),
		.log = cmd->op.log};
	if (!conf_home_path(&cmd->conf, "store", path, sizeof(path)))
		return cmd_fail("store.home is too long");
	int rc = gml_store_open(path, &options, &cmd->store);
	if (rc == GML_ERR_NOENT)
		return main_no_store(path);
	if (rc == GML_ERR_ACCESS || rc == GML_ERR_PERM)
		return main_denied(cmd, path);
	if (rc == GML_ERR_CORRUPT) /* where, the log has said */
		return cmd_fail("%s: the store is damaged, and was not opened", path);
	return rc ? cmd_fail_rc(rc, path) : CMD_OK;
}

/* Root switches to run.user before it touches the store, so that all files of the store belong to
 * one user. For verbs that use a store, the home directory is given to that user. */
static int main_become(const struct conf *conf, enum cmd_store store)
{
	const char *name = conf_string(conf, CONF_run_user),
		   *home = conf_string(conf, CONF_store_home);
	if (name[0] == 0 || geteuid() != 0)
		return CMD_OK;
	const struct passwd *user = getpwnam(name);
	if (user == NULL)
		return cmd_fail(
			"run.user = %s: the system has no such user: make it, or set another one",
			name);
	if (store != CMD_NO_STORE && ((mkdir(home, 0700) != 0 && errno != EEXIST) ||
				      chown(home, user->pw_uid, user->pw_gid) != 0))
		return cmd_fail("%s: %s", home, strerror(errno));
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
	    setuid(user->pw_uid) != 0)
		return cmd_fail("cannot switch to the user %s: %s", name, strerror(errno));
	return CMD_OK;
}

/* The configuration of --config, of GEMEL_CONF, or the installed one. */
static int main_configure(struct cmd *cmd, const char *config)
{
	char err[CONF_ERRORS_SIZE];
	conf_defaults(&cmd->conf);
	if (config == NULL)
		config = getenv("GEMEL_CONF");
	if (config == NULL || *config == 0)
		config = GEMEL_SYSCONFDIR "/gemel/gemel.conf";
	if (access(config, F_OK) != 0 && errno == ENOENT)
		return cmd_fail("%s is not there: name the configuration with --config FILE or "
				"GEMEL_CONF; %s/gemel.conf has every option, to copy and change",
				config, getenv("GEMEL_DATADIR") ?: GEMEL_PKGDATADIR);
	if (access(config, R_OK) != 0 && errno == EACCES)
		return cmd_fail("%s: permission denied: run gemel as a user who may read it, or "
				"name another configuration with --config FILE or GEMEL_CONF%s",
				config,
				cmd->verb == cmd_nfs_verbs
					? " ('gemel nfs read' needs port and address of [nfs] only)"
					: "");
	if (conf_read(&cmd->conf, config, err, sizeof(err)) != 0)
		return cmd_fail_lines(err);
	return main_become(&cmd->conf, cmd->verb->store);
}

static int main_run(struct cmd *cmd, const char *config)
{
	int status = words_check(cmd);
	if (status == CMD_OK && cmd->verb->store != CMD_NO_CONF)
		status = main_configure(cmd, config);
	if (status != CMD_OK)
		return status;
	cmd->op = (struct gml_op)GML_OP_LOCAL;
	cmd->op.principal.user = "admin";
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
	struct words words = {0};
	int status = words_read(&words, &cmd, argc, argv);
	if (status != CMD_OK)
		return status;
	if (words.help) {
		help_print(words.noun, cmd.verb, stdout);
		return CMD_OK;
	}
	if (words.version)
		cmd = (struct cmd){.verb = cmd_version_verbs, .json = cmd.json};
	if (cmd.verb)
		return main_run(&cmd, words.config);
	if (words.noun)
		cmd_wrong("'gemel %s' needs a verb", words.noun->name);
	help_print(words.noun, NULL, stderr);
	return CMD_USAGE;
}
