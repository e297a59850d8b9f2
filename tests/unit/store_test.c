// SPDX-License-Identifier: Apache-2.0
/* The store's life: creating, opening, leases, recovery, orphans, pack space. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "gateway/base/owner.h"
#include "gateway/iam/epoch.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/ns/store/lease.h"
#include "gateway/ns/store/store.h"
#include "gateway/data/data.h"
#include "gateway/meta/lmdb/lmdb_internal.h"
#include "child_support.h"
#include "ns_support.h"

static struct gml_op admin = GML_OP_LOCAL;

/* ---- create and open ------------------------------------------------------------------------- */

static void test_create_and_open(void **state)
{
	struct ns *ns = *state;
	struct gml_store *none;
	uint8_t uuid[GML_STORE_UUID_LEN];
	struct stat st;
	char path[96];
	assert_rc(gml_store_create(ns->path, NULL), GML_ERR_EXIST);
	memcpy(uuid, gml_store_uuid(ns->store), sizeof(uuid));
	ns_close(ns);
	ns_open(ns);
	assert_memory_equal(uuid, gml_store_uuid(ns->store), sizeof(uuid));
	assert_int_equal(stat(ns->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_rc(gml_store_open("/tmp/ns-test-none", NULL, &none), GML_ERR_NOENT);
	snprintf(path, sizeof(path), "%s/data", ns->path);
	assert_rc(gml_store_open(path, NULL, &none), GML_ERR_NOENT);
	assert_null(none);
}

static void test_create_refuses_what_is_not_empty(void **state)
{
	char path[] = "/tmp/ns-test-XXXXXX", file[64];
	struct gml_store *none;
	int fd;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/letter", path);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_rc(gml_store_create(path, NULL), GML_ERR_NOTEMPTY);
	assert_int_equal(access(file, F_OK), 0);
	assert_rc(gml_store_open(path, NULL, &none), GML_ERR_NOENT);
	unlink(file);
	snprintf(file, sizeof(file), "%s/lost+found", path);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_ok(gml_store_create(path, NULL)); /* a fresh file system */
	snprintf(file, sizeof(file), "%s/format", path);
	fd = open(file, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "gemel store\nformat 2\n", 21), 21);
	close(fd);
	assert_rc(gml_store_open(path, NULL, &none), GML_ERR_FORMAT);
	ns_rm(path);
	assert_rc(gml_store_create("/tmp/ns-test-none/deeper", NULL), GML_ERR_NOENT);
}

static bool path_has(const char *path, const char *name)
{
	char file[96];
	snprintf(file, sizeof(file), "%s/%s", path, name);
	return access(file, F_OK) == 0;
}

/* A creation that is killed at any moment is done again by the next one. */
static void test_create_is_repeated(void **state)
{
	char path[] = "/tmp/ns-test-XXXXXX";
	bool killed = true, cut = false;
	struct gml_store *store;
	(void)state;
	assert_non_null(mkdtemp(path));
	for (unsigned us = 0; killed; us += 200) {
		int status;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(gml_store_create(path, NULL) != 0);
		usleep(us);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed = WIFSIGNALED(status);
		cut |= path_has(path, "making");
		if (!path_has(path, "format") || path_has(path, "making")) {
			assert_rc(gml_store_open(path, NULL, &store), GML_ERR_NOENT);
			assert_ok(gml_store_create(path, NULL));
		}
		assert_false(path_has(path, "making"));
		assert_rc(gml_store_create(path, NULL), GML_ERR_EXIST);
		assert_ok(gml_store_open(path, NULL, &store));
		gml_store_close(store);
		if (killed)
			ns_rm(path);
	}
	assert_true(cut);
	ns_rm(path);
}

/* Several at once: one makes it, and the others leave it alone. */
static void test_create_at_once(void **state)
{
	char path[] = "/tmp/ns-test-XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(path));
	for (int round = 0; round < 20; round++) {
		struct gml_store *store;
		int made = 0, status;
		ns_rm(path);
		for (int i = 0; i < 4; i++) {
			pid_t pid = fork();
			assert_true(pid >= 0);
			if (pid == 0) {
				int rc = gml_store_create(path, NULL);
				_exit(rc == 0 ? 0 : rc == GML_ERR_EXIST ? 1 : 2);
			}
		}
		for (int i = 0; i < 4; i++) {
			assert_true(wait(&status) > 0 && WIFEXITED(status));
			made += WEXITSTATUS(status) == 0;
			assert_true(WEXITSTATUS(status) <= 1);
		}
		assert_int_equal(made, 1);
		assert_ok(gml_store_open(path, NULL, &store));
		gml_store_close(store);
	}
	ns_rm(path);
}

static void file_rename(const char *path, const char *from, const char *to)
{
	char old[96], new[96];
	snprintf(old, sizeof(old), "%s/%s", path, from);
	snprintf(new, sizeof(new), "%s/%s", path, to);
	assert_int_equal(rename(old, new), 0);
}

/* A store that has lost a part, or has a part of another one, is neither opened nor made anew. */
static void test_parts(void **state)
{
	static const char *const part[] = {"format", "meta", "data"};
	struct ns *ns = *state;
	char other[] = "/tmp/ns-test-XXXXXX", from[96], to[96];
	struct gml_store *none;
	ns_close(ns);
	for (int i = 0; i < 3; i++) {
		file_rename(ns->path, part[i], "away");
		assert_rc(gml_store_open(ns->path, NULL, &none), GML_ERR_CORRUPT);
		assert_null(none);
		assert_rc(gml_store_create(ns->path, NULL),
			  i == 0 ? GML_ERR_NOTEMPTY : GML_ERR_EXIST);
		file_rename(ns->path, "away", part[i]);
	}
	assert_non_null(mkdtemp(other));
	assert_ok(gml_store_create(other, NULL));
	snprintf(from, sizeof(from), "%s/format", other);
	snprintf(to, sizeof(to), "%s/format", ns->path);
	file_rename(ns->path, "format", "kept");
	assert_int_equal(rename(from, to), 0);
	assert_rc(gml_store_open(ns->path, NULL, &none), GML_ERR_CORRUPT);
	file_rename(ns->path, "kept", "format");
	ns_rm(other);
	ns_open(ns);
}

/* Who maps run/access anew would not be heard by those who have the store open. */
static void test_access_file_removed(void **state)
{
	struct ns *ns = *state;
	char file[96];
	int status;
	pid_t pid;
	snprintf(file, sizeof(file), "%s/run/access", ns->path);
	for (int removed = 0; removed < 2; removed++) {
		if (removed)
			assert_int_equal(unlink(file), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct gml_store *second;
			int rc = gml_store_open(ns->path, NULL, &second);
			if (rc == 0)
				gml_store_close(second);
			_exit(rc == 0 ? 0 : rc == GML_ERR_CORRUPT ? 1 : 2);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), removed);
	}
	assert_rc(gml_store_create(ns->path, NULL), GML_ERR_EXIST); /* does not wait */
	ns_close(ns);
	ns_open(ns);
}

