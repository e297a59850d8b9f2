#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

/* Fetched once: EVP_sha256() looks the implementation up again at every init, which costs more than the hashing. Kept
 * until the process ends. */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_md[2];

static void digest_fetch(void)
{
	digest_md[AUTH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	digest_md[AUTH_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
}

void auth_digest_init(struct auth_digest *digest)
{
	pthread_once(&digest_once, digest_fetch);
	memset(digest, 0, sizeof(*digest));
	digest->ctx = EVP_MD_CTX_new();
	digest->failed = digest->ctx == NULL || digest_md[AUTH_SHA256] == NULL || digest_md[AUTH_SHA1] == NULL;
}

void auth_digest_release(struct auth_digest *digest)
{
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
	digest->hash = hash;
	if (!digest->failed && EVP_DigestInit_ex(digest->ctx, digest_md[hash], NULL) != 1)
		digest->failed = true;
}

void auth_digest_update(struct auth_digest *digest, const void *buf, size_t len)
{
	if (len > 0 && !digest->failed && EVP_DigestUpdate(digest->ctx, buf, len) != 1)
		digest->failed = true;
}

bool auth_digest_final(struct auth_digest *digest, uint8_t *out)
{
	if (!digest->failed && EVP_DigestFinal_ex(digest->ctx, out, NULL) != 1)
		digest->failed = true;
	if (digest->failed)
		memset(out, 0, digest_size(digest->hash));
	return !digest->failed;
}

void auth_hmac_begin(struct auth_digest *digest, enum auth_hash hash, const void *key, size_t len)
{
	uint8_t block[AUTH_HMAC_BLOCK] = {0};
	uint8_t inner[AUTH_HMAC_BLOCK];

	if (len > sizeof(block)) {
		auth_digest_begin(digest, hash);
		auth_digest_update(digest, key, len);
		auth_digest_final(digest, block);
	} else if (len > 0) {
		memcpy(block, key, len);
	}
	for (size_t i = 0; i < sizeof(block); i++) {
		inner[i] = block[i] ^ 0x36;
		digest->outer[i] = block[i] ^ 0x5c;
	}
	auth_digest_begin(digest, hash);
	auth_digest_update(digest, inner, sizeof(inner));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(inner, sizeof(inner));
}

bool auth_hmac_final(struct auth_digest *digest, uint8_t *out)
{
	uint8_t inner[AUTH_SHA256_SIZE];

	auth_digest_final(digest, inner);
	auth_digest_begin(digest, digest->hash);
	auth_digest_update(digest, digest->outer, sizeof(digest->outer));
	auth_digest_update(digest, inner, digest_size(digest->hash));
	OPENSSL_cleanse(digest->outer, sizeof(digest->outer));
	return auth_digest_final(digest, out);
}

bool auth_hmac(struct auth_digest *digest, enum auth_hash hash, const void *key, size_t key_len, const void *msg,
	       size_t msg_len, uint8_t *out)
{
	auth_hmac_begin(digest, hash, key, key_len);
	auth_digest_update(digest, msg, msg_len);
	return auth_hmac_final(digest, out);
}

void auth_hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

static int digest_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool auth_unhex(const char *hex, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++) {
		int high = digest_nibble(hex[2 * i]), low = digest_nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
