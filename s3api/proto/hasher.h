// SPDX-License-Identifier: Apache-2.0
/* Threads that compute one digest of a piece while the caller computes the others and writes it:
 * MD5 alone is slower than all the rest, so one stream becomes up to 1.6 times faster. Any thread
 * may call it; no call waits for a free thread. */
#ifndef GML_S3_HASHER_H
#define GML_S3_HASHER_H

#include <semaphore.h>
#include <gemel/checksum.h>

#define S3_HASHER_PIECE_MIN ((size_t)64 << 10) /* bytes that are worth two wake-ups */

struct s3_hash_job { /* caller's storage from start to wait */
	struct gml_digest *digest;
	const void *buf;
	size_t len;
	struct s3_hash_job *next;
	sem_t done;
};

struct s3_hasher;
/* `threads` 0: half of the processors, at most 8. They start with the first job, so a process may
 * still fork before. NULL when out of memory. */
struct s3_hasher *s3_hasher_new(unsigned threads);
/* No job may be running. Waits for the threads. NULL is fine. */
void s3_hasher_free(struct s3_hasher *hasher);
/* Feed the digest on another thread. false: none is free (or hasher is NULL), nothing was done.
 * After true, neither the digest nor the buffer may be touched until s3_hasher_wait. Does not
 * block. */
bool s3_hasher_start(struct s3_hasher *hasher, struct s3_hash_job *job, struct gml_digest *digest,
		     const void *buf, size_t len);
void s3_hasher_wait(struct s3_hash_job *job);

#endif
