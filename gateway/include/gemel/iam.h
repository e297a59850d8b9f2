// SPDX-License-Identifier: Apache-2.0
/* Groups, roles and tags: who users are for policies. Their names have characters of
 * [A-Za-z0-9_+=,.@-] and are not distinguished by case, as IAM has it; the names of users
 * (gemel/principal.h) are. Only administrators may change them; others get PERM. The labels of the
 * contracts are explained in README.md here. */
#ifndef GEMEL_IAM_H
#define GEMEL_IAM_H

#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Limits of IAM. Lengths are in bytes. */
#define GML_GROUP_NAME_MAX 128
#define GML_ROLE_NAME_MAX 64
#define GML_POLICY_NAME_MAX 128
#define GML_DESCRIPTION_MAX 1000
#define GML_GROUPS_PER_USER 10
#define GML_TAGS_PER_IDENTITY 50
#define GML_IAM_TAG_KEY_MAX 128			/* characters */
#define GML_IAM_TAG_VALUE_MAX 256		/* characters */
#define GML_SESSION_LEAST 3600			/* seconds */
#define GML_SESSION_MOST 43200			/* seconds */
#define GML_POLICY_DOCUMENT_MAX ((size_t)65536) /* with white space */

/* What policies and tags belong to; the numbers are on disk. Groups have no tags. */
enum gml_identity_kind { GML_IDENTITY_USER = 1, GML_IDENTITY_GROUP = 2, GML_IDENTITY_ROLE = 3 };
struct gml_identity {
	enum gml_identity_kind kind;
	const char *name;
};

struct gml_group {
	char name[GML_GROUP_NAME_MAX + 1];
	char id[GML_UNIQUE_ID + 1];
	int64_t created;
	bool nss;     /* the group of the host's NSS with this name and gid */
	uint32_t gid; /* if nss */
};

struct gml_role {
	char name[GML_ROLE_NAME_MAX + 1];
	char id[GML_UNIQUE_ID + 1];
	char description[GML_DESCRIPTION_MAX + 1]; /* UTF-8 without control characters */
	uint32_t max_session;			   /* seconds */
	int64_t created;
};

/* ---- groups ---- */

/* May a group have this name?
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_group_name_check(const char *name);
/* Make a group without members (CreateGroup). *out (may be NULL): the new group.
 * Errors: EXIST (a group of this name, in any case), INVAL, PERM, IO (no random bytes), NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_group_create(struct gml_op *op, struct gml_store *store, const char *name,
		     struct gml_group *out);
/* Make a group that is one of the host's NSS, without members: the gemel program asks NSS who they
 * are, and adds and removes them.
 * Errors: as gml_group_create. Threads: any. Blocks: commit. Durable: yes. On failure: nothing
 * changed. */
int gml_group_create_nss(struct gml_op *op, struct gml_store *store, const char *name,
			 uint32_t gid);
/* Delete a group (DeleteGroup).
 * Errors: NOGROUP, INUSE (it has members or policies), PERM. Threads: any. Blocks: commit. Durable:
 * yes. On failure: nothing changed. */
int gml_group_delete(struct gml_op *op, struct gml_store *store, const char *name);
/* The group of a name.
 * Errors: NOGROUP. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_group_get(struct gml_store *store, const char *name, struct gml_group *out);
/* Call `each` for the groups by name, until it returns false. Groups are borrowed for the call.
 * Errors: CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On
 * failure: `each` may have been called. */
int gml_group_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_group *group),
		   void *arg);
/* Make a user a member (AddUserToGroup); one that is a member already stays one.
 * Errors: NOGROUP, NOUSER, LIMIT (the user is in GML_GROUPS_PER_USER groups), PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_group_add(struct gml_op *op, struct gml_store *store, const char *group, const char *user);
/* End a membership (RemoveUserFromGroup).
 * Errors: NOGROUP, NOUSER, NOENT (the user is no member), PERM. Threads: any. Blocks: commit.
 * Durable: yes. On failure: nothing changed. */
int gml_group_remove(struct gml_op *op, struct gml_store *store, const char *group,
		     const char *user);
/* Call `each` for the names of a group's members in bytewise order, until it returns false. They
 * are borrowed for the call.
 * Errors: NOGROUP, CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a.
 * On failure: `each` may have been called. */
int gml_group_members(struct gml_store *store, const char *group,
		      bool (*each)(void *arg, struct gml_span user), void *arg);
