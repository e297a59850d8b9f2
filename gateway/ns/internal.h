/* What the files of gateway/ns share: the open store and the helpers that more than one noun needs. */
#ifndef GML_NS_INTERNAL_H
#define GML_NS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <gemel/bucket.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include <gemel/upload.h>
#include "../data/blob.h"
#include "../meta/record/record.h"

struct gml_live;      /* live.c: shared change counters in run/live */
struct gml_onodes;    /* onode.c: this process's open files */
struct gml_roster;    /* roster.c: which uids are refused */
struct gml_readers;   /* reader.c: inodes with S3 readers, in all processes */
struct gml_unwritten; /* unwritten.c: new files that were closed without a write */

#define GML_HELD_PACKS 64
/* Bytes of all names of an inode, each with a NUL: what listxattr(2) can return. */
#define GML_XATTR_NAMES_MAX 65536

struct gml_store {
	struct gml_meta *meta;
	struct gml_data *data;
	struct gml_live *live;
	struct gml_onodes *onodes;
	struct gml_readers *readers;
	struct gml_roster *roster;
	struct gml_unwritten *unwritten;
	struct gml_owner self;
	int dirfd;
	pthread_mutex_t lease_lock;
	struct gml_lease lease[2]; /* unused rest of the current leases, by kind */
	struct gml_held_pack { /* packs this process has leased, newest last; an old one's lease is dropped (lease.c) */
		uint64_t pack;
		int64_t since; /* when the next one was leased; CLOCK_MONOTONIC, ns; 0: current */
	} held_packs[GML_HELD_PACKS];
	unsigned nheld_packs;
	pthread_mutex_t reap_lock;
	struct gml_reaping *reaping;   /* orphans that are being freed (reap.c); reap_lock */
	_Atomic uint64_t compact_next; /* pack at which the next gml_store_compact begins */
	_Atomic uint32_t
		collect_next; /* directory of blob files at which its search for strays begins */
	gml_log_fn log;
	void *log_arg;
};

/* ---- access.c: the one decision ---------------------------------------------------------------------------------------------------------- */
/* 0 if op's credentials have all of `want` (GML_MAY_*) on the inode, ROFS for writes under op->read_only, else ACCESS. */
int gml_access_check(const struct gml_op *op, const struct gml_inode *inode, unsigned want);
unsigned gml_access_mask(const struct gml_op *op,
			 const struct gml_inode *inode); /* all GML_MAY_* the caller has */
bool gml_access_owner(const struct gml_op *op, const struct gml_inode *inode); /* owner or uid 0 */
bool gml_cred_in_group(const struct gml_cred *cred, uint32_t gid);
/* Removing or replacing `child` in `dir`: w+x on dir, sticky bit (ACCESS, PERM). */
int gml_access_remove(const struct gml_op *op, const struct gml_inode *dir,
		      const struct gml_inode *child);

/* ---- handle.c: the gate for inode numbers that came from a handle ------------------------------ */
/* The inode, when the caller may go on with it. STALE: it is gone, or it has no name any more and op's
 * client does not have it open. AGAIN: the same while op->recovering. ACCESS: no search permission on
 * its bucket's root. Any transaction; takes a shard's lock (onode.h) for an inode without a name. */
int gml_handle_get(struct gml_txn *txn, const struct gml_op *op, struct gml_store *store,
		   gml_ino ino, struct gml_inode *out);
/* The same for what needs a name whoever has it open, and whatever op->found says: directories, LINK.
 * STALE, ACCESS. */
int gml_handle_get_named(struct gml_txn *txn, const struct gml_op *op, gml_ino ino,
			 struct gml_inode *out);
/* ACCESS unless the caller may search the root of the inode's bucket. The roots themselves pass, for
 * a refused caller as well: a client that is refused the attributes of what it has mounted takes
 * them for STALE, and tells that to its users. */
int gml_handle_search(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *inode);
/* gml_handle_get in a snapshot of its own: scalars only. No blocking. */
int gml_handle_read(const struct gml_op *op, struct gml_store *store, gml_ino ino,
		    struct gml_inode *out);

/* ---- time.c ---------------------------------------------------------------------------------------------------------------------------------- */
int64_t gml_now(void);			 /* ns since the epoch */
uint64_t gml_change_next(uint64_t last); /* max(last + 1, now) */

/* ---- live.c ---------------------------------------------------------------------------------------------------------------------------------- */
uint64_t
gml_live_change(struct gml_store *store,
		const struct gml_inode *inode); /* max(record, slot) while DIRTY, else record */
