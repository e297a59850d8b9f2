// SPDX-License-Identifier: Apache-2.0
/* Objects: keys, content, conditions, concurrency. */
#include <pthread.h>
#include "gateway/base/span.h"
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

/* ---- keys ------------------------------------------------------------------------------------ */

struct sample_tree {
	struct gml_span key[400];
	unsigned n;
	char *mem[400];
};

static void sample_add(struct sample_tree *tree, const void *p, size_t len)
{
	tree->mem[tree->n] = malloc(len);
	memcpy(tree->mem[tree->n], p, len);
	tree->key[tree->n] = (struct gml_span){tree->mem[tree->n], len};
	tree->n++;
}

static int sample_order(const void *a, const void *b)
{
	return gml_span_order(*(const struct gml_span *)a, *(const struct gml_span *)b);
}

static void sample_make(struct sample_tree *tree)
{
	static const char *const names[] = {
		"a",
		"a/",
		"a/b",
		"a//",
		"a//b",
		"a///",
		"/",
		"//",
		"/a",
		"//a",
		".",
		"..",
		"./",
		"../",
		"a/../b",
		"a/./b",
		"../../x",
		"a-b",
		"a0",
		"a.",
		"a/b/",
		"a/b/c",
		" ",
		"a b",
		"a+b",
		"a%2Fb",
		"%00",
		"a\\b",
		"a\nb",
		"\r",
		".gml~f~a",
		".gml~d~a",
		"a/.gml~F~00",
		"\xc3\xa9",
		"\xc3\x28",
		"\xff\xfe",
		"\xf0\x9f\x98\x80",
		"\xed\xa0\x80",
		"b/\xff/\x01",
	};
	char buf[GML_KEY_MAX + 1];
	memset(tree, 0, sizeof(*tree));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sample_add(tree, names[i], strlen(names[i]));
	for (int c = 1; c < 256; c++) {
		buf[0] = 'z';
		buf[1] = (char)c;
		sample_add(tree, buf, 2);
	}
	memset(buf, 'k', sizeof(buf));
	sample_add(tree, buf, GML_KEY_MAX);
	sample_add(tree, buf, GML_KEY_MAX - 1);
	sample_add(tree, buf, 256);
	sample_add(tree, buf, 500);
	sample_add(tree, buf, 501);
	sample_add(tree, buf, 1000);
	buf[GML_KEY_MAX - 1] = '/';
	sample_add(tree, buf, GML_KEY_MAX);
	buf[600] = '/';
	sample_add(tree, buf, GML_KEY_MAX);
	memset(buf, '/', sizeof(buf));
	sample_add(tree, buf, GML_KEY_MAX);
	sample_add(tree, buf, GML_KEY_MAX - 1);
	qsort(tree->key, tree->n, sizeof(tree->key[0]), sample_order);
}

static void test_key_zoo(void **state)
{
	struct ns *ns = *state;
	struct object_listing *got = calloc(1, sizeof(*got));
	struct sample_tree tree;
	char text[32];
	sample_make(&tree);
	for (unsigned i = 0; i < tree.n; i++) {
		unsigned at = (i * 7919) % tree.n; /* some other order */
		snprintf(text, sizeof(text), "content %u", at);
		assert_ok(object_put(ns, tree.key[at], text));
	}
	for (unsigned i = 0; i < tree.n; i++) {
		snprintf(text, sizeof(text), "content %u", i);
		object_assert(ns, tree.key[i], text, strlen(text));
	}
	assert_ok(object_list_all(ns, &ns->op, ns_span(""), ns_span(""), ns_span(""), 1000, got));
	assert_int_equal(got->n, tree.n);
	for (unsigned i = 0; i < tree.n; i++)
		assert_int_equal(
			gml_span_order((struct gml_span){got->keys[i], got->len[i]}, tree.key[i]),
			0);
	for (unsigned i = 0; i < tree.n; i++) {
		unsigned at = (i * 104729) % tree.n;
		assert_ok(object_del(ns, tree.key[at]));
		assert_rc(object_head(ns, tree.key[at], NULL), GML_ERR_NOENT);
	}
	object_assert_empty(ns);
	object_listing_free(got);
	free(got);
	for (unsigned i = 0; i < tree.n; i++)
		free(tree.mem[i]);
}

