// SPDX-License-Identifier: Apache-2.0
/* See tree.h. */
#include "tree.h"
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include <gemel/err.h>
#include <stdlib.h>
#include <string.h>

/* ---- entries ---- */
struct gml_tree_entry *gml_tree_entry_new(struct gml_span key, struct gml_span value)
{
	struct gml_tree_entry *entry = malloc(sizeof(*entry) + key.len + value.len + 1);
	if (entry == NULL)
		return NULL;
	atomic_init(&entry->refs, 1);
	entry->key_len = (uint32_t)key.len;
	entry->value_len = (uint32_t)value.len;
	memcpy(entry->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(entry->bytes + key.len, value.ptr, value.len);
	return entry;
}

void gml_tree_entry_unref(struct gml_tree_entry *entry)
{
	gml_assert(entry == NULL || atomic_load(&entry->refs) > 0);
	if (entry != NULL && atomic_fetch_sub(&entry->refs, 1) == 1)
		free(entry);
}

struct gml_span gml_tree_key(const struct gml_tree_entry *entry)
{
	return gml_span_of(entry->bytes, entry->key_len);
}

struct gml_span gml_tree_value(const struct gml_tree_entry *entry)
{
	return gml_span_of(entry->bytes + entry->key_len, entry->value_len);
}

uint64_t gml_tree_entry_size(const struct gml_tree_entry *entry)
{
	return sizeof(struct gml_tree_node) + sizeof(*entry) + entry->key_len + entry->value_len;
}

static int tree_compare(struct gml_span a, const struct gml_tree_entry *b)
{
	size_t len = a.len < b->key_len ? a.len : b->key_len;
	int order = len == 0 ? 0 : memcmp(a.ptr, b->bytes, len);
	return order != 0 ? order : (a.len > b->key_len) - (a.len < b->key_len);
}

static uint64_t tree_rank(struct gml_span key)
{
	const uint8_t *p = key.ptr;
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
	return hash ^ hash >> 31;
}

/* ---- nodes ---- */
struct gml_tree_node *gml_tree_ref(struct gml_tree_node *root)
{
	if (root != NULL)
		atomic_fetch_add(&root->refs, 1);
	return root;
}

void gml_tree_unref(struct gml_tree_node *root)
{
	while (root != NULL && atomic_fetch_sub(&root->refs, 1) == 1) {
		struct gml_tree_node *right = root->right;
		gml_tree_unref(root->left);
		gml_tree_entry_unref(root->entry);
		free(root);
		root = right;
	}
}

/* A node that may change, in place of the one at `link` (invariant 2). */
static struct gml_tree_node *tree_own(struct gml_tree_node **link)
{
	struct gml_tree_node *old = *link, *node;
	if (atomic_load(&old->refs) == 1)
		return old;
	node = malloc(sizeof(*node));
	if (node == NULL)
		return NULL;
	atomic_init(&node->refs, 1);
	node->rank = old->rank; /* NOLINT: a key that is deleted is there, so old is a node */
	node->left = gml_tree_ref(old->left);
	node->right = gml_tree_ref(old->right);
	node->entry = old->entry;
	atomic_fetch_add(&node->entry->refs, 1);
	gml_tree_unref(old);
	*link = node;
	return node;
}

/* ---- reading ---- */
const struct gml_tree_entry *gml_tree_find(const struct gml_tree_node *root, struct gml_span key)
{
	while (root != NULL) {
		int order = tree_compare(key, root->entry);
		if (order == 0)
			return root->entry;
		root = order < 0 ? root->left : root->right;
	}
	return NULL;
}

const struct gml_tree_entry *gml_tree_seek(const struct gml_tree_node *root, struct gml_span key,
					   bool after)
{
	const struct gml_tree_entry *found = NULL;
	while (root != NULL) {
		int order = tree_compare(key, root->entry);
		if (order < 0 || (order == 0 && !after)) {
			found = root->entry;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return found;
}

const struct gml_tree_entry *gml_tree_before(const struct gml_tree_node *root, struct gml_span key)
{
	const struct gml_tree_entry *found = NULL;
	while (root != NULL) {
		if (tree_compare(key, root->entry) > 0) {
			found = root->entry;
			root = root->right;
		} else {
			root = root->left;
		}
	}
	return found;
}

/* ---- changing ---- */
/* Parts `node` (whose reference it takes) at `key`, which is not in it. After an error both parts
 * are good for unref only. */
static int tree_split(struct gml_tree_node *node, struct gml_span key,
		      struct gml_tree_node **left_out, struct gml_tree_node **right_out)
{
	struct gml_tree_node *rest;
	*left_out = *right_out = NULL;
	while (node != NULL) {
		if (tree_own(&node) == NULL) {
			gml_tree_unref(node);
			return GML_ERR_NOMEM;
		}
		if (tree_compare(key, node->entry) < 0) {
			rest = node->left;
			node->left = NULL;
			*right_out = node;
			right_out = &node->left;
		} else {
			rest = node->right;
			node->right = NULL;
			*left_out = node;
			left_out = &node->right;
		}
		node = rest;
	}
	return 0;
}

/* Joins two trees, all keys of `left` before those of `right`; takes both references. After an
 * error the result is good for unref only. */
static int tree_join(struct gml_tree_node *left, struct gml_tree_node *right,
		     struct gml_tree_node **out)
{
	while (left != NULL && right != NULL) {
		struct gml_tree_node **top = left->rank >= right->rank ? &left : &right, *rest;
		struct gml_tree_node *node = tree_own(top);
		if (node == NULL) {
			*out = NULL;
			gml_tree_unref(left);
			gml_tree_unref(right);
			return GML_ERR_NOMEM;
		}
		rest = top == &left ? node->right : node->left;
		*out = node;
		out = top == &left ? &node->right : &node->left;
		*top = rest;
	}
	*out = left != NULL ? left : right;
	return 0;
}

/* Stands at `link`, above all nodes of lower rank. */
static int tree_insert(struct gml_tree_node **link, struct gml_tree_entry *entry, uint64_t rank)
{
	struct gml_tree_node *node = malloc(sizeof(*node)), *below = *link;
	int rc;
	if (node == NULL) {
		gml_tree_entry_unref(entry);
		return GML_ERR_NOMEM;
	}
	atomic_init(&node->refs, 1);
	node->rank = rank;
	node->entry = entry;
	*link = node;
	rc = tree_split(below, gml_tree_key(entry), &node->left, &node->right);
	return rc;
}

int gml_tree_put(struct gml_tree_node **root, struct gml_tree_entry *entry)
{
	struct gml_span key = gml_tree_key(entry);
	uint64_t rank = tree_rank(key);
	struct gml_tree_node **link = root;
	while (*link != NULL && (*link)->rank >= rank) {
		struct gml_tree_node *node = tree_own(link);
		int order;
		if (node == NULL) {
			gml_tree_entry_unref(entry);
			return GML_ERR_NOMEM;
		}
		order = tree_compare(key, node->entry);
		if (order == 0) {
			gml_tree_entry_unref(node->entry);
			node->entry = entry;
			return 0;
		}
		link = order < 0 ? &node->left : &node->right;
	}
	return tree_insert(link, entry, rank);
}

int gml_tree_del(struct gml_tree_node **root, struct gml_span key)
{
	struct gml_tree_node **link = root;
	gml_assert(gml_tree_find(*root, key) != NULL);
	for (;;) {
		struct gml_tree_node *node = tree_own(link), *left, *right;
		int order;
		if (node == NULL)
			return GML_ERR_NOMEM;
		order = tree_compare(key, node->entry);
		if (order != 0) {
			link = order < 0 ? &node->left : &node->right;
			continue;
		}
		left = node->left;
		right = node->right;
		node->left = node->right = NULL;
		gml_tree_unref(node);
		return tree_join(left, right, link);
	}
}

bool gml_tree_check(const struct gml_tree_node *root, uint64_t *count_out, uint64_t *bytes_out)
{
	const struct gml_tree_node *l, *r;
	if (root == NULL)
		return true;
	l = root->left;
	r = root->right;
	++*count_out;
	*bytes_out += gml_tree_entry_size(root->entry);
	if (root->rank != tree_rank(gml_tree_key(root->entry)) ||
	    (l != NULL &&
	     (l->rank > root->rank || tree_compare(gml_tree_key(l->entry), root->entry) >= 0)) ||
	    (r != NULL &&
	     (r->rank > root->rank || tree_compare(gml_tree_key(r->entry), root->entry) <= 0)))
		return false;
	return gml_tree_check(l, count_out, bytes_out) && gml_tree_check(r, count_out, bytes_out);
}
