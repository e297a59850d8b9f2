// SPDX-License-Identifier: Apache-2.0
/* Users, keys and buckets. */
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;

/* ---- users and keys -------------------------------------------------------------------------- */

static struct gml_user user_of(const char *name, uint32_t uid)
{
	struct gml_user user = {.uid = uid, .gid = uid, .ngroups = 1, .groups = {77}};
	snprintf(user.name, sizeof(user.name), "%s", name);
	return user;
}

static bool count_user(void *arg, const struct gml_user *user)
{
	++*(unsigned *)arg;
	return true;
}

static bool count_key(void *arg, const struct gml_key *key)
{
	++*(unsigned *)arg;
	return true;
}

static void test_users(void **state)
{
	struct ns *ns = *state;
	struct gml_user user = user_of("ann", 1000), found;
	struct gml_op someone = ns_user(0, 0);
	unsigned n = 0;
	assert_rc(gml_user_create(&someone, ns->store, &user), GML_ERR_PERM);
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_EXIST);
	assert_ok(gml_user_get(ns->store, "ann", &found));
	assert_int_equal(found.uid, 1000);
	assert_int_equal(found.groups[0], 77);
	assert_true(found.created > 0);
	user.uid = 1001;
	assert_ok(gml_user_update(&admin, ns->store, &user));
	assert_rc(gml_user_by_uid(ns->store, 1000, &found), GML_ERR_NOUSER);
	assert_ok(gml_user_by_uid(ns->store, 1001, &found));
	assert_string_equal(found.name, "ann");
	/* A uid is one enabled user's; for a uid, he is the answer. */
	user = user_of("aaa", 1001);
	assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_UIDTAKEN);
	user.flags = GML_USER_DISABLED;
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_ok(gml_user_by_uid(ns->store, 1001, &found));
	assert_string_equal(found.name, "ann");
	user.flags = 0;
	assert_rc(gml_user_update(&admin, ns->store, &user), GML_ERR_UIDTAKEN);
	user.uid = 1002;
	assert_ok(gml_user_update(&admin, ns->store, &user));
	user.uid = 1001;
	assert_rc(gml_user_update(&admin, ns->store, &user), GML_ERR_UIDTAKEN);
	assert_ok(gml_user_list(ns->store, count_user, &n));
	assert_int_equal(n, 2);
	assert_ok(gml_user_delete(&admin, ns->store, "aaa"));
	assert_rc(gml_user_delete(&admin, ns->store, "aaa"), GML_ERR_NOUSER);
	assert_rc(gml_user_get(ns->store, "aaa", &found), GML_ERR_NOUSER);
	assert_rc(gml_user_get(ns->store, "", &found), GML_ERR_NOUSER);
}

static void test_user_arguments(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa4", "a\n"};
	struct ns *ns = *state;
	struct gml_user user;
	char longest[GML_USER_NAME_MAX + 1];
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		user = user_of(bad[i], 1);
		assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_INVAL);
	}
	memset(longest, 'n', GML_USER_NAME_MAX);
	longest[GML_USER_NAME_MAX] = '\0';
	user = user_of(longest, 5);
	assert_ok(gml_user_create(&admin, ns->store, &user));
	memset(user.name, 'n', sizeof(user.name)); /* not terminated */
	assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_INVAL);
	user = user_of("ok", UINT32_MAX);
	assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_INVAL);
	user = user_of("ok", 1);
	user.ngroups = GML_USER_GROUPS_MAX + 1;
	assert_rc(gml_user_create(&admin, ns->store, &user), GML_ERR_INVAL);
	user = user_of("ok", 1);
	user.flags = 64;
	assert_rc(gml_user_update(&admin, ns->store, &user), GML_ERR_INVAL);
	user.flags = 0;
	assert_rc(gml_user_update(&admin, ns->store, &user), GML_ERR_NOUSER);
}

