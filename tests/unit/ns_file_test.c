// SPDX-License-Identifier: Apache-2.0
/* Inodes and open files: gateway/ns/posix/{inode,setattr,xattr,file,write,seek,finalize}.c,
 * core/{extent,etag}.c. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include "gateway/ns/core/etag.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/posix/finalize.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/ns/store/store.h"
#include "ns_support.h"

#define MIB ((uint64_t)1 << 20)

static struct gml_meta_stats stats(struct ns *ns)
{
	struct gml_meta_stats out;
	gml_meta_stats_get(ns->store->meta, &out);
	return out;
}

static struct gml_bucket usage(struct ns *ns)
{
	struct gml_bucket out;
	assert_ok(gml_bucket_head(&ns->op, ns->store, ns_span("bucket"), &out));
	return out;
}

static void resize(struct ns *ns, gml_ino ino, uint64_t size)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = size};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
}

static void test_create_modes(void **state)
{
	struct ns *ns = *state;
	const uint8_t one[8] = {1}, two[8] = {2};
	struct gml_setattr set = {.mask = GML_SET_SIZE | GML_SET_MODE, .mode = 0600};
	struct gml_file *file;
	struct gml_attr attr;
	bool created;
	gml_ino b = ns->bucket, ino;
#define CREATE(name, how, mark, attrs)                                                             \
	gml_file_create(&ns->op, ns->store, b, ns_span(name),                                      \
			&(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,             \
					     .disposition = how,                                   \
					     .verifier = mark,                                     \
					     .set = attrs,                                         \
					     .attr_out = &attr,                                    \
					     .created_out = &created},                             \
			&file)
	assert_ok(CREATE("f", GML_CREATE_GUARDED, NULL, &set));
	assert_true(created);
	assert_int_equal(attr.mode, 0600);
	ino = attr.ino;
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_ok(gml_file_close(&ns->op, file));
	assert_rc(CREATE("f", GML_CREATE_GUARDED, NULL, NULL), GML_ERR_EXIST);
	assert_null(file);
	assert_ok(CREATE("f", GML_CREATE_UNCHECKED, NULL, NULL));
	assert_false(created);
	assert_ino_equal(attr.ino, ino);
	assert_int_equal(attr.size, 5);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(CREATE("f", GML_CREATE_UNCHECKED, NULL, &set)); /* truncates */
	assert_int_equal(attr.size, 0);
	assert_ino_equal(attr.ino, ino);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, ino, "", 0);
	assert_ok(CREATE("x", GML_CREATE_EXCLUSIVE, one, NULL));
	assert_true(created);
	assert_memory_equal(attr.verifier, one, 8);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(CREATE("x", GML_CREATE_EXCLUSIVE, one, NULL));
	assert_false(created);
	assert_ok(gml_file_close(&ns->op, file));
	assert_rc(CREATE("x", GML_CREATE_EXCLUSIVE, two, NULL), GML_ERR_EXIST);
	/* No verifier is zero: a file that was made in another way is nobody's exclusive one. */
	assert_rc(CREATE("f", GML_CREATE_EXCLUSIVE, (const uint8_t[8]){0}, NULL), GML_ERR_EXIST);
	assert_rc(CREATE("x", GML_CREATE_EXCLUSIVE, NULL, NULL), GML_ERR_INVAL);
	ns_mkdir(ns, b, "d");
	assert_rc(CREATE("d", GML_CREATE_UNCHECKED, NULL, NULL), GML_ERR_ISDIR);
	assert_rc(CREATE("d", GML_CREATE_GUARDED, NULL, NULL), GML_ERR_EXIST);
	assert_rc(CREATE(".gml~f~x", GML_CREATE_GUARDED, NULL, NULL), GML_ERR_INVAL);
	assert_ok(gml_dir_mknod(&ns->op, ns->store, b, ns_span("l"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("f")}, NULL));
	assert_rc(CREATE("l", GML_CREATE_UNCHECKED, NULL, NULL), GML_ERR_INVAL);
	/* A size other than 0 is given at birth, and is a hole. */
	set.size = 1000;
	assert_ok(CREATE("sized", GML_CREATE_GUARDED, NULL, &set));
	assert_int_equal(attr.size, 1000);
	assert_int_equal(attr.space, ns_attr(ns, attr.ino).space);
	assert_ok(ns_write(ns, file, 10, "abc"));
	assert_int_equal(ns_attr(ns, attr.ino).size, 1000);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(usage(ns).objects, 3);
	assert_int_equal(usage(ns).bytes, 1000);
}

static void test_open_rights(void **state)
{
	struct ns *ns = *state;
	struct gml_op owner = ns_user(1000, 100), other = ns_user(2000, 200), ro = ns->op;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = 0444, .uid = 1000};
	struct iovec iov = {"data", 4};
	struct gml_file *file, *theirs;
	struct gml_attr attr;
	char buf[8];
	size_t got;
	bool eof;
	gml_ino ino;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket,
				    &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0777},
				    NULL));
	/* The creator's open succeeds whatever the mode; then I/O lets the owner pass. */
	assert_ok(gml_file_create(
		&owner, ns->store, ns->bucket, ns_span("f"),
		&(struct gml_create){
			.access = GML_OPEN_WRITE,
			.disposition = GML_CREATE_GUARDED,
			.set = &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0444},
			.attr_out = &attr},
		&file));
	ino = attr.ino;
	assert_ok(gml_file_write(&owner, file, 0, &iov, 1, true));
	assert_rc(gml_file_write(&other, file, 0, &iov, 1, true), GML_ERR_ACCESS);
	assert_rc(gml_file_open(&owner, ns->store, ino, GML_OPEN_WRITE, &theirs), GML_ERR_ACCESS);
	assert_ok(gml_file_open(&other, ns->store, ino, GML_OPEN_READ, &theirs));
	assert_rc(gml_file_write(&ns->op, theirs, 0, &iov, 1, false),
		  GML_ERR_ACCESS); /* not opened for it */
	/* A revoked right binds for files already open. */
	set = (struct gml_setattr){.mask = GML_SET_MODE, .mode = 0400};
	assert_ok(gml_inode_setattr(&owner, ns->store, ino, &set, NULL));
	assert_rc(gml_file_read(&other, theirs, 0, (struct gml_buf){buf, 4}, &got, &eof),
		  GML_ERR_ACCESS);
	set.mode = 0411;
	assert_ok(gml_inode_setattr(&owner, ns->store, ino, &set, NULL));
	assert_ok(gml_file_read(&other, theirs, 0, (struct gml_buf){buf, 4}, &got,
				&eof)); /* to be executed */
	assert_int_equal(got, 4);
	assert_ok(gml_file_close(&other, theirs));
	assert_ok(gml_file_close(&owner, file));
	ro.context.read_only = true;
	assert_rc(gml_file_open(&ro, ns->store, ino, GML_OPEN_WRITE, &file), GML_ERR_ROFS);
	assert_rc(gml_file_open(&ns->op, ns->store, ns->bucket, GML_OPEN_READ, &file),
		  GML_ERR_ISDIR);
	assert_rc(gml_file_open(&ns->op, ns->store, INO(424242), GML_OPEN_READ, &file),
		  GML_ERR_STALE);
}

