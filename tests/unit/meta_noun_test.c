// SPDX-License-Identifier: Apache-2.0
/* The smaller nouns: what they keep, their order, and the secondary keys that follow them. */
#define TEST_VIEW test_view
#include "meta_support.h"
#include "gateway/meta/record/record_internal.h"

static uint64_t test_view;
static const uint8_t noun_bytes[70000] = {7, 6, 5, 4};

static bool span_equal(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static int extents_find(struct gml_txn *txn, void *arg)
{
	struct gml_extent got, extent = {0, UINT64_C(1) << 63 | 5, 1, 100};
	(void)arg;
	for (uint64_t off = 1000; off < 10000; off += 1000) {
		extent.off = off;
		extent.blob_off = off * 3;
		CLOSURE_CHECK(gml_rec_extent_put(txn, &gml_line_none, INO(8), &extent) == 0);
		CLOSURE_CHECK(gml_rec_extent_put(txn, &gml_line_none, INO(10), &extent) == 0);
	}
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(9), 0, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(7), 0, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(11), 5, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 0, &got) == 0 && got.off == 1000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 1000, &got) == 0 && got.off == 1000 &&
		      got.blob_off == 3000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 1099, &got) == 0 && got.off == 1000 &&
		      got.blob == extent.blob);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 1100, &got) == 0 && got.off == 2000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 9099, &got) == 0 && got.off == 9000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 9100, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), UINT64_MAX, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_del(txn, &gml_line_none, INO(10), 2000) == 0);
	CLOSURE_CHECK(gml_rec_extent_del(txn, &gml_line_none, INO(10), 2001) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, INO(10), 1100, &got) == 0 && got.off == 3000);
	extent.len = 0;
	CLOSURE_CHECK(gml_rec_extent_put(txn, &gml_line_none, INO(10), &extent) == GML_ERR_INVAL);
	return 0;
}

struct walk {
	char text[200];
	int left;
};

static bool walk_add(struct walk *walk, const void *text, size_t len)
{
	size_t at = strlen(walk->text);
	memcpy(walk->text + at, text, len);
	walk->text[at + len] = ' ';
	walk->text[at + len + 1] = 0;
	return --walk->left != 0;
}

static bool walk_xattr(void *arg, struct gml_span name, struct gml_span value)
{
	(void)value;
	return walk_add(arg, name.ptr, name.len);
}

static int xattrs(struct gml_txn *txn, void *arg)
{
	char name[GML_REC_XATTR_NAME_MAX + 1];
	struct gml_span value;
	struct walk walk = {{0}, 0};
	(void)arg;
	memset(name, 'n', sizeof(name));
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(5), STR("user.b"), STR("bee")) ==
		      0);
	CLOSURE_CHECK(
		gml_rec_xattr_put(txn, &gml_line_none, INO(5), STR("user.a"), SPAN(NULL, 0)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(5), STR("user.c"),
					SPAN(noun_bytes, 65536)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(6), STR("user.d"), STR("other")) ==
		      0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(5), STR("user.c"),
					SPAN(noun_bytes, 65537)) == GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(5), SPAN(name, sizeof(name)),
					STR("x")) == GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(5), SPAN(name, 0), STR("x")) ==
		      GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(4), SPAN(name, 255), STR("x")) ==
		      0);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, INO(5), STR("user.a"), &value) == 0 && value.len == 0);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, INO(5), STR("user.c"), &value) == 0 &&
		      value.len == 65536);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, INO(5), STR("user.d"), &value) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_xattr_each(txn, INO(5), SPAN(NULL, 0), walk_xattr, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "user.a user.b user.c ") == 0);
	walk = (struct walk){{0}, 1};
	CLOSURE_CHECK(gml_rec_xattr_each(txn, INO(5), STR("user.a"), walk_xattr, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "user.b ") == 0);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, &gml_line_none, INO(5), STR("user.b")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, &gml_line_none, INO(5), STR("user.b")) ==
		      GML_ERR_NOENT);
	return 0;
}

static bool walk_bucket(void *arg, struct gml_span name, const struct gml_bucket_rec *rec)
{
	(void)rec;
	return walk_add(arg, name.ptr, name.len);
}

/* A view that is not the present has one bucket. */
#define ROOT(num) gml_ino_of(test_view == 0 ? 0 : test_view + (num), (num))

