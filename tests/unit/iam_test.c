// SPDX-License-Identifier: Apache-2.0
/* Groups, roles and tags: what may be made of them, what may not, and what a change moves. */
#include <gemel/iam.h>
#include "gateway/iam/epoch.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;
static const struct gml_span none;
static const struct gml_identity ann = {GML_IDENTITY_USER, "ann"},
				 reader = {GML_IDENTITY_ROLE, "Reader"},
				 team = {GML_IDENTITY_GROUP, "Team"};

static void user_new(struct ns *ns, const char *name, uint32_t uid)
{
	struct gml_user user = {.uid = uid, .gid = uid};
	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(gml_user_create(&admin, ns->store, &user));
}

static void role_new(struct ns *ns, const char *name)
{
	struct gml_role role = {.max_session = 0};
	snprintf(role.name, sizeof(role.name), "%s", name);
	assert_ok(gml_role_create(&admin, ns->store, &role, none));
}

static void assert_id(const char *id, const char *prefix)
{
	assert_int_equal(strlen(id), 21);
	assert_memory_equal(id, prefix, 4);
	assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 21);
}

/* ---- lists as text ---- */

struct list {
	char text[8192];
	int left; /* so many more; 0: all */
};

static bool list_add(struct list *list, const void *text, size_t len)
{
	size_t at = strlen(list->text);
	memcpy(list->text + at, text, len);
	strcpy(list->text + at + len, " ");
	return --list->left != 0;
}

static bool list_name(void *arg, struct gml_span name)
{
	return list_add(arg, name.ptr, name.len);
}

static bool list_group(void *arg, const struct gml_group *group)
{
	return list_add(arg, group->name, strlen(group->name));
}

static bool list_role(void *arg, const struct gml_role *role)
{
	return list_add(arg, role->name, strlen(role->name));
}

static bool list_tag(void *arg, const struct gml_meta_pair *tag)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "%.*s=%.*s", (int)tag->name.len,
			   (const char *)tag->name.ptr, (int)tag->value.len,
			   (const char *)tag->value.ptr);
	return list_add(arg, text, (size_t)len);
}

#define assert_list(call, want)                                                                    \
	do {                                                                                       \
		struct list list = {.left = 0};                                                    \
		assert_ok(call);                                                                   \
		assert_string_equal(list.text, want);                                              \
	} while (0)

static void assert_members(struct ns *ns, const char *group, const char *want)
{
	assert_list(gml_group_members(ns->store, group, list_name, &list), want);
}

static void assert_groups(struct ns *ns, const char *user, const char *want)
{
	assert_list(gml_user_groups(ns->store, user, list_group, &list), want);
}

static void assert_tags(struct ns *ns, const struct gml_identity *identity, const char *want)
{
	assert_list(gml_tags_list(ns->store, identity, list_tag, &list), want);
}

/* ---- groups ---- */

static void test_groups(void **state)
{
	struct ns *ns = *state;
	struct gml_group group, found;
	struct list first = {.left = 1};
	assert_ok(gml_group_create(&admin, ns->store, "Team", &group));
	assert_string_equal(group.name, "Team");
	assert_id(group.id, "AGPA");
	assert_true(group.created > 0);
	assert_rc(gml_group_create(&admin, ns->store, "TEAM", NULL), GML_ERR_EXIST);
	assert_ok(gml_group_get(ns->store, "tEaM", &found));
	assert_memory_equal(&found, &group, sizeof(found));
	assert_rc(gml_group_get(ns->store, "none", &found), GML_ERR_NOGROUP);
	assert_rc(gml_group_get(ns->store, "", &found), GML_ERR_NOGROUP);
	assert_ok(gml_group_create(&admin, ns->store, "a+b=c,d.e@f_g-h", &found));
	assert_string_not_equal(found.id, group.id);
	assert_ok(gml_group_list(ns->store, list_group, &first));
	assert_string_equal(first.text, "a+b=c,d.e@f_g-h ");
	assert_list(gml_group_list(ns->store, list_group, &list), "a+b=c,d.e@f_g-h Team ");
	assert_ok(gml_group_delete(&admin, ns->store, "team"));
	assert_rc(gml_group_delete(&admin, ns->store, "team"), GML_ERR_NOGROUP);
	/* The same name again is another group. */
	assert_ok(gml_group_create(&admin, ns->store, "Team", &found));
	assert_string_not_equal(found.id, group.id);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "a:b", "\xc3\xa4", "a\n", "a*"};
	struct ns *ns = *state;
	struct gml_role role = {.max_session = 3600};
	char longest[130];
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_rc(gml_group_create(&admin, ns->store, bad[i], NULL), GML_ERR_INVAL);
		assert_rc(gml_group_name_check(bad[i]), GML_ERR_INVAL);
		strcpy(role.name, bad[i]);
		assert_rc(gml_role_create(&admin, ns->store, &role, none), GML_ERR_INVAL);
	}
	memset(longest, 'n', sizeof(longest));
	longest[129] = '\0';
	assert_rc(gml_group_create(&admin, ns->store, longest, NULL), GML_ERR_INVAL);
	assert_rc(gml_group_delete(&admin, ns->store, longest), GML_ERR_NOGROUP);
	longest[128] = '\0';
	assert_ok(gml_group_create(&admin, ns->store, longest, NULL));
	assert_ok(gml_group_delete(&admin, ns->store, longest));
	memset(role.name, 'r', sizeof(role.name)); /* not terminated */
	assert_rc(gml_role_create(&admin, ns->store, &role, none), GML_ERR_INVAL);
	role.name[64] = '\0';
	assert_ok(gml_role_create(&admin, ns->store, &role, none));
	assert_ok(gml_user_name_check("a+b=c,d.e@f_g-h"));
}

