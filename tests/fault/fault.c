// SPDX-License-Identifier: Apache-2.0
/* Failures: each operation of the core is repeated with its n-th allocation or system call failing,
 * for n = 0, 1, 2 … until a run meets no failure. Every run must end (with an error, or with
 * everything done), leak nothing, and leave a store that goes on working where it can, opens again,
 * passes its check and holds what was promised: the new state if the operation succeeded, the old
 * one if it was refused, one of both after IO. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/err.h>
#include "inject.h"
#include "fixture.h"

#define FAULT_MOST 5000 /* no operation makes so many calls */
#define FAULT_EACH                                                                                 \
	150 /* of these each one fails; later ones are walks through directories: every fifth */

static const struct fault_pass {
	enum inject_kind kind;
	bool lasting;
} fault_passes[] = {
	{INJECT_MEMORY, false}, {INJECT_MEMORY, true}, {INJECT_IO, false},
	{INJECT_FULL, true},	{INJECT_FILES, true},  {INJECT_THIN, true},
	{INJECT_SIGNAL, false}, {INJECT_SHORT, false},
};
#define FAULT_PASSES (sizeof(fault_passes) / sizeof(fault_passes[0]))

static struct fault {
	char home[64], neat[80], dead[80], path[80];
	char ids[2][40]; /* of the upload in the neat store, in the dead one */
	struct fixture fixture;
	FILE *log; /* of one run; shown when it goes wrong */
} fault;

/* ---- small things ---------------------------------------------------------------------------- */

static unsigned fault_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;
	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count;
}

/* Packs are mostly zeros. */
static void fault_copy_file(int from, int to)
{
	static const char zeros[65536];
	static char buf[65536];
	off_t off = 0;
	ssize_t n;
	while ((n = pread(from, buf, sizeof(buf), off)) > 0) {
		if (memcmp(buf, zeros, (size_t)n) != 0 && pwrite(to, buf, (size_t)n, off) != n)
			disk_die("copy");
		off += n;
	}
	if (ftruncate(to, off) != 0)
		disk_die("copy");
}

