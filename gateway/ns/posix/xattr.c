// SPDX-License-Identifier: Apache-2.0
/* Extended attributes (RFC 8276). Names below user.s3. are the metadata of an S3 object; S3's
 * limits apply to them here as well, and they contain only what an HTTP header can. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/base/presence.h"
#include "gateway/base/span.h"
#include "gateway/iam/authorize.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/core/may_change.h"
#include "gateway/ns/object/object_meta.h"
#include "gateway/ns/store/store.h"
#include "handle.h"
#include "xattr.h"

#define XATTR_PREFIX "user."
#define XATTR_META GML_OBJECT_META_PREFIX
#define XATTR_TAG GML_OBJECT_TAG_PREFIX
#define XATTR_META_MAX 2048 /* bytes of all metadata names (without the prefix) and values */
#define XATTR_NAMES_MAX GML_XATTR_NAMES_MAX
_Static_assert(GML_XATTR_VALUE_MAX < GML_ENGINE_VALUE_LEAST, "a value is one record");

static bool xattr_has_prefix(struct gml_span name, const char *prefix)
{
	size_t len = strlen(prefix);
	return name.len >= len && memcmp(name.ptr, prefix, len) == 0;
}

static int xattr_name_check(struct gml_span name)
{
	if (name.len > GML_XATTR_NAME_MAX)
		return GML_ERR_NAMETOOLONG;
	if (!xattr_has_prefix(name, XATTR_PREFIX))
		return GML_ERR_NOTSUP;
	if (name.len == strlen(XATTR_PREFIX) || memchr(name.ptr, '\0', name.len) != NULL)
		return GML_ERR_INVAL;
	return 0;
}

static bool xattr_token(struct gml_span name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	const char *p = name.ptr;
	for (size_t i = 0; i < name.len; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') &&
		    (p[i] == '\0' || strchr(others, p[i]) == NULL))
			return false;
	return name.len > 0;
}

static bool xattr_no_controls(struct gml_span value)
{
	const uint8_t *p = value.ptr;
	for (size_t i = 0; i < value.len; i++)
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return true;
}

static int xattr_value_check(struct gml_span name, struct gml_span value)
{
	size_t meta = strlen(XATTR_META);
	if (value.len > GML_XATTR_VALUE_MAX)
		return GML_ERR_TOOBIG;
	if (xattr_has_prefix(name, XATTR_META) &&
	    (!xattr_token(gml_span_of((const char *)name.ptr + meta, name.len - meta)) ||
	     !xattr_no_controls(value)))
		return GML_ERR_INVAL;
	if (xattr_has_prefix(name, XATTR_TAG)) {
		if (value.len > GML_TAG_VALUE_MAX)
			return GML_ERR_TOOBIG;
		if (name.len == strlen(XATTR_TAG) || !xattr_no_controls(value))
			return GML_ERR_INVAL;
	}
	return 0;
}

/* What is asked of the inode. */
struct xattr_ask {
	enum gml_action action;
	enum gml_change change; /* 0: none, it is read */
};

/* User attributes are for files and directories only, as Linux has it. */
static int xattr_suits(const struct gml_op *op, const struct gml_inode *inode,
		       enum gml_change change)
{
	if (change != 0)
		return gml_may_change(op, inode, change);
	return inode->type == GML_REG || inode->type == GML_DIR ? 0 : GML_ERR_PERM;
}

static int xattr_inode(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		       gml_ino ino, struct xattr_ask ask, struct gml_inode *out)
{
	bool barred;
	int suits, rc = gml_handle_look(txn, op, store, ino, out, &barred);
	if (rc != 0)
		return rc;
	suits = xattr_suits(op, out, ask.change);
	rc = gml_may_inode(txn, op, suits == 0 ? ask.action : GML_ACTION_GETATTR, out, barred);
	return rc == 0 ? suits : rc;
}

static struct xattr_ask xattr_get_ask(struct gml_span name)
{
	bool tag = xattr_has_prefix(name, XATTR_TAG);
	return (struct xattr_ask){.action = tag ? GML_ACTION_GET_OBJECT_TAGGING
						: GML_ACTION_GET_XATTR};
}

