// SPDX-License-Identifier: Apache-2.0
/* Races that hold still: the linker sends gml_blob_open and gml_owner_alive through here, and what
 * another thread or process might do just then is done just then. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include "gateway/base/clock.h"
#include "gateway/base/map.h"
#include "gateway/base/presence.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/ns/store/reap.h"
#include "object_support.h"

static int (*race_step)(struct ns *ns); /* once, when the blob is opened; then forgotten */
static struct ns *race_ns;
static uint64_t race_blob; /* 0: any blob */

int __real_gml_blob_open(struct gml_data *data, uint64_t id, unsigned flags,
			 struct gml_blob **blob_out);
int __wrap_gml_blob_open(struct gml_data *data, uint64_t id, unsigned flags,
			 struct gml_blob **blob_out);

int __wrap_gml_blob_open(struct gml_data *data, uint64_t id, unsigned flags,
			 struct gml_blob **blob_out)
{
	int (*step)(struct ns * ns) = race_step;
	if (step != NULL && (race_blob == 0 || race_blob == id)) {
		race_step = NULL;
		assert_ok(step(race_ns));
	}
	return __real_gml_blob_open(data, id, flags, blob_out);
}

static void race_arm(struct ns *ns, uint64_t blob, int (*step)(struct ns *ns))
{
	race_ns = ns;
	race_blob = blob;
	race_step = step;
}

/* Whatever this process has open: as a reaper in another one would. */
static int race_reap(struct ns *ns)
{
	unsigned freed;
	int rc = gml_store_reap(&ns->op, ns->store,
				&(struct gml_reap){.min_age_ns = -1000000000, .max = 100}, &freed);
	assert_true(rc != 0 || freed > 0);
	return rc;
}

static int race_copy(struct ns *ns)
{
	return gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("f")),
			       OBJECT_REF(B, ns_span("copy")),
			       &(struct gml_copy_options){.src_cond = NULL}, NULL);
}

/* Content that came over S3, and a write blob of which nothing shows: ALLOCATE made it. */
static gml_ino race_hidden_wblob(struct ns *ns)
{
	gml_ino ino;
	struct gml_file *file;
	assert_ok(object_put(ns, ns_span("f"), "content of f"));
	ino = ns_lookup(ns, ns->bucket, "f");
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(gml_file_allocate(&ns->op, file, 0, 4));
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_not_equal(ns_record(ns, ino).wblob, 0);
	assert_false(ns_record(ns, ino).flags & GML_INODE_DIRTY);
	return ino;
}

/* A copy gives the write blob back between a writer's look at the clean file and its opening the
 * blob. */
static void test_write_copy(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = race_hidden_wblob(ns);
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	race_arm(ns, ns_record(ns, ino).wblob, race_copy);
	assert_ok(ns_write(ns, file, 0, "CON"));
	assert_null(race_step);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, ino, "CONtent of f", 12);
	object_assert(ns, ns_span("copy"), "content of f", 12);
}

static void test_grow_copy(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = 14};
	gml_ino ino = race_hidden_wblob(ns);
	race_arm(ns, ns_record(ns, ino).wblob, race_copy);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_null(race_step);
	ns_assert_content(ns, ino, "content of f\0\0", 14);
	object_assert(ns, ns_span("copy"), "content of f", 12);
}

/* An orphan is freed between a writer's look at it and its opening a blob: it is stale, not
 * damaged. */
static void race_write_freed(struct ns *ns, gml_ino ino, uint64_t blob)
{
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(object_del(ns, ns_span("f")));
	race_arm(ns, blob, race_reap);
	assert_rc(ns_write(ns, file, 0, "x"), GML_ERR_STALE);
	assert_null(race_step);
	assert_ok(gml_file_close(&ns->op, file));
}

static void test_write_freed(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "text");
	race_write_freed(ns, ino, ns_record(ns, ino).wblob);
}

