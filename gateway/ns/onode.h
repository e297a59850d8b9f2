/* This process's open files, and the two states of a file's content: clean and DIRTY.
 *
 * Invariants
 *  1. Clean: the record's size counts. The write blob's file, if there is one, is at least as long; what lies beyond
 * the size is rubbish.
 *  2. DIRTY: the length of the write blob's file is the size (no file: 0), its mtime the mtime. It never shrinks while
 * DIRTY. So it is cut to the record's size, durably, before the transaction that sets DIRTY.
 *  3. Under an extent the write blob's bytes are rubbish; they are overwritten or punched before the extent is cut.
 *  4. Only the process whose owner record stands in table dirty writes to the write blob.
 *
 * Lock order: onode->lock, then a shard's lock or onode->wb_lock (leaves). Nobody waits for an onode's lock while he
 * holds another's. A transaction's closure takes no onode's lock; a shard's it may. */
#ifndef GML_NS_ONODE_H
#define GML_NS_ONODE_H

#include <stdatomic.h>
#include "internal.h"

/* What was written since write-back was last asked for (write.c). */
struct gml_behind {
	uint64_t from, to, bytes;
};

struct gml_onode {
	gml_ino ino;
	struct gml_onode *next; /* shard lock, as the two counts */
	unsigned refs;
	unsigned writers; /* opens for writing */
	struct gml_file *
		holders; /* opens but for GML_OPEN_IO: an inode without a name is theirs; shard lock */
	pthread_rwlock_t
		lock; /* shared: writes in place. Exclusive: changes of size, content map or state */
	bool owned;   /* DIRTY, by this process. Read under lock, set under exclusive lock */
	pthread_mutex_t wb_lock;
	struct gml_blob *wb;	  /* open write blob; wb_lock; borrowed by those who hold `lock` */
	struct gml_behind behind; /* wb_lock */
	_Atomic uint64_t written; /* writes that returned; 0: new, nothing was written yet */
	_Atomic uint64_t synced;  /* of those, how many a sync covered */
	_Atomic uint64_t timed;	  /* and how many a sync of the times */
	_Atomic uint64_t timed_size; /* the write blob's size at that sync */
};

struct gml_file {
	struct gml_store *store;
	struct gml_onode *onode;
	unsigned how;		       /* GML_OPEN_* */
	uint64_t client;	       /* op->client of the open */
	struct gml_file *next, **link; /* in onode->holders, unless GML_OPEN_IO */
};

/* ---- onode.c ---------------------------------------------------------------------------------------------------- */
/* One more reference to the inode's onode, made when it is the first. NOMEM. No blocking. */
int gml_onode_get(struct gml_store *store, gml_ino ino, struct gml_onode **out);
/* The same in two steps, of which only the first can fail: NULL when out of memory. */
struct gml_onode *gml_onode_spare(void);
void gml_onode_spare_free(struct gml_onode *spare);
/* Consumes it. */
struct gml_onode *gml_onode_get_spare(struct gml_store *store, gml_ino ino,
				      struct gml_onode *spare);
void gml_onode_put(struct gml_store *store, struct gml_onode *onode); /* NULL is fine */
/* The open counts from now on: as a writer, and as one that holds the inode. */
void gml_onode_enter(struct gml_file *file);
/* It counts no longer. True: that was the last writer. */
bool gml_onode_leave(struct gml_file *file);
/* Has `client` the inode open here? GML_CLIENT_NONE: no; what was opened as nobody's is nobody's. No blocking. */
bool gml_onode_held(struct gml_store *store, gml_ino ino, uint64_t client);
/* Do clients have the inode open here, and `client` is none of them (GML_CLIENT_NONE never is)? No blocking. */
bool gml_onode_held_by_others(struct gml_store *store, gml_ino ino, uint64_t client);
bool gml_onode_has_writers(struct gml_store *store, struct gml_onode *onode);
/* The open write blob `id`, borrowed while the caller holds onode->lock; made when `create`. NOENT. */
int gml_onode_wblob(struct gml_store *store, struct gml_onode *onode, uint64_t id, bool create,
		    struct gml_blob **out);