static void test_bad_keys(void **state)
{
	struct ns *ns = *state;
	char longest[GML_KEY_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	assert_rc(object_put(ns, ns_span(""), "x"), GML_ERR_INVAL);
	assert_rc(object_put(ns, (struct gml_span){"a\0b", 3}, "x"), GML_ERR_INVAL);
	assert_rc(object_put(ns, (struct gml_span){longest, sizeof(longest)}, "x"),
		  GML_ERR_NAMETOOLONG);
	assert_rc(object_head(ns, ns_span(""), NULL), GML_ERR_INVAL);
	assert_rc(object_del(ns, (struct gml_span){longest, sizeof(longest)}), GML_ERR_NAMETOOLONG);
	assert_rc(gml_object_delete(&ns->op, ns->store, OBJECT_REF(ns_span("none"), ns_span("k")),
				    NULL, NULL),
		  GML_ERR_NOBUCKET);
	assert_rc(object_head(ns, ns_span("none"), NULL), GML_ERR_NOENT);
	assert_rc(object_head(ns, ns_span("no/such/key"), NULL), GML_ERR_NOENT);
	assert_ok(object_del(ns, ns_span("no/such/key")));
	object_assert_empty(ns);
}

/* ---- content --------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 4096, 65535, 65536, 65537, 131072, 1000003, 20u << 20};
	static const size_t steps[] = {1000, 16384, 65536, 100000, 30u << 20};
	struct ns *ns = *state;
	char *buf = malloc(30u << 20);
	for (size_t i = 0; i < 30u << 20; i++)
		buf[i] = (char)((i * 2654435761u) >> 13);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			uint64_t hint = s % 2 != 0 ? UINT64_MAX : sizes[i];
			struct gml_object_info info;
			if (sizes[i] / steps[s] > 2000)
				continue;
			assert_ok(object_put_full(ns, &ns->op, ns_span("size"), buf, sizes[i],
						  steps[s], hint, NULL, NULL, &info));
			assert_int_equal(info.size, sizes[i]);
			object_assert(ns, ns_span("size"), buf, sizes[i]);
		}
	}
	assert_ok(object_del(ns, ns_span("size")));
	object_assert_empty(ns);
	free(buf);
}

static void test_ranges(void **state)
{
	struct ns *ns = *state;
	struct gml_object *object;
	struct gml_run run;
	char buf[200000];
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i >> 3);
	assert_ok(object_put_full(ns, &ns->op, ns_span("r"), buf, sizeof(buf), 65536, UINT64_MAX,
				  NULL, NULL, NULL));
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("r")), true, &object));
	object_assert_bytes(object, 70000, buf + 70000, 5);
	object_assert_bytes(object, sizeof(buf) - 1, buf + sizeof(buf) - 1, 1);
	assert_rc(gml_object_run(object, sizeof(buf), 1, &run), GML_ERR_INVAL);
	assert_ok(gml_object_run(object, 0, UINT64_MAX, &run));
	assert_true(run.len <= sizeof(buf) && run.len > 0);
	gml_object_close(object);
}

/* An open object outlives everything that happens to its key. */
static void test_reader_keeps(void **state)
{
	struct ns *ns = *state;
	struct gml_object *small, *large;
	char buf[100000];
	memset(buf, 'L', sizeof(buf));
	assert_ok(object_put(ns, ns_span("small"), "small content"));
	assert_ok(object_put_full(ns, &ns->op, ns_span("large"), buf, sizeof(buf), 65536,
				  sizeof(buf), NULL, NULL, NULL));
	assert_ok(
		gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("small")), true, &small));
	assert_ok(
		gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("large")), true, &large));
	assert_ok(object_put(ns, ns_span("small"), "other"));
	assert_ok(object_del(ns, ns_span("large")));
	object_reap(ns);
	object_assert_bytes(small, 0, "small content", 13);
	object_assert_bytes(large, 0, buf, sizeof(buf));
	gml_object_close(small);
	gml_object_close(large);
	object_assert(ns, ns_span("small"), "other", 5);
	assert_ok(object_del(ns, ns_span("small")));
	object_assert_empty(ns);
}

