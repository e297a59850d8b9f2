// SPDX-License-Identifier: Apache-2.0
/* Documents of a bucket's configuration: kept over a restart, for their owner to change, gone with
 * their bucket. And metadata whose names no attribute over NFS could have. */
#include "gateway/ns/object/object_open.h"
#include "object_support.h"

static char *document(struct ns *ns, struct gml_op *op, int want)
{
	void *buf = NULL;
	size_t len = 0;
	char *text;
	assert_rc(gml_bucket_document_get(op, ns->store, B, GML_BUCKET_TAGGING, &buf, &len), want);
	if (want != 0)
		return NULL;
	/* Not strndup, which may look for an end that buf does not have. */
	text = calloc(1, len + 1);
	assert_non_null(text);
	memcpy(text, buf, len);
	free(buf);
	return text;
}

/* One tag of that value; "" and NULL: none. */
#define TAG(value) "k\t" value "\n"

static void expect(struct ns *ns, const char *want)
{
	char *text = document(ns, &ns->op, 0);
	assert_string_equal(text, want);
	free(text);
}

static int set(struct ns *ns, struct gml_op *op, const char *text)
{
	struct gml_span span = {text, text != NULL ? strlen(text) : 0};
	return gml_bucket_document_set(op, ns->store, B, GML_BUCKET_TAGGING, span);
}

static void test_life(void **state)
{
	static const char *const bad[] = {"k", "k\n", "k\tv", "\tv\n", "k\tv\n\n", "k\tv\nl\n"};
	struct ns *ns = *state;
	struct gml_bucket_new born = {.kind = GML_BUCKET_TAGGING, .document = ns_span(TAG("born"))};
	struct gml_bucket bucket;
	uint64_t rows = object_count(ns, GML_TABLE_CONFIG);
	char *big = malloc(GML_BUCKET_DOCUMENT_MAX + 2);
	document(ns, &ns->op, GML_ERR_NOENT);
	assert_ok(set(ns, &ns->op, NULL));
	assert_ok(set(ns, &ns->op, TAG("one")));
	expect(ns, TAG("one"));
	assert_ok(set(ns, &ns->op, TAG("two")));
	ns_close(ns);
	ns_open(ns);
	expect(ns, TAG("two"));
	memset(big, 'x', GML_BUCKET_DOCUMENT_MAX + 1);
	big[1] = '\t';
	big[GML_BUCKET_DOCUMENT_MAX] = '\n';
	big[GML_BUCKET_DOCUMENT_MAX + 1] = '\0';
	assert_rc(set(ns, &ns->op, big), GML_ERR_TOOBIG);
	expect(ns, TAG("two"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(set(ns, &ns->op, bad[i]), GML_ERR_INVAL);
	expect(ns, TAG("two"));
	big[GML_BUCKET_DOCUMENT_MAX - 1] = '\n';
	big[GML_BUCKET_DOCUMENT_MAX] = '\0';
	assert_ok(set(ns, &ns->op, big));
	expect(ns, big);
	assert_ok(set(ns, &ns->op, ""));
	expect(ns, "");
	assert_ok(set(ns, &ns->op, NULL));
	document(ns, &ns->op, GML_ERR_NOENT);
	assert_int_equal(object_count(ns, GML_TABLE_CONFIG), rows);
	free(big);

	/* It goes with its bucket, by either way; a new bucket of the name has none. */
	assert_ok(set(ns, &ns->op, TAG("three")));
	assert_ok(gml_bucket_delete(&ns->op, ns->store, B));
	document(ns, &ns->op, GML_ERR_NOBUCKET);
	assert_rc(set(ns, &ns->op, TAG("x")), GML_ERR_NOBUCKET);
	ns_check(ns);
	assert_ok(gml_bucket_create(&ns->op, ns->store, B, &born, &bucket));
	expect(ns, TAG("born"));
	assert_ok(gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, B, GML_REMOVE_DIR));
	assert_int_equal(object_count(ns, GML_TABLE_CONFIG), rows);
	assert_int_equal(object_count(ns, GML_TABLE_LINE), 0); /* as its line and its usage did */
	assert_int_equal(object_count(ns, GML_TABLE_USAGE), 0);
	ns_mkbucket(ns);
	document(ns, &ns->op, GML_ERR_NOENT);
}

static void test_rights(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 0700};
	struct gml_op other = ns_user(7, 7), locked = ns->op;
	struct gml_bucket_new again = {.kind = GML_BUCKET_TAGGING, .document = ns_span(TAG("two"))};
	assert_ok(set(ns, &ns->op, TAG("one")));
	free(document(ns, &other, 0)); /* the bucket is 0755 */
	assert_rc(set(ns, &other, TAG("two")), GML_ERR_ACCESS);
	assert_rc(set(ns, &other, NULL), GML_ERR_ACCESS);
	locked.context.read_only = true;
	assert_rc(set(ns, &locked, TAG("two")), GML_ERR_ROFS);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &mode, NULL));
	document(ns, &other, GML_ERR_ACCESS);
	expect(ns, TAG("one"));
	assert_rc(gml_bucket_create(&ns->op, ns->store, B, &again, NULL), GML_ERR_BUCKETOWNED);
	expect(ns, TAG("one"));
}

