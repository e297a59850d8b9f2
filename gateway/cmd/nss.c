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

union nss_entry {
	struct passwd user;
	struct group group;
};
/* 0, and whether there is such a name; else an errno: it is not known. */
typedef int nss_get(const char *name, union nss_entry *entry, char *buffer, size_t size,
		    bool *found);

static int nss_get_user(const char *name, union nss_entry *entry, char *buffer, size_t size,
			bool *found)
{
	struct passwd *at = NULL;
	int error = getpwnam_r(name, &entry->user, buffer, size, &at);
	*found = at != NULL;
	return error;
}

static int nss_get_group(const char *name, union nss_entry *entry, char *buffer, size_t size,
			 bool *found)
{
	struct group *at = NULL;
	int error = getgrnam_r(name, &entry->group, buffer, size, &at);
	*found = at != NULL;
	return error;
}

/* Asks with as much room as the answer needs. *buffer_out has what the entry points to; the caller
 * frees it in any case. */
static enum nss_answer nss_look(nss_get *get, const char *name, union nss_entry *entry,
				char **buffer_out)
{
	bool found = false;
	int error = ERANGE;
	*buffer_out = NULL;
	for (size_t size = NSS_BUFFER_FIRST; error == ERANGE && size <= NSS_BUFFER_MOST;
	     size *= 4) {
		free(*buffer_out);
		*buffer_out = malloc(size);
		error = *buffer_out != NULL ? get(name, entry, *buffer_out, size, &found) : ENOMEM;
	}
	errno = error;
	if (error != 0)
		return NSS_FAILED;
	return found ? NSS_FOUND : NSS_NONE;
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
	union nss_entry entry;
	char *buffer;
	enum nss_answer answer = nss_look(nss_get_user, name, &entry, &buffer);
	if (answer == NSS_FOUND) {
		*out = (struct nss_user){.uid = entry.user.pw_uid, .gid = entry.user.pw_gid};
		nss_groups_of(name, out);
	}
	free(buffer); /* leaves errno alone */
	return answer;
}

enum nss_answer nss_group(const char *name, struct nss_group *out)
{
	union nss_entry entry;
	char *buffer;
	enum nss_answer answer = nss_look(nss_get_group, name, &entry, &buffer);
	if (answer == NSS_FOUND) {
		*out = (struct nss_group){.gid = entry.group.gr_gid, .members = json_array()};
		for (char **member = entry.group.gr_mem; *member != NULL; member++)
			json_array_append_new(out->members, json_string(*member));
	}
	free(buffer); /* leaves errno alone */
	return answer;
}
