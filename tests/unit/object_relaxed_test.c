// SPDX-License-Identifier: Apache-2.0
/* A relaxed bucket: which of its changes wait for the log, and which must. That nothing but the
 * last of them is lost is what tests/crash/scratch sees. */
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/meta/lmdb/checkpoint.h"
#include "object_support.h"

#define KEEP (5 << 20)

static uint64_t flushes(struct ns *ns)
{
	struct gml_meta_stats stats;
	gml_meta_stats_get(ns->store->meta, &stats);
	return stats.syncs;
}

/* Said of a call that returned rc and flushed the log so often. */
static void relaxed_verdict(const char *what, int rc, uint64_t count, bool waits)
{
	if (rc != 0)
		fail_msg("%s: %s", what, gml_err_name(rc));
	if ((count > 0) != waits)
		fail_msg("%s: %llu flushes", what, (unsigned long long)count);
}

/* `call` succeeds, and waits for a flush of the log or not. */
#define COUNT(call, waits)                                                                         \
	do {                                                                                       \
		uint64_t before = flushes(ns);                                                     \
		int rc = (call);                                                                   \
		relaxed_verdict(#call, rc, flushes(ns) - before, waits);                           \
	} while (0)
/* With nothing left to flush before it. */
#define EARLY(call)                                                                                \
	do {                                                                                       \
		assert_ok(gml_meta_refresh(ns->store->meta));                                      \
		COUNT(call, false);                                                                \
	} while (0)
#define LATE(call)                                                                                 \
	do {                                                                                       \
		assert_ok(gml_meta_refresh(ns->store->meta));                                      \
		COUNT(call, true);                                                                 \
	} while (0)

static int relaxed_setup(void **state)
{
	struct ns *ns;
	struct gml_op admin = GML_OP_LOCAL;
	gml_checkpoint_flush_ms = 3600 * 1000;
	ns_setup(state);
	ns = *state;
	assert_ok(gml_bucket_set_relaxed(&admin, ns->store, B, true));
	assert_ok(object_put(ns, ns_span("first"), "takes the leases"));
	gml_file_close(&ns->op, ns_new(ns, ns->bucket, "blob"));
	return 0;
}

static int relaxed_mkdir(struct ns *ns, const char *name)
{
	struct gml_attr attr;
	return gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span(name), NULL, &attr);
}

static int relaxed_create(struct ns *ns, const char *name, struct gml_file **out)
{
	return gml_file_create(&ns->op, ns->store, ns->bucket, ns_span(name),
			       &(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
						    .disposition = GML_CREATE_GUARDED},
			       out);
}

static int relaxed_size(struct ns *ns, gml_ino ino, uint64_t size)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = size};
	return gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL);
}

static void test_names_and_attributes(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_MTIME, .mode = 0600, .mtime = 77};
	struct gml_attr attr;
	struct gml_file *file;
	gml_ino dir;
	EARLY(relaxed_mkdir(ns, "d"));
	dir = ns_lookup(ns, ns->bucket, "d");
	EARLY(gml_inode_setattr(&ns->op, ns->store, dir, &set, NULL));
	EARLY(relaxed_create(ns, "f", &file));
	EARLY(gml_file_close(&ns->op, file));
	EARLY(gml_inode_setattr(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "f"), &set, NULL));
	EARLY(gml_dir_link(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "f"), dir, ns_span("g"),
			   &attr));
	EARLY(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("f"), dir, ns_span("h")));
	EARLY(gml_xattr_set(&ns->op, ns->store, dir, ns_span("user.a"), ns_span("b"),
			    GML_XATTR_EITHER));
	EARLY(gml_xattr_remove(&ns->op, ns->store, dir, ns_span("user.a")));
	EARLY(gml_dir_remove(&ns->op, ns->store, dir, ns_span("g"), GML_REMOVE_FILE));
	EARLY(gml_dir_remove(&ns->op, ns->store, dir, ns_span("h"), GML_REMOVE_FILE));
	EARLY(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_DIR));
}

static void test_objects(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("a/b"), copy = ns_span("c");
	EARLY(object_put(ns, key, "one"));
	EARLY(object_put(ns, key, "another"));
	EARLY(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, key), OBJECT_REF(B, copy),
			      &(struct gml_copy_options){.src_cond = NULL}, NULL));
	EARLY(object_del(ns, key));
	object_assert(ns, copy, "another", 7);
}

