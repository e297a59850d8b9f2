// SPDX-License-Identifier: Apache-2.0
/* Objects among directories and other files; rights and quota. */
#include "gateway/base/span.h"
#include "gateway/ns/core/etag.h"
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/object/put.h"
#include "object_support.h"

/* ---- directories ----------------------------------------------------------------------------- */

static void test_directories(void **state)
{
	struct ns *ns = *state;
	struct gml_conditions none = {.if_none_match = ns_span("*")};
	struct gml_object *object;
	struct gml_object_info info = {0};
	gml_ino d, i;
	/* Implicit: comes and goes with its keys, and is no object. */
	assert_ok(object_put(ns, ns_span("i/j/k"), "x"));
	assert_rc(object_head(ns, ns_span("i/"), NULL), GML_ERR_NOENT);
	assert_rc(object_head(ns, ns_span("i"), NULL), GML_ERR_NOENT);
	assert_ok(object_put(ns, ns_span("i"), "file beside it"));
	i = ns_lookup(ns, ns->bucket, "i");
	assert_int_equal(ns_attr(ns, i).type, GML_DIR);
	assert_ok(object_del(ns, ns_span("i/")));
	assert_ok(object_del(ns, ns_span("i/j/k")));
	assert_ok(object_del(ns, ns_span("i")));
	object_assert_empty(ns);
	/* A marker makes its directory explicit if it was not there. */
	assert_ok(object_put(ns, ns_span("e/"), ""));
	assert_ok(object_put(ns, ns_span("e/x"), "x"));
	assert_ok(object_del(ns, ns_span("e/x")));
	assert_ok(object_head(ns, ns_span("e/"), &info));
	assert_false(info.directory);
	assert_ok(object_del(ns, ns_span("e/")));
	object_assert_empty(ns);
	/* Marker beside keys: the directory stays implicit. */
	assert_ok(object_put(ns, ns_span("m/x"), "x"));
	assert_ok(object_put(ns, ns_span("m/"), "data"));
	object_assert(ns, ns_span("m/"), "data", 4);
	assert_ok(object_del(ns, ns_span("m/")));
	assert_ok(object_del(ns, ns_span("m/x")));
	object_assert_empty(ns);
	/* mkdir over NFS: an object of its own kind. */
	d = ns_mkdir(ns, ns->bucket, "d");
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("d/")), true, &object));
	assert_true(gml_object_info(object)->directory);
	assert_int_equal(gml_object_info(object)->size, 0);
	assert_ino_equal(gml_object_info(object)->ino, d);
	assert_string_equal(gml_object_info(object)->etag, GML_ETAG_EMPTY);
	assert_true(gml_span_equal(gml_object_info(object)->headers[GML_HDR_CONTENT_TYPE],
				   ns_span("application/x-directory")));
	gml_object_close(object);
	assert_rc(object_put_full(ns, &ns->op, ns_span("d/"), "", 0, 1, 0, NULL, &none, NULL),
		  GML_ERR_PRECONDITION);
	assert_ok(object_put(ns, ns_span("d/x"), "x"));
	assert_ok(object_del(ns, ns_span("d/x")));
	assert_ino_equal(ns_lookup(ns, ns->bucket, "d"), d);
	assert_ok(object_put(ns, ns_span("d/y"), "y"));
	assert_ok(object_del(ns, ns_span("d/")));
	assert_rc(object_head(ns, ns_span("d/"), NULL), GML_ERR_NOENT);
	assert_ok(object_head(ns, ns_span("d/y"), NULL));
	assert_ok(object_del(ns, ns_span("d/y")));
	object_assert_empty(ns);
}

