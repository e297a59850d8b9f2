// SPDX-License-Identifier: Apache-2.0
/* A server process under supervision: started, watched by pidfd, restarted with growing pauses, ended. One that a former supervisor left running is adopted. */
#ifndef GML_CMD_CHILD_H
#define GML_CMD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_ARGS_MAX 16
#define CHILD_ENV_MAX 8

struct child {
	const char *name;		  /* for messages */
	const char *argv[CHILD_ARGS_MAX]; /* NULL-terminated; argv[0] is the program's path */
	const char *env[CHILD_ENV_MAX];	  /* NAME=VALUE added to our environment; NULL-terminated */
	const char *pid_file;		  /* the supervisor's own note of the pid */
	int drain_seconds; /* asked to end, its workers may finish what they do for so long; 0: none */
	pid_t pid;	   /* 0: not running */
	int pidfd;	   /* -1: not running */
	bool adopted;	   /* not our child */
	int64_t started, retry_at, asked; /* CLOCK_MONOTONIC ns; asked: to end */
	unsigned failures;		  /* in a row */
};

int64_t child_clock(void);
/* 0, or an errno. */
int child_start(struct child *child);
/* Looks at the pid file: a living process of the same program whose command line is ours is taken over. */
bool child_adopt(struct child *child);
/* The pidfd became readable: reaps, notes when to try again. Returns a static text that says how it ended. */
const char *child_ended(struct child *child, int64_t now);
/* Asks it to end, and does not wait; nothing when it does not run. */
void child_ask(struct child *child);
/* After child_ask: returns when it is gone. Once its drain_seconds are over, its workers are told to end; it and they have
 * `seconds` more to put away what they have, and are then killed. The time counts from child_ask on. */
void child_await(struct child *child, int seconds);
/* Both. */
void child_stop(struct child *child, int seconds);

#endif
