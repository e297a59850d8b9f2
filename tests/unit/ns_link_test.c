// SPDX-License-Identifier: Apache-2.0
/* Names that get another inode, and names that lose theirs: gateway/ns/core/link.c and supersede.c,
 * by all ways of both protocols. What a change writes is counted at the engine's border. */
#include "gateway/ns/core/supersede.h"
#include "object_support.h"

/* ---- what goes past the test ----------------------------------------------------------------- */

static unsigned table_changes[GML_TABLE_COUNT_], changes;
static enum gml_supersede reasons[16];
static unsigned nreasons;

int __real_gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		       struct gml_span value);
int __wrap_gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		       struct gml_span value);
int __wrap_gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		       struct gml_span value)
{
	table_changes[table]++;
	changes++;
	return __real_gml_txn_put(txn, table, key, value);
}

int __real_gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key);
int __wrap_gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key);
int __wrap_gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key)
{
	table_changes[table]++;
	changes++;
	return __real_gml_txn_del(txn, table, key);
}

int __real_gml_supersede(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode,
			 struct gml_usage *usage);
int __wrap_gml_supersede(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode,
			 struct gml_usage *usage);
int __wrap_gml_supersede(struct gml_txn *txn, const struct gml_link *link, struct gml_inode *inode,
			 struct gml_usage *usage)
{
	if (nreasons < 16)
		reasons[nreasons++] = link->why;
	return __real_gml_supersede(txn, link, inode, usage);
}

static void watch(void)
{
	memset(table_changes, 0, sizeof(table_changes));
	changes = nreasons = 0;
}

static int mv(struct ns *ns, gml_ino from_dir, const char *from, gml_ino to_dir, const char *to)
{
	return gml_dir_rename(&ns->op, ns->store, from_dir, ns_span(from), to_dir, ns_span(to));
}

static uint64_t cookie_of(struct ns *ns, gml_ino dir, const char *name)
{
	struct gml_attr attr;
	assert_ok(gml_dir_lookup(&ns->op, ns->store, dir, ns_span(name), &attr));
	return attr.cookie;
}

static void assert_usage(struct ns *ns, uint64_t bytes, uint64_t objects)
{
	struct gml_bucket bucket;
	assert_ok(gml_bucket_head(&ns->op, ns->store, B, &bucket));
	assert_int_equal(bucket.bytes, bytes);
	assert_int_equal(bucket.objects, objects);
}

static void complete(struct ns *ns, const char *key, const char *text)
{
	struct gml_part_ref ref = {.number = 1};
	char id[GML_UPLOAD_ID_LEN + 1];
	struct gml_put *put;
	uint8_t md5[16];
	assert_ok(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, ns_span(key)),
				    &(struct gml_upload_options){.attrs = NULL}, id));
	assert_ok(gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, ns_span(key), ns_span(id)), 1,
				 strlen(text), &put));
	assert_ok(gml_put_write(put, text, strlen(text)));
	object_md5(text, strlen(text), md5);
	assert_ok(gml_part_finish(&ns->op, put, md5, NULL, NULL));
	for (int i = 0; i < 16; i++)
		snprintf(ref.etag + 2 * i, 3, "%02x", md5[i]);
	assert_ok(gml_upload_complete(&ns->op, ns->store, UPLOAD_REF(B, ns_span(key), ns_span(id)),
				      &(struct gml_complete_options){.parts = &ref, .nparts = 1},
				      NULL));
}

static int copy(struct ns *ns, const char *from, const char *to)
{
	return gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span(from)),
			       OBJECT_REF(B, ns_span(to)),
			       &(struct gml_copy_options){.src_cond = NULL}, NULL);
}

/* ---- what a change costs --------------------------------------------------------------------- */

