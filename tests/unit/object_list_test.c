// SPDX-License-Identifier: Apache-2.0
/* Listings against a model: the sorted array of all keys, filtered by brute force. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "gateway/base/span.h"
#include "gateway/ns/core/link.h"
#include "object_support.h"

static uint64_t list_seed = 20240607;

static uint32_t list_random(uint32_t n)
{
	list_seed = list_seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(list_seed >> 33) % n;
}

struct model {
	struct {
		char name[64];
		size_t len;
	} key[1000];
	unsigned n;
};

static int model_order(const void *a, const void *b)
{
	const char *x = a, *y = b;
	size_t xl, yl;
	memcpy(&xl, x + 64, sizeof(xl));
	memcpy(&yl, y + 64, sizeof(yl));
	return gml_span_order((struct gml_span){x, xl}, (struct gml_span){y, yl});
}

static struct gml_span model_key(const struct model *model, unsigned i)
{
	return (struct gml_span){model->key[i].name, model->key[i].len};
}

/* A short string over an alphabet that makes collisions, deep paths and empty components likely. */
static size_t model_string(char *out, unsigned max)
{
	static const char alphabet[] = "aab//-0.\x01\xff";
	size_t len = list_random(max + 1);
	for (size_t i = 0; i < len; i++)
		out[i] = alphabet[list_random(sizeof(alphabet) - 1)];
	return len;
}

static void model_add(struct ns *ns, struct model *model)
{
	char name[64];
	size_t len = model_string(name, 8);
	if (len == 0)
		return;
	for (unsigned i = 0; i < model->n; i++) {
		if (model->key[i].len == len && memcmp(model->key[i].name, name, len) == 0)
			return;
	}
	memcpy(model->key[model->n].name, name, len);
	model->key[model->n].len = len;
	assert_ok(object_put(ns, model_key(model, model->n), ""));
	model->n++;
}

/* Next entry greater than `after`: the definition, word by word. */
static bool model_next(const struct model *model, struct gml_span prefix, struct gml_span delimiter,
		       struct gml_span after, struct gml_span *out, bool *common)
{
	for (unsigned i = 0; i < model->n; i++) {
		struct gml_span key = model_key(model, i);
		const char *p = key.ptr, *hit = NULL;
		if (!gml_span_starts(key, prefix))
			continue;
		if (delimiter.len > 0 && key.len > prefix.len)
			hit = memmem(p + prefix.len, key.len - prefix.len, delimiter.ptr,
				     delimiter.len);
		*common = hit != NULL;
		*out = hit != NULL ? (struct gml_span){p, (size_t)(hit - p) + delimiter.len} : key;
		if (after.len == 0 || gml_span_order(*out, after) > 0)
			return true;
	}
	return false;
}

static void list_compare(struct ns *ns, const struct model *model, struct gml_span prefix,
			 struct gml_span delimiter, struct gml_span after, uint32_t max)
{
	static struct object_listing got;
	struct gml_span want = after;
	bool common = false;
	assert_ok(object_list_all(ns, &ns->op, prefix, delimiter, after, max, &got));
	for (unsigned i = 0; i < got.n; i++) {
		assert_true(model_next(model, prefix, delimiter, want, &want, &common));
		assert_int_equal(got.len[i], want.len);
		assert_memory_equal(got.keys[i], want.ptr, want.len);
		assert_int_equal(got.common[i], common);
	}
	assert_false(model_next(model, prefix, delimiter, want, &want, &common));
	object_listing_free(&got);
}