static void test_keys(void **state)
{
	struct ns *ns = *state;
	struct gml_user user = user_of("ann", 1000), found_user;
	struct gml_op someone = ns_user(0, 0);
	struct gml_key key = {.user = "ann"}, second = {.user = "ann"}, found;
	unsigned n = 0;
	assert_rc(gml_key_create(&admin, ns->store, &key), GML_ERR_NOUSER);
	assert_int_equal(key.id[0], 0); /* untouched on failure */
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_ok(gml_key_create(&admin, ns->store, &key));
	assert_int_equal(strlen(key.id), 20);
	assert_int_equal(strlen(key.secret), 40);
	assert_memory_equal(key.id, "GK", 2);
	assert_int_equal(strspn(key.id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 20);
	assert_ok(gml_key_create(&admin, ns->store, &second));
	assert_string_not_equal(second.id, key.id);
	assert_string_not_equal(second.secret, key.secret);
	assert_ok(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user));
	assert_string_equal(found.secret, key.secret);
	assert_string_equal(found_user.name, "ann");
	assert_rc(gml_key_create(&admin, ns->store, &key), GML_ERR_EXIST);
	assert_ok(gml_key_update(&admin, ns->store, key.id, GML_KEY_DISABLED, 77));
	assert_ok(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user));
	assert_int_equal(found.flags, GML_KEY_DISABLED);
	assert_int_equal(found.expires, 77);
	assert_rc(gml_key_update(&admin, ns->store, key.id, 99, 0), GML_ERR_INVAL);
	assert_rc(gml_key_update(&admin, ns->store, key.id, 0, -1), GML_ERR_INVAL);
	assert_rc(gml_key_update(&admin, ns->store, "none", 0, 0), GML_ERR_NOKEY);
	assert_ok(gml_key_list(ns->store, "ann", count_key, &n));
	assert_int_equal(n, 2);
	assert_ok(gml_key_delete(&admin, ns->store, second.id));
	assert_rc(gml_key_delete(&admin, ns->store, second.id), GML_ERR_NOKEY);
	assert_rc(gml_key_delete(&someone, ns->store, key.id), GML_ERR_PERM);
	assert_ok(gml_user_delete(&admin, ns->store, "ann")); /* with its keys */
	assert_rc(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user), GML_ERR_NOKEY);
	assert_rc(gml_key_lookup(ns->store, ns_span(""), &found, &found_user), GML_ERR_NOKEY);
}

static void test_rotation(void **state)
{
	struct ns *ns = *state;
	struct gml_user user = user_of("ann", 1000), found_user;
	struct gml_op someone = ns_user(0, 0);
	struct gml_key key = {.user = "ann", .flags = GML_KEY_SIGV2}, next = {0}, found;
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_ok(gml_key_create(&admin, ns->store, &key));
	assert_rc(gml_key_rotate(&someone, ns->store, key.id, 500, &next), GML_ERR_PERM);
	assert_rc(gml_key_rotate(&admin, ns->store, "none", 500, &next), GML_ERR_NOKEY);
	assert_rc(gml_key_rotate(&admin, ns->store, key.id, 0, &next), GML_ERR_INVAL);
	strcpy(next.id, key.id);
	assert_rc(gml_key_rotate(&admin, ns->store, key.id, 500, &next), GML_ERR_EXIST);
	assert_ok(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user));
	assert_int_equal(found.expires, 0); /* as it was */
	next.id[0] = '\0';
	assert_ok(gml_key_rotate(&admin, ns->store, key.id, 500, &next));
	assert_string_equal(next.user, "ann");
	assert_int_equal(next.flags, GML_KEY_SIGV2);
	assert_string_not_equal(next.secret, key.secret);
	assert_ok(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user));
	assert_int_equal(found.expires, 500);
	assert_string_equal(found.secret, key.secret);
	/* What expires already is not prolonged; what is disabled stays so. */
	assert_ok(gml_key_update(&admin, ns->store, key.id, GML_KEY_DISABLED, 500));
	memset(&next, 0, sizeof(next));
	assert_ok(gml_key_rotate(&admin, ns->store, key.id, 900, &next));
	assert_ok(gml_key_lookup(ns->store, ns_span(key.id), &found, &found_user));
	assert_int_equal(found.expires, 500);
	assert_ok(gml_key_lookup(ns->store, ns_span(next.id), &found, &found_user));
	assert_int_equal(found.expires, 0);
	assert_int_equal(found.flags, GML_KEY_DISABLED);
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
}