static void test_changes(void **state)
{
	struct ns *ns = *state;
	ns_mkdir(ns, ns->bucket, "d");
	assert_ok(object_put(ns, ns_span("first"), "takes a lease of blob ids"));
	watch();
	assert_ok(object_put(ns, ns_span("d/key"), "one"));
	assert_int_equal(changes, 6); /* blob, dirent, cookie, inode, directory, usage */
	watch();
	assert_ok(object_put(ns, ns_span("d/key"), "other"));
	assert_int_equal(table_changes[GML_TABLE_BLOB], 1);
	assert_int_equal(table_changes[GML_TABLE_DIRENT], 1);
	assert_int_equal(table_changes[GML_TABLE_COOKIE], 0);
	assert_int_equal(table_changes[GML_TABLE_INODE], 3); /* new, old, directory */
	assert_int_equal(table_changes[GML_TABLE_ORPHAN], 1);
	assert_int_equal(changes, 7);
	watch();
	assert_ok(object_put(ns, ns_span("d/key"), "equal")); /* usage stays as it is */
	assert_int_equal(changes, 6);
	/* Over NFS: unlink; rename to a free name; rename over a name. */
	ns_put(ns, ns->bucket, "a", "a");
	ns_put(ns, ns->bucket, "b", "bb");
	watch();
	assert_ok(mv(ns, ns->bucket, "a", ns->bucket, "c"));
	assert_int_equal(changes, 6); /* two names, two cookies, inode, directory */
	watch();
	assert_ok(mv(ns, ns->bucket, "c", ns->bucket, "b"));
	assert_int_equal(changes,
			 8); /* two names, a cookie, inode, old, orphan, directory, usage */
	watch();
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("b"), GML_REMOVE_FILE));
	assert_int_equal(changes, 6); /* dirent, cookie, inode, orphan, directory, usage */
}

/* ---- a replaced name ------------------------------------------------------------------------- */

static void test_cookie_stays(void **state)
{
	struct ns *ns = *state;
	uint64_t cookie;
	gml_ino old, now;
	assert_ok(object_put(ns, ns_span("name"), "first"));
	assert_ok(object_put(ns, ns_span("other"), "another"));
	cookie = cookie_of(ns, ns->bucket, "name");
	old = ns_lookup(ns, ns->bucket, "name");
	for (int road = 0; road < 4; road++) {
		if (road == 0)
			assert_ok(object_put(ns, ns_span("name"), "second"));
		if (road == 1)
			assert_ok(copy(ns, "other", "name"));
		if (road == 2)
			complete(ns, "name", "parts");
		if (road == 3)
			assert_ok(mv(ns, ns->bucket, "other", ns->bucket, "name"));
		now = ns_lookup(ns, ns->bucket, "name");
		assert_true(!gml_ino_equal(now, old));
		assert_int_equal(cookie_of(ns, ns->bucket, "name"), cookie);
		assert_int_equal(ns_record(ns, old).flags & GML_INODE_ORPHAN, GML_INODE_ORPHAN);
		assert_int_equal(ns_record(ns, old).nlink, 0);
		assert_int_equal(ns_record(ns, now).nlink, 1);
		assert_ino_equal(ns_record(ns, now).parent, ns->bucket);
		ns_check(ns);
		old = now;
	}
	/* What went and comes again is a new name. */
	assert_ok(object_del(ns, ns_span("name")));
	assert_ok(object_put(ns, ns_span("name"), "again"));
	assert_true(cookie_of(ns, ns->bucket, "name") > cookie);
}

static void test_long_name(void **state)
{
	struct ns *ns = *state;
	char key[GML_KEY_MAX + 1];
	memset(key, 'k', GML_KEY_MAX);
	key[GML_KEY_MAX] = '\0';
	assert_ok(object_put(ns, ns_span(key), "one"));
	assert_ok(object_put(ns, ns_span(key), "two more"));
	object_assert(ns, ns_span(key), "two more", 8);
	assert_usage(ns, 8, 1);
	ns_check(ns);
	assert_ok(object_del(ns, ns_span(key)));
	object_assert_empty(ns);
}

static void test_usage(void **state)
{
	struct ns *ns = *state;
	struct gml_attr attr;
	assert_ok(object_put(ns, ns_span("a"), "12345678"));
	assert_usage(ns, 8, 1);
	assert_ok(object_put(ns, ns_span("a"), "123"));
	assert_usage(ns, 3, 1);
	assert_ok(object_put(ns, ns_span("b"), "1234567890"));
	assert_ok(mv(ns, ns->bucket, "b", ns->bucket, "a"));
	assert_usage(ns, 10, 1);
	complete(ns, "a", "12");
	assert_usage(ns, 2, 1);
	/* What is no object becomes one. */
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("link"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("a")},
				&attr));
	assert_usage(ns, 2, 1);
	assert_ok(object_put(ns, ns_span("link"), "1234"));
	assert_usage(ns, 6, 2);
	assert_int_equal(ns_record(ns, attr.ino).flags & GML_INODE_ORPHAN, GML_INODE_ORPHAN);
	/* And the other way round. */
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("link2"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("a")},
				&attr));
	assert_ok(mv(ns, ns->bucket, "link2", ns->bucket, "a"));
	assert_usage(ns, 4, 1);
}

