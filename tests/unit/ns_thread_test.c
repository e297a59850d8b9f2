// SPDX-License-Identifier: Apache-2.0
/* Many threads on few files and names: gateway/ns under contention. Run it under ThreadSanitizer as
 * well. */
#include <pthread.h>
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

#define THREADS 6
#define ROUNDS 60
#define BLOCK 4096

struct crowd {
	struct ns *ns;
	gml_ino shared, dir;
	_Atomic int failed;
};

struct one {
	struct crowd *crowd;
	unsigned number;
};

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "thread %u: %s\n", one->number, #cond);                    \
			one->crowd->failed = 1;                                                    \
			return NULL;                                                               \
		}                                                                                  \
	} while (0)

static void run(struct crowd *crowd, void *(*fn)(void *))
{
	pthread_t threads[THREADS];
	struct one ones[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		ones[i] = (struct one){crowd, i};
		assert_int_equal(pthread_create(&threads[i], NULL, fn, &ones[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd->failed, 0);
}

/* Each writes its own stripe of one file, opening and closing it now and then, so that it is
 * settled and made DIRTY between others' writes; chmod and utimes come between. No byte may get
 * lost. */
static void *stripe(void *arg)
{
	struct one *one = arg;
	struct ns *ns = one->crowd->ns;
	char block[BLOCK], back[BLOCK];
	struct iovec iov = {block, BLOCK};
	struct gml_file *file = NULL;
	size_t got;
	bool eof;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t off = ((uint64_t)i * THREADS + one->number) * BLOCK;
		struct gml_setattr set = {.mask = i % 3 ? GML_SET_MODE : GML_SET_MTIME,
					  .mode = 0600 + i % 8,
					  .mtime = i};
		if (file == NULL)
			CHECK(gml_file_open(&ns->op, ns->store, one->crowd->shared,
					    GML_OPEN_READ | GML_OPEN_WRITE, &file) == 0);
		memset(block, (int)(1 + one->number * 31 + i), BLOCK);
		CHECK(gml_file_write(&ns->op, file, off, &iov, 1, i % 5 == 0) == 0);
		CHECK(gml_file_read(&ns->op, file, off, (struct gml_buf){back, BLOCK}, &got,
				    &eof) == 0 &&
		      got == BLOCK);
		CHECK(memcmp(block, back, BLOCK) == 0);
		if (i % 4 == one->number % 4)
			CHECK(gml_inode_setattr(&ns->op, ns->store, one->crowd->shared, &set,
						NULL) == 0);
		if (i % 7 == one->number) {
			CHECK(gml_file_close(&ns->op, file) == 0);
			file = NULL;
		}
	}
	CHECK(gml_file_close(&ns->op, file) == 0);
	return NULL;
}

static void test_stripes(void **state)
{
	struct crowd crowd = {.ns = *state};
	struct gml_file *file;
	char back[BLOCK];
	size_t got;
	bool eof;
	crowd.shared = ns_put(crowd.ns, crowd.ns->bucket, "shared", "");
	run(&crowd, stripe);
	assert_int_equal(ns_attr(crowd.ns, crowd.shared).size, (uint64_t)ROUNDS * THREADS * BLOCK);
	assert_ok(
		gml_file_open(&crowd.ns->op, crowd.ns->store, crowd.shared, GML_OPEN_READ, &file));
	for (unsigned i = 0; i < ROUNDS * THREADS; i++) {
		assert_ok(gml_file_read(&crowd.ns->op, file, (uint64_t)i * BLOCK,
					(struct gml_buf){back, BLOCK}, &got, &eof));
		for (size_t n = 0; n < BLOCK; n++)
			assert_int_equal((uint8_t)back[n],
					 (uint8_t)(1 + i % THREADS * 31 + i / THREADS));
	}
	assert_ok(gml_file_close(&crowd.ns->op, file));
}

/* Names come and go; whatever error there is must be one that a race explains, and the store must
 * check. */
static void *names(void *arg)
{
	struct one *one = arg;
	struct ns *ns = one->crowd->ns;
	unsigned seed = one->number + 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		char a[8] = {(char)('a' + rand_r(&seed) / 7 % 4)},
		     b[8] = {(char)('a' + rand_r(&seed) / 7 % 4)};
		struct gml_file *file = NULL;
		struct iovec iov = {"data", 4};
		struct gml_attr attr;
		int rc = 0;
		switch (rand_r(&seed) / 7 % 6) {
		case 0:
			rc = gml_dir_mkdir(&ns->op, ns->store, one->crowd->dir, ns_span(a), NULL,
					   NULL);
			break;
		case 1:
			rc = gml_dir_remove(&ns->op, ns->store, one->crowd->dir, ns_span(a),
					    GML_REMOVE_ANY);
			break;
		case 2:
			rc = gml_dir_rename(&ns->op, ns->store, one->crowd->dir, ns_span(a),
					    one->crowd->dir, ns_span(b));
			break;
		case 3:
			rc = gml_dir_lookup(&ns->op, ns->store, one->crowd->dir, ns_span(a), &attr);
			if (rc == 0)
				rc = gml_dir_link(&ns->op, ns->store, attr.ino, one->crowd->dir,
						  ns_span(b), NULL);
			if (rc == GML_ERR_STALE) /* it lost its name since the look */
				rc = 0;
			break;
		default:
			rc = gml_file_create(
				&ns->op, ns->store, one->crowd->dir, ns_span(a),
				&(struct gml_create){
					.access = GML_OPEN_WRITE,
					.disposition = GML_CREATE_UNCHECKED,
					.set = &(struct gml_setattr){.mask = i % 2 ? GML_SET_SIZE
										   : 0}},
				&file);
			if (rc == 0)
				rc = gml_file_write(&ns->op, file, 0, &iov, 1, false);
			CHECK(gml_file_close(&ns->op, file) == 0);
		}
		CHECK(rc == 0 || rc == GML_ERR_NOENT || rc == GML_ERR_EXIST ||
		      rc == GML_ERR_ISDIR || rc == GML_ERR_NOTDIR || rc == GML_ERR_PERM);
	}
	return NULL;
}

static void test_names(void **state)
{
	struct crowd crowd = {.ns = *state};
	crowd.dir = ns_mkdir(crowd.ns, crowd.ns->bucket, "dir");
	run(&crowd, names);
}

/* All create the same name: one makes it, the others get that one. */
static void *creators(void *arg)
{
	struct one *one = arg;
	struct ns *ns = one->crowd->ns;
	struct gml_file *file;
	char name[16];
	bool created;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "same%u", i);
		CHECK(gml_file_create(&ns->op, ns->store, one->crowd->dir, ns_span(name),
				      &(struct gml_create){.access = GML_OPEN_WRITE,
							   .disposition = GML_CREATE_UNCHECKED,
							   .created_out = &created},
				      &file) == 0);
		CHECK(gml_file_close(&ns->op, file) == 0);
		snprintf(name, sizeof(name), "excl%u", i);
		int rc = gml_file_create(&ns->op, ns->store, one->crowd->dir, ns_span(name),
					 &(struct gml_create){.access = GML_OPEN_WRITE,
							      .disposition = GML_CREATE_GUARDED,
							      .created_out = &created},
					 &file);
		CHECK(rc == 0 || rc == GML_ERR_EXIST);
		if (rc == 0) {
			CHECK(created);
			CHECK(gml_file_close(&ns->op, file) == 0);
		}
	}
	return NULL;
}

static void test_creators(void **state)
{
	struct crowd crowd = {.ns = *state};
	struct gml_bucket bucket;
	crowd.dir = ns_mkdir(crowd.ns, crowd.ns->bucket, "dir");
	run(&crowd, creators);
	assert_ok(gml_bucket_head(&crowd.ns->op, crowd.ns->store, ns_span("bucket"), &bucket));
	assert_int_equal(bucket.objects, 40);
}

int main(void)
{
#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {NS_TEST(test_stripes), NS_TEST(test_names),
					   NS_TEST(test_creators)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
