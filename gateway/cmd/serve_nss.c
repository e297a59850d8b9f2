// SPDX-License-Identifier: Apache-2.0
/* gemel serve runs `gemel user sync` every identity.nss_seconds, one at a time. */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* NSS may wait for servers that do not answer. */
#define SERVE_NSS_MOST ((int64_t)120 * 1000000000)
#define SERVE_NSS_PROGRAM "/proc/self/exe"

static void serve_nss_start(struct serve *serve, int64_t now)
{
	static char program[SERVE_PATH_MAX]; /* the name of the link would be that of the child */
	struct child *child = &serve->nss;
	ssize_t len = readlink(SERVE_NSS_PROGRAM, program, sizeof(program) - 1);
	int error;
	serve->nss_next = now + (int64_t)conf_number(&serve->cmd->conf, CONF_identity_nss_seconds) *
					1000000000;
	if (len <= 0)
		return;
	program[len] = 0;
	snprintf(serve->nss_pid_file, sizeof(serve->nss_pid_file), "%s/nss.pid", serve->run_dir);
	child->name = "users and groups of NSS";
	child->pid_file = serve->nss_pid_file;
	memcpy(child->argv,
	       (const char *[]){program, "-c", serve->in_force, "user", "sync", "--changes", NULL},
	       7 * sizeof(*child->argv));
	error = child_start(child);
	if (error != 0)
		serve_say("%s: %s cannot be started: %s", child->name, program, strerror(error));
}

int64_t serve_nss_run(struct serve *serve, int64_t now, int64_t until)
{
	struct child *child = &serve->nss;
	int64_t next;
	if (child->pid != 0) {
		next = child->started + SERVE_NSS_MOST;
		if (now >= next)
			kill(child->pid, SIGKILL); /* its pidfd says when it is gone */
		else if (next < until)
			until = next;
		return until;
	}
	if (!conf_bool(&serve->cmd->conf, CONF_identity_nss))
		return until;
	if (now >= serve->nss_next)
		serve_nss_start(serve, now);
	return serve->nss_next < until ? serve->nss_next : until;
}

void serve_nss_ended(struct serve *serve)
{
	const char *how = child_ended(&serve->nss, child_clock());
	if (strcmp(how, "ended with status 0") != 0)
		serve_say("%s: the update %s", serve->nss.name, how);
	unlink(serve->nss_pid_file);
}