static void test_members(void **state)
{
	struct ns *ns = *state;
	char name[16];
	user_new(ns, "ann", 1000);
	user_new(ns, "bob", 1001);
	assert_rc(gml_group_add(&admin, ns->store, "Team", "ann"), GML_ERR_NOGROUP);
	assert_ok(gml_group_create(&admin, ns->store, "Team", NULL));
	assert_rc(gml_group_add(&admin, ns->store, "Team", "nobody"), GML_ERR_NOUSER);
	assert_rc(gml_group_add(&admin, ns->store, "Team", "Ann"), GML_ERR_NOUSER);
	assert_ok(gml_group_add(&admin, ns->store, "team", "bob"));
	assert_ok(gml_group_add(&admin, ns->store, "TEAM", "ann"));
	assert_ok(gml_group_add(&admin, ns->store, "Team", "ann")); /* she is */
	assert_members(ns, "team", "ann bob ");
	assert_groups(ns, "ann", "Team ");
	assert_rc(gml_group_members(ns->store, "none", list_name, NULL), GML_ERR_NOGROUP);
	assert_rc(gml_user_groups(ns->store, "none", list_group, NULL), GML_ERR_NOUSER);
	assert_rc(gml_group_delete(&admin, ns->store, "Team"), GML_ERR_INUSE);
	assert_ok(gml_group_remove(&admin, ns->store, "Team", "bob"));
	assert_rc(gml_group_remove(&admin, ns->store, "Team", "bob"), GML_ERR_NOENT);
	assert_rc(gml_group_remove(&admin, ns->store, "Team", "nobody"), GML_ERR_NOUSER);
	assert_rc(gml_group_remove(&admin, ns->store, "none", "ann"), GML_ERR_NOGROUP);
	for (int i = 1; i < GML_GROUPS_PER_USER; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		assert_ok(gml_group_create(&admin, ns->store, name, NULL));
		assert_ok(gml_group_add(&admin, ns->store, name, "ann"));
	}
	assert_ok(gml_group_create(&admin, ns->store, "eleventh", NULL));
	assert_rc(gml_group_add(&admin, ns->store, "eleventh", "ann"), GML_ERR_LIMIT);
	assert_ok(gml_group_add(&admin, ns->store, "team", "ann"));
	assert_groups(ns, "ann", "g1 g2 g3 g4 g5 g6 g7 g8 g9 Team ");
	ns_check(ns);
	/* Who is deleted leaves them all. */
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	assert_members(ns, "Team", "");
	assert_ok(gml_group_delete(&admin, ns->store, "Team"));
	user_new(ns, "ann", 1000);
	assert_groups(ns, "ann", "");
}

static void test_user_ids(void **state)
{
	struct ns *ns = *state;
	struct gml_user user, again;
	user_new(ns, "ann", 1000);
	assert_ok(gml_user_get(ns->store, "ann", &user));
	assert_id(user.id, "AIDA");
	again = user;
	memset(again.id, 'X', 21);
	again.gid = 5;
	assert_ok(gml_user_update(&admin, ns->store, &again));
	assert_ok(gml_user_by_uid(ns->store, 1000, &again));
	assert_string_equal(again.id, user.id);
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	user_new(ns, "ann", 1000);
	assert_ok(gml_user_get(ns->store, "ann", &again));
	assert_string_not_equal(again.id, user.id);
}

/* ---- roles ---- */

