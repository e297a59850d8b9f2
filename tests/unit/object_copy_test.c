// SPDX-License-Identifier: Apache-2.0
/* Copies: shared blobs, references down to zero, what NFS has written or is writing. */
#include "gateway/base/span.h"
#include "gateway/ns/core/etag.h"
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

static int copy(struct ns *ns, const char *from, const char *to, const struct gml_object_new *what,
		int algorithm, struct gml_object_info *info)
{
	return gml_object_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span(from)), OBJECT_REF(B, ns_span(to)),
		&(struct gml_copy_options){.attrs = what, .checksum = (enum gml_checksum)algorithm},
		info);
}

static void test_chain(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair meta = {ns_span("k"), ns_span("v")},
			     tag = {ns_span("t"), ns_span("w")};
	struct gml_object_new what = {.meta = &meta, .nmeta = 1, .tags = &tag, .ntags = 1};
	struct gml_object_info first, info;
	struct gml_object *object;
	size_t len = 200000;
	char *buf = malloc(len), from[16] = "c0", to[16];
	memset(buf, 'x', len);
	what.headers[GML_HDR_CONTENT_TYPE] = ns_span("text/x");
	assert_ok(object_put_full(ns, &ns->op, ns_span("c0"), buf, len, len, len, &what, NULL,
				  &first));
	for (int i = 1; i < 20; i++) {
		snprintf(to, sizeof(to), "c%d", i);
		assert_ok(copy(ns, from, to, NULL, 0, &info));
		assert_string_equal(info.etag, first.etag);
		assert_ino_not_equal(info.ino, first.ino);
		strcpy(from, to);
	}
	assert_int_equal(object_count(ns, GML_TABLE_BLOB), 1);
	assert_ok(
		gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("c19")), true, &object));
	assert_int_equal(gml_object_info(object)->nmeta, 1);
	assert_int_equal(gml_object_info(object)->ntags, 1);
	assert_true(gml_span_equal(gml_object_info(object)->headers[GML_HDR_CONTENT_TYPE],
				   ns_span("text/x")));
	gml_object_close(object);
	for (int i = 0; i < 19; i++) {
		snprintf(to, sizeof(to), "c%d", (i * 7) % 19);
		assert_ok(object_del(ns, ns_span(to)));
		object_reap(ns);
	}
	object_assert(ns, ns_span("c19"), buf, len);
	assert_int_equal(object_blob_files(ns), 1);
	assert_ok(object_del(ns, ns_span("c19")));
	object_assert_empty(ns);
	free(buf);
}

static void test_self(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair meta = {ns_span("k"), ns_span("2")};
	struct gml_object_new what = {.meta = &meta, .nmeta = 1};
	struct gml_object_info before, after;
	assert_ok(object_put(ns, ns_span("s"), "self"));
	assert_ok(object_head(ns, ns_span("s"), &before));
	assert_rc(copy(ns, "s", "s", NULL, 0, NULL), GML_ERR_INVAL);
	assert_ok(copy(ns, "s", "s", &what, GML_CHECKSUM_SHA1, &after));
	assert_string_equal(before.etag, after.etag);
	assert_int_equal(after.checksum.algorithm, GML_CHECKSUM_SHA1);
	struct gml_object_checksum want = object_sum(GML_CHECKSUM_SHA1, "self", 4);
	assert_memory_equal(after.checksum.value, want.value, 20);
	object_assert(ns, ns_span("s"), "self", 4);
	assert_ok(object_head(ns, ns_span("s"), &after));
	assert_int_equal(after.nmeta, 1);
	/* What NFS wrote, onto itself: the write blob becomes extents of the old inode and the
	 * new. */
	ns_put(ns, ns->bucket, "n", "written over NFS");
	assert_ok(copy(ns, "n", "n", &what, 0, NULL));
	object_assert(ns, ns_span("n"), "written over NFS", 16);
	object_reap(ns);
	object_assert(ns, ns_span("n"), "written over NFS", 16);
	assert_ok(object_del(ns, ns_span("n")));
	assert_ok(object_del(ns, ns_span("s")));
	object_assert_empty(ns);
}