static void test_readers_of_the_dead(void **state)
{
	struct ns *ns = *state;
	struct gml_owner dead = ns->store->self;
	int slot = gml_presence_reader_add(ns->store->presence, INO(77)), other;
	assert_true(slot >= 0);
	assert_true(gml_presence_reader_any(ns->store->presence, INO(77)));
	assert_false(gml_presence_reader_any(ns->store->presence, INO(78)));
	dead.start ^= 1; /* this pid, in an earlier life */
	other = ns_reader_of(ns, &dead, INO(78));
	assert_true(other >= 0 && other != slot);
	assert_false(gml_presence_reader_any(ns->store->presence, INO(78)));
	gml_presence_reader_remove(ns->store->presence, slot);
	assert_false(gml_presence_reader_any(ns->store->presence, INO(77)));
}

static void test_abort_leaves_nothing(void **state)
{
	struct ns *ns = *state;
	struct gml_conditions none = {.if_none_match = ns_span("*")};
	struct gml_put *put;
	char buf[100000] = "";
	assert_ok(gml_put_begin(&ns->op, ns->store, OBJECT_REF(B, ns_span("x")), UINT64_MAX, &put));
	assert_ok(gml_put_write(put, buf, sizeof(buf)));
	assert_int_equal(object_blob_files(ns), 1);
	gml_put_abort(put);
	assert_int_equal(object_blob_files(ns), 0);
	assert_ok(object_put(ns, ns_span("x"), "1"));
	assert_rc(object_put_full(ns, &ns->op, ns_span("x"), buf, sizeof(buf), 65536, sizeof(buf),
				  NULL, &none, NULL),
		  GML_ERR_PRECONDITION);
	assert_int_equal(object_blob_files(ns), 0);
	object_assert(ns, ns_span("x"), "1", 1);
	assert_rc(gml_put_begin(&ns->op, ns->store, OBJECT_REF(B, ns_span("x")),
				GML_OBJECT_SIZE_MAX + 1, &put),
		  GML_ERR_FBIG);
}

static void test_metadata(void **state)
{
	struct ns *ns = *state;
	struct gml_meta_pair meta[] = {{ns_span("color"), ns_span("blue")},
				       {ns_span("empty"), ns_span("")}};
	struct gml_meta_pair tags[] = {{ns_span("Team"), ns_span("x")}};
	struct gml_object_new what = {.meta = meta, .nmeta = 2, .tags = tags, .ntags = 1};
	struct gml_meta_pair bad = {ns_span(""), ns_span("v")};
	struct gml_object_new wrong = {.meta = &bad, .nmeta = 1};
	const struct gml_object_info *info;
	struct gml_object *object;
	char value[16];
	size_t len;
	what.headers[GML_HDR_CONTENT_TYPE] = ns_span("text/plain");
	what.headers[GML_HDR_EXPIRES] = ns_span("");
	assert_ok(object_put_full(ns, &ns->op, ns_span("m"), "x", 1, 1, 1, &what, NULL, NULL));
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("m")), false, &object));
	info = gml_object_info(object);
	assert_int_equal(info->nmeta, 2);
	assert_int_equal(info->ntags, 1);
	assert_true(gml_span_equal(info->meta[0].name, ns_span("color")));
	assert_true(gml_span_equal(info->meta[0].value, ns_span("blue")));
	assert_true(gml_span_equal(info->meta[1].name, ns_span("empty")));
	assert_int_equal(info->meta[1].value.len, 0);
	assert_true(gml_span_equal(info->headers[GML_HDR_CONTENT_TYPE], ns_span("text/plain")));
	assert_non_null(info->headers[GML_HDR_EXPIRES].ptr);
	assert_null(info->headers[GML_HDR_CACHE_CONTROL].ptr);
	assert_string_equal(info->etag, "9dd4e461268c8034f5c8564e155c67a6");
	assert_ok(gml_xattr_get(&ns->op, ns->store, info->ino, ns_span("user.s3.tag.Team"),
				(struct gml_buf){value, sizeof(value)}, &len));
	assert_int_equal(len, 1);
	gml_object_close(object);
	assert_rc(object_put_full(ns, &ns->op, ns_span("m"), "y", 1, 1, 1, &wrong, NULL, NULL),
		  GML_ERR_INVAL);
	object_assert(ns, ns_span("m"), "x", 1);
	assert_ok(object_put(ns, ns_span("m"), "z"));
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("m")), false, &object));
	assert_int_equal(gml_object_info(object)->nmeta, 0);
	gml_object_close(object);
	assert_ok(object_del(ns, ns_span("m")));
	object_assert_empty(ns);
}

