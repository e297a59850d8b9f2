// SPDX-License-Identifier: Apache-2.0
/* The word that was probably meant: for "did you mean" after an unknown word. */
#ifndef GML_CMD_NEAR_H
#define GML_CMD_NEAR_H

#include <stddef.h>

#define NEAR_WORD_MAX 48 /* longer words are near nothing */

/* The best candidate so far. Start with {.word = WORD}. Words are borrowed. */
struct near {
	const char *word; /* what was typed */
	const char *best; /* NULL: nothing is near */
	unsigned distance;
};

/* Letters to insert, delete, replace, or exchange with their neighbour, to make `b` of `a` (each
 * letter changes once at most). UINT_MAX when one of both is longer than NEAR_WORD_MAX. */
unsigned near_distance(const char *a, const char *b);
/* Takes `candidate` when it is near `near->word` and nearer than the best before it: two changes,
 * one in words of less than five letters, none in a single one; or the beginning of it was
 * typed. */
void near_offer(struct near *near, const char *candidate);
/* "; did you mean 'BEFORE BEST'?" in out[cap], or "" when nothing is near. Returns out. */
const char *near_question(const struct near *near, const char *before, char *out, size_t cap);

#endif
