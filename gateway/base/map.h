// SPDX-License-Identifier: Apache-2.0
/* Memory that the processes of a store share: a file of fixed size, mapped. Its contents need no
 * durability; they survive the end of a process, not a power cut. */
#ifndef GML_BASE_MAP_H
#define GML_BASE_MAP_H

#include <stddef.h>

enum gml_map_how {
	GML_MAP_MAKE,	 /* made when missing; its contents stay; bytes after its end are zero */
	GML_MAP_FRESH,	 /* made when missing; zero when the call returns: for the first process */
	GML_MAP_EXISTING /* ENOENT when missing */
};

/* Maps `len` bytes of the file `name` below dirfd (AT_FDCWD: any path) for reading and writing,
 * shared, into *map_out; the caller ends it with gml_shared_unmap. The file never shrinks: others
 * may have it mapped. Its blocks are allocated here, so a full disk shows here and not as a signal
 * at the first write. Returns 0 or a positive errno; then *map_out is NULL. Any thread. May wait
 * for the disk. Durability: none. */
int gml_shared_map(int dirfd, const char *name, size_t len, enum gml_map_how how, void **map_out);
void gml_shared_unmap(void *map, size_t len); /* NULL is fine */

#endif
