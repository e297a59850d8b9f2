// SPDX-License-Identifier: Apache-2.0
/* The store: one directory with meta/, data/ and run/. */
#ifndef GEMEL_STORE_H
#define GEMEL_STORE_H

#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include <gemel/visibility.h>

GML_API_BEGIN

struct gml_store;

enum { GML_STORE_UUID_LEN = 16 };

struct gml_store_options {
	/* The metadata engine: create: NULL = "lmdb". open: NULL = the store's own; FORMAT when another is named. Borrowed for the call. */
	const char *engine;
	uint64_t
		meta_capacity; /* bytes that the metadata may grow to; create: 0 = 1 TiB, or what the address space allows; open: 0 = as recorded, more raises it */
	uint32_t
		meta_snapshots; /* concurrent readers of the metadata over all processes; 0 = 4096 */
	gml_log_fn log;
	void *log_arg;
};

/* Make an empty store in the new or empty directory `path` (mode 0700): ino 1, format record, uuid.
 * Errors: EXIST (a store is there), IO, NOSPC, ACCESS. Blocks on disk. Durable once it returns 0. */
int gml_store_create(const char *path, const struct gml_store_options *opt);

/* Open for reading and writing. At most once per process, after the last fork; children must not use it. `*store_out` is the caller's until
 * gml_store_close. Errors: NOENT, FORMAT, ACCESS, CORRUPT. Does no recovery. */
int gml_store_open(const char *path, const struct gml_store_options *opt,
		   struct gml_store **store_out);
/* NULL is fine. Returns this process's unused blob ids. Nobody may use the store any more. */
void gml_store_close(struct gml_store *store);

/* 16 bytes identifying the store for its life. */
const uint8_t *gml_store_uuid(const struct gml_store *store);

/* Settle after a crash: DIRTY inodes whose writer process is gone get size, times, change and etag from their wblob; blob files of dead leases that
 * nothing references are removed; what dead processes occupied in the metadata engine is given back. Safe while other processes serve. The NFS server calls it before it
 * serves, `gemel serve` at start and whenever a child died. Blocks on disk; durable. */
int gml_store_recover(struct gml_op *op, struct gml_store *store);

/* Make clean, in one transaction, the new files that were closed without a write since the last call. Until then they are marked as being written, which costs whoever looks at them a little more
 * than a clean one. A server that creates files calls it a few times a second; gml_store_close does it last. What fails is logged, and left to recovery. May block on commit; relaxed. Any thread. */
void gml_store_finalize(struct gml_op *op, struct gml_store *store);

/* Makes durable what relaxed buckets have answered so far (gml_bucket_set_relaxed): what COMMIT owes for a file that nobody has open. At once when there is nothing of the kind; else blocks on
 * commit. IO. Any thread. */
int gml_store_flush(struct gml_store *store);

/* Can the store be changed now? Writes a few bytes durably to run/ready, and waits its turn among the commits without making
 * one. NOSPC: only what frees space is accepted. IO: a disk failed; nothing is accepted until every process has opened the store
 * anew. ROFS, ACCESS, NOMEM. Blocks on disk, as long as the disk does: who cannot wait asks on a thread. Any thread. */
int gml_store_ready(struct gml_store *store);

/* Free orphans that are at least `min_age_ns` old and for which `is_open` (may be NULL: nothing is
 * open) answers false, at most `max` of them. One that is dated in the future, by a clock that was set
 * back since, begins its time now. *freed_out = how many. Blocks on commit. */
int gml_store_reap(struct gml_op *op, struct gml_store *store, int64_t min_age_ns, unsigned max,
		   bool (*is_open)(void *arg, gml_ino ino), void *arg, unsigned *freed_out);
/* An is_open for gml_store_reap that knows this process's gml_file handles; `arg` is the store. */
bool gml_store_file_is_open(void *store, gml_ino ino);
/* Reclaim pack space, packs that hold no live segment, and blob files that a crash left without a record; bounded work per call, the next goes on where it ended.
 * For a job that runs every minute or so. Blocks on disk. */
int gml_store_compact(struct gml_op *op, struct gml_store *store, uint64_t *freed_bytes_out);

struct gml_statfs {
	uint64_t total, free, avail; /* bytes of the file system holding the store */
	uint64_t files,
		files_free; /* inodes in use; and how many more are possible (bounded by space / 1 KiB) */
	uint64_t used; /* bytes of content in all buckets */
};
/* `ino`: any inode of the bucket asked about, or the root (RFC 8881 5.8.2). STALE, ACCESS as for gml_inode_getattr. Microseconds; any thread. */
int gml_store_statfs(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     struct gml_statfs *out);

struct gml_check_report {
	uint64_t inodes, directories, dirents, extents, blobs, xattrs, buckets, uploads, parts,
		orphans, bytes;
	uint64_t problems;
};
/* Verify every invariant of docs/on-disk-format.md; each problem is one call of `problem`. Read-only: one snapshot, may run while serving
 * (DIRTY inodes and leased blobs of living processes are not problems). `progress` may be NULL. Returns 0 also with problems found. */
int gml_store_check(struct gml_op *op, struct gml_store *store,
		    void (*problem)(void *arg, const char *text),
		    void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
		    struct gml_check_report *report_out);

GML_API_END

#endif
