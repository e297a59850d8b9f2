// SPDX-License-Identifier: Apache-2.0
/* One pass over content: its MD5, a checksum, and perhaps a copy of the bytes. */
#include <string.h>
#include <gemel/checksum.h>
#include <gemel/err.h>
#include <gemel/object.h>
#include "gateway/base/assert.h"
#include "object_open.h"
#include "put.h"
#include "scan.h"

static int scan_sink(void *arg, const void *buf, size_t len)
{
	struct gml_scan *scan = arg;
	gml_digest_update(scan->md5, buf, len);
	if (scan->checksum != NULL)
		gml_digest_update(scan->checksum, buf, len);
	return scan->put != NULL ? gml_put_write(scan->put, buf, len) : 0;
}

static int scan_end(struct gml_scan *scan, enum gml_checksum algorithm)
{
	uint8_t md5[GML_CHECKSUM_SIZE_MAX];
	if (gml_digest_final(scan->md5, md5) != sizeof(scan->md5_value))
		return GML_ERR_NOMEM;
	memcpy(scan->md5_value, md5, sizeof(scan->md5_value));
	if (scan->checksum == NULL)
		return 0;
	scan->value.algorithm = (uint8_t)algorithm;
	return gml_digest_final(scan->checksum, scan->value.value) != 0 ? 0 : GML_ERR_NOMEM;
}

int gml_scan_run(struct gml_object *object, uint64_t off, uint64_t len, enum gml_checksum algorithm,
		 struct gml_put *put, struct gml_scan *out)
{
	int rc = 0;
	gml_assert(off <= object->info.size && len <= object->info.size - off);
	*out = (struct gml_scan){.put = put, .md5 = gml_digest_new(GML_DIGEST_MD5)};
	if (algorithm != GML_CHECKSUM_NONE)
		out->checksum = gml_digest_new(algorithm);
	if (out->md5 == NULL || (algorithm != GML_CHECKSUM_NONE && out->checksum == NULL))
		rc = GML_ERR_NOMEM;
	if (rc == 0)
		rc = gml_object_each(object, off, len, scan_sink, out);
	if (rc == 0)
		rc = scan_end(out, algorithm);
	gml_digest_free(out->md5);
	gml_digest_free(out->checksum);
	out->md5 = out->checksum = NULL;
	return rc;
}