/* A relaxed bucket keeps its configuration durable: nothing of it is left to a later flush. */
static void test_relaxed(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL;
	struct gml_meta_stats before, after;
	assert_ok(gml_bucket_set_relaxed(&admin, ns->store, B, true));
	gml_meta_stats_get(ns->store->meta, &before);
	assert_ok(set(ns, &ns->op, TAG("one")));
	gml_meta_stats_get(ns->store->meta, &after);
	assert_true(after.syncs > before.syncs);
}

/* ---- long names ---- */

#define LONG 2000

static bool name_count(void *arg, struct gml_span name)
{
	(void)name;
	++*(unsigned *)arg;
	return true;
}

/* All that a bucket is born with comes with it, in one transaction; or nothing, and no bucket. */
static void test_born_with(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL, user = ns_user(0, 0);
	struct gml_bucket_new what = {.has_mode = true,
				      .mode = 0,
				      .relaxed = true,
				      .kind = GML_BUCKET_TAGGING,
				      .document = ns_span(TAG("born"))};
	struct gml_meta_stats before, after;
	struct gml_bucket bucket;
	gml_principal_for(&admin.principal, 7, 8);
	assert_ok(gml_bucket_delete(&ns->op, ns->store, B));
	assert_rc(gml_bucket_create(&user, ns->store, B, &what, &bucket),
		  GML_ERR_PERM); /* relaxed: not for users */
	assert_rc(gml_bucket_head(&ns->op, ns->store, B, &bucket), GML_ERR_NOBUCKET);
	gml_meta_stats_get(ns->store->meta, &before);
	assert_ok(gml_bucket_create(&admin, ns->store, B, &what, &bucket));
	gml_meta_stats_get(ns->store->meta, &after);
	assert_int_equal(after.updates, before.updates + 1);
	assert_true(after.syncs > before.syncs);
	assert_true(bucket.relaxed);
	assert_int_equal(bucket.mode, 0);
	assert_int_equal(bucket.uid, 7);
	ns_check(ns);
	memset(&bucket, 0, sizeof(bucket));
	assert_ok(gml_bucket_head(&admin, ns->store, B, &bucket));
	assert_true(bucket.relaxed);
	assert_int_equal(bucket.mode, 0);
	expect(ns, TAG("born"));
	what.document.len = GML_BUCKET_DOCUMENT_MAX + 1;
	assert_ok(gml_bucket_delete(&admin, ns->store, B));
	assert_rc(gml_bucket_create(&admin, ns->store, B, &what, &bucket), GML_ERR_TOOBIG);
	assert_rc(gml_bucket_head(&admin, ns->store, B, &bucket), GML_ERR_NOBUCKET);
	ns_mkbucket(ns);
	/* What S3 asks before it answers for a bucket that stays as it is. */
	assert_ok(gml_bucket_may(&admin, ns->store, B, GML_ACTION_PUT_BUCKET_ACL, NULL));
	admin = ns_user(7, 7);
	assert_rc(gml_bucket_may(&admin, ns->store, B, GML_ACTION_PUT_BUCKET_ACL, NULL),
		  GML_ERR_ACCESS);
	assert_ok(gml_bucket_may(&admin, ns->store, B, GML_ACTION_HEAD_BUCKET, NULL));
	admin.principal.refused = true;
	assert_rc(gml_bucket_may(&admin, ns->store, B, GML_ACTION_HEAD_BUCKET, NULL),
		  GML_ERR_ACCESS);
}