static struct xattr_ask xattr_set_ask(struct gml_span name)
{
	bool tag = xattr_has_prefix(name, XATTR_TAG);
	return (struct xattr_ask){.action = tag ? GML_ACTION_PUT_OBJECT_TAGGING
						: GML_ACTION_SET_XATTR,
				  .change = GML_CHANGE_XATTRS};
}

int gml_xattr_get(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  struct gml_buf buf, size_t *len_out)
{
	struct gml_span value;
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = xattr_name_check(name);
	if (rc == 0)
		rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = xattr_inode(txn, op, store, ino, xattr_get_ask(name), &inode);
	if (rc == GML_ERR_PERM)
		rc = GML_ERR_NOXATTR;
	if (rc == 0)
		rc = gml_rec_xattr_get(txn, ino, name, &value);
	if (rc == 0) {
		*len_out = value.len;
		if (buf.len > 0 && value.len > buf.len)
			rc = GML_ERR_TOOBIG;
		else if (buf.len > 0 && value.len > 0)
			memcpy(buf.ptr, value.ptr, value.len);
	}
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? GML_ERR_NOXATTR : rc;
}

/* The attributes of the inode after a set. */
struct xattr_sum {
	struct gml_span name; /* left out: it is replaced */
	size_t count, total, names, meta, tags;
};

static void xattr_count(struct xattr_sum *sum, struct gml_span name, struct gml_span value)
{
	sum->count++;
	sum->total += name.len + value.len;
	if (name.len <= GML_XATTR_NAME_MAX) /* what listxattr(2) shows */
		sum->names += name.len + 1;
	if (xattr_has_prefix(name, XATTR_META))
		sum->meta += name.len - strlen(XATTR_META) + value.len;
	if (xattr_has_prefix(name, XATTR_TAG))
		sum->tags++;
}

static bool xattr_sum_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct xattr_sum *sum = arg;
	if (name.len != sum->name.len || memcmp(name.ptr, sum->name.ptr, name.len) != 0)
		xattr_count(sum, name, value);
	return true;
}

static bool xattr_sum_fits(const struct xattr_sum *sum)
{
	return sum->count <= GML_XATTR_COUNT_MAX && sum->total <= GML_XATTR_TOTAL_MAX &&
	       sum->names <= XATTR_NAMES_MAX;
}

static int xattr_fits(struct gml_txn *txn, gml_ino ino, struct gml_span name, struct gml_span value)
{
	struct xattr_sum sum = {.name = name};
	int rc = gml_rec_xattr_each(txn, ino, gml_span_of(NULL, 0), xattr_sum_each, &sum);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	xattr_count(&sum, name, value);
	if (xattr_has_prefix(name, XATTR_META) && sum.meta > XATTR_META_MAX)
		return GML_ERR_TOOBIG;
	if (xattr_has_prefix(name, XATTR_TAG) && sum.tags > GML_TAGS_MAX)
		return GML_ERR_TOOBIG;
	return xattr_sum_fits(&sum) ? 0 : GML_ERR_NOSPC;
}

struct xattr_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino ino;
	struct gml_span name, value;
	enum gml_xattr_disposition disposition;
	uint64_t counter; /* gml_presence_change */
};

/* counter: gml_presence_change. */
static int xattr_touch(struct gml_txn *txn, struct gml_inode *inode, uint64_t counter)
{
	gml_assert(inode->type == GML_REG || inode->type == GML_DIR); /* xattr_suits */
	inode->ctime = gml_now();
	inode->change = gml_change_next(gml_change_seen(inode, counter));
	if (inode->type == GML_DIR)
		inode->flags |= GML_INODE_EXPLICIT;
	return gml_inode_save(txn, inode);
}

