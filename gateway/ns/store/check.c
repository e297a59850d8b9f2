// SPDX-License-Identifier: Apache-2.0
/* The store check: its frame, and the tables of neither names nor content. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/owner.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"
#include "store.h"

#define CHECK_STEP 4096 /* records between two calls of progress */

void gml_check_problem(struct check *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->report->problems++;
	if (c->problem != NULL)
		c->problem(c->arg, text);
}

bool gml_check_failed(struct check *c, int rc)
{
	if (rc != GML_ERR_NOMEM && rc != GML_ERR_IO && rc != GML_ERR_AGAIN)
		return false;
	if (c->rc == 0)
		c->rc = rc;
	return true;
}

void gml_check_step(struct check *c)
{
	if (++c->done % CHECK_STEP == 0 && c->progress != NULL)
		c->progress(c->arg, c->done < c->total ? c->done : c->total, c->total);
}

void *gml_check_push(struct check *c, struct check_array *array)
{
	gml_assert(array->size > 0 && array->count <= array->cap);
	if (array->count == array->cap) {
		size_t cap = array->cap != 0 ? array->cap + array->cap / 2 : 1024;
		void *items = reallocarray(array->items, cap, array->size);
		if (items == NULL) {
			c->rc = GML_ERR_NOMEM;
			return NULL;
		}
		array->items = items;
		array->cap = cap;
	}
	return memset(gml_check_at(array, array->count++), 0, array->size);
}

int gml_check_order(gml_ino a, gml_ino b)
{
	if (a.view != b.view)
		return a.view < b.view ? -1 : 1;
	return a.num < b.num ? -1 : a.num > b.num;
}

static int check_order_inode(const void *want, const void *item)
{
	return gml_check_order(*(const gml_ino *)want, ((const struct check_inode *)item)->ino);
}

/* The order of roots is that of lines as well. */
static int check_order_bucket(const void *want, const void *item)
{
	uint64_t a = *(const uint64_t *)want;
	uint64_t b = gml_line_id(((const struct check_bucket *)item)->rec.root);
	return a < b ? -1 : a > b;
}

static int check_order_blob(const void *want, const void *item)
{
	uint64_t a = *(const uint64_t *)want, b = ((const struct check_blob *)item)->id;
	return a < b ? -1 : a > b;
}

/* The arrays are sorted. */
static void *check_find(const struct check_array *array, const void *want,
			int (*order)(const void *want, const void *item))
{
	return array->count == 0 ? NULL
				 : bsearch(want, array->items, array->count, array->size, order);
}

struct check_inode *gml_check_inode(struct check *c, gml_ino ino)
{
	return check_find(&c->inodes, &ino, check_order_inode);
}

struct check_bucket *gml_check_line(struct check *c, uint64_t line)
{
	return check_find(&c->buckets, &line, check_order_bucket);
}

struct check_bucket *gml_check_bucket(struct check *c, gml_ino root)
{
	struct check_bucket *bucket = gml_check_line(c, gml_line_id(root));
	return bucket != NULL && gml_ino_equal(bucket->rec.root, root) ? bucket : NULL;
}

struct check_blob *gml_check_blob(struct check *c, uint64_t id)
{
	return check_find(&c->blobs, &id, check_order_blob);
}

