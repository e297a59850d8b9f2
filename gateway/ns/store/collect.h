// SPDX-License-Identifier: Apache-2.0
/* Blob files that nothing refers to. */
#ifndef GML_NS_STORE_COLLECT_H
#define GML_NS_STORE_COLLECT_H

#include <stdint.h>
#include <stdbool.h>
#include "store.h"

/* Remove a blob that was to be published, unless it was: a commit that answered with an error may have happened all the same (its sync failed). BUSY: it was; others: unknown, the next start looks. */
int gml_blob_discard(struct gml_store *store, uint64_t blob, uint64_t len);
/* Ask before bytes are removed that a snapshot knows nothing of: a power cut may take back what it shows, and then the record is there again. Waits until that cannot be, once for a snapshot
 * (*settled, which the caller clears). IO. */
int gml_collect_wait_durable(struct gml_store *store, bool *settled);
/* Remove blob files that no record and no lease knows, in the next few directories; adds their bytes to *freed. */
int gml_collect_unreferenced(struct gml_store *store, uint64_t *freed);

#endif
