// SPDX-License-Identifier: Apache-2.0
/* The directory of the store: making, opening and closing it, and its space.
 *
 * On disk: PATH/meta (gateway/meta), PATH/data (gateway/data), PATH/run (shared state that needs no
 * durability), PATH/format (what this is, for people; written last, so a store without it was never
 * finished). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/errmap.h"
#include "gateway/base/small_file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
#include "gateway/data/blob.h"
#include "gateway/iam/access.h"
#include "gateway/iam/epoch.h"
#include "gateway/iam/roster.h"
#include "gateway/iam/store.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/posix/handle.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/ns/posix/unwritten.h"
#include "lease.h"
#include "store.h"

#define STORE_READY_SPACE ((uint64_t)8 << 20) /* less free disk space counts as none */

void gml_store_log(const struct gml_store *store, enum gml_log_level level, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gml_log_va(store->log, store->log_arg, level, fmt, ap);
	va_end(ap);
}

static int store_sub(char out[PATH_MAX], const char *path, const char *sub)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", path, sub);
	return n > 0 && n < PATH_MAX ? 0 : GML_ERR_NAMETOOLONG;
}

/* ---- create ---------------------------------------------------------------------------------- */

/* 0 when the directory has only the entries of a fresh file system; EXIST for a store,
 * NOTEMPTY for anything else. */
static int store_check_empty(int dirfd)
{
	const char *name;
	DIR *dir;
	int rc = gml_data_opendir(dirfd, ".", &dir);
	if (rc != 0)
		return rc;
	while (rc != GML_ERR_EXIST && (name = gml_data_readdir(dir, &rc)) != NULL) {
		if (strcmp(name, "format") == 0)
			rc = GML_ERR_EXIST;
		else if (strcmp(name, "lost+found") != 0)
			rc = GML_ERR_NOTEMPTY;
	}
	closedir(dir);
	return rc;
}

static int store_write_format(int dirfd, const uint8_t uuid[GML_STORE_UUID_LEN])
{
	char text[256], hex[2 * GML_STORE_UUID_LEN + 1];
	int len, code;
	gml_hex(uuid, GML_STORE_UUID_LEN, hex);
	len = snprintf(text, sizeof(text),
		       "gemel store\nformat %u\nuuid %s\n\n"
		       "meta holds the metadata, data the content. Change nothing here by hand.\n",
		       GML_STORE_VERSION, hex);
	code = gml_small_file_write(dirfd, "format", text, (size_t)len, true);
	if (code == 0)
		code = gml_small_file_sync_dir(dirfd, ".");
	return gml_err_map(code);
}

/* `arg`: the secret of handles. */
static int store_root_fn(struct gml_txn *txn, void *arg)
{
	int64_t now = gml_now();
	int rc;
	struct gml_inode root = {
		.ino = GML_INO_ROOT,
		.type = GML_DIR,
		.flags = GML_INODE_EXPLICIT,
		.mode = 0755,
		.nlink = 2,
		.change = gml_change_next(0),
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
		.born = gml_line_none.epoch,
	};
	rc = gml_rec_inode_put(txn, &gml_line_none, &root);
	return rc != 0 ? rc : gml_rec_secret_put(txn, arg);
}

