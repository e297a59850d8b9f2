// SPDX-License-Identifier: Apache-2.0
/* Each place is a cache line with a number that is odd while it is written. Who reads it finds the
 * same even number before and after, or finds nothing. Words are stored with release and loaded
 * with acquire: who has loaded a word of a writer sees that writer's odd number, or a later one. */
#include "access_memo.h"
#include <stdatomic.h>
#include <stdlib.h>

#define MEMO_PLACES 16384 /* 1 MiB */

enum {
	MEMO_ACCESS,
	MEMO_PATHS,
	MEMO_VIEW,
	MEMO_NUM,
	MEMO_WHAT,
	MEMO_STATE,
	MEMO_ANSWER,
	MEMO_WORDS
};

struct memo_place {
	_Atomic uint64_t number;
	_Atomic uint64_t words[MEMO_WORDS];
};
_Static_assert(sizeof(struct memo_place) == 64, "a cache line");

struct gml_memo {
	struct memo_place *places;
	void *memory;
};

struct gml_memo *gml_memo_new(void)
{
	struct gml_memo *memo = malloc(sizeof(*memo));
	const size_t line = sizeof(struct memo_place);
	if (memo == NULL)
		return NULL;
	memo->memory = calloc(MEMO_PLACES + 1, line);
	if (memo->memory == NULL) {
		free(memo);
		return NULL;
	}
	/* calloc of so much touches no page; it does not align */
	memo->places = (struct memo_place *)(((uintptr_t)memo->memory + line - 1) / line * line);
	return memo;
}

void gml_memo_free(struct gml_memo *memo)
{
	if (memo == NULL)
		return;
	free(memo->memory);
	free(memo);
}

static uint64_t memo_what(const struct gml_memo_key *key)
{
	return (uint64_t)key->uid << 32 | (uint64_t)key->question << 8 | key->kind;
}

static struct memo_place *memo_place(struct gml_memo *memo, const struct gml_memo_key *key)
{
	uint64_t shift = memo_what(key) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	return &memo->places[(gml_ino_hash(key->ino) + shift) % MEMO_PLACES];
}

static uint64_t memo_load(struct memo_place *place, int word)
{
	return atomic_load_explicit(&place->words[word], memory_order_acquire);
}

static void memo_store(struct memo_place *place, int word, uint64_t value)
{
	atomic_store_explicit(&place->words[word], value, memory_order_release);
}

bool gml_memo_find(struct gml_memo *memo, const struct gml_memo_key *key, uint64_t *state_out,
		   uint16_t *answer_out)
{
	struct memo_place *place = memo_place(memo, key);
	uint64_t number = atomic_load_explicit(&place->number, memory_order_acquire);
	bool is = memo_load(place, MEMO_WHAT) == memo_what(key) &&
		  memo_load(place, MEMO_NUM) == key->ino.num &&
		  memo_load(place, MEMO_VIEW) == key->ino.view &&
		  memo_load(place, MEMO_ACCESS) == key->access &&
		  memo_load(place, MEMO_PATHS) == key->paths;
	if (!is || (number & 1))
		return false;
	*state_out = memo_load(place, MEMO_STATE);
	*answer_out = (uint16_t)memo_load(place, MEMO_ANSWER);
	return atomic_load_explicit(&place->number, memory_order_relaxed) == number;
}

void gml_memo_put(struct gml_memo *memo, const struct gml_memo_key *key, uint64_t state,
		  uint16_t answer)
{
	struct memo_place *place = memo_place(memo, key);
	uint64_t number = atomic_load_explicit(&place->number, memory_order_relaxed);
	if ((number & 1) || !atomic_compare_exchange_strong(&place->number, &number, number + 1))
		return;
	memo_store(place, MEMO_ACCESS, key->access);
	memo_store(place, MEMO_PATHS, key->paths);
	memo_store(place, MEMO_VIEW, key->ino.view);
	memo_store(place, MEMO_NUM, key->ino.num);
	memo_store(place, MEMO_WHAT, memo_what(key));
	memo_store(place, MEMO_STATE, state);
	memo_store(place, MEMO_ANSWER, answer);
	atomic_store_explicit(&place->number, number + 2, memory_order_release);
}
