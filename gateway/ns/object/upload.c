// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads: create, look up, abort, list. Parts are in part.c, the end of an upload in
 * complete.c.
 *
 * An upload is a record (table upload), its parts (table part), and an entry "key NUL id" under the
 * bucket's hidden `uploads` parent, so that the order of names is S3's order of uploads. Ids begin
 * with the time, so they sort by initiation. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <gemel/account.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <gemel/upload.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/iam/grant.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/path.h"
#include "gateway/ns/store/store.h"
#include "bucket_txn.h"
#include "list_start.h"
#include "object_meta.h"
#include "publish.h"
#include "upload.h"

#define UPLOAD_NAME_MAX (GML_KEY_MAX + 1 + GML_UPLOAD_ID_LEN)
_Static_assert(UPLOAD_NAME_MAX <= GML_LIST_START_MAX, "a list of uploads begins at any of them");

void gml_upload_id_format(const uint8_t id[16], char out[GML_UPLOAD_ID_LEN + 1])
{
	gml_hex(id, 16, out);
}

int gml_upload_id_parse(struct gml_span id, uint8_t out[16])
{
	bool ok = id.len == GML_UPLOAD_ID_LEN && gml_hex_is_lower(id.ptr, id.len) &&
		  gml_unhex(id.ptr, 16, out);
	return ok ? 0 : GML_ERR_NOUPLOAD;
}

static int upload_id_make(uint8_t id[16])
{
	/* ids of one process are in order of creation also within one tick */
	static _Atomic uint64_t last;
	uint64_t before = atomic_load(&last), now;
	do {
		now = gml_change_next(before);
	} while (!atomic_compare_exchange_weak(&last, &before, now));
	for (int i = 0; i < 8; i++)
		id[i] = (uint8_t)(now >> (56 - 8 * i));
	return getrandom(id + 8, 8, 0) == 8 ? 0 : GML_ERR_IO;
}

static struct gml_span upload_name(struct gml_span key, const uint8_t id[16],
				   char buf[UPLOAD_NAME_MAX + 1])
{
	gml_assert(key.len > 0 && key.len <= GML_KEY_MAX);
	memcpy(buf, key.ptr, key.len);
	buf[key.len] = '\0';
	gml_upload_id_format(id, buf + key.len + 1);
	return gml_span_of(buf, key.len + 1 + GML_UPLOAD_ID_LEN);
}

/* ---- create ---------------------------------------------------------------------------------- */

struct upload_create {
	struct gml_op *op;
	const struct gml_object_ref *ref;
	const struct gml_grants *grants; /* NULL: none */
	bool tagged;
	struct gml_upload_rec rec;
	uint8_t id[16];
};

/* May the object get the grants? They are kept where the bucket has ACLs. */
static int upload_grants(struct gml_txn *txn, struct upload_create *create,
			 const struct gml_bucket_rec *bucket, uint8_t encoded[GML_GRANTS_BYTES_MAX])
{
	enum gml_ownership ownership;
	int rc;
	create->rec.grants = gml_span_of(NULL, 0);
	if (create->grants == NULL)
		return 0;
	rc = gml_grants_ownership(txn, bucket->root, &ownership);
	if (rc == 0)
		rc = gml_grants_may(txn, bucket, ownership, create->grants);
	if (rc == 0 && ownership != GML_BUCKET_OWNER_ENFORCED)
		create->rec.grants =
			gml_span_of(encoded, gml_grants_encode(create->grants, encoded));
	return rc;
}