/* A process that is alone ends changes of dead ones, and what a damaged file says. */
static void test_access_file_damaged(void **state)
{
	static const uint64_t said[][4] = {{5, 3, 7, 6}, {5, 9, 7, UINT64_MAX}};
	struct ns *ns = *state;
	char file[96];
	snprintf(file, sizeof(file), "%s/run/access", ns->path);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		const struct gml_access_epoch *epoch;
		FILE *to;
		ns_close(ns);
		to = fopen(file, "r+");
		assert_non_null(to);
		assert_int_equal(fwrite(said[i], sizeof(said[i]), 1, to), 1);
		assert_int_equal(fclose(to), 0);
		ns_open(ns);
		epoch = ns->store->access_epoch;
		assert_int_equal(gml_access_epoch_now(epoch), 5);
		assert_true(gml_access_epoch_settled(epoch, 5));
		assert_true(gml_path_epoch_settled(epoch, 7));
	}
}

static void test_owner(void **state)
{
	struct gml_owner self, other;
	pid_t pid;
	assert_ok(gml_owner_self(&self));
	assert_true(gml_owner_alive(&self));
	other = self;
	other.start++;
	assert_false(gml_owner_alive(&other));
	other = self;
	other.boot++;
	assert_false(gml_owner_alive(&other));
	pid = fork();
	if (pid == 0)
		_exit(gml_owner_alive(&self) ? 0 : 1);
	other = self;
	other.pid = (uint32_t)pid;
	waitpid(pid, NULL, 0);
	assert_false(gml_owner_alive(&other));
}

