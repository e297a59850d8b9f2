// SPDX-License-Identifier: Apache-2.0
#include "jobs.h"

#include <string.h>
#include <stdio.h>

#define JOBS_SECOND ((int64_t)1000000000)
#define JOBS_REAP_EVERY (2 * JOBS_SECOND)
#define JOBS_REAP_BATCH 256
#define JOBS_COMPACT_EVERY (60 * JOBS_SECOND)
#define JOBS_SUM_EVERY (5 * JOBS_SECOND)
/* a file that is written again before is not read in vain */
#define JOBS_SUM_AGE (60 * JOBS_SECOND)
#define JOBS_SUM_BYTES ((uint64_t)128 << 20) /* in one run, and so a second */
/* nginx replaces a dead worker by itself, without a notice to the supervisor */
#define JOBS_RECOVER_EVERY (10 * JOBS_SECOND)
/* after a death: other processes of its group may need a moment to end */
#define JOBS_RECOVER_AGAIN JOBS_SECOND

void jobs_init(struct jobs *jobs, struct gml_store *store, bool reap, gml_log_fn log, void *log_arg)
{
	memset(jobs, 0, sizeof(*jobs));
	jobs->store = store;
	jobs->reap = reap;
	jobs->op = (struct gml_op)GML_OP_LOCAL;
	jobs->op.principal.user = "jobs";
	jobs->op.log = log;
	jobs->op.log_arg = log_arg;
}

static void jobs_failed(struct jobs *jobs, const char *what, int rc)
{
	char line[160];
	snprintf(line, sizeof(line), "%s: %s", what, gml_err_text(rc));
	if (jobs->op.log)
		jobs->op.log(jobs->op.log_arg, GML_LOG_WARN, line);
}

int64_t jobs_run(struct jobs *jobs, int64_t now)
{
	unsigned freed = 0;
	uint64_t bytes = 0;
	bool more = false;
	int64_t next;
	int rc;
	if (jobs->recover || now >= jobs->next_recover) {
		jobs->next_recover =
			now + (jobs->recover ? JOBS_RECOVER_AGAIN : JOBS_RECOVER_EVERY);
		jobs->recover = false;
		if ((rc = gml_store_recover(&jobs->op, jobs->store)) != 0)
			jobs_failed(jobs, "recovery", rc);
	}
	if (jobs->reap && now >= jobs->next_reap) {
		const struct gml_reap reap = {.min_age_ns = GML_ORPHAN_AGE_NS,
					      .max = JOBS_REAP_BATCH,
					      .is_open = gml_store_file_is_open,
					      .arg = jobs->store};
		rc = gml_store_reap(&jobs->op, jobs->store, &reap, &freed);
		if (rc != 0)
			jobs_failed(jobs, "reaping", rc);
		jobs->next_reap = freed == JOBS_REAP_BATCH ? now : now + JOBS_REAP_EVERY;
	}
	if (now >= jobs->next_compact) {
		if ((rc = gml_store_compact(&jobs->op, jobs->store, &bytes)) != 0)
			jobs_failed(jobs, "compaction", rc);
		jobs->next_compact = now + JOBS_COMPACT_EVERY;
	}
	if (now >= jobs->next_sum) {
		rc = gml_store_sum(&jobs->op, jobs->store, JOBS_SUM_AGE, JOBS_SUM_BYTES, &bytes,
				   &more);
		if (rc != 0)
			jobs_failed(jobs, "checksums", rc);
		jobs->next_sum = now + (more ? JOBS_SECOND : JOBS_SUM_EVERY);
	}
	next = jobs->next_compact < jobs->next_recover ? jobs->next_compact : jobs->next_recover;
	next = jobs->next_sum < next ? jobs->next_sum : next;
	return jobs->reap && jobs->next_reap < next ? jobs->next_reap : next;
}