static int upload_create_fn(struct gml_txn *txn, void *arg)
{
	struct gml_line line;
	struct upload_create *create = arg;
	struct gml_dirent dirent = {.ino = GML_INO_ROOT, .type = GML_REG};
	uint8_t grants[GML_GRANTS_BYTES_MAX];
	char name[UPLOAD_NAME_MAX + 1];
	struct gml_path path;
	int rc = gml_path_walk(txn, create->op, create->ref, &path);
	if (rc == 0)
		rc = gml_path_may(create->op, GML_ACTION_PUT_OBJECT, &path, NULL);
	if (rc == 0)
		rc = gml_path_may_state(create->op, &path, NULL, create->grants != NULL,
					create->tagged);
	if (rc == 0)
		rc = upload_grants(txn, create, &path.bucket, grants);
	if (rc != 0)
		return rc;
	create->rec.bucket = path.bucket.root;
	rc = gml_rec_line_get(txn, gml_line_id(path.bucket.root), &line);
	if (rc == 0)
		rc = gml_rec_upload_put(txn, create->id, &create->rec);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	return gml_rec_dirent_put(txn, &line, path.bucket.uploads,
				  upload_name(create->ref->key, create->id, name), &dirent);
}

int gml_upload_create(struct gml_op *op, struct gml_store *store, const struct gml_object_ref *ref,
		      const struct gml_upload_options *options, char id_out[GML_UPLOAD_ID_LEN + 1])
{
	struct upload_create create = {.op = op,
				       .ref = ref,
				       .grants = options->grants,
				       .tagged =
					       options->attrs != NULL && options->attrs->ntags > 0};
	struct gml_object_meta attach;
	int rc = options->grants != NULL && options->grants->count > GML_GRANTS_MAX
			 ? GML_ERR_INVAL
			 : gml_object_meta_build(options->attrs, &attach);
	if (rc != 0)
		return rc;
	rc = upload_id_make(create.id);
	if (rc == 0) {
		create.rec = (struct gml_upload_rec){
			.uid = op->principal.cred.uid,
			.gid = op->principal.cred.gid,
			.initiated = gml_now(),
			.checksum_algorithm = (uint8_t)options->checksum,
			.checksum_composite = options->composite,
			.key = ref->key,
			.headers = attach.headers,
			.meta = attach.pairs,
		};
		rc = gml_meta_update(store->meta, upload_create_fn, &create);
	}
	if (rc == 0)
		gml_upload_id_format(create.id, id_out);
	gml_object_meta_release(&attach);
	return rc;
}

/* ---- look up --------------------------------------------------------------------------------- */

static int upload_may(struct gml_txn *txn, const struct gml_op *op, enum gml_action action,
		      const struct gml_bucket_rec *bucket, const struct gml_upload_rec *upload)
{
	const struct gml_target target = {.key = upload->key, .bucket = bucket, .upload = upload};
	return gml_may(txn, op, action, &target);
}

/* Who has begun an upload may fill it for as long as the object may be made: else the space would
 * be taken by somebody whose right has ended. */
static int upload_may_fill(struct gml_txn *txn, const struct gml_op *op,
			   const struct gml_object_ref *ref)
{
	struct gml_path path;
	int rc = gml_path_walk(txn, op, ref, &path);
	return rc == 0 ? gml_path_may(op, GML_ACTION_PUT_OBJECT, &path, NULL) : rc;
}

