// SPDX-License-Identifier: Apache-2.0
/* The blob store: bytes under 64-bit ids; local files now, other backends later. It knows neither
 * inodes nor metadata.
 *
 * An id says how to read its blob.
 *   bit 63 clear: a file of its own (data/xx/yy/<16 hex>). Bits 62..56: kind (enum gml_blob_kind),
 *                 55..0: number (1..2^56-1), of one counter for all kinds.
 *   bit 63 set:   a segment of a pack file. Bits 62..60: kind (0 plain; its record has its
 *                 checksum), 59..32: number of the pack (1..2^28-1), 31..0: offset in the pack in
 *                 units of 64 bytes. A segment's length is known to the metadata only.
 * An id of a kind that is not listed here is refused: CORRUPT.
 *
 * Invariants
 *  1. A published blob's bytes never change (write blobs are published with their inode and change
 *     in place until their last extent reference goes).
 *  2. Nothing is durable before gml_blob_sync, or gml_pack_sync for segments, returned 0. A new
 *     file's name is durable with its first sync.
 *  3. Files are opened relative to the data directory, O_CLOEXEC | O_NOFOLLOW, mode 0600.
 *  4. A process appends only to packs whose number it leased itself.
 */
#ifndef GML_DATA_BLOB_H
#define GML_DATA_BLOB_H

#include <dirent.h>
#include <sys/uio.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"

#define GML_BLOB_PACKED ((uint64_t)1 << 63)
#define GML_BLOB_NUMBER_BITS 56
#define GML_BLOB_NUMBER_MAX (((uint64_t)1 << GML_BLOB_NUMBER_BITS) - 1)
#define GML_PACK_NUMBER_MAX (((uint64_t)1 << 28) - 1)
/* Kinds of files. 2 and 3 are kept for encrypted content: never changed, and changed in place. */
enum gml_blob_kind {
	GML_BLOB_WRITE = 0, /* changes in place; has block checksums while its file is clean */
	GML_BLOB_PLAIN = 1, /* never changes; has block checksums from its publication on */
};
#define GML_PACK_SEGMENT_MAX 65536	  /* content up to this many bytes is packed */
#define GML_PACK_SIZE ((uint64_t)1 << 30) /* a pack is closed when it reached this size */

struct gml_data;
struct gml_blob; /* an open blob: reference-counted, shared, cached */

struct gml_data_options {
	/* Leases: next number of a blob file (kind 0: 1..GML_BLOB_NUMBER_MAX) or of a pack (kind 1:
	 * 1..GML_PACK_NUMBER_MAX). Called without locks of the data layer that its own callers
	 * could need. */
	int (*next_id)(void *arg, int kind, uint64_t *id_out);
	void *next_id_arg;
	/* cached idle descriptors; 0 = 1024; never more than half of RLIMIT_NOFILE */
	unsigned open_max;
	uint64_t pack_size; /* 0 = GML_PACK_SIZE; less for tests */
	gml_log_fn log;
	void *log_arg;
};

int gml_data_create(const char *dir); /* EXIST when not empty */
int gml_data_open(const char *dir, const struct gml_data_options *opt, struct gml_data **data_out);
void gml_data_close(struct gml_data *data);
int gml_data_statfs(struct gml_data *data, uint64_t *total_out, uint64_t *free_out,
		    uint64_t *avail_out);

/* New, empty blob file with a fresh id of kind PLAIN. The reference is the caller's. */
int gml_blob_create(struct gml_data *data, uint64_t *id_out, struct gml_blob **blob_out);
/* Fresh id of kind WRITE, without making the file (it appears with the first write). */
int gml_blob_reserve(struct gml_data *data, uint64_t *id_out);
enum { GML_BLOB_CREATE = 1 /* make the file when missing */ };
/* Open an existing blob (file, or the pack that holds the segment). NOENT when missing. Cached:
 * usually no system call. */
int gml_blob_open(struct gml_data *data, uint64_t id, unsigned flags, struct gml_blob **blob_out);
void gml_blob_ref(struct gml_blob *blob);
void gml_blob_unref(struct gml_blob *blob); /* NULL is fine; any thread */
uint64_t gml_blob_id(const struct gml_blob *blob);

/* The descriptor and where the blob's byte 0 lies in it (segments: their offset in the pack); -1
 * when the backend has none. Borrowed. */
int gml_blob_fd(const struct gml_blob *blob, uint64_t id, uint64_t *base_out);
/* Offsets are within the blob `id`. read: NOT short except at the end of the file; *nread_out.
 * write: all or error (NOSPC, FBIG, IO). Retries EINTR and short transfers. */
int gml_blob_read(struct gml_blob *blob, uint64_t id, uint64_t off, void *buf, size_t len,
		  size_t *nread_out);
/* All len bytes, without waiting for the disk. COLD: some are not in the page cache, or not there
 * at all. */
int gml_blob_read_cached(struct gml_blob *blob, uint64_t id, uint64_t off, void *buf, size_t len);
int gml_blob_write(struct gml_blob *blob, uint64_t off, const struct iovec *iov, int iovcnt);
/* fdatasync; a later sync after an I/O error keeps failing for this blob (no silent loss) */
int gml_blob_sync(struct gml_blob *blob);
int gml_blob_sync_times(struct gml_blob *blob); /* the same, and the mtime (fsync) */
/* Start write-back of a range without waiting (sync_file_range); advisory. */
void gml_blob_flush_hint(struct gml_blob *blob, uint64_t off, uint64_t len);
int gml_blob_truncate(struct gml_blob *blob, uint64_t size);
int gml_blob_stat(struct gml_blob *blob, uint64_t *size_out, uint64_t *space_out,
		  int64_t *mtime_out, int64_t *ctime_out);