static void test_roles(void **state)
{
	struct ns *ns = *state;
	struct gml_role role = {.name = "Reader",
				.description = "r\xc3\xa9"
					       "ads"},
			found;
	assert_ok(gml_role_create(&admin, ns->store, &role, none));
	assert_id(role.id, "AROA");
	assert_int_equal(role.max_session, 3600);
	assert_ok(gml_role_get(ns->store, "READER", &found));
	assert_memory_equal(&found, &role, sizeof(found));
	assert_rc(gml_role_create(&admin, ns->store, &role, none), GML_ERR_EXIST);
	found.max_session = 43200;
	strcpy(found.description, "");
	strcpy(found.name, "reader");
	assert_ok(gml_role_update(&admin, ns->store, &found));
	assert_ok(gml_role_get(ns->store, "Reader", &found));
	assert_string_equal(found.name, "Reader");
	assert_string_equal(found.id, role.id);
	assert_string_equal(found.description, "");
	assert_int_equal(found.max_session, 43200);
	for (uint32_t bad = 0; bad < 2; bad++) {
		found.max_session = bad == 0 ? 3599 : 43201;
		assert_rc(gml_role_update(&admin, ns->store, &found), GML_ERR_INVAL);
		strcpy(found.name, "new");
		assert_rc(gml_role_create(&admin, ns->store, &found, none), GML_ERR_INVAL);
	}
	strcpy(role.name, "none");
	assert_rc(gml_role_update(&admin, ns->store, &role), GML_ERR_NOROLE);
	assert_rc(gml_role_get(ns->store, "none", &found), GML_ERR_NOROLE);
	assert_list(gml_role_list(ns->store, list_role, &list), "Reader ");
	assert_ok(gml_role_delete(&admin, ns->store, "reader"));
	assert_rc(gml_role_delete(&admin, ns->store, "reader"), GML_ERR_NOROLE);
}

