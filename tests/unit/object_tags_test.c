// SPDX-License-Identifier: Apache-2.0
/* An object's tags change as a whole. */
#include <pthread.h>
#include <stdatomic.h>
#include "object_support.h"

#define TAGS 10
#define ROUNDS 300

static struct gml_meta_pair tag_set[2][TAGS];
static char tag_text[2][TAGS][2][16];

/* Two sets that share half of their names; every value tells its set. */
static void tags_init(void)
{
	for (int set = 0; set < 2; set++) {
		for (int i = 0; i < TAGS; i++) {
			char *name = tag_text[set][i][0], *value = tag_text[set][i][1];
			snprintf(name, 16, "%c%d", i < TAGS / 2 ? 's' : 'A' + set, i);
			snprintf(value, 16, "%d", set);
			tag_set[set][i] = (struct gml_meta_pair){ns_span(name), ns_span(value)};
		}
	}
}

struct tags_seen {
	unsigned n, of[2];
};

static bool tags_see(void *arg, struct gml_span name, struct gml_span value)
{
	struct tags_seen *seen = arg;
	(void)name;
	seen->n++;
	seen->of[*(const char *)value.ptr == '1']++;
	return true;
}

static struct tags_seen tags_look(struct ns *ns, gml_ino ino)
{
	struct tags_seen seen = {0};
	assert_ok(gml_tags_each(&ns->op, ns->store, ino, tags_see, &seen));
	return seen;
}

static gml_ino tags_object(struct ns *ns)
{
	static const char other[] = "user.s3.tab"; /* neighbours of the tags in the table */
	tags_init();
	assert_ok(object_put(ns, ns_span("o"), "content"));
	assert_ok(gml_xattr_set(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "o"), ns_span(other),
				ns_span("x"), GML_XATTR_EITHER));
	assert_ok(gml_xattr_set(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "o"),
				ns_span("user.z"), ns_span("x"), GML_XATTR_EITHER));
	return ns_lookup(ns, ns->bucket, "o");
}

static bool tags_first(void *arg, struct gml_span name, struct gml_span value)
{
	assert_int_equal(name.len, 2);
	assert_memory_equal(name.ptr, "A5", 2);
	assert_int_equal(value.len, 1);
	++*(unsigned *)arg;
	return false;
}

static void test_replace(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = tags_object(ns);
	unsigned n = 0;
	char buf[4];
	size_t len;
	assert_int_equal(tags_look(ns, ino).n, 0);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[0], TAGS));
	assert_int_equal(tags_look(ns, ino).of[0], TAGS);
	assert_ok(gml_tags_each(&ns->op, ns->store, ino, tags_first, &n));
	assert_int_equal(n, 1);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[1], TAGS));
	assert_int_equal(tags_look(ns, ino).of[1], TAGS);
	assert_int_equal(tags_look(ns, ino).n, TAGS);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[1], 2));
	assert_int_equal(tags_look(ns, ino).n, 2);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, NULL, 0));
	assert_int_equal(tags_look(ns, ino).n, 0);
	/* What is no tag stayed; what is the last attribute takes the inode's flag along (the check
	 * looks at it). */
	assert_ok(gml_xattr_get(&ns->op, ns->store, ino, ns_span("user.s3.tab"),
				(struct gml_buf){buf, sizeof(buf)}, &len));
	assert_ok(gml_xattr_get(&ns->op, ns->store, ino, ns_span("user.z"),
				(struct gml_buf){buf, sizeof(buf)}, &len));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.s3.tab")));
	assert_ok(gml_xattr_remove(&ns->op, ns->store, ino, ns_span("user.z")));
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[0], 1));
	ns_check(ns);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, NULL, 0));
}

/* Refused as a whole, whatever is wrong with the last one. */
static void test_refused(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair tags[TAGS + 1];
	struct gml_op user = ns_user(1000, 1000), reader = ns->op;
	gml_ino ino = tags_object(ns);
	char large[1100];
	memset(large, 'x', sizeof(large));
	memcpy(tags, tag_set[1], sizeof(tag_set[1]));
	tags[TAGS] = (struct gml_meta_pair){ns_span("more"), ns_span("1")};
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[0], TAGS));
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, tags, TAGS + 1), GML_ERR_TOOBIG);
	tags[TAGS - 1].value = (struct gml_span){large, sizeof(large)};
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, tags, TAGS), GML_ERR_TOOBIG);
	tags[TAGS - 1] = (struct gml_meta_pair){{large, 513}, ns_span("1")};
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, tags, TAGS), GML_ERR_NAMETOOLONG);
	tags[TAGS - 1].name = ns_span("");
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, tags, TAGS), GML_ERR_INVAL);
	tags[TAGS - 1].name = tags[0].name;
	assert_rc(gml_tags_replace(&ns->op, ns->store, ino, tags, TAGS), GML_ERR_INVAL);
	assert_rc(gml_tags_replace(&user, ns->store, ino, tag_set[1], TAGS), GML_ERR_ACCESS);
	reader.context.read_only = true;
	assert_rc(gml_tags_replace(&reader, ns->store, ino, tag_set[1], TAGS), GML_ERR_ROFS);
	assert_rc(gml_tags_replace(&ns->op, ns->store, INO(999999), tag_set[1], TAGS),
		  GML_ERR_STALE);
	assert_int_equal(tags_look(ns, ino).of[0], TAGS);
	assert_int_equal(tags_look(ns, ino).n, TAGS);
}

