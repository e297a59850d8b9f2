// SPDX-License-Identifier: Apache-2.0
/* The blob store's directory.
 *
 * On disk DIR/pack/NNNNNNNN          kind and number of the pack: bits 32..62 of its segments' ids,
 * in hex DIR/xx/yy/NNNNNNNNNNNNNNNN blob id in hex; xx = bits 20..27, yy = bits 12..19 of the id
 *
 * Invariants
 *  1. Neighbouring numbers, of whatever kinds, share a directory: 4096 of them, the size of a
 *     lease, so that files of a dead process are found by reading one or two directories, and new
 *     files seldom need a new directory.
 *  2. A fan-out directory's own name is durable before a file is made in it: its parent is synced.
 *     The name of a new file becomes durable with the first fdatasync of the file: on ext4, xfs and
 *     btrfs that commits the transaction that made the inode, which holds its dirent as well.
 *     Another file system must promise the same to hold a store. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "data.h"

void gml_data_log(const struct gml_data *data, enum gml_log_level level, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gml_log_va(data->opt.log, data->opt.log_arg, level, fmt, ap);
	va_end(ap);
}

void gml_blob_path(uint64_t key, char out[GML_BLOB_PATH])
{
	if (key & GML_BLOB_PACKED)
		snprintf(out, GML_BLOB_PATH, "pack/%08" PRIx64, key >> 32 & 0x7fffffff);
	else
		snprintf(out, GML_BLOB_PATH, "%02x/%02x/%016" PRIx64, (unsigned)(key >> 20) & 0xff,
			 (unsigned)(key >> 12) & 0xff, key);
}

static int data_sync_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int rc = 0;
	if (fd < 0)
		return gml_err_map(errno);
	if (fsync(fd) != 0)
		rc = gml_err_map(errno);
	close(fd);
	return rc;
}

/* An existing directory was synced by its maker, or is about to be: syncing again is cheap then. */
static int data_mkdir(int dirfd, const char *path, const char *parent)
{
	if (mkdirat(dirfd, path, 0700) != 0 && errno != EEXIST)
		return gml_err_map(errno);
	return data_sync_dir(dirfd, parent);
}

static int data_make_fanout(struct gml_data *data, uint64_t key)
{
	char path[GML_BLOB_PATH], top[4];
	int rc;
	gml_assert(!(key & GML_BLOB_PACKED)); /* packs share one directory */
	gml_blob_path(key, path);
	snprintf(top, sizeof(top), "%.2s", path);
	path[5] = '\0';
	rc = data_mkdir(data->dirfd, top, ".");
	if (rc == 0)
		rc = data_mkdir(data->dirfd, path, top);
	return rc;
}

int gml_data_openat(struct gml_data *data, uint64_t key, int flags, int *fd_out)
{
	char path[GML_BLOB_PATH];
	bool made = false;
	int fd, rc;
	gml_assert(key == gml_blob_key(key)); /* not the id of a segment */
	*fd_out = -1;
	gml_blob_path(key, path);
	for (;;) {
		fd = openat(data->dirfd, path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			break;
		if (errno == EINTR ||
		    ((errno == EMFILE || errno == ENFILE) && gml_cache_shrink(data)))
			continue;
		if (errno != ENOENT || !(flags & O_CREAT) || made || (key & GML_BLOB_PACKED))
			return gml_err_map(errno);
		rc = data_make_fanout(data, key);
		if (rc != 0)
			return rc;
		made = true;
	}
	*fd_out = fd;
	return 0;
}

int gml_data_opendir(int dirfd, const char *path, DIR **dir_out)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	*dir_out = NULL;
	if (fd < 0)
		return gml_err_map(errno);
	*dir_out = fdopendir(fd);
	if (*dir_out != NULL)
		return 0;
	close(fd);
	return GML_ERR_NOMEM;
}

