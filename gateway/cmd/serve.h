// SPDX-License-Identifier: Apache-2.0
/* gemel serve: declarations shared by serve.c (supervision) and serve_conf.c (rendering, checks
 * before the start). */
#ifndef GML_CMD_SERVE_H
#define GML_CMD_SERVE_H

#include "child.h"
#include "cmd.h"

enum { SERVE_S3, SERVE_NFS, SERVE_CHILDREN };

#define SERVE_PATH_MAX (CONF_VALUE_MAX + 64)

struct serve {
	struct cmd *cmd;
	struct child children[SERVE_CHILDREN];
	bool enabled[SERVE_CHILDREN];
	bool changed[SERVE_CHILDREN]; /* the rendered configuration differs from the last one */
	char run_dir[SERVE_PATH_MAX], log_dir[SERVE_PATH_MAX], store_dir[SERVE_PATH_MAX];
	char conf_file[SERVE_CHILDREN][SERVE_PATH_MAX], pid_file[SERVE_CHILDREN][SERVE_PATH_MAX],
		log_file[SERVE_CHILDREN][SERVE_PATH_MAX],
		own_pid_file[SERVE_CHILDREN][SERVE_PATH_MAX];
	char in_force[SERVE_PATH_MAX]; /* the configuration that is served, for gemel status */
	char arenas[48];	       /* for the malloc of ganesha; an environment variable */
	const char *lib_dir, *data_dir;
	struct child nss; /* `gemel user sync`, while it runs */
	char nss_pid_file[SERVE_PATH_MAX + 16];
	int64_t nss_next; /* CLOCK_MONOTONIC ns */
};

/* Directories and the names of all files. Prints its errors; exit status. */
int serve_layout(struct serve *serve);
/* Rendered configurations, arguments and environments of the children. For the holder of the lock:
 * a running supervisor compares with the files that are there. Prints its errors; exit status. */
int serve_prepare(struct serve *serve);
/* Removes what serve_prepare rendered when no server runs with it: the next start must not believe
 * that a running server has that configuration. */
void serve_forget(struct serve *serve);
/* Checks that the installed servers are those that our modules were built for. Prints its errors;
 * exit status. */
int serve_versions(struct serve *serve);
/* Checks that the ports can be bound, for servers that do not run or that change their address or
 * port (`before`: the configuration of the running ones). Prints its errors; exit status. */
int serve_ports(struct serve *serve, const struct conf *before);
/* `gemel user sync`, a process of its own because NSS may block: starts it when it is due, kills it
 * when it takes too long. Returns when to call again. */
int64_t serve_nss_run(struct serve *serve, int64_t now, int64_t until);
/* Its pidfd became readable. */
void serve_nss_ended(struct serve *serve);
/* One line on standard error, with the time: journald and people read it. */
void serve_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* True if the server gets another address with the same port: one may include the other (0.0.0.0),
 * so it must close the old one first. */
bool serve_moves(const struct serve *serve, int which, const struct conf *before);

#endif