static void test_errors(void **state)
{
	struct ns *ns = *state;
	struct gml_op alice = ns_user(1001, 1001);
	struct gml_conditions none = {.if_none_match = ns_span("*")},
			      match = {.if_match = ns_span("nope")};
	struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 0600};
	assert_rc(copy(ns, "none", "b", NULL, 0, NULL), GML_ERR_NOENT);
	assert_ok(object_put(ns, ns_span("a"), "a"));
	assert_rc(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("b")),
				  &(struct gml_copy_options){.src_cond = &match, .checksum = 0},
				  NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("b")),
				  &(struct gml_copy_options){.src_cond = &none, .checksum = 0},
				  NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(object_head(ns, ns_span("b"), NULL), GML_ERR_NOENT);
	assert_ok(object_put(ns, ns_span("b"), "b"));
	assert_rc(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("b")),
				  &(struct gml_copy_options){.cond = &none, .checksum = 0}, NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(ns_span("none"), ns_span("b")),
				  &(struct gml_copy_options){.checksum = 0}, NULL),
		  GML_ERR_NOBUCKET);
	assert_rc(gml_object_copy(&alice, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("c")),
				  &(struct gml_copy_options){.checksum = 0}, NULL),
		  GML_ERR_ACCESS);
	assert_ok(
		gml_inode_setattr(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "a"), &mode, NULL));
	assert_rc(gml_object_copy(&alice, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("c")),
				  &(struct gml_copy_options){.checksum = 0}, NULL),
		  GML_ERR_ACCESS);
	object_assert(ns, ns_span("b"), "b", 1);
}

/* Clean and dirty sources that NFS wrote, over holes and former extents. */
static void test_nfs_sources(void **state)
{
	struct ns *ns = *state;
	struct gml_object_info src, info;
	struct gml_file *file;
	size_t len = 3u << 20;
	char *buf = malloc(len);
	gml_ino ino;
	memset(buf, 'o', len);
	assert_ok(object_put_full(ns, &ns->op, ns_span("f"), buf, len, len, len, NULL, NULL, NULL));
	assert_ok(object_head(ns, ns_span("f"), &src));
	ino = src.ino;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, (1u << 20) + 100, "middle"));
	memcpy(buf + (1u << 20) + 100, "middle", 6);
	assert_ok(copy(ns, "f", "dirty", NULL, 0, &info)); /* by bytes */
	object_assert(ns, ns_span("dirty"), buf, len);
	assert_int_equal(strlen(info.etag), 32);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(object_head(ns, ns_span("f"), &src));
	assert_ok(copy(ns, "f", "clean", NULL, 0, &info)); /* shared */
	assert_string_not_equal(info.etag, src.etag);
	object_assert(ns, ns_span("clean"), buf, len);
	object_assert(ns, ns_span("f"), buf, len);
	/* Each goes its own way afterwards. */
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, (1u << 20) + 100, "MIDDLE"));
	assert_ok(gml_file_close(&ns->op, file));
	object_assert(ns, ns_span("clean"), buf, len);
	memcpy(buf + (1u << 20) + 100, "MIDDLE", 6);
	object_assert(ns, ns_span("f"), buf, len);
	/* A checksum is wanted: read, and so the copy has an MD5. */
	assert_ok(copy(ns, "f", "sum", NULL, GML_CHECKSUM_CRC32C, &info));
	assert_int_equal(info.checksum.algorithm, GML_CHECKSUM_CRC32C);
	assert_int_equal(strlen(info.etag), 32);
	/* Holes. */
	ino = ns_put(ns, ns->bucket, "h", "head");
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 100000, "tail"));
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(copy(ns, "h", "h2", NULL, 0, NULL));
	memset(buf, 0, len);
	memcpy(buf, "head", 4);
	memcpy(buf + 100000, "tail", 4);
	object_assert(ns, ns_span("h2"), buf, 100004);
	assert_ok(object_del(ns, ns_span("h")));
	object_reap(ns);
	object_assert(ns, ns_span("h2"), buf, 100004);
	assert_ok(object_del(ns, ns_span("h2")));
	assert_ok(object_del(ns, ns_span("f")));
	assert_ok(object_del(ns, ns_span("clean")));
	assert_ok(object_del(ns, ns_span("dirty")));
	assert_ok(object_del(ns, ns_span("sum")));
	object_assert_empty(ns);
	free(buf);
}