const char *gml_data_readdir(DIR *dir, int *rc)
{
	struct dirent *e;
	do {
		errno = 0;
		e = readdir(dir);
		if (e == NULL && errno != 0)
			*rc = gml_err_map(errno);
	} while (e != NULL && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	return e == NULL ? NULL : e->d_name;
}

/* 0, or EXIST when anything is in the directory. */
static int data_is_empty(int dirfd)
{
	DIR *dir;
	int rc = gml_data_opendir(dirfd, ".", &dir);
	if (dir == NULL)
		return rc;
	if (gml_data_readdir(dir, &rc) != NULL)
		rc = GML_ERR_EXIST;
	closedir(dir);
	return rc;
}

int gml_data_create(const char *dir)
{
	int dirfd, rc;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return gml_err_map(errno);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dirfd < 0)
		return gml_err_map(errno);
	rc = data_is_empty(dirfd);
	if (rc == 0)
		rc = data_mkdir(dirfd, "pack", ".");
	if (rc == 0)
		rc = data_sync_dir(dirfd, "..");
	close(dirfd);
	return rc;
}

/* Idle descriptors may use at most half of the process's limit. */
static unsigned data_open_max(unsigned wanted)
{
	struct rlimit limit;
	if (wanted == 0)
		wanted = 1024;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < wanted)
		wanted = (unsigned)(limit.rlim_cur / 2);
	return wanted;
}

