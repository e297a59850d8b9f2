// SPDX-License-Identifier: Apache-2.0
/* New content under the name of a file: whose it is, and what it keeps of the file. */
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

#define ALICE 1001
#define BOB 1002
#define STAFF 5000

static struct gml_op alice, bob;

static int keep_setup(void **state)
{
	static const uint32_t staff[] = {STAFF};
	struct gml_setattr open = {.mask = GML_SET_MODE, .mode = 0777};
	struct ns *ns;
	int rc = ns_setup(state);
	ns = *state;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &open, NULL));
	alice = ns_user(ALICE, ALICE);
	bob = ns_user(BOB, BOB);
	bob.principal.cred.groups = staff;
	bob.principal.cred.ngroups = 1;
	return rc;
}

static void keep_set(struct ns *ns, gml_ino ino, const char *name, const char *value)
{
	assert_ok(gml_xattr_set(&ns->op, ns->store, ino, ns_span(name), ns_span(value),
				GML_XATTR_EITHER));
}

/* alice's file, as NFS makes it: group staff, two xattrs of her own, and S3 metadata that somebody
 * set there. */
static gml_ino keep_file(struct ns *ns, const char *name, uint32_t mode)
{
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID,
				  .mode = mode,
				  .uid = ALICE,
				  .gid = STAFF};
	gml_ino ino = ns_put(ns, ns->bucket, name, "old content");
	keep_set(ns, ino, "user.colour", "red");
	keep_set(ns, ino, "user.zebra", "");
	keep_set(ns, ino, "user.s3.meta.from", "nfs");
	keep_set(ns, ino, "user.s3.other", "x");
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	set.mask = GML_SET_MODE; /* a change of owner takes setuid and setgid */
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	return ino;
}

static int keep_put(struct ns *ns, struct gml_op *op, const char *key)
{
	struct gml_meta_pair meta = {ns_span("by"), ns_span("s3")};
	struct gml_object_new what = {.meta = &meta, .nmeta = 1};
	return object_put_full(ns, op, ns_span(key), "new", 3, 3, 3, &what, NULL, NULL);
}

static void keep_assert(struct ns *ns, gml_ino ino, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct gml_attr attr = ns_attr(ns, ino);
	assert_int_equal(attr.uid, uid);
	assert_int_equal(attr.gid, gid);
	assert_int_equal(attr.mode, mode);
}

/* NULL: there is none. */
static void keep_assert_xattr(struct ns *ns, gml_ino ino, const char *name, const char *value)
{
	char buf[64];
	size_t len = 0;
	int rc = gml_xattr_get(&ns->op, ns->store, ino, ns_span(name),
			       (struct gml_buf){buf, sizeof(buf)}, &len);
	assert_rc(rc, value != NULL ? 0 : GML_ERR_NOXATTR);
	if (value == NULL)
		return;
	assert_int_equal(len, strlen(value));
	assert_memory_equal(buf, value, len);
}

static void test_owner_puts(void **state)
{
	struct ns *ns = *state;
	gml_ino old = keep_file(ns, "f", 0640), ino;
	assert_ok(keep_put(ns, &alice, "f"));
	object_assert(ns, ns_span("f"), "new", 3);
	ino = ns_lookup(ns, ns->bucket, "f");
	assert_ino_not_equal(ino, old);
	keep_assert(ns, ino, ALICE, STAFF, 0640);
	keep_assert_xattr(ns, ino, "user.colour", "red");
	keep_assert_xattr(ns, ino, "user.zebra", "");
	/* What S3 keeps with an object is the new content's. */
	keep_assert_xattr(ns, ino, "user.s3.meta.by", "s3");
	keep_assert_xattr(ns, ino, "user.s3.meta.from", NULL);
	keep_assert_xattr(ns, ino, "user.s3.other", NULL);
	/* Without metadata of its own the next one keeps the same. */
	assert_ok(object_put_full(ns, &alice, ns_span("f"), "", 0, 1, 0, NULL, NULL, NULL));
	ino = ns_lookup(ns, ns->bucket, "f");
	keep_assert(ns, ino, ALICE, STAFF, 0640);
	keep_assert_xattr(ns, ino, "user.colour", "red");
	keep_assert_xattr(ns, ino, "user.s3.meta.by", NULL);
	/* A mode that forbids its owner to write does not make it another's. */
	(void)keep_file(ns, "locked", 0444);
	assert_ok(keep_put(ns, &alice, "locked"));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "locked"), ALICE, STAFF, 0444);
	assert_ok(object_del(ns, ns_span("f")));
	assert_ok(object_del(ns, ns_span("locked")));
	object_assert_empty(ns);
}

