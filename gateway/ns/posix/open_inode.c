// SPDX-License-Identifier: Apache-2.0
/* The table of open files of this process, by inode. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include <gemel/file.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/data/blob.h"
#include "gateway/data/data.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/attr.h"
#include "inode.h"
#include "gateway/ns/store/store.h"
#include "open_inode.h"

#define OPEN_INODE_SHARDS 64
#define OPEN_INODE_CHAINS 256 /* per shard */

struct open_inode_shard {
	pthread_mutex_t lock;
	struct gml_open_inode *chains[OPEN_INODE_CHAINS];
};

struct gml_open_inodes {
	struct open_inode_shard shards[OPEN_INODE_SHARDS];
};

int gml_open_inodes_new(struct gml_store *store, struct gml_open_inodes **out)
{
	struct gml_open_inodes *open_inodes = calloc(1, sizeof(*open_inodes));
	(void)store;
	*out = open_inodes;
	if (open_inodes == NULL)
		return GML_ERR_NOMEM;
	for (int i = 0; i < OPEN_INODE_SHARDS; i++)
		pthread_mutex_init(&open_inodes->shards[i].lock, NULL);
	return 0;
}

static void open_inode_free(struct gml_open_inode *open_inode)
{
	gml_blob_unref(open_inode->wb);
	pthread_mutex_destroy(&open_inode->wb_lock);
	gml_rwlock_destroy(&open_inode->lock);
	free(open_inode);
}

static bool open_inodes_empty(const struct gml_open_inodes *open_inodes)
{
	for (int i = 0; i < OPEN_INODE_SHARDS; i++)
		for (int chain = 0; chain < OPEN_INODE_CHAINS; chain++)
			if (open_inodes->shards[i].chains[chain] != NULL)
				return false;
	return true;
}

void gml_open_inodes_free(struct gml_open_inodes *open_inodes)
{
	if (open_inodes == NULL)
		return;
	gml_assert(open_inodes_empty(open_inodes)); /* every file was closed before the store */
	for (int i = 0; i < OPEN_INODE_SHARDS; i++)
		pthread_mutex_destroy(&open_inodes->shards[i].lock);
	free(open_inodes);
}

static struct open_inode_shard *open_inode_shard(struct gml_store *store, gml_ino ino)
{
	return &store->open_inodes->shards[gml_ino_hash(ino) % OPEN_INODE_SHARDS];
}

static struct gml_open_inode **open_inode_slot(struct open_inode_shard *shard, gml_ino ino)
{
	struct gml_open_inode **slot =
		&shard->chains[gml_ino_hash(ino) / OPEN_INODE_SHARDS % OPEN_INODE_CHAINS];
	gml_assert_locked(&shard->lock);
	while (*slot != NULL && !gml_ino_equal((*slot)->ino, ino))
		slot = &(*slot)->next;
	return slot;
}

struct gml_open_inode *gml_open_inode_spare(void)
{
	struct gml_open_inode *open_inode = calloc(1, sizeof(*open_inode));
	if (open_inode == NULL)
		return NULL;
	open_inode->refs = 1;
	/* A failed finalization may have left unsynced bytes: the first commit checks. */
	atomic_init(&open_inode->written, 1);
	atomic_init(&open_inode->synced, 0);
	pthread_mutex_init(&open_inode->wb_lock, NULL);
	gml_rwlock_init(&open_inode->lock);
	return open_inode;
}

void gml_open_inode_spare_free(struct gml_open_inode *spare)
{
	open_inode_free(spare);
}