static int buckets(struct gml_txn *txn, void *arg)
{
	struct gml_bucket_rec rec = {ROOT(10), gml_ino_of(ROOT(10).view, 11), 1000, -5}, got;
	struct gml_line line = gml_line_none;
	struct walk walk = {{0}, 0};
	char name[GML_BUCKET_NAME_MAX + 1];
	uint64_t count;
	(void)arg;
	line.id = gml_line_id(ROOT(10));
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("photos"), &rec) == 0);
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("photos")) == 0);
	rec.root = ROOT(20);
	line.id = gml_line_id(rec.root);
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("backup"), &rec) == 0);
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("backup")) == 0);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, STR("photos"), &got) == 0 &&
		      gml_ino_equal(got.root, ROOT(10)) &&
		      gml_ino_equal(got.uploads, gml_ino_of(ROOT(10).view, 11)) &&
		      got.uid == 1000 && got.created == -5);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, ROOT(20), name, &got) == 0 &&
		      strcmp(name, "backup") == 0 && gml_ino_equal(got.root, ROOT(20)));
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, ROOT(30), name, &got) == GML_ERR_NOENT);
	line.id = gml_line_id(ROOT(30)); /* a line that leads to a bucket of another root */
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("backup")) == 0);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, ROOT(30), name, &got) == GML_ERR_CORRUPT);
	CLOSURE_CHECK(gml_rec_line_del(txn, line.id) == 0);
	CLOSURE_CHECK(gml_rec_count(txn, GML_TABLE_BUCKET, &count) == 0 && count == 2);
	CLOSURE_CHECK(gml_rec_bucket_each(txn, SPAN(NULL, 0), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "backup photos ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_bucket_each(txn, STR("backup"), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "photos ") == 0);
	CLOSURE_CHECK(gml_rec_bucket_each(txn, SPAN(noun_bytes, 4000), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, SPAN(noun_bytes, 4000), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, SPAN(NULL, 0), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_put(txn, SPAN(noun_bytes, 64), &rec) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_bucket_del(txn, STR("photos")) == 0);
	CLOSURE_CHECK(gml_rec_bucket_del(txn, STR("photos")) == GML_ERR_NOENT);
	return 0;
}

/* ---- lines and usage ---- */
static bool line_is(struct gml_txn *txn, uint64_t id, uint32_t flags, uint64_t quota)
{
	struct gml_line line;
	return gml_rec_line_get(txn, id, &line) == 0 && line.id == id && line.flags == flags &&
	       line.epoch == 1 && line.newest == 0 && line.quota_bytes == quota &&
	       line.quota_objects == 2 * quota && line.next == 0;
}

static bool usage_is(struct gml_txn *txn, uint64_t id, uint64_t bytes)
{
	struct gml_usage_rec usage;
	return gml_rec_usage_get(txn, id, &usage) == 0 && usage.bytes == bytes &&
	       usage.objects == bytes + 1;
}

/* More lines than a transaction keeps, so that some share a place there. */
static int lines_make(struct gml_txn *txn, void *arg)
{
	struct gml_line line = gml_line_none, got;
	(void)arg;
	for (uint64_t id = 1; id <= 40; id++) {
		line.id = id;
		line.flags = id % 3 == 0 ? GML_LINE_RELAXED : 0;
		line.quota_bytes = id;
		line.quota_objects = 2 * id;
		CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("name")) == 0);
		CLOSURE_CHECK(gml_rec_usage_put(txn, id, &(struct gml_usage_rec){id, id + 1}) == 0);
		CLOSURE_CHECK(line_is(txn, id, line.flags, id) && usage_is(txn, id, id));
	}
	for (uint64_t id = 1; id <= 40; id++)
		CLOSURE_CHECK(line_is(txn, id, id % 3 == 0 ? GML_LINE_RELAXED : 0, id) &&
			      usage_is(txn, id, id));
	line.epoch = 2;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("name")) == GML_ERR_INVAL);
	line = gml_line_none;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("name")) == GML_ERR_INVAL);
	line.id = 3;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, SPAN(noun_bytes, 64)) == GML_ERR_INVAL);
	line.flags = 2;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("name")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_line_get(txn, 0, &got) == 0 && got.id == 0 && got.epoch == 1);
	CLOSURE_CHECK(gml_rec_line_get(txn, 41, &got) == GML_ERR_NOENT);
	return 0;
}

static int lines_change(struct gml_txn *txn, void *arg)
{
	struct gml_usage_rec usage;
	struct gml_line line;
	(void)arg;
	CLOSURE_CHECK(gml_rec_line_get(txn, 7, &line) == 0);
	line.flags = GML_LINE_RELAXED;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("name")) == 0);
	CLOSURE_CHECK(line_is(txn, 7, GML_LINE_RELAXED, 7) && line_is(txn, 14, 0, 14) &&
		      line_is(txn, 7, GML_LINE_RELAXED, 7));
	CLOSURE_CHECK(usage_is(txn, 7, 7) && usage_is(txn, 14, 14));
	CLOSURE_CHECK(gml_rec_usage_put(txn, 7, &(struct gml_usage_rec){99, 100}) == 0);
	CLOSURE_CHECK(usage_is(txn, 7, 99) && usage_is(txn, 14, 14) && usage_is(txn, 7, 99));
	CLOSURE_CHECK(gml_rec_line_del(txn, 8) == 0 && gml_rec_usage_del(txn, 8) == 0);
	CLOSURE_CHECK(gml_rec_line_get(txn, 8, &line) == GML_ERR_NOENT &&
		      gml_rec_usage_get(txn, 8, &usage) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_line_del(txn, 8) == GML_ERR_NOENT);
	return 0;
}