/* Sizes that setattr made: longer than what was written, or never written at all. */
static void test_truncated_sources(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr size = {.mask = GML_SET_SIZE};
	gml_ino ino = ns_put(ns, ns->bucket, "t", "abcdef");
	struct gml_file *file;
	char want[70000] = "abc";
	size.size = 3;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &size, NULL));
	size.size = sizeof(want);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &size, NULL));
	object_assert(ns, ns_span("t"), want, sizeof(want));
	assert_ok(copy(ns, "t", "u", NULL, 0, NULL));
	object_assert(ns, ns_span("u"), want, sizeof(want));
	object_assert(ns, ns_span("t"), want, sizeof(want));
	/* The source, now of extents, is cut, grown and written to; the copy stays. */
	size.size = 2;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &size, NULL));
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 4, "E"));
	assert_ok(gml_file_close(&ns->op, file));
	object_assert(ns, ns_span("t"), "ab\0\0E", 5);
	object_assert(ns, ns_span("u"), want, sizeof(want));
	/* Nothing but a size. */
	file = ns_new(ns, ns->bucket, "s");
	ino = gml_file_ino(file);
	assert_ok(gml_file_close(&ns->op, file));
	size.size = 5000;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &size, NULL));
	memset(want, 0, sizeof(want));
	object_assert(ns, ns_span("s"), want, 5000);
	assert_ok(copy(ns, "s", "s2", NULL, 0, NULL));
	object_assert(ns, ns_span("s2"), want, 5000);
	ns_check(ns);
	assert_ok(object_del(ns, ns_span("s")));
	assert_ok(object_del(ns, ns_span("t")));
	object_reap(ns);
	object_assert(ns, ns_span("s2"), want, 5000);
	assert_ok(object_del(ns, ns_span("s2")));
	assert_ok(object_del(ns, ns_span("u")));
	object_assert_empty(ns);
}

static void test_directory_source(void **state)
{
	struct ns *ns = *state;
	struct gml_object_info info;
	ns_mkdir(ns, ns->bucket, "d");
	assert_ok(copy(ns, "d/", "e/", NULL, 0, &info));
	assert_int_equal(info.size, 0);
	assert_string_equal(info.etag, GML_ETAG_EMPTY);
	assert_ok(object_head(ns, ns_span("e/"), &info));
	assert_false(info.directory);
	assert_ok(object_del(ns, ns_span("d/")));
	assert_ok(object_del(ns, ns_span("e/")));
	object_assert_empty(ns);
}

