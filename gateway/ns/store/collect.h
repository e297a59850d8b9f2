// SPDX-License-Identifier: Apache-2.0
/* Unreferenced blob files. */
#ifndef GML_NS_STORE_COLLECT_H
#define GML_NS_STORE_COLLECT_H

#include <stdint.h>
#include <stdbool.h>
#include "store.h"

/* Remove the blob of a failed publication, unless it was published: a commit that returned an error
 * may have happened all the same (its sync failed). BUSY: it was published. Others: unknown, the
 * next start decides. */
int gml_blob_discard(struct gml_store *store, uint64_t blob, uint64_t len);
/* Call before removing bytes that a snapshot does not refer to: a power cut may undo the commits
 * that it shows, and then the record exists again. Waits until they are durable, once for a
 * snapshot (*waited, which the caller clears). IO. */
int gml_collect_wait_durable(struct gml_store *store, bool *waited);
/* Remove blob files without record and lease, in the next few directories; adds their bytes to
 * *freed. */
int gml_collect_unreferenced(struct gml_store *store, uint64_t *freed);

#endif
