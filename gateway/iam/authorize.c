// SPDX-License-Identifier: Apache-2.0
/* The one decision: privileges, policies, owners, ACLs, mode bits with all groups.
 *
 * Order: actions for administrators and root only; refused callers; targets that must not be
 * changed; policies (authorize_policy.c); the rule of the action's row. Rules by mode, ACL and
 * owner grant only when the path had no bar. What policies allow needs no row, except in buckets
 * that demand both.
 *
 * The mode of an inode with an ACL grants nothing: the ACL does (RFC 8881 6.2.1), and to its owner,
 * whatever it says, the rights to read and write ACL and attributes. For an inode without one each
 * question costs one comparison more than without ACLs. */
#include <string.h>
#include <sys/stat.h>
#include <gemel/acl.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/principal.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/meta/record/record.h"
#include "acl.h"
#include "authorize.h"
#include "authorize_policy.h"
#include "cred.h"
#include "grant.h"
#include "way.h"

enum action_rule {
	RULE_MODE,
	RULE_ANY,
	RULE_IO,
	RULE_OWNER,
	RULE_CHOWN,
	RULE_NAME,
	RULE_CHILD,
	RULE_SHOWN,
	RULE_REACH,
	RULE_SEEN,
	RULE_MINE,
	RULE_BUCKET,
	RULE_UPLOAD,
	RULE_CREATE,
	RULE_ADMIN,
	RULE_ROOT,
};
#define ACTION_CHANGES 8 /* in `bits` */
#define ACTION_MODES 7
_Static_assert(ACTION_MODES == (GML_MAY_READ | GML_MAY_WRITE | GML_MAY_EXEC),
	       "a row's bits are those of a mode");

struct action_row {
	const char *name;
	uint8_t rule, bits;
};

#define ACTION_ROW(id, action, rule, bits) {action, RULE_##rule, bits},
static const struct action_row action_rows[GML_ACTION_COUNT] = {{"", RULE_ADMIN, ACTION_CHANGES},
								GML_ACTIONS(ACTION_ROW)};

/* What an ACL must allow, where it is not what the row's bits stand for. ADD_FILE and
 * ADD_SUBDIRECTORY: in the directory, for a new name; DELETE: no new name is made (rule_name). */
static const uint32_t action_rights[GML_ACTION_COUNT] = {
	[GML_ACTION_GET_OBJECT_ACL] = GML_ACE_READ_ACL,
	[GML_ACTION_GET_OBJECT_TAGGING] = GML_ACE_READ_NAMED_ATTRS,
	[GML_ACTION_PUT_OBJECT] = GML_ACE_ADD_FILE,
	[GML_ACTION_STATE_ACL] = GML_ACE_ADD_FILE,
	[GML_ACTION_STATE_TAGGING] = GML_ACE_ADD_FILE,
	[GML_ACTION_PUT_OBJECT_ACL] = GML_ACE_WRITE_ACL,
	[GML_ACTION_PUT_OBJECT_TAGGING] = GML_ACE_WRITE_NAMED_ATTRS,
	[GML_ACTION_DELETE_OBJECT_TAGGING] = GML_ACE_WRITE_NAMED_ATTRS,
	[GML_ACTION_DELETE_OBJECT] = GML_ACE_DELETE,
	[GML_ACTION_CREATE] = GML_ACE_ADD_FILE,
	[GML_ACTION_MAKE_DIRECTORY] = GML_ACE_ADD_SUBDIRECTORY,
	[GML_ACTION_LINK] = GML_ACE_ADD_FILE,
	[GML_ACTION_REMOVE] = GML_ACE_DELETE,
	[GML_ACTION_RENAME_FROM] = GML_ACE_DELETE,
	[GML_ACTION_RENAME_TO] = GML_ACE_ADD_FILE,
	[GML_ACTION_RENAME_OVER] = GML_ACE_DELETE,
	[GML_ACTION_MOVE_DIRECTORY] = GML_ACE_ADD_SUBDIRECTORY,
	[GML_ACTION_ACCESS_EXTEND] = GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA,
	[GML_ACTION_SET_MODE] = GML_ACE_WRITE_ACL,
	[GML_ACTION_GET_ACL] = GML_ACE_READ_ACL,
	[GML_ACTION_SET_ACL] = GML_ACE_WRITE_ACL,
	[GML_ACTION_SET_OWNER] = GML_ACE_WRITE_OWNER,
	[GML_ACTION_SET_TIMES] = GML_ACE_WRITE_ATTRIBUTES,
	[GML_ACTION_SET_TIMES_NOW] = GML_ACE_WRITE_DATA | GML_ACE_WRITE_ATTRIBUTES,
	[GML_ACTION_GET_XATTR] = GML_ACE_READ_NAMED_ATTRS,
	[GML_ACTION_SET_XATTR] = GML_ACE_WRITE_NAMED_ATTRS,
	[GML_ACTION_OPEN_WRITE] = GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA,
	[GML_ACTION_APPEND] = GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA,
};

