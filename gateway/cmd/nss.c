// SPDX-License-Identifier: Apache-2.0
/* Questions to NSS. */
#include "nss.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define NSS_BUFFER_FIRST ((size_t)4096)
#define NSS_BUFFER_MOST ((size_t)16 << 20) /* a group with very many members */

bool nss_follows(const struct cmd *cmd)
{
	return conf_bool(&cmd->conf, CONF_identity_nss);
}

/* Both functions of libc answer 0 and nothing for a name that there is not, and an errno when that
 * is not known. */
static enum nss_answer nss_answer(int error, const void *found)
{
	errno = error;
	if (error != 0)
		return NSS_FAILED;
	return found != NULL ? NSS_FOUND : NSS_NONE;
}

static int nss_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Of more groups than a user can have, some. */
static void nss_groups_of(const char *name, struct nss_user *out)
{
	gid_t gids[GML_USER_GROUPS_MAX + 1];
	int count = GML_USER_GROUPS_MAX + 1;
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "gids are sorted as numbers");
	if (getgrouplist(name, out->gid, gids, &count) < 0)
		count = GML_USER_GROUPS_MAX + 1;
	qsort(gids, (size_t)count, sizeof(*gids), nss_order);
	out->ngroups = 0;
	for (int i = 0; i < count && out->ngroups < GML_USER_GROUPS_MAX; i++)
		if (gids[i] != out->gid && gids[i] != UINT32_MAX &&
		    (i == 0 || gids[i] != gids[i - 1]))
			out->groups[out->ngroups++] = gids[i];
}

enum nss_answer nss_user(const char *name, struct nss_user *out)
{
	struct passwd entry, *found = NULL;
	char *buffer = NULL;
	int error = ERANGE;
	for (size_t size = NSS_BUFFER_FIRST; error == ERANGE && size <= NSS_BUFFER_MOST;
	     size *= 4) {
		free(buffer);
		buffer = malloc(size);
		if (buffer == NULL) {
			error = ENOMEM;
			break;
		}
		error = getpwnam_r(name, &entry, buffer, size, &found);
	}
	if (error == 0 && found != NULL) {
		*out = (struct nss_user){.uid = entry.pw_uid, .gid = entry.pw_gid};
		nss_groups_of(name, out);
	}
	free(buffer);
	return nss_answer(error, found);
}

enum nss_answer nss_group(const char *name, struct nss_group *out)
{
	struct group entry, *found = NULL;
	char *buffer = NULL;
	int error = ERANGE;
	for (size_t size = NSS_BUFFER_FIRST; error == ERANGE && size <= NSS_BUFFER_MOST;
	     size *= 4) {
		free(buffer);
		buffer = malloc(size);
		if (buffer == NULL) {
			error = ENOMEM;
			break;
		}
		error = getgrnam_r(name, &entry, buffer, size, &found);
	}
	if (error == 0 && found != NULL) {
		*out = (struct nss_group){.gid = entry.gr_gid, .members = json_array()};
		for (char **member = entry.gr_mem; *member != NULL; member++)
			json_array_append_new(out->members, json_string(*member));
	}
	free(buffer);
	return nss_answer(error, found);
}
