// SPDX-License-Identifier: Apache-2.0
#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include "gateway/base/assert.h"

_Static_assert(AUTH_SHA1_SIZE <= AUTH_SHA256_SIZE && AUTH_SHA256_SIZE <= AUTH_HMAC_BLOCK,
	       "a hash fits where a SHA-256 is kept, and a long key's hash into the block");

/* Fetched once: EVP_sha256() looks the implementation up again at every init, which costs more than
 * the hashing. Kept until the process ends. */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_md[2];
/* A context kept by this thread: making and freeing one costs as much as hashing a short text. */
static pthread_key_t digest_spare_key;
static _Thread_local EVP_MD_CTX *digest_spare;

static void digest_spare_free(void *spare)
{
	EVP_MD_CTX_free(*(EVP_MD_CTX **)spare);
}

static void digest_fetch(void)
{
	digest_md[AUTH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	digest_md[AUTH_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (pthread_key_create(&digest_spare_key, digest_spare_free) != 0)
		digest_md[AUTH_SHA256] = NULL;
}

void auth_digest_init(struct auth_digest *digest)
{
	pthread_once(&digest_once, digest_fetch);
	memset(digest, 0, sizeof(*digest));
	digest->fresh = digest_spare != NULL;
	digest->ctx = digest->fresh ? digest_spare : EVP_MD_CTX_new();
	digest_spare = NULL;
	digest->failed = digest->ctx == NULL || digest_md[AUTH_SHA256] == NULL ||
			 digest_md[AUTH_SHA1] == NULL;
}

/* A context may hold the hash of a key. Begun anew it holds nothing, and its next use need not
 * begin it. The end of the thread frees it. */
static bool digest_keep(struct auth_digest *digest)
{
	if (digest_spare != NULL || digest->failed ||
	    EVP_DigestInit_ex(digest->ctx, digest_md[AUTH_SHA256], NULL) != 1 ||
	    pthread_setspecific(digest_spare_key, &digest_spare) != 0)
		return false;
	digest_spare = digest->ctx;
	return true;
}

void auth_digest_release(struct auth_digest *digest)
{
	if (!digest_keep(digest))
		EVP_MD_CTX_free(digest->ctx);
	digest->ctx = NULL;
	OPENSSL_cleanse(digest->outer, sizeof(digest->outer));
}

static size_t digest_size(enum auth_hash hash)
{
	return hash == AUTH_SHA256 ? AUTH_SHA256_SIZE : AUTH_SHA1_SIZE;
}

void auth_digest_begin(struct auth_digest *digest, enum auth_hash hash)
{
	bool begun = digest->fresh && hash == AUTH_SHA256;
	gml_assert(digest->ctx != NULL || digest->failed); /* between init and release */
	digest->hash = hash;
	digest->fresh = false;
	if (!digest->failed && !begun && EVP_DigestInit_ex(digest->ctx, digest_md[hash], NULL) != 1)
		digest->failed = true;
}

void auth_digest_update(struct auth_digest *digest, const void *buf, size_t len)
{
	gml_assert(!digest->fresh); /* it has begun */
	if (len > 0 && !digest->failed && EVP_DigestUpdate(digest->ctx, buf, len) != 1)
		digest->failed = true;
}

bool auth_digest_final(struct auth_digest *digest, uint8_t *out)
{
	gml_assert(digest->failed ||
		   EVP_MD_CTX_get_size(digest->ctx) == (int)digest_size(digest->hash));
	if (!digest->failed && EVP_DigestFinal_ex(digest->ctx, out, NULL) != 1)
		digest->failed = true;
	if (digest->failed)
		memset(out, 0, digest_size(digest->hash));
	return !digest->failed;
}

static void digest_xor(uint8_t block[AUTH_HMAC_BLOCK], uint8_t with)
{
	for (size_t i = 0; i < AUTH_HMAC_BLOCK; i++)
		block[i] ^= with;
}

void auth_hmac_begin(struct auth_digest *digest, enum auth_hash hash, const void *key, size_t len)
{
	uint8_t *block = digest->outer;
	memset(block, 0, AUTH_HMAC_BLOCK);
	if (len > AUTH_HMAC_BLOCK) {
		auth_digest_begin(digest, hash);
		auth_digest_update(digest, key, len);
		auth_digest_final(digest, block);
	} else if (len > 0) {
		memcpy(block, key, len);
	}
	digest_xor(block, 0x36);
	auth_digest_begin(digest, hash);
	auth_digest_update(digest, block, AUTH_HMAC_BLOCK);
	digest_xor(block, 0x36 ^ 0x5c);
}

bool auth_hmac_final(struct auth_digest *digest, uint8_t *out)
{
	uint8_t inner[AUTH_SHA256_SIZE];
	auth_digest_final(digest, inner);
	auth_digest_begin(digest, digest->hash);
	auth_digest_update(digest, digest->outer, sizeof(digest->outer));
	auth_digest_update(digest, inner, digest_size(digest->hash));
	return auth_digest_final(digest, out);
}

bool auth_hmac(struct auth_digest *digest, enum auth_hash hash, struct gml_span key,
	       struct gml_span msg, uint8_t *out)
{
	auth_hmac_begin(digest, hash, key.ptr, key.len);
	auth_digest_update(digest, msg.ptr, msg.len);
	return auth_hmac_final(digest, out);
}

bool auth_hmac_key_init(struct auth_hmac_key *ready, enum auth_hash hash, const void *key,
			size_t len)
{
	struct auth_digest inner, outer;
	bool ok;
	gml_assert(ready->inner == NULL && ready->outer == NULL); /* what it held is released */
	auth_digest_init(&inner);
	auth_digest_init(&outer);
	auth_hmac_begin(&inner, hash, key, len);
	auth_digest_begin(&outer, hash);
	auth_digest_update(&outer, inner.outer, sizeof(inner.outer));
	ok = !inner.failed && !outer.failed;
	*ready = (struct auth_hmac_key){.inner = inner.ctx, .outer = outer.ctx, .hash = hash};
	OPENSSL_cleanse(inner.outer, sizeof(inner.outer));
	if (!ok)
		auth_hmac_key_release(ready);
	return ok;
}

void auth_hmac_key_release(struct auth_hmac_key *ready)
{
	EVP_MD_CTX_free(ready->inner);
	EVP_MD_CTX_free(ready->outer);
	ready->inner = ready->outer = NULL;
}

/* Continue from the state of another context. */
static void digest_resume(struct auth_digest *digest, const void *from, enum auth_hash hash)
{
	digest->hash = hash;
	digest->fresh = false;
	if (!digest->failed && EVP_MD_CTX_copy_ex(digest->ctx, from) != 1)
		digest->failed = true;
}

bool auth_hmac_ready(struct auth_digest *digest, const struct auth_hmac_key *ready, const void *msg,
		     size_t msg_len, uint8_t *out)
{
	uint8_t inner[AUTH_SHA256_SIZE];
	gml_assert(ready->inner != NULL && ready->outer != NULL);
	digest_resume(digest, ready->inner, ready->hash);
	auth_digest_update(digest, msg, msg_len);
	auth_digest_final(digest, inner);
	digest_resume(digest, ready->outer, ready->hash);
	auth_digest_update(digest, inner, digest_size(ready->hash));
	return auth_digest_final(digest, out);
}
