// SPDX-License-Identifier: Apache-2.0
/* Grants of objects and buckets: read, replaced, and given to new ones. */
#include "object_grants.h"
#include <gemel/account.h>
#include <gemel/bucket.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/iam/grant.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/inode_acl.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/may_change.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "bucket_txn.h"

#define GRANTS_TRIES 8
#define GRANTS_FILE_MODE 0600 /* of an object that states its grants */

/* ---- what new objects get -------------------------------------------------------------------- */

int gml_grants_of_new(const struct gml_grants *grants, uint32_t mode, bool directory,
		      uint32_t bucket_uid, uint32_t owner, struct gml_acl *out)
{
	struct gml_grants named;
	struct gml_acl base;
	gml_acl_of_mode(mode, directory, &base);
	gml_grants_resolve(grants, bucket_uid, owner, &named);
	return gml_grants_apply(&base, &named, directory, out);
}

int gml_publish_may_grant(struct gml_txn *txn, struct gml_publish *pub)
{
	gml_ino root = pub->path.bucket.root;
	int rc;
	pub->sets_grants = false;
	if (pub->grants == NULL && !(pub->keeps && pub->old.acl.len != 0))
		return 0;
	rc = gml_grants_ownership(txn, root, &pub->ownership);
	if (rc == 0 && pub->grants != NULL)
		rc = gml_grants_may(txn, &pub->path.bucket, pub->ownership, pub->grants);
	pub->sets_grants = rc == 0 && pub->ownership != GML_BUCKET_OWNER_ENFORCED;
	/* The object stays another's: its grants are not the writer's to set. */
	if (pub->sets_grants && pub->grants != NULL && pub->keeps)
		rc = gml_path_may(pub->op, GML_ACTION_PUT_OBJECT_ACL, &pub->path, &pub->old);
	return rc;
}

/* In place of a file: what S3 shows of its ACL goes. */
static int publish_hide(struct gml_txn *txn, struct gml_inode *inode, struct gml_acl *out)
{
	struct gml_grants private;
	struct gml_acl acl;
	int rc = gml_inode_acl_get(txn, inode, &acl);
	gml_grants_private(&private);
	return rc == 0 ? gml_grants_apply(&acl, &private, false, out) : rc;
}

int gml_publish_grant(struct gml_txn *txn, struct gml_publish *pub, struct gml_inode *inode)
{
	uint32_t owner = pub->path.bucket.uid;
	struct gml_acl acl;
	int rc;
	if (!pub->sets_grants)
		return 0;
	if (pub->grants != NULL && pub->grants->for_bucket_owner && !pub->keeps &&
	    pub->ownership == GML_BUCKET_OWNER_PREFERRED)
		inode->uid = owner;
	rc = pub->grants != NULL ? gml_grants_of_new(pub->grants, GRANTS_FILE_MODE, false, owner,
						     inode->uid, &acl)
				 : publish_hide(txn, inode, &acl);
	return rc == 0 ? gml_inode_acl_set(txn, inode, &acl) : rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int grants_read(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
		       const struct gml_inode *inode, struct gml_grants *out)
{
	enum gml_ownership ownership;
	struct gml_acl acl;
	int rc = gml_grants_ownership(txn, bucket->root, &ownership);
	if (rc == 0 && ownership == GML_BUCKET_OWNER_ENFORCED) {
		gml_grants_private(out);
		return 0;
	}
	if (rc == 0)
		rc = gml_inode_acl_get(txn, inode, &acl);
	if (rc == 0)
		gml_grants_of_acl(&acl, inode->type == GML_DIR, out);
	return rc;
}

/* The object of the key, for callers that may do `action` to it. */
static int grants_object(struct gml_txn *txn, const struct gml_op *op,
			 const struct gml_object_ref *ref, enum gml_action action,
			 struct gml_path *path, struct gml_inode *out)
{
	bool directory;
	int rc = gml_path_walk(txn, op, ref, path);
	if (rc != 0)
		return rc;
	rc = gml_path_object(txn, path, out, &directory);
	if (rc == GML_ERR_NOENT)
		return gml_path_missing(op, path);
	return rc == 0 ? gml_path_may(op, action, path, out) : rc;
}

int gml_object_grants_get(struct gml_op *op, struct gml_store *store,
			  const struct gml_object_ref *ref, struct gml_grants *out,
			  uint32_t *uid_out)
{
	struct gml_txn *txn = NULL;
	struct gml_inode inode;
	struct gml_path path;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = grants_object(txn, op, ref, GML_ACTION_GET_OBJECT_ACL, &path, &inode);
	if (rc == 0)
		rc = grants_read(txn, &path.bucket, &inode, out);
	if (rc == 0)
		*uid_out = inode.uid;
	gml_meta_read_end(txn);
	return rc;
}

static int grants_bucket(struct gml_txn *txn, const struct gml_op *op, struct gml_span name,
			 enum gml_action action, struct gml_bucket_rec *rec, struct gml_inode *root)
{
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_rec_bucket_get(txn, name, rec);
	if (rc == GML_ERR_NOENT)
		return GML_ERR_NOBUCKET;
	if (rc == 0)
		rc = gml_rec_inode_get(txn, rec->root, root);
	if (rc == 0)
		rc = gml_bucket_txn_may(txn, op, action, rec, root);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

int gml_bucket_grants_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			  enum gml_action action, struct gml_grants *out, uint32_t *uid_out)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	struct gml_inode root;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = grants_bucket(txn, op, name, action, &rec, &root);
	if (rc == 0)
		rc = grants_read(txn, &rec, &root, out);
	if (rc == 0)
		*uid_out = rec.uid;
	gml_meta_read_end(txn);
	return rc;
}