static int open_close(struct ns *ns, struct gml_op *op, gml_ino ino, unsigned access)
{
	struct gml_file *file = NULL;
	int rc = gml_file_open(op, ns->store, ino, access, &file);
	assert_ok(gml_file_close(op, file));
	return rc;
}

/* A READ beyond the end is answered from one snapshot: a second one could show a shorter file. */
static void test_short_read(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "content");
	struct gml_file *file;
	uint64_t reads[2];
	size_t got;
	bool eof;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file));
	for (int i = 0; i < 2; i++) {
		char buf[64];
		reads[i] = stats(ns).reads;
		assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, i == 0 ? 7 : 64},
					&got, &eof));
		reads[i] = stats(ns).reads - reads[i];
		assert_int_equal(got, 7);
		assert_true(eof);
	}
	assert_int_equal(reads[0], reads[1]);
	assert_ok(gml_file_close(&ns->op, file));
}

struct cutter {
	struct ns *ns;
	gml_ino ino;
	atomic_bool stop;
};

static void *cut(void *arg)
{
	struct cutter *c = arg;
	for (uint64_t size = 1; !atomic_load(&c->stop); size = size == 1 ? 4000000 : 1)
		resize(c->ns, c->ino, size);
	return NULL;
}

/* While another client truncates the file, a READ has the bytes of some moment. */
static void test_read_while_truncated(void **state)
{
	struct ns *ns = *state;
	struct cutter cutter = {.ns = ns, .ino = ns_put(ns, ns->bucket, "f", "x")};
	struct gml_file *file;
	pthread_t thread;
	char buf[4096];
	size_t got;
	bool eof;
	assert_ok(gml_file_open(&ns->op, ns->store, cutter.ino, GML_OPEN_READ, &file));
	assert_int_equal(pthread_create(&thread, NULL, cut, &cutter), 0);
	for (int i = 0; i < 300; i++) {
		assert_ok(gml_file_read(&ns->op, file, 4000000 - 2048,
					(struct gml_buf){buf, sizeof(buf)}, &got, &eof));
		assert_true(got == 0 || got == 2048);
		assert_true(eof);
	}
	atomic_store(&cutter.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ok(gml_file_close(&ns->op, file));
}

/* A create whose answer was lost is repeated by its owner, whatever the mode; the truncation in an
 * OPEN asks for `w`, by name and by handle. */
static void test_open_again(void **state)
{
	struct ns *ns = *state;
	struct gml_op owner = ns_user(1000, 100), other = ns_user(2000, 200);
	struct gml_setattr read_only = {.mask = GML_SET_MODE, .mode = 0444};
	struct gml_setattr size = {.mask = GML_SET_SIZE};
	struct gml_create create = {.access = GML_OPEN_WRITE,
				    .disposition = GML_CREATE_EXCLUSIVE,
				    .verifier = (const uint8_t[8]){7},
				    .set = &read_only};
	struct gml_create empty = {.disposition = GML_CREATE_UNCHECKED, .set = &size};
	struct gml_file *file;
	gml_ino ino;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket,
				    &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0777},
				    NULL));
	for (int i = 0; i < 2; i++) {
		assert_ok(gml_file_create(&owner, ns->store, ns->bucket, ns_span("f"), &create,
					  &file));
		ino = gml_file_ino(file);
		assert_ok(gml_file_write(&owner, file, 0, &(struct iovec){"data", 4}, 1, false));
		assert_ok(gml_file_close(&owner, file));
	}
	assert_rc(gml_file_create(&other, ns->store, ns->bucket, ns_span("f"), &create, &file),
		  GML_ERR_ACCESS);
	assert_rc(gml_file_create(&owner, ns->store, ns->bucket, ns_span("f"), &empty, &file),
		  GML_ERR_ACCESS);
	assert_ok(gml_file_open(&owner, ns->store, ino, 0, &file));
	assert_rc(gml_file_empty(&owner, file), GML_ERR_ACCESS);
	assert_int_equal(ns_attr(ns, ino).size, 4);
	assert_ok(gml_inode_setattr(&owner, ns->store, ino, &size, NULL)); /* as SETATTR may */
	read_only.mode = 0644;
	assert_ok(gml_inode_setattr(&owner, ns->store, ino, &read_only, NULL));
	assert_ok(gml_file_empty(&owner, file));
	assert_int_equal(ns_attr(ns, ino).size, 0);
	assert_ok(gml_file_close(&owner, file));
}

/* What an OPEN may that its mode forbids: reading of what may be executed, and what its owner had
 * before. */
