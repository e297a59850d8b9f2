// SPDX-License-Identifier: Apache-2.0
/* gemel serve: what serve.c (supervision) and serve_conf.c (rendering, checks before the start) share. */
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
	char arenas[48]; /* of the NFS door's malloc; an environment variable */
	const char *lib_dir, *data_dir;
};

/* Directories and the names of all files. Prints its errors; exit status. */
int serve_layout(struct serve *serve);
/* Rendered configurations, arguments and environments of the children. For the holder of the lock: a supervisor that runs compares with what lies there. Prints its errors; exit status. */
int serve_prepare(struct serve *serve);
/* Removes what serve_prepare rendered, for no door runs with it: the next start must not take one that was left running for one of that configuration. */
void serve_forget(struct serve *serve);
/* The servers that are installed are the ones that our modules were built for. Prints its errors; exit status. */
int serve_versions(struct serve *serve);
/* The ports can be bound, of those doors that do not run or are to leave the address and port that they have by `before` (what the running ones were started with). Prints its errors; exit status. */
int serve_ports(struct serve *serve, const struct conf *before);
/* The door is to have another address with the port that it has: one of both may include the other (0.0.0.0), so it has to leave the old one first. */
bool serve_moves(const struct serve *serve, int which, const struct conf *before);

#endif
