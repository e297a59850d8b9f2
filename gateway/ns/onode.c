/* The table of this process's open files, by inode number. */
#include <stdlib.h>
#include "onode.h"

#define ONODE_SHARDS 64
#define ONODE_CHAINS 256 /* per shard */

struct onode_shard {
	pthread_mutex_t lock;
	struct gml_onode *chains[ONODE_CHAINS];
};

struct gml_onodes {
	struct onode_shard shards[ONODE_SHARDS];
};

int gml_onodes_new(struct gml_store *store, struct gml_onodes **out)
{
	struct gml_onodes *onodes = calloc(1, sizeof(*onodes));
	(void)store;
	*out = onodes;
	if (onodes == NULL)
		return GML_ERR_NOMEM;
	for (int i = 0; i < ONODE_SHARDS; i++)
		pthread_mutex_init(&onodes->shards[i].lock, NULL);
	return 0;
}

static void onode_free(struct gml_onode *onode)
{
	gml_blob_unref(onode->wb);
	pthread_mutex_destroy(&onode->wb_lock);
	pthread_rwlock_destroy(&onode->lock);
	free(onode);
}

void gml_onodes_free(struct gml_onodes *onodes)
{
	if (onodes == NULL)
		return;
	for (int i = 0; i < ONODE_SHARDS; i++)
		pthread_mutex_destroy(&onodes->shards[i].lock);
	free(onodes);
}

static struct onode_shard *onode_shard(struct gml_store *store, gml_ino ino)
{
	return &store->onodes->shards[ino % ONODE_SHARDS];
}

static struct gml_onode **onode_slot(struct onode_shard *shard, gml_ino ino)
{
	struct gml_onode **slot = &shard->chains[ino / ONODE_SHARDS % ONODE_CHAINS];
	while (*slot != NULL && (*slot)->ino != ino)
		slot = &(*slot)->next;
	return slot;
}

