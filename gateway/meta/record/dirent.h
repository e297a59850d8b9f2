// SPDX-License-Identifier: Apache-2.0
/* How names of any length live under keys of limited length, in exact order.
 *
 * Table dirent, key = parent + name, when the name has at most GML_DIRENT_PLAIN bytes. A longer
 * name is cut: the key parent + its first GML_DIRENT_PLAIN bytes + one zero byte names a
 * *continuation node*, a number from the store's counter, under which (in the parent's view) the
 * rest of the name is stored by the same rule.
 *
 * Invariants
 *  1. Keys with more than GML_DIRENT_PLAIN bytes after the parent are continuations and nothing
 *     else; they have exactly one more.
 *  2. A continuation sorts directly after the plain name that it prolongs and before every other
 *     name: all names it stands for lie in that gap, so the order of keys, depth first, is the
 *     order of names.
 *  3. A node is never empty: the deletion of its last name deletes its continuation. Rests are
 *     never empty.
 *  4. Names have at most GML_REC_NAME_MAX bytes, so at most GML_DIRENT_LEVELS nodes follow each
 *     other. */
#ifndef GML_META_DIRENT_H
#define GML_META_DIRENT_H

#include "record_internal.h"

#define GML_DIRENT_PLAIN ((size_t)492)
#define GML_DIRENT_LEVELS ((GML_REC_NAME_MAX + GML_DIRENT_PLAIN - 1) / GML_DIRENT_PLAIN)
#define GML_DIRENT_KEY_MAX                                                                         \
	(GML_INO_KEY_MAX + GML_DIRENT_PLAIN +                                                      \
	 2) /* one more than a continuation: the key right after it */
_Static_assert(GML_DIRENT_KEY_MAX <= GML_REC_KEY_MAX, "names are cut too late");
_Static_assert(GML_DIRENT_LEVELS *GML_DIRENT_PLAIN >= GML_REC_NAME_MAX, "invariant 4");

/* parent + name (at most GML_DIRENT_PLAIN bytes); returns the length. */
size_t gml_dirent_key(uint8_t key[GML_DIRENT_KEY_MAX], gml_ino parent, const uint8_t *name,
		      size_t len);
/* The continuation key of the first GML_DIRENT_PLAIN bytes at `name`. */
size_t gml_dirent_key_more(uint8_t key[GML_DIRENT_KEY_MAX], gml_ino parent, const uint8_t *name);

/* An entry, or a node, of a parent in `view`. False: damaged. */
bool gml_dirent_decode(struct gml_span value, uint64_t view, struct gml_dirent *out);
bool gml_dirent_decode_node(struct gml_span value, uint64_t view, gml_ino *node_out);

#define GML_COOKIE_KEY_MAX (GML_INO_KEY_MAX + 8)
size_t gml_cookie_key(uint8_t key[GML_COOKIE_KEY_MAX], gml_ino parent, uint64_t cookie);
bool gml_cookie_decode(struct gml_span value, struct gml_span *name_out);

#endif
