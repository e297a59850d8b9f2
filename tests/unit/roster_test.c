// SPDX-License-Identifier: Apache-2.0
/* Which uids are refused, in which process, from when on; and what a refused caller gets. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include "gateway/iam/epoch.h"
#include "gateway/iam/roster.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/ns/store/store.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;

static struct gml_user user_of(const char *name, uint32_t uid, uint32_t flags)
{
	struct gml_user user = {.uid = uid, .gid = uid, .flags = flags};
	snprintf(user.name, sizeof(user.name), "%s", name);
	return user;
}

static int user_new(struct ns *ns, const char *name, uint32_t uid, uint32_t flags)
{
	struct gml_user user = user_of(name, uid, flags);
	return gml_user_create(&admin, ns->store, &user);
}

static int user_set(struct ns *ns, const char *name, uint32_t uid, uint32_t flags)
{
	struct gml_user user = user_of(name, uid, flags);
	return gml_user_update(&admin, ns->store, &user);
}

/* In a closure. */
static void change_begin(struct ns *ns)
{
	struct gml_access_change change = {.store = ns->store};
	gml_access_change_begin(&change);
}

static int change_begin_fn(struct gml_txn *txn, void *arg)
{
	change_begin(arg);
	return 0;
}

/* A change that says no more of itself, as of a process that died. */
static void change_left(struct ns *ns)
{
	assert_ok(gml_meta_update(ns->store->meta, change_begin_fn, ns));
}

static bool refused(struct ns *ns, uint32_t uid)
{
	return gml_uid_refused(ns->store, uid);
}

static void test_life(void **state)
{
	struct ns *ns = *state;
	assert_false(refused(ns, 1000)); /* nobody's: mode bits decide */
	assert_ok(user_new(ns, "ann", 1000, 0));
	assert_false(refused(ns, 1000));
	assert_ok(user_set(ns, "ann", 1000, GML_USER_DISABLED));
	assert_true(refused(ns, 1000));
	assert_false(refused(ns, 1001));
	assert_false(refused(ns, 0));
	assert_ok(user_set(ns, "ann", 1000, 0));
	assert_false(refused(ns, 1000));
	/* Deleted, enabled or not: no longer let in. */
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	assert_true(refused(ns, 1000));
	assert_ok(user_new(ns, "bob", 1000, 0));
	assert_false(refused(ns, 1000));
	/* Another uid: the old one is nobody's. */
	assert_ok(user_set(ns, "bob", 2000, 0));
	assert_true(refused(ns, 1000));
	assert_false(refused(ns, 2000));
	assert_ok(user_set(ns, "bob", 1000, 0));
	assert_false(refused(ns, 1000));
	assert_true(refused(ns, 2000));
	/* The same after the store was opened anew. */
	assert_ok(user_new(ns, "off", 3000, GML_USER_DISABLED));
	ns_close(ns);
	ns_open(ns);
	assert_false(refused(ns, 1000));
	assert_true(refused(ns, 2000));
	assert_true(refused(ns, 3000));
	assert_false(refused(ns, 4000));
}

static void test_shared_uid(void **state)
{
	struct ns *ns = *state;
	assert_ok(user_new(ns, "a", 1000, GML_USER_DISABLED));
	assert_ok(user_new(ns, "b", 1000, GML_USER_DISABLED));
	assert_true(refused(ns, 1000));
	assert_ok(user_set(ns, "b", 1000, 0));
	assert_false(refused(ns, 1000));
	assert_rc(user_set(ns, "a", 1000, 0), GML_ERR_UIDTAKEN);
	assert_rc(user_new(ns, "c", 1000, 0), GML_ERR_UIDTAKEN);
	assert_false(refused(ns, 1000));
	/* While b is enabled, b is who may create buckets. */
	admin = ns_user(1000, 1000);
	assert_ok(gml_bucket_create(&admin, ns->store, ns_span("bees"), NULL,
				    &(struct gml_bucket){0}));
	admin = (struct gml_op)GML_OP_LOCAL;
	assert_ok(gml_bucket_delete(&admin, ns->store, ns_span("bees")));
	assert_ok(gml_user_delete(&admin, ns->store, "b"));
	assert_true(refused(ns, 1000));
}

/* Two enabled users with one uid, as a store of an older program may have them. */
static int legacy_fn(struct gml_txn *txn, void *arg)
{
	return gml_rec_user_put(txn, arg);
}

