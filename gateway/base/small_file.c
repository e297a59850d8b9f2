// SPDX-License-Identifier: Apache-2.0
#include "small_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

static int file_put(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : ENOSPC;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : errno;
}

int gml_small_file_write(int dirfd, const char *name, const void *bytes, size_t len, bool fresh)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_EXCL : O_TRUNC);
	int fd = openat(dirfd, name, flags, 0600), rc;
	if (fd < 0)
		return errno;
	rc = file_put(fd, bytes, len);
	close(fd);
	return rc;
}

int gml_small_file_sync_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	if (fd < 0)
		return errno;
	rc = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return rc;
}

int gml_small_file_read(int dirfd, const char *name, void *buf, size_t cap, size_t *len_out)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	uint8_t *p = buf;
	*len_out = 0;
	if (fd < 0)
		return errno;
	while (rc == 0 && *len_out < cap) {
		ssize_t n = read(fd, p + *len_out, cap - *len_out);
		if (n > 0)
			*len_out += (size_t)n;
		else if (n == 0)
			break;
		else if (errno != EINTR)
			rc = errno;
	}
	close(fd);
	return rc;
}