static void test_who_may_write(void **state)
{
	struct ns *ns = *state;
	gml_ino ino;
	/* By the group. */
	(void)keep_file(ns, "shared", 0664);
	assert_ok(keep_put(ns, &bob, "shared"));
	ino = ns_lookup(ns, ns->bucket, "shared");
	keep_assert(ns, ino, ALICE, STAFF, 0664);
	keep_assert_xattr(ns, ino, "user.colour", "red");
	/* uid 0. */
	assert_ok(keep_put(ns, &ns->op, "shared"));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "shared"), ALICE, STAFF, 0664);
	/* The directory alone: what rename(2) over it does. */
	(void)keep_file(ns, "hers", 0644);
	assert_ok(keep_put(ns, &bob, "hers"));
	ino = ns_lookup(ns, ns->bucket, "hers");
	keep_assert(ns, ino, BOB, BOB, 0644);
	keep_assert_xattr(ns, ino, "user.colour", NULL);
	keep_assert_xattr(ns, ino, "user.s3.meta.by", "s3");
	/* What is no file hands nothing down. */
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("link"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("shared")},
				&(struct gml_attr){0}));
	assert_ok(keep_put(ns, &bob, "link"));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "link"), BOB, BOB, 0644);
	keep_assert(ns, ns_lookup(ns, ns->bucket, "shared"), ALICE, STAFF, 0664);
}

static void test_setuid(void **state)
{
	struct ns *ns = *state;
	(void)keep_file(ns, "tool", 06775);
	assert_ok(keep_put(ns, &bob, "tool"));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "tool"), ALICE, STAFF, 0775);
	(void)keep_file(ns, "root", 06775);
	assert_ok(keep_put(ns, &ns->op, "root")); /* as a write by root */
	keep_assert(ns, ns_lookup(ns, ns->bucket, "root"), ALICE, STAFF, 06775);
	(void)keep_file(ns, "locks", 02664); /* mandatory locking, no right */
	assert_ok(keep_put(ns, &bob, "locks"));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "locks"), ALICE, STAFF, 02664);
}

static void test_other_names(void **state)
{
	struct ns *ns = *state;
	gml_ino old = keep_file(ns, "one", 0600);
	struct gml_bucket before, after;
	struct gml_file *file;
	assert_ok(gml_dir_link(&ns->op, ns->store, old, ns->bucket, ns_span("two"), NULL));
	assert_ok(gml_file_open(&ns->op, ns->store, old, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "OLD")); /* being written */
	assert_ok(gml_bucket_head(&ns->op, ns->store, B, &before));
	assert_ok(keep_put(ns, &alice, "one"));
	assert_ok(gml_file_close(&ns->op, file));
	keep_assert(ns, ns_lookup(ns, ns->bucket, "one"), ALICE, STAFF, 0600);
	keep_assert_xattr(ns, ns_lookup(ns, ns->bucket, "one"), "user.colour", "red");
	assert_ino_equal(ns_lookup(ns, ns->bucket, "two"), old);
	keep_assert(ns, old, ALICE, STAFF, 0600);
	keep_assert_xattr(ns, old, "user.colour", "red");
	keep_assert_xattr(ns, old, "user.s3.meta.from", "nfs");
	ns_assert_content(ns, old, "OLD content", 11);
	assert_ok(gml_bucket_head(&ns->op, ns->store, B, &after));
	assert_int_equal(after.objects, before.objects + 1);
	assert_int_equal(after.bytes, before.bytes + 3);
}

