// SPDX-License-Identifier: Apache-2.0
#include "auth/signing.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/canonical.h"
#include "gateway/base/assert.h"

#define SIGNING_SLOTS 256u /* power of two; a slot holds the last key that fell into it */
#define SIGNING_SCOPE_MAX (8 + AUTH_REGION_MAX)
_Static_assert((SIGNING_SLOTS & (SIGNING_SLOTS - 1)) == 0, "a hash is cut to a slot's number");
_Static_assert(AUTH_SIGNING_KEY_SIZE == AUTH_SHA256_SIZE, "each step's hash is the next one's key");

struct signing_slot {
	size_t secret_len, scope_len; /* scope_len 0: free */
	char secret[AUTH_SECRET_MAX];
	char scope[SIGNING_SCOPE_MAX]; /* date and region; the service is always s3 */
	uint8_t key[AUTH_SIGNING_KEY_SIZE];
	struct auth_hmac_key ready; /* the same for auth_hmac_ready */
};

struct auth_key_cache {
	pthread_mutex_t lock;
	struct signing_slot slots[SIGNING_SLOTS];
};

static bool signing_derive(struct auth_digest *digest, const struct auth_credential *credential,
			   struct gml_span secret, uint8_t key[AUTH_SIGNING_KEY_SIZE])
{
	const struct gml_span step = gml_span_of(key, AUTH_SIGNING_KEY_SIZE);
	char start[4 + AUTH_SECRET_MAX] = "AWS4";
	bool ok;
	if (secret.len > AUTH_SECRET_MAX)
		return false;
	if (secret.len > 0)
		memcpy(start + 4, secret.ptr, secret.len);
	auth_hmac(digest, AUTH_SHA256, gml_span_of(start, 4 + secret.len), credential->date, key);
	auth_hmac(digest, AUTH_SHA256, step, credential->region, key);
	auth_hmac(digest, AUTH_SHA256, step, credential->service, key);
	ok = auth_hmac(digest, AUTH_SHA256, step, GML_LIT("aws4_request"), key);
	OPENSSL_cleanse(start, sizeof(start));
	return ok;
}

struct auth_key_cache *auth_key_cache_new(void)
{
	struct auth_key_cache *cache = calloc(1, sizeof(*cache));
	if (cache != NULL && pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		cache = NULL;
	}
	return cache;
}

void auth_key_cache_free(struct auth_key_cache *cache)
{
	if (cache == NULL)
		return;
	pthread_mutex_destroy(&cache->lock);
	for (size_t i = 0; i < SIGNING_SLOTS; i++)
		auth_hmac_key_release(&cache->slots[i].ready);
	OPENSSL_cleanse(cache, sizeof(*cache));
	free(cache);
}

/* By access key id: nothing secret decides which slot is touched. */
static struct signing_slot *signing_slot_of(struct auth_key_cache *cache,
					    const struct auth_credential *credential)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < credential->access_key.len; i++)
		hash = (hash ^ (unsigned char)gml_span_at(credential->access_key, i)) * 16777619u;
	return &cache->slots[(hash ^ hash >> 16) & (SIGNING_SLOTS - 1)];
}

static bool signing_slot_holds(const struct signing_slot *slot, const char *scope, size_t scope_len,
			       struct gml_span secret)
{
	gml_assert((slot->scope_len > 0) == (slot->ready.inner != NULL));
	return slot->scope_len == scope_len && memcmp(slot->scope, scope, scope_len) == 0 &&
	       slot->secret_len == secret.len &&
	       CRYPTO_memcmp(slot->secret, secret.ptr, secret.len) == 0;
}

static void signing_slot_fill(struct signing_slot *slot, const char *scope, size_t scope_len,
			      struct gml_span secret, const uint8_t key[AUTH_SIGNING_KEY_SIZE])
{
	gml_assert(scope_len > 0 && scope_len <= sizeof(slot->scope));
	gml_assert(secret.len > 0 && secret.len <= sizeof(slot->secret));
	auth_hmac_key_release(&slot->ready);
	OPENSSL_cleanse(slot, sizeof(*slot));
	if (!auth_hmac_key_init(&slot->ready, AUTH_SHA256, key, AUTH_SIGNING_KEY_SIZE))
		return;
	memcpy(slot->scope, scope, scope_len);
	memcpy(slot->secret, secret.ptr, secret.len);
	memcpy(slot->key, key, sizeof(slot->key));
	slot->secret_len = secret.len;
	slot->scope_len = scope_len;
}

static bool signing_mac_plain(struct auth_digest *digest, const struct auth_credential *credential,
			      struct gml_span secret, struct gml_span text,
			      uint8_t mac[AUTH_SHA256_SIZE], uint8_t key[AUTH_SIGNING_KEY_SIZE])
{
	return signing_derive(digest, credential, secret, key) &&
	       auth_hmac(digest, AUTH_SHA256, gml_span_of(key, AUTH_SIGNING_KEY_SIZE), text, mac);
}

bool auth_signing_mac(struct auth_digest *digest, const struct auth_credential *credential,
		      const struct auth_requirements *with, struct gml_span text,
		      uint8_t mac[AUTH_SHA256_SIZE], uint8_t key[AUTH_SIGNING_KEY_SIZE])
{
	struct auth_key_cache *cache = with->keys;
	const struct gml_span secret = with->secret;
	size_t scope_len = credential->date.len + credential->region.len;
	char scope[SIGNING_SCOPE_MAX];
	struct signing_slot *slot;
	bool held, ok = true;
	/* auth_parse accepts nothing else; callers of auth_sign may pass others. */
	if (cache == NULL || credential->date.len != 8 ||
	    credential->region.len > AUTH_REGION_MAX || secret.len == 0 ||
	    secret.len > AUTH_SECRET_MAX)
		return signing_mac_plain(digest, credential, secret, text, mac, key);
	gml_assert(gml_span_equal(credential->service, GML_LIT("s3"))); /* no slot says which */
	memcpy(scope, credential->date.ptr, 8);
	memcpy(scope + 8, credential->region.ptr, credential->region.len);
	slot = signing_slot_of(cache, credential);
	pthread_mutex_lock(&cache->lock);
	held = signing_slot_holds(slot, scope, scope_len, secret);
	if (held) {
		memcpy(key, slot->key, AUTH_SIGNING_KEY_SIZE);
		ok = auth_hmac_ready(digest, &slot->ready, text.ptr, text.len, mac);
	}
	pthread_mutex_unlock(&cache->lock);
	if (held)
		return ok;
	if (!signing_mac_plain(digest, credential, secret, text, mac, key))
		return false;
	pthread_mutex_lock(&cache->lock);
	signing_slot_fill(slot, scope, scope_len, secret, key);
	pthread_mutex_unlock(&cache->lock);
	return true;
}
