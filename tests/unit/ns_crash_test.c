// SPDX-License-Identifier: Apache-2.0
/* A writer is killed at a random moment; what it was told to be durable must be there afterwards,
 * and every invariant hold. (Killing loses no page of the kernel's cache; order on the disk is
 * tests/crash's business.) */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/posix/open_inode.h"
#include "child_support.h"
#include "ns_support.h"

#define FILES 4
#define BLOCKS 400
#define BLOCK 3000

/* What the child was told, in memory that outlives it. */
struct told {
	_Atomic uint64_t ino[FILES];		      /* numbers in the bucket's view; 0: not yet */
	_Atomic unsigned begun[FILES], synced[FILES]; /* blocks */
	_Atomic unsigned names, removed; /* files n0, n1, … made, and removed from the start */
};

static void child_files(struct ns *ns, struct told *told, unsigned seed)
{
	struct gml_file *files[FILES];
	char name[16], block[BLOCK];
	struct iovec iov = {block, BLOCK};
	for (unsigned f = 0; f < FILES; f++) {
		snprintf(name, sizeof(name), "f%u", f);
		files[f] = ns_new(ns, ns->bucket, name);
		told->ino[f] = gml_file_ino(files[f]).num;
	}
	for (unsigned b = 0; b < BLOCKS; b++) {
		for (unsigned f = 0; f < FILES; f++) {
			memset(block, (int)(1 + f * 60 + b), BLOCK);
			told->begun[f] = b + 1;
			assert_ok(gml_file_write(&ns->op, files[f], (uint64_t)b * BLOCK, &iov, 1,
						 f == 0));
			if (f != 0 && rand_r(&seed) / 7 % 8 == 0)
				assert_ok(gml_file_commit(&ns->op, files[f]));
			else if (f != 0)
				continue;
			told->synced[f] = b + 1;
			if (rand_r(&seed) / 7 % 8 == 0) { /* settled, and DIRTY again */
				assert_ok(gml_file_close(&ns->op, files[f]));
				assert_ok(gml_file_open(&ns->op, ns->store,
							ns_ino(ns, told->ino[f]), GML_OPEN_WRITE,
							&files[f]));
			}
		}
		snprintf(name, sizeof(name), "n%u", told->names);
		ns_mkdir(ns, ns->bucket, name);
		told->names++;
		if (b % 3 == 2) {
			snprintf(name, sizeof(name), "n%u", told->removed);
			assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(name),
						 GML_REMOVE_DIR));
			told->removed++;
		}
	}
}

typedef void (*child_fn)(struct ns *ns, struct told *told, unsigned seed);

static void child(struct ns *ns, child_fn fn, struct told *told, unsigned seed)
{
	ns_open(ns);
	fn(ns, told, seed);
	child_until_killed(); /* never back into the test runner */
}

static void verify_file(struct ns *ns, const struct told *told, unsigned f)
{
	struct gml_attr attr = ns_attr(ns, ns_ino(ns, told->ino[f]));
	struct gml_file *file;
	char block[BLOCK];
	size_t got;
	bool eof;
	assert_true(attr.size >= (uint64_t)told->synced[f] * BLOCK);
	assert_true(attr.size <= (uint64_t)told->begun[f] * BLOCK);
	assert_ok(
		gml_file_open(&ns->op, ns->store, ns_ino(ns, told->ino[f]), GML_OPEN_READ, &file));
	for (unsigned b = 0; b < told->synced[f]; b++) {
		assert_ok(gml_file_read(&ns->op, file, (uint64_t)b * BLOCK,
					(struct gml_buf){block, BLOCK}, &got, &eof));
		assert_int_equal(got, BLOCK);
		for (unsigned i = 0; i < BLOCK; i++)
			assert_int_equal((uint8_t)block[i], (uint8_t)(1 + f * 60 + b));
	}
	assert_ok(gml_file_close(&ns->op, file));
}

