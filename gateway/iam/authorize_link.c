// SPDX-License-Identifier: Apache-2.0
/* What a further name of a file would let its maker do. */
#include <gemel/err.h>
#include "authorize.h"
#include "authorize_policy.h"

/* Rows for each action of S3 on a file that exists; s3:GetObject is asked by gml_may_carry. */
static const enum gml_action link_actions[] = {
	GML_ACTION_WRITE,
	GML_ACTION_SET_MODE,
	GML_ACTION_SET_OWNER,
	GML_ACTION_GET_OBJECT_ACL,
	GML_ACTION_GET_OBJECT_ATTRIBUTES,
	GML_ACTION_GET_OBJECT_TAGGING,
	GML_ACTION_PUT_OBJECT_TAGGING,
	GML_ACTION_DELETE_OBJECT_TAGGING,
};
#define LINK_ACTIONS (sizeof(link_actions) / sizeof(*link_actions))

static bool link_is_refusal(int rc)
{
	return rc == GML_ERR_ACCESS || rc == GML_ERR_PERM || rc == GML_ERR_ROFS;
}

/* Would a policy allow it at the new name? */
static int link_gains(struct gml_txn *txn, const struct gml_op *op, enum gml_action action,
		      const struct gml_target *there, bool *out)
{
	struct gml_verdict verdict;
	int rc = gml_authorize(txn, &op->principal, action, there, &op->context, &verdict);
	*out = rc == 0 &&
	       (verdict.reason == GML_REASON_POLICY || verdict.reason == GML_REASON_BOTH);
	return link_is_refusal(rc) ? 0 : rc;
}

int gml_may_link(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode,
		 bool barred, const struct gml_target *to)
{
	const struct gml_target here = {
		.inode = inode, .uid = inode->uid, .gid = inode->gid, .barred = barred};
	struct gml_target there = *to;
	int rc = 0;
	there.inode = inode;
	there.uid = inode->uid;
	there.gid = inode->gid;
	for (size_t i = 0; rc == 0 && i < LINK_ACTIONS; i++) {
		bool gains;
		rc = link_gains(txn, op, link_actions[i], &there, &gains);
		if (rc == 0 && gains)
			rc = gml_may(txn, op, link_actions[i], &here);
	}
	return link_is_refusal(rc) ? GML_ERR_ACCESS : rc;
}

int gml_link_gains(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		   const struct gml_target *to, bool *out)
{
	const struct gml_policy_actions actions = {link_actions, LINK_ACTIONS};
	*out = false;
	return gml_search_unlimited(&op->principal)
		       ? 0
		       : gml_policy_gains(txn, op, dir, to, actions, out);
}
