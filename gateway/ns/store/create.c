// SPDX-License-Identifier: Apache-2.0
/* Making a store.
 *
 * On disk: PATH/meta (gateway/meta), PATH/data (gateway/data), PATH/run (shared state that needs no
 * durability), PATH/format (what this is, for people).
 *
 * Invariants
 *  1. Whoever makes a store holds a lock of its directory from the first look to the end.
 *  2. PATH/making is there, durably, before anything else is made, and goes when all the rest is
 *     durable. So what stands beside it belongs to a creation that was cut short, and is removed by
 *     the next one; without it nothing is removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gemel/err.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/clock.h"
#include "gateway/base/errmap.h"
#include "gateway/base/hex.h"
#include "gateway/base/small_file.h"
#include "gateway/data/blob.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "store.h"

/* What is in the directory before a store is made there. */
struct create_found {
	bool store, making, parts, other;
};

static int create_look(int dirfd, struct create_found *found)
{
	const char *name;
	DIR *dir;
	int rc = gml_data_opendir(dirfd, ".", &dir);
	*found = (struct create_found){0};
	if (dir == NULL)
		return rc;
	while ((name = gml_data_readdir(dir, &rc)) != NULL) {
		if (strcmp(name, "format") == 0)
			found->store = true;
		else if (strcmp(name, GML_STORE_MAKING) == 0)
			found->making = true;
		else if (strcmp(name, "meta") == 0 || strcmp(name, "data") == 0 ||
			 strcmp(name, "run") == 0)
			found->parts = true;
		else if (strcmp(name, "lost+found") != 0) /* of a fresh file system */
			found->other = true;
	}
	closedir(dir);
	return rc;
}

/* The files of a directory that a creation made, then itself. It is no error that it is absent. */
static int create_clear(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc;
	const char *file;
	DIR *dir;
	if (fd < 0)
		return errno == ENOENT ? 0 : gml_err_map(errno);
	rc = gml_data_opendir(fd, ".", &dir);
	while (rc == 0 && (file = gml_data_readdir(dir, &rc)) != NULL)
		if (unlinkat(fd, file, 0) != 0)
			rc = gml_err_map(errno);
	if (dir != NULL)
		closedir(dir);
	close(fd);
	if (rc == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) != 0)
		rc = gml_err_map(errno);
	return rc;
}

/* Everything but `making`. */
static int create_undo(int dirfd)
{
	static const char *const part[] = {"meta", "data/pack", "data", "run"};
	int rc = unlinkat(dirfd, "format", 0) == 0 || errno == ENOENT ? 0 : gml_err_map(errno);
	for (size_t i = 0; rc == 0 && i < sizeof(part) / sizeof(part[0]); i++)
		rc = create_clear(dirfd, part[i]);
	return rc;
}

/* `arg`: the secret of handles. */
static int create_root_fn(struct gml_txn *txn, void *arg)
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

static int create_meta(const char *path, const uint8_t uuid[GML_STORE_UUID_LEN],
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
	int rc = gml_store_sub(dir, path, "meta");
	if (rc == 0 && getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		rc = GML_ERR_IO;
	if (rc == 0)
		rc = gml_meta_create(dir, uuid, &meta_opt);
	if (rc == 0)
		rc = gml_meta_open(dir, &meta_opt, &meta);
	if (rc != 0)
		return rc;
	rc = gml_meta_update(meta, create_root_fn, secret);
	explicit_bzero(secret, sizeof(secret));
	gml_meta_close(meta);
	return rc;
}

/* Also the name of the directory itself. */
static int create_begin(int dirfd)
{
	int code = gml_small_file_write(dirfd, GML_STORE_MAKING, NULL, 0, false);
	if (code == 0)
		code = gml_small_file_sync_dir(dirfd, ".");
	if (code != 0)
		return gml_err_map(code);
	code = gml_small_file_sync_dir(dirfd, "..");
	/* a parent that may be searched but not read cannot be synced */
	return code == EACCES ? 0 : gml_err_map(code);
}

static int create_finish(int dirfd, const uint8_t uuid[GML_STORE_UUID_LEN])
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
	if (code == 0 && unlinkat(dirfd, GML_STORE_MAKING, 0) != 0)
		code = errno;
	if (code == 0)
		code = gml_small_file_sync_dir(dirfd, ".");
	return gml_err_map(code);
}

static int create_fill(const char *path, int dirfd, const struct gml_store_options *opt)
{
	uint8_t uuid[GML_STORE_UUID_LEN];
	char data[PATH_MAX];
	int rc;
	if (getrandom(uuid, sizeof(uuid), 0) != (ssize_t)sizeof(uuid))
		return GML_ERR_IO;
	rc = gml_store_sub(data, path, "data");
	if (rc == 0)
		rc = create_begin(dirfd);
	if (rc == 0)
		rc = create_undo(dirfd);
	if (rc == 0 && (mkdirat(dirfd, "meta", 0700) != 0 || mkdirat(dirfd, "run", 0700) != 0))
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = gml_data_create(data);
	if (rc == 0)
		rc = create_meta(path, uuid, opt);
	if (rc == 0)
		rc = create_finish(dirfd, uuid);
	/* What stays is removed by the next creation. */
	if (rc != 0 && create_undo(dirfd) == 0)
		(void)unlinkat(dirfd, GML_STORE_MAKING, 0);
	return rc;
}

/* Waits for another creation. */
static int create_lock(int dirfd)
{
	while (flock(dirfd, LOCK_EX) != 0)
		if (errno != EINTR)
			return gml_err_map(errno);
	return 0;
}

/* In the directory, which is there. */
static int create_in(const char *path, const struct gml_store_options *opt)
{
	static const struct gml_store_options defaults;
	struct create_found found = {0};
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	if (dirfd < 0)
		return gml_err_map(errno);
	/* before the lock: who has a store open holds one, too */
	rc = create_look(dirfd, &found);
	if (rc == 0)
		rc = found.store && !found.making ? GML_ERR_EXIST : create_lock(dirfd);
	if (rc == 0)
		rc = create_look(dirfd, &found);
	if (rc == 0 && found.store && !found.making)
		rc = GML_ERR_EXIST;
	else if (rc == 0 && (found.other || (found.parts && !found.making)))
		rc = GML_ERR_NOTEMPTY;
	if (rc == 0 && fchmod(dirfd, 0700) != 0)
		rc = gml_err_map(errno);
	if (rc == 0)
		rc = create_fill(path, dirfd, opt != NULL ? opt : &defaults);
	close(dirfd); /* and with it the lock */
	return rc;
}

int gml_store_create(const char *path, const struct gml_store_options *opt)
{
	bool made = mkdir(path, 0700) == 0;
	int rc;
	if (!made && errno != EEXIST)
		return gml_err_map(errno);
	rc = create_in(path, opt);
	if (rc != 0 && made)
		(void)rmdir(path); /* stays if another one has begun in it */
	return rc;
}