static void test_open_excused(void **state)
{
	struct ns *ns = *state;
	const unsigned both = GML_OPEN_READ | GML_OPEN_WRITE;
	struct gml_op owner = ns_user(1000, 100), other = ns_user(2000, 200), ro = owner;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = 0113, .uid = 1000};
	gml_ino ino = ns_put(ns, ns->bucket, "f", "x");
	ro.context.read_only = true;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_ok(open_close(ns, &owner, ino, GML_OPEN_READ)); /* to execute it */
	assert_ok(open_close(ns, &other, ino, GML_OPEN_READ));
	assert_ok(open_close(ns, &other, ino, GML_OPEN_WRITE));
	assert_rc(open_close(ns, &other, ino, both), GML_ERR_ACCESS); /* not for execution */
	set.mode = 0;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_rc(open_close(ns, &owner, ino, GML_OPEN_READ), GML_ERR_ACCESS);
	assert_ok(open_close(ns, &owner, ino, GML_OPEN_READ | GML_OPEN_RECLAIM));
	assert_ok(open_close(ns, &owner, ino, both | GML_OPEN_RECLAIM));
	assert_rc(open_close(ns, &ro, ino, both | GML_OPEN_RECLAIM), GML_ERR_ROFS);
	assert_rc(open_close(ns, &other, ino, GML_OPEN_READ | GML_OPEN_RECLAIM), GML_ERR_ACCESS);
	/* I/O asks for itself; the way is asked for at once. */
	assert_ok(open_close(ns, &other, ino, both | GML_OPEN_IO));
	set = (struct gml_setattr){.mask = GML_SET_MODE, .mode = 0700};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set, NULL));
	assert_rc(open_close(ns, &other, ino, GML_OPEN_READ | GML_OPEN_IO), GML_ERR_ACCESS);
	owner.principal.refused = true;
	assert_rc(open_close(ns, &owner, ino, GML_OPEN_READ | GML_OPEN_IO), GML_ERR_ACCESS);
}

static void test_write_read(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "f");
	gml_ino ino = gml_file_ino(file);
	uint64_t change = ns_attr(ns, ino).change;
	char buf[64];
	size_t got;
	bool eof;
	struct iovec two[2] = {{"wor", 3}, {"ld", 2}};
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_true(ns_attr(ns, ino).change > change);
	change = ns_attr(ns, ino).change;
	assert_ok(gml_file_write(&ns->op, file, 10, two, 2, true));
	assert_true(ns_attr(ns, ino).change > change);
	assert_int_equal(ns_attr(ns, ino).size, 15);
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &got, &eof));
	assert_int_equal(got, 15);
	assert_true(eof);
	assert_memory_equal(buf, "hello\0\0\0\0\0world", 15);
	assert_ok(gml_file_read(&ns->op, file, 2, (struct gml_buf){buf, 3}, &got, &eof));
	assert_int_equal(got, 3);
	assert_false(eof);
	assert_ok(gml_file_read(&ns->op, file, 12, (struct gml_buf){buf, 3}, &got, &eof));
	assert_true(eof);
	assert_ok(gml_file_read(&ns->op, file, 15, (struct gml_buf){buf, 3}, &got, &eof));
	assert_int_equal(got, 0);
	assert_true(eof);
	assert_ok(gml_file_read(&ns->op, file, UINT64_MAX, (struct gml_buf){buf, sizeof(buf)}, &got,
				&eof));
	assert_int_equal(got, 0);
	assert_true(eof);
	assert_rc(ns_write(ns, file, GML_FILE_SIZE_MAX, "x"), GML_ERR_FBIG);
	assert_rc(ns_write(ns, file, UINT64_MAX, "x"), GML_ERR_FBIG);
	assert_ok(ns_write(ns, file, 0, ""));
	change = ns_attr(ns, ino).change;
	assert_true(ns_record(ns, ino).flags & GML_INODE_DIRTY);
	assert_ok(gml_file_close(&ns->op, file));
	assert_false(ns_record(ns, ino).flags & GML_INODE_DIRTY);
	assert_int_equal(ns_record(ns, ino).size, 15);
	assert_true(ns_attr(ns, ino).change > change);
	assert_int_equal(usage(ns).bytes, 15);
	ns_assert_content(ns, ino, "hello\0\0\0\0\0world", 15);
	/* Written again, the change attribute goes on. */
	change = ns_attr(ns, ino).change;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "J"));
	assert_true(ns_attr(ns, ino).change > change);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, ino, "Jello\0\0\0\0\0world", 15);
}

/* Small files: what `cp -a` of many costs. */
static void test_commits(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_MTIME | GML_SET_ATIME, .mtime = 5, .atime = 6};
	uint64_t before, updates;
	struct gml_file *file;
	gml_ino ino;
	ns_put(ns, ns->bucket, "first", "leases a range of blob ids");
	before = stats(ns).commits;
	updates = stats(ns).updates;
	file = ns_new(ns, ns->bucket, "f");
	ino = gml_file_ino(file);
	assert_int_equal(stats(ns).updates, updates + 1); /* create */
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_ok(gml_file_commit(&ns->op, file));
	assert_int_equal(stats(ns).updates, updates + 1); /* nothing more */
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_int_equal(stats(ns).updates, updates + 2); /* settles on the way */
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(stats(ns).updates, updates + 2);
	assert_true(stats(ns).commits > before);
	assert_int_equal(ns_attr(ns, ino).mtime, 5);
	assert_int_equal(ns_attr(ns, ino).size, 5);
}

static struct {
	unsigned calls;
	off_t from, to;
} written_back;

/* The core's, in this program. */
int sync_file_range(int fd, off_t off, off_t len, unsigned flags)
{
	(void)fd;
	/* a checkpoint of the metadata, on a thread of its own */
	if (flags != SYNC_FILE_RANGE_WRITE)
		return 0;
	written_back.calls++;
	written_back.from = off;
	written_back.to = off + len;
	return 0;
}

static unsigned fsyncs;

int fsync(int fd)
{
	fsyncs++;
	return (int)syscall(SYS_fsync, fd);
}

/* One sync a file: what COMMIT did, the close does not do again. In place, COMMIT leaves the times
 * to the close. */
static void test_syncs(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	gml_ino ino;
	ns_put(ns, ns->bucket, "first", "makes the directory of the blobs");
	fsyncs = 0;
	file = ns_new(ns, ns->bucket, "f");
	ino = gml_file_ino(file);
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_int_equal(fsyncs, 0);
	assert_ok(gml_file_commit(&ns->op, file));
	assert_int_equal(fsyncs, 1);
	assert_ok(gml_file_commit(&ns->op, file));
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(fsyncs, 1);
	assert_false(ns_record(ns, ino).flags & GML_INODE_DIRTY);
	/* Without a COMMIT the close does it. */
	file = ns_new(ns, ns->bucket, "g");
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(fsyncs, 2);
	file = ns_new(ns, ns->bucket, "h");
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_ok(gml_file_commit(&ns->op, file));
	assert_ok(ns_write(ns, file, 0, "J"));
	assert_ok(gml_file_commit(&ns->op, file));
	assert_int_equal(fsyncs, 3);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(fsyncs, 4);
}