static void test_model(void **state)
{
	static const char *const delimiters[] = {"",   "/",  "/",    "//", "a",
						 "-0", "b/", "\xff", "/a/"};
	struct ns *ns = *state;
	struct model *model = calloc(1, sizeof(*model));
	for (unsigned i = 0; i < 400; i++)
		model_add(ns, model);
	qsort(model->key, model->n, sizeof(model->key[0]), model_order);
	for (unsigned i = 0; i < 3000; i++) {
		char prefix[64], after[64];
		size_t prefix_len = model_string(prefix, 4), after_len;
		unsigned k = list_random(model->n);
		if (list_random(3) == 0) { /* a real key's beginning */
			prefix_len = list_random((uint32_t)model->key[k].len + 1);
			memcpy(prefix, model->key[k].name, prefix_len);
		}
		after_len = list_random(2) == 0 ? 0 : model_string(after, 6);
		if (list_random(3) == 0) {
			k = list_random(model->n);
			after_len = model->key[k].len;
			memcpy(after, model->key[k].name, after_len);
		}
		list_compare(ns, model, (struct gml_span){prefix, prefix_len},
			     ns_span(delimiters[list_random(sizeof(delimiters) /
							    sizeof(delimiters[0]))]),
			     (struct gml_span){after, after_len},
			     1 + list_random(list_random(2) ? 5 : 1000));
	}
	for (unsigned i = 0; i < model->n; i++)
		assert_ok(object_del(ns, model_key(model, i)));
	object_assert_empty(ns);
	free(model);
}

static void list_expect(struct ns *ns, const char *prefix, const char *delimiter, const char *want)
{
	static struct object_listing got;
	char text[4096] = "";
	assert_ok(object_list_all(ns, &ns->op, ns_span(prefix), ns_span(delimiter), ns_span(""), 2,
				  &got));
	for (unsigned i = 0; i < got.n; i++) {
		strcat(text, got.common[i] ? ">" : "");
		strcat(strcat(text, got.keys[i]), " ");
	}
	object_listing_free(&got);
	assert_string_equal(text, want);
}

/* Directories that NFS made. */
static void test_directories(void **state)
{
	struct ns *ns = *state;
	gml_ino empty = ns_mkdir(ns, ns->bucket, "empty"), full = ns_mkdir(ns, ns->bucket, "full"),
		deep;
	deep = ns_mkdir(ns, full, "deep");
	ns_mkdir(ns, deep, "er");
	ns_put(ns, full, "file", "x");
	ns_put(ns, ns->bucket, "top", "x");
	(void)empty;
	list_expect(ns, "", "", "empty/ full/deep/er/ full/file top ");
	list_expect(ns, "", "/", ">empty/ >full/ top ");
	list_expect(ns, "empty", "/", ">empty/ ");
	list_expect(ns, "empty/", "/", "empty/ ");
	list_expect(ns, "full/", "/", ">full/deep/ full/file ");
	list_expect(ns, "full/deep/e", "/", ">full/deep/er/ ");
	list_expect(ns, "full/deep/er/", "/", "full/deep/er/ ");
	list_expect(ns, "full/deep/er/x", "/", "");
	list_expect(ns, "none/", "/", "");
	assert_ok(object_put(ns, ns_span("empty/"), ""));
	list_expect(ns, "", "", "empty/ full/deep/er/ full/file top ");
	list_expect(ns, "empty/", "/", "empty/ ");
	/* Behind the last common prefix lies a directory without the prefix. */
	assert_ok(object_put(ns, ns_span("empty.\xff"), ""));
	list_expect(ns, "empty.", "\xff", ">empty.\xff ");
}

static void test_bounds(void **state)
{
	struct ns *ns = *state;
	struct gml_list_query query = {.bucket = B, .max = 0};
	static struct object_listing got;
	char big[3000];
	bool truncated = true;
	memset(big, 'a', sizeof(big));
	assert_ok(object_put(ns, ns_span("a"), ""));
	assert_ok(object_put(ns, (struct gml_span){big, GML_KEY_MAX}, ""));
	assert_ok(object_put(ns, ns_span("b"), ""));
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_false(truncated);
	assert_int_equal(got.n, 0);
	query.bucket = ns_span("none");
	assert_rc(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated),
		GML_ERR_NOBUCKET);
	query.bucket = B;
	query.max = 10;
	query.after = (struct gml_span){big, sizeof(big)};
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_int_equal(got.n, 1);
	assert_string_equal(got.keys[0], "b");
	object_listing_free(&got);
	query = (struct gml_list_query){.bucket = B, .max = 10, .prefix = {big, sizeof(big)}};
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_int_equal(got.n, 0);
	query = (struct gml_list_query){.bucket = B, .max = 10, .delimiter = {big, sizeof(big)}};
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_int_equal(got.n, 3);
	object_listing_free(&got);
	/* A page that is exactly full and the last one says so. */
	query = (struct gml_list_query){.bucket = B, .max = 3};
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_false(truncated);
	object_listing_free(&got);
	query.max = 2;
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_true(truncated);
	object_listing_free(&got);
}

