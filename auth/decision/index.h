// SPDX-License-Identifier: Apache-2.0
/* Statements by the literal beginning of their resources. Built once, then only read. */
#ifndef GML_AUTH_DECISION_INDEX_H
#define GML_AUTH_DECISION_INDEX_H

#include "auth/policy/statement.h"

/* One resource of a statement; or a statement with NotResource as a whole. */
struct auth_index_entry {
	const struct auth_policy *policy;
	const struct auth_statement *statement;
	const struct auth_pattern *resource; /* NULL: NotResource */
	size_t source;			     /* which policy of the set */
};

/* The entries with one prefix. */
struct auth_index_node {
	struct gml_span prefix;
	int32_t parent; /* the node with the longest other prefix that this one begins with; -1 */
	uint32_t first, count; /* in `entries` */
};

struct auth_index {
	const struct auth_index_node *nodes; /* in bytewise order */
	size_t nnodes;
	const struct auth_index_entry **entries;
};

/* Arranges the entries, which `arena` must outlive; sorts the given array. false: out of memory. */
bool auth_index_build(struct auth_arena *arena, const struct auth_index_entry **entries,
		      size_t count, struct auth_index *out);

/* The node with the longest prefix that `subject` begins with; its parents are all the others. -1:
 * there is none. */
int32_t auth_index_find(const struct auth_index *index, struct gml_span subject);
/* The nodes whose prefix begins with `subject` and is longer: from *first_out up to, not including,
 * what is returned. */
size_t auth_index_within(const struct auth_index *index, struct gml_span subject,
			 size_t *first_out);

#endif
