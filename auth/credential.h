// SPDX-License-Identifier: Apache-2.0
/* Pieces of auth_parse that more than one file needs. */
#ifndef GML_AUTH_CREDENTIAL_H
#define GML_AUTH_CREDENTIAL_H

#include "auth/canonical.h"

/* Set the credential's detail and return the result: one line per refusal. */
enum auth_result auth_refuse(struct auth_credential *credential, enum auth_result result,
			     const char *detail);

/* "KEY/YYYYMMDD/REGION/SERVICE/aws4_request" into the credential; "/" may be "%2F" and the key
 * escaped if `encoded`. false: not of that form. */
bool auth_credential_scope(struct auth_credential *credential, struct gml_span text, bool encoded);

#endif