static void verify_names(struct ns *ns, const struct told *told)
{
	char name[16];
	for (unsigned n = 0; n < told->names; n++) {
		snprintf(name, sizeof(name), "n%u", n);
		/* The one after the last that was told may be gone as well. */
		if (n < told->removed)
			assert_ino_equal(ns_lookup(ns, ns->bucket, name), GML_INO_NONE);
		else if (n > told->removed)
			assert_ino_not_equal(ns_lookup(ns, ns->bucket, name), GML_INO_NONE);
	}
}

static void kill_after(struct ns *ns, child_fn fn, struct told *told, unsigned seed,
		       unsigned microseconds)
{
	pid_t pid = fork();
	int status;
	assert_true(pid >= 0);
	if (pid == 0)
		child(ns, fn, told, seed);
	usleep(microseconds);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* it did not fail by itself */
}

static void test_kill(void **state)
{
	unsigned written = 0;
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		struct gml_attr before[FILES];
		struct ns ns;
		memset(told, 0, sizeof(*told));
		ns_create(&ns);
		ns_open(&ns);
		ns_mkbucket(&ns);
		ns_close(&ns);
		kill_after(&ns, child_files, told, round, 20000 + round * 60000);
		ns_open(&ns);
		/* Attributes are right even before the recovery … */
		for (unsigned f = 0; f < FILES; f++)
			if (told->ino[f] != 0)
				before[f] = ns_attr(&ns, ns_ino(&ns, told->ino[f]));
		assert_ok(gml_store_recover(&ns.op, ns.store));
		ns_check(&ns);
		written += told->synced[0];
		for (unsigned f = 0; f < FILES; f++) {
			if (told->ino[f] == 0)
				continue;
			verify_file(&ns, told, f);
			/* … and afterwards the change attribute has not gone back. */
			assert_int_equal(ns_attr(&ns, ns_ino(&ns, told->ino[f])).size,
					 before[f].size);
			assert_true(ns_attr(&ns, ns_ino(&ns, told->ino[f])).change >=
				    before[f].change);
		}
		verify_names(&ns, told);
		ns_close(&ns);
		ns_rm(ns.path);
	}
	assert_true(written > 50); /* it was worth it */
	munmap(told, sizeof(*told));
}

/* ---- content that came over S3 ---- */

#define OLD_SIZE (4u << 20)
#define OLD_PIECE 65536u

static uint8_t old_byte(uint64_t off)
{
	return (uint8_t)(1 + off / 1000 % 200);
}

struct old_arg {
	gml_ino ino;
	uint64_t blobs[OLD_SIZE / OLD_PIECE];
	struct gml_fresh_blob fresh[OLD_SIZE / OLD_PIECE];
};

static int old_txn(struct gml_txn *txn, void *argp)
{
	struct old_arg *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	for (unsigned i = 0; rc == 0 && i < OLD_SIZE / OLD_PIECE; i++) {
		struct gml_extent extent = {i * OLD_PIECE, arg->blobs[i], 0, OLD_PIECE};
		rc = gml_extent_add(txn, &inode, &extent, &arg->fresh[i]);
	}
	if (rc == 0)
		rc = gml_usage_add(txn, inode.bucket, OLD_SIZE, 0);
	inode.size = OLD_SIZE;
	return rc == 0 ? gml_inode_save(txn, &inode) : rc;
}

static gml_ino old_file(struct ns *ns)
{
	struct old_arg arg = {.ino = ns_put(ns, ns->bucket, "old", "")};
	uint8_t bytes[OLD_PIECE];
	for (unsigned i = 0; i < OLD_SIZE / OLD_PIECE; i++) {
		for (unsigned n = 0; n < OLD_PIECE; n++)
			bytes[n] = old_byte((uint64_t)i * OLD_PIECE + n);
		arg.fresh[i].len = OLD_PIECE;
		assert_ok(gml_pack_append(ns->store->data, bytes, OLD_PIECE, &arg.blobs[i],
					  &arg.fresh[i].crc));
	}
	assert_ok(gml_meta_update(ns->store->meta, old_txn, &arg));
	return arg.ino;
}

