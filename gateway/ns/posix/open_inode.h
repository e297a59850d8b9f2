// SPDX-License-Identifier: Apache-2.0
/* The open files of this process, and the two states of a file's content: clean and DIRTY.
 *
 * Invariants
 *  1. Clean: the record's size counts. The write blob's file, if there is one, is at least as long;
 *     bytes beyond the size are undefined.
 *  2. DIRTY: the length of the write blob's file is the size (no file: 0), its mtime the mtime. It
 *     never shrinks while DIRTY. So it is cut to the record's size, durably, before the transaction
 *     that sets DIRTY.
 *  3. Under an extent the write blob's bytes are undefined; they are overwritten or punched before
 *     the extent is cut.
 *  4. Only the process whose owner record is in table dirty writes to the write blob.
 *
 * Lock order: open_inode->lock, then a shard's lock or open_inode->wb_lock (leaves). No thread
 * waits for the lock of an open_inode while it holds another's. A closure takes no lock of an
 * open_inode; it may take a shard's. */
#ifndef GML_NS_POSIX_OPEN_INODE_H
#define GML_NS_POSIX_OPEN_INODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <gemel/types.h>
#include "gateway/base/lock.h"
#include "gateway/data/data.h"
#include "gateway/ns/store/store.h"

/* The range written since write-back was last started (write.c). */
struct gml_writeback {
	uint64_t from, to, bytes;
};

struct gml_open_inode {
	gml_ino ino;
	struct gml_open_inode *next; /* shard lock, as the two counts */
	unsigned refs;
	unsigned writers; /* opens for writing */
	/* opens without GML_OPEN_IO: an inode without a name stays usable for them; shard lock */
	struct gml_file *holders;
	/* shared: writes in place. Exclusive: changes of size, content map or state */
	struct gml_rwlock lock;
	bool owned; /* DIRTY, by this process. Read under lock, set under exclusive lock */
	pthread_mutex_t wb_lock;
	struct gml_blob *wb; /* open write blob; wb_lock; borrowed by threads that hold `lock` */
	struct gml_writeback writeback; /* wb_lock */
	_Atomic uint64_t written;	/* writes that returned; 0: new, nothing was written yet */
	_Atomic uint64_t synced;	/* of those, how many a sync covered */
	_Atomic uint64_t timed;		/* and how many a sync of the times */
	_Atomic uint64_t timed_size;	/* the write blob's size at that sync */
};

struct gml_file {
	struct gml_store *store;
	struct gml_open_inode *open_inode;
	unsigned access;	       /* GML_OPEN_* */
	uint64_t client;	       /* op->handle.client of the open */
	struct gml_file *next, **link; /* in open_inode->holders, unless GML_OPEN_IO */
};

int gml_open_inodes_new(struct gml_store *store, struct gml_open_inodes **out);
/* NULL is fine; nothing may be open any more */
void gml_open_inodes_free(struct gml_open_inodes *open_inodes);

/* One more reference to the inode's open_inode, made when it is the first. NOMEM. No blocking. */
int gml_open_inode_get(struct gml_store *store, gml_ino ino, struct gml_open_inode **out);
/* The same in two steps, of which only the first can fail: NULL when out of memory. */
struct gml_open_inode *gml_open_inode_spare(void);
void gml_open_inode_spare_free(struct gml_open_inode *spare);
/* Consumes it. */
struct gml_open_inode *gml_open_inode_get_spare(struct gml_store *store, gml_ino ino,
						struct gml_open_inode *spare);
void gml_open_inode_put(struct gml_store *store,
			struct gml_open_inode *open_inode); /* NULL is fine */
/* Count the open: as a writer, and as a holder of the inode. */
void gml_open_inode_enter(struct gml_file *file);
/* Stop counting it. True: it was the last writer. */
bool gml_open_inode_leave(struct gml_file *file);
/* Has `client` the inode open here? Never true for GML_CLIENT_NONE. No blocking. */
bool gml_open_inode_held(struct gml_store *store, gml_ino ino, uint64_t client);
/* Do other clients have the inode open here, and `client` does not (GML_CLIENT_NONE never has)? No
 * blocking. */
bool gml_open_inode_held_by_others(struct gml_store *store, gml_ino ino, uint64_t client);
bool gml_open_inode_has_writers(struct gml_store *store, struct gml_open_inode *open_inode);
/* The open write blob `id`, borrowed while the caller holds open_inode->lock; made when `create`.
 * NOENT. */
int gml_open_inode_wblob(struct gml_store *store, struct gml_open_inode *open_inode, uint64_t id,
			 bool create, struct gml_blob **out);
/* A blob that the record named when it was read, with write blob `wblob`, has no file. Never 0:
 * STALE, the inode was freed since; AGAIN, its content has moved (a copy made extents of it);
 * CORRUPT, the bytes are lost. */
int gml_open_inode_lost(struct gml_store *store, gml_ino ino, uint64_t wblob);

#endif