/* A blob that the record named when it was read, with write blob `wblob`, has no file. Never 0: STALE, the inode was
 * freed since; AGAIN, its content lies elsewhere by now (a copy made extents of it); CORRUPT, the bytes are lost. */
int gml_onode_lost(struct gml_store *store, gml_ino ino, uint64_t wblob);

/* ---- settle.c ---------------------------------------------------------------------------------------------------- */
/* What a DIRTY inode's write blob said. */
struct gml_settled {
	struct gml_owner owner; /* who wrote it */
	uint64_t wblob;
	bool missing; /* never written: no file */
	uint64_t size, space;
	int64_t mtime, ctime;
};
/* 0: the inode has a name and is DIRTY by this process. AGAIN: not so. STALE. */
int gml_settle_look(struct gml_store *store, gml_ino ino, struct gml_inode *inode,
		    struct gml_owner *owner);
/* Read it (and make it durable first with its times, if `sync` and not yet done). Needs the exclusive lock. */
int gml_settle_sample(struct gml_store *store, struct gml_onode *onode,
		      const struct gml_inode *inode, const struct gml_owner *owner, bool sync,
		      struct gml_settled *out);
/* Inside a transaction: fold it into *inode, which the caller saves. AGAIN when the inode is not as it was sampled.
 * Frees no bytes, so the commit may be a relaxed one. */
int gml_settle_apply(struct gml_txn *txn, struct gml_store *store, struct gml_inode *inode,
		     const struct gml_settled *settled);
/* For the last close: settle now, if the inode is DIRTY by this process and was ever written; later, if it was not
 * (unwritten.c). Takes the exclusive lock. Durable. */
int gml_onode_settle(struct gml_store *store, struct gml_onode *onode);
/* Settle what a dead process left DIRTY (or this one). BUSY: its writer lives. STALE. Exclusive lock held. */
int gml_onode_takeover(struct gml_store *store, struct gml_onode *onode);
/* Make the inode DIRTY by this process (exclusive lock held), stripping suid and sgid if `strip`. STALE, BUSY (another
 * living process writes it), errors of disk and commit. */
int gml_onode_dirty(struct gml_store *store, struct gml_onode *onode, bool strip);
/* Inside a transaction: *inode becomes DIRTY with write blob `id` (`fresh`: its record is made), its content identity
 * goes. */
int gml_dirty_apply(struct gml_txn *txn, struct gml_store *store, struct gml_inode *inode,
		    uint64_t id, bool fresh);
void gml_inode_forget_content(struct gml_inode *inode); /* md5, parts, checksum */

/* ---- setattr.c ----------------------------------------------------------------------------------------------------
 */
/* Truncate to 0 for an open that says so: needs `w`. */
int gml_inode_empty(struct gml_op *op, struct gml_store *store, struct gml_onode *onode);

/* ---- write.c ------------------------------------------------------------------------------------------------------
 */
/* Make everything written durable; no lock held. */
int gml_onode_sync(struct gml_store *store, struct gml_onode *onode);
/* And the file with its name, should its bucket be relaxed: what COMMIT promises. */
int gml_onode_commit(struct gml_store *store, struct gml_onode *onode);
/* DIRTY by this process, and *inode as it is then; `w`, quota for `end` bytes. Exclusive lock held. */
int gml_write_ready(struct gml_op *op, struct gml_file *file, uint64_t end,
		    struct gml_inode *inode);
/* The range's extents go: what the write blob holds there shows; `hole`: nothing. It is durable by now. DIRTY, exclusive
 * lock held. */
int gml_onode_splice(struct gml_store *store, struct gml_onode *onode, uint64_t wblob, uint64_t off,
		     uint64_t len, bool hole);

#endif