static void test_lines(void **state)
{
	char name[GML_BUCKET_NAME_MAX + 1];
	struct gml_txn *txn;
	meta_env_update(*state, lines_make, NULL);
	meta_env_update(*state, lines_change, NULL);
	txn = meta_env_read(*state); /* which keeps nothing */
	assert_true(line_is(txn, 7, GML_LINE_RELAXED, 7) && usage_is(txn, 7, 99));
	assert_true(line_is(txn, 40, 0, 40) && usage_is(txn, 40, 40));
	assert_int_equal(gml_rec_line_name(txn, 9, name), 0);
	assert_string_equal(name, "name");
	assert_int_equal(gml_rec_line_name(txn, 8, name), GML_ERR_NOENT);
	gml_meta_read_end(txn);
}

static bool walk_link(void *arg, gml_ino parent, uint64_t cookie)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)parent.num,
			 (unsigned long long)cookie);
	return walk_add(arg, text, (size_t)n);
}

static int links(struct gml_txn *txn, void *arg)
{
	struct walk walk = {{0}, 0};
	(void)arg;
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(5), INO(300), 2) == 0);
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(5), INO(2), 300) == 0);
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(5), INO(2), 9) == 0);
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(6), INO(1), 1) == 0);
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(4), INO(1), 1) == 0);
	CLOSURE_CHECK(gml_rec_link_each(txn, INO(5), walk_link, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "2:9 2:300 300:2 ") == 0);
	CLOSURE_CHECK(gml_rec_link_del(txn, &gml_line_none, INO(5), INO(2), 9) == 0);
	CLOSURE_CHECK(gml_rec_link_del(txn, &gml_line_none, INO(5), INO(2), 9) == GML_ERR_NOENT);
	walk = (struct walk){{0}, 1};
	CLOSURE_CHECK(gml_rec_link_each(txn, INO(5), walk_link, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "2:300 ") == 0);
	CLOSURE_CHECK(gml_rec_link_each(txn, INO(7), walk_link, &walk) == 0);
	return 0;
}

static bool walk_user(void *arg, const struct gml_user *user)
{
	return walk_add(arg, user->name, strlen(user->name));
}

static bool walk_key(void *arg, const struct gml_key *key)
{
	return walk_add(arg, key->id, strlen(key->id));
}

static bool user_equal(const struct gml_user *a, const struct gml_user *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->id, b->id) == 0 && a->uid == b->uid &&
	       a->gid == b->gid && a->ngroups == b->ngroups && a->flags == b->flags &&
	       a->created == b->created &&
	       memcmp(a->groups, b->groups, a->ngroups * sizeof(*a->groups)) == 0;
}

static bool key_equal(const struct gml_key *a, const struct gml_key *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->secret, b->secret) == 0 &&
	       strcmp(a->user, b->user) == 0 && a->flags == b->flags && a->created == b->created;
}

