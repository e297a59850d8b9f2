// SPDX-License-Identifier: Apache-2.0
/* Before the servers start: directories, rendered configurations, command lines, and checks that
 * end in a clear message instead of a crash. */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gemel/probe.h>
#include "render.h"

#define SERVE_JEMALLOC "libjemalloc.so.2"
#define SERVE_VARS_MAX 40
#define SERVE_DRAIN_SECONDS 10 /* seconds for S3 requests that run when the server is stopped */

static const enum conf_option serve_address[SERVE_CHILDREN] = {CONF_s3_address, CONF_nfs_address},
			      serve_port[SERVE_CHILDREN] = {CONF_s3_port, CONF_nfs_port};

/* Appends to a NULL-terminated list. The strings are borrowed for the render. */
struct serve_vars {
	struct render_var rows[SERVE_VARS_MAX + 1];
	size_t n;
};

static void serve_var(struct serve_vars *vars, const char *name, const char *value)
{
	if (vars->n < SERVE_VARS_MAX)
		vars->rows[vars->n++] = (struct render_var){name, value};
}

static int serve_directory(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return cmd_fail("%s: %s", path, strerror(errno));
	return CMD_OK;
}

static int serve_directories(struct serve *serve)
{
	static const char *const below_run[] = {"", "/recovery"};
	const struct conf *conf = &serve->cmd->conf;
	char path[SERVE_PATH_MAX + 16];
	if (!conf_home_path(conf, "run", serve->run_dir, SERVE_PATH_MAX - 32) ||
	    !conf_home_path(conf, "log", serve->log_dir, SERVE_PATH_MAX - 32) ||
	    !conf_home_path(conf, "store", serve->store_dir, SERVE_PATH_MAX))
		return cmd_fail("store.home is too long");
	for (size_t i = 0; i < sizeof(below_run) / sizeof(below_run[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", serve->run_dir, below_run[i]);
		if (serve_directory(path) != CMD_OK)
			return CMD_FAILED;
	}
	return serve_directory(serve->log_dir);
}

static void serve_files(struct serve *serve)
{
	static const char *const conf_names[SERVE_CHILDREN] = {"nginx.conf", "ganesha.conf"};
	static const char *const log_names[SERVE_CHILDREN] = {"nginx-error.log", "nfs.log"};
	static const char *const pid_names[SERVE_CHILDREN] = {"nginx.pid", "ganesha.pid"};
	snprintf(serve->in_force, SERVE_PATH_MAX, "%.*s/" CONF_IN_FORCE, SERVE_PATH_MAX - 32,
		 serve->run_dir);
	for (int i = 0; i < SERVE_CHILDREN; i++) {
		snprintf(serve->conf_file[i], SERVE_PATH_MAX, "%.*s/%s", SERVE_PATH_MAX - 32,
			 serve->run_dir, conf_names[i]);
		snprintf(serve->log_file[i], SERVE_PATH_MAX, "%.*s/%s", SERVE_PATH_MAX - 32,
			 serve->log_dir, log_names[i]);
		snprintf(serve->pid_file[i], SERVE_PATH_MAX, "%.*s/%s", SERVE_PATH_MAX - 32,
			 serve->run_dir, pid_names[i]);
		snprintf(serve->own_pid_file[i], SERVE_PATH_MAX, "%.*s/%s.serve",
			 SERVE_PATH_MAX - 40, serve->run_dir, pid_names[i]);
	}
}

static const char *serve_word(const char *value, const char *const pairs[])
{
	for (; pairs[0]; pairs += 2)
		if (strcmp(pairs[0], value) == 0)
			return pairs[1];
	return "";
}

static int serve_render(struct serve *serve, int which, const char *name,
			const struct serve_vars *vars)
{
	char template[SERVE_PATH_MAX], err[1024];
	snprintf(template, sizeof(template), "%s/%s", serve->data_dir, name);
	if (render_file(template, serve->conf_file[which], vars->rows, &serve->changed[which], err,
			sizeof(err)) != 0)
		return cmd_fail("%s", err);
	return CMD_OK;
}

/* Few threads: while one is idle, ganesha wakes it for each request; when none is, no thread is
 * woken. Enough threads: a commit occupies its thread until it is on the disk, and waiting commits
 * share one flush. tests/bench/README.md has figures. */
static unsigned long serve_nfs_threads(const struct conf *conf)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long threads = (unsigned long)conf_number(conf, CONF_nfs_threads);
	return threads != 0 ? threads : 16 + 4 * (unsigned long)(processors > 0 ? processors : 1);
}

static int serve_render_nfs(struct serve *serve)
{
	static const char *const squash[] = {"root", "Root_Squash", "none", "No_Root_Squash",
					     "all",  "All_Squash",  NULL};
	static const char *const levels[] = {"error", "CRIT",  "warn",	"WARN", "info",
					     "EVENT", "debug", "DEBUG", NULL};
	static const char *const rpc_levels[] = {"error", "MAJ",   "warn",  "MAJ", "info",
						 "MAJ",	  "debug", "DEBUG", NULL};
	const struct conf *conf = &serve->cmd->conf;
	struct serve_vars vars = {0};
	bool v3 = conf_bool(conf, CONF_nfs_v3);
	char recovery[SERVE_PATH_MAX + 16], threads[32];
	snprintf(recovery, sizeof(recovery), "%s/recovery", serve->run_dir);
	snprintf(threads, sizeof(threads), "%lu", serve_nfs_threads(conf));
	serve_var(&vars, "NFS_ADDRESS", conf_string(conf, CONF_nfs_address));
	serve_var(&vars, "NFS_PORT", conf_string(conf, CONF_nfs_port));
	/* 6.x does not start where it may not set PR_SET_IO_FLUSHER (as an ordinary user, in most
	 * containers) without this option; 4.x neither sets it nor knows the option. */
	serve_var(&vars, "NFS_FLUSHER_LINE",
		  strtoul(GEMEL_GANESHA_VERSION, NULL, 10) >= 6
			  ? "Allow_Set_Io_Flusher_Fail = true;"
			  : "");
	serve_var(&vars, "NFS_PROTOCOLS", v3 ? "3, 4" : "4");
	serve_var(&vars, "NFS_MOUNT_PORT", v3 ? "20048" : "0");
	serve_var(&vars, "NFS_THREADS", threads);
	serve_var(&vars, "NFS_LEASE", conf_string(conf, CONF_nfs_lease));
	serve_var(&vars, "NFS_GRACE", conf_string(conf, CONF_nfs_grace));
	serve_var(&vars, "NFS_SQUASH", serve_word(conf_string(conf, CONF_nfs_squash), squash));
	serve_var(&vars, "NFS_ACCESS",
		  strcmp(conf_string(conf, CONF_nfs_access), "ro") == 0 ? "RO" : "RW");
	serve_var(&vars, "NFS_LOG_LEVEL", serve_word(conf_string(conf, CONF_log_level), levels));
	serve_var(&vars, "NFS_RPC_LOG_LEVEL",
		  serve_word(conf_string(conf, CONF_log_level), rpc_levels));
	serve_var(&vars, "NFS_PLUGIN_DIR", serve->lib_dir);
	serve_var(&vars, "NFS_RECOVERY_DIR", recovery);
	serve_var(&vars, "STORE_DIR", serve->store_dir);
	return serve_render(serve, SERVE_NFS, "ganesha.conf.in", &vars);
}

static int serve_render_s3(struct serve *serve)
{
	static const char *const levels[] = {"error",  "error", "warn", "warn", "info",
					     "notice", "debug", "info", NULL};
	const struct conf *conf = &serve->cmd->conf;
	const char *certificate = conf_string(conf, CONF_s3_tls_certificate),
		   *key = conf_string(conf, CONF_s3_tls_key),
		   *address = conf_string(conf, CONF_s3_address);
	struct serve_vars vars = {0};
	char module[SERVE_PATH_MAX], listen[128], nfs[128] = "", tls[2 * CONF_VALUE_MAX + 128] = "",
						  domains[CONF_VALUE_MAX + 32] = "", sizes[3][32],
						  access_log[SERVE_PATH_MAX + 64] = "off";
	snprintf(module, sizeof(module), "%s/ngx_http_gemel_module.so", serve->lib_dir);
	snprintf(listen, sizeof(listen),
		 strchr(address, ':') ? "listen [%s]:%s%s backlog=4096;"
				      : "listen %s:%s%s backlog=4096;",
		 address, conf_string(conf, CONF_s3_port), certificate[0] ? " ssl" : "");
	if (certificate[0])
		snprintf(tls, sizeof(tls),
			 "ssl_certificate \"%s\"; ssl_certificate_key \"%s\"; ssl_protocols "
			 "TLSv1.2 TLSv1.3; ssl_session_cache shared:gemel:10m;",
			 certificate, key);
	if (conf_string(conf, CONF_s3_domains)[0])
		snprintf(domains, sizeof(domains), "gemel_domain %s;",
			 conf_string(conf, CONF_s3_domains));
	if (conf_bool(conf, CONF_nfs_enable))
		snprintf(nfs, sizeof(nfs), "gemel_nfs %s %s;", conf_string(conf, CONF_nfs_address),
			 conf_string(conf, CONF_nfs_port));
	static const enum conf_option numbers[3] = {CONF_s3_connections, CONF_s3_object_size_max,
						    CONF_store_metadata_max};
	for (int i = 0; i < 3; i++)
		snprintf(sizes[i], sizeof(sizes[i]), "%llu",
			 (unsigned long long)conf_number(conf, numbers[i]));
	if (conf_bool(conf, CONF_log_access))
		snprintf(access_log, sizeof(access_log),
			 "\"%s/s3-access.log\" gemel buffer=64k flush=1s", serve->log_dir);
	serve_var(&vars, "MODULE", module);
	serve_var(&vars, "USER_LINE",
		  /* the present user: main.c has switched to run.user */
		  geteuid() == 0 ? "user root;" : "");
	serve_var(&vars, "WORKERS", conf_string(conf, CONF_s3_workers));
	serve_var(&vars, "RUN_DIR", serve->run_dir);
	serve_var(&vars, "LOG_DIR", serve->log_dir);
	serve_var(&vars, "ERROR_LEVEL", serve_word(conf_string(conf, CONF_log_level), levels));
	serve_var(&vars, "CONNECTIONS", sizes[0]);
	serve_var(&vars, "STORE", serve->store_dir);
	serve_var(&vars, "METADATA_MAX", sizes[2]);
	serve_var(&vars, "REGION", conf_string(conf, CONF_s3_region));
	serve_var(&vars, "OBJECT_OWNERSHIP", conf_string(conf, CONF_s3_object_ownership));
	serve_var(&vars, "DOMAIN_LINE", domains);
	serve_var(&vars, "NFS_LINE", nfs);
	serve_var(&vars, "SEND_TIMEOUT", conf_string(conf, CONF_s3_send_timeout));
	serve_var(&vars, "RECEIVE_TIMEOUT", conf_string(conf, CONF_s3_receive_timeout));
	serve_var(&vars, "KEEPALIVE_TIMEOUT", conf_string(conf, CONF_s3_keepalive_timeout));
	serve_var(&vars, "THREADS", conf_string(conf, CONF_s3_threads));
	serve_var(&vars, "OBJECT_MAX", sizes[1]);
	serve_var(&vars, "ACCESS_LOG", access_log);
	serve_var(&vars, "LISTEN_LINES", listen);
	serve_var(&vars, "TLS_LINES", tls);
	serve_var(&vars, "CONNECTIONS_PER_ADDRESS",
		  conf_string(conf, CONF_s3_connections_per_address));
	return serve_render(serve, SERVE_S3, "nginx.conf.in", &vars);
}

/* Adds one word or variable to a NULL-terminated list. */
static void serve_push(const char **list, const char *word)
{
	while (*list)
		list++;
	*list = word;
}

static void serve_children(struct serve *serve)
{
	const struct conf *conf = &serve->cmd->conf;
	struct child *s3 = &serve->children[SERVE_S3], *nfs = &serve->children[SERVE_NFS];
	memset(s3->argv, 0, sizeof(s3->argv));
	memset(s3->env, 0, sizeof(s3->env));
	memset(nfs->argv, 0, sizeof(nfs->argv));
	memset(nfs->env, 0, sizeof(nfs->env));
	s3->name = "S3 door";
	s3->drain_seconds = SERVE_DRAIN_SECONDS;
	s3->pid_file = serve->own_pid_file[SERVE_S3];
	const char *const nginx[] = {GEMEL_NGINX,
				     "-p",
				     serve->run_dir,
				     "-c",
				     serve->conf_file[SERVE_S3],
				     "-e",
				     serve->log_file[SERVE_S3],
				     NULL};
	for (int i = 0; nginx[i]; i++)
		serve_push(s3->argv, nginx[i]);
	nfs->name = "NFS door";
	nfs->pid_file = serve->own_pid_file[SERVE_NFS];
	const char *const ganesha[] = {GEMEL_GANESHA, "-F",
				       "-f",	      serve->conf_file[SERVE_NFS],
				       "-L",	      serve->log_file[SERVE_NFS],
				       "-p",	      serve->pid_file[SERVE_NFS],
				       NULL};
	for (int i = 0; ganesha[i]; i++)
		serve_push(nfs->argv, ganesha[i]);
	/* ganesha allocates a buffer for each READ: these settings keep glibc from returning the
	 * pages each time, and from spreading them over more arenas than processors, each of which
	 * must be faulted in */
	serve_push(nfs->env, "MALLOC_MMAP_THRESHOLD_=67108864");
	serve_push(nfs->env, "MALLOC_TRIM_THRESHOLD_=1073741824");
	serve_push(nfs->env, "MALLOC_TOP_PAD_=16777216");
	snprintf(serve->arenas, sizeof(serve->arenas), "MALLOC_ARENA_MAX=%ld",
		 sysconf(_SC_NPROCESSORS_ONLN));
	serve_push(nfs->env, serve->arenas);
	if (conf_bool(conf, CONF_run_jemalloc))
		serve_push(s3->env, "LD_PRELOAD=" SERVE_JEMALLOC);
}

int serve_layout(struct serve *serve)
{
	if (serve_directories(serve) != CMD_OK)
		return CMD_FAILED;
	serve_files(serve);
	return CMD_OK;
}

int serve_prepare(struct serve *serve)
{
	const struct conf *conf = &serve->cmd->conf;
	serve->lib_dir = getenv("GEMEL_LIBDIR") ?: GEMEL_PKGLIBDIR;
	serve->data_dir = getenv("GEMEL_DATADIR") ?: GEMEL_PKGDATADIR;
	serve->enabled[SERVE_S3] = conf_bool(conf, CONF_s3_enable);
	serve->enabled[SERVE_NFS] = conf_bool(conf, CONF_nfs_enable);
	if (!serve->enabled[SERVE_S3] && !serve->enabled[SERVE_NFS])
		return cmd_fail(
			"S3 and NFS are both switched off: set s3.enable or nfs.enable to yes");
	if ((serve->enabled[SERVE_S3] && serve_render_s3(serve) != CMD_OK) ||
	    (serve->enabled[SERVE_NFS] && serve_render_nfs(serve) != CMD_OK))
		return CMD_FAILED;
	serve_children(serve);
	return CMD_OK;
}

void serve_forget(struct serve *serve)
{
	for (int i = 0; i < SERVE_CHILDREN; i++)
		if (unlink(serve->conf_file[i]) != 0 && errno != ENOENT)
			cmd_fail("%s: %s", serve->conf_file[i], strerror(errno));
}

/* Runs a program and returns its exit status; its output (both streams) goes to out[cap]. -1: it
 * cannot be run. */
static int serve_capture(const char *const argv[], char *out, size_t cap)
{
	int pipes[2], status = -1;
	size_t used = 0;
	ssize_t got;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	while (pid > 0 && (got = read(pipes[0], out + used, cap - 1 - used)) > 0)
		used += (size_t)got;
	out[used] = 0;
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

/* The option that nginx rejects, as "FILE:LINE: …: ", or "". */
static const char *serve_blame_s3(const struct conf *conf, const char *said, char *out, size_t cap)
{
	enum conf_option option = CONF_COUNT_;
	if (strstr(said, "bind() to"))
		option = CONF_s3_address;
	else if (strstr(said, "certificate key") || strstr(said, "PrivateKey"))
		option = CONF_s3_tls_key;
	else if (strstr(said, "certificate"))
		option = CONF_s3_tls_certificate;
	out[0] = 0;
	if (option != CONF_COUNT_) {
		conf_where(conf, option, out, cap - 2);
		strcat(out, ": ");
	}
	return out;
}

/* nginx refuses a module of another version, and reports other errors of the configuration. */
static int serve_version_s3(struct serve *serve)
{
	char out[4096], where[3 * CONF_VALUE_MAX];
	const char *const argv[] = {GEMEL_NGINX,
				    "-t",
				    "-q",
				    "-p",
				    serve->run_dir,
				    "-c",
				    serve->conf_file[SERVE_S3],
				    "-e",
				    serve->log_file[SERVE_S3],
				    NULL};
	int status = serve_capture(argv, out, sizeof(out));
	if (status == 0)
		return CMD_OK;
	if (status < 0)
		return cmd_fail("%s cannot be run: is the package nginx-light installed?",
				GEMEL_NGINX);
	for (size_t len = strlen(out); len > 0 && out[len - 1] == '\n'; len--)
		out[len - 1] = 0;
	if (strstr(out, "binary compatible") || strstr(out, "instead of"))
		return cmd_fail("the S3 module was built for another nginx than the installed one: "
				"build Gemel again (nginx reports: %s)",
				out);
	return cmd_fail("%snginx refuses its configuration: %s",
			serve_blame_s3(&serve->cmd->conf, out, where, sizeof(where)), out);
}

/* The plugin contains the release that it was built for as text: "gemel_fsal_built_for RELEASE
 * …". */
static bool serve_fsal_release(const char *path, char *release, size_t cap)
{
	static const char mark[] = "gemel_fsal_built_for ";
	bool found = false;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < 1 << 26 &&
	    (bytes = malloc((size_t)st.st_size + 1)) != NULL &&
	    read(fd, bytes, (size_t)st.st_size) == st.st_size) {
		bytes[st.st_size] = 0;
		char *at = memmem(bytes, (size_t)st.st_size, mark, sizeof(mark) - 1);
		if (at) {
			at += sizeof(mark) - 1;
			snprintf(release, cap, "%.*s", (int)strcspn(at, " "), at);
			found = true;
		}
	}
	free(bytes);
	close(fd);
	return found;
}

static int serve_version_nfs(struct serve *serve)
{
	char out[4096], path[SERVE_PATH_MAX], release[64];
	const char *const argv[] = {GEMEL_GANESHA, "-v", NULL};
	snprintf(path, sizeof(path), "%s/libfsalgemel.so", serve->lib_dir);
	if (!serve_fsal_release(path, release, sizeof(release)))
		return cmd_fail("%s is missing or damaged: build and install Gemel again", path);
	if (serve_capture(argv, out, sizeof(out)) < 0)
		return cmd_fail("%s cannot be run: is the package nfs-ganesha installed?",
				GEMEL_GANESHA);
	const char *at = strstr(out, "Release = V");
	at = at ? at + 11 : out;
	size_t len = strcspn(at, " \n");
	if (len != strlen(release) || memcmp(at, release, len) != 0)
		return cmd_fail("the NFS plugin was built for nfs-ganesha %s, but the installed "
				"one reports: %.*s. Build Gemel again.",
				release, at == out ? 60 : (int)len, at);
	return CMD_OK;
}

int serve_versions(struct serve *serve)
{
	if (serve->enabled[SERVE_S3] && serve_version_s3(serve) != CMD_OK)
		return CMD_FAILED;
	return serve->enabled[SERVE_NFS] ? serve_version_nfs(serve) : CMD_OK;
}

static bool serve_same(const struct serve *serve, const struct conf *before,
		       enum conf_option option)
{
	return strcmp(conf_string(before, option), conf_string(&serve->cmd->conf, option)) == 0;
}

bool serve_moves(const struct serve *serve, int which, const struct conf *before)
{
	return !serve_same(serve, before, serve_address[which]) &&
	       serve_same(serve, before, serve_port[which]);
}

/*
 * A server of an earlier run that was killed holds its port until its last thread has ended:
 * a port in use is asked for again, up to SERVE_PORT_WAIT ms.
 */
static int serve_probe_port(const char *address, unsigned port)
{
	enum { SERVE_PORT_WAIT = 2000, SERVE_PORT_PAUSE = 50 };
	int error = gml_probe_bind(address, port);
	for (int waited = 0; error == EADDRINUSE && waited < SERVE_PORT_WAIT;
	     waited += SERVE_PORT_PAUSE) {
		poll(NULL, 0, SERVE_PORT_PAUSE);
		error = gml_probe_bind(address, port);
	}
	return error;
}

static int serve_port_free(struct serve *serve, int which, const struct conf *before)
{
	const struct conf *conf = &serve->cmd->conf;
	const char *address = conf_string(conf, serve_address[which]),
		   *port = conf_string(conf, serve_port[which]);
	bool runs = serve->children[which].pid != 0;
	if (runs && serve_same(serve, before, serve_address[which]) &&
	    serve_same(serve, before, serve_port[which]))
		return CMD_OK;
	bool moves = runs && serve_moves(serve, which, before);
	unsigned number = (unsigned)conf_number(conf, serve_port[which]);
	int error = moves ? gml_probe_bind(address, number) : serve_probe_port(address, number);
	if (error == EADDRINUSE && moves)
		return CMD_OK; /* by the server itself, most likely */
	if (error == EADDRINUSE)
		return cmd_fail("port %s is used by another program: set %s to a free one", port,
				conf_name(serve_port[which]));
	char where[2 * CONF_VALUE_MAX + 128];
	if (error != 0)
		return cmd_fail("%s: cannot listen on this address, port %s: %s",
				conf_where(conf, serve_address[which], where, sizeof(where)), port,
				strerror(error));
	return CMD_OK;
}

int serve_ports(struct serve *serve, const struct conf *before)
{
	const struct conf *conf = &serve->cmd->conf;
	char where[2 * CONF_VALUE_MAX + 128];
	/* ganesha would end without naming the reason */
	if (serve->enabled[SERVE_NFS] && conf_bool(conf, CONF_nfs_v3) &&
	    !gml_probe_tcp("127.0.0.1", 111, 1000))
		return cmd_fail("%s: NFSv3 needs rpcbind, which does not answer on this machine: "
				"install and start it",
				conf_where(conf, CONF_nfs_v3, where, sizeof(where)));
	int status = CMD_OK;
	for (int i = 0; i < SERVE_CHILDREN; i++)
		if (serve->enabled[i] && serve_port_free(serve, i, before) != CMD_OK)
			status = CMD_FAILED;
	return status;
}
