// SPDX-License-Identifier: Apache-2.0
/* The directory of the store: opening and closing it, and its space. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "gateway/base/small_file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
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

int gml_store_sub(char out[PATH_MAX], const char *path, const char *sub)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", path, sub);
	return n > 0 && n < PATH_MAX ? 0 : GML_ERR_NAMETOOLONG;
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

/* No file `format`: no store, or one that has lost it. */
static int store_no_format(const struct gml_store *store, const char *path)
{
	if (faccessat(store->dirfd, "meta", F_OK, 0) != 0)
		return GML_ERR_NOENT;
	gml_store_log(store, GML_LOG_ERROR,
		      "%s: the file 'format' of this store is missing: put it back from a copy of "
		      "the store",
		      path);
	return GML_ERR_CORRUPT;
}

/* The format file tells a store from an unfinished one, and its version before anything of it is
 * touched. Until version 3 it said 1, whatever the version of the metadata. */
static int store_check_format(const struct gml_store *store, const char *path,
			      uint8_t uuid_out[GML_STORE_UUID_LEN])
{
	static const char head[] = "gemel store\nformat ", uuid[] = "\nuuid ";
	unsigned long version;
	char text[128] = "", *end;
	size_t len;
	int code;
	if (faccessat(store->dirfd, GML_STORE_MAKING, F_OK, 0) == 0)
		return GML_ERR_NOENT;
	code = gml_small_file_read(store->dirfd, "format", text, sizeof(text) - 1, &len);
	if (code != 0)
		return code == ENOENT ? store_no_format(store, path) : gml_err_map(code);
	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return GML_ERR_FORMAT;
	version = strtoul(text + sizeof(head) - 1, &end, 10);
	if (*end != '\n' || version == 0 || version > UINT32_MAX)
		return GML_ERR_FORMAT;
	if (version != GML_STORE_VERSION)
		return store_other_version(store, path, (unsigned)version);
	if (strncmp(end, uuid, sizeof(uuid) - 1) != 0 ||
	    !gml_unhex(end + sizeof(uuid) - 1, GML_STORE_UUID_LEN, uuid_out))
		return GML_ERR_FORMAT;
	return 0;
}

/* A part that is not there, of a store that was whole once. */
static int store_part(const struct gml_store *store, const char *path, const char *part, int rc)
{
	if (rc != GML_ERR_NOENT)
		return rc;
	gml_store_log(store, GML_LOG_ERROR,
		      "%s: '%s' of this store is missing, or not complete: put it back from a copy "
		      "of the store",
		      path, part);
	return GML_ERR_CORRUPT;
}

static int store_check_uuid(const struct gml_store *store, const char *path,
			    const uint8_t uuid[GML_STORE_UUID_LEN])
{
	if (memcmp(uuid, gml_meta_uuid(store->meta), GML_STORE_UUID_LEN) == 0)
		return 0;
	gml_store_log(store, GML_LOG_ERROR,
		      "%s: 'format' and 'meta' are of two stores: their uuids differ", path);
	return GML_ERR_CORRUPT;
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

static int store_open_epoch(struct gml_store *store, const char *path)
{
	int rc = gml_access_epoch_open(store->dirfd, &store->access_epoch);
	if (rc != GML_ERR_NOENT)
		return rc;
	gml_store_log(store, GML_LOG_ERROR,
		      "%s: run/access was removed while the store is open: its servers would not "
		      "learn of changes of users and rights. Stop all of them, then start them",
		      path);
	return GML_ERR_CORRUPT;
}

static int store_open_parts(struct gml_store *store, const char *path,
			    const uint8_t uuid[GML_STORE_UUID_LEN],
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
	int rc = gml_store_sub(dir, path, "data");
	if (rc == 0)
		rc = store_part(store, path, "data", gml_data_open(dir, &data_opt, &store->data));
	if (rc == 0)
		rc = gml_store_sub(dir, path, "meta");
	if (rc == 0)
		rc = store_part(store, path, "meta", gml_meta_open(dir, &meta_opt, &store->meta));
	if (rc == 0)
		rc = store_check_uuid(store, path, uuid);
	if (rc == 0)
		rc = store_read_root(store);
	if (rc == 0 && mkdirat(store->dirfd, "run", 0700) != 0 && errno != EEXIST)
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = gml_presence_open(store->dirfd, &store->self, &store->presence);
	if (rc == 0)
		rc = store_open_epoch(store, path);
	if (rc == 0)
		rc = gml_roster_new(&store->roster);
	if (rc == 0)
		rc = gml_access_new(&store->access);
	if (rc == 0)
		store->meta->store = store; /* from here on policies are asked */
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
	uint8_t uuid[GML_STORE_UUID_LEN];
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
	rc = store->dirfd < 0 ? gml_err_map(errno) : store_check_format(store, path, uuid);
	if (rc == 0)
		rc = gml_owner_self(&store->self);
	if (rc == 0)
		rc = store_open_parts(store, path, uuid, opt);
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
