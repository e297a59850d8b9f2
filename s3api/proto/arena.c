// SPDX-License-Identifier: Apache-2.0
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"

#define ARENA_BLOCK 8192
#define ARENA_MAX ((size_t)64 << 20)
#define ARENA_ALIGN 16
_Static_assert(ARENA_ALIGN >= _Alignof(max_align_t) && ARENA_BLOCK % ARENA_ALIGN == 0,
	       "what follows in a block is aligned for any type");

struct s3_arena_block {
	struct s3_arena_block *next;
	max_align_t data[];
};

void s3_arena_init(struct s3_arena *arena, void *first, size_t size)
{
	gml_assert((uintptr_t)first % ARENA_ALIGN == 0);
	memset(arena, 0, sizeof(*arena));
	arena->next = first;
	arena->left = first ? size : 0;
}

void s3_arena_release(struct s3_arena *arena)
{
	while (arena->blocks) {
		struct s3_arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
	arena->next = NULL;
	arena->left = 0;
}

static bool arena_grow(struct s3_arena *arena, size_t size)
{
	size_t data = size > ARENA_BLOCK ? size : ARENA_BLOCK;
	struct s3_arena_block *block;
	gml_assert(arena->total <= ARENA_MAX);
	if (data > ARENA_MAX - arena->total)
		return false;
	block = malloc(sizeof(*block) + data);
	if (!block)
		return false;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->total += data;
	arena->next = (char *)block->data;
	arena->left = data;
	return true;
}

static void *arena_take(struct s3_arena *arena, size_t size)
{
	size_t padded =
		size <= ARENA_MAX ? (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : size;
	void *ptr;
	if (padded == 0)
		padded = ARENA_ALIGN;
	if (padded > ARENA_MAX || (padded > arena->left && !arena_grow(arena, padded))) {
		arena->failed = true;
		return NULL;
	}
	ptr = arena->next;
	gml_assert((uintptr_t)ptr % ARENA_ALIGN == 0 && padded >= size);
	arena->next += padded;
	arena->left -= padded;
	return ptr;
}

void *s3_arena_alloc(struct s3_arena *arena, size_t size)
{
	void *ptr = arena_take(arena, size);
	if (ptr)
		memset(ptr, 0, size);
	return ptr;
}

void *s3_arena_array(struct s3_arena *arena, size_t count, size_t size)
{
	if (size > 0 && count > ARENA_MAX / size) {
		arena->failed = true;
		return NULL;
	}
	return s3_arena_alloc(arena, count * size);
}

struct gml_span s3_arena_copy(struct s3_arena *arena, struct gml_span span)
{
	char *copy = span.len < ARENA_MAX ? arena_take(arena, span.len + 1) : NULL;
	if (!copy) {
		arena->failed = true;
		return gml_span_of(NULL, 0);
	}
	if (span.len > 0)
		memcpy(copy, span.ptr, span.len);
	copy[span.len] = 0;
	return gml_span_of(copy, span.len);
}

const char *s3_arena_printf(struct s3_arena *arena, const char *format, ...)
{
	char near[256];
	va_list args;
	char *text;
	int len;
	va_start(args, format);
	len = vsnprintf(near, sizeof(near), format, args);
	va_end(args);
	text = len >= 0 ? s3_arena_alloc(arena, (size_t)len + 1) : NULL;
	if (!text)
		return "";
	if ((size_t)len < sizeof(near)) {
		memcpy(text, near, (size_t)len + 1);
		return text;
	}
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}
