// SPDX-License-Identifier: Apache-2.0
/* gml_explain: asks gml_authorize what an operation would ask, and policies again for which of
 * their statements decided. */
#include <gemel/err.h>
#include <gemel/explain.h>
#include <stdio.h>
#include <string.h>
#include "gateway/base/span.h"
#include "gateway/iam/access.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"

struct explain {
	struct gml_op op;
	struct gml_path path;
	struct gml_inode inode; /* of the key, when path.found, or of the listed directory */
	bool has_inode;
	enum gml_action action;
};

/* ---- which action ---- */

/* What programs do over NFS, and the row that S3 asks when it is not the first of its name. */
static const struct explain_action {
	const char *name;
	enum gml_action s3, there, missing; /* over NFS, for a name that is there or not */
} explain_actions[] = {
	{"s3:GetObject", GML_ACTION_GET_OBJECT, GML_ACTION_OPEN_READ, GML_ACTION_OPEN_READ},
	{"s3:PutObject", GML_ACTION_PUT_OBJECT, GML_ACTION_OPEN_WRITE, GML_ACTION_CREATE},
	{"s3:DeleteObject", GML_ACTION_DELETE_OBJECT, GML_ACTION_REMOVE, GML_ACTION_REMOVE},
	{"s3:ListBucket", GML_ACTION_LIST_OBJECTS, GML_ACTION_READDIR, GML_ACTION_READDIR},
	{"s3:GetObjectTagging", GML_ACTION_GET_OBJECT_TAGGING, GML_ACTION_GET_XATTR,
	 GML_ACTION_GET_XATTR},
	{"s3:PutObjectTagging", GML_ACTION_PUT_OBJECT_TAGGING, GML_ACTION_SET_XATTR,
	 GML_ACTION_SET_XATTR},
	{"s3:DeleteObjectTagging", GML_ACTION_DELETE_OBJECT_TAGGING, GML_ACTION_SET_XATTR,
	 GML_ACTION_SET_XATTR},
	{"s3:GetObjectAcl", GML_ACTION_GET_OBJECT_ACL, GML_ACTION_GET_ACL, GML_ACTION_GET_ACL},
	{"s3:PutObjectAcl", GML_ACTION_PUT_OBJECT_ACL, GML_ACTION_SET_MODE, GML_ACTION_SET_MODE},
	{"s3:GetObjectAttributes", GML_ACTION_GET_OBJECT_ATTRIBUTES, GML_ACTION_GETATTR,
	 GML_ACTION_GETATTR},
};

static enum gml_action explain_action(const struct gml_explain_question *question, bool there)
{
	for (size_t i = 0; i < sizeof(explain_actions) / sizeof(*explain_actions); i++) {
		const struct explain_action *row = &explain_actions[i];
		if (strcasecmp(row->name, question->action) != 0)
			continue;
		if (question->context.protocol != GML_PROTOCOL_NFS)
			return row->s3;
		return there ? row->there : row->missing;
	}
	return GML_ACTION_NONE;
}

/* ---- the target ---- */