int gml_data_open(const char *dir, const struct gml_data_options *opt, struct gml_data **data_out)
{
	struct gml_data *data = calloc(1, sizeof(*data));
	int rc = 0;
	if (data == NULL)
		return GML_ERR_NOMEM;
	data->opt = *opt;
	if (data->opt.pack_size == 0)
		data->opt.pack_size = GML_PACK_SIZE;
	if (data->opt.pack_size < GML_PACK_SEGMENT_MAX ||
	    data->opt.pack_size > (uint64_t)UINT32_MAX * 64) {
		free(data);
		return GML_ERR_INVAL;
	}
	data->packfd = -1;
	data->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (data->dirfd >= 0)
		data->packfd = openat(data->dirfd, "pack",
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (data->packfd < 0)
		rc = gml_err_map(errno);
	gml_punches_init(&data->punches);
	gml_packs_init(&data->packs);
	if (rc == 0)
		rc = gml_cache_init(data, data_open_max(opt->open_max));
	if (rc != 0) {
		gml_punches_release(&data->punches);
		gml_packs_release(data);
		if (data->packfd >= 0)
			close(data->packfd);
		if (data->dirfd >= 0)
			close(data->dirfd);
		free(data);
		return rc;
	}
	*data_out = data;
	return 0;
}

void gml_data_close(struct gml_data *data)
{
	if (data == NULL)
		return;
	gml_cache_stop(&data->cache);
	gml_pack_flush_removed(data);
	gml_packs_release(data);
	gml_cache_release(&data->cache);
	gml_punches_release(&data->punches);
	close(data->packfd);
	close(data->dirfd);
	free(data);
}

int gml_data_statfs(struct gml_data *data, uint64_t *total_out, uint64_t *free_out,
		    uint64_t *avail_out)
{
	struct statvfs st;
	if (fstatvfs(data->dirfd, &st) != 0)
		return gml_err_map(errno);
	*total_out = (uint64_t)st.f_blocks * st.f_frsize;
	*free_out = (uint64_t)st.f_bfree * st.f_frsize;
	*avail_out = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

/* ---- walks ----------------------------------------------------------------------------------- */

static bool data_parse_name(const char *name, unsigned digits, uint64_t *out)
{
	return strlen(name) == digits && gml_unhex_u64(name, digits, out);
}

struct data_walk {
	struct gml_data *data;
	uint64_t first, last; /* numbers, inclusive */
	bool all;	      /* files of unknown kinds as well */
	bool (*each)(void *arg, uint64_t id, uint64_t size);
	void *arg;
	bool stopped;
};

static int data_walk_leaf(struct data_walk *walk, unsigned leaf)
{
	char path[16];
	const char *name;
	struct stat st;
	uint64_t id;
	DIR *dir;
	int rc;
	snprintf(path, sizeof(path), "%02x/%02x", leaf >> 8 & 0xff, leaf & 0xff);
	rc = gml_data_opendir(walk->data->dirfd, path, &dir);
	if (dir == NULL)
		return rc;
	while (!walk->stopped && (name = gml_data_readdir(dir, &rc)) != NULL) {
		if (!data_parse_name(name, 16, &id) || id == 0 || id & GML_BLOB_PACKED)
			continue;
		if (!walk->all && (!gml_blob_known(id) || gml_blob_number(id) < walk->first ||
				   gml_blob_number(id) > walk->last))
			continue;
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* removed meanwhile */
		walk->stopped = !walk->each(walk->arg, id, (uint64_t)st.st_size);
	}
	closedir(dir);
	return rc;
}

static bool data_has(struct gml_data *data, const char *path)
{
	return faccessat(data->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

unsigned gml_blob_leaf_next(struct gml_data *data, unsigned from)
{
	char path[8];
	for (unsigned leaf = from; leaf < GML_BLOB_LEAVES; leaf++) {
		if (leaf == from || (leaf & 0xff) == 0) {
			snprintf(path, sizeof(path), "%02x", leaf >> 8);
			if (!data_has(data, path)) {
				leaf |= 0xff;
				continue;
			}
		}
		snprintf(path, sizeof(path), "%02x/%02x", leaf >> 8, leaf & 0xff);
		if (data_has(data, path))
			return leaf;
	}
	return GML_BLOB_LEAVES;
}

int gml_blob_each(struct gml_data *data, bool (*each)(void *arg, uint64_t id, uint64_t size),
		  void *arg)
{
	struct data_walk walk = {.data = data, .all = true, .each = each, .arg = arg};
	unsigned leaf = gml_blob_leaf_next(data, 0);
	int rc = 0;
	for (; rc == 0 && leaf < GML_BLOB_LEAVES && !walk.stopped;
	     leaf = gml_blob_leaf_next(data, leaf + 1))
		rc = data_walk_leaf(&walk, leaf);
	return rc;
}

int gml_blob_each_in(struct gml_data *data, uint64_t first, uint64_t count,
		     bool (*each)(void *arg, uint64_t id, uint64_t size), void *arg)
{
	struct data_walk walk = {
		.data = data, .first = first, .last = first + count - 1, .each = each, .arg = arg};
	int rc = 0;
	if (count == 0 || walk.last < first || walk.last > GML_BLOB_NUMBER_MAX)
		return GML_ERR_INVAL;
	if (count >> 12 >= 0xffff) {
		unsigned leaf = gml_blob_leaf_next(data, 0);
		for (; rc == 0 && leaf < GML_BLOB_LEAVES && !walk.stopped;
		     leaf = gml_blob_leaf_next(data, leaf + 1))
			rc = data_walk_leaf(&walk, leaf);
		return rc;
	}
	for (uint64_t leaf = first >> 12; rc == 0 && leaf <= walk.last >> 12 && !walk.stopped;
	     leaf++) {
		rc = data_walk_leaf(&walk, (unsigned)leaf & 0xffff);
		rc = rc == GML_ERR_NOENT ? 0 : rc;
	}
	return rc;
}

int gml_blob_each_leaf(struct gml_data *data, unsigned leaf,
		       bool (*each)(void *arg, uint64_t id, uint64_t size), void *arg)
{
	struct data_walk walk = {
		.data = data, .first = 1, .last = GML_BLOB_NUMBER_MAX, .each = each, .arg = arg};
	return leaf < GML_BLOB_LEAVES ? data_walk_leaf(&walk, leaf) : GML_ERR_INVAL;
}

int gml_pack_each(struct gml_data *data, bool (*each)(void *arg, uint64_t pack), void *arg)
{
	const char *name;
	uint64_t pack;
	DIR *dir;
	int rc = gml_data_opendir(data->packfd, ".", &dir);
	if (dir == NULL)
		return rc;
	while ((name = gml_data_readdir(dir, &rc)) != NULL) {
		if (data_parse_name(name, 8, &pack) && pack <= GML_PACK_NUMBER_MAX &&
		    !each(arg, pack))
			break;
	}
	closedir(dir);
	return rc;
}
