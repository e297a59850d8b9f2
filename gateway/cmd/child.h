/* A server process under supervision: started, watched by pidfd, restarted with growing pauses, ended. One that a former supervisor left running is adopted. */
#ifndef GML_CMD_CHILD_H
#define GML_CMD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_ARGS_MAX 16
#define CHILD_ENV_MAX 8

struct child {
	const char *name;                  /* for messages */
	const char *argv[CHILD_ARGS_MAX];  /* NULL-terminated; argv[0] is the program's path */
	const char *env[CHILD_ENV_MAX];    /* NAME=VALUE added to our environment; NULL-terminated */
	const char *pid_file;              /* the supervisor's own note of the pid */
	pid_t pid;                         /* 0: not running */
	int pidfd;                         /* -1: not running */
	bool adopted;                      /* not our child */
	int64_t started, retry_at;         /* CLOCK_MONOTONIC ns */
	unsigned failures;                 /* in a row */
};

int64_t child_clock(void);
/* 0, or an errno. */
int child_start(struct child *child);
/* Looks at the pid file: a living process of the same program whose command line is ours is taken over. */
bool child_adopt(struct child *child);
/* The pidfd became readable: reaps, notes when to try again. Returns a static text that says how it ended. */
const char *child_ended(struct child *child, int64_t now);
/* SIGTERM, then SIGKILL after `seconds`; returns when it is gone. */
void child_stop(struct child *child, int seconds);

#endif