struct gml_open_inode *gml_open_inode_get_spare(struct gml_store *store, gml_ino ino,
						struct gml_open_inode *spare)
{
	struct open_inode_shard *shard = open_inode_shard(store, ino);
	struct gml_open_inode **slot, *open_inode;
	gml_assert(spare->refs == 1 && spare->next == NULL && !gml_ino_is_none(ino));
	spare->ino = ino;
	gml_leaf_lock(&shard->lock);
	slot = open_inode_slot(shard, ino);
	if (*slot != NULL)
		(*slot)->refs++;
	else
		*slot = spare;
	open_inode = *slot;
	gml_assert(open_inode == spare || open_inode->refs > 1);
	gml_leaf_unlock(&shard->lock);
	if (open_inode != spare)
		open_inode_free(spare);
	return open_inode;
}

int gml_open_inode_get(struct gml_store *store, gml_ino ino, struct gml_open_inode **out)
{
	struct open_inode_shard *shard = open_inode_shard(store, ino);
	struct gml_open_inode *spare;
	gml_leaf_lock(&shard->lock);
	*out = *open_inode_slot(shard, ino);
	if (*out != NULL)
		(*out)->refs++;
	gml_leaf_unlock(&shard->lock);
	if (*out != NULL)
		return 0;
	spare = gml_open_inode_spare();
	if (spare == NULL)
		return GML_ERR_NOMEM;
	*out = gml_open_inode_get_spare(store, ino, spare);
	return 0;
}

void gml_open_inode_put(struct gml_store *store, struct gml_open_inode *open_inode)
{
	struct open_inode_shard *shard;
	bool last;
	if (open_inode == NULL)
		return;
	shard = open_inode_shard(store, open_inode->ino);
	gml_leaf_lock(&shard->lock);
	gml_assert(open_inode->refs > 0);
	last = --open_inode->refs == 0;
	gml_assert(!last || (open_inode->writers == 0 && open_inode->holders == NULL));
	gml_assert(*open_inode_slot(shard, open_inode->ino) == open_inode);
	if (last)
		*open_inode_slot(shard, open_inode->ino) = open_inode->next;
	gml_leaf_unlock(&shard->lock);
	if (last)
		open_inode_free(open_inode);
}

void gml_open_inode_enter(struct gml_file *file)
{
	struct gml_open_inode *open_inode = file->open_inode;
	struct open_inode_shard *shard = open_inode_shard(file->store, open_inode->ino);
	gml_leaf_lock(&shard->lock);
	gml_assert(file->link == NULL);
	if (file->access & GML_OPEN_WRITE)
		open_inode->writers++;
	gml_assert(open_inode->writers <= open_inode->refs); /* each open has one of its own */
	if (!(file->access & GML_OPEN_IO)) {
		file->next = open_inode->holders;
		file->link = &open_inode->holders;
		if (file->next != NULL)
			file->next->link = &file->next;
		open_inode->holders = file;
	}
	gml_leaf_unlock(&shard->lock);
}

bool gml_open_inode_leave(struct gml_file *file)
{
	struct gml_open_inode *open_inode = file->open_inode;
	struct open_inode_shard *shard = open_inode_shard(file->store, open_inode->ino);
	bool last;
	gml_leaf_lock(&shard->lock);
	gml_assert(!(file->access & GML_OPEN_WRITE) || open_inode->writers > 0);
	last = (file->access & GML_OPEN_WRITE) && --open_inode->writers == 0;
	if (!(file->access & GML_OPEN_IO)) {
		gml_assert(*file->link == file);
		*file->link = file->next;
		if (file->next != NULL)
			file->next->link = file->link;
	}
	gml_leaf_unlock(&shard->lock);
	return last;
}

/* Which clients have the inode open: *held_out: `client` has; *any_out: any client has. */
static void open_inode_holders(struct gml_store *store, gml_ino ino, uint64_t client,
			       bool *held_out, bool *any_out)
{
	struct open_inode_shard *shard = open_inode_shard(store, ino);
	const struct gml_file *file;
	const struct gml_open_inode *open_inode;
	gml_leaf_lock(&shard->lock);
	open_inode = *open_inode_slot(shard, ino);
	file = open_inode != NULL ? open_inode->holders : NULL;
	*any_out = file != NULL;
	while (file != NULL && (client == GML_CLIENT_NONE || file->client != client))
		file = file->next;
	*held_out = file != NULL;
	gml_leaf_unlock(&shard->lock);
}