static void test_zombie_is_dead(void **state)
{
	struct gml_owner child;
	int pipefd[2];
	char c;
	pid_t pid;
	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (pid == 0) {
		if (gml_owner_self(&child) != 0 ||
		    write(pipefd[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		child_until_killed();
	}
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], &child, sizeof(child)), sizeof(child));
	assert_true(gml_owner_alive(&child));
	kill(pid, SIGKILL);
	assert_int_equal(read(pipefd[0], &c, 1), 0); /* it is gone, and nobody has waited for it */
	for (int i = 0; i < 100 && gml_owner_alive(&child); i++)
		usleep(10000);
	assert_false(gml_owner_alive(&child));
	waitpid(pid, NULL, 0);
	close(pipefd[0]);
}

/* ---- leases and recovery --------------------------------------------------------------------- */

struct leases {
	unsigned count, packs;
	uint64_t ids;
};

static bool count_lease(void *arg, const struct gml_lease *lease)
{
	struct leases *l = arg;
	l->count++;
	l->packs += lease->kind == 1;
	l->ids += lease->kind == 0 ? lease->count : 0;
	return true;
}

static struct leases leases_now(struct ns *ns)
{
	struct leases l = {0};
	struct gml_txn *txn;
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_lease_each(txn, count_lease, &l));
	gml_meta_read_end(txn);
	return l;
}

static void test_leases(void **state)
{
	struct ns *ns = *state;
	uint64_t id, last = 0;
	for (int i = 0; i < 5000; i++) {
		assert_ok(gml_lease_next_id(ns->store, 0, &id));
		assert_true(id > last);
		last = id;
	}
	assert_ok(gml_lease_next_id(ns->store, 1, &id));
	assert_ok(gml_lease_next_id(ns->store, 1, &last));
	assert_true(last > id);
	assert_rc(gml_lease_next_id(ns->store, 2, &id), GML_ERR_INVAL);
	assert_int_equal(leases_now(ns).count, 4);
	assert_int_equal(leases_now(ns).ids, 8192);
	assert_ok(gml_store_recover(&ns->op, ns->store)); /* the owner lives: nothing to do */
	assert_int_equal(leases_now(ns).count, 4);
	ns_close(ns);
	ns_open(ns);
	assert_int_equal(leases_now(ns).count, 0);
	assert_ok(gml_lease_next_id(ns->store, 0, &id));
	assert_true(id > 8192); /* never again */
}

static void test_old_packs_are_released(void **state)
{
	struct ns *ns = *state;
	uint64_t id;
	for (int i = 0; i < 3; i++)
		assert_ok(gml_lease_next_id(ns->store, 1, &id));
	assert_int_equal(leases_now(ns).packs, 3);
	for (unsigned i = 0; i < ns->store->nheld_packs; i++)
		ns->store->held_packs[i].since -= i == 0 ? (int64_t)601 * 1000000000 : 0;
	assert_ok(gml_lease_next_id(ns->store, 1, &id));
	assert_int_equal(leases_now(ns).packs, 3);
	for (int i = 0; i < 2 * GML_HELD_PACKS; i++)
		assert_ok(gml_lease_next_id(ns->store, 1, &id));
	assert_int_equal(leases_now(ns).packs, 3 + 2 * GML_HELD_PACKS);
	ns_close(ns);
	ns_open(ns);
	assert_int_equal(leases_now(ns).count, 0);
}

static unsigned problems;
static char last_problem[512];

static void note_problem(void *arg, const char *text)
{
	problems++;
	snprintf(last_problem, sizeof(last_problem), "%s", text);
}