static void test_descriptions(void **state)
{
	static const char *const bad[] = {"a\nb",   "\x7f",	"\xc2\x80",	"\xff",
					  "\xc3",   "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "a\xc3(", "\x80"};
	struct ns *ns = *state;
	struct gml_role role = {.name = "r", .max_session = 3600};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(role.description, bad[i]);
		assert_rc(gml_role_create(&admin, ns->store, &role, none), GML_ERR_INVAL);
	}
	memset(role.description, 'd', sizeof(role.description)); /* not terminated */
	assert_rc(gml_role_create(&admin, ns->store, &role, none), GML_ERR_INVAL);
	role.description[1000] = '\0';
	assert_ok(gml_role_create(&admin, ns->store, &role, none));
}

/* ---- tags ---- */

static struct gml_meta_pair tag_of(const char *key, const char *value)
{
	return (struct gml_meta_pair){ns_span(key), ns_span(value)};
}

static int tag_set(struct ns *ns, const struct gml_identity *identity, const char *key,
		   const char *value)
{
	struct gml_meta_pair tag = tag_of(key, value);
	return gml_tags_set(&admin, ns->store, identity, &tag, 1);
}

static void test_tags(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair both[] = {tag_of("zone", "a"), tag_of("Cost Center", "1:2/3")};
	struct gml_meta_pair remove[] = {tag_of("ZONE", ""), tag_of("missing", "")};
	assert_rc(tag_set(ns, &ann, "k", "v"), GML_ERR_NOUSER);
	assert_rc(tag_set(ns, &reader, "k", "v"), GML_ERR_NOROLE);
	assert_rc(tag_set(ns, &team, "k", "v"), GML_ERR_INVAL);
	assert_rc(gml_tags_list(ns->store, &team, list_tag, NULL), GML_ERR_INVAL);
	assert_rc(gml_tags_list(ns->store, &ann, list_tag, NULL), GML_ERR_NOUSER);
	user_new(ns, "ann", 1000);
	role_new(ns, "Reader");
	assert_tags(ns, &ann, "");
	assert_ok(gml_tags_set(&admin, ns->store, &ann, both, 2));
	assert_ok(tag_set(ns, &reader, "zone", "b"));
	assert_tags(ns, &ann, "Cost Center=1:2/3 zone=a ");
	assert_ok(tag_set(ns, &ann, "Zone", "")); /* the same key */
	assert_tags(ns, &ann, "Cost Center=1:2/3 Zone= ");
	assert_ok(gml_tags_remove(&admin, ns->store, &ann, remove, 2));
	assert_tags(ns, &ann, "Cost Center=1:2/3 ");
	assert_tags(ns, &reader, "zone=b ");
	ns_check(ns);
	/* They go with what they belong to. */
	assert_ok(gml_role_delete(&admin, ns->store, "Reader"));
	assert_ok(gml_user_delete(&admin, ns->store, "ann"));
	user_new(ns, "ann", 1000);
	role_new(ns, "reader");
	assert_tags(ns, &ann, "");
	assert_tags(ns, &reader, "");
}

static void test_tag_limits(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair twice[] = {tag_of("k", "1"), tag_of("K", "2")};
	char key[4 * 128 + 5] = "", value[258];
	user_new(ns, "ann", 1000);
	assert_rc(gml_tags_set(&admin, ns->store, &ann, twice, 2), GML_ERR_INVAL);
	assert_rc(tag_set(ns, &ann, "", "v"), GML_ERR_INVAL);
	assert_rc(tag_set(ns, &ann, "AWS:k", "v"), GML_ERR_INVAL);
	assert_rc(tag_set(ns, &ann, "a,b", "v"), GML_ERR_INVAL);
	assert_rc(tag_set(ns, &ann, "a", "\xff"), GML_ERR_INVAL);
	assert_rc(tag_set(ns, &ann, "a", "b\nc"), GML_ERR_INVAL);
	assert_ok(tag_set(ns, &ann, "aws", "v"));
	for (int i = 0; i < 128; i++)
		strcat(key, "\xf0\x90\x8d\x88"); /* 128 characters, 512 bytes */
	memset(value, 'v', sizeof(value));
	value[257] = '\0';
	assert_rc(tag_set(ns, &ann, key, value), GML_ERR_INVAL);
	value[256] = '\0';
	assert_ok(tag_set(ns, &ann, key, value));
	strcat(key, "k");
	assert_rc(tag_set(ns, &ann, key, "v"), GML_ERR_INVAL);
	for (int i = 2; i < GML_TAGS_PER_IDENTITY; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_ok(tag_set(ns, &ann, key, "v"));
	}
	assert_rc(tag_set(ns, &ann, "one more", "v"), GML_ERR_LIMIT);
	assert_ok(tag_set(ns, &ann, "K2", "another value"));
}

/* ---- the access epoch ---- */

static void assert_moves(struct ns *ns, bool moves, int rc)
{
	static uint64_t before;
	uint64_t now = gml_access_epoch_now(ns->store->access_epoch);
	assert_int_equal(rc, 0);
	assert_true(moves == (now != before));
	assert_true(gml_access_epoch_settled(ns->store->access_epoch, now));
	before = now;
}

/* Each change moves it, and what changes nothing or is refused does not. */
static void test_epoch(void **state)
{
	struct ns *ns = *state;
	struct gml_role role = {.name = "Reader"};
	struct gml_key key = {.user = "ann"};
	struct gml_op someone = ns_user(0, 0);
	user_new(ns, "ann", 1000);
	assert_moves(ns, true, 0);
	assert_moves(ns, true, gml_group_create(&admin, ns->store, "Team", NULL));
	assert_rc(gml_group_create(&admin, ns->store, "Team", NULL), GML_ERR_EXIST);
	assert_rc(gml_group_create(&someone, ns->store, "other", NULL), GML_ERR_PERM);
	assert_rc(gml_group_delete(&admin, ns->store, "other"), GML_ERR_NOGROUP);
	assert_moves(ns, false, 0);
	assert_moves(ns, true, gml_group_add(&admin, ns->store, "Team", "ann"));
	assert_moves(ns, false, gml_group_add(&admin, ns->store, "Team", "ann"));
	assert_rc(gml_group_delete(&admin, ns->store, "Team"), GML_ERR_INUSE);
	assert_moves(ns, false, 0);
	assert_moves(ns, true, gml_group_remove(&admin, ns->store, "Team", "ann"));
	assert_moves(ns, true, gml_group_delete(&admin, ns->store, "Team"));
	assert_moves(ns, true, gml_role_create(&admin, ns->store, &role, none));
	assert_moves(ns, true, gml_role_update(&admin, ns->store, &role));
	assert_moves(ns, true, tag_set(ns, &reader, "k", "v"));
	assert_moves(ns, true, gml_role_delete(&admin, ns->store, "Reader"));
	assert_moves(ns, true, tag_set(ns, &ann, "k", "v"));
	assert_moves(ns, true, gml_key_create(&admin, ns->store, &key));
	assert_moves(ns, true, gml_key_update(&admin, ns->store, key.id, GML_KEY_DISABLED, 0));
	assert_moves(ns, true, gml_key_delete(&admin, ns->store, key.id));
	assert_rc(gml_key_delete(&admin, ns->store, key.id), GML_ERR_NOKEY);
	assert_moves(ns, false, 0);
	assert_moves(ns, true, gml_user_delete(&admin, ns->store, "ann"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_groups),	  T(test_names),      T(test_members),
		T(test_user_ids), T(test_roles),      T(test_descriptions),
		T(test_tags),	  T(test_tag_limits), T(test_epoch),
	};
	return cmocka_run_group_tests_name("iam", tests, NULL, NULL);
}