/* A stream is written back while it comes, whatever order its pieces arrive in; what is written
 * here and there is not. */
static void test_write_behind(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "f");
	static char piece[MIB];
	struct iovec iov = {piece, sizeof(piece)};
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(written_back.calls, i / 8);
		assert_ok(gml_file_write(&ns->op, file, (i ^ 1) * MIB, &iov, 1, false));
	}
	assert_int_equal(written_back.calls, 2);
	assert_int_equal(written_back.from, 8 * MIB);
	assert_int_equal(written_back.to, 16 * MIB);
	for (unsigned i = 0; i < 16; i++)
		assert_ok(gml_file_write(&ns->op, file, i * 100 * MIB, &iov, 1, false));
	assert_int_equal(written_back.calls, 2);
	assert_ok(gml_file_close(&ns->op, file));
}

static void assert_clean(struct ns *ns, gml_ino ino)
{
	assert_int_equal(ns_record(ns, ino).wblob, 0);
	assert_false(ns_record(ns, ino).flags & GML_INODE_DIRTY);
}

/* Never written: the close costs nothing, and many become clean at once, without a write blob and
 * without anybody seeing a change. */
static void test_unwritten(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	uint64_t updates;
	gml_ino inos[600];
	struct gml_attr before;
	char name[16];
	ns_put(ns, ns->bucket, "first", "leases a range of blob ids");
	updates = stats(ns).updates;
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		file = ns_new(ns, ns->bucket, name);
		inos[i] = gml_file_ino(file);
		assert_ok(gml_file_commit(&ns->op, file));
		assert_ok(gml_file_close(&ns->op, file));
	}
	/* One each, and one for all whenever there is no more room to note them. */
	assert_in_range(stats(ns).updates, updates + 600, updates + 602);
	assert_clean(ns, inos[0]);
	assert_true(ns_record(ns, inos[599]).flags & GML_INODE_DIRTY);
	assert_int_equal(ns_attr(ns, inos[599]).size, 0);
	before = ns_attr(ns, inos[599]);
	ns_check(ns);
	updates = stats(ns).updates;
	gml_store_finalize(&ns->op, ns->store);
	assert_int_equal(stats(ns).updates, updates + 1);
	for (unsigned i = 0; i < 600; i++)
		assert_clean(ns, inos[i]);
	assert_int_equal(ns_attr(ns, inos[599]).change, before.change);
	assert_int_equal(ns_attr(ns, inos[599]).mtime, before.mtime);
	assert_int_equal(ns_attr(ns, inos[599]).ctime, before.ctime);
	gml_store_finalize(&ns->op, ns->store);
	assert_int_equal(stats(ns).updates, updates + 1); /* nothing is left to do */
}

static gml_ino unwritten(struct ns *ns, gml_ino parent, const char *name)
{
	struct gml_file *file = ns_new(ns, parent, name);
	gml_ino ino = gml_file_ino(file);
	assert_ok(gml_file_close(&ns->op, file));
	assert_true(ns_record(ns, ino).flags & GML_INODE_DIRTY);
	return ino;
}

/* What happens to such a file before its turn comes. */
static void test_unwritten_meanwhile(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	gml_ino written, open, gone, sized, left;
	uint64_t change;
	unsigned freed;
	written = unwritten(ns, ns->bucket, "written");
	assert_ok(gml_file_open(&ns->op, ns->store, written, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_ok(gml_file_close(&ns->op, file));
	open = unwritten(ns, ns->bucket, "open");
	assert_ok(gml_file_open(&ns->op, ns->store, open, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "hello"));
	gone = unwritten(ns, ns->bucket, "gone");
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("gone"), GML_REMOVE_FILE));
	sized = unwritten(ns, ns->bucket, "sized");
	resize(ns, sized, 7);
	left = unwritten(ns, ns->bucket, "left");
	gml_store_finalize(&ns->op, ns->store);
	ns_assert_content(ns, written, "hello", 5);
	assert_false(ns_record(ns, written).flags & GML_INODE_DIRTY);
	assert_true(ns_record(ns, open).flags & GML_INODE_DIRTY);
	ns_assert_content(ns, open, "hello", 5);
	assert_true(ns_record(ns, gone).flags & GML_INODE_ORPHAN);
	ns_assert_content(ns, sized, "\0\0\0\0\0\0\0", 7);
	assert_clean(ns, left);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, open, "hello", 5);
	ns_check(ns);
	/* An orphan that never had a file is freed. */
	assert_ok(gml_store_reap(&ns->op, ns->store, &(struct gml_reap){.max = 10}, &freed));
	assert_int_equal(freed, 1);
	/* Written after it became clean. */
	change = ns_attr(ns, left).change;
	assert_ok(gml_file_open(&ns->op, ns->store, left, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "hello"));
	assert_true(ns_attr(ns, left).change > change);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, left, "hello", 5);
	/* The end of the process settles what is left. */
	left = unwritten(ns, ns->bucket, "last");
	ns_close(ns);
	ns_open(ns);
	assert_clean(ns, left);
}

static void test_times(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "hello");
	struct gml_attr before = ns_attr(ns, ino), attr;
	struct gml_setattr set = {.mask = GML_SET_MTIME, .mtime = INT64_C(1000000000123456789)};
	struct gml_file *file;
	usleep(20000);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, &attr));
	assert_int_equal(attr.mtime, set.mtime);
	assert_true(attr.ctime > before.ctime);
	assert_int_equal(attr.atime, before.atime);
	assert_int_equal(attr.btime, before.btime);
	/* Going DIRTY keeps it until a byte changes. */
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_int_equal(ns_attr(ns, ino).mtime, set.mtime);
	assert_ok(gml_file_allocate(&ns->op, file, 0, 5));
	assert_ok(ns_write(ns, file, 0, "x"));
	attr = ns_attr(ns, ino);
	assert_true(attr.mtime > before.mtime && attr.ctime >= attr.mtime);
	/* While DIRTY. */
	set.mtime = 77;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, &attr));
	assert_int_equal(attr.mtime, 77);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(ns_attr(ns, ino).mtime, 77);
	set = (struct gml_setattr){.mask = GML_SET_MTIME_NOW | GML_SET_ATIME_NOW};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, &attr));
	assert_true(attr.mtime > before.mtime && attr.atime > before.atime);
}

