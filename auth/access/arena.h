// SPDX-License-Identifier: Apache-2.0
/* Memory that is allocated piece by piece and freed at once.
 *
 * One thread at a time while it grows. An allocation that fails returns NULL and is remembered. */
#ifndef GML_AUTH_ACCESS_ARENA_H
#define GML_AUTH_ACCESS_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "gateway/base/span.h"

struct auth_arena_block;
struct auth_arena {
	struct auth_arena_block *blocks;
	size_t bytes; /* allocated for all blocks */
	bool failed;  /* an allocation has failed */
};

/* `count` zeroed items of `size` bytes, aligned for any type; a pointer that is not NULL for 0
 * items. NULL: no memory. */
void *auth_arena_new(struct auth_arena *arena, size_t count, size_t size);
/* A copy of the bytes, with a NUL after them that does not count. */
struct gml_span auth_arena_copy(struct auth_arena *arena, struct gml_span text);
/* Frees everything; the arena is empty then. */
void auth_arena_release(struct auth_arena *arena);

#endif