static unsigned check_now(struct ns *ns)
{
	struct gml_check_report report;
	problems = 0;
	assert_ok(gml_store_check(&ns->op, ns->store, note_problem, NULL, NULL, &report));
	assert_int_equal(report.problems, problems);
	return problems;
}

/* What the child leaves: a file half put, a file half written, packed bytes that nobody
 * published. */
static void die_in_the_middle(struct ns *ns, int fd)
{
	struct gml_blob *blob;
	struct gml_file *file;
	char text[3000];
	uint64_t ids[4];
	uint32_t sum;
	memset(text, 'x', sizeof(text));
	ns_open(ns);
	if (gml_blob_create(ns->store->data, &ids[0], &blob) != 0 ||
	    gml_blob_reserve(ns->store->data, &ids[1]) != 0)
		_exit(1);
	if (gml_pack_append(ns->store->data, text, sizeof(text), &ids[2], &sum) != 0 ||
	    gml_pack_sync(ns->store->data) != 0)
		_exit(1);
	file = ns_new(ns, ns->bucket, "half");
	if (ns_write(ns, file, 0, "some text") != 0 || gml_file_commit(&ns->op, file) != 0)
		_exit(1);
	ids[3] = gml_file_ino(file).num;
	if (write(fd, ids, sizeof(ids)) != sizeof(ids))
		_exit(1);
	child_until_killed();
}

static int note_fn(struct gml_txn *txn, void *arg)
{
	return gml_rec_blob_put(txn, *(uint64_t *)arg,
				&(struct gml_blob_rec){.refs = 1, .len = 1000});
}

static int forget_fn(struct gml_txn *txn, void *arg)
{
	return gml_rec_blob_del(txn, *(uint64_t *)arg);
}

static bool all_durable(struct ns *ns)
{
	struct gml_redo *redo = &gml_lmdb_of(ns->store->meta)->redo;
	return gml_redo_durable(redo, &redo->shared->tail);
}

/* The blob's record goes by a commit that is not flushed yet: so looks what another process's
 * reaper does at this moment. A checkpoint may pass it; then once more. */
static void forget_record(struct ns *ns, uint64_t blob)
{
	int tries = 0;
	do {
		assert_ok(gml_meta_update_relaxed(ns->store->meta, note_fn, &blob));
		assert_ok(gml_meta_update_relaxed(ns->store->meta, forget_fn, &blob));
	} while (all_durable(ns) && ++tries < 1000);
	assert_false(all_durable(ns));
}

static void test_recovery_after_kill(void **state)
{
	struct ns *ns = *state;
	uint64_t ids[4], freed, pack, size, space;
	struct gml_blob *blob;
	int pipefd[2];
	pid_t pid;
	ns_close(ns);
	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (pid == 0)
		die_in_the_middle(ns, pipefd[1]);
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], ids, sizeof(ids)), sizeof(ids));
	close(pipefd[0]);
	ns_open(ns);
	pack = gml_pack_number(ids[2]);

	/* While it lives, everything is in order, and nothing may be touched. */
	assert_int_equal(check_now(ns), 0);
	assert_ok(gml_store_recover(&ns->op, ns->store));
	assert_ok(gml_store_compact(&ns->op, ns->store, &freed));
	assert_int_equal(freed, 0);
	assert_ok(gml_blob_open(ns->store->data, ids[0], 0, &blob));
	gml_blob_unref(blob);
	assert_int_equal(ns_attr(ns, ns_ino(ns, ids[3])).size, 9);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(check_now(ns), 2); /* the DIRTY file, the unpublished file */
	assert_ok(gml_store_recover(&ns->op, ns->store));
	assert_int_equal(check_now(ns), 0);
	assert_int_equal(leases_now(ns).count, 0);
	assert_rc(gml_blob_open(ns->store->data, ids[0], 0, &blob), GML_ERR_NOENT);
	ns_assert_content(ns, ns_ino(ns, ids[3]), "some text", 9);
	assert_ok(gml_pack_stat(ns->store->data, pack, &size, &space));
	assert_ok(gml_store_compact(&ns->op, ns->store, &freed));
	assert_true(freed >= 4096);
	assert_rc(gml_pack_stat(ns->store->data, pack, &size, &space), GML_ERR_NOENT);
	assert_ok(gml_store_recover(&ns->op, ns->store)); /* again: nothing left */
}

