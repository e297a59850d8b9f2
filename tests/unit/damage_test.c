// SPDX-License-Identifier: Apache-2.0
/* Content that the disk lost: who reads it gets an error, and neither zeros nor a promise. */
#include <limits.h>
#include <gemel/file.h>
#include "gateway/meta/record/codec.h"
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

#define LARGE 300000 /* a blob file of its own */

static char large[LARGE];

static void setup_large(void)
{
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 7 % 251 + 1);
}

static gml_ino ino_of(struct ns *ns, const char *key)
{
	struct gml_object_info info = {0};
	assert_ok(object_head(ns, ns_span(key), &info));
	return info.ino;
}

static void inode_of(struct ns *ns, const char *key, struct gml_inode *out)
{
	struct gml_txn *txn;
	gml_ino ino = ino_of(ns, key);
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_inode_get(txn, ino, out));
	gml_meta_read_end(txn);
}

/* The file that holds the bytes of blob `id`. */
static void blob_path(struct ns *ns, uint64_t id, char path[PATH_MAX])
{
	struct gml_blob *blob;
	uint64_t base;
	char fd[64];
	ssize_t len;
	assert_ok(gml_blob_open(ns->store->data, id, 0, &blob));
	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", gml_blob_fd(blob, id, &base));
	len = readlink(fd, path, PATH_MAX - 1);
	assert_true(len > 0);
	path[len] = 0;
	gml_blob_unref(blob);
}

/* A record that is no inode's, under the number of one. */
static int damage_inode(struct gml_txn *txn, void *arg)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, *(gml_ino *)arg);
	return gml_txn_put(txn, GML_TABLE_INODE, (struct gml_span){key, len}, ns_span("?"));
}

static char damage_line[600];

static void damage_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg, (void)level;
	snprintf(damage_line, sizeof(damage_line), "%s", line);
}

/* The line about a damaged record goes where the operation's lines go, and names its request: of
 * reads and of changes, by key and by handle. */
static void test_line_names_its_request(void **state)
{
	struct ns *ns = *state;
	struct gml_op op = ns->op;
	struct gml_object *object = NULL;
	struct gml_attr attr;
	gml_ino a = ns_put(ns, ns->bucket, "a", "1"), b = ns_put(ns, ns->bucket, "b", "2"),
		c = ns_put(ns, ns->bucket, "c", "3");
	assert_ok(gml_meta_update(ns->store->meta, damage_inode, &a));
	assert_ok(gml_meta_update(ns->store->meta, damage_inode, &b));
	assert_ok(gml_meta_update(ns->store->meta, damage_inode, &c));
	op.log = damage_log;
	strcpy(op.request_id, "0123ABCD");
	assert_rc(gml_object_open(&op, ns->store, OBJECT_REF(B, ns_span("a")), GML_OBJECT_FACTS,
				  &object),
		  GML_ERR_CORRUPT);
	assert_ptr_equal(strstr(damage_line, "request 0123ABCD: metadata: the record"),
			 damage_line);
	damage_line[0] = '\0';
	strcpy(op.request_id, "77");
	assert_rc(gml_inode_getattr(&op, ns->store, b, &attr), GML_ERR_CORRUPT);
	assert_ptr_equal(strstr(damage_line, "request 77: metadata: the record"), damage_line);
	damage_line[0] = '\0';
	op.request_id[0] = '\0'; /* no number: the line alone */
	assert_rc(gml_dir_remove(&op, ns->store, ns->bucket, ns_span("c"), GML_REMOVE_ANY),
		  GML_ERR_CORRUPT);
	assert_ptr_equal(strstr(damage_line, "metadata: the record"), damage_line);
	ns_close(ns);
}

static int try_open(struct ns *ns, const char *key, enum gml_object_want want)
{
	struct gml_object *object = NULL;
	int rc = gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span(key)), want, &object);
	gml_object_close(object);
	return rc;
}

/* Neither HEAD nor GET takes it for whole; what is known of it can still be asked. */
static void expect_lost(struct ns *ns, const char *key)
{
	assert_rc(try_open(ns, key, GML_OBJECT_PRESENT), GML_ERR_IO);
	assert_rc(try_open(ns, key, GML_OBJECT_CONTENT), GML_ERR_IO);
	assert_ok(try_open(ns, key, GML_OBJECT_FACTS));
}

/* path: of the file that holds it. */
static void put_large(struct ns *ns, const char *key, char path[PATH_MAX])
{
	struct gml_inode inode;
	setup_large();
	assert_ok(object_put_full(ns, &ns->op, ns_span(key), large, LARGE, 65536, LARGE, NULL, NULL,
				  NULL));
	assert_ok(try_open(ns, key, GML_OBJECT_PRESENT));
	inode_of(ns, key, &inode);
	blob_path(ns, inode.extents[0].blob, path);
}