static int put_tag(struct ns *ns, const char *name, size_t name_len, const char *value,
		   size_t value_len)
{
	struct gml_meta_pair tag = {{name, name_len}, {value, value_len}};
	struct gml_object_new what = {.tags = &tag, .ntags = 1};
	return object_put_full(ns, &ns->op, ns_span("o"), "x", 1, 1, 1, &what, NULL, NULL);
}

/* What a PUT brings obeys the limits of a replacing. */
static void test_put_limits(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair more[TAGS + 1];
	struct gml_object_new what = {.tags = more, .ntags = TAGS + 1};
	char large[1100];
	gml_ino ino;
	memset(large, 'x', sizeof(large));
	(void)tags_object(ns);
	assert_rc(put_tag(ns, large, 600, "v", 1), GML_ERR_TOOBIG);
	assert_rc(put_tag(ns, large, 513, "v", 1), GML_ERR_TOOBIG);
	assert_rc(put_tag(ns, "n", 1, large, 1025), GML_ERR_TOOBIG);
	memcpy(more, tag_set[1], sizeof(tag_set[1]));
	more[TAGS] = (struct gml_meta_pair){ns_span("more"), ns_span("1")};
	assert_rc(object_put_full(ns, &ns->op, ns_span("o"), "x", 1, 1, 1, &what, NULL, NULL),
		  GML_ERR_TOOBIG);
	assert_ok(put_tag(ns, large, 512, large, 1024));
	ino = ns_lookup(ns, ns->bucket, "o");
	assert_int_equal(tags_look(ns, ino).n, 1);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[1], TAGS));
	assert_int_equal(tags_look(ns, ino).of[1], TAGS);
	assert_int_equal(tags_look(ns, ino).n, TAGS);
}

static const size_t long_names[] = {524, 525, 600, GML_REC_XATTR_NAME_MAX};
#define LONG_NAMES (sizeof(long_names) / sizeof(*long_names))

static int long_names_fn(struct gml_txn *txn, void *arg)
{
	static char name[GML_REC_XATTR_NAME_MAX];
	int rc = 0;
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.s3.tag.", 12);
	for (size_t i = 0; rc == 0 && i < LONG_NAMES; i++)
		rc = gml_rec_xattr_put(txn, &gml_line_none, *(gml_ino *)arg,
				       (struct gml_span){name, long_names[i]}, ns_span("v"));
	return rc;
}

/* As an older program stored them: they can be replaced. */
static void test_long_names(void **state)
{
	struct ns *ns = *state;
	gml_ino ino = tags_object(ns);
	assert_ok(gml_meta_update(ns->store->meta, long_names_fn, &ino));
	assert_int_equal(tags_look(ns, ino).n, LONG_NAMES);
	assert_ok(gml_tags_replace(&ns->op, ns->store, ino, tag_set[0], TAGS));
	assert_int_equal(tags_look(ns, ino).of[0], TAGS);
	assert_int_equal(tags_look(ns, ino).n, TAGS);
}

struct tags_reader {
	struct ns *ns;
	gml_ino ino;
	_Atomic bool stop;
	_Atomic unsigned looks;
};

static void *tags_read(void *arg)
{
	struct tags_reader *reader = arg;
	while (!atomic_load(&reader->stop)) {
		struct tags_seen seen = tags_look(reader->ns, reader->ino);
		if (seen.n != TAGS || (seen.of[0] != TAGS && seen.of[1] != TAGS))
			fail_msg("%u tags: %u of the one set, %u of the other", seen.n, seen.of[0],
				 seen.of[1]);
		reader->looks++;
	}
	return NULL;
}

/* A reader sees the one set or the other; a crash leaves the one or the other, because each
 * replacing is one transaction. */
static void test_atomic(void **state)
{
	struct ns *ns = *state;
	struct tags_reader reader = {.ns = ns, .ino = tags_object(ns)};
	struct gml_meta_stats before, after;
	pthread_t thread;
	assert_ok(gml_tags_replace(&ns->op, ns->store, reader.ino, tag_set[0], TAGS));
	pthread_create(&thread, NULL, tags_read, &reader);
	while (atomic_load(&reader.looks) == 0) /* else the rounds may be over before it looks */
		usleep(100);
	gml_meta_stats_get(ns->store->meta, &before);
	for (int i = 0; i < ROUNDS; i++)
		assert_ok(gml_tags_replace(&ns->op, ns->store, reader.ino, tag_set[i % 2], TAGS));
	gml_meta_stats_get(ns->store->meta, &after);
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	assert_true(reader.looks > 0);
	assert_int_equal(after.updates - before.updates, ROUNDS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replace, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_refused, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_put_limits, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_long_names, ns_setup, ns_teardown),
		cmocka_unit_test_setup_teardown(test_atomic, ns_setup, ns_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
