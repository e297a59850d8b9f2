// SPDX-License-Identifier: Apache-2.0
/* Blobs: opening, transfers, syncs. Packs are read-only here; pack.c alone writes them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fallocate, sync_file_range, SEEK_HOLE */
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "gateway/base/errmap.h"
#include "data.h"

#define BLOB_IOV 64

/* A number that was never used, as an id of `kind`. */
static int blob_next_id(struct gml_data *data, enum gml_blob_kind kind, uint64_t *id_out)
{
	uint64_t number;
	int rc = data->opt.next_id(data->opt.next_id_arg, 0, &number);
	if (rc != 0)
		return rc;
	if (number == 0 || number > GML_BLOB_NUMBER_MAX)
		return GML_ERR_CORRUPT;
	*id_out = gml_blob_file_id(kind, number);
	return 0;
}

int gml_blob_reserve(struct gml_data *data, uint64_t *id_out)
{
	char path[GML_BLOB_PATH];
	int rc;
	gml_assert_outside_closures();
	/* Ids never repeat, but metadata restored from a copy may count from an older number: step
	 * over what is there. */
	for (;;) {
		rc = blob_next_id(data, GML_BLOB_WRITE, id_out);
		if (rc != 0)
			return rc;
		gml_blob_path(*id_out, path);
		if (faccessat(data->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT ? 0 : gml_err_map(errno);
	}
}

int gml_blob_create(struct gml_data *data, uint64_t *id_out, struct gml_blob **blob_out)
{
	uint64_t id;
	int fd, rc;
	gml_assert_outside_closures();
	do {
		rc = blob_next_id(data, GML_BLOB_PLAIN, &id);
		if (rc != 0)
			return rc;
		rc = gml_data_openat(data, id, O_RDWR | O_CREAT | O_EXCL, &fd);
	} while (rc == GML_ERR_EXIST);
	if (rc != 0)
		return rc;
	rc = gml_cache_add(data, id, fd, blob_out);
	if (rc != 0) {
		gml_blob_remove(data, id, 0);
		return rc;
	}
	*id_out = id;
	return 0;
}

int gml_blob_open(struct gml_data *data, uint64_t id, unsigned flags, struct gml_blob **blob_out)
{
	uint64_t key = gml_blob_key(id);
	bool packed = id & GML_BLOB_PACKED;
	int fd, rc;
	gml_assert_outside_closures();
	*blob_out = gml_cache_get(data, key);
	if (*blob_out != NULL)
		return 0;
	if (id == 0 || (packed && (flags & GML_BLOB_CREATE)))
		return GML_ERR_INVAL;
	if (!gml_blob_known(id))
		return GML_ERR_CORRUPT;
	rc = gml_data_openat(data, key,
			     packed ? O_RDONLY : O_RDWR | (flags & GML_BLOB_CREATE ? O_CREAT : 0),
			     &fd);
	return rc == 0 ? gml_cache_add(data, key, fd, blob_out) : rc;
}

uint64_t gml_blob_id(const struct gml_blob *blob)
{
	return blob->key;
}

int gml_blob_fd(const struct gml_blob *blob, uint64_t id, uint64_t *base_out)
{
	gml_assert(blob->key == gml_blob_key(id));
	*base_out = gml_blob_base(id);
	return blob->fd;
}

static bool blob_range_ok(uint64_t base, uint64_t off, uint64_t len)
{
	uint64_t end;
	return !__builtin_add_overflow(base, off, &end) &&
	       !__builtin_add_overflow(end, len, &end) && end <= INT64_MAX;
}

int gml_blob_read(struct gml_blob *blob, uint64_t id, uint64_t off, void *buf, size_t len,
		  size_t *nread_out)
{
	uint64_t base = gml_blob_base(id);
	size_t done = 0;
	gml_assert_outside_closures();
	gml_assert(blob->key == gml_blob_key(id) && blob->fd >= 0);
	*nread_out = 0;
	if (!blob_range_ok(base, off, len))
		return GML_ERR_INVAL;
	while (done < len) {
		ssize_t n =
			pread(blob->fd, (char *)buf + done, len - done, (off_t)(base + off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gml_err_map(errno);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*nread_out = done;
	return 0;
}

int gml_blob_read_cached(struct gml_blob *blob, uint64_t id, uint64_t off, void *buf, size_t len)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	uint64_t base = gml_blob_base(id);
	ssize_t n;
	gml_assert_outside_closures();
	gml_assert(blob->key == gml_blob_key(id) && blob->fd >= 0);
	if (!blob_range_ok(base, off, len))
		return GML_ERR_INVAL;
	n = preadv2(blob->fd, &iov, 1, (off_t)(base + off), RWF_NOWAIT);
	if (n < 0 && errno == EOPNOTSUPP) {
		size_t got;
		int rc = gml_blob_read(blob, id, off, buf, len,
				       &got); /* the file system cannot say */
		return rc == 0 && got != len ? GML_ERR_COLD : rc;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return gml_err_map(errno);
	return n == (ssize_t)len ? 0 : GML_ERR_COLD;
}

/* Up to BLOB_IOV pieces of iov from `skip` bytes into its first element. */
static int blob_iov_window(const struct iovec *iov, int iovcnt, size_t skip,
			   struct iovec out[BLOB_IOV])
{
	int n = iovcnt < BLOB_IOV ? iovcnt : BLOB_IOV;
	gml_assert(n > 0 && skip < iov->iov_len);
	for (int i = 0; i < n; i++)
		out[i] = iov[i];
	out[0].iov_base = (char *)out[0].iov_base + skip;
	out[0].iov_len -= skip;
	return n;
}

int gml_blob_write(struct gml_blob *blob, uint64_t off, const struct iovec *iov, int iovcnt)
{
	struct iovec window[BLOB_IOV];
	size_t skip = 0;
	gml_assert_outside_closures();
	if (blob->key & GML_BLOB_PACKED)
		return GML_ERR_INVAL;
	while (iovcnt > 0) {
		ssize_t n;
		int count;
		if (iov->iov_len == skip) {
			iov++;
			iovcnt--;
			skip = 0;
			continue;
		}
		count = blob_iov_window(iov, iovcnt, skip, window);
		if (off > INT64_MAX)
			return GML_ERR_FBIG;
		n = pwritev(blob->fd, window, count, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? gml_err_map(errno) : GML_ERR_IO;
		off += (uint64_t)n;
		skip += (size_t)n;
		while (iovcnt > 0 && skip >= iov->iov_len) {
			skip -= iov->iov_len;
			iov++;
			iovcnt--;
		}
	}
	return 0;
}

static int blob_sync(struct gml_blob *blob, int (*sync)(int fd))
{
	int rc = atomic_load(&blob->sync_rc), none = 0;
	gml_assert_outside_closures();
	if (rc != 0)
		return rc;
	gml_assert(blob->fd >= 0); /* gone only while idle */
	while (sync(blob->fd) != 0) {
		if (errno == EINTR)
			continue;
		/* The kernel drops dirty pages that it failed to write: a later success would prove
		 * nothing. */
		rc = gml_err_map(errno);
		atomic_compare_exchange_strong(&blob->sync_rc, &none, rc);
		gml_data_log(blob->data, GML_LOG_ERROR, "blob %llx: sync failed: %s",
			     (unsigned long long)blob->key, gml_err_text(rc));
		return rc;
	}
	/* the sync of another thread may have consumed the error of the kernel */
	return atomic_load(&blob->sync_rc);
}

int gml_blob_sync(struct gml_blob *blob)
{
	return blob_sync(blob, fdatasync);
}

int gml_blob_sync_times(struct gml_blob *blob)
{
	return blob_sync(blob, fsync);
}

void gml_blob_flush_hint(struct gml_blob *blob, uint64_t off, uint64_t len)
{
	if (blob_range_ok(0, off, len))
		(void)sync_file_range(blob->fd, (off_t)off, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

int gml_blob_truncate(struct gml_blob *blob, uint64_t size)
{
	gml_assert_outside_closures();
	if (blob->key & GML_BLOB_PACKED)
		return GML_ERR_INVAL;
	if (size > INT64_MAX)
		return GML_ERR_FBIG;
	while (ftruncate(blob->fd, (off_t)size) != 0)
		if (errno != EINTR)
			return errno == EINVAL ? GML_ERR_FBIG : gml_err_map(errno);
	atomic_store(&blob->reach, 0);
	return 0;
}

static int64_t blob_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int gml_blob_stat(struct gml_blob *blob, uint64_t *size_out, uint64_t *space_out,
		  int64_t *mtime_out, int64_t *ctime_out)
{
	struct stat st;
	gml_assert_outside_closures();
	if (fstat(blob->fd, &st) != 0)
		return gml_err_map(errno);
	*size_out = (uint64_t)st.st_size;
	*space_out = (uint64_t)st.st_blocks * 512;
	*mtime_out = blob_ns(st.st_mtim);
	*ctime_out = blob_ns(st.st_ctim);
	atomic_store(&blob->reach, *size_out);
	return 0;
}

int gml_blob_reaches(struct gml_blob *blob, uint64_t end, bool *yes_out)
{
	uint64_t size = 0, space;
	int64_t mtime, ctime;
	int rc;
	*yes_out = end <= atomic_load(&blob->reach);
	if (*yes_out)
		return 0;
	rc = gml_blob_stat(blob, &size, &space, &mtime, &ctime);
	*yes_out = rc == 0 && end <= size;
	return rc;
}

int gml_blob_set_mtime(struct gml_blob *blob, int64_t mtime)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	gml_assert_outside_closures();
	times[1].tv_sec = mtime / 1000000000;
	times[1].tv_nsec = mtime % 1000000000;
	if (times[1].tv_nsec < 0) {
		times[1].tv_nsec += 1000000000;
		times[1].tv_sec--;
	}
	return futimens(blob->fd, times) == 0 ? 0 : gml_err_map(errno);
}

int gml_blob_allocate(struct gml_blob *blob, uint64_t off, uint64_t len)
{
	gml_assert_outside_closures();
	if (blob->key & GML_BLOB_PACKED || len == 0)
		return GML_ERR_INVAL;
	if (!blob_range_ok(0, off, len))
		return GML_ERR_FBIG;
	while (fallocate(blob->fd, 0, (off_t)off, (off_t)len) != 0)
		if (errno != EINTR)
			return gml_err_map(errno);
	return 0;
}

/* For file systems that cannot punch. */
static int blob_write_zeros(struct gml_blob *blob, uint64_t off, uint64_t len)
{
	static const char zeros[65536];
	struct stat st;
	if (fstat(blob->fd, &st) != 0)
		return gml_err_map(errno);
	if (off >= (uint64_t)st.st_size)
		return 0;
	if (len > (uint64_t)st.st_size - off)
		len = (uint64_t)st.st_size - off;
	while (len > 0) {
		struct iovec iov = {(void *)zeros,
				    len < sizeof(zeros) ? (size_t)len : sizeof(zeros)};
		int rc = gml_blob_write(blob, off, &iov, 1);
		if (rc != 0)
			return rc;
		off += iov.iov_len;
		len -= iov.iov_len;
	}
	return 0;
}

int gml_blob_punch(struct gml_blob *blob, uint64_t off, uint64_t len)
{
	gml_assert_outside_closures();
	if (blob->key & GML_BLOB_PACKED || !blob_range_ok(0, off, len))
		return GML_ERR_INVAL;
	if (len == 0)
		return 0;
	while (fallocate(blob->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
			 (off_t)len) != 0) {
		if (errno == EOPNOTSUPP)
			return blob_write_zeros(blob, off, len);
		if (errno != EINTR)
			return gml_err_map(errno);
	}
	return 0;
}

int gml_blob_seek(struct gml_blob *blob, bool hole, uint64_t off, uint64_t *off_out)
{
	off_t at;
	gml_assert_outside_closures();
	if (blob->key & GML_BLOB_PACKED)
		return GML_ERR_INVAL;
	if (off > INT64_MAX)
		return GML_ERR_NXIO;
	/* The file position that this moves is not used: all transfers are positioned. */
	at = lseek(blob->fd, (off_t)off, hole ? SEEK_HOLE : SEEK_DATA);
	if (at < 0)
		return errno == ENXIO ? GML_ERR_NXIO : gml_err_map(errno);
	*off_out = (uint64_t)at;
	return 0;
}

int gml_blob_remove(struct gml_data *data, uint64_t id, uint64_t len)
{
	char path[GML_BLOB_PATH];
	gml_assert_outside_closures();
	if (!gml_blob_known(id))
		return GML_ERR_CORRUPT;
	if (id & GML_BLOB_PACKED) {
		gml_punch_add(data, id, len);
		return 0;
	}
	gml_blob_path(id, path);
	if (unlinkat(data->dirfd, path, 0) != 0 && errno != ENOENT)
		return gml_err_map(errno);
	gml_cache_drop(data, id);
	return 0;
}