static void test_close_sweeps_what_was_not_published(void **state)
{
	struct ns *ns = *state;
	struct gml_blob *blob;
	uint64_t id;
	assert_ok(gml_blob_create(ns->store->data, &id, &blob));
	gml_blob_unref(blob);
	gml_store_close(ns->store);
	ns_open(ns);
	assert_rc(gml_blob_open(ns->store->data, id, 0, &blob), GML_ERR_NOENT);
}

static void test_strays_are_collected(void **state)
{
	struct ns *ns = *state;
	struct gml_blob *blob;
	uint64_t freed;
	gml_ino kept = ns_put(ns, ns->bucket, "kept", "stays");
	/* Freed by a commit, and the process died before it removed the file. */
	assert_ok(gml_blob_open(ns->store->data, 0x1234567, GML_BLOB_CREATE, &blob));
	assert_ok(gml_blob_truncate(blob, 1000));
	gml_blob_unref(blob);
	assert_int_equal(check_now(ns), 1);
	forget_record(ns, 0x1234567);
	for (int i = 0; i < 17; i++) { /* the whole circle */
		assert_ok(gml_store_compact(&ns->op, ns->store, &freed));
		if (freed > 0)
			break;
	}
	assert_int_equal(freed, 1000);
	assert_true(all_durable(ns));
	assert_int_equal(check_now(ns), 0);
	ns_assert_content(ns, kept, "stays", 5);
}

/* ---- orphans --------------------------------------------------------------------------------- */

static gml_ino open_ino;

static bool one_is_open(void *arg, gml_ino ino)
{
	return gml_ino_equal(ino, open_ino);
}

static void test_reap(void **state)
{
	struct ns *ns = *state;
	gml_ino inos[4];
	struct gml_attr attr;
	unsigned freed;
	char name[2] = "a";
	for (int i = 0; i < 4; i++, name[0]++) {
		inos[i] = ns_put(ns, ns->bucket, name, "content");
		assert_ok(gml_xattr_set(&ns->op, ns->store, inos[i], ns_span("user.x"),
					ns_span("y"), GML_XATTR_EITHER));
		assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(name),
					 GML_REMOVE_FILE));
	}
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.min_age_ns = (int64_t)15 * 1000000000, .max = 100}, &freed));
	assert_int_equal(freed, 0); /* too young */
	open_ino = inos[0];
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.min_age_ns = -1000000000, .max = 2, .is_open = one_is_open},
		&freed));
	assert_int_equal(freed, 2);
	ns->op.handle.found = true;
	ns_assert_content(ns, inos[0], "content", 7); /* open */
	ns->op.handle.found = false;
	assert_rc(gml_inode_getattr(&ns->op, ns->store, inos[1], &attr), GML_ERR_STALE);
	assert_int_equal(check_now(ns), 0);
	open_ino = GML_INO_NONE;
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.min_age_ns = -1000000000, .max = 100, .is_open = one_is_open},
		&freed));
	assert_int_equal(freed, 2);
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.min_age_ns = -1000000000, .max = 100, .is_open = one_is_open},
		&freed));
	assert_int_equal(freed, 0);
}

struct big {
	gml_ino bucket, ino;
	uint64_t *blobs;
	struct gml_fresh_blob fresh; /* all are the same */
	unsigned count, xattrs;
};