static int users(struct gml_txn *txn, void *arg)
{
	struct gml_user user = {.name = "bob",
				.id = "AIDAABCDEFGHIJKLMNOPQ",
				.uid = 1000,
				.gid = 5,
				.flags = GML_USER_DISABLED,
				.created = 77},
			got;
	struct gml_key key = {.id = "GK1",
			      .secret = "s",
			      .user = "bob",
			      .flags = GML_KEY_SIGV2,
			      .created = 3},
		       key_got;
	struct walk walk = {{0}, 0};
	(void)arg;
	user.ngroups = GML_USER_GROUPS_MAX;
	for (uint32_t i = 0; i < GML_USER_GROUPS_MAX; i++)
		user.groups[i] = i * 1000003;
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_get(txn, STR("bob"), &got) == 0 && user_equal(&got, &user));
	user.ngroups = 0;
	strcpy(user.name, "ada"); /* the same uid */
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == 0 && strcmp(got.name, "ada") == 0);
	user.uid = 256000; /* changes uid: the index follows */
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == 0 && strcmp(got.name, "bob") == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 256000, &got) == 0 && strcmp(got.name, "ada") == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 999, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_user_each(txn, walk_user, &walk) == 0 &&
		      strcmp(walk.text, "ada bob ") == 0);
	CLOSURE_CHECK(gml_rec_user_del(txn, STR("bob")) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_user_del(txn, STR("bob")) == GML_ERR_NOENT);
	user.name[0] = 0;
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == GML_ERR_INVAL);
	user.name[0] = 'a';
	user.id[20] = 0;
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_key_put(txn, &key) == 0);
	CLOSURE_CHECK(gml_rec_key_get(txn, STR("GK1"), &key_got) == 0 && key_equal(&key_got, &key));
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_key_each(txn, walk_key, &walk) == 0 &&
		      strcmp(walk.text, "GK1 ") == 0);
	CLOSURE_CHECK(gml_rec_key_get(txn, SPAN(noun_bytes, 3000), &key_got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_key_get(txn, SPAN(NULL, 0), &key_got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_key_del(txn, STR("GK1")) == 0 &&
		      gml_rec_key_del(txn, STR("GK1")) == GML_ERR_NOENT);
	return 0;
}

static bool walk_name(void *arg, struct gml_span name)
{
	return walk_add(arg, name.ptr, name.len);
}

static int groups(struct gml_txn *txn, void *arg)
{
	struct gml_group group = {.name = "Team", .id = "AGPAABCDEFGHIJKLMNOPQ", .created = 7};
	struct gml_group got;
	struct walk walk = {{0}, 0};
	(void)arg;
	CLOSURE_CHECK(gml_rec_group_put(txn, &group) == 0);
	CLOSURE_CHECK(gml_rec_group_get(txn, STR("tEAM"), &got) == 0 &&
		      strcmp(got.name, "Team") == 0 && strcmp(got.id, group.id) == 0 &&
		      got.created == 7 && !got.nss);
	group.nss = true;
	group.gid = 6001;
	CLOSURE_CHECK(gml_rec_group_put(txn, &group) == 0);
	CLOSURE_CHECK(gml_rec_group_get(txn, STR("team"), &got) == 0 && got.nss && got.gid == 6001);
	group.nss = false;
	strcpy(group.name, "Te");
	CLOSURE_CHECK(gml_rec_group_put(txn, &group) == 0);
	CLOSURE_CHECK(gml_rec_group_each(txn, walk_name, &walk) == 0 &&
		      strcmp(walk.text, "te team ") == 0);
	CLOSURE_CHECK(gml_rec_group_get(txn, STR(""), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_group_get(txn, SPAN("Te\0m", 4), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_group_get(txn, SPAN(noun_bytes, 129), &got) == GML_ERR_NOENT);
	group.name[0] = 0;
	CLOSURE_CHECK(gml_rec_group_put(txn, &group) == GML_ERR_INVAL);
	/* Members, from both sides; "Te" is no part of "Team", nor "an" of "ann". */
	CLOSURE_CHECK(gml_rec_member_put(txn, STR("Team"), STR("bob")) == 0);
	CLOSURE_CHECK(gml_rec_member_put(txn, STR("team"), STR("Bob")) == 0);
	CLOSURE_CHECK(gml_rec_member_put(txn, STR("te"), STR("bob")) == 0);
	CLOSURE_CHECK(gml_rec_member_put(txn, STR("te"), STR("bobby")) == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_member_each(txn, STR("TEAM"), walk_name, &walk) == 0 &&
		      strcmp(walk.text, "Bob bob ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_member_each_of(txn, STR("bob"), walk_name, &walk) == 0 &&
		      strcmp(walk.text, "te team ") == 0);
	CLOSURE_CHECK(gml_rec_member_has(txn, STR("TE"), STR("bobby")) == 0);
	CLOSURE_CHECK(gml_rec_member_has(txn, STR("te"), STR("Bob")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_member_del(txn, STR("TEAM"), STR("bob")) == 0);
	CLOSURE_CHECK(gml_rec_member_del(txn, STR("TEAM"), STR("bob")) == GML_ERR_NOENT);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_member_each_of(txn, STR("bob"), walk_name, &walk) == 0 &&
		      strcmp(walk.text, "te ") == 0);
	CLOSURE_CHECK(gml_rec_member_each_of(txn, STR(""), walk_name, &walk) == 0);
	CLOSURE_CHECK(gml_rec_member_put(txn, STR("te"), STR("")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_group_del(txn, STR("TEAM")) == 0 &&
		      gml_rec_group_del(txn, STR("team")) == GML_ERR_NOENT);
	return 0;
}

static int roles(struct gml_txn *txn, void *arg)
{
	struct gml_role role = {.name = "Reader",
				.id = "AROAABCDEFGHIJKLMNOPQ",
				.description = "reads",
				.max_session = 3600,
				.created = 9},
			got;
	const struct gml_rec_identity reader = {GML_IDENTITY_ROLE, STR("READER")},
				      user = {GML_IDENTITY_USER, STR("Reader")},
				      none = {9, STR("Reader")};
	struct walk walk = {{0}, 0};
	struct gml_span trust;
	(void)arg;
	CLOSURE_CHECK(gml_rec_role_put(txn, &role, STR("{}")) == 0);
	CLOSURE_CHECK(gml_rec_role_get(txn, STR("reader"), &got, &trust) == 0 &&
		      strcmp(got.name, "Reader") == 0 && strcmp(got.id, role.id) == 0 &&
		      strcmp(got.description, "reads") == 0 && got.max_session == 3600 &&
		      got.created == 9 && span_equal(trust, STR("{}")));
	CLOSURE_CHECK(gml_rec_role_put(txn, &role, SPAN(noun_bytes, GML_POLICY_DOCUMENT_MAX + 1)) ==
		      GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_rec_role_each(txn, walk_name, &walk) == 0 &&
		      strcmp(walk.text, "reader ") == 0);
	CLOSURE_CHECK(gml_rec_role_get(txn, SPAN(noun_bytes, 65), &got, NULL) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_tags_get(txn, &reader, &trust) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_tags_put(txn, &reader, STR("\1k\1v")) == 0);
	CLOSURE_CHECK(gml_rec_tags_get(txn, &user, &trust) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_tags_get(txn, &reader, &trust) == 0 &&
		      span_equal(trust, STR("\1k\1v")));
	CLOSURE_CHECK(gml_rec_tags_put(txn, &reader, SPAN(NULL, 0)) == 0);
	CLOSURE_CHECK(gml_rec_tags_put(txn, &reader, SPAN(NULL, 0)) == 0);
	CLOSURE_CHECK(gml_rec_tags_get(txn, &reader, &trust) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_tags_put(txn, &none, STR("\1k\1v")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_role_del(txn, STR("Reader")) == 0 &&
		      gml_rec_role_del(txn, STR("Reader")) == GML_ERR_NOENT);
	return 0;
}

static bool walk_use(void *arg, enum gml_policy_use use, const struct gml_rec_identity *identity)
{
	char text[200];
	snprintf(text, sizeof(text), "%d%d%.*s", (int)use, identity->kind, (int)identity->name.len,
		 (const char *)identity->name.ptr);
	return walk_add(arg, text, strlen(text));
}

static bool walk_inline(void *arg, struct gml_span policy, struct gml_span document)
{
	(void)document;
	return walk_add(arg, policy.ptr, policy.len);
}

static int policies(struct gml_txn *txn, void *arg)
{
	struct gml_policy policy = {.name = "Read",
				    .id = "ANPAABCDEFGHIJKLMNOPQ",
				    .description = "reads",
				    .created = 5,
				    .updated = 6},
			  got;
	struct gml_account account = {.public_access = 5};
	const gml_ino other = gml_ino_of(TEST_VIEW + 1, 6); /* of another bucket */
	bool any = true;
	struct walk walk = {{0}, 0};
	struct gml_span document;
	(void)arg;
	CLOSURE_CHECK(gml_rec_policy_put(txn, &policy, STR("{}")) == 0);
	CLOSURE_CHECK(
		gml_rec_policy_put(txn, &policy, SPAN(noun_bytes, GML_POLICY_DOCUMENT_MAX + 1)) ==
		GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_rec_policy_get(txn, STR("READ"), &got, &document) == 0 &&
		      strcmp(got.name, "Read") == 0 && strcmp(got.id, policy.id) == 0 &&
		      strcmp(got.description, "reads") == 0 && got.created == 5 &&
		      got.updated == 6 && span_equal(document, STR("{}")));
	CLOSURE_CHECK(gml_rec_policy_each(txn, walk_name, &walk) == 0 &&
		      strcmp(walk.text, "read ") == 0);
	CLOSURE_CHECK(gml_rec_policy_any(txn, &any) == 0 && !any); /* nobody has it */
	for (size_t i = 0; i < 2; i++) { /* a bucket that has a policy, one that demands one */
		const uint8_t kinds[] = {GML_BUCKET_POLICY, GML_BUCKET_ACCESS};
		CLOSURE_CHECK(gml_rec_config_put(txn, INO(5), kinds[i], STR("{}")) == 0 &&
			      gml_rec_config_put(txn, INO(5), kinds[i], STR("{2}")) == 0 &&
			      gml_rec_policy_bucket_has(txn, INO(5), kinds[i]) == 0 &&
			      gml_rec_policy_bucket_has(txn, INO(5), kinds[1 - i]) ==
				      GML_ERR_NOENT &&
			      gml_rec_policy_bucket_has(txn, other, kinds[i]) == GML_ERR_NOENT);
		CLOSURE_CHECK(gml_rec_policy_any(txn, &any) == 0 && any);
		CLOSURE_CHECK(gml_rec_config_drop(txn, INO(5)) == 0 &&
			      gml_rec_policy_bucket_has(txn, INO(5), kinds[i]) == GML_ERR_NOENT);
		CLOSURE_CHECK(gml_rec_policy_any(txn, &any) == 0 && !any);
	}
	CLOSURE_CHECK(gml_rec_policy_del(txn, STR("rEAD")) == 0 &&
		      gml_rec_policy_get(txn, STR("Read"), &got, NULL) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_account_get(txn, &account) == GML_ERR_NOENT &&
		      account.public_access == 0);
	account.public_access = 15;
	CLOSURE_CHECK(gml_rec_account_put(txn, &account) == 0);
	account.public_access = 0;
	CLOSURE_CHECK(gml_rec_account_get(txn, &account) == 0 && account.public_access == 15);
	return 0;
}

static int policies_of(struct gml_txn *txn, void *arg)
{
	const struct gml_rec_identity ann = {GML_IDENTITY_USER, STR("ann")},
				      role = {GML_IDENTITY_ROLE, STR("Ann")},
				      none = {GML_IDENTITY_USER, STR("an")};
	char boundary[GML_POLICY_NAME_MAX + 1];
	bool any = false;
	struct walk walk = {{0}, 0};
	struct gml_span document;
	(void)arg;
	CLOSURE_CHECK(gml_rec_attached_put(txn, &ann, STR("Read")) == 0);
	CLOSURE_CHECK(gml_rec_attached_put(txn, &role, STR("READ")) == 0);
	CLOSURE_CHECK(gml_rec_attached_has(txn, &role, STR("read")) == 0);
	CLOSURE_CHECK(gml_rec_attached_has(txn, &none, STR("read")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_boundary_put(txn, &ann, STR("Read")) == 0);
	CLOSURE_CHECK(gml_rec_policy_each_use(txn, STR("Read"), walk_use, &walk) == 0 &&
		      strcmp(walk.text, "11ann 13ann 21ann ") == 0);
	CLOSURE_CHECK(gml_rec_boundary_put(txn, &ann, STR("Limit")) == 0);
	CLOSURE_CHECK(gml_rec_boundary_get(txn, &ann, boundary) == 0 &&
		      strcmp(boundary, "Limit") == 0);
	CLOSURE_CHECK(gml_rec_boundary_get(txn, &role, boundary) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_attached_del(txn, &ann, STR("read")) == 0 &&
		      gml_rec_attached_del(txn, &ann, STR("read")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_policy_any(txn, &any) == 0 && any);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_policy_each_use(txn, STR("read"), walk_use, &walk) == 0 &&
		      strcmp(walk.text, "13ann ") == 0);
	CLOSURE_CHECK(gml_rec_boundary_del(txn, &ann) == 0 &&
		      gml_rec_boundary_del(txn, &ann) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_inline_put(txn, &ann, STR("Own"), STR("{1}")) == 0);
	CLOSURE_CHECK(gml_rec_inline_put(txn, &ann, STR("all"), STR("{2}")) == 0);
	CLOSURE_CHECK(gml_rec_inline_put(txn, &role, STR("Own"), STR("{3}")) == 0);
	CLOSURE_CHECK(gml_rec_inline_get(txn, &ann, STR("OWN"), &document) == 0 &&
		      span_equal(document, STR("{1}")));
	CLOSURE_CHECK(gml_rec_inline_get(txn, &none, STR("Own"), &document) == GML_ERR_NOENT);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_inline_each(txn, &ann, walk_inline, &walk) == 0 &&
		      strcmp(walk.text, "all Own ") == 0);
	CLOSURE_CHECK(gml_rec_inline_del(txn, &ann, STR("own")) == 0 &&
		      gml_rec_inline_del(txn, &ann, STR("own")) == GML_ERR_NOENT);
	return 0;
}

static bool walk_part(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	char text[16];
	snprintf(text, sizeof(text), "%u:%u", number, rec->nextents);
	return walk_add(arg, text, strlen(text));
}

static bool walk_upload(void *arg, const uint8_t id[16], const struct gml_upload_rec *rec)
{
	(void)id;
	return walk_add(arg, rec->key.ptr, rec->key.len);
}

static int uploads(struct gml_txn *txn, void *arg)
{
	struct gml_upload_rec rec = {INO(100),	    1,	      2,       1234, GML_CHECKSUM_SHA1, 1,
				     STR("k\x01y"), STR("h"), STR("m")},
			      got;
	struct gml_part_rec part = {.size = 7, .mtime = -1, .md5 = {9}}, part_got;
	struct gml_extent extents[3] = {{0, 5, 6, 7}, {7, UINT64_MAX, 8, 9}, {16, 1, 2, 3}}, extent;
	uint8_t a[16] = {1}, b[16] = {2};
	struct walk walk = {{0}, 0};
	(void)arg;
	CLOSURE_CHECK(gml_rec_upload_put(txn, a, &rec) == 0);
	CLOSURE_CHECK(gml_rec_upload_get(txn, a, &got) == 0 && got.initiated == 1234 &&
		      got.gid == 2);
	CLOSURE_CHECK(got.checksum_algorithm == GML_CHECKSUM_SHA1 && got.checksum_composite == 1);
	CLOSURE_CHECK(span_equal(got.key, rec.key) && span_equal(got.headers, rec.headers) &&
		      span_equal(got.meta, rec.meta));
	CLOSURE_CHECK(gml_rec_upload_put(txn, b, &got) == 0); /* borrowed spans */
	CLOSURE_CHECK(gml_rec_upload_each(txn, walk_upload, &walk) == 0 &&
		      strcmp(walk.text, "k\x01y k\x01y ") == 0);
	part.nextents = 3;
	CLOSURE_CHECK(gml_rec_part_put(txn, a, 300, &part, extents) == 0);
	part.nextents = 0;
	CLOSURE_CHECK(gml_rec_part_put(txn, a, 1, &part, NULL) == 0);
	CLOSURE_CHECK(gml_rec_part_put(txn, b, 2, &part, NULL) == 0);
	CLOSURE_CHECK(gml_rec_part_get(txn, a, 300, &part_got) == 0 && part_got.mtime == -1 &&
		      part_got.md5[0] == 9);
	CLOSURE_CHECK(gml_rec_part_extent(&part_got, 1, &extent) == 0 &&
		      extent.blob == UINT64_MAX && extent.len == 9);
	CLOSURE_CHECK(gml_rec_part_extent(&part_got, 3, &extent) == GML_ERR_INVAL);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_part_each(txn, a, 0, walk_part, &walk) == 0 &&
		      strcmp(walk.text, "1:0 300:3 ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_part_each(txn, a, 1, walk_part, &walk) == 0 &&
		      strcmp(walk.text, "300:3 ") == 0);
	CLOSURE_CHECK(gml_rec_part_del(txn, a, 1) == 0 &&
		      gml_rec_part_del(txn, a, 1) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_upload_del(txn, a) == 0 &&
		      gml_rec_upload_get(txn, a, &got) == GML_ERR_NOENT);
	return 0;
}

static bool walk_owner(void *arg, gml_ino ino, const struct gml_owner *owner)
{
	char text[32];
	snprintf(text, sizeof(text), "%d:%u", (int)ino.num, owner->pid);
	return walk_add(arg, text, strlen(text));
}

static bool walk_orphan(void *arg, gml_ino ino, int64_t since)
{
	char text[32];
	snprintf(text, sizeof(text), "%d:%d", (int)ino.num, (int)since);
	return walk_add(arg, text, strlen(text));
}

static bool walk_lease(void *arg, const struct gml_lease *lease)
{
	char text[64];
	snprintf(text, sizeof(text), "%d:%d+%d", lease->kind, (int)lease->first, (int)lease->count);
	return walk_add(arg, text, strlen(text));
}

/* What of a blob has checksums, and where they are. */
static int blob_sums(struct gml_txn *txn, void *arg)
{
	static const uint64_t summed[] = {0, 1, 65535, 65536, 65537, 1 << 20};
	uint32_t sums[GML_SUM_CHUNK], got[GML_SUM_CHUNK], chunk;
	struct gml_sum_pending pending = {
		.size = (300 << 16) + 7, .next = 256, .rows = 1, .mark = UINT64_MAX, .since = -5};
	struct gml_sum_pending seen;
	struct gml_blob_rec rec;
	uint64_t id;
	unsigned count;
	(void)arg;
	for (size_t i = 0; i < sizeof(summed) / sizeof(*summed); i++) {
		for (uint64_t len = 0; len <= 1 << 20; len += len < 65536 ? 65536 : 983040) {
			struct gml_blob_rec put = {3, len, summed[i], 0xfedcba98};
			bool one = put.summed > 0 && put.summed <= 65536;
			put.rows = i % 2;
			CLOSURE_CHECK(gml_rec_blob_put(txn, 40, &put) == 0 &&
				      gml_rec_blob_get(txn, 40, &rec) == 0);
			CLOSURE_CHECK(rec.refs == 3 && rec.len == len && rec.summed == summed[i] &&
				      rec.crc == (one ? put.crc : 0) &&
				      rec.rows == (put.summed > 65536 ? put.rows : 0));
		}
	}
	for (unsigned i = 0; i < GML_SUM_CHUNK; i++)
		sums[i] = i * 0x9e3779b9;
	CLOSURE_CHECK(gml_rec_sums_put(txn, 40, 0, sums, 0) == GML_ERR_INVAL &&
		      gml_rec_sums_put(txn, 40, 0, sums, GML_SUM_CHUNK + 1) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_sums_put(txn, 40, 0, sums, GML_SUM_CHUNK) == 0 &&
		      gml_rec_sums_put(txn, 40, 3, sums, 1) == 0 &&
		      gml_rec_sums_put(txn, 40, UINT32_MAX, sums + 7, 2) == 0 &&
		      gml_rec_sums_put(txn, 41, 0, sums + 1, 1) == 0);
	CLOSURE_CHECK(gml_rec_sums_get(txn, 40, 0, got, &count) == 0 && count == GML_SUM_CHUNK &&
		      memcmp(got, sums, sizeof(sums)) == 0);
	CLOSURE_CHECK(gml_rec_sums_get(txn, 40, 1, got, &count) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_sums_next(txn, 40, 1, &id, &chunk) == 0 && id == 40 && chunk == 3);
	CLOSURE_CHECK(gml_rec_sums_count(txn, 40, 3 * 256 * 65536 + 1, &chunk) == 0 && chunk == 2 &&
		      gml_rec_sums_count(txn, 40, 3 * 256 * 65536, &chunk) == 0 && chunk == 1 &&
		      gml_rec_sums_count(txn, 40, 65536, &chunk) == 0 && chunk == 0 &&
		      gml_rec_sums_count(txn, 41, 1 << 20, &chunk) == 0 && chunk == 1);
	CLOSURE_CHECK(gml_rec_sums_drop(txn, 40, 1) == 0);
	CLOSURE_CHECK(gml_rec_sums_next(txn, 40, 1, &id, &chunk) == 0 && id == 41 && chunk == 0);
	CLOSURE_CHECK(gml_rec_sums_drop(txn, 40, 0) == 0 && gml_rec_sums_drop(txn, 40, 0) == 0);
	CLOSURE_CHECK(gml_rec_sums_get(txn, 40, 0, got, &count) == GML_ERR_NOENT &&
		      gml_rec_sums_get(txn, 41, 0, got, &count) == 0 && got[0] == sums[1]);
	CLOSURE_CHECK(gml_rec_sum_pending_next(txn, 0, &id, &seen) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_sum_pending_put(txn, 40, &pending) == 0 &&
		      gml_rec_sum_pending_get(txn, 40, &seen) == 0 && seen.size == pending.size &&
		      seen.next == 256 && seen.rows == 1 && seen.mark == UINT64_MAX &&
		      seen.since == -5);
	CLOSURE_CHECK(gml_rec_sum_pending_next(txn, 7, &id, &seen) == 0 && id == 40 &&
		      gml_rec_sum_pending_next(txn, 41, &id, &seen) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_sum_pending_del(txn, 40) == 0 &&
		      gml_rec_sum_pending_get(txn, 40, &seen) == GML_ERR_NOENT);
	pending.size = 0;
	CLOSURE_CHECK(gml_rec_sum_pending_put(txn, 40, &pending) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_sums_drop(txn, 41, 0) == 0 && gml_rec_blob_del(txn, 40) == 0);
	return 0;
}

static int small_tables(struct gml_txn *txn, void *arg)
{
	const uint64_t packs = (UINT64_C(1) << 28) - 1; /* numbers that packs may have */
	struct gml_owner owner = {.gateway = 3, .pid = 7, .start = 8, .boot = 9}, got;
	struct gml_lease lease;
	struct gml_blob_rec blob = {1, 2};
	struct walk walk = {{0}, 0};
	uint64_t id;
	int64_t since;
	(void)arg;
	CLOSURE_CHECK(gml_rec_dirty_put(txn, INO(300), &owner) == 0 &&
		      gml_rec_dirty_put(txn, INO(5), &owner) == 0);
	CLOSURE_CHECK(gml_rec_dirty_get(txn, INO(300), &got) == 0 && gml_owner_equal(&got, &owner));
	CLOSURE_CHECK(gml_rec_dirty_each(txn, GML_INO_NONE, walk_owner, &walk) == 0 &&
		      strcmp(walk.text, "5:7 300:7 ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_dirty_each(txn, INO(5), walk_owner, &walk) == 0 &&
		      strcmp(walk.text, "300:7 ") == 0);
	CLOSURE_CHECK(gml_rec_dirty_del(txn, INO(5)) == 0 &&
		      gml_rec_dirty_get(txn, INO(5), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_orphan_put(txn, &gml_line_none, INO(9), -4) == 0 &&
		      gml_rec_orphan_get(txn, INO(9), &since) == 0 && since == -4);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_orphan_each(txn, GML_INO_NONE, walk_orphan, &walk) == 0 &&
		      strcmp(walk.text, "9:-4 ") == 0);
	CLOSURE_CHECK(gml_rec_orphan_del(txn, INO(9)) == 0 &&
		      gml_rec_orphan_del(txn, INO(9)) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 1000, &owner, &lease) == 0 && lease.first == 1);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 10, &owner, &lease) == 0 && lease.first == 1001 &&
		      lease.count == 10);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, 1, &owner, &lease) == 0 && lease.first == 1 &&
		      lease.kind == 1);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 2, 1, &owner, &lease) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, packs, &owner, &lease) == GML_ERR_NOSPC);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, packs - 1, &owner, &lease) == 0);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, 1, &owner, &lease) == GML_ERR_NOSPC);
	CLOSURE_CHECK(gml_rec_lease_del(txn, 1, 2) == 0 &&
		      gml_rec_lease_del(txn, 1, 2) == GML_ERR_NOENT);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_lease_each(txn, walk_lease, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "0:1+1000 0:1001+10 1:1+1 ") == 0);
	CLOSURE_CHECK(gml_rec_blob_put(txn, UINT64_C(1) << 63, &blob) == 0 &&
		      gml_rec_blob_put(txn, 6, &blob) == 0);
	CLOSURE_CHECK(gml_rec_blob_next(txn, 0, &id, &blob) == 0 && id == 6);
	CLOSURE_CHECK(gml_rec_blob_next(txn, 7, &id, &blob) == 0 && id == UINT64_C(1) << 63 &&
		      blob.len == 2);
	CLOSURE_CHECK(gml_rec_blob_next(txn, UINT64_MAX, &id, &blob) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_blob_del(txn, 6) == 0 &&
		      gml_rec_blob_get(txn, 6, &blob) == GML_ERR_NOENT);
	return 0;
}

static void test_nouns(void **state)
{
	meta_env_update(*state, extents_find, NULL);
	meta_env_update(*state, xattrs, NULL);
	meta_env_update(*state, buckets, NULL);
	meta_env_update(*state, links, NULL);
	meta_env_update(*state, users, NULL);
	meta_env_update(*state, groups, NULL);
	meta_env_update(*state, roles, NULL);
	meta_env_update(*state, policies, NULL);
	meta_env_update(*state, policies_of, NULL);
	meta_env_update(*state, uploads, NULL);
	meta_env_update(*state, blob_sums, NULL);
	meta_env_update(*state, small_tables, NULL);
	/* The line that led to a bucket of another root. */
	assert_int_equal(((struct meta_env *)*state)->log_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nouns, meta_env_setup, meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_lines, meta_env_setup, meta_env_teardown),
	};
	int failed = cmocka_run_group_tests_name("meta_noun", tests, NULL, NULL);
	test_view = 900;
	return failed + cmocka_run_group_tests_name("meta_noun in a view", tests, NULL, NULL);
}
