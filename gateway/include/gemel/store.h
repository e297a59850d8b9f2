// SPDX-License-Identifier: Apache-2.0
/* The store: one directory with meta/, data/ and run/. The labels of the contracts are explained in
 * README.md here. */
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
	/* The metadata engine. create: NULL is "lmdb". open: NULL is the store's own; FORMAT when
	 * it is another one. Borrowed for the call. */
	const char *engine;
	/* Bytes that the metadata may grow to. create: 0 is 1 TiB, or what the address space
	 * allows. open: 0 is the recorded size; more raises it. */
	uint64_t meta_capacity;
	/* Concurrent readers of the metadata over all processes; 0 is 4096. */
	uint32_t meta_snapshots;
	gml_log_fn log;
	void *log_arg;
};

/* Make an empty store in the new or empty directory `path` (mode 0700), or where an earlier
 * creation was cut short.
 * Errors: EXIST (a store is there), NOTEMPTY (other files are, or a store that has lost its file
 * `format`), NAMETOOLONG, ACCESS, NOSPC, IO.
 * Threads: any. Blocks: disk, and for another process's creation there. Durable: yes. On failure:
 * what was made in the directory is removed again, as far as the disk allows; the next creation
 * removes the rest. */
int gml_store_create(const char *path, const struct gml_store_options *opt);

/* Open the store for reading and writing. At most once per process, after its last fork; a child
 * must not use it. Does no recovery (gml_store_recover).
 * Ownership: *store_out belongs to the caller until gml_store_close.
 * Errors: NOENT, FORMAT (another version or engine), ACCESS, LOCKED, CORRUPT, NOSPC, IO, NOMEM.
 * Threads: any. Blocks: disk; the first process replays the log. Durable: yes. On failure:
 * *store_out is NULL. */
int gml_store_open(const char *path, const struct gml_store_options *opt,
		   struct gml_store **store_out);
/* Close the store; NULL is accepted. Finalizes the files that were made and never written, and
 * returns the unused blob ids of this process. No other call may use the store any more.
 * Errors: none; what fails is logged and left to recovery.
 * Threads: one, and no other call is running. Blocks: disk and commit. Durable: yes. On failure:
 * recovery completes it. */
void gml_store_close(struct gml_store *store);

/* The GML_STORE_UUID_LEN bytes that identify the store for its life. Borrowed until
 * gml_store_close.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const uint8_t *gml_store_uuid(const struct gml_store *store);
enum { GML_STORE_UUID_TEXT = 2 * GML_STORE_UUID_LEN + 1 };
/* The same as 32 lower-case hexadecimal digits and a NUL.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_store_uuid_text(const struct gml_store *store, char out[GML_STORE_UUID_TEXT]);

/* Clean up after processes that died. DIRTY inodes whose writer is gone get size, times, change
 * attribute and ETag from their write blob; unreferenced blob files of dead leases are removed; the
 * metadata engine frees what dead processes occupied. Safe while other processes serve. The NFS
 * server calls it before it serves, `gemel serve` at its start and whenever a child has died.
 * Errors: IO, NOSPC, NOMEM, CORRUPT.
 * Threads: any. Blocks: disk and commit. Durable: yes. On failure: the rest is left to the next
 * call. */
int gml_store_recover(struct gml_op *op, struct gml_store *store);

/* Make the new files clean, in one transaction, that were closed without a write since the last
 * call. Until then they are marked as being written, so that reading their attributes costs a
 * little more. A server that creates files calls it a few times a second; gml_store_close does it
 * last.
 * Errors: none; what fails is logged and left to recovery.
 * Threads: any. Blocks: commit. Durable: no; recovery repeats what is lost. On failure: the files
 * stay marked. */
void gml_store_finalize(struct gml_op *op, struct gml_store *store);

/* Make everything durable that relaxed buckets have acknowledged so far (gml_bucket_set_relaxed).
 * COMMIT calls it for a file that no state has open. Returns at once when nothing waits.
 * Errors: IO.
 * Threads: any. Blocks: commit. Durable: yes. On failure: the store accepts no changes in this
 * process until it is opened again. */
int gml_store_flush(struct gml_store *store);

/* Can the store be changed now? Writes a few bytes durably to run/ready and waits its turn among
 * the commits without making one.
 * Errors: NOSPC (only changes that free space are accepted), IO (a disk failed: no changes until
 * every process has opened the store again), ROFS, ACCESS, NOMEM.
 * Threads: any; a caller that cannot wait uses a thread of its own. Blocks: disk, without a bound.
 * Durable: n/a. On failure: nothing changed. */
int gml_store_ready(struct gml_store *store);

/* How long orphans stay while others use the store: a client between LOOKUP and OPEN still finds a
 * file that was replaced meanwhile, and so does a reader in another process. */
#define GML_ORPHAN_AGE_NS INT64_C(15000000000)

