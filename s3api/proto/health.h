// SPDX-License-Identifier: Apache-2.0
/* Whether the server can do its work: the store accepts changes, NFS answers. At most one
 * examination a second, for any number of requests, on a thread of its own, so that a disk which
 * does not answer delays no request longer than HEALTH_PATIENCE. */
#ifndef GML_S3_HEALTH_H
#define GML_S3_HEALTH_H

#include <stdbool.h>
#include <gemel/store.h>

/* UNKNOWN: the first look has not ended, and as many wait for it as may. */
enum s3_health_store {
	S3_HEALTH_OK,
	S3_HEALTH_FULL,
	S3_HEALTH_READ_ONLY,
	S3_HEALTH_FAILED,
	S3_HEALTH_STALLED,
	S3_HEALTH_UNKNOWN
};
struct s3_health_state {
	enum s3_health_store store;
	bool nfs_wanted, nfs_answers;
};

struct s3_health;
/* `store` must outlive it; nfs_address (copied) NULL: NFS is not served. Starts no thread. NULL
 * when out of memory. */
struct s3_health *s3_health_new(struct gml_store *store, const char *nfs_address,
				unsigned nfs_port);
/* No call of s3_health_look may be running. Waits for a running examination. NULL is fine. */
void s3_health_free(struct s3_health *health);
/* What the last look found: if that is fresh, if a new one would be in vain because one has been
 * waiting too long, or if HEALTH_WAITING_MAX threads wait for one already. Any thread; does not
 * block. */
bool s3_health_known(struct s3_health *health, struct s3_health_state *out);
/* The same, after a new look if it takes one. Any thread; blocks for HEALTH_PATIENCE at most, and
 * no more than HEALTH_WAITING_MAX threads at a time. */
void s3_health_look(struct s3_health *health, struct s3_health_state *out);

#endif