static void test_short_blob(void **state)
{
	struct ns *ns = *state;
	char path[PATH_MAX];
	put_large(ns, "k", path);
	assert_int_equal(truncate(path, LARGE - 1), 0);
	expect_lost(ns, "k");
	ns_close(ns);
}

/* A length that was seen is not asked for again, but for HEAD, from which the next GET has it. The
 * open object keeps the sweeper from seeing it as well. */
static void test_length_is_remembered(void **state)
{
	struct ns *ns = *state;
	struct gml_object *object;
	char path[PATH_MAX];
	put_large(ns, "k", path);
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("k")),
				  GML_OBJECT_CONTENT, &object));
	assert_int_equal(truncate(path, LARGE - 1), 0);
	assert_ok(try_open(ns, "k", GML_OBJECT_CONTENT));
	expect_lost(ns, "k");
	gml_object_close(object);
	ns_close(ns);
}

static void test_missing_blob(void **state)
{
	struct ns *ns = *state;
	char path[PATH_MAX];
	put_large(ns, "k", path);
	ns_close(ns); /* with it the descriptor that is kept */
	assert_int_equal(unlink(path), 0);
	ns_open(ns);
	expect_lost(ns, "k");
	ns_close(ns);
}

static void test_pack(void **state)
{
	struct ns *ns = *state;
	struct gml_inode inode;
	char path[PATH_MAX];
	assert_ok(object_put(ns, ns_span("k"), "small"));
	assert_ok(object_put(ns, ns_span("k2"), "small as well"));
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	inode_of(ns, "k2", &inode);
	blob_path(ns, inode.extents[0].blob, path);
	ns_close(ns);
	assert_int_equal(truncate(path, 64 + 12),
			 0); /* k2's segment begins at 64, and has 13 bytes */
	ns_open(ns);
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	assert_rc(try_open(ns, "k2", GML_OBJECT_PRESENT), GML_ERR_IO);
	assert_int_not_equal(try_open(ns, "k2", GML_OBJECT_CONTENT), 0);
	ns_close(ns);
	assert_int_equal(unlink(path), 0);
	ns_open(ns);
	expect_lost(ns, "k");
	ns_close(ns);
}

/* A map of many extents in two files, which take turns: every other MiB of it was written over NFS.
 * The last one is looked at as well. */
static void test_long_map(void **state)
{
	enum { MIB = 1 << 20, CHUNKS = 20 };
	struct ns *ns = *state;
	char *bytes = calloc(CHUNKS, MIB), path[PATH_MAX];
	struct gml_inode inode;
	struct gml_file *file;
	uint64_t blob;

	assert_non_null(bytes);
	assert_ok(object_put_full(ns, &ns->op, ns_span("k"), bytes, (size_t)CHUNKS * MIB, MIB,
				  (uint64_t)CHUNKS * MIB, NULL, NULL, NULL));
	free(bytes);
	inode_of(ns, "k", &inode);
	blob = inode.extents[0].blob;
	assert_ok(gml_file_open(&ns->op, ns->store, inode.ino, GML_OPEN_READ | GML_OPEN_WRITE,
				&file));
	for (uint64_t i = 1; i < CHUNKS; i += 2)
		assert_ok(ns_write(ns, file, i * MIB, "over"));
	assert_ok(gml_file_close(&ns->op, file));
	inode_of(ns, "k", &inode);
	assert_true(inode.flags & GML_INODE_EXTENTS);
	assert_false(inode.flags & GML_INODE_DIRTY);
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	ns->op.nowait = true;
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	blob_path(ns, blob, path);
	assert_int_equal(truncate(path, (CHUNKS - 1) * MIB - 1), 0);
	assert_rc(try_open(ns, "k", GML_OBJECT_PRESENT), GML_ERR_IO);
	ns_close(ns);
}

/* A map of so many extents, each in a file of one byte of its own, or all in the first one. */
struct map {
	gml_ino ino;
	uint32_t n;
	const uint64_t *blobs;
	bool one;
};

static int map_fn(struct gml_txn *txn, void *arg)
{
	const struct map *map = arg;
	struct gml_inode inode;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < map->n; i++) {
		struct gml_extent extent = {
			.off = i, .len = 1, .blob = map->blobs[map->one ? 0 : i]};
		rc = gml_rec_extent_put(txn, &gml_line_none, map->ino, &extent);
	}
	if (rc == 0)
		rc = gml_rec_inode_get(txn, map->ino, &inode);
	if (rc != 0)
		return rc;
	inode.flags |= GML_INODE_EXTENTS;
	inode.nextents = 0;
	inode.size = map->n;
	return gml_rec_inode_put(txn, &gml_line_none, &inode);
}

static void lose(struct ns *ns, uint64_t id, off_t size)
{
	char path[PATH_MAX];
	blob_path(ns, id, path);
	assert_int_equal(truncate(path, size), 0);
}