static int xattr_set_fn(struct gml_txn *txn, void *argp)
{
	struct xattr_arg *arg = argp;
	struct gml_inode inode;
	struct gml_line line;
	struct gml_span old;
	bool shorter;
	int rc = xattr_inode(txn, arg->op, arg->store, arg->ino, xattr_set_ask(arg->name), &inode);
	if (rc != 0)
		return rc;
	rc = gml_rec_xattr_get(txn, arg->ino, arg->name, &old);
	if (rc == 0 && arg->disposition == GML_XATTR_CREATE)
		return GML_ERR_EXIST;
	if (rc == GML_ERR_NOENT && arg->disposition == GML_XATTR_REPLACE)
		return GML_ERR_NOXATTR;
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	/* A value that does not become longer fits as before, also when the inode has more than a
	 * set allows. */
	shorter = rc == 0 && arg->value.len <= old.len;
	rc = shorter ? 0 : xattr_fits(txn, arg->ino, arg->name, arg->value);
	if (rc == 0)
		rc = gml_rec_line_of(txn, inode.bucket, &line);
	if (rc == 0)
		rc = gml_rec_xattr_put(txn, &line, arg->ino, arg->name, arg->value);
	if (rc != 0)
		return rc;
	inode.flags |= GML_INODE_XATTRS;
	return xattr_touch(txn, &inode, arg->counter);
}

int gml_xattr_set(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name,
		  struct gml_span value, enum gml_xattr_disposition disposition)
{
	struct xattr_arg arg = {op,
				store,
				ino,
				name,
				value,
				disposition,
				gml_presence_change(store->presence, ino)};
	int rc = xattr_name_check(name);
	if (rc == 0)
		rc = xattr_value_check(name, value);
	return rc == 0 ? gml_meta_update(store->meta, xattr_set_fn, &arg) : rc;
}

static bool xattr_any_each(void *arg, struct gml_span name, struct gml_span value)
{
	*(bool *)arg = true;
	return false;
}

static int xattr_remove_fn(struct gml_txn *txn, void *argp)
{
	struct xattr_arg *arg = argp;
	struct gml_inode inode;
	struct gml_line line;
	struct gml_span old;
	bool any = false;
	int rc = xattr_inode(txn, arg->op, arg->store, arg->ino, xattr_set_ask(arg->name), &inode);
	if (rc == 0)
		rc = gml_rec_xattr_get(txn, arg->ino, arg->name, &old);
	if (rc == 0)
		rc = gml_rec_line_of(txn, inode.bucket, &line);
	if (rc == 0)
		rc = gml_rec_xattr_del(txn, &line, arg->ino, arg->name);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_NOXATTR : rc;
	rc = gml_rec_xattr_each(txn, arg->ino, gml_span_of(NULL, 0), xattr_any_each, &any);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	if (!any)
		inode.flags &= ~(uint32_t)GML_INODE_XATTRS;
	return xattr_touch(txn, &inode, arg->counter);
}

int gml_xattr_remove(struct gml_op *op, struct gml_store *store, gml_ino ino, struct gml_span name)
{
	struct xattr_arg arg = {.op = op,
				.store = store,
				.ino = ino,
				.name = name,
				.counter = gml_presence_change(store->presence, ino)};
	int rc = xattr_name_check(name);
	return rc == 0 ? gml_meta_update(store->meta, xattr_remove_fn, &arg) : rc;
}

/* Which attributes are wanted. */
struct xattr_range {
	enum gml_action action; /* the right that they need */
	struct gml_span from;	/* after this name */
	bool *tags_out;		/* may the caller see tags as well? NULL: not asked */
};

/* In one snapshot, while `each` answers true. */
static int xattr_walk(struct gml_op *op, struct gml_store *store, gml_ino ino,
		      const struct xattr_range *range,
		      bool (*each)(void *arg, struct gml_span name, struct gml_span value),
		      void *arg)
{
	const struct xattr_ask ask = {.action = range->action};
	struct gml_inode inode;
	struct gml_txn *txn;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = xattr_inode(txn, op, store, ino, ask, &inode);
	if (rc == 0 && (inode.flags & GML_INODE_XATTRS)) {
		if (range->tags_out != NULL)
			*range->tags_out =
				gml_handle_get(txn, op, store, ino, GML_ACTION_GET_OBJECT_TAGGING,
					       &inode) == 0;
		rc = gml_rec_xattr_each(txn, ino, range->from, each, arg);
	}
	gml_meta_read_end(txn);
	/* What can have none has none. */
	return rc == GML_ERR_PERM || rc == GML_ERR_NOENT ? 0 : rc;
}

