// SPDX-License-Identifier: Apache-2.0
/* Orphans that are being freed. */
#ifndef GML_NS_STORE_REAP_H
#define GML_NS_STORE_REAP_H

#include <gemel/types.h>
#include "store.h"

/* Is this process's reaper about to free the orphan? Ordering: an opener registers its open_inode,
 * then checks for reaping; the reaper marks, then checks for openers. At least one of them sees the
 * other. No blocking. */
bool gml_reap_is_freeing(struct gml_store *store, gml_ino ino);

#endif