static void test_legacy(void **state)
{
	struct ns *ns = *state;
	struct gml_user a = user_of("a", 1000, 0), b = user_of("b", 1000, 0);
	strcpy(a.id, "AIDAABCDEFGHIJKLMNOPA");
	strcpy(b.id, "AIDAABCDEFGHIJKLMNOPB");
	assert_ok(gml_meta_update(ns->store->meta, legacy_fn, &a));
	assert_ok(gml_meta_update(ns->store->meta, legacy_fn, &b));
	b.ngroups = 1;
	b.groups[0] = 5;
	assert_ok(gml_user_update(&admin, ns->store, &b)); /* nothing that the rule is about */
	b.flags = GML_USER_DISABLED;
	assert_ok(gml_user_update(&admin, ns->store, &b));
	assert_false(refused(ns, 1000));
	b.flags = 0;
	assert_rc(gml_user_update(&admin, ns->store, &b), GML_ERR_UIDTAKEN);
}

/* A process that changes users when it is told to, and says when it has. */
static void other_process(const char *path, int in, int out)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	struct gml_user user = user_of("ann", 1000, 0);
	struct gml_store *store;
	char flags;
	if (gml_store_open(path, &opt, &store) != 0)
		_exit(1);
	while (read(in, &flags, 1) == 1) {
		user.flags = (uint32_t)flags;
		flags = (char)gml_user_update(&admin, store, &user);
		if (write(out, &flags, 1) != 1)
			_exit(2);
	}
	gml_store_close(store);
	_exit(0);
}

static void other_sets(int in, int out, char flags)
{
	char rc = 1;
	assert_int_equal(write(in, &flags, 1), 1);
	assert_int_equal(read(out, &rc, 1), 1);
	assert_int_equal(rc, 0);
}

static void test_other_process(void **state)
{
	struct ns *ns = *state;
	int in[2], out[2], status;
	pid_t pid;
	assert_ok(user_new(ns, "ann", 1000, 0));
	ns_close(ns);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(in[1]);
		close(out[0]);
		other_process(ns->path, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	ns_open(ns);
	for (int i = 0; i < 50; i++) {
		other_sets(in[1], out[0], GML_USER_DISABLED);
		assert_true(refused(ns, 1000));
		assert_false(refused(ns, 1001));
		other_sets(in[1], out[0], 0);
		assert_false(refused(ns, 1000));
	}
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out[0]);
}

/* A process that died between its commit and saying so. */
static void test_died_between(void **state)
{
	struct ns *ns = *state;
	struct gml_user ann = user_of("ann", 1000, GML_USER_DISABLED);
	strcpy(ann.id, "AIDAABCDEFGHIJKLMNOPQ");
	assert_ok(user_new(ns, "ann", 1000, 0));
	assert_false(refused(ns, 1000));
	change_left(ns);
	assert_false(refused(ns, 1000));
	assert_ok(gml_meta_update(ns->store->meta, legacy_fn, &ann));
	assert_true(refused(ns, 1000));
	assert_false(refused(ns, 1001));
	assert_ok(user_new(ns, "bob", 1001, GML_USER_DISABLED));
	assert_true(refused(ns, 1000));
	assert_true(refused(ns, 1001));
	assert_ok(user_set(ns, "ann", 1000, 0));
	assert_false(refused(ns, 1000));
}

static uint64_t snapshots(struct ns *ns)
{
	struct gml_meta_stats stats;
	gml_meta_stats_get(ns->store->meta, &stats);
	return stats.reads;
}

/* No question goes to the store once what is known was read. */
static void assert_settled(struct ns *ns)
{
	uint64_t before;
	assert_true(refused(ns, 1000));
	before = snapshots(ns);
	for (int i = 0; i < 10; i++) {
		assert_true(refused(ns, 1000));
		assert_false(refused(ns, 1001));
	}
	assert_int_equal(snapshots(ns), before);
}

/* The death of a process that changed users costs no longer than until the next recovery. */
static void test_died_long_ago(void **state)
{
	struct ns *ns = *state;
	uint64_t before;
	assert_ok(user_new(ns, "ann", 1000, GML_USER_DISABLED));
	assert_settled(ns);
	change_left(ns);
	before = snapshots(ns);
	assert_true(refused(ns, 1000));
	assert_true(snapshots(ns) > before);
	assert_ok(gml_store_recover(&admin, ns->store));
	assert_settled(ns);
	change_left(ns);
	ns_close(ns);
	ns_open(ns);
	assert_ok(gml_store_recover(&admin, ns->store));
	assert_settled(ns);
	assert_ok(user_set(ns, "ann", 1000, 0));
	assert_false(refused(ns, 1000));
}