void gml_live_bump(struct gml_store *store, gml_ino ino);
/* run/live, below the store's directory: made when missing, mapped shared. onodes: this process's open files. Both live as long as the open store. */
int gml_live_open(int dirfd, struct gml_live **out);
void gml_live_close(struct gml_live *live); /* NULL is fine */
int gml_onodes_new(struct gml_store *store, struct gml_onodes **out);
void gml_onodes_free(struct gml_onodes *onodes); /* NULL is fine; nothing may be open any more */
bool gml_onode_unwritten(
	struct gml_store *store,
	gml_ino ino); /* made and open in this process, and nobody has written to it */
/* Does content of this size leave at least a block out, when its write blob and its extents take so
 * many bytes? */
bool gml_live_sparse(uint64_t size, uint64_t wblob_space, uint64_t covered);
/* Size, mtime, ctime, space and change of an inode as of now (reads the wblob while DIRTY) into *attr;
 * for all types and states. `txn`: any transaction that the caller has open, for the extents of a file
 * with holes; NULL: none, then these take a snapshot. NOMEM, IO. Any thread. May open a file. */
int gml_inode_attr(struct gml_store *store, struct gml_txn *txn, const struct gml_inode *inode,
		   struct gml_attr *attr);
/* The same without the space, of which *attr holds nothing to use: no look at the extents. For who
 * wants to know the size. */
int gml_inode_attr_spaceless(struct gml_store *store, const struct gml_inode *inode,
			     struct gml_attr *attr);
void gml_inode_attr_new(
	const struct gml_inode *inode,
	struct gml_attr *attr); /* as it was made: DIRTY or not, no write blob has a file yet */

/* ---- etag.c ---------------------------------------------------------------------------------------------------------------------------------- */
void gml_etag_format(const struct gml_inode *inode, uint64_t change, char out[GML_ETAG_MAX + 1]);

/* ---- extent.c: an inode's content map, inline or in the table; all inside a write transaction unless said ------------------------------------ */
/* First extent that ends after off (any transaction); NOENT. */
int gml_extent_find(struct gml_txn *txn, const struct gml_inode *inode, uint64_t off,
		    struct gml_extent *out);
/* Bytes that extents cover (any transaction); UINT64_MAX when there are more than `max`, or they
 * cannot be read. */
uint64_t gml_extent_covered(struct gml_txn *txn, const struct gml_inode *inode, unsigned max);
/* Remove the coverage of [off, off+len): trims and splits; references are adjusted; ids whose last reference went are appended to `freed`. Updates *inode (caller puts it). */
struct gml_freed; /* list of (blob id, len) to remove after the commit */
int gml_extent_cut(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		   struct gml_freed *freed);
/* Add one extent over an uncovered range; takes a reference (creates the blob record with `blob_len` when new). */
int gml_extent_add(struct gml_txn *txn, struct gml_inode *inode, const struct gml_extent *extent,
		   uint64_t blob_len);
/* Cut whose bytes a reader elsewhere may still be on: coverage of the range (and, with `wblob`, the write blob; inode->wblob becomes 0) moves to a fresh orphan, which the reaper frees. */
int gml_extent_retire(struct gml_txn *txn, struct gml_inode *inode, uint64_t off, uint64_t len,
		      bool wblob);
/* Drop one reference of a blob. With `freed`, the loss of the last one must be durable before it is answered (gml_txn_durability). */
int gml_blob_put_ref(struct gml_txn *txn, uint64_t blob, struct gml_freed *freed);
struct gml_freed *gml_freed_new(void);
/* Forget what a closure that is run again had noted: call first thing in a closure. */
void gml_freed_reset(struct gml_freed *freed);
/* After the commit returned 0: remove the blobs' bytes. Then free the list. */
void gml_freed_apply(struct gml_store *store, struct gml_freed *freed);
void gml_freed_free(struct gml_freed *freed); /* without applying */

/* ---- inode.c -------------------------------------------------------------------------------------------------------------------------------- */
/* The inode as the store has it now, scalars only: its spans ended with the snapshot. For the core's
 * own use: asks no rights (gml_handle_read does). STALE. No blocking. */
int gml_inode_read(struct gml_store *store, gml_ino ino, struct gml_inode *out);
/* What a write by others than root and a change of owner take from the mode: setuid, and setgid
 * where it means more than mandatory locking. */
