// SPDX-License-Identifier: Apache-2.0
/* Memory or the disk fails: the n-th allocation, or the n-th changing system call, of a life of the
 * store goes wrong, for n = 1, 2, 3 … until a whole life meets no failure (in growing steps: each
 * life adds a directory that the next ones walk). Each life ends with an error or with everything
 * done, leaks nothing, and leaves a store that opens, is whole, and holds what was acknowledged. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

/* ---- failing calls --------------------------------------------------------------------------- */

static _Thread_local bool fault_armed; /* the sweeper's calls do not count: runs must repeat */
static long fault_in, fault_hits;      /* the n-th call from now fails; 0: none */
static int fault_errno;
static bool fault_memory;

static bool fault_now(bool memory)
{
	if (!fault_armed || memory != fault_memory || fault_in == 0 || --fault_in != 0)
		return false;
	fault_hits++;
	errno = memory ? ENOMEM : fault_errno;
	return true;
}

#define EXPORTED __attribute__((visibility("default")))

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FAULT_MEMORY 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);
static _Atomic long fault_live;

EXPORTED void *malloc(size_t size)
{
	void *p = fault_now(true) ? NULL : __libc_malloc(size);
	fault_live += p != NULL;
	return p;
}

EXPORTED void *calloc(size_t n, size_t size)
{
	void *p = fault_now(true) ? NULL : __libc_calloc(n, size);
	fault_live += p != NULL;
	return p;
}

EXPORTED void *realloc(void *old, size_t size)
{
	void *p = fault_now(true) ? NULL : __libc_realloc(old, size);
	fault_live += old == NULL && p != NULL;
	return p;
}

EXPORTED void *reallocarray(void *old, size_t n, size_t size)
{
	return n != 0 && size > SIZE_MAX / n ? NULL : realloc(old, n * size);
}

EXPORTED void free(void *p)
{
	fault_live -= p != NULL;
	__libc_free(p);
}
#else
#define FAULT_MEMORY 0
static long fault_live;
#endif

EXPORTED int openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;
	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return (flags & O_CREAT) && fault_now(false)
		       ? -1
		       : (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

EXPORTED ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	return fault_now(false) ? -1 : syscall(SYS_pwrite64, fd, buf, len, off);
}

EXPORTED ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
	return fault_now(false)
		       ? -1
		       : syscall(SYS_pwritev, fd, iov, n, (unsigned long)off, (unsigned long)0);
}

EXPORTED int fdatasync(int fd)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

EXPORTED int fsync(int fd)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_fsync, fd);
}

EXPORTED int mkdirat(int dirfd, const char *path, mode_t mode)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_mkdirat, dirfd, path, mode);
}

EXPORTED int unlinkat(int dirfd, const char *path, int flags)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_unlinkat, dirfd, path, flags);
}

EXPORTED int fallocate(int fd, int mode, off_t off, off_t len)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_fallocate, fd, mode, off, len);
}

