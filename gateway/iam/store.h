// SPDX-License-Identifier: Apache-2.0
/* The parts of an open store that this folder uses. The store belongs to a layer above
 * (ns/store/store.c implements these). Borrowed as long as the store is open. Any thread. Blocks:
 * no. */
#ifndef GML_IAM_STORE_H
#define GML_IAM_STORE_H

#include <gemel/store.h>
#include "gateway/meta/engine.h"

struct gml_access;
struct gml_access_epoch;
struct gml_roster;

struct gml_meta *gml_store_meta(struct gml_store *store);
struct gml_access *gml_store_access(struct gml_store *store);
struct gml_access_epoch *gml_store_access_epoch(struct gml_store *store);
struct gml_roster *gml_store_roster(struct gml_store *store);

#endif
