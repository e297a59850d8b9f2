// SPDX-License-Identifier: Apache-2.0
/* Orphans that are being freed. */
#ifndef GML_NS_STORE_REAP_H
#define GML_NS_STORE_REAP_H

#include <gemel/types.h>
#include "store.h"

/* Is this process's reaper about to free the orphan? Who opens one notes its open_inode first, then asks; the reaper claims first, then asks what is open: so one of them gives way. No blocking. */
bool gml_reap_is_freeing(struct gml_store *store, gml_ino ino);

#endif
