// SPDX-License-Identifier: Apache-2.0
/* Users, groups and access keys, and who asks. Names: 1 to 64 of [A-Za-z0-9._@-]. Changes are for
 * administrators only (PERM otherwise); durable. */
#ifndef GEMEL_PRINCIPAL_H
#define GEMEL_PRINCIPAL_H

#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

#define GML_USER_NAME_MAX 64
#define GML_USER_GROUPS_MAX 64
#define GML_ACCESS_KEY_MAX 128
#define GML_SECRET_MAX 128

enum { GML_USER_DISABLED = 1, GML_USER_NO_BUCKETS = 2 /* may not create buckets */ };
struct gml_user {
	char name[GML_USER_NAME_MAX + 1];
	uint32_t uid, gid, ngroups;
	uint32_t groups[GML_USER_GROUPS_MAX];
	uint32_t flags;
	int64_t created;
};
enum { GML_KEY_DISABLED = 1, GML_KEY_SIGV2 = 2 /* SigV2 is allowed with this key */ };
struct gml_key {
	char id[GML_ACCESS_KEY_MAX + 1];
	char secret[GML_SECRET_MAX + 1]; /* never logged */
	char user[GML_USER_NAME_MAX + 1];
	uint32_t flags;
	int64_t created;
};

/* May a user, or a key's id, be called so? 0 or INVAL. No blocking. */
int gml_user_name_check(const char *name);
int gml_key_id_check(const char *id);

/* A uid belongs to one enabled user at a time: UIDTAKEN when another enabled one has it (a user
 * that is made enabled, is enabled again, or gets another uid). A uid that only disabled users
 * have, or that was a user's and is nobody's now, is refused at the NFS door (gml_uid_refused) from
 * the return of the call on, in every process. */
int gml_user_create(struct gml_op *op, struct gml_store *store,
		    const struct gml_user *user); /* EXIST; UIDTAKEN; INVAL */
int gml_user_update(struct gml_op *op, struct gml_store *store,
		    const struct gml_user *user); /* by name; NOUSER; UIDTAKEN */
int gml_user_delete(
	struct gml_op *op, struct gml_store *store,
	const char *name); /* with its keys; NOUSER; NOTEMPTY while it owns buckets (by uid) */
/* Must a door that knows no more than a uid refuse everything to it (principal.refused)? Uids that never
 * were a user's are let in: mode bits decide. True also when the store cannot be read. Two loads
 * when nobody is refused; else a lock, and after a change of users one read of the store. No
 * blocking on writers. Any thread. */
bool gml_uid_refused(struct gml_store *store, uint32_t uid);
int gml_user_get(struct gml_store *store, const char *name, struct gml_user *out); /* NOUSER */
int gml_user_by_uid(
	struct gml_store *store, uint32_t uid,
	struct gml_user *out); /* the first enabled one by name; without one, the first; NOUSER */
int gml_user_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_user *user),
		  void *arg);

/* Makes id ("GK" + 18 of [A-Z2-7]) and a 40-character secret from the kernel's random source unless
 * given non-empty in *key; fills *key. */
int gml_key_create(struct gml_op *op, struct gml_store *store, struct gml_key *key);
int gml_key_update(struct gml_op *op, struct gml_store *store, const char *id, uint32_t flags);
int gml_key_delete(struct gml_op *op, struct gml_store *store, const char *id);
int gml_key_list(struct gml_store *store, const char *user /* NULL: all */,
		 bool (*each)(void *arg, const struct gml_key *key), void *arg);
/* Key and its user in one snapshot: what a request's authentication needs. No blocking. NOKEY,
 * NOUSER. Disabled ones are returned with their flags. */
int gml_key_lookup(struct gml_store *store, struct gml_span id, struct gml_key *key_out,
		   struct gml_user *user_out);

/* ---- who asks: made once for each operation ---- */

/* A user who signed with `key` (empty: none): root if its uid is 0, refused if it is disabled.
 * Ownership: *out borrows from `user` and `key`.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_of_user(const struct gml_user *user, struct gml_span key, enum gml_authn authn,
			   struct gml_principal *out);

/* The guest of a uid, as NFS knows its callers after squashing: root if the uid is 0 even so, refused
 * if gml_uid_refused says so.
 * Ownership: *out borrows cred->groups.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: a store that cannot be read
 * refuses. */
void gml_principal_of_uid(struct gml_store *store, const struct gml_cred *cred,
			  enum gml_authn authn, struct gml_principal *out);

/* The server itself, for its own work: root, and never refused.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_server(struct gml_principal *out);

/* The same caller with another uid and gid, and no further groups: an administrator (GML_OP_LOCAL) who
 * makes what another user will own. It keeps the privilege of administration, and is root only if that
 * uid is 0.
 * Errors: none. Threads: one for each principal. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_for(struct gml_principal *principal, uint32_t uid, uint32_t gid);

GML_API_END

#endif
