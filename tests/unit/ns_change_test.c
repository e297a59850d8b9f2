// SPDX-License-Identifier: Apache-2.0
/* Every change of an inode in place asks gml_may_change: a refusal there binds all roads, and
 * leaves things as they were. */
#include "gateway/ns/core/may_change.h"
#include "object_support.h"

#define REFUSAL GML_ERR_LOCKED /* no road answers this by itself */

static gml_ino locked; /* GML_INO_NONE: none */
static enum gml_change refused;
static unsigned asked[GML_CHANGE_TAGS + 1];

int __real_gml_may_change(const struct gml_op *op, const struct gml_inode *inode,
			  enum gml_change change);
int __wrap_gml_may_change(const struct gml_op *op, const struct gml_inode *inode,
			  enum gml_change change);
int __wrap_gml_may_change(const struct gml_op *op, const struct gml_inode *inode,
			  enum gml_change change)
{
	asked[change]++;
	if (!gml_ino_is_none(locked) && gml_ino_equal(inode->ino, locked) && change == refused)
		return REFUSAL;
	return __real_gml_may_change(op, inode, change);
}

struct change {
	struct ns *ns;
	gml_ino ino;
	struct gml_file *file;
};

static int setattr(struct change *c, struct gml_setattr set)
{
	return gml_inode_setattr(&c->ns->op, c->ns->store, c->ino, &set, NULL);
}

static int change_write(struct change *c)
{
	return ns_write(c->ns, c->file, 1, "x");
}

static int change_allocate(struct change *c)
{
	return gml_file_allocate(&c->ns->op, c->file, 100, 10);
}

static int change_deallocate(struct change *c)
{
	return gml_file_deallocate(&c->ns->op, c->file, 0, 2);
}

static int change_cut(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_SIZE, .size = 1});
}

static int change_grow(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_SIZE, .size = 1000});
}

static int change_empty(struct change *c)
{
	const struct gml_setattr set = {.mask = GML_SET_SIZE};
	struct gml_file *file = NULL;
	int rc =
		gml_file_create(&c->ns->op, c->ns->store, c->ns->bucket, ns_span("f"),
				&(struct gml_create){.access = GML_OPEN_WRITE, .set = &set}, &file);
	assert_ok(gml_file_close(&c->ns->op, file));
	return rc;
}

static int change_mode(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_MODE, .mode = 0600});
}

static int change_owner(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_UID, .uid = 7});
}

static int change_group(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_GID, .gid = 7});
}

static int change_atime(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_ATIME, .atime = 5});
}

static int change_mtime(struct change *c)
{
	return setattr(c, (struct gml_setattr){.mask = GML_SET_MTIME_NOW});
}

static int change_xattr(struct change *c)
{
	return gml_xattr_set(&c->ns->op, c->ns->store, c->ino, ns_span("user.new"), ns_span("v"),
			     GML_XATTR_EITHER);
}

static int change_xattr_gone(struct change *c)
{
	return gml_xattr_remove(&c->ns->op, c->ns->store, c->ino, ns_span("user.old"));
}

static int change_tags(struct change *c)
{
	const struct gml_meta_pair tag = {ns_span("tag"), ns_span("v")};
	return gml_tags_replace(&c->ns->op, c->ns->store, c->ino, &tag, 1);
}

static int change_tags_gone(struct change *c)
{
	return gml_tags_replace(&c->ns->op, c->ns->store, c->ino, NULL, 0);
}

static const struct {
	const char *name;
	enum gml_change change;
	int (*run)(struct change *c);
} roads[] = {
	{"write", GML_CHANGE_BYTES, change_write},
	{"allocate", GML_CHANGE_BYTES, change_allocate},
	{"deallocate", GML_CHANGE_BYTES, change_deallocate},
	{"cut", GML_CHANGE_SIZE, change_cut},
	{"grow", GML_CHANGE_SIZE, change_grow},
	{"open and truncate", GML_CHANGE_SIZE, change_empty},
	{"chmod", GML_CHANGE_ATTRS, change_mode},
	{"chown", GML_CHANGE_ATTRS, change_owner},
	{"chgrp", GML_CHANGE_ATTRS, change_group},
	{"atime", GML_CHANGE_ATTRS, change_atime},
	{"mtime", GML_CHANGE_ATTRS, change_mtime},
	{"setxattr", GML_CHANGE_XATTRS, change_xattr},
	{"removexattr", GML_CHANGE_XATTRS, change_xattr_gone},
	{"tags", GML_CHANGE_TAGS, change_tags},
	{"no tags", GML_CHANGE_TAGS, change_tags_gone},
};

