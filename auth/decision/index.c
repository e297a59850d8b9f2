// SPDX-License-Identifier: Apache-2.0
#include "auth/decision/index.h"

#include <stdlib.h>

static struct gml_span index_prefix(const struct auth_index_entry *entry)
{
	return entry->resource != NULL ? auth_pattern_prefix(entry->resource)
				       : gml_span_of(NULL, 0);
}

static int index_order(const void *a, const void *b)
{
	const struct auth_index_entry *const *one = a, *const *other = b;
	int order = gml_span_order(index_prefix(*one), index_prefix(*other));
	/* Entries are items of one array: in the order of the policies. */
	return order != 0 ? order : (*one > *other) - (*one < *other);
}

bool auth_index_build(struct auth_arena *arena, const struct auth_index_entry **entries,
		      size_t count, struct auth_index *out)
{
	struct auth_index_node *nodes = auth_arena_new(arena, count, sizeof(*nodes));
	size_t last = 0;
	if (nodes == NULL)
		return false;
	*out = (struct auth_index){.nodes = nodes, .entries = entries};
	qsort(entries, count, sizeof(struct auth_index_entry *), index_order);
	for (size_t i = 0; i < count; i++) {
		struct gml_span prefix = index_prefix(entries[i]);
		int32_t parent = (int32_t)out->nnodes - 1;
		last = out->nnodes - 1;
		if (out->nnodes > 0 && gml_span_equal(nodes[last].prefix, prefix)) {
			nodes[last].count++;
			continue;
		}
		while (parent >= 0 && !gml_span_starts(prefix, nodes[parent].prefix))
			parent = nodes[parent].parent;
		nodes[out->nnodes++] = (struct auth_index_node){prefix, parent, (uint32_t)i, 1};
	}
	return true;
}

/* How many nodes have a prefix up to `subject`. */
static size_t index_up_to(const struct auth_index *index, struct gml_span subject)
{
	size_t low = 0, high = index->nnodes;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (gml_span_order(index->nodes[middle].prefix, subject) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t auth_index_find(const struct auth_index *index, struct gml_span subject)
{
	/* A prefix of the subject is one of the last node before it, too: that lies between. */
	int32_t node = (int32_t)index_up_to(index, subject) - 1;
	while (node >= 0 && !gml_span_starts(subject, index->nodes[node].prefix))
		node = index->nodes[node].parent;
	return node;
}

size_t auth_index_within(const struct auth_index *index, struct gml_span subject, size_t *first_out)
{
	size_t end = index_up_to(index, subject);
	*first_out = end;
	while (end < index->nnodes && gml_span_starts(index->nodes[end].prefix, subject))
		end++;
	return end;
}