static void test_long_names(void **state)
{
	struct ns *ns = *state;
	char name[LONG], tag[384];
	struct gml_meta_pair meta = {{name, LONG}, ns_span("value")},
			     tags[2] = {{{tag, 384}, ns_span("t")}};
	struct gml_object_new what = {.meta = &meta, .nmeta = 1, .tags = tags, .ntags = 1};
	struct gml_object *object = NULL;
	unsigned names = 0;
	gml_ino ino;
	memset(name, 'n', sizeof(name));
	memset(tag, 't', sizeof(tag));
	assert_ok(object_put_full(ns, &ns->op, ns_span("k"), "x", 1, 1, 1, &what, NULL, NULL));
	assert_ok(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("k")),
				  OBJECT_REF(B, ns_span("copy")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	for (int i = 0; i < 2; i++) {
		assert_ok(gml_object_open(&ns->op, ns->store,
					  OBJECT_REF(B, ns_span(i ? "copy" : "k")), false,
					  &object));
		assert_int_equal(gml_object_info(object)->nmeta, 1);
		assert_int_equal(gml_object_info(object)->ntags, 1);
		assert_int_equal(gml_object_info(object)->meta[0].name.len, LONG);
		assert_memory_equal(gml_object_info(object)->meta[0].name.ptr, name, LONG);
		ino = gml_object_info(object)->ino;
		gml_object_close(object);
	}
	/* Over NFS they cannot be said; what fits is shown. */
	assert_ok(gml_xattr_list(&ns->op, ns->store, ino, name_count, &names));
	assert_int_equal(names, 0);
	assert_ok(gml_xattr_set(&ns->op, ns->store, ino, ns_span("user.a"), ns_span("b"),
				GML_XATTR_EITHER));
	assert_ok(gml_xattr_list(&ns->op, ns->store, ino, name_count, &names));
	assert_int_equal(names, 1);
	/* Metadata in all is bounded, whoever sets it. */
	memset(name, 'v', sizeof(name));
	assert_rc(gml_xattr_set(&ns->op, ns->store, ino, ns_span("user.s3.meta.b"),
				(struct gml_span){name, 100}, GML_XATTR_EITHER),
		  GML_ERR_TOOBIG);
	/* Tags are replaced as a set, and the metadata beside them stays, also when it is all that
	 * is left. */
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.a")));
	tags[0].name.len = 380;
	tags[1] = (struct gml_meta_pair){ns_span("short"), ns_span("s")};
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tags, 2));
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("copy")), false,
				  &object));
	assert_int_equal(gml_object_info(object)->ntags, 2);
	gml_object_close(object);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, NULL, 0));
	ns_check(ns);
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("copy")), false,
				  &object));
	assert_int_equal(gml_object_info(object)->nmeta, 1);
	gml_object_close(object);
	/* The reaper takes them all. */
	assert_ok(object_del(ns, ns_span("k")));
	assert_ok(object_del(ns, ns_span("copy")));
	object_assert_empty(ns);
}

int main(void)
{
#define DOC(test) cmocka_unit_test_setup_teardown(test, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		DOC(test_life),	     DOC(test_rights),	   DOC(test_relaxed),
		DOC(test_born_with), DOC(test_long_names),
	};

	return cmocka_run_group_tests_name("bucket_document", tests, NULL, NULL);
}
