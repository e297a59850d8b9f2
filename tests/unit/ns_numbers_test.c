// SPDX-License-Identifier: Apache-2.0
/* The end of the store's counter, 2^62: what needs a number is refused, everything else goes on,
 * and no crash makes the store unusable. */
#include <signal.h>
#include <sys/wait.h>
#include "child_support.h"
#include "object_support.h"
#include "gateway/base/span.h"
#include "gateway/meta/lmdb/lmdb_internal.h"

static int counter_txn(struct gml_txn *txn, void *arg)
{
	const uint8_t key = GML_SUPER_NEXT_ID;
	uint8_t value[9] = {1};
	memcpy(value + 1, arg, 8);
	/* past the check that records leave the engine its keys */
	return txn->engine->put(txn, GML_TABLE_SUPER, gml_span_of(&key, 1),
				gml_span_of(value, sizeof(value)));
}

/* So many numbers are left. */
static void leave_numbers(struct ns *ns, uint64_t left)
{
	uint64_t last = GML_ENGINE_ID_END - 1 - left;
	assert_ok(gml_meta_update(ns->store->meta, counter_txn, &last));
}

static int counter_read_txn(struct gml_txn *txn, void *arg)
{
	const uint8_t key = GML_SUPER_NEXT_ID;
	struct gml_span value;
	int rc = gml_txn_get(txn, GML_TABLE_SUPER, gml_span_of(&key, 1), &value);
	if (rc == 0)
		memcpy(arg, (const uint8_t *)value.ptr + 1, 8);
	return rc;
}

static uint64_t numbers_left(struct ns *ns)
{
	uint64_t last;
	assert_ok(gml_meta_update(ns->store->meta, counter_read_txn, &last));
	return GML_ENGINE_ID_END - 1 - last;
}

static int link_file(struct ns *ns, gml_ino ino, const char *name)
{
	return gml_dir_link(&ns->op, ns->store, ino, ns->bucket, ns_span(name), NULL);
}

static int mkdir_rc(struct ns *ns, const char *name)
{
	return gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span(name), NULL,
			     &(struct gml_attr){0});
}

/* ---- log lines ---- */
static char log_last[512];

static void numbers_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_ERROR)
		snprintf(log_last, sizeof(log_last), "%s", line);
}

static void open_logged(struct ns *ns)
{
	const struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30,
					      .log = numbers_log};
	assert_ok(gml_store_open(ns->path, &opt, &ns->store));
}

static int numbers_setup(void **state)
{
	struct ns *ns = calloc(1, sizeof(*ns));
	unsetenv("GML_TEST_ENGINE"); /* the counter is in a record of LMDB's engine */
	ns_create(ns);
	open_logged(ns);
	ns_mkbucket(ns);
	*state = ns;
	return 0;
}

/* A change takes its last numbers, or none. */
static void test_last_numbers(void **state)
{
	struct ns *ns = *state;
	gml_ino file = ns_put(ns, ns->bucket, "file", "text");
	uint64_t change;
	leave_numbers(ns, 3); /* a new directory takes two, a new name one */
	assert_ok(mkdir_rc(ns, "a"));
	assert_int_equal(numbers_left(ns), 1);
	change = ns_attr(ns, ns->bucket).change;
	log_last[0] = '\0';
	assert_rc(mkdir_rc(ns, "b"), GML_ERR_NOSPC);
	assert_non_null(strstr(log_last, "all numbers for inodes and names are used"));
	assert_ino_equal(ns_lookup(ns, ns->bucket, "b"), GML_INO_NONE);
	assert_int_equal(ns_attr(ns, ns->bucket).change, change);
	assert_int_equal(numbers_left(ns), 1); /* the one that it took came back */
	assert_ok(link_file(ns, file, "other"));
	assert_int_equal(numbers_left(ns), 0);
	assert_rc(link_file(ns, file, "third"), GML_ERR_NOSPC);
	assert_rc(object_put(ns, ns_span("key"), "x"), GML_ERR_NOSPC);
	assert_rc(gml_bucket_create(&ns->op, ns->store, ns_span("another"), NULL, NULL),
		  GML_ERR_NOSPC);
	assert_int_equal(ns_attr(ns, file).nlink, 2);
}