/* Which orphans to free. */
struct gml_reap {
	int64_t min_age_ns;			 /* at least so old: GML_ORPHAN_AGE_NS */
	unsigned max;				 /* at most so many */
	bool (*is_open)(void *arg, gml_ino ino); /* and not open; NULL: none is */
	void *arg;
};
/* Free orphans. One dated in the future, because the clock was set back, gets
 * the present time instead. *freed_out: how many were freed.
 * Errors: IO, NOSPC, CORRUPT, NOMEM.
 * Threads: any; `is_open` must not call the core. Blocks: commit and disk. Durable: yes. On
 * failure: *freed_out counts what was freed; the rest stays for the next call. */
int gml_store_reap(struct gml_op *op, struct gml_store *store, const struct gml_reap *reap,
		   unsigned *freed_out);
/* An `is_open` for struct gml_reap: has this process a gml_file of the inode? `store` is the store,
 * as its `arg`.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
bool gml_store_file_is_open(void *store, gml_ino ino);
/* Reclaim the space of freed pack segments, of packs without live segments, and of blob files that
 * a crash left without a record. The work per call is bounded; the next call goes on where this one
 * ended. For a job that runs about every minute. *freed_bytes_out: bytes given back.
 * Errors: IO, CORRUPT, NOMEM.
 * Threads: any. Blocks: disk and commit. Durable: no; a later call repeats what is lost. On
 * failure: the rest is left to the next call. */
int gml_store_compact(struct gml_op *op, struct gml_store *store, uint64_t *freed_bytes_out);

/* Make the checksums of content that NFS clients wrote and that has been clean for
 * `min_age_ns`: reads it, about `max_bytes` at most in one call. May run in any process while
 * others serve: what changes meanwhile is left for a later call. *summed_out: bytes read.
 * *more_out: there is more to do at once.
 * Errors: NOMEM, NOSPC, IO, CORRUPT of the metadata. Content that cannot be read is logged and
 * left.
 * Threads: any. Blocks: disk and commit. Durable: no; a later call repeats what is lost. On
 * failure: the rest is left to the next call. */
int gml_store_sum(struct gml_op *op, struct gml_store *store, int64_t min_age_ns,
		  uint64_t max_bytes, uint64_t *summed_out, bool *more_out);

struct gml_statfs {
	uint64_t total, free, avail; /* bytes of the file system that holds the store */
	uint64_t files;		     /* inodes in use */
	uint64_t files_free;	     /* how many more are possible (bounded by space / 1 KiB) */
	uint64_t used;		     /* bytes of content in all buckets */
};
/* Space and inodes, as `ino` (any inode of a bucket, or the root) sees them: within a bucket its
 * quota counts (space_avail and its like, RFC 8881 5.8.2).
 * Errors: STALE, ACCESS, AGAIN as gml_inode_getattr; IO.
 * Threads: any. Blocks: no (a system call of microseconds). Durable: n/a. On failure: *out is
 * undefined. */
int gml_store_statfs(struct gml_op *op, struct gml_store *store, gml_ino ino,
		     struct gml_statfs *out);

struct gml_check_report {
	uint64_t inodes, directories, dirents, extents, blobs, xattrs, buckets, uploads, parts,
		orphans, bytes;
	uint64_t problems;
};
/* Verify every invariant of docs/on-disk-format.md; `problem` is called once for each that does not
 * hold. Uses one snapshot, so it may run while the store is served; DIRTY inodes and leased blobs
 * of living processes are no problems. `progress` may be NULL.
 * Errors: IO, CORRUPT (the check itself cannot go on), NOMEM. 0 also when problems were found.
 * Threads: any; the callbacks must not call the core. Blocks: disk. Durable: n/a. On failure:
 * *report_out counts what was seen. */
int gml_store_check(struct gml_op *op, struct gml_store *store,
		    void (*problem)(void *arg, const char *text),
		    void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
		    struct gml_check_report *report_out);

struct gml_content_report {
	uint64_t blobs, bytes; /* looked at; compared with their checksums */
	uint64_t unsummed; /* blobs without checksums: NFS clients write to them, or did lately */
	uint64_t problems;
};
/* Read all content and compare it with its checksums. Each range of bytes that differs is one
 * call of `problem`, which names the file in data/, the bytes, and whose content they are.
 * Read-only; may run while serving. `progress` may be NULL; it counts blobs. The result is 0 also
 * with problems found.
 * Errors: NOMEM; IO, CORRUPT of the metadata.
 * Threads: any; the callbacks run on the caller's. Blocks: disk, as long as reading all content
 * takes. Durable: n/a. On failure: *report_out says how far it came. */
int gml_store_check_content(struct gml_op *op, struct gml_store *store,
			    void (*problem)(void *arg, const char *text),
			    void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
			    struct gml_content_report *report_out);

GML_API_END

#endif