/* Overwrites block after block, each durable. */
static void child_overwrite(struct ns *ns, struct told *told, unsigned seed)
{
	char block[BLOCK];
	struct iovec iov = {block, BLOCK};
	struct gml_file *file;
	memset(block, 0xfe, BLOCK);
	assert_ok(
		gml_file_open(&ns->op, ns->store, ns_ino(ns, told->ino[0]), GML_OPEN_WRITE, &file));
	for (unsigned b = 0; b < OLD_SIZE / BLOCK; b++) {
		told->begun[0] = b + 1;
		assert_ok(gml_file_write(&ns->op, file, (uint64_t)b * BLOCK, &iov, 1, true));
		told->synced[0] = b + 1;
		if (rand_r(&seed) / 7 % 16 == 0) {
			assert_ok(gml_file_close(&ns->op, file));
			assert_ok(gml_file_open(&ns->op, ns->store, ns_ino(ns, told->ino[0]),
						GML_OPEN_WRITE, &file));
		}
	}
}

/* Cuts a little more each time and grows it back; in between a byte is written, so that the states
 * alternate. */
static void child_truncate(struct ns *ns, struct told *told, unsigned seed)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE};
	struct gml_file *file = NULL;
	for (unsigned k = 0; k < OLD_SIZE / BLOCK; k++) {
		if (file == NULL && rand_r(&seed) / 7 % 2)
			assert_ok(gml_file_open(&ns->op, ns->store, ns_ino(ns, told->ino[0]),
						GML_OPEN_WRITE, &file));
		if (file != NULL)
			assert_ok(ns_write(ns, file, 0, "\1"));
		told->begun[0] = k + 1;
		set.size = OLD_SIZE - (k + 1) * BLOCK;
		assert_ok(gml_inode_setattr(&ns->op, ns->store, ns_ino(ns, told->ino[0]), &set,
					    NULL));
		told->synced[0] = k + 1;
		if (file != NULL && rand_r(&seed) / 7 % 2)
			assert_ok(ns_write(ns, file, 1, "\1"));
		set.size = OLD_SIZE;
		assert_ok(gml_inode_setattr(&ns->op, ns->store, ns_ino(ns, told->ino[0]), &set,
					    NULL));
		if (file != NULL && rand_r(&seed) / 7 % 2) {
			assert_ok(gml_file_close(&ns->op, file));
			file = NULL;
		}
	}
}

static void verify_old(struct ns *ns, const struct told *told, bool truncated)
{
	uint64_t begun = told->begun[0] * (uint64_t)BLOCK, done = told->synced[0] * (uint64_t)BLOCK;
	uint64_t size = ns_attr(ns, ns_ino(ns, told->ino[0])).size;
	uint8_t *bytes = malloc(OLD_SIZE);
	struct gml_file *file;
	size_t got;
	bool eof;
	assert_ok(
		gml_file_open(&ns->op, ns->store, ns_ino(ns, told->ino[0]), GML_OPEN_READ, &file));
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){bytes, OLD_SIZE}, &got, &eof));
	assert_int_equal(got, size);
	if (truncated)
		assert_true(size == OLD_SIZE || size == OLD_SIZE - begun ||
			    size == OLD_SIZE - done);
	else
		assert_int_equal(size, OLD_SIZE);
	for (uint64_t i = 0; i < size; i++) {
		bool kept = truncated ? i < OLD_SIZE - begun : i >= begun;
		bool gone = truncated ? i >= OLD_SIZE - done : i < done;
		if ((kept && bytes[i] != old_byte(i)) ||
		    (gone && bytes[i] != (truncated ? 0 : 0xfe)))
			fail_msg("byte %llu is %u; begun %llu, done %llu", (unsigned long long)i,
				 bytes[i], (unsigned long long)begun, (unsigned long long)done);
	}
	assert_ok(gml_file_close(&ns->op, file));
	free(bytes);
}

