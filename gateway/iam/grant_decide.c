// SPDX-License-Identifier: Apache-2.0
/* What S3's grants decide, in buckets that have ACLs (docs/access.md, "Grants").
 *
 * In S3 an object's grants are about the object, wherever it is, and a bucket's about its list and
 * its keys, however deep. So they are asked where modes and ACLs have refused, perhaps because of
 * a directory on the way. Only entries that S3 shows allow something here; every entry that denies
 * counts. */
#include <string.h>
#include <gemel/account.h>
#include <gemel/bucket.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "acl.h"
#include "document.h"
#include "grant.h"

#define GRANT_ADD (GML_ACE_ADD_FILE | GML_ACE_ADD_SUBDIRECTORY)

/* Whose ACL is asked: that of the object, or of the bucket's root. */
struct grant_rule {
	uint32_t object, bucket; /* rights; 0: not asked */
};
static const struct grant_rule grant_rules[GML_ACTION_COUNT] = {
	[GML_ACTION_FIND_OBJECT] = {.object = GML_ACE_READ_DATA},
	[GML_ACTION_GET_OBJECT] = {.object = GML_ACE_READ_DATA},
	[GML_ACTION_GET_OBJECT_ATTRIBUTES] = {.object = GML_ACE_READ_DATA},
	[GML_ACTION_GET_OBJECT_ACL] = {.object = GML_ACE_READ_ACL},
	[GML_ACTION_PUT_OBJECT_ACL] = {.object = GML_ACE_WRITE_ACL},
	[GML_ACTION_PUT_OBJECT] = {.bucket = GRANT_ADD},
	[GML_ACTION_STATE_ACL] = {.bucket = GRANT_ADD},
	[GML_ACTION_STATE_TAGGING] = {.bucket = GRANT_ADD},
	[GML_ACTION_DELETE_OBJECT] = {.bucket = GML_ACE_DELETE_CHILD},
	[GML_ACTION_LIST_OBJECTS] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_LIST_VERSIONS] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_LIST_UPLOADS] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_SEE_UPLOAD] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_KNOW_MISSING] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_HEAD_BUCKET] = {.bucket = GML_ACE_LIST_DIRECTORY},
	[GML_ACTION_GET_BUCKET_ACL] = {.bucket = GML_ACE_READ_ACL},
	[GML_ACTION_PUT_BUCKET_ACL] = {.bucket = GML_ACE_WRITE_ACL},
};

int gml_grants_ownership(struct gml_txn *txn, gml_ino root, enum gml_ownership *out)
{
	struct gml_span document;
	int rc = gml_rec_config_get(txn, root, GML_BUCKET_OWNERSHIP, &document);
	*out = GML_BUCKET_OWNER_ENFORCED;
	if (rc == GML_ERR_NOENT)
		return 0;
	return rc == 0 && gml_ownership_parse(document, out) != 0 ? GML_ERR_CORRUPT : rc;
}

int gml_grants_may(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
		   enum gml_ownership ownership, const struct gml_grants *grants)
{
	uint32_t settings = 0;
	int rc = 0;
	if (ownership == GML_BUCKET_OWNER_ENFORCED)
		return gml_grants_plain(grants, bucket->uid) ? 0 : GML_ERR_NOACL;
	if (gml_grants_public(grants))
		rc = gml_document_public_access(txn, bucket->root, &settings);
	return rc == 0 && (settings & GML_BLOCK_PUBLIC_ACLS) ? GML_ERR_ACCESS : rc;
}

/* ---- the decision ---------------------------------------------------------------------------- */

static bool grant_is_owner(const struct gml_principal *who, const struct gml_inode *inode)
{
	return who->authn != GML_AUTHN_ANONYMOUS && who->cred.uid == inode->uid;
}

/* The owner's rights by the mode of an inode without ACL, as S3 shows them. */
static uint32_t grant_of_mode(const struct gml_principal *who, const struct gml_inode *inode)
{
	if (!grant_is_owner(who, inode))
		return 0;
	return gml_acl_rights_of(inode->mode >> 6 & 7, inode->type == GML_DIR) | GML_ACE_READ_ACL |
	       GML_ACE_WRITE_ACL;
}

static int grant_ask(const struct gml_principal *who, const struct gml_inode *inode, uint32_t want,
		     bool ignore_public)
{
	const struct gml_acl_question question = {.who = who,
						  .uid = inode->uid,
						  .gid = inode->gid,
						  .want = want,
						  .grants = true,
						  .ignore_public = ignore_public};
	struct gml_acl_answer answer = {.allowed = grant_of_mode(who, inode)};
	int rc = inode->acl.len != 0 ? gml_acl_ask(inode->acl, &question, &answer) : 0;
	/* An ACL does not lock out its owner, unless an entry denies it. */
	if (rc == 0 && inode->acl.len != 0 && grant_is_owner(who, inode))
		answer.allowed |= (want & ~answer.denied) | GML_ACE_READ_ACL | GML_ACE_WRITE_ACL;
	return rc == 0 && (answer.allowed & want) != want ? GML_ERR_ACCESS : rc;
}

/* Public grants count unless a public access block says that they do not. */
static int grant_decide(struct gml_txn *txn, const struct gml_principal *who,
			const struct gml_target *target, const struct gml_inode *inode,
			uint32_t want)
{
	uint32_t settings;
	int rc = grant_ask(who, inode, want, false);
	if (rc != 0)
		return rc;
	rc = gml_document_public_access(txn, target->bucket->root, &settings);
	if (rc != 0 || !(settings & GML_IGNORE_PUBLIC_ACLS))
		return rc;
	return grant_ask(who, inode, want, true);
}

int gml_grants_decide(struct gml_txn *txn, const struct gml_principal *who, enum gml_action action,
		      const struct gml_target *target)
{
	const struct grant_rule *rule = &grant_rules[action];
	enum gml_ownership ownership;
	struct gml_inode root;
	uint32_t want = rule->bucket;
	int rc;
	if (txn == NULL || target->bucket == NULL || (rule->object == 0 && rule->bucket == 0) ||
	    (rule->object != 0 && target->inode == NULL))
		return GML_ERR_ACCESS;
	rc = gml_grants_ownership(txn, target->bucket->root, &ownership);
	if (rc == 0 && ownership == GML_BUCKET_OWNER_ENFORCED)
		rc = GML_ERR_ACCESS;
	if (rc == 0 && rule->object != 0)
		return grant_decide(txn, who, target, target->inode, rule->object);
	if (rc == 0)
		rc = gml_rec_inode_get(txn, target->bucket->root, &root);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	/* what has the name goes */
	if (action == GML_ACTION_PUT_OBJECT && target->inode != NULL)
		want |= GML_ACE_DELETE_CHILD;
	return grant_decide(txn, who, target, &root, want);
}