/* At its quota a bucket takes what needs no more than what it replaces. */
static void test_quota(void **state)
{
	struct ns *ns = *state;
	struct gml_op admin = GML_OP_LOCAL;
	assert_ok(object_put(ns, ns_span("a"), "12345678"));
	assert_ok(gml_bucket_set_quota(&admin, ns->store, B, 8, 1));
	assert_ok(object_put(ns, ns_span("a"), "87654321"));
	assert_rc(object_put(ns, ns_span("a"), "987654321"), GML_ERR_DQUOT);
	assert_rc(object_put(ns, ns_span("b"), ""), GML_ERR_DQUOT);
	object_assert(ns, ns_span("a"), "87654321", 8);
	assert_usage(ns, 8, 1);
}

static void test_hard_links(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, old, other;
	old = ns_put(ns, b, "a", "old");
	assert_ok(gml_dir_link(&ns->op, ns->store, old, b, ns_span("a2"), NULL));
	/* rename(2) over another name of the same file: nothing happens, both names stay. */
	assert_ok(mv(ns, b, "a", b, "a2"));
	assert_ino_equal(ns_lookup(ns, b, "a"), old);
	assert_ino_equal(ns_lookup(ns, b, "a2"), old);
	assert_int_equal(ns_record(ns, old).nlink, 2);
	/* One name gets other content: the file keeps its other name, and counts. */
	assert_ok(object_put(ns, ns_span("a"), "new one"));
	assert_int_equal(ns_record(ns, old).nlink, 1);
	assert_false(ns_record(ns, old).flags & GML_INODE_ORPHAN);
	assert_ino_equal(ns_lookup(ns, b, "a2"), old);
	ns_assert_content(ns, old, "old", 3);
	assert_usage(ns, 10, 2);
	/* A file of two names takes the place of a third one. */
	assert_ok(gml_dir_link(&ns->op, ns->store, old, b, ns_span("a3"), NULL));
	other = ns_put(ns, b, "c", "third");
	assert_ok(mv(ns, b, "a3", b, "c"));
	assert_ino_equal(ns_lookup(ns, b, "c"), old);
	assert_int_equal(ns_record(ns, old).nlink, 2);
	assert_int_equal(ns_record(ns, other).nlink, 0);
	assert_usage(ns, 10, 2);
	ns_check(ns);
	/* Copied onto itself with other metadata, a file of two names becomes two files. */
	assert_ok(gml_object_copy(
		&ns->op, ns->store, OBJECT_REF(B, ns_span("c")), OBJECT_REF(B, ns_span("c")),
		&(struct gml_copy_options){.attrs = &(struct gml_object_new){.nmeta = 0}}, NULL));
	assert_true(!gml_ino_equal(ns_lookup(ns, b, "c"), old));
	assert_int_equal(ns_record(ns, old).nlink, 1);
	object_assert(ns, ns_span("c"), "old", 3);
	assert_usage(ns, 13, 3);
}

/* A file that is open and being written is replaced: who has it open goes on with it. */
static void test_open_file(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file;
	char buf[16];
	size_t got;
	bool eof;
	ns->op.handle.client = 7;
	file = ns_new(ns, ns->bucket, "a");
	assert_ok(ns_write(ns, file, 0, "written"));
	assert_ok(object_put(ns, ns_span("a"), "put"));
	assert_usage(ns, 3, 1);
	assert_ok(ns_write(ns, file, 7, " on"));
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &got, &eof));
	assert_int_equal(got, 10);
	assert_memory_equal(buf, "written on", 10);
	object_assert(ns, ns_span("a"), "put", 3);
	assert_ok(gml_file_close(&ns->op, file));
	assert_usage(ns, 3, 1);
}