/* ---- conditions ------------------------------------------------------------------------------ */

#define S 1000000000ll

static void test_conditions(void **state)
{
	struct gml_object_info info = {.mtime = 100 * S + 5, .etag = "abc"};
	static const char *const hit[] = {"abc",   "\"abc\"",	     "*", "\"x\", \"abc\"", "x,abc",
					  " abc ", "\"a,b\",\"abc\""};
	static const char *const miss[] = {"ab",    "\"abcd\"", "",	  "\"x\"",
					   "x , y", "\"abc",	"W/\"x\""};
	struct gml_conditions c;
	(void)state;
	assert_int_equal(gml_conditions_check(NULL, NULL, true), 0);
	for (size_t i = 0; i < 7; i++) {
		c = (struct gml_conditions){.if_match = ns_span(hit[i])};
		assert_int_equal(gml_conditions_check(&c, &info, true), 0);
		c = (struct gml_conditions){.if_none_match = ns_span(hit[i])};
		assert_int_equal(gml_conditions_check(&c, &info, true), GML_ERR_PRECONDITION);
		assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_NOTMODIFIED);
		c = (struct gml_conditions){.if_match = ns_span(miss[i])};
		if (i != 5) { /* an unclosed quote is taken as closed at the end */
			assert_int_equal(gml_conditions_check(&c, &info, false),
					 GML_ERR_PRECONDITION);
			c = (struct gml_conditions){.if_none_match = ns_span(miss[i])};
			assert_int_equal(gml_conditions_check(&c, &info, false), 0);
		}
	}
	/* In quotes, the asterisk is a tag like any other. */
	c = (struct gml_conditions){.if_match = ns_span("\"*\"")};
	assert_int_equal(gml_conditions_check(&c, &info, true), GML_ERR_PRECONDITION);
	c = (struct gml_conditions){.if_none_match = ns_span("\"*\"")};
	assert_int_equal(gml_conditions_check(&c, &info, true), 0);
	/* Weak tags: never for If-Match, alike for If-None-Match. */
	c = (struct gml_conditions){.if_match = ns_span("W/\"abc\"")};
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_PRECONDITION);
	c = (struct gml_conditions){.if_none_match = ns_span("W/\"abc\"")};
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_NOTMODIFIED);
	/* Seconds. */
	c = (struct gml_conditions){.if_modified_since = 100 * S};
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_NOTMODIFIED);
	assert_int_equal(gml_conditions_check(&c, &info, true), GML_ERR_PRECONDITION);
	c.if_modified_since = 99 * S;
	assert_int_equal(gml_conditions_check(&c, &info, false), 0);
	c = (struct gml_conditions){.if_unmodified_since = 100 * S};
	assert_int_equal(gml_conditions_check(&c, &info, false), 0);
	c.if_unmodified_since = 99 * S;
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_PRECONDITION);
	/* Precedence: tags decide, times do not count then. */
	c = (struct gml_conditions){.if_match = ns_span("abc"), .if_unmodified_since = 1};
	assert_int_equal(gml_conditions_check(&c, &info, false), 0);
	c = (struct gml_conditions){.if_none_match = ns_span("x"), .if_modified_since = 200 * S};
	assert_int_equal(gml_conditions_check(&c, &info, false), 0);
	c = (struct gml_conditions){.if_match = ns_span("abc"), .if_none_match = ns_span("abc")};
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_NOTMODIFIED);
	c = (struct gml_conditions){.if_match = ns_span("x"), .if_none_match = ns_span("abc")};
	assert_int_equal(gml_conditions_check(&c, &info, false), GML_ERR_PRECONDITION);
	/* No object. */
	c = (struct gml_conditions){.if_match = ns_span("*")};
	assert_int_equal(gml_conditions_check(&c, NULL, true), GML_ERR_NOENT);
	c = (struct gml_conditions){.if_none_match = ns_span("*"), .if_unmodified_since = 1};
	assert_int_equal(gml_conditions_check(&c, NULL, true), 0);
}