static void test_setattr_rights(void **state)
{
	struct ns *ns = *state;
	struct gml_op owner = ns_user(1000, 100), other = ns_user(2000, 200);
	gml_ino ino = ns_put(ns, ns->bucket, "f", "hello"), d = ns_mkdir(ns, ns->bucket, "d");
	struct gml_attr attr;
#define SET(who, ...)                                                                              \
	gml_inode_setattr(who, ns->store, ino, &(struct gml_setattr){__VA_ARGS__}, &attr)
	assert_ok(SET(&ns->op, .mask = GML_SET_UID | GML_SET_GID | GML_SET_MODE, .uid = 1000,
		      .gid = 100, .mode = 06755));
	assert_int_equal(attr.mode, 06755);
	assert_rc(SET(&other, .mask = GML_SET_MODE, .mode = 0777), GML_ERR_PERM);
	assert_rc(SET(&owner, .mask = GML_SET_UID, .uid = 2000), GML_ERR_PERM);
	assert_rc(SET(&owner, .mask = GML_SET_GID, .gid = 200), GML_ERR_PERM);
	assert_rc(SET(&other, .mask = GML_SET_MTIME, .mtime = 1), GML_ERR_PERM);
	assert_rc(SET(&other, .mask = GML_SET_MTIME_NOW), GML_ERR_ACCESS);
	assert_rc(SET(&other, .mask = GML_SET_SIZE), GML_ERR_ACCESS);
	assert_ok(SET(&owner, .mask = GML_SET_GID, .gid = 100)); /* suid and sgid go */
	assert_int_equal(attr.mode, 0755);
	assert_ok(SET(&owner, .mask = GML_SET_MODE, .mode = 0622));
	assert_ok(SET(&other, .mask = GML_SET_MTIME_NOW));
	assert_ok(SET(&other, .mask = GML_SET_SIZE, .size = 3));
	assert_int_equal(attr.size, 3);
	assert_ok(SET(&ns->op, .mask = GML_SET_MODE | GML_SET_GID, .mode = 02755, .gid = 300));
	/* not in the group: no setgid */
	assert_ok(SET(&owner, .mask = GML_SET_MODE, .mode = 02755));
	assert_int_equal(attr.mode, 0755);
	assert_rc(SET(&ns->op, .mask = GML_SET_SIZE, .size = GML_FILE_SIZE_MAX + 1), GML_ERR_FBIG);
	assert_rc(gml_inode_setattr(&ns->op, ns->store, d,
				    &(struct gml_setattr){.mask = GML_SET_SIZE}, NULL),
		  GML_ERR_ISDIR);
	other.context.read_only = true;
	assert_rc(SET(&other, .mask = GML_SET_SIZE), GML_ERR_ROFS);
	assert_rc(gml_inode_setattr(&ns->op, ns->store, INO(424242),
				    &(struct gml_setattr){.mask = GML_SET_MODE}, NULL),
		  GML_ERR_STALE);
}

static void test_suid_cleared_by_write(void **state)
{
	struct ns *ns = *state;
	struct gml_op user = ns_user(1000, 100);
	gml_ino ino = ns_put(ns, ns->bucket, "f", "hello");
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 06777};
	struct gml_file *file;
	struct iovec iov = {"x", 1};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_ok(gml_file_open(&user, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "r"));
	assert_int_equal(ns_attr(ns, ino).mode, 06777); /* uid 0 wrote */
	assert_ok(gml_file_write(&user, file, 0, &iov, 1, false));
	assert_int_equal(ns_attr(ns, ino).mode, 0777);
	assert_ok(gml_file_close(&user, file));
}

/* ---- truncation ------------------------------------------------------------------------------ */

static void test_truncate(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "0123456789");
	struct gml_file *file;
	resize(ns, ino, 4);
	ns_assert_content(ns, ino, "0123", 4);
	resize(ns, ino, 8); /* what was cut off does not come back */
	ns_assert_content(ns, ino, "0123\0\0\0\0", 8);
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 6, "ab"));
	resize(ns, ino, 7);
	resize(ns, ino, 10);
	ns_assert_content(ns, ino, "0123\0\0a\0\0\0", 10);
	assert_ok(ns_write(ns, file, 9, "z"));
	ns_assert_content(ns, ino, "0123\0\0a\0\0z", 10);
	resize(ns, ino, 0);
	assert_int_equal(ns_attr(ns, ino).size, 0);
	assert_ok(ns_write(ns, file, 2, "q"));
	ns_assert_content(ns, ino, "\0\0q", 3);
	resize(ns, ino, 0);
	resize(ns, ino, 5);
	ns_assert_content(ns, ino, "\0\0\0\0\0", 5);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(usage(ns).bytes, 5);
	resize(ns, ino, 0);
	assert_int_equal(usage(ns).bytes, 0);
}

/* A crash came between a truncation's commit and that of the write blob's file: its rubbish must
 * never show. */
static void test_truncate_rubbish(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "0123456789");
	struct iovec iov = {"rubbish", 7};
	struct gml_file *file;
	struct gml_blob *blob;
	resize(ns, ino, 4);
	assert_ok(gml_blob_open(ns->store->data, ns_record(ns, ino).wblob, 0, &blob));
	assert_ok(gml_blob_write(blob, 4, &iov, 1));
	ns_assert_content(ns, ino, "0123", 4);
	resize(ns, ino, 8);
	ns_assert_content(ns, ino, "0123\0\0\0\0", 8);
	assert_ok(gml_blob_write(blob, 8, &iov, 1));
	gml_blob_unref(blob);
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 10, "x"));
	ns_assert_content(ns, ino, "0123\0\0\0\0\0\0x", 11);
	assert_ok(gml_file_close(&ns->op, file));
}

/* ---- S3 content under NFS's hands ------------------------------------------------------------ */

struct built {
	gml_ino ino;
	struct gml_extent extents[8];
	struct gml_fresh_blob fresh[8];
	struct gml_sums sums[8];
	unsigned count;
	uint64_t size;
};

static int built_txn(struct gml_txn *txn, void *argp)
{
	struct built *b = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, b->ino, &inode);
	for (unsigned i = 0; rc == 0 && i < b->count; i++)
		rc = gml_extent_add(txn, &inode, &b->extents[i], &b->fresh[i]);
	if (rc == 0)
		rc = gml_usage_add(txn, inode.bucket, (int64_t)b->size - (int64_t)inode.size, 0);
	inode.size = b->size;
	inode.flags |= GML_INODE_MD5;
	inode.md5[3] = 3;
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