static void test_write_over_freed(void **state)
{
	struct ns *ns = *state;
	struct gml_inode inode;
	gml_ino ino;
	char *large = calloc(1, 300000);
	assert_ok(object_put_full(ns, &ns->op, ns_span("f"), large, 300000, 300000, 300000, NULL,
				  NULL, NULL));
	free(large);
	ino = ns_lookup(ns, ns->bucket, "f");
	inode = ns_record(ns, ino);
	assert_false(inode.extents[0].blob & GML_BLOB_PACKED);
	race_write_freed(ns, ino, inode.extents[0].blob);
}

static void test_allocate_freed(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "text");
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(object_del(ns, ns_span("f")));
	race_arm(ns, 0, race_reap);
	assert_rc(gml_file_allocate(&ns->op, file, 0, 100), GML_ERR_STALE);
	assert_ok(gml_file_close(&ns->op, file));
}

/* Bytes that nothing gave up are still reported as what they are. */
static int race_lose(struct ns *ns)
{
	return gml_blob_remove(ns->store->data, race_blob, 0);
}

static void test_write_lost(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "text");
	uint64_t wblob = ns_record(ns, ino).wblob;
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	race_arm(ns, wblob, race_lose);
	assert_rc(ns_write(ns, file, 0, "x"), GML_ERR_CORRUPT);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(object_del(ns, ns_span("f")));
	assert_ok(race_reap(ns));
}

/* ---- the reaper and who opens by handle ------------------------------------------------------ */

struct race_open {
	struct ns *ns;
	struct gml_file *file;
	unsigned asked;
	int rc;
};

/* The second question is the last before the orphan is freed; right after it the file is opened. */
static bool race_open_late(void *arg, gml_ino ino)
{
	struct race_open *open = arg;
	struct gml_op op = open->ns->op;
	if (gml_store_file_is_open(open->ns->store, ino))
		return true;
	op.handle.found = true; /* a reclaim, or an OPEN that found the name before it went */
	if (++open->asked == 2)
		open->rc = gml_file_open(&op, open->ns->store, ino, GML_OPEN_READ, &open->file);
	return false;
}

static void test_open_claimed(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "text");
	struct race_open open = {.ns = ns};
	unsigned freed;
	assert_ok(object_del(ns, ns_span("f")));
	assert_ok(gml_store_reap(&ns->op, ns->store,
				 &(struct gml_reap){.min_age_ns = -1000000000,
						    .max = 100,
						    .is_open = race_open_late,
						    .arg = &open},
				 &freed));
	assert_int_equal(open.asked, 2);
	assert_int_equal(freed, 1);
	assert_rc(open.rc, GML_ERR_STALE); /* not an open file without its content */
	assert_false(gml_store_file_is_open(ns->store, ino));
	assert_false(gml_reap_is_freeing(ns->store, ino));
}

/* ---- who lives ------------------------------------------------------------------------------- */

static const char *race_open_fails; /* of files whose path begins like this */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	if (race_open_fails != NULL &&
	    strncmp(path, race_open_fails, strlen(race_open_fails)) == 0) {
		errno = EMFILE;
		return -1;
	}
	return __real_open(path, flags, 0600);
}

/* Without a free descriptor nobody is taken for dead: what the living have open would be swept. */
static void test_owner_unknown(void **state)
{
	struct gml_owner owner;
	char path[32];
	pid_t child;
	(void)state;
	assert_ok(gml_owner_self(&owner));
	assert_true(gml_owner_alive(&owner));
	snprintf(path, sizeof(path), "/proc/%u/", owner.pid);
	race_open_fails = path;
	assert_true(gml_owner_alive(&owner));
	race_open_fails = NULL;
	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	owner.pid = (uint32_t)child;
	assert_false(gml_owner_alive(&owner));
}

static struct {
	struct ns *ns; /* armed */
	int slot;
} race_slot;

bool __real_gml_owner_alive(const struct gml_owner *owner);
bool __wrap_gml_owner_alive(const struct gml_owner *owner);

/* While the reaper asks about a dead process's reader, its slot gets free and another reader takes
 * it. */
