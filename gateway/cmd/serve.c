// SPDX-License-Identifier: Apache-2.0
/* gemel serve: starts both servers, restarts one that ends, runs the jobs, stops in order.
 *
 * Life: lock → prepare (render, check) → recover the store → adopt or start the servers → wait
 * until they answer → loop {signals, dead children, jobs} → stop the servers → unlock. When the
 * supervisor itself is killed the servers continue; the next `gemel serve` adopts those whose
 * configuration is unchanged and replaces the others. */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <gemel/probe.h>
#include "../jobs/jobs.h"

/* for a server to write out and close the store, also on a slow disk; gemel.service waits longer */
#define SERVE_STOP_SECONDS 30
#define SERVE_READY_SECONDS 60

static const char *const serve_names[SERVE_CHILDREN] = {"S3 door", "NFS door"};

void serve_say(const char *format, ...)
{
	char when[32], text[1024];
	time_t now = time(NULL);
	struct tm tm;
	va_list args;
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "%s gemel: %s\n", when, text);
}

static void serve_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_INFO)
		serve_say("%s", line);
}

/* Notifies systemd (sd_notify(3) protocol); without NOTIFY_SOCKET nothing happens. */
static void serve_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(address.sun_path))
		return;
	strcpy(address.sun_path, path);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, len) < 0)
		serve_say("systemd cannot be notified: %s", strerror(errno));
	close(fd);
}