/* A file of `count` extents of `len` bytes each, every second one missing if `holes`; its bytes in
 * `model`. */
static gml_ino build(struct ns *ns, const char *name, unsigned count, uint64_t len, bool holes,
		     uint8_t *model)
{
	struct built b = {.ino = ns_put(ns, ns->bucket, name, "")};
	for (unsigned i = 0; i < count; i++) {
		uint8_t *bytes = model + i * len;
		struct gml_extent *extent = &b.extents[b.count];
		if (holes && i % 2) {
			memset(bytes, 0, len);
			continue;
		}
		for (uint64_t n = 0; n < len; n++)
			bytes[n] = (uint8_t)(i * 31 + n * 7 + n / 251);
		extent->off = i * len;
		extent->len = len;
		b.fresh[b.count].len = len;
		if (len <= GML_PACK_SEGMENT_MAX) {
			assert_ok(gml_pack_append(ns->store->data, bytes, len, &extent->blob,
						  &b.fresh[b.count].crc));
		} else {
			struct gml_blob *blob;
			struct iovec iov = {bytes, len};
			assert_ok(gml_blob_create(ns->store->data, &extent->blob, &blob));
			assert_ok(gml_blob_write(blob, 0, &iov, 1));
			assert_ok(gml_blob_sync(blob));
			gml_blob_unref(blob);
			assert_ok(gml_sums_add(&b.sums[b.count], bytes, len));
			assert_ok(gml_sums_end(&b.sums[b.count]));
			b.fresh[b.count].sums = &b.sums[b.count];
		}
		b.count++;
	}
	b.size = count * len;
	assert_ok(gml_meta_update(ns->store->meta, built_txn, &b));
	for (unsigned i = 0; i < b.count; i++)
		gml_sums_release(&b.sums[i]);
	return b.ino;
}

static void assert_model(struct ns *ns, gml_ino ino, const uint8_t *model, uint64_t size)
{
	ns_assert_content(ns, ino, (const char *)model, size);
}

static void poke(struct ns *ns, struct gml_file *file, uint8_t *model, uint64_t off, size_t len)
{
	struct iovec iov;
	uint8_t *bytes = malloc(len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(200 + i);
	memcpy(model + off, bytes, len);
	iov = (struct iovec){bytes, len};
	assert_ok(gml_file_write(&ns->op, file, off, &iov, 1, false));
	free(bytes);
}

static void test_copy_on_write(void **state)
{
	struct ns *ns = *state;
	uint64_t len = 700000, size = 6 * len;
	uint8_t *model = calloc(1, size + MIB);
	gml_ino ino = build(ns, "f", 6, len, true, model);
	struct gml_inode before = ns_record(ns, ino), after;
	char etag[GML_ETAG_MAX + 1], etag2[GML_ETAG_MAX + 1];
	struct gml_file *file;
	unsigned freed;
	assert_model(ns, ino, model, size);
	gml_etag_format(&before, before.change, etag);
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	poke(ns, file, model, 100, 10); /* within an extent */
	assert_model(ns, ino, model, size);
	poke(ns, file, model, len + 5, 10);	    /* in a hole, but in a chunk that was copied */
	poke(ns, file, model, 2 * MIB - 20, 40);    /* across two chunks */
	poke(ns, file, model, 3 * MIB + 1000, MIB); /* a whole chunk's worth */
	poke(ns, file, model, size - 3, 10);	    /* grows */
	assert_int_equal(ns_attr(ns, ino).size, size + 7);
	assert_model(ns, ino, model, size + 7);
	assert_ok(gml_file_close(&ns->op, file));
	assert_model(ns, ino, model, size + 7);
	after = ns_record(ns, ino);
	assert_false(after.flags & GML_INODE_MD5);
	gml_etag_format(&after, after.change, etag2);
	assert_string_not_equal(etag, etag2);
	/* The blobs that nothing needs any more are freed in time, and nothing else. */
	assert_ok(gml_store_reap(&ns->op, ns->store, &(struct gml_reap){.max = 100}, &freed));
	assert_true(freed > 0);
	assert_model(ns, ino, model, size + 7);
	free(model);
}

static void test_truncate_extents(void **state)
{
	struct ns *ns = *state;
	uint64_t len = 50000, size = 8 * len;
	uint8_t *model = calloc(1, size);
	gml_ino ino = build(ns, "f", 8, len, false, model); /* more than fit inline */
	struct gml_file *file;
	assert_true(ns_record(ns, ino).flags & GML_INODE_EXTENTS);
	assert_model(ns, ino, model, size);
	resize(ns, ino, 2 * len + 10);
	memset(model + 2 * len + 10, 0, size - (2 * len + 10));
	assert_model(ns, ino, model, 2 * len + 10);
	resize(ns, ino, size);
	assert_model(ns, ino, model, size);
	assert_false(ns_record(ns, ino).flags & GML_INODE_MD5);
	/* While DIRTY: the record's size is taken from the write blob on the way. */
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	poke(ns, file, model, size - 100, 50);
	resize(ns, ino, len - 5);
	resize(ns, ino, size);
	memset(model + len - 5, 0, size - (len - 5));
	assert_model(ns, ino, model, size);
	poke(ns, file, model, 10, 10);
	resize(ns, ino, 0);
	resize(ns, ino, 100);
	memset(model, 0, size);
	assert_model(ns, ino, model, 100);
	assert_ok(gml_file_close(&ns->op, file));
	assert_model(ns, ino, model, 100);
	free(model);
}

static void test_sparse(void **state)
{
	struct ns *ns = *state;
	uint64_t len = 65536, size = 4 * len, at;
	uint8_t *model = calloc(1, size + 4 * MIB);
	gml_ino ino = build(ns, "f", 4, len, true, model);
	struct gml_file *file;
	bool eof;
#define SEEK(what, off) gml_file_seek(&ns->op, file, GML_SEEK_##what, off, &at, &eof)
#define AT(want, end) (assert_int_equal(at, want), assert_int_equal(eof, end))
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(SEEK(DATA, 10));
	AT(10, false);
	assert_ok(SEEK(HOLE, 10));
	AT(len, false);
	assert_ok(SEEK(DATA, len));
	AT(2 * len, false);
	assert_ok(SEEK(HOLE, 2 * len));
	AT(3 * len, false);
	assert_ok(SEEK(DATA, 3 * len));
	AT(size, true);
	assert_rc(SEEK(DATA, size), GML_ERR_NXIO);
	assert_rc(SEEK(HOLE, size + 1), GML_ERR_NXIO);
	/* Writes into a hole, then the merged map. */
	poke(ns, file, model, len + 8192, 4096);
	assert_ok(SEEK(DATA, len));
	assert_true(at <= len + 8192);
	assert_ok(SEEK(HOLE, 0));
	assert_true(at >= len);
	assert_model(ns, ino, model, size);
	assert_ok(gml_file_allocate(&ns->op, file, size, 100));
	assert_int_equal(ns_attr(ns, ino).size, size + 100);
	assert_ok(gml_file_deallocate(&ns->op, file, 2 * len + 100,
				      len + 50)); /* from the middle of an extent */
	memset(model + 2 * len + 100, 0, len + 50);
	assert_int_equal(ns_attr(ns, ino).size, size + 100);
	assert_model(ns, ino, model, size + 100);
	assert_ok(gml_file_deallocate(&ns->op, file, 0, 10 * MIB)); /* past the end */
	assert_int_equal(ns_attr(ns, ino).size, size + 100);
	memset(model, 0, size);
	assert_model(ns, ino, model, size + 100);
	assert_ok(SEEK(DATA, 0));
	assert_true(at >= size - 4096); /* what was allocated may count as data */
	assert_rc(gml_file_allocate(&ns->op, file, 0, 0), GML_ERR_INVAL);
	assert_rc(gml_file_allocate(&ns->op, file, UINT64_MAX, 2), GML_ERR_FBIG);
	assert_ok(gml_file_close(&ns->op, file));
	assert_model(ns, ino, model, size + 100);
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file));
	assert_rc(gml_file_allocate(&ns->op, file, 0, 1), GML_ERR_ACCESS);
	assert_rc(gml_file_deallocate(&ns->op, file, 0, 1), GML_ERR_ACCESS);
	assert_ok(gml_file_close(&ns->op, file));
	free(model);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void test_orphan(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "f");
	gml_ino ino = gml_file_ino(file);
	unsigned freed;
	char buf[8];
	size_t got;
	bool eof;
	assert_ok(ns_write(ns, file, 0, "abc"));
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	assert_ok(ns_write(ns, file, 3, "def"));
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.max = 10, .is_open = gml_store_file_is_open, .arg = ns->store},
		&freed));
	assert_int_equal(freed, 0);
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, 8}, &got, &eof));
	assert_int_equal(got, 6);
	assert_memory_equal(buf, "abcdef", 6);
	assert_int_equal(usage(ns).objects, 0);
	resize(ns, ino, 2);
	assert_int_equal(usage(ns).bytes, 0);
	assert_ok(gml_file_close(&ns->op, file));
	assert_false(gml_store_file_is_open(ns->store, ino));
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.max = 10, .is_open = gml_store_file_is_open, .arg = ns->store},
		&freed));
	assert_int_equal(freed, 1);
	assert_rc(gml_inode_getattr(&ns->op, ns->store, ino, &(struct gml_attr){0}), GML_ERR_STALE);
}