EXPORTED int ftruncate(int fd, off_t size)
{
	return fault_now(false) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

/* ---- a life ---------------------------------------------------------------------------------- */

static struct ns fault_ns;
static char fault_bytes[200000];
static unsigned fault_life; /* names differ from life to life */

/* What this life was told: by key, its size. A change that answered with an error may have
 * happened. */
#define FAULT_UNKNOWN SIZE_MAX
static struct fault_told {
	char key[32];
	size_t size; /* 0: deleted */
} fault_told[8];
static unsigned fault_ntold;

static void fault_tell(const char *key, size_t size)
{
	for (unsigned i = 0; i < fault_ntold; i++)
		if (strcmp(fault_told[i].key, key) == 0) {
			fault_told[i].size = size;
			return;
		}
	assert_true(fault_ntold < 8);
	snprintf(fault_told[fault_ntold].key, sizeof(fault_told[0].key), "%s", key);
	fault_told[fault_ntold++].size = size;
}

static int fault_put(const char *key, size_t size)
{
	const uint8_t md5[16] = {1};
	struct gml_put *put = NULL;
	int rc = gml_put_begin(&fault_ns.op, fault_ns.store,
			       OBJECT_REF(ns_span("bucket"), ns_span(key)), size, &put);
	if (rc != 0)
		return rc;
	rc = gml_put_write(put, fault_bytes, size);
	if (rc != 0) {
		gml_put_abort(put);
		return rc;
	}
	rc = gml_put_finish(&fault_ns.op, put,
			    &(struct gml_put_options){
				    .md5 = md5, .attrs = &(struct gml_object_new){.nmeta = 0}},
			    NULL);
	fault_tell(key, rc == 0 ? size : FAULT_UNKNOWN);
	return rc;
}

static int fault_write(const char *name, size_t size)
{
	struct iovec iov = {fault_bytes, size};
	struct gml_file *file = NULL;
	struct gml_attr attr;
	int rc, close_rc;
	rc = gml_dir_lookup(&fault_ns.op, fault_ns.store, GML_INO_ROOT, ns_span("bucket"), &attr);
	if (rc == 0)
		rc = gml_file_create(&fault_ns.op, fault_ns.store, attr.ino, ns_span(name),
				     &(struct gml_create){.access = GML_OPEN_WRITE,
							  .disposition = GML_CREATE_GUARDED},
				     &file);
	if (rc != 0)
		return rc;
	rc = gml_file_write(&fault_ns.op, file, 0, &iov, 1, false);
	close_rc = gml_file_close(&fault_ns.op, file);
	rc = rc != 0 ? rc : close_rc;
	fault_tell(name, rc == 0 ? size : FAULT_UNKNOWN);
	return rc;
}

static int fault_delete(const char *key)
{
	int rc = gml_object_delete(&fault_ns.op, fault_ns.store,
				   OBJECT_REF(ns_span("bucket"), ns_span(key)), NULL, NULL);
	fault_tell(key, rc == 0 ? 0 : FAULT_UNKNOWN);
	return rc;
}

static int fault_admin(const char *name)
{
	struct gml_user user = {.uid = 1000 + fault_life,
				.gid = 1000}; /* one that a life before left has its own */
	struct gml_key key = {0};
	struct gml_bucket bucket;
	int rc;
	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(key.user, sizeof(key.user), "%s", name);
	rc = gml_user_create(&fault_ns.op, fault_ns.store, &user);
	if (rc == 0 && gml_uid_refused(fault_ns.store, user.uid) && fault_in != 0)
		fail_msg("uid %u is refused", user.uid); /* nothing failed yet */
	if (rc == 0)
		rc = gml_key_create(&fault_ns.op, fault_ns.store, &key);
	if (rc == 0)
		rc = gml_bucket_create(&fault_ns.op, fault_ns.store, ns_span(name), NULL, &bucket);
	if (rc == 0)
		rc = gml_bucket_delete(&fault_ns.op, fault_ns.store, ns_span(name));
	if (rc == 0)
		rc = gml_user_delete(&fault_ns.op, fault_ns.store, name);
	if (rc == 0 && !gml_uid_refused(fault_ns.store, user.uid))
		fail_msg("uid %u is let in", user.uid);
	return rc;
}

static int fault_jobs(void)
{
	struct gml_check_report report;
	uint64_t freed;
	unsigned reaped;
	int rc = gml_store_reap(&fault_ns.op, fault_ns.store,
				&(struct gml_reap){.min_age_ns = -1000000000,
						   .max = 100,
						   .is_open = gml_store_file_is_open,
						   .arg = fault_ns.store},
				&reaped);
	if (rc == 0)
		rc = gml_store_recover(&fault_ns.op, fault_ns.store);
	if (rc == 0)
		rc = gml_store_compact(&fault_ns.op, fault_ns.store, &freed);
	if (rc == 0)
		rc = gml_store_check(&fault_ns.op, fault_ns.store, NULL, NULL, NULL, &report);
	return rc;
}

static int fault_live_once(void)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	static const char a[] = "a", b[] = "dir/b", c[] = "c";
	char user[32];
	int rc = gml_store_open(fault_ns.path, &opt, &fault_ns.store);
	if (rc != 0)
		return rc;
	snprintf(user, sizeof(user), "user%u", fault_life);
	fault_life++;
	fault_ntold = 0;
	rc = fault_put(a, 5000);
	if (rc == 0)
		rc = fault_put(b, sizeof(fault_bytes));
	if (rc == 0)
		rc = fault_put(a, 100);
	if (rc == 0)
		rc = fault_delete(c);
	if (rc == 0)
		rc = fault_write(c, 70000);
	if (rc == 0)
		rc = fault_delete(a);
	if (rc == 0)
		rc = fault_admin(user);
	if (rc == 0)
		rc = fault_jobs();
	gml_store_close(fault_ns.store);
	fault_ns.store = NULL;
	return rc;
}