/* An orphan with many extents and xattrs, as a large multipart object leaves it. */
static int make_big(struct gml_txn *txn, void *arg)
{
	struct big *big = arg;
	struct gml_op op = {0};
	struct gml_inode top, inode;
	struct gml_line line;
	int rc = gml_rec_line_of(txn, big->bucket, &line);
	if (rc == 0)
		rc = gml_rec_inode_get(txn, big->bucket, &top);
	if (rc == 0)
		rc = gml_inode_init(txn, &op, &top, GML_REG, &GML_NEW_FILE_MODE, &inode);
	inode.flags |= GML_INODE_ORPHAN | GML_INODE_XATTRS;
	inode.nlink = 0;
	for (unsigned i = 0; rc == 0 && i < big->count; i++) {
		struct gml_extent extent = {(uint64_t)i * 100, big->blobs[i], 0, 100};
		rc = gml_extent_add(txn, &inode, &extent, &big->fresh);
	}
	inode.size = (uint64_t)big->count * 100;
	big->ino = inode.ino;
	for (unsigned i = 0; rc == 0 && i < big->xattrs; i++) {
		char name[32];
		snprintf(name, sizeof(name), "user.%u", i);
		rc = gml_rec_xattr_put(txn, &line, inode.ino, ns_span(name), ns_span("v"));
	}
	if (rc == 0)
		rc = gml_rec_inode_put(txn, &line, &inode);
	return rc == 0 ? gml_rec_orphan_put(txn, &line, inode.ino, 1) : rc;
}

static void test_reap_in_slices(void **state)
{
	struct ns *ns = *state;
	struct big big = {.bucket = ns->bucket, .count = 3000, .xattrs = 1500};
	struct gml_meta_stats before, after;
	struct gml_attr attr;
	unsigned freed;
	char buf[100] = "x";
	big.fresh.len = sizeof(buf);
	big.blobs = calloc(big.count, sizeof(*big.blobs));
	for (unsigned i = 0; i < big.count; i++)
		assert_ok(gml_pack_append(ns->store->data, buf, sizeof(buf), &big.blobs[i],
					  &big.fresh.crc));
	assert_ok(gml_meta_update(ns->store->meta, make_big, &big));
	assert_int_equal(check_now(ns), 0);
	gml_meta_stats_get(ns->store->meta, &before);
	assert_ok(gml_store_reap(&ns->op, ns->store, &(struct gml_reap){.max = 10}, &freed));
	gml_meta_stats_get(ns->store->meta, &after);
	assert_int_equal(freed, 1);
	assert_true(after.updates - before.updates >= 5);
	assert_rc(gml_inode_getattr(&ns->op, ns->store, big.ino, &attr), GML_ERR_STALE);
	free(big.blobs);
}

/* One that is damaged is left out, the others go. */
static int break_orphan(struct gml_txn *txn, void *arg)
{
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, *(gml_ino *)arg, &inode);
	return rc == 0 ? gml_rec_blob_del(txn, inode.wblob) : rc;
}

static void test_reap_goes_round_damage(void **state)
{
	struct ns *ns = *state;
	gml_ino bad = GML_INO_NONE;
	unsigned freed;
	char name[2] = "a";
	for (int i = 0; i < 5; i++, name[0]++) {
		gml_ino ino = ns_put(ns, ns->bucket, name, "content");
		if (i == 2)
			bad = ino;
		assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(name),
					 GML_REMOVE_FILE));
	}
	assert_ok(gml_meta_update(ns->store->meta, break_orphan, &bad));
	assert_ok(gml_store_reap(&ns->op, ns->store,
				 &(struct gml_reap){.min_age_ns = -1000000000, .max = 10}, &freed));
	assert_int_equal(freed, 4);
	assert_true(check_now(ns) > 0);
	ns_close(ns); /* no check in the teardown */
}

/* An orphan by its table only: it is left, is not counted, and keeps no other from being freed. */
static int add_orphan(struct gml_txn *txn, void *arg)
{
	struct gml_inode inode;
	struct gml_line line;
	int rc = gml_rec_inode_get(txn, *(gml_ino *)arg, &inode);
	if (rc == 0)
		rc = gml_rec_line_of(txn, inode.bucket, &line);
	return rc == 0 ? gml_rec_orphan_put(txn, &line, inode.ino, 1) : rc;
}

static void test_reap_leaves_what_has_a_name(void **state)
{
	struct ns *ns = *state;
	gml_ino named = ns_put(ns, ns->bucket, "a", "content");
	unsigned freed;
	ns_put(ns, ns->bucket, "b", "content");
	assert_ok(gml_meta_update(ns->store->meta, add_orphan, &named));
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("b"), GML_REMOVE_FILE));
	for (unsigned left = 1; left < 2; left--) {
		assert_ok(gml_store_reap(&ns->op, ns->store,
					 &(struct gml_reap){.min_age_ns = -1000000000, .max = 1},
					 &freed));
		assert_int_equal(freed, left);
	}
	ns_assert_content(ns, named, "content", 7);
	assert_true(check_now(ns) > 0);
	ns_close(ns); /* no check in the teardown */
}

