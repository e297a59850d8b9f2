// SPDX-License-Identifier: Apache-2.0
/* Leases of blob ids and packs. */
#ifndef GML_NS_STORE_LEASE_H
#define GML_NS_STORE_LEASE_H

#include <stdint.h>
#include "store.h"

/* The data layer's next_id (data/blob.h); `arg` is the store. Takes lease_lock and may commit:
 * never inside a transaction. */
int gml_lease_next_id(void *arg, int kind, uint64_t *id_out);
/* Return every lease of this process (close). */
int gml_lease_drop_all(struct gml_store *store);
/* Remove unpublished files of dead processes in their leased ranges, then drop those leases. */
int gml_lease_recover(struct gml_store *store);

#endif
