// SPDX-License-Identifier: Apache-2.0
/* New files that were closed without a write. */
#ifndef GML_NS_POSIX_UNWRITTEN_H
#define GML_NS_POSIX_UNWRITTEN_H

#include <gemel/types.h>
#include "gateway/ns/store/store.h"

int gml_unwritten_new(struct gml_unwritten **out);
/* NULL is accepted; listed inodes stay DIRTY */
void gml_unwritten_free(struct gml_unwritten *unwritten);
/* List a new file that was closed without a write: it becomes clean later, with others. False: the
 * list is full, the caller finalizes it. May finalize the listed ones; no lock held. */
bool gml_unwritten_add(struct gml_store *store, gml_ino ino);
/* Make the listed files clean: one relaxed commit. No lock held. */
void gml_unwritten_finalize(struct gml_store *store);

#endif
