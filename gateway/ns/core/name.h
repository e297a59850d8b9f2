// SPDX-License-Identifier: Apache-2.0
/* NFS names and stored names (docs/architecture.md, "Names"). */
#ifndef GML_NS_CORE_NAME_H
#define GML_NS_CORE_NAME_H

#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

/* Dirent that the NFS name denotes now. stored_out: buffer of GML_KEY_MAX + 2. NOENT; INVAL,
 * NAMETOOLONG for names that are invalid over NFS. */
int gml_name_resolve(struct gml_txn *txn, gml_ino dir, struct gml_span nfs, char *stored_out,
		     size_t *stored_len_out, struct gml_dirent *out);
/* NFS name of a dirent; false: it is hidden (marker without data). out: buffer of GML_NFS_NAME_MAX
 * + 1. */
bool gml_name_show(struct gml_txn *txn, gml_ino dir, struct gml_span stored,
		   const struct gml_dirent *dirent, char *out, size_t *len_out);
/* Can a name occur over NFS, in a lookup as well? INVAL, NAMETOOLONG. */
int gml_name_check(struct gml_span nfs);
/* May a new NFS name be created like this? INVAL for the reserved prefix, ".", "..". */
int gml_name_check_new(struct gml_span nfs);

/* Is it the name that a Linux client gives a file that is removed while it has it open ("silly
 * rename")? Only with the file's own number in it: any other .nfs name is a key. */
bool gml_name_silly(struct gml_span stored, gml_ino ino);

#endif
