// SPDX-License-Identifier: Apache-2.0
#include "near.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned near_least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned near_distance(const char *a, const char *b)
{
	unsigned rows[3][NEAR_WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > NEAR_WORD_MAX || b_len > NEAR_WORD_MAX)
		return UINT_MAX;
	for (size_t k = 0; k <= b_len; k++)
		last[k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			row[k] = near_least(near_least(last[k], row[k - 1]) + 1,
					    last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = near_least(row[k], before[k - 2] + 1);
		}
		unsigned *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

void near_offer(struct near *near, const char *candidate)
{
	size_t len = strlen(near->word);
	unsigned distance = near_distance(near->word, candidate);
	bool begun = len >= 2 && strncmp(near->word, candidate, len) == 0;
	if (!begun && distance > (len < 2 ? 0u : len < 5 ? 1u : 2u))
		return;
	if (near->best != NULL && distance >= near->distance)
		return;
	near->best = candidate;
	near->distance = distance;
}

const char *near_question(const struct near *near, const char *before, char *out, size_t cap)
{
	out[0] = 0;
	if (near->best != NULL)
		snprintf(out, cap, "; did you mean '%s%s'?", before, near->best);
	return out;
}
