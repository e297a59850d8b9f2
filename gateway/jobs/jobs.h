// SPDX-License-Identifier: Apache-2.0
/* Background work on an open store: reaping, compaction, recovery after dead processes. One thread
 * calls jobs_run; each step is bounded. */
#ifndef GML_JOBS_H
#define GML_JOBS_H

#include <gemel/store.h>

struct jobs {
	struct gml_store *store;
	struct gml_op op;
	bool reap;    /* no other process reaps: NFS is not served */
	bool recover; /* a process died: recover what it left at the next run */
	int64_t next_reap, next_compact, next_recover, next_sum;
};

void jobs_init(struct jobs *jobs, struct gml_store *store, bool reap, gml_log_fn log,
	       void *log_arg);
/* Runs the jobs that are due at `now` (CLOCK_MONOTONIC ns) and returns when to call again. May
 * block on disk. */
int64_t jobs_run(struct jobs *jobs, int64_t now);

#endif