bool gml_open_inode_held(struct gml_store *store, gml_ino ino, uint64_t client)
{
	bool held, any;
	open_inode_holders(store, ino, client, &held, &any);
	return held;
}

bool gml_open_inode_held_by_others(struct gml_store *store, gml_ino ino, uint64_t client)
{
	bool held, any;
	open_inode_holders(store, ino, client, &held, &any);
	return any && !held;
}

bool gml_open_inode_has_writers(struct gml_store *store, struct gml_open_inode *open_inode)
{
	struct open_inode_shard *shard = open_inode_shard(store, open_inode->ino);
	bool any;
	gml_leaf_lock(&shard->lock);
	any = open_inode->writers > 0;
	gml_leaf_unlock(&shard->lock);
	return any;
}

/* The one that is kept, if it is blob `id`; NULL: none is. */
static struct gml_blob *open_inode_wblob_kept(struct gml_open_inode *open_inode, uint64_t id)
{
	struct gml_blob *blob;
	gml_leaf_lock(&open_inode->wb_lock);
	blob = open_inode->wb != NULL && gml_blob_id(open_inode->wb) == id ? open_inode->wb : NULL;
	gml_leaf_unlock(&open_inode->wb_lock);
	return blob;
}

/* Keeps the blob in place of another one, and consumes its reference. Returns the one that is kept
 * then: another thread may have been faster. */
static struct gml_blob *open_inode_wblob_keep(struct gml_open_inode *open_inode,
					      struct gml_blob *blob)
{
	struct gml_blob *kept, *gone;
	gml_leaf_lock(&open_inode->wb_lock);
	kept = open_inode->wb;
	gone = kept != NULL && gml_blob_id(kept) == gml_blob_id(blob) ? blob : kept;
	if (gone != blob)
		kept = open_inode->wb = blob;
	gml_leaf_unlock(&open_inode->wb_lock);
	gml_blob_unref(gone);
	return kept;
}

int gml_open_inode_wblob(struct gml_store *store, struct gml_open_inode *open_inode, uint64_t id,
			 bool create, struct gml_blob **out)
{
	int rc;
	gml_assert_locked(&open_inode->lock);
	gml_assert(gml_blob_is_write(id));
	*out = open_inode_wblob_kept(open_inode, id);
	if (*out != NULL)
		return 0;
	rc = gml_blob_open(store->data, id, create ? GML_BLOB_CREATE : 0, out);
	if (rc == 0)
		*out = open_inode_wblob_keep(open_inode, *out);
	return rc;
}

int gml_open_inode_lost(struct gml_store *store, gml_ino ino, uint64_t wblob)
{
	struct gml_inode inode;
	int rc = gml_inode_read(store, ino, &inode);
	if (rc != 0)
		return rc;
	return inode.wblob == wblob ? GML_ERR_CORRUPT : GML_ERR_AGAIN;
}

bool gml_open_inode_unwritten(struct gml_store *store, gml_ino ino)
{
	struct open_inode_shard *shard = open_inode_shard(store, ino);
	const struct gml_open_inode *open_inode;
	bool unwritten;
	gml_leaf_lock(&shard->lock);
	open_inode = *open_inode_slot(shard, ino);
	unwritten = open_inode != NULL && atomic_load(&open_inode->written) == 0;
	gml_leaf_unlock(&shard->lock);
	return unwritten;
}

bool gml_store_file_is_open(void *arg, gml_ino ino)
{
	struct gml_store *store = arg;
	struct open_inode_shard *shard = open_inode_shard(store, ino);
	bool open;
	gml_leaf_lock(&shard->lock);
	open = *open_inode_slot(shard, ino) != NULL;
	gml_leaf_unlock(&shard->lock);
	return open;
}
