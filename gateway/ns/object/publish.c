// SPDX-License-Identifier: Apache-2.0
/* The common end of PUT, CopyObject and CompleteMultipartUpload: a new inode takes a key's name in
 * one transaction. */
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/etag.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/path.h"
#include "keep.h"
#include "object_grants.h"
#include "publish.h"

#define PUBLISH_TRIES 8

/* Does `live` describe the inode's present content? If a later write made the inode DIRTY again,
 * its record has a later change attribute. */
static bool publish_is_live(const struct gml_publish *pub, const struct gml_inode *inode)
{
	return gml_ino_equal(pub->live.ino, inode->ino) && pub->live.change >= inode->change;
}

int gml_publish_facts(struct gml_txn *txn, struct gml_publish *pub, const struct gml_inode *inode,
		      bool directory, struct gml_object_info *info)
{
	if (!txn->writable)
		return gml_path_facts(pub->store, inode, directory, info);
	if (!directory && (inode->flags & GML_INODE_DIRTY) && !publish_is_live(pub, inode)) {
		pub->asks = true;
		pub->live = (struct gml_attr){.ino = inode->ino};
		return GML_ERR_AGAIN;
	}
	gml_path_facts_of(inode, directory, &pub->live, info);
	return 0;
}

static int publish_ask(struct gml_publish *pub)
{
	struct gml_txn *txn = NULL;
	struct gml_inode inode;
	int rc = gml_meta_read_begin(pub->store->meta, &txn);
	if (rc == 0)
		rc = gml_rec_inode_get(txn, pub->live.ino, &inode);
	if (rc == 0)
		rc = gml_inode_attr_spaceless(pub->store, &inode, &pub->live);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? 0 : rc; /* gone meanwhile: the closure sees another one */
}

int gml_publish_update(struct gml_publish *pub, gml_meta_fn fn, void *arg)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < PUBLISH_TRIES; i++) {
		pub->asks = false;
		rc = gml_meta_update(pub->store->meta, fn, arg);
		if (rc != GML_ERR_AGAIN || !pub->asks)
			return rc;
		rc = publish_ask(pub);
	}
	return rc != 0 ? rc : GML_ERR_CONFLICT;
}

/* Preconditions consider only entries visible over S3. A symbolic link at the key fails If-Match,
 * although the PUT replaces it. */
static int publish_conditions(struct gml_txn *txn, struct gml_publish *pub)
{
	struct gml_object_info info;
	struct gml_inode inode;
	bool directory;
	int rc;
	if (pub->cond == NULL)
		return 0;
	rc = gml_path_object(txn, &pub->path, &inode, &directory);
	if (rc == GML_ERR_NOENT)
		return gml_conditions_check(pub->cond, NULL, true);
	if (rc == 0)
		rc = gml_publish_facts(txn, pub, &inode, directory, &info);
	return rc != 0 ? rc : gml_conditions_check(pub->cond, &info, true);
}

int gml_path_may_put(struct gml_txn *txn, const struct gml_op *op, struct gml_path *path,
		     struct gml_inode *old, bool *replaces_out)
{
	int rc = gml_path_may(op, GML_ACTION_PUT_OBJECT, path, NULL);
	*replaces_out = false;
	if (rc != 0 || path->missing > 0 || !path->found)
		return rc;
	rc = gml_rec_inode_named(txn, &path->dirent, old);
	if (rc == 0)
		rc = gml_path_may(op, GML_ACTION_PUT_OBJECT, path, old);
	*replaces_out = rc == 0;
	return rc;
}

int gml_publish_check(struct gml_txn *txn, struct gml_publish *pub)
{
	int64_t bytes = (int64_t)pub->size, objects = 1;
	int rc = gml_path_walk(txn, pub->op, &pub->ref, &pub->path);
	pub->replaces = pub->keeps = false;
	if (rc == 0)
		rc = gml_path_may_put(txn, pub->op, &pub->path, &pub->old, &pub->replaces);
	if (rc != 0)
		return rc;
	if (pub->replaces) {
		pub->keeps = gml_keep_wanted(txn, pub->op, &pub->old);
		if (pub->old.type == GML_REG && pub->old.nlink == 1) {
			bytes -= (int64_t)pub->old.size;
			objects = 0;
		}
	}
	/* Behind the rights: they would confirm a guess. */
	rc = publish_conditions(txn, pub);
	if (rc == 0)
		rc = gml_publish_may_grant(txn, pub);
	return rc == 0 ? gml_usage_check(txn, pub->path.bucket.root, bytes, objects) : rc;
}

int gml_path_may_state(const struct gml_op *op, const struct gml_path *path,
		       const struct gml_inode *old, bool grants, bool tags)
{
	int rc = grants ? gml_path_may(op, GML_ACTION_STATE_ACL, path, old) : 0;
	return rc == 0 && tags ? gml_path_may(op, GML_ACTION_STATE_TAGGING, path, old) : rc;
}

int gml_publish_may_state(struct gml_publish *pub, const struct gml_object_meta *attach)
{
	bool tags;
	int rc = gml_object_meta_tagged(attach, &tags);
	return rc != 0 ? rc
		       : gml_path_may_state(pub->op, &pub->path, pub->replaces ? &pub->old : NULL,
					    pub->grants != NULL, tags);
}

int gml_publish_inode(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *out)
{
	/* The marker of a missing directory: its PUT makes the directory (S3's form of mkdir). */
	bool explicit_dir = pub->path.missing > 0 && pub->path.last.len == 0;
	int rc = gml_path_make(txn, pub->op, pub->ref.key, &pub->path);
	gml_assert(txn->writable && pub->path.txn == txn); /* gml_publish_check, in this run */
	if (rc != 0)
		return rc;
	if (explicit_dir)
		pub->path.dir.flags |= GML_INODE_EXPLICIT;
	rc = gml_inode_init(txn, pub->op, &pub->path.dir, GML_REG, &GML_NEW_FILE_MODE, out);
	return rc == 0 ? gml_keep_apply(txn, pub, out) : rc;
}

int gml_publish_link(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *inode)
{
	const struct gml_link link = {.op = pub->op,
				      .dir = &pub->path.dir,
				      .name = pub->path.last,
				      .why = GML_SUPERSEDE_REPLACED};
	gml_assert(pub->path.txn == txn && pub->path.missing == 0);
	gml_assert(inode->type == GML_REG && inode->size == pub->size); /* what the quota allowed */
	return pub->replaces ? gml_link_replace(txn, &link, &pub->old, inode)
			     : gml_link_add(txn, link.dir, link.name, inode);
}

void gml_publish_info(const struct gml_inode *inode, struct gml_object_info *info)
{
	memset(info, 0, sizeof(*info));
	info->ino = inode->ino;
	info->size = inode->size;
	info->mtime = inode->mtime;
	info->nparts = inode->nparts;
	info->checksum = inode->checksum;
	gml_etag_format(inode, inode->change, info->etag);
}
