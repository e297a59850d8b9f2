// SPDX-License-Identifier: Apache-2.0
/* The one decision, by today's rules: privileges, owners, mode bits with all groups.
 *
 * Order: actions for administrators and root only; refused callers; targets that must not be
 * changed; the rule of the action's row. Rules by mode and owner grant only when the path had no
 * bar. */
#include <string.h>
#include <sys/stat.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/principal.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"

enum action_rule {
	RULE_MODE,
	RULE_ANY,
	RULE_IO,
	RULE_OWNER,
	RULE_CHOWN,
	RULE_NAME,
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

static bool who_in_group(const struct gml_principal *who, uint32_t gid)
{
	const struct gml_cred *cred = &who->cred;
	gml_assert(cred->ngroups == 0 || cred->groups != NULL);
	if (cred->gid == gid)
		return true;
	for (uint32_t i = 0; i < cred->ngroups && i < GML_GROUPS_MAX; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

static bool who_owns(const struct gml_principal *who, const struct gml_inode *inode)
{
	return who_is_root(who) || who->cred.uid == inode->uid;
}

/* All GML_MAY_* that the mode gives. */
static unsigned who_has(const struct gml_principal *who, const struct gml_inode *inode)
{
	if (who_is_root(who)) {
		bool exec = inode->type != GML_REG || (inode->mode & 0111) != 0;
		return GML_MAY_READ | GML_MAY_WRITE | (exec ? GML_MAY_EXEC : 0);
	}
	if (who->cred.uid == inode->uid)
		return inode->mode >> 6 & 7;
	if (who_in_group(who, inode->gid))
		return inode->mode >> 3 & 7;
	return inode->mode & 7;
}

bool gml_search_barred(const struct gml_principal *principal, const struct gml_inode *dir)
{
	return principal->refused || !(who_has(principal, dir) & GML_MAY_EXEC);
}

bool gml_search_unlimited(const struct gml_principal *principal)
{
	return who_is_root(principal) && !principal->refused;
}

bool gml_leftover_barred(const struct gml_principal *principal, const struct gml_inode *inode)
{
	return principal->refused || !who_owns(principal, inode);
}

bool gml_keeps_setid(const struct gml_principal *principal)
{
	return who_is_root(principal);
}

bool gml_keeps_setgid(const struct gml_principal *principal, uint32_t gid)
{
	return who_is_root(principal) || who_in_group(principal, gid);
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

static int rule_mode(const struct gml_principal *who, const struct action_row *row,
		     const struct gml_target *target, struct gml_verdict *out)
{
	unsigned want = row->bits & ACTION_MODES, has;
	if (row->rule == RULE_IO && who_owns(who, target->inode))
		return rule_yes(out, who, GML_REASON_OWNER);
	has = who_has(who, target->inode) & want;
	if (row->rule == RULE_MODE ? has == want : has != 0)
		return rule_yes(out, who, GML_REASON_MODE);
	return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
}

static int rule_owner(const struct gml_principal *who, const struct action_row *row,
		      const struct gml_target *target, struct gml_verdict *out)
{
	const struct gml_inode *inode = target->inode;
	if (!who_owns(who, inode))
		return rule_answer(out, GML_REASON_NONE, GML_ERR_PERM);
	if (row->rule == RULE_CHOWN && !who_is_root(who) &&
	    (target->uid != inode->uid ||
	     (target->gid != inode->gid && !who_in_group(who, target->gid))))
		return rule_answer(out, GML_REASON_NONE, GML_ERR_PERM);
	return rule_yes(out, who, GML_REASON_OWNER);
}

static int rule_name(const struct gml_principal *who, const struct gml_target *target,
		     struct gml_verdict *out)
{
	const unsigned want = GML_MAY_WRITE | GML_MAY_EXEC;
	if ((who_has(who, target->dir) & want) != want)
		return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
	if (target->inode != NULL && (target->dir->mode & S_ISVTX) && !who_owns(who, target->dir) &&
	    !who_owns(who, target->inode))
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
	    (who_has(who, target->inode) & (GML_MAY_READ | GML_MAY_EXEC)) != 0)
		return rule_yes(out, who, GML_REASON_MODE);
	return rule_answer(out, GML_REASON_NONE, GML_ERR_ACCESS);
}

static int rule_create(struct gml_txn *txn, const struct gml_principal *who,
		       const struct gml_target *target, struct gml_verdict *out)
{
	struct gml_user user;
	int rc;
	if (!who_is_root(who) && (target->uid != who->cred.uid || !who_in_group(who, target->gid)))
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
		return rule_name(who, target, out);
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

int gml_authorize(struct gml_txn *txn, const struct gml_principal *principal,
		  enum gml_action action, const struct gml_target *target,
		  const struct gml_context *context, struct gml_verdict *verdict)
{
	const struct action_row *row =
		&action_rows[action < GML_ACTION_COUNT ? action : GML_ACTION_NONE];
	struct gml_verdict unused, *out = verdict != NULL ? verdict : &unused;
	gml_assert(action < GML_ACTION_COUNT);
	if (row->rule == RULE_ADMIN || row->rule == RULE_ROOT)
		return rule_privilege(principal, row, out);
	if (target->barred)
		return rule_answer(out, GML_REASON_BARRED, GML_ERR_ACCESS);
	if (principal->refused && row->rule != RULE_REACH)
		return rule_answer(out, GML_REASON_REFUSED, GML_ERR_ACCESS);
	if ((row->bits & ACTION_CHANGES) && context->read_only)
		return rule_answer(out, GML_REASON_READ_ONLY, GML_ERR_ROFS);
	return authorize_row(txn, principal, row, target, out);
}
