// SPDX-License-Identifier: Apache-2.0
/* The bytes by which a client names an inode (NFS file handles). */
#ifndef GEMEL_HANDLE_H
#define GEMEL_HANDLE_H

#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Format 01; 7 bytes of the store's uuid; view; number; a code over all that (SipHash-2-4 under a
 * secret of the store). Numbers are big-endian. So a handle is what the store gave to somebody who
 * found the inode by its name, and not what anybody can count up to. */
enum { GML_HANDLE_LEN = 32 };

/* Fills `out`. The same inode has the same handle for the life of the store.
 * Errors: none.
 * Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_handle_encode(const struct gml_store *store, gml_ino ino, uint8_t out[GML_HANDLE_LEN]);

/* The inode that the store gave this handle for; it may be gone since. The metadata is not asked.
 * Errors: INVAL (the store never gave it, or a byte was changed: NFS4ERR_BADHANDLE), STALE (it says
 * that it is of another store).
 * Threads: any. Blocks: no. Durable: n/a. On failure: *ino_out is GML_INO_NONE. */
int gml_handle_decode(const struct gml_store *store, struct gml_span bytes, gml_ino *ino_out);

GML_API_END

#endif
