// SPDX-License-Identifier: Apache-2.0
/* Change attributes of files that are being written, in all processes (run/changes). */
#ifndef GML_NS_CORE_CHANGE_COUNTERS_H
#define GML_NS_CORE_CHANGE_COUNTERS_H

#include <gemel/types.h>
#include "gateway/meta/record/record.h"
#include "gateway/ns/store/store.h"

uint64_t
gml_change_current(struct gml_store *store,
		   const struct gml_inode *inode); /* max(record, slot) while DIRTY, else record */
void gml_change_bump(struct gml_store *store, gml_ino ino);
/* run/changes, below the store's directory: made when missing, mapped shared. Lives as long as the
 * open store. */
int gml_change_counters_open(int dirfd, struct gml_change_counters **out);
void gml_change_counters_close(struct gml_change_counters *counters); /* NULL is fine */

#endif
