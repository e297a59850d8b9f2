// SPDX-License-Identifier: Apache-2.0
/* SHA-256 and SHA-1, plain and keyed (RFC 2104), over OpenSSL's EVP with the algorithms fetched
 * once per process. One thread at a time per object; no blocking. A failure (out of memory) sticks:
 * auth_digest_final and auth_hmac_final then return false, and callers must refuse. */
#ifndef GML_AUTH_DIGEST_H
#define GML_AUTH_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gemel/types.h>

#define AUTH_SHA256_SIZE 32
#define AUTH_SHA1_SIZE 20
#define AUTH_HMAC_BLOCK 64

enum auth_hash { AUTH_SHA256, AUTH_SHA1 };

struct auth_digest {
	void *ctx; /* EVP_MD_CTX */
	enum auth_hash hash;
	bool failed;
	bool fresh;			/* ctx has begun with SHA-256 and holds nothing yet */
	uint8_t outer[AUTH_HMAC_BLOCK]; /* key xor opad while a keyed digest is in progress */
};

/* Caller's storage; every init needs a release, which erases key material. */
void auth_digest_init(struct auth_digest *digest);
void auth_digest_release(struct auth_digest *digest);

void auth_digest_begin(struct auth_digest *digest, enum auth_hash hash);
void auth_digest_update(struct auth_digest *digest, const void *buf, size_t len);
/* out: AUTH_SHA256_SIZE or AUTH_SHA1_SIZE bytes. The digest can begin again after it. */
bool auth_digest_final(struct auth_digest *digest, uint8_t *out);

/* Keyed: begin, auth_digest_update, final. */
void auth_hmac_begin(struct auth_digest *digest, enum auth_hash hash, const void *key, size_t len);
bool auth_hmac_final(struct auth_digest *digest, uint8_t *out);
/* All three in one for a short message. `out` may be where the key is. */
bool auth_hmac(struct auth_digest *digest, enum auth_hash hash, struct gml_span key,
	       struct gml_span msg, uint8_t *out);

/* A key for many messages, as the state that its two blocks leave behind. Caller's storage, zeroed
 * before the first init; release accepts a key that was never initialised, and erases the key. Read
 * by one thread at a time. */
struct auth_hmac_key {
	void *inner, *outer; /* EVP_MD_CTX */
	enum auth_hash hash;
};
bool auth_hmac_key_init(struct auth_hmac_key *ready, enum auth_hash hash, const void *key,
			size_t len);
void auth_hmac_key_release(struct auth_hmac_key *ready);
/* auth_hmac with such a key. */
bool auth_hmac_ready(struct auth_digest *digest, const struct auth_hmac_key *ready, const void *msg,
		     size_t msg_len, uint8_t *out);

#endif