/* ---- packs ----------------------------------------------------------------------------------- */

static void forget_removed(struct ns *ns)
{
	pthread_mutex_lock(&ns->store->data->punches.lock);
	ns->store->data->punches.count = 0;
	pthread_mutex_unlock(&ns->store->data->punches.lock);
}

static void test_compaction_punches_gaps(void **state)
{
	static char bytes[8192];
	struct ns *ns = *state;
	gml_ino inos[64];
	char name[8];
	uint64_t freed, size, before, after;
	unsigned reaped;
	memset(bytes, 'q', sizeof(bytes));
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		inos[i] = ns_raw(ns, ns->bucket, name, strlen(name), GML_REG, bytes,
				 i % 2 ? 8192 : 700);
	}
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span(name),
					 GML_REMOVE_FILE));
	}
	ns_close(ns); /* the pack is nobody's any more */
	ns_open(ns);
	assert_ok(gml_store_reap(&ns->op, ns->store,
				 &(struct gml_reap){.min_age_ns = -1000000000, .max = 100},
				 &reaped));
	assert_int_equal(reaped, 60);
	forget_removed(ns); /* a crash: what was to be punched is forgotten */
	assert_ok(gml_pack_stat(ns->store->data, 1, &size, &before));
	forget_record(ns, 0x1234567);
	assert_ok(gml_store_compact(&ns->op, ns->store, &freed));
	assert_true(all_durable(ns));
	assert_ok(gml_pack_stat(ns->store->data, 1, &size, &after));
	assert_int_equal(freed, before - after);
	assert_true(freed >= 30 * 4096 + 30 * 8192);
	ns_assert_content(ns, inos[60], bytes, 700);
	ns_assert_content(ns, inos[61], bytes, 8192);
	ns_assert_content(ns, inos[63], bytes, 8192);
	assert_ok(gml_store_compact(&ns->op, ns->store, &freed));
	assert_int_equal(freed, 0);
}

/* ---- statfs ---------------------------------------------------------------------------------- */

static void test_statfs(void **state)
{
	struct ns *ns = *state;
	struct gml_statfs st;
	ns_put(ns, ns->bucket, "f", "0123456789");
	assert_ok(gml_store_statfs(&ns->op, ns->store, GML_INO_ROOT, &st));
	assert_true(st.total >= st.free && st.free >= st.avail);
	assert_int_equal(st.files, 3);
	assert_int_equal(st.used, 10);
	assert_int_equal(st.files_free, st.avail / 1024);
	assert_ok(gml_bucket_set_quota(&admin, ns->store, ns_span("bucket"), 100, 7));
	assert_ok(gml_store_statfs(&ns->op, ns->store, ns->bucket, &st));
	assert_int_equal(st.total, 100);
	assert_int_equal(st.avail, 90);
	assert_int_equal(st.files, 1);
	assert_int_equal(st.files_free, 6);
	assert_rc(gml_store_statfs(&ns->op, ns->store, INO(99999), &st), GML_ERR_STALE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_create_and_open),
		cmocka_unit_test(test_create_refuses_what_is_not_empty),
		cmocka_unit_test(test_create_is_repeated),
		cmocka_unit_test(test_create_at_once),
		T(test_parts),
		T(test_access_file_removed),
		T(test_access_file_damaged),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_zombie_is_dead),
		T(test_leases),
		T(test_old_packs_are_released),
		T(test_recovery_after_kill),
		T(test_close_sweeps_what_was_not_published),
		T(test_strays_are_collected),
		T(test_reap),
		T(test_reap_in_slices),
		T(test_reap_goes_round_damage),
		T(test_reap_leaves_what_has_a_name),
		T(test_compaction_punches_gaps),
		T(test_statfs),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
