// SPDX-License-Identifier: Apache-2.0
/* Where in the text of a document a place is.
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_POSITION_H
#define GML_AUTH_POLICY_POSITION_H

#include "gateway/base/span.h"

/* Line and column, from 1 and in characters, of what a place (struct auth_policy_error) names: of
 * the name of a member, of the value of an item. false: the document, which must be JSON, has no
 * such place; both are 0 then. */
bool auth_position_find(struct gml_span document, const char *place, unsigned *line,
			unsigned *column);

#endif