static uint32_t action_wants(const struct action_row *row)
{
	uint32_t rights = action_rights[row - action_rows];
	if (rights != 0)
		return rights;
	return (row->bits & GML_MAY_READ ? GML_ACE_READ_DATA : 0) |
	       (row->bits & GML_MAY_WRITE ? GML_ACE_WRITE_DATA : 0) |
	       (row->bits & GML_MAY_EXEC ? GML_ACE_EXECUTE : 0);
}

const char *gml_action_name(enum gml_action action, bool directory)
{
	const char *name = action < GML_ACTION_COUNT ? action_rows[action].name : "";
	return directory && strcmp(name, "s3:GetObject") == 0 ? "s3:ListBucket" : name;
}

/* ---- who the caller is to an inode ---- */

static bool who_is_root(const struct gml_principal *who)
{
	return who->privileges & GML_PRIVILEGE_ROOT;
}

static bool who_is_admin(const struct gml_principal *who)
{
	return who->privileges & GML_PRIVILEGE_ADMIN;
}

static bool who_owns(const struct gml_principal *who, const struct gml_inode *inode)
{
	return who_is_root(who) || who->cred.uid == inode->uid;
}

/* All GML_MAY_* that the mode of an inode without ACL gives. */
static unsigned who_has(const struct gml_principal *who, const struct gml_inode *inode)
{
	if (who_is_root(who)) {
		bool exec = inode->type != GML_REG || (inode->mode & 0111) != 0;
		return GML_MAY_READ | GML_MAY_WRITE | (exec ? GML_MAY_EXEC : 0);
	}
	if (who->cred.uid == inode->uid)
		return inode->mode >> 6 & 7;
	if (gml_cred_in_group(&who->cred, inode->gid))
		return inode->mode >> 3 & 7;
	return inode->mode & 7;
}

/* RFC 8881 6.3.1.1: an ACL does not lock out its owner. */
#define WHO_OWNER_ALWAYS                                                                           \
	(GML_ACE_READ_ATTRIBUTES | GML_ACE_WRITE_ATTRIBUTES | GML_ACE_READ_ACL | GML_ACE_WRITE_ACL)

/* Extended attributes are part of the data, except where an entry names the rights to them. */
static void who_reads_attrs(struct gml_acl_answer *answer)
{
	uint32_t named = answer->allowed | answer->denied;
	if (!(named & GML_ACE_READ_NAMED_ATTRS) && (answer->allowed & GML_ACE_READ_DATA))
		answer->allowed |= GML_ACE_READ_NAMED_ATTRS;
	if (!(named & GML_ACE_WRITE_NAMED_ATTRS) && (answer->allowed & GML_ACE_WRITE_DATA))
		answer->allowed |= GML_ACE_WRITE_NAMED_ATTRS;
}

/* What the ACL of an inode says of these rights. CORRUPT: nothing. */
static int who_asks(const struct gml_principal *who, const struct gml_inode *inode, uint32_t want,
		    struct gml_acl_answer *out)
{
	const uint32_t attrs = GML_ACE_READ_NAMED_ATTRS | GML_ACE_WRITE_NAMED_ATTRS,
		       data = GML_ACE_READ_DATA | GML_ACE_WRITE_DATA;
	const struct gml_acl_question question = {.who = who,
						  .uid = inode->uid,
						  .gid = inode->gid,
						  .want = want & attrs ? want | data : want};
	uint32_t always = who_owns(who, inode) ? want & WHO_OWNER_ALWAYS : 0;
	int rc;
	if (who_is_root(who)) { /* executes what somebody may execute */
		bool exec =
			inode->type != GML_REG || gml_acl_allows_any(inode->acl, GML_ACE_EXECUTE);
		*out = (struct gml_acl_answer){.allowed = exec ? want : want & ~GML_ACE_EXECUTE};
		return 0;
	}
	rc = gml_acl_ask(inode->acl, &question, out);
	if (rc != 0)
		return rc;
	who_reads_attrs(out);
	out->allowed = (out->allowed | always) & want;
	out->denied &= want & ~always;
	return 0;
}