struct xattr_list {
	bool (*each)(void *arg, struct gml_span name);
	void *arg;
	bool tags; /* are shown */
};

static bool xattr_list_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct xattr_list *list = arg;
	(void)value;
	/* NFS cannot carry longer names. */
	return name.len > GML_XATTR_NAME_MAX ||
	       (!list->tags && xattr_has_prefix(name, XATTR_TAG)) || list->each(list->arg, name);
}

int gml_xattr_list(struct gml_op *op, struct gml_store *store, gml_ino ino,
		   bool (*each)(void *arg, struct gml_span name), void *arg)
{
	struct xattr_list list = {.each = each, .arg = arg};
	const struct xattr_range all = {.action = GML_ACTION_GET_XATTR, .tags_out = &list.tags};
	return xattr_walk(op, store, ino, &all, xattr_list_each, &list);
}

/* ---- tags: a set that is read and replaced as a whole ---------------------------------------- */

struct tags_list {
	bool (*each)(void *arg, struct gml_span name, struct gml_span value);
	void *arg;
};

static bool tags_list_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct tags_list *list = arg;
	size_t skip = strlen(XATTR_TAG);
	if (!xattr_has_prefix(name, XATTR_TAG))
		return false; /* after the last tag */
	if (name.len == skip)
		return true;
	return list->each(list->arg, gml_span_of((const char *)name.ptr + skip, name.len - skip),
			  value);
}

/* Walks start after a name: for all tags, the prefix without its last byte. */
static struct gml_span tags_start(void)
{
	return gml_span_of(XATTR_TAG, strlen(XATTR_TAG) - 1);
}

int gml_tags_each(struct gml_op *op, struct gml_store *store, gml_ino ino,
		  bool (*each)(void *arg, struct gml_span name, struct gml_span value), void *arg)
{
	struct tags_list list = {each, arg};
	const struct xattr_range tags = {.action = GML_ACTION_GET_OBJECT_TAGGING,
					 .from = tags_start()};
	return xattr_walk(op, store, ino, &tags, tags_list_each, &list);
}

/* With its prefix. */
struct tags_name {
	size_t len;
	char text[sizeof(XATTR_TAG) - 1 + GML_TAG_NAME_MAX];
};

struct tags_arg {
	struct gml_op *op;
	struct gml_store *store;
	gml_ino ino;
	const struct gml_meta_pair *tags;
	struct tags_name names[GML_TAGS_MAX];
	uint32_t ntags;
	uint64_t counter; /* gml_presence_change */
};

static struct gml_span tags_span(const struct tags_name *name)
{
	return gml_span_of(name->text, name->len);
}

