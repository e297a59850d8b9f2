// SPDX-License-Identifier: Apache-2.0
/* Buckets: a directory of the namespace root, a record, and a hidden parent for uploads, made and
 * removed together. */
#include <string.h>
#include <gemel/account.h>
#include <gemel/bucket.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/op.h>
#include <gemel/principal.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/iam/document.h"
#include "gateway/iam/epoch.h"
#include "gateway/iam/grant.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/inode_acl.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/store/store.h"
#include "bucket_txn.h"
#include "object_grants.h"
#include "upload.h"

#define BUCKET_UPLOADS_AT_ONCE 16 /* uploads dropped with a bucket in one transaction */

/* ---- names ----------------------------------------------------------------------------------- */

static bool bucket_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Four decimal numbers with dots between. */
static bool bucket_name_is_ip(const char *s, size_t len)
{
	unsigned dots = 0;
	size_t digits = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			if (++digits > 3)
				return false;
		} else if (s[i] == '.' && digits > 0) {
			dots++;
			digits = 0;
		} else {
			return false;
		}
	}
	return dots == 3 && digits > 0;
}

static bool bucket_name_reserved(const char *s, size_t len)
{
	static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
	static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3",
					       "--table-s3"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (len >= n && memcmp(s, prefixes[i], n) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t n = strlen(suffixes[i]);
		if (len >= n && memcmp(s + len - n, suffixes[i], n) == 0)
			return true;
	}
	return false;
}