/* Does the ACL, or what stands for these rights in the mode, give one of them? */
static bool who_may_any(const struct gml_principal *who, const struct gml_inode *inode,
			uint32_t rights, unsigned bits)
{
	struct gml_acl_answer answer;
	if (inode->acl.len == 0)
		return (who_has(who, inode) & bits) != 0;
	return who_asks(who, inode, rights, &answer) == 0 && answer.allowed != 0;
}

bool gml_search_barred(const struct gml_principal *principal, const struct gml_inode *dir)
{
	return principal->refused || !who_may_any(principal, dir, GML_ACE_EXECUTE, GML_MAY_EXEC);
}

bool gml_search_unlimited(const struct gml_principal *principal)
{
	return who_is_root(principal) && !principal->refused;
}

bool gml_lock_barred(const struct gml_principal *principal)
{
	return principal->refused;
}

bool gml_leftover_barred(const struct gml_principal *principal, const struct gml_inode *inode)
{
	return principal->refused || !who_owns(principal, inode);
}

bool gml_owns(const struct gml_principal *principal, const struct gml_inode *inode)
{
	return who_owns(principal, inode);
}

bool gml_keeps_setid(const struct gml_principal *principal)
{
	return who_is_root(principal);
}

bool gml_keeps_setgid(const struct gml_principal *principal, uint32_t gid)
{
	return who_is_root(principal) || gml_cred_in_group(&principal->cred, gid);
}

/* ---- rules ---- */

/* The parts of the target that the rule reads. */
static bool rule_has_parts(enum action_rule rule, const struct gml_txn *txn,
			   const struct gml_target *target)
{
	switch (rule) {
	case RULE_MODE:
	case RULE_ANY:
	case RULE_IO:
	case RULE_OWNER:
	case RULE_CHOWN:
	case RULE_CHILD:
	case RULE_SHOWN:
		return target->inode != NULL;
	case RULE_NAME:
		return target->dir != NULL && target->dir->type == GML_DIR;
	case RULE_SEEN:
		return target->inode != NULL;
	case RULE_MINE:
	case RULE_BUCKET:
		return target->bucket != NULL || target->inode != NULL;
	case RULE_UPLOAD:
		return target->bucket != NULL && target->upload != NULL;
	case RULE_CREATE:
		return txn != NULL;
	case RULE_REACH:
	case RULE_ADMIN:
	case RULE_ROOT:
		break;
	}
	return true;
}

static int rule_answer(struct gml_verdict *out, enum gml_reason reason, int rc)
{
	/* Only a user's record is a reason for both answers. */
	gml_assert((rc == 0) == (reason >= GML_REASON_PRIVILEGE) || reason == GML_REASON_USER);
	out->reason = reason;
	return rc;
}

static int rule_yes(struct gml_verdict *out, const struct gml_principal *who,
		    enum gml_reason reason)
{
	return rule_answer(out, who_is_root(who) ? GML_REASON_PRIVILEGE : reason, 0);
}

/* Of an inode with an ACL: all of the rights for rule MODE, one of them for others. */
static int rule_acl(const struct gml_principal *who, const struct action_row *row,
		    const struct gml_inode *inode, struct gml_verdict *out)
{
	uint32_t want = action_wants(row);
	struct gml_acl_answer answer;
	int rc = who_asks(who, inode, want, &answer);
	if (rc != 0)
		return rule_answer(out, GML_REASON_NONE, rc);
	if (row->rule == RULE_MODE ? answer.allowed == want : answer.allowed != 0)
		return rule_yes(out, who, GML_REASON_ACL);
	return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
}