/* Call `each` for the groups of a user by name, until it returns false. They are borrowed for the
 * call.
 * Errors: NOUSER, CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a.
 * On failure: `each` may have been called. */
int gml_user_groups(struct gml_store *store, const char *user,
		    bool (*each)(void *arg, const struct gml_group *group), void *arg);

/* ---- roles ---- */

/* May a role have this name?
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_role_name_check(const char *name);
/* Make a role (CreateRole) with the name, description and max_session (0: GML_SESSION_LEAST) of
 * *role; *role is complete afterwards. `trust`: the policy that says who may take it on
 * (gemel/policy.h, GML_POLICY_TRUST); empty: nobody.
 * Errors: EXIST (a role of this name, in any case), INVAL, BADPOLICY, PERM, IO (no random bytes),
 * NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_role_create(struct gml_op *op, struct gml_store *store, struct gml_role *role,
		    struct gml_span trust);
/* Replace the policy that says who may take a role on (UpdateAssumeRolePolicy); empty: nobody.
 * Errors: NOROLE, BADPOLICY, PERM, NOSPC. Threads: any. Blocks: commit. Durable: yes. On failure:
 * nothing changed. */
int gml_role_trust_set(struct gml_op *op, struct gml_store *store, const char *name,
		       struct gml_span trust);
/* Copy that policy.
 * Ownership: *buf_out is on the heap and freed by the caller; not NUL-terminated; of no bytes if
 * nobody may take the role on.
 * Errors: NOROLE, NOMEM. Threads: any. Blocks: no. Durable: n/a. On failure: *buf_out is NULL. */
int gml_role_trust_get(struct gml_store *store, const char *name, void **buf_out, size_t *len_out);
/* Replace description and max_session of the role of that name (UpdateRole).
 * Errors: NOROLE, INVAL, PERM, NOSPC. Threads: any. Blocks: commit. Durable: yes. On failure:
 * nothing changed. */
int gml_role_update(struct gml_op *op, struct gml_store *store, const struct gml_role *role);
/* Delete a role with its tags and its boundary (DeleteRole).
 * Errors: NOROLE, INUSE (it has policies), PERM. Threads: any. Blocks: commit. Durable: yes. On
 * failure: nothing changed. */
int gml_role_delete(struct gml_op *op, struct gml_store *store, const char *name);
/* The role of a name.
 * Errors: NOROLE. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_role_get(struct gml_store *store, const char *name, struct gml_role *out);
/* Call `each` for the roles by name, until it returns false. Roles are borrowed for the call.
 * Errors: CORRUPT. Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On
 * failure: `each` may have been called. */
int gml_role_list(struct gml_store *store, bool (*each)(void *arg, const struct gml_role *role),
		  void *arg);

/* ---- tags ---- */

/* Of users and roles. Keys (the names of the pairs) are not distinguished by case, and kept as they
 * were spelled. Keys and values are UTF-8: letters, digits, spaces and _.:/=+-@; a key is not empty
 * and does not begin with "aws:". */

/* Set tags of a user or a role, in place of those with the same keys (TagUser, TagRole).
 * Errors: NOUSER, NOROLE, INVAL (a tag that cannot be, one key twice, or a group's), LIMIT (more
 * than GML_TAGS_PER_IDENTITY), TOOBIG (64 KiB in all), PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_tags_set(struct gml_op *op, struct gml_store *store, const struct gml_identity *identity,
		 const struct gml_meta_pair *tags, size_t count);
/* Remove the tags with the keys of `tags` (UntagUser, UntagRole); missing ones are no error.
 * Errors: NOUSER, NOROLE, INVAL (a group's), PERM. Threads: any. Blocks: commit. Durable: yes. On
 * failure: nothing changed. */
int gml_tags_remove(struct gml_op *op, struct gml_store *store, const struct gml_identity *identity,
		    const struct gml_meta_pair *tags, size_t count);
/* Call `each` for the tags of a user or a role in the order of their keys, until it returns false.
 * Tags are borrowed for the call.
 * Errors: NOUSER, NOROLE, INVAL (a group's), CORRUPT. Threads: any; `each` must not call the core.
 * Blocks: no. Durable: n/a. On failure: `each` may have been called. */
int gml_tags_list(struct gml_store *store, const struct gml_identity *identity,
		  bool (*each)(void *arg, const struct gml_meta_pair *tag), void *arg);

GML_API_END

#endif