static int store_make_meta(const char *path, const uint8_t uuid[GML_STORE_UUID_LEN],
			   const struct gml_store_options *opt)
{
	struct gml_meta_options meta_opt = {.engine = opt->engine,
					    .capacity = opt->meta_capacity,
					    .snapshots = opt->meta_snapshots,
					    .log = opt->log,
					    .log_arg = opt->log_arg};
	uint8_t secret[GML_REC_SECRET];
	struct gml_meta *meta = NULL;
	char dir[PATH_MAX];
	int rc = store_sub(dir, path, "meta");
	if (rc == 0 && getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		rc = GML_ERR_IO;
	if (rc == 0)
		rc = gml_meta_create(dir, uuid, &meta_opt);
	if (rc == 0)
		rc = gml_meta_open(dir, &meta_opt, &meta);
	if (rc != 0)
		return rc;
	rc = gml_meta_update(meta, store_root_fn, secret);
	explicit_bzero(secret, sizeof(secret));
	gml_meta_close(meta);
	return rc;
}

/* Undo a creation that failed: the files of a directory that was made here, then itself. */
static void store_clear(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(fd, e->d_name, 0);
	closedir(dir);
	(void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

/* The new directory's own name. */
static int store_sync_parent(int dirfd)
{
	int fd = openat(dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	if (fd < 0) /* a parent that may be searched but not read cannot be synced */
		return errno == EACCES ? 0 : gml_err_map(errno);
	if (fsync(fd) != 0)
		rc = gml_err_map(errno);
	close(fd);
	return rc;
}

static int store_fill(const char *path, int dirfd, bool made, const struct gml_store_options *opt)
{
	uint8_t uuid[GML_STORE_UUID_LEN];
	char data[PATH_MAX];
	int rc;
	if (getrandom(uuid, sizeof(uuid), 0) != (ssize_t)sizeof(uuid))
		return GML_ERR_IO;
	rc = store_sub(data, path, "data");
	if (rc == 0 && (mkdirat(dirfd, "meta", 0700) != 0 || mkdirat(dirfd, "run", 0700) != 0))
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = gml_data_create(data);
	if (rc == 0)
		rc = store_make_meta(path, uuid, opt);
	if (rc == 0 && fsync(dirfd) != 0)
		rc = gml_err_map(errno);
	if (rc == 0 && made)
		rc = store_sync_parent(dirfd);
	if (rc == 0)
		rc = store_write_format(dirfd, uuid);
	if (rc != 0) {
		(void)unlinkat(dirfd, "format", 0);
		store_clear(dirfd, "meta");
		store_clear(dirfd, "data/pack");
		store_clear(dirfd, "data");
		store_clear(dirfd, "run");
	}
	return rc;
}

int gml_store_create(const char *path, const struct gml_store_options *opt)
{
	static const struct gml_store_options defaults;
	bool made = mkdir(path, 0700) == 0;
	int dirfd, rc;
	if (!made && errno != EEXIST)
		return gml_err_map(errno);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		rc = gml_err_map(errno);
	else
		rc = made ? 0 : store_check_empty(dirfd);
	if (rc == 0 && fchmod(dirfd, 0700) != 0)
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = store_fill(path, dirfd, made, opt != NULL ? opt : &defaults);
	if (dirfd >= 0)
		close(dirfd);
	if (rc != 0 && made)
		(void)rmdir(path);
	return rc;
}

/* ---- open ------------------------------------------------------------------------------------ */

static int store_presync(void *arg)
{
	struct gml_store *store = arg;
	return gml_pack_sync(store->data);
}

/* What the user has to do, for a store that this program does not read. */
static int store_other_version(const struct gml_store *store, const char *path, unsigned version)
{
	if (version < GML_STORE_VERSION)
		gml_store_log(
			store, GML_LOG_ERROR,
			"%s: this store was made by Gemel 0.1, and this program reads stores "
			"of version %u only; "
			"to carry the data over, make a new store elsewhere with this program, "
			"serve the old one "
			"with Gemel 0.1, and copy each bucket over S3 or NFS",
			path, GML_STORE_VERSION);
	else
		gml_store_log(store, GML_LOG_ERROR,
			      "%s: this store is of version %u, and this program reads version %u; "
			      "a newer Gemel made "
			      "or opened it: use that one",
			      path, version, GML_STORE_VERSION);
	return GML_ERR_FORMAT;
}

/* The format file tells a store from an unfinished one, and its version before anything of it is
 * touched. Until version 3 it said 1, whatever the version of the metadata. */
static int store_check_format(const struct gml_store *store, const char *path)
{
	static const char head[] = "gemel store\nformat ";
	unsigned long version;
	char text[64] = "", *end;
	size_t len;
	int code = gml_small_file_read(store->dirfd, "format", text, sizeof(text) - 1, &len);
	if (code != 0)
		return gml_err_map(code);
	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return GML_ERR_FORMAT;
	version = strtoul(text + sizeof(head) - 1, &end, 10);
	if (*end != '\n' || version == 0 || version > UINT32_MAX)
		return GML_ERR_FORMAT;
	return version == GML_STORE_VERSION ? 0
					    : store_other_version(store, path, (unsigned)version);
}

/* What creation put into the metadata: the root, and the secret of handles. */
static int store_read_root(struct gml_store *store)
{
	struct gml_txn *txn = NULL;
	struct gml_inode root;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc == 0)
		rc = gml_rec_inode_get(txn, GML_INO_ROOT, &root);
	if (rc == 0)
		rc = gml_rec_secret_get(txn, store->handle_secret);
	if (rc == GML_ERR_NOENT || (rc == 0 && root.type != GML_DIR))
		rc = GML_ERR_CORRUPT;
	gml_meta_read_end(txn);
	return rc;
}

static int store_open_parts(struct gml_store *store, const char *path,
			    const struct gml_store_options *opt)
{
	struct gml_data_options data_opt = {.next_id = gml_lease_next_id,
					    .next_id_arg = store,
					    .log = opt->log,
					    .log_arg = opt->log_arg};
	struct gml_meta_options meta_opt = {.engine = opt->engine,
					    .capacity = opt->meta_capacity,
					    .snapshots = opt->meta_snapshots,
					    .presync = store_presync,
					    .presync_arg = store,
					    .log = opt->log,
					    .log_arg = opt->log_arg};
	char dir[PATH_MAX];
	int rc = store_sub(dir, path, "data");
	if (rc == 0)
		rc = gml_data_open(dir, &data_opt, &store->data);
	if (rc == 0)
		rc = store_sub(dir, path, "meta");
	if (rc == 0)
		rc = gml_meta_open(dir, &meta_opt, &store->meta);
	if (rc == 0)
		rc = store_read_root(store);
	if (rc == 0 && mkdirat(store->dirfd, "run", 0700) != 0 && errno != EEXIST)
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = gml_presence_open(store->dirfd, &store->self, &store->presence);
	if (rc == 0)
		rc = gml_access_epoch_open(store->dirfd, &store->access_epoch);
	if (rc == 0)
		rc = gml_roster_new(&store->roster);
	if (rc == 0)
		rc = gml_access_new(&store->access);
	if (rc == 0)
		rc = gml_open_inodes_new(store, &store->open_inodes);
	if (rc == 0)
		rc = gml_unwritten_new(&store->unwritten);
	return rc;
}

/* Nothing is written here: an unfinished store may be closed like a whole one. */
static void store_free(struct gml_store *store)
{
	gml_assert(store->reaping == NULL); /* no other call runs */
	gml_unwritten_free(store->unwritten);
	gml_open_inodes_free(store->open_inodes);
	gml_access_free(store->access);
	gml_roster_free(store->roster);
	gml_access_epoch_close(store->access_epoch);
	gml_presence_close(store->presence);
	if (store->meta != NULL)
		gml_meta_close(store->meta);
	gml_data_close(store->data);
	if (store->dirfd >= 0)
		close(store->dirfd);
	pthread_mutex_destroy(&store->reap_lock);
	pthread_mutex_destroy(&store->lease_lock);
	explicit_bzero(store->handle_secret, sizeof(store->handle_secret));
	free(store);
}

int gml_store_open(const char *path, const struct gml_store_options *opt,
		   struct gml_store **store_out)
{
	static const struct gml_store_options defaults;
	struct gml_store *store = calloc(1, sizeof(*store));
	int rc;
	*store_out = NULL;
	if (store == NULL)
		return GML_ERR_NOMEM;
	if (opt == NULL)
		opt = &defaults;
	pthread_mutex_init(&store->lease_lock, NULL);
	pthread_mutex_init(&store->reap_lock, NULL);
	store->log = opt->log;
	store->log_arg = opt->log_arg;
	store->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = store->dirfd < 0 ? gml_err_map(errno) : store_check_format(store, path);
	if (rc == 0)
		rc = gml_owner_self(&store->self);
	if (rc == 0)
		rc = store_open_parts(store, path, opt);
	if (rc != 0) {
		store_free(store);
		return rc;
	}
	*store_out = store;
	return 0;
}

void gml_store_close(struct gml_store *store)
{
	int rc;
	if (store == NULL)
		return;
	gml_assert_outside_closures();
	/* before the leases: ids of DIRTY inodes are in use */
	gml_unwritten_finalize(store);
	rc = gml_lease_drop_all(store);
	if (rc != 0) /* recovery drops them once this process is gone */
		gml_store_log(store, GML_LOG_WARN,
			      "leases of blob ids cannot be returned: %s; recovery will do it",
			      gml_err_text(rc));
	store_free(store);
}

int gml_store_flush(struct gml_store *store)
{
	return gml_meta_flush(store->meta);
}

/* The disk takes bytes. Always the same ones of the file, so that no space is needed but for the
 * first time. */
static int store_try_disk(int dirfd)
{
	struct timespec now;
	int rc = 0,
	    fd = openat(dirfd, "run/ready", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return gml_err_map(errno);
	clock_gettime(CLOCK_REALTIME, &now);
	if (pwrite(fd, &now, sizeof(now), 0) != sizeof(now) || fdatasync(fd) != 0)
		rc = gml_err_map(errno);
	close(fd);
	return rc;
}

int gml_store_ready(struct gml_store *store)
{
	uint64_t total, unused, avail;
	int rc = store_try_disk(store->dirfd);
	if (rc == 0)
		rc = gml_meta_refresh(store->meta);
	if (rc == 0)
		rc = gml_data_statfs(store->data, &total, &unused, &avail);
	return rc == 0 && (avail < STORE_READY_SPACE || gml_meta_is_short(store->meta))
		       ? GML_ERR_NOSPC
		       : rc;
}

struct gml_meta *gml_store_meta(struct gml_store *store)
{
	return store->meta;
}

struct gml_access *gml_store_access(struct gml_store *store)
{
	return store->access;
}

struct gml_access_epoch *gml_store_access_epoch(struct gml_store *store)
{
	return store->access_epoch;
}

struct gml_roster *gml_store_roster(struct gml_store *store)
{
	return store->roster;
}

const uint8_t *gml_store_uuid(const struct gml_store *store)
{
	return gml_meta_uuid(store->meta);
}

void gml_store_uuid_text(const struct gml_store *store, char out[GML_STORE_UUID_TEXT])
{
	gml_hex(gml_store_uuid(store), GML_STORE_UUID_LEN, out);
}

/* ---- statfs ---------------------------------------------------------------------------------- */

static bool store_add_used(void *arg, uint64_t line, const struct gml_usage_rec *usage)
{
	struct gml_usage_rec *sum = arg;
	(void)line;
	sum->bytes += usage->bytes;
	sum->objects += usage->objects;
	return true;
}

/* A bucket with a quota looks like a file system of that size. */
static int store_statfs_quota(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
			      gml_ino ino, struct gml_statfs *out)
{
	struct gml_usage_rec usage;
	struct gml_inode inode;
	struct gml_line line;
	uint64_t left;
	int rc = gml_handle_get(txn, op, store, ino, GML_ACTION_GETATTR, &inode);
	if (rc != 0 || gml_ino_is_none(inode.bucket))
		return rc;
	rc = gml_rec_line_get(txn, gml_line_id(inode.bucket), &line);
	if (rc == 0)
		rc = gml_rec_usage_get(txn, gml_line_id(inode.bucket), &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc; /* an orphan of a bucket that is gone */
	if (line.quota_bytes != 0) {
		left = line.quota_bytes > usage.bytes ? line.quota_bytes - usage.bytes : 0;
		out->total = line.quota_bytes;
		out->free = left < out->free ? left : out->free;
		out->avail = left < out->avail ? left : out->avail;
	}
	if (line.quota_objects != 0) {
		left = line.quota_objects > usage.objects ? line.quota_objects - usage.objects : 0;
		out->files = usage.objects;
		out->files_free = left < out->files_free ? left : out->files_free;
	}
	return 0;
}

int gml_store_statfs(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     struct gml_statfs *out)
{
	struct gml_usage_rec usage = {0};
	struct gml_txn *txn = NULL;
	int rc;
	*out = (struct gml_statfs){0};
	rc = gml_data_statfs(store->data, &out->total, &out->free, &out->avail);
	if (rc == 0)
		rc = gml_meta_read_begin(store->meta, &txn);
	if (rc == 0)
		rc = gml_rec_usage_each(txn, store_add_used, &usage);
	out->used = usage.bytes;
	if (rc == 0)
		rc = gml_txn_count(txn, GML_TABLE_INODE, &out->files);
	if (rc == GML_ERR_NOTSUP) { /* the engine keeps no count */
		out->files = usage.objects;
		rc = 0;
	}
	out->files_free = out->avail / 1024;
	if (rc == 0)
		rc = store_statfs_quota(txn, op, store, ino, out);
	gml_meta_read_end(txn);
	return rc;
}
