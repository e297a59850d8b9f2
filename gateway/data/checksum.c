// SPDX-License-Identifier: Apache-2.0
/* SHA256_Init and its like, which OpenSSL 3 calls deprecated, are the only ones of it that take no
 * memory. */
#define OPENSSL_API_COMPAT 10101
#include <gemel/checksum.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/assert.h"
#include "gateway/base/crc.h"

static const struct checksum_kind {
	const char *name;
	uint8_t size;
	int crc; /* enum gml_crc, or -1 */
} checksum_kinds[] = {
	[GML_CHECKSUM_NONE] = {NULL, 0, -1},
	[GML_CHECKSUM_CRC32] = {"CRC32", 4, GML_CRC_32},
	[GML_CHECKSUM_CRC32C] = {"CRC32C", 4, GML_CRC_32C},
	[GML_CHECKSUM_CRC64NVME] = {"CRC64NVME", 8, GML_CRC_64NVME},
	[GML_CHECKSUM_SHA1] = {"SHA1", 20, -1},
	[GML_CHECKSUM_SHA256] = {"SHA256", 32, -1},
};
#define CHECKSUM_COUNT (sizeof(checksum_kinds) / sizeof(checksum_kinds[0]))
_Static_assert(CHECKSUM_COUNT == GML_CHECKSUM_SHA256 + 1, "every algorithm has a row");
_Static_assert(GML_DIGEST_MD5 >= CHECKSUM_COUNT, "MD5 is none of them");

struct gml_digest {
	const struct checksum_kind *kind; /* of a CRC */
	uint64_t crc;
	EVP_MD_CTX *ctx; /* NULL for a CRC */
	bool failed;
};

/* Fetched once per process and kept: EVP_md5() and its like look the implementation up again at
 * every use. */
static pthread_once_t checksum_once = PTHREAD_ONCE_INIT;
static EVP_MD *checksum_md5, *checksum_sha1, *checksum_sha256;

static void checksum_fetch(void)
{
	checksum_md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	checksum_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	checksum_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

size_t gml_checksum_size(enum gml_checksum algorithm)
{
	return (size_t)algorithm < CHECKSUM_COUNT ? checksum_kinds[algorithm].size : 0;
}

const char *gml_checksum_name(enum gml_checksum algorithm)
{
	return (size_t)algorithm < CHECKSUM_COUNT ? checksum_kinds[algorithm].name : NULL;
}

enum gml_checksum gml_checksum_by_name(struct gml_span name)
{
	for (size_t i = 0; i < CHECKSUM_COUNT; i++) {
		const char *known = checksum_kinds[i].name;
		if (known != NULL && strlen(known) == name.len &&
		    strncasecmp(known, name.ptr, name.len) == 0)
			return (enum gml_checksum)i;
	}
	return GML_CHECKSUM_NONE;
}

static struct gml_digest *digest_new_md(const EVP_MD *md)
{
	struct gml_digest *digest = md != NULL ? calloc(1, sizeof(*digest)) : NULL;
	if (digest == NULL)
		return NULL;
	digest->ctx = EVP_MD_CTX_new();
	if (digest->ctx == NULL || EVP_DigestInit_ex(digest->ctx, md, NULL) != 1) {
		gml_digest_free(digest);
		return NULL;
	}
	return digest;
}

struct gml_digest *gml_digest_new(int algorithm)
{
	struct gml_digest *digest;
	pthread_once(&checksum_once, checksum_fetch);
	switch (algorithm) {
	case GML_DIGEST_MD5:
		return digest_new_md(checksum_md5);
	case GML_CHECKSUM_SHA1:
		return digest_new_md(checksum_sha1);
	case GML_CHECKSUM_SHA256:
		return digest_new_md(checksum_sha256);
	case GML_CHECKSUM_CRC32:
	case GML_CHECKSUM_CRC32C:
	case GML_CHECKSUM_CRC64NVME:
		digest = calloc(1, sizeof(*digest));
		if (digest != NULL)
			digest->kind = &checksum_kinds[algorithm];
		return digest;
	default:
		return NULL;
	}
}

void gml_digest_update(struct gml_digest *digest, const void *buf, size_t len)
{
	gml_assert((digest->ctx == NULL) == (digest->kind != NULL));
	if (len == 0)
		return;
	if (digest->ctx == NULL)
		digest->crc =
			gml_crc_update((enum gml_crc)digest->kind->crc, digest->crc, buf, len);
	else if (!digest->failed && EVP_DigestUpdate(digest->ctx, buf, len) != 1)
		digest->failed = true;
}

static void checksum_put(uint64_t value, size_t size, uint8_t *out)
{
	gml_assert(size <= sizeof(value)); /* a CRC */
	for (; size > 0; value >>= 8)
		out[--size] = (uint8_t)value;
}

static uint64_t checksum_get(const uint8_t *in, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | in[i];
	return value;
}

size_t gml_digest_final(struct gml_digest *digest, uint8_t *out)
{
	unsigned size = 0;
	if (digest->ctx == NULL) {
		checksum_put(digest->crc, digest->kind->size, out);
		return digest->kind->size;
	}
	if (digest->failed || EVP_DigestFinal_ex(digest->ctx, out, &size) != 1)
		return 0;
	digest->failed = true; /* a finished EVP context must not be used again */
	return size;
}

void gml_digest_free(struct gml_digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->ctx);
	free(digest);
}

void gml_sha256(const void *buf, size_t len, uint8_t out[GML_CHECKSUM_SIZE_MAX])
{
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, buf, len);
	SHA256_Final(out, &sha);
}

int gml_checksum_combine(enum gml_checksum algorithm, uint8_t *a, const uint8_t *b, uint64_t b_len)
{
	const struct checksum_kind *kind;
	uint64_t sum;
	if ((size_t)algorithm >= CHECKSUM_COUNT || checksum_kinds[algorithm].crc < 0)
		return GML_ERR_INVAL;
	kind = &checksum_kinds[algorithm];
	sum = gml_crc_combine((enum gml_crc)kind->crc, checksum_get(a, kind->size),
			      checksum_get(b, kind->size), b_len);
	checksum_put(sum, kind->size, a);
	return 0;
}
