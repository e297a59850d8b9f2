// SPDX-License-Identifier: Apache-2.0
/* The table and the JSON of a scale run. */
#include <inttypes.h>
#include <stdio.h>
#include "scale.h"

static const struct {
	const char *name, *text;
} scale_what[WHAT_COUNT] = {
	[LOOKUP] = {"lookup", "lookup of a name (NFS)"},
	[OPEN] = {"object_open", "open of an object (S3)"},
	[CREATE] = {"create", "durable create, 1 thread"},
	[CREATE_MANY] = {"create_64", "durable create, 64 threads"},
	[LIST] = {"list", "list page of 1000 keys"},
	[LIST_DELIMITER] = {"list_delimiter", "the same with delimiter"},
	[LIST_FOLDED] = {"list_folded", "list that folds the directory"},
	[READDIR] = {"readdir", "READDIR page of 1000"},
};

static const char *scale_thousands(uint64_t n, char out[32])
{
	char digits[32];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

void scale_print(const struct scale_result *result)
{
	const struct scale_stage *first = &result->stages[0],
				 *last = &result->stages[result->nstages - 1];
	char text[32], other[32];
	printf("\n%-32s", "us per operation, median / p99");
	for (unsigned s = 0; s < result->nstages; s++)
		printf(" %20s", scale_thousands(result->stages[s].entries, text));
	printf("\n");
	for (int what = 0; what < WHAT_COUNT; what++) {
		printf("%-32s", scale_what[what].text);
		for (unsigned s = 0; s < result->nstages; s++) {
			const struct scale_figure *figure = &result->stages[s].figures[what];
			printf(" %10.1f / %7.1f", figure->median, figure->p99);
		}
		printf("\n");
	}
	printf("%-32s", "creates/s, 64 threads");
	for (unsigned s = 0; s < result->nstages; s++)
		printf(" %20.0f", 1e6 / result->stages[s].figures[CREATE_MANY].each);
	printf("\n%-32s", "entries/s while filling");
	for (unsigned s = 0; s < result->nstages; s++)
		printf(" %20.0f",
		       (double)result->stages[s].filled / result->stages[s].fill_seconds);
	printf("\n%-32s", "bytes on disk per entry");
	for (unsigned s = 0; s < result->nstages; s++)
		printf(" %20.0f",
		       (double)result->stages[s].disk / (double)result->stages[s].entries);
	printf("\n\n%s : %s entries, ratio of medians:", scale_thousands(last->entries, text),
	       scale_thousands(first->entries, other));
	for (int what = 0; what < WHAT_COUNT; what++)
		printf("%s %s %.2f", what == 0 ? "" : ",", scale_what[what].name,
		       last->figures[what].median / first->figures[what].median);
	printf("\n");
}

int scale_write_json(const struct scale_result *result, const char *path)
{
	const struct scale_stage *first = &result->stages[0],
				 *last = &result->stages[result->nstages - 1];
	FILE *file = fopen(path, "w");
	bool bad;
	if (file == NULL)
		return -1;
	fprintf(file, "{\"entries\": %" PRIu64 ", \"shuffle\": %s, \"stages\": [", result->entries,
		result->shuffle ? "true" : "false");
	for (unsigned s = 0; s < result->nstages; s++) {
		const struct scale_stage *stage = &result->stages[s];
		fprintf(file,
			"%s\n {\"entries\": %" PRIu64
			", \"fill_per_second\": %.0f, \"disk_bytes\": %" PRIu64 ", \"us\": {",
			s == 0 ? "" : ",", stage->entries,
			(double)stage->filled / stage->fill_seconds, stage->disk);
		for (int what = 0; what < WHAT_COUNT; what++)
			fprintf(file,
				"%s\n  \"%s\": {\"median\": %.2f, \"p99\": %.2f, \"each\": %.2f, "
				"\"samples\": %u}",
				what == 0 ? "" : ",", scale_what[what].name,
				stage->figures[what].median, stage->figures[what].p99,
				stage->figures[what].each, stage->figures[what].samples);
		fprintf(file, "}}");
	}
	fprintf(file, "],\n \"ratio\": {");
	for (int what = 0; what < WHAT_COUNT; what++)
		fprintf(file, "%s\"%s\": %.3f", what == 0 ? "" : ", ", scale_what[what].name,
			last->figures[what].median / first->figures[what].median);
	fprintf(file, "}}\n");
	bad = ferror(file);
	return fclose(file) != 0 || bad ? -1 : 0;
}
