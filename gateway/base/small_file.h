// SPDX-License-Identifier: Apache-2.0
/* Small files, read and written whole. */
#ifndef GML_BASE_SMALL_FILE_H
#define GML_BASE_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the file `name` below dirfd (AT_FDCWD: any path), readable by its owner only, and makes
 * its bytes durable. fresh: EEXIST when it is there; else it is written anew, and a crash may leave
 * it cut short. The name is durable only when the directory is synced: gml_small_file_sync_dir.
 * Returns 0 or a positive errno; the file may be there then, not whole. Any thread. Waits for the
 * disk. */
int gml_small_file_write(int dirfd, const char *name, const void *bytes, size_t len, bool fresh);
/* Makes the names in a directory durable, by its path below dirfd. As above. */
int gml_small_file_sync_dir(int dirfd, const char *path);
/* Reads at most `cap` bytes of a file from its start; *len_out is what was read. Follows no
 * symbolic link. Returns 0 or a positive errno. Any thread. May wait for the disk. */
int gml_small_file_read(int dirfd, const char *name, void *buf, size_t cap, size_t *len_out);

#endif