void gml_inode_strip(struct gml_inode *inode);

/* ---- link.c: names and inodes, inside a write transaction ------------------------------------------------------------------------------------ */
/* Any write ends the spans (name, target, headers, parts) of inodes read in the same transaction. gml_inode_save puts such an inode all the same: spans that are not empty are taken anew from the
 * stored record (all but the name can be emptied). The link functions below put through it; the spans of their `dir` and `inode` are stale afterwards. A `name` argument must be the caller's
 * own memory, not the transaction's. A new inode's spans are the caller's. */
int gml_inode_save(struct gml_txn *txn, struct gml_inode *inode);
int gml_inode_save_named(struct gml_txn *txn, struct gml_inode *inode, gml_ino parent,
			 struct gml_span name); /* the same, with another name */
void gml_dir_touch(struct gml_inode *dir); /* mtime, ctime, change after a change of its entries */
/* Fresh inode: number, owner, times, change, birth; not yet put, no name (nlink 0; a directory 1). */
int gml_inode_init(struct gml_txn *txn, const struct gml_op *op, const struct gml_inode *dir,
		   enum gml_type type, uint32_t mode, struct gml_inode *out);
/* Add dirent `name` (stored form) -> inode in dir, with a new cookie; sets inode's parent and name, bumps dir's mtime, ctime, change (and nlink for directories); puts both. The name must be free. An inode's first name
 * also adds its size and, for a file, one object to the bucket's usage (ask gml_usage_check before). */
int gml_link_add(struct gml_txn *txn, struct gml_inode *dir, struct gml_span name,
		 struct gml_inode *inode);
/* Remove the dirent and one link of `inode`; nlink 0: to orphan, bucket usage reduced. Bumps dir; puts both. Does not prune. */
int gml_link_remove(struct gml_txn *txn, struct gml_inode *dir, struct gml_span name,
		    struct gml_inode *inode);
/* While `dir` is implicit, empty and not a bucket root: remove it from its parent, and so on upwards. */
int gml_dir_prune(struct gml_txn *txn, struct gml_inode *dir);
/* Bucket usage: DQUOT if it would exceed a quota (checked only for growth). */
int gml_usage_check(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects);
int gml_usage_add(struct gml_txn *txn, gml_ino bucket, int64_t bytes, int64_t objects);

/* ---- name.c: NFS names <-> stored names (docs/architecture.md, "Names") ----------------------------------------------------------------------- */
/* Dirent that the NFS name denotes now. stored_out: buffer of GML_KEY_MAX + 2. NOENT; INVAL, NAMETOOLONG for names NFS may not even ask. */
int gml_name_resolve(struct gml_txn *txn, gml_ino dir, struct gml_span nfs, char *stored_out,
		     size_t *stored_len_out, struct gml_dirent *out);
/* NFS name of a dirent; false: it is hidden (marker without data). out: buffer of GML_NFS_NAME_MAX + 1. */
bool gml_name_show(struct gml_txn *txn, gml_ino dir, struct gml_span stored,
		   const struct gml_dirent *dirent, char *out, size_t *len_out);
/* May a new NFS name be created like this? INVAL for the reserved prefix, ".", "..". */
int gml_name_check_new(struct gml_span nfs);

/* Is it the name that a Linux client gives a file that is removed while it has it open ("silly
 * rename")? Only with the file's own number in it: any other .nfs name is somebody's key. */
bool gml_name_silly(struct gml_span stored, gml_ino ino);

/* ---- path.c: S3 keys ------------------------------------------------------------------------------------------------------------------------ */
struct gml_path {
	struct gml_bucket_rec bucket;
	struct gml_inode
		dir; /* directory that holds (or would hold) the last component; valid when missing == 0 */
	unsigned missing; /* directories of the path that do not exist */
	struct gml_span
		last; /* last component, borrowed from the key; empty for a trailing slash */
	bool found;   /* the key's dirent exists */
	struct gml_dirent dirent;
};
/* Walk with search permission on each directory. NOBUCKET, ACCESS, INVAL, NAMETOOLONG; a missing directory is no error (missing > 0; dir = the deepest existing one). */
int gml_path_walk(struct gml_txn *txn, const struct gml_op *op, struct gml_span bucket,
		  struct gml_span key, struct gml_path *out);
/* Make the missing directories (implicit), inside a write transaction; needs w+x on the deepest existing one. out->dir is then the last. */
int gml_path_make(struct gml_txn *txn, const struct gml_op *op, struct gml_span key,
		  struct gml_path *path);

