// SPDX-License-Identifier: Apache-2.0
/* Users and groups of the host's NSS (files, LDAP, AD through sssd), and how the store follows them
 * (docs/adr/0010-names-of-nss.md). Only the gemel program asks NSS: it may wait for the network. */
#ifndef GML_CMD_NSS_H
#define GML_CMD_NSS_H

#include <gemel/iam.h>
#include "cmd.h"

enum nss_answer {
	NSS_FOUND,
	NSS_NONE,
	NSS_FAILED, /* nobody knows: a server of NSS does not answer; errno says more */
};

struct nss_user {
	uint32_t uid, gid;
	uint32_t ngroups, groups[GML_USER_GROUPS_MAX]; /* without gid; ascending */
};
/* Blocks on the network. */
enum nss_answer nss_user(const char *name, struct nss_user *out);

struct nss_group {
	uint32_t gid;
	json_t *members; /* names; the caller's */
};
/* Blocks on the network. *out is set when it is found. */
enum nss_answer nss_group(const char *name, struct nss_group *out);

bool nss_follows(const struct cmd *cmd); /* identity.nss */
#define CMD_NSS_OFF "the store does not follow NSS: set identity.nss = yes"

#define NSS_WHY_MAX 256
/* Makes a user of the store that is NSS's user of that name. `asked`: by an administrator, so that
 * a uid which another user had is no obstacle. false: why says what is. Blocks on the network, and
 * to commit. */
bool nss_take_user(struct cmd *cmd, const char *name, bool asked, char why[NSS_WHY_MAX]);
/* The same for a group, with the members that it has. */
bool nss_take_group(struct cmd *cmd, const char *name, char why[NSS_WHY_MAX]);
/* A command is about an identity: if the store does not have it and NSS does, the store follows it
 * from now on. CMD_OK also if neither has it. Prints its error; exit status. */
int nss_take_named(struct cmd *cmd, const struct gml_identity *identity);

/* Lets the store follow NSS: users that are gone are disabled, groups get their members. Appends
 * {kind, name, change} to `rows`, and with `problems` what was not possible. Prints its error; exit
 * status. Blocks on the network, and to commit. */
int nss_sync(struct cmd *cmd, bool problems, json_t *rows);

#endif