static void test_what_is_stable(void **state)
{
	struct ns *ns = *state;
	struct iovec iov = {"stable", 6};
	struct gml_file *file;
	EARLY(relaxed_create(ns, "f", &file));
	EARLY(ns_write(ns, file, 0, "not yet"));
	/* The names of others were answered early, too. */
	assert_ok(relaxed_mkdir(ns, "d"));
	COUNT(gml_file_commit(&ns->op, file), true);
	COUNT(gml_file_commit(&ns->op, file), false);
	assert_ok(relaxed_mkdir(ns, "e"));
	COUNT(gml_file_write(&ns->op, file, 0, &iov, 1, true), true);
	assert_ok(relaxed_mkdir(ns, "g"));
	COUNT(gml_file_allocate(&ns->op, file, 0, 9000), true);
	assert_ok(relaxed_mkdir(ns, "h"));
	COUNT(gml_file_deallocate(&ns->op, file, 0, 9000), true);
	EARLY(gml_file_close(&ns->op, file));
}

/* A file's bytes are about to change in place, or to go: then the record that says so is durable
 * before. */
static void test_bytes_that_go(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	gml_ino ino;
	EARLY(relaxed_create(ns, "f", &file));
	ino = gml_file_ino(file);
	EARLY(ns_write(ns, file, 0, "some bytes in a write blob"));
	EARLY(gml_file_close(&ns->op, file));
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	LATE(ns_write(ns, file, 0, "SOME"));
	EARLY(ns_write(ns, file, 5, "BYTES"));
	EARLY(gml_file_close(&ns->op, file));
	LATE(relaxed_size(ns, ino, 4));
	EARLY(relaxed_size(ns, ino, 40));
	EARLY(relaxed_size(ns, ino, 0)); /* its write blob goes with an orphan, later */
	/* Behind an extent and over it: no later write shows without an earlier one. */
	EARLY(object_put(ns, ns_span("o"), "an object"));
	assert_ok(gml_file_open(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "o"), GML_OPEN_WRITE,
				&file));
	EARLY(ns_write(ns, file, 9, "!"));
	LATE(ns_write(ns, file, 3, "OBJECT"));
	EARLY(gml_file_close(&ns->op, file));
	object_assert(ns, ns_span("o"), "an OBJECT!", 10);
}

/* Orphans are freed only behind what made them such. */
static void test_reaping(void **state)
{
	struct ns *ns = *state;
	unsigned freed;
	assert_ok(object_put(ns, ns_span("o"), "going"));
	assert_ok(object_del(ns, ns_span("o")));
	COUNT(gml_store_reap(&ns->op, ns->store,
			     &(struct gml_reap){.max = 100,
						.is_open = gml_store_file_is_open,
						.arg = ns->store},
			     &freed),
	      true);
	assert_true(freed > 0);
}

static int relaxed_part(struct ns *ns, const char *id, uint32_t number, size_t len,
			struct gml_part_ref *ref)
{
	char *bytes = calloc(1, len);
	struct gml_put *put;
	struct gml_part part;
	uint8_t md5[16];
	int rc = gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, ns_span("k"), ns_span(id)),
				number, len, &put);
	if (rc == 0)
		rc = gml_put_write(put, bytes, len);
	object_md5(bytes, len, md5);
	if (rc == 0)
		rc = gml_part_finish(&ns->op, put, md5, NULL, &part);
	free(bytes);
	for (int i = 0; i < 16; i++)
		snprintf(ref->etag + 2 * i, 3, "%02x", md5[i]);
	ref->number = number;
	return rc;
}

/* Parts are durable; the object is the bucket's. Parts that are left over free their bytes at
 * once. */
static void test_uploads(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("k");
	struct gml_part_ref refs[2] = {{0}}, other = {0};
	char id[33];
	for (int extra = 0; extra < 2; extra++) {
		LATE(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, key),
				       &(struct gml_upload_options){.attrs = NULL}, id));
		LATE(relaxed_part(ns, id, 1, KEEP, &refs[0]));
		LATE(gml_part_copy(
			&ns->op, ns->store, OBJECT_REF(B, ns_span("first")),
			UPLOAD_REF(B, key, ns_span(id)),
			&(struct gml_part_copy_options){.number = 2, .off = 0, .len = UINT64_MAX},
			NULL));
		LATE(relaxed_part(ns, id, 2, 100, &refs[1]));
		if (extra)
			LATE(relaxed_part(ns, id, 3, 100, &other));
		COUNT(gml_upload_complete(
			      &ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)),
			      &(struct gml_complete_options){.parts = refs, .nparts = 2}, NULL),
		      extra);
	}
}

