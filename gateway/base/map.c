// SPDX-License-Identifier: Apache-2.0
#include "map.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is allocated already stays as it is, also when several processes do this at once. */
static int map_allocate(int fd, size_t len)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return errno;
	if ((size_t)st.st_size >= len)
		return 0;
	if (fallocate(fd, 0, 0, (off_t)len) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return errno;
	return ftruncate(fd, (off_t)len) == 0 ? 0 : errno;
}

int gml_shared_map(int dirfd, const char *name, size_t len, enum gml_map_how how, void **map_out)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (how == GML_MAP_EXISTING ? 0 : O_CREAT);
	int fd = openat(dirfd, name, flags, 0600), rc;
	void *map;
	*map_out = NULL;
	if (fd < 0)
		return errno;
	rc = map_allocate(fd, len);
	if (rc == 0) {
		map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		rc = map == MAP_FAILED ? errno : 0;
	}
	close(fd);
	if (rc != 0)
		return rc;
	if (how == GML_MAP_FRESH)
		memset(map, 0, len);
	*map_out = map;
	return 0;
}

void gml_shared_unmap(void *map, size_t len)
{
	if (map != NULL)
		munmap(map, len);
}
