// SPDX-License-Identifier: Apache-2.0
/* What a word of a policy that does not exist was probably meant to be.
 *
 * Pure; any thread; no blocking. Names are static; NULL: nothing is near. */
#ifndef GML_AUTH_POLICY_NEAR_H
#define GML_AUTH_POLICY_NEAR_H

#include "gateway/base/near.h"
#include "gateway/base/span.h"

/* An action, also for the name of a call of S3's API that is none ("s3:HeadObject"), and for a name
 * without its service. */
const char *auth_near_action(struct gml_span name);
/* A condition key; of a key with a tag's name, what precedes that. */
const char *auth_near_key(struct gml_span name);
/* An operator, without what stands around it. */
const char *auth_near_operator(struct gml_span name);

#define AUTH_NEAR_MAX 128
/* "; did you mean 'NAME'?", or "" for NULL, in `out`. Returns out. */
const char *auth_near_question(const char *name, char out[AUTH_NEAR_MAX]);

#endif
