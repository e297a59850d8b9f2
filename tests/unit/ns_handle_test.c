// SPDX-License-Identifier: Apache-2.0
/* The gate for inode numbers that came from a handle (gateway/ns/posix/handle.c), and orphans whose
 * time is wrong. */
#include <fcntl.h>
#include <gemel/handle.h>
#include "gateway/base/clock.h"
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

#define OWNER 5
#define STRANGER 9
#define CLIENT 70
#define OTHER 80

/* One operation on an inode by number; each with rights of its own that the caller has. */
struct call {
	const char *name;
	int (*run)(struct ns *ns, struct gml_op *op, gml_ino ino);
};

static int call_getattr(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_inode_getattr(op, ns->store, ino, &(struct gml_attr){0});
}

static int call_access(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	unsigned granted;
	return gml_inode_access(op, ns->store, ino, GML_MAY_READ, &granted);
}

static int call_statfs(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_store_statfs(op, ns->store, ino, &(struct gml_statfs){0});
}

static int call_mode(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_inode_setattr(op, ns->store, ino,
				 &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0777}, NULL);
}

static int call_times(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_inode_setattr(op, ns->store, ino,
				 &(struct gml_setattr){.mask = GML_SET_MTIME_NOW}, NULL);
}

static int call_nothing(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_inode_setattr(op, ns->store, ino, &(struct gml_setattr){0}, NULL);
}

static int call_size(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_inode_setattr(op, ns->store, ino,
				 &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 2}, NULL);
}

static int call_xattr_set(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_xattr_set(op, ns->store, ino, ns_span("user.a"), ns_span("1"), GML_XATTR_EITHER);
}

static int call_xattr_get(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	size_t len;
	return gml_xattr_get(op, ns->store, ino, ns_span("user.a"), (struct gml_buf){NULL, 0},
			     &len);
}

static bool call_name(void *arg, struct gml_span name)
{
	return true;
}

static int call_xattr_list(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_xattr_list(op, ns->store, ino, call_name, NULL);
}

static bool call_tag(void *arg, struct gml_span name, struct gml_span value)
{
	return true;
}

static int call_tags(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_tags_each(op, ns->store, ino, call_tag, NULL);
}

static int call_tags_replace(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_tags_replace(op, ns->store, ino, NULL, 0);
}

static int call_xattr_remove(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_xattr_remove(op, ns->store, ino, ns_span("user.a"));
}

static int call_open(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	struct gml_file *file;
	int rc = gml_file_open(op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file);
	return rc == 0 ? gml_file_close(op, file) : rc;
}

static int call_link(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	int rc = gml_dir_link(op, ns->store, ino, ns->bucket, ns_span("linked"), NULL);
	return rc == 0 ? gml_dir_remove(op, ns->store, ns->bucket, ns_span("linked"),
					GML_REMOVE_FILE)
		       : rc;
}

static int call_readlink(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	char buf[16];
	size_t len;
	return gml_inode_readlink(op, ns->store, ino, buf, sizeof(buf), &len);
}

static int call_lookup(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_dir_lookup(op, ns->store, ino, ns_span("in"), &(struct gml_attr){0});
}

static int call_parent(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_dir_parent(op, ns->store, ino, &(struct gml_attr){0});
}

static bool call_entry(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	return true;
}

static int call_readdir(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	bool eof;
	return gml_dir_read(op, ns->store, ino, &(struct gml_dir_query){.each = call_entry}, &eof);
}

static int call_create(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	struct gml_file *file;
	int rc = gml_file_create(
		op, ns->store, ino, ns_span("new"),
		&(struct gml_create){.access = GML_OPEN_WRITE, .disposition = GML_CREATE_UNCHECKED},
		&file);
	return rc == 0 ? gml_file_close(op, file) : rc;
}

static int call_mkdir(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	int rc = gml_dir_mkdir(op, ns->store, ino, ns_span("sub"), NULL, &(struct gml_attr){0});
	return rc == 0 ? gml_dir_remove(op, ns->store, ino, ns_span("sub"), GML_REMOVE_DIR) : rc;
}