/* One supervisor per home. The descriptor, or -1. */
static int serve_lock(struct serve *serve)
{
	char path[SERVE_PATH_MAX + 16], text[16];
	snprintf(path, sizeof(path), "%s/serve.lock", serve->run_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (fd >= 0 && errno == EWOULDBLOCK)
			cmd_fail("another 'gemel serve' is running on %s",
				 conf_string(&serve->cmd->conf, CONF_store_home));
		else
			cmd_fail("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)len) != len)
		serve_say("%s cannot be written: %s", path, strerror(errno));
	return fd;
}

static bool serve_answers(struct serve *serve, int which)
{
	const struct conf *conf = &serve->cmd->conf;
	if (which == SERVE_S3)
		return gml_probe_s3(conf_string(conf, CONF_s3_address),
				    (unsigned)conf_number(conf, CONF_s3_port), 1000);
	return gml_probe_nfs(conf_string(conf, CONF_nfs_address),
			     (unsigned)conf_number(conf, CONF_nfs_port), 1000);
}

static void serve_start(struct serve *serve, int which)
{
	struct child *child = &serve->children[which];
	int error = child_start(child);
	if (error == 0) {
		serve_say("%s: started, pid %d", child->name, (int)child->pid);
		return;
	}
	child->failures++;
	child->retry_at = child_clock() + (int64_t)1000000000;
	serve_say("%s: %s cannot be started: %s", child->name, child->argv[0], strerror(error));
}

/* Adopts the servers that a former supervisor left, unless the configuration has changed. */
static void serve_adopt(struct serve *serve)
{
	for (int i = 0; i < SERVE_CHILDREN; i++) {
		struct child *child = &serve->children[i];
		if (!child_adopt(child))
			continue;
		if (serve->enabled[i] && !serve->changed[i]) {
			serve_say("%s: pid %d is running already and continues", serve_names[i],
				  (int)child->pid);
			continue;
		}
		serve_say("%s: pid %d runs with another configuration and is stopped",
			  serve_names[i], (int)child->pid);
		child_stop(child, SERVE_STOP_SECONDS);
	}
}

/* The signals are blocked, and read in serve_loop only. */
static bool serve_to_stop(void)
{
	sigset_t set;
	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1);
}

/* A server that ends while this waits for it is an error of the start: its log has the reason.
 * Returns early at a signal to stop. */
static int serve_await(struct serve *serve)
{
	for (int i = 0; i < SERVE_CHILDREN; i++) {
		int64_t deadline = child_clock() + (int64_t)SERVE_READY_SECONDS * 1000000000;
		struct child *child = &serve->children[i];
		while (serve->enabled[i] && !serve_answers(serve, i) && !serve_to_stop()) {
			struct pollfd dead = {.fd = child->pidfd, .events = POLLIN};
			if (child->pid == 0 || poll(&dead, 1, 50) > 0)
				return cmd_fail("%s did not start: %s has the reason",
						serve_names[i], serve->log_file[i]);
			if (child_clock() > deadline)
				return cmd_fail("%s does not answer after %d s: see %s",
						serve_names[i], SERVE_READY_SECONDS,
						serve->log_file[i]);
		}
	}
	return CMD_OK;
}

/* The file that was read may change at any time; gemel status asks where the servers are. */
static void serve_note_conf(const struct serve *serve)
{
	int error = conf_write(&serve->cmd->conf, serve->in_force);
	if (error != 0)
		serve_say("%s cannot be written: %s", serve->in_force, strerror(error));
}

static void serve_ready(struct serve *serve)
{
	const struct conf *conf = &serve->cmd->conf;
	serve_note_conf(serve);
	if (serve->enabled[SERVE_S3])
		serve_say("S3 is ready at %s://%s:%s",
			  conf_string(conf, CONF_s3_tls_certificate)[0] ? "https" : "http",
			  conf_string(conf, CONF_s3_address), conf_string(conf, CONF_s3_port));
	if (serve->enabled[SERVE_NFS])
		serve_say("NFS is ready at %s:/ port %s", conf_string(conf, CONF_nfs_address),
			  conf_string(conf, CONF_nfs_port));
	serve_notify("READY=1");
}

/* The input of a server changed: its rendered configuration, or perhaps a certificate that was
 * renewed under its name. */
static bool serve_stale(const struct serve *serve, int which)
{
	return serve->changed[which] ||
	       (which == SERVE_S3 &&
		conf_string(&serve->cmd->conf, CONF_s3_tls_certificate)[0] != 0);
}

static void serve_reload_server(struct serve *serve, int which, const struct conf *before)
{
	struct child *child = &serve->children[which];
	if (child->pid == 0)
		return; /* serve_restart starts it, if it is to run */
	if (!serve->enabled[which]) {
		serve_say("%s: is switched off", serve_names[which]);
		child_stop(child, SERVE_STOP_SECONDS);
	} else if (serve_stale(serve, which) && which == SERVE_S3 &&
		   !serve_moves(serve, which, before) && kill(child->pid, SIGHUP) == 0) {
		serve_say("%s: reloads", serve_names[which]);
	} else if (serve_stale(serve, which)) {
		child_stop(child, SERVE_STOP_SECONDS);
		serve_start(serve, which);
	}
}

/* Nothing changes unless all of the new configuration is good: a server that is restarted later
 * must find a working one. */
static void serve_reload(struct serve *serve)
{
	static const enum conf_option fixed[] = {CONF_store_home, CONF_run_user, CONF_run_jemalloc};
	struct conf fresh, before = serve->cmd->conf;
	char err[CONF_ERRORS_SIZE];
	conf_defaults(&fresh);
	if (conf_read(&fresh, serve->cmd->conf.file, err, sizeof(err)) != 0 ||
	    conf_check(&fresh, err, sizeof(err)) != 0) {
		for (char *line, *rest = err; (line = strsep(&rest, "\n")) != NULL;)
			serve_say("not reloaded: %s", line);
		return;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(conf_string(&fresh, fixed[i]), conf_string(&before, fixed[i])) != 0) {
			serve_say("not reloaded: %s cannot change while serving",
				  conf_name(fixed[i]));
			return;
		}
	serve->cmd->conf = fresh;
	if (serve_prepare(serve) != CMD_OK || serve_versions(serve) != CMD_OK ||
	    serve_ports(serve, &before) != CMD_OK) {
		serve->cmd->conf = before;
		serve_say(serve_prepare(serve) == CMD_OK
				  ? "not reloaded: the previous configuration stays in force"
				  : "not reloaded");
		return;
	}
	for (int i = 0; i < SERVE_CHILDREN; i++)
		serve_reload_server(serve, i, &before);
	serve_note_conf(serve);
}

/* Restarts servers whose pause is over; returns when to call again. */
static int64_t serve_restart(struct serve *serve, int64_t now, int64_t until)
{
	for (int i = 0; i < SERVE_CHILDREN; i++) {
		struct child *child = &serve->children[i];
		if (!serve->enabled[i] || child->pid != 0)
			continue;
		if (now >= child->retry_at)
			serve_start(serve, i);
		if (child->pid == 0 && child->retry_at < until)
			until = child->retry_at;
	}
	return until;
}

static void serve_loop(struct serve *serve, struct jobs *jobs, int signals)
{
	struct signalfd_siginfo info;
	for (;;) {
		int64_t now = child_clock();
		int64_t until =
			serve_nss_run(serve, now, serve_restart(serve, now, jobs_run(jobs, now)));
		struct pollfd fds[2 + SERVE_CHILDREN] = {
			{.fd = signals, .events = POLLIN},
			[1 + SERVE_CHILDREN] = {.fd = serve->nss.pid ? serve->nss.pidfd : -1,
						.events = POLLIN}};
		for (int i = 0; i < SERVE_CHILDREN; i++)
			fds[1 + i] = (struct pollfd){
				.fd = serve->children[i].pid ? serve->children[i].pidfd : -1,
				.events = POLLIN};
		now = child_clock();
		int milliseconds = until <= now ? 0 : (int)((until - now) / 1000000) + 1;
		if (poll(fds, 2 + SERVE_CHILDREN, milliseconds) < 0 && errno != EINTR)
			return;
		if (fds[1 + SERVE_CHILDREN].revents)
			serve_nss_ended(serve);
		for (int i = 0; i < SERVE_CHILDREN; i++)
			if (fds[1 + i].revents) {
				serve_say("%s: %s", serve_names[i],
					  child_ended(&serve->children[i], child_clock()));
				jobs->recover = true;
			}
		if (!(fds[0].revents & POLLIN) ||
		    read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			return;
		serve_reload(serve);
		jobs->reap =
			!serve->enabled
				 /* never two reapers: the NFS server knows which files are open */
				 [SERVE_NFS];
	}
}

static int serve_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each connection needs a descriptor, and shells allow 1024: the servers get the maximum. nginx
 * does not raise the limit by itself, and stops serving at it. */
static void serve_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		serve_say("the limit of open files cannot be raised (many clients may get errors): "
			  "%s",
			  strerror(errno));
}

/* Both servers at once: each may need all of its time. */
static void serve_stop(struct serve *serve)
{
	child_ask(&serve->nss);
	for (int i = 0; i < SERVE_CHILDREN; i++)
		child_ask(&serve->children[i]);
	child_await(&serve->nss, 1);
	for (int i = 0; i < SERVE_CHILDREN; i++)
		child_await(&serve->children[i], SERVE_STOP_SECONDS);
}

static int serve_recover(struct serve *serve)
{
	int rc = gml_store_recover(&serve->cmd->op, serve->cmd->store);
	return rc ? cmd_fail_rc(rc, "the store could not be recovered") : CMD_OK;
}

static int serve_run(struct cmd *cmd)
{
	struct jobs jobs;
	char err[CONF_ERRORS_SIZE];
	int status, lock = -1, signals = -1;
	struct serve *serve = calloc(1, sizeof(*serve));
	if (serve == NULL)
		return cmd_fail_rc(GML_ERR_NOMEM, "serve");
	serve->cmd = cmd;
	for (int i = 0; i < SERVE_CHILDREN; i++)
		serve->children[i].pidfd = -1;
	serve->nss.pidfd = -1;
	status = CMD_FAILED;
	signals = serve_signals();
	serve_descriptors();
	if (conf_check(&cmd->conf, err, sizeof(err)) != 0) {
		cmd_fail_lines(err);
		goto out;
	}
	if (serve_layout(serve) != CMD_OK || (lock = serve_lock(serve)) < 0)
		goto out;
	if (serve_prepare(serve) != CMD_OK || serve_versions(serve) != CMD_OK ||
	    serve_recover(serve) != CMD_OK) {
		serve_forget(serve);
		goto out;
	}
	jobs_init(&jobs, cmd->store, !serve->enabled[SERVE_NFS], serve_log, NULL);
	serve_adopt(serve);
	if (serve_ports(serve, &cmd->conf) != CMD_OK)
		goto stop;
	for (int i = 0; i < SERVE_CHILDREN; i++)
		if (serve->enabled[i] && serve->children[i].pid == 0)
			serve_start(serve, i);
	if (serve_await(serve) != CMD_OK)
		goto stop;
	if (!serve_to_stop())
		serve_ready(serve);
	serve_loop(serve, &jobs, signals);
	serve_notify("STOPPING=1");
	serve_say("stopping");
	status = CMD_OK;
stop:
	serve_stop(serve);
	unlink(serve->in_force); /* it is not there when the start failed */
out:
	if (signals >= 0)
		close(signals);
	if (lock >= 0)
		close(lock);
	free(serve);
	return status;
}

const struct cmd_verb cmd_serve_verbs[] = {
	{"serve",
	 NULL,
	 "",
	 "Serve the store over S3 and NFS until SIGTERM or Ctrl-C; SIGHUP reloads the "
	 "configuration.",
	 CMD_STORE,
	 serve_run,
	 {{0}},
	 serve_log},
	{0},
};