static int read_all(void *arg, const void *buf, size_t len)
{
	(void)arg, (void)buf, (void)len;
	return 0;
}

/* HEAD looks at the first 256 files, and on an event loop at no object of so many. A GET finds what
 * is beyond. */
static void test_many_files(void **state)
{
	enum { FILES = 300 };
	struct ns *ns = *state;
	struct iovec byte = {"x", 1};
	struct gml_object *object;
	uint64_t blobs[FILES];
	struct map map = {.n = FILES, .blobs = blobs};

	assert_ok(object_put(ns, ns_span("k"), "small"));
	map.ino = ino_of(ns, "k");
	for (int i = 0; i < FILES; i++) {
		struct gml_blob *blob;
		assert_ok(gml_blob_create(ns->store->data, &blobs[i], &blob));
		assert_ok(gml_blob_write(blob, 0, &byte, 1));
		gml_blob_unref(blob);
	}
	assert_ok(gml_meta_update(ns->store->meta, map_fn, &map));
	ns->op.nowait = true;
	assert_rc(try_open(ns, "k", GML_OBJECT_PRESENT), GML_ERR_COLD);
	ns->op.nowait = false;
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	lose(ns, blobs[FILES - 1], 0);
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("k")),
				  GML_OBJECT_CONTENT, &object));
	assert_rc(gml_object_each(object, 0, FILES, read_all, NULL), GML_ERR_IO);
	gml_object_close(object);
	lose(ns, blobs[255], 0);
	assert_rc(try_open(ns, "k", GML_OBJECT_PRESENT), GML_ERR_IO);
	lose(ns, blobs[255], 1);
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	/* On an event loop 64 extents, wherever they are. */
	map.one = true;
	assert_ok(gml_meta_update(ns->store->meta, map_fn, &map));
	ns->op.nowait = true;
	assert_rc(try_open(ns, "k", GML_OBJECT_PRESENT), GML_ERR_COLD);
	map.n = 64;
	assert_ok(gml_meta_update(ns->store->meta, map_fn, &map));
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	lose(ns, blobs[0], 0);
	assert_rc(try_open(ns, "k", GML_OBJECT_PRESENT), GML_ERR_IO);
	ns_close(ns);
}

/* What NFS wrote lies in a write blob. Of a file that nobody writes, the missing end is lost, and
 * not a hole. */
static void test_write_blob(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "k", "0123456789");
	struct gml_inode inode = ns_record(ns, ino);
	struct gml_file *file;
	char path[PATH_MAX], buf[16];
	size_t got;
	bool eof;
	assert_false(inode.flags & GML_INODE_DIRTY);
	assert_ok(try_open(ns, "k", GML_OBJECT_PRESENT));
	blob_path(ns, inode.wblob, path);
	assert_int_equal(truncate(path, 9), 0);
	expect_lost(ns, "k");
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file));
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, 9}, &got, &eof));
	assert_int_equal(got, 9);
	assert_rc(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, 10}, &got, &eof),
		  GML_ERR_CORRUPT);
	assert_ok(gml_file_close(&ns->op, file));
	ns_close(ns);
	assert_int_equal(unlink(path), 0);
	ns_open(ns);
	expect_lost(ns, "k");
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file));
	assert_rc(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, 1}, &got, &eof),
		  GML_ERR_CORRUPT);
	assert_ok(gml_file_close(&ns->op, file));
	ns_close(ns);
}

/* Holes, empty files and files being written are as they were. */
static void test_nothing_lost(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = 100000};
	gml_ino hole = ns_put(ns, ns->bucket, "hole", "x"),
		empty = ns_put(ns, ns->bucket, "empty", "");
	struct gml_file *file = ns_new(ns, ns->bucket, "new");
	char zeros[100000] = "x";
	struct gml_attr attr;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, hole, &set, &attr));
	assert_ok(gml_inode_setattr(&ns->op, ns->store, empty, &set, &attr));
	ns_assert_content(ns, hole, zeros, sizeof(zeros));
	object_assert(ns, ns_span("hole"), zeros, sizeof(zeros));
	zeros[0] = 0;
	ns_assert_content(ns, empty, zeros, sizeof(zeros));
	object_assert(ns, ns_span("empty"), zeros, sizeof(zeros));
	assert_ok(try_open(ns, "hole", GML_OBJECT_PRESENT));
	assert_ok(try_open(ns, "empty", GML_OBJECT_PRESENT));
	assert_ok(try_open(ns, "new", GML_OBJECT_PRESENT));
	assert_ok(ns_write(ns, file, 50000, "far"));
	assert_ok(try_open(ns, "new", GML_OBJECT_PRESENT));
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(try_open(ns, "new", GML_OBJECT_PRESENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line_names_its_request, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_short_blob, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_length_is_remembered, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_missing_blob, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_pack, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_long_map, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_many_files, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_write_blob, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_lost, ns_setup, ns_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