static int call_rename(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_dir_rename(op, ns->store, ino, ns_span("new"), ino, ns_span("in"));
}

static int call_remove(struct ns *ns, struct gml_op *op, gml_ino ino)
{
	return gml_dir_remove(op, ns->store, ino, ns_span("in"), GML_REMOVE_FILE);
}

#define CALL(name)                                                                                 \
	{                                                                                          \
#name, call_##name                                                                 \
	}

static const struct call on_any[] = {CALL(getattr), CALL(access), CALL(statfs),
				     CALL(mode),    CALL(times),  CALL(nothing)};
static const struct call on_file[] = {CALL(size),	  CALL(xattr_set), CALL(xattr_get),
				      CALL(xattr_list),	  CALL(tags),	   CALL(tags_replace),
				      CALL(xattr_remove), CALL(open),	   CALL(link)};
static const struct call on_dir[] = {CALL(xattr_set),	 CALL(xattr_get), CALL(xattr_list),
				     CALL(xattr_remove), CALL(create),	  CALL(rename),
				     CALL(lookup),	 CALL(parent),	  CALL(readdir),
				     CALL(mkdir),	 CALL(remove)};
static const struct call on_link[] = {CALL(readlink), CALL(link)};

static void expect(struct ns *ns, struct gml_op *op, gml_ino ino, const struct call *calls,
		   size_t n, int want)
{
	for (size_t i = 0; i < n; i++) {
		int rc = calls[i].run(ns, op, ino);
		if (rc != want)
			fail_msg("%s: %s, not %s", calls[i].name, gml_err_name(rc),
				 gml_err_name(want));
	}
}

#define EXPECT(op, ino, calls, want)                                                               \
	expect(ns, op, ino, calls, sizeof(calls) / sizeof((calls)[0]), want)

static gml_ino handle_symlink(struct ns *ns)
{
	struct gml_attr attr;
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("l"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("target")},
				&attr));
	return attr.ino;
}

static void handle_remove(struct ns *ns, const char *name)
{
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(name), GML_REMOVE_ANY));
}

/* ---- what lost its names --------------------------------------------------------------------- */

static void test_nameless(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd"), d = ns_mkdir(ns, ns->bucket, "d"),
		l = handle_symlink(ns);
	struct gml_op op = ns->op;
	struct gml_inode before;
	op.handle.client = CLIENT;
	EXPECT(&op, f, on_any, 0);
	EXPECT(&op, f, on_file, 0);
	EXPECT(&op, d, on_any, 0);
	EXPECT(&op, d, on_dir, 0);
	EXPECT(&op, l, on_link, 0);
	handle_remove(ns, "f");
	handle_remove(ns, "d");
	handle_remove(ns, "l");
	before = ns_record(ns, f);
	EXPECT(&op, f, on_any, GML_ERR_STALE);
	EXPECT(&op, f, on_file, GML_ERR_STALE);
	EXPECT(&op, d, on_any, GML_ERR_STALE);
	EXPECT(&op, d, on_dir, GML_ERR_STALE);
	EXPECT(&op, l, on_any, GML_ERR_STALE);
	EXPECT(&op, l, on_link, GML_ERR_STALE);
	assert_int_equal(ns_record(ns, f).change, before.change);
}

/* A PUT (a rename here) over the name, and not a REMOVE. */
static void test_replaced(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "older"), g = ns_put(ns, ns->bucket, "g", "newer");
	assert_ok(gml_dir_link(&ns->op, ns->store, f, ns->bucket, ns_span("second"), NULL));
	assert_ok(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("g"), ns->bucket,
				 ns_span("f")));
	assert_ok(call_mode(ns, &ns->op, f)); /* it has another name */
	handle_remove(ns, "second");
	assert_rc(call_mode(ns, &ns->op, f), GML_ERR_STALE);
	assert_ok(call_mode(ns, &ns->op, g));
}

