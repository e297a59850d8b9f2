// SPDX-License-Identifier: Apache-2.0
/* Handles as bytes (gemel/handle.h). */
#include <endian.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/handle.h>
#include "gateway/base/assert.h"
#include "gateway/base/siphash.h"
#include "store.h"

enum { HANDLE_FORMAT = 1, HANDLE_STORE = 1, HANDLE_VIEW = 8, HANDLE_NUM = 16, HANDLE_CODE = 24 };
_Static_assert(GML_HANDLE_LEN == HANDLE_CODE + 8, "the code stands at the end");
_Static_assert((int)HANDLE_VIEW - (int)HANDLE_STORE <= (int)GML_STORE_UUID_LEN,
	       "it begins with the uuid's bytes");
_Static_assert((int)GML_REC_SECRET == (int)GML_SIPHASH_KEY, "the store's secret is the key");

static void handle_put(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

static uint64_t handle_get(const uint8_t *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static uint64_t handle_code(const struct gml_store *store, const uint8_t *bytes)
{
	return gml_siphash(store->handle_secret, bytes, HANDLE_CODE);
}

void gml_handle_encode(const struct gml_store *store, gml_ino ino, uint8_t out[GML_HANDLE_LEN])
{
	gml_assert(!gml_ino_is_none(ino) && ino.num < GML_INO_NUM_END);
	out[0] = HANDLE_FORMAT;
	memcpy(out + HANDLE_STORE, gml_store_uuid(store), HANDLE_VIEW - HANDLE_STORE);
	handle_put(out + HANDLE_VIEW, ino.view);
	handle_put(out + HANDLE_NUM, ino.num);
	handle_put(out + HANDLE_CODE, handle_code(store, out));
}

int gml_handle_decode(const struct gml_store *store, struct gml_span bytes, gml_ino *ino_out)
{
	const uint8_t *p = bytes.ptr;
	*ino_out = GML_INO_NONE;
	if (bytes.len != GML_HANDLE_LEN || p[0] != HANDLE_FORMAT)
		return GML_ERR_INVAL;
	/* A client that mounted a store which was replaced by this one knows what to do about
	 * STALE. */
	if (memcmp(p + HANDLE_STORE, gml_store_uuid(store), HANDLE_VIEW - HANDLE_STORE) != 0)
		return GML_ERR_STALE;
	if (handle_get(p + HANDLE_CODE) != handle_code(store, p))
		return GML_ERR_INVAL;
	*ino_out = gml_ino_of(handle_get(p + HANDLE_VIEW), handle_get(p + HANDLE_NUM));
	return 0;
}