static void fault_copy(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *e;
	if (dir == NULL || mkdir(to, 0700) != 0)
		disk_die(to);
	while ((e = readdir(dir)) != NULL) {
		char a[PATH_MAX], b[PATH_MAX];
		struct stat st;
		int in, out;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		if (stat(a, &st) != 0)
			disk_die(a);
		if (S_ISDIR(st.st_mode)) {
			fault_copy(a, b);
			continue;
		}
		in = open(a, O_RDONLY);
		out = open(b, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (in < 0 || out < 0)
			disk_die(b);
		fault_copy_file(in, out);
		close(in);
		close(out);
	}
	closedir(dir);
}

static void fault_problem(void *arg, const char *text)
{
	(void)arg;
	fprintf(fault.log, "  store check: %s\n", text);
}

static bool fault_rc(int rc, const char *what)
{
	if (rc != 0)
		fprintf(fault.log, "  %s: %s\n", what, gml_err_name(rc));
	return rc == 0;
}

/* ---- one run --------------------------------------------------------------------------------- */

/* The store after it: opened by the next process. */
static bool fault_examine(struct fixture *fixture)
{
	struct gml_check_report report = {0};
	struct gml_content_report content = {0};
	struct gml_op *op = &fixture->op;
	uint64_t bytes;
	unsigned freed;
	bool good;
	if (!fault_rc(fixture_open(fixture), "open afterwards"))
		return false;
	good = fault_rc(gml_store_recover(op, fixture->store), "recover afterwards") &&
	       fault_rc(gml_store_reap(op, fixture->store, &(struct gml_reap){.max = 1000}, &freed),
			"reap afterwards") &&
	       fault_rc(gml_store_compact(op, fixture->store, &bytes), "compact afterwards") &&
	       fault_rc(gml_store_check(op, fixture->store, fault_problem, NULL, NULL, &report),
			"check afterwards") &&
	       fault_rc(gml_store_check_content(op, fixture->store, fault_problem, NULL, NULL,
						&content),
			"check of content afterwards") &&
	       report.problems + content.problems == 0;
	good = model_verify(fixture->model, fixture->store, SIZE_MAX, fault.log) == 0 && good;
	gml_store_close(fixture->store);
	fixture->store = NULL;
	return good;
}

/* What failed once must not disturb what comes after; only after IO may the store refuse to change
 * until it is opened anew. */
static bool fault_go_on(struct fixture *fixture, enum inject_kind kind, bool packed)
{
	int rc = fixture_follow(fixture, packed);
	bool may = kind != INJECT_MEMORY && kind != INJECT_FILES;
	return rc == 0 || (may && rc == GML_ERR_IO) || fault_rc(rc, "the next operation");
}

static bool fault_creation(struct fixture *fixture, int rc, bool lasting)
{
	struct stat st;
	char path[100];
	bool left;
	snprintf(path, sizeof(path), "%s-2", fixture->path);
	left = stat(path, &st) == 0;
	disk_remove_tree(path);
	if (left && rc != 0 && !lasting)
		fprintf(fault.log, "  a store that could not be made was left\n");
	return !left || rc == 0 || lasting;
}

/* *hit_out: something failed. False: it did not go as promised. */
static bool fault_run(const struct operation *operation, const struct fault_pass *pass, unsigned n,
		      bool *hit_out)
{
	struct fixture *fixture = &fault.fixture;
	unsigned fds;
	bool good = true;
	long live;
	int rc = 0;
	model_rewind(fixture->model);
	fixture->wrong = NULL;
	fixture->store = NULL;
	disk_remove_tree(fault.path);
	fault_copy(operation->flags & FIXTURE_DIRTY ? fault.dead : fault.neat, fault.path);
	strcpy(fixture->up->slots[1].arg, fault.ids[operation->flags & FIXTURE_DIRTY ? 1 : 0]);
	fds = fault_count_fds();
	live = inject_live();
	if (!(operation->flags & FIXTURE_CLOSED) && !fault_rc(fixture_open(fixture), "open"))
		return false;

	inject_arm(pass->kind, n, pass->lasting);
	rc = operation->run(fixture);
	*hit_out = inject_disarm();
	if (!*hit_out)
		good = fault_rc(rc, "without a failure");
	if (fixture->wrong != NULL && rc == 0) {
		fprintf(fault.log, "  a wrong result: %s\n", fixture->wrong);
		good = false;
	}
	good = fault_creation(fixture, rc, pass->lasting) && good;
	if (fixture->store != NULL) {
		good = fault_go_on(fixture, pass->kind, operation->flags & FIXTURE_PACKS) && good;
		gml_store_close(fixture->store);
	}
	fixture->store = NULL;
	good = fault_examine(fixture) && good;
	ERR_clear_error(); /* OpenSSL keeps the reasons of failures */
	if (inject_live() != live || fault_count_fds() != fds) {
		fprintf(fault.log, "  leaked %ld allocations, %d descriptors\n",
			inject_live() - live, (int)fault_count_fds() - (int)fds);
		good = false;
	}
	if (!good)
		fprintf(fault.log, "  (%s, %s%s, call %u: %s; the answer was %s)\n",
			operation->name, inject_kind_name(pass->kind),
			pass->lasting ? " and on" : "", n, inject_what(), gml_err_name(rc));
	return good;
}

/* In a child. */
static bool fault_operation(const struct operation *operation)
{
	static const struct fault_pass none = {INJECT_SHORT, false};
	unsigned runs = 0, bad = 0;
	bool hit;
	/* Once in silence, for what libraries allocate once and keep. */
	ERR_clear_error();
	fault.log = fopen("/dev/null", "w");
	(void)fault_run(operation, &none, UINT_MAX, &hit);
	fclose(fault.log);
	fault.log = stderr;
	if (!fault_run(operation, &none, UINT_MAX, &hit))
		bad++;
	for (size_t p = 0; p < FAULT_PASSES && bad < 10; p++) {
		if (!inject_can(fault_passes[p].kind))
			continue;
		hit = true;
		for (unsigned n = 0; hit && n < FAULT_MOST && bad < 10;
		     n += n < FAULT_EACH ? 1 : 5, runs++)
			bad += !fault_run(operation, &fault_passes[p], n, &hit);
		if (hit && bad < 10) {
			fprintf(fault.log, "  no end\n");
			bad++;
		}
	}
	fprintf(fault.log, "  %u failures tried\n", runs);
	return bad == 0;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void test_operation(void **state)
{
	const struct operation *operation = *state;
	pid_t pid;
	int status = 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		bool good;
		alarm(300);
		good = fault_operation(operation);
		fflush(NULL);
		_exit(good ? 0 : 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int fault_setup(void **state)
{
	(void)state;
	/* Some thousand small stores: in memory if possible. */
	strcpy(fault.home, "/dev/shm/gemel-fault-XXXXXX");
	if (mkdtemp(fault.home) == NULL)
		strcpy(fault.home, "/tmp/gemel-fault-XXXXXX");
	if (access(fault.home, W_OK) != 0 && mkdtemp(fault.home) == NULL)
		disk_die(fault.home);
	snprintf(fault.neat, sizeof(fault.neat), "%s/neat", fault.home);
	snprintf(fault.dead, sizeof(fault.dead), "%s/dead", fault.home);
	snprintf(fault.path, sizeof(fault.path), "%s/store", fault.home);
	fault.fixture =
		(struct fixture){.model = model_new(NULL), .path = fault.path, .op = GML_OP_LOCAL};
	fixture_items(&fault.fixture);
	for (int dead = 0; dead < 2; dead++) {
		if (!fixture_make(&fault.fixture, dead ? fault.dead : fault.neat, !dead))
			return -1;
		strcpy(fault.ids[dead], fault.fixture.up->slots[1].arg);
	}
	model_mark(fault.fixture.model);
	return 0;
}

static int fault_teardown(void **state)
{
	(void)state;
	disk_remove_tree(fault.home);
	return 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[64];
	unsigned count = 0;
	/* fault [NAME]: only the operations whose names contain it. */
	for (unsigned i = 0; i < operations_count && count < 64; i++)
		if (argc < 2 || strstr(operations[i].name, argv[1]) != NULL)
			tests[count++] = (struct CMUnitTest){
				.name = operations[i].name,
				.test_func = test_operation,
				.initial_state = (void *)(uintptr_t)&operations[i]};
	return _cmocka_run_group_tests("fault", tests, count, fault_setup, fault_teardown);
}
