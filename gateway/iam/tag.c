// SPDX-License-Identifier: Apache-2.0
/* Tags of users and roles. They are kept in the order of their keys in lower case. */
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/iam.h>
#include <gemel/op.h>
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "epoch.h"
#include "identity.h"
#include "name.h"
#include "store.h"

#define TAG_BYTES ((size_t)64 << 10) /* of all tags of an identity (gml_rec_pairs_encode) */

/* At most `max` characters of those that tags have. */
static bool tag_text_ok(struct gml_span text, size_t max)
{
	for (size_t count = 0; text.len > 0; count++) {
		uint32_t c = gml_iam_rune(&text);
		bool alnum =
			(c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (count == max || c == UINT32_MAX || c == 0 ||
		    (c < 0xa0 && !alnum && (c >= 0x80 || strchr(" _.:/=+-@", (int)c) == NULL)))
			return false;
	}
	return true;
}

static bool tag_ok(const struct gml_meta_pair *tag)
{
	return tag->name.len > 0 && tag_text_ok(tag->name, GML_IAM_TAG_KEY_MAX) &&
	       tag_text_ok(tag->value, GML_IAM_TAG_VALUE_MAX) &&
	       !gml_span_starts_nocase(tag->name, GML_LIT("aws:"));
}

static const struct gml_meta_pair *tag_find(const struct gml_meta_pair *tags, size_t count,
					    struct gml_span key)
{
	for (size_t i = 0; i < count; i++)
		if (gml_span_equal_nocase(tags[i].name, key))
			return &tags[i];
	return NULL;
}

/* ---- changes ---- */

struct tag_change {
	struct gml_access_change access;
	struct gml_rec_identity identity;
	const struct gml_meta_pair *tags; /* to set or to remove */
	size_t count;
	bool set;
};

/* The tags that result; those with keys of the change are left out, and the new ones are added. */
struct tag_list {
	const struct tag_change *change;
	struct gml_meta_pair pairs[GML_TAGS_PER_IDENTITY];
	uint32_t count;
	bool full;
};

static void tag_list_add(struct tag_list *list, struct gml_span name, struct gml_span value)
{
	if (list->count == GML_TAGS_PER_IDENTITY)
		list->full = true;
	else
		list->pairs[list->count++] = (struct gml_meta_pair){name, value};
}

static bool tag_keep(void *arg, struct gml_span name, struct gml_span value)
{
	struct tag_list *list = arg;
	if (tag_find(list->change->tags, list->change->count, name) == NULL)
		tag_list_add(list, name, value);
	return true;
}

static int tag_pair_order(const void *a, const void *b)
{
	return gml_span_order_nocase(((const struct gml_meta_pair *)a)->name,
				     ((const struct gml_meta_pair *)b)->name);
}

/* buf: room for TAG_BYTES. */
static int tag_apply(struct gml_txn *txn, struct tag_change *change, void *buf,
		     struct gml_span *out)
{
	struct tag_list list = {.change = change};
	struct gml_span old = {NULL, 0};
	int rc = gml_rec_tags_get(txn, &change->identity, &old);
	if (rc == 0)
		rc = gml_rec_pairs_each(old, tag_keep, &list);
	if (rc != 0 && rc != GML_ERR_NOENT)
		return rc;
	for (size_t i = 0; change->set && i < change->count; i++)
		tag_list_add(&list, change->tags[i].name, change->tags[i].value);
	if (list.full)
		return GML_ERR_LIMIT;
	qsort(list.pairs, list.count, sizeof(*list.pairs), tag_pair_order);
	out->ptr = buf;
	return gml_rec_pairs_encode(list.pairs, list.count, buf, TAG_BYTES, &out->len);
}

static int tag_fn(struct gml_txn *txn, void *arg)
{
	struct tag_change *change = arg;
	struct gml_span pairs;
	void *buf;
	int rc = gml_identity_find(txn, &change->identity);
	if (rc != 0)
		return rc;
	buf = malloc(TAG_BYTES);
	if (buf == NULL)
		return GML_ERR_NOMEM;
	rc = tag_apply(txn, change, buf, &pairs);
	if (rc == 0) {
		gml_access_change_begin(&change->access);
		rc = gml_rec_tags_put(txn, &change->identity, pairs);
	}
	free(buf);
	return rc;
}

static int tag_update(struct gml_op *op, const struct gml_identity *identity,
		      struct tag_change *change)
{
	bool user = identity->kind == GML_IDENTITY_USER;
	enum gml_action action = change->set
					 ? (user ? GML_ACTION_TAG_USER : GML_ACTION_TAG_ROLE)
					 : (user ? GML_ACTION_UNTAG_USER : GML_ACTION_UNTAG_ROLE);
	int rc = gml_may_administer(op, action);
	if (rc != 0)
		return rc;
	if (!user && identity->kind != GML_IDENTITY_ROLE)
		return GML_ERR_INVAL;
	change->identity = gml_identity_of(identity);
	return gml_access_change_commit(&change->access, tag_fn, change);
}

int gml_tags_set(struct gml_op *op, struct gml_store *store, const struct gml_identity *identity,
		 const struct gml_meta_pair *tags, size_t count)
{
	struct tag_change change = {
		.access.store = store, .tags = tags, .count = count, .set = true};
	if (count > GML_TAGS_PER_IDENTITY)
		return GML_ERR_LIMIT;
	for (size_t i = 0; i < count; i++)
		if (!tag_ok(&tags[i]) || tag_find(tags, i, tags[i].name) != NULL)
			return GML_ERR_INVAL;
	return tag_update(op, identity, &change);
}

int gml_tags_remove(struct gml_op *op, struct gml_store *store, const struct gml_identity *identity,
		    const struct gml_meta_pair *tags, size_t count)
{
	struct tag_change change = {.access.store = store, .tags = tags, .count = count};
	return tag_update(op, identity, &change);
}

/* ---- reading ---- */

struct tag_walk {
	bool (*each)(void *arg, const struct gml_meta_pair *tag);
	void *arg;
};

static bool tag_walk_one(void *arg, struct gml_span name, struct gml_span value)
{
	const struct tag_walk *walk = arg;
	const struct gml_meta_pair tag = {name, value};
	return walk->each(walk->arg, &tag);
}

int gml_tags_list(struct gml_store *store, const struct gml_identity *identity,
		  bool (*each)(void *arg, const struct gml_meta_pair *tag), void *arg)
{
	const struct gml_rec_identity of = gml_identity_of(identity);
	struct tag_walk walk = {each, arg};
	struct gml_txn *txn = NULL;
	struct gml_span pairs;
	int rc;
	if (identity->kind == GML_IDENTITY_GROUP)
		return GML_ERR_INVAL;
	rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_identity_find(txn, &of);
	if (rc == 0)
		rc = gml_rec_tags_get(txn, &of, &pairs);
	if (rc == 0)
		rc = gml_rec_pairs_each(pairs, tag_walk_one, &walk);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? 0 : rc;
}
