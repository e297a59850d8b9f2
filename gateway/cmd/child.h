// SPDX-License-Identifier: Apache-2.0
/* A supervised server process: started, watched by pidfd, restarted with growing pauses, stopped. A
 * process that a former supervisor left running is adopted. */
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
	const char *pid_file;		  /* the supervisor's own pid file */
	/* seconds that its workers may finish their requests when it is stopped; 0: none */
	int drain_seconds;
	pid_t pid;			  /* 0: not running */
	int pidfd;			  /* -1: not running */
	bool adopted;			  /* not our child */
	int64_t started, retry_at, asked; /* CLOCK_MONOTONIC ns; asked: when it was asked to end */
	unsigned failures;		  /* in a row */
};

int64_t child_clock(void);
/* 0, or an errno. */
int child_start(struct child *child);
/* Reads the pid file: a living process with the same program and command line is adopted. */
bool child_adopt(struct child *child);
/* The pidfd became readable: reaps, notes when to try again. Returns a static text that says how it
 * ended. */
const char *child_ended(struct child *child, int64_t now);
/* Asks the child to end, without waiting. Does nothing when it does not run. */
void child_ask(struct child *child);
/* After child_ask: returns when the child has ended. When its drain_seconds are over, its workers
 * get SIGTERM; the child and its workers have `seconds` more to write out and close the store, and
 * are then killed. The time counts from child_ask on. */
void child_await(struct child *child, int seconds);
/* Both. */
void child_stop(struct child *child, int seconds);

#endif