/* ---- buckets --------------------------------------------------------------------------------- */

static void test_bucket_names(void **state)
{
	static const char *const good[] = {"abc", "a.b", "a-b", "1.2.3", "my-bucket.example",
					   "123"};
	static const char *const bad[] = {"",
					  "ab",
					  "Abc",
					  "a_b",
					  "-ab",
					  "ab-",
					  ".ab",
					  "ab.",
					  "a..b",
					  "a.-b",
					  "a-.b",
					  "192.168.5.4",
					  "xn--abc",
					  "a b",
					  "a/b",
					  "x-s3alias",
					  "sthree-a",
					  "a--ol-s3",
					  ("\xc3\xa4"
					   "bc")};
	char longest[65];
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_ok(gml_bucket_name_check(ns_span(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (gml_bucket_name_check(ns_span(bad[i])) != GML_ERR_BUCKETNAME)
			fail_msg("%s is accepted", bad[i]);
	memset(longest, 'a', sizeof(longest));
	assert_ok(gml_bucket_name_check((struct gml_span){longest, 63}));
	assert_rc(gml_bucket_name_check((struct gml_span){longest, 64}), GML_ERR_BUCKETNAME);
}

static bool note_bucket(void *arg, const struct gml_bucket *bucket)
{
	strcat(strcat(arg, bucket->name), " ");
	return true;
}

static void test_bucket_life(void **state)
{
	struct ns *ns = *state;
	struct gml_user user = user_of("ann", 1000), twin;
	struct gml_op ann = ns_user(1000, 1000), bob = ns_user(2000, 2000);
	struct gml_bucket bucket;
	char names[256] = "";
	assert_rc(gml_bucket_create(&ann, ns->store, ns_span("anns"), NULL, &bucket),
		  GML_ERR_ACCESS); /* unknown */
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_rc(gml_bucket_create(&ann, ns->store, ns_span("An"), NULL, &bucket),
		  GML_ERR_BUCKETNAME);
	assert_ok(gml_bucket_create(&ann, ns->store, ns_span("anns"), NULL, &bucket));
	assert_int_equal(bucket.uid, 1000);
	assert_int_equal(bucket.mode, 0700);
	assert_string_equal(bucket.name, "anns");
	assert_rc(gml_bucket_create(&ann, ns->store, ns_span("anns"), NULL, &bucket),
		  GML_ERR_BUCKETOWNED);
	assert_rc(gml_bucket_create(&ns->op, ns->store, ns_span("anns"), NULL, &bucket),
		  GML_ERR_BUCKETEXISTS);
	assert_ino_equal(ns_lookup(ns, GML_INO_ROOT, "anns"), bucket.root);

	assert_ok(gml_bucket_head(&ann, ns->store, ns_span("anns"), &bucket));
	assert_rc(gml_bucket_head(&bob, ns->store, ns_span("anns"), &bucket), GML_ERR_ACCESS);
	assert_rc(gml_bucket_head(&bob, ns->store, ns_span("none"), &bucket), GML_ERR_NOBUCKET);
	assert_ok(gml_bucket_head(&bob, ns->store, ns_span("bucket"), &bucket)); /* 0755 */

	assert_ok(gml_bucket_list(&ann, ns->store, ns_span(""), note_bucket, names));
	assert_string_equal(names, "anns ");
	names[0] = '\0';
	assert_ok(gml_bucket_list(&admin, ns->store, ns_span(""), note_bucket, names));
	assert_string_equal(names, "anns bucket ");
	names[0] = '\0';
	assert_ok(gml_bucket_list(&admin, ns->store, ns_span("anns"), note_bucket, names));
	assert_string_equal(names, "bucket ");

	assert_rc(gml_user_delete(&admin, ns->store, "ann"), GML_ERR_NOTEMPTY);
	/* A disabled user that shares her uid owns nothing. */
	twin = user;
	strcpy(twin.name, "aaa");
	twin.flags = GML_USER_DISABLED;
	assert_ok(gml_user_create(&admin, ns->store, &twin));
	assert_ok(gml_user_delete(&admin, ns->store, "aaa"));
	assert_rc(gml_user_delete(&admin, ns->store, "ann"), GML_ERR_NOTEMPTY);
	assert_rc(gml_bucket_delete(&bob, ns->store, ns_span("anns")), GML_ERR_ACCESS);
	ns_put(ns,
	       !gml_ino_is_none(bucket.root) ? ns_lookup(ns, GML_INO_ROOT, "anns") : GML_INO_NONE,
	       "f", "x");
	assert_rc(gml_bucket_delete(&ann, ns->store, ns_span("anns")), GML_ERR_NOTEMPTY);
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns_lookup(ns, GML_INO_ROOT, "anns"),
				 ns_span("f"), GML_REMOVE_FILE));
	ns_check(ns);
	assert_ok(gml_bucket_delete(&ann, ns->store, ns_span("anns")));
	assert_rc(gml_bucket_delete(&ann, ns->store, ns_span("anns")), GML_ERR_NOBUCKET);
	assert_ino_equal(ns_lookup(ns, GML_INO_ROOT, "anns"), GML_INO_NONE);
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	ns_check(ns);
}

static void test_who_may_create_buckets(void **state)
{
	struct ns *ns = *state;
	struct gml_user user = user_of("ann", 1000);
	struct gml_op ann = ns_user(1000, 1000), frozen = ns->op;
	struct gml_bucket bucket;
	user.flags = GML_USER_NO_BUCKETS;
	assert_ok(gml_user_create(&admin, ns->store, &user));
	assert_rc(gml_bucket_create(&ann, ns->store, ns_span("anns"), NULL, &bucket),
		  GML_ERR_ACCESS);
	frozen.context.read_only = true;
	assert_rc(gml_bucket_create(&frozen, ns->store, ns_span("anns"), NULL, &bucket),
		  GML_ERR_ROFS);
	assert_rc(gml_bucket_delete(&frozen, ns->store, ns_span("bucket")), GML_ERR_ROFS);
	gml_principal_for(&admin.principal, 1000, 0);
	assert_ok(gml_bucket_create(&admin, ns->store, ns_span("anns"),
				    &(struct gml_bucket_new){.has_mode = true, .mode = 0750},
				    &bucket));
	gml_principal_for(&admin.principal, 0, 0);
	assert_int_equal(bucket.uid, 1000);
	assert_int_equal(bucket.mode, 0750);
}

static void test_bucket_follows_its_roots_owner(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_UID, .uid = 4711};
	struct gml_bucket bucket;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set, NULL));
	assert_ok(gml_bucket_head(&ns->op, ns->store, ns_span("bucket"), &bucket));
	assert_int_equal(bucket.uid, 4711);
}