static int rule_mode(const struct gml_principal *who, const struct action_row *row,
		     const struct gml_target *target, struct gml_verdict *out)
{
	unsigned want = row->bits & ACTION_MODES, has;
	if (row->rule == RULE_IO && who_owns(who, target->inode))
		return rule_yes(out, who, GML_REASON_OWNER);
	if (target->inode->acl.len != 0)
		return rule_acl(who, row, target->inode, out);
	has = who_has(who, target->inode) & want;
	if (row->rule == RULE_MODE ? has == want : has != 0)
		return rule_yes(out, who, GML_REASON_MODE);
	return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
}

static int rule_shown(const struct gml_principal *who, const struct action_row *row,
		      const struct gml_target *target, struct gml_verdict *out)
{
	if (target->inode->acl.len == 0)
		return rule_answer(out, GML_REASON_REACH, 0);
	return rule_acl(who, row, target->inode, out);
}

/* May the caller set this owner and group? `takes`: the ACL allows WRITE_OWNER, which is to become
 * the owner, as for other servers, not to give the inode away. */
static bool rule_may_own(const struct gml_principal *who, const struct gml_target *target,
			 bool takes)
{
	const struct gml_inode *inode = target->inode;
	if (who_is_root(who))
		return true;
	if (target->uid != inode->uid && !(takes && target->uid == who->cred.uid))
		return false;
	return target->gid == inode->gid || gml_cred_in_group(&who->cred, target->gid);
}

static int rule_owner(const struct gml_principal *who, const struct action_row *row,
		      const struct gml_target *target, struct gml_verdict *out)
{
	bool owns = who_owns(who, target->inode), granted = false;
	int rc = 0;
	if (!owns && target->inode->acl.len != 0) {
		rc = rule_acl(who, row, target->inode, out);
		granted = rc == 0;
	}
	if (rc != 0 && rc != GML_ERR_ACCESS)
		return rc;
	if ((!owns && !granted) || (row->rule == RULE_CHOWN && !rule_may_own(who, target, granted)))
		return rule_answer(out, GML_REASON_NONE, GML_ERR_PERM);
	return owns ? rule_yes(out, who, GML_REASON_OWNER) : 0;
}

static bool name_is_sticky(const struct gml_principal *who, const struct gml_target *target)
{
	return target->inode != NULL && (target->dir->mode & S_ISVTX) &&
	       !who_owns(who, target->dir) && !who_owns(who, target->inode);
}

/* A name in a directory that has an ACL, or of an inode that has one. */
struct name_rights {
	uint32_t add;		    /* what a new name needs of the directory; 0: none is made */
	bool removes;		    /* the name of `inode` goes, or of what was not read */
	struct gml_acl_answer dir;  /* EXECUTE, ADD_*, DELETE_CHILD */
	struct gml_acl_answer gone; /* DELETE of the inode */
};

static int name_ask(const struct gml_principal *who, const struct gml_target *target,
		    struct name_rights *rights)
{
	const uint32_t change = GML_ACE_ADD_FILE | GML_ACE_ADD_SUBDIRECTORY | GML_ACE_DELETE_CHILD;
	int rc = 0;
	rights->gone = (struct gml_acl_answer){0, 0};
	if (target->dir->acl.len == 0) {
		unsigned has = who_has(who, target->dir);
		rights->dir = (struct gml_acl_answer){
			.allowed = (has & GML_MAY_EXEC ? GML_ACE_EXECUTE : 0) |
				   (has & GML_MAY_WRITE ? change : 0)};
	} else {
		rc = who_asks(who, target->dir, GML_ACE_EXECUTE | change, &rights->dir);
	}
	if (rc == 0 && rights->removes && target->inode != NULL && target->inode->acl.len != 0)
		rc = who_asks(who, target->inode, GML_ACE_DELETE, &rights->gone);
	return rc;
}

/* RFC 8881 6.2.1.3.2. Either right suffices, whatever denies the other; where neither is mentioned,
 * ADD_FILE stands for `w`. */
static int name_may_go(const struct gml_principal *who, const struct gml_target *target,
		       const struct name_rights *rights, struct gml_verdict *out)
{
	bool denied = (rights->dir.denied & GML_ACE_DELETE_CHILD) || rights->gone.denied != 0;
	if (rights->gone.allowed != 0)
		return rule_yes(out, who, GML_REASON_ACL);
	if (!(rights->dir.allowed & GML_ACE_DELETE_CHILD) &&
	    (denied || !(rights->dir.allowed & GML_ACE_ADD_FILE)))
		return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
	if (name_is_sticky(who, target))
		return rule_answer(out, GML_REASON_STICKY, GML_ERR_PERM);
	return rule_yes(out, who, GML_REASON_ACL);
}