/* Whether the file has a byte before offset `end` of the descriptor (gml_blob_fd). A yes is kept
 * with the descriptor until gml_blob_stat or the sweeper finds a shorter file: then there is no
 * system call. For bytes that published metadata refer to, which are not removed meanwhile. Any
 * thread. Blocks as fstat does. */
int gml_blob_reaches(struct gml_blob *blob, uint64_t end, bool *yes_out);
int gml_blob_set_mtime(struct gml_blob *blob, int64_t mtime);
int gml_blob_allocate(struct gml_blob *blob, uint64_t off,
		      uint64_t len); /* reserve; grows the size */
int gml_blob_punch(struct gml_blob *blob, uint64_t off,
		   uint64_t len); /* zeros, space freed, size kept */
int gml_blob_seek(struct gml_blob *blob, bool hole, uint64_t off,
		  uint64_t *off_out); /* NXIO past the end */

/* Remove a blob: unlinks the file (open references keep reading), or has the segment of `len` bytes
 * punched out of its pack within seconds, together with others. Missing: success. */
int gml_blob_remove(struct gml_data *data, uint64_t id, uint64_t len);
/* Punch the removed segments now. Blocks on disk. */
void gml_pack_flush_removed(struct gml_data *data);

/* Append one segment (1..GML_PACK_SEGMENT_MAX bytes) to this process's current pack. *sum_out: the
 * checksum of the bytes that were written (data/sums.h). Thread-safe; concurrent appends proceed in
 * parallel. Not durable until gml_pack_sync. */
int gml_pack_append(struct gml_data *data, const void *buf, size_t len, uint64_t *id_out,
		    uint32_t *sum_out);
/* Make every append that returned before this call durable. One fdatasync for all of them; no
 * system call when nothing is pending. */
int gml_pack_sync(struct gml_data *data);
/* Does this process append to this pack? (compaction skips it) */
bool gml_pack_is_current(struct gml_data *data, uint64_t id);
/* Does this program know the id's kind? Pure. */
static inline bool gml_blob_known(uint64_t id)
{
	return id & GML_BLOB_PACKED ? (id >> 60 & 7) == 0
				    : id >> GML_BLOB_NUMBER_BITS <= GML_BLOB_PLAIN;
}
static inline uint64_t gml_blob_file_id(enum gml_blob_kind kind, uint64_t number)
{
	gml_assert(number > 0 && number <= GML_BLOB_NUMBER_MAX);
	return (uint64_t)kind << GML_BLOB_NUMBER_BITS | number;
}
/* Is it a file of kind WRITE? Pure. */
static inline bool gml_blob_is_write(uint64_t id)
{
	return id >> GML_BLOB_NUMBER_BITS == GML_BLOB_WRITE;
}
/* The number of a blob file; what leases count. */
static inline uint64_t gml_blob_number(uint64_t id)
{
	return id & GML_BLOB_NUMBER_MAX;
}
static inline uint64_t gml_pack_id(uint64_t pack, uint64_t offset)
{
	gml_assert(pack <= GML_PACK_NUMBER_MAX && offset % 64 == 0 && offset / 64 <= UINT32_MAX);
	return GML_BLOB_PACKED | pack << 32 | offset / 64;
}
static inline uint64_t gml_pack_number(uint64_t id)
{
	return id >> 32 & GML_PACK_NUMBER_MAX;
}
static inline uint64_t gml_pack_offset(uint64_t id)
{
	return (id & 0xffffffffu) * 64;
}
/* Compaction's tools: every pack file's number; size and allocated bytes of one; punch a range;
 * remove the file. */
int gml_pack_each(struct gml_data *data, bool (*each)(void *arg, uint64_t pack), void *arg);
int gml_pack_stat(struct gml_data *data, uint64_t pack, uint64_t *size_out, uint64_t *space_out);
int gml_pack_punch(struct gml_data *data, uint64_t pack, uint64_t off, uint64_t len);
int gml_pack_remove(struct gml_data *data, uint64_t pack);
/* Every blob file's id and size, those of unknown kinds as well (store check). */
int gml_blob_each(struct gml_data *data, bool (*each)(void *arg, uint64_t id, uint64_t size),
		  void *arg);
/* Those of known kinds with first <= number < first + count; reads one directory per 4096 numbers
 * (recovery of a lease). */
int gml_blob_each_in(struct gml_data *data, uint64_t first, uint64_t count,
		     bool (*each)(void *arg, uint64_t id, uint64_t size), void *arg);
/* Walks in slices: the first of the GML_BLOB_LEAVES directories >= `from` that exists
 * (GML_BLOB_LEAVES: none), and the files of known kinds in one (NOENT when it does not exist). */
#define GML_BLOB_LEAVES 65536
unsigned gml_blob_leaf_next(struct gml_data *data, unsigned from);
int gml_blob_each_leaf(struct gml_data *data, unsigned leaf,
		       bool (*each)(void *arg, uint64_t id, uint64_t size), void *arg);
/* A directory's listing from its start, below dirfd; the caller ends it with closedir. Errors of
 * openat, NOMEM. */
int gml_data_opendir(int dirfd, const char *path, DIR **dir_out);
/* Its next name other than "." and ".."; NULL at the end, or after an error, which *rc then holds
 * (else it is left alone). */
const char *gml_data_readdir(DIR *dir, int *rc);

#endif
