// SPDX-License-Identifier: Apache-2.0
/* The word that was probably meant: for "did you mean" after an unknown word.
 *
 * Pure; any thread; no blocking. The case of ASCII letters does not matter. */
#ifndef GML_BASE_NEAR_H
#define GML_BASE_NEAR_H

#include <stddef.h>

#define GML_NEAR_WORD_MAX 64 /* longer words are near nothing */

/* The best candidate so far. Start with {.word = WORD}. Words are borrowed. */
struct gml_near {
	const char *word; /* what was typed */
	const char *best; /* NULL: nothing is near */
	unsigned distance;
};

/* Letters to insert, delete, replace, or exchange with their neighbour, to make `b` of `a` (each
 * letter changes once at most). UINT_MAX when one of both is longer than GML_NEAR_WORD_MAX. */
unsigned gml_near_distance(const char *a, const char *b);
/* Takes `candidate` when it is near `near->word` and nearer than the best before it: two changes,
 * one in words of less than five letters, none in a single one; or the beginning of it was
 * typed. */
void gml_near_offer(struct gml_near *near, const char *candidate);
/* "; did you mean 'BEFORE BEST'?" in out[cap], or "" when nothing is near. Returns out. */
const char *gml_near_question(const struct gml_near *near, const char *before, char *out,
			      size_t cap);

#endif