static int rule_child(const struct gml_principal *who, const struct action_row *row,
		      const struct gml_target *target, struct gml_verdict *out)
{
	const struct gml_target some = {.dir = target->inode};
	struct name_rights rights = {.removes = true};
	int rc;
	if (target->inode->acl.len == 0)
		return rule_mode(who, row, target, out);
	rc = name_ask(who, &some, &rights);
	return rc != 0 ? rule_answer(out, GML_REASON_NONE, rc)
		       : name_may_go(who, &some, &rights, out);
}

static int rule_name_acl(const struct gml_principal *who, const struct action_row *row,
			 const struct gml_target *target, struct gml_verdict *out)
{
	uint32_t wants = action_wants(row);
	struct name_rights rights = {.add = wants & (GML_ACE_ADD_FILE | GML_ACE_ADD_SUBDIRECTORY)};
	int rc;
	if (rights.add == GML_ACE_ADD_FILE && target->directory)
		rights.add = GML_ACE_ADD_SUBDIRECTORY;
	/* PUT asks first whether a name may be made, then whether the one which is there may go. */
	rights.removes = rights.add == 0 || target->inode != NULL;
	rc = name_ask(who, target, &rights);
	if (rc != 0)
		return rule_answer(out, GML_REASON_NONE, rc);
	if ((~rights.dir.allowed & (GML_ACE_EXECUTE | rights.add)) != 0)
		return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
	return rights.removes ? name_may_go(who, target, &rights, out)
			      : rule_yes(out, who, GML_REASON_ACL);
}

static int rule_name(const struct gml_principal *who, const struct action_row *row,
		     const struct gml_target *target, struct gml_verdict *out)
{
	const unsigned want = GML_MAY_WRITE | GML_MAY_EXEC;
	if (target->dir->acl.len != 0 || (target->inode != NULL && target->inode->acl.len != 0))
		return rule_name_acl(who, row, target, out);
	if ((who_has(who, target->dir) & want) != want)
		return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
	if (name_is_sticky(who, target))
		return rule_answer(out, GML_REASON_STICKY, GML_ERR_PERM);
	return rule_yes(out, who, GML_REASON_MODE);
}

/* SEEN, MINE, BUCKET, UPLOAD. */
static int rule_bucket(const struct gml_principal *who, const struct action_row *row,
		       const struct gml_target *target, struct gml_verdict *out)
{
	uint32_t uid = who->cred.uid;
	/* A root directory and its bucket's record have one owner. */
	if (uid == (target->bucket != NULL ? target->bucket->uid : target->inode->uid))
		return rule_yes(out, who, GML_REASON_OWNER);
	if (row->rule == RULE_UPLOAD && uid == target->upload->uid)
		return rule_yes(out, who, GML_REASON_OWNER);
	if ((row->rule != RULE_UPLOAD && who_is_admin(who)) ||
	    (row->rule != RULE_MINE && who_is_root(who)))
		return rule_answer(out, GML_REASON_PRIVILEGE, 0);
	if (row->rule == RULE_SEEN &&
	    who_may_any(who, target->inode, GML_ACE_LIST_DIRECTORY | GML_ACE_EXECUTE,
			GML_MAY_READ | GML_MAY_EXEC))
		return rule_yes(out, who,
				target->inode->acl.len != 0 ? GML_REASON_ACL : GML_REASON_MODE);
	return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
}

/* May the new bucket have the requested owner? No policy says so. */
static bool rule_owner_fits(const struct gml_principal *who, const struct gml_target *target)
{
	return who_is_root(who) ||
	       (target->uid == who->cred.uid && gml_cred_in_group(&who->cred, target->gid));
}

