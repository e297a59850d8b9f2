// SPDX-License-Identifier: Apache-2.0
#include "near.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static unsigned near_least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool near_same(char a, char b)
{
	return strncasecmp(&a, &b, 1) == 0;
}

unsigned gml_near_distance(const char *a, const char *b)
{
	unsigned rows[3][GML_NEAR_WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > GML_NEAR_WORD_MAX || b_len > GML_NEAR_WORD_MAX)
		return UINT_MAX;
	for (size_t k = 0; k <= b_len; k++)
		last[k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			row[k] = near_least(near_least(last[k], row[k - 1]) + 1,
					    last[k - 1] + !near_same(a[i - 1], b[k - 1]));
			if (i > 1 && k > 1 && near_same(a[i - 1], b[k - 2]) &&
			    near_same(a[i - 2], b[k - 1]))
				row[k] = near_least(row[k], before[k - 2] + 1);
		}
		unsigned *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

void gml_near_offer(struct gml_near *near, const char *candidate)
{
	size_t len = strlen(near->word);
	unsigned distance = gml_near_distance(near->word, candidate);
	bool begun = len >= 2 && strncasecmp(near->word, candidate, len) == 0;
	if (!begun && distance > (len < 2 ? 0u : len < 5 ? 1u : 2u))
		return;
	if (near->best != NULL && distance >= near->distance)
		return;
	near->best = candidate;
	near->distance = distance;
}

const char *gml_near_question(const struct gml_near *near, const char *before, char *out,
			      size_t cap)
{
	out[0] = 0;
	if (near->best != NULL)
		snprintf(out, cap, "; did you mean '%s%s'?", before, near->best);
	return out;
}
