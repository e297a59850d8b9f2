// SPDX-License-Identifier: Apache-2.0
/* The gemel program: `gemel NOUN VERB`. Each noun is a table of verbs, named in words.c, which
 * reads the command line; help.c prints the tables; main.c opens the store for a verb that needs
 * it. */
#ifndef GML_CMD_H
#define GML_CMD_H

#include <gemel/bucket.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include <jansson.h>
#include "conf.h"

#define CMD_OPTIONS_MAX 12
#define CMD_ARGS_MAX 4

struct cmd_option {
	const char *name;  /* without "--" */
	const char *value; /* placeholder in the help; NULL: a flag */
	const char *help;
	const char *against; /* another option's name: both together are refused */
};

struct cmd {
	const struct cmd_verb *verb;
	struct conf conf;
	bool json;
	const char *args[CMD_ARGS_MAX];
	/* by index in the verb's table; NULL: not given; "" for a flag that is given */
	const char *options[CMD_OPTIONS_MAX];
	struct gml_store *store; /* open when the verb wants it */
	struct gml_op op;	 /* administrator */
};

enum cmd_store {
	CMD_NO_STORE,
	CMD_STORE,
	CMD_NEW_STORE /* makes it */,
	CMD_NO_CONF /* not even the configuration */
};

struct cmd_verb {
	const char *noun, *name; /* name NULL: the noun is the whole command */
	/* "NAME [PATH]": how many, for the help; capitals in brackets are optional */
	const char *args;
	const char *help; /* one sentence */
	enum cmd_store store;
	int (*run)(struct cmd *cmd); /* exit status; has printed its own error */
	struct cmd_option options[CMD_OPTIONS_MAX];
	/* receives the store's log lines; NULL: its errors and warnings go to standard error */
	gml_log_fn log;
	/* the verb changes the settings that its options name; without any option it is refused */
	bool changes;
	const char *needs; /* "--owner USER": the option that must be given, for the help */
};

struct cmd_noun {
	const char *name;
	const char *help; /* one sentence; NULL: its only verb has one */
	const struct cmd_verb *verbs;
};

extern const struct cmd_noun cmd_nouns[]; /* ended by a NULL name */
extern const struct cmd_verb cmd_serve_verbs[], cmd_status_verbs[], cmd_store_verbs[],
	cmd_user_verbs[], cmd_group_verbs[], cmd_role_verbs[], cmd_policy_verbs[],
	cmd_account_verbs[], cmd_key_verbs[], cmd_bucket_verbs[], cmd_config_verbs[],
	cmd_nfs_verbs[], cmd_grant_verbs[], cmd_access_verbs[], cmd_revoke_verbs[],
	cmd_help_verbs[], cmd_version_verbs[];

/* Exit statuses */
enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

/* "gemel: TEXT" on standard error; returns CMD_FAILED. */
int cmd_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for each line of `text`, which is cut up. */
int cmd_fail_lines(char *text);
/* The same for a wrong command line; returns CMD_USAGE. */
int cmd_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As cmd_fail, with the text of an enum gml_err and the next step; `what` names the attempted
 * operation. */
int cmd_fail_rc(int rc, const char *what);
/* Confirms an operation that cannot be undone: CMD_OK if --yes was given, or if the terminal
 * answers yes to `question`. Else prints `what` prevents it: CMD_USAGE without a terminal,
 * CMD_FAILED after a no. */
int cmd_confirm(const struct cmd *cmd, const char *what, const char *question);
/* Value of option `name` of the running verb, or NULL. */
const char *cmd_option(const struct cmd *cmd, const char *name);
/* A number from 0 to `max`, inclusive. 0, or -1 after printing the error. */
int cmd_number(const char *option, const char *text, uint64_t max, uint64_t *out);
/* The same for bytes or objects: K, M, G or T may follow, powers of 1024. */
int cmd_amount(const char *option, const char *text, uint64_t max, uint64_t *out);
/* An octal mode up to 7777. 0, or -1 after printing the error. */
int cmd_mode(const char *option, const char *text, uint32_t *out);

/* Prints `rows` (array of objects with the same keys): JSON with --json, else a table with the keys
 * as headings. Steals the reference. Exit status. */
int cmd_print_rows(const struct cmd *cmd, json_t *rows);
/* Prints one object: JSON, or "key: value" lines. Steals the reference. */
int cmd_print_object(const struct cmd *cmd, json_t *object);
/* Nothing to print; with --json an empty object all the same. Exit status. */
int cmd_print_nothing(const struct cmd *cmd);
/* ISO 8601 in UTC; static buffer per call site is not needed: the value is copied into JSON. */
json_t *cmd_json_time(int64_t ns);

#endif