/* A file "f" with content and an attribute, by S3 (`dirty` false) or being written over NFS. */
static void change_make(struct change *c, struct ns *ns, bool dirty)
{
	*c = (struct change){.ns = ns};
	assert_ok(object_put(ns, ns_span("f"), "content"));
	c->ino = ns_lookup(ns, ns->bucket, "f");
	assert_ok(gml_xattr_set(&ns->op, ns->store, c->ino, ns_span("user.old"), ns_span("v"),
				GML_XATTR_EITHER));
	assert_ok(gml_file_open(&ns->op, ns->store, c->ino, GML_OPEN_READ | GML_OPEN_WRITE,
				&c->file));
	if (dirty)
		assert_ok(ns_write(ns, c->file, 0, "c"));
}

static void change_drop(struct change *c)
{
	assert_ok(gml_file_close(&c->ns->op, c->file));
	assert_ok(object_del(c->ns, ns_span("f")));
}

static void roads_run(struct ns *ns, bool dirty)
{
	for (size_t i = 0; i < sizeof(roads) / sizeof(*roads); i++) {
		struct gml_attr before, after;
		struct change c;
		char buf[16];
		size_t got;
		bool eof;
		change_make(&c, ns, dirty);
		before = ns_attr(ns, c.ino);
		locked = c.ino;
		refused = roads[i].change;
		assert_rc(roads[i].run(&c), REFUSAL);
		locked = GML_INO_NONE;
		after = ns_attr(ns, c.ino);
		if (before.change != after.change || before.size != after.size ||
		    before.mode != after.mode || before.uid != after.uid ||
		    before.gid != after.gid || before.mtime != after.mtime ||
		    before.ctime != after.ctime || before.atime != after.atime)
			fail_msg("%s: refused, and attributes changed", roads[i].name);
		assert_ok(gml_file_read(&ns->op, c.file, 0, (struct gml_buf){buf, sizeof(buf)},
					&got, &eof));
		assert_int_equal(got, 7);
		assert_memory_equal(buf, "content", 7);
		assert_int_equal((ns_record(ns, c.ino).flags & GML_INODE_DIRTY) != 0, dirty);
		assert_ok(roads[i].run(&c));
		change_drop(&c);
	}
}

static void test_clean(void **state)
{
	roads_run(*state, false);
}

static void test_dirty(void **state)
{
	roads_run(*state, true);
}

/* The transaction that makes a clean file DIRTY asks for itself, not only who looked before. */
static void test_asked_again(void **state)
{
	struct ns *ns = *state;
	struct change c;
	unsigned first;
	change_make(&c, ns, false);
	memset(asked, 0, sizeof(asked));
	assert_ok(change_write(&c));
	first = asked[GML_CHANGE_BYTES];
	memset(asked, 0, sizeof(asked));
	assert_ok(change_write(&c));
	assert_int_equal(asked[GML_CHANGE_BYTES], 1); /* a write in place: one look */
	assert_true(first > 3); /* shared look, exclusive look, transaction, look again */
	change_drop(&c);
}

static void test_types(void **state)
{
	static const struct gml_op op;
	struct gml_inode inode = {.type = GML_REG};
	(void)state;
	for (enum gml_change change = GML_CHANGE_BYTES; change <= GML_CHANGE_TAGS; change++)
		assert_ok(gml_may_change(&op, &inode, change));
	inode.type = GML_DIR;
	assert_rc(gml_may_change(&op, &inode, GML_CHANGE_BYTES), GML_ERR_ISDIR);
	assert_rc(gml_may_change(&op, &inode, GML_CHANGE_SIZE), GML_ERR_ISDIR);
	assert_ok(gml_may_change(&op, &inode, GML_CHANGE_XATTRS));
	inode.type = GML_FIFO;
	assert_rc(gml_may_change(&op, &inode, GML_CHANGE_SIZE), GML_ERR_INVAL);
	assert_rc(gml_may_change(&op, &inode, GML_CHANGE_XATTRS), GML_ERR_PERM);
	assert_rc(gml_may_change(&op, &inode, GML_CHANGE_TAGS), GML_ERR_PERM);
	assert_ok(gml_may_change(&op, &inode, GML_CHANGE_ATTRS));
}

int main(void)
{
#define CHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		CHANGE_TEST(test_clean),
		CHANGE_TEST(test_dirty),
		CHANGE_TEST(test_asked_again),
		cmocka_unit_test(test_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