static void test_conditional_writes(void **state)
{
	struct ns *ns = *state;
	struct gml_conditions none = {.if_none_match = ns_span("*")}, match = {0};
	struct gml_object_info info;
	bool existed;
	assert_ok(object_put_full(ns, &ns->op, ns_span("c"), "1", 1, 1, 1, NULL, &none, &info));
	assert_rc(object_put_full(ns, &ns->op, ns_span("c"), "2", 1, 1, 1, NULL, &none, NULL),
		  GML_ERR_PRECONDITION);
	match.if_match = ns_span(info.etag);
	assert_ok(object_put_full(ns, &ns->op, ns_span("c"), "3", 1, 1, 1, NULL, &match, NULL));
	assert_rc(object_put_full(ns, &ns->op, ns_span("c"), "4", 1, 1, 1, NULL, &match, NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(object_put_full(ns, &ns->op, ns_span("d"), "4", 1, 1, 1, NULL, &match, NULL),
		  GML_ERR_NOENT);
	object_assert(ns, ns_span("c"), "3", 1);
	assert_rc(gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("c")), &match, NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("d")), &match, NULL),
		  GML_ERR_NOENT);
	match.if_match = ns_span("*");
	assert_ok(gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("c")), &match,
				    &existed));
	assert_true(existed);
	assert_ok(
		gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("c")), NULL, &existed));
	assert_false(existed);
	object_assert_empty(ns);
}

/* ---- what NFS writes ------------------------------------------------------------------------- */

static void test_dirty(void **state)
{
	struct ns *ns = *state;
	struct gml_object_info before, during, after;
	struct gml_object *object;
	struct gml_file *file;
	gml_ino ino;
	assert_ok(object_put(ns, ns_span("f"), "0123456789"));
	assert_ok(object_head(ns, ns_span("f"), &before));
	ino = before.ino;
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("f")), true, &object));
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 5, "abcdefghij"));
	assert_ok(object_head(ns, ns_span("f"), &during));
	assert_int_equal(during.size, 15);
	assert_string_not_equal(during.etag, before.etag);
	object_assert(ns, ns_span("f"), "01234abcdefghij", 15);
	object_assert_bytes(object, 0, "0123456789", 10); /* opened before: pinned */
	gml_object_close(object);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(object_head(ns, ns_span("f"), &after));
	assert_int_equal(after.size, 15);
	object_assert(ns, ns_span("f"), "01234abcdefghij", 15);
	/* Holes. */
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 100000, "end"));
	assert_ok(object_head(ns, ns_span("f"), &during));
	assert_int_equal(during.size, 100003);
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, ns_span("f")), true, &object));
	object_assert_bytes(object, 99998, "\0\0end", 5);
	object_assert_bytes(object, 0, "01234abcdefghij\0", 16);
	gml_object_close(object);
	assert_ok(gml_file_close(&ns->op, file));
	assert_ok(object_del(ns, ns_span("f")));
	object_assert_empty(ns);
}

/* Conditions check the present attributes of a file that is being written, which closures may not
 * read. */
