// SPDX-License-Identifier: Apache-2.0
/* What Principal and NotPrincipal name (AWS JSON policy elements: Principal).
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_PRINCIPAL_H
#define GML_AUTH_POLICY_PRINCIPAL_H

#include "auth/access/access.h"

enum auth_party_kind {
	AUTH_PARTY_EVERYONE,  /* "*": anonymous callers too */
	AUTH_PARTY_ACCOUNT,   /* everyone who signs, of an account */
	AUTH_PARTY_ARN,	      /* a user, a role, a session */
	AUTH_PARTY_CANONICAL, /* S3's canonical user id */
	AUTH_PARTY_NOBODY,    /* AWS's services, other providers: nobody who comes here */
};

struct auth_party {
	enum auth_party_kind kind;
	struct gml_span name; /* of an account: its digits */
};

/* Compiles one value under "AWS", "CanonicalUser", "Service" or "Federated". Borrows the value.
 * Returns NULL, or what is wrong as the end of a sentence (static). */
const char *auth_party_compile(struct gml_span type, struct gml_span value, struct auth_party *out);
/* Does it name the caller? A role names its sessions. */
bool auth_party_names(const struct auth_party *party, const struct auth_principal *who);
/* Does it name exactly the caller, as NotPrincipal must: a session itself and not its role, a user
 * and not its account? */
bool auth_party_names_exactly(const struct auth_party *party, const struct auth_principal *who);

#endif
