// SPDX-License-Identifier: Apache-2.0
/* ETags. Content that came over S3 keeps its MD5; content that NFS wrote gets an opaque one. */
#include <inttypes.h>
#include <stdio.h>
#include <gemel/types.h>
#include "gateway/base/hex.h"
#include "gateway/meta/record/record.h"
#include "etag.h"

_Static_assert(2 * sizeof(((struct gml_inode *)NULL)->md5) + 1 + 10 <= GML_ETAG_MAX,
	       "an MD5 and the number of parts");

void gml_etag_format(const struct gml_inode *inode, uint64_t change, char out[GML_ETAG_MAX + 1])
{
	const size_t n = 2 * sizeof(inode->md5);
	if (!(inode->flags & GML_INODE_MD5)) {
		/* Because of the dash clients do not take it for an MD5 to verify the content
		 * with. */
		snprintf(out, GML_ETAG_MAX + 1, "%" PRIx64 "-%016" PRIx64,
			 gml_ino_fileid(inode->ino), change);
		return;
	}
	gml_hex(inode->md5, sizeof(inode->md5), out);
	if (inode->nparts > 0)
		snprintf(out + n, GML_ETAG_MAX + 1 - n, "-%" PRIu32, inode->nparts);
}