/* Check names and values first. */
static int tags_prepare(struct tags_arg *arg)
{
	size_t skip = strlen(XATTR_TAG);
	for (uint32_t i = 0; i < arg->ntags; i++) {
		struct gml_span tag = arg->tags[i].name, name;
		int rc;
		if (tag.len > GML_TAG_NAME_MAX)
			return GML_ERR_NAMETOOLONG;
		if (tag.len > 0 && memchr(tag.ptr, 0, tag.len) != NULL)
			return GML_ERR_INVAL;
		memcpy(arg->names[i].text, XATTR_TAG, skip);
		if (tag.len > 0)
			memcpy(arg->names[i].text + skip, tag.ptr, tag.len);
		arg->names[i].len = skip + tag.len;
		name = tags_span(&arg->names[i]);
		rc = xattr_value_check(name, arg->tags[i].value);
		for (uint32_t k = 0; rc == 0 && k < i; k++)
			rc = gml_span_equal(arg->tags[k].name, tag) ? GML_ERR_INVAL : 0;
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The attributes of the inode without tags. */
static bool tags_rest_each(void *arg, struct gml_span name, struct gml_span value)
{
	if (!xattr_has_prefix(name, XATTR_TAG))
		xattr_count(arg, name, value);
	return true;
}

static int tags_fit(struct gml_txn *txn, const struct tags_arg *arg, bool *any_out)
{
	struct xattr_sum sum = {.names = 0};
	int rc = gml_rec_xattr_each(txn, arg->ino, gml_span_of(NULL, 0), tags_rest_each, &sum);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	for (uint32_t i = 0; i < arg->ntags; i++)
		xattr_count(&sum, tags_span(&arg->names[i]), arg->tags[i].value);
	*any_out = sum.count > 0;
	return arg->ntags == 0 || xattr_sum_fits(&sum) ? 0 : GML_ERR_NOSPC;
}

struct tags_first {
	size_t len;
	char text[GML_REC_XATTR_NAME_MAX];
};

static bool tags_first_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct tags_first *first = arg;
	(void)value;
	if (!xattr_has_prefix(name, XATTR_TAG))
		return false;
	gml_assert(name.len <= sizeof(first->text));
	first->len = name.len;
	memcpy(first->text, name.ptr, name.len);
	return false;
}

/* A deletion invalidates the spans of the scan: each tag is looked up anew. */
static int tags_clear(struct gml_txn *txn, const struct gml_line *line, gml_ino ino)
{
	struct tags_first first;
	int rc;
	do {
		first.len = 0;
		rc = gml_rec_xattr_each(txn, ino, tags_start(), tags_first_each, &first);
		if (rc == 0 && first.len > 0)
			rc = gml_rec_xattr_del(txn, line, ino, gml_span_of(first.text, first.len));
	} while (rc == 0 && first.len > 0);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int tags_replace_fn(struct gml_txn *txn, void *argp)
{
	const struct tags_arg *arg = argp;
	struct gml_inode inode;
	struct gml_line line;
	bool any;
	const struct xattr_ask ask = {.action = arg->tags != NULL
							? GML_ACTION_PUT_OBJECT_TAGGING
							: GML_ACTION_DELETE_OBJECT_TAGGING,
				      .change = GML_CHANGE_TAGS};
	int rc = xattr_inode(txn, arg->op, arg->store, arg->ino, ask, &inode);
	if (rc == 0)
		rc = tags_fit(txn, arg, &any);
	if (rc == 0)
		rc = gml_rec_line_of(txn, inode.bucket, &line);
	if (rc == 0 && (inode.flags & GML_INODE_XATTRS))
		rc = tags_clear(txn, &line, arg->ino);
	for (uint32_t i = 0; rc == 0 && i < arg->ntags; i++)
		rc = gml_rec_xattr_put(txn, &line, arg->ino, tags_span(&arg->names[i]),
				       arg->tags[i].value);
	if (rc != 0)
		return rc;
	inode.flags =
		any ? inode.flags | GML_INODE_XATTRS : inode.flags & ~(uint32_t)GML_INODE_XATTRS;
	return xattr_touch(txn, &inode, arg->counter);
}

int gml_tags_replace(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     const struct gml_meta_pair *tags, uint32_t ntags)
{
	struct tags_arg *arg;
	int rc;
	if (ntags > GML_TAGS_MAX)
		return GML_ERR_TOOBIG;
	arg = malloc(sizeof(*arg));
	if (arg == NULL)
		return GML_ERR_NOMEM;
	*arg = (struct tags_arg){.op = op,
				 .store = store,
				 .ino = ino,
				 .tags = tags,
				 .ntags = ntags,
				 .counter = gml_presence_change(store->presence, ino)};
	rc = tags_prepare(arg);
	if (rc == 0)
		rc = gml_meta_update(store->meta, tags_replace_fn, arg);
	free(arg);
	return rc;
}