static void kill_old(bool truncate)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned done = 0, freed;
	for (unsigned round = 0; round < 6; round++) {
		struct ns ns;
		memset(told, 0, sizeof(*told));
		ns_create(&ns);
		ns_open(&ns);
		ns_mkbucket(&ns);
		told->ino[0] = old_file(&ns).num;
		ns_close(&ns);
		kill_after(&ns, truncate ? child_truncate : child_overwrite, told, round,
			   20000 + round * 50000);
		ns_open(&ns);
		verify_old(&ns, told, truncate);
		assert_ok(gml_store_recover(&ns.op, ns.store));
		verify_old(&ns, told, truncate);
		assert_ok(
			gml_store_reap(&ns.op, ns.store, &(struct gml_reap){.max = 10000}, &freed));
		verify_old(&ns, told, truncate);
		ns_check(&ns);
		done += told->synced[0];
		ns_close(&ns);
		ns_rm(ns.path);
	}
	assert_true(done > 20); /* it was worth it */
	munmap(told, sizeof(*told));
}

static void test_kill_overwriting(void **state)
{
	(void)state;
	kill_old(false);
}

static void test_kill_truncating(void **state)
{
	(void)state;
	kill_old(true);
}

/* A living process writes the file: another one may read it, but not write, truncate or settle it.
 * After its death it may. */
static void test_two_processes(void **state)
{
	int up[2], down[2];
	struct gml_setattr set = {.mask = GML_SET_SIZE, .size = 1};
	struct gml_file *file;
	gml_ino ino = GML_INO_NONE;
	struct ns ns;
	pid_t pid;
	char c = 0;
	(void)state;
	ns_create(&ns);
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ns_open(&ns);
		ns_mkbucket(&ns);
		file = ns_new(&ns, ns.bucket, "f");
		assert_ok(ns_write(&ns, file, 0, "hello"));
		ino = gml_file_ino(file);
		if (write(up[1], &ino, sizeof(ino)) != sizeof(ino) || read(down[0], &c, 1) != 1)
			_exit(1);
		assert_ok(ns_write(&ns, file, 5, " world"));
		if (write(up[1], &ino, sizeof(ino)) != sizeof(ino))
			_exit(1);
		child_until_killed();
	}
	assert_int_equal(read(up[0], &ino, sizeof(ino)), sizeof(ino));
	ns_open(&ns);
	ns_assert_content(&ns, ino, "hello", 5);
	uint64_t change = ns_attr(&ns, ino).change;
	assert_int_equal(write(down[1], &c, 1), 1);
	assert_int_equal(read(up[0], &ino, sizeof(ino)), sizeof(ino));
	ns_assert_content(&ns, ino, "hello world", 11); /* at once */
	assert_true(ns_attr(&ns, ino).change > change);
	assert_ok(gml_store_recover(&ns.op, ns.store)); /* leaves the living alone */
	assert_ok(gml_file_open(&ns.op, ns.store, ino, GML_OPEN_WRITE, &file));
	assert_rc(ns_write(&ns, file, 0, "x"), GML_ERR_BUSY);
	assert_rc(gml_inode_setattr(&ns.op, ns.store, ino, &set, NULL), GML_ERR_BUSY);
	assert_ok(gml_inode_setattr(&ns.op, ns.store, ino,
				    &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0600},
				    NULL));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_ok(ns_write(&ns, file, 0, "J")); /* without a recovery: taken over */
	assert_ok(gml_file_close(&ns.op, file));
	ns_assert_content(&ns, ino, "Jello world", 11);
	assert_ok(gml_store_recover(&ns.op, ns.store));
	ns_check(&ns);
	ns_close(&ns);
	ns_rm(ns.path);
	for (int i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill), cmocka_unit_test(test_kill_overwriting),
		cmocka_unit_test(test_kill_truncating), cmocka_unit_test(test_two_processes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