struct gml_onode *gml_onode_spare(void)
{
	struct gml_onode *onode = calloc(1, sizeof(*onode));
	pthread_rwlockattr_t attr;
	if (onode == NULL)
		return NULL;
	onode->refs = 1;
	/* A settling that failed may have left something unsynced: the first commit looks. */
	atomic_init(&onode->written, 1);
	atomic_init(&onode->synced, 0);
	pthread_mutex_init(&onode->wb_lock, NULL);
	/* A stream of writes must not keep a truncation or a copy-on-write waiting for ever. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&onode->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return onode;
}

void gml_onode_spare_free(struct gml_onode *spare)
{
	onode_free(spare);
}

struct gml_onode *gml_onode_get_spare(struct gml_store *store, gml_ino ino, struct gml_onode *spare)
{
	struct onode_shard *shard = onode_shard(store, ino);
	struct gml_onode **slot, *onode;
	spare->ino = ino;
	pthread_mutex_lock(&shard->lock);
	slot = onode_slot(shard, ino);
	if (*slot != NULL)
		(*slot)->refs++;
	else
		*slot = spare;
	onode = *slot;
	pthread_mutex_unlock(&shard->lock);
	if (onode != spare)
		onode_free(spare);
	return onode;
}

int gml_onode_get(struct gml_store *store, gml_ino ino, struct gml_onode **out)
{
	struct onode_shard *shard = onode_shard(store, ino);
	struct gml_onode *spare;
	pthread_mutex_lock(&shard->lock);
	*out = *onode_slot(shard, ino);
	if (*out != NULL)
		(*out)->refs++;
	pthread_mutex_unlock(&shard->lock);
	if (*out != NULL)
		return 0;
	spare = gml_onode_spare();
	if (spare == NULL)
		return GML_ERR_NOMEM;
	*out = gml_onode_get_spare(store, ino, spare);
	return 0;
}

void gml_onode_put(struct gml_store *store, struct gml_onode *onode)
{
	struct onode_shard *shard;
	bool last;
	if (onode == NULL)
		return;
	shard = onode_shard(store, onode->ino);
	pthread_mutex_lock(&shard->lock);
	last = --onode->refs == 0;
	if (last)
		*onode_slot(shard, onode->ino) = onode->next;
	pthread_mutex_unlock(&shard->lock);
	if (last)
		onode_free(onode);
}

void gml_onode_enter(struct gml_file *file)
{
	struct gml_onode *onode = file->onode;
	struct onode_shard *shard = onode_shard(file->store, onode->ino);
	pthread_mutex_lock(&shard->lock);
	if (file->how & GML_OPEN_WRITE)
		onode->writers++;
	if (!(file->how & GML_OPEN_IO)) {
		file->next = onode->holders;
		file->link = &onode->holders;
		if (file->next != NULL)
			file->next->link = &file->next;
		onode->holders = file;
	}
	pthread_mutex_unlock(&shard->lock);
}

bool gml_onode_leave(struct gml_file *file)
{
	struct gml_onode *onode = file->onode;
	struct onode_shard *shard = onode_shard(file->store, onode->ino);
	bool last;
	pthread_mutex_lock(&shard->lock);
	last = (file->how & GML_OPEN_WRITE) && --onode->writers == 0;
	if (!(file->how & GML_OPEN_IO)) {
		*file->link = file->next;
		if (file->next != NULL)
			file->next->link = file->link;
	}
	pthread_mutex_unlock(&shard->lock);
	return last;
}

/* Looks at who has the inode open: *held_out, `client` has; *any_out, somebody has. */
static void onode_holders(struct gml_store *store, gml_ino ino, uint64_t client, bool *held_out,
			  bool *any_out)
{
	struct onode_shard *shard = onode_shard(store, ino);
	const struct gml_file *file;
	const struct gml_onode *onode;
	pthread_mutex_lock(&shard->lock);
	onode = *onode_slot(shard, ino);
	file = onode != NULL ? onode->holders : NULL;
	*any_out = file != NULL;
	while (file != NULL && (client == GML_CLIENT_NONE || file->client != client))
		file = file->next;
	*held_out = file != NULL;
	pthread_mutex_unlock(&shard->lock);
}

bool gml_onode_held(struct gml_store *store, gml_ino ino, uint64_t client)
{
	bool held, any;
	onode_holders(store, ino, client, &held, &any);
	return held;
}

bool gml_onode_held_by_others(struct gml_store *store, gml_ino ino, uint64_t client)
{
	bool held, any;
	onode_holders(store, ino, client, &held, &any);
	return any && !held;
}

bool gml_onode_has_writers(struct gml_store *store, struct gml_onode *onode)
{
	struct onode_shard *shard = onode_shard(store, onode->ino);
	bool any;
	pthread_mutex_lock(&shard->lock);
	any = onode->writers > 0;
	pthread_mutex_unlock(&shard->lock);
	return any;
}

int gml_onode_wblob(struct gml_store *store, struct gml_onode *onode, uint64_t id, bool create,
		    struct gml_blob **out)
{
	int rc = 0;
	pthread_mutex_lock(&onode->wb_lock);
	if (onode->wb != NULL && gml_blob_id(onode->wb) != id) {
		gml_blob_unref(onode->wb);
		onode->wb = NULL;
	}
	if (onode->wb == NULL)
		rc = gml_blob_open(store->data, id, create ? GML_BLOB_CREATE : 0, &onode->wb);
	if (rc != 0)
		onode->wb = NULL;
	*out = onode->wb;
	pthread_mutex_unlock(&onode->wb_lock);
	return rc;
}

int gml_onode_lost(struct gml_store *store, gml_ino ino, uint64_t wblob)
{
	struct gml_inode inode;
	int rc = gml_inode_read(store, ino, &inode);
	if (rc != 0)
		return rc;
	return inode.wblob == wblob ? GML_ERR_CORRUPT : GML_ERR_AGAIN;
}

bool gml_onode_unwritten(struct gml_store *store, gml_ino ino)
{
	struct onode_shard *shard = onode_shard(store, ino);
	const struct gml_onode *onode;
	bool unwritten;
	pthread_mutex_lock(&shard->lock);
	onode = *onode_slot(shard, ino);
	unwritten = onode != NULL && atomic_load(&onode->written) == 0;
	pthread_mutex_unlock(&shard->lock);
	return unwritten;
}

bool gml_store_file_is_open(void *arg, gml_ino ino)
{
	struct gml_store *store = arg;
	struct onode_shard *shard = onode_shard(store, ino);
	bool open;
	pthread_mutex_lock(&shard->lock);
	open = *onode_slot(shard, ino) != NULL;
	pthread_mutex_unlock(&shard->lock);
	return open;
}
