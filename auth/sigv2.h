// SPDX-License-Identifier: Apache-2.0
/* AWS Signature Version 2 ("Signing and Authenticating REST Requests"): what libs3 and other old
 * clients send. Pure; any thread. */
#ifndef GML_AUTH_SIGV2_H
#define GML_AUTH_SIGV2_H

#include "auth/canonical.h"

/* auth_verify for the two kinds of version 2. The text for canonical is the string to sign. */
enum auth_result auth_v2_verify(const struct auth_request *request,
				const struct auth_credential *credential,
				const struct auth_requirements *requirements,
				struct gml_buf canonical);

/* Is the parameter, by its name in the raw query, part of what version 2 signs? Of the others only
 * x-amz-* in a signed URL are. */
bool auth_v2_signs(struct gml_span name);

#endif