static int explain_inode(struct explain *explain, gml_ino ino)
{
	int rc = gml_rec_inode_get(explain->path.txn, ino, &explain->inode);
	explain->has_inode = rc == 0;
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

/* A listing of S3: of the directory that its prefix is in. That there is none is no refusal: it
 * asks the deepest that there is whether the caller may know. */
static int explain_find_list(struct explain *explain)
{
	explain->action =
		explain->path.missing == 0 ? GML_ACTION_LIST_OBJECTS : GML_ACTION_KNOW_MISSING;
	return explain_inode(explain, explain->path.dir.ino);
}

/* The inode that is spoken of: the key's, or the directory that a prefix names. */
static int explain_find(struct explain *explain)
{
	const struct gml_path *path = &explain->path;
	if (path->found)
		return explain_inode(explain, path->dirent.ino);
	if (path->missing == 0 && path->last.len == 0)
		return explain_inode(explain, path->dir.ino); /* the bucket, or "dir/" */
	return 0;
}

static void explain_target(const struct explain *explain, struct gml_target *out)
{
	const struct gml_inode *inode = explain->has_inode ? &explain->inode : NULL;
	gml_path_target(&explain->path, inode, out);
	if (explain->op.context.protocol != GML_PROTOCOL_NFS)
		return;
	/* Over NFS there are inodes and names, and policies are asked about all their paths. */
	out->bucket_name = out->key = gml_span_of(NULL, 0);
	out->directory = false;
	out->bucket = NULL;
	if (explain->action == GML_ACTION_CREATE || explain->action == GML_ACTION_REMOVE)
		return;
	out->dir = NULL;
	out->name = gml_span_of(NULL, 0);
}

/* ---- the answer ---- */

static const struct explain_text {
	const char *reason, *would_help;
} explain_texts[] = {
	[GML_REASON_NONE] = {"nothing allows it",
			     "an Allow of a policy ('gemel grant'), an ACL, or mode bits (chmod)"},
	[GML_REASON_REFUSED] = {"the user is disabled, or its uid was another user's",
				"'gemel user update --enable'"},
	[GML_REASON_READ_ONLY] = {"nothing may be changed here", "an export that allows changes"},
	[GML_REASON_BARRED] = {"a directory on the way has no 'x' for the caller",
			       "an Allow of a policy ('gemel grant'), or chmod of that directory"},
	[GML_REASON_STICKY] =
		{"the directory is sticky, and neither it nor the file is the caller's",
		 "an Allow of a policy ('gemel grant')"},
	[GML_REASON_DENIED] = {"a policy denies it",
			       "that statement would have to go, or to name less"},
	[GML_REASON_CAPPED] = {"a boundary does not allow it",
			       "the boundary would have to allow it ('gemel policy boundary')"},
	[GML_REASON_NO_POLICY] = {"its bucket demands that a policy allows it, and none does",
				  "an Allow of a policy ('gemel grant'), or 'gemel bucket access "
				  "NAME either'"},
	[GML_REASON_POLICY_ONLY] = {"its bucket demands that an ACL, mode bits or ownership allow "
				    "it as well, and a policy alone does",
				    "an ACL or mode bits (chmod), with 'x' on each directory of "
				    "the way, or 'gemel bucket access NAME either'"},
	[GML_REASON_PRIVILEGE] = {"root and administrators may", ""},
	[GML_REASON_OWNER] = {"the caller owns it", ""},
	[GML_REASON_MODE] = {"mode bits allow it", ""},
	[GML_REASON_ACL] = {"an ACL allows it", ""},
	[GML_REASON_USER] = {"the user's own record says so", ""},
	[GML_REASON_REACH] = {"whoever reaches it may", ""},
	[GML_REASON_POLICY] = {"a policy allows it", ""},
	[GML_REASON_BOTH] = {"a policy allows it, and an ACL, mode bits or ownership do", ""},
	[GML_REASON_WAY] = {"it leads to what policies allow: only such names are shown", ""},
};

static bool explain_by_policy(enum gml_reason reason)
{
	return reason == GML_REASON_DENIED || reason == GML_REASON_CAPPED ||
	       reason == GML_REASON_POLICY || reason == GML_REASON_POLICY_ONLY ||
	       reason == GML_REASON_BOTH;
}

/* Which statement of policies it was, or what a public access block withholds. */
static int explain_statement(struct explain *explain, struct gml_store *store, bool withheld,
			     struct gml_explanation *out)
{
	const struct gml_access_question question = {
		.principal = &explain->op.principal,
		.action = explain->action,
		.directory = explain->action == GML_ACTION_READDIR,
		.root = explain->path.bucket.root,
		.bucket = explain->path.ref.bucket,
		.key = explain->path.ref.key,
		.inode = explain->has_inode ? &explain->inode : NULL,
		.context = &explain->op.context,
	};
	struct auth_decision decision = {.verdict = AUTH_VERDICT_NONE};
	struct gml_access_held held;
	int rc = gml_access_hold(store, explain->path.txn, &question, &held);
	if (rc == 0 && held.count > 0)
		rc = (withheld ? gml_held_withheld : gml_held_decide)(&held, explain->path.txn,
								      &question, &decision);
	if (rc == 0 && decision.verdict != AUTH_VERDICT_NONE) {
		out->statement = decision.statement;
		snprintf(out->origin, sizeof(out->origin), "%s",
			 decision.origin != NULL ? decision.origin : "");
	}
	gml_access_release(&held);
	return rc;
}

/* Refused, because a public access block keeps a policy from granting it? */
static int explain_withheld(struct explain *explain, struct gml_store *store,
			    struct gml_explanation *out)
{
	int rc = explain_statement(explain, store, true, out);
	if (rc != 0 || out->origin[0] == 0)
		return rc;
	out->reason = "a policy allows it, but it is public, and a public access block keeps it "
		      "from granting to anonymous callers and guests";
	out->would_help = "'gemel bucket public-access' or 'gemel account public-access' without "
			  "RestrictPublicBuckets";
	return 0;
}

static bool explain_lacks_grant(enum gml_reason reason)
{
	return reason == GML_REASON_NONE || reason == GML_REASON_BARRED;
}

static int explain_policies(struct explain *explain, struct gml_store *store,
			    enum gml_reason reason, struct gml_explanation *out)
{
	if (explain_by_policy(reason))
		return explain_statement(explain, store, false, out);
	if (out->rc != 0 && (explain_lacks_grant(reason) || reason == GML_REASON_NO_POLICY))
		return explain_withheld(explain, store, out);
	return 0;
}

/* The names of a directory are its own: to make, replace or remove one asks it. */
static bool explain_asks_directory(const struct explain *explain)
{
	return explain->path.ref.key.len > 0 &&
	       (explain->action == GML_ACTION_PUT_OBJECT || explain->action == GML_ACTION_CREATE ||
		explain->action == GML_ACTION_DELETE_OBJECT ||
		explain->action == GML_ACTION_REMOVE);
}

static void explain_modes(const struct explain *explain, struct gml_explanation *out)
{
	bool directory = !explain->has_inode || explain_asks_directory(explain);
	const struct gml_inode *of = directory ? &explain->path.dir : &explain->inode;
	out->mode = of->mode;
	out->uid = of->uid;
	out->gid = of->gid;
	out->acl = of->acl.len > 0;
	out->of_directory = explain_asks_directory(explain);
}

/* What would help the caller where nothing grants it. */
static void explain_help(const struct explain *explain, enum gml_reason reason,
			 struct gml_explanation *out)
{
	if (out->rc != 0 && explain_lacks_grant(reason) &&
	    explain->op.principal.authn == GML_AUTHN_ANONYMOUS)
		out->would_help =
			"an Allow for \"*\" in the bucket's policy ('gemel policy put --bucket'), "
			"or a grant to AllUsers in a bucket with ACLs, and no public access block "
			"against it";
	else if (reason == GML_REASON_NONE && explain_asks_directory(explain))
		out->would_help = "an Allow of a policy ('gemel grant'), or 'w' and 'x' for the "
				  "directory that holds the name, by an ACL or mode bits (chmod)";
}

static int explain_answer(struct explain *explain, struct gml_store *store,
			  struct gml_explanation *out)
{
	struct gml_verdict verdict = {.reason = GML_REASON_NONE};
	struct gml_target target;
	int rc;
	explain_target(explain, &target);
	*out = (struct gml_explanation){.exists = explain->has_inode && explain->path.missing == 0,
					.statement = -1};
	out->rc = gml_authorize(explain->path.txn, &explain->op.principal, explain->action, &target,
				&explain->op.context, &verdict);
	if (out->rc != 0 && out->rc != GML_ERR_ACCESS && out->rc != GML_ERR_PERM &&
	    out->rc != GML_ERR_ROFS)
		return out->rc; /* nothing is known */
	out->reason = explain_texts[verdict.reason].reason;
	out->would_help = out->rc != 0 ? explain_texts[verdict.reason].would_help : "";
	explain_help(explain, verdict.reason, out);
	rc = explain_policies(explain, store, verdict.reason, out);
	explain_modes(explain, out);
	return rc;
}

/* Is there something that rights are asked of? A new name and S3's DELETE want a directory. */
static bool explain_is_about(const struct explain *explain)
{
	return explain->has_inode || explain->action == GML_ACTION_PUT_OBJECT ||
	       explain->action == GML_ACTION_CREATE || explain->action == GML_ACTION_DELETE_OBJECT;
}

/* Nothing is there; what policies would say is known all the same. */
static int explain_nothing(struct explain *explain, struct gml_store *store,
			   struct gml_explanation *out)
{
	*out = (struct gml_explanation){.rc = GML_ERR_NOENT,
					.reason = "there is nothing at this place",
					.would_help = "a name that is there; that of a directory "
						      "ends with '/'",
					.statement = -1};
	return explain_statement(explain, store, false, out);
}

static int explain_walked(struct explain *explain, struct gml_store *store,
			  const struct gml_explain_question *question, struct gml_explanation *out)
{
	int rc;
	explain->action = explain_action(question, false);
	if (explain->action == GML_ACTION_NONE)
		return GML_ERR_INVAL;
	if (explain->action == GML_ACTION_LIST_OBJECTS) {
		rc = explain_find_list(explain);
		return rc != 0 ? rc : explain_answer(explain, store, out);
	}
	rc = explain_find(explain);
	if (rc != 0)
		return rc;
	explain->action = explain_action(question, explain->has_inode);
	return explain_is_about(explain) ? explain_answer(explain, store, out)
					 : explain_nothing(explain, store, out);
}

/* From the bucket to the key, or to the bucket alone. */
static int explain_walk(struct explain *explain, struct gml_txn *txn,
			const struct gml_object_ref *place)
{
	struct gml_path *path = &explain->path;
	int rc;
	if (place->key.len > 0)
		return gml_path_walk(txn, &explain->op, place, path);
	*path = (struct gml_path){.txn = txn, .ref = *place};
	rc = gml_rec_bucket_get(txn, place->bucket, &path->bucket);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	rc = gml_rec_inode_get(txn, path->bucket.root, &path->dir);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

int gml_explain(struct gml_store *store, const struct gml_explain_question *question,
		struct gml_explanation *out)
{
	struct explain explain = {
		.op = {.principal = question->principal, .context = question->context}};
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = explain_walk(&explain, txn, &question->place);
	if (rc == 0)
		rc = explain_walked(&explain, store, question, out);
	gml_meta_read_end(txn);
	return rc;
}
