// SPDX-License-Identifier: Apache-2.0
/* An ordered map whose old versions stay: changing one copies the path from the root to the change
 * and shares the rest.
 *
 * Invariants
 *  1. A treap: in order of the keys, and a heap by `rank`, which is a hash of the key. So the shape
 *     depends on the keys alone, and the depth is logarithmic.
 *  2. A node or an entry with more than one reference never changes. A node that is reached from a
 *     root through single references only belongs to the holder of that root, which changes it in
 *     place.
 *  3. References are counted atomically: versions that share nodes are released on any thread.
 *
 * A root is NULL (empty) or one reference of a node. One thread at a time changes a root. */
#ifndef GML_META_MEMORY_TREE_H
#define GML_META_MEMORY_TREE_H

#include <gemel/types.h>
#include <stdatomic.h>

struct gml_tree_entry {
	_Atomic uint32_t refs;
	uint32_t key_len, value_len;
	uint8_t bytes[]; /* key, value */
};

struct gml_tree_node {
	_Atomic uint32_t refs;
	uint64_t rank;
	struct gml_tree_node *left, *right;
	struct gml_tree_entry *entry;
};

/* One reference, or NULL: no memory. Copies both. */
struct gml_tree_entry *gml_tree_entry_new(struct gml_span key, struct gml_span value);
void gml_tree_entry_unref(struct gml_tree_entry *entry); /* NULL is fine */
struct gml_span gml_tree_key(const struct gml_tree_entry *entry);
struct gml_span gml_tree_value(const struct gml_tree_entry *entry);
/* Bytes that an entry and its node take. */
uint64_t gml_tree_entry_size(const struct gml_tree_entry *entry);

struct gml_tree_node *gml_tree_ref(struct gml_tree_node *root);
void gml_tree_unref(struct gml_tree_node *root);

/* Borrowed, as long as the root; NULL: there is none. seek: the first with a key >= `key`, or >
 * `key`
 * (`after`). before: the last with a key < `key`. */
const struct gml_tree_entry *gml_tree_find(const struct gml_tree_node *root, struct gml_span key);
const struct gml_tree_entry *gml_tree_seek(const struct gml_tree_node *root, struct gml_span key,
					   bool after);
const struct gml_tree_entry *gml_tree_before(const struct gml_tree_node *root, struct gml_span key);

/* Puts the entry in place of one with its key; takes the caller's reference in any case. NOMEM: the
 * root may have lost entries and is good for unref only. */
int gml_tree_put(struct gml_tree_node **root, struct gml_tree_entry *entry);
/* Removes the entry with this key, which is there. NOMEM as put. */
int gml_tree_del(struct gml_tree_node **root, struct gml_span key);

/* Walks all entries and checks invariant 1. False: it does not hold. */
bool gml_tree_check(const struct gml_tree_node *root, uint64_t *count_out, uint64_t *bytes_out);

#endif