/* ---- replacing ------------------------------------------------------------------------------- */

struct grants_set {
	struct gml_op *op;
	struct gml_store *store;
	const struct gml_object_ref *ref; /* NULL: of the bucket */
	struct gml_span bucket;
	const struct gml_grants *grants;
	gml_ino ino; /* whose gml_presence_change `counter` is */
	uint64_t counter;
};

static int grants_target(struct gml_txn *txn, const struct grants_set *set,
			 struct gml_bucket_rec *bucket, struct gml_inode *out)
{
	struct gml_path path;
	int rc;
	if (set->ref == NULL)
		return grants_bucket(txn, set->op, set->bucket, GML_ACTION_PUT_BUCKET_ACL, bucket,
				     out);
	rc = grants_object(txn, set->op, set->ref, GML_ACTION_PUT_OBJECT_ACL, &path, out);
	*bucket = path.bucket;
	return rc;
}

static int grants_put(struct gml_txn *txn, const struct grants_set *set,
		      const struct gml_grants *grants, struct gml_inode *inode)
{
	struct gml_acl acl, changed;
	int rc = gml_inode_acl_get(txn, inode, &acl);
	if (rc == 0)
		rc = gml_grants_apply(&acl, grants, inode->type == GML_DIR, &changed);
	if (rc == 0)
		rc = gml_inode_acl_set(txn, inode, &changed);
	if (rc != 0)
		return rc;
	inode->ctime = gml_now();
	inode->change = gml_change_next(gml_change_seen(inode, set->counter));
	return gml_inode_save(txn, inode);
}

static int grants_set_fn(struct gml_txn *txn, void *arg)
{
	const struct grants_set *set = arg;
	enum gml_ownership ownership;
	struct gml_bucket_rec bucket;
	struct gml_grants grants;
	struct gml_inode inode;
	int rc = grants_target(txn, set, &bucket, &inode);
	if (rc == 0 && !gml_ino_equal(inode.ino, set->ino))
		return GML_ERR_AGAIN;
	if (rc == 0)
		rc = gml_may_change(set->op, &inode, GML_CHANGE_ATTRS);
	if (rc == 0)
		rc = gml_grants_ownership(txn, bucket.root, &ownership);
	if (rc != 0)
		return rc;
	gml_grants_resolve(set->grants, bucket.uid, inode.uid, &grants);
	rc = gml_grants_may(txn, &bucket, ownership, &grants);
	/* Without ACLs these change nothing: the owner has full control. */
	if (rc != 0 || ownership == GML_BUCKET_OWNER_ENFORCED)
		return rc;
	return grants_put(txn, set, &grants, &inode);
}

static int grants_look(struct grants_set *set)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec bucket;
	struct gml_inode inode;
	int rc = gml_meta_read_begin(set->store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = grants_target(txn, set, &bucket, &inode);
	gml_meta_read_end(txn);
	if (rc == 0) {
		set->ino = inode.ino;
		set->counter = gml_presence_change(set->store->presence, inode.ino);
	}
	return rc;
}

static int grants_set(struct grants_set *set)
{
	int rc = GML_ERR_AGAIN;
	for (int i = 0; i < GRANTS_TRIES && rc == GML_ERR_AGAIN; i++) {
		rc = grants_look(set);
		if (rc == 0)
			rc = gml_meta_update(set->store->meta, grants_set_fn, set);
	}
	return rc == GML_ERR_AGAIN ? GML_ERR_CONFLICT : rc;
}

int gml_object_grants_set(struct gml_op *op, struct gml_store *store,
			  const struct gml_object_ref *ref, const struct gml_grants *grants)
{
	struct grants_set set = {.op = op, .store = store, .ref = ref, .grants = grants};
	return grants->count > GML_GRANTS_MAX ? GML_ERR_INVAL : grants_set(&set);
}

int gml_bucket_grants_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			  const struct gml_grants *grants)
{
	struct grants_set set = {.op = op, .store = store, .bucket = name, .grants = grants};
	return grants->count > GML_GRANTS_MAX ? GML_ERR_INVAL : grants_set(&set);
}

int gml_grants_check(struct gml_store *store, struct gml_span bucket,
		     const struct gml_grants *grants)
{
	enum gml_ownership ownership;
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = bucket.len == 0 || bucket.len > GML_BUCKET_NAME_MAX
		     ? GML_ERR_NOENT
		     : gml_rec_bucket_get(txn, bucket, &rec);
	if (rc == 0)
		rc = gml_grants_ownership(txn, rec.root, &ownership);
	if (rc == 0)
		rc = gml_grants_may(txn, &rec, ownership, grants);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
}