/* Without faults: everything that was told is there, and after the jobs nothing is wrong. */
static void fault_verify(void)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	struct gml_object *object;
	uint64_t freed;
	unsigned reaped;
	assert_ok(gml_store_open(fault_ns.path, &opt, &fault_ns.store));
	assert_ok(gml_store_recover(&fault_ns.op, fault_ns.store));
	assert_ok(gml_store_reap(&fault_ns.op, fault_ns.store,
				 &(struct gml_reap){.min_age_ns = -1000000000, .max = 1000},
				 &reaped));
	do
		assert_ok(gml_store_compact(&fault_ns.op, fault_ns.store, &freed));
	while (fault_ns.store->collect_next != 0); /* all directories */
	ns_check(&fault_ns);
	for (unsigned i = 0; i < fault_ntold; i++) {
		const struct fault_told *told = &fault_told[i];
		int rc = gml_object_open(&fault_ns.op, fault_ns.store,
					 OBJECT_REF(ns_span("bucket"), ns_span(told->key)), true,
					 &object);
		if (rc == 0 && told->size != FAULT_UNKNOWN &&
		    gml_object_info(object)->size != told->size)
			fail_msg("%s: %ju bytes, not %zu", told->key,
				 (uintmax_t)gml_object_info(object)->size, told->size);
		if (rc == 0)
			gml_object_close(object);
		else if (rc != GML_ERR_NOENT || (told->size != 0 && told->size != FAULT_UNKNOWN))
			fail_msg("%s: %s", told->key, gml_err_name(rc));
	}
	ns_close(&fault_ns);
}

/* In memory where that can be: hundreds of lives, each with dozens of syncs. */
static void fault_create(void)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	memset(&fault_ns, 0, sizeof(fault_ns));
	fault_ns.op = (struct gml_op)GML_OP_LOCAL;
	strcpy(fault_ns.path, "/dev/shm/ns-test-XXXXXX");
	if (mkdtemp(fault_ns.path) == NULL) {
		strcpy(fault_ns.path, "/tmp/ns-test-XXXXXX");
		assert_non_null(mkdtemp(fault_ns.path));
	}
	assert_ok(gml_store_create(fault_ns.path, &opt));
}

static void fault_run(bool memory, int err)
{
	long live, hits = 1, lives = 0;
	int rc;
	fault_memory = memory;
	fault_errno = err;
	memset(fault_bytes, 'f', sizeof(fault_bytes));
	fault_create();
	ns_open(&fault_ns);
	ns_mkbucket(&fault_ns);
	ns_close(&fault_ns);
	fault_in = 0;
	assert_ok(fault_live_once()); /* warm: caches of libc */
	for (long n = 1; hits > 0 && n < 10000; n += n < 200 ? 1 : 1 + n / 50) {
		live = fault_live;
		fault_hits = 0;
		fault_in = n;
		fault_armed = true;
		rc = fault_live_once();
		fault_armed = false;
		fault_in = 0;
		hits = fault_hits;
		lives++;
		if (fault_live > live)
			fail_msg("call %ld: %ld allocations leak (%s)", n,
				 (long)(fault_live - live), gml_err_name(rc));
		if (hits == 0)
			assert_ok(rc);
		fault_verify();
	}
	assert_int_equal(hits, 0);
	print_message("%ld lives\n", lives);
	ns_rm(fault_ns.path);
}

static void test_no_memory(void **state)
{
	if (!FAULT_MEMORY)
		skip(); /* the sanitizer brings its own allocator */
	fault_run(true, ENOMEM);
}

static void test_no_space(void **state)
{
	fault_run(false, ENOSPC);
}

static void test_io_error(void **state)
{
	fault_run(false, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_io_error),
	};
	return cmocka_run_group_tests_name("store fault", tests, NULL, NULL);
}
