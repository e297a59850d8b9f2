// SPDX-License-Identifier: Apache-2.0
/* Users, access keys, and principals. A user's name is 1 to 64 of [A-Za-z0-9_+=,.@-]. Only
 * administrators may change them; others get PERM. The labels of the contracts are explained in
 * README.md here. */
#ifndef GEMEL_PRINCIPAL_H
#define GEMEL_PRINCIPAL_H

#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

#define GML_USER_NAME_MAX 64
#define GML_USER_GROUPS_MAX 64
#define GML_ACCESS_KEY_MAX 128
#define GML_SECRET_MAX 128
/* Characters of the id of a user, group, role or policy, which nothing else ever has: "AIDA",
 * "AGPA", "AROA" or "ANPA", then 17 of [A-Z2-7]. */
#define GML_UNIQUE_ID 21

enum {
	GML_USER_DISABLED = 1,
	GML_USER_NO_BUCKETS = 2, /* may not create buckets */
	/* of the host's NSS, which the gemel program asks what becomes of it */
	GML_USER_NSS = 4,
	GML_USER_GONE = 8, /* disabled, because NSS does not have it any more */
};
struct gml_user {
	char name[GML_USER_NAME_MAX + 1];
	char id[GML_UNIQUE_ID + 1];
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
	int64_t expires; /* ns since the epoch, from when on it is refused; 0: never */
};

/* May a user have this name?
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_user_name_check(const char *name);
/* May an access key have this id?
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_key_id_check(const char *id);

/* Make a user, with an id of its own (user->id is not looked at). A uid belongs to one enabled user
 * at a time.
 * Errors: EXIST (the name), UIDTAKEN (another enabled user has the uid), INVAL, PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes; the new uid is accepted in every process when the
 * call returns. On failure: nothing changed. */
int gml_user_create(struct gml_op *op, struct gml_store *store, const struct gml_user *user);
/* Replace the settings of the user of that name, but for its id and the time of its creation. When
 * the user is enabled, or gets another uid, the uid must be free. A uid that only disabled users
 * have, or that a user had and no user has now, is refused over NFS (gml_uid_refused) in every
 * process when the call returns.
 * Errors: NOUSER, UIDTAKEN, INVAL, PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_user_update(struct gml_op *op, struct gml_store *store, const struct gml_user *user);
/* Delete a user with its keys, its memberships of groups, its tags, policies and boundary. Its uid
 * is refused over NFS, in every process, when the call returns.
 * Errors: NOUSER, NOTEMPTY (its uid owns buckets and means no other user), PERM.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_user_delete(struct gml_op *op, struct gml_store *store, const char *name);
/* Must a protocol that knows only a uid refuse everything to it (principal.refused)? Uids that
 * never belonged to a user are accepted: mode bits decide. Costs four loads while no uid is
 * refused; else a lock, and after a change of users one read of the store.
 * Errors: none; true also when the store cannot be read. Threads: any. Blocks: no. Durable: n/a. On
 * failure: n/a. */
bool gml_uid_refused(struct gml_store *store, uint32_t uid);
/* The user of a name.
 * Errors: NOUSER. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_user_get(struct gml_store *store, const char *name, struct gml_user *out);
/* The first enabled user with this uid, by name; if there is none, the first disabled one.
 * Errors: NOUSER. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_user_by_uid(struct gml_store *store, uint32_t uid, struct gml_user *out);
/* Call `each` for the users in bytewise order of their names, until it returns false. Users are
 * borrowed for the call.
 * Errors: CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On
 * failure: `each` may have been called. */
int gml_user_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_user *user),
		  void *arg);

/* Make an access key. An empty id ("GK" and 18 of [A-Z2-7]) or secret (40 characters) in *key is
 * filled from the kernel's random source; *key is complete afterwards.
 * Errors: EXIST (the id), NOUSER, INVAL, PERM, IO (no random bytes), NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_key_create(struct gml_op *op, struct gml_store *store, struct gml_key *key);
/* Set the flags of a key, and when it expires (ns since the epoch; 0: never).
 * Errors: NOKEY, INVAL, PERM, NOSPC. Threads: any. Blocks: commit. Durable: yes. On failure:
 * nothing changed. */
int gml_key_update(struct gml_op *op, struct gml_store *store, const char *id, uint32_t flags,
		   int64_t expires);
/* Make a second key, *key as for gml_key_create, for the user of a key, with the flags of that one.
 * The first expires at `expires` (ns, not 0), or when it did, whichever is earlier; until then both
 * are what they are.
 * Errors: NOKEY, EXIST (the new id), INVAL, PERM, IO (no random bytes), NOSPC. Threads: any.
 * Blocks: commit. Durable: yes, both together. On failure: nothing changed. */
int gml_key_rotate(struct gml_op *op, struct gml_store *store, const char *id, int64_t expires,
		   struct gml_key *key);
/* Delete a key.
 * Errors: NOKEY, PERM. Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_key_delete(struct gml_op *op, struct gml_store *store, const char *id);
/* Call `each` for the keys of a user (NULL: of all users) in bytewise order of their ids, until it
 * returns false. Keys are borrowed for the call.
 * Errors: NOUSER, CORRUPT, NOMEM. Threads: any; `each` must not call the core. Blocks: no. Durable:
 * n/a. On failure: `each` may have been called. */
int gml_key_list(struct gml_store *store, const char *user,
		 bool (*each)(void *arg, const struct gml_key *key), void *arg);
/* A key and its user, in one snapshot: what the authentication of a request needs. Disabled and
 * expired ones are returned as well.
 * Errors: NOKEY, NOUSER. Threads: any. Blocks: no. Durable: n/a. On failure: the results are
 * undefined. */
int gml_key_lookup(struct gml_store *store, struct gml_span id, struct gml_key *key_out,
		   struct gml_user *user_out);

/* ---- principals: made once for each operation ---- */

/* A user who signed with `key` (empty: none): root if its uid is 0, refused if it is disabled.
 * Ownership: *out borrows from `user` and `key`.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_of_user(const struct gml_user *user, struct gml_span key, enum gml_authn authn,
			   struct gml_principal *out);

#define GML_UID_ANONYMOUS 65534 /* has what anonymous requesters make */
/* A requester of S3 who did not sign.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_anonymous(struct gml_principal *out);

/* The guest of a uid, as NFS knows its callers after squashing: root if the uid is 0 even so,
 * refused if gml_uid_refused says so.
 * Ownership: *out borrows cred->groups.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: a store that cannot be read
 * refuses. */
void gml_principal_of_uid(struct gml_store *store, const struct gml_cred *cred,
			  enum gml_authn authn, struct gml_principal *out);

/* The server itself, for its own work: root, and never refused.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_server(struct gml_principal *out);

/* The same caller with another uid and gid, and no further groups: an administrator (GML_OP_LOCAL)
 * who makes what another user will own. It keeps the privilege of administration, and is root only
 * if that uid is 0.
 * Errors: none. Threads: one for each principal. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_principal_for(struct gml_principal *principal, uint32_t uid, uint32_t gid);

GML_API_END

#endif