static void test_conditions_on_dirty(void **state)
{
	struct ns *ns = *state;
	struct gml_conditions match = {0};
	struct gml_object_info first, second;
	struct gml_file *file;
	bool existed = false;
	assert_ok(object_put(ns, ns_span("f"), "0123456789"));
	assert_ok(object_head(ns, ns_span("f"), &first));
	assert_ok(gml_file_open(&ns->op, ns->store, first.ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "a"));
	assert_ok(object_head(ns, ns_span("f"), &first));
	assert_ok(ns_write(ns, file, 0, "b"));
	assert_ok(object_head(ns, ns_span("f"), &second));
	assert_string_not_equal(first.etag, second.etag);
	match.if_match = ns_span(first.etag);
	assert_rc(object_put_full(ns, &ns->op, ns_span("f"), "x", 1, 1, 1, NULL, &match, NULL),
		  GML_ERR_PRECONDITION);
	assert_rc(gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("f")), &match,
				    &existed),
		  GML_ERR_PRECONDITION);
	match.if_match = ns_span(second.etag);
	assert_ok(object_put_full(ns, &ns->op, ns_span("f"), "new", 3, 3, 3, NULL, &match, NULL));
	assert_ok(gml_file_close(&ns->op, file));
	object_assert(ns, ns_span("f"), "new", 3);
	assert_ok(object_head(ns, ns_span("f"), &first));
	assert_ok(gml_file_open(&ns->op, ns->store, first.ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "c"));
	assert_ok(object_head(ns, ns_span("f"), &second));
	match.if_match = ns_span(second.etag);
	assert_ok(gml_object_delete(&ns->op, ns->store, OBJECT_REF(B, ns_span("f")), &match,
				    &existed));
	assert_true(existed);
	assert_ok(gml_file_close(&ns->op, file));
	assert_rc(object_head(ns, ns_span("f"), NULL), GML_ERR_NOENT);
}

/* ---- many at once ---------------------------------------------------------------------------- */

#define THREADS 16
#define ROUNDS 20

struct racer {
	struct ns *ns;
	unsigned id, created;
};

static void *racer_run(void *arg)
{
	struct racer *racer = arg;
	struct gml_conditions none = {.if_none_match = ns_span("*")};
	static const size_t sizes[] = {10, 70000};
	char *buf = malloc(70000), key[32];
	memset(buf, 'a' + (int)racer->id, 70000);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t size = sizes[(i + racer->id) % 2];
		struct gml_object *object;
		char first;
		int rc;
		assert_ok(object_put_full(racer->ns, &racer->ns->op, ns_span("race/one"), buf, size,
					  70000, size, NULL, NULL, NULL));
		/* Whole contents only. */
		rc = gml_object_open(&racer->ns->op, racer->ns->store,
				     OBJECT_REF(B, ns_span("race/one")), true, &object);
		if (rc == 0) {
			struct object_buf got = {.p = malloc(70000)};
			assert_ok(gml_object_each(object, 0, gml_object_info(object)->size,
						  object_sink, &got));
			first = got.p[0];
			for (size_t k = 0; k < got.len; k++)
				assert_int_equal(got.p[k], first);
			free(got.p);
			gml_object_close(object);
		} else {
			assert_int_equal(rc, GML_ERR_NOENT);
		}
		if (i % 4 == 3)
			assert_ok(object_del(racer->ns, ns_span("race/one")));
		/* One creator per key. */
		snprintf(key, sizeof(key), "race/once/%u", i);
		rc = object_put_full(racer->ns, &racer->ns->op, ns_span(key), buf, 1, 1, 1, NULL,
				     &none, NULL);
		assert_true(rc == 0 || rc == GML_ERR_PRECONDITION);
		racer->created += rc == 0;
	}
	free(buf);
	return NULL;
}

static void test_race(void **state)
{
	struct ns *ns = *state;
	struct racer racer[THREADS];
	pthread_t thread[THREADS];
	unsigned created = 0;
	char key[32];
	for (unsigned i = 0; i < THREADS; i++) {
		racer[i] = (struct racer){.ns = ns, .id = i};
		pthread_create(&thread[i], NULL, racer_run, &racer[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		created += racer[i].created;
	}
	assert_int_equal(created, ROUNDS);
	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(key, sizeof(key), "race/once/%u", i);
		assert_ok(object_del(ns, ns_span(key)));
	}
	assert_ok(object_del(ns, ns_span("race/one")));
	object_assert_empty(ns);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_key_zoo),
		T(test_bad_keys),
		T(test_sizes),
		T(test_ranges),
		T(test_reader_keeps),
		T(test_metadata),
		T(test_abort_leaves_nothing),
		cmocka_unit_test(test_conditions),
		T(test_conditional_writes),
		T(test_dirty),
		T(test_conditions_on_dirty),
		T(test_readers_of_the_dead),
		T(test_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
