// SPDX-License-Identifier: Apache-2.0
/* Reads a file over NFS without a mount: COMPOUNDs of NFSv4.0 with AUTH_SYS that look the path up
 * and READ with the anonymous stateid (RFC 7530 9.1.4.3). The server keeps no state for such a
 * client: nothing has to be reclaimed after a restart, and a grace period refuses nothing. */
#ifndef GML_CMD_NFS_READ_H
#define GML_CMD_NFS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFS_READ_CHUNK (256u << 10)
#define NFS_READ_HANDLE_MAX 128 /* RFC 7530 */

struct nfs_read {
	int fd; /* connected; -1: none */
	uint32_t xid;
	uint8_t handle[NFS_READ_HANDLE_MAX];
	size_t handle_len; /* 0: the file is not looked up yet */
	uint8_t *reply;	   /* room for one */
	char why[160];	   /* what went wrong, as text */
};

/* Connects; this and each later wait for the server ends after about `milliseconds`. 0, or -1 with
 * `why`. nfs_read_close in any case. */
int nfs_read_open(struct nfs_read *nfs, const char *address, unsigned port, int milliseconds);
/* The bytes of `path` ("/BUCKET/KEY") from `offset` on, with the rights of the calling user:
 * *data_out[*len_out], at most NFS_READ_CHUNK, borrowed until the next call; *eof_out: they are the
 * last. The same file each time: its handle is kept. 0, or -1 with `why`. Blocks. */
int nfs_read_chunk(struct nfs_read *nfs, const char *path, uint64_t offset,
		   const uint8_t **data_out, size_t *len_out, bool *eof_out);
void nfs_read_close(struct nfs_read *nfs);

#endif
