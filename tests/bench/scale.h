// SPDX-License-Identifier: Apache-2.0
/* What scale.c measured, and how it is told (scale_report.c). */
#ifndef TESTS_BENCH_SCALE_H
#define TESTS_BENCH_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#define SCALE_STAGES 8

enum scale_what {
	LOOKUP,
	OPEN,
	CREATE,
	CREATE_MANY,
	LIST,
	LIST_DELIMITER,
	LIST_FOLDED,
	READDIR,
	WHAT_COUNT
};
struct scale_figure {
	double median, p99; /* µs */
	double each; /* µs of wall time per operation: with 64 threads the inverse of the rate */
	unsigned samples;
};

struct scale_stage {
	uint64_t entries;
	double fill_seconds; /* for this stage's share */
	uint64_t filled, disk;
	struct scale_figure figures[WHAT_COUNT];
};

struct scale_result {
	uint64_t entries;
	bool shuffle;
	struct scale_stage stages[SCALE_STAGES];
	unsigned nstages; /* at least one */
};

/* A table on standard output. */
void scale_print(const struct scale_result *result);
/* The same as JSON; 0, or -1 with errno. */
int scale_write_json(const struct scale_result *result, const char *path);

#endif