static void test_directories(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, d = ns_mkdir(ns, b, "d"), e = ns_mkdir(ns, b, "e"),
		from = ns_mkdir(ns, d, "from"), to = ns_mkdir(ns, e, "to");
	uint64_t cookie = cookie_of(ns, e, "to");
	ns_put(ns, from, "f", "f");
	/* Across directories: the old parent has one less, the new one as many as before. */
	assert_ok(mv(ns, d, "from", e, "to"));
	assert_ino_equal(ns_lookup(ns, e, "to"), from);
	assert_int_equal(cookie_of(ns, e, "to"), cookie);
	assert_int_equal(ns_attr(ns, d).nlink, 2);
	assert_int_equal(ns_attr(ns, e).nlink, 3);
	assert_int_equal(ns_record(ns, to).flags & GML_INODE_ORPHAN, GML_INODE_ORPHAN);
	assert_ino_equal(ns_record(ns, from).parent, e);
	/* Within one: one less. */
	ns_mkdir(ns, e, "empty");
	assert_int_equal(ns_attr(ns, e).nlink, 4);
	assert_ok(mv(ns, e, "to", e, "empty"));
	assert_int_equal(ns_attr(ns, e).nlink, 3);
	assert_ino_equal(ns_lookup(ns, e, "empty"), from);
	/* A marker that NFS does not show goes with the directory that gives way. */
	assert_ok(object_put(ns, ns_span("e/gone/"), ""));
	watch();
	assert_ok(mv(ns, e, "empty", e, "gone"));
	assert_int_equal(nreasons, 2);
	assert_int_equal(reasons[0], GML_SUPERSEDE_REMOVED);
	assert_int_equal(reasons[1], GML_SUPERSEDE_RENAMED_OVER);
	assert_int_equal(ns_attr(ns, e).nlink, 3);
	assert_usage(ns, 1, 1);
	object_assert(ns, ns_span("e/gone/f"), "f", 1);
}

/* ---- listings while names are replaced ------------------------------------------------------- */

#define MANY 40

struct seen {
	unsigned times[MANY], page, got;
	uint64_t cookie;
};

static bool seen_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct seen *seen = arg;
	char text[8] = {0};
	memcpy(text, name.ptr, name.len < 7 ? name.len : 7);
	seen->times[atoi(text + 1)]++;
	seen->cookie = attr->cookie;
	return ++seen->got < seen->page;
}

static void many_replace(struct ns *ns, gml_ino d, unsigned round)
{
	char key[16], name[16];
	for (unsigned i = round % 3; i < MANY; i += 3) {
		snprintf(key, sizeof(key), "d/n%02u", i);
		assert_ok(object_put(ns, ns_span(key), "replaced"));
		snprintf(name, sizeof(name), "n%02u", i);
		ns_put(ns, ns->bucket, "tmp", "renamed over");
		if (i % 2)
			assert_ok(mv(ns, ns->bucket, "tmp", d, name));
		else
			assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("tmp"),
						 GML_REMOVE_FILE));
	}
}

static void test_readdir_replaced(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d");
	struct seen seen = {.page = 7};
	char name[16];
	bool eof = false;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%02u", i * 7 % MANY); /* not in order of names */
		ns_put(ns, d, name, "x");
	}
	for (unsigned round = 0; !eof; round++) {
		seen.got = 0;
		assert_true(round < MANY);
		assert_ok(gml_dir_read(&ns->op, ns->store, d,
				       &(struct gml_dir_query){.cookie = seen.cookie,
							       .each = seen_each,
							       .arg = &seen},
				       &eof));
		many_replace(ns, d, round);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(seen.times[i], 1);
}

static bool key_each(void *arg, const struct gml_list_entry *entry)
{
	struct seen *seen = arg;
	char text[8] = {0};
	memcpy(text, (const char *)entry->key.ptr + 2, 3);
	seen->times[atoi(text + 1)]++;
	seen->got = (unsigned)atoi(text + 1);
	return true;
}

static void test_list_replaced(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d");
	struct gml_list_query query = {.bucket = B, .prefix = {"d/", 2}, .max = 7};
	struct seen seen = {0};
	char key[16];
	bool truncated = true;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "d/n%02u", i * 7 % MANY);
		assert_ok(object_put(ns, ns_span(key), "x"));
	}
	for (unsigned round = 0; truncated; round++) {
		assert_ok(gml_object_list(&ns->op, ns->store, &query, key_each, &seen, &truncated));
		snprintf(key, sizeof(key), "d/n%02u", seen.got);
		query.after = ns_span(key);
		many_replace(ns, d, round);
		snprintf(key, sizeof(key), "d/n%02u", seen.got);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(seen.times[i], 1);
}

/* ---- all roads ------------------------------------------------------------------------------- */

/* Each loss of a name's content is told to gml_supersede, with its reason, and leaves one
 * orphan. */
static void assert_lost(struct ns *ns, unsigned *orphans, enum gml_supersede why)
{
	assert_int_equal(nreasons, 1);
	assert_int_equal(reasons[0], why);
	assert_int_equal(object_count(ns, GML_TABLE_ORPHAN), ++*orphans);
	watch();
}

