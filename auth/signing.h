// SPDX-License-Identifier: Apache-2.0
/* Signing keys of version 4 (S3 API reference: "Calculating a Signature", step 3): four keyed
 * hashes over secret, date, region and service. A key holds for a day, and deriving it costs more
 * than the rest of a verification, so a few are kept. */
#ifndef GML_AUTH_SIGNING_H
#define GML_AUTH_SIGNING_H

#include "auth/digest.h"
#include "auth/sigv4.h"

#define AUTH_SIGNING_KEY_SIZE 32

/* Keyed hash of `text` under the key of with->secret for the credential's scope, and that key. From
 * with->keys (may be NULL) if it was derived lately; the lookup includes the secret: a key that got
 * another secret, or none, never finds keys derived from the old one. digest: initialised by the
 * caller. false: out of memory, or a secret beyond AUTH_SECRET_MAX. Any thread; no blocking. */
bool auth_signing_mac(struct auth_digest *digest, const struct auth_credential *credential,
		      const struct auth_requirements *with, struct gml_span text,
		      uint8_t mac[AUTH_SHA256_SIZE], uint8_t key[AUTH_SIGNING_KEY_SIZE]);

#endif
