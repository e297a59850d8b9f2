// SPDX-License-Identifier: Apache-2.0
/* Memory that lives as long as one call: a bump allocator, freed as a whole. One thread at a time;
 * never blocks. */
#ifndef GML_S3_ARENA_H
#define GML_S3_ARENA_H

#include <stdbool.h>
#include <gemel/types.h>

struct s3_arena_block;
struct s3_arena {
	struct s3_arena_block *blocks;
	char *next;
	size_t left;
	size_t total; /* bytes taken from the heap */
	bool failed;  /* an allocation failed: the call answers with an error in any case */
};

/* `first` (may be NULL) is the caller's storage for the first allocations; aligned for any type. */
void s3_arena_init(struct s3_arena *arena, void *first, size_t size);
void s3_arena_release(struct s3_arena *arena);
/* Aligned for any type, zeroed; NULL (and arena->failed) when out of memory or past 64 MiB in
 * total. */
void *s3_arena_alloc(struct s3_arena *arena, size_t size);
void *s3_arena_array(struct s3_arena *arena, size_t count, size_t size);
/* A copy with a NUL after it; {NULL, 0} when out of memory. */
struct gml_span s3_arena_copy(struct s3_arena *arena, struct gml_span span);
/* Formatted text, NUL-terminated; "" when out of memory. */
const char *s3_arena_printf(struct s3_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
