// SPDX-License-Identifier: Apache-2.0
/* The room that a file takes (st_blocks): holes count, whoever made the content, open or closed,
 * small or large. */
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

#define KIB ((uint64_t)1 << 10)
#define SLACK (16 * KIB) /* what a file system adds for its own */

static char *space_bytes(size_t len)
{
	char *buf = malloc(len);
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(i * 2654435761u >> 7 | 1);
	return buf;
}

static gml_ino space_by_nfs(struct ns *ns, const char *name, size_t len)
{
	struct gml_file *file = ns_new(ns, ns->bucket, name);
	char *buf = space_bytes(len);
	struct iovec iov = {buf, len};
	gml_ino ino = gml_file_ino(file);
	assert_ok(gml_file_write(&ns->op, file, 0, &iov, 1, false));
	assert_ok(gml_file_close(&ns->op, file));
	free(buf);
	return ino;
}

static gml_ino space_by_s3(struct ns *ns, const char *name, size_t len)
{
	char *buf = space_bytes(len);
	assert_ok(object_put_full(ns, &ns->op, ns_span(name), buf, len, 65536, len, NULL, NULL,
				  NULL));
	free(buf);
	return ns_lookup(ns, ns->bucket, name);
}

static void space_assert(struct ns *ns, gml_ino ino, uint64_t want)
{
	uint64_t space = ns_attr(ns, ino).space;
	if (space + SLACK < want || space > want + SLACK)
		fail_msg("%llu bytes of space, not about %llu", (unsigned long long)space,
			 (unsigned long long)want);
}

static struct gml_file *space_open(struct ns *ns, gml_ino ino)
{
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	return file;
}

/* `holes` of 64 KiB, with as much between; then they are filled again. */
static void space_punch_and_fill(struct ns *ns, gml_ino ino, uint64_t size, unsigned holes)
{
	struct gml_file *file = space_open(ns, ino);
	char *buf = space_bytes(size);
	struct iovec iov = {buf, size};
	uint64_t left = size - holes * 64 * KIB;
	space_assert(ns, ino, size);
	for (unsigned i = 0; i < holes; i++)
		assert_ok(gml_file_deallocate(&ns->op, file, (2 * i + 1) * 64 * KIB, 64 * KIB));
	space_assert(ns, ino, left);
	assert_ok(gml_file_close(&ns->op, file));
	space_assert(ns, ino, left);
	assert_int_equal(ns_attr(ns, ino).size, size);
	ns_close(ns);
	ns_open(ns);
	space_assert(ns, ino, left);
	file = space_open(ns, ino);
	assert_ok(gml_file_write(&ns->op, file, 0, &iov, 1, false));
	assert_ok(gml_file_close(&ns->op, file));
	assert_true(ns_attr(ns, ino).space >= size);
	assert_false(ns_record(ns, ino).flags & GML_INODE_SPARSE);
	free(buf);
}

static void test_punch(void **state)
{
	struct ns *ns = *state;
	space_punch_and_fill(ns, space_by_nfs(ns, "small", 256 * KIB), 256 * KIB, 1);
	space_punch_and_fill(ns, space_by_nfs(ns, "large", 2048 * KIB), 2048 * KIB, 10);
	space_punch_and_fill(ns, space_by_s3(ns, "object", 1024 * KIB), 1024 * KIB, 1);
	space_punch_and_fill(ns, space_by_s3(ns, "table", 1024 * KIB), 1024 * KIB,
			     7); /* more extents than a record holds */
	space_punch_and_fill(ns, space_by_s3(ns, "large table", 3072 * KIB), 3072 * KIB, 20);
}

static uint64_t space_reads(struct ns *ns)
{
	struct gml_meta_stats stats;
	gml_meta_stats_get(ns->store->meta, &stats);
	return stats.reads;
}

static bool space_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	*(uint64_t *)arg += attr->space;
	return name.len > 0;
}

/* One snapshot for an operation, also on a file with holes and many extents that is being
 * written. */
static void test_snapshots(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = space_by_s3(ns, "table", 1024 * KIB);
	struct gml_file *file = space_open(ns, ino);
	struct gml_object *object;
	struct gml_attr attr;
	uint64_t reads, off, space = 0;
	size_t n;
	bool eof;
	char c;
	for (unsigned i = 0; i < 7; i++)
		assert_ok(gml_file_deallocate(&ns->op, file, (2 * i + 1) * 64 * KIB, 64 * KIB));
	assert_ok(gml_file_close(&ns->op, file));
	file = space_open(ns, ino);
	assert_ok(ns_write(ns, file, 64 * KIB, "x"));
	assert_int_equal(ns_record(ns, ino).flags &
				 (GML_INODE_DIRTY | GML_INODE_SPARSE | GML_INODE_EXTENTS),
			 GML_INODE_DIRTY | GML_INODE_SPARSE | GML_INODE_EXTENTS);
#define ONE_SNAPSHOT(call)                                                                         \
	do {                                                                                       \
		reads = space_reads(ns);                                                           \
		assert_ok(call);                                                                   \
		assert_int_equal(space_reads(ns) - reads, 1);                                      \
	} while (0)
	ONE_SNAPSHOT(gml_file_read(&ns->op, file, 64 * KIB, (struct gml_buf){&c, 1}, &n, &eof));
	assert_int_equal(c, 'x');
	ONE_SNAPSHOT(gml_file_seek(&ns->op, file, GML_SEEK_HOLE, 0, &off, &eof));
	ONE_SNAPSHOT(gml_inode_getattr(&ns->op, ns->store, ino, &attr));
	ONE_SNAPSHOT(gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span("table"), &attr));
	ONE_SNAPSHOT(gml_dir_read(&ns->op, ns->store, ns->bucket,
				  &(struct gml_dir_query){.each = space_each, .arg = &space},
				  &eof));
	assert_int_equal(space, attr.space);
	ONE_SNAPSHOT(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("table")),
				     GML_OBJECT_FACTS, &object));
	assert_int_equal(gml_object_info(object)->size, 1024 * KIB);
	gml_object_close(object);
	assert_ok(gml_file_close(&ns->op, file));
}

static void test_packed(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = space_by_s3(ns, "packed", 60 * KIB);
	struct gml_file *file = space_open(ns, ino);
	assert_ok(gml_file_deallocate(&ns->op, file, 4 * KIB, 52 * KIB));
	assert_true(ns_attr(ns, ino).space <= 16 * KIB);
	assert_ok(gml_file_close(&ns->op, file));
	assert_true(ns_attr(ns, ino).space <= 16 * KIB);
}

static void test_truncate(void **state)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = 900 * KIB};
	struct ns *ns = *state;
	gml_ino ino = space_by_nfs(ns, "f", 100);
	struct gml_file *file;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_int_equal(ns_attr(ns, ino).size, 900 * KIB);
	assert_true(ns_attr(ns, ino).space <= SLACK);
	ino = space_by_s3(ns, "o", 100);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	assert_true(ns_attr(ns, ino).space <= SLACK);
	/* Written far out. */
	file = ns_new(ns, ns->bucket, "far");
	ino = gml_file_ino(file);
	assert_ok(ns_write(ns, file, 800 * KIB, "end"));
	assert_true(ns_attr(ns, ino).space <= SLACK);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(ns_attr(ns, ino).size, 800 * KIB + 3);
	assert_true(ns_attr(ns, ino).space <= SLACK);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_punch), T(test_packed), T(test_snapshots),
						  T(test_truncate)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