static int io_all(struct ns *ns, struct gml_op *op, struct gml_file *file)
{
	struct iovec iov = {"xy", 2};
	uint64_t off;
	char buf[8];
	size_t got;
	bool eof;
	int rc = gml_file_write(op, file, 0, &iov, 1, false);
	if (rc != gml_file_read(op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &got, &eof) ||
	    rc != gml_file_commit(op, file) || rc != gml_file_write(op, file, 0, &iov, 0, false) ||
	    rc != gml_file_seek(op, file, GML_SEEK_DATA, 0, &off, &eof) ||
	    rc != gml_file_allocate(op, file, 0, 4) || rc != gml_file_deallocate(op, file, 2, 1))
		fail_msg("WRITE answered %s, another operation not", gml_err_name(rc));
	return rc;
}

static const struct call on_open[] = {CALL(size),	CALL(xattr_set), CALL(xattr_get),
				      CALL(xattr_list), CALL(tags),	 CALL(xattr_remove)};

static void test_nameless_but_open(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd");
	struct gml_op op = ns->op, other = ns->op, nobody = ns->op;
	struct gml_file *file, *second, *io;
	op.handle.client = CLIENT;
	other.handle.client = OTHER;
	nobody.handle.client = GML_CLIENT_NONE;
	assert_ok(gml_file_open(&op, ns->store, f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(gml_file_open(&op, ns->store, f, GML_OPEN_READ, &second));
	handle_remove(ns, "f");
	EXPECT(&op, f, on_any, 0);
	EXPECT(&op, f, on_open, 0);
	assert_ok(io_all(ns, &op, file));
	EXPECT(&other, f, on_any, GML_ERR_STALE);
	EXPECT(&other, f, on_file, GML_ERR_STALE);
	EXPECT(&nobody, f, on_any, GML_ERR_STALE);
	assert_rc(io_all(ns, &other, file), GML_ERR_STALE);
	/* By path the client means another file; the I/O of a lock's stateid means this one. */
	assert_rc(call_open(ns, &op, f), GML_ERR_STALE);
	assert_rc(call_link(ns, &op, f), GML_ERR_STALE);
	assert_rc(gml_file_open(&other, ns->store, f, GML_OPEN_READ | GML_OPEN_IO, &io),
		  GML_ERR_STALE);
	assert_ok(gml_file_open(&op, ns->store, f, GML_OPEN_READ | GML_OPEN_IO, &io));
	assert_ok(gml_file_close(&op, file));
	EXPECT(&op, f, on_any, 0);
	assert_ok(gml_file_close(&op, second));
	EXPECT(&op, f, on_any, GML_ERR_STALE); /* that for I/O does not count */
	assert_ok(gml_file_close(&op, io));
}

/* What nobody opened is nobody's, also to another nobody. */
static void test_nameless_and_nobody(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd");
	struct gml_op nobody = ns->op;
	struct gml_file *file;
	nobody.handle.client = GML_CLIENT_NONE;
	assert_ok(gml_file_open(&nobody, ns->store, f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	EXPECT(&nobody, f, on_any, 0);
	handle_remove(ns, "f");
	EXPECT(&nobody, f, on_any, GML_ERR_STALE);
	EXPECT(&nobody, f, on_file, GML_ERR_STALE);
	assert_ok(gml_file_close(&nobody, file));
}

/* By a request that found it by name, and by a reclaim. */
static void test_nameless_but_found(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd"), d = ns_mkdir(ns, ns->bucket, "d");
	struct gml_op op = ns->op, later = ns->op;
	struct gml_file *file;
	op.handle.found = true;
	op.handle.client = later.handle.client = CLIENT;
	handle_remove(ns, "f");
	handle_remove(ns, "d");
	EXPECT(&op, f, on_any, 0);
	assert_rc(call_link(ns, &op, f), GML_ERR_STALE);
	EXPECT(&op, d, on_any, 0);
	assert_rc(call_lookup(ns, &op, d), GML_ERR_STALE);
	assert_rc(call_create(ns, &op, d), GML_ERR_STALE);
	assert_ok(gml_file_open(&op, ns->store, f, GML_OPEN_READ, &file));
	EXPECT(&later, f, on_any, 0);
	assert_ok(gml_file_close(&op, file));
	EXPECT(&later, f, on_any, GML_ERR_STALE);
}

static void test_recovering(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd");
	struct gml_op op = ns->op;
	op.handle.recovering = true;
	EXPECT(&op, f, on_any, 0);
	handle_remove(ns, "f");
	EXPECT(&op, f, on_any, GML_ERR_AGAIN);
	assert_rc(call_open(ns, &op, f), GML_ERR_STALE); /* no reclaim */
	assert_rc(call_getattr(ns, &op, INO(12345678)), GML_ERR_STALE);
}

/* A name is looked up, and before it is opened it denotes another file. */
static void test_create_finds_the_name(void **state)
{
	struct ns *ns = *state;
	struct gml_op op = ns->op;
	struct gml_file *file;
	bool created;
	op.handle.found = true;
	ns_put(ns, ns->bucket, "f", "abcd");
	assert_ok(gml_file_create(&op, ns->store, ns->bucket, ns_span("f"),
				  &(struct gml_create){.access = GML_OPEN_READ,
						       .disposition = GML_CREATE_UNCHECKED,
						       .created_out = &created},
				  &file));
	assert_false(created);
	assert_ino_equal(gml_file_ino(file), ns_lookup(ns, ns->bucket, "f"));
	assert_ok(gml_file_close(&op, file));
}

/* ---- search permission on the bucket's root -------------------------------------------------- */

static void chmod_to(struct ns *ns, gml_ino ino, uint32_t mode, uint32_t uid)
{
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = mode, .uid = uid};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
}

static void test_search(void **state)
{
	struct ns *ns = *state;
	gml_ino f = ns_put(ns, ns->bucket, "f", "abcd"), d = ns_mkdir(ns, ns->bucket, "d"),
		l = handle_symlink(ns);
	struct gml_op owner = ns_user(OWNER, OWNER), stranger = ns_user(STRANGER, STRANGER),
		      root = ns_user(0, 0);
	struct gml_file *file;
	chmod_to(ns, f, 0777, STRANGER); /* even what is his own */
	chmod_to(ns, d, 0777, STRANGER);
	chmod_to(ns, ns->bucket, 0777, OWNER);
	EXPECT(&stranger, f, on_any, 0);
	EXPECT(&stranger, f, on_file, 0);
	EXPECT(&stranger, d, on_any, 0);
	EXPECT(&stranger, d, on_dir, 0);
	EXPECT(&stranger, l, on_link, 0);
	assert_ok(gml_file_open(&stranger, ns->store, f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(io_all(ns, &stranger, file));
	chmod_to(ns, ns->bucket, 0700, OWNER);
	EXPECT(&stranger, f, on_any, GML_ERR_ACCESS);
	EXPECT(&stranger, f, on_file, GML_ERR_ACCESS);
	EXPECT(&stranger, d, on_any, GML_ERR_ACCESS);
	EXPECT(&stranger, d, on_dir, GML_ERR_ACCESS);
	EXPECT(&stranger, l, on_link, GML_ERR_ACCESS);
	assert_rc(io_all(ns, &stranger, file), GML_ERR_ACCESS);
	/* The root itself tells what it is. */
	assert_ok(call_getattr(ns, &stranger, ns->bucket));
	assert_ok(call_access(ns, &stranger, ns->bucket));
	assert_ok(call_statfs(ns, &stranger, ns->bucket));
	assert_ok(call_getattr(ns, &stranger, GML_INO_ROOT));
	assert_rc(call_lookup(ns, &stranger, ns->bucket), GML_ERR_ACCESS);
	assert_ok(call_getattr(ns, &owner, f));
	assert_ok(call_getattr(ns, &root, f));
	/* By group, and for all. */
	chmod_to(ns, ns->bucket, 0701, OWNER);
	EXPECT(&stranger, f, on_any, 0);
	assert_ok(io_all(ns, &stranger, file));
	assert_ok(gml_file_close(&stranger, file));
}

/* The bucket goes while a file that it held is open. */
static void test_bucket_gone(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0777};
	struct gml_op stranger = ns_user(STRANGER, STRANGER), owner = ns_user(OWNER, OWNER);
	struct gml_attr bucket;
	struct gml_file *file;
	unsigned freed;
	gml_ino f;
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("short"), &set, &bucket));
	f = ns_put(ns, bucket.ino, "f", "abcd");
	chmod_to(ns, f, 0666, OWNER);
	assert_ok(gml_file_open(&owner, ns->store, f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(gml_dir_remove(&ns->op, ns->store, bucket.ino, ns_span("f"), GML_REMOVE_FILE));
	assert_ok(
		gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, ns_span("short"), GML_REMOVE_DIR));
	assert_rc(call_getattr(ns, &ns->op, bucket.ino), GML_ERR_STALE);
	for (int i = 0; i < 2; i++) {
		assert_ok(call_getattr(ns, &owner, f));
		assert_ok(io_all(ns, &owner, file));
		assert_ok(gml_store_reap(&ns->op, ns->store,
					 &(struct gml_reap){.min_age_ns = -1000000000,
							    .max = 100,
							    .is_open = gml_store_file_is_open,
							    .arg = ns->store},
					 &freed));
	}
	assert_rc(call_getattr(ns, &stranger, f), GML_ERR_ACCESS);
	assert_ok(gml_file_close(&owner, file));
}

/* ---- a clock that was set back --------------------------------------------------------------- */

struct date {
	gml_ino ino;
	int64_t since;
};

static int date_put(struct gml_txn *txn, void *arg)
{
	const struct date *date = arg;
	return gml_rec_orphan_put(txn, &gml_line_none, date->ino, date->since);
}

static int date_get(struct gml_txn *txn, void *arg)
{
	struct date *date = arg;
	return gml_rec_orphan_get(txn, date->ino, &date->since);
}

#define SECOND INT64_C(1000000000)
#define DATES 600 /* more than the reaper deals with at once */

static void test_dated_in_the_future(void **state)
{
	struct ns *ns = *state;
	static struct date date[DATES];
	unsigned freed, all = 0;
	int64_t now;
	char name[16];
	for (int i = 0; i < DATES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		date[i].ino = ns_raw(ns, ns->bucket, name, strlen(name), GML_REG, NULL, 0);
		handle_remove(ns, name);
		date[i].since = gml_now() + 365 * 86400 * SECOND;
		assert_ok(gml_meta_update(ns->store->meta, date_put, &date[i]));
	}
	now = gml_now();
	for (int i = 0; i < 4; i++) {
		assert_ok(gml_store_reap(
			&ns->op, ns->store,
			&(struct gml_reap){.min_age_ns = 3600 * SECOND, .max = 1000}, &freed));
		assert_int_equal(freed, 0);
	}
	for (int i = 0; i < DATES; i++) {
		assert_ok(gml_meta_update(ns->store->meta, date_get, &date[i]));
		assert_in_range(date[i].since, now,
				gml_now()); /* their time begins now, not earlier */
	}
	for (int i = 0; i < 4; i++) {
		assert_ok(gml_store_reap(&ns->op, ns->store, &(struct gml_reap){.max = 1000},
					 &freed));
		all += freed;
	}
	assert_int_equal(all, DATES);
}

/* ---- handles as bytes ---- */

static int handle_decode(struct ns *ns, const uint8_t *bytes, size_t len)
{
	gml_ino ino;
	int rc = gml_handle_decode(ns->store, (struct gml_span){bytes, len}, &ino);
	assert_true(rc == 0 || gml_ino_is_none(ino));
	return rc;
}

static void assert_handle(struct ns *ns, const uint8_t bytes[GML_HANDLE_LEN], gml_ino want)
{
	gml_ino got;
	assert_ok(gml_handle_decode(ns->store, (struct gml_span){bytes, GML_HANDLE_LEN}, &got));
	assert_ino_equal(got, want);
}

/* Each bit of a handle is one that its code covers, or is the code's. */
static void test_altered_handle(void **state)
{
	struct ns *ns = *state;
	gml_ino inodes[] = {GML_INO_ROOT, ns->bucket, gml_ino_of(7, 1),
			    gml_ino_of(GML_INO_NUM_END - 1, GML_INO_NUM_END - 1)};
	uint8_t handle[GML_HANDLE_LEN + 1] = {0};
	for (size_t i = 0; i < sizeof(inodes) / sizeof(*inodes); i++) {
		gml_handle_encode(ns->store, inodes[i], handle);
		assert_handle(ns, handle, inodes[i]);
		for (size_t bit = 0; bit < (size_t)GML_HANDLE_LEN * 8; bit++) {
			bool of_store = bit >= 8 && bit < 64;
			handle[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_rc(handle_decode(ns, handle, GML_HANDLE_LEN),
				  of_store ? GML_ERR_STALE : GML_ERR_INVAL);
			handle[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t len = 0; len <= GML_HANDLE_LEN + 1; len++)
			assert_rc(handle_decode(ns, handle, len),
				  len == GML_HANDLE_LEN ? 0 : GML_ERR_INVAL);
	}
}

/* The number of a file is no secret; the code of one handle does not open another. */
static void test_guessed_handle(void **state)
{
	struct ns *ns = *state;
	uint8_t one[GML_HANDLE_LEN], other[GML_HANDLE_LEN];
	gml_handle_encode(ns->store, ns_put(ns, ns->bucket, "one", "1"), one);
	gml_handle_encode(ns->store, ns_put(ns, ns->bucket, "other", "2"), other);
	memcpy(one + 16, other + 16, 8);
	assert_rc(handle_decode(ns, one, sizeof(one)), GML_ERR_INVAL);
	memcpy(one + 24, other + 24, 8);
	assert_int_equal(handle_decode(ns, one, sizeof(one)), 0);
}

/* A handle lives as long as the store; another store has another secret, even under the same
 * uuid. */
static void test_handle_of_store(void **state)
{
	struct ns *ns = *state, other;
	uint8_t handle[GML_HANDLE_LEN], again[GML_HANDLE_LEN];
	gml_ino ino = ns_put(ns, ns->bucket, "kept", "1");
	gml_handle_encode(ns->store, ino, handle);
	ns_close(ns);
	ns_open(ns);
	gml_handle_encode(ns->store, ino, again);
	assert_memory_equal(again, handle, sizeof(handle));
	assert_handle(ns, handle, ino);
	ns_create(&other);
	ns_open(&other);
	assert_rc(handle_decode(&other, handle, sizeof(handle)), GML_ERR_STALE);
	memcpy(handle + 1, gml_store_uuid(other.store), 7);
	assert_rc(handle_decode(&other, handle, sizeof(handle)), GML_ERR_INVAL);
	ns_close(&other);
	ns_rm(other.path);
}

#define NS_TEST(f) cmocka_unit_test_setup_teardown(f, ns_setup, ns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NS_TEST(test_nameless),
		NS_TEST(test_replaced),
		NS_TEST(test_nameless_but_open),
		NS_TEST(test_nameless_and_nobody),
		NS_TEST(test_nameless_but_found),
		NS_TEST(test_recovering),
		NS_TEST(test_create_finds_the_name),
		NS_TEST(test_search),
		NS_TEST(test_bucket_gone),
		NS_TEST(test_dated_in_the_future),
		NS_TEST(test_altered_handle),
		NS_TEST(test_guessed_handle),
		NS_TEST(test_handle_of_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