static void test_roads(void **state)
{
	struct ns *ns = *state;
	unsigned orphans = 0;
	assert_ok(object_put(ns, ns_span("a"), "a"));
	assert_ok(object_put(ns, ns_span("s"), "source"));
	watch();
	assert_ok(object_put(ns, ns_span("a"), "b"));
	assert_lost(ns, &orphans, GML_SUPERSEDE_REPLACED);
	assert_ok(copy(ns, "s", "a"));
	assert_lost(ns, &orphans, GML_SUPERSEDE_REPLACED);
	complete(ns, "a", "parts");
	assert_lost(ns, &orphans, GML_SUPERSEDE_REPLACED);
	assert_ok(mv(ns, ns->bucket, "s", ns->bucket, "a"));
	assert_lost(ns, &orphans, GML_SUPERSEDE_RENAMED_OVER);
	assert_ok(object_del(ns, ns_span("a")));
	assert_lost(ns, &orphans, GML_SUPERSEDE_REMOVED);
	ns_put(ns, ns->bucket, "f", "f");
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	assert_lost(ns, &orphans, GML_SUPERSEDE_REMOVED);
	ns_mkdir(ns, ns->bucket, "d");
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_DIR));
	assert_lost(ns, &orphans, GML_SUPERSEDE_REMOVED);
	/* A key's implicit directories go after it, from the deepest on. */
	assert_ok(object_put(ns, ns_span("x/y/z"), "z"));
	assert_ok(object_del(ns, ns_span("x/y/z")));
	assert_int_equal(nreasons, 3);
	assert_int_equal(reasons[0], GML_SUPERSEDE_REMOVED);
	assert_int_equal(reasons[1], GML_SUPERSEDE_PRUNED);
	assert_int_equal(reasons[2], GML_SUPERSEDE_PRUNED);
	orphans += 3;
	assert_int_equal(object_count(ns, GML_TABLE_ORPHAN), orphans);
	ns_check(ns);
	watch();
	assert_ok(gml_bucket_delete(&ns->op, ns->store, B));
	assert_lost(ns, &orphans, GML_SUPERSEDE_BUCKET);
	assert_ok(gml_bucket_create(&ns->op, ns->store, ns_span("bucket"), NULL, NULL));
	assert_ok(gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, B, GML_REMOVE_ANY));
	assert_lost(ns, &orphans, GML_SUPERSEDE_BUCKET);
}

/* ---- damage ---------------------------------------------------------------------------------- */

struct wrong {
	gml_ino dir, old, new;
	const char *name;
};

static int wrong_txn(struct gml_txn *txn, void *argp)
{
	struct wrong *wrong = argp;
	struct gml_op op = GML_OP_LOCAL;
	struct gml_inode dir, old, inode;
	struct gml_link link = {.op = &op,
				.dir = &dir,
				.name = ns_span(wrong->name),
				.why = GML_SUPERSEDE_REPLACED};
	assert_ok(gml_rec_inode_get(txn, wrong->dir, &dir));
	assert_ok(gml_rec_inode_get(txn, wrong->old, &old));
	assert_ok(gml_inode_init(txn, &op, &dir, GML_REG, &GML_NEW_FILE_MODE, &inode));
	return gml_link_replace(txn, &link, &old, &inode);
}

/* A name that is not there, or denotes something else than was looked at, is not replaced. */
static void test_wrong(void **state)
{
	struct ns *ns = *state;
	struct wrong wrong = {.dir = ns->bucket, .name = "none"};
	wrong.old = ns_put(ns, ns->bucket, "a", "a");
	ns_put(ns, ns->bucket, "b", "b");
	assert_rc(gml_meta_update(ns->store->meta, wrong_txn, &wrong), GML_ERR_CORRUPT);
	wrong.name = "b";
	assert_rc(gml_meta_update(ns->store->meta, wrong_txn, &wrong), GML_ERR_CORRUPT);
	wrong.name = "a";
	assert_ok(gml_meta_update(ns->store->meta, wrong_txn, &wrong));
}

int main(void)
{
#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		LINK_TEST(test_changes),
		LINK_TEST(test_cookie_stays),
		LINK_TEST(test_long_name),
		LINK_TEST(test_usage),
		LINK_TEST(test_quota),
		LINK_TEST(test_hard_links),
		LINK_TEST(test_open_file),
		LINK_TEST(test_directories),
		LINK_TEST(test_readdir_replaced),
		LINK_TEST(test_list_replaced),
		LINK_TEST(test_roads),
		LINK_TEST(test_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
