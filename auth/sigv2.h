/* AWS Signature Version 2 ("Signing and Authenticating REST Requests"): what libs3 and other old clients send. Pure;
 * any thread. */
#ifndef GML_AUTH_SIGV2_H
#define GML_AUTH_SIGV2_H

#include "auth/canonical.h"

/* The string to sign: verb, Content-MD5, Content-Type, date or Expires, x-amz-* headers, resource with its
 * subresources. params are sorted in place. false: more than AUTH_SIGNED_MAX x-amz-* headers. */
bool auth_v2_string(struct auth_sink *sink, const struct auth_request *request, const struct auth_claim *claim,
		    struct auth_param *params, size_t nparams);

enum auth_result auth_v2_verify(const struct auth_request *request, const struct auth_claim *claim,
				struct auth_span secret, int64_t now, char *canonical_out, size_t canonical_cap);

#endif