/* Nothing that was there is lost, and whatever needs no number works. */
static void test_no_numbers(void **state)
{
	struct ns *ns = *state;
	gml_ino file = ns_put(ns, ns->bucket, "file", "text");
	struct gml_file *open = ns_new(ns, ns->bucket, "open"), *again;
	const struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 0600},
				 size = {.mask = GML_SET_SIZE, .size = 2};
	unsigned freed;
	assert_ok(object_put(ns, ns_span("dir/key"), "content"));
	assert_ok(ns_write(ns, open, 0, "0123456789"));
	leave_numbers(ns, 0);
	ns_assert_content(ns, file, "text", 4);
	object_assert(ns, ns_span("dir/key"), "content", 7);
	/* A replacement is a new inode. */
	assert_rc(object_put(ns, ns_span("dir/key"), "other"), GML_ERR_NOSPC);
	object_assert(ns, ns_span("dir/key"), "content", 7);
	/* Writing, finalizing, and changes of what is there. */
	assert_ok(ns_write(ns, open, 5, "abcde"));
	assert_ok(gml_file_commit(&ns->op, open));
	file = gml_file_ino(open);
	assert_ok(gml_file_close(&ns->op, open));
	assert_false(ns_record(ns, file).flags & GML_INODE_DIRTY);
	ns_assert_content(ns, file, "01234abcde", 10);
	assert_ok(gml_file_open(&ns->op, ns->store, file, GML_OPEN_WRITE, &again));
	assert_ok(ns_write(ns, again, 0, "ABCD"));
	assert_ok(gml_file_close(&ns->op, again));
	ns_assert_content(ns, file, "ABCD4abcde", 10);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, file, &mode, NULL));
	assert_ok(gml_inode_setattr(&ns->op, ns->store, file, &size, NULL));
	ns_assert_content(ns, file, "AB", 2);
	ns_check(ns);
	/* Removing, of what is in packs as well. */
	assert_ok(object_del(ns, ns_span("dir/key")));
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("open"), GML_REMOVE_FILE));
	assert_ok(gml_store_reap(&ns->op, ns->store, &(struct gml_reap){.max = 10}, &freed));
	assert_int_equal(freed, 3); /* the key, its implicit directory, the file */
	assert_int_equal(numbers_left(ns), 0);
}

__attribute__((noreturn)) static void write_and_wait(struct ns *ns, int ready)
{
	struct gml_file *file;
	open_logged(ns);
	file = ns_new(ns, ns->bucket, "left");
	if (ns_write(ns, file, 0, "left dirty") != 0 || gml_file_commit(&ns->op, file) != 0)
		_exit(1);
	leave_numbers(ns, 1000);
	if (write(ready, "", 1) != 1)
		_exit(1);
	child_until_killed();
}

/* Recovery skips numbers that a power cut may have taken back: more than there are. */
static void test_recovery(void **state)
{
	struct ns *ns = *state;
	int ready[2], status;
	char byte;
	pid_t pid;
	ns_put(ns, ns->bucket, "file", "text");
	ns_close(ns);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		write_and_wait(ns, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int round = 0; round < 2; round++) {
		open_logged(ns);
		assert_ok(gml_store_recover(&ns->op, ns->store));
		assert_int_equal(numbers_left(ns), 0);
		assert_rc(mkdir_rc(ns, "d"), GML_ERR_NOSPC);
		ns_assert_content(ns, ns_lookup(ns, ns->bucket, "file"), "text", 4);
		ns_assert_content(ns, ns_lookup(ns, ns->bucket, "left"), "left dirty", 10);
		ns_check(ns);
		ns_close(ns);
	}
}

int main(void)
{
#define NUMBERS_TEST(name) cmocka_unit_test_setup_teardown(name, numbers_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		NUMBERS_TEST(test_last_numbers),
		NUMBERS_TEST(test_no_numbers),
		NUMBERS_TEST(test_recovery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
