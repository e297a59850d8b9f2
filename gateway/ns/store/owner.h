// SPDX-License-Identifier: Apache-2.0
/* Processes as owners of leases and DIRTY files. */
#ifndef GML_NS_STORE_OWNER_H
#define GML_NS_STORE_OWNER_H

#include "gateway/meta/record/record.h"

int gml_owner_self(struct gml_owner *out);
bool gml_owner_alive(const struct gml_owner *owner);

#endif