static void test_not_objects(void **state)
{
	struct ns *ns = *state;
	struct object_listing *got = calloc(1, sizeof(*got));
	struct gml_conditions none = {.if_none_match = ns_span("*")};
	struct gml_attr attr;
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("link"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("target")},
				&attr));
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("fifo"),
				&(struct gml_node){.type = GML_FIFO}, &attr));
	assert_rc(object_head(ns, ns_span("link"), NULL), GML_ERR_NOENT);
	assert_ok(object_del(ns, ns_span("link")));
	assert_ino_not_equal(ns_lookup(ns, ns->bucket, "link"), GML_INO_NONE);
	assert_ok(object_list_all(ns, &ns->op, ns_span(""), ns_span(""), ns_span(""), 10, got));
	assert_int_equal(got->n, 0);
	assert_ok(object_put_full(ns, &ns->op, ns_span("link"), "x", 1, 1, 1, NULL, &none, NULL));
	object_assert(ns, ns_span("link"), "x", 1);
	assert_ok(object_del(ns, ns_span("link")));
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("fifo"), GML_REMOVE_ANY));
	object_assert_empty(ns);
	free(got);
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_access(void **state)
{
	struct ns *ns = *state;
	struct gml_op alice = ns_user(1001, 1001), reader = ns->op;
	struct gml_setattr mode = {.mask = GML_SET_MODE};
	struct object_listing *got = calloc(1, sizeof(*got));
	struct gml_object *object;
	struct gml_put *put;
	gml_ino dir;
	assert_ok(object_put(ns, ns_span("pub/a"), "a"));
	assert_ok(object_put(ns, ns_span("priv/b"), "b"));
	assert_ok(object_put(ns, ns_span("search/c"), "c"));
	assert_ok(object_put(ns, ns_span("zzz"), "z"));
	dir = ns_lookup(ns, ns->bucket, "priv");
	mode.mode = 0700;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &mode, NULL));
	dir = ns_lookup(ns, ns->bucket, "search");
	mode.mode = 0711;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &mode, NULL));
	assert_rc(gml_put_begin(&alice, ns->store, OBJECT_REF(B, ns_span("new")), 1, &put),
		  GML_ERR_ACCESS);
	assert_rc(gml_put_begin(&alice, ns->store, OBJECT_REF(B, ns_span("new/dir/x")), 1, &put),
		  GML_ERR_ACCESS);
	assert_rc(gml_object_delete(&alice, ns->store, OBJECT_REF(B, ns_span("zzz")), NULL, NULL),
		  GML_ERR_ACCESS);
	assert_rc(
		gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("priv/b")), true, &object),
		GML_ERR_ACCESS);
	assert_rc(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("priv/none")), true,
				  &object),
		  GML_ERR_ACCESS);
	assert_rc(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("search/none")), true,
				  &object),
		  GML_ERR_ACCESS);
	assert_rc(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("search/no/ne")), true,
				  &object),
		  GML_ERR_ACCESS);
	assert_rc(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("pub/none")), true,
				  &object),
		  GML_ERR_NOENT);
	assert_ok(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("search/c")), true,
				  &object));
	gml_object_close(object);
	/* A file's own mode. */
	assert_ok(object_head(ns, ns_span("zzz"), NULL));
	mode.mode = 0600;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "zzz"), &mode,
				    NULL));
	assert_rc(gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("zzz")), true, &object),
		  GML_ERR_ACCESS);
	assert_ok(
		gml_object_open(&alice, ns->store, OBJECT_REF(B, ns_span("zzz")), false, &object));
	gml_object_close(object);
	/* Listings leave out what may not be read; the prefix's own directory must be. */
	assert_ok(object_list_all(ns, &alice, ns_span(""), ns_span(""), ns_span(""), 10, got));
	assert_int_equal(got->n, 2);
	assert_string_equal(got->keys[0], "pub/a");
	object_listing_free(got);
	assert_ok(object_list_all(ns, &alice, ns_span(""), ns_span("/"), ns_span(""), 10, got));
	assert_int_equal(got->n, 2);
	object_listing_free(got);
	assert_rc(object_list_all(ns, &alice, ns_span("priv/"), ns_span(""), ns_span(""), 10, got),
		  GML_ERR_ACCESS);
	assert_rc(
		object_list_all(ns, &alice, ns_span("search/"), ns_span(""), ns_span(""), 10, got),
		GML_ERR_ACCESS);
	assert_rc(object_list_all(ns, &alice, ns_span("search/x/"), ns_span(""), ns_span(""), 10,
				  got),
		  GML_ERR_ACCESS);
	assert_ok(object_list_all(ns, &alice, ns_span("pub/"), ns_span(""), ns_span(""), 10, got));
	assert_int_equal(got->n, 1);
	object_listing_free(got);
	/* Read-only exports. */
	reader.context.read_only = true;
	assert_rc(gml_put_begin(&reader, ns->store, OBJECT_REF(B, ns_span("new")), 1, &put),
		  GML_ERR_ROFS);
	assert_rc(gml_object_delete(&reader, ns->store, OBJECT_REF(B, ns_span("zzz")), NULL, NULL),
		  GML_ERR_ROFS);
	free(got);
}