/* Many hidden entries between two keys: every page ends, and together they bring all keys. */
static int list_hide(struct gml_txn *txn, void *arg)
{
	struct ns *ns = arg;
	struct gml_inode dir, inode;
	int rc = gml_rec_inode_get(txn, ns->bucket, &dir);
	char name[32];
	for (int i = 0; rc == 0 && i < 25000; i++) {
		rc = gml_inode_init(txn, &ns->op, &dir, GML_FIFO, &GML_NEW_FILE_MODE, &inode);
		snprintf(name, sizeof(name), "m%06d", i);
		if (rc == 0)
			rc = gml_link_add(txn, &dir, ns_span(name), &inode);
	}
	return rc;
}

static void test_hidden(void **state)
{
	struct ns *ns = *state;
	struct gml_list_query query = {.bucket = B, .max = 100};
	static struct object_listing got;
	bool truncated;
	assert_ok(object_put(ns, ns_span("a"), ""));
	assert_ok(object_put(ns, ns_span("z"), ""));
	assert_ok(gml_meta_update(ns->store->meta, list_hide, ns));
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_int_equal(got.n, 1);
	assert_true(truncated);
	query.after = ns_span("a");
	assert_ok(
		gml_object_list(&ns->op, ns->store, &query, object_listing_each, &got, &truncated));
	assert_int_equal(got.n, 2);
	assert_false(truncated);
	object_listing_free(&got);
}

/* What a Linux client renames when a file that it has open is removed. */
static void test_silly_names(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d"), f = ns_put(ns, d, "f", "open");
	static struct object_listing got;
	struct gml_bucket bucket;
	char name[64], key[80];
	assert_ok(object_put(ns, ns_span("d/g"), "g"));
	snprintf(name, sizeof(name), ".nfs%016llx%08x", (unsigned long long)gml_ino_fileid(f),
		 0xa1u);
	snprintf(key, sizeof(key), "d/%s", name);
	assert_ok(gml_dir_rename(&ns->op, ns->store, d, ns_span("f"), d, ns_span(name)));
	assert_ok(object_list_all(ns, &ns->op, ns_span(""), ns_span(""), ns_span(""), 10, &got));
	assert_int_equal(got.n, 1);
	assert_string_equal(got.keys[0], "d/g");
	object_listing_free(&got);
	/* Nor as a common prefix. */
	assert_ok(object_list_all(ns, &ns->op, ns_span("d/"), ns_span("f"), ns_span(""), 10, &got));
	assert_int_equal(got.n, 1);
	assert_false(got.common[0]);
	object_listing_free(&got);
	/* It takes room, and who knows the key can read and remove it, as over NFS. */
	assert_ok(gml_bucket_head(&ns->op, ns->store, B, &bucket));
	assert_int_equal(bucket.bytes, 5);
	object_assert(ns, ns_span(key), "open", 4);
	assert_ok(object_del(ns, ns_span(key)));
	assert_rc(object_head(ns, ns_span(key), NULL), GML_ERR_NOENT);
	/* Only with its own number: anything else is a key like any other. */
	f = ns_put(ns, ns->bucket, "f", "x");
	for (int i = 0; i < 5; i++) {
		static const char *const before[] = {".nfs", ".nfs", ".nfs", ".nfz", ".nfs"};
		static const char *const behind[] = {"000000A1", "000000a", "000000a1a", "000000a1",
						     "000000a1"};
		snprintf(name, sizeof(name), "%s%016llx%s", before[i],
			 (unsigned long long)gml_ino_fileid(f) + (i == 4), behind[i]);
		assert_ok(object_put(ns, ns_span(name), "key"));
		assert_ok(object_list_all(ns, &ns->op, ns_span(name), ns_span(""), ns_span(""), 10,
					  &got));
		assert_int_equal(got.n, 1);
		object_listing_free(&got);
	}
	assert_rc(gml_bucket_delete(&ns->op, ns->store, B), GML_ERR_NOTEMPTY);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_model), T(test_directories),
						  T(test_bounds), T(test_hidden),
						  T(test_silly_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
