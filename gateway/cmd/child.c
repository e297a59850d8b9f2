// SPDX-License-Identifier: Apache-2.0
#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* after running this long, earlier failures do not count */
#define CHILD_STEADY_NS ((int64_t)10 * 1000000000)

int64_t child_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int child_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void child_note_pid(const struct child *child)
{
	FILE *stream = fopen(child->pid_file, "we");
	if (stream) {
		fprintf(stream, "%d\n", (int)child->pid);
		fclose(stream);
	}
}

/* In the forked process: does only async-signal-safe work. Never returns. */
static void child_exec(const struct child *child, char *const *env, int report)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); /* Ctrl-C is for the supervisor, which stops the servers in order */
	execve(child->argv[0], (char *const *)child->argv, env);
	int error = errno;
	ssize_t ignored = write(report, &error, sizeof(error));
	(void)ignored; /* the parent sees the exit status in any case */
	_exit(127);
}

extern char **environ;

/* Our environment with the child's variables in front of it; heap. */
static char **child_environment(const struct child *child)
{
	size_t n = 0, k = 0;
	while (environ[n])
		n++;
	char **env = calloc(n + CHILD_ENV_MAX + 1, sizeof(*env));
	if (env == NULL)
		return NULL;
	for (; k < CHILD_ENV_MAX && child->env[k]; k++)
		env[k] = (char *)child->env[k];
	for (size_t i = 0; i < n; i++) {
		size_t name = strcspn(environ[i], "=") + 1;
		bool replaced = false;
		for (size_t j = 0; j < CHILD_ENV_MAX && child->env[j]; j++)
			replaced |= strncmp(environ[i], child->env[j], name) == 0;
		if (!replaced)
			env[k++] = environ[i];
	}
	return env;
}

int child_start(struct child *child)
{
	int report[2], error = 0;
	char **env = child_environment(child);
	if (env == NULL)
		return ENOMEM;
	if (pipe2(report, O_CLOEXEC) != 0) {
		free(env);
		return errno;
	}
	pid_t pid = fork();
	if (pid == 0)
		child_exec(child, env, report[1]);
	error = pid < 0 ? errno : 0;
	close(report[1]);
	if (pid > 0 && read(report[0], &error, sizeof(error)) == sizeof(error))
		waitpid(pid, NULL, 0);
	close(report[0]);
	free(env);
	if (error != 0)
		return error;
	child->pid = pid;
	child->pidfd = child_pidfd(pid);
	child->adopted = false;
	child->started = child_clock();
	child_note_pid(child);
	return 0;
}

/* True if `pid` runs the same program with the same arguments. */
static bool child_is_ours(const struct child *child, pid_t pid)
{
	char path[64], line[8192];
	size_t used = 0;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return false;
	size_t got = fread(line, 1, sizeof(line) - 1, stream);
	fclose(stream);
	line[got] = 0;
	/* nginx rewrites its title: "nginx: master process PROGRAM ARGS" */
	bool title = strncmp(line, "nginx: master process ", 22) == 0;
	const char *at = title ? line + 22 : line;
	for (size_t i = 0; child->argv[i]; i++) {
		size_t len = strlen(child->argv[i]);
		if (used + len > got || strncmp(at + used, child->argv[i], len) != 0)
			return false;
		used += len + 1;
	}
	return true;
}

bool child_adopt(struct child *child)
{
	int pid = 0;
	FILE *stream = fopen(child->pid_file, "re");
	if (stream == NULL)
		return false;
	if (fscanf(stream, "%d", &pid) != 1)
		pid = 0;
	fclose(stream);
	if (pid <= 1)
		return false;
	int fd = child_pidfd(pid);
	if (fd < 0)
		return false;
	if (!child_is_ours(child, pid)) {
		close(fd);
		return false;
	}
	child->pid = pid;
	child->pidfd = fd;
	child->adopted = true;
	child->started = child_clock();
	return true;
}

const char *child_ended(struct child *child, int64_t now)
{
	static char text[64];
	int status = 0;
	strcpy(text, "ended");
	if (!child->adopted && waitpid(child->pid, &status, WNOHANG) == child->pid) {
		if (WIFSIGNALED(status))
			snprintf(text, sizeof(text), "was ended by signal %d", WTERMSIG(status));
		else
			snprintf(text, sizeof(text), "ended with status %d", WEXITSTATUS(status));
	}
	close(child->pidfd);
	child->pidfd = -1;
	child->pid = 0;
	child->failures = now - child->started > CHILD_STEADY_NS ? 0 : child->failures + 1;
	unsigned shift = child->failures > 6 ? 6 : child->failures;
	/* 0.1 s … 3.2 s */
	child->retry_at = child->failures == 0 ? now : now + ((int64_t)50000000 << shift);
	return text;
}

static bool child_wait(struct child *child, int milliseconds)
{
	struct pollfd poll_fd = {.fd = child->pidfd, .events = POLLIN};
	int rc;
	do {
		rc = poll(&poll_fd, 1, milliseconds);
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* The parent of a process by its /proc/PID/stat, whose second field may hold anything in its
 * parentheses; 0: it is gone. */
static pid_t child_parent_of(pid_t pid)
{
	char path[64], line[512];
	int parent = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	if (fgets(line, sizeof(line), stream)) {
		const char *at = strrchr(line, ')');
		if (at == NULL || sscanf(at, ") %*c %d", &parent) != 1)
			parent = 0;
	}
	fclose(stream);
	return parent;
}

/* Sends its worker processes SIGTERM. Each is opened as a pidfd before it is examined, so that no
 * other process gets the signal. */
static void child_hurry(const struct child *child)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	while (dir && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		int fd = pid > 1 && child_parent_of(pid) == child->pid ? child_pidfd(pid) : -1;
		if (fd < 0)
			continue;
		if (child_parent_of(pid) == child->pid)
			syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

/* SIGQUIT is nginx's orderly end. After a SIGTERM its master kills workers that are not done: after
 * about three seconds, or when another of its processes ends after half of that time
 * (s3api/nginx/README.md). */
void child_ask(struct child *child)
{
	if (child->pid == 0)
		return;
	kill(child->pid, child->drain_seconds > 0 ? SIGQUIT : SIGTERM);
	child->asked = child_clock();
}

/* True if the child has ended `seconds` after the request. */
static bool child_gone_by(struct child *child, int seconds)
{
	int64_t left = child->asked + (int64_t)seconds * 1000000000 - child_clock();
	return child_wait(child, left > 0 ? (int)(left / 1000000) + 1 : 0);
}

void child_await(struct child *child, int seconds)
{
	if (child->pid == 0)
		return;
	if (child->drain_seconds > 0 && !child_gone_by(child, child->drain_seconds))
		child_hurry(child);
	if (!child_gone_by(child, child->drain_seconds + seconds)) {
		kill(child->pid, SIGKILL);
		child_wait(child, -1);
	}
	child_ended(child, child_clock());
	unlink(child->pid_file);
}

void child_stop(struct child *child, int seconds)
{
	child_ask(child);
	child_await(child, seconds);
}
