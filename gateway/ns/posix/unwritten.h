// SPDX-License-Identifier: Apache-2.0
/* New files that were closed without a write. */
#ifndef GML_NS_POSIX_UNWRITTEN_H
#define GML_NS_POSIX_UNWRITTEN_H

#include <gemel/types.h>
#include "gateway/ns/store/store.h"

int gml_unwritten_new(struct gml_unwritten **out);
void gml_unwritten_free(
	struct gml_unwritten *unwritten); /* NULL is fine; what is noted stays DIRTY */
/* Note that a new file was closed without a write: it becomes clean later, with others. False: no room, the caller settles it. May settle those that are noted; no lock held. */
bool gml_unwritten_add(struct gml_store *store, gml_ino ino);
/* Those that are noted become clean: one relaxed commit. No lock held. */
void gml_unwritten_finalize(struct gml_store *store);

#endif