static void test_quota(void **state)
{
	struct ns *ns = *state;
	struct gml_op someone = ns_user(0, 0);
	struct gml_bucket bucket;
	assert_rc(gml_bucket_set_quota(&someone, ns->store, ns_span("bucket"), 1, 1), GML_ERR_PERM);
	assert_rc(gml_bucket_set_quota(&admin, ns->store, ns_span("none"), 1, 1), GML_ERR_NOBUCKET);
	ns_put(ns, ns->bucket, "f", "12345");
	assert_ok(gml_bucket_set_quota(&admin, ns->store, ns_span("bucket"), 10, 1));
	assert_ok(gml_bucket_head(&ns->op, ns->store, ns_span("bucket"), &bucket));
	assert_int_equal(bucket.bytes, 5);
	assert_int_equal(bucket.objects, 1);
	assert_int_equal(bucket.quota_bytes, 10);
	assert_rc(gml_file_create(&ns->op, ns->store, ns->bucket, ns_span("g"),
				  &(struct gml_create){.access = GML_OPEN_WRITE,
						       .disposition = GML_CREATE_GUARDED},
				  &(struct gml_file *){NULL}),
		  GML_ERR_DQUOT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_users),
		T(test_user_arguments),
		T(test_keys),
		T(test_rotation),
		cmocka_unit_test(test_bucket_names),
		T(test_bucket_life),
		T(test_who_may_create_buckets),
		T(test_bucket_follows_its_roots_owner),
		T(test_quota),
	};

	return cmocka_run_group_tests_name("principal", tests, NULL, NULL);
}