int gml_bucket_name_check(struct gml_span name)
{
	const char *s = name.ptr;
	if (name.len < 3 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_BUCKETNAME;
	for (size_t i = 0; i < name.len; i++) {
		bool edge = i == 0 || i == name.len - 1 || s[i - 1] == '.' || s[i + 1] == '.';
		/* Each label between dots begins and ends with a letter or digit, so none is
		 * empty. */
		if (!bucket_name_char(s[i]) && (s[i] != '-' || edge) &&
		    (s[i] != '.' || i == 0 || i == name.len - 1))
			return GML_ERR_BUCKETNAME;
		if (s[i] == '.' && i > 0 && s[i - 1] == '.')
			return GML_ERR_BUCKETNAME;
	}
	if (bucket_name_is_ip(s, name.len) || bucket_name_reserved(s, name.len))
		return GML_ERR_BUCKETNAME;
	return 0;
}

/* ---- inside a transaction -------------------------------------------------------------------- */

struct bucket_dirname {
	char text[GML_BUCKET_NAME_MAX + 1];
	struct gml_span span;
};

static void bucket_dirname(struct gml_span name, struct bucket_dirname *out)
{
	gml_assert(name.len > 0 && name.len <= GML_BUCKET_NAME_MAX);
	memcpy(out->text, name.ptr, name.len);
	out->text[name.len] = '/';
	out->span = gml_span_of(out->text, name.len + 1);
}

static int bucket_get_root(struct gml_txn *txn, gml_ino ino, struct gml_inode *out)
{
	int rc = gml_rec_inode_get(txn, ino, out);
	return rc == GML_ERR_NOENT || (rc == 0 && out->type != GML_DIR) ? GML_ERR_CORRUPT : rc;
}

int gml_bucket_txn_create(struct gml_txn *txn, const struct gml_op *op, struct gml_span name,
			  const struct gml_bucket_root *root, struct gml_inode *root_out)
{
	struct gml_line line = gml_line_none;
	struct gml_bucket_rec rec;
	struct bucket_dirname dirname;
	const struct gml_target wanted = {.bucket_name = name, .uid = root->uid, .gid = root->gid};
	struct gml_inode top;
	int rc = gml_bucket_name_check(name);
	if (rc == 0)
		rc = gml_may(txn, op, GML_ACTION_CREATE_BUCKET, &wanted);
	if (rc == 0 && root->acl != NULL)
		rc = gml_acl_check(root->acl, true);
	if (rc != 0)
		return rc;
	rc = gml_rec_bucket_get(txn, name, &rec);
	if (rc == 0)
		return rec.uid == root->uid ? GML_ERR_BUCKETOWNED : GML_ERR_BUCKETEXISTS;
	if (rc != GML_ERR_NOENT)
		return rc;
	rc = bucket_get_root(txn, GML_INO_ROOT, &top);
	if (rc != 0)
		return rc;

	rc = gml_inode_init(txn, op, &top, GML_DIR, &root->mode, root_out);
	if (rc == 0 && root->acl != NULL)
		rc = gml_inode_acl_set(txn, root_out, root->acl);
	if (rc != 0)
		return rc;
	root_out->bucket = root_out->ino;
	root_out->uid = root->uid;
	root_out->gid = root->gid;
	root_out->flags |= GML_INODE_EXPLICIT;
	rec = (struct gml_bucket_rec){.root = root_out->ino,
				      .uploads =
					      gml_ino_of(root_out->ino.view, gml_txn_next_id(txn)),
				      .uid = root->uid,
				      .created = root_out->btime};
	line.id = gml_line_id(rec.root);
	bucket_dirname(name, &dirname);
	/* The line first: saving the root directory asks it how durable the change is. */
	rc = gml_rec_line_put(txn, &line, name);
	if (rc == 0)
		rc = gml_rec_usage_put(txn, line.id, &(struct gml_usage_rec){0});
	if (rc == 0)
		rc = gml_link_add(txn, &top, dirname.span, root_out);
	if (rc == 0)
		rc = gml_rec_bucket_put(txn, name, &rec);
	return rc == 0 ? gml_rec_inode_get(txn, rec.root, root_out) : rc;
}

int gml_bucket_txn_may(struct gml_txn *txn, const struct gml_op *op, enum gml_action action,
		       const struct gml_bucket_rec *rec, const struct gml_inode *root)
{
	const struct gml_target target = {.bucket = rec, .inode = root};
	return gml_may(txn, op, action, &target);
}

/* May the bucket be removed, apart from its uploads? */
static int bucket_remove_check(struct gml_txn *txn, const struct gml_op *op, struct gml_span name,
			       struct gml_bucket_rec *rec_out)
{
	int rc = gml_rec_bucket_get(txn, name, rec_out);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	rc = gml_bucket_txn_may(txn, op, GML_ACTION_DELETE_BUCKET, rec_out, NULL);
	return rc == 0 ? gml_dir_empty(txn, rec_out->root, NULL) : rc;
}

int gml_bucket_txn_remove(struct gml_txn *txn, const struct gml_op *op, struct gml_span name)
{
	struct bucket_dirname dirname;
	struct gml_bucket_rec rec;
	struct gml_inode top, root;
	int rc = bucket_remove_check(txn, op, name, &rec);
	if (rc != 0)
		return rc;
	gml_assert(!gml_ino_equal(rec.uploads, rec.root)); /* its names are no files */
	rc = gml_rec_dirent_any(txn, rec.uploads);
	if (rc != GML_ERR_NOENT)
		return rc == 0 ? GML_ERR_NOTEMPTY : rc;
	rc = bucket_get_root(txn, GML_INO_ROOT, &top);
	if (rc == 0)
		rc = bucket_get_root(txn, rec.root, &root);
	if (rc != 0)
		return rc;

	bucket_dirname(name, &dirname);
	rc = gml_link_remove(
		txn,
		&(struct gml_link){
			.op = op, .dir = &top, .name = dirname.span, .why = GML_SUPERSEDE_BUCKET},
		&root);
	if (rc == 0)
		rc = gml_rec_config_drop(txn, rec.root);
	if (rc == 0)
		rc = gml_rec_bucket_del(txn, name);
	if (rc == 0)
		rc = gml_rec_usage_del(txn, gml_line_id(rec.root));
	if (rc == 0)
		rc = gml_rec_line_del(txn, gml_line_id(rec.root));
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

int gml_bucket_txn_entry(struct gml_txn *txn, struct gml_span name, struct gml_dirent *entry)
{
	struct gml_bucket_rec rec;
	int rc = gml_rec_bucket_get(txn, gml_span_of(name.ptr, name.len > 0 ? name.len - 1 : 0),
				    &rec);
	if (rc == GML_ERR_NOENT || (rc == 0 && rec.root.num != entry->ino.num))
		return GML_ERR_CORRUPT;
	if (rc == 0)
		entry->ino = rec.root;
	return rc;
}

int gml_bucket_txn_chown(struct gml_txn *txn, gml_ino root, uint32_t uid)
{
	char name[GML_BUCKET_NAME_MAX + 1];
	struct gml_bucket_rec rec;
	int rc = gml_rec_bucket_by_root(txn, root, name, &rec);
	if (rc != 0 || rec.uid == uid)
		return rc;
	rec.uid = uid;
	gml_txn_durability(txn, false);
	return gml_rec_bucket_put(txn, gml_span_text(name), &rec);
}

/* ---- operations ------------------------------------------------------------------------------ */

static int bucket_line(struct gml_txn *txn, gml_ino root, struct gml_line *out)
{
	int rc = gml_rec_line_get(txn, gml_line_id(root), out);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

static int bucket_fill(struct gml_txn *txn, struct gml_span name, const struct gml_bucket_rec *rec,
		       uint32_t mode, struct gml_bucket *out)
{
	struct gml_usage_rec usage;
	struct gml_line line;
	int rc = bucket_line(txn, rec->root, &line);
	if (rc == 0)
		rc = gml_rec_usage_get(txn, gml_line_id(rec->root), &usage);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	*out = (struct gml_bucket){
		.root = rec->root,
		.uid = rec->uid,
		.mode = mode,
		.created = rec->created,
		.bytes = usage.bytes,
		.objects = usage.objects,
		.quota_bytes = line.quota_bytes,
		.quota_objects = line.quota_objects,
		.relaxed = line.flags & GML_LINE_RELAXED,
	};
	memcpy(out->name, name.ptr, name.len);
	return 0;
}

struct bucket_change {
	struct gml_access_change access; /* create */
	const struct gml_op *op;
	struct gml_span name;
	struct gml_bucket_new settings; /* create */
	uint64_t quota_bytes, quota_objects;
	bool relaxed;
	struct gml_bucket *out;
	struct gml_document_facts facts;  /* create: of settings.document */
	struct gml_deferred_frees *freed; /* delete: the blobs of the dropped uploads */
	bool more;			  /* and whether there are others */
};

/* The ACL of the new root where grants are stated, and the bucket has ACLs. */
static int bucket_grants(struct gml_txn *txn, const struct gml_bucket_new *settings,
			 struct gml_bucket_root *want, struct gml_acl *acl)
{
	const struct gml_bucket_rec rec = {.root = GML_INO_NONE, .uid = want->uid};
	int rc;
	if (settings->grants == NULL)
		return 0;
	rc = gml_grants_may(txn, &rec, settings->ownership, settings->grants);
	if (rc != 0 || settings->ownership == GML_BUCKET_OWNER_ENFORCED)
		return rc;
	want->acl = acl;
	return gml_grants_of_new(settings->grants, want->mode.mode, true, want->uid, want->uid,
				 acl);
}

static int bucket_put_documents(struct gml_txn *txn, const struct gml_bucket_new *settings,
				gml_ino root)
{
	const char *ownership = gml_ownership_format(settings->ownership);
	int rc = 0;
	if (settings->document.ptr != NULL)
		rc = gml_rec_config_put(txn, root, (uint8_t)settings->kind, settings->document);
	if (rc == 0 && settings->has_ownership)
		rc = gml_rec_config_put(txn, root, GML_BUCKET_OWNERSHIP, gml_span_text(ownership));
	return rc;
}

static int bucket_create_fn(struct gml_txn *txn, void *arg)
{
	struct bucket_change *change = arg;
	const struct gml_bucket_new *settings = &change->settings;
	struct gml_bucket_rec rec;
	struct gml_acl acl;
	struct gml_line line;
	struct gml_inode root;
	struct gml_bucket_root want = {.mode.mode = settings->has_mode ? settings->mode
								       : GML_BUCKET_MODE,
				       .uid = change->op->principal.cred.uid,
				       .gid = change->op->principal.cred.gid};
	int rc = gml_document_may(txn, GML_INO_NONE, &change->facts);
	/* of a bucket that is there, gml_bucket_txn_create says so */
	if (rc == 0 && gml_rec_bucket_get(txn, change->name, &rec) == GML_ERR_NOENT)
		rc = bucket_grants(txn, settings, &want, &acl);
	if (rc == 0)
		rc = gml_bucket_txn_create(txn, change->op, change->name, &want, &root);
	if (rc == 0 && change->facts.decides)
		gml_access_change_begin(&change->access);
	if (rc == 0)
		rc = bucket_put_documents(txn, settings, root.ino);
	if (rc == 0)
		rc = gml_rec_bucket_get(txn, change->name, &rec);
	if (rc == 0 && settings->relaxed) {
		rc = bucket_line(txn, rec.root, &line);
		line.flags |= GML_LINE_RELAXED;
		if (rc == 0)
			rc = gml_rec_line_put(txn, &line, change->name);
	}
	if (rc == 0 && change->out != NULL)
		rc = bucket_fill(txn, change->name, &rec, root.mode, change->out);
	return rc;
}

int gml_bucket_create(struct gml_op *op, struct gml_store *store, struct gml_span name,
		      const struct gml_bucket_new *settings, struct gml_bucket *out)
{
	struct bucket_change change = {.access.store = store, .op = op, .name = name, .out = out};
	int rc = gml_bucket_name_check(name);
	if (settings != NULL)
		change.settings = *settings;
	if (rc == 0 && change.settings.relaxed)
		rc = gml_may_administer(op, GML_ACTION_SET_RELAXED);
	if (rc == 0 && change.settings.document.len > GML_BUCKET_DOCUMENT_MAX)
		rc = GML_ERR_TOOBIG;
	gml_document_look(change.settings.kind, name, change.settings.document, &change.facts);
	return rc == 0 ? gml_access_change_commit(&change.access, bucket_create_fn, &change) : rc;
}

/* Unfinished uploads are removed with their bucket. They may be many, with many parts: each
 * transaction takes some, after it checked again that the bucket may be removed. */
static int bucket_drop_uploads(struct gml_txn *txn, struct bucket_change *change)
{
	struct gml_bucket_rec rec;
	int rc = bucket_remove_check(txn, change->op, change->name, &rec);
	for (unsigned i = 0; rc == 0 && i < BUCKET_UPLOADS_AT_ONCE; i++)
		rc = gml_upload_drop_first(txn, &rec, change->freed);
	change->more = rc == 0;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int bucket_delete_fn(struct gml_txn *txn, void *arg)
{
	struct bucket_change *change = arg;
	int rc;
	gml_assert(change->freed != NULL); /* the blobs of uploads are freed after the commit */
	gml_deferred_frees_reset(change->freed);
	rc = bucket_drop_uploads(txn, change);
	return rc != 0 || change->more ? rc : gml_bucket_txn_remove(txn, change->op, change->name);
}

int gml_bucket_delete(struct gml_op *op, struct gml_store *store, struct gml_span name)
{
	struct bucket_change change = {.op = op, .name = name};
	int rc;
	if (gml_bucket_name_check(name) != 0)
		return GML_ERR_NOBUCKET;
	do {
		change.freed = gml_deferred_frees_new();
		if (change.freed == NULL)
			return GML_ERR_NOMEM;
		rc = gml_meta_update(store->meta, bucket_delete_fn, &change);
		if (rc == 0)
			gml_deferred_frees_apply(store, change.freed);
		else
			gml_deferred_frees_free(change.freed);
	} while (rc == 0 && change.more);
	return rc;
}

/* Looks the bucket up and asks whether the caller may. */
static int bucket_look(struct gml_op *op, struct gml_store *store, struct gml_span name,
		       enum gml_action action, struct gml_bucket *out)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	struct gml_inode root;
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_meta_read_begin(store->meta, &txn);
	if (rc == 0) {
		rc = gml_rec_bucket_get(txn, name, &rec);
		if (rc == GML_ERR_NOENT)
			rc = GML_ERR_NOBUCKET;
	}
	if (rc == 0)
		rc = bucket_get_root(txn, rec.root, &root);
	if (rc == 0)
		rc = gml_bucket_txn_may(txn, op, action, &rec, &root);
	if (rc == 0)
		rc = bucket_fill(txn, name, &rec, root.mode, out);
	gml_meta_read_end(txn);
	return rc;
}

int gml_bucket_head(struct gml_op *op, struct gml_store *store, struct gml_span name,
		    struct gml_bucket *out)
{
	return bucket_look(op, store, name, GML_ACTION_HEAD_BUCKET, out);
}

int gml_bucket_may(struct gml_op *op, struct gml_store *store, struct gml_span name,
		   enum gml_action action, struct gml_bucket *out)
{
	struct gml_bucket bucket;
	return bucket_look(op, store, name, action, out != NULL ? out : &bucket);
}

int gml_bucket_owner(struct gml_store *store, struct gml_span name, uint32_t *uid_out)
{
	struct gml_txn *txn = NULL;
	struct gml_bucket_rec rec;
	int rc;
	if (name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_meta_read_begin(store->meta, &txn);
	if (rc == 0)
		rc = gml_rec_bucket_get(txn, name, &rec);
	if (rc == 0)
		*uid_out = rec.uid;
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
}

struct bucket_walk {
	struct gml_op *op;
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_bucket *bucket);
	void *arg;
	int rc;
};

static bool bucket_list_one(void *arg, struct gml_span name, const struct gml_bucket_rec *rec)
{
	struct bucket_walk *walk = arg;
	struct gml_bucket bucket;
	struct gml_inode root;
	if (gml_bucket_txn_may(walk->txn, walk->op, GML_ACTION_LIST_BUCKETS, rec, NULL) != 0)
		return true;
	walk->rc = bucket_get_root(walk->txn, rec->root, &root);
	if (walk->rc == 0)
		walk->rc = bucket_fill(walk->txn, name, rec, root.mode, &bucket);
	return walk->rc == 0 && walk->each(walk->arg, &bucket);
}

int gml_bucket_list(struct gml_op *op, struct gml_store *store, struct gml_span after,
		    bool (*each)(void *arg, const struct gml_bucket *bucket), void *arg)
{
	struct bucket_walk walk = {.op = op, .each = each, .arg = arg};
	const struct gml_target all = {.barred = false};
	int rc = gml_meta_read_begin(store->meta, &walk.txn);
	if (rc != 0)
		return rc;
	rc = gml_may(walk.txn, op, GML_ACTION_ASK_BUCKETS, &all);
	if (rc == 0)
		rc = gml_rec_bucket_each(walk.txn, after, bucket_list_one, &walk);
	gml_meta_read_end(walk.txn);
	return rc != 0 ? rc : walk.rc;
}

/* Settings of a bucket's line for administrators. */
static int bucket_admin_get(struct gml_txn *txn, const struct bucket_change *change,
			    struct gml_line *out)
{
	struct gml_bucket_rec rec;
	int rc = gml_rec_bucket_get(txn, change->name, &rec);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	return bucket_line(txn, rec.root, out);
}

static int bucket_admin_update(struct gml_store *store, enum gml_action action, gml_meta_fn fn,
			       struct bucket_change *change)
{
	int rc = gml_may_administer(change->op, action);
	if (rc != 0)
		return rc;
	if (gml_bucket_name_check(change->name) != 0)
		return GML_ERR_NOBUCKET;
	return gml_meta_update(store->meta, fn, change);
}

static int bucket_quota_fn(struct gml_txn *txn, void *arg)
{
	struct bucket_change *change = arg;
	struct gml_line line;
	int rc = bucket_admin_get(txn, change, &line);
	if (rc != 0)
		return rc;
	line.quota_bytes = change->quota_bytes;
	line.quota_objects = change->quota_objects;
	return gml_rec_line_put(txn, &line, change->name);
}

int gml_bucket_set_quota(struct gml_op *op, struct gml_store *store, struct gml_span name,
			 uint64_t bytes, uint64_t objects)
{
	struct bucket_change change = {
		.op = op, .name = name, .quota_bytes = bytes, .quota_objects = objects};
	return bucket_admin_update(store, GML_ACTION_SET_QUOTA, bucket_quota_fn, &change);
}

static int bucket_relaxed_fn(struct gml_txn *txn, void *arg)
{
	struct bucket_change *change = arg;
	struct gml_line line;
	int rc = bucket_admin_get(txn, change, &line);
	if (rc != 0)
		return rc;
	line.flags &= ~(uint32_t)GML_LINE_RELAXED;
	line.flags |= change->relaxed ? GML_LINE_RELAXED : 0;
	return gml_rec_line_put(txn, &line, change->name);
}

int gml_bucket_set_relaxed(struct gml_op *op, struct gml_store *store, struct gml_span name,
			   bool relaxed)
{
	struct bucket_change change = {.op = op, .name = name, .relaxed = relaxed};
	return bucket_admin_update(store, GML_ACTION_SET_RELAXED, bucket_relaxed_fn, &change);
}