/* UploadPartCopy: ranges of all kinds of sources, read or known. */
static void test_part_copy(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("big");
	size_t five = 5u << 20, len = 7u << 20;
	char *buf = malloc(2 * len), id[33];
	struct gml_part_ref refs[3];
	struct gml_object_info info;
	struct gml_conditions match = {.if_match = ns_span("nope")};
	struct gml_file *file;
	uint8_t md5[16];
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(i >> 5);
	assert_ok(object_put_full(ns, &ns->op, ns_span("s"), buf, len, len, len, NULL, NULL, NULL));
	ns_put(ns, ns->bucket, "n", "over NFS");
	assert_ok(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, key),
				    &(struct gml_upload_options){.checksum = GML_CHECKSUM_CRC32},
				    id));
	for (uint32_t i = 0; i < 3; i++) {
		struct gml_span src = i == 2 ? ns_span("n") : ns_span("s");
		uint64_t off = i == 0 ? 1000 : i == 1 ? 0 : 5, n = i == 0 ? five : UINT64_MAX;
		struct gml_part part;
		assert_ok(gml_part_copy(
			&ns->op, ns->store, OBJECT_REF(B, src), UPLOAD_REF(B, key, ns_span(id)),
			&(struct gml_part_copy_options){.number = i + 1, .off = off, .len = n},
			&part));
		if (i == 0) {
			object_md5(buf + 1000, five, md5);
			assert_memory_equal(part.md5, md5, 16);
		}
		refs[i] = (struct gml_part_ref){.number = i + 1, .checksum = part.checksum};
		for (int k = 0; k < 16; k++)
			snprintf(refs[i].etag + 2 * k, 3, "%02X", part.md5[k]);
	}
	assert_rc(gml_part_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("s")),
				UPLOAD_REF(B, key, ns_span(id)),
				&(struct gml_part_copy_options){.number = 9, .off = len, .len = 1},
				NULL),
		  GML_ERR_INVAL);
	assert_rc(gml_part_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("s")),
				UPLOAD_REF(B, key, ns_span(id)),
				&(struct gml_part_copy_options){.number = 9, .off = 1, .len = len},
				NULL),
		  GML_ERR_INVAL);
	assert_rc(gml_part_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("s")),
				UPLOAD_REF(B, key, ns_span(id)),
				&(struct gml_part_copy_options){
					.number = 9, .off = 0, .len = 5, .src_cond = &match},
				NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(gml_part_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("none")),
				UPLOAD_REF(B, key, ns_span(id)),
				&(struct gml_part_copy_options){.number = 9, .off = 0, .len = 5},
				NULL),
		  GML_ERR_NOENT);
	/* DIRTY, into a part that is then replaced. */
	assert_ok(gml_file_open(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "n"), GML_OPEN_WRITE,
				&file));
	assert_ok(ns_write(ns, file, 8, "!"));
	assert_ok(gml_part_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span("n")), UPLOAD_REF(B, key, ns_span(id)),
		&(struct gml_part_copy_options){.number = 4, .off = 0, .len = UINT64_MAX}, NULL));
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(gml_part_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span("s")), UPLOAD_REF(B, key, ns_span(id)),
		&(struct gml_part_copy_options){.number = 4, .off = 9, .len = 9}, NULL));
	assert_ok(gml_part_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span("s")), UPLOAD_REF(B, key, ns_span(id)),
		&(struct gml_part_copy_options){.number = 4, .off = 9, .len = 9}, NULL));
	assert_ok(object_del(ns, ns_span("s")));
	assert_ok(object_del(ns, ns_span("n")));
	object_reap(ns);
	assert_ok(gml_upload_complete(
		&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)),
		&(struct gml_complete_options){
			.parts = refs, .nparts = 3, .has_size = true, .size = five + len + 3},
		&info));
	memmove(buf + five, buf, len);
	for (size_t i = 0; i < five; i++)
		buf[i] = (char)((i + 1000) >> 5);
	memcpy(buf + five + len, "NFS", 3);
	object_assert(ns, key, buf, five + len + 3);
	struct gml_object_checksum want = object_sum(GML_CHECKSUM_CRC32, buf, five + len + 3);
	assert_memory_equal(info.checksum.value, want.value, 4);
	/* A copy of it keeps the parts, with another checksum it is one part. */
	struct gml_object *object;
	uint64_t off, n;
	assert_ok(copy(ns, "big", "big2", NULL, 0, &info));
	assert_ok(
		gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("big2")), true, &object));
	assert_ok(gml_object_part(object, 2, &off, &n, &want));
	assert_int_equal(n, len);
	gml_object_close(object);
	assert_ok(copy(ns, "big", "big3", NULL, GML_CHECKSUM_SHA256, &info));
	assert_ok(
		gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("big3")), true, &object));
	assert_rc(gml_object_part(object, 2, &off, &n, &want), GML_ERR_INVAL);
	object_assert_bytes(object, 0, buf, five + len + 3);
	gml_object_close(object);
	assert_ok(object_del(ns, ns_span("big")));
	assert_ok(object_del(ns, ns_span("big2")));
	assert_ok(object_del(ns, ns_span("big3")));
	object_assert_empty(ns);
	free(buf);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_chain),
						  T(test_self),
						  T(test_errors),
						  T(test_nfs_sources),
						  T(test_directory_source),
						  T(test_truncated_sources),
						  T(test_part_copy)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