/* More refused uids than bits of any short list; their neighbours are not. */
static void test_many(void **state)
{
	struct ns *ns = *state;
	uint64_t before;
	char name[16];
	for (uint32_t i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		assert_ok(user_new(ns, name, 1000 + 2 * i, GML_USER_DISABLED));
	}
	assert_true(refused(ns, 1000));
	before = snapshots(ns);
	for (uint32_t uid = 0; uid < 100000; uid++)
		if (refused(ns, uid) != (uid >= 1000 && uid < 1600 && uid % 2 == 0))
			fail_msg("uid %u", uid);
	assert_true(refused(ns, 1598));
	assert_false(refused(ns, UINT32_MAX));
	assert_int_equal(snapshots(ns), before);
}

/* ---- threads ---- */

/* A change on its way is not taken for that of a dead process. */
struct on_its_way {
	struct ns *ns;
	_Atomic bool begun, ended, wrong;
};

static void *settle_run(void *arg)
{
	struct on_its_way *way = arg;
	while (!atomic_load(&way->begun))
		usleep(100);
	if (gml_access_epoch_resolve(way->ns->store) != 0 || !atomic_load(&way->ended))
		atomic_store(&way->wrong, true);
	return NULL;
}

static int slow_fn(struct gml_txn *txn, void *arg)
{
	struct on_its_way *way = arg;
	struct gml_user ann = user_of("ann", 1000, GML_USER_DISABLED);
	int rc;
	strcpy(ann.id, "AIDAABCDEFGHIJKLMNOPQ");
	change_begin(way->ns);
	atomic_store(&way->begun, true);
	usleep(50000); /* the other thread asks meanwhile, and must wait */
	rc = gml_rec_user_put(txn, &ann);
	atomic_store(&way->ended, true);
	return rc;
}

static void test_settle_waits(void **state)
{
	struct on_its_way way = {.ns = *state};
	pthread_t thread;
	assert_ok(user_new(way.ns, "ann", 1000, 0));
	assert_false(refused(way.ns, 1000));
	assert_int_equal(pthread_create(&thread, NULL, settle_run, &way), 0);
	assert_ok(gml_meta_update(way.ns->store->meta, slow_fn, &way));
	pthread_join(thread, NULL);
	assert_false(atomic_load(&way.wrong));
	assert_settled(way.ns);
}

struct watch {
	struct ns *ns;
	/* 1: acknowledged and not being changed; 0: enabled so; -1: on its way */
	_Atomic int disabled;
	_Atomic bool stop, wrong;
	_Atomic unsigned looks;
};

static void *watch_run(void *arg)
{
	struct watch *watch = arg;
	while (!atomic_load(&watch->stop)) {
		int before = atomic_load(&watch->disabled);
		bool now = refused(watch->ns, 1000);
		if (before >= 0 && atomic_load(&watch->disabled) == before && now != (before == 1))
			atomic_store(&watch->wrong, true);
		if (refused(watch->ns, 1001))
			atomic_store(&watch->wrong, true);
		atomic_fetch_add(&watch->looks, 1);
	}
	return NULL;
}

/* Looks by all watchers together. One that hangs fails the test, and does not hang it: the deadline
 * is far beyond what any machine takes. */
static void watch_wait(struct watch *watch, unsigned looks)
{
	struct timespec now, until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 60;
	while (atomic_load(&watch->looks) < looks) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= until.tv_sec)
			fail_msg("%u looks, waited for %u", atomic_load(&watch->looks), looks);
		sched_yield();
	}
}

static void *watch_settle(void *arg)
{
	struct watch *watch = arg;
	while (!atomic_load(&watch->stop)) {
		if (gml_access_epoch_resolve(watch->ns->store) != 0)
			atomic_store(&watch->wrong, true);
		usleep(200);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct ns *ns = *state;
	static struct watch watch; /* outlives a failed test, as its threads may */
	pthread_t threads[4];
	watch.ns = ns;

	assert_ok(user_new(ns, "ann", 1000, 0));
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, watch_run, &watch), 0);
	assert_int_equal(pthread_create(&threads[3], NULL, watch_settle, &watch), 0);
	for (int i = 0; i < 200; i++) {
		unsigned seen = atomic_load(&watch.looks);
		atomic_store(&watch.disabled, -1);
		assert_ok(user_set(ns, "ann", 1000, i % 2 == 0 ? GML_USER_DISABLED : 0));
		atomic_store(&watch.disabled, i % 2 == 0);
		watch_wait(&watch, seen + 6);
	}
	atomic_store(&watch.stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_false(atomic_load(&watch.wrong));
}

/* ---- what a refused caller gets ---- */