static void test_copy_onto(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair meta = {ns_span("by"), ns_span("copy")};
	struct gml_object_new what = {.meta = &meta, .nmeta = 1};
	gml_ino ino;
	(void)keep_file(ns, "f", 0640);
	assert_ok(keep_put(ns, &bob, "src"));
	assert_ok(gml_object_copy(&alice, ns->store, OBJECT_REF(B, ns_span("src")),
				  OBJECT_REF(B, ns_span("f")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	ino = ns_lookup(ns, ns->bucket, "f");
	keep_assert(ns, ino, ALICE, STAFF, 0640);
	keep_assert_xattr(ns, ino, "user.colour", "red");
	keep_assert_xattr(ns, ino, "user.s3.meta.by", "s3");
	keep_assert_xattr(ns, ino, "user.s3.meta.from", NULL);
	/* Onto itself, for other metadata. */
	assert_ok(gml_object_copy(&alice, ns->store, OBJECT_REF(B, ns_span("f")),
				  OBJECT_REF(B, ns_span("f")),
				  &(struct gml_copy_options){.attrs = &what}, NULL));
	ino = ns_lookup(ns, ns->bucket, "f");
	keep_assert(ns, ino, ALICE, STAFF, 0640);
	keep_assert_xattr(ns, ino, "user.colour", "red");
	keep_assert_xattr(ns, ino, "user.s3.meta.by", "copy");
	object_assert(ns, ns_span("f"), "new", 3);
}

/* The source's content is moved by bytes while it is being written. */
static void test_copy_of_open(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	gml_ino ino;
	(void)keep_file(ns, "f", 0640);
	file = ns_new(ns, ns->bucket, "src");
	assert_ok(ns_write(ns, file, 0, "now"));
	assert_ok(gml_object_copy(&alice, ns->store, OBJECT_REF(B, ns_span("src")),
				  OBJECT_REF(B, ns_span("f")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	assert_ok(gml_file_close(&ns->op, file));
	ino = ns_lookup(ns, ns->bucket, "f");
	object_assert(ns, ns_span("f"), "now", 3);
	keep_assert(ns, ino, ALICE, STAFF, 0640);
	keep_assert_xattr(ns, ino, "user.colour", "red");
}

/* bob's upload, which the completer's rights publish. */
static void keep_upload(struct ns *ns, struct gml_op *completer, const char *key)
{
	struct gml_part_ref ref = {.number = 1};
	struct gml_part part;
	struct gml_put *put;
	uint8_t md5[16];
	char id[GML_UPLOAD_ID_LEN + 1];
	assert_ok(gml_upload_create(&bob, ns->store, OBJECT_REF(B, ns_span(key)),
				    &(struct gml_upload_options){.attrs = NULL}, id));
	assert_ok(gml_part_begin(&bob, ns->store, UPLOAD_REF(B, ns_span(key), ns_span(id)), 1, 4,
				 &put));
	assert_ok(gml_put_write(put, "part", 4));
	object_md5("part", 4, md5);
	assert_ok(gml_part_finish(&bob, put, md5, NULL, &part));
	for (int i = 0; i < 16; i++)
		snprintf(ref.etag + 2 * i, 3, "%02x", part.md5[i]);
	assert_ok(gml_upload_complete(
		completer, ns->store, UPLOAD_REF(B, ns_span(key), ns_span(id)),
		&(struct gml_complete_options){.parts = &ref, .nparts = 1}, NULL));
	object_assert(ns, ns_span(key), "part", 4);
}

static void test_upload(void **state)
{
	struct ns *ns = *state;
	(void)keep_file(ns, "shared", 0664);
	keep_upload(ns, &bob, "shared");
	keep_assert(ns, ns_lookup(ns, ns->bucket, "shared"), ALICE, STAFF, 0664);
	keep_assert_xattr(ns, ns_lookup(ns, ns->bucket, "shared"), "user.colour", "red");
	(void)keep_file(ns, "hers", 0644);
	keep_upload(ns, &bob, "hers");
	keep_assert(ns, ns_lookup(ns, ns->bucket, "hers"), BOB, BOB, 0644);
	keep_upload(ns, &ns->op, "new"); /* its uploader's, whoever completes it */
	keep_assert(ns, ns_lookup(ns, ns->bucket, "new"), BOB, BOB, 0644);
}

static const char *keep_long_name(char name[GML_XATTR_NAME_MAX + 1], unsigned n, size_t len)
{
	memset(name, 'n', GML_XATTR_NAME_MAX);
	memcpy(name, "user.", 5);
	for (size_t at = 5; at < 10; at++, n /= 10)
		name[at] = (char)('0' + n % 10);
	name[len] = '\0';
	return name;
}

/* More names than listxattr(2) can return together with what the object brings: refused, and
 * nothing changes. */
static void test_too_many_names(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = keep_file(ns, "f", 0644);
	char name[GML_XATTR_NAME_MAX + 1];
	size_t len = GML_XATTR_NAME_MAX;
	unsigned n = 0;
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.s3.meta.from")));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.s3.other")));
	for (; len > 10; n++) /* to the last byte but a few */
		while (len > 10 &&
		       gml_xattr_set(&ns->op, ns->store, ino, ns_span(keep_long_name(name, n, len)),
				     ns_span("v"), GML_XATTR_EITHER) != 0)
			len--;
	assert_rc(keep_put(ns, &alice, "f"), GML_ERR_XATTRFULL);
	assert_ino_equal(ns_lookup(ns, ns->bucket, "f"), ino);
	object_assert(ns, ns_span("f"), "old content", 11);
	keep_assert_xattr(ns, ino, "user.zebra", "");
	assert_ok(object_put_full(ns, &alice, ns_span("f"), "new", 3, 3, 3, NULL, NULL, NULL));
	ino = ns_lookup(ns, ns->bucket, "f");
	for (unsigned i = 0; i < 200; i++)
		keep_assert_xattr(ns, ino, keep_long_name(name, i, GML_XATTR_NAME_MAX), "v");
}

static void keep_number(struct ns *ns, gml_ino ino, unsigned n, size_t len)
{
	static const char value[GML_XATTR_VALUE_MAX];
	char name[32];
	snprintf(name, sizeof(name), "user.n%05u", n);
	assert_ok(gml_xattr_set(&ns->op, ns->store, ino, ns_span(name),
				(struct gml_span){value, len}, GML_XATTR_EITHER));
}

static bool keep_count_each(void *arg, struct gml_span name)
{
	++*(unsigned *)arg;
	return name.len > 0;
}

/* As many as an inode may have, or as large: with metadata they are too many, without they are all
 * kept. */
static void keep_full(struct ns *ns, const char *key, unsigned n, size_t each)
{
	gml_ino ino = ns_put(ns, ns->bucket, key, "old content");
	unsigned kept = 0;
	for (unsigned i = 0; i < n; i++)
		keep_number(ns, ino, i, each);
	assert_rc(keep_put(ns, &ns->op, key), GML_ERR_XATTRFULL);
	assert_ino_equal(ns_lookup(ns, ns->bucket, key), ino);
	object_assert(ns, ns_span(key), "old content", 11);
	assert_ok(object_put_full(ns, &ns->op, ns_span(key), "new", 3, 3, 3, NULL, NULL, NULL));
	ino = ns_lookup(ns, ns->bucket, key);
	assert_ok(gml_xattr_list(&ns->op, ns->store, ino, keep_count_each, &kept));
	assert_int_equal(kept, n);
	/* Nothing of the file is kept by who replaces what cannot be written. */
	kept = 0;
	assert_ok(keep_put(ns, &bob, key));
	assert_ok(gml_xattr_list(&ns->op, ns->store, ns_lookup(ns, ns->bucket, key),
				 keep_count_each, &kept));
	assert_int_equal(kept, 1);
}

static void test_too_many(void **state)
{
	keep_full(*state, "f", GML_XATTR_COUNT_MAX, 1);
}

static void test_too_large(void **state)
{
	keep_full(*state, "f", GML_XATTR_TOTAL_MAX / GML_XATTR_VALUE_MAX,
		  GML_XATTR_VALUE_MAX - strlen("user.n00000"));
}

static int keep_damage_fn(struct gml_txn *txn, void *arg)
{
	char name[300];
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	return gml_rec_xattr_put(txn, &gml_line_none, *(gml_ino *)arg,
				 (struct gml_span){name, sizeof(name)}, ns_span("v"));
}

/* A name that cannot be there: what follows it must not get lost. */
static void test_damaged(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = keep_file(ns, "f", 0644);
	assert_ok(gml_meta_update(ns->store->meta, keep_damage_fn, &ino));
	assert_rc(keep_put(ns, &alice, "f"), GML_ERR_CORRUPT);
	assert_ino_equal(ns_lookup(ns, ns->bucket, "f"), ino);
	keep_assert_xattr(ns, ino, "user.zebra", "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, keep_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_owner_puts), T(test_who_may_write), T(test_setuid),  T(test_other_names),
		T(test_copy_onto),  T(test_copy_of_open),  T(test_upload),  T(test_too_many_names),
		T(test_too_many),   T(test_too_large),	   T(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