static int rule_create(struct gml_txn *txn, const struct gml_principal *who,
		       const struct gml_target *target, struct gml_verdict *out)
{
	struct gml_user user;
	int rc;
	if (!rule_owner_fits(who, target))
		return rule_answer(out, GML_REASON_NONE, GML_ERR_PERM);
	if (who_is_admin(who) || who_is_root(who))
		return rule_answer(out, GML_REASON_PRIVILEGE, 0);
	rc = gml_rec_user_by_uid(txn, who->cred.uid, &user);
	if (rc == GML_ERR_NOENT || rc == GML_ERR_NOUSER)
		return rule_answer(out, GML_REASON_USER, GML_ERR_ACCESS);
	if (rc == 0 && (user.flags & (GML_USER_NO_BUCKETS | GML_USER_DISABLED)))
		rc = GML_ERR_ACCESS;
	return rule_answer(out, GML_REASON_USER, rc);
}

static int rule_privilege(const struct gml_principal *who, const struct action_row *row,
			  struct gml_verdict *out)
{
	bool yes = row->rule == RULE_ADMIN ? who_is_admin(who) : who_is_root(who);
	return rule_answer(out, yes ? GML_REASON_PRIVILEGE : GML_REASON_NONE,
			   yes ? 0 : GML_ERR_PERM);
}

static int authorize_row(struct gml_txn *txn, const struct gml_principal *who,
			 const struct action_row *row, const struct gml_target *target,
			 struct gml_verdict *out)
{
	gml_assert(rule_has_parts(row->rule, txn, target));
	switch ((enum action_rule)row->rule) {
	case RULE_MODE:
	case RULE_ANY:
	case RULE_IO:
		return rule_mode(who, row, target, out);
	case RULE_OWNER:
	case RULE_CHOWN:
		return rule_owner(who, row, target, out);
	case RULE_NAME:
		return rule_name(who, row, target, out);
	case RULE_CHILD:
		return rule_child(who, row, target, out);
	case RULE_SHOWN:
		return rule_shown(who, row, target, out);
	case RULE_REACH:
		return rule_answer(out, GML_REASON_REACH, 0);
	case RULE_SEEN:
	case RULE_MINE:
	case RULE_BUCKET:
	case RULE_UPLOAD:
		return rule_bucket(who, row, target, out);
	case RULE_CREATE:
		return rule_create(txn, who, target, out);
	case RULE_ADMIN:
	case RULE_ROOT:
		break;
	}
	return rule_privilege(who, row, out);
}

/* What refuses whatever grants: a refused caller, a place where nothing may be changed. */
static int authorize_first(const struct gml_principal *who, const struct action_row *row,
			   const struct gml_target *target, const struct gml_context *context,
			   struct gml_verdict *out)
{
	bool changes = row->bits & ACTION_CHANGES;
	if (who->refused && (row->rule != RULE_REACH || target->barred))
		return rule_answer(out, GML_REASON_REFUSED, GML_ERR_ACCESS);
	if (!changes || !context->read_only)
		return 0;
	return target->barred ? rule_answer(out, GML_REASON_BARRED, GML_ERR_ACCESS)
			      : rule_answer(out, GML_REASON_READ_ONLY, GML_ERR_ROFS);
}

/* A policy may have opened the way to what a handle, or a name in a directory, denotes: to modes it
 * is barred. */
static int authorize_way(struct gml_txn *txn, const struct gml_principal *who,
			 const struct gml_target *target, struct gml_target *there)
{
	const struct gml_inode *at = target->dir != NULL ? target->dir : target->inode;
	bool open = true;
	int rc = 0;
	if (!target->barred && at != NULL && target->bucket_name.len == 0)
		rc = gml_way_open(txn, who, at, &open);
	*there = *target;
	there->barred = target->barred || !open;
	return rc;
}

/* What grants of S3 allow where nothing else does. */
static int authorize_grants(struct gml_txn *txn, const struct gml_principal *who,
			    const struct action_row *row, const struct gml_target *target,
			    int refusal, struct gml_verdict *out)
{
	int rc = gml_grants_decide(txn, who, (enum gml_action)(row - action_rows), target);
	if (rc == GML_ERR_ACCESS)
		return refusal;
	return rule_answer(out, rc == 0 ? GML_REASON_ACL : GML_REASON_NONE, rc);
}

