// SPDX-License-Identifier: Apache-2.0
/* Pieces of auth_parse that more than one file needs. */
#ifndef GML_AUTH_CLAIM_H
#define GML_AUTH_CLAIM_H

#include "auth/canonical.h"

/* Set the claim's detail and return the result: one line per refusal. */
enum auth_result auth_refuse(struct auth_claim *claim, enum auth_result result, const char *detail);

/* "KEY/YYYYMMDD/REGION/SERVICE/aws4_request" into the claim; "/" may be "%2F" and the key escaped if `encoded`. false:
 * not of that form. */
bool auth_claim_credential(struct auth_claim *claim, struct gml_span credential, bool encoded);

#endif