/* ---- reader.c -------------------------------------------------------------------------------------------------------------------------------- */
/* run/readers below the store's directory: made when missing, mapped shared. Lives as long as the open store. */
int gml_readers_open(int dirfd, struct gml_readers **out);
void gml_readers_close(struct gml_readers *readers); /* NULL is fine */
/* Note a reader; its slot, or -1 when the table is full or NULL (the reader then has only the reaper's 15 s). No lock. */
int gml_readers_add(struct gml_readers *readers, const struct gml_owner *self, gml_ino ino);
void gml_readers_remove(struct gml_readers *readers, int slot); /* -1 is fine */
/* Has a living process a reader of this inode? The reaper asks before it frees an orphan. Slots of dead processes are cleared. NULL: false. */
bool gml_readers_has(struct gml_readers *readers, gml_ino ino);

/* ---- roster.c -------------------------------------------------------------------------------------------------------------------------------- */
/* run/roster below the store's directory: made when missing, mapped shared. Lives as long as the
 * open store. */
int gml_roster_open(int dirfd, struct gml_roster **out);
void gml_roster_close(struct gml_roster *roster); /* NULL is fine */
/* A change of users, inside its transaction, after the last check: its number. When the commit
 * returned, also with an error after which nothing of it will come to light: gml_roster_done. */
uint64_t gml_roster_begin(struct gml_roster *roster);
void gml_roster_done(struct gml_roster *roster, uint64_t change); /* 0: it never began */
/* Changes that were begun before the call, and whose processes died, count as done: what of them is
 * not visible now never will be. Any thread, not in a transaction. Blocks on other writers while a
 * change is open. Durability: none. */
int gml_roster_settle(struct gml_store *store);

/* ---- reap.c ---------------------------------------------------------------------------------------------------------------------------------- */
/* Is this process's reaper about to free the orphan? Who opens one notes its onode first, then asks; the reaper claims first, then asks what is open: so one of them gives way. No blocking. */
bool gml_reap_claims(struct gml_store *store, gml_ino ino);

/* ---- unwritten.c ----------------------------------------------------------------------------------------------------------------------------- */
int gml_unwritten_new(struct gml_unwritten **out);
void gml_unwritten_free(
	struct gml_unwritten *unwritten); /* NULL is fine; what is noted stays DIRTY */
/* Note that a new file was closed without a write: it becomes clean later, with others. False: no room, the caller settles it. May settle those that are noted; no lock held. */
bool gml_unwritten_add(struct gml_store *store, gml_ino ino);
/* Those that are noted become clean: one relaxed commit. No lock held. */
void gml_unwritten_settle(struct gml_store *store);

/* ---- lease.c ---------------------------------------------------------------------------------------------------------------------------------- */
/* The data layer's next_id (data/blob.h); `arg` is the store. Takes lease_lock and may commit: never inside a transaction. */
int gml_lease_next_id(void *arg, int kind, uint64_t *id_out);
/* Give back every lease of this process (close). */
int gml_lease_drop_all(struct gml_store *store);
/* Remove what dead processes left unpublished in their leased ranges, then drop those leases. */
int gml_lease_recover(struct gml_store *store);

/* ---- collect.c -------------------------------------------------------------------------------------------------------------------------------- */
/* Remove a blob that was to be published, unless it was: a commit that answered with an error may have happened all the same (its sync failed). BUSY: it was; others: unknown, the next start looks. */
int gml_blob_discard(struct gml_store *store, uint64_t blob, uint64_t len);
/* Ask before bytes are removed that a snapshot knows nothing of: a power cut may take back what it shows, and then the record is there again. Waits until that cannot be, once for a snapshot
 * (*settled, which the caller clears). IO. */
int gml_collect_settle(struct gml_store *store, bool *settled);
/* Remove blob files that no record and no lease knows, in the next few directories; adds their bytes to *freed. */
int gml_collect_strays(struct gml_store *store, uint64_t *freed);

/* ---- store.c ---------------------------------------------------------------------------------------------------------------------------------- */
int gml_owner_self(struct gml_owner *out);
bool gml_owner_alive(const struct gml_owner *owner);
void gml_store_log(const struct gml_store *store, enum gml_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Settle one DIRTY inode: sync the wblob, then size, times, change and a cleared flag in one transaction. */
int gml_inode_settle(struct gml_op *op, struct gml_store *store, gml_ino ino);

#endif
