// SPDX-License-Identifier: Apache-2.0
/* How many extended attributes an inode can have, and how large they may be:
 * gateway/ns/posix/xattr.c. */
#include "gateway/ns/core/link.h"
#include "gemel/object.h"
#include "ns_support.h"

static char value[GML_XATTR_VALUE_MAX];

static int set_number(struct ns *ns, gml_ino ino, unsigned number, size_t len)
{
	char name[32];
	snprintf(name, sizeof(name), "user.n%05u", number);
	return gml_xattr_set(&ns->op, ns->store, ino, ns_span(name), (struct gml_span){value, len},
			     GML_XATTR_EITHER);
}

static bool count_each(void *arg, struct gml_span name)
{
	++*(unsigned *)arg;
	return name.len > 0;
}

static unsigned count(struct ns *ns, gml_ino ino)
{
	unsigned n = 0;
	assert_ok(gml_xattr_list(&ns->op, ns->store, ino, count_each, &n));
	return n;
}

static void test_count(void **state)
{
	const struct gml_meta_pair tag = {.name = ns_span("t"), .value = ns_span("v")};
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "x");
	for (unsigned i = 0; i < GML_XATTR_COUNT_MAX; i++)
		assert_ok(set_number(ns, ino, i, 1));
	assert_rc(set_number(ns, ino, GML_XATTR_COUNT_MAX, 0), GML_ERR_NOSPC);
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, &tag, 1), GML_ERR_NOSPC);
	assert_ok(set_number(ns, ino, 7, 100)); /* replaced, not added */
	assert_int_equal(count(ns, ino), GML_XATTR_COUNT_MAX);
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.n00007")));
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, &tag, 1));
	assert_rc(set_number(ns, ino, 7, 0), GML_ERR_NOSPC);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, NULL, 0));
	assert_ok(set_number(ns, ino, 7, 0));
}

static void test_total(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "x");
	size_t name = strlen("user.n00000"), each = GML_XATTR_VALUE_MAX - name;
	unsigned n = GML_XATTR_TOTAL_MAX / GML_XATTR_VALUE_MAX;
	for (unsigned i = 0; i < n; i++)
		assert_ok(set_number(ns, ino, i, each));
	assert_rc(set_number(ns, ino, n, 0), GML_ERR_NOSPC);
	assert_rc(set_number(ns, ino, 0, each + 1), GML_ERR_NOSPC);
	assert_ok(set_number(ns, ino, 0, each - name - 1));
	assert_ok(set_number(ns, ino, n, 1));
	assert_rc(set_number(ns, ino, n, 2), GML_ERR_NOSPC);
}

static int put_too_many(struct gml_txn *txn, void *argp)
{
	gml_ino *ino = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, *ino, &inode);
	for (unsigned i = 0; rc == 0 && i < 2 * GML_XATTR_COUNT_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "user.n%05u", i);
		rc = gml_rec_xattr_put(txn, &gml_line_none, *ino, ns_span(name), ns_span("long"));
	}
	inode.flags |= GML_INODE_XATTRS;
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

/* What is there from before the limit can be listed, shortened and removed; it cannot grow. */
static void test_more_than_allowed(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = ns_put(ns, ns->bucket, "f", "x");
	assert_ok(gml_meta_update(ns->store->meta, put_too_many, &ino));
	assert_int_equal(count(ns, ino), 2 * GML_XATTR_COUNT_MAX);
	assert_ok(set_number(ns, ino, 3, 4));
	assert_ok(set_number(ns, ino, 3, 0));
	assert_rc(set_number(ns, ino, 4, 5), GML_ERR_NOSPC);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, NULL, 0));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.n00003")));
	assert_int_equal(count(ns, ino), 2 * GML_XATTR_COUNT_MAX - 1);
}

int main(void)
{
#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		NS_TEST(test_count),
		NS_TEST(test_total),
		NS_TEST(test_more_than_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