bool __wrap_gml_owner_alive(const struct gml_owner *owner)
{
	struct ns *ns = race_slot.ns;
	int slot;
	if (ns == NULL)
		return __real_gml_owner_alive(owner);
	race_slot.ns = NULL;
	gml_presence_reader_remove(ns->store->presence, race_slot.slot);
	while ((slot = gml_presence_reader_add(ns->store->presence, INO(7))) != race_slot.slot)
		gml_presence_reader_remove(ns->store->presence, slot);
	return __real_gml_owner_alive(owner);
}

static void test_reader_slot(void **state)
{
	struct ns *ns = *state;
	struct gml_owner dead = {
		.pid = ns->store->self.pid, .start = 1, .boot = ns->store->self.boot};
	race_slot.slot = ns_reader_of(ns, &dead, INO(5));
	race_slot.ns = ns;
	assert_false(gml_presence_reader_any(ns->store->presence, INO(5)));
	assert_null(race_slot.ns);
	assert_true(gml_presence_reader_any(ns->store->presence, INO(7)));
	gml_presence_reader_remove(ns->store->presence, race_slot.slot);
	race_slot.slot = ns_reader_of(ns, &dead, INO(5));
	assert_false(gml_presence_reader_any(ns->store->presence, INO(5))); /* and is cleared */
}

/* ---- change attributes ahead of the clock ---- */

/* As if the clock had been set back by an hour since the last write. */
static void race_set_back(struct ns *ns)
{
	const size_t bytes = 65536 * sizeof(uint64_t);
	uint64_t *slots;
	void *map;
	assert_int_equal(
		gml_shared_map(ns->store->dirfd, "run/changes", bytes, GML_MAP_EXISTING, &map), 0);
	slots = map;
	for (size_t i = 0; i < bytes / sizeof(*slots); i++)
		slots[i] = (uint64_t)gml_now() + 3600 * (uint64_t)GML_NS_PER_S;
	gml_shared_unmap(map, bytes);
}

static uint64_t race_change(struct ns *ns, gml_ino ino)
{
	struct gml_attr attr;
	assert_ok(gml_inode_getattr(&ns->op, ns->store, ino, &attr));
	return attr.change;
}

/* Each change of a file that is being written shows, and none takes its change attribute back. */
static void test_change_ahead_of_clock(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 0600};
	struct gml_file *file = ns_new(ns, ns->bucket, "f"), *over;
	gml_ino ino = gml_file_ino(file);
	uint64_t last, next;
	assert_ok(ns_write(ns, file, 0, "text"));
	race_set_back(ns);
	last = race_change(ns, ino);
	assert_true(last > (uint64_t)gml_now());
#define GROWS(call)                                                                                \
	do {                                                                                       \
		assert_ok(call);                                                                   \
		next = race_change(ns, ino);                                                       \
		assert_true(next > last);                                                          \
		last = next;                                                                       \
	} while (0)
	GROWS(ns_write(ns, file, 0, "next"));
	GROWS(gml_inode_setattr(&ns->op, ns->store, ino, &mode, NULL));
	GROWS(gml_xattr_set(&ns->op, ns->store, ino, ns_span("user.a"), ns_span("v"),
			    GML_XATTR_EITHER));
	GROWS(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.a")));
	GROWS(gml_dir_link(&ns->op, ns->store, ino, ns->bucket, ns_span("g"), NULL));
	GROWS(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("f"), ns->bucket,
			     ns_span("h")));
	GROWS(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("h"), GML_REMOVE_FILE));
	/* What is replaced while it is open, too. */
	over = ns_new(ns, ns->bucket, "over");
	GROWS(gml_dir_link(&ns->op, ns->store, ino, ns->bucket, ns_span("h"), NULL));
	GROWS(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("over"), ns->bucket,
			     ns_span("h")));
	GROWS(gml_file_close(&ns->op, file));
	assert_true(ns_record(ns, ino).change == last);
	assert_ok(gml_file_close(&ns->op, over));
#undef GROWS
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write_copy, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_grow_copy, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_write_freed, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_write_over_freed, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_allocate_freed, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_write_lost, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_open_claimed, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_change_ahead_of_clock, ns_setup, ns_teardown),
		cmocka_unit_test(test_owner_unknown),
		cmocka_unit_test_setup_teardown(test_reader_slot, ns_setup, ns_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