static void test_quota(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL;
	struct gml_file *file;
	char block[600];
	memset(block, 'q', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	assert_ok(gml_bucket_set_quota(&admin, ns->store, ns_span("bucket"), 1000, 2));
	file = ns_new(ns, ns->bucket, "f");
	assert_ok(ns_write(ns, file, 0, block));
	assert_rc(ns_write(ns, file, 599, block), GML_ERR_DQUOT);
	assert_rc(gml_file_allocate(&ns->op, file, 0, 1001), GML_ERR_DQUOT);
	assert_rc(gml_inode_setattr(&ns->op, ns->store, gml_file_ino(file),
				    &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 1001},
				    NULL),
		  GML_ERR_DQUOT);
	assert_int_equal(ns_attr(ns, gml_file_ino(file)).size, 599);
	assert_ok(ns_write(ns, file, 401, block));
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(usage(ns).bytes, 1000);
	ns_put(ns, ns->bucket, "g", "");
	assert_rc(gml_file_create(&ns->op, ns->store, ns->bucket, ns_span("h"),
				  &(struct gml_create){.access = GML_OPEN_WRITE,
						       .disposition = GML_CREATE_GUARDED},
				  &file),
		  GML_ERR_DQUOT);
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	assert_int_equal(usage(ns).bytes, 0);
	ns_put(ns, ns->bucket, "h", "x");
}

/* Sparse files cost nothing, so anybody can reach what 64 bits count. */
static void test_usage_ends(void **state)
{
	static const struct gml_setattr most = {.mask = GML_SET_SIZE, .size = GML_FILE_SIZE_MAX};
	struct ns *ns = *state;
	gml_ino real = ns_put(ns, ns->bucket, "real", "12345"), a = ns_put(ns, ns->bucket, "a", ""),
		b;
	b = ns_put(ns, ns->bucket, "b", "");
	assert_ok(gml_inode_setattr(&ns->op, ns->store, a, &most, NULL));
	assert_rc(gml_inode_setattr(&ns->op, ns->store, b, &most, NULL), GML_ERR_DQUOT);
	assert_int_equal(ns_attr(ns, b).size, 0);
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("a"), GML_REMOVE_FILE));
	assert_int_equal(usage(ns).bytes, ns_attr(ns, real).size);
}

struct names {
	unsigned count;
	char text[256];
};

static bool names_each(void *arg, struct gml_span name)
{
	struct names *names = arg;
	names->count++;
	strncat(names->text, name.ptr, name.len);
	strcat(names->text, " ");
	return true;
}

