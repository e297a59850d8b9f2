// SPDX-License-Identifier: Apache-2.0
/* See owner.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gemel/err.h>
#include "small_file.h"
#include "owner.h"

/* 0; NOENT: there is no such file, or its process ended meanwhile; IO: unknown. */
static int owner_read_file(const char *path, char *buf, size_t cap)
{
	size_t len;
	int code = gml_small_file_read(AT_FDCWD, path, buf, cap - 1, &len);
	if (code != 0)
		return code == ENOENT || code == ESRCH ? GML_ERR_NOENT : GML_ERR_IO;
	buf[len] = '\0';
	return len > 0 ? 0 : GML_ERR_IO;
}

/* Start time of a process, in clock ticks since boot; NOENT when there is none, or only a
 * zombie. */
static int owner_start(const char *path, uint64_t *start_out)
{
	char buf[1024], *p, *save = NULL;
	char state = 0;
	long threads = 0;
	int rc = owner_read_file(path, buf, sizeof(buf));
	if (rc != 0)
		return rc;
	p = strrchr(buf, ')'); /* the name before may hold anything */
	if (p == NULL)
		return GML_ERR_IO;
	p = strtok_r(p + 1, " ", &save);
	for (int field = 3; p != NULL; field++, p = strtok_r(NULL, " ", &save)) {
		if (field == 3)
			state = *p;
		if (field == 20)
			threads = atol(p);
		if (field == 22) {
			*start_out = strtoull(p, NULL, 10);
			/* A main thread that ended is shown as a zombie while others still run. */
			return (state != 'Z' && state != 'X') || threads > 1 ? 0 : GML_ERR_NOENT;
		}
	}
	return GML_ERR_IO;
}

static bool owner_boot(uint64_t *boot_out)
{
	uint64_t hash = 0xcbf29ce484222325u;
	char buf[128];
	if (owner_read_file("/proc/sys/kernel/random/boot_id", buf, sizeof(buf)) != 0)
		return false;
	for (const char *p = buf; *p != '\0' && *p != '\n'; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3u;
	*boot_out = hash;
	return true;
}

int gml_owner_self(struct gml_owner *out)
{
	*out = (struct gml_owner){.pid = (uint32_t)getpid()};
	return owner_start("/proc/self/stat", &out->start) == 0 && owner_boot(&out->boot)
		       ? 0
		       : GML_ERR_IO;
}

bool gml_owner_equal(const struct gml_owner *a, const struct gml_owner *b)
{
	return a->gateway == b->gateway && a->pid == b->pid && a->start == b->start &&
	       a->boot == b->boot;
}

bool gml_owner_alive(const struct gml_owner *owner)
{
	uint64_t start, boot;
	char path[32];
	int rc;
	if (!owner_boot(&boot))
		return true;
	if (owner->boot != boot)
		return false;
	snprintf(path, sizeof(path), "/proc/%u/stat", owner->pid);
	rc = owner_start(path, &start);
	return rc == 0 ? start == owner->start : rc != GML_ERR_NOENT;
}