/* A copied part settles what NFS wrote to a relaxed bucket, and is durable all the same. */
static void test_part_of_a_file(void **state)
{
	struct ns *ns = *state;
	char id[33];
	ns_put(ns, ns->bucket, "f", "what NFS wrote");
	LATE(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, ns_span("k")),
			       &(struct gml_upload_options){.attrs = NULL}, id));
	LATE(gml_part_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span("f")),
		UPLOAD_REF(B, ns_span("k"), ns_span(id)),
		&(struct gml_part_copy_options){.number = 1, .off = 0, .len = UINT64_MAX}, NULL));
	LATE(gml_upload_abort(&ns->op, ns->store, UPLOAD_REF(B, ns_span("k"), ns_span(id))));
}

static void test_buckets(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL, user = ns_user(0, 0);
	struct gml_setattr set = {.mask = GML_SET_UID, .uid = 1000};
	struct gml_span other = ns_span("other");
	struct gml_bucket bucket;
	LATE(gml_bucket_create(&admin, ns->store, other, NULL, &bucket));
	assert_false(bucket.relaxed);
	assert_rc(gml_bucket_set_relaxed(&user, ns->store, other, true), GML_ERR_PERM);
	assert_rc(gml_bucket_set_relaxed(&admin, ns->store, ns_span("none"), true),
		  GML_ERR_NOBUCKET);
	LATE(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set,
			       NULL)); /* the bucket's owner */
	/* Strict, relaxed and strict again. */
	ns->bucket = bucket.root;
	LATE(relaxed_mkdir(ns, "a"));
	LATE(gml_bucket_set_relaxed(&admin, ns->store, other, true));
	EARLY(relaxed_mkdir(ns, "b"));
	assert_ok(gml_bucket_set_quota(&admin, ns->store, other, 0, 100));
	assert_ok(gml_bucket_head(&admin, ns->store, other, &bucket));
	assert_true(bucket.relaxed && bucket.quota_objects == 100);
	EARLY(relaxed_mkdir(ns, "c"));
	assert_ok(relaxed_mkdir(ns, "d"));
	COUNT(gml_bucket_set_relaxed(&admin, ns->store, other, false), true);
	LATE(relaxed_mkdir(ns, "e"));
	assert_ok(gml_bucket_set_relaxed(&admin, ns->store, other, true));
	for (const char *name = "abcde"; *name != '\0'; name++)
		assert_ok(gml_dir_remove(&ns->op, ns->store, bucket.root,
					 (struct gml_span){name, 1}, GML_REMOVE_DIR));
	LATE(gml_bucket_delete(&admin, ns->store, other));
}

/* A relaxed bucket beside it costs a strict one nothing of its promise. */
static void test_strict_copies(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL;
	struct gml_span strict = ns_span("strict");
	struct gml_bucket bucket;
	assert_ok(gml_bucket_create(&admin, ns->store, strict, NULL, &bucket));
	ns_put(ns, bucket.root, "f", "in a strict bucket");
	ns_put(ns, ns->bucket, "g", "in a relaxed one");
	LATE(gml_object_copy(
		&ns->op, ns->store, OBJECT_REF(strict, ns_span("f")), OBJECT_REF(B, ns_span("f")),
		&(struct gml_copy_options){.src_cond = NULL}, NULL)); /* the source's map changes */
	LATE(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("g")),
			     OBJECT_REF(strict, ns_span("g")),
			     &(struct gml_copy_options){.src_cond = NULL}, NULL));
	LATE(gml_object_delete(&ns->op, ns->store, OBJECT_REF(strict, ns_span("g")), NULL, NULL));
}

int main(void)
{
#define RELAXED(test) cmocka_unit_test_setup_teardown(test, relaxed_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		RELAXED(test_names_and_attributes),
		RELAXED(test_objects),
		RELAXED(test_what_is_stable),
		RELAXED(test_bytes_that_go),
		RELAXED(test_reaping),
		RELAXED(test_uploads),
		RELAXED(test_part_of_a_file),
		RELAXED(test_buckets),
		RELAXED(test_strict_copies),
	};

	return cmocka_run_group_tests_name("object_relaxed", tests, NULL, NULL);
}
