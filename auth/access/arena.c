// SPDX-License-Identifier: Apache-2.0
#include "auth/access/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK 2048u

struct auth_arena_block {
	struct auth_arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

static struct auth_arena_block *arena_block(struct auth_arena *arena, size_t need)
{
	struct auth_arena_block *block = arena->blocks;
	if (block != NULL && block->size - block->used >= need)
		return block;
	size_t size = need > ARENA_BLOCK ? need : ARENA_BLOCK;
	block = calloc(1, sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	block->size = size;
	arena->bytes += sizeof(*block) + size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *auth_arena_new(struct auth_arena *arena, size_t count, size_t size)
{
	struct auth_arena_block *block = NULL;
	size_t align = alignof(max_align_t), need;
	if (size == 0 || count <= (SIZE_MAX / 2) / size) {
		need = (count * size + align) / align * align; /* at least one byte */
		block = arena_block(arena, need);
	}
	if (block == NULL) {
		arena->failed = true;
		return NULL;
	}
	void *out = block->bytes + block->used;
	block->used += need;
	return out;
}

struct gml_span auth_arena_copy(struct auth_arena *arena, struct gml_span text)
{
	char *copy = auth_arena_new(arena, text.len + 1, 1);
	if (copy == NULL)
		return gml_span_of(NULL, 0);
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return gml_span_of(copy, text.len);
}

void auth_arena_release(struct auth_arena *arena)
{
	while (arena->blocks != NULL) {
		struct auth_arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	arena->bytes = 0;
	arena->failed = false;
}