int gml_upload_find(struct gml_txn *txn, const struct gml_op *op,
		    const struct gml_upload_want *want, struct gml_bucket_rec *bucket_out,
		    struct gml_upload_rec *out)
{
	const struct gml_object_ref *ref = want->ref;
	int rc;
	if (ref->bucket.len == 0 || ref->bucket.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_rec_bucket_get(txn, ref->bucket, bucket_out);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	rc = gml_rec_upload_get(txn, want->id, out);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOUPLOAD : rc;
	if (!gml_ino_equal(out->bucket, bucket_out->root) || !gml_span_equal(out->key, ref->key))
		return GML_ERR_NOUPLOAD;
	rc = upload_may(txn, op, want->action, bucket_out, out);
	return rc == 0 && want->action == GML_ACTION_UPLOAD_PART ? upload_may_fill(txn, op, ref)
								 : rc;
}

int gml_upload_read_begin(const struct gml_op *op, struct gml_store *store,
			  const struct gml_upload_ref *upload, enum gml_action action,
			  struct gml_upload_look *out)
{
	const struct gml_upload_want want = {&upload->object, out->id, action};
	int rc = gml_upload_id_parse(upload->id, out->id);
	out->txn = NULL;
	if (rc == 0)
		rc = gml_meta_read_begin(store->meta, &out->txn);
	if (rc != 0)
		return rc;
	rc = gml_upload_find(out->txn, op, &want, &out->bucket, &out->rec);
	if (rc != 0) {
		gml_meta_read_end(out->txn);
		out->txn = NULL;
	}
	return rc;
}

/* As gml_publish_grant decides it when the upload is completed. */
static int upload_owner(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
			const struct gml_upload_rec *rec, uint32_t *out)
{
	enum gml_ownership ownership;
	struct gml_grants grants;
	int rc;
	*out = rec->uid;
	if (rec->grants.len == 0)
		return 0;
	if (gml_grants_decode(rec->grants, &grants) != 0)
		return GML_ERR_CORRUPT;
	rc = gml_grants_ownership(txn, bucket->root, &ownership);
	if (rc == 0 && grants.for_bucket_owner && ownership == GML_BUCKET_OWNER_PREFERRED)
		*out = bucket->uid;
	return rc;
}

static int upload_fill(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
		       const uint8_t id[16], const struct gml_upload_rec *rec, struct gml_span key,
		       struct gml_upload *out)
{
	struct gml_span class;
	uint32_t owner;
	int rc = gml_rec_header_one(rec->headers, GML_HDR_STORAGE_CLASS, &class);
	if (rc == 0 && class.len > GML_STORAGE_CLASS_MAX)
		rc = GML_ERR_CORRUPT;
	if (rc == 0)
		rc = upload_owner(txn, bucket, rec, &owner);
	if (rc != 0)
		return rc;
	*out = (struct gml_upload){.key = key,
				   .uid = rec->uid,
				   .owner = owner,
				   .initiated = rec->initiated,
				   .checksum_algorithm = rec->checksum_algorithm,
				   .checksum_composite = rec->checksum_composite};
	if (class.len > 0)
		memcpy(out->storage_class, class.ptr, class.len);
	gml_upload_id_format(id, out->id);
	return 0;
}

int gml_upload_get(struct gml_op *op, struct gml_store *store, const struct gml_upload_ref *upload,
		   enum gml_action action, struct gml_upload *out)
{
	struct gml_upload_look look;
	int rc = gml_upload_read_begin(op, store, upload, action, &look);
	if (rc == 0)
		rc = upload_fill(look.txn, &look.bucket, look.id, &look.rec, upload->object.key,
				 out);
	gml_meta_read_end(look.txn);
	return rc;
}

/* ---- abort ----------------------------------------------------------------------------------- */

int gml_upload_drop_first(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
			  struct gml_deferred_frees *freed)
{
	struct gml_dirent_cursor *cursor;
	struct gml_dirent dirent;
	struct gml_span name;
	char key[GML_KEY_MAX];
	size_t len = 0;
	uint8_t id[16];
	int rc = gml_dirent_cursor_open(txn, bucket->uploads, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_seek(cursor, gml_span_of("", 0), true, &name, &dirent);
	if (rc == 0 && (name.len <= GML_UPLOAD_ID_LEN + 1 || name.len > UPLOAD_NAME_MAX))
		rc = GML_ERR_CORRUPT;
	if (rc == 0) {
		len = name.len - GML_UPLOAD_ID_LEN - 1;
		memcpy(key, name.ptr, len);
		rc = gml_upload_id_parse(
			gml_span_of((const char *)name.ptr + len + 1, GML_UPLOAD_ID_LEN), id);
	}
	gml_dirent_cursor_close(cursor);
	if (rc == 0)
		return gml_upload_drop(txn, bucket, gml_span_of(key, len), id, freed);
	return rc == GML_ERR_NOUPLOAD ? GML_ERR_CORRUPT : rc;
}

struct upload_abort {
	struct gml_op *op;
	const struct gml_object_ref *ref;
	uint8_t id[16];
	struct gml_deferred_frees *freed;
};

static bool upload_number_each(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	(void)rec;
	*(uint32_t *)arg = number;
	return false;
}

int gml_upload_drop(struct gml_txn *txn, const struct gml_bucket_rec *bucket, struct gml_span key,
		    const uint8_t id[16], struct gml_deferred_frees *freed)
{
	struct gml_line line;
	char name[UPLOAD_NAME_MAX + 1];
	uint32_t after = 0, number = 0;
	int rc;
	for (;;) {
		rc = gml_rec_part_each(txn, id, after, upload_number_each, &number);
		if (rc != 0 || number == after)
			break;
		gml_assert(number > after); /* or it would not end */
		rc = gml_part_drop(txn, id, number, freed);
		if (rc != 0)
			return rc;
		after = number;
	}
	if (rc == 0)
		rc = gml_rec_line_get(txn, gml_line_id(bucket->root), &line);
	if (rc == 0)
		rc = gml_rec_dirent_del(txn, &line, bucket->uploads, upload_name(key, id, name),
					NULL);
	if (rc == 0)
		rc = gml_rec_upload_del(txn, id);
	return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
}

static int upload_abort_fn(struct gml_txn *txn, void *arg)
{
	struct upload_abort *end = arg;
	const struct gml_upload_want want = {end->ref, end->id, GML_ACTION_ABORT_UPLOAD};
	struct gml_bucket_rec bucket;
	struct gml_upload_rec rec;
	int rc;
	gml_deferred_frees_reset(end->freed);
	rc = gml_upload_find(txn, end->op, &want, &bucket, &rec);
	if (rc != 0)
		return rc;
	return gml_upload_drop(txn, &bucket, end->ref->key, end->id, end->freed);
}

int gml_upload_abort(struct gml_op *op, struct gml_store *store,
		     const struct gml_upload_ref *upload)
{
	struct upload_abort end = {.op = op, .ref = &upload->object};
	int rc = gml_upload_id_parse(upload->id, end.id);
	if (rc != 0)
		return rc;
	end.freed = gml_deferred_frees_new();
	if (end.freed == NULL)
		return GML_ERR_NOMEM;
	rc = gml_meta_update(store->meta, upload_abort_fn, &end);
	if (rc == 0)
		gml_deferred_frees_apply(store, end.freed);
	else
		gml_deferred_frees_free(end.freed);
	return rc;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct upload_list {
	struct gml_op *op;
	struct gml_txn *txn;
	const struct gml_list_query *query;
	bool (*each)(void *arg, const struct gml_upload *upload);
	void *arg;
	struct gml_bucket_rec bucket;
	struct gml_dirent_cursor *cursor;
	uint32_t count;
	bool stop, truncated;
};

/* After all uploads of the marker's key, or after the one that after_id names. */
static bool upload_list_bound(const struct gml_list_query *query, struct gml_list_start *out)
{
	struct gml_span after = query->after, after_id = query->after_id;
	if (!gml_list_start_init(query, out))
		return false;
	if (out->inclusive || after.len > GML_KEY_MAX)
		return true;
	/* No key holds a NUL, so the key's uploads lie between "key NUL" and "key 0x01". */
	if (after_id.len == 0) {
		out->name[out->len++] = 1;
		out->inclusive = true;
		return true;
	}
	gml_assert(after_id.len == GML_UPLOAD_ID_LEN && out->len <= GML_KEY_MAX);
	out->name[out->len++] = '\0';
	memcpy(out->name + out->len, after_id.ptr, after_id.len);
	out->len += after_id.len;
	return true;
}

static void upload_hand_out(struct upload_list *list, const struct gml_upload *upload)
{
	gml_assert(!list->stop && gml_span_starts(upload->key, list->query->prefix));
	if (list->count == list->query->max) {
		list->truncated = list->stop = true;
		return;
	}
	list->count++;
	if (!list->each(list->arg, upload))
		list->truncated = list->stop = true;
}

/* One entry; on return name and dirent are the next to look at (NOENT: none). */
static int upload_list_visit(struct upload_list *list, struct gml_span *name,
			     struct gml_dirent *dirent)
{
	struct gml_upload upload = {0};
	struct gml_upload_rec rec;
	struct gml_list_start next;
	uint8_t id[16];
	size_t common;
	struct gml_span key;
	int rc;
	if (name->len <= GML_UPLOAD_ID_LEN + 1)
		return GML_ERR_CORRUPT;
	key = gml_span_of(name->ptr, name->len - GML_UPLOAD_ID_LEN - 1);
	if (!gml_span_starts(key, list->query->prefix))
		return GML_ERR_NOENT;
	rc = gml_upload_id_parse(
		gml_span_of((const char *)key.ptr + key.len + 1, GML_UPLOAD_ID_LEN), id);
	if (rc == 0)
		rc = gml_rec_upload_get(list->txn, id, &rec);
	if (rc != 0)
		return rc == GML_ERR_NOENT || rc == GML_ERR_NOUPLOAD ? GML_ERR_CORRUPT : rc;
	if (upload_may(list->txn, list->op, GML_ACTION_SEE_UPLOAD, &list->bucket, &rec) != 0)
		return gml_dirent_cursor_next(list->cursor, name, dirent);
	common = gml_list_start_common(list->query, key);
	if (common == 0) {
		rc = upload_fill(list->txn, &list->bucket, id, &rec, key, &upload);
		if (rc != 0)
			return rc;
		upload_hand_out(list, &upload);
		return list->stop ? GML_ERR_NOENT
				  : gml_dirent_cursor_next(list->cursor, name, dirent);
	}
	upload.key = gml_span_of(key.ptr, common);
	upload.common_prefix = true;
	gml_upload_id_format(id, upload.id);
	upload_hand_out(list, &upload);
	if (list->stop || !gml_list_start_after(upload.key, &next))
		return GML_ERR_NOENT;
	return gml_dirent_cursor_seek(list->cursor, gml_span_of(next.name, next.len), true, name,
				      dirent);
}

static int upload_list_run(struct upload_list *list)
{
	struct gml_span bucket = list->query->bucket;
	struct gml_list_start bound;
	struct gml_dirent dirent;
	struct gml_inode root;
	struct gml_span name;
	int rc;
	if (bucket.len == 0 || bucket.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_NOBUCKET;
	rc = gml_rec_bucket_get(list->txn, bucket, &list->bucket);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOBUCKET : rc;
	rc = gml_rec_inode_get(list->txn, list->bucket.root, &root);
	if (rc == 0)
		rc = gml_bucket_txn_may(list->txn, list->op, GML_ACTION_LIST_UPLOADS, &list->bucket,
					&root);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	if (list->query->max == 0 || !upload_list_bound(list->query, &bound))
		return 0;
	rc = gml_dirent_cursor_open(list->txn, list->bucket.uploads, &list->cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_seek(list->cursor, gml_span_of(bound.name, bound.len),
				    bound.inclusive, &name, &dirent);
	while (rc == 0)
		rc = upload_list_visit(list, &name, &dirent);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_upload_list(struct gml_op *op, struct gml_store *store, const struct gml_list_query *query,
		    bool (*each)(void *arg, const struct gml_upload *upload), void *arg,
		    bool *truncated_out)
{
	struct upload_list list = {.op = op, .query = query, .each = each, .arg = arg};
	uint8_t id[16];
	int rc = query->after_id.len > 0 ? gml_upload_id_parse(query->after_id, id) : 0;
	*truncated_out = false;
	if (rc == 0)
		rc = gml_meta_read_begin(store->meta, &list.txn);
	if (rc != 0)
		return rc;
	rc = upload_list_run(&list);
	gml_dirent_cursor_close(list.cursor);
	gml_meta_read_end(list.txn);
	*truncated_out = rc == 0 && list.truncated;
	return rc;
}