static void test_xattr(void **state)
{
	struct ns *ns = *state;
	struct gml_op other = ns_user(2000, 200);
	gml_ino ino = ns_put(ns, ns->bucket, "f", "x");
	struct names names = {0};
	char buf[64], *big = calloc(1, GML_XATTR_VALUE_MAX + 1);
	uint64_t change;
	size_t len;
#define XSET(name, value, how) gml_xattr_set(&ns->op, ns->store, ino, ns_span(name), value, how)
#define XGET(who, name, cap)                                                                       \
	gml_xattr_get(who, ns->store, ino, ns_span(name), (struct gml_buf){buf, cap}, &len)
	change = ns_attr(ns, ino).change;
	assert_ok(XSET("user.a", ns_span("1"), GML_XATTR_CREATE));
	assert_true(ns_attr(ns, ino).change > change);
	assert_rc(XSET("user.a", ns_span("2"), GML_XATTR_CREATE), GML_ERR_EXIST);
	assert_rc(XSET("user.b", ns_span("2"), GML_XATTR_REPLACE), GML_ERR_NOXATTR);
	assert_ok(XSET("user.a", ns_span("two"), GML_XATTR_REPLACE));
	assert_ok(XSET("user.empty", ns_span(""), GML_XATTR_EITHER));
	assert_ok(XGET(&ns->op, "user.a", sizeof(buf)));
	assert_int_equal(len, 3);
	assert_memory_equal(buf, "two", 3);
	assert_ok(XGET(&ns->op, "user.a", 0));
	assert_int_equal(len, 3);
	assert_rc(XGET(&ns->op, "user.a", 2), GML_ERR_TOOBIG);
	assert_rc(XGET(&ns->op, "user.none", 2), GML_ERR_NOXATTR);
	assert_ok(XGET(&other, "user.a", sizeof(buf))); /* 0644 */
	assert_rc(gml_xattr_set(&other, ns->store, ino, ns_span("user.x"), ns_span("1"),
				GML_XATTR_EITHER),
		  GML_ERR_ACCESS);
	assert_rc(XSET("security.selinux", ns_span("1"), GML_XATTR_EITHER), GML_ERR_NOTSUP);
	assert_rc(XSET("user.", ns_span("1"), GML_XATTR_EITHER), GML_ERR_INVAL);
	assert_ok(
		XSET("user.big", ((struct gml_span){big, GML_XATTR_VALUE_MAX}), GML_XATTR_EITHER));
	assert_rc(XSET("user.big", ((struct gml_span){big, GML_XATTR_VALUE_MAX + 1}),
		       GML_XATTR_EITHER),
		  GML_ERR_TOOBIG);
	assert_ok(XSET("user.s3.meta.k", ns_span("v"), GML_XATTR_EITHER));
	assert_rc(XSET("user.s3.meta.k", ns_span("v\r\nX: y"), GML_XATTR_EITHER), GML_ERR_INVAL);
	assert_rc(XSET("user.s3.meta.K", ns_span("v"), GML_XATTR_EITHER), GML_ERR_INVAL);
	assert_rc(XSET("user.s3.meta.k", ((struct gml_span){memset(big, 'm', 2048), 2048}),
		       GML_XATTR_EITHER),
		  GML_ERR_TOOBIG);
	assert_ok(XSET("user.s3.meta.k", ((struct gml_span){big, 2047}), GML_XATTR_EITHER));
	assert_ok(gml_xattr_list(&ns->op, ns->store, ino, names_each, &names));
	assert_string_equal(names.text, "user.a user.big user.empty user.s3.meta.k ");
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.a")));
	assert_rc(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.a")), GML_ERR_NOXATTR);
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.empty")));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.big")));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.s3.meta.k")));
	assert_false(ns_record(ns, ino).flags & GML_INODE_XATTRS);
	free(big);
}

struct settle_test {
	struct gml_store *store;
	gml_ino ino;
	struct gml_finalized settled;
};

static int settle_test_txn(struct gml_txn *txn, void *argp)
{
	struct settle_test *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	if (rc == 0)
		rc = gml_finalize_apply(txn, arg->store, &inode, &arg->settled);
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

/* What was sampled for a dead writer says nothing about what another one writes by now. */
static void test_settle_too_late(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "f");
	struct settle_test arg = {.store = ns->store, .ino = gml_file_ino(file)};
	assert_ok(ns_write(ns, file, 0, "hello"));
	arg.settled = (struct gml_finalized){
		.owner = {.pid = 1}, .wblob = ns_record(ns, arg.ino).wblob, .size = 3};
	assert_rc(gml_meta_update(ns->store->meta, settle_test_txn, &arg), GML_ERR_AGAIN);
	arg.settled.owner = ns->store->self;
	arg.settled.wblob++;
	assert_rc(gml_meta_update(ns->store->meta, settle_test_txn, &arg), GML_ERR_AGAIN);
	assert_ok(gml_file_close(&ns->op, file));
	ns_assert_content(ns, arg.ino, "hello", 5);
}

static void test_etag(void **state)
{
	struct gml_inode inode = {.ino = INO(7), .flags = GML_INODE_MD5};
	char out[GML_ETAG_MAX + 1];
	(void)state;
	inode.md5[0] = 0xab;
	gml_etag_format(&inode, 0, out);
	assert_string_equal(out, "ab000000000000000000000000000000");
	inode.nparts = 10000;
	gml_etag_format(&inode, 0, out);
	assert_string_equal(out, "ab000000000000000000000000000000-10000");
	inode = (struct gml_inode){.ino = gml_ino_of(GML_INO_NUM_END - 1, GML_INO_NUM_END - 1)};
	gml_etag_format(&inode, UINT64_MAX, out);
	assert_int_equal(strlen(out), 33); /* the longest */
}

int main(void)
{
#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		NS_TEST(test_settle_too_late),
		NS_TEST(test_truncate_rubbish),
		NS_TEST(test_create_modes),
		NS_TEST(test_open_rights),
		NS_TEST(test_open_again),
		NS_TEST(test_short_read),
		NS_TEST(test_read_while_truncated),
		NS_TEST(test_open_excused),
		NS_TEST(test_write_read),
		NS_TEST(test_commits),
		NS_TEST(test_unwritten),
		NS_TEST(test_unwritten_meanwhile),
		NS_TEST(test_write_behind),
		NS_TEST(test_syncs),
		NS_TEST(test_times),
		NS_TEST(test_setattr_rights),
		NS_TEST(test_truncate),
		NS_TEST(test_suid_cleared_by_write),
		NS_TEST(test_copy_on_write),
		NS_TEST(test_truncate_extents),
		NS_TEST(test_sparse),
		NS_TEST(test_orphan),
		NS_TEST(test_quota),
		NS_TEST(test_usage_ends),
		NS_TEST(test_xattr),
		cmocka_unit_test(test_etag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