static void test_refused_caller(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = 0777, .uid = 1000};
	struct gml_op ann = ns_user(1000, 1000), *op = &ann;
	struct iovec iov = {"text", 4};
	struct gml_file *file, *other;
	struct gml_attr attr;
	bool eof, created;
	unsigned granted;
	uint64_t off;
	size_t n;
	char buf[8];
	gml_ino d, f;
	d = ns_mkdir(ns, ns->bucket, "d");
	f = ns_put(ns, d, "f", "content");
	assert_ok(gml_inode_setattr(&ns->op, ns->store, d, &set, NULL));
	assert_ok(gml_inode_setattr(&ns->op, ns->store, f, &set, NULL));
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set, NULL));
	assert_ok(gml_file_open(op, ns->store, f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(gml_file_write(op, file, 0, &iov, 1, false));
	ann.principal.refused = true;
	/* Her open file, all modes 0777, all hers. */
	assert_rc(gml_file_read(op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &n, &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_file_write(op, file, 0, &iov, 1, false), GML_ERR_ACCESS);
	assert_rc(gml_file_write(op, file, 0, &iov, 0, false), GML_ERR_ACCESS);
	assert_rc(gml_file_seek(op, file, GML_SEEK_DATA, 0, &off, &eof), GML_ERR_ACCESS);
	assert_rc(gml_file_allocate(op, file, 0, 100), GML_ERR_ACCESS);
	assert_rc(gml_file_deallocate(op, file, 0, 1), GML_ERR_ACCESS);
	assert_rc(gml_file_open(op, ns->store, f, GML_OPEN_READ, &other), GML_ERR_ACCESS);
	assert_rc(gml_file_open(op, ns->store, f, 0, &other), GML_ERR_ACCESS);
	assert_rc(gml_file_create(op, ns->store, d, ns_span("g"),
				  &(struct gml_create){.access = GML_OPEN_WRITE,
						       .disposition = GML_CREATE_UNCHECKED,
						       .created_out = &created},
				  &other),
		  GML_ERR_ACCESS);
	assert_rc(gml_inode_getattr(op, ns->store, f, &attr), GML_ERR_ACCESS);
	assert_ok(gml_inode_getattr(op, ns->store, ns->bucket,
				    &attr)); /* or a client thinks that its mount is gone */
	assert_rc(gml_inode_setattr(op, ns->store, f, &set, NULL), GML_ERR_ACCESS);
	assert_ok(gml_inode_access(op, ns->store, ns->bucket,
				   GML_MAY_READ | GML_MAY_WRITE | GML_MAY_EXEC, &granted));
	assert_int_equal(granted, 0);
	assert_rc(gml_xattr_get(op, ns->store, f, ns_span("user.a"),
				(struct gml_buf){buf, sizeof(buf)}, &n),
		  GML_ERR_ACCESS);
	assert_rc(
		gml_xattr_set(op, ns->store, f, ns_span("user.a"), ns_span("x"), GML_XATTR_EITHER),
		GML_ERR_ACCESS);
	assert_rc(gml_dir_lookup(op, ns->store, d, ns_span("f"), &attr), GML_ERR_ACCESS);
	assert_rc(gml_dir_parent(op, ns->store, d, &attr), GML_ERR_ACCESS);
	assert_rc(gml_dir_read(op, ns->store, d, &(struct gml_dir_query){.each = NULL}, &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_dir_read(op, ns->store, GML_INO_ROOT, &(struct gml_dir_query){.each = NULL},
			       &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_dir_mkdir(op, ns->store, d, ns_span("e"), NULL, &attr), GML_ERR_ACCESS);
	assert_rc(gml_dir_mkdir(op, ns->store, GML_INO_ROOT, ns_span("hers"), NULL, &attr),
		  GML_ERR_ACCESS);
	assert_rc(gml_dir_link(op, ns->store, f, d, ns_span("e"), NULL), GML_ERR_ACCESS);
	assert_rc(gml_dir_rename(op, ns->store, d, ns_span("f"), d, ns_span("e")), GML_ERR_ACCESS);
	assert_rc(gml_dir_remove(op, ns->store, d, ns_span("f"), GML_REMOVE_ANY), GML_ERR_ACCESS);
	assert_rc(gml_dir_remove(op, ns->store, GML_INO_ROOT, ns_span("bucket"), GML_REMOVE_DIR),
		  GML_ERR_ACCESS);
	/* uid 0 is a uid like any other. */
	gml_principal_for(&ann.principal, 0, 0);
	assert_rc(gml_file_read(op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &n, &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_inode_setattr(op, ns->store, f, &set, NULL), GML_ERR_ACCESS);
	/* What she wrote before is there, and the file can be closed. */
	assert_ok(gml_file_close(op, file));
	ns_assert_content(ns, f, "textent", 7);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_life),		T(test_shared_uid),    T(test_legacy),
		T(test_other_process),	T(test_died_between),  T(test_threads),
		T(test_refused_caller), T(test_died_long_ago), T(test_many),
		T(test_settle_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
