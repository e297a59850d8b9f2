// SPDX-License-Identifier: Apache-2.0
/* A process as the owner of something that others may take over when it ends: a lease, a file that
 * is being written, a reader's place. */
#ifndef GML_BASE_OWNER_H
#define GML_BASE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

/* A pid alone is reused, but not together with its start time and the boot id. */
struct gml_owner {
	uint32_t gateway; /* number of the gateway that it runs on; 0: the only one */
	uint32_t pid;
	uint64_t start; /* clock ticks since boot (/proc/PID/stat, field 22) */
	uint64_t boot;	/* hash of the boot id */
};

/* This process, on gateway 0. 0, or IO: /proc is unreadable. Any thread. Reads /proc. */
int gml_owner_self(struct gml_owner *out);
bool gml_owner_equal(const struct gml_owner *a, const struct gml_owner *b);
/* May this process of this machine still run? An unknown owner (/proc unreadable) counts as alive.
 * All processes of a machine must share a pid namespace: one that cannot be seen counts as ended.
 * For owners of any gateway: gml_presence_alive. Any thread. Reads /proc. */
bool gml_owner_alive(const struct gml_owner *owner);

#endif