static void test_sticky_and_owner(void **state)
{
	struct ns *ns = *state;
	struct gml_op alice = ns_user(1001, 1001), bob = ns_user(1002, 1002);
	struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 01777};
	gml_ino dir = ns_mkdir(ns, ns->bucket, "tmp");
	struct gml_attr attr;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &mode, NULL));
	assert_ok(object_put_full(ns, &alice, ns_span("tmp/a"), "a", 1, 1, 1, NULL, NULL, NULL));
	attr = ns_attr(ns, ns_lookup(ns, dir, "a"));
	assert_int_equal(attr.uid, 1001);
	assert_int_equal(attr.mode, 0644);
	assert_rc(object_put_full(ns, &bob, ns_span("tmp/a"), "b", 1, 1, 1, NULL, NULL, NULL),
		  GML_ERR_PERM);
	assert_rc(gml_object_delete(&bob, ns->store, OBJECT_REF(B, ns_span("tmp/a")), NULL, NULL),
		  GML_ERR_PERM);
	/* The directory itself is not hers to take away. */
	assert_rc(gml_object_delete(&alice, ns->store, OBJECT_REF(B, ns_span("tmp/")), NULL, NULL),
		  GML_ERR_ACCESS);
	assert_ok(
		gml_object_delete(&alice, ns->store, OBJECT_REF(B, ns_span("tmp/a")), NULL, NULL));
	/* setgid is handed down. */
	mode.mode = 02777;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &mode, NULL));
	assert_ok(object_put_full(ns, &alice, ns_span("tmp/s/t"), "t", 1, 1, 1, NULL, NULL, NULL));
	attr = ns_attr(ns, ns_lookup(ns, ns_lookup(ns, dir, "s"), "t"));
	assert_int_equal(attr.gid, 0);
	attr = ns_attr(ns, ns_lookup(ns, dir, "s"));
	assert_int_equal(attr.mode & 02000, 02000);
}

static void test_quota(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL;
	assert_ok(gml_bucket_set_quota(&admin, ns->store, B, 100, 2));
	assert_ok(object_put_full(ns, &ns->op, ns_span("a"), (char[80]){0}, 80, 80, 80, NULL, NULL,
				  NULL));
	assert_rc(object_put_full(ns, &ns->op, ns_span("b"), (char[80]){0}, 80, 80, 80, NULL, NULL,
				  NULL),
		  GML_ERR_DQUOT);
	assert_ok(object_put_full(ns, &ns->op, ns_span("a"), (char[100]){0}, 100, 100, 100, NULL,
				  NULL, NULL));
	assert_ok(object_put(ns, ns_span("b"), ""));
	assert_rc(object_put(ns, ns_span("c"), ""), GML_ERR_DQUOT);
	assert_ok(object_del(ns, ns_span("a")));
	assert_ok(object_put(ns, ns_span("c"), "c"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_directories), T(test_not_objects),
						  T(test_access), T(test_sticky_and_owner),
						  T(test_quota)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