/* By all that is not a policy. */
static int authorize_plain(struct gml_txn *txn, const struct gml_principal *who,
			   const struct action_row *row, const struct gml_target *target,
			   const struct gml_context *context, struct gml_verdict *out)
{
	bool s3 = context->protocol == GML_PROTOCOL_S3;
	/* Modes and owners mean users: to others they are as behind a closed directory. */
	bool nobody = s3 && who->authn == GML_AUTHN_ANONYMOUS;
	int rc = target->barred || nobody ? rule_answer(out, GML_REASON_BARRED, GML_ERR_ACCESS)
					  : authorize_row(txn, who, row, target, out);
	if (!s3 || who->refused || context->read_only ||
	    (rc != GML_ERR_ACCESS && rc != GML_ERR_PERM) || out->reason == GML_REASON_STICKY)
		return rc;
	return authorize_grants(txn, who, row, target, rc, out);
}

/* In a bucket that demands both, where no policy refuses. */
static int authorize_both(const struct gml_policy_saying *saying, int plain,
			  struct gml_verdict *out)
{
	if (saying->word != GML_SAYS_YES && !saying->way)
		return rule_answer(out, GML_REASON_NO_POLICY, GML_ERR_ACCESS);
	if (plain == 0)
		return rule_answer(out, saying->way ? GML_REASON_WAY : GML_REASON_BOTH, 0);
	if (plain == GML_ERR_ACCESS || plain == GML_ERR_PERM)
		return rule_answer(out, GML_REASON_POLICY_ONLY, plain);
	return plain;
}

static bool authorize_is_root(const struct gml_target *target)
{
	return target->inode != NULL && target->dir == NULL && target->bucket_name.len == 0 &&
	       gml_ino_equal(target->inode->ino, target->inode->bucket);
}

/* What policies are asked for. The root of a bucket is no object: mode and ACL are the bucket's. */
static enum gml_action authorize_asked(enum gml_action action, const struct gml_target *target)
{
	switch (action) {
	case GML_ACTION_SET_MODE:
	case GML_ACTION_SET_ACL:
		return authorize_is_root(target) ? GML_ACTION_PUT_BUCKET_ACL : action;
	case GML_ACTION_GET_ACL:
		return authorize_is_root(target) ? GML_ACTION_GET_BUCKET_ACL : action;
	default:
		return action;
	}
}

/* Is an Allow of a policy enough? Who owns a bucket, policies do not say. */
static bool authorize_suffices(const struct gml_principal *who, const struct action_row *row,
			       const struct gml_target *target)
{
	if (row->rule == RULE_CHOWN && authorize_is_root(target))
		return target->uid == target->inode->uid;
	return row->rule != RULE_CREATE || rule_owner_fits(who, target);
}

int gml_authorize(struct gml_txn *txn, const struct gml_principal *principal,
		  enum gml_action action, const struct gml_target *target,
		  const struct gml_context *context, struct gml_verdict *verdict)
{
	const struct action_row *row =
		&action_rows[action < GML_ACTION_COUNT ? action : GML_ACTION_NONE];
	struct gml_verdict unused, *out = verdict != NULL ? verdict : &unused;
	struct gml_policy_saying saying = {.word = GML_SAYS_NOTHING};
	struct gml_target there;
	int rc;
	gml_assert(action < GML_ACTION_COUNT);
	if (row->rule == RULE_ADMIN || row->rule == RULE_ROOT)
		return rule_privilege(principal, row, out);
	rc = authorize_first(principal, row, target, context, out);
	if (rc != 0)
		return rc;
	if (!principal->refused)
		rc = gml_policy_ask(txn, principal, authorize_asked(action, target), target,
				    context, &saying);
	if (rc != 0)
		return rule_answer(out, GML_REASON_NONE, rc);
	if (saying.word == GML_SAYS_NO)
		return rule_answer(out, saying.reason, GML_ERR_ACCESS);
	if (saying.word == GML_SAYS_YES && !saying.both &&
	    authorize_suffices(principal, row, target))
		return rule_answer(out, saying.reason, 0);
	if (saying.asked) {
		rc = authorize_way(txn, principal, target, &there);
		if (rc != 0)
			return rule_answer(out, GML_REASON_NONE, rc);
		target = &there;
	}
	rc = authorize_plain(txn, principal, row, target, context, out);
	if (saying.both)
		return authorize_both(&saying, rc, out);
	return saying.way && rc == GML_ERR_ACCESS ? rule_answer(out, GML_REASON_WAY, 0) : rc;
}