uint64_t gml_check_u64(const void *key)
{
	const uint8_t *p = key;
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

bool gml_check_ino(struct gml_span key, size_t rest, gml_ino *ino_out)
{
	size_t len = gml_rec_ino_of_key(key, ino_out);
	return len > 0 && key.len == len + rest;
}

const char *gml_check_name(char out[128], struct gml_span name)
{
	const uint8_t *p = name.ptr;
	size_t at = 0;
	for (size_t i = 0; i < name.len && at < 120; i++) {
		if (p[i] >= ' ' && p[i] <= '~' && p[i] != '\\')
			out[at++] = (char)p[i];
		else
			at += (size_t)snprintf(out + at, 5, "\\x%02x", p[i]);
	}
	out[at] = '\0';
	return out;
}

int gml_check_keys(struct check *c, enum gml_table table,
		   int (*each)(struct check *c, struct gml_span key))
{
	struct gml_span key, value, start = {"", 0};
	struct gml_cursor *cursor = NULL;
	int rc = gml_cursor_open(c->txn, table, &cursor);
	gml_assert(!c->txn->writable); /* a check changes nothing */
	if (rc != 0)
		return rc;
	for (rc = gml_cursor_seek(cursor, start, &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		gml_check_step(c);
		rc = each(c, key);
		if (rc == 0)
			rc = c->rc;
		if (rc != 0)
			break;
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* ---- orphans and DIRTY files ----------------------------------------------------------------- */

static bool check_orphan(void *arg, gml_ino ino, int64_t since)
{
	struct check *c = arg;
	struct check_inode *inode = gml_check_inode(c, ino);
	c->report->orphans++;
	gml_check_step(c);
	if (inode == NULL)
		gml_check_problem(c, "orphan %s: no such inode", gml_ino_text(ino));
	else if (!(inode->bits & CHECK_ORPHAN))
		gml_check_problem(c, "inode %s: in the orphan table, but not marked ORPHAN",
				  gml_ino_text(ino));
	return true;
}

static bool check_dirty(void *arg, gml_ino ino, const struct gml_owner *owner)
{
	struct check *c = arg;
	struct check_inode *inode = gml_check_inode(c, ino);
	c->dirty++;
	gml_check_step(c);
	if (inode == NULL)
		gml_check_problem(c, "dirty %s: no such inode", gml_ino_text(ino));
	else if (!(inode->bits & CHECK_DIRTY))
		gml_check_problem(c, "inode %s: in the dirty table, but not marked DIRTY",
				  gml_ino_text(ino));
	/* the reaper frees those */
	else if (!(inode->bits & CHECK_ORPHAN) && !gml_presence_alive(c->store->presence, owner))
		gml_check_problem(
			c, "inode %s: DIRTY by process %u, which is gone (recovery settles it)",
			gml_ino_text(ino), owner->pid);
	return true;
}

static int check_states(struct check *c)
{
	uint64_t marked_orphan = 0, marked_dirty = 0;
	int rc = gml_rec_orphan_each(c->txn, GML_INO_NONE, check_orphan, c);
	if (rc == 0)
		rc = gml_rec_dirty_each(c->txn, GML_INO_NONE, check_dirty, c);
	for (size_t i = 0; i < c->inodes.count; i++) {
		const struct check_inode *inode = gml_check_at(&c->inodes, i);
		marked_orphan += (inode->bits & CHECK_ORPHAN) != 0;
		marked_dirty += (inode->bits & CHECK_DIRTY) != 0;
	}
	if (rc == 0 && marked_orphan > c->report->orphans)
		gml_check_problem(c,
				  "%" PRIu64 " inodes are marked ORPHAN, %" PRIu64
				  " are in the orphan table",
				  marked_orphan, c->report->orphans);
	if (rc == 0 && marked_dirty > c->dirty)
		gml_check_problem(c,
				  "%" PRIu64 " inodes are marked DIRTY, %" PRIu64
				  " are in the dirty table",
				  marked_dirty, c->dirty);
	return rc;
}

/* ---- xattrs ---------------------------------------------------------------------------------- */

static int check_xattr(struct check *c, struct gml_span key)
{
	struct check_inode *inode = NULL;
	gml_ino ino;
	c->report->xattrs++;
	if (gml_rec_ino_of_key(key, &ino) > 0)
		inode = gml_check_inode(c, ino);
	if (inode == NULL)
		gml_check_problem(c, "xattr of inode %s: no such inode", gml_ino_text(ino));
	else if (!(inode->bits & CHECK_XATTRS))
		gml_check_problem(c, "inode %s: has xattrs, but is not marked XATTRS",
				  gml_ino_text(inode->ino));
	return 0;
}

/* ---- users, keys, indexes -------------------------------------------------------------------- */

struct check_same {
	const char *name;
	bool found;
};

static bool check_same_one(void *arg, const struct gml_user *user)
{
	struct check_same *same = arg;
	same->found = strcmp(user->name, same->name) == 0;
	return !same->found;
}

static bool check_user(void *arg, const struct gml_user *user)
{
	struct check *c = arg;
	struct check_same same = {.name = user->name};
	if (gml_rec_user_each_of(c->txn, user->uid, check_same_one, &same) != 0 || !same.found)
		gml_check_problem(c, "user %s: not found by uid %u", user->name, user->uid);
	return true;
}

static bool check_key(void *arg, const struct gml_key *key)
{
	struct check *c = arg;
	struct gml_user user;
	if (gml_rec_user_get(c->txn, gml_span_text(key->user), &user) != 0)
		gml_check_problem(c, "access key %s: no user %s", key->id, key->user);
	return true;
}

static int check_config(struct check *c, struct gml_span key)
{
	uint64_t line = key.len == 9 ? gml_check_u64(key.ptr) : 0;
	const struct check_bucket *bucket = gml_check_line(c, line);
	uint8_t kind = key.len == 9 ? ((const uint8_t *)key.ptr)[8] : 0;
	struct gml_span document;
	if (bucket == NULL)
		gml_check_problem(c, "document %u of bucket %" PRIu64 ": no such bucket", kind,
				  line);
	else if (gml_rec_config_get(c->txn, bucket->rec.root, kind, &document) != 0)
		gml_check_problem(c, "document %u of bucket %" PRIu64 ": damaged", kind, line);
	else
		gml_check_document(c, bucket, kind, document);
	return 0;
}

/* Of another length, it keeps the table of refused uids from being read. */
static void check_retired(struct check *c, struct gml_span key)
{
	char text[128];
	if (key.len != 5)
		gml_check_problem(c, "retired uids: a damaged record, key %s",
				  gml_check_name(text, key));
}

static void check_secret(struct check *c)
{
	uint8_t secret[GML_REC_SECRET];
	if (gml_rec_secret_get(c->txn, secret) != 0)
		gml_check_problem(c, "table super: the secret of file handles is damaged");
	explicit_bzero(secret, sizeof(secret));
}

static int check_super(struct check *c, struct gml_span key)
{
	const uint8_t *p = key.ptr;
	struct gml_user user;
	char text[128];
	if (key.len > 5 && p[0] == GML_SUPER_UID) {
		uint32_t uid =
			(uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
		struct gml_span who = {p + 5, key.len - 5};
		if (gml_rec_user_get(c->txn, who, &user) != 0 || user.uid != uid)
			gml_check_problem(c, "index of uids: %u is not user %s", uid,
					  gml_check_name(text, who));
	} else if (p[0] == GML_SUPER_RETIRED) {
		check_retired(c, key);
	} else if (p[0] == GML_SUPER_SECRET && key.len == 1) {
		check_secret(c);
	} else if (p[0] > GML_SUPER_LEASE) {
		gml_check_problem(c, "table super: key %s is of no kind",
				  gml_check_name(text, key));
	}
	return 0;
}

/* ---- checksums of the records ---------------------------------------------------------------- */

static void check_damaged(void *arg, enum gml_table table, struct gml_span key)
{
	char text[128];
	gml_check_problem(arg, "table %s: the record at key %s is damaged", gml_table_name(table),
			  gml_check_name(text, key));
}

/* Each damaged record by its key, before what it means for others. */
static int check_records(struct check *c)
{
	int rc = 0;
	for (int table = 0; rc == 0 && table < GML_TABLE_COUNT_; table++)
		rc = gml_rec_verify(c->txn, (enum gml_table)table, check_damaged, c);
	return rc;
}

/* A damaged record ends the walk of its table; the check continues. */
static int check_table(struct check *c, const char *table, int rc)
{
	if (rc != GML_ERR_CORRUPT)
		return rc;
	gml_check_problem(c, "table %s: a damaged record; what follows it was not checked", table);
	return 0;
}

/* ---- frame ----------------------------------------------------------------------------------- */

static bool check_add_lease(void *arg, const struct gml_lease *lease)
{
	struct check *c = arg;
	struct gml_lease *copy;
	if (!gml_presence_alive(c->store->presence, &lease->owner))
		return true;
	copy = gml_check_push(c, &c->leases);
	if (copy == NULL)
		return false;
	*copy = *lease;
	return true;
}

static int check_count(struct check *c)
{
	static const enum gml_table tables[] = {
		GML_TABLE_BLOB,	 GML_TABLE_INODE,  GML_TABLE_DIRENT, GML_TABLE_EXTENT,
		GML_TABLE_XATTR, GML_TABLE_ORPHAN, GML_TABLE_DIRTY,  GML_TABLE_UPLOAD,
		GML_TABLE_PART,	 GML_TABLE_SUM};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(*tables); i++) {
		uint64_t n = 0;
		rc = gml_rec_count(c->txn, tables[i], &n);
		c->total += n;
	}
	return rc;
}

static int check_all(struct check *c)
{
	int rc = gml_check_read_disk(c);
	if (rc == 0)
		rc = gml_meta_read_begin(c->store->meta, &c->txn);
	if (rc == 0)
		rc = check_count(c);
	if (rc == 0)
		rc = check_records(c);
	if (rc == 0)
		rc = check_table(c, "lease", gml_rec_lease_each(c->txn, check_add_lease, c));
	if (rc == 0)
		rc = check_table(c, "bucket", gml_check_load_buckets(c));
	if (rc == 0)
		rc = check_table(c, "line or usage", gml_check_lines(c));
	if (rc == 0)
		rc = gml_check_blobs(c);
	if (rc == 0)
		rc = gml_check_sums(c);
	if (rc == 0)
		rc = gml_check_inodes(c);
	if (rc == 0)
		rc = gml_check_dirents(c);
	if (rc == 0)
		rc = gml_check_backrefs(c);
	if (rc == 0)
		rc = gml_check_extents(c);
	if (rc == 0)
		rc = gml_check_keys(c, GML_TABLE_XATTR, check_xattr);
	if (rc == 0)
		rc = check_table(c, "orphan or dirty", check_states(c));
	if (rc == 0)
		rc = check_table(c, "upload or part", gml_check_uploads(c));
	if (rc == 0)
		rc = check_table(c, "user", gml_rec_user_each(c->txn, check_user, c));
	if (rc == 0)
		rc = check_table(c, "key", gml_rec_key_each(c->txn, check_key, c));
	if (rc == 0)
		rc = gml_check_keys(c, GML_TABLE_CONFIG, check_config);
	if (rc == 0)
		rc = check_table(c, "iam", gml_check_iam(c));
	if (rc == 0)
		rc = gml_check_keys(c, GML_TABLE_SUPER, check_super);
	if (rc == 0)
		rc = c->rc;
	if (rc != 0)
		return rc;
	gml_check_links(c);
	gml_check_refs(c);
	gml_check_usage(c);
	return gml_check_unreferenced(c);
}

static void check_log_problem(void *arg, const char *text)
{
	gml_check_problem(arg, "%s", text);
}

int gml_store_check(struct gml_op *op, struct gml_store *store,
		    void (*problem)(void *arg, const char *text),
		    void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
		    struct gml_check_report *report_out)
{
	struct check c = {
		.store = store,
		.problem = problem,
		.progress = progress,
		.arg = arg,
		.report = report_out,
		.files.size = sizeof(struct check_file),
		.strays.size = sizeof(struct check_file),
		.inodes.size = sizeof(struct check_inode),
		.blobs.size = sizeof(struct check_blob),
		.buckets.size = sizeof(struct check_bucket),
		.leases.size = sizeof(struct gml_lease),
	};
	int rc;
	*report_out = (struct gml_check_report){0};
	rc = check_all(&c);
	if (rc == 0)
		rc = c.rc;
	if (rc == 0)
		rc = gml_meta_check(store->meta, check_log_problem, &c);
	if (rc == 0 && progress != NULL)
		progress(arg, c.total, c.total);
	gml_meta_read_end(c.txn);
	free(c.files.items);
	free(c.strays.items);
	free(c.inodes.items);
	free(c.blobs.items);
	free(c.buckets.items);
	free(c.leases.items);
	return rc;
}
